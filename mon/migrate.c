/* SPDX-License-Identifier: GPL-2.0-or-later */
/* migrate.c - commands that save the machine to a file or a program and load it again. The disks
 * are not part of it: with writable ones the machine must be loaded with them as they were. */
#include "core/migrate.h"
#include "core/block.h"
#include "core/command.h"
#include "core/machine.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>

static const char *text(struct command_call *c, const char *name)
{
	return json_string_value(json_object_get(c->args, name));
}

static int migrate(struct command_call *c, struct error *e)
{
	return migrate_save(c->m, text(c, "uri"), false, e);
}
static const struct command_arg migrate_args[] = { { "detach", ARG_FLAG, true, 'd' },
						   { "uri", ARG_STRING },
						   {} };
COMMAND(migrate, .hmp = "migrate", .qmp = "migrate", .run = migrate, .args = migrate_args,
	.doc = "write the machine to file:PATH, exec:COMMAND or fd:NUMBER, and stop it");

static int query_migrate(struct command_call *c, struct error *e)
{
	const char *status = migrate_status(c->m);

	c->result = status ? json_pack("{s:s}", "status", status) : json_object();
	return 0;
}

static void show_migrate(struct command_call *c)
{
	if (migrate_status(c->m))
		command_print(c, "Migration status: %s\n", migrate_status(c->m));
}
COMMAND(query_migrate, .hmp = "info migrate", .qmp = "query-migrate", .run = query_migrate,
	.show = show_migrate, .doc = "show how the last migration went");

/* savevm and loadvm go back in time, which writable disks would not. */
static int disks_stay(struct machine *m, struct error *e)
{
	for (struct block *b = block_next(m, NULL); b; b = block_next(m, b))
		if (b->dev && b->node && !b->node->readonly)
			return error_ret(e, -EBUSY,
					 "drive '%s' is writable, and what the guest writes to it "
					 "is "
					 "no part of a snapshot: use readonly=on, or migrate to a "
					 "file and keep the image as it is then",
					 b->id ? b->id : b->node->name);
	return 0;
}

static int savevm(struct command_call *c, struct error *e)
{
	int err = disks_stay(c->m, e);

	return err ? err : migrate_save(c->m, text(c, "name"), true, e);
}
static const struct command_arg name_args[] = { { "name", ARG_STRING }, {} };
COMMAND(savevm, .hmp = "savevm", .run = savevm, .args = name_args,
	.doc = "write the machine to a file and go on");

static int loadvm(struct command_call *c, struct error *e)
{
	int err = disks_stay(c->m, e);

	return err ? err : migrate_load(c->m, text(c, "name"), c->m->state == RUN_RUNNING, e);
}
COMMAND(loadvm, .hmp = "loadvm", .run = loadvm, .args = name_args,
	.doc = "load the machine from a file that savevm or migrate wrote");
