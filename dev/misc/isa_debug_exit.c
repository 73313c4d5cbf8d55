/* SPDX-License-Identifier: GPL-2.0-or-later */
/* isa-debug-exit - a port that ends the emulator: a write of v exits with status (v << 1) | 1. Test
 * kernels report their result with it. */
#include <quern/isa.h>

struct debug_exit {
	struct device dev;
	u32 iobase, iosize;
};

static u64 exit_read(void *dev, u64 off, unsigned size) { return 0; }

static void exit_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct debug_exit *d = dev;

	if (off >= d->iosize)
		guest_error(d, "write past its %u ports", d->iosize);
	else
		device_exit(d, (int)(val << 1 | 1));
}

static const struct bank exit_banks[] = {
	{ .name = "port", .size = 16, .read = exit_read, .write = exit_write }, {}
};
static const struct prop exit_props[] = {
	PROP(struct debug_exit, iobase, .def = 0x501, .max = 0xfff0, .doc = "The port."),
	PROP(struct debug_exit, iosize, .def = 2, .min = 1, .max = 16, .doc = "How many ports."),
	{}
};
static const struct device_class exit_class = {
	.api = QUERN_DEVICE_API,
	.size = sizeof(struct debug_exit),
	.bus = "isa",
	.iface = ISA_PLACE_PORT(struct debug_exit, iobase),
	.name = "isa-debug-exit",
	.doc = "Port that ends the emulator with an exit status",
	.banks = exit_banks,
	.props = exit_props,
};
QUERN_REGISTER(exit_class);
