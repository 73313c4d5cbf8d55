/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tdev_test.c - the harness of tdev.h. PCI functions get BARs, Bus Master Enable and, where they
 * have it, MSI-X or MSI whose messages go to a region that counts them by their data, which is the
 * vector. */
#include "core/tdev.h"
#include "bus/i2c.h"
#include "bus/isa.h"
#include "bus/pci.h"
#include "bus/virtio.h"
#include "core/block.h"
#include "core/irq.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/keyval.h"
#include "lib/str.h"
#include "lib/test.h"
#include <stdio.h>

enum { RAM_SIZE = 1 << 20, VECTORS = 64, OUTPUTS = VECTORS };
#define BARS_AT	    0xc0000000u
#define MESSAGES_AT 0xfee00000u
#define VIRTIO_AT   0xfeb00000u

struct output {
	struct tdev *t;
	unsigned n;
};
struct tdev {
	struct machine *m;
	struct device *d;
	struct region messages;
	struct pci_bus *pci;
	struct isa_bus *isa;
	struct i2c_bus *i2c;
	struct virtio_slot *slot;
	unsigned count[VECTORS];
	int intx;
	struct output output[OUTPUTS];
};

/* The ISA bus's lines end here. */
struct tlines {
	struct device dev;
	u32 level;
};

static void tlines_input(void *dev, unsigned n, int level)
{
	struct tlines *l = dev;

	l->level = (l->level & ~BIT(n)) | (level ? BIT(n) : 0);
}

static const struct state tlines_state[] = { STATE(struct tlines, level), {} };
DEVICE(tlines, .name = "tlines", .doc = "ISA interrupt lines of the tests.", .inputs = 24,
       .input = tlines_input, .state = tlines_state);

static void count_edge(void *to, unsigned n, int level)
{
	struct tdev *t = to;

	if (level)
		t->count[n]++;
}

static void slot_edge(void *to, unsigned n, int level)
{
	struct tdev *t = to;

	count_edge(t, 0, level);
	t->intx = level;
}

static enum mem_result message_read(void *opaque, u64 off, unsigned size, u64 *val,
				    struct mem_attrs attrs)
{
	*val = 0;
	return MEM_OK;
}

static enum mem_result message_write(void *opaque, u64 off, unsigned size, u64 val,
				     struct mem_attrs attrs)
{
	struct tdev *t = opaque;

	if (val < VECTORS)
		t->count[val]++;
	return MEM_OK;
}

static const struct region_ops message_ops = { .read = message_read, .write = message_write };

static unsigned intx_map(void *arg, unsigned slot, unsigned pin) { return 0; }

static void intx_set(void *arg, unsigned line, int level) { ((struct tdev *)arg)->intx = level; }

static u32 cfg(struct tdev *t, u32 off, unsigned size)
{
	return pci_config_access(t->pci, 0, 0, off, size, false, 0);
}

static void cfg_set(struct tdev *t, u32 off, unsigned size, u32 val)
{
	pci_config_access(t->pci, 0, 0, off, size, true, val);
}

static unsigned find_cap(struct tdev *t, u8 id)
{
	for (unsigned at = cfg(t, 0x34, 1); at; at = cfg(t, at + 1, 1)) {
		if (cfg(t, at, 1) == id)
			return at;
	}
	return 0;
}

static void place_bars(struct tdev *t)
{
	u32 mem = BARS_AT, io = 0x1000;

	for (unsigned at = 0x10; at < 0x28; at += 4) {
		u32 kind = cfg(t, at, 4) & 0xf, mask;

		cfg_set(t, at, 4, ~0u);
		mask = cfg(t, at, 4) & (kind & 1 ? ~3u : ~15u);
		if (!mask)
			continue;
		if (kind & 1) {
			cfg_set(t, at, 4, io);
			io += 0x100;
			continue;
		}
		mem = ALIGN_UP(mem, -mask);
		cfg_set(t, at, 4, mem);
		mem += -mask;
		if (kind & 4) {
			at += 4;
			cfg_set(t, at, 4, 0);
		}
	}
	cfg_set(t, 4, 2, 7);
}

static void enable_messages(struct tdev *t)
{
	unsigned msix = find_cap(t, 0x11), msi = find_cap(t, 0x05);

	if (msix) {
		u32 where = cfg(t, msix + 4, 4), n = (cfg(t, msix + 2, 2) & 0x7ff) + 1;
		u64 table = (cfg(t, 0x10 + 4 * (where & 7), 4) & ~15u) + (where & ~7u);

		for (u32 v = 0; v < n; v++) {
			u32 entry[4] = { MESSAGES_AT, 0, v, 0 };

			CHECK_EQ(space_write(&t->m->memory, table + v * 16, entry, 16,
					     (struct mem_attrs){ 0 }),
				 MEM_OK);
		}
		cfg_set(t, msix + 2, 2, 0x8000);
	} else if (msi) {
		cfg_set(t, msi + 4, 4, MESSAGES_AT);
		cfg_set(t, msi + 12, 2, 0);
		cfg_set(t, msi + 2, 2, 1 | (cfg(t, msi + 2, 2) >> 1 & 7) << 4);
	}
}

static void connect_outputs(struct tdev *t)
{
	unsigned n = 0;

	for (const struct state *s = t->d->class->state; s && s->name; s++) {
		for (unsigned i = 0;
		     s->kind == STATE_IRQ && i < s->size / sizeof(struct irq) && n < OUTPUTS;
		     i++, n++)
			irq_connect(t->d, s->name, i, count_edge, t, n);
	}
}

/* A disk without contents, for a class that needs one. */
static const char *any_drive(struct tdev *t, struct error *e)
{
	struct keyvals kv = { 0 };
	struct block_node *n;

	keyvals_add(&kv, "driver", "null-co");
	n = block_open(t->m, &kv, e);
	keyvals_fini(&kv);
	if (n)
		block_new(t->m, "tdrive", n);
	return n ? "drive=tdrive" : NULL;
}

/* Interrupt controllers of the APIC kind stand on their common bus; disks have something behind
 * them. */
static struct device *make_device(struct tdev *t, const char *class, const char *props,
				  struct error *e)
{
	const struct device_class *c = device_class_find(class);

	for (const struct prop *p = c ? c->props : NULL; p && p->name && !props; p++) {
		if (str_eq(p->name, "guest_cid"))
			props = "guest_cid=3";
		if (p->kind == PROP_DRIVE && !p->ignored)
			props = any_drive(t, e);
		if (p->kind != PROP_LINK || !str_eq(p->name, "bus"))
			continue;
		if (!device_make(t->m, "apic-bus", "apic-bus", NULL, e))
			return NULL;
		props = "bus=apic-bus";
	}
	return device_make(t->m, class, NULL, props, e);
}

struct tdev *tdev_empty(void)
{
	struct tdev *t = NEW(struct tdev);
	struct error e = { 0 };
	struct device *lines;

	t->m = machine_new();
	t->m->clock.counted = true;
	t->m->seed_set = true;
	t->m->ram_size = RAM_SIZE;
	CHECK_EQ(region_init_ram(&t->m->ram, t->m, "ram", RAM_SIZE, &e), 0);
	region_add(&t->m->memory_root, 0, &t->m->ram, 0);
	region_init_io(&t->messages, "messages", 0x1000, &message_ops, t);
	region_add(&t->m->memory_root, MESSAGES_AT, &t->messages, 0);
	t->pci = pci_bus_new(t->m, "pci.0", &t->m->memory_root, &t->m->io_root, false);
	pci_bus_route(t->pci, intx_map, intx_set, t, 1);
	lines = device_make(t->m, "tlines", "lines", NULL, &e);
	t->isa = isa_bus_new(t->m, "isa.0", lines);
	t->i2c = i2c_bus_new(lines, "ti2c", &e);
	t->slot = virtio_slot_new(t->m, "virtio-mmio-bus.0", VIRTIO_AT,
				  (struct irq){ .set = slot_edge, .to = t });
	return t;
}

static struct device *plug(struct tdev *t, const char *class, const char *props, struct error *e)
{
	t->d = make_device(t, class, props, e);
	if (!t->d)
		return NULL;
	device_reset_all(t->m);
	if (t->d->class->bus && str_eq(t->d->class->bus, "pci")) {
		place_bars(t);
		enable_messages(t);
	}
	connect_outputs(t);
	return t->d;
}

struct device *tdev_plug(struct tdev *t, const char *class, const char *props)
{
	struct error e = { 0 };

	if (!plug(t, class, props, &e))
		test_fail(__FILE__, __LINE__, "device %s: %s", class, e.text);
	return t->d;
}

struct tdev *tdev_new_props(const char *class, const char *props)
{
	struct tdev *t = tdev_empty();
	struct error e = { 0 };

	if (!plug(t, class, props, &e))
		test_skip("%s", e.text);
	return t;
}

struct tdev *tdev_new(const char *class) { return tdev_new_props(class, NULL); }

void tdev_free(struct tdev *t)
{
	region_fini(&t->messages);
	i2c_bus_free(t->i2c);
	/* devices first, then the buses that they were on */
	while (!list_empty(&t->m->devices))
		device_free(list_entry(t->m->devices.prev, struct device_core, link)->dev);
	pci_bus_free(t->pci);
	isa_bus_free(t->isa);
	virtio_slot_free(t->slot);
	machine_free(t->m);
	free(t);
}

struct device *tdev_device(struct tdev *t) { return t->d; }

struct pci_bus *tdev_pci(struct tdev *t) { return t->pci; }

struct i2c_bus *tdev_i2c(struct tdev *t) { return t->i2c; }

struct machine *tdev_machine(struct tdev *t) { return t->m; }

static struct regbank *find_reg(struct tdev *t, const char *name, u64 *off)
{
	AUTO_FREE char *base = xstrndup(name, strcspn(name, "["));
	const char *bracket = strchr(name, '[');
	struct regbank *b;

	list_for_each (b, &t->d->core->regbanks, link) {
		for (const struct reg *r = b->bank->regs; r && r->name; r++) {
			if (!str_eq(r->name, base))
				continue;
			*off = reg_place(b->bank, r, bracket ? (unsigned)atoi(bracket + 1) : 0);
			return b;
		}
	}
	test_fail(__FILE__, __LINE__, "device %s has no register '%s'", t->d->class->name, name);
}

u64 tdev_read(struct tdev *t, const char *reg, unsigned size)
{
	struct regbank *b;
	u64 off, val;

	b = find_reg(t, reg, &off);
	region_ld(b->region, off, size, &val, (struct mem_attrs){ 0 });
	return val;
}

void tdev_write(struct tdev *t, const char *reg, unsigned size, u64 val)
{
	struct regbank *b;
	u64 off;

	b = find_reg(t, reg, &off);
	region_st(b->region, off, size, val, (struct mem_attrs){ 0 });
}

static struct regbank *nth_bank(struct tdev *t, unsigned n)
{
	struct regbank *b;

	list_for_each (b, &t->d->core->regbanks, link) {
		if (!n--)
			return b;
	}
	test_fail(__FILE__, __LINE__, "device %s has fewer banks", t->d->class->name);
}

u64 tdev_read_at(struct tdev *t, unsigned bank, u64 off, unsigned size)
{
	u64 val;

	region_ld(nth_bank(t, bank)->region, off, size, &val, (struct mem_attrs){ 0 });
	return val;
}

void tdev_write_at(struct tdev *t, unsigned bank, u64 off, unsigned size, u64 val)
{
	region_st(nth_bank(t, bank)->region, off, size, val, (struct mem_attrs){ 0 });
}

void tdev_run_ns(struct tdev *t, u64 ns)
{
	u64 end = clock_now(&t->m->clock) + ns;
	unsigned limit = 1000000;

	for (;;) {
		u64 next = clock_fire(&t->m->clock), now = clock_now(&t->m->clock);

		if (next > end)
			break;
		if (!--limit)
			test_fail(__FILE__, __LINE__, "device %s fires its timers without end",
				  t->d->class->name);
		if (next > now)
			clock_advance(&t->m->clock, next - now);
	}
	clock_advance(&t->m->clock, end - clock_now(&t->m->clock));
}

void tdev_run_us(struct tdev *t, u64 us) { tdev_run_ns(t, us * 1000); }

unsigned tdev_irqs(struct tdev *t, unsigned n)
{
	return n < ARRAY_SIZE(t->count) ? t->count[n] : 0;
}

int tdev_level(struct tdev *t, const char *out, unsigned n)
{
	struct irq *irq;

	if (str_eq(out, "intx"))
		return t->intx;
	irq = device_output(t->d, out, n);
	if (!irq)
		test_fail(__FILE__, __LINE__, "device %s has no output '%s' %u", t->d->class->name,
			  out, n);
	return irq->level;
}

void *tdev_ram(struct tdev *t, u64 addr) { return t->m->ram.ram->host + addr; }
