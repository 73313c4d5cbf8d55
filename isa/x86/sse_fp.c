/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sse_fp.c - SSE floating point: SDM vol. 1 chapters 10, 11 and vol. 2. On x86 hosts the guest's
 * MXCSR is in the host's register (fpu.c), so the host's own instruction gives result and flags;
 * sse_fp_soft.c has the others. Here too: what is composed of simpler operations. */
#include "sse.h"

#if SSE_HOST

typedef float v4f __attribute__((vector_size(16), may_alias));
#define V4(p) (*(v4f *)(uintptr_t)(p))

/* dst op= src by the host instruction of the same name. volatile: they read and write MXCSR. */
#define HOST(name) \
	VEC(name) \
	{ \
		v4f x = V4(a); \
		__asm__ volatile(#name " %1, %0" : "+x"(x) : "x"(V4(b))); \
		V4(a) = x; \
		return 0; \
	}
#define HOST4(op) HOST(op##ps) HOST(op##pd) HOST(op##ss) HOST(op##sd)
HOST4(add)
HOST4(sub)
HOST4(mul)
HOST4(div)
HOST4(min)
HOST4(max)
HOST4(sqrt)
HOST(rcpps)
HOST(rcpss)
HOST(rsqrtps)
HOST(rsqrtss)
HOST(cvtps2pd)
HOST(cvtpd2ps)
HOST(cvtss2sd)
HOST(cvtsd2ss)
HOST(cvtdq2ps)
HOST(cvtps2dq)
HOST(cvttps2dq)
HOST(cvtdq2pd)
HOST(cvtpd2dq)
HOST(cvttpd2dq)

#define CMP1(insn, n) \
	case n: \
		__asm__ volatile(insn " $" #n ", %1, %0" : "+x"(x) : "x"(y)); \
		break;
#define CMP(name, insn) \
	VEC(name) \
	{ \
		v4f x = V4(a), y = V4(b); \
		switch (imm & 7) { \
			CMP1(insn, 0) \
			CMP1(insn, 1) \
			CMP1(insn, 2) \
			CMP1(insn, 3) CMP1(insn, 4) CMP1(insn, 5) CMP1(insn, 6) CMP1(insn, 7) \
		} \
		V4(a) = x; \
		return 0; \
	}
CMP(cmpps, "cmpps")
CMP(cmppd, "cmppd")
CMP(cmpss, "cmpss")
CMP(cmpsd_x, "cmpsd")

#define COMI(name) \
	static u16 do_##name(struct cpu *c, u64 a, u64 b) \
	{ \
		bool z, p, cf; \
		__asm__ volatile(#name " %4, %3" \
				 : "=@ccz"(z), "=@ccp"(p), "=@ccc"(cf) \
				 : "x"(V4(a)), "x"(V4(b))); \
		return (u16)((z ? HF_Z : 0) | (p ? HF_P : 0) | (cf ? HF_C : 0)); \
	}

#define TOINT(name) \
	VEC(name) \
	{ \
		u32 r; \
		__asm__ volatile(#name "l %1, %0" : "=r"(r) : "x"(V4(a))); \
		return r; \
	} \
	VEC(name##_q) \
	{ \
		u64 r; \
		__asm__ volatile(#name "q %1, %0" : "=r"(r) : "x"(V4(a))); \
		return r; \
	}
TOINT(cvtss2si)
TOINT(cvttss2si)
TOINT(cvtsd2si)
TOINT(cvttsd2si)

#define FROMINT(name) \
	VEC(name) \
	{ \
		v4f x = V4(a); \
		__asm__ volatile(#name "l %1, %0" : "+x"(x) : "r"((u32)b)); \
		V4(a) = x; \
		return 0; \
	} \
	VEC(name##_q) \
	{ \
		v4f x = V4(a); \
		__asm__ volatile(#name "q %1, %0" : "+x"(x) : "r"(b)); \
		V4(a) = x; \
		return 0; \
	}
FROMINT(cvtsi2ss)
FROMINT(cvtsi2sd)

static void raise_flags(struct cpu *c, u32 flags)
{
	u32 mx;

	if (!flags)
		return;
	__asm__ volatile("stmxcsr %0" : "=m"(mx));
	mx |= flags;
	__asm__ volatile("ldmxcsr %0" : : "m"(mx));
}

#else

u16 sse_soft_comi(struct cpu *c, u64 a, u64 b, bool wide, bool quiet);
#define COMI(name) \
	static u16 do_##name(struct cpu *c, u64 a, u64 b) \
	{ \
		return sse_soft_comi(c, a, b, #name[sizeof(#name) - 2] == 'd', #name[0] == 'u'); \
	}

static void raise_flags(struct cpu *c, u32 flags) { X86(c)->sse_flags |= flags; }

#endif

#define COMI_HELPER(name) \
	COMI(name) VEC(name) \
	{ \
		c->hflags = do_##name(c, a, b); \
		return 0; \
	}
COMI_HELPER(ucomiss)
COMI_HELPER(ucomisd)
COMI_HELPER(comiss)
COMI_HELPER(comisd)

/* The same when an exception may be unmasked: the flags register is written last. */
u64 x86_h_comi_except(struct cpu *c, u64 a, u64 b, u64 cc, u64 imm)
{
	u16 hf = imm == XH_ucomiss ? do_ucomiss(c, a, b) :
		 imm == XH_ucomisd ? do_ucomisd(c, a, b) :
		 imm == XH_comiss  ? do_comiss(c, a, b) :
				     do_comisd(c, a, b);

	x86_h_sse_except(c, 0, 0, 0, 0);
	c->hflags = hf;
	return 0;
}

#define P(v) ((uintptr_t) & (v))

/* Horizontal operations: the even elements of both operands with the odd ones. */
static void split_ps(u64 a, u64 b, union x86_xmm *even, union x86_xmm *odd)
{
	const union x86_xmm *x = VX(a), *y = VX(b);

	*even = (union x86_xmm){ .d = { x->d[0], x->d[2], y->d[0], y->d[2] } };
	*odd = (union x86_xmm){ .d = { x->d[1], x->d[3], y->d[1], y->d[3] } };
}

static void split_pd(u64 a, u64 b, union x86_xmm *even, union x86_xmm *odd)
{
	*even = (union x86_xmm){ .q = { VX(a)->q[0], VX(b)->q[0] } };
	*odd = (union x86_xmm){ .q = { VX(a)->q[1], VX(b)->q[1] } };
}

#define HORIZ(name, split, op) \
	VEC(name) \
	{ \
		union x86_xmm e, o; \
		split(a, b, &e, &o); \
		x86_h_##op(c, P(e), P(o), 0, 0); \
		*VX(a) = e; \
		return 0; \
	}
HORIZ(haddps, split_ps, addps)
HORIZ(haddpd, split_pd, addpd)
HORIZ(hsubps, split_ps, subps)
HORIZ(hsubpd, split_pd, subpd)

/* Even elements are subtracted, odd ones added; zeros stand in for the others, which raise nothing.
 */
VEC(addsubps)
{
	const union x86_xmm x = *VX(a), y = *VX(b);
	union x86_xmm xe = { .d = { x.d[0], 0, x.d[2], 0 } },
		      ye = { .d = { y.d[0], 0, y.d[2], 0 } };
	union x86_xmm xo = { .d = { 0, x.d[1], 0, x.d[3] } },
		      yo = { .d = { 0, y.d[1], 0, y.d[3] } };

	x86_h_subps(c, P(xe), P(ye), 0, 0);
	x86_h_addps(c, P(xo), P(yo), 0, 0);
	*VX(a) = (union x86_xmm){ .d = { xe.d[0], xo.d[1], xe.d[2], xo.d[3] } };
	return 0;
}

VEC(addsubpd)
{
	union x86_xmm xe = *VX(a), xo = xe, y = *VX(b);

	x86_h_subsd(c, P(xe), P(y), 0, 0);
	xo.q[0] = xo.q[1];
	y.q[0] = y.q[1];
	x86_h_addsd(c, P(xo), P(y), 0, 0);
	*VX(a) = (union x86_xmm){ .q = { xe.q[0], xo.q[0] } };
	return 0;
}

/* Dot products: products that imm[7:4] selects (others are +0.0), summed pairwise; imm[3:0] selects
 * the elements that get the sum. */
VEC(dpps)
{
	union x86_xmm x = *VX(a), y = *VX(b), t, u;

	for (unsigned i = 0; i < 4; i++)
		if (!(imm >> (4 + i) & 1))
			x.d[i] = y.d[i] = 0;
	x86_h_mulps(c, P(x), P(y), 0, 0);
	t = (union x86_xmm){ .d = { x.d[0], x.d[2], 0, 0 } };
	u = (union x86_xmm){ .d = { x.d[1], x.d[3], 0, 0 } };
	x86_h_addps(c, P(t), P(u), 0, 0);
	u = (union x86_xmm){ .d = { t.d[1], 0, 0, 0 } };
	x86_h_addss(c, P(t), P(u), 0, 0);
	for (unsigned i = 0; i < 4; i++)
		VX(a)->d[i] = imm >> i & 1 ? t.d[0] : 0;
	return 0;
}

VEC(dppd)
{
	union x86_xmm x = *VX(a), y = *VX(b);

	for (unsigned i = 0; i < 2; i++)
		if (!(imm >> (4 + i) & 1))
			x.q[i] = y.q[i] = 0;
	x86_h_mulpd(c, P(x), P(y), 0, 0);
	y.q[0] = x.q[1];
	x86_h_addsd(c, P(x), P(y), 0, 0);
	for (unsigned i = 0; i < 2; i++)
		VX(a)->q[i] = imm >> i & 1 ? x.q[0] : 0;
	return 0;
}

/* Round the float of `bits` with mb mantissa and eb exponent bits to an integral value; mode as
 * MXCSR.RC. *flags gets MX_*. */
static u64 round_integral(u64 bits, unsigned mb, unsigned eb, unsigned mode, bool daz, u32 *flags)
{
	u64 sign = bits & 1ull << (mb + eb), mag = bits & ((1ull << (mb + eb)) - 1),
	    mant = mag & ((1ull << mb) - 1);
	u64 one = ((1ull << (eb - 1)) - 1) << mb, half = one - (1ull << mb), unit, frac;
	unsigned exp = (unsigned)(mag >> mb), bias = (1u << (eb - 1)) - 1;
	bool up;

	if (exp == (1u << eb) - 1) {
		if (mant && !(mant >> (mb - 1))) {
			*flags |= MX_IE;
			bits |= 1ull << (mb - 1);
		}
		return bits;
	}
	if (!exp && daz)
		return sign;
	if (!mag || exp >= bias + mb)
		return bits;
	if (exp < bias) { /* below 1 */
		*flags |= MX_PE;
		up = mode == 0 ? mag > half : mode == 1 ? !!sign : mode == 2 ? !sign : false;
		return sign | (up ? one : 0);
	}
	unit = 1ull << (bias + mb - exp);
	frac = mag & (unit - 1);
	if (!frac)
		return bits;
	*flags |= MX_PE;
	mag -= frac;
	up = mode == 0 ? frac > unit / 2 || (frac == unit / 2 && (mag & unit)) :
	     mode == 1 ? !!sign :
	     mode == 2 ? !sign :
			 false;
	return sign | (up ? mag + unit : mag); /* a carry into the exponent is right */
}

static void round_lanes(struct cpu *c, u64 a, u64 b, u64 imm, bool wide, unsigned n)
{
	u32 flags = 0, mx = X86(c)->mxcsr;
	unsigned mode = imm & 4 ? (mx & MX_RC) >> MX_RC_SHIFT : imm & 3;

	for (unsigned i = 0; i < n; i++) {
		if (wide)
			VX(a)->q[i] =
				round_integral(VX(b)->q[i], 52, 11, mode, mx & MX_DAZ, &flags);
		else
			VX(a)->d[i] =
				(u32)round_integral(VX(b)->d[i], 23, 8, mode, mx & MX_DAZ, &flags);
	}
	if (imm & 8)
		flags &= ~(u32)MX_PE;
	raise_flags(c, flags);
}

VEC(roundps)
{
	round_lanes(c, a, b, imm, false, 4);
	return 0;
}
VEC(roundpd)
{
	round_lanes(c, a, b, imm, true, 2);
	return 0;
}
VEC(roundss)
{
	round_lanes(c, a, b, imm, false, 1);
	return 0;
}
VEC(roundsd)
{
	round_lanes(c, a, b, imm, true, 1);
	return 0;
}

/* --- between MMX and SSE: through vectors whose unused elements raise nothing */
VEC(cvtps2pi)
{
	union x86_xmm x = { .q = { VX(a)->q[0], 0 } };

	if (imm & 1)
		x86_h_cvttps2dq(c, P(x), P(x), 0, 0);
	else
		x86_h_cvtps2dq(c, P(x), P(x), 0, 0);
	return x.q[0];
}

VEC(cvtpd2pi)
{
	union x86_xmm x = *VX(a);

	if (imm & 1)
		x86_h_cvttpd2dq(c, P(x), P(x), 0, 0);
	else
		x86_h_cvtpd2dq(c, P(x), P(x), 0, 0);
	return x.q[0];
}

VEC(cvtpi2ps)
{
	union x86_xmm x = { .q = { b, 0 } };

	x86_h_cvtdq2ps(c, P(x), P(x), 0, 0);
	VX(a)->q[0] = x.q[0];
	return 0;
}

VEC(cvtpi2pd)
{
	union x86_xmm x = { .q = { b, 0 } };

	x86_h_cvtdq2pd(c, a, P(x), 0, 0);
	return 0;
}
