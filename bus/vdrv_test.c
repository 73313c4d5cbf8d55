/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vdrv_test.c - the driver of vdrv.h. */
#include "bus/vdrv.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include "lib/test.h"
#include <stdio.h>

enum { MEMORY = 0x10000, DEVICE_AREA = 0x2000, NOTIFY_AREA = 0x3000, CONFIG_AREA = 0x100 };

static bool packed(const struct vdrv *v) { return v->features >> VIRTIO_F_RING_PACKED & 1; }

void *vdrv_mem(struct vdrv *v, u32 at) { return tdev_ram(v->t, at); }

u32 vdrv_alloc(struct vdrv *v, u32 n)
{
	u32 at = v->next;

	v->next = ALIGN_UP(v->next + n, 16u);
	CHECK(v->next <= 1u << 20);
	memset(vdrv_mem(v, at), 0, n);
	return at;
}

void vdrv_status(struct vdrv *v, u8 status)
{
	if (v->mmio)
		tdev_w32(v->t, "Status", status);
	else
		tdev_w8(v->t, "device_status", status);
}

u8 vdrv_get_status(struct vdrv *v)
{
	return v->mmio ? tdev_r32(v->t, "Status") : tdev_r8(v->t, "device_status");
}

bool vdrv_negotiate(struct vdrv *v, u64 features)
{
	const char *const select[] = { "device_feature_select", "DeviceFeaturesSel" },
			  *const offered[] = { "device_feature", "DeviceFeatures" },
			  *const dselect[] = { "driver_feature_select", "DriverFeaturesSel" },
			  *const take[] = { "driver_feature", "DriverFeatures" };

	vdrv_status(v, 0);
	vdrv_status(v, 1 | 2);
	v->offered = 0;
	for (unsigned w = 0; w < 2; w++) {
		tdev_w32(v->t, select[v->mmio], w);
		v->offered |= (u64)tdev_r32(v->t, offered[v->mmio]) << w * 32;
	}
	v->features = features;
	for (unsigned w = 0; w < 2; w++) {
		tdev_w32(v->t, dselect[v->mmio], w);
		tdev_w32(v->t, take[v->mmio], v->features >> w * 32);
	}
	vdrv_status(v, 1 | 2 | 8);
	return vdrv_get_status(v) & 8;
}

static void set_address(struct vdrv *v, unsigned which, u32 addr)
{
	const char *const names[] = { "QueueDesc", "QueueDriver", "QueueDevice" };
	char name[32];

	for (unsigned half = 0; half < 2; half++) {
		if (v->mmio)
			snprintf(name, sizeof(name), "%s[%u]", names[which], half);
		else
			snprintf(name, sizeof(name), "queue_address[%u]", which * 2 + half);
		tdev_w32(v->t, name, half ? 0 : addr);
	}
}

static void setup_queue(struct vdrv *v, unsigned n)
{
	struct vdrv_queue *q = &v->q[n];

	*q = (struct vdrv_queue){ .desc = vdrv_alloc(v, 16 * VDRV_SIZE),
				  .driver = vdrv_alloc(v, 6 + 2 * VDRV_SIZE),
				  .device = vdrv_alloc(v, 6 + 8 * VDRV_SIZE),
				  .avail_wrap = true,
				  .used_wrap = true };
	if (v->mmio) {
		tdev_w32(v->t, "QueueNum", VDRV_SIZE);
	} else {
		tdev_w16(v->t, "queue_size", VDRV_SIZE);
		tdev_w16(v->t, "queue_msix_vector", n + 1);
	}
	set_address(v, 0, q->desc);
	set_address(v, 1, q->driver);
	set_address(v, 2, q->device);
	if (v->mmio)
		tdev_w32(v->t, "QueueReady", 1);
	else
		tdev_w16(v->t, "queue_enable", 1);
}

void vdrv_setup(struct vdrv *v)
{
	v->nq = 0;
	if (!v->mmio)
		tdev_w16(v->t, "config_msix_vector", 0);
	for (unsigned n = 0; n < VDRV_QUEUES; n++) {
		u32 max;

		if (v->mmio)
			tdev_w32(v->t, "QueueSel", n);
		else
			tdev_w16(v->t, "queue_select", n);
		max = v->mmio ? tdev_r32(v->t, "QueueNumMax") : tdev_r16(v->t, "queue_size");
		if (max < VDRV_SIZE)
			break;
		setup_queue(v, n);
		v->nq++;
	}
}

void vdrv_start(struct vdrv *v, u64 features)
{
	v->next = MEMORY;
	CHECK(vdrv_negotiate(v, features | BIT64(VIRTIO_F_VERSION_1)));
	vdrv_setup(v);
	vdrv_status(v, 1 | 2 | 8 | 4);
	CHECK_EQ(vdrv_get_status(v), 15);
}

struct vdrv *vdrv_new(const char *class, const char *props, u64 features)
{
	struct vdrv *v = NEW(struct vdrv);

	v->t = tdev_new_props(class, props);
	v->mmio = str_suffix(tdev_device(v->t)->class->name, "-device");
	v->next = MEMORY;
	vdrv_start(v, features);
	return v;
}

void vdrv_free(struct vdrv *v)
{
	tdev_free(v->t);
	free(v);
}

static void put_desc(u8 *at, const struct vdrv_buf *b, u16 flags, u16 last)
{
	st64le(at, b->at);
	st32le(at + 8, b->n);
	st16le(at + 12, flags);
	st16le(at + 14, last);
}

static u16 add_split(struct vdrv *v, struct vdrv_queue *q, const struct vdrv_buf *b, unsigned n)
{
	u16 head = q->free, i = head;
	u8 *ring = vdrv_mem(v, q->driver);

	for (unsigned k = 0; k < n; k++) {
		u16 next = (i + 1) % VDRV_SIZE;
		u16 flags = (b[k].write ? 2 : 0) | (k + 1 < n ? 1 : 0);

		put_desc((u8 *)vdrv_mem(v, q->desc) + 16 * i, &b[k], flags, next);
		i = next;
	}
	q->free = i;
	st16le(ring + 4 + 2 * (q->avail % VDRV_SIZE), head);
	q->avail++;
	st16le(ring + 2, q->avail);
	return head;
}

static u16 add_packed(struct vdrv *v, struct vdrv_queue *q, const struct vdrv_buf *b, unsigned n)
{
	u16 id = q->avail, first = 0;
	u8 *head = (u8 *)vdrv_mem(v, q->desc) + 16 * q->avail;

	for (unsigned k = 0; k < n; k++) {
		u16 flags = (b[k].write ? 2 : 0) | (k + 1 < n ? 1 : 0) |
			    (q->avail_wrap ? 1u << 7 : 1u << 15);

		put_desc((u8 *)vdrv_mem(v, q->desc) + 16 * q->avail, &b[k], id, k ? flags : 0);
		if (!k)
			first = flags;
		if (++q->avail == VDRV_SIZE) {
			q->avail = 0;
			q->avail_wrap = !q->avail_wrap;
		}
	}
	st16le(head + 14, first);
	return id;
}

static struct vdrv_buf make_table(struct vdrv *v, const struct vdrv_buf *b, unsigned n)
{
	struct vdrv_buf table = { .at = vdrv_alloc(v, 16 * n), .n = 16 * n };

	for (unsigned k = 0; k < n; k++) {
		u16 w = b[k].write ? 2 : 0;
		u8 *at = (u8 *)vdrv_mem(v, table.at) + 16 * k;

		if (packed(v))
			put_desc(at, &b[k], 0, w);
		else
			put_desc(at, &b[k], w | (k + 1 < n ? 1 : 0), k + 1);
	}
	return table;
}

u16 vdrv_add(struct vdrv *v, unsigned n, const struct vdrv_buf *b, unsigned nbufs, bool indirect)
{
	struct vdrv_queue *q = &v->q[n];
	struct vdrv_buf table;
	u8 *desc;
	u16 id;

	if (!indirect)
		return packed(v) ? add_packed(v, q, b, nbufs) : add_split(v, q, b, nbufs);
	table = make_table(v, b, nbufs);
	desc = (u8 *)vdrv_mem(v, q->desc) + 16 * (packed(v) ? q->avail : q->free);
	id = packed(v) ? add_packed(v, q, &table, 1) : add_split(v, q, &table, 1);
	desc += packed(v) ? 14 : 12;
	st16le(desc, ld16le(desc) | 4);
	return id;
}

void vdrv_kick(struct vdrv *v, unsigned q)
{
	if (v->mmio)
		tdev_w32(v->t, "QueueNotify", q);
	else
		tdev_write_at(v->t, 0, NOTIFY_AREA + 4 * q, 2, q);
}

static bool used_packed(struct vdrv *v, struct vdrv_queue *q, u16 *id, u32 *len)
{
	const u8 *desc = (u8 *)vdrv_mem(v, q->desc) + 16 * q->used;
	u16 flags = ld16le(desc + 14), both = 1u << 7 | 1u << 15;

	if ((flags & both) != (q->used_wrap ? both : 0))
		return false;
	*id = ld16le(desc + 12);
	*len = ld32le(desc + 8);
	return true;
}

bool vdrv_used(struct vdrv *v, unsigned n, u16 *id, u32 *len)
{
	struct vdrv_queue *q = &v->q[n];
	const u8 *ring = vdrv_mem(v, q->device);

	if (packed(v)) {
		/* tests with packed rings use one descriptor for a request, or a table */
		if (!used_packed(v, q, id, len))
			return false;
		if (++q->used == VDRV_SIZE) {
			q->used = 0;
			q->used_wrap = !q->used_wrap;
		}
		return true;
	}
	if (ld16le(ring + 2) == q->used)
		return false;
	ring += 4 + 8 * (q->used++ % VDRV_SIZE);
	*id = ld32le(ring);
	*len = ld32le(ring + 4);
	return true;
}

u32 vdrv_config(struct vdrv *v, u32 off, unsigned size)
{
	return tdev_read_at(v->t, 0, (v->mmio ? CONFIG_AREA : DEVICE_AREA) + off, size);
}

void vdrv_config_set(struct vdrv *v, u32 off, unsigned size, u32 val)
{
	tdev_write_at(v->t, 0, (v->mmio ? CONFIG_AREA : DEVICE_AREA) + off, size, val);
}
