/* SPDX-License-Identifier: GPL-2.0-or-later */
/* e1000_rss.c - receive side scaling: the Toeplitz hash of addresses and ports (7.1.8). */
#include "e1000.h"

enum {
	TCP = 6,
	TYPE_TCP_IPV4 = 1,
	TYPE_IPV4 = 2,
	TYPE_TCP_IPV6 = 3,
	TYPE_IPV6_EX = 4,
	TYPE_IPV6 = 5
};

/* Each set bit of the input adds the 32 bits of the key that begin at its place. */
static u32 toeplitz(const struct e1000 *d, const u8 *in, unsigned n)
{
	u8 key[sizeof(d->rssrk)];
	u32 hash = 0;
	u64 window;

	for (unsigned i = 0; i < ARRAY_SIZE(d->rssrk); i++)
		st32le(key + 4 * i, d->rssrk[i]);
	window = (u64)ld32be(key) << 32;
	for (unsigned i = 0; i < n; i++) {
		window |= (u64)(i + 4 < sizeof(key) ? key[i + 4] : 0) << 24;
		for (unsigned bit = 0; bit < 8; bit++, window <<= 1)
			if (in[i] & 0x80 >> bit)
				hash ^= window >> 32;
	}
	return hash;
}

u32 e1000_rss(const struct e1000 *d, const u8 *frame, size_t n, u32 *type)
{
	struct e1000_parts p;
	u8 in[36];
	bool tcp;
	unsigned addresses;

	*type = 0;
	if (FIELD_GET(MRQC_MODE, d->mrqc) != 1)
		return 0;
	e1000_parse(frame, n, &p);
	tcp = p.proto == TCP && p.l4;
	if (p.version == 4)
		*type = tcp && (d->mrqc & MRQC_TCP_IPV4) ? TYPE_TCP_IPV4 :
			d->mrqc & MRQC_IPV4		 ? TYPE_IPV4 :
							   0;
	else if (p.version == 6)
		*type = tcp && (d->mrqc & (p.extensions ? MRQC_TCP_IPV6_EX : MRQC_TCP_IPV6)) ?
				TYPE_TCP_IPV6 :
			p.extensions && (d->mrqc & MRQC_IPV6_EX) ? TYPE_IPV6_EX :
			d->mrqc & MRQC_IPV6			 ? TYPE_IPV6 :
								   0;
	if (!*type)
		return 0;
	addresses = p.version == 4 ? 8 : 32;
	memcpy(in, frame + p.l3 + (p.version == 4 ? 12 : 8), addresses);
	if (*type != TYPE_TCP_IPV4 && *type != TYPE_TCP_IPV6)
		return toeplitz(d, in, addresses);
	memcpy(in + addresses, frame + p.l4, 4);
	return toeplitz(d, in, addresses + 4);
}
