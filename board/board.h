/* SPDX-License-Identifier: GPL-2.0-or-later */
/* board.h - machines as wiring: a board is a name, its options and a function that builds it.
 * Boards register themselves. */
#pragma once
#include <quern/types.h>
#include "core/device.h"
#include "core/machine.h"

struct chardev;
struct memory_backend;
struct error;

/* One `-machine key=value` that a board understands. */
struct board_option {
	const char *name, *doc;
	const char *values; /* "on|off", "on|off|auto", "SIZE", or NULL = any text */
	const char *def;
	/* accepted without effect: the reason, which the user is told when the value is not the
	 * default */
	const char *ignored;
};
struct board_setting {
	const char *key, *value;
};

/* Memory nodes. Memory of node 0 comes first in the machine's RAM, then that of node 1... */
enum { NUMA_NODES = 128 };
struct board_numa {
	unsigned nodes;
	u64 size[NUMA_NODES]; /* they add up to the RAM's */
	u8 *cpu_node;	      /* of each CPU */
	bool distances;	      /* given; else what they are is not told */
	u8 distance[NUMA_NODES][NUMA_NODES];
};

/* What the user asked for. */
struct board_config {
	u64 ram_size;
	/* what main memory is made of, ram_size bytes in all; nmemory 0 = memory of its own */
	struct memory_backend *const *memory;
	unsigned nmemory;
	const struct board_numa *numa; /* NULL = one node; the caller's, as long as the machine */
	u32 cpus, max_cpus;	       /* max_cpus 0 = cpus */
	/* -smp topology; 0 = derived: sockets = cpus, the rest 1 */
	u32 sockets, dies, cores, threads;
	const char *cpu_model;	   /* -cpu, or NULL = the board's default */
	struct chardev *serial[4]; /* NULL = that port is absent */
	/* absent back ends still give a port that nobody listens at */
	bool serial_all;
	const struct board_setting *settings; /* -machine key=value */
	unsigned nsettings;
	const u8 *firmware; /* image for the top of 4 GiB (-bios), or NULL; copied */
	size_t firmware_size;
	/* a kernel is loaded by boot/: what firmware would program is programmed at reset */
	bool direct_boot;
};

struct board {
	const char *name, *doc;
	/* shell patterns such as "pc-i440fx-*", ends with NULL; may be NULL */
	const char *const *aliases;
	const char *isa, *default_cpu;
	u32 max_cpus;
	u64 default_ram;
	bool is_default;
	const struct board_option *options; /* ends with {} */
	/* Builds the machine: CPUs, memory, devices, wiring. Options are checked already. 0 or
	 * -errno with a sentence. */
	int (*init)(struct machine *m, const struct board_config *c, struct error *e);
};

/* By name or alias; NULL when there is none. */
const struct board *board_find(const char *name);
const struct board *board_default(const char *isa);
void board_each(void (*fn)(void *arg, const struct board *b), void *arg);
/* Checks the configuration against the board's limits and options, sets m->board and m->isa, and
 * builds it. */
int must_check board_build(struct machine *m, const struct board *b, const struct board_config *c,
			   struct error *e);

/* For boards: an option's value, given or default; never NULL for an option in the table that has a
 * default. */
const char *board_option(const struct board *b, const struct board_config *c, const char *name);
bool board_option_on(const struct board *b, const struct board_config *c, const char *name,
		     bool auto_means);
/* Creates m->cpu[0..n): allocated, initialised by the model string. */
int must_check board_make_cpus(struct machine *m, const struct board *b,
			       const struct board_config *c, struct error *e);

#define BOARD(var) \
	static const struct board *const board_##var##_p \
		__attribute__((section("quern_board"), used)) = &var
