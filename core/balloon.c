/* SPDX-License-Identifier: GPL-2.0-or-later */
/* balloon.c - the machine's memory balloon: one at most; and memory that the guest does without. */
#include "core/balloon.h"
#include "core/device.h"
#include "core/machine.h"
#include "core/private.h"
#include "lib/error.h"
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#define PAGE 4096ull

int balloon_register(void *dev, const struct balloon_iface *i, struct error *e)
{
	struct machine_private *p = ((struct device *)dev)->core->machine->priv;

	if (p->balloon)
		return error_ret(e, -EBUSY, "a machine has one balloon at most, and '%s' is there",
				 p->balloon->id);
	p->balloon = dev;
	p->balloon_iface = i;
	return 0;
}

void balloon_forget(void *dev)
{
	struct machine_private *p = ((struct device *)dev)->core->machine->priv;

	if (p->balloon == dev)
		p->balloon = NULL;
}

void *balloon_of(struct machine *m, const struct balloon_iface **i)
{
	*i = m->priv->balloon_iface;
	return m->priv->balloon;
}

u64 balloon_actual(struct machine *m)
{
	const struct balloon_iface *i;
	void *b = balloon_of(m, &i);

	return b ? m->ram_size - MIN(i->given(b), m->ram_size) : m->ram_size;
}

void balloon_changed(void *dev)
{
	struct machine *m = ((struct device *)dev)->core->machine;
	char json[64];

	snprintf(json, sizeof(json), "{\"actual\": %llu}", (unsigned long long)balloon_actual(m));
	device_event(dev, "BALLOON_CHANGE", json);
}

/* Memory of a file that is shared is taken out of the file. */
static void discard(u8 *at, u64 n)
{
	if (madvise(at, n, MADV_REMOVE) && madvise(at, n, MADV_DONTNEED))
		memset(at, 0, n);
}

void dev_discard(void *dev, u64 addr, u64 n)
{
	struct space *s = &((struct device *)dev)->core->machine->memory;
	u64 end;

	if (add_overflow(addr, n, &end))
		return;
	addr = ALIGN_UP(addr, PAGE);
	end = ALIGN_DOWN(end, PAGE);
	while (addr < end) {
		size_t part = end - addr;
		u8 *at = space_map(s, addr, &part, true);

		if (!at) {
			guest_error(dev, "memory at %#llx is given back, which is not there",
				    (unsigned long long)addr);
			return;
		}
		part = ALIGN_DOWN(part, PAGE);
		if (!part || (uintptr_t)at % PAGE)
			return;
		discard(at, part);
		space_dirty(s, addr, part);
		addr += part;
	}
}
