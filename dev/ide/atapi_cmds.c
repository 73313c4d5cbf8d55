/* SPDX-License-Identifier: GPL-2.0-or-later */
/* atapi_cmds.c - the SCSI commands of a CD-ROM or DVD-ROM drive (SPC-3, MMC-5): what each answers.
 */
#include "ata.h"
#include <stdio.h>

enum {
	ASC_OPCODE = 0x20,
	ASC_LBA = 0x21,
	ASC_FIELD = 0x24,
	ASC_CHANGED = 0x28,
	ASC_NO_MEDIUM = 0x3a,
	ASC_PREVENTED = 0x53,
	CD_MAX_SECTORS = 80 * 60 * 75,
};

void atapi_sense(struct ata_drive *d, u8 sense, u8 asc, u8 ascq)
{
	d->sense = sense;
	d->asc = asc;
	d->ascq = ascq;
}

static int illegal(struct ata_drive *d, u8 asc)
{
	atapi_sense(d, 5, asc, 0);
	return -1;
}

static u64 sectors(const struct ata_drive *d)
{
	struct block_info i;

	block_info(d->drive, &i);
	return d->tray_open ? 0 : i.size / CD_SECTOR;
}

static bool has_medium(const struct ata_drive *d)
{
	struct block_info i;

	block_info(d->drive, &i);
	return i.inserted && !d->tray_open;
}

/* Commands that need a medium also tell once that it is another one. */
static bool ready(struct ata_drive *d)
{
	if (d->media_changed) {
		d->media_changed = false;
		if (has_medium(d)) {
			atapi_sense(d, 6, ASC_CHANGED, 0);
			return false;
		}
	}
	if (!has_medium(d)) {
		atapi_sense(d, 2, ASC_NO_MEDIUM, d->tray_open ? 2 : 1);
		return false;
	}
	return true;
}

static void msf(u8 *p, u64 lba)
{
	lba += 150;
	p[0] = 0;
	p[1] = lba / 75 / 60;
	p[2] = lba / 75 % 60;
	p[3] = lba % 75;
}

static int cut(int have, u32 asked) { return MIN((u32)have, asked); }

/* ---- SPC */

static int inquiry(struct ata_drive *d, const u8 *cdb)
{
	u8 *b = d->buf;

	if (cdb[1] & 1) {
		if (cdb[2] != 0)
			return illegal(d, ASC_FIELD);
		b[0] = 5;
		b[3] = 1; /* page 0 lists itself */
		return cut(5, ld16be(cdb + 3));
	}
	b[0] = 5;
	b[1] = 0x80; /* removable */
	b[2] = 0;
	b[3] = 0x21;
	b[4] = 31;
	memcpy(b + 8, "QEMU    QEMU DVD-ROM    ", 24);
	memset(b + 32, ' ', 4);
	memcpy(b + 32, d->ver ? d->ver : "2.5+", MIN(strlen(d->ver ? d->ver : "2.5+"), (size_t)4));
	return cut(36, ld16be(cdb + 3));
}

static int request_sense(struct ata_drive *d, const u8 *cdb)
{
	u8 *b = d->buf;

	b[0] = 0x70;
	b[2] = d->sense;
	b[7] = 10;
	b[12] = d->asc;
	b[13] = d->ascq;
	d->sense = d->asc = d->ascq = 0;
	return cut(18, cdb[4]);
}

static int mode_sense(struct ata_drive *d, const u8 *cdb)
{
	u8 page = cdb[2] & 0x3f, *b = d->buf, *p = b + 8;
	bool all = page == 0x3f;

	if (cdb[2] >> 6 == 3)
		return atapi_sense(d, 5, 0x39, 0), -1; /* nothing is saved */
	if (all || page == 0x01) {
		p[0] = 0x01;
		p[1] = 6;
		p[3] = 5; /* retries */
		p += 8;
	}
	if (all || page == 0x0e) {
		p[0] = 0x0e;
		p[1] = 14;
		p[2] = 4;
		p += 16;
	}
	if (all || page == 0x2a) {
		p[0] = 0x2a;
		p[1] = 0x12;
		p[2] = 0x3b; /* reads CD-R, CD-RW, DVD-ROM, -R */
		p[4] = 0x70; /* mode 2, multi-session */
		p[5] = 3;
		p[6] = 3 << 5 | 8 | (d->locked ? 2 : 0) | 1; /* a tray that ejects and locks */
		st16be(p + 8, 706 * 5);
		st16be(p + 10, 2);
		st16be(p + 12, 512);
		st16be(p + 14, 706 * 5);
		p += 20;
	}
	if (p == b + 8)
		return illegal(d, ASC_FIELD);
	st16be(b, p - b - 2);
	b[2] = d->tray_open ? 0x71 : has_medium(d) ? 1 : 0x70;
	return cut(p - b, ld16be(cdb + 7));
}

/* ---- the tray */

static int start_stop(struct ata_drive *d, const u8 *cdb)
{
	bool start = cdb[4] & 1, tray = cdb[4] & 2;

	if (cdb[4] >> 4 || !tray)
		return 0;
	if (!start && d->locked) {
		atapi_sense(d, has_medium(d) ? 5 : 2, ASC_PREVENTED, 2);
		return -1;
	}
	if (d->tray_open == !start)
		return 0;
	d->tray_open = !start;
	d->media_changed = true;
	block_tray_moved(d->drive, d->tray_open);
	return 0;
}

/* MMC-5 6.7: events are asked for; media events only are there. */
static int event_status(struct ata_drive *d, const u8 *cdb)
{
	u8 *b = d->buf;

	if (!(cdb[1] & 1))
		return illegal(d, ASC_FIELD); /* only polled */
	b[3] = BIT(4);
	if (!(cdb[4] & BIT(4))) {
		b[2] = 0x80;
		st16be(b, 2);
		return cut(4, ld16be(cdb + 7));
	}
	st16be(b, 6);
	b[2] = 4;
	if (d->new_media && has_medium(d))
		b[4] = 2;
	else if (d->media_changed && !has_medium(d))
		b[4] = 3;
	d->new_media = false;
	b[5] = (d->tray_open ? 1 : 0) | (has_medium(d) ? 2 : 0);
	return cut(8, ld16be(cdb + 7));
}

/* ---- MMC */

static int read_toc(struct ata_drive *d, const u8 *cdb)
{
	u8 *b = d->buf, *p = b + 4, format = cdb[2] & 15 ? cdb[2] & 15 : cdb[9] >> 6;
	bool time = cdb[1] & 2;
	u64 end = sectors(d);

	switch (format) {
	case 0:
		if (cdb[6] > 1 && cdb[6] != 0xaa)
			return illegal(d, ASC_FIELD);
		b[2] = b[3] = 1;
		if (cdb[6] <= 1) {
			p[1] = 0x14; /* a data track */
			p[2] = 1;
			if (time)
				msf(p + 4, 0);
			p += 8;
		}
		p[1] = 0x14;
		p[2] = 0xaa;
		if (time)
			msf(p + 4, end);
		else
			st32be(p + 4, end);
		p += 8;
		break;
	case 1: /* one session */
		b[2] = b[3] = 1;
		p[1] = 0x14;
		p[2] = 1;
		if (time)
			msf(p + 4, 0);
		p += 8;
		break;
	case 2: {
		static const u8 points[] = { 0xa0, 0xa1, 0xa2, 1 };

		b[2] = b[3] = 1;
		for (unsigned i = 0; i < 4; i++, p += 11) {
			p[0] = 1;
			p[1] = 0x14;
			p[3] = points[i];
			if (points[i] < 0xa2 && points[i] > 1)
				p[8] = 1;
			else
				msf(p + 7, points[i] == 1 ? 0 : end);
		}
		break;
	}
	default:
		return illegal(d, ASC_FIELD);
	}
	st16be(b, p - b - 2);
	return cut(p - b, ld16be(cdb + 7));
}

static int read_capacity(struct ata_drive *d)
{
	st32be(d->buf, sectors(d) - 1);
	st32be(d->buf + 4, CD_SECTOR);
	return 8;
}

static int read_sectors(struct ata_cmd *c, u64 lba, u64 count)
{
	struct ata_drive *d = c->drive;

	if (!range_fits(lba, count, sectors(d)))
		return illegal(d, ASC_LBA);
	c->tf.at = lba * CD_SECTOR;
	c->tf.left = count * CD_SECTOR;
	return -2;
}

static int read_cd(struct ata_cmd *c, const u8 *cdb)
{
	u8 what = cdb[9];
	u64 count = cdb[6] << 16 | cdb[7] << 8 | cdb[8];

	if (!(what & 0xf8))
		return 0;
	if ((what & 0xf8) != 0x10) /* user data; raw sectors are not in an image */
		return illegal(c->drive, ASC_FIELD);
	return read_sectors(c, ld32be(cdb + 2), count);
}

static u8 *feature(u8 *p, u16 code, u8 flags, u8 n)
{
	st16be(p, code);
	p[2] = flags;
	p[3] = n;
	return p + 4 + n;
}

static int configuration(struct ata_drive *d, const u8 *cdb)
{
	u8 *b = d->buf, *p = b + 8;
	bool cd = sectors(d) <= CD_MAX_SECTORS;
	u16 profile = !has_medium(d) ? 0 : cd ? 0x08 : 0x10;

	st16be(b + 6, profile);
	st16be(p + 4, 0x10);
	p[6] = profile == 0x10;
	st16be(p + 8, 0x08);
	p[10] = profile == 0x08;
	p = feature(p, 0, 3, 8);
	st32be(p + 4, 2); /* ATAPI */
	p = feature(p, 1, 0x0b, 8);
	p[4] = 0x29; /* tray: ejects, locks */
	p = feature(p, 3, 3, 4);
	st32be(b, p - b - 4);
	return cut(p - b, ld16be(cdb + 7));
}

static int disc_information(struct ata_drive *d, const u8 *cdb)
{
	u8 *b = d->buf;

	if (cdb[1] & 7)
		return illegal(d, ASC_FIELD);
	st16be(b, 32);
	b[2] = 0x0e; /* complete */
	b[3] = b[4] = b[5] = b[6] = 1;
	b[7] = 0x20;
	memset(b + 16, 0xff, 8);
	return cut(34, ld16be(cdb + 7));
}

static int dvd_structure(struct ata_drive *d, const u8 *cdb)
{
	u8 *b = d->buf;
	u64 end = sectors(d);

	if (end <= CD_MAX_SECTORS) {
		atapi_sense(d, 5, 0x30, 0); /* another medium */
		return -1;
	}
	switch (cdb[7]) {
	case 0: /* physical format */
		st16be(b, 2048 + 2);
		b[4] = 1;
		b[5] = 0x0f;
		b[6] = 1;
		st32be(b + 8, 0);
		st32be(b + 12, end - 1);
		st32be(b + 16, end - 1);
		return cut(2052, ld16be(cdb + 8));
	case 1: /* no copyright system */
		st16be(b, 6);
		return cut(8, ld16be(cdb + 8));
	default:
		return illegal(d, ASC_FIELD);
	}
}

int atapi_execute(struct ata_cmd *c)
{
	struct ata_drive *d = c->drive;
	const u8 *cdb = c->tf.cdb;

	trace(&d->dev, "packet", "%02x %02x %02x %02x %02x %02x %02x %02x %02x %02x", cdb[0],
	      cdb[1], cdb[2], cdb[3], cdb[4], cdb[5], cdb[6], cdb[7], cdb[8], cdb[9]);
	memset(d->buf, 0, 4096);
	switch (cdb[0]) { /* those that work without a medium */
	case 0x03:
		return request_sense(d, cdb);
	case 0x12:
		return inquiry(d, cdb);
	case 0x1b:
		return start_stop(d, cdb);
	case 0x1e:
		d->locked = cdb[4] & 1;
		return 0;
	case 0x46:
		return configuration(d, cdb);
	case 0x4a:
		return event_status(d, cdb);
	case 0x5a:
		return mode_sense(d, cdb);
	case 0xbb:
		return 0; /* speed */
	case 0xbd:
		st16be(d->buf + 6, 0);
		d->buf[5] = 1;
		return cut(8, ld16be(cdb + 8));
	case 0x55: /* mode select would bring data */
		return illegal(d, ASC_OPCODE);
	}
	if (fault(&d->dev, "media")) {
		atapi_sense(d, 3, 0x11, 0);
		return -1;
	}
	switch (cdb[0]) {
	case 0x00:
		return ready(d) ? 0 : -1;
	case 0x25:
		return ready(d) ? read_capacity(d) : -1;
	case 0x28:
		return ready(d) ? read_sectors(c, ld32be(cdb + 2), ld16be(cdb + 7)) : -1;
	case 0xa8:
		return ready(d) ? read_sectors(c, ld32be(cdb + 2), ld32be(cdb + 6)) : -1;
	case 0x2b:
		if (!ready(d))
			return -1;
		return ld32be(cdb + 2) < sectors(d) ? 0 : illegal(d, ASC_LBA);
	case 0x43:
		return ready(d) ? read_toc(d, cdb) : -1;
	case 0x51:
		return ready(d) ? disc_information(d, cdb) : -1;
	case 0xad:
		return ready(d) ? dvd_structure(d, cdb) : -1;
	case 0xbe:
		return ready(d) ? read_cd(c, cdb) : -1;
	default:
		return illegal(d, ASC_OPCODE);
	}
}
