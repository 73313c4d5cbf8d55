/* SPDX-License-Identifier: GPL-2.0-or-later */
/* e820.h - the memory map that firmware gives (ACPI 6.4, 15): boot_params, fw_cfg, PVH, multiboot
 * and INT 15h all show this one. */
#pragma once
#include <quern/types.h>
#include "board/x86.h"

enum e820_type { E820_RAM = 1, E820_RESERVED = 2, E820_ACPI = 3, E820_NVS = 4 };
struct e820_entry {
	u64 base, size;
	u32 type;
};
enum { E820_MAX = 32, EBDA_BASE = 0x9fc00, BIOS_BASE = 0xf0000, BIOS_END = 0x100000 };

struct e820 {
	struct e820_entry at[E820_MAX];
	unsigned n;
};

/* The board's memory with [acpi, acpi + acpi_size) of its low RAM set aside for tables; acpi_size
 * may be 0. */
void e820_build(struct e820 *map, const struct x86_board_info *info, u64 acpi, u64 acpi_size);
/* 20 bytes per entry, as boot_params and INT 15h have them; returns the bytes written. */
unsigned e820_store(const struct e820 *map, u8 *out);
