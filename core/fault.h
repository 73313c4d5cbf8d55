/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fault.h - breaking things on purpose. A fault point is `fault(d, "stuck")` in a model, or one of
 * those that every device has: dma_read, dma_write (fail). Armed per machine:
 * crc0.stuck,probability=10,interval=5,times=3  with the kernel's fault-injection meaning: of every
 * `interval` visits one is considered, which fires with `probability` percent, `times` times at
 * most. Whether a visit fires depends on the machine's seed, the point and the number of the visit
 * alone: the same seed fails the same way.
 */
#pragma once
#include "core/device.h"

struct fault_info {
	const char *name;     /* the pattern, ID.point */
	unsigned probability; /* percent */
	u64 interval, times;  /* times: left; ~0 = without end */
	u64 hits, fired;
};

/* Arms what a pattern of ID.point (or CLASS.point) names; arming the same pattern again replaces
 * it. */
int must_check fault_arm(struct machine *m, const char *spec, struct error *e);
/* -ENOENT when it was not armed. */
int must_check fault_disarm(struct machine *m, const char *name, struct error *e);
void fault_each(struct machine *m, void (*fn)(void *arg, const struct fault_info *f), void *arg);
void fault_disarm_all(struct machine *m);
/* A point without a place in a model's source. */
bool fault_named(struct device *d, const char *name);
/* A shared object's points. They must stay. */
void fault_add_points(struct point *const *first, struct point *const *last);
/* All points that models have: "crc.stuck". */
void fault_list(void (*fn)(void *arg, const char *name), void *arg);
