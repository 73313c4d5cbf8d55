/* SPDX-License-Identifier: GPL-2.0-or-later */
/* liveness.c - the one backward pass: which flag settings and results nobody reads, and where
 * temporaries are used last. */
#include "ir.h"

enum { MAX_LABELS = 256, MAX_TEMPS = 4096 };

static u16 cond_reads(unsigned cc)
{
	static const u16 f[8] = { HF_O, HF_C, HF_Z,	   HF_C | HF_Z,
				  HF_S, HF_P, HF_S | HF_O, HF_Z | HF_S | HF_O };

	return f[cc >> 1 & 7];
}

void ir_flag_effect(const struct ir *ir, const struct ir_op *o, u16 *reads, u16 *writes)
{
	bool f = o->flags & IR_F;
	ref count = o->op == IR_SHLD || o->op == IR_SHRD ? o->c : o->b;
	bool sure =
		ir_is_const(count) && (ir_const_value(ir, count) & (o->type == I64 ? 63 : 31)) != 0;

	*reads = *writes = 0;
	switch (o->op) {
	case IR_ADC:
	case IR_SBB:
		*reads = HF_C;
		*writes = f ? HF_ALL : 0;
		break;
	case IR_INC:
	case IR_DEC:
		*writes = f ? HF_ALL & ~HF_C : 0;
		break;
	case IR_SHL:
	case IR_SHR:
	case IR_SAR:
	case IR_SHLD:
	case IR_SHRD:
		*writes = f && sure ? HF_ALL : 0;
		break;
	case IR_ROL:
	case IR_ROR:
		*writes = f && sure ? HF_C | HF_O : 0;
		break;
	case IR_RCL:
	case IR_RCR:
		*reads = HF_C;
		*writes = f && sure ? HF_C | HF_O : 0;
		break;
	case IR_BT:
	case IR_BTS:
	case IR_BTR:
	case IR_BTC:
		*writes = f ? HF_C : 0;
		break;
	case IR_SETCC:
	case IR_SELCC:
	case IR_BRCC:
	case IR_EXITCC:
		*reads = cond_reads(o->aux);
		break;
	case IR_GETF:
	case IR_EXIT:
		*reads = HF_ALL;
		break;
	case IR_PUTF:
		*writes = HF_ALL;
		break;
	case IR_CALL: {
		u32 h = ir->helpers[o->aux].flags;
		*reads = h & H_FLAGS_IN ? HF_ALL : 0;
		*writes = h & H_FLAGS_OUT ? HF_ALL : 0;
		break;
	}
	default:
		*writes = f ? HF_ALL : 0;
		break;
	}
}

struct pass {
	struct ir *ir;
	u8 used[MAX_TEMPS];
	u16 at_label[MAX_LABELS];
	u16 live; /* flags wanted after the op at hand */
};

static bool use(struct pass *p, ref r)
{
	bool last;

	if (REF_KIND(r) != REF_TEMP)
		return false;
	last = !p->used[REF_INDEX(r)];
	p->used[REF_INDEX(r)] = 1;
	return last;
}

static bool wanted(struct pass *p, ref r)
{
	return REF_KIND(r) == REF_SLOT || (REF_KIND(r) == REF_TEMP && p->used[REF_INDEX(r)]);
}

static u16 label_live(const struct pass *p, s32 label)
{
	return label < MAX_LABELS ? p->at_label[label] : HF_ALL;
}

static bool can_fault(const struct ir *ir, const struct ir_op *o)
{
	return (ir_opinfo[o->op].props & F_MEM) ||
	       (o->op == IR_CALL && ir->helpers[o->aux].flags & H_FAULT);
}

/* An operation from which the engine may start the instruction again, by itself, in tier 0: a store
 * into translated code, an atomic access where there is no plain memory. It needs the flags that
 * the instruction reads, though they may have been read already. */
static u16 restart_reads(const struct ir *ir, u32 i)
{
	u16 all = 0, reads, writes;

	if ((ir->op[i].op != IR_STORE || ir->op[i].aux & IR_SAME) && ir->op[i].op != IR_RMW &&
	    ir->op[i].op != IR_CAS)
		return 0;
	while (i-- > 0 && ir->op[i].op != IR_INSN) {
		ir_flag_effect(ir, &ir->op[i], &reads, &writes);
		all |= reads;
	}
	return all;
}

static void control(struct pass *p, struct ir_op *o, bool (*exit_dead)(void *, u64), void *arg)
{
	ref target = o->op == IR_EXITNZ || o->op == IR_EXITZ ? o->b : o->a;
	u16 out = HF_ALL;

	switch (o->op) {
	case IR_LABEL:
		if (o->imm < MAX_LABELS)
			p->at_label[o->imm] = p->live;
		break;
	case IR_BR:
		p->live = label_live(p, o->imm);
		break;
	case IR_BRCC:
	case IR_BRNZ:
	case IR_BRZ:
		p->live |= label_live(p, o->imm);
		break;
	case IR_GOTO:
	case IR_EXITCC:
	case IR_EXITNZ:
	case IR_EXITZ:
		if (exit_dead && exit_dead(arg, ir_const_value(p->ir, target)))
			out = 0;
		o->pad = out != 0;
		p->live = o->op == IR_GOTO ? out : p->live | out;
		break;
	case IR_GOTOIND:
	case IR_EXIT:
		p->live = HF_ALL;
		break;
	}
}

static bool removable(struct pass *p, const struct ir_op *o, bool flags_wanted)
{
	const struct ir_opinfo *info = &ir_opinfo[o->op];

	if (o->op == IR_CALL)
		return (p->ir->helpers[o->aux].flags & H_PURE) && !wanted(p, o->dst);
	if ((info->props & (F_EFFECT | F_MEM | F_END)) || flags_wanted)
		return false;
	return !wanted(p, o->dst) && !(info->results == 2 && wanted(p, (ref)o->aux));
}

void ir_liveness(struct ir *ir, bool strict, bool (*exit_dead)(void *arg, u64 pc), void *arg)
{
	static __thread struct pass pass;
	struct pass *p = &pass;

	p->ir = ir;
	p->live = HF_ALL;
	memset(p->used, 0, ir->ntemps + 1);
	for (u32 i = ir->nops; i-- > 0;) {
		struct ir_op *o = &ir->op[i];
		u16 reads, writes;
		bool sets = (o->flags & IR_F) || o->op == IR_PUTF;

		control(p, o, exit_dead, arg);
		p->live |= restart_reads(ir, i);
		o->live = ir_flags_pack(p->live);
		ir_flag_effect(ir, o, &reads, &writes);
		/* an op that may leave some flags alone is wanted when any flag is */
		if (sets && !(p->live & (writes ? writes : HF_ALL)))
			o->flags |= IR_FDEAD;
		if (removable(p, o, sets && !(o->flags & IR_FDEAD))) {
			*o = (struct ir_op){ .op = IR_MOV, .type = I64 };
			continue;
		}
		p->live = (u16)((p->live & ~writes) | reads);
		if (strict && can_fault(ir, o))
			p->live = HF_ALL;
		if (use(p, o->a))
			o->flags |= IR_LAST_A;
		if (use(p, o->b))
			o->flags |= IR_LAST_B;
		if (use(p, o->c))
			o->flags |= IR_LAST_C;
	}
}
