/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state.c - the state and the memory in which a snippet starts: random, with the values that matter
 * more often than chance would have them. Both follow from the snippet's seed alone. */
#include "diff.h"
#include <sys/auxv.h>

const struct page_place page_places[NPAGES] = {
	[P_RW0] = { WIN_DATA, true, false },
	[P_RW1] = { WIN_DATA + PAGE_BYTES, true, false },
	[P_RO] = { WIN_DATA + 3 * PAGE_BYTES, false, false },
	[P_RW2] = { WIN_DATA + 4 * PAGE_BYTES, true, false },
	[P_CODE0] = { WIN_CODE, false, true },
	[P_CODE1] = { WIN_CODE + PAGE_BYTES, false, true },
	[P_SMC0] = { WIN_SMC, true, true },
	[P_SMC1] = { WIN_SMC + PAGE_BYTES, true, true },
};

static u32 float_value(struct rng *r)
{
	static const u32 v[] = { 0,	     0x80000000, 0x3f800000, 0xbf800000, 0x7f800000,
				 0xff800000, 0x7fc00000, 0xffc00000, 0x7f800001, 0xffa00000,
				 1,	     0x80000001, 0x007fffff, 0x00800000, 0x7f7fffff,
				 0xff7fffff, 0x4f000000, 0xcf000000, 0x4effffff, 0x3f000000,
				 0x3fc00000, 0x40490fdb, 0x5f000000, 0x33800000, 0x7fbfffff,
				 0x4f800000 };

	switch (below(r, 4)) {
	case 0:
		return v[below(r, ARRAY_SIZE(v))];
	case 1:
		return (u32)(rnd(r) & 0x80ffffff) | (112 + below(r, 32)) << 23;
	case 2:
		return (u32)rnd(r) & 0x807fffff;
	default:
		return (u32)rnd(r);
	}
}

static u64 double_value(struct rng *r)
{
	static const u64 v[] = { 0,
				 1ull << 63,
				 0x3ff0000000000000,
				 0xbff0000000000000,
				 0x7ff0000000000000,
				 0xfff0000000000000,
				 0x7ff8000000000000,
				 0xfff8000000000000,
				 0x7ff0000000000001,
				 0xfff4000000000000,
				 1,
				 0x8000000000000001,
				 0x000fffffffffffff,
				 0x0010000000000000,
				 0x7fefffffffffffff,
				 0x41e0000000000000,
				 0xc1e0000000000000,
				 0x41dfffffffc00000,
				 0x43e0000000000000,
				 0xc3e0000000000000,
				 0x47efffffe0000000,
				 0x3690000000000000,
				 0x380fffffffffffff,
				 0x3fe0000000000000,
				 0x400921fb54442d18 };

	switch (below(r, 4)) {
	case 0:
		return v[below(r, ARRAY_SIZE(v))];
	case 1:
		return (rnd(r) & 0x800fffffffffffff) | (u64)(1008 + below(r, 32)) << 52;
	case 2:
		return rnd(r) & 0x800fffffffffffff;
	default:
		return rnd(r);
	}
}

u64 state_value(struct rng *r)
{
	switch (below(r, 14)) {
	case 0:
		return 0;
	case 1:
		return 1;
	case 2:
		return ~0ull;
	case 3:
		return below(r, 256);
	case 4:
		return (u64) - (s64)below(r, 256);
	case 5:
		return 1ull << below(r, 64);
	case 6:
		return (1ull << below(r, 64)) - 1;
	case 7:
		return ~(1ull << below(r, 64));
	case 8:
		return rnd(r) >> below(r, 64);
	case 9:
		return (u64)((s64)rnd(r) >> below(r, 64));
	case 10:
		return double_value(r);
	case 11:
		return float_value(r) | (u64)float_value(r) << 32;
	case 12:
		return 0x8000000000000000ull >> (below(r, 4) * 16);
	default:
		return rnd(r);
	}
}

/* --- registers */

static u64 pointer(struct rng *r)
{
	static const u8 page[8] = { 0, 0, 0, 1, 1, 1, 4, 3 };
	u64 v = WIN_DATA + page[below(r, 8)] * PAGE_BYTES + below(r, PAGE_BYTES - 64);

	if (chance(r, 70))
		v &= ~15ull;
	if (chance(r, 3))
		v = WIN_DATA + 2 * PAGE_BYTES - below(r, 80);
	return v;
}

static void registers(struct rng *r, struct regs *st, struct roles *ro)
{
	for (unsigned i = 0; i < 16; i++) {
		ro->of[i] = ROLE_ANY;
		st->gpr[i] = state_value(r);
	}
	for (unsigned i = 0; i < 16; i++) {
		bool often = i == R_BX || i == R_BP || i == R_SI || i == R_DI;

		if (chance(r, often ? 80 : i >= 8 ? 25 : 5)) {
			ro->of[i] = ROLE_POINTER;
			st->gpr[i] = pointer(r);
		} else if (chance(r, i == R_CX ? 60 : 15)) {
			ro->of[i] = ROLE_SMALL;
			st->gpr[i] = below(r, chance(r, 50) ? 8 : 40);
		}
	}
	ro->of[R_SP] = ROLE_POINTER;
	st->gpr[R_SP] = WIN_DATA + (chance(r, 50) ? 0 : 4 * PAGE_BYTES) + 512 + below(r, 3000);
	if (chance(r, 95))
		st->gpr[R_SP] &= ~7ull;
	else if (chance(r, 50))
		st->gpr[R_SP] = WIN_DATA + below(r, 2) * 3 * PAGE_BYTES + below(r, 64);
	/* an address with rubbish above 32 bits, right again under a 67 prefix */
	if (chance(r, 3)) {
		unsigned i = 8 + below(r, 8);

		st->gpr[i] |= rnd(r) << 32;
	}
}

static void flags(struct rng *r, struct regs *st)
{
	st->flags = (rnd(r) & EFL_ARITH) | EFL_1 | EFL_IF;
	if (chance(r, 12))
		st->flags |= EFL_DF;
	if (chance(r, 1))
		st->flags |= EFL_AC;
	if (chance(r, 3))
		st->flags |= EFL_ID;
}

static void bases(struct rng *r, struct regs *st)
{
	static const u64 v[] = { 0, 0x40, 0x1000, 8, 0xfffffffffffff000, 1 };

	st->fsbase = v[below(r, ARRAY_SIZE(v))];
	st->gsbase = v[below(r, ARRAY_SIZE(v))];
	if (chance(r, 2))
		st->fsbase = (u64)((s64)(rnd(r) << 16) >> 16);
	/* a host without FSGSBASE sets bases by a system call, which takes user addresses only */
	if (!(getauxval(AT_HWCAP2) & 2)) {
		st->fsbase &= BIT64(47) - PAGE_BYTES - 1;
		st->gsbase &= BIT64(47) - PAGE_BYTES - 1;
	}
}

static void mxcsr(struct rng *r, struct regs *st)
{
	st->fx.mxcsr = 0x1f80;
	if (chance(r, 50))
		return;
	st->fx.mxcsr |= below(r, 4) << 13;
	if (chance(r, 25))
		st->fx.mxcsr |= BIT(15);
	if (chance(r, 25))
		st->fx.mxcsr |= BIT(6);
	if (chance(r, 30))
		st->fx.mxcsr |= below(r, 64);
	if (chance(r, 15))
		st->fx.mxcsr &= ~(u32)((below(r, 64) & below(r, 64)) << 7);
}

static void extended(struct rng *r, u64 *m, u16 *se)
{
	*m = rnd(r) | 1ull << 63;
	*se = (u16)((16383 - 40 + below(r, 80)) | below(r, 2) << 15);
	switch (below(r, 16)) {
	case 0:
		*m = 0;
		*se &= 0x8000;
		break;
	case 1:
		*m = 1ull << 63;
		*se |= 0x7fff;
		break; /* infinity */
	case 2:
		*m = rnd(r) | 3ull << 62;
		*se |= 0x7fff;
		break; /* quiet NaN */
	case 3:
		*m = (rnd(r) | 1ull << 63) & ~(1ull << 62);
		*se |= 0x7fff;
		break;
	case 4:
		*m = rnd(r) >> 1;
		*se &= 0x8000;
		break; /* denormal */
	case 5:
		*se &= 0x8000;
		break; /* pseudo-denormal */
	case 6:
		*m = rnd(r) >> 1;
		*se = (u16)rnd(r);
		break; /* unnormal, pseudo-infinity, pseudo-NaN */
	case 7:
		*m = 1ull << 63;
		*se = (u16)(16383 | below(r, 2) << 15);
		break;
	case 8:
		*se = (u16)rnd(r);
		break;
	case 9:
		*m = ~0ull << below(r, 64);
		*m |= 1ull << 63;
		break;
	case 10:
		*m = state_value(r) | 1ull << 63;
		*se = (u16)(16383 + below(r, 66));
		break;
	}
}

static void x87(struct rng *r, struct regs *st)
{
	struct fx_area *fx = &st->fx;
	unsigned top = below(r, 8), depth = below(r, 9);
	u16 pending;

	fx->cw = 0x37f;
	if (chance(r, 50)) {
		static const u16 pc[4] = { 0, 0x200, 0x300, 0x300 };

		fx->cw = (u16)(0x7f | pc[below(r, 4)] | below(r, 4) << 10);
		if (chance(r, 20))
			fx->cw &= (u16) ~(below(r, 64) & below(r, 64));
	}
	fx->sw = (u16)(top << 11);
	if (chance(r, 40))
		fx->sw |= (u16)(rnd(r) & 0x4700);
	if (chance(r, 25))
		fx->sw |= (u16)below(r, 64);
	if (chance(r, 5))
		fx->sw |= 0x40;
	if (chance(r, 90))
		fx->sw &= (u16)(fx->cw | ~63u);
	pending = (u16)(fx->sw & ~fx->cw & 63);
	fx->sw = (u16)((fx->sw & ~0x8080) | (pending ? 0x8080 : 0));
	/* st0 .. st(depth-1) are full, mostly */
	for (unsigned i = 0; i < depth; i++)
		fx->tag |= (u8)(1u << ((top + i) & 7));
	if (chance(r, 10))
		fx->tag = (u8)rnd(r);
	for (unsigned i = 0; i < 8; i++)
		extended(r, &fx->st[i].m, &fx->st[i].se);
}

static void vectors(struct rng *r, struct regs *st)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned kind = below(r, 4);

		for (unsigned h = 0; h < 2; h++)
			st->fx.xmm[i][h] = kind == 0 ? double_value(r) :
					   kind == 1 ? float_value(r) | (u64)float_value(r) << 32 :
						       state_value(r);
	}
}

static void simplify(const struct snippet *s, struct regs *st)
{
	for (unsigned i = 0; i < 16; i++)
		if (s->simple >> i & 1)
			st->gpr[i] = i == R_SP ? WIN_DATA + 2048 : 0;
	if (s->simple & SIMPLE_FLAGS)
		st->flags = EFL_1 | EFL_IF;
	if (s->simple & SIMPLE_MXCSR)
		st->fx.mxcsr = 0x1f80;
	if (s->simple & SIMPLE_X87) {
		st->fx.cw = 0x37f;
		st->fx.sw = 0;
		st->fx.tag = 0;
		memset(st->fx.st, 0, sizeof(st->fx.st));
	}
	if (s->simple & SIMPLE_XMM)
		memset(st->fx.xmm, 0, sizeof(st->fx.xmm));
	if (s->simple & SIMPLE_BASES)
		st->fsbase = st->gsbase = 0;
}

void state_start(const struct snippet *s, struct regs *st, struct roles *roles)
{
	struct rng r = { s->seed * 0x2545f4914f6cdd1dull + 1 };
	struct roles unused;

	memset(st, 0, sizeof(*st));
	registers(&r, st, roles ? roles : &unused);
	flags(&r, st);
	bases(&r, st);
	mxcsr(&r, st);
	x87(&r, st);
	vectors(&r, st);
	simplify(s, st);
	st->rip = s->at;
}

/* --- memory */

static u64 memory_value(struct rng *r)
{
	if (chance(r, 8))
		return pointer(r);
	return state_value(r);
}

void state_memory(const struct snippet *s, struct memory *m)
{
	/* most of it is the same for many snippets; a little follows the seed */
	static struct memory common;
	static u64 common_seed = ~0ull;
	struct rng r = { s->seed >> 10 };
	static const u8 data[] = { P_RW0, P_RW1, P_RO, P_RW2 };

	if (common_seed != s->seed >> 10) {
		common_seed = s->seed >> 10;
		for (unsigned p = 0; p < NPAGES; p++) {
			memset(common.page[p], 0xf4, PAGE_BYTES);
			for (unsigned i = 0; p < P_CODE0 && i < PAGE_BYTES; i += 8)
				st64le(common.page[p] + i, memory_value(&r));
		}
	}
	*m = common;
	if (s->simple & SIMPLE_DATA) {
		for (unsigned i = 0; i < ARRAY_SIZE(data); i++)
			memset(m->page[data[i]], 0, PAGE_BYTES);
	} else {
		r.s = s->seed + 77;
		for (unsigned i = 0; i < 32; i++)
			st64le(m->page[data[below(&r, 4)]] + below(&r, PAGE_BYTES - 8),
			       memory_value(&r));
	}
	for (unsigned i = 0; i < s->len; i++) {
		u64 off = s->at + i - (s->at >= WIN_SMC ? WIN_SMC : WIN_CODE);

		if (off < CODE_SPAN)
			m->page[(s->at >= WIN_SMC ? P_SMC0 : P_CODE0) + off / PAGE_BYTES]
			       [off % PAGE_BYTES] = s->code[i];
	}
}
