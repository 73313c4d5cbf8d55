/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compress.c - one page through zlib, LZO, Snappy or zstd. All at their fastest: a guest waits. */
#include "private.h"
#include <lzo/lzo1x.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

struct compressor {
	enum dump_codec codec;
	void *lzo;
	ZSTD_CCtx *zstd;
	z_stream z; /* set up once: that costs more than a page */
};

struct compressor *compressor_new(enum dump_codec codec)
{
	struct compressor *c = NEW(struct compressor);

	c->codec = codec;
	if (codec == DUMP_LZO)
		c->lzo = xalloc(LZO1X_1_MEM_COMPRESS);
	if (codec == DUMP_ZSTD)
		c->zstd = ZSTD_createCCtx();
	if (codec == DUMP_ZLIB && deflateInit(&c->z, Z_BEST_SPEED) != Z_OK)
		c->z.state = NULL; /* pages then stay as they are */
	return c;
}

static size_t compress_zlib(struct compressor *c, const u8 *page, u8 *out)
{
	if (!c->z.state || deflateReset(&c->z) != Z_OK)
		return 0;
	c->z.next_in = (u8 *)page;
	c->z.avail_in = PAGE;
	c->z.next_out = out;
	c->z.avail_out = COMPRESS_BOUND;
	return deflate(&c->z, Z_FINISH) == Z_STREAM_END ? c->z.total_out : 0;
}

static size_t compress_any(struct compressor *c, const u8 *page, u8 *out)
{
	lzo_uint ln = COMPRESS_BOUND;
	size_t n = COMPRESS_BOUND;

	switch (c->codec) {
	case DUMP_ZLIB:
		return compress_zlib(c, page, out);
	case DUMP_LZO:
		return lzo1x_1_compress(page, PAGE, out, &ln, c->lzo) == LZO_E_OK ? ln : 0;
	case DUMP_SNAPPY:
		return snappy_compress((const char *)page, PAGE, (char *)out, &n) == SNAPPY_OK ? n :
												 0;
	case DUMP_ZSTD:
		if (!c->zstd)
			return 0;
		n = ZSTD_compressCCtx(c->zstd, out, COMPRESS_BOUND, page, PAGE, 1);
		return ZSTD_isError(n) ? 0 : n;
	default:
		return 0;
	}
}

size_t compressor_page(struct compressor *c, const u8 page[PAGE], u8 *out)
{
	size_t n = compress_any(c, page, out);

	return n < PAGE ? n : 0;
}

void compressor_free(struct compressor *c)
{
	if (!c)
		return;
	free(c->lzo);
	ZSTD_freeCCtx(c->zstd);
	if (c->codec == DUMP_ZLIB && c->z.state)
		deflateEnd(&c->z);
	free(c);
}
