/* SPDX-License-Identifier: GPL-2.0-or-later */
/* late.h - what a fault has delayed: interrupts and DMA writes that arrive later in guest time than
 * their device believes. Part of snapshots; a machine reset forgets them. */
#pragma once
#include "core/device.h"

struct late_queue;

/* ns from now, the bus of d gets `what` (bus_type->late). */
void late_bus(struct device *d, u32 what, u64 ns);
/* Output n of d, of all its outputs: irq_late. */
void late_line(struct device *d, unsigned n, u64 ns);
/* n bytes of d arrive at addr. What then misses memory is a guest error. */
void late_write(struct device *d, u64 addr, const void *buf, size_t n, u64 ns);
/* Is such a thing under way? cancel: no longer. */
bool late_pending(struct device *d, u32 what, bool cancel);
void late_forget(struct device *d);

void late_init(struct machine *m);
void late_fini(struct machine *m);
