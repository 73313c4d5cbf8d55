/* SPDX-License-Identifier: GPL-2.0-or-later */
/* space.h - memory regions and address spaces: who answers at which address. Regions form a tree
 * (containers, aliases, priorities; rows D5, D6); a space flattens the tree under its root into
 * sorted ranges. Changed by the machine thread only. */
#pragma once
#include <quern/types.h>
#include "../lib/list.h"

struct machine;
struct space;
struct error;

enum region_kind {
	REGION_CONTAINER,
	REGION_RAM,
	REGION_ROM,
	REGION_ROMD,
	REGION_IO,
	REGION_ALIAS,
	REGION_RESERVED
};
/* Results of accesses, ordered by severity. */
enum mem_result { MEM_OK, MEM_ERROR, MEM_DECODE_ERROR };
struct mem_attrs {
	u16 requester;
	u8 secure : 1, user : 1, debug : 1;
};

struct region_ops {
	/* size 1, 2, 4 or 8, already cut to what the device implements. Offsets are within the
	 * region. */
	enum mem_result (*read)(void *opaque, u64 off, unsigned size, u64 *val,
				struct mem_attrs attrs);
	enum mem_result (*write)(void *opaque, u64 off, unsigned size, u64 val,
				 struct mem_attrs attrs);
	bool big_endian;
	/* sizes the guest may use; others are MEM_DECODE_ERROR and a guest error; 0 = 1..8 */
	u8 valid_min, valid_max;
	/* sizes the callbacks want: narrower are widened (read) or merged, wider split; 0 = 1..8 */
	u8 impl_min, impl_max;
	bool valid_unaligned, impl_unaligned;
};

/* Host memory behind RAM and ROM regions. Pages have flags that the translator and dirty logging
 * use. */
struct ram {
	u8 *host; /* zero-filled, unless preset */
	u64 size;
	bool preset; /* of a file: what it holds at the start is not known */
	/* index of its first 4 KiB page among all RAM pages of the machine */
	u64 first_page;
	u8 *page_flags; /* one byte per 4 KiB page, PAGE_* */
};
enum {
	PAGE_CODE = BIT(0) /* translations exist: writers call machine_code_written */,
	PAGE_DIRTY = BIT(1),
	PAGE_WRITABLE = BIT(2) /* the engine may hold fast write entries for it */
};

struct region {
	const char *name;
	enum region_kind kind;
	u64 size; /* 0 means 2^64 */
	struct region *parent;
	u64 at; /* offset in the parent */
	int priority;
	bool enabled, readonly;
	const struct region_ops *ops;
	void *opaque;
	struct ram *ram;
	bool unsaved; /* RAM that snapshots leave alone */
	struct region *alias;
	u64 alias_offset;
	struct list children, link;
	void *owner; /* struct device it belongs to, or NULL: names it in traces */
	struct machine *machine;
};

/* Initialisers: the region is the caller's memory and must stay while mapped. name is kept by
 * pointer. */
void region_init_container(struct region *r, const char *name, u64 size);
void region_init_reserved(struct region *r, const char *name, u64 size);
void region_init_io(struct region *r, const char *name, u64 size, const struct region_ops *ops,
		    void *opaque);
/* Allocates host memory (released by region_fini). -ENOMEM with a sentence when the host has not
 * enough. */
int must_check region_init_ram(struct region *r, struct machine *m, const char *name, u64 size,
			       struct error *e);
int must_check region_init_rom(struct region *r, struct machine *m, const char *name, u64 size,
			       struct error *e);
/* Reads come from memory, writes go to ops (flash); region_romd_set switches reads to ops too. */
int must_check region_init_romd(struct region *r, struct machine *m, const char *name, u64 size,
				const struct region_ops *ops, void *opaque, struct error *e);
void region_romd_set(struct region *r, bool reads_from_memory);
void region_init_alias(struct region *r, const char *name, struct region *target, u64 offset,
		       u64 size);
void region_fini(struct region *r);
/* Children: higher priority wins where they overlap; equal priority: the later added. */
void region_add(struct region *parent, u64 at, struct region *child, int priority);
void region_remove(struct region *child);
void region_move(struct region *child, u64 at);
void region_set_enabled(struct region *r, bool enabled);
/* RAM and aliases of RAM: writes are ignored (PAM shadowing) */
void region_set_readonly(struct region *r, bool readonly);
/* Several changes, one re-flattening. */
void space_begin(struct machine *m);
void space_commit(struct machine *m);

/* One piece of the flattened view. */
struct flat_range {
	u64 start, last;       /* both included */
	struct region *region; /* RAM, ROM, ROMD, IO or RESERVED; never an alias */
	u64 offset;	       /* in the region, of start */
	bool readonly;
};
struct space {
	const char *name;
	struct machine *machine;
	struct region *root;
	struct flat_range *ranges;
	size_t nranges;
	u32 generation; /* changes with every re-flattening */
	struct list link, listeners;
};
struct space_listener {
	/* after a re-flattening (engines drop their TLBs) */
	void (*changed)(struct space_listener *l, struct space *s);
	struct list link;
};

void space_init(struct space *s, struct machine *m, const char *name, struct region *root);
void space_fini(struct space *s);
void space_listen(struct space *s, struct space_listener *l);
/* The range with addr in it, or NULL where nothing is mapped. */
const struct flat_range *space_lookup(const struct space *s, u64 addr);
/* Transfers of any length and alignment, cut at range ends and to device sizes. Returns the worst
 * result; unmapped reads give all-ones. RAM writes mark pages dirty and invalidate translations. */
enum mem_result space_read(struct space *s, u64 addr, void *buf, size_t n, struct mem_attrs attrs);
enum mem_result space_write(struct space *s, u64 addr, const void *buf, size_t n,
			    struct mem_attrs attrs);
/* One guest access of 1, 2, 4, 8 bytes (little-endian value). */
enum mem_result space_ld(struct space *s, u64 addr, unsigned size, u64 *val,
			 struct mem_attrs attrs);
enum mem_result space_st(struct space *s, u64 addr, unsigned size, u64 val, struct mem_attrs attrs);
/* One access to an IO (or ROMD) region at an offset: what the translator's slow path calls. Traces
 * memory_region_ops_*. */
enum mem_result region_ld(struct region *r, u64 off, unsigned size, u64 *val,
			  struct mem_attrs attrs);
enum mem_result region_st(struct region *r, u64 off, unsigned size, u64 val,
			  struct mem_attrs attrs);
/* Host pointer to up to *n bytes of RAM (ROM when !write) at addr, *n cut to what is contiguous;
 * NULL when it is not RAM. A writer calls space_dirty afterwards. */
void *space_map(struct space *s, u64 addr, size_t *n, bool write);
void space_dirty(struct space *s, u64 addr, size_t n);
/* `info mtree [-f]` text. */
void space_print(struct space *s, bool flat, void (*line)(void *arg, const char *text), void *arg);
/* of all spaces of the machine */
void spaces_print(struct machine *m, bool flat, void (*line)(void *arg, const char *text),
		  void *arg);
