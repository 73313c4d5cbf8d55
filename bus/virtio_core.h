/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio_core.h - the inside of a virtio device: virtio.c has its life and what the driver sets,
 * virtio_queue.c the requests, virtio_split.c and virtio_packed.c the two kinds of rings;
 * transports (virtio_pci.c, virtio_mmio.c) call what is here. */
#pragma once
#include <quern/virtio.h>
#include "core/device.h"

enum {
	VIRTIO_ACKNOWLEDGE = BIT(0),
	VIRTIO_DRIVER = BIT(1),
	VIRTIO_DRIVER_OK = BIT(2),
	VIRTIO_FEATURES_OK = BIT(3),
	VIRTIO_NEEDS_RESET = BIT(6),
	VIRTIO_FAILED = BIT(7),
	VIRTIO_ISR_QUEUE = BIT(0),
	VIRTIO_ISR_CONFIG = BIT(1),
	VIRTIO_NO_VECTOR = 0xffff,
	VIRTIO_MAX_SIZE = 32768, /* entries of a queue */
	VIRTIO_MAX_CHAIN = 1024, /* descriptors of a request */
	DESC_NEXT = BIT(0),
	DESC_WRITE = BIT(1),
	DESC_INDIRECT = BIT(2),
	DESC_SIZE = 16,
};

/* A part of a ring as host memory; valid for one generation of the address space. */
struct virtq_area {
	u8 *at;
	u64 addr;
	u32 size;
	u32 generation;
};

struct virtq {
	struct virtio *v;
	u16 n;
	u16 max, size;	     /* entries; what the driver chose */
	bool enabled, ready; /* ready: areas are checked */
	u64 desc_at, driver_at, device_at;
	struct virtq_area desc, driver, device;
	u16 vector;
	u32 inuse; /* descriptors (split: requests) of requests that are out */
	/* split: next of the available ring; what the used ring's idx was set to; packed: offsets
	 * and wrap counters of both */
	u16 avail, used;
	bool avail_wrap, used_wrap;
	/* event index: where used stood at the last interrupt decision */
	u16 signalled;
	bool signalled_wrap, signalled_valid;
	bool want;		/* the driver shall notify */
	bool pushed;		/* since the last decision */
	struct virtio_req *out; /* popped and not pushed */
	struct virtio_req *spare;
	unsigned nspare;
};

struct virtio_transport {
	/* the driver shall hear of a queue (its vector) or the configuration */
	void (*interrupt)(struct virtio_device *d, u16 vector, u8 isr);
	/* may the device reach memory? */
	bool (*may_dma)(struct virtio_device *d);
	/* status became 0, or the machine is reset */
	void (*reset)(struct virtio_device *d);
	/* state came from a snapshot; may be NULL */
	void (*loaded)(struct virtio_device *d);
};

struct virtio {
	struct virtio_device *dev;
	const struct virtio_class *class;
	const struct virtio_transport *transport;
	void *transport_state;
	struct virtq *q;
	unsigned nq;
	u32 config_size;
	u64 offered, features; /* features: what the driver took */
	u8 status, isr;
	u8 config_generation;
	u16 config_vector;
	bool legacy; /* the driver uses the interface from before 1.0 */
	bool in_reset, broken;
	/* what the driver selected */
	u32 device_feature_select, driver_feature_select, queue_select;
	u64 driver_features;
};

/* A device class that a transport made of a virtio class. */
struct virtio_made_class {
	struct pci_class pci; /* .dev is the device class */
	const struct virtio_class *class;
	u8 form; /* the transport's own */
	struct prop *props;
	struct state *state;
};
static inline struct virtio_made_class *virtio_made(const void *dev)
{
	return (struct virtio_made_class *)((const struct device *)dev)->class;
}
/* What the device was made of, or NULL when it is no virtio device. */
const struct virtio_class *virtio_class_of(const struct device *d);
static inline struct virtio *virtio_of(const void *dev)
{
	return ((const struct virtio_device *)dev)->virtio;
}

/* --- for transports */
/* A class named base + suffix with the model's tables, the core's properties and those of the
 * transport. The caller fills bus, callbacks (init must call virtio_init, ...) */
struct virtio_made_class *virtio_make_class(const struct virtio_class *c, const char *suffix,
					    const struct prop *props);
/* Makes the core and calls the model's init; then the transport can look at queues and features. */
int must_check virtio_init(struct virtio_device *d, const struct virtio_transport *t,
			   struct error *e);
void virtio_fini(void *dev);
/* By the machine, or by the driver's writing 0. */
void virtio_reset(struct virtio_device *d);
void virtio_set_status(struct virtio *v, u8 status);
/* 32 bits of the features that the device offers (legacy: as drivers from before 1.0 see them) */
u32 virtio_offered(const struct virtio *v, unsigned word);
void virtio_take_features(struct virtio *v, unsigned word, u32 bits);
u32 virtio_config_read(struct virtio *v, u64 off, unsigned size);
void virtio_config_write(struct virtio *v, u64 off, unsigned size, u32 val);
struct virtq *virtio_queue_at(struct virtio *v, unsigned n); /* NULL: no such queue */
void virtq_set_size(struct virtq *q, u32 size);
void virtq_enable(struct virtq *q);
void virtq_set_legacy(struct virtq *q, u32 pfn);
void virtq_reset(struct virtq *q);
/* The driver wrote a queue's number to the notification register. */
void virtio_notified(struct virtio *v, u32 n);
u8 virtio_isr_read(struct virtio *v);
void virtq_interrupt(struct virtq *q);
void virtq_free_spare(struct virtq *q);

/* virtio_snapshot.c: the first entry of every made class's state, and its `loaded` */
void virtio_save(void *dev, struct blob *b);
int virtio_load(void *dev, struct blob *b);
void virtio_loaded(void *dev);

/* --- between the core's files */
static inline bool virtq_is_packed(const struct virtq *q)
{
	return q->v->features >> VIRTIO_F_RING_PACKED & 1;
}
/* Host memory behind part of a ring, looked up again when the address space changed; NULL = broken
 * (reported). */
u8 *virtq_area_at(struct virtq *q, struct virtq_area *a, bool write, const char *what);
void virtq_area_dirty(struct virtq *q, const struct virtq_area *a, u64 off, u32 n);
/* One descriptor more for a request; false = broken (reported). */
bool virtio_req_add(struct virtio_req *r, struct virtq *q, u64 addr, u32 len, bool write);
/* An indirect table: 16-byte descriptors, chained (split) or in sequence (packed). */
bool virtio_req_indirect(struct virtio_req *r, struct virtq *q, u64 addr, u32 len, bool chained);
/* Each kind of ring: the next head (its id, and how many slots it takes) added to r. 1, 0 = none,
 * -1 = broken. */
int split_pop(struct virtq *q, struct virtio_req *r);
void split_push(struct virtq *q, const struct virtio_req *r, u32 written);
void split_unpop(struct virtq *q, const struct virtio_req *r);
bool split_empty(struct virtq *q);
bool split_should_interrupt(struct virtq *q);
void split_want(struct virtq *q, bool on);
int packed_pop(struct virtq *q, struct virtio_req *r);
void packed_push(struct virtq *q, const struct virtio_req *r, u32 written);
void packed_unpop(struct virtq *q, const struct virtio_req *r);
bool packed_empty(struct virtq *q);
bool packed_should_interrupt(struct virtq *q);
void packed_want(struct virtq *q, bool on);
