/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run.c - the engine's life and the vCPU loop: exceptions, interrupts, and execution by whichever
 * tier there is. */
#include "engine.h"
#include "../core/debug.h"
#include <errno.h>
#include <stdio.h>

void engine_sync_pc(struct engine_cpu *ec)
{
	const struct unit *u;
	u32 lo = 0, hi, off;

	if (!ec->ra)
		return;
	u = unit_at(ec->engine, ec->ra);
	off = (u32)(ec->ra - u->host);
	ec->ra = NULL;
	hi = u->npoints;
	/* the point's offset is the return address itself */
	while (hi - lo > 1) {
		u32 mid = (lo + hi) / 2;

		if (u->points[mid].host <= off)
			lo = mid;
		else
			hi = mid;
	}
	ec->cpu->pc = u->pc + (u64)(s64)u->insn_pc[u->points[lo].insn];
}

_Noreturn void cpu_unwind(struct cpu *cpu)
{
	engine_sync_pc(cpu->engine);
	longjmp(*cpu->unwind, 1);
}

static void space_changed(struct space_listener *l, struct space *s)
{
	(void)s;
	tlb_flush_everything(container_of(l, struct engine, listener));
}

static void code_written(struct machine *m, u64 ram_page, unsigned offset, unsigned n)
{
	units_written(m->engine, ram_page, offset, n, NULL, false);
}

static void memory_changed(struct machine *m)
{
	units_flush(m->engine);
	tlb_flush_everything(m->engine);
}

struct engine *engine_new(struct machine *m, const struct engine_options *o, struct error *err)
{
	struct engine *e = NEW(struct engine);
	int r;

	e->machine = m;
	e->opt = *o;
	e->backend = o->tier ? backend_host() : NULL;
	if (o->tier && !e->backend) {
		error_set(err, "this host has no code generator: use -accel tcg,tier=0");
		goto fail;
	}
	if (units_init(e)) {
		error_set(err, "cannot map the code cache: %s", strerror(errno));
		goto fail;
	}
	if (e->backend) {
		r = e->backend->init(e, e->code, REGION_CODE);
		if (r < 0) {
			error_set(err, "the code generator for %s cannot run on this host: %s",
				  e->backend->name, strerror(-r));
			units_fini(e);
			free(e->backend_data);
			goto fail;
		}
		e->cur_region = 1;
	}
	e->listener.changed = space_changed;
	space_listen(&m->memory, &e->listener);
	m->code_written = code_written;
	m->memory_changed = memory_changed;
	m->engine = e;
	return e;
fail:
	free(e);
	return NULL;
}

static void print_stats(const struct engine_stats *s)
{
	double insns = s->insns ? (double)s->insns : 1,
	       bytes = s->guest_bytes ? (double)s->guest_bytes : 1;

	fprintf(stderr,
		"translated: %llu units, %llu instructions, %llu guest bytes -> %llu host bytes "
		"(%.2f each), %.0f ns an instruction; "
		"killed %llu, looked up %llu\n",
		(unsigned long long)s->units, (unsigned long long)s->insns,
		(unsigned long long)s->guest_bytes, (unsigned long long)s->host_bytes,
		(double)s->host_bytes / bytes, (double)s->translate_ns / insns,
		(unsigned long long)s->invalidated, (unsigned long long)s->lookups);
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	if (e->opt.stats)
		print_stats(&e->stats);
	units_fini(e);
	free(e->backend_data);
	for (u32 i = 0; i < e->ncpus; i++) {
		tlb_fini(e->cpus[i]);
		free(e->cpus[i]);
	}
	free(e->cpus);
	list_del(&e->listener.link);
	e->machine->engine = NULL;
	e->machine->code_written = NULL;
	e->machine->memory_changed = NULL;
	free(e);
}

int engine_add_cpu(struct engine *e, struct cpu *cpu)
{
	struct engine_cpu *ec = NEW(struct engine_cpu);

	ec->cpu = cpu;
	ec->engine = e;
	if (tlb_init(ec)) {
		tlb_fini(ec);
		free(ec);
		return -ENOMEM;
	}
	cpu->engine = ec;
	e->cpus = xrealloc(e->cpus, (e->ncpus + 1) * sizeof(*e->cpus));
	e->cpus[e->ncpus++] = ec;
	return 0;
}

void engine_stats(struct engine *e, struct engine_stats *s) { *s = e->stats; }

static void divide_error(void *c)
{
	struct cpu *cpu = c;

	cpu->isa->divide_error(cpu);
	cpu_unwind(cpu);
}

static struct ir_env env_of(struct cpu *cpu)
{
	return (struct ir_env){ .cpu = cpu,
				.slots = cpu->isa->slots,
				.helpers = cpu->isa->helpers,
				.pc = &cpu->pc,
				.flags = &cpu->hflags,
				.load = access_load,
				.store = access_store,
				.rmw = access_rmw,
				.cas = access_cas,
				.divide_error = divide_error };
}

/* One instruction from wherever it lies. */
static void run_single(struct engine *e, struct engine_cpu *ec)
{
	struct ir_env env = env_of(ec->cpu);
	struct ir_body b;

	unit_lift_single(e, ec);
	b = (struct ir_body){ .nops = e->ir.nops,
			      .ntemps = e->ir.ntemps,
			      .op = e->ir.op,
			      .konst = e->ir.konst,
			      .insn = e->ir.insn };
	ec->single = true;
	ir_interpret(&b, &env, e->temps);
	ec->single = false;
	ec->cpu->icount++;
}

/* A debugger's point at the next instruction: it has been asked, and the CPU stops there, or the
 * instruction was executed. No unit ever begins at a point, so that all ways to it lead here. */
static bool met_point(struct engine *e, struct engine_cpu *ec)
{
	struct cpu *cpu = ec->cpu;
	const struct debug *d = e->machine->debug;
	u64 lin;

	if (likely(!d->nexec))
		return false;
	if (unlikely(e->debug_generation != d->generation))
		units_debug(e);
	lin = debug_pc(cpu);
	if (!debug_exec_in(d, lin, lin))
		return false;
	if (debug_met_exec(cpu, lin)) {
		cpu->pass = lin;
		cpu->pass_valid = true;
	} else if (debug_pc(cpu) == lin) {
		run_single(e, ec);
	}
	return true;
}

static void run_tier0(struct engine *e, struct engine_cpu *ec)
{
	struct cpu *cpu = ec->cpu;
	struct ir_env env = env_of(cpu);

	while (!__atomic_load_n(&cpu->exit_request, __ATOMIC_RELAXED)) {
		struct unit *u;

		if (met_point(e, ec))
			return;
		u = unit_get(e, ec, false);
		if (!u) {
			run_single(e, ec);
			return;
		}
		cpu->icount += u->ninsns;
		if (ir_interpret(&u->body, &env, e->temps) == IR_LEAVE_POLL || cpu->halted)
			return;
	}
}

/* The jump cache class for the CPU's mode, emptied when it was for another mode. */
static unsigned class_for(struct engine_cpu *ec)
{
	struct cpu *cpu = ec->cpu;
	unsigned class = cpu->isa->mode_class(cpu->mode);
	struct tlb_set *s = ec->set;

	if (!s->class_valid[class] || s->class_mode[class] != cpu->mode ||
	    s->class_base[class] != cpu->pc_base) {
		tlb_jc_clear(s, class);
		s->class_mode[class] = cpu->mode;
		s->class_base[class] = cpu->pc_base;
		s->class_valid[class] = true;
	}
	return class;
}

static const u8 *host_code(struct engine *e, struct engine_cpu *ec, struct exit_slot *slot)
{
	struct cpu *cpu = ec->cpu;
	unsigned class = class_for(ec);
	const struct jc_entry *j = &ec->set->jc[class][jc_index(cpu->pc)];
	u64 lin, evictions = e->evictions;
	struct unit *u;

	if (j->pc == cpu->pc && !slot)
		return j->host;
	u = unit_get(e, ec, slot && slot->nospan);
	if (!u)
		return NULL;
	lin = (cpu->pc + cpu->pc_base) & cpu->isa->pc_mask(cpu->mode);
	if (!u->nospan)
		tlb_jc_put(ec, class, u,
			   tlb_get(ec, cpu->isa->fetch_context(cpu->mode), lin, ACCESS_EXEC)
				   ->global);
	/* within a page the translation of addresses cannot change: link for good */
	if (slot && (slot->patch || slot->site) && evictions == e->evictions && !slot->from->dead &&
	    slot->from->ram_page == u->ram_page && slot->from->pc_base == u->pc_base &&
	    slot->from->mode == u->mode && !((slot->from->pc ^ u->pc) >> GUEST_PAGE_BITS) &&
	    slot->from->ram_page2 == ~0ull && (u->ram_page2 == ~0ull || u->guard))
		unit_link(e, slot, u);
	return u->host;
}

static void run_tier1(struct engine *e, struct engine_cpu *ec)
{
	struct cpu *cpu = ec->cpu;
	struct exit_slot *slot = NULL;

	while (!__atomic_load_n(&cpu->exit_request, __ATOMIC_RELAXED)) {
		const u8 *host;

		if (met_point(e, ec))
			return;
		host = host_code(e, ec, slot);
		slot = NULL;
		if (!host) {
			run_single(e, ec);
			return;
		}
		if (e->backend->enter(e, cpu, host, &slot) == IR_LEAVE_POLL || cpu->halted)
			return;
	}
}

/* Entering a handler stores outside any translation, as a delivery does. */
static bool interrupt(struct cpu *cpu)
{
	bool taken;

	cpu->engine->single = true;
	taken = cpu->isa->interrupt(cpu);
	cpu->engine->single = false;
	return taken;
}

/* True when the vCPU has something to execute. */
static bool events(struct cpu *cpu)
{
	u32 req = __atomic_load_n(&cpu->exit_request, __ATOMIC_ACQUIRE);
	bool masked = cpu->step && cpu->machine->debug->sstep & DEBUG_SSTEP_NOIRQ && !cpu->halted;

	if (req & CPU_EXIT_IRQ && !masked) {
		__atomic_fetch_and(&cpu->exit_request, ~(u32)CPU_EXIT_IRQ, __ATOMIC_ACQ_REL);
		if (interrupt(cpu))
			cpu->halted = false;
	}
	if (cpu->halted && cpu->isa->has_work(cpu)) {
		cpu->halted = false;
		/* what woke it is looked at with the halt over */
		interrupt(cpu);
	}
	if (__atomic_load_n(&cpu->exit_request, __ATOMIC_ACQUIRE) & ~(u32)CPU_EXIT_IRQ)
		return false;
	return !cpu->halted && !cpu->stopped;
}

/* Exceptions that wait are delivered. False: a debugger wants to see one first. */
static bool deliver(struct engine_cpu *ec)
{
	struct cpu *cpu = ec->cpu;
	const struct debug *d = cpu->machine->debug;

	while (cpu->isa->exception_pending(cpu)) {
		if (unlikely(d->catch_exceptions) && !cpu->passed_exception &&
		    cpu->isa->exception_number &&
		    debug_met_exception(cpu, cpu->isa->exception_number(cpu))) {
			cpu->passed_exception = true;
			return false;
		}
		cpu->passed_exception = false;
		ec->met.size = 0;
		/* no translation runs now: a store into one does not have to leave it */
		ec->single = true;
		cpu->isa->deliver(cpu);
		ec->single = false;
	}
	return true;
}

/* The instruction at a point that has been told is executed without asking again. True: done. */
static cold_path bool passed(struct engine *e, struct engine_cpu *ec)
{
	struct cpu *cpu = ec->cpu;

	if (cpu->halted ||
	    __atomic_load_n(&cpu->exit_request, __ATOMIC_RELAXED) & ~(u32)CPU_EXIT_IRQ)
		return false;
	cpu->pass_valid = false;
	if (cpu->pass != debug_pc(cpu))
		return false;
	cpu->stepped = cpu->step;
	run_single(e, ec);
	return true;
}

/* The instruction that met watched bytes is complete. */
static cold_path void met_watch(struct engine_cpu *ec)
{
	u32 size = ec->met.size;

	ec->met.size = 0;
	if (debug_met_watch(ec->cpu, ec->met.va, size, ec->met.write))
		ec->single = false;
}

/* One instruction, or a stretch of them. */
static void go_on(struct engine *e, struct engine_cpu *ec)
{
	struct cpu *cpu = ec->cpu;

	if (unlikely(cpu->step)) {
		cpu->stepped = true;
		run_single(e, ec);
	} else if (__atomic_load_n(&cpu->exit_request, __ATOMIC_RELAXED)) {
		/* an interrupt waits until the shadow of an STI or MOV SS is over: one
		 * instruction */
		run_single(e, ec);
	} else if (e->backend) {
		run_tier1(e, ec);
	} else {
		run_tier0(e, ec);
	}
}

static void debug_changed(struct engine *e)
{
	const struct debug *d = e->machine->debug;
	/* these stop at instructions that access memory, within units */
	bool exact = e->opt.strict || d->nwatch || d->catch_exceptions;

	if (exact && !e->exact)
		units_flush(e);
	e->exact = exact;
	if (e->debug_generation != d->generation)
		units_debug(e);
	if (e->watch_generation != d->watch_generation) {
		e->watch_generation = d->watch_generation;
		tlb_flush_everything(e);
	}
}

void engine_run(struct engine *e, struct cpu *cpu)
{
	struct engine_cpu *ec = cpu->engine;
	jmp_buf back;

	debug_changed(e);
	cpu->unwind = &back;
	if (cpu->isa->enter)
		cpu->isa->enter(cpu);
	setjmp(back);
	while (deliver(ec)) {
		if (unlikely(ec->met.size))
			met_watch(ec);
		if (unlikely(cpu->stepped)) {
			cpu->stepped = ec->single = false;
			debug_stepped(cpu);
			break;
		}
		if (unlikely(cpu->pass_valid) && passed(e, ec))
			continue;
		if (ec->single) {
			run_single(e, ec);
			continue;
		}
		if (!events(cpu))
			break;
		if (!cpu->isa->exception_pending(cpu))
			go_on(e, ec);
	}
	if (cpu->isa->leave)
		cpu->isa->leave(cpu);
	cpu->unwind = NULL;
}
