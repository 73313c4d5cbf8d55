/* SPDX-License-Identifier: GPL-2.0-or-later */
/* edu.c - the educational device of many driver courses: numbers, interrupts and DMA, each in its
 * simplest form (the EDU device specification). What happens while nobody looks, a factorial or a
 * transfer, happens in guest time. */
#include <quern/pci.h>

enum {
	STATUS_COMPUTING = BIT(0),
	STATUS_IRQ = BIT(7), /* raise IRQ_FACTORIAL when done */
	CMD_START = BIT(0),
	CMD_FROM_EDU = BIT(1), /* direction: 0 = memory to buffer */
	CMD_IRQ = BIT(2),      /* raise IRQ_DMA when done */
};
enum { IRQ_FACTORIAL = 0x1, IRQ_DMA = 0x100 };
enum { BUFFER_AT = 0x40000, BUFFER = 4096, DMA_NS = 100000000 };

struct edu {
	struct pci_device pci;
	u64 dma_mask;
	u64 src, dst, count, cmd;
	u32 id, alive, factorial, status, irq_status;
	struct timer computed, transferred;
	u8 buffer[BUFFER];
};

/* ---- interrupts: one vector, one pin, any number of reasons */

static void raise_irq(struct edu *d, u32 why)
{
	d->irq_status |= why;
	trace(d, "raise", "%#x, status %#x", why, d->irq_status);
	if (!d->irq_status)
		return;
	if (pci_msi_enabled(&d->pci))
		pci_irq(&d->pci, 0);
	else
		pci_intx(&d->pci, 1);
}

static void irq_raised(void *dev, unsigned i, u64 val) { raise_irq(dev, val); }

static void irq_acknowledged(void *dev, unsigned i, u64 val)
{
	struct edu *d = dev;

	d->irq_status &= ~val;
	if (!d->irq_status)
		pci_intx(&d->pci, 0);
}

/* What is only written reads as ones. */
static u64 nothing(void *dev, unsigned i, u64 val) { return ~0ull; }

/* ---- numbers */

static void alive_written(void *dev, unsigned i, u64 val) { ((struct edu *)dev)->alive = ~val; }

static void factorial_written(void *dev, unsigned i, u64 val)
{
	struct edu *d = dev;

	d->status |= STATUS_COMPUTING;
	timer_start(&d->computed, val); /* a multiplication takes a nanosecond */
}

static bool computing(void *dev, unsigned i)
{
	return ((struct edu *)dev)->status & STATUS_COMPUTING;
}

static void factorial_computed(void *dev)
{
	struct edu *d = dev;
	u32 n = d->factorial, product = 1;

	if (fault(d, "factorial_stuck"))
		return;
	/* from 34! on, the low 32 bits are 0 */
	while (n && product)
		product *= n--;
	d->factorial = product;
	d->status &= ~STATUS_COMPUTING;
	trace(d, "factorial", "%#x", product);
	if (d->status & STATUS_IRQ)
		raise_irq(d, IRQ_FACTORIAL);
}

/* ---- DMA */

static u64 masked(struct edu *d, u64 addr)
{
	if (addr & ~d->dma_mask)
		guest_error(d, "bus address %#llx is cut to %#llx by the DMA mask %#llx",
			    (unsigned long long)addr, (unsigned long long)(addr & d->dma_mask),
			    (unsigned long long)d->dma_mask);
	return addr & d->dma_mask;
}

static void transfer(struct edu *d)
{
	bool out = d->cmd & CMD_FROM_EDU;
	u64 inside = out ? d->src : d->dst, outside = masked(d, out ? d->dst : d->src);
	int err;

	if (inside < BUFFER_AT || !range_fits(inside - BUFFER_AT, d->count, BUFFER)) {
		guest_error(d,
			    "DMA of %#llx bytes at %#llx of the device; its buffer is %#x bytes "
			    "at %#x",
			    (unsigned long long)d->count, (unsigned long long)inside, BUFFER,
			    BUFFER_AT);
		return;
	}
	inside -= BUFFER_AT;
	if (out)
		err = dma_write(&d->pci, outside, d->buffer + inside, d->count);
	else
		err = dma_read(&d->pci, outside, d->buffer + inside, d->count);
	trace(d, "dma", "%s %#llx, %llu bytes%s", out ? "to" : "from", (unsigned long long)outside,
	      (unsigned long long)d->count, err ? ": failed" : "");
}

static void dma_done(void *dev)
{
	struct edu *d = dev;

	if (fault(d, "dma_stuck"))
		return;
	transfer(d);
	d->cmd &= ~(u64)CMD_START;
	if (d->cmd & CMD_IRQ)
		raise_irq(d, IRQ_DMA);
}

static void command_written(void *dev, unsigned i, u64 val)
{
	struct edu *d = dev;

	if (val & CMD_START)
		timer_start(&d->transferred, DMA_NS);
}

static bool transferring(void *dev, unsigned i) { return ((struct edu *)dev)->cmd & CMD_START; }

/* ---- */

static void edu_reset(void *dev)
{
	struct edu *d = dev;

	timer_stop(&d->computed);
	timer_stop(&d->transferred);
	memset(d->buffer, 0, sizeof(d->buffer));
	pci_intx(&d->pci, 0);
}

#define REG_DMA(at_, m, ...) \
	REG(at_, struct edu, m, .extend = true, .locked = transferring, __VA_ARGS__)
static const struct reg edu_regs[] = {
	REG(0x00, struct edu, id, RO, .reset = 0x010000ed, .doc = "Version 1.0, and 0xed."),
	REG(0x04, struct edu, alive, .set = alive_written,
	    .doc = "Reads as what was written, inverted."),
	REG(0x08, struct edu, factorial, .set = factorial_written, .locked = computing,
	    .doc = "A number n is written; n! is read when status says that it is computed."),
	REG(0x20, struct edu, status, .ro = STATUS_COMPUTING, FIELDS(STATUS_COMPUTING, STATUS_IRQ),
	    .doc = "STATUS_IRQ: raise interrupt 0x1 when a factorial is computed."),
	REG(0x24, struct edu, irq_status, RO, .doc = "Interrupts raised and not acknowledged."),
	{ .name = "irq_raise",
	  .at = 0x60,
	  .size = 4,
	  .novalue = true,
	  .get = nothing,
	  .set = irq_raised,
	  .doc = "Bits written are raised as interrupts." },
	{ .name = "irq_ack",
	  .at = 0x64,
	  .size = 4,
	  .novalue = true,
	  .get = nothing,
	  .set = irq_acknowledged,
	  .doc = "Bits written are acknowledged." },
	REG_DMA(0x80, src, .doc = "Source: a bus address, or 0x40000 and up for the buffer."),
	REG_DMA(0x88, dst, .doc = "Destination, likewise."),
	REG_DMA(0x90, count, .doc = "Bytes to transfer, up to 4096."),
	REG_DMA(0x98, cmd, .set = command_written, FIELDS(CMD_START, CMD_FROM_EDU, CMD_IRQ),
		.doc = "Starts a transfer of 100 ms; CMD_START reads 1 until its end. CMD_IRQ: "
		       "raise interrupt 0x100 then."),
	{}
};
static const struct prop edu_props[] = {
	PROP(struct edu, dma_mask, .def = GENMASK(27, 0),
	     .doc = "Bus address bits that the device has; a driver must know."),
	{}
};
static const struct state edu_state[] = { TIMER(struct edu, computed, factorial_computed),
					  TIMER(struct edu, transferred, dma_done),
					  STATE(struct edu, buffer),
					  {} };

PCI_DEVICE(edu,
	   .dev = { .name = "edu",
		    .doc = "Educational device: factorials, interrupts, DMA",
		    .bus = "pci",
		    .size = sizeof(struct edu),
		    .props = edu_props,
		    .state = edu_state,
		    .reset = edu_reset },
	   .vendor = 0x1234, .device = 0x11e8, .revision = 0x10, .class_code = 0x00ff00,
	   .intx = true, .msi = 1, .bar[0] = { edu_regs, 0x100000 });
