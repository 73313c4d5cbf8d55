/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PIIX4_PM - the power management function of the 82371AB: says where the ACPI ports are (Intel
 * 82371AB data sheet, 1997, chapter 7). The registers behind the ports are the acpi-pm device; the
 * SMBus host controller is absent and says so. */
#include <quern/pci.h>
#include <quern/chipset.h>

enum { PMBA = 0x40, DEVACTB = 0x58, PMREGMISC = 0x80, SMBBA = 0x90, SMBHSTCFG = 0xd2 };

struct piix4_pm {
	struct pci_device pci;
	struct device *board;
	u8 disable_s3, disable_s4;
};

static void place(struct piix4_pm *d)
{
	const struct chipset *ch = chipset_of(d->board);
	const u8 *c = pci_config(&d->pci);

	if (ch && ch->place)
		ch->place(d->board, CHIPSET_PM, ld16le(c + PMBA) & 0xffc0,
			  c[PMREGMISC] & 1 ? 64 : 0);
}

static void config_written(void *dev, u32 off, unsigned size, u32 val)
{
	struct piix4_pm *d = dev;

	if ((off < PMBA + 4 && off + size > PMBA) || (off <= PMREGMISC && off + size > PMREGMISC))
		place(d);
	if (off <= SMBHSTCFG && off + size > SMBHSTCFG && (val >> (SMBHSTCFG - off) * 8 & 1))
		unimplemented(d, "smbhstcfg: the SMBus host controller");
}

static int piix4_pm_init(void *dev, struct error *e)
{
	struct piix4_pm *d = dev;
	u8 *c = pci_config(&d->pci), *w = pci_config_wmask(&d->pci);

	st16le(w + 0x04, 0x0001);
	c[0x06] = 0x80;
	c[0x07] = 0x02;
	c[0x3d] = 1;
	c[PMBA] = 1;
	st16le(w + PMBA, 0xffc0);
	/* device activity, general purpose and device resource registers */
	memset(w + 0x48, 0xff, 0x38);
	/* APMC_EN set: firmware takes it that system management mode is set up, as there is none to
	 * be set up */
	c[DEVACTB + 3] = 0x02;
	w[PMREGMISC] = 1;
	c[SMBBA] = 1;
	st16le(w + SMBBA, 0xfff0);
	return 0;
}

static void piix4_pm_reset(void *dev) { place(dev); }

static const struct prop piix4_pm_props[] = {
	PROP(struct piix4_pm, board, .kind = PROP_LINK, .doc = "The board it is on."),
	PROP(struct piix4_pm, disable_s3, .def = 1, .min = 1, .max = 1,
	     .doc = "No suspend to memory, which is not built."),
	PROP(struct piix4_pm, disable_s4, .def = 1, .min = 1, .max = 1,
	     .doc = "No suspend to disk, which is not built."),
	{}
};
PCI_DEVICE(piix4_pm,
	   .dev = { .api = QUERN_DEVICE_API,
		    .name = "PIIX4_PM",
		    .doc = "82371AB power management",
		    .bus = "pci",
		    .size = sizeof(struct piix4_pm),
		    .props = piix4_pm_props,
		    .init = piix4_pm_init,
		    .reset = piix4_pm_reset,
		    .loaded = piix4_pm_reset },
	   .vendor = 0x8086, .device = 0x7113, .revision = 3, .class_code = 0x068000,
	   .config_written = config_written);
