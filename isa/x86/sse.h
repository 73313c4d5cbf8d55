/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sse.h - what the files of the SSE helpers share. */
#pragma once
#include "helpers.h"

/* QUERN_PORTABLE: use the portable code on x86 hosts too (tests). */
#if defined(__x86_64__) && !defined(QUERN_PORTABLE)
#define SSE_HOST 1
#else
#define SSE_HOST 0
#endif

/* A vector helper's function, and its operands as values: x = destination, y = source. */
#define VEC(name) u64 x86_h_##name(struct cpu *c, u64 a, u64 b, u64 cc, u64 imm)
#define VX(p)	  ((union x86_xmm *)(uintptr_t)(p))

/* MXCSR */
enum {
	MX_IE = 1,
	MX_DE = 2,
	MX_ZE = 4,
	MX_OE = 8,
	MX_UE = 16,
	MX_PE = 32,
	MX_FLAGS = 63,
	MX_DAZ = 64,
	MX_MASKS = 63 << 7,
	MX_MASK_SHIFT = 7,
	MX_RC = 3 << 13,
	MX_RC_SHIFT = 13,
	MX_FTZ = BIT(15),
	MX_VALID = 0xffff,
	MX_RESET = 0x1f80
};

/* What a result may hold that is tiny: for unmasked underflow (sse_except). */
enum { FR_NONE, FR_PS, FR_PD, FR_SS, FR_SD };

/* How an MMX operation maps to the vector operation of its name (helper mmx). */
enum {
	MMX_LOW,  /* low halves */
	MMX_HIGH, /* the result's upper half: unpack high through unpack low */
	MMX_PAIR, /* both operands in one vector: packs, horizontal adds */
	MMX_SHUF, /* PSHUFB: 3-bit indices */
	MMX_ALIGN
}; /* PALIGNR */

/* Of the helper sse_unusable. */
enum { UNUSABLE_SSE, UNUSABLE_MMX, UNUSABLE_XSAVE };

/* The SIMD exception flags raised since the last call, taken out of the host's register (only in
 * mode M_FPEXC, where it holds nothing else). */
u32 sse_take_flags(struct x86_cpu *c);
