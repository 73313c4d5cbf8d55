/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tables.h - what firmware would leave in memory: ACPI, SMBIOS and MP tables, BIOS data area, the
 * memory map. */
#pragma once
#include "linux.h"

struct smbios;
/* Puts all of it into the plan; fills in s->e820, s->rsdp and s->top. */
int tables_put(struct start *s, const struct smbios *smbios, struct error *e) must_check;
