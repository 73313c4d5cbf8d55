/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opt_device.c - handlers of the options that add devices and what is behind them, and of those
 * that watch them. */
#include "cli/options.h"
#include "core/user_object.h"
#include "lib/bytes.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

static bool is_help(const char *arg) { return str_eq(arg, "help") || str_eq(arg, "?"); }

OPTION_HANDLER(opt_device)
{
	struct keyvals kv = { 0 };
	const char *driver;
	int err;

	if (is_help(arg)) {
		list_devices();
		return OPTION_DONE;
	}
	err = keyvals_parse(&kv, arg, "driver", e);
	driver = keyvals_get(&kv, "driver");
	if (!err && !driver)
		err = error_ret(e, -EINVAL, "the device's name is missing");
	if (!err && keyvals_help(&kv)) {
		err = list_device(driver, e);
		err = err ? err : OPTION_DONE;
	}
	if (err) {
		keyvals_fini(&kv);
		return err;
	}
	vec_push(&s->devices, kv);
	return 0;
}

/* NAME.KEY=VALUE, or driver=NAME,property=KEY,value=VALUE. */
OPTION_HANDLER(opt_global)
{
	const char *dot = strchr(arg, '.'), *equal = strchr(arg, '=');
	struct keyvals kv = { 0 };
	int err = 0;

	if (dot && equal && dot < equal && dot > arg && dot + 1 < equal) {
		AUTO_FREE char *driver = xstrndup(arg, dot - arg),
			       *key = xstrndup(dot + 1, equal - dot - 1);

		keyvals_add(&kv, "driver", driver);
		keyvals_add(&kv, "property", key);
		keyvals_add(&kv, "value", equal + 1);
	} else {
		err = keyvals_parse(&kv, arg, NULL, e);
		if (!err && !(keyvals_get(&kv, "driver") && keyvals_get(&kv, "property") &&
			      keyvals_get(&kv, "value")))
			err = error_ret(e, -EINVAL, "the form is NAME.KEY=VALUE");
		if (!err)
			err = keyvals_all_used(&kv, "driver|property|value", e);
	}
	if (err)
		keyvals_fini(&kv);
	else
		vec_push(&s->globals, kv);
	return err;
}

OPTION_HANDLER(opt_fw_cfg)
{
	texts_add(&s->fw_cfg, arg);
	return 0;
}

OPTION_HANDLER(opt_object)
{
	struct keyvals kv = { 0 };
	const char *type;
	int err;

	if (is_help(arg)) {
		list_objects();
		return OPTION_DONE;
	}
	err = keyvals_parse(&kv, arg, "qom-type", e);
	type = keyvals_get(&kv, "qom-type");
	if (!err && (!type || !object_kind_find(type)))
		err = error_ret(e, -EINVAL,
				"there are no objects of type '%s'; -object help lists them",
				type ? type : "");
	if (err)
		keyvals_fini(&kv);
	else
		vec_push(&s->objects, kv);
	return err;
}

OPTION_HANDLER(opt_usb) { return error_ret(e, -ENOTSUP, "USB is not built yet"); }

OPTION_HANDLER(opt_display)
{
	if (is_help(arg)) {
		printf("Available display backend types:\nnone\n");
		return OPTION_DONE;
	}
	if (!str_eq(arg, "none"))
		return error_ret(e, -ENOTSUP,
				 "graphical displays are not built yet; -display none works");
	s->no_display = true;
	return 0;
}

OPTION_HANDLER(opt_audio)
{
	struct keyvals kv = { 0 };
	const char *driver;
	int err;

	if (is_help(arg)) {
		printf("Available audio drivers:\nnone\n");
		return OPTION_DONE;
	}
	err = keyvals_parse(&kv, arg, "driver", e);
	driver = keyvals_get(&kv, "driver");
	if (!err && (!driver || !str_eq(driver, "none")))
		err = error_ret(e, -ENOTSUP, "sound is not built yet; the back end none works");
	keyvals_fini(&kv);
	return err;
}

/* ---- logs and traces */

static const struct log_item {
	const char *name, *doc;
	bool works;
	const char *trace; /* the trace points that tell it */
} log_items[] = { { "guest_errors", "what a guest does wrong with a device", true },
		  { "unimp", "what a model lacks (always on)", true },
		  { "trace:GLOB", "the trace points that the pattern selects", true },
		  { "in_asm", "guest code, when it is translated", false },
		  { "out_asm", "host code, when it was made", false },
		  { "op", "intermediate code", false },
		  { "op_opt", "intermediate code, optimised", false },
		  { "op_ind", "intermediate code", false },
		  { "op_plugin", "intermediate code of plugins", false },
		  { "int", "interrupts and exceptions", true, "x86-int" },
		  { "exec", "each executed unit", false },
		  { "cpu", "registers before each unit", false },
		  { "fpu", "floating-point registers too", false },
		  { "vpu", "vector registers too", false },
		  { "mmu", "address translation", true, "x86-fault" },
		  { "pcall", "protected-mode far transfers", true, "x86-far" },
		  { "cpu_reset", "registers at each reset", true, "x86-reset" },
		  { "page", "pages at start", false },
		  { "nochain", "do not chain units", false },
		  { "plugin", "output of plugins", false },
		  { "strace", "system calls of user programs", false },
		  { "tid", "a file for each thread", false },
		  { "invalid_mem", "accesses to nothing", false },
		  {} };

int log_item(struct settings *s, const char *name, struct error *e)
{
	const char *glob;

	if (str_prefix(name, "trace:", &glob)) {
		texts_add(&s->traces, glob);
		return 0;
	}
	for (const struct log_item *i = log_items; i->name; i++) {
		if (!str_eq(i->name, name))
			continue;
		if (!i->works)
			return error_ret(e, -ENOTSUP, "logging of '%s' is not built yet", name);
		s->lint |= str_eq(name, "guest_errors");
		if (i->trace)
			texts_add(&s->traces, i->trace);
		return 0;
	}
	return error_ret(e, -EINVAL, "'%s' is no log item, -d help lists them", name);
}

void log_help(void (*line)(void *arg, const char *text), void *arg)
{
	line(arg, "Log items (comma separated):");
	for (const struct log_item *i = log_items; i->name; i++) {
		AUTO_FREE char *text = xasprintf("%-15s %s%s", i->name, i->doc,
						 i->works ? "" : " (not built yet)");

		line(arg, text);
	}
}

static void print_item(void *arg, const char *text) { puts(text); }

OPTION_HANDLER(opt_log)
{
	int err = 0;

	if (is_help(arg)) {
		log_help(print_item, NULL);
		return OPTION_DONE;
	}
	for (const char *p = arg; !err; p++) {
		size_t n = strcspn(p, ",");
		AUTO_FREE char *name = xstrndup(p, n);

		err = log_item(s, name, e);
		p += n;
		if (!*p)
			break;
	}
	return err;
}

/* One pattern per line; '-' before it switches off; # begins a comment. */
static int trace_events(struct settings *s, const char *path, struct error *e)
{
	struct bytes b;
	int err = bytes_read_file(&b, path, 1 << 20, e);

	for (size_t at = 0; !err && at < b.size;) {
		size_t end = at;

		while (end < b.size && b.data[end] != '\n')
			end++;
		AUTO_FREE char *line = xstrndup((char *)b.data + at, end - at);

		line[strcspn(line, "\r")] = 0;
		if (*line && *line != '#')
			texts_add(&s->traces, line);
		at = end + 1;
	}
	bytes_fini(&b);
	return err;
}

OPTION_HANDLER(opt_trace)
{
	struct keyvals kv = { 0 };
	const char *events, *file, *glob;
	int err;

	if (is_help(arg)) {
		list_traces();
		return OPTION_DONE;
	}
	err = keyvals_parse(&kv, arg, "enable", e);
	if (err)
		goto out;
	glob = keyvals_get(&kv, "enable");
	events = keyvals_get(&kv, "events");
	file = keyvals_get(&kv, "file");
	if (glob && !*glob)
		err = error_ret(e, -EINVAL, "an empty pattern selects nothing");
	else if (glob)
		texts_add(&s->traces, glob);
	if (!err && events)
		err = trace_events(s, events, e);
	if (file) {
		free(s->trace_file);
		s->trace_file = xstrdup(file);
	}
	if (!err)
		err = keyvals_all_used(&kv, "enable|events|file", e);
out:
	keyvals_fini(&kv);
	return err;
}

OPTION_HANDLER(opt_fault)
{
	if (is_help(arg)) {
		list_faults();
		return OPTION_DONE;
	}
	texts_add(&s->faults, arg);
	return 0;
}

OPTION_HANDLER(opt_lint)
{
	int n = arg ? choice_find("report|stop", arg) : 0;

	if (n < 0)
		return error_ret(e, -EINVAL, "report or stop is expected");
	s->lint = true;
	s->lint_stop = n == 1;
	return 0;
}
