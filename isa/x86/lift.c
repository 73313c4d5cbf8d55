/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lift.c - the x86 front-end's loop: guest bytes at a pc to one unit of IR. A unit runs on through
 * forward direct jumps inside its page; it ends at the page's end, where the engine says so, when
 * it is full, and behind an instruction that changes the mode. */
#include "decode.h"
#include "helpers.h"

enum { PAGE = 4096 };

/* The unit's progress. */
struct trace {
	struct x86_tr t;
	struct x86_insn in;
	u64 pc;
	unsigned off; /* of pc, from lift->code */
	unsigned count;
};

static void cover(struct lift *l, unsigned from, unsigned to)
{
	l->lo = MIN(l->lo, (int)from);
	l->hi = MAX(l->hi, (int)to);
}

static u64 next_pc(u64 pc, unsigned len, u32 mode)
{
	return (mode & M_CODE) == M_CODE64 ? pc + len : (u32)(pc + len);
}

/* The encoding's own conditions, in the order in which they are checked. */
static bool permitted(struct x86_tr *t)
{
	const struct x86_enc *e = t->in->enc;
	unsigned feature = x86_enc_feature(e);

	if (feature != ~0u && !x86_has(t->cpu, feature)) {
		x86_ud(t);
		return false;
	}
	if ((e->flags & OPF_CPL0) && MODE_CPL(t->mode)) {
		x86_raise_op(t, EXC_GP, 0);
		return false;
	}
	return true;
}

/* What follows an instruction that goes on to the next one: nothing, the single-step trap, or the
 * poll that an STI before it put off. */
static void epilogue(struct trace *r)
{
	struct x86_tr *t = &r->t;

	if (t->ended || t->follow)
		return;
	if (t->single)
		x86_end_next(t, IR_EXIT_NEXT);
	else if (t->poll)
		x86_end_polled(t, ir_call(t->ir, XH_poll, 0, 0, 0, 0), t->next);
}

static void emit(struct trace *r, int rc)
{
	struct x86_tr *t = &r->t;

	t->in = &r->in;
	t->pc = r->pc;
	t->next = next_pc(r->pc, r->in.len, t->mode);
	t->ended = t->follow = false;
	t->poll = t->sti;
	t->sti = false;
	ir_insn(t->ir, r->pc);
	if (t->mode & M_DEBUG) {
		u64 lin = r->pc + t->lift->pc_base;

		ir_callv(t->ir, XH_debug_check,
			 ir_const(t->ir, (t->mode & M_CODE) == M_CODE64 ? lin : (u32)lin), 0, 0, 0);
	}
	if (rc > 15)
		x86_raise_op(t, EXC_GP, 0);
	else if (!rc)
		x86_ud(t);
	else if (permitted(t))
		r->in.enc->emit(t);
	epilogue(r);
	ir_insn_len(t->ir, rc > 15 ? 15 : (unsigned)rc);
}

/* Ends the unit in front of pc. An STI whose successor is not in the unit hands its shadow on. */
static void end_at(struct trace *r)
{
	struct ir *ir = r->t.ir;

	if (r->t.sti) {
		ir_callv(ir, XH_shadow, ir_const(ir, r->pc), 0, 0, 0);
		ir_copy(ir, I64, SLOT(SL_PC), ir_const(ir, r->pc));
		ir_exit(ir, IR_EXIT_POLL);
	} else {
		ir_goto(ir, r->pc);
	}
}

/* Bytes that may be decoded at r->pc: after the first instruction none beyond the page. */
static unsigned available(const struct trace *r)
{
	const struct lift *l = r->t.lift;
	unsigned page = PAGE - l->page_offset, end = r->count ? MIN(l->avail, page) : l->avail;

	return end > r->off ? end - r->off : 0;
}

/* Moves on behind the instruction just lifted; false when the unit is complete. */
static bool advance(struct trace *r)
{
	struct x86_tr *t = &r->t;
	u64 to = t->follow ? t->follow_pc : t->next, delta = to - r->pc;

	if (t->ended)
		return false;
	r->pc = to;
	if (delta < r->in.len || delta >= PAGE || r->off + delta >= PAGE - t->lift->page_offset) {
		end_at(r);
		return false;
	}
	r->off += (unsigned)delta;
	if (r->count >= t->lift->max_insns ||
	    (t->lift->stop_at && t->lift->stop_at(t->lift, r->pc))) {
		end_at(r);
		return false;
	}
	return true;
}

/* One instruction. False when the unit has ended before it; *rc tells LIFT_SHORT. */
static bool step(struct trace *r, int *rc)
{
	struct lift *l = r->t.lift;
	struct ir_mark mark = ir_mark(l->ir);
	unsigned avail = available(r);
	bool sti = r->t.sti;
	int n = x86_decode(l->code + r->off, avail, r->t.mode, &r->in);

	if (n < 0) {
		if (!r->count)
			*rc = LIFT_SHORT;
		else
			end_at(r);
		return false;
	}
	emit(r, n);
	if (l->ir->full && r->count) {
		ir_rewind(l->ir, mark);
		r->t.sti = sti;
		end_at(r);
		return false;
	}
	cover(l, r->off, r->off + (n ? MIN((unsigned)n, 15u) : MIN(avail, 15u)));
	r->count++;
	return true;
}

int x86_lift(struct lift *l)
{
	struct trace r = { .t = { .ir = l->ir,
				  .cpu = X86(l->cpu),
				  .lift = l,
				  .mode = l->mode,
				  .single = l->mode & M_TF },
			   .pc = l->pc };
	int rc = 0;

	l->lo = l->hi = 0;
	while (step(&r, &rc) && advance(&r))
		;
	return rc;
}

/* Straight-line code that is not followed far: enough to find the next ADD, CMP or TEST. */
bool x86_flags_dead(const struct lift *l, const u8 *code, unsigned avail)
{
	struct x86_insn in;

	for (unsigned i = 0; i < 6; i++) {
		int n = x86_decode(code, avail, l->mode, &in);

		if (n <= 0 || n > 15)
			return false;
		if (in.enc->flags & OPF_FW)
			return x86_enc_feature(in.enc) == ~0u && !(in.enc->flags & OPF_CPL0);
		if (!(in.enc->flags & OPF_FN) || x86_enc_feature(in.enc) != ~0u)
			return false;
		code += n;
		avail -= (unsigned)n;
	}
	return false;
}
