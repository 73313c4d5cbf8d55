/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock.c - virtual time and its timers: a binary heap ordered by deadline. A timer's slot is its
 * place in the heap plus one, 0 when stopped. */
#include "core/clock.h"
#include "core/device.h"
#include "core/fault.h"
#include "lib/alloc.h"
#include <time.h>

static s64 host_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

void clock_init(struct clock *c)
{
	memset(c, 0, sizeof(*c));
	c->wall_offset = host_clock(CLOCK_REALTIME);
}

void clock_fini(struct clock *c)
{
	for (u32 i = 0; i < c->ntimers; i++)
		c->heap[i]->slot = 0;
	free(c->heap);
	memset(c, 0, sizeof(*c));
}

u64 clock_now(const struct clock *c)
{
	return c->running && !c->counted ? host_clock(CLOCK_MONOTONIC) + c->offset : c->offset;
}

void clock_run(struct clock *c, bool on)
{
	if (c->running == on)
		return;
	if (!c->counted)
		c->offset += on ? -host_clock(CLOCK_MONOTONIC) : host_clock(CLOCK_MONOTONIC);
	c->running = on;
}

void clock_set(struct clock *c, u64 ns)
{
	c->offset = (s64)ns;
	if (c->running && !c->counted)
		c->offset -= host_clock(CLOCK_MONOTONIC);
}

void clock_advance(struct clock *c, u64 ns)
{
	if (c->counted)
		c->offset += ns;
}

u64 clock_wall_ns(const struct clock *c) { return clock_now(c) + c->wall_offset; }

static void place(struct clock *c, u32 i, struct timer *t)
{
	c->heap[i] = t;
	t->slot = i + 1;
}

static void sift_up(struct clock *c, u32 i, struct timer *t)
{
	for (; i; i = (i - 1) / 2) {
		struct timer *parent = c->heap[(i - 1) / 2];

		if (parent->deadline <= t->deadline)
			break;
		place(c, i, parent);
	}
	place(c, i, t);
}

static void sift_down(struct clock *c, u32 i, struct timer *t)
{
	for (;;) {
		u32 child = 2 * i + 1;

		if (child + 1 < c->ntimers &&
		    c->heap[child + 1]->deadline < c->heap[child]->deadline)
			child++;
		if (child >= c->ntimers || c->heap[child]->deadline >= t->deadline)
			break;
		place(c, i, c->heap[child]);
		i = child;
	}
	place(c, i, t);
}

static void unlink_timer(struct clock *c, struct timer *t)
{
	u32 i = t->slot - 1;
	struct timer *last = c->heap[--c->ntimers];

	t->slot = 0;
	if (last == t)
		return;
	if (i && c->heap[(i - 1) / 2]->deadline > last->deadline)
		sift_up(c, i, last);
	else
		sift_down(c, i, last);
}

void clock_timer_start(struct clock *c, struct timer *t, u64 deadline)
{
	u64 before = clock_next(c);

	if (t->slot)
		unlink_timer(c, t);
	if (c->ntimers == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 16;
		c->heap = xrealloc(c->heap, c->cap * sizeof(*c->heap));
	}
	t->late = 0;
	t->deadline = MIN(MAX(deadline, (u64)1), ~0ull - 1);
	sift_up(c, c->ntimers++, t);
	if (c->rearmed && clock_next(c) < before)
		c->rearmed(c);
}

void clock_timer_stop(struct clock *c, struct timer *t)
{
	if (t->slot)
		unlink_timer(c, t);
	t->deadline = 0;
}

u64 clock_next(const struct clock *c) { return c->ntimers ? c->heap[0]->deadline : ~0ull; }

/* A timer that its own callback starts again in the past would hold the machine here for ever:
 * after as many callbacks as there are timers, and some, the rest waits for the next call. */
u64 clock_fire(struct clock *c)
{
	u64 now = c->ntimers ? clock_now(c) : 0;
	u32 limit = 2 * c->ntimers + 16;

	while (c->ntimers && c->heap[0]->deadline <= now && limit--) {
		struct timer *t = c->heap[0];
		struct device_core *core = t->dev ? t->dev->core : NULL;
		bool was_busy = core && core->busy;

		unlink_timer(c, t);
		t->deadline = 0;
		if (core && fault_may(core->dev, FAULT_TIMER) && fault_timer(core->dev, t))
			continue;
		if (core)
			core->busy = true;
		t->fire(t->dev);
		if (core)
			core->busy = was_busy;
	}
	return clock_next(c);
}

/* Timers that their own callbacks start again at the same time wait after some rounds, as above. */
void clock_step(struct clock *c, u64 to)
{
	u64 last = ~0ull;

	for (unsigned rounds = 0; clock_next(c) <= to; rounds++) {
		u64 at = MAX(clock_next(c), clock_now(c));

		if (at != last)
			rounds = 0;
		else if (rounds > 1000)
			break;
		last = at;
		clock_set(c, at);
		clock_fire(c);
	}
	clock_set(c, to);
}
