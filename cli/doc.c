/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doc.c - manual pages and driver headers of devices, from their tables; the compiler flags for a
 * device outside of the tree. */
#include "cli/doc.h"
#include "cli/device_check.h"
#include "cli/options.h"
#include "core/device.h"
#include "core/fault.h"
#include "lib/str.h"
#include <quern/pci.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

/* ---- manual page */

static void doc_field(const struct field *f)
{
	printf("         %-20s %#llx\n", f->name, (unsigned long long)f->mask);
}

static void doc_mask(const char *what, u64 mask, const struct reg *r)
{
	u64 all = r->size >= 8 ? ~0ull : BIT64(r->size * 8) - 1;

	mask &= all;
	if (mask == all)
		printf(" %s", what);
	else if (mask)
		printf(" %s:%#llx", what, (unsigned long long)mask);
}

static void doc_reg(const struct reg *r)
{
	printf("  %03x  %-16s %2u bit", r->at, r->name, r->size * 8);
	if (r->count > 1)
		printf(" x %u, %u apart", r->count, r->stride);
	if (!r->novalue)
		printf("  reset %0*llx", r->size * 2, (unsigned long long)r->reset);
	doc_mask("read-only", r->ro, r);
	doc_mask("write-1-clears", r->w1c, r);
	doc_mask("write-1-sets", r->w1s, r);
	doc_mask("read-clears", r->rclr, r);
	doc_mask("not modelled", r->unmodelled, r);
	printf("\n       %s\n", r->doc ? r->doc : "");
	for (const struct field *f = r->fields; f && f->name; f++)
		doc_field(f);
}

static void doc_trace(void *arg, const char *name, bool on)
{
	const struct device_class *c = arg;
	const char *rest;

	if (str_prefix(name, c->name, &rest) && *rest == '.')
		printf("  %s\n", name);
}

static void doc_fault(void *arg, const char *name) { doc_trace(arg, name, false); }

/* Those that the class has from its tables: kind by kind. */
struct point_list {
	const struct device_class *c;
	unsigned kind, n;
	unsigned irqs; /* vectors, which are many */
};

static void doc_point(void *arg, const char *name, unsigned kind)
{
	struct point_list *l = arg;

	if (kind == l->kind && str_prefix(name, "irq", NULL))
		l->irqs++;
	else if (kind == l->kind) /* not registers: they are in the page already */
		printf("%s%s", l->n++ ? ", " : "  ", name);
}

static void doc_points(const struct device_class *c)
{
	static const struct {
		unsigned kind;
		const char *doc;
	} kinds[] = {
		{ FAULT_DMA_READ, "fails, or action=corrupt" },
		{ FAULT_DMA_WRITE, "fails, or action=corrupt, action=drop, delay=TIME" },
		{ FAULT_IRQ, "is lost, or action=double, delay=TIME" },
		{ FAULT_TIMER, "never fires, or delay=TIME" },
		{ FAULT_CODE, "happens" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct point_list l = { c, kinds[i].kind, 0, 0 };

		fault_class_points(c, doc_point, &l);
		if (l.irqs)
			printf("%sirq0", l.n ? ", " : "  ");
		if (l.irqs > 1)
			printf(" to irq%u", l.irqs - 1);
		if (l.n || l.irqs)
			printf(": %s\n", kinds[i].doc);
	}
	printf("  REGISTER.read: reads ones, or value=N, mask=N, flip=N; REGISTER.write: is lost, "
	       "or "
	       "those%s\n",
	       c->bus && str_eq(c->bus, "pci") ? "; config.read and config.write alike" : "");
}

static void doc_props(const struct device_class *c)
{
	if (c->props && c->props->name)
		printf("\nSettings:\n");
	for (const struct prop *p = c->props; p && p->name; p++) {
		printf("  %s=", p->name);
		if (p->def_str)
			printf("%s", p->def_str);
		else if (p->kind == PROP_BOOL)
			printf("%s", p->def ? "on" : "off");
		else if (p->kind == PROP_UINT || p->kind == PROP_SIZE)
			printf("%llu", (unsigned long long)p->def);
		else if (p->kind == PROP_INT)
			printf("%lld", (long long)p->def);
		printf("\n       %s\n", p->doc ? p->doc : "");
	}
}

static void doc_bank(void *arg, const struct bank *b)
{
	const char *name = b->name ? b->name : "its only bank";
	const struct reg *r = b->regs;
	u64 size = b->size;

	printf("\nRegisters in %s (%#llx bytes):\n", name, (unsigned long long)size);
	if (!r || !r->name)
		printf("  (answered by code)\n");
	for (; r && r->name; r++)
		doc_reg(r);
}

static void doc_page(const struct device_class *c)
{
	const struct pci_class *pci = c->bus && str_eq(c->bus, "pci") ?
					      container_of(c, const struct pci_class, dev) :
					      NULL;

	printf("%s - %s\n", c->name, c->doc ? c->doc : "");
	if (c->bus)
		printf("bus: %s; added by -device %s\n", c->bus, c->name);
	else
		printf("part of machines\n");
	if (pci)
		printf("PCI %04x:%04x, class %06x, %u MSI-X vectors\n", pci->vendor, pci->device,
		       pci->class_code, pci->msix);
	if (c->inputs)
		printf("inputs: %u\n", c->inputs);
	doc_props(c);
	device_class_banks(c, doc_bank, NULL);
	printf("\nTrace points:\n");
	trace_list(doc_trace, (void *)c);
	printf("\nFault points:\n");
	fault_list(doc_fault, (void *)c);
	doc_points(c);
}

/* ---- driver header */

/* CLASS_NAME in capitals. */
static void print_macro(const char *class, const char *a, const char *b)
{
	const char *const parts[] = { class, a, b };

	printf("#define ");
	for (size_t i = 0; i < ARRAY_SIZE(parts) && parts[i]; i++) {
		if (i)
			putchar('_');
		for (const char *p = parts[i]; *p; p++)
			putchar(isalnum((unsigned char)*p) ? toupper((unsigned char)*p) : '_');
	}
}

/* CTL_START of ctl is START: fields are often named with their register, as C wants it. */
static const char *own_name(const struct reg *r, const struct field *f)
{
	size_t n = strlen(r->name);

	return strncasecmp(f->name, r->name, n) || f->name[n] != '_' ? f->name : f->name + n + 1;
}

static void header_reg(const struct device_class *c, const struct reg *r)
{
	print_macro(c->name, r->name, NULL);
	if (r->count > 1)
		printf("(n)\t(0x%x + (n) * %u)", r->at, r->stride);
	else
		printf("\t0x%x", r->at);
	printf("\t/* %u bit: %s */\n", r->size * 8, r->doc ? r->doc : "");
	for (const struct field *f = r->fields; f && f->name; f++) {
		print_macro(c->name, r->name, own_name(r, f));
		printf("\t0x%llx%s\n", (unsigned long long)f->mask, f->mask >> 32 ? "ull" : "");
	}
}

static void header_bank(void *arg, const struct bank *b)
{
	printf("\n/* %s */\n", b->name ? b->name : "its only bank");
	for (const struct reg *r = b->regs; r && r->name; r++)
		header_reg(arg, r);
}

static void doc_header(const struct device_class *c)
{
	printf("/* Registers of %s: %s. Written by quern doc --c-header %s. */\n#pragma once\n",
	       c->name, c->doc ? c->doc : "", c->name);
	device_class_banks(c, header_bank, (void *)c);
}

/* ---- */

static void list_class(void *arg, const struct device_class *c)
{
	printf("%-20s %s%s\n", c->name, c->doc ? c->doc : "", c->bus ? "" : " (part of machines)");
}

static const struct device_class *find(const char *name, struct error *e)
{
	const struct device_class *c = device_class_find(name);
	const char *first;

	if (!c && str_suffix(name, ".so")) {
		if (device_load_object(name, &first, e))
			return NULL;
		c = device_class_find(first);
	}
	if (!c)
		error_set(e, "there is no device '%s'; quern doc lists them", name);
	return c;
}

/* ---- */

static void print_mistake(void *arg, const char *text) { printf("%s\n", text); }

static int doc_check(const struct device_class *c)
{
	unsigned mistakes = device_class_check(c, print_mistake, NULL);

	if (!mistakes)
		printf("device %s: the tables are sound\n", c->name);
	return mistakes != 0;
}

static int doc_class(const char *how, const char *name, struct error *e)
{
	const struct device_class *c = find(name, e);

	if (!c)
		return 1;
	if (how && str_eq(how, "--check"))
		return doc_check(c);
	if (how)
		doc_header(c);
	else
		doc_page(c);
	return 0;
}

static int usage(FILE *f)
{
	fprintf(f, "usage: quern doc [[--c-header | --check] DEVICE|FILE.so | --all DIRECTORY | "
		   "--monitor]\n");
	return f == stderr;
}

int doc_main(int argc, char **argv)
{
	static const char *const one[] = { "--c-header", "--check", "--all" };
	const char *how = argc > 1 && argv[1][0] == '-' ? argv[1] : NULL;
	const char *name = how ? argv[2] : argv[1];
	struct error e = { 0 };
	bool known = !how;
	int r;

	for (size_t i = 0; how && i < ARRAY_SIZE(one); i++)
		known |= str_eq(how, one[i]) && argc == 3 && *name != '-';
	if (how && (str_eq(how, "--help") || str_eq(how, "-h")))
		return usage(stdout);
	if (how && str_eq(how, "--monitor") && argc == 2) {
		doc_monitor();
		return 0;
	}
	if (!known || argc > 2 + (how != NULL))
		return usage(stderr);
	if (!name) {
		device_class_each(list_class, NULL);
		return 0;
	}
	r = how && str_eq(how, "--all") ? doc_pages(name, &e) : doc_class(how, name, &e);
	if (e.text)
		error_print(&e);
	return r != 0;
}

/* The headers beside the binary: PREFIX/bin and PREFIX/include, or the source tree around
 * out/BUILD. */
int cflags_main(void)
{
	static const char *const places[] = { "/../include", "/../../include", "/include" };
	char exe[4096];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	exe[MAX(n, (ssize_t)0)] = 0;
	if (strrchr(exe, '/'))
		*strrchr(exe, '/') = 0;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		AUTO_FREE char *dir = xasprintf("%s%s", exe, places[i]),
			       *header = xasprintf("%s/quern/device.h", dir);
		AUTO_FREE char *real = access(header, R_OK) == 0 ? realpath(dir, NULL) : NULL;

		if (real) {
			printf("-std=gnu11 -fno-strict-aliasing -Wno-unused-parameter "
			       "-Wno-missing-field-initializers -I%s\n",
			       real);
			return 0;
		}
	}
	fprintf(stderr,
		"quern: the headers are not beside the program %s: was it installed with make "
		"install?\n",
		exe);
	return 1;
}
