/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sse_fp_soft.c - SSE floating point for hosts that are not x86 (and for tests with
 * QUERN_PORTABLE): C arithmetic under <fenv.h>, with x86's choice of NaNs, DAZ and FTZ made by
 * hand. SDM vol. 1, sections 4.8.3.5, 10.2.3, 11.5. The host's rounding mode is the guest's
 * (fpu.c). */
#include "sse.h"

#if !SSE_HOST
#include <fenv.h>
#include <math.h>

u16 sse_soft_comi(struct cpu *c, u64 a, u64 b, bool wide, bool quiet);

static void raise_fenv(struct cpu *c)
{
	int e = fetestexcept(FE_ALL_EXCEPT);

	X86(c)->sse_flags |= (e & FE_INVALID ? MX_IE : 0) | (e & FE_DIVBYZERO ? MX_ZE : 0) |
			     (e & FE_OVERFLOW ? MX_OE : 0) | (e & FE_UNDERFLOW ? MX_UE : 0) |
			     (e & FE_INEXACT ? MX_PE : 0);
}

#define FLUSHES(c) \
	((X86(c)->mxcsr & (MX_FTZ | MX_UE << MX_MASK_SHIFT)) == (MX_FTZ | MX_UE << MX_MASK_SHIFT))

/* For T: float or double as bits U. n: name suffix; mb: mantissa bits; INF: infinity's bits; QN:
 * the default NaN. */
#define FLOAT(n, T, U, mb, INF, QN) \
	static T n##_of(U v) \
	{ \
		T t; \
		memcpy(&t, &v, sizeof(t)); \
		return t; \
	} \
	static U n##_bits(T t) \
	{ \
		U v; \
		memcpy(&v, &t, sizeof(v)); \
		return v; \
	} \
	static bool n##_nan(U v) { return (v & ~((U)1 << (sizeof(U) * 8 - 1))) > (INF); } \
	static bool n##_snan(U v) { return n##_nan(v) && !(v >> ((mb)-1) & 1); } \
	static bool n##_denorm(U v) \
	{ \
		U m = v & ~((U)1 << (sizeof(U) * 8 - 1)); \
		return m && m < (U)1 << (mb); \
	} \
	static U n##_quiet(U v) { return v | (U)1 << ((mb)-1); } \
	/* an operand: denormals vanish (DAZ) or are noted by the caller */ \
	static U n##_in(struct cpu *c, U v) \
	{ \
		return X86(c)->mxcsr & MX_DAZ && n##_denorm(v) ? v & (U)1 << (sizeof(U) * 8 - 1) : \
								 v; \
	} \
	static bool n##_nans(struct cpu *c, U x, U y, U *r) \
	{ \
		if (n##_snan(x) || n##_snan(y)) \
			X86(c)->sse_flags |= MX_IE; \
		if (!n##_nan(x) && !n##_nan(y)) \
			return false; \
		*r = n##_quiet(n##_nan(x) ? x : y); \
		return true; \
	} \
	static U n##_out(struct cpu *c, T t) \
	{ \
		U v = n##_bits(t); \
		raise_fenv(c); \
		if (n##_nan(v)) \
			return QN; \
		if (n##_denorm(v) && FLUSHES(c)) { \
			X86(c)->sse_flags |= MX_UE | MX_PE; \
			return v & (U)1 << (sizeof(U) * 8 - 1); \
		} \
		return v; \
	} \
	static U n##_arith(struct cpu *c, U x, U y, char op) \
	{ \
		volatile T p, q, t; \
		U r; \
		x = n##_in(c, x); \
		y = n##_in(c, y); \
		if (op == 's' ? n##_nans(c, y, y, &r) : n##_nans(c, x, y, &r)) \
			return r; \
		if (op == 's') \
			x = 0; \
		p = n##_of(x); \
		q = n##_of(y); \
		feclearexcept(FE_ALL_EXCEPT); \
		t = op == '+' ? p + q : \
		    op == '-' ? p - q : \
		    op == '*' ? p * q : \
		    op == '/' ? p / q : \
				(T)(sizeof(T) == 4 ? sqrtf(q) : sqrt(q)); \
		if (n##_nan(n##_bits(t)) || (op == '/' && q == 0) || (op == 's' && signbit(q))) \
			; /* invalid and zero divide come before the denormal check */ \
		else if (n##_denorm(x) || n##_denorm(y)) \
			X86(c)->sse_flags |= MX_DE; \
		return n##_out(c, t); \
	} \
	static U n##_minmax(struct cpu *c, U x, U y, bool max) \
	{ \
		x = n##_in(c, x); \
		y = n##_in(c, y); \
		if (n##_nan(x) || n##_nan(y)) { \
			X86(c)->sse_flags |= MX_IE; \
			return y; \
		} \
		if (n##_denorm(x) || n##_denorm(y)) \
			X86(c)->sse_flags |= MX_DE; \
		return (max ? n##_of(x) > n##_of(y) : n##_of(x) < n##_of(y)) ? x : y; \
	} \
	/* 0 equal, 1 less, 2 greater, 3 unordered */ \
	static unsigned n##_order(struct cpu *c, U x, U y, bool quiet) \
	{ \
		x = n##_in(c, x); \
		y = n##_in(c, y); \
		if (n##_nan(x) || n##_nan(y)) { \
			if (!quiet || n##_snan(x) || n##_snan(y)) \
				X86(c)->sse_flags |= MX_IE; \
			return 3; \
		} \
		if (n##_denorm(x) || n##_denorm(y)) \
			X86(c)->sse_flags |= MX_DE; \
		return n##_of(x) < n##_of(y) ? 1 : n##_of(x) > n##_of(y) ? 2 : 0; \
	} \
	static U n##_cmp(struct cpu *c, U x, U y, unsigned pred) \
	{ \
		unsigned o = n##_order(c, x, y, (pred & 3) == 0 || (pred & 3) == 3); \
		bool r = (pred & 3) == 0 ? o == 0 : \
			 (pred & 3) == 1 ? o == 1 : \
			 (pred & 3) == 2 ? o < 2 : \
					   o == 3; \
		return r != (pred >> 2 & 1) ? ~(U)0 : 0; \
	} \
	static u64 n##_to_int(struct cpu *c, U v, bool trunc, bool wide) \
	{ \
		volatile T t; \
		T r; \
		u64 indefinite = wide ? 1ull << 63 : 1ull << 31; \
		v = n##_in(c, v); \
		t = n##_of(v); \
		r = n##_nan(v) ? 0 : trunc ? (T)trunc_(t) : (T)nearbyint_(t); \
		if (n##_nan(v) || !(wide ? r >= (T)-0x1p63 && r < (T)0x1p63 : \
					   (double)r >= -0x1p31 && (double)r < 0x1p31)) { \
			X86(c)->sse_flags |= MX_IE; \
			return indefinite; \
		} \
		if (r != t) \
			X86(c)->sse_flags |= MX_PE; \
		return wide ? (u64)(s64)r : (u32)(s32)r; \
	} \
	static U n##_from_int(struct cpu *c, s64 v) \
	{ \
		volatile s64 i = v; \
		volatile T t; \
		feclearexcept(FE_ALL_EXCEPT); \
		t = (T)i; \
		return n##_out(c, t); \
	}

static double trunc_(double v) { return trunc(v); }
static double nearbyint_(double v) { return nearbyint(v); }
FLOAT(f32, float, u32, 23, 0x7f800000u, 0xffc00000u)
FLOAT(f64, double, u64, 52, 0x7ff0000000000000ull, 0xfff8000000000000ull)

#define LANES(name, F, f, n, expr) \
	VEC(name) \
	{ \
		union x86_xmm x = *VX(a), y = *VX(b); \
		for (unsigned i = 0; i < (n); i++) \
			x.f[i] = expr; \
		*VX(a) = x; \
		return 0; \
	}
#define LANES4(name, f32expr, f64expr) \
	LANES(name##ps, f32, d, 4, f32expr) \
	LANES(name##pd, f64, q, 2, f64expr) \
	LANES(name##ss, f32, d, 1, f32expr) LANES(name##sd, f64, q, 1, f64expr)
#define ARITH(name, op) \
	LANES4(name, f32_arith(c, x.d[i], y.d[i], op), f64_arith(c, x.q[i], y.q[i], op))
ARITH(add, '+')
ARITH(sub, '-')
ARITH(mul, '*')
ARITH(div, '/')
ARITH(sqrt, 's')
LANES4(min, f32_minmax(c, x.d[i], y.d[i], false), f64_minmax(c, x.q[i], y.q[i], false))
LANES4(max, f32_minmax(c, x.d[i], y.d[i], true), f64_minmax(c, x.q[i], y.q[i], true))
#define F32_CMP f32_cmp(c, x.d[i], y.d[i], imm & 7)
#define F64_CMP f64_cmp(c, x.q[i], y.q[i], imm & 7)
LANES(cmpps, f32, d, 4, F32_CMP)
LANES(cmppd, f64, q, 2, F64_CMP)
LANES(cmpss, f32, d, 1, F32_CMP)
LANES(cmpsd_x, f64, q, 1, F64_CMP)

/* Within the architectural 1.5 * 2^-12, no flags, denormals count as zero. */
static u32 estimate(u32 v, bool root)
{
	u32 sign = v & 0x80000000u;
	double d;
	float f;

	if (f32_nan(v))
		return f32_quiet(v);
	if (f32_denorm(v))
		v = sign;
	if (!(v & 0x7fffffffu))
		return sign | 0x7f800000u;
	if (root && sign)
		return 0xffc00000u;
	d = f32_of(v);
	f = (float)(root ? 1 / sqrt(d) : 1 / d);
	v = f32_bits(f);
	return f32_denorm(v) ? sign : v;
}

LANES(rcpps, f32, d, 4, estimate(y.d[i], false))
LANES(rcpss, f32, d, 1, estimate(y.d[i], false))
LANES(rsqrtps, f32, d, 4, estimate(y.d[i], true))
LANES(rsqrtss, f32, d, 1, estimate(y.d[i], true))

static u64 widen(struct cpu *c, u32 v)
{
	v = f32_in(c, v);
	if (f32_nan(v)) {
		if (f32_snan(v))
			X86(c)->sse_flags |= MX_IE;
		return (u64)(v >> 31) << 63 | 0x7ff8000000000000ull | (u64)(v & 0x3fffff) << 29;
	}
	if (f32_denorm(v))
		X86(c)->sse_flags |= MX_DE;
	return f64_bits(f32_of(v));
}

static u32 narrow(struct cpu *c, u64 v)
{
	volatile double d;
	volatile float f;

	v = f64_in(c, v);
	if (f64_nan(v)) {
		if (f64_snan(v))
			X86(c)->sse_flags |= MX_IE;
		return (u32)(v >> 63) << 31 | 0x7fc00000u | (u32)(v >> 29 & 0x3fffff);
	}
	if (f64_denorm(v))
		X86(c)->sse_flags |= MX_DE;
	d = f64_of(v);
	feclearexcept(FE_ALL_EXCEPT);
	f = (float)d;
	return f32_out(c, f);
}

VEC(cvtps2pd)
{
	union x86_xmm y = *VX(b);
	VX(a)->q[0] = widen(c, y.d[0]);
	VX(a)->q[1] = widen(c, y.d[1]);
	return 0;
}
VEC(cvtss2sd)
{
	VX(a)->q[0] = widen(c, VX(b)->d[0]);
	return 0;
}
VEC(cvtsd2ss)
{
	VX(a)->d[0] = narrow(c, VX(b)->q[0]);
	return 0;
}
VEC(cvtpd2ps)
{
	u32 lo = narrow(c, VX(b)->q[0]), hi = narrow(c, VX(b)->q[1]);

	*VX(a) = (union x86_xmm){ .d = { lo, hi, 0, 0 } };
	return 0;
}
LANES(cvtdq2ps, f32, d, 4, f32_from_int(c, (s32)y.d[i]))
LANES(cvtps2dq, f32, d, 4, (u32)f32_to_int(c, y.d[i], false, false))
LANES(cvttps2dq, f32, d, 4, (u32)f32_to_int(c, y.d[i], true, false))
LANES(cvtdq2pd, f64, q, 2, f64_from_int(c, (s32)y.d[i]))

static void to_dq(struct cpu *c, u64 a, u64 b, bool trunc)
{
	u32 lo = (u32)f64_to_int(c, VX(b)->q[0], trunc, false),
	    hi = (u32)f64_to_int(c, VX(b)->q[1], trunc, false);

	*VX(a) = (union x86_xmm){ .d = { lo, hi, 0, 0 } };
}

VEC(cvtpd2dq)
{
	to_dq(c, a, b, false);
	return 0;
}
VEC(cvttpd2dq)
{
	to_dq(c, a, b, true);
	return 0;
}
VEC(cvtss2si) { return f32_to_int(c, VX(a)->d[0], false, false); }
VEC(cvtss2si_q) { return f32_to_int(c, VX(a)->d[0], false, true); }
VEC(cvttss2si) { return f32_to_int(c, VX(a)->d[0], true, false); }
VEC(cvttss2si_q) { return f32_to_int(c, VX(a)->d[0], true, true); }
VEC(cvtsd2si) { return f64_to_int(c, VX(a)->q[0], false, false); }
VEC(cvtsd2si_q) { return f64_to_int(c, VX(a)->q[0], false, true); }
VEC(cvttsd2si) { return f64_to_int(c, VX(a)->q[0], true, false); }
VEC(cvttsd2si_q) { return f64_to_int(c, VX(a)->q[0], true, true); }
VEC(cvtsi2ss)
{
	VX(a)->d[0] = f32_from_int(c, (s32)b);
	return 0;
}
VEC(cvtsi2ss_q)
{
	VX(a)->d[0] = f32_from_int(c, (s64)b);
	return 0;
}
VEC(cvtsi2sd)
{
	VX(a)->q[0] = f64_from_int(c, (s32)b);
	return 0;
}
VEC(cvtsi2sd_q)
{
	VX(a)->q[0] = f64_from_int(c, (s64)b);
	return 0;
}

u16 sse_soft_comi(struct cpu *c, u64 a, u64 b, bool wide, bool quiet)
{
	static const u16 hf[4] = { HF_Z, HF_C, 0, HF_Z | HF_P | HF_C };

	return hf[wide ? f64_order(c, VX(a)->q[0], VX(b)->q[0], quiet) :
			 f32_order(c, VX(a)->d[0], VX(b)->d[0], quiet)];
}
#endif
