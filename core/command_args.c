/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command_args.c - arguments of commands, by their tables: a human's line in the form that QEMU's
 * monitor has made familiar, and the members of a QMP command, checked for presence and type. */
#include "core/command_args.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/keyval.h"
#include "lib/str.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

/* ---- what commands ask */

bool call_has(const struct command_call *c, const char *name)
{
	return json_object_get(c->args, name) != NULL;
}

const char *call_str(const struct command_call *c, const char *name)
{
	return json_string_value(json_object_get(c->args, name));
}

s64 call_int(const struct command_call *c, const char *name, s64 def)
{
	json_t *v = json_object_get(c->args, name);

	return json_is_integer(v) ? json_integer_value(v) : def;
}

bool call_bool(const struct command_call *c, const char *name, bool def)
{
	json_t *v = json_object_get(c->args, name);

	return v ? json_is_true(v) : def;
}

struct command_format call_format(const struct command_call *c, const char *name)
{
	json_t *f = json_object_get(c->args, name);

	return (struct command_format){
		.count = json_integer_value(json_object_get(f, "count")),
		.format = json_integer_value(json_object_get(f, "format")),
		.size = json_integer_value(json_object_get(f, "size")),
	};
}

/* ---- a human's line */

struct line {
	const char *at;
	struct command_call *c;
	struct error *e;
	char name[64]; /* the command as typed in messages: its last word */
};

static void blanks(struct line *l)
{
	while (isspace((unsigned char)*l->at))
		l->at++;
}

static int set(struct line *l, const char *name, json_t *v)
{
	if (!v)
		return error_ret(l->e, -EINVAL, "%s: '%s' is not valid UTF-8", l->name, name);
	return json_object_set_new(l->c->args, name, v) ? -ENOMEM : 0;
}

static int escape(struct line *l, struct strbuf *b)
{
	switch (*++l->at) {
	case 'n':
		strbuf_addc(b, '\n');
		return 0;
	case 'r':
		strbuf_addc(b, '\r');
		return 0;
	case '\\':
	case '\'':
	case '"':
		strbuf_addc(b, *l->at);
		return 0;
	case 0:
		return error_ret(l->e, -EINVAL, "unterminated string");
	default:
		return error_ret(l->e, -EINVAL, "unsupported escape code: '\\%c'", *l->at);
	}
}

/* A word, or "what is between quotes". */
static int word(struct line *l, struct strbuf *b)
{
	int err = 0;

	blanks(l);
	if (*l->at != '"') {
		while (*l->at && !isspace((unsigned char)*l->at))
			strbuf_addc(b, *l->at++);
		return 0;
	}
	for (l->at++; *l->at != '"' && !err; l->at++) {
		if (!*l->at)
			return error_ret(l->e, -EINVAL, "unterminated string");
		if (*l->at == '\\')
			err = escape(l, b);
		else
			strbuf_addc(b, *l->at);
	}
	if (!err)
		l->at++;
	return err;
}

static int string_arg(struct line *l, const struct command_arg *a)
{
	struct strbuf b = { 0 };
	int err = word(l, &b);

	if (!err)
		err = set(l, a->name, json_stringn(strbuf_str(&b), b.n));
	strbuf_fini(&b);
	return err;
}

static int int_arg(struct line *l, const struct command_arg *a)
{
	u64 v = 0;
	int err = command_expression(l->c->cpu, &l->at, &v, l->e);

	return err ? err : set(l, a->name, json_integer((json_int_t)v));
}

static int word_arg(struct line *l, const struct command_arg *a)
{
	struct strbuf b = { 0 };
	int err = word(l, &b);
	bool on;
	u64 size;

	if (!err && a->type == ARG_SIZE) {
		err = str_to_size(strbuf_str(&b), 1, &size, l->e);
		if (!err)
			err = set(l, a->name, json_integer((json_int_t)size));
	} else if (!err) {
		err = str_to_bool(strbuf_str(&b), &on);
		if (err)
			error_set(l->e, "expected 'on' or 'off'");
		else
			err = set(l, a->name, json_boolean(on));
	}
	strbuf_fini(&b);
	return err;
}

/* The flags that the table has here, in any order, each for itself or several behind one dash. */
static int flags_arg(struct line *l, const struct command_arg *a)
{
	for (;;) {
		blanks(l);
		if (*l->at != '-' || !isalpha((unsigned char)l->at[1]))
			return 0;
		for (l->at++; *l->at && !isspace((unsigned char)*l->at); l->at++) {
			const struct command_arg *f = a;

			while (f->name && f->type == ARG_FLAG && f->flag != *l->at)
				f++;
			if (!f->name || f->type != ARG_FLAG)
				return error_ret(l->e, -EINVAL, "%s: unsupported option -%c",
						 l->name, *l->at);
			if (set(l, f->name, json_true()))
				return -ENOMEM;
		}
	}
}

static int format_chars(struct line *l, struct command_format *f)
{
	for (; *l->at && !isspace((unsigned char)*l->at); l->at++) {
		switch (*l->at) {
		case 'o':
		case 'd':
		case 'u':
		case 'x':
		case 'i':
		case 'c':
			f->format = *l->at;
			break;
		case 'b':
			f->size = 1;
			break;
		case 'h':
			f->size = 2;
			break;
		case 'w':
			f->size = 4;
			break;
		case 'g':
		case 'L':
			f->size = 8;
			break;
		default:
			return error_ret(l->e, -EINVAL, "invalid char in format: '%c'", *l->at);
		}
	}
	return 0;
}

static int format_arg(struct line *l, const struct command_arg *a)
{
	struct command_session *s = l->c->s;
	struct command_format f = { .count = 1 };
	int err = 0;

	blanks(l);
	if (*l->at == '/') {
		l->at++;
		if (isdigit((unsigned char)*l->at))
			f.count = 0;
		while (isdigit((unsigned char)*l->at) && f.count < 1u << 24)
			f.count = f.count * 10 + (*l->at++ - '0');
		err = format_chars(l, &f);
	}
	if (err)
		return err;
	if (!f.format)
		f.format = s->format ? s->format : 'x';
	if (!f.size && f.format != 'i')
		f.size = f.format == 'c' ? 1 : s->format_size ? s->format_size : 4;
	s->format = f.format;
	if (f.size && f.format != 'c')
		s->format_size = f.size;
	return set(l, a->name,
		   json_pack("{s:i, s:i, s:i}", "count", (int)f.count, "format", f.format, "size",
			     f.size));
}

static int rest_arg(struct line *l, const struct command_arg *a)
{
	size_t n;

	blanks(l);
	n = strlen(l->at);
	while (n && isspace((unsigned char)l->at[n - 1]))
		n--;
	if (!n)
		return a->optional ?
			       0 :
			       error_ret(l->e, -EINVAL, "%s: '%s' is missing", l->name, a->name);
	set(l, a->name, json_stringn(l->at, n));
	l->at += strlen(l->at);
	return call_has(l->c, a->name) ?
		       0 :
		       error_ret(l->e, -EINVAL, "%s: '%s' is not valid UTF-8", l->name, a->name);
}

static int keyvals_arg(struct line *l, const struct command_arg *a)
{
	struct keyvals kv = { 0 };
	struct strbuf b = { 0 };
	int err = word(l, &b);

	if (!err)
		err = keyvals_parse(&kv, strbuf_str(&b), a->name, l->e);
	for (size_t i = 0; i < kv.n && !err; i++)
		err = set(l, kv.at[i].key, json_string(kv.at[i].value));
	keyvals_fini(&kv);
	strbuf_fini(&b);
	return err;
}

static int parse_arg(struct line *l, const struct command_arg *a)
{
	switch (a->type) {
	case ARG_INT:
		return int_arg(l, a);
	case ARG_SIZE:
	case ARG_BOOL:
		return word_arg(l, a);
	case ARG_FLAG:
		return flags_arg(l, a);
	case ARG_FORMAT:
		return format_arg(l, a);
	case ARG_REST:
		return rest_arg(l, a);
	case ARG_KEYVALS:
		return keyvals_arg(l, a);
	default:
		return string_arg(l, a);
	}
}

/* Is there nothing for this argument? Flags and formats may be anywhere, what is missing of the
 * others is said in their own words. */
static int missing(struct line *l, const struct command_arg *a)
{
	blanks(l);
	if (*l->at || a->type == ARG_FLAG || a->type == ARG_FORMAT || a->type == ARG_REST)
		return 0;
	if (a->optional)
		return 1;
	if (a->type == ARG_STRING || a->type == ARG_ANY)
		return error_ret(l->e, -EINVAL, "%s: string expected", l->name);
	if (a->type == ARG_KEYVALS)
		return error_ret(l->e, -EINVAL, "Parameter '%s' is missing", a->name);
	if (a->type == ARG_BOOL)
		return error_ret(l->e, -EINVAL, "expected 'on' or 'off'");
	return 0;
}

int command_parse_args(struct command_call *c, const char *text, struct error *e)
{
	struct line l = { .at = text, .c = c, .e = e };
	const char *last = strrchr(c->command->hmp, ' ');
	int err = 0;

	snprintf(l.name, sizeof(l.name), "%s", last ? last + 1 : c->command->hmp);
	for (const struct command_arg *a = c->command->args; a && a->name && err >= 0; a++) {
		err = missing(&l, a);
		if (!err)
			err = parse_arg(&l, a);
	}
	if (err < 0)
		return err;
	blanks(&l);
	if (*l.at)
		return error_ret(e, -EINVAL, "%s: extraneous characters at the end of line",
				 l.name);
	return 0;
}

/* ---- QMP */

static const char *expected(enum command_type t)
{
	switch (t) {
	case ARG_INT:
	case ARG_SIZE:
		return "integer";
	case ARG_BOOL:
	case ARG_FLAG:
		return "boolean";
	default:
		return "string";
	}
}

static bool right_type(enum command_type t, const json_t *v)
{
	switch (t) {
	case ARG_INT:
	case ARG_SIZE:
		return json_is_integer(v);
	case ARG_BOOL:
	case ARG_FLAG:
		return json_is_boolean(v);
	case ARG_ANY:
		return true;
	default:
		return json_is_string(v);
	}
}

static const struct command_arg *find_arg(const struct command *c, const char *name)
{
	const struct command_arg *a;

	for (a = c->args; a && a->name; a++) {
		if (str_eq(a->name, name))
			return a;
	}
	return NULL;
}

static bool takes_more(const struct command *c)
{
	const struct command_arg *a;

	for (a = c->args; a && a->name; a++) {
		if (a->type == ARG_KEYVALS)
			return true;
	}
	return false;
}

int command_check_args(struct command_call *c, json_t *given, struct error *e)
{
	const struct command_arg *a;
	const char *key;
	json_t *v;

	json_object_foreach(given, key, v)
	{
		a = find_arg(c->command, key);
		if (!a && !takes_more(c->command))
			return error_ret(e, -EINVAL, "Parameter '%s' is unexpected", key);
		if (a && !right_type(a->type, v))
			return error_ret(e, -EINVAL,
					 "Invalid parameter type for '%s', expected: %s", key,
					 expected(a->type));
		if (json_object_set(c->args, key, v))
			return -ENOMEM;
	}
	for (a = c->command->args; a && a->name; a++) {
		if (!a->optional && a->type != ARG_FLAG && a->type != ARG_FORMAT &&
		    !json_object_get(given, a->name))
			return error_ret(e, -EINVAL, "Parameter '%s' is missing", a->name);
	}
	return 0;
}
