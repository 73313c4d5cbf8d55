/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kallsyms.h - the symbol table that Linux keeps in its read-only data (CONFIG_KALLSYMS), found by
 * its structure alone and unpacked. */
#pragma once
#include <quern/types.h>

struct ksym {
	u64 addr;
	u32 name; /* offset in names */
	char type;
};
/* Sorted by address; symbols at one address in the kernel's own order. */
struct ksyms {
	struct ksym *at;
	u32 n;
	char *names;
	size_t names_size, names_cap;
	u32 *hash; /* index + 1 of a symbol; open addressing by name */
	u32 nhash; /* a power of two, or 0 */
	/* the tables tell distances only: addresses are right if `va` was */
	bool from_place;
};

/* Finds the tables in a copy of the kernel's image that starts at virtual address va. -ENOENT:
 * there are none. Takes any bytes. */
int must_check kallsyms_find(struct ksyms *s, const u8 *image, size_t size, u64 va);
/* The first symbol of that name, or NULL. */
const struct ksym *ksyms_by_name(const struct ksyms *s, const char *name);
/* The first of the symbols with the highest address at or below addr, or NULL. *size: to the next
 * higher symbol, 0 for the last. */
const struct ksym *ksyms_by_addr(const struct ksyms *s, u64 addr, u64 *size);
static inline const char *ksym_name(const struct ksyms *s, const struct ksym *k)
{
	return s->names + k->name;
}
/* Adds delta to all addresses. */
void ksyms_move(struct ksyms *s, u64 delta);
void ksyms_fini(struct ksyms *s);

/* For other sources of symbols (an ELF file): add all, then finish once. */
void ksyms_add(struct ksyms *s, u64 addr, char type, const char *name, size_t n);
void ksyms_finish(struct ksyms *s);
