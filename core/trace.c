/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace.c - what is traced and where it goes; guest errors and gaps of models. Selection is by
 * shell patterns over ID.point, ID.register, CLASS.point, CLASS.register or, for points of no
 * device, the point's name; the last pattern that matches decides.
 */
#include "core/trace.h"
#include "core/machine.h"
#include "core/private.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/hash.h"
#include "lib/str.h"
#include <quern/pci.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

extern struct point *const __start_quern_trace[] __attribute__((weak));
extern struct point *const __stop_quern_trace[] __attribute__((weak));

struct setting {
	char *glob;
	bool on;
};
struct range {
	struct point *const *first, *const *last;
};

/* What the process traces: not of one machine. */
static struct {
	VEC(struct setting) settings;
	VEC(struct range) objects;
	FILE *sink;
	enum lint_level lint;
} tr;
static pthread_mutex_t sink_lock = PTHREAD_MUTEX_INITIALIZER;
u32 trace_generation;

/* ---- selection */

static bool selected(const char *a, const char *b)
{
	for (size_t i = tr.settings.n; i--;) {
		const struct setting *s = &tr.settings.at[i];

		if (str_glob(s->glob, a) || (b && str_glob(s->glob, b)))
			return s->on;
	}
	return false;
}

bool trace_selected(const struct device *d, const char *name)
{
	char by_id[128], by_class[128];

	if (!tr.settings.n)
		return false;
	if (!d)
		return selected(name, NULL);
	snprintf(by_id, sizeof(by_id), "%s.%s", d->id, name);
	snprintf(by_class, sizeof(by_class), "%s.%s", d->class->name, name);
	return selected(by_id, by_class);
}

/* Could the pattern select a point of this name in some device, or in none? Too many is allowed:
 * trace_emit looks again. */
static bool may_select(const char *glob, const char *name)
{
	AUTO_FREE char *dotted = xasprintf(".%s", name);

	if (str_glob(glob, name))
		return true;
	for (const char *g = glob; *g; g++) {
		if (str_glob(g, dotted))
			return true;
	}
	return false;
}

static void refresh_range(struct point *const *first, struct point *const *last)
{
	for (; first < last; first++) {
		bool on = false;

		for (size_t i = 0; i < tr.settings.n; i++)
			on |= tr.settings.at[i].on &&
			      may_select(tr.settings.at[i].glob, (*first)->name);
		(*first)->on = on;
	}
}

static void refresh(void)
{
	refresh_range(__start_quern_trace, __stop_quern_trace);
	for (size_t i = 0; i < tr.objects.n; i++)
		refresh_range(tr.objects.at[i].first, tr.objects.at[i].last);
	trace_generation++;
}

void trace_add_points(struct point *const *first, struct point *const *last)
{
	vec_push(&tr.objects, ((struct range){ first, last }));
	refresh();
}

int trace_enable(const char *glob, bool on, struct error *e)
{
	if (!*glob)
		return error_ret(e, -EINVAL, "an empty trace pattern selects nothing");
	vec_push(&tr.settings, ((struct setting){ xstrdup(glob), on }));
	refresh();
	return 0;
}

/* ---- the list */

struct listing {
	void (*fn)(void *arg, const char *name, bool on);
	void *arg;
};

/* A point in dev/serial/ns16550.c is of the class in that file; one elsewhere stands for itself. */
static void list_range(const struct listing *l, struct point *const *first,
		       struct point *const *last)
{
	for (; first < last; first++) {
		const struct point *p = *first;
		const char *base = strrchr(p->file, '/');
		char name[128];

		base = base ? base + 1 : p->file;
		if (str_prefix(p->file, "core/", NULL) || str_prefix(p->file, "jit/", NULL) ||
		    str_prefix(p->file, "isa/", NULL))
			snprintf(name, sizeof(name), "%s", p->name);
		else
			snprintf(name, sizeof(name), "%.*s.%s", (int)strcspn(base, "."), base,
				 p->name);
		l->fn(l->arg, name, selected(name, NULL));
	}
}

static void list_regs(const struct listing *l, const char *class, const struct reg *r)
{
	for (; r && r->name; r++) {
		char name[128];

		snprintf(name, sizeof(name), "%s.%s", class, r->name);
		l->fn(l->arg, name, selected(name, NULL));
	}
}

static void list_class(void *arg, const struct device_class *c)
{
	const struct pci_class *pci = NULL;

	for (const struct bank *b = c->banks; b && b->size; b++)
		list_regs(arg, c->name, b->regs);
	if (c->bus && str_eq(c->bus, "pci"))
		pci = container_of(c, const struct pci_class, dev);
	for (unsigned i = 0; pci && i < ARRAY_SIZE(pci->bar); i++)
		list_regs(arg, c->name, pci->bar[i].regs);
}

void trace_list(void (*fn)(void *arg, const char *name, bool on), void *arg)
{
	struct listing l = { fn, arg };

	list_range(&l, __start_quern_trace, __stop_quern_trace);
	for (size_t i = 0; i < tr.objects.n; i++)
		list_range(&l, tr.objects.at[i].first, tr.objects.at[i].last);
	device_class_each(list_class, &l);
}

/* ---- output */

void trace_set_file(const char *path, struct error *e)
{
	FILE *f = NULL;

	if (path) {
		f = fopen(path, "we");
		if (!f) {
			error_set(e, "could not open '%s' for traces: %s", path, strerror(errno));
			return;
		}
		setvbuf(f, NULL, _IOLBF, 1 << 16);
	}
	pthread_mutex_lock(&sink_lock);
	if (tr.sink)
		fclose(tr.sink);
	tr.sink = f;
	pthread_mutex_unlock(&sink_lock);
}

static void put_line(const char *prefix, const char *fmt, va_list ap)
{
	struct strbuf b = { 0 };
	FILE *f;

	strbuf_add(&b, prefix);
	strbuf_vprintf(&b, fmt, ap);
	strbuf_addc(&b, '\n');
	pthread_mutex_lock(&sink_lock);
	f = tr.sink ? tr.sink : stderr;
	fwrite(b.at, 1, b.n, f);
	pthread_mutex_unlock(&sink_lock);
	strbuf_fini(&b);
}

void trace_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_line("", fmt, ap);
	va_end(ap);
}

void trace_emit(const struct point *p, const void *dev, const char *fmt, ...)
{
	const struct device *d = dev;
	char prefix[160];
	va_list ap;

	if (!trace_selected(d, p->name))
		return;
	if (d) {
		snprintf(prefix, sizeof(prefix), "%s.%s ", d->id, p->name);
	} else {
		struct timeval tv;

		gettimeofday(&tv, NULL);
		snprintf(prefix, sizeof(prefix), "%d@%lld.%06ld:%s ", getpid(),
			 (long long)tv.tv_sec, (long)tv.tv_usec, p->name);
	}
	va_start(ap, fmt);
	put_line(prefix, fmt, ap);
	va_end(ap);
}

/* ---- guest errors */

void lint_set(enum lint_level l) { tr.lint = l; }

enum lint_level lint_get(void) { return tr.lint; }

void guest_error(const void *dev, const char *fmt, ...)
{
	const struct device *d = dev;
	char prefix[128];
	va_list ap;

	if (tr.lint == LINT_OFF)
		return;
	snprintf(prefix, sizeof(prefix), "guest error: %s%s", d ? d->id : "", d ? ": " : "");
	va_start(ap, fmt);
	put_line(prefix, fmt, ap);
	va_end(ap);
	if (tr.lint == LINT_STOP && d && d->core)
		machine_stop(d->core->machine, RUN_DEBUG);
}

/* A guest chooses some of these texts: more than this many different ones are not told. */
enum { UNIMPLEMENTED_MAX = 200 };

void unimplemented(const void *dev, const char *fmt, ...)
{
	const struct device *d = dev;
	struct machine_private *p = d ? d->core->machine->priv : NULL;
	AUTO_FREE char *text = NULL;
	va_list ap;
	u64 hash;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = xstrdup(fmt);
	va_end(ap);
	if (!p) {
		warn("not implemented: %s", text);
		return;
	}
	hash = hash_str(text) ^ hash_str(d->id);
	for (u32 i = 0; i < p->unimplemented_count; i++) {
		if (p->unimplemented_seen[i] == hash)
			return;
	}
	if (p->unimplemented_count >= UNIMPLEMENTED_MAX)
		return;
	p->unimplemented_seen =
		xrealloc(p->unimplemented_seen, (p->unimplemented_count + 1) * sizeof(u64));
	p->unimplemented_seen[p->unimplemented_count++] = hash;
	warn("%s: not implemented: %s", d->id, text);
	if (p->unimplemented_count == UNIMPLEMENTED_MAX)
		warn("further things that are not implemented are not told");
}
