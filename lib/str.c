/* SPDX-License-Identifier: GPL-2.0-or-later */
/* str.c - growable text, numbers and sizes from text, shell patterns (POSIX 2.13 without classes).
 */
#include "lib/str.h"
#include "lib/alloc.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>

static void reserve(struct strbuf *b, size_t more)
{
	size_t need = b->n + more + 1;

	if (need <= b->cap)
		return;
	b->cap = MAX(need, b->cap * 2);
	b->at = xrealloc(b->at, b->cap);
}

void strbuf_addn(struct strbuf *b, const void *p, size_t n)
{
	reserve(b, n);
	if (n)
		memcpy(b->at + b->n, p, n);
	b->n += n;
	b->at[b->n] = 0;
}

void strbuf_add(struct strbuf *b, const char *s) { strbuf_addn(b, s, strlen(s)); }

void strbuf_addc(struct strbuf *b, char c) { strbuf_addn(b, &c, 1); }

void strbuf_vprintf(struct strbuf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n > 0) {
		reserve(b, n);
		vsnprintf(b->at + b->n, (size_t)n + 1, fmt, again);
		b->n += n;
	}
	va_end(again);
}

void strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strbuf_vprintf(b, fmt, ap);
	va_end(ap);
}

char *strbuf_take(struct strbuf *b)
{
	char *s = b->at ? b->at : xstrdup("");

	*b = (struct strbuf){ 0 };
	return s;
}

const char *strbuf_str(const struct strbuf *b) { return b->at ? b->at : ""; }

void strbuf_fini(struct strbuf *b)
{
	free(b->at);
	*b = (struct strbuf){ 0 };
}

bool str_prefix(const char *s, const char *prefix, const char **rest)
{
	size_t n = strlen(prefix);

	if (strncmp(s, prefix, n))
		return false;
	if (rest)
		*rest = s + n;
	return true;
}

bool str_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !memcmp(s + n - m, suffix, m);
}

int str_to_u64(const char *s, int base, u64 *v)
{
	unsigned long long x;
	char *end;

	if (!isalnum((unsigned char)*s))
		return -EINVAL;
	errno = 0;
	x = strtoull(s, &end, base);
	if (end == s || *end)
		return -EINVAL;
	if (errno == ERANGE)
		return -ERANGE;
	*v = x;
	return 0;
}

int str_to_s64(const char *s, int base, s64 *v)
{
	bool neg = *s == '-';
	u64 x;
	int err = str_to_u64(s + (neg || *s == '+'), base, &x);

	if (err)
		return err;
	if (x > (u64)INT64_MAX + neg)
		return -ERANGE;
	*v = neg ? (s64)(0 - x) : (s64)x;
	return 0;
}

int str_to_u32(const char *s, int base, u32 *v)
{
	u64 x;
	int err = str_to_u64(s, base, &x);

	if (err)
		return err;
	if (x > UINT32_MAX)
		return -ERANGE;
	*v = x;
	return 0;
}

int str_to_bool(const char *s, bool *v)
{
	static const char *const yes[] = { "on", "yes", "true", "y" };
	static const char *const no[] = { "off", "no", "false", "n" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (str_eq(s, yes[i]) || str_eq(s, no[i])) {
			*v = str_eq(s, yes[i]);
			return 0;
		}
	}
	return -EINVAL;
}

/* The multiplier that a size's letter stands for; 0 when it is none. */
static u64 size_letter(char c)
{
	static const char letters[] = "BKMGTPE";
	const char *at = c ? strchr(letters, toupper((unsigned char)c)) : NULL;

	return at ? 1ull << (10 * (at - letters)) : 0;
}

/* Adds the decimal fraction 0.DIGITS of unit, rounded down, to *v; *s moves past the digits. */
static bool add_fraction(const char **s, u64 unit, u64 *v)
{
	u128 num = 0, den = 1;

	for (; isdigit((unsigned char)**s); (*s)++) {
		if (den < 1000000000000000000ull) {
			num = num * 10 + (**s - '0');
			den *= 10;
		}
	}
	return !add_overflow(*v, (u64)(num * unit / den), v);
}

int str_to_size(const char *s, u64 unit, u64 *v, struct error *e)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	const char *fraction = NULL, *p;
	u64 whole, mult = unit;
	char *end;

	if (!isdigit((unsigned char)*s))
		goto bad;
	errno = 0;
	whole = strtoull(s, &end, hex ? 16 : 10);
	if (errno == ERANGE)
		goto too_big;
	p = end;
	if (hex && p == s + 1)
		goto bad;
	if (!hex && *p == '.') {
		fraction = p + 1;
		p = fraction + strspn(fraction, "0123456789");
		if (p == fraction)
			goto bad;
	}
	if (*p) {
		mult = size_letter(*p);
		if (!mult || p[1])
			goto bad;
	}
	if (mul_overflow(whole, mult, &whole) ||
	    (fraction && !add_fraction(&fraction, mult, &whole)))
		goto too_big;
	*v = whole;
	return 0;
bad:
	return error_ret(e, -EINVAL,
			 "'%s' is not a size: a number with one of B, K, M, G, T, P, E is", s);
too_big:
	return error_ret(e, -ERANGE, "size '%s' is too large: the most is below 16E", s);
}

/* Matches one bracket expression at p (behind the '['); returns the character behind it, or NULL
 * when it never closes. */
static const char *match_class(const char *p, char c, bool *hit)
{
	bool negate = *p == '!' || *p == '^', in = false;

	p += negate;
	for (bool first = true; first || *p != ']'; first = false) {
		u8 lo, hi;

		if (!*p)
			return NULL;
		if (*p == '\\' && p[1])
			p++;
		lo = hi = *p++;
		if (*p == '-' && p[1] && p[1] != ']') {
			hi = p[1];
			p += 2;
		}
		in |= lo <= (u8)c && (u8)c <= hi;
	}
	*hit = in != negate;
	return p + 1;
}

/* Matches one pattern element, not '*', against c; returns what follows the element, or NULL. */
static const char *match_one(const char *p, char c)
{
	const char *next;
	bool hit;

	if (!c)
		return NULL;
	if (*p == '?')
		return p + 1;
	if (*p == '[') {
		next = match_class(p + 1, c, &hit);
		if (next)
			return hit ? next : NULL;
	} else if (*p == '\\' && p[1]) {
		p++;
	}
	return *p == c ? p + 1 : NULL;
}

bool str_glob(const char *p, const char *s)
{
	const char *star = NULL, *from = NULL, *next;

	for (;;) {
		if (*p == '*') {
			star = ++p;
			from = s;
			continue;
		}
		if (!*p && !*s)
			return true;
		next = *p ? match_one(p, *s) : NULL;
		if (next) {
			p = next;
			s++;
			continue;
		}
		/* Only the last star needs to be tried longer. */
		if (!star || !*from)
			return false;
		p = star;
		s = ++from;
	}
}
