/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pvpanic-pci - the guest panic notification as a PCI function: one byte of memory in BAR 0 (the
 * pvpanic device specification). */
#include <quern/pci.h>

enum { EVENT_PANICKED = BIT(0), EVENT_CRASH_LOADED = BIT(1), EVENT_SHUTDOWN = BIT(2) };

struct pvpanic_pci {
	struct pci_device pci;
	u8 events, event;
	u8 pad[6];
};

static u64 event_read(void *dev, unsigned i, u64 val)
{
	return ((struct pvpanic_pci *)dev)->events;
}

static void event_written(void *dev, unsigned i, u64 val)
{
	struct pvpanic_pci *d = dev;

	trace(d, "event", "%#x", (unsigned)val);
	val &= d->events;
	d->event = 0;
	if (val & EVENT_PANICKED)
		device_guest_panicked(d);
	else if (val & EVENT_SHUTDOWN)
		device_request_shutdown(d);
}

static const struct reg panic_regs[] = {
	REG(0, struct pvpanic_pci, event, .get = event_read, .set = event_written,
	    .doc = "Reads the events that are known; a write is one.",
	    FIELDS(EVENT_PANICKED, EVENT_CRASH_LOADED, EVENT_SHUTDOWN)),
	{}
};
static const struct prop panic_props[] = { PROP(struct pvpanic_pci, events,
						.def = EVENT_PANICKED | EVENT_CRASH_LOADED |
						       EVENT_SHUTDOWN,
						.max = 7, .doc = "Events that are known."),
					   {} };
static const struct state panic_state[] = { DERIVED(struct pvpanic_pci, pad), {} };
PCI_DEVICE(pvpanic_pci,
	   .dev = { .api = QUERN_DEVICE_API,
		    .name = "pvpanic-pci",
		    .doc = "PCI guest panic notification",
		    .bus = "pci",
		    .size = sizeof(struct pvpanic_pci),
		    .props = panic_props,
		    .state = panic_state },
	   .vendor = 0x1b36, .device = 0x0011, .revision = 1, .class_code = 0x088000,
	   .bar[0] = { .regs = panic_regs, .size = 16 });
