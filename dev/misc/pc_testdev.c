/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pc-testdev - what kvm-unit-tests' x86 programs (x86/emulator.c, x86/ioapic.c) try a CPU and its
 * interrupt controllers on: ports that keep what is written, memory that is a device's, a port for
 * each interrupt line. */
#include <quern/isa.h>

enum { LINES = 24, MEMORY = 0x10000 };

struct pc_testdev {
	struct device dev;
	u32 iobase;
	u32 data; /* what the ports hold */
	struct irq line[LINES];
	u8 memory[MEMORY];
};

/* iobase: four bytes of storage, a port that would flush a page's mapping (translations here need
 * no such help), and at +8 the same bytes one at a time. */
static u64 io_read(void *dev, u64 off, unsigned size)
{
	const struct pc_testdev *d = dev;

	return (off & 4) ? 0 : d->data >> (off & 3) * 8;
}

static void io_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct pc_testdev *d = dev;
	unsigned at = (off & 3) * 8;
	u32 mask = (u32)(size < 4 ? BIT(size * 8) - 1 : ~0u) << at;

	if (!(off & 4))
		d->data = (d->data & ~mask) | ((u32)val << at & mask);
}

static u64 lines_read(void *dev, u64 off, unsigned size) { return 0; }

static void lines_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct pc_testdev *d = dev;

	irq_set(&d->line[off], val != 0);
}

static u64 memory_read(void *dev, u64 off, unsigned size)
{
	u64 v = 0;

	memcpy(&v, ((struct pc_testdev *)dev)->memory + off, size);
	return LE_(64, v);
}

static void memory_write(void *dev, u64 off, unsigned size, u64 val)
{
	u64 v = LE_(64, val);

	memcpy(((struct pc_testdev *)dev)->memory + off, &v, size);
}

static void testdev_reset(void *dev)
{
	struct pc_testdev *d = dev;

	d->data = 0;
	for (unsigned n = 0; n < LINES; n++)
		irq_set(&d->line[n], 0);
}

static const struct bank testdev_banks[] = {
	{ .name = "io", .size = 12, .min = 1, .max = 4, .read = io_read, .write = io_write },
	{ .name = "lines",
	  .size = LINES,
	  .min = 1,
	  .max = 1,
	  .split = true,
	  .read = lines_read,
	  .write = lines_write },
	{ .name = "memory",
	  .size = MEMORY,
	  .min = 1,
	  .max = 8,
	  .read = memory_read,
	  .write = memory_write },
	{}
};
static const struct prop testdev_props[] = {
	PROP(struct pc_testdev, iobase, .def = 0xe0, .max = 0xffff, .doc = "The first port."), {}
};
static const struct state testdev_state[] = { STATE(struct pc_testdev, data),
					      STATE(struct pc_testdev, memory),
					      IRQ_OUT(struct pc_testdev, line),
					      {} };
static const struct isa_bank testdev_more[] = { { "lines", 0x2000, false },
						{ "memory", 0xff000000, true },
						{} };
static const struct device_class testdev_class = {
	.api = QUERN_DEVICE_API,
	.size = sizeof(struct pc_testdev),
	.bus = "isa",
	.iface = &(const struct isa_place){ .iobase_off = offsetof(struct pc_testdev, iobase),
					    .more = testdev_more,
					    .lines = "line",
					    .nlines = LINES },
	.name = "pc-testdev",
	.doc = "Ports, memory and interrupt lines for test programs",
	.banks = testdev_banks,
	.props = testdev_props,
	.state = testdev_state,
	.reset = testdev_reset,
};
QUERN_REGISTER(testdev_class);
