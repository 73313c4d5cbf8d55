/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hash.h - mixing of integers and strings (splitmix64 finalizer, FNV-1a) and a small map from u64
 * to pointers. */
#pragma once
#include <quern/types.h>

static inline u64 hash_u64(u64 x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

u64 hash_bytes(const void *p, size_t n);
static inline u64 hash_str(const char *s) { return hash_bytes(s, strlen(s)); }

/* Open addressing, linear probing, at most 3/4 full. `struct map m = {0}` starts empty. Values are
 * never NULL. */
struct map {
	struct map_slot {
		u64 key;
		void *value;
	} * at;
	size_t n, cap; /* cap is 0 or a power of two */
};

void *map_get(const struct map *m, u64 key);	    /* NULL when absent */
void *map_put(struct map *m, u64 key, void *value); /* returns the value it replaced, or NULL */
void *map_del(struct map *m, u64 key);		    /* returns the value it removed, or NULL */
void map_fini(struct map *m);			    /* the values stay the caller's */
/* Every slot in use, in no order; put and del inside the loop are not allowed. */
#define map_for_each(slot, m) \
	for (struct map_slot *slot = (m)->at, *end_ = slot ? slot + (m)->cap : NULL; slot < end_; \
	     slot++) \
		if (slot->value)
