/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mem.c - guest memory operations: the inline soft TLB look-up, atomics, and the out-of-line paths.
 * Also division, whose rare cases leave the line in the same way. */
#include "emit.h"

static u8 *new_cold(struct em *m, unsigned fn, struct cold **out)
{
	struct cold *k;

	if (m->ncold >= MAX_COLD) {
		m->c.full = true;
		m->ncold = MAX_COLD - 1;
	}
	k = &m->cold[m->ncold++];
	memset(k, 0, sizeof(*k));
	k->fn = (u8)fn;
	k->type = m->o->type;
	k->aux = m->o->aux;
	k->vectors = vec_cached(m);
	*out = k;
	return m->c.p;
}

/* The address in one register: a pinned one when it needs no arithmetic, else rax. Scratch
 * registers are free for use afterwards. */
static unsigned address(struct em *m)
{
	const struct ir_op *o = m->o;
	struct code *c = &m->c;
	bool index = o->b && (o->op == IR_LOAD || o->op == IR_STORE || o->op == IR_PROBE);
	unsigned size = o->aux & (IR_ADDR32 | IR_ADDR16) ? 4 : 8,
		 scale = index ? o->aux & IR_SCALE : 0;
	u64 disp = (u64)(s64)o->imm;
	unsigned base = NOREG, idx = NOREG;

	if (index && ir_is_const(o->b)) {
		disp += ir_const_value(m->ir, o->b) << scale;
		index = false;
	}
	if (!o->a || ir_is_const(o->a)) {
		disp += o->a ? ir_const_value(m->ir, o->a) : 0;
	} else {
		base = val_reg(m, o->a, I64);
	}
	if (index)
		idx = val_reg(m, o->b, I64);
	if (!fits32(disp)) {
		/* only from constants: put it into a register of its own */
		unsigned d =
			base == RAX || idx == RAX ? (base == R15 || idx == R15 ? R14 : R15) : RAX;

		mov_imm(c, d, disp);
		if (base != NOREG && idx != NOREG) {
			lea(c, 8, d, o_idx(d, base, 0, 0));
			base = d;
		} else if (base != NOREG) {
			idx = base;
			scale = 0;
			base = d;
		} else {
			base = d;
		}
		disp = 0;
	}
	drop_scratch(m);
	if (base != NOREG && idx == NOREG && !disp && size == 8 && base != R14 && base != R15)
		return base;
	if (base == NOREG && idx == NOREG)
		mov_imm(c, RAX, size == 4 ? (u32)disp : disp);
	else if (idx == NOREG && !disp)
		mov_rr(c, size, RAX, base);
	else if (idx == NOREG)
		lea(c, size, RAX, o_mem(base, (s32)disp));
	else
		lea(c, size, RAX, o_idx(base, idx, scale, (s32)disp));
	if (o->aux & IR_ADDR16)
		ins(c, 0, 4, 0x0fb7, RAX, o_reg(RAX), 0);
	return RAX;
}

enum { ENTRY_BITS = 5 };
_Static_assert(sizeof(struct tlb_entry) == 1 << ENTRY_BITS, "indexing by a shift");

static s32 fast_table(unsigned ctx, bool write)
{
	return (s32)(offsetof(struct tlb_set, fast) + ctx * TLB_SIZE * sizeof(struct tlb_entry) +
		     (write ? offsetof(struct tlb_entry, w) : offsetof(struct tlb_entry, r)));
}

/* r14 = addend on a hit; jumps to the cold part on a miss. */
static void lookup(struct em *m, unsigned a, unsigned type, bool write, struct cold *k)
{
	struct code *c = &m->c;
	unsigned ctx = (m->o->aux & IR_CTX) >> IR_CTX_SHIFT;
	s32 table = fast_table(ctx, write);
	unsigned size = 1u << type;

	if (m->o->aux & IR_ALIGNED && size > 1) {
		ins(c, 0, 1, 0xf6, 0, o_reg(a), BYTE_RM); /* test a8, size - 1 */
		e8(c, (u8)(size - 1));
		k->from[1] = jcc(c, CC_NE);
		size = 1;
	}
	if (m->th->bmi2) {
		e8(c, 0xc4); /* rorx r14, a, 8 */
		e8(c, (u8)(0x43 | (a & 8 ? 0 : 0x20)));
		e8(c, 0xfb);
		e8(c, 0xf0);
		e8(c, (u8)(0xf0 | (a & 7)));
		e8(c, GUEST_PAGE_BITS - ENTRY_BITS);
	} else {
		mov_rr(c, 8, R14, a);
		shift_imm(c, 5, 8, o_reg(R14), GUEST_PAGE_BITS - ENTRY_BITS);
	}
	alu_imm(c, ALU_AND, 4, o_reg(R14), (TLB_SIZE - 1) << ENTRY_BITS);
	if (size == 1)
		mov_rr(c, 8, R15, a);
	else
		lea(c, 8, R15, o_mem(a, (s32)size - 1));
	shift_imm(c, 5, 8, o_reg(R15), GUEST_PAGE_BITS);
	alu_rm(c, ALU_CMP, 8, R15, o_gs(R14, table));
	k->from[0] = jcc(c, CC_NE);
	k->addr = (u8)a;
	ins(c, 0, 8, 0x8b, R14, o_gs(R14, table + (s32)offsetof(struct tlb_fast, addend)), 0);
}

/* d = [p] with the op's extension */
static void load_ext(struct em *m, unsigned type, u16 aux, unsigned d, struct opnd p, unsigned byte)
{
	struct code *c = &m->c;
	unsigned to = aux & IR_SX64 ? 8 : 4;

	if (!(aux & (IR_SX32 | IR_SX64)) || type == I64 || (type == I32 && to == 4)) {
		if (type <= I16)
			ins(c, 0, 4, type == I8 ? 0x0fb6 : 0x0fb7, d, p, byte);
		else
			ins(c, 0, 1u << type, 0x8b, d, p, 0);
	} else if (type == I32) {
		ins(c, 0, 8, 0x63, d, p, 0);
	} else {
		ins(c, 0, to, type == I8 ? 0x0fbe : 0x0fbf, d, p, byte);
	}
}

/* Into a vector slot: all of it, or 32 or 64 bits that clear the rest; narrower ones by way of rax.
 */
static void emit_load_vector(struct em *m)
{
	const struct ir_op *o = m->o;
	struct cold *k;
	unsigned a = address(m), x;

	new_cold(m, o->type == V128 ? FN_LOAD128 : FN_LOAD, &k);
	lookup(m, a, o->type, false, k);
	x = vec_write(m, o->dst);
	k->dst = (u8)x;
	k->vector = true;
	if (o->type == V128)
		ins(&m->c, 0, 4, 0x0f10, x, o_idx(R14, a, 0, 0), 0); /* movups */
	else if (o->type >= I32)
		ins(&m->c, o->type == I64 ? 0xf3 : 0x66, 4, o->type == I64 ? 0x0f7e : 0x0f6e, x,
		    o_idx(R14, a, 0, 0), 0); /* movq, movd */
	else
		m->bug = "a vector load narrower than 32 bits";
	k->back = m->c.p;
	vec_done(m, o->dst);
}

static void emit_load(struct em *m)
{
	const struct ir_op *o = m->o;
	struct cold *k;
	unsigned a, d;

	if (vector_slot(m, o->dst)) {
		emit_load_vector(m);
		return;
	}
	a = address(m);
	if (o->aux & IR_WILLWRITE) {
		new_cold(m, FN_FILLW, &k);
		lookup(m, a, o->type, true, k);
		lea(&m->c, 8, R14, o_idx(R14, a, 0, 0));
		k->back = m->c.p;
		m->held = true;
		m->lock = 0;
		d = dst_reg(m, o->dst);
		load_ext(m, o->type, o->aux, d, o_mem(R14, 0), 0);
		dst_done(m, o->dst, d, I64);
		return;
	}
	new_cold(m, FN_LOAD, &k);
	lookup(m, a, o->type, false, k);
	m->lock = 0;
	d = REF_KIND(o->dst) == REF_SLOT && m->th->pin[REF_INDEX(o->dst)] != NOREG ?
		    m->th->pin[REF_INDEX(o->dst)] :
		    RAX;
	load_ext(m, o->type, o->aux, d, o_idx(R14, a, 0, 0), 0);
	k->dst = (u8)d;
	k->back = m->c.p;
	if (o->dst)
		dst_done(m, o->dst, d, I64);
}

/* Where a value to be stored lies once scratch registers are free; r15 is used when it must be in a
 * register. */
static struct opnd stored(struct em *m, ref r, unsigned type)
{
	struct opnd o;

	if (REF_KIND(r) == REF_SLOT && m->th->pin[REF_INDEX(r)] == NOREG)
		return o_slot_mem(m, r);
	o = val(m, r, type);
	if (o.kind == O_IMM) {
		o.imm = type == I8  ? (u64)(s64)(s8)o.imm :
			type == I16 ? (u64)(s64)(s16)o.imm :
			type == I32 ? (u64)(s64)(s32)o.imm :
				      o.imm;
	}
	return o;
}

static void store_value(struct em *m, struct opnd p, ref r, unsigned type, unsigned tmp)
{
	struct opnd v = stored(m, r, type);
	unsigned size = 1u << type;

	if (v.kind == O_IMM && (type < I64 || fits32(v.imm))) {
		mov_store_imm(&m->c, size, p, v.imm);
		return;
	}
	if (v.kind == O_IMM)
		mov_imm(&m->c, tmp, v.imm);
	else if (v.kind == O_MEM)
		mov_load(&m->c, size, tmp, v);
	mov_store(&m->c, size, p, v.kind == O_REG ? v.reg : tmp);
}

static void emit_store(struct em *m)
{
	const struct ir_op *o = m->o;
	struct cold *k;
	unsigned a, x;

	if (o->aux & IR_SAME && m->held) {
		unsigned t = NOREG;
		struct opnd v = val(m, o->c, o->type);

		if (v.kind == O_MEM || (v.kind == O_IMM && o->type == I64 && !fits32(v.imm)))
			t = take(m);
		store_value(m, o_mem(R14, 0), o->c, o->type, t);
		m->held = false;
		return;
	}
	a = address(m);
	x = vector_slot(m, o->c) ? vec_read(m, o->c) : 0;
	new_cold(m, o->type == V128 ? FN_STORE128 : FN_STORE, &k);
	lookup(m, a, o->type, true, k);
	k->value = o->c;
	if (vector_slot(m, o->c)) {
		k->vector = true;
		k->dst = (u8)x;
		if (o->type == V128)
			ins(&m->c, 0, 4, 0x0f11, x, o_idx(R14, a, 0, 0), 0);
		else
			ins(&m->c, 0x66, 4, o->type == I64 ? 0x0fd6 : 0x0f7e, x,
			    o_idx(R14, a, 0, 0), 0); /* movq, movd */
	} else {
		k->vopnd = stored(m, o->c, o->type);
		store_value(m, o_idx(R14, a, 0, 0), o->c, o->type, R15);
	}
	k->back = m->c.p;
}

static void atomic_simple(struct em *m, unsigned alu, struct opnd v)
{
	const struct ir_op *o = m->o;
	unsigned size = 1u << o->type;

	if (v.kind == O_IMM && (o->type < I64 || fits32(v.imm))) {
		e8(&m->c, 0xf0);
		alu_imm(&m->c, alu, size, o_mem(R14, 0), (s32)v.imm);
		return;
	}
	if (v.kind != O_REG) {
		load_into(m, R15, o->c, o->type);
		v = o_reg(R15);
	}
	e8(&m->c, 0xf0);
	alu_mr(&m->c, alu, size, o_mem(R14, 0), v.reg);
}

/* and, or, xor with the old value wanted: a compare-and-exchange loop */
static void atomic_loop(struct em *m, unsigned alu)
{
	struct code *c = &m->c;
	unsigned size = 1u << m->o->type;
	u8 *again;

	mov_load(c, size, RAX, o_mem(R14, 0));
	again = c->p;
	load_into(m, R15, m->o->c, m->o->type);
	alu_rm(c, alu, size, R15, o_reg(RAX));
	e8(c, 0xf0);
	ins(c, 0, size, size == 1 ? 0x0fb0 : 0x0fb1, R15, o_mem(R14, 0), BYTE_REG);
	jcc_to(c, CC_NE, again);
}

static void emit_rmw(struct em *m)
{
	static const u8 alu[] = { [IR_RMW_ADD] = ALU_ADD,
				  [IR_RMW_AND] = ALU_AND,
				  [IR_RMW_OR] = ALU_OR,
				  [IR_RMW_XOR] = ALU_XOR,
				  [IR_RMW_SUB] = ALU_SUB };
	const struct ir_op *o = m->o;
	struct code *c = &m->c;
	unsigned op = o->aux >> IR_RMW_SHIFT & 7, size = 1u << o->type, old = R15;
	bool wanted = REF_KIND(o->dst) == REF_SLOT || (o->dst && m->uses[REF_INDEX(o->dst)]);
	struct cold *k;
	unsigned a = address(m);

	new_cold(m, FN_FILLW, &k);
	lookup(m, a, o->type, true, k);
	lea(c, 8, R14, o_idx(R14, a, 0, 0));
	k->back = c->p;
	if (op == IR_RMW_XCHG) {
		load_into(m, R15, o->c, o->type);
		ins(c, 0, size, size == 1 ? 0x86 : 0x87, R15, o_mem(R14, 0), BYTE_REG);
	} else if (!wanted) {
		atomic_simple(m, alu[op], stored(m, o->c, o->type));
	} else if (op == IR_RMW_ADD || op == IR_RMW_SUB) {
		load_into(m, R15, o->c, o->type);
		if (op == IR_RMW_SUB)
			ins(c, 0, 8, 0xf7, 3, o_reg(R15), 0);
		e8(c, 0xf0);
		ins(c, 0, size, size == 1 ? 0x0fc0 : 0x0fc1, R15, o_mem(R14, 0), BYTE_REG);
	} else {
		atomic_loop(m, alu[op]);
		old = RAX;
	}
	m->lock = 0;
	if (!wanted)
		return;
	if (o->type < I32)
		ins(c, 0, 4, o->type == I8 ? 0x0fb6 : 0x0fb7, old, o_reg(old), BYTE_RM);
	dst_done(m, o->dst, old, o->type);
}

static void emit_cas(struct em *m)
{
	const struct ir_op *o = m->o;
	struct code *c = &m->c;
	unsigned size = 1u << o->type;
	struct cold *k;
	unsigned a = address(m);

	new_cold(m, FN_FILLW, &k);
	lookup(m, a, o->type, true, k);
	lea(c, 8, R14, o_idx(R14, a, 0, 0));
	k->back = c->p;
	load_into(m, RAX, o->b, o->type);
	load_into(m, R15, o->c, o->type);
	e8(c, 0xf0);
	ins(c, 0, size, size == 1 ? 0x0fb0 : 0x0fb1, R15, o_mem(R14, 0), BYTE_REG);
	m->lock = 0;
	if (o->type < I32)
		ins(c, 0, 4, o->type == I8 ? 0x0fb6 : 0x0fb7, RAX, o_reg(RAX), BYTE_RM);
	if (o->dst)
		dst_done(m, o->dst, RAX, o->type);
}

static void emit_probe(struct em *m)
{
	struct cold *k;
	unsigned a = address(m);

	new_cold(m, FN_PROBE, &k);
	lookup(m, a, m->o->type, m->o->aux & IR_WILLWRITE, k);
	k->back = m->c.p;
}

/* An access in a span that is checked once for all its members. A failing check (a page boundary
 * inside it, or a page not in the TLB) leaves for a unit without spans at this instruction: nothing
 * of it is done yet. */
static void span_check(struct em *m, unsigned g)
{
	const struct ir_span *s = &m->ir->span[g];
	struct code *c = &m->c;
	s32 table = fast_table(s->ctx >> IR_CTX_SHIFT, s->write);
	unsigned base = val_reg(m, m->o->a, I64);

	if (m->strict && m->fl == FL_HOST)
		flags_save(m);
	flags_clobber(m);
	take_reg(m, R14);
	take_reg(m, R15);
	if (base == R14)
		lea(c, 8, R15, o_mem(base, s->hi - 1));
	lea(c, 8, R14, o_mem(base, s->lo));
	if (base != R14)
		lea(c, 8, R15, o_mem(base, s->hi - 1));
	shift_imm(c, 5, 8, o_reg(R14), GUEST_PAGE_BITS - ENTRY_BITS);
	shift_imm(c, 5, 8, o_reg(R15), GUEST_PAGE_BITS);
	alu_imm(c, ALU_AND, 4, o_reg(R14), (TLB_SIZE - 1) << ENTRY_BITS);
	alu_rm(c, ALU_CMP, 8, R15, o_gs(R14, table));
	add_exit(m, jcc(c, CC_NE), m->ir->insn[m->u->ninsns].pc, false);
	m->exit[m->nexits - 1].nospan = true;
	ins(c, 0, 8, 0x8b, R14, o_gs(R14, table + (s32)offsetof(struct tlb_fast, addend)), 0);
	mov_store(c, 8, o_mem(RSP, SPAN + 8 * (s32)g), R14);
}

static void span_load(struct em *m, struct opnd p)
{
	const struct ir_op *o = m->o;
	unsigned d;

	if (vector_slot(m, o->dst)) {
		d = vec_write(m, o->dst);
		if (o->type == V128)
			ins(&m->c, 0, 4, 0x0f10, d, p, 0);
		else
			ins(&m->c, o->type == I64 ? 0xf3 : 0x66, 4,
			    o->type == I64 ? 0x0f7e : 0x0f6e, d, p, 0);
		vec_done(m, o->dst);
		return;
	}
	d = dst_reg(m, o->dst);
	load_ext(m, o->type, o->aux, d, p, 0);
	dst_done(m, o->dst, d, I64);
}

static void span_store(struct em *m, struct opnd p)
{
	const struct ir_op *o = m->o;
	unsigned t = NOREG;
	struct opnd v;

	if (vector_slot(m, o->c)) {
		t = vec_read(m, o->c);
		if (o->type == V128)
			ins(&m->c, 0, 4, 0x0f11, t, p, 0);
		else
			ins(&m->c, 0x66, 4, o->type == I64 ? 0x0fd6 : 0x0f7e, t, p, 0);
		return;
	}
	v = stored(m, o->c, o->type);
	if (v.kind == O_MEM || (v.kind == O_IMM && o->type == I64 && !fits32(v.imm)))
		t = take(m);
	store_value(m, p, o->c, o->type, t);
}

static bool emit_span(struct em *m)
{
	const struct ir_op *o = m->o;
	unsigned g = (o->pad & ~IR_SPAN_LEADER) - 1u, base;

	if (!o->pad || m->u->nospan || (o->op != IR_LOAD && o->op != IR_STORE))
		return false;
	m->held = false;
	if (o->pad & IR_SPAN_LEADER) {
		span_check(m, g);
	} else if (m->span != (int)g) {
		take_reg(m, R14);
		mov_load(&m->c, 8, R14, o_mem(RSP, SPAN + 8 * (s32)g));
	}
	m->span = (int)g;
	m->lock = (u8)(1 << scratch_index(R14));
	base = val_reg(m, o->a, I64);
	if (o->op == IR_LOAD)
		span_load(m, o_idx(R14, base, 0, o->imm));
	else
		span_store(m, o_idx(R14, base, 0, o->imm));
	m->span = (int)g;
	return true;
}

/* Temporaries that a memory op reads after its look-up must be in memory by then. */
static void spill_operands(struct em *m)
{
	const struct ir_op *o = m->o;

	for (int i = 0; i < NSCRATCH; i++) {
		s32 t = m->owner[i];

		if (t >= 0 && o->op == IR_CAS && o->b == REF(REF_TEMP, t) && !m->tspill[t]) {
			m->uses[t]++; /* make spill_all keep it */
			spill_all(m);
			m->uses[t]--;
		}
	}
	spill_all(m);
}

void emit_memory(struct em *m)
{
	const struct ir_op *o = m->o;

	if (emit_span(m))
		return;
	if (!(o->op == IR_STORE && o->aux & IR_SAME && m->held)) {
		m->span = -1;
		if (m->strict && m->fl == FL_HOST)
			flags_save(m);
		flags_clobber(m);
		if (m->held && o->op != IR_STORE)
			m->held = false;
		m->held = false;
		spill_operands(m);
	}
	switch (o->op) {
	case IR_LOAD:
		emit_load(m);
		break;
	case IR_STORE:
		emit_store(m);
		break;
	case IR_RMW:
		emit_rmw(m);
		break;
	case IR_CAS:
		emit_cas(m);
		break;
	default:
		emit_probe(m);
		break;
	}
}

/* rax = low, r15 = high, r14 = divisor; the pinned rdx is kept aside. Results: rax quotient, r15
 * remainder. */
void emit_divide(struct em *m)
{
	const struct ir_op *o = m->o;
	struct code *c = &m->c;
	unsigned size = 1u << o->type;
	struct cold *k;

	if (m->strict && m->fl == FL_HOST)
		flags_save(m);
	flags_clobber(m);
	m->held = false;
	m->span = -1;
	for (int i = 0; i < NSCRATCH; i++)
		if (m->owner[i] >= 0)
			m->uses[m->owner[i]]++; /* all operands are read from memory below */
	spill_all(m);
	for (int i = 0; i < NSCRATCH; i++)
		if (m->owner[i] >= 0)
			m->uses[m->owner[i]]--;
	drop_scratch(m);
	load_into(m, RAX, o->a, o->type);
	load_into(m, R15, o->b, o->type);
	load_into(m, R14, o->c, o->type);
	new_cold(m, FN_DIV, &k);
	k->div_signed = o->op == IR_DIVS2;
	if (o->type == I8) {
		k->from[0] = jmp(c);
	} else if (o->op == IR_DIVU2) {
		alu_rm(c, ALU_CMP, size, R15, o_reg(R14));
		k->from[0] = jcc(c, CC_AE);
		ins(c, 0, 8, 0x87, RDX, o_reg(R15), 0); /* xchg */
		ins(c, 0, size, 0xf7, 6, o_reg(R14), 0);
		ins(c, 0, 8, 0x87, RDX, o_reg(R15), 0);
	} else {
		/* safe when the dividend is the sign extension of its low half and the divisor is
		 * neither 0 nor -1 */
		mov_store(c, 8, o_mem(RSP, ARGS + 24), RDX);
		mov_rr(c, 8, RDX, RAX);
		shift_imm(c, 7, size, o_reg(RDX), 8 * size - 1);
		alu_rm(c, ALU_CMP, size, RDX, o_reg(R15));
		k->from[0] = jcc(c, CC_NE);
		lea(c, 8, RDX, o_mem(R14, 1));
		alu_imm(c, ALU_CMP, size, o_reg(RDX), 1);
		k->from[1] = jcc(c, CC_BE);
		mov_rr(c, 8, RDX, R15);
		ins(c, 0, size, 0xf7, 7, o_reg(R14), 0);
		mov_rr(c, 8, R15, RDX);
		mov_load(c, 8, RDX, o_mem(RSP, ARGS + 24));
	}
	k->back = c->p;
	m->lock = 0;
	if (o->dst)
		dst_done(m, o->dst, RAX, o->type);
	if (o->aux)
		dst_done(m, (ref)o->aux, R15, o->type);
}

static void cold_divide(struct em *m, const struct cold *k, const u8 **at)
{
	struct code *c = &m->c;

	if (k->div_signed && k->type != I8)
		mov_load(c, 8, RDX, o_mem(RSP, ARGS + 24));
	mov_store(c, 8, o_mem(RSP, ARGS), RAX);
	mov_store(c, 8, o_mem(RSP, ARGS + 8), R15);
	mov_store(c, 8, o_mem(RSP, ARGS + 16), R14);
	mov_imm(c, R14, (u64)k->type | (u64)k->div_signed << 8);
	call_to(c, m->th->slow[k->vectors][FN_DIV]);
	*at = c->p;
	mov_load(c, 8, RAX, o_mem(RSP, ARGS));
	mov_load(c, 8, R15, o_mem(RSP, ARGS + 8));
}

static void cold_value(struct em *m, const struct cold *k)
{
	struct code *c = &m->c;

	if (k->vector) {
		ins(c, 0, 4, 0x0f29, k->dst, o_mem(RSP, ARGS), 0); /* movaps */
		return;
	}
	if (k->vopnd.kind == O_REG) {
		mov_store(c, 8, o_mem(RSP, ARGS), k->vopnd.reg);
		return;
	}
	if (k->vopnd.kind == O_MEM)
		mov_load(c, 1u << k->type, R15, k->vopnd);
	else
		mov_imm(c, R15, k->vopnd.imm);
	mov_store(c, 8, o_mem(RSP, ARGS), R15);
}

static void call_slow(struct em *m, const struct cold *k)
{
	u32 desc = k->type | (u32)k->aux << 8;
	const u8 *door = thunks_door(m->th, k->fn, k->vectors, desc);

	if (!door)
		mov_imm(&m->c, R14, desc);
	call_to(&m->c, door ? door : m->th->slow[k->vectors][k->fn]);
}

void emit_cold_parts(struct em *m, const u8 **at)
{
	struct code *c = &m->c;

	for (u32 i = 0; i < m->ncold && !c->full; i++) {
		struct cold *k = &m->cold[i];

		for (int j = 0; j < 2; j++)
			if (k->from[j])
				patch_rel(k->from[j], c->p);
		if (k->fn == FN_DIV) {
			cold_divide(m, k, &at[i]);
			jmp_to(c, k->back);
			continue;
		}
		if (k->fn == FN_STORE || k->fn == FN_STORE128)
			cold_value(m, k);
		mov_rr(c, 8, RAX, k->addr);
		call_slow(m, k);
		at[i] = c->p;
		if (k->fn == FN_LOAD && k->vector)
			ins(c, 0x66, 8, 0x0f6e, k->dst, o_reg(RAX), 0);
		else if (k->fn == FN_LOAD && (k->dst != RAX || k->aux & (IR_SX32 | IR_SX64)))
			load_ext(m, k->type, k->aux, k->dst, o_reg(RAX), BYTE_RM);
		else if (k->fn == FN_LOAD128)
			ins(c, 0, 4, 0x0f10, k->dst, o_mem(RAX, 0), 0);
		else if (k->fn == FN_FILLW)
			mov_rr(c, 8, R14, RAX);
		jmp_to(c, k->back);
	}
}
