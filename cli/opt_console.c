/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opt_console.c - handlers of the options about serial ports, their character back ends and
 * monitors. */
#include "cli/options.h"
#include "host/chardev.h"
#include "lib/str.h"
#include <errno.h>

OPTION_HANDLER(opt_chardev)
{
	struct keyvals kv = { 0 };
	int err;

	if (str_eq(arg, "help") || str_eq(arg, "?")) {
		list_chardevs();
		return OPTION_DONE;
	}
	err = keyvals_parse(&kv, arg, "backend", e);
	if (!err && !keyvals_get(&kv, "backend"))
		err = error_ret(e, -EINVAL, "the back end's name is missing");
	if (!err && !keyvals_get(&kv, "id"))
		err = error_ret(e, -EINVAL, "id=... is missing");
	if (err)
		keyvals_fini(&kv);
	else
		vec_push(&s->chardevs, kv);
	return err;
}

/* Is it well-formed? What it names is opened later. */
static int check_spec(const char *spec, struct error *e)
{
	struct keyvals kv = { 0 };
	int err = 0;

	if (!str_eq(spec, "none") && !str_prefix(spec, "chardev:", NULL))
		err = host_chardev_spec(&kv, spec, e);
	keyvals_fini(&kv);
	return err;
}

OPTION_HANDLER(opt_serial)
{
	const char *spec = arg;
	int err;

	str_prefix(arg, "mon:", &spec);
	err = check_spec(spec, e);
	if (!err && s->serial.n == 4)
		err = error_ret(e, -EINVAL, "there are four serial ports at most");
	if (!err)
		texts_add(&s->serial, arg);
	return err;
}

/* With a monitor elsewhere, -nographic gives the whole terminal to the serial port, as in QEMU;
 * under its own name Quern keeps the keys behind Ctrl-a unless the monitor is one for people. */
static void note_monitor(struct settings *s, bool control)
{
	s->monitor_given |= !control || !s->native;
}

/* A monitor on a back end of its own. */
static int monitor_spec(struct settings *s, const char *arg, const char *mode, bool pretty,
			struct error *e)
{
	struct keyvals kv = { 0 };
	const char *spec = arg;
	int err;

	note_monitor(s, str_eq(mode, "control"));
	if (str_eq(arg, "none") || str_eq(arg, "null"))
		return 0;
	str_prefix(arg, "mon:", &spec);
	err = check_spec(spec, e);
	if (err)
		return err;
	keyvals_add(&kv, "spec", arg);
	keyvals_add(&kv, "mode", mode);
	keyvals_add(&kv, "pretty", pretty ? "on" : "off");
	vec_push(&s->mons, kv);
	return 0;
}

OPTION_HANDLER(opt_monitor) { return monitor_spec(s, arg, "readline", false, e); }

OPTION_HANDLER(opt_qmp) { return monitor_spec(s, arg, "control", false, e); }

OPTION_HANDLER(opt_qmp_pretty) { return monitor_spec(s, arg, "control", true, e); }

OPTION_HANDLER(opt_mon)
{
	struct keyvals kv = { 0 };
	int err = keyvals_parse(&kv, arg, "chardev", e);
	unsigned mode = 0;
	bool pretty = false;

	if (!err && !keyvals_get(&kv, "chardev"))
		err = error_ret(e, -EINVAL, "chardev=ID is missing");
	if (!err)
		err = keyvals_choice(&kv, "mode", "readline|control", &mode, e);
	if (!err)
		err = keyvals_bool(&kv, "pretty", &pretty, e);
	if (!err && pretty && mode == 0)
		err = error_ret(e, -EINVAL, "pretty=on is for mode=control");
	if (!err)
		err = keyvals_all_used(&kv, "chardev|mode|pretty", e);
	note_monitor(s, mode == 1);
	if (err)
		keyvals_fini(&kv);
	else
		vec_push(&s->mons, kv);
	return err;
}

OPTION_HANDLER(opt_echr)
{
	u32 key;

	if (str_to_u32(arg, 0, &key) || key > 255)
		return error_ret(e, -EINVAL,
				 "a character's number is expected, 1 for Ctrl-a to 26 for Ctrl-z, "
				 "0 for none");
	s->escape = key;
	return 0;
}

OPTION_HANDLER(opt_debugcon)
{
	struct keyvals backend = { 0 }, device = { 0 };
	int err;

	if (str_eq(arg, "none"))
		return 0;
	err = host_chardev_spec(&backend, arg, e);
	if (err) {
		keyvals_fini(&backend);
		return err;
	}
	keyvals_set(&backend, "id", "debugcon");
	keyvals_add(&device, "driver", "isa-debugcon");
	keyvals_add(&device, "iobase", "0xe9");
	keyvals_add(&device, "chardev", "debugcon");
	vec_push(&s->chardevs, backend);
	vec_push(&s->devices, device);
	return 0;
}

OPTION_HANDLER(opt_gdb)
{
	int err = arg ? check_spec(arg, e) : 0;

	if (!err)
		texts_add(&s->debuggers, arg ? arg : "tcp::1234");
	return err;
}

OPTION_HANDLER(opt_qtest)
{
	int err = check_spec(arg, e);

	free(s->qtest);
	s->qtest = xstrdup(arg);
	return err;
}
