/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drive.c - -drive's keys, as QEMU has them: those of the drive and of its place are taken here,
 * the rest goes to the nodes. */
#include "block/drive.h"
#include "block/overlay.h"
#include "block/probe.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define INTERFACES "ide|scsi|sd|mtd|floppy|pflash|virtio|none"

/* ---- images by their names */

/* QEMU's "protocol:rest" names; a path with a colon needs a slash before it. */
static int check_protocol(const char *path, struct error *e)
{
	const char *colon = strchr(path, ':'), *slash = strchr(path, '/');

	if (!colon || (slash && slash < colon))
		return 0;
	return error_ret(e, -ENOTSUP,
			 "'%s': the protocol '%.*s' is not built yet; ./%s names a file", path,
			 (int)(colon - path), path, path);
}

/* file=NAME into keys of the lowest node. */
static int name_keys(struct keyvals *kv, const char *path, struct error *e)
{
	const char *rest, *driver = "file";
	struct stat st;
	int err;

	if (str_prefix(path, "json:", &rest)) {
		struct keyvals sub = { 0 };

		err = keyvals_parse(&sub, rest, NULL, e);
		for (size_t i = 0; !err && i < sub.n; i++) {
			AUTO_FREE char *key = xasprintf("file.%s", sub.at[i].key);

			keyvals_add(kv, key, sub.at[i].value);
		}
		keyvals_fini(&sub);
		return err;
	}
	if (str_prefix(path, "null-co://", &rest)) {
		keyvals_add(kv, "file.driver", "null-co");
		return 0;
	}
	str_prefix(path, "file:", &path);
	if (str_prefix(path, "//", &rest) && *rest == '/')
		path = rest;
	err = check_protocol(path, e);
	if (err)
		return err;
	if (!stat(path, &st) && S_ISBLK(st.st_mode))
		driver = "host_device";
	keyvals_add(kv, "file.driver", driver);
	keyvals_add(kv, "file.filename", path);
	return 0;
}

/* What the image says of itself; raw with a warning, because a guest can make it say otherwise. */
static int guess_format(struct keyvals *kv, const char *path, bool readonly, struct error *e)
{
	AUTO_FREE u8 *head = calloc(1, PROBE_BYTES);
	const char *name = keyvals_get(kv, "file.filename"), *found = NULL;
	int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = fd >= 0 ? pread(fd, head, PROBE_BYTES, 0) : 0;

	if (fd >= 0)
		close(fd);
	if (n > 0)
		found = probe_format(head, n);
	if (found && !block_driver_find(found))
		return error_ret(e, -ENOTSUP,
				 "'%s' is an image of format %s, which is not built yet; "
				 "format=raw takes it as it is",
				 path, found);
	keyvals_add(kv, "driver", found ? found : "raw");
	/* QEMU's warning, which clients know */
	if (!found && fd >= 0 && !readonly) {
		keyvals_add(kv, "guessed", "on");
		warn("Image format was not specified for '%s' and probing guessed raw; write "
		     "operations on block 0 will be restricted. Specify the 'raw' format "
		     "explicitly to remove the restrictions.",
		     path);
	}
	return 0;
}

/* ---- cache= */

static int cache_keys(struct keyvals *kv, struct keyvals *node, bool *write_cache, struct error *e)
{
	static const struct {
		bool direct, no_flush, write_cache;
	} modes[] = { { true, false, true },
		      { false, false, true },
		      { false, false, false },
		      { true, false, false },
		      { false, true, true } };
	const char *cache = keyvals_get(kv, "cache");
	unsigned mode = 1;
	int err = 0;

	if (cache && str_eq(cache, "off"))
		mode = 0;
	else
		err = keyvals_choice(kv, "cache", "none|writeback|writethrough|directsync|unsafe",
				     &mode, e);
	if (err)
		return err;
	*write_cache = modes[mode].write_cache;
	if (cache) {
		keyvals_add(node, "cache.direct", modes[mode].direct ? "on" : "off");
		keyvals_add(node, "cache.no-flush", modes[mode].no_flush ? "on" : "off");
	}
	return keyvals_bool(kv, "cache.writeback", write_cache, e);
}

/* ---- place */

static const char *const if_names[] = { "ide",	  "scsi",   "sd",     "mtd",
					"floppy", "pflash", "virtio", "none" };

static int check_interface(enum drive_if i, struct error *e)
{
	if (i == DRIVE_IDE || i == DRIVE_VIRTIO || i == DRIVE_NONE)
		return 0;
	return error_ret(e, -ENOTSUP, "if=%s is not built yet; there are if=ide, virtio and none",
			 if_names[i]);
}

static struct block *find_place(struct machine *m, int type, int bus, int unit)
{
	for (struct block *b = block_next(m, NULL); b; b = block_next(m, b)) {
		if (b->if_type == type && b->bus == bus && b->unit == unit)
			return b;
	}
	return NULL;
}

struct place {
	unsigned type;
	u64 index, bus, unit;
	bool cdrom;
};

static int parse_place(struct machine *m, struct keyvals *kv, const struct drive_defaults *d,
		       struct place *p, struct error *e)
{
	unsigned media = 0, units;
	bool has_index = keyvals_get(kv, "index"), has_bus = keyvals_get(kv, "bus"),
	     has_unit = keyvals_get(kv, "unit");
	int err;

	p->type = d->interface;
	err = keyvals_choice(kv, "if", INTERFACES, &p->type, e);
	if (!err)
		err = check_interface(p->type, e);
	if (!err)
		err = keyvals_choice(kv, "media", "disk|cdrom", &media, e);
	if (!err)
		err = keyvals_u64(kv, "index", 0, 255, &p->index, e);
	if (!err)
		err = keyvals_u64(kv, "bus", 0, 255, &p->bus, e);
	if (!err)
		err = keyvals_u64(kv, "unit", 0, 255, &p->unit, e);
	if (err)
		return err;
	p->cdrom = media == 1;
	units = p->type == DRIVE_IDE ? d->ide_units : 0;
	if (has_index && (has_bus || has_unit))
		return error_ret(e, -EINVAL, "index cannot be used with bus and unit");
	if (has_index && units) {
		p->bus = p->index / units;
		p->unit = p->index % units;
	} else if (has_index) {
		p->unit = p->index;
	}
	if (units && p->unit >= units)
		return error_ret(e, -EINVAL, "unit %llu too big (max is %u)",
				 (unsigned long long)p->unit, units - 1);
	if (!has_index && !has_unit) {
		while (find_place(m, p->type, p->bus, p->unit)) {
			p->unit++;
			if (units && p->unit >= units) {
				p->unit = 0;
				p->bus++;
			}
		}
	}
	p->index = units ? p->bus * units + p->unit : p->unit;
	if (find_place(m, p->type, p->bus, p->unit))
		return error_ret(e, -EEXIST, "drive with bus=%llu, unit=%llu (index=%llu) exists",
				 (unsigned long long)p->bus, (unsigned long long)p->unit,
				 (unsigned long long)p->index);
	return 0;
}

static char *default_id(const struct place *p)
{
	if (p->type == DRIVE_IDE)
		return xasprintf("ide%llu-%s%llu", (unsigned long long)p->bus,
				 p->cdrom ? "cd" : "hd", (unsigned long long)p->unit);
	return xasprintf("%s%llu", if_names[p->type], (unsigned long long)p->unit);
}

/* ---- what is not built */

static int refuse_keys(struct keyvals *kv, struct error *e)
{
	static const char *const prefixes[] = { "iops", "bps", "throttling", "group" };
	bool copy_on_read = false;
	const char *rest;
	int err = keyvals_bool(kv, "copy-on-read", &copy_on_read, e);

	if (!err && copy_on_read)
		err = error_ret(e, -ENOTSUP,
				"copy-on-read=on is not built yet: no format has backing files");
	for (size_t i = 0; i < kv->n && !err; i++) {
		for (unsigned k = 0; k < ARRAY_SIZE(prefixes); k++) {
			if (str_prefix(kv->at[i].key, prefixes[k], &rest))
				err = error_ret(e, -ENOTSUP,
						"%s=%s: limits of speed are not built yet",
						kv->at[i].key, kv->at[i].value);
		}
	}
	return err;
}

/* ---- -drive */

static void pass(struct keyvals *kv, const char *key, struct keyvals *to, const char *as)
{
	const char *v = keyvals_get(kv, key);

	if (v)
		keyvals_add(to, as, v);
}

/* Keys that the nodes take: everything that was not asked for yet. */
static void pass_rest(struct keyvals *kv, struct keyvals *to)
{
	for (size_t i = 0; i < kv->n; i++) {
		if (kv->at[i].used)
			continue;
		kv->at[i].used = true;
		keyvals_add(to, kv->at[i].key, kv->at[i].value);
	}
}

static struct block_node *open_image(struct machine *m, struct keyvals *node, const char *file,
				     const char *format, bool readonly, struct error *e)
{
	int err = 0;

	keyvals_set(node, "read-only", readonly ? "on" : "off");
	if (file && !block_node_find(m, file))
		err = name_keys(node, file, e);
	else if (file)
		keyvals_add(node, "file", file);
	if (!err && format)
		keyvals_set(node, "driver", format);
	else if (!err && file && !keyvals_get(node, "driver"))
		err = guess_format(node, file, readonly, e);
	return err ? NULL : block_open(m, node, e);
}

struct block_node *drive_open_image(struct machine *m, const char *path, const char *format,
				    bool readonly, struct error *e)
{
	struct keyvals node = { 0 };
	struct block_node *n = open_image(m, &node, path, format, readonly, e);

	keyvals_fini(&node);
	return n;
}

static int make_stack(struct machine *m, struct keyvals *kv, const struct drive_defaults *d,
		      const struct place *p, struct block_node **out, bool *write_cache,
		      struct error *e)
{
	const char *file = keyvals_get(kv, "file"), *format = keyvals_get(kv, "format");
	bool readonly = p->cdrom, snapshot = d->snapshot && !p->cdrom, given = false;
	struct keyvals node = { 0 };
	int err = keyvals_bool(kv, "snapshot", &snapshot, e);

	if (!err)
		err = keyvals_bool(kv, "readonly", &readonly, e);
	if (!err)
		err = keyvals_bool(kv, "read-only", &readonly, e);
	if (!err && p->cdrom)
		readonly = true;
	if (!err)
		err = cache_keys(kv, &node, write_cache, e);
	pass(kv, "aio", &node, "file.aio");
	pass(kv, "locking", &node, "file.locking");
	for (size_t i = 0; i < kv->n; i++)
		given |= !kv->at[i].used && (str_prefix(kv->at[i].key, "file.", NULL) ||
					     str_eq(kv->at[i].key, "driver"));
	*out = NULL;
	if (!err && ((file && *file) || given)) {
		pass_rest(kv, &node);
		*out = open_image(m, &node, file && *file ? file : NULL, format,
				  readonly || snapshot, e);
		err = *out ? 0 : -EINVAL;
	} else if (!err) {
		err = keyvals_all_used(kv, NULL, e);
	}
	if (!err && *out && snapshot && !readonly) {
		*out = overlay_new(m, *out, e);
		err = *out ? 0 : -EIO;
	}
	keyvals_fini(&node);
	return err;
}

struct block *drive_new(struct machine *m, struct keyvals *kv, const struct drive_defaults *d,
			struct error *e)
{
	const char *id = keyvals_get(kv, "id"), *re = keyvals_get(kv, "rerror"),
		   *we = keyvals_get(kv, "werror");
	u8 rerror = ONERR_REPORT, werror = ONERR_ENOSPC;
	struct place p = { 0 };
	AUTO_FREE char *made = NULL;
	struct block_node *n = NULL;
	bool write_cache = true;
	struct block *b;
	int err = parse_place(m, kv, d, &p, e);

	if (!err && re)
		err = block_parse_on_error(re, &rerror, false, e);
	if (!err && we)
		err = block_parse_on_error(we, &werror, true, e);
	if (!err)
		err = refuse_keys(kv, e);
	if (!err && !id)
		id = made = default_id(&p);
	if (!err && (block_find(m, id) || block_node_find(m, id)))
		err = error_ret(e, -EEXIST, "there is a drive or block node '%s' already", id);
	if (!err)
		err = make_stack(m, kv, d, &p, &n, &write_cache, e);
	if (!err && !n && !p.cdrom && p.type != DRIVE_NONE)
		err = error_ret(e, -EINVAL, "a disk needs an image: file=FILE");
	if (err)
		return NULL;
	b = block_new(m, id, n);
	b->rerror = rerror;
	b->werror = werror;
	b->write_cache = b->write_cache_default = write_cache;
	b->if_type = p.type;
	b->bus = p.bus;
	b->unit = p.unit;
	b->index = p.index;
	b->cdrom = b->removable = p.cdrom;
	b->readonly |= p.cdrom;
	b->auto_device = p.type != DRIVE_NONE;
	return b;
}

/* ---- -blockdev */

int blockdev_add(struct machine *m, struct keyvals *kv, struct error *e)
{
	struct block_node *n;

	if (!keyvals_get(kv, "node-name"))
		return error_ret(e, -EINVAL, "'node-name' must be specified for the root node");
	n = block_open(m, kv, e);
	if (!n)
		return -EINVAL;
	n->named = true;
	return 0;
}

int blockdev_del(struct machine *m, const char *name, struct error *e)
{
	struct block_node *n = block_node_find(m, name);

	if (!n)
		return error_ret(e, -EINVAL, "failed to find node with node-name='%s'", name);
	if (!n->named)
		return error_ret(e, -EPERM, "node %s is not owned by the monitor", name);
	if (n->refs > 1)
		return error_ret(e, -EBUSY, "node %s is in use", name);
	block_unref(n);
	return 0;
}
