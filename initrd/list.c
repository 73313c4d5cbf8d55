/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * list.c - the description grammar of the kernel's gen_init_cpio (file, dir, nod, slink, pipe,
 * sock) and what Quern adds:
 *
 *	tree HOSTDIR [PREFIX]
 *		everything below a directory
 *	prog NAME LOCATION MODE UID GID [LINK...]
 *		a file, and the interpreter and libraries that it needs
 *	quote on|off
 *		fields of the following lines may be quoted; those of tree and prog always are
 */
#include "initrd/list.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_EXPANSIONS 1000

/* One line while it is being taken apart. */
struct line {
	const char *type;
	char *rest;
	bool quote;
};

static bool is_blank(char c) { return isspace((unsigned char)c); }

/* One escape behind a backslash; *p moves behind it. */
static char unescape(char **p)
{
	char c = *(*p)++;
	int n = 0;

	if (c == 'n')
		return '\n';
	if (c == 't')
		return '\t';
	if (c < '0' || c > '7')
		return c;
	for (int i = 0; i < 3 && c >= '0' && c <= '7'; i++) {
		n = n * 8 + (c - '0');
		c = **p;
		if (i < 2 && c >= '0' && c <= '7')
			(*p)++;
	}
	return n;
}

char *list_field(char **p, bool quote, struct error *e)
{
	char *from, *to, end = 0;

	while (is_blank(**p))
		(*p)++;
	if (!**p)
		return NULL;
	from = to = *p;
	if (!quote) {
		while (**p && !is_blank(**p))
			(*p)++;
		if (**p)
			*(*p)++ = 0;
		return from;
	}
	while (**p && (end || !is_blank(**p))) {
		char c = *(*p)++;

		if (c == '"' && !end) {
			end = c;
		} else if (c == end && end) {
			end = 0;
		} else if (c == '\\' && **p) {
			*to++ = unescape(p);
		} else {
			*to++ = c;
		}
	}
	if (end) {
		error_set(e, "a quoted field does not end");
		return NULL;
	}
	if (**p)
		(*p)++;
	*to = 0;
	return from;
}

int list_expand(const char *s, char **out, struct error *e)
{
	char *now = xstrdup(s), *start, *end;

	for (int i = 0; (start = strstr(now, "${")) && (end = strchr(start, '}')); i++) {
		const char *value;
		char *next;

		*start = *end = 0;
		value = getenv(start + 2);
		next = xasprintf("%s%s%s", now, value ? value : "", end + 1);
		free(now);
		now = next;
		if (i == MAX_EXPANSIONS || strlen(now) > 1 << 20) {
			free(now);
			return error_ret(e, -ELOOP,
					 "the variables in '%s' name each other without end", s);
		}
	}
	*out = now;
	return 0;
}

static int missing(const struct line *l, const char *what, struct error *e)
{
	return error_ret(e, -EINVAL, "%s line: %s is missing", l->type, what);
}

/* *s stays as it is when there is none. */
static int get_text(struct line *l, const char *what, const char **s, struct error *e)
{
	const char *field = list_field(&l->rest, l->quote, e);

	if (!field)
		return missing(l, what, e);
	*s = field;
	return 0;
}

static int get_number(struct line *l, const char *what, int base, u32 *v, struct error *e)
{
	const char *s = "";
	int err = get_text(l, what, &s, e);
	s64 n = 0;

	if (err)
		return err;
	/* -1 is accepted and means 4294967295, as in the kernel's tool. */
	err = str_to_s64(s, base, &n);
	if (!err && (n < INT32_MIN || n > UINT32_MAX))
		err = -ERANGE;
	*v = n;
	if (err)
		return error_ret(e, err, "%s line: %s '%s' is not %s number", l->type, what, s,
				 base == 8 ? "an octal" : "a decimal");
	return 0;
}

/* MODE UID GID, with the file type put to the mode. */
static int get_owner(struct line *l, u32 type, struct cpio_entry *en, struct error *e)
{
	int err = get_number(l, "mode", 8, &en->mode, e);

	en->mode |= type;
	err = err ? err : get_number(l, "uid", 10, &en->uid, e);
	return err ? err : get_number(l, "gid", 10, &en->gid, e);
}

static int line_end(struct line *l, struct error *e)
{
	const char *more = list_field(&l->rest, l->quote, e);

	if (more)
		warn("%s line: '%s' and what follows is not used", l->type, more);
	return error_is_set(e) ? -EINVAL : 0;
}

/* dir, pipe and sock have the same fields. */
static int add_plain(struct build *b, struct line *l, u32 type, struct error *e)
{
	struct cpio_entry en = { .nlink = 2 };
	int err = get_text(l, "name", &en.name, e);

	err = err ? err : get_owner(l, type, &en, e);
	err = err ? err : line_end(l, e);
	return err ? err : cpio_add(&b->cpio, &en, e);
}

static int add_dir(struct build *b, struct line *l, struct error *e)
{
	return add_plain(b, l, S_IFDIR, e);
}

static int add_pipe(struct build *b, struct line *l, struct error *e)
{
	return add_plain(b, l, S_IFIFO, e);
}

static int add_sock(struct build *b, struct line *l, struct error *e)
{
	return add_plain(b, l, S_IFSOCK, e);
}

static int add_nod(struct build *b, struct line *l, struct error *e)
{
	struct cpio_entry en = { .nlink = 1 };
	const char *kind = "";
	int err = get_text(l, "name", &en.name, e);

	err = err ? err : get_owner(l, 0, &en, e);
	err = err ? err : get_text(l, "device type", &kind, e);
	if (!err && strlen(kind) != 1)
		err = error_ret(e, -EINVAL, "nod line: device type '%s' is neither b nor c", kind);
	err = err ? err : get_number(l, "major number", 10, &en.rdev_major, e);
	err = err ? err : get_number(l, "minor number", 10, &en.rdev_minor, e);
	err = err ? err : line_end(l, e);
	en.mode |= *kind == 'b' ? S_IFBLK : S_IFCHR;
	return err ? err : cpio_add(&b->cpio, &en, e);
}

static int add_slink(struct build *b, struct line *l, struct error *e)
{
	struct cpio_entry en = { .nlink = 1 };
	const char *target = "";
	int err = get_text(l, "name", &en.name, e);

	err = err ? err : get_text(l, "target", &target, e);
	err = err ? err : get_owner(l, S_IFLNK, &en, e);
	err = err ? err : line_end(l, e);
	en.data = target;
	en.size = strlen(target) + 1;
	return err ? err : cpio_add(&b->cpio, &en, e);
}

int file_add(struct build *b, struct cpio_entry *en, const char *location, const char *const *names,
	     u32 n, bool closure, struct error *e)
{
	int fd = open(location, O_RDONLY | O_CLOEXEC), err;
	struct bytes data = { 0 };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		err = error_ret(e, -errno, "could not open '%s' for '%s': %s", location, names[0],
				strerror(errno));
		if (fd >= 0)
			close(fd);
		return err;
	}
	/* /dev/null is a fine source of an empty file; /dev/zero is none. */
	err = bytes_read_fd(&data, fd, location, S_ISCHR(st.st_mode) ? 1 << 20 : UINT32_MAX, e);
	close(fd);
	if (err)
		return err;
	en->mtime = st.st_mtime;
	en->has_mtime = true;
	en->data = data.data;
	en->size = data.size;
	en->source = location;
	err = cpio_add_links(&b->cpio, en, names, n, e);
	if (!err && closure && data.size > 4 && !memcmp(data.data, "\177ELF", 4))
		closure_want(b->closure, names[0], location);
	bytes_fini(&data);
	return err;
}

static int add_file_line(struct build *b, struct line *l, bool closure, struct error *e)
{
	struct cpio_entry en = { 0 };
	const char *name = "", *where = "";
	AUTO_FREE char *location = NULL;
	VEC(const char *) names = { 0 };
	int err = get_text(l, "name", &name, e);

	err = err ? err : get_text(l, "location", &where, e);
	err = err ? err : list_expand(where, &location, e);
	err = err ? err : get_owner(l, S_IFREG, &en, e);
	if (err)
		return err;
	do
		vec_push(&names, name);
	while ((name = list_field(&l->rest, l->quote, e)));
	err = error_is_set(e) ? -EINVAL : file_add(b, &en, location, names.at, names.n, closure, e);
	vec_free(&names);
	return err;
}

static int add_file(struct build *b, struct line *l, struct error *e)
{
	return add_file_line(b, l, b->o->closure, e);
}

static int add_prog(struct build *b, struct line *l, struct error *e)
{
	AUTO_FREE char *copy = xstrdup(l->rest);
	char *p = copy, *name = list_field(&p, true, e);
	int err = name ? cpio_add_parents(&b->cpio, name, e) : missing(l, "name", e);

	return err ? err : add_file_line(b, l, true, e);
}

static int add_tree(struct build *b, struct line *l, struct error *e)
{
	AUTO_FREE char *location = NULL;
	const char *dir = "", *prefix;
	int err = get_text(l, "directory", &dir, e);

	err = err ? err : list_expand(dir, &location, e);
	prefix = err ? NULL : list_field(&l->rest, true, e);
	err = err ? err : line_end(l, e);
	return err ? err : tree_add(b, location, prefix ? prefix : "", e);
}

static int set_quote(struct build *b, struct line *l, struct error *e)
{
	const char *s = "";
	int err = get_text(l, "on or off", &s, e);

	if (!err && str_to_bool(s, &b->quote))
		err = error_ret(e, -EINVAL, "quote line: '%s' is neither on nor off", s);
	return err ? err : line_end(l, e);
}

static const struct {
	const char *type;
	int (*add)(struct build *b, struct line *l, struct error *e);
	bool quote;
} types[] = { { "file", add_file, false },   { "dir", add_dir, false },
	      { "nod", add_nod, false },     { "slink", add_slink, false },
	      { "pipe", add_pipe, false },   { "sock", add_sock, false },
	      { "prog", add_prog, true },    { "tree", add_tree, true },
	      { "quote", set_quote, false }, {} };

static int read_line(struct build *b, char *text, unsigned nr, struct error *e)
{
	struct line l = { .rest = text };

	if (*text == '#')
		return 0;
	l.type = list_field(&l.rest, false, NULL);
	if (!l.type)
		return 0;
	/* As in the kernel's tool, a type is what the line starts with: an indented one is unknown.
	 */
	l.type = text;
	for (size_t i = 0; types[i].type; i++) {
		if (str_eq(l.type, types[i].type)) {
			l.quote = types[i].quote || b->quote;
			return types[i].add(b, &l, e);
		}
	}
	fprintf(stderr, "unknown file type line %u: '%s'\n", nr, l.type);
	return 0;
}

int list_read(struct build *b, char *text, const char *name, struct error *e)
{
	unsigned nr = 1;

	for (char *next; text; text = next, nr++) {
		int err;

		next = strchr(text, '\n');
		if (next)
			*next++ = 0;
		err = read_line(b, text, nr, e);
		if (err) {
			error_prefix(e, "%s:%u", name, nr);
			return err;
		}
	}
	return 0;
}
