/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_rig_test.c - the machine and the debugger of the stub's unit tests. */
#include "test_rig.h"
#include <errno.h>
#include <stdio.h>

/* ---- an instruction set: each step is one byte of code further */

#define CPU(c) ((struct rig_cpu *)(c))

static void rig_reset(struct cpu *cpu) {}
static u64 rig_mask(u32 mode) { return ~0ull; }
static unsigned rig_class(u32 mode) { return 0; }
static bool rig_irq(struct cpu *cpu) { return false; }

static bool rig_pending(const struct cpu *cpu)
{
	return !cpu->halted && !__atomic_load_n(&cpu->exit_request, __ATOMIC_ACQUIRE);
}

/* Stands in for the engine where debugging is concerned. */
static void rig_step(struct cpu *cpu)
{
	bool passes = cpu->pass_valid && cpu->pass == cpu->pc;

	cpu->pass_valid = false;
	if (!passes && !cpu->step && debug_exec_in(debug_of(cpu->machine), cpu->pc, cpu->pc) &&
	    debug_met_exec(cpu, cpu->pc)) {
		cpu->pass = cpu->pc;
		cpu->pass_valid = true;
		return;
	}
	/* an instruction at 0x4000 writes to 0x800 */
	if (cpu->pc++ == 0x4000 && debug_watched(debug_of(cpu->machine), 0x800, 4, true))
		debug_met_watch(cpu, 0x800, 4, true);
	if (cpu->step)
		debug_stepped(cpu);
	/* the code is a loop of 32 KiB */
	cpu->pc &= 0x7fff;
}

static int rig_walk(struct cpu *cpu, u64 va, enum access access, unsigned ctx, bool peek,
		    struct mapping *m)
{
	*m = (struct mapping){ .phys = va, .page_bits = 12, .read = true, .write = true };
	return va >= RIG_RAM;
}

static int rig_walk_root(struct cpu *cpu, u64 root, u64 va, struct mapping *m, u64 *entry)
{
	*m = (struct mapping){ .phys = root + va, .page_bits = 12 };
	return va >= 0x1000;
}

static void get_ctl(struct cpu *cpu, void *val) { st64le(val, CPU(cpu)->ctl); }

static void set_ctl(struct cpu *cpu, const void *val)
{
	CPU(cpu)->ctl = ld64le(val);
	CPU(cpu)->ctl_writes++;
}

#define AT(m) offsetof(struct rig_cpu, m)
/* The features alternate: numbers follow the description, not the table. */
static const struct cpu_reg rig_regs[] = {
	{ "r0", "org.core", "int64", 64, AT(r[0]) },
	{ "ctl", "org.control", "int", 64, .get = get_ctl, .set = set_ctl },
	{ "r1", "org.core", "int64", 64, AT(r[1]) },
	{ "rsp", "org.core", "data_ptr", 64, AT(sp) },
	{ "pc", "org.core", "code_ptr", 64, AT(cpu.pc) },
	{ "v0", "org.vector", "vec128", 128, AT(vec) },
	{ 0 },
};

static const struct isa rig_isa = {
	.name = "gdb-test",
	.cpu_size = sizeof(struct rig_cpu),
	.flags_slot = 0xffff,
	.page_bits = 12,
	.reset = rig_reset,
	.pc_mask = rig_mask,
	.mode_class = rig_class,
	.fetch_context = rig_class,
	.walk = rig_walk,
	.walk_root = rig_walk_root,
	.exception_pending = rig_pending,
	.deliver = rig_step,
	.interrupt = rig_irq,
	.has_work = rig_irq,
	.regs = rig_regs,
};
ISA(rig_isa);

/* ---- the debugger */

static int peer_write(struct chardev *c, const u8 *buf, int n)
{
	struct rig_peer *p = c->impl;

	if (p->takes)
		n = MIN(n, p->takes);
	strbuf_addn(&p->got, buf, n);
	if (p->wait && (memmem(buf, n, "$T", 2) || memmem(buf, n, "%Stop", 5))) {
		p->wait = false;
		machine_request_shutdown(c->machine, CAUSE_HOST_QUIT);
	}
	return n;
}

static void peer_fini(struct chardev *c) {}

static const struct chardev_ops peer_ops = { .name = "peer",
					     .write = peer_write,
					     .fini = peer_fini };

/* One packet off the front; acknowledgements, and the end that machine_run tells, are dropped. */
const char *rig_next(struct rig_peer *p)
{
	for (;;) {
		char *at = p->got.at, *start = at ? memchr(at, '$', p->got.n) : NULL, *end;
		char *note = at ? memchr(at, '%', p->got.n) : NULL;
		size_t n;

		free(p->answer);
		p->answer = NULL;
		if (note && (!start || note < start))
			start = note;
		end = start ? memchr(start, '#', p->got.n - (start - at)) : NULL;
		if (!end)
			return "";
		n = end - start - 1;
		p->answer = xalloc(n + 1);
		memcpy(p->answer, start + 1, n);
		p->got.n -= end + 3 - at;
		memmove(at, end + 3, p->got.n);
		if (!str_eq(p->answer, "W00"))
			return p->answer;
	}
}

void rig_raw(struct rig_peer *p, const char *bytes, size_t n)
{
	chardev_receive(&p->chr, (const u8 *)bytes, n);
}

const char *rig_ask_n(struct rig_peer *p, const char *body, size_t n)
{
	struct strbuf b = { 0 };

	gdb_frame(&b, '$', body, n);
	rig_raw(p, b.at, b.n);
	strbuf_fini(&b);
	return rig_next(p);
}

const char *rig_ask(struct rig_peer *p, const char *body)
{
	return rig_ask_n(p, body, strlen(body));
}

const char *rig_text(struct rig_peer *p, const char *body)
{
	rig_ask(p, body);
	if (!p->answer)
		return "";
	p->answer[gdb_unescape(p->answer, strlen(p->answer))] = 0;
	return p->answer;
}

const char *rig_run(struct rig_peer *p, const char *body)
{
	const char *got;

	p->wait = true;
	got = rig_ask(p, body);
	if (p->wait)
		machine_run(p->rig->m);
	return *got ? got : rig_next(p);
}

void rig_open(struct rig_peer *p)
{
	p->open = true;
	chardev_event(&p->chr, CHARDEV_OPENED);
}

/* ---- all of it */

struct rig *rig_new(unsigned ncpus)
{
	static const struct engine_options opt = { .tier = 0 };
	struct rig *r = NEW(struct rig);
	struct machine *m = r->m = machine_new();

	m->isa = &rig_isa;
	m->cpu = xcalloc(ncpus, sizeof(*m->cpu));
	m->ncpus = ncpus;
	CHECK(engine_new(m, &opt, NULL));
	for (unsigned i = 0; i < ncpus; i++) {
		r->cpu[i] = NEW(struct rig_cpu);
		r->cpu[i]->cpu.isa = m->isa;
		r->cpu[i]->cpu.machine = m;
		r->cpu[i]->cpu.index = i;
		m->cpu[i] = &r->cpu[i]->cpu;
		CHECK_EQ(engine_add_cpu(m->engine, m->cpu[i]), 0);
	}
	CHECK_EQ(region_init_ram(&m->ram, m, "ram", RIG_RAM, NULL), 0);
	region_add(&m->memory_root, 0, &m->ram, 0);
	machine_reset(m);
	r->g = gdb_new(m);
	for (unsigned i = 0; i < ARRAY_SIZE(r->peer); i++) {
		struct rig_peer *p = &r->peer[i];

		p->rig = r;
		chardev_init(&p->chr, m, &peer_ops, i ? "peer1" : "peer0", p);
		gdb_listen(r->g, &p->chr, false);
	}
	rig_open(&r->peer[0]);
	return r;
}

void rig_free(struct rig *r)
{
	gdb_free(r->g);
	for (unsigned i = 0; i < ARRAY_SIZE(r->peer); i++) {
		strbuf_fini(&r->peer[i].got);
		free(r->peer[i].answer);
	}
	machine_free(r->m);
	free(r);
}

/* ---- a guest's system */

static const struct os_task rig_tasks[] = {
	{ .handle = 0x9000,
	  .pid = 1,
	  .tgid = 1,
	  .comm = "in<it>",
	  .state = 'S',
	  .cpu = -1,
	  .root = 0x2000 },
	{ .handle = 0x9100, .pid = 2, .tgid = 2, .comm = "kthreadd", .state = 'S', .cpu = -1 },
	{ .handle = 0x9200,
	  .pid = 7,
	  .tgid = 7,
	  .comm = "busy",
	  .state = 'R',
	  .cpu = 1,
	  .root = 0x3000 },
	{ .handle = 0x9300, .pid = 0, .tgid = 0, .comm = "swapper", .cpu = 0 },
};

static bool os_ready(struct machine *m) { return true; }

static int os_tasks(struct machine *m, void (*fn)(void *arg, const struct os_task *t), void *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(rig_tasks); i++)
		fn(arg, &rig_tasks[i]);
	return 0;
}

static int os_current(struct cpu *cpu, struct os_task *t)
{
	*t = rig_tasks[cpu->index == 1 ? 2 : 3];
	return 0;
}

static int os_reg(struct machine *m, const struct os_task *t, bool user, const char *reg, u64 *val)
{
	*val = 0xabc0 + t->pid;
	return str_eq(reg, "pc") || str_eq(reg, "rsp") ? 0 : -ENODATA;
}

static int rig_slide(struct machine *m, u64 *slide)
{
	*slide = 0x1000000;
	return 0;
}

static int os_why(struct machine *m, const struct os_task *t, u64 va, char *buf, size_t size)
{
	snprintf(buf, size, "swapped out");
	return 0;
}

static int os_modules(struct machine *m, void (*fn)(void *arg, const struct os_module *o),
		      void *arg)
{
	struct os_section text[] = { { ".text", 0xc000 }, { ".data", 0xd000 } };
	struct os_module o = {
		.name = "a_b", .base = 0xc000, .size = 0x100, .sections = text, .nsections = 2
	};

	fn(arg, &o);
	return 0;
}

static int os_symbol(struct machine *m, const char *name, struct os_symbol *s)
{
	*s = (struct os_symbol){ .addr = str_eq(name, "free_module") ? 0x5000 : 0x4800 };
	return 0;
}

const char *rig_vmlinux;
static const char *os_vmlinux(struct machine *m) { return rig_vmlinux; }

static const struct os rig_os = { .name = "linux",
				  .ready = os_ready,
				  .tasks = os_tasks,
				  .task_current = os_current,
				  .task_reg = os_reg,
				  .modules = os_modules,
				  .symbol_find = os_symbol,
				  .slide = rig_slide,
				  .vmlinux = os_vmlinux,
				  .why_unmapped = os_why };

void rig_know(struct rig *r)
{
	os_set(r->m, &rig_os, NULL);
	gdb_show_tasks(r->g, true);
}
