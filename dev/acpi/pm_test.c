/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pm_test.c - ACPI's fixed hardware and the generic event device against ACPI 6.4 chapter 4.8. */
#include "dev/test_ports.h"

static struct tdev *t;
static struct device *d;

static void start(const char *class, const char *props)
{
	t = tdev_new_props(class, props);
	d = tdev_device(t);
}

TEST(pm_timer_runs_at_its_rate)
{
	u32 a;

	start("acpi-pm", NULL);
	a = in32(d, "tmr", 0);
	tdev_run_us(t, 1000000);
	CHECK_EQ((in32(d, "tmr", 0) - a) & 0xffffff, 3579545);
	tdev_run_us(t, 10000000);
	CHECK_EQ(in32(d, "tmr", 0) >> 24, 0);
	CHECK_EQ(in8(d, "tmr", 0), in32(d, "tmr", 0) & 0xff);
	tdev_free(t);
}

TEST(pm_acpi_is_switched_on_by_command)
{
	start("acpi-pm", NULL);
	CHECK_EQ(bank_in(d, "cnt", 0, 2), 0);
	bank_out(d, "cnt", 0, 2, 1);
	CHECK_EQ(bank_in(d, "cnt", 0, 2), 0); /* not by the OS */
	out8(d, "apm", 0, 0xf1);
	CHECK_EQ(bank_in(d, "cnt", 0, 2), 1);
	out8(d, "apm", 0, 0xf0);
	CHECK_EQ(bank_in(d, "cnt", 0, 2), 0);
	out8(d, "apm", 1, 0x5a);
	CHECK_EQ(in8(d, "apm", 1), 0x5a);
	tdev_free(t);
}

TEST(pm_power_button)
{
	struct machine *m;

	start("acpi-pm", NULL);
	m = tdev_machine(t);
	out8(d, "apm", 0, 0xf1);
	bank_out(d, "evt", 2, 2, 0x0100);
	m->powerdown_requested = true;
	CHECK_EQ(tdev_level(t, "sci", 0), 0);
	/* what the machine's loop does */
	((struct reset_hook *)d->core->powerdown)->fn(d);
	CHECK_EQ(tdev_level(t, "sci", 0), 1);
	CHECK_EQ(bank_in(d, "evt", 0, 2), 0x0100);
	bank_out(d, "evt", 0, 2, 0x0100);
	CHECK_EQ(tdev_level(t, "sci", 0), 0);
	CHECK_EQ(bank_in(d, "evt", 0, 2), 0);
	tdev_free(t);
}

TEST(pm_timer_overflow)
{
	start("acpi-pm", NULL);
	out8(d, "apm", 0, 0xf1);
	bank_out(d, "evt", 2, 2, 1);
	tdev_run_us(t, 2300000);
	CHECK_EQ(tdev_level(t, "sci", 0), 0);
	tdev_run_us(t, 100000); /* bit 23 changes after 2.3435 s */
	CHECK_EQ(tdev_level(t, "sci", 0), 1);
	bank_out(d, "evt", 0, 2, 1);
	tdev_run_us(t, 2343500);
	CHECK_EQ(tdev_irqs(t, 0), 2);
	tdev_free(t);
}

TEST(pm_powers_off)
{
	start("acpi-pm", NULL);
	bank_out(d, "cnt", 0, 2, 5 << 10 | 1 << 13);
	CHECK(!tdev_machine(t)->shutdown_requested);
	bank_out(d, "cnt", 0, 2, 0x2000);
	CHECK(tdev_machine(t)->shutdown_requested);
	CHECK_EQ(bank_in(d, "cnt", 0, 2) & 0x2000, 0); /* the bit is a pulse */
	tdev_free(t);
}

TEST(pm_general_purpose_events)
{
	start("acpi-pm", "gpe_len=4");
	out8(d, "apm", 0, 0xf1);
	out8(d, "gpe", 2, 0x04);
	d->class->input(d, 2, 1);
	CHECK_EQ(in8(d, "gpe", 0), 0x04);
	CHECK_EQ(tdev_level(t, "sci", 0), 1);
	out8(d, "gpe", 0, 0x04);
	CHECK_EQ(tdev_level(t, "sci", 0), 0);
	tdev_free(t);
}

TEST(ged_power_button_and_sleep)
{
	start("acpi-ged", NULL);
	((struct reset_hook *)d->core->powerdown)->fn(d);
	CHECK_EQ(tdev_level(t, "irq", 0), 1);
	CHECK_EQ(in32(d, "events", 0), 2);
	CHECK_EQ(in32(d, "events", 0), 0);
	CHECK_EQ(tdev_level(t, "irq", 0), 0);
	out8(d, "sleep", 0, 5 << 2); /* a type without the enable bit */
	CHECK(!tdev_machine(t)->shutdown_requested);
	out8(d, "sleep", 0, 0x20);
	CHECK(tdev_machine(t)->shutdown_requested);
	out8(d, "sleep", 2, 0x41);
	CHECK(!tdev_machine(t)->reset_requested);
	out8(d, "sleep", 2, 0x42);
	CHECK(tdev_machine(t)->reset_requested);
	tdev_free(t);
}
