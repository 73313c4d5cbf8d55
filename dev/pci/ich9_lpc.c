/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICH9-LPC - the LPC bridge of the ICH9: PCI interrupt routing, where the ACPI ports and the root
 * complex registers are (Intel ICH9 data sheet, 2008, chapters 10.1 and 13). The registers behind
 * the ports are the acpi-pm device. */
#include <quern/pci.h>
#include <quern/chipset.h>

enum {
	PMBASE = 0x40,
	ACPI_CNTL = 0x44,
	ACPI_ENABLE = BIT(7),
	PIRQ_A = 0x60,
	PIRQ_E = 0x68,
	PIRQ_OFF = BIT(7),
	PIRQ_LINE = 0x0f,
	RCBA = 0xf0
};
/* Root complex registers: device interrupt routes D31IR.. at 3140h, and the rest as storage. */
enum { RCRB_SIZE = 0x4000, OIC = 0x31ff, D31IP = 0x3100, DIR_FIRST = 0x3140, DIR_LAST = 0x314e };

struct ich9 {
	struct pci_device pci;
	/* to the 8259 pair by the routes; to I/O APIC pins 16.. always */
	struct irq irq[16], pirq[8];
	struct device *board;
	u8 disable_s3, disable_s4;
	u8 level[8];
	u8 rcrb[0x400]; /* 3000h to 33FFh of the root complex register block */
};

static void route(struct ich9 *d)
{
	const u8 *c = pci_config(&d->pci);
	u16 lines = 0;

	for (unsigned i = 0; i < 8; i++) {
		u8 r = c[i < 4 ? PIRQ_A + i : PIRQ_E + i - 4];

		if (d->level[i] && !(r & PIRQ_OFF))
			lines |= BIT(r & PIRQ_LINE);
		irq_set(&d->pirq[i], d->level[i]);
	}
	for (unsigned n = 0; n < 16; n++)
		irq_set(&d->irq[n], lines >> n & 1);
}

static void ich9_input(void *dev, unsigned n, int level)
{
	struct ich9 *d = dev;

	d->level[n] = level;
	route(d);
}

static void place(struct ich9 *d)
{
	const struct chipset *ch = chipset_of(d->board);
	const u8 *c = pci_config(&d->pci);

	if (!ch || !ch->place)
		return;
	ch->place(d->board, CHIPSET_PM, ld16le(c + PMBASE) & 0xff80,
		  c[ACPI_CNTL] & ACPI_ENABLE ? 128 : 0);
	ch->place(d->board, CHIPSET_RCBA, ld32le(c + RCBA) & 0xffffc000,
		  c[RCBA] & 1 ? RCRB_SIZE : 0);
}

static void config_written(void *dev, u32 off, unsigned size, u32 val)
{
	if (off < PIRQ_E + 4 && off + size > PIRQ_A)
		route(dev);
	if (off < ACPI_CNTL + 1 || off + size > RCBA)
		place(dev);
}

static u64 rcrb_read(void *dev, u64 off, unsigned size)
{
	struct ich9 *d = dev;
	u32 v = 0;

	if (off >= 0x3000 && off - 0x3000 + size <= sizeof(d->rcrb))
		memcpy(&v, d->rcrb + (off - 0x3000), size);
	return LE_(32, v);
}

static void rcrb_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct ich9 *d = dev;
	u32 v = LE_(32, (u32)val);

	if (off >= 0x3000 && off - 0x3000 + size <= sizeof(d->rcrb))
		memcpy(d->rcrb + (off - 0x3000), &v, size);
	else
		trace(d, "rcrb", "%#llx <- %#llx is not kept", (unsigned long long)off,
		      (unsigned long long)val);
	if (off < DIR_LAST + 2 && off + size > DIR_FIRST)
		unimplemented(d, "rcrb: device interrupt routes other than those after reset");
}

static int ich9_init(void *dev, struct error *e)
{
	struct ich9 *d = dev;
	u8 *c = pci_config(&d->pci), *w = pci_config_wmask(&d->pci);

	c[0x04] = 0x07;
	w[0x04] = w[0x05] = 0;
	c[0x07] = 0x02;
	c[PMBASE] = 1;
	st16le(w + PMBASE, 0xff80);
	w[ACPI_CNTL] = ACPI_ENABLE | 7;
	memset(c + PIRQ_A, PIRQ_OFF, 4);
	memset(c + PIRQ_E, PIRQ_OFF, 4);
	memset(w + PIRQ_A, PIRQ_OFF | PIRQ_LINE, 4);
	memset(w + PIRQ_E, PIRQ_OFF | PIRQ_LINE, 4);
	memset(w + 0x80, 0xff, 0x18); /* LPC decode ranges */
	memset(w + 0xa0, 0xff, 0x20); /* power management configuration, GPI routes */
	memset(w + 0xd0, 0xff, 0x0d); /* firmware hub and BIOS control */
	st32le(w + RCBA, 0xffffc001);
	return 0;
}

static void ich9_loaded(void *dev)
{
	route(dev);
	place(dev);
}

static void ich9_reset(void *dev)
{
	struct ich9 *d = dev;

	memset(d->rcrb, 0, sizeof(d->rcrb));
	for (unsigned at = DIR_FIRST; at <= DIR_LAST; at += 2)
		st16le(d->rcrb + (at - 0x3000), 0x3210); /* INTA..D -> PIRQA..D */
	ich9_loaded(d);
}

static const struct bank ich9_banks[] = { { .name = "rcrb",
					    .size = RCRB_SIZE,
					    .min = 1,
					    .max = 4,
					    .split = true,
					    .read = rcrb_read,
					    .write = rcrb_write },
					  {} };
static const struct prop ich9_props[] = {
	PROP(struct ich9, board, .kind = PROP_LINK, .doc = "The board it is on."),
	PROP(struct ich9, disable_s3, .def = 1, .min = 1, .max = 1,
	     .doc = "No suspend to memory, which is not built."),
	PROP(struct ich9, disable_s4, .def = 1, .min = 1, .max = 1,
	     .doc = "No suspend to disk, which is not built."),
	{}
};
static const struct state ich9_state[] = { IRQ_OUT(struct ich9, irq),
					   IRQ_OUT(struct ich9, pirq),
					   STATE(struct ich9, level),
					   STATE(struct ich9, rcrb),
					   {} };
PCI_DEVICE(ich9,
	   .dev = { .api = QUERN_DEVICE_API,
		    .name = "ICH9-LPC",
		    .doc = "ICH9 LPC bridge",
		    .bus = "pci",
		    .size = sizeof(struct ich9),
		    .banks = ich9_banks,
		    .props = ich9_props,
		    .state = ich9_state,
		    .inputs = 8,
		    .input = ich9_input,
		    .init = ich9_init,
		    .reset = ich9_reset,
		    .loaded = ich9_loaded },
	   .vendor = 0x8086, .device = 0x2918, .revision = 2, .class_code = 0x060100,
	   .multifunction = true, .config_written = config_written);
