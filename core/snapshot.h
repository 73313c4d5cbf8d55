/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot.h - a whole machine's state as a stream of named sections: RAM without its zero pages,
 * CPUs by their instruction set's table, devices by theirs, and what others add. A machine of the
 * same configuration that loads it goes on as the saved one would have. */
#pragma once
#include <quern/types.h>
#include "../lib/list.h"

struct machine;
struct device;
struct blob;
struct error;

/* State that belongs neither to a device nor to a CPU; embedded in its owner. */
struct snapshot_part {
	const char *name; /* unique in the machine; names the section */
	void (*save)(void *arg, struct blob *b);
	/* 0, or -errno with a sentence */
	int (*load)(void *arg, struct blob *b, struct error *e);
	void *arg;
	struct list link;
};
void snapshot_add_part(struct machine *m, struct snapshot_part *p);
void snapshot_remove_part(struct snapshot_part *p);

/* The machine must not run (machine_stop). Disk requests under way are finished first. fd: a file,
 * pipe or socket, written from where it stands to the end of the snapshot; stays the caller's. 0,
 * or -errno with a sentence. */
int must_check snapshot_save(struct machine *m, int fd, struct error *e);
/* Into a machine that has been reset and does not run. On failure its state is undefined: reset it.
 */
int must_check snapshot_load(struct machine *m, int fd, struct error *e);

/* Keyed values of one device, for what its bus and the core keep (struct bus_type). */
void snapshot_put(struct blob *b, const char *key, const void *p, size_t n);
/* -ENOENT when the snapshot has no such value, -EINVAL when its size is another. */
int must_check snapshot_get(struct blob *b, const char *key, void *p, size_t n);
/* The size of a value, or -ENOENT. */
s64 snapshot_size(struct blob *b, const char *key);
