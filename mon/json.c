/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json.c - JSON (RFC 8259) out of a stream: values follow each other with or without blanks between
 * them. Two things more than the RFC has, as QMP (docs/interop/qmp-spec) allows them: strings in
 * single quotes, and integers up to 2^64 - 1, which become the negative number of the same 64 bits.
 * A byte 0xff starts over.
 */
#include "mon/json.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

enum { DEPTH = 1024, LONGEST = 64 << 20 };

static void start_over(struct json_feed *f)
{
	strbuf_fini(&f->text);
	*f = (struct json_feed){ 0 };
}

static int mistake(struct json_feed *f, struct error *e, const char *what)
{
	int err = error_ret(e, -EINVAL, "JSON parse error, %s", what);

	start_over(f);
	f->swallowed = true;
	return err;
}

/* An integer too large for 63 bits, rewritten. */
static void end_number(struct json_feed *f)
{
	const char *at = f->text.at + f->number - 1;
	u64 v;

	if (f->number && !str_to_u64(at, 10, &v) && v > INT64_MAX) {
		f->text.n = f->number - 1;
		strbuf_printf(&f->text, "%lld", (long long)v);
	}
	f->number = 0;
}

static int complete(struct json_feed *f, json_t **value, struct error *e)
{
	json_error_t je;

	*value = json_loadb(f->text.at, f->text.n, JSON_REJECT_DUPLICATES, &je);
	if (*value) {
		start_over(f);
		return 1;
	}
	mistake(f, e, je.text);
	f->swallowed = false; /* it has ended: what follows is the next */
	return -EINVAL;
}

static void in_string(struct json_feed *f, char c)
{
	if (f->escaped) {
		f->escaped = false;
		if (c == '\'') /* no escape of JSON's own: the backslash goes */
			f->text.n--;
		strbuf_addc(&f->text, c);
	} else if (c == f->quote) {
		f->quote = 0;
		strbuf_addc(&f->text, '"');
	} else if (c == '"') {
		strbuf_add(&f->text, "\\\"");
	} else {
		f->escaped = c == '\\';
		strbuf_addc(&f->text, c);
	}
}

/* Outside of any value: what is no object or array is a mistake, told of when it ends. */
static int between(struct json_feed *f, char c, struct error *e)
{
	char what[64];
	int err;

	if (c == '{' || c == '[' || isspace((unsigned char)c) || f->text.n > 32) {
		bool word = f->text.n && isalpha((unsigned char)f->text.at[0]);

		if (!f->text.n)
			return 0;
		snprintf(what, sizeof(what), word ? "invalid keyword '%.32s'" : "stray '%.32s'",
			 f->text.at);
		err = mistake(f, e, what);
		f->swallowed = !isspace((unsigned char)c) && c != '{' && c != '[';
		return err;
	}
	if (!f->swallowed)
		strbuf_addc(&f->text, isprint((unsigned char)c) ? c : '?');
	return 0;
}

static int in_value(struct json_feed *f, char c, json_t **value, struct error *e)
{
	bool digit = isdigit((unsigned char)c);

	if (f->number && !digit && !isalpha((unsigned char)c) && c != '.' && c != '+' && c != '-')
		end_number(f);
	else if (!f->number && digit && f->text.n && strchr(" :,[", f->text.at[f->text.n - 1]))
		f->number = f->text.n + 1;
	if (c == '"' || c == '\'') {
		f->quote = c;
		strbuf_addc(&f->text, '"');
		return 0;
	}
	strbuf_addc(&f->text, isspace((unsigned char)c) ? ' ' : c);
	if (c == '{' || c == '[')
		f->depth++;
	else if (c == '}' || c == ']')
		f->depth--;
	if (f->depth > DEPTH)
		return mistake(f, e, "nested too deep");
	return f->depth ? 0 : complete(f, value, e);
}

int json_feed(struct json_feed *f, char c, json_t **value, struct error *e)
{
	int err = 0;

	if ((u8)c == 0xff) {
		bool inside = f->depth;

		start_over(f);
		return inside ? error_ret(e, -EINVAL, "JSON parse error, unexpected end of input") :
				0;
	}
	if (!f->depth) {
		err = between(f, c, e);
		if (c != '{' && c != '[')
			return err;
		f->swallowed = false;
	}
	if (f->quote && (u8)c < 0x20)
		return mistake(f, e, "control character in a string");
	if (f->text.n > LONGEST)
		return mistake(f, e, "too long");
	if (f->quote) {
		in_string(f, c);
		return 0;
	}
	if (err) { /* the value begins right behind what is none */
		strbuf_addc(&f->text, c);
		f->depth = 1;
		return err;
	}
	return in_value(f, c, value, e);
}

void json_feed_fini(struct json_feed *f) { start_over(f); }
