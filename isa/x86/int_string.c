/* SPDX-License-Identifier: GPL-2.0-or-later */
/* int_string.c - emitters: string instructions. One element is inline; with a repeat prefix a
 * helper works on whole pages (string.c). Intel SDM vol. 1, section 7.3.9; vol. 2, REP. */
#include "decode.h"
#include "helpers.h"
#include "string.h"

static unsigned element(const struct x86_tr *t) { return t->in->opcode & 1 ? t->in->osize : 1; }

static unsigned log2_of(unsigned n) { return n == 1 ? 0 : n == 2 ? 1 : n == 4 ? 2 : 3; }

static void helper(struct x86_tr *t, unsigned nr, unsigned size)
{
	const struct x86_insn *in = t->in;
	s32 imm = (s32)(log2_of(size) | log2_of(in->asize) << STR_ASIZE_SHIFT |
			(unsigned)in->seg << STR_SEG_SHIFT | (in->rep == 0xf2 ? STR_NE : 0) |
			(t->single ? STR_ONE : 0) | (in->rep ? 0 : STR_NOREP));
	ref more = ir_call(t->ir, nr, 0, 0, 0, imm);

	if (!in->rep)
		return;
	/* not done yet: again, from this pc */
	if (t->single || t->poll) {
		ref again = ir_const(t->ir, t->pc), done = ir_const(t->ir, t->next),
		    pc = ir_temp(t->ir);

		ir_emit(t->ir, IR_SEL, I64, pc, again, done)->c = more;
		ir_copy(t->ir, I64, SLOT(SL_PC), pc);
		x86_end_pc(t, IR_EXIT_NEXT);
	} else {
		ir_exitnz(t->ir, I64, more, t->pc);
	}
}

/* +size, or -size with DF. */
static ref direction(struct x86_tr *t, unsigned size)
{
	ref d = ir_bin(t->ir, IR_AND, I64, SLOT(SL_EFLAGS), ir_const(t->ir, EFL_DF));

	/* bit 10 to 2 * size */
	d = ir_bin(t->ir, IR_SHR, I64, d, ir_const(t->ir, 9 - log2_of(size)));
	return ir_bin(t->ir, IR_SUB, I64, ir_const(t->ir, size), d);
}

static void advance(struct x86_tr *t, unsigned reg, ref by)
{
	unsigned width = t->in->asize;
	ref r = x86_gpr(reg);

	if (width == 2)
		x86_put_gpr(t, reg, 2, ir_bin(t->ir, IR_ADD, I32, r, by));
	else
		ir_emit(t->ir, IR_ADD, x86_type(width), r, r, by);
}

static ref source(struct x86_tr *t, unsigned size)
{
	struct x86_addr a = x86_addr_at(t, t->in->seg, x86_gpr(R_SI), size, false);

	return x86_load_at(t, &a, x86_type(size), 0, 0);
}

EMIT(movs)
{
	unsigned size = element(t);
	struct x86_addr a;
	ref v, d;

	if (t->in->rep) {
		helper(t, XH_rep_movs, size);
		return;
	}
	v = source(t, size);
	a = x86_addr_at(t, S_ES, x86_gpr(R_DI), size, true);
	x86_store_at(t, &a, x86_type(size), 0, 0, v);
	d = direction(t, size);
	advance(t, R_SI, d);
	advance(t, R_DI, d);
}

EMIT(stos)
{
	unsigned size = element(t);
	struct x86_addr a;
	ref d;

	if (t->in->rep) {
		helper(t, XH_rep_stos, size);
		return;
	}
	a = x86_addr_at(t, S_ES, x86_gpr(R_DI), size, true);
	x86_store_at(t, &a, x86_type(size), 0, 0, x86_gpr(R_AX));
	d = direction(t, size);
	advance(t, R_DI, d);
}

EMIT(lods)
{
	unsigned size = element(t);
	ref v, d;

	if (t->in->rep) {
		helper(t, XH_rep_lods, size);
		return;
	}
	v = source(t, size);
	x86_put_gpr(t, R_AX, size, v);
	d = direction(t, size);
	advance(t, R_SI, d);
}

EMIT(cmps)
{
	unsigned size = element(t);
	struct x86_addr a;
	ref v, w, d;

	if (t->in->rep) {
		helper(t, XH_rep_cmps, size);
		return;
	}
	v = source(t, size);
	a = x86_addr_at(t, S_ES, x86_gpr(R_DI), size, false);
	w = x86_load_at(t, &a, x86_type(size), 0, 0);
	ir_binf(t->ir, IR_SUB, x86_type(size), 0, v, w);
	d = direction(t, size);
	advance(t, R_SI, d);
	advance(t, R_DI, d);
}

EMIT(scas)
{
	unsigned size = element(t);
	struct x86_addr a;
	ref v, d;

	if (t->in->rep) {
		helper(t, XH_rep_scas, size);
		return;
	}
	a = x86_addr_at(t, S_ES, x86_gpr(R_DI), size, false);
	v = x86_load_at(t, &a, x86_type(size), 0, 0);
	ir_binf(t->ir, IR_SUB, x86_type(size), 0, x86_gpr(R_AX), v);
	d = direction(t, size);
	advance(t, R_DI, d);
}

/* I/O has no 8-byte form, and its permission check may fault: always a helper. */
EMIT(ins) { helper(t, XH_rep_ins, MIN(element(t), 4u)); }
EMIT(outs) { helper(t, XH_rep_outs, MIN(element(t), 4u)); }
