/* SPDX-License-Identifier: GPL-2.0-or-later */
/* atapi.c - packet commands on their way: the packet comes, the answer goes by DMA or in pieces as
 * large as the guest said (SFF-8020i, chapters 5 and 6). */
#include "ata.h"
#include <errno.h>

enum phase {
	PH_NONE,
	PH_PACKET, /* twelve bytes come */
	PH_ANSWER, /* the buffer goes */
	PH_READ,   /* sectors go */
	PH_PLAIN,  /* the buffer goes, not as an answer to a packet */
};

static void packet_done(struct ata_cmd *c, bool failed)
{
	struct ata_drive *d = c->drive;
	struct ata_tf *t = &c->tf;

	t->count = (t->count & ~7) | REASON_CD | REASON_IO;
	t->irq = true;
	if (!failed) {
		d->sense = d->asc = d->ascq = 0;
		ata_done(c, 0);
	} else {
		ata_done(c, d->sense << 4 | (d->sense == 5 ? ER_ABRT : 0));
	}
}

static void medium_error(struct ata_cmd *c, int err)
{
	if (err == -ENOMEDIUM)
		atapi_sense(c->drive, 2, 0x3a, 0);
	else
		atapi_sense(c->drive, 3, 0x11, 0); /* unrecovered read error */
	packet_done(c, true);
}

/* ---- PIO: as much as the byte count registers allow */

static u32 limit(const struct ata_tf *t)
{
	u32 n = t->lba >> 8 & 0xffff;

	n = n == 0xffff ? 0xfffe : n;
	return n & ~1u ? n & ~1u : 0xfffe;
}

static void send(struct ata_cmd *c, u8 *buf, u32 n)
{
	struct ata_tf *t = &c->tf;

	t->chunk = n;
	t->count = (t->count & ~7) | REASON_IO;
	t->lba = (t->lba & ~0xffff00ull) | (u64)n << 8;
	c->host->pio(c, buf, n, false, true);
}

static void read_done(struct block_req *b, int err)
{
	struct ata_cmd *c = ata_cmd_of(b);

	if (err)
		medium_error(c, err);
	else
		send(c, c->drive->buf, c->vec.iov_len);
}

/* Whole sectors at a time, as many as fit. What is larger than the limit goes in several pieces of
 * a sector. */
static void read_next(struct ata_cmd *c)
{
	struct ata_tf *t = &c->tf;
	u32 n = limit(t) / CD_SECTOR * CD_SECTOR;
	u64 left = t->left - t->moved;

	n = MIN(n ? n : limit(t), (u32)PIO_BYTES);
	n = MIN((u64)n, left);
	c->vec = (struct iovec){ c->drive->buf, n };
	c->b.vec = &c->vec;
	c->b.nvec = 1;
	t->status = ST_BSY;
	ata_submit(c, BLOCK_READ, t->at + t->moved, n, read_done);
}

static void answer_next(struct ata_cmd *c)
{
	struct ata_tf *t = &c->tf;
	u64 left = t->left - t->moved;

	send(c, c->drive->buf + t->moved, MIN((u64)limit(t), left));
}

/* ---- DMA */

static void dma_done(struct block_req *b, int err)
{
	struct ata_cmd *c = ata_cmd_of(b);
	int bad = dma_list_finish(&c->list, err ? 0 : b->bytes);

	if (!err && !bad)
		c->tf.moved += b->bytes;
	if (err || bad)
		medium_error(c, err ? err : bad);
	else
		packet_done(c, false);
}

static void dma_step(struct ata_cmd *c)
{
	struct ata_tf *t = &c->tf;
	int err = c->host->dma(c, t->left, true);

	if (err == -EAGAIN)
		return;
	if (err) {
		dma_list_finish(&c->list, 0);
		atapi_sense(c->drive, 11, 0, 0); /* aborted */
		packet_done(c, true);
		return;
	}
	if (t->phase == PH_READ) {
		c->b.vec = c->list.vec;
		c->b.nvec = c->list.n;
		ata_submit(c, BLOCK_READ, t->at, t->left, dma_done);
		return;
	}
	dma_list_write(&c->list, 0, c->drive->buf, t->left);
	err = dma_list_finish(&c->list, t->left);
	t->moved = t->left;
	packet_done(c, err);
}

void atapi_dma_ready(struct ata_cmd *c) { dma_step(c); }

/* ---- packets */

static void execute(struct ata_cmd *c)
{
	struct ata_tf *t = &c->tf;
	int n;

	t->status = ST_BSY;
	t->moved = 0;
	t->left = 0;
	n = atapi_execute(c);
	if (n == -1) {
		packet_done(c, true);
		return;
	}
	if (n != -2)
		t->left = n;
	if (!t->left) {
		packet_done(c, false);
		return;
	}
	t->phase = n == -2 ? PH_READ : PH_ANSWER;
	if (t->dma)
		dma_step(c);
	else if (t->phase == PH_READ)
		read_next(c);
	else
		answer_next(c);
}

static void packet(struct ata_cmd *c)
{
	struct ata_tf *t = &c->tf;

	t->dma = t->feature & 1;
	if (t->feature & 2) { /* overlapped: not offered */
		ata_done(c, ER_ABRT);
		return;
	}
	if (t->have_cdb) {
		execute(c);
		return;
	}
	t->phase = PH_PACKET;
	t->count = (t->count & ~7) | REASON_CD;
	c->host->pio(c, t->cdb, 12, true, false);
}

void atapi_pio_done(struct ata_cmd *c)
{
	struct ata_tf *t = &c->tf;

	switch (t->phase) {
	case PH_PACKET:
		execute(c);
		break;
	case PH_PLAIN:
		t->irq = false;
		ata_done(c, 0);
		break;
	default:
		t->moved += t->chunk;
		if (t->moved >= t->left)
			packet_done(c, false);
		else if (t->phase == PH_READ)
			read_next(c);
		else
			answer_next(c);
	}
}

static void signature(struct ata_cmd *c, u8 error)
{
	ata_signature(c->drive, &c->tf);
	if (error) {
		c->tf.status = ST_DRDY | ST_ERR;
		c->tf.error = error;
	}
	c->busy = false;
	c->host->done(c);
}

void atapi_start(struct ata_cmd *c)
{
	struct ata_drive *d = c->drive;
	struct ata_tf *t = &c->tf;

	t->irq = true;
	switch (t->command) {
	case 0xa0:
		packet(c);
		break;
	case 0xa1:
		ata_identify(d, d->buf);
		t->phase = PH_PLAIN;
		c->host->pio(c, d->buf, 512, false, true);
		break;
	case 0x08:
		t->irq = false;
		signature(c, 0);
		break;
	case 0x90:
		signature(c, 0);
		break;
	case 0xec: /* this is no disk: the signature says what it is (SFF-8020i 6.4) */
	case 0x20:
		signature(c, ER_ABRT);
		break;
	case 0xef:
		if ((t->feature & 0xff) == 3 && (t->count & 0xf8) == 0x40) {
			d->udma = t->count & 7;
			d->mwdma = 0;
		} else if ((t->feature & 0xff) == 3 && (t->count & 0xf8) == 0x20) {
			d->mwdma = 8 | (t->count & 7);
		}
		ata_done(c, 0);
		break;
	case 0xe5:
		t->count = d->power;
		ata_done(c, 0);
		break;
	case 0xe0:
	case 0xe1:
	case 0xe2:
	case 0xe3:
	case 0xe7:
	case 0xea:
		ata_done(c, 0);
		break;
	default:
		ata_done(c, ER_ABRT);
	}
}
