/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mmu_test.c - page walks of every paging mode against hand-built tables. */
#include "system_test.h"

TEST(x86_walk_off)
{
	AUTO_RIG struct rig r = { 0 };
	struct mapping m;

	rig(&r, NULL);
	CHECK_EQ(walk(&r, 0x123456, ACCESS_READ, CTX_KERNEL, &m), 0);
	CHECK_EQ(m.phys, 0x123456);
	CHECK(m.read && m.write && m.exec);
}

TEST(x86_walk_64)
{
	AUTO_RIG struct rig r = { 0 };
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
	AUTO_RIG struct rig r = { 0 };
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
	AUTO_RIG struct rig r = { 0 };
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
	AUTO_RIG struct rig r = { 0 };
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
	AUTO_RIG struct rig r = { 0 };
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
	AUTO_RIG struct rig r = { 0 };
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
	/* the pointers are registers: memory changes show with the next load of CR3; bad ones are
	 * refused */
	poke(&r, PDPT, 0, 8);
	CHECK_EQ(walk(&r, 0x5678, ACCESS_READ, CTX_USER, &m), 0);
	poke(&r, PDPT, PD | 7, 8);
	CHECK_RAISES(&r, x86_load_cr3(r.c, PDPT), EXC_GP, 0);
}
