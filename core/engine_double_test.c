/* SPDX-License-Identifier: GPL-2.0-or-later */
/* engine_double_test.c - weak doubles of the engine's entry points, for a tree whose engine is not
 * there. They follow the engine's contract as far as a test's instruction set needs it, whose
 * exception_pending and deliver are one guest step. */
#include "core/cpu.h"
#include "core/machine.h"
#include "lib/alloc.h"

#define WEAK __attribute__((weak))

WEAK struct engine *engine_new(struct machine *m, const struct engine_options *o, struct error *e)
{
	m->engine = xalloc(8);
	return m->engine;
}

WEAK void engine_free(struct engine *e) { free(e); }

WEAK int engine_add_cpu(struct engine *e, struct cpu *cpu) { return 0; }

WEAK void engine_run(struct engine *e, struct cpu *cpu)
{
	for (;;) {
		while (cpu->isa->exception_pending(cpu))
			cpu->isa->deliver(cpu);
		if (__atomic_load_n(&cpu->exit_request, __ATOMIC_ACQUIRE) & CPU_EXIT_IRQ) {
			__atomic_fetch_and(&cpu->exit_request, ~(u32)CPU_EXIT_IRQ,
					   __ATOMIC_ACQ_REL);
			if (cpu->isa->interrupt(cpu))
				cpu->halted = false;
		}
		if (cpu->halted && cpu->isa->has_work(cpu))
			cpu->halted = false;
		if (__atomic_load_n(&cpu->exit_request, __ATOMIC_ACQUIRE) & ~(u32)CPU_EXIT_IRQ ||
		    cpu->halted || cpu->stopped)
			return;
	}
}
