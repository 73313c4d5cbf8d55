/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slots.c - buses that are numbered places of one device (quern/slots.h). */
#include "bus/slots.h"
#include "bus/pci.h"
#include "core/device.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>

struct slots {
	struct bus bus;
	char *name;
	struct device *owner;
	const struct slots_ops *ops;
	unsigned number, nslots;
	struct device *at[];
};

/* What a child keeps of its place. */
struct place {
	struct slots *slots;
	unsigned slot;
	s64 bootindex;
};

static const struct bus_type ide_type, nvme_type;
static const struct bus_type *const types[] = { &ide_type, &nvme_type };

static const struct bus_type *type_named(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
		if (str_eq(types[i]->name, name))
			return types[i];
	}
	return NULL;
}

struct slots *slots_new(void *owner, const char *type, const char *name, unsigned number,
			unsigned nslots, const struct slots_ops *ops, struct error *e)
{
	struct device *d = owner;
	const struct bus_type *t = type_named(type);
	struct slots *s;

	if (!t || bus_of(d->core->machine, t, name)) {
		error_set(e, t ? "there is a bus '%s' already" : "there is no type of bus '%s'",
			  t ? name : type);
		return NULL;
	}
	s = xalloc(sizeof(*s) + nslots * sizeof(s->at[0]));
	s->name = xstrdup(name);
	s->owner = owner;
	s->ops = ops;
	s->number = number;
	s->nslots = nslots;
	bus_add(d->core->machine, &s->bus, t, s->name);
	return s;
}

void slots_free(struct slots *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->nslots; i++)
		device_free(s->at[i]);
	list_del(&s->bus.link);
	free(s->name);
	free(s);
}

const char *slots_name(const struct slots *s) { return s->name; }

void *slots_owner(void *child)
{
	const struct place *p = ((struct device *)child)->core->bus;

	return p && p->slots ? p->slots->owner : NULL;
}

/* ---- the bus type */

static void created(struct device *d)
{
	struct place *p = NEW(struct place);

	p->bootindex = -1;
	d->core->bus = p;
}

static void freed(struct device *d)
{
	free(d->core->bus);
	d->core->bus = NULL;
}

static int set(struct device *d, const char *prop, const char *value, struct error *e)
{
	struct place *p = d->core->bus;
	u32 index;

	if (prop_name_eq(prop, "bootindex")) {
		if (str_to_u32(value, 0, &index))
			return error_ret(e, -EINVAL,
					 "property 'bootindex' takes a number from 0, not '%s'",
					 value);
		p->bootindex = index;
		return 0;
	}
	if (!prop_name_eq(prop, "unit") || d->core->bus_type != &ide_type)
		return -ENOENT;
	free(d->core->addr);
	d->core->addr = xstrdup(value);
	return 0;
}

static struct slots *with_room(struct device *d)
{
	struct bus *b = bus_of(d->core->machine, d->core->bus_type, NULL);

	for (; b; b = bus_next(d->core->machine, b)) {
		struct slots *s = container_of(b, struct slots, bus);

		for (unsigned i = 0; b->type == d->core->bus_type && i < s->nslots; i++) {
			if (!s->at[i])
				return s;
		}
	}
	return NULL;
}

static int plug(struct device *d, const char *bus, const char *addr, struct error *e)
{
	const struct bus_type *t = d->core->bus_type;
	struct slots *s = bus ? (struct slots *)bus_of(d->core->machine, t, bus) : with_room(d);
	u32 unit = 0;

	if (!s && bus)
		return error_ret(e, -ENODEV, "there is no bus '%s' of type %s", bus, t->name);
	if (!s)
		return error_ret(e, -ENODEV,
				 "device '%s' needs a bus of type %s with a free place, which this "
				 "machine has not",
				 d->class->name, t->name);
	if (addr && str_to_u32(addr, 0, &unit))
		return error_ret(e, -EINVAL, "property 'unit' takes a number, not '%s'", addr);
	while (!addr && unit < s->nslots && s->at[unit])
		unit++;
	if (unit >= s->nslots && addr)
		return error_ret(e, -EINVAL, "bus '%s' has no unit %u: they end at %u", s->name,
				 unit, s->nslots - 1);
	if (unit >= s->nslots)
		return error_ret(e, -ENOSPC, "bus '%s' has no free place", s->name);
	if (s->at[unit])
		return error_ret(e, -EBUSY, "unit %u of bus '%s' is taken by '%s'", unit, s->name,
				 s->at[unit]->id);
	s->at[unit] = d;
	*(struct place *)d->core->bus =
		(struct place){ s, unit, ((struct place *)d->core->bus)->bootindex };
	return 0;
}

static int realized(struct device *d, struct error *e)
{
	struct place *p = d->core->bus;

	return p->slots->ops->plugged(p->slots->owner, p->slots->number, p->slot, d, e);
}

static void unplug(struct device *d)
{
	struct place *p = d->core->bus;
	struct slots *s = p->slots;

	if (!s)
		return;
	if (d->core->realized)
		s->ops->unplugged(s->owner, s->number, p->slot, d);
	s->at[p->slot] = NULL;
	p->slots = NULL;
}

#define BOOTINDEX \
	{ \
		.name = "bootindex", .kind = PROP_UINT, .size = 4, \
		.doc = "Firmware tries the lowest first." \
	}
static const struct prop ide_props[] = {
	{ .name = "unit", .kind = PROP_UINT, .size = 4, .doc = "The place on the bus." },
	BOOTINDEX,
	{}
};
static const struct prop nvme_props[] = { BOOTINDEX, {} };
#define SLOTS_TYPE(name_, props_) \
	{ \
		.name = name_, .created = created, .freed = freed, .set = set, .plug = plug, \
		.realized = realized, .unplug = unplug, .props = props_ \
	}
static const struct bus_type ide_type = SLOTS_TYPE("ide", ide_props);
static const struct bus_type nvme_type = SLOTS_TYPE("nvme-bus", nvme_props);
BUS_TYPE(ide_type)
BUS_TYPE(nvme_type)

/* ---- firmware */

s64 slots_bootindex(const struct device *d)
{
	const struct bus_type *t = d->core->bus_type;
	const struct place *p = t == &ide_type || t == &nvme_type ? d->core->bus : NULL;

	return p && p->slots ? p->bootindex : -1;
}

char *slots_boot_path(const struct device *d)
{
	const struct place *p = d->core->bus;
	AUTO_FREE char *owner = pci_boot_path((struct pci_device *)p->slots->owner);

	if (d->core->bus_type == &nvme_type)
		return xstrdup(owner); /* of the controller, which names a name space itself */
	return xasprintf("%s/drive@%u/disk@%u", owner, p->slots->number, p->slot);
}
