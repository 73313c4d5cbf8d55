/* SPDX-License-Identifier: GPL-2.0-or-later */
/* board.c - the registry of boards, their options, and the CPUs that every board makes. */
#include "board/board.h"
#include "core/cpu.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

extern const struct board *const __start_quern_board[] __attribute__((weak));
extern const struct board *const __stop_quern_board[] __attribute__((weak));
#define for_each_board(b) \
	for (const struct board *const *b = __start_quern_board; b < __stop_quern_board; b++)

static bool has_name(const struct board *b, const char *name)
{
	if (str_eq(b->name, name))
		return true;
	for (const char *const *a = b->aliases; a && *a; a++) {
		if (str_glob(*a, name))
			return true;
	}
	return false;
}

const struct board *board_find(const char *name)
{
	for_each_board(b)
	{
		if (has_name(*b, name))
			return *b;
	}
	return NULL;
}

const struct board *board_default(const char *isa)
{
	for_each_board(b)
	{
		if ((*b)->is_default && str_eq((*b)->isa, isa))
			return *b;
	}
	return NULL;
}

void board_each(void (*fn)(void *arg, const struct board *b), void *arg)
{
	for_each_board(b) fn(arg, *b);
}

/* ---- options */

static const struct board_option *find_option(const struct board *b, const char *name)
{
	for (const struct board_option *o = b->options; o && o->name; o++) {
		if (prop_name_eq(o->name, name))
			return o;
	}
	return NULL;
}

const char *board_option(const struct board *b, const struct board_config *c, const char *name)
{
	const struct board_option *o = find_option(b, name);

	/* the last one given counts */
	for (unsigned i = c->nsettings; i-- > 0;) {
		if (prop_name_eq(c->settings[i].key, name))
			return c->settings[i].value;
	}
	return o ? o->def : NULL;
}

bool board_option_on(const struct board *b, const struct board_config *c, const char *name,
		     bool auto_means)
{
	const char *v = board_option(b, c, name);
	bool on;

	if (!v || str_eq(v, "auto") || str_to_bool(v, &on))
		return auto_means;
	return on;
}

static int check_value(const struct board *b, const struct board_option *o, const char *value,
		       struct error *e)
{
	bool on;

	if (!o->values)
		return 0;
	if (str_prefix(o->values, "on|off", NULL) && !str_to_bool(value, &on))
		return 0;
	if (str_eq(o->values, "on|off|auto") && str_eq(value, "auto"))
		return 0;
	if (str_eq(o->values, "SIZE")) {
		u64 size;

		return str_to_size(value, 1, &size, e);
	}
	return error_ret(e, -EINVAL, "option '%s' of machine '%s' cannot be '%s'; it takes %s",
			 o->name, b->name, value, o->values);
}

/* What an option without effect cannot give is not missed by who takes the default or asks for
 * none. */
static bool is_absent(const struct board_option *o, const char *value)
{
	bool on;

	return (o->def && str_eq(value, o->def)) ||
	       (o->values && str_prefix(o->values, "on|off", NULL) && !str_to_bool(value, &on) &&
		!on);
}

static int check_options(const struct board *b, const struct board_config *c, struct error *e)
{
	for (unsigned i = 0; i < c->nsettings; i++) {
		const struct board_setting *s = &c->settings[i];
		const struct board_option *o = find_option(b, s->key);
		int err;

		if (!o)
			return error_ret(e, -ENOENT,
					 "machine '%s' has no option '%s'; -machine %s,help lists "
					 "them",
					 b->name, s->key, b->name);
		err = check_value(b, o, s->value, e);
		if (err)
			return err;
		if (o->ignored && !is_absent(o, s->value))
			warn("-machine %s=%s has no effect: %s", o->name, s->value, o->ignored);
	}
	return 0;
}

static int check_topology(const struct board_config *c, struct error *e)
{
	u64 n = 1;
	const u32 factor[] = { c->sockets, c->dies, c->cores, c->threads };

	if (!c->sockets || !c->cores || !c->threads)
		return 0;
	for (unsigned i = 0; i < ARRAY_SIZE(factor); i++)
		n *= factor[i] ? factor[i] : 1;
	if (n == (c->max_cpus ? c->max_cpus : c->cpus))
		return 0;
	return error_ret(e, -EINVAL,
			 "invalid CPU topology: %u sockets with %u dies of %u cores with %u "
			 "threads are %llu CPUs, not %u",
			 c->sockets, c->dies ? c->dies : 1, c->cores, c->threads,
			 (unsigned long long)n, c->max_cpus ? c->max_cpus : c->cpus);
}

int board_build(struct machine *m, const struct board *b, const struct board_config *c,
		struct error *e)
{
	int err = check_options(b, c, e);

	if (err)
		return err;
	if (!c->cpus || c->cpus > b->max_cpus)
		return error_ret(e, -ERANGE, "machine '%s' cannot have %u CPUs; it takes 1 to %u",
				 b->name, c->cpus, b->max_cpus);
	err = check_topology(c, e);
	if (err)
		return err;
	m->board = b;
	m->isa = isa_find(b->isa);
	if (!m->isa)
		return error_ret(e, -ENOTSUP,
				 "machine '%s' needs the instruction set %s, which this build has "
				 "not",
				 b->name, b->isa);
	return b->init(m, c, e);
}

/* ---- CPUs */

static struct cpu *make_cpu(struct machine *m, u32 index, const char *model, struct error *e)
{
	size_t size = ALIGN_UP(m->isa->cpu_size, (size_t)64);
	struct cpu *cpu = aligned_alloc(64, size);

	if (!cpu) {
		error_set(e, "cannot allocate %zu bytes for a CPU", size);
		return NULL;
	}
	memset(cpu, 0, size);
	cpu->isa = m->isa;
	cpu->machine = m;
	cpu->index = index;
	if (m->isa->init(cpu, model, e)) {
		if (m->isa->fini)
			m->isa->fini(cpu);
		free(cpu);
		return NULL;
	}
	return cpu;
}

/* The dies, cores and threads of a package are part of what CPUID tells. */
static char *model_with_topology(const struct board *b, const struct board_config *c)
{
	const char *model = c->cpu_model ? c->cpu_model : b->default_cpu;
	u32 all = c->max_cpus ? c->max_cpus : c->cpus, dies = c->dies ? c->dies : 1,
	    threads = c->threads ? c->threads : 1, sockets = c->sockets ? c->sockets : 1;

	if (!c->cores && !c->threads && !c->sockets)
		return xstrdup(model);
	return xasprintf("%s,dies=%u,cores=%u,threads=%u", model, dies,
			 c->cores ? c->cores : all / sockets / dies / threads, threads);
}

int board_make_cpus(struct machine *m, const struct board *b, const struct board_config *c,
		    struct error *e)
{
	AUTO_FREE char *model = model_with_topology(b, c);

	m->cpu = xcalloc(c->cpus, sizeof(*m->cpu));
	for (u32 i = 0; i < c->cpus; i++) {
		m->cpu[i] = make_cpu(m, i, model, e);
		if (!m->cpu[i])
			return -EINVAL;
		m->ncpus = i + 1;
	}
	return 0;
}
