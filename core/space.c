/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * space.c - the region tree and its flattening into sorted ranges, and transfers through a space.
 * A region is drawn below its children; among children the higher priority, then the later added,
 * is drawn first; whatever is already drawn stays. Containers draw nothing themselves, so holes
 * show what lies below them.
 */
#include "core/space.h"
#include "core/memory_backend.h"
#include "core/private.h"
#include "core/ram.h"
#include "core/region_access.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <errno.h>
#include <stdio.h>

#define PAGE   4096ull
#define NO_END ((u128)1 << 64)

static u128 region_end(const struct region *r) { return r->size ? r->size : NO_END; }

static void region_init(struct region *r, enum region_kind kind, const char *name, u64 size)
{
	memset(r, 0, sizeof(*r));
	r->kind = kind;
	r->name = name;
	r->size = size;
	r->enabled = true;
	list_init(&r->children);
	list_init(&r->link);
}

void region_init_container(struct region *r, const char *name, u64 size)
{
	region_init(r, REGION_CONTAINER, name, size);
}

void region_init_reserved(struct region *r, const char *name, u64 size)
{
	region_init(r, REGION_RESERVED, name, size);
}

void region_init_io(struct region *r, const char *name, u64 size, const struct region_ops *ops,
		    void *opaque)
{
	region_init(r, REGION_IO, name, size);
	r->ops = ops;
	r->opaque = opaque;
}

static int init_memory(struct region *r, struct machine *m, enum region_kind kind, const char *name,
		       u64 size, struct error *e)
{
	struct memory_backend plain = { .size = ALIGN_UP(size, PAGE), .fd = -1 }, *const part =
											  &plain;

	region_init(r, kind, name, size);
	if (!size || size > (u64)PTRDIFF_MAX - PAGE)
		return error_ret(e, -EINVAL, "memory '%s' cannot have a size of %llu bytes", name,
				 (unsigned long long)size);
	r->ram = ram_new(m, name, &part, 1, e);
	if (!r->ram)
		return -ENOMEM;
	r->ram->size = size;
	r->machine = m;
	r->readonly = kind == REGION_ROM;
	return 0;
}

int region_init_ram_of(struct region *r, struct machine *m, const char *name,
		       struct memory_backend *const *part, unsigned n, struct error *e)
{
	u64 size = 0;

	for (unsigned i = 0; i < n; i++) {
		if (part[i]->used)
			return error_ret(e, -EBUSY, "memory backend '%s' is in use already",
					 part[i]->id);
		if (part[i]->rom)
			return error_ret(e, -EROFS,
					 "memory backend '%s' is read-only and cannot be main "
					 "memory; with rom=off the guest's writes stay its own",
					 part[i]->id);
		part[i]->used = true;
		if (add_overflow(size, part[i]->size, &size) || size > (u64)PTRDIFF_MAX - PAGE)
			return error_ret(e, -EINVAL, "memory '%s' is too large", name);
	}
	region_init(r, REGION_RAM, name, size);
	r->ram = ram_new(m, name, part, n, e);
	if (!r->ram)
		return -ENOMEM;
	r->machine = m;
	return 0;
}

int region_init_ram(struct region *r, struct machine *m, const char *name, u64 size,
		    struct error *e)
{
	return init_memory(r, m, REGION_RAM, name, size, e);
}

int region_init_rom(struct region *r, struct machine *m, const char *name, u64 size,
		    struct error *e)
{
	return init_memory(r, m, REGION_ROM, name, size, e);
}

int region_init_romd(struct region *r, struct machine *m, const char *name, u64 size,
		     const struct region_ops *ops, void *opaque, struct error *e)
{
	int err = init_memory(r, m, REGION_ROMD, name, size, e);

	r->ops = ops;
	r->opaque = opaque;
	return err;
}

void region_init_alias(struct region *r, const char *name, struct region *target, u64 offset,
		       u64 size)
{
	region_init(r, REGION_ALIAS, name, size);
	r->alias = target;
	r->alias_offset = offset;
}

void region_fini(struct region *r)
{
	struct region *child, *tmp;

	if (!r->name)
		return;
	if (r->parent)
		region_remove(r);
	list_for_each_safe (child, tmp, &r->children, link)
		region_remove(child);
	if (r->ram)
		ram_free(r->ram);
	memset(r, 0, sizeof(*r));
}

/* Tells a tree, and what its aliases show, which machine sees it: changes in it then lead to a
 * re-flattening. */
static void set_machine(struct region *r, struct machine *m)
{
	struct region *child;

	for (; r; r = r->parent) {
		if (r->machine == m && r->kind != REGION_ALIAS && list_empty(&r->children))
			continue;
		r->machine = m;
		list_for_each (child, &r->children, link) {
			if (child->machine != m)
				set_machine(child, m);
		}
		if (r->alias && r->alias->machine != m)
			set_machine(r->alias, m);
	}
}

/* ---- flattening */

struct view {
	struct flat_range *at;
	size_t n, cap;
};

static void view_insert(struct view *v, size_t pos, u128 start, u128 end, struct region *r,
			u64 offset, bool readonly)
{
	if (v->n == v->cap) {
		v->cap = v->cap ? v->cap * 2 : 32;
		v->at = xrealloc(v->at, v->cap * sizeof(*v->at));
	}
	memmove(&v->at[pos + 1], &v->at[pos], (v->n - pos) * sizeof(*v->at));
	v->at[pos] = (struct flat_range){ start, end - 1, r, offset, readonly };
	v->n++;
}

/* Fills what is still free of [start, end) with r, whose offset 0 is at base. */
static void view_fill(struct view *v, struct region *r, __int128 base, u128 start, u128 end,
		      bool readonly)
{
	size_t i = 0;

	while (i < v->n && v->at[i].last < start)
		i++;
	while (start < end) {
		u128 stop = i < v->n ? v->at[i].start : end;

		if (start < stop) {
			view_insert(v, i, start, MIN(stop, end), r, (u64)((__int128)start - base),
				    readonly);
			i++;
		}
		if (i >= v->n)
			break;
		start = MAX(start, (u128)v->at[i].last + 1);
		i++;
	}
}

static void render(struct view *v, struct region *r, __int128 base, __int128 lo, __int128 hi,
		   bool readonly, unsigned depth)
{
	struct region *child;

	if (!r->enabled || depth > 64)
		return;
	base += r->at;
	lo = MAX(lo, base);
	hi = MIN(hi, base + (__int128)region_end(r));
	if (lo >= hi)
		return;
	readonly |= r->readonly;
	if (r->kind == REGION_ALIAS) {
		render(v, r->alias, base - r->alias_offset - r->alias->at, lo, hi, readonly,
		       depth + 1);
		return;
	}
	list_for_each (child, &r->children, link)
		render(v, child, base, lo, hi, readonly, depth + 1);
	if (r->kind != REGION_CONTAINER)
		view_fill(v, r, base, lo, hi, readonly);
}

static void view_merge(struct view *v)
{
	size_t out = 0;

	for (size_t i = 0; i < v->n; i++) {
		struct flat_range *a = &v->at[out ? out - 1 : 0], *b = &v->at[i];

		if (out && a->region == b->region && a->last + 1 == b->start &&
		    a->readonly == b->readonly && a->offset + (b->start - a->start) == b->offset)
			a->last = b->last;
		else
			v->at[out++] = *b;
	}
	v->n = out;
}

static bool same_ranges(const struct space *s, const struct view *v)
{
	if (s->nranges != v->n)
		return false;
	for (size_t i = 0; i < v->n; i++) {
		const struct flat_range *a = &s->ranges[i], *b = &v->at[i];

		if (a->start != b->start || a->last != b->last || a->region != b->region ||
		    a->offset != b->offset || a->readonly != b->readonly)
			return false;
	}
	return true;
}

static void flatten(struct space *s, bool force)
{
	struct space_listener *l;
	struct view v = { 0 };

	if (s->root)
		render(&v, s->root, -(__int128)s->root->at, 0, NO_END, false, 0);
	view_merge(&v);
	if (!force && same_ranges(s, &v)) {
		free(v.at);
		return;
	}
	free(s->ranges);
	s->ranges = v.at;
	s->nranges = v.n;
	s->generation++;
	list_for_each (l, &s->listeners, link)
		l->changed(l, s);
}

static void update(struct machine *m)
{
	struct machine_private *p = m->priv;
	struct space *s;
	bool force = p->space_force;

	p->space_dirty = p->space_force = false;
	list_for_each (s, &p->spaces, link)
		flatten(s, force);
}

/* Something at r changed. force: in a way that the ranges themselves do not show. */
static void changed(struct region *r, bool force)
{
	struct machine *m = r->machine;

	if (!m || !m->priv)
		return;
	m->priv->space_dirty = true;
	m->priv->space_force |= force;
	if (!m->priv->space_depth)
		update(m);
}

void space_begin(struct machine *m) { m->priv->space_depth++; }

void space_commit(struct machine *m)
{
	if (--m->priv->space_depth == 0 && m->priv->space_dirty)
		update(m);
}

/* ---- changes of the tree */

static void insert_child(struct region *parent, struct region *child)
{
	struct region *c;
	struct list *before = &parent->children;

	list_for_each (c, &parent->children, link) {
		if (child->priority >= c->priority) {
			before = &c->link;
			break;
		}
	}
	list_add_tail(before, &child->link);
}

void region_add(struct region *parent, u64 at, struct region *child, int priority)
{
	if (child->parent)
		region_remove(child);
	child->parent = parent;
	child->at = at;
	child->priority = priority;
	insert_child(parent, child);
	if (parent->machine)
		set_machine(child, parent->machine);
	changed(parent, false);
}

void region_remove(struct region *child)
{
	struct region *parent = child->parent;

	if (!parent)
		return;
	list_del(&child->link);
	child->parent = NULL;
	child->at = 0;
	changed(parent, false);
}

void region_move(struct region *child, u64 at)
{
	if (child->at == at)
		return;
	child->at = at;
	if (child->parent)
		changed(child->parent, false);
}

void region_set_enabled(struct region *r, bool enabled)
{
	if (r->enabled == enabled)
		return;
	r->enabled = enabled;
	changed(r, false);
}

void region_set_readonly(struct region *r, bool readonly)
{
	if (r->readonly == readonly)
		return;
	r->readonly = readonly;
	changed(r, false);
}

/* While its reads go to ops, a ROM device is an I/O region that keeps its memory. */
void region_romd_set(struct region *r, bool reads_from_memory)
{
	enum region_kind kind = reads_from_memory ? REGION_ROMD : REGION_IO;

	if (r->kind == kind)
		return;
	r->kind = kind;
	changed(r, true);
}

/* ---- spaces */

void space_init(struct space *s, struct machine *m, const char *name, struct region *root)
{
	memset(s, 0, sizeof(*s));
	s->name = name;
	s->machine = m;
	s->root = root;
	list_init(&s->listeners);
	list_add_tail(&m->priv->spaces, &s->link);
	set_machine(root, m);
	flatten(s, true);
}

void space_fini(struct space *s)
{
	if (!s->machine)
		return;
	list_del(&s->link);
	free(s->ranges);
	memset(s, 0, sizeof(*s));
}

void space_listen(struct space *s, struct space_listener *l)
{
	list_add_tail(&s->listeners, &l->link);
}

const struct flat_range *space_lookup(const struct space *s, u64 addr)
{
	size_t lo = 0, hi = s->nranges;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (addr > s->ranges[mid].last)
			lo = mid + 1;
		else if (addr < s->ranges[mid].start)
			hi = mid;
		else
			return &s->ranges[mid];
	}
	return NULL;
}

/* ---- transfers */

static bool has_memory(const struct flat_range *f)
{
	return f->region->kind == REGION_RAM || f->region->kind == REGION_ROM ||
	       f->region->kind == REGION_ROMD;
}

static void ram_written(struct region *r, u64 off, size_t n)
{
	struct ram *ram = r->ram;

	while (n) {
		u64 page = off / PAGE;
		size_t in = off % PAGE, part = MIN(n, (size_t)(PAGE - in));
		u8 flags = ram->page_flags[page];

		if ((flags & PAGE_CODE) && r->machine->code_written)
			r->machine->code_written(r->machine, ram->first_page + page, in, part);
		ram->page_flags[page] |= PAGE_DIRTY;
		off += part;
		n -= part;
	}
}

/* How much of n bytes at addr the range (or the hole, when f is NULL) covers. */
static size_t extent(const struct space *s, const struct flat_range *f, u64 addr, size_t n)
{
	u64 last = f ? f->last : ~0ull;

	for (size_t i = 0; !f && i < s->nranges; i++) {
		if (s->ranges[i].start > addr) {
			last = s->ranges[i].start - 1;
			break;
		}
	}
	return last - addr < n - 1 ? last - addr + 1 : n;
}

enum mem_result space_read(struct space *s, u64 addr, void *buf, size_t n, struct mem_attrs attrs)
{
	enum mem_result worst = MEM_OK, res;
	u8 *out = buf;

	while (n) {
		const struct flat_range *f = space_lookup(s, addr);
		size_t part = extent(s, f, addr, n);

		if (f && has_memory(f)) {
			memcpy(out, f->region->ram->host + f->offset + (addr - f->start), part);
			res = MEM_OK;
		} else if (f && f->region->kind == REGION_IO) {
			res = region_read_bytes(f->region, f->offset + (addr - f->start), out, part,
						attrs);
		} else {
			memset(out, 0xff, part);
			res = MEM_DECODE_ERROR;
		}
		worst = MAX(worst, res);
		out += part;
		addr += part;
		n -= part;
	}
	return worst;
}

enum mem_result space_write(struct space *s, u64 addr, const void *buf, size_t n,
			    struct mem_attrs attrs)
{
	enum mem_result worst = MEM_OK, res;
	const u8 *in = buf;

	while (n) {
		const struct flat_range *f = space_lookup(s, addr);
		size_t part = extent(s, f, addr, n);
		u64 off = f ? f->offset + (addr - f->start) : 0;

		res = MEM_OK;
		if (!f || f->region->kind == REGION_RESERVED) {
			res = MEM_DECODE_ERROR;
		} else if (f->region->kind == REGION_IO || f->region->kind == REGION_ROMD) {
			if (!f->readonly)
				res = region_write_bytes(f->region, off, in, part, attrs);
		} else if (!f->readonly) {
			memcpy(f->region->ram->host + off, in, part);
			ram_written(f->region, off, part);
		}
		worst = MAX(worst, res);
		in += part;
		addr += part;
		n -= part;
	}
	return worst;
}

enum mem_result space_ld(struct space *s, u64 addr, unsigned size, u64 *val, struct mem_attrs attrs)
{
	const struct flat_range *f = space_lookup(s, addr);
	u8 b[8] = { 0 };
	enum mem_result res;

	if (f && f->last - addr >= size - 1 && f->region->kind == REGION_IO)
		return region_ld(f->region, f->offset + (addr - f->start), size, val, attrs);
	res = space_read(s, addr, b, size, attrs);
	*val = ld64le(b);
	return res;
}

enum mem_result space_st(struct space *s, u64 addr, unsigned size, u64 val, struct mem_attrs attrs)
{
	const struct flat_range *f = space_lookup(s, addr);
	u8 b[8];

	if (f && f->last - addr >= size - 1 && f->region->kind == REGION_IO && !f->readonly)
		return region_st(f->region, f->offset + (addr - f->start), size, val, attrs);
	st64le(b, val);
	return space_write(s, addr, b, size, attrs);
}

void *space_map(struct space *s, u64 addr, size_t *n, bool write)
{
	const struct flat_range *f = space_lookup(s, addr);

	if (!f || !has_memory(f) || (write && (f->readonly || f->region->kind != REGION_RAM)))
		return NULL;
	if (*n)
		*n = extent(s, f, addr, *n);
	return f->region->ram->host + f->offset + (addr - f->start);
}

void space_dirty(struct space *s, u64 addr, size_t n)
{
	while (n) {
		const struct flat_range *f = space_lookup(s, addr);
		size_t part = extent(s, f, addr, n);

		if (f && f->region->kind == REGION_RAM)
			ram_written(f->region, f->offset + (addr - f->start), part);
		addr += part;
		n -= part;
	}
}
