/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fault.c - armed fault points. Parameters as in the kernel's Documentation/fault-injection. */
#include "core/fault.h"
#include "core/irq.h"
#include "core/latency.h"
#include "core/private.h"
#include "core/reg.h"
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
u32 fault_generation;

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

/* ---- what fits where */

static const struct {
	const char *name;
	u8 action;
} action_names[] = { { "fail", FAULT_FAIL },
		     { "drop", FAULT_DROP },
		     { "corrupt", FAULT_CORRUPT },
		     { "double", FAULT_DOUBLE },
		     { "delay", FAULT_DELAY } };

/* By the bit number of a kind; the actions end with 0. */
static const struct {
	const char *who, *text;
	u8 actions[5];
} fits[] = {
	{ "a point in a model", "none", { 0 } },
	{ "a read", "value=, mask= and flip=", { FAULT_VALUE } },
	{ "a write", "drop, value=, mask= and flip=", { FAULT_DROP, FAULT_VALUE } },
	{ "a DMA read", "fail and corrupt", { FAULT_FAIL, FAULT_CORRUPT } },
	{ "a DMA write",
	  "fail, corrupt, drop and delay=",
	  { FAULT_FAIL, FAULT_CORRUPT, FAULT_DROP, FAULT_DELAY } },
	{ "an interrupt", "drop, double and delay=", { FAULT_DROP, FAULT_DOUBLE, FAULT_DELAY } },
	{ "a timer", "drop and delay=", { FAULT_DROP, FAULT_DELAY } },
};

static bool fits_kind(u8 action, unsigned kind)
{
	const u8 *a = fits[__builtin_ctz(kind)].actions;

	if (action == FAULT_DEFAULT)
		return true;
	for (; *a; a++) {
		if (*a == action)
			return true;
	}
	return false;
}

/* ---- specs */

static int parse_action(struct fault_info *f, const char *name, struct error *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(action_names); i++) {
		if (str_eq(name, action_names[i].name) && action_names[i].action != FAULT_DELAY) {
			f->action = action_names[i].action;
			return 0;
		}
	}
	return error_ret(e, -EINVAL,
			 "fault action '%s' is none of fail, drop, corrupt and double (and "
			 "delay=TIME)",
			 name);
}

/* value=, mask=, flip=; false: it is none of them, or no number */
static bool parse_value(struct fault_info *f, const char *item, u64 n)
{
	bool had_value = f->action == FAULT_VALUE;

	if (str_prefix(item, "value=", NULL)) {
		f->value = n;
		if (!had_value || !f->mask)
			f->mask = ~0ull;
	} else if (str_prefix(item, "mask=", NULL)) {
		if (!had_value)
			f->value = ~0ull;
		f->mask = n;
	} else if (str_prefix(item, "flip=", NULL)) {
		f->flip = n;
	} else {
		return false;
	}
	f->action = FAULT_VALUE;
	return true;
}

static int parse_param(struct fault_info *f, const char *item, struct error *e)
{
	const char *v;
	u64 n;

	if (str_prefix(item, "action=", &v))
		return parse_action(f, v, e);
	if (str_prefix(item, "delay=", &v)) {
		f->action = FAULT_DELAY;
		return latency_parse(&f->delay, v, e);
	}
	if (str_prefix(item, "times=", &v) && str_eq(v, "-1")) {
		f->times = ~0ull;
		return 0;
	}
	v = strchr(item, '=');
	if (!v || str_to_u64(v + 1, 0, &n))
		return error_ret(e, -EINVAL,
				 "fault parameter '%s' is not probability=PERCENT, interval=N, "
				 "times=N, value=N, mask=N, flip=N, action=NAME or delay=TIME",
				 item);
	if (parse_value(f, item, n))
		return 0;
	if (str_prefix(item, "probability=", NULL) && n <= 100)
		f->probability = n;
	else if (str_prefix(item, "interval=", NULL) && n)
		f->interval = n;
	else if (str_prefix(item, "times=", NULL))
		f->times = n;
	else
		return error_ret(e, -EINVAL,
				 "fault parameter '%s' is not probability=0..100, interval=1.., "
				 "times=N, value=N, mask=N, flip=N, action=NAME or delay=TIME",
				 item);
	return 0;
}

void fault_print_action(const struct fault_info *f, char *buf, size_t size)
{
	char delay[80];
	int n = 0;

	buf[0] = 0;
	if (f->action == FAULT_VALUE) {
		if (f->mask)
			n = snprintf(buf, size, "value=%#llx", (unsigned long long)f->value);
		if (f->mask && f->mask != ~0ull)
			n += snprintf(buf + n, size - n, ",mask=%#llx",
				      (unsigned long long)f->mask);
		if (f->flip)
			snprintf(buf + n, size - n, "%sflip=%#llx", n ? "," : "",
				 (unsigned long long)f->flip);
	} else if (f->action == FAULT_DELAY) {
		latency_print(&f->delay, delay, sizeof(delay));
		snprintf(buf, size, "delay=%s", delay);
	}
	for (size_t i = 0; i < ARRAY_SIZE(action_names) && !*buf; i++) {
		if (action_names[i].action == f->action)
			snprintf(buf, size, "action=%s", action_names[i].name);
	}
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

/* Does the pattern mean this point of the device? An element's brackets are no shell pattern. */
static bool means(const char *pattern, const struct device *d, const char *name)
{
	const char *prefix[] = { d->id, d->class->name };
	char full[160];

	for (size_t i = 0; i < ARRAY_SIZE(prefix); i++) {
		snprintf(full, sizeof(full), "%s.%s", prefix[i], name);
		if (str_eq(pattern, full) || str_glob(pattern, full))
			return true;
	}
	return false;
}

/* "buf[3].read" without its element. */
static char *without_element(const char *pattern)
{
	const char *open = strchr(pattern, '['), *close = open ? strchr(open, ']') : NULL;

	if (!close || strspn(open + 1, "0123456789") != (size_t)(close - open - 1))
		return NULL;
	return xasprintf("%.*s%s", (int)(open - pattern), pattern, close + 1);
}

struct matching {
	const struct device *d;
	const char *pattern, *other; /* other: without_element, or NULL */
	unsigned kinds;
};

static void match_point(void *arg, const char *name, unsigned kind)
{
	struct matching *m = arg;

	if (means(m->pattern, m->d, name) || (m->other && means(m->other, m->d, name)))
		m->kinds |= kind;
}

/* The kinds of a device's points that a pattern names. */
static unsigned kinds_of(const struct device *d, const char *pattern)
{
	AUTO_FREE char *other = without_element(pattern);
	struct matching m = { .d = d, .pattern = pattern, .other = other };
	struct regbank *b;

	fault_class_points(d->class, match_point, &m);
	/* also what it has made in its init */
	list_for_each (b, &d->core->regbanks, link)
		fault_reg_points(b->bank->regs,
				 b->bank->read || b->bank->write ? b->bank->name : NULL,
				 match_point, &m);
	return m.kinds;
}

static void refresh_device(struct device *d)
{
	struct armed *a;

	d->core->faulted = 0;
	list_for_each (a, &d->core->machine->priv->faults, link)
		d->core->faulted |= kinds_of(d, a->info.name);
	irq_break(d, d->core->faulted & FAULT_IRQ);
}

static void refresh(struct machine *m)
{
	struct device_core *c;

	list_for_each (c, &m->devices, link)
		refresh_device(c->dev);
	fault_generation++;
}

void fault_device_realized(struct device *d)
{
	if (list_empty(&d->core->machine->priv->faults))
		return;
	refresh_device(d);
	fault_generation++;
}

struct naming {
	struct machine *m;
	const char *pattern;
	bool found;
};

/* "crc.stuck", a point in code: it stands for that of any device, models may have several files. */
static void match_code(void *arg, const char *name)
{
	struct naming *n = arg;
	struct device_core *c;

	n->found |= str_glob(n->pattern, name);
	list_for_each (c, &n->m->devices, link)
		n->found |= means(n->pattern, c->dev, strchr(name, '.') + 1);
}

unsigned fault_kinds(struct machine *m, const char *pattern)
{
	struct naming code = { .m = m, .pattern = pattern };
	struct device_core *c;
	unsigned kinds = 0;

	list_for_each (c, &m->devices, link)
		kinds |= kinds_of(c->dev, pattern);
	fault_list(match_code, &code);
	return kinds | (code.found ? FAULT_CODE : 0);
}

/* Is it something that can be visited, with what the spec wants? What no device here has may come
 * later. */
static int check_spec(struct machine *m, const struct fault_info *f, struct error *e)
{
	const char *point = strchr(f->name, '.') + 1;
	AUTO_FREE char *head = xstrndup(f->name, (size_t)(point - f->name - 1));
	struct device *d = device_find(m, head);
	unsigned kinds = fault_kinds(m, f->name);

	if (d && !kinds && !strpbrk(point, "*?"))
		return error_ret(e, -EINVAL,
				 "device '%s' has no fault point '%s'; quern doc %s lists them",
				 head, point, d->class->name);
	for (unsigned left = kinds; left; left &= left - 1) {
		if (fits_kind(f->action, left & -left))
			return 0;
	}
	if (!kinds)
		return 0;
	return error_ret(e, -EINVAL, "fault '%s': %s takes other actions: %s", f->name,
			 fits[__builtin_ctz(kinds)].who, fits[__builtin_ctz(kinds)].text);
}

int fault_arm(struct machine *m, const char *spec, struct error *e)
{
	struct fault_info f = { .probability = 100, .interval = 1, .times = ~0ull };
	AUTO_FREE char *copy = xstrdup(spec);
	char *next = copy;
	struct armed *a;
	int err = 0;

	f.name = strsep(&next, ",");
	if (!strchr(f.name, '.'))
		return error_ret(e, -EINVAL, "fault point '%s' is not of the form DEVICE.POINT",
				 f.name);
	while (next && !err)
		err = parse_param(&f, strsep(&next, ","), e);
	if (!err)
		err = check_spec(m, &f, e);
	if (err)
		return err;
	f.delay.key = hash_str(f.name);
	a = find(m, f.name);
	if (a)
		release(a);
	a = NEW(struct armed);
	a->info = f;
	a->info.name = xstrdup(f.name);
	list_add_tail(&m->priv->faults, &a->link);
	any_armed = true;
	switch_points();
	refresh(m);
	return 0;
}

int fault_disarm(struct machine *m, const char *name, struct error *e)
{
	struct armed *a = find(m, name);

	if (!a)
		return error_ret(e, -ENOENT, "no fault '%s' is armed", name);
	release(a);
	refresh(m);
	return 0;
}

void fault_disarm_all(struct machine *m)
{
	struct armed *a, *tmp;

	list_for_each_safe (a, tmp, &m->priv->faults, link)
		release(a);
	refresh(m);
}

void fault_each(struct machine *m, void (*fn)(void *arg, const struct fault_info *f), void *arg)
{
	struct armed *a;

	list_for_each (a, &m->priv->faults, link)
		fn(arg, &a->info);
}

void fault_set_counts(struct machine *m, const char *name, u64 hits, u64 fired, u64 times)
{
	struct armed *a = find(m, name);

	if (!a)
		return;
	a->info.hits = hits;
	a->info.fired = fired;
	a->info.times = times;
}

/* ---- visits */

static bool visit(struct fault_info *f, u64 seed, const char *name)
{
	u64 hit = f->hits++, random;

	if (!f->times || hit % f->interval != f->interval - 1)
		return false;
	random = hash_u64(seed ^ hash_u64(hash_str(name) + hit));
	if (random % 100 >= f->probability)
		return false;
	f->draw = hash_u64(random);
	f->fired++;
	if (f->times != ~0ull)
		f->times--;
	return true;
}

const struct fault_info *fault_visit(struct device *d, enum fault_kind kind, const char *name,
				     const char *alt)
{
	struct machine *m = d->core->machine;
	char by_id[160], action[160];
	struct armed *a;

	if (list_empty(&m->priv->faults))
		return NULL;
	snprintf(by_id, sizeof(by_id), "%s.%s", d->id, name);
	list_for_each (a, &m->priv->faults, link) {
		if (!means(a->info.name, d, name) && !(alt && means(a->info.name, d, alt)))
			continue;
		if (!fits_kind(a->info.action, kind) || !visit(&a->info, m->seed, by_id))
			continue;
		fault_print_action(&a->info, action, sizeof(action));
		trace_line("fault: %s%s%s", by_id, *action ? " " : "", action);
		return &a->info;
	}
	return NULL;
}

bool fault_named(struct device *d, const char *name)
{
	return fault_visit(d, FAULT_CODE, name, NULL);
}

bool fault_fires(struct point *p, const void *dev)
{
	return fault_named((struct device *)dev, p->name);
}

bool fault_armed(const struct device *d, const char *name)
{
	struct armed *a;

	list_for_each (a, &d->core->machine->priv->faults, link) {
		AUTO_FREE char *other = without_element(a->info.name);

		if (means(a->info.name, d, name) || (other && means(other, d, name)))
			return true;
	}
	return false;
}

u64 fault_value(const struct fault_info *f, u64 val)
{
	if (f->action != FAULT_VALUE)
		return ~0ull;
	return ((val & ~f->mask) | (f->value & f->mask)) ^ f->flip;
}

void fault_corrupt(const struct fault_info *f, void *buf, size_t n)
{
	if (n)
		((u8 *)buf)[f->draw % n] ^= BIT(f->draw >> 32 & 7);
}

/* The state that is a timer, and which element. */
static const struct state *state_of(const struct device *d, const struct timer *t, unsigned *i)
{
	u64 off = (u64)((const u8 *)t - (const u8 *)d);

	for (const struct state *s = d->class->state; s && s->name; s++) {
		if (s->kind == STATE_TIMER && off >= s->off && off < s->off + s->size) {
			*i = (off - s->off) / sizeof(*t);
			return s;
		}
	}
	return NULL;
}

bool fault_timer(struct device *d, struct timer *t)
{
	struct clock *c = &d->core->machine->clock;
	const struct fault_info *f;
	const struct state *s;
	char element[80];
	unsigned i;
	bool late = t->late;

	t->late = 0;
	s = late ? NULL : state_of(d, t, &i);
	if (!s)
		return false;
	snprintf(element, sizeof(element), "%s[%u]", s->name, i);
	f = fault_visit(d, FAULT_TIMER, s->size > sizeof(*t) ? element : s->name, s->name);
	if (!f)
		return false;
	if (f->action == FAULT_DELAY) {
		clock_timer_start(c, t, clock_now(c) + fault_delay(d, f));
		t->late = 1;
	}
	return true;
}

u64 fault_delay(struct device *d, const struct fault_info *f)
{
	struct latency l = f->delay;

	l.drawn = f->fired;
	return latency_draw(&l, d->core->machine->seed);
}

/* ---- points */

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

void fault_reg_points(const struct reg *regs, const char *code, fault_point_fn *fn, void *arg)
{
	char name[80];

	for (const struct reg *r = regs; r && r->name; r++) {
		snprintf(name, sizeof(name), "%s.read", r->name);
		fn(arg, name, FAULT_READ);
		snprintf(name, sizeof(name), "%s.write", r->name);
		fn(arg, name, FAULT_WRITE);
	}
	if (!code)
		return;
	snprintf(name, sizeof(name), "%s.read", code);
	fn(arg, name, FAULT_READ);
	snprintf(name, sizeof(name), "%s.write", code);
	fn(arg, name, FAULT_WRITE);
}

void fault_class_points(const struct device_class *c, fault_point_fn *fn, void *arg)
{
	const struct bus_type *t = c->bus ? bus_find(c->bus) : NULL;

	for (const struct bank *b = c->banks; b && b->size; b++)
		fault_reg_points(b->regs, b->read || b->write ? b->name : NULL, fn, arg);
	for (const struct state *s = c->state; s && s->name; s++) {
		if (s->kind == STATE_TIMER)
			fn(arg, s->name, FAULT_TIMER);
		else if (s->kind == STATE_IRQ)
			fn(arg, s->name, FAULT_IRQ);
	}
	fn(arg, "dma_read", FAULT_DMA_READ);
	fn(arg, "dma_write", FAULT_DMA_WRITE);
	if (t && t->fault_points)
		t->fault_points(c, fn, arg);
}
