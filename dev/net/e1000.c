/* SPDX-License-Identifier: GPL-2.0-or-later */
/* e1000.c - Intel gigabit network cards: 82574L, known as e1000e, and 82540EM, known as e1000.
 * Their life, properties and state. 82574 datasheet (317694), 8254x developer's manual (317453). */
#include "e1000.h"

enum {
	CAP_MSIX = 0x11,
	CONFIG_SUBVENDOR = 0x2c,
	CONFIG_SUBSYSTEM = 0x2e,
	CONFIG_CAPS = 0x34,
	INTEL = 0x8086,
	DEVICE_82540EM = 0x100e,
	DEVICE_82574L = 0x10d3,
};

static const struct net_user user = { .receive = e1000_receive, .link = e1000_link_changed };

static void loaded(void *dev)
{
	struct e1000 *d = dev;
	const u8 *config = pci_config(&d->pci);

	d->old = ld16le(config + 2) == DEVICE_82540EM;
	d->msix_at = 0;
	for (u8 at = config[CONFIG_CAPS]; at; at = config[at + 1])
		if (config[at] == CAP_MSIX)
			d->msix_at = at;
}

static int init(void *dev, struct error *e)
{
	struct e1000 *d = dev;
	u8 *config = pci_config(&d->pci);

	loaded(d);
	netdev_address(d, d->mac);
	if (!d->old) {
		st16le(config + CONFIG_SUBVENDOR, d->subsys_ven);
		st16le(config + CONFIG_SUBSYSTEM, d->subsys);
	}
	e1000_nvm_init(d);
	netdev_describe(d->netdev, d->pci.dev.class->name, d->mac);
	return netdev_attach(d->netdev, d, &user, e);
}

/* The NVM is not volatile; by CTRL.RST the PHY goes on. */
void e1000_reset(void *dev)
{
	struct e1000 *d = dev;

	e1000_irq_reset(d);
	timer_stop(&d->work_timer);
	memset(d->tx, 0, sizeof(d->tx));
	d->ioaddr = 0;
	d->ee_bits = d->ee_out_bits = d->ee_writable = d->ee_clocked = 0;
	d->ee_shift = d->ee_out = 0;
	d->systim_at = clock_ns(d);
	d->timinca_was = 0;
	d->status = STATUS_LAN_INIT_DONE;
	e1000_nvm_load_address(d);
	e1000_link_update(d);
	/* a link that is there from the start is no change */
	d->icr = 0;
	e1000_irq_update(d);
}

/* Power-on and the machine's reset: the PHY too. */
static void full_reset(void *dev)
{
	struct e1000 *d = dev;

	e1000_phy_reset(d);
	d->negotiating = 1;
	timer_stop(&d->link_timer);
	e1000_reset(d);
	e1000_negotiate(d);
}

static void fini(void *dev) { netdev_detach(((struct e1000 *)dev)->netdev); }

/* ---- the frame that is being collected */

static void save_tx(void *dev, struct blob *b)
{
	struct e1000 *d = dev;

	for (unsigned q = 0; q < E1000_QUEUES; q++) {
		blob_put(b, &d->tx[q], offsetof(struct e1000_tx, frame));
		blob_put(b, d->tx[q].frame, d->tx[q].have);
	}
}

static int load_tx(void *dev, struct blob *b)
{
	struct e1000 *d = dev;

	for (unsigned q = 0; q < E1000_QUEUES; q++) {
		struct e1000_tx *t = &d->tx[q];

		if (blob_get(b, t, offsetof(struct e1000_tx, frame)) ||
		    t->have > sizeof(t->frame) || blob_get(b, t->frame, t->have))
			return -1;
		t->tse &= 1;
	}
	return 0;
}

#define PROPS \
	PROP(struct e1000, netdev, .kind = PROP_NETDEV, .doc = "What is behind it."), \
		PROP(struct e1000, mac, .kind = PROP_MAC, \
		     .doc = "Its address; by default 52:54:00:12:34:56 and up.")
#define ALWAYS(n, why) \
	{ \
		.name = n, .kind = PROP_BOOL, .size = 1, .ignored = why, \
		.doc = "No effect: " why "." \
	}
static const struct prop e1000_props[] = {
	PROPS,
	ALWAYS("autonegotiation", "the link is always negotiated"),
	ALWAYS("mitigation", "interrupts are moderated as the driver says"),
	ALWAYS("extra_mac_registers", "all registers are always there"),
	ALWAYS("migrate_tso_props", "snapshots always hold the whole state"),
	ALWAYS("init-vet", "VET is always initialised"),
	{}
};
static const struct prop e1000e_props[] = {
	PROPS,
	PROP(struct e1000, subsys_ven, .def = INTEL, .doc = "PCI subsystem vendor."),
	PROP(struct e1000, subsys, .doc = "PCI subsystem."),
	ALWAYS("disable_vnet_hdr", "frames come and go whole and with checksums"),
	ALWAYS("init-vet", "VET is always initialised"),
	ALWAYS("migrate-timadj", "snapshots always hold the whole state"),
	{}
};

#define SPAN(n, from, to, k) \
	{ \
		.name = n, .off = offsetof(struct e1000, from), \
		.size = offsetof(struct e1000, to) - offsetof(struct e1000, from), .kind = k \
	}
#define COMMON_STATE \
	STATE(struct e1000, ioaddr), STATE(struct e1000, nvm), STATE(struct e1000, phy), \
		STATE(struct e1000, phy_paged), STATE(struct e1000, link_lost), \
		STATE(struct e1000, negotiating), STATE(struct e1000, ee_bits), \
		STATE(struct e1000, ee_writable), STATE(struct e1000, ee_out_bits), \
		STATE(struct e1000, ee_clocked), STATE(struct e1000, ee_shift), \
		STATE(struct e1000, ee_out), STATE(struct e1000, ee_pad), \
		STATE(struct e1000, told), STATE(struct e1000, rx_due), \
		STATE(struct e1000, tx_due), STATE(struct e1000, systim_at), \
		STATE(struct e1000, timinca_was), STATE(struct e1000, pad_timinca), \
		TIMER(struct e1000, itr_timer, e1000_itr_timer), \
		TIMER(struct e1000, eitr_timer, e1000_itr_timer), \
		TIMER(struct e1000, rx_timer, e1000_rx_timer), \
		TIMER(struct e1000, rx_abs_timer, e1000_rx_timer), \
		TIMER(struct e1000, tx_timer, e1000_tx_timer), \
		TIMER(struct e1000, tx_abs_timer, e1000_tx_timer), \
		TIMER(struct e1000, link_timer, e1000_link_timer), \
		TIMER(struct e1000, work_timer, e1000_work), DERIVED(struct e1000, old), \
		DERIVED(struct e1000, msix_at), DERIVED(struct e1000, out), \
	{ \
		.name = "tx", .off = offsetof(struct e1000, tx), \
		.size = sizeof(((struct e1000 *)0)->tx), .kind = STATE_CUSTOM, .save = save_tx, \
		.load = load_tx \
	}
static const struct state e1000_state[] = { COMMON_STATE,
					    SPAN("of_82574", sctl, ioaddr, STATE_DERIVED),
					    SPAN("subsystem", subsys_ven, ctrl, STATE_DERIVED),
					    {} };
static const struct state e1000e_state[] = { COMMON_STATE, DERIVED(struct e1000, last_82574), {} };

#define LIFE(table) \
	.bus = "pci", .size = sizeof(struct e1000), .props = table##_props, \
	.state = table##_state, .init = init, .reset = full_reset, .loaded = loaded, .fini = fini
static const struct pci_class e1000e_class = {
	.dev = { .api = QUERN_DEVICE_API,
		 .name = "e1000e",
		 .doc = "Intel 82574L gigabit network card",
		 LIFE(e1000e) },
	.vendor = INTEL,
	.device = DEVICE_82574L,
	.class_code = 0x020000,
	.intx = true,
	.msi = 1,
	.msix = E1000_VECTORS,
	.msix_bar = 3,
	.express = true,
	.bar[0] = { e1000e_regs, 0x20000, .read = e1000_no_reg_read, .write = e1000_no_reg_write },
	.bar[1] = { .size = 0x20000, .read = e1000_flash_read, .write = e1000_flash_write },
	.bar[2] = { .size = 32, .io = true, .read = e1000_io_read, .write = e1000_io_write },
	.bar[3] = { .size = 0x4000 },
};
QUERN_REGISTER(e1000e_class);

static const struct pci_class e1000_class = {
	.dev = { .api = QUERN_DEVICE_API,
		 .name = "e1000",
		 .doc = "Intel 82540EM gigabit network card",
		 LIFE(e1000) },
	.vendor = INTEL,
	.device = DEVICE_82540EM,
	.revision = 3,
	.class_code = 0x020000,
	.intx = true,
	.bar[0] = { e1000_regs, 0x20000, .read = e1000_no_reg_read, .write = e1000_no_reg_write },
	.bar[1] = { .size = 64, .io = true, .read = e1000_io_read, .write = e1000_io_write },
};
QUERN_REGISTER(e1000_class);
