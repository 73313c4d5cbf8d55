/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan.h - what is put into guest memory before the guest runs, and again at each reset: pieces of
 * memory with a name, checked against the machine's memory and against each other; and the state in
 * which the first CPU starts. */
#pragma once
#include <quern/types.h>
#include "core/boot_entry.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"

struct plan_piece {
	const char *what; /* for sentences: "the kernel" */
	u64 addr, size;	  /* guest-physical memory; zero-filled after data */
	const u8 *data;
	u64 data_size;
	bool any;    /* need not be RAM: ROM and overlaps are allowed (generic loader, BIOS area) */
	bool filled; /* its bytes are in memory already; fill brings them back at later resets */
};
struct plan_cpu {
	u32 index;
	u64 pc;
}; /* generic loader: cpu-num */

struct boot_plan {
	struct machine *m;
	VEC(struct plan_piece) pieces;
	VEC(void *) owned; /* malloc'ed blocks that pieces point into */
	VEC(struct plan_cpu) cpus;
	bool has_entry;
	struct boot_entry entry;
	u64 uncached; /* x86: start of the device range below 4 GiB for MTRRs; 0 = MTRRs stay as
			 after reset */
	bool placed;  /* memory is no longer all zero */
	void (*fill)(void *arg); /* before all pieces at every placing but the first; may be NULL */
	void *fill_arg;
	struct reset_hook hook;
};

struct boot_plan *plan_new(struct machine *m);
void plan_free(struct boot_plan *p);
/* Hands a malloc'ed block to the plan; returns it. */
void *plan_own(struct boot_plan *p, void *block);

/* RAM below 4 GiB, as far as boot loaders place things in it. */
u64 plan_ram_low(const struct boot_plan *p);
/* Adds a piece. -ERANGE with a sentence when it is not in RAM or overlaps another one. data stays
 * the caller's or the plan's (plan_own). */
int plan_add(struct boot_plan *p, const char *what, u64 addr, u64 size, const void *data,
	     u64 data_size, struct error *e) must_check;
/* The same for RAM that has its bytes already, and for which plan->fill is responsible. */
int plan_add_filled(struct boot_plan *p, const char *what, u64 addr, u64 size,
		    struct error *e) must_check;
/* Host memory of [addr, addr + size) when it is all in RAM, else NULL. */
u8 *plan_ram(struct boot_plan *p, u64 addr, u64 size);
/* As plan_add, anywhere in memory that can be written by a loader, ROM included, overlapping what
 * it likes. */
void plan_add_any(struct boot_plan *p, const char *what, u64 addr, const void *data, u64 size);
/* A free place of size bytes in RAM within [lo, hi), the highest or lowest; false when there is
 * none. */
bool plan_find(const struct boot_plan *p, u64 lo, u64 hi, u64 size, u64 align, bool highest,
	       u64 *addr);
/* plan_find the lowest and plan_add of a private copy of data. */
int plan_put(struct boot_plan *p, const char *what, u64 lo, u64 hi, u64 align, const void *data,
	     u64 size, u64 *addr, struct error *e) must_check;
/* From now on every reset of the machine places everything and starts the CPU. */
void plan_commit(struct boot_plan *p);
/* Places everything once; what the reset hook does. */
void plan_place(struct boot_plan *p);
