/* SPDX-License-Identifier: GPL-2.0-or-later */
/* address.c - socket addresses from options and back to text (unix(7), ip(7), getaddrinfo(3));
 * listening and connecting. */
#include "host/socket.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>

static int unix_address(struct address *a, struct keyvals *kv, const char *path, struct error *e)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t n = strlen(path);
	bool abstract = false;
	int err = keyvals_bool(kv, "abstract", &abstract, e);

	if (err)
		return err;
	if (!n || n + 1 > sizeof(un.sun_path))
		return error_ret(e, -EINVAL, "socket path '%s' is %s: up to %zu bytes fit", path,
				 n ? "too long" : "empty", sizeof(un.sun_path) - 1);
	memcpy(un.sun_path + abstract, path, n);
	memcpy(&a->sa, &un, sizeof(un));
	a->len = offsetof(struct sockaddr_un, sun_path) + n + 1;
	snprintf(a->text, sizeof(a->text), "unix:%s", path);
	return 0;
}

static int family_of(struct keyvals *kv, int *family, struct error *e)
{
	bool v4 = true, v6 = true;
	int err = keyvals_bool(kv, "ipv4", &v4, e);

	if (!err)
		err = keyvals_bool(kv, "ipv6", &v6, e);
	if (!err && !v4 && !v6)
		err = error_ret(e, -EINVAL, "with ipv4=off and ipv6=off there is no address");
	/* A family that is asked for excludes the other, unless that one is asked for too. */
	if (!err && keyvals_get(kv, "ipv4") && v4 && !keyvals_get(kv, "ipv6"))
		v6 = false;
	if (!err && keyvals_get(kv, "ipv6") && v6 && !keyvals_get(kv, "ipv4"))
		v4 = false;
	*family = v4 && v6 ? AF_UNSPEC : v4 ? AF_INET : AF_INET6;
	return err;
}

int address_parse(struct address *a, struct keyvals *kv, const char *host_key, const char *port_key,
		  int type, bool passive, struct error *e)
{
	const char *path = type == SOCK_STREAM ? keyvals_get(kv, "path") : NULL;
	const char *host = keyvals_get(kv, host_key), *port = keyvals_get(kv, port_key);
	struct addrinfo hints = { .ai_socktype = type, .ai_flags = passive ? AI_PASSIVE : 0 },
			*found;
	u64 number;
	int err;

	if (path)
		return unix_address(a, kv, path, e);
	if (!port || !*port)
		return error_ret(e, -EINVAL, "%s=... is missing",
				 type == SOCK_STREAM ? "path=... or port" : port_key);
	if (!str_to_u64(port, 10, &number) && number > 65535)
		return error_ret(e, -ERANGE, "port %s is above 65535", port);
	err = family_of(kv, &hints.ai_family, e);
	if (err)
		return err;
	if (host && !*host)
		host = NULL;
	if (!host && !passive)
		host = "localhost";
	err = getaddrinfo(host, port, &hints, &found);
	if (err)
		return error_ret(e, -EADDRNOTAVAIL, "address '%s:%s': %s", host ? host : "", port,
				 gai_strerror(err));
	memcpy(&a->sa, found->ai_addr, found->ai_addrlen);
	a->len = found->ai_addrlen;
	freeaddrinfo(found);
	snprintf(a->text, sizeof(a->text), "%s:%s:%s", type == SOCK_STREAM ? "tcp" : "udp",
		 host ? host : "", port);
	return 0;
}

void address_of(struct address *a, int fd)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];

	a->len = sizeof(a->sa);
	if (getsockname(fd, (struct sockaddr *)&a->sa, &a->len) < 0 || a->sa.ss_family == AF_UNIX)
		return;
	if (getnameinfo((struct sockaddr *)&a->sa, a->len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		snprintf(a->text, sizeof(a->text),
			 a->sa.ss_family == AF_INET6 ? "tcp:[%.250s]:%.30s" : "tcp:%.250s:%.30s",
			 host, port);
}

/* A socket file that nobody listens at any more may be replaced. */
static void remove_stale(const struct address *a)
{
	const struct sockaddr_un *un = (const void *)&a->sa;
	int fd;

	if (a->sa.ss_family != AF_UNIX || !un->sun_path[0])
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)un, a->len) < 0 && errno == ECONNREFUSED)
		unlink(un->sun_path);
	close(fd);
}

int socket_listen(const struct address *a, struct error *e)
{
	int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1,
	    err;

	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		remove_stale(a);
		if (bind(fd, (const struct sockaddr *)&a->sa, a->len) == 0 && listen(fd, 1) == 0)
			return fd;
	}
	err = errno;
	if (fd >= 0)
		close(fd);
	return error_ret(e, -err, "could not listen at %s: %s", a->text, strerror(err));
}

int socket_connect(const struct address *a, bool *pending, struct error *e)
{
	int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;

	*pending = false;
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&a->sa, a->len) == 0)
		return fd;
	if (fd >= 0 && errno == EINPROGRESS) {
		*pending = true;
		return fd;
	}
	err = errno;
	if (fd >= 0)
		close(fd);
	return error_ret(e, -err, "could not connect to %s: %s", a->text, strerror(err));
}
