/* SPDX-License-Identifier: GPL-2.0-or-later */
/* span.c - finds memory operations whose addresses share a base register, so that one check of the
 * whole span can serve them all: pushes and pops, frame accesses, fields of a structure. A base
 * that moves by constants stays the same base. */
#include "ir.h"

enum { MAX_SLOTS = 512, MAX_SPAN = 1024 };

struct base {
	s16 group; /* -1 = none */
	s32 delta; /* what was added to the slot since the group began */
};

static bool groupable(const struct ir *ir, const struct ir_op *o)
{
	if (o->op != IR_LOAD && o->op != IR_STORE)
		return false;
	return REF_KIND(o->a) == REF_SLOT && !o->b && ir->slots[REF_INDEX(o->a)].type == I64 &&
	       REF_INDEX(o->a) < MAX_SLOTS &&
	       !(o->aux & (IR_ADDR32 | IR_ADDR16 | IR_WILLWRITE | IR_SAME | IR_ALIGNED)) &&
	       o->imm > -(1 << 20) && o->imm < 1 << 20;
}

/* slot = slot + constant: the constant, by *by. */
static bool moves_by(const struct ir *ir, const struct ir_op *o, s32 *by)
{
	u64 v;

	if (o->type != I64 || o->dst != o->a)
		return false;
	if (o->op == IR_LEA && !o->b) {
		v = (u64)(s64)o->imm;
	} else if ((o->op == IR_ADD || o->op == IR_SUB) && ir_is_const(o->b)) {
		v = ir_const_value(ir, o->b);
		v = o->op == IR_SUB ? -v : v;
	} else {
		return false;
	}
	if ((s64)v < -MAX_SPAN || (s64)v > MAX_SPAN)
		return false;
	*by = (s32)v;
	return true;
}

static void join(struct ir *ir, struct ir_op *o, struct base *b)
{
	s32 at = b->delta + o->imm, end = at + (1 << o->type);
	struct ir_span *s;

	if (b->group >= 0) {
		s = &ir->span[b->group];
		if (s->ctx == (o->aux & IR_CTX) && MAX(end, s->hi) - MIN(at, s->lo) <= MAX_SPAN) {
			s->lo = MIN(at, s->lo);
			s->hi = MAX(end, s->hi);
			s->write |= o->op == IR_STORE;
			s->members++;
			o->pad = (u16)(b->group + 1);
			return;
		}
	}
	b->group = -1;
	if (ir->nspans >= IR_MAX_SPANS)
		return;
	b->group = (s16)ir->nspans;
	b->delta = 0;
	s = &ir->span[ir->nspans++];
	*s = (struct ir_span){ .lo = o->imm,
			       .hi = o->imm + (1 << o->type),
			       .write = o->op == IR_STORE,
			       .members = 1,
			       .ctx = o->aux & IR_CTX };
	o->pad = (u16)(b->group + 1) | IR_SPAN_LEADER;
}

static void forget(struct base *base, ref r)
{
	if (REF_KIND(r) == REF_SLOT && REF_INDEX(r) < MAX_SLOTS)
		base[REF_INDEX(r)].group = -1;
}

/* May the op change translations, or be jumped over? */
static bool barrier(const struct ir *ir, const struct ir_op *o)
{
	switch (o->op) {
	case IR_CALL:
		return ir->helpers[o->aux].flags & (H_FAULT | H_READ | H_WRITE);
	case IR_LABEL:
	case IR_BR:
	case IR_BRCC:
	case IR_BRNZ:
	case IR_BRZ:
		return true;
	default:
		return false;
	}
}

void ir_spans(struct ir *ir)
{
	struct base base[MAX_SLOTS];
	/* a helper has done part of the instruction: it cannot start again for a failing check */
	bool done = false;

	memset(base, 0xff, sizeof(base));
	ir->nspans = 0;
	for (u32 i = 0; i < ir->nops; i++) {
		struct ir_op *o = &ir->op[i];
		s32 by;

		if (o->op == IR_INSN)
			done = false;
		if (groupable(ir, o) && !done)
			join(ir, o, &base[REF_INDEX(o->a)]);
		if (barrier(ir, o)) {
			done |= o->op == IR_CALL;
			memset(base, 0xff, sizeof(base));
			continue;
		}
		if (moves_by(ir, o, &by) && REF_INDEX(o->dst) < MAX_SLOTS) {
			base[REF_INDEX(o->dst)].delta += by;
			if (base[REF_INDEX(o->dst)].delta < -4 * MAX_SPAN ||
			    base[REF_INDEX(o->dst)].delta > 4 * MAX_SPAN)
				forget(base, o->dst);
			continue;
		}
		forget(base, o->dst);
		if (ir_opinfo[o->op].results == 2)
			forget(base, (ref)o->aux);
	}
	/* a span of one gains nothing */
	for (u32 i = 0; i < ir->nops; i++) {
		struct ir_op *o = &ir->op[i];

		if ((o->op == IR_LOAD || o->op == IR_STORE) && o->pad &&
		    ir->span[(o->pad & ~IR_SPAN_LEADER) - 1].members < 2)
			o->pad = 0;
	}
}
