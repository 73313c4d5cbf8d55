/* SPDX-License-Identifier: GPL-2.0-or-later */
/* e1000_phy.c - the PHY behind MDIC with its link (82574 datasheet 10.3; 88E1011), and the NVM
 * (6.1) behind EERD, EEWR and, for an 82540, behind the pins of its serial EEPROM (Microwire,
 * 93C46). */
#include "e1000.h"

/* ---- PHY */

enum {
	MDIC_WRITE = 1,
	MDIC_READ = 2,
	MDIC_READY = BIT(28),
	MDIC_INTERRUPT = BIT(29),
	MDIC_ERROR = BIT(30),
	PHY_ADDRESS = 1,
	NEGOTIATION_NS = 500000,
	/* registers */
	PHY_STATUS = 1,
	PHY_ID1 = 2,
	PHY_ID2 = 3,
	PHY_ADVERTISE = 4,
	PHY_PARTNER = 5,
	PHY_EXPANSION = 6,
	PHY_1000_CONTROL = 9,
	PHY_1000_STATUS = 10,
	PHY_EXTENDED = 15,
	PHY_SPECIFIC_CONTROL = 16,
	PHY_SPECIFIC_STATUS = 17,
	PHY_INTERRUPT_STATUS = 19,
	PHY_PAGE = 22,
	/* bits */
	CONTROL_RESET = BIT(15),
	CONTROL_SPEED_LOW = BIT(13),
	CONTROL_NEGOTIATE = BIT(12),
	CONTROL_RESTART = BIT(9),
	CONTROL_DUPLEX = BIT(8),
	CONTROL_SPEED_HIGH = BIT(6),
	STATUS_CAPABILITIES = 0x7949, /* 10 and 100 Mbit/s, extended status, negotiation */
	STATUS_NEGOTIATED = BIT(5),
	STATUS_LINK = BIT(2),
	PARTNER_ALL = 0x45e1,  /* 10 and 100 Mbit/s, pause, acknowledged */
	EXPANSION = 0x0003,    /* the partner negotiates, its page has come */
	PARTNER_1000 = 0x3800, /* receivers work, 1000 Mbit/s full duplex */
	EXTENDED_1000 = 0x3000,
	ADVERTISE_1000 = BIT(9),
	ADVERTISE_100_FULL = BIT(8),
	ADVERTISE_100 = BIT(7),
	ADVERTISE_10_FULL = BIT(6),
	SPECIFIC_DUPLEX = BIT(13),
	SPECIFIC_RESOLVED = BIT(11),
	SPECIFIC_LINK = BIT(10),
	SPECIFIC_CABLE = 1 << 7, /* 50 to 80 m */
};
#define MDIC_DATA    GENMASK(15, 0)
#define MDIC_REG     GENMASK(20, 16)
#define MDIC_ADDRESS GENMASK(25, 21)
#define MDIC_OP	     GENMASK(27, 26)

/* Which registers can be written, and what they hold after a reset. */
static const struct {
	u8 reg;
	u16 reset, writable;
} phy_regs[] = {
	{ PHY_CONTROL, CONTROL_NEGOTIATE | CONTROL_DUPLEX | CONTROL_SPEED_HIGH, 0x7dc0 },
	{ PHY_ADVERTISE, 0x0de1, 0xffff },
	{ 7, 0x2001, 0xffff },
	{ PHY_1000_CONTROL, 0x0300, 0xff00 },
	{ PHY_SPECIFIC_CONTROL, 0x0068, 0xffff },
	{ 18, 0, 0xffff },
	{ 20, 0x0d60, 0xffff },
	{ PHY_PAGE, 0, 0xffff },
	{ 24, 0x4100, 0xffff },
	{ 25, 0, 0xffff },
	{ 26, 0, 0xffff },
	{ 27, 0, 0xffff },
	{ 28, 0, 0xffff },
	{ 29, 0, 0xffff },
	{ 30, 0, 0xffff },
};

static bool cable(const struct e1000 *d) { return !d->netdev || netdev_link(d->netdev); }

static bool link(const struct e1000 *d)
{
	return cable(d) && !d->negotiating && !(d->phy[PHY_CONTROL] & PHY_POWER_DOWN);
}

/* What both sides can do: 0 to 2 for 10, 100 and 1000 Mbit/s. */
static unsigned speed(const struct e1000 *d, bool *full)
{
	u16 control = d->phy[PHY_CONTROL], can = d->phy[PHY_ADVERTISE];

	if (!(control & CONTROL_NEGOTIATE)) {
		*full = control & CONTROL_DUPLEX;
		return control & CONTROL_SPEED_HIGH ? 2 : control & CONTROL_SPEED_LOW ? 1 : 0;
	}
	*full = true;
	if (d->phy[PHY_1000_CONTROL] & ADVERTISE_1000)
		return 2;
	if (can & ADVERTISE_100_FULL)
		return 1;
	if (can & ADVERTISE_100) {
		*full = false;
		return 1;
	}
	*full = can & ADVERTISE_10_FULL;
	return 0;
}

/* STATUS follows the PHY; a change is an interrupt. */
void e1000_link_update(struct e1000 *d)
{
	bool up = link(d) || (d->phy[PHY_CONTROL] & PHY_LOOPBACK), full;
	u32 was = d->status, s = speed(d, &full);

	if (d->ctrl & CTRL_FRCSPD)
		s = MIN(FIELD_GET(CTRL_SPEED, d->ctrl), 2u);
	if (d->ctrl & CTRL_FRCDPLX)
		full = d->ctrl & CTRL_FD;
	d->status &= ~(STATUS_LU | STATUS_FD | STATUS_SPEED);
	d->status |= (up ? STATUS_LU : 0) | (full ? STATUS_FD : 0) | FIELD_PREP(STATUS_SPEED, s);
	if (!((was ^ d->status) & STATUS_LU))
		return;
	trace(d, "link", "%s", up ? "up" : "down");
	if (!up)
		d->link_lost = 1;
	e1000_cause(d, ICR_LSC);
}

void e1000_link_timer(void *dev)
{
	struct e1000 *d = dev;

	d->negotiating = 0;
	e1000_link_update(d);
	if (d->netdev)
		netdev_room(d->netdev);
}

void e1000_negotiate(struct e1000 *d)
{
	d->negotiating = 1;
	timer_start(&d->link_timer, NEGOTIATION_NS);
	e1000_link_update(d);
}

void e1000_link_changed(void *dev, bool up)
{
	if (up)
		e1000_negotiate(dev);
	else
		e1000_link_update(dev);
}

void e1000_phy_reset(struct e1000 *d)
{
	memset(d->phy, 0, sizeof(d->phy));
	memset(d->phy_paged, 0, sizeof(d->phy_paged));
	for (unsigned i = 0; i < ARRAY_SIZE(phy_regs); i++)
		d->phy[phy_regs[i].reg] = phy_regs[i].reset;
	d->phy[PHY_STATUS] = STATUS_CAPABILITIES;
	d->phy[PHY_ID1] = 0x0141;
	d->phy[PHY_ID2] = d->old ? 0x0c20 : 0x0cb1;
	d->phy[PHY_EXTENDED] = EXTENDED_1000;
	d->link_lost = 0;
}

static u16 phy_read(struct e1000 *d, unsigned reg)
{
	bool up = link(d), full;
	u16 val = d->phy[reg];

	switch (reg) {
	case PHY_STATUS:
		val |= up && !d->link_lost ? STATUS_LINK : 0;
		val |= up && (d->phy[PHY_CONTROL] & CONTROL_NEGOTIATE) ? STATUS_NEGOTIATED : 0;
		d->link_lost = 0;
		return val;
	case PHY_PARTNER:
		return up ? PARTNER_ALL : 0;
	case PHY_EXPANSION:
		return up ? EXPANSION : 0;
	case PHY_1000_STATUS:
		return up ? PARTNER_1000 : 0;
	case PHY_SPECIFIC_STATUS:
		val = speed(d, &full) << 14 | SPECIFIC_RESOLVED | SPECIFIC_CABLE;
		return val | (full ? SPECIFIC_DUPLEX : 0) | (up ? SPECIFIC_LINK : 0);
	default:
		return val;
	}
}

static void control_written(struct e1000 *d, u16 val)
{
	if (val & CONTROL_RESET) {
		u16 page = d->phy[PHY_PAGE];

		e1000_phy_reset(d);
		d->phy[PHY_PAGE] = page;
		d->phy[PHY_CONTROL] = val & phy_regs[0].writable & ~CONTROL_RESTART;
		e1000_negotiate(d);
	} else if ((val & CONTROL_NEGOTIATE) && (val & CONTROL_RESTART)) {
		e1000_negotiate(d);
	} else {
		e1000_link_update(d);
	}
}

static void phy_write(struct e1000 *d, unsigned reg, u16 val)
{
	for (unsigned i = 0; i < ARRAY_SIZE(phy_regs); i++) {
		u16 w = phy_regs[i].writable;

		if (phy_regs[i].reg != reg)
			continue;
		d->phy[reg] = (d->phy[reg] & ~w) | (val & w);
		if (reg == PHY_CONTROL) {
			d->phy[reg] &= ~CONTROL_RESTART;
			control_written(d, val);
		}
		return;
	}
	guest_error(d, "PHY register %u is read-only", reg);
}

/* The registers above 15 of the BM PHY are banked; drivers keep settings of its MAC side there. */
static u16 *paged(struct e1000 *d, unsigned reg)
{
	u16 page = d->phy[PHY_PAGE];
	int bank = page == 2 ? 0 : page == 769 ? 1 : page == 776 ? 2 : -1;

	if (d->old || !page || reg < 16 || reg == PHY_PAGE)
		return NULL;
	if (bank < 0) {
		unimplemented(d, "page %u of the PHY's registers", page);
		bank = 0;
	}
	return &d->phy_paged[bank][reg - 16];
}

void e1000_mdic_set(void *dev, unsigned i, u64 val)
{
	struct e1000 *d = dev;
	unsigned reg = FIELD_GET(MDIC_REG, val), op = FIELD_GET(MDIC_OP, val);
	u16 *bank = paged(d, reg), data = FIELD_GET(MDIC_DATA, val);

	d->mdic = val & ~(MDIC_READY | MDIC_ERROR);
	if (FIELD_GET(MDIC_ADDRESS, val) != PHY_ADDRESS || (op != MDIC_WRITE && op != MDIC_READ)) {
		guest_error(d, "MDIC: operation %u at PHY %u", op,
			    (unsigned)FIELD_GET(MDIC_ADDRESS, val));
		d->mdic |= MDIC_ERROR;
	} else if (op == MDIC_WRITE) {
		trace(d, "phy_write", "register=%u %#x", reg, data);
		if (bank)
			*bank = data;
		else
			phy_write(d, reg, data);
	} else {
		data = bank ? *bank : phy_read(d, reg);
		trace(d, "phy_read", "register=%u %#x", reg, data);
		d->mdic = (d->mdic & ~MDIC_DATA) | data;
	}
	d->mdic |= MDIC_READY;
	if (val & MDIC_INTERRUPT)
		e1000_cause(d, ICR_MDAC);
}

/* ---- NVM */

enum {
	NVM_INIT1 = 0x0a,
	NVM_SUBSYSTEM = 0x0b,
	NVM_SUBVENDOR = 0x0c,
	NVM_DEVICE = 0x0d,
	NVM_VENDOR = 0x0e,
	NVM_CHECKSUM = 0x3f,
	NVM_SUM = 0xbaba,
	/* EERD and EEWR: an 82574, an 82540 */
	START = BIT(0),
	DONE = BIT(1),
	DONE_OLD = BIT(4),
	/* EECD */
	EE_SK = BIT(0),
	EE_CS = BIT(1),
	EE_DI = BIT(2),
	EE_DO = BIT(3),
	EE_REQ = BIT(6),
	EE_GNT = BIT(7),
	EE_PRES = BIT(8),
	EE_AUTO_RD = BIT(9),
	/* commands: start bit, two bits of operation, six of address */
	COMMAND_BITS = 9,
};
#define ADDR	 GENMASK(15, 2)
#define ADDR_OLD GENMASK(15, 8)
#define DATA	 GENMASK(31, 16)

static void nvm_seal(struct e1000 *d)
{
	u16 sum = 0;

	for (unsigned i = 0; i < NVM_CHECKSUM; i++)
		sum += d->nvm[i];
	d->nvm[NVM_CHECKSUM] = NVM_SUM - sum;
}

void e1000_nvm_init(struct e1000 *d)
{
	const u8 *config = pci_config(&d->pci);

	memset(d->nvm, 0, sizeof(d->nvm));
	for (unsigned i = 0; i < 3; i++)
		d->nvm[i] = ld16le(d->mac + 2 * i);
	d->nvm[8] = d->nvm[9] = 0xffff; /* no part number */
	d->nvm[NVM_INIT1] = 0x4002;	/* valid; the subsystem is loaded */
	d->nvm[NVM_SUBSYSTEM] = ld16le(config + 0x2e);
	d->nvm[NVM_SUBVENDOR] = ld16le(config + 0x2c);
	d->nvm[NVM_DEVICE] = ld16le(config + 2);
	d->nvm[NVM_VENDOR] = ld16le(config);
	nvm_seal(d);
}

/* The first receive address comes from the NVM after every reset. */
void e1000_nvm_load_address(struct e1000 *d)
{
	d->ra[0] = d->nvm[0] | (u32)d->nvm[1] << 16;
	d->ra[1] = d->nvm[2] | RAH_AV;
}

static u16 nvm_word(const struct e1000 *d, u32 at)
{
	return at < E1000_WORDS ? d->nvm[at] : 0xffff;
}

void e1000_eerd_set(void *dev, unsigned i, u64 val)
{
	struct e1000 *d = dev;
	u32 at = d->old ? FIELD_GET(ADDR_OLD, val) : FIELD_GET(ADDR, val);

	if (!(val & START))
		return;
	d->eerd = (val & 0xffff & ~START) | (d->old ? DONE_OLD : DONE) |
		  FIELD_PREP(DATA, (u32)nvm_word(d, at));
}

void e1000_eewr_set(void *dev, unsigned i, u64 val)
{
	struct e1000 *d = dev;
	u32 at = FIELD_GET(ADDR, val);

	if (!(val & START))
		return;
	if (at < E1000_WORDS)
		d->nvm[at] = FIELD_GET(DATA, val);
	else
		guest_error(d, "EEWR: the NVM has %u words, not %u", E1000_WORDS, at);
	d->eewr = (val & ~(u64)START) | DONE;
}

u64 e1000_eecd_get(void *dev, unsigned i, u64 val)
{
	struct e1000 *d = dev;

	val |= EE_PRES | (val & EE_REQ ? EE_GNT : 0) | (d->old ? 0 : EE_AUTO_RD);
	/* between commands a chip that is selected says that it is ready */
	if (d->old && (d->ee_out_bits ? d->ee_out_bits <= 16 && d->ee_out >> 15 :
					(val & EE_CS) && !d->ee_bits))
		val |= EE_DO;
	return val;
}

/* A command has come in whole; those that write follow after 16 more bits. */
static void ee_command(struct e1000 *d)
{
	u32 op = d->ee_shift >> 6 & 3, at = d->ee_shift & 63;

	if (op == 2) {
		d->ee_out = d->nvm[at];
		d->ee_out_bits = 17; /* a zero bit comes first */
		trace(d, "nvm_read", "word=%u %#x", at, d->ee_out);
	} else if (op == 3) {
		if (d->ee_writable)
			d->nvm[at] = 0xffff;
	} else if (op == 0) {
		if (at >> 4 == 3)
			d->ee_writable = 1;
		else if (at >> 4 == 0)
			d->ee_writable = 0;
		else
			unimplemented(d, "the NVM's command %#x for all words", at >> 4);
	}
}

static void ee_clock(struct e1000 *d, unsigned in)
{
	if (d->ee_out_bits > 1) {
		if (d->ee_out_bits <= 16)
			d->ee_out <<= 1;
		d->ee_out_bits--;
		return;
	}
	if (!d->ee_bits && !in)
		return; /* no start bit yet */
	if (d->ee_bits >= COMMAND_BITS + 16)
		return;
	d->ee_shift = d->ee_shift << 1 | in;
	d->ee_bits++;
	if (d->ee_bits == COMMAND_BITS)
		ee_command(d);
	if (d->ee_bits == COMMAND_BITS + 16 && (d->ee_shift >> 22 & 3) == 1 && d->ee_writable) {
		d->nvm[d->ee_shift >> 16 & 63] = d->ee_shift;
		trace(d, "nvm_write", "word=%u %#x", d->ee_shift >> 16 & 63, d->ee_shift & 0xffff);
	}
}

/* val is what was written; the stored value has it already, so the last clock is kept apart. */
void e1000_eecd_set(void *dev, unsigned i, u64 val)
{
	struct e1000 *d = dev;
	bool rises = (val & EE_SK) && !d->ee_clocked;

	d->ee_clocked = (val & EE_SK) != 0;
	if (!d->old) {
		if (rises && (val & EE_CS))
			unimplemented(d, "the NVM's pins (EECD); EERD and EEWR are there");
		return;
	}
	if (!(val & EE_CS)) {
		d->ee_bits = d->ee_out_bits = 0;
		d->ee_shift = 0;
	} else if (rises) {
		ee_clock(d, (val & EE_DI) != 0);
	}
}
