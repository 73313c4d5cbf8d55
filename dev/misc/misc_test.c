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

TEST(pc_testdev_ports_and_memory)
{
	struct tdev *t = tdev_new("pc-testdev");

	tdev_write_at(t, 0, 0, 4, 0x44332211);
	CHECK_EQ(tdev_read_at(t, 0, 1, 2), 0x3322);
	CHECK_EQ(tdev_read_at(t, 0, 8, 4), 0x44332211);
	tdev_write_at(t, 0, 2, 1, 0x99);
	CHECK_EQ(tdev_read_at(t, 0, 0, 4), 0x44992211);
	tdev_write_at(t, 0, 4, 4, 0x1000);
	CHECK_EQ(tdev_read_at(t, 0, 0, 4), 0x44992211);
	tdev_write_at(t, 2, 0x1235, 2, 0xabcd);
	CHECK_EQ(tdev_read_at(t, 2, 0x1236, 1), 0xab);
	/* where they are */
	space_write(&tdev_machine(t)->memory, 0xff000004, "\1\2\3\4", 4, (struct mem_attrs){ 0 });
	CHECK_EQ(tdev_read_at(t, 2, 4, 4), 0x04030201);
	tdev_free(t);
}

/* The header of either BAR leads to a place, and writes there count. */
static void run_test(struct tdev *t, unsigned bar, unsigned test, const char *name)
{
	u32 off, data;

	tdev_write_at(t, bar, 0, 1, test);
	CHECK_EQ(tdev_read_at(t, bar, 1, 1), 1);
	for (unsigned i = 0; i <= strlen(name); i++)
		CHECK_EQ(tdev_read_at(t, bar, 16 + i, 1), (u8)name[i]);
	off = tdev_read_at(t, bar, 4, 4);
	data = tdev_read_at(t, bar, 8, 4);
	CHECK_EQ(tdev_read_at(t, bar, 12, 4), 0);
	for (unsigned i = 0; i < 8; i++)
		tdev_write_at(t, bar, off, 1, data);
	tdev_write_at(t, bar, off, 2, data);
	tdev_write_at(t, bar, off + 16, 1, data);
	CHECK_EQ(tdev_read_at(t, bar, 12, 4), 8);
	tdev_write_at(t, bar, off, 1, data + 1);
	CHECK_EQ(tdev_read_at(t, bar, 12, 4), test == 2 ? 8 : 9);
}

TEST(pci_testdev_counts)
{
	struct tdev *t = tdev_new("pci-testdev");

	run_test(t, 0, 0, "mmio-no-eventfd");
	run_test(t, 0, 2, "mmio-datamatch-eventfd");
	run_test(t, 1, 1, "portio-wildcard-eventfd");
	run_test(t, 1, 2, "portio-datamatch-eventfd");
	/* the end of the tests */
	tdev_write_at(t, 0, 0, 1, 3);
	CHECK_EQ(tdev_read_at(t, 0, 1, 1), 0);
	tdev_free(t);
}
