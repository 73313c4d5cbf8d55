/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session.c - the monitors of a machine: sessions on character devices, output kept for slow peers,
 * and events handed to all (QMP: docs/interop/qmp-spec, "Asynchronous events"). */
#include "mon/session.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include <time.h>

enum { WAITING_MOST = 16 << 20 };

/* ---- output */

static void flush(struct session *s)
{
	while (s->at < s->out.n) {
		size_t n = MIN(s->out.n - s->at, (size_t)65536);
		int took = chardev_write(s->c, (const u8 *)s->out.at + s->at, (int)n);

		if (!s->out.n) /* the peer went away meanwhile */
			return;
		if (took > 0)
			s->at += (size_t)took;
		if (took < (int)n)
			break;
	}
	if (s->at == s->out.n) {
		strbuf_fini(&s->out);
		s->at = 0;
		s->lost = false;
	}
}

void session_write(struct session *s, const char *text, size_t n)
{
	if (s->out.n - s->at + n > WAITING_MOST) {
		if (!s->lost)
			warn("monitor '%s': the peer does not read, output is dropped", s->c->id);
		s->lost = true;
		return;
	}
	strbuf_addn(&s->out, text, n);
	flush(s);
}

void session_write_lines(struct session *s, const char *text, size_t n)
{
	struct strbuf b = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\n')
			strbuf_addc(&b, '\r');
		strbuf_addc(&b, text[i]);
	}
	session_write(s, strbuf_str(&b), b.n);
	strbuf_fini(&b);
}

/* ---- the character device's side */

static int room(void *arg) { return 4096; }

static void receive(void *arg, const u8 *buf, int n)
{
	struct session *s = arg;

	s->kind->receive(s, buf, n);
}

/* A further client's device must not be freed within its event. */
static void free_further(void *arg)
{
	struct session *s = arg;
	struct chardev *c = s->c;

	chardev_attach(c, NULL, NULL);
	list_del(&s->link);
	s->kind->fini(s);
	chardev_free(c);
}

static void closed(struct session *s)
{
	strbuf_fini(&s->out);
	s->at = 0;
	s->lost = false;
	if (s->kind->closed)
		s->kind->closed(s);
	if (s->further && !s->ended)
		machine_post(s->monitors->m, free_further, s);
	s->ended = true;
}

static void event(void *arg, int what)
{
	struct session *s = arg;

	switch (what) {
	case CHARDEV_OPENED:
		s->kind->opened(s);
		break;
	case CHARDEV_CLOSED:
		closed(s);
		break;
	case CHARDEV_FOCUS:
		if (s->kind->focus)
			s->kind->focus(s);
		break;
	case CHARDEV_WRITABLE:
		flush(s);
		break;
	}
}

static const struct chardev_user session_user = { room, receive, event };

static void further_client(void *arg, struct chardev *c)
{
	struct session *s = arg;

	s->kind->peer(s->monitors, s, c);
}

void session_init(struct session *s, struct monitors *k, const struct session_kind *kind,
		  struct chardev *c)
{
	s->kind = kind;
	s->monitors = k;
	s->c = c;
	s->commands.m = k->m;
	s->commands.arg = s;
	s->commands.from = c;
	list_add_tail(&k->sessions, &s->link);
}

void session_start(struct session *s)
{
	chardev_attach(s->c, s, &session_user);
	/* One that serves a single peer serves it alone. */
	if (!s->further && chardev_peers(s->c, further_client, s))
		return;
}

void session_fini(struct session *s) { strbuf_fini(&s->out); }

/* ---- events */

static void on_event(struct machine *m, const char *name, const char *data)
{
	struct monitors *k = m->monitors;
	struct session *s, *next;
	struct timespec now;
	json_t *event, *d;

	clock_gettime(CLOCK_REALTIME, &now);
	event = json_pack("{s:{s:I, s:I}, s:s}", "timestamp", "seconds", (json_int_t)now.tv_sec,
			  "microseconds", (json_int_t)(now.tv_nsec / 1000), "event", name);
	d = data ? json_loads(data, 0, NULL) : NULL;
	if (d && json_object_size(d))
		json_object_set(event, "data", d);
	json_decref(d);
	list_for_each_safe (s, next, &k->sessions, link) {
		if (s->kind->event)
			s->kind->event(s, event);
	}
	json_decref(event);
}

/* ---- life */

struct monitors *monitors_new(struct machine *m)
{
	struct monitors *k = NEW(struct monitors);

	k->m = m;
	list_init(&k->sessions);
	m->monitors = k;
	m->event = on_event;
	return k;
}

void monitors_free(struct monitors *k)
{
	if (!k)
		return;
	while (!list_empty(&k->sessions)) {
		struct session *s = container_of(k->sessions.next, struct session, link);

		list_del(&s->link);
		s->kind->fini(s);
	}
	free(k);
}

void monitor_human(struct monitors *k, struct chardev *c) { human_new(k, c, false); }

void monitor_qmp(struct monitors *k, struct chardev *c, bool pretty)
{
	qmp_new(k, c, pretty, false);
}
