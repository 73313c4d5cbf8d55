/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qom.c - commands that read and change devices from outside: settings by the paths of info
 * qom-tree, and registers by name. */
#include "core/command.h"
#include "core/device.h"
#include "core/machine.h"
#include "core/prop.h"
#include "core/prop_value.h"
#include "core/reg.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>

#define PERIPHERAL "/machine/peripheral"
#define UNATTACHED "/machine/unattached"

/* ---- paths */

static struct device *unattached(struct machine *m, const char *name)
{
	struct device_core *core;
	unsigned n = m->ncpus;
	char *end;
	const char *rest;
	unsigned long want;

	if (!str_prefix(name, "device[", &rest))
		return NULL;
	want = strtoul(rest, &end, 10);
	if (!str_eq(end, "]"))
		return NULL;
	list_for_each (core, &m->devices, link) {
		if (!core->bus_type && n++ == want)
			return core->dev;
	}
	return NULL;
}

/* A path, or its last part when that says enough: the id. */
static struct device *at_path(struct machine *m, const char *path)
{
	const char *rest;

	if (str_prefix(path, PERIPHERAL "/", &rest))
		return device_find(m, rest);
	if (str_prefix(path, UNATTACHED "/", &rest))
		return unattached(m, rest);
	return device_find(m, path);
}

static int find(struct command_call *c, struct device **d, struct error *e)
{
	const char *path = call_str(c, "path");

	*d = at_path(c->m, path);
	return *d ? 0 : error_ret(e, -ENODEV, "Device '%s' not found", path);
}

static void complete_devices(struct machine *m, void (*fn)(void *arg, const char *word), void *arg)
{
	struct device_core *core;

	list_for_each (core, &m->devices, link)
		fn(arg, core->dev->id);
}

/* ---- registers */

struct named_reg {
	struct device *dev;
	const struct reg *reg;
	unsigned i;
	u64 mask; /* of a field, or all */
};

static const struct reg *reg_named(const struct device *d, const char *name)
{
	struct regbank *b;

	list_for_each (b, &d->core->regbanks, link) {
		for (const struct reg *r = b->bank->regs; r && r->name; r++) {
			if (str_eq(r->name, name))
				return r;
		}
	}
	return NULL;
}

/* "status", "array[3]", "ctl.MODE" */
static int reg_find(struct device *d, const char *name, struct named_reg *found, struct error *e)
{
	AUTO_FREE char *copy = xstrdup(name);
	char *field = strchr(copy, '.'), *element, *end = NULL;

	if (field)
		*field++ = 0;
	element = strchr(copy, '[');
	if (element)
		*element++ = 0;
	*found = (struct named_reg){ .dev = d, .reg = reg_named(d, copy), .mask = ~0ull };
	if (element)
		found->i = strtoul(element, &end, 0);
	if (!found->reg || (end && !str_eq(end, "]")) || found->i >= MAX(found->reg->count, 1u))
		return error_ret(e, -EINVAL, "'%s' has no register '%s'", d->id, name);
	if (found->reg->novalue)
		return error_ret(e, -ENOTSUP, "register '%s' of '%s' has no value of its own", name,
				 d->id);
	if (!field)
		return 0;
	for (const struct field *f = found->reg->fields; f && f->name; f++) {
		if (!str_eq(f->name, field))
			continue;
		found->mask = f->mask;
		return 0;
	}
	return error_ret(e, -EINVAL, "register '%s' of '%s' has no field '%s'", copy, d->id, field);
}

static int reg_store(const struct named_reg *r, u64 val, struct error *e)
{
	u64 mask = r->mask & reg_mask(r->reg), old = reg_peek(r->dev, r->reg, r->i);
	u64 max = mask >> __builtin_ctzll(mask);

	if (val > max)
		return error_ret(e, -ERANGE, "register '%s' of '%s' takes 0 to %#llx, not %#llx",
				 r->reg->name, r->dev->id, (unsigned long long)max,
				 (unsigned long long)val);
	reg_poke(r->dev, r->reg, r->i, (old & ~mask) | FIELD_PREP(mask, val));
	return 0;
}

static void complete_with_regs(struct machine *m, void (*fn)(void *arg, const char *word),
			       void *arg)
{
	struct device_core *core;

	list_for_each (core, &m->devices, link) {
		if (!list_empty(&core->regbanks))
			fn(arg, core->dev->id);
	}
}

static const struct command_arg set_register_args[] = {
	{ "id", ARG_STRING }, { "register", ARG_STRING }, { "value", ARG_INT }, {}
};
static int set_register(struct command_call *c, struct error *e)
{
	struct device *d = device_find(c->m, call_str(c, "id"));
	struct named_reg r;
	int err;

	if (!d)
		return error_ret(e, -ENODEV, "Device '%s' not found", call_str(c, "id"));
	err = reg_find(d, call_str(c, "register"), &r, e);
	return err ? err : reg_store(&r, (u64)call_int(c, "value", 0), e);
}
COMMAND(set_register, .hmp = "reg_set", .qmp = "set-register", .args = set_register_args,
	.run = set_register, .complete = complete_with_regs,
	.doc = "put a value into a register, NAME[i] or NAME.FIELD, as the hardware inside would");

/* ---- settings */

static const struct command_arg get_args[] = { { "path", ARG_STRING },
					       { "property", ARG_STRING },
					       {} };
static int qom_get(struct command_call *c, struct error *e)
{
	const char *name = call_str(c, "property");
	struct error unknown = { 0 };
	struct named_reg r;
	struct device *d;
	const struct prop *p;
	int err = find(c, &d, e);

	if (err)
		return err;
	p = prop_find(d->class->props, name);
	if (p) {
		c->result = prop_value(d, p);
		return c->result ? 0 :
				   error_ret(e, -ENOTSUP, "property '%s' of '%s' cannot be shown",
					     name, d->id);
	}
	if (str_eq(name, "type")) {
		c->result = json_string(d->class->name);
		return 0;
	}
	if (!reg_find(d, name, &r, &unknown)) {
		u64 mask = r.mask & reg_mask(r.reg);

		c->result = json_integer((json_int_t)FIELD_GET(mask, reg_peek(d, r.reg, r.i)));
		return 0;
	}
	error_clear(&unknown);
	return error_ret(e, -EINVAL, "Property '%s.%s' not found", d->class->name, name);
}

static void show_value(struct command_call *c)
{
	AUTO_FREE char *text = json_dumps(c->result, JSON_ENCODE_ANY | JSON_INDENT(4));

	command_print(c, "%s\n", text);
}
COMMAND(qom_get, .hmp = "qom-get", .qmp = "qom-get", .args = get_args, .run = qom_get,
	.show = show_value, .complete = complete_devices,
	.doc = "show a setting of a device, or a register by name");

static const struct command_arg set_args[] = {
	{ "path", ARG_STRING }, { "property", ARG_STRING }, { "value", ARG_ANY }, {}
};
static int qom_set(struct command_call *c, struct error *e)
{
	const char *name = call_str(c, "property");
	const json_t *v = json_object_get(c->args, "value");
	struct error unknown = { 0 };
	struct named_reg r;
	struct device *d;
	const struct prop *p;
	u64 val;
	int err = find(c, &d, e);

	if (err)
		return err;
	p = prop_find(d->class->props, name);
	if (p)
		return prop_value_set(d, p, v, !c->s->qmp, e);
	if (reg_find(d, name, &r, &unknown)) {
		error_clear(&unknown);
		return error_ret(e, -EINVAL, "Property '%s.%s' not found", d->class->name, name);
	}
	if (json_is_integer(v))
		return reg_store(&r, (u64)json_integer_value(v), e);
	if (!c->s->qmp && json_is_string(v) && !str_to_u64(json_string_value(v), 0, &val))
		return reg_store(&r, val, e);
	return error_ret(e, -EINVAL, "Invalid parameter type for '%s', expected: integer", name);
}
COMMAND(qom_set, .hmp = "qom-set", .qmp = "qom-set", .args = set_args, .run = qom_set,
	.complete = complete_devices,
	.doc = "change a setting of a device that may change while it runs, or a register by name");

static void list_item(json_t *list, const char *name, const char *type)
{
	json_array_append_new(list, json_pack("{s:s, s:s}", "name", name, "type", type));
}

static void list_devices(struct command_call *c, bool on_bus)
{
	struct device_core *core;
	unsigned n = c->m->ncpus;

	list_for_each (core, &c->m->devices, link) {
		AUTO_FREE char *type = xasprintf("child<%s>", core->dev->class->name);
		AUTO_FREE char *name = NULL;

		if (!core->bus_type != !on_bus)
			continue;
		name = on_bus ? xstrdup(core->dev->id) : xasprintf("device[%u]", n++);
		list_item(c->result, name, type);
	}
}

static const struct command_arg list_args[] = { { "path", ARG_STRING, true }, {} };
static int qom_list(struct command_call *c, struct error *e)
{
	const char *path = call_str(c, "path");
	struct device *d;

	c->result = json_array();
	if (!path || str_eq(path, "/")) {
		list_item(c->result, "machine", "child<machine>");
	} else if (str_eq(path, "/machine")) {
		list_item(c->result, "peripheral", "child<container>");
		list_item(c->result, "unattached", "child<container>");
	} else if (str_eq(path, PERIPHERAL) || str_eq(path, UNATTACHED)) {
		list_devices(c, str_eq(path, PERIPHERAL));
	} else {
		int err = find(c, &d, e);

		if (err)
			return err;
		list_item(c->result, "type", "string");
		for (const struct prop *p = d->class->props; p && p->name; p++)
			list_item(c->result, p->name, prop_value_type(p));
	}
	return 0;
}

static void show_list(struct command_call *c)
{
	json_t *item;
	size_t i;

	json_array_foreach(c->result, i, item)
		command_print(c, "%s (%s)\n", json_string_value(json_object_get(item, "name")),
			      json_string_value(json_object_get(item, "type")));
}
COMMAND(qom_list, .hmp = "qom-list", .qmp = "qom-list", .args = list_args, .run = qom_list,
	.show = show_list, .complete = complete_devices,
	.doc = "show what is below a path: devices, or the settings of one");
