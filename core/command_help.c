/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command_help.c - what the table of commands says about itself: help, usage lines, completion. */
#include "core/command.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <ctype.h>
#include <stdio.h>

/* ---- usage */

static void usage_arg(struct strbuf *b, const struct command_arg *a)
{
	switch (a->type) {
	case ARG_FLAG:
		strbuf_printf(b, " [-%c]", a->flag);
		return;
	case ARG_FORMAT:
		strbuf_add(b, " /fmt");
		return;
	case ARG_KEYVALS:
		strbuf_printf(b, a->optional ? " [%s[,KEY=VALUE...]]" : " %s[,KEY=VALUE...]",
			      a->name);
		return;
	case ARG_BOOL:
		strbuf_printf(b, a->optional ? " [%s on|off]" : " %s on|off", a->name);
		return;
	default:
		strbuf_printf(b, a->optional ? " [%s]" : " %s", a->name);
	}
}

char *command_usage(const struct command *c)
{
	struct strbuf b = { 0 };

	strbuf_add(&b, c->hmp);
	for (const struct command_arg *a = c->args; a && a->name; a++)
		usage_arg(&b, a);
	return strbuf_take(&b);
}

/* ---- help */

struct list_of {
	VEC(const struct command *) v;
};

static void collect(void *arg, const struct command *c)
{
	struct list_of *l = arg;

	if (c->hmp)
		vec_push(&l->v, c);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct command *const *)a)->hmp,
		      (*(const struct command *const *)b)->hmp);
}

static void show_usage(struct command_call *c, const struct command *cmd)
{
	AUTO_FREE char *usage = command_usage(cmd);

	command_print(c, "%s -- %s\n", usage, cmd->doc);
}

/* Those with this prefix; of the others, those that are not under a common word. */
static void show_list(struct command_call *c, const char *prefix)
{
	struct list_of l = { 0 };

	command_each(collect, &l);
	if (l.v.n)
		qsort(l.v.at, l.v.n, sizeof(l.v.at[0]), by_name);
	for (size_t i = 0; i < l.v.n; i++) {
		const char *name = l.v.at[i]->hmp;

		if (prefix ? str_prefix(name, prefix, NULL) : !str_prefix(name, "info ", NULL))
			show_usage(c, l.v.at[i]);
	}
	vec_free(&l.v);
}

static int run_help(struct command_call *c, struct error *e)
{
	const char *name = call_str(c, "name");
	const struct command *cmd;
	const char *rest;

	if (!name) {
		show_list(c, NULL);
		return 0;
	}
	if (str_eq(name, "info")) {
		show_list(c, "info ");
		return 0;
	}
	cmd = command_find_hmp(name, &rest);
	if (!cmd || (str_eq(cmd->hmp, "info") && *rest))
		command_print(c, "unknown command: '%s'\n", name);
	else
		show_usage(c, cmd);
	return 0;
}

static void complete_commands(struct machine *m, void (*fn)(void *arg, const char *word),
			      void *arg);

static const struct command_arg help_args[] = { { "name", ARG_REST, .optional = true }, {} };
COMMAND(help, .hmp = "help|?", .any_time = true, .doc = "show the help of one command or of all",
	.args = help_args, .run = run_help, .complete = complete_commands);

static const struct command_arg info_args[] = { { "item", ARG_REST, .optional = true }, {} };
static int run_info(struct command_call *c, struct error *e)
{
	show_list(c, "info ");
	return 0;
}
COMMAND(info, .hmp = "info", .doc = "show what is known of a subject; alone it lists them",
	.args = info_args, .run = run_info);

/* ---- completion */

struct completion {
	const char *line; /* the words before the last, blanks joined to one, and the last one */
	size_t word;	  /* where the last one starts */
	VEC(char *) seen;
};

static void offer(struct completion *k, const char *word, size_t n)
{
	char *copy = xstrndup(word, n);

	for (size_t i = 0; i < k->seen.n; i++) {
		if (str_eq(k->seen.at[i], copy)) {
			free(copy);
			return;
		}
	}
	vec_push(&k->seen, copy);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A command's name goes on where the line ends: with the rest of that word. */
static void offer_name(void *arg, const struct command *c)
{
	struct completion *k = arg;
	size_t typed = strlen(k->line);

	for (const char *name = c->hmp; name && *name;) {
		size_t n = strcspn(name, "|");

		if (n >= typed && !strncmp(name, k->line, typed))
			offer(k, name + k->word, MIN(strcspn(name + k->word, " |"), n - k->word));
		name += n + (name[n] == '|');
	}
}

static void offer_word(void *arg, const char *word)
{
	struct completion *k = arg;

	if (str_prefix(word, k->line + k->word, NULL))
		offer(k, word, strlen(word));
}

struct words {
	void (*fn)(void *arg, const char *word);
	void *arg;
};

static void first_word(void *arg, const struct command *c)
{
	const struct words *w = arg;

	for (const char *name = c->hmp; name && *name;) {
		size_t n = strcspn(name, "|");
		AUTO_FREE char *word = xstrndup(name, MIN(n, strcspn(name, " ")));

		w->fn(w->arg, word);
		name += n + (name[n] == '|');
	}
}

static void complete_commands(struct machine *m, void (*fn)(void *arg, const char *word), void *arg)
{
	command_each(first_word, &(struct words){ fn, arg });
}

void command_complete(struct command_session *s, const char *line,
		      void (*fn)(void *arg, const char *word), void *arg)
{
	struct completion k = { 0 };
	struct strbuf b = { 0 };
	const struct command *c;
	const char *rest;

	while (isspace((unsigned char)*line))
		line++;
	for (; *line; line++) {
		if (!isspace((unsigned char)*line))
			strbuf_addc(&b, *line);
		else if (!isspace((unsigned char)line[1]))
			strbuf_addc(&b, ' ');
	}
	k.line = strbuf_str(&b);
	k.word = strrchr(k.line, ' ') ? (size_t)(strrchr(k.line, ' ') + 1 - k.line) : 0;
	command_each(offer_name, &k);
	c = command_find_hmp(k.line, &rest);
	if (c && c->complete && *rest == ' ')
		c->complete(s->m, offer_word, &k);
	if (k.seen.n)
		qsort(k.seen.at, k.seen.n, sizeof(k.seen.at[0]), by_text);
	for (size_t i = 0; i < k.seen.n; i++) {
		fn(arg, k.seen.at[i]);
		free(k.seen.at[i]);
	}
	vec_free(&k.seen);
	strbuf_fini(&b);
}
