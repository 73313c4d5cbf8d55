/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tree.c - a host directory into the archive: sorted by name, so that the same tree gives the same
 * archive; hard links stay links; what belongs to the calling user belongs to root in the guest,
 * unless the owners are to be kept.
 */
#include "initrd/list.h"
#include "initrd/sysroot.h"
#include "lib/alloc.h"
#include "lib/hash.h"
#include "lib/str.h"
#include <dirent.h>
#include <errno.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* One thing found below the directory. */
struct item {
	char *host, *guest;
	struct stat st;
	/* the next name of the same file, on the last one's chain from the first */
	struct item *other;
	u32 links;	   /* on the first name: how many names there are */
	struct item *last; /* on the first name */
	bool linked;	   /* one of several names */
};

struct tree {
	VEC(struct item *) items;
	struct map inodes; /* hash of device and inode -> first item */
};

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int no_dots(const struct dirent *d)
{
	return strcmp(d->d_name, ".") && strcmp(d->d_name, "..");
}

/* Chains the names of one file; the archive gets them together where the last one stands. */
static void note_links(struct tree *t, struct item *it)
{
	u64 key = hash_u64(it->st.st_dev * 0x9e3779b97f4a7c15ull + it->st.st_ino);
	struct item *first;

	if (!S_ISREG(it->st.st_mode) || it->st.st_nlink < 2)
		return;
	first = map_get(&t->inodes, key);
	if (!first) {
		first = it;
		map_put(&t->inodes, key, it);
	} else {
		first->last->other = it;
	}
	first->last = it;
	first->links++;
	it->linked = true;
}

static int scan(struct tree *t, const char *dir, const char *guest, int depth, struct error *e)
{
	struct dirent **names;
	int n = scandir(dir, &names, no_dots, by_name), err = 0;

	if (n < 0)
		return error_ret(e, -errno, "could not read directory '%s': %s", dir,
				 strerror(errno));
	if (depth > 500)
		err = error_ret(e, -ELOOP, "directory '%s' lies too deep", dir);
	for (int i = 0; i < n; i++) {
		struct item *it = NULL;

		if (!err) {
			it = NEW(struct item);
			it->host = xasprintf("%s/%s", dir, names[i]->d_name);
			it->guest = xasprintf("%s/%s", guest, names[i]->d_name);
			vec_push(&t->items, it);
			if (lstat(it->host, &it->st) < 0)
				err = error_ret(e, -errno, "could not read '%s': %s", it->host,
						strerror(errno));
			else
				note_links(t, it);
		}
		if (!err && S_ISDIR(it->st.st_mode))
			err = scan(t, it->host, it->guest, depth + 1, e);
		free(names[i]);
	}
	free(names);
	return err;
}

static int add_regular(struct build *b, struct tree *t, struct item *it, struct cpio_entry *en,
		       struct error *e)
{
	VEC(const char *) names = { 0 };
	struct item *first = it;
	int err;

	if (it->linked) {
		first = map_get(&t->inodes,
				hash_u64(it->st.st_dev * 0x9e3779b97f4a7c15ull + it->st.st_ino));
		if (first->last != it)
			return 0;
	}
	for (struct item *x = first; x; x = x->other)
		vec_push(&names, x->guest);
	err = file_add(b, en, it->host, names.at, names.n, b->o->closure, e);
	vec_free(&names);
	return err;
}

static int add_item(struct build *b, struct tree *t, struct item *it, struct error *e)
{
	const struct stat *st = &it->st;
	bool keep = b->o->keep_owner;
	struct cpio_entry en = {
		.name = it->guest,
		.mode = st->st_mode,
		.uid = !keep && st->st_uid == geteuid() ? 0 : st->st_uid,
		.gid = !keep && st->st_gid == getegid() ? 0 : st->st_gid,
		.nlink = S_ISDIR(st->st_mode) ? 2 : 1,
		.has_mtime = true,
		.mtime = st->st_mtime,
	};
	AUTO_FREE char *target = NULL;

	if (S_ISREG(st->st_mode))
		return add_regular(b, t, it, &en, e);
	if (S_ISLNK(st->st_mode)) {
		target = link_target(it->host);
		if (!target)
			return error_ret(e, -EIO, "could not read the symlink '%s'", it->host);
		en.data = target;
		en.size = strlen(target) + 1;
	} else if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		en.rdev_major = major(st->st_rdev);
		en.rdev_minor = minor(st->st_rdev);
	}
	/* Two trees may share directories: the first one's stays. */
	if (S_ISDIR(st->st_mode) && cpio_find(&b->cpio, it->guest))
		return 0;
	return cpio_add(&b->cpio, &en, e);
}

/* The prefix itself gets the mode of the directory. */
static int add_prefix(struct build *b, const char *dir, const char *prefix, struct error *e)
{
	struct cpio_entry en = { .name = prefix, .nlink = 2, .has_mtime = true };
	struct stat st;
	int err;

	if (!prefix[strspn(prefix, "/")])
		return 0;
	err = cpio_add_parents(&b->cpio, prefix, e);
	if (err || cpio_find(&b->cpio, prefix))
		return err;
	if (stat(dir, &st) < 0)
		return error_ret(e, -errno, "could not read directory '%s': %s", dir,
				 strerror(errno));
	en.mode = S_IFDIR | (st.st_mode & 07777);
	en.mtime = st.st_mtime;
	return cpio_add(&b->cpio, &en, e);
}

int tree_add(struct build *b, const char *dir, const char *prefix, struct error *e)
{
	size_t n = strlen(prefix);
	AUTO_FREE char *guest = NULL;
	struct tree t = { 0 };
	int err;

	while (n && prefix[n - 1] == '/')
		n--;
	guest = n ? xstrndup(prefix, n) : xstrdup("");
	err = scan(&t, dir, guest, 0, e);
	err = err ? err : add_prefix(b, dir, guest, e);
	for (size_t i = 0; i < t.items.n && !err; i++)
		err = add_item(b, &t, t.items.at[i], e);
	for (size_t i = 0; i < t.items.n; i++) {
		free(t.items.at[i]->host);
		free(t.items.at[i]->guest);
		free(t.items.at[i]);
	}
	vec_free(&t.items);
	map_fini(&t.inodes);
	return err;
}
