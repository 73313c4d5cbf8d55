/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_api.c - what models call (quern/device.h): time, memory, the machine, snapshots of odd
 * state. */
#include "core/blob.h"
#include "core/device.h"
#include "core/fault.h"
#include "core/late.h"
#include "core/machine.h"
#include "core/reg.h"
#include "lib/alloc.h"
#include "lib/bytes.h"
#include <errno.h>

static struct machine *machine_of(const void *dev)
{
	const struct device *d = dev;

	return d->core->machine;
}

void timer_at(struct timer *t, u64 deadline)
{
	clock_timer_start(&machine_of(t->dev)->clock, t, deadline);
}

void timer_start(struct timer *t, u64 ns)
{
	struct clock *c = &machine_of(t->dev)->clock;
	u64 deadline;

	if (add_overflow(clock_now(c), MAX(ns, (u64)1), &deadline))
		deadline = ~0ull;
	clock_timer_start(c, t, deadline);
}

void timer_stop(struct timer *t)
{
	if (t->dev)
		clock_timer_stop(&machine_of(t->dev)->clock, t);
}

u64 clock_ns(const void *dev) { return clock_now(&machine_of(dev)->clock); }

u64 clock_wall(const void *dev) { return clock_wall_ns(&machine_of(dev)->clock); }

/* ---- memory */

/* A device does not learn what happens to a posted write, unless the bus refuses it. */
static int broken_write(struct device *d, const struct fault_info *f, u64 addr, const void *buf,
			size_t n)
{
	if (f->action == FAULT_DROP)
		return 0;
	if (f->action == FAULT_DELAY) {
		late_write(d, addr, buf, n, fault_delay(d, f));
		return 0;
	}
	if (f->action == FAULT_CORRUPT) {
		AUTO_FREE void *copy = xalloc(n + 1);

		memcpy(copy, buf, n);
		fault_corrupt(f, copy, n);
		if (space_write(&d->core->machine->memory, addr, copy, n,
				(struct mem_attrs){ 0 }) == MEM_OK)
			return 0;
	}
	return -EFAULT;
}

int dev_dma_read(void *dev, u64 addr, void *buf, size_t n)
{
	struct device *d = dev;
	const struct fault_info *f = fault_may(d, FAULT_DMA_READ) ?
					     fault_visit(d, FAULT_DMA_READ, "dma_read", NULL) :
					     NULL;

	if (f && f->action != FAULT_CORRUPT)
		return -EFAULT;
	if (space_read(&d->core->machine->memory, addr, buf, n, (struct mem_attrs){ 0 }) ==
	    MEM_OK) {
		if (f)
			fault_corrupt(f, buf, n);
		return 0;
	}
	guest_error(d, "DMA read of %#llx+%zu misses memory", (unsigned long long)addr, n);
	return -EFAULT;
}

int dev_dma_write(void *dev, u64 addr, const void *buf, size_t n)
{
	struct device *d = dev;

	if (fault_may(d, FAULT_DMA_WRITE)) {
		const struct fault_info *f = fault_visit(d, FAULT_DMA_WRITE, "dma_write", NULL);

		if (f)
			return broken_write(d, f, addr, buf, n);
	}
	if (space_write(&d->core->machine->memory, addr, buf, n, (struct mem_attrs){ 0 }) == MEM_OK)
		return 0;
	guest_error(d, "DMA write of %#llx+%zu misses memory", (unsigned long long)addr, n);
	return -EFAULT;
}

/* ---- the machine */

void device_request_reset(void *dev) { machine_request_reset(machine_of(dev), CAUSE_GUEST_RESET); }

void device_request_shutdown(void *dev)
{
	machine_request_shutdown(machine_of(dev), CAUSE_GUEST_SHUTDOWN);
}

void device_exit(void *dev, int code) { machine_exit(machine_of(dev), code); }

void device_watchdog_expired(void *dev) { machine_watchdog_expired(machine_of(dev)); }

void device_guest_panicked(void *dev) { machine_guest_panicked(machine_of(dev)); }

void device_event(void *dev, const char *name, const char *data)
{
	struct machine *m = machine_of(dev);

	if (m->event)
		m->event(m, name, data);
}

void device_on_powerdown(void *dev, void (*fn)(void *dev))
{
	struct device *d = dev;
	struct reset_hook *h = d->core->powerdown;

	if (!h) {
		h = NEW(struct reset_hook);
		d->core->powerdown = h;
		machine_add_powerdown(d->core->machine, h);
	}
	h->fn = fn;
	h->arg = dev;
}

void device_random(void *dev, void *buf, size_t n) { machine_random(machine_of(dev), buf, n); }

void device_reset_regs(void *dev)
{
	struct regbank *rb;

	list_for_each (rb, &((struct device *)dev)->core->regbanks, link)
		regbank_reset(rb);
}

void *device_peer(void *dev, const char *id) { return device_find(machine_of(dev), id); }

/* ---- in init */

/* The bank's head comes first: device_free releases it as it does those of the class. */
struct own_bank {
	struct regbank bank;
	struct region region;
};

int device_add_bank(void *dev, const struct bank *bank, struct error *e)
{
	struct own_bank *b = NEW(struct own_bank);
	int err = regbank_init(&b->bank, dev, bank, &b->region, e);

	if (err)
		free(b);
	return err;
}

int device_file(void *dev, const char *path, size_t max, char **data, size_t *n, struct error *e)
{
	struct bytes b = { 0 };
	int err = bytes_read_file(&b, path, max, e);

	*data = NULL;
	*n = 0;
	if (err)
		return err;
	*data = xrealloc(b.data, b.size + 1);
	(*data)[b.size] = 0;
	*n = b.size;
	return 0;
}

/* ---- blobs */

void blob_put(struct blob *b, const void *p, size_t n)
{
	if (b->n + n > b->cap) {
		b->cap = MAX(b->cap * 2, b->n + n);
		b->at = xrealloc(b->at, b->cap);
	}
	if (n)
		memcpy(b->at + b->n, p, n);
	b->n += n;
}

int blob_get(struct blob *b, void *p, size_t n)
{
	if (!range_fits(b->pos, n, b->n))
		return -EINVAL;
	if (n)
		memcpy(p, b->at + b->pos, n);
	b->pos += n;
	return 0;
}

void blob_fini(struct blob *b)
{
	free(b->at);
	memset(b, 0, sizeof(*b));
}
