/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nvme_test.c - the controller without a guest: registers, queues, commands and their errors, and
 * hostile queues. */
#include "core/fault.h"
#include "core/tdev.h"
#include "dev/test_disk.h"
#include "lib/error.h"
#include "lib/hash.h"
#include "lib/test.h"
#include <errno.h>

enum {
	ASQ = 0x1000,
	ACQ = 0x2000,
	SQ = 0x3000,
	CQ = 0x4000,
	LIST = 0x5000,
	DATA = 0x10000,
	DEPTH = 16,
	DISK = 1 << 20,
	DB = 0x1000,
};

struct fix {
	struct tdev *t;
	struct test_disk *disk;
	u16 cid;
	u32 tail[2], head[2];
	u8 phase[2];
	u32 result;
};

static void cc(struct fix *f, u32 v) { tdev_w32(f->t, "cc", v); }

static void enable(struct fix *f)
{
	struct tdev *t = f->t;

	memset(tdev_ram(t, ACQ), 0, 4096);
	memset(tdev_ram(t, CQ), 0, 4096);
	tdev_w32(t, "aqa", (DEPTH - 1) << 16 | (DEPTH - 1));
	tdev_w64(t, "asq", ASQ);
	tdev_w64(t, "acq", ACQ);
	cc(f, 4 << 20 | 6 << 16 | 1);
	CHECK_EQ(tdev_r32(t, "csts"), 1);
	for (unsigned q = 0; q < 2; q++) {
		f->tail[q] = f->head[q] = 0;
		f->phase[q] = 1;
	}
}

static void push(struct fix *f, unsigned q, u8 opcode, u32 nsid, u64 prp1, u64 prp2, u32 dw10,
		 u32 dw11, u32 dw12)
{
	u8 *e = tdev_ram(f->t, (q ? SQ : ASQ) + f->tail[q] * 64);

	memset(e, 0, 64);
	e[0] = opcode;
	st16le(e + 2, ++f->cid);
	st32le(e + 4, nsid);
	st64le(e + 24, prp1);
	st64le(e + 32, prp2);
	st32le(e + 40, dw10);
	st32le(e + 44, dw11);
	st32le(e + 48, dw12);
	f->tail[q] = (f->tail[q] + 1) % DEPTH;
}

static void ring(struct fix *f, unsigned q) { tdev_write_at(f->t, 0, DB + q * 8, 4, f->tail[q]); }

/* The next completion, if there is one: its status; -1 = none. */
static int pop(struct fix *f, unsigned q, bool tell)
{
	u8 *e = tdev_ram(f->t, (q ? CQ : ACQ) + f->head[q] * 16);
	u16 status = ld16le(e + 14);

	if ((status & 1) != f->phase[q])
		return -1;
	f->result = ld32le(e);
	if (++f->head[q] == DEPTH) {
		f->head[q] = 0;
		f->phase[q] ^= 1;
	}
	if (tell)
		tdev_write_at(f->t, 0, DB + q * 8 + 4, 4, f->head[q]);
	return status >> 1;
}

static int run(struct fix *f, unsigned q, u8 opcode, u32 nsid, u64 prp1, u64 prp2, u32 dw10,
	       u32 dw11, u32 dw12)
{
	int status = -1;

	push(f, q, opcode, nsid, prp1, prp2, dw10, dw11, dw12);
	ring(f, q);
	for (unsigned i = 0; i < 100 && status < 0; i++) {
		status = pop(f, q, true);
		if (status < 0)
			tdev_run_us(f->t, 10);
	}
	return status & 0x7ff;
}

static void queues(struct fix *f)
{
	CHECK_EQ(run(f, 0, 5, 0, CQ, 0, (DEPTH - 1) << 16 | 1, 1 << 16 | 3, 0), 0);
	CHECK_EQ(run(f, 0, 1, 0, SQ, 0, (DEPTH - 1) << 16 | 1, 1 << 16 | 1, 0), 0);
}

static struct fix *fix_new(const char *props)
{
	struct fix *f = NEW(struct fix);
	AUTO_FREE char *all = xasprintf("drive=disk%s%s", props ? "," : "", props ? props : "");

	f->t = tdev_empty();
	f->disk = test_disk_new(tdev_machine(f->t), "disk", DISK);
	tdev_plug(f->t, "nvme", all);
	enable(f);
	return f;
}

static void fix_free(struct fix *f)
{
	tdev_free(f->t);
	free(f);
}

TEST(nvme_registers)
{
	struct fix *f = fix_new(NULL);
	struct tdev *t = f->t;

	CHECK_EQ(tdev_r64(t, "cap"), 0x004000200f0107ffull);
	CHECK_EQ(tdev_r32(t, "vs"), 0x10400);
	cc(f, 0);
	CHECK_EQ(tdev_r32(t, "csts"), 0);
	cc(f, 5 << 7 | 1); /* pages too large */
	CHECK_EQ(tdev_r32(t, "csts"), 2);
	cc(f, 0);
	CHECK_EQ(tdev_r32(t, "csts"), 0);
	tdev_w32(t, "intms", 5);
	tdev_w32(t, "intms", 2);
	tdev_w32(t, "intmc", 1);
	CHECK_EQ(tdev_r32(t, "intms"), 6);
	CHECK_EQ(tdev_r32(t, "intmc"), 6);
	enable(f);
	cc(f, 4 << 20 | 6 << 16 | 1 << 14 | 1); /* shut down */
	CHECK_EQ(tdev_r32(t, "csts"), 5);
	tdev_run_us(t, 100);
	CHECK_EQ(tdev_r32(t, "csts"), 9);
	CHECK_EQ(f->disk->ops[BLOCK_FLUSH], 1);
	cc(f, 4 << 20 | 6 << 16 | 1);
	CHECK_EQ(tdev_r32(t, "csts"), 1);
	fix_free(f);
}

TEST(nvme_identify)
{
	struct fix *f = fix_new("serial=abc,mdts=5");
	u8 *d = tdev_ram(f->t, DATA);

	CHECK_EQ(run(f, 0, 6, 0, DATA, 0, 1, 0, 0), 0);
	CHECK_MEM(d + 4, "abc                 ", 20);
	CHECK_EQ(d[77], 5);
	CHECK_EQ(run(f, 0, 6, 1, DATA, 0, 0, 0, 0), 0);
	CHECK_EQ(ld64le(d), DISK / 512);
	CHECK_EQ(d[130], 9);
	CHECK_EQ(run(f, 0, 6, 0, DATA, 0, 2, 0, 0), 0);
	CHECK_EQ(ld32le(d), 1);
	CHECK_EQ(ld32le(d + 4), 0);
	CHECK_EQ(run(f, 0, 6, 1, DATA, 0, 3, 0, 0), 0);
	CHECK_EQ(d[0], 1);
	CHECK_EQ(run(f, 0, 6, 0, DATA, 0, 0, 0, 0), 0x0b);
	CHECK_EQ(run(f, 0, 6, 0, DATA, 0, 99, 0, 0), 0x02);
	CHECK_EQ(run(f, 0, 6, 1, DATA + 1, 0, 1, 0, 0), 0x13);	 /* not a multiple of 4 */
	CHECK_EQ(run(f, 0, 6, 0, 0x80000000, 0, 1, 0, 0), 0x04); /* no memory there */
	fix_free(f);
}

TEST(nvme_reads_and_writes)
{
	struct fix *f = fix_new(NULL);
	u8 *list = tdev_ram(f->t, LIST);

	queues(f);
	/* one page, from its middle */
	CHECK_EQ(run(f, 1, 2, 1, DATA + 0x200, 0, 7, 0, 1), 0);
	CHECK_MEM(tdev_ram(f->t, DATA + 0x200), f->disk->data + 7 * 512, 1024);
	/* two pages */
	CHECK_EQ(run(f, 1, 2, 1, DATA + 0xe00, DATA + 0x3000, 8, 0, 3), 0);
	CHECK_MEM(tdev_ram(f->t, DATA + 0xe00), f->disk->data + 8 * 512, 512);
	CHECK_MEM(tdev_ram(f->t, DATA + 0x3000), f->disk->data + 9 * 512, 1536);
	/* a list, pages backwards */
	for (unsigned i = 0; i < 7; i++)
		st64le(list + 8 * i, DATA + 0x20000 - i * 0x1000);
	CHECK_EQ(run(f, 1, 2, 1, DATA, LIST, 16, 0, 63), 0);
	CHECK_MEM(tdev_ram(f->t, DATA), f->disk->data + 16 * 512, 4096);
	for (unsigned i = 0; i < 7; i++)
		CHECK_MEM(tdev_ram(f->t, DATA + 0x20000 - i * 0x1000),
			  f->disk->data + 16 * 512 + (i + 1) * 4096, 4096);
	/* a list that goes on in another page: its last entry points there */
	st64le(tdev_ram(f->t, LIST + 0xff8), LIST + 0x1000);
	st64le(tdev_ram(f->t, LIST + 0xff0), DATA + 0x1000);
	st64le(tdev_ram(f->t, LIST + 0x1000), DATA + 0x2000);
	st64le(tdev_ram(f->t, LIST + 0x1008), DATA + 0x3000);
	CHECK_EQ(run(f, 1, 2, 1, DATA, LIST + 0xff0, 32, 0, 31), 0);
	CHECK_MEM(tdev_ram(f->t, DATA + 0x2000), f->disk->data + 48 * 512, 4096);
	memset(tdev_ram(f->t, DATA), 0xaa, 512);
	CHECK_EQ(run(f, 1, 1, 1, DATA, 0, 5, 0, 1 << 30), 0);
	CHECK_MEM(f->disk->data + 5 * 512, tdev_ram(f->t, DATA), 512);
	CHECK_EQ(f->disk->fua, 1);
	CHECK_EQ(run(f, 1, 0, 1, 0, 0, 0, 0, 0), 0);
	CHECK_EQ(run(f, 1, 0, ~0u, 0, 0, 0, 0, 0), 0);
	CHECK_EQ(f->disk->ops[BLOCK_FLUSH], 2);
	CHECK(tdev_irqs(f->t, 1) >= 7);
	fix_free(f);
}

TEST(nvme_other_commands)
{
	struct fix *f = fix_new(NULL);
	u8 *d = tdev_ram(f->t, DATA);

	queues(f);
	memcpy(d, f->disk->data, 1024);
	CHECK_EQ(run(f, 1, 5, 1, DATA, 0, 0, 0, 1), 0);
	d[1000] ^= 1;
	CHECK_EQ(run(f, 1, 5, 1, DATA, 0, 0, 0, 1), 0x285);
	CHECK_EQ(run(f, 1, 0x0c, 1, 0, 0, 0, 0, 7), 0);
	CHECK_EQ(run(f, 1, 8, 1, 0, 0, 4, 0, 1), 0);
	CHECK_EQ(ld32le(f->disk->data + 4 * 512), 0);
	CHECK_EQ(ld32le(f->disk->data + 6 * 512), 6);
	/* two ranges are deallocated */
	memset(d, 0, 32);
	st32le(d + 4, 2);
	st64le(d + 8, 100);
	st32le(d + 20, 1);
	st64le(d + 24, 200);
	CHECK_EQ(run(f, 1, 9, 1, DATA, 0, 1, 4, 0), 0);
	CHECK_EQ(ld32le(f->disk->data + 101 * 512), 0);
	CHECK_EQ(ld32le(f->disk->data + 200 * 512), 0);
	CHECK_EQ(ld32le(f->disk->data + 201 * 512), 201);
	st64le(d + 24, DISK / 512);
	CHECK_EQ(run(f, 1, 9, 1, DATA, 0, 1, 4, 0), 0x80);
	/* format with blocks of 4 KiB: everything is gone */
	CHECK_EQ(run(f, 0, 0x80, 1, 0, 0, 1, 0, 0), 0);
	CHECK_EQ(ld32le(f->disk->data + 201 * 512), 0);
	CHECK_EQ(run(f, 0, 6, 1, DATA, 0, 0, 0, 0), 0);
	CHECK_EQ(ld64le(d), DISK / 4096);
	CHECK_EQ(d[26], 1);
	CHECK_EQ(run(f, 0, 0x80, 1, 0, 0, 2, 0, 0), 0x10a);
	fix_free(f);
}

TEST(nvme_errors)
{
	struct fix *f = fix_new("mdts=1");
	u8 *d = tdev_ram(f->t, DATA);
	struct block_node *n = f->disk->drive->node;

	queues(f);
	CHECK_EQ(run(f, 1, 2, 1, DATA, 0, DISK / 512, 0, 0), 0x80);
	CHECK_EQ(run(f, 1, 2, 1, DATA, 0, 0, 1, 0), 0x80);
	CHECK_EQ(run(f, 1, 2, 2, DATA, 0, 0, 0, 0), 0x02);
	CHECK_EQ(run(f, 1, 2, 0, DATA, 0, 0, 0, 0), 0x0b);
	CHECK_EQ(run(f, 1, 2, 1, DATA, DATA + 0x800, 0, 0, 15), 0x13);
	CHECK_EQ(run(f, 1, 2, 1, DATA, LIST, 0, 0, 16), 0x02); /* larger than mdts */
	CHECK_EQ(run(f, 1, 0x33, 1, DATA, 0, 0, 0, 0), 0x01);
	f->disk->fail = -EIO;
	CHECK_EQ(run(f, 1, 2, 1, DATA, 0, 0, 0, 0), 0x281);
	CHECK_EQ(run(f, 1, 1, 1, DATA, 0, 3, 0, 0), 0x280);
	f->disk->fail = 0;
	CHECK(n);
	/* the newest first */
	CHECK_EQ(run(f, 0, 2, 0, DATA, 0, 1 | 31 << 16, 0, 0), 0);
	CHECK_EQ(ld64le(d), 9);
	CHECK_EQ(ld16le(d + 8), 1);
	CHECK_EQ(ld16le(d + 12) >> 1, 0x280);
	CHECK_EQ(ld64le(d + 16), 3);
	CHECK_EQ(ld64le(d + 64), 8);
	CHECK_EQ(run(f, 0, 2, ~0u, DATA, 0, 2 | 127 << 16, 0, 0), 0);
	CHECK_EQ(ld64le(d + 176), 9);
	CHECK_EQ(run(f, 0, 2, 0, DATA, 0, 77, 0, 0), 0x109);
	/* queues that cannot be */
	CHECK_EQ(run(f, 0, 1, 0, SQ, 0, (DEPTH - 1) << 16 | 1, 1 << 16 | 1, 0), 0x101);
	CHECK_EQ(run(f, 0, 1, 0, SQ, 0, (DEPTH - 1) << 16 | 2, 9 << 16 | 1, 0), 0x100);
	CHECK_EQ(run(f, 0, 5, 0, CQ, 0, 0xffffu << 16 | 2, 1, 0), 0x102);
	CHECK_EQ(run(f, 0, 5, 0, CQ + 4, 0, 15 << 16 | 2, 1, 0), 0x13);
	CHECK_EQ(run(f, 0, 5, 0, CQ, 0, 15 << 16 | 2, 99 << 16 | 1, 0), 0x108);
	CHECK_EQ(run(f, 0, 4, 0, 0, 0, 1, 0, 0), 0x10c); /* still used */
	CHECK_EQ(run(f, 0, 0, 0, 0, 0, 1, 0, 0), 0);
	CHECK_EQ(run(f, 0, 4, 0, 0, 0, 1, 0, 0), 0);
	fix_free(f);
}

TEST(nvme_features)
{
	struct fix *f = fix_new("max_ioqpairs=4");

	CHECK_EQ(run(f, 0, 0x0a, 0, 0, 0, 7, 0, 0), 0);
	CHECK_EQ(f->result, 0x30003);
	CHECK_EQ(run(f, 0, 9, 0, 0, 0, 7, 0xff00ff, 0), 0);
	CHECK_EQ(f->result, 0x30003);
	CHECK_EQ(run(f, 0, 0x0a, 0, 0, 0, 6, 0, 0), 0);
	CHECK_EQ(f->result, 1);
	CHECK_EQ(run(f, 0, 9, 0, 0, 0, 6, 0, 0), 0);
	CHECK(!f->disk->drive->write_cache);
	CHECK_EQ(run(f, 0, 0x0a, 0, 0, 0, 6 | 1 << 8, 0, 0), 0);
	CHECK_EQ(f->result, 1); /* the default */
	CHECK_EQ(run(f, 0, 9, 0, 0, 0, 6 | 1u << 31, 0, 0), 0x10d);
	CHECK_EQ(run(f, 0, 0x0a, 0, 0, 0, 0x55, 0, 0), 0x02);
	CHECK_EQ(run(f, 0, 9, 0, 0, 0, 4, 400, 0), 0);
	CHECK_EQ(run(f, 0, 0x0a, 0, 0, 0, 4, 0, 0), 0);
	CHECK_EQ(f->result, 400);
	cc(f, 0);
	CHECK(f->disk->drive->write_cache);
	fix_free(f);
}

TEST(nvme_events_and_abort)
{
	struct fix *f = fix_new(NULL);
	u16 first;

	push(f, 0, 0x0c, 0, 0, 0, 0, 0, 0);
	first = f->cid;
	ring(f, 0);
	push(f, 0, 0x0c, 0, 0, 0, 0, 0, 0);
	ring(f, 0);
	CHECK_EQ(pop(f, 0, true), -1);
	/* a doorbell of a queue that is not there */
	tdev_write_at(f->t, 0, DB + 5 * 8, 4, 1);
	CHECK_EQ(pop(f, 0, true), 0);
	CHECK_EQ(f->result, 0 | 0 << 8 | 1 << 16);
	/* the next one waits until the log has been read */
	tdev_write_at(f->t, 0, DB, 4, 999);
	CHECK_EQ(pop(f, 0, true), -1);
	CHECK_EQ(run(f, 0, 2, 0, DATA, 0, 1 | 15 << 16, 0, 0), 0);
	push(f, 0, 0x0c, 0, 0, 0, 0, 0, 0);
	ring(f, 0);
	CHECK_EQ(pop(f, 0, true), 0);
	CHECK_EQ(f->result, 1 << 8 | 1 << 16);
	/* one is left, and can be aborted; the first has ended already */
	push(f, 0, 8, 0, 0, 0, first << 16, 0, 0);
	ring(f, 0);
	CHECK_EQ(pop(f, 0, true), 0);
	CHECK_EQ(f->result, 1);
	push(f, 0, 8, 0, 0, 0, (u32)(f->cid - 1) << 16, 0, 0);
	ring(f, 0);
	CHECK_EQ(pop(f, 0, true) & 0x7ff, 7);
	CHECK_EQ(pop(f, 0, true), 0);
	CHECK_EQ(f->result, 0);
	fix_free(f);
}

/* Completions wait while the host does not take them, and nothing is lost. */
TEST(nvme_full_completion_queue)
{
	struct fix *f = fix_new(NULL);
	unsigned got = 0;

	queues(f);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 10; i++)
			push(f, 1, 2, 1, DATA, 0, i, 0, 0);
		ring(f, 1);
		tdev_run_us(f->t, 100);
	}
	while (pop(f, 1, false) >= 0)
		got++;
	CHECK_EQ(got, DEPTH - 1);
	for (unsigned i = 0; i < 10; i++) {
		tdev_write_at(f->t, 0, DB + 8 + 4, 4, f->head[1]);
		tdev_run_us(f->t, 100);
		while (pop(f, 1, false) >= 0)
			got++;
	}
	CHECK_EQ(got, 30);
	fix_free(f);
}

TEST(nvme_reset_under_way)
{
	struct fix *f = fix_new(NULL);

	queues(f);
	f->disk->wait = true;
	for (unsigned i = 0; i < 10; i++)
		push(f, 1, 2, 1, DATA, 0, i, 0, 0);
	ring(f, 1);
	CHECK_EQ(f->disk->nkept, 10);
	cc(f, 0);
	CHECK_EQ(f->disk->nkept, 0);
	f->disk->wait = false;
	enable(f);
	queues(f);
	CHECK_EQ(pop(f, 1, true), -1);
	CHECK_EQ(run(f, 1, 2, 1, DATA, 0, 3, 0, 0), 0);
	fix_free(f);
}

TEST(nvme_memory_buffer)
{
	struct fix *f = fix_new("cmb_size_mb=1");

	CHECK(tdev_r64(f->t, "cap") >> 57 & 1);
	CHECK_EQ(tdev_r32(f->t, "cmbsz"), 0);
	tdev_w64(f->t, "cmbmsc", 1);
	CHECK_EQ(tdev_r32(f->t, "cmbsz"), 1 << 12 | 2 << 8 | 0x1f);
	CHECK_EQ(tdev_r32(f->t, "cmbloc"), 2);
	/* at an address of its own for the controller */
	tdev_w64(f->t, "cmbmsc", 0x7000000000ull | 3);
	queues(f);
	CHECK_EQ(run(f, 1, 2, 1, 0x7000000000ull + 0x3000, 0, 9, 0, 0), 0);
	CHECK_EQ(run(f, 1, 1, 1, 0x7000000000ull + 0x3000, 0, 20, 0, 0), 0);
	CHECK_MEM(f->disk->data + 20 * 512, f->disk->data + 9 * 512, 512);
	fix_free(f);
}

TEST(nvme_media_fault)
{
	struct fix *f = fix_new(NULL);
	struct error e = { 0 };

	queues(f);
	CHECK_EQ(fault_arm(tdev_machine(f->t), "nvme0.media,times=1", &e), 0);
	CHECK_EQ(run(f, 1, 2, 1, DATA, 0, 0, 0, 0), 0x281);
	CHECK_EQ(run(f, 1, 2, 1, DATA, 0, 0, 0, 0), 0);
	fix_free(f);
}

TEST(nvme_name_spaces)
{
	struct fix *f = fix_new(NULL);
	struct machine *m = tdev_machine(f->t);
	struct error e = { 0 };
	u8 *d = tdev_ram(f->t, DATA);

	test_disk_new(m, "second", DISK / 2);
	test_disk_new(m, "third", DISK);
	CHECK(device_make(m, "nvme-ns", "ns", "drive=second,nsid=7,logical_block_size=4096", &e));
	CHECK(!device_make(m, "nvme-ns", NULL, "drive=third,nsid=7", &e));
	error_clear(&e);
	CHECK(!device_make(m, "nvme-ns", NULL, "drive=second", &e));
	error_clear(&e);
	CHECK_EQ(run(f, 0, 6, 0, DATA, 0, 2, 0, 0), 0);
	CHECK_EQ(ld32le(d), 1);
	CHECK_EQ(ld32le(d + 4), 7);
	CHECK_EQ(run(f, 0, 6, 7, DATA, 0, 0, 0, 0), 0);
	CHECK_EQ(ld64le(d), DISK / 2 / 4096);
	/* without it, the host hears of the change if it asked for that */
	CHECK_EQ(run(f, 0, 9, 0, 0, 0, 11, 0x100, 0), 0);
	push(f, 0, 0x0c, 0, 0, 0, 0, 0, 0);
	ring(f, 0);
	device_free(device_find(m, "ns"));
	CHECK_EQ(pop(f, 0, true), 0);
	CHECK_EQ(f->result, 2 | 4 << 16);
	CHECK_EQ(run(f, 0, 2, 0, DATA, 0, 4 | 1023 << 16, 0, 0), 0);
	CHECK_EQ(ld32le(d), 7);
	CHECK_EQ(run(f, 0, 6, 7, DATA, 0, 3, 0, 0), 0x02);
	fix_free(f);
}

/* ---- hostile hosts */

static u64 seed;
static u64 rnd(void) { return hash_u64(++seed); }

static u64 address(void)
{
	static const u64 bases[] = { 0,	   ASQ,	 ACQ,	     SQ,      CQ,
				     LIST, DATA, 0xc0000000, 0xfff00, 0xfffffffffffff000ull };
	u64 a = bases[rnd() % ARRAY_SIZE(bases)];

	return rnd() % 4 ? a : a + rnd() % 8192;
}

static void hostile_entry(struct fix *f, unsigned q)
{
	static const u8 admin[] = { 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 0x80, 0x7c },
			io[] = { 0, 1, 2, 4, 5, 8, 9, 12 };
	u8 *e = tdev_ram(f->t, (q ? SQ : ASQ) + rnd() % DEPTH * 64);

	for (unsigned i = 0; i < 64; i += 8)
		st64le(e + i, rnd() % 4 ? 0 : rnd());
	e[0] = q ? io[rnd() % sizeof(io)] : admin[rnd() % sizeof(admin)];
	e[1] = rnd() % 16 ? 0 : rnd();
	st32le(e + 4, rnd() % 8 ? rnd() % 3 : ~0u);
	st64le(e + 24, address());
	st64le(e + 32, address());
	st32le(e + 40, rnd() % 2 ? rnd() % 4 : rnd() % 4 | rnd() % 32 << 16);
	st32le(e + 44, rnd() % 8 ? rnd() % 4 : rnd());
	st32le(e + 48, rnd() % 64);
}

static void hostile(u64 from)
{
	struct fix *f;

	seed = from;
	f = fix_new("cmb_size_mb=1,mdts=0");
	queues(f);
	for (unsigned i = 0; i < 3000; i++) {
		unsigned q = rnd() % 2;

		f->disk->wait = rnd() % 4 == 0;
		f->disk->fail = rnd() % 8 ? 0 : -EIO;
		for (unsigned k = rnd() % 4; k; k--)
			hostile_entry(f, q);
		tdev_write_at(f->t, 0, DB + rnd() % 3 * 8 + rnd() % 2 * 4, 4, rnd() % (DEPTH + 1));
		if (rnd() % 4 == 0)
			tdev_run_us(f->t, rnd() % 50);
		if (rnd() % 64 == 0)
			tdev_w64(f->t, "cmbmsc", address() | (rnd() & 3));
		if (rnd() % 16 == 0)
			cc(f, (tdev_r32(f->t, "cc") & ~(3u << 14)) | rnd() % 4 << 14);
		if (rnd() % 32 == 0 || tdev_r32(f->t, "csts") & 2) {
			cc(f, 0);
			enable(f);
			if (rnd() % 4)
				for (unsigned k = 0; k < 2; k++) {
					push(f, 0, k ? 1 : 5, 0, k ? SQ : CQ, 0,
					     (DEPTH - 1) << 16 | 1, 1 << 16 | 3, 0);
					ring(f, 0);
				}
		}
	}
	fix_free(f);
}

TEST_TIMED(nvme_survives_hostile_queues, 120)
{
	for (u64 s = 1; s <= 20; s++)
		hostile(s << 32);
}
