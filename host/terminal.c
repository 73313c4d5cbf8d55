/* SPDX-License-Identifier: GPL-2.0-or-later */
/* terminal.c - terminal modes (POSIX 11, termios), saved and restored. A process has few terminals,
 * so the table is the process's. */
#include "host/terminal.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { SLOTS = 8 };

static struct slot {
	int fd; /* our own descriptor: the user's may be closed first */
	volatile sig_atomic_t used, active;
	struct termios old, new;
} slots[SLOTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* A background process that sets a mode is stopped by SIGTTOU, unless that is blocked. */
static int set_mode(int fd, const struct termios *mode)
{
	sigset_t ttou, before;
	int r;

	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &ttou, &before);
	do
		r = tcsetattr(fd, TCSANOW, mode);
	while (r < 0 && errno == EINTR);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

/* Someone else's terminal: a shell put us into its background. A line that controls nobody is
 * always ours. */
static bool in_background(int fd)
{
	pid_t front = tcgetpgrp(fd);

	return front >= 0 && front != getpgrp();
}

static void activate(struct slot *s)
{
	if (in_background(s->fd) || s->active)
		return;
	s->active = 1;
	set_mode(s->fd, &s->new);
}

void terminal_restore_all(void)
{
	for (int i = 0; i < SLOTS; i++) {
		if (!slots[i].used || !slots[i].active)
			continue;
		slots[i].active = 0;
		set_mode(slots[i].fd, &slots[i].old);
	}
}

void terminal_resume_all(void)
{
	pthread_mutex_lock(&lock);
	for (int i = 0; i < SLOTS; i++)
		if (slots[i].used)
			activate(&slots[i]);
	pthread_mutex_unlock(&lock);
}

static int take(int fd, const struct termios *old, const struct termios *new)
{
	static bool at_exit;
	int i;

	pthread_mutex_lock(&lock);
	if (!at_exit)
		atexit(terminal_restore_all);
	at_exit = true;
	for (i = 0; i < SLOTS && slots[i].used; i++)
		;
	if (i < SLOTS) {
		slots[i].fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		slots[i].old = *old;
		slots[i].new = *new;
		slots[i].active = 0;
		slots[i].used = slots[i].fd >= 0;
		if (slots[i].used)
			activate(&slots[i]);
	}
	pthread_mutex_unlock(&lock);
	return i < SLOTS && slots[i].used ? i : -1;
}

int terminal_raw(int fd, bool signals)
{
	struct termios old, new;

	if (tcgetattr(fd, &old) < 0)
		return -1;
	new = old;
	new.c_iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	/* Output processing stays: our own messages end lines with \n alone, a guest's \r\n passes
	 * as it is. */
	new.c_oflag |= OPOST;
	new.c_lflag &= ~(ECHO | ECHONL | ICANON | IEXTEN);
	if (!signals)
		new.c_lflag &= ~ISIG;
	new.c_cflag = (new.c_cflag & ~(CSIZE | PARENB)) | CS8;
	new.c_cc[VMIN] = 1;
	new.c_cc[VTIME] = 0;
	return take(fd, &old, &new);
}

int terminal_set(int fd, const struct termios *mode)
{
	struct termios old;

	return tcgetattr(fd, &old) < 0 ? -1 : take(fd, &old, mode);
}

void terminal_release(int slot)
{
	if (slot < 0)
		return;
	pthread_mutex_lock(&lock);
	if (slots[slot].active)
		set_mode(slots[slot].fd, &slots[slot].old);
	slots[slot].active = 0;
	slots[slot].used = 0;
	close(slots[slot].fd);
	pthread_mutex_unlock(&lock);
}
