/* SPDX-License-Identifier: GPL-2.0-or-later */
/* migrate.c - machines on their way: out to a place, in from one. */
#include "core/migrate.h"
#include "core/block.h"
#include "core/migrate_place.h"
#include "core/private.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

struct migration {
	struct machine *m;
	enum migrate_state state;
	bool events;
	bool incoming, expected, run; /* run: when the state has come */
	bool frozen, threaded;	      /* threaded: there is a thread to join */
	bool from_monitor;
	char *uri;
	struct place place;
	int listener;
	pthread_t thread;
	struct snapshot *snapshot;
	struct snapshot_progress progress;
	json_t *parameters;
	/* the thread's, until it is joined */
	int err;
	struct error why;
	bool ran;
	enum run_state was;
	s64 started, stopped, copied; /* host ns */
	u64 total_ns, down_ns, setup_ns;
};

static struct migration *migration(struct machine *m)
{
	struct machine_private *p = m->priv;

	if (!p->migration) {
		p->migration = NEW(struct migration);
		p->migration->m = m;
		p->migration->listener = -1;
	}
	return p->migration;
}

static const char *const state_names[] = {
	[MIGRATE_NONE] = "none",	   [MIGRATE_SETUP] = "setup",
	[MIGRATE_ACTIVE] = "active",	   [MIGRATE_CANCELLING] = "cancelling",
	[MIGRATE_CANCELLED] = "cancelled", [MIGRATE_COMPLETED] = "completed",
	[MIGRATE_FAILED] = "failed",
};

static void set_state(struct migration *g, enum migrate_state s)
{
	AUTO_FREE char *json = xasprintf("{\"status\": \"%s\"}", state_names[s]);

	if (g->state == s)
		return;
	g->state = s;
	if (g->events && g->m->event)
		g->m->event(g->m, "MIGRATION", json);
}

static bool under_way(const struct migration *g)
{
	return g->state == MIGRATE_SETUP || g->state == MIGRATE_ACTIVE ||
	       g->state == MIGRATE_CANCELLING;
}

bool migrate_frozen(const struct machine *m)
{
	return m->priv->migration && m->priv->migration->frozen;
}

static bool cancelled(const struct migration *g)
{
	return __atomic_load_n(&g->progress.cancel, __ATOMIC_RELAXED);
}

static void begin(struct migration *g, const char *uri, bool incoming)
{
	free(g->uri);
	g->uri = xstrdup(uri);
	g->incoming = incoming;
	g->progress = (struct snapshot_progress){ 0 };
	error_clear(&g->why);
	g->err = 0;
	g->started = g->copied = host_ns();
	g->stopped = 0;
	g->total_ns = g->down_ns = g->setup_ns = 0;
	set_state(g, MIGRATE_SETUP);
}

/* ---- the thread of one step */

static int run_thread(struct migration *g, void *(*fn)(void *arg))
{
	g->threaded = !pthread_create(&g->thread, NULL, fn, g);
	if (g->threaded)
		return 0;
	return error_ret(&g->why, -EAGAIN, "the host gives no thread for a migration");
}

static void join(struct migration *g)
{
	if (g->threaded)
		pthread_join(g->thread, NULL);
	g->threaded = false;
}

/* ---- out */

/* The end of an outgoing migration, good or bad. */
static void finish_out(struct migration *g)
{
	struct machine *m = g->m;
	struct error e = { 0 };
	s64 now = host_ns();

	snapshot_free(g->snapshot);
	g->snapshot = NULL;
	g->frozen = false;
	g->total_ns = now - g->started;
	g->down_ns = g->stopped ? now - g->stopped : 0;
	if (!g->err) {
		m->state = RUN_POSTMIGRATE;
		set_state(g, MIGRATE_COMPLETED);
		return;
	}
	if (m->state == RUN_FINISH_MIGRATE)
		m->state = g->ran ? RUN_PAUSED : g->was;
	set_state(g, cancelled(g) ? MIGRATE_CANCELLED : MIGRATE_FAILED);
	if (block_activate_all(m, true, &e)) {
		error_print(&e);
		return;
	}
	if (g->ran && m->state == RUN_PAUSED)
		machine_cont(m);
}

static void out_over(void *arg)
{
	struct migration *g = arg;

	/* it was waited for meanwhile */
	if (!g->threaded)
		return;
	join(g);
	finish_out(g);
}

static void *out_thread(void *arg)
{
	struct migration *g = arg;

	g->err = snapshot_write(g->snapshot, g->place.fd, &g->progress, &g->why);
	g->err = place_close(&g->place, g->err, &g->why);
	machine_post(g->m, out_over, g);
	return NULL;
}

/* The place is open: the machine stops. */
static void stop_and_copy(struct migration *g)
{
	struct machine *m = g->m;

	g->setup_ns = host_ns() - g->started;
	g->ran = m->state == RUN_RUNNING;
	g->was = m->state;
	g->stopped = host_ns();
	if (g->ran)
		machine_stop(m, RUN_FINISH_MIGRATE);
	else
		m->state = RUN_FINISH_MIGRATE;
	set_state(g, MIGRATE_ACTIVE);
	g->copied = host_ns();
	g->snapshot = snapshot_collect(m, g->ran, &g->why);
	g->err = g->snapshot ? 0 : -EBUSY;
	if (!g->err)
		g->progress.total = snapshot_total(g->snapshot);
	/* whoever has read the last byte may use the images */
	if (!g->err)
		g->err = block_activate_all(m, false, &g->why);
	g->frozen = !g->err;
	if (!g->err && !run_thread(g, out_thread))
		return;
	g->err = place_close(&g->place, g->err ? g->err : -EAGAIN, &g->why);
	finish_out(g);
}

static void connected(void *arg)
{
	struct migration *g = arg;

	if (!g->threaded)
		return;
	join(g);
	if (g->err)
		finish_out(g);
	else
		stop_and_copy(g);
}

static void *connect_thread(void *arg)
{
	struct migration *g = arg;

	g->err = place_connect(&g->place, g->uri, &g->progress.cancel, &g->why);
	machine_post(g->m, connected, g);
	return NULL;
}

int migrate_start(struct machine *m, const char *uri, struct error *e)
{
	struct migration *g = migration(m);
	struct place place = { .fd = -1 };
	int err = place_check(uri, e);

	if (!err && under_way(g))
		err = error_ret(e, -EBUSY, "There's a migration process in progress");
	if (!err && (g->expected || m->state == RUN_INMIGRATE))
		err = error_ret(e, -EBUSY, "Guest is waiting for an incoming migration");
	if (!err && m->state == RUN_POSTMIGRATE)
		err = error_ret(e, -EBUSY,
				"Can't migrate the vm that was paused due to previous migration");
	if (!err && !place_is_socket(uri))
		err = place_open(&place, m, uri, true, e);
	if (err)
		return err;
	begin(g, uri, false);
	g->place = place;
	if (!place_is_socket(uri)) {
		stop_and_copy(g);
	} else if (run_thread(g, connect_thread)) {
		g->err = -EAGAIN;
		finish_out(g);
	}
	return 0;
}

int migrate_wait(struct machine *m, struct error *e)
{
	struct migration *g = migration(m);

	while (g->threaded && !g->incoming) {
		bool connecting = g->state == MIGRATE_SETUP;

		join(g);
		if (connecting && !g->err)
			stop_and_copy(g);
		else
			finish_out(g);
	}
	return g->err ? error_ret(e, g->err, "%s", g->why.text) : 0;
}

/* ---- in */

static void stop_listening(struct migration *g)
{
	const char *path;

	if (g->listener < 0)
		return;
	machine_poll_fd(g->m, g->listener, 0, NULL, NULL);
	close(g->listener);
	if (str_prefix(g->uri, "unix:", &path))
		unlink(path);
	g->listener = -1;
}

static void finish_in(struct migration *g)
{
	struct machine *m = g->m;
	bool ran = g->snapshot && snapshot_ran(g->snapshot);

	g->frozen = false;
	if (!g->err)
		g->err = snapshot_apply(g->snapshot, &g->why);
	else if (m->memory_changed)
		m->memory_changed(m);
	snapshot_free(g->snapshot);
	g->snapshot = NULL;
	if (!g->err)
		g->err = block_activate_all(m, true, &g->why);
	g->total_ns = host_ns() - g->started;
	g->down_ns = host_ns() - g->copied;
	if (!g->err) {
		g->expected = false;
		m->state = RUN_PAUSED;
		set_state(g, MIGRATE_COMPLETED);
		if (ran && g->run)
			machine_cont(m);
		return;
	}
	set_state(g, MIGRATE_FAILED);
	machine_reset(m);
	if (!g->from_monitor) {
		struct error e = { 0 };

		error_set(&e, "-incoming %s: %s", g->uri, g->why.text);
		error_print(&e);
		machine_exit(m, 1);
	}
}

static void in_over(void *arg)
{
	struct migration *g = arg;

	if (!g->threaded)
		return;
	join(g);
	finish_in(g);
}

static void *in_thread(void *arg)
{
	struct migration *g = arg;

	g->snapshot = snapshot_receive(g->m, g->place.fd, &g->progress, &g->why);
	g->err = place_close(&g->place, g->snapshot ? 0 : -EINVAL, &g->why);
	machine_post(g->m, in_over, g);
	return NULL;
}

static void receive(struct migration *g)
{
	g->setup_ns = host_ns() - g->started;
	g->copied = host_ns();
	set_state(g, MIGRATE_ACTIVE);
	g->frozen = true;
	/* err is the thread's from here on */
	if (run_thread(g, in_thread)) {
		g->err = place_close(&g->place, -EAGAIN, &g->why);
		finish_in(g);
	}
}

static void arrived(void *arg, short revents)
{
	struct migration *g = arg;
	int fd = accept4(g->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return; /* it went away again */
	stop_listening(g);
	g->place = (struct place){ .fd = fd };
	receive(g);
}

void migrate_expect(struct machine *m, bool run)
{
	struct migration *g = migration(m);

	g->expected = true;
	g->run = run;
	machine_stop(m, RUN_INMIGRATE);
}

bool migrate_run_then(struct machine *m, bool run)
{
	struct migration *g = m->priv->migration;

	if (!g || !g->expected)
		return false;
	g->run = run;
	return true;
}

static int incoming(struct migration *g, const char *uri, struct error *e)
{
	struct place place = { .fd = -1 };
	int err = place_check(uri, e);

	if (!err && place_is_socket(uri)) {
		g->listener = place_listen(uri, e);
		err = g->listener < 0 ? g->listener : 0;
	} else if (!err) {
		err = place_open(&place, g->m, uri, false, e);
	}
	if (err)
		return err;
	begin(g, uri, true);
	g->place = place;
	if (g->listener >= 0) {
		machine_poll_fd(g->m, g->listener, POLLIN, arrived, g);
		return 0;
	}
	receive(g);
	/* A file is all there: nothing else happens to the machine before, above all no input that
	 * devices would take and forget. */
	if (g->threaded && !str_prefix(uri, "exec:", NULL) && !str_prefix(uri, "fd:", NULL)) {
		join(g);
		finish_in(g);
	}
	return 0;
}

int migrate_incoming(struct machine *m, const char *uri, struct error *e)
{
	struct migration *g = migration(m);

	if (!g->expected)
		return error_ret(e, -EINVAL, "'-incoming' was not specified on the command line");
	if (under_way(g))
		return error_ret(e, -EBUSY, "The incoming migration has already been started");
	return incoming(g, uri, e);
}

/* ---- both */

void migrate_cancel(struct machine *m)
{
	struct migration *g = migration(m);

	if (!under_way(g) || g->incoming)
		return;
	__atomic_store_n(&g->progress.cancel, true, __ATOMIC_RELAXED);
	set_state(g, MIGRATE_CANCELLING);
}

void migrate_info(struct machine *m, struct migrate_info *i)
{
	struct migration *g = migration(m);
	const u64 *from = (const u64 *)&g->progress;

	*i = (struct migrate_info){ .state = g->state,
				    .incoming = g->incoming,
				    .error = g->state == MIGRATE_FAILED ? g->why.text : NULL,
				    .total_ns = g->total_ns,
				    .setup_ns = g->setup_ns,
				    .down_ns = g->down_ns };
	if (under_way(g))
		i->total_ns = host_ns() - g->started;
	for (unsigned k = 0; k < 4; k++)
		((u64 *)&i->progress)[k] = __atomic_load_n(&from[k], __ATOMIC_RELAXED);
}

void migrate_set_events(struct machine *m, bool on) { migration(m)->events = on; }
bool migrate_events(struct machine *m) { return migration(m)->events; }

json_t *migrate_parameters(struct machine *m)
{
	struct migration *g = migration(m);

	if (!g->parameters)
		g->parameters = json_object();
	return g->parameters;
}

void migrate_fini(struct machine *m)
{
	struct migration *g = m->priv->migration;

	if (!g)
		return;
	__atomic_store_n(&g->progress.cancel, true, __ATOMIC_RELAXED);
	join(g);
	stop_listening(g);
	snapshot_free(g->snapshot);
	error_clear(&g->why);
	json_decref(g->parameters);
	free(g->uri);
	free(g);
	m->priv->migration = NULL;
}

/* ---- at once */

int migrate_save(struct machine *m, const char *uri, struct error *e)
{
	bool ran = m->state == RUN_RUNNING;
	struct snapshot *s;
	struct place p;
	int err = place_open(&p, m, uri, true, e);

	if (err)
		return err;
	if (ran)
		machine_stop(m, RUN_PAUSED);
	s = snapshot_collect(m, true, e);
	err = s ? snapshot_write(s, p.fd, NULL, e) : -EBUSY;
	snapshot_free(s);
	err = place_close(&p, err, e);
	/* not when an error of a disk has stopped it meanwhile */
	if (ran && m->state == RUN_PAUSED)
		machine_cont(m);
	return err;
}

int migrate_load(struct machine *m, const char *uri, bool run, struct error *e)
{
	struct place p;
	int err = place_open(&p, m, uri, false, e);

	if (err)
		return err;
	machine_stop(m, RUN_PAUSED);
	machine_reset(m);
	err = snapshot_load(m, p.fd, e);
	err = place_close(&p, err, e);
	if (err)
		machine_reset(m);
	else if (run)
		machine_cont(m);
	return err;
}
