/* SPDX-License-Identifier: GPL-2.0-or-later */
/* smbus.c - the protocols of SMBus over an I2C bus (System Management Bus Specification 3.1,
 * chapter 6.5), with packet error codes (6.4). */
#include "bus/i2c.h"
#include <errno.h>

/* CRC-8 with the polynomial x^8 + x^2 + x + 1. */
u8 smbus_pec(u8 pec, u8 byte)
{
	pec ^= byte;
	for (unsigned i = 0; i < 8; i++)
		pec = (u8)(pec << 1) ^ (pec & 0x80 ? 0x07 : 0);
	return pec;
}

/* One transfer: its code and what went wrong first. */
struct wire {
	struct i2c_bus *b;
	struct smbus *s;
	u8 pec;
	int err;
};

static void start(struct wire *w, bool recv)
{
	if (w->err)
		return;
	w->s->bytes++;
	w->pec = smbus_pec(w->pec, w->s->address << 1 | recv);
	w->err = i2c_start(w->b, w->s->address, recv);
}

static void send(struct wire *w, u8 byte)
{
	if (w->err)
		return;
	w->s->bytes++;
	w->pec = smbus_pec(w->pec, byte);
	w->err = i2c_send(w->b, byte);
}

static u8 recv(struct wire *w)
{
	u8 byte;

	if (w->err)
		return 0;
	w->s->bytes++;
	byte = i2c_recv(w->b);
	w->pec = smbus_pec(w->pec, byte);
	return byte;
}

static void send_all(struct wire *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		send(w, w->s->data[i]);
}

static void recv_all(struct wire *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		w->s->data[i] = recv(w);
}

static bool block_length(struct wire *w, unsigned n)
{
	if (!w->err && (!n || n > SMBUS_BLOCK_MAX))
		w->err = -EPROTO;
	return !w->err;
}

static void block(struct wire *w, bool in)
{
	struct smbus *s = w->s;

	if (!in && block_length(w, s->n)) {
		send(w, s->n);
		send_all(w, s->n);
	} else if (in) {
		s->n = recv(w);
		if (block_length(w, s->n))
			recv_all(w, s->n);
	}
}

/* What follows the command byte. */
static void data(struct wire *w)
{
	struct smbus *s = w->s;
	bool call = s->protocol == SMBUS_PROC_CALL || s->protocol == SMBUS_BLOCK_PROC_CALL;
	bool blocks = s->protocol == SMBUS_BLOCK || s->protocol == SMBUS_BLOCK_PROC_CALL;
	unsigned n = s->protocol == SMBUS_BYTE_DATA ? 1 : 2;

	if (call || !s->recv) {
		if (blocks)
			block(w, false);
		else
			send_all(w, n);
	}
	if (!call && !s->recv)
		return;
	start(w, true);
	if (blocks)
		block(w, true);
	else
		recv_all(w, n);
}

static void code(struct wire *w, bool in)
{
	u8 want = w->pec;

	if (!in)
		send(w, want);
	else if (recv(w) != want && !w->err)
		w->err = -EBADMSG;
}

int smbus_transfer(struct i2c_bus *b, struct smbus *s)
{
	struct wire w = { .b = b, .s = s };
	bool in = s->recv || s->protocol == SMBUS_PROC_CALL || s->protocol == SMBUS_BLOCK_PROC_CALL;

	s->bytes = 0;
	if (s->protocol == SMBUS_QUICK) {
		start(&w, s->recv);
	} else if (s->protocol == SMBUS_BYTE && s->recv) {
		start(&w, true);
		recv_all(&w, 1);
	} else {
		start(&w, false);
		send(&w, s->command);
		if (s->protocol != SMBUS_BYTE)
			data(&w);
	}
	if (s->pec && s->protocol != SMBUS_QUICK)
		code(&w, in);
	i2c_stop(b);
	return w.err;
}
