/* SPDX-License-Identifier: MIT */
/* isa.h - devices on the ISA bus: ports and interrupt numbers are the device's own choice. A class
 * with .bus = "isa" gives .iface = ISA_PLACE(...): after its init, the bus maps the class's first
 * bank at the port in `iobase` and connects its output "irq", if it has one, to that ISA line. */
#pragma once
#include "device.h"

/* A further bank of the class at a fixed place, in ports or in memory. */
struct isa_bank {
	const char *bank;
	u32 at;
	bool memory;
};
/* offsets of two u32 members in the device struct; irq_off 0 = no interrupt */
struct isa_place {
	u32 iobase_off, irq_off;
	const struct isa_bank *more; /* ends with {}, or NULL */
	const char *lines;	     /* output n of that name is interrupt line n, or NULL */
	u32 nlines;
};
#define ISA_PLACE(T, iobase_, irq_) \
	(&(const struct isa_place){ offsetof(T, iobase_), \
				    offsetof(T, irq_) + 0 * sizeof(((T *)0)->irq_), NULL, NULL, \
				    0 })
#define ISA_PLACE_PORT(T, iobase_) \
	(&(const struct isa_place){ offsetof(T, iobase_), 0, NULL, NULL, 0 })
