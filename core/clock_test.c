/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock_test.c - timers in order of deadline, restarted and stopped from callbacks, against a list
 * kept by hand. */
#include "core/clock.h"
#include "lib/hash.h"
#include "lib/test.h"

enum { N = 64 };
static struct clock c;
static struct timer t[N];
static u64 fired_at[N], last;
static unsigned fired;

static void on_fire(void *dev) { fired++; }

TEST(clock_random_timers)
{
	u64 seed = 7, want[N] = { 0 };

	clock_init(&c);
	c.counted = true;
	for (unsigned i = 0; i < N; i++)
		t[i].fire = on_fire;
	for (unsigned round = 0; round < 20000; round++) {
		u64 r = hash_u64(++seed);
		unsigned i = r % N;

		switch (r >> 32 & 3) {
		case 0:
		case 1:
			want[i] = clock_now(&c) + 1 + (r >> 40) % 1000;
			clock_timer_start(&c, &t[i], want[i]);
			break;
		case 2:
			want[i] = 0;
			clock_timer_stop(&c, &t[i]);
			break;
		default:
			clock_advance(&c, (r >> 40) % 100);
			unsigned due = 0;
			u64 next = ~0ull;

			for (unsigned k = 0; k < N; k++) {
				if (want[k] && want[k] <= clock_now(&c)) {
					due++;
					want[k] = 0;
				}
				if (want[k] && want[k] < next)
					next = want[k];
			}
			fired = 0;
			CHECK_EQ(clock_fire(&c), next);
			CHECK_EQ(fired, due);
		}
		for (unsigned k = 0; k < N; k++) {
			CHECK_EQ(t[k].deadline, want[k]);
			CHECK_EQ(!t[k].slot, !want[k]);
		}
	}
	clock_fini(&c);
}

static void note_order(void *dev)
{
	CHECK(clock_now(&c) >= last);
	fired_at[fired++] = clock_now(&c);
}

static void again_at_once(void *dev)
{
	fired++;
	clock_timer_start(&c, &t[0], 1);
}

TEST(clock_timer_in_the_past_does_not_hang)
{
	clock_init(&c);
	c.counted = true;
	clock_advance(&c, 1000);
	t[0].fire = again_at_once;
	clock_timer_start(&c, &t[0], 5);
	CHECK_EQ(clock_fire(&c), 1);
	CHECK(fired > 0);
	t[1].fire = note_order;
	clock_timer_stop(&c, &t[0]);
	CHECK_EQ(clock_fire(&c), ~0ull);
}

static unsigned rearms;
static void rearmed(struct clock *k) { rearms++; }

TEST(clock_tells_of_earlier_deadlines_only)
{
	clock_init(&c);
	c.counted = true;
	c.rearmed = rearmed;
	clock_timer_start(&c, &t[0], 100);
	CHECK_EQ(rearms, 1);
	clock_timer_start(&c, &t[1], 200);
	CHECK_EQ(rearms, 1);
	clock_timer_start(&c, &t[1], 50);
	CHECK_EQ(rearms, 2);
	clock_timer_start(&c, &t[0], ~0ull);
	CHECK_EQ(t[0].deadline, ~0ull - 1);
}

TEST(clock_stands_still_while_paused)
{
	u64 a;

	clock_init(&c);
	CHECK_EQ(clock_now(&c), 0);
	clock_run(&c, true);
	while (!clock_now(&c))
		;
	clock_run(&c, false);
	a = clock_now(&c);
	for (volatile int i = 0; i < 100000; i++)
		;
	CHECK_EQ(clock_now(&c), a);
	clock_run(&c, true);
	CHECK(clock_now(&c) >= a && clock_now(&c) < a + 1000000000);
	CHECK(clock_wall_ns(&c) > 1600000000ull * 1000000000);
}

static u64 seen[4];
static unsigned nseen;

static void note_time(void *dev)
{
	seen[nseen++ % ARRAY_SIZE(seen)] = clock_now(&c);
	if (nseen == 1)
		clock_timer_start(&c, &t[1], 250);
}

/* Starts itself at the present for ever. */
static void never_done(void *dev) { clock_timer_start(&c, &t[2], clock_now(&c)); }

TEST(clock_steps_through_its_timers)
{
	clock_init(&c);
	t[0] = (struct timer){ .fire = note_time };
	t[1] = (struct timer){ .fire = note_time };
	clock_timer_start(&c, &t[0], 100);
	clock_step(&c, 99);
	CHECK_EQ(nseen, 0);
	CHECK_EQ(clock_now(&c), 99);
	clock_step(&c, 1000);
	CHECK_EQ(nseen, 2);
	CHECK_EQ(seen[0], 100);
	CHECK_EQ(seen[1], 250);
	CHECK_EQ(clock_now(&c), 1000);
	t[2] = (struct timer){ .fire = never_done };
	clock_timer_start(&c, &t[2], 1500);
	clock_step(&c, 2000);
	CHECK_EQ(clock_now(&c), 2000);
}
