/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net.c - network back ends: the registry, frames both ways, what waits for a card without room or
 * for a machine that stands still. */
#include "core/net.h"
#include "core/device.h"
#include "core/machine.h"
#include "core/private.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

enum { WAITING_MAX = 1024, RETRY_NS = 1000000 };

struct net_frame {
	struct net_frame *next;
	size_t n;
	u8 data[];
};

extern const struct netdev_kind *const __start_quern_netdev[] __attribute__((weak));
extern const struct netdev_kind *const __stop_quern_netdev[] __attribute__((weak));

void netdev_kind_each(void (*fn)(void *arg, const struct netdev_kind *k), void *arg)
{
	for (const struct netdev_kind *const *k = __start_quern_netdev; k < __stop_quern_netdev;
	     k++)
		fn(arg, *k);
}

const struct netdev_kind *netdev_kind_find(const char *name)
{
	for (const struct netdev_kind *const *k = __start_quern_netdev; k < __stop_quern_netdev;
	     k++)
		if (str_eq((*k)->name, name))
			return *k;
	return NULL;
}

struct netdev *netdev_next(struct machine *m, struct netdev *n)
{
	struct list *l = n ? n->link.next : m->priv->netdevs.next;

	return l == &m->priv->netdevs ? NULL : list_entry(l, struct netdev, link);
}

struct netdev *netdev_find(struct machine *m, const char *id)
{
	for (struct netdev *n = netdev_next(m, NULL); n; n = netdev_next(m, n))
		if (str_eq(n->id, id))
			return n;
	return NULL;
}

/* ---- life */

static void retry(void *dev);

struct netdev *netdev_new(struct machine *m, struct keyvals *kv, struct error *e)
{
	const char *type = keyvals_get(kv, "type"), *id = keyvals_get(kv, "id");
	const struct netdev_kind *k = type ? netdev_kind_find(type) : NULL;
	struct netdev *n;

	if (!k) {
		error_set(e, "Invalid parameter 'type': there is no network back end '%s'",
			  type ? type : "");
		return NULL;
	}
	if (!id || !*id) {
		error_set(e, "parameter 'id' is missing");
		return NULL;
	}
	if (netdev_find(m, id)) {
		error_set(e, "Duplicate ID '%s' for netdev", id);
		return NULL;
	}
	n = NEW(struct netdev);
	n->machine = m;
	n->id = xstrdup(id);
	n->kind = k;
	n->last = &n->first;
	n->retry = (struct timer){ .dev = &n->shell, .fire = retry };
	list_init(&n->taps);
	list_add_tail(&m->priv->netdevs, &n->link);
	if (k->make(n, kv, e)) {
		n->ops = NULL;
		netdev_free(n);
		return NULL;
	}
	return n;
}

static void drop_waiting(struct netdev *n)
{
	while (n->first) {
		struct net_frame *f = n->first;

		n->first = f->next;
		free(f);
	}
	n->last = &n->first;
	n->waiting = 0;
}

void netdev_free(struct netdev *n)
{
	struct net_tap *t, *tmp;

	if (!n)
		return;
	clock_timer_stop(&n->machine->clock, &n->retry);
	list_for_each_safe (t, tmp, &n->taps, link)
		list_del(&t->link);
	if (n->ops && n->ops->fini)
		n->ops->fini(n);
	drop_waiting(n);
	list_del(&n->link);
	free((char *)n->id);
	free(n);
}

void netdev_free_all(struct machine *m)
{
	while (!list_empty(&m->priv->netdevs))
		netdev_free(list_entry(m->priv->netdevs.prev, struct netdev, link));
}

static void *find_for_prop(struct machine *m, const char *id, struct error *e)
{
	struct netdev *n = netdev_find(m, id);

	if (!n)
		error_set(e, "there is no netdev '%s'", id);
	return n;
}

static void __attribute__((constructor)) setup(void) { prop_resolver(PROP_NETDEV, find_for_prop); }

int netdev_attach(struct netdev *n, void *dev, const struct net_user *u, struct error *e)
{
	if (!n)
		return 0;
	if (n->dev)
		return error_ret(e, -EBUSY, "netdev '%s' is in use already", n->id);
	n->dev = dev;
	n->use = u;
	netdev_room(n);
	return 0;
}

void netdev_detach(struct netdev *n)
{
	if (!n)
		return;
	n->dev = NULL;
	n->use = NULL;
	n->card[0] = 0;
	drop_waiting(n);
}

/* ---- frames */

static void see(struct netdev *n, bool from_card, const struct iovec *vec, unsigned nvec)
{
	struct net_tap *t;

	list_for_each (t, &n->taps, link)
		t->frame(t, from_card, vec, nvec);
}

void netdev_send(struct netdev *n, const struct iovec *vec, unsigned nvec)
{
	if (!n || n->down)
		return;
	see(n, true, vec, nvec);
	n->ops->send(n, vec, nvec);
}

void netdev_flush(struct netdev *n)
{
	if (n && n->ops->flush)
		n->ops->flush(n);
}

/* While the machine stands still, nothing reaches its memory. A card is busy while it takes a
 * frame: what it writes to its own registers is refused. */
static bool give(struct netdev *n, const u8 *frame, size_t len)
{
	struct device_core *card = n->card[0] ? ((struct device *)n->dev)->core : NULL;
	bool was = card && card->busy, taken;

	if (n->machine->state != RUN_RUNNING)
		return false;
	if (card)
		card->busy = true;
	taken = n->use->receive(n->dev, frame, len);
	if (card)
		card->busy = was;
	return taken;
}

static void wait_for_room(struct netdev *n, const u8 *frame, size_t len)
{
	struct net_frame *f;

	if (n->waiting >= WAITING_MAX) {
		n->lost++;
		return;
	}
	f = xalloc(sizeof(*f) + len);
	f->n = len;
	memcpy(f->data, frame, len);
	*n->last = f;
	n->last = &f->next;
	n->waiting++;
	/* virtual time goes on when the machine does */
	if (n->machine->state != RUN_RUNNING && !n->retry.deadline)
		clock_timer_start(&n->machine->clock, &n->retry,
				  clock_now(&n->machine->clock) + RETRY_NS);
}

void netdev_deliver(struct netdev *n, const u8 *frame, size_t len)
{
	const struct iovec v = { (void *)frame, len };

	if (!n->use || n->down || len > NET_FRAME_MAX)
		return;
	see(n, false, &v, 1);
	if (n->first || !give(n, frame, len))
		wait_for_room(n, frame, len);
}

void netdev_room(struct netdev *n)
{
	bool had = n && n->first;

	while (n && n->use && n->first && give(n, n->first->data, n->first->n)) {
		struct net_frame *f = n->first;

		n->first = f->next;
		if (!n->first)
			n->last = &n->first;
		n->waiting--;
		free(f);
	}
	if (had && !n->first && n->ops->room)
		n->ops->room(n);
}

static void retry(void *dev)
{
	netdev_room(container_of((struct device *)dev, struct netdev, shell));
}

unsigned netdev_waiting(const struct netdev *n) { return n->waiting; }

/* ---- what else cards ask */

bool netdev_link(const struct netdev *n) { return n && !n->down; }

void netdev_set_link(struct netdev *n, bool up)
{
	if (n->down == !up)
		return;
	n->down = !up;
	if (n->ops->link)
		n->ops->link(n, up);
	if (n->use && n->use->link)
		n->use->link(n->dev, up);
}

void netdev_address(void *dev, u8 mac[6])
{
	static const u8 first[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
	struct machine *m = ((struct device *)dev)->core->machine;
	u8 none[6] = { 0 };

	if (memcmp(mac, none, 6))
		return;
	memcpy(mac, first, 6);
	mac[5] += m->priv->ncards++;
}

void netdev_describe(struct netdev *n, const char *model, const u8 mac[6])
{
	if (n)
		snprintf(n->card, sizeof(n->card), "model=%s,macaddr=%02x:%02x:%02x:%02x:%02x:%02x",
			 model, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}
