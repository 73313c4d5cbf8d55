/* SPDX-License-Identifier: GPL-2.0-or-later */
/* debug.c - points, stops and their clients. Exec points are kept as a sorted array of addresses,
 * so that the translator can ask for ranges; watch points are few and looked at by page. */
#include "core/debug.h"
#include "core/cpu.h"
#include "core/private.h"
#include "lib/alloc.h"

enum { PAGE = 4096, STEPS_ALONE = 16 };

struct debug *debug_of(struct machine *m) { return m->debug; }

void debug_init(struct machine *m)
{
	struct debug *d = NEW(struct debug);

	list_init(&d->points);
	list_init(&d->clients);
	d->sstep = DEBUG_SSTEP_ENABLE;
	m->debug = d;
}

void debug_fini(struct machine *m)
{
	free(m->debug->exec);
	free(m->debug);
	m->debug = NULL;
}

/* --- points */

static int by_address(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static void sort_exec(struct debug *d)
{
	struct debug_point *p;
	unsigned n = 0;

	if (d->nexec > d->cap) {
		d->cap = d->nexec * 2;
		d->exec = xrealloc(d->exec, d->cap * sizeof(*d->exec));
	}
	list_for_each (p, &d->points, link)
		if (p->kind == DEBUG_EXEC)
			d->exec[n++] = p->va;
	if (n)
		qsort(d->exec, n, sizeof(*d->exec), by_address);
	d->nsorted = 0;
	for (unsigned i = 0; i < n; i++)
		if (!d->nsorted || d->exec[d->nsorted - 1] != d->exec[i])
			d->exec[d->nsorted++] = d->exec[i];
}

void debug_arm(struct machine *m, struct debug_point *p)
{
	struct debug *d = m->debug;
	bool known;

	if (p->armed)
		return;
	p->armed = true;
	list_add_tail(&d->points, &p->link);
	if (p->kind != DEBUG_EXEC) {
		d->nwatch++;
		d->watch_generation++;
		return;
	}
	known = debug_exec_in(d, p->va, p->va);
	d->nexec++;
	sort_exec(d);
	if (!known)
		d->generation++;
}

void debug_disarm(struct machine *m, struct debug_point *p)
{
	struct debug *d = m->debug;

	if (!p->armed)
		return;
	p->armed = false;
	list_del(&p->link);
	if (p->kind != DEBUG_EXEC) {
		d->nwatch--;
		d->watch_generation++;
		return;
	}
	d->nexec--;
	sort_exec(d);
}

bool debug_exec_in(const struct debug *d, u64 lo, u64 hi)
{
	unsigned a = 0, b = d->nsorted;

	while (a < b) {
		unsigned mid = (a + b) / 2;

		if (d->exec[mid] < lo)
			a = mid + 1;
		else
			b = mid;
	}
	return a < d->nsorted && d->exec[a] <= hi;
}

/* Asks all points that `meets` picks. A hit may arm and disarm any of them: the list is walked anew
 * by a stamp. */
static bool ask(struct cpu *cpu, u64 va, unsigned size, unsigned kinds)
{
	struct debug *d = cpu->machine->debug;
	struct debug_point *p;
	bool stop = false, again = true;
	u64 round = ++d->rounds;

	while (again) {
		again = false;
		list_for_each (p, &d->points, link) {
			bool meets = kinds ? p->kind & kinds && va < p->va + p->len &&
						     p->va < va + size :
					     p->kind == DEBUG_EXEC && p->va == va;

			if (!meets || p->round == round)
				continue;
			p->round = round;
			p->hits++;
			if (!p->hit || p->hit(p, cpu, va)) {
				struct debug_stop why = {
					.why = DEBUG_WHY_POINT, .cpu = cpu, .point = p, .va = va
				};

				debug_stop(cpu->machine, &why);
				stop = true;
			}
			again = true;
			break;
		}
	}
	return stop || d->stop_set;
}

bool debug_met_exec(struct cpu *cpu, u64 va) { return ask(cpu, va, 1, 0); }

bool debug_watched_page(const struct debug *d, u64 page)
{
	const struct debug_point *p;

	page &= ~(u64)(PAGE - 1);
	list_for_each (p, &d->points, link)
		if (p->kind && p->len && p->va < page + PAGE && page < p->va + p->len)
			return true;
	return false;
}

bool debug_watched(const struct debug *d, u64 va, unsigned size, bool write)
{
	const struct debug_point *p;

	list_for_each (p, &d->points, link)
		if (p->kind & (write ? DEBUG_WRITE : DEBUG_READ) && va < p->va + p->len &&
		    p->va < va + size)
			return true;
	return false;
}

bool debug_met_watch(struct cpu *cpu, u64 va, unsigned size, bool write)
{
	return ask(cpu, va, size, write ? DEBUG_WRITE : DEBUG_READ);
}

/* --- stops */

void debug_stop(struct machine *m, const struct debug_stop *why)
{
	struct debug *d = m->debug;

	if (d->stop_set)
		return;
	d->stop = *why;
	d->stop_set = true;
	machine_stop(m, RUN_DEBUG);
	cpu_kick(why->cpu, CPU_EXIT_DEBUG);
}

void debug_stepped(struct cpu *cpu)
{
	struct debug_stop why = { .why = DEBUG_WHY_STEP, .cpu = cpu };

	debug_stop(cpu->machine, &why);
}

bool debug_met_exception(struct cpu *cpu, unsigned number)
{
	struct debug *d = cpu->machine->debug;
	struct debug_stop why = { .why = DEBUG_WHY_EXCEPTION, .cpu = cpu, .number = number };

	if (number > 63 || !(d->catch_exceptions >> number & 1))
		return false;
	debug_stop(cpu->machine, &why);
	return true;
}

bool debug_met_triple_fault(struct cpu *cpu)
{
	struct debug *d = cpu->machine->debug;
	struct debug_stop why = { .why = DEBUG_WHY_RESET, .cpu = cpu, .number = 1 };

	if (!d->catch_triple_fault)
		return false;
	d->owes_reset = true;
	debug_stop(cpu->machine, &why);
	return true;
}

void debug_catch_exceptions(struct machine *m, u64 mask) { m->debug->catch_exceptions = mask; }
void debug_catch_triple_fault(struct machine *m, bool on) { m->debug->catch_triple_fault = on; }

void debug_set_resume(struct cpu *cpu, enum debug_resume how) { cpu->resume = how; }

void debug_resume(struct machine *m, unsigned sstep)
{
	struct debug *d = m->debug;
	bool any = false;

	d->sstep = sstep | DEBUG_SSTEP_ENABLE;
	for (u32 i = 0; i < m->ncpus; i++) {
		struct cpu *cpu = m->cpu[i];

		cpu->step = cpu->resume == DEBUG_STEP;
		cpu->held = cpu->resume == DEBUG_HOLD;
		cpu->resume = DEBUG_RUN;
		any |= cpu->step;
		/* It goes first, but not always: what it waits for may be another's work. */
		if (cpu->step && d->steps++ % STEPS_ALONE)
			m->priv->turn = i;
	}
	d->stepping = any;
	if (d->owes_reset) {
		d->owes_reset = false;
		machine_request_reset(m, CAUSE_TRIPLE_FAULT);
	}
	machine_cont(m);
	if (any && sstep & DEBUG_SSTEP_NOTIMER)
		clock_run(&m->clock, false);
}

/* --- clients */

void debug_add_client(struct machine *m, struct debug_client *c)
{
	list_add_tail(&m->debug->clients, &c->link);
}

void debug_watch_roots(struct machine *m, struct debug_client *c, bool on)
{
	if (c->roots == on)
		return;
	c->roots = on;
	m->debug->nroots += on ? 1 : -1u;
}

void debug_met_root(struct cpu *cpu)
{
	struct debug *d = cpu->machine->debug;
	struct debug_client *c, *tmp;

	if (likely(!d->nroots))
		return;
	list_for_each_safe (c, tmp, &d->clients, link)
		if (c->roots)
			c->new_root(c, cpu);
	/* points may have been armed: the engine is to look at them */
	cpu_kick(cpu, CPU_EXIT_DEBUG);
}

void debug_remove_client(struct machine *m, struct debug_client *c)
{
	debug_watch_roots(m, c, false);
	list_del(&c->link);
}

bool debug_tell(struct machine *m)
{
	struct debug *d = m->debug;
	struct debug_client *c, *tmp;
	struct debug_stop why;

	if (!d->stop_set)
		return false;
	why = d->stop;
	d->stop_set = false;
	/* all of them stand now, whatever was asked for this run */
	d->stepping = false;
	for (u32 i = 0; i < m->ncpus; i++)
		m->cpu[i]->step = m->cpu[i]->stepped = m->cpu[i]->held = false;
	list_for_each_safe (c, tmp, &d->clients, link)
		if (c->stopped)
			c->stopped(c, &why);
	return true;
}

void debug_tell_state(struct machine *m)
{
	struct debug_client *c, *tmp;

	list_for_each_safe (c, tmp, &m->debug->clients, link)
		if (c->state)
			c->state(c);
}

void debug_tell_reset(struct machine *m)
{
	struct debug_client *c, *tmp;

	for (u32 i = 0; i < m->ncpus; i++)
		m->cpu[i]->pass_valid = m->cpu[i]->passed_exception = false;
	list_for_each_safe (c, tmp, &m->debug->clients, link)
		if (c->was_reset)
			c->was_reset(c);
}

void debug_tell_known(struct machine *m)
{
	struct debug_client *c, *tmp;

	list_for_each_safe (c, tmp, &m->debug->clients, link)
		if (c->os_known)
			c->os_known(c);
}

void debug_tell_end(struct machine *m, int status)
{
	struct debug_client *c, *tmp;

	list_for_each_safe (c, tmp, &m->debug->clients, link)
		if (c->ends)
			c->ends(c, status);
}
