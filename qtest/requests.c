/* SPDX-License-Identifier: GPL-2.0-or-later */
/* requests.c - what a test may ask (QEMU, docs/devel/testing/qtest): a line of words, the first
 * names the request; the answer is "OK", "OK VALUE", "FAIL why" or "ERR why". Numbers are decimal
 * or 0x hexadecimal. */
#include "qtest/private.h"
#include "core/cpu.h"
#include "core/irq.h"
#include "lib/alloc.h"
#include "lib/base64.h"
#include "lib/error.h"
#include <ctype.h>

enum { WORDS_MOST = 4, CHUNK = 1 << 16 };
/* What the words after the name have to be: numbers, or text. */
struct request {
	const char *name;
	u8 words, optional; /* as many there must be, and as many more there may be */
	u8 numbers;	    /* bit n: word n is a number */
	u8 size;	    /* of the access */
	void (*run)(struct qtest *q, const struct request *r, char **word, const u64 *val);
};
#define RUN(name) \
	static void name(struct qtest *q, const struct request *r, char **word, const u64 *val)

static const struct mem_attrs plain = { 0 };

/* ---- accesses */

static bool is_port(struct qtest *q, u64 addr)
{
	if (addr <= 0xffff)
		return true;
	qtest_reply(q, "FAIL there is no port %#llx: the last is 0xffff", (unsigned long long)addr);
	return false;
}

RUN(port_in)
{
	u64 v = 0;

	if (!is_port(q, val[0]))
		return;
	space_ld(&q->m->io, val[0], r->size, &v, plain);
	qtest_reply(q, "OK 0x%04llx", (unsigned long long)v);
}

RUN(port_out)
{
	if (!is_port(q, val[0]))
		return;
	space_st(&q->m->io, val[0], r->size, val[1], plain);
	qtest_reply(q, "OK");
}

RUN(memory_load)
{
	u64 v = 0;

	space_ld(&q->m->memory, val[0], r->size, &v, plain);
	qtest_reply(q, "OK 0x%016llx", (unsigned long long)v);
}

RUN(memory_store)
{
	space_st(&q->m->memory, val[0], r->size, val[1], plain);
	qtest_reply(q, "OK");
}

static bool is_length(struct qtest *q, u64 n, u64 least)
{
	if (n >= least && n <= LENGTH_MOST)
		return true;
	qtest_reply(q, "FAIL a length is %llu to %u, not %llu", (unsigned long long)least,
		    LENGTH_MOST, (unsigned long long)n);
	return false;
}

static void read_as(struct qtest *q, const u64 *val, const char *prefix,
		    void (*encode)(struct strbuf *to, const void *data, size_t n))
{
	struct strbuf b = { 0 };
	u8 *data;

	if (!is_length(q, val[1], 1))
		return;
	data = xalloc(val[1]);
	space_read(&q->m->memory, val[0], data, val[1], plain);
	encode(&b, data, val[1]);
	free(data);
	qtest_reply(q, "OK %s%s", prefix, strbuf_str(&b));
	strbuf_fini(&b);
}

RUN(read_hex) { read_as(q, val, "0x", hex_encode); }

RUN(read_base64) { read_as(q, val, "", base64_encode); }

/* What is short of the length is zero, what is more is left. */
static void write_decoded(struct qtest *q, const u64 *val, const struct strbuf *b, bool pad)
{
	u64 n = pad ? val[1] : MIN(val[1], (u64)b->n);
	u8 *data = xcalloc(1, n + 1);

	memcpy(data, strbuf_str(b), MIN(n, (u64)b->n));
	space_write(&q->m->memory, val[0], data, n, plain);
	free(data);
	qtest_reply(q, "OK");
}

RUN(write_hex)
{
	struct strbuf b = { 0 };
	const char *text = word[2];

	str_prefix(text, "0x", &text);
	if (!*text)
		qtest_reply(q, "ERR invalid argument size");
	else if (hex_decode(&b, text))
		qtest_reply(q, "FAIL '%.40s' is no even number of hexadecimal digits", word[2]);
	else if (is_length(q, val[1], 0))
		write_decoded(q, val, &b, true);
	strbuf_fini(&b);
}

RUN(write_base64)
{
	struct strbuf b = { 0 };

	if (base64_decode(&b, word[2]))
		qtest_reply(q, "FAIL '%.40s' is not base64", word[2]);
	else if (is_length(q, val[1], 0))
		write_decoded(q, val, &b, false);
	strbuf_fini(&b);
}

RUN(fill)
{
	u8 data[CHUNK];

	if (!is_length(q, val[1], 0))
		return;
	memset(data, (int)(val[2] & 0xff), sizeof(data));
	for (u64 at = 0; at < val[1]; at += CHUNK)
		space_write(&q->m->memory, val[0] + at, data, MIN(val[1] - at, (u64)CHUNK), plain);
	qtest_reply(q, "OK");
}

RUN(endianness) { qtest_reply(q, "OK %s", q->m->isa && q->m->isa->big_endian ? "big" : "little"); }

/* ---- time */

static void step_to(struct qtest *q, u64 to)
{
	struct clock *c = &q->m->clock;

	clock_step(c, MAX(to, clock_now(c)));
	qtest_reply(q, "OK %llu", (unsigned long long)clock_now(c));
}

static bool has_clock(struct qtest *q, const char *name)
{
	if (q->m->driven)
		return true;
	qtest_reply(q, "FAIL Unknown command '%s': the clock is moved with -accel qtest only",
		    name);
	return false;
}

RUN(clock_forward)
{
	u64 now = clock_now(&q->m->clock), next = clock_next(&q->m->clock), to;

	if (!has_clock(q, r->name))
		return;
	if (!word[0])
		to = next == ~0ull ? now : next;
	else if (add_overflow(now, val[0], &to) || (s64)to < 0) {
		qtest_reply(q, "FAIL %s is too far away", word[0]);
		return;
	}
	step_to(q, to);
}

RUN(clock_to)
{
	if (!has_clock(q, r->name))
		return;
	if ((s64)val[0] < 0)
		qtest_reply(q, "FAIL %s is too far away", word[0]);
	else
		step_to(q, val[0]);
}

/* ---- lines */

static void line_changed(void *arg, unsigned n, int level)
{
	struct qtest *q = arg;

	if (n >= LINES_MOST || q->level[n] == !!level)
		return;
	q->level[n] = !!level;
	qtest_reply(q, "IRQ %s %u", level ? "raise" : "lower", n);
}

/* NULL when there is nothing to be done, which has been answered. */
static struct device *to_listen(struct qtest *q, const char *path)
{
	struct device *d = device_by_path(q->m, path);

	if (!d)
		qtest_reply(q, "FAIL Unknown device");
	else if (q->listened && str_eq(q->listened, d->id))
		qtest_reply(q, "OK");
	else if (q->listened)
		qtest_reply(q, "FAIL IRQ intercept already enabled");
	else
		return d;
	return NULL;
}

static void listens(struct qtest *q, const struct device *d)
{
	q->listened = xstrdup(d->id);
	qtest_reply(q, "OK");
}

RUN(intercept_in)
{
	struct device *d = to_listen(q, word[0]);

	if (!d)
		return;
	if (!d->class->inputs) {
		qtest_reply(q, "FAIL device '%s' has no inputs", d->id);
		return;
	}
	irq_watch_inputs(d, line_changed, q);
	listens(q, d);
}

/* Without a name, and by the one that QEMU gives to those of a board's devices: all outputs. */
RUN(intercept_out)
{
	const char *name = word[1] && !str_eq(word[1], "sysbus-irq") ? word[1] : NULL;
	struct device *d = to_listen(q, word[0]);
	unsigned n = 0;

	if (!d)
		return;
	while (n < LINES_MOST && device_output(d, name, n))
		irq_connect(d, name, n, line_changed, q, n), n++;
	if (n)
		listens(q, d);
	else
		qtest_reply(q, "FAIL device '%s' has no output%s%s", d->id, name ? " " : "s",
			    name ? name : "");
}

RUN(set_irq_in)
{
	struct device *d = device_by_path(q->m, word[0]);

	if (!d)
		qtest_reply(q, "FAIL Unknown device");
	else if (!str_eq(word[1], "unnamed-gpio-in") || val[2] >= d->class->inputs)
		qtest_reply(q, "FAIL device '%s' has no input %s %llu", d->id, word[1],
			    (unsigned long long)val[2]);
	else {
		irq_drive_input(d, (unsigned)val[2], val[3] != 0);
		qtest_reply(q, "OK");
	}
}

/* ---- others */

/* A shared object with devices; in QEMU it is one of its own, and those are built in here. */
RUN(module_load)
{
	AUTO_FREE char *path =
		xasprintf("%s%s%s", word[0], word[1], str_suffix(word[1], ".so") ? "" : ".so");
	struct error e = { 0 };
	const char *class;

	if (device_load_object(path, &class, &e))
		qtest_reply(q, "FAIL %s", e.text);
	else
		qtest_reply(q, "OK");
	error_clear(&e);
}

static const struct request requests[] = {
	{ "endianness", .run = endianness },
	{ "inb", 1, 0, 1, 1, port_in },
	{ "inw", 1, 0, 1, 2, port_in },
	{ "inl", 1, 0, 1, 4, port_in },
	{ "outb", 2, 0, 3, 1, port_out },
	{ "outw", 2, 0, 3, 2, port_out },
	{ "outl", 2, 0, 3, 4, port_out },
	{ "readb", 1, 0, 1, 1, memory_load },
	{ "readw", 1, 0, 1, 2, memory_load },
	{ "readl", 1, 0, 1, 4, memory_load },
	{ "readq", 1, 0, 1, 8, memory_load },
	{ "writeb", 2, 0, 3, 1, memory_store },
	{ "writew", 2, 0, 3, 2, memory_store },
	{ "writel", 2, 0, 3, 4, memory_store },
	{ "writeq", 2, 0, 3, 8, memory_store },
	{ "read", 2, 0, 3, 0, read_hex },
	{ "write", 3, 0, 3, 0, write_hex },
	{ "b64read", 2, 0, 3, 0, read_base64 },
	{ "b64write", 3, 0, 3, 0, write_base64 },
	{ "memset", 3, 0, 7, 0, fill },
	{ "clock_step", 0, 1, 1, 0, clock_forward },
	{ "clock_set", 1, 0, 1, 0, clock_to },
	{ "irq_intercept_in", 1, 0, 0, 0, intercept_in },
	{ "irq_intercept_out", 1, 1, 0, 0, intercept_out },
	{ "set_irq_in", 4, 0, 0xc, 0, set_irq_in },
	{ "module_load", 2, 0, 0, 0, module_load },
};

/* Cuts at blanks; returns how many words there are, at most one more than fit. */
static unsigned cut(char *line, char **word)
{
	unsigned n = 0;

	for (char *w; (w = strsep(&line, " \t"));) {
		if (!*w)
			continue;
		if (n > WORDS_MOST)
			return n + 1;
		word[n++] = w;
	}
	return n;
}

/* A negative number means what it does in C. */
static int number(const char *text, u64 *v)
{
	s64 negative;

	if (*text != '-')
		return str_to_u64(text, 0, v);
	if (str_to_s64(text, 0, &negative))
		return -1;
	*v = (u64)negative;
	return 0;
}

static void run(struct qtest *q, const struct request *r, char **word, unsigned n)
{
	u64 val[WORDS_MOST] = { 0 };

	if (n < r->words || n > r->words + r->optional) {
		qtest_reply(q, "FAIL %s takes %u%s words, not %u", r->name, r->words,
			    r->optional ? " or more" : "", n);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		if (!(r->numbers >> i & 1) || !number(word[i], &val[i]))
			continue;
		qtest_reply(q, "FAIL '%.40s' is no number", word[i]);
		return;
	}
	r->run(q, r, word, val);
}

void qtest_request(struct qtest *q, char *line)
{
	char *word[WORDS_MOST + 2] = { NULL };
	unsigned n = cut(line, word);

	if (!n)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		if (str_eq(requests[i].name, word[0])) {
			run(q, &requests[i], word + 1, n - 1);
			return;
		}
	}
	qtest_reply(q, "FAIL Unknown command '%s'", word[0]);
}
