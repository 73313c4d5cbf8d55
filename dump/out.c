/* SPDX-License-Identifier: GPL-2.0-or-later */
/* out.c - the dump's file. The flattened form of makedumpfile(8) -F: a head of 4 KiB, then records
 * of big-endian offset, size and data, and a record of -1, -1 at the end. */
#include "private.h"
#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { FLAT_HEAD = 4096 };

static int failed(struct error *e)
{
	int err = errno;

	return error_ret(e, -err, "could not write the dump: %s", strerror(err));
}

/* at < 0: behind what was written last */
static int put(int fd, const void *buf, size_t n, s64 at, struct error *e)
{
	const u8 *p = buf;

	while (n) {
		ssize_t done = at < 0 ? write(fd, p, n) : pwrite(fd, p, n, at);

		if (done < 0 && errno == EAGAIN) {
			struct pollfd wait = { .fd = fd, .events = POLLOUT };

			if (poll(&wait, 1, -1) < 0 && errno != EINTR)
				return failed(e);
			continue;
		}
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return failed(e);
		p += done;
		n -= done;
		at += at < 0 ? 0 : done;
	}
	return 0;
}

int out_begin(struct out *o, struct error *e)
{
	u8 head[FLAT_HEAD] = "makedumpfile";

	if (o->kind == OUT_FILE && lseek(o->fd, 0, SEEK_CUR) < 0)
		return error_ret(e, -ESPIPE,
				 "the raw formats need a file, not a pipe or a socket; the format "
				 "without 'raw' takes both");
	if (o->kind != OUT_FLAT)
		return 0;
	st64be(head + 16, 1); /* type */
	st64be(head + 24, 1); /* version */
	return put(o->fd, head, sizeof(head), -1, e);
}

int out_write(struct out *o, u64 at, const void *buf, size_t n, struct error *e)
{
	u8 record[16];
	int err;

	if (!n)
		return 0;
	if (o->kind == OUT_FILE)
		return put(o->fd, buf, n, at, e);
	if (o->kind == OUT_STREAM) {
		if (at != o->at)
			return error_ret(e, -ESPIPE, "the dump is not written in order");
		o->at += n;
		return put(o->fd, buf, n, -1, e);
	}
	st64be(record, at);
	st64be(record + 8, n);
	err = put(o->fd, record, sizeof(record), -1, e);
	return err ? err : put(o->fd, buf, n, -1, e);
}

int out_end(struct out *o, struct error *e)
{
	u8 record[16];

	memset(record, 0xff, sizeof(record));
	return o->kind == OUT_FLAT ? put(o->fd, record, sizeof(record), -1, e) : 0;
}
