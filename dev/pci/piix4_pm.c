/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PIIX4_PM - the power management function of the 82371AB: says where the ACPI ports are, and has
 * the SMBus host controller (Intel 82371AB data sheet, 1997, chapter 7). The registers behind the
 * ACPI ports are the acpi-pm device. */
#include "dev/i2c/smbus_host.h"
#include <quern/chipset.h>
#include <errno.h>

enum { PMBA = 0x40, DEVACTB = 0x58, PMREGMISC = 0x80, SMBBA = 0x90, SMBHSTCFG = 0xd2 };
enum { CFG_ENABLE = BIT(0), CFG_INTERRUPT = GENMASK(3, 1), CFG_IRQ9 = 4, NO_PROTOCOL = 0xff };
/* Functions as a target, which no other master uses. */
enum {
	SLV_ALERT = BIT(5),
	SLV_SHDW2 = BIT(4),
	SLV_SHDW1 = BIT(3),
	SLV_STS = BIT(2),
	SLV_BUSY = BIT(0)
};

struct piix4_pm {
	struct smbus_host host;
	struct device *board;
	struct irq irq; /* IRQ 9, when configured so */
	u8 disable_s3, disable_s4;
	bool smbus;
	u8 slvsts, slvcnt, shdwcmd;
	u16 slvevt, slvdat;
};

static void place(struct piix4_pm *d)
{
	const struct chipset *ch = chipset_of(d->board);
	const u8 *c = pci_config(&d->host.pci);
	bool smbus = d->smbus && (c[SMBHSTCFG] & CFG_ENABLE) && (c[0x04] & 1);

	if (!ch || !ch->place)
		return;
	ch->place(d->board, CHIPSET_PM, ld16le(c + PMBA) & 0xffc0, c[PMREGMISC] & 1 ? 64 : 0);
	ch->place(d->board, CHIPSET_SMBUS, ld16le(c + SMBBA) & 0xfff0, smbus ? 16 : 0);
}

static bool touches(u32 off, unsigned size, u32 reg, unsigned n)
{
	return off < reg + n && off + size > reg;
}

static void config_written(void *dev, u32 off, unsigned size, u32 val)
{
	struct piix4_pm *d = dev;

	if (touches(off, size, 0x04, 2) || touches(off, size, PMBA, 4) ||
	    touches(off, size, PMREGMISC, 1) || touches(off, size, SMBBA, 4) ||
	    touches(off, size, SMBHSTCFG, 1))
		place(d);
	if (touches(off, size, SMBHSTCFG, 1))
		d->host.update(&d->host);
}

/* ---- the SMBus host controller */

static void update(struct smbus_host *h)
{
	struct piix4_pm *d = (struct piix4_pm *)h;
	bool on = (h->hststs & STS_ENDS) && (h->hstcnt & CNT_INTREN);
	u8 how = FIELD_GET(CFG_INTERRUPT, pci_config(&h->pci)[SMBHSTCFG]);

	irq_set(&d->irq, on && how == CFG_IRQ9);
	if (on && how != CFG_IRQ9)
		unimplemented(d, "smbhstcfg: an SMI instead of IRQ 9 at the end of a transfer");
}

static void start(struct piix4_pm *d)
{
	static const u8 protocol[8] = { SMBUS_QUICK, SMBUS_BYTE,  SMBUS_BYTE_DATA, SMBUS_WORD_DATA,
					NO_PROTOCOL, SMBUS_BLOCK, NO_PROTOCOL,	   NO_PROTOCOL };
	struct smbus_host *h = &d->host;
	u8 n = FIELD_GET(CNT_PROTOCOL, h->hstcnt);
	struct smbus s = { .protocol = protocol[n], .command = h->hstcmd, .n = h->hstdat0 };

	if (!h->bus) {
		guest_error(d, "smbhstcnt: the SMBus of this board is off");
	} else if (h->hststs & STS_BUSY) {
		guest_error(d, "smbhstcnt: a transfer is started during another");
	} else if (s.protocol == NO_PROTOCOL) {
		guest_error(d, "smbhstcnt: there is no protocol %u", n);
		h->hststs |= STS_DEV_ERR;
	} else {
		smbus_host_transfer(h, &s);
	}
}

static void control(void *dev, unsigned i, u64 val)
{
	if (val & CNT_KILL)
		smbus_host_kill(dev);
	else if (val & CNT_START)
		start(dev);
	update(dev);
}

static u64 control_get(void *dev, unsigned i, u64 val)
{
	((struct smbus_host *)dev)->index = 0;
	return val;
}

static void status_set(void *dev, unsigned i, u64 val) { update(dev); }
static u64 block_get(void *dev, unsigned i, u64 val) { return smbus_host_block_read(dev); }
static void block_set(void *dev, unsigned i, u64 val) { smbus_host_block_write(dev, (u8)val); }
static void transfer_done(void *dev) { smbus_host_done(dev); }

static const struct reg smbus_regs[] = {
	REG(0x0, struct smbus_host, hststs, .ro = STS_BUSY, .w1c = STS_ENDS, .set = status_set,
	    FIELDS(STS_BUSY, STS_INTR, STS_DEV_ERR, STS_BUS_ERR, STS_FAILED),
	    .doc = "SMBHSTSTS: how a transfer goes; write 1 to clear."),
	REG(0x1, struct piix4_pm, slvsts, .ro = SLV_BUSY,
	    .w1c = SLV_ALERT | SLV_SHDW2 | SLV_SHDW1 | SLV_STS,
	    FIELDS(SLV_ALERT, SLV_SHDW2, SLV_SHDW1, SLV_STS, SLV_BUSY),
	    .doc = "SMBSLVSTS: status as a target; no other master addresses it."),
	REG(0x2, struct smbus_host, hstcnt, .pulse = CNT_START, .get = control_get, .set = control,
	    FIELDS(CNT_INTREN, CNT_KILL, CNT_PROTOCOL, CNT_START),
	    .doc = "SMBHSTCNT: the protocol, and starts a transfer; reading it rewinds blkdat."),
	REG(0x3, struct smbus_host, hstcmd, .doc = "SMBHSTCMD: the command byte."),
	REG(0x4, struct smbus_host, hstadd, FIELDS(ADD_READ, ADD_ADDRESS),
	    .doc = "SMBHSTADD: the target's address and the direction."),
	REG(0x5, struct smbus_host, hstdat0, .doc = "SMBHSTDAT0: first byte, or a block's length."),
	REG(0x6, struct smbus_host, hstdat1, .doc = "SMBHSTDAT1: second byte."),
	{ .name = "blkdat",
	  .at = 0x7,
	  .size = 1,
	  .novalue = true,
	  .get = block_get,
	  .set = block_set,
	  .doc = "SMBBLKDAT: the 32 bytes of a block, one after the other." },
	REG(0x8, struct piix4_pm, slvcnt, .doc = "SMBSLVCNT: what to do as a target; stored."),
	REG(0x9, struct piix4_pm, shdwcmd, RO, .doc = "SMBSHDWCMD: a command as a target."),
	REG(0xa, struct piix4_pm, slvevt, .doc = "SMBSLVEVT: events as a target; stored."),
	REG(0xc, struct piix4_pm, slvdat, RO, .doc = "SMBSLVDAT: data that came as a target."),
	{}
};
static const struct bank piix4_pm_banks[] = {
	{ .name = "smbus", .regs = smbus_regs, .size = 16, .narrow = true, .split = true }, {}
};

/* ---- the function */

static int piix4_pm_init(void *dev, struct error *e)
{
	struct piix4_pm *d = dev;
	u8 *c = pci_config(&d->host.pci), *w = pci_config_wmask(&d->host.pci);

	d->host.update = update;
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
	w[SMBHSTCFG] = CFG_ENABLE | CFG_INTERRUPT;
	memset(w + SMBHSTCFG + 1, 0xff, 3); /* command and addresses as a target */
	if (!d->smbus)
		return 0;
	d->host.bus = i2c_bus_new(d, "i2c", e);
	return d->host.bus ? 0 : -EBUSY;
}

static void piix4_pm_loaded(void *dev)
{
	place(dev);
	update(dev);
}

static void piix4_pm_reset(void *dev)
{
	smbus_host_reset(dev);
	place(dev);
}

static void piix4_pm_fini(void *dev) { i2c_bus_free(((struct smbus_host *)dev)->bus); }

static const struct prop piix4_pm_props[] = {
	PROP(struct piix4_pm, board, .kind = PROP_LINK, .doc = "The board it is on."),
	PROP(struct piix4_pm, smbus, .kind = PROP_BOOL, .def = 1,
	     .doc = "Whether its SMBus host controller works."),
	PROP(struct piix4_pm, disable_s3, .def = 1, .min = 1, .max = 1,
	     .doc = "No suspend to memory, which is not built."),
	PROP(struct piix4_pm, disable_s4, .def = 1, .min = 1, .max = 1,
	     .doc = "No suspend to disk, which is not built."),
	{}
};
static const struct state piix4_pm_state[] = { SMBUS_HOST_STATE(transfer_done),
					       IRQ_OUT(struct piix4_pm, irq),
					       {} };
static const struct pci_class piix4_pm_class = {
	.dev = { .api = QUERN_DEVICE_API,
		 .name = "PIIX4_PM",
		 .doc = "82371AB power management and SMBus",
		 .bus = "pci",
		 .size = sizeof(struct piix4_pm),
		 .banks = piix4_pm_banks,
		 .props = piix4_pm_props,
		 .state = piix4_pm_state,
		 .init = piix4_pm_init,
		 .reset = piix4_pm_reset,
		 .loaded = piix4_pm_loaded,
		 .fini = piix4_pm_fini },
	.vendor = 0x8086,
	.device = 0x7113,
	.revision = 3,
	.class_code = 0x068000,
	.config_written = config_written,
};
QUERN_REGISTER(piix4_pm_class);
