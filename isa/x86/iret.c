/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iret.c - IRET in all its forms, and the fast system calls. SDM volume 2 IRET, SYSCALL, SYSRET,
 * SYSENTER, SYSEXIT; volume 3 20.2 for V86 mode. */
#include "system.h"
#include "helpers.h"

/* EFLAGS that IRET and POPF may change at this privilege, outside V86 mode. */
u32 x86_flags_mask(const struct x86_cpu *c, unsigned size)
{
	unsigned cpl = x86_cpl(c), iopl = c->eflags >> 12 & 3;
	u32 mask = EFL_ARITH | EFL_TF | EFL_DF | EFL_NT;

	if (size > 2)
		mask |= EFL_AC | EFL_ID;
	if (cpl <= iopl)
		mask |= EFL_IF;
	if (cpl == 0)
		mask |= EFL_IOPL;
	return mask;
}

/* RF matters only while instruction breakpoints are armed; there it is cleared by the next
 * instruction's check. */
static u32 rf_mask(const struct x86_cpu *c, unsigned size)
{
	return size > 2 && c->cpu.mode & M_DEBUG ? EFL_RF : 0;
}

static void nmi_done(struct x86_cpu *c)
{
	if (!c->nmi_masked)
		return;
	c->nmi_masked = false;
	x86_kick_irq(c);
}

static void iret_real(struct x86_cpu *c, unsigned size)
{
	struct x86_stack s = x86_stack_now(c);
	u32 ip = x86_stack_pop(&s, size), cs = x86_stack_pop(&s, size),
	    flags = x86_stack_pop(&s, size);
	u32 mask = EFL_ARITH | EFL_TF | EFL_IF | EFL_DF | EFL_NT | rf_mask(c, size);

	if (ip > c->seg[S_CS].limit)
		x86_raise_err(c, EXC_GP, 0);
	if (!(c->eflags & EFL_VM))
		mask |= EFL_IOPL;
	if (size > 2)
		mask |= EFL_AC | EFL_ID;
	x86_stack_commit(&s);
	x86_seg_set_real(c, S_CS, cs);
	c->cpu.pc = ip;
	x86_set_eflags(c, flags, mask);
	x86_update_mode(c);
}

static void iret_v86(struct x86_cpu *c, unsigned size)
{
	struct x86_stack s = x86_stack_now(c);
	u32 ip, cs, flags;

	if ((c->eflags & EFL_IOPL) == EFL_IOPL) {
		iret_real(c, size);
		return;
	}
	if (!(c->cr4 & CR4_VME) || size != 2)
		x86_raise_err(c, EXC_GP, 0);
	ip = x86_stack_pop(&s, 2);
	cs = x86_stack_pop(&s, 2);
	flags = x86_stack_pop(&s, 2);
	if (flags & EFL_TF || (flags & EFL_IF && c->eflags & EFL_VIP))
		x86_raise_err(c, EXC_GP, 0);
	x86_stack_commit(&s);
	x86_seg_set_real(c, S_CS, cs);
	c->cpu.pc = ip;
	x86_set_eflags(c, flags | (flags & EFL_IF ? EFL_VIF : 0),
		       EFL_ARITH | EFL_DF | EFL_NT | EFL_VIF);
	x86_update_mode(c);
}

static void iret_task(struct x86_cpu *c, u64 next)
{
	u16 link;

	if (x86_long(c))
		x86_raise_err(c, EXC_GP, 0);
	link = cpu_ld(&c->cpu, x86_sys_ctx(c), (u32)c->seg[S_TR].base, 2);
	if (!(link & 0xfffc) || link & 4)
		x86_fault_sel(c, EXC_TS, link);
	x86_task_switch(c, link, TASK_IRET, next, false, 0);
}

/* Return to V86 mode: the rest of the frame is ESP SS ES DS FS GS. */
static void iret_to_v86(struct x86_cpu *c, struct x86_stack *s, u32 ip, u16 cs, u32 flags)
{
	static const u8 order[] = { S_SS, S_ES, S_DS, S_FS, S_GS };
	u32 esp = x86_stack_pop(s, 4);
	u16 sel[ARRAY_SIZE(order)];

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		sel[i] = x86_stack_pop(s, 4);
	if (ip > 0xffff)
		x86_raise_err(c, EXC_GP, 0);
	x86_set_eflags(c, flags, ~0u);
	x86_seg_set_real(c, S_CS, cs);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		x86_seg_set_real(c, order[i], sel[i]);
	c->gpr[R_SP] = esp;
	c->cpu.pc = ip;
	x86_update_mode(c);
}

static void iret_protected(struct x86_cpu *c, unsigned size)
{
	struct x86_stack s = x86_stack_now(c);
	bool code64 = x86_code64(c), outer;
	u64 ip, flags, sp = 0;
	u16 sel, ss_sel = 0;
	u32 mask = x86_flags_mask(c, size) | rf_mask(c, size);
	struct x86_desc d, sd;
	struct x86_seg cs, ss;

	if (code64 && size == 8) {
		u64 f[5];

		/* the usual one: the whole frame at once */
		if (!x86_canonical(s.sp) || !x86_canonical(s.sp + sizeof(f) - 1))
			x86_raise_err(c, EXC_SS, 0);
		cpu_ld_bytes(&c->cpu, s.ctx, s.sp, f, sizeof(f));
		ip = f[0];
		sel = f[1];
		flags = f[2];
		sp = f[3];
		ss_sel = f[4];
		s.sp += sizeof(f);
	} else {
		ip = x86_stack_pop(&s, size);
		sel = x86_stack_pop(&s, size);
		flags = x86_stack_pop(&s, size);
	}
	if (size == 4 && flags & EFL_VM && x86_cpl(c) == 0 && !x86_long(c)) {
		iret_to_v86(c, &s, ip, sel, flags);
		return;
	}
	cs = x86_return_cs(c, sel, &d);
	outer = code64 || (sel & 3u) != x86_cpl(c);
	if (outer) {
		if (!(code64 && size == 8)) {
			sp = x86_stack_pop(&s, size);
			ss_sel = x86_stack_pop(&s, size);
		}
		ss = x86_return_ss(c, ss_sel, &cs, &sd);
	}
	x86_check_target(c, &cs, ip);
	x86_desc_set_accessed(c, &d);
	if (x86_cpl(c) == 0 && size > 2)
		mask |= EFL_VIF | EFL_VIP;
	if (outer) {
		bool down = (sel & 3u) != x86_cpl(c);

		x86_desc_set_accessed(c, &sd);
		c->gpr[R_SP] = x86_outer_sp(c, &cs, &ss, sp);
		c->seg[S_SS] = ss;
		if (down)
			x86_drop_inner_segs(c, sel & 3);
	} else {
		x86_stack_commit(&s);
	}
	c->seg[S_CS] = cs;
	c->cpu.pc = ip;
	x86_set_eflags(c, flags, mask);
	x86_update_mode(c);
}

u64 x86_h_iret(struct cpu *cpu, u64 next, u64 b, u64 cc, u64 size)
{
	struct x86_cpu *c = X86(cpu);

	if (!(c->cr0 & CR0_PE))
		iret_real(c, size);
	else if (c->eflags & EFL_VM)
		iret_v86(c, size);
	else if (c->eflags & EFL_NT)
		iret_task(c, next);
	else
		iret_protected(c, size);
	nmi_done(c);
	return 0;
}

/* --- fast system calls: flat segments without looking at any table */

static void flat_cs(struct x86_cpu *c, u16 sel, unsigned dpl, bool wide)
{
	c->seg[S_CS] = (struct x86_seg){ .sel = sel,
					 .limit = 0xffffffff,
					 .attr = 0xb | SEG_S | SEG_P | SEG_G | dpl << 5 |
						 (wide ? SEG_L : SEG_DB) };
}

static void flat_ss(struct x86_cpu *c, u16 sel, unsigned dpl)
{
	c->seg[S_SS] = (struct x86_seg){ .sel = sel,
					 .limit = 0xffffffff,
					 .attr = 3 | SEG_S | SEG_P | SEG_G | SEG_DB | dpl << 5 };
}

u64 x86_h_syscall(struct cpu *cpu, u64 next, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	u16 sel = (c->msr.star >> 32) & 0xfffc;
	bool code64 = x86_code64(c);

	/* Intel has it in 64-bit code only, AMD everywhere */
	if (!(c->efer & EFER_SCE) || (!code64 && !c->id->amd))
		x86_raise(c, EXC_UD);
	if (x86_long(c)) {
		u32 flags = x86_eflags(c) & ~(u32)EFL_RF;

		c->gpr[R_CX] = code64 ? next : (u32)next;
		c->gpr[11] = flags;
		flat_cs(c, sel, 0, true);
		flat_ss(c, sel + 8, 0);
		cpu->pc = code64 ? c->msr.lstar : c->msr.cstar;
		/* arithmetic flags too may be in the mask */
		flags &= ~(u32)c->msr.sfmask;
		cpu->hflags = x86_hf_from_arith(flags);
		c->eflags = (flags & ~(u32)EFL_ARITH) | EFL_1;
	} else {
		c->gpr[R_CX] = (u32)next;
		flat_cs(c, sel, 0, false);
		flat_ss(c, sel + 8, 0);
		cpu->pc = (u32)c->msr.star;
		c->eflags &= ~(u64)(EFL_VM | EFL_IF | EFL_RF);
	}
	x86_update_mode(c);
	return 0;
}

u64 x86_h_sysret(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 size)
{
	struct x86_cpu *c = X86(cpu);
	u16 sel = (c->msr.star >> 48) | 3;
	bool wide = size == 8;

	if (!(c->efer & EFER_SCE) || (!x86_code64(c) && !c->id->amd))
		x86_raise(c, EXC_UD);
	if (wide && !x86_canonical(c->gpr[R_CX]))
		x86_raise_err(c, EXC_GP, 0);
	flat_cs(c, wide ? (sel + 16) | 3 : sel, 3, wide);
	flat_ss(c, (sel + 8) | 3, 3);
	cpu->pc = wide ? c->gpr[R_CX] : (u32)c->gpr[R_CX];
	if (x86_long(c)) {
		u32 flags = c->gpr[11];

		cpu->hflags = x86_hf_from_arith(flags);
		c->eflags = (flags & (0x3c7fd7 & ~EFL_ARITH & ~EFL_RF)) | EFL_1;
	} else {
		c->eflags |= EFL_IF;
	}
	x86_update_mode(c);
	if (c->eflags & EFL_IF)
		x86_kick_irq(c);
	return 0;
}

u64 x86_h_sysenter(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	u16 sel = c->msr.sysenter_cs & 0xfffc;
	bool wide = x86_long(c);

	/* AMD: in legacy mode only */
	if (wide && c->id->amd)
		x86_raise(c, EXC_UD);
	if (!sel)
		x86_raise_err(c, EXC_GP, 0);
	c->eflags &= ~(u64)(EFL_VM | EFL_IF | EFL_RF);
	flat_cs(c, sel, 0, wide);
	flat_ss(c, sel + 8, 0);
	c->gpr[R_SP] = wide ? c->msr.sysenter_esp : (u32)c->msr.sysenter_esp;
	cpu->pc = wide ? c->msr.sysenter_eip : (u32)c->msr.sysenter_eip;
	x86_update_mode(c);
	return 0;
}

u64 x86_h_sysexit(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 size)
{
	struct x86_cpu *c = X86(cpu);
	u16 sel = c->msr.sysenter_cs & 0xfffc;
	bool wide = size == 8;

	if (x86_long(c) && c->id->amd)
		x86_raise(c, EXC_UD);
	if (!sel || (wide && !(x86_canonical(c->gpr[R_CX]) && x86_canonical(c->gpr[R_DX]))))
		x86_raise_err(c, EXC_GP, 0);
	flat_cs(c, (sel + (wide ? 32 : 16)) | 3, 3, wide);
	flat_ss(c, (sel + (wide ? 40 : 24)) | 3, 3);
	c->gpr[R_SP] = wide ? c->gpr[R_CX] : (u32)c->gpr[R_CX];
	cpu->pc = wide ? c->gpr[R_DX] : (u32)c->gpr[R_DX];
	x86_update_mode(c);
	return 0;
}
