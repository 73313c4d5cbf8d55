/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sse_emit.c - emitters of the SSE instructions. A memory operand is loaded into the scratch slot
 * VTMP0; then the operation is one call of a vector helper, which back ends inline. Moves need no
 * call. With an unmasked SIMD exception (M_FPEXC) a helper around it looks at its exceptions before
 * the destination changes. SDM vol. 2; alignment and exceptions: vol. 2, 2.4 and vol. 3, 2.5. */
#include "sse_emit.h"

bool x86_sse_usable(struct x86_tr *t)
{
	if (t->mode & M_SSE)
		return true;
	ir_callv(t->ir, XH_sse_unusable, 0, 0, 0, UNUSABLE_SSE);
	ir_exit(t->ir, IR_EXIT_NEXT);
	t->ended = true;
	return false;
}

/* The SHA instructions want alignment on processors by Intel, not by AMD. */
static bool wants_alignment(const struct x86_tr *t)
{
	return x86_enc_feature(t->in->enc) != X86F_SHA;
}

/* The address of a 16-byte operand: aligned ones raise #GP, the others #AC where that is on. */
static struct x86_addr address16(struct x86_tr *t, bool aligned, bool write)
{
	struct x86_addr a;

	if (t->mode & M_ALIGN && !aligned)
		ir_callv(t->ir, XH_sse_align, x86_linear_ea(t, 16, write), 0, 0, 0);
	a = x86_addr(t, 16, write);
	a.mem = (u16)((a.mem & ~IR_ALIGNED) | (aligned ? IR_ALIGNED : 0));
	return a;
}

ref x86_xmm_src(struct x86_tr *t, const struct x86_operand *o, bool aligned)
{
	struct x86_addr a;

	if (o->kind == OPK_XMM)
		return SLOT(SL_XMM + o->reg);
	a = o->size == 16 ? address16(t, aligned && wants_alignment(t), false) :
			    x86_addr(t, o->size, false);
	if (o->size == 16) {
		ir_load_to(t->ir, V128, SLOT(SL_VTMP), a.base, a.index, a.disp, a.mem);
	} else if (o->size >= 4) {
		ir_load_to(t->ir, o->size == 8 ? I64 : I32, SLOT(SL_VTMP), a.base, a.index, a.disp,
			   a.mem);
	} else {
		ir_copy(t->ir, I64, SLOT(SL_VTMP), x86_load_at(t, &a, x86_type(o->size), 0, 0));
	}
	return SLOT(SL_VTMP);
}

static void store_vector(struct x86_tr *t, const struct x86_operand *o, bool aligned, ref v)
{
	struct x86_addr a = address16(t, aligned, true);

	ir_store(t->ir, V128, a.base, a.index, a.disp, a.mem, v);
}

static inline ref xmm(const struct x86_operand *o) { return SLOT(SL_XMM + o->reg); }
static inline ref xmm_q(const struct x86_operand *o, unsigned half)
{
	return SLOT(SL_XMM_Q + 2 * o->reg + half);
}
static inline const struct x86_operand *op(const struct x86_tr *t, unsigned i)
{
	return &t->in->op[i];
}
static inline s32 imm8(const struct x86_tr *t) { return (s32)(t->in->imm & 0xff); }

/* dst op= src */
static void vec(struct x86_tr *t, unsigned helper, bool has_imm)
{
	ref src;

	if (!x86_sse_usable(t))
		return;
	src = x86_xmm_src(t, op(t, 1), true);
	ir_callv(t->ir, helper, xmm(op(t, 0)), src, 0, has_imm ? imm8(t) : 0);
}

static void except(struct x86_tr *t)
{
	if (t->mode & M_FPEXC)
		ir_callv(t->ir, XH_sse_except, 0, 0, 0, 0);
}

static void fvec(struct x86_tr *t, unsigned helper, bool has_imm, unsigned kind)
{
	ref src;

	if (!(t->mode & M_FPEXC)) {
		vec(t, helper, has_imm);
		return;
	}
	if (!x86_sse_usable(t))
		return;
	src = x86_xmm_src(t, op(t, 1), true);
	ir_callv(t->ir, XH_sse_checked, xmm(op(t, 0)), src, 0,
		 (s32)(helper | (u32)(has_imm ? imm8(t) : 0) << 16 | kind << 24));
}

#define HELPER(name, flags)
#define VECTOR(name, prefix, map, opcode, has_imm, need) \
	EMIT(name) { vec(t, XH_##name, has_imm); }
#define FVECTOR(name, prefix, map, opcode, has_imm, need, result) \
	EMIT(name) { fvec(t, XH_##name, has_imm, result); }
#define ALT(name, flags, form, prefix, map, opcode, rexw, digit, need)
#include "sse.def"
#undef HELPER
#undef VECTOR
#undef FVECTOR
#undef ALT

/* INSERTPS from memory has one dword to choose from. */
EMIT(insertps_m)
{
	ref src;

	if (!x86_sse_usable(t))
		return;
	src = x86_xmm_src(t, op(t, 1), false);
	ir_callv(t->ir, XH_insertps, xmm(op(t, 0)), src, 0, imm8(t) & 0x3f);
}

/* With xmm0 as an implicit third operand. */
static void vec3(struct x86_tr *t, unsigned helper)
{
	ref src;

	if (!x86_sse_usable(t))
		return;
	src = x86_xmm_src(t, op(t, 1), true);
	ir_callv(t->ir, helper, xmm(op(t, 0)), src, SLOT(SL_XMM), 0);
}

EMIT(pblendvb) { vec3(t, XH_pblendvb); }
EMIT(blendvps) { vec3(t, XH_blendvps); }
EMIT(blendvpd) { vec3(t, XH_blendvpd); }
EMIT(sha256rnds2) { vec3(t, XH_sha256rnds2); }

#define SHIFT(name) \
	EMIT(name) \
	{ \
		if (x86_sse_usable(t)) \
			ir_callv(t->ir, XH_##name, xmm(op(t, 0)), 0, 0, imm8(t)); \
	}
SHIFT(psrlw_i)
SHIFT(psraw_i)
SHIFT(psllw_i)
SHIFT(psrld_i)
SHIFT(psrad_i)
SHIFT(pslld_i)
SHIFT(psrlq_i)
SHIFT(psrldq_i)
SHIFT(psllq_i)
SHIFT(pslldq_i)

/* --- moves */

static void move(struct x86_tr *t, bool aligned)
{
	const struct x86_operand *d = op(t, 0), *s = op(t, 1);
	struct x86_addr a;

	if (!x86_sse_usable(t))
		return;
	if (d->kind == OPK_MEM) {
		store_vector(t, d, aligned, xmm(s));
	} else if (s->kind == OPK_MEM) {
		a = address16(t, aligned, false);
		ir_load_to(t->ir, V128, xmm(d), a.base, a.index, a.disp, a.mem);
	} else {
		ir_copy(t->ir, V128, xmm(d), xmm(s));
	}
}

EMIT(movaps) { move(t, true); }
EMIT(movups) { move(t, false); }

/* MOVSS, MOVSD: register to register keeps the upper part, a load clears it. */
static void move_scalar(struct x86_tr *t, enum ir_type type)
{
	const struct x86_operand *d = op(t, 0), *s = op(t, 1);
	struct x86_addr a;

	if (!x86_sse_usable(t))
		return;
	if (d->kind == OPK_MEM) {
		x86_put(t, d, xmm(s));
	} else if (s->kind == OPK_MEM) {
		a = x86_addr(t, s->size, false);
		ir_load_to(t->ir, type, xmm(d), a.base, a.index, a.disp, a.mem);
	} else {
		ir_callv(t->ir, type == I32 ? XH_movss_r : XH_movsd_r, xmm(d), xmm(s), 0, 0);
	}
}

EMIT(movss) { move_scalar(t, I32); }
EMIT(movsd_x) { move_scalar(t, I64); }

static void move_half(struct x86_tr *t, unsigned half)
{
	const struct x86_operand *d = op(t, 0), *s = op(t, 1);
	struct x86_addr a;

	if (!x86_sse_usable(t))
		return;
	if (d->kind == OPK_MEM) {
		x86_put(t, d, xmm_q(s, half));
	} else {
		a = x86_addr(t, 8, false);
		ir_load_to(t->ir, I64, xmm_q(d, half), a.base, a.index, a.disp, a.mem);
	}
}

EMIT(movlps) { move_half(t, 0); }
EMIT(movhps) { move_half(t, 1); }

/* 66 0F 6E, 7E: MOVD, MOVQ with a general register */
EMIT(movd)
{
	const struct x86_operand *d = op(t, 0), *s = op(t, 1);
	struct x86_addr a;

	if (!x86_sse_usable(t))
		return;
	if (d->kind != OPK_XMM) {
		if (d->kind == OPK_MEM)
			x86_put(t, d, xmm(s));
		else
			ir_copy(t->ir, x86_type(d->size), x86_gpr(d->reg), xmm(s));
		return;
	}
	if (s->kind == OPK_MEM) {
		a = x86_addr(t, s->size, false);
		ir_load_to(t->ir, x86_type(s->size), xmm(d), a.base, a.index, a.disp, a.mem);
	} else {
		ir_copy(t->ir, x86_type(s->size), xmm(d), x86_gpr(s->reg));
	}
}

EMIT(movq)
{
	const struct x86_operand *d = op(t, 0), *s = op(t, 1);
	struct x86_addr a;

	if (!x86_sse_usable(t))
		return;
	if (d->kind == OPK_MEM) {
		x86_put(t, d, xmm(s));
		return;
	}
	if (s->kind == OPK_MEM) {
		a = x86_addr(t, 8, false);
		ir_load_to(t->ir, I64, xmm(d), a.base, a.index, a.disp, a.mem);
	} else {
		ir_copy(t->ir, I64, xmm(d), xmm(s));
	}
}

/* Linear address of DS:rDI (or the override's segment) for MASKMOV. */
ref x86_maskmov_address(struct x86_tr *t)
{
	unsigned seg = t->in->seg_override ? t->in->seg : S_DS;
	ref off = x86_gpr(R_DI);
	struct x86_addr a;

	if (t->in->asize != 8)
		off = ir_un(t->ir, t->in->asize == 4 ? IR_ZEXT32 : IR_ZEXT16, I64, off);
	a = x86_addr_at(t, seg, off, 1, true);
	x86_single_base(t, &a);
	return a.disp ? ir_lea(t->ir, I64, a.base, 0, 0, a.disp) : a.base;
}

EMIT(maskmovdqu)
{
	if (!x86_sse_usable(t))
		return;
	ir_callv(t->ir, XH_maskmovdqu, x86_maskmov_address(t), xmm(op(t, 0)), xmm(op(t, 1)), 0);
}

/* --- elements and masks */

static void mask(struct x86_tr *t, unsigned helper)
{
	if (x86_sse_usable(t))
		x86_put_gpr(t, op(t, 0)->reg, 4, ir_call(t->ir, helper, xmm(op(t, 1)), 0, 0, 0));
}

EMIT(movmskps) { mask(t, XH_movmskps); }
EMIT(movmskpd) { mask(t, XH_movmskpd); }
EMIT(pmovmskb) { mask(t, XH_pmovmskb); }

/* Element i of `size` bytes, in a temporary. */
static ref extract(struct x86_tr *t, const struct x86_operand *s, unsigned size, unsigned i)
{
	unsigned per = 8 / size, shift = i % per * size * 8;
	ref q = xmm_q(s, i / per & 1);

	if (!shift)
		return q;
	return ir_bin(t->ir, IR_SHR, I64, q, ir_const(t->ir, shift));
}

static void extract_to(struct x86_tr *t, unsigned size)
{
	const struct x86_operand *d = op(t, 0), *s = op(t, 1);
	ref v;

	if (!x86_sse_usable(t))
		return;
	v = extract(t, s, size, t->in->imm & (16 / size - 1));
	if (d->kind == OPK_MEM)
		x86_put(t, d, v);
	else if (size < 4)
		x86_put_gpr(t, d->reg, 4, ir_un(t->ir, size == 1 ? IR_ZEXT8 : IR_ZEXT16, I32, v));
	else
		x86_put_gpr(t, d->reg, size, v);
}

EMIT(pextrb) { extract_to(t, 1); }
EMIT(pextrw) { extract_to(t, 2); }
EMIT(pextrw_r) { extract_to(t, 2); }
EMIT(pextrd) { extract_to(t, op(t, 0)->size); }
EMIT(extractps) { extract_to(t, 4); }

static void insert(struct x86_tr *t, unsigned size)
{
	const struct x86_operand *d = op(t, 0), *s = op(t, 1);
	unsigned i = t->in->imm & (16 / size - 1), per = 8 / size, shift = i % per * size * 8;
	u64 mask = size == 8 ? ~0ull : ((1ull << size * 8) - 1) << shift;
	ref q = xmm_q(d, i / per), v, keep, k;

	if (!x86_sse_usable(t))
		return;
	v = x86_get(t, s);
	if (size == 8) {
		ir_copy(t->ir, I64, q, v);
		return;
	}
	v = ir_un(t->ir, size == 1 ? IR_ZEXT8 : size == 2 ? IR_ZEXT16 : IR_ZEXT32, I64, v);
	if (shift) {
		k = ir_const(t->ir, shift);
		v = ir_bin(t->ir, IR_SHL, I64, v, k);
	}
	k = ir_const(t->ir, ~mask);
	keep = ir_bin(t->ir, IR_AND, I64, q, k);
	ir_emit(t->ir, IR_OR, I64, q, keep, v);
}

EMIT(pinsrb) { insert(t, 1); }
EMIT(pinsrw) { insert(t, 2); }
EMIT(pinsrd) { insert(t, op(t, 1)->size); }

/* --- conversions with general registers, compares */

static void to_int(struct x86_tr *t, unsigned helper, unsigned helper_q)
{
	const struct x86_operand *d = op(t, 0);
	ref src, v;

	if (!x86_sse_usable(t))
		return;
	src = x86_xmm_src(t, op(t, 1), false);
	v = ir_call(t->ir, d->size == 8 ? helper_q : helper, src, 0, 0, 0);
	except(t);
	x86_put_gpr(t, d->reg, d->size, v);
}

EMIT(cvtss2si) { to_int(t, XH_cvtss2si, XH_cvtss2si_q); }
EMIT(cvttss2si) { to_int(t, XH_cvttss2si, XH_cvttss2si_q); }
EMIT(cvtsd2si) { to_int(t, XH_cvtsd2si, XH_cvtsd2si_q); }
EMIT(cvttsd2si) { to_int(t, XH_cvttsd2si, XH_cvttsd2si_q); }

static void from_int(struct x86_tr *t, unsigned helper, unsigned helper_q)
{
	const struct x86_operand *s = op(t, 1);
	ref dst = xmm(op(t, 0)), tmp = t->mode & M_FPEXC ? SLOT(SL_VTMP + 1) : dst, v;

	if (!x86_sse_usable(t))
		return;
	v = x86_get(t, s);
	if (tmp != dst)
		ir_copy(t->ir, V128, tmp, dst);
	ir_callv(t->ir, s->size == 8 ? helper_q : helper, tmp, v, 0, 0);
	except(t);
	if (tmp != dst)
		ir_copy(t->ir, V128, dst, tmp);
}

EMIT(cvtsi2ss) { from_int(t, XH_cvtsi2ss, XH_cvtsi2ss_q); }
EMIT(cvtsi2sd) { from_int(t, XH_cvtsi2sd, XH_cvtsi2sd_q); }

static void compare(struct x86_tr *t, unsigned helper)
{
	ref src;

	if (!x86_sse_usable(t))
		return;
	src = x86_xmm_src(t, op(t, 1), true);
	if (t->mode & M_FPEXC && helper != XH_ptest)
		ir_callv(t->ir, XH_comi_except, xmm(op(t, 0)), src, 0, (s32)helper);
	else
		ir_callv(t->ir, helper, xmm(op(t, 0)), src, 0, 0);
}

EMIT(ucomiss) { compare(t, XH_ucomiss); }
EMIT(ucomisd) { compare(t, XH_ucomisd); }
EMIT(comiss) { compare(t, XH_comiss); }
EMIT(comisd) { compare(t, XH_comisd); }
EMIT(ptest) { compare(t, XH_ptest); }

static void string(struct x86_tr *t, unsigned helper, bool index)
{
	s32 imm = imm8(t) | (t->in->rex & 8 ? 0x100 : 0);
	ref src, r;

	if (!x86_sse_usable(t))
		return;
	src = x86_xmm_src(t, op(t, 1), false);
	if (!index) {
		ir_callv(t->ir, helper, xmm(op(t, 0)), src, 0, imm);
		return;
	}
	r = ir_call(t->ir, helper, xmm(op(t, 0)), src, 0, imm);
	x86_put_gpr(t, R_CX, 4, r);
}

EMIT(pcmpistri) { string(t, XH_pcmpistri, true); }
EMIT(pcmpestri) { string(t, XH_pcmpestri, true); }
EMIT(pcmpistrm) { string(t, XH_pcmpistrm, false); }
EMIT(pcmpestrm) { string(t, XH_pcmpestrm, false); }

/* --- control */

EMIT(ldmxcsr)
{
	if (!x86_sse_usable(t))
		return;
	ir_callv(t->ir, XH_ldmxcsr, x86_get(t, op(t, 0)), 0, 0, 0);
	x86_end_next(t, IR_EXIT_NEXT);
}

EMIT(stmxcsr)
{
	if (!x86_sse_usable(t))
		return;
	x86_put(t, op(t, 0), ir_call(t->ir, XH_stmxcsr, 0, 0, 0, 0));
}
