/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sse_string.c - the string compares of SSE4.2, in portable C: SDM vol. 2, section 4.1 "imm8
 * control byte operation". */
#include "sse.h"

/* Element i as the format wants it: imm bit 0 = words, bit 1 = signed. */
static s32 element(const union x86_xmm *v, unsigned i, u64 imm)
{
	switch (imm & 3) {
	case 0:
		return v->b[i];
	case 1:
		return v->w[i];
	case 2:
		return (s8)v->b[i];
	default:
		return (s16)v->w[i];
	}
}

static unsigned implicit_length(const union x86_xmm *v, u64 imm)
{
	unsigned i, n = imm & 1 ? 8 : 16;

	for (i = 0; i < n && element(v, i, imm); i++)
		;
	return i;
}

/* EAX/EDX or RAX/RDX: the absolute value, saturated. */
static unsigned explicit_length(u64 reg, u64 imm, bool wide)
{
	unsigned n = imm & 1 ? 8 : 16;
	s64 v = wide ? (s64)reg : (s32)reg;

	if (v < 0)
		v = v < -(s64)n ? (s64)n : -v;
	return v > (s64)n ? n : (unsigned)v;
}

/* One comparison, with the overrides for invalid elements (table 4-7). i indexes x (the first
 * operand), j y. */
static bool compare(s32 x, s32 y, bool xvalid, bool yvalid, unsigned aggregation, bool upper)
{
	bool v = aggregation == 1 ? (upper ? y <= x : y >= x) : x == y;

	if (xvalid && yvalid)
		return v;
	if (aggregation == 2)
		return !xvalid && !yvalid;
	if (aggregation == 3)
		return !xvalid;
	return false;
}

/* IntRes2 and the flags. */
static u32 string_compare(struct cpu *c, const union x86_xmm *x, const union x86_xmm *y,
			  unsigned lx, unsigned ly, u64 imm)
{
	unsigned n = imm & 1 ? 8 : 16, agg = imm >> 2 & 3;
	u32 r1 = 0, r2, all = BIT(n) - 1;
	u16 hf = 0;

	for (unsigned j = 0; j < n; j++) {
		bool bit = agg >= 2;

		if (agg == 0)
			for (unsigned i = 0; i < n && !bit; i++)
				bit = compare(element(x, i, imm), element(y, j, imm), i < lx,
					      j < ly, agg, false);
		else if (agg == 1)
			for (unsigned i = 0; i < n && !bit; i += 2)
				bit = compare(element(x, i, imm), element(y, j, imm), i < lx,
					      j < ly, agg, false) &&
				      compare(element(x, i + 1, imm), element(y, j, imm),
					      i + 1 < lx, j < ly, agg, true);
		else if (agg == 2)
			bit = compare(element(x, j, imm), element(y, j, imm), j < lx, j < ly, agg,
				      false);
		else
			for (unsigned i = 0; i + j < n && bit; i++)
				bit = compare(element(x, i, imm), element(y, i + j, imm), i < lx,
					      i + j < ly, agg, false);
		r1 |= (u32)bit << j;
	}
	switch (imm >> 4 & 3) {
	case 1:
		r2 = r1 ^ all;
		break;
	case 3:
		r2 = r1 ^ (BIT(ly) - 1);
		break;
	default:
		r2 = r1;
	}
	if (r2)
		hf |= HF_C;
	if (ly < n)
		hf |= HF_Z;
	if (lx < n)
		hf |= HF_S;
	if (r2 & 1)
		hf |= HF_O;
	c->hflags = hf;
	return r2;
}

static u64 index_of(u32 r, u64 imm)
{
	if (!r)
		return imm & 1 ? 8 : 16;
	return imm & 0x40 ? 31 - (unsigned)__builtin_clz(r) : (unsigned)__builtin_ctz(r);
}

static union x86_xmm mask_of(u32 r, u64 imm)
{
	union x86_xmm v = { .q = { 0, 0 } };

	if (!(imm & 0x40))
		v.d[0] = r;
	else if (imm & 1)
		for (unsigned i = 0; i < 8; i++)
			v.w[i] = r >> i & 1 ? 0xffff : 0;
	else
		for (unsigned i = 0; i < 16; i++)
			v.b[i] = r >> i & 1 ? 0xff : 0;
	return v;
}

static u32 implicit(struct cpu *c, u64 a, u64 b, u64 imm)
{
	return string_compare(c, VX(a), VX(b), implicit_length(VX(a), imm),
			      implicit_length(VX(b), imm), imm);
}

static u32 explicit(struct cpu *c, u64 a, u64 b, u64 imm)
{
	bool wide = imm >> 8 & 1;

	return string_compare(c, VX(a), VX(b), explicit_length(X86(c)->gpr[R_AX], imm, wide),
			      explicit_length(X86(c)->gpr[R_DX], imm, wide), imm);
}

VEC(pcmpistri) { return index_of(implicit(c, a, b, imm), imm); }

VEC(pcmpestri) { return index_of(explicit(c, a, b, imm), imm); }

VEC(pcmpistrm)
{
	X86(c)->xmm[0] = mask_of(implicit(c, a, b, imm), imm);
	return 0;
}

VEC(pcmpestrm)
{
	X86(c)->xmm[0] = mask_of(explicit(c, a, b, imm), imm);
	return 0;
}
