/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net.h - network back ends from the inside: what a kind of back end implements, taps that see
 * every frame, and the queue before a card that has no room. The cards' side is quern/net.h. All on
 * the machine's thread. */
#pragma once
#include <quern/net.h>
#include "../lib/keyval.h"
#include "../lib/list.h"

struct machine;
struct netdev;

struct net_ops {
	/* a frame from the card */
	void (*send)(struct netdev *n, const struct iovec *vec, unsigned nvec);
	void (*flush)(struct netdev *n);	 /* may be NULL */
	void (*room)(struct netdev *n);		 /* the queue is empty again; may be NULL */
	void (*fini)(struct netdev *n);		 /* releases impl */
	void (*link)(struct netdev *n, bool up); /* may be NULL */
};
/* -netdev KIND,...: registers itself. */
struct netdev_kind {
	const char *name, *doc, *keys;
	/* n has id and machine; sets ops, impl and info. Keys not asked for are refused. */
	int (*make)(struct netdev *n, struct keyvals *kv, struct error *e);
};
#define NETDEV_KIND(var) \
	static const struct netdev_kind *const netdev_##var##_p \
		__attribute__((section("quern_netdev"), used)) = &var

struct net_tap {
	void (*frame)(struct net_tap *t, bool from_card, const struct iovec *vec, unsigned nvec);
	struct list link;
};

struct net_frame;
struct netdev {
	struct machine *machine;
	struct list link;
	const char *id;
	const struct netdev_kind *kind;
	const struct net_ops *ops;
	void *impl;
	char info[128]; /* "net=10.0.2.0,restrict=off" */
	char card[128]; /* netdev_describe */
	void *dev;	/* the card, or NULL; another netdev when it is a hub's port */
	const struct net_user *use;
	bool down; /* set_link off */
	struct list taps;
	/* frames that wait for the card */
	struct net_frame *first, **last;
	unsigned waiting;
	u64 lost;
	struct device shell; /* owner of the timer */
	struct timer retry;
};

struct netdev *netdev_new(struct machine *m, struct keyvals *kv, struct error *e);
void netdev_free(struct netdev *n);
struct netdev *netdev_find(struct machine *m, const char *id);
struct netdev *netdev_next(struct machine *m, struct netdev *n); /* NULL: the first */
void netdev_kind_each(void (*fn)(void *arg, const struct netdev_kind *k), void *arg);
const struct netdev_kind *netdev_kind_find(const char *name);
/* A frame for the card: now, or when it has room; more than it can wait for is lost. */
void netdev_deliver(struct netdev *n, const u8 *frame, size_t len);
/* How many frames wait: a back end that can pause does so. */
unsigned netdev_waiting(const struct netdev *n);
void netdev_set_link(struct netdev *n, bool up);
void netdev_free_all(struct machine *m);
