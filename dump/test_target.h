/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_target.h - for tests: a small machine with one CPU and memory below and above 4 GiB. */
#pragma once
#include "core/cpu.h"
#include "core/debug.h"
#include "core/machine.h"
#include "core/os.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include "lib/test.h"

enum { LOW = 2 << 20, HIGH = 1 << 20, RAM_BYTES = LOW + HIGH, PML4 = 0x10000 };
#define HIGH_AT BIT64(32)

struct target {
	struct machine *m;
	struct region low, high;
	u8 *mem;
};

static inline void put_reg(struct target *t, const char *name, u64 v)
{
	const struct cpu_reg *r = cpu_reg_find(t->m->cpu[0], name);
	u8 raw[8];

	CHECK(r != NULL);
	st64le(raw, v);
	cpu_reg_set(t->m->cpu[0], r, raw);
}

static const char info[] = "OSRELEASE=6.1.0-test\nPAGESIZE=4096\nNUMBER(phys_base)=-16777216\n";

static inline int fake_vmcoreinfo(struct machine *m, char **text, size_t *n)
{
	*text = xstrdup(info);
	*n = strlen(info);
	return 0;
}
static const struct os fake_os = { .name = "test", .vmcoreinfo = fake_vmcoreinfo };

static inline void target(struct target *t, bool high)
{
	struct error e = { 0 };
	struct cpu *cpu;

	t->m = machine_new();
	CHECK_EQ(region_init_ram(&t->m->ram, t->m, "ram", RAM_BYTES, &e), 0);
	region_init_alias(&t->low, "low", &t->m->ram, 0, LOW);
	region_init_alias(&t->high, "high", &t->m->ram, LOW, HIGH);
	region_add(&t->m->memory_root, 0, &t->low, 0);
	if (high)
		region_add(&t->m->memory_root, HIGH_AT, &t->high, 0);
	t->mem = t->m->ram.ram->host;
	for (size_t i = 0x100000; i < 0x140000; i++)
		t->mem[i] = i >> 4 ^ i >> 12;
	for (size_t i = 0x140000, x = 1; i < 0x150000; i++) /* nothing packs this */
		t->mem[i] = (x = x * 6364136223846793005ull + 1442695040888963407ull) >> 56;
	for (size_t i = LOW; i < RAM_BYTES; i += 8192)
		t->mem[i + 77] = i >> 13;
	t->m->isa = isa_find("x86_64");
	cpu = aligned_alloc(64, ALIGN_UP(t->m->isa->cpu_size, (size_t)64));
	memset(cpu, 0, t->m->isa->cpu_size);
	cpu->isa = t->m->isa;
	cpu->machine = t->m;
	t->m->cpu = xcalloc(1, sizeof(*t->m->cpu));
	t->m->cpu[0] = cpu;
	t->m->ncpus = 1;
	CHECK_EQ(cpu->isa->init(cpu, "qemu64", &e), 0);
	cpu->isa->reset(cpu);
	put_reg(t, "rax", 0x1122334455667788);
	put_reg(t, "rsp", 0xffff888000001000);
}

static inline void long_mode(struct target *t)
{
	put_reg(t, "cr3", PML4);
	put_reg(t, "cr4", 0x20);
	put_reg(t, "efer", 0x500);
	put_reg(t, "cr0", 0x80000011);
}
