/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rng.h - random numbers that are the same everywhere: splitmix64. */
#pragma once
#include <quern/types.h>

struct rng {
	u64 s;
};
static inline u64 rnd(struct rng *r)
{
	u64 z = (r->s += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}
static inline u32 below(struct rng *r, u32 n) { return (u32)((rnd(r) >> 32) * n >> 32); }
static inline bool chance(struct rng *r, unsigned percent) { return below(r, 100) < percent; }
