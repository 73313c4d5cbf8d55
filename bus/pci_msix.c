/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_msix.c - message-signalled interrupts: MSI and MSI-X, with masking and pending bits. PCI
 * Local Bus 3.0, 6.8. A message is a 32-bit write into the machine's memory, which needs Bus Master
 * Enable like every other write of the device. */
#include "bus/pci_core.h"
#include "core/fault.h"
#include "core/late.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <errno.h>
#include <stdio.h>

enum {
	/* MSI, with a 64-bit address and masking (6.8.1) */
	MSI_CONTROL = 2,
	MSI_ADDRESS = 4,
	MSI_DATA = 12,
	MSI_MASK = 16,
	MSI_PENDING = 20,
	MSI_SIZE = 24,
	MSI_ENABLE = BIT(0),
	MSI_64 = BIT(7),
	MSI_MASKABLE = BIT(8),
	/* MSI-X (6.8.2) */
	MSIX_CONTROL = 2,
	MSIX_TABLE = 4,
	MSIX_PBA = 8,
	MSIX_SIZE = 12,
	MSIX_ENABLE = BIT(15),
	MSIX_FUNCTION_MASK = BIT(14),
	ENTRY = 16,
	ENTRY_DATA = 8,
	ENTRY_CONTROL = 12,
	ENTRY_MASKED = BIT(0),
};
#define MSI_ENABLED_VECTORS GENMASK(6, 4)

static void send(struct pci_core *c, u64 addr, u32 data)
{
	struct mem_attrs attrs = { .requester = c->devfn };

	if (!(pci_command(c) & CMD_MASTER)) {
		guest_error(c->dev, "a message-signalled interrupt while Bus Master Enable is off");
		return;
	}
	trace(c->dev, "msi", "address=%#llx data=%#x", (unsigned long long)addr, data);
	if (space_st(&c->bus->machine->memory, addr, 4, data, attrs) != MEM_OK)
		guest_error(c->dev, "the interrupt message to %#llx reaches nothing",
			    (unsigned long long)addr);
}

/* ---- MSI */

static u16 msi_control(const struct pci_core *c)
{
	return c->msi ? ld16le(&c->config[c->msi + MSI_CONTROL]) : 0;
}

static void msi_send(struct pci_core *c, unsigned vector)
{
	const u8 *cap = &c->config[c->msi];
	unsigned allocated =
		1u << MIN(FIELD_GET(MSI_ENABLED_VECTORS, (unsigned)msi_control(c)), 5u);
	u32 data = ld16le(cap + MSI_DATA);

	vector %= MIN(allocated, (unsigned)c->class->msi);
	if (ld32le(cap + MSI_MASK) & BIT(vector)) {
		st32le(&c->config[c->msi + MSI_PENDING], ld32le(cap + MSI_PENDING) | BIT(vector));
		return;
	}
	if (allocated > 1)
		data = (data & ~(allocated - 1)) | vector;
	send(c, ld64le(cap + MSI_ADDRESS), data);
}

static void msi_unmasked(struct pci_core *c)
{
	u8 *pending = &c->config[c->msi + MSI_PENDING];
	u32 ready = ld32le(pending) & ~ld32le(&c->config[c->msi + MSI_MASK]);

	if (!(msi_control(c) & MSI_ENABLE))
		return;
	st32le(pending, ld32le(pending) & ~ready);
	for (unsigned v = 0; ready; v++, ready >>= 1) {
		if (ready & 1)
			msi_send(c, v);
	}
}

static void msi_init(struct pci_core *c)
{
	unsigned n = c->class->msi, log = 31 - __builtin_clz(n),
		 at = pci_add_capability(c->dev, CAP_MSI, MSI_SIZE);

	c->msi = at;
	st16le(&c->config[at + MSI_CONTROL], MSI_64 | MSI_MASKABLE | log << 1);
	st16le(&c->wmask[at + MSI_CONTROL], MSI_ENABLE | MSI_ENABLED_VECTORS);
	st64le(&c->wmask[at + MSI_ADDRESS], ~3ull);
	st16le(&c->wmask[at + MSI_DATA], 0xffff);
	st32le(&c->wmask[at + MSI_MASK], n == 32 ? ~0u : BIT(n) - 1);
}

/* ---- MSI-X */

static u16 msix_control(const struct pci_core *c)
{
	return c->msix ? ld16le(&c->config[c->msix + MSIX_CONTROL]) : 0;
}

static bool msix_masked(const struct pci_core *c, unsigned v)
{
	return (msix_control(c) & MSIX_FUNCTION_MASK) ||
	       (c->msix_table[v * ENTRY + ENTRY_CONTROL] & ENTRY_MASKED);
}

static void msix_send(struct pci_core *c, unsigned v)
{
	const u8 *entry = c->msix_table + v * ENTRY;

	if (msix_masked(c, v)) {
		c->msix_pending[v / 64] |= BIT64(v % 64);
		return;
	}
	send(c, ld64le(entry), ld32le(entry + ENTRY_DATA));
}

static void msix_unmasked(struct pci_core *c, unsigned v)
{
	if (!(msix_control(c) & MSIX_ENABLE) || !(c->msix_pending[v / 64] & BIT64(v % 64)) ||
	    msix_masked(c, v))
		return;
	c->msix_pending[v / 64] &= ~BIT64(v % 64);
	msix_send(c, v);
}

static enum mem_result table_read(void *opaque, u64 off, unsigned size, u64 *val,
				  struct mem_attrs attrs)
{
	struct pci_core *c = opaque;

	*val = size == 8 ? ld64le(c->msix_table + off) : ld32le(c->msix_table + off);
	return MEM_OK;
}

static enum mem_result table_write(void *opaque, u64 off, unsigned size, u64 val,
				   struct mem_attrs attrs)
{
	struct pci_core *c = opaque;
	unsigned v = off / ENTRY;

	if (size == 8)
		st64le(c->msix_table + off, val);
	else
		st32le(c->msix_table + off, val);
	/* the address is a dword's; of the control only the mask bit is there */
	c->msix_table[v * ENTRY] &= ~3;
	st32le(c->msix_table + v * ENTRY + ENTRY_CONTROL,
	       ld32le(c->msix_table + v * ENTRY + ENTRY_CONTROL) & ENTRY_MASKED);
	trace(c->dev, "msix_table", "vector %u: %#x <- %#llx", v, (unsigned)(off % ENTRY),
	      (unsigned long long)val);
	msix_unmasked(c, v);
	return MEM_OK;
}

static enum mem_result pba_read(void *opaque, u64 off, unsigned size, u64 *val,
				struct mem_attrs attrs)
{
	struct pci_core *c = opaque;
	u64 word = c->msix_pending[off / 8];

	*val = size == 8 ? word : (u32)(word >> off % 8 * 8);
	return MEM_OK;
}

static enum mem_result pba_write(void *opaque, u64 off, unsigned size, u64 val,
				 struct mem_attrs attrs)
{
	struct pci_core *c = opaque;

	guest_error(c->dev, "the MSI-X pending bits are read-only");
	return MEM_OK;
}

static const struct region_ops table_ops = {
	.read = table_read, .write = table_write, .valid_min = 4, .valid_max = 8
};
static const struct region_ops pba_ops = {
	.read = pba_read, .write = pba_write, .valid_min = 4, .valid_max = 8
};

/* Table and pending bits share a BAR: one of their own, halved; or the upper half of the class's.
 */
static int own_bar(struct pci_core *c, unsigned bar, u64 *table, u64 *pba, struct error *e)
{
	u64 need = MAX((u64)c->nmsix * ENTRY, (u64)2048), half = 2048;
	struct pci_bar own = { 0 };

	while (half < need)
		half *= 2;
	own.size = 2 * half;
	*table = 0;
	*pba = half;
	return pci_bar_add(c, bar, &own, e);
}

static int msix_place(struct pci_core *c, unsigned *bar, u64 *table, u64 *pba, struct error *e)
{
	unsigned n = c->class->msix_bar;

	if (n && c->bar[n].size) {
		*bar = n;
		*table = c->bar[n].size / 2;
		*pba = *table + c->bar[n].size / 4;
		if (c->bar[n].io || c->bar[n].size / 4 < (u64)c->nmsix * ENTRY)
			return error_ret(e, -EINVAL,
					 "device class %s: the MSI-X table does not fit into BAR "
					 "%u",
					 c->class->dev.name, n);
		return 0;
	}
	while (!c->class->msix_bar && n < 6 && (c->bar[n].size || (n && c->bar[n - 1].bits64)))
		n++;
	*bar = n;
	return own_bar(c, n, table, pba, e);
}

static void msix_init(struct pci_core *c, unsigned bar, u64 table, u64 pba)
{
	unsigned n = c->nmsix, words = (n + 63) / 64, at;

	c->msix_table = xcalloc(n, ENTRY);
	c->msix_pending = xcalloc(words, 8);
	region_init_io(&c->msix_table_region, "msix-table", (u64)n * ENTRY, &table_ops, c);
	region_init_io(&c->msix_pba_region, "msix-pba", words * 8, &pba_ops, c);
	c->msix_table_region.owner = c->msix_pba_region.owner = c->dev;
	region_add(&c->bar[bar].region, table, &c->msix_table_region, 1);
	region_add(&c->bar[bar].region, pba, &c->msix_pba_region, 1);
	at = pci_add_capability(c->dev, CAP_MSIX, MSIX_SIZE);
	c->msix = at;
	st16le(&c->config[at + MSIX_CONTROL], n - 1);
	st16le(&c->wmask[at + MSIX_CONTROL], MSIX_ENABLE | MSIX_FUNCTION_MASK);
	st32le(&c->config[at + MSIX_TABLE], table | bar);
	st32le(&c->config[at + MSIX_PBA], pba | bar);
}

int pci_msix_add(struct pci_core *c, unsigned n, unsigned bar, struct error *e)
{
	u64 table, pba;
	int err;

	c->nmsix = n;
	err = own_bar(c, bar, &table, &pba, e);
	if (!err)
		msix_init(c, bar, table, pba);
	return err;
}

/* ---- both */

int pci_msi_init(struct pci_core *c, struct error *e)
{
	unsigned n = c->class->msi, bar;
	u64 table, pba;
	int err;

	if (n > 32 || (n & (n - 1)))
		return error_ret(e, -EINVAL,
				 "device class %s: %u MSI vectors; a power of two up to 32 is "
				 "possible",
				 c->class->dev.name, n);
	if (n)
		msi_init(c);
	c->nmsix = c->class->msix;
	if (!c->nmsix)
		return 0;
	err = msix_place(c, &bar, &table, &pba, e);
	if (!err)
		msix_init(c, bar, table, pba);
	return err;
}

void pci_msi_fini(struct pci_core *c)
{
	region_fini(&c->msix_table_region);
	region_fini(&c->msix_pba_region);
	free(c->msix_table);
	free(c->msix_pending);
}

void pci_msi_reset(struct pci_core *c)
{
	if (c->msi)
		st32le(&c->config[c->msi + MSI_PENDING], 0);
	if (!c->msix)
		return;
	memset(c->msix_table, 0, (size_t)c->nmsix * ENTRY);
	memset(c->msix_pending, 0, (c->nmsix + 63) / 64 * 8);
	for (unsigned v = 0; v < c->nmsix; v++)
		c->msix_table[v * ENTRY + ENTRY_CONTROL] = ENTRY_MASKED;
}

void pci_msi_config_written(struct pci_core *c, u32 off, unsigned size)
{
	if (c->msi && off + size > c->msi && off < c->msi + MSI_SIZE)
		msi_unmasked(c);
	if (c->msix && off + size > c->msix && off < c->msix + MSIX_SIZE) {
		for (unsigned v = 0; v < c->nmsix; v++)
			msix_unmasked(c, v);
	}
}

bool pci_msi_enabled(const struct pci_device *p)
{
	const struct pci_core *c = p->pci;

	return (msix_control(c) & MSIX_ENABLE) || (msi_control(c) & MSI_ENABLE);
}

void pci_irq_send(struct pci_device *p, unsigned vector)
{
	struct pci_core *c = p->pci;

	if (msix_control(c) & MSIX_ENABLE) {
		if (vector < c->nmsix)
			msix_send(c, vector);
	} else if (msi_control(c) & MSI_ENABLE) {
		msi_send(c, vector);
	}
}

void pci_irq(struct pci_device *p, unsigned vector)
{
	const struct fault_info *f;
	char point[16];

	if (fault_may(&p->dev, FAULT_IRQ)) {
		snprintf(point, sizeof(point), "irq%u", vector);
		f = fault_visit(&p->dev, FAULT_IRQ, point, NULL);
		if (f && f->action == FAULT_DELAY)
			late_bus(&p->dev, vector, fault_delay(&p->dev, f));
		if (f && f->action != FAULT_DOUBLE)
			return;
		if (f)
			pci_irq_send(p, vector);
	}
	pci_irq_send(p, vector);
}
