/* SPDX-License-Identifier: GPL-2.0-or-later */
/* btf.c - reads BTF as far as a debugger needs it: sizes, members, enumerators. The format is that
 * of Documentation/bpf/btf.rst; every offset in it is checked, every chain of types is cut at a
 * depth. */
#include "guest/btf.h"
#include "lib/hash.h"
#include "lib/str.h"
#include <errno.h>
#include <stdlib.h>

enum btf_kind {
	KIND_INT = 1,
	KIND_PTR,
	KIND_ARRAY,
	KIND_STRUCT,
	KIND_UNION,
	KIND_ENUM,
	KIND_FWD,
	KIND_TYPEDEF,
	KIND_VOLATILE,
	KIND_CONST,
	KIND_RESTRICT,
	KIND_FUNC,
	KIND_FUNC_PROTO,
	KIND_VAR,
	KIND_DATASEC,
	KIND_FLOAT,
	KIND_DECL_TAG,
	KIND_TYPE_TAG,
	KIND_ENUM64
};
enum { HEADER = 24, TYPE = 12, MEMBER = 12, DEPTH = 32, POINTER = 8 };

struct type {
	const char *name;
	enum btf_kind kind;
	u32 vlen, size_or_type;
	bool flag;
	const u8 *rest; /* what follows the common part, checked to be there */
};

static const char *string(const struct btf *b, u32 off)
{
	return off < b->strings_size ? b->strings + off : "";
}

/* Bytes that follow the common part of a type. */
static s64 tail(enum btf_kind kind, u32 vlen)
{
	switch (kind) {
	case KIND_INT:
	case KIND_VAR:
	case KIND_DECL_TAG:
		return 4;
	case KIND_ARRAY:
		return 12;
	case KIND_STRUCT:
	case KIND_UNION:
	case KIND_DATASEC:
	case KIND_ENUM64:
		return (s64)vlen * 12;
	case KIND_ENUM:
	case KIND_FUNC_PROTO:
		return (s64)vlen * 8;
	case KIND_PTR:
	case KIND_FWD:
	case KIND_TYPEDEF:
	case KIND_VOLATILE:
	case KIND_CONST:
	case KIND_RESTRICT:
	case KIND_FUNC:
	case KIND_FLOAT:
	case KIND_TYPE_TAG:
		return 0;
	}
	return -1;
}

static bool get(const struct btf *b, u32 id, struct type *t)
{
	const u8 *p;
	u32 info;

	if (!id || id > b->n)
		return false;
	p = b->types + b->at[id - 1];
	info = ld32le(p + 4);
	*t = (struct type){ .name = string(b, ld32le(p)),
			    .kind = info >> 24 & 0x1f,
			    .vlen = info & 0xffff,
			    .flag = info >> 31,
			    .size_or_type = ld32le(p + 8),
			    .rest = p + TYPE };
	return true;
}

static int index_types(struct btf *b)
{
	u32 cap = 0;

	for (u32 at = 0; at < b->types_size;) {
		u32 info;
		s64 more;

		if (!range_fits(at, TYPE, b->types_size))
			return -EINVAL;
		info = ld32le(b->types + at + 4);
		more = tail(info >> 24 & 0x1f, info & 0xffff);
		if (more < 0 || !range_fits(at + TYPE, (u64)more, b->types_size))
			return -EINVAL;
		if (b->n == cap) {
			u32 *grown = realloc(b->at, sizeof(*b->at) * (cap ? cap * 2 : 4096));

			if (!grown)
				return -ENOMEM;
			b->at = grown;
			cap = cap ? cap * 2 : 4096;
		}
		b->at[b->n++] = at;
		at += TYPE + (u32)more;
	}
	return b->n ? 0 : -EINVAL;
}

static bool is_record(const struct type *t)
{
	return t->kind == KIND_STRUCT || t->kind == KIND_UNION;
}

static u32 *record_slot(const struct btf *b, const char *name, size_t n)
{
	u32 k = (u32)hash_bytes(name, n) & b->record_mask;
	struct type t;

	while (get(b, b->record[k], &t) && (strncmp(t.name, name, n) || t.name[n]))
		k = (k + 1) & b->record_mask;
	return &b->record[k];
}

/* Of several with one name the first counts. */
static int index_records(struct btf *b)
{
	u32 size = 1024;

	while (size < 2 * b->n)
		size *= 2;
	b->record = calloc(size, sizeof(*b->record));
	b->record_mask = size - 1;
	if (!b->record)
		return -ENOMEM;
	for (u32 id = 1; id <= b->n; id++) {
		struct type t;
		u32 *slot;

		if (!get(b, id, &t) || !is_record(&t) || !*t.name)
			continue;
		slot = record_slot(b, t.name, strlen(t.name));
		if (!*slot)
			*slot = id;
	}
	return 0;
}

int btf_init(struct btf *b, u8 *data, size_t size)
{
	u32 hdr = 0, type_off = 0, str_off = 0;
	int err = -EINVAL;

	*b = (struct btf){ .data = data, .size = size };
	if (size >= HEADER && ld16le(data) == 0xeb9f && data[2] == 1) {
		hdr = ld32le(data + 4);
		type_off = ld32le(data + 8);
		b->types_size = ld32le(data + 12);
		str_off = ld32le(data + 16);
		b->strings_size = ld32le(data + 20);
		if (hdr <= size && range_fits(type_off, b->types_size, size - hdr) &&
		    range_fits(str_off, b->strings_size, size - hdr) && b->strings_size) {
			b->types = data + hdr + type_off;
			b->strings = (const char *)data + hdr + str_off;
			err = b->strings[b->strings_size - 1] ? -EINVAL : index_types(b);
		}
	}
	if (!err)
		err = index_records(b);
	if (err)
		btf_fini(b);
	return err;
}

void btf_fini(struct btf *b)
{
	free((void *)b->data);
	free(b->at);
	free(b->record);
	*b = (struct btf){ 0 };
}

/* Through typedefs and qualifiers; 0 when there is no end to them. */
static u32 resolve(const struct btf *b, u32 id)
{
	struct type t;

	for (unsigned i = 0; i < DEPTH && get(b, id, &t); i++)
		switch (t.kind) {
		case KIND_TYPEDEF:
		case KIND_VOLATILE:
		case KIND_CONST:
		case KIND_RESTRICT:
		case KIND_TYPE_TAG:
			id = t.size_or_type;
			break;
		default:
			return id;
		}
	return 0;
}

/* Size of a type, *count its elements over all dimensions. */
static u32 size_of(const struct btf *b, u32 id, u32 *count)
{
	u64 size, n = 1;
	struct type t;

	for (unsigned i = 0; i < DEPTH && get(b, id = resolve(b, id), &t); i++) {
		if (t.kind == KIND_ARRAY) {
			id = ld32le(t.rest);
			n *= ld32le(t.rest + 8);
			if (n > (u64)1 << 30)
				return 0;
			continue;
		}
		size = t.kind == KIND_PTR ? POINTER : t.size_or_type;
		*count = (u32)n;
		return size * n <= (u64)1 << 30 ? (u32)(size * n) : 0;
	}
	return 0;
}

/* Finds a member in a record, looking into anonymous ones. */
static bool member(const struct btf *b, u32 id, const char *name, size_t n, unsigned depth,
		   struct btf_member *m)
{
	struct type t;

	if (depth > DEPTH || !get(b, id, &t) || !is_record(&t))
		return false;
	for (u32 i = 0; i < t.vlen; i++) {
		const u8 *p = t.rest + (size_t)MEMBER * i;
		const char *s = string(b, ld32le(p));
		u32 off = ld32le(p + 8), bits = t.flag ? off >> 24 : 0;
		u32 type = resolve(b, ld32le(p + 4));

		if (t.flag)
			off &= 0xffffff;
		if (!strncmp(s, name, n) && !s[n]) {
			m->bit += off;
			m->bits = bits;
			m->type = type;
			m->count = 1;
			m->size = size_of(b, type, &m->count);
			return true;
		}
		if (!*s) {
			struct btf_member in = { .bit = m->bit + off };

			if (member(b, type, name, n, depth + 1, &in)) {
				*m = in;
				return true;
			}
		}
	}
	return false;
}

static u32 record(const struct btf *b, const char *name, size_t n)
{
	return b->record ? *record_slot(b, name, n) : 0;
}

int btf_find(const struct btf *b, const char *path, struct btf_member *m)
{
	size_t n = strcspn(path, ".");
	u32 id = record(b, path, n);
	struct type t;

	*m = (struct btf_member){ .type = id, .count = 1 };
	while (id && path[n]) {
		path += n + 1;
		n = strcspn(path, ".");
		/* an array of structures: its first */
		for (unsigned i = 0; i < DEPTH && get(b, id, &t) && t.kind == KIND_ARRAY; i++)
			id = resolve(b, ld32le(t.rest));
		if (!member(b, id, path, n, 0, m))
			return -ENOENT;
		id = m->type;
	}
	return id ? 0 : -ENOENT;
}

int btf_size(const struct btf *b, const char *name, u32 *size)
{
	struct type t;

	if (!get(b, record(b, name, strlen(name)), &t))
		return -ENOENT;
	*size = t.size_or_type;
	return 0;
}

int btf_enumerator(const struct btf *b, const char *name, s64 *v)
{
	for (u32 id = 1; id <= b->n; id++) {
		struct type t;
		u32 width;

		if (!get(b, id, &t) || (t.kind != KIND_ENUM && t.kind != KIND_ENUM64))
			continue;
		width = t.kind == KIND_ENUM ? 8 : 12;
		for (u32 i = 0; i < t.vlen; i++) {
			const u8 *p = t.rest + (size_t)width * i;

			if (!str_eq(string(b, ld32le(p)), name))
				continue;
			*v = (s32)ld32le(p + 4);
			if (t.kind == KIND_ENUM64)
				*v = (s64)(ld32le(p + 4) | (u64)ld32le(p + 8) << 32);
			return 0;
		}
	}
	return -ENOENT;
}
