/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * closure.c - finds shared libraries as ld.so(8) would inside the archive: RPATH, RUNPATH with
 * $ORIGIN, $LIB and $PLATFORM, ld.so.cache, default directories (glibc, and musl's
 * ld-musl-ARCH.path), always of the program's own ELF class and machine. What the archive already
 * holds is preferred; the rest comes from the sysroot, with its directories and symlinks as they
 * are.
 */
#include "initrd/closure.h"
#include "initrd/elf.h"
#include "initrd/place.h"
#include "initrd/sysroot.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <elf.h>
#include <errno.h>

#define FILE_LIMIT UINT32_MAX

/* One ELF file of the host, read once. */
struct file {
	struct file *next;
	char *host;
	struct bytes bytes;
	struct elf_deps deps;
	bool elf;
};

/* A file as loaded into one program. */
struct object {
	struct file *file;
	char *guest;		     /* its path in the archive */
	const struct object *loader; /* who needs it; NULL for the program */
};

/* A directory to search: what the guest calls it and where its files are on the host. */
struct place {
	char *guest, *host;
};

struct closure {
	struct cpio *c;
	char *root;
	struct file *files;
	struct bytes cache; /* ld.so.cache of the sysroot */
	bool cache_read, cache_needed;
	VEC(struct place) programs;
};

/* Everything loaded for one program. */
struct process {
	struct closure *cl;
	VEC(struct object *) loaded;
	VEC(char *) names; /* that need not be searched again */
	bool archive_only; /* look only at what the archive already holds */
};

static const struct machine {
	u16 machine;
	u8 class;
	const char *triplet, *platform, *lib;
} machines[] = { { EM_X86_64, ELFCLASS64, "x86_64-linux-gnu", "x86_64", "lib64" },
		 { EM_X86_64, ELFCLASS32, "x86_64-linux-gnux32", "x86_64", "libx32" },
		 { EM_386, ELFCLASS32, "i386-linux-gnu", "i686", "lib" },
		 { EM_AARCH64, ELFCLASS64, "aarch64-linux-gnu", "aarch64", "lib64" },
		 { EM_ARM, ELFCLASS32, "arm-linux-gnueabihf", "v7l", "lib" },
		 { EM_RISCV, ELFCLASS64, "riscv64-linux-gnu", "riscv64", "lib64/lp64d" },
		 { EM_PPC64, ELFCLASS64, "powerpc64le-linux-gnu", "power8", "lib64" },
		 { EM_S390, ELFCLASS64, "s390x-linux-gnu", "z13", "lib64" },
		 { 258, ELFCLASS64, "loongarch64-linux-gnu", "loongarch64", "lib64" },
		 {} };

static const struct machine *machine_of(const struct elf_deps *d)
{
	static const struct machine other = { 0, 0, "unknown", "unknown", "lib" };

	for (const struct machine *m = machines; m->triplet; m++) {
		if (m->machine == d->machine && m->class == d->class)
			return m;
	}
	return &other;
}

struct closure *closure_new(struct cpio *c, const char *sysroot)
{
	struct closure *cl = NEW(struct closure);
	size_t n = sysroot ? strlen(sysroot) : 0;

	while (n && sysroot[n - 1] == '/')
		n--;
	cl->c = c;
	cl->root = xstrndup(sysroot ? sysroot : "", n);
	return cl;
}

void closure_free(struct closure *cl)
{
	struct file *next;

	if (!cl)
		return;
	for (struct file *f = cl->files; f; f = next) {
		next = f->next;
		elf_deps_fini(&f->deps);
		bytes_fini(&f->bytes);
		free(f->host);
		free(f);
	}
	for (size_t i = 0; i < cl->programs.n; i++) {
		free(cl->programs.at[i].guest);
		free(cl->programs.at[i].host);
	}
	vec_free(&cl->programs);
	bytes_fini(&cl->cache);
	free(cl->root);
	free(cl);
}

void closure_want(struct closure *cl, const char *guest, const char *host)
{
	char *name = *guest == '/' ? xstrdup(guest) : xasprintf("/%s", guest);

	vec_push(&cl->programs, ((struct place){ name, xstrdup(host) }));
}

static struct file *read_file(struct closure *cl, const char *host, struct error *e)
{
	struct file *f;
	int err;

	for (f = cl->files; f; f = f->next) {
		if (str_eq(f->host, host))
			return f;
	}
	f = NEW(struct file);
	err = bytes_read_file(&f->bytes, host, FILE_LIMIT, e);
	if (!err) {
		err = elf_deps_read(&f->deps, &f->bytes, host, e);
		f->elf = !err;
		if (err == -ENOEXEC)
			err = 0;
	}
	if (err) {
		bytes_fini(&f->bytes);
		free(f);
		return NULL;
	}
	f->host = xstrdup(host);
	f->next = cl->files;
	cl->files = f;
	return f;
}

/* ---- finding libraries */

static char *expand_tokens(const char *s, size_t n, const char *origin, const char *lib,
			   const char *platform, bool *has_origin)
{
	static const char *const names[] = { "ORIGIN", "LIB", "PLATFORM" };
	const char *values[] = { origin, lib, platform }, *end = s + n;
	struct strbuf out = { 0 };

	*has_origin = false;
	while (s < end) {
		size_t i = ARRAY_SIZE(names), len = 0;

		if (*s == '$') {
			for (i = 0; i < ARRAY_SIZE(names); i++) {
				size_t m = strlen(names[i]);
				bool brace = s + 1 < end && s[1] == '{';

				len = 1 + m + 2 * brace;
				if (s + len <= end && !strncmp(s + 1 + brace, names[i], m) &&
				    (!brace || s[len - 1] == '}'))
					break;
			}
		}
		if (i == ARRAY_SIZE(names)) {
			strbuf_addc(&out, *s++);
			continue;
		}
		strbuf_add(&out, values[i]);
		*has_origin |= i == 0;
		s += len;
	}
	return strbuf_take(&out);
}

/* The host's path for a path inside the sysroot, or for a host path given outside of it. */
static char *host_path(const struct closure *cl, const char *path, bool in_sysroot)
{
	const char *rest;

	if (in_sysroot)
		return sysroot_path(cl->root, path, true);
	if (*cl->root && str_prefix(path, cl->root, &rest) && *rest == '/')
		return sysroot_path(cl->root, rest, true);
	return xstrdup(path);
}

/* Loads DIR/NAME if it is there and of the right kind: from the archive, else from the host, and
 * then places it. */
static int try_file(struct process *ps, const struct object *by, const char *guest,
		    const char *host, bool in_sysroot, struct object **found, struct error *e)
{
	struct closure *cl = ps->cl;
	const struct cpio_node *node = place_find(cl->c, guest);
	AUTO_FREE char *real = NULL;
	struct file *f;
	int err = 0;

	*found = NULL;
	if (ps->archive_only && !node)
		return 0;
	if (node && S_ISREG(node->mode) && node->source)
		real = xstrdup(node->source);
	else
		real = host_path(cl, host, in_sysroot);
	f = real ? read_file(cl, real, NULL) : NULL;
	if (!f || !f->elf || !elf_same_kind(&by->file->deps, &f->bytes))
		return 0;
	if (!node)
		err = place_file(cl->c, cl->root, guest, f->host, &f->bytes, in_sysroot, e);
	if (err)
		return err;
	*found = NEW(struct object);
	**found = (struct object){ .file = f, .guest = xstrdup(guest), .loader = by };
	vec_push(&ps->loaded, *found);
	return 0;
}

static int try_dir(struct process *ps, const struct object *by, const char *dir, const char *name,
		   struct object **found, struct error *e)
{
	AUTO_FREE char *path = xasprintf("%s/%s", dir, name);

	return try_file(ps, by, path, path, true, found, e);
}

/* One colon list. owner is the object whose $ORIGIN is meant. */
static int try_list(struct process *ps, const struct object *by, const struct object *owner,
		    const char *list, const char *name, struct object **found, struct error *e)
{
	const struct machine *m = machine_of(&by->file->deps);
	AUTO_FREE char *multiarch = xasprintf("lib/%s", m->triplet);
	const char *libs[] = { multiarch, m->lib, "lib" };
	AUTO_FREE char *guest_origin = dir_of(owner->guest),
		       *host_origin = dir_of(owner->file->host);
	int err = 0;

	*found = NULL;
	while (!err && !*found && *list) {
		size_t n = strcspn(list, ":");

		for (size_t i = 0; n && i < ARRAY_SIZE(libs) && !err && !*found; i++) {
			bool origin;
			AUTO_FREE char *g =
				expand_tokens(list, n, guest_origin, libs[i], m->platform, &origin);
			AUTO_FREE char *h =
				expand_tokens(list, n, host_origin, libs[i], m->platform, &origin);
			AUTO_FREE char *guest = xasprintf("%s/%s", g, name);
			AUTO_FREE char *host = xasprintf("%s/%s", origin ? h : g, name);

			err = try_file(ps, by, guest, host, !origin, found, e);
			if (!memchr(list, '$', n))
				break;
		}
		list += n + (list[n] == ':');
	}
	return err;
}

/* RPATH counts only without RUNPATH, and then that of the loaders up to the program counts, too. */
static int try_rpaths(struct process *ps, const struct object *by, const char *name,
		      struct object **found, struct error *e)
{
	int err = 0;

	if (by->file->deps.runpath)
		return 0;
	for (const struct object *o = by; o && !err && !*found; o = o->loader) {
		if (o->file->deps.rpath && !o->file->deps.runpath)
			err = try_list(ps, by, o, o->file->deps.rpath, name, found, e);
	}
	return err;
}

static bool is_default_dir(const struct machine *m, const char *path)
{
	AUTO_FREE char *dir = dir_of(path);
	const char *rest = dir;

	str_prefix(rest, "/usr", &rest);
	return str_eq(rest, "/lib") || (str_prefix(rest, "/", &rest) && str_eq(rest, m->lib)) ||
	       (str_prefix(rest, "lib/", &rest) && str_eq(rest, m->triplet));
}

static int try_cache(struct process *ps, const struct object *by, const char *name,
		     struct object **found, struct error *e)
{
	struct closure *cl = ps->cl;
	const char *path;
	int err = 0;

	if (!cl->cache_read) {
		AUTO_FREE char *host = sysroot_path(cl->root, "/etc/ld.so.cache", true);

		cl->cache_read = true;
		/* A system without a cache has its libraries in the default directories. */
		if (host && bytes_read_file(&cl->cache, host, 64 << 20, NULL))
			cl->cache = (struct bytes){ 0 };
	}
	for (u32 i = 0; !err && !*found && (path = ldcache_lookup(&cl->cache, name, i)); i++) {
		err = try_file(ps, by, path, path, true, found, e);
		if (*found && !is_default_dir(machine_of(&by->file->deps), path))
			cl->cache_needed = true;
	}
	return err;
}

static int try_defaults(struct process *ps, const struct object *by, const char *name,
			struct object **found, struct error *e)
{
	const struct machine *m = machine_of(&by->file->deps);
	AUTO_FREE char *lib = xasprintf("/%s", m->lib), *usr_lib = xasprintf("/usr/%s", m->lib);
	AUTO_FREE char *multi = xasprintf("/lib/%s", m->triplet);
	AUTO_FREE char *usr_multi = xasprintf("/usr/lib/%s", m->triplet);
	const char *dirs[] = {
		multi, usr_multi, lib, usr_lib, "/lib", "/usr/lib", "/usr/local/lib"
	};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(dirs) && !err && !*found; i++)
		err = try_dir(ps, by, dirs[i], name, found, e);
	return err;
}

/* A library that the description brings itself is the one to use. */
static int try_archive(struct process *ps, const struct object *by, const char *name,
		       struct object **found, struct error *e)
{
	int err;

	ps->archive_only = true;
	err = try_defaults(ps, by, name, found, e);
	ps->archive_only = false;
	return err;
}

/* musl reads its search path from /etc/ld-musl-ARCH.path, ARCH as in its own name. */
static int try_musl_path(struct process *ps, const struct object *by, const char *name,
			 struct object **found, struct error *e)
{
	const struct object *program = ps->loaded.at[0];
	const char *interp = program->file->deps.interp, *slash, *arch;
	AUTO_FREE char *conf = NULL, *host = NULL, *list = NULL;
	struct bytes b;
	size_t n;

	slash = interp ? strrchr(interp, '/') : NULL;
	if (!slash || !str_prefix(slash + 1, "ld-musl-", &arch))
		return 0;
	n = strcspn(arch, ".");
	conf = xasprintf("/etc/ld-musl-%.*s.path", (int)n, arch);
	host = sysroot_path(ps->cl->root, conf, true);
	if (!host || bytes_read_file(&b, host, 1 << 20, NULL))
		return 0;
	list = xstrndup((char *)b.data, b.size);
	bytes_fini(&b);
	for (char *p = list; (p = strpbrk(p, "\n ")); p++)
		*p = ':';
	return try_list(ps, by, program, list, name, found, e);
}

static int find_library(struct process *ps, const struct object *by, const char *name,
			struct error *e)
{
	static int (*const steps[])(struct process *, const struct object *, const char *,
				    struct object **, struct error *) = {
		try_musl_path,
		try_archive,
		try_cache,
		try_defaults,
	};
	const struct elf_deps *d = &by->file->deps;
	struct object *found = NULL;
	int err;

	if (strchr(name, '/')) {
		AUTO_FREE char *path = *name == '/' ? xstrdup(name) : xasprintf("/%s", name);

		err = try_file(ps, by, path, path, true, &found, e);
	} else {
		err = try_rpaths(ps, by, name, &found, e);
		if (!err && !found && d->runpath)
			err = try_list(ps, by, by, d->runpath, name, &found, e);
		for (size_t i = 0; i < ARRAY_SIZE(steps) && !d->no_default_dirs && !err && !found;
		     i++)
			err = steps[i](ps, by, name, &found, e);
	}
	if (!err && !found)
		err = error_ret(e, -ENOENT, "library '%s', needed by '%s', was not found%s%s", name,
				by->file->host, *ps->cl->root ? " below " : "", ps->cl->root);
	return err;
}

static bool is_loaded(const struct process *ps, const char *name)
{
	for (size_t i = 0; i < ps->names.n; i++) {
		if (str_eq(ps->names.at[i], name))
			return true;
	}
	return false;
}

static int load_interp(struct process *ps, const struct object *program, struct error *e)
{
	const char *interp = program->file->deps.interp, *slash;
	struct object *found;
	int err;

	if (!interp)
		return 0;
	err = try_file(ps, program, interp, interp, true, &found, e);
	if (err)
		return err;
	if (!found)
		return error_ret(e, -ENOENT, "interpreter '%s', needed by '%s', was not found%s%s",
				 interp, program->file->host, *ps->cl->root ? " below " : "",
				 ps->cl->root);
	slash = strrchr(interp, '/');
	vec_push(&ps->names, xstrdup(slash ? slash + 1 : interp));
	return 0;
}

static int run_program(struct process *ps, const struct place *at, struct error *e)
{
	AUTO_FREE char *host = realpath(at->host, NULL);
	struct object *program = NEW(struct object);
	int err;

	program->guest = xstrdup(at->guest);
	vec_push(&ps->loaded, program);
	program->file = read_file(ps->cl, host ? host : at->host, e);
	if (!program->file)
		return -EIO;
	if (!program->file->elf)
		return 0;
	err = load_interp(ps, program, e);
	for (size_t i = 0; i < ps->loaded.n && !err; i++) {
		const struct object *o = ps->loaded.at[i];

		for (size_t k = 0; k < o->file->deps.needed.n && !err; k++) {
			const char *name = o->file->deps.needed.at[k];

			if (is_loaded(ps, name))
				continue;
			vec_push(&ps->names, xstrdup(name));
			err = find_library(ps, o, name, e);
		}
	}
	return err;
}

static void process_fini(struct process *ps)
{
	for (size_t i = 0; i < ps->loaded.n; i++) {
		free(ps->loaded.at[i]->guest);
		free(ps->loaded.at[i]);
	}
	for (size_t i = 0; i < ps->names.n; i++)
		free(ps->names.at[i]);
	vec_free(&ps->loaded);
	vec_free(&ps->names);
}

int closure_run(struct closure *cl, struct error *e)
{
	static const char cache[] = "/etc/ld.so.cache";
	int err = 0;

	for (size_t i = 0; i < cl->programs.n && !err; i++) {
		struct process ps = { .cl = cl };

		err = run_program(&ps, &cl->programs.at[i], e);
		process_fini(&ps);
	}
	/* A library outside the default directories is found by the guest's ld.so only through the
	 * cache. */
	if (!err && cl->cache_needed && !place_find(cl->c, cache)) {
		AUTO_FREE char *host = sysroot_path(cl->root, cache, true);
		struct file *f = host ? read_file(cl, host, e) : NULL;

		err = f ? place_file(cl->c, cl->root, cache, f->host, &f->bytes, true, e) : -EIO;
	}
	return err;
}
