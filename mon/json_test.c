/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mon/json.h"
#include "lib/alloc.h"
#include "lib/test.h"
#include <errno.h>

/* All values and mistakes in a text, apart by blanks. */
static const char *read_all(const char *text, size_t n)
{
	static char out[4096];
	struct json_feed f = { 0 };
	struct strbuf b = { 0 };

	for (size_t i = 0; i < n; i++) {
		struct error e = { 0 };
		json_t *v = NULL;
		int got = json_feed(&f, text[i], &v, &e);

		if (got)
			strbuf_add(&b, b.n ? " " : "");
		if (got > 0) {
			AUTO_FREE char *t = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);

			strbuf_add(&b, t);
		} else if (got < 0) {
			CHECK(e.text && !strncmp(e.text, "JSON parse error, ", 18));
			strbuf_printf(&b, "<%.7s>", e.text + 18);
		}
		json_decref(v);
		error_clear(&e);
	}
	json_feed_fini(&f);
	snprintf(out, sizeof(out), "%s", strbuf_str(&b));
	strbuf_fini(&b);
	return out;
}
#define READ(text) read_all(text, sizeof(text) - 1)

TEST(json_stream)
{
	CHECK_STR(READ("{}{\"a\":1}[2]"), "{} {\"a\":1} [2]");
	CHECK_STR(READ(" {\"a\"\n:\r\n[1 ,2, {\"b\":\"}]\"}]}\n\n{}"),
		  "{\"a\":[1,2,{\"b\":\"}]\"}]} {}");
	CHECK_STR(READ("{\"a\":\"\\\"{\\u00e4\\\\\"}"), "{\"a\":\"\\\"{\xc3\xa4\\\\\"}");
	CHECK_STR(READ("{\"a\":"), "");
}

TEST(json_single_quotes)
{
	CHECK_STR(READ("{'a':'it\\'s \"x\"\\n'}"), "{\"a\":\"it's \\\"x\\\"\\n\"}");
}

TEST(json_large_integers)
{
	CHECK_STR(READ("[9223372036854775807,9223372036854775808,18446744073709551615]"),
		  "[9223372036854775807,-9223372036854775808,-1]");
	CHECK_STR(READ("{\"a\": 18446744071578845184}"), "{\"a\":-2130706432}");
	CHECK_STR(READ("[1.5e3,-7,0,\"18446744073709551615\"]"),
		  "[1500.0,-7,0,\"18446744073709551615\"]");
	CHECK_STR(READ("[18446744073709551616]{}"), "<too big> {}");
}

TEST(json_mistakes)
{
	CHECK_STR(READ("word {}"), "<invalid> {}");
	CHECK_STR(READ("word{}"), "<invalid> {}");
	CHECK_STR(READ("5\n}\n{}"), "<stray '> <stray '> {}");
	CHECK_STR(READ("{\"a\" 1}{}"), "<':' exp> {}");
	CHECK_STR(READ("{\"a\":[1}]}{}"), "<']' exp> <stray '> {}");
	CHECK_STR(READ("{\"a\":\"x\ny\"}\n{}"), "<control> {}");
	CHECK_STR(READ("{\"a\":1,\"a\":2}{}"), "<duplica> {}");
	/* 0xff gives up what was begun */
	CHECK_STR(READ("{\"a\":\"\xff{}"), "<unexpec> {}");
	CHECK_STR(READ("\xff{}"), "{}");
}

TEST(json_depth)
{
	char deep[3000];

	memset(deep, '[', sizeof(deep));
	CHECK(!strncmp(read_all(deep, sizeof(deep)), "<nested ", 8));
}
