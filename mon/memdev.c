/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memdev.c - info memdev: what guest memory is made of. */
#include "core/command.h"
#include "core/memory_backend.h"
#include "core/user_object.h"

static void add(void *arg, void *object)
{
	const struct memory_backend *b = object;

	json_array_append_new(arg,
			      json_pack("{s:s, s:I, s:b, s:b, s:b, s:b, s:b, s:[], s:s}", "id",
					b->id, "size", (json_int_t)b->size, "merge", b->merge,
					"dump", !b->no_core_dump, "prealloc", b->prealloc, "share",
					b->share, "reserve", 1, "host-nodes", "policy", "default"));
}

static int query_memdev(struct command_call *c, struct error *e)
{
	c->result = json_array();
	object_each(c->m, "memory-backend-", add, c->result);
	return 0;
}

static const char *truth(json_t *b, const char *key)
{
	return json_is_true(json_object_get(b, key)) ? "true" : "false";
}

static void show_memdev(struct command_call *c)
{
	json_t *b;
	size_t i;

	json_array_foreach(c->result, i, b)
		command_print(c,
			      "memory backend: %s\n  size:  %lld\n  merge: %s\n  dump: %s\n"
			      "  prealloc: %s\n  share: %s\n  reserve: true\n  policy: default\n"
			      "  host nodes:\n\n",
			      json_string_value(json_object_get(b, "id")),
			      (long long)json_integer_value(json_object_get(b, "size")),
			      truth(b, "merge"), truth(b, "dump"), truth(b, "prealloc"),
			      truth(b, "share"));
}

COMMAND(query_memdev, .hmp = "info memdev", .qmp = "query-memdev", .run = query_memdev,
	.show = show_memdev, .doc = "list the back ends of guest memory");
