/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doc_monitor.c - what monitors can do, from the table of commands. */
#include "cli/doc.h"
#include "core/command.h"
#include "lib/alloc.h"
#include <stdio.h>

struct list_of {
	VEC(const struct command *) v;
};

static void collect(void *arg, const struct command *c)
{
	struct list_of *l = arg;

	vec_push(&l->v, c);
}

static const char *name_of(const struct command *c) { return c->hmp ? c->hmp : c->qmp; }

static int by_name(const void *a, const void *b)
{
	return strcmp(name_of(*(const struct command *const *)a),
		      name_of(*(const struct command *const *)b));
}

static const char *type_name(enum command_type t)
{
	switch (t) {
	case ARG_INT:
	case ARG_SIZE:
		return "integer";
	case ARG_BOOL:
	case ARG_FLAG:
		return "boolean";
	case ARG_ANY:
		return "JSON";
	default:
		return "string";
	}
}

/* "memsave {val: integer, size: integer, filename: string, [cpu-index: integer]}" */
static void print_qmp(const struct command *c)
{
	const char *between = "";

	printf("    QMP: %s", c->qmp);
	for (const struct command_arg *a = c->args; a && a->name; a++) {
		bool optional = a->optional || a->type == ARG_FLAG || a->type == ARG_FORMAT;

		printf("%s%s%s: %s%s", *between ? between : " {", optional ? "[" : "", a->name,
		       type_name(a->type), optional ? "]" : "");
		if (a->type == ARG_KEYVALS)
			printf(", ...");
		between = ", ";
	}
	printf("%s\n", *between ? "}" : "");
}

void doc_monitor(void)
{
	struct list_of l = { 0 };

	printf("Commands of the monitors. The human monitor takes them as they stand first, QMP "
	       "by the name behind \"QMP:\".\n"
	       "Numbers may be expressions of + - * / %% & | ^ ~ ( ), 0x1f, 'c' and "
	       "$REGISTER.\n\n");
	command_each(collect, &l);
	if (l.v.n)
		qsort(l.v.at, l.v.n, sizeof(l.v.at[0]), by_name);
	for (size_t i = 0; i < l.v.n; i++) {
		const struct command *c = l.v.at[i];
		AUTO_FREE char *usage = c->hmp ? command_usage(c) : NULL;

		printf("%s\n    %s\n", usage ? usage : c->qmp, c->doc);
		if (c->qmp)
			print_qmp(c);
	}
	vec_free(&l.v);
}
