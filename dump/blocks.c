/* SPDX-License-Identifier: GPL-2.0-or-later */
/* blocks.c - what is dumped: the machine's main memory (not that of devices, as a graphics card's)
 * where the guest sees it, by physical and by virtual address. */
#include "private.h"
#include "core/corefile.h"
#include "core/cpu.h"
#include "core/machine.h"
#include <errno.h>

/* One piece of virtual memory per page is the worst case; a guest that maps more than this of
 * scattered pages makes no sense. */
enum { MOST_PIECES = 1 << 21 };

void blocks_find(struct blocks *b, struct machine *m)
{
	for (size_t i = 0; i < m->memory.nranges; i++) {
		const struct flat_range *f = &m->memory.ranges[i];
		struct block *last = b->n ? &b->at[b->n - 1] : NULL;
		const u8 *host;
		u64 size;

		if (f->region != &m->ram)
			continue;
		host = f->region->ram->host + f->offset;
		size = f->last - f->start + 1;
		if (last && last->start + last->size == f->start && last->host + last->size == host)
			last->size += size;
		else
			vec_push(b, ((struct block){ f->start, size, host, 0 }));
	}
}

void blocks_cut(struct blocks *b, u64 begin, u64 length)
{
	size_t n = 0;
	u64 end;

	if (add_overflow(begin, length, &end))
		end = ~0ull;
	for (size_t i = 0; i < b->n; i++) {
		struct block k = b->at[i];
		u64 lo = MAX(k.start, begin), hi = MIN(k.start + k.size, end);

		if (lo < hi)
			b->at[n++] = (struct block){ lo, hi - lo, k.host + (lo - k.start), 0 };
	}
	b->n = n;
}

u64 blocks_bytes(const struct blocks *b)
{
	u64 sum = 0;

	for (size_t i = 0; i < b->n; i++)
		sum += b->at[i].size;
	return sum;
}

u64 blocks_end(const struct blocks *b)
{
	return b->n ? b->at[b->n - 1].start + b->at[b->n - 1].size : 0;
}

const u8 *blocks_page(const struct blocks *b, u64 pfn, size_t *hint, u8 buf[PAGE])
{
	u64 at = pfn * PAGE, end = at + PAGE;
	bool some = false;

	/* pages are asked for in order */
	while (*hint < b->n && b->at[*hint].start + b->at[*hint].size <= at)
		++*hint;
	if (*hint < b->n && b->at[*hint].start <= at &&
	    b->at[*hint].start + b->at[*hint].size >= end)
		return b->at[*hint].host + (at - b->at[*hint].start);
	memset(buf, 0, PAGE);
	for (size_t i = *hint; i < b->n && b->at[i].start < end; i++) {
		const struct block *k = &b->at[i];
		u64 lo = MAX(k->start, at), hi = MIN(k->start + k->size, end);

		memcpy(buf + (lo - at), k->host + (lo - k->start), hi - lo);
		some = true;
	}
	return some ? buf : NULL;
}

/* ---- by virtual address */

static void add_mapping(void *arg, u64 va, u64 pa, u64 size)
{
	struct pieces *p = arg;
	struct piece *last = p->n ? &p->at[p->n - 1] : NULL;

	if (last && last->va + last->size == va && last->pa + last->size == pa)
		last->size += size;
	else if (p->n <= MOST_PIECES)
		vec_push(p, ((struct piece){ va, pa, size }));
}

/* By physical address, large ones first: the kernel's map of all memory is the first then, from
 * which makedumpfile takes where it lies. */
static int by_pa(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	return x->pa != y->pa	  ? (x->pa < y->pa ? -1 : 1) :
	       x->size != y->size ? (x->size > y->size ? -1 : 1) :
				    (x->va > y->va) - (x->va < y->va);
}

/* Keeps what is memory. */
static void cut_piece(struct pieces *to, const struct piece *p, const struct blocks *b)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct block *k = &b->at[i];
		u64 lo = MAX(k->start, p->pa), hi = MIN(k->start + k->size, p->pa + p->size);

		if (lo < hi)
			add_mapping(to, p->va + (lo - p->pa), lo, hi - lo);
	}
}

/* CPUs that run the same kernel map mostly the same. */
static void drop_doubles(struct pieces *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		if (!n || by_pa(&p->at[n - 1], &p->at[i]))
			p->at[n++] = p->at[i];
	p->n = n;
}

int pieces_find(struct pieces *p, struct machine *m, const struct blocks *b, struct error *e)
{
	const struct corefile_isa *isa = m->isa->corefile;
	struct pieces all = { 0 };
	int err = 0;

	for (u32 i = 0; i < m->ncpus && !err; i++) {
		struct pieces one = { 0 };

		if (!isa->mappings(m->cpu[i], add_mapping, &one) || one.n > MOST_PIECES)
			err = error_ret(e, -E2BIG,
					"the page tables of CPU %u are too large to be sensible; a "
					"dump without paging works",
					i);
		for (size_t j = 0; j < one.n && !err; j++)
			cut_piece(&all, &one.at[j], b);
		vec_free(&one);
	}
	if (all.n)
		qsort(all.at, all.n, sizeof(*all.at), by_pa);
	drop_doubles(&all);
	if (!err && !all.n)
		for (size_t i = 0; i < b->n; i++) /* no paging yet: the addresses are the same */
			vec_push(&all,
				 ((struct piece){ b->at[i].start, b->at[i].start, b->at[i].size }));
	*p = all;
	return err;
}
