/* SPDX-License-Identifier: GPL-2.0-or-later */
/* operand.c - what emitters use to reach operands: registers, memory through segments, the stack;
 * and the ways out of an instruction. Intel SDM vol. 1, chapter 3. Memory needs no check at run
 * time in 64-bit code and with flat segments; else a helper adds the base and checks the limit. */
#include "decode.h"
#include "helpers.h"

static inline bool code64(const struct x86_tr *t) { return (t->mode & M_CODE) == M_CODE64; }

static u16 mem_flags(const struct x86_tr *t, unsigned n)
{
	return (u16)(x86_data_ctx(t->mode) << IR_CTX_SHIFT |
		     (t->mode & M_ALIGN && n > 1 ? IR_ALIGNED : 0));
}

/* Is the linear address the offset, or (64-bit FS, GS) the offset plus a base, with nothing to
 * check? */
static bool unchecked(const struct x86_tr *t, unsigned seg, bool write)
{
	if (code64(t))
		return true;
	return (t->mode & M_FLAT) && seg != S_FS && seg != S_GS && !(write && seg == S_CS);
}

static bool based(const struct x86_tr *t, unsigned seg)
{
	return code64(t) && (seg == S_FS || seg == S_GS);
}

/* v cut to `width` bytes, valid in 64 bits. */
static ref truncated(struct x86_tr *t, ref v, unsigned width)
{
	return width == 8 ? v : ir_un(t->ir, width == 4 ? IR_ZEXT32 : IR_ZEXT16, I64, v);
}

/* base + (index << scale) + disp, cut to `width` bytes, in one value. */
static ref sum(struct x86_tr *t, ref base, ref index, unsigned scale, s32 disp, unsigned width)
{
	if (width == 2)
		return truncated(t, ir_lea(t->ir, I32, base, index, scale, disp), 2);
	if (width == 8 && !disp && (!base || !index) && !scale && (base || index))
		return base ? base : index;
	return ir_lea(t->ir, width == 8 ? I64 : I32, base, index, scale, disp);
}

static struct x86_addr checked(struct x86_tr *t, unsigned seg, ref off, unsigned n, bool write)
{
	struct x86_addr a = { .mem = mem_flags(t, n) };

	a.base = ir_call(t->ir, XH_linear, off, 0, 0, (s32)(seg | (unsigned)write << 3 | n << 4));
	return a;
}

/* The parts of an offset in segment seg. */
static struct x86_addr address(struct x86_tr *t, unsigned seg, ref base, ref index, unsigned scale,
			       s32 disp, unsigned width, unsigned n, bool write)
{
	struct x86_addr a = { base, index, disp, (u16)(mem_flags(t, n) | scale) };

	if (!unchecked(t, seg, write))
		return checked(t, seg, sum(t, base, index, scale, disp, width), n, write);
	if (based(t, seg)) {
		ref fs = SLOT(SL_SEGBASE + seg);

		if (width == 8 && (!base || !index) && !scale) {
			a.base = base ? base : index ? index : fs;
			a.index = base || index ? fs : 0;
			return a;
		}
		a.base = sum(t, base, index, scale, disp, width);
		a.index = fs;
		a.disp = 0;
		a.mem = mem_flags(t, n);
		return a;
	}
	if (!base && index && !scale) {
		a.base = index;
		a.index = 0;
	}
	a.mem |= width == 4 ? IR_ADDR32 : width == 2 ? IR_ADDR16 : 0;
	return a;
}

/* The memory operand's registers and displacement. */
static void parts(struct x86_tr *t, ref *base, ref *index, s32 *disp)
{
	const struct x86_insn *in = t->in;

	*disp = (s32)in->disp;
	*index = in->index >= 0 ? x86_gpr((unsigned)in->index) : 0;
	if (in->base == 16) {
		u64 v = t->next + (u64)in->disp;

		*base = ir_const(t->ir, in->asize == 4 ? (u32)v : v);
		*disp = 0;
	} else if (in->base >= 0) {
		*base = x86_gpr((unsigned)in->base);
	} else if (*disp != in->disp || !*index) {
		u64 v = (u64)in->disp;

		*base = ir_const(t->ir, in->asize == 4 ? (u32)v : in->asize == 2 ? (u16)v : v);
		*disp = 0;
	} else {
		*base = 0;
	}
}

struct x86_addr x86_addr(struct x86_tr *t, unsigned n, bool write)
{
	const struct x86_insn *in = t->in;
	ref base, index;
	s32 disp;

	/* FS:disp and GS:disp, the per-CPU and thread variables: the segment's base is the only
	 * register */
	if (in->base < 0 && in->index < 0 && based(t, in->seg) && (s32)in->disp == in->disp &&
	    in->asize == 8)
		return (struct x86_addr){ SLOT(SL_SEGBASE + in->seg), 0, (s32)in->disp,
					  mem_flags(t, n) };
	parts(t, &base, &index, &disp);
	return address(t, in->seg, base, index, in->scale, disp, in->asize, n, write);
}

struct x86_addr x86_addr_at(struct x86_tr *t, unsigned sreg, ref off, unsigned n, bool write)
{
	return address(t, sreg, off, 0, 0, 0, t->in->asize, n, write);
}

ref x86_ea(struct x86_tr *t)
{
	ref base, index;
	s32 disp;

	parts(t, &base, &index, &disp);
	return sum(t, base, index, t->in->scale, disp, t->in->asize);
}

/* LEA: the offset cut to the address size, of which the low `size` bytes are wanted. */
ref x86_ea_sized(struct x86_tr *t, unsigned size)
{
	ref base, index;
	s32 disp;

	parts(t, &base, &index, &disp);
	return sum(t, base, index, t->in->scale, disp, MIN((unsigned)t->in->asize, size));
}

ref x86_linear_ea(struct x86_tr *t, unsigned n, bool write)
{
	struct x86_addr a = x86_addr(t, n, write);

	x86_single_base(t, &a);
	return a.disp ? ir_lea(t->ir, a.mem & IR_ADDR32 ? I32 : I64, a.base, 0, 0, a.disp) :
	       a.mem & IR_ADDR32 ? truncated(t, a.base, 4) :
				   a.base;
}

/* The form base + disp, as RMW and CAS take it. */
void x86_single_base(struct x86_tr *t, struct x86_addr *a)
{
	if (!a->index && !(a->mem & IR_ADDR16))
		return;
	a->base = sum(t, a->base, a->index, a->mem & IR_SCALE, a->disp,
		      a->mem & IR_ADDR16 ? 2 :
		      a->mem & IR_ADDR32 ? 4 :
					   8);
	a->index = 0;
	a->disp = 0;
	a->mem &= (u16) ~(IR_SCALE | IR_ADDR16 | IR_ADDR32);
}

static struct x86_addr moved(struct x86_tr *t, const struct x86_addr *a, s32 plus)
{
	struct x86_addr r = *a;

	if (add_overflow(a->disp, plus, &r.disp)) {
		r.base = ir_lea(t->ir, I64, a->base, 0, 0, plus);
		r.disp = a->disp;
	}
	return r;
}

ref x86_load_at(struct x86_tr *t, const struct x86_addr *a, enum ir_type type, s32 plus, u16 more)
{
	struct x86_addr m = moved(t, a, plus);

	return ir_load(t->ir, type, m.base, m.index, m.disp, m.mem | more);
}

void x86_store_at(struct x86_tr *t, const struct x86_addr *a, enum ir_type type, s32 plus, u16 more,
		  ref v)
{
	struct x86_addr m = moved(t, a, plus);

	ir_store(t->ir, type, m.base, m.index, m.disp, m.mem | more, v);
}

/* --- operands */

static u64 cut(u64 v, unsigned size) { return size >= 8 ? v : v & ((1ull << (8 * size)) - 1); }

ref x86_get(struct x86_tr *t, const struct x86_operand *o)
{
	struct x86_addr a;

	switch (o->kind) {
	case OPK_REG:
		return o->reg >= 16 ? ir_un(t->ir, IR_EXT8H, I32, x86_gpr(o->reg - 16u)) :
				      x86_gpr(o->reg);
	case OPK_MEM:
		a = x86_addr(t, o->size, false);
		return x86_load_at(t, &a, x86_type(o->size), 0, 0);
	case OPK_SREG:
		return ir_call(t->ir, XH_get_sel, 0, 0, 0, o->reg);
	case OPK_XMM:
		return SLOT(SL_XMM + o->reg);
	default:
		return ir_const(t->ir, cut(t->in->imm, o->size));
	}
}

ref x86_get_copy(struct x86_tr *t, const struct x86_operand *o)
{
	ref v = x86_get(t, o), c;

	if (REF_KIND(v) != REF_SLOT)
		return v;
	c = ir_temp(t->ir);
	ir_copy(t->ir, I64, c, v);
	return c;
}

void x86_put_gpr(struct x86_tr *t, unsigned reg, unsigned size, ref v)
{
	ref slot = x86_gpr(reg & 15);

	if (reg >= 16)
		ir_emit(t->ir, IR_INS8H, I64, slot, slot, v);
	else if (size == 1)
		ir_emit(t->ir, IR_INS8, I64, slot, slot, v);
	else if (size == 2)
		ir_emit(t->ir, IR_INS16, I64, slot, slot, v);
	else
		ir_put(t->ir, x86_type(size), slot, v);
}

void x86_put(struct x86_tr *t, const struct x86_operand *o, ref v)
{
	if (o->kind == OPK_MEM) {
		struct x86_addr a = x86_addr(t, o->size, true);

		x86_store_at(t, &a, x86_type(o->size), 0, 0, v);
	} else {
		x86_put_gpr(t, o->reg, o->size, v);
	}
}

ref x86_get_rmw(struct x86_tr *t, const struct x86_operand *o)
{
	if (o->kind != OPK_MEM)
		return x86_get(t, o);
	t->rmw = x86_addr(t, o->size, true);
	return x86_load_at(t, &t->rmw, x86_type(o->size), 0, IR_WILLWRITE);
}

void x86_put_rmw(struct x86_tr *t, const struct x86_operand *o, ref v)
{
	if (o->kind == OPK_MEM)
		x86_store_at(t, &t->rmw, x86_type(o->size), 0, IR_SAME, v);
	else
		x86_put_gpr(t, o->reg, o->size, v);
}

/* dst = op(a, b) with flags, where dst may be a register written in place. */
void x86_alu(struct x86_tr *t, enum ir_opcode op, const struct x86_operand *dst, ref a, ref b)
{
	enum ir_type type = x86_type(dst->size);
	ref r;

	if (dst->kind == OPK_REG && dst->size >= 4) {
		ir_binf(t->ir, op, type, x86_gpr(dst->reg), a, b);
		return;
	}
	r = ir_temp(t->ir);
	ir_binf(t->ir, op, type, r, a, b);
	x86_put_rmw(t, dst, r);
}

/* --- the stack */

unsigned x86_stack_width(const struct x86_tr *t)
{
	return code64(t) ? 8 : t->mode & M_SS32 ? 4 : 2;
}

struct x86_addr x86_stack_at(struct x86_tr *t, unsigned reg, s32 disp, unsigned n, bool write)
{
	return address(t, S_SS, x86_gpr(reg), 0, 0, disp, x86_stack_width(t), n, write);
}

/* rSP = reg + plus in the stack's width. */
void x86_stack_set(struct x86_tr *t, unsigned reg, s32 plus)
{
	unsigned width = x86_stack_width(t);

	if (width == 2) {
		ref v = ir_lea(t->ir, I32, x86_gpr(reg), 0, 0, plus);
		x86_put_gpr(t, R_SP, 2, v);
	} else {
		struct ir_op *o = ir_emit(t->ir, IR_LEA, width == 8 ? I64 : I32, x86_gpr(R_SP),
					  x86_gpr(reg), 0);
		o->imm = plus;
	}
}

void x86_push(struct x86_tr *t, unsigned size, ref v)
{
	struct x86_addr a = x86_stack_at(t, R_SP, -(s32)size, size, true);

	x86_store_at(t, &a, x86_type(size), 0, 0, v);
	x86_stack_set(t, R_SP, -(s32)size);
}

ref x86_pop(struct x86_tr *t, unsigned size)
{
	struct x86_addr a = x86_stack_at(t, R_SP, 0, size, false);

	return x86_load_at(t, &a, x86_type(size), 0, 0);
}

void x86_pop_commit(struct x86_tr *t, unsigned size) { x86_stack_set(t, R_SP, (s32)size); }

/* --- flags */

/* ZF = bit 0 of v, the other flags stay. */
void x86_put_zf(struct x86_tr *t, ref v)
{
	ref f = ir_temp(t->ir), k = ir_const(t->ir, (u16)~HF_Z), n = ir_const(t->ir, 14);

	ir_emit(t->ir, IR_GETF, I16, f, 0, 0);
	f = ir_bin(t->ir, IR_AND, I32, f, k);
	v = ir_bin(t->ir, IR_SHL, I32, v, n);
	f = ir_bin(t->ir, IR_OR, I32, f, v);
	ir_emit(t->ir, IR_PUTF, I16, 0, f, 0);
}

/* --- ways out */

u64 x86_pc_mask(u64 pc, u32 mode, unsigned osize)
{
	return (mode & M_CODE) == M_CODE64 ? pc : osize == 2 ? (u16)pc : (u32)pc;
}

static void set_pc(struct x86_tr *t, ref pc) { ir_copy(t->ir, I64, SLOT(SL_PC), pc); }

void x86_end_pc(struct x86_tr *t, enum ir_exit why)
{
	if (t->single) {
		ref pc = ir_temp(t->ir);

		/* the call itself stores the pc of this instruction */
		ir_copy(t->ir, I64, pc, SLOT(SL_PC));
		ir_callv(t->ir, XH_step_trap, pc, 0, 0, 0);
	}
	ir_exit(t->ir, t->poll ? IR_EXIT_POLL : why);
	t->ended = true;
}

void x86_end_next(struct x86_tr *t, enum ir_exit why)
{
	set_pc(t, ir_const(t->ir, t->next));
	x86_end_pc(t, why);
}

void x86_raise_op(struct x86_tr *t, int vector, s32 error)
{
	if (error < 0)
		ir_callv(t->ir, XH_raise, 0, 0, 0, vector);
	else
		ir_callv(t->ir, XH_raise_err, ir_const(t->ir, (u64)error), 0, 0, vector);
	ir_exit(t->ir, IR_EXIT_NEXT);
	t->ended = true;
}

void x86_ud(struct x86_tr *t) { x86_raise_op(t, EXC_UD, -1); }

/* Near transfers are checked against the limit of CS where it is not known to be 4 GiB. Real and
 * V86 mode offsets of 16 bits are within any limit. */
static bool limited(const struct x86_tr *t)
{
	bool real = !(t->mode & M_PE) || (t->mode & M_VM);

	return !code64(t) && !(t->mode & M_FLAT) && !(real && t->in->osize == 2);
}

/* A target that is not canonical is refused before anything of the branch is done. The way out
 * leads to an address that is not canonical either, and from which x86_mem_fault knows the branch.
 */
static void check_canonical(struct x86_tr *t, ref pc)
{
	ref v = ir_bin(t->ir, IR_SAR, I64, pc, ir_const(t->ir, 47));

	v = ir_bin(t->ir, IR_ADD, I64, v, ir_const(t->ir, 1));
	v = ir_bin(t->ir, IR_SHR, I64, v, ir_const(t->ir, 1));
	ir_exitnz(t->ir, I64, v, x86_branch_alias(t->pc));
}

void x86_check_ip(struct x86_tr *t, ref pc)
{
	if (limited(t))
		ir_callv(t->ir, XH_check_ip, pc, 0, 0, 0);
	else if (code64(t) && !ir_is_const(pc))
		check_canonical(t, pc);
}

/* Leave for pc, with a visit to the machine loop only when something is pending. */
void x86_end_polled(struct x86_tr *t, ref pending, u64 pc)
{
	if (!t->single)
		ir_exitz(t->ir, I64, pending, pc);
	set_pc(t, ir_const(t->ir, pc));
	x86_end_pc(t, IR_EXIT_POLL);
}

void x86_end_goto(struct x86_tr *t, u64 pc)
{
	x86_check_ip(t, ir_const(t->ir, pc));
	if (t->single || t->poll) {
		x86_end_polled(t, ir_call(t->ir, XH_poll, 0, 0, 0, 0), pc);
	} else {
		t->follow = true;
		t->follow_pc = pc;
	}
}

void x86_end_ind(struct x86_tr *t, ref pc, unsigned kind)
{
	if (t->single || t->poll) {
		set_pc(t, pc);
		x86_end_pc(t, IR_EXIT_NEXT);
	} else {
		ir_gotoind(t->ir, pc, kind);
		t->ended = true;
	}
}

/* Both ways of a conditional jump at once, where more has to be done than to leave. True: the unit
 * has ended. */
static bool either(struct x86_tr *t, ref pc)
{
	x86_check_ip(t, pc);
	if (!t->single && !t->poll)
		return false;
	set_pc(t, pc);
	x86_end_pc(t, IR_EXIT_NEXT);
	return true;
}

static bool plain(const struct x86_tr *t) { return !t->single && !t->poll && !limited(t); }

void x86_branch_cc(struct x86_tr *t, enum ir_cond cc, u64 pc)
{
	if (!plain(t)) {
		ref taken = ir_const(t->ir, pc), not_taken = ir_const(t->ir, t->next);

		if (either(t, ir_selcc(t->ir, I64, cc, taken, not_taken)))
			return;
	}
	ir_exitcc(t->ir, cc, pc);
}

void x86_branch_nz(struct x86_tr *t, ref v, bool when, u64 pc)
{
	if (!plain(t)) {
		ref taken = ir_const(t->ir, pc), not_taken = ir_const(t->ir, t->next),
		    r = ir_temp(t->ir);

		ir_emit(t->ir, IR_SEL, I64, r, when ? taken : not_taken, when ? not_taken : taken)
			->c = v;
		if (either(t, r))
			return;
	}
	if (when)
		ir_exitnz(t->ir, I64, v, pc);
	else
		ir_exitz(t->ir, I64, v, pc);
}
