/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch.h - catchpoints: events in the guest's kernel that somebody waits for, each a point on the
 * kernel's function for it. */
#pragma once
#include <jansson.h>
#include "core/debug.h"
#include "guest/linux.h"
#include <quern/device.h>

enum { CATCH_POINTS = 2 };
struct catch_kind;

struct catch
{
	const struct catch_kind *kind;
	struct linux_os *l;
	unsigned id;
	char *what; /* NAME or number, or NULL */
	char *who;  /* pid or name of the process it is limited to, or NULL */
	struct debug_point point[CATCH_POINTS];
	unsigned npoints;
	bool armed, useless; /* useless: this kernel has no such function */
	char text[320];	     /* of the last stop */
	struct list link;
};

struct watch {
	struct device anchor; /* what its timer belongs to; no more of a device than that */
	struct linux_os *l;
	struct list catches;
	/* While somebody waits and there is no kernel, it is looked for whenever a CPU loads a
	 * page-table root, which a kernel does before it runs where it was linked to; and by a
	 * timer, where it was there before somebody asked. */
	struct timer timer;
	u64 interval, not_before;
	bool awaited; /* os.h */
	bool told;    /* that it is a kernel of another kind that runs */
	unsigned last_id;
};

void watch_init(struct linux_os *l);
void watch_fini(struct linux_os *l);
void watch_reset(struct linux_os *l);
void watch_await(struct linux_os *l);
void watch_root(struct linux_os *l);
/* Arms what can be armed, and goes on looking for the kernel when it is not there yet. */
void watch_update(struct linux_os *l);

/* --- catch.c. The sentence says what is wrong. */
struct error;
int must_check catch_add(struct linux_os *l, const char *kind, const char *what, const char *who,
			 unsigned *id, struct error *e);
int must_check catch_remove(struct linux_os *l, unsigned id); /* -ENOENT */
void catch_clear(struct linux_os *l);
/* Arms one whose functions are there. */
void catch_arm(struct linux_os *l, struct catch *c);
void catch_disarm(struct linux_os *l, struct catch *c);
/* "panic", "module dummy"; kinds: all of them for a message */
const char *catch_name(const struct catch *c);
const char *catch_kinds(void);
/* exceptions and triple faults, from all catches together */
void catch_refresh(struct linux_os *l);
/* Is it of a kind that needs no kernel? */
bool catch_by_cpu(const struct catch *c);

struct debug_client *linux_client(struct linux_os *l);
/* The knowledge of m's guest as guest/ has it, or NULL. */
struct linux_os *linux_of(struct machine *m);
