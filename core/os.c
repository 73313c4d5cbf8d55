/* SPDX-License-Identifier: GPL-2.0-or-later */
/* os.c - who knows the operating system in a machine. */
#include "core/os.h"
#include "core/cpu.h"
#include "core/private.h"

const struct os *os_of(struct machine *m) { return m->priv->os; }
void *os_state(struct machine *m) { return m->priv->os_state; }

void os_set(struct machine *m, const struct os *os, void *state)
{
	m->priv->os = os;
	m->priv->os_state = state;
}

bool os_current_is(struct cpu *cpu, u32 pid, const char *comm)
{
	const struct os *os = os_of(cpu->machine);
	struct os_task t;

	if (!os || os->task_current(cpu, &t))
		return false;
	return (!pid || t.tgid == pid || t.pid == pid) && (!comm || !strcmp(t.comm, comm));
}

void os_set_slide(struct machine *m, u64 slide)
{
	m->priv->slide = slide;
	m->priv->slide_known = true;
}

bool os_placed(struct machine *m) { return m->priv->slide_known; }

bool os_slide(struct machine *m, u64 *slide)
{
	const struct os *os = os_of(m);

	if (os && os->slide && !os->slide(m, slide))
		return true;
	*slide = m->priv->slide;
	return m->priv->slide_known;
}
