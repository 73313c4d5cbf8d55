/* SPDX-License-Identifier: GPL-2.0-or-later */
/* move.c - moves, extensions, parts of registers, selections by condition, bits and bit scans. */
#include "emit.h"

/* movzx and movsx of every width; flags untouched */
void emit_extend(struct em *m)
{
	const struct ir_op *o = m->o;
	bool s = o->op >= IR_SEXT8;
	unsigned from = s ? 1u << (o->op - IR_SEXT8) : 1u << (o->op - IR_ZEXT8),
		 size = MAX(size_of(o), 4u), d;
	struct opnd a = val(m, o->a, from == 1 ? I8 : from == 2 ? I16 : I32);

	if (a.kind == O_IMM)
		a = o_reg(val_reg(m, o->a, o->type));
	d = dst_reg(m, o->dst);
	if (from == 4 && !s)
		ins(&m->c, 0, 4, 0x8b, d, a, 0);
	else if (from == 4)
		ins(&m->c, 0, size, 0x63, d, a, 0);
	else
		ins(&m->c, 0, s ? size : 4, (s ? 0x0fbe : 0x0fb6) + (from == 2), d, a,
		    from == 1 ? BYTE_RM : 0);
	dst_done(m, o->dst, d, o->type);
}

static void rotate_noflags(struct em *m, unsigned d, unsigned s, unsigned right) /* 64 bits: rorx */
{
	struct code *c = &m->c;

	e8(c, 0xc4);
	e8(c, (u8)((d & 8 ? 0 : 0x80) | 0x40 | (s & 8 ? 0 : 0x20) | 3));
	e8(c, 0xfb);
	e8(c, 0xf0);
	e8(c, (u8)(0xc0 | (d & 7) << 3 | (s & 7)));
	e8(c, (u8)right);
}

void emit_ext8h(struct em *m)
{
	const struct ir_op *o = m->o;
	struct opnd a = val(m, o->a, I16);
	unsigned d;

	if (a.kind == O_MEM) { /* the second byte lies there */
		a.disp++;
		d = dst_reg(m, o->dst);
		mov_load(&m->c, 1, d, a);
	} else if (m->th->bmi2) {
		unsigned r = val_reg(m, o->a, I64);
		d = dst_reg(m, o->dst);
		rotate_noflags(m, d, r, 8);
		ins(&m->c, 0, 4, 0x0fb6, d, o_reg(d), BYTE_RM);
	} else {
		unsigned r = val_reg(m, o->a, I64);
		mov_store(&m->c, 8, o_mem(RSP, ARGS), r);
		d = dst_reg(m, o->dst);
		mov_load(&m->c, 1, d, o_mem(RSP, ARGS + 1));
	}
	dst_done(m, o->dst, d, I32);
}

/* Part of a register replaced. When the slot is in memory, only the part is stored. */
void emit_insert(struct em *m)
{
	const struct ir_op *o = m->o;
	struct code *c = &m->c;
	unsigned size = o->op == IR_INS16 ? 2 : 1, at = o->op == IR_INS8H, b, d;

	b = ir_is_const(o->b) ? NOREG : val_reg(m, o->b, size == 1 ? I8 : I16);
	if (o->dst == o->a && memory_slot(m, o->dst)) {
		struct opnd p = o_slot_mem(m, o->dst);
		p.disp += (s32)at;
		vec_written(m, o->dst);
		if (b == NOREG)
			mov_store_imm(c, size, p, ir_const_value(m->ir, o->b));
		else
			mov_store(c, size, p, b);
		return;
	}
	if (b == NOREG) {
		b = take(m);
		mov_imm(c, b, ir_const_value(m->ir, o->b) & (size == 1 ? 0xff : 0xffff));
	}
	d = start_in_dst(m, o->dst, o->a, o->b);
	if (at && !m->th->bmi2) {
		mov_store(c, 8, o_mem(RSP, ARGS), d);
		mov_store(c, 1, o_mem(RSP, ARGS + 1), b);
		mov_load(c, 8, d, o_mem(RSP, ARGS));
		dst_done(m, o->dst, d, I64);
		return;
	}
	if (at) {
		/* b may be d itself (mov ah, al): its low byte moves first */
		if (b == d) {
			b = take(m);
			mov_rr(c, 8, b, d);
		}
		rotate_noflags(m, d, d, 8);
	}
	if (size == 1)
		ins(c, 0, 1, 0x8a, d, o_reg(b), BYTE_REG | BYTE_RM);
	else
		ins(c, 0, 2, 0x8b, d, o_reg(b), 0);
	if (at)
		rotate_noflags(m, d, d, 56);
	dst_done(m, o->dst, d, I64);
}

void emit_mov(struct em *m)
{
	const struct ir_op *o = m->o;
	struct opnd v;
	unsigned d;

	if (!o->dst)
		return;
	if (vector_slot(m, o->dst) || vector_slot(m, o->a)) {
		emit_vector_move(m);
		return;
	}
	if (memory_slot(m, o->dst)) {
		unsigned st = m->ir->slots[REF_INDEX(o->dst)].type;
		v = val(m, o->a, o->type);
		if (o->type == I32 && st == I64 && v.kind == O_IMM)
			v.imm = (u32)v.imm;
		vec_written(m, o->dst);
		if (v.kind == O_IMM && (st < I64 || fits32(v.imm))) {
			mov_store_imm(&m->c, 1u << st, o_slot_mem(m, o->dst), v.imm);
			return;
		}
	}
	if (REF_KIND(o->dst) == REF_SLOT && !memory_slot(m, o->dst)) {
		d = m->th->pin[REF_INDEX(o->dst)];
		load_into(m, d, o->a, o->type);
		return;
	}
	d = dst_reg(m, o->dst);
	load_into(m, d, o->a, o->type);
	dst_done(m, o->dst, d, o->type);
}

void emit_lea(struct em *m)
{
	const struct ir_op *o = m->o;
	unsigned size = o->type == I64 ? 8 : 4, base = NOREG, idx = NOREG, d;
	u64 disp = (u64)(s64)o->imm;
	ref b = o->b;

	if (b && ir_is_const(b)) {
		disp += ir_const_value(m->ir, b) << o->scale;
		b = 0;
	}
	if (o->a && ir_is_const(o->a))
		disp += ir_const_value(m->ir, o->a);
	else if (o->a)
		base = val_reg(m, o->a, o->type);
	if (b)
		idx = val_reg(m, b, o->type);
	if (!fits32(disp)) {
		unsigned t = take(m);
		mov_imm(&m->c, t, disp);
		if (base != NOREG && idx != NOREG) {
			lea(&m->c, 8, t, o_idx(t, base, 0, 0));
			base = t;
		} else if (base == NOREG) {
			base = t;
		} else {
			idx = t;
		}
		disp = 0;
	}
	d = dst_reg(m, o->dst);
	if (base == NOREG && idx == NOREG)
		mov_imm(&m->c, d, o->type == I64 ? disp : (u32)disp);
	else
		lea(&m->c, size, d,
		    idx == NOREG ? o_mem(base, (s32)disp) :
				   o_idx(base, idx, b ? o->scale : 0, (s32)disp));
	if (o->type == I16)
		ins(&m->c, 0, 4, 0x0fb7, d, o_reg(d), 0);
	dst_done(m, o->dst, d, o->type);
}

void emit_setcc(struct em *m)
{
	const struct ir_op *o = m->o;
	unsigned d;

	flags_load(m);
	d = REF_KIND(o->dst) == REF_TEMP ? take(m) : dst_reg(m, o->dst);
	ins(&m->c, 0, 1, 0x0f90 | o->aux, 0, o_reg(d), BYTE_RM);
	ins(&m->c, 0, 4, 0x0fb6, d, o_reg(d), BYTE_RM);
	dst_done(m, o->dst, d, I64);
}

/* dst = cond ? a : b, the condition in EFLAGS already */
static void select_by(struct em *m, unsigned cc)
{
	const struct ir_op *o = m->o;
	unsigned size = MAX(size_of(o), 4u), d, type = MAX((unsigned)o->type, (unsigned)I32);
	struct opnd v;
	ref yes = o->a, no = o->b;

	d = dst_reg(m, o->dst);
	if (holds(m, d, yes) && !holds(m, d, no)) {
		ref x = yes;
		yes = no;
		no = x;
		cc ^= 1;
	}
	v = val(m, yes, type);
	if (v.kind == O_IMM) {
		unsigned t = take(m);
		mov_imm(&m->c, t, size == 8 ? v.imm : (u32)v.imm);
		v = o_reg(t);
	} else if (v.kind == O_MEM && REF_KIND(yes) == REF_TEMP && o->type < I32) {
		v = o_reg(val_reg(m, yes, type));
	}
	if (!holds(m, d, no))
		load_into(m, d, no, type);
	else if (size == 4)
		mov_rr(&m->c, 4, d, d); /* the upper half goes in either case */
	ins(&m->c, 0, size, 0x0f40 | cc, d, v, 0);
	dst_done(m, o->dst, d, o->type);
}

void emit_selcc(struct em *m)
{
	flags_load(m);
	select_by(m, m->o->aux);
}

void emit_sel(struct em *m)
{
	const struct ir_op *o = m->o;
	unsigned r;

	flags_clobber(m);
	r = val_reg(m, o->c, o->type);
	ins(&m->c, 0, size_of(o), size_of(o) == 1 ? 0x84 : 0x85, r, o_reg(r), BYTE_REG | BYTE_RM);
	m->lock = 0;
	select_by(m, CC_NE);
}

void emit_setc(struct em *m)
{
	const struct ir_op *o = m->o;
	unsigned d;

	flags_clobber(m);
	emit_compare(m, ALU_CMP, size_of(o));
	m->lock = 0;
	d = dst_reg(m, o->dst);
	ins(&m->c, 0, 1, 0x0f90 | o->aux, 0, o_reg(d), BYTE_RM);
	ins(&m->c, 0, 4, 0x0fb6, d, o_reg(d), BYTE_RM);
	dst_done(m, o->dst, d, I64);
}

void emit_getf(struct em *m)
{
	unsigned d;

	flags_save(m);
	d = dst_reg(m, m->o->dst);
	mov_load(&m->c, 2, d, o_cpu(offsetof(struct cpu, hflags)));
	dst_done(m, m->o->dst, d, I64);
}

void emit_putf(struct em *m)
{
	unsigned d = take(m);

	load_into(m, d, m->o->a, I16);
	alu_imm(&m->c, ALU_AND, 4, o_reg(d), HF_ALL); /* flags_load relies on it */
	mov_store(&m->c, 2, o_cpu(offsetof(struct cpu, hflags)), d);
	m->fl = FL_MEM;
}

void emit_bswap(struct em *m)
{
	const struct ir_op *o = m->o;
	unsigned d;

	if (o->type == I16)
		flags_clobber(m);
	d = start_in_dst(m, o->dst, o->a, 0);
	if (o->type == I16) {
		shift_imm(&m->c, 1, 2, o_reg(d), 8);
	} else {
		if (o->type == I64 || d & 8)
			e8(&m->c, (u8)(0x40 | (o->type == I64 ? 8 : 0) | (d & 8 ? 1 : 0)));
		e8(&m->c, 0x0f);
		e8(&m->c, (u8)(0xc8 | (d & 7)));
	}
	dst_done(m, o->dst, d, o->type);
}

/* lzcnt tzcnt popcnt bsf bsr */
void emit_scan(struct em *m)
{
	const struct ir_op *o = m->o;
	u8 pfx = o->op == IR_BSF || o->op == IR_BSR ? 0 : 0xf3;
	u32 op = o->op == IR_CLZ || o->op == IR_BSR ? 0x0fbd : o->op == IR_POPCNT ? 0x0fb8 : 0x0fbc;
	struct opnd a = val(m, o->a, o->type);
	unsigned d;

	flags_before(m, true);
	if (a.kind == O_IMM)
		a = o_reg(val_reg(m, o->a, o->type));
	d = dst_reg(m, o->dst);
	if (!pfx && !holds(m, d, o->b)) {
		if (a.kind == O_REG && a.reg == d)
			d = take(m);
		load_into(m, d, o->b, o->type);
	}
	if (size_of(o) == 2 && pfx) {
		e8(&m->c, 0x66);
		ins(&m->c, pfx, 4, op, d, a, 0);
	} else {
		ins(&m->c, pfx, size_of(o), op, d, a, 0);
	}
	dst_done(m, o->dst, d, o->type);
	flags_after(m);
}

void emit_bit(struct em *m)
{
	const struct ir_op *o = m->o;
	unsigned ext = 4 + (o->op == IR_BTS ? 1 :
			    o->op == IR_BTR ? 2 :
			    o->op == IR_BTC ? 3 :
					      0),
		 size = size_of(o), d, b;

	flags_before(m, true);
	if (o->op == IR_BT)
		d = val_reg(m, o->a, o->type);
	else
		d = start_in_dst(m, o->dst, o->a, o->b);
	if (ir_is_const(o->b)) {
		ins(&m->c, 0, size, 0x0fba, ext, o_reg(d), 0);
		e8(&m->c, (u8)ir_const_value(m->ir, o->b) & (8 * size - 1));
	} else {
		b = val_reg(m, o->b, o->type);
		ins(&m->c, 0, size, 0x0f83 | ext << 3, b, o_reg(d), 0);
	}
	if (o->op != IR_BT)
		dst_done(m, o->dst, d, o->type);
	flags_after(m);
}

void emit_pdep(struct em *m)
{
	const struct ir_op *o = m->o;
	unsigned a = val_reg(m, o->a, o->type), b = val_reg(m, o->b, o->type),
		 d = dst_reg(m, o->dst);
	struct opnd rb = o_reg(b);

	e8(&m->c, 0xc4);
	e8(&m->c, (u8)((d & 8 ? 0 : 0x80) | 0x40 | (b & 8 ? 0 : 0x20) | 2));
	e8(&m->c, (u8)((o->type == I64 ? 0x80 : 0) | (~a & 15) << 3 | (o->op == IR_PDEP ? 3 : 2)));
	e8(&m->c, 0xf5);
	modrm(&m->c, d, &rb);
	dst_done(m, o->dst, d, o->type);
}

void emit_crc32(struct em *m)
{
	const struct ir_op *o = m->o;
	unsigned b = val_reg(m, o->b, o->type), d;

	d = REF_KIND(o->dst) == REF_SLOT && !memory_slot(m, o->dst) &&
			    m->th->pin[REF_INDEX(o->dst)] != b ?
		    m->th->pin[REF_INDEX(o->dst)] :
		    take(m);
	if (!holds(m, d, o->a) || d != b)
		load_into(m, d, o->a, I32);
	if (o->type == I16)
		e8(&m->c, 0x66);
	ins(&m->c, 0xf2, o->type == I64 ? 8 : 4, o->type == I8 ? 0x0f38f0 : 0x0f38f1, d, o_reg(b),
	    o->type == I8 ? BYTE_RM : 0);
	dst_done(m, o->dst, d, I32);
}
