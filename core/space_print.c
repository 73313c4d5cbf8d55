/* SPDX-License-Identifier: GPL-2.0-or-later */
/* space_print.c - the region tree and the flat ranges as text, in the layout that `info mtree` has
 * made familiar. */
#include "core/space.h"
#include "core/private.h"
#include <stdio.h>

struct printer {
	void (*line)(void *arg, const char *text);
	void *arg;
};

static const char *kind_name(const struct region *r, bool readonly)
{
	switch (r->kind) {
	case REGION_RAM:
		return readonly ? "rom" : "ram";
	case REGION_ROM:
		return "rom";
	case REGION_ROMD:
		return "romd";
	case REGION_RESERVED:
		return "rsvd";
	default:
		return "i/o";
	}
}

static u64 last_of(const struct region *r, u64 base)
{
	return r->size ? base + r->size - 1 : ~0ull;
}

static void print_region(const struct printer *p, const struct region *r, u64 base, unsigned depth)
{
	const struct region *child;
	char text[256];

	if (depth > 32)
		return;
	base += r->at;
	if (r->kind == REGION_ALIAS)
		snprintf(text, sizeof(text),
			 "%*s%016llx-%016llx (prio %d, %s): alias %s @%s %016llx-%016llx%s",
			 2 * (int)depth + 2, "", (unsigned long long)base,
			 (unsigned long long)last_of(r, base), r->priority,
			 kind_name(r->alias, r->readonly), r->name, r->alias->name,
			 (unsigned long long)r->alias_offset,
			 (unsigned long long)last_of(r, r->alias_offset),
			 r->enabled ? "" : " [disabled]");
	else
		snprintf(text, sizeof(text), "%*s%016llx-%016llx (prio %d, %s): %s%s",
			 2 * (int)depth + 2, "", (unsigned long long)base,
			 (unsigned long long)last_of(r, base), r->priority,
			 kind_name(r, r->readonly), r->name, r->enabled ? "" : " [disabled]");
	p->line(p->arg, text);
	list_for_each (child, &r->children, link)
		print_region(p, child, base, depth + 1);
}

static void print_flat(const struct printer *p, const struct space *s)
{
	char text[256];

	if (!s->nranges)
		p->line(p->arg, "  No rendered FlatView");
	for (size_t i = 0; i < s->nranges; i++) {
		const struct flat_range *f = &s->ranges[i];
		int n = snprintf(text, sizeof(text), "  %016llx-%016llx (prio %d, %s): %s",
				 (unsigned long long)f->start, (unsigned long long)f->last,
				 f->region->priority, kind_name(f->region, f->readonly),
				 f->region->name);

		if (f->offset && n > 0 && (size_t)n < sizeof(text))
			snprintf(text + n, sizeof(text) - n, " @%016llx",
				 (unsigned long long)f->offset);
		p->line(p->arg, text);
	}
}

void space_print(struct space *s, bool flat, void (*line)(void *arg, const char *text), void *arg)
{
	const struct printer p = { line, arg };
	char text[256];

	snprintf(text, sizeof(text), flat ? " AS \"%s\", root: %s" : "address-space: %s", s->name,
		 s->root->name);
	line(arg, text);
	snprintf(text, sizeof(text), " Root memory region: %s", s->root->name);
	if (flat) {
		line(arg, text);
		print_flat(&p, s);
	} else {
		print_region(&p, s->root, -s->root->at, 0);
	}
	line(arg, "");
}

void spaces_print(struct machine *m, bool flat, void (*line)(void *arg, const char *text),
		  void *arg)
{
	struct space *s;
	unsigned n = 0;
	char text[32];

	list_for_each (s, &m->priv->spaces, link) {
		snprintf(text, sizeof(text), "FlatView #%u", n++);
		if (flat)
			line(arg, text);
		space_print(s, flat, line, arg);
	}
}
