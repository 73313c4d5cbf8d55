/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cf9 - the reset control register at port 0xcf9 (PIIX3 data sheet 2.5.10, ICH9 data sheet 13.7.5).
 */
#include <quern/device.h>

enum { SYSTEM_RESET = BIT(1), RESET_CPU = BIT(2), FULL_RESET = BIT(3) };

struct cf9 {
	struct device dev;
	u8 control;
	u8 pad[7];
};

/* The kind of reset is what bit 1 says when bit 2 rises; here all of them are resets of the
 * machine. */
static void control_written(void *dev, unsigned i, u64 val)
{
	if (val & RESET_CPU)
		device_request_reset(dev);
}

static const struct reg cf9_regs[] = { REG(0, struct cf9, control, .pulse = RESET_CPU,
					   .set = control_written, .doc = "Reset control.",
					   FIELDS(SYSTEM_RESET, RESET_CPU, FULL_RESET)),
				       {} };
static const struct bank cf9_banks[] = { { .name = "port", .size = 1, .regs = cf9_regs }, {} };
static const struct state cf9_state[] = { DERIVED(struct cf9, pad), {} };
DEVICE(cf9, .name = "cf9", .doc = "Reset control register", .banks = cf9_banks, .state = cf9_state);
