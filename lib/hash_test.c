/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hash_test.c - the map against a plain array under random insertions and removals. */
#include "lib/hash.h"
#include "lib/test.h"

TEST(map_random)
{
	static void *model[512];
	struct map m = { 0 };
	u64 rnd = 1;
	size_t n = 0, seen = 0;

	CHECK_EQ(map_get(&m, 5), NULL);
	CHECK_EQ(map_del(&m, 5), NULL);
	for (int i = 0; i < 200000; i++) {
		u64 key;

		rnd = hash_u64(rnd + i);
		key = rnd % ARRAY_SIZE(model);
		CHECK_EQ(map_get(&m, key << 12), model[key]);
		if (rnd & BIT64(40)) {
			n += !model[key];
			CHECK_EQ(map_put(&m, key << 12, &model[i % 512]), model[key]);
			model[key] = &model[i % 512];
		} else {
			n -= !!model[key];
			CHECK_EQ(map_del(&m, key << 12), model[key]);
			model[key] = NULL;
		}
		CHECK_EQ(m.n, n);
	}
	map_for_each (s, &m) {
		CHECK_EQ(s->value, model[s->key >> 12]);
		seen++;
	}
	CHECK_EQ(seen, n);
	map_fini(&m);
}

TEST(hash_strings)
{
	CHECK(hash_str("a") != hash_str("b"));
	CHECK_EQ(hash_str("abc"), hash_bytes("abcd", 3));
}
