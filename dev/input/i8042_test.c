/* SPDX-License-Identifier: GPL-2.0-or-later */
/* i8042_test.c - the PS/2 controller as drivers probe it: controller tests, loops, identification
 * of keyboard and mouse. */
#include "dev/test_ports.h"
#include "core/keyboard.h"

static struct tdev *t;
static struct device *d;

static void start(void)
{
	t = tdev_new("i8042");
	d = tdev_device(t);
}

static u8 status(void) { return in8(d, "command", 0); }
static u8 data(void)
{
	CHECK(status() & 1);
	return in8(d, "data", 0);
}
static void command(u8 v) { out8(d, "command", 0, v); }
static void send(u8 v) { out8(d, "data", 0, v); }
static void mouse(u8 v)
{
	command(0xd4);
	send(v);
}
static int irq(unsigned n) { return tdev_level(t, "irq", n); }

TEST(i8042_controller)
{
	start();
	CHECK_EQ(status() & 0x21, 0);
	command(0xaa);
	CHECK_EQ(data(), 0x55);
	command(0xab);
	CHECK_EQ(data(), 0x00);
	command(0xa9);
	CHECK_EQ(data(), 0x00);
	command(0x60);
	send(0x74); /* both ports off, translation */
	command(0x20);
	CHECK_EQ(data(), 0x74);
	command(0xa8);
	command(0x20);
	CHECK_EQ(data(), 0x54);
	command(0xa7);
	command(0x20);
	CHECK_EQ(data(), 0x74);
	CHECK_EQ(status() & 1, 0);
	tdev_free(t);
}

TEST(i8042_loops_and_interrupts)
{
	start();
	command(0x60);
	send(0x03);
	command(0xd3);
	send(0xa5);
	CHECK_EQ(status() & 0x21, 0x21);
	CHECK_EQ(irq(1), 1);
	CHECK_EQ(irq(0), 0);
	CHECK_EQ(data(), 0xa5);
	CHECK_EQ(irq(1), 0);
	command(0xd2);
	send(0x11);
	CHECK_EQ(status() & 0x21, 0x01);
	CHECK_EQ(irq(0), 1);
	CHECK_EQ(data(), 0x11);
	CHECK_EQ(tdev_irqs(t, 0), 1);
	CHECK_EQ(tdev_irqs(t, 1), 1);
	tdev_free(t);
}

TEST(i8042_keyboard)
{
	start();
	command(0x60);
	send(0x01); /* interrupt, no translation */
	send(0xff);
	CHECK_EQ(data(), 0xfa);
	CHECK_EQ(data(), 0xaa);
	send(0xf2);
	CHECK_EQ(data(), 0xfa);
	CHECK_EQ(data(), 0xab);
	CHECK_EQ(data(), 0x83);
	CHECK_EQ(tdev_irqs(t, 0), 5); /* one each */
	send(0xed);
	CHECK_EQ(data(), 0xfa);
	send(0x07);
	CHECK_EQ(data(), 0xfa);
	send(0xf0);
	CHECK_EQ(data(), 0xfa);
	send(0x00);
	CHECK_EQ(data(), 0xfa);
	CHECK_EQ(data(), 0x02);
	send(0xee);
	CHECK_EQ(data(), 0xee);
	send(0x12);
	CHECK_EQ(data(), 0xfe);
	command(0x60);
	send(0x41); /* translated: 0x83 becomes 0x41 */
	send(0xf2);
	CHECK_EQ(data(), 0xfa);
	CHECK_EQ(data(), 0xab);
	CHECK_EQ(data(), 0x41);
	tdev_free(t);
}

TEST(i8042_mouse)
{
	static const u8 knock[] = { 200, 100, 80 };

	start();
	mouse(0xff);
	CHECK_EQ(status() & 0x20, 0x20);
	CHECK_EQ(data(), 0xfa);
	CHECK_EQ(data(), 0xaa);
	CHECK_EQ(data(), 0x00);
	mouse(0xe9);
	CHECK_EQ(data(), 0xfa);
	CHECK_EQ(data(), 0x00);
	CHECK_EQ(data(), 0x02);
	CHECK_EQ(data(), 100);
	for (unsigned i = 0; i < 3; i++) {
		mouse(0xf3);
		CHECK_EQ(data(), 0xfa);
		mouse(knock[i]);
		CHECK_EQ(data(), 0xfa);
	}
	mouse(0xf2);
	CHECK_EQ(data(), 0xfa);
	CHECK_EQ(data(), 3); /* a wheel */
	tdev_free(t);
}

TEST(i8042_holds_bytes_while_a_port_is_off)
{
	start();
	send(0xee);
	CHECK_EQ(data(), 0xee);
	command(0xad);
	mouse(0xf4);
	CHECK_EQ(data(), 0xfa);
	command(0xae);
	CHECK_EQ(status() & 1, 0);
	tdev_free(t);
}

TEST(i8042_resets_the_machine)
{
	start();
	command(0xff); /* pulses nothing */
	command(0xd0);
	CHECK_EQ(data() & 3, 3);
	CHECK(!tdev_machine(t)->reset_requested);
	command(0xfe);
	CHECK(tdev_machine(t)->reset_requested);
	tdev_machine(t)->reset_requested = false;
	command(0xd1);
	send(0xde);
	CHECK(tdev_machine(t)->reset_requested);
	tdev_free(t);
}

static void typed(unsigned code, bool down, bool taken)
{
	const struct keyboard_ops *k = keyboard_of(d);

	CHECK_EQ(k->key(d, code, down), taken);
}

TEST(i8042_keys_in_set_1_by_translation)
{
	start();
	typed(30, true, true); /* a */
	CHECK_EQ(data(), 0x1e);
	CHECK_EQ(status() & 1, 0);
	typed(30, false, true);
	CHECK_EQ(data(), 0x9e);
	typed(65, true, true); /* F7, the one whose code is above 0x7f */
	CHECK_EQ(data(), 0x41);
	typed(103, true, true); /* up */
	CHECK_EQ(data(), 0xe0);
	CHECK_EQ(data(), 0x48);
	typed(103, false, true);
	CHECK_EQ(data(), 0xe0);
	CHECK_EQ(data(), 0xc8);
	typed(99, true, true); /* SysRq */
	CHECK_EQ(data(), 0x54);
	typed(99, false, true);
	CHECK_EQ(data(), 0xd4);
	typed(200, true, false); /* no such key */
	tdev_free(t);
}

/* The controller's table and the keyboard's say the same of each of the first keys. */
TEST(i8042_all_keys)
{
	start();
	for (unsigned key = 1; key <= 88; key++) {
		if (key == 84 || key == 85)
			continue;
		typed(key, true, true);
		CHECK_EQ(data(), key);
		typed(key, false, true);
		CHECK_EQ(data(), key | 0x80);
	}
	tdev_free(t);
}

TEST(i8042_keys_in_set_2)
{
	start();
	command(0x60);
	send(0x01); /* no translation */
	typed(30, true, true);
	CHECK_EQ(data(), 0x1c);
	typed(30, false, true);
	CHECK_EQ(data(), 0xf0);
	CHECK_EQ(data(), 0x1c);
	/* a guest that does not read: the queue fills, and keys are refused whole */
	for (unsigned i = 0; i < 10; i++)
		typed(103, false, true);
	typed(103, false, true);
	typed(103, false, false);
	send(0xf5); /* the keyboard does not scan */
	typed(30, true, false);
	tdev_free(t);
}
