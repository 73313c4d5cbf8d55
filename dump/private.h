/* SPDX-License-Identifier: GPL-2.0-or-later */
/* private.h - what the files of dump/ share. */
#pragma once
#include "dump/dump.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"

enum { PAGE = 4096 };

/* The file: written in order, at any place, or at any place by records of the flattened form. */
struct out {
	int fd;
	enum { OUT_STREAM, OUT_FILE, OUT_FLAT } kind;
	u64 at; /* OUT_STREAM: bytes written */
};
int must_check out_begin(struct out *o, struct error *e);
int must_check out_write(struct out *o, u64 at, const void *buf, size_t n, struct error *e);
int must_check out_end(struct out *o, struct error *e);

/* Main memory where the guest sees it now, ascending. */
struct block {
	u64 start, size;
	const u8 *host;
	u64 file; /* ELF: its place in the file */
};
struct blocks {
	struct block *at;
	size_t n, cap;
};
void blocks_find(struct blocks *b, struct machine *m);
/* Cuts them to [begin, begin + length). */
void blocks_cut(struct blocks *b, u64 begin, u64 length);
u64 blocks_bytes(const struct blocks *b);
u64 blocks_end(const struct blocks *b);
/* The page of that number: in place, or put together in buf; NULL where no memory is. */
const u8 *blocks_page(const struct blocks *b, u64 pfn, size_t *hint, u8 buf[PAGE]);

/* Pieces of virtual memory. */
struct piece {
	u64 va, pa, size;
};
struct pieces {
	struct piece *at;
	size_t n, cap;
};
/* What the CPUs' page tables map of the blocks, ascending by pa; each once. */
int must_check pieces_find(struct pieces *p, struct machine *m, const struct blocks *b,
			   struct error *e);

struct writer {
	int (*begin)(struct dump *d, struct error *e);
	int (*step)(struct dump *d, struct error *e); /* 1 = more */
	void (*fini)(struct dump *d);
};
extern const struct writer elf_writer, kdump_writer;

struct dump {
	struct machine *m;
	struct dump_options o;
	struct out out;
	struct blocks blocks;
	struct pieces pieces;
	u16 machine; /* e_machine */
	bool wide;   /* ELF64 and 64-bit kdump headers */
	/* all notes as in the file; where in them the text of VMCOREINFO lies, size 0 = not */
	struct strbuf notes;
	size_t vmcoreinfo_at, vmcoreinfo_size;
	u64 completed, total;
	const struct writer *writer;
	void *state; /* the writer's */
};
/* Fills d->notes, d->machine, d->wide. */
int must_check notes_make(struct dump *d, struct error *e);
/* The number behind a key of VMCOREINFO such as "NUMBER(phys_base)"; -ENOENT when it is not there.
 */
int must_check notes_number(const struct dump *d, const char *key, int base, u64 *v);

/* Compresses a page: the bytes written to out (of compress_bound bytes), 0 when it got no smaller.
 */
struct compressor;
struct compressor *compressor_new(enum dump_codec codec);
size_t compressor_page(struct compressor *c, const u8 page[PAGE], u8 *out);
void compressor_free(struct compressor *c);
enum { COMPRESS_BOUND = 2 * PAGE };
