/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_core.h - the inside of a PCI function, shared by the files of bus/. Offsets: PCI 3.0 6.1,
 * PCI-to-PCI Bridge 1.2 3.2. */
#pragma once
#include "bus/pci.h"
#include "core/reg.h"

enum {
	PCI_VENDOR = 0x00,
	PCI_DEVICE_ID = 0x02,
	PCI_COMMAND = 0x04,
	PCI_STATUS = 0x06,
	PCI_REVISION = 0x08,
	PCI_CLASS = 0x09,
	PCI_CACHE_LINE = 0x0c,
	PCI_HEADER = 0x0e,
	PCI_BAR0 = 0x10,
	PCI_SUBSYSTEM = 0x2c,
	PCI_ROM = 0x30,
	PCI_CAPS = 0x34,
	PCI_INT_LINE = 0x3c,
	PCI_INT_PIN = 0x3d,
	/* header type 1 */
	PCI_PRIMARY = 0x18,
	PCI_SECONDARY = 0x19,
	PCI_SUBORDINATE = 0x1a,
	PCI_IO_BASE = 0x1c,
	PCI_IO_LIMIT = 0x1d,
	PCI_SEC_STATUS = 0x1e,
	PCI_MEM_BASE = 0x20,
	PCI_MEM_LIMIT = 0x22,
	PCI_PREF_BASE = 0x24,
	PCI_PREF_LIMIT = 0x26,
	PCI_PREF_BASE_HI = 0x28,
	PCI_PREF_LIMIT_HI = 0x2c,
	PCI_IO_BASE_HI = 0x30,
	PCI_IO_LIMIT_HI = 0x32,
	PCI_BRIDGE_CONTROL = 0x3e,
};
enum {
	CMD_IO = BIT(0),
	CMD_MEM = BIT(1),
	CMD_MASTER = BIT(2),
	CMD_PARITY = BIT(6),
	CMD_SERR = BIT(8),
	CMD_INTX_OFF = BIT(10),
	STATUS_INTX = BIT(3),
	STATUS_CAPS = BIT(4),
	STATUS_W1C = 0xf900,
};
enum { CAP_MSI = 0x05, CAP_EXPRESS = 0x10, CAP_MSIX = 0x11 };

struct pci_bar_state {
	struct region region;
	struct bank bank;
	u64 size;
	bool io, bits64, mapped;
	bool memory; /* the region is RAM, and this structure's to release */
	bool saved;  /* snapshots have its contents */
	struct memory_backend *backend;
};

/* What a port with a slot does when its slot's device comes, and when it shall go. */
struct pci_port_ops {
	void (*plugged)(struct pci_core *port, struct pci_core *child);
	int (*unplug_request)(struct pci_core *port, struct pci_core *child, struct error *e);
};

struct pci_core {
	struct pci_device *dev;
	const struct pci_class *class;
	struct pci_bus *bus, *secondary;
	const struct pci_port_ops *port; /* of a port with a slot, else NULL */
	u8 devfn;
	bool plugged, multifunction, intx, asserted;
	s64 bootindex; /* the user's, or -1 */
	unsigned line; /* of the root bus, while asserted */
	u8 config[4096], wmask[4096], w1c[4096];
	u8 initial[4096];  /* what reset restores of the writable bits */
	unsigned cap_next; /* first byte free for capabilities */
	struct pci_bar_state bar[6];
	unsigned msi, msix, express; /* offsets of capabilities, 0 = none */
	/* MSI-X (PCI 3.0 6.8.2) */
	unsigned nmsix;
	u8 *msix_table; /* 16 bytes each */
	u64 *msix_pending;
	struct region msix_table_region, msix_pba_region;
};

u16 pci_command(const struct pci_core *c);
/* pci.c: follow the configuration after a write or a reset. */
void pci_update_intx(struct pci_core *c);
/* pci_bar.c */
int must_check pci_bars_init(struct pci_core *c, struct error *e);
void pci_bars_save(struct pci_core *c, struct blob *b);
int must_check pci_bars_load(struct pci_core *c, struct blob *b);
int must_check pci_bar_add(struct pci_core *c, unsigned n, const struct pci_bar *bar,
			   struct error *e);
void pci_bars_update(struct pci_core *c);
void pci_bars_fini(struct pci_core *c);
/* pci_msix.c */
int must_check pci_msi_init(struct pci_core *c, struct error *e);
/* For classes whose number of vectors depends on the device: n of them, table and pending bits in
 * a BAR of their own; before pci.c's realized. */
int must_check pci_msix_add(struct pci_core *c, unsigned n, unsigned bar, struct error *e);
void pci_msi_fini(struct pci_core *c);
void pci_msi_reset(struct pci_core *c);
/* Vector n, without asking what is broken. */
void pci_irq_send(struct pci_device *p, unsigned vector);
void pci_msi_config_written(struct pci_core *c, u32 off, unsigned size);
/* pci_config.c */
void pci_config_init(struct pci_core *c);
u32 pci_config_read(struct pci_core *c, u32 off, unsigned size);
void pci_config_write(struct pci_core *c, u32 off, unsigned size, u32 val);
void pci_express_init(struct pci_core *c);
/* pci_bridge.c */
void pci_bridge_update(struct pci_core *c);
void pci_bridge_fini(struct pci_core *c);
struct pci_bus *pci_bus_alloc(struct machine *m, const char *name, bool express);
