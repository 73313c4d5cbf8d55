/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ioapic - the I/O APIC: 24 pins and their redirection table. Follows the Intel 82093AA data sheet
 * (1996); the EOI register (version 0x20) follows the ICH9 data sheet 13.5. Sends its messages over
 * the APIC bus. */
#include "apic.h"
#include <stdio.h>

enum { PINS = 24, VERSION = 0x20 | (PINS - 1) << 16 };
enum {
	RTE_VECTOR = 0xff,
	RTE_MODE = 0x700,
	RTE_LOGICAL = BIT(11),
	RTE_POLARITY = BIT(13),
	RTE_REMOTE_IRR = BIT(14),
	RTE_LEVEL = BIT(15),
	RTE_MASKED = BIT(16),
	RTE_WRITABLE = RTE_VECTOR | RTE_MODE | RTE_LOGICAL | RTE_POLARITY | RTE_LEVEL | RTE_MASKED
};

struct ioapic {
	struct device dev;
	struct apic_bus *bus;
	u64 rte[PINS];
	u32 lines; /* level of each pin */
	u8 id, select;
	u8 pad[2];
};

static void deliver(struct ioapic *d, unsigned pin)
{
	u64 r = d->rte[pin];
	struct apic_message m = {
		.dest = r >> 56,
		.vector = r & RTE_VECTOR,
		.mode = FIELD_GET(RTE_MODE, (u32)r),
		.logical = r & RTE_LOGICAL,
		.level = r & RTE_LEVEL,
	};

	if (fault(d, "irq_lost"))
		return;
	if (m.dest == 0xff)
		m.dest = APIC_ALL;
	if (m.level)
		d->rte[pin] |= RTE_REMOTE_IRR;
	if (m.mode == APIC_EXTINT) {
		int v = apic_bus_extint(d->bus);

		if (v < 0)
			return;
		m.vector = v;
		m.mode = APIC_FIXED;
	}
	apic_bus_send(d->bus, &m, NULL);
}

/* A level-triggered pin that is up, unmasked and not being served. */
static void level_check(struct ioapic *d, unsigned pin)
{
	u64 r = d->rte[pin];

	if ((r & RTE_LEVEL) && (d->lines & BIT(pin)) && !(r & (RTE_MASKED | RTE_REMOTE_IRR)))
		deliver(d, pin);
}

static void ioapic_input(void *dev, unsigned pin, int level)
{
	struct ioapic *d = dev;
	bool rises = level && !(d->lines & BIT(pin));

	trace(d, "pin", "%u %d", pin, level);
	d->lines = level ? d->lines | BIT(pin) : d->lines & ~BIT(pin);
	if (d->rte[pin] & RTE_LEVEL)
		level_check(d, pin);
	else if (rises && !(d->rte[pin] &
			    RTE_MASKED)) /* an edge at a masked pin is lost (3.2.4, mask bit) */
		deliver(d, pin);
}

void ioapic_eoi(struct ioapic *d, u8 vector)
{
	for (unsigned pin = 0; pin < PINS; pin++) {
		if ((d->rte[pin] & RTE_VECTOR) != vector || !(d->rte[pin] & RTE_REMOTE_IRR))
			continue;
		d->rte[pin] &= ~(u64)RTE_REMOTE_IRR;
		level_check(d, pin);
	}
}

static u32 read_reg(struct ioapic *d)
{
	switch (d->select) {
	case 0x00:
	case 0x02: /* arbitration: a copy */
		return (u32)d->id << 24;
	case 0x01:
		return VERSION;
	case 0x10 ... 0x10 + 2 * PINS - 1:
		return d->rte[(d->select - 0x10) / 2] >> (d->select & 1) * 32;
	}
	guest_error(d, "read of register %#x, which there is not", d->select);
	return 0;
}

static void write_rte(struct ioapic *d, unsigned pin, bool high, u32 val)
{
	u64 *r = &d->rte[pin];

	if (high) {
		*r = (u32)*r | (u64)(val & 0xff000000) << 32;
		return;
	}
	*r = (*r & ~(u64)RTE_WRITABLE) | (val & RTE_WRITABLE);
	if (!(*r & RTE_LEVEL))
		*r &= ~(u64)RTE_REMOTE_IRR; /* how an EOI is forced where no EOI register is */
	level_check(d, pin);
}

static void write_reg(struct ioapic *d, u32 val)
{
	switch (d->select) {
	case 0x00:
		d->id = val >> 24 & 15;
		break;
	case 0x01:
	case 0x02:
		guest_error(d, "write to read-only register %#x", d->select);
		break;
	case 0x10 ... 0x10 + 2 * PINS - 1:
		write_rte(d, (d->select - 0x10) / 2, d->select & 1, val);
		break;
	default:
		guest_error(d, "write of register %#x, which there is not", d->select);
	}
}

static u64 ioapic_read(void *dev, u64 off, unsigned size)
{
	struct ioapic *d = dev;
	u32 v = 0;

	switch (off & ~3ull) {
	case 0x00:
		v = d->select;
		break;
	case 0x10:
		v = read_reg(d);
		break;
	}
	return v >> (off & 3) * 8;
}

static void ioapic_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct ioapic *d = dev;

	switch (off) {
	case 0x00:
		d->select = val;
		break;
	case 0x10:
		if (size == 4)
			write_reg(d, val);
		else
			guest_error(d, "data: write of %u bytes; it takes 4", size);
		break;
	case 0x40:
		ioapic_eoi(d, val);
		break;
	default:
		guest_error(d, "write at offset %#llx, where no register is",
			    (unsigned long long)off);
	}
}

static void ioapic_reset(void *dev)
{
	struct ioapic *d = dev;

	d->select = 0;
	for (unsigned i = 0; i < PINS; i++)
		d->rte[i] = RTE_MASKED;
}

static int ioapic_init(void *dev, struct error *e)
{
	struct ioapic *d = dev;
	struct apic_bus *b = d->bus;

	if (!b || b->nioapic >= APIC_BUS_IOAPICS) {
		error_set(e, "I/O APIC '%s' needs an APIC bus with room for it: at most %u",
			  d->dev.id, APIC_BUS_IOAPICS);
		return -1;
	}
	b->ioapic[b->nioapic++] = d;
	return 0;
}

static const struct bank ioapic_banks[] = { { .name = "mmio",
					      .size = 0x1000,
					      .min = 1,
					      .max = 4,
					      .split = true,
					      .read = ioapic_read,
					      .write = ioapic_write },
					    {} };
static const struct prop ioapic_props[] = { PROP(struct ioapic, bus, .kind = PROP_LINK,
						 .doc = "The APIC bus over which its messages go."),
					    {} };
static void ioapic_info(void *dev, void (*line)(void *arg, const char *text), void *arg)
{
	static const char *const modes[] = { "fixed", "lowpri", "smi", "...",
					     "nmi",   "init",	"...", "extint" };
	const struct ioapic *d = dev;
	char text[128];

	snprintf(text, sizeof(text), "ioapic0: ver=0x%02x id=0x%02x sel=0x%02x", VERSION & 0xff,
		 d->id, d->select);
	line(arg, text);
	for (unsigned pin = 0; pin < PINS; pin++) {
		u64 r = d->rte[pin];

		snprintf(text, sizeof(text),
			 "  pin %-2u 0x%016llx dest=%x vec=%-3u active-%s %-5s %-6s %-6s %s%s", pin,
			 (unsigned long long)r, (unsigned)(r >> 56), (unsigned)(r & RTE_VECTOR),
			 r & RTE_POLARITY ? "lo" : "hi", r & RTE_LEVEL ? "level" : "edge",
			 r & RTE_MASKED ? "masked" : "", modes[FIELD_GET(RTE_MODE, (u32)r)],
			 r & RTE_LOGICAL ? "logical" : "physical",
			 d->lines & BIT(pin) ? " (pin is up)" : "");
		line(arg, text);
	}
}

static const struct state ioapic_state[] = {
	STATE(struct ioapic, rte),    STATE(struct ioapic, lines), STATE(struct ioapic, id),
	STATE(struct ioapic, select), DERIVED(struct ioapic, pad), {}
};
DEVICE(ioapic, .name = "ioapic", .doc = "I/O APIC (82093AA)", .banks = ioapic_banks,
       .props = ioapic_props, .state = ioapic_state, .inputs = PINS, .input = ioapic_input,
       .init = ioapic_init, .reset = ioapic_reset, .reentrant = true, .info = ioapic_info,
       .info_topic = "pic");
