/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86.h - the x86 guest: its state and what its files owe each other. Follows the Intel SDM (2023)
 * volumes 1 to 3 and the AMD64 APM volumes 2, 3. decode.c, decode.h   instruction bytes -> struct
 * x86_insn (prefixes, opcode map, ModRM, operands), by tables
 *   *.insn, int_*.c      general instructions: table rows and emitters
 *   fpu*.c sse*.c ...    x87, MMX, SSE: table rows, emitters and helpers
 *   seg.c exc.c ...      segmentation, exceptions, interrupts, system instructions (helpers called
 * from emitters) mmu.c                page walks cpuid.c msr.c cpu.c  identification,
 * model-specific registers, life
 */
#pragma once
#include "../../core/cpu.h"
#include "../../ir/ir.h"

enum x86_reg { R_AX, R_CX, R_DX, R_BX, R_SP, R_BP, R_SI, R_DI }; /* 8..15 = r8..r15 */
enum x86_sreg { S_ES, S_CS, S_SS, S_DS, S_FS, S_GS, S_LDTR, S_TR, S_COUNT };

/* EFLAGS bits. Arithmetic flags (CF PF AF ZF SF OF) live in cpu.hflags; the rest in x86_cpu.eflags.
 */
enum {
	EFL_CF = BIT(0),
	EFL_1 = BIT(1),
	EFL_PF = BIT(2),
	EFL_AF = BIT(4),
	EFL_ZF = BIT(6),
	EFL_SF = BIT(7),
	EFL_TF = BIT(8),
	EFL_IF = BIT(9),
	EFL_DF = BIT(10),
	EFL_OF = BIT(11),
	EFL_IOPL = 3 << 12,
	EFL_NT = BIT(14),
	EFL_RF = BIT(16),
	EFL_VM = BIT(17),
	EFL_AC = BIT(18),
	EFL_VIF = BIT(19),
	EFL_VIP = BIT(20),
	EFL_ID = BIT(21),
	EFL_ARITH = EFL_CF | EFL_PF | EFL_AF | EFL_ZF | EFL_SF | EFL_OF,
};
static inline u32 x86_arith_from_hf(u16 hf) { return (u32)(hf >> 8 & 0xd5) | (u32)(hf & 1) << 11; }
static inline u16 x86_hf_from_arith(u32 efl) { return (u16)((efl & 0xd5) << 8 | (efl >> 11 & 1)); }

enum {
	CR0_PE = BIT(0),
	CR0_MP = BIT(1),
	CR0_EM = BIT(2),
	CR0_TS = BIT(3),
	CR0_ET = BIT(4),
	CR0_NE = BIT(5),
	CR0_WP = BIT(16),
	CR0_AM = BIT(18),
	CR0_NW = BIT(29),
	CR0_CD = BIT(30)
};
#define CR0_PG 0x80000000u
enum {
	CR4_VME = BIT(0),
	CR4_PVI = BIT(1),
	CR4_TSD = BIT(2),
	CR4_DE = BIT(3),
	CR4_PSE = BIT(4),
	CR4_PAE = BIT(5),
	CR4_MCE = BIT(6),
	CR4_PGE = BIT(7),
	CR4_PCE = BIT(8),
	CR4_OSFXSR = BIT(9),
	CR4_OSXMMEXCPT = BIT(10),
	CR4_UMIP = BIT(11),
	CR4_FSGSBASE = BIT(16),
	CR4_PCIDE = BIT(17),
	CR4_OSXSAVE = BIT(18),
	CR4_SMEP = BIT(20),
	CR4_SMAP = BIT(21)
};
enum { EFER_SCE = BIT(0), EFER_LME = BIT(8), EFER_LMA = BIT(10), EFER_NXE = BIT(11) };

/* The mode word: what a translation depends on. Recomputed by x86_update_mode whenever an input
 * changes. */
enum {
	M_CODE16 = 0,
	M_CODE32 = 1,
	M_CODE64 = 2,
	M_CODE = 3,	 /* operand/address default size */
	M_SS32 = BIT(2), /* stack pointer is 32 bits (64 in 64-bit code) */
	M_CPL = 3 << 3,
	M_CPL_SHIFT = 3,
	M_PE = BIT(5),
	M_VM = BIT(6),
	M_LMA = BIT(7),
	/* CS DS ES SS have base 0, limit 4 GiB, writable data: no base is added, no limit checked
	   (always in 64-bit code) */
	M_FLAT = BIT(8),
	/* supervisor data accesses to user pages are refused now (CR4.SMAP and EFLAGS.AC clear, CPL
	   < 3) */
	M_SMAP = BIT(9),
	M_TF = BIT(10), /* single step: units of one instruction that end in #DB */
	/* CR0.EM = CR0.TS = 0: x87/MMX usable without a check (else they raise #NM at run time) */
	M_FPU = BIT(11),
	/* M_FPU's TS condition, CR0.EM = 0, CR4.OSFXSR = 1: SSE usable */
	M_SSE = BIT(12),
	/* instruction breakpoints armed in DR7: each instruction start is checked by a helper */
	M_DEBUG = BIT(13),
	M_ALIGN = BIT(14), /* alignment checking on: CPL 3, CR0.AM, EFLAGS.AC */
	/* some SIMD exception is unmasked in MXCSR: SSE arithmetic checks after each operation */
	M_FPEXC = BIT(15),
	M_XSAVE = BIT(16), /* CR4.OSXSAVE */
};
#define MODE_CPL(m) (((m)&M_CPL) >> M_CPL_SHIFT)

/* Access contexts (IR_CTX). */
enum { CTX_KERNEL, CTX_KERNEL_OPEN /* SMAP open, or implicit supervisor access */, CTX_USER };
static inline unsigned x86_data_ctx(u32 mode)
{
	return MODE_CPL(mode) == 3 ? CTX_USER : mode & M_SMAP ? CTX_KERNEL : CTX_KERNEL_OPEN;
}

struct x86_seg {
	u16 sel;
	/* descriptor bits 40..55: type 3..0, S 4, DPL 6..5, P 7, AVL 12, L 13, D/B 14, G 15; 0 =
	 * unusable (null) */
	u16 attr;
	u32 limit; /* in bytes, expanded */
	u64 base;
};
enum {
	SEG_TYPE = 15,
	SEG_S = BIT(4),
	SEG_DPL = 3 << 5,
	SEG_P = BIT(7),
	SEG_L = BIT(13),
	SEG_DB = BIT(14),
	SEG_G = BIT(15)
};

union x86_xmm {
	u8 b[16];
	u16 w[8];
	u32 d[4];
	u64 q[2];
	float f[4];
	double g[2];
} __attribute__((aligned(16)));
/* as FLD/FSTP tbyte; mmN = st register's m */
struct x86_f80 {
	u64 m;
	u16 se;
	u16 pad[3];
} __attribute__((aligned(16)));

struct x86_msrs { /* those with storage only; add as needed */
	u64 star, lstar, cstar, sfmask, kernel_gs_base, sysenter_cs, sysenter_esp, sysenter_eip,
		pat, tsc_aux, misc_enable, apic_base;
	u64 mtrr_def, mtrr_fix[11], mtrr_base[8], mtrr_mask[8], spec_ctrl, arch_cap, tsc_adjust,
		mcg_status, mcg_ctl, mc[4 * 32], xss, smbase;
	u64 bios_sign_id, feature_control, kvm_wall_clock, kvm_system_time, hwcr, de_cfg, debugctl;
};

struct x86_cpu {
	struct cpu cpu;
	u64 gpr[16];
	union x86_xmm xmm[16];
	/* scratch slots for emitters: a memory operand, partial results */
	union x86_xmm vtmp[4];
	/* scratch integer slots, live within one instruction (values across LABELs) */
	u64 tmp[4];
	u64 eflags; /* system flags and DF only; bit 1 set */
	struct x86_seg seg[S_COUNT];
	u32 mxcsr;
	/* x87 */
	u16 fpu_cw, fpu_sw; /* sw with TOP in place */
	/* abridged: bit i = physical register i is not empty */
	u16 fpu_tag;
	u16 fpu_op;
	u64 fpu_ip, fpu_dp;
	u16 fpu_cs, fpu_ds;
	struct x86_f80 fpr[8]; /* by physical number: st(i) = fpr[(top + i) & 7] */
	u64 xcr0;
	/* new SIMD exception flags where the host has no MXCSR */
	u32 sse_flags;
	u32 host_mxcsr; /* the host's own, while fpu_live */
	/* between x86_fpu_enter and _leave: guest MXCSR and x87 control word are in host registers
	 */
	bool fpu_live;
	/* FERR# (CR0.NE = 0): the board wires it to IRQ 13; NULL = not connected */
	void (*ferr)(void *dev, int level);
	void *ferr_dev;

	u64 cr0, cr2, cr3, cr4; /* cr8 is the interrupt controller's TPR */
	u64 dr[8];
	u64 efer;
	struct {
		u64 base;
		u32 limit;
	} gdt, idt;
	struct x86_msrs msr;
	u64 pdpte[4]; /* PAE: loaded with CR3 */

	/* exception machinery (exc.c) */
	int exc_vector; /* pending exception, -1 = none */
	u32 exc_error;
	/* soft: INT n, INT3, INTO (DPL checks, return address after it: exc_next) */
	bool exc_has_error, exc_soft;
	u64 exc_next; /* pc pushed for software interrupts and traps */
	/* vector whose delivery is under way, -1 = none: for double and triple faults */
	int exc_delivering;
	u64 exc_cr2;
	/* EXT bit of error codes made while an event is delivered */
	u32 exc_ext;
	/* the pending exception is a trap: pc is past its instruction already, RF is not set */
	bool exc_trap;
	u8 soft_kind;  /* exc_soft: 0 INT n, 1 INT3, 2 INTO, 3 INT1 */
	bool watching; /* data breakpoints are armed in DR7... */
	/* ...and met by the instruction under way: DR6 bits */
	u8 watch_hits;
	/* what has been reported as missing (x86_unimplemented) */
	u32 told;
	/* bit 0: interrupts inhibited until after the next instruction (STI, MOV SS)... */
	u32 inhibit;
	u64 inhibit_pc; /* ...which is the one here (system.def) */
	bool nmi_masked, nmi_pending, init_pending, smi_pending;
	int sipi_vector; /* -1 = none */
	u64 tsc_offset;	 /* guest TSC = scaled clock + offset */
	u64 tsc_hz;
	/* MONITOR: physical address and the eight bytes seen there */
	u64 mon_addr, mon_value;
	/* mon_masked: MWAIT wakes by masked interrupts too */
	bool monitoring, mon_masked;
	/* CPUID as configured by -cpu (cpuid.c) */
	struct x86_cpuid *id;
	/* words of enum x86_feat (cpuid.h): what CPUID advertises; emitters test x86_has */
	u64 feat[16];
	u32 apic_id;
	u64 phys_mask; /* MAXPHYADDR mask */
	/* mmu.c: page tables that walks found, by the 2 MiB that they map; entries of another
	 * generation are void */
	u32 table_gen;
	struct x86_table {
		u64 area, cr3, at;
		u32 gen;
		bool rw, us, nx;
	} tables[64];
};
#define X86(c) ((struct x86_cpu *)(c))

/* Slots, in this order: names for emitters. */
enum x86_slot {
	SL_GPR = 0, /* 16 x I64 */
	SL_HFLAGS = 16,
	SL_EFLAGS,
	SL_PC,
	SL_SEGBASE,		 /* 6 x I64: es cs ss ds fs gs */
	SL_TMP = SL_SEGBASE + 6, /* 4 x I64 */
	SL_XMM = SL_TMP + 4,	 /* 16 x V128 */
	SL_VTMP = SL_XMM + 16,	 /* 4 x V128 */
	/* 16 x 2 x I64: xmm halves (q0, q1 of xmm0, then xmm1, ...) */
	SL_XMM_Q = SL_VTMP + 4,
	SL_VTMP_Q = SL_XMM_Q + 32, /* 4 x 2 x I64 */
	SL_XMM_D = SL_VTMP_Q + 8,  /* 16 x I32: low dword of each */
	SL_MM = SL_XMM_D + 16,	   /* 8 x I64: mm registers (fpr[i].m) */
	SL_FPU_SW = SL_MM + 8,
	SL_FPU_TAG,
	SL_FPU_CW, /* I16 */
	SL_MXCSR,  /* I32 */
	SL_COUNT
};
extern const struct ir_slot x86_slots[];
extern const struct cpu_reg x86_regs[];

/* Vectors. */
enum {
	EXC_DE,
	EXC_DB,
	EXC_NMI,
	EXC_BP,
	EXC_OF,
	EXC_BR,
	EXC_UD,
	EXC_NM,
	EXC_DF,
	EXC_TS = 10,
	EXC_NP,
	EXC_SS,
	EXC_GP,
	EXC_PF,
	EXC_MF = 16,
	EXC_AC,
	EXC_MC,
	EXC_XM
};

/* --- exc.c: raising from helpers (cpu.pc synchronised, nothing committed). These do not return. */
_Noreturn void x86_raise(struct x86_cpu *c, int vector);
_Noreturn void x86_raise_err(struct x86_cpu *c, int vector, u32 error);
/* INT n / INT3 / INTO: pushes `next`; #DB traps after an instruction likewise. */
_Noreturn void x86_soft_int(struct x86_cpu *c, int vector, u64 next);
void x86_deliver(struct cpu *c);
bool x86_interrupt(struct cpu *c);
bool x86_has_work(struct cpu *c);
/* --- seg.c, cpu.c */
void x86_update_mode(struct x86_cpu *c); /* cpu.mode, cpu.pc_base from everything */
/* MOV/POP/LxS to a data segment or SS, with all checks; raises */
void x86_load_seg(struct x86_cpu *c, unsigned sreg, u16 sel);
u64 x86_eflags(const struct x86_cpu *c); /* the full register image */
/* Replace the bits in mask (arithmetic ones go to hflags); updates mode and kicks interrupt
 * evaluation when IF rose. */
void x86_set_eflags(struct x86_cpu *c, u64 val, u64 mask);
static inline unsigned x86_cpl(const struct x86_cpu *c) { return MODE_CPL(c->cpu.mode); }
/* Linear address of seg:off for a helper's access of n bytes, with limit and type checks (raises
 * #GP/#SS); canonical check in 64-bit mode. */
u64 x86_linear(struct x86_cpu *c, unsigned sreg, u64 off, unsigned n, bool write);
/* Mode-dependent stack access for helpers (far calls, exceptions use their own). */
/* --- mmu.c */
int x86_walk(struct cpu *c, u64 va, enum access access, unsigned ctx, bool peek, struct mapping *m);
int x86_walk_root(struct cpu *cpu, u64 root, u64 va, struct mapping *m, u64 *entry);
/* Where a branch at pc goes when its target is not canonical: nowhere that code can be, and back.
 */
static inline u64 x86_branch_alias(u64 pc) { return pc ^ 1ull << 62; }
void x86_mem_fault(struct cpu *c, u64 va, enum access access, unsigned ctx, int code);
/* --- msr.c, cpuid.c */
u64 x86_rdtsc(struct x86_cpu *c);
/* -cpu MODEL[,+f,-f,f=on] */
int x86_cpuid_init(struct x86_cpu *c, const char *model, struct error *e);
void x86_cpuid(struct x86_cpu *c, u32 leaf, u32 sub, u32 out[4]); /* eax ebx ecx edx */
bool x86_has(const struct x86_cpu *c, unsigned feature);	  /* enum x86_feat */
/* --- lift.c */
int x86_lift(struct lift *l);
bool x86_flags_dead(const struct lift *l, const u8 *code, unsigned avail);
/* --- disasm.c */
unsigned x86_disasm(struct cpu *cpu, u64 pc, const u8 *code, unsigned avail, char *text,
		    size_t size);
/* --- fpu.c */
/* FNINIT state; x86_sse_reset below for MXCSR and XMM */
void x86_fpu_reset(struct x86_cpu *c);
/* isa->enter/leave: guest MXCSR into the host's and back (sticky flags merged) */
void x86_fpu_enter(struct cpu *c);
void x86_fpu_leave(struct cpu *c);
/* after a change of c->mxcsr: host register and M_FPEXC */
void x86_mxcsr_written(struct x86_cpu *c);
/* merge the host's sticky flags into c->mxcsr before it is read */
void x86_mxcsr_sync(struct x86_cpu *c);
/* --- boot_entry.c: isa->boot_entry, boot_mode */
struct boot_entry;
void x86_boot_entry(struct cpu *cpu, const struct boot_entry *e);
bool x86_boot_mode(struct cpu *cpu, int mode);
