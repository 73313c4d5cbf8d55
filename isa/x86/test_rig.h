/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_rig.h - for tests: a machine of one CPU with memory and an engine of either tier, in which
 * whole programs run. */
#pragma once
#include "system.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/test.h"
#include <stdio.h>

enum {
	RAM = 4 << 20,
	GDT = 0x1000,
	IDT = 0x2000,
	PML4 = 0x10000,
	PDPT = 0x11000,
	PD = 0x12000,
	PT = 0x13000,
	CODE = 0x100000,
	K_CS = 0x10,
	K_SS = 0x18
};
enum { CODE64 = 0xa09b, CODE32 = 0xc09b, DATA32 = 0xc093 };

struct rig {
	struct machine *m;
	struct region ram;
	struct x86_cpu *c;
	u8 *mem;
};

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

static inline void rig(struct rig *r, unsigned tier)
{
	struct engine_options o = { .tier = (u8)tier, .cache_bytes = 8 << 20 };
	struct error e = { 0 };

	rig_free(r);
	r->m = machine_new();
	CHECK(!region_init_ram(&r->ram, r->m, "ram", RAM, &e));
	region_add(&r->m->memory_root, 0, &r->ram, 0);
	r->m->isa = isa_find("x86_64");
	CHECK(engine_new(r->m, &o, &e));
	r->c = xalloc(sizeof(*r->c));
	r->c->cpu.isa = r->m->isa;
	r->c->cpu.machine = r->m;
	r->m->cpu = xcalloc(1, sizeof(*r->m->cpu));
	r->m->cpu[0] = &r->c->cpu;
	r->m->ncpus = 1;
	CHECK(!r->c->cpu.isa->init(&r->c->cpu, NULL, &e));
	CHECK(!engine_add_cpu(r->m->engine, &r->c->cpu));
	r->c->cpu.isa->reset(&r->c->cpu);
}

static inline void write_mem(struct rig *r, u64 at, const void *p, size_t n)
{
	CHECK(space_write(&r->m->memory, at, p, n, (struct mem_attrs){ 0 }) == MEM_OK);
}

static inline void read_mem(struct rig *r, u64 at, void *p, size_t n)
{
	CHECK(space_read(&r->m->memory, at, p, n, (struct mem_attrs){ 0 }) == MEM_OK);
}

static inline void poke(struct rig *r, u64 at, u64 v, unsigned n)
{
	u8 b[8];

	st64le(b, v);
	write_mem(r, at, b, n);
}

static inline u64 peek(struct rig *r, u64 at, unsigned n)
{
	u8 b[8] = { 0 };

	read_mem(r, at, b, n);
	return ld64le(b);
}

static inline u64 desc(u32 base, u32 limit, u16 attr)
{
	return (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)(attr & 0xf0ff) << 40 |
	       (u64)(limit >> 16 & 15) << 48 | (u64)(base >> 24) << 56;
}

static inline void set_seg(struct x86_cpu *c, unsigned s, u16 sel, u16 attr)
{
	c->seg[s] = (struct x86_seg){ .sel = sel, .limit = 0xffffffff, .attr = attr };
}

static inline void protected_mode(struct rig *r, bool wide)
{
	struct x86_cpu *c = r->c;

	poke(r, GDT + K_CS, desc(0, 0xfffff, wide ? CODE64 : CODE32), 8);
	poke(r, GDT + K_SS, desc(0, 0xfffff, DATA32), 8);
	c->gdt.base = GDT;
	c->gdt.limit = 0xff;
	c->idt.base = IDT;
	c->idt.limit = 0xfff;
	c->cr0 = CR0_PE | CR0_ET;
	if (wide) {
		poke(r, PML4, PDPT | 7, 8);
		poke(r, PDPT, PD | 7, 8);
		for (u64 i = 0; i < 2; i++)
			poke(r, PD + 8 * i, (PT + i * 4096) | 7, 8);
		for (u64 i = 0; i < 1024; i++)
			poke(r, PT + i * 8, i << 12 | 0x67, 8);
		c->cr3 = PML4;
		c->cr4 = CR4_PAE;
		c->efer = EFER_LME | EFER_LMA;
		c->cr0 |= CR0_PG | CR0_WP;
		cpu_tlb_flush_all(&c->cpu);
	}
	set_seg(c, S_CS, K_CS, wide ? CODE64 : CODE32);
	set_seg(c, S_SS, K_SS, DATA32);
	c->seg[S_DS] = c->seg[S_ES] = c->seg[S_SS];
	x86_update_mode(c);
}

static inline void gate64(struct rig *r, unsigned vector, u64 handler)
{
	poke(r, IDT + vector * 16,
	     (handler & 0xffff) | (u64)K_CS << 16 | 0x8e00ull << 32 |
		     (handler >> 16 & 0xffff) << 48,
	     8);
	poke(r, IDT + vector * 16 + 8, handler >> 32, 8);
}

/* Until it halts. */
static inline void go(struct rig *r, u64 pc)
{
	r->c->cpu.halted = false;
	r->c->cpu.stopped = false;
	r->c->cpu.pc = pc;
	engine_run(r->m->engine, &r->c->cpu);
	CHECK(r->c->cpu.halted);
}

#define PROGRAM(r, at, bytes) write_mem(r, at, bytes, sizeof(bytes) - 1)
