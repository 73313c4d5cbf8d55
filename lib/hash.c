/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hash.c - the map of hash.h; removal closes the gap (Knuth 6.4 R) so that no tombstones gather. */
#include "lib/hash.h"
#include "lib/alloc.h"
#include <assert.h>

u64 hash_bytes(const void *p, size_t n)
{
	const u8 *b = p;
	u64 h = 0xcbf29ce484222325ull;

	while (n--)
		h = (h ^ *b++) * 0x100000001b3ull;
	return hash_u64(h);
}

/* The slot that holds key, or the empty one where it belongs. */
static struct map_slot *find(const struct map *m, u64 key)
{
	size_t i = hash_u64(key) & (m->cap - 1);

	while (m->at[i].value && m->at[i].key != key)
		i = (i + 1) & (m->cap - 1);
	return &m->at[i];
}

static void grow(struct map *m)
{
	struct map bigger = { .cap = m->cap ? m->cap * 2 : 16, .n = m->n };

	bigger.at = xcalloc(bigger.cap, sizeof(*bigger.at));
	map_for_each (s, m)
		*find(&bigger, s->key) = *s;
	free(m->at);
	*m = bigger;
}

void *map_get(const struct map *m, u64 key) { return m->cap ? find(m, key)->value : NULL; }

void *map_put(struct map *m, u64 key, void *value)
{
	struct map_slot *s;
	void *old;

	assert(value);
	if (m->n >= m->cap - m->cap / 4)
		grow(m);
	s = find(m, key);
	old = s->value;
	*s = (struct map_slot){ key, value };
	m->n += !old;
	return old;
}

void *map_del(struct map *m, u64 key)
{
	size_t mask = m->cap - 1, hole, i;
	void *old = map_get(m, key);

	if (!old)
		return NULL;
	hole = i = find(m, key) - m->at;
	for (;;) {
		size_t home;

		i = (i + 1) & mask;
		if (!m->at[i].value)
			break;
		home = hash_u64(m->at[i].key) & mask;
		/* An element may fill the hole unless its home lies cyclically behind the hole. */
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			m->at[hole] = m->at[i];
			hole = i;
		}
	}
	m->at[hole] = (struct map_slot){ 0 };
	m->n--;
	return old;
}

void map_fini(struct map *m)
{
	free(m->at);
	*m = (struct map){ 0 };
}
