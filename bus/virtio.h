/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio.h - virtio as boards see it: memory-mapped transports. The models' side is
 * quern/virtio.h. */
#pragma once
#include <quern/virtio.h>
#include "core/device.h"

/* A place for one memory-mapped virtio device: 512 bytes of registers and an interrupt line. name
 * ("virtio-mmio-bus.0") stays the caller's. The slot made last is filled first. */
struct virtio_slot;
struct virtio_slot *virtio_slot_new(struct machine *m, const char *name, u64 base, struct irq irq);
bool virtio_slot_used(const struct virtio_slot *s);
void virtio_slot_free(struct virtio_slot *s);

/* --- the device classes that transports make of a virtio class */
void virtio_pci_classes(const struct virtio_class *c,
			void (*add)(void *arg, const struct device_class *made), void *arg);
void virtio_mmio_classes(const struct virtio_class *c,
			 void (*add)(void *arg, const struct device_class *made), void *arg);
