/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock.h - guest time. The only source of time that devices and CPUs see: virtual nanoseconds
 * since the machine started, which follow the host's monotonic clock while the machine runs
 * (default) or the count of executed instructions (deterministic mode); and the guest's wall clock.
 */
#pragma once
#include <quern/types.h>
#include <quern/device.h>

struct clock {
	bool running; /* stands still while the machine is paused */
	bool counted; /* follows instructions: clock_advance moves it */
	/* host monotonic + offset = virtual (running); else the virtual time itself */
	s64 offset;
	struct timer **heap; /* armed timers, earliest first */
	u32 ntimers, cap;
	s64 wall_offset; /* Unix epoch ns = virtual + wall_offset, from -rtc base */
	bool wall_local;
	/* the earliest deadline changed: wakes the machine's waiting thread; may be NULL */
	void (*rearmed)(struct clock *c);
	void *rearmed_arg;
};

void clock_init(struct clock *c);
void clock_fini(struct clock *c);
u64 clock_now(const struct clock *c); /* virtual ns */
void clock_run(struct clock *c, bool on);
/* while it stands: virtual time is this from now on; timers keep their deadlines */
void clock_set(struct clock *c, u64 ns);
/* while it stands: virtual time moves on to this, and timers fire at theirs on the way */
void clock_step(struct clock *c, u64 to);
void clock_advance(struct clock *c, u64 ns); /* counted mode only */
/* ns since the Unix epoch as the guest's RTC should show */
u64 clock_wall_ns(const struct clock *c);
/* Fires everything due; returns the next deadline (absolute virtual ns), or ~0ull. */
u64 clock_fire(struct clock *c);
u64 clock_next(const struct clock *c);
void clock_timer_start(struct clock *c, struct timer *t, u64 deadline); /* absolute */
void clock_timer_stop(struct clock *c, struct timer *t);
