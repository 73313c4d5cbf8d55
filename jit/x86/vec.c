/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vec.c - vector slots in host registers. xmm2 to xmm15 are a write-through cache of slots inside a
 * unit: whatever is written goes to memory at once, so that leaving and faulting need nothing; only
 * scratch slots wait, as they are dead at the instruction's end. */
#include "emit.h"

enum { FIRST = 2, LAST = 15 };

static void store_back(struct em *m, unsigned x)
{
	ins(&m->c, 0, 4, 0x0f29, x, o_slot_mem(m, SLOT(m->vslot[x] - 1u)), 0); /* movaps */
	m->vdirty &= (u16) ~(1u << x);
}

void vec_drop(struct em *m)
{
	for (unsigned x = FIRST; x <= LAST; x++)
		m->vslot[x] = 0;
	m->vdirty = 0;
}

void vec_flush(struct em *m)
{
	for (unsigned x = FIRST; x <= LAST; x++)
		if (m->vdirty & 1u << x)
			store_back(m, x);
}

void vec_insn(struct em *m)
{
	for (unsigned x = FIRST; x <= LAST; x++)
		if (m->vdirty & 1u << x)
			m->vslot[x] = 0;
	m->vdirty = 0;
}

bool vec_cached(const struct em *m)
{
	for (unsigned x = FIRST; x <= LAST; x++)
		if (m->vslot[x])
			return true;
	return false;
}

void vec_written(struct em *m, ref slot)
{
	const struct ir_slot *s = &m->ir->slots[REF_INDEX(slot)];
	unsigned lo = s->offset, hi = lo + (1u << s->type);

	for (unsigned x = FIRST; x <= LAST; x++) {
		unsigned at;

		if (!m->vslot[x])
			continue;
		at = m->ir->slots[m->vslot[x] - 1].offset;
		if (lo < at + 16 && at < hi) {
			if (m->vdirty & 1u << x)
				store_back(m, x);
			m->vslot[x] = 0;
		}
	}
}

/* A part of a vector is read from memory: what waits is stored first. */
void vec_read_part(struct em *m, ref slot)
{
	const struct ir_slot *s = &m->ir->slots[REF_INDEX(slot)];

	for (unsigned x = FIRST; x <= LAST && m->vdirty; x++)
		if (m->vdirty & 1u << x && s->offset < m->ir->slots[m->vslot[x] - 1].offset + 16u &&
		    m->ir->slots[m->vslot[x] - 1].offset < s->offset + (1u << s->type))
			store_back(m, x);
}

static unsigned find(const struct em *m, ref slot)
{
	for (unsigned x = FIRST; x <= LAST; x++)
		if (m->vslot[x] == REF_INDEX(slot) + 1u)
			return x;
	return 0;
}

static unsigned grab(struct em *m)
{
	unsigned best = FIRST;

	for (unsigned x = FIRST; x <= LAST; x++) {
		if (!m->vslot[x])
			return x;
		if (m->vstamp[x] < m->vstamp[best])
			best = x;
	}
	if (m->vdirty & 1u << best)
		store_back(m, best);
	return best;
}

unsigned vec_read(struct em *m, ref slot)
{
	unsigned x = find(m, slot);

	if (!x) {
		x = grab(m);
		m->vslot[x] = (u16)(REF_INDEX(slot) + 1);
		ins(&m->c, 0, 4, 0x0f28, x, o_slot_mem(m, slot), 0);
	}
	m->vstamp[x] = ++m->vclock;
	return x;
}

unsigned vec_write(struct em *m, ref slot)
{
	unsigned x = find(m, slot);

	if (!x) {
		x = grab(m);
		m->vslot[x] = (u16)(REF_INDEX(slot) + 1);
	}
	m->vstamp[x] = ++m->vclock;
	return x;
}

void vec_done(struct em *m, ref slot)
{
	unsigned x = find(m, slot);

	if (m->ir->slots[REF_INDEX(slot)].pin == IR_SCRATCH)
		m->vdirty |= (u16)(1u << x);
	else
		store_back(m, x);
}

/* MOV with a vector slot on either side. */
void emit_vector_move(struct em *m)
{
	const struct ir_op *o = m->o;
	unsigned size = o->type == I64 ? 8 : 4, x, r;

	if (o->type == V128) {
		unsigned s = vec_read(m, o->a);

		x = vec_write(m, o->dst);
		if (x != s)
			ins(&m->c, 0, 4, 0x0f28, x, o_reg(s), 0);
		vec_done(m, o->dst);
	} else if (vector_slot(m, o->dst) && vector_slot(m, o->a)) {
		unsigned s = vec_read(m, o->a);

		x = vec_write(m, o->dst);
		if (size == 8) {
			ins(&m->c, 0xf3, 4, 0x0f7e, x, o_reg(s), 0); /* movq */
		} else {
			ins(&m->c, 0x66, 4, 0x0fef, 0, o_reg(0), 0); /* pxor; movss */
			ins(&m->c, 0xf3, 4, 0x0f10, 0, o_reg(s), 0);
			ins(&m->c, 0, 4, 0x0f28, x, o_reg(0), 0);
		}
		vec_done(m, o->dst);
	} else if (vector_slot(m, o->dst)) {
		r = val_reg(m, o->a, o->type);
		x = vec_write(m, o->dst);
		ins(&m->c, 0x66, size, 0x0f6e, x, o_reg(r), 0);
		vec_done(m, o->dst);
	} else {
		x = vec_read(m, o->a);
		r = dst_reg(m, o->dst);
		ins(&m->c, 0x66, size, 0x0f7e, x, o_reg(r), 0);
		dst_done(m, o->dst, r, o->type);
	}
}

static u32 opcode(unsigned map, unsigned op)
{
	return (map == 1 ? 0x0f00u : map == 2 ? 0x0f3800u : 0x0f3a00u) | op;
}

/* A vector helper that is one host instruction on this host, as that instruction. */
bool inline_vector(struct em *m, const struct ir_helper *h)
{
	const struct ir_op *o = m->o;
	unsigned d, s;

	if (!(h->flags & H_VEC) || !h->x86.map || !(m->th->vec_need & BIT(h->x86.host_need)) ||
	    o->c || o->dst || !vector_slot(m, o->a) || !vector_slot(m, o->b))
		return false;
	s = vec_read(m, o->b);
	d = vec_read(m, o->a);
	if (h->x86.host_need == HOST_SHA ||
	    (h->x86.map == 2 && h->x86.prefix == 0x66 &&
	     (h->x86.opcode == 0x10 || (h->x86.opcode & 0xfe) == 0x14))) {
		/* those that read xmm0 implicitly are left to the helper */
		return false;
	}
	ins(&m->c, h->x86.prefix, 4, opcode(h->x86.map, h->x86.opcode), d, o_reg(s), 0);
	if (h->x86.has_imm)
		e8(&m->c, (u8)o->imm);
	vec_done(m, o->a);
	return true;
}

/* The helpers whose host instruction is not (vector op= vector). */
bool inline_alt(struct em *m, const struct ir_helper *h)
{
	const struct ir_op *o = m->o;
	struct code *c = &m->c;
	u32 op = opcode(h->x86_alt.map, h->x86_alt.opcode);
	unsigned size = h->x86_alt.rexw ? 8 : 4, r, x, s;

	if (!h->x86_alt.form || !(m->th->vec_need & BIT(h->x86_alt.host_need)) ||
	    !vector_slot(m, o->a))
		return false;
	switch (h->x86_alt.form) {
	case X86_FORM_RV:
		if (!o->dst)
			return false;
		x = vec_read(m, o->a);
		r = dst_reg(m, o->dst);
		ins(c, h->x86_alt.prefix, size, op, r, o_reg(x), 0);
		dst_done(m, o->dst, r, I64);
		return true;
	case X86_FORM_VR:
		r = val_reg(m, o->b, I64);
		x = vec_read(m, o->a);
		ins(c, h->x86_alt.prefix, size, op, x, o_reg(r), 0);
		vec_done(m, o->a);
		return true;
	case X86_FORM_FLAGS:
		if (!vector_slot(m, o->b))
			return false;
		x = vec_read(m, o->a);
		ins(c, h->x86_alt.prefix, size, op, x, o_reg(vec_read(m, o->b)), 0);
		m->fl = FL_HOST;
		return true;
	case X86_FORM_INDEX:
		if (!vector_slot(m, o->b))
			return false;
		x = vec_read(m, o->a);
		s = vec_read(m, o->b);
		mov_store(c, 8, o_mem(RSP, ARGS), RCX);
		ins(c, h->x86_alt.prefix, size, op, x, o_reg(s), 0);
		e8(c, (u8)o->imm);
		if (o->dst) {
			r = take(m);
			mov_rr(c, 4, r, RCX);
			mov_load(c, 8, RCX, o_mem(RSP, ARGS));
			dst_done(m, o->dst, r, I64);
		} else {
			mov_load(c, 8, RCX, o_mem(RSP, ARGS));
		}
		m->fl = FL_HOST;
		return true;
	case X86_FORM_SHIFT:
		x = vec_read(m, o->a);
		ins(c, h->x86_alt.prefix, size, op, h->x86_alt.digit, o_reg(x), 0);
		e8(c, (u8)o->imm);
		vec_done(m, o->a);
		return true;
	default:
		return false;
	}
}
