/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fpu.h - what the files of the x87 share. */
#pragma once
#include "f80.h"
#include "helpers.h"

#define FPU(name) u64 x86_h_##name(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)

static inline unsigned fpu_top(const struct x86_cpu *c) { return c->fpu_sw >> F80_TOP_SHIFT & 7; }
static inline void fpu_set_top(struct x86_cpu *c, unsigned top)
{
	c->fpu_sw = (u16)((c->fpu_sw & ~F80_TOP) | (top & 7) << F80_TOP_SHIFT);
}
/* Physical number of st(i). */
static inline unsigned fpu_phys(const struct x86_cpu *c, unsigned i)
{
	return (fpu_top(c) + i) & 7;
}
static inline bool fpu_empty(const struct x86_cpu *c, unsigned i)
{
	return !(c->fpu_tag >> fpu_phys(c, i) & 1);
}

/* Summary bits after a change of the flags or masks. */
void fpu_summary(struct x86_cpu *c);
/* A waiting instruction starts: #MF, or FERR#, when an unmasked exception is pending. */
void fpu_waiting(struct x86_cpu *c);
/* Control and status words were replaced: masks, summary, the host's registers. */
void fpu_loaded(struct x86_cpu *c);
/* The two-bit tags of FNSTENV. */
u16 fpu_full_tag(const struct x86_cpu *c);
/* Can n bytes at va be accessed? Alignment to `align` is checked where alignment checks are on. The
 * byte at `first` is looked at before the others: it decides which address a fault reports (as on
 * processors by AMD). */
void fpu_operand(struct x86_cpu *c, u64 va, unsigned n, unsigned first, unsigned align,
		 enum access access);
