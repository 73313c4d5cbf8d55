/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot_device.c - a device's registers, state, timers and lines as keyed values: the key is the
 * name in its table, so that members may move. Settings are not saved but those that may change
 * while it runs: a machine is started with the same ones. */
#include "core/snapshot_device.h"
#include "core/blob.h"
#include "core/irq.h"
#include "core/machine.h"
#include "core/reg.h"
#include "core/snapshot.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <errno.h>

/* What is done with each piece; load: e names what is wrong. */
struct visit {
	struct device *d;
	struct blob *b;
	bool load;
	struct error *e;
	int err;
};

static void bytes(struct visit *v, const char *kind, const char *name, void *p, size_t n)
{
	AUTO_FREE char *key = xasprintf("%s %s", kind, name);

	if (v->err)
		return;
	if (!v->load)
		snapshot_put(v->b, key, p, n);
	else if (snapshot_get(v->b, key, p, n))
		v->err =
			error_ret(v->e, -EINVAL,
				  "the snapshot's %s of device '%s' is missing or of another size: "
				  "start with the same options and version",
				  key, v->d->id);
}

static void regs(struct visit *v)
{
	struct regbank *bank;

	list_for_each (bank, &v->d->core->regbanks, link)
		for (const struct reg *r = bank->bank->regs; r && r->name; r++)
			if (!r->novalue)
				bytes(v, "reg", r->name, (u8 *)v->d + r->off,
				      (size_t)r->size * (r->count ? r->count : 1));
}

static void timers(struct visit *v, const char *name, struct timer *t, unsigned n)
{
	struct clock *c = &v->d->core->machine->clock;
	AUTO_FREE u8 *at = xcalloc(n, 8);

	for (unsigned i = 0; i < n; i++)
		st64le(at + 8 * i, t[i].deadline);
	bytes(v, "timer", name, at, 8 * n);
	for (unsigned i = 0; i < n && v->load && !v->err; i++) {
		clock_timer_stop(c, &t[i]);
		if (ld64le(at + 8 * i))
			clock_timer_start(c, &t[i], ld64le(at + 8 * i));
	}
}

static void custom(struct visit *v, const struct state *s)
{
	AUTO_FREE char *key = xasprintf("custom %s", s->name);
	struct blob part = { 0 };
	s64 n;

	if (v->err)
		return;
	if (!v->load) {
		s->save(v->d, &part);
		snapshot_put(v->b, key, part.at, part.n);
	} else {
		n = snapshot_size(v->b, key);
		part.at = n > 0 ? xalloc((size_t)n) : NULL;
		part.n = part.cap = n > 0 ? (size_t)n : 0;
		if (n < 0 || (n && snapshot_get(v->b, key, part.at, (size_t)n)) ||
		    s->load(v->d, &part))
			v->err = error_ret(v->e, -EINVAL,
					   "the snapshot's %s of device '%s' is missing or damaged",
					   key, v->d->id);
	}
	blob_fini(&part);
}

static void irqs(struct visit *v, const struct state *s)
{
	struct irq *irq = (struct irq *)((u8 *)v->d + s->off);
	unsigned n = s->size / sizeof(*irq);
	AUTO_FREE u8 *level = xalloc(n + 1);

	for (unsigned i = 0; i < n; i++)
		level[i] = irq[i].level;
	bytes(v, "line", s->name, level, n);
	for (unsigned i = 0; i < n && v->load; i++)
		irq[i].level = level[i];
}

static void states(struct visit *v)
{
	for (const struct state *s = v->d->class->state; s && s->name; s++) {
		u8 *p = (u8 *)v->d + s->off;

		if (s->kind == STATE_SAVED)
			bytes(v, "state", s->name, p, s->size);
		else if (s->kind == STATE_TIMER)
			timers(v, s->name, (struct timer *)p, s->size / sizeof(struct timer));
		else if (s->kind == STATE_CUSTOM)
			custom(v, s);
		else if (s->kind == STATE_IRQ)
			irqs(v, s);
	}
}

/* How many draws of its latencies are behind it. */
static void latencies(struct visit *v)
{
	for (const struct prop *p = v->d->class->props; p && p->name; p++) {
		struct latency *l = (struct latency *)((u8 *)v->d + p->off);

		if (p->kind == PROP_LATENCY && !p->ignored)
			bytes(v, "latency", p->name, &l->drawn, sizeof(l->drawn));
	}
}

/* Settings that may change while it runs, and have. */
static void settings(struct visit *v)
{
	for (const struct prop *p = v->d->class->props; p && p->name; p++) {
		bool plain = p->kind == PROP_UINT || p->kind == PROP_INT || p->kind == PROP_SIZE ||
			     p->kind == PROP_BOOL || p->kind == PROP_ONOFFAUTO;

		if (p->changed && plain && !p->ignored)
			bytes(v, "setting", p->name, (u8 *)v->d + p->off, p->size);
	}
}

/* The levels on its inputs, source by source, and behind its outputs. */
static void inputs(struct visit *v)
{
	u8 level[1024] = { 0 };
	unsigned n = 0;

	for (struct irq_input *i = v->d->core->inputs; i && n < sizeof(level); i = i->next)
		level[n++] = i->level;
	for (struct irq_split *s = v->d->core->splits; s && n + 1 < sizeof(level); s = s->next) {
		level[n++] = s->a.level;
		level[n++] = s->b.level;
	}
	bytes(v, "core", "inputs", level, n);
	if (!v->load || v->err)
		return;
	n = 0;
	for (struct irq_input *i = v->d->core->inputs; i && n < sizeof(level); i = i->next)
		i->level = level[n++];
	for (struct irq_split *s = v->d->core->splits; s && n + 1 < sizeof(level); s = s->next) {
		s->a.level = level[n++];
		s->b.level = level[n++];
	}
}

void snapshot_save_device(struct device *d, struct blob *b)
{
	struct visit v = { .d = d, .b = b };

	regs(&v);
	states(&v);
	latencies(&v);
	settings(&v);
	inputs(&v);
	if (d->core->bus_type && d->core->bus_type->save)
		d->core->bus_type->save(d, b);
}

int snapshot_load_device(struct device *d, struct blob *b, struct error *e)
{
	struct visit v = { .d = d, .b = b, .load = true, .e = e };

	regs(&v);
	states(&v);
	latencies(&v);
	settings(&v);
	inputs(&v);
	if (!v.err && d->core->bus_type && d->core->bus_type->load)
		v.err = d->core->bus_type->load(d, b, e);
	return v.err;
}
