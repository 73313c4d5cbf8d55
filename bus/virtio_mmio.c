/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio_mmio.c - virtio over memory-mapped registers: VIRTIO 1.2, 4.2, version 2 of the
 * interface. A board makes slots; an empty one has device id 0, which drivers pass over. */
#include "bus/virtio.h"
#include "bus/virtio_core.h"
#include "core/machine.h"
#include "core/reg.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <errno.h>

enum {
	SLOT_SIZE = 0x200,
	MAGIC = 0x74726976, /* "virt" */
	VERSION = 2,
	VENDOR = 0x1af4,
	CONFIG = 0x100,
};

struct virtio_slot {
	struct bus bus;
	struct region empty, region; /* region: of the device in it */
	struct bank bank;
	struct irq irq;
	u64 base;
	struct virtio_device *dev;
	struct machine *m;
};

static const struct bus_type mmio_type;

static struct virtio *vio(void *dev) { return virtio_of(dev); }
static struct virtio_slot *slot_of(void *dev) { return ((struct device *)dev)->core->bus; }

static struct virtq *selected(void *dev)
{
	return virtio_queue_at(vio(dev), vio(dev)->queue_select);
}

/* ---- interrupts */

static void interrupt(struct virtio_device *d, u16 vector, u8 isr)
{
	irq_set(&slot_of(d)->irq, d->virtio->isr != 0);
}

static void transport_reset(struct virtio_device *d) { irq_set(&slot_of(d)->irq, 0); }

/* The line's level follows from the interrupt status; who listens has it already. */
static void transport_loaded(struct virtio_device *d) { slot_of(d)->irq.level = !!d->virtio->isr; }

static const struct virtio_transport transport = { .loaded = transport_loaded,
						   .interrupt = interrupt,
						   .reset = transport_reset };

/* ---- registers (4.2.2) */

static u64 magic_get(void *dev, unsigned i, u64 val) { return MAGIC; }
static u64 version_get(void *dev, unsigned i, u64 val) { return VERSION; }
static u64 id_get(void *dev, unsigned i, u64 val) { return vio(dev)->class->id; }
static u64 vendor_get(void *dev, unsigned i, u64 val) { return VENDOR; }
static u64 df_get(void *dev, unsigned i, u64 val)
{
	return virtio_offered(vio(dev), vio(dev)->device_feature_select);
}
static void dfs_set(void *dev, unsigned i, u64 val) { vio(dev)->device_feature_select = val; }
static void gf_set(void *dev, unsigned i, u64 val)
{
	virtio_take_features(vio(dev), vio(dev)->driver_feature_select, val);
}
static void gfs_set(void *dev, unsigned i, u64 val) { vio(dev)->driver_feature_select = val; }
static void qs_set(void *dev, unsigned i, u64 val) { vio(dev)->queue_select = val; }
static u64 max_get(void *dev, unsigned i, u64 val)
{
	struct virtq *q = selected(dev);

	return q ? q->max : 0;
}

static struct virtq *must_select(void *dev)
{
	struct virtq *q = selected(dev);

	if (!q)
		guest_error(dev, "queue %u is selected; there are %u", vio(dev)->queue_select,
			    vio(dev)->nq);
	return q;
}
static void num_set(void *dev, unsigned i, u64 val)
{
	struct virtq *q = must_select(dev);

	if (q)
		virtq_set_size(q, val);
}
static u64 ready_get(void *dev, unsigned i, u64 val)
{
	struct virtq *q = selected(dev);

	return q && q->enabled;
}
static void ready_set(void *dev, unsigned i, u64 val)
{
	struct virtq *q = must_select(dev);

	if (!q)
		return;
	if (val)
		virtq_enable(q);
	else
		q->enabled = false;
}
static void notify_set(void *dev, unsigned i, u64 val) { virtio_notified(vio(dev), val); }
static u64 isr_get(void *dev, unsigned i, u64 val) { return vio(dev)->isr; }
static void ack_set(void *dev, unsigned i, u64 val)
{
	vio(dev)->isr &= ~val;
	irq_set(&slot_of(dev)->irq, vio(dev)->isr != 0);
}
static u64 status_get(void *dev, unsigned i, u64 val) { return vio(dev)->status; }
static void status_set(void *dev, unsigned i, u64 val) { virtio_set_status(vio(dev), val); }
static u64 gen_get(void *dev, unsigned i, u64 val) { return vio(dev)->config_generation; }
static u64 shm_get(void *dev, unsigned i, u64 val) { return 0xffffffff; } /* no such region */
static void shm_set(void *dev, unsigned i, u64 val) {}
static u64 qr_get(void *dev, unsigned i, u64 val) { return 0; }
static void qr_set(void *dev, unsigned i, u64 val)
{
	struct virtq *q = must_select(dev);

	if (!virtio_has(dev, VIRTIO_F_RING_RESET) || val != 1)
		guest_error(dev, "QueueReset without RING_RESET, or not 1");
	else if (q)
		virtq_reset(q);
}

static void set_half(void *dev, u64 *at, unsigned half, u64 val)
{
	if (selected(dev)->enabled) {
		guest_error(dev, "the addresses of queue %u change while it is ready",
			    vio(dev)->queue_select);
		return;
	}
	*at = (*at & ~(0xffffffffull << half * 32)) | val << half * 32;
}
static void desc_set(void *dev, unsigned i, u64 val)
{
	if (must_select(dev))
		set_half(dev, &selected(dev)->desc_at, i, val);
}
static void driver_set(void *dev, unsigned i, u64 val)
{
	if (must_select(dev))
		set_half(dev, &selected(dev)->driver_at, i, val);
}
static void device_set_(void *dev, unsigned i, u64 val)
{
	if (must_select(dev))
		set_half(dev, &selected(dev)->device_at, i, val);
}

#define V(at_, name_, ...) \
	{ \
		.name = name_, .at = (at_), .size = 4, .novalue = true, __VA_ARGS__ \
	}
static const struct reg mmio_regs[] = {
	V(0x000, "MagicValue", RO, .get = magic_get, .doc = "\"virt\"."),
	V(0x004, "Version", RO, .get = version_get, .doc = "2."),
	V(0x008, "DeviceID", RO, .get = id_get, .doc = "Which device; 0 = none."),
	V(0x00c, "VendorID", RO, .get = vendor_get, .doc = "Its vendor."),
	V(0x010, "DeviceFeatures", RO, .get = df_get, .doc = "Features that are offered."),
	V(0x014, "DeviceFeaturesSel", .set = dfs_set, .doc = "Which word of them."),
	V(0x020, "DriverFeatures", .set = gf_set, .doc = "Features that the driver takes."),
	V(0x024, "DriverFeaturesSel", .set = gfs_set, .doc = "Which word of them."),
	V(0x030, "QueueSel", .set = qs_set, .doc = "The selected queue."),
	V(0x034, "QueueNumMax", RO, .get = max_get, .doc = "Its most entries."),
	V(0x038, "QueueNum", .set = num_set, .doc = "Its entries."),
	V(0x044, "QueueReady", .get = ready_get, .set = ready_set, .doc = "Is it in use?"),
	V(0x050, "QueueNotify", .set = notify_set, .doc = "The queue with new buffers."),
	V(0x060, "InterruptStatus", RO, .get = isr_get, .doc = "Why the line is asserted."),
	V(0x064, "InterruptACK", .set = ack_set, .doc = "Acknowledges these bits."),
	V(0x070, "Status", .get = status_get, .set = status_set, .doc = "Device status."),
	V(0x080, "QueueDesc", .count = 2, .set = desc_set, .doc = "Address of the descriptors."),
	V(0x090, "QueueDriver", .count = 2, .set = driver_set, .doc = "Of the driver area."),
	V(0x0a0, "QueueDevice", .count = 2, .set = device_set_, .doc = "Of the device area."),
	V(0x0ac, "SHMSel", .set = shm_set, .doc = "The selected shared memory region."),
	V(0x0b0, "SHMLen", .count = 2, RO, .get = shm_get, .doc = "Its length: there is none."),
	V(0x0b8, "SHMBase", .count = 2, RO, .get = shm_get, .doc = "Its address: there is none."),
	V(0x0c0, "QueueReset", .get = qr_get, .set = qr_set, .doc = "Resets the selected queue."),
	V(0x0fc, "ConfigGeneration", RO, .get = gen_get, .doc = "Changes with the configuration."),
	{}
};

static u64 other_read(void *dev, u64 off, unsigned size)
{
	if (off >= CONFIG)
		return virtio_config_read(vio(dev), off - CONFIG, size);
	guest_error(dev, "read of %u bytes at %#llx, where no register is", size,
		    (unsigned long long)off);
	return 0;
}

static void other_write(void *dev, u64 off, unsigned size, u64 val)
{
	if (off >= CONFIG)
		virtio_config_write(vio(dev), off - CONFIG, size, val);
	else
		guest_error(dev, "write of %u bytes at %#llx, where no register is", size,
			    (unsigned long long)off);
}

/* ---- slots */

static enum mem_result empty_read(void *opaque, u64 off, unsigned size, u64 *val,
				  struct mem_attrs attrs)
{
	*val = off == 0 ? MAGIC : off == 4 ? VERSION : 0;
	return MEM_OK;
}

static enum mem_result empty_write(void *opaque, u64 off, unsigned size, u64 val,
				   struct mem_attrs attrs)
{
	return MEM_OK;
}

static const struct region_ops empty_ops = { .read = empty_read, .write = empty_write };

struct virtio_slot *virtio_slot_new(struct machine *m, const char *name, u64 base, struct irq irq)
{
	struct virtio_slot *s = NEW(struct virtio_slot);

	s->m = m;
	s->base = base;
	s->irq = irq;
	region_init_io(&s->empty, "virtio-mmio", SLOT_SIZE, &empty_ops, s);
	region_add(&m->memory_root, base, &s->empty, 0);
	bus_add_first(m, &s->bus, &mmio_type, name);
	return s;
}

bool virtio_slot_used(const struct virtio_slot *s) { return s->dev != NULL; }

void virtio_slot_free(struct virtio_slot *s)
{
	if (!s)
		return;
	list_del(&s->bus.link);
	region_fini(&s->empty);
	free(s);
}

static int find_slot(struct device *d, const char *bus, struct virtio_slot **slot, struct error *e)
{
	struct bus *b = bus_of(d->core->machine, &mmio_type, bus);

	if (!b && bus)
		return error_ret(e, -ENODEV, "there is no virtio-mmio bus '%s'", bus);
	if (!b)
		return error_ret(e, -ENODEV,
				 "device '%s' needs a virtio-mmio bus, which this machine has not",
				 d->class->name);
	while (!bus && b && container_of(b, struct virtio_slot, bus)->dev)
		b = bus_next(d->core->machine, b);
	if (!b || container_of(b, struct virtio_slot, bus)->dev)
		return error_ret(e, -EBUSY, "%s: %s has a device already", d->class->name,
				 bus ? bus : "every virtio-mmio bus");
	*slot = container_of(b, struct virtio_slot, bus);
	return 0;
}

static int plug(struct device *d, const char *bus, const char *addr, struct error *e)
{
	struct virtio_slot *s = NULL;
	struct regbank *rb;
	int err;

	if (addr)
		return error_ret(e, -EINVAL, "a virtio-mmio bus has one place: addr= is not known");
	err = find_slot(d, bus, &s, e);
	if (err)
		return err;
	s->bank = (struct bank){ .name = "mmio",
				 .regs = mmio_regs,
				 .size = SLOT_SIZE,
				 .read = other_read,
				 .write = other_write };
	rb = NEW(struct regbank);
	err = regbank_init(rb, d, &s->bank, &s->region, e);
	if (err) {
		free(rb);
		return err;
	}
	s->dev = (struct virtio_device *)d;
	d->core->bus = s;
	return 0;
}

static int realized(struct device *d, struct error *e)
{
	struct virtio_slot *s = d->core->bus;

	region_add(&s->m->memory_root, s->base, &s->region, 1);
	return 0;
}

static void unplug(struct device *d)
{
	struct virtio_slot *s = d->core->bus;

	if (!s)
		return;
	irq_set(&s->irq, 0);
	if (s->region.parent)
		region_remove(&s->region);
	s->dev = NULL;
}

/* No firmware looks at these slots. */
static int set_prop(struct device *d, const char *prop, const char *value, struct error *e)
{
	if (!prop_name_eq(prop, "bootindex"))
		return -ENOENT;
	warn("property 'bootindex' of device '%s' has no effect: firmware does not boot from a "
	     "virtio-mmio device",
	     d->id);
	return 0;
}

static const struct bus_type mmio_type = {
	.set = set_prop, .name = "virtio-mmio", .plug = plug, .realized = realized, .unplug = unplug
};
BUS_TYPE(mmio_type)

/* ---- classes */

static int init(void *dev, struct error *e) { return virtio_init(dev, &transport, e); }

static void fini(void *dev)
{
	struct virtio_device *d = dev;

	if (d->virtio->class->dev.fini)
		d->virtio->class->dev.fini(d);
	virtio_fini(d);
}

static void reset(void *dev) { virtio_reset(dev); }

void virtio_mmio_classes(const struct virtio_class *c,
			 void (*add)(void *arg, const struct device_class *made), void *arg)
{
	struct virtio_made_class *m = virtio_make_class(c, "-device", NULL);

	m->pci.dev.bus = "virtio-mmio";
	m->pci.dev.init = init;
	m->pci.dev.fini = fini;
	m->pci.dev.reset = reset;
	add(arg, &m->pci.dev);
}
