/* SPDX-License-Identifier: GPL-2.0-or-later */
/* acpi.h - the ACPI tables of a PC-like board, as one block that can be placed anywhere: directly,
 * or by firmware (table-loader). */
#pragma once
#include <quern/types.h>
#include "board/x86.h"
#include "lib/alloc.h"
#include "lib/str.h"

struct acpi_table {
	u32 at, size;
}; /* with the standard header: checksum at + 9 */
struct acpi_pointer {
	u32 at;
	u8 size;
}; /* holds the offset of a table in the block until the block has a base */

struct acpi_tables {
	struct strbuf data; /* starts on a 64-byte boundary; the FACS is first */
	VEC(struct acpi_table) tables;
	VEC(struct acpi_pointer) pointers;
	u32 rsdt, xsdt; /* offsets */
	u32 guid;	/* where the address of the generation ID goes; 0 = there is none */
};
enum { ACPI_RSDP_SIZE = 36 };

/* Builds all tables; pointers between them are offsets and checksums are zero. */
void acpi_build(struct acpi_tables *t, const struct x86_board_info *info);
/* The same with the table of the generation ID. */
void acpi_build_vmgenid(struct acpi_tables *t, const struct x86_board_info *info, bool vmgenid);
/* Adds base to every pointer and sets the checksums. */
void acpi_rebase(struct acpi_tables *t, u64 base);
/* The root pointer for tables at base (0: for firmware, which adds the base and sets the
 * checksums). */
void acpi_rsdp(const struct acpi_tables *t, u64 base, u8 rsdp[ACPI_RSDP_SIZE]);
void acpi_fini(struct acpi_tables *t);

/* acpi_dsdt.c: the byte code of the DSDT. */
void acpi_dsdt(struct strbuf *b, const struct x86_board_info *info);
u8 acpi_checksum(const void *p, size_t n); /* the byte that makes the sum zero */
