/* SPDX-License-Identifier: GPL-2.0-or-later */
/* e1000_sum.c - checksums (RFC 1071, ISO 3309) and where the headers of a frame are. */
#include "e1000.h"

enum {
	ETHER = 14,
	TYPE_IPV4 = 0x0800,
	TYPE_IPV6 = 0x86dd,
	TYPE_VLAN = 0x8100,
	TCP = 6,
	UDP = 17,
	HOP_BY_HOP = 0,
	ROUTING = 43,
	DESTINATION = 60,
	EXTENSIONS_MAX = 8,
};

u64 e1000_sum(const u8 *p, size_t n)
{
	u64 sum = 0;

	for (; n >= 8; p += 8, n -= 8) {
		u64 v = ld64be(p);

		sum += (v >> 32) + (u32)v;
	}
	for (; n >= 2; p += 2, n -= 2)
		sum += ld16be(p);
	if (n)
		sum += (u32)*p << 8;
	return sum;
}

u16 e1000_fold(u64 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void parse_l4(const u8 *frame, struct e1000_parts *p)
{
	u32 room = p->end - p->l4, header = p->proto == UDP ? 8 : 20;

	if (p->fragment || (p->proto != TCP && p->proto != UDP) || room < header) {
		p->l4 = 0;
		return;
	}
	if (p->proto == TCP)
		header = (u32)(frame[p->l4 + 12] >> 4) * 4;
	if (header < 20 && p->proto == TCP)
		p->l4 = 0;
	else if (header <= room)
		p->payload = p->l4 + header;
	else
		p->l4 = 0;
}

static void parse_ipv4(const u8 *frame, size_t n, struct e1000_parts *p)
{
	const u8 *ip = frame + p->l3;
	size_t left = n - p->l3, header, total;

	if (left < 20 || ip[0] >> 4 != 4)
		return;
	header = (size_t)(ip[0] & 15) * 4;
	total = ld16be(ip + 2);
	if (header < 20 || total < header || total > left)
		return;
	p->version = 4;
	p->proto = ip[9];
	p->fragment = ld16be(ip + 6) & 0x3fff;
	p->end = p->l3 + total;
	p->l4 = p->l3 + header;
	parse_l4(frame, p);
}

static void parse_ipv6(const u8 *frame, size_t n, struct e1000_parts *p)
{
	const u8 *ip = frame + p->l3;
	size_t left = n - p->l3, at = p->l3 + 40;

	if (left < 40 || ip[0] >> 4 != 6 || ld16be(ip + 4) > left - 40)
		return;
	p->version = 6;
	p->proto = ip[6];
	p->end = at + ld16be(ip + 4);
	for (unsigned i = 0; i < EXTENSIONS_MAX && (p->proto == HOP_BY_HOP || p->proto == ROUTING ||
						    p->proto == DESTINATION);
	     i++) {
		size_t len = at + 8 <= p->end ? ((size_t)frame[at + 1] + 1) * 8 : 0;

		p->extensions = true;
		if (!len || at + len > p->end)
			return;
		p->proto = frame[at];
		at += len;
	}
	p->l4 = at;
	parse_l4(frame, p);
}

void e1000_parse(const u8 *frame, size_t n, struct e1000_parts *p)
{
	u16 type = 0, at = ETHER;

	*p = (struct e1000_parts){ 0 };
	n = MIN(n, (size_t)0xffff);
	if (n >= ETHER)
		type = ld16be(frame + 12);
	if (type == TYPE_VLAN && n >= ETHER + 4) {
		type = ld16be(frame + 16);
		at += 4;
	}
	if (type != TYPE_IPV4 && type != TYPE_IPV6)
		return;
	p->l3 = at;
	if (type == TYPE_IPV4)
		parse_ipv4(frame, n, p);
	else
		parse_ipv6(frame, n, p);
	if (!p->version)
		p->l3 = 0;
}

u64 e1000_pseudo(const u8 *frame, const struct e1000_parts *p)
{
	const u8 *ip = frame + p->l3;
	u64 sum = p->version == 4 ? e1000_sum(ip + 12, 8) : e1000_sum(ip + 8, 32);

	return sum + p->proto + (p->end - p->l4);
}

/* ---- the checksum of Ethernet, a byte at a time */

static u32 fcs_table[256];

static void __attribute__((constructor)) make_table(void)
{
	for (u32 i = 0; i < 256; i++) {
		u32 v = i;

		for (unsigned bit = 0; bit < 8; bit++)
			v = v >> 1 ^ (v & 1 ? 0xedb88320u : 0);
		fcs_table[i] = v;
	}
}

u32 e1000_fcs(const u8 *frame, size_t n)
{
	u32 crc = ~0u;

	while (n--)
		crc = crc >> 8 ^ fcs_table[(crc ^ *frame++) & 0xff];
	return ~crc;
}
