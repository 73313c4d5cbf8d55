/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symfile.c - a file with the symbols of the guest's kernel, made from what the guest itself knows,
 * for a debugger that was given none (GDB manual, E.4 qXfer exec-file; gABI chapter 4). Before the
 * debugger has asked how far the kernel was moved it gets the addresses of the link, and moves them
 * itself. */
#include "private.h"
#include <elf.h>

enum { KERNEL_MAX = 128 << 20 };

struct build {
	struct strbuf symbols, names, frames;
	u64 base, last, slide;
};

static void put(struct strbuf *b, const void *p, size_t n) { strbuf_addn(b, p, n); }

static bool add_symbol(void *arg, const struct os_symbol *s)
{
	struct build *b = arg;
	bool code = s->type == 'T' || s->type == 't' || s->type == 'W' || s->type == 'w';
	u8 sym[24] = { 0 };

	/* per-CPU ones are offsets, and modules have files of their own */
	if (s->module[0] || s->addr < b->base || s->addr - b->base >= KERNEL_MAX)
		return true;
	st32le(sym, b->names.n);
	sym[4] = ELF64_ST_INFO(STB_GLOBAL, code ? STT_FUNC : STT_OBJECT);
	st16le(sym + 6, 1);
	st64le(sym + 8, s->addr - b->slide);
	st64le(sym + 16, s->size);
	put(&b->symbols, sym, sizeof(sym));
	put(&b->names, s->name, strlen(s->name) + 1);
	b->last = MAX(b->last, s->addr + s->size);
	return true;
}

static void put_section(struct strbuf *f, u32 name, u32 type, u64 flags, u64 addr, u64 at, u64 size,
			u32 link, u32 entry)
{
	u8 s[64] = { 0 };

	st32le(s, name);
	st32le(s + 4, type);
	st64le(s + 8, flags);
	st64le(s + 16, addr);
	st64le(s + 24, at);
	st64le(s + 32, size);
	st32le(s + 40, link);
	st32le(s + 44, type == SHT_SYMTAB); /* the first global one */
	st64le(s + 48, type == SHT_SYMTAB ? 8 : 1);
	st64le(s + 56, entry);
	put(f, s, sizeof(s));
}

/* Header, symbols, frames, names, names of sections, sections. */
static void put_file(struct strbuf *f, const struct build *b)
{
	static const char names[] = "\0.text\0.symtab\0.strtab\0.shstrtab\0.debug_frame";
	u64 frames = 64 + b->symbols.n, strings = frames + b->frames.n,
	    shnames = strings + b->names.n, sections = ALIGN_UP(shnames + sizeof(names), 8ull);
	u8 h[64] = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT };

	st16le(h + 16, ET_EXEC);
	st16le(h + 18, EM_X86_64);
	st32le(h + 20, EV_CURRENT);
	st64le(h + 40, sections);
	st16le(h + 52, 64);
	st16le(h + 58, 64);
	st16le(h + 60, 6);
	st16le(h + 62, 4);
	put(f, h, sizeof(h));
	put(f, b->symbols.at, b->symbols.n);
	put(f, b->frames.at, b->frames.n);
	put(f, b->names.at, b->names.n);
	put(f, names, sizeof(names));
	while (f->n < sections)
		strbuf_addc(f, 0);
	put_section(f, 0, SHT_NULL, 0, 0, 0, 0, 0, 0);
	put_section(f, 1, SHT_NOBITS, SHF_ALLOC | SHF_EXECINSTR, b->base - b->slide, 64,
		    b->last - b->base, 0, 0);
	put_section(f, 7, SHT_SYMTAB, 0, 0, 64, b->symbols.n, 3, 24);
	put_section(f, 15, SHT_STRTAB, 0, 0, strings, b->names.n, 0, 0);
	put_section(f, 23, SHT_STRTAB, 0, 0, shnames, sizeof(names), 0, 0);
	put_section(f, 33, SHT_PROGBITS, 0, 0, frames, b->frames.n, 0, 0);
}

static void find_base(void *arg, const struct os_module *m)
{
	if (str_eq(m->name, "vmlinux") || str_eq(m->name, "kernel"))
		*(u64 *)arg = m->base;
}

/* The kernel is known, and of an architecture for which this is made. */
bool gdb_symfile_known(struct gdb *g)
{
	const struct os *os = gdb_os(g);

	return os && os->symbols && os->modules && str_eq(g->isa->name, "x86_64");
}

bool gdb_symfile_make(struct gdb_conn *c, struct strbuf *f)
{
	const struct os *os = gdb_os(c->g);
	struct build b = { 0 };
	u8 null[24] = { 0 };
	bool ok = gdb_symfile_known(c->g) && !os->modules(c->g->m, find_base, &b.base) &&
		  b.base >> 63;

	if (!c->moved && !os_slide(c->g->m, &b.slide))
		b.slide = 0;
	put(&b.symbols, null, sizeof(null));
	strbuf_addc(&b.names, 0);
	b.last = b.base;
	ok = ok && !os->symbols(c->g->m, add_symbol, &b) && b.last > b.base;
	if (ok) {
		gdb_put_frames(c->g, &b.frames, b.slide);
		put_file(f, &b);
	}
	strbuf_fini(&b.frames);
	strbuf_fini(&b.symbols);
	strbuf_fini(&b.names);
	return ok;
}
