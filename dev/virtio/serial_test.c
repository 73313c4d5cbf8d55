/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serial_test.c - ports of a virtio serial device: control messages and data. */
#include "bus/vdrv.h"
#include "core/chardev.h"
#include "lib/error.h"
#include "lib/test.h"
#include <stdio.h>

enum { F_MULTIPORT = 1, CONTROL_IN = 2, CONTROL_OUT = 3 };
enum {
	DEVICE_READY,
	DEVICE_ADD,
	DEVICE_REMOVE,
	PORT_READY,
	CONSOLE_PORT,
	RESIZE,
	PORT_OPEN,
	PORT_NAME
};

struct fixture {
	struct vdrv *v;
	struct chardev *c;
	u32 in[8]; /* buffers of control_in, in order */
	unsigned next;
};

static unsigned events;
static char last[128];

static void event(struct machine *m, const char *name, const char *json)
{
	events++;
	snprintf(last, sizeof(last), "%s %s", name, json);
}

static void setup(struct fixture *f)
{
	struct machine *m;
	struct error e = { 0 };

	f->next = 0;
	f->v = vdrv_new("virtio-serial-pci", NULL, 0);
	m = tdev_machine(f->v->t);
	m->event = event;
	f->c = chardev_ringbuf(m, "back", 1024, &e);
	CHECK(f->c);
	CHECK(device_make(m, "virtserialport", "port", "chardev=back,name=org.test.0", &e));
	CHECK(device_make(m, "virtconsole", "console", NULL, &e));
	vdrv_start(f->v, BIT64(F_MULTIPORT));
	for (unsigned i = 0; i < 8; i++) {
		f->in[i] = vdrv_alloc(f->v, 64);
		vdrv_add(f->v, CONTROL_IN, &(struct vdrv_buf){ f->in[i], 64, true }, 1, false);
	}
	vdrv_kick(f->v, CONTROL_IN);
}

static void tell(struct fixture *f, u32 port, u16 what, u16 value)
{
	u32 at = vdrv_alloc(f->v, 8), len;
	u8 *b = vdrv_mem(f->v, at);
	u16 id;

	st32le(b, port);
	st16le(b + 4, what);
	st16le(b + 6, value);
	vdrv_add(f->v, CONTROL_OUT, &(struct vdrv_buf){ at, 8 }, 1, false);
	vdrv_kick(f->v, CONTROL_OUT);
	CHECK(vdrv_used(f->v, CONTROL_OUT, &id, &len));
}

static const char *hears(struct fixture *f, u32 port, u16 what, u16 value)
{
	const u8 *b = vdrv_mem(f->v, f->in[f->next]);
	u32 len;
	u16 id;

	CHECK(vdrv_used(f->v, CONTROL_IN, &id, &len));
	CHECK_EQ(id, f->next++);
	CHECK_EQ(ld32le(b), port);
	CHECK_EQ(ld16le(b + 4), what);
	CHECK_EQ(ld16le(b + 6), value);
	CHECK(len >= 8);
	return (const char *)b + 8;
}

TEST(virtio_serial_ports_introduce_themselves)
{
	struct fixture f;
	u32 len;
	u16 id;

	setup(&f);
	CHECK_EQ(vdrv_config(f.v, 4, 4), 31);
	tell(&f, 0, DEVICE_READY, 1);
	hears(&f, 0, DEVICE_ADD, 1);
	hears(&f, 1, DEVICE_ADD, 1);
	tell(&f, 0, PORT_READY, 1);
	hears(&f, 0, CONSOLE_PORT, 1);
	hears(&f, 0, PORT_OPEN, 1);
	tell(&f, 1, PORT_READY, 1);
	CHECK_STR(hears(&f, 1, PORT_NAME, 1), "org.test.0");
	hears(&f, 1, PORT_OPEN, 1);
	CHECK(!vdrv_used(f.v, CONTROL_IN, &id, &len));
	events = 0;
	tell(&f, 1, PORT_OPEN, 1);
	CHECK_EQ(events, 1);
	CHECK_STR(last, "VSERPORT_CHANGE {\"id\": \"port\", \"open\": true}");
	vdrv_status(f.v, 0);
	CHECK_EQ(events, 2);
	CHECK_STR(last, "VSERPORT_CHANGE {\"id\": \"port\", \"open\": false}");
	vdrv_free(f.v);
}

TEST(virtio_serial_carries_data)
{
	struct fixture f;
	u32 at, len;
	u8 got[16];
	u16 id;

	setup(&f);
	at = vdrv_alloc(f.v, 64);
	vdrv_add(f.v, 4, &(struct vdrv_buf){ at, 3, true }, 1, false);
	vdrv_kick(f.v, 4);
	/* the guest's side is closed: what comes waits */
	CHECK_EQ(chardev_can_receive(f.c), 0);
	tell(&f, 1, PORT_OPEN, 1);
	CHECK_EQ(chardev_can_receive(f.c), 3);
	chardev_receive(f.c, (const u8 *)"abc", 3);
	CHECK(vdrv_used(f.v, 4, &id, &len));
	CHECK_EQ(len, 3);
	CHECK_MEM(vdrv_mem(f.v, at), "abc", 3);
	CHECK_EQ(chardev_can_receive(f.c), 0);
	memcpy(vdrv_mem(f.v, at + 16), "to the host", 11);
	vdrv_add(f.v, 5, (struct vdrv_buf[]){ { at + 16, 4 }, { at + 20, 7 } }, 2, false);
	vdrv_kick(f.v, 5);
	CHECK(vdrv_used(f.v, 5, &id, &len));
	CHECK_EQ(len, 0);
	CHECK_EQ(ringbuf_read(f.c, got, sizeof(got)), 11);
	CHECK_MEM(got, "to the host", 11);
	vdrv_free(f.v);
}
