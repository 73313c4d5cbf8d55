/* SPDX-License-Identifier: GPL-2.0-or-later */
/* udp.c - the character back end on UDP: what is written at once goes as one datagram; nobody tells
 * whether it arrives. */
#include "core/machine.h"
#include "host/chardev.h"
#include "host/fdio.h"
#include "host/socket.h"
#include "lib/alloc.h"
#include <errno.h>
#include <poll.h>
#include <unistd.h>

struct udp {
	struct chardev c;
	int fd;
	bool paused;
	u8 buf[65536];
	size_t at, n; /* a datagram that the front end has not taken wholly */
};

static void on_readable(void *arg, short revents);

static void watch(struct udp *u, bool on)
{
	machine_poll_fd(u->c.machine, u->fd, on ? POLLIN : 0, on_readable, u);
	u->paused = !on;
}

static void deliver(struct udp *u)
{
	while (u->n > u->at) {
		int n = MIN((int)(u->n - u->at), chardev_can_receive(&u->c));

		if (n <= 0) {
			watch(u, false);
			return;
		}
		u->at += n;
		chardev_receive(&u->c, u->buf + u->at - n, n);
	}
}

static void on_readable(void *arg, short revents)
{
	struct udp *u = arg;
	ssize_t n;

	if (u->n > u->at)
		return;
	n = recv(u->fd, u->buf, sizeof(u->buf), MSG_DONTWAIT);
	if (n <= 0)
		return;
	u->at = 0;
	u->n = n;
	deliver(u);
}

static void udp_room(struct chardev *c)
{
	struct udp *u = c->impl;

	if (!u->paused)
		return;
	watch(u, true);
	deliver(u);
}

static int udp_write(struct chardev *c, const u8 *buf, int n)
{
	struct udp *u = c->impl;
	ssize_t done = send(u->fd, buf, MIN(n, 1400), MSG_DONTWAIT | MSG_NOSIGNAL);

	/* Without a listener the network says so once in a while: then it is lost, as any datagram
	 * may be. */
	return done > 0 ? (int)done : MIN(n, 1400);
}

static void udp_fini(struct chardev *c)
{
	struct udp *u = c->impl;

	watch(u, false);
	close(u->fd);
	free(u);
}

static const struct chardev_ops udp_ops = {
	.name = "udp", .write = udp_write, .room = udp_room, .fini = udp_fini
};

static struct chardev *udp_open(struct machine *m, const char *id, struct keyvals *kv,
				struct error *e)
{
	struct address peer = { 0 }, own = { 0 };
	struct udp *u;
	int fd;

	if (address_parse(&peer, kv, "host", "port", SOCK_DGRAM, false, e))
		return NULL;
	if (keyvals_get(kv, "localport") &&
	    address_parse(&own, kv, "localaddr", "localport", SOCK_DGRAM, true, e))
		return NULL;
	fd = socket(peer.sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || (own.len && bind(fd, (struct sockaddr *)&own.sa, own.len) < 0) ||
	    connect(fd, (struct sockaddr *)&peer.sa, peer.len) < 0) {
		error_set(e, "could not set up %s: %s", peer.text, strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	u = NEW(struct udp);
	u->fd = fd;
	chardev_init(&u->c, m, &udp_ops, id, u);
	u->c.open = true;
	watch(u, true);
	return &u->c;
}

static const struct chardev_kind udp_kind = {
	"udp", "datagrams to host:port; localaddr, localport: our own address",
	"host|port|localaddr|localport|ipv4|ipv6", udp_open
};
CHARDEV_KIND(udp_kind);
