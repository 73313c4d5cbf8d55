/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmem.c - page walks and reads by virtual address. The walk is here and not the CPU's own because
 * it also has to say how large a hole is, and because tests walk images of memory without a CPU.
 * SDM volume 3A, section 4.5. */
#include "guest/kmem.h"
#include <errno.h>
#include <stdlib.h>

#define ADDR_MASK GENMASK64(51, 12)
enum { PRESENT = BIT(0), LARGE = BIT(7) };

static u64 canonical(const struct kmem *k, u64 va)
{
	unsigned shift = k->level5 ? 7 : 16;

	return (u64)((s64)(va << shift) >> shift);
}

int kmem_translate(const struct kmem *k, u64 root, u64 va, u64 *pa, u64 *entry, unsigned *bits)
{
	unsigned top = k->level5 ? 48 : 39;
	u64 table = (root ? root : k->root) & ADDR_MASK, e = 0;
	u8 raw[8];

	if (entry)
		*entry = 0;
	if (bits)
		*bits = top + 9;
	if (k->budget && !*k->budget)
		return -EFAULT;
	if (k->budget)
		--*k->budget;
	if (k->linear_size && !root) {
		if (va - k->linear_va >= k->linear_size)
			return -EFAULT;
		*pa = va - k->linear_va + k->linear_pa;
		if (bits)
			*bits = 12;
		return 0;
	}
	if (canonical(k, va) != va)
		return -EFAULT;
	for (unsigned shift = top;; shift -= 9) {
		if (k->phys(k->arg, table + (va >> shift & 511) * 8, raw, 8) < 0)
			return -EFAULT;
		e = ld64le(raw);
		if (entry)
			*entry = e;
		if (bits)
			*bits = shift;
		if (!(e & PRESENT))
			return -EFAULT;
		if (shift == 12 || ((e & LARGE) && shift <= 30)) {
			*pa = (e & ADDR_MASK & ~(BIT64(shift) - 1)) | (va & (BIT64(shift) - 1));
			return 0;
		}
		table = e & ADDR_MASK;
	}
}

int kmem_read(const struct kmem *k, u64 root, u64 va, void *buf, size_t n)
{
	u8 *to = buf;

	while (n) {
		unsigned bits;
		u64 pa, left;
		size_t now;
		int err = kmem_translate(k, root, va, &pa, NULL, &bits);

		if (err)
			return err;
		left = BIT64(bits) - (va & (BIT64(bits) - 1));
		now = MIN((u64)n, left);
		if (k->phys(k->arg, pa, to, now) < 0)
			return -EFAULT;
		to += now;
		n -= now;
		if (add_overflow(va, now, &va) && n)
			return -EFAULT;
	}
	return 0;
}

int kmem_uint(const struct kmem *k, u64 va, unsigned size, u64 *v)
{
	u8 raw[8] = { 0 };
	int err = size <= 8 ? kmem_read(k, 0, va, raw, size) : -EINVAL;

	*v = err ? 0 : ld64le(raw);
	return err;
}

int kmem_text(const struct kmem *k, u64 va, char *buf, size_t size)
{
	size_t n = 0;

	while (n < size - 1) {
		/* never past a page that may be the last one */
		size_t now = MIN(size - 1 - n, (size_t)(4096 - ((va + n) & 4095)));

		if (kmem_read(k, 0, va + n, buf + n, now) < 0)
			break;
		if (memchr(buf + n, 0, now))
			return 0;
		n += now;
	}
	buf[n] = 0;
	return n ? 0 : -EFAULT;
}

u64 kmem_next_mapped(const struct kmem *k, u64 lo, u64 hi)
{
	while (lo < hi) {
		unsigned bits;
		u64 pa, next;

		if (!kmem_translate(k, 0, lo, &pa, NULL, &bits))
			return lo;
		if (add_overflow(ALIGN_DOWN(lo, BIT64(bits)), BIT64(bits), &next))
			return hi;
		lo = next;
	}
	return hi;
}

u8 *kmem_image(const struct kmem *k, u64 lo, u64 hi)
{
	u8 *image = calloc(1, hi - lo);
	bool any = false;

	if (!image)
		return NULL;
	for (u64 at = lo; at < hi;) {
		unsigned bits;
		u64 pa, next, now;

		if (!kmem_translate(k, 0, at, &pa, NULL, &bits)) {
			now = MIN(BIT64(bits) - (at & (BIT64(bits) - 1)), hi - at);
			now = MIN(now, (u64)2 << 20);
			any |= k->phys(k->arg, pa, image + (at - lo), now) == 0;
			at += now;
		} else if (add_overflow(ALIGN_DOWN(at, BIT64(bits)), BIT64(bits), &next)) {
			break;
		} else {
			at = next;
		}
	}
	if (!any) {
		free(image);
		return NULL;
	}
	return image;
}
