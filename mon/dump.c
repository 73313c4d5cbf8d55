/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dump.c - x, xp and print: guest memory and numbers for people, in the layout that scripts parse.
 */
#include "core/command.h"
#include "core/cpu.h"
#include "core/debug.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static void add_char(struct strbuf *b, u8 c)
{
	switch (c) {
	case '\'':
		strbuf_add(b, "'\\''");
		break;
	case '\\':
		strbuf_add(b, "'\\\\'");
		break;
	case '\n':
		strbuf_add(b, "'\\n'");
		break;
	case '\r':
		strbuf_add(b, "'\\r'");
		break;
	default:
		strbuf_printf(b, c >= 32 && c <= 126 ? "'%c'" : "'\\x%02x'", c);
	}
}

/* ---- memory */

struct source {
	struct command_call *c;
	bool physical;
};

/* Physical addresses at which nobody answers read as all ones, as CPUs see it. */
static int fetch(const struct source *s, u64 addr, void *buf, size_t n)
{
	if (!s->physical)
		return debug_read(s->c->cpu, addr, buf, n);
	space_read(&s->c->m->memory, addr, buf, n, (struct mem_attrs){ .debug = 1 });
	return 0;
}

static void add_item(struct strbuf *b, const struct command_format *f, const u8 *p, bool big_endian)
{
	unsigned bits = f->size * 8;
	u64 v = 0;

	for (unsigned i = 0; i < f->size; i++)
		v |= (u64)p[i] << 8 * (big_endian ? f->size - 1 - i : i);
	strbuf_addc(b, ' ');
	switch (f->format) {
	case 'o':
		strbuf_printf(b, "%#*" PRIo64, (bits + 2) / 3, v);
		break;
	case 'u':
		strbuf_printf(b, "%*" PRIu64, (bits * 10 + 32) / 33, v);
		break;
	case 'd':
		strbuf_printf(b, "%*" PRId64, (bits * 10 + 32) / 33,
			      (s64)(v << (64 - bits)) >> (64 - bits));
		break;
	case 'c':
		add_char(b, (u8)v);
		break;
	default:
		strbuf_printf(b, "0x%0*" PRIx64, f->size * 2, v);
	}
}

static void dump_data(const struct source *s, u64 addr, struct command_format f)
{
	bool big = s->c->m->isa && s->c->m->isa->big_endian;
	u64 left = (u64)f.count * f.size;
	struct strbuf line = { 0 };
	u8 buf[16];

	while (left) {
		size_t n = MIN(left, f.size == 1 ? (u64)8 : (u64)16);

		line.n = 0;
		strbuf_printf(&line, "%016" PRIx64 ":", addr);
		if (fetch(s, addr, buf, n)) {
			command_print(s->c, "%s Cannot access memory\n", strbuf_str(&line));
			break;
		}
		for (size_t i = 0; i < n; i += f.size)
			add_item(&line, &f, buf + i, big);
		command_print(s->c, "%s\n", strbuf_str(&line));
		addr += n;
		left -= n;
	}
	strbuf_fini(&line);
}

/* As much of 16 bytes as can be read. */
static unsigned fetch_code(const struct source *s, u64 addr, u8 *buf)
{
	unsigned n = 16;

	if (!fetch(s, addr, buf, n))
		return n;
	n = 4096 - (addr & 4095);
	return n < 16 && !fetch(s, addr, buf, n) ? n : 0;
}

/* Eight bytes of an instruction, or the rest of a longer one. */
static void print_code(struct command_call *c, u64 addr, const u8 *code, unsigned n,
		       const char *text)
{
	char bytes[8 * 3 + 1] = "";

	for (unsigned i = 0; i < MIN(n, 8u); i++)
		snprintf(bytes + 3 * i, 4, " %02x", code[i]);
	if (text)
		command_print(c, "0x%08" PRIx64 ": %-24s  %s\n", addr, bytes, text);
	else
		command_print(c, "0x%08" PRIx64 ": %s\n", addr, bytes);
	if (n > 8)
		print_code(c, addr + 8, code + 8, n - 8, NULL);
}

static int dump_code(const struct source *s, u64 addr, u32 count, struct error *e)
{
	struct cpu *cpu = s->c->cpu;
	char text[160];
	u8 code[16];

	if (!cpu || !cpu->isa->disasm)
		return error_ret(e, -ENOTSUP, "there is no disassembler for this machine");
	for (; count; count--) {
		unsigned avail = fetch_code(s, addr, code), n;

		if (!avail) {
			command_print(s->c, "0x%08" PRIx64 ": Cannot access memory\n", addr);
			return 0;
		}
		n = cpu->isa->disasm(cpu, addr, code, avail, text, sizeof(text));
		if (!n) {
			n = 1;
			snprintf(text, sizeof(text), ".byte    0x%02x", code[0]);
		}
		print_code(s->c, addr, code, n, text);
		addr += n;
	}
	return 0;
}

static int dump(struct command_call *c, bool physical, struct error *e)
{
	const struct source s = { c, physical };
	struct command_format f = call_format(c, "fmt");
	u64 addr = (u64)call_int(c, "addr", 0);

	if (!physical && !c->cpu)
		return error_ret(e, -ENOTSUP, "there is no CPU whose memory could be shown");
	if (f.format == 'i')
		return dump_code(&s, addr, f.count, e);
	if (f.format == 'c')
		f.size = 1;
	dump_data(&s, addr, f);
	return 0;
}

static int x(struct command_call *c, struct error *e) { return dump(c, false, e); }
static int xp(struct command_call *c, struct error *e) { return dump(c, true, e); }

static const struct command_arg x_args[] = { { "fmt", ARG_FORMAT }, { "addr", ARG_INT }, {} };
COMMAND(x, .hmp = "x", .args = x_args, .run = x,
	.doc = "show virtual memory; /fmt is COUNT, one of x d u o c i, one of b h w g");
COMMAND(xp, .hmp = "xp", .args = x_args, .run = xp,
	.doc = "show physical memory; /fmt is COUNT, one of x d u o c i, one of b h w g");

/* ---- numbers */

static const struct command_arg print_args[] = { { "fmt", ARG_FORMAT }, { "val", ARG_INT }, {} };
static int print(struct command_call *c, struct error *e)
{
	struct command_format f = call_format(c, "fmt");
	u64 v = (u64)call_int(c, "val", 0);
	struct strbuf b = { 0 };

	switch (f.format) {
	case 'o':
		strbuf_printf(&b, "%#" PRIo64, v);
		break;
	case 'u':
		strbuf_printf(&b, "%" PRIu64, v);
		break;
	case 'd':
		strbuf_printf(&b, "%" PRId64, (s64)v);
		break;
	case 'c':
		add_char(&b, (u8)v);
		break;
	default:
		strbuf_printf(&b, "%#" PRIx64, v);
	}
	command_print(c, "%s\n", strbuf_str(&b));
	strbuf_fini(&b);
	return 0;
}
COMMAND(print_value, .hmp = "print|p", .args = print_args, .run = print,
	.doc = "show the value of an expression; $NAME is a register");
