/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfile.c - files for the debugger (GDB manual, E.7 Host I/O Packets): the host's files of the
 * guest's kernel and its modules, these unpacked, to be read only, and no others. */
#include "private.h"
#include "kofile.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	OPEN_MAX_ = 32,
	/* numbers of the protocol (E.13.7) */
	F_ENOENT = 2,
	F_EBADF = 9,
	F_EACCES = 13,
	F_EINVAL = 22,
	F_EMFILE = 24,
	F_EROFS = 30,
	F_WRITING = 3 | 8 | 0x200 | 0x400 /* O_WRONLY, O_RDWR, O_APPEND, O_CREAT, O_TRUNC */
};

struct gdb_file {
	bool open;
	struct gdb_symfile f; /* any file, of which only this one is ever made or patched */
};

static void fail(struct gdb_conn *c, unsigned err) { strbuf_printf(&c->reply, "F-1,%x", err); }

static struct gdb_file *slot(struct gdb_conn *c, u64 n)
{
	return c->files && n < OPEN_MAX_ && c->files[n].open ? &c->files[n] : NULL;
}

static void file_done(struct gdb_file *f)
{
	if (f->f.fd >= 0)
		close(f->f.fd);
	strbuf_fini(&f->f.made);
	f->open = false;
}

void gdb_files_close(struct gdb_conn *c)
{
	for (unsigned i = 0; i < OPEN_MAX_; i++)
		if (slot(c, i))
			file_done(slot(c, i));
	free(c->files);
	c->files = NULL;
}

static bool is_kernel(const char *path)
{
	return str_eq(path, GDB_SYMFILE) || str_eq(path, GDB_LIBFILE);
}

static bool open_slot(struct gdb_conn *c, struct gdb_file *f, const char *path)
{
	if (is_kernel(path)) {
		f->open = gdb_symfile_open(c, &f->f, str_eq(path, GDB_LIBFILE));
	} else if (kofile_packed(path)) {
		struct kofile k;

		f->f = (struct gdb_symfile){ .fd = -1 };
		f->open = kofile_read(&k, path);
		if (f->open) {
			strbuf_addn(&f->f.made, k.data, k.size);
			kofile_fini(&k);
		}
	} else {
		f->f = (struct gdb_symfile){ .fd = open(path, O_RDONLY | O_CLOEXEC) };
		f->open = f->f.fd >= 0;
	}
	return f->open;
}

/* NAME,FLAGS,MODE */
static void file_open(struct gdb_conn *c, const char *p)
{
	size_t n = strcspn(p, ",") / 2;
	AUTO_FREE char *path = xalloc(n + 1);
	u64 flags, mode;
	unsigned i;

	if (gdb_get_hex(p, path, n) || strlen(path) != n || p[2 * n] != ',') {
		fail(c, F_EINVAL);
		return;
	}
	p += 2 * n + 1;
	if (!gdb_number(&p, &flags) || !gdb_word(&p, ",") || !gdb_number(&p, &mode)) {
		fail(c, F_EINVAL);
		return;
	}
	if (flags & F_WRITING) {
		fail(c, F_EROFS);
		return;
	}
	if (!is_kernel(path) && !gdb_file_known(c->g, path)) {
		fail(c, F_ENOENT);
		return;
	}
	if (!c->files)
		c->files = xcalloc(OPEN_MAX_, sizeof(*c->files));
	for (i = 0; i < OPEN_MAX_ && slot(c, i); i++)
		;
	if (i == OPEN_MAX_)
		fail(c, F_EMFILE);
	else if (!open_slot(c, &c->files[i], path))
		fail(c, F_EACCES);
	else
		strbuf_printf(&c->reply, "F%x", i);
}

static void put_patches(const struct gdb_symfile *f, u8 *buf, u64 at, size_t n)
{
	for (unsigned i = 0; i < f->npatches; i++)
		for (unsigned j = 0; j < 4; j++) {
			u64 where = f->patch[i].at + j;

			if (where >= at && where - at < n)
				buf[where - at] = f->patch[i].value >> 8 * j;
		}
}

/* FD,COUNT,OFFSET */
static void file_pread(struct gdb_conn *c, const char *p)
{
	enum { MOST = (GDB_PACKET_MAX - 64) / 2 };
	struct gdb_file *f;
	u64 n, count, at;
	ssize_t got;

	if (!gdb_number(&p, &n) || !gdb_word(&p, ",") || !gdb_number(&p, &count) ||
	    !gdb_word(&p, ",") || !gdb_number(&p, &at) || at > INT64_MAX) {
		fail(c, F_EINVAL);
		return;
	}
	f = slot(c, n);
	if (!f) {
		fail(c, F_EBADF);
		return;
	}
	if (f->f.fd < 0) {
		const struct strbuf *made = &f->f.made;

		got = at < made->n ? MIN(count, MIN(made->n - at, (u64)MOST)) : 0;
		strbuf_printf(&c->reply, "F%zx;", (size_t)got);
		gdb_put_binary(&c->reply, made->at + (got ? at : 0), got);
		return;
	}
	count = MIN(count, (u64)MOST);
	AUTO_FREE u8 *buf = xalloc(count + 1);

	got = pread(f->f.fd, buf, count, at);
	if (got < 0) {
		fail(c, F_EINVAL);
		return;
	}
	put_patches(&f->f, buf, at, got);
	strbuf_printf(&c->reply, "F%zx;", (size_t)got);
	gdb_put_binary(&c->reply, buf, got);
}

/* struct stat of the protocol, E.13.9.4: big-endian, without gaps. */
static void put_stat(struct gdb_conn *c, const struct stat *st)
{
	u8 b[64] = { 0 };

	st32be(b + 0, st->st_dev);
	st32be(b + 4, st->st_ino);
	st32be(b + 8, 0100000 | (st->st_mode & 0777));
	st32be(b + 12, st->st_nlink);
	st64be(b + 28, st->st_size);
	st64be(b + 36, 4096);
	st64be(b + 44, st->st_blocks);
	st32be(b + 52, st->st_atime);
	st32be(b + 56, st->st_mtime);
	st32be(b + 60, st->st_ctime);
	strbuf_printf(&c->reply, "F%zx;", sizeof(b));
	gdb_put_binary(&c->reply, b, sizeof(b));
}

static void file_fstat(struct gdb_conn *c, const char *p)
{
	struct stat st = { .st_mode = 0444, .st_nlink = 1 };
	struct gdb_file *f;
	u64 n;

	f = gdb_number(&p, &n) ? slot(c, n) : NULL;
	if (f && f->f.fd < 0)
		st.st_size = f->f.made.n;
	if (!f || (f->f.fd >= 0 && fstat(f->f.fd, &st)))
		fail(c, F_EBADF);
	else
		put_stat(c, &st);
}

static void file_close(struct gdb_conn *c, const char *p)
{
	u64 n;

	if (!gdb_number(&p, &n) || !slot(c, n)) {
		fail(c, F_EBADF);
		return;
	}
	file_done(slot(c, n));
	strbuf_add(&c->reply, "F0");
}

PACKET_HANDLER(gdb_vfile)
{
	if (gdb_word(&p, "open:"))
		file_open(c, p);
	else if (gdb_word(&p, "pread:"))
		file_pread(c, p);
	else if (gdb_word(&p, "fstat:"))
		file_fstat(c, p);
	else if (gdb_word(&p, "close:"))
		file_close(c, p);
	else if (gdb_word(&p, "setfs:"))
		strbuf_add(&c->reply, "F0"); /* there is one file system */
	else if (gdb_word(&p, "readlink:"))
		fail(c, F_EINVAL); /* nothing that is given out is a link */
	else if (gdb_word(&p, "pwrite:") || gdb_word(&p, "unlink:"))
		fail(c, F_EROFS);
}
