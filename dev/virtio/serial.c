/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serial.c - virtio console device with several ports, and the ports: virtconsole, which the guest
 * makes a console of, and virtserialport, a pipe with a name. VIRTIO 1.2, 5.3. Queues 0 and 1 are
 * port 0's, 2 and 3 carry control messages, 2n+2 and 2n+3 are port n's.
 */
#include <quern/virtio_serial.h>
#include <errno.h>
#include <stdio.h>

enum {
	F_MULTIPORT = 1,
	F_EMERG_WRITE = 2,
	PORTS = 31,
	DATA_SIZE = 128,
	CONTROL_SIZE = 32,
	CONTROL_IN = 2,
	CONTROL_OUT = 3,
	MESSAGE = 8, /* bytes of a control message without a name */
	WAITING = 256,
	RETRY_NS = 1000000,
};
/* Control messages (5.3.6.2). */
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

struct vport {
	struct device dev;
	struct chardev *chardev;
	char *name;
	u32 nr;
	struct timer retry;
	struct vserial *serial;
	struct virtio_req *out; /* what the back end did not take at once */
	u32 out_done;
	bool console, guest_open, host_open;
};
struct message {
	u32 port;
	u16 event, value;
};
struct vserial {
	struct virtio_device virtio;
	u32 max_ports;
	bool emergency_write;
	struct vport *port[PORTS];
	/* messages for which the driver has no buffer yet */
	struct message waiting[WAITING];
	u32 nwaiting;
};

static unsigned in_queue(const struct vport *p) { return p->nr ? 2 * p->nr + 2 : 0; }
static unsigned out_queue(const struct vport *p) { return in_queue(p) + 1; }

static struct vport *port_of_queue(struct vserial *d, unsigned n)
{
	unsigned nr = n < 2 ? 0 : n / 2 - 1;

	return nr < PORTS ? d->port[nr] : NULL;
}

/* ---- control messages */

static bool send_now(struct vserial *d, const struct message *m)
{
	const struct vport *p = m->port < PORTS ? d->port[m->port] : NULL;
	struct virtio_req *r = virtq_pop(d, CONTROL_IN);
	u8 b[MESSAGE];
	u32 n = MESSAGE;

	if (!r)
		return false;
	st32le(b, m->port);
	st16le(b + 4, m->event);
	st16le(b + 6, m->value);
	virtio_put(r, 0, b, MESSAGE);
	if (m->event == PORT_NAME && p && p->name)
		n += virtio_put(r, MESSAGE, p->name, strlen(p->name) + 1);
	trace(d, "control_in", "port=%u event=%u value=%u", m->port, m->event, m->value);
	virtq_push(r, n);
	return true;
}

static void send_waiting(struct vserial *d)
{
	u32 n = 0;

	while (n < d->nwaiting && send_now(d, &d->waiting[n]))
		n++;
	d->nwaiting -= n;
	memmove(d->waiting, d->waiting + n, d->nwaiting * sizeof(d->waiting[0]));
	virtq_notify(d, CONTROL_IN);
}

static void send(struct vserial *d, u32 port, u16 event, u16 value)
{
	if (!virtio_driver_ok(d) || !virtio_has(d, F_MULTIPORT))
		return;
	if (d->nwaiting == WAITING) {
		guest_error(d, "the driver gives no buffers for control messages: one is lost");
		return;
	}
	d->waiting[d->nwaiting++] = (struct message){ port, event, value };
	send_waiting(d);
}

/* ---- data */

/* The first and only port of a driver that knows no others is always open. */
static bool guest_listens(const struct vport *p)
{
	return virtio_driver_ok(p->serial) &&
	       (p->guest_open || !virtio_has(p->serial, F_MULTIPORT));
}

static int port_room(void *dev)
{
	struct vport *p = dev;

	return guest_listens(p) ? MIN(virtq_room(p->serial, in_queue(p), 4096), 4096u) : 0;
}

static void port_receive(void *dev, const u8 *buf, int n)
{
	struct vport *p = dev;
	struct virtio_req *r;

	while (n > 0 && (r = virtq_pop(p->serial, in_queue(p)))) {
		u32 done = virtio_put(r, 0, buf, n);

		virtq_push(r, done);
		buf += done;
		n -= done;
		if (!done)
			break;
	}
	virtq_notify(p->serial, in_queue(p));
}

/* How much of the request the back end has taken now; all of it when nobody listens. */
static bool write_out(struct vport *p, struct virtio_req *r)
{
	u32 skip = p->out_done;

	if (!p->chardev || !p->host_open)
		return true;
	for (u32 i = 0; i < r->nout; i++) {
		const struct iovec *v = &r->out[i];
		int want, took;

		if (skip >= v->iov_len) {
			skip -= v->iov_len;
			continue;
		}
		want = MIN(v->iov_len - skip, (size_t)1 << 20);
		took = chardev_write(p->chardev, (u8 *)v->iov_base + skip, want);
		p->out_done += MAX(took, 0);
		if (took < want)
			return false;
		if (skip + want < v->iov_len) {
			skip += want;
			i--;
			continue;
		}
		skip = 0;
	}
	return true;
}

static void flush_out(void *dev)
{
	struct vport *p = dev;
	unsigned n = out_queue(p);

	while (p->out || (p->out = virtq_pop(p->serial, n))) {
		if (!write_out(p, p->out)) {
			timer_start(&p->retry, RETRY_NS);
			break;
		}
		trace(p, "out", "bytes=%u", p->out->out_size);
		virtq_push(p->out, 0);
		p->out = NULL;
		p->out_done = 0;
	}
	virtq_notify(p->serial, n);
}

static void host_opens(struct vport *p, bool open)
{
	if (p->host_open == open)
		return;
	p->host_open = open;
	send(p->serial, p->nr, PORT_OPEN, open);
	if (!open)
		flush_out(p);
}

static void port_event(void *dev, int event)
{
	struct vport *p = dev;

	/* a console has somebody in front of it always */
	if (p->console)
		return;
	if (event == CHARDEV_OPENED)
		host_opens(p, true);
	else if (event == CHARDEV_CLOSED)
		host_opens(p, false);
}

static const struct chardev_user port_user = { .room = port_room,
					       .receive = port_receive,
					       .event = port_event };

static void guest_opens(struct vport *p, bool open)
{
	char json[128];

	if (p->guest_open == open)
		return;
	p->guest_open = open;
	trace(p, "guest_open", "open=%d", open);
	if (!p->console) {
		snprintf(json, sizeof(json), "{\"id\": \"%s\", \"open\": %s}", p->dev.id,
			 open ? "true" : "false");
		device_event(p, "VSERPORT_CHANGE", json);
	}
	if (open)
		chardev_room(p->chardev);
}

static void port_ready(struct vserial *d, struct vport *p)
{
	if (p->console)
		send(d, p->nr, CONSOLE_PORT, 1);
	if (p->name)
		send(d, p->nr, PORT_NAME, 1);
	if (p->host_open)
		send(d, p->nr, PORT_OPEN, 1);
}

static void control(struct vserial *d, const struct message *m)
{
	struct vport *p = m->port < PORTS ? d->port[m->port] : NULL;

	trace(d, "control_out", "port=%u event=%u value=%u", m->port, m->event, m->value);
	if (m->event == DEVICE_READY) {
		if (!m->value)
			guest_error(d, "the driver could not set up the device");
		for (u32 i = 0; m->value && i < PORTS; i++)
			if (d->port[i])
				send(d, i, DEVICE_ADD, 1);
		return;
	}
	if (!p) {
		guest_error(d, "control message %u for port %u, which is not there", m->event,
			    m->port);
		return;
	}
	switch (m->event) {
	case PORT_READY:
		if (m->value)
			port_ready(d, p);
		else
			guest_error(d, "the driver could not set up port %u", m->port);
		break;
	case PORT_OPEN:
		guest_opens(p, m->value);
		break;
	default:
		guest_error(d, "control message %u means nothing from a driver", m->event);
	}
}

static void take_control(struct vserial *d)
{
	struct virtio_req *r;
	u8 b[MESSAGE];

	while ((r = virtq_pop(d, CONTROL_OUT))) {
		size_t n = virtio_get(r, 0, b, MESSAGE);

		virtq_push(r, 0);
		if (n < MESSAGE)
			guest_error(d, "a control message of %zu bytes", n);
		else
			control(d, &(struct message){ ld32le(b), ld16le(b + 4), ld16le(b + 6) });
	}
	virtq_notify(d, CONTROL_OUT);
}

/* ---- the serial device */

static void queue(void *dev, unsigned n)
{
	struct vserial *d = dev;
	struct vport *p = port_of_queue(d, n);

	if (n == CONTROL_IN)
		send_waiting(d);
	else if (n == CONTROL_OUT)
		take_control(d);
	else if (p && (n & 1))
		flush_out(p);
	else if (p)
		chardev_room(p->chardev);
	else if (n & 1)
		for (struct virtio_req *r; (r = virtq_pop(d, n));)
			virtq_push(r, 0);
}

static void driver_ok(void *dev)
{
	struct vserial *d = dev;

	/* a driver without control queues has an open console */
	if (d->port[0] && !virtio_has(d, F_MULTIPORT))
		chardev_room(d->port[0]->chardev);
}

static void get_config(void *dev, u8 *cfg)
{
	struct vserial *d = dev;

	st32le(cfg + 4, d->max_ports);
}

static void set_config(void *dev, const u8 *cfg, u32 off, u32 size)
{
	struct vserial *d = dev;

	if (off == 8 && d->emergency_write && d->port[0] && d->port[0]->chardev)
		chardev_write(d->port[0]->chardev, cfg + 8, 1);
	else if (off != 8)
		guest_error(d, "configuration at %u is read-only", off);
}

static int serial_init(void *dev, struct error *e)
{
	struct vserial *d = dev;

	virtio_offer(d, F_MULTIPORT, d->max_ports > 1);
	virtio_offer(d, F_EMERG_WRITE, d->emergency_write);
	for (u32 i = 0; i <= d->max_ports; i++) {
		unsigned size = i == 1 ? CONTROL_SIZE : DATA_SIZE;

		virtio_add_queue(d, size);
		virtio_add_queue(d, size);
		if (d->max_ports == 1)
			break;
	}
	return 0;
}

static void forget(struct vport *p)
{
	timer_stop(&p->retry);
	if (p->out)
		virtq_drop(p->out);
	p->out = NULL;
	p->out_done = 0;
}

static void serial_reset(void *dev)
{
	struct vserial *d = dev;

	d->nwaiting = 0;
	for (u32 i = 0; i < PORTS; i++) {
		if (!d->port[i])
			continue;
		forget(d->port[i]);
		guest_opens(d->port[i], false);
	}
}

static void one_queue_reset(void *dev, unsigned n)
{
	struct vport *p = port_of_queue(dev, n);

	if (p && (n & 1))
		forget(p);
}

static unsigned serial_free(const void *serial)
{
	const struct vserial *d = serial;
	unsigned n = 0;

	for (u32 i = 0; i < d->max_ports; i++)
		n += !d->port[i];
	return n;
}

static const struct virtio_serial_iface iface = { .free = serial_free };

static const struct prop serial_props[] = {
	PROP(struct vserial, max_ports, .def = PORTS, .min = 1, .max = PORTS,
	     .doc = "How many ports it has room for."),
	PROP(struct vserial, emergency_write, .kind = PROP_BOOL, .def = 1,
	     .doc = "Offers a register that writes one character to port 0."),
	{}
};
static const struct state serial_state[] = { DERIVED(struct vserial, port),
					     STATE(struct vserial, waiting),
					     STATE(struct vserial, nwaiting),
					     {} };
VIRTIO_DEVICE(vserial,
	      .dev = { .name = "virtio-serial",
		       .doc = "Serial device with ports (virtconsole, virtserialport)",
		       .bus = "virtio",
		       .size = sizeof(struct vserial),
		       .props = serial_props,
		       .state = serial_state,
		       .init = serial_init,
		       .reset = serial_reset,
		       .iface = &iface },
	      .id = 3, .legacy_id = 0x1003, .pci_class = 0x078000, .vectors = PORTS + 1,
	      .config_size = 12, .get_config = get_config, .set_config = set_config, .queue = queue,
	      .driver_ok = driver_ok, .queue_reset = one_queue_reset);

/* ---- ports */

static int choose_number(struct vport *p, struct error *e)
{
	struct vserial *d = p->serial;
	u32 nr = p->nr;

	/* number 0 is kept for a console */
	if (nr == ~0u)
		for (nr = p->console && !d->port[0] ? 0 : 1; nr < d->max_ports && d->port[nr]; nr++)
			;
	if (nr >= d->max_ports)
		error_set(e, "port '%s': there is no number %u: the device has %u ports", p->dev.id,
			  nr, d->max_ports);
	else if (d->port[nr])
		error_set(e, "port '%s': number %u is taken by '%s'", p->dev.id, nr,
			  d->port[nr]->dev.id);
	else if (!nr && !p->console)
		error_set(e, "port '%s': number 0 is for a virtconsole", p->dev.id);
	else {
		p->nr = nr;
		return 0;
	}
	return -EINVAL;
}

static int port_init(struct vport *p, bool console, struct error *e)
{
	int err;

	p->serial = virtio_serial_of(p);
	p->console = p->host_open = console;
	err = choose_number(p, e);
	if (err)
		return err;
	p->serial->port[p->nr] = p;
	chardev_attach(p->chardev, p, &port_user);
	send(p->serial, p->nr, DEVICE_ADD, 1);
	return 0;
}

static int console_init(void *dev, struct error *e) { return port_init(dev, true, e); }

static int pipe_init(void *dev, struct error *e)
{
	struct vport *p = dev;

	for (struct vserial *d = virtio_serial_of(p); p->name;) {
		for (u32 i = 0; i < PORTS; i++) {
			if (d->port[i] && d->port[i]->name && !strcmp(d->port[i]->name, p->name)) {
				error_set(e, "port '%s': the name '%s' is taken", p->dev.id,
					  p->name);
				return -EINVAL;
			}
		}
		break;
	}
	return port_init(p, false, e);
}

static void port_fini(void *dev)
{
	struct vport *p = dev;

	forget(p);
	if (p->chardev)
		chardev_attach(p->chardev, p, NULL);
	p->serial->port[p->nr] = NULL;
	send(p->serial, p->nr, DEVICE_REMOVE, 1);
}

static const struct prop port_props[] = {
	PROP(struct vport, chardev, .kind = PROP_CHARDEV, .doc = "What is at its other end."),
	PROP(struct vport, name, .kind = PROP_STR,
	     .doc = "Its name in the guest (/dev/virtio-ports/NAME)."),
	PROP(struct vport, nr, .def = ~0u, .doc = "Its number; by default the first free one."),
	{}
};
static const struct state port_state[] = { TIMER(struct vport, retry, flush_out),
					   DERIVED(struct vport, serial),
					   DERIVED(struct vport, out),
					   STATE(struct vport, out_done),
					   DERIVED(struct vport, console),
					   STATE(struct vport, guest_open),
					   DERIVED(struct vport, host_open),
					   {} };
static const struct device_class console_class = { .api = QUERN_DEVICE_API,
						   .name = "virtconsole",
						   .doc = "Port that the guest makes a console of",
						   .bus = "virtio-serial",
						   .size = sizeof(struct vport),
						   .props = port_props,
						   .state = port_state,
						   .init = console_init,
						   .fini = port_fini };
QUERN_REGISTER(console_class);
static const struct device_class pipe_class = { .api = QUERN_DEVICE_API,
						.name = "virtserialport",
						.doc = "Port with a name",
						.bus = "virtio-serial",
						.size = sizeof(struct vport),
						.props = port_props,
						.state = port_state,
						.init = pipe_init,
						.fini = port_fini };
QUERN_REGISTER(pipe_class);
