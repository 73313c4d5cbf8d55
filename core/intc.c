/* SPDX-License-Identifier: GPL-2.0-or-later */
/* intc.c - what interrupt controllers ask about CPUs (quern/intc.h). */
#include <quern/intc.h>
#include "cpu.h"
#include "device.h"
#include "machine.h"

static struct machine *machine_of(const void *dev)
{
	const struct device *d = dev;

	return d->core->machine;
}

int device_cpu(const void *dev)
{
	const struct cpu *cpu = machine_of(dev)->current;

	return cpu ? (int)cpu->index : -1;
}

u64 device_cpu_timestamp(const void *dev, unsigned cpu, u64 *hz)
{
	struct machine *m = machine_of(dev);

	if (cpu < m->ncpus && m->cpu[cpu]->isa->timestamp)
		return m->cpu[cpu]->isa->timestamp(m->cpu[cpu], hz);
	*hz = 1000000000;
	return clock_now(&m->clock);
}
