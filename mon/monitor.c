/* SPDX-License-Identifier: GPL-2.0-or-later */
/* monitor.c - commands about the monitor itself: human commands through QMP, history, the debugger
 * stub's address. */
#include "core/command.h"
#include "core/gdbserver.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>

static void collect(void *arg, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\n')
			strbuf_addc(arg, '\r');
		strbuf_addc(arg, text[i]);
	}
}

/* What a guest's text holds need not be UTF-8. */
static json_t *as_json(const struct strbuf *b)
{
	json_t *v = json_stringn(strbuf_str(b), b->n);
	struct strbuf ascii = { 0 };

	if (v)
		return v;
	for (size_t i = 0; i < b->n; i++)
		strbuf_addc(&ascii, b->at[i] & 0x80 ? '?' : b->at[i]);
	v = json_stringn(strbuf_str(&ascii), ascii.n);
	strbuf_fini(&ascii);
	return v;
}

static const struct command_arg human_args[] = { { "command-line", ARG_STRING },
						 { "cpu-index", ARG_INT, true },
						 {} };
static int human(struct command_call *c, struct error *e)
{
	s64 cpu = call_int(c, "cpu-index", 0);
	struct strbuf b = { 0 };
	struct command_session s = { .m = c->m, .out = collect, .arg = &b, .from = c->s->from };

	if (cpu < 0 || (cpu && cpu >= c->m->ncpus))
		return error_ret(e, -EINVAL, "Parameter 'cpu-index' expects a CPU number");
	s.cpu = (u32)cpu;
	/* what goes wrong is in the text */
	command_run_line(&s, call_str(c, "command-line"));
	c->result = as_json(&b);
	strbuf_fini(&b);
	return 0;
}
COMMAND(human_monitor_command, .qmp = "human-monitor-command", .args = human_args, .run = human,
	.doc = "run a command of the human monitor; its text is the result");

static int history(struct command_call *c, struct error *e)
{
	const char *line;

	for (unsigned i = 0; c->s->history && (line = c->s->history(c->s->arg, i)); i++)
		command_print(c, "%u: '%s'\n", i, line);
	return 0;
}
COMMAND(history, .hmp = "info history", .run = history, .doc = "show the lines typed before");

static const struct command_arg gdb_args[] = { { "device", ARG_REST, true }, {} };
static int gdbserver(struct command_call *c, struct error *e)
{
	const char *dev = call_str(c, "device");
	int err = gdbserver_open(c->m, dev ? dev : "", e);

	if (err)
		return err;
	if (dev && str_eq(dev, "none"))
		command_print(c, "Disabled gdbserver\n");
	else
		command_print(c, "Waiting for gdb connection on device '%s'\n",
			      dev ? dev : "tcp::1234");
	return 0;
}
COMMAND(gdbserver, .hmp = "gdbserver", .args = gdb_args, .run = gdbserver,
	.doc = "start the debugger stub on a device (tcp::1234), or none to end it");
