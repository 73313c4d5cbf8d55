/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci.c - PCI buses: placing functions, routing INTx to the board's lines, DMA. PCI Local Bus 3.0;
 * interrupts through bridges as PCI-to-PCI Bridge 1.2, 9.1. */
#include "bus/pci.h"
#include "bus/pci_core.h"
#include "core/blob.h"
#include "core/fault.h"
#include "core/late.h"
#include "core/prop.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>

static const struct bus_type pci_type;

static struct pci_device *pci_of(struct device *d) { return (struct pci_device *)d; }

/* ---- buses */

static void save_lines(void *arg, struct blob *b)
{
	struct pci_bus *bus = arg;

	blob_put(b, bus->asserted, sizeof(bus->asserted));
}

static int load_lines(void *arg, struct blob *b, struct error *e)
{
	struct pci_bus *bus = arg;

	if (blob_get(b, bus->asserted, sizeof(bus->asserted)))
		return error_ret(e, -EINVAL, "the snapshot's interrupt lines of bus %s are damaged",
				 bus->bus.name);
	return 0;
}

struct pci_bus *pci_bus_alloc(struct machine *m, const char *name, bool express)
{
	struct pci_bus *b = NEW(struct pci_bus);

	b->machine = m;
	b->express = express;
	bus_add(m, &b->bus, &pci_type, name);
	b->part = (struct snapshot_part){
		.name = b->bus.name, .save = save_lines, .load = load_lines, .arg = b
	};
	snapshot_add_part(m, &b->part);
	return b;
}

struct pci_bus *pci_bus_new(struct machine *m, const char *name, struct region *mem,
			    struct region *io, bool express)
{
	struct pci_bus *b = pci_bus_alloc(m, name, express);

	b->mem = mem;
	b->io = io;
	return b;
}

void pci_bus_free(struct pci_bus *b)
{
	if (!b)
		return;
	list_del(&b->bus.link);
	snapshot_remove_part(&b->part);
	free(b);
}

struct pci_bus *pci_bus_first(struct machine *m)
{
	return (struct pci_bus *)bus_of(m, &pci_type, NULL);
}

unsigned pci_devfn(const struct pci_device *p) { return p->pci->devfn; }

struct pci_bus *pci_bus_of(const struct pci_device *p) { return p->pci->bus; }

/* ---- placing */

static void created(struct device *d)
{
	struct pci_core *c = NEW(struct pci_core);

	c->dev = pci_of(d);
	c->class = (const struct pci_class *)d->class;
	c->multifunction = c->class->multifunction;
	c->dev->pci = c;
	c->bootindex = -1;
}

/* There are no option ROMs: firmware has drivers of its own. Not to have one is what is there. */
static int set_boot_prop(struct pci_core *c, const char *prop, const char *value, struct error *e)
{
	u64 n;

	if (prop_name_eq(prop, "romfile")) {
		if (*value)
			warn("property 'romfile' has no effect: there are no option ROMs");
		return 0;
	}
	if (str_to_u64(value, 0, &n) || n > INT32_MAX)
		return error_ret(e, -EINVAL, "property '%s' takes a number from 0, not '%s'", prop,
				 value);
	if (prop_name_eq(prop, "bootindex"))
		c->bootindex = n;
	else if (n)
		warn("property 'rombar' has no effect: there are no option ROMs");
	return 0;
}

static int set_prop(struct device *d, const char *prop, const char *value, struct error *e)
{
	if (prop_name_eq(prop, "bootindex") || prop_name_eq(prop, "romfile") ||
	    prop_name_eq(prop, "rombar"))
		return set_boot_prop(pci_of(d)->pci, prop, value, e);
	if (!prop_name_eq(prop, "multifunction"))
		return -ENOENT;
	if (str_to_bool(value, &pci_of(d)->pci->multifunction))
		return error_ret(e, -EINVAL, "property 'multifunction' takes on or off, not '%s'",
				 value);
	return 0;
}

/* "3", "03.0", "0x3.1": hexadecimal slot and function. */
static int parse_addr(const char *addr, unsigned *devfn, struct error *e)
{
	const char *dot = strchr(addr, '.');
	AUTO_FREE char *slot_text = dot ? xstrndup(addr, dot - addr) : xstrdup(addr);
	u32 slot, function = 0;

	if (str_to_u32(slot_text, 16, &slot) && str_to_u32(slot_text, 0, &slot))
		return error_ret(e, -EINVAL,
				 "'%s' is no PCI address; it looks like 3 or 1f.2 (hexadecimal "
				 "slot and function)",
				 addr);
	if ((dot && str_to_u32(dot + 1, 16, &function)) || slot > 31 || function > 7)
		return error_ret(e, -EINVAL, "PCI address '%s' is not in 0.0 to 1f.7", addr);
	*devfn = slot << 3 | function;
	return 0;
}

static int find_place(struct pci_bus *b, const char *addr, unsigned *devfn, struct error *e)
{
	int err;

	if (addr) {
		err = parse_addr(addr, devfn, e);
		/* a link has two ends */
		if (!err && *devfn > 7 && b->bridge && b->bridge->port)
			err = error_ret(e, -EINVAL, "bus %s is a slot: its only address is 0.x",
					b->bus.name);
		if (!err && b->at[*devfn])
			err = error_ret(e, -EBUSY, "PCI address %s of bus %s is taken by '%s'",
					addr, b->bus.name, b->at[*devfn]->dev->dev.id);
		return err;
	}
	for (*devfn = 0; *devfn < (b->bridge && b->bridge->port ? 8 : 256); *devfn += 8) {
		bool used = false;

		for (unsigned f = 0; f < 8; f++)
			used |= b->at[*devfn + f] != NULL;
		if (!used)
			return 0;
	}
	return error_ret(e, -ENOSPC, "bus %s has no free slot", b->bus.name);
}

static int plug(struct device *d, const char *bus, const char *addr, struct error *e)
{
	struct pci_core *c = pci_of(d)->pci, *first;
	struct pci_bus *b = (struct pci_bus *)bus_of(d->core->machine, &pci_type, bus);
	unsigned devfn = 0;
	int err;

	if (!b && bus)
		return error_ret(e, -ENODEV, "there is no PCI bus '%s'", bus);
	if (!b)
		return error_ret(e, -ENODEV,
				 "device '%s' needs a PCI bus, which this machine has not",
				 d->class->name);
	err = find_place(b, addr, &devfn, e);
	if (err)
		return err;
	first = b->at[devfn & ~7u];
	if ((devfn & 7) && first && !first->multifunction)
		return error_ret(e, -EBUSY,
				 "slot %x of bus %s has one function only: '%s' is not "
				 "multifunction=on",
				 devfn >> 3, b->bus.name, first->dev->dev.id);
	c->bus = b;
	c->devfn = devfn;
	d->core->bus = b;
	pci_config_init(c);
	err = pci_bars_init(c, e);
	if (!err)
		err = pci_msi_init(c, e);
	if (err)
		return err;
	if (c->class->express && b->express)
		pci_express_init(c);
	b->at[devfn] = c;
	c->plugged = true;
	return 0;
}

static int realized(struct device *d, struct error *e)
{
	struct pci_core *c = pci_of(d)->pci;

	memcpy(c->initial, c->config, sizeof(c->initial));
	if (c->bus->bridge && c->bus->bridge->port)
		c->bus->bridge->port->plugged(c->bus->bridge, c);
	return 0;
}

static int unplug_request(struct device *d, struct error *e)
{
	struct pci_core *c = pci_of(d)->pci, *port = c->bus->bridge;

	if (!port || !port->port)
		return error_ret(e, -EINVAL, "Bus '%s' does not support hotplugging",
				 c->bus->bus.name);
	return port->port->unplug_request(port, c, e);
}

static void set_asserted(struct pci_core *c, bool on);
static bool may_master(struct device *d, const char *what, u64 addr);

static void unplug(struct device *d)
{
	struct pci_core *c = pci_of(d)->pci;

	if (!c->plugged)
		return;
	set_asserted(c, false);
	memset(c->config + PCI_COMMAND, 0, 2);
	pci_bars_update(c);
	c->bus->at[c->devfn] = NULL;
	c->plugged = false;
}

static void freed(struct device *d)
{
	struct pci_core *c = pci_of(d)->pci;

	pci_bridge_fini(c);
	pci_bars_fini(c);
	pci_msi_fini(c);
	free(c);
}

static void reset(struct device *d)
{
	struct pci_core *c = pci_of(d)->pci;

	for (unsigned i = 0; i < sizeof(c->config); i++)
		c->config[i] =
			(c->config[i] & ~(c->wmask[i] | c->w1c[i])) | (c->initial[i] & c->wmask[i]);
	c->intx = false;
	pci_msi_reset(c);
	pci_update_intx(c);
	pci_bars_update(c);
	pci_bridge_update(c);
}

/* ---- snapshots */

static void save(struct device *d, struct blob *b)
{
	struct pci_core *c = pci_of(d)->pci;
	u8 line[6] = { c->intx, c->asserted };

	st32le(line + 2, c->line);
	snapshot_put(b, "pci config", c->config, sizeof(c->config));
	snapshot_put(b, "pci intx", line, sizeof(line));
	if (c->nmsix) {
		snapshot_put(b, "pci msix", c->msix_table, (size_t)c->nmsix * 16);
		snapshot_put(b, "pci msix pending", c->msix_pending, (c->nmsix + 63) / 64 * 8);
	}
	pci_bars_save(c, b);
}

/* The lines' counters are the bus's part; here only what this function adds to them. */
static int load(struct device *d, struct blob *b, struct error *e)
{
	struct pci_core *c = pci_of(d)->pci;
	u8 line[6];
	int r = snapshot_get(b, "pci config", c->config, sizeof(c->config));

	if (!r)
		r = snapshot_get(b, "pci intx", line, sizeof(line));
	if (!r && c->nmsix)
		r = snapshot_get(b, "pci msix", c->msix_table, (size_t)c->nmsix * 16);
	if (!r && c->nmsix)
		r = snapshot_get(b, "pci msix pending", c->msix_pending, (c->nmsix + 63) / 64 * 8);
	if (!r)
		r = pci_bars_load(c, b);
	if (r)
		return error_ret(e, -EINVAL,
				 "the snapshot has no PCI state for device '%s', or that of "
				 "another "
				 "device",
				 d->id);
	c->intx = line[0];
	c->asserted = line[1];
	c->line = ld32le(line + 2);
	pci_bars_update(c);
	pci_bridge_update(c);
	return 0;
}

static const struct prop pci_props[] = { { .name = "multifunction",
					   .kind = PROP_BOOL,
					   .size = 1,
					   .doc = "Further functions may share this slot." },
					 { .name = "bootindex",
					   .kind = PROP_UINT,
					   .size = 4,
					   .doc = "Firmware tries the lowest first." },
					 { .name = "romfile",
					   .kind = PROP_STR,
					   .size = 8,
					   .doc = "No effect: there are no option ROMs." },
					 { .name = "rombar",
					   .kind = PROP_UINT,
					   .size = 4,
					   .doc = "No effect: there are no option ROMs." },
					 {} };
static void late(struct device *d, u32 what);
static void fault_points(const struct device_class *c,
			 void (*fn)(void *arg, const char *name, unsigned kind), void *arg);

static const struct bus_type pci_type = { .name = "pci",
					  .created = created,
					  .set = set_prop,
					  .plug = plug,
					  .realized = realized,
					  .unplug = unplug,
					  .unplug_request = unplug_request,
					  .freed = freed,
					  .reset = reset,
					  .save = save,
					  .load = load,
					  .may_master = may_master,
					  .fault_points = fault_points,
					  .late = late,
					  .props = pci_props };
BUS_TYPE(pci_type)

struct pci_device *pci_make(struct pci_bus *b, int slot, int function, const char *class,
			    const char *id, const char *props, struct error *e)
{
	AUTO_FREE char *place = slot < 0 ?
					xasprintf("bus=%s", b->bus.name) :
					xasprintf("bus=%s,addr=%x.%x", b->bus.name, slot, function);
	AUTO_FREE char *all = props && *props ? xasprintf("%s,%s", place, props) : xstrdup(place);

	return (struct pci_device *)device_make(b->machine, class, id, all, e);
}

/* ---- INTx */

void pci_bus_route(struct pci_bus *b, unsigned (*map)(void *arg, unsigned slot, unsigned pin),
		   void (*set)(void *arg, unsigned line, int level), void *arg, unsigned nlines)
{
	assert(nlines <= ARRAY_SIZE(b->asserted));
	b->map = map;
	b->set = set;
	b->arg = arg;
	b->nlines = nlines;
}

int pci_bus_line(const struct pci_bus *b, unsigned line)
{
	return line < b->nlines && b->asserted[line];
}

/* A pin below a bridge comes out at the bridge, moved on by the slot it is in. */
static struct pci_bus *root_line(const struct pci_core *c, unsigned *line)
{
	unsigned pin = c->config[PCI_INT_PIN] - 1, slot = c->devfn >> 3;
	struct pci_bus *b = c->bus;

	for (; b->bridge; b = b->bridge->bus) {
		pin = (pin + slot) % 4;
		slot = b->bridge->devfn >> 3;
	}
	*line = b->map ? b->map(b->arg, slot, pin) : ~0u;
	return b;
}

static void set_asserted(struct pci_core *c, bool on)
{
	struct pci_bus *root;
	unsigned line;

	if (c->asserted == on)
		return;
	root = root_line(c, &line);
	if (!on)
		line = c->line;
	if (line >= root->nlines)
		return;
	c->asserted = on;
	c->line = line;
	root->asserted[line] += on ? 1 : -1;
	if (root->set && root->asserted[line] == (on ? 1u : 0u))
		root->set(root->arg, line, on);
}

void pci_update_intx(struct pci_core *c)
{
	u16 status = ld16le(&c->config[PCI_STATUS]) & ~STATUS_INTX;

	st16le(&c->config[PCI_STATUS], c->intx ? status | STATUS_INTX : status);
	if (c->config[PCI_INT_PIN])
		set_asserted(c, c->intx && !(pci_command(c) & CMD_INTX_OFF));
}

static void set_intx(struct pci_device *p, int level)
{
	struct pci_core *c = p->pci;

	if (c->intx == !!level)
		return;
	c->intx = level;
	trace(p, "intx", "level=%d", level);
	pci_update_intx(c);
}

/* What bus_type.late gets beside numbers of vectors. */
enum { LATE_INTX = 1 << 16 };

/* True when the new level does not arrive now. A delayed rise that the device takes back is none.
 */
static bool intx_lost(struct pci_device *p, int level)
{
	const struct fault_info *f;

	if (!level)
		return late_pending(&p->dev, LATE_INTX, true);
	if (p->pci->intx)
		return false;
	if (late_pending(&p->dev, LATE_INTX, false))
		return true;
	f = fault_visit(&p->dev, FAULT_IRQ, "intx", NULL);
	if (f && f->action == FAULT_DELAY)
		late_bus(&p->dev, LATE_INTX, fault_delay(&p->dev, f));
	if (f && f->action == FAULT_DOUBLE) {
		set_intx(p, 1);
		set_intx(p, 0);
	}
	return f && f->action != FAULT_DOUBLE;
}

static void late(struct device *d, u32 what)
{
	if (what == LATE_INTX)
		set_intx(pci_of(d), 1);
	else
		pci_irq_send(pci_of(d), what);
}

static void fault_points(const struct device_class *c,
			 void (*fn)(void *arg, const char *name, unsigned kind), void *arg)
{
	const struct pci_class *class = container_of(c, const struct pci_class, dev);
	char name[16];
	unsigned n;

	for (unsigned i = 0; i < ARRAY_SIZE(class->bar); i++) {
		const struct pci_bar *b = &class->bar[i];

		snprintf(name, sizeof(name), "bar%u", i);
		if (b->size)
			fault_reg_points(b->regs, b->read || b->write ? name : NULL, fn, arg);
	}
	fault_reg_points(NULL, "config", fn, arg);
	/* how many vectors a virtio device has is a property */
	n = prop_find(c->props, "vectors") ? 16 : MAX(class->msi, class->msix);
	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "irq%u", i);
		fn(arg, name, FAULT_IRQ);
	}
	if (class->intx)
		fn(arg, "intx", FAULT_IRQ);
}

void pci_intx(struct pci_device *p, int level)
{
	if (fault_may(&p->dev, FAULT_IRQ) && intx_lost(p, level))
		return;
	set_intx(p, level);
}

/* ---- DMA */

static bool may_master(struct device *d, const char *what, u64 addr)
{
	if (pci_command(pci_of(d)->pci) & CMD_MASTER)
		return true;
	if (what)
		guest_error(d, "DMA %s of %#llx while Bus Master Enable is off", what,
			    (unsigned long long)addr);
	return false;
}

int dma_read(struct pci_device *p, u64 addr, void *buf, size_t n)
{
	return may_master(&p->dev, "read", addr) ? dev_dma_read(p, addr, buf, n) : -EFAULT;
}

int dma_write(struct pci_device *p, u64 addr, const void *buf, size_t n)
{
	return may_master(&p->dev, "write", addr) ? dev_dma_write(p, addr, buf, n) : -EFAULT;
}
