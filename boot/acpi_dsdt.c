/* SPDX-License-Identifier: GPL-2.0-or-later */
/* acpi_dsdt.c - the DSDT of a PC-like board: processors, the PCI host bridge with its windows and
 * interrupt links, what sits at fixed ports, sleep states (ACPI 6.4, chapters 6 to 9; PCI Firmware
 * Specification 3.3, 4). */
#include "acpi.h"
#include "acpi_aml.h"
#include <stdio.h>

static void status(struct strbuf *b, u8 sta) { aml_name_int(b, "_STA", sta); }

static void processors(struct strbuf *b, const struct x86_board_info *info)
{
	size_t scope = aml_scope(b, "\\_SB");

	for (u32 i = 0; i < info->ncpus; i++) {
		char name[16];
		size_t d;

		snprintf(name, sizeof(name), "C%03X", i & 0xfff);
		d = aml_device(b, name);
		aml_name_string(b, "_HID", "ACPI0007");
		aml_name_int(b, "_UID", i);
		status(b, 15);
		aml_end(b, d);
	}
	aml_end(b, scope);
}

/* ---- devices at fixed places */

static void isa_device(struct strbuf *b, const char *name, const char *hid, int uid,
		       struct strbuf *crs)
{
	size_t d = aml_device(b, name);

	aml_name_eisaid(b, "_HID", hid);
	if (uid >= 0)
		aml_name_int(b, "_UID", uid);
	status(b, 15);
	aml_name(b, "_CRS");
	aml_resources(b, crs);
	aml_end(b, d);
}

static void serial_ports(struct strbuf *b, const struct x86_board_info *info)
{
	for (unsigned i = 0; i < ARRAY_SIZE(info->serial); i++) {
		char name[16];
		struct strbuf r = { 0 };

		if (!info->serial[i].present)
			continue;
		snprintf(name, sizeof(name), "COM%u", i + 1);
		res_io(&r, info->serial[i].port, 8);
		res_irq(&r, 1 << info->serial[i].irq);
		isa_device(b, name, "PNP0501", i + 1, &r);
	}
}

static void legacy_devices(struct strbuf *b, const struct x86_board_info *info)
{
	struct strbuf r = { 0 };

	if (info->rtc) {
		res_io(&r, 0x70, 8);
		res_irq(&r, BIT(8));
		isa_device(b, "RTC", "PNP0B00", -1, &r);
	}
	if (info->i8042) {
		res_io(&r, 0x60, 1);
		res_io(&r, 0x64, 1);
		res_irq(&r, BIT(1));
		isa_device(b, "KBD", "PNP0303", -1, &r);
		res_irq(&r, BIT(12));
		isa_device(b, "MOU", "PNP0F13", -1, &r);
	}
	serial_ports(b, info);
}

static void paravirtual_devices(struct strbuf *b, const struct x86_board_info *info)
{
	struct strbuf r = { 0 };
	size_t d;

	if (info->fw_cfg_port) {
		d = aml_device(b, "FWCF");
		aml_name_string(b, "_HID", "QEMU0002");
		status(b, 11);
		res_io(&r, info->fw_cfg_port, 12);
		aml_name(b, "_CRS");
		aml_resources(b, &r);
		aml_end(b, d);
	}
	if (info->pvpanic_port) {
		d = aml_device(b, "PEVT");
		aml_name_string(b, "_HID", "QEMU0001");
		status(b, 15);
		res_io(&r, info->pvpanic_port, 1);
		aml_name(b, "_CRS");
		aml_resources(b, &r);
		aml_end(b, d);
	}
}

/* The event block where it lies outside the bridge's own window, which the PCI device claims. */
static void system_resources(struct strbuf *b, const struct x86_board_info *info)
{
	struct strbuf r = { 0 };

	if (info->acpi_reduced || !info->gpe0 || (info->gpe0 & ~127) == (info->pm1_evt & ~127))
		return;
	res_io(&r, info->gpe0, info->gpe0_len);
	isa_device(b, "SYSR", "PNP0C02", 1, &r);
}

static void hpet(struct strbuf *b, const struct x86_board_info *info)
{
	struct strbuf r = { 0 };

	if (!info->hpet_base)
		return;
	res_memory32(&r, info->hpet_base, 0x400, false);
	isa_device(b, "HPET", "PNP0103", 0, &r);
}

/* The last slot is filled first, and guests number devices in the order of the table. */
static void virtio_mmio(struct strbuf *b, const struct x86_board_info *info)
{
	for (unsigned i = info->nvirtio_mmio; i-- > 0;) {
		struct strbuf r = { 0 };
		u32 gsi = info->virtio_mmio[i].gsi;
		char name[16];
		size_t d;

		snprintf(name, sizeof(name), "VR%02u", i);
		d = aml_device(b, name);
		aml_name_string(b, "_HID", "LNRO0005");
		aml_name_int(b, "_UID", i);
		aml_name_int(b, "_CCA", 1);
		res_memory32(&r, info->virtio_mmio[i].base, info->virtio_mmio[i].size, true);
		res_interrupt(&r, &gsi, 1, false, false, false);
		aml_name(b, "_CRS");
		aml_resources(b, &r);
		aml_end(b, d);
	}
}

/* ---- PCI */

/* Which link a pin of a slot is wired to: with interrupts of their own the order of the GSIs, else
 * the PIIX pattern. */
static unsigned link_of(const struct x86_board_info *info, unsigned slot, unsigned pin)
{
	u8 gsi = info->pci_gsi[slot][pin];

	return gsi >= 16 ? (gsi - 16u) & 7 : (slot + pin - 1) & 3;
}

static void routing_package(struct strbuf *b, const struct x86_board_info *info, const char *prefix)
{
	unsigned n = 0;
	size_t package = aml_package(b, 0);

	for (unsigned slot = 0; slot < X86_PCI_SLOTS; slot++) {
		for (unsigned pin = 0; pin < 4; pin++) {
			char name[32];
			size_t one;

			if (!info->pci_gsi[slot][pin])
				continue;
			one = aml_package(b, 4);
			aml_int(b, (u64)slot << 16 | 0xffff);
			aml_int(b, pin);
			snprintf(name, sizeof(name), "%s%c", prefix,
				 'A' + link_of(info, slot, pin));
			aml_path(b, name);
			aml_int(b, 0);
			aml_end(b, one);
			n++;
		}
	}
	/* NumElements follows the package's three bytes of length. */
	b->at[package + 3] = (char)MIN(n, 255u);
	aml_end(b, package);
}

static bool own_gsis(const struct x86_board_info *info)
{
	for (unsigned slot = 0; slot < X86_PCI_SLOTS; slot++)
		if (info->pci_gsi[slot][0] >= 16)
			return true;
	return false;
}

static void routing(struct strbuf *b, const struct x86_board_info *info)
{
	size_t m;

	if (info->nlinks) {
		aml_name(b, "PRTL");
		routing_package(b, info, "\\_SB.PCI0.ISA.LNK");
	}
	if (own_gsis(info)) {
		aml_name(b, "PRTG");
		routing_package(b, info, "\\_SB.PCI0.GSI");
	}
	m = aml_method(b, "_PRT", 0, false);
	if (info->nlinks && own_gsis(info)) {
		size_t block = aml_block(b, AML_IF);

		aml_path(b, "\\PICF");
		aml_op(b, AML_RETURN);
		aml_path(b, "PRTG");
		aml_end(b, block);
	}
	aml_op(b, AML_RETURN);
	aml_path(b, info->nlinks ? "PRTL" : "PRTG");
	aml_end(b, m);
}

/* A link whose interrupt is fixed. */
static void fixed_link(struct strbuf *b, const struct x86_board_info *info, unsigned i)
{
	bool low = (info->pci_gsi_flags & 3) == 3;
	u32 gsi = 16 + i;
	struct strbuf r = { 0 };
	char name[16];
	size_t d, m;

	snprintf(name, sizeof(name), "GSI%c", 'A' + i);
	d = aml_device(b, name);
	aml_name_eisaid(b, "_HID", "PNP0C0F");
	aml_name_int(b, "_UID", 16 + i);
	res_interrupt(&r, &gsi, 1, true, low, true);
	aml_name(b, "_PRS");
	aml_resources(b, &r);
	res_interrupt(&r, &gsi, 1, true, low, true);
	aml_name(b, "_CRS");
	aml_resources(b, &r);
	m = aml_method(b, "_SRS", 1, false);
	aml_end(b, m);
	aml_end(b, d);
}

static void call_field(struct strbuf *b, const char *buffer, u8 arg, unsigned at, const char *name)
{
	aml_op(b, AML_CREATE_DWORD_FIELD);
	if (buffer)
		aml_path(b, buffer);
	else
		aml_op(b, arg);
	aml_int(b, at);
	aml_path(b, name);
}

/* A link that the ISA bridge's PIRQ register routes: bits 3..0 the interrupt, bit 7 = off
 * (PIIX3 2.2.9, ICH9 13.1.18). */
static void pirq_link(struct strbuf *b, const struct x86_board_info *info, unsigned i)
{
	static const u32 choice[] = { 5, 10, 11 };
	bool low = !own_gsis(info) && (info->pci_gsi_flags & 3) == 3;
	u32 none = 0;
	struct strbuf r = { 0 };
	char name[16], reg[16];
	size_t d, m, block;

	snprintf(name, sizeof(name), "LNK%c", 'A' + i);
	snprintf(reg, sizeof(reg), "PRQ%c", 'A' + i);
	d = aml_device(b, name);
	aml_name_eisaid(b, "_HID", "PNP0C0F");
	aml_name_int(b, "_UID", i);
	res_interrupt(&r, choice, ARRAY_SIZE(choice), true, low, true);
	aml_name(b, "_PRS");
	aml_resources(b, &r);
	aml_name(b, "PRR0");
	res_interrupt(&r, &none, 1, true, low, true);
	aml_resources(b, &r);

	m = aml_method(b, "_STA", 0, false);
	block = aml_block(b, AML_IF);
	aml_op(b, AML_AND);
	aml_path(b, reg);
	aml_int(b, 0x80);
	aml_op(b, AML_NULL_TARGET);
	aml_op(b, AML_RETURN);
	aml_int(b, 9);
	aml_end(b, block);
	aml_op(b, AML_RETURN);
	aml_int(b, 11);
	aml_end(b, m);

	m = aml_method(b, "_DIS", 0, false);
	aml_op(b, AML_OR);
	aml_path(b, reg);
	aml_int(b, 0x80);
	aml_path(b, reg);
	aml_end(b, m);

	m = aml_method(b, "_CRS", 0, true);
	call_field(b, "PRR0", 0, 5, "PRRI");
	block = aml_block(b, AML_IF);
	aml_op(b, AML_LLESS);
	aml_path(b, reg);
	aml_int(b, 0x80);
	aml_op(b, AML_STORE);
	aml_path(b, reg);
	aml_path(b, "PRRI");
	aml_end(b, block);
	aml_op(b, AML_RETURN);
	aml_path(b, "PRR0");
	aml_end(b, m);

	m = aml_method(b, "_SRS", 1, true);
	call_field(b, NULL, AML_ARG0, 5, "PRRI");
	aml_op(b, AML_STORE);
	aml_path(b, "PRRI");
	aml_path(b, reg);
	aml_end(b, m);
	aml_end(b, d);
}

/* The ISA bridge with its link registers, the links, and all that sits behind it. */
static void isa_bridge(struct strbuf *b, const struct x86_board_info *info)
{
	size_t d = aml_device(b, "ISA"), f;
	unsigned bit = 0;

	aml_name_int(b, "_ADR", (u64)info->isa_slot << 16);
	if (info->nlinks) {
		aml_region(b, "PIRQ", AML_PCI_CONFIG, info->link_reg[0],
			   info->link_reg[info->nlinks - 1] - info->link_reg[0] + 1);
		f = aml_fields(b, "PIRQ", 1);
		for (unsigned i = 0; i < info->nlinks; i++) {
			unsigned at = (info->link_reg[i] - info->link_reg[0]) * 8u;
			char reg[16];

			if (at > bit)
				aml_field(b, NULL, at - bit);
			snprintf(reg, sizeof(reg), "PRQ%c", 'A' + i);
			aml_field(b, reg, 8);
			bit = at + 8;
		}
		aml_end(b, f);
	}
	legacy_devices(b, info);
	paravirtual_devices(b, info);
	for (unsigned i = 0; i < info->nlinks; i++)
		pirq_link(b, info, i);
	aml_end(b, d);
}

/* PCI Firmware Specification 3.3, 4.5: the OS gets every feature it asks for. */
static void pcie_control(struct strbuf *b)
{
	size_t m = aml_method(b, "_OSC", 4, true), other, block;

	call_field(b, NULL, AML_ARG0 + 3, 0, "CDW1");
	block = aml_block(b, AML_IF);
	aml_op(b, AML_LEQUAL);
	aml_op(b, AML_ARG0);
	aml_uuid(b, "33db4d5b-1ff7-401c-9657-7441c03dd766");
	call_field(b, NULL, AML_ARG0 + 3, 8, "CDW3");
	aml_op(b, AML_AND);
	aml_path(b, "CDW3");
	aml_int(b, 0x1f);
	aml_op(b, AML_LOCAL0);
	other = aml_block(b, AML_IF);
	aml_op(b, AML_LNOT);
	aml_op(b, AML_LEQUAL);
	aml_op(b, AML_ARG0 + 1);
	aml_int(b, 1);
	aml_op(b, AML_OR); /* unknown revision */
	aml_path(b, "CDW1");
	aml_int(b, 8);
	aml_path(b, "CDW1");
	aml_end(b, other);
	other = aml_block(b, AML_IF);
	aml_op(b, AML_LNOT);
	aml_op(b, AML_LEQUAL);
	aml_path(b, "CDW3");
	aml_op(b, AML_LOCAL0);
	aml_op(b, AML_OR); /* capabilities masked */
	aml_path(b, "CDW1");
	aml_int(b, 0x10);
	aml_path(b, "CDW1");
	aml_end(b, other);
	aml_op(b, AML_STORE);
	aml_op(b, AML_LOCAL0);
	aml_path(b, "CDW3");
	aml_end(b, block);
	block = aml_block(b, AML_ELSE);
	aml_op(b, AML_OR); /* unknown UUID */
	aml_path(b, "CDW1");
	aml_int(b, 4);
	aml_path(b, "CDW1");
	aml_end(b, block);
	aml_op(b, AML_RETURN);
	aml_op(b, AML_ARG0 + 3);
	aml_end(b, m);
}

static void pci_windows(struct strbuf *b, const struct x86_board_info *info)
{
	struct strbuf r = { 0 };

	res_window(&r, RES_BUS, info->bus_first, info->bus_last - info->bus_first + 1u, false);
	res_io(&r, 0xcf8, 8);
	res_window(&r, RES_IO, 0, 0xcf8, false);
	res_window(&r, RES_IO, 0xd00, 0x10000 - 0xd00, false);
	res_window(&r, RES_MEMORY, 0xa0000, 0x20000, true);
	if (info->pci_mem.size)
		res_window(&r, RES_MEMORY, info->pci_mem.base, info->pci_mem.size, false);
	if (info->pci_mem64.size)
		res_window(&r, RES_MEMORY, info->pci_mem64.base, info->pci_mem64.size, true);
	aml_name(b, "_CRS");
	aml_resources(b, &r);
}

static void pci_root(struct strbuf *b, const struct x86_board_info *info)
{
	size_t d = aml_device(b, "PCI0");
	struct strbuf r = { 0 };

	aml_name_eisaid(b, "_HID", info->pcie ? "PNP0A08" : "PNP0A03");
	if (info->pcie)
		aml_name_eisaid(b, "_CID", "PNP0A03");
	aml_name_int(b, "_UID", 0);
	aml_name_int(b, "_BBN", info->bus_first);
	pci_windows(b, info);
	if (info->pcie)
		pcie_control(b);
	if (info->nlinks || own_gsis(info))
		routing(b, info);
	if (info->isa_slot)
		isa_bridge(b, info);
	for (unsigned i = 0; own_gsis(info) && i < 8; i++)
		fixed_link(b, info, i);
	aml_end(b, d);
	if (info->ecam.size) {
		res_memory32(&r, info->ecam.base, info->ecam.size, false);
		isa_device(b, "DRAC", "PNP0C02", 2, &r);
	}
}

/* ---- power */

static void sleep_states(struct strbuf *b, const struct x86_board_info *info)
{
	size_t package;

	aml_name(b, "\\_S5");
	package = aml_package(b, 4);
	aml_int(b, info->s5_type);
	aml_int(b, info->s5_type);
	aml_int(b, 0);
	aml_int(b, 0);
	aml_end(b, package);
}

/* Reduced hardware: the power button speaks through the generic event device (ACPI 6.4, 5.6.9): bit
 * 1 of its selector. */
static void event_device(struct strbuf *b, const struct x86_board_info *info)
{
	struct strbuf r = { 0 };
	size_t d, m, block, f;

	if (!info->ged_base)
		return;
	d = aml_device(b, "PWRB");
	aml_name_eisaid(b, "_HID", "PNP0C0C");
	aml_name_int(b, "_UID", 0);
	aml_end(b, d);
	d = aml_device(b, "GED");
	aml_name_string(b, "_HID", "ACPI0013");
	aml_name_string(b, "_UID", "GED");
	res_interrupt(&r, &info->ged_gsi, 1, false, false, false);
	aml_name(b, "_CRS");
	aml_resources(b, &r);
	aml_region(b, "EREG", AML_SYSTEM_MEMORY, info->ged_base, 4);
	f = aml_fields(b, "EREG", 3);
	aml_field(b, "ESEL", 32);
	aml_end(b, f);
	m = aml_method(b, "_EVT", 1, true);
	aml_op(b, AML_STORE);
	aml_path(b, "ESEL");
	aml_op(b, AML_LOCAL0);
	block = aml_block(b, AML_IF);
	aml_op(b, AML_AND);
	aml_op(b, AML_LOCAL0);
	aml_int(b, 2);
	aml_op(b, AML_NULL_TARGET);
	aml_op(b, AML_NOTIFY);
	aml_path(b, "PWRB");
	aml_int(b, 0x80);
	aml_end(b, block);
	aml_end(b, m);
	aml_end(b, d);
}

/* \_PIC tells whether the OS uses the I/O APIC: \PICF. */
static void pic_mode(struct strbuf *b)
{
	size_t m;

	aml_name_int(b, "\\PICF", 0);
	m = aml_method(b, "\\_PIC", 1, false);
	aml_op(b, AML_STORE);
	aml_op(b, AML_ARG0);
	aml_path(b, "\\PICF");
	aml_end(b, m);
}

void acpi_dsdt(struct strbuf *b, const struct x86_board_info *info)
{
	size_t scope;

	pic_mode(b);
	processors(b, info);
	scope = aml_scope(b, "\\_SB");
	if (info->pci)
		pci_root(b, info);
	/* Without an ISA bridge they hang on the system bus. */
	if (!info->pci || !info->isa_slot) {
		legacy_devices(b, info);
		paravirtual_devices(b, info);
	}
	system_resources(b, info);
	hpet(b, info);
	virtio_mmio(b, info);
	event_device(b, info);
	aml_end(b, scope);
	sleep_states(b, info);
}
