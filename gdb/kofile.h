/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kofile.h - a kernel's or module's ELF file on the host, unpacked when it is compressed. */
#pragma once
#include <quern/types.h>

struct kofile {
	const u8 *data;
	size_t size;
	bool mapped;
	/* of its ELF header */
	bool wide;
	u64 shoff;
	unsigned shentsize, shnum;
	const char *names;
	u64 names_size;
};
struct kosection {
	const char *name;
	u32 type;
	u64 flags, addr, offset, size; /* offset and size fit the file, unless SHT_NOBITS */
};

/* Is this a module's file ("foo.ko", "foo.ko.xz")? *n: the length of its name. */
bool kofile_name(const char *file, size_t *n);
bool kofile_packed(const char *path);
/* Its bytes, whatever they are; false: it cannot be read, or is corrupt. */
bool must_check kofile_read(struct kofile *k, const char *path);
/* The same for an ELF file with sections. */
bool must_check kofile_open(struct kofile *k, const char *path);
void kofile_fini(struct kofile *k);
/* i < shnum. False: its bytes are not all in the file. */
bool kofile_section(const struct kofile *k, unsigned i, struct kosection *s);
bool kofile_has_lines(const struct kofile *k);
/* Does its note name this build (hex)? Without either there is nothing to compare. */
bool kofile_matches(const struct kofile *k, const char *build_id);
