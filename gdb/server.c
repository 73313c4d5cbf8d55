/* SPDX-License-Identifier: GPL-2.0-or-later */
/* server.c - connections of debuggers: their life, what comes in and goes out, and which handler
 * answers. */
#include "private.h"
#include "core/chardev.h"
#include <errno.h>
#include <stdarg.h>

enum {
	CONNS_MAX = 16,
	/* as much may wait for a slow debugger before its requests do */
	OUT_MAX = 1 << 20,
	/* and this much makes no sense any more */
	OUT_LOST = 256 << 20
};

struct gdb_port {
	struct list link;
	struct chardev *c;
	bool own;
};

/* ---- going out */

/* Gives the peer what it takes. */
static void flush(struct gdb_conn *c)
{
	while (c->out_at < c->out.n) {
		size_t left = c->out.n - c->out_at;
		int n = chardev_write(c->c, (u8 *)c->out.at + c->out_at,
				      MIN(left, (size_t)(1 << 20)));

		if (n <= 0)
			break;
		c->out_at += n;
	}
	if (c->out_at >= c->out.n) {
		/* a large answer's buffer is not kept for small ones */
		if (c->out.cap > OUT_MAX)
			strbuf_fini(&c->out);
		c->out.n = c->out_at = 0;
	}
}

void gdb_send(struct gdb_conn *c, const char *body, size_t n)
{
	size_t from = c->out.n;

	if (!c->connected || c->out.n - c->out_at > OUT_LOST)
		return;
	gdb_frame(&c->out, '$', body, n);
	if (!c->noack) {
		c->last.n = 0;
		strbuf_addn(&c->last, c->out.at + from, c->out.n - from);
	}
	flush(c);
}

void gdb_notify(struct gdb_conn *c, const char *body, size_t n)
{
	if (!c->connected)
		return;
	gdb_frame(&c->out, '%', body, n);
	flush(c);
}

void gdb_console(void *conn, const char *text, size_t n)
{
	struct strbuf b = { 0 };

	while (n) {
		size_t part = MIN(n, (size_t)(GDB_PACKET_MAX - 64) / 2);

		strbuf_addc(&b, 'O');
		gdb_put_hex(&b, text, part);
		gdb_send(conn, b.at, b.n);
		b.n = 0;
		text += part;
		n -= part;
	}
	strbuf_fini(&b);
}

void gdb_error(struct gdb_conn *c, unsigned number)
{
	c->reply.n = 0;
	strbuf_printf(&c->reply, "E%02u", number);
}

/* Numbers in the protocol are decimal errno values written as two digits: 22 is "E22". */
void gdb_error_text(struct gdb_conn *c, unsigned number, const char *fmt, ...)
{
	va_list ap;

	gdb_error(c, number);
	if (!c->error_text)
		return;
	c->reply.n = 0;
	strbuf_add(&c->reply, "E.");
	va_start(ap, fmt);
	strbuf_vprintf(&c->reply, fmt, ap);
	va_end(ap);
}

void gdb_ok(struct gdb_conn *c) { strbuf_add(&c->reply, "OK"); }

/* ---- coming in */

bool gdb_dispatch(const struct gdb_packet *t, struct gdb_conn *c, const char *p, const char *end)
{
	for (; t->name; t++) {
		const char *rest;

		if (!str_prefix(p, t->name, &rest))
			continue;
		t->run(c, rest, end);
		return true;
	}
	return false;
}

static void packet(struct gdb_conn *c, const char *body, size_t n)
{
	c->reply.n = 0;
	c->replied = false;
	if (c->later.n && !str_prefix(body, "vStopped", NULL))
		gdb_tell_later(c);
	c->g->busy++;
	gdb_dispatch(gdb_packets, c, body, body + n);
	c->g->busy--;
	if (!c->replied)
		gdb_send(c, c->reply.at ? c->reply.at : "", c->reply.n);
	if (c->reply.cap > OUT_MAX)
		strbuf_fini(&c->reply);
}

static void on_event(void *arg, enum gdb_event e, char *body, size_t n)
{
	struct gdb_conn *c = arg;

	if (!c->connected)
		return;
	switch (e) {
	case GDB_PACKET:
		if (!c->noack)
			strbuf_addc(&c->out, '+');
		packet(c, body, n);
		/* an answer that only comes later lets the acknowledgement go alone */
		flush(c);
		break;
	case GDB_BAD_SUM:
		if (!c->noack)
			strbuf_addc(&c->out, '-');
		flush(c);
		break;
	case GDB_NAK:
		if (!c->noack && c->last.n) {
			strbuf_addn(&c->out, c->last.at, c->last.n);
			flush(c);
		}
		break;
	case GDB_INTERRUPT:
		gdb_interrupt(c);
		break;
	case GDB_ACK:
		break;
	}
}

static int conn_room(void *arg)
{
	struct gdb_conn *c = arg;

	return c->out.n - c->out_at > OUT_MAX ? 0 : 1 << 16;
}

static void conn_receive(void *arg, const u8 *buf, int n)
{
	struct gdb_conn *c = arg;

	if (c->connected)
		gdb_feed(&c->in, buf, n);
}

/* ---- life */

static void opened(struct gdb_conn *c)
{
	struct machine *m = c->g->m;

	if (c->connected)
		return;
	c->connected = true;
	c->noack = c->multiprocess = c->swbreak = c->hwbreak = c->error_text = false;
	c->extended = c->nonstop = c->phys = c->libraries = c->waiting = false;
	c->moved = c->no_file = c->told_slide = c->library_owed = false;
	c->only_pid = 0;
	c->only_comm[0] = 0;
	c->g_tid = c->c_tid = 1;
	c->act = xcalloc(m->ncpus, sizeof(*c->act));
	c->range = xcalloc(m->ncpus, sizeof(*c->range));
	c->g->pauser = c;
	if (m->state == RUN_RUNNING)
		machine_stop(m, RUN_PAUSED);
	else if (m->state == RUN_PRELAUNCH)
		machine_stop(m, RUN_PRELAUNCH); /* it does not start by itself any more */
	c->g->pauser = NULL;
}

static void conn_clear(struct gdb_conn *c)
{
	gdb_drop_points(c);
	gdb_files_close(c);
	free(c->text);
	free(c->text_name);
	c->text = c->text_name = NULL;
	vec_free(&c->stops);
	vec_free(&c->later);
	gdb_reader_fini(&c->in);
	strbuf_fini(&c->out);
	strbuf_fini(&c->last);
	c->out_at = 0;
	free(c->act);
	free(c->range);
	c->act = NULL;
	c->range = NULL;
}

static void conn_free(struct gdb_conn *c)
{
	list_del(&c->link);
	if (c->peer)
		chardev_free(c->c);
	strbuf_fini(&c->reply);
	free(c);
}

/* Outside of any callback of its character device, which goes with it. */
static void reap(void *arg)
{
	struct gdb *g = arg;
	struct gdb_conn *c, *tmp;

	list_for_each_safe (c, tmp, &g->conns, link)
		if (c->peer && !c->connected)
			conn_free(c);
}

static void closed(struct gdb_conn *c)
{
	if (!c->connected)
		return;
	gdb_leave(c, false);
	c->connected = false;
	conn_clear(c);
	gdb_modules_watch(c->g);
	if (c->peer)
		machine_post(c->g->m, reap, c->g);
}

static void conn_event(void *arg, int event)
{
	struct gdb_conn *c = arg;

	if (event == CHARDEV_OPENED)
		opened(c);
	else if (event == CHARDEV_CLOSED)
		closed(c);
	else if (event == CHARDEV_BREAK && c->connected)
		gdb_interrupt(c);
	else if (event == CHARDEV_WRITABLE && c->connected) {
		flush(c);
		chardev_room(c->c);
	}
}

static const struct chardev_user conn_user = { conn_room, conn_receive, conn_event };

static void conn_new(struct gdb *g, struct chardev *chr, bool peer)
{
	struct gdb_conn *c = NEW(struct gdb_conn);

	c->g = g;
	c->c = chr;
	c->peer = peer;
	c->in.event = on_event;
	c->in.arg = c;
	c->session = (struct command_session){ .m = g->m, .out = gdb_console, .arg = c };
	list_init(&c->points);
	list_add_tail(&g->conns, &c->link);
	chardev_attach(chr, c, &conn_user);
}

static void on_peer(void *arg, struct chardev *chr)
{
	struct gdb *g = arg;
	struct gdb_conn *c;
	unsigned n = 0;

	gdb_each_conn(c, g) n++;
	if (n < CONNS_MAX)
		conn_new(g, chr, true);
	else
		chardev_free(chr);
}

void gdb_listen(struct gdb *g, struct chardev *chr, bool own)
{
	struct gdb_port *p = NEW(struct gdb_port);

	if (!g->regs)
		gdb_regs_init(g);
	p->c = chr;
	p->own = own;
	list_add_tail(&g->ports, &p->link);
	conn_new(g, chr, false);
	if (!chardev_peers(chr, on_peer, g))
		return;
}

int gdb_close(struct gdb *g)
{
	struct gdb_conn *c, *ctmp;
	struct gdb_port *p, *ptmp;

	if (g->busy)
		return -EBUSY;
	list_for_each_safe (c, ctmp, &g->conns, link) {
		if (c->connected) {
			gdb_leave(c, false);
			c->connected = false;
			conn_clear(c);
		}
		chardev_attach(c->c, NULL, NULL);
		conn_free(c);
	}
	gdb_modules_watch(g);
	list_for_each_safe (p, ptmp, &g->ports, link) {
		list_del(&p->link);
		if (p->own)
			chardev_free(p->c);
		free(p);
	}
	return 0;
}

struct gdb *gdb_new(struct machine *m)
{
	struct gdb *g = NEW(struct gdb);

	g->m = m;
	g->sstep = DEBUG_SSTEP_ENABLE | DEBUG_SSTEP_NOIRQ | DEBUG_SSTEP_NOTIMER;
	list_init(&g->conns);
	list_init(&g->ports);
	gdb_run_init(g);
	gdb_modules_init(g);
	return g;
}

void gdb_free(struct gdb *g)
{
	if (!g)
		return;
	g->busy = 0;
	if (gdb_close(g))
		return;
	gdb_modules_fini(g);
	gdb_run_fini(g);
	gdb_regs_fini(g);
	for (size_t i = 0; i < g->dirs.n; i++)
		free(g->dirs.at[i]);
	vec_free(&g->dirs);
	vec_free(&g->task);
	free(g);
}

void gdb_show_tasks(struct gdb *g, bool on) { g->tasks = on; }
void gdb_add_files(struct gdb *g, const char *dir) { vec_push(&g->dirs, xstrdup(dir)); }
