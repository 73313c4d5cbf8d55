/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user_object.c - the objects of -object. */
#include "core/user_object.h"
#include "core/machine.h"
#include "core/private.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/keyval.h"
#include "lib/str.h"
#include <errno.h>

extern const struct object_kind *const __start_quern_object[] __attribute__((weak));
extern const struct object_kind *const __stop_quern_object[] __attribute__((weak));

struct user_object {
	const struct object_kind *kind;
	char *id;
	void *object;
	bool used; /* somebody has asked for it and may hold it */
	struct list link;
};

void object_kind_each(void (*fn)(void *arg, const struct object_kind *k), void *arg)
{
	for (const struct object_kind *const *k = __start_quern_object; k < __stop_quern_object;
	     k++)
		fn(arg, *k);
}

const struct object_kind *object_kind_find(const char *name)
{
	for (const struct object_kind *const *k = __start_quern_object; k < __stop_quern_object;
	     k++)
		if (str_eq((*k)->name, name))
			return *k;
	return NULL;
}

static struct user_object *find(struct machine *m, const char *id)
{
	struct user_object *o;

	list_for_each (o, &m->priv->objects, link)
		if (str_eq(o->id, id))
			return o;
	return NULL;
}

int object_make(struct machine *m, struct keyvals *kv, struct error *e)
{
	const char *type = keyvals_get(kv, "qom-type"), *id = keyvals_get(kv, "id");
	const struct object_kind *k = type ? object_kind_find(type) : NULL;
	struct user_object *o;
	void *object;

	if (!k)
		return error_ret(e, -EINVAL, "there are no objects of type '%s'", type ? type : "");
	if (!id || !*id)
		return error_ret(e, -EINVAL, "parameter 'id' is missing");
	if (find(m, id))
		return error_ret(e, -EEXIST, "there is an object '%s' already", id);
	object = k->make(m, id, kv, e);
	if (!object)
		return -EINVAL;
	o = NEW(struct user_object);
	o->kind = k;
	o->id = xstrdup(id);
	o->object = object;
	list_add_tail(&m->priv->objects, &o->link);
	return 0;
}

static void release(struct user_object *o)
{
	list_del(&o->link);
	if (o->kind->free)
		o->kind->free(o->object);
	free(o->id);
	free(o);
}

int object_free(struct machine *m, const char *id, struct error *e)
{
	struct user_object *o = find(m, id);

	if (!o)
		return error_ret(e, -ENOENT, "there is no object '%s'", id);
	if (o->used)
		return error_ret(e, -EBUSY, "object '%s' is in use, can not be deleted", id);
	release(o);
	return 0;
}

void object_free_all(struct machine *m)
{
	while (!list_empty(&m->priv->objects))
		release(list_entry(m->priv->objects.prev, struct user_object, link));
}

void object_each(struct machine *m, const char *prefix, void (*fn)(void *arg, void *object),
		 void *arg)
{
	struct user_object *o;

	list_for_each (o, &m->priv->objects, link)
		if (str_prefix(o->kind->name, prefix, NULL))
			fn(arg, o->object);
}

void *object_find(struct machine *m, const char *id, const char *prefix, struct error *e)
{
	struct user_object *o = find(m, id);

	if (!o) {
		error_set(e, "there is no object '%s'", id);
		return NULL;
	}
	if (!str_prefix(o->kind->name, prefix, NULL)) {
		error_set(e, "object '%s' is a %s, where one of type %s... is needed", id,
			  o->kind->name, prefix);
		return NULL;
	}
	o->used = true;
	return o->object;
}
