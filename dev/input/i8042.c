/* SPDX-License-Identifier: GPL-2.0-or-later */
/* i8042 - the PS/2 keyboard and mouse controller with its A20 and reset lines (Intel 8042 as in the
 * IBM PS/2 Hardware Interface Technical Reference, keyboard and auxiliary device controller, 1988).
 */
#include "ps2.h"
#include <quern/keyboard.h>

enum {
	STATUS_OBF = BIT(0),
	STATUS_SYSTEM = BIT(2),
	STATUS_COMMAND = BIT(3),
	STATUS_UNLOCKED = BIT(4),
	STATUS_AUX = BIT(5)
};
enum {
	CTR_KBD_INT = BIT(0),
	CTR_AUX_INT = BIT(1),
	CTR_SYSTEM = BIT(2),
	CTR_KBD_OFF = BIT(4),
	CTR_AUX_OFF = BIT(5),
	CTR_TRANSLATE = BIT(6)
};
enum { OUT_RESET = BIT(0), OUT_A20 = BIT(1), OUT_AUX_OBF = BIT(5), OUT_KBD_OBF = BIT(4) };
enum { FROM_KBD, FROM_AUX, FROM_CONTROLLER };

struct i8042 {
	struct device dev;
	struct irq irq[2]; /* keyboard, mouse */
	struct ps2 ps2[2];
	u8 ram[32]; /* byte 0 is the command byte */
	u8 data, status, output_port;
	u8 command;	 /* waits for its data byte */
	u8 from;	 /* whose byte is in the output buffer */
	bool break_code; /* translation has swallowed an 0xf0 */
	bool mouse;
	u8 pad[1];
};

/* Scan code set 2 to set 1, as the controller translates. */
static const u8 set1[128] = {
	0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29,
	0x59, 0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11,
	0x03, 0x5b, 0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14,
	0x13, 0x06, 0x5d, 0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24,
	0x16, 0x08, 0x09, 0x5f, 0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35,
	0x26, 0x27, 0x19, 0x0c, 0x61, 0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36,
	0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76, 0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c,
	0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f, 0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45,
	0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
};

static void update_irq(struct i8042 *d)
{
	bool full = d->status & STATUS_OBF, aux = full && d->from == FROM_AUX;

	irq_set(&d->irq[0], full && !aux && (d->ram[0] & CTR_KBD_INT));
	irq_set(&d->irq[1], aux && (d->ram[0] & CTR_AUX_INT));
}

static void output(struct i8042 *d, u8 v, unsigned from)
{
	/* a new byte is an edge of its own */
	irq_set(&d->irq[0], 0);
	irq_set(&d->irq[1], 0);
	d->data = v;
	d->from = from;
	d->status = (d->status & ~STATUS_AUX) | STATUS_OBF | (from == FROM_AUX ? STATUS_AUX : 0);
	update_irq(d);
}

/* False: the byte was a prefix that the controller keeps to itself. */
static bool translate(struct i8042 *d, u8 *v)
{
	if (!(d->ram[0] & CTR_TRANSLATE))
		return true;
	if (*v == 0xf0) {
		d->break_code = true;
		return false;
	}
	if (*v < 0x80)
		*v = set1[*v] | (d->break_code ? 0x80 : 0);
	else if (*v == 0x83)
		*v = 0x41 | (d->break_code ? 0x80 : 0);
	else if (*v == 0x84)
		*v = 0x54 | (d->break_code ? 0x80 : 0);
	d->break_code = false;
	return true;
}

/* Fetches the next byte of a device while the output buffer is free. */
static void pump(struct i8042 *d)
{
	u8 v;

	while (!(d->status & STATUS_OBF)) {
		if (!(d->ram[0] & CTR_KBD_OFF) && ps2_take(&d->ps2[0], &v)) {
			if (translate(d, &v))
				output(d, v, FROM_KBD);
		} else if (!(d->ram[0] & CTR_AUX_OFF) && ps2_take(&d->ps2[1], &v)) {
			output(d, v, FROM_AUX);
		} else {
			return;
		}
	}
}

static void set_output_port(struct i8042 *d, u8 v)
{
	if (!(v & OUT_RESET))
		device_request_reset(d);
	if (!(v & OUT_A20) && (d->output_port & OUT_A20))
		unimplemented(d, "the A20 gate cannot be closed");
	d->output_port = v;
}

static void write_command_byte(struct i8042 *d, u8 v)
{
	d->ram[0] = v;
	d->status = v & CTR_SYSTEM ? d->status | STATUS_SYSTEM : d->status & ~STATUS_SYSTEM;
	update_irq(d);
}

static void command(struct i8042 *d, u8 v)
{
	trace(d, "command", "%#x", v);
	switch (v) {
	case 0x20 ... 0x3f:
		output(d, d->ram[v & 0x1f], FROM_CONTROLLER);
		break;
	case 0x60 ... 0x7f:
	case 0xd1 ... 0xd4:
		d->command = v;
		break;
	case 0xa7:
		d->ram[0] |= CTR_AUX_OFF;
		break;
	case 0xa8:
		d->ram[0] &= ~CTR_AUX_OFF;
		break;
	case 0xa9:
		output(d, d->mouse ? 0x00 : 0x02, FROM_CONTROLLER);
		break;
	case 0xaa:
		d->status |= STATUS_SYSTEM;
		output(d, 0x55, FROM_CONTROLLER);
		break;
	case 0xab:
		output(d, 0x00, FROM_CONTROLLER);
		break;
	case 0xad:
		d->ram[0] |= CTR_KBD_OFF;
		break;
	case 0xae:
		d->ram[0] &= ~CTR_KBD_OFF;
		break;
	case 0xc0:
		output(d, 0x80, FROM_CONTROLLER); /* input port: keyboard not locked */
		break;
	case 0xd0:
		output(d,
		       d->output_port | (d->irq[0].level ? OUT_KBD_OBF : 0) |
			       (d->irq[1].level ? OUT_AUX_OBF : 0),
		       FROM_CONTROLLER);
		break;
	case 0xdd:
	case 0xdf:
		set_output_port(d,
				v == 0xdf ? d->output_port | OUT_A20 : d->output_port & ~OUT_A20);
		break;
	case 0xf0 ... 0xff: /* pulses the low output lines whose bit is 0 */
		if (!(v & OUT_RESET))
			device_request_reset(d);
		break;
	default:
		guest_error(d, "command %#x is unknown", v);
	}
	pump(d);
}

static void data_write(struct i8042 *d, u8 v)
{
	u8 c = d->command;

	d->command = 0;
	d->status &= ~STATUS_COMMAND;
	switch (c) {
	case 0:
		d->ram[0] &= ~CTR_KBD_OFF; /* sending to the keyboard enables its interface */
		ps2_command(&d->ps2[0], v);
		break;
	case 0x60:
		write_command_byte(d, v);
		break;
	case 0x61 ... 0x7f:
		d->ram[c & 0x1f] = v;
		break;
	case 0xd1:
		set_output_port(d, v);
		break;
	case 0xd2:
		output(d, v, FROM_KBD);
		break;
	case 0xd3:
		output(d, v, FROM_AUX);
		break;
	case 0xd4:
		d->ram[0] &= ~CTR_AUX_OFF;
		if (d->mouse)
			ps2_command(&d->ps2[1], v);
		break;
	}
	pump(d);
}

static u64 data_read(void *dev, u64 off, unsigned size)
{
	struct i8042 *d = dev;
	u8 v = d->data;

	d->status &= ~(STATUS_OBF | STATUS_AUX);
	update_irq(d);
	pump(d);
	return v;
}

static void data_port_write(void *dev, u64 off, unsigned size, u64 val) { data_write(dev, val); }

static u64 status_read(void *dev, u64 off, unsigned size) { return ((struct i8042 *)dev)->status; }

static void command_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct i8042 *d = dev;

	d->status |= STATUS_COMMAND;
	d->command = 0;
	command(d, val);
}

static bool i8042_key(void *dev, unsigned code, bool down)
{
	struct i8042 *d = dev;
	bool taken = ps2_key(&d->ps2[0], code, down);

	pump(d);
	return taken;
}
static const struct keyboard_ops i8042_keyboard = { i8042_key };

static int i8042_init(void *dev, struct error *e)
{
	keyboard_add(dev, &i8042_keyboard);
	return 0;
}

static void i8042_reset(void *dev)
{
	struct i8042 *d = dev;

	memset(d->ram, 0, sizeof(d->ram));
	d->ram[0] = CTR_KBD_INT | CTR_AUX_INT | CTR_TRANSLATE | CTR_SYSTEM;
	d->status = STATUS_UNLOCKED | STATUS_SYSTEM;
	d->output_port = OUT_RESET | OUT_A20;
	d->data = d->command = d->from = 0;
	d->break_code = false;
	d->ps2[1].mouse = true;
	ps2_reset(&d->ps2[0]);
	ps2_reset(&d->ps2[1]);
	update_irq(d);
}

static const struct bank i8042_banks[] = { { .name = "data",
					     .size = 1,
					     .min = 1,
					     .max = 1,
					     .read = data_read,
					     .write = data_port_write },
					   { .name = "command",
					     .size = 1,
					     .min = 1,
					     .max = 1,
					     .read = status_read,
					     .write = command_write },
					   {} };
static const struct prop i8042_props[] = { PROP(struct i8042, mouse, .kind = PROP_BOOL, .def = 1,
						.doc = "A PS/2 mouse is at the auxiliary port."),
					   {} };
static const struct state i8042_state[] = { IRQ_OUT(struct i8042, irq),
					    STATE(struct i8042, ps2),
					    STATE(struct i8042, ram),
					    STATE(struct i8042, data),
					    STATE(struct i8042, status),
					    STATE(struct i8042, output_port),
					    STATE(struct i8042, command),
					    STATE(struct i8042, from),
					    STATE(struct i8042, break_code),
					    DERIVED(struct i8042, pad),
					    {} };
DEVICE(i8042, .name = "i8042", .doc = "PS/2 keyboard and mouse controller", .banks = i8042_banks,
       .props = i8042_props, .state = i8042_state, .init = i8042_init, .reset = i8042_reset);
