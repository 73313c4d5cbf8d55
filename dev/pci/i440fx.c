/* SPDX-License-Identifier: GPL-2.0-or-later */
/* i440fx - the 82441FX host bridge: what of it a guest can see (Intel 82441FX data sheet, 1996).
 * Memory timing registers are plain storage. */
#include <quern/pci.h>
#include "pam.h"

enum { PAM = 0x59, SMRAM = 0x72, SMRAM_OPEN = BIT(6), SMRAM_ENABLE = BIT(3) };

struct i440fx {
	struct pci_device pci;
	struct device *board;
};

static void config_written(void *dev, u32 off, unsigned size, u32 val)
{
	struct i440fx *d = dev;
	u8 *c = pci_config(&d->pci);

	if (off < PAM + 7 && off + size > PAM)
		pam_apply(d->board, c + PAM);
	if (off <= SMRAM && off + size > SMRAM &&
	    (c[SMRAM] & (SMRAM_OPEN | SMRAM_ENABLE)) == (SMRAM_OPEN | SMRAM_ENABLE))
		unimplemented(d, "smram: system management memory at 0xa0000");
}

static int i440fx_init(void *dev, struct error *e)
{
	struct i440fx *d = dev;
	u8 *c = pci_config(&d->pci), *w = pci_config_wmask(&d->pci);

	c[0x06] = 0x80; /* fast back-to-back */
	c[0x07] = 0x02;
	memset(w + 0x50, 0xff, 0x50); /* 50h to 9Fh: PMC configuration, DRAM timing, PAM, rows */
	c[SMRAM] = 0x02;
	return 0;
}

static void i440fx_reset(void *dev)
{
	struct i440fx *d = dev;

	pam_apply(d->board, pci_config(&d->pci) + PAM);
}

static const struct prop i440fx_props[] = {
	PROP(struct i440fx, board, .kind = PROP_LINK, .doc = "The board it is on."), {}
};
PCI_DEVICE(i440fx,
	   .dev = { .api = QUERN_DEVICE_API,
		    .name = "i440FX",
		    .doc = "82441FX host bridge",
		    .bus = "pci",
		    .size = sizeof(struct i440fx),
		    .props = i440fx_props,
		    .init = i440fx_init,
		    .reset = i440fx_reset,
		    .loaded = i440fx_reset },
	   .vendor = 0x8086, .device = 0x1237, .revision = 2, .class_code = 0x060000,
	   .config_written = config_written);
