/* SPDX-License-Identifier: GPL-2.0-or-later */
/* system_test.h - a CPU with memory, tables and a way to catch what it raises, for the tests of the
 * privileged side. */
#pragma once
#include "system.h"
#include "helpers.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/test.h"
#include <setjmp.h>

enum {
	RAM = 16 << 20,
	GDT = 0x1000,
	IDT = 0x2000,
	TSS = 0x3000,
	PML4 = 0x10000,
	PDPT = 0x11000,
	PD = 0x12000,
	PT = 0x13000
};

struct rig {
	struct machine *m;
	struct region ram;
	struct x86_cpu *c;
};

static inline void poke(struct rig *r, u64 at, u64 v, unsigned n)
{
	u8 b[8];

	st64le(b, v);
	CHECK(space_write(&r->m->memory, at, b, n, (struct mem_attrs){ 0 }) == MEM_OK);
}

static inline u64 peek(struct rig *r, u64 at, unsigned n)
{
	u8 b[8] = { 0 };

	CHECK(space_read(&r->m->memory, at, b, n, (struct mem_attrs){ 0 }) == MEM_OK);
	return ld64le(b);
}

/* Also when it is reused. */
static inline void rig_free(struct rig *r)
{
	if (!r->m)
		return;
	machine_free(r->m);
	region_fini(&r->ram);
	r->m = NULL;
}
/* struct rig AUTO_RIG r = { 0 }; */
#define AUTO_RIG __attribute__((cleanup(rig_free)))

static inline void rig(struct rig *r, const char *model)
{
	struct engine_options o = { .tier = 0 };
	struct error e = { 0 };

	rig_free(r);
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
#define RAISES(r, action) \
	({ \
		jmp_buf back_; \
		volatile bool raised_ = true; \
		(r)->c->cpu.unwind = &back_; \
		if (!setjmp(back_)) { \
			action; \
			raised_ = false; \
		} \
		raised_; \
	})
#define CHECK_RAISES(r, action, vector, error) \
	do { \
		CHECK(RAISES(r, action)); \
		CHECK_EQ((r)->c->exc_vector, vector); \
		CHECK_EQ((r)->c->exc_error, (u32)(error)); \
		(r)->c->exc_vector = -1; \
	} while (0)
#define FINE(r, action) CHECK(!RAISES(r, action))

static inline u64 desc(u32 base, u32 limit, u16 attr)
{
	return (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)(attr & 0xf0ff) << 40 |
	       (u64)(limit >> 16 & 15) << 48 | (u64)(base >> 24) << 56;
}
enum { CODE32 = 0xc09b, DATA32 = 0xc093, CODE64 = 0xa09b, DPL3 = 0x60 };
enum {
	K_CS = 0x10,
	K_SS = 0x18,
	U_CS = 0x23,
	U_SS = 0x2b,
	U_CS64 = 0x33,
	TR = 0x40,
	CALLGATE = 0x58,
	TR2 = 0x60
};

static inline void tables(struct rig *r, bool wide)
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
static inline void paging(struct rig *r)
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

static inline void set_seg(struct x86_cpu *c, unsigned s, u16 sel, u16 attr)
{
	c->seg[s] = (struct x86_seg){ .sel = sel, .limit = 0xffffffff, .attr = attr };
}

static inline void enter64(struct rig *r, bool user)
{
	struct x86_cpu *c = r->c;

	tables(r, true);
	paging(r);
	set_seg(c, S_CS, user ? U_CS64 : K_CS, user ? CODE64 | DPL3 : CODE64);
	set_seg(c, S_SS, user ? U_SS : K_SS, user ? DATA32 | DPL3 : DATA32);
	c->seg[S_TR] = (struct x86_seg){ .sel = TR, .base = TSS, .limit = 0x67, .attr = 0x8b };
	x86_update_mode(c);
}

static inline void enter32(struct rig *r, bool user)
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

static inline int walk(struct rig *r, u64 va, enum access a, unsigned ctx, struct mapping *m)
{
	memset(m, 0, sizeof(*m));
	return x86_walk(&r->c->cpu, va, a, ctx, false, m);
}
