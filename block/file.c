/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file.c - files and devices of the host as disks. Requests go to the kernel with the guest's own
 * memory where that is aligned well enough; with O_DIRECT, what is not goes through a copy, and
 * writes of less than a block read it first, while no other write is in that block.
 */
#include "block/file.h"
#include "block/lock.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum file_kind { KIND_FILE, KIND_DEVICE, KIND_CDROM };

static int open_flags(const struct block_node *n)
{
	return (n->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | (n->cache.direct ? O_DIRECT : 0);
}

static int open_path(struct block_node *n, struct file *f, bool auto_ro, struct error *e)
{
	const char *rest;

	if (str_prefix(f->path, "/dev/fdset/", &rest))
		return error_ret(e, -ENOTSUP, "'%s': descriptor sets are not built yet", f->path);
	f->fd = open(f->path, open_flags(n));
	if (f->fd < 0 && auto_ro && (errno == EACCES || errno == EROFS || errno == EPERM)) {
		n->readonly = true;
		f->fd = open(f->path, open_flags(n));
	}
	if (f->fd >= 0)
		return 0;
	if (errno == EINVAL && n->cache.direct)
		return error_ret(e, -EINVAL,
				 "could not open '%s': its file system has no direct I/O; use "
				 "cache=writeback",
				 f->path);
	return error_ret(e, -errno, "could not open '%s': %s", f->path, strerror(errno));
}

static int check_kind(struct block_node *n, struct file *f, enum file_kind kind, struct stat *st,
		      struct error *e)
{
	if (fstat(f->fd, st) < 0)
		return error_ret(e, -errno, "could not look at '%s': %s", f->path, strerror(errno));
	f->device = S_ISBLK(st->st_mode);
	if (kind == KIND_FILE && !S_ISREG(st->st_mode))
		return error_ret(e, -EINVAL, "'%s' is no regular file%s", f->path,
				 f->device ? "; driver=host_device takes it" : "");
	if (kind != KIND_FILE && !f->device)
		return error_ret(e, -EINVAL, "'%s' is no block device", f->path);
	return 0;
}

static int find_size(struct block_node *n, struct file *f, const struct stat *st, struct error *e)
{
	u64 bytes = st->st_size;

	if (f->device && ioctl(f->fd, BLKGETSIZE64, &bytes) < 0)
		return error_ret(e, -errno, "could not get the size of '%s': %s", f->path,
				 strerror(errno));
	if (bytes > (u64)INT64_MAX - 511)
		return error_ret(e, -EFBIG, "'%s' is too large", f->path);
	/* disks consist of sectors: what the last one lacks reads as zeroes */
	n->size = ALIGN_UP(bytes, (u64)512);
	return 0;
}

static void find_alignment(struct block_node *n, struct file *f, const struct stat *st)
{
	int sector = 0;

	n->align = n->mem_align = 1;
	n->optimal = MIN(MAX((u64)st->st_blksize, (u64)512), (u64)1 << 20);
	if (!n->cache.direct)
		return;
	n->align = n->mem_align = 4096;
	if (f->device && !ioctl(f->fd, BLKSSZGET, &sector) && sector >= 512)
		n->align = n->mem_align = sector;
#ifdef STATX_DIOALIGN
	struct statx sx;

	if (!statx(f->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &sx) &&
	    (sx.stx_mask & STATX_DIOALIGN) && sx.stx_dio_offset_align) {
		n->align = sx.stx_dio_offset_align;
		n->mem_align = sx.stx_dio_mem_align;
	}
#endif
}

static int common_open(struct block_node *n, struct keyvals *kv, enum file_kind kind,
		       struct error *e)
{
	struct file *f = NEW(struct file);
	const char *path = keyvals_get(kv, "filename"), *aio = keyvals_get(kv, "aio");
	unsigned locking = 0;
	bool force_share = false, auto_ro = false;
	struct stat st;
	int err = keyvals_choice(kv, "locking", "auto|on|off", &locking, e);

	n->impl = f;
	f->fd = -1;
	f->waiting_end = &f->waiting;
	if (!err)
		err = keyvals_bool(kv, "force-share", &force_share, e);
	if (!err)
		err = keyvals_bool(kv, "auto-read-only", &auto_ro, e);
	if (!err && !path)
		err = error_ret(e, -EINVAL, "block driver '%s' needs filename=", n->driver->name);
	if (!err && aio && choice_find("threads|native|io_uring", aio) < 0)
		err = error_ret(e, -EINVAL, "aio=%s: threads, native or io_uring is expected", aio);
	if (!err && aio && str_eq(aio, "native") && !n->cache.direct)
		err = error_ret(e, -EINVAL,
				"aio=native was specified, but it requires cache.direct=on, which "
				"was not specified");
	if (!err) {
		f->path = xstrdup(path);
		n->readonly |= kind == KIND_CDROM;
		err = open_path(n, f, auto_ro, e);
	}
	if (!err)
		err = check_kind(n, f, kind, &st, e);
	f->lock = kind == KIND_FILE && locking != 2 && !force_share;
	f->must_lock = locking == 1;
	if (!err && f->lock && !block_inactive(n->machine))
		err = lock_image(f->fd, f->path, !n->readonly, f->must_lock, e);
	if (!err)
		err = find_size(n, f, &st, e);
	if (!err) {
		f->io = io_choose(n->machine, aio, e);
		err = f->io ? 0 : -ENOSYS;
	}
	if (!err) {
		find_alignment(n, f, &st);
		n->can_discard = true;
		return 0;
	}
	file_close(n);
	return err;
}

static int file_open(struct block_node *n, struct keyvals *kv, struct error *e)
{
	return common_open(n, kv, KIND_FILE, e);
}

static int device_open(struct block_node *n, struct keyvals *kv, struct error *e)
{
	return common_open(n, kv, KIND_DEVICE, e);
}

static int cdrom_open(struct block_node *n, struct keyvals *kv, struct error *e)
{
	return common_open(n, kv, KIND_CDROM, e);
}

int file_adopt(struct block_node *n, int fd, const char *path, struct error *e)
{
	struct file *f = NEW(struct file);

	n->impl = f;
	f->fd = fd;
	f->path = xstrdup(path);
	f->waiting_end = &f->waiting;
	f->io = io_choose(n->machine, NULL, e);
	n->can_discard = true;
	return f->io ? 0 : -ENOSYS;
}

void file_close(struct block_node *n)
{
	struct file *f = n->impl;

	if (!f)
		return;
	if (f->fd >= 0 && f->written && !n->cache.no_flush && fdatasync(f->fd) < 0)
		warn("'%s': what was written last may be lost: %s", f->path, strerror(errno));
	if (f->fd >= 0)
		close(f->fd);
	while (f->free) {
		struct file_req *q = f->free;

		f->free = q->next;
		free(q);
	}
	free(f->path);
	free(f);
	n->impl = NULL;
}

int file_reopen(struct block_node *n, bool writing, struct error *e)
{
	struct file *f = n->impl;
	bool was = n->readonly;
	int fd, err = 0;

	if (was == !writing)
		return 0;
	n->readonly = !writing;
	fd = open(f->path, open_flags(n));
	if (fd < 0) {
		n->readonly = was;
		return error_ret(e, -errno, "could not open '%s': %s", f->path, strerror(errno));
	}
	/* the two would lock each other out */
	close(f->fd);
	f->fd = fd;
	if (f->lock && !block_inactive(n->machine))
		err = lock_image(fd, f->path, writing, false, e);
	if (!err || !writing)
		return err;
	n->readonly = true;
	fd = open(f->path, open_flags(n));
	if (fd >= 0) {
		close(f->fd);
		f->fd = fd;
		if (lock_image(fd, f->path, false, false, NULL))
			warn("'%s' is read without a lock now", f->path);
	}
	return err;
}

static int file_truncate(struct block_node *n, u64 size, struct error *e)
{
	struct file *f = n->impl;

	if (f->device)
		return error_ret(e, -ENOTSUP, "a host device cannot change its size");
	if (size > INT64_MAX || ftruncate(f->fd, size) < 0)
		return error_ret(e, size > INT64_MAX ? -EFBIG : -errno,
				 "could not resize '%s' to %llu bytes: %s", f->path,
				 (unsigned long long)size, strerror(errno));
	n->size = ALIGN_UP(size, (u64)512);
	return 0;
}

static void file_plug(struct block_node *n, bool on)
{
	struct file *f = n->impl;

	if (f->io->plug)
		f->io->plug(f->io, on);
}

static int file_changed(struct block_node *n, s64 *ns)
{
	struct file *f = n->impl;
	struct stat st;

	if (f->device || fstat(f->fd, &st) < 0)
		return -ENOTSUP;
	*ns = st.st_mtim.tv_sec * 1000000000ll + st.st_mtim.tv_nsec;
	return 0;
}

static int file_activate(struct block_node *n, bool on, struct error *e)
{
	struct file *f = n->impl;
	int err = 0;

	if (on)
		return f->lock ? lock_image(f->fd, f->path, !n->readonly, f->must_lock, e) : 0;
	if (f->written && !n->cache.no_flush && fdatasync(f->fd) < 0)
		err = error_ret(e, -errno, "cannot flush '%s': %s", f->path, strerror(errno));
	if (!err && f->lock)
		unlock_image(f->fd);
	return err;
}

static const char *file_filename(struct block_node *n) { return ((struct file *)n->impl)->path; }

#define FILE_KEYS "filename|aio|locking|force-share"
BLOCK_DRIVER(file, .name = "file", .doc = "a regular file", .keys = FILE_KEYS, .protocol = true,
	     .open = file_open, .close = file_close, .submit = file_submit, .plug = file_plug,
	     .changed = file_changed, .activate = file_activate, .truncate = file_truncate,
	     .filename = file_filename);
BLOCK_DRIVER(host_device, .name = "host_device", .doc = "a block device of the host",
	     .keys = FILE_KEYS, .protocol = true, .open = device_open, .close = file_close,
	     .submit = file_submit, .plug = file_plug, .filename = file_filename);
BLOCK_DRIVER(host_cdrom, .name = "host_cdrom", .doc = "a CD-ROM drive of the host",
	     .keys = FILE_KEYS, .protocol = true, .open = cdrom_open, .close = file_close,
	     .submit = file_submit, .plug = file_plug, .filename = file_filename);
