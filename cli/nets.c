/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nets.c - networks of the command line. -nic is a card with a back end of its own. -net joins all
 * its cards and back ends at hub 0; one of each are joined without a hub. */
#include "cli/nets.h"
#include "board/board.h"
#include "core/device.h"
#include "core/net.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

/* What belongs to the card of a -nic or -net nic. */
static const char card_keys[] = "model|mac|macaddr|addr|vectors|name|netdev";

static bool is_net(struct keyvals *kv) { return str_eq(keyvals_get(kv, "option"), "net"); }
static bool is_card(struct keyvals *kv)
{
	return is_net(kv) && str_eq(keyvals_get(kv, "type"), "nic");
}

static const char *word(struct keyvals *kv) { return is_net(kv) ? "-net" : "-nic"; }

/* The id under which the back end of the n-th -nic or -net is known, and that of its card's port.
 */
static char *back_id(struct keyvals *kv, size_t n)
{
	const char *id = keyvals_get(kv, "id");

	return id ? xstrdup(id) : xasprintf("#net%zu", n);
}
static char *port_id(size_t n) { return xasprintf("#hub0port%zu", n); }

static int make_netdev(struct machine *m, struct keyvals *kv, const char *option, struct error *e)
{
	if (netdev_new(m, kv, e))
		return 0;
	error_prefix(e, "%s %s", option, keyvals_get(kv, "type"));
	return -EINVAL;
}

/* The back end alone: without what the card takes. */
static int make_back(struct machine *m, struct keyvals *kv, size_t n, struct error *e)
{
	AUTO_FREE char *id = back_id(kv, n);
	struct keyvals own = { 0 };
	int err;

	for (size_t i = 0; i < kv->n; i++) {
		const struct keyval *item = &kv->at[i];

		if (!str_eq(item->key, "option") && !str_eq(item->key, "id") &&
		    choice_find(card_keys, item->key) < 0)
			keyvals_add(&own, item->key, item->value);
	}
	keyvals_add(&own, "id", id);
	err = make_netdev(m, &own, word(kv), e);
	keyvals_fini(&own);
	return err;
}

static int make_port(struct machine *m, size_t n, const char *netdev, struct error *e)
{
	AUTO_FREE char *id = port_id(n);
	struct keyvals kv = { 0 };
	int err;

	keyvals_add(&kv, "type", "hubport");
	keyvals_add(&kv, "id", id);
	keyvals_add(&kv, "hubid", "0");
	if (netdev)
		keyvals_add(&kv, "netdev", netdev);
	err = make_netdev(m, &kv, "-net", e);
	keyvals_fini(&kv);
	return err;
}

/* Does -net need a hub, or are there one card and one back end only? */
static bool needs_hub(const struct settings *s)
{
	unsigned cards = 0, backs = 0;

	for (size_t i = 0; i < s->nics.n; i++) {
		struct keyvals *kv = &s->nics.at[i];

		if (!is_net(kv) || keyvals_get(kv, "netdev"))
			continue;
		if (is_card(kv))
			cards++;
		else
			backs++;
	}
	return cards > 1 || backs > 1;
}

int nets_make(struct machine *m, const struct settings *s, struct error *e)
{
	bool hub = needs_hub(s);
	int err = 0;

	for (size_t i = 0; i < s->netdevs.n && !err; i++)
		err = make_netdev(m, &s->netdevs.at[i], "-netdev", e);
	for (size_t i = 0; i < s->nics.n && !err; i++) {
		struct keyvals *kv = &s->nics.at[i];
		AUTO_FREE char *id = back_id(kv, i);
		bool card = is_card(kv);

		if (!card)
			err = make_back(m, kv, i, e);
		if (!err && hub && is_net(kv) && !keyvals_get(kv, "netdev"))
			err = make_port(m, i, card ? NULL : id, e);
	}
	return err;
}

/* ---- cards */

static const char *model_of(struct machine *m, struct keyvals *kv)
{
	const char *model = keyvals_get(kv, "model");

	if (model && str_eq(model, "virtio"))
		return "virtio-net";
	if (model)
		return model;
	if (str_eq(m->board->name, "microvm"))
		return "virtio-net-device";
	return str_eq(m->board->name, "q35") ? "e1000e" : "e1000";
}

static int card_prop(struct device *d, struct keyvals *kv, const char *key, const char *prop,
		     struct error *e)
{
	const char *value = keyvals_get(kv, key);

	return value ? device_set(d, prop, value, e) : 0;
}

static int make_card(struct machine *m, struct keyvals *kv, const char *netdev, struct error *e)
{
	const char *id = keyvals_get(kv, is_net(kv) ? "name" : "id");
	struct device *d = device_new(m, model_of(m, kv), is_net(kv) ? id : NULL, e);
	int err;

	if (!d)
		return -EINVAL;
	err = netdev ? device_set(d, "netdev", netdev, e) : 0;
	if (!err)
		err = card_prop(d, kv, "mac", "mac", e);
	if (!err)
		err = card_prop(d, kv, "macaddr", "mac", e);
	if (!err)
		err = card_prop(d, kv, "addr", "addr", e);
	if (!err)
		err = card_prop(d, kv, "vectors", "vectors", e);
	if (!err && is_card(kv))
		err = keyvals_all_used(kv, "model|macaddr|addr|vectors|name|netdev", e);
	if (!err)
		err = device_realize(d, e);
	if (err)
		device_free(d);
	return err;
}

/* With one card and one back end: the back end of -net, or NULL. */
static char *only_back(const struct settings *s)
{
	for (size_t i = 0; i < s->nics.n; i++)
		if (is_net(&s->nics.at[i]) && !is_card(&s->nics.at[i]))
			return back_id(&s->nics.at[i], i);
	return NULL;
}

int nets_plug(struct machine *m, const struct settings *s, struct error *e)
{
	AUTO_FREE char *back = only_back(s);
	bool hub = needs_hub(s);
	int err = 0;

	for (size_t i = 0; i < s->nics.n && !err; i++) {
		struct keyvals *kv = &s->nics.at[i];
		AUTO_FREE char *own = back_id(kv, i), *port = port_id(i);
		const char *given = keyvals_get(kv, "netdev");

		if (is_net(kv) && !is_card(kv))
			continue;
		err = make_card(m, kv, given ? given : !is_net(kv) ? own : hub ? port : back, e);
		if (err)
			error_prefix(e, "%s %s", word(kv), keyvals_get(kv, "type"));
	}
	return err;
}
