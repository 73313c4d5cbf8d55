/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image_test.c - kernel files are recognised; truncated, garbled and hostile ones give one
 * sentence. */
#include "image.h"
#include "lib/test.h"
#include "test_images.h"

/* Parses a private copy; the sentence or NULL. */
static char *parse(struct kernel_image *k, const struct bytes *b, size_t size)
{
	struct error e = { 0 };
	u8 *copy = malloc(size ?: 1);
	int err;

	memcpy(copy, b->data, size);
	err = image_parse(k, copy, size, "K", &e);
	CHECK_EQ(!!err, error_is_set(&e));
	if (!err)
		return NULL;
	CHECK(err < 0);
	return e.text;
}

static void refused(const struct bytes *b, const char *part)
{
	struct kernel_image k;
	char *text = parse(&k, b, b->size);

	CHECK(text);
	if (!strstr(text, part))
		test_fail(__FILE__, __LINE__, "'%s' lacks '%s'", text, part);
	CHECK(!strchr(text, '\n'));
	free(text);
	image_fini(&k);
}

/* Every prefix of the file and many garbled ones; what counts is that nothing is read past the end
 * (ASan) and errors have their text. */
static void torment(const struct bytes *b)
{
	struct kernel_image k;
	u64 r = 88172645463325252ull;

	for (size_t n = 0; n <= b->size; n += n < 1024 ? 1 : 61) {
		free(parse(&k, b, n));
		image_fini(&k);
	}
	for (unsigned i = 0; i < 3000; i++) {
		struct bytes g = { malloc(b->size), b->size };

		memcpy(g.data, b->data, b->size);
		for (unsigned j = 0; j < 1 + i % 4; j++) {
			r ^= r << 13;
			r ^= r >> 7;
			r ^= r << 17;
			g.data[r % MIN(b->size, (size_t)0x600)] = r >> 32 & 1 ? 0xff : r >> 40;
		}
		free(parse(&k, &g, g.size));
		image_fini(&k);
		free(g.data);
	}
}

TEST(image_bzimage)
{
	struct bytes b = test_bzimage("payload!", 8);
	struct kernel_image k;

	CHECK(!parse(&k, &b, b.size));
	CHECK_EQ(k.kind, IMAGE_BZIMAGE);
	CHECK_EQ(k.bz.setup_size, 1024);
	CHECK_EQ(k.bz.hdr_end, 0x26c);
	CHECK_MEM(k.file.data + k.bz.payload_at, "payload!", 8);
	CHECK_EQ(k.bz.payload_size, 8);
	CHECK_EQ(k.bz.pref_address, 0x1000000);
	image_fini(&k);
	torment(&b);
	st32le(b.data + HDR_PAYLOAD_LENGTH, 0x7fffffff);
	refused(&b, "payload of 2147483647 bytes passes the file's end");
	st32le(b.data + HDR_PAYLOAD_OFFSET, 0xffffffff);
	refused(&b, "passes the file's end");
	b.data[HDR_LOADFLAGS] = 0;
	refused(&b, "zImage");
	st16le(b.data + HDR_VERSION, 0x105);
	refused(&b, "boot protocol 1.05 is too old");
	free(b.data);
}

TEST(image_elf)
{
	for (unsigned is64 = 0; is64 < 2; is64++) {
		struct bytes b = test_elf(is64, 0x1000000, true);
		struct kernel_image k;
		u64 pa;

		CHECK(!parse(&k, &b, b.size));
		CHECK_EQ(k.kind, IMAGE_ELF);
		CHECK_EQ(k.elf.is64, is64);
		CHECK_EQ(k.elf.nsegments, 2);
		CHECK_EQ(k.elf.lo, 0x1000000);
		CHECK_EQ(k.elf.hi, 0x1005000);
		CHECK(k.elf.has_pvh);
		CHECK_EQ(k.elf.pvh_entry, 0x1000020);
		CHECK(elf_vaddr_to_paddr(&k.elf,
					 (is64 ? 0xffffffff80000000 : 0xc0000000) + 0x1002010,
					 &pa));
		CHECK_EQ(pa, 0x1002010);
		CHECK(!elf_vaddr_to_paddr(&k.elf, 0x1234, &pa));
		image_fini(&k);
		torment(&b);
		free(b.data);
	}
}

TEST(image_hostile_elf)
{
	struct bytes b = test_elf(true, 0x1000000, false);
	u8 *ph = b.data + 64;

	st64le(ph + 32, ~0ull);
	refused(&b, "truncated");
	st64le(ph + 32, 0x1001);
	refused(&b, "larger in the file than in memory");
	st64le(ph + 32, 0x1000);
	st64le(ph + 40, ~0ull - 0x1000);
	refused(&b, "wraps");
	st64le(ph + 40, 0x2001);
	refused(&b, "overlap");
	st64le(ph + 40, 0x1000);
	st64le(b.data + 32, ~0ull - 10);
	refused(&b, "program headers");
	st64le(b.data + 32, 64);
	st16le(b.data + 16, 3);
	st32le(ph, 3);
	refused(&b, "dynamic linker");
	st16le(b.data + 18, 183);
	refused(&b, "another machine (183)");
	free(b.data);
}

TEST(image_multiboot)
{
	struct bytes b = test_multiboot(0x100000, 0x10003), e;
	struct kernel_image k;

	CHECK(!parse(&k, &b, b.size));
	CHECK_EQ(k.kind, IMAGE_MULTIBOOT);
	CHECK_EQ(k.mb.file_at, 0);
	CHECK_EQ(k.mb.file_size, 0x800);
	image_fini(&k);
	torment(&b);
	st32le(b.data + 0x40 + 16, 0x200000);
	refused(&b, "invalid multiboot addresses");
	st32le(b.data + 0x40 + 16, 0x100000);
	st32le(b.data + 0x40 + 20, 0xffffffff);
	refused(&b, "truncated");
	free(b.data);

	b = test_multiboot(0x100000, 0x10008);
	refused(&b, "requires unknown features");
	free(b.data);

	/* without addresses the file is an ELF32 */
	e = test_elf(false, 0x200000, false);
	st32le(e.data + 0x200, 0x1badb002);
	st32le(e.data + 0x204, 3);
	st32le(e.data + 0x208, -(0x1badb002 + 3));
	CHECK(!parse(&k, &e, e.size));
	CHECK_EQ(k.kind, IMAGE_MULTIBOOT);
	CHECK_EQ(k.elf.nsegments, 2);
	image_fini(&k);
	free(e.data);
}

TEST(image_garbage)
{
	struct bytes b = { (u8 *)"this is no kernel at all", 24 }, none = { (u8 *)"", 0 };
	struct kernel_image k;
	struct error e = { 0 };

	refused(&b, "neither a bzImage nor an ELF nor a multiboot kernel");
	refused(&none, "empty");
	CHECK_EQ(image_open(&k, "/nonexistent/kernel", &e), -ENOENT);
	CHECK_STR(e.text,
		  "could not open kernel file '/nonexistent/kernel': No such file or directory");
	error_clear(&e);
	image_fini(&k);
	CHECK_EQ(image_open(&k, "/tmp", &e), -EISDIR);
	CHECK_STR(e.text, "could not open kernel file '/tmp': Is a directory");
	error_clear(&e);
	image_fini(&k);
}
