/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dma_fault.c - DMA in place is broken on copies. */
#include "core/dma_fault.h"
#include "core/late.h"
#include "core/machine.h"
#include "lib/alloc.h"

struct dma_broken *dma_break(struct device *d, u64 addr, const void *host, size_t n, bool write,
			     struct dma_broken **list, bool *failed)
{
	unsigned kind = write ? FAULT_DMA_WRITE : FAULT_DMA_READ;
	const struct fault_info *f;
	struct dma_broken *p;

	*failed = false;
	if (!fault_may(d, kind))
		return NULL;
	f = fault_visit(d, kind, write ? "dma_write" : "dma_read", NULL);
	if (!f)
		return NULL;
	*failed = f->action == FAULT_DEFAULT || f->action == FAULT_FAIL;
	if (*failed)
		return NULL;
	p = xalloc(sizeof(*p) + n);
	*p = (struct dma_broken){
		.next = *list, .d = d, .addr = addr, .n = n, .write = write, .fault = *f
	};
	/* also when the device writes: what it leaves alone stays */
	memcpy(p->data, host, n);
	if (!write)
		fault_corrupt(f, p->data, n);
	*list = p;
	return p;
}

struct dma_broken *dma_broken_at(struct dma_broken *list, const void *base)
{
	while (list && list->data != base)
		list = list->next;
	return list;
}

void dma_broken_written(struct dma_broken *p, size_t moved)
{
	moved = MIN(moved, p->n);
	if (!p->write || p->fault.action == FAULT_DROP)
		return;
	if (p->fault.action == FAULT_DELAY) {
		late_write(p->d, p->addr, p->data, moved, fault_delay(p->d, &p->fault));
		return;
	}
	fault_corrupt(&p->fault, p->data, moved);
	if (space_write(&p->d->core->machine->memory, p->addr, p->data, moved,
			(struct mem_attrs){ 0 }) != MEM_OK)
		guest_error(p->d, "DMA write of %#llx+%zu misses memory",
			    (unsigned long long)p->addr, moved);
}

void dma_broken_free(struct dma_broken **list)
{
	while (*list) {
		struct dma_broken *p = *list;

		*list = p->next;
		free(p);
	}
}
