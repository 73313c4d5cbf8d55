/* SPDX-License-Identifier: GPL-2.0-or-later */
/* e820.c - the memory map of a PC-like board (ACPI 6.4, table 15.4): conventional memory up to the
 * EBDA, the BIOS area, RAM around the hole below 4 GiB, and what in it is not free for devices. */
#include "e820.h"

static void add(struct e820 *map, u64 base, u64 end, u32 type)
{
	if (base < end && map->n < E820_MAX)
		map->at[map->n++] = (struct e820_entry){ base, end - base, type };
}

void e820_build(struct e820 *map, const struct x86_board_info *info, u64 acpi, u64 acpi_size)
{
	enum { MIB = 1 << 20, FLASH_BASE = 0xfffc0000u };
	u64 low = info->ram_low;

	map->n = 0;
	add(map, 0, MIN(low, (u64)EBDA_BASE), E820_RAM);
	add(map, EBDA_BASE, MIN(low, (u64)0xa0000), E820_RESERVED);
	add(map, BIOS_BASE, BIOS_END, E820_RESERVED);
	if (acpi_size) {
		add(map, MIB, acpi, E820_RAM);
		add(map, acpi, acpi + acpi_size, E820_ACPI);
		add(map, acpi + acpi_size, low, E820_RAM);
	} else {
		add(map, MIB, low, E820_RAM);
	}
	add(map, info->ecam.base, info->ecam.base + info->ecam.size, E820_RESERVED);
	add(map, FLASH_BASE, BIT64(32), E820_RESERVED);
	add(map, BIT64(32), BIT64(32) + info->ram_high, E820_RAM);
}

unsigned e820_store(const struct e820 *map, u8 *out)
{
	for (unsigned i = 0; i < map->n; i++) {
		st64le(out + 20 * i, map->at[i].base);
		st64le(out + 20 * i + 8, map->at[i].size);
		st32le(out + 20 * i + 16, map->at[i].type);
	}
	return 20 * map->n;
}
