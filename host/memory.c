/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory.c - guest RAM by -object: memory-backend-ram, memory-backend-file and
 * memory-backend-memfd. What is shared in a file can be mapped and read by tools while the guest
 * runs. */
#include "core/memory_backend.h"
#include "core/user_object.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/keyval.h"
#include "lib/str.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { PAGE = 4096 };

struct backend {
	struct memory_backend b;
	char *id;
	bool discard; /* the file's content when the object goes */
};

/* ---- keys that all have */

#define COMMON "size|share|align|prealloc|prealloc-threads|merge|dump|reserve|policy|host-nodes"

static int host_placement(struct keyvals *kv, struct error *e)
{
	unsigned policy = 0;
	u64 threads = 1;
	bool reserve = true, canonical;
	int err = keyvals_choice(kv, "policy", "default|preferred|bind|interleave", &policy, e);

	if (!err)
		err = keyvals_u64(kv, "prealloc-threads", 1, 1024, &threads, e);
	if (!err)
		err = keyvals_bool(kv, "reserve", &reserve, e);
	if (!err)
		err = keyvals_bool(kv, "x-use-canonical-path-for-ramblock-id", &canonical, e);
	if (err)
		return err;
	if (policy || keyvals_get(kv, "host-nodes"))
		return error_ret(e, -ENOTSUP,
				 "policy and host-nodes: choosing nodes of the host is not built "
				 "yet; numactl does it for the whole program");
	if (threads > 1)
		warn("prealloc-threads=%llu has no effect: one thread touches the memory",
		     (unsigned long long)threads);
	if (!reserve)
		warn("reserve=off has no effect: the host decides whether it counts memory that is "
		     "not used yet");
	return 0;
}

static int common_keys(struct backend *k, struct keyvals *kv, struct error *e)
{
	bool dump = true;
	int err;

	if (!keyvals_get(kv, "size"))
		return error_ret(e, -EINVAL, "parameter 'size' is missing");
	err = keyvals_size(kv, "size", 1, &k->b.size, e);
	if (!err)
		err = keyvals_bool(kv, "share", &k->b.share, e);
	if (!err)
		err = keyvals_size(kv, "align", 1, &k->b.align, e);
	if (!err)
		err = keyvals_bool(kv, "prealloc", &k->b.prealloc, e);
	if (!err)
		err = keyvals_bool(kv, "merge", &k->b.merge, e);
	if (!err)
		err = keyvals_bool(kv, "dump", &dump, e);
	if (!err)
		err = host_placement(kv, e);
	k->b.no_core_dump = !dump;
	if (err)
		return err;
	if (!k->b.size || k->b.size % PAGE || k->b.size > 1ull << 50)
		return error_ret(e, -EINVAL,
				 "size %llu: memory comes in whole pages of 4 KiB, at least one",
				 (unsigned long long)k->b.size);
	if (k->b.align & (k->b.align - 1) || k->b.align > 1ull << 40)
		return error_ret(e, -EINVAL, "align %llu is not a power of two",
				 (unsigned long long)k->b.align);
	return 0;
}

static struct backend *backend_new(const char *id)
{
	struct backend *k = NEW(struct backend);

	k->id = xstrdup(id);
	k->b.id = k->id;
	k->b.fd = -1;
	return k;
}

static void backend_free(void *object)
{
	struct backend *k = container_of((struct memory_backend *)object, struct backend, b);

	if (k->discard && fallocate(k->b.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				    k->b.offset, k->b.size) < 0)
		warn("memory backend '%s': discard-data=on: %s", k->id, strerror(errno));
	if (k->b.fd >= 0)
		close(k->b.fd);
	free(k->id);
	free(k);
}

/* Mappings of huge pages start and end at their size. */
static int take_page_size(struct backend *k, const char *what, struct error *e)
{
	struct statfs fs;

	if (fstatfs(k->b.fd, &fs) < 0 || fs.f_type != HUGETLBFS_MAGIC)
		return 0;
	k->b.align = MAX(k->b.align, (u64)fs.f_bsize);
	if (k->b.size % fs.f_bsize || k->b.offset % fs.f_bsize)
		return error_ret(e, -EINVAL,
				 "%s has pages of %llu KiB: size and offset must be multiples of "
				 "that",
				 what, (unsigned long long)fs.f_bsize >> 10);
	return 0;
}

static void *made(struct backend *k, struct keyvals *kv, const char *keys, int err, struct error *e)
{
	if (!err)
		err = keyvals_all_used(kv, keys, e);
	if (!err)
		return &k->b;
	k->discard = false;
	backend_free(&k->b);
	return NULL;
}

/* ---- anonymous */

static void *ram_make(struct machine *m, const char *id, struct keyvals *kv, struct error *e)
{
	struct backend *k = backend_new(id);

	return made(k, kv, COMMON, common_keys(k, kv, e), e);
}

static const struct object_kind ram_kind = {
	.name = "memory-backend-ram",
	.doc = "guest memory of its own",
	.keys = "size, share, align, prealloc, merge, dump",
	.make = ram_make,
	.free = backend_free,
};
OBJECT_KIND(ram_kind);

/* ---- memfd */

static int memfd_flags(const struct backend *k, struct keyvals *kv, unsigned *flags,
		       struct error *e)
{
	bool seal = true, huge = false;
	u64 page = 0;
	int err = keyvals_bool(kv, "seal", &seal, e);

	if (!err)
		err = keyvals_bool(kv, "hugetlb", &huge, e);
	if (!err)
		err = keyvals_size(kv, "hugetlbsize", 1, &page, e);
	if (err)
		return err;
	if (page & (page - 1) || (page && page < PAGE))
		return error_ret(e, -EINVAL, "hugetlbsize %llu is not the size of a page",
				 (unsigned long long)page);
	if (page && k->b.size % page)
		return error_ret(e, -EINVAL, "size %llu is not a multiple of hugetlbsize %llu",
				 (unsigned long long)k->b.size, (unsigned long long)page);
	*flags = MFD_CLOEXEC | (seal ? MFD_ALLOW_SEALING : 0) | (huge ? MFD_HUGETLB : 0);
	if (huge && page)
		*flags |= (unsigned)__builtin_ctzll(page) << MFD_HUGE_SHIFT;
	else if (page)
		return error_ret(e, -EINVAL, "hugetlbsize needs hugetlb=on");
	return 0;
}

static int memfd_open(struct backend *k, unsigned flags, struct error *e)
{
	int err;

	k->b.fd = memfd_create(k->id, flags);
	if (k->b.fd < 0 || ftruncate(k->b.fd, k->b.size) < 0) {
		err = errno;
		return error_ret(e, -err, "could not make a memfd of %llu bytes: %s",
				 (unsigned long long)k->b.size, strerror(err));
	}
	if (flags & MFD_ALLOW_SEALING)
		fcntl(k->b.fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
	return take_page_size(k, "the memfd", e);
}

static void *memfd_make(struct machine *m, const char *id, struct keyvals *kv, struct error *e)
{
	struct backend *k = backend_new(id);
	unsigned flags = 0;
	int err;

	k->b.share = true;
	err = common_keys(k, kv, e);
	if (!err)
		err = memfd_flags(k, kv, &flags, e);
	if (!err)
		err = memfd_open(k, flags, e);
	return made(k, kv, COMMON "|seal|hugetlb|hugetlbsize", err, e);
}

static const struct object_kind memfd_kind = {
	.name = "memory-backend-memfd",
	.doc = "guest memory that other processes can map: /proc/PID/fd",
	.keys = "size, share, seal, hugetlb, hugetlbsize, align, prealloc, merge, dump",
	.make = memfd_make,
	.free = backend_free,
};
OBJECT_KIND(memfd_kind);

/* ---- file */

static int failed(struct error *e, const char *path, int err)
{
	return error_ret(e, -err, "memory file '%s': %s", path, strerror(err));
}

/* A directory stands for a file in it without a name. */
static int open_in(const char *dir, struct error *e)
{
	AUTO_FREE char *path = xasprintf("%s/quern-memory-XXXXXX", dir);
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0)
		return failed(e, dir, errno);
	unlink(path);
	return fd;
}

/* *made: the file is new. */
static int open_path(const char *path, bool readonly, bool *made, struct error *e)
{
	struct stat st;
	int fd;

	*made = false;
	if (!stat(path, &st) && S_ISDIR(st.st_mode) && !readonly) {
		*made = true;
		return open_in(path, e);
	}
	fd = open(path, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && !readonly) {
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		*made = fd >= 0;
	}
	return fd < 0 ? failed(e, path, errno) : fd;
}

static int file_open(struct backend *k, const char *path, bool readonly, struct error *e)
{
	struct stat st;
	bool new;
	u64 need = 0;
	int err;

	if (add_overflow(k->b.offset, k->b.size, &need) || need > (u64)INT64_MAX)
		return error_ret(e, -EINVAL, "offset and size are too large together");
	k->b.fd = open_path(path, readonly, &new, e);
	if (k->b.fd < 0)
		return k->b.fd;
	if (fstat(k->b.fd, &st) < 0)
		return failed(e, path, errno);
	if (S_ISREG(st.st_mode) && st.st_size && (u64)st.st_size < need)
		return error_ret(e, -EINVAL,
				 "memory file '%s' has %llu bytes; the guest's memory needs %llu "
				 "of "
				 "it",
				 path, (unsigned long long)st.st_size, (unsigned long long)need);
	if (S_ISREG(st.st_mode) && !st.st_size && readonly)
		return error_ret(e, -EINVAL, "memory file '%s' is empty", path);
	err = take_page_size(k, path, e);
	if (!err && S_ISREG(st.st_mode) && !st.st_size && ftruncate(k->b.fd, need) < 0)
		err = failed(e, path, errno);
	if (err && new)
		unlink(path);
	return err;
}

/* readonly: the file is; rom (as readonly unless said): the memory is. */
static int file_keys(struct backend *k, struct keyvals *kv, bool *readonly, struct error *e)
{
	unsigned rom = 0;
	bool pmem = false;
	int err = keyvals_bool(kv, "readonly", readonly, e);

	if (!err)
		err = keyvals_choice(kv, "rom", "auto|on|off", &rom, e);
	if (!err)
		err = keyvals_bool(kv, "discard-data", &k->discard, e);
	if (!err)
		err = keyvals_size(kv, "offset", 1, &k->b.offset, e);
	if (!err)
		err = keyvals_bool(kv, "pmem", &pmem, e);
	k->b.rom = rom ? rom == 1 : *readonly;
	if (err)
		return err;
	if (pmem)
		return error_ret(e, -ENOTSUP, "pmem=on: persistent memory is not built yet");
	if (k->b.offset % PAGE)
		return error_ret(e, -EINVAL, "offset %llu is not a multiple of 4 KiB",
				 (unsigned long long)k->b.offset);
	if (*readonly && k->b.share && !k->b.rom)
		return error_ret(e, -EINVAL,
				 "share=on with readonly=on and rom=off: writes to the memory have "
				 "nowhere to go");
	if (*readonly && k->discard)
		return error_ret(e, -EINVAL,
				 "discard-data=on cannot change a file that is "
				 "readonly");
	return 0;
}

static void *file_make(struct machine *m, const char *id, struct keyvals *kv, struct error *e)
{
	const char *path = keyvals_get(kv, "mem-path");
	struct backend *k = backend_new(id);
	bool readonly = false;
	int err = common_keys(k, kv, e);

	if (!err && (!path || !*path))
		err = error_ret(e, -EINVAL, "parameter 'mem-path' is missing");
	if (!err)
		err = file_keys(k, kv, &readonly, e);
	if (!err)
		err = file_open(k, path, readonly, e);
	return made(k, kv, COMMON "|mem-path|discard-data|readonly|rom|offset|pmem", err, e);
}

static const struct object_kind file_kind = {
	.name = "memory-backend-file",
	.doc = "guest memory in a file, that others can map",
	.keys = "mem-path, size, share, offset, readonly, rom, discard-data, align, prealloc, "
		"merge, "
		"dump",
	.make = file_make,
	.free = backend_free,
};
OBJECT_KIND(file_kind);
