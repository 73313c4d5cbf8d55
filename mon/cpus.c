/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpus.c - commands about CPUs: which one is meant, their registers, what their page tables say. */
#include "core/command.h"
#include "core/cpu.h"
#include "core/debug.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <errno.h>
#include <unistd.h>

static const struct command_arg cpu_args[] = { { "index", ARG_INT }, {} };
static int set_cpu(struct command_call *c, struct error *e)
{
	s64 n = call_int(c, "index", 0);

	if (n < 0 || n >= c->m->ncpus)
		return error_ret(e, -EINVAL, "invalid CPU index");
	c->s->cpu = (u32)n;
	return 0;
}
COMMAND(cpu, .hmp = "cpu", .args = cpu_args, .run = set_cpu,
	.doc = "choose the CPU that further commands speak of");

static json_t *cpu_json(const struct machine *m, u32 i)
{
	AUTO_FREE char *path = xasprintf("/machine/unattached/device[%u]", i);

	return json_pack("{s:I, s:{s:i, s:i, s:i}, s:s, s:i, s:s}", "thread-id",
			 (json_int_t)gettid(), "props", "core-id", 0, "thread-id", 0, "socket-id",
			 (int)i, "qom-path", path, "cpu-index", (int)i, "target",
			 m->cpu[i]->isa->name);
}

static int query_cpus(struct command_call *c, struct error *e)
{
	c->result = json_array();
	for (u32 i = 0; i < c->m->ncpus; i++)
		json_array_append_new(c->result, cpu_json(c->m, i));
	return 0;
}
static void show_cpus(struct command_call *c)
{
	for (u32 i = 0; i < c->m->ncpus; i++)
		command_print(c, "%c CPU #%u: thread_id=%d\n", i == c->s->cpu ? '*' : ' ', i,
			      (int)gettid());
}
COMMAND(query_cpus, .hmp = "info cpus", .qmp = "query-cpus-fast", .run = query_cpus,
	.show = show_cpus, .doc = "show the CPUs");

/* ---- registers */

static void print_line(void *arg, const char *text) { command_print(arg, "%s\n", text); }

static void dump_cpu(struct command_call *c, struct cpu *cpu)
{
	command_print(c, "\nCPU#%u\n", cpu->index);
	cpu->isa->dump(cpu, print_line, c);
}

static const struct command_arg registers_args[] = { { "all", ARG_FLAG, true, 'a' },
						     { "vcpu", ARG_INT, true },
						     {} };
static int registers(struct command_call *c, struct error *e)
{
	s64 n = call_int(c, "vcpu", c->s->cpu);

	if (!c->cpu || !c->cpu->isa->dump)
		return error_ret(e, -ENOTSUP, "there are no registers to show");
	if (call_bool(c, "all", false)) {
		for (u32 i = 0; i < c->m->ncpus; i++)
			dump_cpu(c, c->m->cpu[i]);
		return 0;
	}
	if (n < 0 || n >= c->m->ncpus) {
		command_print(c, "CPU#%lld not available\n", (long long)n);
		return 0;
	}
	dump_cpu(c, c->m->cpu[n]);
	return 0;
}
COMMAND(registers, .hmp = "info registers", .args = registers_args, .run = registers,
	.doc = "show a CPU's registers, with -a those of all");

/* ---- addresses */

static const struct command_arg gva_args[] = { { "addr", ARG_INT }, {} };
static int gva2gpa(struct command_call *c, struct error *e)
{
	u64 va = (u64)call_int(c, "addr", 0), pa;

	if (!c->cpu)
		return error_ret(e, -ENOTSUP, "there is no CPU");
	if (debug_translate(c->cpu, va, &pa))
		command_print(c, "Unmapped\n");
	else
		command_print(c, "gpa: %#llx\n", (unsigned long long)pa);
	return 0;
}
COMMAND(gva2gpa, .hmp = "gva2gpa", .args = gva_args, .run = gva2gpa,
	.doc = "show the physical address behind a virtual one");
