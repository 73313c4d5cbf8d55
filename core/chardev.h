/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chardev.h - character devices' inside: what a back end (host/, or mux and ringbuf in core/)
 * implements and how front ends attach. */
#pragma once
#include <quern/device.h>
#include "../lib/list.h"

struct machine;
struct chardev;

struct chardev_ops {
	const char *name; /* "stdio", "file", ... */
	/* bytes taken; may take fewer when the peer is slow */
	int (*write)(struct chardev *c, const u8 *buf, int n);
	/* the front end can receive again: resume reading */
	void (*room)(struct chardev *c);
	void (*fini)(struct chardev *c); /* releases impl and c itself */
	/* the guest sends a break; may be NULL */
	void (*set_break)(struct chardev *c);
	/* a mux: a further front of itself; others NULL */
	struct chardev *(*front)(struct chardev *c);
	/* servers: see chardev_peers; others NULL */
	void (*peers)(struct chardev *c, void (*fn)(void *arg, struct chardev *peer), void *arg);
};
struct chardev {
	const struct chardev_ops *ops;
	const char *id;
	struct machine *machine;
	struct list link;
	void *user; /* the attached front end, or NULL */
	const struct chardev_user *use;
	bool open;     /* a peer is there */
	bool claimed;  /* promised to a front end that will attach */
	int logfd;     /* logfile=, or -1 */
	int passed_fd; /* the last descriptor that the peer sent along, or -1 */
	void *impl;
};

void chardev_init(struct chardev *c, struct machine *m, const struct chardev_ops *ops,
		  const char *id, void *impl);
/* Back ends: hand received bytes to the front end; returns how many it took (ask
 * chardev_can_receive first). */
int chardev_can_receive(struct chardev *c);
void chardev_receive(struct chardev *c, const u8 *buf, int n);
/* A descriptor came with the bytes that chardev_receive gets next; it is c's now. */
void chardev_pass_fd(struct chardev *c, int fd);
/* The caller's from now on; -1: none came. */
int chardev_take_fd(struct chardev *c);
void chardev_event(struct chardev *c, int event);
struct chardev *chardev_find(struct machine *m, const char *id);
void chardev_each(struct machine *m, void (*fn)(void *arg, struct chardev *c), void *arg);
/* The chardev for a new front end: a mux gives a further front of itself; any other must be free.
 * NULL with a sentence. */
struct chardev *chardev_claim(struct machine *m, const char *id, struct error *e);
/* From now on further clients are accepted while one is connected. Each is a chardev of its own,
 * without a name, which fn takes and frees when it is closed (not within its event). False: c
 * serves one peer only. */
bool must_check chardev_peers(struct chardev *c, void (*fn)(void *arg, struct chardev *peer),
			      void *arg);
void chardev_free(struct chardev *c);
/* logfile=, logappend=: what front ends write is also appended to this file. */
int must_check chardev_log(struct chardev *c, const char *path, bool append, struct error *e);

/* Back ends that need no host. */
struct chardev *chardev_null(struct machine *m, const char *id);
/* Keeps the last `size` bytes (a power of two) that were written. */
struct chardev *chardev_ringbuf(struct machine *m, const char *id, u64 size, struct error *e);
/* takes up to n of the oldest; -EINVAL when c is no ringbuf */
int ringbuf_read(struct chardev *c, u8 *buf, int n);
int ringbuf_write(struct chardev *c, const u8 *buf, int n); /* as if the peer had typed it */

/*
 * A mux: several front ends share one back end. All may write; input goes to the one in focus. The
 * escape character (Ctrl-a, `-echr`) and then a key: h help, x quit, s save, t time stamps, b
 * break, c next front end, the escape itself.
 */
struct mux_actions {
	void (*quit)(void *arg);
	void (*save)(void *arg); /* may be NULL: nothing to save */
	void *arg;
};
struct chardev *chardev_mux(struct machine *m, const char *id, struct chardev *backend,
			    const struct mux_actions *a);
void mux_set_escape(struct chardev *mux, u8 escape); /* 0: none */
void mux_focus(struct chardev *mux, unsigned front);
/* Does what is typed reach this front end? Always, unless it shares a mux with others. */
bool chardev_focused(struct chardev *c);
