/* SPDX-License-Identifier: GPL-2.0-or-later */
/* consoles.c - character back ends, the multiplexer of -nographic and mon:, serial ports, and
 * monitors. */
#include "cli/consoles.h"
#include "block/drive.h"
#include "board/board.h"
#include "host/chardev.h"
#include "lib/str.h"
#include <errno.h>

/* ---- back ends */

static void quit(void *arg) { machine_request_shutdown(arg, CAUSE_HOST_QUIT); }

/* C-a s */
static void save(void *arg)
{
	struct error e = { 0 };

	if (drive_commit_all(arg, &e))
		error_print(&e);
}

static struct chardev *make_mux(struct machine *m, u8 escape, const char *id,
				struct chardev *backend)
{
	const struct mux_actions actions = { .quit = quit, .save = save, .arg = m };
	struct chardev *mux = chardev_mux(m, id, backend, &actions);

	mux_set_escape(mux, escape);
	return mux;
}

/* mux=on: the back end itself gets another name, the user's is the mux's. */
int chardev_make(struct machine *m, u8 escape, const struct keyvals *given, struct error *e)
{
	struct keyvals kv = { 0 };
	struct chardev *c = NULL;
	bool mux = false;
	int err;

	keyvals_merge(&kv, given);
	AUTO_FREE char *id = xstrdup(keyvals_get(&kv, "id")), *base = xasprintf("%s-base", id);

	err = keyvals_bool(&kv, "mux", &mux, e);
	if (!err && chardev_find(m, id))
		err = error_ret(e, -EEXIST, "there is a character back end '%s' already", id);
	if (!err && mux)
		keyvals_set(&kv, "id", base);
	if (!err)
		c = host_chardev_new(m, &kv, e);
	if (c && mux)
		make_mux(m, escape, id, c);
	keyvals_fini(&kv);
	return c ? 0 : err ? err : -EINVAL;
}

/* A monitor on the chardev of that name, later: whoever shares a mux with it comes first. */
static void want_monitor(struct consoles *k, const char *id, bool control, bool pretty)
{
	vec_push(&k->wanted, ((struct wanted_monitor){ xstrdup(id), control, pretty }));
}

/* ---- serial ports */

/* A back end of its own for -serial SPEC, under the name serialN. */
static int make_serial(struct consoles *k, struct machine *m, const struct settings *s,
		       const char *spec, const char *id, bool mux, struct chardev **c,
		       struct error *e)
{
	struct keyvals kv = { 0 };
	int err = host_chardev_spec(&kv, spec, e);

	if (err)
		return err;
	keyvals_set(&kv, "id", id);
	if (mux) {
		keyvals_set(&kv, "mux", "on");
		/* With a key to leave, Ctrl-C is the guest's. */
		if (str_eq(keyvals_get(&kv, "backend"), "stdio") && !keyvals_get(&kv, "signal"))
			keyvals_set(&kv, "signal", "off");
	}
	err = chardev_make(m, s->escape, &kv, e);
	keyvals_fini(&kv);
	if (err)
		return err;
	*c = chardev_claim(m, id, e);
	if (!*c)
		return -EINVAL;
	if (mux)
		want_monitor(k, id, false, false);
	return 0;
}

static int serial_port(struct consoles *k, struct machine *m, const struct settings *s,
		       const char *spec, unsigned n, struct chardev **c, struct error *e)
{
	AUTO_FREE char *id = xasprintf("serial%u", n);
	bool mux = str_prefix(spec, "mon:", &spec);
	const char *name;
	int err = 0;

	*c = NULL;
	if (str_prefix(spec, "chardev:", &name)) {
		*c = chardev_claim(m, name, e);
		err = *c ? 0 : -EINVAL;
	} else if (!str_eq(spec, "none")) {
		err = make_serial(k, m, s, spec, id, mux, c, e);
	}
	if (err)
		error_prefix(e, "-serial %s", spec);
	return err;
}

/* What the first port is when nobody said: the terminal with -nographic, else a port that nobody
 * listens at. */
static const char *default_serial(const struct settings *s)
{
	if (!s->nographic)
		return "null";
	return s->monitor_given ? "stdio" : "mon:stdio";
}

/* ---- monitors */

/* -monitor, -qmp and their kin: a back end of their own under the name compat_monitorN. */
static int monitor_backend(struct machine *m, const struct settings *s, const char *spec,
			   unsigned n, char **id, struct error *e)
{
	struct keyvals kv = { 0 };
	const char *name;
	int err;

	if (str_prefix(spec, "chardev:", &name)) {
		*id = xstrdup(name);
		return 0;
	}
	*id = xasprintf("compat_monitor%u", n);
	str_prefix(spec, "mon:", &spec);
	err = host_chardev_spec(&kv, spec, e);
	if (err)
		return err;
	keyvals_set(&kv, "id", *id);
	err = chardev_make(m, s->escape, &kv, e);
	keyvals_fini(&kv);
	return err;
}

static int monitor(struct consoles *k, struct machine *m, const struct settings *s,
		   struct keyvals *kv, unsigned *n, struct error *e)
{
	const char *spec = keyvals_get(kv, "spec"), *mode = keyvals_get(kv, "mode");
	bool control = mode && str_eq(mode, "control"), pretty = false;
	AUTO_FREE char *id = NULL;
	int err = keyvals_bool(kv, "pretty", &pretty, e);

	if (!err && spec)
		err = monitor_backend(m, s, spec, (*n)++, &id, e);
	if (!err)
		want_monitor(k, id ? id : keyvals_get(kv, "chardev"), control, pretty);
	else if (spec)
		error_prefix(e, "-%s %s",
			     !control ? "monitor" :
			     pretty   ? "qmp-pretty" :
					"qmp",
			     spec);
	return err;
}

static bool is_stdio(const struct keyvals *kv)
{
	const char *backend = keyvals_get((struct keyvals *)kv, "backend");

	return backend && str_eq(backend, "stdio");
}

/* -nographic with a serial port elsewhere: the terminal is left for the monitor, as long as nobody
 * asked for it. */
static bool default_monitor(const struct settings *s)
{
	if (!s->nographic || s->native || s->nodefaults || s->monitor_given || !s->serial.n)
		return false;
	for (size_t i = 0; i < s->serial.n; i++) {
		const char *spec = s->serial.at[i];

		str_prefix(spec, "mon:", &spec);
		if (str_eq(spec, "stdio") || str_prefix(spec, "file:/dev/std", NULL))
			return false;
	}
	for (size_t i = 0; i < s->chardevs.n; i++) {
		if (is_stdio(&s->chardevs.at[i]))
			return false;
	}
	return true;
}

static int make_monitors(struct consoles *k, struct machine *m, const struct settings *s,
			 struct error *e)
{
	unsigned n = 0;
	int err = 0;

	for (size_t i = 0; i < s->mons.n && !err; i++)
		err = monitor(k, m, s, &s->mons.at[i], &n, e);
	if (!err && default_monitor(s)) {
		struct keyvals kv = { 0 };

		keyvals_add(&kv, "spec", "stdio");
		err = monitor(k, m, s, &kv, &n, e);
		keyvals_fini(&kv);
	}
	return err;
}

int consoles_make(struct consoles *k, struct machine *m, const struct settings *s,
		  struct board_config *c, struct error *e)
{
	int err = 0;

	for (size_t i = 0; i < s->chardevs.n && !err; i++) {
		err = chardev_make(m, s->escape, &s->chardevs.at[i], e);
		if (err)
			error_prefix(e, "-chardev");
	}
	for (size_t i = 0; i < s->serial.n && !err; i++)
		err = serial_port(k, m, s, s->serial.at[i], i, &c->serial[i], e);
	if (!err && !s->serial.n && !s->nodefaults)
		err = serial_port(k, m, s, default_serial(s), 0, &c->serial[0], e);
	return err ? err : make_monitors(k, m, s, e);
}

int consoles_monitors(struct consoles *k, struct machine *m, struct error *e)
{
	k->monitors = monitors_new(m);
	for (size_t i = 0; i < k->wanted.n; i++) {
		const struct wanted_monitor *w = &k->wanted.at[i];
		struct chardev *c = chardev_claim(m, w->id, e);

		if (!c) {
			error_prefix(e, "-mon");
			return -EINVAL;
		}
		if (w->control)
			monitor_qmp(k->monitors, c, w->pretty);
		else
			monitor_human(k->monitors, c);
	}
	return 0;
}

/* ---- tests */

static struct chardev *qtest_backend(struct machine *m, const struct settings *s, struct error *e)
{
	struct keyvals kv = { 0 };
	const char *id = "qtest";
	int err = 0;

	if (!str_prefix(s->qtest, "chardev:", &id)) {
		err = host_chardev_spec(&kv, s->qtest, e);
		keyvals_set(&kv, "id", id);
		if (!err)
			err = chardev_make(m, s->escape, &kv, e);
		keyvals_fini(&kv);
	}
	return err ? NULL : chardev_claim(m, id, e);
}

int consoles_qtest(struct consoles *k, struct machine *m, const struct settings *s, struct error *e)
{
	struct chardev *c;

	if (!s->qtest) {
		if (s->qtest_log)
			warn("-qtest-log has no effect without -qtest");
		return 0;
	}
	if (str_eq(s->qtest, "none"))
		return 0;
	c = qtest_backend(m, s, e);
	if (!c) {
		error_prefix(e, "-qtest %s", s->qtest);
		return -EINVAL;
	}
	k->qtest = qtest_new(m, c, s->qtest_log, e);
	if (k->qtest)
		return 0;
	error_prefix(e, "-qtest-log");
	return -EINVAL;
}

void consoles_fini(struct consoles *k)
{
	qtest_free(k->qtest);
	monitors_free(k->monitors);
	for (size_t i = 0; i < k->wanted.n; i++)
		free(k->wanted.at[i].id);
	vec_free(&k->wanted);
}
