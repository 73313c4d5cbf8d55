/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio_split.c - split virtqueues: descriptor table, available ring and used ring. VIRTIO 1.2,
 * 2.7. The areas were checked by the caller. */
#include "bus/virtio_core.h"
#include "core/machine.h"

enum { AVAIL_NO_INTERRUPT = BIT(0), USED_NO_NOTIFY = BIT(0) };

static bool event_idx(const struct virtq *q) { return q->v->features >> VIRTIO_F_EVENT_IDX & 1; }

static u16 load16(const u8 *p)
{
	u8 b[2];

	memcpy(b, p, 2);
	return ld16le(b);
}

static u16 avail_idx(const struct virtq *q)
{
	u16 idx = load16(q->driver.at + 2);

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return idx;
}

bool split_empty(struct virtq *q) { return avail_idx(q) == q->avail; }

/* Follows the chain from head; false = broken. */
static bool walk(struct virtq *q, struct virtio_req *r, u32 head)
{
	struct virtio_device *d = q->v->dev;

	for (u32 i = head, seen = 0;;) {
		u8 desc[DESC_SIZE];
		u16 flags;

		if (i >= q->size) {
			virtio_broken(d, "queue %u: descriptor %u of %u", q->n, i, q->size);
			return false;
		}
		if (++seen > q->size) {
			virtio_broken(d, "queue %u: the descriptors from %u on loop", q->n, head);
			return false;
		}
		memcpy(desc, q->desc.at + i * DESC_SIZE, DESC_SIZE);
		flags = ld16le(desc + 12);
		if (flags & DESC_INDIRECT) {
			if (flags & DESC_NEXT) {
				virtio_broken(d, "queue %u: more descriptors after an indirect one",
					      q->n);
				return false;
			}
			return virtio_req_indirect(r, q, ld64le(desc), ld32le(desc + 8), true);
		}
		if (!virtio_req_add(r, q, ld64le(desc), ld32le(desc + 8), flags & DESC_WRITE))
			return false;
		if (!(flags & DESC_NEXT))
			return true;
		i = ld16le(desc + 14);
	}
}

int split_pop(struct virtq *q, struct virtio_req *r)
{
	u16 waiting = avail_idx(q) - q->avail;
	u32 head;

	if (!waiting)
		return 0;
	if (waiting > q->size) {
		virtio_broken(q->v->dev, "queue %u: %u requests in an available ring of %u", q->n,
			      waiting, q->size);
		return -1;
	}
	head = load16(q->driver.at + 4 + 2 * (q->avail & (q->size - 1u)));
	if (!walk(q, r, head))
		return -1;
	r->head = head;
	r->ndesc = 1;
	q->avail++;
	if (q->inuse >= q->size) {
		virtio_broken(q->v->dev, "queue %u: a descriptor is made available twice", q->n);
		return -1;
	}
	return 1;
}

void split_unpop(struct virtq *q, const struct virtio_req *r) { q->avail--; }

void split_push(struct virtq *q, const struct virtio_req *r, u32 written)
{
	u32 off = 4 + 8 * (q->used & (q->size - 1u));

	st32le(q->device.at + off, r->head);
	st32le(q->device.at + off + 4, written);
	virtq_area_dirty(q, &q->device, off, 8);
	q->used++;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	st16le(q->device.at + 2, q->used);
	virtq_area_dirty(q, &q->device, 2, 2);
}

/* 2.7.10: does the event lie in what was used since the last time? */
static bool need_event(u16 event, u16 now, u16 then)
{
	return (u16)(now - event - 1) < (u16)(now - then);
}

bool split_should_interrupt(struct virtq *q)
{
	u16 then = q->signalled;
	bool valid = q->signalled_valid;

	if ((q->v->features >> VIRTIO_F_NOTIFY_ON_EMPTY & 1) && !q->inuse && split_empty(q))
		return true;
	if (!event_idx(q))
		return !(load16(q->driver.at) & AVAIL_NO_INTERRUPT);
	q->signalled = q->used;
	q->signalled_valid = true;
	return !valid || need_event(load16(q->driver.at + 4 + 2 * q->size), q->used, then);
}

void split_want(struct virtq *q, bool on)
{
	u32 at = event_idx(q) ? 4 + 8 * q->size : 0;

	/* with an event index, not wanting is leaving it where it is */
	if (event_idx(q) && !on)
		return;
	st16le(q->device.at + at, event_idx(q) ? q->avail : on ? 0 : USED_NO_NOTIFY);
	virtq_area_dirty(q, &q->device, at, 2);
}
