/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decompress.c - the seven formats of a kernel's payload (Documentation/arch/x86/boot.rst,
 * "payload_offset"), each a stream followed by the unpacked size in 4 bytes. gzip (RFC 1952),
 * bzip2, lzma (.lzma), xz with the x86 filter, lzo (lzop's container), lz4 (legacy frames), zstd.
 */
#include "decompress.h"
#include <bzlib.h>
#include <errno.h>
#include <lz4.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

/* What a format's unpacker works on. The room in out is the size that the payload tells: more
 * output than that is corruption. */
struct job {
	const u8 *in;
	size_t in_size;
	u8 *out;
	size_t cap, n; /* room, bytes produced */
};

/* Each returns NULL, or what is wrong. */
static const char *unpack_none(struct job *j)
{
	if (j->in_size > j->cap)
		return "its size is wrong";
	memcpy(j->out, j->in, j->in_size);
	j->n = j->in_size;
	return NULL;
}

static const char *unpack_gzip(struct job *j)
{
	z_stream z = { .next_in = (Bytef *)j->in,
		       .avail_in = j->in_size,
		       .next_out = j->out,
		       .avail_out = j->cap };
	int ret;

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return "no memory";
	ret = inflate(&z, Z_FINISH);
	j->n = z.total_out;
	inflateEnd(&z);
	return ret == Z_STREAM_END ? NULL :
	       ret == Z_BUF_ERROR  ? "it is truncated or its size is wrong" :
				     "it is corrupt";
}

static const char *unpack_bzip2(struct job *j)
{
	bz_stream z = { .next_in = (char *)j->in,
			.avail_in = j->in_size,
			.next_out = (char *)j->out,
			.avail_out = j->cap };
	int ret;

	if (BZ2_bzDecompressInit(&z, 0, 0) != BZ_OK)
		return "no memory";
	ret = BZ2_bzDecompress(&z);
	j->n = j->cap - z.avail_out;
	BZ2_bzDecompressEnd(&z);
	return ret == BZ_STREAM_END ? NULL :
	       ret == BZ_OK	    ? "it is truncated or its size is wrong" :
				      "it is corrupt";
}

static const char *run_lzma(struct job *j, lzma_stream *z)
{
	lzma_ret ret;

	z->next_in = j->in;
	z->avail_in = j->in_size;
	z->next_out = j->out;
	z->avail_out = j->cap;
	ret = lzma_code(z, LZMA_RUN);
	/* Output complete but the end marker not yet seen: one more step, without room. */
	if (ret == LZMA_OK && !z->avail_out)
		ret = lzma_code(z, LZMA_RUN);
	j->n = z->total_out;
	lzma_end(z);
	return ret == LZMA_STREAM_END		       ? NULL :
	       ret == LZMA_OK || ret == LZMA_BUF_ERROR ? "it is truncated or its size is wrong" :
	       ret == LZMA_MEM_ERROR || ret == LZMA_MEMLIMIT_ERROR ?
							 "it needs more than 1 GiB to unpack" :
							 "it is corrupt";
}

static const char *unpack_lzma(struct job *j)
{
	lzma_stream z = LZMA_STREAM_INIT;

	return lzma_alone_decoder(&z, 1ull << 30) == LZMA_OK ? run_lzma(j, &z) : "no memory";
}

static const char *unpack_xz(struct job *j)
{
	lzma_stream z = LZMA_STREAM_INIT;

	return lzma_stream_decoder(&z, 1ull << 30, 0) == LZMA_OK ? run_lzma(j, &z) : "no memory";
}

/* The fields between lzop's magic and its first block; returns where the blocks begin, or 0. */
static size_t lzop_header(const u8 *in, size_t size, u32 *flags)
{
	enum { MAGIC = 9, NEW = 0x0940, HAS_FILTER = 0x800 };
	size_t at = MAGIC;
	unsigned version;

	if (!range_fits(at, 40, size))
		return 0;
	version = ld16be(in + at);
	at += 7 + (version >= NEW); /* versions, method, level */
	*flags = ld32be(in + at);
	at += *flags & HAS_FILTER ? 8 : 4;
	at += version >= NEW ? 12 : 8; /* mode, mtime */
	if (!range_fits(at, 1, size) || !range_fits(at + 1, in[at] + 4u, size))
		return 0;
	return at + 1 + in[at] + 4; /* name, checksum */
}

static const char *unpack_lzo(struct job *j)
{
	enum { ADLER_D = 1, ADLER_C = 2, CRC_D = 0x100, CRC_C = 0x200 };
	u32 flags;
	size_t at = lzop_header(j->in, j->in_size, &flags);

	if (!at)
		return "its header is corrupt";
	for (;;) {
		u32 to, from;
		lzo_uint made;

		if (!range_fits(at, 4, j->in_size))
			return "it is truncated";
		to = ld32be(j->in + at);
		if (!to)
			return NULL;
		if (!range_fits(at, 8, j->in_size))
			return "it is truncated";
		from = ld32be(j->in + at + 4);
		at += 8 + (flags & ADLER_D ? 4 : 0) + (flags & CRC_D ? 4 : 0);
		if (from < to)
			at += (flags & ADLER_C ? 4 : 0) + (flags & CRC_C ? 4 : 0);
		if (!range_fits(at, from, j->in_size) || from > to)
			return "it is truncated";
		if (to > j->cap - j->n)
			return "its size is wrong";
		made = to;
		if (from == to)
			memcpy(j->out + j->n, j->in + at, to);
		else if (lzo1x_decompress_safe(j->in + at, from, j->out + j->n, &made, NULL) !=
				 LZO_E_OK ||
			 made != to)
			return "it is corrupt";
		j->n += to;
		at += from;
	}
}

static const char *unpack_lz4(struct job *j)
{
	enum { MAGIC = 0x184c2102, BLOCK = 8 << 20 };

	for (size_t at = 0; at != j->in_size;) {
		u32 from;
		int made;

		if (!range_fits(at, 4, j->in_size))
			return "it is truncated";
		from = ld32le(j->in + at);
		at += 4;
		if (from == MAGIC)
			continue;
		if (!from)
			return NULL;
		if (!range_fits(at, from, j->in_size) || from > LZ4_COMPRESSBOUND(BLOCK))
			return "it is truncated";
		made = LZ4_decompress_safe((const char *)j->in + at, (char *)j->out + j->n, from,
					   MIN(j->cap - j->n, (size_t)BLOCK));
		if (made < 0)
			return "it is corrupt or its size is wrong";
		j->n += made;
		at += from;
	}
	return NULL;
}

static const char *unpack_zstd(struct job *j)
{
	size_t frame = ZSTD_findFrameCompressedSize(j->in, j->in_size), n;

	if (ZSTD_isError(frame))
		return "it is truncated or corrupt";
	n = ZSTD_decompress(j->out, j->cap, j->in, frame);
	if (ZSTD_isError(n))
		return ZSTD_getErrorName(n);
	j->n = n;
	return NULL;
}

static const struct format {
	const char *name;
	u8 magic[6], nmagic;
	const char *(*unpack)(struct job *j);
} formats[] = {
	{ "gzip", { 0x1f, 0x8b }, 2, unpack_gzip },
	{ "bzip2", { 'B', 'Z', 'h' }, 3, unpack_bzip2 },
	{ "lzma", { 0x5d, 0, 0 }, 3, unpack_lzma },
	{ "xz", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, unpack_xz },
	{ "lzo", { 0x89, 'L', 'Z', 'O', 0 }, 5, unpack_lzo },
	{ "lz4", { 0x02, 0x21, 0x4c, 0x18 }, 4, unpack_lz4 },
	{ "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4, unpack_zstd },
	{ "none", { 0x7f, 'E', 'L', 'F' }, 4, unpack_none },
};

static const struct format *find_format(const u8 *in, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (size > formats[i].nmagic && !memcmp(in, formats[i].magic, formats[i].nmagic))
			return &formats[i];
	return NULL;
}

const char *payload_format(const u8 *in, size_t size)
{
	const struct format *f = find_format(in, size);

	return f ? f->name : NULL;
}

/* gzip's own trailer is the size, and part of the stream; a bare ELF has none. */
static bool size_apart(const struct format *f)
{
	return f->unpack != unpack_gzip && f->unpack != unpack_none;
}

int payload_size(u64 *n, const u8 *in, size_t size, u64 limit, const char *name, struct error *e)
{
	const struct format *f = find_format(in, size);

	*n = 0;
	if (!f || size < 8 || size > 0x7fffffff)
		return error_ret(e, -EINVAL,
				 "kernel file '%s': its payload is in no known compression format "
				 "(gzip, bzip2, lzma, xz, lzo, lz4, zstd)",
				 name);
	*n = f->unpack == unpack_none ? size : ld32le(in + size - 4);
	if (!*n || *n > limit)
		return error_ret(e, -EINVAL,
				 "kernel file '%s': its payload claims %llu bytes unpacked, more "
				 "than the limit of %llu",
				 name, (unsigned long long)*n, (unsigned long long)limit);
	return 0;
}

int payload_unpack_to(u8 *out, u64 n, const u8 *in, size_t size, const char *name, struct error *e)
{
	const struct format *f = find_format(in, size);
	struct job j = {
		.in = in, .in_size = size - (size_apart(f) ? 4 : 0), .out = out, .cap = n
	};
	const char *wrong = f->unpack(&j);

	if (!wrong && j.n != n)
		wrong = "it is corrupt: its size is wrong";
	if (wrong)
		return error_ret(e, -EINVAL,
				 "kernel file '%s': could not unpack its %s payload: %s", name,
				 f->name, wrong);
	return 0;
}

int payload_unpack(struct bytes *out, const u8 *in, size_t size, u64 limit, const char *name,
		   struct error *e)
{
	u64 n;
	int err = payload_size(&n, in, size, limit, name, e);

	*out = (struct bytes){ 0 };
	if (err)
		return err;
	out->data = malloc(n);
	if (!out->data)
		return error_ret(e, -ENOMEM,
				 "kernel file '%s': no memory to unpack its payload of %llu bytes",
				 name, (unsigned long long)n);
	out->size = n;
	err = payload_unpack_to(out->data, n, in, size, name, e);
	if (err)
		bytes_fini(out);
	return err;
}
