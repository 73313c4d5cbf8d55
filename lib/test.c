/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test.c - runs the registered unit tests, each in a process of its own, several at a time. Linked
 * only into test-unit. */
#include "lib/test.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_SKIP	77
#define DEFAULT_SECONDS 30

extern const struct test *const __start_quern_tests[] __attribute__((weak));
extern const struct test *const __stop_quern_tests[] __attribute__((weak));

struct running {
	const struct test *test;
	pid_t pid;
	int out; /* a memfd with what the test printed */
};

struct totals {
	unsigned passed, failed, skipped;
	bool verbose;
};

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "%s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	_exit(1);
}

void test_skip(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	_exit(EXIT_SKIP);
}

void test_check_str(const char *file, int line, const char *what, const char *got, const char *want)
{
	if (got && want ? !strcmp(got, want) : got == want)
		return;
	test_fail(file, line, "%s is %s%s%s\n    expected %s%s%s", what, got ? "\"" : "",
		  got ? got : "NULL", got ? "\"" : "", want ? "\"" : "", want ? want : "NULL",
		  want ? "\"" : "");
}

void test_check_mem(const char *file, int line, const char *what, const void *got, const void *want,
		    size_t n)
{
	const u8 *g = got, *w = want;

	for (size_t i = 0; i < n; i++) {
		if (g[i] != w[i])
			test_fail(file, line, "%s differs at byte %zu of %zu: %02x, expected %02x",
				  what, i, n, g[i], w[i]);
	}
}

static void start(struct running *r, const struct test *t)
{
	r->test = t;
	r->out = memfd_create(t->name, MFD_CLOEXEC);
	fflush(NULL);
	r->pid = fork();
	if (r->pid < 0 || r->out < 0) {
		perror("test-unit: cannot start a test");
		exit(2);
	}
	if (r->pid)
		return;
	setpgid(0, 0);
	dup2(r->out, STDOUT_FILENO);
	dup2(r->out, STDERR_FILENO);
	alarm(t->seconds ? t->seconds : DEFAULT_SECONDS);
	t->run();
	exit(0);
}

static void show_output(int fd)
{
	char buf[4096];
	ssize_t n;

	for (off_t at = 0; (n = pread(fd, buf, sizeof(buf), at)) > 0; at += n)
		fwrite(buf, 1, n, stdout);
}

static void finish(struct running *r, int status, struct totals *sum)
{
	const char *verdict = "ok";
	char why[64] = "";

	kill(-r->pid, SIGKILL); /* whatever the test left behind */
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		sum->passed++;
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIP) {
		verdict = "skip";
		sum->skipped++;
	} else {
		verdict = "FAIL";
		sum->failed++;
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
			snprintf(why, sizeof(why), ": took more than %u seconds",
				 r->test->seconds ? r->test->seconds : DEFAULT_SECONDS);
		else if (WIFSIGNALED(status))
			snprintf(why, sizeof(why), ": %s", strsignal(WTERMSIG(status)));
	}
	if (sum->verbose || *verdict != 'o') {
		printf("%-4s %s (%s)%s\n", verdict, r->test->name, r->test->file, why);
		show_output(r->out);
	}
	close(r->out);
	r->pid = 0;
}

/* Waits for one of the n running tests to end. */
static void reap(struct running *run, unsigned n, struct totals *sum)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, 0);

		if (pid < 0 && errno == EINTR)
			continue;
		for (unsigned i = 0; i < n; i++) {
			if (run[i].pid == pid) {
				finish(&run[i], status, sum);
				return;
			}
		}
	}
}

/* A test is wanted when no pattern is given or one matches its name or file, whole or as a part. */
static bool wanted(const struct test *t, char **patterns)
{
	if (!*patterns)
		return true;
	for (; *patterns; patterns++) {
		if (str_glob(*patterns, t->name) || strstr(t->name, *patterns) ||
		    strstr(t->file, *patterns))
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	struct totals sum = { 0 };
	long jobs = sysconf(_SC_NPROCESSORS_ONLN);
	struct running *run;
	bool list = false;
	unsigned busy = 0;
	int opt;

	while ((opt = getopt(argc, argv, "lvj:")) != -1) {
		if (opt == 'l')
			list = true;
		else if (opt == 'v')
			sum.verbose = true;
		else if (opt == 'j')
			jobs = atoi(optarg);
		else
			return 2;
	}
	jobs = MAX(1l, MIN(jobs, 64l));
	run = xcalloc(jobs, sizeof(*run));
	for (const struct test *const *t = __start_quern_tests; t < __stop_quern_tests; t++) {
		unsigned i = 0;

		if (!wanted(*t, argv + optind))
			continue;
		if (list) {
			printf("%s (%s)\n", (*t)->name, (*t)->file);
			continue;
		}
		if (busy == jobs) {
			reap(run, jobs, &sum);
			busy--;
		}
		while (run[i].pid)
			i++;
		start(&run[i], *t);
		busy++;
	}
	for (; busy; busy--)
		reap(run, jobs, &sum);
	free(run);
	if (list)
		return 0;
	if (sum.skipped)
		printf("%u skipped\n", sum.skipped);
	printf("%u passed, %u failed\n", sum.passed, sum.failed);
	return sum.failed != 0;
}
