/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iothread.c - -object iothread: taken for the sake of command lines that have it. */
#include "core/user_object.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/keyval.h"

static void *iothread_make(struct machine *m, const char *id, struct keyvals *kv, struct error *e)
{
	if (keyvals_all_used(kv, "none", e))
		return NULL;
	warn("-object iothread,id=%s has no effect: disks have threads of their own always", id);
	return xalloc(1);
}

static const struct object_kind iothread = { .name = "iothread",
					     .doc = "no effect: disks have threads of their own",
					     .make = iothread_make,
					     .free = free };
OBJECT_KIND(iothread);
