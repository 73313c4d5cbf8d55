/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elf.h - an ELF executable as a boot loader sees it: what goes where in physical memory, and where
 * to enter. */
#pragma once
#include <quern/types.h>
#include "lib/error.h"

enum { ELF_MAX_SEGMENTS = 64 };

struct elf_segment {
	u64 offset, filesz;	 /* in the file; checked to lie inside it */
	u64 paddr, vaddr, memsz; /* memsz >= filesz; paddr + memsz does not wrap */
};

struct elf_image {
	bool is64;
	u64 entry;
	struct elf_segment segment[ELF_MAX_SEGMENTS]; /* PT_LOAD with memsz > 0 */
	unsigned nsegments;
	u64 lo, hi; /* physical extent [lo, hi) of all segments */
	bool has_pvh;
	u64 pvh_entry; /* XEN_ELFNOTE_PHYS32_ENTRY */
};

bool elf_is(const u8 *data, u64 size);
/* Reads the headers of an x86 executable; name is for the sentence. */
int elf_parse(struct elf_image *elf, const u8 *data, u64 size, const char *name,
	      struct error *e) must_check;
/* The physical address of a virtual one by the program headers; false when no segment holds it. */
bool elf_vaddr_to_paddr(const struct elf_image *elf, u64 vaddr, u64 *paddr);
