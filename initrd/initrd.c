/* SPDX-License-Identifier: GPL-2.0-or-later */
/* initrd.c - builds an initramfs: description or directory, then libraries, trailer and
 * compression. */
#include "initrd/initrd.h"
#include "initrd/list.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIST_LIMIT (256u << 20)

static bool is_dir(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

bool initrd_is_source(const char *path)
{
	return is_dir(path) || str_suffix(path, ".list") || str_suffix(path, "_list");
}

static int read_list(struct build *b, const char *path, struct error *e)
{
	bool in = str_eq(path, "-");
	struct bytes raw;
	AUTO_FREE char *text = NULL;
	int err;

	if (in)
		err = bytes_read_fd(&raw, STDIN_FILENO, "standard input", LIST_LIMIT, e);
	else
		err = bytes_read_file(&raw, path, LIST_LIMIT, e);
	if (err)
		return err;
	if (raw.size && memchr(raw.data, 0, raw.size)) {
		bytes_fini(&raw);
		return error_ret(e, -EINVAL, "'%s' is not a description: it holds binary data",
				 path);
	}
	text = xstrndup((char *)raw.data, raw.size);
	bytes_fini(&raw);
	return list_read(b, text, in ? "standard input" : path, e);
}

int initrd_build(struct bytes *out, const char *path, const struct initrd_opts *o, struct error *e)
{
	struct build b = { .o = o, .quote = o->quote };
	int err;

	*out = (struct bytes){ 0 };
	cpio_init(&b.cpio);
	b.cpio.csum = o->csum;
	b.cpio.align = o->align;
	b.cpio.has_mtime = o->has_mtime;
	b.cpio.mtime = o->mtime;
	b.closure = closure_new(&b.cpio, o->sysroot);
	err = is_dir(path) ? tree_add(&b, path, "", e) : read_list(&b, path, e);
	err = err ? err : closure_run(b.closure, e);
	err = err ? err : cpio_finish(&b.cpio, out, e);
	closure_free(b.closure);
	cpio_fini(&b.cpio);
	err = err ? err : initrd_compress(out, o->compression, e);
	if (err)
		bytes_fini(out);
	return err;
}
