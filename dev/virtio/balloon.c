/* SPDX-License-Identifier: GPL-2.0-or-later */
/* balloon.c - virtio memory balloon: the guest gives pages back, which the host may use until the
 * guest takes them again. VIRTIO 1.2, 5.5. The monitor's `balloon` sets how large the guest's
 * memory shall be. */
#include <quern/balloon.h>
#include <quern/virtio.h>

enum {
	F_MUST_TELL_HOST = 0,
	F_STATS_VQ = 1,
	F_DEFLATE_ON_OOM = 2,
	F_REPORTING = 5,
	INFLATE = 0,
	DEFLATE = 1,
	STATS = 2,
	QUEUE_SIZE = 128,
	PAGE_SHIFT = 12,
	STAT_SIZE = 10,
	CONFIG_SIZE = 8,
	BATCH = 256,
};

struct vballoon {
	struct virtio_device virtio;
	bool deflate_on_oom, free_page_reporting;
	u32 pages;     /* that the guest shall give */
	u32 actual;    /* that it says it has given */
	u32 reporting; /* queue, 0 = none */
	struct virtio_req *stats;
	u64 stat[BALLOON_STATS];
	u64 stats_at; /* seconds since 1970 when they came; 0 = never */
	u32 interval; /* seconds between two questions, 0 = never */
	struct timer ask;
};

/* Lists of page numbers. Given pages lose their contents; taken ones need nothing: they are there
 * as soon as they are touched. */
static void pages(struct vballoon *d, unsigned n)
{
	struct virtio_req *r;
	u8 b[4 * BATCH];

	while ((r = virtq_pop(d, n))) {
		size_t got;

		for (size_t off = 0; (got = virtio_get(r, off, b, sizeof(b))) >= 4; off += got) {
			for (size_t i = 0; n == INFLATE && i + 4 <= got; i += 4)
				dev_discard(d, (u64)ld32le(b + i) << PAGE_SHIFT, 1u << PAGE_SHIFT);
			got &= ~(size_t)3;
		}
		trace(d, "pages", "queue=%u pages=%u", n, r->out_size / 4);
		virtq_push(r, 0);
	}
	virtq_notify(d, n);
}

/* Free page reporting: the buffers themselves are free memory. */
static void free_pages(struct vballoon *d)
{
	struct virtio_req *r;

	while ((r = virtq_pop(d, d->reporting))) {
		for (u32 i = 0; i < r->nin; i++)
			dev_discard(d, virtio_in_addr(r, i), r->in[i].iov_len);
		trace(d, "free", "bytes=%u", r->in_size);
		virtq_push(r, 0);
	}
	virtq_notify(d, d->reporting);
}

static void take_stats(struct vballoon *d)
{
	struct virtio_req *r = virtq_pop(d, STATS);
	u8 b[STAT_SIZE];

	if (!r)
		return;
	/* the driver hands over one buffer at a time, and gets it back as the next question */
	if (d->stats)
		virtq_push(d->stats, 0);
	d->stats = r;
	for (u32 off = 0; virtio_get(r, off, b, STAT_SIZE) == STAT_SIZE; off += STAT_SIZE)
		if (ld16le(b) < BALLOON_STATS)
			d->stat[ld16le(b)] = ld64le(b + 2);
	d->stats_at = clock_wall(d) / 1000000000;
	if (d->interval && !d->ask.deadline)
		timer_start(&d->ask, d->interval * 1000000000ull);
}

static void ask(void *dev)
{
	struct vballoon *d = dev;

	if (!d->stats)
		return;
	virtq_push(d->stats, 0);
	d->stats = NULL;
	virtq_notify(d, STATS);
}

static void queue(void *dev, unsigned n)
{
	struct vballoon *d = dev;

	if (n == STATS)
		take_stats(d);
	else if (n <= DEFLATE)
		pages(d, n);
	else
		free_pages(d);
}

static void get_config(void *dev, u8 *c)
{
	struct vballoon *d = dev;

	st32le(c, d->pages);
	st32le(c + 4, d->actual);
}

static void set_config(void *dev, const u8 *c, u32 off, u32 size)
{
	struct vballoon *d = dev;
	u32 was = d->actual;

	d->actual = ld32le(c + 4);
	if (off < 4)
		guest_error(d, "the wished size is read-only");
	if (was != d->actual)
		balloon_changed(d);
}

/* ---- for the monitor (quern/balloon.h) */

static void set_target(void *dev, u64 bytes)
{
	struct vballoon *d = dev;

	d->pages = bytes >> PAGE_SHIFT;
	virtio_config_changed(d);
}

static u64 given(const void *dev)
{
	return (u64)((const struct vballoon *)dev)->actual << PAGE_SHIFT;
}

static void stats(const void *dev, struct balloon_stats *s)
{
	const struct vballoon *d = dev;

	memcpy(s->value, d->stat, sizeof(d->stat));
	s->at = d->stats_at;
}

static void set_interval(void *dev, u32 seconds)
{
	struct vballoon *d = dev;

	d->interval = seconds;
	timer_stop(&d->ask);
	if (seconds)
		timer_start(&d->ask, seconds * 1000000000ull);
}

static const struct balloon_iface iface = {
	.set_target = set_target, .given = given, .stats = stats, .set_interval = set_interval
};

/* ---- life */

static int init(void *dev, struct error *e)
{
	struct vballoon *d = dev;

	for (unsigned i = INFLATE; i <= STATS; i++)
		virtio_add_queue(d, QUEUE_SIZE);
	if (d->free_page_reporting)
		d->reporting = virtio_add_queue(d, QUEUE_SIZE);
	virtio_offer(d, F_STATS_VQ, true);
	virtio_offer(d, F_DEFLATE_ON_OOM, d->deflate_on_oom);
	virtio_offer(d, F_REPORTING, d->free_page_reporting);
	return balloon_register(d, &iface, e);
}

static void reset(void *dev)
{
	struct vballoon *d = dev;

	if (d->stats)
		virtq_drop(d->stats);
	d->stats = NULL;
	timer_stop(&d->ask);
	d->actual = 0;
	d->stats_at = 0;
	memset(d->stat, 0xff, sizeof(d->stat));
}

static void queue_reset(void *dev, unsigned n)
{
	struct vballoon *d = dev;

	if (n == STATS && d->stats) {
		virtq_drop(d->stats);
		d->stats = NULL;
	}
}

static void fini(void *dev) { balloon_forget(dev); }

static const struct prop props[] = {
	PROP(struct vballoon, deflate_on_oom, .kind = PROP_BOOL,
	     .doc = "The guest may take pages back when it is out of memory."),
	PROP(struct vballoon, free_page_reporting, .kind = PROP_BOOL,
	     .doc = "The guest tells of free memory, which the host gets."),
	{}
};
static const struct state state[] = { STATE(struct vballoon, pages),
				      STATE(struct vballoon, actual),
				      DERIVED(struct vballoon, reporting),
				      DERIVED(struct vballoon, stats),
				      STATE(struct vballoon, stat),
				      STATE(struct vballoon, stats_at),
				      STATE(struct vballoon, interval),
				      TIMER(struct vballoon, ask, ask),
				      {} };

VIRTIO_DEVICE(vballoon,
	      .dev = { .name = "virtio-balloon",
		       .doc = "Memory balloon",
		       .bus = "virtio",
		       .size = sizeof(struct vballoon),
		       .props = props,
		       .state = state,
		       .init = init,
		       .reset = reset,
		       .fini = fini },
	      .id = 5, .legacy_id = 0x1002, .config_size = CONFIG_SIZE, .get_config = get_config,
	      .set_config = set_config, .queue = queue, .queue_reset = queue_reset);
