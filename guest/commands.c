/* SPDX-License-Identifier: GPL-2.0-or-later */
/* commands.c - monitor commands about the system in the guest: its log, tasks, stacks, symbols,
 * modules. They ask through core/os.h, so that whoever knows another system gets them too. */
#include "core/command.h"
#include "core/cpu.h"
#include "core/debug.h"
#include "core/machine.h"
#include "core/os.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

/* NULL with the reason in e. */
static const struct os *need_os(struct command_call *c, struct error *e)
{
	const struct os *os = os_of(c->m);

	if (os && os->ready(c->m))
		return os;
	error_set(e, "%s",
		  os && os->absent ? os->absent(c->m) :
				     "nothing is known of the system in this guest");
	return NULL;
}

static int complain(int err, const char *what, struct error *e)
{
	if (!err)
		return 0;
	return error_ret(e, err, "%s: %s", what,
			 err == -ENOTSUP ? "the guest's kernel tells no symbol or type for it" :
			 err == -EAGAIN	 ? "the guest's kernel is not far enough for it" :
			 err == -EFAULT	 ? "the guest's memory does not hold it" :
					   strerror(-err));
}

/* "name+0x1/0x2 [module]"; back = 1: a return address */
static void symbolise(const struct os *os, struct machine *m, u64 addr, unsigned back, char *buf,
		      size_t size)
{
	struct os_symbol s;

	if (os->symbol_at(m, addr - back, &s))
		snprintf(buf, size, "%#llx", (unsigned long long)addr);
	else
		snprintf(buf, size, "%s+0x%llx/0x%llx%s%s%s", s.name,
			 (unsigned long long)(addr - s.addr), (unsigned long long)s.size,
			 *s.module ? " [" : "", s.module, *s.module ? "]" : "");
}

static json_t *hex(u64 v)
{
	char text[20];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)v);
	return json_string(text);
}

/* Guests say what they like: whatever is no UTF-8 becomes '?'. */
static json_t *text_json(const char *s, size_t n)
{
	json_t *j = json_stringn(s, n);
	char *copy;

	if (j)
		return j;
	copy = strndup(s, n);
	for (size_t i = 0; copy && i < n; i++)
		if ((u8)copy[i] < 0x20 || (u8)copy[i] > 0x7e)
			copy[i] = '?';
	j = copy ? json_stringn(copy, n) : json_string("");
	free(copy);
	return j;
}

/* ---- dmesg */

static void add_record(void *arg, u64 ns, unsigned level, const char *text, size_t n)
{
	json_array_append_new(arg, json_pack("{s:I, s:i, s:o}", "time", (json_int_t)ns, "level",
					     (int)level, "text", text_json(text, n)));
}

static int run_dmesg(struct command_call *c, struct error *e)
{
	const struct os *os = need_os(c, e);

	if (!os)
		return -EAGAIN;
	c->result = json_array();
	return complain(os->log(c->m, add_record, c->result), "kernel log", e);
}

/* Each line of a record has the stamp, as dmesg prints it. */
static void show_dmesg(struct command_call *c)
{
	s64 last = call_int(c, "lines", 0), skip = 0;
	json_t *record;
	size_t i;

	if (last > 0 && (size_t)last < json_array_size(c->result))
		skip = (s64)json_array_size(c->result) - last;
	json_array_foreach(c->result, i, record)
	{
		u64 ns = (u64)json_integer_value(json_object_get(record, "time"));
		const char *text = json_string_value(json_object_get(record, "text"));

		for (bool more = (s64)i >= skip; more;) {
			size_t n = strcspn(text, "\n");

			command_print(c, "[%5llu.%06llu] %.*s\n",
				      (unsigned long long)(ns / 1000000000),
				      (unsigned long long)(ns % 1000000000 / 1000), (int)n, text);
			more = text[n] && text[n + 1];
			text += n + 1;
		}
	}
}
static const struct command_arg dmesg_args[] = { { "lines", ARG_INT, true }, {} };
COMMAND(dmesg, .hmp = "dmesg", .qmp = "query-dmesg", .args = dmesg_args, .run = run_dmesg,
	.show = show_dmesg, .doc = "show the guest kernel's log, or its last records");

/* ---- ps */

static void add_task(void *arg, const struct os_task *t)
{
	const char state[] = { t->state, 0 };
	json_t *j = json_pack("{s:I, s:I, s:I, s:o, s:s, s:i, s:b, s:o}", "pid", (json_int_t)t->pid,
			      "tgid", (json_int_t)t->tgid, "ppid", (json_int_t)t->ppid, "comm",
			      text_json(t->comm, strlen(t->comm)), "state", state, "last-cpu",
			      (int)t->last_cpu, "kernel", t->mm == 0, "task", hex(t->handle));

	if (t->cpu >= 0)
		json_object_set_new(j, "cpu", json_integer(t->cpu));
	json_array_append_new(arg, j);
}

static int run_ps(struct command_call *c, struct error *e)
{
	const struct os *os = need_os(c, e);

	if (!os)
		return -EAGAIN;
	c->result = json_array();
	return complain(os->tasks(c->m, add_task, c->result), "tasks", e);
}

static json_int_t num(json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}
static const char *str(json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void show_ps(struct command_call *c)
{
	json_t *t;
	size_t i;

	command_print(c, "%7s %7s %7s S CPU %-18s COMMAND\n", "PID", "TGID", "PPID", "TASK");
	json_array_foreach(c->result, i, t)
	{
		bool kernel = json_is_true(json_object_get(t, "kernel"));

		command_print(c, "%7lld %7lld %7lld %s %c%-2lld %s %s%s%s\n", num(t, "pid"),
			      num(t, "tgid"), num(t, "ppid"), str(t, "state"),
			      json_object_get(t, "cpu") ? '*' : ' ', num(t, "last-cpu"),
			      str(t, "task"), kernel ? "[" : "", str(t, "comm"), kernel ? "]" : "");
	}
}
COMMAND(ps, .hmp = "ps", .qmp = "query-tasks", .run = run_ps, .show = show_ps,
	.doc = "list the guest's tasks; * = executes on that CPU now");

/* ---- stack */

struct frames {
	const struct os *os;
	struct machine *m;
	json_t *list;
};

static void add_frame(void *arg, u64 pc)
{
	struct frames *f = arg;
	char text[400];

	symbolise(f->os, f->m, pc, json_array_size(f->list) > 0, text, sizeof(text));
	json_array_append_new(f->list, json_pack("{s:o, s:o}", "address", hex(pc), "symbol",
						 text_json(text, strlen(text))));
}

static void add_return(void *arg, u64 pc)
{
	struct frames *f = arg;
	char text[400];

	symbolise(f->os, f->m, pc, 1, text, sizeof(text));
	json_array_append_new(f->list, json_pack("{s:o, s:o}", "address", hex(pc), "symbol",
						 text_json(text, strlen(text))));
}

static int run_stack(struct command_call *c, struct error *e)
{
	const struct os *os = need_os(c, e);
	struct frames f = { os, c->m };
	u64 pid = (u64)call_int(c, "pid", 0);
	struct os_task t;
	int err;

	if (!os)
		return -EAGAIN;
	err = call_has(c, "pid") ? os->task_find(c->m, (u32)pid, &t) : os->task_current(c->cpu, &t);
	if (err == -ESRCH)
		return error_ret(e, err, "the guest has no task with pid %llu",
				 (unsigned long long)pid);
	if (err)
		return complain(err, "task", e);
	f.list = json_array();
	c->result = json_pack("{s:I, s:o, s:o}", "pid", (json_int_t)t.pid, "comm",
			      text_json(t.comm, strlen(t.comm)), "frames", f.list);
	if (t.cpu >= 0)
		json_object_set_new(c->result, "cpu", json_integer(t.cpu));
	/* where a sleeping task goes on is a return address, too */
	return complain(os->task_stack(c->m, &t, t.cpu >= 0 ? add_frame : add_return, &f), "stack",
			e);
}

static void show_stack(struct command_call *c)
{
	json_t *frames = json_object_get(c->result, "frames"), *f;
	size_t i;

	if (json_object_get(c->result, "cpu"))
		command_print(c, "%s (pid %lld) executes on CPU %lld%s\n", str(c->result, "comm"),
			      num(c->result, "pid"), num(c->result, "cpu"),
			      json_array_size(frames) ? "" : ", in user mode");
	json_array_foreach(frames, i, f) command_print(c, "[<0>] %s\n", str(f, "symbol"));
}
static const struct command_arg stack_args[] = { { "pid", ARG_INT, true }, {} };
COMMAND(stack, .hmp = "stack", .qmp = "query-stack", .args = stack_args, .run = run_stack,
	.show = show_stack, .doc = "show a task's kernel stack, as /proc/PID/stack does");

/* ---- symbol */

static int run_symbol(struct command_call *c, struct error *e)
{
	const struct os *os = need_os(c, e);
	const char *what = call_str(c, "what");
	struct os_symbol s;
	u64 addr;
	int err;

	if (!os)
		return -EAGAIN;
	err = os->symbol_find(c->m, what, &s);
	addr = s.addr;
	if (err && !str_to_u64(what, 0, &addr))
		err = os->symbol_at(c->m, addr, &s);
	else if (err && !str_to_u64(what, 16, &addr))
		err = os->symbol_at(c->m, addr, &s);
	if (err)
		return error_ret(e, -ENOENT, "the guest's kernel has no symbol '%s', nor one there",
				 what);
	c->result =
		json_pack("{s:o, s:o, s:s, s:o, s:I, s:o}", "address", hex(addr), "symbol",
			  text_json(s.name, strlen(s.name)), "module", s.module, "start",
			  hex(s.addr), "size", (json_int_t)s.size, "type", text_json(&s.type, 1));
	return 0;
}

static void show_symbol(struct command_call *c)
{
	u64 addr = 0, start = 0;

	if (str_to_u64(str(c->result, "address"), 0, &addr) ||
	    str_to_u64(str(c->result, "start"), 0, &start))
		return;
	command_print(c, "%016llx %s %s", (unsigned long long)addr, str(c->result, "type"),
		      str(c->result, "symbol"));
	if (addr != start)
		command_print(c, "+0x%llx", (unsigned long long)(addr - start));
	command_print(c, "/0x%llx%s%s%s\n", num(c->result, "size"),
		      *str(c->result, "module") ? " [" : "", str(c->result, "module"),
		      *str(c->result, "module") ? "]" : "");
}
static const struct command_arg symbol_args[] = { { "what", ARG_STRING }, {} };
COMMAND(symbol, .hmp = "symbol", .qmp = "query-symbol", .args = symbol_args, .run = run_symbol,
	.show = show_symbol, .doc = "show the guest kernel's symbol of that name or address");

/* ---- where */

static int run_where(struct command_call *c, struct error *e)
{
	const struct os *os = need_os(c, e);

	if (!os)
		return -EAGAIN;
	c->result = json_array();
	for (u32 i = 0; i < c->m->ncpus; i++) {
		struct cpu *cpu = c->m->cpu[i];
		u64 pc = debug_pc(cpu);
		bool user = cpu_reg_u64(cpu, "cs") & 3;
		char text[400];
		struct os_task t;
		json_t *j;

		if (user)
			snprintf(text, sizeof(text), "%#llx (user mode)", (unsigned long long)pc);
		else
			symbolise(os, c->m, pc, 0, text, sizeof(text));
		j = json_pack("{s:i, s:o, s:o, s:b, s:b, s:o, s:o}", "cpu", (int)i, "pc", hex(pc),
			      "symbol", text_json(text, strlen(text)), "user", user, "halted",
			      cpu->halted || cpu->stopped, "sp", hex(cpu_reg_u64(cpu, "rsp")),
			      "flags", hex(cpu_reg_u64(cpu, "eflags")));
		if (!cpu->stopped && !os->task_current(cpu, &t)) {
			json_object_set_new(j, "pid", json_integer(t.pid));
			json_object_set_new(j, "comm", text_json(t.comm, strlen(t.comm)));
		}
		json_array_append_new(c->result, j);
	}
	return 0;
}

static void show_where(struct command_call *c)
{
	json_t *j;
	size_t i;

	json_array_foreach(c->result, i, j)
	{
		command_print(c, "CPU %lld%s: ", num(j, "cpu"),
			      json_is_true(json_object_get(j, "halted")) ? " (halted)" : "");
		if (json_object_get(j, "comm"))
			command_print(c, "%s (pid %lld) at ", str(j, "comm"), num(j, "pid"));
		command_print(c, "%s, sp %s, flags %s\n", str(j, "symbol"), str(j, "sp"),
			      str(j, "flags"));
	}
}
COMMAND(where, .hmp = "where", .qmp = "query-where", .run = run_where, .show = show_where,
	.doc = "show what each CPU executes: the task and the place in the kernel");

/* ---- files */

static void add_file(void *arg, unsigned fd, const char *path)
{
	json_array_append_new(arg, json_pack("{s:i, s:o}", "fd", (int)fd, "path",
					     text_json(path, strlen(path))));
}

static int run_files(struct command_call *c, struct error *e)
{
	const struct os *os = need_os(c, e);
	u64 pid = (u64)call_int(c, "pid", 0);
	struct os_task t;
	int err;

	if (!os)
		return -EAGAIN;
	err = os->task_find(c->m, (u32)pid, &t);
	if (err == -ESRCH)
		return error_ret(e, err, "the guest has no task with pid %llu",
				 (unsigned long long)pid);
	c->result = json_array();
	return complain(err ? err : os->files(c->m, &t, add_file, c->result), "files", e);
}

static void show_files(struct command_call *c)
{
	json_t *j;
	size_t i;

	json_array_foreach(c->result, i, j)
		command_print(c, "%lld -> %s\n", num(j, "fd"), str(j, "path"));
}
static const struct command_arg files_args[] = { { "pid", ARG_INT }, {} };
COMMAND(files, .hmp = "lsof", .qmp = "query-files", .args = files_args, .run = run_files,
	.show = show_files, .doc = "list the open files of a task in the guest");

/* ---- modules */

static void add_module(void *arg, const struct os_module *o)
{
	json_t *sections = json_array();

	for (unsigned i = 0; i < o->nsections; i++)
		json_array_append_new(sections, json_pack("{s:o, s:o}", "name",
							  text_json(o->sections[i].name,
								    strlen(o->sections[i].name)),
							  "address", hex(o->sections[i].addr)));
	json_array_append_new(arg, json_pack("{s:o, s:o, s:I, s:s, s:o}", "name",
					     text_json(o->name, strlen(o->name)), "base",
					     hex(o->base), "size", (json_int_t)o->size, "build-id",
					     o->build_id, "sections", sections));
}

static int run_modules(struct command_call *c, struct error *e)
{
	const struct os *os = need_os(c, e);

	if (!os)
		return -EAGAIN;
	c->result = json_array();
	return complain(os->modules(c->m, add_module, c->result), "modules", e);
}

static void show_modules(struct command_call *c)
{
	json_t *j;
	size_t i;

	command_print(c, "%-28s %-18s %10s BUILD-ID\n", "MODULE", "TEXT", "SIZE");
	json_array_foreach(c->result, i, j)
		command_print(c, "%-28s %s %10lld %s\n", str(j, "name"), str(j, "base"),
			      num(j, "size"), str(j, "build-id"));
}
COMMAND(modules, .hmp = "modules", .qmp = "query-modules", .run = run_modules, .show = show_modules,
	.doc = "list the guest kernel and its modules");
