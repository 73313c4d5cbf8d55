/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trial.c - one snippet through all executors, and the shrinking of those that fail. */
#include "diff.h"
#include "jit/engine.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct trial_options trial_options = { true, true, true };
static struct guest *guests[NGUESTS];
static bool have_native;

static void start_tick(void)
{
	const struct itimerval every = { { 0, 30000 }, { 0, 30000 } };

	setitimer(ITIMER_PROF, &every, NULL);
}

void trial_init(void)
{
	native_tick = guest_tick;
	have_native = native_init() && trial_options.native;
	for (unsigned k = 0; k < NGUESTS; k++)
		if (k == GUEST_T0 ? trial_options.t0 : trial_options.t1 && backend_host())
			guests[k] = guest_new(k);
	start_tick();
}

static u64 now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000 + (u64)t.tv_nsec / 1000;
}

static bool run_guest(enum guest_kind kind, const struct regs *start, const struct memory *mem,
		      struct outcome *o)
{
	if (guest_run(guests[kind], start, mem, &o->s) == RUN_TIMEOUT)
		return false;
	o->who = guest_names[kind];
	/* a fault in the middle may find flags unset that nothing would have read; HLT and other
	 * raised exceptions are exact */
	o->exact_flags = kind == GUEST_T0 || kind == GUEST_T1_STRICT;
	for (unsigned p = 0; p < NPAGES; p++)
		o->page[p] = guest_page(guests[kind], p);
	return true;
}

static bool ends_in_hlt(const struct outcome *o)
{
	for (unsigned p = 0; p < NPAGES; p++) {
		u64 off = o->s.rip - page_places[p].va;

		if (off < PAGE_BYTES && o->page[p][off] == 0xf4)
			return true;
	}
	return false;
}

enum trial_result trial(const struct snippet *s, char *text, size_t size)
{
	static struct memory mem;
	static struct outcome first, next;
	struct regs start;
	bool have = false;
	u64 native_us = ~0ull;
	/* T1 in one of its three ways */
	enum guest_kind kinds[2] = { GUEST_T0, GUEST_T1 + s->seed % 5 % 3 };

	state_start(s, &start, NULL);
	state_memory(s, &mem);
	if (have_native) {
		u64 t0 = now_us();

		if (native_run(&start, &mem, &first.s) == RUN_TIMEOUT)
			return TRIAL_TIMEOUT;
		native_us = now_us() - t0;
		first.who = "host";
		first.exact_flags = true;
		for (unsigned p = 0; p < NPAGES; p++)
			first.page[p] = native_page(p);
		have = true;
	}
	for (unsigned k = 0; k < 2; k++) {
		if (!guests[kinds[k]])
			continue;
		if (!run_guest(kinds[k], &start, &mem, have ? &next : &first)) {
			snprintf(text, size, "    %s does not end\n", guest_names[kinds[k]]);
			return have && native_us < 500 ? TRIAL_DIFFERENT : TRIAL_TIMEOUT;
		}
		if (!have) {
			have = true;
			continue;
		}
		if (ends_in_hlt(&next))
			next.exact_flags = true;
		if (!outcome_equal(s, &first, &next, text, size))
			return TRIAL_DIFFERENT;
	}
	return TRIAL_SAME;
}

enum trial_result trial_apart(const struct snippet *s, char *text, size_t size)
{
	static struct {
		enum trial_result r;
		char text[2000];
	} * shared;
	int status;
	pid_t pid;

	if (!shared)
		shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	shared->text[0] = 0;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		start_tick();
		shared->r = trial(s, shared->text, sizeof(shared->text));
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		snprintf(text, size, "    the emulator crashed: %s %d\n",
			 WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "exit status",
			 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		return TRIAL_DIFFERENT;
	}
	snprintf(text, size, "%s", shared->text);
	return shared->r;
}

/* --- shrinking */

static bool fails(const struct snippet *s)
{
	u32 taint[MAX_INSNS + 1];
	struct items l;
	char text[64];

	snippet_items(s, &l);
	return flags_taint(&l, taint) < 0 && trial_apart(s, text, sizeof(text)) == TRIAL_DIFFERENT;
}

static void drop(struct items *l, unsigned k)
{
	memmove(&l->i[k], &l->i[k + 1], (l->n - k - 1) * sizeof(l->i[0]));
	l->n--;
	for (unsigned i = 0; i < l->n; i++) {
		if (l->i[i].target > (int)k)
			l->i[i].target--;
		if (l->i[i].rip_at && l->i[i].rip_to > k + 1 && l->i[i].rip_to <= MAX_INSNS + 1)
			l->i[i].rip_to--;
	}
}

static bool shrink_items(struct snippet *s)
{
	bool any = false;
	struct items l;

	snippet_items(s, &l);
	for (int k = (int)l.n - 1; k >= 0; k--) {
		struct snippet smaller = *s;
		struct items less = l;

		drop(&less, (unsigned)k);
		if (!less.n || !snippet_layout(&smaller, &less) || !fails(&smaller))
			continue;
		*s = smaller;
		l = less;
		any = true;
	}
	return any;
}

/* Away from page ends. */
static void shrink_place(struct snippet *s)
{
	struct snippet moved = *s;
	struct items l;

	snippet_items(s, &l);
	moved.at = s->at >= WIN_SMC ? WIN_SMC : WIN_CODE;
	if (moved.at != s->at && snippet_layout(&moved, &l) && fails(&moved))
		*s = moved;
}

void shrink(struct snippet *s)
{
	for (unsigned k = 0; k < 4 && shrink_items(s); k++)
		;
	shrink_place(s);
	for (unsigned b = SIMPLE_BITS; b-- > 0;) {
		struct snippet simpler = *s;

		simpler.simple |= 1ull << b;
		if (fails(&simpler))
			*s = simpler;
	}
	shrink_items(s);
}
