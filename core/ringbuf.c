/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ringbuf.c - a character back end in memory: keeps the last bytes written, for the monitor and for
 * tests. */
#include "core/chardev.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <errno.h>

struct ringbuf {
	struct chardev c;
	u8 *at;
	/* counted from the start; the byte n is at n & (size - 1) */
	u64 size, written, taken;
};

static int ringbuf_put(struct chardev *c, const u8 *buf, int n)
{
	struct ringbuf *r = c->impl;

	for (int i = 0; i < n; i++)
		r->at[r->written++ & (r->size - 1)] = buf[i];
	if (r->written - r->taken > r->size)
		r->taken = r->written - r->size;
	return n;
}

static void ringbuf_fini(struct chardev *c)
{
	struct ringbuf *r = c->impl;

	free(r->at);
	free(r);
}

static const struct chardev_ops ringbuf_ops = { .name = "ringbuf",
						.write = ringbuf_put,
						.fini = ringbuf_fini };

struct chardev *chardev_ringbuf(struct machine *m, const char *id, u64 size, struct error *e)
{
	struct ringbuf *r;

	size = size ? size : 65536;
	if (size & (size - 1)) {
		error_set(e, "a ring buffer of %llu bytes: the size must be a power of two",
			  (unsigned long long)size);
		return NULL;
	}
	r = NEW(struct ringbuf);
	r->size = size;
	r->at = calloc(1, size);
	if (!r->at) {
		error_set(e, "the host has no memory for a ring buffer of %llu bytes",
			  (unsigned long long)size);
		free(r);
		return NULL;
	}
	chardev_init(&r->c, m, &ringbuf_ops, id, r);
	r->c.open = true;
	return &r->c;
}

int ringbuf_read(struct chardev *c, u8 *buf, int n)
{
	struct ringbuf *r = c->impl;
	int i = 0;

	if (c->ops != &ringbuf_ops)
		return -EINVAL;
	for (; i < n && r->taken < r->written; i++)
		buf[i] = r->at[r->taken++ & (r->size - 1)];
	return i;
}

int ringbuf_write(struct chardev *c, const u8 *buf, int n)
{
	int room;

	if (c->ops != &ringbuf_ops)
		return -EINVAL;
	room = MIN(chardev_can_receive(c), n);
	chardev_receive(c, buf, room);
	return MAX(room, 0);
}
