/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sse_mmx.c - emitters of the MMX instructions, of those between MMX and SSE, and the masked
 * stores. Every one makes the x87 registers MMX ones (mmx_enter: #MF, TOP = 0, tags, the exponent
 * of the destination) after its last memory access. SDM vol. 1, 9.5; vol. 3, 12. */
#include "sse_emit.h"

static inline const struct x86_operand *op(const struct x86_tr *t, unsigned i)
{
	return &t->in->op[i];
}
static inline ref mm(const struct x86_operand *o) { return SLOT(SL_MM + (o->reg & 7)); }
static inline ref xmm(const struct x86_operand *o) { return SLOT(SL_XMM + o->reg); }
static inline ref xmm_q(const struct x86_operand *o, unsigned half)
{
	return SLOT(SL_XMM_Q + 2 * o->reg + half);
}

static bool usable(struct x86_tr *t)
{
	if (t->mode & M_FPU)
		return true;
	ir_callv(t->ir, XH_sse_unusable, 0, 0, 0, UNUSABLE_MMX);
	ir_exit(t->ir, IR_EXIT_NEXT);
	t->ended = true;
	return false;
}

static void enter(struct x86_tr *t, int dst) { ir_callv(t->ir, XH_mmx_enter, 0, 0, 0, dst); }

static void enter_for(struct x86_tr *t, const struct x86_operand *dst)
{
	enter(t, dst->kind == OPK_MMX ? dst->reg & 7 : -1);
}

/* #MF comes before anything of a memory access. */
static void check(struct x86_tr *t) { ir_callv(t->ir, XH_fpu_check, 0, 0, 0, 0); }

static ref get(struct x86_tr *t, const struct x86_operand *o)
{
	if (o->kind == OPK_MMX)
		return mm(o);
	if (o->kind == OPK_MEM)
		check(t);
	return x86_get(t, o);
}

/* A store, and the transition behind it. */
static void put(struct x86_tr *t, const struct x86_operand *d, ref v)
{
	check(t);
	x86_put(t, d, v);
	enter(t, -1);
}

/* dst = helper(dst, src) */
static void binary(struct x86_tr *t, unsigned helper, unsigned mode)
{
	const struct x86_operand *d = op(t, 0), *s = op(t, 1);
	unsigned imm8 = 0;
	ref v = 0, r;

	if (!usable(t))
		return;
	if (s->kind == OPK_IMM || op(t, 2)->kind == OPK_IMM)
		imm8 = t->in->imm & 0xff;
	if (s->kind != OPK_IMM)
		v = get(t, s);
	enter_for(t, d);
	r = ir_call(t->ir, XH_mmx, mm(d), v, 0, (s32)(helper | mode << 16 | imm8 << 24));
	ir_copy(t->ir, I64, mm(d), r);
}

#define MM(name, mode) \
	EMIT(mm_##name) { binary(t, XH_##name, mode); }
#define HIGH(name, low) \
	EMIT(mm_##name) { binary(t, XH_##low, MMX_HIGH); }
/* clang-format off */
#define MM_LIST(M) \
	M(punpcklbw) M(punpcklwd) M(punpckldq) M(pcmpgtb) M(pcmpgtw) M(pcmpgtd) M(pcmpeqb) \
	M(pcmpeqw) M(pcmpeqd) M(psrlw) M(psrld) M(psrlq) M(paddq) M(pmullw) M(psubusb) \
	M(psubusw) M(pminub) M(pand) M(paddusb) M(paddusw) M(pmaxub) M(pandn) M(pavgb) \
	M(psraw) M(psrad) M(pavgw) M(pmulhuw) M(pmulhw) M(psubsb) M(psubsw) M(pminsw) M(por) \
	M(paddsb) M(paddsw) M(pmaxsw) M(pxor) M(psllw) M(pslld) M(psllq) M(pmuludq) M(pmaddwd) \
	M(psadbw) M(psubb) M(psubw) M(psubd) M(psubq) M(paddb) M(paddw) M(paddd) M(pmaddubsw) \
	M(psignb) M(psignw) M(psignd) M(pmulhrsw) M(pabsb) M(pabsw) M(pabsd) M(pshuflw) \
	M(psrlw_i) M(psraw_i) M(psllw_i) M(psrld_i) M(psrad_i) M(pslld_i) M(psrlq_i) \
	M(psllq_i)
#define MM_PAIRS(M) \
	M(packsswb) M(packuswb) M(packssdw) M(phaddw) M(phaddd) M(phaddsw) M(phsubw) M(phsubd) \
	M(phsubsw)
/* clang-format on */
#define LOW_(n)	 MM(n, MMX_LOW)
#define PAIR_(n) MM(n, MMX_PAIR)
MM_LIST(LOW_)
MM_PAIRS(PAIR_)
HIGH(punpckhbw, punpcklbw)
HIGH(punpckhwd, punpcklwd)
HIGH(punpckhdq, punpckldq)
MM(pshufb, MMX_SHUF)
MM(palignr, MMX_ALIGN)

/* --- moves */

EMIT(mm_movd)
{
	const struct x86_operand *d = op(t, 0), *s = op(t, 1);
	ref v;

	if (!usable(t))
		return;
	if (d->kind != OPK_MMX) {
		put(t, d, mm(s));
		return;
	}
	v = get(t, s);
	enter_for(t, d);
	ir_copy(t->ir, I64, mm(d), s->size == 8 ? v : ir_un(t->ir, IR_ZEXT32, I64, v));
}

EMIT(mm_movq)
{
	const struct x86_operand *d = op(t, 0), *s = op(t, 1);
	ref v;

	if (!usable(t))
		return;
	if (d->kind == OPK_MEM) {
		put(t, d, mm(s));
		return;
	}
	v = get(t, s);
	enter_for(t, d);
	ir_copy(t->ir, I64, mm(d), v);
}

EMIT(mm_pinsrw)
{
	const struct x86_operand *d = op(t, 0);
	unsigned shift = (t->in->imm & 3) * 16;
	ref v, keep, k;

	if (!usable(t))
		return;
	v = ir_un(t->ir, IR_ZEXT16, I64, get(t, op(t, 1)));
	enter_for(t, d);
	k = ir_const(t->ir, shift);
	v = ir_bin(t->ir, IR_SHL, I64, v, k);
	k = ir_const(t->ir, ~(0xffffull << shift));
	keep = ir_bin(t->ir, IR_AND, I64, mm(d), k);
	ir_emit(t->ir, IR_OR, I64, mm(d), keep, v);
}

EMIT(mm_pextrw)
{
	ref v, k = ir_const(t->ir, (t->in->imm & 3) * 16);

	if (!usable(t))
		return;
	enter(t, -1);
	v = ir_bin(t->ir, IR_SHR, I64, mm(op(t, 1)), k);
	x86_put_gpr(t, op(t, 0)->reg, 4, ir_un(t->ir, IR_ZEXT16, I32, v));
}

EMIT(mm_pmovmskb)
{
	if (!usable(t))
		return;
	enter(t, -1);
	x86_put_gpr(t, op(t, 0)->reg, 4, ir_call(t->ir, XH_pmovmskb_mm, mm(op(t, 1)), 0, 0, 0));
}

EMIT(emms)
{
	if (usable(t))
		ir_callv(t->ir, XH_emms, 0, 0, 0, 0);
}

EMIT(maskmovq)
{
	if (!usable(t))
		return;
	enter(t, -1); /* made even when the store faults */
	ir_callv(t->ir, XH_maskmovq, x86_maskmov_address(t), mm(op(t, 0)), mm(op(t, 1)), 0);
}

/* --- between MMX and SSE */

EMIT(movq2dq)
{
	if (!x86_sse_usable(t))
		return;
	enter(t, -1);
	ir_copy(t->ir, I64, xmm_q(op(t, 0), 0), mm(op(t, 1)));
	ir_copy(t->ir, I64, xmm_q(op(t, 0), 1), ir_const(t->ir, 0));
}

EMIT(movdq2q)
{
	if (!x86_sse_usable(t))
		return;
	enter_for(t, op(t, 0));
	ir_copy(t->ir, I64, mm(op(t, 0)), xmm_q(op(t, 1), 0));
}

/* Operands in memory do not make the transition (for CVTPI2PS: on processors by AMD). */
static void from_mmx(struct x86_tr *t, unsigned helper)
{
	ref dst = xmm(op(t, 0)), tmp = t->mode & M_FPEXC ? SLOT(SL_VTMP + 1) : dst, v;

	if (!x86_sse_usable(t))
		return;
	v = op(t, 1)->kind == OPK_MMX ? mm(op(t, 1)) : x86_get(t, op(t, 1));
	if (op(t, 1)->kind == OPK_MMX)
		enter(t, -1);
	if (tmp != dst)
		ir_copy(t->ir, V128, tmp, dst);
	ir_callv(t->ir, helper, tmp, v, 0, 0);
	if (tmp != dst) {
		ir_callv(t->ir, XH_sse_except, 0, 0, 0, 0);
		ir_copy(t->ir, V128, dst, tmp);
	}
}

EMIT(cvtpi2ps) { from_mmx(t, XH_cvtpi2ps); }
EMIT(cvtpi2pd) { from_mmx(t, XH_cvtpi2pd); }

static void to_mmx(struct x86_tr *t, unsigned helper, s32 truncate)
{
	const struct x86_operand *d = op(t, 0);
	ref src, v;

	if (!x86_sse_usable(t))
		return;
	check(t);
	src = x86_xmm_src(t, op(t, 1), true);
	v = ir_call(t->ir, helper, src, 0, 0, truncate);
	if (t->mode & M_FPEXC) {
		/* the transition is made even when the conversion faults */
		enter(t, -1);
		ir_callv(t->ir, XH_sse_except, 0, 0, 0, 0);
	}
	enter_for(t, d);
	ir_copy(t->ir, I64, mm(d), v);
}

EMIT(cvtps2pi) { to_mmx(t, XH_cvtps2pi, 0); }
EMIT(cvttps2pi) { to_mmx(t, XH_cvtps2pi, 1); }
EMIT(cvtpd2pi) { to_mmx(t, XH_cvtpd2pi, 0); }
EMIT(cvttpd2pi) { to_mmx(t, XH_cvtpd2pi, 1); }

/* --- masked stores: nothing is written where the mask's bytes have bit 7 clear; whether those
 * fault is the processor's choice: here they do */
static void masked_store(struct cpu *c, u64 va, const u8 *data, const u8 *mask, unsigned n)
{
	unsigned ctx = x86_data_ctx(c->mode), run;

	cpu_probe(c, ctx, va, n, ACCESS_WRITE);
	for (unsigned i = 0; i < n; i += run) {
		for (run = 0; i + run < n && mask[i + run] & 0x80; run++)
			;
		if (run)
			cpu_st_bytes(c, ctx, va + i, data + i, run);
		else
			run = 1;
	}
}

u64 x86_h_maskmovdqu(struct cpu *c, u64 a, u64 b, u64 cc, u64 imm)
{
	masked_store(c, a, VX(b)->b, VX(cc)->b, 16);
	return 0;
}

u64 x86_h_maskmovq(struct cpu *c, u64 a, u64 b, u64 cc, u64 imm)
{
	u8 data[8], mask[8];

	st64le(data, b);
	st64le(mask, cc);
	masked_store(c, a, data, mask, 8);
	return 0;
}

u64 x86_h_sse_align(struct cpu *c, u64 a, u64 b, u64 cc, u64 imm)
{
	if (a & 15)
		x86_raise_err(X86(c), EXC_AC, 0);
	return 0;
}
