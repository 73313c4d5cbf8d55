/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doc_pages.c - quern doc --all: the tables of every device class as pages of Markdown. */
#include "cli/device_check.h"
#include "cli/doc.h"
#include "core/fault.h"
#include "core/reg.h"
#include "core/trace.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <quern/pci.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

struct page {
	FILE *f;
	const struct device_class *c;
	const char *heading; /* printed before the first line of a list */
};

static void heading(struct page *p)
{
	if (p->heading)
		fprintf(p->f, "\n%s\n\n", p->heading);
	p->heading = NULL;
}

/* Text in a cell of a table. */
static void cell(FILE *f, const char *text)
{
	for (const char *s = text ? text : ""; *s; s++)
		fprintf(f, *s == '|' ? "\\|" : *s == '\n' ? " " : "%c", *s);
}

/* ---- settings */

static const char *kind_name(const struct prop *p)
{
	static const char *const names[] = {
		[PROP_UINT] = "number",
		[PROP_BOOL] = "on or off",
		[PROP_SIZE] = "size",
		[PROP_STR] = "text",
		[PROP_CHARDEV] = "chardev",
		[PROP_DRIVE] = "drive",
		[PROP_NETDEV] = "netdev",
		[PROP_MAC] = "MAC address",
		[PROP_LINK] = "device",
		[PROP_LATENCY] = "time",
		[PROP_INT] = "signed number",
		[PROP_OBJECT] = "object",
		[PROP_ONOFFAUTO] = "on, off or auto",
	};

	return p->ignored ? "no effect" : names[p->kind];
}

static void print_default(FILE *f, const struct prop *p)
{
	static const char *const choice[] = { "auto", "on", "off" };

	if (p->ignored)
		return;
	if (p->kind == PROP_BOOL)
		fprintf(f, "%s", p->def ? "on" : "off");
	else if (p->kind == PROP_ONOFFAUTO)
		fprintf(f, "%s", choice[MIN(p->def, (u64)2)]);
	else if (p->kind == PROP_INT)
		fprintf(f, "%lld", (long long)p->def);
	else if (p->kind == PROP_UINT || p->kind == PROP_SIZE)
		fprintf(f, p->def >> 32 ? "%#llx" : "%llu", (unsigned long long)p->def);
	else if (p->def_str && p->kind != PROP_OBJECT)
		cell(f, p->def_str);
}

static void page_props(struct page *p)
{
	p->heading = "## Settings\n\n| setting | kind | default | |\n|---|---|---|---|";
	for (const struct prop *prop = p->c->props; prop && prop->name; prop++) {
		if (p->heading)
			fprintf(p->f, "\n%s\n", p->heading);
		p->heading = NULL;
		fprintf(p->f, "| `%s` | %s | ", prop->name, kind_name(prop));
		print_default(p->f, prop);
		fprintf(p->f, " | ");
		cell(p->f, prop->doc);
		if (prop->min)
			fprintf(p->f, " At least %llu.", (unsigned long long)prop->min);
		if (prop->max && prop->kind == PROP_UINT)
			fprintf(p->f, " At most %llu.", (unsigned long long)prop->max);
		fprintf(p->f, "%s |\n", prop->changed ? " Can be set while running." : "");
	}
}

/* ---- registers */

static void print_mask(FILE *f, const char *what, u64 mask, const struct reg *r, unsigned *n)
{
	mask &= reg_mask(r);
	if (!mask)
		return;
	fprintf(f, "%s%s", (*n)++ ? "; " : "", what);
	if (mask != reg_mask(r))
		fprintf(f, " %#llx", (unsigned long long)mask);
}

static void print_reg(FILE *f, const struct bank *b, const struct reg *r)
{
	unsigned n = 0;

	fprintf(f, "| %03x", r->at);
	if (r->count > 1)
		fprintf(f, " + %llu n", (unsigned long long)(reg_place(b, r, 1) - r->at));
	fprintf(f, " | `%s`", r->name);
	if (r->count > 1)
		fprintf(f, ", n < %u", r->count);
	fprintf(f, " | %u | ", r->size * 8);
	if (!r->novalue)
		fprintf(f, "%llx", (unsigned long long)(r->reset & reg_mask(r)));
	fprintf(f, " | ");
	print_mask(f, "read-only", r->ro & ~(r->w1c | r->pulse), r, &n);
	print_mask(f, "1 clears", r->w1c, r, &n);
	print_mask(f, "reading clears", r->rclr, r, &n);
	print_mask(f, "not stored", r->pulse, r, &n);
	print_mask(f, "not modelled", r->unmodelled, r, &n);
	print_mask(f, "reserved", reg_reserved(r), r, &n);
	fprintf(f, " | ");
	cell(f, r->doc);
	for (const struct field *d = r->fields; d && d->name; d++)
		fprintf(f, "%s%s %#llx", d == r->fields ? " Fields: " : ", ", d->name,
			(unsigned long long)d->mask);
	fprintf(f, " |\n");
}

static void page_bank(void *arg, const struct bank *b)
{
	struct page *p = arg;
	const struct reg *r = b->regs;

	fprintf(p->f, "\n## Registers in %s, %#llx %s\n\n", b->name ? b->name : "its only bank",
		(unsigned long long)b->size, b->numbered ? "places" : "bytes");
	if (!r || !r->name) {
		fprintf(p->f, "No table: answered by code.\n");
		return;
	}
	fprintf(p->f,
		"| offset | register | bits | reset | access | |\n|---|---|---|---|---|---|\n");
	for (; r->name; r++)
		print_reg(p->f, b, r);
}

/* ---- points: those of the files that go by the device's name, as nvme_io.c does by nvme */

static bool of_class(const struct device_class *c, const char *name)
{
	const char *s = c->name;

	while (*s && (*s == *name || (*s == '-' && *name == '_')))
		s++, name++;
	return !*s && (*name == '.' || *name == '_') && strchr(name, '.');
}

static void page_point(struct page *p, const char *name)
{
	const char *dot = strchr(name, '.');

	if (!of_class(p->c, name))
		return;
	heading(p);
	fprintf(p->f, "- `%s%s`\n", p->c->name, dot);
}

struct find_reg {
	const char *name;
	bool found;
};

static void find_reg(void *arg, const struct bank *b)
{
	struct find_reg *f = arg;

	for (const struct reg *r = b->regs; r && r->name; r++)
		f->found |= str_eq(r->name, f->name);
}

static bool is_register(const struct device_class *c, const char *name)
{
	const char *dot = strchr(name, '.');
	struct find_reg f = { dot ? dot + 1 : "" };

	device_class_banks(c, find_reg, &f);
	return f.found;
}

static void page_trace(void *arg, const char *name, bool on)
{
	struct page *p = arg;

	if (!is_register(p->c, name))
		page_point(p, name);
}

static void page_fault(void *arg, const char *name) { page_point(arg, name); }

/* ---- pages */

static void page_head(struct page *p)
{
	const struct device_class *c = p->c;
	const struct pci_class *pci = c->bus && str_eq(c->bus, "pci") ?
					      container_of(c, const struct pci_class, dev) :
					      NULL;

	fprintf(p->f, "# %s\n\n%s.\n\n", c->name, c->doc);
	if (c->bus)
		fprintf(p->f, "Added by `-device %s`; plugs into: %s.\n", c->name, c->bus);
	else
		fprintf(p->f, "Part of machines.\n");
	if (pci)
		fprintf(p->f, "PCI %04x:%04x, class %06x%s; MSI vectors: %u, MSI-X vectors: %u.\n",
			pci->vendor, pci->device, pci->class_code, pci->intx ? ", INTx" : "",
			pci->msi, pci->msix);
	if (c->inputs)
		fprintf(p->f, "Interrupt or GPIO inputs: %u.\n", c->inputs);
}

static void write_page(FILE *f, const struct device_class *c)
{
	struct page p = { .f = f, .c = c };

	page_head(&p);
	page_props(&p);
	device_class_banks(c, page_bank, &p);
	p.heading = "## Trace points beside the registers";
	trace_list(page_trace, &p);
	p.heading = "## Fault points";
	fault_list(page_fault, &p);
}

struct pages {
	const char *dir;
	struct error *e;
	VEC(const struct device_class *) classes;
};

static FILE *open_page(struct pages *p, const char *name)
{
	AUTO_FREE char *path = xasprintf("%s/%s.md", p->dir, name);
	FILE *f = fopen(path, "we");

	if (!f)
		error_set(p->e, "could not write '%s': %s", path, strerror(errno));
	return f;
}

static int close_page(struct pages *p, FILE *f, const char *name)
{
	bool bad = ferror(f);

	if (fclose(f) || bad)
		return error_ret(p->e, -EIO, "could not write %s/%s.md", p->dir, name);
	return 0;
}

static void add_class(void *arg, const struct device_class *c)
{
	struct pages *p = arg;

	vec_push(&p->classes, c);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct device_class *const *)a)->name,
		      (*(const struct device_class *const *)b)->name);
}

static void index_part(struct pages *p, FILE *f, bool of_machines)
{
	fprintf(f, "\n## %s\n\n| device | |%s\n|---|---|%s\n",
		of_machines ? "Parts of machines" : "For -device", of_machines ? "" : " bus |",
		of_machines ? "" : "---|");
	for (size_t i = 0; i < p->classes.n; i++) {
		const struct device_class *c = p->classes.at[i];

		if (!c->bus != of_machines)
			continue;
		fprintf(f, "| [%s](%s.md) | ", c->name, c->name);
		cell(f, c->doc);
		fprintf(f, of_machines ? " |\n" : " | %s |\n", c->bus);
	}
}

static int write_index(struct pages *p)
{
	FILE *f = open_page(p, "index");

	if (!f)
		return -EIO;
	fprintf(f, "# Devices\n\nWritten by `quern doc --all` from the tables of the models.\n");
	index_part(p, f, false);
	index_part(p, f, true);
	return close_page(p, f, "index");
}

int doc_pages(const char *dir, struct error *e)
{
	struct pages p = { .dir = dir, .e = e };
	int err;

	if (mkdir(dir, 0777) && errno != EEXIST)
		return error_ret(e, -errno, "could not make the directory '%s': %s", dir,
				 strerror(errno));
	device_class_each(add_class, &p);
	qsort(p.classes.at, p.classes.n, sizeof(*p.classes.at), by_name);
	err = write_index(&p);
	for (size_t i = 0; i < p.classes.n && !err; i++) {
		const struct device_class *c = p.classes.at[i];
		FILE *f = open_page(&p, c->name);

		err = f ? 0 : -EIO;
		if (!err) {
			write_page(f, c);
			err = close_page(&p, f, c->name);
		}
	}
	vec_free(&p.classes);
	return err;
}
