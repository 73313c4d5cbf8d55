/* SPDX-License-Identifier: GPL-2.0-or-later */
/* space_test.c - flattening against a slow resolver, accesses of all widths, dirty pages. */
#include "core/machine.h"
#include "core/space.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/hash.h"
#include "lib/test.h"
#include <stdio.h>

static const struct mem_attrs none;

static void end_machine(struct machine **m) { machine_free(*m); }

/* Declared in this order, the machine goes last. */
#define AUTO_MACHINE __attribute__((cleanup(end_machine)))
#define AUTO_REGION  __attribute__((cleanup(region_fini)))

static const char *who(struct space *s, u64 addr)
{
	const struct flat_range *f = space_lookup(s, addr);

	return f ? f->region->name : "-";
}

/* A container of higher priority lies over a plain region; what its children leave free shows the
 * region below. */
TEST(space_holes_fall_through)
{
	AUTO_MACHINE struct machine *m = machine_new();
	AUTO_REGION struct region low = { 0 };
	AUTO_REGION struct region box = { 0 };
	AUTO_REGION struct region left = { 0 };
	AUTO_REGION struct region right = { 0 };

	region_init_reserved(&low, "low", 0x9000);
	region_init_container(&box, "box", 0x6000);
	region_init_reserved(&left, "left", 0x1000);
	region_init_reserved(&right, "right", 0x1000);
	region_add(&m->memory_root, 0, &low, 1);
	region_add(&m->memory_root, 0x2000, &box, 2);
	region_add(&box, 0, &left, 0);
	region_add(&box, 0x3000, &right, 0);
	CHECK_EQ(m->memory.nranges, 5);
	CHECK_STR(who(&m->memory, 0x1fff), "low");
	CHECK_STR(who(&m->memory, 0x2000), "left");
	CHECK_STR(who(&m->memory, 0x3000), "low");
	CHECK_STR(who(&m->memory, 0x5000), "right");
	CHECK_STR(who(&m->memory, 0x6000), "low");
	CHECK_STR(who(&m->memory, 0x9000), "-");
	CHECK_EQ(space_lookup(&m->memory, 0x6123)->offset, 0x6000);
	/* the box's own priority decides, not its children's; below low it vanishes */
	region_remove(&box);
	region_add(&m->memory_root, 0x2000, &box, 0);
	CHECK_EQ(m->memory.nranges, 1);
	region_set_enabled(&low, false);
	CHECK_EQ(m->memory.nranges, 2);
	CHECK_STR(who(&m->memory, 0x3000), "-");
}

TEST(space_equal_priority_later_wins)
{
	AUTO_MACHINE struct machine *m = machine_new();
	AUTO_REGION struct region a = { 0 };
	AUTO_REGION struct region b = { 0 };

	region_init_reserved(&a, "a", 0x2000);
	region_init_reserved(&b, "b", 0x2000);
	region_add(&m->memory_root, 0, &a, 0);
	region_add(&m->memory_root, 0x1000, &b, 0);
	CHECK_STR(who(&m->memory, 0x1000), "b");
	region_move(&b, 0x800);
	CHECK_STR(who(&m->memory, 0x7ff), "a");
	CHECK_STR(who(&m->memory, 0x800), "b");
	CHECK_STR(who(&m->memory, 0x27ff), "b");
}

TEST(space_aliases_chain_and_cut)
{
	AUTO_MACHINE struct machine *m = machine_new();
	AUTO_REGION struct region ram = { 0 };
	AUTO_REGION struct region first = { 0 };
	AUTO_REGION struct region second = { 0 };
	u8 byte = 0x5a;

	CHECK_EQ(region_init_ram(&ram, m, "ram", 0x4000, NULL), 0);
	region_init_alias(&first, "first", &ram, 0x1000, 0x3000);
	region_init_alias(&second, "second", &first, 0x800, 0x1000);
	region_add(&m->memory_root, 0x10000, &second, 0);
	CHECK_EQ(m->memory.nranges, 1);
	CHECK_EQ(m->memory.ranges[0].start, 0x10000);
	CHECK_EQ(m->memory.ranges[0].last, 0x10fff);
	CHECK_EQ(m->memory.ranges[0].offset, 0x1800);
	CHECK_EQ(space_write(&m->memory, 0x10004, &byte, 1, none), MEM_OK);
	CHECK_EQ(ram.ram->host[0x1804], 0x5a);
	/* read-only through the alias alone */
	region_set_readonly(&second, true);
	byte = 1;
	CHECK_EQ(space_write(&m->memory, 0x10004, &byte, 1, none), MEM_OK);
	CHECK_EQ(ram.ram->host[0x1804], 0x5a);
}

TEST(space_alias_target_changes_are_seen)
{
	AUTO_MACHINE struct machine *m = machine_new();
	AUTO_REGION struct region pci = { 0 };
	AUTO_REGION struct region window = { 0 };
	AUTO_REGION struct region bar = { 0 };

	region_init_container(&pci, "pci", 0);
	region_init_alias(&window, "window", &pci, 0xc0000000, 0x10000000);
	region_add(&m->memory_root, 0xc0000000, &window, 0);
	region_init_reserved(&bar, "bar", 0x1000);
	region_add(&pci, 0xc0100000, &bar, 1);
	CHECK_STR(who(&m->memory, 0xc0100000), "bar");
	region_move(&bar, 0xd0000000);
	CHECK_STR(who(&m->memory, 0xc0100000), "-");
	CHECK_STR(who(&m->memory, 0xd0000000), "-");
}

TEST(space_last_byte_of_all)
{
	AUTO_MACHINE struct machine *m = machine_new();
	AUTO_REGION struct region top = { 0 };
	u8 b[16];

	region_init_reserved(&top, "top", 0x1000);
	region_add(&m->memory_root, ~0xfffull, &top, 0);
	CHECK_STR(who(&m->memory, ~0ull), "top");
	memset(b, 0, sizeof(b));
	CHECK_EQ(space_read(&m->memory, ~0xfull, b, 16, none), MEM_DECODE_ERROR);
	CHECK_EQ(b[15], 0xff);
}

/* ---- random trees */

enum { NODES = 14, SPAN = 256 };
struct tree {
	struct region r[NODES];
	char name[NODES][8];
	unsigned n;
};

static u64 rnd(u64 *s) { return hash_u64(++*s); }

/* Resolves one address as the rules are written: first child that answers in order of drawing. */
static struct region *resolve(struct region *r, u64 addr, u64 *off)
{
	struct region *c, *hit;

	if (!r->enabled || (r->size && addr >= r->size))
		return NULL;
	if (r->kind == REGION_ALIAS)
		return resolve(r->alias, addr + r->alias_offset, off);
	list_for_each (c, &r->children, link) {
		hit = addr >= c->at ? resolve(c, addr - c->at, off) : NULL;
		if (hit)
			return hit;
	}
	*off = addr;
	return r->kind == REGION_CONTAINER ? NULL : r;
}

static void grow(struct tree *t, struct region *root, u64 *seed)
{
	for (t->n = 0; t->n < NODES; t->n++) {
		struct region *r = &t->r[t->n], *parent = root;
		u64 what = rnd(seed) % 6, size = 1 + rnd(seed) % 96;

		snprintf(t->name[t->n], sizeof(t->name[0]), "n%u", t->n);
		if (what < 2 || !t->n)
			region_init_container(r, t->name[t->n], size);
		else if (what < 5)
			region_init_reserved(r, t->name[t->n], size);
		else /* of an earlier one: no circles */
			region_init_alias(r, t->name[t->n], &t->r[rnd(seed) % t->n], rnd(seed) % 32,
					  size);
		if (t->n && rnd(seed) % 2)
			parent = &t->r[rnd(seed) % t->n];
		if (parent->kind == REGION_ALIAS)
			parent = root;
		/* an alias that shows its own ancestor would be a circle */
		if (r->kind == REGION_ALIAS)
			parent = root;
		region_add(parent, rnd(seed) % 128, r, (int)(rnd(seed) % 3) - 1);
	}
}

static void compare(struct space *s, struct region *root)
{
	for (u64 addr = 0; addr < SPAN; addr++) {
		const struct flat_range *f = space_lookup(s, addr);
		u64 off = 0;
		struct region *want = resolve(root, addr, &off);

		CHECK_EQ(f ? f->region : NULL, want);
		if (f)
			CHECK_EQ(f->offset + (addr - f->start), off);
	}
	for (size_t i = 1; i < s->nranges; i++)
		CHECK(s->ranges[i - 1].last < s->ranges[i].start);
}

TEST(space_random_trees)
{
	u64 seed = 1;

	for (unsigned round = 0; round < 300; round++) {
		struct machine *m = machine_new();
		struct tree *t = NEW(struct tree);

		grow(t, &m->memory_root, &seed);
		compare(&m->memory, &m->memory_root);
		for (unsigned i = 0; i < 10; i++) {
			struct region *r = &t->r[rnd(&seed) % NODES];

			if (rnd(&seed) % 2)
				region_set_enabled(r, !r->enabled);
			else
				region_move(r, rnd(&seed) % 128);
			compare(&m->memory, &m->memory_root);
		}
		for (unsigned i = 0; i < NODES; i++)
			region_fini(&t->r[i]);
		machine_free(m);
		free(t);
	}
}

/* ---- generation and listeners */

static unsigned calls;
static void count_change(struct space_listener *l, struct space *s) { calls++; }

TEST(space_transaction_tells_once)
{
	AUTO_MACHINE struct machine *m = machine_new();
	struct space_listener l = { .changed = count_change };
	AUTO_REGION struct region a = { 0 };
	AUTO_REGION struct region b = { 0 };
	u32 generation;

	space_listen(&m->memory, &l);
	region_init_reserved(&a, "a", 0x1000);
	region_init_reserved(&b, "b", 0x1000);
	space_begin(m);
	region_add(&m->memory_root, 0, &a, 0);
	region_add(&m->memory_root, 0x1000, &b, 0);
	CHECK_EQ(calls, 0);
	space_commit(m);
	CHECK_EQ(calls, 1);
	generation = m->memory.generation;
	/* nothing that shows has changed */
	region_set_enabled(&a, false);
	CHECK_EQ(m->memory.generation, generation + 1);
	space_begin(m);
	region_set_enabled(&a, true);
	region_set_enabled(&a, false);
	space_commit(m);
	CHECK_EQ(m->memory.generation, generation + 1);
}

/* ---- memory */

static u64 written_page;
static unsigned written_off, written_n, written_calls;
static void code_written(struct machine *m, u64 page, unsigned off, unsigned n)
{
	written_page = page;
	written_off = off;
	written_n = n;
	written_calls++;
}

TEST(space_ram_dirty_and_code)
{
	AUTO_MACHINE struct machine *m = machine_new();
	AUTO_REGION struct region other = { 0 };
	AUTO_REGION struct region ram = { 0 };
	u8 buf[8192] = { 0 };
	size_t n = 100000;

	CHECK_EQ(region_init_ram(&other, m, "other", 0x3000, NULL), 0);
	CHECK_EQ(region_init_ram(&ram, m, "ram", 0x4000, NULL), 0);
	CHECK_EQ(ram.ram->first_page, 3);
	region_add(&m->memory_root, 0x1000, &ram, 0);
	m->code_written = code_written;
	CHECK_EQ(space_st(&m->memory, 0x1ffe, 4, 0x11223344, none), MEM_OK);
	CHECK_EQ(ram.ram->page_flags[0], PAGE_DIRTY);
	CHECK_EQ(ram.ram->page_flags[1], PAGE_DIRTY);
	CHECK_EQ(ram.ram->page_flags[2], 0);
	CHECK_EQ(ld32le(ram.ram->host + 0xffe), 0x11223344);
	CHECK_EQ(written_calls, 0);
	ram.ram->page_flags[1] |= PAGE_CODE;
	CHECK_EQ(space_write(&m->memory, 0x1ff0, buf, 0x20, none), MEM_OK);
	CHECK_EQ(written_calls, 1);
	CHECK_EQ(written_page, 4);
	CHECK_EQ(written_off, 0);
	CHECK_EQ(written_n, 0x10);
	CHECK_EQ(space_map(&m->memory, 0x2000, &n, true), ram.ram->host + 0x1000);
	CHECK_EQ(n, 0x3000);
	space_dirty(&m->memory, 0x2004, 8);
	CHECK_EQ(written_calls, 2);
	CHECK_EQ(written_off, 4);
	/* past the end: the part that is there is written, the verdict is the worst */
	memset(buf, 7, sizeof(buf));
	CHECK_EQ(space_write(&m->memory, 0x4ff8, buf, 16, none), MEM_DECODE_ERROR);
	CHECK_EQ(ram.ram->host[0x3fff], 7);
}

TEST(space_ram_sizes_are_checked)
{
	AUTO_MACHINE struct machine *m = machine_new();
	struct error e = { 0 };
	AUTO_REGION struct region r = { 0 };

	CHECK(region_init_ram(&r, m, "zero", 0, &e) < 0);
	CHECK(error_is_set(&e));
	error_clear(&e);
	CHECK(region_init_ram(&r, m, "huge", ~0ull, &e) < 0);
	CHECK(error_is_set(&e));
	error_clear(&e);
	CHECK(region_init_ram(&r, m, "much", 1ull << 46, &e) < 0);
	CHECK(error_is_set(&e));
	error_clear(&e);
}

/* ---- callbacks */

struct probe {
	u8 bytes[64];
	unsigned sizes[32], n;
	bool big;
};

static enum mem_result probe_read(void *opaque, u64 off, unsigned size, u64 *val,
				  struct mem_attrs attrs)
{
	struct probe *p = opaque;

	p->sizes[p->n++ % 32] = size;
	*val = 0;
	for (unsigned i = 0; i < size; i++)
		*val |= (u64)p->bytes[off + i] << (p->big ? size - 1 - i : i) * 8;
	return MEM_OK;
}

static enum mem_result probe_write(void *opaque, u64 off, unsigned size, u64 val,
				   struct mem_attrs attrs)
{
	struct probe *p = opaque;

	p->sizes[p->n++ % 32] = size;
	for (unsigned i = 0; i < size; i++)
		p->bytes[off + i] = val >> (p->big ? size - 1 - i : i) * 8;
	return MEM_OK;
}

/* Whatever a device implements and in whichever byte order, memory order stays: 0x00, 0x01, 0x02...
 */
TEST(region_splits_and_merges)
{
	for (unsigned big = 0; big < 2; big++) {
		for (unsigned min = 1; min <= 8; min *= 2) {
			for (unsigned max = min; max <= 8; max *= 2) {
				struct region_ops ops = {
					probe_read,	 probe_write,	  .big_endian = big,
					.impl_min = min, .impl_max = max, .valid_unaligned = true
				};
				struct probe p = { .big = big };
				struct region r;

				region_init_io(&r, "probe", 64, &ops, &p);
				for (unsigned size = 1; size <= 8; size *= 2) {
					for (unsigned off = 0; off < 16; off++) {
						u64 val, want = 0;

						for (unsigned i = 0; i < 64; i++)
							p.bytes[i] = i;
						p.n = 0;
						CHECK_EQ(region_ld(&r, off, size, &val, none),
							 MEM_OK);
						for (unsigned i = 0; i < size; i++)
							want |= (u64)(off + i) << i * 8;
						CHECK_EQ(val, want);
						for (unsigned i = 0; i < p.n; i++)
							CHECK(p.sizes[i] >= min &&
							      p.sizes[i] <= max);
						CHECK_EQ(region_st(&r, off, size,
								   0xa7a6a5a4a3a2a1a0ull, none),
							 MEM_OK);
						for (unsigned i = 0; i < 64; i++)
							CHECK_EQ(p.bytes[i],
								 i >= off && i < off + size ?
									 0xa0 + i - off :
									 i);
					}
				}
			}
		}
	}
}

TEST(region_refuses_what_is_not_valid)
{
	struct region_ops ops = { probe_read, probe_write, .valid_min = 2, .valid_max = 4 };
	struct probe p = { 0 };
	struct region r;
	u64 val;

	region_init_io(&r, "probe", 64, &ops, &p);
	CHECK_EQ(region_ld(&r, 0, 1, &val, none), MEM_DECODE_ERROR);
	CHECK_EQ(val, 0xff);
	CHECK_EQ(region_ld(&r, 0, 8, &val, none), MEM_DECODE_ERROR);
	CHECK_EQ(region_ld(&r, 2, 4, &val, none), MEM_DECODE_ERROR);
	CHECK_EQ(region_st(&r, 1, 2, 0, none), MEM_DECODE_ERROR);
	CHECK_EQ(p.n, 0);
	CHECK_EQ(region_ld(&r, 2, 2, &val, none), MEM_OK);
}

TEST(space_long_transfers_reach_devices)
{
	struct region_ops ops = { probe_read, probe_write, .valid_max = 4 };
	struct machine *m = machine_new();
	struct probe p = { 0 };
	struct region r;
	u8 buf[64];

	region_init_io(&r, "probe", 64, &ops, &p);
	region_add(&m->memory_root, 0x1000, &r, 0);
	for (unsigned i = 0; i < 64; i++)
		buf[i] = i;
	CHECK_EQ(space_write(&m->memory, 0x1003, buf, 21, none), MEM_OK);
	CHECK_EQ(p.sizes[0], 1);
	CHECK_EQ(p.sizes[1], 4);
	CHECK_MEM(p.bytes + 3, buf, 21);
	memset(buf, 0, sizeof(buf));
	CHECK_EQ(space_read(&m->memory, 0x1003, buf, 21, none), MEM_OK);
	CHECK_MEM(p.bytes + 3, buf, 21);
	u64 val = 0;
	CHECK_EQ(space_ld(&m->memory, 0x500, 2, &val, none), MEM_DECODE_ERROR);
	CHECK_EQ(val, 0xffff);
	machine_free(m);
}

TEST(space_romd_switches)
{
	struct region_ops ops = { probe_read, probe_write };
	AUTO_MACHINE struct machine *m = machine_new();
	struct probe p = { .bytes = { 0x99 } };
	AUTO_REGION struct region r = { 0 };
	u32 generation;
	u64 val;

	CHECK_EQ(region_init_romd(&r, m, "flash", 0x1000, &ops, &p, NULL), 0);
	region_add(&m->memory_root, 0, &r, 0);
	r.ram->host[0] = 0x42;
	CHECK_EQ(space_ld(&m->memory, 0, 1, &val, none), MEM_OK);
	CHECK_EQ(val, 0x42);
	CHECK_EQ(space_st(&m->memory, 1, 1, 0x77, none), MEM_OK);
	CHECK_EQ(p.bytes[1], 0x77);
	CHECK_EQ(r.ram->host[1], 0);
	generation = m->memory.generation;
	region_romd_set(&r, false);
	CHECK(m->memory.generation != generation);
	CHECK_EQ(space_ld(&m->memory, 0, 1, &val, none), MEM_OK);
	CHECK_EQ(val, 0x99);
	region_romd_set(&r, true);
	CHECK_EQ(space_ld(&m->memory, 0, 1, &val, none), MEM_OK);
	CHECK_EQ(val, 0x42);
}
