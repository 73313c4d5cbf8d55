/* SPDX-License-Identifier: GPL-2.0-or-later */
/* port92 - system control port A: fast reset and fast A20 (PIIX3 data sheet 2.5.8). */
#include <quern/device.h>

enum { INIT_NOW = BIT(0), A20 = BIT(1) };

struct port92 {
	struct device dev;
	u8 control;
	u8 pad[7];
};

static void control_written(void *dev, unsigned i, u64 val)
{
	if (val & INIT_NOW)
		device_request_reset(dev);
	if (!(val & A20))
		unimplemented(dev, "the A20 gate cannot be closed");
}

static const struct reg port92_regs[] = { REG(0, struct port92, control, .reset = A20,
					      .pulse = INIT_NOW, .set = control_written,
					      .doc = "Fast reset and A20."),
					  {} };
static const struct bank port92_banks[] = { { .name = "port", .size = 1, .regs = port92_regs },
					    {} };
static const struct state port92_state[] = { DERIVED(struct port92, pad), {} };
DEVICE(port92, .name = "port92", .doc = "System control port A", .banks = port92_banks,
       .state = port92_state);
