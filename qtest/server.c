/* SPDX-License-Identifier: GPL-2.0-or-later */
/* server.c - the session with a test: its lines in order, replies kept for who reads slowly, and
 * the log of both. */
#include "qtest/private.h"
#include "core/chardev.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <errno.h>
#include <stdarg.h>
#include <time.h>

/* ---- the log */

static s64 host_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

/* kind: I for the connection, R for what is received, S for what is sent. */
static void note(struct qtest *q, char kind, const char *text)
{
	bool first = !q->began;
	s64 now = host_now();

	if (first)
		q->began = now;
	if (q->log)
		fprintf(q->log, "[%c %s%.6f] %s\n", kind, first ? "" : "+",
			(double)(now - q->began) / 1e9, text);
}

static int open_log(struct qtest *q, const char *path, struct error *e)
{
	if (!path) {
		q->log = stderr;
		return 0;
	}
	if (str_eq(path, "none"))
		return 0;
	q->log = fopen(path, "we");
	if (!q->log)
		return error_ret(e, -errno, "could not open '%s': %s", path, strerror(errno));
	setvbuf(q->log, NULL, _IOLBF, 0);
	return 0;
}

/* ---- going out */

static void flush(struct qtest *q)
{
	while (q->c && q->out_at < q->out.n) {
		size_t n = MIN(q->out.n - q->out_at, (size_t)(1 << 20));
		int took = chardev_write(q->c, (const u8 *)q->out.at + q->out_at, (int)n);

		if (took <= 0)
			return;
		q->out_at += (size_t)took;
	}
	strbuf_fini(&q->out);
	q->out_at = 0;
}

void qtest_reply(struct qtest *q, const char *fmt, ...)
{
	size_t from = q->out.n;
	va_list ap;

	if (!q->c)
		return;
	va_start(ap, fmt);
	strbuf_vprintf(&q->out, fmt, ap);
	va_end(ap);
	note(q, 'S', q->out.at + from);
	strbuf_addc(&q->out, '\n');
	flush(q);
}

/* ---- coming in */

static bool requested(const struct machine *m)
{
	return m->reset_requested || m->shutdown_requested || m->powerdown_requested;
}

static bool waits(const struct qtest *q)
{
	return requested(q->m) || q->out.n - q->out_at > OUT_MOST;
}

static void serve_later(void *arg);

/* One line of the text that begins at at; returns where the next begins, or 0: none is complete. */
static size_t next_line(const struct strbuf *in, size_t at)
{
	char *end = at < in->n ? memchr(in->at + at, '\n', in->n - at) : NULL;

	if (!end)
		return 0;
	*end = 0;
	if (end > in->at + at && end[-1] == '\r')
		end[-1] = 0;
	return (size_t)(end + 1 - in->at);
}

/* What a request led to (a reset) happens before the next one is looked at. The test may go away
 * while it is answered: then nothing is left to be done. */
static void serve(struct qtest *q)
{
	struct strbuf in = q->in;
	unsigned session = q->session;
	size_t at = 0, next;

	q->in = (struct strbuf){ 0 };
	while (!waits(q) && session == q->session && (next = next_line(&in, at))) {
		if (!q->overlong) {
			note(q, 'R', in.at + at);
			qtest_request(q, in.at + at);
		}
		q->overlong = false;
		at = next;
	}
	if (session == q->session && at < in.n) {
		memmove(in.at, in.at + at, in.n - at);
		in.n -= at;
		q->in = in;
	} else {
		strbuf_fini(&in);
	}
	if (requested(q->m) && !q->posted) {
		q->posted = true;
		machine_post(q->m, serve_later, q);
	}
}

static void serve_later(void *arg)
{
	struct qtest *q = arg;

	q->posted = false;
	if (!q->c)
		return;
	serve(q);
	chardev_room(q->c);
}

/* Lines that wait are few: a test waits for each reply. */
static int room(void *arg)
{
	struct qtest *q = arg;

	return waits(q) ? 0 : 1 << 16;
}

static void receive(void *arg, const u8 *buf, int n)
{
	struct qtest *q = arg;

	if (q->in.n + (size_t)n > LINE_MOST && !memchr(q->in.at, '\n', q->in.n)) {
		if (!q->overlong)
			qtest_reply(q, "FAIL a request has %d bytes at most", LINE_MOST);
		q->overlong = true;
		q->in.n = 0;
	}
	strbuf_addn(&q->in, buf, (size_t)n);
	serve(q);
}

static void event(void *arg, int what)
{
	struct qtest *q = arg;

	if (what == CHARDEV_OPENED) {
		memset(q->level, 0, sizeof(q->level));
		note(q, 'I', "OPENED");
	} else if (what == CHARDEV_CLOSED) {
		q->session++;
		strbuf_fini(&q->in);
		strbuf_fini(&q->out);
		q->out_at = 0;
		q->overlong = false;
		note(q, 'I', "CLOSED");
	} else if (what == CHARDEV_WRITABLE) {
		flush(q);
		serve(q);
		chardev_room(q->c);
	}
}

static const struct chardev_user user = { room, receive, event };

static void machine_ends(void *arg)
{
	struct qtest *q = arg;

	chardev_attach(q->c, NULL, NULL);
	q->c = NULL;
}

struct qtest *qtest_new(struct machine *m, struct chardev *c, const char *log, struct error *e)
{
	struct qtest *q = NEW(struct qtest);

	if (open_log(q, log, e)) {
		free(q);
		return NULL;
	}
	q->m = m;
	q->c = c;
	q->fini = (struct reset_hook){ .fn = machine_ends, .arg = q };
	machine_add_fini(m, &q->fini);
	chardev_attach(c, q, &user);
	return q;
}

void qtest_free(struct qtest *q)
{
	if (!q)
		return;
	if (q->log && q->log != stderr)
		fclose(q->log);
	strbuf_fini(&q->in);
	strbuf_fini(&q->out);
	free(q->listened);
	free(q);
}
