/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tty.c - the character back end on a serial line or another terminal of the host (termios(3)):
 * raw, 8 data bits, its speed kept. */
#include "host/chardev.h"
#include "host/fdio.h"
#include "host/terminal.h"
#include "lib/alloc.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

struct tty {
	struct chardev c;
	struct fdio io;
	int terminal;
	char *path;
};

static int tty_write(struct chardev *c, const u8 *buf, int n)
{
	return fdio_write(&((struct tty *)c->impl)->io, buf, n);
}

static void tty_room(struct chardev *c) { fdio_room(&((struct tty *)c->impl)->io); }

static void tty_set_break(struct chardev *c) { tcsendbreak(((struct tty *)c->impl)->io.out, 0); }

static void tty_fini(struct chardev *c)
{
	struct tty *t = c->impl;

	fdio_stop(&t->io, 2000);
	terminal_release(t->terminal);
	free(t->path);
	free(t);
}

static const struct chardev_ops tty_ops = { .name = "serial",
					    .write = tty_write,
					    .room = tty_room,
					    .fini = tty_fini,
					    .set_break = tty_set_break };

/* What is a device without being a terminal (/dev/null) takes output; it has no mode, and what
 * could be read there nobody typed. */
static bool is_sink(int fd)
{
	struct stat st;

	return errno == ENOTTY && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode);
}

static struct chardev *tty_open(struct machine *m, const char *id, struct keyvals *kv,
				struct error *e)
{
	const char *path = chardev_path(kv, e);
	struct termios mode;
	bool terminal;
	struct tty *t;
	int fd;

	if (!path)
		return NULL;
	fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	terminal = fd >= 0 && tcgetattr(fd, &mode) == 0;
	if (fd < 0 || (!terminal && !is_sink(fd))) {
		error_set(e, fd < 0 ? "could not open '%s': %s" : "'%s' is no terminal: %s", path,
			  strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	t = NEW(struct tty);
	t->path = xstrdup(path);
	t->terminal = -1;
	if (terminal) {
		cfmakeraw(&mode);
		mode.c_cflag |= CLOCAL | CREAD;
		t->terminal = terminal_set(fd, &mode);
	}
	chardev_init(&t->c, m, &tty_ops, id, t);
	fdio_init(&t->io, &t->c, m, t->path);
	t->c.open = true;
	fdio_start(&t->io, terminal ? fd : -1, fd);
	return &t->c;
}

static const struct chardev_kind serial_kind = { "serial", "a serial line or terminal of the host",
						 "path", tty_open };
CHARDEV_KIND(serial_kind);
static const struct chardev_kind tty_kind = { "tty", "the same as serial", "path", tty_open };
CHARDEV_KIND(tty_kind);
