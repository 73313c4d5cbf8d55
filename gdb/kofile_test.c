/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kofile_test.c - compressed modules unpack to what was packed, and broken ones to nothing. */
#include "kofile.h"
#include "lib/test.h"
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { N = 300000 };
static u8 plain[N], packed[2 * N];
static char dir[] = "/tmp/quern-unit-XXXXXX", path[64];

static void put(const char *name, size_t n)
{
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	CHECK(f && fwrite(packed, n, 1, f) == 1 && !fclose(f));
}

static size_t pack_xz(void)
{
	size_t n = 0;

	CHECK_EQ(lzma_easy_buffer_encode(2, LZMA_CHECK_CRC32, NULL, plain, N, packed, &n,
					 sizeof(packed)),
		 LZMA_OK);
	return n;
}

static size_t pack_gz(void)
{
	z_stream z = {
		.next_in = plain, .avail_in = N, .next_out = packed, .avail_out = sizeof(packed)
	};

	CHECK_EQ(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	CHECK_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

static size_t pack_zst(void) { return ZSTD_compress(packed, sizeof(packed), plain, N, 1); }

TEST(kofile_unpacks)
{
	static const struct {
		const char *name;
		size_t (*pack)(void);
	} kinds[] = { { "a.ko.xz", pack_xz }, { "a.ko.gz", pack_gz }, { "a.ko.zst", pack_zst } };
	struct kofile k;

	CHECK(mkdtemp(dir));
	for (size_t i = 0; i < N; i++)
		plain[i] = i * i >> 7;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t n = kinds[i].pack();

		put(kinds[i].name, n);
		CHECK(kofile_read(&k, path));
		CHECK_EQ(k.size, N);
		CHECK(!memcmp(k.data, plain, N));
		kofile_fini(&k);
		CHECK(!kofile_open(&k, path)); /* no ELF file */
		put(kinds[i].name, n - 9);
		CHECK(!kofile_read(&k, path));
		packed[n / 2] ^= 0x55;
		packed[n / 2 + 1] ^= 0x55;
		put(kinds[i].name, n);
		if (kofile_read(&k, path)) /* zstd has no checksum here */
			CHECK_EQ(k.size, N);
		kofile_fini(&k);
		unlink(path);
	}
	CHECK(!kofile_read(&k, path));
	rmdir(dir);
}

TEST(kofile_names)
{
	size_t n = 0;

	CHECK(kofile_name("dummy.ko", &n));
	CHECK_EQ(n, 5);
	CHECK(kofile_name("ab.ko.xz", &n));
	CHECK_EQ(n, 2);
	CHECK(!kofile_name("dummy.o.xz", &n));
	CHECK(!kofile_name(".ko.xz", &n));
	CHECK(!kofile_name("ko", &n));
	CHECK(!kofile_name("dummy.ko.bz2", &n));
	CHECK(kofile_packed("a.ko.zst"));
	CHECK(!kofile_packed("a.ko"));
}
