/* SPDX-License-Identifier: MIT */
/*
 * virtio.h - virtio devices (OASIS VIRTIO 1.2). A model states its class: identity, features,
 * configuration, queues; the transports (PCI modern and transitional, memory-mapped) make device
 * classes of it: "virtio-rng" becomes virtio-rng-pci, virtio-rng-pci-transitional,
 * virtio-rng-pci-non-transitional and virtio-rng-device. Rings, indirect descriptors, suppression
 * of notifications, interrupts and resets are the core's; a model sees requests: scatter lists of
 * host memory that the driver wrote (out) and that the device writes (in).
 */
#pragma once
#include "pci.h"
#include <sys/uio.h>

struct virtio;
struct virtq;

/* The head of every virtio device's struct; members are the core's. */
struct virtio_device {
	struct pci_device pci; /* .dev is the device; .pci is NULL behind other transports */
	struct virtio *virtio;
	u32 vectors;
	u8 disable_legacy, disable_modern;
	bool indirect_desc, event_idx, any_layout, notify_on_empty, packed, queue_reset,
		iommu_platform, page_per_vq;
};

enum virtio_feature {
	VIRTIO_F_NOTIFY_ON_EMPTY = 24,
	VIRTIO_F_ANY_LAYOUT = 27,
	VIRTIO_F_INDIRECT_DESC = 28,
	VIRTIO_F_EVENT_IDX = 29,
	VIRTIO_F_VERSION_1 = 32,
	VIRTIO_F_ACCESS_PLATFORM = 33,
	VIRTIO_F_RING_PACKED = 34,
	VIRTIO_F_IN_ORDER = 35,
	VIRTIO_F_ORDER_PLATFORM = 36,
	VIRTIO_F_RING_RESET = 40,
};

struct virtio_class {
	struct device_class dev; /* .bus = "virtio", .name = "virtio-foo" */
	u16 id;			 /* VIRTIO 1.2 chapter 5 */
	/* PCI device id with which drivers from before 1.0 find it (0x1000...); 0 = there are none:
	 * the device is always modern */
	u16 legacy_id;
	u32 pci_class; /* 0 = 0x00ff00, unclassified */
	/* MSI-X vectors of the PCI forms when the user says nothing: 0 = one per queue and one for
	 * configuration changes, which is right unless there are very many queues */
	u32 vectors;
	u64 features; /* of the device type: bits 0..23 and 50..63; more by virtio_offer */
	/* Device configuration, little-endian: bytes of it. get_config fills all of them;
	 * set_config hears of a driver's write after it went into cfg. */
	u32 config_size;
	void (*get_config)(void *dev, u8 *cfg);
	void (*set_config)(void *dev, const u8 *cfg, u32 off, u32 size);
	/* The driver has made buffers available in queue n: virtq_pop them. */
	void (*queue)(void *dev, unsigned n);
	/* The driver said which features it takes: virtio_has tells. Before the queues run. */
	void (*negotiated)(void *dev);
	void (*driver_ok)(void *dev); /* the driver is ready (DRIVER_OK) */
	/* One queue was reset by the driver: what was popped from it is gone. */
	void (*queue_reset)(void *dev, unsigned n);
	/* dev.reset is called for a driver's reset as well. Requests that a model still holds then
	 * may be pushed (to no effect) or dropped later. */
};
#define VIRTIO_DEVICE(T, ...) \
	_Static_assert(offsetof(struct T, virtio) == 0, "struct virtio_device comes first"); \
	static const struct virtio_class T##_class = { __VA_ARGS__ }; \
	QUERN_REGISTER(T##_class)

/* --- setting up, in init */
/* Appends a queue of up to `size` entries (a power of two up to 32768); returns its number. */
unsigned virtio_add_queue(void *dev, unsigned size);
void virtio_offer(void *dev, unsigned feature, bool on);
/* As the class's config_size, when it depends on properties. */
void virtio_set_config_size(void *dev, u32 size);

/* --- what was negotiated */
bool virtio_has(const void *dev, unsigned feature);
bool virtio_driver_ok(const void *dev);
/* The configuration changed: the driver is told. */
void virtio_config_changed(void *dev);
/* The device cannot go on: reports a guest error, sets DEVICE_NEEDS_RESET and tells the driver.
 * Until its reset nothing is taken from queues. */
void virtio_broken(void *dev, const char *fmt, ...) printf_like(2, 3);

/* --- requests */
struct virtio_req {
	struct virtq *q; /* NULL after a reset: the driver has forgotten it */
	unsigned queue;
	u32 nout, nin;	       /* pieces */
	u32 out_size, in_size; /* bytes */
	struct iovec *out, *in;
	void *user; /* the model's */
	/* the core's own */
	u32 head, ndesc, room;
	u64 *in_at; /* guest addresses of the in pieces */
	struct virtio_req *next, **prev;
	struct dma_broken *broken;
};
/* The next request, or NULL when there is none (or the queue does not run). A model pushes it back
 * or drops it. */
struct virtio_req *virtq_pop(void *dev, unsigned queue);
/* Where the i-th in piece is in the guest's memory. */
static inline u64 virtio_in_addr(const struct virtio_req *r, u32 i)
{
	return r->in_at[r->nout + i];
}
/* How many bytes of device-writable (in) memory the waiting requests have, looked at up to
 * `enough`; nothing is taken. */
u32 virtq_room(void *dev, unsigned queue, u32 enough);
bool virtq_empty(void *dev, unsigned queue);
/* Gives it back: the device wrote the first `written` bytes of in. The driver hears of it by
 * virtq_notify. Frees r. */
void virtq_push(struct virtio_req *r, u32 written);
/* Takes back the pop: the next virtq_pop gives the same again. Only the last popped, in reverse
 * order. */
void virtq_unpop(struct virtio_req *r);
/* Frees it without an answer (after a reset, or a broken device). */
void virtq_drop(struct virtio_req *r);
/* Raises the queue's interrupt if the driver wants it for what was pushed. */
void virtq_notify(void *dev, unsigned queue);
/* The driver need not (on = false) or shall (true) tell of new buffers; true looks once more
 * whether there are any. */
void virtq_want_notify(void *dev, unsigned queue, bool on);
/* Copies out of what the driver wrote, into what it reads; bytes copied. */
size_t virtio_get(const struct virtio_req *r, size_t off, void *buf, size_t n);
size_t virtio_put(struct virtio_req *r, size_t off, const void *buf, size_t n);
