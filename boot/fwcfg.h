/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fwcfg.h - the machine's fw_cfg device and what is in it. */
#pragma once
#include "lib/str.h"
#include "linux.h"

/* Creates the device where the board wants it and fills it; nothing to do when the board wants none
 * and the user gave nothing. */
int fwcfg_put(struct start *s, struct boot_options *o, struct error *e) must_check;
/* SeaBIOS's and OVMF's commands to place the tables and connect them (128 bytes each). */
struct acpi_tables;
void fwcfg_table_loader(struct strbuf *b, const struct acpi_tables *t);

/* linux_rom.c: an option ROM, malloc'ed, that fetches these items to those addresses and starts
 * Linux's setup code at 0x10000. */
enum { FWCFG_ROM_PARTS = 4 };
struct fwcfg_rom_part {
	u16 key;
	u32 size;
	u64 addr;
};
u8 *fwcfg_linux_rom(const struct fwcfg_rom_part *part, unsigned n, size_t *size);
