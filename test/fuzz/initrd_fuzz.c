/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * initrd_fuzz.c - libFuzzer target: descriptions of an initramfs, the ELF and ld.so.cache readers,
 * and the library closure of a program made of the input, in a directory of its own. Run: make
 * fuzz-initrd
 */
#include "initrd/elf.h"
#include "initrd/list.h"
#include "lib/str.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/quern-fuzz-XXXXXX";
static int home; /* libFuzzer's own files are relative to it */

static void remove_dir(void)
{
	AUTO_FREE char *command = xasprintf("rm -rf %s", dir);

	if (system(command))
		fprintf(stderr, "%s stays behind\n", dir);
}

static void put_file(const char *name, const void *data, size_t size)
{
	FILE *f = fopen(name, "w");

	if (!f || (size && fwrite(data, size, 1, f) != 1) || fclose(f))
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (home < 0 || !mkdtemp(dir) || chdir(dir) || mkdir("lib", 0755) || mkdir("etc", 0755) ||
	    mkdir("tree", 0755))
		abort();
	put_file("f", "data", 4);
	put_file("tree/f", "", 0);
	setenv("V", "f", 1);
	setenv("W", "${V}${V}", 1);
	setenv("X", "${X}", 1);
	atexit(remove_dir);
	return fchdir(home);
}

/* Lines name files of the host: only those of the directory are let through. */
static bool stays_here(const char *text)
{
	return !strstr(text, "..") && !strstr(text, "\\") && !strstr(text, "tree /") &&
	       !strstr(text, "tree\t/") && !strstr(text, "/dev") && !strstr(text, "/proc") &&
	       !strstr(text, "/sys") && !(strstr(text, "tree") && strchr(text, '/'));
}

static void check(int err, struct error *e)
{
	/* Every failure has one sentence, and nothing else has one. */
	if ((err < 0) != error_is_set(e) || (e->text && !*e->text))
		abort();
	error_clear(e);
}

static void archive(char *text, const char *sysroot, u8 flags)
{
	const struct initrd_opts o = { .closure = flags & 4, .csum = flags & 8 };
	struct build b = { .o = &o, .quote = flags & 16 };
	struct error e = { 0 };
	struct bytes out = { 0 };
	int err;

	cpio_init(&b.cpio);
	b.cpio.csum = o.csum;
	b.cpio.align = flags & 32 ? 64 : 0;
	b.closure = closure_new(&b.cpio, sysroot);
	err = list_read(&b, text, "fuzz", &e);
	err = err ? err : closure_run(b.closure, &e);
	err = err ? err : cpio_finish(&b.cpio, &out, &e);
	check(err, &e);
	if (!err && out.size % 512)
		abort();
	closure_free(b.closure);
	cpio_fini(&b.cpio);
	bytes_fini(&out);
}

static void description(const u8 *data, size_t size, u8 flags)
{
	AUTO_FREE char *text = xstrndup((const char *)data, size);

	if (stays_here(text))
		archive(text, "tree", flags);
}

static void readers(const u8 *data, size_t size)
{
	struct bytes b = { .data = xmemdup(data, size), .size = size };
	struct elf_deps d;
	struct error e = { 0 };
	int err = elf_deps_read(&d, &b, "fuzz", &e);

	if (err != -ENOEXEC)
		check(err, &e);
	if (!err) {
		elf_same_kind(&d, &b);
		for (size_t i = 0; i < d.needed.n; i++)
			(void)strlen(d.needed.at[i]);
		elf_deps_fini(&d);
	}
	for (u32 i = 0; i < 3; i++) {
		const char *found = ldcache_lookup(&b, "l", i);

		if (found)
			(void)strlen(found);
	}
	bytes_fini(&b);
}

/* A program and the libraries l and lib/l, all made of the same bytes, and a cache. */
static void closure(const u8 *data, size_t size, u8 flags)
{
	char text[] = "prog /p p 755 0 0\nprog /lib/q lib/l 755 0 0";
	size_t half = flags & 64 ? size / 2 : size;

	put_file("p", data, half);
	put_file("l", data, half);
	put_file("lib/l", data, half);
	put_file("etc/ld.so.cache", data + half, size - half);
	archive(text, ".", flags);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (!size)
		return 0;
	if (chdir(dir))
		abort();
	if (data[0] % 4 == 0)
		description(data + 1, size - 1, data[0]);
	else if (data[0] % 4 == 1)
		closure(data + 1, size - 1, data[0]);
	else
		readers(data + 1, size - 1);
	return fchdir(home);
}
