/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ich9-ahci - a Serial ATA host controller: Advanced Host Controller Interface 1.3, with the PCI
 * identity of the ICH9. Six ports with 32 command slots each, native queueing, packet devices. This
 * file has the registers; ahci_port.c runs commands.
 */
#include "ahci.h"
#include <errno.h>
#include <stdio.h>

enum {
	GHC_HR = BIT(0),
	GHC_IE = BIT(1),
	GHC_AE = 1u << 31,
	/* 64-bit addresses, queueing, 1.5 Gb/s, AHCI only, 32 slots */
	CAP = 1u << 31 | 1u << 30 | 1u << 20 | 1u << 18 | 31u << 8 | (AHCI_PORTS - 1),
	CMD_ST = BIT(0),
	CMD_SUD = BIT(1),
	CMD_POD = BIT(2),
	CMD_CLO = BIT(3),
	CMD_FRE = BIT(4),
	CMD_CCS = GENMASK(12, 8),
	CMD_FR = BIT(14),
	CMD_CR = BIT(15),
	CMD_ATAPI = BIT(24),
	CMD_LED = BIT(25),
	CMD_ALPE = BIT(26),
	CMD_ASP = BIT(27),
	CMD_ICC = GENMASK(31, 28),
	SCTL_DET = GENMASK(3, 0),
	SCTL_SPD = GENMASK(7, 4),
	SCTL_IPM = GENMASK(11, 8),
};

/* ---- interrupts */

void ahci_update_irq(struct ahci *d)
{
	bool level = false;

	for (unsigned i = 0; i < AHCI_PORTS; i++) {
		if (d->pis[i] & d->pie[i])
			d->is |= BIT(i);
	}
	level = d->is && (d->ghc & GHC_IE);
	if (pci_msi_enabled(&d->pci)) {
		if (level && d->news)
			pci_irq(&d->pci, 0);
		pci_intx(&d->pci, 0);
	} else {
		pci_intx(&d->pci, level);
	}
	d->news = false;
}

/* ---- registers */

static u64 get_cap(void *dev, unsigned i, u64 val) { return CAP; }
static u64 get_pi(void *dev, unsigned i, u64 val) { return (1 << AHCI_PORTS) - 1; }
/* Firmware sets these once, and drivers write back what they found. */
static void firmware_only(void *dev, unsigned i, u64 val) {}

static void set_ghc(void *dev, unsigned i, u64 val)
{
	struct ahci *d = dev;

	if (val & GHC_HR) {
		for (unsigned p = 0; p < AHCI_PORTS; p++) {
			ahci_port_stop(d, p);
			d->pie[p] = 0;
			ahci_port_reset(d, p);
			d->pis[p] = 0;
		}
		d->is = 0;
		d->ghc = 0;
	}
	d->ghc = (d->ghc & GHC_IE) | GHC_AE;
	ahci_update_irq(d);
}

static void set_irq(void *dev, unsigned i, u64 val) { ahci_update_irq(dev); }

static void set_pie(void *dev, unsigned i, u64 val)
{
	struct ahci *d = dev;

	d->news |= d->pis[i] & d->pie[i];
	ahci_update_irq(d);
}

static void set_cmd(void *dev, unsigned p, u64 val)
{
	struct ahci *d = dev;
	u32 *cmd = &d->cmd[p];

	if (val & CMD_CLO) {
		*cmd &= ~CMD_CLO;
		d->tfd[p] &= ~(ST_BSY | ST_DRQ);
	}
	*cmd &= ~CMD_ICC;
	*cmd = (*cmd & ~CMD_FR) | (*cmd & CMD_FRE ? CMD_FR : 0);
	if ((*cmd & CMD_ST) && !(*cmd & CMD_CR)) {
		*cmd |= CMD_CR;
		ahci_port_run(d, p);
	} else if (!(*cmd & CMD_ST) && (*cmd & CMD_CR)) {
		ahci_port_stop(d, p);
		*cmd &= ~(CMD_CR | CMD_CCS);
	}
	/* the signature that came while there was no place for it */
	if ((*cmd & CMD_FRE) && d->fresh[p])
		ahci_port_signature(d, p);
	ahci_update_irq(d);
}

/* A slot that is taken stays so until its command has ended. */
static void set_ci(void *dev, unsigned p, u64 val)
{
	struct ahci *d = dev;

	if (!(d->cmd[p] & CMD_ST)) {
		if (val)
			guest_error(d, "port %u: commands are issued while it does not run", p);
		return;
	}
	d->ci[p] |= val;
	ahci_port_run(d, p);
	ahci_update_irq(d);
}

static u64 get_ci(void *dev, unsigned p, u64 val) { return ((struct ahci *)dev)->ci[p]; }

static u64 get_sact(void *dev, unsigned p, u64 val) { return ((struct ahci *)dev)->sact[p]; }

static void set_sact(void *dev, unsigned p, u64 val)
{
	struct ahci *d = dev;

	if (d->cmd[p] & CMD_ST)
		d->sact[p] |= val;
}

static void set_sctl(void *dev, unsigned p, u64 val)
{
	struct ahci *d = dev;
	u8 det = FIELD_GET(SCTL_DET, (u32)val);

	if (det == 1 && d->det[p] != 1) {
		ahci_port_stop(d, p);
		d->ssts[p] = 0;
		d->sig[p] = ~0u;
		d->tfd[p] = 0x7f;
	} else if (det == 0 && d->det[p] == 1) {
		ahci_port_reset(d, p);
	} else if (det == 4) {
		d->ssts[p] = 4;
	}
	d->det[p] = det;
	ahci_update_irq(d);
}

#define R		   struct ahci
#define PORT(off_, m, ...) REGS(0x100 + (off_), R, m, 0x80, __VA_ARGS__)
static const struct reg ahci_regs[] = {
	{ .name = "cap",
	  .at = 0,
	  .size = 4,
	  .novalue = true,
	  .get = get_cap,
	  .set = firmware_only,
	  .doc = "What the controller can do." },
	REG(0x04, R, ghc, .set = set_ghc, .reset = GHC_AE, FIELDS(GHC_HR, GHC_IE, GHC_AE),
	    .doc = "Global control: reset, interrupts."),
	REG(0x08, R, is, .w1c = ~0u, .set = set_irq, .doc = "Ports that have an interrupt."),
	{ .name = "pi",
	  .at = 0x0c,
	  .size = 4,
	  .novalue = true,
	  .get = get_pi,
	  .set = firmware_only,
	  .doc = "Ports that are there." },
	REG(0x10, R, vs, RO, .reset = 0x00010000, .doc = "Version."),
	REG(0x14, R, ccc_ctl, RO, .doc = "Command completion coalescing (not offered)."),
	REG(0x18, R, ccc_ports, RO, .doc = "Its ports."),
	REG(0x1c, R, em_loc, RO, .doc = "Enclosure management (not offered)."),
	REG(0x20, R, em_ctl, RO, .doc = "Its control."),
	REG(0x24, R, cap2, RO, .doc = "More of what it can do."),
	REG(0x28, R, bohc, RO, .doc = "BIOS hand-off (not needed)."),
	PORT(0x00, clb, .ro = 0x3ff, .doc = "Command list."),
	PORT(0x04, clbu, .doc = "Command list, upper half."),
	PORT(0x08, fb, .ro = 0xff, .doc = "Received FISes."),
	PORT(0x0c, fbu, .doc = "Received FISes, upper half."),
	PORT(0x10, pis, .w1c = ~0u, .ro = BIT(4) | BIT(6) | BIT(22), .set = set_irq,
	     .doc = "Interrupts."),
	PORT(0x14, pie, .set = set_pie, .doc = "Interrupts that are told."),
	PORT(0x18, cmd, .set = set_cmd, .ro = CMD_SUD | CMD_POD | CMD_FR | CMD_CR | CMD_CCS,
	     .reset = CMD_SUD | CMD_POD,
	     FIELDS(CMD_ST, CMD_SUD, CMD_POD, CMD_CLO, CMD_FRE, CMD_CCS, CMD_FR, CMD_CR, CMD_ATAPI,
		    CMD_LED, CMD_ALPE, CMD_ASP, CMD_ICC),
	     .doc = "Starts and stops the port."),
	PORT(0x20, tfd, RO, .doc = "The drive's status and error."),
	PORT(0x24, sig, RO, .doc = "Signature of the drive."),
	PORT(0x28, ssts, RO, .doc = "State of the link."),
	PORT(0x2c, sctl, .set = set_sctl, FIELDS(SCTL_DET, SCTL_SPD, SCTL_IPM),
	     .doc = "Control of the link."),
	PORT(0x30, serr, .w1c = ~0u, .doc = "Errors of the link."),
	{ .name = "sact",
	  .at = 0x134,
	  .size = 4,
	  .count = AHCI_PORTS,
	  .stride = 0x80,
	  .novalue = true,
	  .get = get_sact,
	  .set = set_sact,
	  .doc = "Queued commands under way." },
	{ .name = "ci",
	  .at = 0x138,
	  .size = 4,
	  .count = AHCI_PORTS,
	  .stride = 0x80,
	  .novalue = true,
	  .get = get_ci,
	  .set = set_ci,
	  .doc = "Commands under way." },
	PORT(0x3c, sntf, .w1c = 0xffff, .doc = "Notifications (none come)."),
	PORT(0x40, fbs, RO, .doc = "FIS-based switching (not offered)."),
	{}
};

/* ---- life */

static int plugged(void *dev, unsigned bus, unsigned slot, void *child, struct error *e)
{
	struct ahci *d = dev;
	struct ata_drive *drive = child;

	drive->unit = bus;
	d->drive[bus] = drive;
	ahci_port_attach(d, bus);
	ahci_port_reset(d, bus);
	ahci_update_irq(d);
	return 0;
}

static void unplugged(void *dev, unsigned bus, unsigned slot, void *child)
{
	struct ahci *d = dev;

	ahci_port_stop(d, bus);
	d->drive[bus] = NULL;
	ahci_port_reset(d, bus);
	ahci_update_irq(d);
}

static const struct slots_ops slots_ops = { .plugged = plugged, .unplugged = unplugged };

static int ahci_init(void *dev, struct error *e)
{
	struct ahci *d = dev;
	u8 *c = pci_config(&d->pci);
	unsigned at = pci_add_capability(&d->pci, 0x12, 8);

	c[0x90] = 0x40;		  /* mode: AHCI */
	st16le(c + at + 2, 0x10); /* the index and data ports are in BAR 4 */
	st32le(c + at + 4, 0x48);
	for (unsigned i = 0; i < AHCI_PORTS; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s.%u", d->builtin ? "ide" : d->pci.dev.id, i);
		d->slots[i] = slots_new(d, "ide", name, i, 1, &slots_ops, e);
		if (!d->slots[i])
			return -EEXIST;
	}
	return 0;
}

static void ahci_fini(void *dev)
{
	struct ahci *d = dev;

	for (unsigned i = 0; i < AHCI_PORTS; i++) {
		slots_free(d->slots[i]);
		for (unsigned s = 0; s < 32; s++)
			dma_list_free(&d->slot[i][s].list);
		dma_list_free(&d->pio[i]);
	}
}

static void ahci_reset(void *dev)
{
	struct ahci *d = dev;

	for (unsigned p = 0; p < AHCI_PORTS; p++) {
		ahci_port_stop(d, p);
		ahci_port_reset(d, p);
		d->pis[p] = 0;
		d->det[p] = 0;
	}
	d->is = 0;
	d->index = 0;
	ahci_update_irq(d);
}

/* ---- the registers again, by index and data ports (for firmware) */

/* By way of the register tables, as a guest's access to BAR 5. */
static const struct reg *reg_at(u32 off, unsigned *i)
{
	for (const struct reg *r = ahci_regs; r->name; r++) {
		u32 n = r->count ? r->count : 1, step = r->stride ? r->stride : 4;

		if (off < r->at || off >= r->at + n * step || (off - r->at) % step)
			continue;
		*i = (off - r->at) / step;
		return r;
	}
	return NULL;
}

static u32 *value_of(struct ahci *d, const struct reg *r, unsigned i)
{
	return (u32 *)((u8 *)d + r->off) + i;
}

static u32 reg_read(struct ahci *d, u32 off)
{
	unsigned i;
	const struct reg *r = reg_at(off, &i);

	if (!r)
		return 0;
	return r->novalue ? r->get(d, i, 0) : *value_of(d, r, i);
}

static void reg_write(struct ahci *d, u32 off, u32 val)
{
	unsigned i;
	const struct reg *r = reg_at(off, &i);

	if (!r)
		return;
	if (!r->novalue) {
		u32 *v = value_of(d, r, i), keep = (r->ro | r->w1c) & ~r->pulse;

		*v = (*v & keep & ~(val & (u32)r->w1c)) | (val & ~keep);
	}
	if (r->set)
		r->set(d, i, val);
}

static u64 idp_read(void *dev, u64 off, unsigned size)
{
	struct ahci *d = dev;

	if (off == 0x10)
		return d->index;
	return off == 0x14 ? reg_read(d, d->index) : 0;
}

static void idp_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct ahci *d = dev;

	if (off == 0x10)
		d->index = val & 0xffc;
	else if (off == 0x14)
		reg_write(d, d->index, val);
}

static const struct prop ahci_props[] = {
	PROP(R, builtin, .kind = PROP_BOOL, .doc = "Its buses are ide.0 and so on."), {}
};
static const struct state ahci_state[] = { STATE(R, sact),    STATE(R, ci),	 STATE(R, det),
					   STATE(R, fresh),   STATE(R, started), STATE(R, index),
					   STATE(R, halted),  STATE(R, srst),	 STATE(R, news),
					   DERIVED(R, slot),  DERIVED(R, port),	 DERIVED(R, pio),
					   DERIVED(R, drive), DERIVED(R, slots), {} };
#define AHCI_CLASS(name_) \
	.dev = { .api = QUERN_DEVICE_API, \
		 .name = name_, \
		 .doc = "SATA controller (AHCI)", \
		 .bus = "pci", \
		 .size = sizeof(struct ahci), \
		 .props = ahci_props, \
		 .state = ahci_state, \
		 .init = ahci_init, \
		 .reset = ahci_reset, \
		 .fini = ahci_fini }, \
	.vendor = 0x8086, .device = 0x2922, .revision = 2, .class_code = 0x010601, .intx = true, \
	.msi = 1, .bar[4] = { .size = 32, .io = true, .read = idp_read, .write = idp_write }, \
	.bar[5] = { ahci_regs, 0x1000 }
/* two names for the same thing */
static const struct pci_class ich9_ahci_class = { AHCI_CLASS("ich9-ahci") };
static const struct pci_class ahci_class = { AHCI_CLASS("ahci") };
QUERN_REGISTER(ich9_ahci_class);
QUERN_REGISTER(ahci_class);
