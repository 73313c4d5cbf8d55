/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio_test.c - queues and transports, driven without a guest by a device that reverses bytes;
 * and what hostile drivers do. */
#include "bus/vdrv.h"
#include "bus/pci.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/hash.h"
#include "lib/str.h"
#include "lib/test.h"
#include <quern/virtio.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Writes what it reads, backwards, into what may be written; requests of queue 1 are held until
 * queue 2 is notified. */
struct vrev {
	struct virtio_device virtio;
	struct virtio_req *held[64];
	u32 nheld, resets;
};

static void answer(struct virtio_req *r)
{
	u32 n = MIN(r->out_size, r->in_size);
	u8 byte;

	for (u32 i = 0; i < n; i++) {
		virtio_get(r, r->out_size - 1 - i, &byte, 1);
		virtio_put(r, i, &byte, 1);
	}
	virtq_push(r, n);
}

static void vrev_queue(void *dev, unsigned n)
{
	struct vrev *d = dev;
	struct virtio_req *r;

	while (n != 1 && (r = virtq_pop(d, n)))
		answer(r);
	while (n == 1 && d->nheld < ARRAY_SIZE(d->held) && (r = virtq_pop(d, 1)))
		d->held[d->nheld++] = r;
	/* the last first */
	while (n == 2 && d->nheld)
		answer(d->held[--d->nheld]);
	virtq_notify(d, n);
	if (n == 2)
		virtq_notify(d, 1);
}

static int vrev_init(void *dev, struct error *e)
{
	for (unsigned i = 0; i < 3; i++)
		virtio_add_queue(dev, 64);
	return 0;
}

static void vrev_reset(void *dev)
{
	struct vrev *d = dev;

	while (d->nheld)
		virtq_drop(d->held[--d->nheld]);
	d->resets++;
}

static void vrev_config(void *dev, u8 *cfg) { st32le(cfg, 0x12345678); }

static void vrev_set_config(void *dev, const u8 *cfg, u32 off, u32 size)
{
	if (off == 4 && cfg[4] == 1)
		virtio_config_changed(dev);
}

static const struct state vrev_state[] = {
	DERIVED(struct vrev, held), DERIVED(struct vrev, nheld), DERIVED(struct vrev, resets), {}
};
VIRTIO_DEVICE(vrev,
	      .dev = { .name = "vrev",
		       .doc = "Reverses bytes, for tests",
		       .bus = "virtio",
		       .size = sizeof(struct vrev),
		       .state = vrev_state,
		       .init = vrev_init,
		       .reset = vrev_reset },
	      .id = 63, .legacy_id = 0x103f, .config_size = 8, .get_config = vrev_config,
	      .set_config = vrev_set_config, .queue = vrev_queue);

static const struct way {
	const char *class, *props;
	u64 features;
	bool indirect;
} ways[] = {
	{ "vrev-pci", NULL, 0, false },
	{ "vrev-pci", NULL, BIT64(VIRTIO_F_EVENT_IDX) | BIT64(VIRTIO_F_INDIRECT_DESC), true },
	{ "vrev-device", NULL, 0, false },
	{ "vrev-device", "packed=on", BIT64(VIRTIO_F_RING_PACKED) | BIT64(VIRTIO_F_INDIRECT_DESC),
	  true },
	{ "vrev-pci-non-transitional", "packed=on",
	  BIT64(VIRTIO_F_RING_PACKED) | BIT64(VIRTIO_F_INDIRECT_DESC) | BIT64(VIRTIO_F_EVENT_IDX),
	  true },
};

static void check_answer(struct vdrv *v, unsigned q, u16 want, u32 in, const char *text)
{
	u32 len = 0;
	u16 id = 0;

	CHECK(vdrv_used(v, q, &id, &len));
	CHECK_EQ(id, want);
	CHECK_EQ(len, strlen(text));
	CHECK_MEM(vdrv_mem(v, in), text, strlen(text));
}

/* Several times around the ring. */
TEST(virtio_rings_go_around)
{
	for (unsigned w = 0; w < ARRAY_SIZE(ways); w++) {
		struct vdrv *v = vdrv_new(ways[w].class, ways[w].props, ways[w].features);
		u32 out = vdrv_alloc(v, 64), in = vdrv_alloc(v, 64), start = v->next;

		CHECK_EQ(v->nq, 3);
		for (unsigned i = 0; i < 100; i++) {
			char text[8] = "abcdefg", back[8] = "gfedcba";
			const struct vdrv_buf bufs[] = {
				{ out, 3 }, { out + 3, 4 }, { in, 1, true }, { in + 1, 30, true }
			};
			u16 id;

			text[0] = back[6] = 'A' + i % 26;
			memcpy(vdrv_mem(v, out), text, 7);
			memset(vdrv_mem(v, in), 0, 64);
			id = vdrv_add(v, 0, bufs, 4, ways[w].indirect);
			vdrv_kick(v, 0);
			check_answer(v, 0, id, in, back);
			v->next = start;
		}
		/* a pin that nobody releases stays up */
		CHECK_EQ(tdev_irqs(v->t, v->mmio ? 0 : 1),
			 v->mmio				      ? 1 :
			 ways[w].features & BIT64(VIRTIO_F_EVENT_IDX) ? tdev_irqs(v->t, 1) :
									100);
		vdrv_free(v);
	}
}

TEST(virtio_completes_out_of_order)
{
	for (unsigned w = 0; w < ARRAY_SIZE(ways); w++) {
		struct vdrv *v = vdrv_new(ways[w].class, ways[w].props, ways[w].features);
		u32 mem = vdrv_alloc(v, 64);
		u16 id[3];

		for (unsigned i = 0; i < 3; i++) {
			const struct vdrv_buf bufs[] = { { mem + i, 1 },
							 { mem + 16 + i, 1, true } };

			*(char *)vdrv_mem(v, mem + i) = 'a' + i;
			id[i] = vdrv_add(v, 1, bufs, 2, ways[w].indirect);
		}
		vdrv_kick(v, 1);
		CHECK(!vdrv_used(v, 1, &id[0], &(u32){ 0 }));
		vdrv_kick(v, 2);
		check_answer(v, 1, id[2], mem + 18, "c");
		check_answer(v, 1, id[1], mem + 17, "b");
		check_answer(v, 1, id[0], mem + 16, "a");
		vdrv_free(v);
	}
}

TEST(virtio_reset_forgets_requests)
{
	struct vdrv *v = vdrv_new("vrev-pci", NULL, 0);
	u32 mem = vdrv_alloc(v, 64);
	const struct vdrv_buf bufs[] = { { mem, 1 }, { mem + 16, 1, true } };
	u32 len;
	u16 id;

	vdrv_add(v, 1, bufs, 2, false);
	vdrv_kick(v, 1);
	vdrv_start(v, 0);
	vdrv_kick(v, 2);
	CHECK(!vdrv_used(v, 1, &id, &len));
	/* one queue of it */
	vdrv_start(v, BIT64(VIRTIO_F_RING_RESET));
	vdrv_add(v, 1, bufs, 2, false);
	vdrv_kick(v, 1);
	tdev_w16(v->t, "queue_select", 1);
	tdev_w16(v->t, "queue_reset", 1);
	CHECK_EQ(tdev_r16(v->t, "queue_enable"), 0);
	vdrv_kick(v, 2);
	CHECK(!vdrv_used(v, 1, &id, &len));
	CHECK_EQ(vdrv_get_status(v), 15);
	vdrv_free(v);
}

TEST(virtio_features_are_checked)
{
	struct vdrv *v = vdrv_new("vrev-pci", NULL, 0);

	CHECK_EQ(v->offered >> VIRTIO_F_VERSION_1 & 1, 1);
	CHECK_EQ(v->offered >> VIRTIO_F_RING_PACKED & 1, 0);
	CHECK(!vdrv_negotiate(v, 0));
	CHECK(!vdrv_negotiate(v, BIT64(VIRTIO_F_VERSION_1) | BIT64(VIRTIO_F_RING_PACKED)));
	CHECK(vdrv_negotiate(v, BIT64(VIRTIO_F_VERSION_1)));
	vdrv_free(v);
	v = vdrv_new("vrev-device", "event_idx=off,indirect_desc=off,packed=on,queue_reset=off", 0);
	CHECK_EQ(v->offered, BIT64(VIRTIO_F_VERSION_1) | BIT64(VIRTIO_F_RING_PACKED));
	vdrv_free(v);
}

TEST(virtio_configuration)
{
	struct vdrv *v = vdrv_new("vrev-pci", NULL, 0);
	unsigned generation = tdev_r8(v->t, "config_generation");

	CHECK_EQ(vdrv_config(v, 0, 4), 0x12345678);
	CHECK_EQ(vdrv_config(v, 1, 1), 0x56);
	CHECK_EQ(vdrv_config(v, 2, 2), 0x1234);
	CHECK_EQ(vdrv_config(v, 8, 4), 0);
	CHECK_EQ(tdev_irqs(v->t, 0), 0);
	vdrv_config_set(v, 4, 1, 1);
	CHECK_EQ(tdev_irqs(v->t, 0), 1);
	CHECK(tdev_r8(v->t, "config_generation") != generation);
	vdrv_free(v);
}

/* ---- drivers from before 1.0 */

TEST(virtio_legacy_ports)
{
	struct tdev *t = tdev_new("vrev-pci");
	u8 *desc = tdev_ram(t, 0x4000), *ring = desc + 16 * 64, *used = tdev_ram(t, 0x5000);

	CHECK_EQ(pci_config((struct pci_device *)tdev_device(t))[8], 0);
	tdev_w8(t, "legacy_status", 0);
	tdev_w8(t, "legacy_status", 3);
	CHECK(tdev_r32(t, "legacy_host_features") & BIT(VIRTIO_F_ANY_LAYOUT));
	tdev_w32(t, "legacy_guest_features", 0);
	tdev_w16(t, "legacy_queue_select", 0);
	CHECK_EQ(tdev_r16(t, "legacy_queue_size"), 64);
	tdev_w32(t, "legacy_queue_pfn", 4);
	CHECK_EQ(tdev_r32(t, "legacy_queue_pfn"), 4);
	/* with MSI-X there are two more registers, then the configuration */
	tdev_write_at(t, 1, 0x16, 2, 1);
	CHECK_EQ(tdev_read_at(t, 1, 0x16, 2), 1);
	CHECK_EQ(tdev_read_at(t, 1, 0x18, 4), 0x12345678);
	tdev_w8(t, "legacy_status", 7);
	memcpy(tdev_ram(t, 0x8000), "xyz", 3);
	st64le(desc, 0x8000);
	st32le(desc + 8, 3);
	st16le(desc + 12, 1);
	st16le(desc + 14, 1);
	st64le(desc + 16, 0x9000);
	st32le(desc + 24, 3);
	st16le(desc + 28, 2);
	st16le(ring + 2, 1);
	tdev_w16(t, "legacy_queue_notify", 0);
	CHECK_EQ(ld16le(used + 2), 1);
	CHECK_MEM(tdev_ram(t, 0x9000), "zyx", 3);
	CHECK_EQ(tdev_irqs(t, 1), 1);
	tdev_free(t);
}

TEST(virtio_pci_forms)
{
	struct {
		const char *class, *props;
		unsigned device, revision;
		bool legacy;
	} forms[] = {
		{ "vrev-pci", NULL, 0x103f, 0, true },
		{ "vrev-pci", "disable-legacy=on", 0x107f, 1, false },
		{ "vrev-pci-transitional", NULL, 0x103f, 0, true },
		{ "vrev-pci-non-transitional", NULL, 0x107f, 1, false },
		{ "vrev", NULL, 0x103f, 0, true },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tdev *t = tdev_new_props(forms[i].class, forms[i].props);
		struct pci_device *p = (struct pci_device *)tdev_device(t);
		const u8 *cfg = pci_config(p);

		CHECK_EQ(ld16le(cfg), 0x1af4);
		CHECK_EQ(ld16le(cfg + 2), forms[i].device);
		CHECK_EQ(cfg[8], forms[i].revision);
		CHECK_EQ(ld32le(cfg + 0x10) & 1, forms[i].legacy);
		CHECK_EQ(ld32le(cfg + 0x20) & 0xf, 0xc);
		tdev_free(t);
	}
}

/* VIRTIO 1.2, 4.1.4.9: without any BAR, through configuration space. */
TEST(virtio_window_in_configuration_space)
{
	struct vdrv *v = vdrv_new("vrev-pci", NULL, 0);
	struct pci_device *p = (struct pci_device *)tdev_device(v->t);
	u8 *cfg = pci_config(p), *cap = NULL;

	for (unsigned at = cfg[0x34]; at; at = cfg[at + 1])
		if (cfg[at] == 9 && cfg[at + 3] == 5)
			cap = cfg + at;
	CHECK(cap != NULL);
	pci_config_access(tdev_pci(v->t), 0, 0, cap - cfg + 4, 1, true, 4);
	pci_config_access(tdev_pci(v->t), 0, 0, cap - cfg + 8, 4, true, 0x2000);
	pci_config_access(tdev_pci(v->t), 0, 0, cap - cfg + 12, 4, true, 4);
	CHECK_EQ(pci_config_access(tdev_pci(v->t), 0, 0, cap - cfg + 16, 4, false, 0), 0x12345678);
	pci_config_access(tdev_pci(v->t), 0, 0, cap - cfg + 8, 4, true, 0x14);
	pci_config_access(tdev_pci(v->t), 0, 0, cap - cfg + 12, 4, true, 1);
	pci_config_access(tdev_pci(v->t), 0, 0, cap - cfg + 16, 1, true, 0);
	CHECK_EQ(vdrv_get_status(v), 0);
	vdrv_free(v);
}

/* ---- hostile drivers */

static void put(struct vdrv *v, unsigned i, u64 addr, u32 len, u16 flags, u16 next)
{
	u8 *d = (u8 *)vdrv_mem(v, v->q[0].desc) + 16 * i;

	st64le(d, addr);
	st32le(d + 8, len);
	st16le(d + 12, flags);
	st16le(d + 14, next);
}

/* After what `make` did to queue 0, a notification breaks the device, which a reset repairs. */
static void breaks(const char *what, void (*make)(struct vdrv *v))
{
	struct vdrv *v = vdrv_new("vrev-pci", NULL, BIT64(VIRTIO_F_INDIRECT_DESC));
	u8 *ring = vdrv_mem(v, v->q[0].driver);
	u32 out, in;

	st16le(ring + 2, 1);
	make(v);
	vdrv_kick(v, 0);
	if (vdrv_get_status(v) != (15 | 64))
		test_fail(__FILE__, __LINE__, "%s: status %#x", what, vdrv_get_status(v));
	CHECK_EQ(tdev_irqs(v->t, 0), 1);
	vdrv_kick(v, 0);
	CHECK_EQ(tdev_irqs(v->t, 0), 1);
	vdrv_start(v, 0);
	out = vdrv_alloc(v, 16);
	in = vdrv_alloc(v, 16);
	memcpy(vdrv_mem(v, out), "ab", 2);
	vdrv_add(v, 0, (struct vdrv_buf[]){ { out, 2 }, { in, 2, true } }, 2, false);
	vdrv_kick(v, 0);
	check_answer(v, 0, 0, in, "ba");
	vdrv_free(v);
}

static void loop(struct vdrv *v)
{
	put(v, 0, 0x100, 1, 1, 1);
	put(v, 1, 0x100, 1, 1, 0);
}
static void past_memory(struct vdrv *v) { put(v, 0, 0xfff00, 0x200, 2, 0); }
static void far_away(struct vdrv *v) { put(v, 0, ~0ull - 1, 0x200, 2, 0); }
static void huge(struct vdrv *v)
{
	put(v, 0, 0, 0x100000, 3, 1);
	put(v, 1, 0, ~0u, 2, 0);
}
static void own_registers(struct vdrv *v)
{
	put(v, 0, ld32le(pci_config((struct pci_device *)tdev_device(v->t)) + 0x20) & ~15u, 16, 2,
	    0);
}
static void empty_buffer(struct vdrv *v) { put(v, 0, 0x100, 0, 2, 0); }
static void bad_head(struct vdrv *v) { st16le((u8 *)vdrv_mem(v, v->q[0].driver) + 4, 99); }
static void bad_next(struct vdrv *v) { put(v, 0, 0x100, 1, 1, 16); }
static void bad_index(struct vdrv *v) { st16le((u8 *)vdrv_mem(v, v->q[0].driver) + 2, 17); }
static void wrong_order(struct vdrv *v)
{
	put(v, 0, 0x100, 1, 3, 1);
	put(v, 1, 0x100, 1, 0, 0);
}
static void odd_table(struct vdrv *v) { put(v, 0, 0x100, 17, 4, 0); }
static void table_nowhere(struct vdrv *v) { put(v, 0, 0x40000000, 16, 4, 0); }
static void table_chained(struct vdrv *v) { put(v, 0, 0x100, 16, 5, 1); }
static void table_loops(struct vdrv *v)
{
	u8 *d = vdrv_mem(v, 0x200);

	put(v, 0, 0x200, 16, 4, 0);
	memset(d, 0, 16);
	st64le(d, 0x100);
	st32le(d + 8, 1);
	st16le(d + 12, 1);
}
static void table_nests(struct vdrv *v)
{
	table_loops(v);
	st16le((u8 *)vdrv_mem(v, 0x20c), 4);
}

TEST(virtio_survives_hostile_queues)
{
#define BREAKS(f) breaks(#f, f)
	BREAKS(loop);
	BREAKS(past_memory);
	BREAKS(far_away);
	BREAKS(huge);
	BREAKS(own_registers);
	BREAKS(empty_buffer);
	BREAKS(bad_head);
	BREAKS(bad_next);
	BREAKS(bad_index);
	BREAKS(wrong_order);
	BREAKS(odd_table);
	BREAKS(table_nowhere);
	BREAKS(table_chained);
	BREAKS(table_loops);
	BREAKS(table_nests);
}

TEST(virtio_ring_outside_memory)
{
	struct vdrv *v = vdrv_new("vrev-device", NULL, 0);

	vdrv_negotiate(v, BIT64(VIRTIO_F_VERSION_1));
	tdev_w32(v->t, "QueueSel", 0);
	tdev_w32(v->t, "QueueNum", 16);
	tdev_w32(v->t, "QueueDesc[0]", 0xffff0);
	tdev_w32(v->t, "QueueReady", 1);
	vdrv_status(v, 15);
	CHECK_EQ(vdrv_get_status(v), 15 | 64);
	vdrv_free(v);
}

TEST(virtio_dma_needs_bus_mastering)
{
	struct vdrv *v = vdrv_new("vrev-pci", NULL, 0);
	u32 mem = vdrv_alloc(v, 16), len;
	u16 id;

	vdrv_add(v, 0, (struct vdrv_buf[]){ { mem, 2, true } }, 1, false);
	pci_config_access(tdev_pci(v->t), 0, 0, 4, 2, true, 3);
	vdrv_kick(v, 0);
	CHECK(!vdrv_used(v, 0, &id, &len));
	pci_config_access(tdev_pci(v->t), 0, 0, 4, 2, true, 7);
	vdrv_kick(v, 0);
	CHECK(vdrv_used(v, 0, &id, &len));
	vdrv_free(v);
}

/* ---- memory of queues at random */

static u64 seed;
static u64 rnd(void) { return hash_u64(++seed); }

static u64 some_address(void)
{
	static const u64 odd[] = { 0,	       0xfffff,	   0x100000,   0xfeb00050,
				   0xc0000000, 0xfee00000, ~0ull - 15, 1ull << 63 };

	return rnd() % 8 ? rnd() % 0x20000 : odd[rnd() % ARRAY_SIZE(odd)];
}

static void scribble(struct vdrv *v)
{
	for (unsigned n = 0; n < v->nq; n++) {
		struct vdrv_queue *q = &v->q[n];
		u8 *desc = vdrv_mem(v, q->desc), *ring = vdrv_mem(v, q->driver);

		for (unsigned i = 0; i < VDRV_SIZE; i++) {
			if (rnd() % 2)
				continue;
			st64le(desc + 16 * i, some_address());
			st32le(desc + 16 * i + 8, rnd() % 8 ? rnd() % 256 : rnd());
			st16le(desc + 16 * i + 12, rnd() % 8 ? rnd() % 4 : rnd());
			st16le(desc + 16 * i + 14, rnd() % 2 ? rnd() % VDRV_SIZE : rnd() & 0x8087);
			st16le(ring + 4 + 2 * i, rnd() % 16 ? rnd() % VDRV_SIZE : rnd());
		}
		st16le(ring, rnd() % 4);
		st16le(ring + 2, ld16le(ring + 2) + (rnd() % 8 ? rnd() % 4 : rnd()));
	}
}

static void fuzz(const char *class, const char *props, u64 features, unsigned rounds)
{
	struct vdrv *v = vdrv_new(class, props, 0);

	while (rounds--) {
		u64 take = rnd() & v->offered;

		take &= features | ~BIT64(VIRTIO_F_RING_PACKED);
		v->next = 0x10000;
		if (vdrv_negotiate(v, take | BIT64(VIRTIO_F_VERSION_1))) {
			vdrv_setup(v);
			vdrv_status(v, 15);
		}
		for (unsigned i = 0; i < 20 && !(vdrv_get_status(v) & 64); i++) {
			scribble(v);
			vdrv_kick(v, rnd() % VDRV_QUEUES);
			if (rnd() % 4 == 0)
				tdev_run_us(v->t, rnd() % 1000);
		}
	}
	vdrv_free(v);
}

/* Every virtio class that works without anything behind it; each in a process of its own. */
static void fuzz_class(void *arg, const struct device_class *c)
{
	bool virtio = false;
	int status;
	pid_t pid;

	for (const struct prop *p = c->props; p && p->name; p++)
		virtio |= str_eq(p->name, "packed");
	if (!virtio || !(str_suffix(c->name, "-pci") || str_suffix(c->name, "-device")))
		return;
	fflush(NULL);
	pid = fork();
	if (!pid) {
		fuzz(c->name, NULL, 0, 200);
		fuzz(c->name, "packed=on", ~0ull, 200);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || (WEXITSTATUS(status) && WEXITSTATUS(status) != 77))
		test_fail(__FILE__, __LINE__, "%s: status %#x", c->name, status);
	++*(unsigned *)arg;
}

TEST_TIMED(virtio_survives_random_queues, 120)
{
	unsigned n = 0;

	device_class_each(fuzz_class, &n);
	CHECK(n >= 4);
}
