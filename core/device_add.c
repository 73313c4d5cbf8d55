/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_add.c - devices by name and settings as text, before the machine runs and while it does;
 * and taking one away. */
#include "core/device_add.h"
#include "core/machine.h"
#include "core/private.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>

struct global {
	char *class, *prop, *value;
	bool used;
	struct list link;
};

/* ---- -global */

void device_global(struct machine *m, const char *class, const char *prop, const char *value)
{
	struct global *g = NEW(struct global);

	g->class = xstrdup(class);
	g->prop = xstrdup(prop);
	g->value = xstrdup(value);
	list_add_tail(&m->priv->globals, &g->link);
}

void device_globals_fini(struct machine *m)
{
	struct global *g, *next;

	list_for_each_safe (g, next, &m->priv->globals, link) {
		free(g->class);
		free(g->prop);
		free(g->value);
		free(g);
	}
	list_init(&m->priv->globals);
}

int device_globals_apply(struct device *d, struct error *e)
{
	struct machine *m = d->core->machine;
	struct global *g;

	list_for_each (g, &m->priv->globals, link) {
		int err;

		if (device_class_find(g->class) != d->class)
			continue;
		g->used = true;
		err = device_set(d, g->prop, g->value, e);
		if (err) {
			error_prefix(e, "-global %s.%s=%s", g->class, g->prop, g->value);
			return err;
		}
	}
	return 0;
}

void device_globals_unused(struct machine *m,
			   void (*fn)(void *arg, const char *class, const char *prop,
				      const char *value),
			   void *arg)
{
	struct global *g;

	list_for_each (g, &m->priv->globals, link) {
		if (!g->used)
			fn(arg, g->class, g->prop, g->value);
	}
}

/* ---- adding */

static int set_all(struct device *d, const struct keyvals *kv, struct error *e)
{
	for (size_t i = 0; i < kv->n; i++) {
		const struct keyval *item = &kv->at[i];
		struct error first = { 0 };
		const char *rest;

		if (str_eq(item->key, "driver") || str_eq(item->key, "id"))
			continue;
		if (!device_set(d, item->key, item->value, &first))
			continue;
		/* `noflag` is flag=off, unless the device has something that begins with no. */
		if (item->bare && str_prefix(item->key, "no", &rest) && *rest &&
		    !device_set(d, rest, "off", NULL)) {
			error_clear(&first);
			continue;
		}
		error_set(e, "%s", first.text ? first.text : "a setting is wrong");
		error_clear(&first);
		return -EINVAL;
	}
	return 0;
}

struct device *device_add(struct machine *m, struct keyvals *kv, struct error *e)
{
	const char *driver = keyvals_get(kv, "driver"), *id = keyvals_get(kv, "id");
	struct device *d;
	int err;

	if (id && device_find(m, id)) {
		error_set(e, "there is a device '%s' already", id);
		return NULL;
	}
	d = device_new(m, driver, id, e);
	if (!d)
		return NULL;
	err = d->class->bus ? 0 :
			      error_ret(e, -EINVAL, "it is part of machines and cannot be added");
	if (!err)
		err = set_all(d, kv, e);
	if (!err)
		err = device_realize(d, e);
	if (!err)
		return d;
	device_free(d);
	return NULL;
}

/* ---- taking away */

int device_unplug(struct device *d, struct error *e)
{
	const struct bus_type *t = d->core->bus_type;

	if (!t)
		return error_ret(e, -EINVAL, "'%s' is a part of the machine and cannot be removed",
				 d->id);
	if (!t->unplug_request)
		return error_ret(e, -EINVAL, "Bus '%s' does not support hotplugging",
				 d->core->bus_name ? d->core->bus_name : t->name);
	return t->unplug_request(d, e);
}

void device_deleted(struct device *d)
{
	struct machine *m = d->core->machine;
	AUTO_FREE char *json =
		xasprintf("{\"device\": \"%s\", \"path\": \"/machine/peripheral/%s\"}", d->id,
			  d->id);

	device_free(d);
	if (m->event)
		m->event(m, "DEVICE_DELETED", json);
}
