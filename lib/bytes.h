/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bytes.h - a block of bytes with its size, and whole files as such. */
#pragma once
#include <quern/types.h>
#include "lib/error.h"

/* `struct bytes b = {0}` is empty; data is malloc'ed and owned by whoever holds the struct. */
struct bytes {
	u8 *data;
	size_t size;
};

/*
 * Reads a whole file, pipes and /proc files included, of at most limit bytes. On failure the
 * sentence is "could not open 'PATH': ..." or the like and b is empty.
 */
int bytes_read_file(struct bytes *b, const char *path, u64 limit, struct error *e) must_check;
/* The same from an open file descriptor; name is for the sentence. */
int bytes_read_fd(struct bytes *b, int fd, const char *name, u64 limit, struct error *e) must_check;
/* Writes a new file or replaces an old one's content. */
int bytes_write_file(const struct bytes *b, const char *path, struct error *e) must_check;
void bytes_fini(struct bytes *b);
