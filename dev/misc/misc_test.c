/* SPDX-License-Identifier: GPL-2.0-or-later */
/* misc_test.c - the small ports of a PC: ways to end, to reset, to panic and to print. */
#include "core/chardev.h"
#include "dev/test_ports.h"
#include "lib/alloc.h"

TEST(debug_exit_status)
{
	struct tdev *t = tdev_new_props("isa-debug-exit", "iobase=0xf4,iosize=4");

	out32(tdev_device(t), "port", 0, 0x31);
	CHECK(tdev_machine(t)->shutdown_requested);
	CHECK_EQ(tdev_machine(t)->exit_code, 0x63);
	CHECK_EQ(tdev_machine(t)->cause, CAUSE_DEVICE_EXIT);
	tdev_free(t);
}

TEST(debug_exit_has_its_size)
{
	struct tdev *t = tdev_new_props("isa-debug-exit", "iobase=0xf4,iosize=1");

	out8(tdev_device(t), "port", 1, 0);
	CHECK(!tdev_machine(t)->shutdown_requested);
	tdev_free(t);
}

TEST(pvpanic_events)
{
	struct tdev *t = tdev_new("pvpanic");

	CHECK_EQ(in8(tdev_device(t), "port", 0), 7);
	out8(tdev_device(t), "port", 0, 2); /* a crash kernel takes over: nothing to do */
	CHECK(!tdev_machine(t)->shutdown_requested);
	out8(tdev_device(t), "port", 0, 1);
	CHECK(tdev_machine(t)->shutdown_requested);
	CHECK_EQ(tdev_machine(t)->cause, CAUSE_GUEST_PANIC);
	tdev_free(t);
	t = tdev_new_props("pvpanic", "events=1");
	CHECK_EQ(in8(tdev_device(t), "port", 0), 1);
	out8(tdev_device(t), "port", 0, 4);
	CHECK(!tdev_machine(t)->shutdown_requested);
	tdev_free(t);
}

TEST(port92_and_cf9)
{
	struct tdev *t = tdev_new("port92");

	CHECK_EQ(in8(tdev_device(t), "port", 0), 2);
	out8(tdev_device(t), "port", 0, 2);
	CHECK(!tdev_machine(t)->reset_requested);
	out8(tdev_device(t), "port", 0, 3);
	CHECK(tdev_machine(t)->reset_requested);
	CHECK_EQ(in8(tdev_device(t), "port", 0), 2);
	tdev_free(t);
	t = tdev_new("cf9");
	out8(tdev_device(t), "port", 0, 2);
	CHECK(!tdev_machine(t)->reset_requested);
	out8(tdev_device(t), "port", 0, 6);
	CHECK(tdev_machine(t)->reset_requested);
	CHECK_EQ(in8(tdev_device(t), "port", 0), 2);
	tdev_free(t);
}

static char printed[16];
static int nprinted;
static int print(struct chardev *c, const u8 *buf, int n)
{
	memcpy(printed + nprinted, buf, n);
	nprinted += n;
	return n;
}
static void nothing(struct chardev *c) {}
static const struct chardev_ops print_ops = { "test", print, nothing, nothing };

TEST(debugcon_prints)
{
	struct tdev *t = tdev_new("isa-debug-exit");
	static struct chardev c;
	struct device *d;

	chardev_init(&c, tdev_machine(t), &print_ops, "c", NULL);
	d = device_new(tdev_machine(t), "isa-debugcon", NULL, NULL);
	CHECK_EQ(device_set_ptr(d, "chardev", &c, NULL), 0);
	CHECK_EQ(device_realize(d, NULL), 0);
	CHECK_EQ(in8(d, "port", 0), 0xe9);
	out8(d, "port", 0, 'h');
	out8(d, "port", 0, 'i');
	CHECK_MEM(printed, "hi", 2);
	CHECK_EQ(nprinted, 2);
	tdev_free(t);
}
