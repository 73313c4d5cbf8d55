/* SPDX-License-Identifier: GPL-2.0-or-later */
/* int_alu.c - emitters: integer arithmetic and logic, multiplication, division, decimal adjustment.
 * Intel SDM vol. 2. */
#include "decode.h"
#include "helpers.h"

#define OP0  (&t->in->op[0])
#define OP1_ (&t->in->op[1])

/* Atomic op on memory with `v`: the old value. */
static ref atomic(struct x86_tr *t, unsigned rmw, ref v)
{
	struct x86_addr a = x86_addr(t, OP0->size, true);

	x86_single_base(t, &a);
	return ir_rmw(t->ir, x86_type(OP0->size), rmw, a.base, a.disp, a.mem, v);
}

static void flags_only(struct x86_tr *t, enum ir_opcode op, ref a, ref b)
{
	ir_binf(t->ir, op, x86_type(OP0->size), 0, a, b);
}

/* LOCK: memory changes atomically, then the flags are computed from the old value. */
static void locked(struct x86_tr *t, enum ir_opcode op, unsigned rmw)
{
	ref src = x86_get(t, OP1_), old = atomic(t, rmw, src);

	flags_only(t, op, old, src);
}

static void alu(struct x86_tr *t, enum ir_opcode op, unsigned rmw)
{
	ref src, dst;

	if (t->in->lock) {
		locked(t, op, rmw);
		return;
	}
	src = x86_get(t, OP1_);
	dst = x86_get_rmw(t, OP0);
	x86_alu(t, op, OP0, dst, src);
}

EMIT(add) { alu(t, IR_ADD, IR_RMW_ADD); }
EMIT(or) { alu(t, IR_OR, IR_RMW_OR); }
EMIT(and) { alu(t, IR_AND, IR_RMW_AND); }
EMIT(sub) { alu(t, IR_SUB, IR_RMW_SUB); }

EMIT(xor)
{
	const struct x86_operand *a = OP0, *b = OP1_;

	/* the usual way to clear a register reads nothing */
	if (a->kind == OPK_REG && b->kind == OPK_REG && a->reg == b->reg && a->size >= 4) {
		ref zero = ir_const(t->ir, 0);

		ir_binf(t->ir, IR_XOR, I32, x86_gpr(a->reg), zero, zero);
		return;
	}
	alu(t, IR_XOR, IR_RMW_XOR);
}

/* With carry: the operand of the atomic operation is source + carry; the flags come from ADC/SBB on
 * the old value. */
static void alu_carry(struct x86_tr *t, enum ir_opcode op, unsigned rmw)
{
	ref src, c, old;

	if (!t->in->lock) {
		alu(t, op, rmw);
		return;
	}
	src = x86_get(t, OP1_);
	c = ir_setcc(t->ir, CC_B);
	c = ir_bin(t->ir, IR_ADD, x86_type(OP0->size), src, c);
	old = atomic(t, rmw, c);
	flags_only(t, op, old, src);
}

EMIT(adc) { alu_carry(t, IR_ADC, IR_RMW_ADD); }
EMIT(sbb) { alu_carry(t, IR_SBB, IR_RMW_SUB); }

EMIT(cmp)
{
	ref a, b;

	b = x86_get(t, OP1_);
	a = x86_get(t, OP0);
	flags_only(t, IR_SUB, a, b);
}

EMIT(test)
{
	ref a, b;

	b = x86_get(t, OP1_);
	a = x86_get(t, OP0);
	flags_only(t, IR_AND, a, b);
}

/* One operand; `rmw` by `k` is the atomic form. */
static void unary(struct x86_tr *t, enum ir_opcode op, unsigned rmw, u64 k)
{
	ref v;

	if (t->in->lock) {
		v = atomic(t, rmw, ir_const(t->ir, k));
		flags_only(t, op, v, 0);
		return;
	}
	v = x86_get_rmw(t, OP0);
	x86_alu(t, op, OP0, v, 0);
}

EMIT(inc) { unary(t, IR_INC, IR_RMW_ADD, 1); }
EMIT(dec) { unary(t, IR_DEC, IR_RMW_SUB, 1); }

EMIT(not )
{
	enum ir_type type = x86_type(OP0->size);
	ref v, r;

	if (t->in->lock) {
		atomic(t, IR_RMW_XOR,
		       ir_const(t->ir, type == I64 ? ~0ull : (1ull << (8 * OP0->size)) - 1));
		return;
	}
	v = x86_get_rmw(t, OP0);
	r = ir_un(t->ir, IR_NOT, type, v);
	x86_put_rmw(t, OP0, r);
}

EMIT(neg)
{
	ref v;

	if (t->in->lock) {
		v = x86_linear_ea(t, OP0->size, true);
		v = ir_call(t->ir, XH_lock_neg, v, 0, 0, OP0->size);
		flags_only(t, IR_NEG, v, 0);
		return;
	}
	v = x86_get_rmw(t, OP0);
	x86_alu(t, IR_NEG, OP0, v, 0);
}

/* --- multiplication and division: rDX:rAX, or AX for bytes */

static void multiply(struct x86_tr *t, enum ir_opcode op)
{
	unsigned size = OP0->size;
	ref src = x86_get(t, OP0), lo, hi;

	lo = size >= 4 ? x86_gpr(R_AX) : ir_temp(t->ir);
	hi = size >= 4 ? x86_gpr(R_DX) : ir_temp(t->ir);
	ir_binf(t->ir, op, x86_type(size), lo, x86_gpr(R_AX), src);
	t->ir->op[t->ir->nops - 1].aux = hi;
	if (size >= 4)
		return;
	x86_put_gpr(t, R_AX, size, lo);
	x86_put_gpr(t, size == 1 ? 16 : R_DX, size, hi);
}

EMIT(mul) { multiply(t, IR_MULU2); }
EMIT(imul1) { multiply(t, IR_MULS2); }

EMIT(imul)
{
	const struct x86_operand *o = t->in->op;
	ref a, b;

	if (t->in->nops == 3) {
		a = x86_get(t, &o[1]);
		b = x86_get(t, &o[2]);
	} else {
		b = x86_get(t, &o[1]);
		a = x86_get(t, &o[0]);
	}
	x86_alu(t, IR_MUL, &o[0], a, b);
}

static void divide(struct x86_tr *t, enum ir_opcode op)
{
	unsigned size = OP0->size;
	ref src = x86_get(t, OP0), q, r, high;
	struct ir_op *o;

	high = size == 1 ? ir_un(t->ir, IR_EXT8H, I32, x86_gpr(R_AX)) : x86_gpr(R_DX);
	q = size >= 4 ? x86_gpr(R_AX) : ir_temp(t->ir);
	r = size >= 4 ? x86_gpr(R_DX) : ir_temp(t->ir);
	o = ir_emit(t->ir, op, x86_type(size), q, x86_gpr(R_AX), high);
	o->c = src;
	o->aux = r;
	if (size >= 4)
		return;
	x86_put_gpr(t, R_AX, size, q);
	x86_put_gpr(t, size == 1 ? 16 : R_DX, size, r);
}

EMIT(div) { divide(t, IR_DIVU2); }
EMIT(idiv) { divide(t, IR_DIVS2); }

/* --- decimal */

EMIT(daa) { ir_callv(t->ir, XH_daa, 0, 0, 0, 0); }
EMIT(das) { ir_callv(t->ir, XH_das, 0, 0, 0, 0); }
EMIT(aaa) { ir_callv(t->ir, XH_aaa, 0, 0, 0, 0); }
EMIT(aas) { ir_callv(t->ir, XH_aas, 0, 0, 0, 0); }
EMIT(aad) { ir_callv(t->ir, XH_aad, 0, 0, 0, (s32)t->in->imm); }

EMIT(aam)
{
	if (t->in->imm)
		ir_callv(t->ir, XH_aam, 0, 0, 0, (s32)t->in->imm);
	else
		x86_raise_op(t, EXC_DE, -1);
}
