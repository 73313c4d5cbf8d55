/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pc.c - the classic PC: i440FX host bridge, PIIX3 ISA bridge, PIIX4 power management, all legacy
 * devices. */
#include "board/x86_board.h"
#include <errno.h>

static int pc_init(struct machine *m, const struct board_config *c, struct error *e)
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
		.low_limit = 0xe0000000,
		.low_split = 0xc0000000,
	};
	const struct x86_chipset chipset = { .smbus = board_option_on(b, c, "smbus", true),
					     .isa_slot = 1 };
	struct x86_board *x = x86_board_new(m, b, c, &parts, e);

	return x ? x86_pci_new(x, &chipset, board_option_on(b, c, "acpi", true), e) : -EINVAL;
}

static const struct board_option pc_options[] = { X86_OPTIONS, X86_PC_OPTIONS, {} };
static const char *const pc_aliases[] = { "pc-i440fx-*", "pc-0.*", "pc-1.*", NULL };
static const struct board pc = {
	.name = "pc",
	.doc = "Standard PC (i440FX + PIIX, 1996)",
	.aliases = pc_aliases,
	.isa = "x86_64",
	.default_cpu = "qemu64",
	.max_cpus = 255,
	.default_ram = 128 << 20,
	.is_default = true,
	.options = pc_options,
	.init = pc_init,
};
BOARD(pc);
