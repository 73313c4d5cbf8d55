/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmem.h - reading a guest kernel's memory by virtual address, without any help from the guest.
 * Everything read is the guest's: whoever uses it bounds its loops. x86-64, four and five levels
 * (SDM 3A 4.5). */
#pragma once
#include <quern/types.h>

/* Where bytes come from: a machine's physical memory, or a test's image. */
struct kmem {
	/* 0 or -errno; physical addresses */
	int (*phys)(void *arg, u64 pa, void *buf, size_t n);
	void *arg;
	u64 root;    /* the kernel's page-table root */
	bool level5; /* five-level paging */
	/* before there are page tables: the image as a boot loader placed it, linear_size = 0 when
	 * not */
	u64 linear_va, linear_pa, linear_size;
	/* translations that are left for the present question, NULL = any number: what bounds all
	 * walks through lists that the guest made */
	u64 *budget;
};

/* Physical address of va. -EFAULT: not mapped; *entry then is the entry that says so. *bits, if not
 * NULL: log2 of the page's size, or of what the missing entry would have mapped. */
int must_check kmem_translate(const struct kmem *k, u64 root, u64 va, u64 *pa, u64 *entry,
			      unsigned *bits);
/* All of the bytes or -EFAULT. root 0 = the kernel's. */
int must_check kmem_read(const struct kmem *k, u64 root, u64 va, void *buf, size_t n);
/* A little-endian integer of 1, 2, 4 or 8 bytes. */
int must_check kmem_uint(const struct kmem *k, u64 va, unsigned size, u64 *v);
static inline int must_check kmem_u64(const struct kmem *k, u64 va, u64 *v)
{
	return kmem_uint(k, va, 8, v);
}
/* NUL-terminated text of at most size - 1 bytes; what is longer or not mapped is cut. -EFAULT when
 * not even the first byte is there. */
int must_check kmem_text(const struct kmem *k, u64 va, char *buf, size_t size);
/* A copy of [lo, hi), zeroes where nothing is mapped; free()d by the caller. NULL when nothing at
 * all is mapped, or memory is short. */
u8 *kmem_image(const struct kmem *k, u64 lo, u64 hi);
/* The first mapped address in [lo, hi), or hi. */
u64 kmem_next_mapped(const struct kmem *k, u64 lo, u64 hi);
