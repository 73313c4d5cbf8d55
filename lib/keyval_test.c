/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keyval_test.c - option arguments: escapes, flags, JSON, leftovers, suggestions. */
#include "lib/keyval.h"
#include "lib/alloc.h"
#include "lib/test.h"

static struct keyvals parse(const char *text, const char *implied)
{
	struct keyvals kv = { 0 };
	struct error e = { 0 };

	if (keyvals_parse(&kv, text, implied, &e))
		test_fail(__FILE__, __LINE__, "'%s': %s", text, e.text);
	CHECK(!error_is_set(&e));
	return kv;
}

static void refuses(const char *text, const char *implied)
{
	struct keyvals kv = { 0 };
	struct error e = { 0 };

	CHECK(keyvals_parse(&kv, text, implied, &e) < 0);
	CHECK(error_is_set(&e));
	error_clear(&e);
	keyvals_fini(&kv);
}

TEST(keyval_text)
{
	struct keyvals kv = parse("q35,accel=kvm:tcg,a=1,,2,server,nowait,empty=", "type");

	CHECK_EQ(kv.n, 6);
	CHECK_STR(keyvals_get(&kv, "type"), "q35");
	CHECK_STR(keyvals_get(&kv, "accel"), "kvm:tcg");
	CHECK_STR(keyvals_get(&kv, "a"), "1,2");
	CHECK_STR(keyvals_get(&kv, "server"), "on");
	CHECK_STR(keyvals_get(&kv, "wait"), "off");
	CHECK_STR(keyvals_get(&kv, "empty"), "");
	CHECK_STR(keyvals_get(&kv, "absent"), NULL);
	keyvals_fini(&kv);
}

TEST(keyval_implied_and_commas)
{
	struct keyvals kv = parse(",,x,,,,y,b", "path");
	AUTO_FREE char *text = keyvals_text(&kv);

	CHECK_STR(keyvals_get(&kv, "path"), ",x,,y");
	CHECK_STR(text, "path=,,x,,,,y,b");
	keyvals_fini(&kv);
	kv = parse("type=pc", "type");
	CHECK_STR(keyvals_get(&kv, "type"), "pc");
	keyvals_fini(&kv);
	kv = parse("a=1,", NULL);
	CHECK_EQ(kv.n, 1);
	keyvals_fini(&kv);
	kv = parse("", NULL);
	CHECK_EQ(kv.n, 0);
	refuses("a=1,=2", NULL);
	refuses("=2", "x");
}

TEST(keyval_flags_with_commas)
{
	struct keyvals kv = parse("a,,b,c=1", NULL);
	AUTO_FREE char *text = keyvals_text(&kv);

	CHECK_EQ(kv.n, 2);
	CHECK_STR(kv.at[0].key, "a,b");
	CHECK_STR(text, "a,,b,c=1");
	keyvals_fini(&kv);
}

TEST(keyval_last_wins)
{
	struct keyvals kv = parse("a=1,wait,nowait,a=2", NULL), more = parse("a=3,flag", NULL);

	CHECK_STR(keyvals_get(&kv, "a"), "2");
	CHECK_STR(keyvals_get(&kv, "wait"), "off");
	keyvals_merge(&kv, &more);
	CHECK_STR(keyvals_get(&kv, "a"), "3");
	keyvals_set(&kv, "a", keyvals_get(&kv, "a"));
	CHECK_STR(keyvals_get(&kv, "a"), "3");
	keyvals_del(&kv, "a");
	CHECK_STR(keyvals_get(&kv, "a"), NULL);
	CHECK_STR(keyvals_get(&kv, "flag"), "on");
	keyvals_fini(&kv);
	keyvals_fini(&more);
}

TEST(keyval_json)
{
	struct keyvals kv =
		parse("{\"driver\":\"crc\",\"id\":\"c,0\",\"n\":-5,\"f\":true,\"g\":false,"
		      "\"file\":{\"driver\":\"raw\",\"x\":{\"y\":1}},\"ports\":[\"a\",\"b\"]}",
		      "driver");

	CHECK_STR(keyvals_get(&kv, "driver"), "crc");
	CHECK_STR(keyvals_get(&kv, "id"), "c,0");
	CHECK_STR(keyvals_get(&kv, "n"), "-5");
	CHECK_STR(keyvals_get(&kv, "f"), "on");
	CHECK_STR(keyvals_get(&kv, "g"), "off");
	CHECK_STR(keyvals_get(&kv, "file.driver"), "raw");
	CHECK_STR(keyvals_get(&kv, "file.x.y"), "1");
	CHECK_STR(keyvals_get(&kv, "ports.1"), "b");
	keyvals_fini(&kv);
	refuses("{\"a\":", NULL);
	refuses("{\"a\":1,\"a\":2}", NULL);
	refuses("{\"a\":1.5}", NULL);
	refuses("{\"a\":null}", NULL);
	refuses("{\"a\":\"x\\u0000y\"}", NULL);
	refuses("{} x", NULL);
}

TEST(keyval_typed)
{
	struct keyvals kv =
		parse("b=off,n=0x10,s=2G,m=64,c=slew,bad=7,neg=-1,big=99999999999999999999", NULL);
	struct error e = { 0 };
	bool b = true;
	u64 v = 1;
	unsigned c = 9;

	CHECK(!keyvals_bool(&kv, "b", &b, &e) && !b);
	CHECK(!keyvals_bool(&kv, "absent", &b, &e) && !b);
	CHECK(!keyvals_u64(&kv, "n", 0, 16, &v, &e));
	CHECK_EQ(v, 16);
	CHECK(!keyvals_size(&kv, "s", 1, &v, &e));
	CHECK_EQ(v, 2ull << 30);
	CHECK(!keyvals_size(&kv, "m", 1 << 20, &v, &e));
	CHECK_EQ(v, 64ull << 20);
	CHECK(!keyvals_choice(&kv, "c", "none|slew", &c, &e));
	CHECK_EQ(c, 1);
	CHECK(keyvals_bool(&kv, "bad", &b, &e));
	error_clear(&e);
	CHECK(keyvals_u64(&kv, "n", 0, 15, &v, &e));
	CHECK_STR(e.text, "n=0x10 is not between 0 and 15");
	error_clear(&e);
	CHECK(keyvals_u64(&kv, "neg", 0, 15, &v, &e));
	error_clear(&e);
	CHECK(keyvals_u64(&kv, "big", 0, ~0ull, &v, &e));
	error_clear(&e);
	CHECK(keyvals_choice(&kv, "bad", "none|slew", &c, &e));
	error_clear(&e);
	keyvals_fini(&kv);
}

TEST(keyval_leftovers)
{
	struct keyvals kv = parse("server,noweit,x=1", NULL);
	struct error e = { 0 };

	CHECK(keyvals_get(&kv, "server"));
	CHECK(keyvals_all_used(&kv, NULL, &e));
	CHECK_STR(e.text, "'noweit' is not known here");
	error_clear(&e);
	kv.at[1].used = true;
	CHECK(keyvals_get(&kv, "x"));
	CHECK(!keyvals_all_used(&kv, NULL, &e));
	keyvals_fini(&kv);
}

TEST(keyval_help)
{
	struct keyvals kv = parse("virt,help", "type"), no = parse("virt,help=on", "type");

	CHECK(keyvals_help(&kv));
	CHECK(!keyvals_help(&no));
	keyvals_fini(&kv);
	keyvals_fini(&no);
}

TEST(choice_suggestions)
{
	char word[16];

	CHECK(choice_near("kernel|initrd|append", "kernle", word, sizeof(word)));
	CHECK_STR(word, "kernel");
	CHECK(choice_near("kernel|initrd|append", "apend", word, sizeof(word)));
	CHECK_STR(word, "append");
	CHECK(!choice_near("kernel|initrd|append", "monitor", word, sizeof(word)));
	CHECK(!choice_near("m|M", "x", word, sizeof(word)));
	CHECK_EQ(choice_find("a|bc|d", "bc"), 1);
	CHECK_EQ(choice_find("a|bc|d", "b"), -1);
	CHECK_EQ(choice_find("a|bc|d", "a|bc"), -1);
}
