/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machine_wait.c - how the machine thread learns of things from outside. While no vCPU has work, it
 * sleeps itself in ppoll(2) over an epoll instance of all polled descriptors, with the next
 * deadline as time-out, and an eventfd for what other threads bring. While it executes guest code,
 * a watcher thread sleeps over the same instance and a timerfd; what wakes it sets `pending` and
 * kicks the running vCPU out of translated code. The watcher is told of ready descriptors once each
 * time (EPOLLONESHOT): who serves them asks for the next time. No wake-up is lost: who wakes writes
 * pending, then reads current and idle; the machine thread writes these, then reads pending.
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

static void put_event(int fd)
{
	u64 one = 1;

	/* EAGAIN: it is set already */
	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void wait_wake(struct machine *m)
{
	struct machine_private *p = m->priv;

	__atomic_store_n(&p->pending, true, __ATOMIC_SEQ_CST);
	wait_kick_current(m, CPU_EXIT_STOP);
	if (__atomic_load_n(&p->idle, __ATOMIC_SEQ_CST))
		put_event(p->wakefd);
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

/* One round; false to end. While the machine thread sleeps, it has its own deadline. */
static bool watch(struct machine *m)
{
	struct machine_private *p = m->priv;
	struct epoll_event ev[3];
	int n = epoll_wait(p->watch, ev, ARRAY_SIZE(ev), -1);
	bool wake = false;
	u64 count;

	for (int i = 0; i < n; i++) {
		if (ev[i].data.fd == p->stopfd)
			return false;
		if (ev[i].data.fd == p->epoll) {
			__atomic_store_n(&p->ready, true, __ATOMIC_SEQ_CST);
			wake = true;
			continue;
		}
		if (read(p->timerfd, &count, sizeof(count)) < 0 && errno != EAGAIN)
			return false;
		wake |= !__atomic_load_n(&p->idle, __ATOMIC_SEQ_CST);
	}
	if (wake)
		wait_wake(m);
	return true;
}

static void *watcher(void *arg)
{
	while (watch(arg))
		;
	return NULL;
}

/* The watcher is to tell of ready descriptors once, or not at all. */
static void set_watching(struct machine_private *p, bool on)
{
	struct epoll_event ev = { .events = on ? EPOLLIN | EPOLLONESHOT : 0, .data.fd = p->epoll };

	if (p->watching == on || !p->watcher_runs)
		return;
	p->watching = on;
	if (epoll_ctl(p->watch, EPOLL_CTL_MOD, p->epoll, &ev))
		warn("input of the guest will be late: %s", strerror(errno));
}

static int watch_fd(struct machine_private *p, int fd, u32 events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return epoll_ctl(p->watch, EPOLL_CTL_ADD, fd, &ev);
}

int wait_init(struct machine *m, struct error *e)
{
	struct machine_private *p = m->priv;

	pthread_mutex_init(&p->lock, NULL);
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	p->watch = epoll_create1(EPOLL_CLOEXEC);
	p->timerfd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	p->stopfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	p->wakefd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->epoll < 0 || p->watch < 0 || p->timerfd < 0 || p->stopfd < 0 || p->wakefd < 0)
		return error_ret(e, -errno, "the host gives no descriptors for a machine: %s",
				 strerror(errno));
	if (watch_fd(p, p->timerfd, EPOLLIN) || watch_fd(p, p->stopfd, EPOLLIN) ||
	    watch_fd(p, p->epoll, 0))
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

	if (p->watcher_runs) {
		put_event(p->stopfd);
		pthread_join(p->watcher, NULL);
		p->watcher_runs = false;
	}
}

void wait_fini(struct machine *m)
{
	struct machine_private *p = m->priv;

	wait_stop(m);
	close(p->epoll);
	close(p->watch);
	close(p->timerfd);
	close(p->stopfd);
	close(p->wakefd);
	pthread_mutex_destroy(&p->lock);
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

	if (p->nalways)
		serve_always(m);
	if (!__atomic_load_n(&p->pending, __ATOMIC_SEQ_CST) && p->watcher_runs)
		return;
	__atomic_store_n(&p->pending, false, __ATOMIC_SEQ_CST);
	run_posts(m);
	if (!__atomic_exchange_n(&p->ready, false, __ATOMIC_SEQ_CST) && p->watcher_runs)
		return;
	p->watching = false;
	serve_ready(m);
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

void wait_watch(struct machine *m) { set_watching(m->priv, true); }

void wait_idle(struct machine *m, u64 deadline)
{
	struct machine_private *p = m->priv;
	s64 at = host_deadline(m, deadline), left = at ? MAX(at - host_ns(), (s64)0) : 0;
	struct timespec ts = to_timespec(left);
	struct pollfd fds[] = { { p->epoll, POLLIN, 0 }, { p->wakefd, POLLIN, 0 } };
	u64 count;

	if (at && !left)
		return;
	set_watching(p, false);
	__atomic_store_n(&p->idle, true, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&p->pending, __ATOMIC_SEQ_CST))
		ppoll(fds, ARRAY_SIZE(fds), at ? &ts : NULL, NULL);
	__atomic_store_n(&p->idle, false, __ATOMIC_SEQ_CST);
	if ((fds[1].revents & POLLIN) && read(p->wakefd, &count, sizeof(count)) < 0 &&
	    errno != EAGAIN)
		warn("the machine's descriptor fails: %s", strerror(errno));
	if (fds[0].revents & POLLIN) {
		__atomic_store_n(&p->ready, true, __ATOMIC_SEQ_CST);
		__atomic_store_n(&p->pending, true, __ATOMIC_SEQ_CST);
	}
}
