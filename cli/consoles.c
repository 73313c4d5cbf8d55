/* SPDX-License-Identifier: GPL-2.0-or-later */
/* consoles.c - character back ends, the multiplexer of -nographic and mon:, serial ports; and who
 * answers where a monitor would. */
#include "cli/consoles.h"
#include "board/board.h"
#include "host/chardev.h"
#include "lib/str.h"
#include <errno.h>

/* ---- in the monitor's place */

struct no_monitor {
	struct chardev *c;
};

static void say(struct no_monitor *n)
{
	static const char text[] = "\r\nThe human monitor is not built yet; the escape key and "
				   "then c leads back to the serial port.\r\n";

	chardev_write(n->c, (const u8 *)text, sizeof(text) - 1);
}

static int no_monitor_room(void *arg) { return 4096; }

static void no_monitor_receive(void *arg, const u8 *buf, int n)
{
	if (memchr(buf, '\r', n) || memchr(buf, '\n', n))
		say(arg);
}

static void no_monitor_event(void *arg, int event)
{
	if (event == CHARDEV_FOCUS)
		say(arg);
}

static const struct chardev_user no_monitor_user = { no_monitor_room, no_monitor_receive,
						     no_monitor_event };

static int make_no_monitor(struct consoles *k, struct machine *m, const char *id, struct error *e)
{
	struct chardev *c = chardev_claim(m, id, e);
	struct no_monitor *n;

	if (!c)
		return -EINVAL;
	n = NEW(struct no_monitor);
	vec_push(k, n);
	n->c = c;
	chardev_attach(c, n, &no_monitor_user);
	return 0;
}

/* ---- back ends */

static void quit(void *arg) { machine_request_shutdown(arg, CAUSE_HOST_QUIT); }

static struct chardev *make_mux(struct machine *m, const struct settings *s, const char *id,
				struct chardev *backend)
{
	const struct mux_actions actions = { .quit = quit, .arg = m };
	struct chardev *mux = chardev_mux(m, id, backend, &actions);

	mux_set_escape(mux, s->escape);
	return mux;
}

/* mux=on: the back end itself gets another name, the user's is the mux's. */
static int make_chardev(struct machine *m, const struct settings *s, const struct keyvals *given,
			struct error *e)
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
		make_mux(m, s, id, c);
	keyvals_fini(&kv);
	return c ? 0 : err ? err : -EINVAL;
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
	err = make_chardev(m, s, &kv, e);
	keyvals_fini(&kv);
	if (err)
		return err;
	*c = chardev_claim(m, id, e);
	if (!*c)
		return -EINVAL;
	return mux ? make_no_monitor(k, m, id, e) : 0;
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

int consoles_make(struct consoles *k, struct machine *m, const struct settings *s,
		  struct board_config *c, struct error *e)
{
	int err = 0;

	for (size_t i = 0; i < s->chardevs.n && !err; i++)
		err = make_chardev(m, s, &s->chardevs.at[i], e);
	for (size_t i = 0; i < s->serial.n && !err; i++)
		err = serial_port(k, m, s, s->serial.at[i], i, &c->serial[i], e);
	if (!err && !s->serial.n && !s->nodefaults)
		err = serial_port(k, m, s, default_serial(s), 0, &c->serial[0], e);
	for (size_t i = 0; i < s->mons.n && !err; i++) {
		err = make_no_monitor(k, m, keyvals_get(&s->mons.at[i], "chardev"), e);
		if (err)
			error_prefix(e, "-mon");
	}
	return err;
}

void consoles_fini(struct consoles *k)
{
	for (size_t i = 0; i < k->n; i++)
		free(k->at[i]);
	vec_free(k);
}
