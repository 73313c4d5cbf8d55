/* SPDX-License-Identifier: GPL-2.0-or-later */
/* commands.c - monitor commands that know x86: what the page tables say (SDM volume 3 chapter 4),
 * and the CPU models. */
#include "core/command.h"
#include "core/debug.h"
#include "core/machine.h"
#include "cpuid.h"
#include "system.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>

enum { P = 1, RW = 2, US = 4, PWT = 8, PCD = 16, A = 32, D = 64, PS = 128, G = 256 };
#define NX BIT64(63)
/* A guest's tables may point at themselves: no more pages than this are told. */
enum { MOST = 1 << 18 };

struct tables {
	struct command_call *c;
	struct x86_cpu *cpu;
	unsigned levels, size; /* of the tables; bytes of an entry */
	unsigned n;
	/* a page: its entry, and the rights that all levels grant */
	void (*page)(struct tables *t, u64 va, u64 entry, u64 bytes, u64 rights);
	u64 start, end, rights; /* of the range that grows */
};

static u64 canonical(const struct tables *t, u64 va)
{
	return t->levels == 4 && va >> 47 & 1 ? va | 0xffffull << 48 : va;
}

/* level: 1 = entries are pages. */
static void walk(struct tables *t, u64 table, unsigned level, u64 va, u64 rights)
{
	unsigned bits = t->size == 8 ? 9 : 10, shift = 12 + bits * (level - 1);
	u8 buf[4096];

	if (debug_read_phys(t->c->m, table, buf, sizeof(buf)))
		return;
	for (unsigned i = 0; i < 4096 / t->size && t->n < MOST; i++) {
		u64 e = t->size == 8 ? ld64le(buf + 8 * i) : ld32le(buf + 4 * i);
		u64 at = va + ((u64)i << shift), both;
		bool large =
			level > 1 && level < 4 && e & PS && (t->size == 8 || t->cpu->cr4 & CR4_PSE);

		if (!(e & P))
			continue;
		both = (rights & e & (RW | US)) | ((rights | e) & NX);
		if (level == 1 || large) {
			t->n++;
			t->page(t, canonical(t, at), e, BIT64(shift), both);
		} else {
			walk(t, e & t->cpu->phys_mask & ~0xfffull, level - 1, at, both);
		}
	}
}

static int walk_all(struct tables *t, struct error *e)
{
	struct x86_cpu *c = t->cpu = X86(t->c->cpu);

	if (!(c->cr0 & CR0_PG)) {
		command_print(t->c, "PG disabled\n");
		return 0;
	}
	t->size = c->cr4 & CR4_PAE ? 8 : 4;
	t->levels = c->efer & EFER_LMA ? 4 : t->size == 8 ? 3 : 2;
	if (t->levels == 3) {
		for (u64 i = 0; i < 4; i++) {
			if (c->pdpte[i] & P)
				walk(t, c->pdpte[i] & c->phys_mask & ~0xfffull, 2, i << 30,
				     RW | US);
		}
	} else {
		walk(t, c->cr3 & (t->size == 8 ? c->phys_mask & ~0xfffull : 0xfffff000), t->levels,
		     0, RW | US);
	}
	if (t->n == MOST)
		command_print(t->c, "(more than %u pages: the rest is left out)\n", MOST);
	return 0;
}

static int is_x86(struct command_call *c, struct error *e)
{
	if (c->cpu && c->cpu->isa->walk == x86_walk)
		return 0;
	return error_ret(e, -ENOTSUP, "the machine has no x86 CPU");
}

/* ---- info tlb */

static void print_page(struct tables *t, u64 va, u64 e, u64 bytes, u64 rights)
{
	command_print(t->c, "%016llx: %016llx %c%c%c%c%c%c%c%c%c\n", (unsigned long long)va,
		      (unsigned long long)(e & t->cpu->phys_mask & ~(bytes - 1)),
		      e & NX && t->size == 8 ? 'X' : '-', e & G ? 'G' : '-',
		      bytes > 4096 ? 'P' : '-', e & D ? 'D' : '-', e & A ? 'A' : '-',
		      e & PCD ? 'C' : '-', e & PWT ? 'T' : '-', e & US ? 'U' : '-',
		      e & RW ? 'W' : '-');
}

static int info_tlb(struct command_call *c, struct error *e)
{
	struct tables t = { .c = c, .page = print_page };
	int err = is_x86(c, e);

	return err ? err : walk_all(&t, e);
}
COMMAND(info_tlb, .hmp = "info tlb", .run = info_tlb,
	.doc = "show what the page tables map, page by page");

/* ---- info mem */

static void print_range(struct tables *t)
{
	if (t->end != t->start)
		command_print(t->c, "%016llx-%016llx %016llx %cr%c\n", (unsigned long long)t->start,
			      (unsigned long long)t->end, (unsigned long long)(t->end - t->start),
			      t->rights & US ? 'u' : '-', t->rights & RW ? 'w' : '-');
}

static void grow_range(struct tables *t, u64 va, u64 e, u64 bytes, u64 rights)
{
	rights &= US | RW;
	if (va != t->end || rights != t->rights || t->end == t->start) {
		print_range(t);
		t->start = va;
		t->rights = rights;
	}
	t->end = va + bytes;
}

static int info_mem(struct command_call *c, struct error *e)
{
	struct tables t = { .c = c, .page = grow_range };
	int err = is_x86(c, e);

	if (!err)
		err = walk_all(&t, e);
	if (!err)
		print_range(&t);
	return err;
}
COMMAND(info_mem, .hmp = "info mem", .run = info_mem,
	.doc = "show what the page tables map, by ranges of equal rights");

/* ---- models */

static int cpu_definitions(struct command_call *c, struct error *e)
{
	const char *isa = c->m->isa ? c->m->isa->name : "x86_64";

	c->result = json_array();
	for (const struct x86_model *m = x86_models; m->name; m++) {
		AUTO_FREE char *type = xasprintf("%s-%s-cpu", m->name, isa);

		json_array_append_new(c->result,
				      json_pack("{s:s, s:s, s:[], s:b, s:b, s:b}", "name", m->name,
						"typename", type, "unavailable-features", "static",
						0, "migration-safe", !str_eq(m->name, "max"),
						"deprecated", 0));
	}
	return 0;
}
COMMAND(cpu_definitions, .qmp = "query-cpu-definitions", .run = cpu_definitions,
	.doc = "the CPU models that -cpu knows");
