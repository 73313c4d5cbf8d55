/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * socket.c - -netdev socket: frames over a TCP connection (listen=, connect=), each after its
 * length in four bytes, big-endian; or as UDP datagrams, one to one (udp=, localaddr=) or to all
 * members of a group (mcast=). QEMU speaks the same.
 */
#include "net/socket.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { SECOND = 1000000000, BATCH = 64 };

static void readable(void *arg, short revents);
static void accepted(void *arg, short revents);

void net_socket_watch(struct net_socket *s)
{
	machine_poll_fd(s->n->machine, s->fd, s->connecting ? POLLOUT : POLLIN, readable, s);
}

void net_socket_listen(struct net_socket *s)
{
	machine_poll_fd(s->n->machine, s->listener, POLLIN, accepted, s);
}

static void tell(struct net_socket *s, bool connected)
{
	struct machine *m = s->n->machine;
	char data[256];

	if (!s->events || !m->event)
		return;
	if (connected)
		snprintf(data, sizeof(data), "{\"netdev-id\": \"%s\", \"addr\": %s}", s->n->id,
			 s->name);
	else
		snprintf(data, sizeof(data), "{\"netdev-id\": \"%s\"}", s->n->id);
	m->event(m, connected ? "NETDEV_STREAM_CONNECTED" : "NETDEV_STREAM_DISCONNECTED", data);
}

static void hang_up(struct net_socket *s)
{
	bool was = !s->connecting;

	machine_poll_fd(s->n->machine, s->fd, 0, NULL, NULL);
	close(s->fd);
	s->fd = -1;
	s->have = 0;
	s->connecting = false;
	if (was)
		tell(s, false);
	/* a listener takes the next one */
	if (s->listener >= 0)
		net_socket_listen(s);
	else if (s->reconnect)
		clock_timer_start(&s->n->machine->clock, &s->again,
				  clock_now(&s->n->machine->clock) + (u64)s->reconnect * SECOND);
	else if (was)
		warn("netdev '%s': the other side has closed the connection", s->n->id);
}

static void accepted(void *arg, short revents)
{
	struct net_socket *s = arg;
	int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	machine_poll_fd(s->n->machine, s->listener, 0, NULL, NULL);
	s->fd = fd;
	net_socket_watch(s);
	tell(s, true);
}

int net_socket_connect(struct net_socket *s)
{
	s->fd = socket(s->to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return -errno;
	if (connect(s->fd, &s->to.any, s->to_len)) {
		int err = errno;

		if (err != EINPROGRESS) {
			close(s->fd);
			s->fd = -1;
			return -err;
		}
		s->connecting = true;
	}
	net_socket_watch(s);
	if (!s->connecting)
		tell(s, true);
	return 0;
}

static void connect_again(void *dev)
{
	struct net_socket *s = container_of((struct device *)dev, struct net_socket, shell);

	if (s->fd < 0 && net_socket_connect(s))
		clock_timer_start(&s->n->machine->clock, &s->again,
				  clock_now(&s->n->machine->clock) + (u64)s->reconnect * SECOND);
}

/* Whole frames out of what has come. */
static bool take_frames(struct net_socket *s)
{
	size_t at = 0;

	while (s->have - at >= NET_PREFIX) {
		u32 len = ld32be(s->in + at);

		if (len > NET_FRAME_MAX) {
			warn("netdev '%s': a frame of %u bytes: the other side speaks something "
			     "else",
			     s->n->id, len);
			return false;
		}
		if (s->have - at - NET_PREFIX < len)
			break;
		netdev_deliver(s->n, s->in + at + NET_PREFIX, len);
		at += NET_PREFIX + len;
	}
	s->have -= at;
	memmove(s->in, s->in + at, s->have);
	return true;
}

static void read_stream(struct net_socket *s)
{
	ssize_t got = read(s->fd, s->in + s->have, sizeof(s->in) - s->have);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		hang_up(s);
		return;
	}
	s->have += got;
	if (!take_frames(s))
		hang_up(s);
}

/* A few at a time: the guest shall get its turn. */
static void read_datagrams(struct net_socket *s)
{
	ssize_t got;

	for (unsigned i = 0; i < BATCH; i++) {
		got = recv(s->fd, s->in, sizeof(s->in), MSG_DONTWAIT);
		if (got < 0)
			return;
		if (got > 0 && got <= NET_FRAME_MAX)
			netdev_deliver(s->n, s->in, got);
	}
}

static void readable(void *arg, short revents)
{
	struct net_socket *s = arg;
	socklen_t len = sizeof(int);
	int err = 0;

	if (s->connecting) {
		getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &len);
		if (err) {
			if (!s->reconnect)
				warn("netdev '%s': could not connect: %s", s->n->id, strerror(err));
			hang_up(s);
			return;
		}
		s->connecting = false;
		net_socket_watch(s);
		tell(s, true);
	} else if (s->stream) {
		read_stream(s);
	} else {
		read_datagrams(s);
	}
}

/* A frame that does not fit into the socket's buffer is lost, as on a wire; half of one would make
 * the rest unreadable, so that is waited for. */
static void socket_send(struct netdev *n, const struct iovec *vec, unsigned nvec)
{
	struct net_socket *s = n->impl;
	u8 frame[NET_PREFIX + NET_FRAME_MAX];
	size_t len = NET_PREFIX, done = s->stream ? 0 : NET_PREFIX;

	if (s->fd < 0 || s->connecting)
		return;
	for (unsigned i = 0; i < nvec; i++) {
		if (vec[i].iov_len > sizeof(frame) - len)
			return;
		memcpy(frame + len, vec[i].iov_base, vec[i].iov_len);
		len += vec[i].iov_len;
	}
	st32be(frame, len - NET_PREFIX);
	if (!s->stream) {
		/* what a datagram socket does not take is lost */
		if (sendto(s->fd, frame + done, len - done, MSG_DONTWAIT | MSG_NOSIGNAL,
			   s->to_len ? &s->to.any : NULL, s->to_len) < 0)
			n->lost++;
		return;
	}
	while (done < len) {
		ssize_t part = send(s->fd, frame + done, len - done, MSG_NOSIGNAL);
		struct pollfd p = { .fd = s->fd, .events = POLLOUT };

		if (part > 0) {
			done += part;
		} else if (part < 0 && errno == EAGAIN && !done) {
			n->lost++;
			return;
		} else if (part < 0 && (errno == EINTR || errno == EAGAIN)) {
			if (poll(&p, 1, 1000) == 0)
				break;
		} else {
			break;
		}
	}
	if (done < len)
		hang_up(s);
}

void net_socket_fini(struct netdev *n)
{
	struct net_socket *s = n->impl;

	clock_timer_stop(&n->machine->clock, &s->again);
	for (unsigned i = 0; i < 2; i++) {
		int fd = i ? s->listener : s->fd;

		if (fd < 0)
			continue;
		machine_poll_fd(n->machine, fd, 0, NULL, NULL);
		close(fd);
	}
	if (s->unlink)
		unlink(s->unlink);
	free(s->unlink);
	free(s);
	n->impl = NULL;
}

const struct net_ops net_socket_ops = { .send = socket_send, .fini = net_socket_fini };

struct net_socket *net_socket_new(struct netdev *n)
{
	struct net_socket *s = NEW(struct net_socket);

	s->n = n;
	s->fd = s->listener = -1;
	s->again = (struct timer){ .dev = &s->shell, .fire = connect_again };
	n->impl = s;
	return s;
}

/* ---- setting up */

/* "[HOST]:PORT" */
static int parse(const char *text, struct sockaddr_in *a, struct error *e)
{
	const char *colon = strrchr(text, ':');
	struct addrinfo hints = { .ai_family = AF_INET }, *found;
	AUTO_FREE char *host = colon ? xstrndup(text, colon - text) : NULL;
	u32 port;

	*a = (struct sockaddr_in){ .sin_family = AF_INET };
	if (!colon || str_to_u32(colon + 1, 10, &port) || port > 65535)
		return error_ret(e, -EINVAL, "'%s' is not [HOST]:PORT", text);
	a->sin_port = htons(port);
	if (!*host)
		return 0;
	if (getaddrinfo(host, NULL, &hints, &found))
		return error_ret(e, -EINVAL, "can't resolve host address '%s'", host);
	a->sin_addr = ((struct sockaddr_in *)found->ai_addr)->sin_addr;
	freeaddrinfo(found);
	return 0;
}

static int failed(const char *what, const char *text, struct error *e)
{
	return error_ret(e, -errno, "can't %s '%s': %s", what, text, strerror(errno));
}

static int tcp(void) { return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

static int open_listen(struct net_socket *s, const char *text, struct error *e)
{
	struct sockaddr_in a;
	int one = 1, err = parse(text, &a, e);

	if (err)
		return err;
	s->stream = true;
	s->listener = tcp();
	if (s->listener < 0 ||
	    setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(s->listener, (struct sockaddr *)&a, sizeof(a)) || listen(s->listener, 1))
		return failed("listen at", text, e);
	net_socket_listen(s);
	return 0;
}

static int open_connect(struct net_socket *s, const char *text, struct error *e)
{
	int err = parse(text, &s->to.in, e);

	if (err)
		return err;
	s->to_len = sizeof(s->to.in);
	if (!s->to.in.sin_addr.s_addr)
		s->to.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->stream = true;
	errno = -net_socket_connect(s);
	return errno ? failed("connect to", text, e) : 0;
}

static int open_udp(struct net_socket *s, const char *to, const char *local, bool group,
		    struct error *e)
{
	struct ip_mreq join = { 0 };
	struct sockaddr_in a = { .sin_family = AF_INET };
	int one = 1, err = parse(to, &s->to.in, e);

	if (err)
		return err;
	s->to_len = sizeof(s->to.in);
	if (!group && !local)
		return error_ret(e, -EINVAL, "localaddr= is needed with udp=");
	if (group && !IN_MULTICAST(ntohl(s->to.in.sin_addr.s_addr)))
		return error_ret(e, -EINVAL, "mcast=%s is no multicast address", to);
	if (!group && parse(local, &a, e))
		return -EINVAL;
	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return failed("open", to, e);
	if (group)
		a = s->to.in;
	if (setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(s->fd, (struct sockaddr *)&a, sizeof(a)))
		return failed("bind to", group ? to : local, e);
	join.imr_multiaddr = s->to.in.sin_addr;
	if (group && local && inet_pton(AF_INET, local, &join.imr_interface) != 1)
		return error_ret(e, -EINVAL, "localaddr=%s is no address", local);
	if (group && (setsockopt(s->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof(join)) ||
		      setsockopt(s->fd, IPPROTO_IP, IP_MULTICAST_LOOP, &one, sizeof(one)) ||
		      (local && setsockopt(s->fd, IPPROTO_IP, IP_MULTICAST_IF, &join.imr_interface,
					   sizeof(join.imr_interface)))))
		return failed("join", to, e);
	net_socket_watch(s);
	return 0;
}

static int socket_make(struct netdev *n, struct keyvals *kv, struct error *e)
{
	const char *listen_at = keyvals_get(kv, "listen"), *to = keyvals_get(kv, "connect"),
		   *udp = keyvals_get(kv, "udp"), *group = keyvals_get(kv, "mcast"),
		   *local = keyvals_get(kv, "localaddr");
	struct net_socket *s;
	int err;

	if (!!listen_at + !!to + !!udp + !!group != 1)
		return error_ret(e, -EINVAL,
				 "exactly one of listen=, connect=, mcast= or udp= is required");
	err = keyvals_all_used(kv, "type|id|listen|connect|mcast|udp|localaddr", e);
	if (err)
		return err;
	s = net_socket_new(n);
	err = listen_at ? open_listen(s, listen_at, e) :
	      to	? open_connect(s, to, e) :
			  open_udp(s, udp ? udp : group, local, group != NULL, e);
	if (err) {
		net_socket_fini(n);
		return err;
	}
	n->ops = &net_socket_ops;
	snprintf(n->info, sizeof(n->info), "%s=%s",
		 listen_at ? "listen" :
		 to	   ? "connect" :
		 udp	   ? "udp" :
			     "mcast",
		 listen_at ? listen_at :
		 to	   ? to :
		 udp	   ? udp :
			     group);
	return 0;
}

static const struct netdev_kind socket_kind = { .name = "socket",
						.doc = "frames to another emulator",
						.keys = "listen|connect|mcast|udp|localaddr",
						.make = socket_make };
NETDEV_KIND(socket_kind);
