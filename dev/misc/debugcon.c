/* SPDX-License-Identifier: GPL-2.0-or-later */
/* isa-debugcon - a port whose writes are characters and whose reads show that it is there: what
 * firmware prints its log to. */
#include <quern/isa.h>

struct debugcon {
	struct device dev;
	struct chardev *chardev;
	u32 iobase, readback;
};

static u64 con_read(void *dev, u64 off, unsigned size)
{
	return ((struct debugcon *)dev)->readback;
}

static void con_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct debugcon *d = dev;
	u8 c = val;

	if (d->chardev && chardev_write(d->chardev, &c, 1) != 1)
		trace(d, "lost", "%#x: the back end is slow and this port cannot wait", c);
}

static const struct bank con_banks[] = { { .name = "port",
					   .size = 1,
					   .min = 1,
					   .max = 1,
					   .split = true,
					   .read = con_read,
					   .write = con_write },
					 {} };
static const struct prop con_props[] = {
	PROP(struct debugcon, chardev, .kind = PROP_CHARDEV, .doc = "Where the characters go."),
	PROP(struct debugcon, iobase, .def = 0xe9, .max = 0xffff, .doc = "The port."),
	PROP(struct debugcon, readback, .def = 0xe9, .max = 0xff, .doc = "What a read returns."),
	{}
};
static const struct device_class con_class = {
	.api = QUERN_DEVICE_API,
	.size = sizeof(struct debugcon),
	.bus = "isa",
	.iface = ISA_PLACE_PORT(struct debugcon, iobase),
	.name = "isa-debugcon",
	.doc = "Debug console port",
	.banks = con_banks,
	.props = con_props,
};
QUERN_REGISTER(con_class);
