/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crc.c - a checksum engine: the smallest complete PCI device, to learn from and to break drivers
 * with. The driver sets src and len, writes CTL_START, and gets MSI-X 0 (done) or 1 (error) later.
 */
#include <quern/crc32.h>
#include <quern/pci.h>

enum {
	CTL_START = BIT(0),
	CTL_KEEP = BIT(1), /* KEEP: continue from the last result */
	ST_BUSY = BIT(0),
	ST_DONE = BIT(1),
	ST_ERROR = BIT(2),
	LEN_BYTES = GENMASK(19, 0),
};

struct crc {
	struct pci_device pci;
	u64 src;
	u32 id, ctl, status, len, result;
	struct latency latency;
	struct timer timer;
};

static void crc_finish(void *dev)
{
	struct crc *d = dev;
	u8 buf[4096];
	bool ok = true;

	if (fault(d, "stuck"))
		return;
	for (u32 pos = 0, n; ok && pos < d->len; pos += n) {
		n = MIN(d->len - pos, (u32)sizeof(buf));
		ok = dma_read(&d->pci, d->src + pos, buf, n) == 0;
		if (ok)
			d->result = crc32(d->result, buf, n);
	}
	d->status = ok ? ST_DONE : ST_ERROR;
	trace(d, "finish", "ok=%d result=%#x", ok, d->result);
	pci_irq(&d->pci, ok ? 0 : 1);
}

static void crc_control(void *dev, unsigned i, u64 val)
{
	struct crc *d = dev;

	if (!(val & CTL_START) || (d->status & ST_BUSY))
		return;
	if (!(val & CTL_KEEP))
		d->result = 0;
	d->status = ST_BUSY;
	timer_start(&d->timer, latency_ns(d, &d->latency));
}

static void crc_reset(void *dev)
{
	struct crc *d = dev;

	timer_stop(&d->timer);
}

static const struct reg crc_regs[] = {
	REG(0x00, struct crc, id, RO, .reset = 0x0c2c0001, .doc = "Magic and version."),
	REG(0x04, struct crc, ctl, .pulse = CTL_START, .set = crc_control,
	    FIELDS(CTL_START, CTL_KEEP), .doc = "Starts a run."),
	REG(0x08, struct crc, status, .ro = ST_BUSY, .w1c = ST_DONE | ST_ERROR,
	    FIELDS(ST_BUSY, ST_DONE, ST_ERROR), .doc = "Progress; write 1 to acknowledge."),
	REG(0x0c, struct crc, len, FIELDS(LEN_BYTES), .doc = "Bytes to read."),
	REG(0x10, struct crc, src, .doc = "Bus address of the data."),
	REG(0x18, struct crc, result, RO, .doc = "CRC-32 of the data so far."),
	{}
};
static const struct prop crc_props[] = { PROP(struct crc, latency, .kind = PROP_LATENCY,
					      .def_str = "10us", .doc = "Time one run takes."),
					 {} };
static const struct state crc_state[] = { TIMER(struct crc, timer, crc_finish), {} };

PCI_DEVICE(crc,
	   .dev = { .name = "crc",
		    .doc = "Checksum engine",
		    .bus = "pci",
		    .size = sizeof(struct crc),
		    .props = crc_props,
		    .state = crc_state,
		    .reset = crc_reset },
	   .vendor = 0x1234, .device = 0x00c2, .class_code = 0x088000, .msix = 2,
	   .bar[0] = { crc_regs, 0x1000 });
