/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio_packed.c - packed virtqueues: one ring of descriptors that both sides write, and an event
 * suppression structure of each side. VIRTIO 1.2, 2.8. The areas were checked by the caller. */
#include "bus/virtio_core.h"
#include "core/machine.h"

enum {
	PACKED_AVAIL = BIT(7),
	PACKED_USED = BIT(15),
	EVENT_ENABLE = 0,
	EVENT_DISABLE = 1,
	EVENT_DESC = 2,
};

static bool event_idx(const struct virtq *q) { return q->v->features >> VIRTIO_F_EVENT_IDX & 1; }

static u16 load_flags(const struct virtq *q, u32 slot)
{
	u8 b[2];

	memcpy(b, q->desc.at + slot * DESC_SIZE + 14, 2);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return ld16le(b);
}

static bool is_avail(u16 flags, bool wrap)
{
	return !!(flags & PACKED_AVAIL) == wrap && !!(flags & PACKED_USED) != wrap;
}

bool packed_empty(struct virtq *q) { return !is_avail(load_flags(q, q->avail), q->avail_wrap); }

int packed_pop(struct virtq *q, struct virtio_req *r)
{
	struct virtio_device *d = q->v->dev;
	u32 slot = q->avail, n = 0;
	bool wrap = q->avail_wrap;
	u8 desc[DESC_SIZE];
	u16 flags;

	if (packed_empty(q))
		return 0;
	do {
		if (n == q->size) {
			virtio_broken(d, "queue %u: a chain longer than the ring", q->n);
			return -1;
		}
		memcpy(desc, q->desc.at + slot * DESC_SIZE, DESC_SIZE);
		flags = ld16le(desc + 14);
		n++;
		if (++slot == q->size) {
			slot = 0;
			wrap = !wrap;
		}
		if ((flags & DESC_INDIRECT) && ((flags & DESC_NEXT) || n > 1)) {
			virtio_broken(d, "queue %u: an indirect descriptor in a chain", q->n);
			return -1;
		}
		if (flags & DESC_INDIRECT) {
			if (!virtio_req_indirect(r, q, ld64le(desc), ld32le(desc + 8), false))
				return -1;
		} else if (!virtio_req_add(r, q, ld64le(desc), ld32le(desc + 8),
					   flags & DESC_WRITE)) {
			return -1;
		}
	} while (flags & DESC_NEXT);
	if (q->inuse + n > q->size) {
		virtio_broken(d, "queue %u: descriptors are made available twice", q->n);
		return -1;
	}
	/* 2.8.6: the id of a chain is in its last descriptor */
	r->head = ld16le(desc + 12);
	r->ndesc = n;
	q->avail = slot;
	q->avail_wrap = wrap;
	return 1;
}

void packed_unpop(struct virtq *q, const struct virtio_req *r)
{
	if (q->avail < r->ndesc) {
		q->avail += q->size;
		q->avail_wrap = !q->avail_wrap;
	}
	q->avail -= r->ndesc;
}

void packed_push(struct virtq *q, const struct virtio_req *r, u32 written)
{
	u32 off = q->used * DESC_SIZE;
	u16 flags = (q->used_wrap ? PACKED_AVAIL | PACKED_USED : 0) | (written ? DESC_WRITE : 0);

	st32le(q->desc.at + off + 8, written);
	st16le(q->desc.at + off + 12, r->head);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	st16le(q->desc.at + off + 14, flags);
	virtq_area_dirty(q, &q->desc, off, DESC_SIZE);
	q->used += r->ndesc;
	if (q->used >= q->size) {
		q->used -= q->size;
		q->used_wrap = !q->used_wrap;
		q->signalled_valid = false;
	}
}

bool packed_should_interrupt(struct virtq *q)
{
	u16 then = q->signalled, where, flags, event;
	bool valid = q->signalled_valid;

	where = ld16le(q->driver.at);
	flags = ld16le(q->driver.at + 2) & 3;
	q->signalled = q->used;
	q->signalled_valid = true;
	if (flags != EVENT_DESC || !event_idx(q))
		return flags != EVENT_DISABLE;
	event = where & 0x7fff;
	if (!!(where >> 15) != q->used_wrap)
		event -= q->size;
	return !valid || (u16)(q->used - event - 1) < (u16)(q->used - then);
}

void packed_want(struct virtq *q, bool on)
{
	st16le(q->device.at, q->avail | (q->avail_wrap ? BIT(15) : 0));
	__atomic_thread_fence(__ATOMIC_RELEASE);
	st16le(q->device.at + 2, !on ? EVENT_DISABLE : event_idx(q) ? EVENT_DESC : EVENT_ENABLE);
	virtq_area_dirty(q, &q->device, 0, 4);
}
