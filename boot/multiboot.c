/* SPDX-License-Identifier: GPL-2.0-or-later */
/* multiboot.c - starts a multiboot v1 kernel (Multiboot Specification 0.6.96, sections 3.2
 * and 3.3), with the modules of -initrd. */
#include "linux.h"
#include "lib/str.h"
#include <errno.h>

enum {
	BOOTED = 0x2badb002,
	INFO_SIZE = 88,
	MODULE_SIZE = 16,
	MMAP_SIZE = 24,
	MODULES_MAX = 64,
	TEXT_MAX = 0x10000
};
enum {
	HAS_MEM = BIT(0),
	HAS_DEVICE = BIT(1),
	HAS_CMDLINE = BIT(2),
	HAS_MODS = BIT(3),
	HAS_MMAP = BIT(6),
	HAS_NAME = BIT(9)
};
enum { WANTS_VIDEO = BIT(2) };

static int load_kernel(struct start *s, u64 *entry, struct error *e)
{
	const struct kernel_image *k = s->kernel;
	const struct multiboot *mb = &k->mb;
	u64 size = mb->file_size;

	if (!mb->addresses) {
		*entry = k->elf.entry;
		return start_elf_segments(s, &k->elf, k->file.data, 0, 0, e);
	}
	if (mb->bss_end)
		size = mb->bss_end - mb->load_addr;
	*entry = mb->entry;
	return plan_add(s->plan, "the kernel", mb->load_addr, size, k->file.data + mb->file_at,
			mb->file_size, e);
}

static int put_text(struct start *s, const char *what, const char *text, u64 *at, struct error *e)
{
	size_t n = strlen(text);

	if (n >= TEXT_MAX)
		return error_ret(e, -E2BIG, "%s has %zu characters; at most %u are supported", what,
				 n, TEXT_MAX - 1);
	return plan_put(s->plan, what, START_LOW, START_LOW_END, 4, text, n + 1, at, e);
}

/* One module, "FILE" or "FILE ARGS": on a page boundary above the kernel, its text is all of it. */
static int add_module(struct start *s, const char *text, u8 *record, struct error *e)
{
	AUTO_FREE char *path = xstrndup(text, strcspn(text, " "));
	struct bytes file = { 0 };
	struct error why = { 0 };
	u64 at, string;
	int err = bytes_read_file(&file, path, 0x7fffffff, &why);

	if (err) {
		error_clear(&why);
		return error_ret(e, err, "could not load module '%s': %s", path, strerror(-err));
	}
	plan_own(s->plan, file.data);
	if (!plan_find(s->plan, 0x100000, s->top, MAX(file.size, 1u), 4096, false, &at))
		return error_ret(e, -E2BIG,
				 "could not load module '%s': its %zu bytes do not fit into the "
				 "guest's memory: use a larger -m",
				 path, file.size);
	err = plan_add(s->plan, "a multiboot module", at, MAX(file.size, 1u), file.data, file.size,
		       e);
	if (!err)
		err = put_text(s, "a multiboot module's text", text, &string, e);
	if (err)
		return err;
	st32le(record, at);
	st32le(record + 4, at + file.size);
	st32le(record + 8, string);
	return 0;
}

/* The next of several names separated by commas, ",," being a comma in one; NULL at the end. */
static char *next_module(const char **text)
{
	struct strbuf b = { 0 };
	const char *p = *text;

	if (!p)
		return NULL;
	for (; *p; p++) {
		if (*p == ',' && p[1] != ',')
			break;
		if (*p == ',')
			p++;
		strbuf_addc(&b, *p);
	}
	*text = *p ? p + 1 : NULL;
	return strbuf_take(&b);
}

static int put_modules(struct start *s, u8 *info, struct error *e)
{
	u8 list[MODULES_MAX * MODULE_SIZE] = { 0 };
	const char *text = s->opt->initrd;
	unsigned n = 0;
	u64 at;
	char *one;

	while ((one = next_module(&text))) {
		int err = n < MODULES_MAX ?
				  add_module(s, one, list + n * MODULE_SIZE, e) :
				  error_ret(e, -E2BIG, "more than %d multiboot modules in -initrd",
					    MODULES_MAX);

		free(one);
		if (err)
			return err;
		n++;
	}
	if (!n)
		return 0;
	st32le(info, ld32le(info) | HAS_MODS);
	st32le(info + 20, n);
	if (plan_put(s->plan, "the multiboot module list", START_LOW, START_LOW_END, 4, list,
		     n * MODULE_SIZE, &at, e))
		return -ERANGE;
	st32le(info + 24, at);
	return 0;
}

static int put_mmap(struct start *s, u8 *info, struct error *e)
{
	u8 map[E820_MAX * MMAP_SIZE] = { 0 };
	u64 at;
	int err;

	for (unsigned i = 0; i < s->e820.n; i++) {
		u8 *m = map + i * MMAP_SIZE;

		st32le(m, MMAP_SIZE - 4);
		st64le(m + 4, s->e820.at[i].base);
		st64le(m + 12, s->e820.at[i].size);
		st32le(m + 20, s->e820.at[i].type);
	}
	err = plan_put(s->plan, "the multiboot memory map", START_LOW, START_LOW_END, 4, map,
		       s->e820.n * MMAP_SIZE, &at, e);
	st32le(info + 44, s->e820.n * MMAP_SIZE);
	st32le(info + 48, at);
	return err;
}

int multiboot_start(struct start *s, struct error *e)
{
	AUTO_FREE char *cmdline = *s->cmdline ? xasprintf("%s %s", s->kernel->path, s->cmdline) :
						xstrdup(s->kernel->path);
	u8 info[INFO_SIZE] = { 0 };
	u64 entry, text, name;
	int err = load_kernel(s, &entry, e);

	if (s->kernel->mb.flags & WANTS_VIDEO)
		warn("kernel '%s' asks its multiboot loader for a video mode; it gets none",
		     s->kernel->path);
	if (s->opt->initrd_data.data && !s->opt->initrd)
		return error_ret(e, -EINVAL,
				 "a multiboot kernel takes modules from files: -initrd \"FILE "
				 "ARGS,FILE ARGS\"");
	if (!err)
		err = put_modules(s, info, e);
	if (!err)
		err = put_text(s, "the multiboot command line", cmdline, &text, e);
	if (!err)
		err = put_text(s, "the boot loader's name", "quern", &name, e);
	if (!err)
		err = put_mmap(s, info, e);
	if (!err)
		err = start_gdt(s, false, e);
	if (err)
		return err;
	st32le(info, ld32le(info) | HAS_MEM | HAS_DEVICE | HAS_CMDLINE | HAS_MMAP | HAS_NAME);
	st32le(info + 4, EBDA_BASE >> 10);
	st32le(info + 8, (s->info->ram_low >> 10) - 1024);
	st32le(info + 12, 0x8000ffff); /* the first hard disk, no partition */
	st32le(info + 16, text);
	st32le(info + 64, name);
	s->plan->entry.mode = BOOT_X86_PROT32;
	s->plan->entry.pc = entry;
	s->plan->entry.rax = BOOTED;
	s->plan->has_entry = true;
	return plan_put(s->plan, "the multiboot information", START_LOW, START_LOW_END, 4, info,
			sizeof(info), &s->plan->entry.rbx, e);
}
