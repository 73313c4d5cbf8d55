/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vsock_unix.c - the host's side of socket devices as Unix sockets; see quern/vsock.h. */
#include <quern/vsock.h>
#include "core/device.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct vsock_host {
	void *dev;
	struct machine *m;
	const struct vsock_user *use;
	char *path;
	int fd;
	struct list streams;
};
struct vsock_stream {
	struct vsock_host *h;
	struct list link;
	int fd;
	short events;
	char line[32]; /* of the request, until it is whole */
	unsigned have;
	bool asking;
};

static void io(void *arg, short revents);

static void watch(struct vsock_stream *s, short events)
{
	if (s->events == events)
		return;
	s->events = events;
	machine_poll_fd(s->h->m, s->fd, events, io, s);
}

static struct vsock_stream *stream_new(struct vsock_host *h, int fd)
{
	struct vsock_stream *s = NEW(struct vsock_stream);

	s->h = h;
	s->fd = fd;
	list_add_tail(&h->streams, &s->link);
	return s;
}

void vsock_close(struct vsock_stream *s)
{
	if (!s)
		return;
	watch(s, 0);
	close(s->fd);
	list_del(&s->link);
	free(s);
}

/* "CONNECT 1024\n", read byte by byte: what follows is the guest's. */
static void read_request(struct vsock_stream *s)
{
	const char *port;
	u32 n;

	while (s->have < sizeof(s->line) - 1) {
		ssize_t got = read(s->fd, &s->line[s->have], 1);

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0)
			break;
		if (s->line[s->have++] != '\n')
			continue;
		s->line[s->have - 1] = 0;
		if (!str_prefix(s->line, "CONNECT ", &port) || str_to_u32(port, 10, &n))
			break;
		s->asking = false;
		watch(s, 0);
		s->h->use->request(s->h->dev, s, n);
		return;
	}
	vsock_close(s);
}

static void io(void *arg, short revents)
{
	struct vsock_stream *s = arg;

	if (s->asking) {
		read_request(s);
		return;
	}
	watch(s, 0);
	s->h->use->ready(s->h->dev, s);
}

static void incoming(void *arg, short revents)
{
	struct vsock_host *h = arg;
	int fd = accept4(h->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct vsock_stream *s;

	if (fd < 0)
		return;
	s = stream_new(h, fd);
	s->asking = true;
	watch(s, POLLIN);
}

static int address(const char *path, struct sockaddr_un *a)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(a->sun_path))
		return -ENAMETOOLONG;
	memcpy(a->sun_path, path, strlen(path));
	return 0;
}

struct vsock_host *vsock_listen(void *dev, const char *path, const struct vsock_user *u,
				struct error *e)
{
	struct vsock_host *h;
	struct sockaddr_un a;
	int fd = -1;

	/* a socket that an earlier run left */
	if (!address(path, &a)) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) &&
		    errno == ECONNREFUSED)
			unlink(path);
	} else {
		errno = ENAMETOOLONG;
	}
	if (fd >= 0) {
		close(fd);
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	}
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 16)) {
		error_set(e, "could not listen at '%s': %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	h = NEW(struct vsock_host);
	h->dev = dev;
	h->m = ((struct device *)dev)->core->machine;
	h->use = u;
	h->path = xstrdup(path);
	h->fd = fd;
	list_init(&h->streams);
	machine_poll_fd(h->m, fd, POLLIN, incoming, h);
	return h;
}

void vsock_unlisten(struct vsock_host *h)
{
	if (!h)
		return;
	while (!list_empty(&h->streams))
		vsock_close(list_entry(h->streams.next, struct vsock_stream, link));
	machine_poll_fd(h->m, h->fd, 0, NULL, NULL);
	close(h->fd);
	unlink(h->path);
	free(h->path);
	free(h);
}

struct vsock_stream *vsock_connect(struct vsock_host *h, u32 port)
{
	AUTO_FREE char *path = h ? xasprintf("%s_%u", h->path, port) : NULL;
	struct sockaddr_un a;
	int fd;

	if (!h || address(path, &a))
		return NULL;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return NULL;
	if (connect(fd, (struct sockaddr *)&a, sizeof(a))) {
		close(fd);
		return NULL;
	}
	return stream_new(h, fd);
}

void vsock_accept(struct vsock_stream *s, u32 port)
{
	char line[32];
	int n = snprintf(line, sizeof(line), "OK %u\n", port);

	/* an empty socket takes a line; if its reader is gone, the next read tells */
	if (send(s->fd, line, n, MSG_NOSIGNAL) != n)
		shutdown(s->fd, SHUT_RDWR);
}

static s64 result(struct vsock_stream *s, ssize_t n, short events)
{
	if (n >= 0)
		return n;
	if (errno != EAGAIN && errno != EINTR)
		return -EPIPE;
	watch(s, s->events | events);
	return -EAGAIN;
}

s64 vsock_read(struct vsock_stream *s, const struct iovec *vec, unsigned nvec)
{
	return result(s, readv(s->fd, vec, nvec), POLLIN);
}

s64 vsock_write(struct vsock_stream *s, const struct iovec *vec, unsigned nvec)
{
	struct msghdr m = { .msg_iov = (struct iovec *)vec, .msg_iovlen = nvec };

	return result(s, sendmsg(s->fd, &m, MSG_NOSIGNAL), POLLOUT);
}

void vsock_end(struct vsock_stream *s) { shutdown(s->fd, SHUT_WR); }
