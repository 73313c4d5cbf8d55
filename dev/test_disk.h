/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_disk.h - for tests of disk models: a drive in memory that can be told to fail or to wait. */
#pragma once
#include "core/block.h"
#include "core/machine.h"
#include "lib/alloc.h"

struct test_disk {
	struct block *drive;
	u8 *data;
	u64 size;
	int fail;  /* -errno for what comes next, or 0 */
	bool wait; /* requests are kept until test_disk_go */
	unsigned ops[BLOCK_ZEROES + 1], fua;
	struct block_req *kept[4096];
	unsigned nkept;
};

static inline void test_disk_run(struct test_disk *d, struct block_req *r)
{
	u64 at = r->at;

	d->ops[r->op]++;
	d->fua += r->flags & BLOCK_FUA ? 1 : 0;
	for (u32 i = 0; !d->fail && i < r->nvec; i++) {
		if (r->op == BLOCK_READ)
			memcpy(r->vec[i].iov_base, d->data + at, r->vec[i].iov_len);
		else if (r->op == BLOCK_WRITE)
			memcpy(d->data + at, r->vec[i].iov_base, r->vec[i].iov_len);
		at += r->vec[i].iov_len;
	}
	if (!d->fail && (r->op == BLOCK_ZEROES || r->op == BLOCK_DISCARD))
		memset(d->data + r->at, 0, r->bytes);
	block_done(r, d->fail);
}

static inline void test_disk_submit(struct block_node *n, struct block_req *r)
{
	struct test_disk *d = n->impl;

	if (d->wait && d->nkept < ARRAY_SIZE(d->kept))
		d->kept[d->nkept++] = r;
	else
		test_disk_run(d, r);
}

static inline void test_disk_go(struct block_node *n)
{
	struct test_disk *d = n->impl;
	unsigned k = d->nkept;

	d->nkept = 0;
	for (unsigned i = 0; i < k; i++)
		test_disk_run(d, d->kept[i]);
}

static inline void test_disk_close(struct block_node *n)
{
	struct test_disk *d = n->impl;

	free(d->data);
	free(d);
}

static const struct block_driver test_disk_driver = { .name = "memory",
						      .submit = test_disk_submit,
						      .drain = test_disk_go,
						      .close = test_disk_close };

/* A drive of that name, every sector filled with its number. It goes with the machine. */
static inline struct test_disk *test_disk_new(struct machine *m, const char *id, u64 size)
{
	struct block_node *n = block_node_new(m, &test_disk_driver, NULL);
	struct test_disk *d = NEW(struct test_disk);

	d->data = xalloc(size);
	d->size = size;
	for (u64 i = 0; i < size; i += 4)
		st32le(d->data + i, i / 512);
	n->impl = d;
	n->size = size;
	n->can_discard = true;
	d->drive = block_new(m, id, n);
	return d;
}
