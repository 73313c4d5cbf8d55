/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decompress.h - unpacks a bzImage's payload on the host. */
#pragma once
#include <quern/types.h>
#include "lib/bytes.h"
#include "lib/error.h"

/* The format's name by its first bytes ("gzip", "bzip2", "lzma", "xz", "lzo", "lz4", "zstd", "none"
 * for a bare ELF), or NULL when unknown. */
const char *payload_format(const u8 *in, size_t size);
/* How many bytes a payload unpacks to, as its last 4 bytes tell; a sentence when its format is
 * unknown or they are more than limit. */
int payload_size(u64 *n, const u8 *in, size_t size, u64 limit, const char *name,
		 struct error *e) must_check;
/* Unpacks into n bytes at out, n being what payload_size gave. */
int payload_unpack_to(u8 *out, u64 n, const u8 *in, size_t size, const char *name,
		      struct error *e) must_check;
/*
 * Both at once, for a payload whose last 4 bytes tell the unpacked size, as the kernel's build
 * leaves it. out is malloc'ed. A payload of more than `limit` bytes, a corrupt or truncated one
 * gives a sentence with name in it.
 */
int payload_unpack(struct bytes *out, const u8 *in, size_t size, u64 limit, const char *name,
		   struct error *e) must_check;
