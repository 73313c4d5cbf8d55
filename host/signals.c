/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * signals.c - signals of the process (POSIX 2.4). All that end or stop us are blocked everywhere
 * and taken by one thread with sigwaitinfo, so that nothing has to be async-signal-safe; only
 * crashes have real handlers.
 */
#include "host/signals.h"
#include "host/terminal.h"
#include "core/machine.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const int taken[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT };
static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
/* Of the process, as signals are; the machine is whichever one main runs. */
static struct sigaction before_crash[ARRAY_SIZE(crashes)];
static const char *program;
static struct machine *machine;
static bool had_machine, ending;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

bool signals_ending(void) { return __atomic_load_n(&ending, __ATOMIC_ACQUIRE); }

/* The signal's default action, taken by the whole process. */
static void act_as_usual(int signo)
{
	sigset_t set;

	signal(signo, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, signo);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	raise(signo);
}

/* The first word of a process's command line: "bash", "/usr/bin/timeout". */
static void process_name(pid_t pid, char *name, size_t size)
{
	char path[40];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, name, size - 1);
		close(fd);
	}
	if (n <= 0)
		n = snprintf(name, size, "<unknown process>");
	name[n] = 0;
}

static void end_machine(void *arg) { machine_request_shutdown(arg, CAUSE_HOST_SIGNAL); }

static void end(const siginfo_t *si)
{
	char name[256];

	pthread_mutex_lock(&lock);
	if (!had_machine || signals_ending()) {
		terminal_restore_all();
		if (had_machine)
			_exit(128 + si->si_signo);
		act_as_usual(si->si_signo);
	}
	__atomic_store_n(&ending, true, __ATOMIC_RELEASE);
	if (si->si_code == SI_USER || si->si_code == SI_QUEUE || si->si_code == SI_TKILL) {
		process_name(si->si_pid, name, sizeof(name));
		fprintf(stderr, "%s: terminating on signal %d from pid %d (%s)\n", program,
			si->si_signo, (int)si->si_pid, name);
	} else {
		fprintf(stderr, "%s: terminating on signal %d\n", program, si->si_signo);
	}
	if (machine)
		machine_post(machine, end_machine, machine);
	pthread_mutex_unlock(&lock);
}

static void *wait_for_signals(void *arg)
{
	sigset_t set;
	siginfo_t si;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		sigaddset(&set, taken[i]);
	for (;;) {
		if (sigwaitinfo(&set, &si) < 0)
			continue;
		switch (si.si_signo) {
		case SIGTSTP:
			terminal_restore_all();
			raise(SIGSTOP);
			terminal_resume_all();
			break;
		case SIGCONT:
			terminal_resume_all();
			break;
		case SIGQUIT:
			terminal_restore_all();
			act_as_usual(SIGQUIT);
			break;
		default:
			end(&si);
		}
	}
	return NULL;
}

static void crash(int signo, siginfo_t *si, void *context)
{
	static const char text[] = "quern: internal error: the emulator crashed\n";

	terminal_restore_all();
	if (signo != SIGABRT && write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(128 + signo);
	for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
		if (crashes[i] == signo)
			sigaction(signo, &before_crash[i], NULL);
	/* A fault comes again by itself; what was sent must be sent again. */
	if (si->si_code <= 0)
		raise(signo);
}

static void catch_crashes(void)
{
	struct sigaction sa = { .sa_sigaction = crash, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t now, stack = { .ss_size = 64 << 10 };

	if (sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_DISABLE)) {
		stack.ss_sp = malloc(stack.ss_size);
		if (stack.ss_sp)
			sigaltstack(&stack, NULL);
	}
	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
		sigaction(crashes[i], &sa, &before_crash[i]);
}

void signals_start(const char *name)
{
	pthread_attr_t attr;
	struct sigaction old;
	pthread_t thread;
	sigset_t set;
	int err;

	program = name;
	signal(SIGPIPE, SIG_IGN);
	catch_crashes();
	sigemptyset(&set);
	/* What was ignored when we were started (nohup) stays so. */
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		if (sigaction(taken[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaddset(&set, taken[i]);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_create(&thread, &attr, wait_for_signals, NULL);
	pthread_attr_destroy(&attr);
	if (err) {
		errno = err;
		perror("quern: could not start the signal thread");
		exit(1);
	}
}

void signals_machine(struct machine *m)
{
	pthread_mutex_lock(&lock);
	machine = m;
	had_machine |= m != NULL;
	pthread_mutex_unlock(&lock);
}
