/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - the differential tester's command: stored cases first, then random snippets in a few
 * processes, each failure shrunk and shown. Usage: diff [--seed N] [--count N] [--jobs N] [--group
 * NAME[,NAME]] [--tier 0|1|both] [--no-host] [--cases DIR] [--save FILE] [--max N] [--no-shrink]
 * [--verbose] [--ir N] */
#include "diff.h"
#include "ir_fuzz.h"
#include "lib/hash.h"
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct {
	u64 seed, count, ir;
	unsigned jobs, max;
	u32 groups;
	const char *cases, *save;
	bool verbose, whole;
} opt = { .count = 100000, .jobs = 2, .max = 10, .groups = ~0u, .cases = "test/diff/cases" };

/* What the processes share. */
static struct shared {
	u32 coverage[1600];
	u64 done, timeouts, failures, shown;
	u64 seen[256]; /* kinds of failures: the encodings of the shrunken snippets */
	u64 at[64];    /* the seed that a worker executes: known when it crashes */
} * shared;

static u64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000 + (u64)t.tv_nsec / 1000000;
}

static void save(const struct snippet *s)
{
	char line[2 * MAX_CODE + 128];
	FILE *f;

	snippet_write(s, line, sizeof(line));
	printf("  case: %s\n", line);
	if (!opt.save)
		return;
	f = fopen(opt.save, "a");
	if (!f) {
		fprintf(stderr, "diff: %s: %s\n", opt.save, strerror(errno));
		return;
	}
	fprintf(f, "%s\n", line);
	fclose(f);
}

/* The first of its kind? */
static bool new_kind(const struct snippet *s)
{
	struct items l;
	u64 h = 0;

	snippet_items(s, &l);
	for (unsigned k = 0; k < l.n; k++)
		h = hash_u64(h + (u64)(l.i[k].enc ? l.i[k].enc - x86_encodings : 0));
	for (unsigned i = 0; i < ARRAY_SIZE(shared->seen); i++) {
		u64 empty = 0;

		if (__atomic_compare_exchange_n(&shared->seen[i], &empty, h | 1, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return true;
		if (empty == (h | 1))
			return false;
	}
	return false;
}

static void report(struct snippet *s, const char *what)
{
	struct regs start;
	char text[2000];

	__atomic_add_fetch(&shared->failures, 1, __ATOMIC_SEQ_CST);
	/* in a process of its own it may behave: then it depends on what ran before */
	if (trial_apart(s, text, sizeof(text)) == TRIAL_DIFFERENT) {
		if (!opt.whole)
			shrink(s);
		trial_apart(s, text, sizeof(text));
	} else {
		snprintf(text, sizeof(text), "    (only after other snippets)\n%s", what);
	}
	if (!new_kind(s) || __atomic_add_fetch(&shared->shown, 1, __ATOMIC_SEQ_CST) > opt.max)
		return;
	state_start(s, &start, NULL);
	flockfile(stdout);
	printf("DIFFERENT (seed %llu)\n", (unsigned long long)s->seed);
	snippet_print(s, &start);
	printf("%s", text);
	save(s);
	fflush(stdout);
	funlockfile(stdout);
}

static void worker(unsigned job, u64 from)
{
	char text[2000];

	for (u64 i = from; i < opt.count; i += opt.jobs) {
		struct snippet s;
		enum trial_result r;

		__atomic_store_n(&shared->at[job], i, __ATOMIC_RELAXED);
		if (shared->shown >= opt.max || shared->failures > 20 * opt.max + 100)
			break;
		generate(&s, opt.seed + i, opt.groups, shared->coverage);
		r = trial(&s, text, sizeof(text));
		if (r == TRIAL_DIFFERENT)
			report(&s, text);
		else if (r == TRIAL_TIMEOUT)
			__atomic_fetch_add(&shared->timeouts, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&shared->done, 1, __ATOMIC_RELAXED);
	}
}

static pid_t start_worker(unsigned job, u64 from)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	trial_init();
	worker(job, from);
	fflush(stdout);
	_exit(0);
}

static void crashed(unsigned job, int status)
{
	struct snippet s;
	pid_t pid;

	generate(&s, opt.seed + shared->at[job], opt.groups, NULL);
	printf("a worker died (%s) at seed %llu\n",
	       WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "exit",
	       (unsigned long long)(opt.seed + shared->at[job]));
	fflush(stdout);
	pid = fork();
	if (!pid) {
		trial_init();
		report(&s, "");
		fflush(stdout);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
}

static void run_random(void)
{
	pid_t pid[64];
	unsigned alive = opt.jobs;

	for (unsigned j = 0; j < opt.jobs; j++)
		pid[j] = start_worker(j, j);
	while (alive) {
		int status;
		pid_t p = wait(&status);
		unsigned j = 0;

		if (p < 0)
			continue;

		while (j < opt.jobs && pid[j] != p)
			j++;
		if (j == opt.jobs)
			continue;
		if (WIFEXITED(status) && !WEXITSTATUS(status)) {
			alive--;
			continue;
		}
		crashed(j, status);
		pid[j] = start_worker(j, shared->at[j] + opt.jobs);
	}
}

/* --- stored cases */

static void run_case_file(const char *path, unsigned *n)
{
	char line[2 * MAX_CODE + 256], text[2000];
	FILE *f = fopen(path, "r");

	if (!f) {
		fprintf(stderr, "diff: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	while (fgets(line, sizeof(line), f)) {
		struct snippet s;

		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (!snippet_read(&s, line)) {
			fprintf(stderr, "diff: %s: not a case: %s", path, line);
			exit(2);
		}
		++*n;
		if (trial_apart(&s, text, sizeof(text)) == TRIAL_DIFFERENT) {
			struct regs start;

			shared->failures++;
			state_start(&s, &start, NULL);
			printf("DIFFERENT (%s)\n", path);
			snippet_print(&s, &start);
			printf("%s  case: %s", text, line);
		}
	}
	fclose(f);
}

static int is_case(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 4 && !strcmp(d->d_name + n - 4, ".txt");
}

static unsigned run_cases(void)
{
	struct dirent **list = NULL;
	unsigned n = 0;
	int files, status;
	pid_t pid;

	/* the parent stays free of machines */
	fflush(stdout);
	pid = fork();
	if (pid) {
		waitpid(pid, &status, 0);
		if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) {
			printf("the stored cases did not run to their end\n");
			shared->failures++;
		}
		return 0;
	}
	files = scandir(opt.cases, &list, is_case, alphasort);
	trial_init();
	for (int i = 0; i < files; i++) {
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", opt.cases, list[i]->d_name);
		run_case_file(path, &n);
	}
	printf("%u stored cases, %llu different\n", n, (unsigned long long)shared->failures);
	fflush(stdout);
	_exit(0);
}

/* --- coverage */

static void print_coverage(void)
{
	for (unsigned g = 0; g < NGROUPS; g++) {
		unsigned rows = 0, seen = 0;
		u64 times = 0;

		if (!(opt.groups >> g & 1))
			continue;
		for (unsigned i = 1; i < x86_nencodings; i++) {
			if (row_group(i) != g || row_excluded(i))
				continue;
			rows++;
			seen += shared->coverage[i] != 0;
			times += shared->coverage[i];
		}
		printf("  %-8s %4u of %4u encodings, %llu instructions\n", group_names[g], seen,
		       rows, (unsigned long long)times);
	}
	for (unsigned i = 1; i < x86_nencodings; i++) {
		const struct x86_enc *e = &x86_encodings[i];

		if (opt.groups >> row_group(i) & 1 && !row_excluded(i) && !shared->coverage[i])
			printf("  never: %s map %u opcode %02x prefix %u ext %d \"%s\"\n", e->name,
			       e->map, e->opcode, e->prefix, e->ext, e->operands);
	}
	if (!opt.verbose)
		return;
	for (unsigned i = 1; i < x86_nencodings; i++)
		if (row_excluded(i))
			printf("  left out: %s map %u opcode %02x: %s\n", x86_encodings[i].name,
			       x86_encodings[i].map, x86_encodings[i].opcode, row_excluded(i));
}

/* --- options */

static u32 parse_groups(const char *s)
{
	u32 mask = 0;

	while (*s) {
		size_t n = strcspn(s, ",");
		unsigned g;

		for (g = 0; g < NGROUPS; g++)
			if (strlen(group_names[g]) == n && !memcmp(group_names[g], s, n))
				break;
		if (g == NGROUPS) {
			fprintf(stderr,
				"diff: no group %.*s; there are int, string, control, x87, mmx, "
				"sse, crypto, bmi, sys\n",
				(int)n, s);
			exit(2);
		}
		mask |= BIT(g);
		s += n + (s[n] == ',');
	}
	return mask;
}

static void tier(const char *v)
{
	trial_options.t0 = strcmp(v, "1");
	trial_options.t1 = strcmp(v, "0");
}

static void options(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *o = argv[i], *v = i + 1 < argc ? argv[i + 1] : NULL;
		bool takes = true;

		if (!strcmp(o, "--no-host")) {
			trial_options.native = takes = false;
		} else if (!strcmp(o, "--verbose")) {
			opt.verbose = true;
			takes = false;
		} else if (!strcmp(o, "--no-shrink")) {
			opt.whole = true;
			takes = false;
		} else if (!v) {
			fprintf(stderr, "diff: %s: unknown option or missing value\n", o);
			exit(2);
		} else if (!strcmp(o, "--seed")) {
			opt.seed = strtoull(v, NULL, 0);
		} else if (!strcmp(o, "--count")) {
			opt.count = strtoull(v, NULL, 0);
		} else if (!strcmp(o, "--ir")) {
			opt.ir = strtoull(v, NULL, 0);
		} else if (!strcmp(o, "--jobs")) {
			opt.jobs = (unsigned)MAX(1, MIN(64, atoi(v)));
		} else if (!strcmp(o, "--max")) {
			opt.max = (unsigned)atoi(v);
		} else if (!strcmp(o, "--group")) {
			opt.groups = parse_groups(v);
		} else if (!strcmp(o, "--tier")) {
			tier(v);
		} else if (!strcmp(o, "--cases")) {
			opt.cases = v;
		} else if (!strcmp(o, "--save")) {
			opt.save = v;
		} else {
			fprintf(stderr, "diff: unknown option %s\n", o);
			exit(2);
		}
		i += takes;
	}
}

int main(int argc, char **argv)
{
	const char *bad = x86_decode_check();
	u64 t0;

	options(argc, argv);
	if (bad) {
		fprintf(stderr, "diff: the encoding tables contradict themselves: %s\n", bad);
		return 1;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	run_cases();
	if (opt.ir && ir_fuzz(opt.seed, opt.ir))
		shared->failures++;
	t0 = now_ms();
	if (opt.count)
		run_random();
	printf("%llu snippets in %.1f s, %llu unfinished, %llu different\n",
	       (unsigned long long)shared->done, (double)(now_ms() - t0) / 1000,
	       (unsigned long long)shared->timeouts, (unsigned long long)shared->failures);
	if (opt.count)
		print_coverage();
	return shared->failures != 0;
}
