/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot_entry.c - the CPU state that a boot loader hands over: real mode, flat 32-bit protected mode
 * (Linux 32-bit boot protocol, multiboot v1 3.2, PVH) or long mode with identity-mapped memory
 * (Linux 64-bit boot protocol). */
#include "x86.h"
#include "cpuid.h"
#include "core/boot_entry.h"

enum {
	ATTR_DATA = 0x3 | SEG_S | SEG_P | SEG_DB | SEG_G,   /* read/write, accessed */
	ATTR_CODE32 = 0xb | SEG_S | SEG_P | SEG_DB | SEG_G, /* execute/read, accessed */
	ATTR_CODE64 = 0xb | SEG_S | SEG_P | SEG_L | SEG_G,
	ATTR_TSS32 = 0xb | SEG_P,
};

static void set_seg(struct x86_cpu *c, unsigned sreg, u16 sel, u64 base, u32 limit, u16 attr)
{
	c->seg[sreg] = (struct x86_seg){ .sel = sel, .attr = attr, .limit = limit, .base = base };
}

static void enter_real(struct x86_cpu *c, const struct boot_entry *e)
{
	static const u8 data[] = { S_ES, S_SS, S_DS, S_FS, S_GS };

	set_seg(c, S_CS, e->cs, (u64)e->cs << 4, 0xffff, 0xb | SEG_S | SEG_P);
	for (size_t i = 0; i < ARRAY_SIZE(data); i++)
		set_seg(c, data[i], e->ds, (u64)e->ds << 4, 0xffff, 0x3 | SEG_S | SEG_P);
}

static void enter_flat(struct x86_cpu *c, const struct boot_entry *e)
{
	static const u8 data[] = { S_ES, S_SS, S_DS, S_FS, S_GS };
	bool wide = e->mode == BOOT_X86_LONG64;

	set_seg(c, S_CS, e->cs, 0, 0xffffffff, wide ? ATTR_CODE64 : ATTR_CODE32);
	for (size_t i = 0; i < ARRAY_SIZE(data); i++)
		set_seg(c, data[i], e->ds, 0, 0xffffffff, ATTR_DATA);
	if (e->tr)
		set_seg(c, S_TR, e->tr, 0, 0x67, ATTR_TSS32);
	c->gdt.base = e->gdt_base;
	c->gdt.limit = e->gdt_limit;
	/* Any fault before the guest has its own table ends in a triple fault. */
	c->idt.base = 0;
	c->idt.limit = 0;
	c->cr0 = CR0_PE | CR0_ET;
	if (wide) {
		c->cr0 |= CR0_PG;
		c->cr3 = e->cr3;
		c->cr4 = CR4_PAE;
		c->efer = EFER_LME | EFER_LMA;
	}
}

/* SDM 3A 12.11: memory is write-back, the legacy video window and the device range below 4 GiB are
 * uncached, ROM is write-protected. */
static void set_mtrrs(struct x86_cpu *c, u64 uncached)
{
	enum { UC = 0, WP = 5, WB = 6 };
	const u64 each = 0x0101010101010101ull;

	c->msr.mtrr_fix[0] = WB * each; /* 00000: 8 x 64 KiB */
	c->msr.mtrr_fix[1] = WB * each; /* 80000: 8 x 16 KiB */
	c->msr.mtrr_fix[2] = UC * each; /* a0000 */
	for (unsigned i = 3; i < ARRAY_SIZE(c->msr.mtrr_fix); i++)
		c->msr.mtrr_fix[i] = WP * each; /* c0000..fffff: 4 KiB each */
	c->msr.mtrr_base[0] = uncached | UC;
	c->msr.mtrr_mask[0] = (~(BIT64(32) - uncached - 1) & c->phys_mask & ~0xfffull) | BIT(11);
	c->msr.mtrr_def = BIT(11) | BIT(10) | WB;
}

void x86_boot_entry(struct cpu *cpu, const struct boot_entry *e)
{
	struct x86_cpu *c = X86(cpu);

	if (e->uncached)
		set_mtrrs(c, e->uncached);
	if (e->mode == BOOT_X86_OTHER)
		return;
	cpu->pc = e->pc;
	cpu->halted = cpu->stopped = false;
	if (e->mode == BOOT_MODE_ISA) {
		x86_update_mode(c);
		return;
	}
	if (e->mode == BOOT_X86_REAL16)
		enter_real(c, e);
	else
		enter_flat(c, e);
	c->gpr[R_AX] = e->rax;
	c->gpr[R_BX] = e->rbx;
	c->gpr[R_SI] = e->rsi;
	c->gpr[R_SP] = e->rsp;
	c->gpr[R_CX] = c->gpr[R_DX] = c->gpr[R_BP] = c->gpr[R_DI] = 0;
	c->eflags = EFL_1;
	cpu->hflags = x86_hf_from_arith(0);
	cpu_tlb_flush_all(cpu);
	x86_update_mode(c);
}

bool x86_boot_mode(struct cpu *cpu, int mode)
{
	return mode != BOOT_X86_LONG64 || x86_has(X86(cpu), X86F_LM);
}
