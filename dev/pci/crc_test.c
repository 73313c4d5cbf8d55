/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crc_test.c - the checksum engine, driven without a guest in virtual time. */
#include "core/fault.h"
#include "core/tdev.h"
#include "lib/test.h"

enum {
	CTL_START = BIT(0),
	CTL_KEEP = BIT(1),
	ST_BUSY = BIT(0),
	ST_DONE = BIT(1),
	ST_ERROR = BIT(2)
};

TEST(crc_of_the_check_string)
{
	struct tdev *t = tdev_new("crc");

	memcpy(tdev_ram(t, 0x100), "123456789", 9);
	tdev_w64(t, "src", 0x100);
	tdev_w32(t, "len", 9);
	tdev_w32(t, "ctl", CTL_START);
	CHECK_EQ(tdev_r32(t, "status"), ST_BUSY);
	tdev_run_us(t, 9);
	CHECK_EQ(tdev_irqs(t, 0), 0);
	tdev_run_us(t, 1);
	CHECK_EQ(tdev_r32(t, "status"), ST_DONE);
	CHECK_EQ(tdev_r32(t, "result"), 0xcbf43926);
	CHECK_EQ(tdev_irqs(t, 0), 1);
	tdev_w32(t, "status", ST_DONE);
	CHECK_EQ(tdev_r32(t, "status"), 0);
	tdev_free(t);
}

TEST(crc_chained_runs)
{
	struct tdev *t = tdev_new_props("crc", "latency=3us");

	memcpy(tdev_ram(t, 0), "123456789", 9);
	tdev_w32(t, "len", 4);
	tdev_w32(t, "ctl", CTL_START);
	tdev_run_us(t, 3);
	tdev_w64(t, "src", 4);
	tdev_w32(t, "len", 5);
	tdev_w32(t, "ctl", CTL_START | CTL_KEEP);
	tdev_run_us(t, 3);
	CHECK_EQ(tdev_r32(t, "result"), 0xcbf43926);
	CHECK_EQ(tdev_irqs(t, 0), 2);
	tdev_free(t);
}

TEST(crc_reports_bad_address)
{
	struct tdev *t = tdev_new("crc");

	tdev_w64(t, "src", ~0ull - 4);
	tdev_w32(t, "len", 9);
	tdev_w32(t, "ctl", CTL_START);
	tdev_run_us(t, 10);
	CHECK_EQ(tdev_r32(t, "status"), ST_ERROR);
	CHECK_EQ(tdev_irqs(t, 1), 1);
	tdev_free(t);
}

TEST(crc_can_get_stuck)
{
	struct tdev *t = tdev_new("crc");

	CHECK_EQ(fault_arm(tdev_machine(t), "crc0.stuck,times=1", NULL), 0);
	tdev_w32(t, "ctl", CTL_START);
	tdev_run_us(t, 1000);
	/* busy for ever, as drivers must expect: a new start is ignored, a reset helps */
	tdev_w32(t, "ctl", CTL_START);
	tdev_run_us(t, 1000);
	CHECK_EQ(tdev_r32(t, "status"), ST_BUSY);
	CHECK_EQ(tdev_irqs(t, 0), 0);
	device_reset(tdev_device(t));
	CHECK_EQ(tdev_r32(t, "status"), 0);
	tdev_free(t);
}
