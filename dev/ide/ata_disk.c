/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ata_disk.c - the commands of an ATA disk (ATA8-ACS, chapter 7). */
#include "ata.h"
#include <errno.h>
#include <stdlib.h>

enum phase {
	PH_NONE,
	PH_READ,  /* PIO: blocks go to the guest */
	PH_WRITE, /* blocks come from the guest */
	PH_GIVE,  /* one block to the guest, and that is all */
	PH_DMA,
	PH_TRIM, /* ranges come by DMA */
};

static u64 disk_size(const struct ata_drive *d)
{
	struct block_info i;

	block_info(d->drive, &i);
	return i.size;
}

static u8 error_of(int err)
{
	return err == -EINVAL					   ? ER_IDNF :
	       err == -EROFS || err == -EPERM || err == -ECANCELED ? ER_ABRT :
								     ER_UNC;
}

/* Where a command that failed stands: the first sector that is not done. */
static void set_address(struct ata_cmd *c)
{
	struct ata_tf *t = &c->tf;

	t->lba = (t->at + t->moved) / SECTOR;
	if (t->device & DEV_LBA)
		t->device = (t->device & 0xf0) | (t->lba >> 24 & 15);
}

static void fail(struct ata_cmd *c, int err)
{
	set_address(c);
	if (c->tf.ncq) {
		u8 *log = c->drive->ncq_error;

		/* ATA8-ACS A.7: log 10h */
		log[0] = c->tf.tag;
		log[2] = ST_ERR | ST_DRDY;
		log[3] = error_of(err);
		st32le(log + 4, c->tf.lba & 0xffffff);
		log[7] = 0x40;
		st32le(log + 8, c->tf.lba >> 24 & 0xffffff);
	}
	ata_done(c, error_of(err));
}

/* ---- addresses */

static bool find_range(struct ata_cmd *c, bool ext)
{
	struct ata_drive *d = c->drive;
	struct ata_tf *t = &c->tf;
	u64 lba, count;

	if (t->ncq) {
		lba = t->lba;
		count = t->feature ? t->feature : 65536;
	} else if (ext) {
		lba = t->lba;
		count = t->count ? t->count : 65536;
	} else {
		u32 low = t->lba & 0xffffff;

		count = t->count & 0xff ? t->count & 0xff : 256;
		if (t->device & DEV_LBA) {
			lba = low | (u64)(t->device & 15) << 24;
		} else {
			u32 s = low & 0xff;

			lba = ((u64)(low >> 8) * d->cur_heads + (t->device & 15)) * d->cur_secs +
			      s - 1;
			if (!s)
				return false;
		}
	}
	t->at = lba * SECTOR;
	t->left = count * SECTOR;
	return lba < 1ull << 48 && range_fits(lba, count, disk_size(d) / SECTOR);
}

/* ---- DMA */

static void dma_done(struct block_req *b, int err)
{
	struct ata_cmd *c = ata_cmd_of(b);

	if (dma_list_finish(&c->list, err ? 0 : b->bytes) && !err)
		err = -EFAULT;
	if (err) {
		fail(c, err);
		return;
	}
	c->tf.moved += b->bytes;
	ata_done(c, 0);
}

static void dma_step(struct ata_cmd *c)
{
	struct ata_tf *t = &c->tf;
	int err = c->host->dma(c, t->left, !t->out);

	if (err == -EAGAIN)
		return;
	if (err || fault(&c->drive->dev, "media")) {
		dma_list_finish(&c->list, 0);
		fail(c, err ? -EPERM : -EIO);
		return;
	}
	c->b.vec = c->list.vec;
	c->b.nvec = c->list.n;
	ata_submit(c, t->out ? BLOCK_WRITE : BLOCK_READ, t->at, t->left, dma_done);
}

static void dma(struct ata_cmd *c, bool out, bool ext, bool fua)
{
	struct ata_tf *t = &c->tf;

	t->dma = true;
	t->out = out;
	t->fua = fua;
	t->phase = PH_DMA;
	if (!find_range(c, ext))
		fail(c, -EINVAL);
	else
		dma_step(c);
}

/* ---- PIO */

static void pio_read(struct ata_cmd *c);

static void pio_read_done(struct block_req *b, int err)
{
	struct ata_cmd *c = ata_cmd_of(b);

	if (err)
		fail(c, err);
	else
		c->host->pio(c, c->drive->buf, c->vec.iov_len, false, true);
}

static void pio_read(struct ata_cmd *c)
{
	struct ata_tf *t = &c->tf;
	u64 n = MIN((u64)t->chunk, t->left - t->moved);

	c->vec = (struct iovec){ c->drive->buf, n };
	c->b.vec = &c->vec;
	c->b.nvec = 1;
	t->status = ST_BSY;
	ata_submit(c, BLOCK_READ, t->at + t->moved, n, pio_read_done);
}

static void pio_write_done(struct block_req *b, int err)
{
	struct ata_cmd *c = ata_cmd_of(b);
	struct ata_tf *t = &c->tf;

	if (err) {
		fail(c, err);
		return;
	}
	t->moved += c->vec.iov_len;
	if (t->moved < t->left)
		c->host->pio(c, c->drive->buf, MIN((u64)t->chunk, t->left - t->moved), true, true);
	else
		ata_done(c, 0);
}

static void pio(struct ata_cmd *c, bool out, bool ext, bool multiple)
{
	struct ata_tf *t = &c->tf;

	if (multiple && !c->drive->multi) {
		ata_done(c, ER_ABRT);
		return;
	}
	if (!find_range(c, ext)) {
		ata_done(c, ER_IDNF);
		return;
	}
	t->chunk = (multiple ? c->drive->multi : 1) * SECTOR;
	t->out = out;
	t->phase = out ? PH_WRITE : PH_READ;
	if (out)
		c->host->pio(c, c->drive->buf, MIN((u64)t->chunk, t->left), true, false);
	else
		pio_read(c);
}

void ata_give(struct ata_cmd *c, u32 n)
{
	c->tf.phase = PH_GIVE;
	c->host->pio(c, c->drive->buf, n, false, true);
}

void ata_disk_pio_done(struct ata_cmd *c)
{
	struct ata_tf *t = &c->tf;

	if (t->phase == PH_WRITE) {
		u64 n = MIN((u64)t->chunk, t->left - t->moved);

		c->vec = (struct iovec){ c->drive->buf, n };
		c->b.vec = &c->vec;
		c->b.nvec = 1;
		t->status = ST_BSY;
		ata_submit(c, BLOCK_WRITE, t->at + t->moved, n, pio_write_done);
		return;
	}
	if (t->phase == PH_READ) {
		t->moved += MIN((u64)t->chunk, t->left - t->moved);
		if (t->moved < t->left) {
			pio_read(c);
			return;
		}
	}
	/* the guest has all of it, and had its interrupt before */
	t->irq = false;
	ata_done(c, 0);
}

/* ---- trim (7.10): blocks of 64 ranges */

static void trim_next(struct ata_cmd *c);

static void trim_done(struct block_req *b, int err)
{
	struct ata_cmd *c = ata_cmd_of(b);

	if (!err) {
		trim_next(c);
		return;
	}
	free(c->trim);
	c->trim = NULL;
	fail(c, err);
}

static void trim_next(struct ata_cmd *c)
{
	while (c->trim_at < c->trims) {
		u64 range = ld64le(c->trim + 8ul * c->trim_at++), lba = range & 0xffffffffffffull,
		    count = range >> 48;

		if (!count)
			continue;
		if (!range_fits(lba, count, disk_size(c->drive) / SECTOR)) {
			free(c->trim);
			c->trim = NULL;
			ata_done(c, ER_IDNF);
			return;
		}
		c->b.nvec = 0;
		ata_submit(c, BLOCK_DISCARD, lba * SECTOR, count * SECTOR, trim_done);
		return;
	}
	free(c->trim);
	c->trim = NULL;
	ata_done(c, 0);
}

static void trim_step(struct ata_cmd *c)
{
	struct ata_tf *t = &c->tf;
	int err = c->host->dma(c, t->left, false);

	if (err == -EAGAIN)
		return;
	if (!err) {
		c->trim = malloc(t->left);
		err = c->trim ? 0 : -ENOMEM;
	}
	if (!err)
		dma_list_read(&c->list, 0, c->trim, t->left);
	dma_list_finish(&c->list, 0);
	if (err) {
		ata_done(c, ER_ABRT);
		return;
	}
	t->moved = t->left;
	c->trims = t->left / 8;
	c->trim_at = 0;
	trim_next(c);
}

static void trim(struct ata_cmd *c)
{
	struct ata_tf *t = &c->tf;
	u32 blocks = t->count;

	if (!(t->feature & 1) || !blocks || blocks > 64) {
		ata_done(c, ER_ABRT);
		return;
	}
	t->left = blocks * SECTOR;
	t->dma = t->out = true;
	t->phase = PH_TRIM;
	trim_step(c);
}

void ata_disk_dma_ready(struct ata_cmd *c)
{
	if (c->tf.phase == PH_TRIM)
		trim_step(c);
	else
		dma_step(c);
}

/* ---- without data */

static void plain_done(struct block_req *b, int err)
{
	struct ata_cmd *c = ata_cmd_of(b);

	if (err)
		fail(c, err);
	else
		ata_done(c, 0);
}

static void flush(struct ata_cmd *c)
{
	c->b.nvec = 0;
	ata_submit(c, BLOCK_FLUSH, 0, 0, plain_done);
}

static void set_features(struct ata_cmd *c)
{
	struct ata_drive *d = c->drive;
	struct ata_tf *t = &c->tf;
	u8 mode = t->count & 7;
	bool flush_first = false;

	switch (t->feature & 0xff) {
	case 0x02:
	case 0x82:
		flush_first = (t->feature & 0xff) == 0x82 && d->write_cache;
		d->write_cache = (t->feature & 0xff) == 0x02;
		block_set_write_cache(d->drive, d->write_cache);
		break;
	case 0x03: /* transfer mode */
		if ((t->count & 0xf8) == 0x40) {
			d->udma = mode;
			d->mwdma = 0;
		} else if ((t->count & 0xf8) == 0x20) {
			d->mwdma = 8 | mode;
		} else if ((t->count & 0xf0) == 0) {
			d->pio_mode = mode;
		} else {
			ata_done(c, ER_ABRT);
			return;
		}
		break;
	case 0x55:
	case 0xaa:
		d->look_ahead = (t->feature & 0xff) == 0xaa;
		break;
	case 0x05: /* power management, acoustics, defaults at power-on, SATA features: no effect */
	case 0x85:
	case 0x42:
	case 0xc2:
	case 0x66:
	case 0xcc:
	case 0x10:
	case 0x90:
	case 0x5d:
	case 0xdd:
		break;
	default:
		ata_done(c, ER_ABRT);
		return;
	}
	if (flush_first)
		flush(c);
	else
		ata_done(c, 0);
}

static void set_multiple(struct ata_cmd *c)
{
	u8 n = c->tf.count;

	if (n > 16 || (n & (n - 1))) {
		ata_done(c, ER_ABRT);
		return;
	}
	c->drive->multi = n;
	ata_done(c, 0);
}

static void max_address(struct ata_cmd *c, bool ext)
{
	u64 last = disk_size(c->drive) / SECTOR - 1;

	c->tf.lba = ext ? last : MIN(last, (u64)0xfffffff) & 0xffffff;
	if (!ext)
		c->tf.device = (c->tf.device & 0xf0) | (MIN(last, (u64)0xfffffff) >> 24);
	ata_done(c, 0);
}

static void checksum(u8 *b)
{
	u8 sum = 0;

	for (unsigned i = 0; i < 511; i++)
		sum += b[i];
	b[511] = -sum;
}

static void smart(struct ata_cmd *c)
{
	struct ata_drive *d = c->drive;
	struct ata_tf *t = &c->tf;
	u8 what = t->feature;

	if ((t->lba & 0xffff00) != 0xc24f00 || (!d->smart && what != 0xd8)) {
		ata_done(c, ER_ABRT);
		return;
	}
	memset(d->buf, 0, 512);
	switch (what) {
	case 0xd0: /* data */
		d->buf[0] = 1;
		d->buf[362] = 0x82; /* off-line collection has ended */
		d->buf[367] = 0x19;
		st16le(d->buf + 368, 3);
		d->buf[370] = 1;
		checksum(d->buf);
		ata_give(c, 512);
		break;
	case 0xd1: /* thresholds */
		d->buf[0] = 1;
		checksum(d->buf);
		ata_give(c, 512);
		break;
	case 0xd5: /* logs: directory, errors, self-tests */
		d->buf[0] = 1;
		if ((t->lba & 0xff) > 6) {
			ata_done(c, ER_ABRT);
			break;
		}
		if (t->lba & 0xff)
			checksum(d->buf);
		ata_give(c, 512);
		break;
	case 0xd2: /* autosave, off-line tests */
	case 0xd3:
	case 0xd4:
		ata_done(c, 0);
		break;
	case 0xd8:
	case 0xd9:
		d->smart = what == 0xd8;
		ata_done(c, 0);
		break;
	case 0xda: /* all is well */
		t->lba = 0xc24f00 | (t->lba & 0xff);
		ata_done(c, 0);
		break;
	default:
		ata_done(c, ER_ABRT);
	}
}

static void read_log(struct ata_cmd *c)
{
	struct ata_drive *d = c->drive;
	u8 page = c->tf.lba;

	memset(d->buf, 0, 512);
	if (page == 0) {
		st16le(d->buf, 1);
		st16le(d->buf + 2 * 0x10, 1);
	} else if (page == 0x10) {
		memcpy(d->buf, d->ncq_error, sizeof(d->ncq_error));
		checksum(d->buf);
	} else {
		ata_done(c, ER_ABRT);
		return;
	}
	ata_give(c, 512);
}

static void signature(struct ata_cmd *c)
{
	ata_signature(c->drive, &c->tf);
	c->busy = false;
	c->host->done(c);
}

/* ---- all of them */

static void queued(struct ata_cmd *c, bool out)
{
	c->tf.ncq = true;
	c->tf.tag = c->tf.count >> 3 & 31;
	dma(c, out, true, out && (c->tf.device & 0x80));
}

static void verify(struct ata_cmd *c, bool ext) { ata_done(c, find_range(c, ext) ? 0 : ER_IDNF); }

void ata_disk_start(struct ata_cmd *c)
{
	struct ata_drive *d = c->drive;
	struct ata_tf *t = &c->tf;

	t->irq = true;
	switch (t->command) {
	case 0x20:
	case 0x21:
		pio(c, false, false, false);
		break;
	case 0x24:
		pio(c, false, true, false);
		break;
	case 0xc4:
		pio(c, false, false, true);
		break;
	case 0x29:
		pio(c, false, true, true);
		break;
	case 0x30:
	case 0x31:
		pio(c, true, false, false);
		break;
	case 0x34:
		pio(c, true, true, false);
		break;
	case 0xc5:
		pio(c, true, false, true);
		break;
	case 0x39:
		pio(c, true, true, true);
		break;
	case 0xc8:
	case 0xc9:
		dma(c, false, false, false);
		break;
	case 0x25:
		dma(c, false, true, false);
		break;
	case 0xca:
	case 0xcb:
		dma(c, true, false, false);
		break;
	case 0x35:
		dma(c, true, true, false);
		break;
	case 0x3d:
		dma(c, true, true, true);
		break;
	case 0x60:
		queued(c, false);
		break;
	case 0x61:
		queued(c, true);
		break;
	case 0xe7:
	case 0xea:
		flush(c);
		break;
	case 0x06:
		trim(c);
		break;
	case 0xec:
		ata_identify(d, d->buf);
		ata_give(c, 512);
		break;
	case 0xef:
		set_features(c);
		break;
	case 0xc6:
		set_multiple(c);
		break;
	case 0x91: /* geometry */
		d->cur_heads = (t->device & 15) + 1;
		d->cur_secs = t->count & 0xff;
		ata_done(c, d->cur_secs ? 0 : ER_ABRT);
		break;
	case 0x40:
	case 0x41:
		verify(c, false);
		break;
	case 0x42:
		verify(c, true);
		break;
	case 0xf8:
		max_address(c, false);
		break;
	case 0x27:
		max_address(c, true);
		break;
	case 0xb0:
		smart(c);
		break;
	case 0x2f:
	case 0x47:
		read_log(c);
		break;
	case 0x90:
		signature(c);
		break;
	case 0xe5:
	case 0x98:
		t->count = d->power;
		ata_done(c, 0);
		break;
	case 0xe0:
	case 0xe2:
	case 0x94:
	case 0x96:
	case 0xe6:
	case 0x99:
		d->power = 0;
		ata_done(c, 0);
		break;
	case 0xe1:
	case 0xe3:
	case 0x95:
	case 0x97:
		d->power = 0xff;
		ata_done(c, 0);
		break;
	default:
		if ((t->command & 0xf0) == 0x10 || (t->command & 0xf0) == 0x70)
			ata_done(c, 0); /* recalibrate, seek */
		else
			ata_done(c, ER_ABRT);
	}
}
