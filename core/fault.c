/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fault.c - armed fault points. Parameters as in the kernel's Documentation/fault-injection. */
#include "core/fault.h"
#include "core/private.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/hash.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

extern struct point *const __start_quern_fault[] __attribute__((weak));
extern struct point *const __stop_quern_fault[] __attribute__((weak));

struct armed {
	struct fault_info info;
	struct list link;
};
struct range {
	struct point *const *first, *const *last;
};
/* Points are code, hence the process's; a point is looked at by fault_fires as soon as any machine
 * has armed anything. */
static VEC(struct range) objects;
static bool any_armed;

static void set_on(struct point *const *first, struct point *const *last)
{
	for (; first < last; first++)
		(*first)->on = any_armed;
}

static void switch_points(void)
{
	set_on(__start_quern_fault, __stop_quern_fault);
	for (size_t i = 0; i < objects.n; i++)
		set_on(objects.at[i].first, objects.at[i].last);
}

void fault_add_points(struct point *const *first, struct point *const *last)
{
	vec_push(&objects, ((struct range){ first, last }));
	switch_points();
}

static int parse_param(struct fault_info *f, const char *item, struct error *e)
{
	const char *v;
	u64 n;

	if (str_prefix(item, "times=", &v) && str_eq(v, "-1")) {
		f->times = ~0ull;
		return 0;
	}
	v = strchr(item, '=');
	if (!v || str_to_u64(v + 1, 10, &n))
		return error_ret(e, -EINVAL,
				 "fault parameter '%s' is not probability=PERCENT, interval=N or "
				 "times=N",
				 item);
	if (str_prefix(item, "probability=", NULL) && n <= 100)
		f->probability = n;
	else if (str_prefix(item, "interval=", NULL) && n)
		f->interval = n;
	else if (str_prefix(item, "times=", NULL))
		f->times = n;
	else
		return error_ret(e, -EINVAL,
				 "fault parameter '%s' is not probability=0..100, interval=1.. or "
				 "times=N",
				 item);
	return 0;
}

static struct armed *find(struct machine *m, const char *name)
{
	struct armed *a;

	list_for_each (a, &m->priv->faults, link) {
		if (str_eq(a->info.name, name))
			return a;
	}
	return NULL;
}

static void release(struct armed *a)
{
	list_del(&a->link);
	free((char *)a->info.name);
	free(a);
}

int fault_arm(struct machine *m, const char *spec, struct error *e)
{
	struct fault_info f = { .probability = 100, .interval = 1, .times = ~0ull };
	AUTO_FREE char *copy = xstrdup(spec);
	char *next = copy, *name = strsep(&next, ",");
	struct armed *a;

	if (!strchr(name, '.'))
		return error_ret(e, -EINVAL, "fault point '%s' is not of the form DEVICE.POINT",
				 name);
	while (next) {
		int err = parse_param(&f, strsep(&next, ","), e);

		if (err)
			return err;
	}
	a = find(m, name);
	if (a)
		release(a);
	a = NEW(struct armed);
	a->info = f;
	a->info.name = xstrdup(name);
	list_add_tail(&m->priv->faults, &a->link);
	any_armed = true;
	switch_points();
	return 0;
}

int fault_disarm(struct machine *m, const char *name, struct error *e)
{
	struct armed *a = find(m, name);

	if (!a)
		return error_ret(e, -ENOENT, "no fault '%s' is armed", name);
	release(a);
	return 0;
}

void fault_disarm_all(struct machine *m)
{
	struct armed *a, *tmp;

	list_for_each_safe (a, tmp, &m->priv->faults, link)
		release(a);
}

void fault_each(struct machine *m, void (*fn)(void *arg, const struct fault_info *f), void *arg)
{
	struct armed *a;

	list_for_each (a, &m->priv->faults, link)
		fn(arg, &a->info);
}

static bool visit(struct fault_info *f, u64 seed, const char *name)
{
	u64 hit = f->hits++;

	if (!f->times || hit % f->interval != f->interval - 1)
		return false;
	if (hash_u64(seed ^ hash_u64(hash_str(name) + hit)) % 100 >= f->probability)
		return false;
	f->fired++;
	if (f->times != ~0ull)
		f->times--;
	return true;
}

bool fault_named(struct device *d, const char *name)
{
	struct machine *m = d->core->machine;
	char by_id[128], by_class[128];
	struct armed *a;

	if (list_empty(&m->priv->faults))
		return false;
	snprintf(by_id, sizeof(by_id), "%s.%s", d->id, name);
	snprintf(by_class, sizeof(by_class), "%s.%s", d->class->name, name);
	list_for_each (a, &m->priv->faults, link) {
		if (!str_glob(a->info.name, by_id) && !str_glob(a->info.name, by_class))
			continue;
		if (!visit(&a->info, m->seed, by_id))
			continue;
		trace_line("fault: %s", by_id);
		return true;
	}
	return false;
}

bool fault_fires(struct point *p, const void *dev)
{
	return fault_named((struct device *)dev, p->name);
}

static void list_range(struct point *const *first, struct point *const *last,
		       void (*fn)(void *arg, const char *name), void *arg)
{
	for (; first < last; first++) {
		const char *base = strrchr((*first)->file, '/');
		char name[128];

		base = base ? base + 1 : (*first)->file;
		snprintf(name, sizeof(name), "%.*s.%s", (int)strcspn(base, "."), base,
			 (*first)->name);
		fn(arg, name);
	}
}

void fault_list(void (*fn)(void *arg, const char *name), void *arg)
{
	list_range(__start_quern_fault, __stop_quern_fault, fn, arg);
	for (size_t i = 0; i < objects.n; i++)
		list_range(objects.at[i].first, objects.at[i].last, fn, arg);
}
