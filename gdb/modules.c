/* SPDX-License-Identifier: GPL-2.0-or-later */
/* modules.c - kernel modules as libraries (GDB manual, E.14): their files on the host, where their
 * sections lie in the guest, and the moments at which they come and go. A debugger wants an address
 * for each section that the file says is loaded, in the file's order; those that the kernel does
 * not keep lie nowhere. */
#include "private.h"
#include "kofile.h"
#include "lib/error.h"
#include <dirent.h>
#include <elf.h>

enum { DEPTH_MAX = 16, FILES_MAX = 200000 };

/* A file of the host that may be a module's. */
struct file {
	char *name; /* as the kernel calls the module: foo_bar for foo-bar.ko */
	char *path;
};

struct gdb_modules {
	VEC(struct file) file;
	char *indexed; /* the kernel version whose directories were walked, or NULL */
	/* the guest's functions at which something has changed, and where one of them returns to */
	struct debug_point loaded, freeing, freed, known;
	bool watching;
	bool changed; /* since it was asked last */
};

/* ---- files */

static void add_file(struct gdb_modules *md, const char *dir, const char *name, size_t n)
{
	struct file f = { xstrndup(name, n), xasprintf("%s/%s", dir, name) };

	for (char *p = f.name; *p; p++)
		if (*p == '-')
			*p = '_';
	vec_push(&md->file, f);
}

/* All modules below dir; symbolic links are not followed. */
static void walk(struct gdb_modules *md, const char *dir, unsigned depth)
{
	DIR *d = depth < DEPTH_MAX ? opendir(dir) : NULL;
	struct dirent *e;
	size_t n;

	while (d && (e = readdir(d)) && md->file.n < FILES_MAX) {
		if (e->d_name[0] == '.')
			continue;
		if (e->d_type == DT_DIR) {
			AUTO_FREE char *sub = xasprintf("%s/%s", dir, e->d_name);

			walk(md, sub, depth + 1);
		} else if (e->d_type == DT_REG && kofile_name(e->d_name, &n)) {
			add_file(md, dir, e->d_name, n);
		}
	}
	if (d)
		closedir(d);
}

static void forget_files(struct gdb_modules *md)
{
	for (size_t i = 0; i < md->file.n; i++) {
		free(md->file.at[i].name);
		free(md->file.at[i].path);
	}
	vec_free(&md->file);
	free(md->indexed);
	md->indexed = NULL;
}

void gdb_files_changed(struct gdb *g) { forget_files(g->modules); }

/* "6.1.0-13-cloud-amd64" of "Linux version 6.1.0-13-cloud-amd64 (...) ..." */
static char *version_of(struct gdb *g)
{
	const struct os *os = gdb_os(g);
	char banner[512];
	const char *p;

	if (!os || !os->banner || os->banner(g->m, banner, sizeof(banner)) ||
	    !str_prefix(banner, "Linux version ", &p))
		return xstrdup("");
	return xstrndup(p, strcspn(p, " "));
}

/* The user's directories come first. */
static void index_files(struct gdb *g)
{
	static const char *const usual[] = { "/lib/modules", "/usr/lib/debug/lib/modules" };
	struct gdb_modules *md = g->modules;
	AUTO_FREE char *version = version_of(g);

	if (md->indexed && str_eq(md->indexed, version))
		return;
	forget_files(md);
	md->indexed = xstrdup(version);
	for (size_t i = 0; i < g->dirs.n; i++)
		walk(md, g->dirs.at[i], 0);
	for (size_t i = 0; *version && !strchr(version, '/') && i < ARRAY_SIZE(usual); i++) {
		AUTO_FREE char *dir = xasprintf("%s/%s", usual[i], version);

		walk(md, dir, 0);
	}
}

bool gdb_file_known(struct gdb *g, const char *path)
{
	for (size_t i = 0; i < g->modules->file.n; i++)
		if (str_eq(g->modules->file.at[i].path, path))
			return true;
	return false;
}

/* ---- what is where */

static u64 address_of(const struct os_module *m, const char *section)
{
	for (unsigned i = 0; i < m->nsections; i++)
		if (str_eq(m->sections[i].name, section))
			return m->sections[i].addr;
	return 0;
}

static void put_sections(struct strbuf *b, const struct kofile *k, const struct os_module *m)
{
	u64 nowhere = k->wide ? 1ull << 56 : 0x1000;
	struct kosection s;

	for (unsigned i = 0; i < k->shnum; i++) {
		u64 at;

		if (!kofile_section(k, i, &s) || !(s.flags & SHF_ALLOC))
			continue;
		at = address_of(m, s.name);
		if (!at) {
			at = nowhere;
			nowhere += ALIGN_UP(s.size + 1, 4096ull);
		}
		strbuf_printf(b, "<section address=\"%#llx\"/>", (unsigned long long)at);
	}
}

struct list_job {
	struct gdb *g;
	struct strbuf *b;
};

/* The file of this build, one with types and lines before one without. */
static bool pick_file(struct gdb_modules *md, const struct os_module *m, struct kofile *best,
		      const char **path)
{
	*path = NULL;
	for (size_t i = 0; i < md->file.n; i++) {
		const struct file *f = &md->file.at[i];
		struct kofile k;

		if (!str_eq(f->name, m->name) || !kofile_open(&k, f->path))
			continue;
		if (!kofile_matches(&k, m->build_id) || (*path && !kofile_has_lines(&k))) {
			kofile_fini(&k);
			continue;
		}
		if (*path)
			kofile_fini(best);
		*best = k;
		*path = f->path;
		if (kofile_has_lines(best))
			break;
	}
	return *path;
}

static void put_library(void *arg, const struct os_module *m)
{
	const struct list_job *job = arg;
	struct kofile k;
	const char *path;

	if (!pick_file(job->g->modules, m, &k, &path))
		return;
	strbuf_printf(job->b, "<library name=\"%s\">", path);
	put_sections(job->b, &k, m);
	strbuf_add(job->b, "</library>\n");
	kofile_fini(&k);
}

/* The kernel itself, for a debugger that came without a file before there was a kernel. An address
 * is what the debugger adds to those in the file. */
static void put_kernel(struct gdb *g, struct strbuf *b)
{
	const struct os *os = gdb_os(g);
	const char *path = os->vmlinux ? os->vmlinux(g->m) : NULL;
	struct kosection s;
	struct kofile k;
	u64 slide;

	if (!path && gdb_symfile_known(g)) {
		strbuf_printf(b,
			      "<library name=\"" GDB_LIBFILE
			      "\"><section address=\"%#llx\"/></library>\n",
			      (unsigned long long)gdb_kernel_base(g));
		return;
	}
	if (!path || !os_slide(g->m, &slide) || !kofile_open(&k, path))
		return;
	strbuf_add(b, "<library name=\"" GDB_LIBFILE "\">");
	for (unsigned i = 0; i < k.shnum; i++) {
		if (!kofile_section(&k, i, &s) || !(s.flags & SHF_ALLOC))
			continue;
		/* per-CPU variables are linked low, and stay there */
		strbuf_printf(b, "<section address=\"%#llx\"/>",
			      s.addr >> 63 ? (unsigned long long)slide : 0);
	}
	strbuf_add(b, "</library>\n");
	kofile_fini(&k);
}

static void note_module(void *arg, const struct os_module *m)
{
	*(unsigned *)arg += !str_eq(m->name, "vmlinux") && !str_eq(m->name, "kernel");
}

char *gdb_libraries_xml(struct gdb_conn *c)
{
	struct gdb *g = c->g;
	const struct os *os = gdb_os(g);
	struct strbuf b = { 0 };
	struct list_job job = { g, &b };
	unsigned n = 0;

	strbuf_add(&b, "<library-list>\n");
	if (os && c->no_file)
		put_kernel(g, &b);
	if (os && os->modules && !os->modules(g->m, note_module, &n) && n) {
		index_files(g);
		if (os->modules(g->m, put_library, &job))
			warn("the guest's modules cannot be listed");
	}
	strbuf_add(&b, "</library-list>\n");
	return strbuf_take(&b);
}

/* ---- loading and unloading */

static bool on_loaded(struct debug_point *p, struct cpu *cpu, u64 va)
{
	((struct gdb_modules *)p->owner)->changed = true;
	return true;
}

bool gdb_modules_take(struct gdb *g)
{
	bool changed = g->modules->changed;

	g->modules->changed = false;
	return changed;
}

/* free_module is entered: its return says that the module is off the list. */
static bool on_freeing(struct debug_point *p, struct cpu *cpu, u64 va)
{
	struct gdb_modules *md = p->owner;
	bool wide = cpu_reg_find(cpu, "rsp");
	u8 buf[8] = { 0 };

	if (debug_read(cpu, cpu_reg_u64(cpu, wide ? "rsp" : "esp"), buf, wide ? 8 : 4))
		return false;
	debug_disarm(cpu->machine, &md->freed);
	md->freed.va = ld64le(buf);
	debug_arm(cpu->machine, &md->freed);
	return false;
}

static bool on_freed(struct debug_point *p, struct cpu *cpu, u64 va)
{
	debug_disarm(cpu->machine, p);
	((struct gdb_modules *)p->owner)->changed = true;
	return true;
}

bool gdb_modules_changed(const struct debug_point *p)
{
	return p->hit == on_loaded || p->hit == on_freed;
}

static bool arm_at(struct gdb *g, struct debug_point *p, const char *symbol)
{
	const struct os *os = gdb_os(g);
	struct os_symbol s;

	if (!os->symbol_find || os->symbol_find(g->m, symbol, &s))
		return false;
	p->va = s.addr;
	debug_arm(g->m, p);
	return true;
}

/* Who came before there was a kernel is told of it: it may have symbols for it now, elsewhere. */
static void tell_slide(struct gdb_conn *c)
{
	AUTO_FREE char *text = NULL;
	u64 slide;

	if (!c->moved || !os_slide(c->g->m, &slide) || (c->told_slide && slide == c->slide))
		return;
	text = xasprintf("the kernel runs %#llx above where it was linked: `disconnect` and "
			 "`target "
			 "remote` again, or `symbol-file -o %#llx FILE`, moves its symbols\n",
			 (unsigned long long)slide, (unsigned long long)slide);
	if (slide || c->told_slide)
		gdb_console(c, text, strlen(text));
	c->told_slide = true;
	c->slide = slide;
}

static void list_changed(struct gdb *g)
{
	struct gdb_modules *md = g->modules;
	struct debug_stop why = { .why = DEBUG_WHY_POINT, .point = &md->known };
	struct gdb_conn *c;

	gdb_each_conn(c, g)
	{
		if (!c->libraries && !c->no_file)
			continue;
		md->changed = true;
		why.cpu = gdb_any_cpu(g, c->c_tid);
	}
	if (md->changed && g->m->state == RUN_RUNNING)
		debug_stop(g->m, &why);
}

void gdb_modules_known(struct gdb *g)
{
	struct gdb_conn *c;

	gdb_modules_watch(g);
	gdb_each_conn(c, g) tell_slide(c);
	list_changed(g);
}

static void forget_points(struct gdb *g)
{
	struct gdb_modules *md = g->modules;

	debug_disarm(g->m, &md->loaded);
	debug_disarm(g->m, &md->freeing);
	debug_disarm(g->m, &md->freed);
	md->watching = false;
}

void gdb_modules_watch(struct gdb *g)
{
	struct gdb_modules *md = g->modules;
	const struct os *os = os_of(g->m);
	bool wanted = false;
	struct gdb_conn *c;

	gdb_each_conn(c, g) wanted |= c->libraries || c->no_file || c->moved;
	/* nobody is left to be told: a stop would be taken back, and with it whatever else had
	 * stopped there */
	if (md->watching && !wanted)
		forget_points(g);
	if (md->watching || !wanted || !os)
		return;
	if (gdb_os(g)) {
		md->watching = true;
		arm_at(g, &md->loaded, "do_init_module");
		arm_at(g, &md->freeing, "free_module");
	} else if (os->await) {
		os->await(g->m);
	}
}

/* A debugger keeps a library that has the same name: it must see the list without it. */
void gdb_modules_reset(struct gdb *g)
{
	forget_points(g);
	gdb_modules_watch(g);
	list_changed(g);
}

void gdb_modules_init(struct gdb *g)
{
	struct gdb_modules *md = NEW(struct gdb_modules);

	md->loaded = (struct debug_point){ .hit = on_loaded, .owner = md };
	md->freeing = (struct debug_point){ .hit = on_freeing, .owner = md };
	md->freed = (struct debug_point){ .hit = on_freed, .owner = md };
	md->known = (struct debug_point){ .hit = on_loaded, .owner = md };
	g->modules = md;
}

void gdb_modules_fini(struct gdb *g)
{
	struct gdb_modules *md = g->modules;

	forget_points(g);
	forget_files(md);
	free(md);
}
