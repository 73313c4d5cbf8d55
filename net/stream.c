/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stream.c - -netdev stream (a connection) and -netdev dgram (datagrams), with addresses as QMP
 * knows them: addr.type=inet, unix or fd. What is sent is that of -netdev socket. */
#include "core/fds.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include "net/socket.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <unistd.h>

enum type { NONE, INET, UNIX, FD };

/* One address: keys PREFIX.type, .host, .port, .path, .str. */
struct place {
	enum type type;
	union net_addr addr;
	socklen_t len;
	int fd;
	char text[128]; /* for people */
};

static const char *get(struct keyvals *kv, const char *prefix, const char *key)
{
	char name[32];

	snprintf(name, sizeof(name), "%s.%s", prefix, key);
	return keyvals_get(kv, name);
}

static int need(struct keyvals *kv, const char *prefix, const char *key, const char **val,
		struct error *e)
{
	*val = get(kv, prefix, key);
	return *val ? 0 : error_ret(e, -EINVAL, "Parameter '%s.%s' is missing", prefix, key);
}

static int place_inet(struct place *p, struct keyvals *kv, const char *prefix, int kind,
		      struct error *e)
{
	struct addrinfo hints = { .ai_socktype = kind }, *found;
	const char *host, *port;
	int err = need(kv, prefix, "host", &host, e);

	if (!err)
		err = need(kv, prefix, "port", &port, e);
	if (err)
		return err;
	err = getaddrinfo(*host ? host : NULL, port, &hints, &found);
	if (err)
		return error_ret(e, -EINVAL, "address resolution failed for %s:%s: %s", host, port,
				 gai_strerror(err));
	p->len = found->ai_addrlen;
	memcpy(&p->addr, found->ai_addr, MIN(sizeof(p->addr), (size_t)p->len));
	freeaddrinfo(found);
	snprintf(p->text, sizeof(p->text), "%s:%s", host, port);
	return 0;
}

static int place_unix(struct place *p, struct keyvals *kv, const char *prefix, struct error *e)
{
	const char *path;
	int err = need(kv, prefix, "path", &path, e);

	if (err)
		return err;
	if (strlen(path) >= sizeof(p->addr.un.sun_path))
		return error_ret(e, -EINVAL, "the path '%s' is too long for a socket", path);
	p->addr.un.sun_family = AF_UNIX;
	strcpy(p->addr.un.sun_path, path);
	p->len = sizeof(p->addr.un);
	snprintf(p->text, sizeof(p->text), "unix:%s", path);
	return 0;
}

int net_fd(struct netdev *n, const char *text, struct error *e)
{
	u32 number;
	int fd;

	if (str_to_u32(text, 10, &number))
		fd = fds_take(n->machine, text, e);
	else if (fcntl(fd = (int)number, F_GETFD) < 0)
		fd = error_ret(e, -EBADF, "there is no open descriptor %s", text);
	if (fd < 0)
		return fd;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

static int place_fd(struct place *p, struct netdev *n, struct keyvals *kv, const char *prefix,
		    struct error *e)
{
	const char *str;
	int err = need(kv, prefix, "str", &str, e);

	if (err)
		return err;
	p->fd = net_fd(n, str, e);
	if (p->fd < 0)
		return p->fd;
	snprintf(p->text, sizeof(p->text), "fd=%s", str);
	return 0;
}

static int place_get(struct place *p, struct netdev *n, struct keyvals *kv, const char *prefix,
		     int kind, struct error *e)
{
	const char *type = get(kv, prefix, "type");
	int which = type ? choice_find("none|inet|unix|fd", type) : 0;

	*p = (struct place){ .fd = -1 };
	if (which < 0 || (type && !which))
		return error_ret(e, -EINVAL, "parameter '%s.type' is inet, unix or fd, not '%s'",
				 prefix, type);
	p->type = which;
	switch (p->type) {
	case INET:
		return place_inet(p, kv, prefix, kind, e);
	case UNIX:
		return place_unix(p, kv, prefix, e);
	case FD:
		return place_fd(p, n, kv, prefix, e);
	default:
		return 0;
	}
}

static int failed(const char *what, const struct place *p, struct error *e)
{
	return error_ret(e, -errno, "can't %s %s: %s", what, p->text, strerror(errno));
}

/* ---- stream */

static int stream_listen(struct net_socket *s, const struct place *p, struct error *e)
{
	int one = 1;

	if (p->type == FD) {
		s->listener = p->fd;
		if (listen(s->listener, 1))
			return failed("listen at", p, e);
		net_socket_listen(s);
		return 0;
	}
	if (p->type == UNIX)
		unlink(p->addr.un.sun_path);
	s->listener = socket(p->addr.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->listener < 0 ||
	    (p->type == INET &&
	     setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one))) ||
	    bind(s->listener, &p->addr.any, p->len) || listen(s->listener, 1))
		return failed("listen at", p, e);
	if (p->type == UNIX)
		s->unlink = xstrdup(p->addr.un.sun_path);
	net_socket_listen(s);
	return 0;
}

static int stream_connect(struct net_socket *s, const struct place *p, struct error *e)
{
	if (p->type == FD) {
		s->fd = p->fd;
		net_socket_watch(s);
		return 0;
	}
	s->to = p->addr;
	s->to_len = p->len;
	errno = -net_socket_connect(s);
	if (!errno)
		return 0;
	if (!s->reconnect)
		return failed("connect to", p, e);
	clock_timer_start(&s->n->machine->clock, &s->again,
			  clock_now(&s->n->machine->clock) + (u64)s->reconnect * 1000000000);
	return 0;
}

/* The address as events show it. */
static void event_name(struct net_socket *s, struct keyvals *kv, const struct place *p)
{
	const char *host = keyvals_get(kv, "addr.host"), *port = keyvals_get(kv, "addr.port");

	if (p->type == INET)
		snprintf(s->name, sizeof(s->name),
			 "{\"type\": \"inet\", \"host\": \"%.40s\", \"port\": \"%.8s\"}", host,
			 port);
	else
		snprintf(s->name, sizeof(s->name), "{\"type\": \"%s\"}",
			 p->type == UNIX ? "unix" : "fd");
}

#define STREAM_KEYS "server|reconnect|addr.type|addr.host|addr.port|addr.path|addr.str"

static int stream_make(struct netdev *n, struct keyvals *kv, struct error *e)
{
	struct net_socket *s;
	struct place p;
	bool server = false;
	u64 reconnect = 0;
	int err = keyvals_bool(kv, "server", &server, e);

	if (!err)
		err = keyvals_u64(kv, "reconnect", 0, 86400, &reconnect, e);
	if (!err)
		err = place_get(&p, n, kv, "addr", SOCK_STREAM, e);
	if (err)
		return err;
	if (p.type == NONE)
		return error_ret(e, -EINVAL, "Parameter 'addr.type' is missing");
	s = net_socket_new(n);
	s->stream = s->events = true;
	s->reconnect = reconnect;
	event_name(s, kv, &p);
	if (reconnect && (server || p.type == FD))
		err = error_ret(e, -EINVAL, "reconnect= is for connections that are made");
	if (!err)
		err = keyvals_all_used(kv, "type|id|" STREAM_KEYS, e);
	if (!err)
		err = server ? stream_listen(s, &p, e) : stream_connect(s, &p, e);
	if (err) {
		if (p.fd >= 0 && s->fd != p.fd && s->listener != p.fd)
			close(p.fd);
		net_socket_fini(n);
		return err;
	}
	n->ops = &net_socket_ops;
	snprintf(n->info, sizeof(n->info), "%s%.100s", server ? "listen=" : "", p.text);
	return 0;
}

static const struct netdev_kind stream_kind = { .name = "stream",
						.doc = "frames over a connection",
						.keys = STREAM_KEYS,
						.make = stream_make };
NETDEV_KIND(stream_kind);

/* ---- dgram */

static bool is_group(const struct place *p)
{
	return p->type == INET && p->addr.any.sa_family == AF_INET &&
	       IN_MULTICAST(ntohl(p->addr.in.sin_addr.s_addr));
}

static int join(struct net_socket *s, struct keyvals *kv, const struct place *group,
		struct error *e)
{
	struct ip_mreq m = { .imr_multiaddr = group->addr.in.sin_addr };
	const char *local = keyvals_get(kv, "local.host");
	int one = 1;

	keyvals_get(kv, "local.type");
	if (local && inet_pton(AF_INET, local, &m.imr_interface) != 1)
		return error_ret(e, -EINVAL, "local.host=%s is no address", local);
	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(s->fd, &group->addr.any, group->len) ||
	    setsockopt(s->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)) ||
	    setsockopt(s->fd, IPPROTO_IP, IP_MULTICAST_LOOP, &one, sizeof(one)) ||
	    (local && setsockopt(s->fd, IPPROTO_IP, IP_MULTICAST_IF, &m.imr_interface,
				 sizeof(m.imr_interface))))
		return failed("join", group, e);
	return 0;
}

static int dgram_bind(struct net_socket *s, const struct place *local, const struct place *remote,
		      struct error *e)
{
	int one = 1;

	if (local->type == FD) {
		s->fd = local->fd;
		return 0;
	}
	if (local->type == NONE || remote->type != local->type)
		return error_ret(e, -EINVAL,
				 local->type == NONE ?
					 "dgram requires local= parameter" :
					 "dgram: local and remote are of the same type, and both "
					 "are needed");
	if (local->type == UNIX)
		unlink(local->addr.un.sun_path);
	s->fd = socket(local->addr.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0 ||
	    (local->type == INET &&
	     setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one))) ||
	    bind(s->fd, &local->addr.any, local->len))
		return failed("bind to", local, e);
	if (local->type == UNIX)
		s->unlink = xstrdup(local->addr.un.sun_path);
	return 0;
}

#define DGRAM_KEYS \
	"local.type|local.host|local.port|local.path|local.str|remote.type|remote.host|remote." \
	"port|remote.path"

static int dgram_make(struct netdev *n, struct keyvals *kv, struct error *e)
{
	struct place local = { .fd = -1 }, remote;
	struct net_socket *s;
	int err = place_get(&remote, n, kv, "remote", SOCK_DGRAM, e);

	if (!err && remote.type == FD)
		err = error_ret(e, -EINVAL, "remote.type=fd is not possible: local.type=fd is");
	if (!err && !is_group(&remote))
		err = place_get(&local, n, kv, "local", SOCK_DGRAM, e);
	if (err)
		return err;
	s = net_socket_new(n);
	s->to = remote.addr;
	s->to_len = remote.len;
	err = is_group(&remote) ? join(s, kv, &remote, e) : dgram_bind(s, &local, &remote, e);
	if (!err)
		err = keyvals_all_used(kv, "type|id|" DGRAM_KEYS, e);
	if (err) {
		net_socket_fini(n);
		return err;
	}
	net_socket_watch(s);
	n->ops = &net_socket_ops;
	snprintf(n->info, sizeof(n->info), "%.55s%s%.55s", local.text,
		 *local.text && *remote.text ? " to " : "", remote.text);
	return 0;
}

static const struct netdev_kind dgram_kind = {
	.name = "dgram", .doc = "frames in datagrams", .keys = DGRAM_KEYS, .make = dgram_make
};
NETDEV_KIND(dgram_kind);
