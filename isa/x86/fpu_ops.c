/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fpu_ops.c - x87 instructions on the register stack: stack faults, exceptions, condition codes;
 * the arithmetic itself is f80.h's. SDM vol. 1 chapter 8, vol. 2. One helper serves a group of
 * instructions and decodes the opcode itself (fpu.def). */
#include "fpu.h"
#include "sse.h"

static const struct x86_f80 indefinite = { .m = 0xc000000000000000ull, .se = 0xffff };

/* A non-control instruction: where it was, for FNSTENV and FXSAVE. */
static void note(struct x86_cpu *c, u64 imm, u64 ea, bool mem)
{
	c->fpu_ip = c->cpu.pc;
	c->fpu_cs = c->seg[S_CS].sel;
	c->fpu_op = imm & 0x7ff;
	if (mem) {
		c->fpu_dp = ea;
		c->fpu_ds = c->seg[imm >> 16 & 7].sel;
	}
}

static inline struct x86_f80 *st(struct x86_cpu *c, unsigned i) { return &c->fpr[fpu_phys(c, i)]; }

static inline void set(struct x86_cpu *c, unsigned i, const struct x86_f80 *v)
{
	unsigned p = fpu_phys(c, i);

	c->fpr[p].m = v->m;
	c->fpr[p].se = v->se;
	c->fpu_tag |= (u16)(1 << p);
}

static inline void pop(struct x86_cpu *c)
{
	c->fpu_tag &= (u16) ~(1 << fpu_top(c));
	fpu_set_top(c, fpu_top(c) + 1);
}

static inline void push(struct x86_cpu *c, const struct x86_f80 *v)
{
	fpu_set_top(c, fpu_top(c) - 1);
	set(c, 0, v);
}

/* Merge an operation's flags and the condition codes in cc. Did it deliver a result? */
static bool settle(struct x86_cpu *c, const struct f80_ctx *x, u16 cc, u16 blocking)
{
	c->fpu_sw = (u16)((c->fpu_sw & ~cc) | (x->sw & (cc | F80_EXC)));
	if (likely((c->fpu_cw & F80_EXC) == F80_EXC))
		return true;
	fpu_summary(c);
	return !(x->sw & ~x->cw & blocking);
}
enum { BLOCK_REG = F80_IE | F80_DE | F80_ZE, BLOCK_MEM = BLOCK_REG | F80_OE | F80_UE };

/* Stack fault: is the response masked? */
static bool stack_fault(struct x86_cpu *c, bool overflow)
{
	c->fpu_sw = (u16)((c->fpu_sw & ~F80_C1) | F80_IE | F80_SF | (overflow ? F80_C1 : 0));
	fpu_summary(c);
	return c->fpu_cw & F80_IE;
}

/* Push a value, or the indefinite on overflow. */
static void push_checked(struct x86_cpu *c, const struct x86_f80 *v)
{
	if (fpu_empty(c, 7))
		push(c, v);
	else if (stack_fault(c, true))
		push(c, &indefinite);
}

/* Underflow of an operation with a register result: masked, it gives the indefinite. */
static void underflow_to(struct x86_cpu *c, unsigned i, unsigned pops)
{
	if (!stack_fault(c, false))
		return;
	set(c, i, &indefinite);
	while (pops--)
		pop(c);
}

static void compare(struct x86_cpu *c, unsigned i, enum f80_kind kind, const void *operand,
		    unsigned pops, bool quiet)
{
	struct f80_ctx x = { .cw = c->fpu_cw };

	if (fpu_empty(c, 0) || (kind == F80_X && fpu_empty(c, i))) {
		c->fpu_sw |= F80_C0 | F80_C2 | F80_C3;
		if (!stack_fault(c, false))
			return;
	} else {
		f80_compare(&x, st(c, 0), kind, operand, quiet);
		x.sw &= (u16)~F80_C1;
		if (!settle(c, &x, F80_CC, BLOCK_REG))
			return;
	}
	while (pops--)
		pop(c);
}

/* D8: m32 or st0 op sti; DA: m32int; DC: m64 or sti op st0; DE: m16int or the same and pop. */
FPU(x87_arith)
{
	static const u8 kinds[4] = { F80_F32, F80_I32, F80_F64, F80_I16 };
	struct x86_cpu *c = X86(cpu);
	unsigned op = imm >> 3 & 7, i = imm & 7, group = imm >> 9 & 3, to = 0, pops = 0;
	bool mem = (imm & 0xc0) != 0xc0;
	enum f80_kind kind = mem ? kinds[group] : F80_X;
	struct f80_ctx x = { .cw = c->fpu_cw };
	struct x86_f80 r;
	const void *operand;

	fpu_waiting(c);
	note(c, imm, cc, mem);
	operand = mem ? (const void *)&a : st(c, i);
	if (op == 2 || op == 3) { /* FCOM, FCOMP, FCOMPP; DC D0, D8, DE D0: aliases */
		compare(c, i, kind, operand, group == 3 && !mem ? (op == 2 ? 1 : 2) : op - 2,
			false);
		return 0;
	}
	if (!mem && group >= 2) {
		to = i;
		operand = st(c, 0);
		pops = group == 3;
		/* DC and DE: SUB and SUBR, DIV and DIVR change places */
		op ^= op >> 2;
	}
	if (fpu_empty(c, 0) || (!mem && fpu_empty(c, i))) {
		underflow_to(c, to, pops);
		return 0;
	}
	r = *st(c, to);
	f80_arith(&x, op, &r, kind, operand);
	if (!settle(c, &x, F80_C1, BLOCK_REG))
		return 0;
	set(c, to, &r);
	if (pops)
		pop(c);
	return 0;
}

/* Of a load or store: D9 m32, DB m32int (/5, /7: m80), DD m64 (/1: m64int), DF m16int (/4, /6: BCD,
 * /5, /7: m64int). */
static enum f80_kind memory_kind(u64 imm)
{
	unsigned reg = imm >> 3 & 7;

	switch (imm >> 8 & 7) {
	case 1:
		return F80_F32;
	case 3:
		return reg >= 5 ? F80_X : F80_I32;
	case 5:
		return reg == 1 ? F80_I64 : F80_F64;
	default:
		return reg < 4 ? F80_I16 : reg & 1 ? F80_I64 : F80_BCD;
	}
}

FPU(x87_load)
{
	struct x86_cpu *c = X86(cpu);
	struct f80_ctx x = { .cw = c->fpu_cw };
	struct x86_f80 r;
	u64 bits[2] = { a, b };
	enum f80_kind kind = memory_kind(imm);
	bool loaded;

	fpu_waiting(c);
	note(c, imm, cc, true);
	if (!fpu_empty(c, 7)) {
		if (stack_fault(c, true))
			push(c, &indefinite);
		return 0;
	}
	loaded = f80_load(&x, &r, kind, bits);
	x.sw &= (u16)~F80_C1;
	settle(c, &x, F80_C1, 0);
	if (loaded)
		push(c, &r);
	return 0;
}

/* What a masked invalid store of an empty register leaves. */
static void store_indefinite(struct x86_cpu *c, enum f80_kind kind)
{
	static const u64 bits[F80_KINDS] = { [F80_X] = 0xc000000000000000ull,
					     [F80_F32] = 0xffc00000,
					     [F80_F64] = 0xfff8000000000000ull,
					     [F80_I16] = 0x8000,
					     [F80_I32] = 0x80000000,
					     [F80_I64] = 0x8000000000000000ull,
					     [F80_BCD] = 0xc000000000000000ull };

	c->tmp[0] = bits[kind];
	c->tmp[1] = 0xffff;
}

FPU(x87_store)
{
	struct x86_cpu *c = X86(cpu);
	struct f80_ctx x = { .cw = c->fpu_cw };
	enum f80_kind kind = memory_kind(imm);
	unsigned reg = imm >> 3 & 7;
	u64 bits[2] = { 0, 0 };

	fpu_waiting(c);
	note(c, imm, cc, true);
	if (fpu_empty(c, 0)) {
		if (!stack_fault(c, false))
			return 0;
		store_indefinite(c, kind);
	} else {
		f80_store(&x, st(c, 0), kind, reg == 1, bits);
		if (!settle(c, &x, F80_C1, BLOCK_MEM))
			return 0;
		c->tmp[0] = bits[0];
		c->tmp[1] = bits[1];
	}
	if (reg != 2)
		pop(c);
	return 1;
}

/* DB E8 FUCOMI, DB F0 FCOMI, DF E8 FUCOMIP, DF F0 FCOMIP */
FPU(x87_fcomi)
{
	struct x86_cpu *c = X86(cpu);
	struct f80_ctx x = { .cw = c->fpu_cw };
	unsigned i = imm & 7;
	bool done;

	fpu_waiting(c);
	note(c, imm, 0, false);
	if (fpu_empty(c, 0) || fpu_empty(c, i)) {
		c->cpu.hflags = HF_Z | HF_P | HF_C;
		done = stack_fault(c, false);
	} else {
		f80_compare(&x, st(c, 0), F80_X, st(c, i), (imm & 0x38) == 0x28);
		c->cpu.hflags = (u16)((x.sw & F80_C3 ? HF_Z : 0) | (x.sw & F80_C2 ? HF_P : 0) |
				      (x.sw & F80_C0 ? HF_C : 0));
		done = settle(c, &x, 0, BLOCK_REG); /* C1 stays on AMD, is cleared on Intel */
	}
	if (done && imm & 0x400)
		pop(c);
	return 0;
}

/* DA C0 B, C8 E, D0 BE, D8 U; DB: negated */
FPU(x87_fcmov)
{
	static const u8 conds[4] = { CC_B, CC_E, CC_BE, CC_P };
	struct x86_cpu *c = X86(cpu);
	unsigned i = imm & 7;

	fpu_waiting(c);
	note(c, imm, 0, false);
	if (fpu_empty(c, 0) || fpu_empty(c, i)) {
		underflow_to(c, 0, 0);
		return 0;
	}
	if (ir_cond_holds(conds[imm >> 3 & 3], c->cpu.hflags) != !!(imm & 0x100))
		set(c, 0, &(struct x86_f80){ .m = st(c, i)->m, .se = st(c, i)->se });
	return 0;
}

static void fxch(struct x86_cpu *c, unsigned i)
{
	struct x86_f80 v0 = *st(c, 0), vi = *st(c, i);

	if (fpu_empty(c, 0) || fpu_empty(c, i)) {
		if (!stack_fault(c, false))
			return;
		if (fpu_empty(c, 0))
			v0 = indefinite;
		if (fpu_empty(c, i))
			vi = indefinite;
	} else {
		c->fpu_sw &= (u16)~F80_C1;
	}
	set(c, 0, &vi);
	set(c, i, &v0);
}

static void fst(struct x86_cpu *c, unsigned i, bool pops)
{
	if (fpu_empty(c, 0)) {
		underflow_to(c, i, pops);
		return;
	}
	c->fpu_sw &= (u16)~F80_C1;
	set(c, i, &(struct x86_f80){ .m = st(c, 0)->m, .se = st(c, 0)->se });
	if (pops)
		pop(c);
}

/* D9 D8, undocumented: FSTP that reports no underflow. */
static void fstp1(struct x86_cpu *c, unsigned i)
{
	if (!fpu_empty(c, 0))
		set(c, i, &(struct x86_f80){ .m = st(c, 0)->m, .se = st(c, 0)->se });
	c->fpu_sw &= (u16)~F80_C1;
	pop(c);
}

static void unary(struct x86_cpu *c, enum f80_unary fn, u16 cc)
{
	struct f80_ctx x = { .cw = c->fpu_cw };
	struct x86_f80 r = *st(c, 0);

	if (fpu_empty(c, 0)) {
		if (fn == F80_TST) {
			c->fpu_sw |= F80_C0 | F80_C2 | F80_C3;
			stack_fault(c, false);
			return;
		}
		if (cc & F80_C2)
			c->fpu_sw &= (u16)~F80_C2;
		underflow_to(c, 0, 0);
		return;
	}
	f80_unary(&x, fn, &r);
	if (fn == F80_TST)
		x.sw &= (u16)~F80_C1;
	if (settle(c, &x, cc, BLOCK_REG) && fn != F80_TST)
		set(c, 0, &r);
}

static void binary(struct x86_cpu *c, enum f80_binary fn, u16 cc)
{
	struct f80_ctx x = { .cw = c->fpu_cw };
	struct x86_f80 r0 = *st(c, 0), r1 = *st(c, 1);
	bool pops = fn >= F80_YL2X;

	if (fpu_empty(c, 0) || fpu_empty(c, 1)) {
		if (cc & F80_C2)
			c->fpu_sw &= (u16)~F80_C2;
		underflow_to(c, pops, pops);
		return;
	}
	f80_binary(&x, fn, &r0, &r1);
	/* A remainder that is no number has no quotient bits to show. */
	if (cc & F80_C3 && ((r0.se & 0x7fff) == 0x7fff || x.sw & ~x.cw & BLOCK_REG))
		cc = F80_C1 | F80_C2;
	if (!settle(c, &x, cc, BLOCK_REG))
		return;
	set(c, pops, pops ? &r1 : &r0);
	if (pops)
		pop(c);
}

static void split(struct x86_cpu *c, enum f80_split fn)
{
	struct f80_ctx x = { .cw = c->fpu_cw };
	struct x86_f80 r = *st(c, 0), extra;
	bool ranged = fn != F80_XTRACT;

	if (fpu_empty(c, 0) || !fpu_empty(c, 7)) {
		if (ranged)
			c->fpu_sw &= (u16)~F80_C2;
		if (!stack_fault(c, !fpu_empty(c, 0)))
			return;
		set(c, 0, &indefinite);
		push(c, &indefinite);
		return;
	}
	f80_split(&x, fn, &r, &extra);
	if (!settle(c, &x, ranged ? F80_C1 | F80_C2 : F80_C1, BLOCK_REG) ||
	    (ranged && x.sw & F80_C2))
		return;
	set(c, 0, &r);
	push(c, &extra);
}

/* FXAM looks at empty registers too. */
static void fxam(struct x86_cpu *c)
{
	struct f80_ctx x = { .cw = c->fpu_cw };
	struct x86_f80 r = *st(c, 0);

	f80_unary(&x, F80_XAM, &r);
	x.sw &= F80_CC;
	if (fpu_empty(c, 0))
		x.sw = (u16)((x.sw & F80_C1) | F80_C3 | F80_C0);
	c->fpu_sw = (u16)((c->fpu_sw & ~F80_CC) | x.sw);
}

static void sign(struct x86_cpu *c, bool flip)
{
	if (fpu_empty(c, 0)) {
		underflow_to(c, 0, 0);
		return;
	}
	c->fpu_sw &= (u16)~F80_C1;
	st(c, 0)->se = flip ? st(c, 0)->se ^ 0x8000 : st(c, 0)->se & 0x7fff;
}

static void constant(struct x86_cpu *c, unsigned n)
{
	struct f80_ctx x = { .cw = c->fpu_cw };
	struct x86_f80 r;

	f80_const(&x, n, &r);
	if (fpu_empty(c, 7))
		c->fpu_sw &= (u16)~F80_C1;
	push_checked(c, &r);
}

/* D9 D0..FF but the constants */
static void group_d9(struct x86_cpu *c, unsigned modrm)
{
	switch (modrm) {
	case 0xd0:
		break; /* FNOP */
	case 0xe0:
		sign(c, true);
		break;
	case 0xe1:
		sign(c, false);
		break;
	case 0xe4:
		unary(c, F80_TST, F80_CC);
		break;
	case 0xe5:
		fxam(c);
		break;
	case 0xf0:
		unary(c, F80_2XM1, F80_C1);
		break;
	case 0xf1:
		binary(c, F80_YL2X, F80_C1);
		break;
	case 0xf2:
		split(c, F80_TAN);
		break;
	case 0xf3:
		binary(c, F80_PATAN, F80_C1);
		break;
	case 0xf4:
		split(c, F80_XTRACT);
		break;
	case 0xf5:
		binary(c, F80_PREM1, F80_CC);
		break;
	case 0xf6:
	case 0xf7: /* FDECSTP, FINCSTP */
		fpu_set_top(c, fpu_top(c) + (modrm & 1 ? 1 : 7));
		c->fpu_sw &= (u16)~F80_C1;
		break;
	case 0xf8:
		binary(c, F80_PREM, F80_CC);
		break;
	case 0xf9:
		binary(c, F80_YL2XP1, F80_C1);
		break;
	case 0xfa:
		unary(c, F80_SQRT, F80_C1);
		break;
	case 0xfb:
		split(c, F80_SINCOS);
		break;
	case 0xfc:
		unary(c, F80_RNDINT, F80_C1);
		break;
	case 0xfd:
		binary(c, F80_SCALE, F80_C1);
		break;
	case 0xfe:
		unary(c, F80_SIN, F80_C1 | F80_C2);
		break;
	case 0xff:
		unary(c, F80_COS, F80_C1 | F80_C2);
		break;
	}
}

static void fld_st(struct x86_cpu *c, unsigned i)
{
	struct x86_f80 v = *st(c, i);

	if (fpu_empty(c, i) || !fpu_empty(c, 7)) {
		if (stack_fault(c, !fpu_empty(c, i)))
			push(c, &indefinite);
	} else {
		c->fpu_sw &= (u16)~F80_C1;
		push(c, &v);
	}
}

FPU(x87_reg)
{
	struct x86_cpu *c = X86(cpu);
	unsigned i = imm & 7, modrm = imm & 0xff;

	fpu_waiting(c);
	note(c, imm, 0, false);
	switch (imm >> 3 & 0xe7) { /* group << 5 | /reg */
	case 0x20:
		fld_st(c, i);
		break;
	case 0x21:
	case 0xa1:
	case 0xe1:
		fxch(c, i);
		break;
	case 0x23:
		fstp1(c, i);
		break;
	case 0xa3:
	case 0xe2:
	case 0xe3:
		fst(c, i, true);
		break; /* DD D8 and its aliases */
	case 0x25:
		constant(c, modrm & 7);
		break;
	case 0x22:
	case 0x24:
	case 0x26:
	case 0x27:
		group_d9(c, modrm);
		break;
	case 0x45:
		compare(c, 1, F80_X, st(c, 1), 2, true);
		break; /* FUCOMPP */
	case 0xa0:
	case 0xe0: /* FFREE, FFREEP */
		c->fpu_tag &= (u16) ~(1 << fpu_phys(c, i));
		c->fpu_sw &= (u16)~F80_C1;
		if (imm & 0x200)
			pop(c);
		break;
	case 0xa2:
		fst(c, i, false);
		break;
	case 0xa4:
		compare(c, i, F80_X, st(c, i), 0, true);
		break; /* FUCOM */
	case 0xa5:
		compare(c, i, F80_X, st(c, i), 1, true);
		break;
	}
	return 0;
}
