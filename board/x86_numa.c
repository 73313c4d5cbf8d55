/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86_numa.c - info numa: which CPUs and how much memory are in which node. */
#include "board/x86.h"
#include "core/command.h"

static int info_numa(struct command_call *c, struct error *e)
{
	const struct x86_board_info *info = x86_info(c->m);
	const struct board_numa *n = info ? info->numa : NULL;

	command_print(c, "%u nodes\n", n ? n->nodes : 0);
	for (unsigned i = 0; n && i < n->nodes; i++) {
		command_print(c, "node %u cpus:", i);
		for (u32 cpu = 0; cpu < info->ncpus; cpu++)
			if (n->cpu_node[cpu] == i)
				command_print(c, " %u", cpu);
		command_print(c, "\nnode %u size: %llu MB\nnode %u plugged: 0 MB\n", i,
			      (unsigned long long)n->size[i] >> 20, i);
	}
	return 0;
}

COMMAND(info_numa, .hmp = "info numa", .run = info_numa, .doc = "show the memory nodes");
