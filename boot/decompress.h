/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decompress.h - unpacks a bzImage's payload on the host. */
#pragma once
#include <quern/types.h>
#include "lib/bytes.h"
#include "lib/error.h"

/* The format's name by its first bytes ("gzip", "bzip2", "lzma", "xz", "lzo", "lz4", "zstd", "none" for a bare ELF), or NULL when unknown. */
const char *payload_format(const u8 *in, size_t size);
/*
 * Unpacks a payload whose last 4 bytes tell the unpacked size, as the kernel's build leaves it. out is malloc'ed. A payload of more than `limit`
 * bytes, a corrupt or truncated one gives a sentence with name in it.
 */
int payload_unpack(struct bytes *out, const u8 *in, size_t size, u64 limit, const char *name, struct error *e) must_check;
