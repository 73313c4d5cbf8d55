/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kaslr.c - moves a relocatable vmlinux in virtual space, as its decompressor does with
 * CONFIG_RANDOMIZE_BASE. The relocations follow the ELF: lists of 32-bit places, each list begun by
 * a zero: 64-bit fields, (kernels before 6.15) 32-bit fields relative to a place that does not
 * move, 32-bit fields. A 32-bit kernel has one list. */
#include "linux.h"
#include <errno.h>

u64 elf_file_end(const struct elf_image *elf, const u8 *data, u64 size)
{
	u64 end = 0, shoff = elf->is64 ? ld64le(data + 40) : ld32le(data + 32);
	u64 shsize =
		(u64)ld16le(data + (elf->is64 ? 58 : 46)) * ld16le(data + (elf->is64 ? 60 : 48));

	for (unsigned i = 0; i < elf->nsegments; i++)
		end = MAX(end, elf->segment[i].offset + elf->segment[i].filesz);
	if (shoff && range_fits(shoff, shsize, size))
		end = MAX(end, shoff + shsize);
	return end;
}

/* A place is told by its address in the kernel's image, which for per-CPU data is not the address
 * it is linked at: then by where it is loaded. */
static u8 *field_at(u8 *image, const struct elf_image *elf, u64 vaddr, unsigned width)
{
	u64 paddr = vaddr - elf->segment[0].vaddr + elf->segment[0].paddr;

	for (unsigned i = 0; i < elf->nsegments; i++) {
		const struct elf_segment *g = &elf->segment[i];

		if (range_fits(paddr - g->paddr, width, g->filesz))
			return image + g->offset + (paddr - g->paddr);
	}
	return NULL;
}

/* List number n counted from the end: 0 = 32-bit fields, then 32-bit inverse where there are three,
 * then 64-bit. */
static void apply(u8 *f, unsigned n, bool inverse, u64 delta)
{
	if (n == 0)
		st32le(f, ld32le(f) + (u32)delta);
	else if (n == 1 && inverse)
		st32le(f, ld32le(f) - (u32)delta);
	else
		st64le(f, ld64le(f) + delta);
}

int kaslr_relocate(u8 *image, u64 size, const struct elf_image *elf, u64 delta, const char *name,
		   struct error *e)
{
	u64 start = elf_file_end(elf, image, size);
	unsigned lists = 0, n = 0;

	for (u64 at = start; range_fits(at, 4, size); at += 4)
		lists += !ld32le(image + at);
	if (!range_fits(start, 4, size) || ld32le(image + start) || lists < 1 || lists > 3 ||
	    !elf->is64 != (lists == 1))
		return error_ret(e, -EINVAL,
				 "kernel file '%s' has no relocations: kaslr=on needs a kernel "
				 "with CONFIG_RANDOMIZE_BASE",
				 name);
	for (u64 at = start + (size - start) / 4 * 4 - 4; at > start; at -= 4) {
		u32 place = ld32le(image + at);
		bool wide = n > 0 && !(n == 1 && lists == 3);
		u64 vaddr = elf->is64 ? (u64)(s64)(s32)place : place;
		u8 *f;

		if (!place) {
			n++;
			continue;
		}
		f = field_at(image, elf, vaddr, wide ? 8 : 4);
		if (!f)
			return error_ret(e, -EINVAL,
					 "kernel file '%s': a relocation at %#llx lies outside the "
					 "kernel",
					 name, (unsigned long long)vaddr);
		apply(f, n, lists == 3, delta);
	}
	return 0;
}
