/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci-testdev - counts writes to places that it names: what kvm-unit-tests measures accesses to
 * devices with. After lib/pci-testdev.c there: both BARs begin with a header that says where and
 * how the chosen test writes. */
#include <quern/pci.h>

enum { TESTS = 3, WIDTH = 1, MEMORY_AT = 0x800, PORTS_AT = 0x80 };
enum { TEST = 0, WIDTH_TYPE = 1, OFFSET = 4, DATA = 8, COUNT = 12, NAME = 16 };
enum { MATCH = 0xfa, ANY = 0xce };

struct pci_testdev {
	struct pci_device pci;
	u32 count[2]; /* writes of the test, by BAR */
	u8 chosen[2]; /* TESTS = none */
	u8 pad[6];
};

static const char *const names[2][TESTS] = {
	{ "mmio-no-eventfd", "mmio-wildcard-eventfd", "mmio-datamatch-eventfd" },
	{ "portio-no-eventfd", "portio-wildcard-eventfd", "portio-datamatch-eventfd" },
};

static u32 place(unsigned bar, unsigned test) { return (bar ? PORTS_AT : MEMORY_AT) + test; }

static u64 bar_read(struct pci_testdev *d, unsigned bar, u64 off, unsigned size)
{
	unsigned test = d->chosen[bar];
	u8 head[64] = { 0 };
	u64 v = 0;

	if (test < TESTS) {
		head[WIDTH_TYPE] = WIDTH;
		st32le(head + OFFSET, place(bar, test));
		st32le(head + DATA, test == 2 ? MATCH : ANY);
		strcpy((char *)head + NAME, names[bar][test]);
	}
	head[TEST] = test;
	st32le(head + COUNT, d->count[bar]);
	if (off + size <= sizeof(head))
		memcpy(&v, head + off, size);
	return LE_(64, v);
}

static void bar_write(struct pci_testdev *d, unsigned bar, u64 off, unsigned size, u64 val)
{
	unsigned test = d->chosen[bar];

	if (off == TEST && size == 1) {
		d->chosen[bar] = MIN(val, (u64)TESTS);
		d->count[bar] = 0;
	} else if (test < TESTS && off == place(bar, test) && size == WIDTH &&
		   (test != 2 || val == MATCH)) {
		d->count[bar]++;
	}
}

static u64 memory_read(void *dev, u64 off, unsigned size) { return bar_read(dev, 0, off, size); }
static u64 ports_read(void *dev, u64 off, unsigned size) { return bar_read(dev, 1, off, size); }

static void memory_write(void *dev, u64 off, unsigned size, u64 val)
{
	bar_write(dev, 0, off, size, val);
}

static void ports_write(void *dev, u64 off, unsigned size, u64 val)
{
	bar_write(dev, 1, off, size, val);
}

static void testdev_reset(void *dev)
{
	struct pci_testdev *d = dev;

	memset(d->count, 0, sizeof(d->count));
	memset(d->chosen, TESTS, sizeof(d->chosen));
}

static const struct state testdev_state[] = { STATE(struct pci_testdev, count),
					      STATE(struct pci_testdev, chosen),
					      DERIVED(struct pci_testdev, pad),
					      {} };
PCI_DEVICE(pci_testdev,
	   .dev = { .api = QUERN_DEVICE_API,
		    .name = "pci-testdev",
		    .doc = "Counts accesses for test programs",
		    .bus = "pci",
		    .size = sizeof(struct pci_testdev),
		    .state = testdev_state,
		    .reset = testdev_reset },
	   .vendor = 0x1b36, .device = 0x0005, .class_code = 0x00ff00,
	   .bar[0] = { .size = 0x1000, .read = memory_read, .write = memory_write },
	   .bar[1] = { .size = 0x100, .io = true, .read = ports_read, .write = ports_write });
