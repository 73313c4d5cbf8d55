/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machine_wait.c - how the machine thread learns of things from outside. While it executes guest
 * code, a watcher thread sleeps in epoll over the polled descriptors and a timerfd; what wakes it
 * sets `pending` and kicks the running vCPU out of translated code. While no vCPU has work, the
 * machine thread sleeps on a condition variable with the next deadline as time-out. Posts come from
 * any thread and do the same without the watcher. No wake-up is lost: who wakes writes pending,
 * then reads current; the machine thread writes current, then reads pending. A descriptor stays
 * ready until its callback ran, so the watcher waits until the machine thread has served it.
 */
#include "core/private.h"
#include "core/cpu.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000ull

s64 host_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static struct timespec to_timespec(s64 ns)
{
	return (struct timespec){ ns / 1000000000, ns % 1000000000 };
}

void wait_kick_current(struct machine *m, u32 why)
{
	struct cpu *cpu = __atomic_load_n(&m->current, __ATOMIC_SEQ_CST);

	if (cpu)
		cpu_kick(cpu, why);
}

void wait_wake(struct machine *m)
{
	struct machine_private *p = m->priv;

	__atomic_store_n(&p->pending, true, __ATOMIC_SEQ_CST);
	wait_kick_current(m, CPU_EXIT_STOP);
	pthread_mutex_lock(&p->lock);
	if (p->idle)
		pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
}

void machine_post(struct machine *m, void (*fn)(void *arg), void *arg)
{
	struct machine_private *p = m->priv;

	pthread_mutex_lock(&p->lock);
	if (p->nposts == p->cap_posts) {
		p->cap_posts = p->cap_posts ? p->cap_posts * 2 : 16;
		p->posts = xrealloc(p->posts, p->cap_posts * sizeof(*p->posts));
	}
	p->posts[p->nposts++] = (struct post){ fn, arg };
	pthread_mutex_unlock(&p->lock);
	wait_wake(m);
}

/* ---- the watcher */

/* One round: 0 when only the timer was ready, 1 when a descriptor is, -1 to end. */
static int watch(struct machine_private *p)
{
	struct epoll_event ev[16];
	int n = epoll_wait(p->epoll, ev, ARRAY_SIZE(ev), -1), ready = 0;

	for (int i = 0; i < n; i++) {
		u64 count;

		if (ev[i].data.fd == p->stopfd)
			return -1;
		if (ev[i].data.fd != p->timerfd)
			ready = 1;
		else if (read(p->timerfd, &count, sizeof(count)) < 0 && errno != EAGAIN)
			return -1;
	}
	return ready;
}

static void *watcher(void *arg)
{
	struct machine *m = arg;
	struct machine_private *p = m->priv;
	int what;

	while ((what = watch(p)) >= 0) {
		if (what) {
			pthread_mutex_lock(&p->lock);
			p->watcher_waits = true;
			pthread_mutex_unlock(&p->lock);
		}
		wait_wake(m);
		pthread_mutex_lock(&p->lock);
		while (p->watcher_waits && !p->quit)
			pthread_cond_wait(&p->handled, &p->lock);
		pthread_mutex_unlock(&p->lock);
	}
	return NULL;
}

int wait_init(struct machine *m, struct error *e)
{
	struct machine_private *p = m->priv;
	struct epoll_event ev = { .events = EPOLLIN };
	pthread_condattr_t attr;

	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->wake, &attr);
	pthread_cond_init(&p->handled, &attr);
	pthread_condattr_destroy(&attr);
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	p->timerfd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	p->stopfd = eventfd(0, EFD_CLOEXEC);
	if (p->epoll < 0 || p->timerfd < 0 || p->stopfd < 0)
		return error_ret(e, -errno, "the host gives no descriptors for a machine: %s",
				 strerror(errno));
	ev.data.fd = p->timerfd;
	if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->timerfd, &ev))
		return error_ret(e, -errno, "cannot wait for timers: %s", strerror(errno));
	ev.data.fd = p->stopfd;
	if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->stopfd, &ev))
		return error_ret(e, -errno, "cannot wait for events: %s", strerror(errno));
	return 0;
}

void wait_start(struct machine *m)
{
	struct machine_private *p = m->priv;

	if (p->watcher_runs)
		return;
	p->watcher_runs = !pthread_create(&p->watcher, NULL, watcher, m);
	if (!p->watcher_runs)
		warn("the host gives no thread: input and timers of the guest will be late");
}

void wait_stop(struct machine *m)
{
	struct machine_private *p = m->priv;
	u64 one = 1;

	if (p->watcher_runs) {
		pthread_mutex_lock(&p->lock);
		p->quit = true;
		pthread_cond_signal(&p->handled);
		pthread_mutex_unlock(&p->lock);
		while (write(p->stopfd, &one, sizeof(one)) < 0 && errno == EINTR)
			;
		pthread_join(p->watcher, NULL);
		p->watcher_runs = false;
	}
}

void wait_fini(struct machine *m)
{
	struct machine_private *p = m->priv;

	wait_stop(m);
	close(p->epoll);
	close(p->timerfd);
	close(p->stopfd);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->wake);
	pthread_cond_destroy(&p->handled);
	free(p->posts);
	free(p->poll);
}

/* ---- descriptors */

void machine_poll_fd(struct machine *m, int fd, short events, void (*cb)(void *arg, short revents),
		     void *arg)
{
	struct machine_private *p = m->priv;
	struct epoll_event ev = { .data.fd = fd };
	struct poll_entry *pe;

	if (fd < 0)
		return;
	if (fd >= p->npoll) {
		int n = MAX(fd + 1, p->npoll * 2);

		if (!events)
			return;
		p->poll = xrealloc(p->poll, n * sizeof(*p->poll));
		memset(p->poll + p->npoll, 0, (n - p->npoll) * sizeof(*p->poll));
		p->npoll = n;
	}
	pe = &p->poll[fd];
	ev.events = (events & POLLIN ? EPOLLIN : 0) | (events & POLLOUT ? EPOLLOUT : 0);
	if (!events) {
		if (pe->always)
			p->nalways--;
		else if (pe->events)
			epoll_ctl(p->epoll, EPOLL_CTL_DEL, fd,
				  &ev); /* fails when closed already: then it is out */
		*pe = (struct poll_entry){ 0 };
		return;
	}
	if (!pe->always &&
	    epoll_ctl(p->epoll, pe->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev)) {
		if (errno == EEXIST || errno == ENOENT) {
			epoll_ctl(p->epoll, errno == EEXIST ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd,
				  &ev);
		} else if (errno == EPERM) {
			pe->always = true;
			p->nalways++;
		} else {
			warn("cannot watch descriptor %d: %s", fd, strerror(errno));
		}
	}
	pe->events = events;
	pe->cb = cb;
	pe->arg = arg;
}

static void serve_ready(struct machine *m)
{
	struct machine_private *p = m->priv;
	struct epoll_event ev[32];
	int n = epoll_wait(p->epoll, ev, ARRAY_SIZE(ev), 0);

	for (int i = 0; i < n; i++) {
		int fd = ev[i].data.fd;
		short got = (ev[i].events & EPOLLIN ? POLLIN : 0) |
			    (ev[i].events & EPOLLOUT ? POLLOUT : 0) |
			    (ev[i].events & EPOLLHUP ? POLLHUP : 0) |
			    (ev[i].events & EPOLLERR ? POLLERR : 0);

		/* an earlier callback of this round may have removed it */
		if (fd < p->npoll && p->poll[fd].events)
			p->poll[fd].cb(p->poll[fd].arg, got);
	}
}

static void serve_always(struct machine *m)
{
	struct machine_private *p = m->priv;

	for (int fd = 0; fd < p->npoll && p->nalways; fd++) {
		if (p->poll[fd].always)
			p->poll[fd].cb(p->poll[fd].arg, p->poll[fd].events);
	}
}

static void run_posts(struct machine *m)
{
	struct machine_private *p = m->priv;
	struct post *posts;
	size_t n;

	pthread_mutex_lock(&p->lock);
	posts = p->posts;
	n = p->nposts;
	p->posts = NULL;
	p->nposts = p->cap_posts = 0;
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < n; i++)
		posts[i].fn(posts[i].arg);
	free(posts);
}

void wait_service(struct machine *m)
{
	struct machine_private *p = m->priv;
	bool waits;

	if (p->nalways)
		serve_always(m);
	if (!__atomic_load_n(&p->pending, __ATOMIC_SEQ_CST) && p->watcher_runs)
		return;
	__atomic_store_n(&p->pending, false, __ATOMIC_SEQ_CST);
	pthread_mutex_lock(&p->lock);
	waits = p->watcher_waits;
	pthread_mutex_unlock(&p->lock);
	run_posts(m);
	if (!waits && p->watcher_runs)
		return;
	serve_ready(m);
	pthread_mutex_lock(&p->lock);
	p->watcher_waits = false;
	pthread_cond_signal(&p->handled);
	pthread_mutex_unlock(&p->lock);
}

/* ---- sleeping */

/* Virtual time stands still or is counted: then only the host's part of a deadline matters. */
static s64 host_deadline(const struct machine *m, u64 deadline)
{
	const struct machine_private *p = m->priv;
	s64 at = 0;

	if (deadline != ~0ull && m->clock.running && !m->clock.counted)
		at = MAX((s64)deadline - m->clock.offset, (s64)1);
	if (p->nalways) {
		s64 soon = host_ns() + MS;

		at = at ? MIN(at, soon) : soon;
	}
	return at;
}

/* A timerfd that fires too early costs one needless visit, setting it costs a system call: it only
 * ever moves forward in need. */
static void arm_at(struct machine *m, s64 at)
{
	struct machine_private *p = m->priv;
	struct itimerspec its = { 0 };
	s64 now;

	if (!at || !p->watcher_runs)
		return;
	if (p->armed && p->armed <= at) {
		now = host_ns();
		if (p->armed > now)
			return;
	}
	its.it_value = to_timespec(at);
	timerfd_settime(p->timerfd, TFD_TIMER_ABSTIME, &its, NULL);
	p->armed = at;
}

void wait_arm(struct machine *m, u64 deadline) { arm_at(m, host_deadline(m, deadline)); }
void wait_arm_host(struct machine *m, u64 ns) { arm_at(m, host_ns() + ns); }

void wait_idle(struct machine *m, u64 deadline)
{
	struct machine_private *p = m->priv;
	s64 at = host_deadline(m, deadline);
	struct timespec ts = to_timespec(at);

	pthread_mutex_lock(&p->lock);
	p->idle = true;
	while (!__atomic_load_n(&p->pending, __ATOMIC_SEQ_CST)) {
		if (!at)
			pthread_cond_wait(&p->wake, &p->lock);
		else if (pthread_cond_timedwait(&p->wake, &p->lock, &ts) == ETIMEDOUT)
			break;
	}
	p->idle = false;
	pthread_mutex_unlock(&p->lock);
}
