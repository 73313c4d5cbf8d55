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

/* The first comer keeps a place that two want, and the second is told. */
static int map_ports(struct device *d, struct region *r, u32 port, struct error *e)
{
	struct machine *m = d->core->machine;

	if (!range_fits(port, r->size, 0x10000))
		return error_ret(e, -ERANGE,
				 "device '%s': ports from %#x on do not fit below 0x10000", d->id,
				 port);
	for (unsigned i = 0; i < r->size; i++) {
		const struct flat_range *there = space_lookup(&m->io, port + i);

		if (there && there->region->owner)
			return error_ret(e, -EBUSY, "device '%s': port %#x is taken by '%s'", d->id,
					 port + i, ((struct device *)there->region->owner)->id);
	}
	region_add(&m->io_root, port, r, 0);
	return 0;
}

static int realized(struct device *d, struct error *e)
{
	const struct isa_place *p = d->class->iface;
	struct isa_bus *b = d->core->bus;
	struct region *r = device_bank(d, NULL);
	int err = 0;

	if (!p)
		return 0;
	if (r)
		err = map_ports(d, r, chosen(d, p->iobase_off), e);
	for (const struct isa_bank *k = p->more; k && k->bank && !err; k++) {
		r = device_bank(d, k->bank);
		if (k->memory)
			region_add(&d->core->machine->memory_root, k->at, r, 0);
		else
			err = map_ports(d, r, k->at, e);
	}
	if (err)
		return err;
	if (p->irq_off)
		device_connect(d, "irq", 0, b->irqs, chosen(d, p->irq_off));
	for (unsigned n = 0; n < p->nlines; n++)
		device_connect(d, p->lines, n, b->irqs, n);
	if (b->added)
		b->added(b->arg, d, chosen(d, p->iobase_off));
	return 0;
}

static void unplug(struct device *d)
{
	for (unsigned i = 0; i < d->core->nbanks; i++) {
		if (d->core->bank[i].parent)
			region_remove(&d->core->bank[i]);
	}
}

static const struct bus_type isa_type = {
	.name = "isa", .plug = plug, .realized = realized, .unplug = unplug
};
BUS_TYPE(isa_type)
