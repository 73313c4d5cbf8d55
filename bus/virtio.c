/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio.c - virtio devices behind any transport: classes made of a model's, features, status,
 * configuration, reset. VIRTIO 1.2 chapters 2 and 3; what drivers from before 1.0 do as in its
 * sections on the legacy interface. */
#include "bus/virtio.h"
#include "bus/virtio_core.h"
#include "core/machine.h"
#include "core/trace.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define LEGACY_ONLY (BIT64(VIRTIO_F_NOTIFY_ON_EMPTY) | BIT64(VIRTIO_F_ANY_LAYOUT))

/* ---- classes */

static const struct prop core_props[] = {
	PROP(struct virtio_device, indirect_desc, .kind = PROP_BOOL, .def = 1,
	     .doc = "Offers indirect descriptors."),
	PROP(struct virtio_device, event_idx, .kind = PROP_BOOL, .def = 1,
	     .doc = "Offers notifications by event index."),
	PROP(struct virtio_device, notify_on_empty, .kind = PROP_BOOL, .def = 1,
	     .doc = "Tells drivers from before 1.0 of an empty queue."),
	PROP(struct virtio_device, any_layout, .kind = PROP_BOOL, .def = 1,
	     .doc = "Takes any framing of requests from drivers from before 1.0."),
	PROP(struct virtio_device, packed, .kind = PROP_BOOL, .doc = "Offers packed rings."),
	PROP(struct virtio_device, queue_reset, .kind = PROP_BOOL, .def = 1,
	     .doc = "Offers the reset of single queues."),
	PROP(struct virtio_device, iommu_platform, .kind = PROP_BOOL,
	     .doc = "Tells the driver to use the platform's DMA addresses."),
	{}
};

/* Every class that was made: the process's. */
static VEC(const struct virtio_made_class *) all_made;

const struct virtio_class *virtio_class_of(const struct device *d)
{
	for (size_t i = 0; i < all_made.n; i++)
		if (d->class == &all_made.at[i]->pci.dev)
			return all_made.at[i]->class;
	return NULL;
}

static unsigned count_props(const struct prop *p)
{
	unsigned n = 0;

	while (p && p[n].name)
		n++;
	return n;
}

/* The model's state behind the core's. */
static struct state *make_state(const struct state *model)
{
	static const struct state core = { .name = "virtio",
					   .off = offsetof(struct virtio_device, virtio),
					   .size = sizeof(struct virtio *),
					   .kind = STATE_CUSTOM,
					   .save = virtio_save,
					   .load = virtio_load };
	unsigned n = 0;
	struct state *all;

	while (model && model[n].name)
		n++;
	all = xcalloc(n + 2, sizeof(*all));
	all[0] = core;
	if (n)
		memcpy(all + 1, model, n * sizeof(*all));
	return all;
}

struct virtio_made_class *virtio_make_class(const struct virtio_class *c, const char *suffix,
					    const struct prop *props)
{
	const struct prop *const tables[] = { c->dev.props, core_props, props };
	struct virtio_made_class *made = NEW(struct virtio_made_class);
	unsigned n = 0;

	made->class = c;
	made->pci.dev = c->dev;
	made->pci.dev.name = xasprintf("%s%s", c->dev.name, suffix);
	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++)
		n += count_props(tables[i]);
	made->props = xcalloc(n + 1, sizeof(*made->props));
	n = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++) {
		unsigned k = count_props(tables[i]);

		if (k)
			memcpy(made->props + n, tables[i], k * sizeof(*made->props));
		n += k;
	}
	made->pci.dev.props = made->props;
	made->state = make_state(c->dev.state);
	made->pci.dev.state = made->state;
	made->pci.dev.loaded = virtio_loaded;
	vec_push(&all_made, made);
	return made;
}

static void derive(const struct device_class *c,
		   void (*add)(void *arg, const struct device_class *made), void *arg)
{
	const struct virtio_class *vc = container_of(c, const struct virtio_class, dev);

	virtio_pci_classes(vc, add, arg);
	virtio_mmio_classes(vc, add, arg);
}

static const struct bus_type virtio_type = { .name = "virtio", .derive = derive };
BUS_TYPE(virtio_type)

/* ---- life */

unsigned virtio_add_queue(void *dev, unsigned size)
{
	struct virtio *v = virtio_of(dev);
	struct virtq *q;

	assert(size && size <= VIRTIO_MAX_SIZE && !(size & (size - 1)));
	v->q = xrealloc(v->q, (v->nq + 1) * sizeof(*v->q));
	q = &v->q[v->nq];
	memset(q, 0, sizeof(*q));
	q->v = v;
	q->n = v->nq;
	q->max = size;
	return v->nq++;
}

void virtio_offer(void *dev, unsigned feature, bool on)
{
	struct virtio *v = virtio_of(dev);

	v->offered = on ? v->offered | BIT64(feature) : v->offered & ~BIT64(feature);
}

void virtio_set_config_size(void *dev, u32 size) { virtio_of(dev)->config_size = size; }

int virtio_init(struct virtio_device *d, const struct virtio_transport *t, struct error *e)
{
	const struct virtio_class *c = virtio_made(d)->class;
	struct virtio *v = NEW(struct virtio);
	int err;

	d->virtio = v;
	v->dev = d;
	v->class = c;
	v->transport = t;
	v->config_size = c->config_size;
	v->config_vector = VIRTIO_NO_VECTOR;
	v->offered = c->features;
	virtio_offer(d, VIRTIO_F_INDIRECT_DESC, d->indirect_desc);
	virtio_offer(d, VIRTIO_F_EVENT_IDX, d->event_idx);
	virtio_offer(d, VIRTIO_F_NOTIFY_ON_EMPTY, d->notify_on_empty);
	virtio_offer(d, VIRTIO_F_ANY_LAYOUT, d->any_layout);
	virtio_offer(d, VIRTIO_F_VERSION_1, true);
	virtio_offer(d, VIRTIO_F_RING_PACKED, d->packed);
	virtio_offer(d, VIRTIO_F_RING_RESET, d->queue_reset);
	virtio_offer(d, VIRTIO_F_ACCESS_PLATFORM, d->iommu_platform);
	err = c->dev.init ? c->dev.init(d, e) : 0;
	if (err)
		virtio_fini(d);
	return err;
}

void virtio_fini(void *dev)
{
	struct virtio_device *d = dev;
	struct virtio *v = d->virtio;

	if (!v)
		return;
	for (unsigned i = 0; i < v->nq; i++) {
		struct virtq *q = &v->q[i];

		while (q->out)
			virtq_drop(q->out);
		virtq_free_spare(q);
	}
	free(v->q);
	free(v);
	d->virtio = NULL;
}

static void reset_queue(struct virtq *q)
{
	struct virtq fresh = { .v = q->v,
			       .n = q->n,
			       .max = q->max,
			       .size = q->max,
			       .vector = VIRTIO_NO_VECTOR,
			       .avail_wrap = true,
			       .used_wrap = true,
			       .want = true,
			       .spare = q->spare,
			       .nspare = q->nspare };

	/* the model may hold them for a while */
	for (struct virtio_req *r = q->out, *next; r; r = next) {
		next = r->next;
		r->q = NULL;
		r->next = NULL;
		r->prev = NULL;
	}
	*q = fresh;
}

void virtio_reset(struct virtio_device *d)
{
	struct virtio *v = d->virtio;

	if (v->in_reset)
		return;
	v->in_reset = true;
	trace(d, "reset", "status=%#x", v->status);
	if (v->class->dev.reset)
		v->class->dev.reset(d);
	for (unsigned i = 0; i < v->nq; i++)
		reset_queue(&v->q[i]);
	v->features = v->driver_features = 0;
	v->status = v->isr = 0;
	v->config_vector = VIRTIO_NO_VECTOR;
	v->device_feature_select = v->driver_feature_select = v->queue_select = 0;
	v->broken = v->legacy = false;
	if (v->transport->reset)
		v->transport->reset(d);
	v->in_reset = false;
}

void virtq_reset(struct virtq *q)
{
	struct virtio *v = q->v;

	trace(v->dev, "queue_reset", "queue=%u", q->n);
	v->in_reset = true;
	if (v->class->queue_reset)
		v->class->queue_reset(v->dev, q->n);
	reset_queue(q);
	v->in_reset = false;
}

/* ---- features and status */

u32 virtio_offered(const struct virtio *v, unsigned word)
{
	u64 bits = v->legacy ? v->offered : v->offered & ~LEGACY_ONLY;

	return word < 2 ? bits >> word * 32 : 0;
}

void virtio_take_features(struct virtio *v, unsigned word, u32 bits)
{
	u32 wrong = bits & ~virtio_offered(v, word);

	if (wrong)
		guest_error(v->dev,
			    "the driver takes features %#x of word %u, which were not offered",
			    wrong, word);
	if (v->status & VIRTIO_FEATURES_OK) {
		guest_error(v->dev, "features were chosen already");
		return;
	}
	if (word >= 2)
		return;
	v->driver_features &= ~(0xffffffffull << word * 32);
	v->driver_features |= (u64)bits << word * 32;
	if (v->legacy)
		v->features = v->driver_features &= v->offered;
}

bool virtio_has(const void *dev, unsigned feature)
{
	return virtio_of(dev)->features >> feature & 1;
}

bool virtio_driver_ok(const void *dev)
{
	const struct virtio *v = virtio_of(dev);

	return (v->status & VIRTIO_DRIVER_OK) && !v->broken;
}

static bool features_fit(struct virtio *v)
{
	u64 f = v->driver_features;

	if (f & ~(v->offered & ~LEGACY_ONLY)) {
		guest_error(v->dev, "FEATURES_OK with features that were not offered: %#llx",
			    (unsigned long long)(f & ~v->offered));
		return false;
	}
	if (!(f >> VIRTIO_F_VERSION_1 & 1)) {
		guest_error(v->dev, "FEATURES_OK without VERSION_1, which this interface needs");
		return false;
	}
	if ((v->offered & ~f) >> VIRTIO_F_ACCESS_PLATFORM & 1) {
		guest_error(v->dev, "FEATURES_OK without ACCESS_PLATFORM, which is required");
		return false;
	}
	return true;
}

static void negotiated(struct virtio *v)
{
	trace(v->dev, "features", "offered=%#llx taken=%#llx", (unsigned long long)v->offered,
	      (unsigned long long)v->features);
	if (v->class->negotiated)
		v->class->negotiated(v->dev);
}

/* Drivers may fill queues before they are ready, and need not tell again. */
static void start(struct virtio *v)
{
	if (v->class->driver_ok)
		v->class->driver_ok(v->dev);
	for (unsigned i = 0; i < v->nq; i++) {
		if (v->q[i].enabled && v->class->queue && !virtq_empty(v->dev, i))
			v->class->queue(v->dev, i);
	}
}

void virtio_set_status(struct virtio *v, u8 status)
{
	u8 added = status & ~v->status;

	trace(v->dev, "status", "%#x <- %#x", v->status, status);
	if (!status) {
		virtio_reset(v->dev);
		return;
	}
	if (v->status & ~status & ~VIRTIO_NEEDS_RESET)
		guest_error(v->dev, "the driver clears status bits %#x: only a reset may",
			    v->status & ~status);
	if ((added & VIRTIO_FEATURES_OK) && !v->legacy) {
		if (features_fit(v)) {
			v->features = v->driver_features;
			negotiated(v);
		} else {
			status &= ~VIRTIO_FEATURES_OK;
			added &= ~VIRTIO_FEATURES_OK;
		}
	}
	if ((added & VIRTIO_DRIVER_OK) && !v->legacy && !(status & VIRTIO_FEATURES_OK)) {
		guest_error(v->dev, "DRIVER_OK without FEATURES_OK");
		status &= ~VIRTIO_DRIVER_OK;
		added &= ~VIRTIO_DRIVER_OK;
	}
	v->status = status | (v->status & VIRTIO_NEEDS_RESET);
	if (added & VIRTIO_DRIVER_OK) {
		if (v->legacy)
			negotiated(v);
		start(v);
	}
}

void virtio_broken(void *dev, const char *fmt, ...)
{
	struct virtio *v = virtio_of(dev);
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	guest_error(dev, "%s; the device waits for its reset", text);
	if (v->broken)
		return;
	v->broken = true;
	if (!v->legacy) {
		v->status |= VIRTIO_NEEDS_RESET;
		virtio_config_changed(dev);
	}
}

/* ---- interrupts */

static void interrupt(struct virtio *v, u16 vector, u8 isr)
{
	struct device_core *core = v->dev->pci.dev.core;
	bool was = core->busy;

	v->isr |= isr;
	/* a message that the driver aimed at the device itself must not re-enter it */
	core->busy = true;
	v->transport->interrupt(v->dev, vector, isr);
	core->busy = was;
}

void virtio_config_changed(void *dev)
{
	struct virtio *v = virtio_of(dev);

	v->config_generation++;
	if ((v->status & VIRTIO_DRIVER_OK) || v->broken)
		interrupt(v, v->config_vector, VIRTIO_ISR_CONFIG);
}

void virtq_interrupt(struct virtq *q)
{
	trace(q->v->dev, "interrupt", "queue=%u vector=%u", q->n, q->vector);
	interrupt(q->v, q->vector, VIRTIO_ISR_QUEUE);
}

u8 virtio_isr_read(struct virtio *v)
{
	u8 isr = v->isr;

	v->isr = 0;
	return isr;
}

/* ---- configuration */

static u8 *fill_config(struct virtio *v, u64 off, unsigned size)
{
	u8 *cfg;

	if (!v->class->get_config || !range_fits(off, size, v->config_size))
		return NULL;
	cfg = xalloc(v->config_size);
	v->class->get_config(v->dev, cfg);
	return cfg;
}

u32 virtio_config_read(struct virtio *v, u64 off, unsigned size)
{
	AUTO_FREE u8 *cfg = fill_config(v, off, size);
	u32 val = ~0u;

	/* configuration may be longer than what this device has: a driver that probes reads zero */
	if (!cfg) {
		guest_error(v->dev, "read of %u bytes of configuration at %#llx, beyond its %u",
			    size, (unsigned long long)off, v->config_size);
		return 0;
	}
	if (size <= 4) {
		val = 0;
		for (unsigned i = 0; i < size; i++)
			val |= (u32)cfg[off + i] << i * 8;
	}
	trace(v->dev, "config_read", "%#llx -> %#x size %u", (unsigned long long)off, val, size);
	return val;
}

void virtio_config_write(struct virtio *v, u64 off, unsigned size, u32 val)
{
	AUTO_FREE u8 *cfg = fill_config(v, off, size);

	trace(v->dev, "config_write", "%#llx <- %#x size %u", (unsigned long long)off, val, size);
	if (!cfg || !v->class->set_config || size > 4) {
		guest_error(v->dev, "write of %u bytes of configuration at %#llx: %s", size,
			    (unsigned long long)off, cfg ? "it is read-only" : "beyond its end");
		return;
	}
	for (unsigned i = 0; i < size; i++)
		cfg[off + i] = val >> i * 8;
	v->class->set_config(v->dev, cfg, off, size);
}
