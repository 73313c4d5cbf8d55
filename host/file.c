/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file.c - character back ends on files and named pipes. What is written is in the file when the
 * write returns. */
#include "host/chardev.h"
#include "host/fdio.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
	struct chardev c;
	struct fdio io;
	char *path;
	int drain_ms; /* a named pipe without a reader is not waited for long */
};

static int file_write(struct chardev *c, const u8 *buf, int n)
{
	return fdio_write(&((struct file *)c->impl)->io, buf, n);
}

static void file_room(struct chardev *c) { fdio_room(&((struct file *)c->impl)->io); }

static void file_fini(struct chardev *c)
{
	struct file *f = c->impl;

	fdio_stop(&f->io, f->drain_ms);
	free(f->path);
	free(f);
}

static const struct chardev_ops file_ops = {
	.name = "file", .write = file_write, .room = file_room, .fini = file_fini
};

static struct chardev *start(struct machine *m, const char *id, const char *path, int in, int out,
			     bool shared, int drain_ms)
{
	struct file *f = NEW(struct file);

	f->path = xstrdup(path);
	f->drain_ms = drain_ms;
	chardev_init(&f->c, m, &file_ops, id, f);
	fdio_init(&f->io, &f->c, m, f->path);
	f->io.out_shared = shared;
	f->c.open = true;
	fdio_start(&f->io, in, out);
	return &f->c;
}

/* One of our own descriptors by its path, as in path=/proc/self/fd/2, or -1. */
static int own_descriptor(const char *path)
{
	const char *rest;
	u32 fd;

	if (str_eq(path, "/dev/stdin"))
		return STDIN_FILENO;
	if (str_eq(path, "/dev/stdout"))
		return STDOUT_FILENO;
	if (str_eq(path, "/dev/stderr"))
		return STDERR_FILENO;
	if (!str_prefix(path, "/proc/self/fd/", &rest) && !str_prefix(path, "/dev/fd/", &rest))
		return -1;
	return str_to_u32(rest, 10, &fd) || fd > INT32_MAX ? -1 : (int)fd;
}

static int open_path(const char *path, int flags, bool *shared, struct error *e)
{
	int own = own_descriptor(path), fd;

	*shared = false;
	/* Opened again it would be written from its start, and sockets cannot be opened. */
	if (own >= 0)
		return fd_own(own, flags & O_ACCMODE, shared, path, e);
	fd = open(path, flags | O_CLOEXEC | O_NOCTTY, 0666);
	return fd < 0 ? error_ret(e, -errno, "could not open '%s': %s", path, strerror(errno)) : fd;
}

static struct chardev *file_open(struct machine *m, const char *id, struct keyvals *kv,
				 struct error *e)
{
	const char *path = chardev_path(kv, e), *input = keyvals_get(kv, "input-path");
	bool append = false, shared, in_shared;
	int in = -1, out;

	if (!path || keyvals_bool(kv, "append", &append, e))
		return NULL;
	out = open_path(path, O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC), &shared, e);
	if (out < 0)
		return NULL;
	if (input) {
		in = open_path(input, O_RDONLY, &in_shared, e);
		if (in < 0) {
			close(out);
			return NULL;
		}
	}
	return start(m, id, path, in, out, shared, -1);
}

/* PATH.in and PATH.out when both exist, else PATH for both ways. Opening waits for nobody. */
static struct chardev *pipe_open(struct machine *m, const char *id, struct keyvals *kv,
				 struct error *e)
{
	const char *path = chardev_path(kv, e);
	int in, out;

	if (!path)
		return NULL;
	AUTO_FREE char *in_path = xasprintf("%s.in", path), *out_path = xasprintf("%s.out", path);

	in = open(in_path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	out = open(out_path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (in < 0 || out < 0) {
		if (in >= 0)
			close(in);
		if (out >= 0)
			close(out);
		in = out = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	}
	if (in < 0) {
		error_set(e, "could not open pipes '%s.in' and '%s.out' nor '%s': %s", path, path,
			  path, strerror(errno));
		return NULL;
	}
	return start(m, id, path, in, out, false, 2000);
}

static const struct chardev_kind file_kind = { "file",
					       "output to a file; input-path: input from another",
					       "path|append|input-path", file_open };
CHARDEV_KIND(file_kind);
static const struct chardev_kind pipe_kind = {
	"pipe", "a pair of named pipes PATH.in and PATH.out, or one for both ways", "path",
	pipe_open
};
CHARDEV_KIND(pipe_kind);
