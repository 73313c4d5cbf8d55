/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mch - the host bridge of the Q35 chipset: PCI Express configuration window and attribute map
 * (Intel 3 Series Express Chipset Family data sheet, 2007, chapter 5.1). */
#include <quern/pci.h>
#include "pam.h"

enum {
	PCIEXBAR = 0x60,
	PCIEXBAR_ENABLE = BIT(0),
	PCIEXBAR_LENGTH = 3 << 1,
	PAM = 0x90,
	SMRAM = 0x9d,
	SMRAM_OPEN = BIT(6),
	SMRAM_ENABLE = BIT(3)
};

struct mch {
	struct pci_device pci;
	struct device *board;
};

static void place_ecam(struct mch *d)
{
	const struct chipset *ch = chipset_of(d->board);
	u64 bar = ld64le(pci_config(&d->pci) + PCIEXBAR),
	    size = 256ull << 20 >> FIELD_GET(PCIEXBAR_LENGTH, (u32)bar);

	if (FIELD_GET(PCIEXBAR_LENGTH, (u32)bar) == 3) {
		guest_error(d, "pciexbar: length 3 is reserved");
		return;
	}
	if (ch && ch->place)
		ch->place(d->board, CHIPSET_ECAM, bar & GENMASK64(35, 26) & ~(size - 1),
			  bar & PCIEXBAR_ENABLE ? size : 0);
}

static void config_written(void *dev, u32 off, unsigned size, u32 val)
{
	struct mch *d = dev;
	u8 *c = pci_config(&d->pci);

	if (off < PCIEXBAR + 8 && off + size > PCIEXBAR)
		place_ecam(d);
	if (off < PAM + 7 && off + size > PAM)
		pam_apply(d->board, c + PAM);
	if (off <= SMRAM && off + size > SMRAM &&
	    (c[SMRAM] & (SMRAM_OPEN | SMRAM_ENABLE)) == (SMRAM_OPEN | SMRAM_ENABLE))
		unimplemented(d, "smram: system management memory at 0xa0000");
}

static int mch_init(void *dev, struct error *e)
{
	struct mch *d = dev;
	u8 *c = pci_config(&d->pci), *w = pci_config_wmask(&d->pci);

	c[0x06] = 0x90;
	st64le(w + PCIEXBAR, GENMASK64(35, 26) | PCIEXBAR_LENGTH | PCIEXBAR_ENABLE);
	memset(w + PAM, 0x33, 7);
	w[PAM] = 0x30;
	c[SMRAM] = 0x02;
	w[SMRAM] = 0x78;
	w[0x9e] = 0xff;
	c[0x9e] = 0x38;
	return 0;
}

static void mch_reset(void *dev)
{
	struct mch *d = dev;

	place_ecam(d);
	pam_apply(d->board, pci_config(&d->pci) + PAM);
}

static const struct prop mch_props[] = {
	PROP(struct mch, board, .kind = PROP_LINK, .doc = "The board it is on."), {}
};
PCI_DEVICE(mch,
	   .dev = { .api = QUERN_DEVICE_API,
		    .name = "mch",
		    .doc = "Q35 host bridge",
		    .bus = "pci",
		    .size = sizeof(struct mch),
		    .props = mch_props,
		    .init = mch_init,
		    .reset = mch_reset,
		    .loaded = mch_reset },
	   .vendor = 0x8086, .device = 0x29c0, .class_code = 0x060000,
	   .config_written = config_written);
