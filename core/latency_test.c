/* SPDX-License-Identifier: GPL-2.0-or-later */
/* latency_test.c - times as settings: grammar, distributions against their closed forms, repetition
 * by seed, and snapshots. */
#include "core/blob.h"
#include "core/latency.h"
#include "core/snapshot_device.h"
#include "core/tdev.h"
#include "lib/error.h"
#include "lib/test.h"
#include <math.h>
#include <stdlib.h>

TEST(latency_fixed_point)
{
	for (u64 x = 1; x < BIT64(60); x = x * 3 + 1) {
		double want = log2((double)x);

		CHECK(fabs((double)log2_q32(x) / 4294967296.0 - want) < 1e-8);
		/* relative: 2^-29 of the logarithm, and one by rounding */
		CHECK(fabs((double)exp2_q32(log2_q32(x)) - (double)x) <= 1 + (double)x * 4e-9);
	}
	CHECK_EQ(exp2_q32(0), 1);
	CHECK_EQ(exp2_q32(-(1ll << 32)), 0);
	CHECK_EQ(exp2_q32(64ll << 32), ~0ull);
}

TEST(latency_grammar)
{
	static const char *const good[][2] = {
		{ "50us", "50us" },
		{ "7", "7ns" },
		{ "0", "0ns" },
		{ "1.5ms", "1500us" },
		{ "2s", "2s" },
		{ "20us..80us", "20us..80us" },
		{ "exp:1ms", "exp:1ms" },
		{ "normal:50us:5us", "normal:50us:5us" },
		{ "lognormal:80us:2ms", "lognormal:80us:2ms" },
	};
	static const char *const bad[] = { "",
					   "us",
					   "5m",
					   "-5us",
					   "5us..",
					   "80us..20us",
					   "exp:",
					   "normal:5us",
					   "lognormal:0:5us",
					   "gamma:5us",
					   "lognormal:5ms:5us",
					   "1e300s",
					   "nan",
					   "5us 6us",
					   "normal:1us:2us:3us" };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct latency l = { 0 };
		char text[80];

		CHECK_EQ(latency_parse(&l, good[i][0], NULL), 0);
		latency_print(&l, text, sizeof(text));
		CHECK_STR(text, good[i][1]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct latency l = { .a = 77 };
		struct error e = { 0 };

		CHECK(latency_parse(&l, bad[i], &e) < 0);
		CHECK(error_is_set(&e));
		CHECK_EQ(l.a, 77);
		error_clear(&e);
	}
}

enum { DRAWS = 100000 };
static u64 drawn[DRAWS];

static int by_value(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static void draw(const char *text)
{
	struct latency l = { .key = 5 };

	CHECK_EQ(latency_parse(&l, text, NULL), 0);
	for (unsigned i = 0; i < DRAWS; i++)
		drawn[i] = latency_draw(&l, 42);
	qsort(drawn, DRAWS, sizeof(*drawn), by_value);
}

/* The p-th fraction of the draws is at `want`, within `part` of it. */
static bool quantile(double p, double want, double part)
{
	return fabs((double)drawn[(unsigned)(p * DRAWS)] - want) <= want * part;
}

TEST(latency_distributions)
{
	draw("1ms");
	CHECK(drawn[0] == 1000000 && drawn[DRAWS - 1] == 1000000);
	draw("100us..200us");
	CHECK(drawn[0] >= 100000 && drawn[DRAWS - 1] <= 200000);
	for (double p = 0.1; p < 1; p += 0.1)
		CHECK(quantile(p, 100000 + p * 100000, 0.02));
	draw("exp:1ms");
	for (double p = 0.1; p < 0.995; p += 0.1)
		CHECK(quantile(p, -log(1 - p) * 1e6, 0.04));
	draw("normal:1ms:100us");
	CHECK(quantile(0.5, 1e6, 0.005));
	CHECK(quantile(0.8413, 1.1e6, 0.005));
	CHECK(quantile(0.0228, 0.8e6, 0.01));
	draw("normal:10us:100us");
	CHECK_EQ(drawn[0], 0);
	draw("lognormal:100us:10ms");
	CHECK(quantile(0.5, 1e5, 0.04));
	CHECK(quantile(0.99, 1e7, 0.12));
	CHECK(quantile(0.01, 1e3, 0.12));
}

static void start(struct tdev *t) { tdev_w32(t, "ctl", 1); }

static u64 takes(struct tdev *t)
{
	u64 n = 0;

	start(t);
	while (tdev_r32(t, "status") & 1) {
		tdev_run_ns(t, 100);
		n++;
	}
	return n;
}

TEST(latency_repeats_by_seed_and_goes_on_from_a_snapshot)
{
	struct tdev *a = tdev_new_props("crc", "latency=10us..90us");
	struct tdev *b = tdev_new_props("crc", "latency=10us..90us");
	struct tdev *c = tdev_new_props("crc", "latency=10us..90us");
	struct blob blob = { 0 };
	u64 first = takes(a), other = 0;

	tdev_machine(c)->seed = 1;
	CHECK_EQ(takes(b), first);
	for (int i = 0; i < 5; i++) {
		u64 n = takes(a);

		CHECK_EQ(takes(b), n);
		other += takes(c) != n;
	}
	CHECK(other >= 4);
	snapshot_save_device(tdev_device(a), &blob);
	tdev_machine(c)->seed = tdev_machine(a)->seed;
	CHECK_EQ(snapshot_load_device(tdev_device(c), &blob, NULL), 0);
	CHECK_EQ(takes(c), takes(a));
	blob_fini(&blob);
	tdev_free(a);
	tdev_free(b);
	tdev_free(c);
}
