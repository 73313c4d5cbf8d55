/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mon/readline.h"
#include "lib/test.h"

static struct strbuf screen, lines;

static void write_screen(void *arg, const char *text, size_t n) { strbuf_addn(&screen, text, n); }

static void take_line(void *arg, const char *text)
{
	strbuf_add(&lines, text);
	strbuf_addc(&lines, '|');
}

static void complete(void *arg, const char *text, void (*fn)(void *arg, const char *word), void *to)
{
	static const char *const words[] = { "alpha", "alphabet", "beta" };
	const char *last = strrchr(text, ' ') ? strrchr(text, ' ') + 1 : text;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (str_prefix(words[i], last, NULL))
			fn(to, words[i]);
	}
}

/* The lines that these keys give. */
static const char *type(const char *keys)
{
	struct readline r;

	readline_init(&r);
	r.prompt = "> ";
	r.write = write_screen;
	r.line = take_line;
	r.complete = complete;
	screen.n = lines.n = 0;
	for (; *keys; keys++)
		readline_key(&r, (u8)*keys);
	readline_fini(&r);
	return strbuf_str(&lines);
}

TEST(readline_plain)
{
	CHECK_STR(type("one\rtwo\nthree\r\n\rx"), "one|two|three||");
	/* what is typed at the end shows as it is: logs stay readable */
	type("ab");
	CHECK_STR(strbuf_str(&screen), "ab");
}

TEST(readline_editing)
{
	CHECK_STR(type("ac\x1b[Db\r"), "abc|");
	CHECK_STR(type("xabc\x01\x04\r"), "abc|");
	CHECK_STR(type("abc\x1b[H_\x1b[F!\r"), "_abc!|");
	CHECK_STR(type("abc\x7f\x7f\x7f\x7f\x62\r"), "b|");
	CHECK_STR(type("one two  \x17three\r"), "one three|");
	CHECK_STR(type("abc\x1b[D\x1b[D\x0b\r"), "a|");
	CHECK_STR(type("abc\x1b[D\x15\r"), "c|");
	CHECK_STR(type("abc\x1b[1~\x1b[3~\r"), "bc|");
	/* keys that nothing is known of are no text */
	CHECK_STR(type("a\x1b[200~b\x1bZ\x02\r"), "ab|");
}

TEST(readline_history)
{
	CHECK_STR(type("one\rtwo\r\x1b[A\r"), "one|two|two|");
	CHECK_STR(type("one\rtwo\r\x1b[A\x1b[A\r"), "one|two|one|");
	CHECK_STR(type("one\rnew\x1b[A\x1b[B\r"), "one|new|");
	CHECK_STR(type("\x1b[A\x1b[Bx\r"), "x|");
	/* the same line twice is there once */
	CHECK_STR(type("a\rb\ra\r\x1b[A\x1b[A\x1b[A\r"), "a|b|a|b|");
}

TEST(readline_completion)
{
	CHECK_STR(type("b\t\r"), "beta |");
	CHECK_STR(type("al\t\r"), "alpha|");
	CHECK_STR(type("x al\tb\t\r"), "x alphabet |");
	CHECK_STR(type("zz\t\r"), "zz|");
	type("alpha\t");
	CHECK(strstr(strbuf_str(&screen), "\r\nalpha     alphabet  "));
}

TEST(readline_long)
{
	static char keys[3 * READLINE_LONGEST];

	memset(keys, 'x', sizeof(keys) - 2);
	keys[sizeof(keys) - 2] = '\r';
	CHECK_EQ(strlen(type(keys)), READLINE_LONGEST + 1);
}
