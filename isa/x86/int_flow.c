/* SPDX-License-Identifier: GPL-2.0-or-later */
/* int_flow.c - emitters: near jumps, calls and returns, loops. Intel SDM vol. 2. */
#include "decode.h"
#include "helpers.h"

static u64 target(const struct x86_tr *t)
{
	return x86_pc_mask(t->next + t->in->imm, t->mode, t->in->osize);
}

EMIT(jcc) { x86_branch_cc(t, t->in->opcode & 15, target(t)); }

EMIT(jmp) { x86_end_goto(t, target(t)); }

static void push_next(struct x86_tr *t)
{
	x86_push(t, t->in->osize, ir_const(t->ir, x86_pc_mask(t->next, t->mode, t->in->osize)));
}

EMIT(call)
{
	u64 to = target(t);

	x86_check_ip(t, ir_const(t->ir, to));
	push_next(t);
	if (t->single || t->poll) {
		x86_end_goto(t, to);
		return;
	}
	ir_callhint(t->ir, x86_pc_mask(t->next, t->mode, t->in->osize));
	ir_goto(t->ir, to);
	t->ended = true;
}

/* The target of an indirect jump, valid in 64 bits and in a temporary when rSP is about to move. */
static ref indirect(struct x86_tr *t)
{
	const struct x86_operand *o = &t->in->op[0];
	ref v = x86_get(t, o);

	if (o->kind == OPK_REG && o->size < 8)
		v = ir_un(t->ir, o->size == 4 ? IR_ZEXT32 : IR_ZEXT16, I64, v);
	else if (o->kind == OPK_REG && o->reg == R_SP)
		v = x86_get_copy(t, o);
	x86_check_ip(t, v);
	return v;
}

EMIT(jmp_ind) { x86_end_ind(t, indirect(t), IR_IND_JUMP); }

EMIT(call_ind)
{
	ref v = indirect(t);

	push_next(t);
	ir_callhint(t->ir, x86_pc_mask(t->next, t->mode, t->in->osize));
	x86_end_ind(t, v, IR_IND_CALL);
}

EMIT(ret)
{
	unsigned size = t->in->osize;
	ref v = x86_pop(t, size);

	x86_check_ip(t, v);
	x86_pop_commit(t, size + (unsigned)(t->in->imm & 0xffff));
	x86_end_ind(t, v, IR_IND_RET);
}

/* rCX - 1 of the address size, valid in 64 bits. */
static ref count_down(struct x86_tr *t)
{
	unsigned width = t->in->asize;
	ref cx = x86_gpr(R_CX), v;

	if (width == 2) {
		v = ir_lea(t->ir, I32, cx, 0, 0, -1);
		x86_put_gpr(t, R_CX, 2, v);
		return ir_un(t->ir, IR_ZEXT16, I64, v);
	}
	ir_emit(t->ir, IR_LEA, width == 8 ? I64 : I32, cx, cx, 0)->imm = -1;
	return cx;
}

/* The limit of CS is looked at before the count changes. */
static void check_before(struct x86_tr *t, u64 pc) { x86_check_ip(t, ir_const(t->ir, pc)); }

EMIT(loop)
{
	check_before(t, target(t));
	x86_branch_nz(t, count_down(t), true, target(t));
}

static void loop_while(struct x86_tr *t, enum ir_cond cc)
{
	ref v, z;

	check_before(t, target(t));
	v = count_down(t);
	z = ir_setcc(t->ir, cc);
	v = ir_setc(t->ir, I64, CC_NE, v, ir_const(t->ir, 0));
	v = ir_bin(t->ir, IR_AND, I64, v, z);
	x86_branch_nz(t, v, true, target(t));
}

EMIT(loope) { loop_while(t, CC_E); }
EMIT(loopne) { loop_while(t, CC_NE); }

EMIT(jcxz)
{
	unsigned width = t->in->asize;
	ref v = x86_gpr(R_CX);

	if (width < 8)
		v = ir_un(t->ir, width == 4 ? IR_ZEXT32 : IR_ZEXT16, I64, v);
	x86_branch_nz(t, v, false, target(t));
}

EMIT(bound)
{
	unsigned size = t->in->osize;
	ref i = x86_get(t, &t->in->op[0]), ea = x86_ea(t);

	ir_callv(t->ir, XH_bound, i, ea, 0, (s32)(size | (unsigned)t->in->seg << 8));
}
