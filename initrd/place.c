/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * place.c - puts a file of the sysroot into an archive whose description may already have made
 * directories or symlinks of the parts of its path: what is there is followed, what is missing is
 * made as the sysroot has it.
 */
#include "initrd/place.h"
#include "initrd/sysroot.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <errno.h>

#define MAX_LINKS 40

/* A walk through the archive's own names: `at` is where it is, free of symlinks; `rest` is still to
 * go. */
struct walk {
	struct strbuf at;
	char *rest, *p;
	int links;
};

static void walk_start(struct walk *w, const char *path)
{
	*w = (struct walk){ .rest = xstrdup(path) };
	w->p = w->rest;
}

static void walk_end(struct walk *w)
{
	strbuf_fini(&w->at);
	free(w->rest);
}

static void walk_up(struct walk *w)
{
	while (w->at.n && w->at.at[w->at.n - 1] != '/')
		w->at.n--;
	if (w->at.n)
		w->at.n--;
	if (w->at.at)
		w->at.at[w->at.n] = 0;
}

/* Appends the next component to `at`; false at the end. */
static bool walk_step(struct walk *w)
{
	for (;;) {
		size_t n;

		w->p += strspn(w->p, "/");
		n = strcspn(w->p, "/");
		if (!n)
			return false;
		if (n == 2 && w->p[0] == '.' && w->p[1] == '.') {
			walk_up(w);
		} else if (n != 1 || w->p[0] != '.') {
			strbuf_addc(&w->at, '/');
			strbuf_addn(&w->at, w->p, n);
			w->p += n;
			return true;
		}
		w->p += n;
	}
}

static bool walk_is_last(const struct walk *w) { return !w->p[strspn(w->p, "/")]; }

/* Goes on behind a symlink that `at` names. */
static int walk_follow(struct walk *w, const char *target)
{
	char *rest = xasprintf("%s/%s", target, w->p);

	walk_up(w);
	if (*target == '/' && w->at.at) {
		w->at.n = 0;
		w->at.at[0] = 0;
	}
	free(w->rest);
	w->p = w->rest = rest;
	return ++w->links > MAX_LINKS ? -ELOOP : 0;
}

const struct cpio_node *place_find(const struct cpio *c, const char *guest)
{
	const struct cpio_node *node = NULL;
	struct walk w;

	walk_start(&w, guest);
	while (walk_step(&w)) {
		node = cpio_find(c, strbuf_str(&w.at));
		if (!node || (S_ISLNK(node->mode) && walk_follow(&w, node->target))) {
			node = NULL;
			break;
		}
	}
	walk_end(&w);
	return node;
}

static int add_file(struct cpio *c, const char *guest, const char *host, const struct bytes *b,
		    struct error *e)
{
	struct cpio_entry en = {
		.name = guest,
		.source = host,
		.has_mtime = true,
		.is_file = true,
		.nlink = 1,
	};
	struct stat st;

	if (stat(host, &st) < 0)
		return error_ret(e, -errno, "could not open '%s': %s", host, strerror(errno));
	en.mode = S_IFREG | (st.st_mode & 07777);
	en.mtime = st.st_mtime;
	en.data = b->data;
	en.size = b->size;
	return cpio_add(c, &en, e);
}

static int add_symlink(struct cpio *c, const char *root, const char *guest, struct error *e)
{
	AUTO_FREE char *host = sysroot_path(root, guest, false);
	AUTO_FREE char *target = host ? link_target(host) : NULL;
	struct cpio_entry en = { .name = guest, .mode = S_IFLNK | 0777, .nlink = 1 };

	if (!target)
		return error_ret(e, -EIO, "could not read the symlink '%s'", guest);
	en.data = target;
	en.size = strlen(target) + 1;
	return cpio_add(c, &en, e);
}

static int add_dir(struct cpio *c, const char *guest, const struct stat *st, struct error *e)
{
	struct cpio_entry en = { .name = guest, .mode = S_IFDIR | 0755, .nlink = 2 };

	if (st && S_ISDIR(st->st_mode))
		en.mode = S_IFDIR | (st->st_mode & 07777);
	return cpio_add(c, &en, e);
}

/* One file on its way into the archive. */
struct placing {
	struct cpio *c;
	const char *root, *guest, *host;
	const struct bytes *b;
	bool mirror;
};

/* Adds the component that the archive lacks: as the sysroot has it, or the file itself at the end.
 */
static int add_missing(const struct placing *pl, const struct walk *w, struct error *e)
{
	const char *at = strbuf_str(&w->at);
	bool last = walk_is_last(w);
	struct stat st;
	bool there = sysroot_lstat(pl->root, at, &st);

	if (there && S_ISLNK(st.st_mode) && (!last || pl->mirror))
		return add_symlink(pl->c, pl->root, at, e);
	if (!last)
		return add_dir(pl->c, at, there ? &st : NULL, e);
	return add_file(pl->c, at, pl->host, pl->b, e);
}

int place_file(struct cpio *c, const char *root, const char *guest, const char *host,
	       const struct bytes *b, bool mirror, struct error *e)
{
	const struct placing pl = { c, root, guest, host, b, mirror };
	struct walk w;
	int err = 0;

	walk_start(&w, guest);
	while (!err && walk_step(&w)) {
		const char *at = strbuf_str(&w.at);
		const struct cpio_node *node = cpio_find(c, at);

		if (!node) {
			err = add_missing(&pl, &w, e);
			node = cpio_find(c, at);
			if (err || !node)
				break;
		}
		if (S_ISLNK(node->mode)) {
			err = walk_follow(&w, node->target);
			if (err)
				error_set(e, "too many symlinks on the way to '%s'", guest);
		} else if (S_ISDIR(node->mode) == walk_is_last(&w)) {
			err = error_ret(e, -EEXIST,
					"library '%s': '%s' is %sa directory in the archive", guest,
					at, S_ISDIR(node->mode) ? "" : "not ");
		}
	}
	walk_end(&w);
	return err;
}
