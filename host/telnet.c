/* SPDX-License-Identifier: GPL-2.0-or-later */
/* telnet.c - TELNET commands in a byte stream (RFC 854). */
#include "host/telnet.h"

enum { IAC = 255, DONT = 254, DO = 253, WONT = 252, WILL = 251, SB = 250, BRK = 243, SE = 240 };
enum { OPT_BINARY = 0, OPT_ECHO = 1, OPT_SGA = 3 };

const u8 telnet_hello[] = { IAC, WILL, OPT_ECHO,   IAC, WILL, OPT_SGA,
			    IAC, WILL, OPT_BINARY, IAC, DO,   OPT_BINARY };
const int telnet_hello_size = sizeof(telnet_hello);

/* One byte; true when it is data. */
static bool step(struct telnet *t, u8 b)
{
	switch (t->state) {
	case TELNET_CR:
		/* A carriage return is followed by NUL or LF, which is not the guest's. */
		t->state = TELNET_DATA;
		if (b == 0 || b == '\n')
			return false;
		/* fall through */
	case TELNET_DATA:
		if (b == IAC)
			t->state = TELNET_IAC;
		else if (b == '\r')
			t->state = TELNET_CR;
		return b != IAC;
	case TELNET_IAC:
		t->state = b == SB		? TELNET_SUB :
			   b >= WILL && b < IAC ? TELNET_OPTION :
						  TELNET_DATA;
		t->got_break |= b == BRK;
		return b == IAC;
	case TELNET_OPTION:
		t->state = TELNET_DATA;
		return false;
	case TELNET_SUB:
		if (b == IAC)
			t->state = TELNET_SUB_IAC;
		return false;
	default:
		t->state = b == SE ? TELNET_DATA : TELNET_SUB;
		return false;
	}
}

size_t telnet_in(struct telnet *t, u8 *buf, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++)
		if (step(t, buf[i]))
			buf[to++] = buf[i];
	return to;
}

size_t telnet_out(u8 *out, const u8 *buf, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		if (buf[i] == IAC)
			out[to++] = IAC;
		out[to++] = buf[i];
	}
	return to;
}
