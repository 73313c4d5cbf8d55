/* SPDX-License-Identifier: GPL-2.0-or-later */
/* acpi-ged - what a hardware-reduced ACPI machine has instead of PM1 blocks: an event register
 * behind the generic event device (ACPI 6.4, 5.6.9) and the sleep control, sleep status and reset
 * registers (4.8.3.6, 4.8.3.7). */
#include <quern/device.h>

enum { EVENT_POWER_BUTTON = BIT(1) };
enum { SLP_TYP = 7 << 2, SLP_EN = BIT(5), WAK_STS = BIT(7), RESET_VALUE = 0x42 };

struct acpi_ged {
	struct device dev;
	struct irq irq;
	u32 events;
	u8 sleep_status, s5_type;
	u8 pad[2];
};

/* Reading takes the events. */
static u64 events_read(void *dev, unsigned i, u64 val)
{
	struct acpi_ged *d = dev;

	irq_set(&d->irq, 0);
	return val;
}

static void sleep_control(void *dev, unsigned i, u64 val)
{
	struct acpi_ged *d = dev;
	unsigned type = FIELD_GET(SLP_TYP, (u32)val);

	if (!(val & SLP_EN))
		return;
	if (type == d->s5_type)
		device_request_shutdown(d);
	else
		unimplemented(d, "sleep_control: sleep type %u (only S5, type %u)", type,
			      d->s5_type);
}

static void reset_written(void *dev, unsigned i, u64 val)
{
	if (val == RESET_VALUE)
		device_request_reset(dev);
	else
		guest_error(dev, "reset: %#x is not the reset value %#x", (unsigned)val,
			    RESET_VALUE);
}

static void power_button(void *dev)
{
	struct acpi_ged *d = dev;

	d->events |= EVENT_POWER_BUTTON;
	irq_set(&d->irq, 0);
	irq_set(&d->irq, 1);
}

static int acpi_ged_init(void *dev, struct error *e)
{
	device_on_powerdown(dev, power_button);
	return 0;
}

static void acpi_ged_reset(void *dev)
{
	struct acpi_ged *d = dev;

	irq_set(&d->irq, 0);
}

static const struct reg event_regs[] = {
	REG(0, struct acpi_ged, events, .ro = ~0u, .rclr = ~0u, .get = events_read,
	    .doc = "Events that happened; reading clears.", FIELDS(EVENT_POWER_BUTTON)),
	{}
};
static const struct reg sleep_regs[] = { { .name = "sleep_control",
					   .at = 0,
					   .size = 1,
					   .novalue = true,
					   .set = sleep_control,
					   .doc = "Goes to sleep.",
					   FIELDS(SLP_TYP, SLP_EN) },
					 REG(1, struct acpi_ged, sleep_status, .w1c = WAK_STS,
					     .doc = "Waking.", FIELDS(WAK_STS)),
					 { .name = "reset",
					   .at = 2,
					   .size = 1,
					   .novalue = true,
					   .set = reset_written,
					   .doc = "Resets the machine." },
					 {} };
static const struct bank acpi_ged_banks[] = { { .name = "sleep", .size = 3, .regs = sleep_regs },
					      { .name = "events", .size = 4, .regs = event_regs },
					      {} };
static const struct prop acpi_ged_props[] = {
	PROP(struct acpi_ged, s5_type, .max = 7, .doc = "SLP_TYP value that powers off."), {}
};
static const struct state acpi_ged_state[] = { IRQ_OUT(struct acpi_ged, irq),
					       DERIVED(struct acpi_ged, pad),
					       {} };
DEVICE(acpi_ged, .name = "acpi-ged",
       .doc = "ACPI generic event device with sleep and reset registers", .banks = acpi_ged_banks,
       .props = acpi_ged_props, .state = acpi_ged_state, .init = acpi_ged_init,
       .reset = acpi_ged_reset);
