/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ahci_test.c - ports without a guest: command lists, queued commands, packets, errors, resets, and
 * hostile lists. */
#include "core/tdev.h"
#include "dev/test_disk.h"
#include "lib/error.h"
#include "lib/hash.h"
#include "lib/test.h"
#include <errno.h>
#include <stdio.h>

enum { DISK = 1 << 20, LIST = 0x1000, FIS = 0x2000, TABLES = 0x4000, DATA = 0x10000 };

struct fix {
	struct tdev *t;
	struct test_disk *disk, *cd;
};

/* Slot s of a port: its table is at TABLES + s * 256. */
static u8 *header(struct fix *f, unsigned s) { return tdev_ram(f->t, LIST + s * 32); }
static u8 *table(struct fix *f, unsigned s) { return tdev_ram(f->t, TABLES + s * 0x100); }

static void start_port(struct fix *f, unsigned p)
{
	char reg[16];
	const struct {
		const char *name;
		u32 v;
	} set[] = { { "clb", LIST }, { "fb", FIS }, { "pie", ~0u }, { "cmd", 0x11 } };

	for (unsigned i = 0; i < 4; i++) {
		snprintf(reg, sizeof(reg), "%s[%u]", set[i].name, p);
		tdev_w32(f->t, reg, set[i].v);
	}
}

static struct fix *fix_new(void)
{
	struct fix *f = NEW(struct fix);
	struct error e = { 0 };
	struct machine *m;

	f->t = tdev_empty();
	m = tdev_machine(f->t);
	f->disk = test_disk_new(m, "disk", DISK);
	f->cd = test_disk_new(m, "cd", DISK);
	tdev_plug(f->t, "ahci", NULL);
	CHECK(device_make(m, "ide-hd", NULL, "bus=ahci0.0,drive=disk", &e));
	CHECK(device_make(m, "ide-cd", NULL, "bus=ahci0.1,drive=cd", &e));
	tdev_w32(f->t, "ghc", 2);
	start_port(f, 0);
	return f;
}

static void fix_free(struct fix *f)
{
	tdev_free(f->t);
	free(f);
}

static void prepare(struct fix *f, unsigned s, u8 command, u64 lba, u16 count, u32 bytes, u32 flags)
{
	u8 *h = header(f, s), *t = table(f, s);

	memset(h, 0, 32);
	memset(t, 0, 256);
	st32le(h, 5 | flags | (bytes ? 1 << 16 : 0));
	st64le(h + 8, TABLES + s * 0x100);
	t[0] = 0x27;
	t[1] = 0x80;
	t[2] = command;
	t[4] = lba;
	t[5] = lba >> 8;
	t[6] = lba >> 16;
	t[7] = 0x40;
	t[8] = lba >> 24;
	st16le(t + 12, count);
	st64le(t + 0x80, DATA + s * 0x4000);
	st32le(t + 0x8c, bytes - 1);
}

/* Queued commands have their count in the feature registers and the tag in those of the count. */
static void prepare_queued(struct fix *f, unsigned s, bool write, u64 lba, u16 count)
{
	u8 *t = table(f, s);

	prepare(f, s, write ? 0x61 : 0x60, lba, s << 3, count * 512, write ? 0x40 : 0);
	t[3] = count;
	t[11] = count >> 8;
}

static void issue(struct fix *f, unsigned p, u32 slots, bool queued)
{
	char reg[16];

	if (queued) {
		snprintf(reg, sizeof(reg), "sact[%u]", p);
		tdev_w32(f->t, reg, slots);
	}
	snprintf(reg, sizeof(reg), "ci[%u]", p);
	tdev_w32(f->t, reg, slots);
	tdev_run_us(f->t, 100);
}

TEST(ahci_link)
{
	struct fix *f = fix_new();
	struct tdev *t = f->t;

	CHECK_EQ(tdev_r32(t, "pi"), 0x3f);
	CHECK_EQ(tdev_r32(t, "cap") & 0x40001f1f, 0x40001f05);
	CHECK_EQ(tdev_r32(t, "ssts[0]"), 0x113);
	CHECK_EQ(tdev_r32(t, "sig[0]"), 0x101);
	CHECK_EQ(tdev_r32(t, "tfd[0]"), 0x150);
	CHECK_EQ(tdev_r32(t, "sig[1]"), 0xeb140101);
	CHECK_EQ(tdev_r32(t, "ssts[2]"), 0);
	CHECK_EQ(tdev_r32(t, "cmd[0]"), 0xc017);
	/* the signature was received when there was a place for it */
	CHECK_EQ(*(u8 *)tdev_ram(t, FIS + 0x40), 0x34);
	tdev_w32(t, "sctl[0]", 1);
	CHECK_EQ(tdev_r32(t, "ssts[0]"), 0);
	tdev_w32(t, "sctl[0]", 0);
	CHECK_EQ(tdev_r32(t, "ssts[0]"), 0x113);
	tdev_w32(t, "ghc", 1);
	CHECK_EQ(tdev_r32(t, "ghc"), 1u << 31);
	fix_free(f);
}

TEST(ahci_reads_and_writes)
{
	struct fix *f = fix_new();
	struct tdev *t = f->t;

	prepare(f, 3, 0x25, 7, 2, 1024, 0);
	issue(f, 0, 1 << 3, false);
	CHECK_EQ(tdev_r32(t, "ci[0]"), 0);
	CHECK_EQ(tdev_r32(t, "tfd[0]"), 0x50);
	CHECK_EQ(tdev_r32(t, "pis[0]"), 1);
	CHECK_EQ(tdev_r32(t, "is"), 1);
	CHECK_EQ(ld32le(header(f, 3) + 4), 1024);
	CHECK_MEM(tdev_ram(t, DATA + 3 * 0x4000), f->disk->data + 7 * 512, 1024);
	CHECK_EQ(tdev_irqs(t, 0), 1);
	tdev_w32(t, "pis[0]", 1);
	tdev_w32(t, "is", 1);
	CHECK_EQ(tdev_r32(t, "is"), 0);
	memset(tdev_ram(t, DATA), 0x42, 512);
	prepare(f, 0, 0x3d, 9, 1, 512, 0x40);
	issue(f, 0, 1, false);
	CHECK_MEM(f->disk->data + 9 * 512, tdev_ram(t, DATA), 512);
	CHECK_EQ(f->disk->fua, 1);
	/* identify comes by PIO */
	prepare(f, 1, 0xec, 0, 0, 512, 0);
	issue(f, 0, 2, false);
	CHECK_EQ(ld64le(tdev_ram(t, DATA + 0x4000 + 200)), DISK / 512);
	CHECK_EQ(*(u8 *)tdev_ram(t, FIS + 0x20), 0x5f);
	CHECK_EQ(tdev_r32(t, "pis[0]"), 3);
	fix_free(f);
}

TEST(ahci_queued)
{
	struct fix *f = fix_new();
	struct tdev *t = f->t;

	f->disk->wait = true;
	for (unsigned s = 0; s < 32; s++)
		prepare_queued(f, s, false, s * 3, 2);
	tdev_w32(t, "sact[0]", ~0u);
	tdev_w32(t, "ci[0]", ~0u);
	CHECK_EQ(tdev_r32(t, "ci[0]"), 0); /* all are with the drive, */
	CHECK_EQ(tdev_r32(t, "sact[0]"), ~0u);
	CHECK_EQ(f->disk->nkept, 32); /* at the same time */
	f->disk->wait = false;
	test_disk_go(f->disk->drive->node);
	tdev_run_us(t, 100);
	CHECK_EQ(tdev_r32(t, "sact[0]"), 0);
	CHECK_EQ(tdev_irqs(t, 0), 1); /* one for all that ended together */
	for (unsigned s = 0; s < 32; s++)
		CHECK_MEM(tdev_ram(t, DATA + s * 0x4000), f->disk->data + s * 3 * 512, 1024);
	CHECK_EQ(tdev_r32(t, "pis[0]"), 8);
	fix_free(f);
}

TEST(ahci_errors)
{
	struct fix *f = fix_new();
	struct tdev *t = f->t;
	u8 *log = tdev_ram(t, DATA);

	/* a queued command that fails: its tag stays, and the log names it */
	prepare_queued(f, 5, false, DISK / 512, 1);
	issue(f, 0, 1 << 5, true);
	CHECK_EQ(tdev_r32(t, "sact[0]"), 1 << 5);
	CHECK_EQ(tdev_r32(t, "tfd[0]") & 0xffff, 0x1051);
	CHECK(tdev_r32(t, "pis[0]") & 1 << 30);
	tdev_w32(t, "cmd[0]", 0x10);
	CHECK_EQ(tdev_r32(t, "sact[0]"), 0);
	CHECK_EQ(tdev_r32(t, "cmd[0]") & 0x8000, 0);
	tdev_w32(t, "cmd[0]", 0x11);
	prepare(f, 0, 0x2f, 0x10, 1, 512, 0);
	issue(f, 0, 1, false);
	CHECK_EQ(log[0], 5);
	CHECK_EQ(log[3], 0x10);
	/* one that is not queued */
	f->disk->fail = -EIO;
	prepare(f, 0, 0x25, 3, 1, 512, 0);
	issue(f, 0, 1, false);
	CHECK_EQ(tdev_r32(t, "tfd[0]"), 0x4051);
	CHECK_EQ(tdev_r32(t, "ci[0]"), 1); /* until the port is stopped */
	tdev_w32(t, "cmd[0]", 0x10);
	tdev_w32(t, "cmd[0]", 0x11);
	f->disk->fail = 0;
	/* fewer descriptors than data */
	prepare(f, 0, 0x25, 3, 2, 512, 0);
	issue(f, 0, 1, false);
	CHECK(tdev_r32(t, "pis[0]") & 1 << 24);
	fix_free(f);
}

TEST(ahci_packets)
{
	struct fix *f = fix_new();
	struct tdev *t = f->t;

	start_port(f, 1);
	prepare(f, 0, 0xa0, 0, 0, 4096, 0x20);
	table(f, 0)[3] = 1; /* DMA */
	memcpy(table(f, 0) + 0x40, (u8[10]){ 0x28, 0, 0, 0, 0, 5, 0, 0, 2 }, 10);
	issue(f, 1, 1, false);
	CHECK_EQ(tdev_r32(t, "ci[1]"), 0);
	CHECK_MEM(tdev_ram(t, DATA), f->cd->data + 5 * 2048, 4096);
	/* by PIO, in pieces of the limit's size */
	memset(tdev_ram(t, DATA), 0, 4096);
	prepare(f, 0, 0xa0, 1024 << 8, 0, 4096, 0x20);
	memcpy(table(f, 0) + 0x40, (u8[10]){ 0x28, 0, 0, 0, 0, 7, 0, 0, 2 }, 10);
	issue(f, 1, 1, false);
	tdev_run_us(t, 100);
	CHECK_EQ(tdev_r32(t, "ci[1]"), 0);
	CHECK_MEM(tdev_ram(t, DATA), f->cd->data + 7 * 2048, 4096);
	prepare(f, 0, 0xa0, 0, 0, 4096, 0x20);
	memcpy(table(f, 0) + 0x40, (u8[10]){ 0xee }, 10);
	issue(f, 1, 1, false);
	CHECK_EQ(tdev_r32(t, "tfd[1]") & 0xff01, 0x5401);
	fix_free(f);
}

TEST(ahci_stop_under_way)
{
	struct fix *f = fix_new();
	struct tdev *t = f->t;

	f->disk->wait = true;
	for (unsigned s = 0; s < 8; s++)
		prepare_queued(f, s, false, s, 1);
	issue(f, 0, 0xff, true);
	tdev_w32(t, "cmd[0]", 0x10);
	CHECK_EQ(f->disk->nkept, 0);
	CHECK_EQ(tdev_r32(t, "sact[0]"), 0);
	CHECK_EQ(tdev_r32(t, "ci[0]"), 0);
	f->disk->wait = false;
	tdev_w32(t, "cmd[0]", 0x11);
	prepare(f, 0, 0x25, 3, 1, 512, 0);
	issue(f, 0, 1, false);
	CHECK_EQ(tdev_r32(t, "tfd[0]"), 0x50);
	fix_free(f);
}

/* ---- hostile guests */

static u64 seed;
static u64 rnd(void) { return hash_u64(++seed); }

static void hostile_slot(struct fix *f, unsigned s)
{
	static const u8 codes[] = { 0x20, 0x24, 0x30, 0x34, 0xc4, 0x25, 0x35, 0xec,
				    0xa1, 0xa0, 0xef, 0xe7, 0x06, 0x60, 0x61, 0x2f };
	u8 *t = table(f, s), *h = header(f, s);
	u32 bytes = rnd() % 2 ? 512u << rnd() % 5 : rnd() % 0x400000;

	prepare(f, s, rnd() % 8 ? codes[rnd() % sizeof(codes)] : rnd(), rnd() % 4096, rnd() % 8,
		bytes, rnd() & 0x60);
	t[3] = rnd() % 4;
	for (unsigned i = 0; i < 12; i++)
		t[0x40 + i] = rnd() % 3 ? 0 : rnd();
	if (rnd() % 8 == 0)
		st64le(h + 8, rnd() % 2 ? rnd() : rnd() % 0x110000);
	if (rnd() % 8 == 0)
		st64le(t + 0x80, rnd() % 2 ? rnd() : rnd() % 0x110000);
	if (rnd() % 8 == 0)
		st16le(h + 2, rnd());
	if (rnd() % 16 == 0)
		t[rnd() % 0x80] = rnd();
}

static void hostile(u64 from)
{
	struct fix *f;

	seed = from;
	f = fix_new();
	start_port(f, 1);
	for (unsigned i = 0; i < 5000; i++) {
		unsigned p = rnd() % 2;
		char reg[16];

		f->disk->wait = f->cd->wait = rnd() % 8 == 0;
		f->disk->fail = f->cd->fail = rnd() % 16 ? 0 : -EIO;
		for (unsigned k = rnd() % 4; k; k--)
			hostile_slot(f, rnd() % 32);
		issue(f, p, rnd() & rnd(), rnd() & 1);
		if (rnd() % 16 == 0) {
			static const char *const regs[] = {
				"cmd", "clb", "fb", "sctl", "pis", "fbu"
			};

			snprintf(reg, sizeof(reg), "%s[%u]", regs[rnd() % ARRAY_SIZE(regs)], p);
			tdev_w32(f->t, reg, rnd() & rnd());
		}
		if (rnd() % 8 == 0) {
			snprintf(reg, sizeof(reg), "fbu[%u]", p);
			tdev_w32(f->t, reg, 0);
			snprintf(reg, sizeof(reg), "sctl[%u]", p);
			tdev_w32(f->t, reg, 0);
			snprintf(reg, sizeof(reg), "cmd[%u]", p);
			tdev_w32(f->t, reg, 0);
			start_port(f, p);
		}
	}
	fix_free(f);
}

TEST_TIMED(ahci_survives_hostile_guests, 120)
{
	for (u64 s = 1; s <= 4; s++)
		hostile(s << 32);
}
