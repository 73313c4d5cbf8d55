/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block.c - drives: where a device's requests enter and their ends come back. An end arrives as an
 * input of the machine: posted, between two instructions; while the clock counts instructions, at a
 * fixed guest time after the submission, for which the machine waits if the host is slower. A
 * machine that stands still hears of no end until it goes on.
 */
#include "core/block.h"
#include "core/block_private.h"
#include "core/device.h"
#include "core/machine.h"
#include "core/private.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>

/* ---- lists of requests */

static void req_init(struct block_list *l) { l->next = l->prev = l; }
static bool req_none(const struct block_list *l) { return l->next == l; }
static void req_add(struct block_list *head, struct block_list *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}
static void req_del(struct block_list *l)
{
	l->next->prev = l->prev;
	l->prev->next = l->next;
	req_init(l);
}
static void req_move(struct block_list *to, struct block_list *from)
{
	req_init(to);
	if (req_none(from))
		return;
	*to = *from;
	to->next->prev = to->prev->next = to;
	req_init(from);
}
static struct block_req *req_first(struct block_list *l)
{
	return container_of(l->next, struct block_req, link);
}

/* ---- the machine's state */

static void due(void *arg);

struct block_state *block_state(struct machine *m)
{
	struct block_state *bs = m->priv->block;

	if (bs)
		return bs;
	bs = NEW(struct block_state);
	bs->m = m;
	list_init(&bs->nodes);
	list_init(&bs->drives);
	list_init(&bs->engines);
	bs->timer.dev = &bs->head;
	bs->timer.fire = due;
	m->priv->block = bs;
	return bs;
}

void block_engine_add(struct machine *m, struct block_engine *en)
{
	list_add_tail(&block_state(m)->engines, &en->link);
}

struct block_engine *block_engine_find(struct machine *m,
				       bool (*reap)(struct block_engine *en, bool wait))
{
	struct block_engine *en;

	list_for_each (en, &block_state(m)->engines, link) {
		if (en->reap == reap)
			return en;
	}
	return NULL;
}

bool block_reap_all(struct block_state *bs, bool wait)
{
	struct block_engine *en;
	bool any = false;

	list_for_each (en, &bs->engines, link)
		any |= en->reap(en, wait && !any);
	return any;
}

/* ---- ends */

static int policy(const struct block *b, const struct block_req *r, int err)
{
	u8 p = r->op_asked == BLOCK_READ ? b->rerror : b->werror;

	/* what the guest asked wrongly is its own matter */
	if (err == -ENOMEDIUM || err == -EINVAL || err == -EROFS || err == -ECANCELED)
		return ONERR_REPORT;
	if (p == ONERR_ENOSPC)
		return err == -ENOSPC ? ONERR_STOP : ONERR_REPORT;
	return p;
}

static void error_event(struct block *b, const struct block_req *r, int err, int what)
{
	static const char *const action[] = {
		[ONERR_REPORT] = "report", [ONERR_IGNORE] = "ignore", [ONERR_STOP] = "stop"
	};
	AUTO_FREE char *json = NULL;

	if (!b->machine->event)
		return;
	json = xasprintf("{\"device\": \"%s\", \"node-name\": \"%s\", \"operation\": \"%s\", "
			 "\"action\": \"%s\", \"nospace\": %s, \"reason\": \"%s\"}",
			 b->id ? b->id : "", b->node ? b->node->name : "",
			 r->op_asked == BLOCK_READ ? "read" : "write", action[what],
			 err == -ENOSPC ? "true" : "false", strerror(-err));
	b->machine->event(b->machine, "BLOCK_IO_ERROR", json);
}

static void account(struct block *b, const struct block_req *r, int err)
{
	struct block_stats *s = &b->stats;

	if (err) {
		s->failed[r->op_asked]++;
		return;
	}
	s->ops[r->op_asked]++;
	s->bytes[r->op_asked] += r->bytes;
	s->ns[r->op_asked] += host_ns() - r->started;
	if (r->op_asked == BLOCK_WRITE)
		s->highest = MAX(s->highest, r->at + r->bytes);
}

/* Calls into the device as its other callbacks are: marked as busy. */
static bool enter(struct block *b)
{
	struct device *d = b->dev;
	bool was = d && d->core->busy;

	if (d)
		d->core->busy = true;
	return was;
}

static void leave(struct block *b, bool was)
{
	struct device *d = b->dev;

	if (d)
		d->core->busy = was;
}

static void finish(struct block *b, struct block_req *r)
{
	int err = r->err, what = err ? policy(b, r, err) : ONERR_REPORT;
	bool was;

	req_del(&r->link);
	r->op = r->op_asked;
	account(b, r, err);
	if (err && what != ONERR_REPORT && what != ONERR_IGNORE) {
		b->failed = true;
		b->nospace = err == -ENOSPC;
		error_event(b, r, err, what);
		req_add(&b->held, &r->link);
		machine_stop(b->machine, RUN_IO_ERROR);
		return;
	}
	if (err && err != -ECANCELED && err != -ENOMEDIUM)
		error_event(b, r, err, what);
	b->wants_batch = true;
	was = enter(b);
	r->done(r, what == ONERR_IGNORE ? 0 : err);
	leave(b, was);
}

static void batch(struct block *b)
{
	bool was;

	if (!b->wants_batch)
		return;
	b->wants_batch = false;
	if (!b->use || !b->use->batch)
		return;
	was = enter(b);
	b->use->batch(b->dev);
	leave(b, was);
}

/* All that has ended by now; what ends meanwhile has its own turn. */
static void deliver(struct block *b)
{
	struct block_list now;

	req_move(&now, &b->ended);
	while (!req_none(&now))
		finish(b, req_first(&now));
	batch(b);
}

static void deliver_all(void *arg)
{
	struct block_state *bs = arg;
	struct block *b, *tmp;

	bs->posted = false;
	list_for_each_safe (b, tmp, &bs->drives, link) {
		if (bs->m->state == RUN_RUNNING || bs->m->state == RUN_PRELAUNCH)
			deliver(b);
	}
}

static void arrange(struct block_state *bs)
{
	if (bs->posted)
		return;
	bs->posted = true;
	machine_post(bs->m, deliver_all, bs);
}

void block_done(struct block_req *r, int err)
{
	struct block *b = r->block;

	r->err = err;
	if (!b) {
		r->done(r, err);
		return;
	}
	r->ended = true;
	if (b->machine->clock.counted)
		return;
	req_del(&r->link);
	req_add(&b->ended, &r->link);
	arrange(b->machine->priv->block);
}

void block_reap(struct machine *m)
{
	struct block_state *bs = block_state(m);
	bool was = bs->posted;

	/* no need for a post: the delivery is now */
	bs->posted = true;
	block_reap_all(bs, false);
	bs->posted = was;
	if (!was)
		deliver_all(bs);
	bs->posted = was;
}

/* ---- counted time */

static u64 next_due(struct block_state *bs)
{
	struct block *b;
	u64 first = ~0ull;

	list_for_each (b, &bs->drives, link) {
		if (!req_none(&b->under_way))
			first = MIN(first, req_first(&b->under_way)->due);
	}
	return first;
}

/* False: no host works on it; it waits for guest time to pass. */
static bool await(struct block_state *bs, struct block_req *r)
{
	while (!r->ended && block_reap_all(bs, true))
		;
	return r->ended;
}

static void due(void *arg)
{
	struct block_state *bs = container_of(arg, struct block_state, head);
	u64 now = clock_now(&bs->m->clock), next;
	struct block *b, *tmp;

	list_for_each_safe (b, tmp, &bs->drives, link) {
		while (!req_none(&b->under_way) && req_first(&b->under_way)->due <= now) {
			struct block_req *r = req_first(&b->under_way);

			if (await(bs, r)) {
				finish(b, r);
				continue;
			}
			r->due = now + BLOCK_COUNTED_NS;
			req_del(&r->link);
			req_add(&b->under_way, &r->link);
		}
		batch(b);
	}
	next = next_due(bs);
	if (next != ~0ull)
		clock_timer_start(&bs->m->clock, &bs->timer, next);
}

/* ---- requests */

static int check(const struct block *b, const struct block_req *r)
{
	u64 sum = 0;

	if (!b->node)
		return -ENOMEDIUM;
	if (r->op != BLOCK_READ && r->op != BLOCK_FLUSH && b->readonly)
		return -EROFS;
	if (r->op != BLOCK_READ && r->op != BLOCK_WRITE)
		return 0;
	for (u32 i = 0; i < r->nvec; i++)
		sum += r->vec[i].iov_len;
	return sum == r->bytes ? 0 : -EINVAL;
}

static void start(struct block *b, struct block_req *r)
{
	struct clock *c = &b->machine->clock;
	int err = check(b, r);

	r->ended = false;
	r->err = 0;
	r->started = host_ns();
	req_add(&b->under_way, &r->link);
	if (c->counted) {
		struct block_state *bs = b->machine->priv->block;

		r->due = clock_now(c) + BLOCK_COUNTED_NS;
		if (!bs->timer.deadline || bs->timer.deadline > r->due)
			clock_timer_start(c, &bs->timer, r->due);
	}
	if (err)
		block_done(r, err);
	else
		block_node_submit(b->node, r);
}

void block_submit(struct block *b, struct block_req *r)
{
	r->block = b;
	r->user = b->dev;
	r->op_asked = r->op;
	if (!b->write_cache && (r->op == BLOCK_WRITE || r->op == BLOCK_ZEROES))
		r->flags |= BLOCK_FUA;
	start(b, r);
}

void block_plug(struct block *b)
{
	if (b->plugged++ == 0)
		block_node_plug(b->node, true);
}

void block_unplug(struct block *b)
{
	if (--b->plugged == 0)
		block_node_plug(b->node, false);
}

static void drain_nodes(struct block_node *n)
{
	for (; n; n = n->file) {
		if (n->driver->drain)
			n->driver->drain(n);
	}
}

/* All that is under way has ended, or is held. */
static void settle(struct block *b)
{
	struct block_state *bs = b->machine->priv->block;

	drain_nodes(b->node);
	for (;;) {
		struct block_req *r;

		while (!req_none(&b->ended))
			deliver(b);
		if (req_none(&b->under_way))
			break;
		r = req_first(&b->under_way);
		if (!await(bs, r))
			drain_nodes(b->node);
		assert(r->ended);
		/* counted: it is still in its place */
		if (!req_none(&b->under_way) && req_first(&b->under_way) == r)
			finish(b, r);
	}
	batch(b);
}

void block_drain(struct block *b)
{
	unsigned plugged = b->plugged;

	if (!b->machine->priv->block)
		return;
	if (plugged)
		block_node_plug(b->node, false);
	settle(b);
	while (!req_none(&b->held)) {
		struct block_req *r = req_first(&b->held);

		r->err = -ECANCELED;
		finish(b, r);
	}
	batch(b);
	if (plugged)
		block_node_plug(b->node, true);
}

void block_drain_all(struct machine *m)
{
	struct block *b, *tmp;

	if (!m->priv->block)
		return;
	list_for_each_safe (b, tmp, &m->priv->block->drives, link)
		block_drain(b);
}

int block_settle_all(struct machine *m, struct error *e)
{
	struct block *b, *tmp;

	if (!m->priv->block)
		return 0;
	list_for_each_safe (b, tmp, &m->priv->block->drives, link)
		settle(b);
	list_for_each (b, &m->priv->block->drives, link)
		if (!req_none(&b->held))
			return error_ret(e, -EBUSY,
					 "drive '%s' holds requests back after an error: a "
					 "snapshot "
					 "would lose them; let the machine go on first",
					 block_name(b));
	return 0;
}

static void now_done(struct block_req *r, int err) { r->ended = true; }

void block_wait(struct block_node *n, struct block_req *r)
{
	if (!await(n->machine->priv->block, r))
		drain_nodes(n);
	assert(r->ended);
}

int block_read_now(struct block *b, u64 at, void *buf, size_t n)
{
	struct iovec v = { buf, n };
	struct block_req r = {
		.op = BLOCK_READ, .vec = &v, .nvec = 1, .at = at, .bytes = n, .done = now_done
	};

	if (!b->node)
		return -ENOMEDIUM;
	block_node_submit(b->node, &r);
	block_wait(b->node, &r);
	return r.err;
}

void block_machine_cont(struct machine *m)
{
	struct block *b, *tmp;

	if (!m->priv->block)
		return;
	list_for_each_safe (b, tmp, &m->priv->block->drives, link) {
		struct block_list again;

		b->failed = b->nospace = false;
		req_move(&again, &b->held);
		while (!req_none(&again)) {
			struct block_req *r = req_first(&again);

			req_del(&r->link);
			start(b, r);
		}
		if (!req_none(&b->ended))
			arrange(m->priv->block);
	}
}

/* ---- drives */

struct block *block_new(struct machine *m, const char *id, struct block_node *n)
{
	struct block_state *bs = block_state(m);
	struct block *b = NEW(struct block);

	b->machine = m;
	b->id = id ? xstrdup(id) : NULL;
	b->node = n;
	b->readonly = n && n->readonly;
	b->write_cache = b->write_cache_default = true;
	b->rerror = ONERR_REPORT;
	b->werror = ONERR_ENOSPC;
	b->index = b->bus = b->unit = -1;
	req_init(&b->under_way);
	req_init(&b->ended);
	req_init(&b->held);
	list_add_tail(&bs->drives, &b->link);
	return b;
}

void block_free(struct block *b)
{
	if (!b)
		return;
	block_drain(b);
	block_unref(b->node);
	list_del(&b->link);
	free(b->id);
	free(b);
}

struct block *block_next(struct machine *m, struct block *b)
{
	struct list *l;

	if (!m->priv->block)
		return NULL;
	l = b ? b->link.next : m->priv->block->drives.next;
	return l == &m->priv->block->drives ? NULL : container_of(l, struct block, link);
}

struct block *block_find(struct machine *m, const char *id)
{
	for (struct block *b = block_next(m, NULL); b; b = block_next(m, b)) {
		if (b->id && str_eq(b->id, id))
			return b;
	}
	return NULL;
}

const char *block_name(const struct block *b)
{
	return b->id ? b->id : b->node ? b->node->name : "(no medium)";
}

/* What drive= of a device names: a drive, or a node, for which a drive is made. */
static void *resolve(struct machine *m, const char *name, struct error *e)
{
	struct block *b = block_find(m, name);
	struct block_node *n = b ? NULL : block_node_find(m, name);

	if (b)
		return b;
	if (n)
		return block_new(m, NULL, block_ref(n));
	error_set(e, "there is no drive or block node '%s'", name);
	return NULL;
}

static void __attribute__((constructor)) register_resolver(void)
{
	prop_resolver(PROP_DRIVE, resolve);
}

static bool node_in_use(const struct block *b)
{
	for (struct block *o = block_next(b->machine, NULL); o; o = block_next(b->machine, o)) {
		if (o != b && o->dev && o->node && o->node == b->node && !o->readonly)
			return true;
	}
	return false;
}

int block_attach(struct block *b, void *dev, const struct block_user *u, bool writes,
		 struct error *e)
{
	struct device *d = b->dev;

	if (d)
		return error_ret(e, -EBUSY, "drive '%s' is in use by device '%s'", block_name(b),
				 d->id);
	if (!b->node && !u->media)
		return error_ret(e, -ENOMEDIUM, "drive '%s' is empty, and this device needs a disk",
				 block_name(b));
	if (writes && b->node && b->node->readonly)
		return error_ret(e, -EROFS,
				 "drive '%s' is read-only, and this device writes to its disk",
				 block_name(b));
	if (b->node && !b->node->readonly && writes && node_in_use(b))
		return error_ret(e, -EBUSY, "block node '%s' is in use by another device",
				 b->node->name);
	b->dev = dev;
	b->use = u;
	b->removable |= u->media != NULL;
	return 0;
}

void block_detach(struct block *b)
{
	if (!b || !b->dev)
		return;
	block_drain(b);
	b->dev = NULL;
	b->use = NULL;
	/* made for this device's drive=NODE */
	if (!b->id)
		block_free(b);
}

void block_info(const struct block *b, struct block_info *i)
{
	const struct block_node *n = b->node;

	memset(i, 0, sizeof(*i));
	i->align = i->optimal = 512;
	i->readonly = b->readonly;
	i->write_cache = b->write_cache_default;
	if (!n)
		return;
	i->inserted = true;
	i->size = n->size;
	i->readonly |= n->readonly;
	i->discard = n->discard && n->can_discard;
	i->align = MAX(n->align, 512u);
	i->optimal = MAX(n->optimal, i->align);
}

void block_set_write_cache(struct block *b, bool on) { b->write_cache = on; }

/* ---- media */

static void media_changed(struct block *b, bool inserted)
{
	bool was;

	if (!b->use || !b->use->media)
		return;
	was = enter(b);
	b->use->media(b->dev, inserted);
	leave(b, was);
}

void block_insert(struct block *b, struct block_node *n)
{
	block_drain(b);
	block_unref(b->node);
	b->node = n;
	b->failed = false;
	media_changed(b, true);
}

void block_remove(struct block *b)
{
	block_drain(b);
	block_unref(b->node);
	b->node = NULL;
	media_changed(b, false);
}

void block_tray_moved(struct block *b, bool open)
{
	AUTO_FREE char *json = NULL;
	struct device *d = b->dev;

	if (b->tray_open == open)
		return;
	b->tray_open = open;
	if (!b->machine->event)
		return;
	json = xasprintf("{\"device\": \"%s\", \"id\": \"%s\", \"tray-open\": %s}",
			 b->id ? b->id : "", d ? d->id : "", open ? "true" : "false");
	b->machine->event(b->machine, "DEVICE_TRAY_MOVED", json);
}

int block_resize(struct block *b, u64 size, struct error *e)
{
	struct block_node *n = b->node;
	bool was;
	int err;

	if (!n)
		return error_ret(e, -ENOMEDIUM, "drive '%s' has no medium", block_name(b));
	if (!n->driver->truncate || n->readonly)
		return error_ret(e, -ENOTSUP, "the image of drive '%s' cannot change its size",
				 block_name(b));
	block_drain(b);
	err = n->driver->truncate(n, size, e);
	if (err || !b->use || !b->use->resized)
		return err;
	was = enter(b);
	b->use->resized(b->dev);
	leave(b, was);
	return 0;
}

int block_parse_on_error(const char *s, u8 *v, bool write, struct error *e)
{
	int n = choice_find("report|ignore|enospc|stop", s);

	if (n < 0 || (n == ONERR_ENOSPC && !write))
		return error_ret(e, -EINVAL, "'%s' is no %s action: %s", s,
				 write ? "write error" : "read error",
				 write ? "report, ignore, enospc or stop is expected" :
					 "report, ignore or stop is expected");
	*v = n;
	return 0;
}

/* ---- the end */

void block_machine_fini(struct machine *m)
{
	struct block_state *bs = m->priv->block;
	struct block_engine *en, *tmp;

	if (!bs)
		return;
	while (!list_empty(&bs->drives))
		block_free(container_of(bs->drives.next, struct block, link));
	/* what is left are nodes that only their names held, parents before children */
	for (bool again = true; again;) {
		struct block_node *n;

		again = false;
		list_for_each (n, &bs->nodes, link) {
			if (n->named && n->refs == 1) {
				block_unref(n);
				again = true;
				break;
			}
		}
	}
	list_for_each_safe (en, tmp, &bs->engines, link) {
		list_del(&en->link);
		en->fini(en);
	}
	clock_timer_stop(&m->clock, &bs->timer);
	free(bs);
	m->priv->block = NULL;
}
