/* SPDX-License-Identifier: GPL-2.0-or-later */
/* system_test.c - the privileged side against hand-built tables: page walks, descriptors, exception frames, returns, registers, -cpu. */
#include "system.h"
#include "helpers.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/test.h"
#include <setjmp.h>

enum { RAM = 16 << 20, GDT = 0x1000, IDT = 0x2000, TSS = 0x3000, PML4 = 0x10000, PDPT = 0x11000, PD = 0x12000, PT = 0x13000 };

struct rig { struct machine *m; struct region ram; struct x86_cpu *c; };

static void poke(struct rig *r, u64 at, u64 v, unsigned n)
{
	u8 b[8];

	st64le(b, v);
	CHECK(space_write(&r->m->memory, at, b, n, (struct mem_attrs){ 0 }) == MEM_OK);
}

static u64 peek(struct rig *r, u64 at, unsigned n)
{
	u8 b[8] = { 0 };

	CHECK(space_read(&r->m->memory, at, b, n, (struct mem_attrs){ 0 }) == MEM_OK);
	return ld64le(b);
}

static void rig(struct rig *r, const char *model)
{
	struct engine_options o = { .tier = 0 };
	struct error e = { 0 };

	r->m = machine_new();
	CHECK(!region_init_ram(&r->ram, r->m, "ram", RAM, &e));
	region_add(&r->m->memory_root, 0, &r->ram, 0);
	CHECK(engine_new(r->m, &o, &e));
	r->c = xalloc(sizeof(*r->c));
	r->c->cpu.isa = isa_find("x86_64");
	r->c->cpu.machine = r->m;
	r->m->cpu = xcalloc(1, sizeof(*r->m->cpu));
	r->m->cpu[0] = &r->c->cpu;
	r->m->ncpus = 1;
	r->m->isa = r->c->cpu.isa;
	CHECK(!r->c->cpu.isa->init(&r->c->cpu, model, &e));
	CHECK(!engine_add_cpu(r->m->engine, &r->c->cpu));
	r->c->cpu.isa->reset(&r->c->cpu);
}

/* Runs an action that may raise; true when it did. */
#define RAISES(r, action) ({ jmp_buf back_; volatile bool raised_ = true; (r)->c->cpu.unwind = &back_; \
	if (!setjmp(back_)) { action; raised_ = false; } raised_; })
#define CHECK_RAISES(r, action, vector, error) do { \
	CHECK(RAISES(r, action)); \
	CHECK_EQ((r)->c->exc_vector, vector); \
	CHECK_EQ((r)->c->exc_error, (u32)(error)); \
	(r)->c->exc_vector = -1; \
} while (0)
#define FINE(r, action) CHECK(!RAISES(r, action))

static u64 desc(u32 base, u32 limit, u16 attr)
{
	return (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)(attr & 0xf0ff) << 40 | (u64)(limit >> 16 & 15) << 48 | (u64)(base >> 24) << 56;
}
enum { CODE32 = 0xc09b, DATA32 = 0xc093, CODE64 = 0xa09b, DPL3 = 0x60 };
enum { K_CS = 0x10, K_SS = 0x18, U_CS = 0x23, U_SS = 0x2b, U_CS64 = 0x33, TR = 0x40, CALLGATE = 0x58, TR2 = 0x60 };

static void tables(struct rig *r, bool wide)
{
	struct x86_cpu *c = r->c;

	poke(r, GDT + K_CS, desc(0, 0xfffff, wide ? CODE64 : CODE32), 8);
	poke(r, GDT + K_SS, desc(0, 0xfffff, DATA32), 8);
	poke(r, GDT + 0x20, desc(0, 0xfffff, CODE32 | DPL3), 8);
	poke(r, GDT + 0x28, desc(0, 0xfffff, DATA32 | DPL3), 8);
	poke(r, GDT + 0x30, desc(0, 0xfffff, CODE64 | DPL3), 8);
	poke(r, GDT + TR, desc(TSS, 0x67, 0x89), 8);
	poke(r, GDT + TR + 8, 0, 8);
	c->gdt.base = GDT;
	c->gdt.limit = 0xff;
	c->idt.base = IDT;
	c->idt.limit = 0xfff;
	poke(r, TSS + 4, 0x8000, wide ? 8 : 4);
	if (wide)
		poke(r, TSS + 0x24, 0x9000, 8);
	else
		poke(r, TSS + 8, K_SS, 4);
	poke(r, TSS + 0x66, 0x68, 2);
}

/* Identity map of 2 MiB by 4 KiB user pages at PT, so that single entries can be changed. */
static void paging(struct rig *r)
{
	struct x86_cpu *c = r->c;

	poke(r, PML4, PDPT | 7, 8);
	poke(r, PDPT, PD | 7, 8);
	poke(r, PD, PT | 7, 8);
	for (u64 i = 0; i < 512; i++)
		poke(r, PT + i * 8, i << 12 | 0x67, 8);
	c->cr3 = PML4;
	c->cr4 = CR4_PAE;
	c->efer = EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE;
	c->cr0 = CR0_PE | CR0_PG | CR0_ET | CR0_WP;
	cpu_tlb_flush_all(&c->cpu);
}

static void set_seg(struct x86_cpu *c, unsigned s, u16 sel, u16 attr)
{
	c->seg[s] = (struct x86_seg){ .sel = sel, .limit = 0xffffffff, .attr = attr };
}

static void enter64(struct rig *r, bool user)
{
	struct x86_cpu *c = r->c;

	tables(r, true);
	paging(r);
	set_seg(c, S_CS, user ? U_CS64 : K_CS, user ? CODE64 | DPL3 : CODE64);
	set_seg(c, S_SS, user ? U_SS : K_SS, user ? DATA32 | DPL3 : DATA32);
	c->seg[S_TR] = (struct x86_seg){ .sel = TR, .base = TSS, .limit = 0x67, .attr = 0x8b };
	x86_update_mode(c);
}

static void enter32(struct rig *r, bool user)
{
	struct x86_cpu *c = r->c;

	tables(r, false);
	c->cr0 = CR0_PE | CR0_ET;
	set_seg(c, S_CS, user ? U_CS : K_CS, user ? CODE32 | DPL3 : CODE32);
	set_seg(c, S_SS, user ? U_SS : K_SS, user ? DATA32 | DPL3 : DATA32);
	c->seg[S_DS] = c->seg[S_ES] = c->seg[S_SS];
	c->seg[S_TR] = (struct x86_seg){ .sel = TR, .base = TSS, .limit = 0x67, .attr = 0x8b };
	x86_update_mode(c);
}

static int walk(struct rig *r, u64 va, enum access a, unsigned ctx, struct mapping *m)
{
	memset(m, 0, sizeof(*m));
	return x86_walk(&r->c->cpu, va, a, ctx, false, m);
}

/* --- page walks */

TEST(x86_walk_off)
{
	struct rig r;
	struct mapping m;

	rig(&r, NULL);
	CHECK_EQ(walk(&r, 0x123456, ACCESS_READ, CTX_KERNEL, &m), 0);
	CHECK_EQ(m.phys, 0x123456);
	CHECK(m.read && m.write && m.exec);
}

TEST(x86_walk_64)
{
	struct rig r;
	struct mapping m;

	rig(&r, NULL);
	enter64(&r, false);
	CHECK_EQ(walk(&r, 0x5123, ACCESS_READ, CTX_USER, &m), 0);
	CHECK_EQ(m.phys, 0x5123);
	CHECK_EQ(m.page_bits, 12);
	CHECK(m.read && m.write && m.exec && !m.global);

	/* a clean page is not writable until a write sets the dirty bit */
	poke(&r, PT + 6 * 8, 0x6000 | 7, 8);
	CHECK_EQ(walk(&r, 0x6000, ACCESS_READ, CTX_USER, &m), 0);
	CHECK(!m.write);
	CHECK_EQ(peek(&r, PT + 6 * 8, 8), 0x6000 | 0x27);
	CHECK_EQ(walk(&r, 0x6000, ACCESS_WRITE, CTX_USER, &m), 0);
	CHECK(m.write);
	CHECK_EQ(peek(&r, PT + 6 * 8, 8), 0x6000 | 0x67);
	CHECK_EQ(peek(&r, PML4, 8), PDPT | 0x27);

	/* not present, read-only, supervisor, no-execute */
	poke(&r, PT + 7 * 8, 0x7066, 8);
	CHECK_EQ(walk(&r, 0x7000, ACCESS_WRITE, CTX_USER, &m), WALK_PF | PF_W | PF_U);
	poke(&r, PT + 7 * 8, 0x7065, 8);
	CHECK_EQ(walk(&r, 0x7000, ACCESS_WRITE, CTX_USER, &m), WALK_PF | PF_P | PF_W | PF_U);
	CHECK_EQ(walk(&r, 0x7000, ACCESS_WRITE, CTX_KERNEL, &m), WALK_PF | PF_P | PF_W);
	r.c->cr0 &= ~(u64)CR0_WP;
	CHECK_EQ(walk(&r, 0x7000, ACCESS_WRITE, CTX_KERNEL, &m), 0);
	poke(&r, PT + 7 * 8, 0x7063, 8);
	CHECK_EQ(walk(&r, 0x7000, ACCESS_READ, CTX_USER, &m), WALK_PF | PF_P | PF_U);
	poke(&r, PT + 7 * 8, BIT64(63) | 0x7067, 8);
	CHECK_EQ(walk(&r, 0x7000, ACCESS_EXEC, CTX_USER, &m), WALK_PF | PF_P | PF_U | PF_I);
	CHECK_EQ(walk(&r, 0x7000, ACCESS_READ, CTX_USER, &m), 0);
	CHECK(!m.exec);
	r.c->efer &= ~(u64)EFER_NXE;
	CHECK_EQ(walk(&r, 0x7000, ACCESS_READ, CTX_USER, &m), WALK_PF | PF_P | PF_U | PF_RSVD);

	/* reserved address bits, and non-canonical addresses */
	poke(&r, PT + 7 * 8, BIT64(45) | 0x7067, 8);
	CHECK_EQ(walk(&r, 0x7000, ACCESS_READ, CTX_KERNEL, &m), WALK_PF | PF_P | PF_RSVD);
	CHECK_EQ(walk(&r, 0x800000000000, ACCESS_READ, CTX_KERNEL, &m), WALK_NONCANONICAL);
	CHECK_EQ(walk(&r, 0xffff800000000000, ACCESS_READ, CTX_KERNEL, &m), WALK_PF);
}

TEST(x86_walk_remembers_tables)
{
	enum { PT2 = 0x14000 };
	struct rig r;
	struct mapping m;

	rig(&r, NULL);
	enter64(&r, false);
	poke(&r, PT2 + 5 * 8, 0x9067, 8);
	CHECK_EQ(walk(&r, 0x5000, ACCESS_READ, CTX_USER, &m), 0);
	CHECK_EQ(m.phys, 0x5000);
	/* a table that the guest exchanges shows after an invalidation, of whatever kind */
	poke(&r, PD, PT2 | 0x67, 8);
	FINE(&r, x86_h_invlpg(&r.c->cpu, 0x123000, 0, 0, 0));
	CHECK_EQ(walk(&r, 0x5000, ACCESS_READ, CTX_USER, &m), 0);
	CHECK_EQ(m.phys, 0x9000);
	poke(&r, PD, PT | 0x67, 8);
	FINE(&r, x86_load_cr3(r.c, PML4));
	CHECK_EQ(walk(&r, 0x5000, ACCESS_READ, CTX_USER, &m), 0);
	CHECK_EQ(m.phys, 0x5000);
	/* rights that were added need no invalidation, above the table too */
	poke(&r, PD, PT | 0x65, 8);
	FINE(&r, x86_load_cr3(r.c, PML4));
	CHECK_EQ(walk(&r, 0x5000, ACCESS_READ, CTX_USER, &m), 0);
	CHECK(!m.write);
	poke(&r, PD, PT | 0x67, 8);
	CHECK_EQ(walk(&r, 0x5000, ACCESS_WRITE, CTX_USER, &m), 0);
	/* and a page that was not there */
	poke(&r, PT + 8 * 8, 0, 8);
	CHECK_EQ(walk(&r, 0x8000, ACCESS_READ, CTX_USER, &m), WALK_PF | PF_U);
	poke(&r, PT + 8 * 8, 0x8007, 8);
	CHECK_EQ(walk(&r, 0x8000, ACCESS_WRITE, CTX_USER, &m), 0);
	CHECK_EQ(peek(&r, PT + 8 * 8, 8), 0x8067);
	/* NX and U/S of the levels above count with a remembered table */
	poke(&r, PD, BIT64(63) | PT | 0x63, 8);
	FINE(&r, x86_load_cr3(r.c, PML4));
	CHECK_EQ(walk(&r, 0x5000, ACCESS_READ, CTX_KERNEL, &m), 0);
	CHECK_EQ(walk(&r, 0x6000, ACCESS_READ, CTX_KERNEL, &m), 0);
	CHECK(!m.exec);
	CHECK_EQ(walk(&r, 0x6000, ACCESS_READ, CTX_USER, &m), WALK_PF | PF_P | PF_U);
}

TEST(x86_walk_smep_smap)
{
	struct rig r;
	struct mapping m;

	rig(&r, NULL);
	enter64(&r, false);
	r.c->cr4 |= CR4_SMEP | CR4_SMAP;
	CHECK_EQ(walk(&r, 0x5000, ACCESS_READ, CTX_KERNEL, &m), WALK_PF | PF_P);
	CHECK_EQ(walk(&r, 0x5000, ACCESS_READ, CTX_KERNEL_OPEN, &m), 0);
	CHECK(!m.exec);
	CHECK_EQ(walk(&r, 0x5000, ACCESS_EXEC, CTX_KERNEL, &m), WALK_PF | PF_P | PF_I);
	CHECK_EQ(walk(&r, 0x5000, ACCESS_EXEC, CTX_USER, &m), 0);
	poke(&r, PT + 5 * 8, 0x5063, 8);
	CHECK_EQ(walk(&r, 0x5000, ACCESS_EXEC, CTX_KERNEL, &m), 0);
	CHECK(m.read && m.write);
}

TEST(x86_walk_large)
{
	struct rig r;
	struct mapping m;

	rig(&r, NULL);
	enter64(&r, false);
	r.c->cr4 |= CR4_PGE;
	poke(&r, PD + 8, 0x400000 | 0x1e7, 8);
	CHECK_EQ(walk(&r, 0x2abcde, ACCESS_READ, CTX_USER, &m), 0);
	CHECK_EQ(m.phys, 0x4abcde);
	CHECK_EQ(m.page_bits, 21);
	CHECK(m.global && m.write);
	poke(&r, PD + 8, 0x402000 | 0x1e7, 8);
	CHECK_EQ(walk(&r, 0x2abcde, ACCESS_READ, CTX_USER, &m), WALK_PF | PF_P | PF_U | PF_RSVD);
	poke(&r, PDPT + 8, 0x80000000 | 0xe7, 8);
	CHECK_EQ(walk(&r, 0x40123456, ACCESS_READ, CTX_USER, &m), 0);
	CHECK_EQ(m.phys, 0x80123456);
	CHECK_EQ(m.page_bits, 30);
	poke(&r, PML4, PDPT | 0x87, 8);
	CHECK_EQ(walk(&r, 0x1000, ACCESS_READ, CTX_USER, &m), WALK_PF | PF_P | PF_U | PF_RSVD);
}

TEST(x86_walk_32)
{
	struct rig r;
	struct mapping m;

	rig(&r, NULL);
	enter32(&r, false);
	poke(&r, PD, PT | 7, 4);
	poke(&r, PT + 5 * 4, 0x9000 | 7, 4);
	r.c->cr3 = PD;
	r.c->cr0 |= CR0_PG | CR0_WP;
	CHECK_EQ(walk(&r, 0x5678, ACCESS_WRITE, CTX_USER, &m), 0);
	CHECK_EQ(m.phys, 0x9678);
	CHECK_EQ(peek(&r, PT + 5 * 4, 4), 0x9067);
	CHECK_EQ(walk(&r, 0x6000, ACCESS_READ, CTX_USER, &m), WALK_PF | PF_U);
	/* 4 MiB page, with bits 39..32 in bits 20..13 */
	poke(&r, PD + 4, 0x00802000 | 0x87, 4);
	r.c->cr4 |= CR4_PSE;
	CHECK_EQ(walk(&r, 0x412345, ACCESS_READ, CTX_USER, &m), 0);
	CHECK_EQ(m.phys, 0x100812345);
	CHECK_EQ(m.page_bits, 22);
	poke(&r, PD + 4, 0x00a00000 | 0x87, 4);
	CHECK_EQ(walk(&r, 0x412345, ACCESS_READ, CTX_USER, &m), WALK_PF | PF_P | PF_U | PF_RSVD);
}

TEST(x86_walk_pae)
{
	struct rig r;
	struct mapping m;

	rig(&r, NULL);
	enter32(&r, false);
	poke(&r, PDPT, PD | 1, 8);
	poke(&r, PD, PT | 7, 8);
	poke(&r, PT + 5 * 8, 0x9000 | 7, 8);
	r.c->cr4 |= CR4_PAE;
	r.c->cr0 |= CR0_PG;
	FINE(&r, x86_load_cr3(r.c, PDPT));
	CHECK_EQ(walk(&r, 0x5678, ACCESS_READ, CTX_USER, &m), 0);
	CHECK_EQ(m.phys, 0x9678);
	CHECK_EQ(walk(&r, 0x40000000, ACCESS_READ, CTX_USER, &m), WALK_PF | PF_U);
	/* the pointers are registers: memory changes show with the next load of CR3; bad ones are refused */
	poke(&r, PDPT, 0, 8);
	CHECK_EQ(walk(&r, 0x5678, ACCESS_READ, CTX_USER, &m), 0);
	poke(&r, PDPT, PD | 7, 8);
	CHECK_RAISES(&r, x86_load_cr3(r.c, PDPT), EXC_GP, 0);
}

/* --- segments */

TEST(x86_segment_loads)
{
	struct rig r;

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
	struct rig r;

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
	struct rig r;

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
	poke(r, IDT + v * 16, (off & 0xffff) | K_CS << 16 | (u64)ist << 32 | (u64)attr << 40 | (off >> 16 & 0xffff) << 48, 8);
	poke(r, IDT + v * 16 + 8, off >> 32, 8);
}

static void gate32(struct rig *r, unsigned v, u32 off, u16 sel, unsigned attr)
{
	poke(r, IDT + v * 8, (off & 0xffff) | (u64)sel << 16 | (u64)attr << 40 | (u64)(off >> 16) << 48, 8);
}

/* Delivers what is pending, as the machine loop does, faults in the delivery included. */
static void deliver(struct rig *r)
{
	for (unsigned i = 0; i < 5 && r->c->exc_vector >= 0; i++)
		(void)RAISES(r, x86_deliver(&r->c->cpu));
}

TEST(x86_exception_64)
{
	struct rig r;
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
	struct rig r;
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
	CHECK_EQ(c->gpr[R_SP], 0x6ff0 - 48);	/* aligned before the frame */
	CHECK_EQ(peek(&r, 0x6ff0 - 48, 8), 0x18);
	CHECK_EQ(peek(&r, 0x6ff0 - 16, 8), 0x6ff9);
	CHECK_EQ(c->seg[S_SS].sel, K_SS);
	CHECK(c->eflags & EFL_IF);	/* a trap gate */

	x86_set_line(&c->cpu, CPU_LINE_NMI, 1);
	CHECK(x86_has_work(&c->cpu));
	CHECK(x86_interrupt(&c->cpu));
	CHECK_EQ(c->cpu.pc, 0x2000);
	CHECK_EQ(c->gpr[R_SP], 0x9000 - 40);
	x86_set_line(&c->cpu, CPU_LINE_NMI, 1);
	CHECK(!x86_interrupt(&c->cpu));		/* masked until IRET */
	FINE(&r, x86_h_iret(&c->cpu, 0, 0, 0, 8));
	CHECK_EQ(c->cpu.pc, 0x3000);
	CHECK(x86_interrupt(&c->cpu));
}

TEST(x86_double_and_triple_fault)
{
	struct rig r;
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
	struct rig r;
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
	struct rig r;
	struct x86_cpu *c;
	static const u32 frame[] = { 0x100, 0x1000, EFL_VM | EFL_IF | 2, 0xfffe, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000 };

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
	struct rig r;
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
	struct rig r;
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
	struct rig r;
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
	struct rig r;
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
	struct rig r;
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
	struct rig r;
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
	x86_set_line(&c->cpu, CPU_LINE_SIPI, 0x100 | 0x11);	/* runs already: ignored */
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
	struct rig r;
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
	CHECK(!x86_wrmsr(c, 0xc0000080, 0));		/* LME with paging on */
	CHECK(!x86_wrmsr(c, 0xc0000080, BIT(12)));
}

TEST(x86_msrs)
{
	struct rig r;
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
	struct rig r;
	u32 o[4];

	rig(&r, NULL);
	r.c->cpu.index = 1;	/* no warnings here */
	for (const struct x86_model *m = x86_models; m->name; m++)
		CHECK(!model(&r, m->name));
	CHECK(model(&r, "nonsense"));
	CHECK(model(&r, "host"));
	CHECK(!model(&r, "Haswell-noTSX-v3") && r.c->id->modelno == 60);
	CHECK(model(&r, "Haswellx"));
	CHECK(!model(&r, "qemu64,-smap,sse4_2=off,+avx2,bogus=1"));
	CHECK(!x86_has(r.c, X86F_SMAP) && !x86_has(r.c, X86F_SSE42) && !x86_has(r.c, X86F_AVX2) && x86_has(r.c, X86F_SMEP));
	CHECK(model(&r, "qemu64,+avx2,enforce"));
	CHECK(model(&r, "qemu64,smap=maybe"));
	CHECK(model(&r, "qemu64,phys-bits=7"));
	CHECK(!model(&r, "486"));
	x86_cpuid(r.c, 1, 0, o);
	CHECK_EQ(o[0], 0x480);
	CHECK(!(o[3] & BIT(4)));
	CHECK(model(&r, "EPYC,tsc-frequency=2.5"));
	CHECK(!model(&r, "EPYC,vendor=GenuineIntel,family=6,model=85,stepping=4,phys-bits=46,tsc-frequency=2500M"));
}

TEST(x86_cpuid_leaves)
{
	struct rig r;
	u32 o[4];

	rig(&r, NULL);
	CHECK(!model(&r, "qemu64,vendor=AuthenticAMD,family=25,model=33,stepping=2,tsc-frequency=2500000000,cores=4,threads=2"));
	x86_cpuid(r.c, 0, 0, o);
	CHECK_MEM(&o[1], "Auth", 4);
	CHECK_MEM(&o[3], "enti", 4);
	CHECK_MEM(&o[2], "cAMD", 4);
	x86_cpuid(r.c, 1, 0, o);
	CHECK_EQ(o[0], 0x00a20f12);
	CHECK_EQ(o[1] >> 16 & 0xff, 8);
	CHECK(!(o[3] & BIT(9)));	/* no local APIC on this board */
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
	CHECK(!(o[1] & BIT(5)));	/* no AVX2 */
}

TEST(x86_io_permission)
{
	struct rig r;

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
	struct rig r;
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
	struct rig r;
	struct x86_cpu *c;
	struct mapping m;

	rig(&r, NULL);
	enter64(&r, false);
	c = r.c;
	FINE(&r, x86_h_wr_dr(&c->cpu, 0x5006, 0, 0, 1));
	FINE(&r, x86_h_wr_dr(&c->cpu, BIT(2) | 1 << 20 | 1 << 22, 0, 0, 7));	/* DR1: writes to two bytes */
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
