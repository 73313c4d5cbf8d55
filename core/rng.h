/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rng.h - what a source of random bytes implements; see quern/rng.h. */
#pragma once
#include <quern/rng.h>

struct rng_source {
	/* as rng_read */
	u32 (*read)(struct rng_source *s, void *buf, u32 n);
	/* what waits for more, or NULL: the source calls and clears it */
	void (*ready)(void *dev);
	void *dev;
};
/* There may be bytes again. */
void rng_ready(struct rng_source *s);
