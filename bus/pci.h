/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci.h - PCI buses as boards see them: creation, interrupt routing, and the one access that every
 * configuration mechanism makes. The models' side is quern/pci.h.
 */
#pragma once
#include <quern/pci.h>
#include "core/device.h"
#include "core/snapshot.h"

struct pci_core;

struct pci_bus {
	struct bus bus;
	struct machine *machine;
	struct region *mem, *io; /* where BARs show: bus addresses from 0 */
	bool express;
	struct pci_core *at[256]; /* by slot << 3 | function */
	/* the bridge whose secondary bus this is; NULL = a root bus */
	struct pci_core *bridge;
	struct region own_mem, own_io; /* of a secondary bus */
	struct region win_mem, win_pref, win_io;
	/* Routing of INTx, root buses only. */
	unsigned (*map)(void *arg, unsigned slot, unsigned pin);
	void (*set)(void *arg, unsigned line, int level);
	void *arg;
	u32 asserted[64]; /* per line: how many sources */
	unsigned nlines;
	struct snapshot_part part; /* the lines */
};

/*
 * A root bus, number 0. name ("pci.0", "pcie.0") stays the caller's. BARs appear in mem and io at
 * the addresses in them (boards give containers, or the machine's roots). Freed with the machine's
 * devices gone, by pci_bus_free.
 */
struct pci_bus *pci_bus_new(struct machine *m, const char *name, struct region *mem,
			    struct region *io, bool express);
void pci_bus_free(struct pci_bus *b);
/* map: slot and pin (0 = INTA#) -> line 0..nlines-1. set: a line's level, high while any source
 * asserts it. */
void pci_bus_route(struct pci_bus *b, unsigned (*map)(void *arg, unsigned slot, unsigned pin),
		   void (*set)(void *arg, unsigned line, int level), void *arg, unsigned nlines);
int pci_bus_line(const struct pci_bus *b, unsigned line);
/*
 * One configuration access from the root bus: what ports CF8/CFC and ECAM do. size 1, 2 or 4,
 * inside one dword. Reads return the value (all ones where no device is); writes return 0. Offsets
 * from 256 exist on express buses only.
 */
u32 pci_config_access(struct pci_bus *root, unsigned bus, unsigned devfn, u32 off, unsigned size,
		      bool write, u32 val);
/* The default bus for -device, or NULL. */
struct pci_bus *pci_bus_first(struct machine *m);
/* Places a device on this bus at slot.function (-1 = the next free slot) and realizes it. NULL with
 * a sentence. */
struct pci_device *pci_make(struct pci_bus *b, int slot, int function, const char *class,
			    const char *id, const char *props, struct error *e);
/* bootindex=, -1 = none; and the path by which firmware knows the function, the caller's to free.
 */
s64 pci_bootindex(const struct pci_device *p);
char *pci_boot_path(const struct pci_device *p);
unsigned pci_devfn(const struct pci_device *p);
struct pci_bus *pci_bus_of(const struct pci_device *p);
/* The region of a BAR, to put further regions into; NULL when the class has none. */
struct region *pci_bar(struct pci_device *p, unsigned bar);
/* A device of header type 1: makes its secondary bus (name stays the caller's); its windows follow
 * the configuration. */
struct pci_bus *pci_bridge_bus(struct pci_device *p, const char *name);
/* Every device below a bus, bridges' buses included, in order of bus and devfn; bus = its number as
 * configured. */
void pci_each(struct pci_bus *b, void (*fn)(void *arg, unsigned bus, struct pci_device *p),
	      void *arg);
