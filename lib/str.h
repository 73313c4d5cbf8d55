/* SPDX-License-Identifier: GPL-2.0-or-later */
/* str.h - growable text, and text into numbers, sizes and verdicts with every input error seen. */
#pragma once
#include <quern/types.h>
#include "lib/error.h"
#include <stdarg.h>

/* A growable text; `struct strbuf b = {0}` starts empty. at is NULL or NUL-terminated; n does not
 * count the NUL. */
struct strbuf {
	char *at;
	size_t n, cap;
};

void strbuf_add(struct strbuf *b, const char *s);
void strbuf_addn(struct strbuf *b, const void *p, size_t n); /* may hold NULs */
void strbuf_addc(struct strbuf *b, char c);
void strbuf_printf(struct strbuf *b, const char *fmt, ...) printf_like(2, 3);
void strbuf_vprintf(struct strbuf *b, const char *fmt, va_list ap) printf_like(2, 0);
/* The text, never NULL, now the caller's to free; b is empty again. */
char *strbuf_take(struct strbuf *b);
/* The text without giving it away: "" when empty. */
const char *strbuf_str(const struct strbuf *b);
void strbuf_fini(struct strbuf *b);

static inline bool str_eq(const char *a, const char *b) { return !strcmp(a, b); }
/* Does s start with prefix? If so and rest is given, *rest is what follows. */
bool str_prefix(const char *s, const char *prefix, const char **rest);
bool str_suffix(const char *s, const char *suffix);

/*
 * The whole of s as a number: no blanks, no trailing text. Base 0 takes 0x.. and 0.. prefixes.
 * -EINVAL when it is no number, -ERANGE when it does not fit; *v is then untouched. A sign is
 * accepted by the signed form only.
 */
int str_to_u64(const char *s, int base, u64 *v) must_check;
int str_to_s64(const char *s, int base, s64 *v) must_check;
int str_to_u32(const char *s, int base, u32 *v) must_check;
/* on/off, yes/no, true/false, y/n. */
int str_to_bool(const char *s, bool *v) must_check;
/*
 * A size: digits (or 0x.., or a decimal fraction as in 1.5G) and one of B K M G T P E in either
 * case, powers of 1024; a number without a letter counts units of `unit` bytes. The sentence in e
 * names s.
 */
int str_to_size(const char *s, u64 unit, u64 *v, struct error *e) must_check;

/* Shell patterns: * ? [a-z] [!a-z] and \ before a character; no special treatment of '/' or a
 * leading dot. */
bool str_glob(const char *pattern, const char *s);
