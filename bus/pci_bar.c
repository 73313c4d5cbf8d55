/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_bar.c - base address registers: sizing, and mapping by the command register. PCI Local
 * Bus 3.0, 6.2.5. */
#include "bus/pci_core.h"
#include "core/machine.h"
#include "core/memory_backend.h"
#include "core/snapshot.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <errno.h>

static const char *const bar_names[6] = { "bar0", "bar1", "bar2", "bar3", "bar4", "bar5" };

static int check_bar(const struct pci_core *c, unsigned n, const struct pci_bar *b, struct error *e)
{
	unsigned max = c->class->header == 1 ? 2 : 6;
	u64 min = b->io ? 4 : 16;

	if (n >= max || (b->bits64 && n + 1 >= max))
		return error_ret(e, -EINVAL, "device class %s: there is no room for BAR %u",
				 c->class->dev.name, n);
	if (b->size < min || (b->size & (b->size - 1)) || (b->io && b->size > 256) ||
	    (!b->bits64 && b->size > 1u << 31))
		return error_ret(e, -EINVAL, "device class %s: BAR %u cannot have %llu bytes",
				 c->class->dev.name, n, (unsigned long long)b->size);
	if (c->bar[n].size || (n && c->bar[n - 1].bits64))
		return error_ret(e, -EINVAL, "device class %s: BAR %u is used twice",
				 c->class->dev.name, n);
	return 0;
}

static void set_bar(struct pci_core *c, unsigned n, const struct pci_bar *b)
{
	struct pci_bar_state *s = &c->bar[n];
	unsigned at = PCI_BAR0 + 4 * n;

	s->size = b->size;
	s->io = b->io;
	s->bits64 = b->bits64;
	st32le(&c->config[at], b->io ? 1 : (b->bits64 ? 4 : 0) | (b->prefetch ? 8 : 0));
	st32le(&c->wmask[at], ~(u32)(b->size - 1));
	if (b->bits64)
		st32le(&c->wmask[at + 4], ~((b->size - 1) >> 32));
}

int pci_bar_add(struct pci_core *c, unsigned n, const struct pci_bar *b, struct error *e)
{
	struct pci_bar_state *s = &c->bar[n];
	int err = check_bar(c, n, b, e);
	struct regbank *rb;

	if (err)
		return err;
	s->bank = (struct bank){ .name = bar_names[n],
				 .regs = b->regs,
				 .size = b->size,
				 .narrow = b->narrow,
				 .read = b->read,
				 .write = b->write };
	rb = NEW(struct regbank);
	err = regbank_init(rb, &c->dev->dev, &s->bank, &s->region, e);
	if (err) {
		free(rb);
		return err;
	}
	set_bar(c, n, b);
	return 0;
}

int pci_bars_init(struct pci_core *c, struct error *e)
{
	for (unsigned n = 0; n < 6; n++) {
		int err = c->class->bar[n].size ? pci_bar_add(c, n, &c->class->bar[n], e) : 0;

		if (err)
			return err;
	}
	return 0;
}

/* Where the BAR decodes now; false = nowhere. Values that sizing writes (all ones) and 0 are no
 * addresses. */
static bool address(const struct pci_core *c, unsigned n, u64 *addr)
{
	const struct pci_bar_state *s = &c->bar[n];
	const u8 *at = &c->config[PCI_BAR0 + 4 * n];
	u64 last, max = s->io ? 0xffff : s->bits64 ? ~0ull : 0xfffffffe;

	if (!(pci_command(c) & (s->io ? CMD_IO : CMD_MEM)))
		return false;
	*addr = (s->bits64 ? ld64le(at) : ld32le(at)) & ~(s->size - 1);
	return *addr && !add_overflow(*addr, s->size - 1, &last) && last <= max &&
	       !(s->bits64 && last == ~0ull);
}

void pci_bars_update(struct pci_core *c)
{
	space_begin(c->bus->machine);
	for (unsigned n = 0; n < 6; n++) {
		struct pci_bar_state *s = &c->bar[n];
		u64 addr;
		bool on = s->size && address(c, n, &addr);

		if (s->mapped && (!on || s->region.at != addr)) {
			region_remove(&s->region);
			s->mapped = false;
		}
		if (on && !s->mapped) {
			trace(c->dev, "map", "bar%u at %#llx size %#llx", n,
			      (unsigned long long)addr, (unsigned long long)s->size);
			region_add(s->io ? c->bus->io : c->bus->mem, addr, &s->region, 1);
			s->mapped = true;
		}
	}
	space_commit(c->bus->machine);
}

struct region *pci_bar(struct pci_device *p, unsigned bar)
{
	return bar < 6 && p->pci->bar[bar].size ? &p->pci->bar[bar].region : NULL;
}

/* Its contents are the device's part of a snapshot: when one is loaded, the BAR is nowhere yet. */
static u8 *memory_bar(struct pci_core *c, unsigned bar, const struct pci_bar *b, bool saved)
{
	struct pci_bar_state *s = &c->bar[bar];

	s->region.owner = c->dev;
	s->region.unsaved = true;
	s->memory = true;
	s->saved = saved;
	set_bar(c, bar, b);
	return s->region.ram->host;
}

u8 *pci_bar_memory(struct pci_device *p, unsigned bar, u64 size, struct error *e)
{
	struct pci_core *c = p->pci;
	struct pci_bar b = { .size = size, .bits64 = true, .prefetch = true };

	if (check_bar(c, bar, &b, e) ||
	    region_init_ram(&c->bar[bar].region, c->bus->machine, bar_names[bar], size, e))
		return NULL;
	return memory_bar(c, bar, &b, true);
}

u8 *pci_bar_backend(struct pci_device *p, unsigned bar, struct memory_backend *m, bool saved,
		    struct error *e)
{
	struct pci_core *c = p->pci;
	struct pci_bar b = { .size = m->size, .bits64 = true, .prefetch = true };

	if (check_bar(c, bar, &b, e) ||
	    region_init_ram_of(&c->bar[bar].region, c->bus->machine, bar_names[bar], &m, 1, e))
		return NULL;
	c->bar[bar].backend = m;
	return memory_bar(c, bar, &b, saved);
}

u64 pci_bar_address(const struct pci_device *p, unsigned bar)
{
	const struct pci_bar_state *s = &p->pci->bar[bar];

	return s->mapped ? s->region.at : 0;
}

static struct regbank *bar_regs(struct pci_device *p, unsigned bar)
{
	struct pci_bar_state *s = &p->pci->bar[bar];

	return s->size && !s->memory ? s->region.opaque : NULL;
}

u64 pci_bar_read(struct pci_device *p, unsigned bar, u64 off, unsigned size)
{
	struct regbank *rb = bar_regs(p, bar);

	return rb ? regbank_read(rb, off, size) : ~0ull;
}

void pci_bar_write(struct pci_device *p, unsigned bar, u64 off, unsigned size, u64 val)
{
	struct regbank *rb = bar_regs(p, bar);

	if (rb)
		regbank_write(rb, off, size, val);
}

void pci_bars_fini(struct pci_core *c)
{
	for (unsigned n = 0; n < 6; n++) {
		if (c->bar[n].memory)
			region_fini(&c->bar[n].region);
		if (c->bar[n].backend)
			c->bar[n].backend->used = false;
	}
}

/* ---- snapshots */

static const char *const memory_keys[6] = {
	"pci bar0 memory", "pci bar1 memory", "pci bar2 memory",
	"pci bar3 memory", "pci bar4 memory", "pci bar5 memory"
};

void pci_bars_save(struct pci_core *c, struct blob *b)
{
	for (unsigned n = 0; n < 6; n++) {
		if (c->bar[n].memory && c->bar[n].saved)
			snapshot_put(b, memory_keys[n], c->bar[n].region.ram->host, c->bar[n].size);
	}
}

int pci_bars_load(struct pci_core *c, struct blob *b)
{
	int err = 0;

	for (unsigned n = 0; n < 6 && !err; n++) {
		if (c->bar[n].memory && c->bar[n].saved)
			err = snapshot_get(b, memory_keys[n], c->bar[n].region.ram->host,
					   c->bar[n].size);
	}
	return err;
}
