/* SPDX-License-Identifier: GPL-2.0-or-later */
/* migrate_place.c - files, programs, descriptors and sockets as places of snapshots. */
#include "core/migrate_place.h"
#include "core/fds.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- URIs */

static const char *after(const char *uri, const char *scheme)
{
	const char *rest;

	return str_prefix(uri, scheme, &rest) ? rest : NULL;
}

/* "host:port", "[v6]:port"; the host may be empty. */
static int split_host(const char *rest, char **host, const char **port, struct error *e)
{
	const char *colon = strrchr(rest, ':');
	size_t n;
	u32 v;

	if (!colon || str_to_u32(colon + 1, 10, &v) || v > 65535)
		return error_ret(e, -EINVAL, "'tcp:%s': tcp:HOST:PORT is expected", rest);
	n = (size_t)(colon - rest);
	if (n > 1 && rest[0] == '[' && rest[n - 1] == ']')
		*host = xasprintf("%.*s", (int)n - 2, rest + 1);
	else
		*host = xasprintf("%.*s", (int)n, rest);
	*port = colon + 1;
	return 0;
}

static int split_file(const char *uri, char **path, u64 *offset, struct error *e)
{
	const char *name = after(uri, "file:") ? after(uri, "file:") : uri;
	const char *opt = after(uri, "file:") ? strstr(name, ",offset=") : NULL;

	*offset = 0;
	if (opt && str_to_size(opt + strlen(",offset="), 1, offset, e))
		return -EINVAL;
	if (*offset > INT64_MAX)
		return error_ret(e, -ERANGE, "'%s': offset= is too large", uri);
	*path = xasprintf("%.*s", (int)(opt ? (size_t)(opt - name) : strlen(name)), name);
	return 0;
}

bool place_is_socket(const char *uri) { return after(uri, "tcp:") || after(uri, "unix:"); }

int place_check(const char *uri, struct error *e)
{
	static const char *const missing[] = { "rdma:", "vsock:" };
	const char *rest, *port;
	AUTO_FREE char *text = NULL;
	u64 offset;

	for (unsigned i = 0; i < ARRAY_SIZE(missing); i++)
		if (after(uri, missing[i]))
			return error_ret(e, -ENOTSUP,
					 "migration over '%s' is not built yet; tcp:HOST:PORT, "
					 "unix:PATH, file:PATH, exec:COMMAND and fd:NAME are",
					 missing[i]);
	if (after(uri, "tcp:"))
		return split_host(after(uri, "tcp:"), &text, &port, e);
	rest = after(uri, "unix:");
	if (rest && strlen(rest) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return error_ret(e, -ENAMETOOLONG, "'%s': the path of a socket is too long", uri);
	if (!*uri || str_eq(uri, "file:") || str_eq(uri, "exec:") || str_eq(uri, "unix:") ||
	    str_eq(uri, "fd:"))
		return error_ret(e, -EINVAL, "'%s' names no place for a snapshot", uri);
	return place_is_socket(uri) || after(uri, "exec:") || after(uri, "fd:") ?
		       0 :
		       split_file(uri, &text, &offset, e);
}

/* ---- files, programs, descriptors */

static int open_fd(struct place *p, struct machine *m, const char *name, struct error *e)
{
	u32 fd;

	if (str_to_u32(name, 10, &fd)) {
		p->fd = fds_take(m, name, e);
		return p->fd < 0 ? p->fd : 0;
	}
	p->fd = fcntl((int)fd, F_DUPFD_CLOEXEC, 3);
	return p->fd >= 0 ? 0 :
			    error_ret(e, -errno, "descriptor %u cannot be used: %s", fd,
				      strerror(errno));
}

static int open_file(struct place *p, const char *uri, struct error *e)
{
	int err = split_file(uri, &p->path, &p->offset, e);
	struct stat st;

	if (err)
		return err;
	p->fd = open(p->path, p->write ? O_WRONLY | O_CREAT | O_CLOEXEC : O_RDONLY | O_CLOEXEC,
		     0600);
	if (p->fd < 0 || fstat(p->fd, &st) < 0 ||
	    (p->write && S_ISREG(st.st_mode) && ftruncate(p->fd, (off_t)p->offset) < 0) ||
	    (p->offset && lseek(p->fd, (off_t)p->offset, SEEK_SET) < 0))
		return error_ret(e, -errno, "cannot open snapshot '%s': %s", p->path,
				 strerror(errno));
	return 0;
}

int place_open(struct place *p, struct machine *m, const char *uri, bool write, struct error *e)
{
	const char *command = after(uri, "exec:"), *name = after(uri, "fd:");
	int err = place_check(uri, e);

	*p = (struct place){ .fd = -1, .write = write };
	if (err)
		return err;
	if (command) {
		p->pipe = popen(command, write ? "we" : "re");
		if (!p->pipe)
			return error_ret(e, -errno, "cannot run '%s': %s", command,
					 strerror(errno));
		p->fd = fileno(p->pipe);
		return 0;
	}
	err = name ? open_fd(p, m, name, e) : open_file(p, uri, e);
	if (err && p->fd >= 0)
		close(p->fd);
	if (err)
		free(p->path);
	return err;
}

int place_close(struct place *p, int err, struct error *e)
{
	int status;

	if (p->pipe) {
		status = pclose(p->pipe);
		if (!err && (status < 0 || !WIFEXITED(status) || WEXITSTATUS(status)))
			err = error_ret(e, -EIO, "the program of exec: failed");
		return err;
	}
	if (err && p->write && p->path && p->offset && ftruncate(p->fd, (off_t)p->offset) < 0)
		warn("a part of a snapshot stays in '%s'", p->path);
	if (close(p->fd) && !err && p->write)
		err = error_ret(e, -errno, "cannot write the snapshot: %s", strerror(errno));
	if (err && p->write && p->path && !p->offset)
		unlink(p->path);
	free(p->path);
	return err;
}

/* ---- sockets */

static void unix_address(const char *path, struct sockaddr_un *a)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	memcpy(a->sun_path, path, MIN(strlen(path), sizeof(a->sun_path) - 1));
}

static int resolve(const char *rest, bool passive, struct addrinfo **list, struct error *e)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = passive ? AI_PASSIVE : 0 };
	AUTO_FREE char *host = NULL;
	const char *port = NULL;
	int err = split_host(rest, &host, &port, e);

	if (err)
		return err;
	err = getaddrinfo(*host ? host : NULL, port, &hints, list);
	return err ? error_ret(e, -EHOSTUNREACH, "'tcp:%s': %s", rest, gai_strerror(err)) : 0;
}

/* Connects without a wait that nobody can end. */
static int reach(int fd, const struct sockaddr *a, socklen_t n, const bool *cancel)
{
	struct pollfd p = { fd, POLLOUT, 0 };
	socklen_t len = sizeof(int);
	int err = 0;

	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	if (connect(fd, a, n) < 0) {
		if (errno != EINPROGRESS)
			return -errno;
		while (poll(&p, 1, 50) <= 0)
			if (__atomic_load_n(cancel, __ATOMIC_RELAXED))
				return -ECANCELED;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
			err = errno;
	}
	if (!err && fcntl(fd, F_SETFL, 0) < 0)
		err = errno;
	return -err;
}

static int connect_to(const struct sockaddr *a, socklen_t n, const bool *cancel)
{
	int fd = socket(a->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err = fd < 0 ? -errno : reach(fd, a, n, cancel);

	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

int place_connect(struct place *p, const char *uri, const bool *cancel, struct error *e)
{
	const char *path = after(uri, "unix:");
	struct addrinfo *list = NULL;
	struct sockaddr_un un;
	int err = 0;

	*p = (struct place){ .fd = -ENOENT, .write = true };
	if (path) {
		unix_address(path, &un);
		p->fd = connect_to((void *)&un, sizeof(un), cancel);
	} else {
		err = resolve(after(uri, "tcp:"), false, &list, e);
		for (struct addrinfo *a = list; !err && a && p->fd < 0; a = a->ai_next)
			p->fd = connect_to(a->ai_addr, a->ai_addrlen, cancel);
		if (list)
			freeaddrinfo(list);
	}
	if (!err && p->fd < 0)
		err = error_ret(e, p->fd, "cannot connect to '%s': %s", uri, strerror(-p->fd));
	return err;
}

static int listen_at(const struct sockaddr *a, socklen_t n)
{
	int one = 1, fd = socket(a->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!bind(fd, a, n) && !listen(fd, 1))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int place_listen(const char *uri, struct error *e)
{
	const char *path = after(uri, "unix:");
	struct addrinfo *list = NULL;
	struct sockaddr_un un;
	struct stat st;
	int err = 0, fd = -ENOENT;

	if (path) {
		/* one that a process before us left behind */
		if (!lstat(path, &st) && S_ISSOCK(st.st_mode) && unlink(path) < 0)
			return error_ret(e, -errno, "cannot listen at '%s': %s", uri,
					 strerror(errno));
		unix_address(path, &un);
		fd = listen_at((void *)&un, sizeof(un));
	} else {
		err = resolve(after(uri, "tcp:"), true, &list, e);
		for (struct addrinfo *a = list; !err && a && fd < 0; a = a->ai_next)
			fd = listen_at(a->ai_addr, a->ai_addrlen);
		if (list)
			freeaddrinfo(list);
	}
	if (err)
		return err;
	return fd >= 0 ? fd : error_ret(e, fd, "cannot listen at '%s': %s", uri, strerror(-fd));
}
