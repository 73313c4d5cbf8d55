/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_boot.c - how firmware names PCI functions that may be booted from (bootindex=), in the form
 * of Open Firmware device paths that SeaBIOS and OVMF read in fw_cfg's "bootorder". */
#include "bus/pci_core.h"
#include "lib/alloc.h"
#include "lib/str.h"

/* What a function is called, and what is booted in it, by its class code. */
static const struct {
	u16 class;
	const char *name, *unit;
} kinds[] = {
	{ 0x0100, "scsi", "/disk@0,0" },
	{ 0x0101, "ide", "" },
	{ 0x0108, NULL, "/namespace@1,0" },
	{ 0x0200, "ethernet", "/ethernet-phy@0" },
};

static void add_node(struct strbuf *b, const struct pci_core *c, const char **unit)
{
	u16 class = ld16le(&c->config[PCI_CLASS + 1]);
	const char *name = NULL;

	*unit = "";
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].class == class) {
			name = kinds[i].name;
			*unit = kinds[i].unit;
		}
	}
	if (c->class->header == 1)
		name = "pci-bridge";
	if (name)
		strbuf_printf(b, "/%s@%x", name, c->devfn >> 3);
	else
		strbuf_printf(b, "/pci%x,%x@%x", ld16le(&c->config[PCI_VENDOR]),
			      ld16le(&c->config[PCI_DEVICE_ID]), c->devfn >> 3);
	if (c->devfn & 7)
		strbuf_printf(b, ",%x", c->devfn & 7);
}

static void add_bus(struct strbuf *b, const struct pci_bus *bus)
{
	const char *unit;

	if (!bus->bridge) {
		strbuf_add(b, "/pci@i0cf8");
		return;
	}
	add_bus(b, bus->bridge->bus);
	add_node(b, bus->bridge, &unit);
}

char *pci_boot_path(const struct pci_device *p)
{
	struct strbuf b = { 0 };
	const char *unit;

	add_bus(&b, p->pci->bus);
	add_node(&b, p->pci, &unit);
	strbuf_add(&b, unit);
	return strbuf_take(&b);
}

s64 pci_bootindex(const struct pci_device *p) { return p->pci->bootindex; }
