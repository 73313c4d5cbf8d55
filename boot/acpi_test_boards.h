/* SPDX-License-Identifier: GPL-2.0-or-later */
/* acpi_test_boards.h - boards as they tell boot loaders about themselves, made up for tests. */
#pragma once
#include "board/x86.h"
#include "lib/alloc.h"

static inline void acpi_test_common(struct x86_board_info *i)
{
	i->ram_low = 128 << 20;
	i->ncpus = i->max_cpus = 4;
	i->apic_id = xcalloc(4, sizeof(u32));
	for (u32 n = 0; n < 4; n++)
		i->apic_id[n] = n;
	i->lapic_base = 0xfee00000;
	i->ioapic_base = 0xfec00000;
	i->ioapic_pins = 24;
	i->override[i->noverrides++] = (struct x86_irq_override){ 0, 2, 0 };
	i->acpi = true;
	i->s5_type = 0;
	i->sci_gsi = 9;
	i->sci_flags = 0xd;
	i->serial[0].port = 0x3f8;
	i->serial[0].irq = 4;
	i->serial[0].present = true;
	i->fw_cfg_port = 0x510;
}

static inline void acpi_test_pc(struct x86_board_info *i)
{
	acpi_test_common(i);
	i->pic = i->pit = i->rtc = i->i8042 = i->pci = true;
	i->hpet_base = 0xfed00000;
	i->pm1_evt = 0x600;
	i->pm1_cnt = 0x604;
	i->pm_timer = 0x608;
	i->gpe0 = 0xafe0;
	i->gpe0_len = 4;
	i->smi_cmd = 0xb2;
	i->acpi_enable = 0xf1;
	i->acpi_disable = 0xf0;
	i->pvpanic_port = 0x505;
	i->bus_last = 255;
	i->pci_mem = (struct x86_window){ 0x80000000, 0x7ec00000 };
	i->isa_slot = 1;
	i->nlinks = 4;
	for (unsigned n = 0; n < 4; n++)
		i->link_reg[n] = 0x60 + n;
	for (unsigned slot = 0; slot < X86_PCI_SLOTS; slot++)
		for (unsigned pin = 0; pin < 4; pin++)
			i->pci_gsi[slot][pin] = i->pci_irq[slot][pin] = (slot + pin) & 2 ? 11 : 10;
}

static inline void acpi_test_q35(struct x86_board_info *i)
{
	acpi_test_pc(i);
	i->pcie = true;
	i->ecam = (struct x86_window){ 0xb0000000, 0x10000000 };
	i->pci_mem = (struct x86_window){ 0xc0000000, 0x3ec00000 };
	i->pci_mem64 = (struct x86_window){ 0x800000000, 0x800000000 };
	i->reset.io = true;
	i->reset.addr = 0xcf9;
	i->reset.value = 0xf;
	i->isa_slot = 31;
	i->nlinks = 8;
	for (unsigned n = 0; n < 8; n++)
		i->link_reg[n] = n < 4 ? 0x60 + n : 0x64 + n;
	for (unsigned slot = 0; slot < X86_PCI_SLOTS; slot++)
		for (unsigned pin = 0; pin < 4; pin++)
			i->pci_gsi[slot][pin] = slot < 25 ? 20 + ((slot + pin) & 3) : 16 + pin;
}

static inline void acpi_test_microvm(struct x86_board_info *i)
{
	acpi_test_common(i);
	i->acpi_reduced = true;
	i->sci_gsi = 0;
	i->sleep_control = 0xfea00000;
	i->sleep_status = 0xfea00001;
	i->reset.addr = 0xfea00002;
	i->reset.value = 0x42;
	i->ged_base = 0xfea00800;
	i->ged_gsi = 9;
	i->nvirtio_mmio = 8;
	for (unsigned n = 0; n < 8; n++) {
		i->virtio_mmio[n].base = 0xfeb00000 + 512 * n;
		i->virtio_mmio[n].size = 512;
		i->virtio_mmio[n].gsi = 16 + n;
	}
}
