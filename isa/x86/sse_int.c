/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sse_int.c - packed integer operations of SSE2, in portable C: SDM vol. 2. Lane loops that
 * compilers vectorise. */
#include "sse.h"

/* Each lane of x from the lanes of x and y. */
#define LANES(name, T, f, expr) \
	VEC(name) \
	{ \
		union x86_xmm *d = VX(a), x = *d, y = *VX(b); \
		for (unsigned i = 0; i < 16 / sizeof(T); i++) { \
			T p = (T)x.f[i], q = (T)y.f[i]; \
			x.f[i] = (__typeof__(x.f[0]))(expr); \
		} \
		*d = x; \
		return 0; \
	}

static s32 sat8(s32 v) { return v < -128 ? -128 : v > 127 ? 127 : v; }
static s32 sat16(s32 v) { return v < -32768 ? -32768 : v > 32767 ? 32767 : v; }
static s32 satu8(s32 v) { return v < 0 ? 0 : v > 255 ? 255 : v; }
static s32 satu16(s32 v) { return v < 0 ? 0 : v > 65535 ? 65535 : v; }

LANES(paddb, u8, b, p + q)
LANES(paddw, u16, w, p + q)
LANES(paddd, u32, d, p + q)
LANES(paddq, u64, q, p + q)
LANES(psubb, u8, b, p - q)
LANES(psubw, u16, w, p - q)
LANES(psubd, u32, d, p - q)
LANES(psubq, u64, q, p - q)
LANES(paddsb, s8, b, sat8(p + q))
LANES(paddsw, s16, w, sat16(p + q))
LANES(psubsb, s8, b, sat8(p - q))
LANES(psubsw, s16, w, sat16(p - q))
LANES(paddusb, u8, b, satu8(p + q))
LANES(paddusw, u16, w, satu16(p + q))
LANES(psubusb, u8, b, satu8(p - q))
LANES(psubusw, u16, w, satu16(p - q))
LANES(pavgb, u8, b, (p + q + 1) >> 1)
LANES(pavgw, u16, w, (p + q + 1) >> 1)
LANES(pminub, u8, b, p < q ? p : q)
LANES(pmaxub, u8, b, p > q ? p : q)
LANES(pminsw, s16, w, p < q ? p : q)
LANES(pmaxsw, s16, w, p > q ? p : q)
LANES(pminsb, s8, b, p < q ? p : q)
LANES(pmaxsb, s8, b, p > q ? p : q)
LANES(pminuw, u16, w, p < q ? p : q)
LANES(pmaxuw, u16, w, p > q ? p : q)
LANES(pminsd, s32, d, p < q ? p : q)
LANES(pmaxsd, s32, d, p > q ? p : q)
LANES(pminud, u32, d, p < q ? p : q)
LANES(pmaxud, u32, d, p > q ? p : q)
LANES(pcmpeqb, u8, b, p == q ? -1 : 0)
LANES(pcmpeqw, u16, w, p == q ? -1 : 0)
LANES(pcmpeqd, u32, d, p == q ? -1 : 0)
LANES(pcmpeqq, u64, q, p == q ? ~0ull : 0)
LANES(pcmpgtb, s8, b, p > q ? -1 : 0)
LANES(pcmpgtw, s16, w, p > q ? -1 : 0)
LANES(pcmpgtd, s32, d, p > q ? -1 : 0)
LANES(pcmpgtq, s64, q, p > q ? ~0ull : 0)
LANES(pand, u64, q, p &q)
LANES(pandn, u64, q, ~p &q)
LANES(por, u64, q, p | q)
LANES(pxor, u64, q, p ^ q)
LANES(pmullw, u16, w, (u32)p *q)
LANES(pmulhw, s16, w, (p * q) >> 16)
LANES(pmulhuw, u16, w, ((u32)p * q) >> 16)
LANES(pmulld, u32, d, p *q)
LANES(pmulhrsw, s16, w, (((p * q) >> 14) + 1) >> 1)
LANES(pmuludq, u64, q, (u64)(u32)p *(u32)q)
LANES(pmuldq, u64, q, (s64)(s32)p *(s32)q)
LANES(psignb, s8, b, q < 0 ? -p : q ? p : 0)
LANES(psignw, s16, w, q < 0 ? -p : q ? p : 0)
LANES(psignd, u32, d, (s32)q < 0 ? 0u - p : q ? p : 0)
LANES(pabsb, s8, b, ((void)p, q < 0 ? -q : q))
LANES(pabsw, s16, w, ((void)p, q < 0 ? -q : q))
LANES(pabsd, u32, d, ((void)p, (s32)q < 0 ? 0u - q : q))

/* Shifts: by the low quadword of y, or by imm. Counts past the width give 0, or the sign. */
#define SHIFT(name, T, f, expr, over) \
	static void do_##name(union x86_xmm *d, u64 n) \
	{ \
		for (unsigned i = 0; i < 16 / sizeof(T); i++) { \
			T p = (T)d->f[i]; \
			d->f[i] = (__typeof__(d->f[0]))(n < sizeof(T) * 8 ? (expr) : (over)); \
		} \
	} \
	VEC(name) \
	{ \
		do_##name(VX(a), VX(b)->q[0]); \
		return 0; \
	} \
	VEC(name##_i) \
	{ \
		do_##name(VX(a), imm & 0xff); \
		return 0; \
	}
SHIFT(psrlw, u16, w, p >> n, 0)
SHIFT(psrld, u32, d, p >> n, 0)
SHIFT(psrlq, u64, q, p >> n, 0)
SHIFT(psllw, u16, w, (u32)p << n, 0)
SHIFT(pslld, u32, d, p << n, 0)
SHIFT(psllq, u64, q, p << n, 0)
SHIFT(psraw, s16, w, p >> n, p >> 15)
SHIFT(psrad, s32, d, p >> n, p >> 31)

/* Bytes sh.. of the 32 bytes hi:lo. */
static union x86_xmm align(const union x86_xmm *hi, const union x86_xmm *lo, unsigned sh)
{
	u8 t[48] = { 0 };
	union x86_xmm r;

	memcpy(t, lo, 16);
	memcpy(t + 16, hi, 16);
	memcpy(&r, t + MIN(sh, 32u), 16);
	return r;
}

VEC(psrldq_i)
{
	static const union x86_xmm zero;

	*VX(a) = align(&zero, VX(a), MIN((unsigned)imm & 0xff, 16u));
	return 0;
}

VEC(pslldq_i)
{
	static const union x86_xmm zero;

	*VX(a) = align(VX(a), &zero, 16 - MIN((unsigned)imm & 0xff, 16u));
	return 0;
}

VEC(palignr)
{
	*VX(a) = align(VX(a), VX(b), imm & 0xff);
	return 0;
}

/* MOVSS, MOVSD between registers: the rest stays. */
VEC(movss_r)
{
	VX(a)->d[0] = VX(b)->d[0];
	return 0;
}

VEC(movsd_r)
{
	VX(a)->q[0] = VX(b)->q[0];
	return 0;
}

/* Interleave from element n0 on. */
#define UNPACK(name, f, n, n0) \
	VEC(name) \
	{ \
		union x86_xmm x = *VX(a), y = *VX(b), r; \
		for (unsigned i = 0; i < (n) / 2; i++) { \
			r.f[2 * i] = x.f[(n0) + i]; \
			r.f[2 * i + 1] = y.f[(n0) + i]; \
		} \
		*VX(a) = r; \
		return 0; \
	}
UNPACK(punpcklbw, b, 16, 0)
UNPACK(punpcklwd, w, 8, 0)
UNPACK(punpckldq, d, 4, 0)
UNPACK(punpcklqdq, q, 2, 0)
UNPACK(punpckhbw, b, 16, 8)
UNPACK(punpckhwd, w, 8, 4)
UNPACK(punpckhdq, d, 4, 2)
UNPACK(punpckhqdq, q, 2, 1)
UNPACK(unpcklps, d, 4, 0)
UNPACK(unpckhps, d, 4, 2)

#define PACK(name, from, to, T, n, sat) \
	VEC(name) \
	{ \
		union x86_xmm x = *VX(a), y = *VX(b), r; \
		for (unsigned i = 0; i < (n); i++) { \
			r.to[i] = (__typeof__(r.to[0]))sat((T)x.from[i]); \
			r.to[(n) + i] = (__typeof__(r.to[0]))sat((T)y.from[i]); \
		} \
		*VX(a) = r; \
		return 0; \
	}
PACK(packsswb, w, b, s16, 8, sat8)
PACK(packuswb, w, b, s16, 8, satu8)
PACK(packssdw, d, w, s32, 4, sat16)
PACK(packusdw, d, w, s32, 4, satu16)

VEC(pshufd)
{
	union x86_xmm y = *VX(b);

	for (unsigned i = 0; i < 4; i++)
		VX(a)->d[i] = y.d[imm >> 2 * i & 3];
	return 0;
}

VEC(pshuflw)
{
	union x86_xmm y = *VX(b), r = y;

	for (unsigned i = 0; i < 4; i++)
		r.w[i] = y.w[imm >> 2 * i & 3];
	*VX(a) = r;
	return 0;
}

VEC(pshufhw)
{
	union x86_xmm y = *VX(b), r = y;

	for (unsigned i = 0; i < 4; i++)
		r.w[4 + i] = y.w[4 + (imm >> 2 * i & 3)];
	*VX(a) = r;
	return 0;
}

VEC(shufps)
{
	union x86_xmm x = *VX(a), y = *VX(b), *d = VX(a);

	d->d[0] = x.d[imm & 3];
	d->d[1] = x.d[imm >> 2 & 3];
	d->d[2] = y.d[imm >> 4 & 3];
	d->d[3] = y.d[imm >> 6 & 3];
	return 0;
}

VEC(shufpd)
{
	union x86_xmm x = *VX(a), y = *VX(b), *d = VX(a);

	d->q[0] = x.q[imm & 1];
	d->q[1] = y.q[imm >> 1 & 1];
	return 0;
}

VEC(movhlps)
{
	VX(a)->q[0] = VX(b)->q[1];
	return 0;
}

VEC(movlhps)
{
	VX(a)->q[1] = VX(b)->q[0];
	return 0;
}

VEC(movddup)
{
	VX(a)->q[0] = VX(b)->q[0];
	VX(a)->q[1] = VX(a)->q[0];
	return 0;
}

VEC(movsldup)
{
	union x86_xmm y = *VX(b);

	*VX(a) = (union x86_xmm){ .d = { y.d[0], y.d[0], y.d[2], y.d[2] } };
	return 0;
}

VEC(movshdup)
{
	union x86_xmm y = *VX(b);

	*VX(a) = (union x86_xmm){ .d = { y.d[1], y.d[1], y.d[3], y.d[3] } };
	return 0;
}

VEC(pmaddwd)
{
	union x86_xmm x = *VX(a), y = *VX(b), *d = VX(a);

	for (unsigned i = 0; i < 4; i++)
		d->d[i] = (u32)((s16)x.w[2 * i] * (s16)y.w[2 * i]) +
			  (u32)((s16)x.w[2 * i + 1] * (s16)y.w[2 * i + 1]);
	return 0;
}

VEC(pmaddubsw)
{
	union x86_xmm x = *VX(a), y = *VX(b), *d = VX(a);

	for (unsigned i = 0; i < 8; i++)
		d->w[i] = (u16)sat16(x.b[2 * i] * (s8)y.b[2 * i] +
				     x.b[2 * i + 1] * (s8)y.b[2 * i + 1]);
	return 0;
}

static u32 sad(const u8 *x, const u8 *y, unsigned n)
{
	u32 s = 0;

	for (unsigned i = 0; i < n; i++)
		s += x[i] > y[i] ? x[i] - y[i] : y[i] - x[i];
	return s;
}

VEC(psadbw)
{
	union x86_xmm x = *VX(a), y = *VX(b);

	VX(a)->q[0] = sad(x.b, y.b, 8);
	VX(a)->q[1] = sad(x.b + 8, y.b + 8, 8);
	return 0;
}

VEC(mpsadbw)
{
	union x86_xmm x = *VX(a), y = *VX(b);
	unsigned from = imm & 4, of = (imm & 3) * 4;

	for (unsigned i = 0; i < 8; i++)
		VX(a)->w[i] = (u16)sad(x.b + from + i, y.b + of, 4);
	return 0;
}

VEC(phminposuw)
{
	union x86_xmm y = *VX(b);
	unsigned at = 0;

	for (unsigned i = 1; i < 8; i++)
		if (y.w[i] < y.w[at])
			at = i;
	*VX(a) = (union x86_xmm){ .q = { y.w[at] | at << 16, 0 } };
	return 0;
}

VEC(pshufb)
{
	union x86_xmm x = *VX(a), y = *VX(b);

	for (unsigned i = 0; i < 16; i++)
		VX(a)->b[i] = y.b[i] & 0x80 ? 0 : x.b[y.b[i] & 15];
	return 0;
}

/* Horizontal: pairs of x, then pairs of y. */
#define HORIZ(name, f, T, n, expr) \
	VEC(name) \
	{ \
		union x86_xmm x = *VX(a), y = *VX(b), r; \
		for (unsigned i = 0; i < (n) / 2; i++) { \
			{ \
				T p = (T)x.f[2 * i], q = (T)x.f[2 * i + 1]; \
				r.f[i] = (__typeof__(r.f[0]))(expr); \
			} \
			{ \
				T p = (T)y.f[2 * i], q = (T)y.f[2 * i + 1]; \
				r.f[(n) / 2 + i] = (__typeof__(r.f[0]))(expr); \
			} \
		} \
		*VX(a) = r; \
		return 0; \
	}
HORIZ(phaddw, w, u16, 8, p + q)
HORIZ(phaddd, d, u32, 4, p + q)
HORIZ(phaddsw, w, s16, 8, sat16(p + q))
HORIZ(phsubw, w, u16, 8, p - q)
HORIZ(phsubd, d, u32, 4, p - q)
HORIZ(phsubsw, w, s16, 8, sat16(p - q))

#define EXTEND(name, from, F, to, n) \
	VEC(name) \
	{ \
		union x86_xmm y = *VX(b); \
		for (unsigned i = 0; i < (n); i++) \
			VX(a)->to[i] = (__typeof__(y.to[0]))(F)y.from[i]; \
		return 0; \
	}
EXTEND(pmovsxbw, b, s8, w, 8)
EXTEND(pmovsxbd, b, s8, d, 4)
EXTEND(pmovsxbq, b, s8, q, 2)
EXTEND(pmovsxwd, w, s16, d, 4)
EXTEND(pmovsxwq, w, s16, q, 2)
EXTEND(pmovsxdq, d, s32, q, 2)
EXTEND(pmovzxbw, b, u8, w, 8)
EXTEND(pmovzxbd, b, u8, d, 4)
EXTEND(pmovzxbq, b, u8, q, 2)
EXTEND(pmovzxwd, w, u16, d, 4)
EXTEND(pmovzxwq, w, u16, q, 2)
EXTEND(pmovzxdq, d, u32, q, 2)

#define BLEND(name, f, n, cond) \
	VEC(name) \
	{ \
		union x86_xmm x = *VX(a), y = *VX(b); \
		for (unsigned i = 0; i < (n); i++) \
			if (cond) \
				x.f[i] = y.f[i]; \
		*VX(a) = x; \
		return 0; \
	}
BLEND(blendps, d, 4, imm >> i & 1)
BLEND(blendpd, q, 2, imm >> i & 1)
BLEND(pblendw, w, 8, imm >> i & 1)
BLEND(pblendvb, b, 16, VX(cc)->b[i] >> 7)
BLEND(blendvps, d, 4, VX(cc)->d[i] >> 31)
BLEND(blendvpd, q, 2, VX(cc)->q[i] >> 63)

VEC(insertps)
{
	union x86_xmm x = *VX(a);

	x.d[imm >> 4 & 3] = VX(b)->d[imm >> 6 & 3];
	for (unsigned i = 0; i < 4; i++)
		if (imm >> i & 1)
			x.d[i] = 0;
	*VX(a) = x;
	return 0;
}

VEC(pmovmskb)
{
	u64 r = 0;

	for (unsigned i = 0; i < 16; i++)
		r |= (u64)(VX(a)->b[i] >> 7) << i;
	return r;
}

VEC(movmskps)
{
	const u32 *d = VX(a)->d;

	return d[0] >> 31 | d[1] >> 31 << 1 | d[2] >> 31 << 2 | d[3] >> 31 << 3;
}

VEC(movmskpd) { return VX(a)->q[0] >> 63 | VX(a)->q[1] >> 63 << 1; }

VEC(ptest)
{
	const union x86_xmm *x = VX(a), *y = VX(b);
	u16 hf = 0;

	if (!((x->q[0] & y->q[0]) | (x->q[1] & y->q[1])))
		hf |= HF_Z;
	if (!((~x->q[0] & y->q[0]) | (~x->q[1] & y->q[1])))
		hf |= HF_C;
	c->hflags = hf;
	return 0;
}

/* --- MMX: the same operations on 64 bits. The emitter has made the x87 registers MMX ones
 * (mmx_enter). */
u64 x86_h_mmx(struct cpu *c, u64 a, u64 b, u64 cc, u64 imm)
{
	union x86_xmm x = { .q = { a, 0 } }, y = { .q = { b, 0 } };
	u64 imm8 = imm >> 24 & 0xff;
	unsigned out = 0;

	switch (imm >> 16 & 0xff) {
	case MMX_HIGH:
		out = 1;
		break;
	case MMX_PAIR:
		x.q[1] = b;
		y = x;
		break;
	case MMX_SHUF:
		y.q[0] &= 0x8787878787878787ull;
		break;
	case MMX_ALIGN:
		x.q[1] = 0;
		if (imm8 >= 16)
			return 0;
		y = (union x86_xmm){ .q = { b, a } };
		x.q[0] = 0;
		break;
	}
	x86_helpers[imm & 0xffff].fn(c, (uintptr_t)&x, (uintptr_t)&y, 0, imm8);
	return x.q[out];
}

u64 x86_h_pmovmskb_mm(struct cpu *c, u64 a, u64 b, u64 cc, u64 imm)
{
	union x86_xmm x = { .q = { a, 0 } };

	return x86_h_pmovmskb(c, (uintptr_t)&x, 0, 0, 0);
}
