/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu.c - the x86 guest as the engine sees it: slots, mode word, life from reset (SDM volume 3
 * table 9-1) to end. */
#include "system.h"
#include "helpers.h"
#include "lib/alloc.h"
#include <quern/device.h>
#include <stddef.h>

#define AT(m)		    offsetof(struct x86_cpu, m)
#define GPR(r, name_, pin_) [SL_GPR + (r)] = { name_, AT(gpr[r]), I64, pin_ }
#define SEGB(i, name_)	    [SL_SEGBASE + (i)] = { name_, AT(seg[i].base), I64, 0 }
#define XMM(i) \
	[SL_XMM + (i)] = { "xmm" #i, AT(xmm[i]), V128, (i) + 1 }, \
		  [SL_XMM_Q + 2 * (i)] = { "xmm" #i ".l", AT(xmm[i].q[0]), I64, 0 }, \
		  [SL_XMM_Q + 2 * (i) + 1] = { "xmm" #i ".h", AT(xmm[i].q[1]), I64, 0 }, \
		  [SL_XMM_D + (i)] = { "xmm" #i ".d", AT(xmm[i].d[0]), I32, 0 }
#define VTMP(i) \
	[SL_VTMP + (i)] = { "vtmp" #i, AT(vtmp[i]), V128, IR_SCRATCH }, \
		   [SL_VTMP_Q + 2 * (i)] = { "vtmp" #i ".l", AT(vtmp[i].q[0]), I64, 0 }, \
		   [SL_VTMP_Q + 2 * (i) + 1] = { "vtmp" #i ".h", AT(vtmp[i].q[1]), I64, 0 }
#define TMP(i) [SL_TMP + (i)] = { "tmp" #i, AT(tmp[i]), I64, 0 }
#define MM(i)  [SL_MM + (i)] = { "mm" #i, AT(fpr[i].m), I64, 0 }

const struct ir_slot x86_slots[] = {
	GPR(R_AX, "rax", 3),
	GPR(R_CX, "rcx", 4),
	GPR(R_DX, "rdx", 5),
	GPR(R_BX, "rbx", 6),
	GPR(R_SP, "rsp", 1),
	GPR(R_BP, "rbp", 2),
	GPR(R_SI, "rsi", 7),
	GPR(R_DI, "rdi", 8),
	GPR(8, "r8", 9),
	GPR(9, "r9", 10),
	GPR(10, "r10", 14),
	GPR(11, "r11", 16),
	GPR(12, "r12", 11),
	GPR(13, "r13", 12),
	GPR(14, "r14", 13),
	GPR(15, "r15", 15),
	[SL_HFLAGS] = { "hflags", AT(cpu.hflags), I16, 0 },
	[SL_EFLAGS] = { "eflags", AT(eflags), I64, 0 },
	[SL_PC] = { "pc", AT(cpu.pc), I64, 0 },
	SEGB(S_ES, "es.base"),
	SEGB(S_CS, "cs.base"),
	SEGB(S_SS, "ss.base"),
	SEGB(S_DS, "ds.base"),
	SEGB(S_FS, "fs.base"),
	SEGB(S_GS, "gs.base"),
	TMP(0),
	TMP(1),
	TMP(2),
	TMP(3),
	XMM(0),
	XMM(1),
	XMM(2),
	XMM(3),
	XMM(4),
	XMM(5),
	XMM(6),
	XMM(7),
	XMM(8),
	XMM(9),
	XMM(10),
	XMM(11),
	XMM(12),
	XMM(13),
	XMM(14),
	XMM(15),
	VTMP(0),
	VTMP(1),
	VTMP(2),
	VTMP(3),
	MM(0),
	MM(1),
	MM(2),
	MM(3),
	MM(4),
	MM(5),
	MM(6),
	MM(7),
	[SL_FPU_SW] = { "fpu.sw", AT(fpu_sw), I16, 0 },
	[SL_FPU_TAG] = { "fpu.tag", AT(fpu_tag), I16, 0 },
	[SL_FPU_CW] = { "fpu.cw", AT(fpu_cw), I16, 0 },
	[SL_MXCSR] = { "mxcsr", AT(mxcsr), I32, 0 },
};
_Static_assert(ARRAY_SIZE(x86_slots) == SL_COUNT, "every slot is described");

/* --- the mode word */

static bool flat_data(const struct x86_seg *s)
{
	return !s->base && s->limit == 0xffffffff &&
	       (s->attr & (SEG_P | SEG_S | SEG_X | SEG_E | SEG_W)) == (SEG_P | SEG_S | SEG_W);
}

static bool flat(const struct x86_cpu *c)
{
	const struct x86_seg *cs = &c->seg[S_CS];

	return !cs->base && cs->limit == 0xffffffff && (cs->attr & SEG_R) &&
	       flat_data(&c->seg[S_SS]) && flat_data(&c->seg[S_DS]) && flat_data(&c->seg[S_ES]);
}

static u32 segment_mode(struct x86_cpu *c, u32 m)
{
	const u16 cs = c->seg[S_CS].attr;

	if (m & M_LMA && cs & SEG_L) {
		c->cpu.pc_base = 0;
		return M_CODE64 | M_FLAT;
	}
	c->cpu.pc_base = c->seg[S_CS].base;
	return (cs & SEG_DB ? M_CODE32 : M_CODE16) | (c->seg[S_SS].attr & SEG_DB ? M_SS32 : 0) |
	       ((m & (M_PE | M_VM)) == M_PE && flat(c) ? M_FLAT : 0);
}

static bool execution_breakpoints(u64 dr7)
{
	for (unsigned i = 0; i < 4; i++)
		if (dr7 >> i * 2 & 3 && !(dr7 >> (16 + i * 4) & 3))
			return true;
	return false;
}

void x86_update_mode(struct x86_cpu *c)
{
	u32 m = 0;
	unsigned cpl = 0;

	if (c->cr0 & CR0_PE) {
		m |= M_PE;
		if (c->efer & EFER_LMA)
			m |= M_LMA;
		else if (c->eflags & EFL_VM)
			m |= M_VM;
		cpl = m & M_VM ? 3 : seg_dpl(c->seg[S_SS].attr);
	}
	m |= cpl << M_CPL_SHIFT;
	m |= segment_mode(c, m);
	if (cpl < 3 && c->cr4 & CR4_SMAP && !(c->eflags & EFL_AC))
		m |= M_SMAP;
	if (c->eflags & EFL_TF)
		m |= M_TF;
	if (!(c->cr0 & (CR0_EM | CR0_TS))) {
		m |= M_FPU;
		if (c->cr4 & CR4_OSFXSR)
			m |= M_SSE;
	}
	if (c->dr[7] & 0xff && execution_breakpoints(c->dr[7]))
		m |= M_DEBUG;
	if (cpl == 3 && c->cr0 & CR0_AM && c->eflags & EFL_AC)
		m |= M_ALIGN;
	if ((c->mxcsr & 0x1f80) != 0x1f80)
		m |= M_FPEXC;
	if (c->cr4 & CR4_OSXSAVE)
		m |= M_XSAVE;
	c->cpu.mode = m;
}

static u64 pc_mask(u32 mode) { return (mode & M_CODE) == M_CODE64 ? ~0ull : 0xffffffff; }

/* Kernel, kernel with user pages open, user, and what runs beside them: 32-bit programs of a 64-bit
 * kernel, 16-bit code. */
static unsigned mode_class(u32 mode)
{
	unsigned code = mode & M_CODE;

	if (MODE_CPL(mode) == 3)
		return code == M_CODE64 || (code == M_CODE32 && !(mode & M_LMA)) ? 2 : 3;
	return code == M_CODE16 ? 3 : mode & M_SMAP ? 0 : 1;
}

static unsigned fetch_context(u32 mode) { return MODE_CPL(mode) == 3 ? CTX_USER : CTX_KERNEL; }

/* --- EFLAGS */

u64 x86_eflags(const struct x86_cpu *c) { return c->eflags | x86_arith_from_hf(c->cpu.hflags); }

void x86_set_eflags(struct x86_cpu *c, u64 val, u64 mask)
{
	u64 old = c->eflags;

	if (mask & EFL_ARITH) {
		u32 arith = x86_arith_from_hf(c->cpu.hflags);

		c->cpu.hflags = x86_hf_from_arith((arith & ~(u32)mask) | (val & mask & EFL_ARITH));
	}
	mask &= 0x3f7700 & ~(u64)EFL_ARITH;
	c->eflags = (old & ~mask) | (val & mask) | EFL_1;
	if ((old ^ c->eflags) & (EFL_TF | EFL_VM | EFL_AC))
		x86_update_mode(c);
	if (c->eflags & ~old & EFL_IF)
		x86_kick_irq(c);
}

/* --- life */

static void reset_common(struct x86_cpu *c)
{
	const struct x86_seg data = { .attr = SEG_P | SEG_S | 3, .limit = 0xffff };

	memset(c->gpr, 0, sizeof(c->gpr));
	c->gpr[R_DX] = x86_signature(c);
	c->eflags = EFL_1;
	c->cpu.hflags = 0;
	for (unsigned i = 0; i <= S_GS; i++)
		c->seg[i] = data;
	c->seg[S_CS] = (struct x86_seg){
		.sel = 0xf000, .base = 0xffff0000, .limit = 0xffff, .attr = SEG_P | SEG_S | 0xb
	};
	c->seg[S_LDTR] = (struct x86_seg){ .limit = 0xffff, .attr = SEG_P | SYS_LDT };
	c->seg[S_TR] = (struct x86_seg){ .limit = 0xffff, .attr = SEG_P | SYS_TSS32_BUSY };
	c->cpu.pc = 0xfff0;
	c->cr2 = c->cr3 = c->cr4 = c->efer = 0;
	memset(c->pdpte, 0, sizeof(c->pdpte));
	x86_forget_tables(c);
	memset(c->dr, 0, sizeof(c->dr));
	c->dr[6] = 0xffff0ff0;
	c->dr[7] = 0x400;
	c->gdt.base = c->idt.base = 0;
	c->gdt.limit = c->idt.limit = 0xffff;
	x86_exc_reset(c);
	c->cpu.halted = false;
	/* all but the first wait for a SIPI */
	c->cpu.stopped = c->cpu.index != 0;
}

static void trace_reset(void *arg, const char *text)
{
	trace(NULL, "x86-reset", "cpu %u %s", ((struct cpu *)arg)->index, text);
}

void x86_reset(struct cpu *cpu)
{
	struct x86_cpu *c = X86(cpu);

	reset_common(c);
	c->cr0 = CR0_CD | CR0_NW | CR0_ET;
	c->xcr0 = 1;
	memset(c->xmm, 0, sizeof(c->xmm));
	x86_fpu_reset(c);
	c->mxcsr = 0x1f80;
	x86_msr_reset(c, false);
	cpu->exit_request = 0;
	x86_update_mode(c);
	x86_mxcsr_written(c);
	if (cpu->engine) {
		cpu_tlb_switch(cpu, (u64)-1, false);
		cpu_tlb_flush_all(cpu);
		x86_dump(cpu, trace_reset, cpu);
	}
}

void x86_init_signal(struct x86_cpu *c)
{
	u64 cr0 = (c->cr0 & (CR0_CD | CR0_NW)) | CR0_ET;
	int sipi = c->sipi_vector;

	reset_common(c);
	c->cr0 = cr0;
	c->sipi_vector = sipi;
	x86_msr_reset(c, true);
	x86_update_mode(c);
	cpu_tlb_switch(&c->cpu, (u64)-1, false);
	cpu_tlb_flush_all(&c->cpu);
}

static int init(struct cpu *cpu, const char *model, struct error *e)
{
	struct x86_cpu *c = X86(cpu);
	int r = x86_cpuid_init(c, model, e);

	if (r)
		return r;
	if (!c->id->own_apic_id)
		c->apic_id = x86_apic_id(c);
	cpu->topology_id = c->apic_id;
	x86_reset(cpu);
	return 0;
}

static void fini(struct cpu *cpu)
{
	free(X86(cpu)->id);
	X86(cpu)->id = NULL;
}

static void misaligned(struct cpu *cpu, u64 va, enum access access, unsigned ctx, unsigned size)
{
	struct x86_cpu *c = X86(cpu);

	if (size < 16 && x86_long(c) && !(x86_canonical(va) && x86_canonical(va + size - 1))) {
		x86_mem_fault(cpu, va, access, ctx, WALK_NONCANONICAL);
		return;
	}
	/* vector operations that want alignment fault in any mode; everything else got here by
	 * alignment checking */
	c->exc_vector = size >= 16 ? EXC_GP : EXC_AC;
	c->exc_error = 0;
	c->exc_has_error = true;
	c->exc_soft = c->exc_trap = false;
}

static void divide_error(struct cpu *cpu)
{
	struct x86_cpu *c = X86(cpu);

	c->exc_vector = EXC_DE;
	c->exc_has_error = c->exc_soft = c->exc_trap = false;
}

static bool bus_error(struct cpu *cpu, u64 phys, enum access access, unsigned size)
{
	return false;
}

static u64 timestamp(struct cpu *cpu, u64 *hz)
{
	*hz = X86(cpu)->tsc_hz;
	return x86_rdtsc(X86(cpu));
}

#define X86_ISA(name_, regs_) \
	{ \
		.name = name_, .cpu_size = sizeof(struct x86_cpu), .slots = x86_slots, \
		.nslots = SL_COUNT, .flags_slot = SL_HFLAGS, .helpers = x86_helpers, \
		.nhelpers = XH_COUNT, .page_bits = 12, .init = init, .reset = x86_reset, \
		.fini = fini, .lift = x86_lift, .flags_dead = x86_flags_dead, .pc_mask = pc_mask, \
		.mode_class = mode_class, .fetch_context = fetch_context, .walk = x86_walk, \
		.watched = x86_watched, .mem_fault = x86_mem_fault, .misaligned = misaligned, \
		.divide_error = divide_error, .bus_error = bus_error, \
		.exception_pending = x86_exception_pending, \
		.exception_number = x86_exception_number, .deliver = x86_deliver, \
		.walk_root = x86_walk_root, .interrupt = x86_interrupt, .has_work = x86_has_work, \
		.set_line = x86_set_line, .timestamp = timestamp, .enter = x86_fpu_enter, \
		.leave = x86_fpu_leave, .regs = regs_, .reg_alias = x86_reg_alias, \
		.corefile = &x86_corefile, .disasm = x86_disasm, .dump = x86_dump, \
		.state = x86_state, .loaded = x86_loaded, .boot_entry = x86_boot_entry, \
		.boot_mode = x86_boot_mode, .cpu_help = x86_cpuid_help, \
	}
static const struct isa x86_64 = X86_ISA("x86_64", x86_regs), i386 = X86_ISA("i386", x86_regs32);
ISA(x86_64);
ISA(i386);
