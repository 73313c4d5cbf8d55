/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio_queue.c - requests of virtqueues: from descriptors, which a driver may get wrong in every
 * way, to scatter lists of host memory. VIRTIO 1.2, 2.6. What lies outside of RAM, loops, or grows
 * beyond all measure breaks the device until its reset. */
#include "bus/virtio_core.h"
#include "core/dma_fault.h"
#include "core/machine.h"
#include "lib/alloc.h"

enum { ROOM = 40, SPARES = 64 };

static struct machine *machine_of(const struct virtq *q)
{
	return q->v->dev->pci.dev.core->machine;
}

struct virtq *virtio_queue_at(struct virtio *v, unsigned n) { return n < v->nq ? &v->q[n] : NULL; }

/* ---- rings as host memory */

u8 *virtq_area_at(struct virtq *q, struct virtq_area *a, bool write, const char *what)
{
	struct space *s = &machine_of(q)->memory;
	size_t n = a->size;

	if (likely(a->at && a->generation == s->generation))
		return a->at;
	a->at = space_map(s, a->addr, &n, write);
	if (!a->at || n < a->size) {
		a->at = NULL;
		virtio_broken(q->v->dev, "queue %u: its %s at %#llx+%u is not in memory", q->n,
			      what, (unsigned long long)a->addr, a->size);
		return NULL;
	}
	a->generation = s->generation;
	return a->at;
}

void virtq_area_dirty(struct virtq *q, const struct virtq_area *a, u64 off, u32 n)
{
	space_dirty(&machine_of(q)->memory, a->addr + off, n);
}

static void set_area(struct virtq_area *a, u64 addr, u32 size)
{
	*a = (struct virtq_area){ .addr = addr, .size = size };
}

/* The areas' sizes follow from the kind of ring and the queue's size: when both are settled. */
static bool prepare(struct virtq *q)
{
	if (q->ready)
		return true;
	if (virtq_is_packed(q)) {
		set_area(&q->desc, q->desc_at, DESC_SIZE * q->size);
		set_area(&q->driver, q->driver_at, 4);
		set_area(&q->device, q->device_at, 4);
	} else {
		bool event = q->v->features >> VIRTIO_F_EVENT_IDX & 1;

		set_area(&q->desc, q->desc_at, DESC_SIZE * q->size);
		set_area(&q->driver, q->driver_at, 4 + 2 * q->size + (event ? 2 : 0));
		set_area(&q->device, q->device_at, 4 + 8 * q->size + (event ? 2 : 0));
	}
	if (q->desc_at % 16 || q->driver_at % 2 || q->device_at % 4)
		guest_error(q->v->dev, "queue %u: its areas are not aligned", q->n);
	q->ready = true;
	return true;
}

/* May descriptors be looked at? */
static bool runs(struct virtq *q)
{
	struct virtio *v = q->v;

	if (!q->enabled || v->broken || v->in_reset ||
	    !((v->status & VIRTIO_DRIVER_OK) || v->legacy))
		return false;
	if (v->transport->may_dma && !v->transport->may_dma(v->dev)) {
		guest_error(v->dev, "queue %u is used while the bus forbids DMA", q->n);
		return false;
	}
	return prepare(q) && virtq_area_at(q, &q->desc, true, "descriptors") &&
	       virtq_area_at(q, &q->driver, false, "driver area") &&
	       virtq_area_at(q, &q->device, true, "device area");
}

/* ---- what the driver sets */

void virtq_set_size(struct virtq *q, u32 size)
{
	bool packed = q->v->driver_features >> VIRTIO_F_RING_PACKED & 1;

	if (q->enabled || !size || size > q->max || (!packed && (size & (size - 1)))) {
		guest_error(q->v->dev, "queue %u cannot have %u entries now: up to %u are possible",
			    q->n, size, q->max);
		return;
	}
	q->size = size;
}

void virtq_enable(struct virtq *q)
{
	q->enabled = true;
	q->ready = false;
	trace(q->v->dev, "enable", "queue=%u size=%u desc=%#llx driver=%#llx device=%#llx", q->n,
	      q->size, (unsigned long long)q->desc_at, (unsigned long long)q->driver_at,
	      (unsigned long long)q->device_at);
}

/* 2.7.2: one address says where everything is. */
void virtq_set_legacy(struct virtq *q, u32 pfn)
{
	u16 vector = q->vector;

	if (!pfn) {
		virtq_reset(q);
		q->vector = vector;
		return;
	}
	q->size = q->max;
	q->desc_at = (u64)pfn << 12;
	q->driver_at = q->desc_at + DESC_SIZE * q->size;
	q->device_at = ALIGN_UP(q->driver_at + 6 + 2 * q->size, 4096ull);
	virtq_enable(q);
}

/* ---- the request's memory */

static struct virtio_req *req_new(struct virtq *q)
{
	struct virtio_req *r = q->spare;

	if (r) {
		q->spare = r->next;
		q->nspare--;
	} else {
		r = NEW(struct virtio_req);
		r->room = ROOM;
		r->out = xcalloc(ROOM, sizeof(*r->out));
		r->in_at = xcalloc(ROOM, sizeof(*r->in_at));
	}
	r->q = q;
	r->queue = q->n;
	r->nout = r->nin = r->out_size = r->in_size = r->ndesc = 0;
	r->user = NULL;
	r->next = NULL;
	r->prev = NULL;
	return r;
}

static void req_destroy(struct virtio_req *r)
{
	free(r->out);
	free(r->in_at);
	free(r);
}

static void req_free(struct virtq *q, struct virtio_req *r)
{
	dma_broken_free(&r->broken);
	if (!q || q->nspare >= SPARES || r->room > ROOM) {
		req_destroy(r);
		return;
	}
	r->next = q->spare;
	q->spare = r;
	q->nspare++;
}

void virtq_free_spare(struct virtq *q)
{
	while (q->spare) {
		struct virtio_req *r = q->spare;

		q->spare = r->next;
		req_destroy(r);
	}
	q->nspare = 0;
}

static void track(struct virtq *q, struct virtio_req *r)
{
	r->next = q->out;
	r->prev = &q->out;
	if (q->out)
		q->out->prev = &r->next;
	q->out = r;
	q->inuse += r->ndesc;
}

static void untrack(struct virtio_req *r)
{
	if (!r->prev)
		return;
	*r->prev = r->next;
	if (r->next)
		r->next->prev = r->prev;
	r->prev = NULL;
	r->q->inuse -= r->ndesc;
}

/* out and in share one array: in begins behind the last out, which is why that order is checked. */
static void add_piece(struct virtio_req *r, void *at, size_t n, u64 addr, bool write)
{
	unsigned have = r->nout + r->nin;

	if (have == r->room) {
		r->room *= 2;
		r->out = xrealloc(r->out, r->room * sizeof(*r->out));
		r->in_at = xrealloc(r->in_at, r->room * sizeof(*r->in_at));
	}
	r->out[have] = (struct iovec){ at, n };
	r->in_at[have] = addr;
	if (write)
		r->nin++;
	else
		r->nout++;
}

bool virtio_req_add(struct virtio_req *r, struct virtq *q, u64 addr, u32 len, bool write)
{
	struct virtio_device *d = q->v->dev;
	struct space *s = &machine_of(q)->memory;
	u32 *total = write ? &r->in_size : &r->out_size;

	if (!len) {
		virtio_broken(d, "queue %u: a buffer of no bytes at %#llx", q->n,
			      (unsigned long long)addr);
		return false;
	}
	if (!write && r->nin) {
		virtio_broken(d, "queue %u: a buffer to read comes after one to write", q->n);
		return false;
	}
	if (r->nout + r->nin >= VIRTIO_MAX_CHAIN) {
		virtio_broken(d, "queue %u: a request of more than %u pieces", q->n,
			      VIRTIO_MAX_CHAIN);
		return false;
	}
	if (add_overflow(*total, len, total)) {
		virtio_broken(d, "queue %u: a request of 4 GiB or more", q->n);
		return false;
	}
	while (len) {
		size_t n = len;
		void *at = space_map(s, addr, &n, write);
		struct dma_broken *b = NULL;
		bool failed = !at || !n;

		if (!failed)
			b = dma_break(&d->pci.dev, addr, at, n, write, &r->broken, &failed);
		if (failed) {
			virtio_broken(d, "queue %u: a buffer at %#llx+%#x is not in memory", q->n,
				      (unsigned long long)addr, len);
			return false;
		}
		add_piece(r, b ? b->data : at, n, addr, write);
		addr += n;
		len -= n;
	}
	return true;
}

bool virtio_req_indirect(struct virtio_req *r, struct virtq *q, u64 addr, u32 len, bool chained)
{
	struct machine *m = machine_of(q);
	unsigned count = len / DESC_SIZE, i = 0, seen = 0;
	size_t n = len;
	const u8 *table = space_map(&m->memory, addr, &n, false);
	u8 copy[DESC_SIZE];

	if (!(q->v->features >> VIRTIO_F_INDIRECT_DESC & 1) || !len || len % DESC_SIZE ||
	    count > VIRTIO_MAX_CHAIN || !table || n < len) {
		virtio_broken(q->v->dev, "queue %u: an indirect table at %#llx+%#x that cannot be",
			      q->n, (unsigned long long)addr, len);
		return false;
	}
	do {
		u16 flags;

		memcpy(copy, table + i * DESC_SIZE, DESC_SIZE);
		/* packed: 2.8.7, only WRITE means something in an indirect table */
		flags = chained ? ld16le(copy + 12) : ld16le(copy + 14) & DESC_WRITE;
		if (flags & DESC_INDIRECT) {
			virtio_broken(q->v->dev, "queue %u: an indirect table in another", q->n);
			return false;
		}
		if (++seen > count) {
			virtio_broken(q->v->dev, "queue %u: an indirect table that loops", q->n);
			return false;
		}
		if (!virtio_req_add(r, q, ld64le(copy), ld32le(copy + 8), flags & DESC_WRITE))
			return false;
		if (!chained)
			i++;
		else if (flags & DESC_NEXT)
			i = ld16le(copy + 14);
		else
			break;
		if (chained && i >= count) {
			virtio_broken(q->v->dev,
				      "queue %u: descriptor %u in an indirect table of %u", q->n, i,
				      count);
			return false;
		}
	} while (i < count);
	return true;
}

/* ---- the models' interface */

struct virtio_req *virtq_pop(void *dev, unsigned n)
{
	struct virtq *q = virtio_queue_at(virtio_of(dev), n);
	struct virtio_req *r;
	int got;

	if (!q || virtq_empty(dev, n))
		return NULL;
	r = req_new(q);
	got = virtq_is_packed(q) ? packed_pop(q, r) : split_pop(q, r);
	if (got <= 0 || q->v->broken) {
		req_free(q, r);
		return NULL;
	}
	r->in = r->out + r->nout;
	track(q, r);
	trace(dev, "pop", "queue=%u id=%u out=%u in=%u", n, r->head, r->out_size, r->in_size);
	return r;
}

bool virtq_empty(void *dev, unsigned n)
{
	struct virtq *q = virtio_queue_at(virtio_of(dev), n);

	if (!q || !runs(q))
		return true;
	if (virtq_is_packed(q) ? !packed_empty(q) : !split_empty(q))
		return false;
	if (!q->want)
		return true;
	/* tell the driver to notify, and look again: it may have added one in between */
	if (virtq_is_packed(q))
		packed_want(q, true);
	else
		split_want(q, true);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return virtq_is_packed(q) ? packed_empty(q) : split_empty(q);
}

u32 virtq_room(void *dev, unsigned n, u32 enough)
{
	struct virtq *q = virtio_queue_at(virtio_of(dev), n);
	struct virtio_req *r = NULL;
	u32 room = 0;
	unsigned taken = 0;

	while (room < enough && (r = virtq_pop(dev, n))) {
		room += r->in_size;
		taken++;
	}
	/* the last popped is the first of the list */
	while (taken-- && q->out)
		virtq_unpop(q->out);
	return room;
}

void virtq_push(struct virtio_req *r, u32 written)
{
	struct virtq *q = r->q;
	u32 left = MIN(written, r->in_size);

	if (!q || q->v->in_reset || q->v->broken) {
		virtq_drop(r);
		return;
	}
	trace(q->v->dev, "push", "queue=%u id=%u written=%u", q->n, r->head, written);
	for (u32 i = 0; i < r->nin && left; i++) {
		u32 n = MIN(left, (u32)r->in[i].iov_len);
		struct dma_broken *b = dma_broken_at(r->broken, r->in[i].iov_base);

		if (b)
			dma_broken_written(b, n);
		else
			space_dirty(&machine_of(q)->memory, r->in_at[r->nout + i], n);
		left -= n;
	}
	if (virtq_is_packed(q))
		packed_push(q, r, written);
	else
		split_push(q, r, written);
	q->pushed = true;
	virtq_drop(r);
}

void virtq_unpop(struct virtio_req *r)
{
	struct virtq *q = r->q;

	if (q && virtq_is_packed(q))
		packed_unpop(q, r);
	else if (q)
		split_unpop(q, r);
	virtq_drop(r);
}

void virtq_drop(struct virtio_req *r)
{
	struct virtq *q = r->q;

	untrack(r);
	req_free(q, r);
}

void virtq_notify(void *dev, unsigned n)
{
	struct virtq *q = virtio_queue_at(virtio_of(dev), n);
	bool wanted;

	if (!q || !q->pushed)
		return;
	q->pushed = false;
	if (!runs(q))
		return;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	wanted = virtq_is_packed(q) ? packed_should_interrupt(q) : split_should_interrupt(q);
	if (wanted)
		virtq_interrupt(q);
}

void virtq_want_notify(void *dev, unsigned n, bool on)
{
	struct virtq *q = virtio_queue_at(virtio_of(dev), n);

	if (!q || q->want == on)
		return;
	q->want = on;
	if (!runs(q))
		return;
	if (virtq_is_packed(q))
		packed_want(q, on);
	else
		split_want(q, on);
}

void virtio_notified(struct virtio *v, u32 n)
{
	struct virtq *q = virtio_queue_at(v, n);

	trace(v->dev, "notify", "queue=%u", n);
	if (!q || !q->enabled) {
		guest_error(v->dev, "notification of queue %u, which is not enabled", n);
		return;
	}
	if (!(v->status & VIRTIO_DRIVER_OK) && !v->legacy) {
		guest_error(v->dev, "notification of queue %u before DRIVER_OK", n);
		return;
	}
	if (v->class->queue && !v->broken)
		v->class->queue(v->dev, n);
}

static size_t copy(const struct iovec *vec, u32 nvec, size_t off, u8 *buf, size_t n, bool into)
{
	size_t done = 0;

	for (u32 i = 0; i < nvec && done < n; i++) {
		size_t part;

		if (off >= vec[i].iov_len) {
			off -= vec[i].iov_len;
			continue;
		}
		part = MIN(vec[i].iov_len - off, n - done);
		if (into)
			memcpy((u8 *)vec[i].iov_base + off, buf + done, part);
		else
			memcpy(buf + done, (u8 *)vec[i].iov_base + off, part);
		done += part;
		off = 0;
	}
	return done;
}

size_t virtio_get(const struct virtio_req *r, size_t off, void *buf, size_t n)
{
	return copy(r->out, r->nout, off, buf, n, false);
}

size_t virtio_put(struct virtio_req *r, size_t off, const void *buf, size_t n)
{
	return copy(r->in, r->nin, off, (u8 *)buf, n, true);
}
