/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet_test.c - framing and arguments of GDB packets, whole and in pieces, and wrong ones. */
#include "packet.h"
#include "lib/test.h"
#include <errno.h>

struct seen {
	struct gdb_reader r;
	struct strbuf text;
};

static void seen_event(void *arg, enum gdb_event e, char *body, size_t n)
{
	struct seen *s = arg;

	if (e == GDB_PACKET)
		CHECK_EQ(body[n], 0);
	strbuf_printf(&s->text, "%c%s ", "pb+-c"[e], e == GDB_PACKET ? body : "");
}

/* What comes out of `in`, given in pieces of every size. */
static void check_reader(const char *in, const char *want)
{
	size_t n = strlen(in);

	for (size_t piece = 1; piece <= n; piece++) {
		struct seen s = { .r = { .event = seen_event } };

		s.r.arg = &s;
		for (size_t at = 0; at < n; at += piece)
			gdb_feed(&s.r, (const u8 *)in + at, MIN(piece, n - at));
		CHECK_STR(strbuf_str(&s.text), want);
		strbuf_fini(&s.text);
		gdb_reader_fini(&s.r);
	}
}

TEST(gdb_packets_are_read)
{
	check_reader("$g#67", "pg ");
	check_reader("+$#00-", "+ p - ");
	check_reader("\3$?#3f\3", "c p? c ");
	check_reader("$g#68", "b ");
	check_reader("$g#6G$g#67", "b pg ");
	check_reader("noise$m0,4#fdmore", "pm0,4 ");
	/* Ctrl-C inside a body is data; a raw $ begins anew */
	check_reader("$a\3#64$mmmmm$g#67", "pa\3 pg ");
	check_reader("$g#67$g#67", "pg pg ");
}

TEST(gdb_packets_have_a_greatest_size)
{
	struct seen s = { .r = { .event = seen_event } };
	struct strbuf b = { 0 };

	s.r.arg = &s;
	strbuf_addc(&b, '$');
	for (unsigned i = 0; i < GDB_PACKET_MAX + 16; i++)
		strbuf_addc(&b, '0');
	strbuf_add(&b, "#00$g#67");
	gdb_feed(&s.r, (const u8 *)b.at, b.n);
	CHECK_STR(strbuf_str(&s.text), "b pg ");
	CHECK(s.r.cap <= 2 * GDB_PACKET_MAX);
	strbuf_fini(&b);
	strbuf_fini(&s.text);
	gdb_reader_fini(&s.r);
}

TEST(gdb_packets_are_written)
{
	struct strbuf b = { 0 };
	char bin[] = "a}\3b}]";

	gdb_frame(&b, '$', "OK", 2);
	gdb_frame(&b, '%', "Stop:", 5);
	CHECK_STR(strbuf_str(&b), "$OK#9a%Stop:#e0");
	strbuf_fini(&b);
	gdb_put_hex(&b, "\x01\xab\xff", 3);
	CHECK_STR(strbuf_str(&b), "01abff");
	strbuf_fini(&b);
	gdb_put_binary(&b, "a#b$c}d*e", 9);
	CHECK_STR(strbuf_str(&b), "a}\3b}\4c}]d}\ne");
	CHECK_EQ(gdb_unescape(b.at, b.n), 9);
	CHECK_MEM(b.at, "a#b$c}d*e", 9);
	strbuf_fini(&b);
	CHECK_EQ(gdb_unescape(bin, 7), 5);
	CHECK_MEM(bin, "a#b}", 4);
	gdb_put_part(&b, "abcdef", 6, 2, 3);
	gdb_put_part(&b, "abcdef", 6, 2, 4);
	gdb_put_part(&b, "abcdef", 6, 7, 4);
	gdb_put_part(&b, NULL, 0, 0, 4);
	CHECK_STR(strbuf_str(&b), "mcdelcdefll");
	strbuf_fini(&b);
}

TEST(gdb_arguments)
{
	struct gdb_tid id;
	const char *p = "1f,0";
	u8 buf[4];
	u64 v;

	CHECK(gdb_number(&p, &v));
	CHECK_EQ(v, 0x1f);
	CHECK(gdb_word(&p, ","));
	CHECK(gdb_number(&p, &v));
	CHECK(!gdb_number(&p, &v));
	p = "fffffffffffffffff";
	CHECK(!gdb_number(&p, &v));
	p = "ffffffffffffffff";
	CHECK(gdb_number(&p, &v));
	CHECK_EQ(v, -1);
	CHECK_EQ(gdb_get_hex("0aB0", buf, 2), 0);
	CHECK_MEM(buf, "\n\xb0", 2);
	CHECK_EQ(gdb_get_hex("0aB", buf, 2), -EINVAL);
	p = "p1.a";
	CHECK(gdb_thread_id(&p, &id) && id.pid == 1 && id.tid == 10);
	p = "p2";
	CHECK(gdb_thread_id(&p, &id) && id.pid == 2 && id.tid == GDB_ALL);
	p = "p-1.-1";
	CHECK(gdb_thread_id(&p, &id) && id.pid == GDB_ALL && id.tid == GDB_ALL);
	p = "3;c";
	CHECK(gdb_thread_id(&p, &id) && id.pid == 0 && id.tid == 3);
	CHECK_STR(p, ";c");
	p = "p1.";
	CHECK(!gdb_thread_id(&p, &id));
	p = "";
	CHECK(!gdb_thread_id(&p, &id));
}
