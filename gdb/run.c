/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run.c - stops and resumptions (GDB manual, E.3 Stop Reply Packets, E.2 vCont, E.8 Notification
 * Packets for non-stop mode). The machine stops as a whole; in non-stop mode it goes on at once
 * with the CPUs that nobody holds. A debugger is told of the stops that it caused, and of those
 * that nobody did. */
#include "private.h"
#include "lib/error.h"
#include <stdio.h>

/* ---- stop replies */

/* Two digits at least, as scripts know them from elsewhere. */
void gdb_put_id(struct gdb_conn *c, struct strbuf *b, u64 tid)
{
	if (c->multiprocess)
		strbuf_printf(b, "p%02x.", GDB_PROCESS);
	strbuf_printf(b, "%02llx", (unsigned long long)tid);
}

static void put_stop(struct gdb_conn *c, struct strbuf *b, const struct gdb_stop *s)
{
	const char *what = s->what;

	if (what &&
	    ((str_eq(what, "swbreak") && !c->swbreak) || (str_eq(what, "hwbreak") && !c->hwbreak) ||
	     (str_eq(what, "library") && !c->libraries && !c->no_file)))
		what = NULL;
	strbuf_printf(b, "T%02xthread:", s->signal);
	gdb_put_id(c, b, s->tid);
	strbuf_addc(b, ';');
	if (what && str_suffix(what, "watch"))
		strbuf_printf(b, "%s:%llx;", what, (unsigned long long)s->addr);
	else if (what)
		strbuf_printf(b, "%s:;", what);
	gdb_put_expedited(c, b, s->tid);
}

static void tell_first(struct gdb_conn *c)
{
	struct strbuf b = { 0 };

	strbuf_add(&b, "Stop:");
	put_stop(c, &b, &c->stops.at[0]);
	gdb_notify(c, b.at, b.n);
	strbuf_fini(&b);
}

static void deliver(struct gdb_conn *c, const struct gdb_stop *s)
{
	struct strbuf b = { 0 };
	struct cpu *cpu = gdb_cpu(c->g, s->tid);

	if (c->nonstop) {
		if (cpu)
			c->act[cpu->index] = DEBUG_HOLD;
		vec_push(&c->stops, *s);
		if (c->stops.n == 1)
			tell_first(c);
		return;
	}
	c->waiting = false;
	c->g_tid = c->c_tid = s->tid;
	put_stop(c, &b, s);
	gdb_send(c, b.at, b.n);
	strbuf_fini(&b);
}

/* ---- going on */

static bool active(const struct gdb_conn *c) { return c->waiting || c->nonstop; }

/* What the debuggers together want of a CPU: a step is somebody's explicit wish, and goes before
 * what holds. */
static enum debug_resume wanted(struct gdb *g, u32 i)
{
	enum debug_resume how = DEBUG_RUN;
	struct gdb_conn *c;

	gdb_each_conn(c, g)
	{
		if (!active(c))
			continue;
		if (c->act[i] == DEBUG_STEP)
			return g->sstep & DEBUG_SSTEP_ENABLE ? DEBUG_STEP : DEBUG_RUN;
		if (c->act[i] == DEBUG_HOLD)
			how = DEBUG_HOLD;
	}
	return how;
}

static bool can_go(const struct machine *m)
{
	/* after these, going on means a new start, which is for the monitor */
	return m->state != RUN_SHUTDOWN && m->state != RUN_INTERNAL_ERROR;
}

void gdb_go(struct gdb *g)
{
	struct machine *m = g->m;
	unsigned sstep = g->sstep;
	bool any = false;

	if (!can_go(m))
		return;
	for (u32 i = 0; i < m->ncpus; i++) {
		enum debug_resume how = wanted(g, i);

		any |= how != DEBUG_HOLD;
		/* a halted CPU steps when something wakes it, for which time must pass */
		if (how == DEBUG_STEP && m->cpu[i]->halted)
			sstep &= ~DEBUG_SSTEP_NOTIMER;
		debug_set_resume(m->cpu[i], how);
	}
	g->tasks_valid = false;
	gdb_modules_watch(g);
	if (any)
		debug_resume(m, sstep);
	else if (m->state == RUN_RUNNING)
		machine_stop(m, RUN_PAUSED);
}

static void go_posted(void *arg)
{
	struct gdb *g = arg;

	if (!g->resume_posted)
		return;
	g->resume_posted = false;
	if (g->m->state == RUN_DEBUG || g->m->state == RUN_PAUSED)
		gdb_go(g);
}

/* Once everybody has been told of the stop. */
static void go_soon(struct gdb *g)
{
	if (g->resume_posted)
		return;
	g->resume_posted = true;
	machine_post(g->m, go_posted, g);
}

/* ---- stopping */

/* A step of vCont;r that has not left its range. */
static bool goes_on(struct gdb_conn *c, struct cpu *cpu)
{
	const struct gdb_range *r = &c->range[cpu->index];
	u64 pc = debug_pc(cpu);

	return pc >= r->lo && pc < r->hi && !gdb_point_at(c, pc);
}

/* Is this debugger to be told? *again: it only wants to go on. */
static bool concerns(struct gdb_conn *c, const struct debug_stop *why, struct gdb_stop *s,
		     bool modules, bool *again)
{
	bool met = gdb_point_met(c, s, why->va);

	if (!active(c))
		return false;
	if (modules && (c->libraries || c->no_file) && !met) {
		s->what = "library";
		return true;
	}
	c->library_owed |= modules && (c->libraries || c->no_file);
	if (why->why == DEBUG_WHY_STEP) {
		if (c->act[why->cpu->index] != DEBUG_STEP)
			return met;
		if (!met && goes_on(c, why->cpu)) {
			*again = true;
			return false;
		}
		if (gdb_point_at(c, debug_pc(why->cpu)))
			s->what = s->what ? s->what : "swbreak";
	}
	/* Points are at linear addresses. With a segment in between, a debugger does not see that
	 * this is its own, and told it is one would take it for an old one and go on. */
	if (s->what && str_suffix(s->what, "break") && debug_pc(why->cpu) != why->cpu->pc)
		s->what = NULL;
	if (why->why == DEBUG_WHY_STEP)
		return true;
	if (why->why == DEBUG_WHY_POINT &&
	    (gdb_point_mine(why->point) || gdb_modules_changed(why->point)))
		return met;
	if (why->why == DEBUG_WHY_REQUEST && why->text) {
		gdb_console(c, why->text, strlen(why->text));
		gdb_console(c, "\n", 1);
	}
	return true;
}

static void on_stopped(struct debug_client *client, const struct debug_stop *why)
{
	struct gdb *g = container_of(client, struct gdb, client);
	bool ours = why->why == DEBUG_WHY_STEP ||
		    (why->why == DEBUG_WHY_POINT &&
		     (gdb_modules_changed(why->point) || gdb_point_mine(why->point)));
	bool modules = gdb_modules_take(g), again = false, holds = false, told = false;
	struct gdb_conn *c;

	g->tasks_valid = false;
	gdb_each_conn(c, g)
	{
		struct gdb_stop s = { .tid = why->cpu->index + 1, .signal = SIG_TRAP };

		if (!concerns(c, why, &s, modules, &again))
			continue;
		told = true;
		holds |= !c->nonstop;
		deliver(c, &s);
	}
	if (!holds && (again || told || (ours && why->why == DEBUG_WHY_POINT)))
		go_soon(g);
}

static u8 state_signal(enum run_state state)
{
	switch (state) {
	case RUN_PAUSED:
		return SIG_INT;
	case RUN_SHUTDOWN:
		return SIG_QUIT;
	case RUN_WATCHDOG:
		return SIG_ALRM;
	case RUN_GUEST_PANICKED:
	case RUN_INTERNAL_ERROR:
		return SIG_ABRT;
	default:
		return SIG_NONE;
	}
}

static void on_state(struct debug_client *client)
{
	struct gdb *g = container_of(client, struct gdb, client);
	u8 signal = state_signal(g->m->state);
	struct gdb_conn *c;

	g->tasks_valid = false;
	if (!signal)
		return;
	gdb_each_conn(c, g)
	{
		struct gdb_stop s = { .tid = c->c_tid, .signal = signal };

		if (g->pauser && g->pauser != c)
			continue;
		if (c->waiting)
			deliver(c, &s);
		/* in non-stop mode a pause by somebody else is one of time only */
		for (u32 i = 0; c->nonstop && i < g->m->ncpus && signal != SIG_INT; i++) {
			s.tid = i + 1;
			if (c->act[i] != DEBUG_HOLD)
				deliver(c, &s);
		}
	}
}

static void on_reset(struct debug_client *client)
{
	struct gdb *g = container_of(client, struct gdb, client);

	g->tasks_valid = false;
	gdb_modules_reset(g);
}

static void on_end(struct debug_client *client, int status)
{
	struct gdb *g = container_of(client, struct gdb, client);
	struct gdb_conn *c;
	char text[8];

	snprintf(text, sizeof(text), "W%02x", status & 0xff);
	gdb_each_conn(c, g) gdb_send(c, text, strlen(text));
}

static void on_known(struct debug_client *client)
{
	gdb_modules_known(container_of(client, struct gdb, client));
}

void gdb_run_init(struct gdb *g)
{
	g->client = (struct debug_client){ .stopped = on_stopped,
					   .state = on_state,
					   .was_reset = on_reset,
					   .os_known = on_known,
					   .ends = on_end };
	debug_add_client(g->m, &g->client);
}

void gdb_run_fini(struct gdb *g) { debug_remove_client(g->m, &g->client); }

static void pause_for(struct gdb_conn *c)
{
	c->g->pauser = c;
	machine_stop(c->g->m, RUN_PAUSED);
	c->g->pauser = NULL;
}

void gdb_interrupt(struct gdb_conn *c)
{
	struct gdb_stop s = { .signal = SIG_INT };
	struct machine *m = c->g->m;
	u32 first = gdb_any_cpu(c->g, c->c_tid)->index;

	/* the CPU of before, or one that has work if that has none */
	for (u32 i = 0; i < m->ncpus; i++) {
		const struct cpu *cpu = m->cpu[(first + i) % m->ncpus];

		if (!s.tid || (!cpu->halted && !cpu->stopped)) {
			s.tid = cpu->index + 1;
			if (!cpu->halted && !cpu->stopped)
				break;
		}
	}
	c->c_tid = s.tid;
	if (c->g->m->state == RUN_RUNNING && c->waiting)
		pause_for(c);
	else if (c->waiting)
		deliver(c, &s); /* somebody else holds the machine already */
}

void gdb_leave(struct gdb_conn *c, bool resume)
{
	struct gdb *g = c->g;
	bool waits = false, held = false;
	struct gdb_conn *o;

	gdb_drop_points(c);
	c->waiting = c->nonstop = false;
	gdb_each_conn(o, g)
	{
		if (o == c)
			continue;
		waits |= active(o);
		held |= !active(o);
	}
	if (!held && (resume || waits) && g->m->state != RUN_RUNNING)
		gdb_go(g);
}

/* ---- packets */

PACKET_HANDLER(gdb_stop_reason)
{
	struct gdb_stop s = { .tid = c->c_tid, .signal = SIG_TRAP };

	gdb_drop_points(c);
	if (!c->nonstop) {
		c->waiting = false;
		put_stop(c, &c->reply, &s);
		return;
	}
	c->stops.n = c->later.n = 0;
	for (u32 i = 0; i < c->g->m->ncpus; i++) {
		s.tid = i + 1;
		s.signal = SIG_NONE;
		if (c->act[i] != DEBUG_HOLD)
			continue;
		if (!c->stops.n)
			vec_push(&c->stops, s);
		else
			vec_push(&c->later, s);
	}
	if (c->stops.n)
		put_stop(c, &c->reply, &c->stops.at[0]);
	else
		gdb_ok(c);
}

/* gdb 13 fails an assertion of its own when it learns of a second stopped thread in the answer to
 * `?`: the others are told as soon as it is through with that. */
void gdb_tell_later(struct gdb_conn *c)
{
	if (!c->later.n || c->stops.n)
		return;
	for (size_t i = 0; i < c->later.n; i++)
		vec_push(&c->stops, c->later.at[i]);
	c->later.n = 0;
	tell_first(c);
}

PACKET_HANDLER(gdb_vstopped)
{
	if (!c->stops.n) {
		gdb_ok(c);
		return;
	}
	c->stops.n--;
	memmove(c->stops.at, c->stops.at + 1, c->stops.n * sizeof(*c->stops.at));
	if (c->stops.n)
		put_stop(c, &c->reply, &c->stops.at[0]);
	else
		gdb_ok(c);
}

/* From here on the machine runs; the answer is the next stop reply. */
static void wait_for_stop(struct gdb_conn *c)
{
	if (c->nonstop) {
		gdb_ok(c);
	} else {
		c->waiting = true;
		c->replied = true;
	}
	if (c->library_owed && c->waiting) {
		struct gdb_stop s = { .tid = c->c_tid, .signal = SIG_TRAP, .what = "library" };

		c->library_owed = false;
		deliver(c, &s);
		return;
	}
	gdb_go(c->g);
}

static void set_all(struct gdb_conn *c, enum debug_resume how)
{
	for (u32 i = 0; i < c->g->m->ncpus; i++) {
		c->act[i] = how;
		c->range[i] = (struct gdb_range){ 0 };
	}
}

/* c, s: [ADDR]; C, S: SIGNAL[;ADDR]. Signals mean nothing to a machine. */
static void go_from(struct gdb_conn *c, const char *p, bool signal, enum debug_resume how)
{
	struct cpu *cpu = gdb_cpu(c->g, c->c_tid);
	u64 pc = 0, number;
	bool ok = !signal || gdb_number(&p, &number), given;

	if (signal && ok)
		ok = gdb_word(&p, ";") || !*p;
	given = ok && gdb_number(&p, &pc);
	if (!ok || *p || (given && !cpu)) {
		gdb_error(c, E_ARGS);
		return;
	}
	if (!cpu && how == DEBUG_STEP) {
		gdb_error_text(c, E_ARGS, "a task that is on no CPU cannot be stepped");
		return;
	}
	if (given)
		cpu->pc = pc;
	set_all(c, DEBUG_RUN);
	if (cpu)
		c->act[cpu->index] = how;
	wait_for_stop(c);
}

PACKET_HANDLER(gdb_continue) { go_from(c, p, false, DEBUG_RUN); }
PACKET_HANDLER(gdb_step) { go_from(c, p, false, DEBUG_STEP); }
PACKET_HANDLER(gdb_continue_signal) { go_from(c, p, true, DEBUG_RUN); }
PACKET_HANDLER(gdb_step_signal) { go_from(c, p, true, DEBUG_STEP); }

PACKET_HANDLER(gdb_vcont_query) { strbuf_add(&c->reply, "vCont;c;C;s;S;t;r"); }

/* One action of vCont, for the threads that id names. */
struct action {
	char kind;
	struct gdb_range range;
	struct gdb_tid id;
};

static bool parse_action(const char **p, struct action *a)
{
	u64 signal;

	*a = (struct action){ .kind = **p, .id = { GDB_ALL, GDB_ALL } };
	if (!a->kind || !strchr("cCsStr", a->kind))
		return false;
	(*p)++;
	if ((a->kind == 'C' || a->kind == 'S') && !gdb_number(p, &signal))
		return false;
	if (a->kind == 'r' &&
	    (!gdb_number(p, &a->range.lo) || !gdb_word(p, ",") || !gdb_number(p, &a->range.hi)))
		return false;
	if (gdb_word(p, ":") && !gdb_thread_id(p, &a->id))
		return false;
	return !**p || **p == ';';
}

static bool names(struct gdb *g, const struct action *a, const struct cpu *cpu)
{
	if (a->id.pid > 0 && a->id.pid != GDB_PROCESS)
		return false;
	return a->id.tid == GDB_ALL || gdb_cpu(g, a->id.tid) == cpu;
}

/* In non-stop mode: stand still. Tasks that are on no CPU do already. */
static void stop_one(struct gdb_conn *c, struct cpu *cpu)
{
	struct gdb_stop s = { .tid = cpu->index + 1, .signal = SIG_NONE };

	if (c->act[cpu->index] == DEBUG_HOLD)
		return;
	deliver(c, &s);
}

static void apply(struct gdb_conn *c, const struct action *a, struct cpu *cpu)
{
	u32 i = cpu->index;

	c->range[i] = a->range;
	switch (a->kind) {
	case 'c':
	case 'C':
		c->act[i] = DEBUG_RUN;
		break;
	case 't':
		if (c->nonstop)
			stop_one(c, cpu);
		break;
	default:
		c->act[i] = DEBUG_STEP;
	}
}

/* A task that is on no CPU cannot step, and stands already. */
static bool check_task(struct gdb_conn *c, const struct action *a)
{
	struct gdb_stop s = { .tid = a->id.tid, .signal = SIG_NONE };

	if (a->id.tid <= 0 || gdb_cpu(c->g, a->id.tid))
		return true;
	if (a->kind == 't' && c->nonstop && gdb_task(c->g, a->id.tid))
		deliver(c, &s);
	return a->kind == 't' || a->kind == 'c' || a->kind == 'C';
}

PACKET_HANDLER(gdb_vcont)
{
	struct machine *m = c->g->m;
	VEC(struct action) act = { 0 };
	bool ok = *p == ';', can = true;

	while (ok && *p == ';') {
		struct action a;

		p++;
		ok = parse_action(&p, &a);
		if (ok)
			vec_push(&act, a);
	}
	for (size_t k = 0; ok && k < act.n; k++)
		can &= check_task(c, &act.at[k]);
	if (!ok || !can) {
		if (ok)
			gdb_error_text(c, E_ARGS, "a task that is on no CPU cannot be stepped");
		else
			gdb_error(c, E_ARGS);
		vec_free(&act);
		return;
	}
	if (!c->nonstop)
		set_all(c, DEBUG_HOLD);
	for (u32 i = 0; i < m->ncpus; i++) {
		for (size_t k = 0; k < act.n; k++) {
			if (!names(c->g, &act.at[k], m->cpu[i]))
				continue;
			apply(c, &act.at[k], m->cpu[i]);
			break;
		}
	}
	vec_free(&act);
	wait_for_stop(c);
}

/* One CPU that runs, the one of before if it does. */
PACKET_HANDLER(gdb_vctrlc)
{
	struct machine *m = c->g->m;
	struct cpu *cpu = gdb_any_cpu(c->g, c->c_tid);

	gdb_ok(c);
	for (u32 i = 0; c->nonstop && i < m->ncpus; i++) {
		struct gdb_stop s = { .tid = (cpu->index + i) % m->ncpus + 1, .signal = SIG_INT };

		if (c->act[s.tid - 1] == DEBUG_HOLD)
			continue;
		deliver(c, &s);
		gdb_go(c->g);
		break;
	}
}

PACKET_HANDLER(gdb_vattach)
{
	struct gdb_stop s = { .tid = c->c_tid, .signal = SIG_TRAP };
	u64 pid;

	if (!gdb_number(&p, &pid) || *p || pid != GDB_PROCESS) {
		gdb_error(c, E_ARGS);
		return;
	}
	if (c->g->m->state == RUN_RUNNING)
		pause_for(c);
	if (c->nonstop)
		gdb_ok(c);
	else
		put_stop(c, &c->reply, &s);
}

PACKET_HANDLER(gdb_set_nonstop)
{
	if (*p != '0' && *p != '1') {
		gdb_error(c, E_ARGS);
		return;
	}
	c->nonstop = *p == '1';
	c->stops.n = c->later.n = 0;
	/* the machine stands since the debugger came */
	set_all(c, c->nonstop ? DEBUG_HOLD : DEBUG_RUN);
	gdb_ok(c);
}
