/* SPDX-License-Identifier: GPL-2.0-or-later */
/* str_test.c - text, numbers, sizes and patterns. */
#include "lib/str.h"
#include "lib/test.h"
#include <errno.h>
#include <stdlib.h>

TEST(strbuf)
{
	struct strbuf b = { 0 };
	char *s;

	CHECK_STR(strbuf_str(&b), "");
	strbuf_add(&b, "ab");
	strbuf_addc(&b, 'c');
	for (int i = 0; i < 100; i++)
		strbuf_printf(&b, "%d,", i);
	CHECK_EQ(b.n, 3 + 10 * 2 + 90 * 3);
	CHECK(str_suffix(b.at, ",98,99,"));
	strbuf_fini(&b);
	s = strbuf_take(&b);
	CHECK_STR(s, "");
	free(s);
	strbuf_addn(&b, "x\0y", 3);
	CHECK_EQ(b.n, 3);
	CHECK_MEM(b.at, "x\0y\0", 4);
	strbuf_fini(&b);
}

TEST(str_numbers)
{
	u64 v = 7;
	s64 s;
	u32 w;

	CHECK_EQ(str_to_u64("18446744073709551615", 10, &v), 0);
	CHECK_EQ(v, UINT64_MAX);
	v = 7;
	CHECK_EQ(str_to_u64("18446744073709551616", 10, &v), -ERANGE);
	static const char *const bad[] = { "", " 1", "1 ", "-1", "+1", "1x", "x", "0x" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_EQ(str_to_u64(bad[i], 10, &v), -EINVAL);
	CHECK_EQ(str_to_u64("0x", 0, &v), -EINVAL);
	CHECK_EQ(v, 7);
	CHECK_EQ(str_to_u64("0x10", 0, &v), 0);
	CHECK_EQ(v, 16);
	CHECK_EQ(str_to_s64("-9223372036854775808", 10, &s), 0);
	CHECK_EQ(s, INT64_MIN);
	CHECK_EQ(str_to_s64("9223372036854775808", 10, &s), -ERANGE);
	CHECK_EQ(str_to_s64("--1", 10, &s), -EINVAL);
	CHECK_EQ(str_to_u32("4294967296", 10, &w), -ERANGE);
	CHECK_EQ(str_to_u32("644", 8, &w), 0);
	CHECK_EQ(w, 0644);
}

static u64 size_of(const char *s)
{
	u64 v;

	CHECK_EQ(str_to_size(s, 1 << 20, &v, NULL), 0);
	return v;
}

TEST(str_sizes)
{
	struct error e = { 0 };
	u64 v = 7;

	CHECK_EQ(size_of("1024"), 1024ull << 20);
	CHECK_EQ(size_of("4G"), 4ull << 30);
	CHECK_EQ(size_of("4g"), 4ull << 30);
	CHECK_EQ(size_of("512B"), 512);
	CHECK_EQ(size_of("1.5G"), 3ull << 29);
	CHECK_EQ(size_of("0.5"), 1 << 19);
	CHECK_EQ(size_of("0x10"), 16 << 20);
	CHECK_EQ(size_of("15E"), 15ull << 60);
	CHECK_EQ(str_to_size("16E", 1, &v, &e), -ERANGE);
	CHECK(strstr(e.text, "'16E'"));
	error_clear(&e);
	CHECK_EQ(str_to_size("15.99999999999999999999E", 1, &v, NULL), 0);
	v = 7;
	static const char *const bad[] = {
		"", "G", "-1", "1GB", "1.", "1.G", "1 G", "0x", "1X", "."
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_EQ(str_to_size(bad[i], 1, &v, NULL), -EINVAL);
	CHECK_EQ(v, 7);
}

TEST(str_glob)
{
	static const struct {
		const char *pattern, *yes, *no;
	} t[] = {
		{ "", "", "a" },	   { "*", "", NULL },
		{ "a*c", "abbc", "abcd" }, { "*.ko", "a.ko.ko", "a.kox" },
		{ "?b", "ab", "b" },	   { "[a-c]x", "bx", "dx" },
		{ "[!a-c]x", "dx", "ax" }, { "[]]", "]", "[" },
		{ "\\*", "*", "a" },	   { "a**b*", "aab", "a" },
		{ "[ab", "[ab", "a" },	   { "[a-]", "-", "b" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		if (!str_glob(t[i].pattern, t[i].yes) ||
		    (t[i].no && str_glob(t[i].pattern, t[i].no)))
			test_fail(__FILE__, __LINE__, "pattern %s", t[i].pattern);
	}
}

TEST(str_bool)
{
	bool v = false;

	CHECK_EQ(str_to_bool("on", &v), 0);
	CHECK(v);
	CHECK_EQ(str_to_bool("no", &v), 0);
	CHECK(!v);
	CHECK_EQ(str_to_bool("maybe", &v), -EINVAL);
}
