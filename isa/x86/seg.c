/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seg.c - segment registers: descriptors, loads with every check, linear addresses, stacks of
 * privilege changes, LAR LSL VERR VERW. SDM volume 3 chapters 3 and 5, volume 2 MOV, LAR. */
#include "system.h"
#include "helpers.h"

u32 desc_limit(const struct x86_desc *d)
{
	u32 limit = (d->lo & 0xffff) | (d->hi & 0xf0000);

	return d->hi & BIT(23) ? limit << 12 | 0xfff : limit;
}

struct x86_seg desc_seg(u16 sel, const struct x86_desc *d)
{
	return (struct x86_seg){
		.sel = sel, .attr = desc_attr(d), .limit = desc_limit(d), .base = desc_base(d)
	};
}

void x86_fault_sel(struct x86_cpu *c, int vector, u16 sel)
{
	x86_raise_err(c, vector, (sel & 0xfffc) | c->exc_ext);
}

/* Base and limit of the table that a selector names; false: a null LDT. */
static bool desc_table(struct x86_cpu *c, u16 sel, u64 *base, u32 *limit)
{
	if (sel & 4) {
		*base = c->seg[S_LDTR].base;
		*limit = c->seg[S_LDTR].limit;
		return seg_usable(&c->seg[S_LDTR]);
	}
	*base = c->gdt.base;
	*limit = c->gdt.limit;
	return true;
}

bool x86_desc_read(struct x86_cpu *c, u16 sel, struct x86_desc *d)
{
	u64 base, v;
	u32 limit;

	if (!desc_table(c, sel, &base, &limit) || (sel | 7u) > limit)
		return false;
	d->at = x86_lin(c, base + (sel & 0xfff8));
	v = cpu_ld(&c->cpu, x86_sys_ctx(c), d->at, 8);
	d->lo = (u32)v;
	d->hi = v >> 32;
	return true;
}

u32 x86_desc_high(struct x86_cpu *c, u16 sel, u32 *extra)
{
	u64 base, v;
	u32 limit;

	if (!desc_table(c, sel, &base, &limit) || (sel & 0xfff8u) + 15 > limit)
		x86_fault_sel(c, EXC_GP, sel);
	v = cpu_ld(&c->cpu, x86_sys_ctx(c), base + (sel & 0xfff8) + 8, 8);
	if (extra)
		*extra = v >> 32;
	return (u32)v;
}

void x86_desc_set_accessed(struct x86_cpu *c, struct x86_desc *d)
{
	if (d->hi & BIT(8))
		return;
	d->hi |= BIT(8);
	cpu_st(&c->cpu, x86_sys_ctx(c), d->at + 5, 1, d->hi >> 8 & 0xff);
}

void x86_seg_set_real(struct x86_cpu *c, unsigned sreg, u16 sel)
{
	struct x86_seg *s = &c->seg[sreg];

	s->sel = sel;
	s->base = (u64)sel << 4;
	if (c->eflags & EFL_VM) {
		s->limit = 0xffff;
		s->attr = SEG_S | SEG_P | SEG_DPL | 3;
	} else if (!seg_usable(s)) {
		/* real mode leaves limit and attributes alone ("unreal mode"), but a null segment
		 * becomes usable */
		s->limit = 0xffff;
		s->attr = SEG_S | SEG_P | 3;
	} else if (sreg == S_CS) {
		s->attr = SEG_S | SEG_P | 3 | (s->attr & (SEG_DB | SEG_G));
	}
}

/* In SS.DPL the CPL lives. */
void x86_set_cpl(struct x86_cpu *c, unsigned cpl)
{
	c->seg[S_SS].attr = (c->seg[S_SS].attr & ~SEG_DPL) | cpl << 5;
}

static void load_null(struct x86_cpu *c, unsigned sreg, u16 sel)
{
	c->seg[sreg] = (struct x86_seg){ .sel = sel, .attr = sreg == S_SS ? x86_cpl(c) << 5 : 0 };
}

static void load_ss(struct x86_cpu *c, u16 sel)
{
	unsigned cpl = x86_cpl(c);
	struct x86_desc d;
	u16 attr;

	if (!(sel & 0xfffc)) {
		if (!x86_code64(c) || cpl == 3 || (sel & 3u) != cpl)
			x86_fault_sel(c, EXC_GP, 0);
		load_null(c, S_SS, sel);
		return;
	}
	if (!x86_desc_read(c, sel, &d))
		x86_fault_sel(c, EXC_GP, sel);
	attr = desc_attr(&d);
	if ((sel & 3u) != cpl || seg_dpl(attr) != cpl || !seg_is_data(attr) || !(attr & SEG_W))
		x86_fault_sel(c, EXC_GP, sel);
	if (!(attr & SEG_P))
		x86_fault_sel(c, EXC_SS, sel);
	x86_desc_set_accessed(c, &d);
	c->seg[S_SS] = desc_seg(sel, &d);
}

static void load_data(struct x86_cpu *c, unsigned sreg, u16 sel)
{
	struct x86_desc d;
	u16 attr;

	if (!(sel & 0xfffc)) {
		load_null(c, sreg, sel);
		return;
	}
	if (!x86_desc_read(c, sel, &d))
		x86_fault_sel(c, EXC_GP, sel);
	attr = desc_attr(&d);
	if (!(attr & SEG_S) || (seg_is_code(attr) && !(attr & SEG_R)))
		x86_fault_sel(c, EXC_GP, sel);
	if (!(seg_is_code(attr) && attr & SEG_C) && seg_dpl(attr) < MAX(x86_cpl(c), sel & 3u))
		x86_fault_sel(c, EXC_GP, sel);
	if (!(attr & SEG_P))
		x86_fault_sel(c, EXC_NP, sel);
	x86_desc_set_accessed(c, &d);
	c->seg[sreg] = desc_seg(sel, &d);
}

void x86_load_seg(struct x86_cpu *c, unsigned sreg, u16 sel)
{
	if (!x86_protected(c))
		x86_seg_set_real(c, sreg, sel);
	else if (sreg == S_SS)
		load_ss(c, sel);
	else
		load_data(c, sreg, sel);
	x86_update_mode(c);
}

struct x86_seg x86_check_ss(struct x86_cpu *c, u16 sel, unsigned cpl, int v)
{
	struct x86_desc d;
	u16 attr;

	if (!(sel & 0xfffc))
		x86_fault_sel(c, v, 0);
	if (!x86_desc_read(c, sel, &d))
		x86_fault_sel(c, v, sel);
	attr = desc_attr(&d);
	if ((sel & 3u) != cpl || seg_dpl(attr) != cpl || !seg_is_data(attr) || !(attr & SEG_W))
		x86_fault_sel(c, v, sel);
	if (!(attr & SEG_P))
		x86_fault_sel(c, EXC_SS, sel);
	x86_desc_set_accessed(c, &d);
	return desc_seg(sel, &d);
}

void x86_set_cs(struct x86_cpu *c, struct x86_seg cs, unsigned cpl)
{
	cs.sel = (cs.sel & 0xfffc) | cpl;
	c->seg[S_CS] = cs;
}

void x86_check_target(struct x86_cpu *c, const struct x86_seg *cs, u64 off)
{
	if (x86_long(c) && cs->attr & SEG_L ? !x86_canonical(off) : off > cs->limit)
		x86_raise_err(c, EXC_GP, c->exc_ext);
}

/* Does [off, off+n) lie in a segment of the legacy modes? */
static bool in_limit(const struct x86_seg *s, u64 off, unsigned n)
{
	u64 top = s->attr & SEG_DB ? 0xffffffff : 0xffff;

	if (seg_is_data(s->attr) && s->attr & SEG_E)
		return off > s->limit && off + n - 1 <= top;
	return off + n - 1 <= s->limit;
}

u64 x86_seg_linear(struct x86_cpu *c, const struct x86_seg *s, u64 off, unsigned n, bool write,
		   int vector, u32 error)
{
	if (x86_code64(c)) {
		u64 va = off + s->base;

		if (!x86_canonical(va) || !x86_canonical(va + n - 1))
			x86_raise_err(c, vector, error);
		return va;
	}
	if (x86_protected(c)) {
		bool code = seg_is_code(s->attr);

		if (!seg_usable(s) ||
		    (write ? code || !(s->attr & SEG_W) : code && !(s->attr & SEG_R)))
			x86_raise_err(c, vector, error);
	}
	if (!in_limit(s, off, n))
		x86_raise_err(c, vector, error);
	return (u32)(s->base + off);
}

u64 x86_linear(struct x86_cpu *c, unsigned sreg, u64 off, unsigned n, bool write)
{
	struct x86_seg s = c->seg[sreg];

	if (x86_code64(c) && sreg < S_FS)
		s.base = 0;
	return x86_seg_linear(c, &s, off, n, write, sreg == S_SS ? EXC_SS : EXC_GP, 0);
}

/* --- LDTR, TR, task state segment */

void x86_load_ldt(struct x86_cpu *c, u16 sel, int vector)
{
	struct x86_desc d;
	struct x86_seg s;

	if (!(sel & 0xfffc)) {
		c->seg[S_LDTR] = (struct x86_seg){ .sel = sel };
		return;
	}
	if (sel & 4 || !x86_desc_read(c, sel, &d) || desc_attr(&d) & SEG_S ||
	    desc_type(&d) != SYS_LDT)
		x86_fault_sel(c, vector, sel);
	if (!(desc_attr(&d) & SEG_P))
		x86_fault_sel(c, vector == EXC_TS ? EXC_TS : EXC_NP, sel);
	s = desc_seg(sel, &d);
	if (x86_long(c)) {
		s.base |= (u64)x86_desc_high(c, sel, NULL) << 32;
		if (!x86_canonical(s.base))
			x86_fault_sel(c, EXC_GP, sel);
	}
	c->seg[S_LDTR] = s;
}

void x86_load_tr(struct x86_cpu *c, u16 sel)
{
	struct x86_desc d;
	struct x86_seg s;
	unsigned type;
	u32 extra;

	if (!(sel & 0xfffc))
		x86_raise_err(c, EXC_GP, 0);
	if (sel & 4 || !x86_desc_read(c, sel, &d))
		x86_fault_sel(c, EXC_GP, sel);
	type = desc_type(&d);
	if (desc_attr(&d) & SEG_S || (type != SYS_TSS32 && (type != SYS_TSS16 || x86_long(c))))
		x86_fault_sel(c, EXC_GP, sel);
	if (!(desc_attr(&d) & SEG_P))
		x86_fault_sel(c, EXC_NP, sel);
	s = desc_seg(sel, &d);
	if (x86_long(c)) {
		s.base |= (u64)x86_desc_high(c, sel, &extra) << 32;
		if (!x86_canonical(s.base) || extra & 0x1f00)
			x86_fault_sel(c, EXC_GP, sel);
	}
	cpu_st(&c->cpu, x86_sys_ctx(c), d.at + 5, 1, (d.hi >> 8 & 0xff) | 2);
	s.attr |= 2;
	c->seg[S_TR] = s;
}

bool x86_tss_is32(const struct x86_cpu *c) { return c->seg[S_TR].attr & 8; }

static u64 tss_ld(struct x86_cpu *c, u32 off, unsigned size)
{
	const struct x86_seg *tr = &c->seg[S_TR];

	if (!seg_usable(tr) || (u64)off + size - 1 > tr->limit)
		x86_fault_sel(c, EXC_TS, tr->sel);
	return cpu_ld(&c->cpu, x86_sys_ctx(c), x86_lin(c, tr->base + off), size);
}

void x86_tss_stack(struct x86_cpu *c, unsigned cpl, u16 *ss, u32 *esp)
{
	if (x86_tss_is32(c)) {
		*ss = tss_ld(c, 8 + cpl * 8, 2);
		*esp = tss_ld(c, 4 + cpl * 8, 4);
	} else {
		*ss = tss_ld(c, 4 + cpl * 4, 2);
		*esp = tss_ld(c, 2 + cpl * 4, 2);
	}
}

u64 x86_tss_rsp(struct x86_cpu *c, unsigned slot)
{
	return tss_ld(c, slot < 3 ? 4 + slot * 8 : 0x24 + (slot - 4) * 8, 8);
}

/* --- stacks */

struct x86_stack x86_stack_new(struct x86_cpu *c, struct x86_seg ss, u64 sp, unsigned cpl,
			       bool flat64)
{
	return (struct x86_stack){ .c = c,
				   .ss = ss,
				   .sp = sp,
				   .ctx = x86_cpl_ctx(c, cpl),
				   .flat64 = flat64,
				   .mask = flat64	    ? ~0ull :
					   ss.attr & SEG_DB ? 0xffffffff :
							      0xffff };
}

struct x86_stack x86_stack_now(struct x86_cpu *c)
{
	struct x86_stack s =
		x86_stack_new(c, c->seg[S_SS], c->gpr[R_SP], x86_cpl(c), x86_code64(c));

	s.ctx = x86_data_ctx(c->cpu.mode);
	return s;
}

static u64 stack_linear(struct x86_stack *s, u64 off, unsigned size, bool write)
{
	struct x86_cpu *c = s->c;
	u32 error = s->error | c->exc_ext;

	if (s->flat64) {
		if (!x86_canonical(off))
			x86_raise_err(c, EXC_SS, error);
		return off;
	}
	if (x86_protected(c) && (!seg_usable(&s->ss) || (write && !(s->ss.attr & SEG_W))))
		x86_raise_err(c, EXC_SS, error);
	if (!in_limit(&s->ss, off, size))
		x86_raise_err(c, EXC_SS, error);
	return (u32)(s->ss.base + off);
}

void x86_stack_push(struct x86_stack *s, unsigned size, u64 v)
{
	u64 sp = (s->sp - size) & s->mask;

	cpu_st(&s->c->cpu, s->ctx, stack_linear(s, sp, size, true), size, v);
	s->sp = (s->sp & ~s->mask) | sp;
}

u64 x86_stack_pop(struct x86_stack *s, unsigned size)
{
	u64 sp = s->sp & s->mask;
	u64 v = cpu_ld(&s->c->cpu, s->ctx, stack_linear(s, sp, size, false), size);

	s->sp = (s->sp & ~s->mask) | ((sp + size) & s->mask);
	return v;
}

void x86_stack_commit(struct x86_stack *s)
{
	s->c->gpr[R_SP] = s->flat64 || s->mask == 0xffff ? s->sp : (u32)s->sp;
}

/* --- instructions */

u64 x86_h_load_seg(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);

	x86_load_seg(c, imm, a);
	if (b) {
		c->inhibit = 1;
		c->inhibit_pc = b;
	}
	return 0;
}

u64 x86_h_get_sel(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm) { return X86(cpu)->seg[imm].sel; }

u64 x86_h_lldt(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	x86_load_ldt(X86(cpu), a, EXC_GP);
	return 0;
}

u64 x86_h_ltr(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	x86_load_tr(X86(cpu), a);
	return 0;
}

/* May CPL and RPL see this descriptor? Conforming code is seen by all. */
static bool visible(const struct x86_cpu *c, u16 sel, const struct x86_desc *d)
{
	u16 attr = desc_attr(d);

	return (seg_is_code(attr) && attr & SEG_C) || seg_dpl(attr) >= MAX(x86_cpl(c), sel & 3u);
}

static bool lar_type(const struct x86_cpu *c, const struct x86_desc *d, bool lsl)
{
	static const u16 legacy_lar =
		BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(9) | BIT(11) | BIT(12);
	static const u16 legacy_lsl = BIT(1) | BIT(2) | BIT(3) | BIT(9) | BIT(11);
	static const u16 long_lar = BIT(2) | BIT(9) | BIT(11) | BIT(12),
			 long_lsl = BIT(2) | BIT(9) | BIT(11);
	u16 ok = x86_long(c) ? (lsl ? long_lsl : long_lar) : lsl ? legacy_lsl : legacy_lar;

	return desc_attr(d) & SEG_S || ok >> desc_type(d) & 1;
}

u64 x86_h_lar(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	struct x86_desc d;

	if (!(a & 0xfffc) || !x86_desc_read(c, a, &d) || !lar_type(c, &d, false) ||
	    !visible(c, a, &d))
		return 0;
	return BIT64(32) | (d.hi & 0x00f0ff00);
}

u64 x86_h_lsl(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	struct x86_desc d;

	if (!(a & 0xfffc) || !x86_desc_read(c, a, &d) || !lar_type(c, &d, true) ||
	    !visible(c, a, &d))
		return 0;
	return BIT64(32) | desc_limit(&d);
}

u64 x86_h_verify(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	struct x86_desc d;
	u16 attr;

	if (!(a & 0xfffc) || !x86_desc_read(c, a, &d))
		return 0;
	attr = desc_attr(&d);
	if (!(attr & SEG_S) || !visible(c, a, &d))
		return 0;
	if (imm)
		return seg_is_data(attr) && attr & SEG_W;
	return seg_is_data(attr) || attr & SEG_R;
}
