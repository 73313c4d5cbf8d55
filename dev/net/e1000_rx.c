/* SPDX-License-Identifier: GPL-2.0-or-later */
/* e1000_rx.c - receiving: filters, checksums, and the three kinds of descriptors (82574 datasheet
 * 7.1, 10.2.5). */
#include "e1000.h"
#include <stdio.h>

enum {
	/* status and errors, as in extended descriptors */
	ST_DD = BIT(0),
	ST_EOP = BIT(1),
	ST_IXSM = BIT(2),
	ST_VP = BIT(3),
	ST_UDPCS = BIT(4),
	ST_TCPCS = BIT(5),
	ST_IPCS = BIT(6),
	ST_PIF = BIT(7), /* not by the exact address */
	ST_TCPE = BIT(29),
	ST_IPE = BIT(30),
	TCP = 6,
	UDP = 17,
	FRAME_MAX = 1522,
	LONG_FRAME_MAX = 16384,
	VLAN_TAG = 4,
	DESC = 16,
	BUFFERS = 4, /* of a packet split descriptor */
	HEADER_SPLIT = BIT(15),
	RETA_QUEUE = BIT(7),
};

/* What is known of a frame when descriptors are written. */
struct arrived {
	const u8 *frame;
	u32 n; /* with the checksum if it is kept */
	u32 status, hash, hash_type;
	u16 sum, vlan, header;
	u8 queue;
};

/* ---- filters (7.1.1) */

static bool exact(const struct e1000 *d, const u8 *mac)
{
	u32 low = ld32le(mac), high = ld16le(mac + 4);

	for (unsigned i = 0; i < ARRAY_SIZE(d->ra); i += 2)
		if (d->ra[i] == low && (d->ra[i + 1] & ~GENMASK(30, 18)) == (RAH_AV | high))
			return true;
	return false;
}

static bool hashed(const struct e1000 *d, const u8 *mac)
{
	static const u8 shift[4] = { 4, 3, 2, 0 };
	u32 bit = ld16le(mac + 4) >> shift[FIELD_GET(RCTL_MO, d->rctl)] & 0xfff;

	return d->mta[bit / 32] & BIT(bit % 32);
}

/* Is it for this card? *status says if a filter that is exact took it. */
static bool wanted(struct e1000 *d, const u8 *frame, u32 *status)
{
	static const u8 broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	bool all = !memcmp(frame, broadcast, 6);

	if ((d->rctl & RCTL_VFE) && ld16be(frame + 12) == d->vet) {
		u16 tag = ld16be(frame + 14), vid = tag & 0xfff;

		if (!(d->vfta[vid / 32] & BIT(vid % 32)))
			return false;
		if ((d->rctl & RCTL_CFIEN) && !(tag & 0x1000) != !(d->rctl & RCTL_CFI))
			return false;
	}
	if (exact(d, frame) || (all && (d->rctl & RCTL_BAM)))
		return true;
	if (!(frame[0] & 1))
		return d->rctl & RCTL_UPE;
	if (d->rctl & RCTL_MPE)
		return true;
	*status |= ST_PIF;
	return hashed(d, frame);
}

static bool fits(struct e1000 *d, const u8 *frame, size_t n)
{
	size_t max = FRAME_MAX - E1000_FCS;

	if (ld16be(frame + 12) != 0x8100)
		max -= VLAN_TAG;
	if (n > LONG_FRAME_MAX - E1000_FCS || (n > max && !(d->rctl & (RCTL_LPE | RCTL_SBP)))) {
		e1000_count(&d->roc, 1);
		return false;
	}
	return true;
}

/* ---- checksums (7.1.10) */

static u32 check(const struct e1000 *d, const u8 *frame, const struct e1000_parts *p)
{
	u32 status = 0;
	u64 sum;

	if (!(d->rxcsum & (RXCSUM_IPOFL | RXCSUM_TUOFL)) || !p->version)
		return ST_IXSM;
	if (p->version == 4 && (d->rxcsum & RXCSUM_IPOFL)) {
		u32 header = (u32)(frame[p->l3] & 15) * 4;

		status |= ST_IPCS;
		if (e1000_fold(e1000_sum(frame + p->l3, header)) != 0xffff)
			status |= ST_IPE;
	}
	if (!p->payload || !(d->rxcsum & RXCSUM_TUOFL))
		return status;
	/* UDP without a checksum */
	if (p->proto == UDP && !ld16be(frame + p->l4 + 6))
		return status;
	sum = e1000_pseudo(frame, p);
	if (p->proto == UDP && ld16be(frame + p->l4 + 4) != p->end - p->l4)
		return status;
	status |= ST_TCPCS | (p->proto == UDP ? ST_UDPCS : 0);
	if (e1000_fold(sum + e1000_sum(frame + p->l4, p->end - p->l4)) != 0xffff)
		status |= ST_TCPE;
	return status;
}

/* ---- rings: head and tail count 16 bytes, also when descriptors have 32 */

static u32 units(const struct e1000 *d) { return d->rctl & RCTL_DTYP ? 2 : 1; }

static bool ring_ok(const struct e1000 *d, unsigned q, u32 *size)
{
	*size = d->rdlen[q] / DESC;
	return *size && d->rdh[q] < *size && d->rdt[q] < *size;
}

static u32 available(const struct e1000 *d, unsigned q, u32 size)
{
	return (d->rdt[q] + size - d->rdh[q]) % size;
}

static u32 buffer_size(const struct e1000 *d)
{
	u32 small = 2048u >> FIELD_GET(RCTL_BSIZE, d->rctl);

	return d->rctl & RCTL_BSEX ? MIN(small * 16, 16384u) : small;
}

static void split_sizes(const struct e1000 *d, u32 *size)
{
	size[0] = (d->psrctl & 0x7f) * 128;
	size[1] = (d->psrctl >> 8 & 0x3f) * 1024;
	size[2] = (d->psrctl >> 16 & 0x3f) * 1024;
	size[3] = (d->psrctl >> 24 & 0x3f) * 1024;
}

static u64 ring_base(const struct e1000 *d, unsigned q)
{
	return (u64)d->rdbah[q] << 32 | d->rdbal[q];
}

/* ---- descriptors: each writes what fits of the frame from `at` on, and returns how much; or 0
 * when memory is not there */

static u32 put_legacy(struct e1000 *d, const struct arrived *a, u64 desc, u32 at)
{
	u32 n = MIN(a->n - at, buffer_size(d)), status = a->status;
	u8 b[16];

	if (dma_read(&d->pci, desc, b, sizeof(b)))
		return 0;
	if (ld64le(b) && dma_write(&d->pci, ld64le(b), a->frame + at, n))
		return 0;
	if (at + n < a->n)
		status &= ST_VP | ST_DD;
	st16le(b + 8, n);
	st16le(b + 10, a->sum);
	b[12] = status;
	b[13] = status >> 24;
	st16le(b + 14, a->vlan);
	return dma_write(&d->pci, desc + 8, b + 8, 8) ? 0 : n;
}

/* The first half of what is written back is the same for both other kinds. */
static void put_head(const struct e1000 *d, const struct arrived *a, u8 *b, bool last)
{
	st32le(b, a->hash_type | (u32)a->queue << 8);
	if (d->rxcsum & RXCSUM_PCSD)
		st32le(b + 4, a->hash);
	else
		st32le(b + 4, (u32)a->sum << 16);
	st32le(b + 8, last ? a->status : a->status & (ST_VP | ST_DD));
	st16le(b + 14, a->vlan);
}

static u32 put_extended(struct e1000 *d, const struct arrived *a, u64 desc, u32 at)
{
	u32 n = MIN(a->n - at, buffer_size(d));
	u8 b[16];
	u64 addr;

	if (dma_read(&d->pci, desc, b, sizeof(b)))
		return 0;
	addr = ld64le(b);
	if (addr && dma_write(&d->pci, addr, a->frame + at, n))
		return 0;
	put_head(d, a, b, at + n == a->n);
	st16le(b + 12, n);
	return dma_write(&d->pci, desc, b, sizeof(b)) ? 0 : n;
}

/* 7.1.6: a header that fits goes into buffer 0 alone; without one the buffers are filled in turn.
 */
static u32 put_split(struct e1000 *d, const struct arrived *a, u64 desc, u32 at)
{
	u32 size[BUFFERS], done = 0, parts[BUFFERS] = { 0 };
	bool split;
	u8 b[32];

	split_sizes(d, size);
	split = !at && a->header && a->header <= size[0] && a->header < a->n;
	if (dma_read(&d->pci, desc, b, sizeof(b)))
		return 0;
	for (unsigned i = 0; i < BUFFERS; i++) {
		u32 n = MIN(a->n - at - done, split && !i ? a->header : size[i]);
		u64 addr = ld64le(b + 8 * i);

		if (n && addr && dma_write(&d->pci, addr, a->frame + at + done, n))
			return 0;
		parts[i] = n;
		done += n;
	}
	memset(b, 0, sizeof(b));
	put_head(d, a, b, at + done == a->n);
	st16le(b + 12, parts[0]);
	st16le(b + 16, split ? HEADER_SPLIT | a->header : 0);
	for (unsigned i = 1; i < BUFFERS; i++)
		st16le(b + 16 + 2 * i, parts[i]);
	return dma_write(&d->pci, desc, b, sizeof(b)) ? 0 : done;
}

/* How many descriptors the frame takes; 0 = buffers have no size. */
static u32 needed(const struct e1000 *d, const struct arrived *a)
{
	u32 size[BUFFERS], room = buffer_size(d), first;

	if (!(d->rctl & RCTL_DTYP))
		return (a->n + room - 1) / room;
	split_sizes(d, size);
	room = size[0] + size[1] + size[2] + size[3];
	first = a->header && a->header <= size[0] ? room - size[0] + a->header : room;
	if (!room || !first)
		return 0;
	return a->n <= first ? 1 : 1 + (a->n - first + room - 1) / room;
}

/* False: there is no room now. */
static bool put_frame(struct e1000 *d, const struct arrived *a)
{
	u32 size, step = units(d), need = needed(d, a) * step, at = 0, left;
	unsigned q = a->queue;
	u64 base = ring_base(d, q);

	if (!ring_ok(d, q, &size) || !need || need >= size) {
		e1000_count(&d->mpc, 1);
		guest_error(d, "a frame of %u bytes for ring %u of %u bytes, head %u, tail %u",
			    a->n, q, d->rdlen[q], d->rdh[q], d->rdt[q]);
		return true;
	}
	if (available(d, q, size) < need) {
		e1000_count(&d->rnbc, 1);
		return false;
	}
	while (at < a->n) {
		u64 desc = base + (u64)d->rdh[q] * DESC;
		u32 n = d->rctl & RCTL_DTYP    ? put_split(d, a, desc, at) :
			d->rfctl & RFCTL_EXTEN ? put_extended(d, a, desc, at) :
						 put_legacy(d, a, desc, at);

		d->rdh[q] = (d->rdh[q] + step) % size;
		if (!n)
			break; /* reported by the access; the frame is lost */
		at += n;
	}
	left = available(d, q, size);
	e1000_rx_cause(d, q,
		       left << (FIELD_GET(RCTL_RDMTS, d->rctl) + 1) <= size && left + step < size);
	return true;
}

/* ---- one frame */

static void count_frame(struct e1000 *d, const u8 *frame, size_t n)
{
	static const u8 broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	e1000_count(&d->gprc, 1);
	d->gorc += n + E1000_FCS;
	e1000_count_size(d->prc, n);
	if (!memcmp(frame, broadcast, 6))
		e1000_count(&d->bprc, 1);
	else if (frame[0] & 1)
		e1000_count(&d->mprc, 1);
}

/* Takes the tag out of the frame in buf. */
static void strip(struct e1000 *d, u8 *buf, size_t *n, struct arrived *a)
{
	if (!(d->ctrl & CTRL_VME) || *n < 18 || ld16be(buf + 12) != d->vet)
		return;
	a->vlan = ld16be(buf + 14);
	a->status |= ST_VP;
	memmove(buf + 12, buf + 16, *n - 16);
	*n -= VLAN_TAG;
}

static void describe(struct e1000 *d, const u8 *frame, size_t n, struct arrived *a)
{
	struct e1000_parts p;

	e1000_parse(frame, n, &p);
	a->status |= ST_DD | ST_EOP | check(d, frame, &p);
	a->header = p.payload ? p.payload : p.version && p.l4 ? p.l4 : 0;
	a->hash = e1000_rss(d, frame, n, &a->hash_type);
	if (a->hash_type && (d->reta[(a->hash & 127) / 4] >> (a->hash & 3) * 8 & RETA_QUEUE))
		a->queue = 1;
	if (!(d->rxcsum & RXCSUM_PCSD) && FIELD_GET(RXCSUM_PCSS, d->rxcsum) < n) {
		u32 start = FIELD_GET(RXCSUM_PCSS, d->rxcsum);

		a->sum = __builtin_bswap16(e1000_fold(e1000_sum(frame + start, n - start)));
	}
}

bool e1000_take(struct e1000 *d, const u8 *frame, size_t n)
{
	struct arrived a = { 0 };
	u8 buf[LONG_FRAME_MAX + 8];
	size_t len = n;

	if (!(d->rctl & RCTL_EN) || !(d->status & STATUS_LU) || n < 14)
		return true;
	if (!fits(d, frame, n))
		return true;
	memcpy(buf, frame, n);
	if (len < E1000_MIN_FRAME) {
		memset(buf + len, 0, E1000_MIN_FRAME - len);
		len = E1000_MIN_FRAME;
	}
	if (!wanted(d, buf, &a.status) || fault(d, "rx_lost"))
		goto count;
	if (!(d->rctl & RCTL_SECRC)) {
		st32le(buf + len, e1000_fcs(buf, len));
		len += E1000_FCS;
	}
	strip(d, buf, &len, &a);
	a.n = len;
	describe(d, buf, len - (d->rctl & RCTL_SECRC ? 0 : E1000_FCS), &a);
	a.frame = buf;
	if (!put_frame(d, &a))
		return false;
	trace(d, "rx", "bytes=%zu queue=%u status=%#x", len, a.queue, a.status);
	count_frame(d, frame, MAX(n, (size_t)E1000_MIN_FRAME));
	if (d->rsrpd && n + E1000_FCS <= d->rsrpd)
		e1000_cause(d, ICR_SRPD);
count:
	e1000_count(&d->tpr, 1);
	d->tor += MAX(n, (size_t)E1000_MIN_FRAME) + E1000_FCS;
	return true;
}

/* What is looped back takes the place of the wire. */
bool e1000_receive(void *dev, const u8 *frame, size_t n)
{
	return e1000_loopback(dev) || e1000_take(dev, frame, n);
}
