/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command_settings.c - see command_settings.h. */
#include "core/command_settings.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <errno.h>
#include <stdio.h>

static int add(struct keyvals *kv, const char *key, const json_t *v, unsigned depth,
	       struct error *e)
{
	const char *name;
	json_t *member;
	size_t i;
	int err = 0;

	if (depth > 8)
		return error_ret(e, -EINVAL, "parameter '%s' is nested too deeply", key);
	if (json_is_string(v)) {
		keyvals_add(kv, key, json_string_value(v));
	} else if (json_is_boolean(v)) {
		keyvals_add(kv, key, json_is_true(v) ? "on" : "off");
	} else if (json_is_integer(v)) {
		char text[32];

		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(v));
		keyvals_add(kv, key, text);
	} else if (json_is_array(v)) {
		json_array_foreach(v, i, member)
		{
			json_t *str = json_object_get(member, "str");

			err = add(kv, key, str ? str : member, depth + 1, e);
			if (err)
				break;
		}
	} else if (json_is_object(v)) {
		json_object_foreach((json_t *)v, name, member)
		{
			AUTO_FREE char *full = xasprintf("%s.%s", key, name);

			err = add(kv, full, member, depth + 1, e);
			if (err)
				break;
		}
	} else {
		err = error_ret(e, -EINVAL, "Invalid parameter type for '%s'", key);
	}
	return err;
}

int command_settings(const json_t *args, struct keyvals *kv, struct error *e)
{
	const char *key;
	json_t *v;
	int err = 0;

	json_object_foreach((json_t *)args, key, v)
	{
		err = add(kv, key, v, 0, e);
		if (err)
			break;
	}
	return err;
}
