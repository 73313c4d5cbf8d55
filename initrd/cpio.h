/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpio.h - writes newc archives as the kernel's gen_init_cpio does, and remembers what is in them.
 */
#pragma once
#include <quern/types.h>
#include "lib/bytes.h"
#include "lib/error.h"
#include "lib/hash.h"

/* One thing in the archive, for questions like "is /lib already a symlink?". */
struct cpio_node {
	struct cpio_node *next; /* same hash */
	char *path;		/* normalized, without leading slash */
	char *target;		/* of a symlink */
	/* of a regular file: where its bytes came from on the host, or NULL */
	char *source;
	u32 mode; /* with S_IFMT */
};

struct cpio {
	u8 *data;
	size_t n, cap;
	u32 ino; /* of the next entry */
	bool csum, has_mtime;
	u32 align;
	s64 mtime, now;
	struct map nodes; /* hash of path -> struct cpio_node */
};

/* One file, directory, node, pipe, socket or symlink to write. */
struct cpio_entry {
	const char *name;
	u32 mode; /* with S_IFMT */
	u32 uid, gid, nlink;
	u32 rdev_major, rdev_minor;
	s64 mtime; /* used for has_mtime entries only, else now */
	bool has_mtime;
	const void *data;
	u64 size;
	const char *source; /* the host's file behind data, or NULL */
	/* its data is summed and aligned; mode may claim anything */
	bool is_file;
	/* one more name of the entry that follows: the inode number is not used up */
	bool same_ino;
};

void cpio_init(struct cpio *c);
void cpio_fini(struct cpio *c);
int cpio_add(struct cpio *c, const struct cpio_entry *en, struct error *e) must_check;
/* All names of one file; the data goes with the last. en->name and nlink are set here. */
int cpio_add_links(struct cpio *c, struct cpio_entry *en, const char *const *names, u32 n,
		   struct error *e) must_check;
/* Writes the trailer and hands the archive over. */
int cpio_finish(struct cpio *c, struct bytes *out, struct error *e) must_check;

/* The last entry of that name, or NULL. path may have leading, trailing and doubled slashes. */
const struct cpio_node *cpio_find(const struct cpio *c, const char *path);
/* Adds those parent directories of path that are not there, mode 755. */
int cpio_add_parents(struct cpio *c, const char *path, struct error *e) must_check;
