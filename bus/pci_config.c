/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_config.c - configuration space: header, capabilities, accesses. PCI Local Bus 3.0 chapter 6;
 * PCI Express Base 6.1, 7.5. */
#include "bus/pci_core.h"
#include "core/fault.h"
#include "lib/alloc.h"
#include <assert.h>

enum { SUBVENDOR_DEFAULT = 0x1af4, SUBDEVICE_DEFAULT = 0x1100 };

u16 pci_command(const struct pci_core *c) { return ld16le(&c->config[PCI_COMMAND]); }

u8 *pci_config(struct pci_device *p) { return p->pci->config; }

u8 *pci_config_wmask(struct pci_device *p) { return p->pci->wmask; }

static void init_bridge_header(struct pci_core *c)
{
	memset(&c->wmask[PCI_PRIMARY], 0xff, 4);
	st16le(&c->wmask[PCI_IO_BASE], 0xf0f0);
	st16le(&c->w1c[PCI_SEC_STATUS], STATUS_W1C);
	st64le(&c->wmask[PCI_MEM_BASE], 0xfff0fff0fff0fff0ull);
	memset(&c->wmask[PCI_PREF_BASE_HI], 0xff, 8);
	st16le(&c->config[PCI_PREF_BASE], 1); /* 64-bit prefetchable window */
	st16le(&c->config[PCI_PREF_LIMIT], 1);
	c->config[PCI_IO_BASE] = c->config[PCI_IO_LIMIT] = 0; /* 16-bit ports */
	/* parity, SERR, ISA, VGA, VGA16, bus reset */
	st16le(&c->wmask[PCI_BRIDGE_CONTROL], 0x005f);
}

void pci_config_init(struct pci_core *c)
{
	const struct pci_class *k = c->class;

	st16le(&c->config[PCI_VENDOR], k->vendor);
	st16le(&c->config[PCI_DEVICE_ID], k->device);
	c->config[PCI_REVISION] = k->revision;
	c->config[PCI_CLASS] = k->class_code;
	st16le(&c->config[PCI_CLASS + 1], k->class_code >> 8);
	c->config[PCI_HEADER] = k->header | (c->multifunction ? 0x80 : 0);
	c->config[PCI_INT_PIN] = k->intx ? 1 : 0;
	st16le(&c->wmask[PCI_COMMAND],
	       CMD_IO | CMD_MEM | CMD_MASTER | CMD_PARITY | CMD_SERR | CMD_INTX_OFF);
	st16le(&c->w1c[PCI_STATUS], STATUS_W1C);
	c->wmask[PCI_CACHE_LINE] = 0xff;
	c->wmask[PCI_INT_LINE] = 0xff;
	c->cap_next = 0x40;
	if (k->header == 1) {
		init_bridge_header(c);
		return;
	}
	st16le(&c->config[PCI_SUBSYSTEM], k->subvendor ? k->subvendor : SUBVENDOR_DEFAULT);
	st16le(&c->config[PCI_SUBSYSTEM + 2],
	       k->subvendor || k->subdevice ? k->subdevice : SUBDEVICE_DEFAULT);
}

unsigned pci_add_capability(struct pci_device *p, u8 id, unsigned size)
{
	struct pci_core *c = p->pci;
	unsigned at = c->cap_next, link = PCI_CAPS;

	assert(size >= 2 && at + size <= 256);
	while (c->config[link])
		link = c->config[link] + 1;
	c->config[link] = at;
	c->config[at] = id;
	c->config[at + 1] = 0;
	c->config[PCI_STATUS] |= STATUS_CAPS;
	c->cap_next = ALIGN_UP(at + size, 4u);
	return at;
}

/* An endpoint below a root port, or one integrated into the root complex, which has no link
 * (7.5.3). */
void pci_express_init(struct pci_core *c)
{
	bool integrated = !c->bus->bridge;
	unsigned at = pci_add_capability(c->dev, CAP_EXPRESS, 0x3c);
	u8 *cfg = c->config + at;

	c->express = at;
	st16le(cfg + 2, 2 | (integrated ? 9 : 0) << 4);
	/* role-based error reporting; 128-byte payload */
	st32le(cfg + 4, BIT(15));
	st16le(&c->wmask[at + 8], 0x7fff); /* device control */
	/* 512-byte requests, no snoop, relaxed ordering */
	st16le(cfg + 8, 0x2810);
	st16le(&c->w1c[at + 10], 0x000f);     /* device status */
	st16le(&c->wmask[at + 0x28], 0x000f); /* device control 2: completion time-out */
	if (integrated)
		return;
	st32le(cfg + 0x0c, 1 | 1 << 4); /* 2.5 GT/s, one lane */
	st16le(&c->wmask[at + 0x10], 0x00c3);
	st16le(cfg + 0x12, 1 | 1 << 4);
	st16le(cfg + 0x30, 1); /* link control 2: target speed */
}

/* ---- accesses */

static u32 limit(const struct pci_core *c) { return c->bus->express && c->express ? 4096 : 256; }

u32 pci_config_read(struct pci_core *c, u32 off, unsigned size)
{
	u32 val = 0;

	if (!range_fits(off, size, limit(c)))
		return ~0u;
	for (unsigned i = 0; i < size; i++)
		val |= (u32)c->config[off + i] << i * 8;
	if (c->class->config_read)
		val = c->class->config_read(c->dev, off, size, val);
	if (fault_may(&c->dev->dev, FAULT_READ)) {
		const struct fault_info *f =
			fault_visit(&c->dev->dev, FAULT_READ, "config.read", NULL);

		val = f ? fault_value(f, val) : val;
	}
	trace(c->dev, "config_read", "%#x -> %#x size %u", off, val, size);
	return val;
}

static bool touches(u32 off, unsigned size, u32 at, u32 len)
{
	return off < at + len && at < off + size;
}

void pci_config_write(struct pci_core *c, u32 off, unsigned size, u32 val)
{
	trace(c->dev, "config_write", "%#x <- %#x size %u", off, val, size);
	if (fault_may(&c->dev->dev, FAULT_WRITE)) {
		const struct fault_info *f =
			fault_visit(&c->dev->dev, FAULT_WRITE, "config.write", NULL);

		if (f && f->action != FAULT_VALUE)
			return;
		val = f ? fault_value(f, val) : val;
	}
	if (!range_fits(off, size, limit(c)))
		return;
	for (unsigned i = 0; i < size; i++) {
		u8 b = val >> i * 8, *p = &c->config[off + i], w = c->wmask[off + i];

		*p = (*p & ~w) | (b & w);
		*p &= ~(b & c->w1c[off + i]);
	}
	if (touches(off, size, PCI_COMMAND, 2) ||
	    touches(off, size, PCI_BAR0, c->class->header == 1 ? 8 : 24))
		pci_bars_update(c);
	if (touches(off, size, PCI_COMMAND, 2))
		pci_update_intx(c);
	if (c->secondary && (touches(off, size, PCI_COMMAND, 2) ||
			     touches(off, size, PCI_PRIMARY, 0x40 - PCI_PRIMARY)))
		pci_bridge_update(c);
	pci_msi_config_written(c, off, size);
	if (c->class->config_written)
		c->class->config_written(c->dev, off, size, val);
}

/* The bus with this number: the root, or behind the bridge whose range it is in. */
static struct pci_bus *bus_by_number(struct pci_bus *b, unsigned number, unsigned own)
{
	if (number == own)
		return b;
	for (unsigned i = 0; i < 256; i++) {
		struct pci_core *c = b->at[i];

		if (!c || !c->secondary || number < c->config[PCI_SECONDARY] ||
		    number > c->config[PCI_SUBORDINATE] || c->config[PCI_SECONDARY] <= own)
			continue;
		return bus_by_number(c->secondary, number, c->config[PCI_SECONDARY]);
	}
	return NULL;
}

u32 pci_config_access(struct pci_bus *root, unsigned bus, unsigned devfn, u32 off, unsigned size,
		      bool write, u32 val)
{
	struct pci_bus *b = bus_by_number(root, bus, 0);
	struct pci_core *c = b && devfn < 256 ? b->at[devfn] : NULL;
	u32 mask = size >= 4 ? ~0u : BIT(size * 8) - 1;

	if (!c || (off & 3) + size > 4)
		return write ? 0 : mask;
	if (!write)
		return pci_config_read(c, off, size) & mask;
	pci_config_write(c, off, size, val & mask);
	return 0;
}

static void each_on(struct pci_bus *b, unsigned number,
		    void (*fn)(void *arg, unsigned bus, struct pci_device *p), void *arg)
{
	for (unsigned i = 0; i < 256; i++) {
		if (b->at[i])
			fn(arg, number, b->at[i]->dev);
	}
	for (unsigned i = 0; i < 256; i++) {
		if (b->at[i] && b->at[i]->secondary)
			each_on(b->at[i]->secondary, b->at[i]->config[PCI_SECONDARY], fn, arg);
	}
}

void pci_each(struct pci_bus *b, void (*fn)(void *arg, unsigned bus, struct pci_device *p),
	      void *arg)
{
	each_on(b, b->bridge ? b->bridge->config[PCI_SECONDARY] : 0, fn, arg);
}
