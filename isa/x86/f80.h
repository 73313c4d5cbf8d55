/* SPDX-License-Identifier: GPL-2.0-or-later */
/* f80.h - arithmetic of the x87 on 80-bit values, as one interface with an implementation per kind
 * of host: f80.c uses the host's x87. A software implementation for other hosts gets the same
 * declarations. SDM vol. 1, chapter 8. */
#pragma once
#include "x86.h"

/* cw: the guest's control word (precision, rounding, masks). An operation leaves in sw the
 * condition codes and exception flags; while all exceptions are masked, flags of earlier operations
 * may still be in it (they are sticky anyway), else exactly its own ones. With an unmasked invalid,
 * denormal or zero-divide exception no result is delivered; with an unmasked overflow or underflow
 * the biased one. */
struct f80_ctx {
	u16 cw, sw;
};

enum {
	F80_IE = 1,
	F80_DE = 2,
	F80_ZE = 4,
	F80_OE = 8,
	F80_UE = 16,
	F80_PE = 32,
	F80_SF = 64,
	F80_ES = 128,
	F80_C0 = 0x100,
	F80_C1 = 0x200,
	F80_C2 = 0x400,
	F80_C3 = 0x4000,
	F80_B = 0x8000,
	F80_TOP = 0x3800,
	F80_TOP_SHIFT = 11,
	F80_CC = F80_C0 | F80_C1 | F80_C2 | F80_C3,
	F80_EXC = 63
};

/* Where an operand comes from or a result goes. */
enum f80_kind { F80_X, F80_F32, F80_F64, F80_I16, F80_I32, F80_I64, F80_BCD, F80_KINDS };

/* a op= operand. op is the instruction's /digit: 0 add, 1 mul, 4 sub, 5 subr, 6 div, 7 divr. kind:
 * F80_X (operand: struct x86_f80) to F80_I32. */
void f80_arith(struct f80_ctx *x, unsigned op, struct x86_f80 *a, enum f80_kind kind,
	       const void *operand);
/* C3 C2 C0 from a : operand. quiet: FUCOM, only signalling NaNs are invalid. */
void f80_compare(struct f80_ctx *x, const struct x86_f80 *a, enum f80_kind kind,
		 const void *operand, bool quiet);
/* Loads: FLD m32/m64, FILD, FBLD. F80_X copies. False: an unmasked exception kept the value from
 * being loaded. */
bool f80_load(struct f80_ctx *x, struct x86_f80 *r, enum f80_kind kind, const void *operand);
/* Stores: FST, FIST, FBSTP; truncate: FISTTP. out is written only when the instruction would. */
void f80_store(struct f80_ctx *x, const struct x86_f80 *a, enum f80_kind kind, bool truncate,
	       void *out);
/* D9 E8..EE: 1, log2(10), log2(e), pi, log10(2), ln(2), 0 */
void f80_const(struct f80_ctx *x, unsigned n, struct x86_f80 *r);
enum f80_unary { F80_SQRT, F80_RNDINT, F80_2XM1, F80_SIN, F80_COS, F80_TST, F80_XAM };
void f80_unary(struct f80_ctx *x, enum f80_unary fn, struct x86_f80 *a);
/* st0 op st1: the first three leave the result in st0, the others in st1 (and the instruction
 * pops). */
enum f80_binary { F80_SCALE, F80_PREM, F80_PREM1, F80_YL2X, F80_YL2XP1, F80_PATAN };
void f80_binary(struct f80_ctx *x, enum f80_binary fn, struct x86_f80 *st0, struct x86_f80 *st1);
/* a is replaced and r is what gets pushed (unless C2 says out of range, for the first two). */
enum f80_split { F80_TAN, F80_SINCOS, F80_XTRACT };
void f80_split(struct f80_ctx *x, enum f80_split fn, struct x86_f80 *a, struct x86_f80 *r);

/* The guest's control word becomes current for this host thread (entering the guest, FLDCW ...);
 * f80_leave restores the host's. */
void f80_enter(u16 cw);
void f80_leave(void);
/* Forget accumulated exception flags: the guest cleared its own. */
void f80_clear(void);
