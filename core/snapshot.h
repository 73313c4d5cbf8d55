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

/* How far a transfer is; atomic, for whoever shows it or calls it off. */
struct snapshot_progress {
	u64 total, done; /* total is the caller's: bytes of memory and layers: of which looked at */
	u64 moved;	 /* bytes of the stream */
	u64 pages;	 /* of RAM that were not zero */
	bool cancel;	 /* ends it with -ECANCELED */
};
#define SNAPSHOT_MAGIC "QUERNVM"

/*
 * In steps, for transfers that take their time. The machine must not run (machine_stop) until the
 * last one. collect: takes what is small; disk requests under way are finished first, and none may
 * be held back after an error. write: all of it, from any thread; fd is a file, pipe or socket,
 * written from where it stands, and stays the caller's. receive: into a machine that has been
 * reset, RAM and layers at once, from any thread. apply: the rest, on the machine's thread. When
 * one of these fails the machine's state is undefined: reset it. NULL or -errno with a sentence.
 */
struct snapshot;
struct snapshot *snapshot_collect(struct machine *m, bool ran, struct error *e);
int must_check snapshot_write(struct snapshot *s, int fd, struct snapshot_progress *p,
			      struct error *e);
struct snapshot *snapshot_receive(struct machine *m, int fd, struct snapshot_progress *p,
				  struct error *e);
int must_check snapshot_apply(struct snapshot *s, struct error *e);
void snapshot_free(struct snapshot *s);
/* For progress: bytes of RAM and layers. */
u64 snapshot_total(const struct snapshot *s);
bool snapshot_ran(const struct snapshot *s); /* did the machine that was saved run? */
/* All steps in one. */
int must_check snapshot_save(struct machine *m, int fd, struct error *e);
int must_check snapshot_load(struct machine *m, int fd, struct error *e);

/* Keyed values of one device, for what its bus and the core keep (struct bus_type). */
void snapshot_put(struct blob *b, const char *key, const void *p, size_t n);
/* -ENOENT when the snapshot has no such value, -EINVAL when its size is another. */
int must_check snapshot_get(struct blob *b, const char *key, void *p, size_t n);
/* The size of a value, or -ENOENT. */
s64 snapshot_size(struct blob *b, const char *key);
