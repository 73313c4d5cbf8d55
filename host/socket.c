/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * socket.c - the character back end on stream sockets: TCP, Unix, or a descriptor that was passed
 * to us; as a server for one client at a time or as a client. While nobody is connected, output is
 * dropped and the guest's carrier is down.
 */
#include "host/socket.h"
#include "core/machine.h"
#include "host/chardev.h"
#include "host/fdio.h"
#include "host/telnet.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

struct sock {
	struct chardev c;
	struct fdio io;
	struct address addr;
	bool server, nodelay, telnet, connected;
	u64 reconnect_ms;
	int listener, connecting, timer; /* -1 = none */
	struct telnet tn;
	/* whoever takes further clients (chardev_peers), or NULL */
	void (*peer)(void *arg, struct chardev *c);
	void *peer_arg;
};

static void on_listener(void *arg, short revents);
static void on_connecting(void *arg, short revents);
static void sock_hangup(struct fdio *f);
static size_t sock_filter(struct fdio *f, u8 *buf, size_t n);
static const struct chardev_ops sock_ops;

static void start(struct sock *s, int fd)
{
	int one = 1;

	if (s->nodelay)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	s->connected = true;
	s->tn = (struct telnet){ 0 };
	fdio_start(&s->io, fd, fd);
	if (s->telnet)
		fdio_write(&s->io, telnet_hello, telnet_hello_size);
	chardev_event(&s->c, CHARDEV_OPENED);
}

static void try_later(struct sock *s)
{
	struct itimerspec t = { .it_value = { s->reconnect_ms / 1000,
					      s->reconnect_ms % 1000 * 1000000 } };

	if (s->reconnect_ms)
		timerfd_settime(s->timer, 0, &t, NULL);
}

static void wait_for_client(struct sock *s, bool on)
{
	machine_poll_fd(s->c.machine, s->listener, on ? POLLIN : 0, on_listener, s);
}

/* ---- connecting */

static int begin_connect(struct sock *s, struct error *e)
{
	bool pending;
	int fd = socket_connect(&s->addr, &pending, e);

	if (fd < 0)
		return fd;
	if (pending) {
		s->connecting = fd;
		machine_poll_fd(s->c.machine, fd, POLLOUT, on_connecting, s);
	} else {
		start(s, fd);
	}
	return 0;
}

static void on_connecting(void *arg, short revents)
{
	struct sock *s = arg;
	int fd = s->connecting, err = 0;
	socklen_t n = sizeof(err);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n);
	machine_poll_fd(s->c.machine, fd, 0, NULL, NULL);
	s->connecting = -1;
	if (!err) {
		start(s, fd);
		return;
	}
	close(fd);
	try_later(s);
}

static void on_timer(void *arg, short revents)
{
	struct sock *s = arg;
	u64 count;

	if (read(s->timer, &count, sizeof(count)) < 0 || s->connected || s->connecting >= 0)
		return;
	if (begin_connect(s, NULL))
		try_later(s);
}

/* One more at the same address; it listens to nobody itself. */
static void further_client(struct sock *s, int fd)
{
	struct sock *p;

	p = NEW(struct sock);
	chardev_init(&p->c, s->c.machine, &sock_ops, NULL, p);
	fdio_init(&p->io, &p->c, s->c.machine, p->addr.text);
	p->addr = s->addr;
	p->io.hangup = sock_hangup;
	p->io.filter = sock_filter;
	p->telnet = s->telnet;
	p->nodelay = s->nodelay;
	p->listener = p->connecting = p->timer = -1;
	start(p, fd);
	s->peer(s->peer_arg, &p->c);
}

static void on_listener(void *arg, short revents)
{
	struct sock *s = arg;
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (s->connected) {
		further_client(s, fd);
		return;
	}
	/* One client at a time: the next one waits in the listener's queue. */
	if (!s->peer)
		wait_for_client(s, false);
	start(s, fd);
}

static void sock_hangup(struct fdio *f)
{
	struct sock *s = container_of(f, struct sock, io);

	if (!s->connected)
		return;
	s->connected = false;
	fdio_stop(f, 0);
	chardev_event(&s->c, CHARDEV_CLOSED);
	if (s->listener >= 0)
		wait_for_client(s, true);
	else
		try_later(s);
}

/* ---- bytes */

static size_t sock_filter(struct fdio *f, u8 *buf, size_t n)
{
	struct sock *s = container_of(f, struct sock, io);

	if (!s->telnet)
		return n;
	n = telnet_in(&s->tn, buf, n);
	if (s->tn.got_break)
		chardev_event(&s->c, CHARDEV_BREAK);
	s->tn.got_break = false;
	return n;
}

static int sock_write(struct chardev *c, const u8 *buf, int n)
{
	struct sock *s = c->impl;
	u8 out[512];
	int part = MIN(n, 256);

	if (!s->connected)
		return n;
	if (!s->telnet || !memchr(buf, 255, n))
		return fdio_write(&s->io, buf, n);
	/* Doubled bytes must not be cut apart by a full queue: a part at a time, taken whole or not
	 * at all. */
	if (s->io.n - s->io.at > (1 << 19))
		return 0;
	fdio_write(&s->io, out, telnet_out(out, buf, part));
	return part;
}

static void sock_room(struct chardev *c) { fdio_room(&((struct sock *)c->impl)->io); }

static void sock_fini(struct chardev *c)
{
	struct sock *s = c->impl;
	const struct sockaddr_un *un = (const void *)&s->addr.sa;

	if (s->connected)
		fdio_stop(&s->io, 5000);
	if (s->listener >= 0) {
		wait_for_client(s, false);
		close(s->listener);
		if (un->sun_family == AF_UNIX && un->sun_path[0])
			unlink(un->sun_path);
	}
	if (s->connecting >= 0) {
		machine_poll_fd(c->machine, s->connecting, 0, NULL, NULL);
		close(s->connecting);
	}
	if (s->timer >= 0) {
		machine_poll_fd(c->machine, s->timer, 0, NULL, NULL);
		close(s->timer);
	}
	free(s);
}

static void sock_peers(struct chardev *c, void (*fn)(void *arg, struct chardev *peer), void *arg)
{
	struct sock *s = c->impl;

	s->peer = fn;
	s->peer_arg = arg;
	if (s->listener >= 0)
		wait_for_client(s, true);
}

static const struct chardev_ops sock_ops = { .name = "socket",
					     .write = sock_write,
					     .room = sock_room,
					     .fini = sock_fini,
					     .peers = sock_peers };

/* ---- opening */

struct wish {
	bool server, wait, telnet, nodelay;
	u64 reconnect_ms;
	s64 fd;
};

static int parse_wish(struct wish *w, struct keyvals *kv, struct error *e)
{
	bool websocket = false, delay = true;
	u64 seconds = 0;
	const char *fd = keyvals_get(kv, "fd");
	int err = keyvals_bool(kv, "server", &w->server, e);

	w->wait = w->server;
	w->fd = -1;
	if (!err)
		err = keyvals_bool(kv, "wait", &w->wait, e);
	if (!err)
		err = keyvals_bool(kv, "telnet", &w->telnet, e);
	if (!err)
		err = keyvals_bool(kv, "websocket", &websocket, e);
	if (!err)
		err = keyvals_bool(kv, "nodelay", &w->nodelay, e);
	if (!err)
		err = keyvals_bool(kv, "delay", &delay, e);
	if (!err)
		err = keyvals_u64(kv, "reconnect", 0, 1000000, &seconds, e);
	w->reconnect_ms = seconds * 1000;
	if (!err)
		err = keyvals_u64(kv, "reconnect-ms", 0, 1000000000, &w->reconnect_ms, e);
	w->nodelay |= !delay;
	if (!err && (websocket || keyvals_get(kv, "tls-creds")))
		err = error_ret(e, -ENOTSUP, "%s is not built yet",
				websocket ? "websocket" : "tls-creds");
	if (!err && keyvals_get(kv, "to"))
		err = error_ret(e, -ENOTSUP,
				"to= is not built yet; port=0 takes any free port and tells which");
	if (!err && fd &&
	    (str_to_s64(fd, 10, &w->fd) || w->fd < 0 || w->fd > INT32_MAX ||
	     fcntl(w->fd, F_GETFD) < 0))
		err = error_ret(e, -EBADF, "fd=%s is no open descriptor", fd);
	if (!err && w->reconnect_ms && w->server)
		err = error_ret(e, -EINVAL,
				"reconnect is of clients: a server waits for the next one anyway");
	return err;
}

/* wait=on: nothing starts before somebody is there. */
static int wait_here(struct sock *s, struct error *e)
{
	struct pollfd p = { .fd = s->listener, .events = POLLIN };
	int fd;

	fprintf(stderr, "waiting for a connection at %s,server=on\n", s->addr.text);
	do
		fd = poll(&p, 1, -1) > 0 ?
			     accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) :
			     -1;
	while (fd < 0 && (errno == EINTR || errno == EAGAIN || errno == ECONNABORTED));
	if (fd < 0)
		return error_ret(e, -errno, "%s: %s", s->addr.text, strerror(errno));
	start(s, fd);
	return 0;
}

static int begin_server(struct sock *s, const struct wish *w, int fd, struct error *e)
{
	const struct sockaddr_in *in = (const void *)&s->addr.sa;
	bool any_port = s->addr.sa.ss_family != AF_UNIX && !in->sin_port;

	s->listener = fd >= 0 ? fd : socket_listen(&s->addr, e);
	if (s->listener < 0)
		return s->listener;
	if (any_port || fd >= 0)
		address_of(&s->addr, s->listener);
	if (any_port)
		fprintf(stderr, "char device %s listens at %s\n", s->c.id, s->addr.text);
	if (w->wait)
		return wait_here(s, e);
	wait_for_client(s, true);
	return 0;
}

/* The first attempt is waited for, so that a wrong address is told at once; with reconnect it may
 * fail. */
static int begin_client(struct sock *s, struct error *e)
{
	struct error why = { 0 };
	int err = begin_connect(s, &why);

	if (!err && s->connecting >= 0 && !s->reconnect_ms) {
		struct pollfd p = { .fd = s->connecting, .events = POLLOUT };
		socklen_t n = sizeof(err);

		while (poll(&p, 1, -1) < 0 && errno == EINTR)
			;
		getsockopt(s->connecting, SOL_SOCKET, SO_ERROR, &err, &n);
		if (err)
			err = error_ret(&why, -err, "could not connect to %s: %s", s->addr.text,
					strerror(err));
		else
			on_connecting(s, POLLOUT);
	}
	if (err && s->reconnect_ms) {
		try_later(s);
		err = 0;
	}
	if (err)
		error_set(e, "%s", why.text);
	error_clear(&why);
	return err;
}

static struct chardev *sock_open(struct machine *m, const char *id, struct keyvals *kv,
				 struct error *e)
{
	struct wish w = { 0 };
	struct address a = { 0 };
	struct sock *s;
	int err = parse_wish(&w, kv, e);

	if (!err && w.fd < 0)
		err = address_parse(&a, kv, "host", "port", SOCK_STREAM, w.server, e);
	if (err)
		return NULL;
	s = NEW(struct sock);
	chardev_init(&s->c, m, &sock_ops, id, s);
	fdio_init(&s->io, &s->c, m, s->addr.text);
	s->addr = a;
	s->io.hangup = sock_hangup;
	s->io.filter = sock_filter;
	s->server = w.server;
	s->telnet = w.telnet;
	s->nodelay = w.nodelay;
	s->reconnect_ms = w.reconnect_ms;
	s->listener = s->connecting = -1;
	s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	machine_poll_fd(m, s->timer, POLLIN, on_timer, s);
	if (w.server)
		err = begin_server(s, &w, w.fd, e);
	else if (w.fd >= 0)
		start(s, w.fd);
	else
		err = begin_client(s, e);
	if (!err)
		return &s->c;
	chardev_free(&s->c);
	return NULL;
}

static const struct chardev_kind socket_kind = {
	"socket", "a TCP or Unix socket, as server or client",
	"host|port|to|path|fd|abstract|tight|server|wait|telnet|websocket|nodelay|delay|reconnect|"
	"reconnect-ms|ipv4|ipv6|tls-creds|tls-authz",
	sock_open
};
CHARDEV_KIND(socket_kind);
