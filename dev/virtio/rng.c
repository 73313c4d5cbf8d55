/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rng.c - virtio entropy device: fills the driver's buffers with random bytes. VIRTIO 1.2, 5.4. The
 * bytes are the machine's own or come from a back end (-object rng-random); max-bytes per period
 * bound the rate. */
#include <quern/rng.h>
#include <quern/virtio.h>

enum { QUEUE_SIZE = 8, CHUNK = 4096 };

struct vrng {
	struct virtio_device virtio;
	struct rng_source *rng;
	u64 max_bytes;
	u32 period; /* ms */
	struct timer refill;
	u64 left; /* of this period */
};

static void serve(void *dev)
{
	struct vrng *d = dev;
	struct virtio_req *r;
	u8 buf[CHUNK];

	while (d->left && (r = virtq_pop(d, 0))) {
		u32 want = MIN((u64)MIN(r->in_size, (u32)CHUNK), d->left), got = 0;

		if (!r->in_size) {
			virtio_broken(d, "a buffer for random bytes that cannot be written");
			virtq_drop(r);
			return;
		}
		if (!fault(d, "starve"))
			got = rng_read(d->rng, d, buf, want, serve);
		if (!got) { /* the source calls again */
			virtq_unpop(r);
			break;
		}
		virtio_put(r, 0, buf, got);
		d->left -= got;
		trace(d, "bytes", "n=%u", got);
		virtq_push(r, got);
		if (!d->refill.deadline && d->max_bytes < INT64_MAX)
			timer_start(&d->refill, d->period * 1000000ull);
	}
	virtq_notify(d, 0);
}

static void queue(void *dev, unsigned n) { serve(dev); }

static void refill(void *dev)
{
	struct vrng *d = dev;

	d->left = d->max_bytes;
	serve(d);
}

static int init(void *dev, struct error *e)
{
	virtio_add_queue(dev, QUEUE_SIZE);
	return 0;
}

static void reset(void *dev)
{
	struct vrng *d = dev;

	timer_stop(&d->refill);
	d->left = d->max_bytes;
}

static void fini(void *dev)
{
	struct vrng *d = dev;

	rng_forget(d->rng, d);
}

static const struct prop props[] = {
	PROP(struct vrng, rng, .kind = PROP_OBJECT, .def_str = "rng-",
	     .doc = "Where the bytes come from (-object rng-random,id=); by default the machine."),
	PROP(struct vrng, max_bytes, .kind = PROP_SIZE, .def = INT64_MAX, .min = 1,
	     .max = INT64_MAX, .doc = "Most bytes in a period."),
	PROP(struct vrng, period, .def = 65536, .min = 1, .doc = "The period, in milliseconds."),
	{}
};
static const struct state state[] = { TIMER(struct vrng, refill, refill),
				      STATE(struct vrng, left),
				      {} };

VIRTIO_DEVICE(vrng,
	      .dev = { .name = "virtio-rng",
		       .doc = "Entropy source",
		       .bus = "virtio",
		       .size = sizeof(struct vrng),
		       .props = props,
		       .state = state,
		       .init = init,
		       .reset = reset,
		       .fini = fini },
	      .id = 4, .legacy_id = 0x1005, .queue = queue);
