/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpio.c - the newc archive format (Linux
 * Documentation/driver-api/early-userspace/buffer-format.rst) with the choices of gen_init_cpio:
 * inode numbers from 721, device 3:1, names without the first slash, symlink targets with their
 * NUL.
 */
#include "initrd/cpio.h"
#include "lib/alloc.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define FIRST_INO   721
#define HEADER_SIZE 110
#define BLOCK	    512

/* Without empty and "." parts and without slashes at either end. */
static char *normalize(const char *path)
{
	char *out = xalloc(strlen(path) + 2), *o = out;

	while (*path) {
		size_t n = strcspn(path, "/");

		if (n && !(n == 1 && *path == '.')) {
			if (o != out)
				*o++ = '/';
			memcpy(o, path, n);
			o += n;
		}
		path += n + (path[n] == '/');
	}
	*o = 0;
	return out;
}

static struct cpio_node *find(const struct cpio *c, const char *normal)
{
	struct cpio_node *node = map_get(&c->nodes, hash_str(normal));

	while (node && strcmp(node->path, normal))
		node = node->next;
	return node;
}

const struct cpio_node *cpio_find(const struct cpio *c, const char *path)
{
	AUTO_FREE char *normal = normalize(path);

	return find(c, normal);
}

static void remember(struct cpio *c, const struct cpio_entry *en)
{
	AUTO_FREE char *normal = normalize(en->name);
	struct cpio_node *node = find(c, normal);

	if (!node) {
		u64 key = hash_str(normal);

		node = NEW(struct cpio_node);
		node->path = xstrdup(normal);
		node->next = map_get(&c->nodes, key);
		map_put(&c->nodes, key, node);
	}
	free(node->target);
	node->target = S_ISLNK(en->mode) ? xstrndup(en->data, en->size) : NULL;
	free(node->source);
	node->source = en->source ? xstrdup(en->source) : NULL;
	node->mode = en->mode;
}

void cpio_init(struct cpio *c) { *c = (struct cpio){ .ino = FIRST_INO, .now = time(NULL) }; }

void cpio_fini(struct cpio *c)
{
	map_for_each (slot, &c->nodes) {
		struct cpio_node *node = slot->value, *next;

		for (; node; node = next) {
			next = node->next;
			free(node->path);
			free(node->target);
			free(node->source);
			free(node);
		}
	}
	map_fini(&c->nodes);
	free(c->data);
	*c = (struct cpio){ 0 };
}

/* Room for more bytes; the size comes from files, so it may politely fail. */
static int reserve(struct cpio *c, u64 more, struct error *e)
{
	u64 need, cap;
	u8 *bigger;

	if (add_overflow((u64)c->n, more, &need) || need > SIZE_MAX / 2)
		return error_ret(e, -EFBIG, "the archive would be larger than memory");
	if (need <= c->cap)
		return 0;
	cap = MAX(need, (u64)c->cap + c->cap / 2);
	cap = MAX(cap, (u64)65536);
	bigger = realloc(c->data, cap);
	if (!bigger)
		return error_ret(e, -ENOMEM, "no memory for an archive of %llu bytes",
				 (unsigned long long)cap);
	c->data = bigger;
	c->cap = cap;
	return 0;
}

/* These need reserved room. */
static void put(struct cpio *c, const void *p, size_t n)
{
	if (n)
		memcpy(c->data + c->n, p, n);
	c->n += n;
}

static void zeros(struct cpio *c, size_t n)
{
	memset(c->data + c->n, 0, n);
	c->n += n;
}

static size_t pad_len(u64 at, u32 align)
{
	/* The kernel tool's arithmetic, which is a true alignment for powers of two only. */
	return (align - (at & (align - 1))) % align;
}

static u32 checksum(const struct cpio *c, const struct cpio_entry *en)
{
	const u8 *p = en->data;
	u32 sum = 0;

	if (!c->csum || !en->is_file)
		return 0;
	for (u64 i = 0; i < en->size; i++)
		sum += p[i];
	return sum;
}

static u32 clip_mtime(const struct cpio *c, const struct cpio_entry *en)
{
	s64 t = c->has_mtime ? c->mtime : en->has_mtime ? en->mtime : c->now;

	return MIN(MAX(t, (s64)0), (s64)UINT32_MAX);
}

/* How many zeros behind the name make the data of a large regular file start at a multiple of the
 * wanted alignment. */
static size_t name_padding(const struct cpio *c, const struct cpio_entry *en, const char *name,
			   size_t namesize)
{
	size_t pad;

	if (!c->align || !en->is_file || en->size <= c->align)
		return 0;
	pad = pad_len((u64)c->n + HEADER_SIZE + namesize, c->align);
	if (namesize + pad > PATH_MAX) {
		warn("'%s': not aligned: with %zu bytes of padding its name would be longer than "
		     "%d",
		     name, pad, PATH_MAX);
		return 0;
	}
	return pad;
}

static void put_header(struct cpio *c, u32 ino, const struct cpio_entry *en, u32 mtime,
		       bool has_dev, u32 namesize)
{
	const u32 fields[] = {
		ino,
		en->mode,
		en->uid,
		en->gid,
		en->nlink,
		mtime,
		en->size,
		has_dev ? 3 : 0,
		has_dev ? 1 : 0,
		en->rdev_major,
		en->rdev_minor,
		namesize,
		checksum(c, en),
	};
	char text[HEADER_SIZE + 1];
	int n = sprintf(text, "%s", c->csum ? "070702" : "070701");

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		n += sprintf(text + n, "%08X", fields[i]);
	put(c, text, HEADER_SIZE);
}

int cpio_add(struct cpio *c, const struct cpio_entry *en, struct error *e)
{
	const char *name = en->name + (en->name[0] == '/');
	size_t namesize = strlen(name) + 1, pad;
	int err;

	if (namesize > PATH_MAX)
		return error_ret(e, -ENAMETOOLONG, "name '%.40s...' is longer than %d bytes", name,
				 PATH_MAX - 1);
	if (en->size > UINT32_MAX)
		return error_ret(e, -EFBIG,
				 "'%s' has %llu bytes: an initramfs file has at most 4294967295",
				 name, (unsigned long long)en->size);
	err = reserve(c, en->size + HEADER_SIZE + 2 * PATH_MAX + 8, e);
	if (err)
		return err;
	pad = name_padding(c, en, name, namesize);
	put_header(c, c->ino, en, clip_mtime(c, en), true, namesize + pad);
	put(c, name, namesize);
	zeros(c, pad);
	zeros(c, pad_len(c->n, 4));
	put(c, en->data, en->size);
	zeros(c, pad_len(c->n, 4));
	if (!en->same_ino)
		c->ino++;
	remember(c, en);
	return 0;
}

int cpio_add_links(struct cpio *c, struct cpio_entry *en, const char *const *names, u32 n,
		   struct error *e)
{
	const void *data = en->data;
	u64 size = en->size;

	en->nlink = n;
	en->is_file = true;
	for (u32 i = 0; i < n; i++) {
		bool last = i + 1 == n;
		int err;

		en->name = names[i];
		en->same_ino = !last;
		en->data = last ? data : NULL;
		en->size = last ? size : 0;
		err = cpio_add(c, en, e);
		if (err)
			return err;
	}
	return 0;
}

int cpio_finish(struct cpio *c, struct bytes *out, struct error *e)
{
	static const char trailer[] = "TRAILER!!!";
	const struct cpio_entry en = { .nlink = 1 };
	int err = reserve(c, HEADER_SIZE + sizeof(trailer) + 4 + BLOCK, e);

	if (err)
		return err;
	put_header(c, 0, &en, 0, false, sizeof(trailer));
	put(c, trailer, sizeof(trailer));
	zeros(c, pad_len(c->n, 4));
	zeros(c, pad_len(c->n, BLOCK));
	out->data = c->data;
	out->size = c->n;
	c->data = NULL;
	c->n = c->cap = 0;
	return 0;
}

int cpio_add_parents(struct cpio *c, const char *path, struct error *e)
{
	AUTO_FREE char *normal = normalize(path);

	for (char *slash = strchr(normal, '/'); slash; slash = strchr(slash + 1, '/')) {
		int err = 0;

		*slash = 0;
		if (!find(c, normal)) {
			const struct cpio_entry dir = { .name = normal,
							.mode = S_IFDIR | 0755,
							.nlink = 2 };

			err = cpio_add(c, &dir, e);
		}
		*slash = '/';
		if (err)
			return err;
	}
	return 0;
}
