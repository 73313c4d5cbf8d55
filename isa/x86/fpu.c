/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fpu.c - floating-point state as a whole: reset, the guest's control registers in the host while
 * the guest runs, pending exceptions, MXCSR. SDM vol. 1 chapters 8, 10, 11; vol. 3
 * chapters 9.6, 14. */
#include "fpu.h"
#include "sse.h"

void x86_fpu_reset(struct x86_cpu *c)
{
	c->fpu_cw = 0x37f;
	c->fpu_sw = 0;
	c->fpu_tag = 0;
	c->fpu_op = 0;
	c->fpu_ip = c->fpu_dp = 0;
	c->fpu_cs = c->fpu_ds = 0;
	memset(c->fpr, 0, sizeof(c->fpr));
	fpu_loaded(c);
}

/* --- MXCSR. All exceptions are masked in the host. Where the guest has some unmasked (M_FPEXC),
 * the host's flags are clear between instructions, so that each operation's own can be told. */
static bool fp_exceptions(const struct x86_cpu *c) { return (c->mxcsr & MX_MASKS) != MX_MASKS; }

#if SSE_HOST
static u32 get_mxcsr(void)
{
	u32 v;

	__asm__ volatile("stmxcsr %0" : "=m"(v));
	return v;
}

static void set_mxcsr(u32 v) { __asm__ volatile("ldmxcsr %0" : : "m"(v)); }

/* Flush to zero works only while underflow is masked (SDM vol. 1, 10.2.3.3). */
static u32 host_mxcsr(const struct x86_cpu *c)
{
	u32 v = (c->mxcsr & MX_VALID) | MX_MASKS;

	if (!(c->mxcsr & MX_UE << MX_MASK_SHIFT))
		v &= ~(u32)MX_FTZ;
	return fp_exceptions(c) ? v & ~(u32)MX_FLAGS : v;
}

u32 sse_take_flags(struct x86_cpu *c)
{
	u32 v = get_mxcsr(), flags = v & MX_FLAGS;

	if (flags)
		set_mxcsr(v & ~(u32)MX_FLAGS);
	return flags;
}

static u32 peek_flags(struct x86_cpu *c) { return c->fpu_live ? get_mxcsr() & MX_FLAGS : 0; }
#else
#include <fenv.h>

static u32 get_mxcsr(void) { return (u32)fegetround(); }

static void set_mxcsr(u32 v) { fesetround((int)v); }

static u32 host_mxcsr(struct x86_cpu *c)
{
	static const int rc[4] = { FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO };

	c->sse_flags = 0;
	return (u32)rc[(c->mxcsr & MX_RC) >> MX_RC_SHIFT];
}

u32 sse_take_flags(struct x86_cpu *c)
{
	u32 flags = c->sse_flags;

	c->sse_flags = 0;
	return flags;
}

static u32 peek_flags(struct x86_cpu *c) { return c->sse_flags; }
#endif

void x86_fpu_enter(struct cpu *cpu)
{
	struct x86_cpu *c = X86(cpu);

	c->host_mxcsr = get_mxcsr();
	c->fpu_live = true;
	set_mxcsr(host_mxcsr(c));
	f80_enter(c->fpu_cw);
}

void x86_fpu_leave(struct cpu *cpu)
{
	struct x86_cpu *c = X86(cpu);

	x86_mxcsr_sync(c);
	c->fpu_live = false;
	set_mxcsr(c->host_mxcsr);
	f80_leave();
}

void x86_mxcsr_sync(struct x86_cpu *c) { c->mxcsr |= peek_flags(c); }

void x86_mxcsr_written(struct x86_cpu *c)
{
	if (c->fpu_live)
		set_mxcsr(host_mxcsr(c));
	if (!!(c->cpu.mode & M_FPEXC) != fp_exceptions(c))
		x86_update_mode(c);
}

u64 x86_h_ldmxcsr(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	if ((u32)a & ~(u32)MX_VALID)
		x86_raise_err(X86(cpu), EXC_GP, 0);
	X86(cpu)->mxcsr = (u32)a;
	x86_mxcsr_written(X86(cpu));
	return 0;
}

u64 x86_h_stmxcsr(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	x86_mxcsr_sync(X86(cpu));
	return X86(cpu)->mxcsr;
}

/* Raises what the control registers demand (SDM vol. 3, 2.5, 13.3); XSAVE is usable with CR0.EM
 * set. */
u64 x86_h_sse_unusable(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);

	if (imm == UNUSABLE_XSAVE) {
		if (!(c->cr4 & CR4_OSXSAVE))
			x86_raise(c, EXC_UD);
		if (c->cr0 & CR0_TS)
			x86_raise(c, EXC_NM);
		return 0;
	}
	if ((c->cr0 & CR0_EM) || (imm == UNUSABLE_SSE && !(c->cr4 & CR4_OSFXSR)))
		x86_raise(c, EXC_UD);
	x86_raise(c, EXC_NM);
}

/* --- x87 */
void fpu_summary(struct x86_cpu *c)
{
	bool es = c->fpu_sw & ~c->fpu_cw & F80_EXC;

	if (es)
		c->fpu_sw |= F80_ES | F80_B;
	else
		c->fpu_sw &= (u16) ~(F80_ES | F80_B);
	if (!es && c->ferr)
		c->ferr(c->ferr_dev, 0);
}

void fpu_loaded(struct x86_cpu *c)
{
	fpu_summary(c);
	if (c->fpu_live)
		f80_enter(c->fpu_cw);
}

void fpu_waiting(struct x86_cpu *c)
{
	if (likely(!(c->fpu_sw & F80_ES)))
		return;
	/* With CR0.NE clear a PC reports through FERR# and IRQ 13, and IGNNE# lets the handler's
	 * own instructions pass. */
	if (!(c->cr0 & CR0_NE) && c->ferr)
		c->ferr(c->ferr_dev, 1);
	else
		x86_raise(c, EXC_MF);
}

u16 fpu_full_tag(const struct x86_cpu *c)
{
	u16 tag = 0;

	for (unsigned i = 0; i < 8; i++) {
		const struct x86_f80 *r = &c->fpr[i];
		unsigned exp = r->se & 0x7fff, t;

		if (!(c->fpu_tag >> i & 1))
			t = 3;
		else if (!exp && !r->m)
			t = 1;
		else
			t = exp == 0x7fff || !exp || !(r->m >> 63) ? 2 : 0;
		tag |= (u16)(t << 2 * i);
	}
	return tag;
}

FPU(fpu_check)
{
	fpu_waiting(X86(cpu));
	return 0;
}

FPU(fwait)
{
	struct x86_cpu *c = X86(cpu);

	if ((c->cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS))
		x86_raise(c, EXC_NM);
	fpu_waiting(c);
	return 0;
}

FPU(fnclex)
{
	X86(cpu)->fpu_sw &= (u16) ~(F80_EXC | F80_SF | F80_ES | F80_B);
	fpu_loaded(X86(cpu));
	return 0;
}

/* FNINIT leaves the data registers (only XRSTOR's and the reset's initial state clears them). */
FPU(fninit)
{
	struct x86_cpu *c = X86(cpu);

	c->fpu_cw = 0x37f;
	c->fpu_sw = c->fpu_tag = c->fpu_op = 0;
	c->fpu_ip = c->fpu_dp = 0;
	c->fpu_cs = c->fpu_ds = 0;
	fpu_loaded(c);
	return 0;
}

FPU(fldcw)
{
	X86(cpu)->fpu_cw = (u16)((a & 0x1f3f) | 0x40);
	fpu_loaded(X86(cpu));
	return 0;
}

FPU(emms)
{
	fpu_waiting(X86(cpu));
	fpu_set_top(X86(cpu), 0);
	X86(cpu)->fpu_tag = 0;
	return 0;
}

FPU(mmx_enter)
{
	struct x86_cpu *c = X86(cpu);

	fpu_waiting(c);
	fpu_set_top(c, 0);
	c->fpu_tag = 0xff;
	if ((s64)imm >= 0)
		c->fpr[imm].se = 0xffff;
	return 0;
}
