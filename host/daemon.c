/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon.c - a process in the background (as daemon(7) describes it), and pid files. */
#include "host/daemon.h"
#include "lib/alloc.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of the process: it goes into the background once. */
static int ready_fd = -1;
static char *pidfile;

/* The first process: its end is the answer to whoever started it. */
static _Noreturn void wait_for(int fd)
{
	char ok = 0;
	ssize_t n;

	do
		n = read(fd, &ok, 1);
	while (n < 0 && errno == EINTR);
	_exit(n == 1 && ok == 1 ? 0 : 1);
}

int daemon_start(struct error *e)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_ret(e, -errno, "-daemonize: no pipe: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid > 0) {
		close(fds[1]);
		wait_for(fds[0]);
	}
	if (pid == 0) {
		close(fds[0]);
		setsid();
		/* No session leader any more: it can never get a controlling terminal again. */
		pid = fork();
		if (pid > 0)
			_exit(0);
	}
	if (pid < 0)
		return error_ret(e, -errno, "-daemonize: no process: %s", strerror(errno));
	ready_fd = fds[1];
	return 0;
}

int daemon_ready(struct error *e)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char ok = 1;

	if (null < 0)
		return error_ret(e, -errno, "could not open '/dev/null': %s", strerror(errno));
	if (chdir("/") < 0)
		return error_ret(e, -errno, "could not change to '/': %s", strerror(errno));
	fflush(NULL);
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	close(null);
	if (write(ready_fd, &ok, 1) != 1)
		return error_ret(e, -EIO, "the process that started this one is gone");
	close(ready_fd);
	ready_fd = -1;
	return 0;
}

int pidfile_write(const char *path, struct error *e)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char text[16];
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), n;

	if (fd < 0)
		return error_ret(e, -errno, "could not create pid file '%s': %s", path,
				 strerror(errno));
	/* The descriptor, and with it the lock, stays until the process ends. */
	if (fcntl(fd, F_SETLK, &lock) < 0 && (errno == EAGAIN || errno == EACCES)) {
		close(fd);
		return error_ret(e, -EBUSY, "pid file '%s' is another running emulator's", path);
	}
	n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || write(fd, text, n) != n) {
		n = errno;
		close(fd);
		return error_ret(e, -n, "could not write pid file '%s': %s", path, strerror(n));
	}
	pidfile = *path == '/' ? xstrdup(path) : NULL;
	if (!pidfile) {
		AUTO_FREE char *dir = getcwd(NULL, 0);

		pidfile = xasprintf("%s/%s", dir ? dir : ".", path);
	}
	return 0;
}

void pidfile_remove(void)
{
	if (pidfile)
		unlink(pidfile);
	free(pidfile);
	pidfile = NULL;
}
