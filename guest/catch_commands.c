/* SPDX-License-Identifier: GPL-2.0-or-later */
/* catch_commands.c - monitor commands to make, list and remove catchpoints. */
#include "core/command.h"
#include "core/machine.h"
#include "guest/watch.h"
#include "lib/error.h"
#include <errno.h>

static struct linux_os *need(struct command_call *c, struct error *e)
{
	struct linux_os *l = linux_of(c->m);

	if (!l)
		error_set(e, "nothing is known of the system in this guest");
	return l;
}

static json_t *describe(const struct catch *c)
{
	json_t *j = json_pack("{s:i, s:s, s:b}", "id", (int)c->id, "kind", catch_name(c), "armed",
			      c->armed);
	u64 hits = 0;

	for (unsigned i = 0; i < c->npoints; i++)
		hits += c->point[i].hits;
	if (c->what)
		json_object_set_new(j, "what", json_string(c->what));
	if (c->who)
		json_object_set_new(j, "who", json_string(c->who));
	if (c->useless)
		json_object_set_new(j, "useless", json_true());
	json_object_set_new(j, "met", json_integer((json_int_t)hits));
	return j;
}

static int run_catch(struct command_call *c, struct error *e)
{
	struct linux_os *l = need(c, e);
	struct catch *k;
	unsigned id;
	int err;

	if (!l)
		return -EAGAIN;
	if (call_str(c, "kind")) {
		err = catch_add(l, call_str(c, "kind"), call_str(c, "what"), call_str(c, "who"),
				&id, e);
		if (err)
			return err;
		list_for_each (k, &l->watch->catches, link)
			if (k->id == id)
				c->result = describe(k);
		return 0;
	}
	c->result = json_array();
	list_for_each (k, &l->watch->catches, link)
		json_array_append_new(c->result, describe(k));
	return 0;
}

static void show_one(struct command_call *c, json_t *j)
{
	const char *what = json_string_value(json_object_get(j, "what"));
	const char *who = json_string_value(json_object_get(j, "who"));

	command_print(c, "%lld: %s%s%s%s%s%s\n", json_integer_value(json_object_get(j, "id")),
		      json_string_value(json_object_get(j, "kind")), what ? " " : "",
		      what ? what : "", who ? " in " : "", who ? who : "",
		      json_is_true(json_object_get(j, "armed"))	  ? "" :
		      json_is_true(json_object_get(j, "useless")) ? " (this kernel cannot)" :
								    " (waits for the kernel)");
}

static void show_catch(struct command_call *c)
{
	json_t *j;
	size_t i;

	if (json_is_object(c->result))
		show_one(c, c->result);
	else if (!json_array_size(c->result))
		command_print(c, "no catchpoints; catch one of: %s\n", catch_kinds());
	else
		json_array_foreach(c->result, i, j) show_one(c, j);
}

static void complete_kind(struct machine *m, void (*fn)(void *arg, const char *word), void *arg)
{
	static const char *const kind[] = {
		"panic",  "oops", "warn",    "lockdep",	  "hung-task",
		"module", "exec", "syscall", "exception", "triple-fault"
	};

	(void)m;
	for (size_t i = 0; i < ARRAY_SIZE(kind); i++)
		fn(arg, kind[i]);
}
static const struct command_arg catch_args[] = {
	{ "kind", ARG_STRING, true }, { "what", ARG_STRING, true }, { "who", ARG_STRING, true }, {}
};
COMMAND(catch, .hmp = "catch", .qmp = "catch", .args = catch_args, .run = run_catch,
	.show = show_catch, .complete = complete_kind,
	.doc = "stop the guest at a panic, oops, system call...; without arguments: list them");

static int run_uncatch(struct command_call *c, struct error *e)
{
	struct linux_os *l = need(c, e);
	s64 id = call_int(c, "id", 0);

	if (!l)
		return -EAGAIN;
	if (!call_has(c, "id"))
		catch_clear(l);
	else if (id <= 0 || catch_remove(l, (unsigned)id))
		return error_ret(e, -ENOENT, "there is no catchpoint %lld", (long long)id);
	return 0;
}
static const struct command_arg uncatch_args[] = { { "id", ARG_INT, true }, {} };
COMMAND(uncatch, .hmp = "uncatch", .qmp = "uncatch", .args = uncatch_args, .run = run_uncatch,
	.doc = "remove a catchpoint, or all of them");
