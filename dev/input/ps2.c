/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ps2.c - what PS/2 keyboards and mice answer to commands; see ps2.h. */
#include "ps2.h"

enum { ACK = 0xfa, RESEND = 0xfe, SELF_TEST_PASSED = 0xaa, ECHO = 0xee };
enum { ID_MOUSE = 0, ID_WHEEL = 3, ID_5_BUTTONS = 4 };

static void put(struct ps2 *p, u8 byte)
{
	if (p->n == PS2_QUEUE)
		return;
	p->queue[(p->head + p->n++) % PS2_QUEUE] = byte;
}

bool ps2_put(struct ps2 *p, const u8 *bytes, unsigned n)
{
	if (n > (unsigned)(PS2_QUEUE - p->n))
		return false;
	for (unsigned i = 0; i < n; i++)
		put(p, bytes[i]);
	return true;
}

bool ps2_take(struct ps2 *p, u8 *byte)
{
	if (!p->n)
		return false;
	*byte = p->last = p->queue[p->head];
	p->head = (p->head + 1) % PS2_QUEUE;
	p->n--;
	return true;
}

static void defaults(struct ps2 *p)
{
	p->rate = 0x2b;
	p->set = 2;
	p->sample_rate = 100;
	p->resolution = 2;
	p->scale2 = p->remote = p->wrap = false;
	p->knock = 0;
}

void ps2_reset(struct ps2 *p)
{
	*p = (struct ps2){ .mouse = p->mouse, .scanning = !p->mouse, .id = ID_MOUSE };
	defaults(p);
}

static void full_reset(struct ps2 *p)
{
	ps2_reset(p);
	put(p, ACK);
	put(p, SELF_TEST_PASSED);
	if (p->mouse)
		put(p, ID_MOUSE);
}

/* ---- keyboard */

static void keyboard_argument(struct ps2 *p, u8 command, u8 v)
{
	put(p, ACK);
	switch (command) {
	case 0xed:
		p->leds = v & 7;
		break;
	case 0xf0:
		if (!v)
			put(p, p->set);
		else if (v <= 3)
			p->set = v;
		break;
	case 0xf3:
		p->rate = v & 0x7f;
		break;
	}
}

static void keyboard_command(struct ps2 *p, u8 v)
{
	switch (v) {
	case 0xed:
	case 0xf0:
	case 0xf3:
		p->command = v;
		put(p, ACK);
		break;
	case 0xee:
		put(p, ECHO);
		break;
	case 0xf2:
		put(p, ACK);
		put(p, 0xab);
		put(p, 0x83);
		break;
	case 0xf4:
		p->scanning = true;
		put(p, ACK);
		break;
	case 0xf5:
	case 0xf6:
		defaults(p);
		p->scanning = v == 0xf6;
		put(p, ACK);
		break;
	case 0xf7 ... 0xfa: /* typematic, make, break of all keys: set 3 only */
		put(p, ACK);
		break;
	case 0xfe:
		put(p, p->last);
		break;
	case 0xff:
		full_reset(p);
		break;
	default:
		put(p, RESEND);
	}
}

/* ---- mouse */

/* A wheel mouse shows itself after the sample rates 200, 100, 80; with five buttons after 200,
 * 200, 80. */
static void knock(struct ps2 *p, u8 rate)
{
	if (p->knock == 1 && (rate == 100 || rate == 200))
		p->knock = rate == 100 ? 2 : 3;
	else if (p->knock >= 2 && rate == 80) {
		p->id = p->knock == 2 ? ID_WHEEL : ID_5_BUTTONS;
		p->knock = 0;
	} else
		p->knock = rate == 200;
}

static void mouse_argument(struct ps2 *p, u8 command, u8 v)
{
	put(p, ACK);
	if (command == 0xe8) {
		p->resolution = v & 3;
		return;
	}
	p->sample_rate = v;
	knock(p, v);
}

static void put_packet(struct ps2 *p)
{
	put(p, BIT(3));
	put(p, 0);
	put(p, 0);
	if (p->id != ID_MOUSE)
		put(p, 0);
}

static void mouse_command(struct ps2 *p, u8 v)
{
	if (p->wrap && v != 0xff && v != 0xec) {
		put(p, v);
		return;
	}
	if (v == 0xff) {
		full_reset(p);
		return;
	}
	if (v == 0xfe) {
		put(p, p->last);
		return;
	}
	if (v < 0xe6 || (v > 0xf0 && v < 0xf2) || v == 0xef || v == 0xed ||
	    (v > 0xf6 && v < 0xfe)) {
		put(p, RESEND);
		return;
	}
	put(p, ACK);
	switch (v) {
	case 0xe6:
	case 0xe7:
		p->scale2 = v == 0xe7;
		break;
	case 0xe8:
	case 0xf3:
		p->command = v;
		break;
	case 0xe9:
		put(p, p->remote << 6 | p->scanning << 5 | p->scale2 << 4);
		put(p, p->resolution);
		put(p, p->sample_rate);
		break;
	case 0xea:
	case 0xf0:
		p->remote = v == 0xf0;
		break;
	case 0xeb:
		put_packet(p);
		break;
	case 0xec:
	case 0xee:
		p->wrap = v == 0xee;
		break;
	case 0xf2:
		put(p, p->id);
		break;
	case 0xf4:
	case 0xf5:
		p->scanning = v == 0xf4;
		break;
	case 0xf6:
		defaults(p);
		p->scanning = false;
		break;
	}
}

void ps2_command(struct ps2 *p, u8 byte)
{
	u8 command = p->command;

	/* a command replaces what was still to be said */
	p->n = 0;
	p->command = 0;
	if (command && (p->mouse || byte < 0xed)) {
		if (p->mouse)
			mouse_argument(p, command, byte);
		else
			keyboard_argument(p, command, byte);
	} else if (p->mouse) {
		mouse_command(p, byte);
	} else {
		keyboard_command(p, byte);
	}
}
