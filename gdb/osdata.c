/* SPDX-License-Identifier: GPL-2.0-or-later */
/* osdata.c - tables of the guest's system for gdb's `info os` (GDB manual, 22.4 and E.17). */
#include "private.h"

static void put_text(struct strbuf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '<' || *s == '>' || *s == '&' || (u8)*s < ' ' || (u8)*s > '~')
			strbuf_printf(b, "&#%u;", (u8)*s < ' ' || (u8)*s > '~' ? '?' : *s);
		else
			strbuf_addc(b, *s);
	}
}

static void column(struct strbuf *b, const char *name, const char *text)
{
	strbuf_printf(b, "<column name=\"%s\">", name);
	put_text(b, text);
	strbuf_add(b, "</column>");
}

static void printf_like(3, 4) columnf(struct strbuf *b, const char *name, const char *fmt, ...)
{
	struct strbuf text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	strbuf_vprintf(&text, fmt, ap);
	va_end(ap);
	column(b, name, strbuf_str(&text));
	strbuf_fini(&text);
}

/* ---- tables */

static void put_cpus(struct gdb *g, struct strbuf *b)
{
	for (u32 i = 0; i < g->m->ncpus; i++) {
		struct cpu *cpu = g->m->cpu[i];

		strbuf_add(b, "<item>");
		columnf(b, "cpu", "%u", i);
		column(b, "state", cpu->stopped ? "stopped" : cpu->halted ? "halted" : "running");
		columnf(b, "pc", "%#llx", (unsigned long long)debug_pc(cpu));
		strbuf_add(b, "</item>\n");
	}
}

static void put_tasks(struct gdb *g, struct strbuf *b, bool threads)
{
	gdb_list_tasks(g);
	for (size_t i = 0; i < g->task.n; i++) {
		const struct os_task *t = &g->task.at[i];

		if (!threads && t->pid != t->tgid)
			continue;
		strbuf_add(b, "<item>");
		columnf(b, "pid", "%u", t->tgid);
		if (threads)
			columnf(b, "tid", "%u", t->pid);
		columnf(b, "ppid", "%u", t->ppid);
		columnf(b, "state", "%c", t->state);
		columnf(b, "cpu", "%u", t->cpu >= 0 ? (u32)t->cpu : t->last_cpu);
		columnf(b, "kind", "%s", t->root ? "user" : "kernel");
		column(b, "command", t->comm);
		columnf(b, "task_struct", "%#llx", (unsigned long long)t->handle);
		strbuf_add(b, "</item>\n");
	}
}

static void put_processes(struct gdb *g, struct strbuf *b) { put_tasks(g, b, false); }
static void put_threads(struct gdb *g, struct strbuf *b) { put_tasks(g, b, true); }

static void put_module(void *arg, const struct os_module *m)
{
	struct strbuf *b = arg;

	strbuf_add(b, "<item>");
	column(b, "module", m->name);
	columnf(b, "text", "%#llx", (unsigned long long)m->base);
	columnf(b, "size", "%llu", (unsigned long long)m->size);
	column(b, "build-id", m->build_id);
	strbuf_add(b, "</item>\n");
}

static void put_modules(struct gdb *g, struct strbuf *b)
{
	const struct os *os = gdb_os(g);

	/* without any there is an empty table */
	if (os->modules && os->modules(g->m, put_module, b))
		return;
}

struct put_files {
	struct strbuf *b;
	const struct os_task *t;
};

static void put_file(void *arg, unsigned fd, const char *path)
{
	struct put_files *p = arg;

	strbuf_add(p->b, "<item>");
	columnf(p->b, "pid", "%u", p->t->tgid);
	column(p->b, "command", p->t->comm);
	columnf(p->b, "file descriptor", "%u", fd);
	column(p->b, "name", path);
	strbuf_add(p->b, "</item>\n");
}

static void put_files(struct gdb *g, struct strbuf *b)
{
	const struct os *os = gdb_os(g);

	gdb_list_tasks(g);
	for (size_t i = 0; os->files && i < g->task.n; i++) {
		struct put_files p = { b, &g->task.at[i] };

		/* one whose files cannot be read has none */
		if (p.t->pid == p.t->tgid && p.t->mm && os->files(g->m, p.t, put_file, &p))
			continue;
	}
}

static const struct {
	const char *name, *title, *doc;
	bool needs_os;
	void (*put)(struct gdb *g, struct strbuf *b);
} tables[] = {
	{ "cpus", "CPUs", "The machine's virtual CPUs", false, put_cpus },
	{ "processes", "Processes", "All processes of the guest", true, put_processes },
	{ "threads", "Threads", "All tasks of the guest, kernel threads too", true, put_threads },
	{ "files", "Files", "Open files of the guest's processes", true, put_files },
	{ "modules", "Kernel modules", "Loaded kernel modules", true, put_modules },
};

char *gdb_osdata(struct gdb_conn *c, const char *name)
{
	bool os = gdb_os(c->g), found = !*name;
	struct strbuf b = { 0 };

	strbuf_printf(&b,
		      "<?xml version=\"1.0\"?>\n<!DOCTYPE osdata SYSTEM \"osdata.dtd\">\n"
		      "<osdata type=\"%s\">\n",
		      found ? "types" : name);
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		if (tables[i].needs_os && !os)
			continue;
		if (!*name) {
			strbuf_add(&b, "<item>");
			column(&b, "Type", tables[i].name);
			column(&b, "Description", tables[i].doc);
			column(&b, "Title", tables[i].title);
			strbuf_add(&b, "</item>\n");
		} else if (str_eq(name, tables[i].name)) {
			tables[i].put(c->g, &b);
			found = true;
		}
	}
	strbuf_add(&b, "</osdata>\n");
	if (found)
		return strbuf_take(&b);
	strbuf_fini(&b);
	return NULL;
}
