/* SPDX-License-Identifier: GPL-2.0-or-later */
/* corefile.c - a CPU's notes in ELF dumps, and what its page tables map. NT_PRSTATUS as Linux lays
 * out struct elf_prstatus (uapi elfcore.h, asm/ptrace.h); the note "QEMU" as crash and libkdumpfile
 * read it: version 1 of a fixed record. Tables: SDM volume 3 chapter 4. */
#include "system.h"
#include "core/corefile.h"
#include "core/machine.h"
#include "lib/alloc.h"

enum { EM_386 = 3, EM_X86_64 = 62, NT_PRSTATUS = 1 };

static u16 machine(const struct cpu *cpu, bool *wide)
{
	*wide = X86(cpu)->efer & EFER_LMA;
	return *wide ? EM_X86_64 : EM_386;
}

/* ---- notes */

enum { R_FLAGS = 16, R_PC, R_ORIG, R_FSBASE, R_GSBASE, R_SEG };

static u64 value(const struct x86_cpu *c, unsigned r)
{
	switch (r) {
	case R_FLAGS:
		return x86_eflags(c);
	case R_PC:
		return c->cpu.pc;
	case R_ORIG:
		return ~0ull; /* no system call */
	case R_FSBASE:
		return c->seg[S_FS].base;
	case R_GSBASE:
		return c->seg[S_GS].base;
	default:
		return r < 16 ? c->gpr[r] : c->seg[r - R_SEG].sel;
	}
}

#define SEL(s) (R_SEG + (s))
static const u8 regs64[] = { 15,	14,	   13,	      12,	R_BP,	  R_BX,
			     11,	10,	   9,	      8,	R_AX,	  R_CX,
			     R_DX,	R_SI,	   R_DI,      R_ORIG,	R_PC,	  SEL(S_CS),
			     R_FLAGS,	R_SP,	   SEL(S_SS), R_FSBASE, R_GSBASE, SEL(S_DS),
			     SEL(S_ES), SEL(S_FS), SEL(S_GS) };
static const u8 regs32[] = { R_BX, R_CX,      R_DX,	 R_SI,	    R_DI,      R_BP,
			     R_AX, SEL(S_DS), SEL(S_ES), SEL(S_FS), SEL(S_GS), R_ORIG,
			     R_PC, SEL(S_CS), R_FLAGS,	 R_SP,	    SEL(S_SS) };

/* Of what a thread has, a CPU has its registers and, for tools that want one, a number. */
static size_t prstatus(const struct x86_cpu *c, bool wide, u8 out[336])
{
	size_t size = wide ? 336 : 144;

	memset(out, 0, size);
	st32le(out + (wide ? 32 : 24), c->cpu.index + 1);
	for (size_t i = 0; wide && i < ARRAY_SIZE(regs64); i++)
		st64le(out + 112 + 8 * i, value(c, regs64[i]));
	for (size_t i = 0; !wide && i < ARRAY_SIZE(regs32); i++)
		st32le(out + 72 + 4 * i, value(c, regs32[i]));
	return size;
}

static u8 *put_segment(u8 *p, u32 sel, u32 limit, u32 attr, u64 base)
{
	st32le(p, sel);
	st32le(p + 4, limit);
	st32le(p + 8, (attr & 0xf0ff) << 8); /* as in the descriptor's second half */
	st32le(p + 12, 0);
	st64le(p + 16, base);
	return p + 24;
}

static size_t full_state(const struct x86_cpu *c, u8 out[440])
{
	static const u8 order[] = { R_AX, R_BX, R_CX, R_DX, R_SI, R_DI, R_SP, R_BP, 8,
				    9,	  10,	11,   12,   13,	  14,	15,   R_PC, R_FLAGS };
	static const u8 segs[] = { S_CS, S_DS, S_ES, S_FS, S_GS, S_SS, S_LDTR, S_TR };
	const u64 cr[] = { c->cr0, 0, c->cr2, c->cr3, c->cr4 };
	u8 *p = out;

	st32le(p, 1);
	st32le(p + 4, 440);
	p += 8;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++, p += 8)
		st64le(p, value(c, order[i]));
	for (size_t i = 0; i < ARRAY_SIZE(segs); i++) {
		const struct x86_seg *s = &c->seg[segs[i]];

		p = put_segment(p, s->sel, s->limit, s->attr, s->base);
	}
	p = put_segment(p, 0, c->gdt.limit, 0, c->gdt.base);
	p = put_segment(p, 0, c->idt.limit, 0, c->idt.base);
	for (size_t i = 0; i < ARRAY_SIZE(cr); i++, p += 8)
		st64le(p, cr[i]);
	st64le(p, c->msr.kernel_gs_base);
	return p + 8 - out;
}

static void notes(struct cpu *cpu, bool wide,
		  void (*note)(void *arg, const char *name, u32 type, const void *desc, size_t n),
		  void *arg)
{
	u8 status[336], state[440];
	size_t n = prstatus(X86(cpu), wide, status);

	note(arg, "CORE", NT_PRSTATUS, status, n);
	n = full_state(X86(cpu), state);
	note(arg, "QEMU", 0, state, n);
}

/* ---- page tables */

enum { P = 1, PS = 128 };
/* Tables are read once for each place that they are mapped at, and a system may use one table in
 * many places (KASAN's shadow does); more than this is nonsense or malice. */
enum { VISITS = 1 << 20, PLACES = 64 };

struct tables {
	struct x86_cpu *c;
	void (*map)(void *arg, u64 va, u64 pa, u64 size);
	void *arg;
	u32 visits;
	bool large; /* 64-bit entries */
	u64 addr;   /* the address bits of an entry */
	/* how often a table was seen, by a hash of its address: an estimate from above */
	u16 *seen;
};
enum { SEEN = 1 << 16 };

static u64 canonical(u64 va) { return va >> 47 & 1 ? va | ~0ull << 48 : va; }

static u64 large_frame(const struct tables *t, u64 e, unsigned shift)
{
	if (t->large)
		return e & t->addr & ~(BIT64(shift) - 1);
	return (e & 0xffc00000) | ((e >> 13 & 0xff) << 32); /* PSE-36 */
}

static bool is_large(const struct tables *t, u64 e, unsigned shift)
{
	if (!(e & PS) || shift > 30)
		return false;
	return t->large || t->c->cr4 & CR4_PSE;
}

/* A table whose entries map 1 << shift bytes each. */
static bool walk_table(struct tables *t, u64 at, u64 va, unsigned shift)
{
	unsigned bits = t->large ? 9 : 10, size = t->large ? 8 : 4;
	u16 *seen = &t->seen[(at >> 12) % SEEN];
	u8 page[4096];

	if (++t->visits > VISITS)
		return false;
	if (*seen == PLACES)
		return true;
	++*seen;
	space_read(&t->c->cpu.machine->memory, at, page, sizeof(page),
		   (struct mem_attrs){ .debug = 1 });
	for (unsigned i = 0; i < 1u << bits; i++) {
		u64 e = t->large ? ld64le(page + 8 * i) : ld32le(page + size * i),
		    to = va | (u64)i << shift;

		if (!(e & P))
			continue;
		to = shift == 39 ? canonical(to) : to;
		if (shift == 12)
			t->map(t->arg, to, e & t->addr, 4096);
		else if (is_large(t, e, shift))
			t->map(t->arg, to, large_frame(t, e, shift), BIT64(shift));
		else if (!walk_table(t, e & t->addr, to, shift - bits))
			return false;
	}
	return true;
}

static bool mappings(struct cpu *cpu, void (*map)(void *arg, u64 va, u64 pa, u64 size), void *arg)
{
	struct x86_cpu *c = X86(cpu);
	struct tables t = { .c = c, .map = map, .arg = arg, .large = c->cr4 & CR4_PAE };
	bool done = true;

	if (!(c->cr0 & CR0_PG))
		return true;
	t.addr = t.large ? c->phys_mask & ~0xfffull : 0xfffff000;
	t.seen = xcalloc(SEEN, sizeof(*t.seen));
	if (c->efer & EFER_LMA)
		done = walk_table(&t, c->cr3 & t.addr, 0, 39);
	else if (!t.large)
		done = walk_table(&t, c->cr3 & t.addr, 0, 22);
	else
		for (u64 i = 0; i < 4 && done; i++)
			if (c->pdpte[i] & P)
				done = walk_table(&t, c->pdpte[i] & t.addr, i << 30, 21);
	free(t.seen);
	return done;
}

const struct corefile_isa x86_corefile = { .machine = machine,
					   .notes = notes,
					   .mappings = mappings };
