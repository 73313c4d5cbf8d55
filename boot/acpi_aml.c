/* SPDX-License-Identifier: GPL-2.0-or-later */
/* acpi_aml.c - ACPI Machine Language (ACPI 6.4, chapter 20) and resource descriptors (6.4), written
 * bytewise. */
#include "acpi_aml.h"
#include <stdlib.h>

enum {
	EXT = 0x5b,
	SCOPE = 0x10,
	NAME = 0x08,
	METHOD = 0x14,
	BUFFER = 0x11,
	PACKAGE = 0x12,
	STRING = 0x0d,
	DEVICE = 0x82,
	REGION = 0x80,
	FIELD = 0x81,
	BYTE = 0x0a,
	WORD = 0x0b,
	DWORD = 0x0c,
	QWORD = 0x0e,
	ROOT = '\\',
	DUAL = 0x2e,
	MULTI = 0x2f
};

static void put(struct strbuf *b, u8 v) { strbuf_addc(b, (char)v); }

void aml_op(struct strbuf *b, u8 op) { put(b, op); }

static void le(struct strbuf *b, u64 v, unsigned bytes)
{
	u8 raw[8];

	st64le(raw, v);
	strbuf_addn(b, raw, bytes);
}

void aml_path(struct strbuf *b, const char *path)
{
	unsigned parts = 1;

	if (*path == ROOT) {
		put(b, ROOT);
		path++;
	}
	if (!*path) {
		put(b, 0);
		return;
	}
	for (const char *p = path; *p; p++)
		parts += *p == '.';
	if (parts == 2)
		put(b, DUAL);
	if (parts > 2) {
		put(b, MULTI);
		put(b, parts);
	}
	while (*path) {
		size_t n = strcspn(path, ".");
		char seg[4] = { '_', '_', '_', '_' };

		memcpy(seg, path, MIN(n, sizeof(seg)));
		strbuf_addn(b, seg, sizeof(seg));
		path += n + (path[n] == '.');
	}
}

void aml_int(struct strbuf *b, u64 v)
{
	if (v <= 1) {
		put(b, v);
		return;
	}
	if (v <= 0xff) {
		put(b, BYTE);
		le(b, v, 1);
	} else if (v <= 0xffff) {
		put(b, WORD);
		le(b, v, 2);
	} else if (v <= 0xffffffff) {
		put(b, DWORD);
		le(b, v, 4);
	} else {
		put(b, QWORD);
		le(b, v, 8);
	}
}

void aml_string(struct strbuf *b, const char *s)
{
	put(b, STRING);
	strbuf_addn(b, s, strlen(s) + 1);
}

/* 19.3.4: three letters of 5 bits and four hex digits, the bytes swapped. */
void aml_eisaid(struct strbuf *b, const char *id)
{
	u32 letters = (id[0] - 0x40) << 10 | (id[1] - 0x40) << 5 | (id[2] - 0x40);
	u8 raw[4];

	st32be(raw, letters << 16 | strtoul(id + 3, NULL, 16));
	put(b, DWORD);
	strbuf_addn(b, raw, sizeof(raw));
}

/* 19.6.142: aabbccdd-eeff-gghh-iijj-kkllmmnnoopp; the first three groups are little-endian. */
void aml_uuid(struct strbuf *b, const char *uuid)
{
	static const u8 order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	u8 raw[16];
	unsigned n = 0;

	for (const char *p = uuid; *p && n < sizeof(raw); p += 2) {
		char digits[3] = { p[0], p[1], 0 };

		raw[order[n++]] = strtoul(digits, NULL, 16);
		if (p[2] == '-')
			p++;
	}
	aml_bytes(b, raw, sizeof(raw));
}

/* ---- packages: always with a length of three bytes, patched when closed */

static size_t open_length(struct strbuf *b)
{
	size_t at = b->n;

	strbuf_addn(b, "\0\0\0", 3);
	return at;
}

void aml_end(struct strbuf *b, size_t open)
{
	size_t n = b->n - open;

	b->at[open] = 2 << 6 | (n & 15);
	b->at[open + 1] = n >> 4;
	b->at[open + 2] = n >> 12;
}

void aml_bytes(struct strbuf *b, const void *p, unsigned n)
{
	size_t open;

	put(b, BUFFER);
	open = open_length(b);
	aml_int(b, n);
	strbuf_addn(b, p, n);
	aml_end(b, open);
}

void aml_name(struct strbuf *b, const char *path)
{
	put(b, NAME);
	aml_path(b, path);
}

void aml_name_int(struct strbuf *b, const char *path, u64 v)
{
	aml_name(b, path);
	aml_int(b, v);
}

void aml_name_eisaid(struct strbuf *b, const char *path, const char *id)
{
	aml_name(b, path);
	aml_eisaid(b, id);
}

void aml_name_string(struct strbuf *b, const char *path, const char *s)
{
	aml_name(b, path);
	aml_string(b, s);
}

size_t aml_scope(struct strbuf *b, const char *path)
{
	size_t open = aml_block(b, SCOPE);

	aml_path(b, path);
	return open;
}

size_t aml_device(struct strbuf *b, const char *path)
{
	size_t open;

	put(b, EXT);
	open = aml_block(b, DEVICE);
	aml_path(b, path);
	return open;
}

size_t aml_method(struct strbuf *b, const char *path, unsigned args, bool serialized)
{
	size_t open = aml_block(b, METHOD);

	aml_path(b, path);
	put(b, args | (serialized ? 8 : 0));
	return open;
}

size_t aml_package(struct strbuf *b, u8 elements)
{
	size_t open = aml_block(b, PACKAGE);

	put(b, elements);
	return open;
}

size_t aml_block(struct strbuf *b, u8 op)
{
	put(b, op);
	return open_length(b);
}

void aml_region(struct strbuf *b, const char *path, enum aml_space space, u64 at, u64 size)
{
	put(b, EXT);
	put(b, REGION);
	aml_path(b, path);
	put(b, space);
	aml_int(b, at);
	aml_int(b, size);
}

size_t aml_fields(struct strbuf *b, const char *region, u8 access)
{
	size_t open;

	put(b, EXT);
	open = aml_block(b, FIELD);
	aml_path(b, region);
	put(b, access);
	return open;
}

void aml_field(struct strbuf *b, const char *name, unsigned bits)
{
	if (name)
		aml_path(b, name);
	else
		put(b, 0);
	if (bits < 0x40) {
		put(b, bits);
	} else {
		put(b, 1 << 6 | (bits & 15));
		put(b, bits >> 4);
	}
}

/* ---- resources */

/* 6.4.2.5 */
void res_io(struct strbuf *r, u16 port, u8 size)
{
	put(r, 0x47);
	put(r, 1); /* decodes 16 bits */
	le(r, port, 2);
	le(r, port, 2);
	put(r, 1);
	put(r, size);
}

/* 6.4.2.1 */
void res_irq(struct strbuf *r, u16 mask)
{
	put(r, 0x22);
	le(r, mask, 2);
}

/* 6.4.3.6 */
void res_interrupt(struct strbuf *r, const u32 *gsi, unsigned n, bool level, bool low, bool shared)
{
	put(r, 0x89);
	le(r, 2 + 4 * n, 2);
	put(r, 1 | (level ? 0 : 2) | (low ? 4 : 0) | (shared ? 8 : 0));
	put(r, n);
	for (unsigned i = 0; i < n; i++)
		le(r, gsi[i], 4);
}

/* 6.4.3.4 */
void res_memory32(struct strbuf *r, u32 base, u32 size, bool writable)
{
	put(r, 0x86);
	le(r, 9, 2);
	put(r, writable);
	le(r, base, 4);
	le(r, size, 4);
}

/* 6.4.3.5: produced, positive decode, both ends fixed */
void res_window(struct strbuf *r, enum res_type type, u64 base, u64 size, bool cacheable)
{
	static const u8 tag[] = { [2] = 0x88, [4] = 0x87, [8] = 0x8a };
	unsigned width = type != RES_MEMORY ? 2 : base + size - 1 <= 0xffffffff ? 4 : 8;

	put(r, tag[width]);
	le(r, 3 + 5 * width, 2);
	put(r, type);
	put(r, 0x0c);
	put(r, type == RES_MEMORY ? 1 | (cacheable ? 2 : 0) : type == RES_IO ? 3 : 0);
	le(r, 0, width);
	le(r, base, width);
	le(r, base + size - 1, width);
	le(r, 0, width);
	le(r, size, width);
}

void aml_resources(struct strbuf *b, struct strbuf *r)
{
	put(r, 0x79);
	put(r, 0);
	aml_bytes(b, r->at, r->n);
	strbuf_fini(r);
}
