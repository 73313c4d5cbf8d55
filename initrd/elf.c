/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * elf.c - program headers and the dynamic section of 32- and 64-bit ELF files of either byte order
 * (System V ABI, chapters 4 and 5), and glibc's ld.so.cache. Files may be hostile: every offset is
 * checked.
 */
#include "initrd/elf.h"
#include <elf.h>
#include <errno.h>

struct elf {
	const struct bytes *b;
	bool is64, big;
	u64 phoff;
	u32 phnum, phentsize;
};

struct phdr {
	u32 type;
	u64 offset, vaddr, filesz;
};

static u64 get(const struct elf *f, u64 at, u32 size)
{
	const u8 *p = f->b->data + at;

	if (!range_fits(at, size, f->b->size))
		return 0;
	switch (size) {
	case 2:
		return f->big ? ld16be(p) : ld16le(p);
	case 4:
		return f->big ? ld32be(p) : ld32le(p);
	default:
		return f->big ? ld64be(p) : ld64le(p);
	}
}

/* An address-sized field. */
static u64 get_word(const struct elf *f, u64 at) { return get(f, at, f->is64 ? 8 : 4); }

static bool is_elf(const struct bytes *b)
{
	return b->size >= 52 && !memcmp(b->data, ELFMAG, SELFMAG) &&
	       (b->data[EI_CLASS] == ELFCLASS32 || b->data[EI_CLASS] == ELFCLASS64) &&
	       (b->data[EI_DATA] == ELFDATA2LSB || b->data[EI_DATA] == ELFDATA2MSB);
}

static bool open_elf(struct elf *f, const struct bytes *b)
{
	f->b = b;
	f->is64 = b->data[EI_CLASS] == ELFCLASS64;
	f->big = b->data[EI_DATA] == ELFDATA2MSB;
	f->phoff = get_word(f, f->is64 ? 32 : 28);
	f->phentsize = get(f, f->is64 ? 54 : 42, 2);
	f->phnum = get(f, f->is64 ? 56 : 44, 2);
	if (!f->phnum)
		return true;
	return f->phentsize >= (f->is64 ? 56 : 32) &&
	       range_fits(f->phoff, (u64)f->phnum * f->phentsize, b->size);
}

static struct phdr phdr_at(const struct elf *f, u32 i)
{
	u64 at = f->phoff + (u64)i * f->phentsize;

	if (f->is64)
		return (struct phdr){ get(f, at, 4), get(f, at + 8, 8), get(f, at + 16, 8),
				      get(f, at + 32, 8) };
	return (struct phdr){ get(f, at, 4), get(f, at + 4, 4), get(f, at + 8, 4),
			      get(f, at + 16, 4) };
}

/* A NUL-terminated string inside the file, or NULL. */
static const char *string_at(const struct bytes *b, u64 at)
{
	if (at >= b->size || !memchr(b->data + at, 0, b->size - at))
		return NULL;
	return (const char *)b->data + at;
}

/* The file offset of an address, by the loaded segments; UINT64_MAX when none holds it. */
static u64 offset_of(const struct elf *f, u64 vaddr)
{
	for (u32 i = 0; i < f->phnum; i++) {
		struct phdr p = phdr_at(f, i);

		if (p.type == PT_LOAD && vaddr >= p.vaddr && vaddr - p.vaddr < p.filesz)
			return p.offset + (vaddr - p.vaddr);
	}
	return UINT64_MAX;
}

/* Walks the dynamic section twice: first for the string table, then for the strings. */
static int read_dynamic(const struct elf *f, const struct phdr *dyn, struct elf_deps *d)
{
	u32 word = f->is64 ? 8 : 4;
	u64 n = dyn->filesz / (2 * word), strtab = UINT64_MAX;

	if (!range_fits(dyn->offset, dyn->filesz, f->b->size))
		return -EINVAL;
	for (u64 i = 0; i < n; i++) {
		u64 at = dyn->offset + i * 2 * word, tag = get_word(f, at);

		if (tag == DT_NULL)
			break;
		if (tag == DT_STRTAB)
			strtab = offset_of(f, get_word(f, at + word));
	}
	for (u64 i = 0; i < n; i++) {
		u64 at = dyn->offset + i * 2 * word, tag = get_word(f, at),
		    value = get_word(f, at + word);
		const char *s = NULL;

		if (tag == DT_NULL)
			break;
		if (tag == DT_FLAGS_1)
			d->no_default_dirs = value & DF_1_NODEFLIB;
		if (tag != DT_NEEDED && tag != DT_RPATH && tag != DT_RUNPATH)
			continue;
		if (strtab == UINT64_MAX || add_overflow(strtab, value, &value))
			return -EINVAL;
		s = string_at(f->b, value);
		if (!s)
			return -EINVAL;
		if (tag == DT_NEEDED)
			vec_push(&d->needed, s);
		else if (tag == DT_RPATH)
			d->rpath = s;
		else
			d->runpath = s;
	}
	return 0;
}

int elf_deps_read(struct elf_deps *d, const struct bytes *b, const char *name, struct error *e)
{
	struct elf f;
	int err = 0;

	*d = (struct elf_deps){ 0 };
	if (!is_elf(b))
		return -ENOEXEC;
	if (!open_elf(&f, b))
		return error_ret(e, -EINVAL,
				 "'%s' is a damaged ELF file: its program headers lie outside of "
				 "it",
				 name);
	d->class = b->data[EI_CLASS];
	d->data = b->data[EI_DATA];
	d->machine = get(&f, 18, 2);
	for (u32 i = 0; i < f.phnum && !err; i++) {
		struct phdr p = phdr_at(&f, i);

		if (p.type == PT_INTERP) {
			d->interp = string_at(b, p.offset);
			err = d->interp ? 0 : -EINVAL;
		} else if (p.type == PT_DYNAMIC) {
			err = read_dynamic(&f, &p, d);
		}
	}
	if (err) {
		elf_deps_fini(d);
		return error_ret(e, err,
				 "'%s' is a damaged ELF file: its dynamic section points outside "
				 "of it",
				 name);
	}
	return 0;
}

void elf_deps_fini(struct elf_deps *d) { vec_free(&d->needed); }

bool elf_same_kind(const struct elf_deps *d, const struct bytes *b)
{
	struct elf f;

	return is_elf(b) && open_elf(&f, b) && b->data[EI_CLASS] == d->class &&
	       b->data[EI_DATA] == d->data && get(&f, 18, 2) == d->machine;
}

/* ---- ld.so.cache (glibc sysdeps/generic/dl-cache.h describes the layout) */

#define OLD_MAGIC  "ld.so-1.7.0"
#define NEW_MAGIC  "glibc-ld.so.cache1.1"
#define NEW_HEADER 48
#define NEW_ENTRY  24

static u32 cache32(const struct bytes *b, u64 at, bool big)
{
	if (!range_fits(at, 4, b->size))
		return 0;
	return big ? ld32be(b->data + at) : ld32le(b->data + at);
}

/* Where the new format starts: at once, or behind the old format's table; UINT64_MAX when there is
 * none. */
static u64 cache_start(const struct bytes *b)
{
	u64 at = 0;

	if (b->size >= 16 && !memcmp(b->data, OLD_MAGIC, strlen(OLD_MAGIC)))
		at = ALIGN_UP(16 + 12 * (u64)cache32(b, 12, false), 8);
	if (!range_fits(at, NEW_HEADER, b->size) ||
	    memcmp(b->data + at, NEW_MAGIC, strlen(NEW_MAGIC)))
		return UINT64_MAX;
	return at;
}

const char *ldcache_lookup(const struct bytes *cache, const char *name, u32 nth)
{
	u64 start = cache_start(cache);
	bool big;
	u32 n;

	if (start == UINT64_MAX)
		return NULL;
	big = (cache->data[start + 28] & 3) == 3;
	n = cache32(cache, start + 20, big);
	for (u32 i = 0; i < n; i++) {
		u64 at = start + NEW_HEADER + (u64)i * NEW_ENTRY;
		const char *key, *value;

		if (!range_fits(at, NEW_ENTRY, cache->size))
			return NULL;
		key = string_at(cache, start + cache32(cache, at + 4, big));
		value = string_at(cache, start + cache32(cache, at + 8, big));
		if (!key || !value || strcmp(key, name))
			continue;
		/* hwcap: a directory for CPUs that the guest's may not be. */
		if (cache32(cache, at + 16, big) || cache32(cache, at + 20, big))
			continue;
		if (!nth--)
			return value;
	}
	return NULL;
}
