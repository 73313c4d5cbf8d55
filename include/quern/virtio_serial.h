/* SPDX-License-Identifier: MIT */
/* virtio_serial.h - ports of a virtio serial device: classes with .bus = "virtio-serial" plug into
 * the virtio device whose class has .iface = &VIRTIO_SERIAL. Its bus is named "ID.0". */
#pragma once
#include "virtio.h"

struct virtio_serial_iface {
	/* How many ports it has room for still. */
	unsigned (*free)(const void *serial);
};
/* The serial device that a port was plugged into: from the port's init on. */
void *virtio_serial_of(const void *port);
