/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mptable.c - Intel MultiProcessor Specification 1.4, chapter 4: processors, buses, the I/O APIC
 * and how interrupts reach it. */
#include "mptable.h"
#include "acpi.h"

enum { BUS_PCI = 0, BUS_ISA = 1, INT = 0, NMI = 1, EXTINT = 3 };

static void processors(struct strbuf *b, const struct x86_board_info *info, unsigned *entries)
{
	for (u32 i = 0; i < info->ncpus; i++) {
		u8 e[20] = { 0, info->apic_id[i], 0x14, i ? 1 : 3 }; /* enabled, boot processor */

		if (info->apic_id[i] >= 255)
			continue;
		st32le(e + 4, 0x600); /* signature, features: FPU, APIC */
		st32le(e + 8, 0x201);
		strbuf_addn(b, e, sizeof(e));
		++*entries;
	}
}

static void bus(struct strbuf *b, u8 id, const char *type, unsigned *entries)
{
	u8 e[8] = { 1, id };

	memcpy(e + 2, type, 6);
	strbuf_addn(b, e, sizeof(e));
	++*entries;
}

/* kind 3: to the I/O APIC, 4: to all local APICs */
static void interrupt(struct strbuf *b, u8 kind, u8 type, u16 flags, u8 from_bus, u8 from, u8 apic,
		      u8 pin, unsigned *entries)
{
	u8 e[8] = { kind, type, flags, flags >> 8, from_bus, from, apic, pin };

	strbuf_addn(b, e, sizeof(e));
	++*entries;
}

static void interrupts(struct strbuf *b, const struct x86_board_info *info, unsigned *entries)
{
	u8 isa = info->pci ? BUS_ISA : BUS_PCI;
	u16 used = 0;

	for (unsigned slot = 0; info->pci && slot < X86_PCI_SLOTS; slot++)
		for (unsigned pin = 0; pin < 4; pin++) {
			u8 gsi = info->pci_gsi[slot][pin];

			if (!gsi)
				continue;
			if (gsi < 16)
				used |= 1 << gsi;
			interrupt(b, 3, INT, info->pci_gsi_flags, BUS_PCI, slot << 2 | pin,
				  info->ioapic_id, gsi, entries);
		}
	for (unsigned irq = 0; irq < 16; irq++) {
		u32 gsi = irq;
		u16 flags = 0;

		for (unsigned i = 0; i < info->noverrides; i++)
			if (info->override[i].source == irq) {
				gsi = info->override[i].gsi;
				flags = info->override[i].flags;
			}
		/* 2 is the cascade of the two 8259s */
		if (irq != 2 && !(used & 1 << irq) && gsi < info->ioapic_pins)
			interrupt(b, 3, INT, flags, isa, irq, info->ioapic_id, gsi, entries);
	}
	if (info->pic)
		interrupt(b, 4, EXTINT, 0, isa, 0, 0xff, 0, entries);
	interrupt(b, 4, NMI, 0, isa, 0, 0xff, 1, entries);
}

void mptable_build(struct strbuf *b, const struct x86_board_info *info, u32 addr)
{
	u8 head[44] = "PCMP", pointer[16] = "_MP_", ioapic[8] = { 2, info->ioapic_id, 0x11, 1 };
	struct strbuf body = { 0 };
	unsigned entries = 0;

	processors(&body, info, &entries);
	if (info->pci)
		bus(&body, BUS_PCI, "PCI   ", &entries);
	bus(&body, info->pci ? BUS_ISA : BUS_PCI, "ISA   ", &entries);
	st32le(ioapic + 4, info->ioapic_base);
	strbuf_addn(&body, ioapic, sizeof(ioapic));
	entries++;
	interrupts(&body, info, &entries);

	st16le(head + 4, sizeof(head) + body.n);
	head[6] = 4;
	memcpy(head + 8, "QUERN   ", 8);
	memcpy(head + 16, "PC          ", 12);
	st16le(head + 34, entries);
	st32le(head + 36, info->lapic_base);
	head[7] = acpi_checksum(head, sizeof(head)) + acpi_checksum(body.at, body.n);

	st32le(pointer + 4, addr + sizeof(pointer));
	pointer[8] = 1;
	pointer[9] = 4;
	pointer[10] = acpi_checksum(pointer, sizeof(pointer));
	strbuf_addn(b, pointer, sizeof(pointer));
	strbuf_addn(b, head, sizeof(head));
	strbuf_addn(b, body.at, body.n);
	strbuf_fini(&body);
}
