/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cregs.c - control and debug registers with the side effects of writing them: TLB and mode
 * changes. SDM volume 3 2.5, 4.10.4 (invalidation), 17.2. */
#include "core/debug.h"
#include "system.h"
#include "helpers.h"
#include <quern/device.h>

/* The TLB set: the PCID, or one for all address spaces without PCIDs. */
static u64 asid(const struct x86_cpu *c) { return c->cr4 & CR4_PCIDE ? c->cr3 & 0xfff : (u64)-1; }

static bool pae_paging(const struct x86_cpu *c, u64 cr0, u64 cr4)
{
	return cr0 & CR0_PG && cr4 & CR4_PAE && !(c->efer & EFER_LME);
}

static void gp(struct x86_cpu *c) { x86_raise_err(c, EXC_GP, 0); }

void x86_set_cr0(struct x86_cpu *c, u64 v)
{
	u64 old = c->cr0, changed;

	v = (v & (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD |
		  CR0_PG)) |
	    CR0_ET;
	changed = v ^ old;
	if ((v & CR0_PG && !(v & CR0_PE)) || (v & CR0_NW && !(v & CR0_CD)))
		gp(c);
	if (changed & CR0_PG) {
		if (v & CR0_PG && c->efer & EFER_LME) {
			if (!(c->cr4 & CR4_PAE) || c->seg[S_CS].attr & SEG_L)
				gp(c);
		} else if (!(v & CR0_PG) && (x86_code64(c) || c->cr4 & CR4_PCIDE)) {
			gp(c);
		}
	}
	if (pae_paging(c, v, c->cr4) && changed & (CR0_PG | CR0_CD | CR0_NW) &&
	    !x86_load_pdptes(c, c->cr3))
		gp(c);
	if (changed & CR0_PG && c->efer & EFER_LME)
		c->efer = v & CR0_PG ? c->efer | EFER_LMA : c->efer & ~(u64)EFER_LMA;
	c->cr0 = v;
	if (changed & (CR0_PG | CR0_WP | CR0_PE)) {
		x86_forget_tables(c);
		cpu_tlb_flush_all(&c->cpu);
	}
	x86_update_mode(c);
}

void x86_load_cr3(struct x86_cpu *c, u64 v)
{
	bool keep = false;

	if (c->efer & EFER_LMA) {
		if (c->cr4 & CR4_PCIDE) {
			keep = v >> 63;
			v &= ~BIT64(63);
		}
		if (v & ~c->phys_mask)
			gp(c);
	} else {
		v = (u32)v;
		if (pae_paging(c, c->cr0, c->cr4) && !x86_load_pdptes(c, v))
			gp(c);
	}
	c->cr3 = v;
	if (!keep)
		x86_forget_tables(c);
	cpu_tlb_switch(&c->cpu, asid(c), !keep);
}

static u64 cr4_allowed(const struct x86_cpu *c)
{
	static const struct {
		u32 bits;
		u16 feat;
	} need[] = {
		{ CR4_VME | CR4_PVI, X86F_VME },
		{ CR4_TSD, X86F_TSC },
		{ CR4_DE, X86F_DE },
		{ CR4_PSE, X86F_PSE },
		{ CR4_PAE, X86F_PAE },
		{ CR4_MCE, X86F_MCE },
		{ CR4_PGE, X86F_PGE },
		{ CR4_OSFXSR, X86F_FXSR },
		{ CR4_OSXMMEXCPT, X86F_SSE },
		{ CR4_UMIP, X86F_UMIP },
		{ CR4_FSGSBASE, X86F_FSGSBASE },
		{ CR4_PCIDE, X86F_PCID },
		{ CR4_OSXSAVE, X86F_XSAVE },
		{ CR4_SMEP, X86F_SMEP },
		{ CR4_SMAP, X86F_SMAP },
	};
	u64 ok = CR4_PCE;

	for (size_t i = 0; i < ARRAY_SIZE(need); i++)
		if (x86_has(c, need[i].feat))
			ok |= need[i].bits;
	return ok;
}

void x86_set_cr4(struct x86_cpu *c, u64 v)
{
	u64 changed = v ^ c->cr4;

	if (v & ~cr4_allowed(c)) {
		guest_error(NULL,
			    "cpu %u: MOV CR4 with bits %#llx that this CPU model does not have",
			    c->cpu.index, (unsigned long long)(v & ~cr4_allowed(c)));
		gp(c);
	}
	if (c->efer & EFER_LMA && !(v & CR4_PAE))
		gp(c);
	if (changed & v & CR4_PCIDE && (!(c->efer & EFER_LMA) || c->cr3 & 0xfff))
		gp(c);
	if (pae_paging(c, c->cr0, v) && changed & (CR4_PAE | CR4_PSE | CR4_PGE | CR4_SMEP) &&
	    !x86_load_pdptes(c, c->cr3))
		gp(c);
	c->cr4 = v;
	if (changed & (CR4_PAE | CR4_PSE | CR4_PGE | CR4_SMEP | CR4_SMAP | CR4_PCIDE)) {
		x86_forget_tables(c);
		cpu_tlb_flush_all(&c->cpu);
	}
	if (changed & CR4_PCIDE)
		cpu_tlb_switch(&c->cpu, asid(c), false);
	x86_update_mode(c);
}

u64 x86_h_rd_cr(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);

	switch (imm) {
	case 0:
		return c->cr0;
	case 2:
		return c->cr2;
	case 3:
		return c->cr3;
	case 4:
		return c->cr4;
	default:
		return cpu->intc && cpu->intc->get_tpr ? cpu->intc->get_tpr(cpu->intc_dev) : 0;
	}
}

u64 x86_h_wr_cr(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);

	switch (imm) {
	case 0:
		if (a >> 32)
			gp(c);
		x86_set_cr0(c, a);
		break;
	case 2:
		c->cr2 = a;
		break;
	case 3:
		x86_load_cr3(c, a);
		debug_met_root(cpu);
		break;
	case 4:
		x86_set_cr4(c, a);
		break;
	case 8:
		if (a & ~15ull)
			gp(c);
		if (cpu->intc && cpu->intc->set_tpr)
			cpu->intc->set_tpr(cpu->intc_dev, a);
		x86_kick_irq(c);
		break;
	}
	return 0;
}

u64 x86_h_clts(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);

	c->cr0 &= ~(u64)CR0_TS;
	x86_update_mode(c);
	return 0;
}

u64 x86_h_lmsw(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);

	/* PE can be set, not cleared */
	x86_set_cr0(c, (c->cr0 & ~0xeull) | (a & 0xf));
	return 0;
}

/* --- debug registers */

/* DR4 and DR5 are DR6 and DR7 unless CR4.DE; DR7.GD catches every access. */
static unsigned dr_number(struct x86_cpu *c, unsigned n)
{
	if (n == 4 || n == 5) {
		if (c->cr4 & CR4_DE)
			x86_raise(c, EXC_UD);
		n += 2;
	}
	if (c->dr[7] & BIT(13)) {
		c->dr[6] |= BIT(13);
		x86_raise(c, EXC_DB);
	}
	return n;
}

u64 x86_h_rd_dr(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);

	return c->dr[dr_number(c, imm)];
}

u64 x86_h_wr_dr(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	unsigned n = dr_number(c, imm);

	if (n >= 6 && a >> 32)
		gp(c);
	if (n == 6) {
		c->dr[6] = (a & 0xe00f) | 0xffff0ff0;
	} else if (n == 7) {
		c->dr[7] = (a & 0xffff2bff) | 0x400;
		x86_update_mode(c);
		x86_update_watch(c);
	} else {
		c->dr[n] = a;
		x86_update_watch(c);
	}
	return 0;
}

/* --- TLB */

u64 x86_h_invlpg(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	x86_forget_tables(X86(cpu));
	if (!x86_long(X86(cpu)) || x86_canonical(a))
		cpu_tlb_flush_page(cpu, a);
	return 0;
}

u64 x86_h_invpcid(struct cpu *cpu, u64 a, u64 type, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	unsigned ctx = x86_data_ctx(cpu->mode);
	u64 pcid = cpu_ld(cpu, ctx, a, 8), va = cpu_ld(cpu, ctx, a + 8, 8);

	if (type > 3 || pcid & ~0xfffull || (pcid && type < 2 && !(c->cr4 & CR4_PCIDE)) ||
	    (type == 0 && !x86_canonical(va)))
		gp(c);
	if (!(c->cr4 & CR4_PCIDE))
		pcid = (u64)-1;
	x86_forget_tables(c);
	switch (type) {
	case 0:
		cpu_tlb_flush_page_asid(cpu, va, pcid);
		break;
	case 1:
		cpu_tlb_flush_asid(cpu, pcid);
		break;
	case 2:
		cpu_tlb_flush_all(cpu);
		break;
	case 3:
		cpu_tlb_flush_nonglobal(cpu);
		break;
	}
	return 0;
}

/* --- XCR0 */

u64 x86_h_xgetbv(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	u32 n = (u32)c->gpr[R_CX];

	if (!(c->cr4 & CR4_OSXSAVE))
		x86_raise(c, EXC_UD);
	if (n && !(n == 1 && x86_has(c, X86F_XGETBV1)))
		gp(c);
	/* XCR0, or with ECX = 1 the components in use: all that are enabled */
	c->gpr[R_AX] = (u32)c->xcr0;
	c->gpr[R_DX] = c->xcr0 >> 32;
	return 0;
}

u64 x86_h_xsetbv(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	u64 v = (u32)c->gpr[R_AX] | c->gpr[R_DX] << 32;

	if (!(c->cr4 & CR4_OSXSAVE))
		x86_raise(c, EXC_UD);
	/* x87 always, SSE if wanted */
	if ((u32)c->gpr[R_CX] || (v & ~2ull) != 1)
		gp(c);
	c->xcr0 = v;
	return 0;
}
