/* SPDX-License-Identifier: GPL-2.0-or-later */
/* e1000_test.c - the Intel gigabit cards without a guest: rings filled by hand, a back end that
 * keeps what is sent. The hashes are those of the verification suite that Microsoft publishes for
 * RSS. */
#include "bus/pci.h"
#include "core/net.h"
#include "core/tdev.h"
#include "lib/error.h"
#include "lib/test.h"
#include "dev/net/e1000.h"

enum { TX_RING = 0x1000, RX_RING = 0x2000, TX_DATA = 0x4000, RX_DATA = 0x20000, SLOTS = 64 };
/* descriptor commands */
enum { EOP = 1, IC = 4, TSE = 4, RS = 8, DEXT = 0x20, VLE = 0x40, IDE = 0x80 };

static u8 sent[128][2048];
static size_t sent_n[128];
static unsigned sends;

static void hold_send(struct netdev *n, const struct iovec *vec, unsigned nvec)
{
	unsigned at = sends++ % ARRAY_SIZE(sent);

	CHECK_EQ(nvec, 1);
	sent_n[at] = vec[0].iov_len;
	memcpy(sent[at], vec[0].iov_base, MIN(vec[0].iov_len, sizeof(sent[at])));
}

static const struct net_ops hold_ops = { .send = hold_send };

static int hold_make(struct netdev *n, struct keyvals *kv, struct error *e)
{
	n->ops = &hold_ops;
	return keyvals_all_used(kv, "type|id", e);
}

static const struct netdev_kind hold_kind = {
	.name = "hold", .doc = "of the tests", .keys = "", .make = hold_make
};
NETDEV_KIND(hold_kind);

static struct netdev *net;

static struct tdev *card(const char *class)
{
	struct tdev *t = tdev_empty();
	struct keyvals kv = { 0 };
	struct error e = { 0 };

	keyvals_add(&kv, "type", "hold");
	keyvals_add(&kv, "id", "n");
	net = netdev_new(tdev_machine(t), &kv, &e);
	CHECK(net);
	keyvals_fini(&kv);
	tdev_machine(t)->state = RUN_RUNNING;
	tdev_plug(t, class, "netdev=n,mac=52:54:00:01:02:03");
	tdev_run_us(t, 1000); /* the link comes up */
	tdev_read(t, "icr", 4);
	sends = 0;
	tdev_w32(t, "tdbal[0]", TX_RING);
	tdev_w32(t, "tdlen[0]", SLOTS * 16);
	tdev_w32(t, "rdbal[0]", RX_RING);
	tdev_w32(t, "rdlen[0]", SLOTS * 16);
	tdev_w32(t, "tctl", TCTL_EN);
	tdev_w32(t, "rctl", RCTL_EN | RCTL_BAM | RCTL_SECRC);
	for (unsigned i = 0; i < SLOTS; i++)
		st64le(tdev_ram(t, RX_RING + 16 * i), RX_DATA + 2048 * i);
	tdev_w32(t, "rdt[0]", SLOTS - 1);
	return t;
}

static void desc(struct tdev *t, unsigned slot, u64 addr, u32 lower, u32 upper)
{
	u8 *b = tdev_ram(t, TX_RING + 16 * slot);

	st64le(b, addr);
	st32le(b + 8, lower);
	st32le(b + 12, upper);
}

static const u8 ipv4_tcp[54] = {
	0x52, 0x54, 0x00, 0x01, 0x02, 0x03, 0x52, 0x55, 10,   0,    2, 2, 0x08, 0x00,
	0x45, 0x00, 0x00, 0x00, 0x12, 0x34, 0x40, 0x00, 0x40, 0x06, 0, 0, 66,	9,
	149,  187,  161,  142,	100,  80,   0x0a, 0xea, 0x06, 0xe6, 0, 0, 0x10, 0,
	0,    0,    0,	  0,	0x50, 0x19, 0x20, 0x00, 0,    0,    0, 0,
};

/* A good frame of that shape with n bytes of payload. */
static size_t tcp_frame(u8 *f, u32 n)
{
	struct e1000_parts p;

	memcpy(f, ipv4_tcp, 54);
	for (u32 i = 0; i < n; i++)
		f[54 + i] = i * 7;
	st16be(f + 16, 40 + n);
	st16be(f + 24, ~e1000_fold(e1000_sum(f + 14, 20)));
	e1000_parse(f, 54 + n, &p);
	CHECK_EQ(p.payload, 54);
	st16be(f + 50, ~e1000_fold(e1000_pseudo(f, &p) + e1000_sum(f + 34, 20 + n)));
	return 54 + n;
}

/* Written out once more, a word at a time: RFC 1071. */
static bool good_tcp(const u8 *f, size_t n)
{
	u32 ip = 0, tcp = 6 + (u32)(n - 34);

	for (unsigned i = 14; i < 34; i += 2)
		ip += f[i] << 8 | f[i + 1];
	for (unsigned i = 26; i < 34; i += 2)
		tcp += f[i] << 8 | f[i + 1];
	for (size_t i = 34; i < n; i++)
		tcp += i & 1 ? f[i] : f[i] << 8;
	return ip % 0xffff == 0 && tcp % 0xffff == 0 && ld16be(f + 16) == n - 14;
}

TEST(e1000_sends_legacy_frames)
{
	struct tdev *t = card("e1000");

	memset(tdev_ram(t, TX_DATA), 0x11, 100);
	desc(t, 0, TX_DATA, 40, 0);
	desc(t, 1, TX_DATA + 40, 60 | (u32)(EOP | RS) << 24, 0);
	tdev_w32(t, "ims", ICR_TXDW);
	tdev_w32(t, "tdt[0]", 2);
	CHECK_EQ(sends, 1);
	CHECK_EQ(sent_n[0], 100);
	CHECK_EQ(tdev_r32(t, "tdh[0]"), 2);
	CHECK_EQ(*(u8 *)tdev_ram(t, TX_RING + 12), 0);
	CHECK_EQ(*(u8 *)tdev_ram(t, TX_RING + 28), 1);
	CHECK_EQ(tdev_level(t, "intx", 0), 1);
	CHECK_EQ(tdev_r32(t, "icr"), ICR_TXDW | ICR_TXQE | ICR_INT_ASSERTED);
	CHECK_EQ(tdev_level(t, "intx", 0), 0);
	CHECK_EQ(tdev_r32(t, "gptc"), 1);
	CHECK_EQ(tdev_r32(t, "gptc"), 0);
	CHECK_EQ(tdev_r64(t, "gotc"), 104);
	/* short ones are padded; a checksum is inserted */
	memset(tdev_ram(t, TX_DATA), 1, 20);
	desc(t, 2, TX_DATA, 20 | 18u << 16 | (u32)(EOP | IC) << 24, 14u << 8);
	tdev_w32(t, "tdt[0]", 3);
	CHECK_EQ(sent_n[1], 60);
	CHECK_EQ(ld16be(sent[1] + 18), 0xfcfc);
	tdev_free(t);
}

TEST(e1000e_segments_tcp)
{
	struct tdev *t = card("e1000e");
	u8 *f = tdev_ram(t, TX_DATA), *ctx = tdev_ram(t, TX_RING);
	u32 payload = 2500;

	tcp_frame(f, payload);
	/* as drivers leave it: no lengths, no sums, that of the pseudo header without length */
	st16be(f + 16, 0);
	st16be(f + 24, 0);
	st16be(f + 50, e1000_fold(e1000_sum(f + 26, 8) + 6));
	memcpy(ctx,
	       (u8[16]){ 14, 24, 33, 0, 34, 50, 0, 0, 0, 0, 0, DEXT | TSE | 3, 0, 54, 0xe8, 3 },
	       16);
	desc(t, 1, TX_DATA, 54 | 1u << 20 | (u32)(DEXT | TSE | VLE) << 24, 3u << 8 | 5u << 16);
	desc(t, 2, TX_DATA + 54, payload | 1u << 20 | (u32)(EOP | RS | DEXT | TSE | VLE) << 24,
	     5u << 16);
	tdev_w32(t, "tdt[0]", 3);
	CHECK_EQ(sends, 3);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(sent_n[i], 54 + (i < 2 ? 1000u : 500u));
		CHECK(good_tcp(sent[i], sent_n[i]));
		CHECK_EQ(ld16be(sent[i] + 18), 0x1234 + i);
		CHECK_EQ(ld32be(sent[i] + 38), ld32be(ipv4_tcp + 38) + 1000 * i);
		CHECK_EQ(sent[i][47], i == 2 ? 0x19 : 0x10);
		CHECK_MEM(sent[i] + 54, f + 54 + 1000 * i, sent_n[i] - 54);
	}
	/* with VLAN mode each of them is tagged */
	tdev_w32(t, "ctrl", CTRL_VME | CTRL_FD | CTRL_SLU);
	tdev_w32(t, "tdt[0]", 0);
	sends = 0;
	tdev_w32(t, "tdh[0]", 0);
	tdev_w32(t, "tdt[0]", 3);
	CHECK_EQ(sends, 3);
	CHECK_EQ(ld32be(sent[1] + 12), 0x81000005);
	CHECK_EQ(ld16be(sent[1] + 16), 0x0800);
	CHECK_EQ(tdev_r32(t, "tsctfc"), 0);
	/* headers longer than the frame: refused, and the ring goes on */
	ctx[13] = 200;
	ctx[12] = 0;
	st32le(ctx + 8, 100 | (u32)(DEXT | TSE | 3) << 24);
	desc(t, 2, TX_DATA, 10 | 1u << 20 | (u32)(EOP | RS | DEXT | TSE) << 24, 0);
	tdev_w32(t, "tdt[0]", 0);
	sends = 0;
	tdev_w32(t, "tdh[0]", 0);
	tdev_w32(t, "tdt[0]", 3);
	CHECK_EQ(sends, 0);
	CHECK_EQ(tdev_r32(t, "tsctfc"), 1);
	CHECK_EQ(tdev_r32(t, "tdh[0]"), 3);
	tdev_free(t);
}

static void arrive(const u8 *f, size_t n) { netdev_deliver(net, f, n); }

TEST(e1000_receives_and_filters)
{
	struct tdev *t = card("e1000");
	u8 f[2000], *d0 = tdev_ram(t, RX_RING), *b = tdev_ram(t, RX_DATA);
	size_t n = tcp_frame(f, 500);

	tdev_w32(t, "rxcsum", RXCSUM_IPOFL | RXCSUM_TUOFL);
	tdev_w32(t, "ims", ICR_RXT0);
	arrive(f, n);
	CHECK_MEM(b, f, n);
	CHECK_EQ(ld16le(d0 + 8), n);
	CHECK_EQ(d0[12], 0x63); /* done, end, TCP and IP verified */
	CHECK_EQ(d0[13], 0);
	CHECK_EQ(tdev_level(t, "intx", 0), 1);
	tdev_r32(t, "icr");
	/* a broken payload, a broken header */
	f[100] ^= 1;
	arrive(f, n);
	CHECK_EQ(d0[16 + 13], 0x20);
	f[22] ^= 1;
	arrive(f, n);
	CHECK_EQ(d0[32 + 13], 0x60);
	CHECK_EQ(tdev_r32(t, "rdh[0]"), 3);
	/* another address; by its hash; everything */
	memcpy(f, (u8[]){ 0x01, 0, 0x5e, 0, 0, 0xfb }, 6);
	arrive(f, n);
	CHECK_EQ(tdev_r32(t, "rdh[0]"), 3);
	tdev_w32(t, "mta[125]", BIT(16)); /* 0xfb00 >> 4 = 0xfb0 */
	arrive(f, n);
	CHECK_EQ(tdev_r32(t, "rdh[0]"), 4);
	tdev_w32(t, "mta[125]", 0);
	tdev_w32(t, "rctl", RCTL_EN | RCTL_MPE);
	arrive(f, n);
	CHECK_EQ(tdev_r32(t, "rdh[0]"), 5);
	/* without stripping the checksum follows: the residue of ISO 3309 */
	CHECK_EQ(ld16le(d0 + 4 * 16 + 8), n + 4);
	CHECK_EQ(e1000_fcs(tdev_ram(t, RX_DATA + 4 * 2048), n + 4), 0x2144df1c);
	/* too long without LPE */
	memset(f, 0xff, sizeof(f));
	arrive(f, 1600);
	CHECK_EQ(tdev_r32(t, "roc"), 1);
	/* a small buffer: several descriptors */
	tdev_w32(t, "rctl", RCTL_EN | RCTL_BAM | RCTL_LPE | RCTL_SECRC | 3u << 16);
	arrive(f, 1600);
	CHECK_EQ(tdev_r32(t, "rdh[0]"), 12);
	CHECK_EQ(ld16le(d0 + 11 * 16 + 8), 1600 - 6 * 256);
	CHECK_EQ(d0[10 * 16 + 12], 1);
	CHECK_EQ(d0[11 * 16 + 12] & 3, 3);
	tdev_free(t);
}

TEST(e1000e_waits_for_descriptors)
{
	struct tdev *t = card("e1000e");
	u8 f[100] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	tdev_w32(t, "rdt[0]", 2);
	for (unsigned i = 0; i < 5; i++)
		arrive(f, 100);
	CHECK_EQ(tdev_r32(t, "rdh[0]"), 2);
	CHECK_EQ(netdev_waiting(net), 3);
	tdev_w32(t, "rdt[0]", 20);
	CHECK_EQ(tdev_r32(t, "rdh[0]"), 5);
	CHECK_EQ(netdev_waiting(net), 0);
	CHECK_EQ(tdev_r32(t, "gprc"), 5);
	tdev_free(t);
}

/* "RSS Hash Verification Suite": key, addresses, ports, results */
static const u8 rss_key[40] = { 0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
				0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
				0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
				0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa };

static void set_key(struct tdev *t)
{
	for (unsigned i = 0; i < 10; i++) {
		char name[16] = "rssrk[0]";

		name[6] = '0' + i;
		tdev_w32(t, name, ld32le(rss_key + 4 * i));
	}
}

TEST(e1000e_hashes_and_chooses_a_ring)
{
	struct tdev *t = card("e1000e");
	u8 f[200], *d0 = tdev_ram(t, RX_RING), *second = tdev_ram(t, 0x3000);
	size_t n = tcp_frame(f, 100);

	set_key(t);
	tdev_w32(t, "rfctl", RFCTL_EXTEN);
	tdev_w32(t, "rxcsum", RXCSUM_PCSD | RXCSUM_IPOFL | RXCSUM_TUOFL);
	tdev_w32(t, "mrqc", 1 | MRQC_IPV4);
	arrive(f, n);
	CHECK_EQ(ld32le(d0), 2);
	CHECK_EQ(ld32le(d0 + 4), 0x323e8fc2);
	tdev_w32(t, "mrqc", 1 | MRQC_IPV4 | MRQC_TCP_IPV4);
	arrive(f, n);
	CHECK_EQ(ld32le(d0 + 16), 1);
	CHECK_EQ(ld32le(d0 + 20), 0x51ccc178);
	CHECK_EQ(ld32le(d0 + 24), 0x63);
	CHECK_EQ(ld16le(d0 + 28), n);
	/* entry 0x78 leads to the other ring */
	tdev_w32(t, "rdbal[1]", 0x3000);
	tdev_w32(t, "rdlen[1]", 128);
	st64le(second, RX_DATA + 0x10000);
	tdev_w32(t, "rdt[1]", 7);
	tdev_w32(t, "reta[30]", 0x80);
	arrive(f, n);
	CHECK_EQ(ld32le(second), 0x101);
	CHECK_EQ(tdev_r32(t, "rdh[1]"), 1);
	CHECK_EQ(tdev_r32(t, "rdh[0]"), 2);
	tdev_free(t);
}

TEST(e1000e_splits_headers_and_strips_tags)
{
	struct tdev *t = card("e1000e");
	u8 f[300], tagged[304], *d0 = tdev_ram(t, RX_RING);
	size_t n = tcp_frame(f, 200);

	memcpy(tagged, f, 12);
	st32be(tagged + 12, 0x81000123);
	memcpy(tagged + 16, f + 12, n - 12);
	for (unsigned i = 0; i < 4; i++)
		st64le(d0 + 8 * i, RX_DATA + 0x1000 * i);
	tdev_w32(t, "ctrl", CTRL_VME | CTRL_FD);
	tdev_w32(t, "rdt[0]", 62);
	tdev_w32(t, "psrctl", 1 | 1u << 8 | 1u << 16 | 1u << 24);
	tdev_w32(t, "rctl", RCTL_EN | RCTL_SECRC | 1u << 10);
	tdev_w32(t, "rfctl", RFCTL_EXTEN);
	arrive(tagged, n + 4);
	CHECK_MEM((u8 *)tdev_ram(t, RX_DATA), f, 54);
	CHECK_MEM((u8 *)tdev_ram(t, RX_DATA + 0x1000), f + 54, 200);
	CHECK_EQ(ld16le(d0 + 12), 54);
	CHECK_EQ(ld16le(d0 + 14), 0x123);
	CHECK_EQ(ld16le(d0 + 16), 0x8000 | 54);
	CHECK_EQ(ld16le(d0 + 18), 200);
	CHECK_EQ(ld32le(d0 + 8) & 0xf, 0xf);
	/* the VLAN filter */
	tdev_w32(t, "rctl", RCTL_EN | RCTL_SECRC | 1u << 10 | RCTL_VFE);
	arrive(tagged, n + 4);
	CHECK_EQ(tdev_r32(t, "rdh[0]"), 2);
	tdev_w32(t, "vfta[9]", BIT(3)); /* 0x123 */
	arrive(tagged, n + 4);
	CHECK_EQ(tdev_r32(t, "rdh[0]"), 4);
	tdev_free(t);
}

TEST(e1000e_moderates_messages)
{
	struct tdev *t = card("e1000e");
	u8 f[100] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	tdev_w32(t, "ivar", 8 | 9u << 8 | 10u << 16);
	tdev_w32(t, "eiac", ICR_RXQ0 | ICR_TXQ0);
	tdev_w32(t, "ims", ICR_RXQ0 | ICR_TXQ0 | ICR_OTHER);
	tdev_w32(t, "eitr[0]", 400); /* 102.4 us */
	for (unsigned i = 0; i < 3; i++)
		arrive(f, 100);
	CHECK_EQ(tdev_irqs(t, 0), 1);
	tdev_run_us(t, 102);
	CHECK_EQ(tdev_irqs(t, 0), 1);
	tdev_run_us(t, 1);
	CHECK_EQ(tdev_irqs(t, 0), 2);
	tdev_run_us(t, 1000);
	CHECK_EQ(tdev_irqs(t, 0), 2);
	CHECK_EQ(tdev_irqs(t, 1), 0);
	/* masked automatically: one message until it is enabled again */
	tdev_w32(t, "iam", ~0u);
	tdev_w32(t, "ctrl_ext", CTRL_EXT_EIAME);
	arrive(f, 100);
	tdev_run_us(t, 1000);
	CHECK_EQ(tdev_irqs(t, 0), 3);
	CHECK_EQ(tdev_r32(t, "ims"), ICR_TXQ0 | ICR_OTHER);
	arrive(f, 100);
	tdev_run_us(t, 1000);
	CHECK_EQ(tdev_irqs(t, 0), 3);
	tdev_w32(t, "ims", ICR_RXQ0);
	CHECK_EQ(tdev_irqs(t, 0), 4);
	/* the link: the vector for the rest */
	netdev_set_link(net, false);
	CHECK_EQ(tdev_irqs(t, 2), 1);
	CHECK_EQ(tdev_r32(t, "status") & STATUS_LU, 0);
	tdev_free(t);
}

TEST(e1000_delays_receive_interrupts)
{
	struct tdev *t = card("e1000");
	u8 f[100] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	tdev_w32(t, "ims", ICR_RXT0);
	tdev_w32(t, "rdtr", 10);
	tdev_w32(t, "radv", 25);
	for (unsigned i = 0; i < 5; i++) {
		CHECK_EQ(tdev_level(t, "intx", 0), 0);
		arrive(f, 100);
		tdev_run_us(t, 5);
	}
	CHECK_EQ(tdev_level(t, "intx", 0), 0);
	tdev_run_us(t, 1); /* 25.6 us after the first */
	CHECK_EQ(tdev_level(t, "intx", 0), 1);
	tdev_r32(t, "icr");
	arrive(f, 100);
	tdev_w32(t, "rdtr", 10 | DELAY_FLUSH);
	CHECK_EQ(tdev_level(t, "intx", 0), 1);
	/* ITR holds back the second one */
	tdev_r32(t, "icr");
	tdev_w32(t, "rdtr", 0);
	tdev_w32(t, "itr", 1000);
	arrive(f, 100);
	CHECK_EQ(tdev_level(t, "intx", 0), 1);
	tdev_r32(t, "icr");
	arrive(f, 100);
	CHECK_EQ(tdev_level(t, "intx", 0), 0);
	tdev_run_us(t, 256);
	CHECK_EQ(tdev_level(t, "intx", 0), 1);
	tdev_free(t);
}

static u16 phy(struct tdev *t, unsigned reg)
{
	tdev_w32(t, "mdic", 2u << 26 | 1u << 21 | reg << 16);
	CHECK_EQ(tdev_r32(t, "mdic") >> 28, 1);
	return tdev_r32(t, "mdic");
}

TEST(e1000e_link_and_nvm)
{
	struct tdev *t = card("e1000e");
	u16 sum = 0;

	CHECK_EQ(phy(t, 2), 0x0141);
	CHECK_EQ(phy(t, 3), 0x0cb1);
	CHECK_EQ(tdev_r32(t, "status") & 0xc3, 0x83);
	phy(t, 1);
	CHECK_EQ(phy(t, 1) & 0x24, 0x24);
	netdev_set_link(net, false);
	CHECK_EQ(tdev_r32(t, "icr") & ICR_LSC, ICR_LSC);
	netdev_set_link(net, true);
	tdev_run_us(t, 1000);
	/* the loss is seen once */
	CHECK_EQ(phy(t, 1) & 4, 0);
	CHECK_EQ(phy(t, 1) & 4, 4);
	for (unsigned i = 0; i < 64; i++) {
		tdev_w32(t, "eerd", i << 2 | 1);
		CHECK_EQ(tdev_r32(t, "eerd") & 3, 2);
		sum += tdev_r32(t, "eerd") >> 16;
		if (i == 2)
			CHECK_EQ(tdev_r32(t, "eerd") >> 16, 0x0302);
	}
	CHECK_EQ(sum, 0xbaba);
	tdev_w32(t, "eewr", 0x1234u << 16 | 5 << 2 | 1);
	tdev_w32(t, "eerd", 5 << 2 | 1);
	CHECK_EQ(tdev_r32(t, "eerd") >> 16, 0x1234);
	CHECK_EQ(tdev_r32(t, "ra[0]"), 0x01005452);
	/* reset: registers, not the PHY */
	tdev_w32(t, "ra[0]", 0);
	tdev_w32(t, "ctrl", CTRL_RST);
	CHECK_EQ(tdev_r32(t, "ra[0]"), 0x01005452);
	CHECK_EQ(tdev_r32(t, "rctl"), 0);
	CHECK_EQ(tdev_r32(t, "status") & STATUS_LU, STATUS_LU);
	tdev_free(t);
}

/* Microwire: start, two bits of operation, six of address; data after the falling edges. */
static u32 microwire(struct tdev *t, u32 out, unsigned bits, unsigned in)
{
	u32 got = 0;

	tdev_w32(t, "eecd", 2);
	for (unsigned i = 0; i < bits + in; i++) {
		u32 di = i < bits && (out >> (bits - 1 - i) & 1) ? 4 : 0;

		tdev_w32(t, "eecd", 2 | di);
		tdev_w32(t, "eecd", 3 | di);
		if (i >= bits)
			got = got << 1 | (tdev_r32(t, "eecd") >> 3 & 1);
		tdev_w32(t, "eecd", 2 | di);
	}
	tdev_w32(t, "eecd", 0);
	return got;
}

TEST(e1000_serial_nvm)
{
	struct tdev *t = card("e1000");

	tdev_w32(t, "eecd", 0x40);
	CHECK_EQ(tdev_r32(t, "eecd") & 0x80, 0x80);
	CHECK_EQ(microwire(t, 6 << 6 | 0, 9, 16), 0x5452);
	CHECK_EQ(microwire(t, 6 << 6 | 2, 9, 16), 0x0302);
	/* writing needs to be enabled */
	microwire(t, (5u << 6 | 9) << 16 | 0xcafe, 25, 0);
	CHECK_EQ(microwire(t, 6 << 6 | 9, 9, 16), 0xffff);
	microwire(t, 4 << 6 | 0x30, 9, 0);
	microwire(t, (5u << 6 | 9) << 16 | 0xcafe, 25, 0);
	CHECK_EQ(microwire(t, 6 << 6 | 9, 9, 16), 0xcafe);
	tdev_free(t);
}

TEST(e1000e_port_window_and_semaphore)
{
	struct tdev *t = card("e1000e");

	tdev_write_at(t, 2, 0, 4, 0x38);
	CHECK_EQ(tdev_read_at(t, 2, 4, 4), 0x8100);
	tdev_write_at(t, 2, 4, 4, 0x1234);
	CHECK_EQ(tdev_r32(t, "vet"), 0x1234);
	tdev_write_at(t, 2, 0, 4, 0x20000);
	CHECK_EQ(tdev_read_at(t, 2, 4, 4), ~0u);
	CHECK_EQ(tdev_r32(t, "swsm") & 1, 0);
	CHECK_EQ(tdev_r32(t, "swsm") & 1, 1);
	tdev_w32(t, "timinca", 1u << 24 | 40);
	tdev_w64(t, "systim", 1000);
	tdev_run_us(t, 10);
	CHECK_EQ(tdev_r64(t, "systim"), 11000);
	tdev_free(t);
}

/* Rings and descriptors that no driver would make. */
TEST(e1000e_hostile_rings)
{
	struct tdev *t = card("e1000e");
	u8 f[200] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	/* tail and head outside, no ring, memory that is none */
	tdev_w32(t, "tdt[0]", 0xffff);
	tdev_w32(t, "tdlen[0]", 0);
	tdev_w32(t, "tdt[0]", 1);
	tdev_w32(t, "tdlen[0]", 0xfff80);
	tdev_w32(t, "tdbah[0]", 0xffffffff);
	tdev_w32(t, "tdt[0]", 2);
	CHECK_EQ(tdev_r32(t, "tdh[0]"), 2);
	tdev_w32(t, "tdbah[0]", 0);
	/* a frame that never ends, in a ring as long as can be: a bit at a time */
	for (unsigned i = 0; i < SLOTS; i++)
		desc(t, i, TX_DATA, 0xffff, 0);
	tdev_w32(t, "tdh[0]", 0);
	tdev_w32(t, "tdlen[0]", SLOTS * 16);
	tdev_w32(t, "tdt[0]", SLOTS - 1);
	CHECK_EQ(tdev_r32(t, "tdh[0]"), SLOTS - 1);
	CHECK_EQ(sends, 0);
	tdev_w32(t, "tctl", 0);
	/* receiving into nothing, and rings that are none */
	tdev_w32(t, "rdbal[0]", 0xfffffff0);
	arrive(f, 200);
	tdev_w32(t, "rdlen[0]", 0);
	arrive(f, 200);
	tdev_w32(t, "rdlen[0]", 128);
	tdev_w32(t, "rdh[0]", 0xffff);
	arrive(f, 200);
	tdev_w32(t, "rctl", RCTL_EN | RCTL_BAM | 1u << 10);
	tdev_w32(t, "rdh[0]", 0);
	arrive(f, 200);
	CHECK_EQ(netdev_waiting(net), 0);
	CHECK(tdev_r32(t, "mpc") >= 3);
	tdev_free(t);
}
