/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * readconfig.c - options from a file of groups: `[group]` or `[group "id"]`, then lines `key =
 * "value"`; # begins a comment. Each group is one option.
 */
#include "cli/options.h"
#include "lib/bytes.h"
#include "lib/str.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

/* Groups whose name is not their option's. */
static const struct {
	const char *group, *option;
} renamed[] = {
	{ "memory", "m" },	{ "smp-opts", "smp" },	{ "boot-opts", "boot" },
	{ "netdev", "netdev" }, { "fw_cfg", "fw_cfg" },
};
static const char groups[] = "machine|memory|smp-opts|boot-opts|accel|device|chardev|mon|name|rtc|"
			     "icount|global|object|drive|netdev|net|nic|"
			     "numa|overcommit|action|fsdev|virtfs|tpmdev|audiodev|fw_cfg|trace|"
			     "smbios|blockdev|msg|sandbox";

struct group {
	char *name; /* NULL: none is open */
	struct keyvals kv;
	unsigned line;
};

static int apply_group(struct settings *s, struct group *g, const char *file, struct error *e)
{
	const struct option_def *o = NULL;
	const char *option = g->name;
	int err = 0;

	if (!g->name)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(renamed); i++)
		if (str_eq(renamed[i].group, g->name))
			option = renamed[i].option;
	if (choice_find(groups, g->name) >= 0)
		o = option_find(option);
	AUTO_FREE char *text = keyvals_text(&g->kv);

	if (!o || !o->arg)
		err = error_ret(e, -EINVAL, "there is no group '%s'", g->name);
	else
		err = option_apply(s, o, text, e);
	if (err < 0)
		error_prefix(e, "%s:%u", file, g->line);
	keyvals_fini(&g->kv);
	free(g->name);
	g->name = NULL;
	return err;
}

static char *skip_blanks(char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* [name] or [name "id"]. */
static int open_group(struct group *g, char *p, struct error *e)
{
	char *name = p, *id = NULL, *end;

	p += strcspn(p, " \t]");
	end = p;
	p = skip_blanks(p);
	if (*p == '"') {
		id = p + 1;
		p = strchr(id, '"');
		if (!p)
			return error_ret(e, -EINVAL, "the quote of a group's id does not end");
		*p++ = 0;
		p = skip_blanks(p);
	}
	if (*p != ']' || *skip_blanks(p + 1))
		return error_ret(e, -EINVAL, "a group's line is [NAME] or [NAME \"ID\"]");
	*end = 0;
	g->name = xstrdup(name);
	if (id)
		keyvals_add(&g->kv, "id", id);
	return 0;
}

/* key = "value" */
static int add_line(struct group *g, char *p, struct error *e)
{
	char *key = p, *value, *end;

	end = p += strcspn(p, " \t=");
	p = skip_blanks(p);
	if (*p != '=' || end == key)
		return error_ret(e, -EINVAL, "a line is KEY = \"VALUE\"");
	p = skip_blanks(p + 1);
	if (*p != '"')
		return error_ret(e, -EINVAL, "the value is not quoted");
	value = p + 1;
	p = strchr(value, '"');
	if (!p || *skip_blanks(p + 1))
		return error_ret(e, -EINVAL,
				 p ? "something follows the value's quote" :
				     "the value's quote does not end");
	*end = *p = 0;
	if (!g->name)
		return error_ret(e, -EINVAL, "there is no group for '%s'", key);
	keyvals_add(&g->kv, key, value);
	return 0;
}

int readconfig_text(struct settings *s, const char *text, const char *name, struct error *e)
{
	struct group g = { 0 };
	unsigned number = 0;
	int err = 0;

	for (const char *p = text; *p && !err;) {
		size_t n = strcspn(p, "\n");
		AUTO_FREE char *copy = xstrndup(p, n);
		char *line = skip_blanks(copy);

		line[strcspn(line, "\r")] = 0;
		number++;
		p += n + (p[n] == '\n');
		if (!*line || *line == '#')
			continue;
		if (*line == '[') {
			err = apply_group(s, &g, name, e);
			if (err)
				break;
			g.line = number;
			err = open_group(&g, line + 1, e);
		} else {
			err = add_line(&g, line, e);
		}
		if (err < 0)
			error_prefix(e, "%s:%u", name, number);
	}
	if (!err)
		err = apply_group(s, &g, name, e);
	keyvals_fini(&g.kv);
	free(g.name);
	return err;
}

int readconfig(struct settings *s, const char *path, struct error *e)
{
	struct bytes b;
	int err = bytes_read_file(&b, path, 1 << 20, e);

	if (err)
		return err;
	AUTO_FREE char *text = xstrndup((char *)b.data, b.size);

	if (strlen(text) != b.size)
		err = error_ret(e, -EINVAL,
				"'%s' has NUL bytes in it: this is no configuration file", path);
	else
		err = readconfig_text(s, text, path, e);
	bytes_fini(&b);
	return err;
}
