/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hub.c - hubs: each port repeats what it hears to all others. A port is a netdev for a card, or
 * leads to another back end (netdev=). -net joins everything to hub 0. */
#include "core/machine.h"
#include "core/net.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

struct hub_port {
	struct netdev *n;
	struct netdev *peer; /* netdev=, or NULL: a card is at this port */
	u64 hub;
};

static const struct net_ops hub_ops;

static void repeat(struct hub_port *from, const struct iovec *vec, unsigned nvec)
{
	u8 frame[NET_FRAME_MAX];
	size_t len = 0;

	for (unsigned i = 0; i < nvec; i++) {
		if (vec[i].iov_len > sizeof(frame) - len)
			return;
		memcpy(frame + len, vec[i].iov_base, vec[i].iov_len);
		len += vec[i].iov_len;
	}
	for (struct netdev *n = netdev_next(from->n->machine, NULL); n;
	     n = netdev_next(from->n->machine, n)) {
		struct hub_port *p = n->ops == &hub_ops ? n->impl : NULL;
		const struct iovec one = { frame, len };

		if (!p || p == from || p->hub != from->hub)
			continue;
		if (p->peer)
			netdev_send(p->peer, &one, 1);
		else
			netdev_deliver(p->n, frame, len);
	}
}

static void flush(struct hub_port *from)
{
	for (struct netdev *n = netdev_next(from->n->machine, NULL); n;
	     n = netdev_next(from->n->machine, n)) {
		struct hub_port *p = n->ops == &hub_ops ? n->impl : NULL;

		if (p && p != from && p->hub == from->hub && p->peer)
			netdev_flush(p->peer);
	}
}

static void hub_send(struct netdev *n, const struct iovec *vec, unsigned nvec)
{
	repeat(n->impl, vec, nvec);
}

static void hub_flush(struct netdev *n) { flush(n->impl); }

static bool peer_receive(void *dev, const u8 *frame, size_t len)
{
	struct hub_port *p = dev;

	repeat(p, &(struct iovec){ (void *)frame, len }, 1);
	flush(p);
	return true;
}

static const struct net_user peer_user = { .receive = peer_receive };

static void hub_fini(struct netdev *n)
{
	struct hub_port *p = n->impl;

	netdev_detach(p->peer);
	free(p);
}

static const struct net_ops hub_ops = { .send = hub_send, .flush = hub_flush, .fini = hub_fini };

static int hub_make(struct netdev *n, struct keyvals *kv, struct error *e)
{
	const char *peer = keyvals_get(kv, "netdev");
	struct hub_port *p;
	u64 hub = 0;
	int err = keyvals_u64(kv, "hubid", 0, 0x7fffffff, &hub, e);

	if (!err)
		err = keyvals_all_used(kv, "type|id|hubid|netdev", e);
	if (err)
		return err;
	p = NEW(struct hub_port);
	p->n = n;
	p->hub = hub;
	p->peer = peer ? netdev_find(n->machine, peer) : NULL;
	if (peer && !p->peer)
		err = error_ret(e, -ENOENT, "netdev '%s' not found", peer);
	if (!err && p->peer)
		err = netdev_attach(p->peer, p, &peer_user, e);
	if (err) {
		free(p);
		return err;
	}
	/* a port that leads elsewhere has no place for a card */
	if (p->peer)
		n->dev = p;
	n->impl = p;
	n->ops = &hub_ops;
	snprintf(n->info, sizeof(n->info), "hubid=%llu%s%s", (unsigned long long)hub,
		 peer ? ",netdev=" : "", peer ? peer : "");
	return 0;
}

static const struct netdev_kind hub_kind = {
	.name = "hubport", .doc = "a port of a hub", .keys = "hubid|netdev", .make = hub_make
};
NETDEV_KIND(hub_kind);
