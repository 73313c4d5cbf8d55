/* SPDX-License-Identifier: GPL-2.0-or-later */
/* raw.c - the format that is none: a disk's bytes as they are, or a part of a file. An image whose
 * format was guessed must not turn into another format's by what a guest writes into its first
 * sector. */
#include "block/probe.h"
#include "core/block.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <errno.h>

struct raw {
	u64 offset;
	bool guessed;
};
/* A request of the child that stands for one of ours. */
struct moved {
	struct block_req r;
	struct block_req *of;
};

static int raw_open(struct block_node *n, struct keyvals *kv, struct error *e)
{
	struct raw *d = NEW(struct raw);
	struct block_node *f = n->file;
	u64 size = 0;
	int err = keyvals_size(kv, "offset", 1, &d->offset, e);

	if (!err)
		err = keyvals_size(kv, "size", 1, &size, e);
	if (!err)
		err = keyvals_bool(kv, "guessed", &d->guessed, e);
	if (!err && !range_fits(d->offset, size, f->size))
		err = error_ret(e, -EINVAL,
				"offset %llu and size %llu do not lie in an image of %llu bytes",
				(unsigned long long)d->offset, (unsigned long long)size,
				(unsigned long long)f->size);
	if (err) {
		free(d);
		return err;
	}
	n->impl = d;
	n->size = keyvals_get(kv, "size") ? size : f->size - d->offset;
	n->align = f->align;
	n->mem_align = f->mem_align;
	n->optimal = f->optimal;
	n->can_discard = f->discard && f->can_discard;
	return 0;
}

static void raw_close(struct block_node *n) { free(n->impl); }

static void moved_done(struct block_req *r, int err)
{
	struct moved *m = container_of(r, struct moved, r);
	struct block_req *of = m->of;

	free(m);
	block_done(of, err);
}

static bool forges(const struct block_req *r)
{
	u8 head[PROBE_BYTES] = { 0 };
	size_t n = 0;

	if (r->op != BLOCK_WRITE || r->at)
		return false;
	for (u32 i = 0; i < r->nvec && n < sizeof(head); i++) {
		size_t part = MIN(r->vec[i].iov_len, sizeof(head) - n);

		memcpy(head + n, r->vec[i].iov_base, part);
		n += part;
	}
	return probe_format(head, n) != NULL;
}

static void raw_submit(struct block_node *n, struct block_req *r)
{
	struct raw *d = n->impl;
	struct moved *m;

	if (d->guessed && forges(r)) {
		block_done(r, -EPERM);
		return;
	}
	if (!d->offset) {
		block_node_submit(n->file, r);
		return;
	}
	m = NEW(struct moved);
	m->of = r;
	m->r = (struct block_req){ .op = r->op,
				   .flags = r->flags,
				   .vec = r->vec,
				   .nvec = r->nvec,
				   .at = r->at + d->offset,
				   .bytes = r->bytes,
				   .done = moved_done };
	block_node_submit(n->file, &m->r);
}

static int raw_truncate(struct block_node *n, u64 size, struct error *e)
{
	struct raw *d = n->impl;
	int err;

	if (d->offset || n->size != n->file->size)
		return error_ret(e, -ENOTSUP, "a part of an image cannot change its size");
	if (!n->file->driver->truncate)
		return error_ret(e, -ENOTSUP, "block driver '%s' cannot change its size",
				 n->file->driver->name);
	err = n->file->driver->truncate(n->file, size, e);
	if (!err)
		n->size = n->file->size;
	return err;
}

BLOCK_DRIVER(raw, .name = "raw", .doc = "a disk's bytes as they are", .keys = "offset|size|guessed",
	     .open = raw_open, .close = raw_close, .submit = raw_submit, .truncate = raw_truncate);
