/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dump.h - a machine's memory and CPUs as a file for crash, makedumpfile, drgn and gdb: ELF core,
 * or makedumpfile's compressed format. The machine must stand still meanwhile. */
#pragma once
#include <quern/types.h>

struct machine;
struct error;
struct dump;

/* The formats of query-dump-guest-memory-capability: `raw` is the compressed format as it is read;
 * without it in makedumpfile's flattened form, which can be written to a pipe. */
enum dump_codec { DUMP_ELF, DUMP_ZLIB, DUMP_LZO, DUMP_SNAPPY, DUMP_ZSTD };
struct dump_format {
	const char *name; /* "kdump-raw-zlib" */
	enum dump_codec codec;
	bool raw;
};
extern const struct dump_format dump_formats[]; /* ends with {} */
const struct dump_format *dump_format_find(const char *name);

struct dump_options {
	const struct dump_format *format; /* NULL = elf */
	/* ELF: by virtual addresses, as the CPUs' page tables map them */
	bool paging;
	/* ELF: only guest-physical [begin, begin + length); length 0 = all */
	u64 begin, length;
};

/* Looks at everything and writes the head. fd is closed by dump_free. NULL with a sentence, fd is
 * then the caller's. */
struct dump *dump_new(struct machine *m, const struct dump_options *o, int fd, struct error *e);
/* Writes some megabytes. 1 = there is more, 0 = the file is complete, -errno with a sentence. */
int must_check dump_step(struct dump *d, struct error *e);
void dump_progress(const struct dump *d, u64 *completed, u64 *total);
void dump_free(struct dump *d);

/* The text of the guest's VMCOREINFO note: from the device, or as guest/ found it. malloc'ed;
 * -ENOENT with a sentence when nothing tells it. */
int must_check dump_vmcoreinfo(struct machine *m, char **text, size_t *n, struct error *e);
