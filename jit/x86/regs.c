/* SPDX-License-Identifier: GPL-2.0-or-later */
/* regs.c - where temporaries and flags are while a unit is emitted. */
#include "emit.h"
#include <assert.h>

const u8 x86_scratch[NSCRATCH] = { RAX, R15, R14 };

void em_start(struct em *m)
{
	struct ir *ir = m->ir;

	memset(m->treg, NOREG, ir->ntemps + 1);
	memset(m->tspill, 0, ir->ntemps + 1);
	memset(m->uses, 0, (ir->ntemps + 1) * sizeof(m->uses[0]));
	for (u32 i = 0; i < ir->nops; i++) {
		const ref r[3] = { ir->op[i].a, ir->op[i].b, ir->op[i].c };

		for (int k = 0; k < 3; k++)
			if (REF_KIND(r[k]) == REF_TEMP)
				m->uses[REF_INDEX(r[k])]++;
	}
	for (int i = 0; i < NSCRATCH; i++)
		m->owner[i] = -1;
	for (u32 i = 0; i < MIN(ir->nlabels, (u32)MAX_LABEL); i++)
		m->label[i] = NULL;
	vec_drop(m);
	m->lock = 0;
	m->spills = 0;
	m->held = false;
	m->span = -1;
	m->fl = FL_MEM;
	m->ncold = m->nexits = m->nfix = 0;
	m->bug = NULL;
}

int scratch_index(unsigned reg) { return reg == RAX ? 0 : reg == R15 ? 1 : reg == R14 ? 2 : -1; }

static void spill(struct em *m, int i)
{
	s32 t = m->owner[i];
	int place;

	if (t < 0 || m->tspill[t])
		return;
	place = m->spills == ~0ull ? NSPILL : __builtin_ctzll(~m->spills);
	if (place >= NSPILL) {
		m->bug = "too many temporaries live";
		return;
	}
	m->spills |= 1ull << place;
	m->tspill[t] = (u8)(place + 1);
	mov_store(&m->c, 8, o_spill((unsigned)place), x86_scratch[i]);
}

static void forget(struct em *m, int i)
{
	if (m->owner[i] >= 0)
		m->treg[m->owner[i]] = NOREG;
	m->owner[i] = -1;
}

unsigned take_reg(struct em *m, unsigned reg)
{
	int i = scratch_index(reg);

	assert(i >= 0);
	if (m->owner[i] >= 0) {
		if (m->uses[m->owner[i]])
			spill(m, i);
		forget(m, i);
	}
	if (reg == R14)
		m->span = -1;
	m->lock |= (u8)(1 << i);
	return reg;
}

unsigned take(struct em *m)
{
	int best = -1;

	for (int i = 0; i < NSCRATCH; i++) {
		if (m->lock & 1 << i || (m->held && x86_scratch[i] == R14))
			continue;
		if (m->owner[i] < 0 || !m->uses[m->owner[i]])
			return take_reg(m, x86_scratch[i]);
		if (best < 0)
			best = i;
	}
	if (best < 0 && m->held) {
		/* the address kept for a store to come gives way; the store looks it up again */
		m->held = false;
		return take_reg(m, R14);
	}
	if (best < 0) {
		m->bug = "no scratch register";
		return RAX;
	}
	return take_reg(m, x86_scratch[best]);
}

void spill_all(struct em *m)
{
	for (int i = 0; i < NSCRATCH; i++) {
		s32 t = m->owner[i];
		unsigned here = 0;

		if (t < 0)
			continue;
		here += m->o->a == REF(REF_TEMP, t);
		here += m->o->b == REF(REF_TEMP, t);
		if (m->uses[t] > here || m->o->c == REF(REF_TEMP, t))
			spill(m, i);
	}
}

void drop_scratch(struct em *m)
{
	for (int i = 0; i < NSCRATCH; i++)
		forget(m, i);
}

void bind_temp(struct em *m, ref temp, unsigned reg)
{
	int i = scratch_index(reg);

	if (m->owner[i] >= 0)
		m->treg[m->owner[i]] = NOREG;
	m->owner[i] = REF_INDEX(temp);
	m->treg[REF_INDEX(temp)] = (u8)reg;
}

void release(struct em *m, ref r)
{
	u32 t = REF_INDEX(r);

	if (REF_KIND(r) != REF_TEMP || --m->uses[t])
		return;
	if (m->treg[t] != NOREG)
		forget(m, scratch_index(m->treg[t]));
	if (m->tspill[t])
		m->spills &= ~(1ull << (m->tspill[t] - 1));
	m->tspill[t] = 0;
}

struct opnd val(struct em *m, ref r, unsigned type)
{
	u32 i = REF_INDEX(r);

	switch (REF_KIND(r)) {
	case REF_TEMP:
		if (m->treg[i] != NOREG) {
			m->lock |= (u8)(1 << scratch_index(m->treg[i]));
			return o_reg(m->treg[i]);
		}
		if (!m->tspill[i])
			m->bug = "a temporary has no place";
		return o_spill(m->tspill[i] ? m->tspill[i] - 1u : 0);
	case REF_SLOT:
		if (m->th->pin[i] != NOREG)
			return o_reg(m->th->pin[i]);
		vec_read_part(m, r);
		if (m->ir->slots[i].type < type) {
			unsigned d = take(m);
			mov_load(&m->c, 1u << m->ir->slots[i].type, d, o_slot_mem(m, r));
			return o_reg(d);
		}
		return o_slot_mem(m, r);
	case REF_CONST:
		return o_imm(m->ir->konst[i]);
	default:
		return o_imm(0);
	}
}

void load_into(struct em *m, unsigned reg, ref r, unsigned type)
{
	u32 i = REF_INDEX(r);
	unsigned size = 1u << MIN(type, (unsigned)I64);

	if (REF_KIND(r) == REF_SLOT && m->th->pin[i] == NOREG) {
		vec_read_part(m, r);
		mov_load(&m->c, MIN(size, 1u << m->ir->slots[i].type), reg, o_slot_mem(m, r));
		return;
	}
	struct opnd o = val(m, r, type);
	if (o.kind == O_REG)
		mov_rr(&m->c, MAX(size, 4u), reg, o.reg);
	else if (o.kind == O_MEM)
		mov_load(&m->c, MAX(size, 4u), reg, o);
	else
		mov_imm(&m->c, reg,
			size == 8 ? o.imm :
			size == 4 ? (u32)o.imm :
			size == 2 ? (u16)o.imm :
				    (u8)o.imm);
}

unsigned val_reg(struct em *m, ref r, unsigned type)
{
	struct opnd o;
	unsigned d;

	if (REF_KIND(r) != REF_CONST) {
		o = val(m, r, type);
		if (o.kind == O_REG)
			return o.reg;
	}
	d = take(m);
	load_into(m, d, r, type);
	return d;
}

unsigned dst_reg(struct em *m, ref dst)
{
	if (REF_KIND(dst) == REF_SLOT && m->th->pin[REF_INDEX(dst)] != NOREG)
		return m->th->pin[REF_INDEX(dst)];
	return take(m);
}

void dst_done(struct em *m, ref dst, unsigned reg, unsigned type)
{
	u32 i = REF_INDEX(dst);
	unsigned st;

	(void)type;
	if (REF_KIND(dst) == REF_TEMP) {
		if (m->uses[i])
			bind_temp(m, dst, reg);
		return;
	}
	if (REF_KIND(dst) != REF_SLOT)
		return;
	if (m->th->pin[i] != NOREG) {
		if (m->th->pin[i] != reg)
			mov_rr(&m->c, 8, m->th->pin[i], reg);
		return;
	}
	st = m->ir->slots[i].type;
	vec_written(m, dst);
	mov_store(&m->c, 1u << st, o_slot_mem(m, dst), reg);
}

void flags_save(struct em *m)
{
	struct code *c = &m->c;
	bool busy = m->lock & 1; /* rax holds an operand of the op at hand */

	if (m->fl != FL_HOST)
		return;
	if (!busy)
		take_reg(m, RAX);
	else
		mov_store(c, 8, o_mem(RSP, ARGS + 24), RAX);
	e8(c, 0x9f);				/* lahf */
	ins(c, 0, 1, 0x0f90, 0, o_reg(RAX), 0); /* seto al */
	mov_store(c, 2, o_cpu(offsetof(struct cpu, hflags)), RAX);
	if (!busy)
		m->lock &= (u8)~1;
	else
		mov_load(c, 8, RAX, o_mem(RSP, ARGS + 24));
	m->fl = FL_BOTH;
}

void flags_load(struct em *m)
{
	struct code *c = &m->c;
	bool busy = m->lock & 1;

	if (m->fl != FL_MEM)
		return;
	if (!busy)
		take_reg(m, RAX);
	else
		mov_store(c, 8, o_mem(RSP, ARGS + 24), RAX);
	mov_load(c, 2, RAX, o_cpu(offsetof(struct cpu, hflags)));
	e8(c, 0x04); /* add al, 0x7f: overflow when bit 0 was set */
	e8(c, 0x7f);
	e8(c, 0x9e); /* sahf */
	if (!busy)
		m->lock &= (u8)~1;
	else
		mov_load(c, 8, RAX, o_mem(RSP, ARGS + 24));
	m->fl = FL_BOTH;
}

void flags_clobber(struct em *m)
{
	if (fl_live(m))
		flags_save(m);
	m->fl = FL_MEM;
}
