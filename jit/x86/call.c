/* SPDX-License-Identifier: GPL-2.0-or-later */
/* call.c - helper calls, and the vector helpers that are one host instruction. */
#include "emit.h"

static bool inline_vector(struct em *m, const struct ir_helper *h)
{
	const struct ir_op *o = m->o;
	struct code *c = &m->c;
	u32 op;

	if (!(h->flags & H_VEC) || !h->x86.map || !(m->th->vec_need & BIT(h->x86.host_need)) || REF_KIND(o->a) != REF_SLOT ||
	    REF_KIND(o->b) != REF_SLOT || o->c || o->dst || m->ir->slots[REF_INDEX(o->a)].type != V128 || m->ir->slots[REF_INDEX(o->b)].type != V128)
		return false;
	op = h->x86.map == 1 ? 0x0f00u : h->x86.map == 2 ? 0x0f3800u : 0x0f3a00u;
	ins(c, 0, 4, 0x0f28, 0, o_slot_mem(m, o->a), 0);
	ins(c, 0, 4, 0x0f28, 1, o_slot_mem(m, o->b), 0);
	ins(c, h->x86.prefix, 4, op | h->x86.opcode, 0, o_reg(1), 0);
	if (h->x86.has_imm)
		e8(c, (u8)o->imm);
	ins(c, 0, 4, 0x0f29, 0, o_slot_mem(m, o->a), 0);
	return true;
}

/* The helpers whose host instruction is not (vector op= vector). */
static bool inline_alt(struct em *m, const struct ir_helper *h)
{
	const struct ir_op *o = m->o;
	struct code *c = &m->c;
	u32 op = (h->x86_alt.map == 1 ? 0x0f00u : h->x86_alt.map == 2 ? 0x0f3800u : 0x0f3a00u) | h->x86_alt.opcode;
	unsigned size = h->x86_alt.rexw ? 8 : 4, r;

	if (!h->x86_alt.form || !(m->th->vec_need & BIT(h->x86_alt.host_need)) || !vector_slot(m, o->a))
		return false;
	switch (h->x86_alt.form) {
	case X86_FORM_RV:
		if (!o->dst)
			return false;
		ins(c, 0, 4, 0x0f28, 0, o_slot_mem(m, o->a), 0);
		r = dst_reg(m, o->dst);
		ins(c, h->x86_alt.prefix, size, op, r, o_reg(0), 0);
		dst_done(m, o->dst, r, I64);
		return true;
	case X86_FORM_VR:
		r = val_reg(m, o->b, I64);
		ins(c, 0, 4, 0x0f28, 0, o_slot_mem(m, o->a), 0);
		ins(c, h->x86_alt.prefix, size, op, 0, o_reg(r), 0);
		ins(c, 0, 4, 0x0f29, 0, o_slot_mem(m, o->a), 0);
		return true;
	case X86_FORM_FLAGS:
		if (!vector_slot(m, o->b))
			return false;
		ins(c, 0, 4, 0x0f28, 0, o_slot_mem(m, o->a), 0);
		ins(c, h->x86_alt.prefix, size, op, 0, o_slot_mem(m, o->b), 0);
		m->fl = FL_HOST;
		return true;
	case X86_FORM_SHIFT:
		ins(c, 0, 4, 0x0f28, 0, o_slot_mem(m, o->a), 0);
		ins(c, h->x86_alt.prefix, size, op, h->x86_alt.digit, o_reg(0), 0);
		e8(c, (u8)o->imm);
		ins(c, 0, 4, 0x0f29, 0, o_slot_mem(m, o->a), 0);
		return true;
	default:
		return false;
	}
}

static void put_arg(struct em *m, ref r, unsigned i)
{
	struct opnd place = o_mem(RSP, ARGS + 8 * (s32)i), v;

	if (!r)
		return;
	if (vector_slot(m, r)) {
		take_reg(m, RAX);
		lea(&m->c, 8, RAX, o_slot_mem(m, r));
		mov_store(&m->c, 8, place, RAX);
		m->lock &= (u8)~1;
		return;
	}
	v = val(m, r, I64);
	if (v.kind == O_IMM && fits32(v.imm)) {
		mov_store_imm(&m->c, 8, place, v.imm);
	} else if (v.kind == O_REG) {
		mov_store(&m->c, 8, place, v.reg);
	} else {
		take_reg(m, RAX);
		load_into(m, RAX, r, I64);
		mov_store(&m->c, 8, place, RAX);
		m->lock &= (u8)~1;
	}
}

static void store_pc(struct em *m)
{
	u64 pc = m->ir->insn[m->u->ninsns].pc;	/* ninsns counts the instructions begun, less one, during emission */
	struct opnd p = o_cpu(offsetof(struct cpu, pc));

	if (fits32(pc)) {
		mov_store_imm(&m->c, 8, p, pc);
	} else {
		take_reg(m, RAX);
		mov_imm(&m->c, RAX, pc);
		mov_store(&m->c, 8, p, RAX);
		m->lock &= (u8)~1;
	}
}

void emit_call(struct em *m)
{
	const struct ir_op *o = m->o;
	const struct ir_helper *h = &m->ir->helpers[o->aux];
	unsigned variant = (h->flags & (H_READ | H_FAULT) ? 1 : 0) | (h->flags & H_WRITE ? 2 : 0);
	bool want = o->dst && (REF_KIND(o->dst) == REF_SLOT || m->uses[REF_INDEX(o->dst)]);

	if (inline_vector(m, h) || inline_alt(m, h))
		return;
	if (m->fl == FL_HOST && (fl_live(m) || h->flags & H_FLAGS_IN || (m->strict && h->flags & H_FAULT)))
		flags_save(m);
	m->fl = FL_MEM;
	if (h->flags & (H_FAULT | H_READ))
		store_pc(m);
	put_arg(m, o->a, 0);
	put_arg(m, o->b, 1);
	put_arg(m, o->c, 2);
	mov_store_imm(&m->c, 8, o_mem(RSP, ARGS + 24), (u64)(s64)o->imm);
	m->lock = 0;
	take_reg(m, RAX);
	mov_imm(&m->c, RAX, o->aux);
	call_to(&m->c, m->th->call[variant]);
	m->lock = 0;
	if (want)
		dst_done(m, o->dst, RAX, I64);
}
