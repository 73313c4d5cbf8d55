/* SPDX-License-Identifier: GPL-2.0-or-later */
/* i8259_test.c - the interrupt controller pair against its data sheet. */
#include "dev/test_ports.h"
#include <quern/intc.h>

static struct tdev *t;
static struct device *d;
static const struct cpu_intc *intc;

static void input(unsigned n, int level) { d->class->input(d, n, level); }
static void pulse_up(unsigned n)
{
	input(n, 0);
	input(n, 1);
}
static int ack(void) { return intc->ack(d); }
static bool pending(void) { return intc->pending(d); }
static void command(u8 v) { out8(d, "master", 0, v); }

/* As Linux does: vectors 0x30 and 0x38, everything unmasked. */
static void start(u8 icw4)
{
	static const u8 words[2][4] = { { 0x11, 0x30, 0x04, 0 }, { 0x11, 0x38, 0x02, 0 } };

	t = tdev_new("i8259");
	d = tdev_device(t);
	intc = d->class->iface;
	for (unsigned p = 0; p < 2; p++) {
		const char *bank = p ? "slave" : "master";

		out8(d, bank, 0, words[p][0]);
		out8(d, bank, 1, words[p][1]);
		out8(d, bank, 1, words[p][2]);
		out8(d, bank, 1, icw4);
		CHECK_EQ(in8(d, bank, 1), 0); /* initialisation clears the mask */
	}
}

TEST(pic_priority_and_eoi)
{
	start(0x01);
	pulse_up(4);
	pulse_up(1);
	CHECK_EQ(ack(), 0x31);
	CHECK(!pending()); /* 4 is lower than 1 in service */
	pulse_up(0);
	CHECK(pending());
	CHECK_EQ(ack(), 0x30);
	command(0x0b);
	CHECK_EQ(in8(d, "master", 0), 0x03);
	command(0x0a);
	CHECK_EQ(in8(d, "master", 0), 0x10);
	command(0x20); /* non-specific EOI: the highest in service */
	CHECK(!pending());
	command(0x61); /* specific EOI of 1 */
	CHECK_EQ(ack(), 0x34);
	command(0x20);
	CHECK(!pending());
	tdev_free(t);
}

TEST(pic_edge_needs_a_new_edge)
{
	start(0x01);
	input(3, 1);
	CHECK_EQ(ack(), 0x33);
	command(0x20);
	CHECK(!pending());
	input(3, 0);
	input(3, 1);
	CHECK(pending());
	/* gone before its acknowledge: IR7, and nothing in service */
	input(3, 0);
	CHECK(!pending());
	CHECK_EQ(ack(), 0x37);
	command(0x0b);
	CHECK_EQ(in8(d, "master", 0), 0);
	tdev_free(t);
}

TEST(pic_level_by_elcr)
{
	start(0x01);
	out8(d, "elcr", 0, 0xff);
	out8(d, "elcr", 1, 0xff);
	CHECK_EQ(in8(d, "elcr", 0), 0xf8);
	CHECK_EQ(in8(d, "elcr", 1), 0xde);
	input(5, 1);
	CHECK_EQ(ack(), 0x35);
	command(0x20);
	CHECK(pending()); /* still up */
	CHECK_EQ(ack(), 0x35);
	input(5, 0);
	command(0x20);
	CHECK(!pending());
	tdev_free(t);
}

TEST(pic_cascade)
{
	start(0x01);
	pulse_up(12);
	pulse_up(8);
	CHECK_EQ(ack(), 0x38);
	CHECK(!pending());
	out8(d, "slave", 0, 0x20);
	CHECK(!pending()); /* IR2 of the master is still in service */
	command(0x62);
	CHECK_EQ(ack(), 0x3c);
	pulse_up(1); /* higher than the cascade */
	CHECK_EQ(ack(), 0x31);
	tdev_free(t);
}

TEST(pic_mask_and_special_mask)
{
	start(0x01);
	out8(d, "master", 1, 0x02);
	pulse_up(1);
	CHECK(!pending());
	out8(d, "master", 1, 0);
	CHECK_EQ(ack(), 0x31); /* the edge was kept */
	pulse_up(5);
	CHECK(!pending());
	command(0x68); /* special mask mode: only 1 itself is held back */
	CHECK_EQ(ack(), 0x35);
	command(0x48);
	tdev_free(t);
}

TEST(pic_rotates)
{
	start(0x01);
	pulse_up(2 + 1);
	CHECK_EQ(ack(), 0x33);
	command(0xa0); /* rotate on EOI: 3 is the lowest now, 4 the highest */
	pulse_up(3);
	pulse_up(4);
	CHECK_EQ(ack(), 0x34);
	command(0x20);
	command(0xc7); /* set priority: 7 the lowest again */
	CHECK_EQ(ack(), 0x33);
	tdev_free(t);
}

TEST(pic_automatic_eoi)
{
	start(0x03);
	pulse_up(6);
	CHECK_EQ(ack(), 0x36);
	command(0x0b);
	CHECK_EQ(in8(d, "master", 0), 0);
	pulse_up(7);
	CHECK(pending());
	tdev_free(t);
}

TEST(pic_poll)
{
	start(0x01);
	command(0x0c);
	CHECK_EQ(in8(d, "master", 0), 0);
	pulse_up(3);
	command(0x0c);
	CHECK_EQ(in8(d, "master", 0), 0x83);
	command(0x0b);
	CHECK_EQ(in8(d, "master", 0), 0x08); /* the poll was its acknowledge */
	tdev_free(t);
}
