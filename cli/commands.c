/* SPDX-License-Identifier: GPL-2.0-or-later */
/* commands.c - monitor commands that do what an option does before the machine runs: logs,
 * character back ends. */
#include "cli/consoles.h"
#include "cli/options.h"
#include "core/command.h"
#include "core/device.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

static void print_line(void *arg, const char *text) { command_print(arg, "%s\n", text); }

/* ---- log */

/* Replaces what was chosen before, as QEMU does. */
static int log_items_set(const struct settings *s, struct error *e)
{
	int err = trace_enable("*", false, e);

	lint_set(s->lint ? LINT_REPORT : LINT_OFF);
	for (size_t i = 0; i < s->traces.n && !err; i++)
		err = trace_enable(s->traces.at[i], true, e);
	return err;
}

static const struct command_arg log_args[] = { { "items", ARG_STRING }, {} };
static int run_log(struct command_call *c, struct error *e)
{
	struct settings s = { 0 };
	const char *p = call_str(c, "items");
	int err = 0;

	while (*p && !err && !str_eq(p, "none")) {
		size_t n = strcspn(p, ",");
		AUTO_FREE char *name = xstrndup(p, n);

		err = log_item(&s, name, e);
		p += n + (p[n] == ',');
	}
	if (err)
		log_help(print_line, c);
	else
		err = log_items_set(&s, e);
	for (size_t i = 0; i < s.traces.n; i++)
		free(s.traces.at[i]);
	vec_free(&s.traces);
	return err;
}
COMMAND(log, .hmp = "log", .args = log_args, .run = run_log,
	.doc = "choose what is logged, as -d; none switches it off");

/* ---- chardev-add */

static int add_value(struct keyvals *kv, const char *key, const json_t *v, struct error *e)
{
	char number[24];

	if (json_is_string(v)) {
		keyvals_set(kv, key, json_string_value(v));
	} else if (json_is_boolean(v)) {
		keyvals_set(kv, key, json_is_true(v) ? "on" : "off");
	} else if (json_is_integer(v)) {
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(v));
		keyvals_set(kv, key, number);
	} else {
		return error_ret(e, -EINVAL, "Invalid parameter type for '%s', expected: string",
				 key);
	}
	return 0;
}

/* {"type": "unix", "data": {"path": "/x"}}: members are keys, `type` tells nothing more. */
static int add_address(struct keyvals *kv, const json_t *addr, struct error *e)
{
	json_t *data = json_object_get(addr, "data"), *v;
	const char *key;
	int err = json_is_object(data) ?
			  0 :
			  error_ret(e, -EINVAL, "Parameter 'addr' is not {type, data}");

	json_object_foreach(data, key, v)
	{
		if (!err)
			err = add_value(kv, key, v, e);
	}
	return err;
}

/* QMP's {"type": KIND, "data": {...}} as the keys of -chardev. */
static int from_json(struct keyvals *kv, const json_t *backend, struct error *e)
{
	const char *type = json_string_value(json_object_get(backend, "type")), *key;
	json_t *data = json_object_get(backend, "data"), *v;
	int err = type ? 0 : error_ret(e, -EINVAL, "Parameter 'backend.type' is missing");

	if (!err)
		keyvals_set(kv, "backend", type);
	json_object_foreach(data, key, v)
	{
		if (err)
			break;
		if (str_eq(key, "addr") || str_eq(key, "remote"))
			err = add_address(kv, v, e);
		else if (str_eq(key, "out") || str_eq(key, "device"))
			err = add_value(kv, "path", v, e);
		else
			err = add_value(kv, key, v, e);
	}
	/* a server waits only when asked to: the machine would stand still meanwhile */
	if (!err && type && str_eq(type, "socket") && !keyvals_get(kv, "server"))
		keyvals_set(kv, "server", "on");
	if (!err && type && str_eq(type, "socket") && str_eq(keyvals_get(kv, "server"), "on"))
		keyvals_set(kv, "wait", "off");
	return err;
}

static const struct command_arg qmp_args[] = { { "id", ARG_STRING }, { "backend", ARG_ANY }, {} };
static int add_qmp(struct command_call *c, struct error *e)
{
	struct keyvals kv = { 0 };
	int err = from_json(&kv, json_object_get(c->args, "backend"), e);

	keyvals_set(&kv, "id", call_str(c, "id"));
	if (!err)
		err = chardev_make(c->m, 1, &kv, e);
	keyvals_fini(&kv);
	if (!err)
		c->result = json_object();
	return err;
}
COMMAND(chardev_add_qmp, .qmp = "chardev-add", .args = qmp_args, .run = add_qmp,
	.doc = "add a character back end");

static const struct command_arg hmp_args[] = { { "args", ARG_STRING }, {} };
static int add_hmp(struct command_call *c, struct error *e)
{
	struct keyvals kv = { 0 };
	int err = keyvals_parse(&kv, call_str(c, "args"), "backend", e);

	if (!err && !keyvals_get(&kv, "id"))
		err = error_ret(e, -EINVAL, "id=... is missing");
	if (!err)
		err = chardev_make(c->m, 1, &kv, e);
	keyvals_fini(&kv);
	return err;
}
COMMAND(chardev_add, .hmp = "chardev-add", .args = hmp_args, .run = add_hmp,
	.doc = "add a character back end, as -chardev");
