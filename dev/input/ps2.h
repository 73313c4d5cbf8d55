/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ps2.h - the keyboard and the mouse at the far end of a PS/2 controller's ports (IBM PS/2 Hardware
 * Interface Technical Reference, 1988). */
#pragma once
#include <quern/device.h>

enum { PS2_QUEUE = 32 };

struct ps2 {
	u8 queue[PS2_QUEUE]; /* bytes on their way to the controller */
	u8 head, n;
	u8 command;	      /* waits for its argument, 0 = none */
	u8 last;	      /* for resend */
	bool mouse, scanning; /* scanning: the keyboard scans, the mouse streams */
	/* keyboard */
	u8 leds, rate, set;
	/* mouse */
	/* knock: how far the sequence of rates that makes it a wheel mouse has come */
	u8 resolution, sample_rate, id, knock;
	bool scale2, remote, wrap;
};

void ps2_reset(struct ps2 *p);		  /* power-on state, nothing sent */
void ps2_command(struct ps2 *p, u8 byte); /* a byte from the host */
bool ps2_take(struct ps2 *p, u8 *byte);	  /* the next byte to the host */
/* All bytes or, without room for them, none. */
bool ps2_put(struct ps2 *p, const u8 *bytes, unsigned n);
/* A key of the keyboard (ps2_keys.c). False: no such key, or no room, or it does not scan. */
bool ps2_key(struct ps2 *p, unsigned key, bool down);
