/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chardev.c - character devices: attaching front ends, passing bytes both ways, log files, the
 * registry, and the null back end. */
#include "core/chardev.h"
#include "core/private.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void chardev_pass_fd(struct chardev *c, int fd)
{
	if (c->passed_fd >= 0)
		close(c->passed_fd);
	c->passed_fd = fd;
}

int chardev_take_fd(struct chardev *c)
{
	int fd = c->passed_fd;

	c->passed_fd = -1;
	return fd;
}

void chardev_init(struct chardev *c, struct machine *m, const struct chardev_ops *ops,
		  const char *id, void *impl)
{
	memset(c, 0, sizeof(*c));
	c->ops = ops;
	c->id = xstrdup(id ? id : "");
	c->machine = m;
	c->logfd = -1;
	c->passed_fd = -1;
	c->impl = impl;
	list_add_tail(&m->priv->chardevs, &c->link);
}

void chardev_free(struct chardev *c)
{
	if (!c)
		return;
	list_del(&c->link);
	if (c->logfd >= 0)
		close(c->logfd);
	chardev_pass_fd(c, -1);
	free((char *)c->id);
	c->id = NULL;
	c->ops->fini(c);
}

struct chardev *chardev_find(struct machine *m, const char *id)
{
	struct chardev *c;

	list_for_each (c, &m->priv->chardevs, link) {
		if (*c->id && str_eq(c->id, id))
			return c;
	}
	return NULL;
}

void chardev_each(struct machine *m, void (*fn)(void *arg, struct chardev *c), void *arg)
{
	struct chardev *c;

	list_for_each (c, &m->priv->chardevs, link)
		fn(arg, c);
}

struct chardev *chardev_claim(struct machine *m, const char *id, struct error *e)
{
	struct chardev *c = chardev_find(m, id);

	if (!c) {
		error_set(e, "there is no chardev '%s'", id);
		return NULL;
	}
	if (c->ops->front) {
		struct chardev *front = c->ops->front(c);

		if (!front)
			error_set(e, "chardev '%s' has no room for a further front end", id);
		return front;
	}
	if (c->use || c->claimed) {
		error_set(e, "chardev '%s' is in use; mux=on lets several share it", id);
		return NULL;
	}
	c->claimed = true;
	return c;
}

bool chardev_peers(struct chardev *c, void (*fn)(void *arg, struct chardev *peer), void *arg)
{
	if (!c->ops->peers)
		return false;
	c->ops->peers(c, fn, arg);
	return true;
}

int chardev_log(struct chardev *c, const char *path, bool append, struct error *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC), 0666);

	if (fd < 0)
		return error_ret(e, -errno, "could not open log file '%s': %s", path,
				 strerror(errno));
	if (c->logfd >= 0)
		close(c->logfd);
	c->logfd = fd;
	return 0;
}

/* ---- front ends */

void chardev_attach(struct chardev *c, void *dev, const struct chardev_user *u)
{
	if (!c)
		return;
	c->user = u ? dev : NULL;
	c->use = u;
	if (!u)
		return;
	if (c->open && u->event)
		u->event(dev, CHARDEV_OPENED);
	chardev_room(c);
}

static void log_output(struct chardev *c, const u8 *buf, int n)
{
	while (n > 0) {
		ssize_t done = write(c->logfd, buf, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			warn("cannot write the log file of chardev '%s': %s; it ends here", c->id,
			     strerror(errno));
			close(c->logfd);
			c->logfd = -1;
			return;
		}
		buf += done;
		n -= done;
	}
}

int chardev_write(struct chardev *c, const u8 *buf, int n)
{
	int taken = n;

	if (!c || n <= 0)
		return n;
	if (c->ops->write)
		taken = c->ops->write(c, buf, n);
	if (c->logfd >= 0 && taken > 0)
		log_output(c, buf, taken);
	return taken;
}

void chardev_room(struct chardev *c)
{
	if (c && c->ops->room)
		c->ops->room(c);
}

/* ---- back ends */

int chardev_can_receive(struct chardev *c)
{
	return c->use && c->use->receive ? (c->use->room ? MAX(c->use->room(c->user), 0) : 4096) :
					   0;
}

void chardev_receive(struct chardev *c, const u8 *buf, int n)
{
	if (c->use && c->use->receive && n > 0)
		c->use->receive(c->user, buf, n);
}

void chardev_event(struct chardev *c, int event)
{
	if (event == CHARDEV_OPENED)
		c->open = true;
	else if (event == CHARDEV_CLOSED)
		c->open = false;
	if (c->use && c->use->event)
		c->use->event(c->user, event);
}

/* ---- null: takes everything, gives nothing */

static void null_fini(struct chardev *c) { free(c); }

static const struct chardev_ops null_ops = { .name = "null", .fini = null_fini };

struct chardev *chardev_null(struct machine *m, const char *id)
{
	struct chardev *c = NEW(struct chardev);

	chardev_init(c, m, &null_ops, id, NULL);
	c->open = true;
	return c;
}
