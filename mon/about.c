/* SPDX-License-Identifier: GPL-2.0-or-later */
/* about.c - commands about the emulator and about the commands: version, name, the QMP schema. */
#include "core/command.h"
#include "core/compat.h"
#include "core/cpu.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>

static int query_version(struct command_call *c, struct error *e)
{
	c->result = json_pack("{s:{s:i, s:i, s:i}, s:s}", "qemu", "micro", QEMU_MICRO, "minor",
			      QEMU_MINOR, "major", QEMU_MAJOR, "package", "Quern " QUERN_VERSION);
	return 0;
}
static void show_version(struct command_call *c)
{
	command_print(c, "%s (Quern %s)\n", QEMU_TEXT, QUERN_VERSION);
}
COMMAND(query_version, .hmp = "info version", .qmp = "query-version", .run = query_version,
	.show = show_version, .doc = "show the version");

static int query_name(struct command_call *c, struct error *e)
{
	c->result = json_object();
	if (c->m->name)
		json_object_set_new(c->result, "name", json_string(c->m->name));
	return 0;
}
static void show_name(struct command_call *c)
{
	if (c->m->name)
		command_print(c, "%s\n", c->m->name);
}
COMMAND(query_name, .hmp = "info name", .qmp = "query-name", .run = query_name, .show = show_name,
	.doc = "show the machine's name");

static int query_uuid(struct command_call *c, struct error *e)
{
	c->result = json_pack("{s:s}", "UUID",
			      c->m->uuid ? c->m->uuid : "00000000-0000-0000-0000-000000000000");
	return 0;
}
static void show_uuid(struct command_call *c)
{
	command_print(c, "%s\n", json_string_value(json_object_get(c->result, "UUID")));
}
COMMAND(query_uuid, .hmp = "info uuid", .qmp = "query-uuid", .run = query_uuid, .show = show_uuid,
	.doc = "show the machine's UUID");

static int query_kvm(struct command_call *c, struct error *e)
{
	c->result = json_pack("{s:b, s:b}", "enabled", 0, "present", 0);
	return 0;
}
static void show_kvm(struct command_call *c) { command_print(c, "kvm support: not compiled\n"); }
COMMAND(query_kvm, .hmp = "info kvm", .qmp = "query-kvm", .run = query_kvm, .show = show_kvm,
	.doc = "show whether KVM executes the guest");

static int query_accelerators(struct command_call *c, struct error *e)
{
	c->result = json_pack("{s:s, s:[s]}", "enabled", "tcg", "present", "tcg");
	return 0;
}
static void show_accelerators(struct command_call *c) { command_print(c, "* tcg\n"); }
COMMAND(query_accelerators, .hmp = "info accelerators", .qmp = "query-accelerators",
	.run = query_accelerators, .show = show_accelerators,
	.doc = "show what executes the guest");

static int query_target(struct command_call *c, struct error *e)
{
	c->result = json_pack("{s:s}", "arch", c->m->isa ? c->m->isa->name : "x86_64");
	return 0;
}
COMMAND(query_target, .qmp = "query-target", .run = query_target,
	.doc = "the guest's architecture");

static int memory_size(struct command_call *c, struct error *e)
{
	c->result = json_pack("{s:I, s:I}", "base-memory", (json_int_t)c->m->ram_size,
			      "plugged-memory", (json_int_t)0);
	return 0;
}
static void show_memory_size(struct command_call *c)
{
	command_print(c, "base memory: %llu\nplugged memory: 0\n",
		      (unsigned long long)c->m->ram_size);
}
COMMAND(memory_size, .hmp = "info memory_size_summary", .qmp = "query-memory-size-summary",
	.run = memory_size, .show = show_memory_size, .doc = "show how much memory there is");

/* ---- commands */

static void add_command(void *arg, const struct command *c)
{
	if (c->qmp)
		json_array_append_new(arg, json_pack("{s:s}", "name", c->qmp));
}

static int query_commands(struct command_call *c, struct error *e)
{
	c->result = json_pack("[{s:s}]", "name", "qmp_capabilities");
	command_each(add_command, c->result);
	return 0;
}
COMMAND(query_commands, .qmp = "query-commands", .run = query_commands,
	.doc = "the names of all commands");

/* ---- events */

static const char *const events[] = { "SHUTDOWN",	"POWERDOWN",	    "RESET",
				      "STOP",		"RESUME",	    "WATCHDOG",
				      "GUEST_PANICKED", "DEVICE_DELETED",   "RTC_CHANGE",
				      "DUMP_COMPLETED", "BLOCK_IO_ERROR",   "VSERPORT_CHANGE",
				      "BALLOON_CHANGE", "DEVICE_TRAY_MOVED" };

static int query_events(struct command_call *c, struct error *e)
{
	c->result = json_array();
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		json_array_append_new(c->result, json_pack("{s:s}", "name", events[i]));
	return 0;
}
COMMAND(query_events, .qmp = "query-events", .run = query_events,
	.doc = "the names of the events that monitors may get");

/* ---- schema: types are named by their number or, builtin ones, by their name */

static const char *type_name(enum command_type t)
{
	switch (t) {
	case ARG_INT:
	case ARG_SIZE:
		return "int";
	case ARG_BOOL:
	case ARG_FLAG:
		return "bool";
	case ARG_ANY:
		return "any";
	default:
		return "str";
	}
}

static void add_type(json_t *schema, const char *name, const char *json_type)
{
	json_array_append_new(schema, json_pack("{s:s, s:s, s:s}", "name", name, "meta-type",
						"builtin", "json-type", json_type));
}

static void add_object(json_t *schema, const char *name, json_t *members)
{
	json_array_append_new(schema, json_pack("{s:s, s:s, s:o}", "name", name, "meta-type",
						"object", "members", members));
}

static json_t *members_of(const struct command *c)
{
	json_t *members = json_array(), *m;

	for (const struct command_arg *a = c->args; a && a->name; a++) {
		m = json_pack("{s:s, s:s}", "name", a->name, "type", type_name(a->type));
		if (a->optional || a->type == ARG_FLAG || a->type == ARG_FORMAT)
			json_object_set_new(m, "default", json_null());
		json_array_append_new(members, m);
	}
	return members;
}

/* Type 0 is the object without members, N the Nth command's arguments. */
static void describe(void *arg, const struct command *c)
{
	json_t *schema = arg;
	AUTO_FREE char *type = NULL;

	if (!c->qmp)
		return;
	type = c->args && c->args->name ? xasprintf("%zu", json_array_size(schema)) : xstrdup("0");
	json_array_append_new(schema, json_pack("{s:s, s:s, s:s, s:s, s:b}", "name", c->qmp,
						"meta-type", "command", "arg-type", type,
						"ret-type", "any", "allow-oob", 0));
	if (!str_eq(type, "0"))
		add_object(schema, type, members_of(c));
}

static int query_schema(struct command_call *c, struct error *e)
{
	json_t *schema = json_array();

	add_object(schema, "0", json_array());
	add_type(schema, "int", "int");
	add_type(schema, "bool", "boolean");
	add_type(schema, "str", "string");
	add_type(schema, "any", "value");
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		json_array_append_new(schema, json_pack("{s:s, s:s, s:s}", "name", events[i],
							"meta-type", "event", "arg-type", "0"));
	command_each(describe, schema);
	c->result = schema;
	return 0;
}
COMMAND(query_schema, .qmp = "query-qmp-schema", .run = query_schema,
	.doc = "names and arguments of all commands, from their table");
