/* SPDX-License-Identifier: GPL-2.0-or-later */
/* migrate.c - commands of migration. The machine is stopped and copied; there is no copying while
 * it runs, so nothing is dirtied and transferred again. */
#include "core/migrate.h"
#include "core/command.h"
#include "core/machine.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>

enum { PAGE = 4096, MS = 1000000 };

static int migrate(struct command_call *c, struct error *e)
{
	int err;

	if (call_bool(c, "blk", false) || call_bool(c, "inc", false))
		return error_ret(e, -ENOTSUP,
				 "block migration is not built yet: both sides use the same "
				 "images");
	if (call_bool(c, "resume", false))
		return error_ret(e, -EINVAL, "Cannot resume if there is no paused migration");
	err = migrate_start(c->m, call_str(c, "uri"), e);
	if (err || c->s->qmp || call_bool(c, "detach", false))
		return err;
	return migrate_wait(c->m, e);
}
static const struct command_arg migrate_args[] = { { "detach", ARG_FLAG, true, 'd' },
						   { "blk", ARG_FLAG, true, 'b' },
						   { "inc", ARG_FLAG, true, 'i' },
						   { "resume", ARG_FLAG, true, 'r' },
						   { "uri", ARG_STRING },
						   {} };
COMMAND(migrate, .hmp = "migrate", .qmp = "migrate", .run = migrate, .args = migrate_args,
	.doc = "stop the machine and send its state to tcp:HOST:PORT, unix:PATH, "
	       "file:PATH[,offset=N], exec:COMMAND or fd:NAME");

static int cancel(struct command_call *c, struct error *e)
{
	migrate_cancel(c->m);
	return 0;
}
COMMAND(migrate_cancel, .hmp = "migrate_cancel", .qmp = "migrate_cancel", .run = cancel,
	.any_time = true, .doc = "call the migration off; the machine goes on");

static int from(struct command_call *c, struct error *e)
{
	return migrate_incoming(c->m, call_str(c, "uri"), e);
}
static const struct command_arg incoming_args[] = { { "uri", ARG_STRING }, {} };
COMMAND(migrate_incoming, .hmp = "migrate_incoming", .qmp = "migrate-incoming", .run = from,
	.args = incoming_args, .doc = "wait for the machine's state there (-incoming defer)");

/* ---- how it goes */

static const char *state_name(enum migrate_state s)
{
	static const char *const names[] = {
		[MIGRATE_NONE] = "none",	   [MIGRATE_SETUP] = "setup",
		[MIGRATE_ACTIVE] = "active",	   [MIGRATE_CANCELLING] = "cancelling",
		[MIGRATE_CANCELLED] = "cancelled", [MIGRATE_COMPLETED] = "completed",
		[MIGRATE_FAILED] = "failed",
	};

	return names[s];
}

static json_t *ram_numbers(const struct migrate_info *i)
{
	const struct snapshot_progress *p = &i->progress;
	u64 left = p->total - MIN(p->done, p->total),
	    zero = p->done / PAGE - MIN(p->pages, p->done / PAGE);
	double seconds = (double)i->total_ns / 1e9;

	return json_pack("{s:I, s:I, s:I, s:I, s:i, s:I, s:I, s:i, s:f, s:i, s:i, s:i, s:i}",
			 "transferred", (json_int_t)p->moved, "remaining", (json_int_t)left,
			 "total", (json_int_t)p->total, "duplicate", (json_int_t)zero, "skipped", 0,
			 "normal", (json_int_t)p->pages, "normal-bytes",
			 (json_int_t)p->pages * PAGE, "dirty-pages-rate", 0, "mbps",
			 seconds > 0 ? (double)p->moved * 8 / 1e6 / seconds : 0.0,
			 "dirty-sync-count", 1, "postcopy-requests", 0, "page-size", PAGE,
			 "multifd-bytes", 0);
}

static int query_migrate(struct command_call *c, struct error *e)
{
	struct migrate_info i;

	migrate_info(c->m, &i);
	c->result = json_object();
	if (i.state == MIGRATE_NONE)
		return 0;
	json_object_set_new(c->result, "status", json_string(state_name(i.state)));
	if (i.error)
		json_object_set_new(c->result, "error-desc", json_string(i.error));
	if (i.incoming || i.state == MIGRATE_FAILED || i.state == MIGRATE_CANCELLED)
		return 0;
	json_object_set_new(c->result, "total-time", json_integer((json_int_t)i.total_ns / MS));
	json_object_set_new(c->result, "setup-time", json_integer((json_int_t)i.setup_ns / MS));
	if (i.state == MIGRATE_COMPLETED)
		json_object_set_new(c->result, "downtime",
				    json_integer((json_int_t)i.down_ns / MS));
	if (i.state != MIGRATE_SETUP)
		json_object_set_new(c->result, "ram", ram_numbers(&i));
	return 0;
}

static void show_number(struct command_call *c, const json_t *from, const char *key,
			const char *text, const char *unit, json_int_t per)
{
	const json_t *v = json_object_get(from, key);

	if (v)
		command_print(c, "%s: %lld%s\n", text, (long long)(json_integer_value(v) / per),
			      unit);
}

static void show_migrate(struct command_call *c)
{
	const json_t *r = c->result, *ram = json_object_get(r, "ram");
	const char *status = json_string_value(json_object_get(r, "status"));
	const char *why = json_string_value(json_object_get(r, "error-desc"));

	if (!status)
		return;
	command_print(c, "Migration status: %s", status);
	command_print(c, why ? " (%s)\n" : "\n", why);
	show_number(c, r, "total-time", "total time", " ms", 1);
	show_number(c, r, "downtime", "downtime", " ms", 1);
	show_number(c, r, "setup-time", "setup", " ms", 1);
	if (!ram)
		return;
	show_number(c, ram, "transferred", "transferred ram", " kbytes", 1024);
	command_print(c, "throughput: %0.2f mbps\n", json_real_value(json_object_get(ram, "mbps")));
	show_number(c, ram, "remaining", "remaining ram", " kbytes", 1024);
	show_number(c, ram, "total", "total ram", " kbytes", 1024);
	show_number(c, ram, "duplicate", "duplicate", " pages", 1);
	show_number(c, ram, "skipped", "skipped", " pages", 1);
	show_number(c, ram, "normal", "normal", " pages", 1);
	show_number(c, ram, "normal-bytes", "normal bytes", " kbytes", 1024);
	show_number(c, ram, "dirty-sync-count", "dirty sync count", "", 1);
	show_number(c, ram, "page-size", "page size", " kbytes", 1024);
}
COMMAND(query_migrate, .hmp = "info migrate", .qmp = "query-migrate", .run = query_migrate,
	.show = show_migrate, .doc = "show how the last migration went");
