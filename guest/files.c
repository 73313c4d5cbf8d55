/* SPDX-License-Identifier: GPL-2.0-or-later */
/* files.c - the open files of a process with their names, as /proc/PID/fd shows them: a path is put
 * together from directory entries, up through the mount points (fs/d_path.c's way). */
#include "guest/linux.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

enum { FDS = 1 << 20, DEPTH = 256, PATH = 4096 };

/* Puts "/name" before what buf ends with. */
static bool prepend(char *buf, size_t *at, const char *name)
{
	size_t n = strlen(name);

	if (*at < n + 1)
		return false;
	*at -= n;
	memcpy(buf + *at, name, n);
	buf[--*at] = '/';
	return true;
}

/* A file of no directory: "pipe:[INODE]", "socket:[INODE]", "anon_inode:[KIND]". */
static bool nameless(struct linux_os *l, u64 dentry, char *buf, size_t size)
{
	char kind[32], name[64] = "";
	u64 sb, type, at, inode, ino = 0;

	if (linux_get(l, dentry, "dentry.d_sb", &sb) ||
	    linux_get(l, sb, "super_block.s_type", &type) ||
	    linux_get(l, type, "file_system_type.name", &at) ||
	    kmem_text(&l->mem, at, kind, sizeof(kind)))
		return false;
	if (!linux_get(l, dentry, "dentry.d_inode", &inode) &&
	    linux_get(l, inode, "inode.i_ino", &ino))
		ino = 0;
	if (str_eq(kind, "pipefs"))
		snprintf(buf, size, "pipe:[%llu]", (unsigned long long)ino);
	else if (str_eq(kind, "sockfs"))
		snprintf(buf, size, "socket:[%llu]", (unsigned long long)ino);
	else if (str_eq(kind, "anon_inodefs") && !linux_get(l, dentry, "dentry.d_name.name", &at) &&
		 !kmem_text(&l->mem, at, name, sizeof(name)))
		snprintf(buf, size, "anon_inode:%s", name);
	else
		return false;
	return true;
}

/* Up one step: to the parent, or from a mount's root to where it is mounted. False at the top. */
static bool up(struct linux_os *l, u64 *dentry, u64 *mnt)
{
	u64 root, off, mount, parent, above;

	if (linux_get(l, *mnt, "vfsmount.mnt_root", &root) || linux_offset(l, "mount.mnt", &off))
		return false;
	while (*dentry == root) {
		mount = *mnt - off;
		if (linux_get(l, mount, "mount.mnt_parent", &parent) || parent == mount ||
		    linux_get(l, mount, "mount.mnt_mountpoint", &above))
			return false;
		*mnt = parent + off;
		*dentry = above;
		if (linux_get(l, *mnt, "vfsmount.mnt_root", &root))
			return false;
	}
	return true;
}

static bool path_of(struct linux_os *l, u64 file, char *buf, size_t size)
{
	size_t at = size - 1;
	u64 dentry, mnt;

	if (linux_get(l, file, "file.f_path.dentry", &dentry) ||
	    linux_get(l, file, "file.f_path.mnt", &mnt))
		return false;
	if (nameless(l, dentry, buf, size))
		return true;
	buf[at] = 0;
	for (unsigned n = 0; n < DEPTH && up(l, &dentry, &mnt); n++) {
		char name[256];
		u64 text;

		if (linux_get(l, dentry, "dentry.d_name.name", &text) ||
		    kmem_text(&l->mem, text, name, sizeof(name)) || !prepend(buf, &at, name) ||
		    linux_get(l, dentry, "dentry.d_parent", &dentry))
			return false;
	}
	if (!buf[at])
		buf[--at] = '/';
	memmove(buf, buf + at, size - at);
	return true;
}

int linux_files(struct linux_os *l, const struct os_task *t,
		void (*fn)(void *arg, unsigned fd, const char *path), void *arg)
{
	u64 files, table, n, fds, file;
	char *path;
	int err = linux_get(l, t->handle, "task_struct.files", &files);

	if (err || !files)
		return err;
	err = linux_get(l, files, "files_struct.fdt", &table);
	if (!err)
		err = linux_get(l, table, "fdtable.max_fds", &n);
	if (!err)
		err = linux_get(l, table, "fdtable.fd", &fds);
	if (err)
		return err;
	path = xalloc(PATH);
	for (u64 i = 0; i < MIN(n, (u64)FDS); i++) {
		if (kmem_u64(&l->mem, fds + 8 * i, &file))
			break;
		/* the lowest bits have been flags at times */
		if (file & ~7ull)
			fn(arg, i, path_of(l, file & ~7ull, path, PATH) ? path : "?");
	}
	free(path);
	return 0;
}
