/* SPDX-License-Identifier: GPL-2.0-or-later */
/* io.h - the host's file I/O, asynchronous: by io_uring where the kernel has it, else by threads.
 * Both are engines of a machine; ends come on its thread, when it reaps. */
#pragma once
#include "core/block.h"
#include <sys/uio.h>

struct machine;

enum io_op { IO_READ, IO_WRITE, IO_SYNC, IO_ALLOCATE, IO_DISCARD };
struct io {
	u8 op;
	int fd, flags; /* RWF_ of reads and writes; the mode of fallocate */
	const struct iovec *vec;
	int nvec;
	u64 at, bytes;
	void (*done)(struct io *io, s64 res); /* bytes, or -errno */
	/* the engine's */
	struct io *next;
	s64 res;
};
struct io_engine {
	struct block_engine engine;
	const char *name;
	void (*submit)(struct io_engine *en, struct io *io);
	void (*plug)(struct io_engine *en, bool on);
};
/* The machine's engine of a kind, made when it is first asked for. NULL with a sentence. */
struct io_engine *io_threads(struct machine *m, struct error *e);
struct io_engine *io_uring_engine(struct machine *m, struct error *e);
/* aio=: "threads", "native", "io_uring"; NULL = whatever is best. */
struct io_engine *io_choose(struct machine *m, const char *aio, struct error *e);
/* One call, now, on this thread. */
s64 io_now(struct io *io);
