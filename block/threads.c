/* SPDX-License-Identifier: GPL-2.0-or-later */
/* threads.c - file I/O by a pool of threads, for kernels without io_uring. Reads that the page
 * cache can answer are done on the spot. */
#include "block/io.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MAX_THREADS = 16 };

struct queue {
	struct io *first, **end;
};
struct threads {
	struct io_engine io;
	struct machine *m;
	pthread_mutex_t lock; /* over all that follows up to `under_way` */
	pthread_cond_t work, some;
	struct queue todo, ended;
	unsigned nthreads, idle;
	bool quit;
	unsigned under_way; /* the machine thread's own */
	pthread_t thread[MAX_THREADS];
	int event;
};

static void put(struct queue *q, struct io *io)
{
	io->next = NULL;
	*q->end = io;
	q->end = &io->next;
}

static struct io *take(struct queue *q)
{
	struct io *io = q->first;

	if (io) {
		q->first = io->next;
		if (!q->first)
			q->end = &q->first;
	}
	return io;
}

static s64 discard(struct io *io)
{
	u64 range[2] = { io->at, io->bytes };

	return ioctl(io->fd, BLKDISCARD, range);
}

s64 io_now(struct io *io)
{
	s64 res;

	do {
		switch (io->op) {
		case IO_READ:
			res = preadv2(io->fd, io->vec, io->nvec, io->at, io->flags);
			break;
		case IO_WRITE:
			res = pwritev2(io->fd, io->vec, io->nvec, io->at, io->flags);
			break;
		case IO_SYNC:
			res = fdatasync(io->fd);
			break;
		case IO_ALLOCATE:
			res = fallocate(io->fd, io->flags, io->at, io->bytes);
			break;
		default:
			res = discard(io);
			break;
		}
	} while (res < 0 && errno == EINTR);
	return res < 0 ? -errno : res;
}

static void *worker(void *arg)
{
	struct threads *t = arg;
	u64 one = 1;

	pthread_mutex_lock(&t->lock);
	while (!t->quit) {
		struct io *io = take(&t->todo);
		bool first;

		if (!io) {
			t->idle++;
			pthread_cond_wait(&t->work, &t->lock);
			t->idle--;
			continue;
		}
		pthread_mutex_unlock(&t->lock);
		io->res = io_now(io);
		pthread_mutex_lock(&t->lock);
		first = !t->ended.first;
		put(&t->ended, io);
		pthread_cond_signal(&t->some);
		if (first && write(t->event, &one, sizeof(one)) < 0)
			warn("a disk's thread cannot wake the machine: %s", strerror(errno));
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

static void submit(struct io_engine *en, struct io *io)
{
	struct threads *t = container_of(en, struct threads, io);
	bool more;

	if (io->op == IO_READ && !io->flags) {
		io->flags = RWF_NOWAIT;
		io->res = io_now(io);
		io->flags = 0;
		if (io->res > 0) {
			io->done(io, io->res);
			return;
		}
	}
	t->under_way++;
	pthread_mutex_lock(&t->lock);
	put(&t->todo, io);
	more = !t->idle && t->nthreads < MAX_THREADS;
	if (more)
		t->nthreads++;
	pthread_cond_signal(&t->work);
	pthread_mutex_unlock(&t->lock);
	if (!more || !pthread_create(&t->thread[t->nthreads - 1], NULL, worker, t))
		return;
	/* with one thread at least, it only takes longer */
	pthread_mutex_lock(&t->lock);
	more = --t->nthreads == 0 && take(&t->todo);
	pthread_mutex_unlock(&t->lock);
	if (more) {
		t->under_way--;
		io->done(io, -EAGAIN);
	}
}

static bool reap(struct block_engine *be, bool wait)
{
	struct threads *t = container_of(be, struct threads, io.engine);
	struct io *io, *list;

	if (!t->under_way)
		return false;
	pthread_mutex_lock(&t->lock);
	while (wait && !t->ended.first)
		pthread_cond_wait(&t->some, &t->lock);
	list = t->ended.first;
	t->ended = (struct queue){ NULL, &t->ended.first };
	pthread_mutex_unlock(&t->lock);
	while ((io = list)) {
		list = io->next;
		t->under_way--;
		io->done(io, io->res);
	}
	return true;
}

static void ready(void *arg, short revents)
{
	struct threads *t = arg;
	u64 n;

	if (read(t->event, &n, sizeof(n)) < 0 && errno != EAGAIN)
		warn("a disk's descriptor fails: %s", strerror(errno));
	block_reap(t->m);
}

static void fini(struct block_engine *be)
{
	struct threads *t = container_of(be, struct threads, io.engine);

	while (reap(be, true))
		;
	pthread_mutex_lock(&t->lock);
	t->quit = true;
	pthread_cond_broadcast(&t->work);
	pthread_mutex_unlock(&t->lock);
	for (unsigned i = 0; i < t->nthreads; i++)
		pthread_join(t->thread[i], NULL);
	machine_poll_fd(t->m, t->event, 0, NULL, NULL);
	close(t->event);
	pthread_mutex_destroy(&t->lock);
	pthread_cond_destroy(&t->work);
	pthread_cond_destroy(&t->some);
	free(t);
}

struct io_engine *io_threads(struct machine *m, struct error *e)
{
	struct block_engine *be = block_engine_find(m, reap);
	struct threads *t;

	if (be)
		return container_of(be, struct io_engine, engine);
	t = NEW(struct threads);
	t->io = (struct io_engine){ .engine = { .reap = reap, .fini = fini },
				    .name = "threads",
				    .submit = submit };
	t->m = m;
	t->todo.end = &t->todo.first;
	t->ended.end = &t->ended.first;
	t->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->event < 0) {
		error_set(e, "the host gives no descriptor for disk I/O: %s", strerror(errno));
		free(t);
		return NULL;
	}
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->work, NULL);
	pthread_cond_init(&t->some, NULL);
	machine_poll_fd(m, t->event, POLLIN, ready, t);
	block_engine_add(m, &t->io.engine);
	return &t->io;
}
