/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_to_pci.c - a bridge to a conventional PCI bus (PCI-to-PCI Bridge 1.2), without hot-plug. */
#include "bus/pci_core.h"

struct pci_to_pci {
	struct pci_device pci;
	u8 chassis_nr;
	u8 pad[7];
};

static int bridge_init(void *dev, struct error *e)
{
	struct pci_to_pci *p = dev;

	pci_bridge_bus(&p->pci, p->pci.dev.id)->express = false;
	return 0;
}

static const struct prop bridge_props[] = {
	PROP(struct pci_to_pci, chassis_nr, .doc = "Number of the chassis that the slots are in."),
	{}
};
static const struct state bridge_state[] = { DERIVED(struct pci_to_pci, pad), {} };
PCI_DEVICE(pci_to_pci,
	   .dev = { .name = "pci-bridge",
		    .doc = "PCI-to-PCI bridge",
		    .bus = "pci",
		    .size = sizeof(struct pci_to_pci),
		    .props = bridge_props,
		    .state = bridge_state,
		    .init = bridge_init },
	   .vendor = 0x1b36, .device = 0x0001, .class_code = 0x060400, .header = 1);
