/* SPDX-License-Identifier: GPL-2.0-or-later */
/* e1000_irq.c - interrupts: causes and masks, the pin, one message or several by cause, moderation
 * (82574 datasheet 7.4, 10.2.4). */
#include "e1000.h"

enum {
	ITR_UNIT = 256,	   /* ns */
	DELAY_UNIT = 1024, /* of RDTR and its kin */
	IVAR_VALID = BIT(3),
	NCAUSES = 5,
	OTHER_CAUSES = ICR_LSC | ICR_RXO | ICR_MDAC | ICR_SRPD | ICR_ACK | ICR_MNG,
	MSIX_CONTROL = 2,
	MSIX_ENABLE = BIT(15),
};
/* those that have a vector of their own, in the order of IVAR */
static const u32 vector_causes[NCAUSES] = { ICR_RXQ0, ICR_RXQ1, ICR_TXQ0, ICR_TXQ1, ICR_OTHER };

static bool msix_on(struct e1000 *d)
{
	return d->msix_at &&
	       (ld16le(pci_config(&d->pci) + d->msix_at + MSIX_CONTROL) & MSIX_ENABLE);
}

static u32 pending(const struct e1000 *d) { return d->icr & d->ims & ~(u32)ICR_INT_ASSERTED; }

/* ---- by cause */

static void fire(struct e1000 *d, u32 cause, unsigned vector)
{
	u64 gap = (u64)(d->eitr[vector] & 0xffff) * ITR_UNIT;

	d->told |= cause;
	trace(d, "message", "vector=%u cause=%#x", vector, cause);
	e1000_count(&d->iac, 1);
	d->icr &= ~(d->eiac & cause);
	if (d->ctrl_ext & CTRL_EXT_EIAME)
		d->ims &= ~(d->iam & cause);
	if (gap)
		timer_start(&d->eitr_timer[vector], gap);
	pci_irq(&d->pci, vector);
}

static void update_msix(struct e1000 *d)
{
	for (unsigned i = 0; i < NCAUSES; i++) {
		u32 cause = vector_causes[i], entry = d->ivar >> 4 * i;
		unsigned vector = entry & 7;

		if (!(pending(d) & cause) || (d->told & cause) || !(entry & IVAR_VALID))
			continue;
		if (vector >= E1000_VECTORS)
			guest_error(d, "IVAR: vector %u: there are %u", vector, E1000_VECTORS);
		else if (!d->eitr_timer[vector].deadline)
			fire(d, cause, vector);
	}
}

/* ---- one for all */

static void update_single(struct e1000 *d)
{
	bool message = pci_msi_enabled(&d->pci);

	if (!pending(d)) {
		d->icr &= ~ICR_INT_ASSERTED;
		pci_intx(&d->pci, 0);
		return;
	}
	if (!(pending(d) & ~d->told) || d->itr_timer.deadline) {
		/* it goes on being told, unless moderation holds it back */
		if (!message && (d->icr & ICR_INT_ASSERTED))
			pci_intx(&d->pci, 1);
		return;
	}
	d->told |= pending(d);
	d->icr |= ICR_INT_ASSERTED;
	e1000_count(&d->iac, 1);
	if (d->itr & 0xffff)
		timer_start(&d->itr_timer, (u64)(d->itr & 0xffff) * ITR_UNIT);
	if (message)
		pci_irq(&d->pci, 0);
	else
		pci_intx(&d->pci, 1);
}

void e1000_irq_update(struct e1000 *d)
{
	d->told &= pending(d);
	if (msix_on(d)) {
		if (pending(d))
			d->icr |= ICR_INT_ASSERTED;
		else
			d->icr &= ~ICR_INT_ASSERTED;
		update_msix(d);
	} else {
		update_single(d);
	}
}

void e1000_cause(struct e1000 *d, u32 causes)
{
	if (!d->old && (causes & OTHER_CAUSES))
		causes |= ICR_OTHER;
	/* a vector tells each new event; a single message what is new */
	if (msix_on(d))
		d->told &= ~causes;
	d->icr |= causes;
	trace(d, "cause", "%#x icr=%#x ims=%#x", causes, d->icr, d->ims);
	e1000_irq_update(d);
}

void e1000_itr_timer(void *dev) { e1000_irq_update(dev); }

void e1000_irq_reset(struct e1000 *d)
{
	timer_stop(&d->itr_timer);
	for (unsigned i = 0; i < E1000_VECTORS; i++)
		timer_stop(&d->eitr_timer[i]);
	timer_stop(&d->rx_timer);
	timer_stop(&d->rx_abs_timer);
	timer_stop(&d->tx_timer);
	timer_stop(&d->tx_abs_timer);
	d->rx_due = d->tx_due = d->told = 0;
	pci_intx(&d->pci, 0);
}

/* ---- delays */

void e1000_rx_timer(void *dev)
{
	struct e1000 *d = dev;
	u32 due = d->rx_due;

	timer_stop(&d->rx_timer);
	timer_stop(&d->rx_abs_timer);
	d->rx_due = 0;
	e1000_cause(d, due);
}

void e1000_rx_cause(struct e1000 *d, unsigned queue, bool low)
{
	u32 causes = ICR_RXT0 | (d->old ? 0 : queue ? ICR_RXQ1 : ICR_RXQ0);

	if (low)
		causes |= ICR_RXDMT0;
	if (low || !d->rdtr) {
		e1000_cause(d, causes | d->rx_due);
		d->rx_due = 0;
		return;
	}
	d->rx_due |= causes;
	timer_start(&d->rx_timer, (u64)d->rdtr * DELAY_UNIT);
	if (d->radv && !d->rx_abs_timer.deadline)
		timer_start(&d->rx_abs_timer, (u64)d->radv * DELAY_UNIT);
}

void e1000_rdtr_set(void *dev, unsigned i, u64 val)
{
	struct e1000 *d = dev;

	if ((val & DELAY_FLUSH) && d->rx_due)
		e1000_rx_timer(d);
}

void e1000_tx_timer(void *dev)
{
	struct e1000 *d = dev;
	u32 due = d->tx_due;

	timer_stop(&d->tx_timer);
	timer_stop(&d->tx_abs_timer);
	d->tx_due = 0;
	e1000_cause(d, due);
}

void e1000_tx_cause(struct e1000 *d, unsigned queue, bool delayed)
{
	u32 causes = ICR_TXDW | (d->old ? 0 : queue ? ICR_TXQ1 : ICR_TXQ0);

	if (!delayed || !d->tidv) {
		e1000_cause(d, causes);
		return;
	}
	d->tx_due |= causes;
	timer_start(&d->tx_timer, (u64)d->tidv * DELAY_UNIT);
	if (d->tadv && !d->tx_abs_timer.deadline)
		timer_start(&d->tx_abs_timer, (u64)d->tadv * DELAY_UNIT);
}

void e1000_tidv_set(void *dev, unsigned i, u64 val)
{
	struct e1000 *d = dev;

	if ((val & DELAY_FLUSH) && d->tx_due)
		e1000_tx_timer(d);
}

/* ---- registers */

/* 10.2.4.1: reading acknowledges everything on an 82540; on an 82574 when nothing is masked or an
 * interrupt is asserted. */
u64 e1000_icr_get(void *dev, unsigned i, u64 val)
{
	struct e1000 *d = dev;

	if (d->old || !d->ims || (val & ICR_INT_ASSERTED)) {
		d->icr = 0;
		if (!d->old && (d->ctrl_ext & CTRL_EXT_IAME) && (val & ICR_INT_ASSERTED))
			d->ims &= ~d->iam;
		e1000_irq_update(d);
	}
	return val;
}

void e1000_icr_set(void *dev, unsigned i, u64 val)
{
	struct e1000 *d = dev;

	if (!d->old && (d->ctrl_ext & CTRL_EXT_IAME) && (d->icr & ICR_INT_ASSERTED))
		d->ims &= ~d->iam;
	e1000_irq_update(d);
}

void e1000_ics_set(void *dev, unsigned i, u64 val)
{
	e1000_cause(dev, val & ~(u64)ICR_INT_ASSERTED);
}

void e1000_ims_set(void *dev, unsigned i, u64 val)
{
	struct e1000 *d = dev;

	/* what was held back is told when it may be */
	d->told &= d->ims;
	e1000_irq_update(d);
}

void e1000_imc_set(void *dev, unsigned i, u64 val)
{
	struct e1000 *d = dev;

	d->ims &= ~val;
	e1000_irq_update(d);
}
