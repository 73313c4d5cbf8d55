/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sysops.c - helpers of the system instructions that are neither transfers nor control registers:
 * EFLAGS, halting, descriptor table registers, FS/GS bases, identification, time, ports. SDM volume
 * 2 under the instruction's name; volume 3 20.3 for V86 and virtual interrupt flags. */
#include "system.h"
#include "helpers.h"
#include "core/machine.h"

static void gp(struct x86_cpu *c) { x86_raise_err(c, EXC_GP, 0); }

/* --- EFLAGS */

/* With IOPL too low: is IF virtual here (V86 with VME, or CPL 3 with PVI)? */
static bool virtual_if(const struct x86_cpu *c)
{
	if (c->eflags & EFL_VM)
		return c->cr4 & CR4_VME;
	return x86_cpl(c) == 3 && c->cr4 & CR4_PVI;
}

static bool iopl_allows(const struct x86_cpu *c) { return x86_cpl(c) <= (c->eflags >> 12 & 3); }

u64 x86_h_cli(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);

	if (iopl_allows(c))
		c->eflags &= ~(u64)EFL_IF;
	else if (virtual_if(c))
		c->eflags &= ~(u64)EFL_VIF;
	else
		gp(c);
	return 0;
}

u64 x86_h_sti(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);

	if (iopl_allows(c))
		x86_set_eflags(c, EFL_IF, EFL_IF);
	else if (virtual_if(c) && !(c->eflags & EFL_VIP))
		c->eflags |= EFL_VIF;
	else
		gp(c);
	return 0;
}

u64 x86_h_pushf_v86(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 size)
{
	struct x86_cpu *c = X86(cpu);
	u32 v = x86_eflags(c) & ~(u32)(EFL_VM | EFL_RF);

	if ((v & EFL_IOPL) == EFL_IOPL)
		return v;
	if (!(c->cr4 & CR4_VME) || size != 2)
		gp(c);
	return (v & ~(u32)EFL_IF) | EFL_IOPL | (v & EFL_VIF ? EFL_IF : 0);
}

u64 x86_h_popf(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 size)
{
	struct x86_cpu *c = X86(cpu);
	u32 mode = cpu->mode, mask;

	if (c->eflags & EFL_VM) {
		if ((c->eflags & EFL_IOPL) == EFL_IOPL) {
			mask = EFL_ARITH | EFL_TF | EFL_IF | EFL_DF | EFL_NT |
			       (size > 2 ? EFL_AC | EFL_ID : 0);
		} else {
			if (!(c->cr4 & CR4_VME) || size != 2 || a & EFL_TF ||
			    (a & EFL_IF && c->eflags & EFL_VIP))
				gp(c);
			a = (a & 0xffff) | (a & EFL_IF ? EFL_VIF : 0);
			mask = EFL_ARITH | EFL_DF | EFL_NT | EFL_VIF;
		}
	} else {
		mask = x86_flags_mask(c, size);
	}
	x86_set_eflags(c, a, mask);
	return cpu->mode != mode || __atomic_load_n(&cpu->exit_request, __ATOMIC_RELAXED);
}

u64 x86_h_set_ac(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);

	/* at CPL 0 nothing but M_SMAP hangs on it: this is done around every access of a kernel to
	 * user memory */
	if (imm) {
		c->eflags |= EFL_AC;
		cpu->mode &= ~(u32)M_SMAP;
	} else {
		c->eflags &= ~(u64)EFL_AC;
		if (c->cr4 & CR4_SMAP)
			cpu->mode |= M_SMAP;
	}
	return 0;
}

/* --- halting */

u64 x86_h_hlt(struct cpu *cpu, u64 next, u64 b, u64 cc, u64 imm)
{
	cpu->pc = next;
	cpu->halted = true;
	X86(cpu)->monitoring = false;
	return 0;
}

u64 x86_h_monitor(struct cpu *cpu, u64 a, u64 ecx, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	unsigned ctx = x86_data_ctx(cpu->mode);
	struct mapping m;

	if ((u32)ecx)
		gp(c);
	cpu_probe(cpu, ctx, a, 1, ACCESS_READ);
	if (x86_walk(cpu, a, ACCESS_READ, ctx, false, &m))
		return 0;
	c->mon_addr = m.phys & ~7ull;
	c->mon_value = cpu_phys_ld(cpu, c->mon_addr, 8);
	c->monitoring = true;
	return 0;
}

u64 x86_h_mwait(struct cpu *cpu, u64 next, u64 eax, u64 ecx, u64 imm)
{
	struct x86_cpu *c = X86(cpu);

	if ((u32)ecx & ~1u)
		gp(c);
	cpu->pc = next;
	c->mon_masked = ecx & 1;
	/* without an armed monitor, or with the store done already, MWAIT does not sleep */
	if (c->monitoring && cpu_phys_ld(cpu, c->mon_addr, 8) == c->mon_value)
		cpu->halted = true;
	else
		c->monitoring = false;
	return 0;
}

u64 x86_h_pause(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	__atomic_fetch_or(&cpu->exit_request, CPU_EXIT_SLICE, __ATOMIC_RELAXED);
	return 0;
}

u64 x86_h_rsm(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm) { x86_raise(X86(cpu), EXC_UD); }

/* --- descriptor table registers */

u64 x86_h_load_dt(struct cpu *cpu, u64 a, u64 bytes, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	unsigned ctx = x86_data_ctx(cpu->mode);
	u16 limit = cpu_ld(cpu, ctx, a, 2);
	u64 base = cpu_ld(cpu, ctx, a + 2, bytes == 8 ? 8 : 4);

	if (bytes == 3)
		base &= 0xffffff;
	if (bytes == 8 && !x86_canonical(base))
		gp(c);
	if (imm) {
		c->idt.base = base;
		c->idt.limit = limit;
	} else {
		c->gdt.base = base;
		c->gdt.limit = limit;
	}
	return 0;
}

/* UMIP: user mode may not look at these registers. */
static void check_umip(struct x86_cpu *c)
{
	if (c->cr4 & CR4_UMIP && x86_cpl(c))
		gp(c);
}

u64 x86_h_store_dt(struct cpu *cpu, u64 a, u64 bytes, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	u8 buf[10];

	check_umip(c);
	st16le(buf, imm ? c->idt.limit : c->gdt.limit);
	st64le(buf + 2, imm ? c->idt.base : c->gdt.base);
	cpu_st_bytes(cpu, x86_data_ctx(cpu->mode), a, buf, 2 + (bytes == 8 ? 8 : 4));
	return 0;
}

u64 x86_h_sysreg(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);

	check_umip(c);
	return imm == 0 ? c->seg[S_LDTR].sel : imm == 1 ? c->seg[S_TR].sel : c->cr0;
}

/* --- FS and GS */

u64 x86_h_rd_base(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);

	if (!(c->cr4 & CR4_FSGSBASE))
		x86_raise(c, EXC_UD);
	return c->seg[imm].base;
}

u64 x86_h_wr_base(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);

	if (!(c->cr4 & CR4_FSGSBASE))
		x86_raise(c, EXC_UD);
	if (!x86_canonical(a))
		gp(c);
	c->seg[imm].base = a;
	return 0;
}

u64 x86_h_swapgs(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	u64 t = c->seg[S_GS].base;

	c->seg[S_GS].base = c->msr.kernel_gs_base;
	c->msr.kernel_gs_base = t;
	return 0;
}

/* --- identification, time, random numbers */

u64 x86_h_cpuid(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	u32 out[4];

	x86_cpuid(c, (u32)c->gpr[R_AX], (u32)c->gpr[R_CX], out);
	c->gpr[R_AX] = out[0];
	c->gpr[R_BX] = out[1];
	c->gpr[R_CX] = out[2];
	c->gpr[R_DX] = out[3];
	return 0;
}

u64 x86_h_rdtsc(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);

	if (c->cr4 & CR4_TSD && x86_cpl(c))
		gp(c);
	return x86_rdtsc(c);
}

u64 x86_h_tsc_aux(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	return (u32)X86(cpu)->msr.tsc_aux;
}

/* There are no performance counters: every number is beyond the last. */
u64 x86_h_rdpmc(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	x86_raise_err(X86(cpu), EXC_GP, 0);
}

u64 x86_h_random(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	u64 v;

	machine_random(cpu->machine, &v, sizeof(v));
	return v;
}

/* --- ports */

u64 x86_h_io_check(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 size)
{
	struct x86_cpu *c = X86(cpu);
	const struct x86_seg *tr = &c->seg[S_TR];
	unsigned port = a & 0xffff, base, bits, ctx;

	if (!(c->cr0 & CR0_PE) || (!(c->eflags & EFL_VM) && iopl_allows(c)))
		return 0;
	ctx = x86_sys_ctx(c);
	if (!seg_usable(tr) || !x86_tss_is32(c) || tr->limit < 0x67)
		gp(c);
	base = cpu_ld(cpu, ctx, x86_lin(c, tr->base + 0x66), 2);
	if (base + port / 8 + 1 > tr->limit)
		gp(c);
	bits = cpu_ld(cpu, ctx, x86_lin(c, tr->base + base + port / 8), 2);
	if (bits >> (port & 7) & ((1u << size) - 1))
		gp(c);
	return 0;
}

u64 x86_h_in(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 size)
{
	x86_h_io_check(cpu, a, 0, 0, size);
	x86_watch_port(X86(cpu), a & 0xffff, size);
	return cpu_io_read(cpu, a, size);
}

u64 x86_h_out(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 size)
{
	x86_h_io_check(cpu, a, 0, 0, size);
	x86_watch_port(X86(cpu), a & 0xffff, size);
	cpu_io_write(cpu, a, size, b);
	return 0;
}
