/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fds.c - named descriptors, and the commands by which they come and go. */
#include "core/fds.h"
#include "core/chardev.h"
#include "core/command.h"
#include "core/private.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <ctype.h>
#include <errno.h>
#include <unistd.h>

struct named_fd {
	char *name;
	int fd;
	struct list link;
};

void fds_init(struct machine *m) { list_init(&m->priv->fds); }

static struct named_fd *find(struct machine *m, const char *name)
{
	struct named_fd *f;

	list_for_each (f, &m->priv->fds, link)
		if (str_eq(f->name, name))
			return f;
	return NULL;
}

static int release(struct named_fd *f)
{
	int fd = f->fd;

	list_del(&f->link);
	free(f->name);
	free(f);
	return fd;
}

void fds_put(struct machine *m, const char *name, int fd)
{
	struct named_fd *f = find(m, name);

	if (f)
		close(release(f));
	f = NEW(struct named_fd);
	f->name = xstrdup(name);
	f->fd = fd;
	list_add_tail(&m->priv->fds, &f->link);
}

int fds_take(struct machine *m, const char *name, struct error *e)
{
	struct named_fd *f = find(m, name);

	if (!f)
		return error_ret(e, -ENOENT, "file descriptor named '%s' not found", name);
	return release(f);
}

void fds_fini(struct machine *m)
{
	while (!list_empty(&m->priv->fds))
		close(release(list_entry(m->priv->fds.next, struct named_fd, link)));
}

/* ---- commands */

static const char *name_of(const struct command_call *c)
{
	return json_string_value(json_object_get(c->args, "fdname"));
}

static int getfd(struct command_call *c, struct error *e)
{
	const char *name = name_of(c);
	int fd = c->s->from ? chardev_take_fd(c->s->from) : -1;

	if (fd < 0)
		return error_ret(e, -EINVAL, "no file descriptor supplied via SCM_RIGHTS");
	if (!*name || isdigit((unsigned char)*name)) {
		close(fd);
		return error_ret(e, -EINVAL,
				 "parameter 'fdname' expects a name not starting with a digit");
	}
	fds_put(c->m, name, fd);
	return 0;
}

static int closefd(struct command_call *c, struct error *e)
{
	int fd = fds_take(c->m, name_of(c), e);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static const struct command_arg args[] = { { "fdname", ARG_STRING, false, 0 }, {} };
COMMAND(getfd, .hmp = "getfd", .qmp = "getfd", .args = args, .run = getfd,
	.doc = "name the descriptor that came with this command over a UNIX socket");
COMMAND(closefd, .hmp = "closefd", .qmp = "closefd", .args = args, .run = closefd,
	.doc = "close a descriptor that getfd has named");
