/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmlinux.c - reads a kernel's ELF file: its symbol table, its types (.BTF), its notes. Needed
 * where a kernel was built without kallsyms, or with those of functions only. System V ABI, ELF-64.
 */
#include "guest/vmlinux.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EHDR = 64, SHDR = 64, SYM = 24, SECTIONS_MAX = 65536, SYMS_MAX = 1 << 22 };
enum { SHT_SYMTAB = 2, SHT_NOTE = 7, SHT_NOBITS = 8, NT_GNU_BUILD_ID = 3 };

struct file {
	const u8 *data;
	u64 size;
	u64 shoff;
	u32 nsections;
	u64 names, names_size;
};
struct section {
	const char *name;
	u32 type, link;
	u64 addr, off, size; /* off and size fit the file, unless NOBITS */
};

static bool get_section(const struct file *f, u32 i, struct section *s)
{
	const u8 *h;
	u32 name;

	if (i >= f->nsections)
		return false;
	h = f->data + f->shoff + (u64)i * SHDR;
	name = ld32le(h);
	*s = (struct section){ .type = ld32le(h + 4),
			       .addr = ld64le(h + 16),
			       .off = ld64le(h + 24),
			       .size = ld64le(h + 32),
			       .link = ld32le(h + 40) };
	s->name = name < f->names_size ? (const char *)f->data + f->names + name : "";
	return s->type == SHT_NOBITS || range_fits(s->off, s->size, f->size);
}

static bool open_sections(struct file *f)
{
	struct section names;
	u32 index;

	if (f->size < EHDR || memcmp(f->data, "\177ELF\2\1", 6))
		return false;
	f->shoff = ld64le(f->data + 40);
	f->nsections = ld16le(f->data + 60);
	index = ld16le(f->data + 62);
	if (!f->nsections || !range_fits(f->shoff, (u64)f->nsections * SHDR, f->size) ||
	    !get_section(f, index, &names) || names.type == SHT_NOBITS || !names.size ||
	    f->data[names.off + names.size - 1])
		return false;
	f->names = names.off;
	f->names_size = names.size;
	return true;
}

static bool find_section(const struct file *f, const char *name, struct section *s)
{
	for (u32 i = 1; i < f->nsections; i++)
		if (get_section(f, i, s) && str_eq(s->name, name) && s->type != SHT_NOBITS)
			return true;
	return false;
}

/* As nm prints it, as far as it matters: local ones in lower case. */
static char letter(u8 info)
{
	char c = (info & 15) == 2 ? 't' : (info & 15) == 1 ? 'd' : 'n';

	return info >> 4 ? c - 'a' + 'A' : c;
}

static bool read_symbols(struct vmlinux *v, const struct file *f)
{
	struct section syms, names;
	u32 i;

	for (i = 1; i < f->nsections; i++)
		if (get_section(f, i, &syms) && syms.type == SHT_SYMTAB)
			break;
	if (i >= f->nsections || !get_section(f, syms.link, &names) || names.type == SHT_NOBITS ||
	    !names.size || f->data[names.off + names.size - 1])
		return false;
	for (u64 n = 1; n < MIN(syms.size / SYM, (u64)SYMS_MAX); n++) {
		const u8 *p = f->data + syms.off + n * SYM;
		u32 name = ld32le(p), type = p[4] & 15;
		const char *text = (const char *)f->data + names.off + name;

		/* no sections, files, or what is defined elsewhere */
		if (name < names.size && *text && type < 3 && ld16le(p + 6))
			ksyms_add(&v->syms, ld64le(p + 8), letter(p[4]), text, strlen(text));
	}
	ksyms_finish(&v->syms);
	return v->syms.n;
}

/* Text at an address as linked. */
static void read_text(const struct file *f, u64 va, char *buf, size_t size)
{
	struct section s;

	for (u32 i = 1; i < f->nsections; i++)
		if (get_section(f, i, &s) && s.type != SHT_NOBITS && s.addr &&
		    va - s.addr < s.size) {
			size_t n = MIN(size - 1, (size_t)(s.size - (va - s.addr)));

			memcpy(buf, f->data + s.off + (va - s.addr), n);
			buf[n] = 0;
			return;
		}
}

static void read_build_id(struct vmlinux *v, const struct file *f)
{
	struct section s;

	for (u32 i = 1; i < f->nsections; i++) {
		if (!get_section(f, i, &s) || s.type != SHT_NOTE)
			continue;
		for (u64 at = 0; range_fits(at, 12, s.size);) {
			const u8 *n = f->data + s.off + at;
			u64 name = ALIGN_UP((u64)ld32le(n), 4ull);
			u64 desc = ALIGN_UP((u64)ld32le(n + 4), 4ull);

			if (!range_fits(at + 12, name + desc, s.size))
				break;
			if (ld32le(n + 8) == NT_GNU_BUILD_ID && name == 4 &&
			    !memcmp(n + 12, "GNU", 4) && ld32le(n + 4) == 20)
				for (unsigned b = 0; b < 20; b++)
					snprintf(v->build_id + 2 * b, 3, "%02x", n[16 + b]);
			at += 12 + name + desc;
		}
	}
}

static int parse(struct vmlinux *v, struct file *f, const char *path, struct error *e)
{
	const struct ksym *banner;
	struct section s;

	if (!open_sections(f))
		return error_ret(e, -EINVAL,
				 "'%s' is no 64-bit little-endian ELF file with sections", path);
	if (!read_symbols(v, f))
		return error_ret(e, -EINVAL,
				 "'%s' has no symbols: a vmlinux as the build leaves it has", path);
	banner = ksyms_by_name(&v->syms, "linux_banner");
	if (banner)
		read_text(f, banner->addr, v->banner, sizeof(v->banner));
	if (!str_prefix(v->banner, "Linux version ", NULL))
		return error_ret(e, -EINVAL, "'%s' is no Linux kernel: it has no banner", path);
	if (find_section(f, ".BTF", &s)) {
		v->btf = xmemdup(f->data + s.off, s.size + !s.size);
		v->btf_size = s.size;
	}
	read_build_id(v, f);
	return 0;
}

int vmlinux_read(struct vmlinux *v, const char *path, struct error *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	struct file f = { 0 };
	struct stat st;

	*v = (struct vmlinux){ 0 };
	if (fd < 0 || fstat(fd, &st) < 0) {
		err = error_ret(e, -errno, "could not open '%s': %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return err;
	}
	f.size = (u64)st.st_size;
	f.data = f.size ? mmap(NULL, f.size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	close(fd);
	if (f.data == MAP_FAILED)
		return error_ret(e, -EINVAL,
				 "'%s' cannot be mapped: it is no ordinary file, or empty", path);
	err = parse(v, &f, path, e);
	munmap((void *)f.data, f.size);
	if (err)
		vmlinux_fini(v);
	return err;
}

void vmlinux_fini(struct vmlinux *v)
{
	ksyms_fini(&v->syms);
	free(v->btf);
	*v = (struct vmlinux){ 0 };
}

char *vmlinux_find(const char *build_id, const char *release)
{
	char *path[3] = { NULL }, *found = NULL;

	if (strlen(build_id) == 40)
		path[0] =
			xasprintf("/usr/lib/debug/.build-id/%.2s/%s.debug", build_id, build_id + 2);
	/* release comes from the guest */
	if (*release && !strchr(release, '/')) {
		path[1] = xasprintf("/usr/lib/debug/lib/modules/%s/vmlinux", release);
		path[2] = xasprintf("/usr/lib/debug/boot/vmlinux-%s", release);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(path); i++) {
		if (path[i] && !found && !access(path[i], R_OK))
			found = path[i];
		else
			free(path[i]);
	}
	return found;
}
