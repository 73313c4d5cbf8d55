/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prop_value.c - settings of a device as JSON, both ways. */
#include "core/prop_value.h"
#include "core/block.h"
#include "core/chardev.h"
#include "core/latency.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

static u64 unsigned_at(const void *at, unsigned size)
{
	switch (size) {
	case 1:
		return *(const u8 *)at;
	case 2:
		return *(const u16 *)at;
	case 4:
		return *(const u32 *)at;
	default:
		return *(const u64 *)at;
	}
}

static s64 signed_at(const void *at, unsigned size)
{
	unsigned spare = 64 - 8 * size;

	return (s64)(unsigned_at(at, size) << spare) >> spare;
}

static json_t *reference(const struct prop *p, const void *target)
{
	if (!target)
		return json_string("");
	switch (p->kind) {
	case PROP_STR:
		return json_string(target);
	case PROP_LINK:
		return json_string(((const struct device *)target)->id);
	case PROP_DRIVE:
		return json_string(block_name(target));
	case PROP_CHARDEV:
		return json_string(((const struct chardev *)target)->id);
	default:
		return NULL;
	}
}

json_t *prop_value(const struct device *d, const struct prop *p)
{
	static const char *const on_off_auto[] = {
		[PROP_AUTO] = "auto", [PROP_ON] = "on", [PROP_OFF] = "off"
	};
	const u8 *at = (const u8 *)d + p->off;
	const void *target;
	char text[96];

	if (p->ignored)
		return json_string("");
	switch (p->kind) {
	case PROP_UINT:
	case PROP_SIZE:
		return json_integer((json_int_t)unsigned_at(at, p->size));
	case PROP_INT:
		return json_integer(signed_at(at, p->size));
	case PROP_BOOL:
		return json_boolean(*at);
	case PROP_ONOFFAUTO:
		return json_string(on_off_auto[*at]);
	case PROP_MAC:
		snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", at[0], at[1], at[2],
			 at[3], at[4], at[5]);
		return json_string(text);
	case PROP_LATENCY:
		latency_print((const struct latency *)at, text, sizeof(text));
		return json_string(text);
	default:
		memcpy(&target, at, sizeof(target));
		return reference(p, target);
	}
}

const char *prop_value_type(const struct prop *p)
{
	switch (p->kind) {
	case PROP_UINT:
		return p->size == 1 ? "uint8" :
		       p->size == 2 ? "uint16" :
		       p->size == 4 ? "uint32" :
				      "uint64";
	case PROP_INT:
		return "int";
	case PROP_SIZE:
		return "size";
	case PROP_BOOL:
		return "bool";
	case PROP_ONOFFAUTO:
		return "OnOffAuto";
	default:
		return "str";
	}
}

static bool takes_integer(const struct prop *p)
{
	return p->kind == PROP_UINT || p->kind == PROP_INT || p->kind == PROP_SIZE;
}

int prop_value_set(struct device *d, const struct prop *p, const json_t *v, bool text,
		   struct error *e)
{
	char number[32];

	if (json_is_integer(v) && takes_integer(p)) {
		snprintf(number, sizeof(number), p->kind == PROP_INT ? "%lld" : "%llu",
			 (long long)json_integer_value(v));
		return device_set(d, p->name, number, e);
	}
	if (json_is_boolean(v) && p->kind == PROP_BOOL)
		return device_set(d, p->name, json_is_true(v) ? "on" : "off", e);
	if (json_is_string(v) && (text || (!takes_integer(p) && p->kind != PROP_BOOL)))
		return device_set(d, p->name, json_string_value(v), e);
	return error_ret(e, -EINVAL, "Invalid parameter type for '%s', expected: %s", p->name,
			 takes_integer(p)     ? "integer" :
			 p->kind == PROP_BOOL ? "boolean" :
						"string");
}
