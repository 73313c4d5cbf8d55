/* SPDX-License-Identifier: GPL-2.0-or-later */
/* error.c - the one sentence for the user. */
#include "lib/error.h"
#include "lib/alloc.h"
#include <stdarg.h>
#include <stdio.h>

static const char *program = "quern";

static char *format(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0) {
		fprintf(stderr, "%s: out of memory while writing an error message\n", program);
		abort();
	}
	return s;
}

void error_set(struct error *e, const char *fmt, ...)
{
	va_list ap;

	if (!e || e->text)
		return;
	va_start(ap, fmt);
	e->text = format(fmt, ap);
	va_end(ap);
}

int error_ret(struct error *e, int err, const char *fmt, ...)
{
	va_list ap;

	if (!e || e->text)
		return err;
	va_start(ap, fmt);
	e->text = format(fmt, ap);
	va_end(ap);
	return err;
}

void error_prefix(struct error *e, const char *fmt, ...)
{
	AUTO_FREE char *prefix = NULL;
	va_list ap;
	char *old;

	if (!e || !e->text)
		return;
	va_start(ap, fmt);
	prefix = format(fmt, ap);
	va_end(ap);
	old = e->text;
	e->text = xasprintf("%s: %s", prefix, old);
	free(old);
}

bool error_is_set(const struct error *e) { return e && e->text; }

void error_print(struct error *e)
{
	if (!error_is_set(e))
		return;
	fflush(stdout);
	fprintf(stderr, "%s: %s\n", program, e->text);
	error_clear(e);
}

void error_clear(struct error *e)
{
	if (!e)
		return;
	free(e->text);
	e->text = NULL;
}

void error_program(const char *name) { program = name; }

void warn(const char *fmt, ...)
{
	AUTO_FREE char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = format(fmt, ap);
	va_end(ap);
	fflush(stdout);
	fprintf(stderr, "%s: warning: %s\n", program, text);
}
