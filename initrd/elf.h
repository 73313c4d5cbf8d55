/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elf.h - what a program or library says about the libraries it needs (System V ABI, chapter 5;
 * glibc's ld.so.cache). */
#pragma once
#include <quern/types.h>
#include "lib/alloc.h"
#include "lib/bytes.h"

/* Strings point into the file's bytes. */
struct elf_deps {
	u8 class, data; /* EI_CLASS, EI_DATA */
	u16 machine;
	const char *interp;	     /* NULL: no PT_INTERP */
	const char *rpath, *runpath; /* colon lists, or NULL */
	bool no_default_dirs;	     /* DF_1_NODEFLIB */
	VEC(const char *) needed;
};

/* -ENOEXEC when the bytes are no ELF file, -EINVAL with a sentence when it is damaged; a static
 * program has no needs. */
int elf_deps_read(struct elf_deps *d, const struct bytes *b, const char *name,
		  struct error *e) must_check;
void elf_deps_fini(struct elf_deps *d);
/* Are the bytes an ELF file that can be loaded into the same process? */
bool elf_same_kind(const struct elf_deps *d, const struct bytes *b);

/*
 * The nth path that ld.so.cache (format glibc-ld.so.cache1.1, alone or behind the old format) has
 * for a library name, leaving out those for special CPUs; NULL when there is none. The string
 * points into the cache's bytes.
 */
const char *ldcache_lookup(const struct bytes *cache, const char *name, u32 nth);
