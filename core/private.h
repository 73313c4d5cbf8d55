/* SPDX-License-Identifier: GPL-2.0-or-later */
/* private.h - what the files of core/ share about a machine and other rooms need not see: spaces,
 * posts, the wake-up thread, armed faults. */
#pragma once
#include "core/machine.h"
#include <pthread.h>

struct post {
	void (*fn)(void *arg);
	void *arg;
};

struct poll_entry {
	void (*cb)(void *arg, short revents);
	void *arg;
	short events;
	/* a file that epoll refuses: always ready, looked at once per millisecond */
	bool always;
};

struct machine_private {
	struct list globals, spaces, buses, chardevs, objects, netdevs, faults, reset_hooks,
		powerdown_hooks, fini_hooks, fds;
	struct list parts, drains;   /* snapshot.h */
	struct list saved;	     /* savevm.c */
	struct migration *migration; /* migrate.c; NULL until there is one */
	unsigned space_depth;	     /* inside space_begin */
	bool space_dirty, space_force;

	/* The wake-up: see machine_wait.c. pending, ready, idle and machine->current are atomic. */
	bool pending, ready, idle;
	bool watching, watcher_runs; /* the machine thread's */
	pthread_mutex_t lock;	     /* over posts */
	struct post *posts;
	size_t nposts, cap_posts;
	pthread_t watcher;
	int epoll, watch, timerfd, stopfd, wakefd;
	s64 armed;		 /* host ns when the timerfd fires, 0 = it does not */
	struct poll_entry *poll; /* by descriptor */
	int npoll, nalways;

	struct late_queue *late;   /* late.c */
	struct block_state *block; /* block.c; NULL until there is a disk */
	struct keyboard *keyboard; /* keyboard.c */
	u32 turn;		   /* the vCPU that runs next */
	bool was_reset, hold;	   /* hold: stopped before the first run (-S) */
	u64 random_state;
	struct device *balloon; /* balloon.h */
	const struct balloon_iface *balloon_iface;
	u8 ncards; /* addresses of network cards that were given out */
	u32 unimplemented_count;
	u64 *unimplemented_seen;
	const struct os *os; /* os.h */
	void *os_state;
	u64 slide;
	bool slide_known;
	/* gdbserver.h */
	int (*gdbserver_open)(void *arg, const char *dev, struct error *e);
	void *gdbserver_arg;
};

void savevm_fini(struct machine *m);

/* machine_wait.c */
int must_check wait_init(struct machine *m, struct error *e);
void wait_stop(struct machine *m); /* ends the watcher thread */
void wait_fini(struct machine *m);
/* the watcher thread; at the start of machine_run */
void wait_start(struct machine *m);
/* any thread: the machine thread shall look at posts, descriptors and timers soon */
void wait_wake(struct machine *m);
/* before guest code runs: descriptors that become ready kick it */
void wait_watch(struct machine *m);
void wait_arm(struct machine *m, u64 deadline); /* virtual ns: wake then at the latest */
/* the same by the host's clock, while virtual time stands still: in ns from now */
void wait_arm_host(struct machine *m, u64 ns);
/* sleep until woken or that virtual time (~0: only woken) */
void wait_idle(struct machine *m, u64 deadline);
void wait_service(struct machine *m); /* run posts and ready descriptors */
void wait_kick_current(struct machine *m, u32 why);
s64 host_ns(void);
