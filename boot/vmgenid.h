/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmgenid.h - how a guest finds the machine's generation ID: a device in an ACPI table of its own,
 * memory for the number. */
#pragma once
#include "acpi.h"
#include "core/device.h"

struct start;
struct boot_plan;

/* The machine's vmgenid device in *d, or NULL; refuses two, and one where nothing would tell the
 * guest. */
int must_check vmgenid_find(struct machine *m, struct device **d, struct error *e);
/* The body of the table; returns where in b the 32-bit address of the GUID is. */
u32 vmgenid_aml(struct strbuf *b);
/* Without firmware: puts the GUID into memory that the memory map reserves, and returns where. */
u64 vmgenid_put(struct boot_plan *p, struct device *d);
