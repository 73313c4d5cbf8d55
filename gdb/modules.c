/* SPDX-License-Identifier: GPL-2.0-or-later */
/* modules.c - kernel modules as libraries (GDB manual, E.14): their files on the host, where their
 * sections lie in the guest, and the moments at which they come and go. A debugger wants an address
 * for each section that the file says is loaded, in the file's order; those that the kernel does
 * not keep lie nowhere. */
#include "private.h"
#include "lib/bytes.h"
#include "lib/error.h"
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { FILE_MAX = 256 << 20, DEPTH_MAX = 16, FILES_MAX = 200000, POLL_NS = 20000000 };

/* A file of the host that may be a module's. */
struct file {
	char *name; /* as the kernel calls the module: foo_bar for foo-bar.ko */
	char *path;
};

struct gdb_modules {
	VEC(struct file) file;
	char *indexed; /* the kernel version whose directories were walked, or NULL */
	/* the guest's functions at which something has changed, and where one of them returns to */
	struct debug_point loaded, freeing, freed;
	bool watching;
	bool changed; /* since it was asked last */
	int timer;    /* while the guest's system is not known yet; -1 */
};

/* ---- files */

static void add_file(struct gdb_modules *md, const char *dir, const char *name)
{
	struct file f = { xstrndup(name, strlen(name) - 3), xasprintf("%s/%s", dir, name) };

	for (char *p = f.name; *p; p++)
		if (*p == '-')
			*p = '_';
	vec_push(&md->file, f);
}

/* All *.ko below dir; symbolic links are not followed. */
static void walk(struct gdb_modules *md, const char *dir, unsigned depth)
{
	DIR *d = depth < DEPTH_MAX ? opendir(dir) : NULL;
	struct dirent *e;

	while (d && (e = readdir(d)) && md->file.n < FILES_MAX) {
		if (e->d_name[0] == '.')
			continue;
		if (e->d_type == DT_DIR) {
			AUTO_FREE char *sub = xasprintf("%s/%s", dir, e->d_name);

			walk(md, sub, depth + 1);
		} else if (e->d_type == DT_REG && str_suffix(e->d_name, ".ko") &&
			   strlen(e->d_name) > 3) {
			add_file(md, dir, e->d_name);
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

/* ---- sections (System V ABI, gABI chapter 4; files of this byte order's guests only) */

struct elf {
	struct bytes data;
	bool wide;
	u64 shoff;
	unsigned shentsize, shnum;
	const char *names;
	u64 names_size;
};
struct section {
	const char *name;
	u32 type;
	u64 flags, offset, size;
};

static bool section_at(const struct elf *e, unsigned i, struct section *s)
{
	const u8 *p = e->data.data + e->shoff + (u64)i * e->shentsize;
	u32 name = ld32le(p);

	s->type = ld32le(p + 4);
	s->flags = e->wide ? ld64le(p + 8) : ld32le(p + 8);
	s->offset = e->wide ? ld64le(p + 24) : ld32le(p + 16);
	s->size = e->wide ? ld64le(p + 32) : ld32le(p + 20);
	s->name = "";
	if (e->names && name < e->names_size && memchr(e->names + name, 0, e->names_size - name))
		s->name = e->names + name;
	return s->type == SHT_NOBITS || range_fits(s->offset, s->size, e->data.size);
}

static bool elf_open(struct elf *e, const char *path)
{
	struct error why = { 0 };
	struct section s;
	const u8 *p;
	unsigned strings;

	*e = (struct elf){ 0 };
	if (bytes_read_file(&e->data, path, FILE_MAX, &why)) {
		error_clear(&why);
		return false;
	}
	p = e->data.data;
	if (e->data.size < 64 || memcmp(p, ELFMAG, SELFMAG) || p[EI_DATA] != ELFDATA2LSB)
		return false;
	e->wide = p[EI_CLASS] == ELFCLASS64;
	e->shoff = e->wide ? ld64le(p + 40) : ld32le(p + 32);
	e->shentsize = ld16le(p + (e->wide ? 58 : 46));
	e->shnum = ld16le(p + (e->wide ? 60 : 48));
	strings = ld16le(p + (e->wide ? 62 : 50));
	if (e->shentsize < (e->wide ? 64 : 40) ||
	    !range_fits(e->shoff, (u64)e->shnum * e->shentsize, e->data.size))
		return false;
	if (strings < e->shnum && section_at(e, strings, &s) && s.type == SHT_STRTAB) {
		e->names = (const char *)p + s.offset;
		e->names_size = s.size;
	}
	return true;
}

/* Does the note of the file name this build? Without either there is nothing to compare. */
static bool build_matches(const struct elf *e, const char *build_id)
{
	struct section s;

	for (unsigned i = 0; *build_id && i < e->shnum; i++) {
		struct strbuf b = { 0 };
		bool same;

		if (!section_at(e, i, &s) || s.type != SHT_NOTE ||
		    !str_eq(s.name, ".note.gnu.build-id") || s.size < 16 + 8)
			continue;
		gdb_put_hex(&b, e->data.data + s.offset + 16, MIN(s.size - 16, (u64)20));
		same = str_eq(strbuf_str(&b), build_id);
		strbuf_fini(&b);
		return same;
	}
	return true;
}

static u64 address_of(const struct os_module *m, const char *section)
{
	for (unsigned i = 0; i < m->nsections; i++)
		if (str_eq(m->sections[i].name, section))
			return m->sections[i].addr;
	return 0;
}

static void put_sections(struct strbuf *b, const struct elf *e, const struct os_module *m)
{
	u64 nowhere = e->wide ? 1ull << 56 : 0x1000;
	struct section s;

	for (unsigned i = 0; i < e->shnum; i++) {
		u64 at;

		if (!section_at(e, i, &s) || !(s.flags & SHF_ALLOC))
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

static void put_library(void *arg, const struct os_module *m)
{
	const struct list_job *job = arg;
	struct gdb_modules *md = job->g->modules;
	bool found = false;

	for (size_t i = 0; !found && i < md->file.n; i++) {
		const struct file *f = &md->file.at[i];
		struct elf e;

		if (!str_eq(f->name, m->name))
			continue;
		found = elf_open(&e, f->path) && build_matches(&e, m->build_id);
		if (found) {
			strbuf_printf(job->b, "<library name=\"%s\">", f->path);
			put_sections(job->b, &e, m);
			strbuf_add(job->b, "</library>\n");
		}
		bytes_fini(&e.data);
	}
}

static void note_module(void *arg, const struct os_module *m)
{
	*(unsigned *)arg += !str_eq(m->name, "vmlinux") && !str_eq(m->name, "kernel");
}

char *gdb_libraries_xml(struct gdb *g)
{
	const struct os *os = gdb_os(g);
	struct strbuf b = { 0 };
	struct list_job job = { g, &b };
	unsigned n = 0;

	strbuf_add(&b, "<library-list>\n");
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

static void set_timer(struct gdb_modules *md, u64 ns)
{
	struct itimerspec t = { { 0, ns }, { 0, ns } };

	timerfd_settime(md->timer, 0, &t, NULL);
}

static void on_timer(void *arg, short revents)
{
	struct gdb *g = arg;
	u64 count;

	if (read(g->modules->timer, &count, sizeof(count)) > 0)
		gdb_modules_watch(g);
}

void gdb_modules_watch(struct gdb *g)
{
	struct gdb_modules *md = g->modules;
	bool wanted = false;
	struct gdb_conn *c;

	gdb_each_conn(c, g) wanted |= c->libraries;
	if (md->watching || !wanted || !os_of(g->m)) {
		if (md->timer >= 0)
			set_timer(md, 0);
		return;
	}
	if (gdb_os(g)) {
		md->watching = true;
		arm_at(g, &md->loaded, "do_init_module");
		arm_at(g, &md->freeing, "free_module");
		if (md->timer >= 0)
			set_timer(md, 0);
		return;
	}
	/* Not found yet: it is looked for again while the guest boots. */
	if (md->timer < 0) {
		md->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
		machine_poll_fd(g->m, md->timer, POLLIN, on_timer, g);
	}
	set_timer(md, POLL_NS);
}

void gdb_modules_forget(struct gdb *g)
{
	struct gdb_modules *md = g->modules;

	debug_disarm(g->m, &md->loaded);
	debug_disarm(g->m, &md->freeing);
	debug_disarm(g->m, &md->freed);
	md->watching = false;
}

void gdb_modules_init(struct gdb *g)
{
	struct gdb_modules *md = NEW(struct gdb_modules);

	md->timer = -1;
	md->loaded = (struct debug_point){ .hit = on_loaded, .owner = md };
	md->freeing = (struct debug_point){ .hit = on_freeing, .owner = md };
	md->freed = (struct debug_point){ .hit = on_freed, .owner = md };
	g->modules = md;
}

void gdb_modules_fini(struct gdb *g)
{
	struct gdb_modules *md = g->modules;

	gdb_modules_forget(g);
	forget_files(md);
	if (md->timer >= 0) {
		machine_poll_fd(g->m, md->timer, 0, NULL, NULL);
		close(md->timer);
	}
	free(md);
}
