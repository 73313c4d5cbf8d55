/* SPDX-License-Identifier: GPL-2.0-or-later */
/* msr.c - model-specific registers and the time-stamp counter. SDM volume 4 chapter 2, volume
 * 3 11.11 (MTRR), 11.12 (PAT), 15 (machine check), 17.17 (TSC); AMD APM volume 2 appendix A; the
 * paravirtual clock as Linux's Documentation/virt/kvm/x86/msr.rst describes it. */
#include "system.h"
#include "helpers.h"
#include "core/machine.h"
#include <quern/device.h>

enum {
	MSR_TSC = 0x10,
	MSR_PLATFORM_ID = 0x17,
	MSR_APIC_BASE = 0x1b,
	MSR_SMI_COUNT = 0x34,
	MSR_FEATURE_CONTROL = 0x3a,
	MSR_TSC_ADJUST = 0x3b,
	MSR_SPEC_CTRL = 0x48,
	MSR_PRED_CMD = 0x49,
	MSR_UCODE_WRITE = 0x79,
	MSR_BIOS_SIGN_ID = 0x8b,
	MSR_PLATFORM_INFO = 0xce,
	MSR_MTRR_CAP = 0xfe,
	MSR_ARCH_CAP = 0x10a,
	MSR_FLUSH_CMD = 0x10b,
	MSR_MISC_FEATURES = 0x140,
	MSR_SYSENTER_CS = 0x174,
	MSR_SYSENTER_ESP,
	MSR_SYSENTER_EIP,
	MSR_MCG_CAP = 0x179,
	MSR_MCG_STATUS,
	MSR_MCG_CTL,
	MSR_PERF_STATUS = 0x198,
	MSR_PERF_CTL,
	MSR_MISC_ENABLE = 0x1a0,
	MSR_DEBUGCTL = 0x1d9,
	MSR_MTRR_BASE0 = 0x200,
	MSR_MTRR_MASK7 = 0x20f,
	MSR_MTRR_FIX64K = 0x250,
	MSR_MTRR_FIX16K_8 = 0x258,
	MSR_MTRR_FIX16K_A,
	MSR_MTRR_FIX4K = 0x268,
	MSR_MTRR_FIX4K_LAST = 0x26f,
	MSR_PAT = 0x277,
	MSR_MTRR_DEF = 0x2ff,
	MSR_MC0 = 0x400,
	MSR_TSC_DEADLINE = 0x6e0,
	MSR_X2APIC = 0x800,
	MSR_X2APIC_LAST = 0x8ff,
	MSR_XSS = 0xda0,
	MSR_KVM_WALL = 0x4b564d00,
	MSR_KVM_SYSTEM = 0x4b564d01,
};
#define MSR_EFER	   0xc0000080u
#define MSR_STAR	   0xc0000081u
#define MSR_LSTAR	   0xc0000082u
#define MSR_CSTAR	   0xc0000083u
#define MSR_SFMASK	   0xc0000084u
#define MSR_FS_BASE	   0xc0000100u
#define MSR_GS_BASE	   0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u
#define MSR_TSC_AUX	   0xc0000103u
#define MSR_AMD_SYSCFG	   0xc0010010u
#define MSR_AMD_HWCR	   0xc0010015u
#define MSR_AMD_VM_CR	   0xc0010114u
#define MSR_AMD_DE_CFG	   0xc0011029u
enum { MC_BANKS = 10, MCG_CTL_P = BIT(8) };
#define EFER_AUTOIBRS	BIT(21)
#define ARCH_CAP_ITS_NO BIT64(62)

/* --- time-stamp counter */

static u64 scaled(const struct x86_cpu *c, u64 ns)
{
	return c->tsc_hz == 1000000000 ? ns : (u64)((u128)ns * c->tsc_hz / 1000000000);
}

u64 x86_rdtsc(struct x86_cpu *c) { return scaled(c, cpu_clock_ns(&c->cpu)) + c->tsc_offset; }

/* The paravirtual clock page of this CPU: time at a TSC value, and the scale. */
static void kvm_clock_publish(struct x86_cpu *c)
{
	u64 at = c->msr.kvm_system_time, ns = cpu_clock_ns(&c->cpu),
	    tsc = scaled(c, ns) + c->tsc_offset, hz = c->tsc_hz;
	u32 mul;
	int shift = 0;

	if (!(at & 1))
		return;
	at &= ~1ull;
	/* ns = (ticks << shift) * mul >> 32 with mul below 1 and at least 1/2 */
	while (hz > 2000000000ull) {
		hz >>= 1;
		shift--;
	}
	while (hz <= 1000000000ull) {
		hz <<= 1;
		shift++;
	}
	mul = (u32)((1000000000ull << 32) / hz);
	cpu_phys_st(&c->cpu, at, 4, 1); /* odd: being written */
	cpu_phys_st(&c->cpu, at + 8, 4, (u32)tsc);
	cpu_phys_st(&c->cpu, at + 12, 4, tsc >> 32);
	cpu_phys_st(&c->cpu, at + 16, 4, (u32)ns);
	cpu_phys_st(&c->cpu, at + 20, 4, ns >> 32);
	cpu_phys_st(&c->cpu, at + 24, 4, mul);
	cpu_phys_st(&c->cpu, at + 28, 4, (u8)shift | (x86_has(c, X86F_KVM_STABLE) ? 1 << 8 : 0));
	cpu_phys_st(&c->cpu, at, 4, 2);
}

/* The wall clock when the system time was 0. */
static void kvm_wall_publish(struct x86_cpu *c, u64 at)
{
	u64 wall = clock_wall_ns(&c->cpu.machine->clock) - cpu_clock_ns(&c->cpu);

	cpu_phys_st(&c->cpu, at, 4, 1);
	cpu_phys_st(&c->cpu, at + 4, 4, wall / 1000000000);
	cpu_phys_st(&c->cpu, at + 8, 4, wall % 1000000000);
	cpu_phys_st(&c->cpu, at, 4, 2);
}

static void move_tsc(struct x86_cpu *c, u64 delta)
{
	c->tsc_offset += delta;
	c->msr.tsc_adjust += delta;
	if (c->cpu.intc && c->cpu.intc->tsc_changed)
		c->cpu.intc->tsc_changed(c->cpu.intc_dev);
	kvm_clock_publish(c);
}

/* --- registers with rules */

static bool write_efer(struct x86_cpu *c, u64 v)
{
	u64 ok = EFER_LMA, changed;

	if (x86_has(c, X86F_SYSCALL))
		ok |= EFER_SCE;
	if (x86_has(c, X86F_LM))
		ok |= EFER_LME;
	if (x86_has(c, X86F_NX))
		ok |= EFER_NXE;
	if (x86_has(c, X86F_AUTO_IBRS))
		ok |= EFER_AUTOIBRS;
	if (v & ~ok)
		return false;
	v = (v & ~(u64)EFER_LMA) | (c->efer & EFER_LMA);
	changed = v ^ c->efer;
	if (changed & EFER_LME && c->cr0 & CR0_PG)
		return false;
	c->efer = v;
	if (changed & EFER_NXE) {
		x86_forget_tables(c);
		cpu_tlb_flush_all(&c->cpu);
	}
	x86_update_mode(c);
	return true;
}

static bool memory_types(u64 v, u32 valid)
{
	for (unsigned i = 0; i < 8; i++)
		if ((v >> i * 8 & 0xff) > 7 || !(valid >> (v >> i * 8 & 0xff) & 1))
			return false;
	return true;
}
enum {
	PAT_TYPES = BIT(0) | BIT(1) | BIT(4) | BIT(5) | BIT(6) | BIT(7),
	MTRR_TYPES = BIT(0) | BIT(1) | BIT(4) | BIT(5) | BIT(6)
};

static bool write_mtrr(struct x86_cpu *c, u32 n, u64 v)
{
	u64 *r = n & 1 ? &c->msr.mtrr_mask[(n - MSR_MTRR_BASE0) / 2] :
			 &c->msr.mtrr_base[(n - MSR_MTRR_BASE0) / 2];

	if (v & ~c->phys_mask || v & (n & 1 ? 0x7ff : 0xf00) ||
	    (!(n & 1) && !((u32)MTRR_TYPES >> (v & 31) & 1)))
		return false;
	*r = v;
	return true;
}

static u64 *mtrr_fixed(struct x86_cpu *c, u32 n)
{
	return n == MSR_MTRR_FIX64K   ? &c->msr.mtrr_fix[0] :
	       n <= MSR_MTRR_FIX16K_A ? &c->msr.mtrr_fix[1 + n - MSR_MTRR_FIX16K_8] :
					&c->msr.mtrr_fix[3 + n - MSR_MTRR_FIX4K];
}

static u64 spec_ctrl_bits(const struct x86_cpu *c)
{
	u64 ok = 0;

	if (x86_has(c, X86F_SPEC_CTRL) || x86_has(c, X86F_IBRS))
		ok |= BIT(0);
	if (x86_has(c, X86F_STIBP) || x86_has(c, X86F_AMD_STIBP))
		ok |= BIT(1);
	if (x86_has(c, X86F_SSBD) || x86_has(c, X86F_AMD_SSBD))
		ok |= BIT(2);
	if (x86_has(c, X86F_BHI_CTRL))
		ok |= BIT(10);
	return ok;
}

static bool amd(const struct x86_cpu *c) { return c->id->amd; }

static bool is_mc(u32 n) { return n >= MSR_MC0 && n < MSR_MC0 + MC_BANKS * 4; }
static bool is_fixed_mtrr(u32 n)
{
	return n == MSR_MTRR_FIX64K || n == MSR_MTRR_FIX16K_8 || n == MSR_MTRR_FIX16K_A ||
	       (n >= MSR_MTRR_FIX4K && n <= MSR_MTRR_FIX4K_LAST);
}
static bool is_variable_mtrr(u32 n) { return n >= MSR_MTRR_BASE0 && n <= MSR_MTRR_MASK7; }
static bool is_intc(u32 n)
{
	return n == MSR_APIC_BASE || n == MSR_TSC_DEADLINE ||
	       (n >= MSR_X2APIC && n <= MSR_X2APIC_LAST);
}

/* Registers that are plain storage in both directions. `canonical`: only canonical addresses. */
static u64 *plain(struct x86_cpu *c, u32 n, bool *canonical)
{
	bool lm = x86_has(c, X86F_LM);

	*canonical = false;
	switch (n) {
	case MSR_SYSENTER_CS:
		return x86_has(c, X86F_SEP) ? &c->msr.sysenter_cs : NULL;
	case MSR_SYSENTER_ESP:
		*canonical = lm;
		return x86_has(c, X86F_SEP) ? &c->msr.sysenter_esp : NULL;
	case MSR_SYSENTER_EIP:
		*canonical = lm;
		return x86_has(c, X86F_SEP) ? &c->msr.sysenter_eip : NULL;
	case MSR_MISC_ENABLE:
		return amd(c) ? NULL : &c->msr.misc_enable;
	case MSR_MCG_STATUS:
		return x86_has(c, X86F_MCA) ? &c->msr.mcg_status : NULL;
	case MSR_MCG_CTL:
		return x86_has(c, X86F_MCA) ? &c->msr.mcg_ctl : NULL;
	case MSR_STAR:
		return x86_has(c, X86F_SYSCALL) ? &c->msr.star : NULL;
	case MSR_LSTAR:
		*canonical = true;
		return lm ? &c->msr.lstar : NULL;
	case MSR_CSTAR:
		*canonical = true;
		return lm ? &c->msr.cstar : NULL;
	case MSR_SFMASK:
		return lm ? &c->msr.sfmask : NULL;
	case MSR_FS_BASE:
		*canonical = true;
		return lm ? &c->seg[S_FS].base : NULL;
	case MSR_GS_BASE:
		*canonical = true;
		return lm ? &c->seg[S_GS].base : NULL;
	case MSR_KERNEL_GS_BASE:
		*canonical = true;
		return lm ? &c->msr.kernel_gs_base : NULL;
	case MSR_TSC_AUX:
		return x86_has(c, X86F_RDTSCP) || x86_has(c, X86F_RDPID) ? &c->msr.tsc_aux : NULL;
	case MSR_AMD_HWCR:
		return amd(c) ? &c->msr.hwcr : NULL;
	case MSR_AMD_DE_CFG:
		return amd(c) ? &c->msr.de_cfg : NULL;
	default:
		return is_mc(n) && x86_has(c, X86F_MCA) ? &c->msr.mc[n - MSR_MC0] : NULL;
	}
}

/* AMD registers that kernels look at in the ordinary course: no such feature is enabled. */
static bool amd_zero(const struct x86_cpu *c, u32 n)
{
	static const u32 known[] = { MSR_AMD_SYSCFG,
				     0xc001001f /* NB_CFG */,
				     0xc0010055 /* INT_PENDING */,
				     MSR_AMD_VM_CR,
				     0xc0010140,
				     0xc0010141 /* OSVW */,
				     0xc0011004,
				     0xc0011005 /* CPUID overrides */,
				     0xc0011020 /* LS_CFG */,
				     0xc0011021,
				     0xc0011022,
				     0xc0011023,
				     0xc0011028 /* FP_CFG */,
				     0xc001102a,
				     0xc0010048 /* BU_CFG */ };

	if (!amd(c))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i] == n)
			return true;
	return false;
}

bool x86_rdmsr(struct x86_cpu *c, u32 n, u64 *v)
{
	bool canonical;
	u64 *p = plain(c, n, &canonical);

	if (p) {
		*v = *p;
		return true;
	}
	if (is_intc(n)) {
		if (c->cpu.intc && c->cpu.intc->rdmsr)
			return c->cpu.intc->rdmsr(c->cpu.intc_dev, n, v);
		*v = c->msr.apic_base;
		return n == MSR_APIC_BASE;
	}
	*v = 0;
	switch (n) {
	case MSR_TSC:
		*v = x86_rdtsc(c);
		return true;
	case MSR_PLATFORM_ID:
	case MSR_SMI_COUNT:
	case MSR_PERF_CTL:
	case MSR_MISC_FEATURES: /* no CPUID faulting, no ring 3 MWAIT */
		return !amd(c);
	case MSR_PERF_STATUS:
	case MSR_PLATFORM_INFO:
		*v = n == MSR_PLATFORM_INFO ? c->tsc_hz / 100000000 << 8 : 1000ull | 4ull << 40;
		return !amd(c);
	case MSR_FEATURE_CONTROL:
		*v = 1; /* locked, nothing enabled */
		return !amd(c);
	case MSR_TSC_ADJUST:
		*v = c->msr.tsc_adjust;
		return x86_has(c, X86F_TSC_ADJUST);
	case MSR_SPEC_CTRL:
		*v = c->msr.spec_ctrl;
		return spec_ctrl_bits(c);
	case MSR_BIOS_SIGN_ID:
		*v = c->msr.bios_sign_id;
		return true;
	case MSR_MTRR_CAP:
		/* 8 variable ranges, fixed ranges, write combining */
		*v = 8 | BIT(8) | BIT(10);
		return x86_has(c, X86F_MTRR);
	case MSR_MTRR_DEF:
		*v = c->msr.mtrr_def;
		return x86_has(c, X86F_MTRR);
	case MSR_ARCH_CAP:
		*v = x86_feat_word(c, FW_ARCH) | ARCH_CAP_ITS_NO;
		return x86_has(c, X86F_ARCH_CAPABILITIES);
	case MSR_MCG_CAP:
		*v = MC_BANKS | MCG_CTL_P;
		return x86_has(c, X86F_MCA);
	case MSR_PAT:
		*v = c->msr.pat;
		return x86_has(c, X86F_PAT);
	case MSR_DEBUGCTL:
		*v = c->msr.debugctl;
		return true;
	case MSR_XSS:
		return x86_has(c, X86F_XSAVES);
	case MSR_EFER:
		*v = c->efer;
		return x86_has(c, X86F_SYSCALL) || x86_has(c, X86F_NX) || x86_has(c, X86F_LM);
	case MSR_KVM_WALL:
		*v = c->msr.kvm_wall_clock;
		return x86_has(c, X86F_KVM_CLOCK2);
	case MSR_KVM_SYSTEM:
		*v = c->msr.kvm_system_time;
		return x86_has(c, X86F_KVM_CLOCK2);
	}
	if (is_variable_mtrr(n)) {
		*v = n & 1 ? c->msr.mtrr_mask[(n - MSR_MTRR_BASE0) / 2] :
			     c->msr.mtrr_base[(n - MSR_MTRR_BASE0) / 2];
		return x86_has(c, X86F_MTRR);
	}
	if (is_fixed_mtrr(n)) {
		*v = *mtrr_fixed(c, n);
		return x86_has(c, X86F_MTRR);
	}
	return amd_zero(c, n);
}

static bool write_plain(struct x86_cpu *c, u32 n, u64 *p, u64 v, bool canonical)
{
	if (canonical && !x86_canonical(v))
		return false;
	if (n == MSR_TSC_AUX && v >> 32)
		return false;
	/* a bank's status can only be cleared */
	if (is_mc(n) && (n & 3) == 1 && v)
		return false;
	*p = v;
	return true;
}

static bool write_debugctl(struct x86_cpu *c, u64 v)
{
	if (v & ~0x7fffull)
		return false;
	if (v)
		x86_unimplemented(c, MISSING_DEBUGCTL);
	c->msr.debugctl = v;
	return true;
}

bool x86_wrmsr(struct x86_cpu *c, u32 n, u64 v)
{
	bool canonical;
	u64 *p = plain(c, n, &canonical);

	if (p)
		return write_plain(c, n, p, v, canonical);
	if (is_intc(n)) {
		if (c->cpu.intc && c->cpu.intc->wrmsr && !c->cpu.intc->wrmsr(c->cpu.intc_dev, n, v))
			return false;
		if (n == MSR_APIC_BASE)
			c->msr.apic_base = v;
		return n == MSR_APIC_BASE || (c->cpu.intc && c->cpu.intc->wrmsr);
	}
	switch (n) {
	case MSR_TSC:
		move_tsc(c, v - x86_rdtsc(c));
		return true;
	case MSR_TSC_ADJUST:
		if (!x86_has(c, X86F_TSC_ADJUST))
			return false;
		move_tsc(c, v - c->msr.tsc_adjust);
		return true;
	case MSR_SPEC_CTRL:
		if (!spec_ctrl_bits(c) || v & ~spec_ctrl_bits(c))
			return false;
		c->msr.spec_ctrl = v;
		return true;
	case MSR_PRED_CMD: /* a barrier for predictors that are not there */
		return !(v & ~1ull) && (x86_has(c, X86F_SPEC_CTRL) || x86_has(c, X86F_IBPB));
	case MSR_FLUSH_CMD:
		return !(v & ~1ull) && x86_has(c, X86F_FLUSH_L1D);
	case MSR_UCODE_WRITE:
		return true; /* an update that does not fit changes nothing */
	case MSR_BIOS_SIGN_ID:
		return true; /* written with 0 before CPUID loads the revision */
	case MSR_PERF_CTL:
		return !amd(c);
	case MSR_MISC_FEATURES:
		return !amd(c) && !v;
	case MSR_MTRR_DEF:
		if (!x86_has(c, X86F_MTRR) || v & ~0xcffull || !((u32)MTRR_TYPES >> (v & 31) & 1))
			return false;
		c->msr.mtrr_def = v;
		return true;
	case MSR_PAT:
		if (!x86_has(c, X86F_PAT) || !memory_types(v, PAT_TYPES))
			return false;
		c->msr.pat = v;
		return true;
	case MSR_DEBUGCTL:
		return write_debugctl(c, v);
	case MSR_XSS:
		return x86_has(c, X86F_XSAVES) && !v;
	case MSR_EFER:
		return write_efer(c, v);
	case MSR_KVM_WALL:
		if (!x86_has(c, X86F_KVM_CLOCK2) || v & 3)
			return false;
		c->msr.kvm_wall_clock = v;
		kvm_wall_publish(c, v);
		return true;
	case MSR_KVM_SYSTEM:
		if (!x86_has(c, X86F_KVM_CLOCK2) || v & 2)
			return false;
		c->msr.kvm_system_time = v;
		kvm_clock_publish(c);
		return true;
	}
	if (is_variable_mtrr(n))
		return x86_has(c, X86F_MTRR) && write_mtrr(c, n, v);
	if (is_fixed_mtrr(n)) {
		if (!x86_has(c, X86F_MTRR) || !memory_types(v, MTRR_TYPES))
			return false;
		*mtrr_fixed(c, n) = v;
		return true;
	}
	return amd_zero(c, n);
}

void x86_msr_reset(struct x86_cpu *c, bool init)
{
	struct x86_msrs old = c->msr;

	memset(&c->msr, 0, sizeof(c->msr));
	c->msr.pat = 0x0007040600070406;
	c->msr.apic_base = 0xfee00000 | BIT(11) | (c->cpu.index ? 0 : BIT(8));
	/* fast strings; no branch trace, no precise sampling */
	c->msr.misc_enable = BIT(0) | BIT(11) | BIT(12);
	c->msr.bios_sign_id = 0x01000065ull << 32;
	c->msr.hwcr = BIT(24); /* the TSC counts at the nominal frequency */
	for (unsigned b = 0; b < MC_BANKS; b++)
		c->msr.mc[b * 4] = ~0ull;
	c->msr.mcg_ctl = ~0ull;
	if (!init) {
		c->tsc_offset = 0; /* all CPUs count from the machine's start, hence alike */
		return;
	}
	/* INIT leaves memory types, machine check and time alone (SDM volume 3 table 9-1) */
	c->msr.pat = old.pat;
	c->msr.apic_base = old.apic_base;
	c->msr.mtrr_def = old.mtrr_def;
	memcpy(c->msr.mtrr_fix, old.mtrr_fix, sizeof(old.mtrr_fix));
	memcpy(c->msr.mtrr_base, old.mtrr_base, sizeof(old.mtrr_base));
	memcpy(c->msr.mtrr_mask, old.mtrr_mask, sizeof(old.mtrr_mask));
	memcpy(c->msr.mc, old.mc, sizeof(old.mc));
	c->msr.tsc_adjust = old.tsc_adjust;
	c->msr.kernel_gs_base = old.kernel_gs_base;
	c->msr.hwcr = old.hwcr;
	c->msr.de_cfg = old.de_cfg;
}

/* --- helpers */

u64 x86_h_rdmsr(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	u32 n = (u32)c->gpr[R_CX];
	u64 v;

	if (!x86_rdmsr(c, n, &v)) {
		guest_error(NULL,
			    "cpu %u: RDMSR of %#x, which this CPU model does not have, at %#llx",
			    cpu->index, n, (unsigned long long)cpu->pc);
		x86_raise_err(c, EXC_GP, 0);
	}
	c->gpr[R_AX] = (u32)v;
	c->gpr[R_DX] = v >> 32;
	return 0;
}

u64 x86_h_wrmsr(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	u32 n = (u32)c->gpr[R_CX];
	u64 v = (u32)c->gpr[R_AX] | c->gpr[R_DX] << 32;

	if (!x86_wrmsr(c, n, v)) {
		guest_error(NULL,
			    "cpu %u: WRMSR of %#llx to %#x, which this CPU model refuses, at %#llx",
			    cpu->index, (unsigned long long)v, n, (unsigned long long)cpu->pc);
		x86_raise_err(c, EXC_GP, 0);
	}
	return 0;
}
