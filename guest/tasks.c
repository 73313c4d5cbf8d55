/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tasks.c - tasks of a running Linux: its task list, what each CPU executes, and the registers that
 * a sleeping task saved. Lists are the guest's: each walk ends after the number of elements that a
 * kernel can have. */
#include "guest/linux.h"
#include "lib/str.h"
#include <errno.h>

enum { THREAD_SIZE_DEFAULT = 16384 };

/* Bits of __state and exit_state (include/linux/sched.h), as ps tells them. */
static char state_letter(u64 state, u64 exit_state)
{
	static const char letters[] = "RSDTtXZPI";
	u64 bits = (state | exit_state) & 0x7f;
	unsigned n = 0;

	if ((state & 0x402) == 0x402) /* UNINTERRUPTIBLE, but not counted as load */
		return 'I';
	if (state & (0x1000 | 0x8000)) /* waiting for a sleeping spinlock; frozen */
		return 'D';
	while (bits >> n)
		n++;
	return letters[n];
}

static u64 root_of(struct linux_os *l, u64 mm)
{
	u64 pgd, pa = 0;

	if (!mm || linux_get(l, mm, "mm_struct.pgd", &pgd) ||
	    kmem_translate(&l->mem, 0, pgd, &pa, NULL, NULL))
		return 0;
	return pa;
}

int linux_task_fill(struct linux_os *l, u64 task, struct os_task *t)
{
	u64 pid, tgid, parent, ppid = 0, state, exit_state = 0, cpu = 0, running = 0;
	int err = linux_get(l, task, "task_struct.pid", &pid);

	*t = (struct os_task){ .handle = task, .cpu = -1 };
	if (!err)
		err = linux_get(l, task, "task_struct.tgid", &tgid);
	if (!err)
		err = linux_get_text(l, task, "task_struct.comm", t->comm, sizeof(t->comm));
	if (!err)
		err = linux_get(l, task,
				linux_has(l, "task_struct.__state") ? "task_struct.__state" :
								      "task_struct.state",
				&state);
	if (!err)
		err = linux_get(l, task, "task_struct.stack", &t->stack);
	if (!err)
		err = linux_get(l, task, "task_struct.mm", &t->mm);
	if (err)
		return err;
	/* the rest may be missing: a task that is being made or taken apart */
	if (linux_get(l, task, "task_struct.exit_state", &exit_state))
		exit_state = 0;
	if (!linux_get(l, task, "task_struct.real_parent", &parent) && parent &&
	    linux_get(l, parent, "task_struct.tgid", &ppid))
		ppid = 0;
	if (linux_get(l, task, "task_struct.thread_info.cpu", &cpu) &&
	    linux_get(l, task, "task_struct.cpu", &cpu))
		cpu = 0;
	if (linux_get(l, task, "task_struct.on_cpu", &running))
		running = 0;
	t->pid = pid;
	t->tgid = tgid;
	t->ppid = ppid;
	t->state = state_letter(state, exit_state);
	t->last_cpu = cpu;
	t->cpu = running && cpu < l->npercpu ? (int)cpu : -1;
	t->root = root_of(l, t->mm);
	return 0;
}

struct walk {
	struct linux_os *l;
	bool (*fn)(void *arg, const struct os_task *t);
	void *arg;
	u64 seen;
	bool stop;
};

static void visit(struct walk *w, u64 task)
{
	struct os_task t;

	if (w->seen++ < LINUX_TASKS && !linux_task_fill(w->l, task, &t))
		w->stop |= !w->fn(w->arg, &t);
}

/* The threads of a process, its leader first. */
static void visit_threads(struct walk *w, u64 leader)
{
	u64 signal, head, node, at, off;

	visit(w, leader);
	if (linux_get(w->l, leader, "task_struct.signal", &signal) || !signal ||
	    linux_offset(w->l, "signal_struct.thread_head", &head) ||
	    linux_offset(w->l, "task_struct.thread_node", &off))
		return;
	head += signal;
	if (kmem_u64(&w->l->mem, head, &node))
		return;
	for (at = node; at != head && !w->stop && w->seen < LINUX_TASKS;) {
		if (at - off != leader)
			visit(w, at - off);
		if (kmem_u64(&w->l->mem, at, &at))
			return;
	}
}

int linux_tasks(struct linux_os *l, bool (*fn)(void *arg, const struct os_task *t), void *arg)
{
	struct walk w = { l, fn, arg };
	u64 init, off, at, idle;
	int err = linux_sym(l, "init_task", &init);

	if (!err)
		err = linux_offset(l, "task_struct.tasks", &off);
	if (!err)
		err = kmem_u64(&l->mem, init + off, &at);
	if (err)
		return err;
	/* the idle tasks are in no list */
	visit(&w, init);
	for (unsigned cpu = 1; cpu < l->npercpu && !w.stop; cpu++)
		if (!linux_percpu(l, cpu, "runqueues", &idle) &&
		    !linux_get(l, idle, "rq.idle", &idle) && idle && idle != init)
			visit(&w, idle);
	while (at != init + off && !w.stop && w.seen < LINUX_TASKS) {
		visit_threads(&w, at - off);
		if (kmem_u64(&l->mem, at, &at))
			break;
	}
	return 0;
}

struct find {
	u32 pid;
	struct os_task *t;
	bool found;
};

static bool by_pid(void *arg, const struct os_task *t)
{
	struct find *f = arg;

	if (t->pid == f->pid) {
		*f->t = *t;
		f->found = true;
	}
	return !f->found;
}

int linux_task_find(struct linux_os *l, u32 pid, struct os_task *t)
{
	struct find f = { pid, t };
	int err = linux_tasks(l, by_pid, &f);

	return err ? err : f.found ? 0 : -ESRCH;
}

int linux_current(struct linux_os *l, unsigned cpu, u64 *task)
{
	u64 at;
	int err;

	if (!linux_sym(l, "pcpu_hot", &at)) { /* 6.2 to 6.14 */
		err = linux_percpu(l, cpu, "pcpu_hot", &at);
		return err ? err : linux_get(l, at, "pcpu_hot.current_task", task);
	}
	err = linux_percpu(l, cpu, "current_task", &at);
	return err ? err : kmem_u64(&l->mem, at, task);
}

/* ---- saved registers */

struct saved {
	const char *reg, *path;
};
static const struct saved kernel_saved[] = {
	{ "rip", "inactive_task_frame.ret_addr" }, { "rbp", "inactive_task_frame.bp" },
	{ "rbx", "inactive_task_frame.bx" },	   { "r12", "inactive_task_frame.r12" },
	{ "r13", "inactive_task_frame.r13" },	   { "r14", "inactive_task_frame.r14" },
	{ "r15", "inactive_task_frame.r15" },
};
static const struct saved user_saved[] = {
	{ "rax", "pt_regs.ax" },  { "rbx", "pt_regs.bx" },  { "rcx", "pt_regs.cx" },
	{ "rdx", "pt_regs.dx" },  { "rsi", "pt_regs.si" },  { "rdi", "pt_regs.di" },
	{ "rbp", "pt_regs.bp" },  { "rsp", "pt_regs.sp" },  { "r8", "pt_regs.r8" },
	{ "r9", "pt_regs.r9" },	  { "r10", "pt_regs.r10" }, { "r11", "pt_regs.r11" },
	{ "r12", "pt_regs.r12" }, { "r13", "pt_regs.r13" }, { "r14", "pt_regs.r14" },
	{ "r15", "pt_regs.r15" }, { "rip", "pt_regs.ip" },  { "eflags", "pt_regs.flags" },
	{ "cs", "pt_regs.cs" },	  { "ss", "pt_regs.ss" },   { "orig_rax", "pt_regs.orig_ax" },
};
static const struct saved thread_saved[] = {
	{ "fs_base", "task_struct.thread.fsbase" }, { "gs_base", "task_struct.thread.gsbase" },
	{ "fs", "task_struct.thread.fsindex" },	    { "gs", "task_struct.thread.gsindex" },
	{ "ds", "task_struct.thread.ds" },	    { "es", "task_struct.thread.es" },
};

static int saved_at(struct linux_os *l, const struct saved *s, size_t n, u64 obj, const char *reg,
		    u64 *val)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(s[i].reg, reg))
			return linux_get(l, obj, s[i].path, val);
	return -ENODATA;
}

/* The user's registers lie at the top of the kernel's stack; since 6.9 (FRED) not quite. */
static int user_regs(struct linux_os *l, const struct os_task *t, u64 *at)
{
	u64 size, regs;
	int err = linux_sizeof(l, "pt_regs", &regs);

	if (linux_sizeof(l, "thread_union", &size) || !size)
		size = THREAD_SIZE_DEFAULT;
	if (!t->mm)
		return -ENODATA;
	*at = t->stack + size - regs;
	return err;
}

int linux_task_reg(struct linux_os *l, const struct os_task *t, bool user, const char *reg,
		   u64 *val)
{
	u64 sp, size;
	int err;

	if (user) {
		err = user_regs(l, t, &sp);
		if (!err)
			err = saved_at(l, user_saved, ARRAY_SIZE(user_saved), sp, reg, val);
		return err == -ENODATA && t->mm ?
			       saved_at(l, thread_saved, ARRAY_SIZE(thread_saved), t->handle, reg,
					val) :
			       err;
	}
	err = linux_get(l, t->handle, "task_struct.thread.sp", &sp);
	if (!err)
		err = linux_sizeof(l, "inactive_task_frame", &size);
	if (err)
		return err;
	if (str_eq(reg, "rsp")) {
		*val = sp + size;
		return 0;
	}
	return saved_at(l, kernel_saved, ARRAY_SIZE(kernel_saved), sp, reg, val);
}

int linux_task_context(struct linux_os *l, const struct os_task *t, struct linux_regs *r)
{
	int err = linux_task_reg(l, t, false, "rip", &r->ip);

	if (!err)
		err = linux_task_reg(l, t, false, "rsp", &r->sp);
	return err ? err : linux_task_reg(l, t, false, "rbp", &r->bp);
}
