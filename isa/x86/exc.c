/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exc.c - exceptions and interrupts: raising, combining into double and triple faults, and entering
 * handlers in real, V86, protected and long mode. SDM volume 3 chapters 6 and 20. */
#include "system.h"
#include "helpers.h"
#include "core/debug.h"
#include "core/machine.h"
#include <quern/device.h>

/* exc_delivering: an interrupt, which makes no double fault */
enum { DELIVER_BENIGN = 0x100 };

/* --- raising */

static void pend(struct x86_cpu *c, int vector, bool has_error, u32 error)
{
	c->exc_vector = vector;
	c->exc_has_error = has_error;
	c->exc_error = error;
	c->exc_soft = c->exc_trap = false;
}

void x86_raise(struct x86_cpu *c, int vector)
{
	pend(c, vector, false, 0);
	cpu_unwind(&c->cpu);
}

void x86_raise_err(struct x86_cpu *c, int vector, u32 error)
{
	pend(c, vector, true, error);
	cpu_unwind(&c->cpu);
}

void x86_trap(struct x86_cpu *c, int vector, u64 next)
{
	pend(c, vector, false, 0);
	c->exc_trap = true;
	c->cpu.pc = next;
	cpu_unwind(&c->cpu);
}

void x86_soft_int(struct x86_cpu *c, int vector, u64 next)
{
	pend(c, vector, false, 0);
	c->exc_soft = true;
	c->exc_next = next;
	cpu_unwind(&c->cpu);
}

bool x86_exception_pending(const struct cpu *cpu) { return X86(cpu)->exc_vector >= 0; }

/* INT3 and INTO are exceptions, INT n is none. */
unsigned x86_exception_number(const struct cpu *cpu)
{
	const struct x86_cpu *c = X86(cpu);

	if (c->exc_soft && c->exc_vector != EXC_BP && c->exc_vector != EXC_OF)
		return ~0u;
	return (unsigned)c->exc_vector;
}

/* --- entering a handler */

/* What is entered. `ret` is the pc to return to. */
struct event {
	unsigned vector;
	bool soft, has_error;
	u32 error;
	u64 ret;
	u32 flags;
};

static _Noreturn void idt_fault(struct x86_cpu *c, int exc, unsigned vector)
{
	x86_raise_err(c, exc, vector * 8 + 2 + c->exc_ext);
}

static void enter_real(struct x86_cpu *c, const struct event *e)
{
	struct x86_stack s = x86_stack_now(c);
	u32 v;

	if (e->vector * 4 + 3 > c->idt.limit)
		idt_fault(c, EXC_GP, e->vector);
	v = cpu_ld(&c->cpu, x86_sys_ctx(c), (u32)(c->idt.base + e->vector * 4), 4);
	x86_stack_push(&s, 2, e->flags);
	x86_stack_push(&s, 2, c->seg[S_CS].sel);
	x86_stack_push(&s, 2, e->ret);
	x86_stack_commit(&s);
	x86_seg_set_real(c, S_CS, v >> 16);
	c->eflags &= ~(u64)(EFL_IF | EFL_TF | EFL_AC | EFL_RF);
	c->cpu.pc = v & 0xffff;
	x86_update_mode(c);
}

/* INT n in V86 mode that the redirection bit map sends to the V86 program's own table (SDM volume
 * 3 20.3.3). */
static void enter_v86_own(struct x86_cpu *c, unsigned vector, u64 next)
{
	struct x86_stack s = x86_stack_now(c);
	u32 flags = x86_eflags(c), v = cpu_ld(&c->cpu, CTX_USER, vector * 4, 4);
	bool virtual = (flags & EFL_IOPL) != EFL_IOPL;

	if (virtual)
		flags = (flags & ~(u32)EFL_IF) | (flags & EFL_VIF ? EFL_IF : 0) | EFL_IOPL;
	x86_stack_push(&s, 2, flags);
	x86_stack_push(&s, 2, c->seg[S_CS].sel);
	x86_stack_push(&s, 2, next);
	x86_stack_commit(&s);
	x86_seg_set_real(c, S_CS, v >> 16);
	c->eflags &= ~(u64)(EFL_TF | EFL_RF | (virtual ? EFL_VIF : EFL_IF));
	c->cpu.pc = v & 0xffff;
	x86_update_mode(c);
}

/* The code segment that a gate names, checked; *inner: to a more privileged level. */
static struct x86_desc gate_code(struct x86_cpu *c, u16 sel, bool *inner)
{
	struct x86_desc d;
	u16 attr;

	if (!(sel & 0xfffc))
		x86_raise_err(c, EXC_GP, c->exc_ext);
	if (!x86_desc_read(c, sel, &d))
		x86_fault_sel(c, EXC_GP, sel);
	attr = desc_attr(&d);
	if (!seg_is_code(attr) || seg_dpl(attr) > x86_cpl(c) ||
	    (x86_long(c) && (attr & (SEG_L | SEG_DB)) != SEG_L))
		x86_fault_sel(c, EXC_GP, sel);
	if (!(attr & SEG_P))
		x86_fault_sel(c, EXC_NP, sel);
	*inner = !(attr & SEG_C) && seg_dpl(attr) < x86_cpl(c);
	return d;
}

static void push_segs_v86(struct x86_cpu *c, struct x86_stack *s, unsigned size)
{
	static const u8 order[] = { S_GS, S_FS, S_DS, S_ES };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		x86_stack_push(s, size, c->seg[order[i]].sel);
}

/* Through an interrupt or trap gate of 16 or 32 bits. */
static void enter_gate(struct x86_cpu *c, const struct event *e, u32 lo, u32 hi)
{
	unsigned type = hi >> 8 & 15, size = type & 8 ? 4 : 2, cpl = x86_cpl(c);
	bool vm = c->eflags & EFL_VM, inner;
	u16 sel = lo >> 16, ss_sel;
	struct x86_desc d = gate_code(c, sel, &inner);
	u32 off = size == 4 ? (hi & 0xffff0000) | (lo & 0xffff) : lo & 0xffff, esp;
	struct x86_stack s = x86_stack_now(c);
	struct x86_seg cs;

	if (inner) {
		cpl = seg_dpl(desc_attr(&d));
		if (vm && cpl)
			x86_fault_sel(c, EXC_GP, sel);
		x86_tss_stack(c, cpl, &ss_sel, &esp);
		s = x86_stack_new(c, x86_check_ss(c, ss_sel, cpl, EXC_TS), esp, cpl, false);
		s.error = ss_sel & 0xfffc;
	} else if (vm) {
		x86_fault_sel(c, EXC_GP, sel);
	}
	cs = desc_seg((sel & 0xfffc) | cpl, &d);
	x86_check_target(c, &cs, off);
	if (vm)
		push_segs_v86(c, &s, size);
	if (inner) {
		x86_stack_push(&s, size, c->seg[S_SS].sel);
		x86_stack_push(&s, size, c->gpr[R_SP]);
	}
	x86_stack_push(&s, size, e->flags);
	x86_stack_push(&s, size, c->seg[S_CS].sel);
	x86_stack_push(&s, size, e->ret);
	if (e->has_error)
		x86_stack_push(&s, size, e->error);
	x86_desc_set_accessed(c, &d);
	if (vm)
		c->seg[S_GS] = c->seg[S_FS] = c->seg[S_DS] = c->seg[S_ES] = (struct x86_seg){ 0 };
	if (inner)
		c->seg[S_SS] = s.ss;
	c->eflags &= ~(u64)(EFL_TF | EFL_NT | EFL_RF | EFL_VM | (type & 1 ? 0 : EFL_IF));
	x86_stack_commit(&s);
	x86_far_enter(c, cs, off);
}

static void enter_protected(struct x86_cpu *c, const struct event *e)
{
	unsigned v = e->vector, type;
	struct x86_desc gate;
	u64 raw;

	if (v * 8 + 7 > c->idt.limit)
		idt_fault(c, EXC_GP, v);
	raw = cpu_ld(&c->cpu, x86_sys_ctx(c), (u32)(c->idt.base + v * 8), 8);
	gate.lo = (u32)raw;
	gate.hi = raw >> 32;
	type = gate.hi >> 8 & 31;
	if (type != SYS_TASK && (type & ~9u) != 6)
		idt_fault(c, EXC_GP, v);
	if (e->soft && (gate.hi >> 13 & 3) < x86_cpl(c))
		idt_fault(c, EXC_GP, v);
	if (!(gate.hi & BIT(15)))
		idt_fault(c, EXC_NP, v);
	if (type == SYS_TASK)
		x86_task_gate(c, &gate, TASK_EVENT, e->ret, e->has_error, e->error);
	else
		enter_gate(c, e, gate.lo, gate.hi);
}

/* SDM volume 3 6.14: 16-byte gates, SS:RSP always pushed, stack from the TSS or the interrupt stack
 * table, aligned to 16. */
static void enter_long(struct x86_cpu *c, const struct event *e)
{
	const unsigned v = e->vector;
	struct x86_seg cs;
	struct x86_desc d;
	unsigned cpl, ist, n;
	u64 lo, hi, off, rsp, frame[6], *f = frame;
	bool inner;
	u16 sel;

	if (v * 16 + 15 > c->idt.limit)
		idt_fault(c, EXC_GP, v);
	lo = cpu_ld(&c->cpu, x86_sys_ctx(c), c->idt.base + v * 16, 8);
	hi = cpu_ld(&c->cpu, x86_sys_ctx(c), c->idt.base + v * 16 + 8, 8);
	if ((lo >> 40 & 0x1e) != 0xe)
		idt_fault(c, EXC_GP, v);
	if (e->soft && (lo >> 45 & 3) < x86_cpl(c))
		idt_fault(c, EXC_GP, v);
	if (!(lo & BIT64(47)))
		idt_fault(c, EXC_NP, v);
	sel = lo >> 16;
	off = (lo & 0xffff) | (lo >> 32 & 0xffff0000) | hi << 32;
	ist = lo >> 32 & 7;
	d = gate_code(c, sel, &inner);
	cpl = inner ? seg_dpl(desc_attr(&d)) : x86_cpl(c);
	cs = desc_seg((sel & 0xfffc) | cpl, &d);
	x86_check_target(c, &cs, off);
	rsp = (ist ? x86_tss_rsp(c, 3 + ist) : inner ? x86_tss_rsp(c, cpl) : c->gpr[R_SP]) & ~15ull;
	if (e->has_error)
		*f++ = e->error;
	*f++ = e->ret;
	*f++ = c->seg[S_CS].sel;
	*f++ = e->flags;
	*f++ = c->gpr[R_SP];
	*f++ = c->seg[S_SS].sel;
	n = (f - frame) * 8;
	if (!x86_canonical(rsp - 1) || !x86_canonical(rsp - n))
		x86_raise_err(c, EXC_SS, c->exc_ext);
	cpu_st_bytes(&c->cpu, x86_cpl_ctx(c, cpl), rsp - n, frame, n);
	x86_desc_set_accessed(c, &d);
	if (inner)
		c->seg[S_SS] = (struct x86_seg){ .sel = cpl, .attr = cpl << 5 };
	c->gpr[R_SP] = rsp - n;
	c->eflags &= ~(u64)(EFL_TF | EFL_NT | EFL_RF | EFL_VM | (lo & BIT64(40) ? 0 : EFL_IF));
	x86_far_enter(c, cs, off);
}

static void enter(struct x86_cpu *c, const struct event *e)
{
	trace(NULL, "x86-int",
	      "cpu %u v=%02x e=%04x i=%d cpl=%u IP=%04x:%016llx pc=%016llx SP=%04x:%016llx "
	      "%s=%016llx",
	      c->cpu.index, e->vector, e->error, e->soft, x86_cpl(c), c->seg[S_CS].sel,
	      (unsigned long long)c->cpu.pc, (unsigned long long)(c->cpu.pc + c->cpu.pc_base),
	      c->seg[S_SS].sel, (unsigned long long)c->gpr[R_SP],
	      e->vector == EXC_PF ? "CR2" : "EAX",
	      (unsigned long long)(e->vector == EXC_PF ? c->cr2 : c->gpr[R_AX]));
	c->inhibit = 0;
	c->monitoring = false;
	if (x86_long(c))
		enter_long(c, e);
	else if (c->cr0 & CR0_PE)
		enter_protected(c, e);
	else
		enter_real(c, e);
	c->exc_delivering = -1;
	c->exc_ext = 0;
}

/* --- exceptions */

static bool contributory(int v) { return v == EXC_DE || (v >= EXC_TS && v <= EXC_GP); }

static cold_path void triple_fault(struct x86_cpu *c)
{
	guest_error(NULL,
		    "cpu %u: triple fault at %04x:%#llx (cr0 %#llx cr2 %#llx cr3 %#llx rsp %#llx)",
		    c->cpu.index, c->seg[S_CS].sel, (unsigned long long)c->cpu.pc,
		    (unsigned long long)c->cr0, (unsigned long long)c->cr2,
		    (unsigned long long)c->cr3, (unsigned long long)c->gpr[R_SP]);
	c->exc_delivering = -1;
	c->exc_ext = 0;
	c->cpu.stopped = true;
	if (debug_met_triple_fault(&c->cpu))
		return;
	machine_request_reset(c->cpu.machine, CAUSE_TRIPLE_FAULT);
}

/* A fault found while the event `first` was being delivered: SDM volume 3 table 6-5. Returns the
 * vector to deliver, -1 = shutdown. */
int x86_combine_faults(int first, int second)
{
	if (first < 0 || first & DELIVER_BENIGN)
		return second;
	if (first == EXC_DF)
		return contributory(second) || second == EXC_PF ? -1 : second;
	if ((contributory(first) && contributory(second)) ||
	    (first == EXC_PF && (contributory(second) || second == EXC_PF)))
		return EXC_DF;
	return second;
}

void x86_deliver(struct cpu *cpu)
{
	struct x86_cpu *c = X86(cpu);
	int v = c->exc_vector;
	struct event e = { .soft = c->exc_soft,
			   .has_error = c->exc_has_error,
			   .error = c->exc_error,
			   .ret = c->exc_soft ? c->exc_next : cpu->pc };

	c->exc_vector = -1;
	c->watch_hits = 0; /* a fault undoes what its instruction met */
	if (v == EXC_PF)
		c->cr2 = c->exc_cr2;
	if (!e.soft) {
		int combined = x86_combine_faults(c->exc_delivering, v);

		if (combined < 0) {
			triple_fault(c);
			return;
		}
		if (combined == EXC_DF && v != EXC_DF) {
			e.has_error = true;
			e.error = 0;
		}
		v = combined;
	}
	e.vector = v;
	e.flags = x86_eflags(c);
	if (!e.soft && !c->exc_trap && v != EXC_DB)
		e.flags |= EFL_RF;
	if (v == EXC_DB && !e.soft)
		c->dr[7] &= ~(u64)BIT(13);
	c->exc_delivering = e.soft ? DELIVER_BENIGN | v : v;
	c->exc_ext = !e.soft;
	enter(c, &e);
}

/* --- interrupts */

void x86_unimplemented(struct x86_cpu *c, enum x86_missing what)
{
	static const char *const text[] = {
		[MISSING_SMM] = "system management mode (an SMI was signalled and is ignored)",
		[MISSING_DEBUGCTL] = "branch stepping and recording (DEBUGCTL)",
	};

	if (c->told & BIT(what))
		return;
	c->told |= BIT(what);
	unimplemented(NULL, "cpu %u: %s", c->cpu.index, text[what]);
}

void x86_kick_irq(struct x86_cpu *c)
{
	if (c->cpu.lines & BIT(CPU_LINE_INTR) || c->watch_hits || c->nmi_pending ||
	    c->init_pending || c->smi_pending)
		__atomic_fetch_or(&c->cpu.exit_request, CPU_EXIT_IRQ, __ATOMIC_RELAXED);
}

static void enter_interrupt(struct x86_cpu *c, unsigned vector)
{
	struct event e = { .vector = vector, .ret = c->cpu.pc, .flags = x86_eflags(c) };

	c->exc_delivering = DELIVER_BENIGN | vector;
	c->exc_ext = 1;
	enter(c, &e);
}

/* A SIPI starts a CPU that waits for it. */
static void start_up(struct x86_cpu *c, unsigned vector)
{
	x86_seg_set_real(c, S_CS, vector << 8);
	c->cpu.pc = 0;
	c->sipi_vector = -1;
	c->cpu.halted = c->cpu.stopped = false;
	x86_update_mode(c);
	cpu_kick(&c->cpu, CPU_EXIT_IRQ);
}

static void take_init(struct x86_cpu *c)
{
	c->init_pending = false;
	x86_init_signal(c);
	if (c->sipi_vector >= 0 && c->cpu.stopped)
		start_up(c, c->sipi_vector);
}

static bool take_intr(struct x86_cpu *c)
{
	int vector = 0xff;

	if (c->cpu.intc && c->cpu.intc->ack)
		vector = c->cpu.intc->ack(c->cpu.intc_dev);
	if (vector < 0)
		return false;
	enter_interrupt(c, vector);
	return true;
}

bool x86_interrupt(struct cpu *cpu)
{
	struct x86_cpu *c = X86(cpu);

	if (c->init_pending) {
		take_init(c);
		return true;
	}
	if (cpu->stopped)
		return false;
	if (c->inhibit) {
		if (cpu->pc == c->inhibit_pc) {
			x86_kick_irq(c);
			return false;
		}
		c->inhibit = 0;
	}
	if (c->watch_hits) {
		pend(c, EXC_DB, false, 0);
		c->exc_trap = true;
		c->dr[6] = (c->dr[6] & ~15ull) | c->watch_hits;
		c->watch_hits = 0;
		return true;
	}
	if (c->smi_pending) {
		c->smi_pending = false;
		x86_unimplemented(c, MISSING_SMM);
	}
	if (c->nmi_pending && !c->nmi_masked) {
		c->nmi_pending = false;
		c->nmi_masked = true;
		enter_interrupt(c, EXC_NMI);
		return true;
	}
	if (cpu->lines & BIT(CPU_LINE_INTR)) {
		if (c->eflags & EFL_IF)
			return take_intr(c);
		/* MWAIT with ECX bit 0: a masked interrupt ends the sleep all the same */
		if (cpu->halted && c->monitoring && c->mon_masked)
			return true;
	}
	return false;
}

bool x86_has_work(struct cpu *cpu)
{
	struct x86_cpu *c = X86(cpu);

	if (c->init_pending || c->smi_pending || c->watch_hits ||
	    (c->nmi_pending && !c->nmi_masked))
		return true;
	if (c->monitoring && cpu_phys_ld(cpu, c->mon_addr, 8) != c->mon_value)
		return true;
	return cpu->lines & BIT(CPU_LINE_INTR) &&
	       (c->eflags & EFL_IF || (c->monitoring && c->mon_masked));
}

void x86_set_line(struct cpu *cpu, unsigned line, int level)
{
	struct x86_cpu *c = X86(cpu);

	if (!level)
		return;
	switch (line) {
	case CPU_LINE_NMI:
		c->nmi_pending = true;
		break;
	case CPU_LINE_SMI:
		c->smi_pending = true;
		break;
	case CPU_LINE_INIT:
		c->init_pending = true;
		c->sipi_vector = -1;
		if (cpu->stopped)
			take_init(c);
		break;
	case CPU_LINE_SIPI:
		if (c->init_pending)
			c->sipi_vector = level & 0xff;
		else if (cpu->stopped)
			start_up(c, level & 0xff);
		break;
	}
}

void x86_exc_reset(struct x86_cpu *c)
{
	c->exc_vector = c->exc_delivering = -1;
	c->exc_ext = 0;
	c->exc_soft = c->exc_trap = false;
	c->inhibit = 0;
	c->watching = false;
	c->watch_hits = 0;
	c->nmi_masked = c->nmi_pending = c->init_pending = c->smi_pending = c->monitoring = false;
	c->sipi_vector = -1;
}

/* --- helpers */

u64 x86_h_raise(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm) { x86_raise(X86(cpu), imm); }

u64 x86_h_raise_err(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	x86_raise_err(X86(cpu), imm, a);
}

/* Does the TSS's redirection map leave vector v to the V86 program? */
static bool redirected(struct x86_cpu *c, unsigned v)
{
	const struct x86_seg *tr = &c->seg[S_TR];
	unsigned base;

	if (!(c->cr4 & CR4_VME) || !x86_tss_is32(c) || tr->limit < 0x67)
		return false;
	base = cpu_ld(&c->cpu, x86_sys_ctx(c), (u32)(tr->base + 0x66), 2);
	if (base < 32 || base - 32 + v / 8 > tr->limit)
		return false;
	return !(cpu_ld(&c->cpu, x86_sys_ctx(c), (u32)(tr->base + base - 32 + v / 8), 1) >>
			 (v & 7) &
		 1);
}

u64 x86_h_soft_int(struct cpu *cpu, u64 next, u64 kind, u64 cc, u64 vector)
{
	struct x86_cpu *c = X86(cpu);

	if (kind == 3)
		x86_trap(c, EXC_DB, next);
	if (kind == 0 && c->eflags & EFL_VM) {
		if (redirected(c, vector)) {
			enter_v86_own(c, vector, next);
			cpu_unwind(cpu);
		}
		if ((c->eflags & EFL_IOPL) != EFL_IOPL)
			x86_raise_err(c, EXC_GP, 0);
	}
	c->soft_kind = kind;
	x86_soft_int(c, vector, next);
}

u64 x86_h_step_trap(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);

	c->dr[6] |= BIT(14) | c->watch_hits;
	c->watch_hits = 0;
	x86_trap(c, EXC_DB, a);
}

u64 x86_h_debug_check(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	u32 hit = 0;

	if (c->eflags & EFL_RF) {
		c->eflags &= ~(u64)EFL_RF;
		return 0;
	}
	for (unsigned i = 0; i < 4; i++)
		if (c->dr[7] >> i * 2 & 3 && !(c->dr[7] >> (16 + i * 4) & 15) && c->dr[i] == a)
			hit |= BIT(i);
	if (hit) {
		c->dr[6] = (c->dr[6] & ~15ull) | hit;
		x86_raise(c, EXC_DB);
	}
	return 0;
}
