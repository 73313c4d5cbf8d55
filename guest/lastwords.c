/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lastwords.c - when a guest ended by a crash that no console told of, the end of its kernel's log
 * is shown: an early panic, or a console= that named nothing. */
#include "guest/lastwords.h"
#include "core/machine.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { CON_ENABLED = BIT(2), CON_NBCON = BIT(8), CONSOLES = 64, LINES = 60 };

/* A virtual terminal is nobody's to see: "tty" without a letter behind it. */
static bool is_seen(const char *name)
{
	const char *rest;

	return !str_prefix(name, "tty", &rest) || *rest;
}

/* Has a console printed record number seq? */
static bool has_printed(struct linux_os *l, u64 console, u64 seq)
{
	u64 flags, printed;
	char name[20];

	if (linux_get(l, console, "console.flags", &flags) ||
	    linux_get_text(l, console, "console.name", name, sizeof(name)))
		return false;
	if (!(flags & CON_ENABLED) || !is_seen(name))
		return false;
	/* before 5.18, all of them print all at once; others keep count elsewhere */
	if ((flags & CON_NBCON) || linux_get(l, console, "console.seq", &printed))
		return true;
	return printed > seq;
}

static bool console_told(struct linux_os *l, u64 seq)
{
	bool chain = linux_has(l, "console.next");
	u64 at, off = 0, next_off;

	/* a list of its own until 6.1 */
	if (linux_sym_get(l, chain ? "console_drivers" : "console_list", 8, &at) ||
	    linux_offset(l, chain ? "console.next" : "console.node", &next_off))
		return true;
	if (!chain)
		off = next_off;
	for (unsigned n = 0; at && n < CONSOLES; n++) {
		if (has_printed(l, at - off, seq))
			return true;
		if (kmem_u64(&l->mem, at - off + next_off, &at))
			break;
	}
	return false;
}

/* ---- the log's end */

struct tail {
	char *line[LINES];
	u64 n;
};

static void keep(void *arg, u64 ns, unsigned level, const char *text, size_t size)
{
	struct tail *t = arg;

	(void)level;
	for (size_t at = 0; at < size;) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t n = end ? (size_t)(end - text) - at : size - at;
		char **line = &t->line[t->n++ % LINES];

		free(*line);
		*line = NULL;
		if (asprintf(line, "[%5llu.%06llu] %.*s", (unsigned long long)(ns / 1000000000),
			     (unsigned long long)(ns % 1000000000 / 1000), (int)n, text + at) < 0)
			*line = NULL;
		at += n + 1;
	}
}

/* Guests choose these bytes: no control characters reach the terminal. */
static void print(const char *line)
{
	for (; *line; line++)
		fputc((u8)*line < 0x20 || *line == 0x7f ? '?' : *line, stderr);
	fputc('\n', stderr);
}

static bool has_panicked(struct linux_os *l)
{
	u64 cpu;

	return !linux_sym_get(l, "panic_cpu", 4, &cpu) && (u32)cpu != ~0u;
}

static void show(struct linux_os *l, const char *why)
{
	struct error e = { 0 };
	struct tail t = { 0 };
	u64 seq;

	if (!why && !has_panicked(l))
		return;
	if (linux_log_last(l, &seq) || console_told(l, seq) || linux_log(l, keep, &t) || !t.n)
		return;
	error_set(&e, "%s, and no console told of it; the end of the guest kernel's log:",
		  has_panicked(l) ? "the guest's kernel panicked" : why);
	error_print(&e);
	for (u64 i = t.n > LINES ? t.n - LINES : 0; i < t.n; i++)
		if (t.line[i % LINES])
			print(t.line[i % LINES]);
	for (unsigned i = 0; i < LINES; i++)
		free(t.line[i]);
	error_set(&e, "this was the end of the guest kernel's log");
	error_print(&e);
}

void lastwords(struct linux_os *l)
{
	const char *why = NULL;

	switch (l->m->cause) {
	case CAUSE_NONE:
	case CAUSE_HOST_QUIT:
	case CAUSE_HOST_RESET:
	case CAUSE_GUEST_SHUTDOWN:
	case CAUSE_DEVICE_EXIT:
		return;
	case CAUSE_TRIPLE_FAULT:
		why = "the guest ended by a triple fault";
		break;
	case CAUSE_GUEST_PANIC:
		why = "the guest panicked";
		break;
	case CAUSE_HOST_SIGNAL: /* who waits for a guest that hangs ends it so */
	case CAUSE_GUEST_RESET: /* as panic= in the kernel's command line asks */
		break;
	}
	if (!linux_find(l))
		show(l, why);
}
