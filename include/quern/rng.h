/* SPDX-License-Identifier: MIT */
/* rng.h - sources of random bytes (-object rng-builtin, rng-random), for devices with a property of
 * kind PROP_OBJECT and .def_str = "rng-". NULL is the machine's own randomness. */
#pragma once
#include "device.h"

struct rng_source;
/* Up to n random bytes, at once. Fewer, or 0, when the source has no more now: then ready(dev) is
 * called once when it has. */
u32 rng_read(struct rng_source *s, void *dev, void *buf, u32 n, void (*ready)(void *dev));
/* ready is not called any more. */
void rng_forget(struct rng_source *s, void *dev);
