/* SPDX-License-Identifier: GPL-2.0-or-later */
/* initrd.h - builds initramfs images from gen_init_cpio descriptions and directories, in memory. */
#pragma once
#include <quern/types.h>
#include "lib/bytes.h"
#include "lib/error.h"

enum initrd_compression {
	INITRD_PLAIN,
	INITRD_GZIP,
	INITRD_BZIP2,
	INITRD_LZMA,
	INITRD_XZ,
	INITRD_LZO,
	INITRD_LZ4,
	INITRD_ZSTD,
};

struct initrd_opts {
	enum initrd_compression compression;
	/* add what every dynamically linked program of a file or tree line needs */
	bool closure;
	/* where interpreters and libraries are looked up; NULL = the host's root */
	const char *sysroot;
	bool quote;	/* fields may be quoted from the first line on */
	bool csum;	/* newc with checksums, magic 070702 */
	u32 align;	/* align the data of files larger than this; 0 = don't */
	bool has_mtime; /* mtime replaces every file's own and the current time */
	s64 mtime;
	bool keep_owner; /* tree: do not turn the calling user's files into root's */
};

/* Builds from a description file ("-" = standard input) or, when path is a directory, from all that
 * is in it. out is malloc'ed. */
int initrd_build(struct bytes *out, const char *path, const struct initrd_opts *o,
		 struct error *e) must_check;

/* Is path to be built, a directory or a *.list or *_list file, rather than an archive to be loaded
 * as it is? */
bool initrd_is_source(const char *path);

/* "gzip" or "gz", ..., "none"; -EINVAL with a sentence that names all. */
int initrd_compression_parse(const char *s, enum initrd_compression *c, struct error *e) must_check;
/* By a file name's suffix (.gz .bz2 .lzma .xz .lzo .lz4 .zst); INITRD_PLAIN for any other. */
enum initrd_compression initrd_compression_of(const char *path);
/* Replaces the bytes by their compressed form, readable by the kernel's own decompressor. */
int initrd_compress(struct bytes *b, enum initrd_compression c, struct error *e) must_check;

/* The subcommand `quern initramfs`; argv[0] is its name. Returns the exit status. */
int initramfs_main(int argc, char **argv);
