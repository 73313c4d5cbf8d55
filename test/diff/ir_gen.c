/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ir_gen.c - random valid units of IR: every rule of ir.h is kept, and no undefined flag or bit is
 * read. An instruction first loads and stores (what can fault), then computes and writes slots. */
#include "ir_fuzz.h"
#include "rng.h"

enum { MAX_TEMPS_HERE = 24, MAX_LABELS_HERE = 64, MAX_LEFT_OUT = 512 };

struct unit_gen {
	struct rng r;
	struct ir *ir;
	u16 taint; /* HF_ bits without a defined value */
	u16 label_taint[MAX_LABELS_HERE];
	struct {
		ref r;
		u8 type;
	} temp[MAX_TEMPS_HERE];
	unsigned ntemps;
	u64 pc;
};

static unsigned pick(struct unit_gen *g, unsigned n) { return below(&g->r, n); }
static bool maybe(struct unit_gen *g, unsigned percent) { return chance(&g->r, percent); }

static ref slot(struct unit_gen *g) { return SLOT(FZ_G + pick(g, FZ_NG)); }

static ref konst(struct unit_gen *g, unsigned type)
{
	u64 v = maybe(g, 40) ? pick(g, 65) : rnd(&g->r) >> pick(g, 64);

	if (maybe(g, 20))
		v = -v;
	if (type < I64)
		v = maybe(g, 50) ? (u64)((s64)(v << (64 - (8u << type))) >> (64 - (8u << type))) :
				   v & ((1ull << (8u << type)) - 1);
	return ir_const(g->ir, v);
}

static void keep(struct unit_gen *g, ref t, unsigned type)
{
	unsigned i = g->ntemps < MAX_TEMPS_HERE ? g->ntemps++ : pick(g, MAX_TEMPS_HERE);

	g->temp[i].r = t;
	g->temp[i].type = (u8)type;
}

/* A value good for `type`: a temporary at least that wide, a slot, a constant. I32 results are
 * right in all 64 bits. */
static ref value(struct unit_gen *g, unsigned type)
{
	if (g->ntemps && maybe(g, 55)) {
		unsigned i = pick(g, g->ntemps);

		if (g->temp[i].type >= type || (g->temp[i].type == I32 && type == I64))
			return g->temp[i].r;
	}
	return maybe(g, 75) ? slot(g) : konst(g, type);
}

/* Flags that are read must have a value: an ADD gives them one. */
static void want(struct unit_gen *g, u16 flags)
{
	if (!(g->taint & flags))
		return;
	ir_binf(g->ir, maybe(g, 50) ? IR_ADD : IR_SUB, I64, 0, slot(g), value(g, I64));
	g->taint = 0;
}

static const u16 cc_reads[8] = { HF_O, HF_C, HF_Z,	  HF_C | HF_Z,
				 HF_S, HF_P, HF_S | HF_O, HF_Z | HF_S | HF_O };

static enum ir_cond cond(struct unit_gen *g)
{
	enum ir_cond cc = pick(g, 16);

	want(g, cc_reads[cc >> 1]);
	return cc;
}

/* A result: a new temporary, or a slot where the type allows it. */
static ref result(struct unit_gen *g, unsigned type)
{
	if (type >= I32 && maybe(g, 50))
		return slot(g);
	return ir_temp(g->ir);
}

static void done(struct unit_gen *g, ref dst, unsigned type)
{
	if (REF_KIND(dst) != REF_TEMP)
		return;
	keep(g, dst, type);
	/* narrow results reach slots by insertion */
	if (type < I32 && maybe(g, 70)) {
		ref s = slot(g);

		ir_emit(g->ir,
			type == I16  ? IR_INS16 :
			maybe(g, 50) ? IR_INS8 :
				       IR_INS8H,
			I64, s, s, dst);
	}
}

/* --- memory: addresses are a pointer slot, or a masked value, plus what stays in the window; some
 * leave it */

static void address(struct unit_gen *g, ref *base, ref *index, s32 *disp, u16 *mem, bool indexed)
{
	*mem = (u16)(pick(g, 2) << IR_CTX_SHIFT);
	*index = 0;
	*disp = (s32)pick(g, 3000);
	if (maybe(g, 5))
		*disp = (s32)(FZ_WINDOW - 8 + pick(g, 16));
	if (maybe(g, 2))
		*disp = -(s32)pick(g, 5000);
	if (maybe(g, 60)) {
		*base = SLOT(FZ_PTR + pick(g, FZ_NPTR));
	} else {
		ref m = ir_const(g->ir, 0xff0), t;

		t = ir_bin(g->ir, IR_AND, I64, value(g, I64), m);
		*base = ir_bin(g->ir, IR_ADD, I64, t, ir_const(g->ir, FZ_DATA));
		if (maybe(g, 20))
			*mem |= IR_ADDR32;
	}
	if (indexed && maybe(g, 25)) {
		*index = ir_bin(g->ir, IR_AND, I64, value(g, I64), ir_const(g->ir, 63));
		*mem |= (u16)pick(g, 4);
	}
	if (maybe(g, 4))
		*mem |= IR_ALIGNED;
}

static void load(struct unit_gen *g)
{
	unsigned type = pick(g, 4);
	ref base, index, t;
	s32 disp;
	u16 mem;

	address(g, &base, &index, &disp, &mem, true);
	if (type < I64 && maybe(g, 30))
		mem |= type == I32 || maybe(g, 50) ? IR_SX64 : IR_SX32;
	t = ir_load(g->ir, type, base, index, disp, mem);
	keep(g, t, I64); /* loads extend to 64 bits */
}

static void store(struct unit_gen *g)
{
	unsigned type = pick(g, 4);
	ref base, index, v;
	s32 disp;
	u16 mem;

	address(g, &base, &index, &disp, &mem, true);
	v = value(g, type);
	ir_store(g->ir, type, base, index, disp, mem, v);
}

static void vector_memory(struct unit_gen *g, bool write)
{
	ref base, index, v = SLOT(FZ_V + pick(g, FZ_NV));
	s32 disp;
	u16 mem;

	address(g, &base, &index, &disp, &mem, true);
	if (maybe(g, 30))
		mem |= IR_ALIGNED;
	if (write)
		ir_store(g->ir, V128, base, index, disp, mem, v);
	else
		ir_load_to(g->ir, V128, v, base, index, disp, mem);
}

static void atomic(struct unit_gen *g)
{
	unsigned type = pick(g, 4);
	ref base, index, t, v, e;
	s32 disp;
	u16 mem;

	address(g, &base, &index, &disp, &mem, false);
	mem &= (u16)~IR_ADDR32;
	v = value(g, type);
	if (maybe(g, 60)) {
		t = ir_rmw(g->ir, type, pick(g, 6), base, disp, mem, v);
	} else {
		e = value(g, type);
		t = ir_cas(g->ir, type, base, disp, mem, e, v);
	}
	keep(g, t, type);
}

/* Load with write intent, an operation, store to the same place. The flags are set between: the
 * store cannot fault any more. */
static void modify(struct unit_gen *g)
{
	static const u8 ops[] = { IR_ADD, IR_SUB, IR_ADC, IR_SBB, IR_AND, IR_OR, IR_XOR };
	unsigned type = pick(g, 4), op = ops[pick(g, ARRAY_SIZE(ops))];
	ref base, index, t, v, w;
	s32 disp;
	u16 mem;

	if (g->taint & HF_C && (op == IR_ADC || op == IR_SBB))
		op = IR_ADD;
	address(g, &base, &index, &disp, &mem, true);
	v = value(g, type);
	t = ir_load(g->ir, type, base, index, disp, mem | IR_WILLWRITE);
	w = ir_temp(g->ir);
	ir_binf(g->ir, op, type, w, t, v);
	g->taint = op >= IR_AND && op <= IR_XOR ? HF_A : 0;
	ir_store(g->ir, type, base, index, disp, mem | IR_SAME, w);
	keep(g, t, type);
}

/* --- computing */

static void binary(struct unit_gen *g)
{
	static const struct {
		u8 op;
		u16 undef;
		bool flags;
	} ops[] = {
		{ IR_ADD, 0, true },	{ IR_SUB, 0, true },
		{ IR_ADC, 0, true },	{ IR_SBB, 0, true },
		{ IR_AND, HF_A, true }, { IR_OR, HF_A, true },
		{ IR_XOR, HF_A, true }, { IR_ANDN, HF_A | HF_P, true },
	};
	unsigned k = pick(g, ARRAY_SIZE(ops)), op = ops[k].op,
		 type = op == IR_ANDN ? I32 + pick(g, 2) : pick(g, 4);
	bool flags = maybe(g, 60);
	ref a, b, d;

	if (op == IR_ADC || op == IR_SBB)
		want(g, HF_C);
	a = value(g, type);
	b = value(g, type);
	d = flags && maybe(g, 25) ? 0 : result(g, type);
	ir_emit(g->ir, op, type, d, a, b)->flags = flags ? IR_F : 0;
	if (flags)
		g->taint = ops[k].undef;
	done(g, d, type);
}

static void unary(struct unit_gen *g)
{
	static const u8 ops[] = { IR_NOT,    IR_NEG,	IR_INC,	   IR_DEC,   IR_MOV,
				  IR_ZEXT8,  IR_ZEXT16, IR_ZEXT32, IR_SEXT8, IR_SEXT16,
				  IR_SEXT32, IR_EXT8H,	IR_BSWAP };
	unsigned op = ops[pick(g, ARRAY_SIZE(ops))],
		 type = op <= IR_DEC && op >= IR_NOT ? pick(g, 4) : I32 + pick(g, 2), from = type;
	bool flags = (op == IR_NEG || op == IR_INC || op == IR_DEC) && maybe(g, 60);
	ref d, a;

	if (op == IR_ZEXT8 || op == IR_SEXT8)
		from = I8;
	if (op == IR_ZEXT16 || op == IR_SEXT16 || op == IR_EXT8H)
		from = I16;
	if (op == IR_ZEXT32 || op == IR_SEXT32)
		from = I32;
	a = value(g, from);
	d = result(g, type);
	ir_emit(g->ir, op, type, d, a, 0)->flags = flags ? IR_F : 0;
	if (flags)
		g->taint &= op == IR_NEG ? 0 : HF_C;
	done(g, d, type);
}

static void shift(struct unit_gen *g)
{
	static const u8 ops[] = { IR_SHL, IR_SHR, IR_SAR, IR_ROL, IR_ROR, IR_RCL, IR_RCR };
	unsigned op = ops[pick(g, ARRAY_SIZE(ops))], type = pick(g, 4), bits = 8u << type,
		 n = pick(g, bits);
	bool flags = maybe(g, 50), fixed = maybe(g, 60), rotate = op >= IR_ROL;
	ref a, b, d;

	if (op == IR_RCL || op == IR_RCR)
		want(g, HF_C);
	a = value(g, type);
	b = fixed ? ir_const(g->ir, n) : value(g, I8);
	if (ir_is_const(b) && !fixed)
		fixed = true, n = ir_const_value(g->ir, b) & (type == I64 ? 63 : 31);
	d = result(g, type);
	ir_emit(g->ir, op, type, d, a, b)->flags = flags ? IR_F : 0;
	done(g, d, type);
	if (!flags || (fixed && !n))
		return;
	if (fixed) {
		g->taint &= rotate ? (u16)~HF_C : 0;
		g->taint = n == 1 ? g->taint & (u16)~HF_O : g->taint | HF_O;
		g->taint |= rotate ? 0 : HF_A | (n >= bits && op != IR_SAR ? HF_C : 0);
	} else {
		g->taint |= rotate ? HF_O : HF_O | HF_A | (bits < 32 ? HF_C : 0);
	}
}

static void double_shift(struct unit_gen *g)
{
	unsigned type = I16 + pick(g, 3), n = pick(g, 8u << type);
	bool flags = maybe(g, 50), fixed = type == I16 || maybe(g, 60);
	ref a = value(g, type), b = value(g, type), c = fixed ? ir_const(g->ir, n) : slot(g),
	    d = result(g, type);
	struct ir_op *o = ir_emit(g->ir, maybe(g, 50) ? IR_SHLD : IR_SHRD, type, d, a, b);

	o->c = c;
	o->flags = flags ? IR_F : 0;
	done(g, d, type);
	if (!flags || (fixed && !n))
		return;
	if (fixed)
		g->taint = n == 1 ? HF_A : HF_A | HF_O;
	else
		g->taint |= HF_O | HF_A;
}

static void multiply(struct unit_gen *g)
{
	unsigned kind = pick(g, 3), type = kind ? pick(g, 4) : I16 + pick(g, 3);
	bool flags = maybe(g, 50);
	ref a = value(g, type), b = value(g, type), d = ir_temp(g->ir), hi = 0;
	struct ir_op *o;

	if (kind)
		hi = ir_temp(g->ir);
	o = ir_emit(g->ir, kind == 0 ? IR_MUL : kind == 1 ? IR_MULU2 : IR_MULS2, type, d, a, b);
	o->flags = flags ? IR_F : 0;
	if (kind)
		o->aux = hi;
	if (flags)
		g->taint = HF_S | HF_Z | HF_A | HF_P;
	done(g, d, type);
	if (kind)
		done(g, hi, type);
}

/* Division can fault: only among the memory operations. */
static void divide(struct unit_gen *g)
{
	unsigned type = pick(g, 4);
	ref lo = value(g, type), hi = maybe(g, 70) ? ir_const(g->ir, pick(g, 3)) : value(g, type),
	    by = value(g, type), q = ir_temp(g->ir), rem = ir_temp(g->ir);
	struct ir_op *o = ir_emit(g->ir, maybe(g, 50) ? IR_DIVU2 : IR_DIVS2, type, q, lo, hi);

	o->c = by;
	o->aux = rem;
	keep(g, q, type);
	keep(g, rem, type);
}

static void bits(struct unit_gen *g)
{
	static const struct {
		u8 op;
		u16 sets;
		u16 undef;
	} ops[] = {
		{ IR_CLZ, HF_C | HF_Z, HF_O | HF_S | HF_A | HF_P },
		{ IR_CTZ, HF_C | HF_Z, HF_O | HF_S | HF_A | HF_P },
		{ IR_POPCNT, HF_ALL, 0 },
		{ IR_BSF, HF_Z, HF_ALL & ~HF_Z },
		{ IR_BSR, HF_Z, HF_ALL & ~HF_Z },
		{ IR_BT, HF_C, HF_O | HF_S | HF_A | HF_P },
		{ IR_BTS, HF_C, HF_O | HF_S | HF_A | HF_P },
		{ IR_BTR, HF_C, HF_O | HF_S | HF_A | HF_P },
		{ IR_BTC, HF_C, HF_O | HF_S | HF_A | HF_P },
	};
	unsigned k = pick(g, ARRAY_SIZE(ops)), op = ops[k].op, type = I16 + pick(g, 3);
	bool flags = op == IR_BT || maybe(g, 60);
	ref a = value(g, type), b = op >= IR_BSF && op != IR_POPCNT ? value(g, type) : 0, d;

	d = op == IR_BT ? 0 : result(g, type);
	ir_emit(g->ir, op, type, d, a, b)->flags = flags ? IR_F : 0;
	if (flags)
		g->taint = (u16)((g->taint & ~ops[k].sets) | ops[k].undef);
	done(g, d, type);
}

static void odd(struct unit_gen *g)
{
	unsigned type = I32 + pick(g, 2);
	ref a, b, c, d;

	switch (pick(g, 9)) {
	case 0:
		a = value(g, type);
		b = value(g, type);
		ir_emit(g->ir, maybe(g, 50) ? IR_PDEP : IR_PEXT, type, d = result(g, type), a, b);
		done(g, d, type);
		break;
	case 1:
		type = pick(g, 4);
		a = value(g, I32);
		b = value(g, type);
		d = ir_temp(g->ir);
		ir_emit(g->ir, IR_CRC32, type, d, a, b);
		keep(g, d, I32);
		break;
	case 2:
		keep(g, ir_setcc(g->ir, cond(g)), I32);
		break;
	case 3: {
		enum ir_cond cc = cond(g);

		a = value(g, type);
		b = value(g, type);
		d = result(g, type);
		ir_emit(g->ir, IR_SELCC, type, d, a, b)->aux = cc;
		done(g, d, type);
		break;
	}
	case 4:
		type = pick(g, 4);
		a = value(g, type);
		b = value(g, type);
		keep(g, ir_setc(g->ir, type, pick(g, 16), a, b), I32);
		break;
	case 5:
		a = value(g, type);
		b = value(g, type);
		c = value(g, type);
		ir_emit(g->ir, IR_SEL, type, d = result(g, type), a, b)->c = c;
		done(g, d, type);
		break;
	case 6:
		want(g, HF_ALL);
		d = ir_temp(g->ir);
		ir_emit(g->ir, IR_GETF, I16, d, 0, 0);
		keep(g, ir_bin(g->ir, IR_AND, I32, d, ir_const(g->ir, HF_ALL)), I32);
		break;
	case 7:
		ir_emit(g->ir, IR_PUTF, I16, 0, value(g, I16), 0);
		g->taint = 0;
		break;
	default: {
		unsigned lea = I16 + pick(g, 3);
		struct ir_op *o;

		a = value(g, lea);
		b = maybe(g, 60) ? value(g, lea) : 0;
		d = lea == I16 ? ir_temp(g->ir) : result(g, lea);
		o = ir_emit(g->ir, IR_LEA, lea, d, a, b);
		o->scale = b ? pick(g, 4) & 3 : 0;
		o->imm = (s32)rnd(&g->r) >> pick(g, 32);
		done(g, d, lea);
		break;
	}
	}
}

static void vector(struct unit_gen *g)
{
	ref a = SLOT(FZ_V + pick(g, FZ_NV)), b = SLOT(FZ_V + pick(g, FZ_NV)),
	    q = SLOT(FZ_VQ + pick(g, 2 * FZ_NV));

	switch (pick(g, 8)) {
	case 0:
		ir_copy(g->ir, V128, a, b);
		break;
	case 1:
		ir_copy(g->ir, I64, q, value(g, I64));
		break;
	case 2:
		keep(g, ir_bin(g->ir, IR_ADD, I64, q, value(g, I64)), I64);
		break;
	case 3:
		keep(g, ir_call(g->ir, FZH_PMOVMSKB, a, 0, 0, 0), I64);
		break;
	case 4:
		ir_callv(g->ir, FZH_PTEST, a, b, 0, 0);
		g->taint = 0;
		break;
	case 5:
		ir_callv(g->ir, FZH_PSLLW, a, 0, 0, (s32)pick(g, 18));
		break;
	case 6:
		ir_callv(g->ir, FZH_PSHUFD, a, b, 0, (s32)pick(g, 256));
		break;
	default:
		ir_callv(g->ir, maybe(g, 50) ? FZH_PXOR : FZH_PADDB, a, b, 0, 0);
		break;
	}
}

static void call(struct unit_gen *g)
{
	ref a = value(g, I64), b = value(g, I64), c = value(g, I64);

	switch (pick(g, 3)) {
	case 0:
		keep(g, ir_call(g->ir, FZH_MIX, a, b, c, (s32)rnd(&g->r)), I64);
		break;
	case 1:
		want(g, HF_ALL);
		ir_callv(g->ir, FZH_STATE, a, b, 0, (s32)pick(g, 100));
		g->taint = 0;
		break;
	default:
		keep(g, ir_call(g->ir, FZH_READ, a, 0, 0, 0), I64);
		break;
	}
}

static void compute(struct unit_gen *g)
{
	static void (*const fn[])(struct unit_gen *) = { binary,       binary,	 binary, binary,
							 unary,	       unary,	 shift,	 shift,
							 double_shift, multiply, bits,	 odd,
							 odd,	       odd,	 vector, call };

	fn[pick(g, ARRAY_SIZE(fn))](g);
}

/* --- structure */

static void tell_taint(struct unit_gen *g)
{
	ir_copy(g->ir, I64, SLOT(FZ_TAINT), ir_const(g->ir, g->taint));
}

/* if (...) { some computing } */
static void branch(struct unit_gen *g)
{
	u32 label = ir_label(g->ir);
	unsigned type = pick(g, 4);

	if (label >= MAX_LABELS_HERE)
		g->ir->nlabels--;
	else if (maybe(g, 60))
		ir_brcc(g->ir, cond(g), label);
	else if (maybe(g, 50))
		ir_brnz(g->ir, type, value(g, type), label);
	else
		ir_brz(g->ir, type, value(g, type), label);
	if (label >= MAX_LABELS_HERE)
		return;
	g->label_taint[label] = g->taint;
	for (unsigned n = 1 + pick(g, 3); n; n--)
		compute(g);
	ir_place(g->ir, label);
	g->ntemps = 0;
	g->taint |= g->label_taint[label];
}

static u64 exit_pc(struct unit_gen *g)
{
	/* on to a unit of the next generation, or the end */
	return maybe(g, 40) ? fz_next_pc(g->pc, pick(g, 4)) : FZ_STOP;
}

static void side_exit(struct unit_gen *g)
{
	unsigned type = pick(g, 4);
	enum ir_cond cc = cond(g);
	ref v = value(g, type);

	tell_taint(g);
	if (maybe(g, 60))
		ir_exitcc(g->ir, cc, exit_pc(g));
	else if (maybe(g, 50))
		ir_exitnz(g->ir, type, v, exit_pc(g));
	else
		ir_exitz(g->ir, type, v, exit_pc(g));
}

static void instruction(struct unit_gen *g, u64 pc)
{
	unsigned faulting = maybe(g, 60) ? pick(g, 4) : 0;
	bool modified = false;

	ir_insn(g->ir, pc);
	g->ntemps = 0;
	for (unsigned k = 0; k < faulting && !modified; k++)
		switch (pick(g, 10)) {
		case 0:
		case 1:
		case 2:
		case 3:
			load(g);
			break;
		case 4:
		case 5:
			/* the only store, and the last that can fault */
			store(g);
			modified = true;
			break;
		case 6:
			divide(g);
			break;
		case 7:
			atomic(g);
			modified = true;
			break;
		case 8:
			modify(g);
			modified = true;
			break;
		default:
			vector_memory(g, maybe(g, 50));
			modified = true;
			break;
		}
	for (unsigned k = pick(g, 5); k; k--)
		compute(g);
	if (maybe(g, 25))
		branch(g);
	if (maybe(g, 20))
		side_exit(g);
	tell_taint(g);
	ir_insn_len(g->ir, 4);
}

static void ending(struct unit_gen *g, u64 pc)
{
	ref to;

	ir_insn(g->ir, pc);
	ir_insn_len(g->ir, 4);
	g->ntemps = 0;
	switch (pick(g, 4)) {
	case 0:
		to = ir_const(g->ir, exit_pc(g));
		ir_gotoind(g->ir, ir_bin(g->ir, IR_ADD, I64, SLOT(FZ_ZERO), to), pick(g, 3));
		break;
	case 1:
		to = ir_const(g->ir, exit_pc(g));
		ir_copy(g->ir, I64, SLOT(FZ_PC), to);
		ir_exit(g->ir, maybe(g, 50) ? IR_EXIT_NEXT : IR_EXIT_POLL);
		break;
	default:
		ir_goto(g->ir, exit_pc(g));
		break;
	}
}

static struct rng rng_at(u64 seed, u64 pc)
{
	struct rng r = { seed ^ pc * 0xd6e8feb86659fd93ull };

	return (struct rng){ rnd(&r) };
}

/* --- for shrinking: operations that are left out; who reads their results reads zero */
static struct {
	u64 at[MAX_LEFT_OUT];
	unsigned n;
} left_out;

bool ir_leave_out(u64 pc, unsigned op)
{
	if (left_out.n == MAX_LEFT_OUT)
		return false;
	left_out.at[left_out.n++] = pc << 8 | op;
	return true;
}

void ir_take_back(void) { left_out.n--; }

static bool is_left_out(u64 key)
{
	for (unsigned i = 0; i < left_out.n; i++)
		if (left_out.at[i] == key)
			return true;
	return false;
}

static void replace(struct ir *ir, u32 from, ref old)
{
	for (u32 i = from; i < ir->nops && REF_KIND(old) == REF_TEMP; i++) {
		struct ir_op *o = &ir->op[i];

		o->a = o->a == old ? SLOT(FZ_ZERO) : o->a;
		o->b = o->b == old ? SLOT(FZ_ZERO) : o->b;
		o->c = o->c == old ? SLOT(FZ_ZERO) : o->c;
	}
}

static void leave_out(struct ir *ir, u32 first, u64 pc)
{
	for (u32 i = first; i < ir->nops && left_out.n; i++) {
		struct ir_op *o = &ir->op[i];

		if (!is_left_out(pc << 8 | (i - first)))
			continue;
		replace(ir, i + 1, o->dst);
		if (ir_opinfo[o->op].results == 2)
			replace(ir, i + 1, (ref)o->aux);
		*o = (struct ir_op){ .op = IR_MOV, .type = I64 };
	}
}

void ir_generate(struct ir *ir, u64 seed, u64 pc, unsigned max)
{
	static __thread struct ir before;
	u64 base = pc & ~0x3full;
	struct unit_gen g = { .r = rng_at(seed, base), .ir = &before, .pc = base, .taint = HF_ALL };
	unsigned n = 1 + pick(&g, 8), count = 0;
	u32 first;

	/* what flags an earlier unit left is not known here; what earlier instructions of this one
	 * leave decides what follows */
	ir_start(&before, ir->slots, ir->helpers, ir->flags_slot);
	for (unsigned k = 0; k < n; k++) {
		u64 at = base + 4 * k;

		if (at == pc)
			g.ir = ir;
		g.r = rng_at(seed, at + 1);
		if (g.ir == ir && count++ == max) {
			ir_goto(ir, at);
			return;
		}
		first = g.ir->nops;
		instruction(&g, at);
		if (g.ir == ir)
			leave_out(ir, first, at);
	}
	g.ir = ir;
	g.r = rng_at(seed, base + 2);
	if (count == max)
		ir_goto(ir, base + 4 * n);
	else
		ending(&g, base + 4 * n);
}
