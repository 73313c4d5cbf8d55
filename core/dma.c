/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dma.c - guest memory as pieces of host memory (quern/dma.h). */
#include <quern/dma.h>
#include "core/device.h"
#include "core/dma_fault.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include <errno.h>

static bool allowed(struct device *d, bool write, u64 addr)
{
	const struct bus_type *t = d->core->bus_type;

	return !t || !t->may_master || t->may_master(d, write ? "write" : "read", addr);
}

void *dev_dma_map(void *dev, u64 addr, size_t *n, bool write)
{
	struct device *d = dev;
	const struct bus_type *t = d->core->bus_type;

	/* without a report: whoever then tries the ordinary way gets it */
	if (t && t->may_master && !t->may_master(d, NULL, addr))
		return NULL;
	return *n ? space_map(&d->core->machine->memory, addr, n, write) : NULL;
}

void dev_dma_dirty(void *dev, u64 addr, size_t n)
{
	struct device *d = dev;

	if (n)
		space_dirty(&d->core->machine->memory, addr, n);
}

/* ---- lists */

/* dma_list.copied */
enum { IN_PLACE, COPIED, BROKEN };

static void push(struct dma_list *l, void *base, size_t n, u64 addr, u8 copied)
{
	struct iovec *last = l->n ? &l->vec[l->n - 1] : NULL;

	if (last && !copied && !l->copied[l->n - 1] &&
	    (u8 *)last->iov_base + last->iov_len == base &&
	    l->addr[l->n - 1] + last->iov_len == addr) {
		last->iov_len += n;
		l->bytes += n;
		return;
	}
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 8;
		l->vec = xrealloc(l->vec, l->cap * sizeof(*l->vec));
		l->addr = xrealloc(l->addr, l->cap * sizeof(*l->addr));
		l->copied = xrealloc(l->copied, l->cap);
	}
	l->vec[l->n] = (struct iovec){ base, n };
	l->addr[l->n] = addr;
	l->copied[l->n] = copied;
	l->n++;
	l->bytes += n;
}

/* Device registers, ROM, nothing at all: at most one page in one piece. */
static int push_copy(struct dma_list *l, u64 addr, size_t *n)
{
	struct device *d = l->dev;
	void *copy;

	*n = MIN(*n, (size_t)(4096 - (addr & 4095)));
	copy = xalloc(*n);
	if (!l->write && dev_dma_read(d, addr, copy, *n)) {
		free(copy);
		return -EFAULT;
	}
	push(l, copy, *n, addr, COPIED);
	return 0;
}

int dma_list_add(struct dma_list *l, u64 addr, size_t n)
{
	struct device *d = l->dev;
	bool failed;

	if (!n)
		return 0;
	if (!allowed(d, l->write, addr))
		return -EFAULT;
	while (n) {
		size_t part = n;
		u8 *p = space_map(&d->core->machine->memory, addr, &part, l->write);

		if (p) {
			struct dma_broken *b =
				dma_break(d, addr, p, part, l->write, &l->broken, &failed);

			if (failed)
				return -EFAULT;
			push(l, b ? b->data : p, part, addr, b ? BROKEN : IN_PLACE);
		} else {
			int err;

			part = n;
			/* a write to nowhere is told now, before anything is started */
			if (l->write && !space_lookup(&d->core->machine->memory, addr)) {
				guest_error(d, "DMA write of %#llx+%zu misses memory",
					    (unsigned long long)addr, n);
				return -EFAULT;
			}
			err = push_copy(l, addr, &part);
			if (err)
				return err;
		}
		addr += part;
		n -= part;
	}
	return 0;
}

static void release(struct dma_list *l)
{
	for (u32 i = 0; i < l->n; i++) {
		if (l->copied[i] == COPIED)
			free(l->vec[i].iov_base);
	}
	dma_broken_free(&l->broken);
	l->n = 0;
	l->bytes = 0;
}

int dma_list_finish(struct dma_list *l, size_t moved)
{
	int err = 0;

	for (u32 i = 0; l->write && i < l->n && moved; i++) {
		size_t n = MIN(l->vec[i].iov_len, moved);

		if (l->copied[i] == BROKEN)
			dma_broken_written(dma_broken_at(l->broken, l->vec[i].iov_base), n);
		else if (l->copied[i] == COPIED &&
			 dev_dma_write(l->dev, l->addr[i], l->vec[i].iov_base, n))
			err = -EFAULT;
		else if (l->copied[i] == IN_PLACE)
			dev_dma_dirty(l->dev, l->addr[i], n);
		moved -= n;
	}
	release(l);
	return err;
}

void dma_list_free(struct dma_list *l)
{
	release(l);
	free(l->vec);
	free(l->addr);
	free(l->copied);
	l->vec = NULL;
	l->addr = NULL;
	l->copied = NULL;
	l->cap = 0;
}

static size_t copy(const struct dma_list *l, size_t off, u8 *buf, size_t n, bool to_list)
{
	size_t done = 0;

	for (u32 i = 0; i < l->n && done < n; i++) {
		u8 *p = l->vec[i].iov_base;
		size_t part;

		if (off >= l->vec[i].iov_len) {
			off -= l->vec[i].iov_len;
			continue;
		}
		part = MIN(l->vec[i].iov_len - off, n - done);
		if (to_list)
			memcpy(p + off, buf + done, part);
		else
			memcpy(buf + done, p + off, part);
		done += part;
		off = 0;
	}
	return done;
}

size_t dma_list_read(const struct dma_list *l, size_t off, void *buf, size_t n)
{
	return copy(l, off, buf, n, false);
}

size_t dma_list_write(struct dma_list *l, size_t off, const void *buf, size_t n)
{
	return copy(l, off, (u8 *)buf, n, true);
}
