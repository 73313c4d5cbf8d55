/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PIIX3 - the PCI-to-ISA bridge 82371SB: routes the four PCI interrupts to ISA lines (Intel 82371SB
 * data sheet, 1997). Its edge/level registers are with the 8259 pair, its reset control register is
 * the cf9 device. */
#include <quern/pci.h>

enum { PIRQRC = 0x60, PIRQ_OFF = BIT(7), PIRQ_LINE = 0x0f };

struct piix3 {
	struct pci_device pci;
	struct irq irq[16];
	u8 level[4]; /* of PIRQA..D */
	u8 pad[4];
};

static void route(struct piix3 *d)
{
	const u8 *c = pci_config(&d->pci);
	u16 lines = 0;

	for (unsigned i = 0; i < 4; i++) {
		if (d->level[i] && !(c[PIRQRC + i] & PIRQ_OFF))
			lines |= BIT(c[PIRQRC + i] & PIRQ_LINE);
	}
	for (unsigned n = 0; n < 16; n++)
		irq_set(&d->irq[n], lines >> n & 1);
}

static void piix3_input(void *dev, unsigned n, int level)
{
	struct piix3 *d = dev;

	d->level[n] = level;
	route(d);
}

static void config_written(void *dev, u32 off, unsigned size, u32 val)
{
	if (off < PIRQRC + 4 && off + size > PIRQRC)
		route(dev);
}

static int piix3_init(void *dev, struct error *e)
{
	struct piix3 *d = dev;
	u8 *c = pci_config(&d->pci), *w = pci_config_wmask(&d->pci);

	c[0x04] = 0x07; /* command: ports, memory and mastering are always on */
	w[0x04] = w[0x05] = 0;
	c[0x07] = 0x02; /* medium DEVSEL */
	c[0x4c] = 0x4d; /* ISA recovery timing */
	c[0x4e] = 0x03; /* X-bus: keyboard and RTC selected */
	c[0x69] = 0x02; /* top of memory */
	memset(w + 0x4c, 0xff, 4);
	memset(c + PIRQRC, PIRQ_OFF, 4);
	memset(w + PIRQRC, PIRQ_OFF | PIRQ_LINE, 4);
	memset(w + 0x69, 0xff, 2);
	memset(w + 0xa0, 0xff, 0x10);
	c[0xa0] = 0x08; /* SMI control */
	return 0;
}

static void piix3_reset(void *dev) { route(dev); }

static const struct state piix3_state[] = {
	IRQ_OUT(struct piix3, irq), STATE(struct piix3, level), DERIVED(struct piix3, pad), {}
};
PCI_DEVICE(piix3,
	   .dev = { .api = QUERN_DEVICE_API,
		    .name = "PIIX3",
		    .doc = "82371SB PCI-to-ISA bridge",
		    .bus = "pci",
		    .size = sizeof(struct piix3),
		    .state = piix3_state,
		    .inputs = 4,
		    .input = piix3_input,
		    .init = piix3_init,
		    .reset = piix3_reset,
		    .loaded = piix3_reset },
	   .vendor = 0x8086, .device = 0x7000, .class_code = 0x060100, .multifunction = true,
	   .config_written = config_written);
