/* SPDX-License-Identifier: GPL-2.0-or-later */
/* migrate_settings.c - what clients ask of and set for migrations. Of QEMU's capabilities there is
 * `events`; its parameters are for copying while the machine runs, which is not done: the values
 * are kept, as their setter expects, and the setter is told. */
#include "core/command.h"
#include "core/machine.h"
#include "core/migrate.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>

/* ---- capabilities */

static const char *const capabilities[] = {
	"xbzrle",	    "rdma-pin-all",  "auto-converge",	    "zero-blocks",
	"compress",	    "events",	     "postcopy-ram",	    "x-colo",
	"release-ram",	    "block",	     "return-path",	    "pause-before-switchover",
	"multifd",	    "dirty-bitmaps", "postcopy-blocktime",  "late-block-activate",
	"x-ignore-shared",  "validate-uuid", "background-snapshot", "zero-copy-send",
	"postcopy-preempt",
};

static int set_capability(struct machine *m, const char *name, bool on, struct error *e)
{
	for (unsigned i = 0; i < ARRAY_SIZE(capabilities); i++) {
		if (!name || !str_eq(name, capabilities[i]))
			continue;
		if (str_eq(name, "events"))
			migrate_set_events(m, on);
		else if (on)
			return error_ret(e, -ENOTSUP, "migration capability '%s' is not built yet",
					 name);
		return 0;
	}
	return error_ret(e, -EINVAL, "Invalid parameter '%s'", name ? name : "");
}

static int hmp_capability(struct command_call *c, struct error *e)
{
	return set_capability(c->m, call_str(c, "capability"), call_bool(c, "state", false), e);
}
static const struct command_arg one_args[] = { { "capability", ARG_STRING },
					       { "state", ARG_BOOL },
					       {} };
COMMAND(migrate_set_capability, .hmp = "migrate_set_capability", .args = one_args,
	.run = hmp_capability, .doc = "switch a capability of migrations on or off");

static int qmp_capabilities(struct command_call *c, struct error *e)
{
	json_t *list = json_object_get(c->args, "capabilities"), *v;
	size_t i;
	int err = json_is_array(list) ? 0 :
					error_ret(e, -EINVAL,
						  "Invalid parameter type for 'capabilities', "
						  "expected: array");

	json_array_foreach(list, i, v)
	{
		const json_t *state = json_object_get(v, "state");

		if (!err && !json_is_boolean(state))
			err = error_ret(e, -EINVAL,
					"Parameter 'capabilities[%zu].state' is missing", i);
		if (!err)
			err = set_capability(c->m,
					     json_string_value(json_object_get(v, "capability")),
					     json_is_true(state), e);
	}
	return err;
}
static const struct command_arg list_args[] = { { "capabilities", ARG_ANY }, {} };
COMMAND(migrate_set_capabilities, .qmp = "migrate-set-capabilities", .args = list_args,
	.run = qmp_capabilities, .doc = "switch capabilities of migrations on or off");

static int query_capabilities(struct command_call *c, struct error *e)
{
	c->result = json_array();
	for (unsigned i = 0; i < ARRAY_SIZE(capabilities); i++)
		json_array_append_new(c->result, json_pack("{s:b, s:s}", "state",
							   str_eq(capabilities[i], "events") &&
								   migrate_events(c->m),
							   "capability", capabilities[i]));
	return 0;
}

static void show_capabilities(struct command_call *c)
{
	json_t *v;
	size_t i;

	json_array_foreach(c->result, i, v)
		command_print(c, "%s: %s\n", json_string_value(json_object_get(v, "capability")),
			      json_is_true(json_object_get(v, "state")) ? "on" : "off");
}
COMMAND(query_migrate_capabilities, .hmp = "info migrate_capabilities",
	.qmp = "query-migrate-capabilities", .run = query_capabilities, .show = show_capabilities,
	.doc = "show the capabilities of migrations");

/* ---- parameters */

static const struct parameter {
	const char *name, *unit;
	u64 def, max;
} parameters[] = {
	{ "announce-initial", " ms", 50, 100000 },
	{ "announce-max", " ms", 550, 100000 },
	{ "announce-rounds", "", 5, 1000 },
	{ "announce-step", " ms", 100, 10000 },
	{ "max-bandwidth", " bytes/second", 128 << 20, 1ull << 62 },
	{ "downtime-limit", " ms", 300, 2000000 },
	{ "max-postcopy-bandwidth", " bytes/second", 0, 1ull << 62 },
};

static json_t *kept(struct machine *m) { return migrate_parameters(m); }

static const struct parameter *find_parameter(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(parameters); i++)
		if (str_eq(parameters[i].name, name))
			return &parameters[i];
	return NULL;
}

static int set_parameter(struct machine *m, const char *name, u64 v, struct error *e)
{
	const struct parameter *p = find_parameter(name);

	if (!p)
		return error_ret(e, -ENOTSUP, "migration parameter '%s' is not built", name);
	if (v > p->max)
		return error_ret(e, -EINVAL, "Parameter '%s' expects a value from 0 to %llu", name,
				 (unsigned long long)p->max);
	if (v != p->def && !json_object_get(kept(m), name))
		warn("migration parameter %s has no effect: the machine stands still while it is "
		     "copied",
		     name);
	json_object_set_new(kept(m), name, json_integer((json_int_t)v));
	return 0;
}

static int hmp_parameter(struct command_call *c, struct error *e)
{
	const char *name = call_str(c, "parameter"), *text = call_str(c, "value");
	const struct parameter *p = find_parameter(name);
	u64 v = 0;
	int err = 0;

	/* rates are in MiB when no unit is said */
	if (p)
		err = str_to_size(text, str_eq(p->unit, " bytes/second") ? 1 << 20 : 1, &v, e);
	return err ? err : set_parameter(c->m, name, v, e);
}
static const struct command_arg parameter_args[] = { { "parameter", ARG_STRING },
						     { "value", ARG_STRING },
						     {} };
COMMAND(migrate_set_parameter, .hmp = "migrate_set_parameter", .args = parameter_args,
	.run = hmp_parameter, .doc = "set a parameter of migrations");

static int qmp_parameters(struct command_call *c, struct error *e)
{
	const char *name;
	json_t *v;
	int err = 0;

	json_object_foreach(c->args, name, v)
	{
		if (!err && json_integer_value(v) < 0)
			err = error_ret(e, -EINVAL, "Parameter '%s' expects a number from 0 on",
					name);
		if (!err)
			err = set_parameter(c->m, name, (u64)json_integer_value(v), e);
	}
	return err;
}
/* the same names as above */
static const struct command_arg any_args[] = {
	{ "announce-initial", ARG_INT, true },	     { "announce-max", ARG_INT, true },
	{ "announce-rounds", ARG_INT, true },	     { "announce-step", ARG_INT, true },
	{ "max-bandwidth", ARG_INT, true },	     { "downtime-limit", ARG_INT, true },
	{ "max-postcopy-bandwidth", ARG_INT, true }, {}
};
COMMAND(migrate_set_parameters, .qmp = "migrate-set-parameters", .args = any_args,
	.run = qmp_parameters, .doc = "set parameters of migrations");

static int query_parameters(struct command_call *c, struct error *e)
{
	c->result = json_object();
	for (unsigned i = 0; i < ARRAY_SIZE(parameters); i++) {
		const json_t *v = json_object_get(kept(c->m), parameters[i].name);

		json_object_set_new(c->result, parameters[i].name,
				    json_integer(v ? json_integer_value(v) :
						     (json_int_t)parameters[i].def));
	}
	return 0;
}

static void show_parameters(struct command_call *c)
{
	for (unsigned i = 0; i < ARRAY_SIZE(parameters); i++)
		command_print(c, "%s: %lld%s\n", parameters[i].name,
			      (long long)json_integer_value(
				      json_object_get(c->result, parameters[i].name)),
			      parameters[i].unit);
}
COMMAND(query_migrate_parameters, .hmp = "info migrate_parameters",
	.qmp = "query-migrate-parameters", .run = query_parameters, .show = show_parameters,
	.doc = "show the parameters of migrations");
