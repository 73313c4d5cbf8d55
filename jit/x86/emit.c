/* SPDX-License-Identifier: GPL-2.0-or-later */
/* emit.c - one unit from IR to x86-64 code: values, flags, calls and exits (memory: mem.c). One
 * pass forward, after one backward by liveness. */
#include "emit.h"
#include <assert.h>

static bool imm_ok(const struct opnd *v, unsigned size)
{
	return v->kind == O_IMM && (size < 8 || fits32(v->imm));
}

static s32 imm_of(const struct opnd *v, unsigned size)
{
	return size == 1 ? (s8)v->imm : size == 2 ? (s16)v->imm : (s32)v->imm;
}

/* The flags that the op leaves alone must be in EFLAGS when somebody wants them; those that it
 * destroys without being asked are saved. */
static void flags_before(struct em *m, bool host_clobbers)
{
	const struct ir_op *o = m->o;
	bool sets = (o->flags & IR_F) && !(o->flags & IR_FDEAD);
	u16 reads, writes;

	ir_flag_effect(m->ir, o, &reads, &writes);
	if (reads)
		flags_load(m);
	if (sets && (ir_flags_unpack(o->live) & ~writes))
		flags_load(m);
	if (!sets && host_clobbers)
		flags_clobber(m);
}

static void flags_after(struct em *m)
{
	const struct ir_op *o = m->o;

	if ((o->flags & IR_F) && !(o->flags & IR_FDEAD))
		m->fl = FL_HOST;
	else if (o->flags & IR_F)
		m->fl = FL_MEM; /* destroyed, and nobody minds */
}

/* d op= b */
static void alu_ref(struct em *m, enum alu op, unsigned size, unsigned d, ref b)
{
	struct opnd v = val(m, b, m->o->type);

	if (imm_ok(&v, size)) {
		alu_imm(&m->c, op, size, o_reg(d), imm_of(&v, size));
	} else if (v.kind == O_IMM) {
		unsigned t = take(m);
		mov_imm(&m->c, t, v.imm);
		alu_rm(&m->c, op, size, d, o_reg(t));
	} else {
		alu_rm(&m->c, op, size, d, v);
	}
}

/* A register holding operand a, in which the result can be made, given that b is read afterwards:
 * dst's own when possible. */
static unsigned start_in_dst(struct em *m, ref dst, ref a, ref b)
{
	unsigned d;

	/* a dying temporary's register serves the result */
	if (REF_KIND(a) == REF_TEMP && REF_KIND(dst) != REF_SLOT && m->uses[REF_INDEX(a)] == 1 &&
	    m->treg[REF_INDEX(a)] != NOREG && a != b) {
		d = m->treg[REF_INDEX(a)];
		m->lock |= (u8)(1 << scratch_index(d));
		return d;
	}
	if (REF_KIND(a) == REF_TEMP && m->treg[REF_INDEX(a)] != NOREG)
		m->lock |= (u8)(1 << scratch_index(m->treg[REF_INDEX(a)]));
	if (REF_KIND(b) == REF_TEMP && m->treg[REF_INDEX(b)] != NOREG)
		m->lock |= (u8)(1 << scratch_index(m->treg[REF_INDEX(b)]));
	if (dst) {
		d = dst_reg(m, dst);
		if (holds(m, d, a))
			return d;
		if (b && holds(m, d, b))
			d = take(m);
	} else {
		d = take(m);
	}
	load_into(m, d, a, m->o->type);
	return d;
}

static bool memory_slot(struct em *m, ref r)
{
	return REF_KIND(r) == REF_SLOT && m->th->pin[REF_INDEX(r)] == NOREG;
}

/* op [slot], b in place: a slot in memory that is both source and destination */
static bool alu_in_place(struct em *m, enum alu op, unsigned size)
{
	const struct ir_op *o = m->o;
	struct opnd v;

	if (o->dst != o->a || !memory_slot(m, o->dst) ||
	    m->ir->slots[REF_INDEX(o->dst)].type != o->type)
		return false;
	v = val(m, o->b, o->type);
	vec_written(m, o->dst);
	if (imm_ok(&v, size)) {
		alu_imm(&m->c, op, size, o_slot_mem(m, o->dst), imm_of(&v, size));
	} else {
		unsigned b = val_reg(m, o->b, o->type);
		alu_mr(&m->c, op, size, o_slot_mem(m, o->dst), b);
	}
	return true;
}

static void emit_compare(struct em *m, enum alu op, unsigned size)
{
	const struct ir_op *o = m->o;
	struct opnd a = val(m, o->a, o->type), b = val(m, o->b, o->type);

	if (a.kind == O_IMM)
		a = o_reg(val_reg(m, o->a, o->type));
	if (op == ALU_AND) { /* test */
		if (imm_ok(&b, size)) {
			ins(&m->c, 0, size, size == 1 ? 0xf6 : 0xf7, 0, a, BYTE_RM);
			if (size <= 2) {
				e8(&m->c, (u8)b.imm);
				if (size == 2)
					e8(&m->c, (u8)(b.imm >> 8));
			} else {
				e32(&m->c, (u32)b.imm);
			}
			return;
		}
		b = o_reg(val_reg(m, o->b, o->type));
		ins(&m->c, 0, size, size == 1 ? 0x84 : 0x85, b.reg, a, BYTE_REG | BYTE_RM);
		return;
	}
	if (imm_ok(&b, size)) {
		alu_imm(&m->c, ALU_CMP, size, a, imm_of(&b, size));
	} else if (a.kind == O_REG) {
		if (b.kind == O_IMM)
			b = o_reg(val_reg(m, o->b, o->type));
		alu_rm(&m->c, ALU_CMP, size, a.reg, b);
	} else {
		b = o_reg(val_reg(m, o->b, o->type));
		alu_mr(&m->c, ALU_CMP, size, a, b.reg);
	}
}

static void emit_alu(struct em *m, enum alu op)
{
	const struct ir_op *o = m->o;
	unsigned size = size_of(o), d;
	bool f = (o->flags & IR_F) && !(o->flags & IR_FDEAD);

	/* additions that must not touch live flags */
	if (!f && !(o->flags & IR_F) && fl_live(m) && (op == ALU_ADD || op == ALU_SUB) &&
	    o->type >= I32 && m->fl == FL_HOST) {
		struct opnd b = val(m, o->b, o->type);
		unsigned ra;

		if (b.kind == O_IMM && fits32(op == ALU_SUB ? -b.imm : b.imm)) {
			ra = val_reg(m, o->a, o->type);
			d = dst_reg(m, o->dst);
			lea(&m->c, size, d, o_mem(ra, (s32)(op == ALU_SUB ? -b.imm : b.imm)));
			dst_done(m, o->dst, d, o->type);
			return;
		}
	}
	flags_before(m, true);
	if (!o->dst && (op == ALU_SUB || op == ALU_AND)) {
		if (f)
			emit_compare(m, op, size);
		flags_after(m);
		return;
	}
	if (alu_in_place(m, op, size)) {
		flags_after(m);
		return;
	}
	d = start_in_dst(m, o->dst, o->a, o->b);
	alu_ref(m, op, size, d, o->b);
	dst_done(m, o->dst, d, o->type);
	flags_after(m);
}

static void emit_andn(struct em *m)
{
	const struct ir_op *o = m->o;
	unsigned d;

	flags_before(m, true);
	if (o->a == o->b) {
		/* the complement must not land in what is read again */
		d = take(m);
		load_into(m, d, o->a, o->type);
	} else {
		d = start_in_dst(m, o->dst, o->a, o->b);
	}
	ins(&m->c, 0, size_of(o), 0xf7, 2, o_reg(d), 0);
	alu_ref(m, ALU_AND, size_of(o), d, o->b);
	dst_done(m, o->dst, d, o->type);
	flags_after(m);
}

/* NOT NEG INC DEC: one operand, groups 3, 4, 5 */
static void emit_unary(struct em *m, unsigned ext, unsigned opcode)
{
	const struct ir_op *o = m->o;
	unsigned size = size_of(o), d;

	if (o->op != IR_NOT)
		flags_before(m, true);
	if (o->dst == o->a && memory_slot(m, o->dst) &&
	    m->ir->slots[REF_INDEX(o->dst)].type == o->type) {
		ins(&m->c, 0, size, opcode | (size > 1), ext, o_slot_mem(m, o->dst), 0);
	} else {
		d = start_in_dst(m, o->dst, o->a, 0);
		ins(&m->c, 0, size, opcode | (size > 1), ext, o_reg(d), BYTE_RM);
		dst_done(m, o->dst, d, o->type);
	}
	if (o->op != IR_NOT)
		flags_after(m);
}

/* d = a shifted by a count that no flag depends on: BMI2 */
static bool shift_bmi2(struct em *m, unsigned ext)
{
	const struct ir_op *o = m->o;
	unsigned size = size_of(o), pp = ext == 4 ? 1 : ext == 5 ? 3 : 2, n, d;
	struct opnd a;

	if (!m->th->bmi2 || size < 4 || ext < 4 || ((o->flags & IR_F) && !(o->flags & IR_FDEAD)))
		return false;
	n = val_reg(m, o->b, I8);
	a = val(m, o->a, o->type);
	if (a.kind == O_IMM)
		a = o_reg(val_reg(m, o->a, o->type));
	d = dst_reg(m, o->dst);
	e8(&m->c, 0xc4); /* shlx sarx shrx d, a, n: VEX.LZ.pp.0F38.W F7 */
	e8(&m->c, (u8)((d & 8 ? 0 : 0x80) | 0x40 | (a.reg & 8 ? 0 : 0x20) | 2));
	e8(&m->c, (u8)((size == 8 ? 0x80 : 0) | (~n & 15) << 3 | pp));
	e8(&m->c, 0xf7);
	modrm(&m->c, d, &a);
	dst_done(m, o->dst, d, o->type);
	return true;
}

static void shift_by_cl(struct em *m, unsigned ext, ref count)
{
	const struct ir_op *o = m->o;
	struct code *c = &m->c;
	unsigned size = size_of(o), d;
	bool dbl = o->op == IR_SHLD || o->op == IR_SHRD, in_cl = holds(m, RCX, count),
	     parked = false;
	unsigned b = NOREG;

	/* the result is made in a register other than rcx, and other than the count's */
	if (REF_KIND(o->dst) == REF_SLOT &&
	    (m->th->pin[REF_INDEX(o->dst)] == RCX || (dbl && o->dst == count))) {
		d = take(m);
		load_into(m, d, o->a, o->type);
	} else {
		d = start_in_dst(m, o->dst, o->a, dbl ? o->b : count);
		if (dbl && holds(m, d, count)) {
			unsigned t = take(m);
			mov_rr(c, 8, t, d);
			d = t;
		}
	}
	if (dbl)
		b = val_reg(m, o->b, o->type);
	if (!in_cl) {
		mov_store(c, 8, o_mem(RSP, ARGS), RCX);
		if (b == RCX) {
			b = take(m);
			mov_rr(c, 8, b, RCX);
		}
		load_into(m, RCX, count, I8);
		parked = true;
	}
	if (dbl)
		ins(c, 0, size, o->op == IR_SHLD ? 0x0fa5 : 0x0fad, b, o_reg(d), 0);
	else
		ins(c, 0, size, size == 1 ? 0xd2 : 0xd3, ext, o_reg(d), BYTE_RM);
	if (parked)
		mov_load(c, 8, RCX, o_mem(RSP, ARGS));
	dst_done(m, o->dst, d, o->type);
}

static void emit_shift(struct em *m, unsigned ext)
{
	const struct ir_op *o = m->o;
	struct opnd n = val(m, o->b, I8);
	unsigned size = size_of(o), d;

	if (n.kind != O_IMM && !(o->flags & IR_F) && m->fl == FL_HOST && shift_bmi2(m, ext))
		return;
	flags_before(m, true);
	if (n.kind == O_IMM) {
		if (o->dst == o->a && memory_slot(m, o->dst) &&
		    m->ir->slots[REF_INDEX(o->dst)].type == o->type) {
			shift_imm(&m->c, ext, size, o_slot_mem(m, o->dst),
				  (u8)n.imm & (size == 8 ? 63 : 31));
		} else {
			d = start_in_dst(m, o->dst, o->a, 0);
			shift_imm(&m->c, ext, size, o_reg(d), (u8)n.imm & (size == 8 ? 63 : 31));
			dst_done(m, o->dst, d, o->type);
		}
	} else if (!shift_bmi2(m, ext)) {
		shift_by_cl(m, ext, o->b);
	}
	flags_after(m);
}

static void emit_double_shift(struct em *m)
{
	const struct ir_op *o = m->o;
	struct opnd n = val(m, o->c, I8);
	unsigned d, b;

	flags_before(m, true);
	if (n.kind == O_IMM) {
		d = start_in_dst(m, o->dst, o->a, o->b);
		b = val_reg(m, o->b, o->type);
		ins(&m->c, 0, size_of(o), o->op == IR_SHLD ? 0x0fa4 : 0x0fac, b, o_reg(d), 0);
		e8(&m->c, (u8)n.imm & (o->type == I64 ? 63 : 31));
		dst_done(m, o->dst, d, o->type);
	} else {
		shift_by_cl(m, 0, o->c);
	}
	flags_after(m);
}

static void emit_mul(struct em *m)
{
	const struct ir_op *o = m->o;
	unsigned size = size_of(o), d;
	struct opnd b = val(m, o->b, o->type);

	flags_before(m, true);
	if (imm_ok(&b, size) && size > 1) {
		struct opnd a = val(m, o->a, o->type);

		if (a.kind == O_IMM)
			a = o_reg(val_reg(m, o->a, o->type));
		d = dst_reg(m, o->dst ? o->dst : 0);
		ins(&m->c, 0, size, 0x69, d, a, 0);
		if (size == 2) {
			e8(&m->c, (u8)b.imm);
			e8(&m->c, (u8)(b.imm >> 8));
		} else {
			e32(&m->c, (u32)b.imm);
		}
	} else {
		d = start_in_dst(m, o->dst, o->a, o->b);
		if (b.kind == O_IMM)
			b = o_reg(val_reg(m, o->b, o->type));
		ins(&m->c, 0, size == 1 ? 4 : size, 0x0faf, d, b, 0);
	}
	dst_done(m, o->dst, d, o->type);
	flags_after(m);
}

static unsigned temp_reg(const struct em *m, ref r)
{
	return REF_KIND(r) == REF_TEMP ? m->treg[REF_INDEX(r)] : NOREG;
}

/* The second factor where it can be an operand of MUL as it is: a slot, but not the one in rdx. */
static bool factor_in_place(const struct em *m, ref r)
{
	u32 i = REF_INDEX(r);

	return REF_KIND(r) == REF_SLOT &&
	       (m->th->pin[i] != NOREG ? m->th->pin[i] != RDX : m->ir->slots[i].type >= m->o->type);
}

/* a in rax, b in r14 (or in place), whatever scratch registers they come from. */
static struct opnd factors(struct em *m)
{
	const struct ir_op *o = m->o;
	unsigned ra = temp_reg(m, o->a), rb = temp_reg(m, o->b);
	struct opnd b = o_reg(R14);

	if (factor_in_place(m, o->b)) {
		b = val(m, o->b, o->type);
	} else if (ra == R14 && rb == RAX) {
		ins(&m->c, 0, 8, 0x87, RAX, o_reg(R14), 0);
		ra = RAX;
	} else if (rb != R14) {
		if (ra == R14) {
			mov_rr(&m->c, 8, RAX, R14);
			ra = RAX;
		}
		load_into(m, R14, o->b, o->type);
	}
	if (ra != RAX)
		load_into(m, RAX, o->a, o->type);
	return b;
}

/* rax * b -> rdx:rax, with the pinned rdx kept in r15 */
static void emit_mul2(struct em *m)
{
	const struct ir_op *o = m->o;
	struct code *c = &m->c;
	unsigned size = size_of(o), ext = o->op == IR_MULU2 ? 4 : 5;
	struct opnd b;

	flags_before(m, true);
	m->held = false;
	m->span = -1;
	spill_all(m);
	b = factors(m);
	drop_scratch(m);
	if (size == 1) {
		ins(c, 0, 1, 0xf6, ext, b, BYTE_RM);
		mov_store(c, 8, o_mem(RSP, ARGS), RAX);
		mov_load(c, 1, R15, o_mem(RSP, ARGS + 1));
	} else {
		mov_rr(c, 8, R15, RDX);
		ins(c, 0, size, 0xf7, ext, b, 0);
		ins(c, 0, 8, 0x87, RDX, o_reg(R15), 0);
	}
	if (o->dst)
		dst_done(m, o->dst, RAX, o->type);
	if (o->aux)
		dst_done(m, (ref)o->aux, R15, o->type);
	flags_after(m);
}

/* movzx and movsx of every width; flags untouched */
static void emit_extend(struct em *m)
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

static void emit_ext8h(struct em *m)
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
static void emit_insert(struct em *m)
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

static void emit_mov(struct em *m)
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

static void emit_lea(struct em *m)
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

static void emit_setcc(struct em *m)
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

static void emit_selcc(struct em *m)
{
	flags_load(m);
	select_by(m, m->o->aux);
}

static void emit_sel(struct em *m)
{
	const struct ir_op *o = m->o;
	unsigned r;

	flags_clobber(m);
	r = val_reg(m, o->c, o->type);
	ins(&m->c, 0, size_of(o), size_of(o) == 1 ? 0x84 : 0x85, r, o_reg(r), BYTE_REG | BYTE_RM);
	m->lock = 0;
	select_by(m, CC_NE);
}

static void emit_setc(struct em *m)
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

static void emit_getf(struct em *m)
{
	unsigned d;

	flags_save(m);
	d = dst_reg(m, m->o->dst);
	mov_load(&m->c, 2, d, o_cpu(offsetof(struct cpu, hflags)));
	dst_done(m, m->o->dst, d, I64);
}

static void emit_putf(struct em *m)
{
	unsigned d = take(m);

	load_into(m, d, m->o->a, I16);
	alu_imm(&m->c, ALU_AND, 4, o_reg(d), HF_ALL); /* flags_load relies on it */
	mov_store(&m->c, 2, o_cpu(offsetof(struct cpu, hflags)), d);
	m->fl = FL_MEM;
}

static void emit_bswap(struct em *m)
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
static void emit_scan(struct em *m)
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

static void emit_bit(struct em *m)
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

static void emit_pdep(struct em *m)
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

static void emit_crc32(struct em *m)
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

static void emit_op(struct em *m)
{
	const struct ir_op *o = m->o;

	switch (o->op) {
	case IR_INSN:
		m->held = false;
		vec_insn(m);
		m->u->ninsns = (u32)o->imm;
		break;
	case IR_MOV:
		emit_mov(m);
		break;
	case IR_LEA:
		emit_lea(m);
		break;
	case IR_ZEXT8:
	case IR_ZEXT16:
	case IR_ZEXT32:
	case IR_SEXT8:
	case IR_SEXT16:
	case IR_SEXT32:
		emit_extend(m);
		break;
	case IR_EXT8H:
		emit_ext8h(m);
		break;
	case IR_INS8:
	case IR_INS8H:
	case IR_INS16:
		emit_insert(m);
		break;
	case IR_ADD:
		emit_alu(m, ALU_ADD);
		break;
	case IR_SUB:
		emit_alu(m, ALU_SUB);
		break;
	case IR_ADC:
		emit_alu(m, ALU_ADC);
		break;
	case IR_SBB:
		emit_alu(m, ALU_SBB);
		break;
	case IR_AND:
		emit_alu(m, ALU_AND);
		break;
	case IR_OR:
		emit_alu(m, ALU_OR);
		break;
	case IR_XOR:
		emit_alu(m, ALU_XOR);
		break;
	case IR_ANDN:
		emit_andn(m);
		break;
	case IR_NOT:
		emit_unary(m, 2, 0xf6);
		break;
	case IR_NEG:
		emit_unary(m, 3, 0xf6);
		break;
	case IR_INC:
		emit_unary(m, 0, 0xfe);
		break;
	case IR_DEC:
		emit_unary(m, 1, 0xfe);
		break;
	case IR_ROL:
		emit_shift(m, 0);
		break;
	case IR_ROR:
		emit_shift(m, 1);
		break;
	case IR_RCL:
		emit_shift(m, 2);
		break;
	case IR_RCR:
		emit_shift(m, 3);
		break;
	case IR_SHL:
		emit_shift(m, 4);
		break;
	case IR_SHR:
		emit_shift(m, 5);
		break;
	case IR_SAR:
		emit_shift(m, 7);
		break;
	case IR_SHLD:
	case IR_SHRD:
		emit_double_shift(m);
		break;
	case IR_MUL:
		emit_mul(m);
		break;
	case IR_MULU2:
	case IR_MULS2:
		emit_mul2(m);
		break;
	case IR_DIVU2:
	case IR_DIVS2:
		emit_divide(m);
		break;
	case IR_BSWAP:
		emit_bswap(m);
		break;
	case IR_CLZ:
	case IR_CTZ:
	case IR_BSF:
	case IR_BSR:
	case IR_POPCNT:
		emit_scan(m);
		break;
	case IR_BT:
	case IR_BTS:
	case IR_BTR:
	case IR_BTC:
		emit_bit(m);
		break;
	case IR_PDEP:
	case IR_PEXT:
		emit_pdep(m);
		break;
	case IR_CRC32:
		emit_crc32(m);
		break;
	case IR_SETCC:
		emit_setcc(m);
		break;
	case IR_SELCC:
		emit_selcc(m);
		break;
	case IR_GETF:
		emit_getf(m);
		break;
	case IR_PUTF:
		emit_putf(m);
		break;
	case IR_SETC:
		emit_setc(m);
		break;
	case IR_SEL:
		emit_sel(m);
		break;
	case IR_LOAD:
	case IR_STORE:
	case IR_RMW:
	case IR_CAS:
	case IR_PROBE:
		emit_memory(m);
		break;
	case IR_FENCE:
		e8(&m->c, 0x0f);
		e8(&m->c, 0xae);
		e8(&m->c, 0xf0);
		break;
	case IR_CALL:
		emit_call(m);
		break;
	case IR_LABEL:
		emit_label(m);
		break;
	case IR_BR:
	case IR_BRCC:
	case IR_BRNZ:
	case IR_BRZ:
		emit_branch(m);
		break;
	case IR_EXITCC:
		emit_exitcc(m);
		break;
	case IR_EXITNZ:
	case IR_EXITZ:
		emit_exitz(m);
		break;
	case IR_CALLHINT:
		break;
	case IR_GOTO:
		add_exit(m, NULL, ir_const_value(m->ir, o->a), o->pad);
		break;
	case IR_GOTOIND:
		emit_gotoind(m);
		break;
	case IR_EXIT:
		emit_exit(m);
		break;
	default:
		m->bug = "an operation has no emitter";
		break;
	}
}

/* Return addresses of slow-path calls, for engine_sync_pc: ascending, as cold parts are emitted in
 * order. */
static void points(struct em *m, struct unit *u, const u32 *cold_insn, const u8 *const *cold_at)
{
	u->npoints = m->ncold;
	u->points = unit_alloc(m->e, (m->ncold + 1) * sizeof(*u->points));
	for (u32 i = 0; i < m->ncold; i++)
		u->points[i] = (struct unit_point){ (u32)(cold_at[i] - m->c.start), cold_insn[i] };
}

static size_t emit_unit(struct engine *e, struct unit *u, u8 *at, size_t room)
{
	static __thread struct em em;
	static __thread u32 cold_insn[MAX_COLD];
	static __thread const u8 *cold_at[MAX_COLD];
	struct em *m = &em;
	struct ir *ir = &e->ir;

	m->c = (struct code){ .p = at, .start = at, .end = at + room - 64 };
	m->e = e;
	m->th = thunks_of(e);
	m->u = u;
	m->ir = ir;
	m->strict = e->opt.strict;
	m->class = e->cpus[0]->cpu->isa->mode_class(u->mode);
	em_start(m);
	for (u32 i = 0; i < ir->nops && !m->c.full; i++) {
		u32 ncold = m->ncold;

		m->o = &ir->op[i];
		m->lock = 0;
		emit_op(m);
		for (; ncold < m->ncold; ncold++)
			cold_insn[ncold] = u->ninsns;
		release(m, m->o->a);
		release(m, m->o->b);
		release(m, m->o->c);
		if (m->bug) {
			fprintf(stderr, "quern: the x86 code generator failed at op %u (%s): %s\n",
				i, ir_opinfo[m->o->op].name, m->bug);
			abort();
		}
	}
	u->ninsns = ir->ninsns;
	for (u32 i = 0; i < m->nfix; i++)
		patch_rel(m->fix[i].at, m->label[m->fix[i].label]);
	u->exits = unit_alloc(e, (m->nexits + 1) * sizeof(*u->exits));
	u->nexits = m->nexits;
	/* the exit that ends the unit first, in line */
	for (u32 i = m->nexits; i-- > 0 && !m->c.full;)
		emit_stub(m, &m->exit[i], &u->exits[i]);
	u->guard = u->ram_page2 != ~0ull && !u->nospan ? emit_guard(m) : NULL;
	emit_cold_parts(m, cold_at);
	if (m->c.full)
		return 0;
	points(m, u, cold_insn, cold_at);
	u->host = at;
	u->host_size = (u32)(m->c.p - at);
	return u->host_size;
}

/* The exit whose stub made the call that returns to ra: a jump to patch, then that call, five bytes
 * each. */
static struct exit_slot *slot_at(struct engine *e, const u8 *ra)
{
	struct unit *u = unit_at(e, ra - 1);

	for (u32 i = 0; i < u->nexits; i++)
		if (u->exits[i].patch + 4 + 5 == ra)
			return &u->exits[i];
	abort(); /* every such call follows a patch place */
}

static enum ir_leave enter(struct engine *e, struct cpu *cpu, const u8 *host,
			   struct exit_slot **slot)
{
	enum ir_leave (*fn)(struct cpu *, const u8 *, struct tlb_set *, const u8 **) =
		(enum ir_leave(*)(struct cpu *, const u8 *, struct tlb_set *, const u8 **))(
			uintptr_t)thunks_of(e)
			->enter;

	const u8 *ra = NULL;
	enum ir_leave why = fn(cpu, host, cpu->engine->set, &ra);

	*slot = ra ? slot_at(e, ra) : NULL;
	if (ra)
		cpu->pc = (*slot)->pc;
	return why;
}

static void link_exit(struct exit_slot *s, const struct unit *to)
{
	patch_rel(s->patch, to ? to->guard ? to->guard : to->host : s->patch + 4);
}

static int init(struct engine *e, u8 *at, size_t room) { return thunks_make(e, at, room); }

static const struct backend x86_backend = {
	.name = "x86-64", .init = init, .emit = emit_unit, .enter = enter, .link = link_exit
};

const struct backend *backend_host(void) { return &x86_backend; }
