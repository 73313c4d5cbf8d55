/* SPDX-License-Identifier: GPL-2.0-or-later */
/* initrd_test.c - archives against bytes written down by hand, the description grammar,
 * compression, damaged ELF files. */
#include "initrd/initrd.h"
#include "initrd/elf.h"
#include "initrd/list.h"
#include "initrd/sysroot.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include "lib/test.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

static const struct initrd_opts at_one = { .has_mtime = true, .mtime = 1 };

/* Builds from a text; the archive's bytes. */
static struct bytes build(const char *text, const struct initrd_opts *o)
{
	struct build b = { .o = o };
	AUTO_FREE char *copy = xstrdup(text);
	struct bytes out = { 0 };
	struct error e = { 0 };

	cpio_init(&b.cpio);
	b.cpio.has_mtime = o->has_mtime;
	b.cpio.mtime = o->mtime;
	b.cpio.csum = o->csum;
	b.cpio.align = o->align;
	b.closure = closure_new(&b.cpio, o->sysroot);
	if (list_read(&b, copy, "test", &e) || closure_run(b.closure, &e) ||
	    cpio_finish(&b.cpio, &out, &e))
		test_fail(__FILE__, __LINE__, "%s", e.text);
	closure_free(b.closure);
	cpio_fini(&b.cpio);
	return out;
}

static void check_error(const char *text, const char *part)
{
	struct build b = { .o = &at_one };
	AUTO_FREE char *copy = xstrdup(text);
	struct error e = { 0 };

	cpio_init(&b.cpio);
	CHECK(list_read(&b, copy, "test", &e) < 0);
	if (!e.text || !strstr(e.text, part))
		test_fail(__FILE__, __LINE__, "'%s' does not contain '%s'", e.text, part);
	error_clear(&e);
	cpio_fini(&b.cpio);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void remove_all(const char *dir) { nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

static void write_text(const char *dir, const char *name, const char *text)
{
	AUTO_FREE char *path = xasprintf("%s/%s", dir, name);
	struct bytes b = { (u8 *)text, strlen(text) };

	CHECK_EQ(bytes_write_file(&b, path, NULL), 0);
}

TEST(cpio_bytes)
{
	static const char want[] = "070701"
				   "000002D1"
				   "000041ED"
				   "00000000"
				   "00000000"
				   "00000002"
				   "00000001"
				   "00000000"
				   "00000003"
				   "00000001"
				   "00000000"
				   "00000000"
				   "00000004"
				   "00000000"
				   "dev\0"
				   "\0\0"
				   "070701"
				   "000002D2"
				   "00002180"
				   "00000000"
				   "00000005"
				   "00000001"
				   "00000001"
				   "00000000"
				   "00000003"
				   "00000001"
				   "00000005"
				   "00000001"
				   "0000000C"
				   "00000000"
				   "dev/console\0"
				   "\0\0"
				   "070701"
				   "000002D3"
				   "0000A1FF"
				   "00000001"
				   "00000002"
				   "00000001"
				   "00000001"
				   "00000004"
				   "00000003"
				   "00000001"
				   "00000000"
				   "00000000"
				   "00000003"
				   "00000000"
				   "sh\0"
				   "\0\0\0"
				   "bb!\0"
				   "070701"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000001"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "0000000B"
				   "00000000"
				   "TRAILER!!!\0"
				   "\0\0\0";
	struct bytes b = build("# c\n\ndir /dev 0755 0 0\nnod /dev/console 600 0 5 c 5 1\n"
			       "slink sh bb! 777 1 2\n",
			       &at_one);

	CHECK_EQ(b.size, 512);
	CHECK_MEM(b.data, want, sizeof(want) - 1);
	for (size_t i = sizeof(want) - 1; i < b.size; i++)
		CHECK_EQ(b.data[i], 0);
	bytes_fini(&b);
}

TEST(cpio_links_csum_align)
{
	char dir[] = "/tmp/quern-initrd-XXXXXX";
	AUTO_FREE char *list = NULL;
	struct initrd_opts o = at_one;
	struct bytes b;

	CHECK(mkdtemp(dir));
	write_text(dir, "f", "0123456789");
	list = xasprintf("file a %s/f 644 0 0 b", dir);
	o.csum = true;
	o.align = 8;
	b = build(list, &o);
	/* The first link has no data, the second all of it, with the sum 525 and at a multiple
	 * of 8. */
	CHECK_MEM(b.data,
		  "070702"
		  "000002D1"
		  "000081A4"
		  "00000000"
		  "00000000"
		  "00000002"
		  "00000001"
		  "00000000"
		  "00000003"
		  "00000001"
		  "00000000"
		  "00000000"
		  "00000002"
		  "00000000"
		  "a\0",
		  112);
	CHECK_MEM(b.data + 112,
		  "070702"
		  "000002D1"
		  "000081A4"
		  "00000000"
		  "00000000"
		  "00000002"
		  "00000001"
		  "0000000A"
		  "00000003"
		  "00000001"
		  "00000000"
		  "00000000"
		  "00000002"
		  "0000020D"
		  "b\0"
		  "0123456789\0\0"
		  "070702",
		  224 - 112 + 12 + 6);
	bytes_fini(&b);
	/* One more letter moves the data: the name field grows. */
	free(list);
	list = xasprintf("file abc %s/f 644 0 0", dir);
	b = build(list, &o);
	CHECK_MEM(b.data + 94, "0000000A", 8);
	CHECK_MEM(b.data + 110,
		  "abc\0\0\0\0\0\0\0"
		  "0123456789",
		  20);
	bytes_fini(&b);
	remove_all(dir);
}

TEST(list_errors)
{
	check_error("dir", "name is missing");
	check_error("dir a 755 0", "test:1: dir line: gid is missing");
	check_error("slink a", "slink line: target is missing");
	check_error("nod a 755 0 0", "nod line: device type is missing");
	check_error("quote on\nnod a 755 0 0 \"\" 1 2", "is neither b nor c");
	check_error("\ndir a 798 0 0", "test:2: dir line: mode '798' is not an octal number");
	check_error("dir a 755 x 0", "uid 'x'");
	check_error("nod a 755 0 0 cb 1 1", "device type 'cb'");
	check_error("file a /nonexistent/x 755 0 0", "could not open '/nonexistent/x' for 'a'");
	check_error("tree /nonexistent", "could not read directory '/nonexistent'");
	check_error("prog \"a 755", "does not end");
	check_error("quote maybe", "neither on nor off");
}

TEST(list_fields)
{
	struct error e = { 0 };
	char text[] = "a\\ b \"c d\"e \\101\\n x\"\"y \"\" z\\\\";
	char *p = text, plain[] = " \"a b\" c\\ ", *q = plain;

	CHECK_STR(list_field(&p, true, &e), "a b");
	CHECK_STR(list_field(&p, true, &e), "c de");
	CHECK_STR(list_field(&p, true, &e), "A\n");
	CHECK_STR(list_field(&p, true, &e), "xy");
	CHECK_STR(list_field(&p, true, &e), "");
	CHECK_STR(list_field(&p, true, &e), "z\\");
	CHECK_STR(list_field(&p, true, &e), NULL);
	CHECK(!error_is_set(&e));
	CHECK_STR(list_field(&q, false, &e), "\"a");
	CHECK_STR(list_field(&q, false, &e), "b\"");
	CHECK_STR(list_field(&q, false, &e), "c\\");
	CHECK_STR(list_field(&q, false, &e), NULL);
}

TEST(list_quote_line)
{
	struct bytes b =
		build("dir \"a 755 0 0\nquote on\ndir \"a b\" 755 0 0\nquote off\n", &at_one);

	CHECK_MEM(b.data + 110, "\"a", 3);
	CHECK_MEM(b.data + 116 + 110, "a b", 4);
	bytes_fini(&b);
}

TEST(list_expand)
{
	struct error e = { 0 };
	char *s;

	setenv("QT_A", "x${QT_B}", 1);
	setenv("QT_B", "y", 1);
	setenv("QT_LOOP", "${QT_LOOP}", 1);
	unsetenv("QT_NONE");
	CHECK_EQ(list_expand("/${QT_A}/${QT_NONE}z$Q${", &s, &e), 0);
	CHECK_STR(s, "/xy/z$Q${");
	free(s);
	CHECK_EQ(list_expand("${QT_LOOP}", &s, &e), -ELOOP);
	CHECK(strstr(e.text, "without end"));
	error_clear(&e);
}

TEST(tree_links_and_order)
{
	char dir[] = "/tmp/quern-initrd-XXXXXX";
	AUTO_FREE char *list = NULL, *a = NULL, *z = NULL, *sub = NULL;
	const char *text;
	struct bytes b;

	CHECK(mkdtemp(dir));
	a = xasprintf("%s/a", dir);
	z = xasprintf("%s/m/z", dir);
	sub = xasprintf("%s/m", dir);
	write_text(dir, "a", "data");
	write_text(dir, "b c", "");
	CHECK_EQ(mkdir(sub, 0700), 0);
	CHECK_EQ(link(a, z), 0);
	list = xasprintf("tree %s usr/x/\n", dir);
	b = build(list, &at_one);
	text = (char *)b.data;
	/* usr, usr/x, "usr/x/b c", usr/x/m, then both names of the linked file where the last one
	 * stands. */
	CHECK_STR(text + 110, "usr");
	CHECK_STR(text + 116 + 110, "usr/x");
	CHECK_STR(text + 232 + 110, "usr/x/b c");
	CHECK_STR(text + 352 + 110, "usr/x/m");
	CHECK_MEM(text + 472 + 38, "00000002", 8);
	CHECK_MEM(text + 472 + 54, "00000000", 8);
	CHECK_STR(text + 472 + 110, "usr/x/a");
	CHECK_MEM(text + 592 + 54, "00000004", 8);
	CHECK_STR(text + 592 + 110, "usr/x/m/z");
	CHECK_MEM(text + 592 + 120, "data", 4);
	bytes_fini(&b);
	remove_all(dir);
}

TEST(sysroot_symlinks)
{
	char dir[] = "/tmp/quern-initrd-XXXXXX", cmd[600];
	AUTO_FREE char *p1 = NULL, *p2 = NULL, *p3 = NULL;

	CHECK(mkdtemp(dir));
	snprintf(cmd, sizeof(cmd),
		 "cd %s && mkdir -p usr/lib && ln -s /usr/lib lib && ln -s ../../../../x "
		 "usr/lib/up && ln -s loop loop && ln -s /lib/real usr/lib/abs",
		 dir);
	CHECK_EQ(system(cmd), 0);
	p1 = sysroot_path(dir, "/lib/abs", true);
	CHECK(str_prefix(p1, dir, NULL));
	CHECK(str_suffix(p1, "/usr/lib/real"));
	p2 = sysroot_path(dir, "/lib/abs", false);
	CHECK(str_suffix(p2, "/usr/lib/abs"));
	p3 = sysroot_path(dir, "lib/up/../../y", true);
	CHECK(str_prefix(p3, dir, NULL));
	CHECK_STR(p3 + strlen(dir), "/y");
	CHECK_EQ(sysroot_path(dir, "/loop/a", true), NULL);
	remove_all(dir);
}

TEST(compress_round_trip)
{
	struct bytes b = { malloc(3000000), 3000000 }, plain = { malloc(3000000), 3000000 };
	struct error e = { 0 };
	z_stream z = { 0 };

	for (size_t i = 0; i < plain.size; i++)
		plain.data[i] = i % 7 + (hash_u64(i / 64) & 15);
	memcpy(b.data, plain.data, b.size);
	CHECK_EQ(initrd_compress(&b, INITRD_GZIP, &e), 0);
	CHECK(b.size < plain.size / 2);
	CHECK_EQ(inflateInit2(&z, 15 + 16), Z_OK);
	z.next_in = b.data;
	z.avail_in = b.size;
	AUTO_FREE u8 *back = malloc(plain.size + 1);
	z.next_out = back;
	z.avail_out = plain.size + 1;
	CHECK_EQ(inflate(&z, Z_FINISH), Z_STREAM_END);
	CHECK_EQ(z.total_out, plain.size);
	CHECK_MEM(back, plain.data, plain.size);
	inflateEnd(&z);
	bytes_fini(&b);

	b = (struct bytes){ xmemdup(plain.data, plain.size), plain.size };
	CHECK_EQ(initrd_compress(&b, INITRD_ZSTD, &e), 0);
	CHECK_EQ(ZSTD_decompress(back, plain.size + 1, b.data, b.size), plain.size);
	CHECK_MEM(back, plain.data, plain.size);
	bytes_fini(&b);
	bytes_fini(&plain);
	CHECK_EQ(initrd_compression_of("a.cpio.zst"), INITRD_ZSTD);
	CHECK_EQ(initrd_compression_of("a.img"), INITRD_PLAIN);
}

/* Every length of the test program's own file, cut short, and random damage: a verdict, never a
 * fault. */
TEST(elf_damaged)
{
	struct bytes whole, cut;
	struct elf_deps d;
	struct error e = { 0 };

	CHECK_EQ(bytes_read_file(&whole, "/proc/self/exe", 1 << 30, &e), 0);
	CHECK_EQ(elf_deps_read(&d, &whole, "self", &e), 0);
	CHECK(d.interp && d.needed.n > 0);
	elf_deps_fini(&d);
	for (size_t n = 0; n < 4000; n++) {
		cut = (struct bytes){ xmemdup(whole.data, n), n };
		if (!elf_deps_read(&d, &cut, "cut", &e))
			elf_deps_fini(&d);
		error_clear(&e);
		bytes_fini(&cut);
	}
	cut = (struct bytes){ xmemdup(whole.data, 65536), 65536 };
	for (u64 i = 0; i < 20000; i++) {
		u64 r = hash_u64(i + 1);
		u8 *at = &cut.data[r % 1024];

		*at = r >> 32;
		if (!elf_deps_read(&d, &cut, "damaged", &e))
			elf_deps_fini(&d);
		error_clear(&e);
		if (i % 16 == 0)
			memcpy(cut.data, whole.data, 1024);
	}
	bytes_fini(&cut);
	bytes_fini(&whole);
}

TEST(ldcache)
{
	/* An old-format table of one entry, then the new one: two entries, the first for special
	 * CPUs only. */
	u8 cache[16 + 16 + 48 + 2 * 24 + 32] = "ld.so-1.7.0";
	struct bytes b = { cache, sizeof(cache) };
	u8 *h = cache + 32, *s = h + 96;

	st32le(cache + 12, 1);
	memcpy(h, "glibc-ld.so.cache1.1", 20);
	st32le(h + 20, 2);
	h[28] = 2;
	memcpy(s, "a.so\0/x/a.so\0/y/a.so", 21);
	st32le(h + 48 + 4, 96);
	st32le(h + 48 + 8, 96 + 5);
	st32le(h + 48 + 20, 1u << 30);
	st32le(h + 72 + 4, 96);
	st32le(h + 72 + 8, 96 + 13);
	CHECK_STR(ldcache_lookup(&b, "a.so", 0), "/y/a.so");
	CHECK_STR(ldcache_lookup(&b, "a.so", 1), NULL);
	CHECK_STR(ldcache_lookup(&b, "b.so", 0), NULL);
	st32le(h + 20, UINT32_MAX);
	st32le(h + 72 + 8, UINT32_MAX);
	CHECK_STR(ldcache_lookup(&b, "a.so", 0), NULL);
	for (size_t n = 0; n < sizeof(cache); n++) {
		b.size = n;
		ldcache_lookup(&b, "a.so", 0);
	}
}
