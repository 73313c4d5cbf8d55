/* SPDX-License-Identifier: GPL-2.0-or-later */
/* isa.h - the ISA bus as boards see it. The models' side is quern/isa.h. */
#pragma once
#include <quern/isa.h>
#include "core/device.h"

struct isa_bus {
	struct bus bus;
	struct device *irqs; /* its inputs are the interrupt lines: 0..15 ISA's own */
	/* a device has got its place; may be NULL */
	void (*added)(void *arg, struct device *d, u32 port);
	void *arg;
};
/* name ("isa.0") stays the caller's. */
struct isa_bus *isa_bus_new(struct machine *m, const char *name, struct device *irqs);
void isa_bus_free(struct isa_bus *b);
