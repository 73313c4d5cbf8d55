/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch.c - keeps the points armed that listeners and catchpoints need: from when the kernel is
 * there, and anew after a reset, when it may lie elsewhere. */
#include "guest/watch.h"
#include "core/cpu.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include <errno.h>

enum { FIRST_LOOK = 2000000, LAST_LOOK = 1000000000 }; /* ns of guest time */

static bool met_module(struct debug_point *p, struct cpu *cpu, u64 va)
{
	struct watch *w = p->owner;
	u64 mod = cpu_reg_u64(cpu, "rdi");
	struct os_listener *o, *tmp;
	bool stop = false;
	char name[64];

	(void)va;
	if (linux_get_text(w->l, mod, "module.name", name, sizeof(name)))
		return false;
	list_for_each_safe (o, tmp, &w->listeners, link)
		stop |= o->module(o, cpu, name, p == &w->loaded);
	return stop;
}

static void arm_modules(struct linux_os *l)
{
	struct watch *w = l->watch;

	if (!linux_sym(l, "do_init_module", &w->loaded.va))
		debug_arm(l->m, &w->loaded);
	if (!linux_sym(l, "free_module", &w->unloaded.va))
		debug_arm(l->m, &w->unloaded);
}

static bool waiting(const struct watch *w)
{
	struct catch *c;

	list_for_each (c, &w->catches, link)
		if (!c->armed && !c->useless)
			return true;
	return !list_empty(&w->listeners) && !w->loaded.armed;
}

static void look(void *arg)
{
	struct watch *w = arg;
	struct catch *c;

	if (!waiting(w))
		return;
	if (linux_find(w->l)) {
		clock_timer_start(&w->l->m->clock, &w->timer,
				  clock_now(&w->l->m->clock) + w->interval);
		w->interval = MIN(w->interval + w->interval / 8, (u64)LAST_LOOK);
		return;
	}
	w->interval = FIRST_LOOK;
	if (!list_empty(&w->listeners))
		arm_modules(w->l);
	list_for_each (c, &w->catches, link)
		if (!c->armed && !c->useless)
			catch_arm(w->l, c);
}

void watch_update(struct linux_os *l)
{
	clock_timer_stop(&l->m->clock, &l->watch->timer);
	look(l->watch);
}

void watch_init(struct linux_os *l)
{
	struct watch *w = NEW(struct watch);

	w->l = l;
	list_init(&w->listeners);
	list_init(&w->catches);
	w->loaded = (struct debug_point){ .kind = DEBUG_EXEC, .hit = met_module, .owner = w };
	w->unloaded = w->loaded;
	/* a timer hands its owner to its function, whatever that is */
	w->timer = (struct timer){ .dev = (struct device *)w, .fire = look };
	w->interval = FIRST_LOOK;
	l->watch = w;
}

/* The clock and the points go with the machine. */
void watch_fini(struct linux_os *l)
{
	clock_timer_stop(&l->m->clock, &l->watch->timer);
	catch_clear(l);
	debug_disarm(l->m, &l->watch->loaded);
	debug_disarm(l->m, &l->watch->unloaded);
	free(l->watch);
	l->watch = NULL;
}

void watch_reset(struct linux_os *l)
{
	struct watch *w = l->watch;
	struct catch *c;

	debug_disarm(l->m, &w->loaded);
	debug_disarm(l->m, &w->unloaded);
	list_for_each (c, &w->catches, link) {
		catch_disarm(l, c);
		c->useless = false;
	}
	w->interval = FIRST_LOOK;
	catch_refresh(l);
	if (!waiting(w))
		return;
	/* not now: reset hooks may still have to place the kernel */
	clock_timer_start(&l->m->clock, &w->timer, clock_now(&l->m->clock) + 1);
}

void watch_listen(struct linux_os *l, struct os_listener *o)
{
	list_add_tail(&l->watch->listeners, &o->link);
	watch_update(l);
}

void watch_unlisten(struct linux_os *l, struct os_listener *o)
{
	list_del(&o->link);
	if (!list_empty(&l->watch->listeners))
		return;
	debug_disarm(l->m, &l->watch->loaded);
	debug_disarm(l->m, &l->watch->unloaded);
}
