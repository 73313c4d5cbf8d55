/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vdrv.h - a virtio driver for unit tests: over PCI or memory-mapped registers, split or packed
 * rings, through the device's real registers and memory (see core/tdev.h). */
#pragma once
#include <quern/virtio.h>
#include "core/tdev.h"

enum { VDRV_QUEUES = 8, VDRV_SIZE = 16 };

struct vdrv_queue {
	u32 desc, driver, device; /* addresses */
	u16 avail, used;
	bool avail_wrap, used_wrap;
	unsigned free; /* split: the next descriptor */
};
struct vdrv {
	struct tdev *t;
	bool mmio;
	u64 features, offered;
	u32 next; /* free memory */
	struct vdrv_queue q[VDRV_QUEUES];
	unsigned nq;
};
struct vdrv_buf {
	u32 at, n;
	bool write;
};

/* The device is found, features (of those offered) are taken, all queues set up, DRIVER_OK. */
struct vdrv *vdrv_new(const char *class, const char *props, u64 features);
/* The same with a device that there is already, after a reset. */
void vdrv_start(struct vdrv *v, u64 features);
/* Reset, and negotiation up to FEATURES_OK: true when the device takes them. */
bool vdrv_negotiate(struct vdrv *v, u64 features);
void vdrv_setup(struct vdrv *v);
void vdrv_status(struct vdrv *v, u8 status);
u8 vdrv_get_status(struct vdrv *v);
void vdrv_free(struct vdrv *v);
/* n bytes of guest memory, aligned to 16. */
u32 vdrv_alloc(struct vdrv *v, u32 n);
void *vdrv_mem(struct vdrv *v, u32 at);
/* One request of n buffers; returns its id. indirect: through a table. */
u16 vdrv_add(struct vdrv *v, unsigned q, const struct vdrv_buf *b, unsigned n, bool indirect);
void vdrv_kick(struct vdrv *v, unsigned q);
/* The next used request: false = none. */
bool vdrv_used(struct vdrv *v, unsigned q, u16 *id, u32 *len);
u32 vdrv_config(struct vdrv *v, u32 off, unsigned size);
void vdrv_config_set(struct vdrv *v, u32 off, unsigned size, u32 val);
