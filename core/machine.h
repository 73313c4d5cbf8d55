/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine.h - one virtual machine: its CPUs, spaces, devices, clock and run state. Everything of a
 * machine hangs here; nothing per-machine is global. All of it belongs to the machine's thread;
 * other threads talk to it through machine_post. */
#pragma once
#include <quern/types.h>
#include "../lib/list.h"
#include "clock.h"
#include "space.h"

struct cpu;
struct isa;
struct engine;
struct device;
struct error;
struct board;
struct debug;
struct dump_job;
struct monitors;

enum run_state {
	RUN_PRELAUNCH,
	RUN_RUNNING,
	RUN_PAUSED,
	RUN_SHUTDOWN,
	RUN_GUEST_PANICKED,
	RUN_DEBUG,
	RUN_INTERNAL_ERROR,
	RUN_WATCHDOG,
	RUN_IO_ERROR,
	RUN_INMIGRATE,	    /* waits for its state */
	RUN_FINISH_MIGRATE, /* its state is copied, */
	RUN_POSTMIGRATE	    /* has been */
};
/* Why a guest stops or resets; names as in QMP SHUTDOWN events. */
enum shutdown_cause {
	CAUSE_NONE,
	CAUSE_HOST_SIGNAL,
	CAUSE_HOST_QUIT,
	CAUSE_HOST_RESET,
	CAUSE_GUEST_SHUTDOWN,
	CAUSE_GUEST_RESET,
	CAUSE_GUEST_PANIC,
	CAUSE_TRIPLE_FAULT,
	CAUSE_DEVICE_EXIT
};

struct machine {
	struct region memory_root, io_root;
	struct space memory, io; /* what CPUs see; io: x86 ports (64 KiB) */
	struct clock clock;
	struct cpu **cpu;
	u32 ncpus;
	const struct isa *isa;
	struct engine *engine; /* created by engine_new; owns translations */
	struct list devices;   /* struct device_core, in order of creation */
	/* main memory: [0, ram_size) of the board's RAM, mapped by the board */
	struct region ram;
	u64 ram_size;
	u64 ram_pages; /* RAM pages handed out (struct ram.first_page) */
	const struct board *board;
	/* what the board tells boot loaders (struct x86_board_info), the board's to free */
	void *board_info;
	struct cpu *current; /* the vCPU inside engine_run, or NULL */
	enum run_state state;
	/* requests, looked at by machine_run between slices */
	bool reset_requested, powerdown_requested, shutdown_requested, stop_requested;
	enum shutdown_cause cause;
	const char *name, *uuid; /* -name, -uuid: the settings' own; NULL = not said */
	int exit_code;		 /* for CAUSE_DEVICE_EXIT and the end of main */
	/* enum machine_action */
	struct machine_actions {
		u8 reboot, shutdown, panic, watchdog;
	} actions;
	/* QMP-style events; may be NULL */
	void (*event)(struct machine *m, const char *name, const char *json_data);
	struct monitors *monitors; /* whose sessions get them (mon/), or NULL */
	/* set by the engine: translations of this RAM page must go ([offset, offset+n) in the page)
	 */
	void (*code_written)(struct machine *m, u64 ram_page, unsigned offset, unsigned n);
	/* set by the engine: any of RAM may have changed, and CPU state with it */
	void (*memory_changed)(struct machine *m);
	struct debug *debug;	      /* debug.h; never NULL */
	struct dump_job *dump;	      /* the last one asked for: dump/'s to free, or NULL */
	struct machine_private *priv; /* posts, wake-up, poll set */
	/* -seed: all randomness that a guest can see derives from it when set */
	u64 seed;
	bool seed_set;
	/* driven from outside (qtest/): no CPU runs, and the clock stands but for clock_step */
	bool driven;
};

enum machine_action {
	ACTION_RESET,
	ACTION_SHUTDOWN,
	ACTION_POWEROFF,
	ACTION_PAUSE,
	ACTION_NONE,
	ACTION_EXIT_FAILURE,
	ACTION_INJECT_NMI,
	ACTION_DEBUG
};

struct machine *machine_new(void);
void machine_free(struct machine *m);
/*
 * The loop: runs vCPUs in turn, timers, posts and polled descriptors, until shutdown; returns the
 * process exit code. It resets the machine first when nobody has, and starts it unless machine_stop
 * was called before (-S).
 */
int machine_run(struct machine *m);
/* Run fn(arg) on the machine thread at the next instruction boundary: the one door for everything
 * that comes from outside. Any thread, but no signal handler: those write to a descriptor given to
 * machine_poll_fd. */
void machine_post(struct machine *m, void (*fn)(void *arg), void *arg);
/* Ask for something; from the machine thread (devices) or through machine_post. */
void machine_request_reset(struct machine *m, enum shutdown_cause why);
void machine_request_shutdown(struct machine *m, enum shutdown_cause why);
void machine_request_powerdown(struct machine *m); /* ACPI power button */
void machine_exit(struct machine *m, int code);	   /* isa-debug-exit, testdev */
void machine_guest_panicked(struct machine *m);	   /* pvpanic */
/* A watchdog has expired: does what -action watchdog= says, and tells monitors. */
void machine_watchdog_expired(struct machine *m);
void machine_stop(struct machine *m, enum run_state why);
void machine_cont(struct machine *m);
/* All devices then CPUs to their power-on state; boot-time memory contents (kernel, tables) are
 * restored by reset hooks. */
void machine_reset(struct machine *m);
struct reset_hook {
	void (*fn)(void *arg);
	void *arg;
	struct list link;
};
/* called in order of addition, after devices */
void machine_add_reset(struct machine *m, struct reset_hook *h);
/* Called when the machine is freed, before anything of it goes. */
void machine_add_fini(struct machine *m, struct reset_hook *h);
/* Called on the machine thread when the user presses the power button (machine_request_powerdown);
 * runs after other hooks. */
void machine_add_powerdown(struct machine *m, struct reset_hook *h);
/* Host descriptors: cb on the machine thread when fd is readable/writable (events: POLLIN,
 * POLLOUT). 0 events: removed. */
void machine_poll_fd(struct machine *m, int fd, short events, void (*cb)(void *arg, short revents),
		     void *arg);
/* Random bytes for guests: from the seed when set, else from the host. */
void machine_random(struct machine *m, void *buf, size_t n);

/* --- the engine, as the machine uses it (implemented in jit/) */
struct engine_options {
	u8 tier; /* 0 = IR interpreter, 1 = JIT */
	u64 cache_bytes;
	bool one_insn;
	bool strict;
	bool stats /* printed to stderr at the end */;
	bool icount;
	u8 icount_shift;
};
struct engine *engine_new(struct machine *m, const struct engine_options *o, struct error *e);
void engine_free(struct engine *e);
int must_check engine_add_cpu(struct engine *e, struct cpu *cpu);
/* Executes one vCPU until exit_request, HLT or an event; exceptions are delivered inside. */
void engine_run(struct engine *e, struct cpu *cpu);
struct engine_stats {
	u64 units, guest_bytes, host_bytes, insns, translate_ns, flushes, invalidated, lookups;
};
void engine_stats(struct engine *e, struct engine_stats *s);
