/* SPDX-License-Identifier: MIT */
/* crc32.h - CRC-32 as Ethernet, zip and gzip use it (ISO 3309; reflected polynomial 0xedb88320).
 * crc32(0, "", 0) starts; results chain. */
#pragma once
#include "types.h"

static inline u32 crc32(u32 crc, const void *p, size_t n)
{
	const u8 *b = p;

	crc = ~crc;
	while (n--) {
		crc ^= *b++;
		for (unsigned i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}
