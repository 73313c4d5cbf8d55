/* SPDX-License-Identifier: MIT */
/* slots.h - simple buses: numbered places of one device into which others plug: disks into a disk
 * controller, name spaces into an NVMe controller. The child's class says .bus = "ide" or
 * "nvme-bus"; its unit= is the place. */
#pragma once
#include "device.h"

struct slots;
struct slots_ops {
	/* after the child's init: 0, or -errno to refuse it */
	int (*plugged)(void *owner, unsigned bus, unsigned slot, void *child, struct error *e);
	void (*unplugged)(void *owner, unsigned bus, unsigned slot, void *child);
};
/* A bus of this device. type: "ide", "nvme-bus"; number: its number among the owner's. name is
 * copied. In init; NULL with a sentence. */
struct slots *slots_new(void *owner, const char *type, const char *name, unsigned number,
			unsigned nslots, const struct slots_ops *ops, struct error *e);
/* Frees what is plugged in, too. In fini; NULL is allowed. */
void slots_free(struct slots *s);
const char *slots_name(const struct slots *s);
/* The device whose bus a child is on. */
void *slots_owner(void *child);
