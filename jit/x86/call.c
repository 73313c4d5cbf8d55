/* SPDX-License-Identifier: GPL-2.0-or-later */
/* call.c - helper calls (vector helpers that are one host instruction: vec.c). */
#include "emit.h"

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
	/* ninsns counts the instructions begun, less one, during emission */
	u64 pc = m->ir->insn[m->u->ninsns].pc;
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
	vec_flush(m);
	vec_drop(m);
	if (m->fl == FL_HOST &&
	    (fl_live(m) || h->flags & H_FLAGS_IN || (m->strict && h->flags & H_FAULT)))
		flags_save(m);
	m->fl = FL_MEM;
	if (h->flags & H_FAULT)
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
