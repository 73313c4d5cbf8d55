/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opt_net.c - handlers of the options about networks: -netdev, -nic and -net. */
#include "cli/options.h"
#include "core/net.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

#define NOT_BUILT "l2tpv3|vde|vhost-user|vhost-vdpa|af-xdp|passt|netmap|vmnet-host"

static void print_kind(void *arg, const struct netdev_kind *k)
{
	printf("%-10s %s (keys: %s)\n", k->name, k->doc, k->keys);
}

static int help(void)
{
	printf("Available netdev backend types:\n");
	netdev_kind_each(print_kind, NULL);
	return OPTION_DONE;
}

static int check_type(const char *type, struct error *e)
{
	if (type && netdev_kind_find(type))
		return 0;
	if (type && choice_find(NOT_BUILT, type) >= 0)
		return error_ret(e, -ENOTSUP, "network back ends of type '%s' are not built yet",
				 type);
	return error_ret(e, -EINVAL,
			 "Invalid parameter 'type': there is no network back end '%s', -netdev "
			 "help lists them",
			 type ? type : "");
}

OPTION_HANDLER(opt_netdev)
{
	struct keyvals kv = { 0 };
	const char *id;
	int err;

	if (str_eq(arg, "help") || str_eq(arg, "?"))
		return help();
	err = keyvals_parse(&kv, arg, "type", e);
	if (!err)
		err = check_type(keyvals_get(&kv, "type"), e);
	id = keyvals_get(&kv, "id");
	if (!err && (!id || !*id))
		err = error_ret(e, -EINVAL, "Parameter 'id' is missing");
	if (err)
		keyvals_fini(&kv);
	else
		vec_push(&s->netdevs, kv);
	s->net_given = true;
	return err;
}

/* -nic and -net: the first word is a back end's type; for -net also `nic`, the card. */
OPTION_HANDLER(opt_net)
{
	struct keyvals kv = { 0 };
	const char *type;
	int err;

	if (str_eq(arg, "help") || str_eq(arg, "?"))
		return help();
	err = keyvals_parse(&kv, arg, "type", e);
	type = keyvals_get(&kv, "type");
	if (!err && !type && str_eq(o->name, "nic"))
		keyvals_add(&kv, "type", "user");
	else if (!err && (!type || !(str_eq(type, "none") ||
				     (str_eq(type, "nic") && str_eq(o->name, "net")))))
		err = check_type(type, e);
	s->net_given = true;
	if (!err && type && str_eq(type, "none")) {
		keyvals_fini(&kv);
		return 0;
	}
	if (err) {
		keyvals_fini(&kv);
		return err;
	}
	keyvals_add(&kv, "option", o->name);
	vec_push(&s->nics, kv);
	return 0;
}

static void add_net(struct settings *s, const char *type)
{
	struct keyvals kv = { 0 };

	keyvals_add(&kv, "type", type);
	keyvals_add(&kv, "option", "net");
	vec_push(&s->nics, kv);
}

/* QEMU's own default: a card of the board's choice on a user-mode network. microvm has none. */
void opt_net_default(struct settings *s)
{
	const char *machine = keyvals_get(&s->machine, "type");

	if (s->native || s->nodefaults || s->net_given || (machine && str_eq(machine, "microvm")))
		return;
	add_net(s, "nic");
	add_net(s, "user");
}
