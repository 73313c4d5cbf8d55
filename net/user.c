/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user.c - network without privileges: libslirp answers the guest's ARP, DHCP, DNS and TFTP itself
 * and turns its TCP, UDP and pings into sockets of this process. The library says which sockets it
 * waits for and until when; after everything that may have changed that, it is asked again.
 */
#include "net/user.h"
#include "core/chardev.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include "net/user_parse.h"
#include <errno.h>
#include <poll.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <unistd.h>

#define MS 1000000ull

/* A socket that the library waits for. */
struct watch {
	int fd;
	short events; /* as the machine knows */
	short wanted;
	short got;
};

struct forward {
	struct user *u;
	struct chardev *c;
	struct in_addr addr;
	int port;
	struct forward *next;
};

struct user {
	struct netdev *n;
	Slirp *slirp;
	VEC(struct watch) watch;
	struct device shell; /* owner of the timer */
	struct timer timeout;
	struct in_addr guest;
	struct forward *forwards;
	bool stale; /* what it waits for may have changed */
};

/* The library's timers, in virtual milliseconds. */
struct user_timer {
	struct device shell;
	struct timer timer;
	struct user *u;
	SlirpTimerCb cb;
	void *arg;
};

static void refresh(struct user *u);

static u64 now(const struct user *u) { return clock_now(&u->n->machine->clock); }

/* ---- what the library calls */

static ssize_t send_packet(const void *buf, size_t len, void *opaque)
{
	struct user *u = opaque;

	netdev_deliver(u->n, buf, len);
	return len;
}

static void guest_mistake(const char *msg, void *opaque)
{
	guest_error(NULL, "network %s: %s", ((struct user *)opaque)->n->id, msg);
}

static int64_t get_ns(void *opaque) { return now(opaque); }

static void timer_fired(void *dev)
{
	struct user_timer *t = container_of((struct device *)dev, struct user_timer, shell);
	struct user *u = t->u;

	t->cb(t->arg);
	refresh(u);
}

static void *timer_new(SlirpTimerCb cb, void *cb_opaque, void *opaque)
{
	struct user_timer *t = NEW(struct user_timer);

	t->u = opaque;
	t->cb = cb;
	t->arg = cb_opaque;
	t->timer = (struct timer){ .dev = &t->shell, .fire = timer_fired };
	return t;
}

static void timer_free(void *timer, void *opaque)
{
	struct user *u = opaque;
	struct user_timer *t = timer;

	if (!t)
		return;
	clock_timer_stop(&u->n->machine->clock, &t->timer);
	free(t);
}

static void timer_mod(void *timer, int64_t ms, void *opaque)
{
	struct user *u = opaque;
	struct user_timer *t = timer;

	clock_timer_start(&u->n->machine->clock, &t->timer, MAX(ms, (int64_t)0) * MS);
}

static void register_fd(int fd, void *opaque) {}

/* It will be closed; its number may come back for another socket. */
static void unregister_fd(int fd, void *opaque)
{
	struct user *u = opaque;

	for (size_t i = 0; i < u->watch.n; i++) {
		struct watch *w = &u->watch.at[i];

		if (w->fd != fd || !w->events)
			continue;
		machine_poll_fd(u->n->machine, fd, 0, NULL, NULL);
		w->events = 0;
	}
}

static void notify(void *opaque)
{
	struct user *u = opaque;

	for (struct forward *f = u->forwards; f; f = f->next)
		chardev_room(f->c);
	u->stale = true;
}

static const SlirpCb callbacks = {
	.send_packet = send_packet,
	.guest_error = guest_mistake,
	.clock_get_ns = get_ns,
	.timer_new = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = register_fd,
	.unregister_poll_fd = unregister_fd,
	.notify = notify,
};

/* ---- waiting for its sockets */

static int add_poll(int fd, int events, void *opaque)
{
	struct user *u = opaque;
	short wanted = (events & (SLIRP_POLL_IN | SLIRP_POLL_PRI) ? POLLIN : 0) |
		       (events & SLIRP_POLL_OUT ? POLLOUT : 0);

	for (size_t i = 0; i < u->watch.n; i++) {
		if (u->watch.at[i].fd == fd) {
			u->watch.at[i].wanted |= wanted;
			return i;
		}
	}
	vec_push(&u->watch, ((struct watch){ .fd = fd, .wanted = wanted }));
	return u->watch.n - 1;
}

static int get_revents(int idx, void *opaque)
{
	struct user *u = opaque;
	short got = idx >= 0 && (size_t)idx < u->watch.n ? u->watch.at[idx].got : 0;

	return (got & POLLIN ? SLIRP_POLL_IN : 0) | (got & POLLOUT ? SLIRP_POLL_OUT : 0) |
	       (got & POLLERR ? SLIRP_POLL_ERR : 0) | (got & POLLHUP ? SLIRP_POLL_HUP : 0);
}

static void poll_now(struct user *u)
{
	slirp_pollfds_poll(u->slirp, 0, get_revents, u);
	for (size_t i = 0; i < u->watch.n; i++)
		u->watch.at[i].got = 0;
	refresh(u);
}

static void ready(void *arg, short revents)
{
	struct user *u = arg;
	struct pollfd p[64];
	unsigned n = 0;

	/* one of them is ready: ask for all, so that the library hears of them in one call */
	for (size_t i = 0; i < u->watch.n; i += n) {
		n = MIN(u->watch.n - i, ARRAY_SIZE(p));
		for (unsigned k = 0; k < n; k++)
			p[k] = (struct pollfd){ .fd = u->watch.at[i + k].events ?
							      u->watch.at[i + k].fd :
							      -1,
						.events = u->watch.at[i + k].events };
		if (poll(p, n, 0) <= 0)
			continue;
		for (unsigned k = 0; k < n; k++)
			u->watch.at[i + k].got = p[k].revents;
	}
	poll_now(u);
}

static void timed_out(void *dev)
{
	poll_now(container_of((struct device *)dev, struct user, shell));
}

static void refresh(struct user *u)
{
	struct machine *m = u->n->machine;
	u32 timeout = ~0u;
	size_t out = 0;

	u->stale = false;
	for (size_t i = 0; i < u->watch.n; i++)
		u->watch.at[i].wanted = 0;
	slirp_pollfds_fill(u->slirp, &timeout, add_poll, u);
	for (size_t i = 0; i < u->watch.n; i++) {
		struct watch *w = &u->watch.at[i];

		if (w->wanted != w->events)
			machine_poll_fd(m, w->fd, w->wanted, ready, u);
		w->events = w->wanted;
	}
	/* those without a wish go, at the end only: the library counts by place */
	for (size_t i = 0; i < u->watch.n; i++)
		if (u->watch.at[i].events)
			out = i + 1;
	u->watch.n = out;
	if (timeout == ~0u)
		clock_timer_stop(&m->clock, &u->timeout);
	else
		clock_timer_start(&m->clock, &u->timeout, now(u) + timeout * MS);
}

/* ---- frames from the card */

static void user_send(struct netdev *n, const struct iovec *vec, unsigned nvec)
{
	struct user *u = n->impl;
	u8 frame[NET_FRAME_MAX];
	size_t len = 0;

	if (nvec == 1) {
		slirp_input(u->slirp, vec->iov_base, vec->iov_len);
	} else {
		for (unsigned i = 0; i < nvec; i++) {
			if (vec[i].iov_len > sizeof(frame) - len)
				return;
			memcpy(frame + len, vec[i].iov_base, vec[i].iov_len);
			len += vec[i].iov_len;
		}
		slirp_input(u->slirp, frame, len);
	}
	u->stale = true;
}

static void user_flush(struct netdev *n)
{
	struct user *u = n->impl;

	if (u->stale)
		refresh(u);
}

/* ---- forwards */

static int add_hostfwd(struct user *u, const char *text, struct error *e)
{
	struct net_forward f;

	if (net_parse_hostfwd(text, u->guest, &f))
		return error_ret(e, -EINVAL,
				 "Invalid host forwarding rule '%s': the form is "
				 "tcp|udp:[ADDRESS]:PORT-[ADDRESS]:PORT",
				 text);
	if (slirp_add_hostfwd(u->slirp, f.udp, f.host, f.host_port, f.guest, f.guest_port) < 0)
		return error_ret(e, -EADDRINUSE, "Could not set up host forwarding rule '%s': %s",
				 text, strerror(errno));
	return 0;
}

static struct user *user_of(struct netdev *n);

int net_user_add_hostfwd(struct netdev *n, const char *text, struct error *e)
{
	struct user *u = user_of(n);
	int err = u ? add_hostfwd(u, text, e) :
		      error_ret(e, -EINVAL, "netdev '%s' is not of type user", n->id);

	if (!err)
		refresh(u);
	return err;
}

int net_user_remove_hostfwd(struct netdev *n, const char *text, struct error *e)
{
	struct user *u = user_of(n);
	struct net_forward f;

	if (!u)
		return error_ret(e, -EINVAL, "netdev '%s' is not of type user", n->id);
	if (net_parse_hostfwd_host(text, &f))
		return error_ret(e, -EINVAL, "invalid format '%s': it is tcp|udp:[ADDRESS]:PORT",
				 text);
	if (slirp_remove_hostfwd(u->slirp, f.udp, f.host, f.host_port) < 0)
		return error_ret(e, -ENOENT, "there is no host forwarding rule for '%s'", text);
	refresh(u);
	return 0;
}

char *net_user_connections(struct netdev *n)
{
	struct user *u = user_of(n);

	return u ? slirp_connection_info(u->slirp) : NULL;
}

static ssize_t forward_write(const void *buf, size_t len, void *opaque)
{
	struct forward *f = opaque;

	return chardev_write(f->c, buf, MIN(len, (size_t)1 << 20));
}

static int forward_room(void *arg)
{
	struct forward *f = arg;

	return MIN(slirp_socket_can_recv(f->u->slirp, f->addr, f->port), (size_t)65536);
}

static void forward_receive(void *arg, const u8 *buf, int n)
{
	struct forward *f = arg;

	slirp_socket_recv(f->u->slirp, f->addr, f->port, buf, n);
	refresh(f->u);
}

static const struct chardev_user forward_user = { .room = forward_room,
						  .receive = forward_receive };

/* Behind an address of the guest's network: a program's standard streams, or a chardev. */
static int add_guestfwd(struct user *u, const char *text, struct error *e)
{
	struct in_addr addr = { 0 };
	const char *rest, *what;
	struct forward *f;
	int port;

	if (net_parse_guestfwd(text, &addr, &port, &rest))
		return error_ret(e, -EINVAL,
				 "Invalid guest forwarding rule '%s': the form is "
				 "tcp:ADDRESS:PORT-cmd:COMMAND or tcp:ADDRESS:PORT-chardev:ID",
				 text);
	if (str_prefix(rest, "cmd:", &what)) {
		if (slirp_add_exec(u->slirp, what, &addr, port) >= 0)
			return 0;
		return error_ret(e, -EADDRINUSE,
				 "Conflicting/invalid host:port in guest forwarding rule '%s'",
				 text);
	}
	if (!str_prefix(rest, "chardev:", &what))
		return error_ret(e, -EINVAL,
				 "guest forwarding rule '%s': behind it is cmd:COMMAND or "
				 "chardev:ID",
				 text);
	f = NEW(struct forward);
	*f = (struct forward){ .u = u, .addr = addr, .port = port, .next = u->forwards };
	f->c = chardev_claim(u->n->machine, what, e);
	if (!f->c || slirp_add_guestfwd(u->slirp, forward_write, f, &f->addr, port) < 0) {
		free(f);
		return error_ret(e, -EADDRINUSE,
				 "Conflicting/invalid host:port in guest forwarding rule '%s'",
				 text);
	}
	u->forwards = f;
	chardev_attach(f->c, f, &forward_user);
	return 0;
}

/* ---- life */

static void user_fini(struct netdev *n)
{
	struct user *u = n->impl;

	if (!u)
		return;
	for (size_t i = 0; i < u->watch.n; i++)
		if (u->watch.at[i].events)
			machine_poll_fd(n->machine, u->watch.at[i].fd, 0, NULL, NULL);
	clock_timer_stop(&n->machine->clock, &u->timeout);
	if (u->slirp)
		slirp_cleanup(u->slirp);
	while (u->forwards) {
		struct forward *f = u->forwards;

		u->forwards = f->next;
		chardev_attach(f->c, f, NULL);
		free(f);
	}
	vec_free(&u->watch);
	free(u);
	n->impl = NULL;
}

static const struct net_ops user_ops = { .send = user_send,
					 .flush = user_flush,
					 .fini = user_fini };

static struct user *user_of(struct netdev *n) { return n->ops == &user_ops ? n->impl : NULL; }

static int parse_addr(struct keyvals *kv, const char *key, struct in_addr *a, const SlirpConfig *c,
		      struct error *e)
{
	const char *s = keyvals_get(kv, key);

	if (!s)
		return 0;
	if (inet_pton(AF_INET, s, a) != 1)
		return error_ret(e, -EINVAL, "'%s' of %s= is no IPv4 address", s, key);
	if ((a->s_addr & c->vnetmask.s_addr) != c->vnetwork.s_addr)
		return error_ret(e, -EINVAL, "%s=%s is not in the network", key, s);
	return 0;
}

static int parse_addr6(struct keyvals *kv, const char *key, struct in6_addr *a, struct error *e)
{
	const char *s = keyvals_get(kv, key);

	if (s && inet_pton(AF_INET6, s, a) != 1)
		return error_ret(e, -EINVAL, "'%s' of %s= is no IPv6 address", s, key);
	return 0;
}

static struct in_addr in_net(const SlirpConfig *c, u32 host)
{
	return (struct in_addr){ c->vnetwork.s_addr | htonl(host) };
}

static int parse_ipv4(struct keyvals *kv, SlirpConfig *c, struct error *e)
{
	const char *net = keyvals_get(kv, "net");
	int err;

	if (net_parse_network(net ? net : "10.0.2.0/24", &c->vnetwork, &c->vnetmask))
		return error_ret(e, -EINVAL, "'%s' of net= is no IPv4 network", net);
	c->vnetwork.s_addr &= c->vnetmask.s_addr;
	c->vhost = in_net(c, 2);
	c->vnameserver = in_net(c, 3);
	c->vdhcp_start = in_net(c, 15);
	err = parse_addr(kv, "host", &c->vhost, c, e);
	if (!err)
		err = parse_addr(kv, "dns", &c->vnameserver, c, e);
	return err ? err : parse_addr(kv, "dhcpstart", &c->vdhcp_start, c, e);
}

static int parse_ipv6(struct keyvals *kv, SlirpConfig *c, struct error *e)
{
	u64 len = 64;
	int err;

	inet_pton(AF_INET6, "fec0::", &c->vprefix_addr6);
	err = parse_addr6(kv, "ipv6-prefix", &c->vprefix_addr6, e);
	if (!err)
		err = keyvals_u64(kv, "ipv6-prefixlen", 0, 126, &len, e);
	c->vprefix_len = len;
	c->vhost6 = c->vnameserver6 = c->vprefix_addr6;
	c->vhost6.s6_addr[15] |= 2;
	c->vnameserver6.s6_addr[15] |= 3;
	if (!err)
		err = parse_addr6(kv, "ipv6-host", &c->vhost6, e);
	return err ? err : parse_addr6(kv, "ipv6-dns", &c->vnameserver6, e);
}

static int parse_config(struct keyvals *kv, SlirpConfig *c, struct error *e)
{
	bool ipv4 = true, ipv6 = true, restricted = false;
	const char *dir;
	int err = keyvals_bool(kv, "ipv4", &ipv4, e);

	if (!err)
		err = keyvals_bool(kv, "ipv6", &ipv6, e);
	if (!err)
		err = keyvals_bool(kv, "restrict", &restricted, e);
	if (err)
		return err;
	/* one that is asked for alone is the only one */
	if (keyvals_get(kv, "ipv4") && !keyvals_get(kv, "ipv6"))
		ipv6 = !ipv4;
	else if (keyvals_get(kv, "ipv6") && !keyvals_get(kv, "ipv4"))
		ipv4 = !ipv6;
	c->version = 1;
	c->restricted = restricted;
	c->in_enabled = ipv4;
	c->in6_enabled = ipv6;
	c->vhostname = keyvals_get(kv, "hostname");
	c->vdomainname = keyvals_get(kv, "domainname");
	c->tftp_path = dir = keyvals_get(kv, "tftp");
	c->bootfile = keyvals_get(kv, "bootfile");
	c->tftp_server_name = keyvals_get(kv, "tftp-server-name");
	if (keyvals_get(kv, "smb"))
		return error_ret(e, -ENOTSUP, "smb= is not built yet");
	if (dir && access(dir, R_OK | X_OK))
		return error_ret(e, -errno, "tftp=%s: %s", dir, strerror(errno));
	err = parse_ipv4(kv, c, e);
	return err ? err : parse_ipv6(kv, c, e);
}

static int each_value(struct user *u, struct keyvals *kv, const char *key,
		      int (*fn)(struct user *u, const char *text, struct error *e), struct error *e)
{
	int err = 0;

	keyvals_get(kv, key);
	for (size_t i = 0; i < kv->n && !err; i++) {
		kv->at[i].used |= str_eq(kv->at[i].key, key);
		if (str_eq(kv->at[i].key, key))
			err = fn(u, kv->at[i].value, e);
	}
	return err;
}

#define KEYS \
	"net|host|dns|dhcpstart|restrict|hostname|domainname|dnssearch|ipv4|ipv6|ipv6-prefix|" \
	"ipv6-prefixlen|ipv6-host|ipv6-dns|hostfwd|guestfwd|tftp|bootfile|tftp-server-name|smb"

static int user_make(struct netdev *n, struct keyvals *kv, struct error *e)
{
	VEC(const char *) search = { 0 };
	struct user *u = NEW(struct user);
	SlirpConfig c = { 0 };
	int err = parse_config(kv, &c, e);

	for (size_t i = 0; i < kv->n; i++) {
		if (str_eq(kv->at[i].key, "dnssearch")) {
			kv->at[i].used = true;
			vec_push(&search, kv->at[i].value);
		}
	}
	vec_push(&search, NULL);
	c.vdnssearch = search.n > 1 ? search.at : NULL;
	u->n = n;
	u->guest = c.vdhcp_start;
	u->timeout = (struct timer){ .dev = &u->shell, .fire = timed_out };
	n->impl = u;
	u->slirp = err ? NULL : slirp_new(&c, &callbacks, u);
	vec_free(&search);
	if (!err && !u->slirp)
		err = error_ret(e, -EINVAL, "the user-mode network cannot be set up like this");
	if (!err)
		err = each_value(u, kv, "hostfwd", add_hostfwd, e);
	if (!err)
		err = each_value(u, kv, "guestfwd", add_guestfwd, e);
	if (!err)
		err = keyvals_all_used(kv, "type|id|" KEYS, e);
	if (err) {
		user_fini(n);
		return err;
	}
	n->ops = &user_ops;
	snprintf(n->info, sizeof(n->info), "net=%s,restrict=%s", inet_ntoa(c.vnetwork),
		 c.restricted ? "on" : "off");
	refresh(u);
	return 0;
}

static const struct netdev_kind user_kind = { .name = "user",
					      .doc = "a network of its own, through this process's "
						     "sockets",
					      .keys = KEYS,
					      .make = user_make };
NETDEV_KIND(user_kind);
