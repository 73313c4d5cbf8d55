/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lapic_timer.c - the local APIC's timer: one-shot, periodic and TSC-deadline (Intel SDM
 * 3A 11.5.4). */
#include "lapic.h"

/* A guest that asks for a shorter period gets this one: no timer may keep the host from doing
 * anything else. */
#define SHORTEST_PERIOD 20000ull

static unsigned mode(const struct lapic *d) { return FIELD_GET(LVT_TIMER_MODE, d->lvt[LVT_TIMER]); }

/* 11.5.4 figure 11-10: bits 3, 1, 0 */
static unsigned divider(const struct lapic *d)
{
	unsigned v = (d->divide & 3) | (d->divide >> 1 & 4);

	return v == 7 ? 1 : 2u << v;
}

static u64 ticks_to_ns(const struct lapic *d, u64 ticks)
{
	return (u64)((u128)ticks * divider(d) * 1000000000ull / d->hz);
}

static u64 period(const struct lapic *d)
{
	return MAX(ticks_to_ns(d, d->initial), SHORTEST_PERIOD);
}

static void arm(struct lapic *d)
{
	timer_stop(&d->timer);
	if (!d->initial || mode(d) == TIMER_DEADLINE)
		return;
	timer_at(&d->timer,
		 d->started + (mode(d) == TIMER_PERIODIC ? period(d) : ticks_to_ns(d, d->initial)));
}

u32 lapic_timer_count(struct lapic *d)
{
	u64 ticks;

	if (!d->initial || mode(d) == TIMER_DEADLINE)
		return 0;
	ticks = (u64)((u128)(clock_ns(d) - d->started) * d->hz / 1000000000ull / divider(d));
	if (ticks < d->initial)
		return d->initial - ticks;
	return mode(d) == TIMER_PERIODIC ? d->initial - ticks % d->initial : 0;
}

static bool deadline_passed(struct lapic *d)
{
	u64 hz, now = device_cpu_timestamp(d, d->cpu, &hz), ns;

	if (now >= d->deadline)
		return true;
	ns = (u64)((u128)(d->deadline - now) * 1000000000ull / (hz ? hz : 1000000000ull));
	timer_start(&d->timer, MIN(ns + 1, 1ull << 50));
	return false;
}

void lapic_timer_fire(void *dev)
{
	struct lapic *d = dev;

	if (fault(d, "timer_lost"))
		return;
	if (mode(d) == TIMER_DEADLINE) {
		if (!d->deadline || !deadline_passed(d))
			return;
		d->deadline = 0;
	} else if (mode(d) == TIMER_PERIODIC) {
		u64 now = clock_ns(d), p = period(d);

		/* periods that the host slept through are one interrupt: IRR holds no more */
		d->started += MAX((now - d->started) / p, 1ull) * p;
		timer_at(&d->timer, d->started + p);
	}
	lapic_local(d, LVT_TIMER);
}

void lapic_timer_initial(struct lapic *d, u32 val)
{
	if (mode(d) == TIMER_DEADLINE)
		return; /* 11.5.4.1: ignored in this mode */
	d->initial = val;
	d->started = clock_ns(d);
	arm(d);
}

void lapic_timer_divide(struct lapic *d, u32 val)
{
	u32 left = lapic_timer_count(d);
	u64 gone;

	d->divide = val;
	if (!d->initial || !left)
		return;
	/* the count goes on from where it was, at the new rate */
	gone = ticks_to_ns(d, d->initial - left);
	d->started = clock_ns(d) - MIN(gone, clock_ns(d));
	arm(d);
}

void lapic_timer_mode(struct lapic *d, u32 old_lvt)
{
	unsigned old = FIELD_GET(LVT_TIMER_MODE, old_lvt), now = mode(d);

	if (old == now)
		return;
	if (now == 3)
		guest_error(d, "lvt_timer: mode 3 is reserved");
	/* 11.5.4.1: a change to or from TSC-deadline mode disarms */
	if (old == TIMER_DEADLINE || now == TIMER_DEADLINE) {
		d->deadline = 0;
		d->initial = 0;
	}
	arm(d);
}

u64 lapic_deadline(struct lapic *d) { return mode(d) == TIMER_DEADLINE ? d->deadline : 0; }

void lapic_set_deadline(struct lapic *d, u64 tsc)
{
	if (mode(d) != TIMER_DEADLINE)
		return;
	d->deadline = tsc;
	timer_stop(&d->timer);
	if (tsc && deadline_passed(d))
		lapic_timer_fire(d);
}

void lapic_timer_reset(struct lapic *d)
{
	d->initial = d->divide = 0;
	d->deadline = d->started = 0;
	timer_stop(&d->timer);
}
