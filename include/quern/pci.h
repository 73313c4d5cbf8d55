/* SPDX-License-Identifier: MIT */
/* pci.h - PCI and PCI Express devices (PCI Local Bus 3.0, PCI Express Base 6.1). The core owns
 * configuration space, BAR decoding, INTx, MSI and MSI-X; a model gives tables and acts. */
#pragma once
#include "device.h"

struct pci_bar {
	const struct reg *regs; /* the registers, or NULL with read/write below */
	/* power of two, at least 16 (memory) or 4 (ports); 0 = no such BAR */
	u64 size;
	bool io, bits64, prefetch, narrow;
	u64 (*read)(void *dev, u64 off, unsigned size);
	void (*write)(void *dev, u64 off, unsigned size, u64 val);
};
struct pci_class {
	struct device_class dev; /* .bus = "pci" */
	u16 vendor, device, subvendor, subdevice;
	u8 revision;
	u32 class_code; /* 24 bits: class, subclass, interface */
	u8 header;	/* 0 = device, 1 = bridge */
	bool intx;	/* has an interrupt pin (INTA#) */
	u8 msi;		/* number of MSI vectors (power of two), 0 = none */
	/* number of MSI-X vectors; the core owns table, PBA and capability */
	u8 msix;
	/* BAR that holds table and PBA; 0 with msix = a BAR of the core's own choice (the first
	 * free one) */
	u8 msix_bar;
	bool express; /* has a PCI Express capability when on a PCIe bus */
	bool multifunction;
	struct pci_bar bar[6];
	/* Configuration space beyond the standard header: called after the core's own handling;
	 * NULL = plain storage by the write mask. */
	void (*config_written)(void *dev, u32 off, unsigned size, u32 val);
	u32 (*config_read)(void *dev, u32 off, unsigned size, u32 val);
};
struct pci_device {
	struct device dev;
	struct pci_core *pci;
};

/* Transfers obey Bus Master Enable. 0 or -EFAULT (reported as a guest error). */
int must_check dma_read(struct pci_device *p, u64 addr, void *buf, size_t n);
int must_check dma_write(struct pci_device *p, u64 addr, const void *buf, size_t n);
/* Signal vector n: MSI-X or MSI when the driver enabled it; else nothing (use pci_intx for the
 * pin). */
void pci_irq(struct pci_device *p, unsigned vector);
bool pci_msi_enabled(const struct pci_device *p); /* MSI or MSI-X */
void pci_intx(struct pci_device *p, int level);
/* Configuration space bytes and their guest-write mask, for init: offsets below 4096. */
u8 *pci_config(struct pci_device *p);
u8 *pci_config_wmask(struct pci_device *p);
/* Memory as a BAR, in init: of the guest's RAM kind, `size` bytes (a power of two), 64-bit and
 * prefetchable. Its contents; NULL with a sentence. */
u8 *pci_bar_memory(struct pci_device *p, unsigned bar, u64 size, struct error *e);
/* The same of what -object memory-backend-* made: a member of kind PROP_OBJECT with .def_str =
 * "memory-backend-". saved: snapshots have its contents; else it belongs to others as well and is
 * left as it is. */
struct memory_backend;
u8 *pci_bar_backend(struct pci_device *p, unsigned bar, struct memory_backend *b, bool saved,
		    struct error *e);
/* The bus address at which a BAR shows now; 0 = nowhere. */
u64 pci_bar_address(const struct pci_device *p, unsigned bar);
/* What an access to a BAR's registers does, for windows that lead to them. */
u64 pci_bar_read(struct pci_device *p, unsigned bar, u64 off, unsigned size);
void pci_bar_write(struct pci_device *p, unsigned bar, u64 off, unsigned size, u64 val);
/* Append a capability of `size` bytes (with its two header bytes); returns its offset. */
unsigned pci_add_capability(struct pci_device *p, u8 id, unsigned size);

#define PCI_DEVICE(T, ...) \
	_Static_assert(offsetof(struct T, pci) == 0, "struct pci_device comes first"); \
	static const struct pci_class T##_class = { __VA_ARGS__ }; \
	QUERN_REGISTER(T##_class)
