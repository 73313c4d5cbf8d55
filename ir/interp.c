/* SPDX-License-Identifier: GPL-2.0-or-later */
/* interp.c - tier 0: executes IR directly. It is the reference that back ends are tested against,
 * and runs whatever they leave: single steps, instructions across pages, stores into the running
 * unit. */
#include "ir.h"

struct run {
	const struct ir_body *b;
	const struct ir_env *env;
	u64 *temps;
};

static void *slot_ptr(const struct run *r, ref s)
{
	return (u8 *)r->env->cpu + r->env->slots[REF_INDEX(s)].offset;
}

static u64 slot_get(const struct run *r, ref s)
{
	const void *p = slot_ptr(r, s);

	switch (r->env->slots[REF_INDEX(s)].type) {
	case I8:
		return ld8(p);
	case I16: {
		u16 v;
		memcpy(&v, p, 2);
		return v;
	}
	case I32: {
		u32 v;
		memcpy(&v, p, 4);
		return v;
	}
	case I64: {
		u64 v;
		memcpy(&v, p, 8);
		return v;
	}
	default:
		return (u64)(uintptr_t)p; /* V128: helpers take the address */
	}
}

static void slot_put(const struct run *r, ref s, enum ir_type t, u64 v)
{
	void *p = slot_ptr(r, s);

	if (t == I32)
		v = (u32)v;
	switch (r->env->slots[REF_INDEX(s)].type) {
	case I8:
		st8(p, (u8)v);
		break;
	case I16: {
		u16 x = (u16)v;
		memcpy(p, &x, 2);
		break;
	}
	case I32: {
		u32 x = (u32)v;
		memcpy(p, &x, 4);
		break;
	}
	default:
		memcpy(p, &v, 8);
		break;
	}
}

static inline u64 val(const struct run *r, ref x)
{
	switch (REF_KIND(x)) {
	case REF_TEMP:
		return r->temps[REF_INDEX(x)];
	case REF_SLOT:
		return slot_get(r, x);
	case REF_CONST:
		return r->b->konst[REF_INDEX(x)];
	default:
		return 0;
	}
}

static bool is_vector(const struct run *r, ref x)
{
	return REF_KIND(x) == REF_SLOT && r->env->slots[REF_INDEX(x)].type == V128;
}

static inline void put(const struct run *r, ref dst, enum ir_type t, u64 v)
{
	if (REF_KIND(dst) == REF_TEMP)
		r->temps[REF_INDEX(dst)] = v;
	else if (dst)
		slot_put(r, dst, t, v);
}

/* A value, of a vector slot its low 64 bits. */
static u64 low_part(const struct run *r, ref x)
{
	u64 v;

	if (!is_vector(r, x))
		return val(r, x);
	memcpy(&v, slot_ptr(r, x), 8);
	return v;
}

static void move(const struct run *r, const struct ir_op *o)
{
	u64 v;

	if (o->type == V128) {
		memcpy(slot_ptr(r, o->dst), slot_ptr(r, o->a), 16);
		return;
	}
	v = low_part(r, o->a);
	if (o->type < I64)
		v &= (1ull << (8u << o->type)) - 1;
	if (is_vector(r, o->dst)) {
		memset(slot_ptr(r, o->dst), 0, 16);
		memcpy(slot_ptr(r, o->dst), &v, 8);
	} else {
		put(r, o->dst, o->type, v);
	}
}

static u64 address(const struct run *r, const struct ir_op *o)
{
	u64 va = val(r, o->a) + (s64)o->imm;

	if (o->op == IR_LOAD || o->op == IR_STORE || o->op == IR_PROBE)
		va += val(r, o->b) << (o->aux & IR_SCALE);
	return o->aux & IR_ADDR32 ? (u32)va : o->aux & IR_ADDR16 ? (u16)va : va;
}

static void load(const struct run *r, const struct ir_op *o)
{
	u64 v;

	if (o->type == V128) {
		u8 buf[16];

		r->env->load(r->env->cpu, V128, address(r, o), o->aux, buf);
		memcpy(slot_ptr(r, o->dst), buf, 16);
		return;
	}
	v = r->env->load(r->env->cpu, o->type, address(r, o), o->aux, NULL);
	if (is_vector(r, o->dst)) {
		memset(slot_ptr(r, o->dst), 0, 16);
		memcpy(slot_ptr(r, o->dst), &v, 8);
		return;
	}
	if (o->aux & (IR_SX32 | IR_SX64)) {
		unsigned sh = 64 - (8u << o->type);
		v = (u64)((s64)(v << sh) >> sh);
		if (o->aux & IR_SX32)
			v = (u32)v;
	}
	put(r, o->dst, I64, v);
}

static void memory(const struct run *r, const struct ir_op *o)
{
	const struct ir_env *e = r->env;

	switch (o->op) {
	case IR_LOAD:
		load(r, o);
		break;
	case IR_STORE:
		if (o->type == V128)
			e->store(e->cpu, V128, address(r, o), o->aux, 0, slot_ptr(r, o->c));
		else
			e->store(e->cpu, o->type, address(r, o), o->aux, low_part(r, o->c), NULL);
		break;
	case IR_RMW:
		put(r, o->dst, I64, e->rmw(e->cpu, o->type, address(r, o), o->aux, val(r, o->c)));
		break;
	case IR_CAS:
		put(r, o->dst, I64,
		    e->cas(e->cpu, o->type, address(r, o), o->aux, val(r, o->b), val(r, o->c)));
		break;
	default: /* PROBE: a zero-length transfer of that kind */
		e->load(e->cpu, o->type, address(r, o), o->aux, (void *)(uintptr_t)1);
		break;
	}
}

static void evaluate(const struct run *r, const struct ir_op *o)
{
	struct ir_eval e = {
		.a = val(r, o->a), .b = val(r, o->b), .c = val(r, o->c), .flags = *r->env->flags
	};

	if (!ir_evaluate(o->op, o->type, o->aux, &e))
		r->env->divide_error(r->env->cpu);
	if (ir_opinfo[o->op].results == 2)
		put(r, (ref)o->aux, o->type, e.hi);
	if (ir_opinfo[o->op].results && o->dst)
		put(r, o->dst,
		    o->op == IR_INS8 || o->op == IR_INS8H || o->op == IR_INS16 ||
				    o->op == IR_SETCC ?
			    I64 :
			    o->type,
		    e.lo);
	if ((o->flags & IR_F) || o->op == IR_PUTF)
		*r->env->flags = e.flags;
}

static bool nonzero(const struct run *r, const struct ir_op *o)
{
	u64 v = val(r, o->a);

	return o->type == I64 ? v : v & ((1ull << (8u << o->type)) - 1);
}

static u32 find_label(const struct ir_body *b, u32 from, s32 label)
{
	for (u32 i = from; i < b->nops; i++)
		if (b->op[i].op == IR_LABEL && b->op[i].imm == label)
			return i;
	return b->nops; /* the verifier refuses this */
}

enum ir_leave ir_interpret(const struct ir_body *b, const struct ir_env *env, u64 *temps)
{
	struct run r = { b, env, temps };

	for (u32 i = 0; i < b->nops; i++) {
		const struct ir_op *o = &b->op[i];

		switch (o->op) {
		case IR_INSN:
			*env->pc = b->insn[o->imm].pc;
			break;
		case IR_LEA: {
			u64 v = val(&r, o->a) + (val(&r, o->b) << o->scale) + (s64)o->imm;
			put(&r, o->dst, o->type == I16 ? I32 : o->type,
			    o->type == I16 ? (u16)v :
			    o->type == I32 ? (u32)v :
					     v);
			break;
		}
		case IR_LOAD:
		case IR_STORE:
		case IR_RMW:
		case IR_CAS:
		case IR_PROBE:
			memory(&r, o);
			break;
		case IR_MOV:
			move(&r, o);
			break;
		case IR_CALL:
			put(&r, o->dst, I64,
			    env->helpers[o->aux].fn(env->cpu, val(&r, o->a), val(&r, o->b),
						    val(&r, o->c), (u64)(s64)o->imm));
			break;
		case IR_FENCE:
			__atomic_thread_fence(__ATOMIC_SEQ_CST);
			break;
		case IR_LABEL:
		case IR_CALLHINT:
			break;
		case IR_BR:
			i = find_label(b, i, o->imm);
			break;
		case IR_BRCC:
			if (ir_cond_holds(o->aux, *env->flags))
				i = find_label(b, i, o->imm);
			break;
		case IR_BRNZ:
		case IR_BRZ:
			if (nonzero(&r, o) == (o->op == IR_BRNZ))
				i = find_label(b, i, o->imm);
			break;
		case IR_EXITCC:
			if (!ir_cond_holds(o->aux, *env->flags))
				break;
			*env->pc = val(&r, o->a);
			return IR_LEAVE_GOTO;
		case IR_EXITNZ:
		case IR_EXITZ:
			if (nonzero(&r, o) != (o->op == IR_EXITNZ))
				break;
			*env->pc = val(&r, o->b);
			return IR_LEAVE_GOTO;
		case IR_GOTO:
		case IR_GOTOIND:
			*env->pc = val(&r, o->a);
			return IR_LEAVE_GOTO;
		case IR_EXIT:
			return o->aux == IR_EXIT_POLL ? IR_LEAVE_POLL : IR_LEAVE_NEXT;
		default:
			evaluate(&r, o);
			break;
		}
	}
	return IR_LEAVE_GOTO;
}
