/* SPDX-License-Identifier: GPL-2.0-or-later */
/* threads.c - threads of a debugger: the CPUs, and the tasks of the guest's system where that is
 * known and wished. A task that a CPU executes is that CPU; the others stand still. */
#include "private.h"

const struct os *gdb_os(struct gdb *g)
{
	const struct os *os = os_of(g->m);

	return os && os->ready && os->ready(g->m) ? os : NULL;
}

/* ---- tasks */

static void add_task(void *arg, const struct os_task *t)
{
	struct gdb *g = arg;

	/* the idle tasks all have pid 0: they are the CPUs */
	if (t->pid)
		vec_push(&g->task, *t);
}

void gdb_list_tasks(struct gdb *g)
{
	const struct os *os = gdb_os(g);

	if (g->tasks_valid && g->m->state != RUN_RUNNING)
		return;
	g->task.n = 0;
	if (os && os->tasks && os->tasks(g->m, add_task, g))
		g->task.n = 0;
	g->tasks_valid = true;
}

const struct os_task *gdb_task(struct gdb *g, u64 tid)
{
	if (tid < TASK_BASE)
		return NULL;
	gdb_list_tasks(g);
	for (size_t i = 0; i < g->task.n; i++)
		if (g->task.at[i].pid == tid - TASK_BASE)
			return &g->task.at[i];
	return NULL;
}

struct cpu *gdb_cpu(struct gdb *g, u64 tid)
{
	const struct os_task *t = gdb_task(g, tid);

	if (t && t->cpu >= 0 && (u32)t->cpu < g->m->ncpus)
		return g->m->cpu[t->cpu];
	return tid && tid <= g->m->ncpus ? g->m->cpu[tid - 1] : NULL;
}

struct cpu *gdb_any_cpu(struct gdb *g, u64 tid)
{
	struct cpu *cpu = gdb_cpu(g, tid);

	return cpu ? cpu : g->m->cpu[0];
}

bool gdb_alive(struct gdb *g, u64 tid) { return gdb_cpu(g, tid) || gdb_task(g, tid); }

/* ---- what they are called */

/* As scripts know it. */
static void put_cpu(struct strbuf *b, const struct cpu *cpu)
{
	strbuf_printf(b, "CPU#%u [%s]", cpu->index,
		      cpu->halted || cpu->stopped ? "halted " : "running");
}

static void put_task(struct strbuf *b, const struct os_task *t)
{
	if (t->pid == t->tgid)
		strbuf_printf(b, "pid %u %c", t->pid, t->state);
	else
		strbuf_printf(b, "pid %u of %u %c", t->pid, t->tgid, t->state);
	if (t->cpu >= 0)
		strbuf_printf(b, " on CPU#%d", t->cpu);
	else
		strbuf_printf(b, " last CPU#%u", t->last_cpu);
}

static void put_escaped(struct strbuf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '<' || *s == '>' || *s == '&' || *s == '"' || *s < ' ')
			strbuf_printf(b, "&#%u;", (u8)*s < ' ' ? '?' : (u8)*s);
		else
			strbuf_addc(b, (u8)*s < 0x80 ? *s : '?');
	}
}

static void open_thread(struct gdb_conn *c, struct strbuf *b, u64 tid, s64 core, const char *name)
{
	strbuf_add(b, "<thread id=\"");
	gdb_put_id(c, b, tid);
	strbuf_addc(b, '"');
	if (core >= 0)
		strbuf_printf(b, " core=\"%lld\"", (long long)core);
	if (name) {
		strbuf_add(b, " name=\"");
		put_escaped(b, name);
		strbuf_addc(b, '"');
	}
	strbuf_addc(b, '>');
}

char *gdb_threads_xml(struct gdb_conn *c)
{
	struct gdb *g = c->g;
	const struct os *os = g->tasks ? gdb_os(g) : NULL;
	struct strbuf b = { 0 };

	strbuf_add(&b, "<threads>\n");
	for (u32 i = 0; i < g->m->ncpus; i++) {
		struct os_task t;
		bool known = os && os->task_current && !os->task_current(g->m->cpu[i], &t);

		open_thread(c, &b, i + 1, i, known ? t.comm : NULL);
		put_cpu(&b, g->m->cpu[i]);
		strbuf_add(&b, "</thread>\n");
	}
	if (os)
		gdb_list_tasks(g);
	for (size_t i = 0; os && i < g->task.n; i++) {
		const struct os_task *t = &g->task.at[i];

		open_thread(c, &b, TASK_BASE + t->pid, t->cpu, t->comm);
		put_task(&b, t);
		strbuf_add(&b, "</thread>\n");
	}
	strbuf_add(&b, "</threads>\n");
	return strbuf_take(&b);
}

/* ---- packets */

bool gdb_pick(struct gdb_conn *c, const struct gdb_tid *id, u64 *tid)
{
	if (id->pid > 0 && id->pid != GDB_PROCESS)
		return false;
	if (id->tid > 0)
		*tid = id->tid;
	return gdb_alive(c->g, *tid);
}

/* H OP ID: g is for registers and memory, c for c and s. */
PACKET_HANDLER(gdb_set_thread)
{
	char op = *p++;
	struct gdb_tid id;
	u64 tid = op == 'c' ? c->c_tid : c->g_tid;

	if (!op || !strchr("cg", op) || !gdb_thread_id(&p, &id) || *p || !gdb_pick(c, &id, &tid)) {
		gdb_error(c, E_ARGS);
		return;
	}
	if (op == 'c')
		c->c_tid = tid;
	else
		c->g_tid = tid;
	gdb_ok(c);
}

PACKET_HANDLER(gdb_thread_alive)
{
	struct gdb_tid id;
	u64 tid = 0;

	if (gdb_thread_id(&p, &id) && !*p && id.tid > 0 && gdb_pick(c, &id, &tid))
		gdb_ok(c);
	else
		gdb_error(c, E_ARGS);
}

PACKET_HANDLER(gdb_current_thread)
{
	strbuf_add(&c->reply, "QC");
	gdb_put_id(c, &c->reply, c->g_tid);
}

/* All in one packet. */
PACKET_HANDLER(gdb_first_threads)
{
	struct gdb *g = c->g;

	strbuf_addc(&c->reply, 'm');
	for (u32 i = 0; i < g->m->ncpus; i++) {
		if (i)
			strbuf_addc(&c->reply, ',');
		gdb_put_id(c, &c->reply, i + 1);
	}
	if (!g->tasks || !gdb_os(g))
		return;
	gdb_list_tasks(g);
	for (size_t i = 0; i < g->task.n && c->reply.n < GDB_PACKET_MAX - 64; i++) {
		strbuf_addc(&c->reply, ',');
		gdb_put_id(c, &c->reply, TASK_BASE + g->task.at[i].pid);
	}
}

PACKET_HANDLER(gdb_more_threads) { strbuf_addc(&c->reply, 'l'); }

PACKET_HANDLER(gdb_thread_info)
{
	const struct os_task *t;
	struct strbuf b = { 0 };
	struct gdb_tid id;
	u64 tid = 0;

	if (!gdb_thread_id(&p, &id) || *p || id.tid <= 0 || !gdb_pick(c, &id, &tid)) {
		gdb_error(c, E_ARGS);
		return;
	}
	t = gdb_task(c->g, tid);
	if (t) {
		strbuf_printf(&b, "%s, ", t->comm);
		put_task(&b, t);
	} else {
		put_cpu(&b, gdb_any_cpu(c->g, tid));
	}
	gdb_put_hex(&c->reply, b.at, b.n);
	strbuf_fini(&b);
}
