/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet.c - packets of the GDB Remote Serial Protocol (GDB manual, appendix E.1). Bodies are
 * copied in stretches, not by bytes: they may be large. */
#include "packet.h"
#include "lib/alloc.h"
#include <errno.h>
#include <stdio.h>

static const char hex_digits[] = "0123456789abcdef";

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static u8 sum_of(const void *data, size_t n)
{
	const u8 *p = data;
	u8 sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += p[i];
	return sum;
}

/* ---- reading */

static void tell(struct gdb_reader *r, enum gdb_event e, size_t n)
{
	if (n + 1 > r->cap) {
		r->cap = 256;
		r->body = xrealloc(r->body, r->cap);
	}
	r->body[n] = 0;
	r->event(r->arg, e, r->body, n);
}

static void append(struct gdb_reader *r, const u8 *buf, size_t n)
{
	r->sum += sum_of(buf, n);
	if (r->too_long || n > GDB_PACKET_MAX - r->n) {
		r->too_long = true;
		return;
	}
	if (r->n + n + 1 > r->cap) {
		r->cap = MAX(r->cap * 2, r->n + n + 1);
		r->body = xrealloc(r->body, r->cap);
	}
	memcpy(r->body + r->n, buf, n);
	r->n += n;
}

/* Up to the packet's end. In a body $ is always escaped: there, a packet was cut off and another
 * one begins. */
static size_t read_body(struct gdb_reader *r, const u8 *buf, size_t n)
{
	const u8 *end = memchr(buf, '#', n), *start;
	size_t part = end ? (size_t)(end - buf) : n;

	start = memrchr(buf, '$', part);
	if (start) {
		r->n = r->sum = 0;
		r->too_long = false;
		start++;
	} else {
		start = buf;
	}
	append(r, start, buf + part - start);
	if (!end)
		return n;
	r->state = READ_SUM;
	r->digits = 0;
	return part + 1;
}

static void read_sum(struct gdb_reader *r, char c)
{
	int hi, lo;

	r->digit[r->digits++] = c;
	if (r->digits < 2)
		return;
	r->state = READ_IDLE;
	hi = digit(r->digit[0]);
	lo = digit(r->digit[1]);
	if (hi < 0 || lo < 0 || (hi << 4 | lo) != r->sum || r->too_long)
		tell(r, GDB_BAD_SUM, 0);
	else
		tell(r, GDB_PACKET, r->n);
}

static void read_idle(struct gdb_reader *r, u8 c)
{
	switch (c) {
	case '$':
		r->state = READ_BODY;
		r->n = r->sum = 0;
		r->too_long = false;
		break;
	case '+':
		tell(r, GDB_ACK, 0);
		break;
	case '-':
		tell(r, GDB_NAK, 0);
		break;
	case 3:
		tell(r, GDB_INTERRUPT, 0);
		break;
	}
}

void gdb_feed(struct gdb_reader *r, const u8 *buf, size_t n)
{
	while (n) {
		size_t used = 1;

		if (r->state == READ_BODY)
			used = read_body(r, buf, n);
		else if (r->state == READ_SUM)
			read_sum(r, *buf);
		else
			read_idle(r, *buf);
		buf += used;
		n -= used;
	}
}

void gdb_reader_fini(struct gdb_reader *r)
{
	free(r->body);
	r->body = NULL;
	r->n = r->cap = 0;
	r->state = READ_IDLE;
}

/* ---- writing */

void gdb_frame(struct strbuf *out, char lead, const char *body, size_t n)
{
	u8 sum = sum_of(body, n);

	strbuf_addc(out, lead);
	strbuf_addn(out, body, n);
	strbuf_addc(out, '#');
	strbuf_addc(out, hex_digits[sum >> 4]);
	strbuf_addc(out, hex_digits[sum & 15]);
}

void gdb_put_hex(struct strbuf *b, const void *data, size_t n)
{
	const u8 *p = data;
	char part[1024];

	while (n) {
		size_t k = MIN(n, sizeof(part) / 2);

		for (size_t i = 0; i < k; i++) {
			part[2 * i] = hex_digits[p[i] >> 4];
			part[2 * i + 1] = hex_digits[p[i] & 15];
		}
		strbuf_addn(b, part, 2 * k);
		p += k;
		n -= k;
	}
}

static bool is_special(char c) { return c == '$' || c == '#' || c == '}' || c == '*'; }

void gdb_put_binary(struct strbuf *b, const void *data, size_t n)
{
	const char *p = data, *end = p + n, *from = p;

	for (; p < end; p++) {
		if (!is_special(*p))
			continue;
		strbuf_addn(b, from, p - from);
		strbuf_addc(b, '}');
		strbuf_addc(b, *p ^ 0x20);
		from = p + 1;
	}
	strbuf_addn(b, from, end - from);
}

void gdb_put_part(struct strbuf *b, const char *text, size_t size, u64 at, u64 len)
{
	/* escaping may double it */
	enum { MOST = (GDB_PACKET_MAX - 64) / 2 };
	size_t left = at < size ? size - at : 0, n = MIN(left, MIN(len, (u64)MOST));

	strbuf_addc(b, n < left ? 'm' : 'l');
	if (n)
		gdb_put_binary(b, text + at, n);
}

int gdb_get_hex(const char *digits, void *data, size_t n)
{
	u8 *out = data;

	for (size_t i = 0; i < n; i++) {
		int hi = digit(digits[2 * i]), lo = hi < 0 ? -1 : digit(digits[2 * i + 1]);

		if (lo < 0)
			return -EINVAL;
		out[i] = hi << 4 | lo;
	}
	return 0;
}

size_t gdb_unescape(char *data, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		if (data[i] == '}' && i + 1 < n)
			data[to++] = data[++i] ^ 0x20;
		else
			data[to++] = data[i];
	}
	return to;
}

/* ---- arguments */

bool gdb_number(const char **p, u64 *v)
{
	const char *s = *p;
	int d;

	for (*v = 0; (d = digit(*s)) >= 0; s++) {
		if (*v >> 60)
			return false;
		*v = *v << 4 | d;
	}
	if (s == *p)
		return false;
	*p = s;
	return true;
}

bool gdb_word(const char **p, const char *word) { return str_prefix(*p, word, p); }

static bool id_part(const char **p, s64 *v)
{
	u64 n;

	if (gdb_word(p, "-1")) {
		*v = GDB_ALL;
		return true;
	}
	if (!gdb_number(p, &n) || n > INT32_MAX)
		return false;
	*v = n;
	return true;
}

bool gdb_thread_id(const char **p, struct gdb_tid *id)
{
	id->pid = 0;
	if (!gdb_word(p, "p"))
		return id_part(p, &id->tid);
	id->tid = GDB_ALL;
	if (!id_part(p, &id->pid))
		return false;
	return !gdb_word(p, ".") || id_part(p, &id->tid);
}
