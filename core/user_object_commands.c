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
static const struct command_arg add_args[] = { { "qom-type", ARG_KEYVALS }, {} };
COMMAND(object_add, .hmp = "object_add", .qmp = "object-add", .args = add_args, .run = run_add,
	.doc = "add an object, as -object");
