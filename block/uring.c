/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uring.c - file I/O by io_uring(7). What the kernel can answer at once has ended when the
 * submission returns, and is taken then; the rest announces itself by an eventfd. */
#include "block/io.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	ENTRIES = 256,
	/* from here on a copy out of the page cache is better done beside the guest */
	LARGE = 256 << 10,
};

struct uring {
	struct io_engine io;
	struct machine *m;
	struct io_uring ring;
	unsigned under_way, queued, plugged;
	int event;
	bool submitting;
};

static void take(struct uring *u)
{
	struct io_uring_cqe *cqe;

	while (!io_uring_peek_cqe(&u->ring, &cqe) && cqe) {
		struct io *io = io_uring_cqe_get_data(cqe);
		s64 res = cqe->res;

		io_uring_cqe_seen(&u->ring, cqe);
		if (!io)
			continue;
		u->under_way--;
		io->done(io, res);
	}
}

/* Ends that are there at once need no announcement. */
static void go(struct uring *u)
{
	if (!u->queued || u->submitting)
		return;
	u->submitting = true;
	io_uring_cq_eventfd_toggle(&u->ring, false);
	while (u->queued) {
		int n = io_uring_submit(&u->ring);

		if (n > 0)
			u->queued -= MIN((unsigned)n, u->queued);
		else if (n != -EAGAIN && n != -EBUSY && n != -EINTR)
			break;
		/* may queue more */
		take(u);
	}
	io_uring_cq_eventfd_toggle(&u->ring, true);
	u->submitting = false;
	take(u);
}

static void prepare(struct io_uring_sqe *sqe, struct io *io)
{
	switch (io->op) {
	case IO_READ:
		io_uring_prep_readv(sqe, io->fd, io->vec, io->nvec, io->at);
		sqe->rw_flags = io->flags;
		break;
	case IO_WRITE:
		io_uring_prep_writev(sqe, io->fd, io->vec, io->nvec, io->at);
		sqe->rw_flags = io->flags;
		break;
	case IO_SYNC:
		io_uring_prep_fsync(sqe, io->fd, IORING_FSYNC_DATASYNC);
		break;
	default:
		io_uring_prep_fallocate(sqe, io->fd, io->flags, io->at, io->bytes);
		break;
	}
	if (io->bytes >= LARGE && io->op <= IO_WRITE)
		sqe->flags |= IOSQE_ASYNC;
	io_uring_sqe_set_data(sqe, io);
}

static void submit(struct io_engine *en, struct io *io)
{
	struct uring *u = container_of(en, struct uring, io);
	struct io_uring_sqe *sqe;

	/* there is no operation for it, and it is rare */
	if (io->op == IO_DISCARD) {
		io->done(io, io_now(io));
		return;
	}
	sqe = io_uring_get_sqe(&u->ring);
	while (!sqe) {
		go(u);
		sqe = io_uring_get_sqe(&u->ring);
		/* from inside go(): the kernel takes what is there first */
		if (!sqe && io_uring_submit(&u->ring) > 0)
			u->queued = io_uring_sq_ready(&u->ring);
	}
	prepare(sqe, io);
	u->under_way++;
	u->queued++;
	if (!u->plugged)
		go(u);
}

static void plug(struct io_engine *en, bool on)
{
	struct uring *u = container_of(en, struct uring, io);

	u->plugged += on ? 1 : -1;
	if (!u->plugged)
		go(u);
}

static bool reap(struct block_engine *be, bool wait)
{
	struct uring *u = container_of(be, struct uring, io.engine);
	struct io_uring_cqe *cqe;

	if (!u->under_way)
		return false;
	go(u);
	if (wait && u->under_way && io_uring_cq_ready(&u->ring) == 0)
		io_uring_wait_cqe(&u->ring, &cqe);
	take(u);
	return true;
}

static void ready(void *arg, short revents)
{
	struct uring *u = arg;
	u64 n;

	if (read(u->event, &n, sizeof(n)) < 0 && errno != EAGAIN)
		warn("a disk's descriptor fails: %s", strerror(errno));
	block_reap(u->m);
}

static void fini(struct block_engine *be)
{
	struct uring *u = container_of(be, struct uring, io.engine);

	while (reap(be, true))
		;
	machine_poll_fd(u->m, u->event, 0, NULL, NULL);
	io_uring_queue_exit(&u->ring);
	close(u->event);
	free(u);
}

struct io_engine *io_uring_engine(struct machine *m, struct error *e)
{
	struct block_engine *be = block_engine_find(m, reap);
	struct uring *u;
	int err;

	if (be)
		return container_of(be, struct io_engine, engine);
	u = NEW(struct uring);
	u->io = (struct io_engine){ .engine = { .reap = reap, .fini = fini },
				    .name = "io_uring",
				    .submit = submit,
				    .plug = plug };
	u->m = m;
	u->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = u->event < 0 ? -errno : io_uring_queue_init(ENTRIES, &u->ring, 0);
	if (!err) {
		err = io_uring_register_eventfd(&u->ring, u->event);
		if (err)
			io_uring_queue_exit(&u->ring);
	}
	if (err) {
		error_set(e, "aio=io_uring: the host's kernel does not allow it: %s",
			  strerror(-err));
		if (u->event >= 0)
			close(u->event);
		free(u);
		return NULL;
	}
	machine_poll_fd(m, u->event, POLLIN, ready, u);
	block_engine_add(m, &u->io.engine);
	return &u->io;
}

struct io_engine *io_choose(struct machine *m, const char *aio, struct error *e)
{
	struct io_engine *en;

	if (aio && str_eq(aio, "threads"))
		return io_threads(m, e);
	en = io_uring_engine(m, aio && str_eq(aio, "io_uring") ? e : NULL);
	if (en || (aio && str_eq(aio, "io_uring")))
		return en;
	return io_threads(m, e);
}
