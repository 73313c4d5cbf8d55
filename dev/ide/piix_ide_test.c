/* SPDX-License-Identifier: GPL-2.0-or-later */
/* piix_ide_test.c - the two channels without a guest: PIO, bus mastering, packets, resets, errors,
 * and ports written at random. */
#include "core/tdev.h"
#include "dev/test_disk.h"
#include "dev/test_ports.h"
#include "lib/error.h"
#include "lib/hash.h"
#include <errno.h>

enum { DISK = 1 << 20, PRD = 0x1000, DATA = 0x10000, BSY = 0x80, DRQ = 8, ERR = 1 };

struct fix {
	struct tdev *t;
	struct device *d;
	struct test_disk *disk, *cd;
};

static struct fix *fix_new(void)
{
	struct fix *f = NEW(struct fix);
	struct error e = { 0 };
	struct machine *m;

	f->t = tdev_empty();
	m = tdev_machine(f->t);
	f->disk = test_disk_new(m, "disk", DISK);
	f->cd = test_disk_new(m, "cd", DISK);
	f->d = tdev_plug(f->t, "piix3-ide", NULL);
	CHECK(device_make(m, "ide-hd", NULL, "bus=ide.0,unit=0,drive=disk,serial=S1", &e));
	CHECK(device_make(m, "ide-cd", NULL, "bus=ide.1,drive=cd", &e));
	return f;
}

static void fix_free(struct fix *f)
{
	tdev_free(f->t);
	free(f);
}

static u8 in(struct fix *f, unsigned ch, unsigned reg)
{
	return bank_in(f->d, ch ? "cmd1" : "cmd0", reg, 1);
}

static void out(struct fix *f, unsigned ch, unsigned reg, u8 v)
{
	bank_out(f->d, ch ? "cmd1" : "cmd0", reg, 1, v);
}

static void data_in(struct fix *f, unsigned ch, u8 *buf, unsigned n)
{
	for (unsigned i = 0; i < n; i += 2)
		st16le(buf + i, bank_in(f->d, ch ? "cmd1" : "cmd0", 0, 2));
}

static void data_out(struct fix *f, unsigned ch, const u8 *buf, unsigned n)
{
	for (unsigned i = 0; i < n; i += 2)
		bank_out(f->d, ch ? "cmd1" : "cmd0", 0, 2, ld16le(buf + i));
}

static void address(struct fix *f, unsigned ch, u32 lba, u8 count)
{
	out(f, ch, 6, 0xe0 | (lba >> 24 & 15));
	out(f, ch, 2, count);
	out(f, ch, 3, lba);
	out(f, ch, 4, lba >> 8);
	out(f, ch, 5, lba >> 16);
}

static u8 wait(struct fix *f, unsigned ch)
{
	for (unsigned i = 0; i < 100; i++) {
		u8 st = bank_in(f->d, ch ? "ctl1" : "ctl0", 0, 1);

		if (!(st & BSY))
			return st;
		tdev_run_us(f->t, 10);
	}
	return BSY;
}

static void prd(struct fix *f, unsigned n, u32 addr, u16 bytes, bool end)
{
	u8 *p = tdev_ram(f->t, PRD + n * 8);

	st32le(p, addr);
	st32le(p + 4, bytes | (end ? 1u << 31 : 0));
}

/* Bus master registers of channel 0: the first bank of the function. */
static void bm(struct fix *f, unsigned off, unsigned size, u32 v)
{
	tdev_write_at(f->t, 0, off, size, v);
}

TEST(ide_identify)
{
	struct fix *f = fix_new();
	u8 id[512];

	out(f, 0, 6, 0xa0);
	out(f, 0, 7, 0xec);
	CHECK_EQ(wait(f, 0), 0x58);
	CHECK_EQ(tdev_irqs(f->t, 0), 1);
	CHECK_EQ(in(f, 0, 7), 0x58);
	data_in(f, 0, id, 512);
	CHECK_EQ(wait(f, 0), 0x50);
	CHECK_EQ(tdev_irqs(f->t, 0), 1); /* none at the end */
	CHECK_MEM(id + 20, "1S", 2);
	CHECK_EQ(ld32le(id + 120), DISK / 512);
	CHECK_EQ(ld64le(id + 200), DISK / 512);
	/* the other drive of the channel is not there */
	out(f, 0, 6, 0xb0);
	CHECK_EQ(in(f, 0, 7), 0);
	/* a CD-ROM drive refuses, and says what it is */
	out(f, 1, 6, 0xa0);
	out(f, 1, 7, 0xec);
	CHECK(wait(f, 1) & ERR);
	CHECK_EQ(in(f, 1, 1), 4);
	CHECK_EQ(in(f, 1, 4), 0x14);
	CHECK_EQ(in(f, 1, 5), 0xeb);
	out(f, 1, 7, 0xa1);
	CHECK(wait(f, 1) & DRQ);
	data_in(f, 1, id, 512);
	CHECK_EQ(ld16le(id) >> 8, 0x85);
	fix_free(f);
}

TEST(ide_pio)
{
	struct fix *f = fix_new();
	u8 buf[1024];

	address(f, 0, 5, 2);
	out(f, 0, 7, 0x20);
	for (unsigned i = 0; i < 2; i++) {
		CHECK_EQ(wait(f, 0), 0x58);
		CHECK_EQ(tdev_irqs(f->t, 0), i + 1);
		in(f, 0, 7);
		data_in(f, 0, buf + i * 512, 512);
	}
	CHECK_EQ(wait(f, 0), 0x50);
	CHECK_MEM(buf, f->disk->data + 5 * 512, 1024);
	/* a write: no interrupt for the first block */
	memset(buf, 0x77, 1024);
	address(f, 0, 9, 2);
	out(f, 0, 7, 0x30);
	CHECK_EQ(wait(f, 0), 0x58);
	CHECK_EQ(tdev_irqs(f->t, 0), 2);
	data_out(f, 0, buf, 512);
	CHECK_EQ(wait(f, 0), 0x58);
	CHECK_EQ(tdev_irqs(f->t, 0), 3);
	in(f, 0, 7);
	data_out(f, 0, buf, 512);
	CHECK_EQ(wait(f, 0), 0x50);
	CHECK_EQ(tdev_irqs(f->t, 0), 4);
	CHECK_MEM(f->disk->data + 9 * 512, buf, 1024);
	/* in blocks of 16 sectors; by cylinder, head and sector */
	out(f, 0, 2, 16);
	out(f, 0, 7, 0xc6);
	CHECK_EQ(wait(f, 0), 0x50);
	out(f, 0, 6, 0xa1);
	out(f, 0, 2, 1);
	out(f, 0, 3, 2);
	out(f, 0, 4, 0);
	out(f, 0, 5, 0);
	out(f, 0, 7, 0xc4);
	CHECK_EQ(wait(f, 0), 0x58);
	data_in(f, 0, buf, 512);
	CHECK_EQ(ld32le(buf), 64); /* head 1, sector 2 */
	fix_free(f);
}

TEST(ide_dma)
{
	struct fix *f = fix_new();

	prd(f, 0, DATA + 0x200, 0x400, false);
	prd(f, 1, DATA + 0x5000, 0xc00, true);
	bm(f, 4, 4, PRD);
	address(f, 0, 20, 8);
	out(f, 0, 7, 0xc8);
	CHECK_EQ(f->disk->ops[BLOCK_READ], 0);
	bm(f, 0, 1, 9); /* start, into memory */
	CHECK_EQ(wait(f, 0), 0x50);
	CHECK_EQ(tdev_irqs(f->t, 0), 1);
	CHECK_EQ(tdev_read_at(f->t, 0, 2, 1), 4);
	bm(f, 2, 1, 4);
	CHECK_EQ(tdev_read_at(f->t, 0, 2, 1), 0);
	CHECK_MEM(tdev_ram(f->t, DATA + 0x200), f->disk->data + 20 * 512, 0x400);
	CHECK_MEM(tdev_ram(f->t, DATA + 0x5000), f->disk->data + 22 * 512, 0xc00);
	bm(f, 0, 1, 0);
	/* 48 bits, out, started before the command */
	bm(f, 0, 1, 1);
	memset(tdev_ram(f->t, DATA + 0x200), 0x11, 0x400);
	for (unsigned i = 2; i <= 5; i++)
		out(f, 0, i, 0);
	address(f, 0, 100, 2);
	out(f, 0, 7, 0x35);
	CHECK_EQ(wait(f, 0), 0x50);
	CHECK_MEM(f->disk->data + 100 * 512, tdev_ram(f->t, DATA + 0x200), 0x400);
	bm(f, 0, 1, 0);
	/* too few descriptors */
	prd(f, 0, DATA, 0x200, true);
	bm(f, 0, 1, 9);
	address(f, 0, 0, 2);
	out(f, 0, 7, 0xc8);
	CHECK_EQ(wait(f, 0), 0x51);
	CHECK_EQ(tdev_read_at(f->t, 0, 2, 1) & 2, 2);
	fix_free(f);
}

TEST(ide_errors)
{
	struct fix *f = fix_new();

	address(f, 0, DISK / 512, 1);
	out(f, 0, 7, 0x20);
	CHECK_EQ(wait(f, 0), 0x51);
	CHECK_EQ(in(f, 0, 1), 0x10); /* not found */
	f->disk->fail = -EIO;
	address(f, 0, 3, 1);
	out(f, 0, 7, 0x20);
	CHECK_EQ(wait(f, 0), 0x51);
	CHECK_EQ(in(f, 0, 1), 0x40);
	CHECK_EQ(in(f, 0, 3), 3); /* where */
	f->disk->fail = 0;
	out(f, 0, 7, 0xff);
	CHECK_EQ(wait(f, 0), 0x51);
	CHECK_EQ(in(f, 0, 1), 4);
	/* without its cache, a disk writes through */
	out(f, 0, 1, 0x82);
	out(f, 0, 7, 0xef);
	CHECK_EQ(wait(f, 0), 0x50);
	CHECK(!f->disk->drive->write_cache);
	CHECK_EQ(f->disk->ops[BLOCK_FLUSH], 1);
	out(f, 0, 7, 0xe7);
	CHECK_EQ(wait(f, 0), 0x50);
	CHECK_EQ(f->disk->ops[BLOCK_FLUSH], 2);
	fix_free(f);
}

TEST(ide_reset_under_way)
{
	struct fix *f = fix_new();

	f->disk->wait = true;
	address(f, 0, 5, 2);
	out(f, 0, 7, 0x20);
	CHECK_EQ(in(f, 0, 7), BSY);
	bank_out(f->d, "ctl0", 0, 1, 4);
	CHECK_EQ(f->disk->nkept, 0);
	CHECK_EQ(in(f, 0, 7), BSY);
	bank_out(f->d, "ctl0", 0, 1, 2);
	CHECK_EQ(in(f, 0, 7), 0x50);
	CHECK_EQ(in(f, 0, 2), 1);
	CHECK_EQ(in(f, 0, 3), 1);
	CHECK_EQ(tdev_irqs(f->t, 0), 0);
	fix_free(f);
}

/* ---- packets */

static u8 packet(struct fix *f, const u8 *cdb, u16 limit)
{
	u8 all[12] = { 0 };

	memcpy(all, cdb, 10);
	out(f, 1, 6, 0xa0);
	out(f, 1, 1, 0);
	out(f, 1, 4, limit);
	out(f, 1, 5, limit >> 8);
	out(f, 1, 7, 0xa0);
	CHECK_EQ(wait(f, 1), 0x58);
	CHECK_EQ(in(f, 1, 2) & 3, 1); /* wants the packet */
	data_out(f, 1, all, 12);
	return wait(f, 1);
}

static u8 sense(struct fix *f)
{
	u8 buf[18];

	CHECK_EQ(packet(f, (u8[10]){ 3, 0, 0, 0, 18 }, 0xfffe), 0x58);
	data_in(f, 1, buf, 18);
	CHECK_EQ(wait(f, 1), 0x50);
	return buf[2] << 4 | (buf[12] & 15);
}

TEST(ide_packets)
{
	struct fix *f = fix_new();
	u8 buf[4096];

	CHECK_EQ(packet(f, (u8[10]){ 0x12, 0, 0, 0, 5 }, 0xfffe), 0x58);
	CHECK_EQ(in(f, 1, 2) & 3, 2);
	CHECK_EQ(in(f, 1, 4), 5);
	data_in(f, 1, buf, 6); /* an odd number comes as words */
	CHECK_EQ(wait(f, 1), 0x50);
	CHECK_EQ(in(f, 1, 2) & 3, 3);
	CHECK_EQ(buf[0], 5);
	CHECK_EQ(packet(f, (u8[10]){ 0x25 }, 8), 0x58);
	data_in(f, 1, buf, 8);
	CHECK_EQ(ld32be(buf), DISK / 2048 - 1);
	CHECK_EQ(ld32be(buf + 4), 2048);
	/* two sectors in pieces of 1024 bytes */
	CHECK_EQ(packet(f, (u8[10]){ 0x28, 0, 0, 0, 0, 3, 0, 0, 2 }, 1024), 0x58);
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(wait(f, 1), 0x58);
		CHECK_EQ(in(f, 1, 5), 4);
		data_in(f, 1, buf + i * 1024, 1024);
	}
	CHECK_EQ(wait(f, 1), 0x50);
	CHECK_MEM(buf, f->cd->data + 3 * 2048, 4096);
	/* past the end; unknown; no medium; another one */
	CHECK_EQ(packet(f, (u8[10]){ 0x28, 0, 0, 0, 2, 0, 0, 0, 1 }, 2048), 0x51);
	CHECK_EQ(in(f, 1, 1), 0x54);
	CHECK_EQ(sense(f), 0x51);
	CHECK_EQ(packet(f, (u8[10]){ 0xdd }, 2048), 0x51);
	CHECK_EQ(sense(f), 0x50);
	block_remove(f->cd->drive);
	CHECK_EQ(packet(f, (u8[10]){ 0 }, 2048), 0x51);
	CHECK_EQ(sense(f), 0x2a);
	f->cd = test_disk_new(tdev_machine(f->t), "new", DISK);
	block_insert(f->cd->drive, block_ref(f->cd->drive->node));
	fix_free(f);
}

TEST(ide_tray)
{
	struct fix *f = fix_new();
	struct block *b = f->cd->drive;

	CHECK_EQ(packet(f, (u8[10]){ 0x1e, 0, 0, 0, 1 }, 0), 0x50); /* lock */
	CHECK(b->use->medium_locked(b->dev));
	CHECK_EQ(packet(f, (u8[10]){ 0x1b, 0, 0, 0, 2 }, 0), 0x51);
	CHECK_EQ(packet(f, (u8[10]){ 0x1e }, 0), 0x50);
	CHECK_EQ(packet(f, (u8[10]){ 0x1b, 0, 0, 0, 2 }, 0), 0x50); /* eject */
	CHECK(b->tray_open);
	CHECK_EQ(packet(f, (u8[10]){ 0 }, 0), 0x51);
	CHECK_EQ(packet(f, (u8[10]){ 0x1b, 0, 0, 0, 3 }, 0), 0x50); /* load */
	CHECK(!b->tray_open);
	CHECK_EQ(packet(f, (u8[10]){ 0 }, 0), 0x51); /* it may be another one: once */
	CHECK_EQ(sense(f), 0x68);
	CHECK_EQ(packet(f, (u8[10]){ 0 }, 0), 0x50);
	fix_free(f);
}

/* ---- hostile guests */

static u64 seed;
static u64 rnd(void) { return hash_u64(++seed); }

static void hostile(u64 from)
{
	static const u8 codes[] = { 0x20, 0x24, 0x30, 0x34, 0xc4, 0xc5, 0x29, 0x39,
				    0xc8, 0x25, 0xca, 0x35, 0xec, 0xa1, 0xa0, 0xef,
				    0xe7, 0x06, 0x08, 0x90, 0xb0, 0xc6, 0x2f, 0x60 },
			packets[] = { 0x00, 0x03, 0x12, 0x1b, 0x1e, 0x25, 0x28, 0x43,
				      0x46, 0x4a, 0x51, 0x5a, 0xa8, 0xad, 0xbd, 0xbe };
	struct fix *f;

	seed = from;
	f = fix_new();
	for (unsigned i = 0; i < 20000; i++) {
		unsigned ch = rnd() % 2, what = rnd() % 16;

		f->disk->wait = f->cd->wait = rnd() % 8 == 0;
		f->disk->fail = f->cd->fail = rnd() % 16 ? 0 : -EIO;
		if (what < 4)
			out(f, ch, 1 + rnd() % 6, rnd() % 4 ? rnd() % 8 : rnd());
		else if (what < 7)
			out(f, ch, 7, rnd() % 8 ? codes[rnd() % sizeof(codes)] : rnd());
		else if (what < 8)
			in(f, ch, rnd() % 8 ? 7 : rnd() % 8);
		else if (what < 9)
			prd(f, rnd() % 8, rnd() % 2 ? rnd() % 0x110000 : rnd(), rnd() % 4096,
			    rnd() % 4 == 0);
		else if (what < 11)
			bm(f, rnd() % 16, 1, rnd());
		else if (what < 12)
			bm(f, ch * 8 + 4, 4, PRD);
		else if (rnd() % 64 == 0)
			bank_out(f->d, ch ? "ctl1" : "ctl0", 0, 1, rnd());
		else if (what < 15)
			for (unsigned k = rnd() % 300; k; k--)
				bank_out(f->d, ch ? "cmd1" : "cmd0", 0, 2,
					 k % 6 ? rnd() % 256 : packets[rnd() % sizeof(packets)]);
		else
			for (unsigned k = rnd() % 600; k; k--)
				bank_in(f->d, ch ? "cmd1" : "cmd0", 0, rnd() % 2 ? 2 : 4);
		if (rnd() % 4 == 0)
			tdev_run_us(f->t, rnd() % 50);
	}
	fix_free(f);
}

TEST_TIMED(ide_survives_hostile_guests, 120)
{
	for (u64 s = 1; s <= 4; s++)
		hostile(s << 32);
}
