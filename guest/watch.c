/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch.c - keeps the points armed that catchpoints need: from when the kernel is there, and anew
 * after a reset, when it may lie elsewhere. */
#include "guest/watch.h"
#include "core/cpu.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <errno.h>

enum { FIRST_LOOK = 5000000, LAST_LOOK = 2000000000 }; /* ns of guest time */

static bool waiting(const struct watch *w)
{
	struct catch *c;

	list_for_each (c, &w->catches, link)
		if (!c->armed && !c->useless)
			return true;
	return w->awaited;
}

static void found(struct watch *w)
{
	struct catch *c;

	debug_watch_roots(w->l->m, linux_client(w->l), false);
	w->interval = FIRST_LOOK;
	w->not_before = 0;
	list_for_each (c, &w->catches, link)
		if (!c->armed && !c->useless)
			catch_arm(w->l, c);
	if (w->awaited) {
		w->awaited = false;
		debug_tell_known(w->l->m);
	}
}

static void tell_other(struct watch *w)
{
	if (w->told || list_empty(&w->catches) || !linux_is_32bit(w->l))
		return;
	w->told = true;
	warn("catch: %s", linux_absent(w->l));
}

static void look(void *arg)
{
	struct watch *w = container_of(arg, struct watch, anchor);
	struct clock *clock = &w->l->m->clock;
	unsigned searches = w->l->searches;

	clock_timer_stop(clock, &w->timer);
	if (!waiting(w)) {
		debug_watch_roots(w->l->m, linux_client(w->l), false);
		return;
	}
	if (!linux_find(w->l)) {
		found(w);
		return;
	}
	tell_other(w);
	debug_watch_roots(w->l->m, linux_client(w->l), true);
	/* where there is something that is no kernel, looking at it all takes time */
	if (w->l->searches != searches) {
		w->interval = MIN(w->interval * 2, (u64)LAST_LOOK);
		w->not_before = clock_now(clock) + w->interval;
	}
	clock_timer_start(clock, &w->timer, clock_now(clock) + w->interval);
}

void watch_update(struct linux_os *l) { look(&l->watch->anchor); }

void watch_root(struct linux_os *l)
{
	if (clock_now(&l->m->clock) >= l->watch->not_before)
		look(&l->watch->anchor);
}

void watch_await(struct linux_os *l)
{
	l->watch->awaited = true;
	look(&l->watch->anchor);
}

void watch_init(struct linux_os *l)
{
	struct watch *w = NEW(struct watch);

	w->l = l;
	list_init(&w->catches);
	w->timer = (struct timer){ .dev = &w->anchor, .fire = look };
	w->interval = FIRST_LOOK;
	l->watch = w;
}

/* The clock and the points go with the machine. */
void watch_fini(struct linux_os *l)
{
	clock_timer_stop(&l->m->clock, &l->watch->timer);
	catch_clear(l);
	free(l->watch);
	l->watch = NULL;
}

void watch_reset(struct linux_os *l)
{
	struct watch *w = l->watch;
	struct catch *c;

	list_for_each (c, &w->catches, link) {
		catch_disarm(l, c);
		c->useless = false;
	}
	w->interval = FIRST_LOOK;
	w->not_before = 0;
	w->told = false;
	catch_refresh(l);
	watch_update(l);
}
