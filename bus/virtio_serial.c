/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio_serial.c - where ports (virtconsole, virtserialport) go: the serial device that bus=
 * names, "ID.0" or "virtio-serial-bus.N"; without, the one added last that has room. */
#include <quern/virtio_serial.h>
#include "bus/virtio_core.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>

enum { SERIAL_ID = 3 };

static const struct virtio_serial_iface *serial_iface(const struct device *d)
{
	const struct virtio_class *c = virtio_class_of(d);

	return c && c->id == SERIAL_ID && d->core->realized ? c->dev.iface : NULL;
}

static bool named(const struct device *d, const char *bus, unsigned nth)
{
	AUTO_FREE char *by_id = xasprintf("%s.0", d->id),
		       *by_number = xasprintf("virtio-serial-bus.%u", nth);

	return str_eq(bus, by_id) || str_eq(bus, by_number);
}

static int plug(struct device *d, const char *bus, const char *addr, struct error *e)
{
	struct device *found = NULL;
	struct device_core *c;
	unsigned nth = 0;
	bool any = false;

	if (addr)
		return error_ret(e, -EINVAL, "a port has no addr=; nr= is its number");
	list_for_each (c, &d->core->machine->devices, link) {
		const struct virtio_serial_iface *s = serial_iface(c->dev);

		if (!s)
			continue;
		any = true;
		if (bus ? named(c->dev, bus, nth) : s->free(c->dev) > 0)
			found = c->dev;
		nth++;
	}
	if (!found && bus)
		return error_ret(e, -ENODEV, "there is no virtio-serial bus '%s'", bus);
	if (!found)
		return error_ret(e, -ENODEV,
				 any ? "no virtio serial device has room for port '%s'" :
				       "No 'virtio-serial-bus' bus found for device '%s': "
				       "-device virtio-serial comes first",
				 d->class->name);
	d->core->bus = found;
	return 0;
}

void *virtio_serial_of(const void *port) { return ((const struct device *)port)->core->bus; }

static const struct bus_type serial_type = { .name = "virtio-serial", .plug = plug };
BUS_TYPE(serial_type)
