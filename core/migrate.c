/* SPDX-License-Identifier: GPL-2.0-or-later */
/* migrate.c - where snapshots go to and come from. */
#include "core/migrate.h"
#include "core/private.h"
#include "core/snapshot.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* An open end of a stream. */
struct place {
	int fd;
	FILE *pipe;	  /* of exec: */
	const char *path; /* of a file */
};

static const char *after(const char *uri, const char *scheme)
{
	size_t n = strlen(scheme);

	return strncmp(uri, scheme, n) ? NULL : uri + n;
}

int migrate_check(const char *uri, struct error *e)
{
	static const char *const missing[] = { "tcp:", "unix:", "rdma:", "vsock:" };
	u32 fd;

	for (unsigned i = 0; i < ARRAY_SIZE(missing); i++)
		if (after(uri, missing[i]))
			return error_ret(e, -ENOTSUP,
					 "migration over '%s' is not built yet; file:PATH, "
					 "exec:COMMAND and fd:NUMBER are",
					 missing[i]);
	if (after(uri, "fd:") && str_to_u32(after(uri, "fd:"), 10, &fd))
		return error_ret(e, -EINVAL, "'%s': fd: takes the number of an open descriptor",
				 uri);
	if (!*uri || str_eq(uri, "file:") || str_eq(uri, "exec:"))
		return error_ret(e, -EINVAL, "'%s' names no place for a snapshot", uri);
	return 0;
}

static int place_open(struct place *p, const char *uri, bool write, struct error *e)
{
	const char *command = after(uri, "exec:"), *number = after(uri, "fd:");
	u32 fd;
	int err = migrate_check(uri, e);

	if (err)
		return err;
	*p = (struct place){ .fd = -1 };
	if (command) {
		p->pipe = popen(command, write ? "we" : "re");
		if (!p->pipe)
			return error_ret(e, -errno, "cannot run '%s': %s", command,
					 strerror(errno));
		p->fd = fileno(p->pipe);
		return 0;
	}
	if (number && !str_to_u32(number, 10, &fd)) {
		p->fd = fcntl((int)fd, F_DUPFD_CLOEXEC, 3);
		return p->fd >= 0 ? 0 :
				    error_ret(e, -errno, "descriptor %u cannot be used: %s", fd,
					      strerror(errno));
	}
	p->path = after(uri, "file:") ? after(uri, "file:") : uri;
	p->fd = open(p->path,
		     write ? O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC : O_RDONLY | O_CLOEXEC, 0600);
	return p->fd >= 0 ? 0 :
			    error_ret(e, -errno, "cannot open snapshot '%s': %s", p->path,
				      strerror(errno));
}

/* err: how it went so far; what closing tells is added to it. */
static int place_close(struct place *p, const char *uri, bool write, int err, struct error *e)
{
	int status;

	if (p->pipe) {
		status = pclose(p->pipe);
		if (!err && (status < 0 || !WIFEXITED(status) || WEXITSTATUS(status)))
			err = error_ret(e, -EIO, "'%s' failed", uri);
		return err;
	}
	if (close(p->fd) && !err && write)
		err = error_ret(e, -errno, "cannot write snapshot '%s': %s", uri, strerror(errno));
	if (err && write && p->path)
		unlink(p->path);
	return err;
}

const char *migrate_status(struct machine *m) { return m->priv->migrate_status; }

int migrate_save(struct machine *m, const char *uri, bool go_on, struct error *e)
{
	bool ran = m->state == RUN_RUNNING;
	struct place p;
	int err = place_open(&p, uri, true, e);

	if (err)
		return err;
	if (ran)
		machine_stop(m, RUN_PAUSED);
	err = snapshot_save(m, p.fd, e);
	err = place_close(&p, uri, true, err, e);
	m->priv->migrate_status = err ? "failed" : "completed";
	if (ran && (go_on || err))
		machine_cont(m);
	return err;
}

int migrate_load(struct machine *m, const char *uri, bool run, struct error *e)
{
	struct place p;
	int err = place_open(&p, uri, false, e);

	if (err)
		return err;
	machine_stop(m, RUN_PAUSED);
	machine_reset(m);
	err = snapshot_load(m, p.fd, e);
	err = place_close(&p, uri, false, err, e);
	if (err)
		machine_reset(m);
	else if (run)
		machine_cont(m);
	return err;
}
