/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot_stream.c - writing and reading a snapshot's bytes in a way that can be called off, and
 * RAM. */
#include "core/snapshot_stream.h"
#include "core/private.h"
#include "core/space.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, PATIENCE_MS = 50 };

void stream_init(struct stream *s, int fd, struct snapshot_progress *p, struct error *e)
{
	struct stat st;

	s->fd = fd;
	s->e = e;
	s->progress = p;
	s->n = s->pos = 0;
	s->socket = s->fifo = false;
	if (fstat(fd, &st))
		return;
	s->socket = S_ISSOCK(st.st_mode);
	s->fifo = S_ISFIFO(st.st_mode);
}

/* Until the descriptor is ready, or nobody wants it any more. */
static int await(struct stream *s, short events)
{
	struct pollfd p = { s->fd, events, 0 };

	while (s->socket || s->fifo) {
		int n;

		if (s->progress && __atomic_load_n(&s->progress->cancel, __ATOMIC_RELAXED))
			return error_ret(s->e, -ECANCELED, "it was called off");
		n = poll(&p, 1, PATIENCE_MS);
		if (n > 0 || (n < 0 && errno != EINTR))
			break;
	}
	if (s->progress && __atomic_load_n(&s->progress->cancel, __ATOMIC_RELAXED))
		return error_ret(s->e, -ECANCELED, "it was called off");
	return 0;
}

/* The description may be shared, so its mode stays: what is written is what surely fits. */
static ssize_t write_some(const struct stream *s, const u8 *p, size_t n)
{
	if (s->socket)
		return send(s->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return write(s->fd, p, s->fifo ? MIN(n, (size_t)PIPE_BUF) : n);
}

int stream_flush(struct stream *s)
{
	for (size_t done = 0; done < s->n;) {
		int err = await(s, POLLOUT);
		ssize_t w;

		if (err)
			return err;
		w = write_some(s, s->buf + done, s->n - done);
		if (w < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (w <= 0)
			return error_ret(s->e, w ? -errno : -EIO, "cannot write the snapshot: %s",
					 strerror(w ? errno : EIO));
		done += (size_t)w;
		if (s->progress)
			__atomic_fetch_add(&s->progress->moved, (u64)w, __ATOMIC_RELAXED);
	}
	s->n = 0;
	return 0;
}

int stream_put(struct stream *s, const void *p, size_t n)
{
	const u8 *at = p;

	while (n) {
		size_t part = MIN(n, sizeof(s->buf) - s->n);

		memcpy(s->buf + s->n, at, part);
		s->n += part;
		at += part;
		n -= part;
		if (s->n == sizeof(s->buf)) {
			int r = stream_flush(s);

			if (r)
				return r;
		}
	}
	return 0;
}

static int refill(struct stream *s)
{
	int err = await(s, POLLIN);
	ssize_t r;

	if (err)
		return err;
	r = read(s->fd, s->buf, sizeof(s->buf));
	if (r < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (r < 0)
		return error_ret(s->e, -errno, "cannot read the snapshot: %s", strerror(errno));
	if (!r)
		return error_ret(s->e, -EINVAL, "the snapshot ends too soon: it is not complete");
	s->n = (size_t)r;
	s->pos = 0;
	if (s->progress)
		__atomic_fetch_add(&s->progress->moved, (u64)r, __ATOMIC_RELAXED);
	return 0;
}

int stream_get(struct stream *s, void *p, size_t n)
{
	u8 *at = p;

	while (n) {
		size_t part = MIN(n, s->n - s->pos);
		int err = part ? 0 : refill(s);

		if (err)
			return err;
		memcpy(at, s->buf + s->pos, part);
		s->pos += part;
		at += part;
		n -= part;
	}
	return 0;
}

int stream_head(struct stream *s, const char *name, u64 n)
{
	u8 head[10];
	int r;

	st16le(head, (u16)strlen(name));
	st64le(head + 2, n);
	r = stream_put(s, head, sizeof(head));
	return r ? r : stream_put(s, name, strlen(name));
}

/* --- RAM: {page number, bytes} of each page that is not zero, closed by ~0 */

/* Every piece of memory below a region once, those that only aliases show included. */
static void each_ram(struct region *r, struct region *found[MAX_RAMS], unsigned *n)
{
	struct region *child;

	while (r->kind == REGION_ALIAS)
		r = r->alias;
	list_for_each (child, &r->children, link)
		each_ram(child, found, n);
	if (r->kind == REGION_CONTAINER || !r->ram || r->unsaved)
		return;
	for (unsigned i = 0; i < *n; i++)
		if (found[i] == r)
			return;
	if (*n < MAX_RAMS)
		found[(*n)++] = r;
}

static bool zero(const u8 *p) { return !p[0] && !memcmp(p, p + 1, PAGE - 1); }

unsigned ram_find(struct machine *m, struct region *found[MAX_RAMS])
{
	unsigned n = 0;

	each_ram(&m->memory_root, found, &n);
	return n;
}

int ram_put(struct stream *s, const struct region *r)
{
	AUTO_FREE char *name = xasprintf("ram %s", r->name);
	const struct ram *ram = r->ram;
	u8 at[8];
	int err = stream_head(s, name, ram->size);

	for (u64 off = 0; !err && off < ram->size; off += PAGE) {
		if (s->progress)
			__atomic_fetch_add(&s->progress->done, PAGE, __ATOMIC_RELAXED);
		if (zero(ram->host + off))
			continue;
		if (s->progress)
			__atomic_fetch_add(&s->progress->pages, 1, __ATOMIC_RELAXED);
		st64le(at, off / PAGE);
		err = stream_put(s, at, sizeof(at));
		if (!err)
			err = stream_put(s, ram->host + off, PAGE);
	}
	st64le(at, ~0ull);
	return err ? err : stream_put(s, at, sizeof(at));
}

int ram_get(struct stream *s, struct machine *m, const char *name, u64 size)
{
	struct region *found[MAX_RAMS];
	unsigned n = ram_find(m, found);
	struct ram *ram = NULL;
	u64 next = 0;

	for (unsigned i = 0; i < n && !ram; i++)
		if (str_eq(found[i]->name, name))
			ram = found[i]->ram;
	if (!ram || ram->size != size)
		return error_ret(s->e, -EINVAL,
				 "the snapshot has %llu bytes of memory '%s', this machine %llu: "
				 "start it with the same options",
				 (unsigned long long)size, name,
				 (unsigned long long)(ram ? ram->size : 0));
	for (;;) {
		u8 b[8];
		u64 page;
		int err = stream_get(s, b, sizeof(b));

		if (err)
			return err;
		page = ld64le(b);
		if (page != ~0ull && (page < next || page >= size / PAGE))
			return error_ret(s->e, -EINVAL, "the snapshot's memory '%s' is damaged",
					 name);
		for (; next < size / PAGE && next < page; next++)
			if (!zero(ram->host + next * PAGE))
				memset(ram->host + next * PAGE, 0, PAGE);
		if (page == ~0ull)
			return 0;
		err = stream_get(s, ram->host + page * PAGE, PAGE);
		if (err)
			return err;
		next = page + 1;
	}
}
