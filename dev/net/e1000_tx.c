/* SPDX-License-Identifier: GPL-2.0-or-later */
/* e1000_tx.c - sending: descriptors, checksums, segmentation, VLAN tags (82574 datasheet 7.2, 7.3,
 * 10.2.6). */
#include "e1000.h"

enum {
	DESC = 16,
	/* commands (7.2.4) */
	CMD_EOP = BIT(0),
	CMD_IC = BIT(2),  /* legacy: insert a checksum */
	CMD_TSE = BIT(2), /* data: cut it */
	CMD_RS = BIT(3),
	CMD_RPS = BIT(4), /* legacy, 82540 */
	CMD_DEXT = BIT(5),
	CMD_VLE = BIT(6),
	CMD_IDE = BIT(7),
	TUCMD_TCP = BIT(0),
	TUCMD_IP = BIT(1),
	TUCMD_TSE = BIT(2),
	POPTS_IXSM = BIT(0),
	POPTS_TXSM = BIT(1),
	EXTCMD_TIMESTAMP = BIT(0),
	TSYNC_VALID = BIT(0),
	TSYNC_ENABLED = BIT(4),
	STATUS_DD = 1,
	TCP_FIN = BIT(0),
	TCP_PSH = BIT(3),
	/* per call: what is more waits for a moment */
	FRAMES = 1024,
	DESCS = 4096,
	WORK_NS = 2000,
};

struct budget {
	int frames, descs;
};

/* ---- a frame goes out */

bool e1000_loopback(const struct e1000 *d)
{
	return FIELD_GET(RCTL_LBM, d->rctl) == 1 || (d->phy[PHY_CONTROL] & PHY_LOOPBACK);
}

static void count_frame(struct e1000 *d, const u8 *frame, size_t n)
{
	static const u8 broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	e1000_count(&d->tpt, 1);
	e1000_count(&d->gptc, 1);
	d->tot += n + E1000_FCS;
	d->gotc += n + E1000_FCS;
	e1000_count_size(d->ptc, n);
	if (!memcmp(frame, broadcast, 6))
		e1000_count(&d->bptc, 1);
	else if (frame[0] & 1)
		e1000_count(&d->mptc, 1);
}

/* n bytes in d->out, where there is room for a tag and for padding. */
static void send_frame(struct e1000 *d, const struct e1000_tx *t, size_t n)
{
	struct iovec one = { d->out, n };

	if (t->tagged && (d->ctrl & CTRL_VME) && n >= 12) {
		memmove(d->out + 16, d->out + 12, n - 12);
		st16be(d->out + 12, d->vet);
		st16be(d->out + 14, t->vlan);
		n += 4;
	}
	if (n < E1000_MIN_FRAME) {
		memset(d->out + n, 0, E1000_MIN_FRAME - n);
		n = E1000_MIN_FRAME;
	}
	one.iov_len = n;
	count_frame(d, d->out, n);
	trace(d, "tx", "bytes=%zu", n);
	if (fault(d, "tx_lost"))
		return;
	if (e1000_loopback(d))
		e1000_take(d, d->out, n);
	else if (d->status & STATUS_LU)
		netdev_send(d->netdev, &one, 1);
}

/* ---- checksums */

/* The sum from start to end (0: all) goes to `to`, as its complement. */
static void insert_sum(struct e1000 *d, u8 *frame, size_t n, u32 start, u32 to, u32 end)
{
	size_t stop = end ? MIN((size_t)end + 1, n) : n;

	if (start >= stop || to + 2 > n) {
		guest_error(d, "a checksum from %u to %u at %u in a frame of %zu bytes", start, end,
			    to, n);
		return;
	}
	st16be(frame + to, ~e1000_fold(e1000_sum(frame + start, stop - start)));
}

static void insert_sums(struct e1000 *d, const struct e1000_tx *t, const struct e1000_context *c,
			size_t n)
{
	if (t->popts & POPTS_TXSM) {
		insert_sum(d, d->out, n, c->tucss, c->tucso, c->tucse);
		/* UDP: zero would say that there is none */
		if (!(c->tucmd & TUCMD_TCP) && c->tucso + 2u <= n && !ld16be(d->out + c->tucso))
			st16be(d->out + c->tucso, 0xffff);
	}
	if (t->popts & POPTS_IXSM)
		insert_sum(d, d->out, n, c->ipcss, c->ipcso, c->ipcse);
}

/* ---- segmentation (7.3) */

static bool context_ok(struct e1000 *d, const struct e1000_tx *t, const struct e1000_context *c)
{
	u32 l4 = c->tucmd & TUCMD_TCP ? 20 : 8, l3 = c->tucmd & TUCMD_IP ? 20 : 40;

	if (c->mss && c->hdrlen && c->hdrlen < t->have && c->ipcss + l3 <= c->hdrlen &&
	    c->tucss + l4 <= c->hdrlen && c->tucss >= c->ipcss &&
	    (u32)c->hdrlen + c->mss <= E1000_FRAME_MAX)
		return true;
	guest_error(d,
		    "segments of %u bytes of a frame of %u, with headers of %u, IP at %u, %s at %u",
		    c->mss, t->have, c->hdrlen, c->ipcss, c->tucmd & TUCMD_TCP ? "TCP" : "UDP",
		    c->tucss);
	e1000_count(&d->tsctfc, 1);
	return false;
}

/* The headers in d->out become those of segment `index`, which has n bytes from offset at on. */
static void fix_headers(struct e1000 *d, const struct e1000_context *c, u32 index, u32 at, u32 n,
			bool last)
{
	u8 *ip = d->out + c->ipcss, *l4 = d->out + c->tucss;
	u32 total = c->hdrlen + n - c->ipcss, l4_total = c->hdrlen + n - c->tucss;

	if (c->tucmd & TUCMD_IP) {
		st16be(ip + 2, total);
		st16be(ip + 4, ld16be(ip + 4) + index);
	} else {
		st16be(ip + 4, total - 40);
	}
	if (c->tucmd & TUCMD_TCP) {
		st32be(l4 + 4, ld32be(l4 + 4) + at);
		if (!last)
			l4[13] &= ~(TCP_FIN | TCP_PSH);
	} else {
		st16be(l4 + 4, l4_total);
	}
	/* the driver's sum of the pseudo header has no length */
	if (c->tucso + 2u <= c->hdrlen)
		st16be(d->out + c->tucso, e1000_fold((u64)ld16be(d->out + c->tucso) + l4_total));
}

static void send_segments(struct e1000 *d, const struct e1000_tx *t, const struct e1000_context *c,
			  struct budget *left)
{
	u32 payload = t->have - c->hdrlen;

	e1000_count(&d->tsctc, 1);
	for (u32 at = 0, index = 0; at < payload; at += c->mss, index++) {
		u32 n = MIN((u32)c->mss, payload - at);

		memcpy(d->out, t->frame, c->hdrlen);
		memcpy(d->out + c->hdrlen, t->frame + c->hdrlen + at, n);
		fix_headers(d, c, index, at, n, at + n == payload);
		insert_sums(d, t, c, c->hdrlen + n);
		send_frame(d, t, c->hdrlen + n);
		left->frames--;
	}
}

static void end_of_packet(struct e1000 *d, struct e1000_tx *t, struct budget *left)
{
	const struct e1000_context *c = &t->context[t->tse];

	if (t->bad || !t->have) {
		if (!t->bad)
			guest_error(d, "a frame of no bytes");
	} else if (t->tse) {
		if (context_ok(d, t, c))
			send_segments(d, t, c, left);
	} else if (t->have > E1000_FRAME_MAX) {
		guest_error(d, "a frame of %u bytes: %u are the most", t->have, E1000_FRAME_MAX);
	} else {
		memcpy(d->out, t->frame, t->have);
		insert_sums(d, t, c, t->have);
		send_frame(d, t, t->have);
		left->frames--;
	}
	t->have = 0;
	t->popts = t->tse = t->started = t->tagged = t->bad = 0;
}

/* ---- descriptors */

static void gather(struct e1000 *d, struct e1000_tx *t, u64 addr, u32 n)
{
	if (t->bad)
		return;
	if (n > sizeof(t->frame) - t->have) {
		guest_error(d, "a frame to send of more than %zu bytes", sizeof(t->frame));
		t->bad = 1;
	} else if (n && dma_read(&d->pci, addr, t->frame + t->have, n)) {
		t->bad = 1;
	} else {
		t->have += n;
	}
}

static void take_context(struct e1000 *d, struct e1000_tx *t, const u8 *b)
{
	u8 tucmd = b[11];
	struct e1000_context *c = &t->context[tucmd & TUCMD_TSE ? 1 : 0];

	*c = (struct e1000_context){ .ipcss = b[0],
				     .ipcso = b[1],
				     .ipcse = ld16le(b + 2),
				     .tucss = b[4],
				     .tucso = b[5],
				     .tucse = ld16le(b + 6),
				     .hdrlen = b[13],
				     .mss = ld16le(b + 14),
				     .tucmd = tucmd };
	trace(d, "tx_context", "ip=%u-%u@%u l4=%u-%u@%u header=%u mss=%u command=%#x", c->ipcss,
	      c->ipcse, c->ipcso, c->tucss, c->tucse, c->tucso, c->hdrlen, c->mss, tucmd);
}

static void take_legacy(struct e1000 *d, struct e1000_tx *t, const u8 *b)
{
	u8 cmd = b[11];

	gather(d, t, ld64le(b), ld16le(b + 8));
	if (cmd & CMD_VLE) {
		t->tagged = 1;
		t->vlan = ld16le(b + 14);
	}
	if ((cmd & CMD_EOP) && (cmd & CMD_IC) && !t->bad && t->have)
		insert_sum(d, t->frame, t->have, b[13], b[10], 0);
}

static void timestamp(struct e1000 *d, u8 extcmd)
{
	if (!(extcmd & EXTCMD_TIMESTAMP) || !(d->tsynctxctl & TSYNC_ENABLED) ||
	    (d->tsynctxctl & TSYNC_VALID))
		return;
	d->txstmp = e1000_systim(d);
	d->tsynctxctl |= TSYNC_VALID;
}

static void take_data(struct e1000 *d, struct e1000_tx *t, const u8 *b)
{
	u8 cmd = b[11];

	if (!t->started) {
		t->tse = cmd & CMD_TSE ? 1 : 0;
		t->popts = b[13];
		if (!d->old)
			timestamp(d, b[12] >> 4);
	}
	t->started = 1;
	gather(d, t, ld64le(b), ld32le(b + 8) & 0xfffff);
	if (cmd & CMD_VLE) {
		t->tagged = 1;
		t->vlan = ld16le(b + 14);
	}
}

/* Returns causes to raise: 1 = written back, 2 = and it can wait. */
static unsigned write_back(struct e1000 *d, u64 desc, u8 *b)
{
	u8 cmd = b[11];

	if (!(cmd & CMD_RS) && !(d->old && (cmd & CMD_RPS)))
		return 0;
	b[12] |= STATUS_DD;
	if (dma_write(&d->pci, desc + 12, b + 12, 1))
		return 0;
	return cmd & CMD_IDE ? 2 : 1;
}

static bool ring_ok(struct e1000 *d, unsigned q, u32 size)
{
	if (d->tdh[q] == d->tdt[q])
		return false;
	if (d->tdh[q] < size && d->tdt[q] < size)
		return true;
	guest_error(d, "transmit ring %u of %u descriptors, head %u, tail %u", q, size, d->tdh[q],
		    d->tdt[q]);
	return false;
}

static bool low(const struct e1000 *d, unsigned q, u32 size)
{
	u32 threshold = FIELD_GET(TXDCTL_LWTHRESH, d->txdctl[q]) * 8;

	return threshold && (d->tdt[q] + size - d->tdh[q]) % size == threshold;
}

void e1000_transmit(struct e1000 *d, unsigned q)
{
	u64 base = (u64)d->tdbah[q] << 32 | d->tdbal[q];
	struct budget left = { FRAMES, DESCS };
	u32 size = d->tdlen[q] / DESC, causes = 0;
	struct e1000_tx *t = &d->tx[q];
	unsigned wrote = 0;

	if (!(d->tctl & TCTL_EN) || !ring_ok(d, q, size))
		return;
	while (d->tdh[q] != d->tdt[q] && left.frames > 0 && left.descs-- > 0) {
		u64 desc = base + (u64)d->tdh[q] * DESC;
		u8 b[DESC];

		if (dma_read(&d->pci, desc, b, sizeof(b))) {
			/* nothing can be known of the rest */
			d->tdh[q] = d->tdt[q];
			break;
		}
		if (!(b[11] & CMD_DEXT))
			take_legacy(d, t, b);
		else if (b[10] >> 4 == 0)
			take_context(d, t, b);
		else if (b[10] >> 4 == 1)
			take_data(d, t, b);
		else
			guest_error(d, "a transmit descriptor of type %u", b[10] >> 4);
		if ((b[11] & CMD_EOP) && (!(b[11] & CMD_DEXT) || b[10] >> 4 == 1))
			end_of_packet(d, t, &left);
		wrote |= write_back(d, desc, b);
		d->tdh[q] = d->tdh[q] + 1 == size ? 0 : d->tdh[q] + 1;
		causes |= low(d, q, size) ? ICR_TXD_LOW : 0;
	}
	netdev_flush(d->netdev);
	if (d->tdh[q] == d->tdt[q])
		causes |= ICR_TXQE;
	else
		timer_start(&d->work_timer, WORK_NS);
	if (wrote)
		e1000_tx_cause(d, q, !(wrote & 1));
	e1000_cause(d, causes);
}

void e1000_work(void *dev)
{
	for (unsigned q = 0; q < E1000_QUEUES; q++)
		e1000_transmit(dev, q);
}
