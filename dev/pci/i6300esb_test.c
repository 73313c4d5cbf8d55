/* SPDX-License-Identifier: GPL-2.0-or-later */
/* i6300esb_test.c - the watchdog as Linux's driver uses it (drivers/watchdog/i6300esb.c). */
#include "bus/pci_core.h"
#include "core/tdev.h"
#include "lib/test.h"

static void unlocked(struct tdev *t, u64 off, unsigned size, u32 val)
{
	tdev_write_at(t, 0, 12, 2, 0x80);
	tdev_write_at(t, 0, 12, 2, 0x86);
	tdev_write_at(t, 0, off, size, val);
}

static struct pci_core *core(struct tdev *t) { return ((struct pci_device *)tdev_device(t))->pci; }

static void set_lock(struct tdev *t, u8 val) { pci_config_write(core(t), 0x68, 1, val); }

static u8 get_lock(struct tdev *t) { return pci_config_read(core(t), 0x68, 1); }

/* Two stages of 512 / 1007 seconds each make about one second. */
static struct tdev *armed(u8 lock)
{
	struct tdev *t = tdev_new("i6300esb");

	tdev_machine(t)->actions.watchdog = ACTION_POWEROFF;
	unlocked(t, 0, 4, 512);
	unlocked(t, 4, 4, 512);
	unlocked(t, 12, 2, 0x100);
	set_lock(t, lock);
	return t;
}

TEST(i6300esb_expires)
{
	struct tdev *t = armed(2);

	tdev_run_us(t, 1000000);
	CHECK(!tdev_machine(t)->shutdown_requested);
	tdev_run_us(t, 20000);
	CHECK(tdev_machine(t)->shutdown_requested);
	CHECK_EQ(tdev_read_at(t, 0, 12, 2), 0x200);
	unlocked(t, 12, 2, 0x200);
	CHECK_EQ(tdev_read_at(t, 0, 12, 2), 0);
	tdev_free(t);
}

TEST(i6300esb_is_fed)
{
	struct tdev *t = armed(2);

	for (unsigned i = 0; i < 5; i++) {
		tdev_run_us(t, 800000);
		unlocked(t, 12, 2, 0x100);
	}
	CHECK(!tdev_machine(t)->shutdown_requested);
	set_lock(t, 0);
	CHECK_EQ(get_lock(t), 0);
	tdev_run_us(t, 5000000);
	CHECK(!tdev_machine(t)->shutdown_requested);
	tdev_free(t);
}

/* Writes without the words change nothing, and a locked watchdog cannot be stopped. */
TEST(i6300esb_locks)
{
	struct tdev *t = armed(3);

	tdev_write_at(t, 0, 0, 4, 0x4000);
	CHECK_EQ(tdev_read_at(t, 0, 0, 4), 512);
	set_lock(t, 0);
	CHECK_EQ(get_lock(t), 3);
	tdev_run_us(t, 1100000);
	CHECK(tdev_machine(t)->shutdown_requested);
	tdev_free(t);
}
