/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nvme_io.c - the NVM command set (NVMe 1.4, chapter 6): read, write, flush, compare, write zeroes,
 * data set management, verify. */
#include "nvme.h"
#include <errno.h>
#include <stdlib.h>

enum { FUA = BIT(30), DEALLOCATE = BIT(25), DSM_DISCARD = BIT(2) };
enum {
	CMD_FLUSH = 0x00,
	CMD_WRITE = 0x01,
	CMD_READ = 0x02,
	CMD_COMPARE = 0x05,
	CMD_ZEROES = 0x08,
	CMD_DSM = 0x09,
	CMD_VERIFY = 0x0c,
};

u64 nvme_ns_blocks(const struct nvme_ns *ns)
{
	struct block_info i;

	block_info(ns->drive, &i);
	return i.size >> nvme_shift(ns);
}

static u16 status_of(const struct nvme_req *r, int err)
{
	switch (err) {
	case 0:
		return SC_OK;
	case -EROFS:
	case -EPERM:
		return SC_READ_ONLY | SC_DNR;
	case -EINVAL:
		return SC_RANGE | SC_DNR;
	case -ECANCELED:
		return SC_ABORTED;
	case -ENOMEM:
		return SC_INTERNAL;
	default:
		return r->cmd.opcode == CMD_READ || r->cmd.opcode == CMD_COMPARE ||
				       r->cmd.opcode == CMD_VERIFY ?
			       SC_READ_ERROR :
			       SC_WRITE_FAULT;
	}
}

static void submit(struct nvme_req *r, u8 op, u64 at, u64 bytes,
		   void (*done)(struct block_req *b, int err))
{
	r->b.op = op;
	r->b.at = at;
	r->b.bytes = bytes;
	r->b.done = done;
	block_submit(r->ns->drive, &r->b);
}

static struct nvme_req *req_of(struct block_req *b) { return container_of(b, struct nvme_req, b); }

/* ---- read and write */

static void rw_done(struct block_req *b, int err)
{
	struct nvme_req *r = req_of(b);
	struct nvme *n = r->n;
	u16 status = status_of(r, err);

	if (dma_list_finish(&r->list, err ? 0 : b->bytes) && !err)
		status = SC_TRANSFER;
	if (!err && b->op == BLOCK_READ) {
		n->reads++;
		n->units_read += b->bytes >> 9;
	} else if (!err) {
		n->writes++;
		n->units_written += b->bytes >> 9;
	}
	nvme_done(r, status);
}

static u16 range(const struct nvme_req *r, u64 *at, u64 *bytes)
{
	u64 lba = r->cmd.dw10 | (u64)r->cmd.dw11 << 32, count = (r->cmd.dw12 & 0xffff) + 1;

	if (!range_fits(lba, count, nvme_ns_blocks(r->ns)))
		return SC_RANGE | SC_DNR;
	*at = lba << nvme_shift(r->ns);
	*bytes = count << nvme_shift(r->ns);
	return SC_OK;
}

static u16 rw(struct nvme_req *r, bool write)
{
	u64 at, bytes;
	u16 err = range(r, &at, &bytes);

	if (!err && write && r->ns->readonly)
		err = SC_READ_ONLY | SC_DNR;
	if (!err)
		err = nvme_map(r, bytes, !write);
	if (err) {
		dma_list_finish(&r->list, 0);
		return err;
	}
	if (fault(r->n, "media"))
		return dma_list_finish(&r->list, 0), write ? SC_WRITE_FAULT : SC_READ_ERROR;
	r->b.vec = r->list.vec;
	r->b.nvec = r->list.n;
	r->b.flags = write && (r->cmd.dw12 & FUA) ? BLOCK_FUA : 0;
	submit(r, write ? BLOCK_WRITE : BLOCK_READ, at, bytes, rw_done);
	return SC_LATER;
}

/* ---- without data */

static void plain_done(struct block_req *b, int err)
{
	struct nvme_req *r = req_of(b);

	nvme_done(r, status_of(r, err));
}

static u16 zeroes(struct nvme_req *r)
{
	u64 at, bytes;
	u16 err = range(r, &at, &bytes);

	if (!err && r->ns->readonly)
		err = SC_READ_ONLY | SC_DNR;
	if (err)
		return err;
	r->b.flags =
		(r->cmd.dw12 & DEALLOCATE ? BLOCK_UNMAP : 0) | (r->cmd.dw12 & FUA ? BLOCK_FUA : 0);
	submit(r, BLOCK_ZEROES, at, bytes, plain_done);
	return SC_LATER;
}

static u16 flush(struct nvme_req *r)
{
	submit(r, BLOCK_FLUSH, 0, 0, plain_done);
	return SC_LATER;
}

/* Name space ~0: one after the other. */
static void flush_next(struct block_req *b, int err)
{
	struct nvme_req *r = req_of(b);

	if (err) {
		nvme_done(r, status_of(r, err));
		return;
	}
	while (++r->range <= NVME_MAX_NS) {
		r->ns = r->n->ns[r->range];
		if (!r->ns)
			continue;
		submit(r, BLOCK_FLUSH, 0, 0, flush_next);
		return;
	}
	nvme_done(r, SC_OK);
}

static u16 flush_all(struct nvme_req *r)
{
	for (r->range = 1; r->range <= NVME_MAX_NS; r->range++) {
		r->ns = r->n->ns[r->range];
		if (!r->ns)
			continue;
		submit(r, BLOCK_FLUSH, 0, 0, flush_next);
		return SC_LATER;
	}
	return SC_OK;
}

/* ---- compare and verify: the disk's data goes to a buffer */

static void compare_done(struct block_req *b, int err)
{
	struct nvme_req *r = req_of(b);
	u16 status = status_of(r, err);
	size_t pos = 0;

	for (u32 i = 0; !err && r->cmd.opcode == CMD_COMPARE && i < r->list.n; i++) {
		if (memcmp(r->buf + pos, r->list.vec[i].iov_base, r->list.vec[i].iov_len))
			status = SC_COMPARE;
		pos += r->list.vec[i].iov_len;
	}
	dma_list_finish(&r->list, 0);
	free(r->buf);
	r->buf = NULL;
	nvme_done(r, status);
}

static u16 compare(struct nvme_req *r)
{
	u64 at, bytes;
	u16 err = range(r, &at, &bytes);

	/* verify moves no data, so the limit of transfers does not keep it small: VSL is the same
	 */
	if (!err && r->n->mdts && bytes > (u64)PAGE_MIN << r->n->mdts)
		err = SC_FIELD | SC_DNR;
	if (!err && r->cmd.opcode == CMD_COMPARE)
		err = nvme_map(r, bytes, false);
	if (!err) {
		r->buf = malloc(bytes);
		err = r->buf ? SC_OK : SC_INTERNAL;
	}
	if (err) {
		dma_list_finish(&r->list, 0);
		return err;
	}
	r->vec = (struct iovec){ r->buf, bytes };
	r->b.vec = &r->vec;
	r->b.nvec = 1;
	submit(r, BLOCK_READ, at, bytes, compare_done);
	return SC_LATER;
}

/* ---- data set management: up to 256 ranges, one after the other */

static void dsm_next(struct nvme_req *r);

static void dsm_done(struct block_req *b, int err)
{
	struct nvme_req *r = req_of(b);

	if (!err) {
		dsm_next(r);
		return;
	}
	free(r->buf);
	r->buf = NULL;
	nvme_done(r, status_of(r, err));
}

static bool dsm_range(const struct nvme_req *r, u32 i, u64 *at, u64 *bytes)
{
	const u8 *p = r->buf + i * 16;
	u64 lba = ld64le(p + 8), count = ld32le(p + 4);

	*at = lba << nvme_shift(r->ns);
	*bytes = count << nvme_shift(r->ns);
	return range_fits(lba, count, nvme_ns_blocks(r->ns));
}

static void dsm_next(struct nvme_req *r)
{
	u64 at, bytes = 0;

	while (r->range < r->ranges && !bytes)
		if (!dsm_range(r, r->range++, &at, &bytes))
			bytes = 0;
	if (bytes) {
		submit(r, BLOCK_DISCARD, at, bytes, dsm_done);
		return;
	}
	free(r->buf);
	r->buf = NULL;
	nvme_done(r, SC_OK);
}

static u16 dsm(struct nvme_req *r)
{
	u64 at, bytes;
	u16 err;

	r->ranges = (r->cmd.dw10 & 0xff) + 1;
	r->range = 0;
	r->buf = calloc(r->ranges, 16);
	err = r->buf ? nvme_take(r, r->buf, r->ranges * 16ul) : SC_INTERNAL;
	for (u32 i = 0; i < r->ranges && !err; i++) {
		if (!dsm_range(r, i, &at, &bytes))
			err = SC_RANGE | SC_DNR;
	}
	if (!err && r->ns->readonly)
		err = SC_READ_ONLY | SC_DNR;
	if (err || !(r->cmd.dw11 & DSM_DISCARD)) {
		free(r->buf);
		r->buf = NULL;
		return err;
	}
	dsm_next(r);
	return SC_LATER;
}

u16 nvme_io(struct nvme_req *r)
{
	struct nvme *n = r->n;
	u32 nsid = r->cmd.nsid;

	r->ns = NULL;
	if (r->cmd.opcode == CMD_FLUSH && nsid == ~0u)
		return flush_all(r);
	if (!nsid || nsid > NVME_MAX_NS)
		return SC_NAMESPACE | SC_DNR;
	r->ns = n->ns[nsid];
	if (!r->ns)
		return SC_FIELD | SC_DNR;
	if (r->cmd.flags & 3)
		return SC_FIELD | SC_DNR; /* fused operations are not offered */
	r->b.flags = 0;
	r->b.vec = NULL;
	r->b.nvec = 0;
	switch (r->cmd.opcode) {
	case CMD_FLUSH:
		return flush(r);
	case CMD_WRITE:
		return rw(r, true);
	case CMD_READ:
		return rw(r, false);
	case CMD_COMPARE:
	case CMD_VERIFY:
		return compare(r);
	case CMD_ZEROES:
		return zeroes(r);
	case CMD_DSM:
		return dsm(r);
	default:
		return SC_OPCODE | SC_DNR;
	}
}
