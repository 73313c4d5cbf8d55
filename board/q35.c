/* SPDX-License-Identifier: GPL-2.0-or-later */
/* q35.c - the PCI Express PC: Q35 host bridge with configuration space in memory, ICH9. */
#include "board/x86_board.h"
#include <errno.h>

static int q35_init(struct machine *m, const struct board_config *c, struct error *e)
{
	const struct board *b = m->board;
	const struct x86_parts parts = {
		.pic = board_option_on(b, c, "pic", true),
		.pit = board_option_on(b, c, "pit", true),
		.rtc = board_option_on(b, c, "rtc", true),
		.hpet = board_option_on(b, c, "hpet", true),
		.i8042 = board_option_on(b, c, "i8042", true),
		.serial = board_option_on(b, c, "isa-serial", true),
		.port92 = true,
		.chipset = true,
		.low_limit = 0xb0000000,
		.low_split = 0x80000000,
	};
	const struct x86_chipset chipset = { .q35 = true,
					     .smbus = board_option_on(b, c, "smbus", true),
					     .sata = board_option_on(b, c, "sata", true),
					     .isa_slot = 31,
					     .ecam = 0xb0000000 };
	struct x86_board *x = x86_board_new(m, b, c, &parts, e);

	return x ? x86_pci_new(x, &chipset, board_option_on(b, c, "acpi", true), e) : -EINVAL;
}

static const struct board_option q35_options[] = { X86_OPTIONS, X86_PC_OPTIONS, {} };
static const char *const q35_aliases[] = { "pc-q35-*", NULL };
static const struct board q35 = {
	.name = "q35",
	.doc = "Standard PC (Q35 + ICH9, 2009)",
	.aliases = q35_aliases,
	.isa = "x86_64",
	.default_cpu = "qemu64",
	.max_cpus = 255,
	.default_ram = 128 << 20,
	.options = q35_options,
	.init = q35_init,
};
BOARD(q35);
