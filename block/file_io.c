/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file_io.c - requests on host files: steps when the kernel takes less than all, copies for what
 * O_DIRECT does not take as it is, holes and zeroes by fallocate(2). */
#include "block/file.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/uio.h>

enum { STEP_VECS = 1024, ZERO_STEP = 1 << 20 };
#define STEP_BYTES ((u64)1 << 30)
enum phase {
	PHASE_PLAIN,
	PHASE_COPY,	 /* whole blocks, through a copy */
	PHASE_FILL,	 /* a write of parts of blocks: these are read, */
	PHASE_STORE,	 /* and written again */
	PHASE_ZERO_WRITE /* no fallocate for it: zeroes are written */
};

static void step(struct file_req *q);

static struct file_req *req_get(struct block_node *n, struct block_req *r)
{
	struct file *f = n->impl;
	struct file_req *q = f->free;

	if (q)
		f->free = q->next;
	else
		q = xalloc(sizeof(*q));
	memset(q, 0, sizeof(*q));
	q->node = n;
	q->r = r;
	q->start = r->at;
	q->end = r->at + r->bytes;
	q->io.fd = f->fd;
	return q;
}

/* ---- writes of parts of blocks are alone in these */

static bool overlaps(const struct file_req *a, const struct file_req *b)
{
	return a->start < b->end && b->start < a->end;
}

static bool must_wait(const struct file *f, const struct file_req *q, const struct file_req *stop)
{
	for (const struct file_req *w = f->writes; w; w = w->next) {
		if ((w->exclusive || q->exclusive) && overlaps(w, q))
			return true;
	}
	for (const struct file_req *w = f->waiting; w && w != stop; w = w->next) {
		if (overlaps(w, q))
			return true;
	}
	return false;
}

static void begin_write(struct file *f, struct file_req *q)
{
	q->next = f->writes;
	f->writes = q;
	step(q);
}

static void end_write(struct file *f, struct file_req *q)
{
	struct file_req **at = &f->writes;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
}

static void wake_waiting(struct file *f)
{
	struct file_req **at = &f->waiting;

	while (*at) {
		struct file_req *q = *at;

		if (must_wait(f, q, q)) {
			at = &q->next;
			continue;
		}
		*at = q->next;
		if (f->waiting_end == &q->next)
			f->waiting_end = at;
		begin_write(f, q);
		at = &f->waiting; /* it may have changed */
	}
}

static bool tracked(const struct file_req *q)
{
	return q->node->cache.direct && (q->r->op == BLOCK_WRITE || q->r->op == BLOCK_ZEROES);
}

static void finish(struct file_req *q, int err)
{
	struct file *f = q->node->impl;
	struct block_req *r = q->r;
	bool was_tracked = tracked(q);

	if (was_tracked)
		end_write(f, q);
	free(q->vec);
	free(q->copy);
	q->next = f->free;
	f->free = q;
	if (was_tracked && f->waiting)
		wake_waiting(f);
	block_done(r, err);
}

/* ---- reads and writes */

static bool aligned(const struct block_node *n, const struct block_req *r)
{
	if (n->align <= 1)
		return true;
	if ((r->at | r->bytes) & (n->align - 1))
		return false;
	for (u32 i = 0; i < r->nvec; i++) {
		if (((uintptr_t)r->vec[i].iov_base & (n->mem_align - 1)) ||
		    (r->vec[i].iov_len & (n->align - 1)))
			return false;
	}
	return true;
}

static void copy_vec(const struct block_req *r, u8 *buf, bool to_vec)
{
	for (u32 i = 0; i < r->nvec; i++) {
		if (to_vec)
			memcpy(r->vec[i].iov_base, buf, r->vec[i].iov_len);
		else
			memcpy(buf, r->vec[i].iov_base, r->vec[i].iov_len);
		buf += r->vec[i].iov_len;
	}
}

/* The pieces from byte `from` on that one call takes. */
static void slice(struct file_req *q, const struct iovec *vec, u32 nvec, u64 from)
{
	u64 left = STEP_BYTES;
	u32 i = 0, n = 0;

	if (!from && nvec <= STEP_VECS && q->end - q->start <= STEP_BYTES) {
		q->io.vec = vec;
		q->io.nvec = nvec;
		return;
	}
	if (!q->vec)
		q->vec = xcalloc(STEP_VECS, sizeof(*q->vec));
	for (; i < nvec && from >= vec[i].iov_len; i++)
		from -= vec[i].iov_len;
	for (; i < nvec && n < STEP_VECS && left; i++, n++) {
		u64 len = MIN((u64)vec[i].iov_len - from, left);

		q->vec[n] = (struct iovec){ (u8 *)vec[i].iov_base + from, len };
		left -= len;
		from = 0;
	}
	q->io.vec = q->vec;
	q->io.nvec = n;
}

static void zero_rest(struct file_req *q)
{
	struct block_req *r = q->r;
	u64 skip = q->done;

	if (q->copy) {
		memset(q->copy + q->done, 0, q->end - q->start - q->done);
		return;
	}
	for (u32 i = 0; i < r->nvec; i++) {
		u64 len = r->vec[i].iov_len;

		if (skip < len)
			memset((u8 *)r->vec[i].iov_base + skip, 0, len - skip);
		skip -= MIN(skip, len);
	}
}

static void rw_complete(struct file_req *q)
{
	struct block_req *r = q->r;

	if (q->phase == PHASE_COPY && r->op == BLOCK_READ) {
		copy_vec(r, q->copy + (r->at - q->start), true);
	} else if (q->phase == PHASE_FILL) {
		copy_vec(r, q->copy + (r->at - q->start), false);
		q->phase = PHASE_STORE;
		q->done = 0;
		step(q);
		return;
	}
	finish(q, 0);
}

static void rw_done(struct io *io, s64 res)
{
	struct file_req *q = container_of(io, struct file_req, io);

	if (res == -EINTR || res == -EAGAIN) {
		q->io.flags &= ~RWF_NOWAIT;
		step(q);
		return;
	}
	if (res < 0) {
		finish(q, res);
		return;
	}
	q->done += res;
	if (!res && io->op == IO_READ) {
		zero_rest(q);
		q->done = q->end - q->start;
	} else if (!res) {
		finish(q, -ENOSPC);
		return;
	}
	/* with O_DIRECT, behind the end of a file nothing can be asked for */
	if (io->op == IO_READ && q->done < q->end - q->start && q->node->align > 1 &&
	    (q->done & (q->node->align - 1))) {
		zero_rest(q);
		q->done = q->end - q->start;
	}
	if (q->done < q->end - q->start)
		step(q);
	else
		rw_complete(q);
}

static void rw_step(struct file_req *q)
{
	struct file *f = q->node->impl;
	struct block_req *r = q->r;
	bool write = r->op != BLOCK_READ && q->phase != PHASE_FILL;
	struct iovec whole = { q->copy, q->end - q->start };

	if (q->copy) {
		if (!q->vec)
			q->vec = xcalloc(STEP_VECS, sizeof(*q->vec));
		q->vec[0] = (struct iovec){ (u8 *)whole.iov_base + q->done,
					    MIN(whole.iov_len - q->done, STEP_BYTES) };
		q->io.vec = q->vec;
		q->io.nvec = 1;
	} else {
		slice(q, r->vec, r->nvec, q->done);
	}
	q->io.op = write ? IO_WRITE : IO_READ;
	q->io.flags = write && (r->flags & BLOCK_FUA) && !q->node->cache.no_flush ? RWF_DSYNC : 0;
	q->io.at = q->start + q->done;
	q->io.bytes = q->end - q->start - q->done;
	q->io.done = rw_done;
	f->io->submit(f->io, &q->io);
}

/* ---- flush, discard, zeroes */

static void flush_done(struct io *io, s64 res)
{
	struct file_req *q = container_of(io, struct file_req, io);
	struct file *f = q->node->impl;

	/* the kernel forgets what it could not write: no later flush can make up for it */
	if (res < 0 && !q->node->cache.direct)
		f->flush_failed = true;
	finish(q, res < 0 ? res : 0);
}

static void allocate_done(struct io *io, s64 res);

static void allocate(struct file_req *q, int mode)
{
	struct file *f = q->node->impl;

	q->io.op = IO_ALLOCATE;
	q->io.flags = mode;
	q->io.at = q->r->at;
	q->io.bytes = q->r->bytes;
	q->io.done = allocate_done;
	f->io->submit(f->io, &q->io);
}

static void sync_after(struct file_req *q)
{
	struct file *f = q->node->impl;

	q->io.op = IO_SYNC;
	q->io.bytes = 0;
	q->io.done = flush_done;
	f->io->submit(f->io, &q->io);
}

static void zero_written(struct io *io, s64 res)
{
	struct file_req *q = container_of(io, struct file_req, io);

	if (res <= 0 && res != -EINTR && res != -EAGAIN) {
		finish(q, res < 0 ? res : -ENOSPC);
		return;
	}
	q->done += MAX(res, (s64)0);
	if (q->done < q->end - q->start)
		step(q);
	else
		finish(q, 0);
}

static void zero_step(struct file_req *q)
{
	struct file *f = q->node->impl;
	size_t align = MAX(q->node->mem_align, 4096u);

	if (!q->copy) {
		q->copy = aligned_alloc(align, ZERO_STEP);
		if (!q->copy) {
			finish(q, -ENOMEM);
			return;
		}
		memset(q->copy, 0, ZERO_STEP);
		q->vec = xcalloc(1, sizeof(*q->vec));
	}
	q->vec[0] = (struct iovec){ q->copy, MIN(q->end - q->start - q->done, (u64)ZERO_STEP) };
	q->io.op = IO_WRITE;
	q->io.flags = (q->r->flags & BLOCK_FUA) && !q->node->cache.no_flush ? RWF_DSYNC : 0;
	q->io.vec = q->vec;
	q->io.nvec = 1;
	q->io.at = q->start + q->done;
	q->io.bytes = q->vec[0].iov_len;
	q->io.done = zero_written;
	f->io->submit(f->io, &q->io);
}

static void allocate_done(struct io *io, s64 res)
{
	struct file_req *q = container_of(io, struct file_req, io);
	struct block_req *r = q->r;
	struct file *f = q->node->impl;

	if (res == -EINTR || res == -EAGAIN) {
		step(q);
	} else if (r->op == BLOCK_DISCARD) {
		/* only advice: what the storage cannot do is not done */
		if (res == -EOPNOTSUPP || res == -ENODEV || res == -ENOTTY || res == -EINVAL)
			res = 0;
		finish(q, res);
	} else if (res == -EOPNOTSUPP || res == -ENODEV || res == -EINVAL) {
		if (io->flags & FALLOC_FL_PUNCH_HOLE) {
			r->flags &= ~BLOCK_UNMAP;
			step(q);
			return;
		}
		q->phase = PHASE_ZERO_WRITE;
		step(q);
	} else if (res < 0 || !(r->flags & BLOCK_FUA) || q->node->cache.no_flush) {
		finish(q, res);
	} else {
		f->written = true;
		sync_after(q);
	}
}

static void discard_step(struct file_req *q)
{
	struct file *f = q->node->impl;

	if (!f->device) {
		allocate(q, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
		return;
	}
	q->io.op = IO_DISCARD;
	q->io.at = q->r->at;
	q->io.bytes = q->r->bytes;
	q->io.done = allocate_done;
	f->io->submit(f->io, &q->io);
}

static void step(struct file_req *q)
{
	struct block_req *r = q->r;

	if (r->op == BLOCK_FLUSH)
		sync_after(q);
	else if (r->op == BLOCK_DISCARD)
		discard_step(q);
	else if (r->op != BLOCK_ZEROES)
		rw_step(q);
	else if (q->phase == PHASE_ZERO_WRITE)
		zero_step(q);
	else if (r->flags & BLOCK_UNMAP)
		allocate(q, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
	else
		allocate(q, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE);
}

/* ---- the entrance */

/* Decides about the copy; false when there is no memory for it. */
static bool prepare(struct file_req *q)
{
	struct block_node *n = q->node;
	struct block_req *r = q->r;
	u64 align = MAX(n->align, 1u);

	if (r->op == BLOCK_ZEROES) {
		/* only whole blocks can be written directly; smaller ones go by fallocate */
		return true;
	}
	if (aligned(n, r))
		return true;
	q->start = ALIGN_DOWN(r->at, align);
	q->end = ALIGN_UP(r->at + r->bytes, align);
	q->copy = aligned_alloc(MAX((u64)n->mem_align, (u64)4096),
				ALIGN_UP(q->end - q->start, MAX((u64)n->mem_align, (u64)4096)));
	if (!q->copy)
		return false;
	q->phase = PHASE_COPY;
	if (r->op == BLOCK_READ)
		return true;
	if (q->start == r->at && q->end == r->at + r->bytes) {
		copy_vec(r, q->copy, false);
	} else {
		q->phase = PHASE_FILL;
		q->exclusive = true;
	}
	return true;
}

void file_submit(struct block_node *n, struct block_req *r)
{
	struct file *f = n->impl;
	struct file_req *q;

	if (r->op == BLOCK_FLUSH && (n->cache.no_flush || f->flush_failed || n->readonly)) {
		block_done(r, f->flush_failed ? -EIO : 0);
		return;
	}
	if (r->op != BLOCK_READ && r->op != BLOCK_FLUSH && n->readonly) {
		block_done(r, -EROFS);
		return;
	}
	if (!r->bytes && r->op != BLOCK_FLUSH) {
		block_done(r, 0);
		return;
	}
	f->written |= r->op != BLOCK_READ && r->op != BLOCK_FLUSH;
	q = req_get(n, r);
	if (!prepare(q)) {
		q->next = f->free;
		f->free = q;
		block_done(r, -ENOMEM);
		return;
	}
	if (!tracked(q)) {
		step(q);
		return;
	}
	if (must_wait(f, q, NULL)) {
		q->next = NULL;
		*f->waiting_end = q;
		f->waiting_end = &q->next;
		return;
	}
	begin_write(f, q);
}
