/* SPDX-License-Identifier: GPL-2.0-or-later */
/* acpi_aml.h - writes ACPI Machine Language. Terms are written in the order of the byte code
 * (operator first, then operands); what has a length is opened and closed: size_t d = aml_device(b,
 * "PCI0"); ... aml_end(b, d); */
#pragma once
#include <quern/types.h>
#include "lib/str.h"

enum {
	AML_STORE = 0x70,
	AML_AND = 0x7b,
	AML_OR = 0x7d,
	AML_LNOT = 0x92,
	AML_LEQUAL = 0x93,
	AML_LLESS = 0x95,
	AML_RETURN = 0xa4,
	AML_ELSE = 0xa1,
	AML_IF = 0xa0,
	AML_LOCAL0 = 0x60,
	AML_ARG0 = 0x68,
	AML_ONES = 0xff,
	AML_NOTIFY = 0x86,
	AML_NULL_TARGET = 0x00,
	AML_CREATE_DWORD_FIELD = 0x8a,
	AML_ADD = 0x72,
};
enum aml_space { AML_SYSTEM_MEMORY = 0, AML_SYSTEM_IO = 1, AML_PCI_CONFIG = 2 };

void aml_op(struct strbuf *b, u8 op);
void aml_path(struct strbuf *b,
	      const char *path); /* "\\_SB.PCI0": each part is padded with '_' to 4 letters */
void aml_int(struct strbuf *b, u64 v);
void aml_string(struct strbuf *b, const char *s);
void aml_eisaid(struct strbuf *b, const char *id);	     /* "PNP0A03" as a number */
void aml_uuid(struct strbuf *b, const char *uuid);	     /* "33db4d5b-..." as ToUUID's buffer */
void aml_bytes(struct strbuf *b, const void *p, unsigned n); /* Buffer () { ... } */

/* Name (path, value) for the three usual kinds; aml_name alone expects a value term next. */
void aml_name(struct strbuf *b, const char *path);
void aml_name_int(struct strbuf *b, const char *path, u64 v);
void aml_name_eisaid(struct strbuf *b, const char *path, const char *id);
void aml_name_string(struct strbuf *b, const char *path, const char *s);

size_t aml_scope(struct strbuf *b, const char *path);
size_t aml_device(struct strbuf *b, const char *path);
size_t aml_method(struct strbuf *b, const char *path, unsigned args, bool serialized);
size_t aml_package(struct strbuf *b, u8 elements);
size_t aml_block(struct strbuf *b,
		 u8 op); /* AML_IF, AML_ELSE: the predicate and the terms follow */
void aml_end(struct strbuf *b, size_t open);

void aml_region(struct strbuf *b, const char *path, enum aml_space space, u64 at, u64 size);
/* Field (region, access 1 = byte, 3 = dword, NoLock, Preserve): then aml_field's, then aml_end. */
size_t aml_fields(struct strbuf *b, const char *region, u8 access);
void aml_field(struct strbuf *b, const char *name, unsigned bits); /* NULL name: reserved bits */

/* Resource descriptors go into a buffer of their own, which aml_resources then writes as a Buffer
 * with the end tag. */
void res_io(struct strbuf *r, u16 port, u8 size);
void res_irq(struct strbuf *r, u16 mask); /* edge, active high, exclusive */
void res_interrupt(struct strbuf *r, const u32 *gsi, unsigned n, bool level, bool low, bool shared);
void res_memory32(struct strbuf *r, u32 base, u32 size, bool writable);
enum res_type { RES_MEMORY, RES_IO, RES_BUS };
/* Address space windows that a bridge produces: word for IO and buses, dword or qword for memory.
 */
void res_window(struct strbuf *r, enum res_type type, u64 base, u64 size, bool cacheable);
void aml_resources(struct strbuf *b, struct strbuf *r); /* empties r */
