/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pty.c - the character back end on a pseudo-terminal (pty(7)). While nobody has its other side
 * open, output is dropped, as on a line without a listener; the kernel does not tell when somebody
 * opens it, so that is looked at ten times a second.
 */
#include "core/machine.h"
#include "host/chardev.h"
#include "host/fdio.h"
#include "lib/alloc.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/timerfd.h>
#include <termios.h>
#include <unistd.h>

struct pty {
	struct chardev c;
	struct fdio io;
	int master, timer;
	char *link, *what;
	bool connected;
};

static void look(void *arg, short revents);

static void set_timer(struct pty *p, bool on)
{
	struct itimerspec t = { .it_interval.tv_nsec = on ? 100000000 : 0,
				.it_value.tv_nsec = on ? 100000000 : 0 };

	timerfd_settime(p->timer, 0, &t, NULL);
}

static bool has_peer(const struct pty *p)
{
	struct pollfd f = { .fd = p->master, .events = POLLOUT };

	return poll(&f, 1, 0) >= 0 && !(f.revents & POLLHUP);
}

static void connect_peer(struct pty *p)
{
	int own = fcntl(p->master, F_DUPFD_CLOEXEC, 3);

	if (own < 0) {
		warn("%s: %s", p->what, strerror(errno));
		return;
	}
	p->connected = true;
	set_timer(p, false);
	fdio_start(&p->io, own, own);
	chardev_event(&p->c, CHARDEV_OPENED);
}

static void look(void *arg, short revents)
{
	struct pty *p = arg;
	u64 count;

	if (read(p->timer, &count, sizeof(count)) < 0)
		return;
	if (!p->connected && has_peer(p))
		connect_peer(p);
}

static void pty_hangup(struct fdio *f)
{
	struct pty *p = container_of(f, struct pty, io);

	if (!p->connected)
		return;
	p->connected = false;
	fdio_stop(f, 0);
	chardev_event(&p->c, CHARDEV_CLOSED);
	set_timer(p, true);
}

static int pty_write(struct chardev *c, const u8 *buf, int n)
{
	struct pty *p = c->impl;

	if (!p->connected && has_peer(p))
		connect_peer(p);
	return p->connected ? fdio_write(&p->io, buf, n) : n;
}

static void pty_room(struct chardev *c) { fdio_room(&((struct pty *)c->impl)->io); }

static void pty_fini(struct chardev *c)
{
	struct pty *p = c->impl;

	if (p->connected)
		fdio_stop(&p->io, 1000);
	machine_poll_fd(c->machine, p->timer, 0, NULL, NULL);
	close(p->timer);
	close(p->master);
	if (p->link)
		unlink(p->link);
	free(p->link);
	free(p->what);
	free(p);
}

static const struct chardev_ops pty_ops = {
	.name = "pty", .write = pty_write, .room = pty_room, .fini = pty_fini
};

/* Opens a pair in raw mode and closes its other side again: has_peer then tells when somebody opens
 * that. */
static int open_pair(char *name, size_t size, struct error *e)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), other = -1, err;
	struct termios mode;

	if (master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0 &&
	    ptsname_r(master, name, size) == 0)
		other = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (other >= 0 && tcgetattr(other, &mode) == 0) {
		cfmakeraw(&mode);
		tcsetattr(other, TCSAFLUSH, &mode);
	}
	err = errno;
	if (other < 0) {
		if (master >= 0)
			close(master);
		return error_ret(e, -err, "the host gives no pseudo-terminal: %s", strerror(err));
	}
	close(other);
	fcntl(master, F_SETFL, fcntl(master, F_GETFL) | O_NONBLOCK); /* it is ours alone */
	return master;
}

static struct chardev *pty_open(struct machine *m, const char *id, struct keyvals *kv,
				struct error *e)
{
	const char *link = keyvals_get(kv, "path");
	char name[64];
	int master = open_pair(name, sizeof(name), e);
	struct pty *p;

	if (master < 0)
		return NULL;
	if (link && symlink(name, link) < 0) {
		error_set(e, "could not make link '%s' to %s: %s", link, name, strerror(errno));
		close(master);
		return NULL;
	}
	p = NEW(struct pty);
	p->master = master;
	p->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	p->link = link ? xstrdup(link) : NULL;
	p->what = xstrdup(name);
	chardev_init(&p->c, m, &pty_ops, id, p);
	fdio_init(&p->io, &p->c, m, p->what);
	p->io.hangup = pty_hangup;
	machine_poll_fd(m, p->timer, POLLIN, look, p);
	set_timer(p, true);
	/* Scripts read this line from standard output. */
	printf("char device redirected to %s (label %s)\n", name, id);
	fflush(stdout);
	return &p->c;
}

static const struct chardev_kind pty_kind = {
	"pty", "a new pseudo-terminal, whose name is printed; path: a link to it", "path", pty_open
};
CHARDEV_KIND(pty_kind);
