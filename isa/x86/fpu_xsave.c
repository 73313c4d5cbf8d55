/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fpu_xsave.c - FXSAVE, FXRSTOR and the XSAVE family for the components x87 (0) and SSE (1). SDM
 * vol. 1, 10.5 and 13. */
#include "fpu.h"
#include "sse.h"
#include "system.h"

enum { XC_X87 = 1, XC_SSE = 2, XC_AVX = 4, LEGACY = 512, HEADER = 64 };
#define XCOMP_COMPACT (1ull << 63)

static unsigned nxmm(const struct x86_cpu *c)
{
	return (c->cpu.mode & M_CODE) == M_CODE64 ? 16 : 8;
}

/* x87 part of the 512-byte area: 0..23, 32..159; SSE: 160..415; MXCSR 24..31. */
static void put_x87(const struct x86_cpu *c, u8 *p, bool rexw)
{
	bool pointers = !(c->id && c->id->amd) || c->fpu_sw & F80_ES;

	st16le(p, c->fpu_cw);
	st16le(p + 2, c->fpu_sw);
	st16le(p + 4, c->fpu_tag & 0xff);
	/* processors by AMD show the pointers only with an unmasked exception pending */
	st16le(p + 6, pointers ? c->fpu_op : 0);
	st64le(p + 8, pointers ? c->fpu_ip : 0);
	st64le(p + 16, pointers ? c->fpu_dp : 0);
	if (!rexw) {
		st32le(p + 12, pointers ? c->fpu_cs : 0);
		st32le(p + 20, pointers ? c->fpu_ds : 0);
	}
	for (unsigned i = 0; i < 8; i++) {
		st64le(p + 32 + 16 * i, c->fpr[fpu_phys(c, i)].m);
		st64le(p + 40 + 16 * i, c->fpr[fpu_phys(c, i)].se);
	}
}

static void get_x87(struct x86_cpu *c, const u8 *p, bool rexw)
{
	c->fpu_cw = (u16)((ld16le(p) & 0x1f3f) | 0x40);
	c->fpu_sw = ld16le(p + 2);
	c->fpu_tag = p[4];
	c->fpu_op = ld16le(p + 6) & 0x7ff;
	c->fpu_ip = rexw ? ld64le(p + 8) : ld32le(p + 8);
	c->fpu_dp = rexw ? ld64le(p + 16) : ld32le(p + 16);
	c->fpu_cs = rexw ? 0 : ld16le(p + 12);
	c->fpu_ds = rexw ? 0 : ld16le(p + 20);
	for (unsigned i = 0; i < 8; i++) {
		c->fpr[fpu_phys(c, i)].m = ld64le(p + 32 + 16 * i);
		c->fpr[fpu_phys(c, i)].se = ld16le(p + 40 + 16 * i);
	}
	fpu_loaded(c);
}

static void put_xmm(const struct x86_cpu *c, u8 *p)
{
	for (unsigned i = 0; i < nxmm(c); i++) {
		st64le(p + 160 + 16 * i, c->xmm[i].q[0]);
		st64le(p + 168 + 16 * i, c->xmm[i].q[1]);
	}
}

static void get_xmm(struct x86_cpu *c, const u8 *p)
{
	for (unsigned i = 0; i < nxmm(c); i++) {
		c->xmm[i].q[0] = ld64le(p + 160 + 16 * i);
		c->xmm[i].q[1] = ld64le(p + 168 + 16 * i);
	}
}

static void put_mxcsr(const struct x86_cpu *c, u8 *p)
{
	st32le(p + 24, c->mxcsr);
	st32le(p + 28, MX_VALID);
}

static void check_mxcsr(struct x86_cpu *c, const u8 *p)
{
	if (ld32le(p + 24) & ~(u32)MX_VALID)
		x86_raise_err(c, EXC_GP, 0);
}

static void set_mxcsr(struct x86_cpu *c, u32 v)
{
	c->mxcsr = v;
	x86_mxcsr_written(c);
}

/* An address that is not canonical is reported as such, by the access. */
static void check_aligned(struct x86_cpu *c, u64 va, unsigned n)
{
	if (va & (n - 1) && (!x86_long(c) || x86_canonical(va)))
		x86_raise_err(c, EXC_GP, 0);
}

/* The bytes in between (48 for software, and registers 8..15 outside 64-bit code) are left alone:
 * fields are stored, not the whole area. */
static void store(struct x86_cpu *c, u64 va, const u8 *p, bool x87, bool mxcsr, bool xmm)
{
	unsigned ctx = x86_data_ctx(c->cpu.mode);

	if (x87)
		cpu_st_bytes(&c->cpu, ctx, va, p, 24);
	if (mxcsr)
		cpu_st_bytes(&c->cpu, ctx, va + 24, p + 24, 8);
	if (x87)
		cpu_st_bytes(&c->cpu, ctx, va + 32, p + 32, 128);
	if (xmm)
		cpu_st_bytes(&c->cpu, ctx, va + 160, p + 160, 16 * nxmm(c));
}

FPU(fxsave)
{
	struct x86_cpu *c = X86(cpu);
	u8 buf[LEGACY];

	check_aligned(c, a, 16);
	fpu_operand(c, a, LEGACY, LEGACY - 1, 1, ACCESS_WRITE);
	x86_mxcsr_sync(c);
	put_x87(c, buf, imm & 1);
	put_mxcsr(c, buf);
	put_xmm(c, buf);
	store(c, a, buf, true, true, true);
	return 0;
}

FPU(fxrstor)
{
	struct x86_cpu *c = X86(cpu);
	u8 buf[LEGACY];

	check_aligned(c, a, 16);
	fpu_operand(c, a, LEGACY, LEGACY - 1, 1, ACCESS_READ);
	cpu_ld_bytes(cpu, x86_data_ctx(cpu->mode), a, buf, LEGACY);
	check_mxcsr(c, buf);
	get_x87(c, buf, imm & 1);
	get_xmm(c, buf);
	set_mxcsr(c, ld32le(buf + 24));
	return 0;
}

/* --- XSAVE */
static u64 requested(const struct x86_cpu *c)
{
	return c->xcr0 & ((u64)(u32)c->gpr[R_DX] << 32 | (u32)c->gpr[R_AX]);
}

/* Components that are not in their initial configuration. */
static u64 in_use(const struct x86_cpu *c)
{
	u64 any = 0, r = 0;

	for (unsigned i = 0; i < 8; i++)
		any |= c->fpr[i].m | c->fpr[i].se;
	if (any || c->fpu_cw != 0x37f || c->fpu_sw || c->fpu_tag || c->fpu_op || c->fpu_ip ||
	    c->fpu_dp || c->fpu_cs || c->fpu_ds)
		r |= XC_X87;
	any = 0;
	for (unsigned i = 0; i < nxmm(c); i++)
		any |= c->xmm[i].q[0] | c->xmm[i].q[1];
	return any ? r | XC_SSE : r;
}

/* imm bit 1: XSAVEOPT, which leaves out components in their initial configuration. */
FPU(xsave)
{
	struct x86_cpu *c = X86(cpu);
	unsigned ctx = x86_data_ctx(cpu->mode);
	u64 rfbm = requested(c), data = imm & 2 ? rfbm & in_use(c) : rfbm, bv;
	u8 buf[LEGACY];

	check_aligned(c, a, 64);
	fpu_operand(c, a, LEGACY + HEADER, LEGACY, 1, ACCESS_WRITE);
	bv = cpu_ld(cpu, ctx, a + LEGACY, 8);
	x86_mxcsr_sync(c);
	put_x87(c, buf, imm & 1);
	put_mxcsr(c, buf);
	put_xmm(c, buf);
	store(c, a, buf, data & XC_X87, rfbm & (XC_SSE | XC_AVX), data & XC_SSE);
	cpu_st(cpu, ctx, a + LEGACY, 8, (bv & ~rfbm) | (in_use(c) & rfbm));
	return 0;
}

/* Compacted: both components keep their place in the legacy area; nothing is written for those in
 * their initial configuration. */
FPU(xsavec)
{
	struct x86_cpu *c = X86(cpu);
	unsigned ctx = x86_data_ctx(cpu->mode);
	u64 rfbm = requested(c), used = in_use(c) & rfbm;
	u8 buf[LEGACY];

	check_aligned(c, a, 64);
	fpu_operand(c, a, LEGACY + HEADER, LEGACY, 1, ACCESS_WRITE);
	x86_mxcsr_sync(c);
	if (rfbm & XC_SSE && c->mxcsr != MX_RESET)
		used |= XC_SSE;
	put_x87(c, buf, imm & 1);
	put_mxcsr(c, buf);
	put_xmm(c, buf);
	store(c, a, buf, used & XC_X87, used & XC_SSE, used & XC_SSE);
	cpu_st(cpu, ctx, a + LEGACY, 8, used);
	cpu_st(cpu, ctx, a + LEGACY + 8, 8, rfbm | XCOMP_COMPACT);
	return 0;
}

FPU(xrstor)
{
	struct x86_cpu *c = X86(cpu);
	u64 rfbm = requested(c), bv, comp;
	u8 buf[LEGACY + HEADER];
	bool compact, bad;

	check_aligned(c, a, 64);
	fpu_operand(c, a, sizeof(buf), LEGACY, 1, ACCESS_READ);
	cpu_ld_bytes(cpu, x86_data_ctx(cpu->mode), a, buf, sizeof(buf));
	bv = ld64le(buf + LEGACY);
	comp = ld64le(buf + LEGACY + 8);
	compact = comp & XCOMP_COMPACT;
	comp &= ~XCOMP_COMPACT;
	if (compact) {
		bad = !x86_has(c, X86F_XSAVEC) || comp & ~c->xcr0 || bv & ~comp;
		for (unsigned i = 16; i < HEADER; i++)
			bad |= buf[LEGACY + i] != 0;
	} else {
		bad = comp || ld64le(buf + LEGACY + 16) || bv & ~c->xcr0;
	}
	if (bad)
		x86_raise_err(c, EXC_GP, 0);
	if (compact ? rfbm & bv & XC_SSE : rfbm & (XC_SSE | XC_AVX))
		check_mxcsr(c, buf);
	if (rfbm & XC_X87) {
		if (bv & XC_X87)
			get_x87(c, buf, imm & 1);
		else
			x86_fpu_reset(c);
	}
	if (rfbm & XC_SSE) {
		if (bv & XC_SSE)
			get_xmm(c, buf);
		else
			memset(c->xmm, 0, nxmm(c) * sizeof(c->xmm[0]));
	}
	if (compact) {
		if (rfbm & XC_SSE)
			set_mxcsr(c, bv & XC_SSE ? ld32le(buf + 24) : MX_RESET);
	} else if (rfbm & (XC_SSE | XC_AVX)) {
		set_mxcsr(c, ld32le(buf + 24));
	}
	return 0;
}
