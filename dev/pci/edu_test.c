/* SPDX-License-Identifier: GPL-2.0-or-later */
/* edu_test.c - the educational device without a guest: what its specification says, by section. */
#include "bus/pci.h"
#include "core/fault.h"
#include "core/tdev.h"
#include "lib/test.h"

enum { STATUS_COMPUTING = 0x01, STATUS_IRQ = 0x80 };
enum { CMD_START = 1, CMD_FROM_EDU = 2, CMD_IRQ = 4, BUFFER = 0x40000 };
enum { PCI_COMMAND = 0x04, MSI_CONTROL = 0x42, MSI_OFF = 0, COMMAND_MEM_MASTER_NO_INTX = 0x406 };

static u32 config(struct tdev *t, u32 off, unsigned size)
{
	return pci_config_access(tdev_pci(t), 0, 0, off, size, false, 0);
}

static void config_set(struct tdev *t, u32 off, unsigned size, u32 val)
{
	pci_config_access(tdev_pci(t), 0, 0, off, size, true, val);
}

static void transfer(struct tdev *t, u64 src, u64 dst, u64 count, u64 cmd)
{
	tdev_w64(t, "src", src);
	tdev_w64(t, "dst", dst);
	tdev_w64(t, "count", count);
	tdev_w64(t, "cmd", cmd | CMD_START);
	CHECK_EQ(tdev_r64(t, "cmd"), cmd | CMD_START);
	tdev_run_us(t, 99999);
	CHECK_EQ(tdev_r64(t, "cmd"), cmd | CMD_START);
	tdev_run_us(t, 1);
	CHECK_EQ(tdev_r64(t, "cmd"), cmd);
}

TEST(edu_is_what_drivers_look_for)
{
	struct tdev *t = tdev_new("edu");

	CHECK_EQ(config(t, 0, 4), 0x11e81234);
	CHECK_EQ(config(t, 8, 4), 0x00ff0010);
	CHECK_EQ(config(t, 0x3d, 1), 1);
	CHECK_EQ(config(t, 0x34, 1), 0x40);
	CHECK_EQ(config(t, 0x40, 1), 0x05);
	CHECK_EQ(tdev_r32(t, "id"), 0x010000ed);
	tdev_w32(t, "alive", 0x12345678);
	CHECK_EQ(tdev_r32(t, "alive"), 0xedcba987);
	/* below 0x80 there is no other width; the buffer is for DMA alone */
	CHECK_EQ(tdev_read_at(t, 0, 0x00, 8), ~0ull);
	CHECK_EQ(tdev_read_at(t, 0, BUFFER, 4), 0xffffffff);
	CHECK_EQ(tdev_r32(t, "irq_raise"), 0xffffffff);
	CHECK_EQ(tdev_r32(t, "irq_ack"), 0xffffffff);
	tdev_free(t);
}

TEST(edu_factorials)
{
	static const u32 known[][2] = { { 0, 1 },	    { 1, 1 },		{ 5, 120 },
					{ 12, 479001600 },  { 13, 1932053504 }, { 20, 2192834560 },
					{ 33, 0x80000000 }, { 34, 0 },		{ 0xffffffff, 0 } };
	struct tdev *t = tdev_new("edu");

	for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
		tdev_w32(t, "factorial", known[i][0]);
		CHECK_EQ(tdev_r32(t, "status"), STATUS_COMPUTING);
		/* busy: what is written now is lost */
		tdev_w32(t, "factorial", 3);
		tdev_run_ns(t, MAX(known[i][0], 1u));
		CHECK_EQ(tdev_r32(t, "status"), 0);
		CHECK_EQ(tdev_r32(t, "factorial"), known[i][1]);
	}
	CHECK_EQ(tdev_irqs(t, 0), 0);
	tdev_w32(t, "status", STATUS_COMPUTING | STATUS_IRQ);
	CHECK_EQ(tdev_r32(t, "status"), STATUS_IRQ);
	tdev_w32(t, "factorial", 4);
	tdev_run_us(t, 1);
	CHECK_EQ(tdev_irqs(t, 0), 1);
	CHECK_EQ(tdev_r32(t, "irq_status"), 1);
	tdev_free(t);
}

TEST(edu_interrupts_by_message)
{
	struct tdev *t = tdev_new("edu");

	tdev_w32(t, "irq_raise", 0);
	CHECK_EQ(tdev_irqs(t, 0), 0);
	tdev_w32(t, "irq_raise", 0x80000001);
	tdev_w32(t, "irq_raise", 0x10);
	CHECK_EQ(tdev_irqs(t, 0), 2);
	CHECK_EQ(tdev_r32(t, "irq_status"), 0x80000011);
	tdev_w32(t, "irq_ack", 0x11);
	CHECK_EQ(tdev_r32(t, "irq_status"), 0x80000000);
	CHECK_EQ(tdev_level(t, "intx", 0), 0);
	tdev_free(t);
}

TEST(edu_interrupts_by_pin)
{
	struct tdev *t = tdev_new("edu");

	config_set(t, MSI_CONTROL, 2, MSI_OFF);
	tdev_w32(t, "irq_raise", 0x3);
	CHECK_EQ(tdev_level(t, "intx", 0), 1);
	config_set(t, PCI_COMMAND, 2, COMMAND_MEM_MASTER_NO_INTX);
	CHECK_EQ(tdev_level(t, "intx", 0), 0);
	config_set(t, PCI_COMMAND, 2, 6);
	tdev_w32(t, "irq_ack", 0x1);
	CHECK_EQ(tdev_level(t, "intx", 0), 1);
	tdev_w32(t, "irq_ack", 0x2);
	CHECK_EQ(tdev_level(t, "intx", 0), 0);
	CHECK_EQ(tdev_irqs(t, 0), 0);
	tdev_w32(t, "irq_raise", 0x4);
	device_reset(tdev_device(t));
	CHECK_EQ(tdev_level(t, "intx", 0), 0);
	tdev_free(t);
}

TEST(edu_dma_both_ways)
{
	struct tdev *t = tdev_new("edu");
	u8 *ram = tdev_ram(t, 0);

	for (unsigned i = 0; i < 4096; i++)
		ram[i] = i ^ i >> 8;
	transfer(t, 0, BUFFER, 4096, 0);
	CHECK_EQ(tdev_irqs(t, 0), 0);
	transfer(t, BUFFER + 100, 0x5000, 200, CMD_FROM_EDU | CMD_IRQ);
	CHECK_MEM(ram + 0x5000, ram + 100, 200);
	CHECK_EQ(ram[0x50c8], 0);
	CHECK_EQ(tdev_irqs(t, 0), 1);
	CHECK_EQ(tdev_r32(t, "irq_status"), 0x100);
	/* 32 bits are written as the whole register */
	tdev_w64(t, "src", ~0ull);
	tdev_w32(t, "src", 0x1000);
	CHECK_EQ(tdev_r64(t, "src"), 0x1000);
	CHECK_EQ(tdev_read_at(t, 0, 0x84, 4), 0xffffffff);
	tdev_free(t);
}

TEST(edu_dma_registers_are_locked_while_it_runs)
{
	struct tdev *t = tdev_new("edu");

	*(u8 *)tdev_ram(t, 0x100) = 7;
	tdev_w64(t, "src", 0x100);
	tdev_w64(t, "dst", BUFFER);
	tdev_w64(t, "count", 1);
	tdev_w64(t, "cmd", CMD_START);
	tdev_w64(t, "src", 0x200);
	tdev_w64(t, "cmd", 0);
	CHECK_EQ(tdev_r64(t, "src"), 0x100);
	CHECK_EQ(tdev_r64(t, "cmd"), CMD_START);
	tdev_run_us(t, 100000);
	transfer(t, BUFFER, 0x300, 1, CMD_FROM_EDU);
	CHECK_EQ(*(u8 *)tdev_ram(t, 0x300), 7);
	tdev_free(t);
}

TEST(edu_dma_mask)
{
	struct tdev *t = tdev_new("edu");

	memcpy(tdev_ram(t, 0x100), "mask", 4);
	transfer(t, 0xf0000100, BUFFER, 4, 0); /* bits 28 and up are not there */
	transfer(t, BUFFER, 0x10000200, 4, CMD_FROM_EDU);
	CHECK_MEM(tdev_ram(t, 0x200), "mask", 4);
	tdev_free(t);
	t = tdev_new_props("edu", "dma_mask=0xffffffff");
	memcpy(tdev_ram(t, 0x100), "mask", 4);
	transfer(t, 0xf0000100, BUFFER, 4, 0);
	transfer(t, BUFFER, 0x200, 4, CMD_FROM_EDU);
	CHECK(*(u8 *)tdev_ram(t, 0x200) != *"mask");
	tdev_free(t);
}

TEST(edu_dma_outside_of_the_buffer_ends_without_a_transfer)
{
	static const u64 wrong[][2] = { { BUFFER - 1, 2 },    { BUFFER, 4097 },
					{ BUFFER + 4095, 2 }, { BUFFER + 4097, 0 },
					{ ~0ull, 2 },	      { BUFFER, ~0ull } };
	struct tdev *t = tdev_new("edu");

	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		memset(tdev_ram(t, 0), 0x55, 0x2000);
		transfer(t, wrong[i][0], 0, wrong[i][1], CMD_FROM_EDU | CMD_IRQ);
		CHECK_EQ(*(u8 *)tdev_ram(t, 0), 0x55);
		transfer(t, 0, wrong[i][0], wrong[i][1], 0);
		CHECK_EQ(tdev_irqs(t, 0), i + 1);
	}
	tdev_free(t);
}

TEST(edu_can_get_stuck)
{
	struct tdev *t = tdev_new("edu");

	CHECK_EQ(fault_arm(tdev_machine(t), "edu.*_stuck", NULL), 0);
	tdev_w32(t, "factorial", 3);
	tdev_w64(t, "cmd", CMD_START);
	tdev_run_us(t, 1000000);
	CHECK_EQ(tdev_r32(t, "status"), STATUS_COMPUTING);
	CHECK_EQ(tdev_r64(t, "cmd"), CMD_START);
	device_reset(tdev_device(t));
	CHECK_EQ(tdev_r32(t, "status"), 0);
	CHECK_EQ(tdev_r64(t, "cmd"), 0);
	tdev_free(t);
}
