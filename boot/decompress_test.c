/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decompress_test.c - payloads packed by the libraries, as the kernel's build does, come out whole;
 * damaged ones give one sentence. */
#include "decompress.h"
#include "lib/alloc.h"
#include "lib/test.h"
#include <bzlib.h>
#include <lz4hc.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <zlib.h>
#include <zstd.h>

enum { SIZE = 300000, ROOM = 400000 };

static void fill(u8 *p, size_t n)
{
	u32 r = 12345;

	for (size_t i = 0; i < n; i++) {
		r = r * 1103515245 + 12345;
		p[i] = i % 7 < 4 ? i / 7 : r >> 24;
	}
}

static size_t pack_gzip(u8 *out, const u8 *in, size_t n)
{
	z_stream z = { .next_in = (u8 *)in, .avail_in = n, .next_out = out, .avail_out = ROOM };

	CHECK_EQ(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, 0), Z_OK);
	CHECK_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

static size_t pack_bzip2(u8 *out, const u8 *in, size_t n)
{
	unsigned len = ROOM;

	CHECK_EQ(BZ2_bzBuffToBuffCompress((char *)out, &len, (char *)in, n, 9, 0, 0), BZ_OK);
	return len;
}

static size_t pack_lzma(u8 *out, const u8 *in, size_t n)
{
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_options_lzma o;

	CHECK(!lzma_lzma_preset(&o, 6));
	CHECK_EQ(lzma_alone_encoder(&z, &o), LZMA_OK);
	z.next_in = in;
	z.avail_in = n;
	z.next_out = out;
	z.avail_out = ROOM;
	CHECK_EQ(lzma_code(&z, LZMA_FINISH), LZMA_STREAM_END);
	n = z.total_out;
	lzma_end(&z);
	return n;
}

static size_t pack_xz(u8 *out, const u8 *in, size_t n)
{
	lzma_options_lzma o;
	lzma_filter f[] = { { LZMA_FILTER_X86, NULL },
			    { LZMA_FILTER_LZMA2, &o },
			    { LZMA_VLI_UNKNOWN, NULL } };
	size_t at = 0;

	CHECK(!lzma_lzma_preset(&o, 6));
	CHECK_EQ(lzma_stream_buffer_encode(f, LZMA_CHECK_CRC32, NULL, in, n, out, &at, ROOM),
		 LZMA_OK);
	return at;
}

/* lzop's container, as `lzop -9` writes it: Adler-32 of each unpacked block. */
static size_t pack_lzo(u8 *out, const u8 *in, size_t n)
{
	static const u8 magic[] = { 0x89, 'L', 'Z', 'O', 0, 13, 10, 26, 10 };
	u8 *p = out, *work = xalloc(LZO1X_999_MEM_COMPRESS);

	memcpy(p, magic, 9);
	st16be(p + 9, 0x1030);
	st16be(p + 11, 0x20a0);
	st16be(p + 13, 0x0940);
	p[15] = 3;
	p[16] = 9;
	st32be(p + 17, 1);     /* Adler-32 of unpacked data */
	memset(p + 21, 0, 13); /* mode, mtime, no name */
	p += 34;
	st32be(p, 0);
	p += 4;
	for (size_t at = 0; at < n; at += 262144) {
		size_t part = MIN(n - at, (size_t)262144);
		lzo_uint len = ROOM;

		CHECK_EQ(lzo1x_999_compress(in + at, part, p + 12, &len, work), LZO_E_OK);
		st32be(p, part);
		st32be(p + 8, adler32(1, in + at, part));
		if (len >= part) {
			memcpy(p + 12, in + at, part);
			len = part;
		}
		st32be(p + 4, len);
		p += 12 + len;
	}
	st32be(p, 0);
	free(work);
	return p + 4 - out;
}

static size_t pack_lz4(u8 *out, const u8 *in, size_t n)
{
	int len = LZ4_compress_HC((char *)in, (char *)out + 8, n, ROOM, 9);

	CHECK(len > 0);
	st32le(out, 0x184c2102);
	st32le(out + 4, len);
	return 8 + len;
}

static size_t pack_zstd(u8 *out, const u8 *in, size_t n)
{
	n = ZSTD_compress(out, ROOM, in, n, 19);
	CHECK(!ZSTD_isError(n));
	return n;
}

static void check_format(const char *name, size_t (*pack)(u8 *out, const u8 *in, size_t n))
{
	u8 *in = xalloc(SIZE), *packed = xalloc(ROOM + 8);
	struct bytes out;
	struct error e = { 0 };
	size_t n;

	fill(in, SIZE);
	n = pack(packed, in, SIZE);
	if (strcmp(name, "gzip")) {
		st32le(packed + n, SIZE);
		n += 4;
	}
	CHECK_STR(payload_format(packed, n), name);
	CHECK_EQ(payload_unpack(&out, packed, n, 1 << 20, "K", &e), 0);
	CHECK_EQ(out.size, SIZE);
	CHECK_MEM(out.data, in, SIZE);
	bytes_fini(&out);

	/* a limit below, a wrong size, truncation, damage */
	CHECK(payload_unpack(&out, packed, n, SIZE - 1, "K", &e) < 0);
	CHECK(e.text && strstr(e.text, "more than the limit"));
	error_clear(&e);
	st32le(packed + n - 4, SIZE - 1);
	CHECK(payload_unpack(&out, packed, n, 1 << 20, "K", &e) < 0);
	CHECK(e.text && !out.data);
	error_clear(&e);
	for (size_t cut = 8; cut < n - 4; cut += 1 + n / 100) {
		u8 *part = xmemdup(packed, cut);

		st32le(part + cut - 4, SIZE);
		CHECK(payload_unpack(&out, part, cut, 1 << 20, "K", &e) < 0);
		CHECK(e.text && !strchr(e.text, '\n'));
		error_clear(&e);
		free(part);
	}
	st32le(packed + n - 4, SIZE);
	for (size_t at = 8; at < n - 4; at += 1 + n / 100) {
		packed[at] ^= 0x55;
		if (!payload_unpack(&out, packed, n, 1 << 20, "K", &e))
			bytes_fini(&out); /* not every format has a checksum */
		error_clear(&e);
		packed[at] ^= 0x55;
	}
	free(in);
	free(packed);
}

TEST(unpack_gzip) { check_format("gzip", pack_gzip); }
TEST(unpack_bzip2) { check_format("bzip2", pack_bzip2); }
TEST(unpack_lzma) { check_format("lzma", pack_lzma); }
TEST(unpack_xz) { check_format("xz", pack_xz); }
TEST(unpack_lzo) { check_format("lzo", pack_lzo); }
TEST(unpack_lz4) { check_format("lz4", pack_lz4); }
TEST(unpack_zstd) { check_format("zstd", pack_zstd); }

TEST(unpack_unknown)
{
	struct bytes out;
	struct error e = { 0 };

	CHECK(payload_unpack(&out, (const u8 *)"what is this then", 17, 1 << 20, "K", &e) < 0);
	CHECK(strstr(e.text, "no known compression format"));
	error_clear(&e);
	CHECK(payload_unpack(&out, (const u8 *)"\x1f\x8b", 2, 1 << 20, "K", &e) < 0);
	error_clear(&e);
}
