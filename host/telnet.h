/* SPDX-License-Identifier: GPL-2.0-or-later */
/* telnet.h - the little of TELNET (RFC 854, 857, 858, 1184) that a console needs: character mode, a
 * break, bytes of value 255. */
#pragma once
#include <quern/types.h>

struct telnet {
	enum {
		TELNET_DATA,
		TELNET_IAC,
		TELNET_OPTION,
		TELNET_SUB,
		TELNET_SUB_IAC,
		TELNET_CR
	} state;
	bool got_break; /* set by telnet_in; the caller clears it */
};

/* What to send first: we echo, no go-ahead, no line mode. */
extern const u8 telnet_hello[];
extern const int telnet_hello_size;
/* Removes commands from n received bytes; the number of data bytes that are left at the start of
 * buf. */
size_t telnet_in(struct telnet *t, u8 *buf, size_t n);
/* Copies n bytes to out (twice as large), doubling 255. The number of bytes written. */
size_t telnet_out(u8 *out, const u8 *buf, size_t n);
