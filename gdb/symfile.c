/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symfile.c - a file with the symbols of the guest's kernel for a debugger that was given none (GDB
 * manual, E.4 qXfer exec-file; gABI chapter 4): the user's, or one that is made from what the guest
 * itself knows. Before the debugger has asked how far the kernel was moved it gets the addresses of
 * the link, and moves them itself. */
#include "private.h"
#include "lib/bytes.h"
#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

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

/* Header, the one segment, symbols, frames, names, names of sections, sections. */
static void put_file(struct strbuf *f, const struct build *b)
{
	enum { SYMBOLS = 64 + 56 };
	static const char names[] = "\0.text\0.symtab\0.strtab\0.shstrtab\0.debug_frame";
	u64 frames = SYMBOLS + b->symbols.n, strings = frames + b->frames.n,
	    shnames = strings + b->names.n, sections = ALIGN_UP(shnames + sizeof(names), 8ull);
	u8 h[SYMBOLS] = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
	   *segment = h + 64;

	st16le(h + 16, ET_EXEC);
	st16le(h + 18, EM_X86_64);
	st32le(h + 20, EV_CURRENT);
	st64le(h + 32, 64);
	st64le(h + 40, sections);
	st16le(h + 52, 64);
	st16le(h + 54, 56);
	st16le(h + 56, 1);
	st16le(h + 58, 64);
	st16le(h + 60, 6);
	st16le(h + 62, 4);
	st32le(segment, PT_LOAD);
	st32le(segment + 4, PF_R | PF_X);
	st64le(segment + 8, SYMBOLS);
	st64le(segment + 16, b->base - b->slide);
	st64le(segment + 24, b->base - b->slide);
	st64le(segment + 40, b->last - b->base);
	st64le(segment + 48, 1);
	put(f, h, sizeof(h));
	put(f, b->symbols.at, b->symbols.n);
	put(f, b->frames.at, b->frames.n);
	put(f, b->names.at, b->names.n);
	put(f, names, sizeof(names));
	while (f->n < sections)
		strbuf_addc(f, 0);
	put_section(f, 0, SHT_NULL, 0, 0, 0, 0, 0, 0);
	put_section(f, 1, SHT_NOBITS, SHF_ALLOC | SHF_EXECINSTR, b->base - b->slide, SYMBOLS,
		    b->last - b->base, 0, 0);
	put_section(f, 7, SHT_SYMTAB, 0, 0, SYMBOLS, b->symbols.n, 3, 24);
	put_section(f, 15, SHT_STRTAB, 0, 0, strings, b->names.n, 0, 0);
	put_section(f, 23, SHT_STRTAB, 0, 0, shnames, sizeof(names), 0, 0);
	put_section(f, 33, SHT_PROGBITS, 0, 0, frames, b->frames.n, 0, 0);
}

static void find_base(void *arg, const struct os_module *m)
{
	if (str_eq(m->name, "vmlinux") || str_eq(m->name, "kernel"))
		*(u64 *)arg = m->base;
}

u64 gdb_kernel_base(struct gdb *g)
{
	const struct os *os = gdb_os(g);
	u64 base = 0;

	return os && os->modules && !os->modules(g->m, find_base, &base) ? base : 0;
}

/* The kernel is known, and of an architecture for which this is made. */
bool gdb_symfile_known(struct gdb *g)
{
	const struct os *os = gdb_os(g);

	return os && os->symbols && os->modules && str_eq(g->isa->name, "x86_64");
}

/* For a library, addresses count from the kernel's beginning. */
static bool make(struct gdb_conn *c, struct strbuf *f, bool library)
{
	const struct os *os = gdb_os(c->g);
	struct build b = { 0 };
	u8 null[24] = { 0 };
	bool ok;

	b.base = gdb_kernel_base(c->g);
	ok = gdb_symfile_known(c->g) && b.base >> 63;
	if (library)
		b.slide = b.base;
	else if (!c->moved && !os_slide(c->g->m, &b.slide))
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

/* ---- the user's file */

static void patch(struct gdb_symfile *f, u64 at, u32 value)
{
	if (f->npatches < ARRAY_SIZE(f->patch))
		f->patch[f->npatches++] = (struct gdb_patch){ at, value };
}

/* Per-CPU variables are linked at 0 and stay there when the kernel is moved, but a debugger moves
 * all segments alike: what is in none, and without content, it leaves. */
static void keep_percpu(struct gdb_symfile *f)
{
	u8 h[64], e[64];

	if (pread(f->fd, h, sizeof(h), 0) != sizeof(h) || memcmp(h, ELFMAG, SELFMAG) ||
	    h[EI_CLASS] != ELFCLASS64 || h[EI_DATA] != ELFDATA2LSB || ld16le(h + 54) < 56 ||
	    ld16le(h + 58) < 64)
		return;
	for (unsigned i = 0; i < ld16le(h + 56); i++) {
		u64 at = ld64le(h + 32) + (u64)i * ld16le(h + 54);

		if (pread(f->fd, e, 56, (off_t)at) == 56 && ld32le(e) == PT_LOAD &&
		    !(ld64le(e + 16) >> 63))
			patch(f, at, PT_NULL);
	}
	for (unsigned i = 0; i < ld16le(h + 60); i++) {
		u64 at = ld64le(h + 40) + (u64)i * ld16le(h + 58);

		if (pread(f->fd, e, 64, (off_t)at) == 64 && ld32le(e + 4) == SHT_PROGBITS &&
		    ld64le(e + 8) & SHF_ALLOC && !(ld64le(e + 16) >> 63))
			patch(f, at + 4, SHT_NOBITS);
	}
}

bool gdb_symfile_open(struct gdb_conn *c, struct gdb_symfile *f, bool library)
{
	const struct os *os = gdb_os(c->g);
	const char *path = os && os->vmlinux ? os->vmlinux(c->g->m) : NULL;

	*f = (struct gdb_symfile){ .fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1 };
	if (f->fd >= 0) {
		/* a library's sections are moved one by one */
		if (!library)
			keep_percpu(f);
		return true;
	}
	return make(c, &f->made, library);
}
