/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block.h - disks from the inside. Nodes are one stack of equals: a host file, a format, a filter
 * and a copy-on-write overlay are each a node with a driver, which answers requests itself or hands
 * them on to its children. A drive (struct block) is where a device meets the node on top; it does
 * what all drives have: limits, error policies, statistics, the order of arrival. All on the
 * machine's thread; only a driver's own threads do the host's work.
 */
#pragma once
#include <quern/block.h>
#include "../lib/keyval.h"
#include "../lib/list.h"

struct machine;
struct block_node;

/* ---- nodes */

struct block_driver {
	const char *name, *doc;
	const char *keys; /* "offset|size": all keys of its own */
	bool protocol;	  /* does the host's I/O itself: has no child `file` */
	/* Opens with what kv says (look-ups mark the keys as used); n has name, machine, readonly
	 * and cache set, and n->file is open unless it is a protocol. Fills size, align... 0 or
	 * -errno. */
	int (*open)(struct block_node *n, struct keyvals *kv, struct error *e);
	void (*close)(struct block_node *n);
	/* Ends with block_done(r, err), at once or later; r is within the size. */
	void (*submit)(struct block_node *n, struct block_req *r);
	/* optional: all that follow until unplug may go together; drivers pass it on to children */
	void (*plug)(struct block_node *n, bool on);
	/* optional: a new size; sets n->size. For block_resize. */
	int (*truncate)(struct block_node *n, u64 size, struct error *e);
	/* optional: held-back requests go on now, whatever the driver waits for */
	void (*drain)(struct block_node *n);
	/* optional: QMP's ImageInfo, "filename" */
	const char *(*filename)(struct block_node *n);
	/* optional: when the contents were changed last, in ns of the host's clock. For snapshots.
	 */
	int (*changed)(struct block_node *n, s64 *ns);
	/* optional: lets another process have the image, and takes it again (see
	 * block_activate_all)
	 */
	int (*activate)(struct block_node *n, bool on, struct error *e);
	/* Temporary layers, for snapshots; any thread, while the machine stands still. next: the
	 * first bytes from *at on that the layer has, up to max; 0 = there are no more. */
	u64 (*layer_next)(struct block_node *n, u64 *at, u64 max);
	int (*layer_read)(struct block_node *n, u64 at, void *buf, u64 bytes);
	int (*layer_write)(struct block_node *n, u64 at, const void *buf, u64 bytes);
	void (*layer_clear)(struct block_node *n);
};
/* BLOCK_DRIVER(null_co, .name = "null-co", ...) anywhere in a .c file. */
#define BLOCK_DRIVER(id, ...) \
	static const struct block_driver block_driver_##id = { __VA_ARGS__ }; \
	static const struct block_driver *const block_driver_##id##_p \
		__attribute__((section("quern_block"), used)) = &block_driver_##id
const struct block_driver *block_driver_find(const char *name);
void block_driver_each(void (*fn)(void *arg, const struct block_driver *d), void *arg);

struct block_cache {
	bool direct, no_flush;
};
enum { NODE_NAME_MAX = 31 };
struct block_node {
	const struct block_driver *driver;
	struct machine *machine;
	char name[NODE_NAME_MAX + 1]; /* "#block123" when the user gave none */
	struct list link;
	unsigned refs; /* parents, drives, and the user who made it by name */
	bool named;    /* by the user: stays until blockdev-del */
	struct block_node *file, *backing;
	u64 size;
	/* requests smaller than align are possible but slow; memory alignment that avoids copies */
	u32 align, mem_align, optimal;
	bool readonly, writing; /* writing: opened for it */
	bool discard;		/* discards are passed on (discard=unmap) */
	bool can_discard;	/* and reach something */
	u8 detect_zeroes;	/* off, on, unmap */
	struct block_cache cache;
	void *impl;
};

/* Opens a node and what is below it: driver=, node-name=, read-only=, discard=, detect-zeroes=,
 * cache.direct=, cache.no-flush=, file= (a node's name) or file.driver=... Every key must be known
 * to the driver. A new reference. */
struct block_node *block_open(struct machine *m, struct keyvals *kv, struct error *e);
struct block_node *block_node_find(struct machine *m, const char *name);
static inline struct block_node *block_ref(struct block_node *n)
{
	n->refs++;
	return n;
}
void block_unref(struct block_node *n); /* the last one closes it; NULL is allowed */
void block_node_each(struct machine *m, void (*fn)(void *arg, struct block_node *n), void *arg);
const char *block_filename(struct block_node *n); /* "" when it has none */
/* One that is made by code (overlays, tests): submit and size are the caller's to fill. */
struct block_node *block_node_new(struct machine *m, const struct block_driver *d,
				  const char *name);

/* Hands a request to a node; block_done follows. Parents use requests of their own, or pass theirs
 * on when they have nothing to do at the end. */
void block_node_submit(struct block_node *n, struct block_req *r);
void block_node_plug(struct block_node *n, bool on);
/* The request has ended. On the machine's thread; never calls into devices, which hear of it
 * afterwards. */
void block_done(struct block_req *r, int err);

/* Waits for a request whose done() sets r->ended: for what must be done now. */
void block_wait(struct block_node *n, struct block_req *r);

/* ---- the machine's side: who does the host's work */

struct block_engine {
	/* Takes what has ended on the host and calls block_done for it; wait: sleeps until there is
	 * something. False: nothing is under way. */
	bool (*reap)(struct block_engine *en, bool wait);
	void (*fini)(struct block_engine *en);
	struct list link;
};
void block_engine_add(struct machine *m, struct block_engine *en);
struct block_engine *block_engine_find(struct machine *m,
				       bool (*reap)(struct block_engine *en, bool wait));
/* Engines call it when their descriptor became readable. */
void block_reap(struct machine *m);
/* While the clock counts, a request takes this long, whatever the host does: runs repeat. */
#define BLOCK_COUNTED_NS 20000ull

/* ---- drives */

enum block_on_error { ONERR_REPORT, ONERR_IGNORE, ONERR_ENOSPC, ONERR_STOP };
struct block_stats {
	u64 ops[BLOCK_ZEROES + 1], bytes[BLOCK_ZEROES + 1], failed[BLOCK_ZEROES + 1],
		invalid[BLOCK_ZEROES + 1], ns[BLOCK_ZEROES + 1];
	u64 highest; /* end of the highest write */
};
struct block {
	struct machine *machine;
	struct list link;
	char *id;		 /* of -drive; NULL: made for a node that a device names */
	struct block_node *node; /* NULL = no medium */
	void *dev;		 /* struct device, or NULL */
	const struct block_user *use;
	bool readonly;	/* of the drive: for empty ones */
	bool removable; /* media=cdrom, or the device's user has `media` */
	bool write_cache, write_cache_default;
	u8 rerror, werror;	/* enum block_on_error */
	bool tray_open, failed; /* failed: io-status of QMP */
	bool nospace;
	/* held: after an error that stopped the machine */
	struct block_list under_way, ended, held;
	unsigned plugged;
	bool wants_batch;
	struct block_stats stats;
	/* what -drive said for its device: */
	int if_type, bus, unit, index;
	bool cdrom, auto_device;
};
/* A drive; id may be NULL, n NULL (no medium). Takes over the reference of n. */
struct block *block_new(struct machine *m, const char *id, struct block_node *n);
void block_free(struct block *b);
struct block *block_find(struct machine *m, const char *id);
struct block *block_next(struct machine *m, struct block *b); /* b NULL: the first one */
/* Media: takes over the reference of n. The device hears of it. */
void block_insert(struct block *b, struct block_node *n);
void block_remove(struct block *b);
int must_check block_resize(struct block *b, u64 size, struct error *e);
void block_drain_all(struct machine *m);
/* Waits for all requests under way, but keeps those that are held back after an error: with such
 * -EBUSY and a sentence, for then the machine's state is not all in its devices. */
int must_check block_settle_all(struct machine *m, struct error *e);
/* Between processes that use one image in turn (migration): off lets go of the images' locks, on
 * takes them. While a machine waits for its state (block_inactive at its making) it has none. */
int must_check block_activate_all(struct machine *m, bool on, struct error *e);
void block_set_inactive(struct machine *m);
bool block_inactive(const struct machine *m);
/* "report|ignore|enospc|stop" */
int must_check block_parse_on_error(const char *s, u8 *v, bool write, struct error *e);
/* machine.c: begins and ends with the machine; what was held goes on when it runs again. */
void block_machine_fini(struct machine *m);
void block_machine_cont(struct machine *m);
