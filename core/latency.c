/* SPDX-License-Identifier: GPL-2.0-or-later */
/* latency.c - times as settings, and draws from their distributions in fixed point. */
#include "core/latency.h"
#include "core/device.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/hash.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum kind { FIXED, UNIFORM, EXPONENTIAL, NORMAL, LOGNORMAL };
#define LIMIT BIT64(53)

/* ---- fixed point */

s64 log2_q32(u64 x)
{
	unsigned top = 63 - __builtin_clzll(x);
	u64 m = x << (63 - top); /* 1 <= m / 2^63 < 2 */
	s64 r = (s64)top << 32;

	for (int bit = 31; bit >= 0; bit--) {
		unsigned __int128 sq = (unsigned __int128)m * m;

		if (sq >> 127) {
			m = sq >> 64;
			r |= BIT64(bit);
		} else {
			m = sq >> 63;
		}
	}
	return r;
}

/* 2^(2^-k) in Q62, k = 1..32 */
static const u64 roots[] = {
	0x5a827999fcef3242ull, 0x4c1bf828c6dc54b8ull, 0x45cae0f1f545eb73ull, 0x42d561b3e6243d8aull,
	0x4166c34c5615d0ecull, 0x40b268f9de0183baull, 0x4058f6a7ecccd5b6ull, 0x402c6be96af2fb58ull,
	0x4016321b687027a8ull, 0x400b18178ba33b14ull, 0x40058bce410147e8ull, 0x4002c5d7bff71dafull,
	0x400162e807ee7e5bull, 0x4000b1730df6a524ull, 0x400058b9497b8152ull, 0x40002c5c955dd701ull,
	0x4000162e46d6f26cull, 0x40000b1722757b1bull, 0x4000058b90fd3e0cull, 0x400002c5c86f3f26ull,
	0x40000162e433c79bull, 0x400000b17218edd0ull, 0x40000058b90c3968ull, 0x4000002c5c860d54ull,
	0x400000162e4302d2ull, 0x4000000b17218073ull, 0x400000058b90bffcull, 0x40000002c5c85fefull,
	0x4000000162e42ff3ull, 0x40000000b17217f9ull, 0x4000000058b90bfcull, 0x400000002c5c85feull,
};

u64 exp2_q32(s64 x)
{
	u64 m = BIT64(62);
	s64 whole = x >> 32;

	if (whole < 0)
		return 0;
	if (whole > 62)
		return ~0ull;
	for (unsigned k = 0; k < ARRAY_SIZE(roots); k++) {
		if (x >> (31 - k) & 1)
			m = (u64)((unsigned __int128)m * roots[k] >> 62);
	}
	return m >> (62 - whole);
}

static u64 scale(u64 x, u64 q32) { return (u64)((unsigned __int128)x * q32 >> 32); }

/* ---- text */

int time_parse(const char *text, u64 *ns, struct error *e)
{
	static const struct {
		const char *name;
		u64 ns;
	} units[] = {
		{ "", 1 }, { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 }
	};
	char *end;
	double v;

	if (*text < '0' || *text > '9')
		goto bad;
	v = strtod(text, &end);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (!str_eq(end, units[i].name) || !(v * units[i].ns <= (double)LIMIT))
			continue;
		*ns = (u64)(v * units[i].ns + 0.5);
		return 0;
	}
bad:
	return error_ret(e, -EINVAL,
			 "'%s' is no time: it is a number with ns, us, ms or s, as in 50us, and at "
			 "most 104 days",
			 text);
}

static int two_times(struct latency *l, enum kind kind, const char *text, const char *separator,
		     struct error *e)
{
	const char *cut = strstr(text, separator);
	AUTO_FREE char *first = xstrndup(text, cut ? (size_t)(cut - text) : strlen(text));
	u64 a, b;

	if (!cut)
		return error_ret(e, -EINVAL, "'%s' lacks its second time, after a '%s'", text,
				 separator);
	if (time_parse(first, &a, e) || time_parse(cut + strlen(separator), &b, e))
		return -EINVAL;
	l->kind = kind;
	l->a = a;
	l->b = b;
	return 0;
}

int latency_parse(struct latency *l, const char *text, struct error *e)
{
	struct latency new = *l;
	const char *rest;
	int err;

	if (str_prefix(text, "exp:", &rest)) {
		new.kind = EXPONENTIAL;
		err = time_parse(rest, &new.a, e);
	} else if (str_prefix(text, "normal:", &rest)) {
		err = two_times(&new, NORMAL, rest, ":", e);
	} else if (str_prefix(text, "lognormal:", &rest)) {
		err = two_times(&new, LOGNORMAL, rest, ":", e);
		if (!err && (!new.a || new.b < new.a))
			err = error_ret(e, -EINVAL,
					"'%s': the median is above 0, and the 99th percentile not "
					"below it",
					text);
	} else if (strstr(text, "..")) {
		err = two_times(&new, UNIFORM, text, "..", e);
		if (!err && new.b < new.a)
			err = error_ret(e, -EINVAL, "'%s' ends before it begins", text);
	} else {
		new.kind = FIXED;
		err = time_parse(text, &new.a, e);
	}
	if (!err)
		*l = new;
	return err;
}

static void print_time(u64 ns, char *buf, size_t size)
{
	if (ns && ns % 1000000000 == 0)
		snprintf(buf, size, "%llus", (unsigned long long)ns / 1000000000);
	else if (ns && ns % 1000000 == 0)
		snprintf(buf, size, "%llums", (unsigned long long)ns / 1000000);
	else if (ns && ns % 1000 == 0)
		snprintf(buf, size, "%lluus", (unsigned long long)ns / 1000);
	else
		snprintf(buf, size, "%lluns", (unsigned long long)ns);
}

void latency_print(const struct latency *l, char *buf, size_t size)
{
	static const char *const form[] = { [FIXED] = "%s",
					    [UNIFORM] = "%s..%s",
					    [EXPONENTIAL] = "exp:%s",
					    [NORMAL] = "normal:%s:%s",
					    [LOGNORMAL] = "lognormal:%s:%s" };
	char a[24], b[24];

	print_time(l->a, a, sizeof(a));
	print_time(l->b, b, sizeof(b));
	snprintf(buf, size, form[l->kind], a, b);
}

/* ---- draws */

/* About normal, variance 1, Q32: the sum of twelve uniform numbers, less its mean. */
static s64 normal_q32(u64 r)
{
	s64 z = -(6ll << 32);

	for (int i = 0; i < 6; i++) {
		r = hash_u64(r);
		z += (s64)(r >> 32) + (s64)(r & 0xffffffff);
	}
	return z;
}

#define Z99_Q32 9991384720ll /* 2.32634787: the 99th percentile of the normal distribution */
#define LN2_Q32 2977044472ull

u64 latency_draw(struct latency *l, u64 seed)
{
	u64 r, v;
	s64 z;

	if (l->kind == FIXED)
		return l->a;
	r = hash_u64(hash_u64(seed ^ l->key) + l->drawn++);
	switch ((enum kind)l->kind) {
	case UNIFORM:
		return l->a + (u64)((unsigned __int128)r * (l->b - l->a + 1) >> 64);
	case EXPONENTIAL:
		v = (64ull << 32) - (u64)log2_q32(r | 1);
		return scale(l->a, scale(v, LN2_Q32));
	case NORMAL:
		z = normal_q32(r);
		v = scale(l->b, (u64)(z < 0 ? -z : z));
		return z >= 0 ? l->a + v : l->a > v ? l->a - v : 0;
	default:
		z = normal_q32(r);
		v = (u64)(log2_q32(l->b) - log2_q32(l->a));
		z = (s64)((__int128)z * (s64)v / Z99_Q32);
		return MIN(exp2_q32(log2_q32(l->a) + z), LIMIT);
	}
}

u64 latency_ns(void *dev, struct latency *l)
{
	struct device *d = dev;

	return latency_draw(l, d->core->machine->seed ^ hash_str(d->id));
}
