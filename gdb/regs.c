/* SPDX-License-Identifier: GPL-2.0-or-later */
/* regs.c - registers by the numbers of the target description: all of isa->regs, those of one
 * feature together. A task that is on no CPU has those that its kernel saved. */
#include "private.h"
#include <errno.h>

enum { REG_MAX = 64 }; /* bytes */

static size_t bytes_of(const struct cpu_reg *r) { return (r->bits + 7) / 8; }

/* A debugger that was told another architecture (i8086) knows a layout of its own, in which there
 * are the registers of programs only. The others are read one by one. */
static bool apart(const char *feature)
{
	return str_suffix(feature, ".linux") || str_suffix(feature, ".segments") ||
	       str_suffix(feature, ".control");
}

/* Numbers follow the description, in which each feature is one element. */
void gdb_regs_init(struct gdb *g)
{
	const struct cpu_reg *all, *r, *f;
	unsigned n = 0;

	if (!g->isa)
		g->isa = g->m->isa;
	all = g->isa->regs;
	for (r = all; r->name; r++)
		n++;
	g->regs = xcalloc(n + 1, sizeof(*g->regs));
	g->nregs = 0;
	for (f = all; f->name; f++) {
		bool first = true;

		for (r = all; r < f; r++)
			first &= !str_eq(r->feature, f->feature);
		for (r = f; first && r->name; r++)
			if (str_eq(r->feature, f->feature))
				g->regs[g->nregs++] = r;
	}
	for (n = 0; n < g->nregs && !apart(g->regs[n]->feature); n++)
		;
	g->in_g = n;
	g->target_xml = gdb_target_xml(g->isa, g->bfd_name, g->regs, g->nregs);
}

void gdb_regs_fini(struct gdb *g)
{
	free(g->regs);
	free(g->target_xml);
	g->regs = NULL;
	g->target_xml = NULL;
}

void gdb_describe(struct gdb *g, const struct isa *isa, const char *bfd_name)
{
	bool now = g->regs;

	if (now)
		gdb_regs_fini(g);
	g->isa = isa;
	g->bfd_name = bfd_name;
	if (now)
		gdb_regs_init(g);
}

static void swap(u8 *buf, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		u8 b = buf[i];

		buf[i] = buf[n - 1 - i];
		buf[n - 1 - i] = b;
	}
}

static void get(struct cpu *cpu, const struct cpu_reg *r, u8 *buf)
{
	memset(buf, 0, REG_MAX);
	cpu_reg_get(cpu, r, buf);
	if (cpu->isa->big_endian)
		swap(buf, bytes_of(r));
}

/* A set register may do much (a new address space): only when it really changes. */
static void set(struct cpu *cpu, const struct cpu_reg *r, u8 *buf)
{
	u8 old[REG_MAX];

	get(cpu, r, old);
	if (!memcmp(old, buf, bytes_of(r)))
		return;
	if (cpu->isa->big_endian)
		swap(buf, bytes_of(r));
	cpu_reg_set(cpu, r, buf);
}

int gdb_reg_u64(struct gdb *g, struct cpu *cpu, unsigned number, u64 *val)
{
	u8 buf[REG_MAX] = { 0 };

	if (number >= g->nregs || bytes_of(g->regs[number]) > REG_MAX)
		return -EINVAL;
	cpu_reg_get(cpu, g->regs[number], buf);
	*val = ld64le(buf);
	return 0;
}

/* Of a task that is on no CPU: 0, or -ENODATA. */
static int saved(struct gdb *g, const struct os_task *t, const struct cpu_reg *r, u8 *buf)
{
	const struct os *os = gdb_os(g);
	u64 v;

	if (!t || !os || !os->task_reg || os->task_reg(g->m, t, false, r->name, &v))
		return -ENODATA;
	memset(buf, 0, REG_MAX);
	st64le(buf, v);
	if (g->m->isa->big_endian)
		swap(buf, bytes_of(r));
	return 0;
}

void gdb_put_reg(struct gdb_conn *c, struct strbuf *b, u64 tid, unsigned number)
{
	const struct cpu_reg *r = c->g->regs[number];
	struct cpu *cpu = gdb_cpu(c->g, tid);
	u8 buf[REG_MAX];

	if (cpu)
		get(cpu, r, buf);
	if (cpu || !saved(c->g, gdb_task(c->g, tid), r, buf)) {
		gdb_put_hex(b, buf, bytes_of(r));
		return;
	}
	for (size_t i = 0; i < bytes_of(r); i++)
		strbuf_add(b, "xx");
}

void gdb_put_expedited(struct gdb_conn *c, struct strbuf *b, u64 tid)
{
	struct gdb *g = c->g;

	/* told from within an instruction, the state is not all there yet */
	if (g->m->current || !gdb_cpu(g, tid))
		return;
	for (unsigned i = 0; i < g->nregs; i++) {
		const char *type = g->regs[i]->gdb_type;

		if (!str_eq(type, "code_ptr") && !str_eq(type, "data_ptr"))
			continue;
		strbuf_printf(b, "%02x:", i);
		gdb_put_reg(c, b, tid, i);
		strbuf_addc(b, ';');
	}
}

/* ---- packets */

PACKET_HANDLER(gdb_read_regs)
{
	for (unsigned i = 0; i < c->g->in_g; i++)
		gdb_put_reg(c, &c->reply, c->g_tid, i);
}

/* Whose registers may be set: a CPU's. */
static struct cpu *writable(struct gdb_conn *c)
{
	struct cpu *cpu = gdb_cpu(c->g, c->g_tid);

	if (!cpu)
		gdb_error_text(c, E_MEM, "a task that is on no CPU has no registers to be set");
	return cpu;
}

PACKET_HANDLER(gdb_write_regs)
{
	struct cpu *cpu = writable(c);
	u8 buf[REG_MAX];

	for (unsigned i = 0; cpu && i < c->g->nregs && p < end; i++) {
		size_t n = bytes_of(c->g->regs[i]);

		/* a register that the debugger does not know either stays */
		if ((size_t)(end - p) >= 2 * n && *p == 'x') {
			p += 2 * n;
			continue;
		}
		if ((size_t)(end - p) < 2 * n || gdb_get_hex(p, buf, n)) {
			gdb_error(c, E_ARGS);
			return;
		}
		set(cpu, c->g->regs[i], buf);
		p += 2 * n;
	}
	if (cpu)
		gdb_ok(c);
}

PACKET_HANDLER(gdb_read_reg)
{
	u64 number;

	if (!gdb_number(&p, &number) || *p)
		gdb_error(c, E_ARGS);
	else if (number >= c->g->nregs)
		gdb_error(c, E_MEM);
	else
		gdb_put_reg(c, &c->reply, c->g_tid, number);
}

PACKET_HANDLER(gdb_write_reg)
{
	u8 buf[REG_MAX];
	struct cpu *cpu;
	u64 number;
	size_t n;

	if (!gdb_number(&p, &number) || !gdb_word(&p, "=")) {
		gdb_error(c, E_ARGS);
		return;
	}
	if (number >= c->g->nregs) {
		gdb_error(c, E_MEM);
		return;
	}
	n = bytes_of(c->g->regs[number]);
	if ((size_t)(end - p) != 2 * n || gdb_get_hex(p, buf, n)) {
		gdb_error(c, E_ARGS);
		return;
	}
	cpu = writable(c);
	if (!cpu)
		return;
	set(cpu, c->g->regs[number], buf);
	gdb_ok(c);
}
