/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file.h - a host file as a node: opening is in file.c, requests in file_io.c. */
#pragma once
#include "block/io.h"

/* One request on its way through the kernel, in one step or in several. */
struct file_req {
	struct io io;
	struct block_node *node;
	struct block_req *r;
	struct file_req *next; /* free, waiting or under way */
	u64 done;	       /* bytes, in earlier steps */
	struct iovec *vec;     /* of this step, when it is not the caller's */
	u8 *copy;	       /* aligned memory for [start, end) */
	u64 start, end;
	u8 phase;
	bool exclusive; /* no other write may be in [start, end) */
};
struct file {
	int fd;
	char *path;
	bool device, written, flush_failed;
	bool lock, must_lock; /* as locking= says; must: where that is impossible it fails */
	struct io_engine *io;
	struct file_req *free;
	/* with O_DIRECT: writes under way, and those that wait for them */
	struct file_req *writes, *waiting, **waiting_end;
	unsigned exclusive;
};
void file_submit(struct block_node *n, struct block_req *r);
void file_close(struct block_node *n);
/* Makes the node one on an open descriptor, which it takes over. */
int must_check file_adopt(struct block_node *n, int fd, const char *path, struct error *e);
/* Opens the file again, for writing too or for reading only; nothing may be under way. When that
 * fails it is as it was. */
int must_check file_reopen(struct block_node *n, bool writing, struct error *e);
