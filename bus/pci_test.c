/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_test.c - configuration space, BARs, INTx through bridges, MSI and MSI-X, placing. */
#include "bus/pci.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include "lib/test.h"
#include <errno.h>

struct tpci {
	struct pci_device pci;
	u32 a, b, io_val;
	struct pci_bus *behind;
};

static const struct reg mem_regs[] = { REG(0, struct tpci, a, .reset = 0x1234, .doc = "A."), {} };
static const struct reg big_regs[] = { REG(8, struct tpci, b, .doc = "B."), {} };

static u64 io_read(void *dev, u64 off, unsigned size) { return off; }

static void io_write(void *dev, u64 off, unsigned size, u64 val)
{
	((struct tpci *)dev)->io_val = val;
}

static int tpci_init(void *dev, struct error *e)
{
	struct tpci *d = dev;

	if (d->pci.dev.class->name[5] == 'b')
		d->behind = pci_bridge_bus(&d->pci, "behind");
	return 0;
}

static const struct state tpci_state[] = { DERIVED(struct tpci, io_val),
					   DERIVED(struct tpci, behind),
					   {} };
static const struct state bare_state[] = { DERIVED(struct tpci, a),
					   DERIVED(struct tpci, b),
					   DERIVED(struct tpci, io_val),
					   DERIVED(struct tpci, behind),
					   {} };

#define TPCI(var, name_, state_, ...) \
	static const struct pci_class var = { .dev = { .api = QUERN_DEVICE_API, \
						       .name = name_, \
						       .doc = "Of the tests.", \
						       .bus = "pci", \
						       .size = sizeof(struct tpci), \
						       .state = state_, \
						       .init = tpci_init }, \
					      .vendor = 0x1234, \
					      .device = 0x5678, \
					      __VA_ARGS__ }; \
	QUERN_REGISTER(var)

#define BARS \
	.bar = { { mem_regs, 0x1000 }, \
		 { .size = 0x40, .io = true, .read = io_read, .write = io_write }, \
		 { big_regs, 1ull << 33, .bits64 = true, .prefetch = true } }

TPCI(tpci_plain, "tpci-plain", tpci_state, .class_code = 0x020300, .revision = 7, .intx = true,
     .msi = 4, BARS);
TPCI(tpci_msix, "tpci-msix", tpci_state, .msix = 70, .express = true, BARS);
TPCI(tpci_own, "tpci-own", bare_state, .msix = 4, .msix_bar = 0);
TPCI(tpci_bridge, "tpci-bridge", bare_state, .class_code = 0x060400, .header = 1);

/* ---- the board: lines by slot and pin, messages noted */

static unsigned line_changes;
static u64 message_data[16];
static unsigned messages;

static unsigned map(void *arg, unsigned slot, unsigned pin) { return (slot + pin) % 4; }

static void set(void *arg, unsigned line, int level) { line_changes++; }

static enum mem_result msg_read(void *opaque, u64 off, unsigned size, u64 *val,
				struct mem_attrs attrs)
{
	*val = 0;
	return MEM_OK;
}

static enum mem_result msg_write(void *opaque, u64 off, unsigned size, u64 val,
				 struct mem_attrs attrs)
{
	CHECK_EQ(size, 4);
	message_data[messages++ % 16] = val | off << 32;
	return MEM_OK;
}

static const struct region_ops msg_ops = { .read = msg_read, .write = msg_write };
static struct region msg_region;
static struct machine *m;
static struct pci_bus *bus;

static void board(bool express)
{
	m = machine_new();
	bus = pci_bus_new(m, "pci.0", &m->memory_root, &m->io_root, express);
	pci_bus_route(bus, map, set, NULL, 4);
	region_init_io(&msg_region, "messages", 0x1000, &msg_ops, NULL);
	region_add(&m->memory_root, 0xfee00000, &msg_region, 0);
}

static struct pci_device *add(const char *class, int slot, int function)
{
	struct error e = { 0 };
	struct pci_device *p = pci_make(bus, slot, function, class, NULL, NULL, &e);

	if (!p)
		test_fail(__FILE__, __LINE__, "%s", e.text);
	return p;
}

static u32 rd(unsigned devfn, u32 off, unsigned size)
{
	return pci_config_access(bus, 0, devfn, off, size, false, 0);
}

static void wr(unsigned devfn, u32 off, unsigned size, u32 val)
{
	pci_config_access(bus, 0, devfn, off, size, true, val);
}

static u64 ld(struct space *s, u64 addr, unsigned size)
{
	u64 val;

	return space_ld(s, addr, size, &val, (struct mem_attrs){ 0 }) == MEM_OK ? val : ~0ull;
}

static unsigned cap(unsigned devfn, u8 id)
{
	unsigned at = rd(devfn, 0x34, 1);

	while (at && rd(devfn, at, 1) != id)
		at = rd(devfn, at + 1, 1);
	return at;
}

TEST(pci_header)
{
	board(false);
	add("tpci-plain", 3, 0);
	CHECK_EQ(rd(24, 0, 4), 0x56781234);
	CHECK_EQ(rd(24, 8, 4), 0x02030007);
	CHECK_EQ(rd(24, 0x2c, 4), 0x11001af4);
	CHECK_EQ(rd(24, 0x3d, 1), 1);
	CHECK_EQ(rd(24, 0xe, 1), 0);
	CHECK(rd(24, 6, 2) & 0x10);
	/* read-only fields stay */
	wr(24, 0, 4, 0xffffffff);
	wr(24, 8, 4, 0);
	CHECK_EQ(rd(24, 0, 4), 0x56781234);
	CHECK_EQ(rd(24, 8, 4), 0x02030007);
	wr(24, 4, 4, 0xffffffff);
	CHECK_EQ(rd(24, 4, 2), 0x0547);
	wr(24, 0x3c, 1, 0x0b);
	CHECK_EQ(rd(24, 0x3c, 1), 0x0b);
	/* where no function is, and accesses that no mechanism makes */
	CHECK_EQ(rd(25, 0, 4), 0xffffffff);
	CHECK_EQ(rd(32, 0, 2), 0xffff);
	CHECK_EQ(pci_config_access(bus, 1, 24, 0, 4, false, 0), 0xffffffff);
	CHECK_EQ(rd(24, 0x100, 4), 0xffffffff);
	CHECK_EQ(rd(24, 3, 4), 0xffffffff);
	CHECK_EQ(rd(24, 0x0fffffff, 1), 0xff);
}

TEST(pci_bar_sizing)
{
	board(false);
	add("tpci-plain", 1, 0);
	for (unsigned at = 0x10; at <= 0x24; at += 4)
		wr(8, at, 4, 0xffffffff);
	CHECK_EQ(rd(8, 0x10, 4), 0xfffff000);
	CHECK_EQ(rd(8, 0x14, 4), 0xffffffc1);
	CHECK_EQ(rd(8, 0x18, 4), 0x0000000c);
	CHECK_EQ(rd(8, 0x1c, 4), 0xfffffffe);
	CHECK_EQ(rd(8, 0x20, 4), 0);
	/* enabled while all ones: decodes nowhere */
	wr(8, 4, 2, 3);
	CHECK_EQ(ld(&m->memory, 0xfffff000, 4), ~0ull);
}

TEST(pci_bar_decoding)
{
	struct tpci *d;

	board(false);
	d = (struct tpci *)add("tpci-plain", 1, 0);
	wr(8, 0x10, 4, 0xc0000fff);
	wr(8, 0x14, 4, 0xc000);
	wr(8, 0x18, 4, 0);
	wr(8, 0x1c, 4, 0x10);
	CHECK_EQ(ld(&m->memory, 0xc0000000, 4), ~0ull);
	wr(8, 4, 2, 2);
	CHECK_EQ(ld(&m->memory, 0xc0000000, 4), 0x1234);
	CHECK_EQ(ld(&m->io, 0xc004, 1), ~0ull);
	wr(8, 4, 2, 3);
	CHECK_EQ(ld(&m->io, 0xc004, 1), 4);
	d->b = 77;
	CHECK_EQ(ld(&m->memory, 0x1000000008ull, 4), 77);
	wr(8, 0x10, 4, 0xc1000000);
	CHECK_EQ(ld(&m->memory, 0xc0000000, 4), ~0ull);
	CHECK_EQ(ld(&m->memory, 0xc1000000, 4), 0x1234);
	device_reset(&d->pci.dev);
	CHECK_EQ(ld(&m->memory, 0xc1000000, 4), ~0ull);
	CHECK_EQ(rd(8, 0x10, 4), 0);
	CHECK_EQ(rd(8, 4, 2), 0);
}

TEST(pci_overlapping_bars)
{
	board(false);
	add("tpci-plain", 1, 0);
	add("tpci-plain", 2, 0);
	wr(8, 0x10, 4, 0xc0000000);
	wr(16, 0x10, 4, 0xc0000000);
	wr(8, 4, 2, 2);
	wr(16, 4, 2, 2);
	CHECK_EQ(ld(&m->memory, 0xc0000000, 4), 0x1234);
	wr(16, 4, 2, 0);
	CHECK_EQ(ld(&m->memory, 0xc0000000, 4), 0x1234);
	wr(8, 4, 2, 0);
	CHECK_EQ(ld(&m->memory, 0xc0000000, 4), ~0ull);
}

TEST(pci_intx_is_shared_and_can_be_disabled)
{
	struct pci_device *a, *b;

	board(false);
	a = add("tpci-plain", 1, 0);
	b = add("tpci-plain", 5, 0);
	pci_intx(a, 1);
	pci_intx(a, 1);
	CHECK_EQ(line_changes, 1);
	CHECK(rd(8, 6, 2) & 8);
	pci_intx(b, 1);
	pci_intx(a, 0);
	CHECK_EQ(line_changes, 1);
	CHECK_EQ(pci_bus_line(bus, 1), 1);
	/* INTx disable takes it off the line; the status bit still tells */
	wr(40, 4, 2, 0x400);
	CHECK_EQ(pci_bus_line(bus, 1), 0);
	CHECK_EQ(line_changes, 2);
	CHECK(rd(40, 6, 2) & 8);
	wr(40, 4, 2, 0);
	CHECK_EQ(pci_bus_line(bus, 1), 1);
	device_reset(&b->dev);
	CHECK_EQ(pci_bus_line(bus, 1), 0);
	pci_intx(b, 1);
	device_free(&b->dev);
	CHECK_EQ(pci_bus_line(bus, 1), 0);
	CHECK_EQ(rd(40, 0, 4), 0xffffffff);
}

TEST(pci_msi)
{
	struct pci_device *p;
	unsigned c;

	board(false);
	p = add("tpci-plain", 1, 0);
	c = cap(8, 5);
	CHECK(c);
	CHECK_EQ(rd(8, c + 2, 2), 0x0184); /* 4 vectors possible, 64 bits, maskable */
	pci_irq(p, 0);
	CHECK_EQ(messages, 0);
	CHECK(!pci_msi_enabled(p));
	wr(8, c + 4, 4, 0xfee00103);
	wr(8, c + 8, 4, 0);
	wr(8, c + 12, 2, 0x4141);
	wr(8, c + 2, 2, 0x0021); /* 4 vectors, on */
	CHECK(pci_msi_enabled(p));
	pci_irq(p, 2);
	CHECK_EQ(messages, 0); /* no Bus Master Enable */
	wr(8, 4, 2, 4);
	pci_irq(p, 2);
	CHECK_EQ(messages, 1);
	CHECK_EQ(message_data[0], 0x10000004142ull);
	/* masked: pending until unmasked */
	wr(8, c + 16, 4, 2);
	pci_irq(p, 1);
	CHECK_EQ(messages, 1);
	CHECK_EQ(rd(8, c + 20, 4), 2);
	wr(8, c + 16, 4, 0);
	CHECK_EQ(messages, 2);
	CHECK_EQ(message_data[1] & 0xffff, 0x4141);
	CHECK_EQ(rd(8, c + 20, 4), 0);
	/* one vector only was granted: all come as it */
	wr(8, c + 2, 2, 0x0001);
	pci_irq(p, 3);
	CHECK_EQ(message_data[2] & 0xffff, 0x4141);
}

static void entry(u64 table, unsigned v, u32 data, u32 control)
{
	u32 e[4] = { 0xfee00200, 0, data, control };

	CHECK_EQ(space_write(&m->memory, table + v * 16, e, 16, (struct mem_attrs){ 0 }), MEM_OK);
}

TEST(pci_msix)
{
	struct pci_device *p;
	unsigned c, bar;
	u64 table, pba;

	board(false);
	p = add("tpci-msix", 1, 0);
	c = cap(8, 0x11);
	CHECK(c);
	CHECK_EQ(rd(8, c + 2, 2), 69);
	bar = rd(8, c + 4, 4) & 7;
	CHECK_EQ(bar, 4); /* 0, 1, and 2 with 3 are the class's */
	wr(8, 0x20, 4, 0xd0000000);
	wr(8, 4, 2, 6);
	table = 0xd0000000 + (rd(8, c + 4, 4) & ~7u);
	pba = 0xd0000000 + (rd(8, c + 8, 4) & ~7u);
	CHECK_EQ(ld(&m->memory, table + 12, 4), 1); /* masked after reset */
	for (unsigned v = 0; v < 70; v++)
		entry(table, v, 1000 + v, 0);
	pci_irq(p, 5);
	CHECK_EQ(messages, 0);
	wr(8, c + 2, 2, 0x8000);
	CHECK(pci_msi_enabled(p));
	pci_irq(p, 69);
	CHECK_EQ(message_data[0], 0x20000000000ull + 1069);
	pci_irq(p, 70);
	CHECK_EQ(messages, 1);
	/* masked by its entry: pending, then sent */
	entry(table, 66, 1, 1);
	pci_irq(p, 66);
	CHECK_EQ(messages, 1);
	CHECK_EQ(ld(&m->memory, pba + 8, 8), 4);
	CHECK_EQ(ld(&m->memory, pba + 8, 4), 4);
	CHECK_EQ(space_st(&m->memory, table + 66 * 16 + 12, 4, 0, (struct mem_attrs){ 0 }), MEM_OK);
	CHECK_EQ(messages, 2);
	CHECK_EQ(message_data[1] & 0xffffffff, 1);
	CHECK_EQ(ld(&m->memory, pba + 8, 4), 0);
	/* masked by the function */
	wr(8, c + 2, 2, 0xc000);
	pci_irq(p, 3);
	pci_irq(p, 4);
	CHECK_EQ(messages, 2);
	wr(8, c + 2, 2, 0x8000);
	CHECK_EQ(messages, 4);
	CHECK_EQ(message_data[3] & 0xffffffff, 1004);
	device_reset(&p->dev);
	CHECK(!pci_msi_enabled(p));
}

TEST(pci_msix_alone_takes_the_first_bar)
{
	board(false);
	add("tpci-own", 1, 0);
	CHECK_EQ(rd(8, cap(8, 0x11) + 4, 4), 0);
	wr(8, 0x10, 4, 0xffffffff);
	CHECK_EQ(rd(8, 0x10, 4), 0xfffff000);
}

TEST(pci_dma_needs_bus_master)
{
	struct pci_device *p;
	struct region ram;
	u32 word = 0x55aa;

	board(false);
	p = add("tpci-plain", 1, 0);
	CHECK_EQ(region_init_ram(&ram, m, "ram", 0x1000, NULL), 0);
	region_add(&m->memory_root, 0, &ram, 0);
	CHECK_EQ(dma_write(p, 0x10, &word, 4), -EFAULT);
	wr(8, 4, 2, 4);
	CHECK_EQ(dma_write(p, 0x10, &word, 4), 0);
	word = 0;
	CHECK_EQ(dma_read(p, 0x10, &word, 4), 0);
	CHECK_EQ(word, 0x55aa);
	CHECK_EQ(dma_read(p, 0xfff, &word, 4), -EFAULT);
	region_remove(&ram);
	region_fini(&ram);
}

TEST(pci_express_capability_and_space)
{
	unsigned c;

	board(true);
	add("tpci-msix", 1, 0);
	add("tpci-plain", 2, 0);
	c = cap(8, 0x10);
	CHECK(c);
	CHECK_EQ(rd(8, c + 2, 2), 0x92); /* version 2, integrated endpoint */
	CHECK_EQ(rd(8, 0x100, 4), 0);
	CHECK_EQ(rd(16, 0x100, 4), 0xffffffff);
	CHECK_EQ(cap(16, 0x10), 0);
}

TEST(pci_placing)
{
	struct error e = { 0 };
	struct device *d;

	board(false);
	CHECK_EQ(pci_devfn(add("tpci-plain", -1, 0)), 0);
	CHECK_EQ(pci_devfn(add("tpci-plain", -1, 0)), 8);
	d = device_make(m, "tpci-plain", "x", "addr=1f.2,multifunction=on", &e);
	CHECK(d);
	CHECK_EQ(rd(0xfa, 0xe, 1), 0x80);
	CHECK(device_make(m, "tpci-plain", NULL, "addr=0x10,bus=pci.0", &e));
	CHECK_EQ(rd(0x80, 0, 2), 0x1234);
	static const char *const bad[][2] = {
		{ "addr=1f.2", "taken by 'x'" },       { "addr=20", "not in 0.0 to 1f.7" },
		{ "addr=1.8", "not in 0.0" },	       { "addr=zz", "no PCI address" },
		{ "bus=pci.9", "no PCI bus 'pci.9'" }, { "addr=1.1", "not multifunction" },
		{ "multifunction=7", "on or off" },    { "colour=1", "no property" },
	};
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK_EQ(device_make(m, "tpci-plain", NULL, bad[i][0], &e), NULL);
		CHECK(strstr(e.text, bad[i][1]));
		error_clear(&e);
	}
	for (unsigned i = 0; i < 28; i++)
		add("tpci-plain", -1, 0);
	CHECK_EQ(device_make(m, "tpci-plain", NULL, NULL, &e), NULL);
	CHECK(strstr(e.text, "no free slot"));
	error_clear(&e);
}

TEST(pci_bridges)
{
	struct tpci *bridge;
	struct pci_device *p;
	struct error e = { 0 };

	board(false);
	bridge = (struct tpci *)add("tpci-bridge", 2, 0);
	p = pci_make(bridge->behind, 1, 0, "tpci-plain", NULL, NULL, &e);
	CHECK(p);
	CHECK_EQ(rd(16, 0xe, 1), 1);
	CHECK_EQ(pci_config_access(bus, 1, 8, 0, 4, false, 0), 0xffffffff);
	wr(16, 0x18, 4, 0x010100); /* secondary and subordinate 1 */
	CHECK_EQ(pci_config_access(bus, 1, 8, 0, 4, false, 0), 0x56781234);
	/* INTA# of slot 1 behind comes out as INTB# of slot 2 */
	pci_intx(p, 1);
	CHECK_EQ(pci_bus_line(bus, 3), 1);
	pci_intx(p, 0);
	/* a window lets the BAR through when it covers it */
	pci_config_access(bus, 1, 8, 0x10, 4, true, 0xc0100000);
	pci_config_access(bus, 1, 8, 4, 2, true, 2);
	CHECK_EQ(ld(&m->memory, 0xc0100000, 4), ~0ull);
	wr(16, 0x20, 4, 0xc010c010);
	wr(16, 4, 2, 2);
	CHECK_EQ(ld(&m->memory, 0xc0100000, 4), 0x1234);
	wr(16, 0x20, 4, 0xc000c020); /* limit below base: closed */
	CHECK_EQ(ld(&m->memory, 0xc0100000, 4), ~0ull);
	wr(16, 0x20, 4, 0xc020c000);
	CHECK_EQ(ld(&m->memory, 0xc0100000, 4), 0x1234);
	device_reset(&bridge->pci.dev);
	CHECK_EQ(ld(&m->memory, 0xc0100000, 4), ~0ull);
	CHECK_EQ(pci_config_access(bus, 1, 8, 0, 4, false, 0), 0xffffffff);
	machine_free(m);
}

/* Every register of every function, at random; nothing may crash, and the read-only identity stays.
 */
TEST(pci_random_configuration)
{
	u32 seed = 1;

	board(true);
	add("tpci-plain", 1, 0);
	add("tpci-msix", 2, 0);
	add("tpci-bridge", 3, 0);
	for (unsigned i = 0; i < 100000; i++) {
		unsigned devfn = 8 * (1 + i % 3), size;
		u32 off;

		seed = seed * 1664525 + 1013904223;
		size = 1u << (seed >> 30) % 3;
		off = seed >> 8 & (seed & 0x80 ? 0xff : 0xfff) & ~(size - 1);
		pci_config_access(bus, seed >> 20 & 3, devfn, off, size, true, seed * 2654435761u);
	}
	CHECK_EQ(rd(8, 0, 4), 0x56781234);
	CHECK_EQ(rd(16, 0, 4), 0x56781234);
	CHECK_EQ(rd(24, 0, 4), 0x56781234);
	machine_free(m);
}
