/* SPDX-License-Identifier: GPL-2.0-or-later */
/* apic.h - what local APICs, I/O APICs and the bus between them share (Intel SDM volume 3A chapter
 * 11). */
#pragma once
#include <quern/intc.h>

enum { APIC_MAX = 288, APIC_BUS_IOAPICS = 4 };
enum apic_delivery {
	APIC_FIXED,
	APIC_LOWEST,
	APIC_SMI,
	APIC_RESERVED,
	APIC_NMI,
	APIC_INIT,
	APIC_SIPI,
	APIC_EXTINT
};
#define APIC_ALL 0xffffffffu /* broadcast destination */

struct apic_message {
	u32 dest;
	u8 vector, mode;     /* enum apic_delivery */
	bool logical, level; /* destination mode; trigger mode */
};

struct lapic;
struct ioapic;
struct apic_bus {
	struct device dev;
	struct device *pic; /* the 8259 pair behind ExtINT, or NULL */
	struct lapic *lapic[APIC_MAX];
	struct ioapic *ioapic[APIC_BUS_IOAPICS];
	u32 nlapic, nioapic;
	u32 arbiter;	  /* lowest-priority delivery starts its search here */
	bool extint, nmi; /* levels of the two wires to all LINT pins */
	u8 pad[2];
};

/* --- bus.c */
void apic_bus_send(struct apic_bus *b, const struct apic_message *m, const struct lapic *except);
void apic_bus_eoi(struct apic_bus *b, u8 vector); /* broadcast to the I/O APICs */
int apic_bus_extint(struct apic_bus *b);	  /* vector from the 8259 pair, or -1 */
/* --- lapic.c */
bool lapic_matches(const struct lapic *d, const struct apic_message *m);
void lapic_accept(struct lapic *d, const struct apic_message *m);
bool lapic_takes_fixed(const struct lapic *d); /* enabled by software */
unsigned lapic_ppr(const struct lapic *d);
void lapic_wire(struct lapic *d, bool nmi, int level); /* LINT0 (from the 8259 pair) or LINT1 */
u32 lapic_mmio_read(struct lapic *d, u32 off);
void lapic_mmio_write(struct lapic *d, u32 off, u32 val);
bool lapic_xapic(const struct lapic *d); /* its memory window is there */
/* --- ioapic.c */
void ioapic_eoi(struct ioapic *d, u8 vector);
