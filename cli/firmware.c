/* SPDX-License-Identifier: GPL-2.0-or-later */
/* firmware.c - finds firmware images: the name as a path, in the -L directories, then where
 * distributions put them. */
#include "cli/firmware.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { FIRMWARE_MOST = 16 << 20 };

static const char *const directories[] = {
	"/usr/local/share/quern", "/usr/share/quern",	 "/usr/local/share/qemu",
	"/usr/share/qemu",	  "/usr/share/seabios",	 "/usr/share/qemu-kvm",
	"/usr/share/OVMF",	  "/usr/share/edk2/x64",
};
/* With a kernel these would only load it: that is done without them, and sooner. */
static const char loaders_only[] = "qboot.rom|bios.bin|bios-256k.bin|bios-microvm.bin";

/* The file's path, or NULL. */
static char *find(const char *name, const struct settings *s)
{
	size_t n = s->firmware_dirs.n + ARRAY_SIZE(directories);

	if (access(name, F_OK) == 0)
		return xstrdup(name);
	if (strchr(name, '/'))
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const char *dir = i < s->firmware_dirs.n ? s->firmware_dirs.at[i] :
							   directories[i - s->firmware_dirs.n];
		char *path = xasprintf("%s/%s", dir, name);

		if (access(path, F_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

int firmware_load(struct bytes *b, const struct settings *s, struct error *e)
{
	bool by_default = !s->bios || str_eq(s->bios, "default");
	const char *name = by_default ? "bios-256k.bin" : s->bios;
	int err;

	*b = (struct bytes){ 0 };
	if (s->bios && str_eq(s->bios, "none"))
		return 0;
	if (s->kernel && (by_default || choice_find(loaders_only, name) >= 0))
		return 0;
	AUTO_FREE char *path = find(name, s);

	if (!path && by_default)
		return 0;
	if (!path)
		return error_ret(e, -ENOENT,
				 "could not find firmware '%s' (-L help lists where it is looked "
				 "for)",
				 name);
	err = bytes_read_file(b, path, FIRMWARE_MOST, e);
	if (!err && !b->size)
		err = error_ret(e, -EINVAL, "firmware '%s' is empty", path);
	return err;
}

void firmware_list_dirs(const struct settings *s)
{
	for (size_t i = 0; i < s->firmware_dirs.n; i++)
		puts(s->firmware_dirs.at[i]);
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		puts(directories[i]);
}
