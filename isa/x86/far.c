/* SPDX-License-Identifier: GPL-2.0-or-later */
/* far.c - far CALL, JMP and RET: directly, through call gates and to tasks. SDM volume 2 CALL, JMP,
 * RET; volume 3 5.8 and 8.3. */
#include "system.h"
#include "helpers.h"
#include <quern/device.h>

void x86_far_enter(struct x86_cpu *c, struct x86_seg cs, u64 pc)
{
	trace(NULL, "x86-far", "cpu %u from %04x:%#llx to %04x:%#llx cpl %u", c->cpu.index,
	      c->seg[S_CS].sel, (unsigned long long)c->cpu.pc, cs.sel, (unsigned long long)pc,
	      x86_cpl(c));
	c->seg[S_CS] = cs;
	c->cpu.pc = pc;
	x86_update_mode(c);
}

static void real_jump(struct x86_cpu *c, u16 sel, u64 off)
{
	if (off > c->seg[S_CS].limit)
		x86_raise_err(c, EXC_GP, 0);
	x86_seg_set_real(c, S_CS, sel);
	c->cpu.pc = off;
	x86_update_mode(c);
}

/* A code segment for a transfer without privilege change; `gate`: through a call gate (RPL of the
 * selector does not count). */
static struct x86_seg code_same(struct x86_cpu *c, u16 sel, struct x86_desc *d, bool gate)
{
	unsigned cpl = x86_cpl(c);
	u16 attr = desc_attr(d);
	struct x86_seg cs;

	if (x86_long(c) && attr & SEG_L && attr & SEG_DB)
		x86_fault_sel(c, EXC_GP, sel);
	if (attr & SEG_C ? seg_dpl(attr) > cpl :
			   (!gate && (sel & 3u) > cpl) || seg_dpl(attr) != cpl)
		x86_fault_sel(c, EXC_GP, sel);
	if (!(attr & SEG_P))
		x86_fault_sel(c, EXC_NP, sel);
	cs = desc_seg((sel & 0xfffc) | cpl, d);
	return cs;
}

/* What a selector in a transfer names. */
static struct x86_desc target(struct x86_cpu *c, u16 sel)
{
	struct x86_desc d;

	if (!(sel & 0xfffc))
		x86_raise_err(c, EXC_GP, c->exc_ext);
	if (!x86_desc_read(c, sel, &d))
		x86_fault_sel(c, EXC_GP, sel);
	return d;
}

/* A call gate's contents; checks the gate's own privilege and presence. */
struct gate {
	u16 sel;
	u64 off;
	unsigned size, params;
};
static struct gate call_gate(struct x86_cpu *c, u16 sel, const struct x86_desc *d)
{
	struct gate g = { .sel = d->lo >> 16, .params = d->hi & 31 };
	u16 attr = desc_attr(d);
	u32 extra;

	if (seg_dpl(attr) < MAX(x86_cpl(c), sel & 3u))
		x86_fault_sel(c, EXC_GP, sel);
	if (!(attr & SEG_P))
		x86_fault_sel(c, EXC_NP, sel);
	g.off = (d->lo & 0xffff) | (d->hi & 0xffff0000);
	if (x86_long(c)) {
		g.off |= (u64)x86_desc_high(c, sel, &extra) << 32;
		if (extra & 0x1f00)
			x86_fault_sel(c, EXC_GP, sel);
		g.size = 8;
		g.params = 0;
	} else if (desc_type(d) == SYS_CALL16) {
		g.size = 2;
		g.off &= 0xffff;
	} else {
		g.size = 4;
	}
	return g;
}

static struct x86_desc gate_target(struct x86_cpu *c, const struct gate *g)
{
	struct x86_desc d = target(c, g->sel);
	u16 attr = desc_attr(&d);

	if (!seg_is_code(attr) || seg_dpl(attr) > x86_cpl(c) ||
	    (x86_long(c) && (attr & (SEG_L | SEG_DB)) != SEG_L))
		x86_fault_sel(c, EXC_GP, g->sel);
	if (!(attr & SEG_P))
		x86_fault_sel(c, EXC_NP, g->sel);
	return d;
}

/* A task or TSS through which a CALL or JMP goes. */
static void to_task(struct x86_cpu *c, u16 sel, struct x86_desc *d, enum x86_task_why why, u64 next)
{
	u16 attr = desc_attr(d);

	if (seg_dpl(attr) < MAX(x86_cpl(c), sel & 3u))
		x86_fault_sel(c, EXC_GP, sel);
	if (!(attr & SEG_P))
		x86_fault_sel(c, EXC_NP, sel);
	if (desc_type(d) == SYS_TASK)
		x86_task_gate(c, d, why, next, false, 0);
	else
		x86_task_switch(c, sel, why, next, false, 0);
}

static bool is_call_gate(const struct x86_cpu *c, const struct x86_desc *d)
{
	return desc_type(d) == SYS_CALL32 || (desc_type(d) == SYS_CALL16 && !x86_long(c));
}

static bool is_task(const struct x86_cpu *c, const struct x86_desc *d)
{
	unsigned t = desc_type(d);

	return !x86_long(c) && (t == SYS_TASK || t == SYS_TSS16 || t == SYS_TSS32 ||
				t == SYS_TSS16_BUSY || t == SYS_TSS32_BUSY);
}

u64 x86_h_far_jmp(struct cpu *cpu, u64 a, u64 b, u64 next, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	struct x86_desc d;
	struct x86_seg cs;
	u16 sel = a;

	if (!x86_protected(c)) {
		real_jump(c, sel, b);
		return 0;
	}
	d = target(c, sel);
	if (seg_is_code(desc_attr(&d))) {
		cs = code_same(c, sel, &d, false);
		x86_check_target(c, &cs, b);
		x86_desc_set_accessed(c, &d);
		cs.attr |= SEG_A;
		x86_far_enter(c, cs, b);
	} else if (!(desc_attr(&d) & SEG_S) && is_call_gate(c, &d)) {
		struct gate g = call_gate(c, sel, &d);

		d = gate_target(c, &g);
		cs = code_same(c, g.sel, &d, true);
		x86_check_target(c, &cs, g.off);
		x86_desc_set_accessed(c, &d);
		x86_far_enter(c, cs, g.off);
	} else if (!(desc_attr(&d) & SEG_S) && is_task(c, &d)) {
		to_task(c, sel, &d, TASK_JMP, next);
	} else {
		x86_fault_sel(c, EXC_GP, sel);
	}
	return 0;
}

/* Pushes CS and the return address on the current stack. */
static void push_return(struct x86_stack *s, unsigned size, u64 next)
{
	x86_stack_push(s, size, s->c->seg[S_CS].sel);
	x86_stack_push(s, size, next);
}

/* CALL through a gate to an inner level: new stack from the TSS, old SS:SP, parameters, return
 * address. */
static void call_inner(struct x86_cpu *c, const struct gate *g, struct x86_desc *d, u64 next)
{
	unsigned dpl = seg_dpl(desc_attr(d));
	struct x86_seg cs = desc_seg((g->sel & 0xfffc) | dpl, d), ss;
	struct x86_stack old = x86_stack_now(c), s;
	u32 param[32], esp;
	u16 sel;

	if (g->size == 8) {
		u64 rsp = x86_tss_rsp(c, dpl);

		ss = (struct x86_seg){ .sel = dpl, .attr = dpl << 5 };
		if (!x86_canonical(rsp))
			x86_raise_err(c, EXC_SS, 0);
		s = x86_stack_new(c, ss, rsp, dpl, true);
	} else {
		x86_tss_stack(c, dpl, &sel, &esp);
		ss = x86_check_ss(c, sel, dpl, EXC_TS);
		s = x86_stack_new(c, ss, esp, dpl, false);
		s.error = sel & 0xfffc;
	}
	x86_check_target(c, &cs, g->off);
	for (unsigned i = 0; i < g->params; i++)
		param[i] = x86_stack_pop(&old, g->size);
	x86_stack_push(&s, g->size, c->seg[S_SS].sel);
	x86_stack_push(&s, g->size, c->gpr[R_SP]);
	for (unsigned i = g->params; i-- > 0;)
		x86_stack_push(&s, g->size, param[i]);
	push_return(&s, g->size, next);
	x86_desc_set_accessed(c, d);
	c->seg[S_SS] = ss;
	x86_stack_commit(&s);
	x86_far_enter(c, cs, g->off);
}

static void call_gate_to(struct x86_cpu *c, u16 sel, struct x86_desc *d, u64 next)
{
	struct gate g = call_gate(c, sel, d);
	struct x86_desc code = gate_target(c, &g);
	u16 attr = desc_attr(&code);
	struct x86_stack s;
	struct x86_seg cs;

	if (!(attr & SEG_C) && seg_dpl(attr) < x86_cpl(c)) {
		call_inner(c, &g, &code, next);
		return;
	}
	cs = code_same(c, g.sel, &code, true);
	x86_check_target(c, &cs, g.off);
	s = x86_stack_now(c);
	if (g.size == 8) {
		s.flat64 = true;
		s.mask = ~0ull;
	}
	push_return(&s, g.size, next);
	x86_desc_set_accessed(c, &code);
	x86_stack_commit(&s);
	x86_far_enter(c, cs, g.off);
}

u64 x86_h_far_call(struct cpu *cpu, u64 a, u64 b, u64 next, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	struct x86_stack s = x86_stack_now(c);
	struct x86_desc d;
	struct x86_seg cs;
	u16 sel = a;

	if (!x86_protected(c)) {
		if (b > c->seg[S_CS].limit)
			x86_raise_err(c, EXC_GP, 0);
		push_return(&s, imm, next);
		x86_stack_commit(&s);
		real_jump(c, sel, b);
		return 0;
	}
	d = target(c, sel);
	if (seg_is_code(desc_attr(&d))) {
		cs = code_same(c, sel, &d, false);
		x86_check_target(c, &cs, b);
		push_return(&s, imm, next);
		x86_desc_set_accessed(c, &d);
		cs.attr |= SEG_A;
		x86_stack_commit(&s);
		x86_far_enter(c, cs, b);
	} else if (!(desc_attr(&d) & SEG_S) && is_call_gate(c, &d)) {
		call_gate_to(c, sel, &d, next);
	} else if (!(desc_attr(&d) & SEG_S) && is_task(c, &d)) {
		to_task(c, sel, &d, TASK_CALL, next);
	} else {
		x86_fault_sel(c, EXC_GP, sel);
	}
	return 0;
}

struct x86_seg x86_return_cs(struct x86_cpu *c, u16 sel, struct x86_desc *d)
{
	unsigned rpl = sel & 3, cpl = x86_cpl(c);
	u16 attr;

	if (!(sel & 0xfffc))
		x86_raise_err(c, EXC_GP, 0);
	if (!x86_desc_read(c, sel, d))
		x86_fault_sel(c, EXC_GP, sel);
	attr = desc_attr(d);
	if (!seg_is_code(attr) || rpl < cpl ||
	    (attr & SEG_C ? seg_dpl(attr) > rpl : seg_dpl(attr) != rpl) ||
	    (x86_long(c) && attr & SEG_L && attr & SEG_DB))
		x86_fault_sel(c, EXC_GP, sel);
	if (!(attr & SEG_P))
		x86_fault_sel(c, EXC_NP, sel);
	return desc_seg(sel, d);
}

struct x86_seg x86_return_ss(struct x86_cpu *c, u16 sel, const struct x86_seg *cs,
			     struct x86_desc *d)
{
	unsigned rpl = cs->sel & 3;
	u16 attr;

	d->hi = BIT(8); /* nothing to mark accessed */
	if (!(sel & 0xfffc)) {
		if (!x86_long(c) || !(cs->attr & SEG_L) || rpl == 3 || (sel & 3u) != rpl)
			x86_raise_err(c, EXC_GP, 0);
		return (struct x86_seg){ .sel = sel, .attr = rpl << 5 };
	}
	if (!x86_desc_read(c, sel, d))
		x86_fault_sel(c, EXC_GP, sel);
	attr = desc_attr(d);
	if ((sel & 3u) != rpl || seg_dpl(attr) != rpl || !seg_is_data(attr) || !(attr & SEG_W))
		x86_fault_sel(c, EXC_GP, sel);
	if (!(attr & SEG_P))
		x86_fault_sel(c, EXC_SS, sel);
	return desc_seg(sel, d);
}

void x86_drop_inner_segs(struct x86_cpu *c, unsigned cpl)
{
	static const u8 data[] = { S_ES, S_DS, S_FS, S_GS };

	for (size_t i = 0; i < ARRAY_SIZE(data); i++) {
		struct x86_seg *s = &c->seg[data[i]];

		/* a null selector loses its RPL and keeps its base */
		if (!seg_usable(s))
			s->sel = 0;
		else if (seg_dpl(s->attr) < cpl && !(seg_is_code(s->attr) && s->attr & SEG_C))
			*s = (struct x86_seg){ 0 };
	}
}

/* RSP after a return to another level: 64 bits only in 64-bit code, 16 bits with a small stack. */
u64 x86_outer_sp(const struct x86_cpu *c, const struct x86_seg *cs, const struct x86_seg *ss,
		 u64 sp)
{
	if (x86_long(c) && cs->attr & SEG_L)
		return sp;
	return ss->attr & SEG_DB ? (u32)sp : (c->gpr[R_SP] & ~0xffffull) | (u16)sp;
}

u64 x86_h_far_ret(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	struct x86_stack s = x86_stack_now(c);
	u64 off = x86_stack_pop(&s, imm), sp;
	u16 sel = x86_stack_pop(&s, imm), ss_sel;
	struct x86_desc d, sd;
	struct x86_seg cs, ss;

	if (!x86_protected(c)) {
		if (off > c->seg[S_CS].limit)
			x86_raise_err(c, EXC_GP, 0);
		s.sp = (s.sp & ~s.mask) | ((s.sp + a) & s.mask);
		x86_stack_commit(&s);
		real_jump(c, sel, off);
		return 0;
	}
	cs = x86_return_cs(c, sel, &d);
	s.sp = (s.sp & ~s.mask) | ((s.sp + a) & s.mask);
	if ((sel & 3u) == x86_cpl(c)) {
		x86_check_target(c, &cs, off);
		x86_desc_set_accessed(c, &d);
		x86_stack_commit(&s);
		x86_far_enter(c, cs, off);
		return 0;
	}
	sp = x86_stack_pop(&s, imm);
	ss_sel = x86_stack_pop(&s, imm);
	ss = x86_return_ss(c, ss_sel, &cs, &sd);
	x86_check_target(c, &cs, off);
	x86_desc_set_accessed(c, &d);
	x86_desc_set_accessed(c, &sd);
	c->gpr[R_SP] = x86_outer_sp(c, &cs, &ss, sp + a);
	c->seg[S_SS] = ss;
	x86_drop_inner_segs(c, sel & 3);
	x86_far_enter(c, cs, off);
	return 0;
}
