/* SPDX-License-Identifier: GPL-2.0-or-later */
/* commands.c - monitor commands about networks. */
#include "core/command_settings.h"
#include "core/device.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include "net/user.h"
#include <errno.h>

static void complete_netdevs(struct machine *m, void (*fn)(void *arg, const char *word), void *arg)
{
	for (struct netdev *n = netdev_next(m, NULL); n; n = netdev_next(m, n))
		fn(arg, n->id);
}

/* ---- netdev_add, netdev_del */

static int run_add(struct command_call *c, struct error *e)
{
	struct keyvals kv = { 0 };
	int err = command_settings(c->args, &kv, e);

	if (!err && !netdev_new(c->m, &kv, e))
		err = -EINVAL;
	keyvals_fini(&kv);
	return err;
}
static const struct command_arg add_args[] = { { "type", ARG_KEYVALS }, {} };
COMMAND(netdev_add, .hmp = "netdev_add", .qmp = "netdev_add", .args = add_args, .run = run_add,
	.doc = "add a network back end, as -netdev");

static int run_del(struct command_call *c, struct error *e)
{
	struct netdev *n = netdev_find(c->m, call_str(c, "id"));

	if (!n)
		return error_ret(e, -ENODEV, "Device '%s' not found", call_str(c, "id"));
	if (n->dev)
		return error_ret(e, -EBUSY, "netdev '%s' is in use: remove the card first", n->id);
	netdev_free(n);
	return 0;
}
static const struct command_arg id_args[] = { { "id", ARG_STRING }, {} };
COMMAND(netdev_del, .hmp = "netdev_del", .qmp = "netdev_del", .args = id_args, .run = run_del,
	.complete = complete_netdevs, .doc = "remove a network back end that no card uses");

/* ---- set_link */

/* By the back end's id, or the card's. */
static struct netdev *find_link(struct machine *m, const char *name)
{
	struct netdev *n = netdev_find(m, name);

	for (struct netdev *o = netdev_next(m, NULL); o && !n; o = netdev_next(m, o))
		if (o->card[0] && str_eq(((struct device *)o->dev)->id, name))
			n = o;
	return n;
}

static int run_link(struct command_call *c, struct error *e)
{
	struct netdev *n = find_link(c->m, call_str(c, "name"));

	if (!n)
		return error_ret(e, -ENODEV, "Device '%s' not found", call_str(c, "name"));
	netdev_set_link(n, call_bool(c, "up", true));
	return 0;
}
static const struct command_arg link_args[] = { { "name", ARG_STRING }, { "up", ARG_BOOL }, {} };
COMMAND(set_link, .hmp = "set_link", .qmp = "set_link", .args = link_args, .run = run_link,
	.complete = complete_netdevs, .doc = "plug the cable of a card in or out");

/* ---- info network */

static int run_network(struct command_call *c, struct error *e)
{
	for (struct netdev *n = netdev_next(c->m, NULL); n; n = netdev_next(c->m, n)) {
		const char *indent = "";

		if (n->card[0]) {
			command_print(c, "%s: index=0,type=nic,%s\n", ((struct device *)n->dev)->id,
				      n->card);
			indent = " \\ ";
		}
		command_print(c, "%s%s: index=0,type=%s%s%s%s\n", indent, n->id, n->kind->name,
			      n->info[0] ? "," : "", n->info, n->down ? ",link=down" : "");
		if (n->lost)
			command_print(c, "   %llu frames lost: the guest took none for too long\n",
				      (unsigned long long)n->lost);
	}
	return 0;
}
COMMAND(info_network, .hmp = "info network", .run = run_network,
	.doc = "cards and network back ends");

/* ---- the user-mode network */

static int run_usernet(struct command_call *c, struct error *e)
{
	for (struct netdev *n = netdev_next(c->m, NULL); n; n = netdev_next(c->m, n)) {
		AUTO_FREE char *text = net_user_connections(n);

		if (text)
			command_print(c, "Hub -1 (%s):\n%s", n->id, text);
	}
	return 0;
}
COMMAND(info_usernet, .hmp = "info usernet", .run = run_usernet,
	.doc = "connections of user-mode networks");

/* With one argument: of the first user-mode network. */
static int forward(struct command_call *c,
		   int (*fn)(struct netdev *n, const char *text, struct error *e), struct error *e)
{
	const char *first = call_str(c, "arg1"), *second = call_str(c, "arg2");
	struct netdev *n = second ? netdev_find(c->m, first) : netdev_next(c->m, NULL);

	while (!second && n && !str_eq(n->kind->name, "user"))
		n = netdev_next(c->m, n);
	if (!n)
		return error_ret(e, -ENODEV,
				 second ? "unrecognized netdev id '%s'" :
					  "no user mode network stacks in use%.0s",
				 first);
	return fn(n, second ? second : first, e);
}

static int run_fwd_add(struct command_call *c, struct error *e)
{
	return forward(c, net_user_add_hostfwd, e);
}
static int run_fwd_remove(struct command_call *c, struct error *e)
{
	int err = forward(c, net_user_remove_hostfwd, e);

	if (!err)
		command_print(c, "host forwarding rule for %s removed\n",
			      call_str(c, "arg2") ? call_str(c, "arg2") : call_str(c, "arg1"));
	return err;
}
static const struct command_arg forward_args[] = { { "arg1", ARG_STRING },
						   { "arg2", ARG_STRING, .optional = true },
						   {} };
COMMAND(hostfwd_add, .hmp = "hostfwd_add", .args = forward_args, .run = run_fwd_add,
	.doc = "[NETDEV] tcp|udp:[ADDRESS]:PORT-[ADDRESS]:PORT: a port of the host leads to the "
	       "guest");
COMMAND(hostfwd_remove, .hmp = "hostfwd_remove", .args = forward_args, .run = run_fwd_remove,
	.doc = "[NETDEV] tcp|udp:[ADDRESS]:PORT: end of that forward");
