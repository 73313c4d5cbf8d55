/* SPDX-License-Identifier: GPL-2.0-or-later */
/* os.c - what guest/ knows of Linux, as core/os.h offers it: every question first makes sure that
 * the kernel is (still) there. */
#include "guest/guest.h"
#include "core/cpu.h"
#include "core/debug.h"
#include "core/machine.h"
#include "guest/lastwords.h"
#include "guest/watch.h"
#include "lib/alloc.h"
#include <errno.h>

struct guest {
	struct linux_os l;
	struct debug_client client;
	struct reset_hook fini;
	/* whom each vCPU executes, while tasks are told */
	u64 current[LINUX_CPUS];
};

static struct guest *guest_of(struct machine *m) { return os_state(m); }

/* NULL, or the kernel. */
static struct linux_os *ask(struct machine *m)
{
	struct linux_os *l = &guest_of(m)->l;

	return linux_find(l) ? NULL : l;
}

static bool ready(struct machine *m) { return ask(m) != NULL; }

static void await(struct machine *m) { watch_await(&guest_of(m)->l); }

struct debug_client *linux_client(struct linux_os *l)
{
	return &container_of(l, struct guest, l)->client;
}

static const char *absent(struct machine *m) { return linux_absent(&guest_of(m)->l); }

/* ---- tasks */

static void note_current(struct linux_os *l)
{
	struct guest *g = container_of(l, struct guest, l);

	for (u32 i = 0; i < l->m->ncpus && i < LINUX_CPUS; i++)
		if (l->m->cpu[i]->stopped ||
		    linux_current(l, linux_cpu(l, l->m->cpu[i]), &g->current[i]))
			g->current[i] = 0;
}

static void set_cpu(struct linux_os *l, struct os_task *t)
{
	struct guest *g = container_of(l, struct guest, l);

	t->cpu = -1;
	for (u32 i = 0; i < l->m->ncpus && i < LINUX_CPUS; i++)
		if (g->current[i] == t->handle)
			t->cpu = (int)i;
}

struct tell {
	struct linux_os *l;
	void (*fn)(void *arg, const struct os_task *t);
	void *arg;
};

static bool tell_task(void *arg, const struct os_task *t)
{
	struct tell *tell = arg;
	struct os_task copy = *t;

	set_cpu(tell->l, &copy);
	tell->fn(tell->arg, &copy);
	return true;
}

static int tasks(struct machine *m, void (*fn)(void *arg, const struct os_task *t), void *arg)
{
	struct tell t = { ask(m), fn, arg };

	if (!t.l)
		return -EAGAIN;
	note_current(t.l);
	return linux_tasks(t.l, tell_task, &t);
}

static int task_find(struct machine *m, u32 pid, struct os_task *t)
{
	struct linux_os *l = ask(m);
	int err = l ? linux_task_find(l, pid, t) : -EAGAIN;

	if (!err) {
		note_current(l);
		set_cpu(l, t);
	}
	return err;
}

static int task_current(struct cpu *cpu, struct os_task *t)
{
	struct linux_os *l = ask(cpu->machine);
	u64 task;
	int err = l ? linux_current(l, linux_cpu(l, cpu), &task) : -EAGAIN;

	if (!err && !task)
		err = -EAGAIN;
	if (!err)
		err = linux_task_fill(l, task, t);
	if (!err)
		t->cpu = (int)cpu->index;
	return err;
}

static int task_reg(struct machine *m, const struct os_task *t, bool user, const char *reg,
		    u64 *val)
{
	struct linux_os *l = ask(m);

	return l ? linux_task_reg(l, t, user, reg, val) : -EAGAIN;
}

/* ---- stacks */

struct frames {
	struct linux_os *l;
	void (*fn)(void *arg, u64 pc);
	void *arg;
	u64 sched_lo, sched_hi; /* the scheduler's own functions are not told */
};

static bool tell_frame(void *arg, u64 pc, u64 sp)
{
	struct frames *f = arg;

	if (pc < f->sched_lo || pc >= f->sched_hi)
		f->fn(f->arg, pc);
	return true;
}

static int task_stack(struct machine *m, const struct os_task *t, void (*fn)(void *arg, u64 pc),
		      void *arg)
{
	struct frames f = { ask(m), fn, arg };
	struct linux_regs r;
	int err;

	if (!f.l)
		return -EAGAIN;
	if (t->cpu >= 0 && (u32)t->cpu < m->ncpus) {
		struct cpu *cpu = m->cpu[t->cpu];

		r = (struct linux_regs){ .ip = debug_pc(cpu),
					 .sp = cpu_reg_u64(cpu, "rsp"),
					 .bp = cpu_reg_u64(cpu, "rbp") };
		if (cpu_reg_u64(cpu, "cs") & 3) /* in user mode its kernel stack is empty */
			return 0;
		return linux_unwind(f.l, &r, true, tell_frame, &f);
	}
	if (linux_sym(f.l, "__sched_text_start", &f.sched_lo) ||
	    linux_sym(f.l, "__sched_text_end", &f.sched_hi))
		f.sched_lo = f.sched_hi = 0;
	err = linux_task_context(f.l, t, &r);
	return err ? err : linux_unwind(f.l, &r, false, tell_frame, &f);
}

/* ---- the rest is as it is */

static int symbol_at(struct machine *m, u64 addr, struct os_symbol *s)
{
	struct linux_os *l = ask(m);

	return l ? linux_symbol_at(l, addr, s) : -EAGAIN;
}

static int symbol_find(struct machine *m, const char *name, struct os_symbol *s)
{
	struct linux_os *l = ask(m);

	return l ? linux_symbol_find(l, name, s) : -EAGAIN;
}

static int symbols(struct machine *m, bool (*fn)(void *arg, const struct os_symbol *s), void *arg)
{
	struct linux_os *l = ask(m);

	return l ? linux_symbols(l, fn, arg) : -EAGAIN;
}

static int modules(struct machine *m, void (*fn)(void *arg, const struct os_module *o), void *arg)
{
	struct linux_os *l = ask(m);

	return l ? linux_modules(l, fn, arg) : -EAGAIN;
}

static int files(struct machine *m, const struct os_task *t,
		 void (*fn)(void *arg, unsigned fd, const char *path), void *arg)
{
	struct linux_os *l = ask(m);

	return l ? linux_files(l, t, fn, arg) : -EAGAIN;
}

static int slide(struct machine *m, u64 *v)
{
	struct linux_os *l = ask(m);

	return l ? linux_slide(l, v) : -EAGAIN;
}

static int log_records(struct machine *m,
		       void (*fn)(void *arg, u64 ns, unsigned level, const char *text, size_t n),
		       void *arg)
{
	struct linux_os *l = ask(m);

	return l ? linux_log(l, fn, arg) : -EAGAIN;
}

static int banner(struct machine *m, char *buf, size_t size)
{
	struct linux_os *l = ask(m);

	return l ? linux_banner(l, buf, size) : -EAGAIN;
}

static const char *vmlinux(struct machine *m)
{
	struct linux_os *l = ask(m);

	return l && !linux_need_vmlinux(l) ? l->vmlinux_from : NULL;
}

static int vmcoreinfo(struct machine *m, char **text, size_t *n)
{
	struct linux_os *l = ask(m);

	return l ? linux_vmcoreinfo(l, text, n) : -EAGAIN;
}

static int why_unmapped(struct machine *m, const struct os_task *t, u64 va, char *buf, size_t size)
{
	struct linux_os *l = ask(m);

	return l ? linux_why_unmapped(l, t, va, buf, size) : -EAGAIN;
}

static int unwind_table(struct machine *m, bool (*fn)(void *arg, const struct os_unwind *u),
			void *arg)
{
	struct linux_os *l = ask(m);

	return l ? linux_unwind_table(l, fn, arg) : -EAGAIN;
}

static const struct os linux_knowledge = {
	.name = "linux",
	.ready = ready,
	.await = await,
	.absent = absent,
	.tasks = tasks,
	.task_find = task_find,
	.task_current = task_current,
	.task_reg = task_reg,
	.task_stack = task_stack,
	.symbol_at = symbol_at,
	.symbol_find = symbol_find,
	.symbols = symbols,
	.modules = modules,
	.files = files,
	.unwind_table = unwind_table,
	.slide = slide,
	.log = log_records,
	.banner = banner,
	.vmlinux = vmlinux,
	.vmcoreinfo = vmcoreinfo,
	.why_unmapped = why_unmapped,
};

struct linux_os *linux_of(struct machine *m)
{
	return os_of(m) == &linux_knowledge ? &guest_of(m)->l : NULL;
}

/* ---- life */

static void was_reset(struct debug_client *c)
{
	struct guest *g = container_of(c, struct guest, client);

	linux_forget(&g->l);
	g->l.reset_at = clock_now(&g->l.m->clock);
	watch_reset(&g->l);
}

static void new_root(struct debug_client *c, struct cpu *cpu)
{
	watch_root(&container_of(c, struct guest, client)->l);
}

static void ends(struct debug_client *c, int status)
{
	(void)status;
	lastwords(&container_of(c, struct guest, client)->l);
}

static void fini(void *arg)
{
	struct guest *g = arg;

	watch_fini(&g->l);
	linux_forget(&g->l);
	os_set(g->l.m, NULL, NULL);
	free(g->l.vmlinux_path);
	free(g->l.vmlinux_from);
	free(g);
}

void guest_init(struct machine *m, const char *vmlinux)
{
	struct guest *g = NEW(struct guest);

	g->l.m = m;
	g->client.was_reset = was_reset;
	g->client.new_root = new_root;
	g->client.ends = ends;
	g->fini = (struct reset_hook){ .fn = fini, .arg = g };
	g->l.vmlinux_path = vmlinux ? realpath(vmlinux, NULL) : NULL;
	if (vmlinux && !g->l.vmlinux_path)
		g->l.vmlinux_path = xstrdup(vmlinux); /* what is wrong is said when it is read */
	watch_init(&g->l);
	debug_add_client(m, &g->client);
	machine_add_fini(m, &g->fini);
	os_set(m, &linux_knowledge, g);
}
