/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ir_fuzz.h - random units of IR through the interpreter and the host's back end, on an instruction
 * set made up for it: "instructions" are 4 bytes long and mean what a random generator makes of
 * their address. */
#pragma once
#include "core/cpu.h"
#include "ir/ir.h"

/* n units; returns how many differed. */
u64 ir_fuzz(u64 seed, u64 n);

/* --- the made-up instruction set */
enum { FZ_NG = 14, FZ_NPTR = 3, FZ_NV = 4 };
enum fz_slot {
	FZ_G,
	FZ_PTR = FZ_G + FZ_NG,
	FZ_ZERO = FZ_PTR + FZ_NPTR,
	FZ_TAINT,
	FZ_FLAGS,
	FZ_PC,
	FZ_V,
	FZ_VQ = FZ_V + FZ_NV,
	FZ_SLOTS = FZ_VQ + 2 * FZ_NV
};
enum fz_helper {
	FZH_NONE,
	FZH_MIX,
	FZH_STATE,
	FZH_READ,
	FZH_STOP,
	FZH_PXOR,
	FZH_PADDB,
	FZH_PSHUFD,
	FZH_PMOVMSKB,
	FZH_PTEST,
	FZH_PSLLW,
	FZH_COUNT
};
#define FZ_DATA 0x100000ull
enum { FZ_WINDOW = 0x3000 };
#define FZ_STOP 0x7f0000ull
/* Units lie 64 bytes apart; each generation continues in the next one, and the fourth ends. */
static inline u64 fz_next_pc(u64 pc, unsigned k)
{
	return (pc & 0x180) == 0x180 ? FZ_STOP : (pc & ~0x3full) + 0x80 + (k & 1) * 0x1000;
}
/* Up to `max` instructions of the unit that pc lies in, from pc on. */
void ir_generate(struct ir *ir, u64 seed, u64 pc, unsigned max);
/* Shrinking: the op-th operation of the instruction at pc is generated no more; the last one taken
 * out comes back. */
bool ir_leave_out(u64 pc, unsigned op);
void ir_take_back(void);
