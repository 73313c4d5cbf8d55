/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run.c - commands about the machine's run: stop, cont, reset, power, NMI, and its state. */
#include "core/block.h"
#include "core/command.h"
#include "core/cpu.h"
#include "core/debug.h"
#include "core/machine.h"
#include "core/migrate.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>

static const char *state_name(enum run_state s)
{
	static const char *const names[] = {
		[RUN_PRELAUNCH] = "prelaunch",
		[RUN_RUNNING] = "running",
		[RUN_PAUSED] = "paused",
		[RUN_SHUTDOWN] = "shutdown",
		[RUN_GUEST_PANICKED] = "guest-panicked",
		[RUN_DEBUG] = "debug",
		[RUN_INTERNAL_ERROR] = "internal-error",
		[RUN_WATCHDOG] = "watchdog",
		[RUN_IO_ERROR] = "io-error",
		[RUN_INMIGRATE] = "inmigrate",
		[RUN_FINISH_MIGRATE] = "finish-migrate",
		[RUN_POSTMIGRATE] = "postmigrate",
	};

	return names[s];
}

static int query_status(struct command_call *c, struct error *e)
{
	c->result = json_pack("{s:s, s:b}", "status", state_name(c->m->state), "running",
			      c->m->state == RUN_RUNNING);
	return 0;
}

static void show_status(struct command_call *c)
{
	const char *status = json_string_value(json_object_get(c->result, "status"));

	if (str_eq(status, "running") || str_eq(status, "paused"))
		command_print(c, "VM status: %s\n", status);
	else
		command_print(c, "VM status: paused (%s)\n", status);
}
COMMAND(query_status, .hmp = "info status", .qmp = "query-status", .run = query_status,
	.show = show_status, .doc = "show whether the machine runs, and why not");

static int stop(struct command_call *c, struct error *e)
{
	if (!migrate_run_then(c->m, false) && c->m->state == RUN_RUNNING)
		machine_stop(c->m, RUN_PAUSED);
	return 0;
}
COMMAND(stop, .hmp = "stop|s", .qmp = "stop", .run = stop, .doc = "pause the machine");

static int cont(struct command_call *c, struct error *e)
{
	if (migrate_run_then(c->m, true))
		return 0;
	/* the images may be another process's since it was migrated */
	if (block_activate_all(c->m, true, e))
		return -EBUSY;
	if (c->m->state == RUN_DEBUG)
		debug_resume(c->m, 0);
	else
		machine_cont(c->m);
	return 0;
}
COMMAND(cont, .hmp = "cont|c", .qmp = "cont", .run = cont, .doc = "let the machine go on");

static int system_reset(struct command_call *c, struct error *e)
{
	machine_request_reset(c->m, CAUSE_HOST_RESET);
	return 0;
}
COMMAND(system_reset, .hmp = "system_reset", .qmp = "system_reset", .run = system_reset,
	.doc = "press the reset button");

static int system_powerdown(struct command_call *c, struct error *e)
{
	machine_request_powerdown(c->m);
	return 0;
}
COMMAND(system_powerdown, .hmp = "system_powerdown", .qmp = "system_powerdown",
	.run = system_powerdown, .doc = "press the power button");

/* No machine suspends to memory. */
static int system_wakeup(struct command_call *c, struct error *e)
{
	return error_ret(e, -EINVAL, "Unable to wake up: guest is not in suspended state");
}
COMMAND(system_wakeup, .hmp = "system_wakeup", .qmp = "system_wakeup", .run = system_wakeup,
	.doc = "wake the machine from suspend");

static int current_machine(struct command_call *c, struct error *e)
{
	c->result = json_pack("{s:b}", "wakeup-suspend-support", 0);
	return 0;
}
COMMAND(current_machine, .qmp = "query-current-machine", .run = current_machine,
	.doc = "what this machine can do while it runs");

static int quit(struct command_call *c, struct error *e)
{
	machine_request_shutdown(c->m, CAUSE_HOST_QUIT);
	return 0;
}
COMMAND(quit, .hmp = "quit|q", .qmp = "quit", .run = quit, .any_time = true,
	.doc = "end the emulator");

static int nmi(struct command_call *c, struct error *e)
{
	for (u32 i = 0; i < c->m->ncpus; i++) {
		cpu_set_line(c->m->cpu[i], CPU_LINE_NMI, 1);
		cpu_set_line(c->m->cpu[i], CPU_LINE_NMI, 0);
	}
	return 0;
}
COMMAND(nmi, .hmp = "nmi", .qmp = "inject-nmi", .run = nmi,
	.doc = "raise a non-maskable interrupt on all CPUs");

static const char *action_name(u8 action)
{
	static const char *const names[] = {
		[ACTION_RESET] = "reset",
		[ACTION_SHUTDOWN] = "shutdown",
		[ACTION_POWEROFF] = "poweroff",
		[ACTION_PAUSE] = "pause",
		[ACTION_NONE] = "none",
		[ACTION_EXIT_FAILURE] = "exit-failure",
		[ACTION_INJECT_NMI] = "inject-nmi",
		[ACTION_DEBUG] = "debug",
	};

	return names[action];
}

/* What each may be; machine.h's names. */
static int set_action(struct command_call *c, const char *key, u8 *action, const u8 *allowed,
		      size_t n, struct error *e)
{
	const char *want = call_str(c, key);

	for (size_t i = 0; want && i < n; i++) {
		if (!str_eq(want, action_name(allowed[i])))
			continue;
		*action = allowed[i];
		return 0;
	}
	return want ? error_ret(e, -EINVAL, "Parameter '%s' does not accept value '%s'", key,
				want) :
		      0;
}

static int set_actions(struct command_call *c, struct error *e)
{
	static const u8 reboot[] = { ACTION_RESET, ACTION_SHUTDOWN };
	static const u8 shutdown[] = { ACTION_POWEROFF, ACTION_PAUSE };
	static const u8 panic[] = { ACTION_PAUSE, ACTION_SHUTDOWN, ACTION_EXIT_FAILURE,
				    ACTION_NONE };
	static const u8 watchdog[] = { ACTION_RESET,	 ACTION_SHUTDOWN, ACTION_POWEROFF,
				       ACTION_PAUSE,	 ACTION_DEBUG,	  ACTION_NONE,
				       ACTION_INJECT_NMI };
	struct machine_actions a = c->m->actions;
	int err = set_action(c, "reboot", &a.reboot, reboot, ARRAY_SIZE(reboot), e);

	if (!err)
		err = set_action(c, "shutdown", &a.shutdown, shutdown, ARRAY_SIZE(shutdown), e);
	if (!err)
		err = set_action(c, "panic", &a.panic, panic, ARRAY_SIZE(panic), e);
	if (!err)
		err = set_action(c, "watchdog", &a.watchdog, watchdog, ARRAY_SIZE(watchdog), e);
	if (!err)
		c->m->actions = a;
	return err;
}
static const struct command_arg action_args[] = { { "reboot", ARG_STRING, true },
						  { "shutdown", ARG_STRING, true },
						  { "panic", ARG_STRING, true },
						  { "watchdog", ARG_STRING, true },
						  {} };
COMMAND(set_action, .qmp = "set-action", .args = action_args, .run = set_actions,
	.doc = "what follows a reset, shutdown, panic, or an expired watchdog");

static const struct command_arg watchdog_args[] = { { "action", ARG_STRING }, {} };
static int watchdog_action(struct command_call *c, struct error *e)
{
	json_object_set(c->args, "watchdog", json_object_get(c->args, "action"));
	return set_actions(c, e);
}
COMMAND(watchdog_action, .hmp = "watchdog_action", .args = watchdog_args, .run = watchdog_action,
	.doc = "what an expired watchdog does");
