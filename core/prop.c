/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prop.c - properties: text into members with every mistake named, defaults, and what help says
 * about them. */
#include "core/prop.h"
#include "core/chardev.h"
#include "core/latency.h"
#include "core/machine.h"
#include "core/user_object.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/hash.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

static struct {
	void *(*find)(struct machine *m, const char *id, struct error *e);
} resolver[PROP_LATENCY + 1];

void prop_resolver(enum prop_kind kind,
		   void *(*find)(struct machine *m, const char *id, struct error *e))
{
	resolver[kind].find = find;
}

bool prop_name_eq(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b))
			return false;
	}
	return *a == *b;
}

const struct prop *prop_find(const struct prop *table, const char *name)
{
	for (const struct prop *p = table; p && p->name; p++) {
		if (prop_name_eq(p->name, name))
			return p;
	}
	return NULL;
}

static u64 type_max(const struct prop *p) { return p->size >= 8 ? ~0ull : BIT64(p->size * 8) - 1; }

static void put_uint(void *at, unsigned size, u64 v)
{
	switch (size) {
	case 1:
		*(u8 *)at = v;
		break;
	case 2:
		*(u16 *)at = v;
		break;
	case 4:
		*(u32 *)at = v;
		break;
	default:
		*(u64 *)at = v;
		break;
	}
}

static int set_uint(void *at, const struct prop *p, u64 v, struct error *e)
{
	u64 max = p->max ? p->max : type_max(p);

	if (v < p->min || v > max)
		return error_ret(e, -ERANGE,
				 "property '%s' cannot be %llu: it goes from %llu to %llu", p->name,
				 (unsigned long long)v, (unsigned long long)p->min,
				 (unsigned long long)max);
	put_uint(at, p->size, v);
	return 0;
}

static int set_int(void *at, const struct prop *p, s64 v, struct error *e)
{
	s64 min = (s64)p->min, max = (s64)p->max;

	if (!min && !max) {
		max = (s64)(type_max(p) >> 1);
		min = -max - 1;
	}
	if (v < min || v > max)
		return error_ret(e, -ERANGE,
				 "property '%s' cannot be %lld: it goes from %lld to %lld", p->name,
				 (long long)v, (long long)min, (long long)max);
	put_uint(at, p->size, (u64)v);
	return 0;
}

static int parse_mac(u8 mac[6], const char *value, struct error *e)
{
	unsigned b[6];
	int n = 0;

	if (sscanf(value, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
		   &n) != 6 ||
	    value[n])
		return error_ret(e, -EINVAL,
				 "'%s' is no MAC address; it looks like 52:54:00:12:34:56", value);
	for (unsigned i = 0; i < 6; i++)
		mac[i] = b[i];
	return 0;
}

static int parse_onoffauto(u8 *at, const struct prop *p, const char *value, struct error *e)
{
	bool on = false;

	if (!str_eq(value, "auto") && str_to_bool(value, &on))
		return error_ret(e, -EINVAL, "property '%s' takes on, off or auto, not '%s'",
				 p->name, value);
	*at = str_eq(value, "auto") ? PROP_AUTO : on ? PROP_ON : PROP_OFF;
	return 0;
}

static int parse_reference(struct machine *m, void **at, const struct prop *p, const char *value,
			   struct error *e)
{
	static const char *const what[] = {
		[PROP_DRIVE] = "drive", [PROP_NETDEV] = "network back end"
	};
	void *found;

	if (p->kind == PROP_CHARDEV)
		found = chardev_claim(m, value, e);
	else if (p->kind == PROP_OBJECT)
		found = object_find(m, value, p->def_str, e);
	else if (p->kind == PROP_LINK)
		found = device_find(m, value);
	else if (resolver[p->kind].find)
		found = resolver[p->kind].find(m, value, e);
	else
		return error_ret(e, -ENOSYS, "property '%s': this build has no %ss", p->name,
				 what[p->kind]);
	if (!found)
		return error_ret(e, -ENOENT, "property '%s': there is no '%s'", p->name, value);
	*at = found;
	return 0;
}

int prop_parse(struct machine *m, void *base, const struct prop *p, const char *value,
	       struct error *e)
{
	void *at = (u8 *)base + p->off;
	s64 s;
	u64 v;
	bool on;

	if (p->ignored) {
		warn("property '%s' has no effect: %s", p->name, p->ignored);
		return 0;
	}
	switch (p->kind) {
	case PROP_UINT:
		if (str_to_u64(value, 0, &v))
			return error_ret(e, -EINVAL, "property '%s' takes a number, not '%s'",
					 p->name, value);
		return set_uint(at, p, v, e);
	case PROP_INT:
		if (str_to_s64(value, 0, &s))
			return error_ret(e, -EINVAL, "property '%s' takes a number, not '%s'",
					 p->name, value);
		return set_int(at, p, s, e);
	case PROP_SIZE:
		if (str_to_size(value, 1, &v, e))
			return -EINVAL;
		return set_uint(at, p, v, e);
	case PROP_BOOL:
		if (str_to_bool(value, &on))
			return error_ret(e, -EINVAL, "property '%s' takes on or off, not '%s'",
					 p->name, value);
		*(bool *)at = on;
		return 0;
	case PROP_STR:
		free(*(char **)at);
		*(char **)at = xstrdup(value);
		return 0;
	case PROP_ONOFFAUTO:
		return parse_onoffauto(at, p, value, e);
	case PROP_MAC:
		return parse_mac(at, value, e);
	case PROP_LATENCY:
		return latency_parse(at, value, e) ? error_prefix(e, "property '%s'", p->name),
		       -EINVAL : 0;
	default:
		return parse_reference(m, at, p, value, e);
	}
}

/* Draws are numbered by the property's name, so that members may move. */
static void default_latency(struct latency *l, const struct prop *p)
{
	struct error e = { 0 };

	l->key = hash_str(p->name);
	if (p->def_str && latency_parse(l, p->def_str, &e))
		error_print(&e);
}

void prop_defaults(struct device *d)
{
	for (const struct prop *p = d->class->props; p && p->name; p++) {
		void *at = (u8 *)d + p->off;

		if (p->ignored)
			continue;
		if (p->kind == PROP_STR)
			*(char **)at = p->def_str ? xstrdup(p->def_str) : NULL;
		else if (p->kind == PROP_UINT || p->kind == PROP_INT || p->kind == PROP_SIZE ||
			 p->kind == PROP_BOOL || p->kind == PROP_ONOFFAUTO)
			put_uint(at, p->size, p->def);
		else if (p->kind == PROP_LATENCY)
			default_latency(at, p);
		else if (p->kind == PROP_MAC && p->def)
			for (unsigned i = 0; i < 6; i++)
				((u8 *)at)[i] = p->def >> (40 - 8 * i);
	}
}

void prop_release(struct device *d)
{
	for (const struct prop *p = d->class->props; p && p->name; p++) {
		char **at = (char **)((u8 *)d + p->off);

		if (p->kind != PROP_STR || p->ignored)
			continue;
		free(*at);
		*at = NULL;
	}
}

/* ---- setting */

static const struct prop *settable(struct device *d, const char *name, struct error *e)
{
	const struct prop *p = prop_find(d->class->props, name);

	if (!p)
		error_set(e, "device '%s' (%s) has no property '%s'; -device %s,help lists them",
			  d->id, d->class->name, name, d->class->name);
	else if (d->core->realized && !p->changed) {
		error_set(e, "property '%s' of device '%s' cannot change while the machine has it",
			  name, d->id);
		return NULL;
	}
	return p;
}

static int changed(struct device *d, const struct prop *p, int err)
{
	if (!err && d->core->realized && p->changed)
		p->changed(d);
	return err;
}

static int set_placement(char **at, const char *value)
{
	free(*at);
	*at = xstrdup(value);
	return 0;
}

int device_set(struct device *d, const char *name, const char *value, struct error *e)
{
	const struct bus_type *t = d->core->bus_type;
	const struct prop *p = prop_find(d->class->props, name);
	int err;

	if (!p && t && !d->core->realized) {
		if (prop_name_eq(name, "bus"))
			return set_placement(&d->core->bus_name, value);
		if (prop_name_eq(name, "addr"))
			return set_placement(&d->core->addr, value);
		err = t->set ? t->set(d, name, value, e) : -ENOENT;
		if (err != -ENOENT)
			return err;
	}
	p = settable(d, name, e);
	return p ? changed(d, p, prop_parse(d->core->machine, d, p, value, e)) : -ENOENT;
}

int device_set_u64(struct device *d, const char *name, u64 value, struct error *e)
{
	const struct prop *p = settable(d, name, e);

	if (!p)
		return -ENOENT;
	if (p->ignored)
		return 0;
	if (p->kind == PROP_BOOL) {
		*(bool *)((u8 *)d + p->off) = value;
		return changed(d, p, 0);
	}
	if (p->kind != PROP_UINT && p->kind != PROP_SIZE)
		return error_ret(e, -EINVAL, "property '%s' is not a number", name);
	return changed(d, p, set_uint((u8 *)d + p->off, p, value, e));
}

int device_set_ptr(struct device *d, const char *name, void *value, struct error *e)
{
	const struct prop *p = settable(d, name, e);

	if (!p)
		return -ENOENT;
	if (p->kind == PROP_STR) {
		free(*(char **)((u8 *)d + p->off));
		value = value ? xstrdup(value) : NULL;
	} else if (p->kind < PROP_CHARDEV || p->kind == PROP_MAC || p->kind == PROP_ONOFFAUTO ||
		   p->kind == PROP_LATENCY || p->kind == PROP_INT || p->ignored) {
		return error_ret(e, -EINVAL, "property '%s' is not a reference", name);
	}
	*(void **)((u8 *)d + p->off) = value;
	return changed(d, p, 0);
}

/* ---- help */

static const char *type_name(const struct prop *p)
{
	static const char *const uints[] = {
		[1] = "uint8", [2] = "uint16", [4] = "uint32", [8] = "uint64"
	};

	switch (p->kind) {
	case PROP_UINT:
		return uints[p->size];
	case PROP_INT:
		return uints[p->size] + 1;
	case PROP_BOOL:
		return "on|off";
	case PROP_SIZE:
		return "size";
	case PROP_STR:
		return "text";
	case PROP_CHARDEV:
		return "chardev id";
	case PROP_DRIVE:
		return "drive id";
	case PROP_NETDEV:
		return "netdev id";
	case PROP_MAC:
		return "MAC address";
	case PROP_ONOFFAUTO:
		return "on|off|auto";
	case PROP_OBJECT:
		return "object id";
	case PROP_LATENCY:
		return "latency";
	default:
		return "device id";
	}
}

static void default_text(const struct prop *p, char *buf, size_t size)
{
	buf[0] = 0;
	if (p->kind == PROP_UINT || p->kind == PROP_SIZE)
		snprintf(buf, size, p->def > 9999 ? "%#llx" : "%llu", (unsigned long long)p->def);
	else if (p->kind == PROP_INT)
		snprintf(buf, size, "%lld", (long long)p->def);
	else if (p->kind == PROP_BOOL)
		snprintf(buf, size, "%s", p->def ? "on" : "off");
	else if (p->kind == PROP_ONOFFAUTO)
		snprintf(buf, size, "%s",
			 p->def == PROP_ON  ? "on" :
			 p->def == PROP_OFF ? "off" :
					      "auto");
	else if (p->def_str && p->kind != PROP_OBJECT)
		snprintf(buf, size, "%s", p->def_str);
}

static void help_table(const struct prop *p,
		       void (*line)(void *arg, const char *name, const char *type, const char *def,
				    const char *doc),
		       void *arg)
{
	for (; p && p->name; p++) {
		char def[64];

		default_text(p, def, sizeof(def));
		line(arg, p->name, type_name(p), def, p->doc ? p->doc : "");
	}
}

void device_help(const struct device_class *c,
		 void (*line)(void *arg, const char *name, const char *type, const char *def,
			      const char *doc),
		 void *arg)
{
	const struct bus_type *t = c->bus ? bus_find(c->bus) : NULL;

	help_table(c->props, line, arg);
	if (!t)
		return;
	line(arg, "bus", "text", "", "The bus to plug into; by default the first one with room.");
	line(arg, "addr", "text", "", "The place on the bus.");
	help_table(t->props, line, arg);
}
