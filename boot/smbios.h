/* SPDX-License-Identifier: GPL-2.0-or-later */
/* smbios.h - the SMBIOS tables: what -smbios and -uuid ask for, and the bytes. */
#pragma once
#include <quern/types.h>
#include "board/x86.h"
#include "lib/alloc.h"
#include "lib/bytes.h"
#include "lib/error.h"
#include "lib/str.h"

enum { SMBIOS_FIELDS = 48 };
struct smbios {
	char *value[SMBIOS_FIELDS]; /* by the field table of smbios.c; NULL = the default */
	bool given[128];	    /* a -smbios type=N was there */
	bool has_uuid;
	u8 uuid[16];		/* in the order of its text */
	VEC(char *) oem;	/* type 11 strings */
	VEC(struct bytes) file; /* -smbios file=: one structure each */
	bool v3;		/* -machine smbios-entry-point-type=64 */
};

/* One -smbios option's text: "type=1,manufacturer=A,product=B" with ,, escapes, or "file=F". */
int smbios_parse(struct smbios *s, const char *text, struct error *e) must_check;
/* -uuid 01234567-89ab-cdef-0123-456789abcdef */
int smbios_set_uuid(struct smbios *s, const char *text, struct error *e) must_check;
int uuid_parse(const char *text, u8 uuid[16]) must_check;
void smbios_fini(struct smbios *s);

struct smbios_tables {
	struct strbuf data;
	unsigned count, largest;
	bool v3;
};
enum { SMBIOS_ENTRY_MAX = 31 };
/* s may be NULL. machine is the board's name, for the product's default. */
void smbios_build(struct smbios_tables *t, const struct smbios *s,
		  const struct x86_board_info *info, const char *machine);
/* The entry point for tables at addr; returns its length. Checksums are set. */
unsigned smbios_entry(const struct smbios_tables *t, u64 addr, u8 entry[SMBIOS_ENTRY_MAX]);
