/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machine.c - one virtual machine: creation, the loop in which its vCPUs take turns, reset, and how
 * it stops. Reasons and actions as in QMP: reset, shutdown, panic and watchdog each lead to what
 * -action chose.
 */
#include "core/machine.h"
#include "core/block.h"
#include "core/chardev.h"
#include "core/cpu.h"
#include "core/debug.h"
#include "core/device.h"
#include "core/device_add.h"
#include "core/fault.h"
#include "core/late.h"
#include "core/fds.h"
#include "core/keyboard.h"
#include "core/migrate.h"
#include "core/net.h"
#include "core/private.h"
#include "core/user_object.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/hash.h"
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#define SLICE_NS 1000000ull

static void rearmed(struct clock *c)
{
	struct machine *m = c->rearmed_arg;

	/* outside engine_run the loop arms the timer itself */
	if (m->current && c->counted)
		cpu_kick(m->current, CPU_EXIT_STOP);
	else if (m->current)
		wait_arm(m, clock_next(c));
}

struct machine *machine_new(void)
{
	struct machine *m = NEW(struct machine);
	struct machine_private *p = NEW(struct machine_private);
	struct error e = { 0 };

	m->priv = p;
	list_init(&p->spaces);
	list_init(&p->parts);
	list_init(&p->saved);
	list_init(&p->buses);
	list_init(&p->chardevs);
	list_init(&p->objects);
	list_init(&p->netdevs);
	list_init(&p->faults);
	list_init(&p->globals);
	list_init(&p->reset_hooks);
	list_init(&p->powerdown_hooks);
	list_init(&p->fini_hooks);
	fds_init(m);
	list_init(&m->devices);
	if (wait_init(m, &e)) {
		error_print(&e);
		abort();
	}
	debug_init(m);
	clock_init(&m->clock);
	late_init(m);
	m->clock.rearmed = rearmed;
	m->clock.rearmed_arg = m;
	m->actions = (struct machine_actions){ .reboot = ACTION_RESET,
					       .shutdown = ACTION_POWEROFF,
					       .panic = ACTION_SHUTDOWN,
					       .watchdog = ACTION_RESET };
	region_init_container(&m->memory_root, "system", 0);
	region_init_container(&m->io_root, "io", 1 << 16);
	space_init(&m->memory, m, "memory", &m->memory_root);
	space_init(&m->io, m, "I/O", &m->io_root);
	return m;
}

static void call_hooks(struct list *hooks)
{
	struct reset_hook *h, *tmp;

	list_for_each_safe (h, tmp, hooks, link)
		h->fn(h->arg);
}

void machine_free(struct machine *m)
{
	if (!m)
		return;
	migrate_fini(m);
	savevm_fini(m);
	wait_stop(m);
	call_hooks(&m->priv->fini_hooks);
	/* the last created goes first: it may stand on earlier ones */
	while (!list_empty(&m->devices))
		device_free(container_of(m->devices.prev, struct device_core, link)->dev);
	object_free_all(m);
	netdev_free_all(m);
	block_machine_fini(m);
	while (!list_empty(&m->priv->chardevs))
		chardev_free(container_of(m->priv->chardevs.prev, struct chardev, link));
	for (u32 i = 0; i < m->ncpus; i++) {
		if (m->cpu[i]->isa->fini)
			m->cpu[i]->isa->fini(m->cpu[i]);
	}
	if (m->engine)
		engine_free(m->engine);
	for (u32 i = 0; i < m->ncpus; i++)
		free(m->cpu[i]);
	free(m->cpu);
	space_fini(&m->memory);
	space_fini(&m->io);
	region_fini(&m->memory_root);
	region_fini(&m->io_root);
	region_fini(&m->ram);
	fault_disarm_all(m);
	late_fini(m);
	device_globals_fini(m);
	keyboard_fini(m);
	debug_fini(m);
	wait_fini(m);
	clock_fini(&m->clock);
	free(m->priv->unimplemented_seen);
	free(m->priv);
	free(m);
}

static void event(struct machine *m, const char *name, const char *json)
{
	if (m->event)
		m->event(m, name, json);
}

/* ---- reset */

void machine_add_reset(struct machine *m, struct reset_hook *h)
{
	list_add_tail(&m->priv->reset_hooks, &h->link);
}

void machine_add_powerdown(struct machine *m, struct reset_hook *h)
{
	list_add_tail(&m->priv->powerdown_hooks, &h->link);
}

void machine_add_fini(struct machine *m, struct reset_hook *h)
{
	list_add_tail(&m->priv->fini_hooks, &h->link);
}

void machine_reset(struct machine *m)
{
	m->priv->was_reset = true;
	m->reset_requested = false;
	space_begin(m);
	device_reset_all(m);
	space_commit(m);
	for (u32 i = 0; i < m->ncpus; i++) {
		m->cpu[i]->lines = 0;
		m->cpu[i]->halted = false;
		m->cpu[i]->isa->reset(m->cpu[i]);
	}
	call_hooks(&m->priv->reset_hooks);
	debug_tell_reset(m);
}

/* ---- requests */

static void request(struct machine *m, bool *which, enum shutdown_cause why)
{
	*which = true;
	if (why)
		m->cause = why;
	wait_kick_current(m, CPU_EXIT_STOP);
}

void machine_request_reset(struct machine *m, enum shutdown_cause why)
{
	/* a shutdown that is under way is not called off by a reset */
	request(m, &m->reset_requested, m->shutdown_requested ? CAUSE_NONE : why);
}

void machine_request_shutdown(struct machine *m, enum shutdown_cause why)
{
	request(m, &m->shutdown_requested, why);
}

void machine_request_powerdown(struct machine *m)
{
	request(m, &m->powerdown_requested, CAUSE_NONE);
}

void machine_exit(struct machine *m, int code)
{
	m->exit_code = code;
	request(m, &m->shutdown_requested, CAUSE_DEVICE_EXIT);
}

void machine_guest_panicked(struct machine *m)
{
	bool pause = m->actions.panic == ACTION_PAUSE ||
		     (m->actions.panic == ACTION_SHUTDOWN && m->actions.shutdown == ACTION_PAUSE);

	if (pause) {
		event(m, "GUEST_PANICKED", "{\"action\": \"pause\"}");
		machine_stop(m, RUN_GUEST_PANICKED);
	} else if (m->actions.panic == ACTION_NONE) {
		event(m, "GUEST_PANICKED", "{\"action\": \"run\"}");
	} else {
		event(m, "GUEST_PANICKED", "{\"action\": \"poweroff\"}");
		machine_request_shutdown(m, CAUSE_GUEST_PANIC);
	}
}

static void raise_nmi(struct machine *m)
{
	for (u32 i = 0; i < m->ncpus; i++) {
		cpu_set_line(m->cpu[i], CPU_LINE_NMI, 1);
		cpu_set_line(m->cpu[i], CPU_LINE_NMI, 0);
	}
}

void machine_watchdog_expired(struct machine *m)
{
	static const char *const names[] = {
		[ACTION_RESET] = "reset",	[ACTION_SHUTDOWN] = "shutdown",
		[ACTION_POWEROFF] = "poweroff", [ACTION_PAUSE] = "pause",
		[ACTION_NONE] = "none",		[ACTION_INJECT_NMI] = "inject-nmi",
		[ACTION_DEBUG] = "debug",
	};
	AUTO_FREE char *json = xasprintf("{\"action\": \"%s\"}", names[m->actions.watchdog]);

	event(m, "WATCHDOG", json);
	switch (m->actions.watchdog) {
	case ACTION_RESET:
		machine_request_reset(m, CAUSE_GUEST_RESET);
		break;
	case ACTION_SHUTDOWN:
		machine_request_powerdown(m);
		break;
	case ACTION_POWEROFF:
		machine_request_shutdown(m, CAUSE_GUEST_SHUTDOWN);
		break;
	case ACTION_PAUSE:
		machine_stop(m, RUN_WATCHDOG);
		break;
	case ACTION_INJECT_NMI:
		raise_nmi(m);
		break;
	case ACTION_DEBUG:
		warn("the watchdog has expired");
		break;
	}
}

void machine_stop(struct machine *m, enum run_state why)
{
	bool ran = m->state == RUN_RUNNING;
	struct device_core *d;

	if (m->state == RUN_PRELAUNCH)
		m->priv->hold = true;
	m->state = why;
	if (!ran)
		return;
	clock_run(&m->clock, false);
	list_for_each (d, &m->devices, link)
		if (d->realized && d->dev->class->stopped)
			d->dev->class->stopped(d->dev);
	request(m, &m->stop_requested, CAUSE_NONE);
	event(m, "STOP", "{}");
	if (why != RUN_DEBUG)
		debug_tell_state(m);
}

void machine_cont(struct machine *m)
{
	struct error e = { 0 };

	if (m->state == RUN_RUNNING) {
		m->priv->hold = m->stop_requested = false;
		return;
	}
	if (migrate_frozen(m) || migrate_run_then(m, true))
		return;
	if (block_activate_all(m, true, &e)) {
		error_print(&e);
		return;
	}
	m->priv->hold = false;
	m->stop_requested = false;
	/* after a shutdown that only paused, the guest starts anew */
	if (m->state == RUN_SHUTDOWN)
		m->reset_requested = true;
	m->state = RUN_RUNNING;
	clock_run(&m->clock, !m->driven);
	event(m, "RESUME", "{}");
	debug_tell_state(m);
	block_machine_cont(m);
}

static const char *cause_name(enum shutdown_cause why)
{
	static const char *const names[] = {
		[CAUSE_NONE] = "none",
		[CAUSE_HOST_SIGNAL] = "host-signal",
		[CAUSE_HOST_QUIT] = "host-qmp-quit",
		[CAUSE_HOST_RESET] = "host-qmp-system-reset",
		[CAUSE_GUEST_SHUTDOWN] = "guest-shutdown",
		[CAUSE_GUEST_RESET] = "guest-reset",
		[CAUSE_GUEST_PANIC] = "guest-panic",
		[CAUSE_TRIPLE_FAULT] = "guest-reset",
		[CAUSE_DEVICE_EXIT] = "guest-shutdown",
	};

	return names[why];
}

static void cause_event(struct machine *m, const char *name)
{
	AUTO_FREE char *json = xasprintf("{\"guest\": %s, \"reason\": \"%s\"}",
					 m->cause >= CAUSE_GUEST_SHUTDOWN ? "true" : "false",
					 cause_name(m->cause));

	event(m, name, json);
}

/* True when the process shall end. */
static bool do_shutdown(struct machine *m)
{
	bool by_host = m->cause == CAUSE_HOST_SIGNAL || m->cause == CAUSE_HOST_QUIT;

	m->shutdown_requested = false;
	cause_event(m, "SHUTDOWN");
	if (m->actions.shutdown == ACTION_PAUSE && !by_host && m->cause != CAUSE_DEVICE_EXIT) {
		machine_stop(m, RUN_SHUTDOWN);
		return false;
	}
	if (m->cause == CAUSE_GUEST_PANIC && m->actions.panic == ACTION_EXIT_FAILURE)
		m->exit_code = 1;
	else if (m->cause != CAUSE_DEVICE_EXIT)
		m->exit_code = 0;
	return true;
}

static bool requests(struct machine *m)
{
	if (m->reset_requested && m->actions.reboot == ACTION_SHUTDOWN && m->cause != CAUSE_NONE) {
		m->reset_requested = false;
		m->shutdown_requested = true;
	}
	if (m->shutdown_requested && do_shutdown(m))
		return true;
	if (m->reset_requested && !migrate_frozen(m)) {
		cause_event(m, "RESET");
		m->cause = CAUSE_NONE;
		machine_reset(m);
	}
	if (m->powerdown_requested) {
		m->powerdown_requested = false;
		event(m, "POWERDOWN", "{}");
		call_hooks(&m->priv->powerdown_hooks);
	}
	m->stop_requested = false;
	return false;
}

static bool requested(const struct machine *m)
{
	return m->reset_requested || m->shutdown_requested || m->powerdown_requested ||
	       m->stop_requested;
}

/* ---- the loop */

static bool runnable(struct cpu *cpu)
{
	if (cpu->held)
		return false;
	if (__atomic_load_n(&cpu->exit_request, __ATOMIC_RELAXED) & CPU_EXIT_IRQ)
		return true;
	return !cpu->stopped && (!cpu->halted || cpu->isa->has_work(cpu));
}

/* The next one in turn that has something to execute; *others: is there more than one? */
static struct cpu *pick(struct machine *m, bool *others)
{
	struct cpu *found = NULL;

	*others = false;
	for (u32 i = 0; i < m->ncpus; i++) {
		struct cpu *cpu = m->cpu[(m->priv->turn + i) % m->ncpus];

		if (!runnable(cpu))
			continue;
		if (found) {
			*others = true;
			break;
		}
		found = cpu;
	}
	if (found)
		m->priv->turn = (found->index + 1) % m->ncpus;
	return found;
}

/* In counted mode an instruction takes a nanosecond of virtual time: the slice ends at the next
 * deadline. */
static void run_counted(struct machine *m, struct cpu *cpu, u64 next)
{
	u64 now = clock_now(&m->clock), slice = MIN(next > now ? next - now : 1, SLICE_NS);

	cpu->budget = slice;
	engine_run(m->engine, cpu);
	clock_advance(&m->clock, slice - (u64)MIN(MAX(cpu->budget, (s64)0), (s64)slice));
}

static void run_cpu(struct machine *m, struct cpu *cpu, u64 next, bool others)
{
	if (!m->clock.counted && !m->clock.running && others)
		wait_arm_host(m, SLICE_NS); /* a step without timers, among others that run */
	else if (!m->clock.counted)
		wait_arm(m, others ? MIN(next, clock_now(&m->clock) + SLICE_NS) : next);
	wait_watch(m);
	__atomic_fetch_and(&cpu->exit_request,
			   ~(u32)(CPU_EXIT_STOP | CPU_EXIT_SLICE | CPU_EXIT_DEBUG),
			   __ATOMIC_SEQ_CST);
	__atomic_store_n(&m->current, cpu, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&m->priv->pending, __ATOMIC_SEQ_CST) && !requested(m)) {
		if (m->clock.counted)
			run_counted(m, cpu, next);
		else
			engine_run(m->engine, cpu);
	}
	__atomic_store_n(&m->current, NULL, __ATOMIC_SEQ_CST);
}

/* Nobody has work until the next deadline: counted time jumps there, real time passes. */
static void idle(struct machine *m, u64 next)
{
	if (m->clock.counted && next != ~0ull)
		clock_advance(&m->clock, next - MIN(next, clock_now(&m->clock)));
	else
		wait_idle(m, next);
}

static void step(struct machine *m)
{
	struct cpu *cpu = NULL;
	bool others;
	u64 next;

	if (m->state != RUN_RUNNING) {
		wait_idle(m, ~0ull);
		return;
	}
	next = clock_fire(&m->clock);
	if (requested(m))
		return;
	if (!m->driven)
		cpu = pick(m, &others);
	if (cpu)
		run_cpu(m, cpu, next, others);
	else
		idle(m, next);
}

int machine_run(struct machine *m)
{
	wait_start(m);
	if (!m->priv->was_reset)
		machine_reset(m);
	if (m->state == RUN_PRELAUNCH && !m->priv->hold)
		machine_cont(m);
	for (;;) {
		wait_service(m);
		if (requested(m) && requests(m))
			break;
		if (debug_tell(m))
			continue;
		step(m);
	}
	clock_run(&m->clock, false);
	debug_tell_end(m, m->exit_code);
	return m->exit_code;
}

/* ---- randomness */

void machine_random(struct machine *m, void *buf, size_t n)
{
	u8 *out = buf;

	if (m->seed_set) {
		for (size_t i = 0; i < n; i++) {
			u64 v = hash_u64(m->seed * 0x9e3779b97f4a7c15ull + ++m->priv->random_state);

			out[i] = v >> 24;
		}
		return;
	}
	while (n) {
		ssize_t got = getrandom(out, MIN(n, (size_t)256), 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			warn("the host has no random numbers: %s", strerror(errno));
			abort();
		}
		out += got;
		n -= got;
	}
}
