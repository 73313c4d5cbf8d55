/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_machine.h - a machine that boots nothing: RAM, one CPU that records how it is entered, and a
 * board's information. */
#pragma once
#include "boot.h"
#include "acpi_test_boards.h"
#include "core/boot_entry.h"
#include "core/cpu.h"
#include "core/device.h"
#include "lib/test.h"
#include <unistd.h>

struct test_machine {
	struct machine *m;
	struct x86_board_info info;
	struct region low, high;
	struct cpu cpu[4], *cpus[4];
	struct boot_options opt;
	char *path; /* of the kernel, for as long as opt names it */
};
static struct boot_entry test_entry[4];

static inline void test_boot_entry(struct cpu *cpu, const struct boot_entry *e)
{
	test_entry[cpu->index] = *e;
}

static const struct isa test_isa = { .name = "test",
				     .cpu_size = sizeof(struct cpu),
				     .boot_entry = test_boot_entry };

static inline void test_machine_fini(struct test_machine *t)
{
	if (!t->m)
		return;
	boot_release(&t->opt);
	t->m->cpu = NULL; /* they are not of the heap */
	t->m->ncpus = 0;
	machine_free(t->m);
	free(t->info.apic_id);
	free(t->path);
	t->m = NULL;
}
/* AUTO_MACHINE struct test_machine t = { 0 }; */
#define AUTO_MACHINE __attribute__((cleanup(test_machine_fini)))

static inline void test_machine_init(struct test_machine *t, u64 ram_low, u64 ram_high,
				     void (*board)(struct x86_board_info *i))
{
	struct error e = { 0 };

	test_machine_fini(t);
	*t = (struct test_machine){ .opt = { .boot_menu_ms = -1, .reboot_ms = -1 } };
	t->m = machine_new();
	board(&t->info);
	t->info.m = t->m;
	t->info.ram_low = ram_low;
	t->info.ram_high = ram_high;
	CHECK_EQ(region_init_ram(&t->m->ram, t->m, "ram", ram_low + ram_high, &e), 0);
	region_init_alias(&t->low, "low", &t->m->ram, 0, ram_low);
	region_add(&t->m->memory_root, 0, &t->low, 0);
	if (ram_high) {
		region_init_alias(&t->high, "high", &t->m->ram, ram_low, ram_high);
		region_add(&t->m->memory_root, BIT64(32), &t->high, 0);
	}
	t->m->ram_size = ram_low + ram_high;
	t->m->board_info = &t->info;
	t->m->isa = &test_isa;
	for (u32 i = 0; i < 4; i++) {
		t->cpu[i] = (struct cpu){ .isa = &test_isa, .machine = t->m, .index = i };
		t->cpus[i] = &t->cpu[i];
	}
	t->m->cpu = t->cpus;
	t->m->ncpus = t->info.ncpus;
	memset(test_entry, 0xee, sizeof(test_entry));
}

static inline u8 *test_ram(struct test_machine *t, u64 off)
{
	CHECK(off < t->m->ram_size);
	return t->m->ram.ram->host + off;
}

/* Writes a file that goes away with the directory of temporary files; the name is the caller's to
 * free. */
static inline char *test_file(const struct bytes *b)
{
	char *path = xstrdup("/tmp/quern-boot-XXXXXX");
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	close(fd);
	CHECK_EQ(bytes_write_file(b, path, NULL), 0);
	return path;
}
