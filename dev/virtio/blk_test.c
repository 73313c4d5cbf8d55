/* SPDX-License-Identifier: GPL-2.0-or-later */
/* blk_test.c - virtio-blk against a disk in memory that ends requests at once or when told. */
#include "bus/vdrv.h"
#include "core/block.h"
#include "lib/alloc.h"
#include "lib/test.h"
#include <errno.h>

enum { SIZE = 1 << 20, IN = 0, OUT = 1, FLUSH = 4, ID = 8, DISCARD = 11, ZEROES = 13 };
enum { F_RO = 5, F_FLUSH = 9, F_CONFIG_WCE = 11, F_DISCARD = 13, F_WRITE_ZEROES = 14 };

struct disk {
	struct block_node *node;
	u8 data[SIZE];
	unsigned flushes, discards, zeroes, fua;
	struct block_req *held;
	bool hold, fail;
};

static void move(struct disk *d, struct block_req *r)
{
	u64 at = r->at, sum = 0;

	for (u32 i = 0; i < r->nvec; i++) {
		if (r->op == BLOCK_READ)
			memcpy(r->vec[i].iov_base, d->data + at, r->vec[i].iov_len);
		else
			memcpy(d->data + at, r->vec[i].iov_base, r->vec[i].iov_len);
		at += r->vec[i].iov_len;
		sum += r->vec[i].iov_len;
	}
	CHECK_EQ(sum, r->bytes);
}

static void disk_submit(struct block_node *n, struct block_req *r)
{
	struct disk *d = n->impl;

	if (d->hold) {
		d->held = r;
		return;
	}
	if (r->op == BLOCK_READ || r->op == BLOCK_WRITE)
		move(d, r);
	d->flushes += r->op == BLOCK_FLUSH;
	d->discards += r->op == BLOCK_DISCARD;
	d->zeroes += r->op == BLOCK_ZEROES;
	d->fua += (r->flags & BLOCK_FUA) != 0;
	block_done(r, d->fail ? -EIO : 0);
}

static void disk_drain(struct block_node *n)
{
	struct disk *d = n->impl;
	struct block_req *r = d->held;

	d->hold = false;
	d->held = NULL;
	if (r)
		disk_submit(n, r);
}

static const struct block_driver driver = { .name = "memory-disk",
					    .submit = disk_submit,
					    .drain = disk_drain };

struct fix {
	struct vdrv *v;
	struct disk *disk;
	u32 header, data, status;
};

static void setup(struct fix *f, const char *class, const char *props, bool readonly, u64 features)
{
	struct machine *m;

	f->disk = NEW(struct disk);
	f->v = NEW(struct vdrv);
	f->v->t = tdev_empty();
	m = tdev_machine(f->v->t);
	f->disk->node = block_node_new(m, &driver, "disk");
	f->disk->node->impl = f->disk;
	f->disk->node->size = SIZE;
	f->disk->node->align = f->disk->node->optimal = 512;
	f->disk->node->readonly = readonly;
	f->disk->node->discard = f->disk->node->can_discard = true;
	f->disk->node->cache = (struct block_cache){ 0 };
	block_new(m, "d", f->disk->node);
	tdev_plug(f->v->t, class, props);
	f->v->mmio = class[strlen(class) - 1] == 'e';
	f->v->next = 0x10000;
	vdrv_start(f->v, features);
	f->header = vdrv_alloc(f->v, 64);
	f->data = vdrv_alloc(f->v, 4096);
	f->status = vdrv_alloc(f->v, 1);
}

static void done(struct fix *f)
{
	vdrv_free(f->v);
	free(f->disk);
}

static u8 result(struct fix *f)
{
	u32 len;
	u16 id;

	tdev_run_us(f->v->t, 1000);
	CHECK(vdrv_used(f->v, 0, &id, &len));
	return *(u8 *)vdrv_mem(f->v, f->status);
}

static void start(struct fix *f, u32 type, u64 sector, u32 n, bool in)
{
	u8 *h = vdrv_mem(f->v, f->header);
	const struct vdrv_buf b[] = { { f->header, 16 },
				      { f->data, n / 2, in },
				      { f->data + n / 2, n - n / 2, in },
				      { f->status, 1, true } };
	const struct vdrv_buf none[] = { { f->header, 16 }, { f->status, 1, true } };

	st32le(h, type);
	st64le(h + 8, sector);
	*(u8 *)vdrv_mem(f->v, f->status) = 0xff;
	if (n)
		vdrv_add(f->v, 0, b, 4, false);
	else
		vdrv_add(f->v, 0, none, 2, false);
	vdrv_kick(f->v, 0);
}

static u8 request(struct fix *f, u32 type, u64 sector, u32 n, bool in)
{
	start(f, type, sector, n, in);
	return result(f);
}

TEST(virtio_blk_reads_and_writes)
{
	static const char *const classes[] = { "virtio-blk-pci", "virtio-blk-device" };

	for (unsigned c = 0; c < ARRAY_SIZE(classes); c++) {
		struct fix f;

		setup(&f, classes[c], "drive=d,serial=12345", false, BIT64(F_FLUSH));
		CHECK_EQ(vdrv_config(f.v, 0, 4), SIZE / 512);
		for (unsigned i = 0; i < 1024; i++)
			((u8 *)vdrv_mem(f.v, f.data))[i] = i * 7;
		CHECK_EQ(request(&f, OUT, 5, 1024, false), 0);
		CHECK_MEM(f.disk->data + 5 * 512, vdrv_mem(f.v, f.data), 1024);
		CHECK_EQ(f.disk->fua, 0);
		memset(vdrv_mem(f.v, f.data), 0, 1024);
		CHECK_EQ(request(&f, IN, 5, 1024, true), 0);
		CHECK_MEM(vdrv_mem(f.v, f.data), f.disk->data + 5 * 512, 1024);
		CHECK_EQ(request(&f, FLUSH, 0, 0, false), 0);
		CHECK_EQ(f.disk->flushes, 1);
		CHECK_EQ(request(&f, ID, 0, 20, true), 0);
		CHECK_STR(vdrv_mem(f.v, f.data), "12345");
		done(&f);
	}
}

/* Header and status share their buffers with data. */
TEST(virtio_blk_takes_any_layout)
{
	struct fix f;
	u32 len;
	u16 id;
	u8 *h;

	setup(&f, "virtio-blk-pci", "drive=d", false, 0);
	h = vdrv_mem(f.v, f.header);
	memset(f.disk->data, 'x', 512);
	st32le(h, IN);
	vdrv_add(f.v, 0,
		 (struct vdrv_buf[]){
			 { f.header, 5 }, { f.header + 5, 11 }, { f.data, 513, true } },
		 3, false);
	vdrv_kick(f.v, 0);
	tdev_run_us(f.v->t, 1000);
	CHECK(vdrv_used(f.v, 0, &id, &len));
	CHECK_EQ(len, 513);
	CHECK_MEM(vdrv_mem(f.v, f.data), f.disk->data, 512);
	CHECK_EQ(((u8 *)vdrv_mem(f.v, f.data))[512], 0);
	memset(h + 16, 'w', 512);
	st32le(h, OUT);
	vdrv_add(f.v, 0, (struct vdrv_buf[]){ { f.header, 528 }, { f.status, 1, true } }, 2, false);
	vdrv_kick(f.v, 0);
	CHECK_EQ(result(&f), 0);
	CHECK_MEM(f.disk->data, h + 16, 512);
	done(&f);
}

TEST(virtio_blk_refuses)
{
	struct fix f;

	setup(&f, "virtio-blk-pci", "drive=d", false, 0);
	CHECK_EQ(request(&f, IN, SIZE / 512 - 1, 1024, true), 1);
	CHECK_EQ(request(&f, IN, ~0ull, 512, true), 1);
	CHECK_EQ(request(&f, IN, ~0ull / 512 + 1, 512, true), 1);
	CHECK_EQ(request(&f, IN, 0, 100, true), 1);
	CHECK_EQ(request(&f, 77, 0, 512, true), 2);
	CHECK_EQ(request(&f, DISCARD, 0, 16, false), 2);
	f.disk->fail = true;
	CHECK_EQ(request(&f, IN, 0, 512, true), 1);
	done(&f);
	setup(&f, "virtio-blk-pci", "drive=d", true, BIT64(F_RO));
	CHECK_EQ(request(&f, OUT, 0, 512, false), 1);
	CHECK_EQ(request(&f, IN, 0, 512, true), 0);
	done(&f);
}

TEST(virtio_blk_clears)
{
	struct fix f;
	u8 *r;

	setup(&f, "virtio-blk-pci", "drive=d", false, BIT64(F_DISCARD) | BIT64(F_WRITE_ZEROES));
	r = vdrv_mem(f.v, f.data);
	st64le(r, 8);
	st32le(r + 8, 16);
	st32le(r + 12, 0);
	CHECK_EQ(request(&f, DISCARD, 0, 16, false), 0);
	CHECK_EQ(f.disk->discards, 1);
	CHECK_EQ(request(&f, ZEROES, 0, 16, false), 0);
	CHECK_EQ(f.disk->zeroes, 1);
	st64le(r, SIZE / 512 - 8);
	CHECK_EQ(request(&f, ZEROES, 0, 16, false), 1);
	st64le(r, 0);
	st32le(r + 12, 2);
	CHECK_EQ(request(&f, ZEROES, 0, 16, false), 2);
	done(&f);
}

/* Without FLUSH and CONFIG_WCE the driver cannot flush: writes go through the cache. */
TEST(virtio_blk_writes_through_for_simple_drivers)
{
	struct fix f;

	setup(&f, "virtio-blk-pci", "drive=d,write-cache=on", false, 0);
	CHECK_EQ(request(&f, OUT, 0, 512, false), 0);
	CHECK_EQ(f.disk->fua, 1);
	done(&f);
	setup(&f, "virtio-blk-pci", "drive=d,write-cache=on", false, BIT64(F_CONFIG_WCE));
	CHECK_EQ(vdrv_config(f.v, 32, 1), 1);
	CHECK_EQ(request(&f, OUT, 0, 512, false), 0);
	CHECK_EQ(f.disk->fua, 0);
	vdrv_config_set(f.v, 32, 1, 0);
	CHECK_EQ(request(&f, OUT, 0, 512, false), 0);
	CHECK_EQ(f.disk->fua, 1);
	done(&f);
}

TEST(virtio_blk_reset_waits_for_the_disk)
{
	struct fix f;
	u32 len;
	u16 id;

	setup(&f, "virtio-blk-pci", "drive=d", false, 0);
	f.disk->hold = true;
	start(&f, IN, 0, 512, true);
	CHECK(f.disk->held);
	vdrv_status(f.v, 0);
	CHECK(!f.disk->held);
	tdev_run_us(f.v->t, 1000);
	CHECK(!vdrv_used(f.v, 0, &id, &len));
	done(&f);
}
