/* SPDX-License-Identifier: GPL-2.0-or-later */
/* i8254_test.c - the interval timer against its data sheet. One tick is 838.1 ns. */
#include "dev/test_ports.h"

static struct tdev *t;
static struct device *d;

static void start(void)
{
	t = tdev_new("i8254");
	d = tdev_device(t);
}

static void program(unsigned ch, u8 mode, u16 count)
{
	out8(d, "pit", 3, ch << 6 | 0x30 | mode << 1);
	out8(d, "pit", ch, count);
	out8(d, "pit", ch, count >> 8);
}

static u16 count(unsigned ch)
{
	u16 v;

	out8(d, "pit", 3, ch << 6);
	v = in8(d, "pit", ch);
	return v | in8(d, "pit", ch) << 8;
}

static int out(void) { return tdev_level(t, "out", 0); }

TEST(pit_mode0_interrupts_once)
{
	start();
	program(0, 0, 1193); /* 0.99985 ms */
	CHECK_EQ(out(), 0);
	tdev_run_us(t, 500);
	CHECK_EQ(count(0), 1193 - 596);
	CHECK_EQ(out(), 0);
	tdev_run_us(t, 500);
	CHECK_EQ(out(), 1);
	CHECK_EQ(tdev_irqs(t, 0), 2); /* the reset state's high level is the first */
	tdev_run_us(t, 100000);
	CHECK_EQ(tdev_irqs(t, 0), 2);
	tdev_free(t);
}

TEST(pit_mode2_divides_the_rate)
{
	unsigned before;

	start();
	program(0, 2, 11932); /* 100 Hz */
	before = tdev_irqs(t, 0);
	tdev_run_us(t, 1000500);
	CHECK_EQ(tdev_irqs(t, 0) - before, 100);
	tdev_free(t);
}

TEST(pit_mode3_reads_even_counts)
{
	start();
	program(2, 3, 10000);
	CHECK_EQ(in8(d, "speaker", 0) & 0x20, 0x20);
	out8(d, "speaker", 0, 1); /* gate */
	tdev_run_us(t, 1000);	  /* 1193 ticks: counts by two */
	CHECK_EQ(count(2), 10000 - 2 * 1193);
	tdev_run_us(t, 3500); /* past the half: 5369 ticks */
	CHECK_EQ(in8(d, "speaker", 0) & 0x20, 0);
	tdev_free(t);
}

TEST(pit_mode4_strobes)
{
	unsigned before;

	start();
	program(0, 4, 1000);
	before = tdev_irqs(t, 0);
	tdev_run_us(t, 1000);
	CHECK_EQ(tdev_irqs(t, 0) - before, 1);
	tdev_run_us(t, 60000);
	CHECK_EQ(tdev_irqs(t, 0) - before, 1);
	tdev_free(t);
}

TEST(pit_latch_holds_and_status_reads_first)
{
	u8 low;

	start();
	program(2, 0, 0x8000);
	out8(d, "speaker", 0, 1);
	out8(d, "pit", 3, 0xc8); /* read back count and status of channel 2 */
	tdev_run_us(t, 1000);
	CHECK_EQ(in8(d, "pit", 2), 0x30); /* OUT low, both bytes, mode 0 */
	low = in8(d, "pit", 2);
	CHECK_EQ(low | in8(d, "pit", 2) << 8, 0x8000);
	CHECK_EQ(count(2), 0x8000 - 1193);
	out8(d, "pit", 3, 0xb0);
	out8(d, "pit", 3, 0xe8);
	CHECK_EQ(in8(d, "pit", 2) & 0x40, 0x40); /* no count was written since */
	tdev_free(t);
}

TEST(pit_byte_access_modes_and_bcd)
{
	start();
	out8(d, "pit", 3, 0x90); /* channel 2, low byte only */
	out8(d, "speaker", 0, 1);
	out8(d, "pit", 2, 200);
	tdev_run_us(t, 84); /* 100 ticks */
	CHECK_EQ(in8(d, "pit", 2), 100);
	out8(d, "pit", 3, 0xb1); /* BCD */
	out8(d, "pit", 2, 0x00);
	out8(d, "pit", 2, 0x10); /* 1000 */
	tdev_run_us(t, 84);
	CHECK_EQ(count(2), 0x900);
	tdev_free(t);
}

TEST(pit_gate_and_refresh)
{
	u8 first;

	start();
	program(2, 0, 1000);
	tdev_run_us(t, 5000);
	CHECK_EQ(in8(d, "speaker", 0) & 0x20, 0); /* the gate is low: nothing counts */
	out8(d, "speaker", 0, 3);
	CHECK_EQ(in8(d, "speaker", 0) & 0x0f, 3);
	tdev_run_us(t, 840);
	CHECK_EQ(in8(d, "speaker", 0) & 0x20, 0x20);
	first = in8(d, "speaker", 0) & 0x10;
	tdev_run_ns(t, 15085);
	CHECK(first != (in8(d, "speaker", 0) & 0x10));
	tdev_free(t);
}

TEST(pit_is_replaced_by_the_hpet)
{
	unsigned before;

	start();
	program(0, 2, 11932);
	d->class->input(d, 0, 1);
	before = tdev_irqs(t, 0);
	tdev_run_us(t, 100000);
	CHECK_EQ(tdev_irqs(t, 0), before);
	d->class->input(d, 0, 0);
	tdev_run_us(t, 100000);
	CHECK(tdev_irqs(t, 0) > before + 8);
	tdev_free(t);
}
