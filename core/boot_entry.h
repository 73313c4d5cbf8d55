/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot_entry.h - how a boot loader leaves the first CPU to what it has loaded: what struct isa's
 * boot_entry puts into the CPU's registers after a reset. Interrupts are off and all other state is
 * as after power-on. */
#pragma once
#include <quern/types.h>

enum boot_mode {
	BOOT_MODE_ISA, /* the isa's own start state, with pc and reg[] only (guests other than x86;
			  generic loader) */
	BOOT_X86_REAL16, /* real mode: CS:IP = cs:pc, all other segments = ds */
	BOOT_X86_PROT32, /* protected mode, paging off, flat segments */
	BOOT_X86_LONG64, /* long mode, paging on with cr3, flat segments */
	BOOT_X86_OTHER,	 /* a CPU that does not start: only the MTRRs are set, as firmware leaves
			    them on all CPUs */
};

struct boot_entry {
	enum boot_mode mode;
	u64 pc;
	/* x86. Selectors name descriptors of the GDT for the flat segments; LONG64 has a 64-bit
	 * code segment at cs. */
	u64 rax, rbx, rsi, rsp;
	u64 cr3;
	u64 gdt_base;
	u16 gdt_limit, cs, ds;
	u16 tr;	      /* 0, or the selector of a 32-bit busy TSS with base 0, limit 0x67 */
	u64 uncached; /* MTRRs: below 4 GiB, write-back up to here and uncached from here on (a
			 power of two below 4 GiB); 0 = untouched */
	/* BOOT_MODE_ISA: argument registers in the order of the isa's boot convention */
	u64 reg[4];
};
