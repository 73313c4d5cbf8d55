/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory.c - memory as a thread sees it: a CPU through its page tables, a task through its own, or
 * physical memory (PhyMemMode). Reads give what there is up to the first page that is not. */
#include "private.h"
#include <stdio.h>

enum { PAGE = 4096, SEARCH_STEP = 1 << 16 };

static int transfer(struct gdb_conn *c, u64 tid, u64 addr, void *buf, size_t n, bool write)
{
	struct cpu *cpu = gdb_any_cpu(c->g, tid);
	const struct os_task *t = c->phys || gdb_cpu(c->g, tid) ? NULL : gdb_task(c->g, tid);

	if (c->phys)
		return write ? debug_write_phys(c->g->m, addr, buf, n) :
			       debug_read_phys(c->g->m, addr, buf, n);
	if (t && t->root)
		return write ? debug_write_root(cpu, t->root, addr, buf, n) :
			       debug_read_root(cpu, t->root, addr, buf, n);
	return write ? debug_write(cpu, addr, buf, n) : debug_read(cpu, addr, buf, n);
}

size_t gdb_read(struct gdb_conn *c, u64 tid, u64 addr, void *buf, size_t n)
{
	size_t done = 0;

	if (!transfer(c, tid, addr, buf, n, false))
		return n;
	while (done < n) {
		size_t part = MIN(n - done, PAGE - (addr + done) % PAGE);

		if (transfer(c, tid, addr + done, (u8 *)buf + done, part, false))
			break;
		done += part;
	}
	return done;
}

/* ADDR,LENGTH */
static bool parse(const char **p, u64 *addr, u64 *n)
{
	return gdb_number(p, addr) && gdb_word(p, ",") && gdb_number(p, n);
}

/* A page of a task that is not there: where it went. */
static void not_there(struct gdb_conn *c, u64 addr)
{
	const struct os_task *t = gdb_task(c->g, c->g_tid);
	const struct os *os = gdb_os(c->g);
	char why[200];

	if (t && os && os->why_unmapped && !os->why_unmapped(c->g->m, t, addr, why, sizeof(why)))
		gdb_error_text(c, E_MEM, "%s", why);
	else
		gdb_error(c, E_MEM);
}

/* At most what an answer can hold; a debugger asks again for the rest. */
static u8 *read_some(struct gdb_conn *c, const char *p, size_t most, size_t *n)
{
	u64 addr, len;
	u8 *buf;

	if (!parse(&p, &addr, &len) || *p) {
		gdb_error(c, E_ARGS);
		return NULL;
	}
	len = MIN(len, (u64)most);
	buf = xalloc(len + 1);
	*n = gdb_read(c, c->g_tid, addr, buf, len);
	if (*n || !len)
		return buf;
	free(buf);
	not_there(c, addr);
	return NULL;
}

PACKET_HANDLER(gdb_read_hex)
{
	size_t n;
	AUTO_FREE u8 *buf = read_some(c, p, (GDB_PACKET_MAX - 64) / 2, &n);

	if (buf)
		gdb_put_hex(&c->reply, buf, n);
}

PACKET_HANDLER(gdb_read_binary)
{
	size_t n;
	AUTO_FREE u8 *buf = read_some(c, p, (GDB_PACKET_MAX - 64) / 2, &n);

	if (!buf)
		return;
	strbuf_addc(&c->reply, 'b');
	gdb_put_binary(&c->reply, buf, n);
}

static void write_some(struct gdb_conn *c, u64 addr, void *buf, size_t n)
{
	if (n && transfer(c, c->g_tid, addr, buf, n, true))
		not_there(c, addr);
	else
		gdb_ok(c);
}

PACKET_HANDLER(gdb_write_hex)
{
	u64 addr, n;

	if (!parse(&p, &addr, &n) || !gdb_word(&p, ":") || n > GDB_PACKET_MAX ||
	    (u64)(end - p) != 2 * n) {
		gdb_error(c, E_ARGS);
		return;
	}
	AUTO_FREE u8 *buf = xalloc(n + 1);

	if (gdb_get_hex(p, buf, n))
		gdb_error(c, E_ARGS);
	else
		write_some(c, addr, buf, n);
}

PACKET_HANDLER(gdb_write_binary)
{
	u64 addr, n;

	if (!parse(&p, &addr, &n) || !gdb_word(&p, ":")) {
		gdb_error(c, E_ARGS);
		return;
	}
	AUTO_FREE char *buf = xalloc(end - p + 1);

	memcpy(buf, p, end - p);
	if (gdb_unescape(buf, end - p) != n)
		gdb_error(c, E_ARGS);
	else
		write_some(c, addr, buf, n);
}

/* qSearch:memory:ADDR;LENGTH;PATTERN. What is not mapped does not match. */
static bool search(struct gdb_conn *c, u64 addr, u64 len, const u8 *pattern, size_t n, u64 *at)
{
	AUTO_FREE u8 *buf = xalloc(SEARCH_STEP + n);
	size_t have = 0; /* bytes in buf, which end at addr */

	while (len) {
		size_t part = MIN(len, SEARCH_STEP - addr % PAGE), got;
		u8 *found;

		got = gdb_read(c, c->g_tid, addr, buf + have, part);
		found = memmem(buf, have + got, pattern, n);
		if (found) {
			*at = addr - have + (found - buf);
			return true;
		}
		if (got < part) {
			/* on with the next page */
			size_t skip = PAGE - (addr + got) % PAGE;

			have = 0;
			got += skip;
			if (got > len)
				return false;
		} else {
			size_t keep = MIN(n - 1, have + got);

			memmove(buf, buf + have + got - keep, keep);
			have = keep;
		}
		addr += got;
		len -= got;
	}
	return false;
}

PACKET_HANDLER(gdb_search)
{
	/* a machine that waits hours for one packet cannot even be interrupted */
	const u64 most = 4ull << 30;
	u64 addr, len, at;
	size_t n;

	if (!gdb_number(&p, &addr) || !gdb_word(&p, ";") || !gdb_number(&p, &len) ||
	    !gdb_word(&p, ";") || p == end) {
		gdb_error(c, E_ARGS);
		return;
	}
	AUTO_FREE char *pattern = xmemdup(p, end - p);

	n = gdb_unescape(pattern, end - p);
	if (len > most)
		gdb_error_text(c, E_ARGS, "at most 4 GiB are searched at once");
	else if (search(c, addr, len, (u8 *)pattern, n, &at))
		strbuf_printf(&c->reply, "1,%llx", (unsigned long long)at);
	else
		strbuf_add(&c->reply, "0");
}

/* The CRC of compare-sections, most significant bit first (GDB manual, E.4). */
static void crc_table(u32 table[256])
{
	for (u32 i = 0; i < 256; i++) {
		u32 v = i << 24;

		for (unsigned bit = 0; bit < 8; bit++)
			v = v << 1 ^ (v >> 31 ? 0x04c11db7 : 0);
		table[i] = v;
	}
}

/* qCRC:ADDR,LENGTH */
PACKET_HANDLER(gdb_crc)
{
	u64 addr, len;
	u8 buf[PAGE];
	u32 sum = ~0u, table[256];

	if (!parse(&p, &addr, &len) || *p || len > 1 << 30) {
		gdb_error(c, E_ARGS);
		return;
	}
	crc_table(table);
	while (len) {
		size_t part = MIN(len, (u64)sizeof(buf));

		if (gdb_read(c, c->g_tid, addr, buf, part) != part) {
			gdb_error(c, E_MEM);
			return;
		}
		for (size_t i = 0; i < part; i++)
			sum = sum << 8 ^ table[sum >> 24 ^ buf[i]];
		addr += part;
		len -= part;
	}
	strbuf_printf(&c->reply, "C%x", sum);
}

/* ---- physical memory */

PACKET_HANDLER(gdb_phys_query) { strbuf_addc(&c->reply, c->phys ? '1' : '0'); }

PACKET_HANDLER(gdb_phys_set)
{
	u64 on;

	if (!gdb_number(&p, &on) || *p) {
		gdb_error(c, E_ARGS);
		return;
	}
	c->phys = on;
	gdb_ok(c);
}
