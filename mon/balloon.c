/* SPDX-License-Identifier: GPL-2.0-or-later */
/* balloon.c - monitor commands about the memory balloon. */
#include "core/balloon.h"
#include "core/command.h"
#include "core/machine.h"
#include "lib/error.h"
#include <errno.h>

static int none(struct error *e)
{
	return error_ret(e, -ENODEV, "No balloon device has been activated");
}

static int run_balloon(struct command_call *c, struct error *e)
{
	const struct balloon_iface *i;
	void *b = balloon_of(c->m, &i);
	u64 size = call_int(c, "value", 0);

	if (!b)
		return none(e);
	if (!size)
		return error_ret(e, -EINVAL, "Parameter 'target' expects a size");
	i->set_target(b, c->m->ram_size - MIN(size, c->m->ram_size));
	return 0;
}
static const struct command_arg hmp_args[] = { { "value", ARG_SIZE }, {} };
static const struct command_arg qmp_args[] = { { "value", ARG_INT }, {} };

static int run_balloon_mib(struct command_call *c, struct error *e)
{
	const struct balloon_iface *i;
	void *b = balloon_of(c->m, &i);
	u64 size = call_int(c, "value", 0);

	if (!b)
		return none(e);
	/* a bare number counts megabytes, as in -m */
	if (size && size < 1 << 20)
		size <<= 20;
	if (!size)
		return error_ret(e, -EINVAL, "Parameter 'target' expects a size");
	i->set_target(b, c->m->ram_size - MIN(size, c->m->ram_size));
	return 0;
}
COMMAND(balloon, .qmp = "balloon", .args = qmp_args, .run = run_balloon,
	.doc = "asks the guest for memory until it has this much, in bytes");
COMMAND(balloon_hmp, .hmp = "balloon", .args = hmp_args, .run = run_balloon_mib,
	.doc = "asks the guest for memory until it has this much, in MiB");

static int query_balloon(struct command_call *c, struct error *e)
{
	const struct balloon_iface *i;

	if (!balloon_of(c->m, &i))
		return none(e);
	c->result = json_pack("{s:I}", "actual", (json_int_t)balloon_actual(c->m));
	return 0;
}

static void show_balloon(struct command_call *c)
{
	command_print(c, "balloon: actual=%lld\n",
		      (long long)json_integer_value(json_object_get(c->result, "actual")) >> 20);
}
COMMAND(info_balloon, .hmp = "info balloon", .qmp = "query-balloon", .run = query_balloon,
	.show = show_balloon, .doc = "how much memory the guest has");
