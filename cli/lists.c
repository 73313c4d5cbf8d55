/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lists.c - what `help` after an option prints: machines, CPUs, devices, character back ends, trace
 * points. */
#include "board/board.h"
#include "cli/options.h"
#include "core/cpu.h"
#include "core/device.h"
#include "core/fault.h"
#include "core/user_object.h"
#include "host/chardev.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

static void print_line(void *arg, const char *text) { puts(text); }

static void print_machine(void *arg, const struct board *b)
{
	const struct settings *s = arg;

	if (str_eq(b->isa, s->isa))
		printf("%-20s %s%s\n", b->name, b->doc, b->is_default ? " (default)" : "");
}

void list_machines(const struct settings *s)
{
	printf("Supported machines are:\n");
	board_each(print_machine, (void *)s);
}

int list_machine_options(const char *machine, const struct settings *s, struct error *e)
{
	const struct board *b = machine ? board_find(machine) : board_default(s->isa);

	if (!b)
		return error_ret(e, -EINVAL, "there is no machine '%s', -machine help lists them",
				 machine ? machine : s->isa);
	printf("%s options:\n", b->name);
	for (const struct board_option *o = b->options; o && o->name; o++) {
		printf("  %s=<%s> - %s", o->name, o->values ? o->values : "text", o->doc);
		if (o->def)
			printf(" (default: %s)", o->def);
		if (o->ignored)
			printf(" (no effect: %s)", o->ignored);
		putchar('\n');
	}
	return 0;
}

void list_cpus(const struct settings *s)
{
	const struct isa *isa = isa_find(s->isa);

	if (isa && isa->cpu_help)
		isa->cpu_help(print_line, NULL);
	else
		printf("Available CPUs:\n  the machine's own\n");
}

void list_accels(void) { printf("Accelerators supported in QEMU binary:\ntcg\nqtest\n"); }

/* ---- devices */

static void print_device(void *arg, const struct device_class *c)
{
	if (c->bus)
		printf("name \"%s\", bus %s, desc \"%s\"\n", c->name, c->bus, c->doc ? c->doc : "");
}

void list_devices(void)
{
	printf("name \"loader\", desc \"puts a value or a file into memory\"\n");
	device_class_each(print_device, NULL);
}

static const char *const prop_kinds[] = {
	[PROP_UINT] = "number",	    [PROP_BOOL] = "bool",
	[PROP_SIZE] = "size",	    [PROP_STR] = "str",
	[PROP_CHARDEV] = "chardev", [PROP_DRIVE] = "drive",
	[PROP_NETDEV] = "netdev",   [PROP_MAC] = "mac",
	[PROP_LINK] = "device",	    [PROP_ONOFFAUTO] = "OnOffAuto",
	[PROP_OBJECT] = "object",   [PROP_LATENCY] = "latency",
	[PROP_INT] = "int",
};

static void print_prop(const struct prop *p)
{
	printf("  %s=<%s> - %s", p->name,
	       p->kind < ARRAY_SIZE(prop_kinds) ? prop_kinds[p->kind] : "?", p->doc ? p->doc : "");
	if (p->def_str && p->kind != PROP_OBJECT)
		printf(" (default: %s)", p->def_str);
	else if (p->kind == PROP_BOOL)
		printf(" (default: %s)", p->def ? "on" : "off");
	else if (p->kind == PROP_ONOFFAUTO)
		printf(" (default: auto)");
	else if (p->kind == PROP_INT)
		printf(" (default: %lld)", (long long)p->def);
	else if (p->kind == PROP_UINT || p->kind == PROP_SIZE)
		printf(" (default: %llu)", (unsigned long long)p->def);
	putchar('\n');
}

int list_device(const char *name, struct error *e)
{
	const struct device_class *c;
	const char *first = name;

	if (str_eq(name, "loader")) {
		printf("loader options:\n"
		       "  addr=<number> - where to\n"
		       "  data=<number> - the value\n"
		       "  data-len=<number> - its bytes, 1 to 8\n"
		       "  data-be=<bool> - the value is big-endian\n"
		       "  file=<str> - the file: an ELF program, or bytes for addr\n"
		       "  force-raw=<bool> - bytes, even if it is an ELF program\n"
		       "  cpu-num=<number> - the CPU that starts there\n");
		return 0;
	}
	c = device_class_find(name);
	if (!c && str_suffix(name, ".so")) {
		if (device_load_object(name, &first, e))
			return -EINVAL;
		c = device_class_find(first);
	}
	if (!c)
		return error_ret(e, -EINVAL, "there is no device '%s', -device help lists them",
				 name);
	printf("%s options:\n", c->name);
	for (const struct prop *p = c->props; p && p->name; p++)
		print_prop(p);
	if (!c->props || !c->props->name)
		printf("  (none)\n");
	return 0;
}

/* ---- the rest */

static void print_object(void *arg, const struct object_kind *k)
{
	printf("  %-16s %s%s%s%s\n", k->name, k->doc, k->keys ? " (keys: " : "",
	       k->keys ? k->keys : "", k->keys ? ")" : "");
}

void list_objects(void)
{
	printf("List of user creatable objects:\n");
	object_kind_each(print_object, NULL);
}

static void print_chardev(void *arg, const struct chardev_kind *k)
{
	printf("  %-10s %s%s", k->name, k->doc, *k->keys ? " (" : "\n");
	if (*k->keys)
		printf("keys: %s)\n", k->keys);
}

void list_chardevs(void)
{
	printf("Available chardev backend types:\n");
	host_chardev_each(print_chardev, NULL);
	printf("All of them know id, mux, logfile, logappend.\n");
}

static void print_trace(void *arg, const char *name, bool on) { puts(name); }

void list_traces(void) { trace_list(print_trace, NULL); }

static void print_fault(void *arg, const char *name) { puts(name); }

void list_faults(void)
{
	fault_list(print_fault, NULL);
	printf("and of every device that reaches memory: ID.dma_read, ID.dma_write\n");
}
