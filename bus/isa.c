/* SPDX-License-Identifier: GPL-2.0-or-later */
/* isa.c - the ISA bus: a device's first bank appears at the port that the device chose, its
 * interrupt at the line that it chose. */
#include "bus/isa.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <errno.h>

static const struct bus_type isa_type;

struct isa_bus *isa_bus_new(struct machine *m, const char *name, struct device *irqs)
{
	struct isa_bus *b = NEW(struct isa_bus);

	b->irqs = irqs;
	bus_add(m, &b->bus, &isa_type, name);
	return b;
}

void isa_bus_free(struct isa_bus *b)
{
	if (!b)
		return;
	list_del(&b->bus.link);
	free(b);
}

static int plug(struct device *d, const char *bus, const char *addr, struct error *e)
{
	struct bus *b = bus_of(d->core->machine, &isa_type, bus);

	if (!b && bus)
		return error_ret(e, -ENODEV, "there is no ISA bus '%s'", bus);
	if (!b)
		return error_ret(e, -ENODEV,
				 "device '%s' needs an ISA bus, which this machine has not",
				 d->class->name);
	if (addr)
		return error_ret(e, -EINVAL,
				 "an ISA device has no addr=; its ports are a property of its own");
	d->core->bus = b;
	return 0;
}

static u32 chosen(const struct device *d, u32 off) { return *(const u32 *)((const u8 *)d + off); }

static int realized(struct device *d, struct error *e)
{
	const struct isa_place *p = d->class->iface;
	struct isa_bus *b = d->core->bus;
	struct machine *m = d->core->machine;
	struct region *r = device_bank(d, NULL);

	if (!p)
		return 0;
	if (r) {
		u32 port = chosen(d, p->iobase_off);

		if (!range_fits(port, r->size, 0x10000))
			return error_ret(e, -ERANGE,
					 "device '%s': ports from %#x on do not fit below 0x10000",
					 d->id, port);
		/* the first comer keeps a place that two want, and the second is told */
		for (unsigned i = 0; i < r->size; i++) {
			const struct flat_range *there = space_lookup(&m->io, port + i);

			if (there && there->region->owner)
				return error_ret(e, -EBUSY,
						 "device '%s': port %#x is taken by '%s'", d->id,
						 port + i,
						 ((struct device *)there->region->owner)->id);
		}
		region_add(&m->io_root, port, r, 0);
	}
	if (p->irq_off)
		device_connect(d, "irq", 0, b->irqs, chosen(d, p->irq_off));
	if (b->added)
		b->added(b->arg, d, chosen(d, p->iobase_off));
	return 0;
}

static void unplug(struct device *d)
{
	struct region *r = device_bank(d, NULL);

	if (r && r->parent)
		region_remove(r);
}

static const struct bus_type isa_type = {
	.name = "isa", .plug = plug, .realized = realized, .unplug = unplug
};
BUS_TYPE(isa_type)
