/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pages.c - why a byte of a task's memory is not there: what its page-table entry says when it is
 * not a mapping (arch/x86/include/asm/pgtable_64.h, "Encode/decode swap entries"; include/linux/
 * swapops.h for the types that are no swap areas). */
#include "guest/linux.h"
#include <errno.h>
#include <stdio.h>

enum { SWAP_TYPE_SHIFT = 59, SWAP_OFFSET_SHIFT = 9 };

/* Types above those of swap areas. Which is which depends on the kernel's configuration. */
static void describe_special(u64 type, u64 offset, char *buf, size_t size)
{
	snprintf(buf, size,
		 "not a swap area but special entry %llu (being migrated, device memory, a marker "
		 "or "
		 "a hardware error), offset %#llx",
		 (unsigned long long)type, (unsigned long long)offset);
}

static void describe_swap(struct linux_os *l, u64 entry, char *buf, size_t size)
{
	/* the offset is stored inverted (L1TF) below the type */
	u64 type = entry >> SWAP_TYPE_SHIFT;
	u64 offset = (~entry & (BIT64(SWAP_TYPE_SHIFT) - 1)) >> SWAP_OFFSET_SHIFT;
	u64 areas = 0, info, file, name;
	char path[64] = "";

	if (linux_sym_get(l, "nr_swapfiles", 4, &areas) || type >= areas) {
		describe_special(type, offset, buf, size);
		return;
	}
	if (!linux_sym(l, "swap_info", &info) && !kmem_u64(&l->mem, info + 8 * type, &info) &&
	    !linux_get(l, info, "swap_info_struct.swap_file", &file) &&
	    !linux_get(l, file, "file.f_path.dentry", &file) &&
	    !linux_get(l, file, "dentry.d_name.name", &name) &&
	    kmem_text(&l->mem, name, path, sizeof(path)))
		path[0] = 0;
	snprintf(buf, size, "swapped out: type %llu%s%s%s, offset %llu", (unsigned long long)type,
		 *path ? " (" : "", path, *path ? ")" : "", (unsigned long long)offset);
}

int linux_why_unmapped(struct linux_os *l, const struct os_task *t, u64 va, char *buf, size_t size)
{
	unsigned bits;
	u64 pa, entry;

	if (!t->root) {
		snprintf(buf, size, "%s (pid %u) is a kernel thread: it has no memory of its own",
			 t->comm, t->pid);
		return 0;
	}
	if (!kmem_translate(&l->mem, t->root, va, &pa, &entry, &bits)) {
		snprintf(buf, size, "it is mapped, to physical address %#llx",
			 (unsigned long long)pa);
		return 0;
	}
	if (!entry)
		snprintf(buf, size,
			 "nothing is mapped at %#llx: the address is outside of all mappings, or "
			 "was "
			 "never touched",
			 (unsigned long long)va);
	else if (entry & BIT(8)) /* _PAGE_PROTNONE is the global bit of an absent entry */
		snprintf(buf, size, "present at physical address %#llx, but without any permission",
			 (unsigned long long)((~entry & GENMASK64(51, 12)) | (va & 4095)));
	else if (bits > 12)
		snprintf(buf, size, "a page table entry for %llu KiB is not present: %#llx",
			 BIT64(bits) >> 10, (unsigned long long)entry);
	else
		describe_swap(l, entry, buf, size);
	return 0;
}
