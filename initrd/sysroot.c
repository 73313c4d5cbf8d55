/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sysroot.c - path resolution below a root directory (POSIX 4.13, with "/" replaced). */
#include "initrd/sysroot.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <limits.h>
#include <unistd.h>

#define MAX_LINKS 40

char *link_target(const char *host)
{
	char buf[PATH_MAX];
	ssize_t n = readlink(host, buf, sizeof(buf));

	return n > 0 && n < (ssize_t)sizeof(buf) ? xstrndup(buf, n) : NULL;
}

char *dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, slash - path);
}

/* Cuts the last component off, but never the root. */
static void up(struct strbuf *at, size_t root)
{
	while (at->n > root && at->at[at->n - 1] != '/')
		at->n--;
	if (at->n > root)
		at->n--;
	if (at->at)
		at->at[at->n] = 0;
}

char *sysroot_path(const char *root, const char *path, bool follow)
{
	size_t root_len = strlen(root);
	struct strbuf at = { 0 };
	char *rest = xstrdup(path), *p = rest;
	int links = 0;

	strbuf_add(&at, root);
	while (*p) {
		size_t n = strcspn(p, "/");
		char *target = NULL, *more;
		size_t before = at.n;

		if (!n) {
			p++;
			continue;
		}
		if ((n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.')) {
			if (n == 2)
				up(&at, root_len);
			p += n;
			continue;
		}
		strbuf_addc(&at, '/');
		strbuf_addn(&at, p, n);
		p += n;
		if (follow || *p)
			target = link_target(strbuf_str(&at));
		if (!target)
			continue;
		at.n = *target == '/' ? root_len : before;
		at.at[at.n] = 0;
		more = xasprintf("%s%s", target, p);
		free(target);
		free(rest);
		p = rest = more;
		if (++links > MAX_LINKS) {
			free(rest);
			strbuf_fini(&at);
			return NULL;
		}
	}
	free(rest);
	if (!at.n)
		strbuf_addc(&at, '/');
	return strbuf_take(&at);
}

bool sysroot_lstat(const char *root, const char *path, struct stat *st)
{
	AUTO_FREE char *host = sysroot_path(root, path, false);

	return host && !lstat(host, st);
}
