/* SPDX-License-Identifier: GPL-2.0-or-later */
/* catch.c - catchpoints: the machine stops at what a kernel developer waits for, before the guest
 * changes anything more. Each kind is a function of the kernel, and what its arguments must be. */
#include "core/cpu.h"
#include "core/machine.h"
#include "guest/watch.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

enum need { NOTHING, OPTIONAL, NEEDED, NUMBER };

struct catch_kind {
	const char *name;
	enum need need;
	/* functions, the first or all of them that the kernel has; none: the CPU's own events */
	const char *function[CATCH_POINTS];
	bool all;
	const char *with;  /* another function that a kernel has if they mean anything */
	const char *lacks; /* what a kernel without them lacks */
	/* is it what is waited for? Then what to tell in c->text, behind the kind. NULL: always */
	bool (*met)(struct catch *c, struct cpu *cpu, char *text, size_t size);
};

static u64 arg(struct cpu *cpu, unsigned n)
{
	static const char *const reg[] = { "rdi", "rsi", "rdx", "rcx" };

	return cpu_reg_u64(cpu, reg[n]);
}

/* ---- what the functions' arguments say */

static bool met_panic(struct catch *c, struct cpu *cpu, char *text, size_t size)
{
	if (kmem_text(&c->l->mem, arg(cpu, 0), text, size))
		*text = 0;
	return true;
}

static bool met_caller(struct catch *c, struct cpu *cpu, char *text, size_t size)
{
	u64 from;

	if (!kmem_u64(&c->l->mem, cpu_reg_u64(cpu, "rsp"), &from))
		linux_symbolise_return(c->l, from, text, size);
	return true;
}

/* __warn(file, line, caller, ...) */
static bool met_warn(struct catch *c, struct cpu *cpu, char *text, size_t size)
{
	char file[128] = "", where[160];

	if (!arg(cpu, 0) || kmem_text(&c->l->mem, arg(cpu, 0), file, sizeof(file)))
		file[0] = 0;
	linux_symbolise(c->l, arg(cpu, 2), where, sizeof(where));
	if (file[0])
		snprintf(text, size, "%s:%u %s", file, (u32)arg(cpu, 1), where);
	else
		snprintf(text, size, "%s", where);
	return true;
}

/* What tells of a mistake with locks turns lockdep off first, if it is on, and says nothing while
 * lockdep tests itself. So does a crash. The functions that tell are often inlined. */
static bool met_lockdep(struct catch *c, struct cpu *cpu, char *text, size_t size)
{
	static const char *const crash[] = { "oops_enter+", "panic+", "vpanic+", "kgdb_panic+" };
	u64 off, on, silent;

	met_caller(c, cpu, text, size);
	for (size_t i = 0; i < ARRAY_SIZE(crash); i++)
		if (str_prefix(text, crash[i], NULL))
			return false;
	if (linux_sym(c->l, "debug_locks_off", &off) || debug_pc(cpu) != off)
		return true;
	return (linux_sym_get(c->l, "debug_locks", 4, &on) || on) &&
	       (linux_sym_get(c->l, "debug_locks_silent", 4, &silent) || !silent);
}

static bool met_hung(struct catch *c, struct cpu *cpu, char *text, size_t size)
{
	struct os_task t;
	u64 now;

	/* whoever else shows a task has not found it hung */
	if (linux_current(c->l, linux_cpu(c->l, cpu), &now) || linux_task_fill(c->l, now, &t) ||
	    !str_eq(t.comm, "khungtaskd"))
		return false;
	if (!linux_task_fill(c->l, arg(cpu, 0), &t))
		snprintf(text, size, "%s, pid %u", t.comm, t.pid);
	return true;
}

static bool met_module(struct catch *c, struct cpu *cpu, char *text, size_t size)
{
	return !linux_get_text(c->l, arg(cpu, 0), "module.name", text, size) &&
	       (!c->what || str_eq(c->what, text));
}

/* finalize_exec(bprm): the new program is in place */
static bool met_exec(struct catch *c, struct cpu *cpu, char *text, size_t size)
{
	u64 name;
	const char *base;

	if (linux_get(c->l, arg(cpu, 0), "linux_binprm.filename", &name) ||
	    kmem_text(&c->l->mem, name, text, size))
		return false;
	base = strrchr(text, '/');
	return !c->what || str_eq(c->what, text) || (base && str_eq(c->what, base + 1));
}

static bool met_syscall(struct catch *c, struct cpu *cpu, char *text, size_t size)
{
	struct os_symbol s;
	const char *name;

	/* one without arguments has both names */
	if (!linux_symbol_at(c->l, debug_pc(cpu), &s))
		snprintf(text, size, "%s",
			 str_prefix(s.name, "__x64_sys_", &name) ||
					 str_prefix(s.name, "__do_sys_", &name) ?
				 name :
				 s.name);
	return true;
}

static const struct catch_kind kinds[] = {
	{ "panic", NOTHING, { "vpanic", "panic" }, .met = met_panic },
	{ "oops", NOTHING, { "oops_begin", "oops_enter" }, .met = met_caller },
	{ "warn", NOTHING, { "__warn" }, .met = met_warn },
	{ "lockdep",
	  NOTHING,
	  { "debug_locks_off", "lockdep_rcu_suspicious" },
	  .all = true,
	  .with = "lock_acquire",
	  .lacks = "CONFIG_PROVE_LOCKING",
	  .met = met_lockdep },
	{ "hung-task", NOTHING, { "sched_show_task" }, .met = met_hung },
	{ "module", OPTIONAL, { "do_init_module" }, .lacks = "modules", .met = met_module },
	{ "exec", OPTIONAL, { "finalize_exec", "begin_new_exec" }, .met = met_exec },
	{ "syscall", NEEDED, { "" }, .met = met_syscall },
	{ "exception", NUMBER },
	{ "triple-fault", NOTHING },
};

const char *catch_kinds(void)
{
	return "panic, oops, warn, lockdep, hung-task, module [NAME], exec [NAME], syscall "
	       "NAME|NUMBER, exception NUMBER, triple-fault";
}

const char *catch_name(const struct catch *c) { return c->kind->name; }
bool catch_by_cpu(const struct catch *c) { return !c->kind->function[0]; }

/* ---- a point is met */

static bool is_meant(const struct catch *c, struct cpu *cpu)
{
	u32 pid;

	if (!c->who)
		return true;
	if (!str_to_u32(c->who, 10, &pid))
		return os_current_is(cpu, pid, NULL);
	return os_current_is(cpu, 0, c->who);
}

static bool hit(struct debug_point *p, struct cpu *cpu, u64 va)
{
	struct catch *c = p->owner;
	char text[200] = "";
	struct debug_stop why = { .why = DEBUG_WHY_REQUEST, .cpu = cpu, .va = va, .text = c->text };

	if (linux_find(c->l) || !is_meant(c, cpu) ||
	    (c->kind->met && !c->kind->met(c, cpu, text, sizeof(text))))
		return false;
	text[strcspn(text, "\n")] = 0;
	snprintf(c->text, sizeof(c->text), "caught %s%s%s", c->kind->name, *text ? ": " : "", text);
	debug_stop(cpu->machine, &why);
	return true;
}

/* ---- arming */

/* The function that serves a system call, by name or number. */
static int find_syscall(struct linux_os *l, const char *what, u64 *addr)
{
	char name[80];
	u64 table;
	u32 n;

	if (str_to_u32(what, 0, &n)) {
		snprintf(name, sizeof(name), "__x64_sys_%s", what);
		return linux_sym(l, name, addr);
	}
	if (n > 4096 || linux_sym(l, "sys_call_table", &table))
		return -ENOTSUP;
	return kmem_u64(&l->mem, table + 8 * (u64)n, addr);
}

static void add_point(struct linux_os *l, struct catch *c, u64 va)
{
	struct debug_point *p = &c->point[c->npoints++];

	*p = (struct debug_point){ .kind = DEBUG_EXEC, .va = va, .hit = hit, .owner = c };
	debug_arm(l->m, p);
}

void catch_arm(struct linux_os *l, struct catch *c)
{
	u64 va;

	c->npoints = 0;
	if (catch_by_cpu(c)) {
		c->armed = true;
		return;
	}
	if (str_eq(c->kind->name, "syscall")) {
		if (!find_syscall(l, c->what, &va))
			add_point(l, c, va);
	} else if (!c->kind->with || !linux_sym(l, c->kind->with, &va)) {
		for (unsigned i = 0; i < CATCH_POINTS && c->kind->function[i]; i++)
			if ((!c->npoints || c->kind->all) &&
			    !linux_sym(l, c->kind->function[i], &va))
				add_point(l, c, va);
	}
	c->armed = c->npoints;
	c->useless = !c->npoints;
}

void catch_disarm(struct linux_os *l, struct catch *c)
{
	for (unsigned i = 0; i < c->npoints; i++)
		debug_disarm(l->m, &c->point[i]);
	c->npoints = 0;
	if (!catch_by_cpu(c))
		c->armed = false;
}

void catch_refresh(struct linux_os *l)
{
	bool triple = false;
	struct catch *c;
	u64 mask = 0;
	u32 n;

	list_for_each (c, &l->watch->catches, link) {
		triple |= str_eq(c->kind->name, "triple-fault");
		if (str_eq(c->kind->name, "exception") && !str_to_u32(c->what, 0, &n))
			mask |= BIT64(n);
	}
	debug_catch_exceptions(l->m, mask);
	debug_catch_triple_fault(l->m, triple);
}

static void drop(struct linux_os *l, struct catch *c)
{
	catch_disarm(l, c);
	list_del(&c->link);
	free(c->what);
	free(c->who);
	free(c);
}

static int check(const struct catch_kind *k, const char *what, const char *who, struct error *e)
{
	u32 n;

	if (k->need == NOTHING && what)
		return error_ret(e, -EINVAL, "catch %s takes no argument", k->name);
	if (k->need >= NEEDED && !what)
		return error_ret(e, -EINVAL, "catch %s needs %s", k->name,
				 k->need == NUMBER ? "a number" : "a name or a number");
	if (k->need == NUMBER && (str_to_u32(what, 0, &n) || n > 31))
		return error_ret(e, -EINVAL, "catch %s: '%s' is no number from 0 to 31", k->name,
				 what);
	if (who && !k->function[0])
		return error_ret(e, -EINVAL, "catch %s cannot be limited to a process", k->name);
	return 0;
}

int catch_add(struct linux_os *l, const char *kind, const char *what, const char *who, unsigned *id,
	      struct error *e)
{
	const struct catch_kind *k = NULL;
	struct catch *c;
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (str_eq(kinds[i].name, kind))
			k = &kinds[i];
	if (!k)
		return error_ret(e, -EINVAL, "cannot catch '%s': what can be caught is %s", kind,
				 catch_kinds());
	err = check(k, what, who, e);
	if (err)
		return err;
	if (k->function[0] && linux_find(l) && linux_is_32bit(l))
		return error_ret(e, -ENOTSUP, "catch %s: %s", k->name, linux_absent(l));
	c = NEW(struct catch);
	c->kind = k;
	c->l = l;
	c->id = ++l->watch->last_id;
	c->what = what ? xstrdup(what) : NULL;
	c->who = who ? xstrdup(who) : NULL;
	list_add_tail(&l->watch->catches, &c->link);
	if (catch_by_cpu(c)) {
		c->armed = true;
		catch_refresh(l);
	}
	watch_update(l);
	if (c->useless) {
		drop(l, c);
		if (str_eq(kind, "syscall"))
			return error_ret(e, -ENOTSUP, "the guest's kernel has no system call '%s'",
					 what);
		return error_ret(e, -ENOTSUP, "the guest's kernel has no %s: nothing to catch",
				 k->lacks ? k->lacks : k->function[0]);
	}
	*id = c->id;
	return 0;
}

int catch_remove(struct linux_os *l, unsigned id)
{
	struct catch *c, *tmp;
	int err = -ENOENT;

	list_for_each_safe (c, tmp, &l->watch->catches, link)
		if (c->id == id) {
			drop(l, c);
			err = 0;
		}
	catch_refresh(l);
	return err;
}

void catch_clear(struct linux_os *l)
{
	struct catch *c, *tmp;

	list_for_each_safe (c, tmp, &l->watch->catches, link)
		drop(l, c);
	catch_refresh(l);
}
