/* SPDX-License-Identifier: GPL-2.0-or-later */
/* int_move.c - emitters: moves, exchanges, conditional moves, conversions, flags in AH, the stack.
 * Intel SDM vol. 2. */
#include "decode.h"
#include "helpers.h"
#include "cpuid.h"
#include "core/machine.h"

#define OP0  (&t->in->op[0])
#define OP1_ (&t->in->op[1])

EMIT(mov)
{
	ref v = x86_get(t, OP1_);

	x86_put(t, OP0, v);
}

/* Memory operands extend as they load. */
EMIT(movzx)
{
	unsigned to = OP0->size, from = OP1_->size;
	ref v = x86_get(t, OP1_);

	if (OP1_->kind == OPK_REG && OP1_->reg < 16)
		v = ir_un(t->ir, from == 1 ? IR_ZEXT8 : IR_ZEXT16, to == 8 ? I64 : I32, v);
	x86_put_gpr(t, OP0->reg, to, v);
}

EMIT(movsx)
{
	static const u8 op[] = { [1] = IR_SEXT8, [2] = IR_SEXT16, [4] = IR_SEXT32 };
	unsigned to = OP0->size, from = MIN(OP1_->size, MAX(to, 2u));
	struct x86_addr a;
	ref v;

	if (OP1_->kind == OPK_MEM) {
		a = x86_addr(t, from, false);
		v = x86_load_at(t, &a, x86_type(from), 0,
				to == 8	 ? IR_SX64 :
				from < 4 ? IR_SX32 :
					   0);
	} else {
		v = x86_get(t, OP1_);
		if (from < to)
			v = ir_un(t->ir, op[from], to == 8 ? I64 : I32, v);
	}
	x86_put_gpr(t, OP0->reg, to, v);
}

EMIT(lea)
{
	ref v = x86_ea_sized(t, OP0->size);

	x86_put_gpr(t, OP0->reg, OP0->size, v);
}

EMIT(xchg)
{
	const struct x86_operand *a = OP0, *b = OP1_;
	struct x86_addr m;
	ref v, w;

	if (a->kind == OPK_MEM) {
		v = x86_get(t, b);
		m = x86_addr(t, a->size, true);
		x86_single_base(t, &m);
		v = ir_rmw(t->ir, x86_type(a->size), IR_RMW_XCHG, m.base, m.disp, m.mem, v);
		x86_put_gpr(t, b->reg, b->size, v);
		return;
	}
	/* 90 is NOP, also in its 32-bit form, where exchanging would clear the upper half */
	if (t->in->opcode == 0x90 && a->reg == R_AX)
		return;
	v = x86_get_copy(t, a);
	w = x86_get_copy(t, b);
	x86_put_gpr(t, a->reg, a->size, w);
	x86_put_gpr(t, b->reg, b->size, v);
}

EMIT(xadd)
{
	const struct x86_operand *a = OP0, *b = OP1_;
	enum ir_type type = x86_type(a->size);
	struct x86_addr m;
	ref src, old, sum;

	src = x86_get_copy(t, b);
	if (t->in->lock) {
		m = x86_addr(t, a->size, true);
		x86_single_base(t, &m);
		old = ir_rmw(t->ir, type, IR_RMW_ADD, m.base, m.disp, m.mem, src);
		ir_binf(t->ir, IR_ADD, type, 0, old, src);
		x86_put_gpr(t, b->reg, b->size, old);
		return;
	}
	old = x86_get_rmw(t, a);
	if (a->kind == OPK_REG)
		old = x86_get_copy(t, a);
	sum = ir_temp(t->ir);
	ir_binf(t->ir, IR_ADD, type, sum, old, src);
	if (a->kind == OPK_REG) {
		x86_put_gpr(t, b->reg, b->size, old);
		x86_put_gpr(t, a->reg, a->size, sum);
	} else {
		x86_put_rmw(t, a, sum);
		x86_put_gpr(t, b->reg, b->size, old);
	}
}

/* rAX = old when it was not equal; untouched, upper half too, when it was. */
static void accumulator(struct x86_tr *t, unsigned size, ref old)
{
	ref acc = x86_gpr(R_AX), v = old;

	if (size < 4) {
		v = ir_temp(t->ir);
		ir_emit(t->ir, size == 1 ? IR_INS8 : IR_INS16, I64, v, acc, old);
	}
	ir_emit(t->ir, IR_SELCC, I64, acc, acc, v)->aux = CC_E;
}

/* With a register as destination: that and the accumulator stay whole where they are not written.
 */
static void cmpxchg_reg(struct x86_tr *t, ref dst, ref src)
{
	enum ir_type type = x86_type(t->in->op[0].size);
	enum ir_opcode widen = type == I32 ? IR_ZEXT32 : IR_MOV;
	ref acc = x86_gpr(R_AX), old, v;

	old = ir_un(t->ir, widen, I64, dst);
	v = ir_un(t->ir, widen, I64, src);
	ir_binf(t->ir, IR_SUB, type, 0, acc, old);
	ir_emit(t->ir, IR_SELCC, I64, dst, v, dst)->aux = CC_E;
	if (dst != acc)
		accumulator(t, t->in->op[0].size, old);
}

EMIT(cmpxchg)
{
	const struct x86_operand *a = OP0, *b = OP1_;
	enum ir_type type = x86_type(a->size);
	ref src = x86_get(t, b), acc = x86_gpr(R_AX), old, v;
	struct x86_addr m;

	if (t->in->lock) {
		m = x86_addr(t, a->size, true);
		x86_single_base(t, &m);
		old = ir_cas(t->ir, type, m.base, m.disp, m.mem, acc, src);
		ir_binf(t->ir, IR_SUB, type, 0, acc, old);
		accumulator(t, a->size, old);
		return;
	}
	old = x86_get_rmw(t, a);
	if (a->kind == OPK_REG && a->size >= 4) {
		cmpxchg_reg(t, old, src);
		return;
	}
	old = REF_KIND(old) == REF_SLOT ? x86_get_copy(t, a) : old;
	ir_binf(t->ir, IR_SUB, type, 0, acc, old);
	v = ir_selcc(t->ir, type >= I32 ? type : I32, CC_E, src, old);
	x86_put_rmw(t, a, v);
	/* the destination may be the accumulator itself: it then held the expected value */
	if (a->kind == OPK_REG && a->reg == R_AX)
		return;
	accumulator(t, a->size, old);
}

/* 8 bytes: EDX:EAX against memory, ECX:EBX into it. Only ZF changes. */
static void cmpxchg8(struct x86_tr *t)
{
	struct x86_addr m = x86_addr(t, 8, true);
	ref n32 = ir_const(t->ir, 32), e, v, lo, old, eq;

	e = ir_bin(t->ir, IR_SHL, I64, x86_gpr(R_DX), n32);
	lo = ir_un(t->ir, IR_ZEXT32, I64, x86_gpr(R_AX));
	e = ir_bin(t->ir, IR_OR, I64, e, lo);
	v = ir_bin(t->ir, IR_SHL, I64, x86_gpr(R_CX), n32);
	lo = ir_un(t->ir, IR_ZEXT32, I64, x86_gpr(R_BX));
	v = ir_bin(t->ir, IR_OR, I64, v, lo);
	x86_single_base(t, &m);
	old = ir_cas(t->ir, I64, m.base, m.disp, m.mem, e, v);
	eq = ir_setc(t->ir, I64, CC_E, old, e);
	eq = ir_un(t->ir, IR_ZEXT8, I64, eq);
	lo = ir_un(t->ir, IR_ZEXT32, I64, old);
	v = ir_bin(t->ir, IR_SHR, I64, old, n32);
	ir_emit(t->ir, IR_SEL, I64, x86_gpr(R_AX), x86_gpr(R_AX), lo)->c = eq;
	ir_emit(t->ir, IR_SEL, I64, x86_gpr(R_DX), x86_gpr(R_DX), v)->c = eq;
	x86_put_zf(t, eq);
}

EMIT(cmpxchg8b)
{
	if (!(t->in->rex & 8)) {
		if (x86_has(t->cpu, X86F_CX8))
			cmpxchg8(t);
		else
			x86_ud(t);
	} else if (x86_has(t->cpu, X86F_CX16)) {
		ir_callv(t->ir, XH_cmpxchg16b, x86_linear_ea(t, 16, true), 0, 0, 0);
	} else {
		x86_ud(t);
	}
}

/* --- conditions */

EMIT(cmov)
{
	enum ir_type type = x86_type(OP0->size);
	ref v = x86_get(t, OP1_), d = x86_gpr(OP0->reg), r;

	if (type >= I32) {
		/* 32 bits: the upper half is cleared in any case */
		ir_emit(t->ir, IR_SELCC, type, d, v, d)->aux = t->in->opcode & 15;
		return;
	}
	r = ir_selcc(t->ir, I32, t->in->opcode & 15, v, d);
	x86_put_gpr(t, OP0->reg, 2, r);
}

EMIT(setcc)
{
	ref v = ir_setcc(t->ir, t->in->opcode & 15);

	x86_put(t, OP0, v);
}

EMIT(salc)
{
	ref v = ir_setcc(t->ir, CC_B);

	v = ir_un(t->ir, IR_NEG, I32, v);
	x86_put_gpr(t, R_AX, 1, v);
}

static void carry_from(struct x86_tr *t, ref bit)
{
	ir_binf(t->ir, IR_BT, I32, 0, bit, ir_const(t->ir, 0));
}

EMIT(clc) { carry_from(t, ir_const(t->ir, 0)); }
EMIT(stc) { carry_from(t, ir_const(t->ir, 1)); }
EMIT(cmc) { carry_from(t, ir_setcc(t->ir, CC_AE)); }

static void system_flag(struct x86_tr *t, u64 flag, bool set)
{
	ref e = SLOT(SL_EFLAGS);

	ir_emit(t->ir, set ? IR_OR : IR_AND, I64, e, e, ir_const(t->ir, set ? flag : ~flag));
}

EMIT(cld) { system_flag(t, EFL_DF, false); }
EMIT(std) { system_flag(t, EFL_DF, true); }

static bool lahf_ok(struct x86_tr *t)
{
	return (t->mode & M_CODE) != M_CODE64 || x86_has(t->cpu, X86F_LAHF_LM);
}

/* AH = SF ZF 0 AF 0 PF 1 CF: the upper byte of the flags word. */
EMIT(lahf)
{
	ref v;

	if (!lahf_ok(t)) {
		x86_ud(t);
		return;
	}
	v = ir_temp(t->ir);
	ir_emit(t->ir, IR_GETF, I16, v, 0, 0);
	v = ir_un(t->ir, IR_EXT8H, I32, v);
	v = ir_bin(t->ir, IR_AND, I32, v, ir_const(t->ir, 0xd5));
	v = ir_bin(t->ir, IR_OR, I32, v, ir_const(t->ir, 2));
	x86_put_gpr(t, 16, 1, v);
}

EMIT(sahf)
{
	ref v, f;

	if (!lahf_ok(t)) {
		x86_ud(t);
		return;
	}
	v = ir_bin(t->ir, IR_AND, I32, x86_gpr(R_AX), ir_const(t->ir, 0xd500));
	f = ir_temp(t->ir);
	ir_emit(t->ir, IR_GETF, I16, f, 0, 0);
	f = ir_bin(t->ir, IR_AND, I32, f, ir_const(t->ir, HF_O));
	v = ir_bin(t->ir, IR_OR, I32, v, f);
	ir_emit(t->ir, IR_PUTF, I16, 0, v, 0);
}

/* --- conversions */

EMIT(cbw)
{
	ref a = x86_gpr(R_AX), v;

	switch (t->in->osize) {
	case 2:
		v = ir_un(t->ir, IR_SEXT8, I32, a);
		x86_put_gpr(t, R_AX, 2, v);
		break;
	case 4:
		ir_emit(t->ir, IR_SEXT16, I32, a, a, 0);
		break;
	default:
		ir_emit(t->ir, IR_SEXT32, I64, a, a, 0);
	}
}

EMIT(cwd)
{
	unsigned size = t->in->osize;
	ref v = ir_bin(t->ir, IR_SAR, x86_type(size), x86_gpr(R_AX), ir_const(t->ir, 8 * size - 1));

	x86_put_gpr(t, R_DX, size, v);
}

EMIT(xlat)
{
	ref v = ir_un(t->ir, IR_ZEXT8, I64, x86_gpr(R_AX));
	struct x86_addr a;

	v = ir_lea(t->ir, I64, x86_gpr(R_BX), v, 0, 0);
	a = x86_addr_at(t, t->in->seg, v, 1, false);
	v = x86_load_at(t, &a, I8, 0, 0);
	x86_put_gpr(t, R_AX, 1, v);
}

/* --- the stack */

EMIT(push)
{
	ref v = x86_get(t, OP0);

	x86_push(t, t->in->osize, v);
}

EMIT(pop)
{
	unsigned size = t->in->osize;
	struct x86_insn moved;
	ref v = x86_pop(t, size);

	if (OP0->kind == OPK_REG) {
		/* POP rSP keeps the value popped */
		if (OP0->reg == R_SP && size < 4) {
			v = ir_un(t->ir, IR_ZEXT16, I32, v);
			x86_pop_commit(t, size);
			x86_put_gpr(t, R_SP, size, v);
		} else {
			x86_put_gpr(t, OP0->reg, size, v);
			if (OP0->reg != R_SP)
				x86_pop_commit(t, size);
		}
		return;
	}
	/* an address that counts from rSP counts from the incremented one */
	moved = *t->in;
	if (moved.base == R_SP)
		moved.disp += size;
	t->in = &moved;
	x86_put(t, &moved.op[0], v);
	x86_pop_commit(t, size);
}

EMIT(pusha) { ir_callv(t->ir, XH_pusha, 0, 0, 0, t->in->osize); }
EMIT(popa) { ir_callv(t->ir, XH_popa, 0, 0, 0, t->in->osize); }

static void probe_stack(struct x86_tr *t, s32 disp, unsigned size)
{
	struct x86_addr a = x86_stack_at(t, R_SP, disp, size, true);
	struct ir_op *o = ir_emit(t->ir, IR_PROBE, x86_type(size), 0, a.base, a.index);

	o->imm = a.disp;
	o->aux = a.mem | IR_WILLWRITE;
}

EMIT(enter)
{
	unsigned size = t->in->osize, width = x86_stack_width(t), level = t->in->imm2 & 31;
	s32 locals = (s32)(t->in->imm & 0xffff);
	struct x86_addr a;
	ref frame;

	if (level) {
		ir_callv(t->ir, XH_enter, ir_const(t->ir, (u64)locals), 0, 0,
			 (s32)(size | level << 8 | width << 16));
		return;
	}
	/* the new top of the stack must be writable */
	if (locals) {
		probe_stack(t, -(s32)size, size);
		probe_stack(t, -(s32)size - locals, size);
	}
	a = x86_stack_at(t, R_SP, -(s32)size, size, true);
	x86_store_at(t, &a, x86_type(size), 0, 0, x86_gpr(R_BP));
	frame = ir_lea(t->ir, width == 8 ? I64 : I32, x86_gpr(R_SP), 0, 0, -(s32)size);
	x86_stack_set(t, R_SP, -(s32)size - locals);
	x86_put_gpr(t, R_BP, size == 2 ? 2 : width == 2 ? 2 : size, frame);
}

EMIT(leave)
{
	unsigned size = t->in->osize;
	struct x86_addr a = x86_stack_at(t, R_BP, 0, size, false);
	ref v = x86_load_at(t, &a, x86_type(size), 0, 0);

	x86_stack_set(t, R_BP, (s32)size);
	x86_put_gpr(t, R_BP, size, v);
}

/* --- no effect that a guest can see */

EMIT(nop) {}
EMIT(pause)
{
	/* vCPUs take turns: one that spins waits for another's turn */
	if (!t->cpu->cpu.machine || t->cpu->cpu.machine->ncpus < 2)
		return;
	ir_callv(t->ir, XH_pause, 0, 0, 0, 0);
	x86_end_next(t, IR_EXIT_POLL);
}

EMIT(mfence) { ir_emit(t->ir, IR_FENCE, I64, 0, 0, 0); }

EMIT(clflush)
{
	struct x86_addr a = x86_addr(t, 1, false);
	struct ir_op *o = ir_emit(t->ir, IR_PROBE, I8, 0, a.base, a.index);

	o->imm = a.disp;
	o->aux = a.mem;
}
