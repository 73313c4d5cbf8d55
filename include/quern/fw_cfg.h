/* SPDX-License-Identifier: MIT */
/* fw_cfg.h - the firmware configuration device, as who fills it sees it: the `iface` of class
 * "fw_cfg". */
#pragma once
#include "types.h"

enum fw_cfg_key {
	FW_CFG_SIGNATURE = 0x00,
	FW_CFG_ID = 0x01,
	FW_CFG_UUID = 0x02,
	FW_CFG_RAM_SIZE = 0x03,
	FW_CFG_NOGRAPHIC = 0x04,
	FW_CFG_NB_CPUS = 0x05,
	FW_CFG_KERNEL_ADDR = 0x07,
	FW_CFG_KERNEL_SIZE = 0x08,
	FW_CFG_INITRD_ADDR = 0x0a,
	FW_CFG_INITRD_SIZE = 0x0b,
	FW_CFG_BOOT_DEVICE = 0x0c,
	FW_CFG_NUMA = 0x0d,
	FW_CFG_BOOT_MENU = 0x0e,
	FW_CFG_MAX_CPUS = 0x0f,
	FW_CFG_KERNEL_DATA = 0x11,
	FW_CFG_INITRD_DATA = 0x12,
	FW_CFG_CMDLINE_ADDR = 0x13,
	FW_CFG_CMDLINE_SIZE = 0x14,
	FW_CFG_CMDLINE_DATA = 0x15,
	FW_CFG_SETUP_ADDR = 0x16,
	FW_CFG_SETUP_SIZE = 0x17,
	FW_CFG_SETUP_DATA = 0x18,
	FW_CFG_FILE_DIR = 0x19,
	FW_CFG_FILE_FIRST = 0x20,
	FW_CFG_X86_IRQ0_OVERRIDE = 0x8002,
	FW_CFG_X86_E820 = 0x8003,
};
enum { FW_CFG_NAME_MAX = 55 }; /* letters of a file's name */

struct fw_cfg_iface {
	/* The item of a fixed key. data is not copied: it stays where it is as long as the device.
	 */
	void (*set)(void *dev, u16 key, const void *data, u32 size);
	/* A named file; -EEXIST when there is one of that name, -ENAMETOOLONG, -ENOSPC when there
	 * are too many. */
	int (*add_file)(void *dev, const char *name, const void *data, u32 size);
	/* The same for one that the guest may write, by DMA; written(arg) is called afterwards. */
	int (*add_writable)(void *dev, const char *name, u8 *data, u32 size,
			    void (*written)(void *arg), void *arg);
	/* fn(arg) is called whenever that file is selected: the bytes may be brought up to date.
	 * One file. */
	void (*on_select)(void *dev, const char *name, void (*fn)(void *arg), void *arg);
};
