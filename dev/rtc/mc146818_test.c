/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mc146818_test.c - the real-time clock against its data sheet. */
#include "core/clock.h"
#include "dev/test_ports.h"

static struct tdev *t;
static struct device *d;

static u8 get(u8 n)
{
	out8(d, "rtc", 0, n);
	return in8(d, "rtc", 1);
}

static void put(u8 n, u8 v)
{
	out8(d, "rtc", 0, n);
	out8(d, "rtc", 1, v);
}

/* At 2026-11-23 13:59:58.000 UTC, a Monday. */
static void start(const char *props)
{
	t = tdev_new_props("mc146818rtc", props);
	d = tdev_device(t);
	tdev_machine(t)->clock.wall_offset =
		1795442398000000000ll - (s64)clock_now(&tdev_machine(t)->clock);
	device_reset(d);
}

TEST(rtc_shows_the_time)
{
	start(NULL);
	CHECK_EQ(get(0), 0x58);
	CHECK_EQ(get(2), 0x59);
	CHECK_EQ(get(4), 0x13);
	CHECK_EQ(get(6), 2);
	CHECK_EQ(get(7), 0x23);
	CHECK_EQ(get(8), 0x11);
	CHECK_EQ(get(9), 0x26);
	CHECK_EQ(get(0x32), 0x20);
	CHECK_EQ(get(0xd), 0x80);
	tdev_run_us(t, 2000000);
	CHECK_EQ(get(0), 0x00);
	CHECK_EQ(get(4), 0x14);
	put(0xb, 0x04); /* binary, 12 hours */
	CHECK_EQ(get(4), 0x82);
	CHECK_EQ(get(9), 26);
	tdev_free(t);
}

TEST(rtc_update_in_progress)
{
	start(NULL);
	CHECK_EQ(get(0xa) & 0x80, 0);
	tdev_run_us(t, 998000);
	CHECK_EQ(get(0xa) & 0x80, 0x80);
	CHECK_EQ(get(0), 0x58);
	tdev_run_us(t, 2000);
	CHECK_EQ(get(0xa) & 0x80, 0);
	CHECK_EQ(get(0), 0x59);
	tdev_free(t);
}

TEST(rtc_is_set)
{
	start(NULL);
	put(0xb, 0x82);
	put(0, 0x30);
	put(2, 0x15);
	put(4, 0x23);
	put(7, 0x28);
	put(8, 0x02);
	put(9, 0x00);
	put(0x32, 0x20); /* 2000-02-28 23:15:30 */
	tdev_run_us(t, 5000000);
	CHECK_EQ(get(0), 0x30); /* stands still while it is set */
	put(0xb, 0x02);
	CHECK_EQ(get(0), 0x30);
	CHECK_EQ(get(6), 2); /* a Monday again */
	tdev_run_us(t, 3600ull * 1000000);
	CHECK_EQ(get(7), 0x29); /* a leap year */
	CHECK_EQ(get(4), 0x00);
	CHECK_EQ(get(0), 0x30);
	tdev_free(t);
}

TEST(rtc_update_interrupt)
{
	start(NULL);
	put(0xb, 0x12);
	tdev_run_us(t, 3000000);
	CHECK_EQ(tdev_irqs(t, 0), 1); /* up until register C is read */
	CHECK_EQ(get(0xc) & 0x90, 0x90);
	CHECK_EQ(tdev_level(t, "irq", 0), 0);
	tdev_run_us(t, 1000000);
	CHECK_EQ(tdev_irqs(t, 0), 2);
	tdev_free(t);
}

TEST(rtc_alarm)
{
	start(NULL);
	put(1, 0x05);
	put(3, 0x00);
	put(5, 0xc0); /* any hour */
	put(0xb, 0x22);
	tdev_run_us(t, 6500000);
	CHECK_EQ(tdev_irqs(t, 0), 0);
	tdev_run_us(t, 1000000); /* 14:00:05 */
	CHECK_EQ(tdev_irqs(t, 0), 1);
	CHECK_EQ(get(0xc) & 0xa0, 0xa0);
	tdev_run_us(t, 3600ull * 1000000);
	CHECK_EQ(tdev_irqs(t, 0), 2);
	tdev_free(t);
}

TEST(rtc_polled_alarm)
{
	start(NULL);
	put(1, 0x05);
	put(3, 0x00);
	put(5, 0x14);
	get(0xc);
	tdev_run_us(t, 6000000);
	CHECK_EQ(get(0xc) & 0x30, 0x10);
	tdev_run_us(t, 2000000);
	CHECK_EQ(get(0xc) & 0x30, 0x30);
	CHECK_EQ(tdev_irqs(t, 0), 0);
	tdev_free(t);
}

TEST(rtc_periodic)
{
	unsigned n = 0;

	start(NULL);
	put(0xa, 0x26); /* 1024 Hz */
	put(0xb, 0x42);
	for (unsigned i = 0; i < 1024; i++) {
		tdev_run_ns(t, 976563);
		n += get(0xc) >> 7;
	}
	CHECK(n >= 1023);
	put(0xa, 0x20); /* none */
	get(0xc);
	tdev_run_us(t, 10000);
	CHECK_EQ(get(0xc) & 0xc0, 0);
	tdev_free(t);
}

TEST(rtc_memory_sizes)
{
	start("ram_low=3G,ram_high=2G,cpus=4");
	CHECK_EQ(get(0x15) | get(0x16) << 8, 640);
	CHECK_EQ(get(0x30) | get(0x31) << 8, 63 * 1024);
	CHECK_EQ(get(0x34) | get(0x35) << 8, ((3ull << 30) - (16 << 20)) / 65536);
	CHECK_EQ(get(0x5b) | get(0x5c) << 8 | get(0x5d) << 16, 32768);
	CHECK_EQ(get(0x5f), 3);
	put(0x40, 0x5a);
	device_reset(d);
	CHECK_EQ(get(0x40), 0x5a);
	tdev_free(t);
}
