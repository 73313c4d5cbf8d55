/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base64.h"
#include "lib/test.h"
#include <errno.h>

/* RFC 4648 section 10 */
TEST(base64_vectors)
{
	static const char *const v[][2] = { { "", "" },
					    { "f", "Zg==" },
					    { "fo", "Zm8=" },
					    { "foo", "Zm9v" },
					    { "foob", "Zm9vYg==" },
					    { "fooba", "Zm9vYmE=" },
					    { "foobar", "Zm9vYmFy" } };

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		struct strbuf b = { 0 }, back = { 0 };

		base64_encode(&b, v[i][0], strlen(v[i][0]));
		CHECK_STR(strbuf_str(&b), v[i][1]);
		CHECK_EQ(base64_decode(&back, v[i][1]), 0);
		CHECK_STR(strbuf_str(&back), v[i][0]);
		strbuf_fini(&b);
		strbuf_fini(&back);
	}
}

TEST(base64_refuses)
{
	static const char *const bad[] = { "Z",	    "Zg",   "Zg=",  "=",    "Zg==Zg==",
					   "Zm9v=", "Zm9*", "Z=g=", "====", "Zg===" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct strbuf b = { 0 };

		if (base64_decode(&b, bad[i]) != -EINVAL)
			test_fail(__FILE__, __LINE__, "'%s' is taken", bad[i]);
		strbuf_fini(&b);
	}
}

TEST(hex_text)
{
	struct strbuf b = { 0 }, t = { 0 };

	CHECK_EQ(hex_decode(&b, "00 fF7f"), 0);
	CHECK_EQ(b.n, 3);
	CHECK_MEM(b.at, "\0\xff\x7f", 3);
	hex_encode(&t, b.at, b.n);
	CHECK_STR(strbuf_str(&t), "00ff7f");
	CHECK_EQ(hex_decode(&b, "0"), -EINVAL);
	CHECK_EQ(hex_decode(&b, "0g"), -EINVAL);
	strbuf_fini(&b);
	strbuf_fini(&t);
}
