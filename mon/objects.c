/* SPDX-License-Identifier: GPL-2.0-or-later */
/* objects.c - commands about objects (-object), and about the translator. */
#include "core/command.h"
#include "core/machine.h"
#include "core/user_object.h"
#include "lib/error.h"
#include "mon/settings.h"
#include <errno.h>

static int add(struct command_call *c, struct error *e)
{
	struct keyvals kv = { 0 };
	int err = settings_of_json(c->args, &kv, e);

	if (!err)
		err = object_make(c->m, &kv, e);
	keyvals_fini(&kv);
	return err;
}

struct words {
	void (*fn)(void *arg, const char *word);
	void *arg;
};
static void complete_kind(void *arg, const struct object_kind *k)
{
	const struct words *w = arg;

	w->fn(w->arg, k->name);
}
static void complete_kinds(struct machine *m, void (*fn)(void *arg, const char *word), void *arg)
{
	object_kind_each(complete_kind, &(struct words){ fn, arg });
}

static const struct command_arg add_args[] = { { "qom-type", ARG_KEYVALS }, {} };
COMMAND(object_add, .hmp = "object_add", .qmp = "object-add", .args = add_args, .run = add,
	.complete = complete_kinds, .doc = "add an object, as -object");

static const struct command_arg del_args[] = { { "id", ARG_STRING }, {} };
static int del(struct command_call *c, struct error *e)
{
	return object_free(c->m, call_str(c, "id"), e);
}
COMMAND(object_del, .hmp = "object_del", .qmp = "object-del", .args = del_args, .run = del,
	.doc = "remove an object that nobody uses");

static int info_jit(struct command_call *c, struct error *e)
{
	struct engine_stats s = { 0 };

	if (!c->m->engine)
		return error_ret(e, -ENOTSUP, "nothing is translated: the machine has no engine");
	engine_stats(c->m->engine, &s);
	command_print(c,
		      "units translated     %llu\n"
		      "guest code           %llu bytes\n"
		      "host code            %llu bytes\n"
		      "time to translate    %llu us\n"
		      "flushes of the cache %llu\n"
		      "units invalidated    %llu\n"
		      "slow look-ups        %llu\n",
		      (unsigned long long)s.units, (unsigned long long)s.guest_bytes,
		      (unsigned long long)s.host_bytes, (unsigned long long)s.translate_ns / 1000,
		      (unsigned long long)s.flushes, (unsigned long long)s.invalidated,
		      (unsigned long long)s.lookups);
	return 0;
}
COMMAND(info_jit, .hmp = "info jit", .run = info_jit, .doc = "show what the translator has done");
