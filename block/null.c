/* SPDX-License-Identifier: GPL-2.0-or-later */
/* null.c - null-co: a disk that takes everything and keeps nothing, to measure what is above it. */
#include "core/block.h"
#include "core/clock.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include <errno.h>

struct null {
	struct device head; /* owner of the timer */
	struct timer timer;
	struct block_node *node;
	struct block_list waiting;
	u64 latency;
	bool zeroes;
};
struct waiting {
	struct block_list link;
	struct block_req *r;
	u64 due;
};

static int null_open(struct block_node *n, struct keyvals *kv, struct error *e)
{
	struct null *d = NEW(struct null);
	u64 size = 1ull << 30;
	int err = keyvals_size(kv, "size", 1, &size, e);

	if (!err)
		err = keyvals_u64(kv, "latency-ns", 0, ~0ull, &d->latency, e);
	if (!err)
		err = keyvals_bool(kv, "read-zeroes", &d->zeroes, e);
	d->node = n;
	d->waiting.next = d->waiting.prev = &d->waiting;
	d->timer.dev = &d->head;
	n->impl = d;
	n->size = size;
	n->can_discard = true;
	if (err)
		free(d);
	return err;
}

static void end_first(struct null *d)
{
	struct waiting *w = container_of(d->waiting.next, struct waiting, link);
	struct block_req *r = w->r;

	d->waiting.next = w->link.next;
	w->link.next->prev = &d->waiting;
	free(w);
	block_done(r, 0);
}

static void fire(void *arg)
{
	struct null *d = container_of(arg, struct null, head);
	struct clock *c = &d->node->machine->clock;
	u64 now = clock_now(c);

	while (d->waiting.next != &d->waiting) {
		struct waiting *w = container_of(d->waiting.next, struct waiting, link);

		if (w->due > now) {
			clock_timer_start(c, &d->timer, w->due);
			break;
		}
		end_first(d);
	}
}

static void null_drain(struct block_node *n)
{
	struct null *d = n->impl;

	while (d->waiting.next != &d->waiting)
		end_first(d);
	clock_timer_stop(&n->machine->clock, &d->timer);
}

static void null_close(struct block_node *n)
{
	null_drain(n);
	free(n->impl);
}

static void null_submit(struct block_node *n, struct block_req *r)
{
	struct null *d = n->impl;
	struct waiting *w;

	for (u32 i = 0; r->op == BLOCK_READ && d->zeroes && i < r->nvec; i++)
		memset(r->vec[i].iov_base, 0, r->vec[i].iov_len);
	if (!d->latency) {
		block_done(r, 0);
		return;
	}
	w = NEW(struct waiting);
	w->r = r;
	w->due = clock_now(&n->machine->clock) + d->latency;
	w->link.next = &d->waiting;
	w->link.prev = d->waiting.prev;
	d->waiting.prev->next = &w->link;
	d->waiting.prev = &w->link;
	d->timer.fire = fire;
	if (!d->timer.deadline)
		clock_timer_start(&n->machine->clock, &d->timer, w->due);
}

static const char *null_filename(struct block_node *n) { return "null-co://"; }

BLOCK_DRIVER(null_co, .name = "null-co", .doc = "takes everything, keeps nothing",
	     .keys = "size|latency-ns|read-zeroes", .protocol = true, .open = null_open,
	     .close = null_close, .submit = null_submit, .drain = null_drain,
	     .filename = null_filename);
