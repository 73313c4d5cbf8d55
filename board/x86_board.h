/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86_board.h - the inside of PC-like boards: x86.c has CPUs, memory and legacy devices, x86_pci.c
 * the chipsets, pc.c, q35.c and microvm.c say which of it a machine has. */
#pragma once
#include "board/x86.h"
#include "bus/isa.h"
#include "bus/pci_ports.h"
#include "bus/virtio.h"
#include "core/cpu.h"
#include <quern/chipset.h>

enum { GSIS = 24, PIC_ONLY = GSIS, BOARD_INPUTS = GSIS + 16, PAM_SEGMENTS = 13 };

/* What of the common parts a machine has. */
struct x86_parts {
	bool pic, pit, rtc, hpet, i8042, serial, port92;
	bool chipset;		  /* x86_pci_new follows */
	u64 low_limit, low_split; /* RAM of low_limit and more is split at low_split */
};

struct x86_wiring {
	struct machine *m;
	const struct board *board;
	struct x86_board_info info;
	struct irq to_pic[16], to_ioapic[GSIS];
	u64 levels; /* of the board's inputs */
	struct snapshot_part part;
	struct device *pic, *apic_bus, *ioapic, *pm;
	struct isa_bus *isa;

	struct region low, high;      /* aliases of m->ram */
	struct region bios, isa_bios; /* firmware at the top of 4 GiB and its end below 1 MiB */
	bool has_bios;
	struct region pci_memory; /* what PCI devices show, below everything else */
	/* in it: what 0xa0000 to 0xfffff is where no device answers */
	struct region open_bus;
	struct region vga; /* 0xa0000 to 0xbffff of it, above RAM */
	/* above RAM: the bus; RAM that cannot be written */
	struct region pam_bus[PAM_SEGMENTS], pam_rom[PAM_SEGMENTS];

	struct pci_bus *pci;
	struct pci_ports config;
	struct pci_device *bridge; /* routes INTx */
	struct pci_device *piix4;  /* has the SMBus of a classic PC */
	struct region pm_block;
	struct virtio_slot *virtio[X86_MAX_VIRTIO_MMIO];
	char virtio_name[X86_MAX_VIRTIO_MMIO][24];
	struct reset_hook boot_state; /* direct boot: what firmware would program */
};
struct x86_board {
	struct device dev;
	struct x86_wiring w;
};

/* The board with CPUs, memory, interrupt controllers and legacy devices. NULL with a sentence. */
struct x86_board *x86_board_new(struct machine *m, const struct board *b,
				const struct board_config *c, const struct x86_parts *p,
				struct error *e);
void x86_gsi(struct x86_board *x, struct device *d, const char *out, unsigned n, unsigned gsi);
void x86_override(struct x86_board *x, u8 source, u32 gsi, u16 flags);
/* --- x86_pci.c */
struct x86_chipset {
	bool q35, sata, smbus;
	unsigned isa_slot;
	u64 ecam; /* where direct boot puts it, 0 = none */
};
int must_check x86_pci_new(struct x86_board *x, const struct x86_chipset *k, bool acpi,
			   struct error *e);
/* direct boot: what firmware would have programmed */
void x86_pci_boot_state(struct x86_wiring *w);
void x86_pci_fini(struct x86_board *x);
void x86_pam(void *board, unsigned segment, bool read, bool write);
void x86_place(void *board, enum chipset_block block, u64 base, u64 size);

enum { ACPI_LEVEL_HIGH = 0xd, PM_PORT = 0x600, SMBUS_PORT = 0x700, SMI_CMD = 0xb2, SCI = 9 };

/* The options that all of them know. */
#define X86_OPTIONS \
	{ "acpi", "ACPI tables and hardware", "on|off|auto", "auto" }, \
		{ "pit", "8254 interval timer", "on|off|auto", "auto" }, \
		{ "pic", "8259 pair of interrupt controllers", "on|off|auto", "auto" }, \
		{ "rtc", "CMOS real-time clock", "on|off|auto", "auto" }, \
		{ "isa-serial", "16550A serial ports", "on|off", "on" }, \
		{ "i8042", "PS/2 keyboard and mouse controller", "on|off", "on" }, \
		{ "smm", "system management mode", "on|off|auto", "auto", \
		  "there is no system management memory" }, \
	{ \
		"vmport", "VMware's port", "on|off|auto", "auto", "nothing needs it" \
	}
#define X86_PC_OPTIONS \
	{ "hpet", "high-precision event timer", "on|off", "on" }, \
		{ "sata", "on-board SATA (q35)", "on|off", "on" }, \
		{ "smbus", "SMBus controller", "on|off", "on" }, \
	{ \
		"max-fw-size", "largest firmware", "SIZE", "8M", \
			"firmware of up to 16 MiB is taken" \
	}
