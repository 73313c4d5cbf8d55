/* SPDX-License-Identifier: GPL-2.0-or-later */
/* modules.c - the modules of a running Linux: where their code and sections lie, and their symbols,
 * which each keeps as an ELF symbol table. */
#include "guest/linux.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

enum { MODULES = 4096, SECTIONS = 1024, MOD_SYMS = 1 << 20, SYM = 24 /* Elf64_Sym */ };
enum { STATE_UNFORMED = 3 };

int linux_each_module(struct linux_os *l, bool (*fn)(void *arg, u64 mod), void *arg)
{
	u64 head, off, at;
	int err = linux_sym(l, "modules", &head);

	if (!err)
		err = linux_offset(l, "module.list", &off);
	if (!err)
		err = kmem_u64(&l->mem, head, &at);
	for (unsigned n = 0; !err && at != head && n < MODULES; n++) {
		u64 state;

		if (linux_get(l, at - off, "module.state", &state))
			break;
		if (state != STATE_UNFORMED && !fn(arg, at - off))
			break;
		if (kmem_u64(&l->mem, at, &at))
			break;
	}
	return err;
}

/* Area i of a module, i = 0 its text; false when there are no more. */
static bool area(struct linux_os *l, u64 mod, unsigned i, u64 *base, u64 *size)
{
	struct btf_member mem;

	if (!linux_member(l, "module.mem", &mem)) { /* since 6.4 */
		u64 at = mod + mem.bit / 8 + (u64)i * (mem.size / mem.count);

		return i < mem.count && !linux_get(l, at, "module_memory.base", base) &&
		       !linux_get(l, at, "module_memory.size", size);
	}
	if (i == 0)
		return !linux_get(l, mod, "module.core_layout.base", base) &&
		       !linux_get(l, mod, "module.core_layout.size", size);
	return i == 1 && !linux_get(l, mod, "module.init_layout.base", base) &&
	       !linux_get(l, mod, "module.init_layout.size", size);
}

int linux_module_range(struct linux_os *l, u64 mod, u64 *base, u64 *size)
{
	return area(l, mod, 0, base, size) ? 0 : -ENOTSUP;
}

/* ---- which module is it? */

struct at {
	struct linux_os *l;
	u64 addr, mod;
};

static bool has_addr(void *arg, u64 mod)
{
	struct at *a = arg;
	u64 base, size;

	for (unsigned i = 0; area(a->l, mod, i, &base, &size); i++)
		if (size && a->addr - base < size)
			a->mod = mod;
	return !a->mod;
}

u64 linux_module_at(struct linux_os *l, u64 addr)
{
	struct at a = { l, addr };

	if (addr < 0xffff800000000000ull || linux_each_module(l, has_addr, &a))
		return 0;
	return a.mod;
}

/* ---- symbols */

struct table {
	u8 *syms;
	u64 n, strings, types;
};

static int load_symbols(struct linux_os *l, u64 mod, struct table *t)
{
	u64 ks, at;
	int err = linux_get(l, mod, "module.kallsyms", &ks);

	*t = (struct table){ 0 };
	if (!err)
		err = linux_get(l, ks, "mod_kallsyms.symtab", &at);
	if (!err)
		err = linux_get(l, ks, "mod_kallsyms.num_symtab", &t->n);
	if (!err)
		err = linux_get(l, ks, "mod_kallsyms.strtab", &t->strings);
	if (err)
		return err;
	if (linux_get(l, ks, "mod_kallsyms.typetab", &t->types))
		t->types = 0;
	if (t->n > MOD_SYMS)
		return -EFAULT;
	t->syms = malloc(t->n * SYM + 1);
	if (!t->syms)
		return -ENOMEM;
	err = kmem_read(&l->mem, 0, at, t->syms, t->n * SYM);
	if (err)
		free(t->syms);
	return err;
}

/* Symbol i; false for what is not one of the module's own. */
static bool symbol(struct linux_os *l, const struct table *t, u64 i, struct os_symbol *s)
{
	const u8 *p = t->syms + i * SYM;
	u64 type;

	s->addr = ld64le(p + 8);
	s->size = ld64le(p + 16);
	if (!ld16le(p + 6) || kmem_text(&l->mem, t->strings + ld32le(p), s->name, sizeof(s->name)))
		return false;
	s->type = t->types && !kmem_uint(&l->mem, t->types + i, 1, &type) ? (char)type : '?';
	/* mapping and local labels */
	return s->name[0] && s->name[0] != '$' && strncmp(s->name, ".L", 2) != 0;
}

int linux_module_symbol_at(struct linux_os *l, u64 mod, u64 addr, struct os_symbol *s)
{
	struct os_symbol found;
	struct table t;
	u64 best = 0, next = 0, base, size;
	bool any = false;
	int err = load_symbols(l, mod, &t);

	if (err)
		return err;
	for (u64 i = 1; i < t.n; i++) {
		u64 a = ld64le(t.syms + i * SYM + 8);

		if (a <= addr && (!any || a > best) && symbol(l, &t, i, &found)) {
			*s = found;
			best = a;
			any = true;
		}
	}
	/* up to the next one, or the end of the area */
	for (unsigned i = 0; area(l, mod, i, &base, &size); i++)
		if (addr - base < size)
			next = base + size;
	for (u64 i = 1; any && i < t.n; i++) {
		u64 a = ld64le(t.syms + i * SYM + 8);

		if (a > best && a < next && symbol(l, &t, i, &found))
			next = a;
	}
	free(t.syms);
	if (!any)
		return -ENOENT;
	s->size = next > best ? next - best : 0;
	return linux_get_text(l, mod, "module.name", s->module, sizeof(s->module));
}

struct each {
	struct linux_os *l;
	bool (*fn)(void *arg, const struct os_symbol *s);
	void *arg;
};

static bool module_symbols(void *arg, u64 mod)
{
	struct each *e = arg;
	struct os_symbol s = { 0 };
	struct table t;
	bool more = true;

	if (linux_get_text(e->l, mod, "module.name", s.module, sizeof(s.module)) ||
	    load_symbols(e->l, mod, &t))
		return true;
	for (u64 i = 1; i < t.n && more; i++)
		if (symbol(e->l, &t, i, &s))
			more = e->fn(e->arg, &s);
	free(t.syms);
	return more;
}

int linux_module_symbols(struct linux_os *l, bool (*fn)(void *arg, const struct os_symbol *s),
			 void *arg)
{
	struct each e = { l, fn, arg };

	return linux_each_module(l, module_symbols, &e);
}

struct by_name {
	const char *name;
	struct os_symbol *s;
	bool found;
};

static bool named(void *arg, const struct os_symbol *s)
{
	struct by_name *b = arg;

	if (str_eq(s->name, b->name)) {
		*b->s = *s;
		b->found = true;
	}
	return !b->found;
}

int linux_module_symbol_find(struct linux_os *l, const char *name, struct os_symbol *s)
{
	struct by_name b = { name, s };
	int err = linux_module_symbols(l, named, &b);

	return err ? err : b.found ? 0 : -ENOENT;
}

/* ---- the list for debuggers */

/* mod->sect_attrs: what /sys/module/NAME/sections shows; since 5.8 binary attributes, the address
 * behind each, since 6.14 in it. */
static unsigned sections(struct linux_os *l, u64 mod, struct os_section **out)
{
	VEC(struct os_section) v = { 0 };
	u64 attrs, list, attr, name, addr_off = 0, battr_off = 0;
	bool behind = !linux_offset(l, "module_sect_attr.address", &addr_off) &&
		      !linux_offset(l, "module_sect_attr.battr", &battr_off);

	*out = NULL;
	if (linux_get(l, mod, "module.sect_attrs", &attrs) || !attrs ||
	    linux_get(l, attrs, "module_sect_attrs.grp.bin_attrs", &list) || !list)
		return 0;
	while (v.n < SECTIONS && !kmem_u64(&l->mem, list + 8 * v.n, &attr) && attr) {
		struct os_section s = { 0 };

		if (linux_get(l, attr, "bin_attribute.attr.name", &name) ||
		    kmem_text(&l->mem, name, s.name, sizeof(s.name)) ||
		    (behind ? kmem_u64(&l->mem, attr - battr_off + addr_off, &s.addr) :
			      linux_get(l, attr, "bin_attribute.private", &s.addr)))
			break;
		vec_push(&v, s);
	}
	*out = v.at;
	return v.n;
}

static void build_id(struct linux_os *l, u64 at, char *text)
{
	u8 id[20];
	bool any = false;

	*text = 0;
	if (kmem_read(&l->mem, 0, at, id, sizeof(id)))
		return;
	for (unsigned i = 0; i < sizeof(id); i++) {
		any |= id[i];
		snprintf(text + 2 * i, 3, "%02x", id[i]);
	}
	if (!any)
		*text = 0;
}

struct list_modules {
	struct linux_os *l;
	void (*fn)(void *arg, const struct os_module *o);
	void *arg;
};

static bool tell_module(void *arg, u64 mod)
{
	struct list_modules *m = arg;
	struct os_module o = { 0 };
	u64 off;

	if (linux_get_text(m->l, mod, "module.name", o.name, sizeof(o.name)) ||
	    linux_module_range(m->l, mod, &o.base, &o.size))
		return true;
	if (!linux_offset(m->l, "module.build_id", &off))
		build_id(m->l, mod + off, o.build_id);
	o.nsections = sections(m->l, mod, &o.sections);
	m->fn(m->arg, &o);
	free(o.sections);
	return true;
}

int linux_modules(struct linux_os *l, void (*fn)(void *arg, const struct os_module *o), void *arg)
{
	struct list_modules m = { l, fn, arg };
	struct os_module kernel = { .name = "vmlinux", .base = l->lo };
	u64 end, id;

	if (!linux_sym(l, "_etext", &end))
		kernel.size = end - l->lo;
	if (!linux_sym(l, "vmlinux_build_id", &id))
		build_id(l, id, kernel.build_id);
	fn(arg, &kernel);
	return linux_each_module(l, tell_module, &m);
}
