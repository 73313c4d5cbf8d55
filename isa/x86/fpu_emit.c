/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fpu_emit.c - emitters of the x87 instructions, FXSAVE and the XSAVE family. Register forms are
 * one helper call; memory operands are loaded and stored by the unit itself. SDM vol. 1, chapter 8;
 * vol. 3, 2.5. */
#include "fpu.h"
#include "sse_emit.h"

static inline const struct x86_operand *op(const struct x86_tr *t, unsigned i)
{
	return &t->in->op[i];
}

static bool usable(struct x86_tr *t)
{
	if (t->mode & M_FPU)
		return true;
	x86_raise_op(t, EXC_NM, -1);
	return false;
}

/* FOP and the operand's segment: imm of the x87 helpers. */
static s32 fop(const struct x86_tr *t)
{
	return (s32)((t->in->opcode & 7) << 8 | t->in->modrm | t->in->seg << 16);
}

/* A pending exception comes before faults of the memory operand. */
static void waiting(struct x86_tr *t)
{
	ref es = ir_const(t->ir, F80_ES), v = ir_bin(t->ir, IR_AND, I32, SLOT(SL_FPU_SW), es);
	u32 ok = ir_label(t->ir);

	ir_brz(t->ir, I32, v, ok);
	ir_callv(t->ir, XH_fpu_check, 0, 0, 0, 0);
	ir_place(t->ir, ok);
}

static void memory_source(struct x86_tr *t, unsigned helper)
{
	const struct x86_operand *o = op(t, 0);
	struct x86_addr a;
	ref lo, hi = 0;

	waiting(t);
	a = x86_addr(t, o->size, false);
	lo = x86_load_at(t, &a, o->size == 10 ? I64 : x86_type(o->size), 0, 0);
	if (o->size == 10)
		hi = x86_load_at(t, &a, I16, 8, 0);
	ir_callv(t->ir, helper, lo, hi, x86_ea(t), fop(t));
}

EMIT(x87_arith)
{
	if (!usable(t))
		return;
	if (x86_mod3(t->in))
		ir_callv(t->ir, XH_x87_arith, 0, 0, 0, fop(t));
	else
		memory_source(t, XH_x87_arith);
}

EMIT(x87_load)
{
	if (usable(t))
		memory_source(t, XH_x87_load);
}

static void probe(struct x86_tr *t, const struct x86_addr *a, enum ir_type type, s32 plus)
{
	struct ir_op *o = ir_emit(t->ir, IR_PROBE, type, 0, a->base, a->index);

	o->imm = a->disp + plus;
	o->aux = a->mem | IR_WILLWRITE;
}

/* The store is probed before the register stack changes; the helper says whether it takes place
 * (not with an unmasked exception). */
EMIT(x87_store)
{
	const struct x86_operand *o = op(t, 0);
	struct x86_addr a;
	enum ir_type type = o->size == 10 ? I64 : x86_type(o->size);
	u32 skip = ir_label(t->ir);
	ref r;

	if (!usable(t))
		return;
	waiting(t);
	a = x86_addr(t, o->size, true);
	probe(t, &a, type, 0);
	if (o->size == 10)
		probe(t, &a, I16, 8);
	r = ir_call(t->ir, XH_x87_store, 0, 0, x86_ea(t), fop(t));
	ir_brz(t->ir, I32, r, skip);
	x86_store_at(t, &a, type, 0, 0, SLOT(SL_TMP));
	if (o->size == 10)
		x86_store_at(t, &a, I16, 8, 0, SLOT(SL_TMP + 1));
	ir_place(t->ir, skip);
}

static void plain(struct x86_tr *t, unsigned helper)
{
	if (usable(t))
		ir_callv(t->ir, helper, 0, 0, 0, fop(t));
}

EMIT(x87_reg) { plain(t, XH_x87_reg); }
EMIT(x87_fcmov) { plain(t, XH_x87_fcmov); }
EMIT(x87_fcomi) { plain(t, XH_x87_fcomi); }
EMIT(x87_fneni) { usable(t); }
EMIT(fnclex) { plain(t, XH_fnclex); }
EMIT(fninit) { plain(t, XH_fninit); }
/* #NM has its own condition here: CR0.MP and TS. */
EMIT(fwait) { ir_callv(t->ir, XH_fwait, 0, 0, 0, 0); }

EMIT(fldcw)
{
	if (!usable(t))
		return;
	waiting(t);
	ir_callv(t->ir, XH_fldcw, x86_get(t, op(t, 0)), 0, 0, 0);
}

EMIT(fnstcw)
{
	if (usable(t))
		x86_put(t, op(t, 0), SLOT(SL_FPU_CW));
}

EMIT(fnstsw)
{
	if (!usable(t))
		return;
	if (op(t, 0)->kind == OPK_MEM)
		x86_put(t, op(t, 0), SLOT(SL_FPU_SW));
	else
		x86_put_gpr(t, R_AX, 2, SLOT(SL_FPU_SW));
}

static void environment(struct x86_tr *t, unsigned helper, unsigned regs, bool write)
{
	bool wide = t->in->osize != 2;

	if (!usable(t))
		return;
	if (!write)
		waiting(t);
	ir_callv(t->ir, helper, x86_linear_ea(t, (wide ? 28 : 14) + regs, write), 0, 0, wide);
}

EMIT(fnstenv) { environment(t, XH_fnstenv, 0, true); }
EMIT(fldenv) { environment(t, XH_fldenv, 0, false); }
EMIT(fnsave) { environment(t, XH_fnsave, 80, true); }
EMIT(frstor) { environment(t, XH_frstor, 80, false); }

/* --- FXSAVE, XSAVE */

static s32 rexw(const struct x86_tr *t) { return t->in->rex >> 3 & 1; }

EMIT(fxsave)
{
	if (usable(t))
		ir_callv(t->ir, XH_fxsave, x86_linear_ea(t, 512, true), 0, 0, rexw(t));
}

EMIT(fxrstor)
{
	if (!usable(t))
		return;
	ir_callv(t->ir, XH_fxrstor, x86_linear_ea(t, 512, false), 0, 0, rexw(t));
	x86_end_next(t, IR_EXIT_NEXT);
}

static void xsave(struct x86_tr *t, unsigned helper, bool write, s32 opt)
{
	if ((t->mode & (M_XSAVE | M_FPU)) != (M_XSAVE | M_FPU))
		ir_callv(t->ir, XH_sse_unusable, 0, 0, 0, UNUSABLE_XSAVE);
	ir_callv(t->ir, helper, x86_linear_ea(t, 576, write), 0, 0, rexw(t) | opt);
}

EMIT(xsave) { xsave(t, XH_xsave, true, 0); }
EMIT(xsaveopt) { xsave(t, XH_xsave, true, 2); }
EMIT(xsavec) { xsave(t, XH_xsavec, true, 0); }
EMIT(xrstor)
{
	xsave(t, XH_xrstor, false, 0);
	x86_end_next(t, IR_EXIT_NEXT);
}
