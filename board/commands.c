/* SPDX-License-Identifier: GPL-2.0-or-later */
/* commands.c - monitor commands about boards. */
#include "board/board.h"
#include "core/command.h"
#include "lib/alloc.h"
#include "lib/str.h"

struct listing {
	json_t *list;
	const char *isa;
};

static void add_board(void *arg, const struct board *b)
{
	const struct listing *l = arg;
	json_t *item;

	if (!str_eq(b->isa, l->isa))
		return;
	AUTO_FREE char *type =
		xasprintf("%s-%s-cpu", b->default_cpu ? b->default_cpu : "max", b->isa);

	item = json_pack("{s:s, s:i, s:b, s:b, s:b, s:b, s:s, s:s}", "name", b->name, "cpu-max",
			 (int)b->max_cpus, "hotpluggable-cpus", 0, "numa-mem-supported", 1,
			 "deprecated", 0, "acpi", 1, "default-cpu-type", type, "default-ram-id",
			 "ram");
	if (b->is_default)
		json_object_set_new(item, "is-default", json_true());
	json_array_append_new(l->list, item);
}

static int query_machines(struct command_call *c, struct error *e)
{
	const struct listing l = { json_array(), c->m->board ? c->m->board->isa : "x86_64" };

	board_each(add_board, (void *)&l);
	c->result = l.list;
	return 0;
}
COMMAND(query_machines, .qmp = "query-machines", .run = query_machines,
	.doc = "the machines that -machine knows");
