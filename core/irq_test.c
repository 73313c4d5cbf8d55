/* SPDX-License-Identifier: GPL-2.0-or-later */
/* irq_test.c - inputs that are driven and watched from outside, and devices found by path. */
#include "core/irq.h"
#include "core/tdev.h"
#include "lib/error.h"
#include "lib/test.h"

static unsigned changes, last, level;

static void watch(void *arg, unsigned n, int l)
{
	CHECK(arg == &changes);
	changes++;
	last = n;
	level = (unsigned)l;
}

TEST(irq_inputs_driven_from_outside)
{
	struct tdev *t = tdev_new("i8259");
	struct device *d = tdev_device(t);
	struct irq other = device_input(d, 3);

	irq_watch_inputs(d, watch, &changes);
	irq_drive_input(d, 3, 1);
	CHECK_EQ(changes, 1);
	CHECK_EQ(last, 3);
	CHECK_EQ(level, 1);
	irq_drive_input(d, 3, 1);
	irq_set(&other, 1); /* wired or: it is high already */
	irq_drive_input(d, 3, 0);
	CHECK_EQ(changes, 1);
	irq_set(&other, 0);
	CHECK_EQ(changes, 2);
	CHECK_EQ(level, 0);
	irq_drive_input(d, 5, 1);
	CHECK_EQ(changes, 3);
	CHECK_EQ(last, 5);
	CHECK_EQ(irq_raised(d, 3), 1);
	tdev_free(t);
}

TEST(device_paths)
{
	struct tdev *t = tdev_empty();
	struct machine *m = tdev_machine(t);
	struct error e = { 0 };
	struct device *hpet = device_make(m, "hpet", "h", NULL, &e),
		      *a = device_make(m, "crc", "a", NULL, &e);

	CHECK(hpet && a);
	CHECK(device_by_path(m, "h") == hpet);
	CHECK(device_by_path(m, "/machine/peripheral/a") == a);
	CHECK(device_by_path(m, "/machine/q35/hpet") == hpet);
	CHECK(device_by_path(m, "crc") == a);
	/* the rig's lines come first */
	CHECK(device_by_path(m, "/machine/unattached/device[1]") == hpet);
	CHECK(!device_by_path(m, "/machine/unattached/device[2]"));
	CHECK(!device_by_path(m, "device[x]"));
	CHECK(!device_by_path(m, "device[111111111111111111]"));
	CHECK(!device_by_path(m, "/"));
	CHECK(device_make(m, "crc", "b", NULL, &e));
	CHECK(!device_by_path(m, "crc")); /* which one? */
	tdev_free(t);
}
