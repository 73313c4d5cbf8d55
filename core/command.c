/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command.c - monitor commands: finding one by a human's line or a QMP name, and running it. Words
 * of messages are those that QEMU's clients know. */
#include "core/command.h"
#include "core/command_args.h"
#include "core/cpu.h"
#include "core/machine.h"
#include "core/migrate.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

extern const struct command *const __start_quern_command[] __attribute__((weak));
extern const struct command *const __stop_quern_command[] __attribute__((weak));

/* ---- the table */

void command_each(void (*fn)(void *arg, const struct command *c), void *arg)
{
	for (const struct command *const *c = __start_quern_command; c < __stop_quern_command; c++)
		fn(arg, *c);
}

/* Length of `name` (n bytes, words apart by one blank) at the start of line, whose words may stand
 * further apart; 0 when it does not start so. */
static size_t match(const char *name, size_t n, const char *line)
{
	const char *at = line;

	for (size_t i = 0; i < n; i++) {
		if (name[i] == ' ') {
			if (!isspace((unsigned char)*at))
				return 0;
			while (isspace((unsigned char)*at))
				at++;
		} else if (*at++ != name[i]) {
			return 0;
		}
	}
	return *at && *at != '/' && !isspace((unsigned char)*at) ? 0 : (size_t)(at - line);
}

const struct command *command_find_hmp(const char *line, const char **rest)
{
	const struct command *found = NULL;
	size_t longest = 0;

	while (isspace((unsigned char)*line))
		line++;
	for (const struct command *const *c = __start_quern_command; c < __stop_quern_command;
	     c++) {
		for (const char *name = (*c)->hmp; name && *name;) {
			size_t n = strcspn(name, "|"), len = match(name, n, line);

			if (len > longest) {
				longest = len;
				found = *c;
			}
			name += n + (name[n] == '|');
		}
	}
	if (rest)
		*rest = line + longest;
	return found;
}

const struct command *command_find_qmp(const char *name)
{
	for (const struct command *const *c = __start_quern_command; c < __stop_quern_command;
	     c++) {
		if ((*c)->qmp && str_eq((*c)->qmp, name))
			return *c;
	}
	return NULL;
}

/* ---- output */

static void put(struct command_session *s, const char *text, size_t n)
{
	if (s->out && n)
		s->out(s->arg, text, n);
}

void command_print(struct command_call *c, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	va_list ap;

	if (c->s->qmp)
		return;
	va_start(ap, fmt);
	strbuf_vprintf(&b, fmt, ap);
	va_end(ap);
	put(c->s, strbuf_str(&b), b.n);
	strbuf_fini(&b);
}

static void printf_like(2, 3) say(struct command_session *s, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	strbuf_vprintf(&b, fmt, ap);
	va_end(ap);
	put(s, strbuf_str(&b), b.n);
	strbuf_fini(&b);
}

/* ---- running */

static void call_init(struct command_call *c, struct command_session *s, const struct command *cmd)
{
	struct machine *m = s->m;

	*c = (struct command_call){ .s = s, .m = m, .command = cmd, .args = json_object() };
	if (m && m->ncpus) {
		if (s->cpu >= m->ncpus)
			s->cpu = 0;
		c->cpu = m->cpu[s->cpu];
	}
}

static void call_fini(struct command_call *c)
{
	json_decref(c->args);
	json_decref(c->result);
}

/* The words of a line up to what cannot be part of a command's name. */
static void say_unknown(struct command_session *s, const char *line)
{
	size_t n = strcspn(line, "\r\n");

	while (n && isspace((unsigned char)line[n - 1]))
		n--;
	if (!str_prefix(line, "info", NULL) || !isspace((unsigned char)line[4]))
		n = MIN(n, strcspn(line, " \t/"));
	else
		n = MIN(n, 5 + strspn(line + 5, " \t") +
				   strcspn(line + 5 + strspn(line + 5, " \t"), " \t/"));
	say(s, "unknown command: '%.*s'\n", (int)n, line);
}

/* While the machine is copied nothing may change it. */
static int may_run(const struct command_call *c, struct error *e)
{
	const struct command *cmd = c->command;

	if (!c->m || !migrate_frozen(c->m) || cmd->any_time ||
	    (cmd->hmp && str_prefix(cmd->hmp, "info", NULL)) ||
	    (cmd->qmp && str_prefix(cmd->qmp, "query-", NULL)))
		return 0;
	return error_ret(e, -EBUSY,
			 "the machine is being migrated: %s has to wait for its end, or for "
			 "migrate_cancel",
			 cmd->hmp ? cmd->hmp : cmd->qmp);
}

/* line: its name, as it was typed, up to `rest`. */
static int run_human(struct command_call *c, const char *line, const char *rest)
{
	struct error e = { 0 };
	int err = command_parse_args(c, rest, &e);

	if (err) {
		say(c->s, "%s\nTry \"help %.*s\" for more information\n",
		    e.text ? e.text : strerror(-err), (int)(rest - line), line);
	} else {
		err = may_run(c, &e);
		if (!err)
			err = c->command->run(c, &e);
		if (err)
			say(c->s, "Error: %s\n", e.text ? e.text : strerror(-err));
		else if (c->command->show && c->result)
			c->command->show(c);
	}
	error_clear(&e);
	return err;
}

int command_run_line(struct command_session *s, const char *line)
{
	const struct command *cmd;
	struct command_call c;
	const char *rest;
	int err;

	while (isspace((unsigned char)*line))
		line++;
	if (!*line || *line == '#')
		return 0;
	cmd = command_find_hmp(line, &rest);
	/* `info` alone lists its subjects; with one that is not there it names that */
	if (!cmd || (str_eq(cmd->hmp, "info") && rest[strspn(rest, " \t\r\n")])) {
		say_unknown(s, line);
		return -ENOENT;
	}
	call_init(&c, s, cmd);
	err = run_human(&c, line, rest);
	call_fini(&c);
	return err;
}

int command_run_qmp(struct command_session *s, const char *name, json_t *args, json_t **result,
		    struct error *e)
{
	const struct command *cmd = command_find_qmp(name);
	struct command_call c;
	int err;

	*result = NULL;
	if (!cmd)
		return error_ret(e, -ENOENT, "The command %s has not been found", name);
	call_init(&c, s, cmd);
	err = command_check_args(&c, args, e);
	if (!err)
		err = may_run(&c, e);
	if (!err) {
		err = cmd->run(&c, e);
		if (err && e && !error_is_set(e))
			error_set(e, "%s: %s", name, strerror(-err));
		if (err == -ENOENT)
			err = -EINVAL;
	}
	if (!err) {
		*result = c.result ? c.result : json_object();
		c.result = NULL;
	}
	call_fini(&c);
	return err;
}
