/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alu.c - arithmetic, logic, shifts and multiplications, with the flags that they make. */
#include "emit.h"

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
void flags_before(struct em *m, bool host_clobbers)
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

void flags_after(struct em *m)
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
unsigned start_in_dst(struct em *m, ref dst, ref a, ref b)
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

bool memory_slot(struct em *m, ref r)
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

void emit_compare(struct em *m, enum alu op, unsigned size)
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

void emit_alu(struct em *m, enum alu op)
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

void emit_andn(struct em *m)
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
void emit_unary(struct em *m, unsigned ext, unsigned opcode)
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

void emit_shift(struct em *m, unsigned ext)
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

void emit_double_shift(struct em *m)
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

void emit_mul(struct em *m)
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
void emit_mul2(struct em *m)
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
