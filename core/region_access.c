/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * region_access.c - one access to an I/O region: the sizes a guest may use (valid), the sizes a
 * device implements (impl), what lies between them (splitting, widening, merging, byte order), and
 * the access trace.
 */
#include "core/region_access.h"
#include "core/cpu.h"
#include "core/device.h"
#include "core/machine.h"

static u64 size_mask(unsigned size) { return size >= 8 ? ~0ull : BIT64(size * 8) - 1; }

static u64 swap(u64 val, unsigned size)
{
	return size == 1 ? val : __builtin_bswap64(val) >> (64 - size * 8);
}

static u64 absolute(const struct region *r, u64 off)
{
	for (; r; r = r->parent)
		off += r->at;
	return off;
}

static int cpu_index(const struct region *r)
{
	const struct machine *m = r->machine;

	return m && m->current ? (int)m->current->index : -1;
}

/* The whole access lies in [off & ~(unit-1), ...): the aligned units of `unit` bytes around it are
 * used. */
struct cut {
	unsigned unit, skip; /* skip: bytes of the first unit before the access */
	u64 start;
};

static struct cut cut(const struct region_ops *ops, u64 off, unsigned size)
{
	unsigned min = ops->impl_min ? ops->impl_min : 1, max = ops->impl_max ? ops->impl_max : 8;
	struct cut c = { .unit = MAX(MIN(size, max), min), .start = off };

	if (!ops->impl_unaligned && off % c.unit) {
		/* the largest aligned unit not below what the device wants */
		while (c.unit > min && off % c.unit)
			c.unit /= 2;
	}
	if (off % c.unit && (!ops->impl_unaligned || size < c.unit)) {
		c.skip = off % c.unit;
		c.start = off - c.skip;
	}
	return c;
}

static enum mem_result check_valid(struct region *r, u64 off, unsigned size, bool write)
{
	const struct region_ops *ops = r->ops;
	unsigned min = ops->valid_min ? ops->valid_min : 1,
		 max = ops->valid_max ? ops->valid_max : 8;

	if (size >= min && size <= max && (ops->valid_unaligned || off % size == 0))
		return MEM_OK;
	guest_error(r->owner,
		    "%s of %u bytes at offset %#llx of %s: this size or alignment is not "
		    "implemented",
		    write ? "write" : "read", size, (unsigned long long)off, r->name);
	return MEM_DECODE_ERROR;
}

enum mem_result region_ld(struct region *r, u64 off, unsigned size, u64 *val,
			  struct mem_attrs attrs)
{
	const struct region_ops *ops = r->ops;
	enum mem_result worst = MEM_OK;
	unsigned have = 0;
	u8 bytes[24];
	struct cut c;

	*val = size_mask(size);
	if (!ops || !ops->read)
		return MEM_DECODE_ERROR;
	worst = check_valid(r, off, size, false);
	if (worst)
		return worst;
	c = cut(ops, off, size);
	for (; have < c.skip + size; have += c.unit) {
		u64 piece = ~0ull;
		enum mem_result res = ops->read(r->opaque, c.start + have, c.unit, &piece, attrs);

		worst = MAX(worst, res);
		st64le(&bytes[have],
		       ops->big_endian ? swap(piece & size_mask(c.unit), c.unit) : piece);
	}
	*val = ld64le(&bytes[c.skip]) & size_mask(size);
	trace(NULL, "memory_region_ops_read",
	      "cpu %d mr %p addr 0x%llx value 0x%llx size %u name '%s'", cpu_index(r), (void *)r,
	      (unsigned long long)absolute(r, off), (unsigned long long)*val, size, r->name);
	return worst;
}

enum mem_result region_st(struct region *r, u64 off, unsigned size, u64 val, struct mem_attrs attrs)
{
	const struct region_ops *ops = r->ops;
	enum mem_result worst = MEM_OK;
	u8 bytes[24];
	struct cut c;

	val &= size_mask(size);
	trace(NULL, "memory_region_ops_write",
	      "cpu %d mr %p addr 0x%llx value 0x%llx size %u name '%s'", cpu_index(r), (void *)r,
	      (unsigned long long)absolute(r, off), (unsigned long long)val, size, r->name);
	if (!ops || !ops->write)
		return MEM_DECODE_ERROR;
	worst = check_valid(r, off, size, true);
	if (worst)
		return worst;
	c = cut(ops, off, size);
	for (unsigned have = 0; have < c.skip + size; have += c.unit) {
		bool whole = have >= c.skip && have + c.unit <= c.skip + size;
		enum mem_result res;
		u64 piece = 0;

		/* bytes around a narrow write keep what the device shows there */
		if (!whole && ops->read)
			worst = MAX(worst,
				    ops->read(r->opaque, c.start + have, c.unit, &piece, attrs));
		st64le(bytes, ops->big_endian ? swap(piece & size_mask(c.unit), c.unit) : piece);
		for (unsigned i = 0; i < c.unit; i++) {
			if (have + i >= c.skip && have + i < c.skip + size)
				bytes[i] = val >> (have + i - c.skip) * 8;
		}
		piece = ld64le(bytes) & size_mask(c.unit);
		res = ops->write(r->opaque, c.start + have, c.unit,
				 ops->big_endian ? swap(piece, c.unit) : piece, attrs);
		worst = MAX(worst, res);
	}
	return worst;
}

/* The largest access that fits: a power of two within what guests may use, aligned unless any
 * alignment is allowed. */
static unsigned chunk(const struct region *r, u64 off, size_t n)
{
	unsigned max = r->ops && r->ops->valid_max ? r->ops->valid_max : 8, size = max;

	while (size > 1 && (size > n || (off % size && !(r->ops && r->ops->valid_unaligned))))
		size /= 2;
	return size;
}

enum mem_result region_read_bytes(struct region *r, u64 off, u8 *buf, size_t n,
				  struct mem_attrs attrs)
{
	enum mem_result worst = MEM_OK;

	while (n) {
		unsigned size = chunk(r, off, n);
		u8 bytes[8];
		u64 val;
		enum mem_result res = region_ld(r, off, size, &val, attrs);

		worst = MAX(worst, res);
		st64le(bytes, val);
		memcpy(buf, bytes, size);
		buf += size;
		off += size;
		n -= size;
	}
	return worst;
}

enum mem_result region_write_bytes(struct region *r, u64 off, const u8 *buf, size_t n,
				   struct mem_attrs attrs)
{
	enum mem_result worst = MEM_OK;

	while (n) {
		unsigned size = chunk(r, off, n);
		u8 bytes[8] = { 0 };
		enum mem_result res;

		memcpy(bytes, buf, size);
		res = region_st(r, off, size, ld64le(bytes), attrs);
		worst = MAX(worst, res);
		buf += size;
		off += size;
		n -= size;
	}
	return worst;
}
