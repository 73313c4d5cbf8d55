/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vsock.c - virtio socket device: streams between the guest and programs of the host, which are
 * Unix sockets there (quern/vsock.h). VIRTIO 1.2, 5.10. Each side says how many bytes it can keep
 * (buf_alloc) and how many it has handed on (fwd_cnt); the other one never sends more.
 */
#include <errno.h>
#include <quern/virtio.h>
#include <quern/vsock.h>
#include <stdlib.h>

enum {
	RX,
	TX,
	EVENT,
	QUEUE_SIZE = 128,
	HOST_CID = 2,
	HEADER = 44,
	TYPE_STREAM = 1,
	/* operations (5.10.6) */
	REQUEST = 1,
	RESPONSE,
	RST,
	SHUTDOWN,
	RW,
	CREDIT_UPDATE,
	CREDIT_REQUEST,
	NO_RECEIVE = 1, /* flags of SHUTDOWN */
	NO_SEND = 2,
	BUFFER = 65536,
	CONNS = 1024,
	RESETS = 64,
	FIRST_PORT = 0x40000000, /* of the host's programs */
	PIECES = 64,
};

struct header {
	u64 src, dst;
	u32 src_port, dst_port, len, flags, alloc, forwarded;
	u16 type, op;
};

struct conn {
	struct conn *next;
	struct vsock_stream *s;
	u32 guest_port, host_port;
	u32 peer_alloc, peer_forwarded, sent; /* to the guest */
	u32 forwarded, told;		      /* of what it sent; as it last heard of it */
	u8 *buf;			      /* what the host did not take yet */
	u32 have;
	bool established, by_host;
	bool want_response, want_credit, want_request, want_end, want_rst; /* to be told */
	bool readable, host_ended, guest_ended, closing;
};

struct vvsock {
	struct virtio_device virtio;
	u64 guest_cid;
	char *path;
	struct vsock_host *host;
	struct conn *conns;
	u32 nconns, next_port;
	/* answers to packets of no connection */
	struct header reset[RESETS];
	u32 nresets;
	bool pumping;
};

/* ---- packets */

static void get_header(struct header *h, const u8 *b)
{
	*h = (struct header){ .src = ld64le(b),
			      .dst = ld64le(b + 8),
			      .src_port = ld32le(b + 16),
			      .dst_port = ld32le(b + 20),
			      .len = ld32le(b + 24),
			      .type = ld16le(b + 28),
			      .op = ld16le(b + 30),
			      .flags = ld32le(b + 32),
			      .alloc = ld32le(b + 36),
			      .forwarded = ld32le(b + 40) };
}

static void put_header(struct vvsock *d, struct virtio_req *r, const struct header *h)
{
	u8 b[HEADER];

	st64le(b, h->src);
	st64le(b + 8, h->dst);
	st32le(b + 16, h->src_port);
	st32le(b + 20, h->dst_port);
	st32le(b + 24, h->len);
	st16le(b + 28, h->type);
	st16le(b + 30, h->op);
	st32le(b + 32, h->flags);
	st32le(b + 36, h->alloc);
	st32le(b + 40, h->forwarded);
	virtio_put(r, 0, b, HEADER);
	trace(d, "to_guest", "op=%u ports=%u-%u len=%u", h->op, h->src_port, h->dst_port, h->len);
}

static struct header header_of(struct vvsock *d, struct conn *c, u16 op)
{
	c->told = c->forwarded;
	return (struct header){ .src = HOST_CID,
				.dst = d->guest_cid,
				.src_port = c->host_port,
				.dst_port = c->guest_port,
				.type = TYPE_STREAM,
				.op = op,
				.alloc = BUFFER,
				.forwarded = c->forwarded };
}

static struct virtio_req *buffer_for_guest(struct vvsock *d)
{
	struct virtio_req *r = virtq_pop(d, RX);

	if (r && r->in_size < HEADER) {
		virtio_broken(d, "a receive buffer of %u bytes", r->in_size);
		virtq_drop(r);
		return NULL;
	}
	return r;
}

static bool send(struct vvsock *d, const struct header *h)
{
	struct virtio_req *r = buffer_for_guest(d);

	if (!r)
		return false;
	put_header(d, r, h);
	virtq_push(r, HEADER);
	return true;
}

/* ---- connections */

static struct conn *find(struct vvsock *d, u32 guest_port, u32 host_port)
{
	struct conn *c = d->conns;

	while (c && (c->guest_port != guest_port || c->host_port != host_port))
		c = c->next;
	return c;
}

static struct conn *conn_new(struct vvsock *d, struct vsock_stream *s, u32 guest_port,
			     u32 host_port)
{
	struct conn *c = d->nconns < CONNS ? calloc(1, sizeof(*c)) : NULL;

	if (!c)
		return NULL;
	c->s = s;
	c->guest_port = guest_port;
	c->host_port = host_port;
	c->next = d->conns;
	d->conns = c;
	d->nconns++;
	return c;
}

static void conn_free(struct vvsock *d, struct conn *c)
{
	struct conn **at = &d->conns;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	d->nconns--;
	vsock_close(c->s);
	free(c->buf);
	free(c);
}

static void free_all(struct vvsock *d)
{
	while (d->conns)
		conn_free(d, d->conns);
}

/* The host's side is gone or the guest's is wrong: the guest hears RST, and that is all. */
static void abort_conn(struct conn *c)
{
	c->want_rst = true;
	c->want_response = c->want_credit = c->want_request = c->want_end = c->readable = false;
}

/* What was kept goes on to the host. */
static void flush(struct conn *c)
{
	u32 done = 0;

	while (done < c->have) {
		struct iovec v = { c->buf + done, c->have - done };
		s64 n = vsock_write(c->s, &v, 1);

		if (n == -EAGAIN)
			break;
		if (n < 0) {
			abort_conn(c);
			return;
		}
		done += n;
	}
	c->have -= done;
	memmove(c->buf, c->buf + done, c->have);
	c->forwarded += done;
	if (c->forwarded - c->told >= BUFFER / 4)
		c->want_credit = true;
	if (!c->have && c->guest_ended)
		vsock_end(c->s);
	if (!c->have && c->closing)
		abort_conn(c);
}

/* Out of the guest's buffers without a copy, as far as the host takes it. */
static void from_guest(struct vvsock *d, struct conn *c, const struct virtio_req *r, u32 len)
{
	struct iovec v[PIECES];
	unsigned n = 0;
	u32 skip = HEADER, left = len;
	s64 took = 0;

	if (len > BUFFER - c->have || c->guest_ended) {
		guest_error(d, "%u bytes for port %u, which has no room for them", len,
			    c->host_port);
		abort_conn(c);
		return;
	}
	for (u32 i = 0; i < r->nout && n < PIECES && left; i++) {
		size_t part;

		if (skip >= r->out[i].iov_len) {
			skip -= r->out[i].iov_len;
			continue;
		}
		part = MIN(r->out[i].iov_len - skip, (size_t)left);
		v[n++] = (struct iovec){ (u8 *)r->out[i].iov_base + skip, part };
		left -= part;
		skip = 0;
	}
	if (!c->have && n)
		took = vsock_write(c->s, v, n);
	if (took < 0 && took != -EAGAIN) {
		abort_conn(c);
		return;
	}
	took = MAX(took, (s64)0);
	c->forwarded += took;
	if ((u32)took < len) {
		if (!c->buf)
			c->buf = malloc(BUFFER);
		if (!c->buf) {
			abort_conn(c);
			return;
		}
		c->have += virtio_get(r, HEADER + took, c->buf + c->have, len - took);
		/* until it says that it is full: only then it tells when it is not */
		flush(c);
	}
	if (c->forwarded - c->told >= BUFFER / 4)
		c->want_credit = true;
}

/* One packet of data for the guest; false = nothing to send, or no room. */
static bool to_guest(struct vvsock *d, struct conn *c)
{
	u32 credit = c->peer_alloc - (c->sent - c->peer_forwarded), room, skip = HEADER;
	struct iovec v[PIECES];
	struct virtio_req *r;
	struct header h;
	unsigned n = 0;
	s64 got;

	if (c->sent - c->peer_forwarded >= c->peer_alloc) {
		c->want_request = c->peer_alloc != 0;
		c->readable = false; /* a credit update makes it try again */
		return false;
	}
	r = buffer_for_guest(d);
	if (!r)
		return false;
	room = MIN(r->in_size - HEADER, credit);
	for (u32 i = 0; i < r->nin && n < PIECES && room; i++) {
		size_t part;

		if (skip >= r->in[i].iov_len) {
			skip -= r->in[i].iov_len;
			continue;
		}
		part = MIN(r->in[i].iov_len - skip, (size_t)room);
		v[n++] = (struct iovec){ (u8 *)r->in[i].iov_base + skip, part };
		room -= part;
		skip = 0;
	}
	got = n ? vsock_read(c->s, v, n) : -EAGAIN;
	if (got <= 0) {
		virtq_unpop(r);
		c->readable = false;
		if (got == 0) {
			c->host_ended = c->want_end = true;
		} else if (got != -EAGAIN) {
			abort_conn(c);
		}
		return false;
	}
	h = header_of(d, c, RW);
	h.len = got;
	c->sent += got;
	put_header(d, r, &h);
	virtq_push(r, HEADER + got);
	return true;
}

/* Everything that the connection has to tell; false = the guest has no buffers. */
static bool tell(struct vvsock *d, struct conn *c)
{
	const struct {
		bool *want;
		u16 op;
	} notes[] = { { &c->want_response, c->by_host ? REQUEST : RESPONSE },
		      { &c->want_credit, CREDIT_UPDATE },
		      { &c->want_request, CREDIT_REQUEST },
		      { &c->want_end, SHUTDOWN } };

	for (unsigned i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		struct header h;

		if (!*notes[i].want)
			continue;
		h = header_of(d, c, notes[i].op);
		h.flags = notes[i].op == SHUTDOWN ? NO_SEND : 0;
		if (!send(d, &h))
			return false;
		*notes[i].want = false;
	}
	return true;
}

static void pump(struct vvsock *d)
{
	struct conn *c, *next;

	if (d->pumping || !virtio_driver_ok(d))
		return;
	d->pumping = true;
	while (d->nresets && send(d, &d->reset[d->nresets - 1]))
		d->nresets--;
	for (c = d->conns; c; c = next) {
		next = c->next;
		if (!tell(d, c))
			break;
		while (c->established && c->readable && !c->host_ended && to_guest(d, c))
			;
		if (!tell(d, c))
			break;
		if (c->want_rst) {
			struct header h = header_of(d, c, RST);

			if (!send(d, &h))
				break;
			conn_free(d, c);
		}
	}
	virtq_notify(d, RX);
	d->pumping = false;
}

/* ---- the host's programs */

static void request(void *dev, struct vsock_stream *s, u32 port)
{
	struct vvsock *d = dev;
	struct conn *c = NULL;

	if (virtio_driver_ok(d)) {
		do
			d->next_port = d->next_port < FIRST_PORT ? FIRST_PORT : d->next_port + 1;
		while (find(d, port, d->next_port));
		c = conn_new(d, s, port, d->next_port);
	}
	if (!c) {
		vsock_close(s);
		return;
	}
	c->by_host = c->want_response = true;
	pump(d);
}

static void ready(void *dev, struct vsock_stream *s)
{
	struct vvsock *d = dev;
	struct conn *c = d->conns;

	while (c && c->s != s)
		c = c->next;
	if (!c)
		return;
	c->readable = true;
	if (c->have)
		flush(c);
	pump(d);
}

static const struct vsock_user user = { .request = request, .ready = ready };

/* ---- what the guest sends */

static void refuse(struct vvsock *d, const struct header *h)
{
	if (h->op == RST || d->nresets == RESETS)
		return;
	d->reset[d->nresets++] = (struct header){ .src = h->dst,
						  .dst = h->src,
						  .src_port = h->dst_port,
						  .dst_port = h->src_port,
						  .type = h->type,
						  .op = RST };
}

static void guest_connects(struct vvsock *d, const struct header *h)
{
	struct vsock_stream *s = vsock_connect(d->host, h->dst_port);
	struct conn *c = s ? conn_new(d, s, h->src_port, h->dst_port) : NULL;

	if (!c) {
		vsock_close(s);
		refuse(d, h);
		return;
	}
	c->peer_alloc = h->alloc;
	c->peer_forwarded = h->forwarded;
	c->established = c->want_response = c->readable = true;
}

static void guest_shuts_down(struct conn *c, u32 flags)
{
	if (flags & NO_SEND)
		c->guest_ended = true;
	/* both ways: it is over when the host has what was sent */
	if ((flags & (NO_SEND | NO_RECEIVE)) == (NO_SEND | NO_RECEIVE))
		c->closing = true;
	flush(c);
}

static void packet(struct vvsock *d, const struct header *h, const struct virtio_req *r)
{
	struct conn *c = find(d, h->src_port, h->dst_port);

	if (h->type != TYPE_STREAM || h->src != d->guest_cid || h->dst != HOST_CID) {
		guest_error(d, "a packet of type %u from %llu to %llu", h->type,
			    (unsigned long long)h->src, (unsigned long long)h->dst);
		refuse(d, h);
		return;
	}
	if (!c && h->op == REQUEST) {
		guest_connects(d, h);
		return;
	}
	if (!c || h->op == REQUEST) {
		refuse(d, h);
		return;
	}
	c->peer_alloc = h->alloc;
	c->peer_forwarded = h->forwarded;
	c->readable = true;
	if (c->want_rst && h->op != RST)
		return;
	switch (h->op) {
	case RESPONSE:
		if (c->by_host && !c->established) {
			c->established = true;
			vsock_accept(c->s, c->host_port);
		}
		break;
	case RST:
		conn_free(d, c);
		break;
	case SHUTDOWN:
		guest_shuts_down(c, h->flags);
		break;
	case RW:
		from_guest(d, c, r, h->len);
		break;
	case CREDIT_REQUEST:
		c->want_credit = true;
		break;
	case CREDIT_UPDATE:
		break;
	default:
		guest_error(d, "operation %u", h->op);
		abort_conn(c);
	}
}

static void transmit(struct vvsock *d)
{
	struct virtio_req *r;
	u8 b[HEADER];

	while ((r = virtq_pop(d, TX))) {
		struct header h;

		if (virtio_get(r, 0, b, HEADER) == HEADER) {
			get_header(&h, b);
			trace(d, "from_guest", "op=%u ports=%u-%u len=%u", h.op, h.src_port,
			      h.dst_port, h.len);
			if (h.len <= r->out_size - HEADER)
				packet(d, &h, r);
			else
				guest_error(d, "a packet of %u bytes says %u", r->out_size, h.len);
		} else {
			guest_error(d, "a packet of %u bytes", r->out_size);
		}
		virtq_push(r, 0);
	}
	virtq_notify(d, TX);
	pump(d);
}

static void queue(void *dev, unsigned n)
{
	if (n == TX)
		transmit(dev);
	else if (n == RX)
		pump(dev);
}

/* ---- the device */

static void get_config(void *dev, u8 *c) { st64le(c, ((struct vvsock *)dev)->guest_cid); }

static int init(void *dev, struct error *e)
{
	struct vvsock *d = dev;

	for (unsigned i = RX; i <= EVENT; i++)
		virtio_add_queue(d, QUEUE_SIZE);
	if (d->guest_cid < 3 || d->guest_cid > 0xfffffffe) {
		error_set(e, "guest-cid property must be greater than 2 and fit into 32 bits");
		return -EINVAL;
	}
	if (!d->path)
		return 0;
	d->host = vsock_listen(d, d->path, &user, e);
	return d->host ? 0 : -EINVAL;
}

static void reset(void *dev)
{
	struct vvsock *d = dev;

	free_all(d);
	d->nresets = 0;
}

static void fini(void *dev)
{
	struct vvsock *d = dev;

	free_all(d);
	vsock_unlisten(d->host);
}

static const struct prop props[] = {
	PROP(struct vvsock, guest_cid, .doc = "The guest's address, from 3."),
	PROP(struct vvsock, path, .kind = PROP_STR,
	     .doc = "Unix socket for the host's programs: send CONNECT PORT; port N of the host is "
		    "PATH_N. Without it the guest is alone."),
	{}
};
static const struct state state[] = {
	DERIVED(struct vvsock, host),	 DERIVED(struct vvsock, conns),
	DERIVED(struct vvsock, nconns),	 DERIVED(struct vvsock, next_port),
	DERIVED(struct vvsock, reset),	 DERIVED(struct vvsock, nresets),
	DERIVED(struct vvsock, pumping), {}
};

#define VSOCK(name_) \
	.dev = { .name = name_, \
		 .doc = "Sockets between guest and host", \
		 .bus = "virtio", \
		 .size = sizeof(struct vvsock), \
		 .props = props, \
		 .state = state, \
		 .init = init, \
		 .reset = reset, \
		 .fini = fini }, \
	.id = 19, .pci_class = 0x078000, .config_size = 8, .get_config = get_config, \
	.queue = queue
VIRTIO_DEVICE(vvsock, VSOCK("vhost-vsock"));
/* The same under its own name. */
static const struct virtio_class vsock_class = { VSOCK("virtio-vsock") };
QUERN_REGISTER(vsock_class);
