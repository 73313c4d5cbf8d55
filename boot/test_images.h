/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_images.h - small kernel files made up for tests, each malloc'ed. */
#pragma once
#include "image.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <errno.h>

/*
 * An ELF64 (or 32) executable with two segments, 0x1000 bytes at paddr and 0x100 bytes + bss at
 * paddr + 0x2000, and optionally a PVH note. The second lies 0x2800 behind the first in the file.
 */
static inline struct bytes test_elf_at(bool is64, u64 paddr, bool pvh, u64 first)
{
	u32 eh = is64 ? 64 : 52, ph = is64 ? 56 : 32;
	struct bytes b = { calloc(1, first + 0x3000), first + 0x3000 };
	u8 *d = b.data, *p = d + eh;

	memcpy(d, "\177ELF", 4);
	d[4] = is64 ? 2 : 1;
	d[5] = d[6] = 1;
	st16le(d + 16, 2);
	st16le(d + 18, is64 ? 62 : 3);
	if (is64) {
		st64le(d + 24, paddr + 0x10);
		st64le(d + 32, eh);
	} else {
		st32le(d + 24, paddr + 0x10);
		st32le(d + 28, eh);
	}
	st16le(d + (is64 ? 54 : 42), ph);
	st16le(d + (is64 ? 56 : 44), pvh ? 3 : 2);
	for (unsigned i = 0; i < 2; i++, p += ph) {
		u64 off = first + i * 0x2800, at = paddr + i * 0x2000, filesz = i ? 0x100 : 0x1000,
		    memsz = i ? 0x3000 : 0x1000;

		st32le(p, 1);
		if (is64) {
			st64le(p + 8, off);
			st64le(p + 16, 0xffffffff80000000 + at);
			st64le(p + 24, at);
			st64le(p + 32, filesz);
			st64le(p + 40, memsz);
		} else {
			st32le(p + 4, off);
			st32le(p + 8, 0xc0000000 + at);
			st32le(p + 12, at);
			st32le(p + 16, filesz);
			st32le(p + 20, memsz);
		}
	}
	if (pvh) {
		u8 *n = d + 0x200;

		st32le(p, 4);
		if (is64) {
			st64le(p + 8, 0x200);
			st64le(p + 32, 20);
		} else {
			st32le(p + 4, 0x200);
			st32le(p + 16, 20);
		}
		st32le(n, 4);
		st32le(n + 4, 4);
		st32le(n + 8, 18);
		memcpy(n + 12, "Xen", 4);
		st32le(n + 16, paddr + 0x20);
	}
	for (unsigned i = 0; i < 0x1000; i++)
		d[first + i] = i * 7;
	memset(d + first + 0x2800, 0x5a, 0x100);
	memset(d + first + 0x2900, 0xaa, 0x700);
	return b;
}

static inline struct bytes test_elf(bool is64, u64 paddr, bool pvh)
{
	return test_elf_at(is64, paddr, pvh, 0x400);
}

/* A bzImage of protocol 2.15 with that payload at offset 0x300 of its protected-mode part. */
static inline struct bytes test_bzimage(const void *payload, u32 size)
{
	struct bytes b = { calloc(1, 1024 + 0x300 + size + 16), 1024 + 0x300 + size + 16 };
	u8 *d = b.data;

	d[HDR_SETUP_SECTS] = 1;
	st16le(d + 0x1f2, 1);
	st16le(d + HDR_BOOT_FLAG, 0xaa55);
	st16le(d + HDR_JUMP, 0x6aeb);
	memcpy(d + HDR_MAGIC, "HdrS", 4);
	st16le(d + HDR_VERSION, 0x20f);
	d[HDR_LOADFLAGS] = LOADED_HIGH;
	st32le(d + HDR_CODE32_START, 0x100000);
	st32le(d + HDR_INITRD_ADDR_MAX, 0x7fffffff);
	st32le(d + HDR_KERNEL_ALIGNMENT, 0x200000);
	d[HDR_RELOCATABLE] = 1;
	d[HDR_MIN_ALIGNMENT] = 21;
	st16le(d + HDR_XLOADFLAGS, 0x7f);
	st32le(d + HDR_CMDLINE_SIZE, 2047);
	st32le(d + HDR_PAYLOAD_OFFSET, 0x300);
	st32le(d + HDR_PAYLOAD_LENGTH, size);
	st64le(d + HDR_PREF_ADDRESS, 0x1000000);
	st32le(d + HDR_INIT_SIZE, 0x100000);
	memcpy(d + 1024 + 0x300, payload, size);
	return b;
}

/* A multiboot kernel with address fields: header at 0x40, loaded at load_addr, bss behind. */
static inline struct bytes test_multiboot(u32 load_addr, u32 flags)
{
	struct bytes b = { calloc(1, 0x800), 0x800 };
	u8 *h = b.data + 0x40;

	st32le(h, 0x1badb002);
	st32le(h + 4, flags);
	st32le(h + 8, -(0x1badb002 + flags));
	st32le(h + 12, load_addr + 0x40);
	st32le(h + 16, load_addr);
	st32le(h + 20, load_addr + 0x800);
	st32le(h + 24, load_addr + 0x2000);
	st32le(h + 28, load_addr + 0x80);
	memset(b.data + 0x80, 0xf4, 0x80);
	return b;
}
