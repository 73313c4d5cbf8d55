/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86.h - what PC-like boards share, and what such a board tells the boot loaders: ACPI, SMBIOS,
 * E820 and fw_cfg contents come from this. */
#pragma once
#include <quern/types.h>
#include "board.h"

/* MADT: ISA irq -> GSI; flags: polarity 1..0, trigger 3..2 */
struct x86_irq_override {
	u8 source;
	u32 gsi;
	u16 flags;
};
struct virtio_slot;
struct x86_window {
	u64 base, size;
}; /* size 0 = none */
enum { X86_PCI_SLOTS = 32, X86_MAX_VIRTIO_MMIO = 32, X86_MAX_OVERRIDES = 16 };

/* m->board_info of a PC-like board. Constant after the board is built, except what PCI hot-plug
 * changes. */
struct x86_board_info {
	struct machine *m;
	/* memory: RAM is [0, ram_low) and [4 GiB, 4 GiB + ram_high); m->ram is all of it, in that
	 * order */
	u64 ram_low, ram_high;
	const struct board_numa *numa; /* NULL = one node */
	u64 firmware_size;	       /* 0 = no firmware: the loader starts the kernel itself */
	/* CPUs: APIC identifier of CPU i */
	u32 ncpus, max_cpus;
	u32 sockets, dies, cores, threads;
	u32 *apic_id;	 /* max_cpus of them */
	u32 apic_id_end; /* above the highest */
	u64 apic_hz;	 /* rate of the local APIC timers before their divider */
	/* interrupt controllers */
	u64 lapic_base, ioapic_base;
	u8 ioapic_id, ioapic_pins; /* GSI 0.. */
	bool pic;		   /* an 8259 pair at 0x20, 0xa0 (MADT flag PCAT_COMPAT) */
	struct x86_irq_override override[X86_MAX_OVERRIDES];
	unsigned noverrides;
	/* timers and legacy devices that are there */
	bool pit, rtc, i8042, vga;
	u64 hpet_base; /* 0 = no HPET */
	struct {
		u16 port;
		u8 irq;
		bool present;
	} serial[4];
	/* where boot/ puts its fw_cfg (0x510; DMA at + 4); 0 = nowhere */
	u16 fw_cfg_port;
	u16 debugcon_port, pvpanic_port; /* 0 = none */
	/* ACPI; without `acpi` no tables are given */
	bool acpi;
	/* hardware-reduced: sleep registers and event device below, no PM blocks */
	bool acpi_reduced;
	/* ports; pm1_evt is 4 bytes, pm1_cnt 2, pm_timer 4 */
	u16 pm1_evt, pm1_cnt, pm_timer, gpe0;
	u8 gpe0_len;
	u16 smi_cmd;		      /* port; 0 = always in ACPI mode */
	u8 acpi_enable, acpi_disable; /* values for smi_cmd */
	u8 s5_type;		      /* SLP_TYP for power off (both a and b) */
	u32 sci_gsi;
	u16 sci_flags; /* MADT flags of the SCI's override */
	struct {
		bool io;
		u64 addr;
		u8 value;
	} reset;			 /* reset register; addr 0 = none */
	u64 sleep_control, sleep_status; /* reduced: 8-bit registers in memory; 0 = none */
	/* reduced: generic event device registers (power button); 0 = none */
	u64 ged_base;
	u32 ged_gsi;
	/* PCI */
	bool pci;
	u8 bus_first, bus_last;
	bool pcie; /* root is PNP0A08 */
	/* 32-bit and 64-bit address windows of the host bridge */
	struct x86_window pci_mem, pci_mem64, ecam;
	/* PCI interrupt routing on bus 0: GSI of (slot, pin A..D) with the I/O APIC, and the ISA
	 * irq as programmed for direct boot */
	u8 pci_gsi[X86_PCI_SLOTS][4], pci_irq[X86_PCI_SLOTS][4];
	u16 pci_gsi_flags; /* MADT-like flags: level, active high or low */
	/* the ISA bridge's link registers, for LNKA..: configuration offsets of device
	 * 0:isa_slot.0; nlinks 0 = none */
	u8 isa_slot, nlinks, link_reg[8];
	u16 gpe_pci_hotplug; /* port block of ACPI PCI hot-plug; 0 = none */
	/* virtio-mmio transports (microvm) */
	unsigned nvirtio_mmio;
	/* those with a device are named on the kernel's command line */
	bool virtio_cmdline;
	struct {
		u64 base;
		u32 size, gsi;
		struct virtio_slot *slot; /* NULL in tests */
	} virtio_mmio[X86_MAX_VIRTIO_MMIO];
};

static inline const struct x86_board_info *x86_info(const struct machine *m)
{
	return m->board_info;
}
