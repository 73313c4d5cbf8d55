/* SPDX-License-Identifier: GPL-2.0-or-later */
/* corefile.h - what an instruction set knows about files of a machine's memory that crash and
 * debuggers read (dump/): the notes that tell a CPU's state, and what its page tables map. */
#pragma once
#include <quern/types.h>

struct cpu;

struct corefile_isa {
	/* e_machine of an ELF file of this CPU's system, as it runs now; *wide: its addresses have
	 * 64 bits. */
	u16 (*machine)(const struct cpu *cpu, bool *wide);
	/* Calls `note` for each note of a CPU in the form that `wide` says: its registers as a
	 * thread's (NT_PRSTATUS), then what else there is to know. */
	void (*notes)(struct cpu *cpu, bool wide,
		      void (*note)(void *arg, const char *name, u32 type, const void *desc,
				   size_t n),
		      void *arg);
	/* Calls `map` for every page, of whatever size, that the page tables in force map;
	 * ascending by va. False when it gave up: the tables are larger than sensible ones. Without
	 * paging it calls nothing and is true. */
	bool (*mappings)(struct cpu *cpu, void (*map)(void *arg, u64 va, u64 pa, u64 size),
			 void *arg);
};
