/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symbols.c - symbols of the kernel and of its modules as one, and addresses as the kernel itself
 * prints them. */
#include "guest/linux.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

static void from_table(const struct linux_os *l, const struct ksym *k, u64 size,
		       struct os_symbol *s)
{
	*s = (struct os_symbol){ .addr = k->addr, .size = size, .type = k->type };
	snprintf(s->name, sizeof(s->name), "%s", ksym_name(&l->syms, k));
}

int linux_symbol_at(struct linux_os *l, u64 addr, struct os_symbol *s)
{
	const struct ksym *k;
	u64 size, mod;

	*s = (struct os_symbol){ 0 };
	if (addr < l->lo || addr >= l->hi) {
		mod = linux_module_at(l, addr);
		return mod ? linux_module_symbol_at(l, mod, addr, s) : -ENOENT;
	}
	k = ksyms_by_addr(&l->syms, addr, &size);
	if (!k)
		return -ENOENT;
	from_table(l, k, size, s);
	return 0;
}

int linux_symbol_find(struct linux_os *l, const char *name, struct os_symbol *s)
{
	const struct ksym *k = ksyms_by_name(&l->syms, name);
	u64 size;

	if (!k && !linux_module_symbol_find(l, name, s))
		return 0;
	if (!k) { /* the kernel's file has names that kallsyms leaves out */
		*s = (struct os_symbol){ .type = 'd' };
		snprintf(s->name, sizeof(s->name), "%s", name);
		return linux_sym(l, name, &s->addr) ? -ENOENT : 0;
	}
	ksyms_by_addr(&l->syms, k->addr, &size);
	from_table(l, k, size, s);
	return 0;
}

int linux_symbols(struct linux_os *l, bool (*fn)(void *arg, const struct os_symbol *s), void *arg)
{
	struct os_symbol s;

	for (u32 i = 0; i < l->syms.n; i++) {
		const struct ksym *k = &l->syms.at[i];

		from_table(l, k, i + 1 < l->syms.n ? k[1].addr - k->addr : 0, &s);
		if (!fn(arg, &s))
			return 0;
	}
	return linux_module_symbols(l, fn, arg);
}

static void print(struct linux_os *l, u64 addr, unsigned back, char *buf, size_t size)
{
	struct os_symbol s;

	if (linux_symbol_at(l, addr - back, &s))
		snprintf(buf, size, "0x%llx", (unsigned long long)addr);
	else
		snprintf(buf, size, "%s+0x%llx/0x%llx%s%s%s", s.name,
			 (unsigned long long)(addr - s.addr), (unsigned long long)s.size,
			 *s.module ? " [" : "", s.module, *s.module ? "]" : "");
}

void linux_symbolise(struct linux_os *l, u64 addr, char *buf, size_t size)
{
	print(l, addr, 0, buf, size);
}

void linux_symbolise_return(struct linux_os *l, u64 addr, char *buf, size_t size)
{
	print(l, addr, 1, buf, size);
}
