/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nvme_admin.c - admin commands (NVMe 1.4, chapter 5): queues, abort, asynchronous events, format.
 */
#include "nvme.h"

enum {
	CMD_DELETE_SQ = 0x00,
	CMD_CREATE_SQ = 0x01,
	CMD_LOG = 0x02,
	CMD_DELETE_CQ = 0x04,
	CMD_CREATE_CQ = 0x05,
	CMD_IDENTIFY = 0x06,
	CMD_ABORT = 0x08,
	CMD_SET_FEATURES = 0x09,
	CMD_GET_FEATURES = 0x0a,
	CMD_AER = 0x0c,
	CMD_FORMAT = 0x80,
	QUEUE_PC = BIT(0), /* physically contiguous */
	CQ_IEN = BIT(1),
};

/* ---- queues */

static u16 queue_args(const struct nvme_req *r, u16 *qid, u32 *size)
{
	struct nvme *n = r->n;

	*qid = r->cmd.dw10;
	*size = (r->cmd.dw10 >> 16) + 1;
	if (!*qid || *qid > n->max_ioqpairs)
		return SC_QID | SC_DNR;
	if (*size < 2 || *size > n->mqes + 1u)
		return SC_QUEUE_SIZE | SC_DNR;
	if (!(r->cmd.dw11 & QUEUE_PC))
		return SC_FIELD | SC_DNR;
	if (r->cmd.prp1 & (n->page - 1))
		return SC_PRP_OFFSET | SC_DNR;
	return SC_OK;
}

static u16 create_cq(struct nvme_req *r)
{
	struct nvme *n = r->n;
	u16 qid, vector = r->cmd.dw11 >> 16, err;
	u32 size;

	err = queue_args(r, &qid, &size);
	if (!err && n->cq[qid].on)
		err = SC_QID | SC_DNR;
	if (!err && (vector >= n->msix_qsize || (!pci_msi_enabled(&n->pci) && vector)))
		err = SC_VECTOR | SC_DNR;
	if (err)
		return err;
	n->cq[qid] = (struct nvme_cq){ .base = r->cmd.prp1,
				       .size = size,
				       .vector = vector,
				       .phase = true,
				       .irq = r->cmd.dw11 & CQ_IEN,
				       .on = true };
	return SC_OK;
}

static u16 create_sq(struct nvme_req *r)
{
	struct nvme *n = r->n;
	u16 qid, cqid = r->cmd.dw11 >> 16, err;
	u32 size;

	if (!cqid || cqid > n->max_ioqpairs || !n->cq[cqid].on)
		return SC_CQ_INVALID | SC_DNR;
	err = queue_args(r, &qid, &size);
	if (!err && n->sq[qid].on)
		err = SC_QID | SC_DNR;
	if (err)
		return err;
	n->sq[qid] =
		(struct nvme_sq){ .base = r->cmd.prp1, .size = size, .cqid = cqid, .on = true };
	n->cq[cqid].users++;
	return SC_OK;
}

static u16 delete_sq(struct nvme_req *r)
{
	struct nvme *n = r->n;
	u16 qid = r->cmd.dw10;
	struct nvme_sq *sq;

	if (!qid || qid > n->max_ioqpairs || !n->sq[qid].on)
		return SC_QID | SC_DNR;
	sq = &n->sq[qid];
	/* commands under way end first, and tell it */
	nvme_drain(n);
	nvme_forget(n, sq->cqid, qid);
	n->cq[sq->cqid].users--;
	*sq = (struct nvme_sq){ 0 };
	return SC_OK;
}

static u16 delete_cq(struct nvme_req *r)
{
	struct nvme *n = r->n;
	u16 qid = r->cmd.dw10;

	if (!qid || qid > n->max_ioqpairs || !n->cq[qid].on)
		return SC_QID | SC_DNR;
	if (n->cq[qid].users)
		return SC_QUEUE_DELETION;
	n->cq[qid] = (struct nvme_cq){ 0 };
	if (!pci_msi_enabled(&n->pci))
		pci_intx(&n->pci, 0);
	return SC_OK;
}

/* ---- asynchronous events (5.2) */

static void deliver_events(struct nvme *n)
{
	u32 i = 0;

	while (i < n->nevents && n->naers && n->enabled) {
		struct nvme_event e = n->event[i];
		struct nvme_req *r;

		if (n->event_masked[e.type & 7]) {
			i++;
			continue;
		}
		r = nvme_req_get(n);
		if (!r)
			return;
		r->sqid = 0;
		r->cmd = (struct nvme_cmd){ .opcode = CMD_AER, .cid = n->aer_cid[0] };
		r->result = e.type | e.info << 8 | e.page << 16;
		n->event_masked[e.type & 7] = 1;
		n->sq[0].outstanding++;
		memmove(n->aer_cid, n->aer_cid + 1, --n->naers * sizeof(n->aer_cid[0]));
		memmove(n->event + i, n->event + i + 1, (--n->nevents - i) * sizeof(n->event[0]));
		nvme_done(r, SC_OK);
	}
}

void nvme_event(struct nvme *n, u8 type, u8 info, u8 page)
{
	/* notices come only if they were asked for (5.21.1.11) */
	if (type == 2 && !(n->aen_config & BIT(8 + info)))
		return;
	if (!n->enabled || n->nevents >= MIN(n->aer_max_queued, (u32)NVME_EVENTS))
		return;
	n->event[n->nevents++] = (struct nvme_event){ type, info, page };
	trace(n, "event", "type=%u info=%u page=%u", type, info, page);
	deliver_events(n);
}

/* The request is kept as its identifier only, so that it can wait for ever. */
static u16 aer(struct nvme_req *r)
{
	struct nvme *n = r->n;

	if (n->naers > n->aerl)
		return SC_AER_LIMIT;
	n->aer_cid[n->naers++] = r->cmd.cid;
	n->sq[0].outstanding--;
	nvme_req_put(n, r);
	deliver_events(n);
	return SC_LATER;
}

/* What a device could still take back are the waiting event requests; all else is with the host. */
static u16 abort_command(struct nvme_req *r)
{
	struct nvme *n = r->n;
	u16 sqid = r->cmd.dw10, cid = r->cmd.dw10 >> 16;

	r->result = 1;
	if (sqid > n->max_ioqpairs || !n->sq[sqid].on)
		return SC_FIELD | SC_DNR;
	for (u32 i = 0; !sqid && i < n->naers; i++) {
		struct nvme_req *a;

		if (n->aer_cid[i] != cid)
			continue;
		a = nvme_req_get(n);
		if (!a)
			break;
		n->sq[0].outstanding++;
		a->sqid = 0;
		a->result = 0;
		a->cmd = (struct nvme_cmd){ .opcode = CMD_AER, .cid = cid };
		memmove(n->aer_cid + i, n->aer_cid + i + 1,
			(--n->naers - i) * sizeof(n->aer_cid[0]));
		nvme_done(a, SC_ABORTED);
		r->result = 0;
		break;
	}
	return SC_OK;
}

/* ---- format (5.23): 512 or 4096 bytes, contents become zeroes */

static void format_done(struct block_req *b, int err);

static void format_next(struct nvme_req *r)
{
	struct nvme *n = r->n;

	while (r->range <= (r->cmd.nsid == ~0u ? (u32)NVME_MAX_NS : r->cmd.nsid)) {
		struct nvme_ns *ns = n->ns[r->range++];
		struct block_info i;

		if (!ns)
			continue;
		block_info(ns->drive, &i);
		n->shift[ns->nsid] = r->cmd.dw10 & 15 ? 12 : 9;
		r->ns = ns;
		r->b = (struct block_req){ .op = BLOCK_ZEROES,
					   .flags = BLOCK_UNMAP,
					   .bytes = i.size,
					   .done = format_done };
		block_submit(ns->drive, &r->b);
		return;
	}
	nvme_done(r, SC_OK);
}

static void format_done(struct block_req *b, int err)
{
	struct nvme_req *r = container_of(b, struct nvme_req, b);

	if (err)
		nvme_done(r, err == -30 ? SC_READ_ONLY | SC_DNR : SC_WRITE_FAULT);
	else
		format_next(r);
}

static u16 format(struct nvme_req *r)
{
	struct nvme *n = r->n;
	u32 nsid = r->cmd.nsid, dw10 = r->cmd.dw10;

	if (nsid != ~0u && (!nsid || nsid > NVME_MAX_NS))
		return SC_NAMESPACE | SC_DNR;
	if (nsid != ~0u && !n->ns[nsid])
		return SC_FIELD | SC_DNR;
	/* two formats, no metadata, no protection; erasing as asked, but not by keys */
	if ((dw10 & 15) > 1 || (dw10 & 0x1f0) || (dw10 >> 9 & 7) > 1)
		return SC_FORMAT | SC_DNR;
	for (u32 i = 1; i <= NVME_MAX_NS; i++) {
		if (n->ns[i] && (nsid == ~0u || nsid == i) && n->ns[i]->readonly)
			return SC_READ_ONLY | SC_DNR;
	}
	r->range = nsid == ~0u ? 1 : nsid;
	format_next(r);
	return SC_LATER;
}

u16 nvme_admin(struct nvme_req *r)
{
	if (r->cmd.flags & 3)
		return SC_FIELD | SC_DNR;
	switch (r->cmd.opcode) {
	case CMD_DELETE_SQ:
		return delete_sq(r);
	case CMD_CREATE_SQ:
		return create_sq(r);
	case CMD_LOG:
		return nvme_get_log(r);
	case CMD_DELETE_CQ:
		return delete_cq(r);
	case CMD_CREATE_CQ:
		return create_cq(r);
	case CMD_IDENTIFY:
		return nvme_identify(r);
	case CMD_ABORT:
		return abort_command(r);
	case CMD_SET_FEATURES:
		return nvme_set_feature(r);
	case CMD_GET_FEATURES:
		return nvme_get_feature(r);
	case CMD_AER:
		return aer(r);
	case CMD_FORMAT:
		return format(r);
	default:
		return SC_OPCODE | SC_DNR;
	}
}
