/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lock.c - open-file-description locks on single bytes of an image, the same ones that QEMU takes,
 * so that the two see each other: byte 100 + p is locked by who uses permission p, byte 200 + p by
 * who lets nobody else use it. All locks are shared ones; a conflict shows when the opposite byte
 * could not be locked exclusively.
 */
#include "block/lock.h"
#include "lib/error.h"
#include <errno.h>
#include <fcntl.h>

enum { USES = 100, KEEPS = 200, READ = 0, WRITE = 1, RESIZE = 3, PERMS = 4 };
static const char *const perm_name[PERMS] = { "consistent read", "write", "", "resize" };

static int take(int fd, unsigned byte)
{
	struct flock l = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

	return fcntl(fd, F_OFD_SETLK, &l) < 0 ? -errno : 0;
}

static bool taken(int fd, unsigned byte)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

	return fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

void unlock_image(int fd)
{
	struct flock l = { .l_type = F_UNLCK,
			   .l_whence = SEEK_SET,
			   .l_start = USES,
			   .l_len = KEEPS + PERMS - USES };

	/* of an open file this cannot fail */
	fcntl(fd, F_OFD_SETLK, &l);
}

int lock_image(int fd, const char *path, bool writes, bool must, struct error *e)
{
	u32 uses = BIT(READ) | (writes ? BIT(WRITE) | BIT(RESIZE) : 0),
	    keeps = BIT(WRITE) | BIT(RESIZE);
	int err = 0;

	for (unsigned p = 0; p < PERMS && !err; p++) {
		if (uses & BIT(p))
			err = take(fd, USES + p);
		if (!err && (keeps & BIT(p)))
			err = take(fd, KEEPS + p);
	}
	if (err == -EAGAIN || err == -EACCES)
		return error_ret(e, -EAGAIN,
				 "failed to lock '%s': is another process using the image?", path);
	if (err)
		return must ? error_ret(e, err,
					"locking=on: '%s' is where files cannot be locked: %s",
					path, strerror(-err)) :
			      0;
	for (unsigned p = 0; p < PERMS; p++) {
		if (((uses & BIT(p)) && taken(fd, KEEPS + p)) ||
		    ((keeps & BIT(p)) && taken(fd, USES + p)))
			return error_ret(e, -EAGAIN,
					 "failed to get \"%s\" lock: is another process using "
					 "the image [%s]?",
					 perm_name[p], path);
	}
	return 0;
}
