/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ata_identify.c - IDENTIFY DEVICE and IDENTIFY PACKET DEVICE (ATA8-ACS 7.16, 7.17). Names are
 * those that guests know from QEMU: /dev/disk/by-id has them. */
#include "ata.h"
#include <stdio.h>

void ata_text(u8 *at, unsigned n, const char *s)
{
	for (unsigned i = 0; i < n; i++) {
		at[i ^ 1] = *s ? *s : ' ';
		s += *s != 0;
	}
}

static void word(u8 *buf, unsigned n, u16 v) { st16le(buf + 2 * n, v); }

static void modes(const struct ata_drive *d, u8 *b)
{
	word(b, 53, 7); /* words 54-58, 64-70 and 88 are valid */
	word(b, 63, 7 | (d->mwdma & 8 ? 1 << (8 + (d->mwdma & 7)) : 0));
	word(b, 64, 3); /* PIO 3 and 4 */
	word(b, 65, 120);
	word(b, 66, 120);
	word(b, 67, 120);
	word(b, 68, 120);
	word(b, 88, 0x3f | (d->mwdma & 8 ? 0 : 1 << (8 + (d->udma & 7))));
	/* an 80-conductor cable, or none */
	word(b, 93, d->sata ? 0 : 1 | 1 << 14 | 0x2000);
}

static void names(const struct ata_drive *d, u8 *b)
{
	char serial[24];

	snprintf(serial, sizeof(serial), "QM%05u", d->unit + 1u);
	ata_text(b + 20, 20, d->serial ? d->serial : serial);
	ata_text(b + 46, 8, d->ver ? d->ver : "2.5+");
	ata_text(b + 54, 40, d->model ? d->model : d->cdrom ? "QEMU DVD-ROM" : "QEMU HARDDISK");
}

static void packet(struct ata_drive *d, u8 *b)
{
	/* CD-ROM, removable, 12-byte packets, DRQ within 50 us */
	word(b, 0, 2 << 14 | 5 << 8 | 1 << 7 | 2 << 5);
	word(b, 49, 1 << 11 | 1 << 9 | 1 << 8);
	word(b, 71, 30);
	word(b, 72, 30);
	word(b, 80, 0x1e);
	word(b, 82, 1 << 14 | 1 << 9 | 1 << 4); /* NOP, device reset, packet */
	word(b, 83, 1 << 14);
	word(b, 84, 1 << 14);
	word(b, 85, 1 << 14 | 1 << 9 | 1 << 4);
	word(b, 87, 1 << 14);
}

static void wwn(const struct ata_drive *d, u8 *b)
{
	if (!d->wwn)
		return;
	word(b, 84, ld16le(b + 168) | 1 << 8);
	word(b, 87, ld16le(b + 174) | 1 << 8);
	for (unsigned i = 0; i < 4; i++)
		word(b, 108 + i, d->wwn >> (48 - 16 * i));
}

static void disk(struct ata_drive *d, u8 *b)
{
	struct block_info i;
	u64 sectors, lba28;
	unsigned log = 0;

	block_info(d->drive, &i);
	sectors = i.size / SECTOR;
	lba28 = MIN(sectors, (u64)0x0fffffff);
	word(b, 0, 0x0040);
	word(b, 1, d->cyls);
	word(b, 3, d->heads);
	word(b, 4, 512 * d->secs);
	word(b, 5, 512);
	word(b, 6, d->secs);
	word(b, 20, 3);
	word(b, 21, 512);
	word(b, 22, 4);
	word(b, 47, 0x8000 | 16);
	word(b, 48, 1);
	word(b, 49, 1 << 11 | 1 << 9 | 1 << 8); /* IORDY, LBA, DMA */
	word(b, 50, 1 << 14);
	word(b, 51, 0x200);
	word(b, 52, 0x200);
	word(b, 54, d->cyls);
	word(b, 55, d->cur_heads);
	word(b, 56, d->cur_secs);
	st32le(b + 57 * 2, d->cyls * d->cur_heads * d->cur_secs);
	word(b, 59, d->multi ? 0x100 | d->multi : 0);
	st32le(b + 60 * 2, lba28);
	word(b, 69, i.discard ? 1 << 14 | 1 << 5 : 0); /* trimmed sectors read as zeroes */
	word(b, 75, 31);			       /* queue depth, minus one */
	word(b, 76, 1 << 8 | 1 << 2 | 1 << 1);	       /* queueing, both SATA speeds */
	word(b, 80, 0xf0);
	word(b, 81, 0x16);
	/* NOP, write cache, look-ahead, SMART; flushes, 48-bit addresses */
	word(b, 82, 1 << 14 | 1 << 6 | 1 << 5 | 1);
	word(b, 83, 1 << 14 | 1 << 13 | 1 << 12 | 1 << 10);
	word(b, 84, 1 << 14 | 1 << 6);
	word(b, 85,
	     1 << 14 | (d->look_ahead ? 1 << 6 : 0) | (d->write_cache ? 1 << 5 : 0) |
		     (d->smart ? 1 : 0));
	word(b, 86, 1 << 13 | 1 << 12 | 1 << 10);
	word(b, 87, 1 << 14 | 1 << 6);
	st64le(b + 200, sectors);
	for (u32 s = d->physical_block_size; s > SECTOR; s /= 2)
		log++;
	word(b, 106, log ? 0x6000 | log : 1 << 14);
	if (i.discard) {
		word(b, 105, 64); /* blocks of ranges in one command */
		word(b, 169, 1);
	}
	word(b, 217, d->rotation_rate);
}

void ata_identify(struct ata_drive *d, u8 *b)
{
	memset(b, 0, 512);
	if (d->cdrom)
		packet(d, b);
	else
		disk(d, b);
	names(d, b);
	modes(d, b);
	wwn(d, b);
}
