/* SPDX-License-Identifier: GPL-2.0-or-later */
/* btf_test.c - members found in type information made here, and what is damaged is refused. */
#include "guest/btf.h"
#include "lib/alloc.h"
#include "lib/hash.h"
#include "lib/test.h"

static u8 types[4096];
static char strings[1024];
static u32 ntypes, nstrings;

static u32 str(const char *s)
{
	u32 at = nstrings;

	if (!*s)
		return 0;
	strcpy(strings + nstrings, s);
	nstrings += strlen(s) + 1;
	return at;
}
static void put(u32 v) { st32le(types + ntypes, v), ntypes += 4; }
static void type(const char *name, u32 kind, u32 vlen, bool flag, u32 size)
{
	put(str(name));
	put(kind << 24 | vlen | (u32)flag << 31);
	put(size);
}
static void member(const char *name, u32 id, u32 off)
{
	put(str(name));
	put(id);
	put(off);
}

/* struct s { int a; union { struct { char c[3][5]; u b:3, d:5; }; s *p; }; e k; } and so on */
static u8 *make(size_t *size)
{
	u8 *blob;

	ntypes = 0;
	nstrings = 1;
	type("int", 1, 0, false, 4), put(32);		  /* 1 */
	type("char", 1, 0, false, 1), put(8);		  /* 2 */
	type("", 3, 0, false, 0), put(2), put(1), put(5); /* 3: char [5] */
	type("", 3, 0, false, 0), put(3), put(1), put(3); /* 4: char [3][5] */
	type("u", 8, 0, false, 1);			  /* 5: typedef int u */
	type("", 4, 3, true, 24);			  /* 6 */
	member("c", 4, 0), member("b", 5, 3 << 24 | 120), member("d", 5, 5 << 24 | 123);
	type("", 2, 0, false, 9);  /* 7: pointer to s */
	type("", 5, 2, false, 24); /* 8 */
	member("", 6, 0), member("p", 7, 0);
	type("s", 4, 3, false, 48); /* 9 */
	member("a", 1, 0), member("", 8, 64), member("in", 12, 256);
	type("e", 6, 2, false, 4), member("E_ONE", 1, 0); /* 10: two enumerators of 8 bytes */
	ntypes -= 4;
	put(str("E_TWO")), put((u32)-2);
	type("loop", 8, 0, false, 11); /* 11: a typedef of itself */
	type("", 10, 0, false, 13);    /* 12: const in */
	type("in", 4, 2, false, 16);   /* 13 */
	member("x", 7, 0), member("l", 11, 64);
	*size = 24 + ntypes + nstrings;
	blob = xalloc(*size);
	st16le(blob, 0xeb9f);
	blob[2] = 1;
	st32le(blob + 4, 24);
	st32le(blob + 8, 0);
	st32le(blob + 12, ntypes);
	st32le(blob + 16, ntypes);
	st32le(blob + 20, nstrings);
	memcpy(blob + 24, types, ntypes);
	memcpy(blob + 24 + ntypes, strings, nstrings);
	return blob;
}

static void check(const struct btf *b, const char *path, u32 bit, u32 bits, u32 size)
{
	struct btf_member m;

	CHECK_EQ(btf_find(b, path, &m), 0);
	CHECK_EQ(m.bit, bit);
	CHECK_EQ(m.bits, bits);
	CHECK_EQ(m.size, size);
}

TEST(btf_members)
{
	struct btf_member m;
	struct btf b;
	size_t size;
	s64 v;
	u32 n;
	u8 *blob = make(&size);

	CHECK_EQ(btf_init(&b, blob, size), 0);
	CHECK_EQ(b.n, 13);
	check(&b, "s.a", 0, 0, 4);
	check(&b, "s.c", 64, 0, 15);
	CHECK_EQ(btf_find(&b, "s.c", &m), 0);
	CHECK_EQ(m.count, 15);
	check(&b, "s.b", 64 + 120, 3, 4);
	check(&b, "s.d", 64 + 123, 5, 4);
	check(&b, "s.p", 64, 0, 8);
	check(&b, "s.in.x", 256, 0, 8);
	CHECK(btf_find(&b, "s.in.l", &m) < 0);
	CHECK(btf_find(&b, "s.in.y", &m) < 0);
	CHECK(btf_find(&b, "s.a.x", &m) < 0);
	CHECK(btf_find(&b, "t.a", &m) < 0);
	CHECK_EQ(btf_size(&b, "s", &n), 0);
	CHECK_EQ(n, 48);
	CHECK(btf_size(&b, "int", &n) < 0);
	CHECK_EQ(btf_enumerator(&b, "E_TWO", &v), 0);
	CHECK_EQ(v, -2);
	CHECK(btf_enumerator(&b, "E_SIX", &v) < 0);
	btf_fini(&b);
}

TEST(btf_garbage)
{
	for (u64 round = 0; round < 3000; round++) {
		struct btf_member m;
		struct btf b;
		size_t size;
		u64 r = hash_u64(round);
		u8 *blob = make(&size);
		s64 v;
		u32 n;

		for (unsigned i = 0; i <= round % 4; i++, r = hash_u64(r))
			blob[r % size] = r >> 40;
		if (round % 5 == 0)
			size = r % size;
		blob = xrealloc(blob, size + !size);
		if (btf_init(&b, blob, size))
			continue;
		if (!btf_find(&b, "s.in.x", &m))
			CHECK(m.bits < 256);
		if (!btf_find(&b, "s.b", &m))
			CHECK(m.bits < 256);
		if (!btf_size(&b, "in", &n) && !btf_enumerator(&b, "E_TWO", &v))
			CHECK(b.n < 4096);
		btf_fini(&b);
	}
}
