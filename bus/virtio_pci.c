/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio_pci.c - virtio over PCI. VIRTIO 1.2, 4.1: capabilities that point into BAR 4 (common,
 * interrupt status, device and notification areas, and the window in configuration space); for
 * drivers from before 1.0 (4.1.4.8) ports in BAR 0; MSI-X in BAR 1. Devices that serve both are
 * transitional.
 */
#include "bus/pci_core.h"
#include "bus/virtio.h"
#include "bus/virtio_core.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <errno.h>

enum {
	VENDOR = 0x1af4,
	MODERN_ID = 0x1040,
	SUBDEVICE = 0x1100,
	CLASS_OTHER = 0x00ff00,
	CAP_VENDOR = 0x09,
	LEGACY_BAR = 0,
	MSIX_BAR = 1,
	MODERN_BAR = 4,
	/* the areas of BAR 4 */
	COMMON = 0,
	ISR = 0x1000,
	DEVICE = 0x2000,
	NOTIFY = 0x3000,
	AREA = 0x1000,
	NOTIFY_STEP = 4,
	PAGE_STEP = 4096, /* page-per-vq */
	/* BAR 0 */
	LEGACY_VECTORS = 0x14,
	/* 4.1.4: kinds of capabilities */
	CFG_COMMON = 1,
	CFG_NOTIFY,
	CFG_ISR,
	CFG_DEVICE,
	CFG_PCI,
};
enum form { FORM_ANY, FORM_TRANSITIONAL, FORM_MODERN };

struct virtio_pci {
	struct pci_bar legacy, modern;
	unsigned window; /* configuration offset of the PCI_CFG capability, 0 = none */
	u32 notify_step;
};

static struct virtio *vio(void *dev) { return virtio_of(dev); }
static struct virtio_pci *vpci(void *dev) { return virtio_of(dev)->transport_state; }
static struct pci_core *pci_of(void *dev) { return ((struct virtio_device *)dev)->pci.pci; }

static bool has_msix(void *dev)
{
	struct virtio_device *d = dev;

	return pci_msi_enabled(&d->pci);
}

static struct virtq *selected(void *dev)
{
	struct virtio *v = vio(dev);

	return virtio_queue_at(v, v->queue_select);
}

/* A driver that selected no queue reads zeroes and writes to nothing. */
static struct virtq *must_select(void *dev)
{
	struct virtq *q = selected(dev);

	if (!q)
		guest_error(dev, "queue %u is selected; there are %u", vio(dev)->queue_select,
			    vio(dev)->nq);
	return q;
}

/* ---- interrupts */

static void interrupt(struct virtio_device *d, u16 vector, u8 isr)
{
	if (has_msix(d)) {
		if (vector != VIRTIO_NO_VECTOR)
			pci_irq(&d->pci, vector);
		return;
	}
	pci_intx(&d->pci, d->virtio->isr != 0);
}

static bool may_dma(struct virtio_device *d) { return pci_command(d->pci.pci) & CMD_MASTER; }

static void transport_reset(struct virtio_device *d) { pci_intx(&d->pci, 0); }

static const struct virtio_transport transport = { .interrupt = interrupt,
						   .may_dma = may_dma,
						   .reset = transport_reset };

static u16 checked_vector(void *dev, u64 val)
{
	if (val < pci_of(dev)->nmsix || val == VIRTIO_NO_VECTOR)
		return val;
	guest_error(dev, "MSI-X vector %llu of %u", (unsigned long long)val, pci_of(dev)->nmsix);
	return VIRTIO_NO_VECTOR;
}

static u64 isr_get(void *dev, unsigned i, u64 val)
{
	u8 isr = virtio_isr_read(vio(dev));

	pci_intx(&((struct virtio_device *)dev)->pci, 0);
	return isr;
}

/* ---- 4.1.4.3: common configuration */

static u64 dfs_get(void *dev, unsigned i, u64 val) { return vio(dev)->device_feature_select; }
static void dfs_set(void *dev, unsigned i, u64 val) { vio(dev)->device_feature_select = val; }
static u64 df_get(void *dev, unsigned i, u64 val)
{
	return virtio_offered(vio(dev), vio(dev)->device_feature_select);
}
static u64 gfs_get(void *dev, unsigned i, u64 val) { return vio(dev)->driver_feature_select; }
static void gfs_set(void *dev, unsigned i, u64 val) { vio(dev)->driver_feature_select = val; }
static u64 gf_get(void *dev, unsigned i, u64 val)
{
	struct virtio *v = vio(dev);

	return v->driver_feature_select < 2 ? v->driver_features >> v->driver_feature_select * 32 :
					      0;
}
static void gf_set(void *dev, unsigned i, u64 val)
{
	virtio_take_features(vio(dev), vio(dev)->driver_feature_select, val);
}
static u64 cv_get(void *dev, unsigned i, u64 val) { return vio(dev)->config_vector; }
static void cv_set(void *dev, unsigned i, u64 val)
{
	vio(dev)->config_vector = checked_vector(dev, val);
}
static u64 nq_get(void *dev, unsigned i, u64 val) { return vio(dev)->nq; }
static u64 status_get(void *dev, unsigned i, u64 val) { return vio(dev)->status; }
static void status_set(void *dev, unsigned i, u64 val) { virtio_set_status(vio(dev), val); }
static u64 gen_get(void *dev, unsigned i, u64 val) { return vio(dev)->config_generation; }
static u64 qs_get(void *dev, unsigned i, u64 val) { return vio(dev)->queue_select; }
static void qs_set(void *dev, unsigned i, u64 val) { vio(dev)->queue_select = val; }
static u64 qn_get(void *dev, unsigned i, u64 val)
{
	struct virtq *q = selected(dev);

	return q ? q->size : 0;
}
static void qn_set(void *dev, unsigned i, u64 val)
{
	struct virtq *q = must_select(dev);

	if (q)
		virtq_set_size(q, val);
}
static u64 qv_get(void *dev, unsigned i, u64 val)
{
	struct virtq *q = selected(dev);

	return q ? q->vector : VIRTIO_NO_VECTOR;
}
static void qv_set(void *dev, unsigned i, u64 val)
{
	struct virtq *q = must_select(dev);

	if (q)
		q->vector = checked_vector(dev, val);
}
static u64 qe_get(void *dev, unsigned i, u64 val)
{
	struct virtq *q = selected(dev);

	return q && q->enabled;
}
static void qe_set(void *dev, unsigned i, u64 val)
{
	struct virtq *q = must_select(dev);

	if (q && val == 1)
		virtq_enable(q);
	else if (q)
		guest_error(dev, "queue_enable takes 1, not %llu", (unsigned long long)val);
}
static u64 qo_get(void *dev, unsigned i, u64 val)
{
	return selected(dev) ? vio(dev)->queue_select : 0;
}
static u64 qr_get(void *dev, unsigned i, u64 val) { return 0; }
static void qr_set(void *dev, unsigned i, u64 val)
{
	struct virtq *q = must_select(dev);

	if (!virtio_has(dev, VIRTIO_F_RING_RESET) || val != 1)
		guest_error(dev, "queue_reset without RING_RESET, or not 1");
	else if (q)
		virtq_reset(q);
}

/* The halves of the three addresses of a queue. */
static u64 *address(void *dev, unsigned which)
{
	struct virtq *q = selected(dev);

	return !q ? NULL : which == 0 ? &q->desc_at : which == 1 ? &q->driver_at : &q->device_at;
}
static u64 half_get(void *dev, unsigned i, u64 val)
{
	const u64 *a = address(dev, i / 2);

	return a ? (u32)(*a >> (i & 1) * 32) : 0;
}
static void half_set(void *dev, unsigned i, u64 val)
{
	u64 *a = address(dev, i / 2);
	unsigned shift = (i & 1) * 32;

	if (!must_select(dev))
		return;
	if (selected(dev)->enabled) {
		guest_error(dev, "the addresses of queue %u change while it is enabled",
			    vio(dev)->queue_select);
		return;
	}
	*a = (*a & ~(0xffffffffull << shift)) | val << shift;
}

#define V(at_, name_, size_, ...) \
	{ \
		.name = name_, .at = (at_), .size = (size_), .novalue = true, __VA_ARGS__ \
	}
static const struct reg modern_regs[] = {
	V(0x00, "device_feature_select", 4, .get = dfs_get, .set = dfs_set,
	  .doc = "Which word device_feature shows."),
	V(0x04, "device_feature", 4, RO, .get = df_get, .doc = "Features that are offered."),
	V(0x08, "driver_feature_select", 4, .get = gfs_get, .set = gfs_set,
	  .doc = "Which word driver_feature shows."),
	V(0x0c, "driver_feature", 4, .get = gf_get, .set = gf_set,
	  .doc = "Features that the driver takes."),
	V(0x10, "config_msix_vector", 2, .get = cv_get, .set = cv_set,
	  .doc = "MSI-X vector of configuration changes."),
	V(0x12, "num_queues", 2, RO, .get = nq_get, .doc = "Number of queues."),
	V(0x14, "device_status", 1, .get = status_get, .set = status_set, .doc = "Device status."),
	V(0x15, "config_generation", 1, RO, .get = gen_get,
	  .doc = "Changes with the configuration."),
	V(0x16, "queue_select", 2, .get = qs_get, .set = qs_set,
	  .doc = "The queue that the following registers are about."),
	V(0x18, "queue_size", 2, .get = qn_get, .set = qn_set, .doc = "Its entries."),
	V(0x1a, "queue_msix_vector", 2, .get = qv_get, .set = qv_set, .doc = "Its MSI-X vector."),
	V(0x1c, "queue_enable", 2, .get = qe_get, .set = qe_set, .doc = "Is it in use?"),
	V(0x1e, "queue_notify_off", 2, RO, .get = qo_get, .doc = "Its place in the notify area."),
	V(0x20, "queue_address", 4, .count = 6, .stride = 4, .get = half_get, .set = half_set,
	  .doc = "Addresses of the descriptor, driver and device areas, as halves."),
	V(0x38, "queue_notify_data", 2, RO, .get = qo_get, .doc = "Data for notifications."),
	V(0x3a, "queue_reset", 2, .get = qr_get, .set = qr_set, .doc = "Resets this queue."),
	V(ISR, "isr_status", 1, RO, .get = isr_get,
	  .doc = "Why the pin is asserted; reading releases it."),
	{}
};

static u64 modern_read(void *dev, u64 off, unsigned size)
{
	if (off >= DEVICE && off < DEVICE + AREA)
		return virtio_config_read(vio(dev), off - DEVICE, size);
	if (off < NOTIFY)
		guest_error(dev, "read of %u bytes at %#llx, where no register is", size,
			    (unsigned long long)off);
	return 0;
}

static void modern_write(void *dev, u64 off, unsigned size, u64 val)
{
	if (off >= NOTIFY)
		virtio_notified(vio(dev), (off - NOTIFY) / vpci(dev)->notify_step);
	else if (off >= DEVICE)
		virtio_config_write(vio(dev), off - DEVICE, size, val);
	else
		guest_error(dev, "write of %u bytes at %#llx, where no register is", size,
			    (unsigned long long)off);
}

/* ---- 4.1.4.8: ports for drivers from before 1.0 */

static struct virtio *legacy(void *dev)
{
	struct virtio *v = vio(dev);

	if (!v->legacy && v->status)
		trace(dev, "legacy", "status=%#x", v->status);
	v->legacy = true;
	return v;
}

static u64 lf_get(void *dev, unsigned i, u64 val) { return virtio_offered(legacy(dev), 0); }
static u64 lg_get(void *dev, unsigned i, u64 val) { return (u32)legacy(dev)->driver_features; }
static void lg_set(void *dev, unsigned i, u64 val) { virtio_take_features(legacy(dev), 0, val); }
static u64 lp_get(void *dev, unsigned i, u64 val)
{
	struct virtq *q = selected(dev);

	return q && q->enabled ? q->desc_at >> 12 : 0;
}
static void lp_set(void *dev, unsigned i, u64 val)
{
	struct virtq *q = must_select(dev);

	legacy(dev);
	if (q)
		virtq_set_legacy(q, val);
}
static u64 ln_get(void *dev, unsigned i, u64 val)
{
	struct virtq *q = selected(dev);

	return q ? q->max : 0;
}
static void lk_set(void *dev, unsigned i, u64 val) { virtio_notified(legacy(dev), val); }
static void ls_set(void *dev, unsigned i, u64 val) { virtio_set_status(legacy(dev), val); }

static const struct reg legacy_regs[] = {
	V(0x00, "legacy_host_features", 4, RO, .get = lf_get, .doc = "Features that are offered."),
	V(0x04, "legacy_guest_features", 4, .get = lg_get, .set = lg_set,
	  .doc = "Features that the driver takes."),
	V(0x08, "legacy_queue_pfn", 4, .get = lp_get, .set = lp_set,
	  .doc = "Page of the selected queue; 0 = not in use."),
	V(0x0c, "legacy_queue_size", 2, RO, .get = ln_get, .doc = "Its entries."),
	V(0x0e, "legacy_queue_select", 2, .get = qs_get, .set = qs_set,
	  .doc = "The selected queue."),
	V(0x10, "legacy_queue_notify", 2, .set = lk_set, .doc = "The queue with new buffers."),
	V(0x12, "legacy_status", 1, .get = status_get, .set = ls_set, .doc = "Device status."),
	V(0x13, "legacy_isr", 1, RO, .get = isr_get,
	  .doc = "Why the pin is asserted; reading releases it."),
	{}
};

/* The vectors are there only while MSI-X is on. */
static u64 legacy_read(void *dev, u64 off, unsigned size)
{
	bool msix = has_msix(dev);

	if (msix && off < LEGACY_VECTORS + 4u && size == 2)
		return off == LEGACY_VECTORS ? cv_get(dev, 0, 0) : qv_get(dev, 0, 0);
	off -= LEGACY_VECTORS + (msix ? 4 : 0);
	return virtio_config_read(legacy(dev), off, size);
}

static void legacy_write(void *dev, u64 off, unsigned size, u64 val)
{
	bool msix = has_msix(dev);

	if (msix && off == LEGACY_VECTORS && size == 2) {
		cv_set(dev, 0, val);
	} else if (msix && off == LEGACY_VECTORS + 2u && size == 2) {
		qv_set(dev, 0, val);
	} else {
		off -= LEGACY_VECTORS + (msix ? 4 : 0);
		virtio_config_write(legacy(dev), off, size, val);
	}
}

/* ---- 4.1.4.9: the window in configuration space */

static bool window_access(struct virtio_device *d, u64 *off, u32 *size)
{
	const u8 *cap = d->pci.pci->config + vpci(d)->window;

	*off = ld32le(cap + 8);
	*size = ld32le(cap + 12);
	return cap[4] == MODERN_BAR && (*size == 1 || *size == 2 || *size == 4) &&
	       *off % *size == 0 && range_fits(*off, *size, vpci(d)->modern.size);
}

static bool in_window(struct virtio_device *d, u32 off)
{
	unsigned w = d->virtio && vpci(d) ? vpci(d)->window : 0;

	return w && off >= w + 16 && off < w + 20;
}

static u32 config_read(void *dev, u32 off, unsigned size, u32 val)
{
	struct virtio_device *d = dev;
	struct pci_core *c = d->pci.pci;
	u64 at, got;
	u32 n;

	if (!in_window(d, off) || !window_access(d, &at, &n) ||
	    region_ld(&c->bar[MODERN_BAR].region, at, n, &got, (struct mem_attrs){ 0 }) != MEM_OK)
		return val;
	st32le(c->config + vpci(d)->window + 16, got);
	return got >> (off & 3) * 8;
}

static void config_written(void *dev, u32 off, unsigned size, u32 val)
{
	struct virtio_device *d = dev;
	struct pci_core *c = d->pci.pci;
	u64 at;
	u32 n;

	if (!in_window(d, off) || !window_access(d, &at, &n))
		return;
	val = ld32le(c->config + vpci(d)->window + 16);
	if (region_st(&c->bar[MODERN_BAR].region, at, n, val, (struct mem_attrs){ 0 }) != MEM_OK)
		guest_error(d, "write through the configuration window at %#llx reaches nothing",
			    (unsigned long long)at);
}

/* ---- setting up */

static u8 *add_cap(struct virtio_device *d, u8 kind, unsigned size, u32 offset, u32 length)
{
	unsigned at = pci_add_capability(&d->pci, CAP_VENDOR, size);
	u8 *cap = pci_config(&d->pci) + at;

	cap[2] = size;
	cap[3] = kind;
	cap[4] = kind == CFG_PCI ? 0 : MODERN_BAR;
	st32le(cap + 8, offset);
	st32le(cap + 12, length);
	return cap;
}

static int add_modern(struct virtio_device *d, struct error *e)
{
	struct virtio_pci *p = vpci(d);
	struct virtio *v = d->virtio;
	u64 size = NOTIFY + AREA;
	u8 *cap, *mask;

	p->notify_step = d->page_per_vq ? PAGE_STEP : NOTIFY_STEP;
	while (size < NOTIFY + (u64)v->nq * p->notify_step)
		size *= 2;
	p->modern = (struct pci_bar){ .regs = modern_regs,
				      .size = size,
				      .bits64 = true,
				      .prefetch = true,
				      .read = modern_read,
				      .write = modern_write };
	add_cap(d, CFG_COMMON, 16, COMMON, AREA);
	add_cap(d, CFG_ISR, 16, ISR, AREA);
	add_cap(d, CFG_DEVICE, 16, DEVICE, AREA);
	cap = add_cap(d, CFG_NOTIFY, 20, NOTIFY, size - NOTIFY);
	st32le(cap + 16, p->notify_step);
	cap = add_cap(d, CFG_PCI, 20, 0, 0);
	p->window = cap - pci_config(&d->pci);
	mask = pci_config_wmask(&d->pci) + p->window;
	mask[4] = 0xff;
	memset(mask + 8, 0xff, 12);
	return pci_bar_add(d->pci.pci, MODERN_BAR, &p->modern, e);
}

static int add_legacy(struct virtio_device *d, struct error *e)
{
	struct virtio_pci *p = vpci(d);
	u64 size = 32;

	while (size < LEGACY_VECTORS + 4 + d->virtio->config_size)
		size *= 2;
	p->legacy = (struct pci_bar){ .regs = legacy_regs,
				      .size = size,
				      .io = true,
				      .read = legacy_read,
				      .write = legacy_write };
	return pci_bar_add(d->pci.pci, LEGACY_BAR, &p->legacy, e);
}

static void set_identity(struct virtio_device *d, bool has_legacy)
{
	const struct virtio_class *c = d->virtio->class;
	u8 *cfg = pci_config(&d->pci);

	st16le(cfg + PCI_DEVICE_ID, has_legacy ? c->legacy_id : MODERN_ID + c->id);
	cfg[PCI_REVISION] = has_legacy ? 0 : 1;
	st16le(cfg + PCI_SUBSYSTEM, VENDOR);
	st16le(cfg + PCI_SUBSYSTEM + 2, has_legacy ? c->id : SUBDEVICE);
}

static int add_vectors(struct virtio_device *d, struct error *e)
{
	const struct virtio_class *c = d->virtio->class;
	u32 n = d->vectors;

	if (n == ~0u)
		n = c->vectors ? c->vectors : MIN(d->virtio->nq + 1, 2048u);
	if (n > 2048)
		return error_ret(e, -ERANGE,
				 "property 'vectors' cannot be %u: up to 2048 are possible", n);
	return n ? pci_msix_add(d->pci.pci, n, MSIX_BAR, e) : 0;
}

static int init(void *dev, struct error *e)
{
	struct virtio_device *d = dev;
	const struct virtio_made_class *made = virtio_made(d);
	struct pci_bus *bus = d->pci.pci->bus;
	bool has_legacy = made->class->legacy_id && made->form != FORM_MODERN, modern = true;
	int err;

	if (made->form == FORM_ANY && made->class->legacy_id) {
		/* behind a PCIe port there are no ports in I/O space to count on */
		has_legacy = d->disable_legacy == PROP_AUTO ? !(bus->express && bus->bridge) :
							      d->disable_legacy == PROP_OFF;
		modern = !d->disable_modern;
	}
	if (!has_legacy && !modern)
		return error_ret(e, -EINVAL,
				 "device '%s' cannot work as neither modern nor legacy mode is "
				 "enabled",
				 d->pci.dev.id);
	err = virtio_init(d, &transport, e);
	if (err)
		return err;
	d->virtio->transport_state = NEW(struct virtio_pci);
	if (!modern)
		d->virtio->offered &= 0xffffffff;
	set_identity(d, has_legacy);
	err = modern ? add_modern(d, e) : 0;
	if (!err && has_legacy)
		err = add_legacy(d, e);
	return err ? err : add_vectors(d, e);
}

static void fini(void *dev)
{
	struct virtio_device *d = dev;
	void *state = vpci(d);

	if (d->virtio->class->dev.fini)
		d->virtio->class->dev.fini(d);
	virtio_fini(d);
	free(state);
}

static void reset(void *dev) { virtio_reset(dev); }

/* ---- classes */

#define NO_OTHER_THREAD "notifications are handled by the machine's thread"
static const struct prop any_props[] = {
	PROP(struct virtio_device, disable_legacy, .kind = PROP_ONOFFAUTO,
	     .doc = "No ports for drivers from before virtio 1.0; auto: none behind a PCIe port."),
	PROP(struct virtio_device, disable_modern, .kind = PROP_BOOL,
	     .doc = "Only the interface from before virtio 1.0."),
	{}
};
static const struct prop form_props[] = {
	PROP(struct virtio_device, vectors, .def = ~0u,
	     .doc = "MSI-X vectors; by default one per queue and one more."),
	PROP(struct virtio_device, page_per_vq, .kind = PROP_BOOL,
	     .doc = "Each queue's notification register has a page of its own."),
	{ .name = "ioeventfd",
	  .kind = PROP_BOOL,
	  .size = 1,
	  .ignored = NO_OTHER_THREAD,
	  .doc = "No effect: " NO_OTHER_THREAD "." },
	{}
};

static void make(const struct virtio_class *c, enum form form, const char *suffix,
		 void (*add)(void *arg, const struct device_class *made), void *arg)
{
	struct virtio_made_class *m;
	struct prop props[8] = { 0 };
	unsigned n = 0;

	if (form == FORM_ANY && c->legacy_id)
		for (; any_props[n].name; n++)
			props[n] = any_props[n];
	for (unsigned i = 0; form_props[i].name; i++)
		props[n++] = form_props[i];
	m = virtio_make_class(c, suffix, props);
	m->form = form;
	m->pci.dev.bus = "pci";
	m->pci.dev.init = init;
	m->pci.dev.fini = fini;
	m->pci.dev.reset = reset;
	m->pci.vendor = VENDOR;
	m->pci.device = c->legacy_id ? c->legacy_id : MODERN_ID + c->id;
	m->pci.class_code = c->pci_class ? c->pci_class : CLASS_OTHER;
	m->pci.intx = true;
	m->pci.express = true;
	m->pci.config_read = config_read;
	m->pci.config_written = config_written;
	add(arg, &m->pci.dev);
}

void virtio_pci_classes(const struct virtio_class *c,
			void (*add)(void *arg, const struct device_class *made), void *arg)
{
	make(c, FORM_ANY, "-pci", add, arg);
	make(c, FORM_MODERN, "-pci-non-transitional", add, arg);
	if (c->legacy_id)
		make(c, FORM_TRANSITIONAL, "-pci-transitional", add, arg);
}
