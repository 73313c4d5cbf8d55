/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device.c - the life of a device: creation from its class's tables, plugging into its bus, reset,
 * release. */
#include "core/device.h"
#include "core/fault.h"
#include "core/late.h"
#include "core/device_add.h"
#include "core/irq.h"
#include "core/keyboard.h"
#include "core/machine.h"
#include "core/object.h"
#include "core/private.h"
#include "core/prop.h"
#include "core/reg.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>

/* ---- bus types: registered by constructors before main */

static struct {
	const struct bus_type *at[16];
	unsigned n;
} buses;

void bus_register(const struct bus_type *t)
{
	assert(buses.n < ARRAY_SIZE(buses.at));
	buses.at[buses.n++] = t;
}

const struct bus_type *bus_find(const char *name)
{
	for (unsigned i = 0; i < buses.n; i++) {
		if (str_eq(buses.at[i]->name, name))
			return buses.at[i];
	}
	return NULL;
}

void bus_add(struct machine *m, struct bus *b, const struct bus_type *t, const char *name)
{
	b->type = t;
	b->name = name;
	list_add_tail(&m->priv->buses, &b->link);
}

void bus_add_first(struct machine *m, struct bus *b, const struct bus_type *t, const char *name)
{
	b->type = t;
	b->name = name;
	list_add(&m->priv->buses, &b->link);
}

struct bus *bus_next(struct machine *m, const struct bus *b)
{
	for (const struct list *l = b->link.next; l != &m->priv->buses; l = l->next) {
		struct bus *next = container_of(l, struct bus, link);

		if (next->type == b->type)
			return next;
	}
	return NULL;
}

void bus_each(struct machine *m, void (*fn)(void *arg, struct bus *b), void *arg)
{
	struct bus *b;

	list_for_each (b, &m->priv->buses, link)
		fn(arg, b);
}

struct bus *bus_of(struct machine *m, const struct bus_type *t, const char *name)
{
	struct bus *b;

	list_for_each (b, &m->priv->buses, link) {
		if (b->type == t && (!name || str_eq(b->name, name)))
			return b;
	}
	return NULL;
}

/* ---- creation */

static struct device_core *core_of_link(struct list *l)
{
	return container_of(l, struct device_core, link);
}

struct device *device_find(struct machine *m, const char *id)
{
	for (struct list *l = m->devices.next; l != &m->devices; l = l->next) {
		if (str_eq(core_of_link(l)->dev->id, id))
			return core_of_link(l)->dev;
	}
	return NULL;
}

static char *make_id(struct machine *m, const char *class)
{
	for (unsigned n = 0;; n++) {
		char *id = xasprintf("%s%u", class, n);

		if (!device_find(m, id))
			return id;
		free(id);
	}
}

static void bind_timers(struct device *d)
{
	for (const struct state *s = d->class->state; s && s->name; s++) {
		if (s->kind != STATE_TIMER)
			continue;
		for (u32 n = 0; n < s->size / sizeof(struct timer); n++) {
			struct timer *t = (struct timer *)((u8 *)d + s->off) + n;

			t->dev = d;
			t->fire = s->fire;
		}
	}
}

static const struct device_class *class_for(struct machine *m, const char *name, struct error *e)
{
	const struct device_class *c = device_class_for(m, name);
	const char *first = NULL;

	if (!c && str_suffix(name, ".so")) {
		if (device_load_object(name, &first, e))
			return NULL;
		c = device_class_for(m, first);
	}
	if (!c)
		error_set(e, "there is no device '%s'; -device help lists what there is", name);
	return c;
}

struct device *device_new(struct machine *m, const char *class, const char *id, struct error *e)
{
	const struct device_class *c = class_for(m, class, e);
	struct device_core *core;
	struct device *d;

	if (!c)
		return NULL;
	if (id && device_find(m, id)) {
		error_set(e, "there is a device '%s' already", id);
		return NULL;
	}
	d = xalloc(MAX(c->size, (u32)sizeof(*d)));
	core = NEW(struct device_core);
	core->machine = m;
	core->dev = d;
	list_init(&core->regbanks);
	d->class = c;
	d->core = core;
	d->id = id ? xstrdup(id) : make_id(m, c->name);
	list_add_tail(&m->devices, &core->link);
	core->bus_type = c->bus ? bus_find(c->bus) : NULL;
	prop_defaults(d);
	bind_timers(d);
	if (core->bus_type && core->bus_type->created)
		core->bus_type->created(d);
	if (device_globals_apply(d, e)) {
		device_free(d);
		return NULL;
	}
	return d;
}

static int make_banks(struct device *d, struct error *e)
{
	const struct bank *b = d->class->banks;
	unsigned n = 0;

	while (b && b[n].size)
		n++;
	d->core->bank = xcalloc(n, sizeof(struct region));
	for (unsigned i = 0; i < n; i++) {
		struct regbank *rb = NEW(struct regbank);
		int err = regbank_init(rb, d, &b[i], &d->core->bank[i], e);

		if (err) {
			free(rb);
			return err;
		}
		d->core->nbanks++;
	}
	return 0;
}

static int plug(struct device *d, struct error *e)
{
	const struct bus_type *t = d->core->bus_type;

	if (!d->class->bus)
		return 0;
	if (!t)
		return error_ret(e, -ENODEV,
				 "device '%s' needs a bus of type %s, which this build has not",
				 d->class->name, d->class->bus);
	return t->plug ? t->plug(d, d->core->bus_name, d->core->addr, e) : 0;
}

int device_realize(struct device *d, struct error *e)
{
	const struct bus_type *t = d->core->bus_type;
	int err = plug(d, e);

	if (!err)
		err = make_banks(d, e);
	if (!err && d->class->init) {
		err = d->class->init(d, e);
		if (err)
			error_set(e, "device '%s' (%s) could not be set up: %s", d->id,
				  d->class->name, strerror(-err));
	}
	if (!err && t && t->realized)
		err = t->realized(d, e);
	if (err)
		return err;
	d->core->realized = true;
	fault_device_realized(d);
	device_reset(d);
	return 0;
}

static int set_list(struct device *d, const char *props, struct error *e)
{
	AUTO_FREE char *copy = xstrdup(props);
	char *next = copy;

	while (next && *next) {
		char *item = strsep(&next, ","), *value = strchr(item, '=');
		int err;

		if (value)
			*value++ = 0;
		err = device_set(d, item, value ? value : "on", e);
		if (err)
			return err;
	}
	return 0;
}

struct device *device_make(struct machine *m, const char *class, const char *id, const char *props,
			   struct error *e)
{
	struct device *d = device_new(m, class, id, e);

	if (!d)
		return NULL;
	if ((props && set_list(d, props, e)) || device_realize(d, e)) {
		device_free(d);
		return NULL;
	}
	return d;
}

/* ---- release */

static void stop_timers(struct device *d)
{
	for (const struct state *s = d->class->state; s && s->name; s++) {
		if (s->kind != STATE_TIMER)
			continue;
		for (u32 n = 0; n < s->size / sizeof(struct timer); n++)
			timer_stop((struct timer *)((u8 *)d + s->off) + n);
	}
}

void device_free(struct device *d)
{
	const struct bus_type *t;
	struct regbank *rb, *tmp;

	if (!d)
		return;
	t = d->core->bus_type;
	if (d->core->realized && d->class->fini)
		d->class->fini(d);
	keyboard_forget(d);
	irq_break(d, false);
	late_forget(d);
	stop_timers(d);
	if (t && t->unplug)
		t->unplug(d);
	list_for_each_safe (rb, tmp, &d->core->regbanks, link) {
		regbank_fini(rb);
		free(rb);
	}
	free(d->core->bank);
	if (t && t->freed)
		t->freed(d);
	if (d->core->powerdown) {
		struct reset_hook *h = d->core->powerdown;

		list_del(&h->link);
		free(h);
	}
	irq_free_inputs(d);
	prop_release(d);
	list_del(&d->core->link);
	free(d->core->bus_name);
	free(d->core->addr);
	free((char *)d->id);
	free(d->core);
	free(d);
}

/* ---- reset */

void device_reset_registers(void *dev)
{
	struct device *d = dev;
	struct regbank *rb;

	list_for_each (rb, &d->core->regbanks, link)
		regbank_reset(rb);
	if (d->class->reset)
		d->class->reset(d);
}

void device_reset(struct device *d)
{
	const struct bus_type *t = d->core->bus_type;

	if (!d->core->realized)
		return;
	if (t && t->reset)
		t->reset(d);
	device_reset_registers(d);
}

void device_reset_all(struct machine *m)
{
	for (struct list *l = m->devices.next, *next; l != &m->devices; l = next) {
		next = l->next;
		device_reset(core_of_link(l)->dev);
	}
}

/* ---- banks */

struct region *device_bank(struct device *d, const char *name)
{
	for (unsigned i = 0; i < d->core->nbanks; i++) {
		if (!name || (d->class->banks[i].name && str_eq(d->class->banks[i].name, name)))
			return &d->core->bank[i];
	}
	return NULL;
}

void device_map(struct device *d, const char *bank, u64 addr)
{
	struct region *r = device_bank(d, bank);

	assert(r);
	region_add(&d->core->machine->memory_root, addr, r, 0);
}

void device_map_io(struct device *d, const char *bank, u16 port)
{
	struct region *r = device_bank(d, bank);

	assert(r);
	region_add(&d->core->machine->io_root, port, r, 0);
}
