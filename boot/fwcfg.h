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
