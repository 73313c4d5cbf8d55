/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kallsyms.c - finds and unpacks the in-memory symbol tables of Linux. Their layout is that of
 * scripts/kallsyms.c: names are sequences of bytes that each stand for a token; 256 tokens lie one
 * after the other, with an index of 16-bit offsets, which is what gives the tables away. Around
 * these, by age:
 *   before 6.4: addresses or offsets, base, count, names, markers, (6.2: order by name,) tokens,
 * index since 6.4:  count, names, markers, tokens, index, offsets, base, order by name */
#include "guest/kallsyms.h"
#include "lib/alloc.h"
#include "lib/hash.h"
#include <errno.h>

enum {
	TOKENS = 256,
	NAME_MAX_BYTES = 512,
	MAX_SYMS = 1 << 22,
	MAX_NAMES = 256 << 20, /* bytes of all names */
	SEARCH_BACK = 32 << 20
};

/* All positions are offsets in the image. */
struct tables {
	const u8 *image;
	size_t size;
	u64 va;
	size_t index, tokens; /* of the tokens */
	u8 token_len[TOKENS];
	size_t names, names_end;
	u32 n;
	size_t offsets; /* 32-bit, or 64-bit addresses when !base */
	u64 base;
	bool absolute_percpu, from_place;
};

/* ---- tokens */

/* 256 offsets that grow from 0 by the length of a token. */
static bool is_index(const u8 *p)
{
	u32 last = ld16le(p);

	if (last)
		return false;
	for (unsigned i = 1; i < TOKENS; i++) {
		u32 now = ld16le(p + 2 * i);

		if (now < last + 2 || now > last + 64)
			return false;
		last = now;
	}
	return true;
}

static bool is_tokens(struct tables *t, size_t at)
{
	for (unsigned i = 0; i < TOKENS; i++) {
		size_t p = at + ld16le(t->image + t->index + 2 * i), n = 0;
		size_t end =
			i + 1 < TOKENS ? at + ld16le(t->image + t->index + 2 * i + 2) : t->index;

		while (p + n < end && t->image[p + n]) {
			if (t->image[p + n] < 0x20 || t->image[p + n] > 0x7e)
				return false;
			n++;
		}
		if (!n || n > 63 || p + n >= end || (i + 1 < TOKENS && p + n + 1 != end))
			return false;
		t->token_len[i] = n;
	}
	t->tokens = at;
	return true;
}

static bool find_tokens(struct tables *t, size_t *from)
{
	for (size_t at = ALIGN_UP(*from, (size_t)8); range_fits(at, 2 * TOKENS, t->size); at += 8) {
		size_t last = ld16le(t->image + at + 2 * TOKENS - 2);

		if (!is_index(t->image + at))
			continue;
		t->index = at;
		*from = at + 8;
		/* the last token, its NUL and the alignment lie between */
		for (size_t gap = 2; gap <= 80 && last + gap <= at; gap++)
			if ((at - last - gap) % 4 == 0 && is_tokens(t, at - last - gap))
				return true;
	}
	return false;
}

/* ---- names */

/* Length of the symbol at p in bytes, *skip its length's own; 0 when it does not fit. */
static size_t name_len(const struct tables *t, size_t p, size_t *skip)
{
	size_t n;

	*skip = 1;
	if (p + 2 > t->size)
		return 0;
	n = t->image[p];
	if (n & 0x80) {
		n = (n & 0x7f) | (size_t)t->image[p + 1] << 7;
		*skip = 2;
	}
	return range_fits(p, *skip + n, t->size) && n <= NAME_MAX_BYTES ? n : 0;
}

/* Are there n names at p, ending before `end`? *markers[i] when wanted: where number 256 begins. */
static bool are_names(struct tables *t, size_t p, u32 n, size_t end)
{
	size_t start = p, second = 0, m;

	for (u32 i = 0; i < n; i++) {
		size_t skip, len = name_len(t, p, &skip);

		if (!len || p + skip + len > end)
			return false;
		/* a name is its type, a letter, and at least one character */
		if (i < 64) {
			u8 first = t->image[p + skip];
			u8 type = t->image[t->tokens + ld16le(t->image + t->index + 2 * first)];

			if (!((type | 0x20) >= 'a' && (type | 0x20) <= 'z'))
				return false;
		}
		if (i == 256)
			second = p - start;
		p += skip + len;
	}
	/* the markers say where each 256th begins */
	m = ALIGN_UP(p, (size_t)4);
	for (unsigned pad = 0; pad <= 4; pad += 4)
		if (range_fits(m + pad, 8, t->size) && !ld32le(t->image + m + pad) &&
		    (n <= 256 || ld32le(t->image + m + pad + 4) == second)) {
			t->names = start;
			t->names_end = p;
			t->n = n;
			return true;
		}
	return false;
}

/* The count stands before the names, aligned to 4 or 8 bytes. */
static bool find_names(struct tables *t)
{
	size_t low = t->tokens > SEARCH_BACK ? t->tokens - SEARCH_BACK : 0;

	for (size_t at = ALIGN_DOWN(t->tokens, (size_t)4); at >= low + 8; at -= 4) {
		u32 n = ld32le(t->image + at - 4);
		bool wide = !n && at >= 8;

		if (wide)
			n = ld32le(t->image + at - 8);
		if (n < 2 || n > MAX_SYMS || n > (t->tokens - at) / 2)
			continue;
		if (are_names(t, at, n, t->tokens))
			return true;
	}
	return false;
}

/* ---- addresses */

static u64 address(const struct tables *t, u32 i)
{
	s32 off;

	if (!t->base && !t->from_place)
		return ld64le(t->image + t->offsets + 8 * (size_t)i);
	off = (s32)ld32le(t->image + t->offsets + 4 * (size_t)i);
	if (t->from_place)
		return t->va + t->offsets + 4 * (u64)i + (u64)(s64)off;
	if (!t->absolute_percpu)
		return t->base + (u32)off;
	return off >= 0 ? (u64)off : t->base - 1 - (s64)off;
}

/* Are the addresses as sorted as the linker leaves them, and are most the kernel's? */
static bool are_addresses(struct tables *t, size_t at, u64 base)
{
	size_t width = base || t->from_place ? 4 : 8;
	u32 descents = 0, high = 0;
	u64 last = 0;

	if (!range_fits(at, width * t->n, t->size))
		return false;
	t->offsets = at;
	t->base = base;
	t->absolute_percpu = false;
	for (u32 i = 0; base && i < t->n && !t->absolute_percpu; i++)
		t->absolute_percpu = (s32)ld32le(t->image + at + 4 * (size_t)i) < 0;
	for (u32 i = 0; i < t->n; i++) {
		u64 a = address(t, i);

		descents += a < last;
		high += a - t->va <= (u64)1 << 30;
		last = a;
	}
	return descents <= 16 && high > t->n / 4;
}

/* va may be no more than where kernels begin. */
static bool is_base(const struct tables *t, u64 v) { return v - t->va < (u64)1 << 30; }

static bool find_addresses(struct tables *t)
{
	size_t bytes = 4 * (size_t)t->n, after = ALIGN_UP(t->index + 2 * TOKENS, (size_t)4);
	size_t count = ALIGN_DOWN(t->names - 1, (size_t)8);
	size_t p;

	/* since 6.4: behind the index */
	for (unsigned pad = 0; pad <= 4; pad += 4) {
		p = ALIGN_UP(after + pad + bytes, (size_t)8);
		if (range_fits(p, 8, t->size) && is_base(t, ld64le(t->image + p)) &&
		    are_addresses(t, after + pad, ld64le(t->image + p)))
			return true;
	}
	/* before: base and offsets, or addresses, in front of the count */
	p = count - 8;
	if (count >= 8 && is_base(t, ld64le(t->image + p)))
		for (unsigned pad = 0; pad <= 4; pad += 4)
			if (p >= bytes + pad &&
			    are_addresses(t, p - bytes - pad, ld64le(t->image + p)))
				return true;
	if (count >= 2 * bytes && are_addresses(t, count - 2 * bytes, 0))
		return true;
	/* zeroes, too, would be distances that grow: last of all */
	t->from_place = true;
	return are_addresses(t, after, 0) || are_addresses(t, after + 4, 0);
}

/* ---- the table made of it */

void ksyms_add(struct ksyms *s, u64 addr, char type, const char *name, size_t n)
{
	if ((s->n & (s->n - 1)) == 0 || !s->at)
		s->at = xrealloc(s->at, sizeof(*s->at) * (s->n ? s->n * 2 : 1));
	if (s->names_cap - s->names_size < n + 1) {
		s->names_cap = ALIGN_UP(s->names_size + n + 1, (size_t)1 << 16) + (1 << 16);
		s->names = xrealloc(s->names, s->names_cap);
	}
	s->at[s->n++] = (struct ksym){ addr, (u32)s->names_size, type };
	memcpy(s->names + s->names_size, name, n);
	s->names_size += n;
	s->names[s->names_size++] = 0;
}

static int by_address(const void *a, const void *b)
{
	const struct ksym *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	/* names were added in order */
	return x->name < y->name ? -1 : x->name > y->name;
}

void ksyms_finish(struct ksyms *s)
{
	if (!s->n)
		return;
	for (u32 i = 1; i < s->n; i++)
		if (by_address(&s->at[i - 1], &s->at[i]) > 0) {
			qsort(s->at, s->n, sizeof(*s->at), by_address);
			break;
		}
	for (s->nhash = 64; s->nhash < s->n * 2; s->nhash *= 2)
		;
	s->hash = xcalloc(s->nhash, sizeof(*s->hash));
	for (u32 i = 0; i < s->n; i++) {
		u32 h = (u32)hash_str(ksym_name(s, &s->at[i])) & (s->nhash - 1);

		while (s->hash[h])
			h = (h + 1) & (s->nhash - 1);
		s->hash[h] = i + 1;
	}
}

static void unpack(struct ksyms *s, const struct tables *t)
{
	size_t p = t->names;

	for (u32 i = 0; i < t->n && s->names_size < MAX_NAMES; i++) {
		char name[NAME_MAX_BYTES + 64];
		size_t skip, len = name_len(t, p, &skip), n = 0;

		for (size_t j = 0; j < len; j++) {
			u8 c = t->image[p + skip + j];

			if (n + t->token_len[c] > NAME_MAX_BYTES)
				break;
			memcpy(name + n, t->image + t->tokens + ld16le(t->image + t->index + 2 * c),
			       t->token_len[c]);
			n += t->token_len[c];
		}
		if (n > 1)
			ksyms_add(s, address(t, i), name[0], name + 1, n - 1);
		p += skip + len;
	}
	ksyms_finish(s);
}

int kallsyms_find(struct ksyms *s, const u8 *image, size_t size, u64 va)
{
	struct tables t = { .image = image, .size = size, .va = va };
	size_t from = 0;

	*s = (struct ksyms){ 0 };
	/* what looks like an index may lie in other data, but not often */
	for (unsigned tries = 0; tries < 16 && find_tokens(&t, &from); tries++) {
		t.from_place = false;
		if (find_names(&t) && find_addresses(&t)) {
			unpack(s, &t);
			s->from_place = t.from_place;
			return 0;
		}
	}
	return -ENOENT;
}

const struct ksym *ksyms_by_name(const struct ksyms *s, const char *name)
{
	const struct ksym *best = NULL;

	for (u32 h = s->nhash ? (u32)hash_str(name) & (s->nhash - 1) : 0; s->nhash && s->hash[h];
	     h = (h + 1) & (s->nhash - 1)) {
		const struct ksym *k = &s->at[s->hash[h] - 1];

		if (!strcmp(ksym_name(s, k), name) && (!best || k < best))
			best = k;
	}
	return best;
}

const struct ksym *ksyms_by_addr(const struct ksyms *s, u64 addr, u64 *size)
{
	u32 lo = 0, hi = s->n, next;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (s->at[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	next = lo;
	if (!lo)
		return NULL;
	for (lo--; lo && s->at[lo - 1].addr == s->at[lo].addr; lo--)
		;
	if (size)
		*size = next < s->n ? s->at[next].addr - s->at[lo].addr : 0;
	return &s->at[lo];
}

void ksyms_move(struct ksyms *s, u64 delta)
{
	for (u32 i = 0; i < s->n; i++)
		s->at[i].addr += delta;
}

void ksyms_fini(struct ksyms *s)
{
	free(s->at);
	free(s->names);
	free(s->hash);
	*s = (struct ksyms){ 0 };
}
