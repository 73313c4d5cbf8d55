/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcie_root_port.c - a root port with one hot-plug slot (PCI Express Base 6.1, 6.7 and 7.5.3). The
 * slot has an attention button, which device_del presses, a power controller and a power indicator;
 * the guest lets go of a device by switching its power and its light off.
 */
#include "bus/pci_core.h"
#include "core/device_add.h"
#include "core/machine.h"
#include "lib/error.h"
#include <errno.h>

/* Registers of the capability. */
enum {
	EXP_FLAGS = 0x02,
	EXP_DEVCAP = 0x04,
	EXP_DEVCTL = 0x08,
	EXP_DEVSTA = 0x0a,
	EXP_LNKCAP = 0x0c,
	EXP_LNKCTL = 0x10,
	EXP_LNKSTA = 0x12,
	EXP_SLTCAP = 0x14,
	EXP_SLTCTL = 0x18,
	EXP_SLTSTA = 0x1a,
	EXP_RTCTL = 0x1c,
	EXP_LNKCTL2 = 0x30,
	EXP_SIZE = 0x3c
};
enum { FLAGS_ROOT_PORT = 2 | 4 << 4 | BIT(8) };
enum { LNK_GEN1_X1 = 1 | 1 << 4, LNKCAP_ACTIVE_REPORTED = BIT(20), LNKSTA_ACTIVE = BIT(13) };
enum {
	SLTCAP_BUTTON = BIT(0),
	SLTCAP_POWER = BIT(1),
	SLTCAP_ATTENTION_LIGHT = BIT(3),
	SLTCAP_POWER_LIGHT = BIT(4),
	SLTCAP_HOTPLUG = BIT(6),
	SLTCAP_NO_COMPLETION = BIT(18),
	SLTCAP_NUMBER_SHIFT = 19
};
/* Status bits, and the enables at the same place in the control register. */
enum {
	SLT_BUTTON = BIT(0),
	SLT_PRESENCE_CHANGED = BIT(3),
	SLT_LINK_CHANGED = BIT(8), /* its enable is bit 12 */
	SLTSTA_PRESENT = BIT(6),
	SLTCTL_INTERRUPT = BIT(5),
	SLTCTL_POWER_LIGHT = 3 << 8,
	SLTCTL_POWER_LIGHT_OFF = 3 << 8,
	SLTCTL_POWER_OFF = BIT(10),
	SLTCTL_LINK_ENABLE = BIT(12)
};

struct pcie_root_port {
	struct pci_device pci;
	u32 at;		 /* of the capability */
	u16 slot_number; /* physical */
	u16 control;	 /* as written last */
	u8 chassis, port;
	bool hotplug, signalled;
	u8 pad[4];
};

static u8 *reg_of(struct pcie_root_port *p, unsigned r) { return p->pci.pci->config + p->at + r; }

/* 6.7.3.4: an enabled event that is pending; MSI goes out when that becomes true. */
static void update_interrupt(struct pcie_root_port *p)
{
	u16 control = ld16le(reg_of(p, EXP_SLTCTL)), status = ld16le(reg_of(p, EXP_SLTSTA));
	u16 wanted = control & (SLT_BUTTON | SLT_PRESENCE_CHANGED);
	bool on;

	if (control & SLTCTL_LINK_ENABLE)
		wanted |= SLT_LINK_CHANGED;
	on = control & SLTCTL_INTERRUPT && status & wanted;
	if (on && !p->signalled && pci_msi_enabled(&p->pci))
		pci_irq(&p->pci, 0);
	pci_intx(&p->pci, on && !pci_msi_enabled(&p->pci));
	p->signalled = on;
}

static void note(struct pcie_root_port *p, u16 events)
{
	u8 *status = reg_of(p, EXP_SLTSTA);

	st16le(status, ld16le(status) | events);
	update_interrupt(p);
}

/* There is a device in the slot now, or none. */
static void set_present(struct pcie_root_port *p, bool present)
{
	u8 *status = reg_of(p, EXP_SLTSTA), *link = reg_of(p, EXP_LNKSTA);

	st16le(status, (ld16le(status) & ~SLTSTA_PRESENT) | (present ? SLTSTA_PRESENT : 0));
	st16le(link, (ld16le(link) & ~LNKSTA_ACTIVE) | (present ? LNKSTA_ACTIVE : 0));
}

static void plugged(struct pci_core *port, struct pci_core *child)
{
	struct pcie_root_port *p = (struct pcie_root_port *)port->dev;

	if (ld16le(reg_of(p, EXP_SLTSTA)) & SLTSTA_PRESENT)
		return; /* a further function */
	set_present(p, true);
	/* before the machine has run, it was always there */
	if (port->dev->dev.core->machine->state != RUN_PRELAUNCH)
		note(p, SLT_PRESENCE_CHANGED | SLT_LINK_CHANGED);
	trace(&p->pci, "plugged", "%s", child->dev->dev.id);
}

static int unplug_request(struct pci_core *port, struct pci_core *child, struct error *e)
{
	struct pcie_root_port *p = (struct pcie_root_port *)port->dev;

	if (!p->hotplug)
		return error_ret(e, -EINVAL, "Bus '%s' does not support hotplugging",
				 port->secondary->bus.name);
	if (ld16le(reg_of(p, EXP_SLTSTA)) & SLT_BUTTON)
		return error_ret(e, -EBUSY,
				 "the guest has not answered the last press of the slot's button");
	note(p, SLT_BUTTON);
	return 0;
}

static const struct pci_port_ops root_port_ops = { plugged, unplug_request };

static void eject(struct pcie_root_port *p)
{
	struct pci_bus *b = p->pci.pci->secondary;
	bool any = false;

	for (unsigned i = ARRAY_SIZE(b->at); i-- > 0;) {
		if (!b->at[i])
			continue;
		any = true;
		device_deleted(&b->at[i]->dev->dev);
	}
	if (!any)
		return;
	set_present(p, false);
	note(p, SLT_PRESENCE_CHANGED | SLT_LINK_CHANGED);
}

static bool is_off(u16 control)
{
	return control & SLTCTL_POWER_OFF &&
	       (control & SLTCTL_POWER_LIGHT) == SLTCTL_POWER_LIGHT_OFF;
}

static void config_written(void *dev, u32 off, unsigned size, u32 val)
{
	struct pcie_root_port *p = dev;
	u16 old = p->control;

	if (off >= p->at + EXP_SIZE || off + size <= p->at)
		return;
	p->control = ld16le(reg_of(p, EXP_SLTCTL));
	/* 6.7.1.1: the device may be taken out when the light is off; power goes first */
	if (is_off(p->control) && !is_off(old))
		eject(p);
	update_interrupt(p);
}

static void init_capability(struct pcie_root_port *p)
{
	struct pci_core *c = p->pci.pci;
	u32 slot = (u32)p->slot_number << SLTCAP_NUMBER_SHIFT;
	u8 *w1c, *wmask;

	p->at = c->express = pci_add_capability(&p->pci, CAP_EXPRESS, EXP_SIZE);
	wmask = c->wmask + p->at;
	w1c = c->w1c + p->at;
	if (p->hotplug)
		slot |= SLTCAP_BUTTON | SLTCAP_POWER | SLTCAP_ATTENTION_LIGHT | SLTCAP_POWER_LIGHT |
			SLTCAP_HOTPLUG | SLTCAP_NO_COMPLETION;
	st16le(reg_of(p, EXP_FLAGS), FLAGS_ROOT_PORT);
	st32le(reg_of(p, EXP_DEVCAP), BIT(15));
	st16le(wmask + EXP_DEVCTL, 0x7fff);
	st16le(reg_of(p, EXP_DEVCTL), 0x2810);
	st16le(w1c + EXP_DEVSTA, 0x000f);
	st32le(reg_of(p, EXP_LNKCAP), LNK_GEN1_X1 | LNKCAP_ACTIVE_REPORTED | (u32)p->port << 24);
	st16le(wmask + EXP_LNKCTL, 0x00f3);
	st16le(reg_of(p, EXP_LNKSTA), LNK_GEN1_X1);
	st32le(reg_of(p, EXP_SLTCAP), slot);
	st16le(wmask + EXP_SLTCTL, p->hotplug ? 0x1fff : 0);
	st16le(reg_of(p, EXP_SLTCTL), p->hotplug ? 0x01c0 : 0); /* power on, lights on, off */
	st16le(w1c + EXP_SLTSTA, SLT_BUTTON | SLT_PRESENCE_CHANGED | SLT_LINK_CHANGED);
	st16le(wmask + EXP_RTCTL, 0x001f);
	st16le(reg_of(p, EXP_LNKCTL2), 1);
}

static int root_port_init(void *dev, struct error *e)
{
	struct pcie_root_port *p = dev;
	struct pci_core *c = p->pci.pci;

	if (!c->bus->express || c->bus->bridge)
		return error_ret(e, -EINVAL,
				 "pcie-root-port belongs on a PCI Express root bus (pcie.0 of "
				 "machine q35)");
	init_capability(p);
	pci_bridge_bus(&p->pci, p->pci.dev.id);
	c->port = &root_port_ops;
	return 0;
}

static void root_port_reset(void *dev)
{
	struct pcie_root_port *p = dev;

	p->control = ld16le(reg_of(p, EXP_SLTCTL));
	p->signalled = false;
}

static const struct prop root_port_props[] = {
	PROP(struct pcie_root_port, chassis, .doc = "Number of the chassis that the slot is in."),
	PROP(struct pcie_root_port, port, .doc = "Number of the port."),
	{ .name = "slot",
	  .off = offsetof(struct pcie_root_port, slot_number),
	  .size = sizeof(u16),
	  .max = 0x1fff,
	  .doc = "Physical number of the slot." },
	PROP(struct pcie_root_port, hotplug, .kind = PROP_BOOL, .def = 1,
	     .doc = "Devices can be plugged in and out while the machine runs."),
	{}
};
static const struct state root_port_state[] = { DERIVED(struct pcie_root_port, at),
						STATE(struct pcie_root_port, control),
						STATE(struct pcie_root_port, signalled),
						DERIVED(struct pcie_root_port, pad),
						{} };
PCI_DEVICE(pcie_root_port,
	   .dev = { .name = "pcie-root-port",
		    .doc = "PCI Express root port with a hot-plug slot",
		    .bus = "pci",
		    .size = sizeof(struct pcie_root_port),
		    .props = root_port_props,
		    .state = root_port_state,
		    .init = root_port_init,
		    .reset = root_port_reset },
	   .vendor = 0x1b36, .device = 0x000c, .class_code = 0x060400, .header = 1, .intx = true,
	   .msi = 1, .config_written = config_written);
