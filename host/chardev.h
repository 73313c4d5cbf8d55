/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chardev.h - the character back ends that the host offers, by name. A back end registers itself
 * with CHARDEV_KIND. */
#pragma once
#include <quern/types.h>
#include "core/chardev.h"
#include "lib/error.h"
#include "lib/keyval.h"

struct chardev_kind {
	const char *name, *doc;
	/* "path|append": what it understands besides the keys of every back end */
	const char *keys;
	/* Opens what kv says; NULL with a sentence. id is kept by the chardev. */
	struct chardev *(*open)(struct machine *m, const char *id, struct keyvals *kv,
				struct error *e);
};

#define CHARDEV_KIND(var) \
	static const struct chardev_kind *const chardev_kind_##var##_p \
		__attribute__((section("quern_chardev"), used)) = &var

/* -chardev BACKEND,id=ID,...: kv has backend= and id=. NULL with a sentence. */
struct chardev *host_chardev_new(struct machine *m, struct keyvals *kv, struct error *e);
/* The short form of -serial and others, "tcp:localhost:5555,server=on", as the keys of -chardev. */
int host_chardev_spec(struct keyvals *kv, const char *spec, struct error *e) must_check;
void host_chardev_each(void (*fn)(void *arg, const struct chardev_kind *k), void *arg);
/* kv[path], which must be there. */
const char *chardev_path(struct keyvals *kv, struct error *e);
