/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hpet_test.c - the high precision event timers against their specification. A tick is 10 ns. */
#include "dev/test_ports.h"

static struct tdev *t;
static struct device *d;

static void start(void)
{
	t = tdev_new("hpet");
	d = tdev_device(t);
}

static u64 rd64(u64 off) { return bank_in(d, "mmio", off, 8); }
static void wr64(u64 off, u64 v) { bank_out(d, "mmio", off, 8, v); }
static u32 rd(u64 off) { return in32(d, "mmio", off); }
static void wr(u64 off, u32 v) { out32(d, "mmio", off, v); }

TEST(hpet_capabilities)
{
	start();
	CHECK_EQ(rd64(0), 10000000ull << 32 | 0x8086a201);
	CHECK_EQ(rd(4), 10000000);
	/* periodic, 64 bits, no FSB; routes 16 to 23 */
	CHECK_EQ(rd64(0x100), 0x00ff000000000030ull);
	CHECK_EQ(rd64(0x160), 0); /* there is no fourth */
	tdev_free(t);
}

TEST(hpet_counter)
{
	start();
	tdev_run_us(t, 100);
	CHECK_EQ(rd64(0xf0), 0);
	wr(0x10, 1);
	tdev_run_us(t, 100);
	CHECK_EQ(rd64(0xf0), 10000);
	wr(0x10, 0);
	tdev_run_us(t, 100);
	CHECK_EQ(rd64(0xf0), 10000);
	wr64(0xf0, 0x1fffffff0ull);
	wr(0x10, 1);
	tdev_run_us(t, 1);
	CHECK_EQ(rd(0xf0), 0x54);
	CHECK_EQ(rd(0xf4), 2);
	tdev_free(t);
}

TEST(hpet_one_shot_level)
{
	start();
	wr(0x10, 1);
	wr(0x120, 20 << 9 | 0x06); /* comparator 1: route 20, level */
	wr64(0x128, 5000);
	tdev_run_us(t, 49);
	CHECK_EQ(tdev_level(t, "irq", 20), 0);
	tdev_run_us(t, 2);
	CHECK_EQ(tdev_level(t, "irq", 20), 1);
	CHECK_EQ(rd(0x20), 2);
	wr(0x20, 2);
	CHECK_EQ(tdev_level(t, "irq", 20), 0);
	CHECK_EQ(tdev_irqs(t, 20), 1);
	tdev_free(t);
}

TEST(hpet_periodic_legacy)
{
	start();
	/* enable, periodic, value set, 32 bits: as Linux does */
	wr(0x100, 0x4c | 0x100);
	wr(0x108, 100000);
	wr(0x108, 100000); /* 1 ms */
	wr(0x10, 3);
	CHECK_EQ(tdev_level(t, "legacy", 0), 1);
	tdev_run_us(t, 10500);
	CHECK_EQ(tdev_irqs(t, 0), 10);
	CHECK_EQ(rd(0x108), 1100000);
	wr(0x10, 0);
	tdev_run_us(t, 10000);
	CHECK_EQ(tdev_irqs(t, 0), 10);
	tdev_free(t);
}

TEST(hpet_value_set)
{
	start();
	wr64(0x100, 0x4c);
	wr64(0x108, 500000); /* the comparator */
	wr64(0x108, 100000); /* the period */
	wr(0x10, 3);
	tdev_run_us(t, 4900);
	CHECK_EQ(tdev_irqs(t, 0), 0);
	tdev_run_us(t, 3200);
	CHECK_EQ(tdev_irqs(t, 0), 4);
	tdev_free(t);
}

TEST(hpet_shortest_period_is_bounded)
{
	start();
	wr(0x100, 0x4c);
	wr(0x108, 1);
	wr(0x108, 1);
	wr(0x10, 3);
	tdev_run_us(t, 1000);
	CHECK(tdev_irqs(t, 0) <= 52);
	tdev_free(t);
}
