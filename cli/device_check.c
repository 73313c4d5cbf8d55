/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_check.c - mistakes in the tables of a device class: what has no documentation, registers
 * that overlap, bits that are not there, members that are in no table or in two. */
#include "cli/device_check.h"
#include "bus/virtio.h"
#include "core/reg.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <quern/pci.h>
#include <stdarg.h>
#include <stdio.h>

struct check {
	const struct device_class *c;
	void (*fn)(void *arg, const char *text);
	void *arg;
	unsigned mistakes;
	/* per byte of the structure: the entry that has it; the alignment of one that starts there
	 */
	const char **owner;
	u8 *starts;
};

static void printf_like(2, 3) complain(struct check *k, const char *fmt, ...)
{
	char text[256];
	size_t n;
	va_list ap;

	n = (size_t)snprintf(text, sizeof(text), "device %s: ", k->c->name);
	va_start(ap, fmt);
	vsnprintf(text + MIN(n, sizeof(text)), sizeof(text) - MIN(n, sizeof(text)), fmt, ap);
	va_end(ap);
	k->mistakes++;
	k->fn(k->arg, text);
}

static const struct pci_class *pci_of(const struct device_class *c)
{
	return c->bus && str_eq(c->bus, "pci") ? container_of(c, const struct pci_class, dev) :
						 NULL;
}

void device_class_banks(const struct device_class *c, void (*fn)(void *arg, const struct bank *b),
			void *arg)
{
	const struct pci_class *pci = pci_of(c);
	char name[16];

	for (const struct bank *b = c->banks; b && b->size; b++)
		fn(arg, b);
	for (unsigned i = 0; pci && i < ARRAY_SIZE(pci->bar); i++) {
		const struct pci_bar *bar = &pci->bar[i];

		snprintf(name, sizeof(name), "BAR %u%s", i, bar->io ? ", ports" : "");
		if (bar->size)
			fn(arg, &(struct bank){ .name = name,
						.regs = bar->regs,
						.size = bar->size,
						.narrow = bar->narrow });
	}
}

/* ---- registers */

static u32 count(const struct reg *r) { return r->count ? r->count : 1; }

/* How much of the bank an element takes. */
static u32 span(const struct bank *b, const struct reg *r) { return b->numbered ? 1 : r->size; }

static u64 end_of(const struct bank *b, const struct reg *r)
{
	return reg_place(b, r, count(r) - 1) + span(b, r);
}

/* RO is all ones whatever the register's width. */
static void check_mask(struct check *k, const struct reg *r, const char *what, u64 mask)
{
	if (mask != ~0ull && mask & ~reg_mask(r))
		complain(k, "register %s: .%s has bits that its %u bits have not", r->name, what,
			 r->size * 8);
	else if (mask != ~0ull && mask != reg_mask(r) && mask & reg_reserved(r))
		complain(k, "register %s: .%s has bits that no field names", r->name, what);
}

static bool one_overlaps(const struct bank *k, const struct reg *a, u64 at, u32 size)
{
	for (u32 i = 0; i < count(a); i++) {
		u64 own = reg_place(k, a, i);

		if (own < at + size && at < own + span(k, a))
			return true;
	}
	return false;
}

static bool overlap(const struct bank *k, const struct reg *a, const struct reg *b)
{
	if (end_of(k, a) <= b->at || end_of(k, b) <= a->at)
		return false;
	for (u32 i = 0; i < count(b); i++) {
		if (one_overlaps(k, a, reg_place(k, b, i), span(k, b)))
			return true;
	}
	return false;
}

static void check_reg(struct check *k, const struct bank *b, const struct reg *r)
{
	if (!r->doc || !*r->doc)
		complain(k, "register %s has no .doc", r->name);
	if (!r->novalue && r->reset & reg_reserved(r))
		complain(k, "register %s resets to bits that no field names", r->name);
	if (end_of(b, r) > b->size)
		complain(k, "register %s does not fit into its bank of %#llx bytes", r->name,
			 (unsigned long long)b->size);
	check_mask(k, r, "ro", r->ro);
	check_mask(k, r, "w1c", r->w1c);
	check_mask(k, r, "rclr", r->rclr);
	check_mask(k, r, "pulse", r->pulse);
	check_mask(k, r, "unmodelled", r->unmodelled);
	for (const struct field *f = r->fields; f && f->name; f++) {
		if (f->mask & ~reg_mask(r) || !f->mask)
			complain(k, "register %s: field %s has bits that its %u bits have not",
				 r->name, f->name, r->size * 8);
	}
}

static void check_bank(void *arg, const struct bank *b)
{
	struct check *k = arg;

	for (const struct reg *r = b->regs; r && r->name; r++) {
		check_reg(k, b, r);
		for (const struct reg *other = b->regs; other < r; other++) {
			if (overlap(b, r, other))
				complain(k, "registers %s and %s overlap", other->name, r->name);
		}
	}
}

/* ---- every byte claimed once */

static void claim(struct check *k, const char *what, u64 off, u64 size, u64 unit)
{
	const char *other = NULL;

	if (!range_fits(off, size, k->c->size)) {
		complain(k, "%s is not inside of the structure", what);
		return;
	}
	for (u64 i = off; i < off + size; i++) {
		other = k->owner[i] ? k->owner[i] : other;
		k->owner[i] = what;
	}
	if (other)
		complain(k, "%s and %s have bytes of the structure in common", other, what);
	k->starts[off] = MIN(unit & -unit, (u64)8);
}

static void claim_regs(void *arg, const struct bank *b)
{
	for (const struct reg *r = b->regs; r && r->name; r++) {
		if (!r->novalue)
			claim(arg, r->name, r->off, (u64)r->size * count(r), r->size);
	}
}

/* A PCI function that the virtio transport made of a model. */
static bool is_made_virtio(const struct device_class *c)
{
	for (const struct prop *p = c->props; pci_of(c) && p && p->name; p++) {
		if (str_eq(p->name, "indirect_desc"))
			return true;
	}
	return false;
}

static u64 head_size(const struct device_class *c)
{
	if (c->bus && (str_eq(c->bus, "virtio-mmio") || is_made_virtio(c)))
		return sizeof(struct virtio_device);
	return pci_of(c) ? sizeof(struct pci_device) : sizeof(struct device);
}

/* A gap that alignment of what follows explains is padding; a forgotten member is no such gap, or a
 * lucky one. */
static void find_gaps(struct check *k)
{
	const char *before = "the bus's part";

	for (u64 i = head_size(k->c), from; i < k->c->size; i++) {
		if (k->owner[i]) {
			before = k->owner[i];
			continue;
		}
		from = i;
		while (i < k->c->size && !k->owner[i])
			i++;
		if (i - from >= (i < k->c->size ? MAX(k->starts[i], (u8)1) : 8u))
			complain(k, "%llu bytes of the structure behind %s are in no table",
				 (unsigned long long)(i - from), before);
		i--;
	}
}

static void check_bytes(struct check *k)
{
	const struct device_class *c = k->c;

	k->owner = xcalloc(c->size + 1, sizeof(*k->owner));
	k->starts = xalloc(c->size + 1);
	device_class_banks(c, claim_regs, k);
	for (const struct prop *p = c->props; p && p->name; p++) {
		if (!p->ignored)
			claim(k, p->name, p->off, p->kind == PROP_MAC ? 6 : p->size,
			      p->kind == PROP_MAC ? 1 : p->size);
	}
	for (const struct state *s = c->state; s && s->name; s++)
		claim(k, s->name, s->off, s->size, s->size);
	find_gaps(k);
	free(k->owner);
	free(k->starts);
}

/* ---- */

unsigned device_class_check(const struct device_class *c, void (*fn)(void *arg, const char *text),
			    void *arg)
{
	struct check k = { .c = c, .fn = fn, .arg = arg };

	if (!c->doc || !*c->doc)
		complain(&k, "the class has no .doc");
	for (const struct prop *p = c->props; p && p->name; p++) {
		if (!p->doc || !*p->doc)
			complain(&k, "property %s has no .doc", p->name);
	}
	device_class_banks(c, check_bank, &k);
	check_bytes(&k);
	return k.mistakes;
}
