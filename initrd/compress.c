/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compress.c - the seven compressions of an initramfs, with the settings that the kernel's
 * decompressors accept: xz with CRC32 only, lz4 as the legacy frame, lzo in lzop's container with
 * one checksum per block.
 */
#include "initrd/initrd.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <bzlib.h>
#include <errno.h>
#include <limits.h>
#include <lz4.h>
#include <lz4hc.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <zlib.h>
#include <zstd.h>

static int no_memory(struct error *e, const char *what)
{
	return error_ret(e, -ENOMEM, "no memory for compressing with %s", what);
}

static int broken(struct error *e, const char *what, int code)
{
	return error_ret(e, -EIO, "compressing with %s failed (library code %d)", what, code);
}

static int do_gzip(const struct bytes *in, struct bytes *out, struct error *e)
{
	z_stream z = { 0 };
	size_t done = 0;
	int r = deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);

	if (r != Z_OK)
		return broken(e, "gzip", r);
	/* deflateBound counts in unsigned long, the stream in unsigned int: feed it in pieces. */
	out->size = deflateBound(&z, in->size) + 64;
	out->data = malloc(out->size);
	if (!out->data) {
		deflateEnd(&z);
		return no_memory(e, "gzip");
	}
	do {
		uInt piece = MIN(in->size - done, (size_t)1 << 30);
		uLong before = z.total_out;

		z.next_in = in->data + done;
		z.avail_in = piece;
		z.next_out = out->data + before;
		z.avail_out = MIN(out->size - before, (size_t)UINT_MAX);
		r = deflate(&z, done + piece == in->size ? Z_FINISH : Z_NO_FLUSH);
		done += piece - z.avail_in;
	} while (r == Z_OK);
	out->size = z.total_out;
	deflateEnd(&z);
	return r == Z_STREAM_END ? 0 : broken(e, "gzip", r);
}

static int do_bzip2(const struct bytes *in, struct bytes *out, struct error *e)
{
	bz_stream z = { 0 };
	size_t done = 0, made = 0;
	int r = BZ2_bzCompressInit(&z, 9, 0, 0);

	if (r != BZ_OK)
		return broken(e, "bzip2", r);
	out->size = in->size + in->size / 100 + 1024;
	out->data = malloc(out->size);
	if (!out->data) {
		BZ2_bzCompressEnd(&z);
		return no_memory(e, "bzip2");
	}
	do {
		unsigned piece = MIN(in->size - done, (size_t)1 << 30);
		unsigned room = MIN(out->size - made, (size_t)1 << 30);

		z.next_in = (char *)in->data + done;
		z.avail_in = piece;
		z.next_out = (char *)out->data + made;
		z.avail_out = room;
		r = BZ2_bzCompress(&z, done + piece == in->size ? BZ_FINISH : BZ_RUN);
		done += piece - z.avail_in;
		made += room - z.avail_out;
	} while (r == BZ_RUN_OK || (r == BZ_FINISH_OK && made < out->size));
	out->size = made;
	BZ2_bzCompressEnd(&z);
	return r == BZ_STREAM_END ? 0 : broken(e, "bzip2", r);
}

static int do_lzma_stream(lzma_stream *z, const struct bytes *in, struct bytes *out,
			  const char *what, struct error *e)
{
	lzma_ret r;

	out->size = lzma_stream_buffer_bound(in->size) + 1024;
	out->data = malloc(out->size);
	if (!out->data) {
		lzma_end(z);
		return no_memory(e, what);
	}
	z->next_in = in->data;
	z->avail_in = in->size;
	z->next_out = out->data;
	z->avail_out = out->size;
	do
		r = lzma_code(z, LZMA_FINISH);
	while (r == LZMA_OK && z->avail_out);
	out->size = z->total_out;
	lzma_end(z);
	return r == LZMA_STREAM_END ? 0 : broken(e, what, r);
}

static int do_lzma(const struct bytes *in, struct bytes *out, struct error *e)
{
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_options_lzma opt;
	lzma_ret r;

	if (lzma_lzma_preset(&opt, 6))
		return broken(e, "lzma", LZMA_OPTIONS_ERROR);
	r = lzma_alone_encoder(&z, &opt);
	return r == LZMA_OK ? do_lzma_stream(&z, in, out, "lzma", e) : broken(e, "lzma", r);
}

static int do_xz(const struct bytes *in, struct bytes *out, struct error *e)
{
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_ret r = lzma_easy_encoder(&z, 6, LZMA_CHECK_CRC32);

	return r == LZMA_OK ? do_lzma_stream(&z, in, out, "xz", e) : broken(e, "xz", r);
}

static int do_zstd(const struct bytes *in, struct bytes *out, struct error *e)
{
	size_t r;

	out->size = ZSTD_compressBound(in->size);
	out->data = malloc(out->size);
	if (!out->data)
		return no_memory(e, "zstd");
	/* Level 15 keeps the window within the 8 MiB that every kernel decodes. */
	r = ZSTD_compress(out->data, out->size, in->data, in->size, 15);
	if (ZSTD_isError(r))
		return error_ret(e, -EIO, "compressing with zstd failed: %s", ZSTD_getErrorName(r));
	out->size = r;
	return 0;
}

/* lz4 doc/lz4_Frame_format.md, Legacy frame: a magic, then blocks of 8 MiB with their compressed
 * size before them. */
static int do_lz4(const struct bytes *in, struct bytes *out, struct error *e)
{
	const size_t block = 8 << 20;
	size_t blocks = in->size / block + 1, at = 4;

	out->data = malloc(4 + blocks * (4 + LZ4_compressBound(block)));
	if (!out->data)
		return no_memory(e, "lz4");
	st32le(out->data, 0x184c2102);
	for (size_t done = 0; done < in->size; done += block) {
		int n = MIN(in->size - done, block);
		int r = LZ4_compress_HC((char *)in->data + done, (char *)out->data + at + 4, n,
					LZ4_compressBound(block), 9);

		if (r <= 0)
			return broken(e, "lz4", r);
		st32le(out->data + at, r);
		at += 4 + r;
	}
	out->size = at;
	return 0;
}

/* The head of an lzop 1.03 file: magic, versions, LZO1X-999 level 9, checksums of the plain data,
 * no name. */
static size_t lzop_header(u8 *p)
{
	static const u8 magic[] = { 0x89, 'L', 'Z', 'O', 0, '\r', '\n', 0x1a, '\n' };
	u8 *h = p + sizeof(magic), *q = h;

	memcpy(p, magic, sizeof(magic));
	st16be(q, 0x1030);
	st16be(q + 2, 0x20a0);
	st16be(q + 4, 0x0940);
	q[6] = 3;
	q[7] = 9;
	st32be(q + 8, 0x03000001); /* Unix, Adler-32 of each plain block */
	st32be(q + 12, 0100644);
	st32be(q + 16, 0);
	st32be(q + 20, 0);
	q[24] = 0;
	q += 25;
	st32be(q, lzo_adler32(1, h, q - h));
	return q + 4 - p;
}

static int do_lzo(const struct bytes *in, struct bytes *out, struct error *e)
{
	const size_t block = 256 << 10, bound = block + block / 16 + 64 + 3;
	AUTO_FREE void *work = malloc(LZO1X_999_MEM_COMPRESS);
	AUTO_FREE u8 *tmp = malloc(bound);
	size_t at;

	out->data = malloc(64 + (in->size / block + 1) * (12 + block) + 4);
	if (!out->data || !work || !tmp)
		return no_memory(e, "lzo");
	if (lzo_init() != LZO_E_OK)
		return broken(e, "lzo", LZO_E_ERROR);
	at = lzop_header(out->data);
	for (size_t done = 0; done < in->size; done += block) {
		const u8 *src = in->data + done;
		size_t n = MIN(in->size - done, block);
		lzo_uint packed = bound;
		int r = lzo1x_999_compress_level(src, n, tmp, &packed, work, NULL, 0, NULL, 9);

		if (r != LZO_E_OK)
			return broken(e, "lzo", r);
		/* A block that does not shrink is stored as it is. */
		if (packed >= n) {
			memcpy(tmp, src, n);
			packed = n;
		}
		st32be(out->data + at, n);
		st32be(out->data + at + 4, packed);
		st32be(out->data + at + 8, lzo_adler32(1, src, n));
		memcpy(out->data + at + 12, tmp, packed);
		at += 12 + packed;
	}
	st32be(out->data + at, 0);
	out->size = at + 4;
	return 0;
}

static const struct {
	const char *name, *suffix;
	int (*run)(const struct bytes *in, struct bytes *out, struct error *e);
} methods[] = {
	[INITRD_GZIP] = { "gzip", ".gz", do_gzip },
	[INITRD_BZIP2] = { "bzip2", ".bz2", do_bzip2 },
	[INITRD_LZMA] = { "lzma", ".lzma", do_lzma },
	[INITRD_XZ] = { "xz", ".xz", do_xz },
	[INITRD_LZO] = { "lzo", ".lzo", do_lzo },
	[INITRD_LZ4] = { "lz4", ".lz4", do_lz4 },
	[INITRD_ZSTD] = { "zstd", ".zst", do_zstd },
};

int initrd_compression_parse(const char *s, enum initrd_compression *c, struct error *e)
{
	if (str_eq(s, "none")) {
		*c = INITRD_PLAIN;
		return 0;
	}
	for (size_t i = INITRD_GZIP; i < ARRAY_SIZE(methods); i++) {
		if (str_eq(s, methods[i].name) || str_eq(s, methods[i].suffix + 1)) {
			*c = i;
			return 0;
		}
	}
	return error_ret(e, -EINVAL,
			 "unknown compression '%s': none, gzip, bzip2, lzma, xz, lzo, lz4 and zstd "
			 "are known",
			 s);
}

enum initrd_compression initrd_compression_of(const char *path)
{
	for (size_t i = INITRD_GZIP; i < ARRAY_SIZE(methods); i++) {
		if (str_suffix(path, methods[i].suffix))
			return i;
	}
	return INITRD_PLAIN;
}

int initrd_compress(struct bytes *b, enum initrd_compression c, struct error *e)
{
	struct bytes out = { 0 };
	int err;

	if (c == INITRD_PLAIN)
		return 0;
	err = methods[c].run(b, &out, e);
	if (err) {
		bytes_fini(&out);
		return err;
	}
	bytes_fini(b);
	*b = out;
	return 0;
}
