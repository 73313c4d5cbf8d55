/* SPDX-License-Identifier: GPL-2.0-or-later */
/* commands.c - what the stub adds to a debugger's `monitor` command. */
#include "private.h"
#include "lib/error.h"
#include <errno.h>

/* The debugger that asks. */
static struct gdb_conn *asker(struct command_call *c, struct error *e)
{
	if (c->s->out == gdb_console)
		return c->s->arg;
	error_set(e, "this is a command of debuggers: `monitor %s` in gdb", c->command->hmp);
	return NULL;
}

static int run_tasks(struct command_call *c, struct error *e)
{
	struct gdb_conn *conn = asker(c, e);
	json_t *on = json_object_get(c->args, "on");

	if (!conn)
		return -ENOTSUP;
	if (on)
		conn->g->tasks = json_is_true(on);
	command_print(c, "tasks are %sthreads%s\n", conn->g->tasks ? "" : "no ",
		      conn->g->tasks && !gdb_os(conn->g) ?
			      ", as soon as the guest's system is known" :
			      "");
	return 0;
}

static const struct command_arg tasks_args[] = { { "on", ARG_BOOL, true }, {} };
COMMAND(gdb_tasks, .hmp = "tasks",
	.doc = "in gdb: are the guest's tasks threads, besides the CPUs? on or off",
	.args = tasks_args, .run = run_tasks);

/* The numbers of registers mean the same to all debuggers, and until they disconnect. */
static int run_architecture(struct command_call *c, struct error *e)
{
	struct gdb_conn *conn = asker(c, e), *o;
	const char *name = json_string_value(json_object_get(c->args, "name"));
	const struct isa *isa;
	unsigned n = 0;
	bool real;

	if (!conn)
		return -ENOTSUP;
	real = str_eq(name, "i8086");
	isa = isa_find(real ? "i386" : name);
	if (!isa || isa->cpu_size != c->m->isa->cpu_size || isa->init != c->m->isa->init)
		return error_ret(e, -EINVAL, "'%s' is no instruction set of this machine's CPUs",
				 name);
	gdb_each_conn(o, conn->g) n++;
	if (n > 1)
		return error_ret(e, -EBUSY, "another debugger is connected");
	gdb_describe(conn->g, isa, real ? "i8086" : NULL);
	command_print(c, "connect again: the registers are now those of %s\n", name);
	return 0;
}

static const struct command_arg architecture_args[] = { { "name", ARG_STRING, false }, {} };
COMMAND(gdb_architecture, .hmp = "architecture",
	.doc = "in gdb: show the registers of another instruction set (i8086, i386, x86_64) from "
	       "the next "
	       "connection on",
	.args = architecture_args, .run = run_architecture);

static int run_only(struct command_call *c, struct error *e)
{
	struct gdb_conn *conn = asker(c, e);
	const char *what = json_string_value(json_object_get(c->args, "task"));
	u32 pid;

	if (!conn)
		return -ENOTSUP;
	if (what && str_eq(what, "all")) {
		conn->only_pid = 0;
		conn->only_comm[0] = 0;
	} else if (what && !str_to_u32(what, 10, &pid) && pid) {
		conn->only_pid = pid;
		conn->only_comm[0] = 0;
	} else if (what) {
		if (strlen(what) >= sizeof(conn->only_comm))
			return error_ret(e, -EINVAL, "'%s' is no task's name: it is too long",
					 what);
		conn->only_pid = 0;
		strcpy(conn->only_comm, what);
	}
	if (conn->only_pid)
		command_print(c, "breakpoints are for pid %u\n", conn->only_pid);
	else if (conn->only_comm[0])
		command_print(c, "breakpoints are for tasks named '%s'\n", conn->only_comm);
	else
		command_print(c, "breakpoints are for all tasks\n");
	return 0;
}

static const struct command_arg only_args[] = { { "task", ARG_STRING, true }, {} };
COMMAND(gdb_only, .hmp = "only",
	.doc = "in gdb: breakpoints and watchpoints only for a task, by pid or name; all for every",
	.args = only_args, .run = run_only);

static int run_files(struct command_call *c, struct error *e)
{
	struct gdb_conn *conn = asker(c, e);

	if (!conn)
		return -ENOTSUP;
	gdb_add_files(conn->g, json_string_value(json_object_get(c->args, "dir")));
	gdb_files_changed(conn->g);
	return 0;
}

static const struct command_arg files_args[] = { { "dir", ARG_STRING, false }, {} };
COMMAND(gdb_files, .hmp = "files",
	.doc = "in gdb: a directory of the host in which files of kernel modules are looked for",
	.args = files_args, .run = run_files);
