/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvme - an NVM Express controller (Base specification 1.4): registers, queues, interrupts. PCI
 * identity, properties and names are those of QEMU's controller. A submission queue is emptied when
 * its doorbell is written; what ends together raises one interrupt per completion queue.
 */
#include "nvme.h"
#include <stdio.h>
#include <stdlib.h>

enum {
	CC_EN = BIT(0),
	CC_CSS = GENMASK(6, 4),
	CC_MPS = GENMASK(10, 7),
	CC_AMS = GENMASK(13, 11),
	CC_SHN = GENMASK(15, 14),
	CC_IOSQES = GENMASK(19, 16),
	CC_IOCQES = GENMASK(23, 20),
	CSTS_RDY = BIT(0),
	CSTS_CFS = BIT(1),
	CSTS_SHST = GENMASK(3, 2),
	CSTS_SHST_BUSY = 1 << 2,
	CSTS_SHST_DONE = 2 << 2,
	AQA_ASQS = GENMASK(11, 0),
	AQA_ACQS = GENMASK(27, 16),
	DOORBELLS = 0x1000,
	CMBMSC_CRE = BIT(0),
	CMBMSC_CMSE = BIT(1),
	CMB_BAR = 2,
};
#define CAP_CMBS BIT64(57)

/* ---- requests */

struct nvme_req *nvme_req_get(struct nvme *n)
{
	struct nvme_req *r = n->free;

	if (!r) {
		r = calloc(1, sizeof(*r));
		if (!r)
			return NULL;
		r->n = n;
		return r;
	}
	n->free = r->next;
	return r;
}

void nvme_req_put(struct nvme *n, struct nvme_req *r)
{
	r->next = n->free;
	n->free = r;
}

u64 nvme_bus_address(struct nvme *n, u64 addr)
{
	u64 base = n->cmbmsc & ~0xfffull, size = (u64)n->cmb_size_mb << 20;

	if (!(n->cmbmsc & CMBMSC_CMSE) || addr < base || addr - base >= size)
		return addr;
	return pci_bar_address(&n->pci, CMB_BAR) + (addr - base);
}

/* ---- completion */

static bool cq_full(const struct nvme_cq *cq) { return (cq->tail + 1) % cq->size == cq->head; }

static void fatal(struct nvme *n)
{
	if (!(n->csts & CSTS_CFS))
		guest_error(n, "the controller stops: it cannot reach its queues");
	n->csts |= CSTS_CFS;
}

static void post(struct nvme *n, struct nvme_cq *cq, const struct nvme_req *r)
{
	u64 addr = nvme_bus_address(n, cq->base + cq->tail * 16ull);
	size_t size = 16;
	u8 entry[16], *p = dev_dma_map(n, addr, &size, true);
	const struct nvme_sq *sq = &n->sq[r->sqid];

	st32le(entry, r->result);
	st32le(entry + 4, 0);
	st16le(entry + 8, sq->head);
	st16le(entry + 10, r->sqid);
	st16le(entry + 12, r->cmd.cid);
	st16le(entry + 14, r->status << 1 | cq->phase);
	if (p && size == 16) {
		memcpy(p, entry, 16);
		dev_dma_dirty(n, addr, 16);
	} else if (dma_write(&n->pci, addr, entry, 16)) {
		fatal(n);
	}
	if (++cq->tail == cq->size) {
		cq->tail = 0;
		cq->phase = !cq->phase;
	}
	cq->raise = true;
}

static void finish(struct nvme *n, struct nvme_req *r)
{
	struct nvme_sq *sq = &n->sq[r->sqid];

	if (sq->on && sq->outstanding)
		sq->outstanding--;
	n->resume |= sq->on && sq->head != sq->tail;
	nvme_req_put(n, r);
}

void nvme_done(struct nvme_req *r, u16 status)
{
	struct nvme *n = r->n;
	struct nvme_sq *sq = &n->sq[r->sqid];
	struct nvme_cq *cq = &n->cq[sq->cqid];
	struct nvme_req **at;

	r->status = status;
	if (status & 0x7ff)
		nvme_log_error(n, r, status);
	trace(n, "done", "sq%u cid=%#x status=%#x", r->sqid, r->cmd.cid, status);
	if (!sq->on || !cq->on || fault(n, "lost")) {
		finish(n, r);
		return;
	}
	if (!cq_full(cq)) {
		post(n, cq, r);
		finish(n, r);
		return;
	}
	r->next = NULL;
	for (at = &n->full[sq->cqid]; *at; at = &(*at)->next)
		;
	*at = r;
}

static void refill(struct nvme *n, u16 cqid)
{
	struct nvme_cq *cq = &n->cq[cqid];

	while (n->full[cqid] && !cq_full(cq)) {
		struct nvme_req *r = n->full[cqid];

		n->full[cqid] = r->next;
		post(n, cq, r);
		finish(n, r);
	}
}

void nvme_forget(struct nvme *n, u16 cqid, u16 sqid)
{
	struct nvme_req **at = &n->full[cqid];

	while (*at) {
		struct nvme_req *r = *at;

		if (sqid != 0xffff && r->sqid != sqid) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		nvme_req_put(n, r);
	}
}

/* ---- interrupts */

static void update_pin(struct nvme *n)
{
	bool level = false;

	for (unsigned i = 0; i < NVME_QUEUES; i++) {
		const struct nvme_cq *cq = &n->cq[i];

		level |= cq->on && cq->irq && cq->head != cq->tail &&
			 !(n->masked >> MIN(cq->vector, (u16)31) & 1);
	}
	pci_intx(&n->pci, level && !pci_msi_enabled(&n->pci));
}

static void raise_all(struct nvme *n)
{
	bool msi = pci_msi_enabled(&n->pci);

	for (unsigned i = 0; i < NVME_QUEUES; i++) {
		struct nvme_cq *cq = &n->cq[i];

		if (!cq->raise)
			continue;
		cq->raise = false;
		if (cq->on && cq->irq && msi)
			pci_irq(&n->pci, cq->vector);
	}
	if (!msi)
		update_pin(n);
}

/* ---- submission */

static void parse(struct nvme_cmd *c, const u8 *e)
{
	c->opcode = e[0];
	c->flags = e[1];
	c->cid = ld16le(e + 2);
	c->nsid = ld32le(e + 4);
	c->mptr = ld64le(e + 16);
	c->prp1 = ld64le(e + 24);
	c->prp2 = ld64le(e + 32);
	c->dw10 = ld32le(e + 40);
	c->dw11 = ld32le(e + 44);
	c->dw12 = ld32le(e + 48);
	c->dw13 = ld32le(e + 52);
	c->dw14 = ld32le(e + 56);
	c->dw15 = ld32le(e + 60);
}

static bool fetch(struct nvme *n, struct nvme_sq *sq, u8 *entry)
{
	u64 addr = nvme_bus_address(n, sq->base + sq->head * 64ull);
	size_t size = 64;
	const u8 *p = dev_dma_map(n, addr, &size, false);

	if (p && size == 64)
		memcpy(entry, p, 64);
	else if (dma_read(&n->pci, addr, entry, 64)) {
		fatal(n);
		return false;
	}
	sq->head = sq->head + 1 == sq->size ? 0 : sq->head + 1;
	return true;
}

static void execute(struct nvme *n, u16 sqid, const u8 *entry)
{
	struct nvme_req *r = nvme_req_get(n);
	u16 status;

	if (!r) {
		fatal(n);
		return;
	}
	r->sqid = sqid;
	r->result = 0;
	parse(&r->cmd, entry);
	n->sq[sqid].outstanding++;
	trace(n, "command", "sq%u cid=%#x opcode=%#x nsid=%#x dw10=%#x dw11=%#x dw12=%#x", sqid,
	      r->cmd.cid, r->cmd.opcode, r->cmd.nsid, r->cmd.dw10, r->cmd.dw11, r->cmd.dw12);
	status = sqid ? nvme_io(r) : nvme_admin(r);
	if (status != SC_LATER)
		nvme_done(r, status);
}

static void plug(struct nvme *n, bool on)
{
	for (unsigned i = 1; i <= NVME_MAX_NS; i++) {
		if (n->ns[i] && on)
			block_plug(n->ns[i]->drive);
		else if (n->ns[i])
			block_unplug(n->ns[i]->drive);
	}
}

static void run_queue(struct nvme *n, u16 sqid)
{
	struct nvme_sq *sq = &n->sq[sqid];
	u8 entry[64];

	/* at most one round: what comes meanwhile has its own doorbell */
	for (u32 i = 0; i < sq->size && sq->on && sq->head != sq->tail; i++) {
		if (sq->outstanding >= sq->size || (n->csts & CSTS_CFS) || !fetch(n, sq, entry))
			break;
		execute(n, sqid, entry);
	}
}

void nvme_after(struct nvme *n)
{
	if (n->resume && n->enabled) {
		n->resume = false;
		plug(n, true);
		for (unsigned i = 0; i < NVME_QUEUES; i++)
			run_queue(n, i);
		plug(n, false);
	}
	raise_all(n);
}

static void batch(void *dev) { nvme_after(dev); }

static void resized(void *dev)
{
	struct nvme *n = dev;

	for (u32 i = 1; i <= NVME_MAX_NS; i++) {
		if (n->ns[i])
			n->ns_changed[(i - 1) / 8] |= BIT((i - 1) % 8);
	}
	nvme_event(n, 2, 0, 4);
	nvme_after(n);
}

const struct block_user nvme_block_user = { .batch = batch, .resized = resized };

/* ---- doorbells */

static void bad_doorbell(struct nvme *n, u8 info, const char *what, u64 off, u64 val)
{
	guest_error(n, "doorbell at %#llx: %s (%#llx written)", (unsigned long long)off, what,
		    (unsigned long long)val);
	nvme_event(n, 0, info, 1);
}

static void cq_doorbell(struct nvme *n, u16 qid, u64 off, u32 val)
{
	struct nvme_cq *cq = &n->cq[qid];

	if (!cq->on) {
		bad_doorbell(n, 0, "there is no such completion queue", off, val);
		return;
	}
	if (val >= cq->size) {
		bad_doorbell(n, 1, "past the end of the completion queue", off, val);
		return;
	}
	cq->head = val;
	if (n->full[qid])
		refill(n, qid);
	if (!pci_msi_enabled(&n->pci))
		update_pin(n);
}

static void sq_doorbell(struct nvme *n, u16 qid, u64 off, u32 val)
{
	struct nvme_sq *sq = &n->sq[qid];

	if (!sq->on) {
		bad_doorbell(n, 0, "there is no such submission queue", off, val);
		return;
	}
	if (val >= sq->size) {
		bad_doorbell(n, 1, "past the end of the submission queue", off, val);
		return;
	}
	sq->tail = val;
	plug(n, true);
	run_queue(n, qid);
	plug(n, false);
}

static void bar_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct nvme *n = dev;
	u64 qid = (off - DOORBELLS) / 8;

	if (off < DOORBELLS || off % 4 || size != 4 || qid >= NVME_QUEUES) {
		guest_error(n, "write of %u bytes at %#llx, where nothing is", size,
			    (unsigned long long)off);
		return;
	}
	if (!n->enabled) {
		guest_error(n, "a doorbell while the controller is not ready");
		return;
	}
	if (off & 4)
		cq_doorbell(n, qid, off, val & 0xffff);
	else
		sq_doorbell(n, qid, off, val & 0xffff);
	nvme_after(n);
}

static u64 bar_read(void *dev, u64 off, unsigned size)
{
	if (off < DOORBELLS || off >= DOORBELLS + NVME_QUEUES * 8)
		guest_error(dev, "read at %#llx, where nothing is", (unsigned long long)off);
	return 0;
}

/* ---- on and off */

void nvme_drain(struct nvme *n)
{
	for (unsigned i = 1; i <= NVME_MAX_NS; i++) {
		if (n->ns[i])
			block_drain(n->ns[i]->drive);
	}
}

static void disable(struct nvme *n)
{
	n->enabled = false;
	/* what ends now is told to nobody */
	memset(n->sq, 0, sizeof(n->sq));
	memset(n->cq, 0, sizeof(n->cq));
	nvme_drain(n);
	for (unsigned i = 0; i < NVME_QUEUES; i++)
		nvme_forget(n, i, 0xffff);
	n->naers = n->nevents = 0;
	memset(n->event_masked, 0, sizeof(n->event_masked));
	n->resume = false;
	nvme_reset_features(n);
	update_pin(n);
}

static bool admin_queues_ok(struct nvme *n)
{
	u32 sqs = FIELD_GET(AQA_ASQS, n->aqa) + 1, cqs = FIELD_GET(AQA_ACQS, n->aqa) + 1,
	    mps = FIELD_GET(CC_MPS, n->cc);
	const char *why = NULL;

	if (mps > 4)
		why = "CC.MPS is larger than CAP.MPSMAX";
	else if (FIELD_GET(CC_CSS, n->cc) != 0 && FIELD_GET(CC_CSS, n->cc) != 7)
		why = "CC.CSS names a command set that is not there";
	else if (FIELD_GET(CC_AMS, n->cc))
		why = "CC.AMS names an arbitration that is not there";
	else if (sqs < 2 || cqs < 2)
		why = "an admin queue has less than two entries";
	else if ((n->asq | n->acq) & ((PAGE_MIN << mps) - 1))
		why = "an admin queue does not begin at a page";
	if (why)
		guest_error(n, "it cannot be enabled: %s", why);
	return !why;
}

static void enable(struct nvme *n)
{
	if (!admin_queues_ok(n)) {
		n->csts |= CSTS_CFS;
		return;
	}
	n->page = PAGE_MIN << FIELD_GET(CC_MPS, n->cc);
	n->sq[0] = (struct nvme_sq){ .base = n->asq,
				     .size = FIELD_GET(AQA_ASQS, n->aqa) + 1,
				     .on = true };
	n->cq[0] = (struct nvme_cq){ .base = n->acq,
				     .size = FIELD_GET(AQA_ACQS, n->aqa) + 1,
				     .phase = true,
				     .irq = true,
				     .users = 1,
				     .on = true };
	n->enabled = true;
	n->csts = (n->csts & ~(CSTS_CFS | CSTS_SHST)) | CSTS_RDY;
}

/* Shutting down: all that was told to have ended is on stable storage at its end (7.6.2). */
static void shut_down_next(struct nvme *n);

static void flushed(struct block_req *b, int err)
{
	struct nvme *n = b->arg;

	if (err)
		guest_error(n, "a disk could not be flushed at shutdown");
	shut_down_next(n);
}

static void shut_down_next(struct nvme *n)
{
	while (++n->shutdown_at <= NVME_MAX_NS) {
		struct nvme_ns *ns = n->ns[n->shutdown_at];

		if (!ns || ns->readonly)
			continue;
		n->shutdown = (struct block_req){ .op = BLOCK_FLUSH, .done = flushed, .arg = n };
		block_submit(ns->drive, &n->shutdown);
		return;
	}
	if ((n->csts & CSTS_SHST) == CSTS_SHST_BUSY)
		n->csts ^= CSTS_SHST_BUSY | CSTS_SHST_DONE;
}

static void set_cc(void *dev, unsigned i, u64 val)
{
	struct nvme *n = dev;

	if (fault(n, "stuck"))
		return;
	if ((val & CC_EN) && !n->enabled) {
		enable(n);
	} else if (!(val & CC_EN) && (n->enabled || (n->csts & CSTS_CFS))) {
		disable(n);
		n->csts &= ~(CSTS_RDY | CSTS_CFS);
	}
	if (!(val & CC_SHN)) {
		n->csts &= ~CSTS_SHST;
	} else if (!(n->csts & CSTS_SHST)) {
		/* an earlier one may have been called off only half way */
		nvme_drain(n);
		n->csts |= CSTS_SHST_BUSY;
		n->shutdown_at = 0;
		shut_down_next(n);
	}
}

static void set_mask(void *dev, unsigned i, u64 val)
{
	struct nvme *n = dev;

	n->masked |= val;
	update_pin(n);
}

static void clear_mask(void *dev, unsigned i, u64 val)
{
	struct nvme *n = dev;

	n->masked &= ~val;
	update_pin(n);
}

static u64 get_mask(void *dev, unsigned i, u64 val) { return ((struct nvme *)dev)->masked; }

static void set_cmbmsc(void *dev, unsigned i, u64 val)
{
	struct nvme *n = dev;
	bool on = n->cmb && (val & CMBMSC_CRE);

	/* bits: queues and lists of both kinds, reads, writes; units of 1 MiB */
	n->cmbloc = on ? CMB_BAR : 0;
	n->cmbsz = on ? 0x1f | 2 << 8 | n->cmb_size_mb << 12 : 0;
}

static void set_aligned(void *dev, unsigned i, u64 val)
{
	struct nvme *n = dev;

	n->asq &= ~0xfffull;
	n->acq &= ~0xfffull;
}

#define R struct nvme
static const struct reg nvme_regs[] = {
	REG(0x00, R, cap, RO, .doc = "Capabilities: queue entries, time-out, page sizes."),
	REG(0x08, R, vs, RO, .reset = 0x00010400, .doc = "Version."),
	{ .name = "intms",
	  .at = 0x0c,
	  .size = 4,
	  .novalue = true,
	  .get = get_mask,
	  .set = set_mask,
	  .doc = "Interrupt mask set (pin interrupts only)." },
	{ .name = "intmc",
	  .at = 0x10,
	  .size = 4,
	  .novalue = true,
	  .get = get_mask,
	  .set = clear_mask,
	  .doc = "Interrupt mask clear." },
	REG(0x14, R, cc, .set = set_cc,
	    FIELDS(CC_EN, CC_CSS, CC_MPS, CC_AMS, CC_SHN, CC_IOSQES, CC_IOCQES),
	    .doc = "Configuration."),
	REG(0x1c, R, csts, RO, FIELDS(CSTS_RDY, CSTS_CFS, CSTS_SHST), .doc = "Status."),
	REG(0x20, R, nssr, RO, .doc = "Subsystem reset (not offered by the capabilities)."),
	REG(0x24, R, aqa, FIELDS(AQA_ASQS, AQA_ACQS), .doc = "Sizes of the admin queues."),
	REG(0x28, R, asq, .set = set_aligned, .doc = "Admin submission queue."),
	REG(0x30, R, acq, .set = set_aligned, .doc = "Admin completion queue."),
	REG(0x38, R, cmbloc, RO, .doc = "Where the controller memory buffer is."),
	REG(0x3c, R, cmbsz, RO, .doc = "Its size."),
	REG(0x40, R, bpinfo, RO, .doc = "Boot partitions (there are none)."),
	REG(0x44, R, bprsel, RO, .doc = "Boot partition to read."),
	REG(0x48, R, bpmbl, RO, .doc = "Boot partition buffer."),
	REG(0x50, R, cmbmsc, .set = set_cmbmsc,
	    .doc = "Controller memory buffer: address and use."),
	REG(0x58, R, cmbsts, RO, .doc = "Its status."),
	{}
};

/* ---- life */

static void nvme_reset(void *dev)
{
	struct nvme *n = dev;
	u64 mqes = n->mqes;

	n->masked = 0;
	disable(n);
	/* contiguous queues; 7.5 s; NVM command set; 64 KiB pages at most */
	n->cap = mqes | BIT64(16) | 15ull << 24 | BIT64(37) | 4ull << 52 | (n->cmb ? CAP_CMBS : 0);
}

/* Fewer vectors than the class has: the capability says so. */
static void limit_vectors(struct nvme *n)
{
	u8 *c = pci_config(&n->pci);

	for (unsigned at = c[0x34]; at; at = c[at + 1]) {
		if (c[at] == 0x11)
			st16le(c + at + 2, (ld16le(c + at + 2) & ~0x7ff) | (n->msix_qsize - 1));
	}
}

static int plugged(void *owner, unsigned bus, unsigned slot, void *child, struct error *e)
{
	nvme_event(owner, 2, 0, 4); /* notice: name space attributes */
	nvme_after(owner);
	return 0;
}

static void unplugged(void *owner, unsigned bus, unsigned slot, void *child)
{
	nvme_event(owner, 2, 0, 4);
	nvme_after(owner);
}

static const struct slots_ops slots_ops = { .plugged = plugged, .unplugged = unplugged };

static int check_props(struct nvme *n, struct error *e)
{
	const char *why = NULL;

	if (n->num_queues)
		n->max_ioqpairs = n->num_queues - 1;
	if (!n->max_ioqpairs || n->max_ioqpairs >= NVME_QUEUES)
		why = "max_ioqpairs goes from 1 to 64";
	else if (!n->msix_qsize || n->msix_qsize > NVME_VECTORS)
		why = "msix_qsize goes from 1 to 65";
	else if (n->cmb_size_mb & (n->cmb_size_mb - 1))
		why = "cmb_size_mb is no power of two";
	else if (n->serial && strlen(n->serial) > 20)
		why = "serial has more than 20 characters";
	if (why)
		error_set(e, "%s", why);
	return why ? -22 : 0;
}

static int nvme_init(void *dev, struct error *e)
{
	struct nvme *n = dev;
	int err = check_props(n, e);

	if (err)
		return err;
	limit_vectors(n);
	if (n->use_intel_id) {
		st16le(pci_config(&n->pci), 0x8086);
		st16le(pci_config(&n->pci) + 2, 0x5845);
	}
	if (n->cmb_size_mb) {
		n->cmb = pci_bar_memory(&n->pci, CMB_BAR, (u64)n->cmb_size_mb << 20, e);
		if (!n->cmb)
			return -12;
	}
	n->slots = slots_new(n, "nvme-bus", n->pci.dev.id, 0, NVME_MAX_NS, &slots_ops, e);
	if (!n->slots)
		return -17;
	if (n->drive) {
		err = nvme_ns_init(n, &n->own, 1, n->drive, n->logical_block_size,
				   n->physical_block_size, e);
		if (err) {
			slots_free(n->slots);
			return err;
		}
		n->own.eui64 = 0x5254000000000001ull;
	}
	n->started = clock_ns(n);
	return 0;
}

static void nvme_fini(void *dev)
{
	struct nvme *n = dev;

	disable(n);
	slots_free(n->slots);
	nvme_ns_fini(&n->own);
	while (n->free) {
		struct nvme_req *r = n->free;

		n->free = r->next;
		dma_list_free(&r->list);
		free(r->buf);
		free(r);
	}
}

static void nvme_loaded(void *dev)
{
	nvme_features_loaded(dev);
	update_pin(dev);
}

static const struct prop nvme_props[] = {
	PROP(R, serial, .kind = PROP_STR, .def_str = "quern0", .doc = "Serial number."),
	PROP(R, drive, .kind = PROP_DRIVE, .doc = "The drive of name space 1."),
	PROP(R, max_ioqpairs, .def = 64, .min = 1, .max = 64, .doc = "I/O queue pairs."),
	PROP(R, num_queues, .doc = "Queue pairs with the admin queue; 0: see max_ioqpairs."),
	PROP(R, msix_qsize, .def = 65, .min = 1, .max = 65, .doc = "Interrupt vectors."),
	PROP(R, mqes, .def = 0x7ff, .min = 1, .doc = "Most entries of a queue, minus one."),
	PROP(R, mdts, .def = 7, .max = 10, .doc = "Largest transfer: 4 KiB << mdts; 0: no limit."),
	PROP(R, aerl, .def = 3, .max = NVME_AERS - 1,
	     .doc = "Asynchronous event requests at a time, minus one."),
	PROP(R, aer_max_queued, .def = 64, .max = NVME_EVENTS, .doc = "Events that are kept."),
	PROP(R, cmb_size_mb, .max = 4096, .doc = "MiB of controller memory buffer; 0: none."),
	{ .name = "use-intel-id",
	  .off = offsetof(R, use_intel_id),
	  .size = 1,
	  .kind = PROP_BOOL,
	  .doc = "Intel's PCI identity." },
	PROP(R, logical_block_size, .kind = PROP_SIZE, .def = 512, .min = 512, .max = 4096,
	     .doc = "Bytes of a block of name space 1: 512 or 4096."),
	PROP(R, physical_block_size, .kind = PROP_SIZE, .def = 512, .min = 512, .max = 4096,
	     .doc = "Bytes that the disk writes at once."),
	{}
};
static const struct state nvme_state[] = { STATE(R, masked),
					   STATE(R, sq),
					   STATE(R, cq),
					   STATE(R, page),
					   STATE(R, naers),
					   STATE(R, nevents),
					   STATE(R, aer_cid),
					   STATE(R, event),
					   STATE(R, event_masked),
					   STATE(R, temp_over),
					   STATE(R, temp_under),
					   STATE(R, aen_config),
					   STATE(R, power_state),
					   STATE(R, arbitration),
					   STATE(R, coalescing),
					   STATE(R, vector_config),
					   STATE(R, error_recovery),
					   STATE(R, write_cache),
					   STATE(R, enabled),
					   STATE(R, ns_changed),
					   STATE(R, shift),
					   STATE(R, timestamp),
					   STATE(R, timestamp_at),
					   STATE(R, error_count),
					   STATE(R, units_read),
					   STATE(R, units_written),
					   STATE(R, reads),
					   STATE(R, writes),
					   STATE(R, started),
					   STATE(R, error),
					   DERIVED(R, ns),
					   DERIVED(R, own),
					   DERIVED(R, free),
					   DERIVED(R, full),
					   DERIVED(R, slots),
					   DERIVED(R, cmb),
					   DERIVED(R, shutdown),
					   DERIVED(R, shutdown_at),
					   STATE(R, resume),
					   DERIVED(R, pad0),
					   DERIVED(R, pad1),
					   DERIVED(R, pad2),
					   {} };
PCI_DEVICE(nvme,
	   .dev = { .api = QUERN_DEVICE_API,
		    .name = "nvme",
		    .doc = "NVM Express controller",
		    .bus = "pci",
		    .size = sizeof(struct nvme),
		    .props = nvme_props,
		    .state = nvme_state,
		    .init = nvme_init,
		    .reset = nvme_reset,
		    .loaded = nvme_loaded,
		    .fini = nvme_fini },
	   .vendor = 0x1b36, .device = 0x0010, .revision = 2, .class_code = 0x010802, .intx = true,
	   .msix = NVME_VECTORS, .msix_bar = 4, .express = true,
	   .bar[0] = { nvme_regs, 0x4000, .bits64 = true, .read = bar_read, .write = bar_write });
