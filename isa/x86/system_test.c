/* SPDX-License-Identifier: GPL-2.0-or-later */
/* system_test.c - the privileged side against hand-built tables: descriptors, exception frames,
 * returns, tasks, registers, -cpu. */
#include "system_test.h"

/* --- segments */

TEST(x86_segment_loads)
{
	AUTO_RIG struct rig r = { 0 };

	rig(&r, NULL);
	x86_load_seg(r.c, S_DS, 0x1234);
	CHECK_EQ(r.c->seg[S_DS].base, 0x12340);
	enter32(&r, false);
	FINE(&r, x86_load_seg(r.c, S_DS, U_SS));
	CHECK_EQ(r.c->seg[S_DS].limit, 0xffffffff);
	CHECK(r.c->cpu.mode & M_FLAT);
	FINE(&r, x86_load_seg(r.c, S_ES, 0));
	CHECK(!(r.c->cpu.mode & M_FLAT));
	CHECK_RAISES(&r, x86_load_seg(r.c, S_SS, 0), EXC_GP, 0);
	CHECK_RAISES(&r, x86_load_seg(r.c, S_SS, U_SS), EXC_GP, 0x28);
	CHECK_RAISES(&r, x86_load_seg(r.c, S_DS, 0x100), EXC_GP, 0x100);
	CHECK_RAISES(&r, x86_load_seg(r.c, S_DS, TR), EXC_GP, TR);
	poke(&r, GDT + 0x70, desc(0, 0xfffff, DATA32 & ~0x80), 8);
	CHECK_RAISES(&r, x86_load_seg(r.c, S_DS, 0x70), EXC_NP, 0x70);
	CHECK_RAISES(&r, x86_load_seg(r.c, S_SS, 0x70), EXC_SS, 0x70);
	/* accessed bit */
	poke(&r, GDT + 0x70, desc(0, 0xff, 0x4092), 8);
	FINE(&r, x86_load_seg(r.c, S_FS, 0x70));
	CHECK_EQ(peek(&r, GDT + 0x75, 1), 0x93);
	CHECK_EQ(r.c->seg[S_FS].limit, 0xff);
	FINE(&r, x86_linear(r.c, S_FS, 0xfc, 4, true));
	CHECK_RAISES(&r, x86_linear(r.c, S_FS, 0xfd, 4, true), EXC_GP, 0);
	/* expand-down: above the limit only */
	poke(&r, GDT + 0x70, desc(0, 0xff, 0x4096), 8);
	FINE(&r, x86_load_seg(r.c, S_FS, 0x70));
	CHECK_RAISES(&r, x86_linear(r.c, S_FS, 0xff, 1, true), EXC_GP, 0);
	FINE(&r, x86_linear(r.c, S_FS, 0x100, 4, true));
	/* from user level */
	enter32(&r, true);
	CHECK_RAISES(&r, x86_load_seg(r.c, S_DS, K_SS), EXC_GP, K_SS);
}

TEST(x86_lar_lsl)
{
	AUTO_RIG struct rig r = { 0 };

	rig(&r, NULL);
	enter32(&r, true);
	CHECK_EQ(x86_h_lar(&r.c->cpu, U_CS, 0, 0, 0), BIT64(32) | 0xc0fb00);
	CHECK_EQ(x86_h_lsl(&r.c->cpu, U_CS, 0, 0, 0), BIT64(32) | 0xffffffff);
	CHECK_EQ(x86_h_lsl(&r.c->cpu, K_CS, 0, 0, 0), 0);
	CHECK_EQ(x86_h_verify(&r.c->cpu, U_SS, 0, 0, 1), 1);
	CHECK_EQ(x86_h_verify(&r.c->cpu, U_CS, 0, 0, 1), 0);
	CHECK_EQ(x86_h_verify(&r.c->cpu, U_CS, 0, 0, 0), 1);
	CHECK_EQ(x86_h_verify(&r.c->cpu, K_SS, 0, 0, 0), 0);
}

TEST(x86_ltr_lldt)
{
	AUTO_RIG struct rig r = { 0 };

	rig(&r, NULL);
	enter64(&r, false);
	FINE(&r, x86_load_tr(r.c, TR));
	CHECK_EQ(peek(&r, GDT + TR + 5, 1), 0x8b);
	CHECK_EQ(r.c->seg[S_TR].base, TSS);
	CHECK_RAISES(&r, x86_load_tr(r.c, TR), EXC_GP, TR);
	CHECK_RAISES(&r, x86_load_tr(r.c, 0), EXC_GP, 0);
	CHECK_RAISES(&r, x86_load_ldt(r.c, TR, EXC_GP), EXC_GP, TR);
	poke(&r, GDT + 0x70, desc(0x5000, 0x1f, 0x82), 8);
	poke(&r, GDT + 0x78, 0xffff8000, 8);
	FINE(&r, x86_load_ldt(r.c, 0x70, EXC_GP));
	CHECK_EQ(r.c->seg[S_LDTR].base, 0xffff800000005000);
}

/* --- exceptions */

static void gate64(struct rig *r, unsigned v, u64 off, unsigned attr, unsigned ist)
{
	poke(r, IDT + v * 16,
	     (off & 0xffff) | K_CS << 16 | (u64)ist << 32 | (u64)attr << 40 |
		     (off >> 16 & 0xffff) << 48,
	     8);
	poke(r, IDT + v * 16 + 8, off >> 32, 8);
}

static void gate32(struct rig *r, unsigned v, u32 off, u16 sel, unsigned attr)
{
	poke(r, IDT + v * 8,
	     (off & 0xffff) | (u64)sel << 16 | (u64)attr << 40 | (u64)(off >> 16) << 48, 8);
}

/* Delivers what is pending, as the machine loop does, faults in the delivery included. */
static void deliver(struct rig *r)
{
	for (unsigned i = 0; i < 5 && r->c->exc_vector >= 0; i++)
		(void)RAISES(r, x86_deliver(&r->c->cpu));
}

TEST(x86_exception_64)
{
	AUTO_RIG struct rig r = { 0 };
	struct x86_cpu *c;

	rig(&r, NULL);
	enter64(&r, true);
	c = r.c;
	gate64(&r, EXC_PF, 0xffffffff80001000, 0x8e, 0);
	c->cpu.pc = 0x401000;
	c->gpr[R_SP] = 0x7008;
	c->eflags |= EFL_IF | EFL_TF;
	c->cpu.hflags = HF_Z;
	x86_mem_fault(&c->cpu, 0xdead000, ACCESS_WRITE, CTX_USER, WALK_PF | PF_W | PF_U);
	deliver(&r);
	CHECK_EQ(c->cpu.pc, 0xffffffff80001000);
	CHECK_EQ(c->cr2, 0xdead000);
	CHECK_EQ(x86_cpl(c), 0);
	CHECK_EQ(c->seg[S_SS].sel, 0);
	CHECK_EQ(c->gpr[R_SP], 0x8000 - 48);
	CHECK_EQ(peek(&r, 0x8000 - 48, 8), PF_W | PF_U);
	CHECK_EQ(peek(&r, 0x8000 - 40, 8), 0x401000);
	CHECK_EQ(peek(&r, 0x8000 - 32, 8), U_CS64);
	CHECK_EQ(peek(&r, 0x8000 - 24, 8), EFL_IF | EFL_TF | EFL_ZF | EFL_RF | 2);
	CHECK_EQ(peek(&r, 0x8000 - 16, 8), 0x7008);
	CHECK_EQ(peek(&r, 0x8000 - 8, 8), U_SS);
	CHECK_EQ(c->eflags, 2);
	CHECK_EQ(c->cpu.hflags, HF_Z);
	CHECK_EQ(c->exc_delivering, -1);

	/* and back */
	c->gpr[R_SP] += 8;
	FINE(&r, x86_h_iret(&c->cpu, 0, 0, 0, 8));
	CHECK_EQ(c->cpu.pc, 0x401000);
	CHECK_EQ(x86_cpl(c), 3);
	CHECK_EQ(c->gpr[R_SP], 0x7008);
	CHECK(x86_code64(c));
	CHECK(c->eflags & EFL_IF && c->cpu.mode & M_TF);
}

TEST(x86_exception_ist_same_level)
{
	AUTO_RIG struct rig r = { 0 };
	struct x86_cpu *c;

	rig(&r, NULL);
	enter64(&r, false);
	c = r.c;
	gate64(&r, EXC_NMI, 0x2000, 0x8e, 1);
	gate64(&r, EXC_GP, 0x3000, 0x8f, 0);
	c->cpu.pc = 0x1234;
	c->gpr[R_SP] = 0x6ff9;
	c->eflags |= EFL_IF;
	CHECK_RAISES(&r, x86_raise_err(c, EXC_GP, 0x18), EXC_GP, 0x18);
	c->exc_vector = EXC_GP;
	deliver(&r);
	CHECK_EQ(c->cpu.pc, 0x3000);
	CHECK_EQ(c->gpr[R_SP], 0x6ff0 - 48); /* aligned before the frame */
	CHECK_EQ(peek(&r, 0x6ff0 - 48, 8), 0x18);
	CHECK_EQ(peek(&r, 0x6ff0 - 16, 8), 0x6ff9);
	CHECK_EQ(c->seg[S_SS].sel, K_SS);
	CHECK(c->eflags & EFL_IF); /* a trap gate */

	x86_set_line(&c->cpu, CPU_LINE_NMI, 1);
	CHECK(x86_has_work(&c->cpu));
	CHECK(x86_interrupt(&c->cpu));
	CHECK_EQ(c->cpu.pc, 0x2000);
	CHECK_EQ(c->gpr[R_SP], 0x9000 - 40);
	x86_set_line(&c->cpu, CPU_LINE_NMI, 1);
	CHECK(!x86_interrupt(&c->cpu)); /* masked until IRET */
	FINE(&r, x86_h_iret(&c->cpu, 0, 0, 0, 8));
	CHECK_EQ(c->cpu.pc, 0x3000);
	CHECK(x86_interrupt(&c->cpu));
}

TEST(x86_double_and_triple_fault)
{
	AUTO_RIG struct rig r = { 0 };
	struct x86_cpu *c;

	rig(&r, NULL);
	enter64(&r, false);
	c = r.c;
	c->gpr[R_SP] = 0x7000;
	gate64(&r, EXC_DF, 0x4000, 0x8e, 0);
	/* #PF with a gate that is not present: #NP is contributory, hence #DF with error code 0 */
	x86_mem_fault(&c->cpu, 0x123, ACCESS_READ, CTX_KERNEL, WALK_PF);
	deliver(&r);
	CHECK_EQ(c->cpu.pc, 0x4000);
	CHECK_EQ(peek(&r, c->gpr[R_SP], 8), 0);
	/* #UD without a gate: benign, then #GP for the gate */
	gate64(&r, EXC_GP, 0x5000, 0x8e, 0);
	CHECK(RAISES(&r, x86_raise(c, EXC_UD)));
	deliver(&r);
	CHECK_EQ(c->cpu.pc, 0x5000);
	CHECK_EQ(peek(&r, c->gpr[R_SP], 8), EXC_UD * 8 + 2 + 1);
	/* no table at all */
	c->idt.limit = 0;
	CHECK(RAISES(&r, x86_raise(c, EXC_UD)));
	deliver(&r);
	CHECK(c->cpu.stopped && r.m->reset_requested);
	CHECK_EQ(r.m->cause, CAUSE_TRIPLE_FAULT);
	CHECK_EQ(x86_combine_faults(EXC_PF, EXC_PF), EXC_DF);
	CHECK_EQ(x86_combine_faults(EXC_GP, EXC_PF), EXC_PF);
	CHECK_EQ(x86_combine_faults(EXC_GP, EXC_NP), EXC_DF);
	CHECK_EQ(x86_combine_faults(EXC_DB, EXC_GP), EXC_GP);
	CHECK_EQ(x86_combine_faults(EXC_DF, EXC_PF), -1);
}

TEST(x86_exception_32)
{
	AUTO_RIG struct rig r = { 0 };
	struct x86_cpu *c;

	rig(&r, NULL);
	enter32(&r, true);
	c = r.c;
	gate32(&r, 0x80, 0xc0001000, K_CS, 0xef);
	gate32(&r, 0x81, 0xc0002000, K_CS, 0x8e);
	gate32(&r, EXC_GP, 0xc0003000, K_CS, 0x8e);
	c->cpu.pc = 0x8048000;
	c->gpr[R_SP] = 0x7000;
	c->eflags |= EFL_IF;
	CHECK(RAISES(&r, x86_h_soft_int(&c->cpu, 0x8048002, 0, 0, 0x80)));
	deliver(&r);
	CHECK_EQ(c->cpu.pc, 0xc0001000);
	CHECK_EQ(c->seg[S_SS].sel, K_SS);
	CHECK_EQ(c->gpr[R_SP], 0x8000 - 20);
	CHECK_EQ(peek(&r, 0x8000 - 20, 4), 0x8048002);
	CHECK_EQ(peek(&r, 0x8000 - 16, 4), U_CS);
	CHECK_EQ(peek(&r, 0x8000 - 12, 4), EFL_IF | 2);
	CHECK_EQ(peek(&r, 0x8000 - 8, 4), 0x7000);
	CHECK_EQ(peek(&r, 0x8000 - 4, 4), U_SS);
	CHECK(c->eflags & EFL_IF);
	FINE(&r, x86_h_iret(&c->cpu, 0, 0, 0, 4));
	CHECK_EQ(c->cpu.pc, 0x8048002);
	CHECK_EQ(c->gpr[R_SP], 0x7000);
	CHECK_EQ(x86_cpl(c), 3);
	CHECK(seg_usable(&c->seg[S_DS]));
	/* an INT that the gate's privilege refuses */
	c->cpu.pc = 0x8048000;
	CHECK(RAISES(&r, x86_h_soft_int(&c->cpu, 0x8048002, 0, 0, 0x81)));
	deliver(&r);
	CHECK_EQ(c->cpu.pc, 0xc0003000);
	CHECK_EQ(peek(&r, 0x8000 - 24, 4), 0x81 * 8 + 2);
	CHECK_EQ(peek(&r, 0x8000 - 20, 4), 0x8048000);
}

TEST(x86_v86)
{
	AUTO_RIG struct rig r = { 0 };
	struct x86_cpu *c;
	static const u32 frame[] = { 0x100,  0x1000, EFL_VM | EFL_IF | 2,
				     0xfffe, 0x2000, 0x3000,
				     0x4000, 0x5000, 0x6000 };

	rig(&r, NULL);
	enter32(&r, false);
	c = r.c;
	c->gpr[R_SP] = 0x7000;
	for (unsigned i = 0; i < ARRAY_SIZE(frame); i++)
		poke(&r, 0x7000 + i * 4, frame[i], 4);
	FINE(&r, x86_h_iret(&c->cpu, 0, 0, 0, 4));
	CHECK(c->cpu.mode & M_VM);
	CHECK_EQ(x86_cpl(c), 3);
	CHECK_EQ(c->seg[S_CS].base, 0x10000);
	CHECK_EQ(c->cpu.pc, 0x100);
	CHECK_EQ(c->seg[S_GS].base, 0x60000);
	CHECK_EQ(c->gpr[R_SP], 0xfffe);
	/* an exception goes to level 0 and saves the segments */
	gate32(&r, EXC_GP, 0xc0003000, K_CS, 0x8e);
	CHECK_RAISES(&r, x86_h_soft_int(&c->cpu, 0x102, 0, 0, 0x21), EXC_GP, 0);
	c->exc_vector = EXC_GP;
	deliver(&r);
	CHECK_EQ(c->cpu.pc, 0xc0003000);
	CHECK(!(c->cpu.mode & M_VM));
	CHECK_EQ(x86_cpl(c), 0);
	CHECK_EQ(c->gpr[R_SP], 0x8000 - 40);
	CHECK_EQ(peek(&r, 0x8000 - 4, 4), 0x6000);
	CHECK_EQ(peek(&r, 0x8000 - 16, 4), 0x3000);
	CHECK_EQ(peek(&r, 0x8000 - 20, 4), 0x2000);
	CHECK(peek(&r, 0x8000 - 28, 4) & EFL_VM);
	CHECK(!seg_usable(&c->seg[S_DS]));
	c->gpr[R_SP] += 4;
	FINE(&r, x86_h_iret(&c->cpu, 0, 0, 0, 4));
	CHECK(c->cpu.mode & M_VM);
	CHECK_EQ(c->seg[S_ES].base, 0x30000);
}

TEST(x86_real_mode_interrupt)
{
	AUTO_RIG struct rig r = { 0 };
	struct x86_cpu *c;

	rig(&r, NULL);
	c = r.c;
	CHECK_EQ(c->cpu.pc + c->cpu.pc_base, 0xfffffff0);
	poke(&r, 0x10 * 4, 0xf0001234, 4);
	x86_seg_set_real(c, S_CS, 0x100);
	x86_update_mode(c);
	c->cpu.pc = 0x20;
	c->gpr[R_SP] = 0x8000;
	c->eflags |= EFL_IF;
	CHECK(RAISES(&r, x86_h_soft_int(&c->cpu, 0x22, 0, 0, 0x10)));
	deliver(&r);
	CHECK_EQ(c->cpu.pc, 0x1234);
	CHECK_EQ(c->seg[S_CS].base, 0xf0000);
	CHECK_EQ(c->gpr[R_SP], 0x7ffa);
	CHECK_EQ(peek(&r, 0x7ffa, 2), 0x22);
	CHECK_EQ(peek(&r, 0x7ffc, 2), 0x100);
	CHECK(!(c->eflags & EFL_IF));
	FINE(&r, x86_h_iret(&c->cpu, 0, 0, 0, 2));
	CHECK_EQ(c->cpu.pc, 0x22);
	CHECK(c->eflags & EFL_IF);
}

/* --- system calls, far transfers, tasks */

TEST(x86_syscall_sysret)
{
	AUTO_RIG struct rig r = { 0 };
	struct x86_cpu *c;

	rig(&r, NULL);
	enter64(&r, true);
	c = r.c;
	c->msr.star = (u64)0x23 << 48 | (u64)K_CS << 32;
	c->msr.lstar = 0xffffffff81000000;
	c->msr.sfmask = EFL_IF | EFL_TF | EFL_DF | EFL_CF;
	c->eflags |= EFL_IF;
	c->cpu.hflags = HF_C | HF_Z;
	FINE(&r, x86_h_syscall(&c->cpu, 0x401002, 0, 0, 0));
	CHECK_EQ(c->cpu.pc, 0xffffffff81000000);
	CHECK_EQ(c->gpr[R_CX], 0x401002);
	CHECK_EQ(c->gpr[11], EFL_IF | EFL_CF | EFL_ZF | 2);
	CHECK_EQ(x86_eflags(c), EFL_ZF | 2);
	CHECK_EQ(x86_cpl(c), 0);
	CHECK_EQ(c->seg[S_SS].sel, K_SS);
	FINE(&r, x86_h_sysret(&c->cpu, 0, 0, 0, 8));
	CHECK_EQ(c->cpu.pc, 0x401002);
	CHECK_EQ(c->seg[S_CS].sel, 0x33);
	CHECK_EQ(c->seg[S_SS].sel, 0x2b);
	CHECK_EQ(x86_cpl(c), 3);
	CHECK_EQ(x86_eflags(c), EFL_IF | EFL_CF | EFL_ZF | 2);
	CHECK(x86_code64(c));
	c->efer &= ~(u64)EFER_SCE;
	CHECK(RAISES(&r, x86_h_syscall(&c->cpu, 0, 0, 0, 0)));
	CHECK_EQ(c->exc_vector, EXC_UD);
}

TEST(x86_far_transfers)
{
	AUTO_RIG struct rig r = { 0 };
	struct x86_cpu *c;

	rig(&r, NULL);
	enter32(&r, true);
	c = r.c;
	c->gpr[R_SP] = 0x7000;
	FINE(&r, x86_h_far_call(&c->cpu, U_CS, 0x1000, 0x2000, 4));
	CHECK_EQ(c->cpu.pc, 0x1000);
	CHECK_EQ(c->gpr[R_SP], 0x6ff8);
	FINE(&r, x86_h_far_ret(&c->cpu, 0, 0, 0, 4));
	CHECK_EQ(c->cpu.pc, 0x2000);
	CHECK_RAISES(&r, x86_h_far_jmp(&c->cpu, K_CS, 0, 0, 4), EXC_GP, K_CS);
	/* through a gate with two parameters to level 0 and back */
	poke(&r, GDT + CALLGATE, 0x4000 | K_CS << 16 | (u64)2 << 32 | (u64)0xec << 40, 8);
	poke(&r, 0x7000, 0x11111111, 4);
	poke(&r, 0x7004, 0x22222222, 4);
	FINE(&r, x86_h_far_call(&c->cpu, CALLGATE | 3, 0, 0x2005, 4));
	CHECK_EQ(c->cpu.pc, 0x4000);
	CHECK_EQ(x86_cpl(c), 0);
	CHECK_EQ(c->gpr[R_SP], 0x8000 - 24);
	CHECK_EQ(peek(&r, 0x8000 - 24, 4), 0x2005);
	CHECK_EQ(peek(&r, 0x8000 - 16, 4), 0x11111111);
	CHECK_EQ(peek(&r, 0x8000 - 12, 4), 0x22222222);
	CHECK_EQ(peek(&r, 0x8000 - 8, 4), 0x7000);
	FINE(&r, x86_h_far_ret(&c->cpu, 8, 0, 0, 4));
	CHECK_EQ(c->cpu.pc, 0x2005);
	CHECK_EQ(x86_cpl(c), 3);
	CHECK_EQ(c->gpr[R_SP], 0x7008);
}

TEST(x86_task_gate)
{
	AUTO_RIG struct rig r = { 0 };
	struct x86_cpu *c;
	enum { TSS2 = 0x4000 };

	rig(&r, NULL);
	enter32(&r, false);
	c = r.c;
	poke(&r, GDT + TR2, desc(TSS2, 0x67, 0x89), 8);
	poke(&r, GDT + TR + 5, 0x8b, 1);
	gate32(&r, EXC_DF, 0, TR2, 0x85);
	poke(&r, TSS2 + 0x20, 0xc0009000, 4);
	poke(&r, TSS2 + 0x24, 2, 4);
	poke(&r, TSS2 + 0x38, 0xa000, 4);
	poke(&r, TSS2 + 0x48, K_SS, 4);
	poke(&r, TSS2 + 0x4c, K_CS, 4);
	poke(&r, TSS2 + 0x50, K_SS, 4);
	poke(&r, TSS2 + 0x54, K_SS, 4);
	c->cpu.pc = 0xc0001234;
	c->gpr[R_BX] = 0x55;
	CHECK(RAISES(&r, x86_raise_err(c, EXC_DF, 0)));
	deliver(&r);
	CHECK_EQ(c->cpu.pc, 0xc0009000);
	CHECK_EQ(c->seg[S_TR].sel, TR2);
	CHECK_EQ(c->gpr[R_SP], 0xa000 - 4);
	CHECK_EQ(peek(&r, TSS + 0x20, 4), 0xc0001234);
	CHECK_EQ(peek(&r, TSS + 0x34, 4), 0x55);
	CHECK_EQ(peek(&r, TSS2, 2), TR);
	CHECK_EQ(peek(&r, GDT + TR2 + 5, 1), 0x8b);
	CHECK(c->eflags & EFL_NT && c->cr0 & CR0_TS);
	FINE(&r, x86_h_iret(&c->cpu, 0xc0009100, 0, 0, 4));
	CHECK_EQ(c->cpu.pc, 0xc0001234);
	CHECK_EQ(c->seg[S_TR].sel, TR);
	CHECK_EQ(c->gpr[R_BX], 0x55);
	CHECK_EQ(peek(&r, GDT + TR2 + 5, 1), 0x89);
	CHECK(!(c->eflags & EFL_NT));
}

/* --- interrupts and starting processors */

TEST(x86_interrupt_shadow)
{
	AUTO_RIG struct rig r = { 0 };
	struct x86_cpu *c;

	rig(&r, NULL);
	enter64(&r, false);
	c = r.c;
	gate64(&r, 0xff, 0x6000, 0x8e, 0);
	c->gpr[R_SP] = 0x7000;
	c->cpu.pc = 0x100;
	c->cpu.lines = BIT(CPU_LINE_INTR);
	CHECK(!x86_interrupt(&c->cpu));
	c->eflags |= EFL_IF;
	c->inhibit = 1;
	c->inhibit_pc = 0x100;
	CHECK(!x86_interrupt(&c->cpu));
	CHECK(c->cpu.exit_request & CPU_EXIT_IRQ);
	c->cpu.pc = 0x101;
	CHECK(x86_interrupt(&c->cpu));
	CHECK_EQ(c->cpu.pc, 0x6000);
}

TEST(x86_init_sipi)
{
	AUTO_RIG struct rig r = { 0 };
	struct x86_cpu *c;

	rig(&r, NULL);
	c = r.c;
	c->cpu.index = 1;
	x86_reset(&c->cpu);
	CHECK(c->cpu.stopped);
	x86_set_line(&c->cpu, CPU_LINE_INIT, 1);
	CHECK(c->cpu.stopped);
	x86_set_line(&c->cpu, CPU_LINE_SIPI, 0x100 | 0x9f);
	CHECK(!c->cpu.stopped);
	CHECK_EQ(c->cpu.pc + c->cpu.pc_base, 0x9f000);
	x86_set_line(&c->cpu, CPU_LINE_SIPI, 0x100 | 0x11); /* runs already: ignored */
	CHECK_EQ(c->cpu.pc_base, 0x9f000);
	/* INIT while running waits for the next boundary; a SIPI right behind it is not lost */
	x86_set_line(&c->cpu, CPU_LINE_INIT, 1);
	x86_set_line(&c->cpu, CPU_LINE_SIPI, 0x100 | 0x12);
	CHECK(x86_interrupt(&c->cpu));
	CHECK(!c->cpu.stopped);
	CHECK_EQ(c->cpu.pc_base, 0x12000);
}

/* --- registers */

TEST(x86_control_registers)
{
	AUTO_RIG struct rig r = { 0 };
	struct x86_cpu *c;

	rig(&r, NULL);
	c = r.c;
	CHECK_RAISES(&r, x86_set_cr0(c, CR0_PG), EXC_GP, 0);
	CHECK_RAISES(&r, x86_set_cr0(c, CR0_NW), EXC_GP, 0);
	CHECK_RAISES(&r, x86_set_cr4(c, BIT64(40)), EXC_GP, 0);
	CHECK_RAISES(&r, x86_set_cr4(c, CR4_PCIDE), EXC_GP, 0);
	FINE(&r, x86_set_cr4(c, CR4_PAE));
	CHECK(x86_wrmsr(c, 0xc0000080, EFER_LME));
	c->cr3 = PML4;
	FINE(&r, x86_set_cr0(c, CR0_PE | CR0_PG));
	CHECK(c->efer & EFER_LMA && c->cpu.mode & M_LMA);
	CHECK_RAISES(&r, x86_set_cr4(c, 0), EXC_GP, 0);
	FINE(&r, x86_set_cr4(c, CR4_PAE | CR4_PCIDE));
	FINE(&r, x86_load_cr3(c, BIT64(63) | PML4 | 5));
	CHECK_EQ(c->cr3, PML4 | 5);
	CHECK(!x86_wrmsr(c, 0xc0000080, 0)); /* LME with paging on */
	CHECK(!x86_wrmsr(c, 0xc0000080, BIT(12)));
}

TEST(x86_msrs)
{
	AUTO_RIG struct rig r = { 0 };
	struct x86_cpu *c;
	u64 v, t;

	rig(&r, NULL);
	c = r.c;
	CHECK(!x86_rdmsr(c, 0x12345, &v));
	CHECK(!x86_wrmsr(c, 0x12345, 0));
	CHECK(x86_wrmsr(c, 0xc0000100, 0x7f0000000000) && c->seg[S_FS].base == 0x7f0000000000);
	CHECK(!x86_wrmsr(c, 0xc0000100, 0x800000000000));
	CHECK(x86_wrmsr(c, 0x277, 0x0407050600070106));
	CHECK(!x86_wrmsr(c, 0x277, 2));
	CHECK(x86_wrmsr(c, 0x201, 0xffc0000800) && x86_rdmsr(c, 0x201, &v) && v == 0xffc0000800);
	CHECK(!x86_wrmsr(c, 0x201, BIT64(50)));
	t = x86_rdtsc(c);
	CHECK(x86_wrmsr(c, 0x3b, 1000000000000));
	CHECK(x86_rdtsc(c) - t >= 1000000000000);
	CHECK(x86_wrmsr(c, 0x10, 5));
	CHECK(x86_rdtsc(c) < 1000000000);
	CHECK(x86_rdmsr(c, 0x10a, &v) && v & 1);
}

/* --- -cpu */

static int model(struct rig *r, const char *text)
{
	struct error e = { 0 };
	int ret = x86_cpuid_init(r->c, text, &e);

	CHECK_EQ(!!ret, error_is_set(&e));
	error_clear(&e);
	return ret;
}

TEST(x86_cpu_models)
{
	AUTO_RIG struct rig r = { 0 };
	u32 o[4];

	rig(&r, NULL);
	r.c->cpu.index = 1; /* no warnings here */
	for (const struct x86_model *m = x86_models; m->name; m++)
		CHECK(!model(&r, m->name));
	CHECK(model(&r, "nonsense"));
	CHECK(model(&r, "host"));
	CHECK(!model(&r, "Haswell-noTSX-v3") && r.c->id->modelno == 60);
	CHECK(model(&r, "Haswellx"));
	CHECK(!model(&r, "qemu64,-smap,sse4_2=off,+avx2,bogus=1"));
	CHECK(!x86_has(r.c, X86F_SMAP) && !x86_has(r.c, X86F_SSE42) && !x86_has(r.c, X86F_AVX2) &&
	      x86_has(r.c, X86F_SMEP));
	CHECK(model(&r, "qemu64,+avx2,enforce"));
	CHECK(model(&r, "qemu64,smap=maybe"));
	CHECK(model(&r, "qemu64,phys-bits=7"));
	CHECK(!model(&r, "486"));
	x86_cpuid(r.c, 1, 0, o);
	CHECK_EQ(o[0], 0x480);
	CHECK(!(o[3] & BIT(4)));
	CHECK(model(&r, "EPYC,tsc-frequency=2.5"));
	CHECK(!model(&r, "EPYC,vendor=GenuineIntel,family=6,model=85,stepping=4,phys-bits=46,tsc-"
			 "frequency=2500M"));
}

/* SDM volume 3, 8.9: package, die, core and thread in an APIC ID, and where each begins. */
TEST(x86_cpuid_topology)
{
	static const struct {
		u32 leaf, sub, out[3];
	} want[] = {
		{ 0x0b, 0, { 1, 2, 1 << 8 } },	   { 0x0b, 1, { 4, 12, 2 << 8 | 1 } },
		{ 0x0b, 2, { 0, 0, 2 } },	   { 0x1f, 0, { 1, 2, 1 << 8 } },
		{ 0x1f, 1, { 3, 6, 2 << 8 | 1 } }, { 0x1f, 2, { 4, 12, 5 << 8 | 2 } },
		{ 0x1f, 3, { 0, 0, 3 } },
	};
	AUTO_RIG struct rig r = { 0 };
	u32 o[4];

	rig(&r, NULL);
	CHECK(!model(&r, "qemu64,dies=2,cores=3,threads=2"));
	for (u32 i = 0; i < 48; i++) {
		r.c->cpu.index = i;
		CHECK_EQ(x86_apic_id(r.c), i % 2 | i / 2 % 3 << 1 | i / 6 % 2 << 3 | i / 12 << 4);
	}
	r.c->apic_id = 0x2d;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		x86_cpuid(r.c, want[i].leaf, want[i].sub, o);
		CHECK_MEM(o, want[i].out, 12);
		CHECK_EQ(o[3], 0x2d);
	}
	x86_cpuid(r.c, 1, 0, o);
	CHECK_EQ(o[1] >> 16, 0x2d10);
	x86_cpuid(r.c, 0, 0, o);
	CHECK_EQ(o[0], 0x1f);
	x86_cpuid(r.c, 4, 0, o); /* the core's own */
	CHECK_EQ(o[0] >> 14 & 0xfff, 1);
	CHECK_EQ(o[0] >> 26, 7);
	x86_cpuid(r.c, 4, 3, o); /* the die's */
	CHECK_EQ(o[0] >> 14 & 0xfff, 7);
}

TEST(x86_cpuid_leaves)
{
	AUTO_RIG struct rig r = { 0 };
	u32 o[4];

	rig(&r, NULL);
	CHECK(!model(&r, "qemu64,vendor=AuthenticAMD,family=25,model=33,stepping=2,tsc-frequency="
			 "2500000000,cores=4,threads=2"));
	x86_cpuid(r.c, 0, 0, o);
	CHECK_MEM(&o[1], "Auth", 4);
	CHECK_MEM(&o[3], "enti", 4);
	CHECK_MEM(&o[2], "cAMD", 4);
	x86_cpuid(r.c, 1, 0, o);
	CHECK_EQ(o[0], 0x00a20f12);
	CHECK_EQ(o[1] >> 16 & 0xff, 8);
	CHECK(!(o[3] & BIT(9))); /* no local APIC on this board */
	x86_cpuid(r.c, 0xb, 1, o);
	CHECK_EQ(o[1], 8);
	CHECK_EQ(o[0], 3);
	x86_cpuid(r.c, 0x15, 0, o);
	CHECK_EQ((u64)o[2] * o[1] / o[0], 2500000000);
	x86_cpuid(r.c, 0x40000000, 0, o);
	CHECK(o[0] >= 0x40000001);
	x86_cpuid(r.c, 0x40000010, 0, o);
	CHECK_EQ(o[0], 2500000);
	x86_cpuid(r.c, 0x80000008, 0, o);
	CHECK_EQ(o[0], 48 << 8 | 40);
	x86_cpuid(r.c, 0x80000001, 0, o);
	CHECK(o[3] & BIT(29) && o[3] & BIT(0));
	CHECK(!model(&r, "max,-hypervisor"));
	x86_cpuid(r.c, 0x40000000, 0, o);
	CHECK_EQ(o[0], 0);
	x86_cpuid(r.c, 7, 0, o);
	CHECK(!(o[1] & BIT(5))); /* no AVX2 */
}

TEST(x86_io_permission)
{
	AUTO_RIG struct rig r = { 0 };

	rig(&r, NULL);
	enter32(&r, true);
	r.c->seg[S_TR].limit = 0x68 + 0x2000;
	poke(&r, TSS + 0x68 + 0x3f8 / 8, 0xfe, 1);
	FINE(&r, x86_h_io_check(&r.c->cpu, 0x3f8, 0, 0, 1));
	CHECK_RAISES(&r, x86_h_io_check(&r.c->cpu, 0x3f8, 0, 0, 2), EXC_GP, 0);
	r.c->eflags |= EFL_IOPL;
	FINE(&r, x86_h_io_check(&r.c->cpu, 0x3f9, 0, 0, 1));
}

TEST(x86_debug_registers)
{
	AUTO_RIG struct rig r = { 0 };
	struct x86_cpu *c;

	rig(&r, NULL);
	enter64(&r, false);
	c = r.c;
	FINE(&r, x86_h_wr_dr(&c->cpu, 0x1234, 0, 0, 0));
	FINE(&r, x86_h_wr_dr(&c->cpu, 2, 0, 0, 7));
	CHECK(c->cpu.mode & M_DEBUG);
	CHECK_EQ(c->dr[7], 0x402);
	FINE(&r, x86_h_debug_check(&c->cpu, 0x1235, 0, 0, 0));
	CHECK(RAISES(&r, x86_h_debug_check(&c->cpu, 0x1234, 0, 0, 0)));
	CHECK_EQ(c->exc_vector, EXC_DB);
	CHECK_EQ(c->dr[6] & 15, 1);
	c->eflags |= EFL_RF;
	FINE(&r, x86_h_debug_check(&c->cpu, 0x1234, 0, 0, 0));
	CHECK(!(c->eflags & EFL_RF));
	CHECK_RAISES(&r, x86_h_wr_dr(&c->cpu, BIT64(32), 0, 0, 7), EXC_GP, 0);
}

TEST(x86_data_breakpoints)
{
	AUTO_RIG struct rig r = { 0 };
	struct x86_cpu *c;
	struct mapping m;

	rig(&r, NULL);
	enter64(&r, false);
	c = r.c;
	FINE(&r, x86_h_wr_dr(&c->cpu, 0x5006, 0, 0, 1));
	/* DR1: writes to two bytes */
	FINE(&r, x86_h_wr_dr(&c->cpu, BIT(2) | 1 << 20 | 1 << 22, 0, 0, 7));
	CHECK(c->watching && !(c->cpu.mode & M_DEBUG));
	CHECK_EQ(walk(&r, 0x5000, ACCESS_READ, CTX_KERNEL, &m), 0);
	CHECK(m.watch);
	CHECK_EQ(walk(&r, 0x6000, ACCESS_READ, CTX_KERNEL, &m), 0);
	CHECK(!m.watch);
	CHECK(x86_watched(&c->cpu, 0x5000, 8, ACCESS_WRITE, false));
	CHECK(!x86_watched(&c->cpu, 0x5000, 8, ACCESS_READ, false));
	CHECK(!x86_watched(&c->cpu, 0x5008, 1, ACCESS_WRITE, false));
	CHECK(!x86_watched(&c->cpu, 0x5000, 6, ACCESS_WRITE, false));
	CHECK(!x86_interrupt(&c->cpu));
	/* the store is done, then comes the trap */
	c->cpu.unwind = NULL;
	c->cpu.engine = r.c->cpu.engine;
	CHECK(RAISES(&r, cpu_st(&c->cpu, CTX_KERNEL, 0x5004, 4, 0x12345678)));
	CHECK_EQ(c->exc_vector, -1);
	CHECK(x86_watched(&c->cpu, 0x5007, 1, ACCESS_WRITE, true));
	CHECK(c->cpu.exit_request & CPU_EXIT_IRQ);
	c->cpu.pc = 0x777;
	CHECK(x86_interrupt(&c->cpu));
	CHECK_EQ(c->exc_vector, EXC_DB);
	CHECK(c->exc_trap);
	CHECK_EQ(c->dr[6] & 15, 2);
	c->exc_vector = -1;
	FINE(&r, x86_h_wr_dr(&c->cpu, 0, 0, 0, 7));
	CHECK(!c->watching);
}
