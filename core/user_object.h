/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user_object.h - what users make with -object and devices or back ends refer to by id. A kind
 * registers itself. */
#pragma once
#include "core/device.h"

struct keyvals;

struct object_kind {
	const char *name, *doc, *keys; /* keys: "filename" - for help, or NULL */
	/* NULL with a sentence; keys that were not asked for must be refused */
	void *(*make)(struct machine *m, const char *id, struct keyvals *kv, struct error *e);
	void (*free)(void *object);
};
#define OBJECT_KIND(var) \
	static const struct object_kind *const object_##var##_p \
		__attribute__((section("quern_object"), used)) = &var

/* NULL when there is none */
const struct object_kind *object_kind_find(const char *name);
void object_kind_each(void (*fn)(void *arg, const struct object_kind *k), void *arg);
/* kv: qom-type, id and the kind's keys. */
int must_check object_make(struct machine *m, struct keyvals *kv, struct error *e);
/* Refused when somebody has got it from object_find. */
int must_check object_free(struct machine *m, const char *id, struct error *e);
/* The object of this id whose kind's name begins with prefix; NULL with a sentence. */
void *object_find(struct machine *m, const char *id, const char *prefix, struct error *e);
/* Those whose kind's name begins with prefix, in the order of their making. */
void object_each(struct machine *m, const char *prefix, void (*fn)(void *arg, void *object),
		 void *arg);
void object_free_all(struct machine *m);
