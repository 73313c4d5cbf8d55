/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu.c - what anybody may do to a vCPU from outside: kick it, set its lines, find its instruction
 * set. */
#include "core/cpu.h"
#include "core/machine.h"
#include "core/private.h"

extern const struct isa *const __start_quern_isa[] __attribute__((weak));
extern const struct isa *const __stop_quern_isa[] __attribute__((weak));

void cpu_kick(struct cpu *cpu, u32 why)
{
	__atomic_fetch_or(&cpu->exit_request, why, __ATOMIC_SEQ_CST);
}

void cpu_set_line(struct cpu *cpu, unsigned line, int level)
{
	struct machine *m = cpu->machine;

	if (level)
		cpu->lines |= BIT(line);
	else
		cpu->lines &= ~BIT(line);
	if (cpu->isa->set_line)
		cpu->isa->set_line(cpu, line, level);
	if (!level)
		return;
	cpu_kick(cpu, CPU_EXIT_IRQ);
	/* vCPUs take turns: whoever waits for this one's reaction waits less when the turn passes
	 * on now */
	if (m && m->current && m->current != cpu)
		cpu_kick(m->current, CPU_EXIT_SLICE);
}

u64 cpu_clock_ns(struct cpu *cpu) { return clock_now(&cpu->machine->clock); }

const struct isa *isa_find(const char *name)
{
	for (const struct isa *const *i = __start_quern_isa; i < __stop_quern_isa; i++) {
		if (!strcmp((*i)->name, name))
			return *i;
	}
	return NULL;
}
