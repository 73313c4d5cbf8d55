/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_ports.h - the two ways in which PCs reach configuration space: ports 0xcf8 and 0xcfc
 * (PCI 3.0 3.2.2.3.2), and memory (PCI Express Base 7.2.2). */
#pragma once
#include "bus/pci.h"

struct pci_ports {
	struct pci_bus *root;
	u32 address;
	struct region ports;	      /* 8 ports at 0xcf8 */
	struct region memory;	      /* 256 MiB at most */
	struct region *reset_control; /* answers bytes at 0xcf9, or NULL */
};

void pci_ports_init(struct pci_ports *p, struct pci_bus *root);
void pci_ports_fini(struct pci_ports *p);
