/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kallsyms_test.c - symbol tables of every layout in images made here, and in images that are none.
 */
#include "guest/kallsyms.h"
#include "lib/hash.h"
#include "lib/test.h"
#include <stdio.h>
#include <stdlib.h>

enum { N = 600, IMAGE = 1 << 20 };
#define VA 0xffffffff9a000000ull
enum layout {
	ADDRESSES,
	OFFSETS_BEFORE,
	OFFSETS_SORTED_NAMES,
	OFFSETS_AFTER,
	DISTANCES_AFTER,
	LAYOUTS
};

static u8 image[IMAGE];
static size_t at;

static void align(size_t n) { at = ALIGN_UP(at, n); }
static void put32(u32 v) { st32le(image + at, v), at += 4; }
static void put64(u64 v) { st64le(image + at, v), at += 8; }

/* Symbol i: 20 per-CPU ones, then text, 16 bytes apart, two at one address now and then. */
static bool percpu; /* those have addresses of their own */
static u64 address(unsigned i) { return i < 20 && percpu ? i * 8 : VA + 0x1000 + i / 3 * 16; }
static void name(unsigned i, char *buf)
{
	sprintf(buf, "%csym_%u%s", "tTdA"[i % 4], i, i == 77 ? "_\xc0" : "");
}

static void put_offsets(enum layout layout)
{
	align(8);
	for (unsigned i = 0; i < N; i++) {
		u64 a = address(i);

		if (layout == ADDRESSES)
			put64(a);
		else if (layout == DISTANCES_AFTER)
			put32((u32)(address(i) - (VA + at)));
		else
			put32(i < 20 ? (u32)a : (u32)(VA - 1 - a));
	}
	align(8);
	if (layout != ADDRESSES && layout != DISTANCES_AFTER)
		put64(VA);
}

/* Tokens: a printable character each, 's' "sym_"; the others two letters. */
static void token(unsigned c, char *buf)
{
	if (c > 0x20 && c < 0x7f && c != 'Z')
		sprintf(buf, "%c", c);
	else if (c == 'Z')
		strcpy(buf, "sym_");
	else
		sprintf(buf, "q%02x", c);
}

static void put_names(void)
{
	u32 markers[N / 256 + 1];
	size_t start;

	align(8);
	put32(N);
	align(8);
	start = at;
	for (unsigned i = 0; i < N; i++) {
		char text[64];
		size_t n;

		if (i % 256 == 0)
			markers[i / 256] = (u32)(at - start);
		name(i, text);
		n = strlen(text) - 3; /* "sym_" is one byte */
		image[at++] = n;
		image[at++] = text[0];
		image[at++] = 'Z';
		memcpy(image + at, text + 5, n - 2);
		at += n - 2;
	}
	align(4);
	for (unsigned i = 0; i <= N / 256; i++)
		put32(markers[i]);
}

static void put_tokens(void)
{
	u16 index[256];
	size_t start;

	align(8);
	start = at;
	for (unsigned c = 0; c < 256; c++) {
		char text[8];

		index[c] = (u16)(at - start);
		token(c, text);
		memcpy(image + at, text, strlen(text) + 1);
		at += strlen(text) + 1;
	}
	align(8);
	for (unsigned c = 0; c < 256; c++, at += 2)
		st16le(image + at, index[c]);
}

static void make(enum layout layout)
{
	memset(image, 0, sizeof(image));
	percpu = layout != DISTANCES_AFTER;
	at = 70000;
	if (layout < OFFSETS_AFTER)
		put_offsets(layout);
	put_names();
	if (layout == OFFSETS_SORTED_NAMES)
		for (unsigned i = 0; i < N; i++, at += 3)
			image[at] = i >> 8, image[at + 1] = i & 255;
	put_tokens();
	if (layout >= OFFSETS_AFTER)
		put_offsets(layout);
}

TEST(kallsyms_layouts)
{
	for (int layout = 0; layout < LAYOUTS; layout++) {
		struct ksyms s;
		u64 size;

		make(layout);
		CHECK_EQ(kallsyms_find(&s, image, sizeof(image), VA), 0);
		CHECK_EQ(s.n, N);
		for (unsigned i = 0; i < N; i++) {
			const struct ksym *k;
			char text[64], want[80];

			name(i, text);
			/* the one byte that is not itself */
			snprintf(want, sizeof(want), "%s%s", i == 77 ? "sym_77_" : text + 1,
				 i == 77 ? "qc0" : "");
			k = ksyms_by_name(&s, want);
			CHECK(k);
			CHECK_EQ(k->addr, address(i));
			CHECK_EQ(k->type, text[0]);
		}
		/* the first of those at one address; up to the next address */
		CHECK_STR(ksym_name(&s, ksyms_by_addr(&s, VA + 0x1000 + 100 * 16 + 5, &size)),
			  "sym_300");
		CHECK_EQ(size, 16);
		CHECK(!ksyms_by_name(&s, "sym_600"));
		CHECK(!ksyms_by_name(&s, "sym_"));
		ksyms_fini(&s);
	}
}

TEST(kallsyms_none)
{
	struct ksyms s;

	memset(image, 0, sizeof(image));
	CHECK(kallsyms_find(&s, image, sizeof(image), VA) < 0);
	CHECK(kallsyms_find(&s, image, 0, VA) < 0);
	CHECK(kallsyms_find(&s, image, 3, VA) < 0);
	CHECK(!ksyms_by_name(&s, "x"));
	CHECK(!ksyms_by_addr(&s, VA, NULL));
}

/* Tables with bytes changed and cut anywhere are found or not, and nothing else happens. */
TEST(kallsyms_garbage)
{
	for (u64 round = 0; round < 400; round++) {
		u64 r = hash_u64(round);
		struct ksyms s;
		u8 *copy;
		size_t size;

		make(round % LAYOUTS);
		for (unsigned i = 0; i < 1 + round % 8; i++) {
			r = hash_u64(r);
			image[70000 + r % 20000] = r >> 32;
		}
		size = round & 1 ? sizeof(image) : 70000 + r % (at + 16 - 70000);
		/* its end is where a sanitizer sees it */
		copy = malloc(size);
		memcpy(copy, image, size);
		if (!kallsyms_find(&s, copy, size, VA))
			CHECK(s.n <= N);
		ksyms_fini(&s);
		free(copy);
	}
}

/* The memory for names grows in pieces that end exactly where names do. */
TEST(ksyms_grow)
{
	struct ksyms s = { 0 };
	char name[16];

	for (unsigned i = 0; i < 40000; i++) {
		snprintf(name, sizeof(name), "%015u", i);
		ksyms_add(&s, VA + i, 't', name, 15);
		CHECK(s.names_size <= s.names_cap);
	}
	ksyms_finish(&s);
	CHECK(ksyms_by_name(&s, "000000000039999") == &s.at[39999]);
	ksyms_fini(&s);
}
