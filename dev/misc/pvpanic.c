/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pvpanic - a port by which a guest tells that it panicked (the pvpanic device specification: event
 * bits 0 panicked, 1 crash kernel loaded, 2 shut down). A read tells which events are known. */
#include <quern/isa.h>

enum { EVENT_PANICKED = BIT(0), EVENT_CRASH_LOADED = BIT(1), EVENT_SHUTDOWN = BIT(2) };

struct pvpanic {
	struct device dev;
	u32 ioport;
	u8 events;
	u8 pad[3];
};

static u64 panic_read(void *dev, u64 off, unsigned size) { return ((struct pvpanic *)dev)->events; }

static void panic_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct pvpanic *d = dev;

	trace(d, "event", "%#x", (unsigned)val);
	val &= d->events;
	if (val & EVENT_PANICKED)
		device_guest_panicked(d);
	else if (val & EVENT_SHUTDOWN)
		device_request_shutdown(d);
}

static const struct bank panic_banks[] = {
	{ .name = "port", .size = 1, .min = 1, .max = 1, .read = panic_read, .write = panic_write },
	{}
};
static const struct prop panic_props[] = {
	PROP(struct pvpanic, ioport, .def = 0x505, .max = 0xffff, .doc = "The port."),
	PROP(struct pvpanic, events, .def = EVENT_PANICKED | EVENT_CRASH_LOADED | EVENT_SHUTDOWN,
	     .max = 7, .doc = "Events that are known."),
	{}
};
static const struct state panic_state[] = { DERIVED(struct pvpanic, pad), {} };
static const struct device_class panic_class = {
	.api = QUERN_DEVICE_API,
	.size = sizeof(struct pvpanic),
	.bus = "isa",
	.iface = ISA_PLACE_PORT(struct pvpanic, ioport),
	.name = "pvpanic",
	.doc = "Guest panic notification port",
	.banks = panic_banks,
	.props = panic_props,
	.state = panic_state,
};
QUERN_REGISTER(panic_class);
