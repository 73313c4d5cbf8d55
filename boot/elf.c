/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elf.c - reads ELF executables for loading: System V ABI chapters 4 and 5 (program headers,
 * notes), Xen's public elfnote.h for the PVH entry point. Every number of the file is taken for
 * hostile. */
#include "elf.h"
#include <errno.h>

enum {
	ELFCLASS32 = 1,
	ELFCLASS64 = 2,
	ELFDATA2LSB = 1,
	ET_EXEC = 2,
	ET_DYN = 3,
	EM_386 = 3,
	EM_IAMCU = 6,
	EM_X86_64 = 62
};
enum { PT_LOAD = 1, PT_INTERP = 3, PT_NOTE = 4, PN_XNUM = 0xffff, NOTE_PHYS32_ENTRY = 18 };

bool elf_is(const u8 *data, u64 size) { return size >= 52 && !memcmp(data, "\177ELF", 4); }

static u64 word(const struct elf_image *elf, const u8 *p)
{
	return elf->is64 ? ld64le(p) : ld32le(p);
}

/* A PT_NOTE segment: looks for the entry point among its notes. */
static void read_notes(struct elf_image *elf, const u8 *data, u64 size)
{
	for (u64 at = 0; range_fits(at, 12, size);) {
		u32 namesz = ld32le(data + at), descsz = ld32le(data + at + 4),
		    type = ld32le(data + at + 8);
		u64 name = at + 12, desc = name + ALIGN_UP((u64)namesz, 4);

		if (!range_fits(name, namesz, size) || !range_fits(desc, descsz, size))
			return;
		if (type == NOTE_PHYS32_ENTRY && namesz == 4 && !memcmp(data + name, "Xen", 4) &&
		    (descsz == 4 || descsz == 8)) {
			elf->pvh_entry = descsz == 4 ? ld32le(data + desc) : ld64le(data + desc);
			elf->has_pvh = elf->pvh_entry <= 0xffffffff;
		}
		at = desc + ALIGN_UP((u64)descsz, 4);
	}
}

static int add_segment(struct elf_image *elf, const struct elf_segment *s, u64 size,
		       const char *name, struct error *e)
{
	u64 end;

	if (!s->memsz)
		return 0;
	if (!range_fits(s->offset, s->filesz, size))
		return error_ret(e, -EINVAL,
				 "kernel file '%s' is truncated: a segment of %#llx bytes at %#llx "
				 "passes the file's end",
				 name, (unsigned long long)s->filesz,
				 (unsigned long long)s->offset);
	if (s->filesz > s->memsz)
		return error_ret(e, -EINVAL,
				 "kernel file '%s': a segment is larger in the file than in memory",
				 name);
	if (add_overflow(s->paddr, s->memsz, &end))
		return error_ret(e, -EINVAL,
				 "kernel file '%s': the segment at %#llx wraps around the end of "
				 "memory",
				 name, (unsigned long long)s->paddr);
	if (elf->nsegments == ELF_MAX_SEGMENTS)
		return error_ret(e, -EINVAL, "kernel file '%s' has more than %d loadable segments",
				 name, ELF_MAX_SEGMENTS);
	for (unsigned i = 0; i < elf->nsegments; i++)
		if (s->paddr < elf->segment[i].paddr + elf->segment[i].memsz &&
		    elf->segment[i].paddr < end)
			return error_ret(e, -EINVAL,
					 "kernel file '%s': the segments at %#llx and %#llx "
					 "overlap",
					 name, (unsigned long long)elf->segment[i].paddr,
					 (unsigned long long)s->paddr);
	elf->lo = MIN(elf->lo, s->paddr);
	elf->hi = MAX(elf->hi, end);
	elf->segment[elf->nsegments++] = *s;
	return 0;
}

static void read_phdr(const struct elf_image *elf, const u8 *p, struct elf_segment *s)
{
	if (elf->is64)
		*s = (struct elf_segment){ .offset = ld64le(p + 8),
					   .vaddr = ld64le(p + 16),
					   .paddr = ld64le(p + 24),
					   .filesz = ld64le(p + 32),
					   .memsz = ld64le(p + 40) };
	else
		*s = (struct elf_segment){ .offset = ld32le(p + 4),
					   .vaddr = ld32le(p + 8),
					   .paddr = ld32le(p + 12),
					   .filesz = ld32le(p + 16),
					   .memsz = ld32le(p + 20) };
}

int elf_parse(struct elf_image *elf, const u8 *data, u64 size, const char *name, struct error *e)
{
	unsigned machine, type, phnum, phentsize;
	u64 phoff;

	*elf = (struct elf_image){ .lo = ~0ull };
	if (!elf_is(data, size))
		return error_ret(e, -EINVAL, "kernel file '%s' is not an ELF executable", name);
	elf->is64 = data[4] == ELFCLASS64;
	if (data[4] != ELFCLASS32 && data[4] != ELFCLASS64)
		return error_ret(e, -EINVAL,
				 "kernel file '%s': ELF class %u is neither 32 nor 64 bits", name,
				 data[4]);
	if (elf->is64 && size < 64)
		return error_ret(e, -EINVAL, "kernel file '%s' is truncated inside the ELF header",
				 name);
	type = ld16le(data + 16);
	machine = ld16le(data + 18);
	if (data[5] != ELFDATA2LSB ||
	    (machine != EM_386 && machine != EM_X86_64 && machine != EM_IAMCU))
		return error_ret(e, -EINVAL,
				 "kernel file '%s' is an ELF file for another machine (%u), not "
				 "for x86",
				 name, machine);
	if (type != ET_EXEC && type != ET_DYN)
		return error_ret(e, -EINVAL,
				 "kernel file '%s' is an ELF file of type %u, not an executable",
				 name, type);
	elf->entry = word(elf, data + 24);
	phoff = word(elf, data + (elf->is64 ? 32 : 28));
	phentsize = ld16le(data + (elf->is64 ? 54 : 42));
	phnum = ld16le(data + (elf->is64 ? 56 : 44));
	if (phnum == PN_XNUM || phentsize < (elf->is64 ? 56u : 32u) ||
	    !range_fits(phoff, (u64)phnum * phentsize, size))
		return error_ret(e, -EINVAL,
				 "kernel file '%s': the program headers (%u of %u bytes at %#llx) "
				 "do not lie in the file",
				 name, phnum, phentsize, (unsigned long long)phoff);
	for (unsigned i = 0; i < phnum; i++) {
		const u8 *p = data + phoff + (u64)i * phentsize;
		struct elf_segment s;
		int err;

		read_phdr(elf, p, &s);
		if (ld32le(p) == PT_NOTE && range_fits(s.offset, s.filesz, size))
			read_notes(elf, data + s.offset, s.filesz);
		/* Only for ET_DYN: kernels of FreeBSD are ET_EXEC and name an interpreter. */
		if (ld32le(p) == PT_INTERP && type == ET_DYN)
			return error_ret(e, -EINVAL,
					 "kernel file '%s' is a program for a dynamic linker, not "
					 "a kernel",
					 name);
		if (ld32le(p) != PT_LOAD)
			continue;
		err = add_segment(elf, &s, size, name, e);
		if (err)
			return err;
	}
	if (!elf->nsegments)
		return error_ret(e, -EINVAL, "kernel file '%s' is an ELF file with nothing to load",
				 name);
	return 0;
}

bool elf_vaddr_to_paddr(const struct elf_image *elf, u64 vaddr, u64 *paddr)
{
	for (unsigned i = 0; i < elf->nsegments; i++) {
		const struct elf_segment *s = &elf->segment[i];

		if (vaddr - s->vaddr < s->memsz) {
			*paddr = s->paddr + (vaddr - s->vaddr);
			return true;
		}
	}
	return false;
}
