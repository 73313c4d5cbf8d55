/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net.c - virtio network card. VIRTIO 1.2, 5.1: one pair of queues and the control queue; mergeable
 * receive buffers, checksums of what the guest sends, receive filters by address and VLAN. */
#include <errno.h>
#include <quern/net.h>
#include <quern/virtio.h>

enum {
	F_CSUM = 0,
	F_MTU = 3,
	F_MAC = 5,
	F_MRG_RXBUF = 15,
	F_STATUS = 16,
	F_CTRL_VQ = 17,
	F_CTRL_RX = 18,
	F_CTRL_VLAN = 19,
	F_CTRL_RX_EXTRA = 20,
	F_GUEST_ANNOUNCE = 21,
	F_CTRL_MAC_ADDR = 23,
	/* queues */
	RX = 0,
	TX = 1,
	CTRL = 2,
	CTRL_SIZE = 64,
	/* header (5.1.6) */
	HDR_NEEDS_CSUM = 1,
	HDR_SHORT = 10, /* without num_buffers */
	HDR_LONG = 12,
	S_LINK_UP = 1,
	S_ANNOUNCE = 2,
	/* control queue (5.1.6.5) */
	CLASS_RX = 0,
	CLASS_MAC = 1,
	CLASS_VLAN = 2,
	CLASS_ANNOUNCE = 3,
	OK = 0,
	ERR = 1,
	MODES = 6, /* promisc, allmulti, alluni, nomulti, nouni, nobcast */
	MACS = 64,
	CONFIG_SIZE = 12,
	PIECES = 1024,
};
enum { PROMISC, ALLMULTI, ALLUNI, NOMULTI, NOUNI, NOBCAST };

struct vnet {
	struct virtio_device virtio;
	struct netdev *netdev;
	u8 mac[6];
	u16 rx_queue_size, tx_queue_size, host_mtu;
	bool csum, mrg_rxbuf, status, ctrl_vq, ctrl_rx, ctrl_vlan, ctrl_mac_addr, guest_announce;
	/* receive filter */
	u8 addr[6]; /* as the driver may have changed it */
	u8 mode[MODES];
	u8 macs[MACS][6];
	u32 nuni, nmulti; /* the unicast ones are first */
	bool uni_overflow, multi_overflow;
	u32 vlans[4096 / 32];
	bool announce;
};

static u32 header_size(const struct vnet *d)
{
	return virtio_has(d, F_MRG_RXBUF) || virtio_has(d, VIRTIO_F_VERSION_1) ? HDR_LONG :
										 HDR_SHORT;
}

/* ---- the guest sends */

static u16 fold(u64 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* 5.1.6.2: the ones' complement sum from csum_start to the end goes to csum_start + csum_offset. */
static bool checksum(u8 *frame, size_t n, u16 start, u16 offset)
{
	u64 sum = 0;
	size_t i = start;
	u16 result;

	if (start >= n || (size_t)start + offset + 2 > n)
		return false;
	for (; i + 8 <= n; i += 8) {
		u64 v = ld64be(frame + i);

		sum += (v >> 32) + (u32)v;
	}
	for (; i + 2 <= n; i += 2)
		sum += ld16be(frame + i);
	if (i < n)
		sum += (u32)frame[i] << 8;
	result = fold(sum);
	/* zero would say that there is none (UDP); both are zero in ones' complement */
	st16be(frame + start + offset, result ? result : 0xffff);
	return true;
}

static void send_checked(struct vnet *d, struct virtio_req *r, u32 skip, const u8 *header)
{
	u8 frame[NET_FRAME_MAX];
	size_t n = virtio_get(r, skip, frame, sizeof(frame));
	struct iovec one = { frame, n };

	if (!checksum(frame, n, ld16le(header + 6), ld16le(header + 8)))
		guest_error(d, "a checksum from %u to %u in a frame of %zu bytes",
			    ld16le(header + 6), ld16le(header + 8), n);
	netdev_send(d->netdev, &one, 1);
}

static void send(struct vnet *d, struct virtio_req *r)
{
	u32 skip = header_size(d), i = 0, left = skip;
	u8 header[HDR_LONG];

	if (virtio_get(r, 0, header, skip) != skip || r->in_size) {
		virtio_broken(d, "a frame to send without a header, or with room to write");
		return;
	}
	if (r->out_size - skip > NET_FRAME_MAX) {
		guest_error(d, "a frame of %u bytes", r->out_size - skip);
		return;
	}
	if (header[1])
		guest_error(d, "segmentation was not offered: type %#x", header[1]);
	trace(d, "tx", "bytes=%u", r->out_size - skip);
	if ((header[0] & HDR_NEEDS_CSUM) && virtio_has(d, F_CSUM)) {
		send_checked(d, r, skip, header);
		return;
	}
	for (; i < r->nout && left >= r->out[i].iov_len; i++)
		left -= r->out[i].iov_len;
	if (i == r->nout)
		return;
	r->out[i].iov_base = (u8 *)r->out[i].iov_base + left;
	r->out[i].iov_len -= left;
	netdev_send(d->netdev, r->out + i, r->nout - i);
}

static void transmit(struct vnet *d)
{
	struct virtio_req *r;

	while ((r = virtq_pop(d, TX))) {
		if (!fault(d, "tx_lost"))
			send(d, r);
		virtq_push(r, 0);
	}
	netdev_flush(d->netdev);
	virtq_notify(d, TX);
}

/* ---- the guest receives */

static bool in_table(const struct vnet *d, const u8 *mac, u32 from, u32 to)
{
	for (u32 i = from; i < to; i++)
		if (!memcmp(d->macs[i], mac, 6))
			return true;
	return false;
}

static bool wanted(const struct vnet *d, const u8 *frame, size_t n)
{
	static const u8 broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (d->mode[PROMISC])
		return true;
	if (n >= 16 && ld16be(frame + 12) == 0x8100) {
		u16 vid = ld16be(frame + 14) & 0xfff;

		if (!(d->vlans[vid / 32] & BIT(vid % 32)))
			return false;
	}
	if (!memcmp(frame, broadcast, 6))
		return !d->mode[NOBCAST];
	if (frame[0] & 1)
		return !d->mode[NOMULTI] && (d->mode[ALLMULTI] || d->multi_overflow ||
					     in_table(d, frame, d->nuni, d->nuni + d->nmulti));
	return !d->mode[NOUNI] && (d->mode[ALLUNI] || d->uni_overflow ||
				   !memcmp(frame, d->addr, 6) || in_table(d, frame, 0, d->nuni));
}

/* Into one request, or with mergeable buffers as many as it takes. */
static bool put_frame(struct vnet *d, const u8 *frame, size_t n)
{
	struct virtio_req *r[PIECES];
	u32 head = header_size(d), count = 0, room = 0;
	bool merge = virtio_has(d, F_MRG_RXBUF);
	u8 header[HDR_LONG] = { 0 };
	size_t done = 0;

	while (room < head + n && count < (merge ? PIECES : 1u) &&
	       (r[count] = virtq_pop(d, RX)) != NULL)
		room += r[count++]->in_size;
	if (room < head + n) {
		bool hopeless = count && !merge;

		if (hopeless)
			guest_error(d, "a buffer of %u bytes for a frame of %zu", room, n);
		while (count)
			virtq_unpop(r[--count]);
		return hopeless; /* lost, as on a card with a small buffer */
	}
	st16le(header + 10, count);
	for (u32 i = 0; i < count; i++) {
		u32 skip = i ? 0 : head;
		size_t part;

		if (!i && virtio_put(r[0], 0, header, head) != head) {
			virtio_broken(d, "a buffer for frames without room for a header");
			break;
		}
		part = virtio_put(r[i], skip, frame + done, n - done);
		done += part;
		virtq_push(r[i], skip + part);
		r[i] = NULL;
	}
	for (u32 i = 0; i < count; i++)
		if (r[i])
			virtq_drop(r[i]);
	return true;
}

static bool receive(void *dev, const u8 *frame, size_t n)
{
	struct vnet *d = dev;
	bool taken;

	if (!virtio_driver_ok(d) || n < 14)
		return true;
	if (!wanted(d, frame, n) || fault(d, "rx_lost"))
		return true;
	taken = put_frame(d, frame, n);
	trace(d, "rx", "bytes=%zu taken=%d", n, taken);
	virtq_notify(d, RX);
	return taken;
}

/* ---- the control queue */

static u8 set_mac_table(struct vnet *d, const struct virtio_req *r, u32 end)
{
	u32 at = 2, total[2], kept = 0;
	u8 count[4];

	d->nuni = d->nmulti = 0;
	d->uni_overflow = d->multi_overflow = false;
	for (unsigned multi = 0; multi < 2; multi++) {
		bool *overflow = multi ? &d->multi_overflow : &d->uni_overflow;

		if (virtio_get(r, at, count, 4) != 4)
			return ERR;
		at += 4;
		total[multi] = ld32le(count);
		if (total[multi] > (end - at) / 6)
			return ERR;
		*overflow = total[multi] > MACS - kept;
		if (!*overflow) {
			virtio_get(r, at, d->macs[kept], (size_t)total[multi] * 6);
			kept += total[multi];
			*(multi ? &d->nmulti : &d->nuni) = total[multi];
		}
		at += total[multi] * 6;
	}
	return OK;
}

static u8 control(struct vnet *d, const struct virtio_req *r)
{
	u8 head[2], data[6];
	size_t n;

	if (virtio_get(r, 0, head, 2) != 2)
		return ERR;
	n = virtio_get(r, 2, data, sizeof(data));
	trace(d, "control", "class=%u command=%u", head[0], head[1]);
	if (head[0] == CLASS_RX && head[1] < MODES && n >= 1) {
		d->mode[head[1]] = data[0] != 0;
		return OK;
	}
	if (head[0] == CLASS_MAC && head[1] == 0)
		return set_mac_table(d, r, r->out_size);
	if (head[0] == CLASS_MAC && head[1] == 1 && n == 6) {
		memcpy(d->addr, data, 6);
		return OK;
	}
	if (head[0] == CLASS_VLAN && head[1] < 2 && n >= 2 && ld16le(data) < 4096) {
		u16 vid = ld16le(data);

		if (head[1] == 0)
			d->vlans[vid / 32] |= BIT(vid % 32);
		else
			d->vlans[vid / 32] &= ~BIT(vid % 32);
		return OK;
	}
	if (head[0] == CLASS_ANNOUNCE && head[1] == 0) {
		d->announce = false;
		return OK;
	}
	return ERR;
}

static void take_control(struct vnet *d)
{
	struct virtio_req *r;

	while ((r = virtq_pop(d, CTRL))) {
		u8 status = control(d, r);

		if (!virtio_put(r, 0, &status, 1))
			guest_error(d, "a control command without room for its status");
		virtq_push(r, 1);
	}
	virtq_notify(d, CTRL);
}

/* ---- the device */

static void queue(void *dev, unsigned n)
{
	struct vnet *d = dev;

	if (n == RX)
		netdev_room(d->netdev);
	else if (n == TX)
		transmit(d);
	else
		take_control(d);
}

static void link_changed(void *dev, bool up) { virtio_config_changed(dev); }

static const struct net_user user = { .receive = receive, .link = link_changed };

static void get_config(void *dev, u8 *c)
{
	struct vnet *d = dev;

	memcpy(c, d->addr, 6);
	st16le(c + 6, (!d->netdev || netdev_link(d->netdev) ? S_LINK_UP : 0) |
			      (d->announce ? S_ANNOUNCE : 0));
	st16le(c + 8, 1);
	st16le(c + 10, d->host_mtu);
}

/* Drivers from before 1.0 set the address this way. */
static void set_config(void *dev, const u8 *c, u32 off, u32 size)
{
	struct vnet *d = dev;

	if (off + size <= 6 && !virtio_has(d, VIRTIO_F_VERSION_1) &&
	    !virtio_has(d, F_CTRL_MAC_ADDR))
		memcpy(d->addr, c, 6);
	else
		guest_error(d, "configuration at %u is read-only", off);
}

static int init(void *dev, struct error *e)
{
	struct vnet *d = dev;
	const struct device *base = dev;

	if ((d->rx_queue_size & (d->rx_queue_size - 1)) ||
	    (d->tx_queue_size & (d->tx_queue_size - 1))) {
		error_set(e, "the sizes of queues are powers of two from 256 to 1024");
		return -EINVAL;
	}
	if (d->host_mtu && d->host_mtu < 68) {
		error_set(e, "property 'host_mtu' cannot be %u: an MTU is at least 68",
			  d->host_mtu);
		return -EINVAL;
	}
	netdev_address(d, d->mac);
	virtio_add_queue(d, d->rx_queue_size);
	virtio_add_queue(d, d->tx_queue_size);
	if (d->ctrl_vq)
		virtio_add_queue(d, CTRL_SIZE);
	virtio_offer(d, F_CSUM, d->csum);
	virtio_offer(d, F_MTU, d->host_mtu != 0);
	virtio_offer(d, F_MRG_RXBUF, d->mrg_rxbuf);
	virtio_offer(d, F_STATUS, d->status);
	virtio_offer(d, F_CTRL_VQ, d->ctrl_vq);
	virtio_offer(d, F_CTRL_RX, d->ctrl_vq && d->ctrl_rx);
	virtio_offer(d, F_CTRL_RX_EXTRA, d->ctrl_vq && d->ctrl_rx);
	virtio_offer(d, F_CTRL_VLAN, d->ctrl_vq && d->ctrl_vlan);
	virtio_offer(d, F_CTRL_MAC_ADDR, d->ctrl_vq && d->ctrl_mac_addr);
	virtio_offer(d, F_GUEST_ANNOUNCE, d->ctrl_vq && d->status && d->guest_announce);
	netdev_describe(d->netdev, base->class->name, d->mac);
	return netdev_attach(d->netdev, d, &user, e);
}

static void reset(void *dev)
{
	struct vnet *d = dev;

	memcpy(d->addr, d->mac, 6);
	memset(d->mode, 0, sizeof(d->mode));
	d->mode[PROMISC] = 1;
	d->nuni = d->nmulti = 0;
	d->uni_overflow = d->multi_overflow = d->announce = false;
	memset(d->vlans, 0, sizeof(d->vlans));
}

/* Without VLAN filtering all of them pass. */
static void negotiated(void *dev)
{
	struct vnet *d = dev;

	memset(d->vlans, virtio_has(d, F_CTRL_VLAN) ? 0 : 0xff, sizeof(d->vlans));
}

static void fini(void *dev) { netdev_detach(((struct vnet *)dev)->netdev); }

#define NO_OFFLOAD "frames come and go whole and with checksums"
#define IGNORED(n) \
	{ \
		.name = n, .kind = PROP_BOOL, .size = 1, .ignored = NO_OFFLOAD, \
		.doc = "No effect: " NO_OFFLOAD "." \
	}
static const struct prop props[] = {
	PROP(struct vnet, netdev, .kind = PROP_NETDEV, .doc = "What is behind it."),
	PROP(struct vnet, mac, .kind = PROP_MAC,
	     .doc = "Its address; by default 52:54:00:12:34:56 "
		    "and up."),
	PROP(struct vnet, rx_queue_size, .def = 256, .min = 256, .max = 1024,
	     .doc = "Entries of the receive queue."),
	PROP(struct vnet, tx_queue_size, .def = 256, .min = 256, .max = 1024,
	     .doc = "Entries of the transmit queue."),
	PROP(struct vnet, host_mtu, .doc = "The MTU that the guest is told; 0 = it is not."),
	PROP(struct vnet, csum, .kind = PROP_BOOL, .def = 1,
	     .doc = "Computes checksums of what the guest sends."),
	PROP(struct vnet, mrg_rxbuf, .kind = PROP_BOOL, .def = 1,
	     .doc = "Offers mergeable receive buffers."),
	PROP(struct vnet, status, .kind = PROP_BOOL, .def = 1, .doc = "Tells the link's state."),
	PROP(struct vnet, ctrl_vq, .kind = PROP_BOOL, .def = 1, .doc = "Has a control queue."),
	PROP(struct vnet, ctrl_rx, .kind = PROP_BOOL, .def = 1,
	     .doc = "Receive modes by the control queue."),
	PROP(struct vnet, ctrl_vlan, .kind = PROP_BOOL, .def = 1, .doc = "Filters VLANs."),
	PROP(struct vnet, ctrl_mac_addr, .kind = PROP_BOOL, .def = 1,
	     .doc = "The address can be set by the control queue."),
	PROP(struct vnet, guest_announce, .kind = PROP_BOOL, .def = 1,
	     .doc = "Can ask the guest to announce itself."),
	IGNORED("gso"),
	IGNORED("guest_csum"),
	IGNORED("guest_tso4"),
	IGNORED("guest_tso6"),
	IGNORED("guest_ecn"),
	IGNORED("guest_ufo"),
	IGNORED("host_tso4"),
	IGNORED("host_tso6"),
	IGNORED("host_ecn"),
	IGNORED("host_ufo"),
	{}
};
static const struct state state[] = {
	STATE(struct vnet, addr),	    STATE(struct vnet, mode),
	STATE(struct vnet, macs),	    STATE(struct vnet, nuni),
	STATE(struct vnet, nmulti),	    STATE(struct vnet, uni_overflow),
	STATE(struct vnet, multi_overflow), STATE(struct vnet, vlans),
	STATE(struct vnet, announce),	    {}
};

VIRTIO_DEVICE(vnet,
	      .dev = { .name = "virtio-net",
		       .doc = "Network card",
		       .bus = "virtio",
		       .size = sizeof(struct vnet),
		       .props = props,
		       .state = state,
		       .init = init,
		       .reset = reset,
		       .fini = fini },
	      .id = 1, .legacy_id = 0x1000, .pci_class = 0x020000, .features = BIT64(F_MAC),
	      .config_size = CONFIG_SIZE, .get_config = get_config, .set_config = set_config,
	      .queue = queue, .negotiated = negotiated);
