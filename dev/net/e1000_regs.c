/* SPDX-License-Identifier: GPL-2.0-or-later */
/* e1000_regs.c - the register tables of the 82574 and of the 82540, with what is simple about them
 * (82574 datasheet chapter 10; 8254x manual chapter 13). */
#include "e1000.h"

enum {
	CTRL_LRST = BIT(3),
	CTRL_ASDE = BIT(5),
	CTRL_ILOS = BIT(7),
	CTRL_RFCE = BIT(27),
	CTRL_TFCE = BIT(28),
	ICR_RESERVED = 0x7e007d20,
	RCTL_RST = BIT(0),
	RCTL_DPF = BIT(22),
	RCTL_PMCF = BIT(23),
	RCTL_RESERVED = 0xf9204000,
	SWSM_SMBI = BIT(0),
	EXTCNF_MDIO_SW = BIT(5),
	IO_ADDR = 0,
	IO_DATA = 4,
	IO_SPACE = 0x20000,
	TIMINCA_TICK = 40, /* ns: 25 MHz */
};
#define CTRL_SDP       GENMASK(25, 13)
#define TIMINCA_PERIOD GENMASK(31, 24)
#define TIMINCA_VALUE  GENMASK(23, 0)

static void ctrl_set(void *dev, unsigned i, u64 val)
{
	struct e1000 *d = dev;

	if (val & CTRL_PHY_RST) {
		e1000_phy_reset(d);
		d->status |= STATUS_PHYRA;
		e1000_negotiate(d);
	}
	if (val & CTRL_RST) {
		u32 pba = d->pba;

		trace(d, "reset", "by CTRL");
		device_reset_regs(d);
		e1000_reset(d);
		d->pba = pba;
		return;
	}
	e1000_link_update(d);
}

static u64 status_get(void *dev, unsigned i, u64 val)
{
	struct e1000 *d = dev;

	if (d->old || (d->ctrl & CTRL_GIO_MASTER_DISABLE))
		return val;
	return val | STATUS_GIO_MASTER_ENABLE;
}

static void ctrl_ext_set(void *dev, unsigned i, u64 val)
{
	struct e1000 *d = dev;

	if (val & CTRL_EXT_EE_RST)
		e1000_nvm_load_address(d);
	e1000_irq_update(d);
}

/* Whether frames can be taken may have changed. */
static void rctl_set(void *dev, unsigned i, u64 val)
{
	struct e1000 *d = dev;

	netdev_room(d->netdev);
}

static void rdt_set(void *dev, unsigned i, u64 val)
{
	struct e1000 *d = dev;

	if (d->old && i)
		guest_error(d, "there is one receive ring");
	netdev_room(d->netdev);
}

static void tctl_set(void *dev, unsigned i, u64 val) { e1000_work(dev); }

static void tdt_set(void *dev, unsigned i, u64 val)
{
	struct e1000 *d = dev;

	if (d->old && i)
		guest_error(d, "there is one transmit ring");
	else
		e1000_transmit(d, i);
}

/* Of the high halves 16 bits of address, two that select and the valid bit are there. */
static void ra_set(void *dev, unsigned i, u64 val)
{
	if (i & 1)
		((struct e1000 *)dev)->ra[i] &= RAH_AV | GENMASK(17, 0);
}

/* 10.2.3.13: who reads a zero has it. */
static u64 swsm_get(void *dev, unsigned i, u64 val)
{
	((struct e1000 *)dev)->swsm |= SWSM_SMBI;
	return val;
}

/* ---- the clock (10.2.11): TIMINCA says what is added every so many ticks */

u64 e1000_systim(const struct e1000 *d)
{
	u64 ticks = (clock_ns(d) - d->systim_at) / TIMINCA_TICK;
	u32 period = FIELD_GET(TIMINCA_PERIOD, d->timinca);

	return period ? d->systim + ticks / period * FIELD_GET(TIMINCA_VALUE, d->timinca) :
			d->systim;
}

static u64 systim_get(void *dev, unsigned i, u64 val) { return e1000_systim(dev); }

static void systim_set(void *dev, unsigned i, u64 val)
{
	struct e1000 *d = dev;

	d->systim = val;
	d->systim_at = clock_ns(d);
}

/* What the old pace has made so far stays. */
static void timinca_set(void *dev, unsigned i, u64 val)
{
	struct e1000 *d = dev;
	u32 now = d->timinca;

	d->timinca = d->timinca_was;
	systim_set(d, 0, e1000_systim(d));
	d->timinca = d->timinca_was = now;
}

static u64 txstmp_get(void *dev, unsigned i, u64 val)
{
	struct e1000 *d = dev;

	d->tsynctxctl &= ~BIT(0);
	return val;
}

/* ---- other BARs */

u64 e1000_io_read(void *dev, u64 off, unsigned size)
{
	struct e1000 *d = dev;

	if (off == IO_ADDR && size == 4)
		return d->ioaddr;
	if (off == IO_DATA && size == 4 && d->ioaddr < IO_SPACE)
		return pci_bar_read(&d->pci, 0, d->ioaddr, 4);
	guest_error(d, "read of %u bytes at offset %#llx of the ports, address %#x", size,
		    (unsigned long long)off, d->ioaddr);
	return ~0ull;
}

void e1000_io_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct e1000 *d = dev;

	if (off == IO_ADDR && size == 4)
		d->ioaddr = val;
	else if (off == IO_DATA && size == 4 && d->ioaddr < IO_SPACE)
		pci_bar_write(&d->pci, 0, d->ioaddr, 4, val);
	else
		guest_error(d, "write of %u bytes at offset %#llx of the ports, address %#x", size,
			    (unsigned long long)off, d->ioaddr);
}

u64 e1000_flash_read(void *dev, u64 off, unsigned size) { return ~0ull; }

void e1000_flash_write(void *dev, u64 off, unsigned size, u64 val)
{
	guest_error(dev, "a write to the flash, which is not fitted");
}

/* Where no register is, the cards read zeroes. */
u64 e1000_no_reg_read(void *dev, u64 off, unsigned size)
{
	guest_error(dev, "read at offset %#llx, where no register is", (unsigned long long)off);
	return 0;
}

void e1000_no_reg_write(void *dev, u64 off, unsigned size, u64 val)
{
	guest_error(dev, "write at offset %#llx, where no register is", (unsigned long long)off);
}

/* ---- tables */

#define D		  struct e1000
#define STAT(at, m, text) REG(at, D, m, RO, .rclr = ~0u, .doc = text)
const struct reg e1000_regs[] = {
#include "e1000_regs.def"
	{}
};

const struct reg e1000e_regs[] = {
#include "e1000_regs.def"
	REG(0x0024, D, sctl, .doc = "Fibre control."),
	REG(0x00dc, D, eiac, .ro = ~0x01f00000u, .doc = "Causes that their message acknowledges."),
	REG(0x00e0, D, iam, .doc = "Causes that are masked automatically."),
	REG(0x00e4, D, ivar, .set = ctrl_ext_set, .doc = "Vectors of the causes."),
	REGS(0x00e8, D, eitr, 4, .ro = 0xffff0000,
	     .doc = "Least time between messages of a vector, in 256 ns."),
	REG(0x0404, D, tctl_ext, .doc = "Extended transmit control."),
	REG(0x0f00, D, extcnf_ctrl, .doc = "Who owns the MDIO interface."),
	REG(0x0f08, D, extcnf_size, .doc = "Size of the extended configuration."),
	REG(0x0f10, D, phy_ctrl, .doc = "Power saving of the PHY."),
	REG(0x1008, D, pbs, .doc = "Size of the packet buffer."),
	REG(0x1010, D, eemngctl, .reset = BIT(18), .doc = "Management NVM control: configured."),
	REG(0x102c, D, eewr, .pulse = BIT(0), .set = e1000_eewr_set,
	    .doc = "Writes a word of the NVM."),
	REG(0x103c, D, flop, .doc = "Flash commands; there is no flash."),
	REG(0x1100, D, pba_ecc, .doc = "Errors of the packet buffer's memory."),
	REG(0x2008, D, ert, .doc = "Early receive threshold."),
	REG(0x2170, D, psrctl, .doc = "Buffer sizes of packet split descriptors."),
	REG(0x2c08, D, raid, .doc = "Delay of interrupts for acknowledgements."),
	STAT(0x4104, icrxptc, "Expired receive timers."),
	STAT(0x4108, icrxatc, "Expired absolute receive timers."),
	STAT(0x410c, ictxptc, "Expired transmit timers."),
	STAT(0x4110, ictxatc, "Expired absolute transmit timers."),
	STAT(0x4118, ictxqec, "Transmit rings that ran empty."),
	STAT(0x411c, ictxqmtc, "Transmit rings that ran low."),
	STAT(0x4120, icrxdmtc, "Receive rings that ran low."),
	STAT(0x4124, icrxoc, "Receiver overruns."),
	REG(0x5008, D, rfctl, .doc = "Receive filters: kind of descriptors."),
	REG(0x5818, D, mrqc, .doc = "Receive side scaling: what is hashed."),
	REG(0x5860, D, manc2h, .doc = "Management frames for the host."),
	REG(0x5864, D, rssim, .doc = "Receive side scaling: interrupt mask."),
	REG(0x5868, D, rssir, .doc = "Receive side scaling: interrupt request."),
	REGS(0x5828, D, mfutp, 4, .doc = "Management filters: ports."),
	REGS(0x5880, D, ip6at, 4, .doc = "IPv6 address of the wake-up filters."),
	REGS(0x5890, D, mdef, 4, .doc = "Management filters: decisions."),
	REG(0x5b00, D, gcr, .doc = "PCI Express control."),
	REGS(0x5b10, D, gscl, 4, .doc = "PCI Express statistics: control."),
	REGS(0x5b20, D, gscn, 4, .doc = "PCI Express statistics: counters."),
	REG(0x5b30, D, factps, RO, .doc = "Power states of the functions."),
	REG(0x5b54, D, fwsm, RO, .doc = "Firmware: there is none."),
	REG(0x5b58, D, funcs, .doc = "Second semaphore of drivers."),
	REG(0x5b64, D, gcr2, .doc = "PCI Express control 2."),
	REGS(0x5c00, D, reta, 4, .doc = "Receive side scaling: rings by hash, four in each."),
	REGS(0x5c80, D, rssrk, 4, .doc = "Receive side scaling: key."),
	REG(0xb600, D, systim, .get = systim_get, .set = systim_set, .doc = "The card's clock."),
	REG(0xb608, D, timinca, .set = timinca_set, .doc = "Pace of the card's clock."),
	REG(0xb614, D, tsynctxctl, .ro = 1, .doc = "Timestamps of frames sent."),
	REG(0xb618, D, txstmp, RO, .get = txstmp_get,
	    .doc = "When the last marked frame was sent."),
	REG(0xb620, D, tsyncrxctl, .ro = 1, .unmodelled = BIT(4),
	    .doc = "Timestamps of frames received."),
	REG(0xb624, D, rxstmp, RO, .doc = "When a marked frame was received."),
	REG(0xb634, D, rxmtrl, .doc = "Which messages get timestamps."),
	REG(0xb638, D, rxudp, .reset = 0x3f01, .doc = "The UDP port of these messages."),
	{}
};
