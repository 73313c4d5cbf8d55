/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dma_test.c - scatter lists: pieces of RAM in place, everything else by copy. */
#include <quern/dma.h>
#include "bus/pci.h"
#include "core/tdev.h"
#include "lib/test.h"
#include <errno.h>

TEST(dma_list_of_ram)
{
	struct tdev *t = tdev_new("crc");
	struct dma_list l = { .dev = tdev_device(t), .write = true };
	size_t n = 100;
	u8 buf[8];

	CHECK_EQ(dma_list_add(&l, 0x1000, 512), 0);
	CHECK_EQ(dma_list_add(&l, 0x1200, 512), 0);
	CHECK_EQ(dma_list_add(&l, 0x3000, 4096), 0);
	CHECK_EQ(l.n, 2); /* neighbours are one */
	CHECK_EQ(l.bytes, 5120);
	CHECK(l.vec[0].iov_base == tdev_ram(t, 0x1000));
	CHECK_EQ(dma_list_write(&l, 1022, "abcd", 4), 4);
	CHECK_MEM(tdev_ram(t, 0x13fe), "ab", 2);
	CHECK_MEM(tdev_ram(t, 0x3000), "cd", 2);
	CHECK_EQ(dma_list_read(&l, 1022, buf, 4), 4);
	CHECK_MEM(buf, "abcd", 4);
	CHECK_EQ(dma_list_finish(&l, 5120), 0);
	CHECK(tdev_machine(t)->ram.ram->page_flags[1] & PAGE_DIRTY);
	CHECK(!(tdev_machine(t)->ram.ram->page_flags[2] & PAGE_DIRTY));
	CHECK_EQ(l.n, 0);
	CHECK(dev_dma_map(tdev_device(t), 0xfff00, &n, false) == tdev_ram(t, 0xfff00));
	n = 4096;
	CHECK(dev_dma_map(tdev_device(t), 0xfff00, &n, false));
	CHECK_EQ(n, 256); /* RAM ends */
	dma_list_free(&l);
	tdev_free(t);
}

/* Onto the device's own registers: the copy reaches them at the end. */
TEST(dma_list_of_registers)
{
	struct tdev *t = tdev_new("crc");
	struct dma_list l = { .dev = tdev_device(t), .write = true };
	u64 bar = ld32le(pci_config((void *)tdev_device(t)) + 0x10) & ~15u;

	CHECK_EQ(dma_list_add(&l, bar + 0x10, 8), 0);
	dma_list_write(&l, 0, "\x00\x10\0\0\0\0\0\0", 8);
	CHECK_EQ(tdev_r64(t, "src"), 0);
	CHECK_EQ(dma_list_finish(&l, 8), 0);
	CHECK_EQ(tdev_r64(t, "src"), 0x1000);
	l.write = false;
	CHECK_EQ(dma_list_add(&l, bar + 0x10, 8), 0);
	CHECK_EQ(ld64le(l.vec[0].iov_base), 0x1000);
	dma_list_finish(&l, 0);
	dma_list_free(&l);
	tdev_free(t);
}

TEST(dma_list_refuses)
{
	struct tdev *t = tdev_new("crc");
	struct dma_list l = { .dev = tdev_device(t), .write = true };
	size_t n = 4;

	CHECK_EQ(dma_list_add(&l, 0xff000, 8192), -EFAULT); /* past the end of RAM */
	dma_list_free(&l);
	l.write = false;
	CHECK_EQ(dma_list_add(&l, 0x80000000, 8), -EFAULT);
	pci_config((void *)tdev_device(t))[4] &= ~4; /* Bus Master Enable */
	CHECK_EQ(dma_list_add(&l, 0, 8), -EFAULT);
	CHECK(!dev_dma_map(tdev_device(t), 0, &n, false));
	dma_list_free(&l);
	tdev_free(t);
}
