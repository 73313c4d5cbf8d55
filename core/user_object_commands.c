/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user_object_commands.c - monitor commands about the objects of -object. */
#include "core/command_settings.h"
#include "core/user_object.h"
#include "lib/keyval.h"

static int run_add(struct command_call *c, struct error *e)
{
	struct keyvals kv = { 0 };
	int err = command_settings(c->args, &kv, e);

	if (!err)
		err = object_make(c->m, &kv, e);
	keyvals_fini(&kv);
	return err;
}

struct words {
	void (*fn)(void *arg, const char *word);
	void *arg;
};

static void add_kind(void *arg, const struct object_kind *k)
{
	const struct words *w = arg;

	w->fn(w->arg, k->name);
}

static void complete_kinds(struct machine *m, void (*fn)(void *arg, const char *word), void *arg)
{
	object_kind_each(add_kind, &(struct words){ fn, arg });
}

static const struct command_arg add_args[] = { { "qom-type", ARG_KEYVALS }, {} };
COMMAND(object_add, .hmp = "object_add", .qmp = "object-add", .args = add_args, .run = run_add,
	.complete = complete_kinds, .doc = "add an object, as -object");

static const struct command_arg del_args[] = { { "id", ARG_STRING }, {} };
static int run_del(struct command_call *c, struct error *e)
{
	return object_free(c->m, call_str(c, "id"), e);
}
COMMAND(object_del, .hmp = "object_del", .qmp = "object-del", .args = del_args, .run = run_del,
	.doc = "remove an object that nobody uses");
