/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace.c - commands about what is traced, what of the guest's mistakes is reported, and faults. */
#include "core/command.h"
#include "core/device.h"
#include "core/fault.h"
#include "core/machine.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>

/* ---- trace events */

struct match {
	const char *glob;
	void (*fn)(void *arg, const char *name, bool on);
	void *arg;
	unsigned n;
};

static void match_one(void *arg, const char *name, bool on)
{
	struct match *t = arg;

	if (!str_glob(t->glob, name))
		return;
	t->n++;
	if (t->fn)
		t->fn(t->arg, name, on);
}

/* The points that a pattern names: CLASS.point; ID.point of a device that is there. */
static unsigned match(struct machine *m, const char *glob,
		      void (*fn)(void *arg, const char *name, bool on), void *arg)
{
	struct match t = { glob, fn, arg, 0 };
	const char *dot = strchr(glob, '.');
	struct device_core *c;

	trace_list(match_one, &t);
	list_for_each (c, &m->devices, link) {
		size_t n = strlen(c->dev->id);

		if (!t.n && dot && !strncmp(glob, c->dev->id, n) && glob + n == dot)
			t.n = 1;
	}
	return t.n;
}

static void add_event(void *arg, const char *name, bool on)
{
	json_array_append_new(arg, json_pack("{s:s, s:b, s:s}", "name", name, "vcpu", 0, "state",
					     on ? "enabled" : "disabled"));
}

static int unknown(const char *name, struct error *e)
{
	return error_ret(e, -EINVAL, "unknown event \"%s\"", name);
}

static const struct command_arg get_args[] = { { "name", ARG_STRING }, {} };
static int get_state(struct command_call *c, struct error *e)
{
	const char *name = call_str(c, "name");

	c->result = json_array();
	/* a pattern may match nothing, a name may not */
	if (!match(c->m, name, add_event, c->result) && !strpbrk(name, "*?["))
		return unknown(name, e);
	return 0;
}
COMMAND(trace_get, .qmp = "trace-event-get-state", .args = get_args, .run = get_state,
	.doc = "which trace points there are, and which are on");

static const struct command_arg set_args[] = {
	{ "name", ARG_STRING }, { "enable", ARG_BOOL }, { "ignore-unavailable", ARG_BOOL, true }, {}
};
static int set_state(struct command_call *c, struct error *e)
{
	const char *name = call_str(c, "name");

	if (!match(c->m, name, NULL, NULL))
		return call_bool(c, "ignore-unavailable", false) ? 0 : unknown(name, e);
	return trace_enable(name, call_bool(c, "enable", false), e);
}
COMMAND(trace_set, .qmp = "trace-event-set-state", .args = set_args, .run = set_state,
	.doc = "switch trace points on or off");

struct words {
	void (*fn)(void *arg, const char *word);
	void *arg;
};
static void complete_events_one(void *arg, const char *name, bool on)
{
	const struct words *w = arg;

	w->fn(w->arg, name);
}
static void complete_events(struct machine *m, void (*fn)(void *arg, const char *word), void *arg)
{
	trace_list(complete_events_one, &(struct words){ fn, arg });
}

static const struct command_arg event_args[] = { { "name", ARG_STRING },
						 { "option", ARG_BOOL },
						 {} };
static int trace_event(struct command_call *c, struct error *e)
{
	const char *name = call_str(c, "name");

	if (!match(c->m, name, NULL, NULL))
		return unknown(name, e);
	return trace_enable(name, call_bool(c, "option", false), e);
}
COMMAND(trace_event, .hmp = "trace-event", .args = event_args, .run = trace_event,
	.complete = complete_events, .doc = "switch trace points on or off; * and ? are wildcards");

static void print_event(void *arg, const char *name, bool on)
{
	command_print(arg, "%s : state %d\n", name, on);
}
static const struct command_arg events_args[] = { { "name", ARG_STRING, true }, {} };
static int trace_events(struct command_call *c, struct error *e)
{
	const char *name = call_str(c, "name");

	match(c->m, name ? name : "*", print_event, c);
	return 0;
}
COMMAND(trace_events, .hmp = "info trace-events", .args = events_args, .run = trace_events,
	.complete = complete_events, .doc = "show the trace points and which are on");

static const struct command_arg file_args[] = { { "filename", ARG_STRING }, {} };
static int logfile(struct command_call *c, struct error *e)
{
	trace_set_file(call_str(c, "filename"), e);
	return error_is_set(e) ? -EIO : 0;
}
COMMAND(logfile, .hmp = "logfile", .args = file_args, .run = logfile,
	.doc = "write logs and traces to a file from now on");

/* ---- the guest's mistakes */

static const struct command_arg lint_args[] = { { "mode", ARG_STRING, true }, {} };
static int lint(struct command_call *c, struct error *e)
{
	static const char *const names[] = {
		[LINT_OFF] = "off", [LINT_REPORT] = "report", [LINT_STOP] = "stop"
	};
	const char *mode = call_str(c, "mode");

	for (unsigned i = 0; mode && i < ARRAY_SIZE(names); i++) {
		if (!str_eq(mode, names[i]))
			continue;
		lint_set(i);
		mode = NULL;
	}
	if (mode)
		return error_ret(e, -EINVAL, "'%s' is none of off, report and stop", mode);
	c->result = json_pack("{s:s}", "mode", names[lint_get()]);
	return 0;
}
static void show_lint(struct command_call *c)
{
	command_print(c, "driver mistakes: %s\n",
		      json_string_value(json_object_get(c->result, "mode")));
}
COMMAND(lint, .hmp = "lint", .qmp = "lint", .args = lint_args, .run = lint, .show = show_lint,
	.doc = "what happens when a driver uses a device wrongly: off, report or stop");

/* ---- faults */

static const struct command_arg arm_args[] = { { "point", ARG_STRING }, {} };
static int arm(struct command_call *c, struct error *e)
{
	return fault_arm(c->m, call_str(c, "point"), e);
}
static void complete_faults(struct machine *m, void (*fn)(void *arg, const char *word), void *arg)
{
	fault_list(fn, arg);
}
COMMAND(fault_arm, .hmp = "fault arm", .qmp = "fault-arm", .args = arm_args, .run = arm,
	.complete = complete_faults,
	.doc = "break something: ID.POINT[,probability=PERCENT][,interval=N][,times=N] and, by the "
	       "kind of point, "
	       "[,action=fail|drop|corrupt|double][,value=N][,mask=N][,flip=N][,delay=TIME]");

static int disarm(struct command_call *c, struct error *e)
{
	return fault_disarm(c->m, call_str(c, "point"), e);
}
static void each_armed(void *arg, const struct fault_info *f)
{
	const struct words *w = arg;

	w->fn(w->arg, f->name);
}
static void complete_armed(struct machine *m, void (*fn)(void *arg, const char *word), void *arg)
{
	fault_each(m, each_armed, &(struct words){ fn, arg });
}
COMMAND(fault_disarm, .hmp = "fault disarm", .qmp = "fault-disarm", .args = arm_args, .run = disarm,
	.complete = complete_armed, .doc = "let something be whole again");

static void add_fault(void *arg, const struct fault_info *f)
{
	json_t *item = json_pack("{s:s, s:i, s:I, s:I, s:I}", "point", f->name, "probability",
				 (int)f->probability, "interval", (json_int_t)f->interval, "hits",
				 (json_int_t)f->hits, "fired", (json_int_t)f->fired);
	char action[160];

	fault_print_action(f, action, sizeof(action));
	if (*action)
		json_object_set_new(item, "action", json_string(action));
	if (f->times != ~0ull)
		json_object_set_new(item, "times", json_integer((json_int_t)f->times));
	json_array_append_new(arg, item);
}
static int query_faults(struct command_call *c, struct error *e)
{
	c->result = json_array();
	fault_each(c->m, add_fault, c->result);
	return 0;
}
static long long number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}
static void print_point(void *arg, const char *name) { command_print(arg, "  %s\n", name); }
static void show_faults(struct command_call *c)
{
	json_t *f;
	size_t i;

	json_array_foreach(c->result, i, f)
	{
		command_print(c, "%s: probability=%lld interval=%lld",
			      json_string_value(json_object_get(f, "point")),
			      number(f, "probability"), number(f, "interval"));
		if (json_object_get(f, "action"))
			command_print(c, " %s", json_string_value(json_object_get(f, "action")));
		if (json_object_get(f, "times"))
			command_print(c, " times=%lld left", number(f, "times"));
		command_print(c, ", met %lld times, fired %lld times\n", number(f, "hits"),
			      number(f, "fired"));
	}
	if (json_array_size(c->result))
		return;
	command_print(c, "no fault is armed; points of all classes, beside those that each device "
			 "has (quern doc DEVICE):\n");
	fault_list(print_point, c);
}
COMMAND(query_faults, .hmp = "fault list|info faults", .qmp = "query-faults", .run = query_faults,
	.show = show_faults, .doc = "show what is broken on purpose");
