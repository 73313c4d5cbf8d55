/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mux.c - several front ends on one back end (-nographic, mon:stdio, mux=on). Everybody writes;
 * what is typed goes to the front in focus, and waits here while that one has no room, so that the
 * escape keys work even when the guest does not read.
 */
#include "core/chardev.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <ctype.h>
#include <stdio.h>

enum { FRONTS = 8, QUEUE = 65536, CTRL_A = 1 };

static const struct chardev_ops front_ops;

struct mux;
struct front {
	struct chardev c;
	struct mux *mux;
	u8 *queue; /* typed, not yet taken */
	u32 n;
};
struct mux {
	struct chardev c;
	struct chardev *backend;
	struct mux_actions actions;
	struct front *front[FRONTS];
	unsigned nfronts, focus;
	u8 escape;
	bool escaped, timestamps, line_start;
	u64 start;
};

static void say(struct mux *m, const char *text)
{
	chardev_write(m->backend, (const u8 *)text, strlen(text));
}

/* ---- output */

static void put_timestamp(struct mux *m)
{
	u64 ms = (clock_now(&m->c.machine->clock) - m->start) / 1000000;
	char text[40];

	snprintf(text, sizeof(text), "[%02d:%02d:%02d.%03d] ", (int)(ms / 3600000),
		 (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000));
	say(m, text);
}

/* With time stamps, line by line. Bytes that the back end does not take now are the front's to
 * offer again. */
static int front_write(struct chardev *c, const u8 *buf, int n)
{
	struct mux *m = ((struct front *)c->impl)->mux;
	int done = 0;

	if (!m->timestamps)
		return chardev_write(m->backend, buf, n);
	while (done < n) {
		const u8 *end = memchr(buf + done, '\n', n - done);
		int part = end ? end + 1 - (buf + done) : n - done, took;

		if (m->line_start)
			put_timestamp(m);
		m->line_start = false;
		took = chardev_write(m->backend, buf + done, part);
		if (took > 0)
			done += took;
		if (took < part)
			break;
		m->line_start = end != NULL;
	}
	return done;
}

static void front_break(struct chardev *c)
{
	struct mux *m = ((struct front *)c->impl)->mux;

	chardev_send_break(m->backend);
}

/* ---- input */

static void drain(struct front *f)
{
	while (f->n) {
		int n = MIN(chardev_can_receive(&f->c), (int)f->n);
		u8 chunk[256];

		n = MIN(n, (int)sizeof(chunk));
		if (n <= 0)
			return;
		memcpy(chunk, f->queue, n);
		f->n -= n;
		memmove(f->queue, f->queue + n, f->n);
		chardev_receive(&f->c, chunk, n);
	}
}

static void enqueue(struct mux *m, u8 byte)
{
	struct front *f = m->nfronts ? m->front[m->focus] : NULL;

	if (!f)
		return;
	if (!f->queue)
		f->queue = xalloc(QUEUE);
	if (f->n == QUEUE) /* only after a change of focus: see backend_room */
		return;
	f->queue[f->n++] = byte;
}

static void front_room(struct chardev *c)
{
	struct front *f = c->impl;

	drain(f);
	chardev_room(f->mux->backend);
}

static void help(struct mux *m)
{
	char key[24], text[640];

	if (m->escape >= 1 && m->escape <= 26)
		snprintf(key, sizeof(key), "C-%c", m->escape + 'a' - 1);
	else
		snprintf(key, sizeof(key), isprint(m->escape) ? "%c" : "0x%02x", m->escape);
	snprintf(text, sizeof(text),
		 "\r\n%s h    this help\r\n%s x    end the emulator\r\n%s s    save what -snapshot "
		 "has changed to the disk images\r\n"
		 "%s t    time stamps on or off\r\n%s b    send a break (magic SysRq)\r\n%s c    "
		 "next of console and monitor\r\n"
		 "%s %s  send %s\r\n",
		 key, key, key, key, key, key, key, key, key);
	say(m, text);
}

void mux_focus(struct chardev *c, unsigned front)
{
	struct mux *m = c->impl;

	if (front >= m->nfronts)
		return;
	m->focus = front;
	chardev_event(&m->front[front]->c, CHARDEV_FOCUS);
	drain(m->front[front]);
}

bool chardev_focused(struct chardev *c)
{
	struct front *f = c->impl;

	return c->ops != &front_ops || f->mux->front[f->mux->focus] == f;
}

static void escape_key(struct mux *m, u8 key)
{
	if (key == m->escape) {
		enqueue(m, key);
		return;
	}
	switch (key) {
	case 'h':
	case '?':
		help(m);
		break;
	case 'x':
		say(m, "\r\nquern: terminated\r\n");
		if (m->actions.quit)
			m->actions.quit(m->actions.arg);
		break;
	case 's':
		if (m->actions.save)
			m->actions.save(m->actions.arg);
		else
			say(m,
			    "\r\nthere is nothing to save: no disk was opened with -snapshot\r\n");
		break;
	case 't':
		m->timestamps = !m->timestamps;
		m->start = clock_now(&m->c.machine->clock);
		m->line_start = true;
		break;
	case 'b':
		if (m->nfronts)
			chardev_event(&m->front[m->focus]->c, CHARDEV_BREAK);
		break;
	case 'c':
		if (m->nfronts)
			mux_focus(&m->c, (m->focus + 1) % m->nfronts);
		break;
	}
}

static int backend_room(void *arg)
{
	struct mux *m = arg;
	struct front *f = m->nfronts ? m->front[m->focus] : NULL;

	/* Nobody types so much ahead of the guest; a pipe may, and then waits. */
	return f ? (int)(QUEUE - f->n) : 1;
}

static void backend_receive(void *arg, const u8 *buf, int n)
{
	struct mux *m = arg;

	for (int i = 0; i < n; i++) {
		if (m->escaped) {
			m->escaped = false;
			escape_key(m, buf[i]);
		} else if (m->escape && buf[i] == m->escape) {
			m->escaped = true;
		} else {
			enqueue(m, buf[i]);
		}
	}
	if (m->nfronts)
		drain(m->front[m->focus]);
}

static void backend_event(void *arg, int event)
{
	struct mux *m = arg;

	if (event == CHARDEV_BREAK) {
		if (m->nfronts)
			chardev_event(&m->front[m->focus]->c, event);
		return;
	}
	m->c.open = event == CHARDEV_OPENED;
	for (unsigned i = 0; i < m->nfronts; i++)
		chardev_event(&m->front[i]->c, event);
}

static const struct chardev_user backend_user = { backend_room, backend_receive, backend_event };

/* ---- life */

static void front_fini(struct chardev *c)
{
	struct front *f = c->impl;
	struct mux *m = f->mux;

	for (unsigned i = 0; m && i < m->nfronts; i++) {
		if (m->front[i] != f)
			continue;
		m->nfronts--;
		memmove(&m->front[i], &m->front[i + 1], (m->nfronts - i) * sizeof(m->front[0]));
		if (m->focus >= m->nfronts)
			m->focus = 0;
	}
	free(f->queue);
	free(f);
}

static const struct chardev_ops front_ops = { .name = "mux-front",
					      .write = front_write,
					      .room = front_room,
					      .fini = front_fini,
					      .set_break = front_break };

static struct chardev *mux_front(struct chardev *c)
{
	struct mux *m = c->impl;
	struct front *f;

	if (m->nfronts == FRONTS)
		return NULL;
	f = NEW(struct front);
	f->mux = m;
	m->front[m->nfronts++] = f;
	chardev_init(&f->c, c->machine, &front_ops, NULL, f);
	f->c.open = m->c.open;
	return &f->c;
}

static void mux_fini(struct chardev *c)
{
	struct mux *m = c->impl;

	while (m->nfronts)
		chardev_free(&m->front[m->nfronts - 1]->c);
	chardev_attach(m->backend, NULL, NULL);
	m->backend->claimed = false;
	free(m);
}

static const struct chardev_ops mux_ops = { .name = "mux", .fini = mux_fini, .front = mux_front };

struct chardev *chardev_mux(struct machine *machine, const char *id, struct chardev *backend,
			    const struct mux_actions *a)
{
	struct mux *m = NEW(struct mux);

	m->backend = backend;
	m->escape = CTRL_A;
	if (a)
		m->actions = *a;
	chardev_init(&m->c, machine, &mux_ops, id, m);
	backend->claimed = true;
	chardev_attach(backend, m, &backend_user);
	return &m->c;
}

void mux_set_escape(struct chardev *mux, u8 escape) { ((struct mux *)mux->impl)->escape = escape; }
