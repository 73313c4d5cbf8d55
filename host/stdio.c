/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stdio.c - the character back end on standard input and output. A terminal is put into raw mode;
 * pipes and files work as they are. */
#include "host/chardev.h"
#include "host/fdio.h"
#include "host/terminal.h"
#include "lib/alloc.h"
#include <fcntl.h>
#include <unistd.h>

struct stdio {
	struct chardev c;
	struct fdio io;
	int terminal;
};

/* The process has one standard input. */
static bool taken;

static int stdio_write(struct chardev *c, const u8 *buf, int n)
{
	return fdio_write(&((struct stdio *)c->impl)->io, buf, n);
}

static void stdio_room(struct chardev *c) { fdio_room(&((struct stdio *)c->impl)->io); }

static void stdio_fini(struct chardev *c)
{
	struct stdio *s = c->impl;

	fdio_stop(&s->io, -1);
	terminal_release(s->terminal);
	taken = false;
	free(s);
}

static const struct chardev_ops stdio_ops = {
	.name = "stdio", .write = stdio_write, .room = stdio_room, .fini = stdio_fini
};

static struct chardev *stdio_open(struct machine *m, const char *id, struct keyvals *kv,
				  struct error *e)
{
	bool signals = true, out_shared, in_shared;
	struct stdio *s;
	int in, out;

	if (keyvals_bool(kv, "signal", &signals, e))
		return NULL;
	if (taken) {
		error_set(e, "standard input and output are in use by another back end already");
		return NULL;
	}
	out = fd_own(STDOUT_FILENO, O_WRONLY, &out_shared, "standard output", e);
	if (out < 0)
		return NULL;
	/* No input at all (as under some service managers) is no input. */
	in = fd_own(STDIN_FILENO, O_RDONLY, &in_shared, "standard input", NULL);
	s = NEW(struct stdio);
	chardev_init(&s->c, m, &stdio_ops, id, s);
	fdio_init(&s->io, &s->c, m, "standard output");
	s->io.out_shared = out_shared;
	s->terminal = terminal_raw(STDIN_FILENO, signals);
	s->c.open = true;
	taken = true;
	fdio_start(&s->io, in, out);
	return &s->c;
}

static const struct chardev_kind stdio_kind = {
	"stdio", "standard input and output; signal=off: Ctrl-C is a byte for the guest", "signal",
	stdio_open
};
CHARDEV_KIND(stdio_kind);
