/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * irq.c - interrupt and GPIO lines. An output drives one input; connecting it again puts a splitter
 * behind it; an input with several sources is their OR.
 */
#include "core/irq.h"
#include "core/fault.h"
#include "core/late.h"
#include "lib/alloc.h"
#include <assert.h>
#include <stdio.h>

/* ---- faults */

/* A rising edge: true when it does not arrive now. */
static bool irq_lost(struct irq *irq)
{
	const struct irq_broken *b = irq->broken;
	const struct fault_info *f;
	char element[80];

	snprintf(element, sizeof(element), "%s[%u]", b->name, b->i);
	f = fault_visit(b->d, FAULT_IRQ, b->many ? element : b->name, b->name);
	if (!f)
		return false;
	if (f->action == FAULT_DOUBLE && irq->set) {
		irq->set(irq->to, irq->n, 1);
		irq->set(irq->to, irq->n, 0);
		return false;
	}
	if (f->action == FAULT_DELAY)
		late_line(b->d, b->n, fault_delay(b->d, f));
	return true;
}

void irq_late(struct device *d, unsigned n)
{
	struct irq *irq = device_output(d, NULL, n);

	if (!irq || !irq->set)
		return;
	irq->set(irq->to, irq->n, 1);
	if (!irq->level)
		irq->set(irq->to, irq->n, 0);
}

static unsigned count_outputs(const struct device *d)
{
	unsigned n = 0;

	for (const struct state *s = d->class->state; s && s->name; s++)
		n += s->kind == STATE_IRQ ? s->size / sizeof(struct irq) : 0;
	return n;
}

void irq_break(struct device *d, bool on)
{
	unsigned n = count_outputs(d), at = 0;

	if (on == (d->core->broken != NULL) || !n)
		return;
	if (on)
		d->core->broken = xcalloc(n, sizeof(*d->core->broken));
	for (const struct state *s = d->class->state; s && s->name; s++) {
		struct irq *irq = (struct irq *)((u8 *)d + s->off);
		unsigned count = s->size / sizeof(*irq);

		for (unsigned i = 0; s->kind == STATE_IRQ && i < count; i++, at++) {
			irq[i].broken = on ? &d->core->broken[at] : NULL;
			if (on)
				d->core->broken[at] =
					(struct irq_broken){ d, s->name, i, at, count > 1 };
		}
	}
	if (!on) {
		free(d->core->broken);
		d->core->broken = NULL;
	}
}

/* ---- lines */

void irq_set(struct irq *irq, int level)
{
	if (irq->level == !!level)
		return;
	irq->level = !!level;
	if (__builtin_expect(irq->broken != NULL, 0) && level && irq_lost(irq))
		return;
	if (irq->set)
		irq->set(irq->to, irq->n, level);
}

void irq_pulse(struct irq *irq)
{
	irq_set(irq, 1);
	irq_set(irq, 0);
}

static void source_set(void *to, unsigned n, int level)
{
	struct irq_input *src = to;
	struct device *d = src->to;
	bool others = false;

	for (const struct irq_input *i = d->core->inputs; i; i = i->next)
		others |= i != src && i->input == src->input && i->level;
	src->level = !!level;
	src->raised += !others && level;
	if (others)
		return;
	if (d->core->input_watch)
		d->core->input_watch(d->core->input_watch_arg, src->input, !!level);
	d->class->input(d, src->input, level);
}

void irq_watch_inputs(struct device *d, void (*fn)(void *arg, unsigned n, int level), void *arg)
{
	d->core->input_watch = fn;
	d->core->input_watch_arg = arg;
}

u64 irq_raised(const struct device *d, unsigned input)
{
	u64 n = 0;

	for (const struct irq_input *i = d->core->inputs; i; i = i->next)
		n += i->input == input ? i->raised : 0;
	return n;
}

static void split_set(void *to, unsigned n, int level)
{
	struct irq_split *s = to;

	irq_set(&s->a, level);
	irq_set(&s->b, level);
}

struct irq device_input(struct device *d, unsigned input)
{
	struct irq_input *src = NEW(struct irq_input);

	assert(d->class->input && input < d->class->inputs);
	src->to = d;
	src->input = input;
	src->next = d->core->inputs;
	d->core->inputs = src;
	return (struct irq){ .set = source_set, .to = src };
}

void irq_drive_input(struct device *d, unsigned input, int level)
{
	struct irq_input *src = d->core->inputs;

	while (src && !(src->external && src->input == input))
		src = src->next;
	if (!src) {
		src = device_input(d, input).to;
		src->external = true;
	}
	if (src->level != !!level)
		source_set(src, 0, level);
}

/* The next member of the IRQ_OUT called name, or the n-th output of all when name is NULL. */
struct irq *device_output(struct device *d, const char *out, unsigned n)
{
	for (const struct state *s = d->class->state; s && s->name; s++) {
		unsigned count = s->size / sizeof(struct irq);

		if (s->kind != STATE_IRQ)
			continue;
		if (out && strcmp(s->name, out))
			continue;
		if (n < count)
			return (struct irq *)((u8 *)d + s->off) + n;
		if (out)
			return NULL;
		n -= count;
	}
	return NULL;
}

void irq_connect(struct device *a, const char *out, unsigned n,
		 void (*set)(void *to, unsigned n, int level), void *to, unsigned input)
{
	struct irq *irq = device_output(a, out, n);

	assert(irq);
	if (irq->set) {
		struct irq_split *s = NEW(struct irq_split);

		s->a = *irq;
		s->a.broken = NULL;
		s->b = (struct irq){ .set = set, .to = to, .n = input };
		s->next = a->core->splits;
		a->core->splits = s;
		*irq = (struct irq){
			.set = split_set, .to = s, .level = irq->level, .broken = irq->broken
		};
		irq_set(&s->b, irq->level);
		return;
	}
	irq->set = set;
	irq->to = to;
	irq->n = input;
	if (irq->level)
		set(to, input, irq->level);
}

void device_connect(struct device *a, const char *out, unsigned n, struct device *to,
		    unsigned input)
{
	struct irq line = device_input(to, input);

	irq_connect(a, out, n, line.set, line.to, line.n);
}

void irq_free_inputs(struct device *d)
{
	while (d->core->inputs) {
		struct irq_input *i = d->core->inputs;

		d->core->inputs = i->next;
		free(i);
	}
	while (d->core->splits) {
		struct irq_split *s = d->core->splits;

		d->core->splits = s->next;
		free(s);
	}
}
