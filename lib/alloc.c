/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alloc.c - allocation that cannot fail: one sentence and abort when memory is out. */
#include "lib/alloc.h"
#include <stdarg.h>
#include <stdio.h>

static _Noreturn cold_path void out_of_memory(size_t n)
{
	fprintf(stderr, "quern: out of memory: cannot allocate %zu bytes\n", n);
	abort();
}

void *xalloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	if (!p)
		out_of_memory(n);
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	size_t total;

	if (mul_overflow(n, size, &total))
		out_of_memory(SIZE_MAX);
	return xalloc(total);
}

void *xrealloc(void *p, size_t n)
{
	void *q = realloc(p, n ? n : 1);

	if (!q)
		out_of_memory(n);
	return q;
}

void *xmemdup(const void *p, size_t n)
{
	void *q = malloc(n ? n : 1);

	if (!q)
		out_of_memory(n);
	if (n)
		memcpy(q, p, n);
	return q;
}

char *xstrdup(const char *s) { return xmemdup(s, strlen(s) + 1); }

char *xstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *q = malloc(len + 1);

	if (!q)
		out_of_memory(len + 1);
	memcpy(q, s, len);
	q[len] = 0;
	return q;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory(strlen(fmt));
	return s;
}
