/* SPDX-License-Identifier: GPL-2.0-or-later */
/* late.c - the queue of what was delayed, by deadline, and its place in snapshots together with how
 * often armed faults were met. */
#include "core/late.h"
#include "core/blob.h"
#include "core/fault.h"
#include "core/irq.h"
#include "core/private.h"
#include "core/snapshot.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <errno.h>

enum kind { BUS, LINE, WRITE };
struct late {
	u64 deadline;
	struct device *d;
	u32 kind, what;
	u64 addr;
	size_t n;
	struct list link;
	u8 data[];
};
struct late_queue {
	struct device head; /* the timer's owner; no real device */
	struct timer timer;
	struct machine *m;
	struct list all; /* earliest first */
	struct snapshot_part part;
	struct reset_hook reset;
};

static void arm(struct late_queue *q)
{
	if (list_empty(&q->all))
		clock_timer_stop(&q->m->clock, &q->timer);
	else
		clock_timer_start(&q->m->clock, &q->timer,
				  container_of(q->all.next, struct late, link)->deadline);
}

static void drop(struct late *l)
{
	list_del(&l->link);
	free(l);
}

/* Behind those of the same time: in order. */
static void insert(struct late_queue *q, struct late *l)
{
	struct late *other;

	list_for_each (other, &q->all, link) {
		if (other->deadline > l->deadline)
			break;
	}
	list_add_tail(&other->link, &l->link);
	arm(q);
}

static void happen(struct late *l)
{
	struct device *d = l->d;

	if (l->kind == LINE)
		irq_late(d, l->what);
	else if (l->kind == BUS)
		d->core->bus_type->late(d, l->what);
	else if (space_write(&d->core->machine->memory, l->addr, l->data, l->n,
			     (struct mem_attrs){ 0 }) != MEM_OK)
		guest_error(d, "delayed DMA write of %#llx+%zu misses memory",
			    (unsigned long long)l->addr, l->n);
}

static void due(void *arg)
{
	struct late_queue *q = container_of((struct device *)arg, struct late_queue, head);
	u64 now = clock_now(&q->m->clock);

	while (!list_empty(&q->all)) {
		struct late *l = container_of(q->all.next, struct late, link);

		if (l->deadline > now)
			break;
		list_del(&l->link);
		happen(l);
		free(l);
	}
	arm(q);
}

static void add(struct device *d, enum kind kind, u32 what, u64 addr, const void *buf, size_t n,
		u64 ns)
{
	struct late_queue *q = d->core->machine->priv->late;
	struct late *l = xalloc(sizeof(*l) + n);

	*l = (struct late){ .deadline = clock_now(&q->m->clock) + ns,
			    .d = d,
			    .kind = kind,
			    .what = what,
			    .addr = addr,
			    .n = n };
	if (n)
		memcpy(l->data, buf, n);
	insert(q, l);
}

void late_bus(struct device *d, u32 what, u64 ns) { add(d, BUS, what, 0, NULL, 0, ns); }

void late_line(struct device *d, unsigned n, u64 ns) { add(d, LINE, n, 0, NULL, 0, ns); }

void late_write(struct device *d, u64 addr, const void *buf, size_t n, u64 ns)
{
	add(d, WRITE, 0, addr, buf, n, ns);
}

bool late_pending(struct device *d, u32 what, bool cancel)
{
	struct late_queue *q = d->core->machine->priv->late;
	struct late *l;

	list_for_each (l, &q->all, link) {
		if (l->d != d || l->kind != BUS || l->what != what)
			continue;
		if (cancel) {
			drop(l);
			arm(q);
		}
		return true;
	}
	return false;
}

static void forget(struct late_queue *q, const struct device *d)
{
	struct late *l, *tmp;

	list_for_each_safe (l, tmp, &q->all, link) {
		if (!d || l->d == d)
			drop(l);
	}
	arm(q);
}

void late_forget(struct device *d) { forget(d->core->machine->priv->late, d); }

/* ---- snapshots: all faults that are armed, by name, then the queue */

static void put_u64(struct blob *b, u64 v)
{
	u8 at[8];

	st64le(at, v);
	blob_put(b, at, sizeof(at));
}

static u64 get_u64(struct blob *b)
{
	u8 at[8] = { 0 };

	return blob_get(b, at, sizeof(at)) ? 0 : ld64le(at);
}

static void put_name(struct blob *b, const char *name)
{
	put_u64(b, strlen(name));
	blob_put(b, name, strlen(name));
}

static char *get_name(struct blob *b)
{
	u64 n = get_u64(b);
	char *name = n < 4096 ? xalloc(n + 1) : NULL;

	if (name && blob_get(b, name, n)) {
		free(name);
		return NULL;
	}
	return name;
}

static void save_fault(void *arg, const struct fault_info *f)
{
	put_u64(arg, 1);
	put_name(arg, f->name);
	put_u64(arg, f->hits);
	put_u64(arg, f->fired);
	put_u64(arg, f->times);
}

static void save(void *arg, struct blob *b)
{
	struct late_queue *q = arg;
	struct late *l;

	fault_each(q->m, save_fault, b);
	put_u64(b, 0);
	list_for_each (l, &q->all, link) {
		put_u64(b, 1);
		put_name(b, l->d->id);
		put_u64(b, l->deadline);
		put_u64(b, l->kind | (u64)l->what << 32);
		put_u64(b, l->addr);
		put_u64(b, l->n);
		blob_put(b, l->data, l->n);
	}
	put_u64(b, 0);
}

static int load_late(struct late_queue *q, struct blob *b, struct error *e)
{
	AUTO_FREE char *id = get_name(b);
	struct device *d = id ? device_find(q->m, id) : NULL;
	u64 deadline = get_u64(b), kind = get_u64(b), addr = get_u64(b), n = get_u64(b);
	struct late *l = d && n <= b->n - b->pos ? xalloc(sizeof(*l) + n) : NULL;

	if (!l || (u32)kind > WRITE || blob_get(b, l->data, n) ||
	    ((u32)kind == BUS && !(d->core->bus_type && d->core->bus_type->late))) {
		free(l);
		return error_ret(e, -EINVAL,
				 "the snapshot's delayed interrupts and writes are damaged, or of "
				 "a "
				 "device that this machine has not");
	}
	*l = (struct late){ .deadline = deadline,
			    .d = d,
			    .kind = (u32)kind,
			    .what = kind >> 32,
			    .addr = addr,
			    .n = n };
	insert(q, l);
	return 0;
}

static int load(void *arg, struct blob *b, struct error *e)
{
	struct late_queue *q = arg;
	int err = 0;

	while (get_u64(b)) {
		AUTO_FREE char *name = get_name(b);
		u64 hits = get_u64(b), fired = get_u64(b), times = get_u64(b);

		/* one that is not armed here is as if it were disarmed now */
		if (name)
			fault_set_counts(q->m, name, hits, fired, times);
	}
	forget(q, NULL);
	while (!err && get_u64(b))
		err = load_late(q, b, e);
	return err;
}

/* ---- */

static void on_reset(void *arg) { forget(arg, NULL); }

void late_init(struct machine *m)
{
	struct late_queue *q = NEW(struct late_queue);

	q->m = m;
	list_init(&q->all);
	q->timer.dev = &q->head;
	q->timer.fire = due;
	q->part = (struct snapshot_part){ .name = "faults", .save = save, .load = load, .arg = q };
	q->reset = (struct reset_hook){ .fn = on_reset, .arg = q };
	m->priv->late = q;
	snapshot_add_part(m, &q->part);
	machine_add_reset(m, &q->reset);
}

void late_fini(struct machine *m)
{
	struct late_queue *q = m->priv->late;

	forget(q, NULL);
	snapshot_remove_part(&q->part);
	list_del(&q->reset.link);
	free(q);
	m->priv->late = NULL;
}
