/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_test.c - the virtio network card with a back end that keeps what it gets. */
#include "bus/vdrv.h"
#include "core/net.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/test.h"
#include <stdio.h>

enum { RX, TX, CTRL, HEADER = 12 };
enum {
	F_CSUM = 0,
	F_MRG_RXBUF = 15,
	F_STATUS = 16,
	F_CTRL_VQ = 17,
	F_CTRL_RX = 18,
	F_CTRL_VLAN = 19
};

static u8 sent[4096];
static size_t sent_n;
static unsigned sends, flushes, rooms;

static void keep_send(struct netdev *n, const struct iovec *vec, unsigned nvec)
{
	sent_n = 0;
	for (unsigned i = 0; i < nvec; i++) {
		memcpy(sent + sent_n, vec[i].iov_base, vec[i].iov_len);
		sent_n += vec[i].iov_len;
	}
	sends++;
}

static void keep_flush(struct netdev *n) { flushes++; }
static void keep_room(struct netdev *n) { rooms++; }

static const struct net_ops keep_ops = { .send = keep_send,
					 .flush = keep_flush,
					 .room = keep_room };

static int keep_make(struct netdev *n, struct keyvals *kv, struct error *e)
{
	n->ops = &keep_ops;
	return keyvals_all_used(kv, "type|id", e);
}

static const struct netdev_kind keep_kind = {
	.name = "keep", .doc = "of the tests", .keys = "", .make = keep_make
};
NETDEV_KIND(keep_kind);

struct fix {
	struct vdrv *v;
	struct netdev *n;
};

static void setup(struct fix *f, const char *class, u64 features)
{
	struct vdrv *v = NEW(struct vdrv);
	struct keyvals kv = { 0 };
	struct error e = { 0 };

	v->t = tdev_empty();
	keyvals_add(&kv, "type", "keep");
	keyvals_add(&kv, "id", "n");
	f->n = netdev_new(tdev_machine(v->t), &kv, &e);
	CHECK(f->n);
	keyvals_fini(&kv);
	tdev_machine(v->t)->state = RUN_RUNNING;
	tdev_plug(v->t, class, "netdev=n");
	v->mmio = class[strlen(class) - 1] == 'e';
	f->v = v;
	vdrv_start(v, features);
	sends = flushes = rooms = 0;
}

static void done(struct fix *f) { vdrv_free(f->v); }

static void frame_to(u8 *frame, const char *mac)
{
	unsigned b[6];

	CHECK_EQ(sscanf(mac, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]), 6);
	for (unsigned i = 0; i < 6; i++)
		frame[i] = b[i];
}

static u32 give_buffer(struct fix *f, u32 n)
{
	u32 at = vdrv_alloc(f->v, n);

	vdrv_add(f->v, RX, &(struct vdrv_buf){ at, n, true }, 1, false);
	vdrv_kick(f->v, RX);
	return at;
}

TEST(virtio_net_sends)
{
	struct fix f;
	u32 at, len;
	u16 id;
	u8 *b;

	setup(&f, "virtio-net-pci", BIT64(F_CSUM));
	at = vdrv_alloc(f.v, 256);
	b = vdrv_mem(f.v, at);
	for (unsigned i = 0; i < 100; i++)
		b[HEADER + i] = i;
	/* header and frame in pieces of any size */
	vdrv_add(f.v, TX, (struct vdrv_buf[]){ { at, 5 }, { at + 5, 20 }, { at + 25, 87 } }, 3,
		 false);
	vdrv_kick(f.v, TX);
	CHECK(vdrv_used(f.v, TX, &id, &len));
	CHECK_EQ(sends, 1);
	CHECK_EQ(flushes, 1);
	CHECK_EQ(sent_n, 100);
	CHECK_MEM(sent, b + HEADER, 100);
	/* RFC 1071's example: 0001 f203 f4f5 f6f7, whose sum is ddf2 */
	memcpy(b + HEADER + 50, "\x00\x01\xf2\x03\xf4\xf5\xf6\xf7\x00\x00", 10);
	b[0] = 1;
	st16le(b + 6, 50);
	st16le(b + 8, 8);
	vdrv_add(f.v, TX, &(struct vdrv_buf){ at, HEADER + 60 }, 1, false);
	vdrv_kick(f.v, TX);
	CHECK_EQ(sent_n, 60);
	CHECK_EQ(ld16be(sent + 58), (u16)~0xddf2);
	done(&f);
}

TEST(virtio_net_receives)
{
	static const char *const classes[] = { "virtio-net-pci", "virtio-net-device" };

	for (unsigned c = 0; c < 2; c++) {
		u8 frame[300] = { 0x52, 0x54 };
		struct fix f;
		u32 at, len;
		u16 id;

		setup(&f, classes[c], 0);
		memset(frame + 14, 'x', sizeof(frame) - 14);
		/* no room: it waits */
		netdev_deliver(f.n, frame, sizeof(frame));
		CHECK_EQ(netdev_waiting(f.n), 1);
		at = give_buffer(&f, 1000);
		CHECK_EQ(netdev_waiting(f.n), 0);
		CHECK_EQ(rooms, 1);
		CHECK(vdrv_used(f.v, RX, &id, &len));
		CHECK_EQ(len, sizeof(frame) + HEADER);
		CHECK_MEM((u8 *)vdrv_mem(f.v, at) + HEADER, frame, sizeof(frame));
		/* too small a buffer loses the frame, and is not used up */
		give_buffer(&f, 100);
		netdev_deliver(f.n, frame, sizeof(frame));
		CHECK_EQ(netdev_waiting(f.n), 0);
		CHECK(!vdrv_used(f.v, RX, &id, &len));
		netdev_deliver(f.n, frame, 60);
		CHECK(vdrv_used(f.v, RX, &id, &len));
		done(&f);
	}
}

TEST(virtio_net_merges_buffers)
{
	u8 frame[300] = { 0x52, 0x54 };
	struct fix f;
	u32 at[3], len;
	u16 id;

	setup(&f, "virtio-net-pci", BIT64(F_MRG_RXBUF));
	for (unsigned i = 0; i < sizeof(frame); i++)
		frame[i] = i * 3;
	frame[0] = 0x52;
	at[0] = give_buffer(&f, 128);
	at[1] = give_buffer(&f, 128);
	netdev_deliver(f.n, frame, sizeof(frame));
	CHECK_EQ(netdev_waiting(f.n), 1);
	at[2] = give_buffer(&f, 128);
	CHECK(vdrv_used(f.v, RX, &id, &len));
	CHECK_EQ(len, 128);
	CHECK_EQ(ld16le((u8 *)vdrv_mem(f.v, at[0]) + 10), 3);
	CHECK_MEM((u8 *)vdrv_mem(f.v, at[0]) + HEADER, frame, 116);
	CHECK(vdrv_used(f.v, RX, &id, &len));
	CHECK_MEM(vdrv_mem(f.v, at[1]), frame + 116, 128);
	CHECK(vdrv_used(f.v, RX, &id, &len));
	CHECK_EQ(len, 56);
	CHECK_MEM(vdrv_mem(f.v, at[2]), frame + 244, 56);
	done(&f);
}

static u8 command(struct fix *f, u8 class, u8 what, const void *data, u32 n)
{
	u32 at = vdrv_alloc(f->v, 2 + n), status = vdrv_alloc(f->v, 1), len;
	u8 *b = vdrv_mem(f->v, at);
	u16 id;

	b[0] = class;
	b[1] = what;
	memcpy(b + 2, data, n);
	*(u8 *)vdrv_mem(f->v, status) = 0xff;
	vdrv_add(f->v, CTRL, (struct vdrv_buf[]){ { at, 2 + n }, { status, 1, true } }, 2, false);
	vdrv_kick(f->v, CTRL);
	CHECK(vdrv_used(f->v, CTRL, &id, &len));
	return *(u8 *)vdrv_mem(f->v, status);
}

static bool passes(struct fix *f, const char *mac, u16 vlan)
{
	u8 frame[64] = { 0 };
	u32 len;
	u16 id;

	frame_to(frame, mac);
	if (vlan) {
		st16be(frame + 12, 0x8100);
		st16be(frame + 14, vlan);
	}
	give_buffer(f, 128);
	netdev_deliver(f->n, frame, sizeof(frame));
	if (vdrv_used(f->v, RX, &id, &len))
		return true;
	/* the buffer is still there: use it up */
	frame_to(frame, "52:54:00:12:34:56");
	st16be(frame + 12, 0x0800);
	netdev_deliver(f->n, frame, sizeof(frame));
	CHECK(vdrv_used(f->v, RX, &id, &len));
	return false;
}

TEST(virtio_net_filters)
{
	u8 table[4 + 6 + 4 + 6] = {
		1, 0, 0, 0, 2, 0, 0, 0, 0, 9, 1, 0, 0, 0, 0x33, 0x33, 0, 0, 0, 1
	};
	struct fix f;

	setup(&f, "virtio-net-pci", BIT64(F_CTRL_VQ) | BIT64(F_CTRL_RX) | BIT64(F_CTRL_VLAN));
	CHECK(passes(&f, "02:00:00:00:00:01", 0));
	CHECK_EQ(command(&f, 0, 0, "\0", 1), 0);
	CHECK(!passes(&f, "02:00:00:00:00:01", 0));
	CHECK(passes(&f, "ff:ff:ff:ff:ff:ff", 0));
	CHECK(!passes(&f, "33:33:00:00:00:01", 0));
	CHECK_EQ(command(&f, 1, 0, table, sizeof(table)), 0);
	CHECK(passes(&f, "33:33:00:00:00:01", 0));
	CHECK(passes(&f, "02:00:00:00:00:09", 0));
	CHECK(!passes(&f, "33:33:00:00:00:02", 0));
	CHECK_EQ(command(&f, 0, 1, "\1", 1), 0);
	CHECK(passes(&f, "33:33:00:00:00:02", 0));
	CHECK(!passes(&f, "52:54:00:12:34:56", 5));
	CHECK_EQ(command(&f, 2, 0, "\5\0", 2), 0);
	CHECK(passes(&f, "52:54:00:12:34:56", 5));
	/* wrong ones are refused */
	table[0] = 99;
	CHECK_EQ(command(&f, 1, 0, table, sizeof(table)), 1);
	CHECK_EQ(command(&f, 77, 0, table, 4), 1);
	CHECK_EQ(command(&f, 2, 0, "\0\x10", 2), 1);
	done(&f);
}

TEST(virtio_net_link)
{
	u8 frame[64] = { 0x52 };
	struct fix f;

	setup(&f, "virtio-net-pci", BIT64(F_STATUS));
	CHECK_EQ(vdrv_config(f.v, 6, 2), 1);
	CHECK_EQ(vdrv_config(f.v, 0, 4), 0x12005452);
	netdev_set_link(f.n, false);
	CHECK_EQ(vdrv_config(f.v, 6, 2), 0);
	CHECK_EQ(tdev_irqs(f.v->t, 0), 1);
	netdev_deliver(f.n, frame, sizeof(frame));
	CHECK_EQ(netdev_waiting(f.n), 0);
	netdev_set_link(f.n, true);
	CHECK_EQ(vdrv_config(f.v, 6, 2), 1);
	done(&f);
}

/* While the machine stands still its memory does too. */
TEST(virtio_net_waits_for_the_machine)
{
	u8 frame[64] = { 0x52 };
	struct fix f;
	u32 len;
	u16 id;

	setup(&f, "virtio-net-pci", 0);
	give_buffer(&f, 128);
	tdev_machine(f.v->t)->state = RUN_PAUSED;
	netdev_deliver(f.n, frame, sizeof(frame));
	CHECK(!vdrv_used(f.v, RX, &id, &len));
	tdev_machine(f.v->t)->state = RUN_RUNNING;
	tdev_run_us(f.v->t, 2000);
	CHECK(vdrv_used(f.v, RX, &id, &len));
	done(&f);
}
