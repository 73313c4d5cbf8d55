/* SPDX-License-Identifier: GPL-2.0-or-later */
/* build.c - making IR: the emitters that front-ends call, constant folding, and the redirection of
 * results into slots. */
#include "ir.h"

const struct ir_opinfo ir_opinfo[] = {
#define IR_OP(name, results, args, props) { #name, results, args, props },
#include "ops.def"
#undef IR_OP
};

enum { MAX_TEMPS = 4096 };

void ir_start(struct ir *ir, const struct ir_slot *slots, const struct ir_helper *helpers,
	      u16 flags_slot)
{
	ir->nops = ir->nconsts = ir->ntemps = ir->ninsns = ir->nlabels = 0;
	ir->full = false;
	ir->slots = slots;
	ir->helpers = helpers;
	ir->flags_slot = flags_slot;
}

struct ir_mark ir_mark(const struct ir *ir)
{
	return (struct ir_mark){ ir->nops, ir->nconsts, ir->ntemps, ir->ninsns, ir->nlabels };
}

void ir_rewind(struct ir *ir, struct ir_mark m)
{
	ir->nops = m.nops;
	ir->nconsts = m.nconsts;
	ir->ntemps = m.ntemps;
	ir->ninsns = m.ninsns;
	ir->nlabels = m.nlabels;
	ir->full = false;
}

ref ir_const(struct ir *ir, u64 v)
{
	u32 n = ir->nconsts;

	/* the last few constants are looked at again: most repeats are close */
	for (u32 i = n, lo = n > 8 ? n - 8 : 0; i > lo; i--)
		if (ir->konst[i - 1] == v)
			return REF(REF_CONST, i - 1);
	if (n >= IR_MAX_CONSTS - 1) {
		ir->full = true;
		n = IR_MAX_CONSTS - 1;
		ir->konst[n] = v;
		return REF(REF_CONST, n);
	}
	ir->konst[n] = v;
	ir->nconsts = n + 1;
	return REF(REF_CONST, n);
}

ref ir_temp(struct ir *ir)
{
	if (ir->ntemps >= MAX_TEMPS - 1) {
		ir->full = true;
		return REF(REF_TEMP, MAX_TEMPS - 1);
	}
	return REF(REF_TEMP, ir->ntemps++);
}

struct ir_op *ir_emit(struct ir *ir, enum ir_opcode op, enum ir_type t, ref dst, ref a, ref b)
{
	struct ir_op *o;

	/* Keep room for an instruction's worth of ops after the warning, so that emitters need not
	 * check. */
	if (ir->nops >= IR_MAX_OPS - 256)
		ir->full = true;
	if (ir->nops >= IR_MAX_OPS)
		ir->nops = IR_MAX_OPS - 1;
	o = &ir->op[ir->nops++];
	*o = (struct ir_op){ .op = op, .type = t, .dst = dst, .a = a, .b = b };
	return o;
}

static bool foldable(enum ir_opcode op)
{
	switch (op) {
	case IR_ADD:
	case IR_SUB:
	case IR_AND:
	case IR_OR:
	case IR_XOR:
	case IR_SHL:
	case IR_SHR:
	case IR_SAR:
	case IR_ZEXT8:
	case IR_ZEXT16:
	case IR_ZEXT32:
	case IR_SEXT8:
	case IR_SEXT16:
	case IR_SEXT32:
	case IR_NOT:
	case IR_NEG:
	case IR_MUL:
	case IR_EXT8H:
	case IR_BSWAP:
		return true;
	default:
		return false;
	}
}

static bool fold(struct ir *ir, enum ir_opcode op, enum ir_type t, ref a, ref b, ref *r)
{
	struct ir_eval e = { 0 };

	if (!ir_is_const(a) || (b && !ir_is_const(b)) || !foldable(op))
		return false;
	e.a = ir_const_value(ir, a);
	e.b = b ? ir_const_value(ir, b) : 0;
	if (!ir_evaluate(op, t, 0, &e))
		return false;
	*r = ir_const(ir, e.lo);
	return true;
}

ref ir_bin(struct ir *ir, enum ir_opcode op, enum ir_type t, ref a, ref b)
{
	ref r;

	if (fold(ir, op, t, a, b, &r))
		return r;
	if (REF_KIND(a) == REF_TEMP && ir_is_const(b) && ir_const_value(ir, b) == 0 && t >= I32 &&
	    (op == IR_ADD || op == IR_SUB || op == IR_OR || op == IR_XOR || op == IR_SHL ||
	     op == IR_SHR) &&
	    t == I64)
		return a;
	r = ir_temp(ir);
	ir_emit(ir, op, t, r, a, b);
	return r;
}

ref ir_un(struct ir *ir, enum ir_opcode op, enum ir_type t, ref a)
{
	return ir_bin(ir, op, t, a, 0);
}

void ir_binf(struct ir *ir, enum ir_opcode op, enum ir_type t, ref dst, ref a, ref b)
{
	ir_emit(ir, op, t, dst, a, b)->flags = IR_F;
}

/* Does the op leave a value that is right in all 64 bits when a slot is written with type t? */
static bool redirectable(const struct ir_op *o, enum ir_type t)
{
	switch (o->op) {
	case IR_LOAD:
		return o->type != V128 && (t == I64 || (o->type <= I32 && !(o->aux & IR_SX64)));
	case IR_MULU2:
	case IR_MULS2:
	case IR_DIVU2:
	case IR_DIVS2:
		return false;
	case IR_SETCC:
	case IR_CAS:
	case IR_RMW:
		return false;
	default:
		return ir_opinfo[o->op].results == 1 &&
		       (o->type == t || (o->type == I32 && t == I64));
	}
}

void ir_put(struct ir *ir, enum ir_type t, ref slot, ref v)
{
	struct ir_op *o = ir->nops ? &ir->op[ir->nops - 1] : NULL;

	if (o && REF_KIND(v) == REF_TEMP && o->dst == v && redirectable(o, t) &&
	    (ir->slots[REF_INDEX(slot)].type != V128 ||
	     (o->op == IR_LOAD && !(o->aux & (IR_SX32 | IR_SX64))))) {
		o->dst = slot;
		return;
	}
	ir_emit(ir, IR_MOV, t, slot, v, 0);
}

void ir_copy(struct ir *ir, enum ir_type t, ref dst, ref v) { ir_emit(ir, IR_MOV, t, dst, v, 0); }

ref ir_lea(struct ir *ir, enum ir_type t, ref base, ref index, unsigned scale, s32 disp)
{
	ref r;
	struct ir_op *o;

	if ((!base || ir_is_const(base)) && (!index || ir_is_const(index))) {
		u64 v = (base ? ir_const_value(ir, base) : 0) +
			(index ? ir_const_value(ir, index) << scale : 0) + (s64)disp;
		return ir_const(ir, t == I32 ? (u32)v : t == I16 ? (u16)v : v);
	}
	r = ir_temp(ir);
	o = ir_emit(ir, IR_LEA, t, r, base, index);
	o->scale = scale;
	o->imm = disp;
	return r;
}

void ir_load_to(struct ir *ir, enum ir_type t, ref dst, ref base, ref index, s32 disp, u16 mem)
{
	struct ir_op *o = ir_emit(ir, IR_LOAD, t, dst, base, index);

	o->imm = disp;
	o->aux = mem;
}

ref ir_load(struct ir *ir, enum ir_type t, ref base, ref index, s32 disp, u16 mem)
{
	ref r = ir_temp(ir);

	ir_load_to(ir, t, r, base, index, disp, mem);
	return r;
}

void ir_store(struct ir *ir, enum ir_type t, ref base, ref index, s32 disp, u16 mem, ref v)
{
	struct ir_op *o = ir_emit(ir, IR_STORE, t, 0, base, index);

	o->c = v;
	o->imm = disp;
	o->aux = mem;
}

ref ir_rmw(struct ir *ir, enum ir_type t, unsigned rmw, ref base, s32 disp, u16 mem, ref v)
{
	ref r = ir_temp(ir);
	struct ir_op *o = ir_emit(ir, IR_RMW, t, r, base, 0);

	o->c = v;
	o->imm = disp;
	o->aux = mem | rmw << IR_RMW_SHIFT;
	return r;
}

ref ir_cas(struct ir *ir, enum ir_type t, ref base, s32 disp, u16 mem, ref expected, ref v)
{
	ref r = ir_temp(ir);
	struct ir_op *o = ir_emit(ir, IR_CAS, t, r, base, expected);

	o->c = v;
	o->imm = disp;
	o->aux = mem;
	return r;
}

ref ir_setcc(struct ir *ir, enum ir_cond cc)
{
	ref r = ir_temp(ir);

	ir_emit(ir, IR_SETCC, I8, r, 0, 0)->aux = cc;
	return r;
}

ref ir_selcc(struct ir *ir, enum ir_type t, enum ir_cond cc, ref yes, ref no)
{
	ref r = ir_temp(ir);

	ir_emit(ir, IR_SELCC, t, r, yes, no)->aux = cc;
	return r;
}

ref ir_setc(struct ir *ir, enum ir_type t, enum ir_cond cc, ref a, ref b)
{
	ref r = ir_temp(ir);

	ir_emit(ir, IR_SETC, t, r, a, b)->aux = cc;
	return r;
}

static struct ir_op *emit_call(struct ir *ir, unsigned helper, ref dst, ref a, ref b, ref c,
			       s32 imm)
{
	struct ir_op *o = ir_emit(ir, IR_CALL, I64, dst, a, b);

	o->c = c;
	o->aux = helper;
	o->imm = imm;
	return o;
}

ref ir_call(struct ir *ir, unsigned helper, ref a, ref b, ref c, s32 imm)
{
	ref r = ir_temp(ir);

	emit_call(ir, helper, r, a, b, c, imm);
	return r;
}

void ir_callv(struct ir *ir, unsigned helper, ref a, ref b, ref c, s32 imm)
{
	emit_call(ir, helper, 0, a, b, c, imm);
}

u32 ir_label(struct ir *ir) { return ir->nlabels++; }

void ir_place(struct ir *ir, u32 label) { ir_emit(ir, IR_LABEL, I64, 0, 0, 0)->imm = label; }

void ir_br(struct ir *ir, u32 label) { ir_emit(ir, IR_BR, I64, 0, 0, 0)->imm = label; }

void ir_brcc(struct ir *ir, enum ir_cond cc, u32 label)
{
	struct ir_op *o = ir_emit(ir, IR_BRCC, I64, 0, 0, 0);

	o->aux = cc;
	o->imm = label;
}

void ir_brnz(struct ir *ir, enum ir_type t, ref a, u32 label)
{
	ir_emit(ir, IR_BRNZ, t, 0, a, 0)->imm = label;
}

void ir_brz(struct ir *ir, enum ir_type t, ref a, u32 label)
{
	ir_emit(ir, IR_BRZ, t, 0, a, 0)->imm = label;
}

void ir_insn(struct ir *ir, u64 pc)
{
	u32 n = ir->ninsns;

	if (n >= IR_MAX_INSNS - 1) {
		ir->full = true;
		n = IR_MAX_INSNS - 1;
	}
	ir->insn[n] = (struct ir_insn){ .pc = pc, .op = ir->nops };
	ir->ninsns = n + 1;
	ir_emit(ir, IR_INSN, I64, 0, 0, 0)->imm = (s32)n;
}

void ir_insn_len(struct ir *ir, unsigned len) { ir->insn[ir->ninsns - 1].len = (u8)len; }

void ir_exitcc(struct ir *ir, enum ir_cond cc, u64 pc)
{
	ref k = ir_const(ir, pc);

	ir_emit(ir, IR_EXITCC, I64, 0, k, 0)->aux = cc;
}

void ir_exitnz(struct ir *ir, enum ir_type t, ref a, u64 pc)
{
	ref k = ir_const(ir, pc);

	ir_emit(ir, IR_EXITNZ, t, 0, a, k);
}

void ir_exitz(struct ir *ir, enum ir_type t, ref a, u64 pc)
{
	ref k = ir_const(ir, pc);

	ir_emit(ir, IR_EXITZ, t, 0, a, k);
}

void ir_callhint(struct ir *ir, u64 retpc)
{
	ref k = ir_const(ir, retpc);

	ir_emit(ir, IR_CALLHINT, I64, 0, k, 0);
}

void ir_goto(struct ir *ir, u64 pc)
{
	ref k = ir_const(ir, pc);

	ir_emit(ir, IR_GOTO, I64, 0, k, 0);
}

void ir_gotoind(struct ir *ir, ref pc, unsigned kind)
{
	ir_emit(ir, IR_GOTOIND, I64, 0, pc, 0)->aux = kind;
}

void ir_exit(struct ir *ir, enum ir_exit why) { ir_emit(ir, IR_EXIT, I64, 0, 0, 0)->aux = why; }
