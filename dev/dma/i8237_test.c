/* SPDX-License-Identifier: GPL-2.0-or-later */
/* i8237_test.c - the ISA DMA controllers' registers against their data sheet. */
#include "dev/test_ports.h"

TEST(dma_registers)
{
	struct tdev *t = tdev_new("i8237");
	struct device *d = tdev_device(t);

	CHECK_EQ(in8(d, "low", 15), 0xff);
	out8(d, "low", 12, 0); /* low byte first */
	out8(d, "low", 4, 0x34);
	out8(d, "low", 4, 0x12);
	CHECK_EQ(in8(d, "low", 4), 0x34);
	CHECK_EQ(in8(d, "low", 4), 0x12);
	out8(d, "low", 10, 2); /* unmask channel 2 */
	CHECK_EQ(in8(d, "low", 15), 0xfb);
	out8(d, "low", 13, 0);
	CHECK_EQ(in8(d, "low", 15), 0xff);
	out8(d, "high", 30, 0x5);
	CHECK_EQ(in8(d, "high", 30), 0xf5);
	out8(d, "page", 1, 0x7f);
	CHECK_EQ(in8(d, "page", 1), 0x7f);
	CHECK_EQ(in8(d, "page", 0), 0);
	tdev_free(t);
}
