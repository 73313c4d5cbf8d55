/* SPDX-License-Identifier: GPL-2.0-or-later */
/* types.c - members of the running kernel's structures, by name: its BTF lies in its read-only
 * data, between the symbols __start_BTF and __stop_BTF. What was looked up once is remembered. */
#include "guest/linux.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <errno.h>

struct linux_member {
	int err;
	struct btf_member m;
};

/* From the kernel's file, where the kernel was built without. */
static int btf_of_file(struct linux_os *l)
{
	u8 *data;

	if (!l->m || linux_need_vmlinux(l) || !l->vmlinux.btf)
		return -ENOTSUP;
	data = xmemdup(l->vmlinux.btf, l->vmlinux.btf_size);
	return btf_init(&l->btf, data, l->vmlinux.btf_size) ? -ENOTSUP : 0;
}

static int load_btf(struct linux_os *l)
{
	u64 lo, hi;
	u8 *data;
	int err = linux_sym(l, "__start_BTF", &lo);

	if (!err)
		err = linux_sym(l, "__stop_BTF", &hi);
	if (err)
		return btf_of_file(l);
	if (hi <= lo || hi - lo > 64 << 20)
		return -ENOTSUP;
	data = malloc(hi - lo);
	if (!data)
		return -ENOMEM;
	err = kmem_read(&l->mem, 0, lo, data, hi - lo);
	if (err) {
		free(data);
		return err;
	}
	return btf_init(&l->btf, data, hi - lo) ? -ENOTSUP : 0;
}

static int need_btf(struct linux_os *l)
{
	if (!l->btf_state) {
		int err = load_btf(l);

		l->btf_state = err ? err : 1;
	}
	return l->btf_state > 0 ? 0 : l->btf_state;
}

int linux_member(struct linux_os *l, const char *path, struct btf_member *m)
{
	struct linux_member *known = map_get(&l->members, hash_str(path));

	if (!known) {
		int err = need_btf(l);

		known = NEW(struct linux_member);
		if (!err && btf_find(&l->btf, path, &known->m))
			err = -ENOTSUP;
		known->err = err;
		map_put(&l->members, hash_str(path), known);
	}
	*m = known->m;
	return known->err;
}

void linux_set_member(struct linux_os *l, const char *path, struct btf_member m)
{
	struct linux_member *k = NEW(struct linux_member);

	k->m = m;
	free(map_put(&l->members, hash_str(path), k));
}

bool linux_has(struct linux_os *l, const char *path)
{
	struct btf_member m;

	return !linux_member(l, path, &m);
}

int linux_offset(struct linux_os *l, const char *path, u64 *off)
{
	struct btf_member m;
	int err = linux_member(l, path, &m);

	*off = m.bit / 8;
	return err;
}

int linux_sizeof(struct linux_os *l, const char *name, u64 *size)
{
	u32 n = 0;
	int err = need_btf(l);

	if (!err && btf_size(&l->btf, name, &n))
		err = -ENOTSUP;
	*size = n;
	return err;
}

int linux_get(struct linux_os *l, u64 obj, const char *path, u64 *v)
{
	struct btf_member m;
	int err = linux_member(l, path, &m);
	unsigned size = m.size;

	*v = 0;
	if (err)
		return err;
	if (m.bits) {
		err = kmem_uint(&l->mem, obj + m.bit / 8, (m.bit % 8 + m.bits + 7) / 8, v);
		*v = *v >> m.bit % 8 & (m.bits < 64 ? BIT64(m.bits) - 1 : ~0ull);
		return err;
	}
	/* structures with one integer in them: atomics, seqcounts, kuid_t, page-table entries */
	if (size > 8)
		size = 8;
	return kmem_uint(&l->mem, obj + m.bit / 8, size, v);
}

int linux_get_text(struct linux_os *l, u64 obj, const char *path, char *buf, size_t size)
{
	struct btf_member m;
	int err = linux_member(l, path, &m);

	*buf = 0;
	if (err)
		return err;
	return kmem_text(&l->mem, obj + m.bit / 8, buf, MIN(size, (size_t)m.size + 1));
}

int linux_sym(struct linux_os *l, const char *name, u64 *addr)
{
	const struct ksym *k = ksyms_by_name(&l->syms, name);

	*addr = k ? k->addr : 0;
	if (k)
		return 0;
	/* kallsyms may hold functions only; the file then has the rest */
	if (!l->m || !l->found || linux_need_vmlinux(l))
		return -ENOTSUP;
	k = ksyms_by_name(&l->vmlinux.syms, name);
	*addr = k ? linux_vmlinux_addr(l, k) : 0;
	return k ? 0 : -ENOTSUP;
}

int linux_sym_get(struct linux_os *l, const char *name, unsigned size, u64 *v)
{
	u64 at;
	int err = linux_sym(l, name, &at);

	*v = 0;
	return err ? err : kmem_uint(&l->mem, at, size, v);
}

int linux_percpu(struct linux_os *l, unsigned cpu, const char *name, u64 *addr)
{
	int err = linux_sym(l, name, addr);

	if (err)
		return err;
	if (cpu >= l->npercpu)
		return -EINVAL;
	*addr += l->percpu[cpu];
	return 0;
}
