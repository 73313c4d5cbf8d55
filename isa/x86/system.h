/* SPDX-License-Identifier: GPL-2.0-or-later */
/* system.h - what seg.c, task.c, exc.c, far.c, sysops.c, msr.c and mmu.c share: descriptors,
 * stacks, fault codes. SDM volume 3 chapters 3 to 8. */
#pragma once
#include "x86.h"
#include "cpuid.h"

/* Fault codes of x86_walk: the low bits are the #PF error code. */
enum { WALK_PF = BIT(16), WALK_NONCANONICAL = BIT(17) };
enum { PF_P = BIT(0), PF_W = BIT(1), PF_U = BIT(2), PF_RSVD = BIT(3), PF_I = BIT(4) };

/* The DPL bits of SS are the CPL (in 64-bit mode a null SS keeps them). */
enum {
	SEG_A = 1,
	SEG_W = 2 /* data */,
	SEG_R = 2 /* code */,
	SEG_E = 4 /* data: expands down */,
	SEG_C = 4 /* code: conforming */,
	SEG_X = 8
};
static inline unsigned seg_dpl(u16 attr) { return attr >> 5 & 3; }
static inline bool seg_is_code(u16 attr) { return (attr & (SEG_S | SEG_X)) == (SEG_S | SEG_X); }
static inline bool seg_is_data(u16 attr) { return (attr & (SEG_S | SEG_X)) == SEG_S; }
static inline bool seg_usable(const struct x86_seg *s) { return s->attr & SEG_P; }
enum {
	SYS_TSS16 = 1,
	SYS_LDT = 2,
	SYS_TSS16_BUSY = 3,
	SYS_CALL16 = 4,
	SYS_TASK = 5,
	SYS_INT16 = 6,
	SYS_TRAP16 = 7,
	SYS_TSS32 = 9,
	SYS_TSS32_BUSY = 11,
	SYS_CALL32 = 12,
	SYS_INT32 = 14,
	SYS_TRAP32 = 15
};

static inline bool x86_protected(const struct x86_cpu *c)
{
	return (c->cpu.mode & (M_PE | M_VM)) == M_PE;
}
static inline bool x86_long(const struct x86_cpu *c) { return c->cpu.mode & M_LMA; }
static inline bool x86_code64(const struct x86_cpu *c)
{
	return (c->cpu.mode & M_CODE) == M_CODE64;
}
static inline bool x86_canonical(u64 va) { return (u64)((s64)(va << 16) >> 16) == va; }
/* Accesses to descriptor tables, TSS and inner stacks: supervisor whatever the CPL, and never to
 * user pages with SMAP. */
static inline unsigned x86_sys_ctx(const struct x86_cpu *c)
{
	return c->cr4 & CR4_SMAP ? CTX_KERNEL : CTX_KERNEL_OPEN;
}
static inline unsigned x86_cpl_ctx(const struct x86_cpu *c, unsigned cpl)
{
	return cpl == 3 ? CTX_USER : x86_sys_ctx(c);
}
static inline u64 x86_lin(const struct x86_cpu *c, u64 va) { return x86_long(c) ? va : (u32)va; }

/* A descriptor as it lies in its table. */
struct x86_desc {
	u64 at; /* linear address */
	u32 lo, hi;
};
static inline u16 desc_attr(const struct x86_desc *d) { return d->hi >> 8 & 0xf0ff; }
static inline unsigned desc_type(const struct x86_desc *d) { return d->hi >> 8 & 15; }
static inline u64 desc_base(const struct x86_desc *d)
{
	return d->lo >> 16 | (d->hi & 0xff) << 16 | (d->hi & 0xff000000);
}
u32 desc_limit(const struct x86_desc *d);
struct x86_seg desc_seg(u16 sel, const struct x86_desc *d);

/* --- seg.c */
/* false: outside its table. May #PF */
bool x86_desc_read(struct x86_cpu *c, u16 sel, struct x86_desc *d);
/* the second half of a 16-byte descriptor; raises #GP(sel) outside the table */
u32 x86_desc_high(struct x86_cpu *c, u16 sel, u32 *extra);
void x86_desc_set_accessed(struct x86_cpu *c, struct x86_desc *d);
void x86_seg_set_real(struct x86_cpu *c, unsigned sreg, u16 sel); /* real or V86 mode load */
/* SS for privilege `cpl` in a privilege change: checks with #TS (vector `v`), not present #SS.
 * null_ok: 64-bit. Returns the segment to commit. */
struct x86_seg x86_check_ss(struct x86_cpu *c, u16 sel, unsigned cpl, int v);
/* with its RPL replaced; the SS DPL is the caller's */
void x86_set_cs(struct x86_cpu *c, struct x86_seg cs, unsigned cpl);
void x86_set_cpl(struct x86_cpu *c, unsigned cpl); /* in SS.DPL */
u64 x86_seg_linear(struct x86_cpu *c, const struct x86_seg *s, u64 off, unsigned n, bool write,
		   int vector, u32 error);
/* #vector with a selector as error code and the EXT bit of a delivery under way. */
_Noreturn void x86_fault_sel(struct x86_cpu *c, int vector, u16 sel);
/* CS:offset of a transfer: limit or canonical check, #GP(0). */
void x86_check_target(struct x86_cpu *c, const struct x86_seg *cs, u64 off);
void x86_load_ldt(struct x86_cpu *c, u16 sel, int vector);
void x86_load_tr(struct x86_cpu *c, u16 sel);
bool x86_tss_is32(const struct x86_cpu *c);
/* Stack for privilege `cpl` out of the TSS. */
void x86_tss_stack(struct x86_cpu *c, unsigned cpl, u16 *ss, u32 *esp);
/* 64-bit TSS: 0..2 RSPn, 3 + n ISTn (n from 1) */
u64 x86_tss_rsp(struct x86_cpu *c, unsigned slot);

/* A stack being built or read; nothing is committed before x86_stack_commit. */
struct x86_stack {
	struct x86_cpu *c;
	struct x86_seg ss;
	u64 sp, mask;
	unsigned ctx;
	bool flat64;
	u32 error; /* of #SS */
};
struct x86_stack x86_stack_now(struct x86_cpu *c);
struct x86_stack x86_stack_new(struct x86_cpu *c, struct x86_seg ss, u64 sp, unsigned cpl,
			       bool flat64);
void x86_stack_push(struct x86_stack *s, unsigned size, u64 v);
u64 x86_stack_pop(struct x86_stack *s, unsigned size);
void x86_stack_commit(struct x86_stack *s); /* RSP; the segment is the caller's */

/* --- task.c */
enum x86_task_why { TASK_JMP, TASK_CALL, TASK_IRET, TASK_EVENT };
/* Switches to the TSS that sel names (already checked for privilege); next = EIP saved in the old
 * one. has_error: pushed on the new stack. */
void x86_task_switch(struct x86_cpu *c, u16 sel, enum x86_task_why why, u64 next, bool has_error,
		     u32 error);
/* The same through a task gate. */
void x86_task_gate(struct x86_cpu *c, const struct x86_desc *gate, enum x86_task_why why, u64 next,
		   bool has_error, u32 error);

/* --- exc.c */
int x86_combine_faults(int first, int second);
/* iret.c: what IRET and POPF may change */
u32 x86_flags_mask(const struct x86_cpu *c, unsigned size);
void x86_exc_reset(struct x86_cpu *c);
void x86_set_line(struct cpu *cpu, unsigned line, int level);
bool x86_exception_pending(const struct cpu *cpu);
/* state.c: together they name every member of struct x86_cpu once */
extern const struct cpu_state x86_state[], x86_derived[];
int x86_loaded(struct cpu *cpu, struct error *e);
unsigned x86_exception_number(const struct cpu *cpu);
/* trap-class exception, pc moved to next first */
_Noreturn void x86_trap(struct x86_cpu *c, int vector, u64 next);
/* Tells once that the guest uses what Quern lacks. */
enum x86_missing { MISSING_SMM, MISSING_DEBUGCTL };
void x86_unimplemented(struct x86_cpu *c, enum x86_missing what);
void x86_kick_irq(struct x86_cpu *c); /* look at interrupts when one could be taken now */
void x86_far_enter(struct x86_cpu *c, struct x86_seg cs, u64 pc);

/* --- watch.c: data and port breakpoints */
void x86_update_watch(struct x86_cpu *c); /* DR0..DR3 or DR7 changed */
bool x86_watched_page(const struct x86_cpu *c, u64 va);
bool x86_watched(struct cpu *cpu, u64 va, unsigned size, enum access access, bool commit);
void x86_watch_port(struct x86_cpu *c, unsigned port, unsigned size);
/* --- cpu.c, mmu.c, msr.c */
void x86_reset(struct cpu *cpu);
/* INIT: as reset, but caches, FPU and some MSRs stay */
void x86_init_signal(struct x86_cpu *c);
void x86_set_cr0(struct x86_cpu *c, u64 v);
void x86_set_cr3(struct x86_cpu *c, u64 v);
void x86_set_cr4(struct x86_cpu *c, u64 v);
/* task switch and MOV CR3: PDPTEs and TLB; raises #GP for bad PDPTEs */
void x86_load_cr3(struct x86_cpu *c, u64 v);
/* with every invalidation of TLB entries by the guest */
void x86_forget_tables(struct x86_cpu *c);
bool x86_load_pdptes(struct x86_cpu *c, u64 cr3);
bool x86_rdmsr(struct x86_cpu *c, u32 n, u64 *v);
bool x86_wrmsr(struct x86_cpu *c, u32 n, u64 v);
void x86_msr_reset(struct x86_cpu *c, bool init);
void x86_msr_init_once(struct x86_cpu *c);
extern const struct cpu_reg x86_regs[];
/* eax and the like, eip, descriptor table bases */
bool x86_reg_alias(struct cpu *cpu, const char *name, u64 *val);
void x86_dump(struct cpu *cpu, void (*line)(void *arg, const char *text), void *arg);
/* Was the faulting access of the instruction at pc one to the stack segment (#SS instead of #GP for
 * non-canonical addresses)? */
bool x86_stack_access(struct x86_cpu *c, u64 va);
/* --- far.c: what RET and IRET share */
struct x86_seg x86_return_cs(struct x86_cpu *c, u16 sel, struct x86_desc *d);
struct x86_seg x86_return_ss(struct x86_cpu *c, u16 sel, const struct x86_seg *cs,
			     struct x86_desc *d);
/* data segments that privilege `cpl` may not keep become null */
void x86_drop_inner_segs(struct x86_cpu *c, unsigned cpl);
u64 x86_outer_sp(const struct x86_cpu *c, const struct x86_seg *cs, const struct x86_seg *ss,
		 u64 sp);
/* --- cpuid.c, regs.c */
u32 x86_signature(const struct x86_cpu *c); /* CPUID.1 EAX */
extern const struct cpu_reg x86_regs32[];
/* corefile.c */
extern const struct corefile_isa x86_corefile;
