/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fdio.c - input and output of character back ends on descriptors (POSIX 2.9.7, poll; proc(5) for
 * descriptions of our own). */
#include "host/fdio.h"
#include "core/chardev.h"
#include "core/machine.h"
#include "host/signals.h"
#include "lib/alloc.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { QUEUE_MOST = 1 << 20 };

static void on_ready(void *arg, short revents);

/* Tells the machine what we wait for; in and out share one entry when they are one descriptor. */
static void update(struct fdio *f)
{
	short in = f->in >= 0 && !f->in_paused && !f->in_ended ? POLLIN : 0;
	short out = f->out >= 0 && f->n > f->at ? POLLOUT : 0;

	if (f->in == f->out) {
		in |= out;
		out = 0;
	}
	if (f->in >= 0 && in != f->in_events)
		machine_poll_fd(f->m, f->in, in, on_ready, f);
	if (f->out >= 0 && f->out != f->in && out != f->out_events)
		machine_poll_fd(f->m, f->out, out, on_ready, f);
	f->in_events = in;
	f->out_events = out;
}

static void break_output(struct fdio *f, int err)
{
	if (!f->out_broken && !f->hangup && err != EPIPE)
		warn("%s: %s: output goes nowhere from here on", f->what, strerror(err));
	f->out_broken = true;
	f->at = f->n = 0;
}

static ssize_t put(struct fdio *f, const u8 *buf, size_t n)
{
	struct pollfd p = { .fd = f->out, .events = POLLOUT };

	/* A shared description may be a blocking one: only as much as there is surely room for. */
	if (f->out_shared) {
		if (poll(&p, 1, 0) == 0) {
			errno = EAGAIN;
			return -1;
		}
		n = MIN(n, (size_t)PIPE_BUF);
	}
	return f->out_socket ? send(f->out, buf, n, MSG_NOSIGNAL | MSG_DONTWAIT) :
			       write(f->out, buf, n);
}

/* Writes what can be written now; the number of bytes taken. */
static size_t write_now(struct fdio *f, const u8 *buf, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = put(f, buf + done, n - done);

		if (r >= 0) {
			done += r;
		} else if (errno == EAGAIN) {
			break;
		} else if (errno != EINTR) {
			break_output(f, errno);
			return n;
		}
	}
	return done;
}

static void flush_queue(struct fdio *f)
{
	if (f->n > f->at)
		f->at += write_now(f, f->queue + f->at, f->n - f->at);
	if (f->at >= f->n)
		f->at = f->n = 0;
}

static void queue(struct fdio *f, const u8 *buf, size_t n)
{
	if (f->at && f->n + n > f->cap) {
		memmove(f->queue, f->queue + f->at, f->n - f->at);
		f->n -= f->at;
		f->at = 0;
	}
	if (f->n + n > f->cap) {
		f->cap = MAX(f->cap * 2, ALIGN_UP(f->n + n, 4096ul));
		f->queue = xrealloc(f->queue, f->cap);
	}
	memcpy(f->queue + f->n, buf, n);
	f->n += n;
}

int fdio_write(struct fdio *f, const u8 *buf, int n)
{
	size_t left, done = 0;

	if (f->out < 0 || f->out_broken)
		return n;
	flush_queue(f);
	if (!f->n)
		done = write_now(f, buf, n);
	left = MIN((size_t)n - done, QUEUE_MOST - (f->n - f->at));
	if (left && !f->out_broken)
		queue(f, buf + done, left);
	f->refused = done + left < (size_t)n && !f->out_broken;
	update(f);
	return f->out_broken ? n : (int)(done + left);
}

static void end_input(struct fdio *f)
{
	f->in_ended = true;
	update(f);
	if (f->hangup)
		f->hangup(f);
}

/* Like recv, with the descriptors that a peer on this host may send along. */
static ssize_t receive(struct fdio *f, void *buf, size_t n)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(16 * sizeof(int))];
	} control;
	struct iovec v = { .iov_base = buf, .iov_len = n };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	ssize_t got = recvmsg(f->in, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (got < 0)
		return got;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		size_t fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < fds; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			chardev_pass_fd(f->c, fd);
		}
	}
	return got;
}

static void read_some(struct fdio *f)
{
	int room = chardev_can_receive(f->c);
	u8 buf[65536];
	ssize_t n;

	if (room <= 0) {
		f->in_paused = true;
		return;
	}
	n = MIN((size_t)room, sizeof(buf));
	n = f->in_socket ? receive(f, buf, n) : read(f->in, buf, n);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end_input(f);
		return;
	}
	if (f->filter)
		n = f->filter(f, buf, n);
	if (n > 0)
		chardev_receive(f->c, buf, n);
}

static void on_ready(void *arg, short revents)
{
	struct fdio *f = arg;

	if ((revents & (POLLOUT | POLLERR | POLLHUP)) && f->n > f->at)
		flush_queue(f);
	if ((revents & (POLLIN | POLLHUP | POLLERR)) && (f->in_events & POLLIN))
		read_some(f);
	if (f->refused && !f->n && f->out >= 0) {
		f->refused = false;
		chardev_event(f->c, CHARDEV_WRITABLE);
	}
	update(f);
}

void fdio_room(struct fdio *f)
{
	if (!f->in_paused)
		return;
	f->in_paused = false;
	update(f);
}

void fdio_init(struct fdio *f, struct chardev *c, struct machine *m, const char *what)
{
	*f = (struct fdio){ .c = c, .m = m, .in = -1, .out = -1, .what = what };
}

static bool is_socket(int fd)
{
	int type;
	socklen_t n = sizeof(type);

	return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0;
}

void fdio_start(struct fdio *f, int in, int out)
{
	f->in_socket = is_socket(in);
	f->out_socket = is_socket(out);
	f->in = in;
	f->out = out;
	f->in_events = f->out_events = 0;
	f->in_paused = f->in_ended = f->out_broken = f->refused = false;
	f->at = f->n = 0;
	update(f);
}

static void drain(struct fdio *f, int ms)
{
	enum { STEP = 50, PATIENCE = 1000 };
	struct pollfd p = { .fd = f->out, .events = POLLOUT };
	int waited = 0;

	for (flush_queue(f); f->n > f->at; flush_queue(f)) {
		size_t before = f->at;

		poll(&p, 1, STEP);
		flush_queue(f);
		waited = f->at == before ? waited + STEP : 0;
		if ((ms >= 0 && waited >= ms) || (signals_ending() && waited >= PATIENCE)) {
			warn("%s: its reader takes nothing: %zu bytes of output are lost", f->what,
			     f->n - f->at);
			return;
		}
	}
}

void fdio_stop(struct fdio *f, int ms)
{
	int in = f->in, out = f->out;

	if (out >= 0 && !f->out_broken)
		drain(f, ms);
	if (in >= 0 && f->in_events)
		machine_poll_fd(f->m, in, 0, NULL, NULL);
	if (out >= 0 && out != in && f->out_events)
		machine_poll_fd(f->m, out, 0, NULL, NULL);
	if (in >= 0)
		close(in);
	if (out >= 0 && out != in)
		close(out);
	free(f->queue);
	f->queue = NULL;
	f->in = f->out = -1;
	f->in_events = f->out_events = 0;
	f->at = f->n = f->cap = 0;
}

int fd_own(int fd, int flags, bool *shared, const char *what, struct error *e)
{
	char path[40];
	struct stat st;
	int own = -1;

	*shared = false;
	if (fstat(fd, &st) < 0)
		return error_ret(e, -errno, "%s is closed", what);
	if (!S_ISREG(st.st_mode) && !S_ISSOCK(st.st_mode)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		own = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	}
	if (own < 0) {
		own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		*shared = !S_ISREG(st.st_mode);
	}
	return own < 0 ? error_ret(e, -errno, "%s: %s", what, strerror(errno)) : own;
}
