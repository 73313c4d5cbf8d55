/* SPDX-License-Identifier: GPL-2.0-or-later */
/* human.c - the monitor for people: a prompt, a line, what the command says. On a multiplexed
 * terminal it greets when it gets the keyboard first. */
#include "core/compat.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "mon/readline.h"
#include "mon/session.h"

static const char greeting[] =
	"QEMU " QEMU_TEXT " monitor (Quern " QUERN_VERSION ") - type 'help' for more information\n";

struct human {
	struct session s;
	struct readline r;
	bool greeted;
};

static struct human *of(struct session *s) { return (struct human *)s; }

static void put_text(void *arg, const char *text, size_t n) { session_write_lines(arg, text, n); }

static void put_keys(void *arg, const char *text, size_t n) { session_write(arg, text, n); }

static void run(void *arg, const char *line)
{
	struct human *h = arg;

	command_run_line(&h->s.commands, line);
	if (!h->s.monitors->m->shutdown_requested)
		readline_prompt(&h->r);
}

static void complete(void *arg, const char *text, void (*fn)(void *arg, const char *word), void *to)
{
	struct human *h = arg;

	command_complete(&h->s.commands, text, fn, to);
}

static const char *history(void *arg, unsigned n)
{
	struct human *h = arg;

	return n < h->r.history.n ? h->r.history.at[n] : NULL;
}

static void focus(struct session *s)
{
	struct human *h = of(s);

	if (h->greeted)
		session_write(s, "\r\n", 2);
	else
		session_write_lines(s, greeting, sizeof(greeting) - 1);
	h->greeted = true;
	readline_prompt(&h->r);
}

static void opened(struct session *s)
{
	if (chardev_focused(s->c))
		focus(s);
}

static void closed(struct session *s)
{
	struct human *h = of(s);

	h->greeted = false;
	h->r.n = h->r.at = 0;
	h->r.text[0] = 0;
	h->r.state = KEY_PLAIN;
}

static void receive(struct session *s, const u8 *buf, int n)
{
	for (int i = 0; i < n; i++)
		readline_key(&of(s)->r, buf[i]);
}

static void fini(struct session *s)
{
	readline_fini(&of(s)->r);
	session_fini(s);
	free(s);
}

static void peer(struct monitors *k, struct session *s, struct chardev *c)
{
	human_new(k, c, true);
}

static const struct session_kind human_kind = {
	.opened = opened,
	.closed = closed,
	.focus = focus,
	.receive = receive,
	.fini = fini,
	.peer = peer,
};

void human_new(struct monitors *k, struct chardev *c, bool further)
{
	struct human *h = NEW(struct human);

	session_init(&h->s, k, &human_kind, c);
	h->s.further = further;
	h->s.commands.out = put_text;
	h->s.commands.history = history;
	readline_init(&h->r);
	h->r.prompt = "(qemu) ";
	h->r.write = put_keys;
	h->r.line = run;
	h->r.complete = complete;
	h->r.arg = h;
	session_start(&h->s);
}
