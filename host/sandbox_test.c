/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sandbox_test.c - what the filters stop, each in a process of its own. */
#include "host/sandbox.h"
#include "lib/test.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void *nothing(void *arg) { return arg; }

static void try_thread(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, nothing, NULL) || pthread_join(t, NULL))
		_exit(7);
}
static void try_swap(void) { syscall(SYS_swapoff, "/nonexistent"); }
static void try_old(void) { syscall(SYS_ustat, 0, NULL); }
static void try_user(void) { syscall(SYS_setuid, getuid()); }
static void try_priority(void) { syscall(SYS_setpriority, PRIO_PROCESS, 0, 0); }
static void try_exec(void) { execl("/nonexistent", "x", NULL); }
static void try_fork(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
}
static void try_gain(void)
{
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		_exit(7);
}

/* Ends as it should: orderly, or killed by the filter? */
static bool killed(struct sandbox s, void (*try)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_DUMPABLE, 0);
		if (sandbox_enter(&s, NULL))
			_exit(9);
		try();
		_exit(0);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 9)
		test_skip("this host lets nobody install a filter");
	CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

TEST(sandbox_filters)
{
	const struct sandbox off = { 0 }, on = { .on = true };

	CHECK(!killed(off, try_swap));
	CHECK(killed(on, try_swap));
	CHECK(!killed(on, try_old));
	CHECK(killed((struct sandbox){ .on = true, .obsolete = true }, try_old));
	CHECK(!killed(on, try_user));
	CHECK(killed((struct sandbox){ .on = true, .privileges = true }, try_user));
	CHECK(!killed((struct sandbox){ .on = true, .children = true }, try_gain));
	CHECK(!killed(on, try_priority));
	CHECK(killed((struct sandbox){ .on = true, .resources = true }, try_priority));
	CHECK(!killed(on, try_fork));
	CHECK(!killed(on, try_exec));
	CHECK(killed((struct sandbox){ .on = true, .spawn = true }, try_fork));
	CHECK(killed((struct sandbox){ .on = true, .spawn = true }, try_exec));
	CHECK(!killed((struct sandbox){ .on = true, .spawn = true }, try_thread));
}
