/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pvh.c - starts an ELF kernel by its PVH entry point: Xen's docs/misc/pvh.pandoc and
 * public/arch-x86/hvm/start_info.h, version 1. */
#include "linux.h"
#include <errno.h>

enum {
	MAGIC = 0x336ec578,
	INFO_SIZE = 56,
	MODULE_SIZE = 32,
	MEMMAP_SIZE = 24,
	CMDLINE_MAX = 0x10000
};

static int put_memmap(struct start *s, u64 *at, struct error *e)
{
	u8 map[E820_MAX * MEMMAP_SIZE] = { 0 };

	for (unsigned i = 0; i < s->e820.n; i++) {
		st64le(map + MEMMAP_SIZE * i, s->e820.at[i].base);
		st64le(map + MEMMAP_SIZE * i + 8, s->e820.at[i].size);
		st32le(map + MEMMAP_SIZE * i + 16, s->e820.at[i].type);
	}
	return plan_put(s->plan, "the PVH memory map", START_LOW, START_LOW_END, 8, map,
			s->e820.n * MEMMAP_SIZE, at, e);
}

static int put_module(struct start *s, u64 *list, struct error *e)
{
	u8 module[MODULE_SIZE] = { 0 };
	u64 at;
	int err;

	*list = 0;
	if (!s->initrd.size)
		return 0;
	if (!plan_find(s->plan, 0x100000, s->top, s->initrd.size, 4096, true, &at))
		return error_ret(e, -E2BIG,
				 "initrd is too large, cannot support: it has %llu MiB and does "
				 "not fit beside the kernel: use a larger -m",
				 (unsigned long long)((u64)s->initrd.size >> 20));
	err = plan_add(s->plan, "the initrd", at, s->initrd.size, s->initrd.data, s->initrd.size,
		       e);
	if (err)
		return err;
	st64le(module, at);
	st64le(module + 8, s->initrd.size);
	return plan_put(s->plan, "the PVH module list", START_LOW, START_LOW_END, 8, module,
			sizeof(module), list, e);
}

int pvh_start(struct start *s, struct error *e)
{
	const struct kernel_image *k = s->kernel;
	u64 memmap = 0, modules = 0, cmdline = 0;
	u8 info[INFO_SIZE] = { 0 };
	int err = start_elf_segments(s, &k->elf, k->file.data, 0, 0, e);

	if (!err)
		err = put_memmap(s, &memmap, e);
	if (!err)
		err = put_module(s, &modules, e);
	if (!err)
		err = start_cmdline(s, CMDLINE_MAX, &cmdline, e);
	if (!err)
		err = start_gdt(s, false, e);
	if (err)
		return err;
	st32le(info, MAGIC);
	st32le(info + 4, 1);
	st32le(info + 12, modules ? 1 : 0);
	st64le(info + 16, modules);
	st64le(info + 24, cmdline);
	st64le(info + 32, s->rsdp);
	st64le(info + 40, memmap);
	st32le(info + 48, s->e820.n);
	s->plan->entry.mode = BOOT_X86_PROT32;
	s->plan->entry.pc = k->elf.pvh_entry;
	s->plan->entry.tr = 0x20;
	s->plan->has_entry = true;
	return plan_put(s->plan, "the PVH start information", START_LOW, START_LOW_END, 8, info,
			sizeof(info), &s->plan->entry.rbx, e);
}
