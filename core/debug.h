/* SPDX-License-Identifier: GPL-2.0-or-later */
/* debug.h - stopping and inspecting a guest from outside: breakpoints and watchpoints on virtual
 * addresses, single steps, exceptions caught, memory through page tables. Debuggers (gdb/),
 * monitors (mon/) and knowledge of operating systems (guest/) are clients of this; the engine and
 * the instruction sets serve it. Everything here belongs to the machine's thread. Nothing costs
 * anything while it is not hit, guest memory is never patched, and points survive reset. */
#pragma once
#include <quern/types.h>
#include "../lib/list.h"

struct machine;
struct cpu;
struct mapping;
struct debug_point;

/* What a point waits for. Watch kinds are bits: access = read | write. */
enum debug_kind {
	DEBUG_EXEC = 0, /* the instruction at va is about to be executed */
	DEBUG_WRITE =
		1, /* some byte of [va, va + len) was written by an instruction, now complete */
	DEBUG_READ = 2,
	DEBUG_ACCESS = 3
};

/* One armed point; embedded in what owns it, which must not move while it is armed. */
struct debug_point {
	enum debug_kind kind;
	u64 va;	 /* linear address, in whatever address space the CPU runs */
	u64 len; /* bytes; DEBUG_EXEC: ignored */
	/* Asked when the point is met, CPU state synchronised: stop the machine (true), or go on as
	 * if nothing had been there? va: the address accessed. It may read and write guest state,
	 * arm and disarm points, itself too. NULL: stop. */
	bool (*hit)(struct debug_point *p, struct cpu *cpu, u64 va);
	void *owner; /* the client's */
	u64 hits;    /* how often it was met */
	u64 round;   /* debug.c's */
	struct list link;
	bool armed;
};
/* Arming an armed point, or disarming one that is not armed, does nothing. */
void debug_arm(struct machine *m, struct debug_point *p);
void debug_disarm(struct machine *m, struct debug_point *p);

/* Why the machine stopped in RUN_DEBUG (or was asked to by machine_stop in another state). */
enum debug_why {
	DEBUG_WHY_POINT,     /* `point` was met by `cpu` at va */
	DEBUG_WHY_STEP,	     /* a single step of `cpu` is complete */
	DEBUG_WHY_EXCEPTION, /* `cpu` is about to enter exception `number` (debug_catch_exception)
			      */
	DEBUG_WHY_RESET,  /* debug_catch_reset: about to be reset, after a triple fault: number = 1
			   */
	DEBUG_WHY_REQUEST /* debug_stop: by a client */
};
struct debug_stop {
	enum debug_why why;
	struct cpu *cpu; /* whose state matters; never NULL */
	struct debug_point *point;
	u64 va;
	unsigned number;
	const char *text; /* DEBUG_WHY_REQUEST: what to tell the user, or NULL; static or the
			   * caller's until the machine goes on */
};

/* Whoever wants to know that the machine stopped, went on or ends: debugger connections, monitors.
 * All callbacks may be NULL. */
struct debug_client {
	/* The machine has stopped with m->state RUN_DEBUG; why says what happened. Called on the
	 * machine thread once guest state is synchronised. */
	void (*stopped)(struct debug_client *c, const struct debug_stop *why);
	/* m->state changed, in whatever way: paused, running, shut down... Not called for
	 * RUN_DEBUG, which stopped tells. */
	void (*state)(struct debug_client *c);
	void (*was_reset)(struct debug_client *c);
	/* `cpu` has loaded a page-table root, while debug_watch_roots is on. It may arm and disarm
	 * points and stop the machine, which takes effect when the CPU next looks for interrupts.
	 */
	void (*new_root)(struct debug_client *c, struct cpu *cpu);
	/* the guest's system was found, after somebody had asked for that (os_await) */
	void (*os_known)(struct debug_client *c);
	/* the process ends with this exit status */
	void (*ends)(struct debug_client *c, int status);
	bool roots; /* debug.c's */
	struct list link;
};
void debug_add_client(struct machine *m, struct debug_client *c);
void debug_remove_client(struct machine *m, struct debug_client *c);

/* Stop now, on behalf of a point's hit, an event or a client; the machine is in RUN_DEBUG when
 * `stopped` is called. From the machine thread; while a CPU executes it stops at the next
 * instruction boundary. */
void debug_stop(struct machine *m, const struct debug_stop *why);

/* How each CPU goes on at the next debug_resume: they all run unless told otherwise; a choice holds
 * for one resumption. */
enum debug_resume { DEBUG_RUN, DEBUG_STEP, DEBUG_HOLD };
void debug_set_resume(struct cpu *cpu, enum debug_resume how);
/* While a step is under way. Values as in gdb's qqemu.sstepbits; ENABLE is always there. */
enum { DEBUG_SSTEP_ENABLE = 1, DEBUG_SSTEP_NOIRQ = 2, DEBUG_SSTEP_NOTIMER = 4 };
/* Go on. A point at a CPU's pc that made it stop is not met again before that instruction. A step
 * executes one instruction, or enters the handler of the exception that it raises; one REP string
 * instruction is one instruction. sstep: DEBUG_SSTEP_ bits. */
void debug_resume(struct machine *m, unsigned sstep);

/* Stop before an exception's handler is entered (x86: vectors 0..31; external interrupts are not
 * exceptions). mask: bit n = number n; replaces the one of before. */
void debug_catch_exceptions(struct machine *m, u64 mask);
/* Stop before the machine is reset or shut down by a triple fault. */
void debug_catch_triple_fault(struct machine *m, bool on);

/* Is this client told of page-table roots that CPUs load? */
void debug_watch_roots(struct machine *m, struct debug_client *c, bool on);

/* --- memory as a CPU sees it: through the page tables in force, permissions ignored, no side
 * effect on guest state, devices read with debug attributes. 0, -EFAULT when some byte is not
 * mapped (nothing transferred then), -EIO when nothing answers at the physical address. Writing RAM
 * and ROM drops the translations of what changes. */
int must_check debug_read(struct cpu *cpu, u64 va, void *buf, size_t n);
int must_check debug_write(struct cpu *cpu, u64 va, const void *buf, size_t n);
int must_check debug_read_phys(struct machine *m, u64 pa, void *buf, size_t n);
int must_check debug_write_phys(struct machine *m, u64 pa, const void *buf, size_t n);
/* Physical address of va; -EFAULT when it is not mapped. */
int must_check debug_translate(struct cpu *cpu, u64 va, u64 *pa);
/* The same in another address space: root as in the page-table base register of the instruction set
 * (x86: CR3, its PCID bits ignored), with the CPU's paging mode. *entry, if not NULL: the last
 * page-table entry looked at, also when it is not present (swapped out...). -ENOTSUP when the
 * instruction set has no such thing. */
int must_check debug_translate_root(struct cpu *cpu, u64 root, u64 va, u64 *pa, u64 *entry);
int must_check debug_read_root(struct cpu *cpu, u64 root, u64 va, void *buf, size_t n);
int must_check debug_write_root(struct cpu *cpu, u64 root, u64 va, const void *buf, size_t n);
/* Copies the NUL-terminated text at va, at most size - 1 bytes of it; 0 or -EFAULT. */
int must_check debug_read_text(struct cpu *cpu, u64 va, char *buf, size_t size);

/* --- registers, by the instruction set's table (isa->regs). buf: (bits + 7) / 8 bytes,
 * little-endian. A change of pc, mode or address space takes effect when the CPU goes on. */
struct cpu_reg;
const struct cpu_reg *cpu_reg_find(const struct cpu *cpu, const char *name);
void cpu_reg_get(struct cpu *cpu, const struct cpu_reg *r, void *buf);
void cpu_reg_set(struct cpu *cpu, const struct cpu_reg *r, const void *buf);
/* The low 64 bits by name; 0 when there is no such register. */
u64 cpu_reg_u64(struct cpu *cpu, const char *name);
/* Linear address of the next instruction. */
u64 debug_pc(const struct cpu *cpu);

/* --- for the engine (jit/) */
struct debug {
	struct list points, clients;
	unsigned nexec, nwatch; /* armed ones */
	unsigned nroots;	/* clients that are told of new roots */
	u64 generation;		/* changes when an address is armed: translations across it go */
	u64 watch_generation;	/* changes when watched addresses changed: TLB entries go */
	u64 *exec;		/* addresses of armed exec points, sorted, each once */
	unsigned nsorted, cap;
	u64 rounds;
	u64 catch_exceptions;
	bool catch_triple_fault;
	bool owes_reset; /* after a triple fault that was caught */
	bool stop_set;	 /* `stop` waits to be told */
	struct debug_stop stop;
	unsigned sstep;
	bool stepping; /* some CPU steps */
	u64 steps;
};
struct debug *debug_of(struct machine *m);
/* Is there an armed exec point in [lo, hi]? */
bool debug_exec_in(const struct debug *d, u64 lo, u64 hi);
/* At an instruction boundary with state synchronised: asks the points at linear address va. True: a
 * stop is noted, leave. */
bool debug_met_exec(struct cpu *cpu, u64 va);
/* Does this page have watched bytes? Does the access meet them? `met` asks the points. */
bool debug_watched_page(const struct debug *d, u64 page);
bool debug_watched(const struct debug *d, u64 va, unsigned size, bool write);
bool debug_met_watch(struct cpu *cpu, u64 va, unsigned size, bool write);
/* A step is complete; an exception is about to be delivered (true: leave, it stays pending). */
void debug_stepped(struct cpu *cpu);
bool debug_met_exception(struct cpu *cpu, unsigned number);
/* --- for the instruction sets: a triple fault (or what resembles it). True: stopped instead. */
bool debug_met_triple_fault(struct cpu *cpu);
/* Another address space is in force. */
void debug_met_root(struct cpu *cpu);
/* --- for the machine loop */
void debug_init(struct machine *m);
void debug_fini(struct machine *m);
/* Tells clients of a stop that is noted. True when there was one. */
bool debug_tell(struct machine *m);
void debug_tell_state(struct machine *m);
void debug_tell_reset(struct machine *m);
void debug_tell_known(struct machine *m);
void debug_tell_end(struct machine *m, int status);
