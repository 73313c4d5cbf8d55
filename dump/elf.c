/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elf.c - the dump as an ELF core file (System V ABI, chapters 4 and 5): program headers for the
 * notes and for each block of memory, or each piece of virtual memory; the notes; the memory, once,
 * from a page boundary on. */
#include "private.h"
#include <elf.h>
#include <errno.h>

enum { STEP = 4 << 20 };

struct elf {
	size_t block; /* what is written next */
	u64 at;
};

struct segment {
	u32 type;
	u64 offset, va, pa, file_size, mem_size;
};

static unsigned head_size(const struct dump *d)
{
	return d->wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
}
static unsigned segment_size(const struct dump *d)
{
	return d->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
}
static unsigned section_size(const struct dump *d)
{
	return d->wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
}

/* A number of as many bytes as an address has. */
static u8 *put_addr(const struct dump *d, u8 *p, u64 v)
{
	if (d->wide)
		st64le(p, v);
	else
		st32le(p, v);
	return p + (d->wide ? 8 : 4);
}

static void add_head(struct dump *d, struct strbuf *b, u64 segments, bool section)
{
	u8 h[sizeof(Elf64_Ehdr)] = {
		0x7f, 'E', 'L', 'F', d->wide ? ELFCLASS64 : ELFCLASS32, ELFDATA2LSB, EV_CURRENT
	};
	u8 *p = h + EI_NIDENT;

	st16le(p, ET_CORE);
	st16le(p + 2, d->machine);
	st32le(p + 4, EV_CURRENT);
	p = put_addr(d, p + 8, 0);						     /* e_entry */
	p = put_addr(d, p, head_size(d));					     /* e_phoff */
	p = put_addr(d, p, section ? head_size(d) + segments * segment_size(d) : 0); /* e_shoff */
	st16le(p + 4, head_size(d)); /* after e_flags */
	st16le(p + 6, segment_size(d));
	st16le(p + 8, section ? PN_XNUM : segments);
	st16le(p + 10, section_size(d));
	st16le(p + 12, section);
	strbuf_addn(b, h, head_size(d));
}

/* The number of segments, where 16 bits are too few: sh_info of section 0. */
static void add_section(struct dump *d, struct strbuf *b, u64 segments)
{
	u8 s[sizeof(Elf64_Shdr)] = { 0 };

	st32le(s + (d->wide ? offsetof(Elf64_Shdr, sh_info) : offsetof(Elf32_Shdr, sh_info)),
	       segments);
	strbuf_addn(b, s, section_size(d));
}

static void add_segment(struct dump *d, struct strbuf *b, const struct segment *s)
{
	u8 h[sizeof(Elf64_Phdr)] = { 0 }, *p = h + 4;

	st32le(h, s->type);
	p += d->wide ? 4 : 0; /* p_flags comes earlier there */
	p = put_addr(d, p, s->offset);
	p = put_addr(d, p, s->va);
	p = put_addr(d, p, s->pa);
	p = put_addr(d, p, s->file_size);
	put_addr(d, p, s->mem_size);
	strbuf_addn(b, h, segment_size(d));
}

/* A piece lies in one block. */
static u64 file_offset(const struct dump *d, u64 pa)
{
	for (size_t i = 0; i < d->blocks.n; i++) {
		const struct block *k = &d->blocks.at[i];

		if (pa - k->start < k->size)
			return k->file + (pa - k->start);
	}
	return 0;
}

static int begin(struct dump *d, struct error *e)
{
	u64 segments = 1 + (d->o.paging ? d->pieces.n : d->blocks.n), notes_at, at;
	bool section = segments >= PN_XNUM;
	struct strbuf b = { 0 };
	int err;

	notes_at = head_size(d) + segments * segment_size(d) + (section ? section_size(d) : 0);
	at = ALIGN_UP(notes_at + d->notes.n, (u64)PAGE);
	for (size_t i = 0; i < d->blocks.n; i++) {
		d->blocks.at[i].file = at;
		at += d->blocks.at[i].size;
	}
	if (!d->wide && at > ~0u)
		return error_ret(e, -EFBIG, "an ELF file of 32 bits cannot hold %llu bytes",
				 (unsigned long long)at);
	add_head(d, &b, segments, section);
	add_segment(d, &b, &(struct segment){ PT_NOTE, notes_at, 0, 0, d->notes.n, d->notes.n });
	for (size_t i = 0; i < d->pieces.n && d->o.paging; i++) {
		const struct piece *p = &d->pieces.at[i];

		add_segment(d, &b,
			    &(struct segment){ PT_LOAD, file_offset(d, p->pa), p->va, p->pa,
					       p->size, p->size });
	}
	for (size_t i = 0; i < d->blocks.n && !d->o.paging; i++) {
		const struct block *k = &d->blocks.at[i];

		add_segment(d, &b,
			    &(struct segment){ PT_LOAD, k->file, 0, k->start, k->size, k->size });
	}
	if (section)
		add_section(d, &b, segments);
	strbuf_addn(&b, d->notes.at, d->notes.n);
	while (b.n % PAGE)
		strbuf_addc(&b, 0);
	err = out_write(&d->out, 0, b.at, b.n, e);
	strbuf_fini(&b);
	d->total = blocks_bytes(&d->blocks);
	d->state = NEW(struct elf);
	return err;
}

static int step(struct dump *d, struct error *e)
{
	struct elf *s = d->state;
	const struct block *k = &d->blocks.at[s->block];
	u64 n;
	int err;

	if (s->block == d->blocks.n)
		return 0;
	n = MIN(k->size - s->at, (u64)STEP);
	err = out_write(&d->out, k->file + s->at, k->host + s->at, n, e);
	if (err)
		return err;
	d->completed += n;
	s->at += n;
	if (s->at == k->size) {
		s->at = 0;
		s->block++;
	}
	return 1;
}

static void fini(struct dump *d) { free(d->state); }

const struct writer elf_writer = { .begin = begin, .step = step, .fini = fini };
