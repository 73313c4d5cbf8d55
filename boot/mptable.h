/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mptable.h - the MultiProcessor tables, for kernels that do not use ACPI. */
#pragma once
#include "board/x86.h"
#include "lib/str.h"

/* The floating pointer (16 bytes) and the configuration table behind it, to be placed at addr (a
 * multiple of 16 in the BIOS area). */
void mptable_build(struct strbuf *b, const struct x86_board_info *info, u32 addr);
