/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio_snapshot.c - what the virtio core keeps of a device, saved and loaded. Requests that the
 * device holds are not saved: the queue is saved as it was before they were taken, and after
 * loading the device takes them again. That is the same for a device that takes requests in order
 * and has not begun with those that it holds; disks have finished theirs before a snapshot is made.
 */
#include "bus/virtio_core.h"
#include "core/blob.h"
#include "core/snapshot.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <errno.h>

/* Keyed values, in one table each for the device and a queue. */
struct value {
	const char *name;
	u32 off, size;
};
#define V(m) \
	{ \
#m, offsetof(struct virtio, m), sizeof(((struct virtio *)0)->m) \
	}
#define Q(m) \
	{ \
#m, offsetof(struct virtq, m), sizeof(((struct virtq *)0)->m) \
	}
static const struct value device_values[] = { V(features),
					      V(status),
					      V(isr),
					      V(config_generation),
					      V(config_vector),
					      V(legacy),
					      V(broken),
					      V(device_feature_select),
					      V(driver_feature_select),
					      V(queue_select),
					      V(driver_features),
					      {} };
static const struct value queue_values[] = {
	Q(size),	Q(enabled),	   Q(ready),	       Q(desc_at),     Q(driver_at),
	Q(device_at),	Q(desc.addr),	   Q(desc.size),       Q(driver.addr), Q(driver.size),
	Q(device.addr), Q(device.size),	   Q(vector),	       Q(used),	       Q(used_wrap),
	Q(signalled),	Q(signalled_wrap), Q(signalled_valid), Q(want),	       {}
};

static unsigned held(const struct virtq *q)
{
	unsigned n = 0;

	for (const struct virtio_req *r = q->out; r; r = r->next)
		n++;
	return n;
}

/* Are those that are held the last that were taken? */
static bool in_order(struct virtq *q, unsigned n)
{
	const u8 *ring = virtq_area_at(q, &q->driver, false, "available ring");

	if (!ring)
		return false;
	for (const struct virtio_req *r = q->out; r; r = r->next) {
		bool found = false;

		for (unsigned i = 1; i <= n && !found; i++) {
			u16 at = (u16)(q->avail - i) & (q->size - 1);

			found = ld16le(ring + 4 + 2 * at) == r->head;
		}
		if (!found)
			return false;
	}
	return true;
}

/* Where the queue stood before the requests that are held. */
static void before(struct virtq *q, u16 *avail, bool *wrap)
{
	unsigned n = held(q);

	*avail = q->avail;
	*wrap = q->avail_wrap;
	if (!n)
		return;
	if (virtq_is_packed(q)) {
		if (q->inuse > *avail) {
			*avail = (u16)(*avail + q->size);
			*wrap = !*wrap;
		}
		*avail = (u16)(*avail - q->inuse);
		return;
	}
	if (!in_order(q, n))
		warn("device '%s' holds requests of queue %u out of order: a machine that loads "
		     "this "
		     "snapshot answers some of them twice or never",
		     q->v->dev->pci.dev.id, q->n);
	*avail = (u16)(*avail - n);
}

static void put(struct blob *b, const struct value *t, const void *from)
{
	for (; t->name; t++)
		snapshot_put(b, t->name, (const u8 *)from + t->off, t->size);
}

static int get(struct blob *b, const struct value *t, void *to)
{
	int r = 0;

	for (; t->name && !r; t++)
		r = snapshot_get(b, t->name, (u8 *)to + t->off, t->size);
	return r;
}

void virtio_save(void *dev, struct blob *b)
{
	struct virtio *v = virtio_of(dev);

	put(b, device_values, v);
	for (unsigned i = 0; i < v->nq; i++) {
		AUTO_FREE char *key = xasprintf("queue %u", i);
		struct virtq *q = &v->q[i];
		struct blob one = { 0 };
		u16 avail = q->avail;
		bool wrap = q->avail_wrap;

		if (q->ready)
			before(q, &avail, &wrap);
		put(&one, queue_values, q);
		snapshot_put(&one, "avail", &avail, sizeof(avail));
		snapshot_put(&one, "avail_wrap", &wrap, sizeof(wrap));
		snapshot_put(b, key, one.at, one.n);
		blob_fini(&one);
	}
}

static int load_queue(struct virtq *q, struct blob *b)
{
	int r = get(b, queue_values, q);

	if (!r)
		r = snapshot_get(b, "avail", &q->avail, sizeof(q->avail));
	if (!r)
		r = snapshot_get(b, "avail_wrap", &q->avail_wrap, sizeof(q->avail_wrap));
	/* a damaged snapshot is no driver, whose values have been checked */
	if (r || q->size > q->max || (q->size & (q->size - 1) && !virtq_is_packed(q)))
		return -EINVAL;
	q->desc.at = q->driver.at = q->device.at = NULL;
	q->desc.generation = q->driver.generation = q->device.generation = 0;
	q->pushed = false;
	return 0;
}

int virtio_load(void *dev, struct blob *b)
{
	struct virtio *v = virtio_of(dev);
	int r;

	/* forgets requests; the model's own state is loaded after this */
	virtio_reset(v->dev);
	r = get(b, device_values, v);
	for (unsigned i = 0; i < v->nq && !r; i++) {
		AUTO_FREE char *key = xasprintf("queue %u", i);
		s64 n = snapshot_size(b, key);
		struct blob one = { 0 };

		if (n < 0)
			return -EINVAL;
		one.at = xalloc((size_t)n + 1);
		one.n = one.cap = (size_t)n;
		r = snapshot_get(b, key, one.at, (size_t)n);
		if (!r)
			r = load_queue(&v->q[i], &one);
		blob_fini(&one);
	}
	return r;
}

void virtio_loaded(void *dev)
{
	struct virtio *v = virtio_of(dev);

	if (v->transport->loaded)
		v->transport->loaded(v->dev);
	if (v->class->dev.loaded)
		v->class->dev.loaded(dev);
	for (unsigned i = 0; i < v->nq; i++)
		if (v->status & VIRTIO_DRIVER_OK && !v->broken && v->q[i].ready && v->class->queue)
			v->class->queue(dev, i);
}
