/* SPDX-License-Identifier: GPL-2.0-or-later */
/* debug_test.c - points, watches, steps and caught exceptions of core/debug.h, in both tiers. */
#include "test_rig.h"
#include "core/debug.h"

struct seen {
	struct debug_client client;
	struct debug_stop why;
	unsigned stops, calls;
	bool stop; /* what the point's hit answers */
	u64 first_arg;
};

static void stopped(struct debug_client *c, const struct debug_stop *why)
{
	struct seen *s = container_of(c, struct seen, client);

	s->why = *why;
	s->stops++;
}

static bool hit(struct debug_point *p, struct cpu *cpu, u64 va)
{
	struct seen *s = p->owner;

	s->calls++;
	return s->stop;
}

static void start(struct rig *r, struct seen *s, unsigned tier, u64 pc)
{
	rig(r, tier);
	protected_mode(r, true);
	*s = (struct seen){ .client.stopped = stopped };
	debug_add_client(r->m, &s->client);
	r->c->cpu.pc = pc;
	r->c->gpr[R_SP] = 0x8000;
	machine_cont(r->m);
}

/* Runs until something stops it, which is told; true when it halted instead. */
static bool run(struct rig *r)
{
	r->c->cpu.exit_request = 0;
	engine_run(r->m->engine, &r->c->cpu);
	return !debug_tell(r->m) && r->c->cpu.halted;
}

static bool on(struct rig *r, enum debug_resume how)
{
	debug_set_resume(&r->c->cpu, how);
	debug_resume(r->m, DEBUG_SSTEP_NOIRQ);
	return run(r);
}

/* mov ecx, 1000; again: inc rax; dec ecx; jne again; hlt */
static const char loop[] = "\xb9\xe8\x03\x00\x00\x48\xff\xc0\xff\xc9\x75\xf9\xf4";
enum { AT_INC = CODE + 5, AT_DEC = CODE + 8, AT_HLT = CODE + 12 };

static void points(unsigned tier)
{
	struct debug_point p = { .va = AT_DEC }, q = { .va = AT_DEC };
	struct seen s;
	AUTO_RIG struct rig r = { 0 };

	start(&r, &s, tier, CODE);
	PROGRAM(&r, CODE, loop);
	CHECK(run(&r)); /* it is translated now */
	p.owner = q.owner = &s;
	r.c->cpu.pc = CODE;
	r.c->cpu.halted = false;
	r.c->gpr[R_AX] = 0;
	debug_arm(r.m, &p);
	for (unsigned i = 1; i <= 10; i++) {
		CHECK(!(i == 1 ? run(&r) : on(&r, DEBUG_RUN)));
		CHECK_EQ(s.stops, i);
		CHECK_EQ(s.why.why, DEBUG_WHY_POINT);
		CHECK(s.why.point == &p);
		CHECK_EQ(debug_pc(&r.c->cpu), AT_DEC);
		CHECK_EQ(r.c->gpr[R_AX], i);
		CHECK_EQ(r.c->gpr[R_CX], 1001 - i);
	}
	/* a second one at the same place that lets it pass, alone */
	q.hit = hit;
	debug_arm(r.m, &q);
	debug_disarm(r.m, &p);
	CHECK(on(&r, DEBUG_RUN));
	CHECK_EQ(s.stops, 10);
	CHECK_EQ(s.calls, 990);
	CHECK_EQ(p.hits, 10);
	CHECK_EQ(r.c->gpr[R_AX], 1000);
	debug_disarm(r.m, &q);
	rig_free(&r);
}
TEST(x86_debug_points_interpreter) { points(0); }
TEST(x86_debug_points_translator) { points(1); }

/* jmp first; over: mov ebx, 1; add ebx, ebx; hlt; nop; first: xor eax, eax; stc; cmp ecx, ecx; jmp
 * over Nobody reads the flags of CMP; whoever stops at `over` or behind it sees them. */
static const char dead_flags[] =
	"\xeb\x09\xbb\x01\x00\x00\x00\x01\xdb\xf4\x90\x31\xc0\xf9\x39\xc9\xeb\xf0";

static void flags(unsigned tier, u64 at)
{
	struct debug_point p = { .va = at };
	struct seen s;
	AUTO_RIG struct rig r = { 0 };

	start(&r, &s, tier, CODE);
	PROGRAM(&r, CODE, dead_flags);
	CHECK(run(&r));
	debug_arm(r.m, &p);
	r.c->cpu.pc = CODE;
	r.c->cpu.halted = false;
	CHECK(!run(&r));
	CHECK_EQ(debug_pc(&r.c->cpu), at);
	CHECK_EQ(cpu_reg_u64(&r.c->cpu, "eflags") & 0x8d5, 0x44); /* ZF, PF; no CF */
	debug_disarm(r.m, &p);
	rig_free(&r);
}
TEST(x86_debug_flags_at_points)
{
	for (unsigned tier = 0; tier < 2; tier++) {
		flags(tier, CODE + 2);
		flags(tier, CODE + 7);
	}
}

/* mov edi, 0x9000; mov ecx, 64; xor eax, eax; again: mov [rdi], al; inc eax; add edi, 4; dec ecx;
 * jne again; mov eax, [0x9080]; mov edi, 0x9100; mov ecx, 0x40; rep stosb; hlt */
static const char stores[] =
	"\xbf\x00\x90\x00\x00\xb9\x40\x00\x00\x00\x31\xc0\x88\x07\xff\xc0\x83\xc7"
	"\x04\xff\xc9\x75\xf5\x8b\x04\x25\x80\x90\x00\x00\xbf\x00\x91\x00\x00\xb9"
	"\x40\x00\x00\x00\xf3\xaa\xf4";

static void watches(unsigned tier)
{
	struct debug_point w = { .kind = DEBUG_WRITE, .va = 0x9080, .len = 4 },
			   a = { .kind = DEBUG_ACCESS, .va = 0x9080, .len = 1 },
			   t = { .kind = DEBUG_WRITE, .va = 0x9110, .len = 2 };
	struct seen s;
	AUTO_RIG struct rig r = { 0 };

	start(&r, &s, tier, CODE);
	PROGRAM(&r, CODE, stores);
	CHECK(run(&r));
	CHECK_EQ(s.stops, 0);
	r.c->cpu.pc = CODE;
	r.c->cpu.halted = false;
	poke(&r, 0x9080, 0, 4);
	debug_arm(r.m, &w);
	CHECK(!run(&r));
	CHECK_EQ(s.stops, 1);
	CHECK(s.why.point == &w);
	CHECK_EQ(s.why.va, 0x9080);
	CHECK_EQ(debug_pc(&r.c->cpu), CODE + 14); /* complete */
	CHECK_EQ(peek(&r, 0x9080, 1), 0x20);
	debug_disarm(r.m, &w);
	debug_arm(r.m, &a);
	debug_arm(r.m, &t);
	CHECK(!on(&r, DEBUG_RUN));
	CHECK(s.why.point == &a);
	CHECK_EQ(debug_pc(&r.c->cpu), CODE + 30);
	CHECK_EQ(r.c->gpr[R_AX], 0x20);
	CHECK(!on(&r, DEBUG_RUN));
	CHECK_EQ(s.stops, 3);
	CHECK(s.why.point == &t);
	debug_disarm(r.m, &a);
	debug_disarm(r.m, &t);
	CHECK(on(&r, DEBUG_RUN));
	rig_free(&r);
}
TEST(x86_debug_watches_interpreter) { watches(0); }
TEST(x86_debug_watches_translator) { watches(1); }

/* mov ecx, 3; again: loop again; mov edi, 0x9000; mov ecx, 16; rep stosb; mov rax, cr3; mov cr3,
 * rax; nop; ud2 */
static const char steps[] =
	"\xb9\x03\x00\x00\x00\xe2\xfe\xbf\x00\x90\x00\x00\xb9\x10\x00\x00\x00\xf3\xaa"
	"\x0f\x20\xd8\x0f\x22\xd8\x90\x0f\x0b";
static const u64 step_pcs[] = { 5, 5, 5, 7, 12, 17, 19, 22, 25, 26, 0x1000 };

static void single_step(unsigned tier)
{
	struct seen s;
	AUTO_RIG struct rig r = { 0 };

	start(&r, &s, tier, CODE);
	PROGRAM(&r, CODE, steps);
	gate64(&r, EXC_UD, CODE + 0x1000);
	machine_stop(r.m, RUN_PAUSED);
	for (unsigned i = 0; i < ARRAY_SIZE(step_pcs); i++) {
		CHECK(!on(&r, DEBUG_STEP));
		CHECK_EQ(s.stops, i + 1);
		CHECK_EQ(s.why.why, DEBUG_WHY_STEP);
		CHECK_EQ(debug_pc(&r.c->cpu), CODE + step_pcs[i]);
	}
	CHECK_EQ(peek(&r, r.c->gpr[R_SP], 8), CODE + 26); /* the handler's frame */
	rig_free(&r);
}
TEST(x86_debug_steps_interpreter) { single_step(0); }
TEST(x86_debug_steps_translator) { single_step(1); }

/* nop; ud2 ... and the handler: hlt */
TEST(x86_debug_exceptions)
{
	struct seen s;
	AUTO_RIG struct rig r = { 0 };

	start(&r, &s, 1, CODE);
	PROGRAM(&r, CODE, "\x90\x0f\x0b");
	PROGRAM(&r, CODE + 0x1000, "\xf4");
	gate64(&r, EXC_UD, CODE + 0x1000);
	debug_catch_exceptions(r.m, BIT(EXC_UD));
	CHECK(!run(&r));
	CHECK_EQ(s.why.why, DEBUG_WHY_EXCEPTION);
	CHECK_EQ(s.why.number, EXC_UD);
	CHECK_EQ(debug_pc(&r.c->cpu), CODE + 1);
	CHECK_EQ(r.c->gpr[R_SP], 0x8000); /* nothing pushed yet */
	CHECK(on(&r, DEBUG_RUN));
	CHECK_EQ(s.stops, 1);
	CHECK_EQ(debug_pc(&r.c->cpu), CODE + 0x1001);
	debug_catch_exceptions(r.m, 0);
	r.c->idt.limit = 0; /* and now no handler can be entered */
	debug_catch_triple_fault(r.m, true);
	r.c->cpu.halted = false;
	r.c->cpu.pc = CODE;
	machine_cont(r.m);
	CHECK(!run(&r));
	CHECK_EQ(s.why.why, DEBUG_WHY_RESET);
	CHECK(!r.m->reset_requested);
	debug_resume(r.m, 0);
	CHECK(r.m->reset_requested);
	rig_free(&r);
}

TEST(x86_debug_other_roots)
{
	u64 pa = 0, entry = 0, v = 0;
	struct seen s;
	AUTO_RIG struct rig r = { 0 };

	start(&r, &s, 1, CODE);
	/* a second tree in which virtual page 0x5000 is physical 0x9000, and 0x6000 is swapped out
	 */
	poke(&r, 0x20000, 0x21000 | 7, 8);
	poke(&r, 0x21000, 0x22000 | 7, 8);
	poke(&r, 0x22000, 0x23000 | 7, 8);
	poke(&r, 0x23000 + 5 * 8, 0x9000 | 7, 8);
	poke(&r, 0x23000 + 6 * 8, 0x123456, 8);
	poke(&r, 0x9010, 0x1122334455667788, 8);
	CHECK_EQ(debug_translate_root(&r.c->cpu, 0x20000, 0x5010, &pa, &entry), 0);
	CHECK_EQ(pa, 0x9010);
	CHECK_EQ(debug_read_root(&r.c->cpu, 0x20000, 0x5010, &v, 8), 0);
	CHECK_EQ(v, 0x1122334455667788);
	CHECK(debug_translate_root(&r.c->cpu, 0x20000, 0x6000, &pa, &entry) < 0);
	CHECK_EQ(entry, 0x123456);
	CHECK_EQ(debug_read(&r.c->cpu, 0x5010, &v, 8), 0); /* its own tree maps it to itself */
	CHECK_EQ(v, 0);
	rig_free(&r);
}

/* mov ecx, 10; mov rax, cr3; again: mov cr3, rax; loop again; hlt */
static const char roots[] = "\xb9\x0a\x00\x00\x00\x0f\x20\xd8\x0f\x22\xd8\xe2\xfb\xf4";

struct roots {
	struct debug_client client;
	struct debug_point point;
	unsigned n;
};

static void new_root(struct debug_client *c, struct cpu *cpu)
{
	struct roots *t = container_of(c, struct roots, client);

	if (++t->n == 4)
		debug_arm(cpu->machine, &t->point);
}

/* Address spaces are told of while somebody wants to know, and what is armed then is met. */
static void tells_roots(unsigned tier)
{
	struct roots t = { .client.new_root = new_root,
			   .point = { .kind = DEBUG_EXEC, .va = CODE + 8 } };
	struct seen s;
	AUTO_RIG struct rig r = { 0 };

	start(&r, &s, tier, CODE);
	PROGRAM(&r, CODE, roots);
	debug_add_client(r.m, &t.client);
	debug_watch_roots(r.m, &t.client, true);
	debug_watch_roots(r.m, &t.client, true);
	/* the engine is left at each of them, so that it sees what was armed */
	for (unsigned i = 0; i < 20 && !s.stops; i++)
		CHECK(!run(&r));
	CHECK_EQ(t.n, 4);
	CHECK(s.why.point == &t.point);

	CHECK_EQ(r.c->gpr[R_CX], 6);
	debug_disarm(r.m, &t.point);
	debug_watch_roots(r.m, &t.client, false);
	CHECK(on(&r, DEBUG_RUN));
	CHECK_EQ(t.n, 4);
	debug_watch_roots(r.m, &t.client, true);
	debug_remove_client(r.m, &t.client);
	CHECK_EQ(debug_of(r.m)->nroots, 0);
	rig_free(&r);
}
TEST(x86_debug_roots_interpreter) { tells_roots(0); }
TEST(x86_debug_roots_translator) { tells_roots(1); }

/* mov ecx, 3; again: add ecx, -1; mov [0x9000], ecx; test ecx, ecx; jne again; hlt */
static const char watched_flags[] = "\xb9\x03\x00\x00\x00\x83\xc1\xff\x89\x0c\x25\x00\x90\x00\x00"
				    "\x85\xc9\x75\xf2\xf4";

/* Flags that the rest of the unit overwrites, where a watchpoint stops between. */
static void watch_flags(unsigned tier)
{
	struct debug_point w = { .kind = DEBUG_WRITE, .va = 0x9000, .len = 4 };
	struct seen s;
	struct rig r = { 0 };

	start(&r, &s, tier, CODE);
	PROGRAM(&r, CODE, watched_flags);
	CHECK(run(&r)); /* it is translated now, without them */
	r.c->cpu.pc = CODE;
	r.c->cpu.halted = false;
	debug_arm(r.m, &w);
	CHECK(!run(&r));
	CHECK(s.why.point == &w);
	CHECK_EQ(r.c->gpr[R_CX], 2);
	CHECK_EQ(cpu_reg_u64(&r.c->cpu, "eflags") & 0x8d5, 0x11); /* 3 - 1: C and A */
	debug_disarm(r.m, &w);
	machine_free(r.m);
}
TEST(x86_debug_watch_flags_interpreter) { watch_flags(0); }
TEST(x86_debug_watch_flags_translator) { watch_flags(1); }
