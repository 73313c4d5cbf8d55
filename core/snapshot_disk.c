/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * snapshot_disk.c - disks in snapshots. An image is not part of one: the snapshot has what tells
 * whether it is still as it was, its size and the time of its last change. The temporary layer of
 * snapshot=on lives in the process alone, so its contents are: {offset, length, bytes}..., closed
 * by ~0.
 */
#include "core/blob.h"
#include "core/block.h"
#include "core/machine.h"
#include "core/snapshot_stream.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>
#include <time.h>

enum { STEP = 1 << 20 };

struct block *disk_next(struct machine *m, struct block *b)
{
	do
		b = block_next(m, b);
	while (b && !b->dev);
	return b;
}

struct block *disk_named(struct machine *m, const char *name)
{
	for (struct block *b = disk_next(m, NULL); b; b = disk_next(m, b))
		if (str_eq(block_name(b), name))
			return b;
	return NULL;
}

struct block_node *disk_layer(const struct block *b)
{
	return b->node && b->node->driver->layer_next ? b->node : NULL;
}

/* ---- which image it is */

/* What a drive stands for; all of it is compared. */
struct identity {
	u8 inserted, layer, readonly, dated;
	u64 size;
	s64 changed;
};

static void identify(const struct block *b, struct identity *id)
{
	struct block_node *n = b->node;

	*id = (struct identity){ .inserted = n != NULL };
	if (!n)
		return;
	id->layer = disk_layer(b) != NULL;
	id->readonly = n->readonly;
	id->size = n->size;
	for (; n; n = n->backing ? n->backing : n->file) {
		if (n->driver->changed && !n->driver->changed(n, &id->changed))
			id->dated = 1;
	}
}

void disk_save(struct block *b, struct blob *out)
{
	struct identity id;
	u8 v[20];

	identify(b, &id);
	v[0] = id.inserted;
	v[1] = id.layer;
	v[2] = id.readonly;
	v[3] = id.dated;
	st64le(v + 4, id.size);
	st64le(v + 12, (u64)id.changed);
	snapshot_put(out, "identity", v, sizeof(v));
}

static void time_text(s64 ns, char *buf, size_t n)
{
	time_t t = ns / 1000000000;
	struct tm tm;
	size_t len = strftime(buf, n, "%Y-%m-%d %H:%M:%S", localtime_r(&t, &tm));

	snprintf(buf + len, n - len, ".%09lld", (long long)(ns % 1000000000));
}

/* Under a guest that has parts of it in its memory, a writable image must be as it was; one that is
 * only read may be a copy with a time of its own. */
static int check_time(struct block *b, const struct identity *was, const struct identity *is,
		      struct error *e)
{
	char then[40], now[40];

	if (!was->dated || !is->dated || was->changed == is->changed)
		return 0;
	time_text(was->changed, then, sizeof(then));
	time_text(is->changed, now, sizeof(now));
	if (is->readonly || is->layer) {
		warn("the image '%s' of drive '%s' was changed at %s when the snapshot was made, "
		     "and now at %s: when its contents are others the guest will find its files "
		     "damaged",
		     block_filename(b->node), block_name(b), then, now);
		return 0;
	}
	return error_ret(e, -ESTALE,
			 "the image '%s' of drive '%s' was written to since the snapshot was made "
			 "(changed at %s, then at %s): the guest would damage it; a copy with the "
			 "same contents passes with its old time (cp -p)",
			 block_filename(b->node), block_name(b), then, now);
}

int disk_check(struct block *b, struct blob *in, struct error *e)
{
	struct identity was = { 0 }, is;
	u8 v[20];

	if (snapshot_get(in, "identity", v, sizeof(v)))
		return error_ret(e, -EINVAL, "the snapshot's disk '%s' is damaged", block_name(b));
	was = (struct identity){ v[0], v[1], v[2], v[3], ld64le(v + 4), (s64)ld64le(v + 12) };
	identify(b, &is);
	if (was.inserted != is.inserted)
		return error_ret(e, -EINVAL, "drive '%s' has %s medium, and had %s in the snapshot",
				 block_name(b), is.inserted ? "a" : "no",
				 was.inserted ? "one" : "none");
	if (was.layer != is.layer || was.readonly != is.readonly)
		return error_ret(e, -EINVAL,
				 "drive '%s' is %s, and was %s in the snapshot: start it with the "
				 "same "
				 "options",
				 block_name(b),
				 is.layer    ? "snapshot=on" :
				 is.readonly ? "read-only" :
					       "writable",
				 was.layer    ? "snapshot=on" :
				 was.readonly ? "read-only" :
						"writable");
	if (was.size != is.size)
		return error_ret(e, -EINVAL,
				 "drive '%s' has %llu bytes, and had %llu in the snapshot: it is "
				 "another "
				 "image",
				 block_name(b), (unsigned long long)is.size,
				 (unsigned long long)was.size);
	return check_time(b, &was, &is, e);
}

/* ---- layers */

u64 layer_bytes(struct block_node *n)
{
	u64 sum = 0, at = 0, len;

	while ((len = n->driver->layer_next(n, &at, ~0ull))) {
		sum += len;
		at += len;
	}
	return sum;
}

int layer_put(struct stream *s, const char *disk, struct block_node *n)
{
	AUTO_FREE char *name = xasprintf("layer %s", disk);
	AUTO_FREE u8 *buf = xalloc(STEP);
	int err = stream_head(s, name, n->size);
	u64 at = 0, len;
	u8 head[16];

	while (!err && (len = n->driver->layer_next(n, &at, STEP))) {
		st64le(head, at);
		st64le(head + 8, len);
		err = n->driver->layer_read(n, at, buf, len);
		if (err)
			return error_ret(s->e, err, "cannot read the temporary layer of '%s': %s",
					 disk, strerror(-err));
		err = stream_put(s, head, sizeof(head));
		if (!err)
			err = stream_put(s, buf, len);
		at += len;
		if (s->progress)
			__atomic_fetch_add(&s->progress->done, len, __ATOMIC_RELAXED);
	}
	st64le(head, ~0ull);
	return err ? err : stream_put(s, head, 8);
}

int layer_get(struct stream *s, struct machine *m, const char *disk, u64 size)
{
	struct block *b = disk_named(m, disk);
	struct block_node *n = b ? disk_layer(b) : NULL;
	AUTO_FREE u8 *buf = xalloc(STEP);
	u8 v[8];
	int err;

	if (!n || n->size != size)
		return error_ret(s->e, -EINVAL,
				 "the snapshot has a temporary layer of '%s', which "
				 "this machine has not: start it with the same options",
				 disk);
	n->driver->layer_clear(n);
	for (;;) {
		u64 at, len;

		err = stream_get(s, v, 8);
		if (err)
			return err;
		at = ld64le(v);
		if (at == ~0ull)
			return 0;
		err = stream_get(s, v, 8);
		if (err)
			return err;
		len = ld64le(v);
		if (!len || len > STEP || (at | len) % 512 ||
		    !range_fits(at, len, ALIGN_UP(size, (u64)512)))
			return error_ret(s->e, -EINVAL, "the snapshot's layer of '%s' is damaged",
					 disk);
		err = stream_get(s, buf, len);
		if (!err)
			err = n->driver->layer_write(n, at, buf, len);
		if (err)
			return error_is_set(s->e) ?
				       err :
				       error_ret(s->e, err,
						 "cannot write the temporary layer of '%s': %s",
						 disk, strerror(-err));
	}
}
