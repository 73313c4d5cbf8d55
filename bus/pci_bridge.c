/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_bridge.c - the secondary bus of a bridge and the windows through which it shows. PCI-to-PCI
 * Bridge 1.2, 3.2.5 and 4. */
#include "bus/pci_core.h"
#include "core/machine.h"
#include "lib/alloc.h"

struct pci_bus *pci_bridge_bus(struct pci_device *p, const char *name)
{
	struct pci_core *c = p->pci;
	struct pci_bus *b = pci_bus_alloc(c->bus->machine, name, c->bus->express);

	b->bridge = c;
	region_init_container(&b->own_mem, name, 0);
	region_init_container(&b->own_io, name, 1 << 16);
	region_init_alias(&b->win_mem, "bridge-memory", &b->own_mem, 0, 1);
	region_init_alias(&b->win_pref, "bridge-prefetchable", &b->own_mem, 0, 1);
	region_init_alias(&b->win_io, "bridge-io", &b->own_io, 0, 1);
	b->mem = &b->own_mem;
	b->io = &b->own_io;
	c->secondary = b;
	return b;
}

static void set_window(struct region *parent, struct region *win, bool on, u64 base, u64 last)
{
	on = on && base <= last;
	if (win->parent && (!on || win->at != base || win->size != last - base + 1))
		region_remove(win);
	if (!on || win->parent)
		return;
	win->alias_offset = base;
	win->size = last - base + 1;
	region_add(parent, base, win, 1);
}

void pci_bridge_update(struct pci_core *c)
{
	struct pci_bus *b = c->secondary;
	const u8 *cfg = c->config;
	u16 cmd = pci_command(c);
	u64 base, last;

	if (!b)
		return;
	space_begin(b->machine);
	base = (u64)(cfg[PCI_IO_BASE] & 0xf0) << 8;
	last = (u64)(cfg[PCI_IO_LIMIT] & 0xf0) << 8 | 0xfff;
	set_window(c->bus->io, &b->win_io, cmd & CMD_IO, base, last);
	base = (u64)(ld16le(&cfg[PCI_MEM_BASE]) & 0xfff0) << 16;
	last = (u64)(ld16le(&cfg[PCI_MEM_LIMIT]) & 0xfff0) << 16 | 0xfffff;
	set_window(c->bus->mem, &b->win_mem, cmd & CMD_MEM, base, last);
	base = (u64)(ld16le(&cfg[PCI_PREF_BASE]) & 0xfff0) << 16 |
	       (u64)ld32le(&cfg[PCI_PREF_BASE_HI]) << 32;
	last = (u64)(ld16le(&cfg[PCI_PREF_LIMIT]) & 0xfff0) << 16 |
	       (u64)ld32le(&cfg[PCI_PREF_LIMIT_HI]) << 32 | 0xfffff;
	set_window(c->bus->mem, &b->win_pref, cmd & CMD_MEM, base, last);
	space_commit(b->machine);
}

void pci_bridge_fini(struct pci_core *c)
{
	struct pci_bus *b = c->secondary;

	if (!b)
		return;
	region_fini(&b->win_mem);
	region_fini(&b->win_pref);
	region_fini(&b->win_io);
	region_fini(&b->own_mem);
	region_fini(&b->own_io);
	pci_bus_free(b);
	c->secondary = NULL;
}
