/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86_pci.c - the two PC chipsets as wiring: i440FX with PIIX3 and PIIX4 power management, Q35 with
 * ICH9; memory attribute map, configuration windows, interrupt routes, and what firmware would have
 * programmed when there is none. */
#include "board/x86_board.h"
#include "lib/error.h"
#include <errno.h>
#include <stdio.h>

#define PCI_END	   0xfec00000ull
#define PIIX_GPE   0xafe0
/* What a memory module may have: 128 MiB to 32 GiB. */
#define MIN_MODULE (128ull << 20)
#define MAX_MODULE (32ull << 30)
enum { ICH9_GPE = PM_PORT + 0x20, ENABLE_ACPI = 0xf1, DISABLE_ACPI = 0xf0 };
/* Which ISA interrupts the PCI interrupts A, B, C, D... get when nobody else decides. */
static const u8 direct_irq[8] = { 10, 10, 11, 11, 10, 10, 11, 11 };

/* ---- memory from 0xc0000 to 0xfffff (chipset.h) */

static u64 segment_base(unsigned s) { return s ? 0xc0000 + (s - 1) * 0x4000ull : 0xf0000; }
static u64 segment_size(unsigned s) { return s ? 0x4000 : 0x10000; }

void x86_pam(void *board, unsigned s, bool read, bool write)
{
	struct x86_wiring *w = &((struct x86_board *)board)->w;

	if (!read && write)
		unimplemented(board,
			      "memory at %#llx that is written but not read: it stays as the bus "
			      "shows it",
			      (unsigned long long)segment_base(s));
	space_begin(w->m);
	region_set_enabled(&w->pam_bus[s], !read);
	region_set_enabled(&w->pam_rom[s], read && !write);
	space_commit(w->m);
}

static void make_attribute_map(struct x86_wiring *w)
{
	for (unsigned s = 0; s < PAM_SEGMENTS; s++) {
		u64 base = segment_base(s), size = segment_size(s);

		region_init_alias(&w->pam_bus[s], "pam-bus", &w->pci_memory, base, size);
		region_init_alias(&w->pam_rom[s], "pam-rom", &w->m->ram, base, size);
		region_set_readonly(&w->pam_rom[s], true);
		region_set_enabled(&w->pam_rom[s], false);
		region_add(&w->m->memory_root, base, &w->pam_bus[s], 1);
		region_add(&w->m->memory_root, base, &w->pam_rom[s], 1);
	}
	region_init_reserved(&w->open_bus, "open-bus", 0x60000);
	region_add(&w->pci_memory, 0xa0000, &w->open_bus, -1);
	region_init_alias(&w->vga, "vga-window", &w->pci_memory, 0xa0000, 0x20000);
	region_add(&w->m->memory_root, 0xa0000, &w->vga, 1);
}

/* ---- blocks that move */

static void place_region(struct region *r, struct region *parent, u64 base, u64 size)
{
	if (r->parent)
		region_remove(r);
	if (size)
		region_add(parent, base, r, 0);
}

void x86_place(void *board, enum chipset_block block, u64 base, u64 size)
{
	struct x86_wiring *w = &((struct x86_board *)board)->w;

	space_begin(w->m);
	switch (block) {
	case CHIPSET_PM:
		place_region(&w->pm_block, &w->m->io_root, base, size);
		/* firmware chooses; its ACPI tables are made after that */
		if (size) {
			w->info.gpe0 = w->info.gpe0 - w->info.pm1_evt == ICH9_GPE - PM_PORT ?
					       base + (ICH9_GPE - PM_PORT) :
					       w->info.gpe0;
			w->info.pm1_evt = base;
			w->info.pm1_cnt = base + 4;
			w->info.pm_timer = base + 8;
		}
		break;
	case CHIPSET_ECAM:
		if (size)
			w->config.memory.size = size;
		place_region(&w->config.memory, &w->m->memory_root, base, size);
		break;
	case CHIPSET_RCBA:
		if (w->bridge)
			place_region(device_bank(&w->bridge->dev, "rcrb"), &w->m->memory_root, base,
				     size);
		break;
	case CHIPSET_SMBUS:
		if (w->piix4)
			place_region(device_bank(&w->piix4->dev, "smbus"), &w->m->io_root, base,
				     size);
		break;
	default:
		break;
	}
	space_commit(w->m);
}

/* ---- ACPI hardware */

static int make_pm(struct x86_board *x, bool q35, struct error *e)
{
	struct x86_wiring *w = &x->w;
	struct x86_board_info *i = &w->info;
	struct region *gpe;

	w->pm = device_make(w->m, "acpi-pm", "pm", q35 ? "gpe_len=16" : "gpe_len=4", e);
	if (!w->pm)
		return -EINVAL;
	region_init_container(&w->pm_block, "acpi-ports", q35 ? 128 : 64);
	region_add(&w->pm_block, 0, device_bank(w->pm, "evt"), 0);
	region_add(&w->pm_block, 4, device_bank(w->pm, "cnt"), 0);
	region_add(&w->pm_block, 8, device_bank(w->pm, "tmr"), 0);
	gpe = device_bank(w->pm, "gpe");
	if (q35)
		region_add(&w->pm_block, ICH9_GPE - PM_PORT, gpe, 0);
	else
		region_add(&w->m->io_root, PIIX_GPE, gpe, 0);
	device_map_io(w->pm, "apm", SMI_CMD);
	x86_gsi(x, w->pm, "sci", 0, SCI);
	i->pm1_evt = PM_PORT;
	i->pm1_cnt = PM_PORT + 4;
	i->pm_timer = PM_PORT + 8;
	i->gpe0 = q35 ? ICH9_GPE : PIIX_GPE;
	i->gpe0_len = q35 ? 16 : 4;
	i->smi_cmd = SMI_CMD;
	i->acpi_enable = ENABLE_ACPI;
	i->acpi_disable = DISABLE_ACPI;
	i->sci_gsi = SCI;
	i->sci_flags = ACPI_LEVEL_HIGH;
	i->reset.io = true;
	i->reset.addr = 0xcf9;
	i->reset.value = 0x06;
	return 0;
}

/* ---- interrupts of PCI devices: a root bus line is a PIRQ of the bridge */

static unsigned piix_map(void *arg, unsigned slot, unsigned pin) { return (slot + pin + 3) & 3; }

/* Slots 25 to 31 are routed by the root complex registers, which say A to D; the others turn around
 * E to H. */
static unsigned ich9_map(void *arg, unsigned slot, unsigned pin)
{
	return slot >= 25 ? pin : 4 + ((slot + pin) & 3);
}

static void set_pirq(void *arg, unsigned line, int level)
{
	struct pci_device *bridge = ((struct x86_wiring *)arg)->bridge;

	bridge->dev.class->input(bridge, line, level);
}

static void route_interrupts(struct x86_board *x, bool q35)
{
	struct x86_wiring *w = &x->w;
	struct x86_board_info *i = &w->info;
	unsigned (*map)(void *arg, unsigned slot, unsigned pin) = q35 ? ich9_map : piix_map;

	pci_bus_route(w->pci, map, set_pirq, w, q35 ? 8 : 4);
	i->nlinks = q35 ? 8 : 4;
	for (unsigned n = 0; n < i->nlinks; n++)
		i->link_reg[n] = n < 4 ? 0x60 + n : 0x64 + n;
	for (unsigned slot = 0; slot < X86_PCI_SLOTS; slot++) {
		for (unsigned pin = 0; pin < 4; pin++) {
			unsigned line = map(w, slot, pin);

			i->pci_irq[slot][pin] = direct_irq[line];
			i->pci_gsi[slot][pin] = q35 ? 16 + line : direct_irq[line];
		}
	}
	i->pci_gsi_flags = ACPI_LEVEL_HIGH;
	for (unsigned n = 0; n < 16; n++) {
		if (n == 2)
			continue;
		x86_gsi(x, &w->bridge->dev, "irq", n, q35 ? PIC_ONLY + n : n);
	}
	for (unsigned n = 0; q35 && n < 8; n++)
		x86_gsi(x, &w->bridge->dev, "pirq", n, 16 + n);
	x86_override(x, 5, 5, ACPI_LEVEL_HIGH);
	x86_override(x, 9, 9, ACPI_LEVEL_HIGH);
	x86_override(x, 10, 10, ACPI_LEVEL_HIGH);
	x86_override(x, 11, 11, ACPI_LEVEL_HIGH);
}

/* ---- direct boot: what firmware would have left */

static void config(struct x86_wiring *w, unsigned slot, unsigned fn, u32 off, unsigned size,
		   u32 val)
{
	pci_config_access(w->pci, 0, slot << 3 | fn, off, size, true, val);
}

static void set_interrupt_line(void *arg, unsigned bus, struct pci_device *p)
{
	struct x86_wiring *w = arg;
	u8 *c = pci_config(p), pin = c[0x3d];

	if (pin >= 1 && pin <= 4 && pci_bus_of(p) == w->pci)
		c[0x3c] = w->info.pci_irq[pci_devfn(p) >> 3][pin - 1];
}

void x86_pci_boot_state(struct x86_wiring *w)
{
	struct x86_board_info *i = &w->info;
	unsigned pam = i->pcie ? 0x90 : 0x59, bridge = i->isa_slot;

	config(w, 0, 0, pam, 1, 0x30);
	for (unsigned n = 1; n < 7; n++)
		config(w, 0, 0, pam + n, 1, 0x33);
	for (unsigned n = 0; n < i->nlinks; n++)
		config(w, bridge, 0, i->link_reg[n], 1, direct_irq[n]);
	if (w->pic)
		region_st(device_bank(w->pic, "elcr"), 1, 1, BIT(2) | BIT(3),
			  (struct mem_attrs){ 0 }); /* 10 and 11 are levels */
	if (i->pcie) {
		config(w, 0, 0, 0x64, 4, 0);
		config(w, 0, 0, 0x60, 4, (u32)i->ecam.base | 1);
		config(w, bridge, 3, 0x40, 1, 1); /* the SMBus host is on */
		if (w->pm) {
			config(w, bridge, 0, 0x40, 4, PM_PORT | 1);
			config(w, bridge, 0, 0x44, 1, BIT(7));
		}
	} else {
		/* the IDE channels decode */
		config(w, bridge, 1, 0x40, 4, 0x80008000);
	}
	if (!i->pcie && w->pm) {
		config(w, bridge, 3, 0x40, 4, PM_PORT | 1);
		config(w, bridge, 3, 0x80, 1, 1);
		config(w, bridge, 3, 0x90, 4, SMBUS_PORT | 1);
		config(w, bridge, 3, 0xd2, 1, 0x09); /* on, IRQ 9 */
		config(w, bridge, 3, 0x04, 2, 1);
	}
	pci_each(w->pci, set_interrupt_line, w);
}

/* ---- building */

static int make_bridges(struct x86_wiring *w, const struct x86_chipset *k, bool acpi,
			struct error *e)
{
	if (!pci_make(w->pci, 0, 0, k->q35 ? "mch" : "i440FX", NULL, "board=board", e))
		return -EINVAL;
	w->bridge = pci_make(w->pci, k->isa_slot, 0, k->q35 ? "ICH9-LPC" : "PIIX3", NULL,
			     k->q35 ? "board=board" : NULL, e);
	if (!w->bridge)
		return -EINVAL;
	if (k->q35 || !acpi)
		return 0;
	w->piix4 = pci_make(w->pci, k->isa_slot, 3, "PIIX4_PM", NULL,
			    k->smbus ? "board=board" : "board=board,smbus=off", e);
	return w->piix4 ? 0 : -EINVAL;
}

/* Eight places for memory modules on the SMBus, and in them what makes up the RAM, as far as powers
 * of two do. */
static int make_smbus(struct x86_board *x, const struct x86_chipset *k, struct error *e)
{
	struct x86_wiring *w = &x->w;
	u64 left = w->m->ram_size;
	char props[64];

	if (!k->smbus || (!k->q35 && !w->piix4))
		return 0;
	if (k->q35 && !pci_make(w->pci, k->isa_slot, 3, "ICH9-SMB", NULL, NULL, e))
		return -EINVAL;
	if (w->piix4)
		x86_gsi(x, &w->piix4->dev, "irq", 0, SCI);
	for (unsigned n = 0; n < 8; n++) {
		u64 size = left ? BIT64(63 - __builtin_clzll(left)) : 0;

		if (size < MIN_MODULE)
			size = 0;
		size = MIN(size, MAX_MODULE);
		left -= size;
		snprintf(props, sizeof(props), "address=%u,module=%llu", 0x50 + n,
			 (unsigned long long)size);
		if (!device_make(w->m, "smbus-eeprom", NULL, props, e))
			return -EINVAL;
	}
	return 0;
}

/* Two channels where PCs have always had them, or six SATA ports. */
static int make_disks(struct x86_board *x, const struct x86_chipset *k, struct error *e)
{
	struct x86_wiring *w = &x->w;
	struct pci_device *ide;

	if (k->q35)
		return !k->sata || pci_make(w->pci, k->isa_slot, 2, "ich9-ahci", NULL, "builtin=on",
					    e) ?
			       0 :
			       -EINVAL;
	ide = pci_make(w->pci, k->isa_slot, 1, "piix3-ide", NULL, NULL, e);
	if (!ide)
		return -EINVAL;
	device_map_io(&ide->dev, "cmd0", 0x1f0);
	device_map_io(&ide->dev, "ctl0", 0x3f6);
	device_map_io(&ide->dev, "cmd1", 0x170);
	device_map_io(&ide->dev, "ctl1", 0x376);
	x86_gsi(x, &ide->dev, "irq", 0, 14);
	x86_gsi(x, &ide->dev, "irq", 1, 15);
	return 0;
}

int x86_pci_new(struct x86_board *x, const struct x86_chipset *k, bool acpi, struct error *e)
{
	struct x86_wiring *w = &x->w;
	struct x86_board_info *i = &w->info;
	struct device *cf9 = device_make(w->m, "cf9", "reset-control", NULL, e);
	int err;

	if (!cf9)
		return -EINVAL;
	make_attribute_map(w);
	w->pci = pci_bus_new(w->m, k->q35 ? "pcie.0" : "pci.0", &w->pci_memory, &w->m->io_root,
			     k->q35);
	pci_ports_init(&w->config, w->pci);
	w->config.reset_control = device_bank(cf9, "port");
	region_add(&w->m->io_root, 0xcf8, &w->config.ports, 0);
	i->pci = true;
	i->pcie = k->q35;
	i->bus_last = 255;
	i->isa_slot = k->isa_slot;
	if (k->ecam)
		i->ecam = (struct x86_window){ k->ecam, 256ull << 20 };
	/* devices begin where one memory type range can say so, and behind the configuration window
	 */
	i->pci_mem.base = i->ram_low <= 0x80000000 ? 0x80000000 :
			  i->ram_low <= 0xc0000000 ? 0xc0000000 :
						     0xe0000000;
	if (k->ecam)
		i->pci_mem.base = MAX(i->pci_mem.base, i->ecam.base + i->ecam.size);
	i->pci_mem.size = PCI_END - i->pci_mem.base;
	i->pci_mem64 =
		(struct x86_window){ ALIGN_UP(BIT64(32) + i->ram_high, BIT64(35)), BIT64(35) };
	err = acpi ? make_pm(x, k->q35, e) : 0;
	if (!err)
		err = make_bridges(w, k, acpi, e);
	if (!err)
		err = make_disks(x, k, e);
	if (!err)
		err = make_smbus(x, k, e);
	if (err)
		return err;
	route_interrupts(x, k->q35);
	i->acpi = acpi;
	return 0;
}

void x86_pci_fini(struct x86_board *x)
{
	struct x86_wiring *w = &x->w;

	if (!w->pci)
		return;
	pci_ports_fini(&w->config);
	pci_bus_free(w->pci);
	if (w->pm)
		region_fini(&w->pm_block);
	for (unsigned s = 0; s < PAM_SEGMENTS; s++) {
		region_fini(&w->pam_bus[s]);
		region_fini(&w->pam_rom[s]);
	}
	region_fini(&w->vga);
	region_fini(&w->open_bus);
}
