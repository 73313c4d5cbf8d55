/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chardev.h - character devices' inside: what a back end (host/, or mux and ringbuf in core/) implements and how front ends attach. */
#pragma once
#include <quern/device.h>
#include "../lib/list.h"

struct machine;
struct chardev;

struct chardev_ops {
	const char *name;		/* "stdio", "file", ... */
	int (*write)(struct chardev *c, const u8 *buf, int n);	/* bytes taken; may take fewer when the peer is slow */
	void (*room)(struct chardev *c);			/* the front end can receive again: resume reading */
	void (*fini)(struct chardev *c);
	void (*set_break)(struct chardev *c);			/* the guest sends a break; may be NULL */
};
struct chardev {
	const struct chardev_ops *ops;
	const char *id;
	struct machine *machine;
	struct list link;
	void *user;				/* the attached front end, or NULL */
	const struct chardev_user *use;
	bool open;				/* a peer is there */
	int logfd;				/* logfile=, or -1 */
	void *impl;
};

void chardev_init(struct chardev *c, struct machine *m, const struct chardev_ops *ops, const char *id, void *impl);
/* Back ends: hand received bytes to the front end; returns how many it took (ask chardev_can_receive first). */
int chardev_can_receive(struct chardev *c);
void chardev_receive(struct chardev *c, const u8 *buf, int n);
void chardev_event(struct chardev *c, int event);
struct chardev *chardev_find(struct machine *m, const char *id);
/* The chardev for a new front end: a mux gives a further front of itself; any other must be free. NULL with a sentence. */
struct chardev *chardev_claim(struct machine *m, const char *id, struct error *e);
void chardev_free(struct chardev *c);
