/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rng.c - sources of random bytes, and the one that needs no host: rng-builtin. */
#include "core/rng.h"
#include "core/machine.h"
#include "core/user_object.h"
#include "lib/alloc.h"
#include "lib/keyval.h"

u32 rng_read(struct rng_source *s, void *dev, void *buf, u32 n, void (*ready)(void *dev))
{
	u32 got;

	if (!s || !s->read) {
		device_random(dev, buf, n);
		return n;
	}
	s->ready = ready;
	s->dev = dev;
	got = s->read(s, buf, n);
	if (got == n)
		s->ready = NULL;
	return got;
}

void rng_forget(struct rng_source *s, void *dev)
{
	if (s && s->dev == dev)
		s->ready = NULL;
}

void rng_ready(struct rng_source *s)
{
	void (*ready)(void *dev) = s->ready;

	s->ready = NULL;
	if (ready)
		ready(s->dev);
}

static void *builtin_make(struct machine *m, const char *id, struct keyvals *kv, struct error *e)
{
	return keyvals_all_used(kv, "none", e) ? NULL : NEW(struct rng_source);
}

static const struct object_kind builtin = { .name = "rng-builtin",
					    .doc = "the machine's own randomness",
					    .make = builtin_make,
					    .free = free };
OBJECT_KIND(builtin);
