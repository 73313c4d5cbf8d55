/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree.c - commands that show what the machine is made of: memory, buses and devices. */
#include "core/command.h"
#include "core/cpu.h"
#include "core/device.h"
#include "core/latency.h"
#include "core/machine.h"
#include "core/prop.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

static void print_line(void *arg, const char *text) { command_print(arg, "%s\n", text); }

/* ---- memory */

static const struct command_arg mtree_args[] = { { "flat", ARG_FLAG, true, 'f' }, {} };
static int mtree(struct command_call *c, struct error *e)
{
	spaces_print(c->m, call_bool(c, "flat", false), print_line, c);
	return 0;
}
COMMAND(mtree, .hmp = "info mtree", .args = mtree_args, .run = mtree,
	.doc = "show the memory tree; -f: who answers at which address");

/* Each piece of host memory once, whatever shows it. */
struct blocks {
	struct command_call *c;
	VEC(const struct region *) v;
};

static void collect_blocks(struct blocks *b, const struct region *r, unsigned depth)
{
	const struct region *child;

	if (r->kind == REGION_ALIAS && r->alias)
		collect_blocks(b, r->alias, depth + 1);
	for (size_t i = 0; r->ram && i < b->v.n; i++) {
		if (b->v.at[i]->ram == r->ram)
			return;
	}
	if (r->ram)
		vec_push(&b->v, r);
	if (depth > 32 || r->kind != REGION_CONTAINER)
		return;
	list_for_each (child, &r->children, link)
		collect_blocks(b, child, depth + 1);
}

static int ramblock(struct command_call *c, struct error *e)
{
	struct blocks b = { .c = c };

	collect_blocks(&b, &c->m->memory_root, 0);
	command_print(c, "%24s %8s  %18s %18s %18s\n", "Block Name", "PSize", "Offset", "Used",
		      "Total");
	for (size_t i = 0; i < b.v.n; i++) {
		const struct ram *ram = b.v.at[i]->ram;

		command_print(c, "%24s %4u KiB  0x%016llx 0x%016llx 0x%016llx\n", b.v.at[i]->name,
			      4, (unsigned long long)ram->first_page << 12,
			      (unsigned long long)ram->size, (unsigned long long)ram->size);
	}
	vec_free(&b.v);
	return 0;
}
COMMAND(ramblock, .hmp = "info ramblock", .run = ramblock, .doc = "show the pieces of memory");

static int roms(struct command_call *c, struct error *e)
{
	const struct space *s = &c->m->memory;

	for (size_t i = 0; i < s->nranges; i++) {
		const struct flat_range *f = &s->ranges[i];

		if (f->region->kind == REGION_ROM || f->region->kind == REGION_ROMD)
			command_print(c, "addr=%016llx size=0x%06llx mem=rom name=\"%s\"\n",
				      (unsigned long long)f->start,
				      (unsigned long long)(f->last - f->start + 1),
				      f->region->name);
	}
	return 0;
}
COMMAND(roms, .hmp = "info roms", .run = roms, .doc = "show read-only memory");

/* ---- devices */

static void show_prop(struct command_call *c, const struct device *d, const struct prop *p)
{
	const u8 *at = (const u8 *)d + p->off;
	u64 v = 0;

	if (p->kind == PROP_UINT || p->kind == PROP_INT || p->kind == PROP_SIZE ||
	    p->kind == PROP_BOOL)
		v = p->size == 1 ? ld8(at) :
		    p->size == 2 ? ld16le(at) :
		    p->size == 4 ? ld32le(at) :
				   ld64le(at);
	switch (p->kind) {
	case PROP_INT:
		command_print(c, "    %s = %lld\n", p->name,
			      (long long)(v << (64 - 8 * p->size)) >> (64 - 8 * p->size));
		break;
	case PROP_UINT:
	case PROP_SIZE:
		command_print(c, "    %s = %llu (%#llx)\n", p->name, (unsigned long long)v,
			      (unsigned long long)v);
		break;
	case PROP_BOOL:
		command_print(c, "    %s = %s\n", p->name, v ? "true" : "false");
		break;
	case PROP_STR: {
		const char *text;

		memcpy(&text, at, sizeof(text));
		command_print(c, "    %s = \"%s\"\n", p->name, text ? text : "");
		break;
	}
	case PROP_LATENCY: {
		char text[80];

		latency_print((const struct latency *)at, text, sizeof(text));
		command_print(c, "    %s = \"%s\"\n", p->name, text);
		break;
	}
	case PROP_MAC:
		command_print(c, "    %s = \"%02x:%02x:%02x:%02x:%02x:%02x\"\n", p->name, at[0],
			      at[1], at[2], at[3], at[4], at[5]);
		break;
	}
}

static void show_device(struct command_call *c, const struct device_core *core)
{
	const struct device *d = core->dev;

	command_print(c, "  dev: %s, id \"%s\"\n", d->class->name, d->id);
	if (core->addr)
		command_print(c, "    addr = %s\n", core->addr);
	if (d->class->inputs)
		command_print(c, "    gpio-in \"\" %u\n", d->class->inputs);
	for (const struct prop *p = d->class->props; p && p->name; p++)
		show_prop(c, d, p);
	for (unsigned i = 0; i < core->nbanks; i++) {
		if (core->bank[i].parent && core->bank[i].parent != &c->m->io_root)
			command_print(c, "    mmio %016llx/%016llx\n",
				      (unsigned long long)core->bank[i].at,
				      (unsigned long long)core->bank[i].size);
	}
}

/* Buses of one type have devices that say its name, or none: those are on the first. */
struct on_bus {
	struct command_call *c;
	const struct bus_type *seen[32];
	unsigned n;
};

static void show_bus(void *arg, struct bus *b)
{
	struct on_bus *o = arg;
	struct device_core *core;
	bool first = true;

	for (unsigned i = 0; i < o->n; i++)
		first &= o->seen[i] != b->type;
	if (first && o->n < ARRAY_SIZE(o->seen))
		o->seen[o->n++] = b->type;
	command_print(o->c, "bus: %s\n  type %s\n", b->name, b->type->name);
	list_for_each (core, &o->c->m->devices, link) {
		if (core->bus_type != b->type)
			continue;
		if (core->bus_name ? str_eq(core->bus_name, b->name) : first)
			show_device(o->c, core);
	}
}

static bool is_shown(const struct on_bus *o, const struct device_core *core)
{
	for (unsigned i = 0; i < o->n; i++) {
		if (core->bus_type == o->seen[i])
			return true;
	}
	return false;
}

static int qtree(struct command_call *c, struct error *e)
{
	struct on_bus o = { .c = c };
	struct device_core *core;

	command_print(c, "bus: main-system-bus\n  type System\n");
	list_for_each (core, &c->m->devices, link) {
		if (!core->bus_type)
			show_device(c, core);
	}
	bus_each(c->m, show_bus, &o);
	list_for_each (core, &c->m->devices, link) {
		if (core->bus_type && !is_shown(&o, core)) {
			command_print(c, "bus: %s\n  type %s\n", core->bus_type->name,
				      core->bus_type->name);
			show_device(c, core);
		}
	}
	return 0;
}
COMMAND(qtree, .hmp = "info qtree", .run = qtree, .doc = "show buses, devices and their settings");

static int qom_tree(struct command_call *c, struct error *e)
{
	struct device_core *core;
	unsigned n = c->m->ncpus;

	command_print(c, "/machine (machine)\n  /peripheral (container)\n");
	list_for_each (core, &c->m->devices, link) {
		if (core->bus_type)
			command_print(c, "    /%s (%s)\n", core->dev->id, core->dev->class->name);
	}
	command_print(c, "  /unattached (container)\n");
	for (u32 i = 0; i < c->m->ncpus; i++)
		command_print(c, "    /device[%u] (%s-cpu)\n", i, c->m->cpu[i]->isa->name);
	list_for_each (core, &c->m->devices, link) {
		if (!core->bus_type)
			command_print(c, "    /device[%u] (%s)\n", n++, core->dev->class->name);
	}
	return 0;
}
COMMAND(qom_tree, .hmp = "info qom-tree", .run = qom_tree,
	.doc = "show CPUs and devices by their paths");
