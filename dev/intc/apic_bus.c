/* SPDX-License-Identifier: GPL-2.0-or-later */
/* apic_bus - what connects local and I/O APICs: finds the destinations of a message, and owns the
 * window at 0xfee00000 in which a CPU sees its own local APIC and devices write message-signalled
 * interrupts (Intel SDM 3A 11.6, 11.8.1, 11.11). */
#include "apic.h"

enum { MSI_LOGICAL = BIT(2) };
#define MSI_DEST GENMASK(19, 12)
enum { DATA_VECTOR = 0xff, DATA_MODE = 0x700, DATA_LEVEL = BIT(15) };

/* Lowest priority: the one with the lowest processor priority; among equals, in turn (11.6.2.4). */
static struct lapic *arbitrate(struct apic_bus *b, const struct apic_message *m,
			       const struct lapic *except)
{
	struct lapic *best = NULL;

	for (u32 i = 0; i < b->nlapic; i++) {
		struct lapic *l = b->lapic[(b->arbiter + i) % b->nlapic];

		if (l == except || !lapic_matches(l, m) || !lapic_takes_fixed(l))
			continue;
		if (!best || lapic_ppr(l) < lapic_ppr(best))
			best = l;
	}
	if (b->nlapic)
		b->arbiter = (b->arbiter + 1) % b->nlapic;
	return best;
}

void apic_bus_send(struct apic_bus *b, const struct apic_message *m, const struct lapic *except)
{
	trace(b, "message", "dest=%#x%s mode=%u vector=%#x %s", m->dest,
	      m->logical ? " logical" : "", m->mode, m->vector, m->level ? "level" : "edge");
	if (m->mode == APIC_LOWEST) {
		struct lapic *l = arbitrate(b, m, except);

		if (l)
			lapic_accept(l, m);
		return;
	}
	for (u32 i = 0; i < b->nlapic; i++) {
		if (b->lapic[i] != except && lapic_matches(b->lapic[i], m))
			lapic_accept(b->lapic[i], m);
	}
}

void apic_bus_eoi(struct apic_bus *b, u8 vector)
{
	for (u32 i = 0; i < b->nioapic; i++)
		ioapic_eoi(b->ioapic[i], vector);
}

int apic_bus_extint(struct apic_bus *b)
{
	const struct cpu_intc *c = b->pic ? b->pic->class->iface : NULL;

	return c && c->ack ? c->ack(b->pic) : -1;
}

/* Input 0: INTR of the 8259 pair, to LINT0 of all; input 1: NMI, to LINT1 of all. */
static void apic_bus_input(void *dev, unsigned n, int level)
{
	struct apic_bus *b = dev;

	if (n)
		b->nmi = level;
	else
		b->extint = level;
	for (u32 i = 0; i < b->nlapic; i++)
		lapic_wire(b->lapic[i], n, level);
}

static struct lapic *own(struct apic_bus *b)
{
	int cpu = device_cpu(b);

	return cpu >= 0 && (u32)cpu < b->nlapic && lapic_xapic(b->lapic[cpu]) ? b->lapic[cpu] :
										NULL;
}

static u64 window_read(void *dev, u64 off, unsigned size)
{
	struct apic_bus *b = dev;
	struct lapic *l = off < 0x1000 ? own(b) : NULL;
	u32 word;

	if (!l)
		return ~0ull;
	word = lapic_mmio_read(l, off & ~3u);
	return word >> (off & 3) * 8;
}

/* Registers begin at 0x20 of the page, and the low bits of a message address are 0 to 0xc: the two
 * never meet. */
static void window_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct apic_bus *b = dev;
	struct lapic *l;

	if ((off & 0xfff) < 0x10) {
		struct apic_message m = {
			.dest = FIELD_GET(MSI_DEST, (u32)off),
			.logical = off & MSI_LOGICAL,
			.vector = val & DATA_VECTOR,
			.mode = FIELD_GET(DATA_MODE, (u32)val),
			.level = val & DATA_LEVEL,
		};

		if (m.dest == 0xff)
			m.dest = APIC_ALL;
		apic_bus_send(b, &m, NULL);
		return;
	}
	l = off < 0x1000 ? own(b) : NULL;
	if (!l || size != 4 || (off & 3))
		guest_error(b, "write of %u bytes at %#llx of the APIC window", size,
			    (unsigned long long)off);
	else
		lapic_mmio_write(l, off, val);
}

static const struct bank apic_bus_banks[] = { { .name = "window",
						.size = 0x100000,
						.min = 1,
						.max = 4,
						.split = true,
						.read = window_read,
						.write = window_write },
					      {} };
static const struct prop apic_bus_props[] = {
	PROP(struct apic_bus, pic, .kind = PROP_LINK,
	     .doc = "The 8259 pair that answers external interrupts."),
	{}
};
static const struct state apic_bus_state[] = { DERIVED(struct apic_bus, lapic),
					       DERIVED(struct apic_bus, ioapic),
					       DERIVED(struct apic_bus, nlapic),
					       DERIVED(struct apic_bus, nioapic),
					       STATE(struct apic_bus, arbiter),
					       STATE(struct apic_bus, extint),
					       STATE(struct apic_bus, nmi),
					       DERIVED(struct apic_bus, pad),
					       {} };
DEVICE(apic_bus, .name = "apic-bus", .doc = "Connection of local and I/O APICs",
       .banks = apic_bus_banks, .props = apic_bus_props, .state = apic_bus_state, .inputs = 2,
       .input = apic_bus_input, .reentrant = true);
