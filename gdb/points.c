/* SPDX-License-Identifier: GPL-2.0-or-later */
/* points.c - breakpoints and watchpoints of a debugger (GDB manual, E.2 Z packets), with their
 * conditions and commands, which are agent expressions. */
#include "private.h"
#include "agent.h"

struct code {
	u8 *at;
	size_t n;
};

struct gdb_point {
	struct debug_point p;
	struct gdb_conn *c;
	struct list link;
	u8 type;  /* of the packet: 0 software, 1 hardware, 2 write, 3 read, 4 access */
	bool met; /* it stopped the machine, which is to be told */
	VEC(struct code) conditions, commands;
};

static const enum debug_kind kinds[] = { DEBUG_EXEC, DEBUG_EXEC, DEBUG_WRITE, DEBUG_READ,
					 DEBUG_ACCESS };

/* ---- when it is met */

struct asked {
	struct gdb_conn *c;
	struct cpu *cpu;
};

static int ask_memory(void *arg, u64 addr, void *buf, size_t n)
{
	const struct asked *a = arg;

	return debug_read(a->cpu, addr, buf, n);
}

static int ask_reg(void *arg, unsigned number, u64 *val)
{
	const struct asked *a = arg;

	return gdb_reg_u64(a->c->g, a->cpu, number, val);
}

/* In non-stop mode there is no packet that could carry it. */
static void ask_print(void *arg, const char *text, size_t n)
{
	const struct asked *a = arg;

	if (a->c->waiting)
		gdb_console(a->c, text, n);
}

static struct agent_guest agent_of(struct asked *a)
{
	return (struct agent_guest){ .read = ask_memory,
				     .reg = ask_reg,
				     .print = ask_print,
				     .arg = a,
				     .big_endian = a->cpu->isa->big_endian };
}

/* A condition that cannot be evaluated stops, so that the user sees why. */
static bool holds(struct gdb_point *p, struct asked *a)
{
	struct agent_guest guest = agent_of(a);
	u64 v;

	for (size_t i = 0; i < p->conditions.n; i++) {
		const struct code *code = &p->conditions.at[i];

		if (agent_eval(&guest, code->at, code->n, &v) || v)
			return true;
	}
	return !p->conditions.n;
}

/* `monitor only`: this task's, if the guest's system is known. */
static bool right_task(struct gdb_conn *c, struct cpu *cpu)
{
	if (!c->only_pid && !c->only_comm[0])
		return true;
	return os_current_is(cpu, c->only_pid, c->only_comm[0] ? c->only_comm : NULL);
}

static bool on_hit(struct debug_point *dp, struct cpu *cpu, u64 va)
{
	struct gdb_point *p = container_of(dp, struct gdb_point, p);
	struct asked a = { p->c, cpu };
	struct agent_guest guest = agent_of(&a);
	u64 v;

	if (!right_task(p->c, cpu) || !holds(p, &a))
		return false;
	for (size_t i = 0; i < p->commands.n; i++)
		if (agent_eval(&guest, p->commands.at[i].at, p->commands.at[i].n, &v))
			ask_print(&a, "<the arguments cannot be read>\n", 31);
	p->met = !p->commands.n;
	return p->met;
}

bool gdb_point_mine(const struct debug_point *p) { return p->hit == on_hit; }

bool gdb_point_met(struct gdb_conn *c, struct gdb_stop *stop, u64 va)
{
	static const char *const what[] = { "swbreak", "hwbreak", "watch", "rwatch", "awatch" };
	struct gdb_point *p;
	bool met = false;

	list_for_each (p, &c->points, link) {
		if (!p->met)
			continue;
		/* a breakpoint tells more than the watchpoint of the instruction before it */
		if (!met || p->type < 2) {
			stop->what = what[p->type];
			stop->addr = p->p.va;
		}
		p->met = false;
		met = true;
	}
	return met;
}

bool gdb_point_at(struct gdb_conn *c, u64 va)
{
	struct gdb_point *p;

	list_for_each (p, &c->points, link)
		if (p->type < 2 && p->p.va == va)
			return true;
	return false;
}

/* ---- inserting and removing */

static void forget_code(struct gdb_point *p)
{
	for (size_t i = 0; i < p->conditions.n; i++)
		free(p->conditions.at[i].at);
	for (size_t i = 0; i < p->commands.n; i++)
		free(p->commands.at[i].at);
	vec_free(&p->conditions);
	vec_free(&p->commands);
}

static void point_free(struct gdb_point *p)
{
	debug_disarm(p->c->g->m, &p->p);
	list_del(&p->link);
	forget_code(p);
	free(p);
}

void gdb_drop_points(struct gdb_conn *c)
{
	struct gdb_point *p, *tmp;

	list_for_each_safe (p, tmp, &c->points, link)
		point_free(p);
}

static struct gdb_point *find(struct gdb_conn *c, unsigned type, u64 addr, u64 len)
{
	struct gdb_point *p;

	list_for_each (p, &c->points, link)
		if (p->type == type && p->p.va == addr && (type < 2 || p->p.len == len))
			return p;
	return NULL;
}

/* X LEN,CODE */
static bool parse_code(const char **p, const char *end, struct code *code)
{
	u64 n;

	if (!gdb_word(p, "X") || !gdb_number(p, &n) || !gdb_word(p, ",") || n > (u64)(end - *p) / 2)
		return false;
	code->n = n;
	code->at = xalloc(n + 1);
	if (gdb_get_hex(*p, code->at, n)) {
		free(code->at);
		return false;
	}
	*p += 2 * n;
	return true;
}

/* [;X...[X...]][;cmds:PERSIST,X...[X...]]: they replace those of before. */
static bool parse_codes(struct gdb_point *pt, const char *p, const char *end)
{
	struct code code;
	u64 persist;

	forget_code(pt);
	while (gdb_word(&p, ";")) {
		bool commands = gdb_word(&p, "cmds:");

		if (commands && (!gdb_number(&p, &persist) || !gdb_word(&p, ",")))
			return false;
		while (*p == 'X') {
			if (!parse_code(&p, end, &code))
				return false;
			if (commands)
				vec_push(&pt->commands, code);
			else
				vec_push(&pt->conditions, code);
			/* commands follow each other with or without a comma */
			if (commands && *p == ',')
				p++;
		}
	}
	return !*p;
}

/* TYPE,ADDR,KIND */
static bool parse(const char **p, u64 *type, u64 *addr, u64 *len)
{
	return gdb_number(p, type) && gdb_word(p, ",") && gdb_number(p, addr) && gdb_word(p, ",") &&
	       gdb_number(p, len);
}

PACKET_HANDLER(gdb_insert_point)
{
	u64 type, addr, len, last;
	struct gdb_point *pt;

	if (!parse(&p, &type, &addr, &len)) {
		gdb_error(c, E_ARGS);
		return;
	}
	if (type >= ARRAY_SIZE(kinds))
		return;
	if (type >= 2 && (!len || add_overflow(addr, len - 1, &last))) {
		gdb_error(c, E_ARGS);
		return;
	}
	pt = find(c, type, addr, len);
	if (!pt) {
		pt = NEW(struct gdb_point);
		pt->c = c;
		pt->type = type;
		pt->p = (struct debug_point){
			.kind = kinds[type], .va = addr, .len = len, .hit = on_hit, .owner = c
		};
		list_add_tail(&c->points, &pt->link);
	}
	if (!parse_codes(pt, p, end)) {
		point_free(pt);
		gdb_error(c, E_ARGS);
		return;
	}
	debug_arm(c->g->m, &pt->p);
	gdb_ok(c);
}

PACKET_HANDLER(gdb_remove_point)
{
	u64 type, addr, len;
	struct gdb_point *pt;

	if (!parse(&p, &type, &addr, &len) || *p) {
		gdb_error(c, E_ARGS);
		return;
	}
	if (type >= ARRAY_SIZE(kinds))
		return;
	pt = find(c, type, addr, len);
	if (!pt) {
		gdb_error(c, E_ARGS);
		return;
	}
	point_free(pt);
	gdb_ok(c);
}
