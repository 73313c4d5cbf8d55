/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fdio.h - descriptors as character back ends use them. Input is read when the front end has room;
 * output is written at once, kept in order while the peer is slow, and drained before closing.
 * O_NONBLOCK is never set on a description that others share.
 */
#pragma once
#include <quern/types.h>
#include "lib/error.h"

struct chardev;
struct machine;

struct fdio {
	struct chardev *c;
	struct machine *m;
	int in, out;		     /* may be equal; -1 = none. Owned */
	short in_events, out_events; /* as registered */
	bool in_paused, in_ended, out_broken;
	bool refused; /* the last write took less than all */
	bool in_socket, out_socket;
	bool out_shared; /* the description is somebody else's too and may block */
	u8 *queue;	 /* what could not be written yet: [at, n) */
	size_t at, n, cap;
	const char *what;		/* for messages: "standard output" */
	void (*hangup)(struct fdio *f); /* end of input or a broken peer; NULL: input just ends */
	/* Looks at received bytes first; returns how many are left for the front end. May be NULL.
	 */
	size_t (*filter)(struct fdio *f, u8 *buf, size_t n);
};

void fdio_init(struct fdio *f, struct chardev *c, struct machine *m, const char *what);
/* Begins with these descriptors, which are now ours. */
void fdio_start(struct fdio *f, int in, int out);
/* Drains for as long as the peer takes anything, at most ms milliseconds without progress (-1: any
 * time), then closes. */
void fdio_stop(struct fdio *f, int ms);
int fdio_write(struct fdio *f, const u8 *buf, int n);
void fdio_room(struct fdio *f);

/*
 * A description of our own for a descriptor that was inherited, non-blocking where that is
 * possible; else a duplicate, and *shared is set. Regular files are always duplicated, so that
 * position and O_APPEND stay common.
 */
int fd_own(int fd, int flags, bool *shared, const char *what, struct error *e) must_check;
