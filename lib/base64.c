/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base64.c - see base64.h. */
#include "lib/base64.h"
#include <ctype.h>
#include <errno.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct strbuf *to, const void *data, size_t n)
{
	const u8 *p = data;

	for (size_t i = 0; i < n; i += 3) {
		size_t left = MIN(n - i, (size_t)3);
		u32 v = p[i] << 16 | (left > 1 ? p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0);
		char group[4] = { digits[v >> 18], digits[v >> 12 & 63],
				  left > 1 ? digits[v >> 6 & 63] : '=',
				  left > 2 ? digits[v & 63] : '=' };

		strbuf_addn(to, group, 4);
	}
}

int base64_decode(struct strbuf *to, const char *text)
{
	unsigned n = 0, pad = 0;
	u32 v = 0;

	for (; *text; text++) {
		const char *d = strchr(digits, *text);

		if (isspace((unsigned char)*text))
			continue;
		if (*text == '=') {
			if (++pad > 2 || n + pad > 4 || n < 2)
				return -EINVAL;
			continue;
		}
		if (!d || pad)
			return -EINVAL;
		v = v << 6 | (u32)(d - digits);
		if (++n < 4)
			continue;
		strbuf_addn(to, (char[]){ (char)(v >> 16), (char)(v >> 8), (char)v }, 3);
		n = v = 0;
	}
	if ((!n && pad) || n == 1 || (n && n + pad != 4))
		return -EINVAL;
	v <<= 6 * (4 - n);
	if (n)
		strbuf_addn(to, (char[]){ (char)(v >> 16), (char)(v >> 8) }, n - 1);
	return 0;
}

void hex_encode(struct strbuf *to, const void *data, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	const u8 *p = data;

	for (size_t i = 0; i < n; i++)
		strbuf_addn(to, (char[]){ hex[p[i] >> 4], hex[p[i] & 15] }, 2);
}

static int nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	       c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 :
				      -1;
}

int hex_decode(struct strbuf *to, const char *text)
{
	for (; *text; text++) {
		if (isspace((unsigned char)*text))
			continue;
		if (nibble(text[0]) < 0 || nibble(text[1]) < 0)
			return -EINVAL;
		strbuf_addc(to, (char)(nibble(text[0]) << 4 | nibble(text[1])));
		text++;
	}
	return 0;
}
