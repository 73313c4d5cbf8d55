/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elf.c - the kernel's ELF file beside the running kernel: which file it is, whether it is that
 * kernel's, and how far its addresses are from those in use. */
#include "guest/linux.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

/* per-CPU variables have addresses of their own, which do not move */
u64 linux_vmlinux_addr(const struct linux_os *l, const struct ksym *k)
{
	return k->addr >= 0xffffffff80000000ull ? k->addr + l->vmlinux_slide : k->addr;
}

static void get_build_id(struct linux_os *l, char *text)
{
	const struct ksym *k = ksyms_by_name(&l->syms, "vmlinux_build_id");
	u8 id[20];

	*text = 0;
	if (!k || kmem_read(&l->mem, 0, k->addr, id, sizeof(id)))
		return;
	for (unsigned i = 0; i < sizeof(id); i++)
		snprintf(text + 2 * i, 3, "%02x", id[i]);
}

/* "Linux version RELEASE (...": *release, cut at the blank. */
static void get_release(const char *banner, char *release, size_t size)
{
	const char *rest;

	*release = 0;
	if (str_prefix(banner, "Linux version ", &rest))
		snprintf(release, size, "%.*s", (int)strcspn(rest, " "), rest);
}

static int load(struct linux_os *l)
{
	char build_id[41], banner[256], release[128];
	const struct ksym *text, *here;
	struct error e = { 0 };
	char *found = NULL;
	int err = -ENOENT;

	if (l->no_kallsyms)
		return 0;
	get_build_id(l, build_id);
	if (kmem_text(&l->mem, l->banner, banner, sizeof(banner)))
		return -ENOENT;
	get_release(banner, release, sizeof(release));
	if (!l->vmlinux_path)
		found = vmlinux_find(build_id, release);
	if (l->vmlinux_path || found)
		err = vmlinux_read(&l->vmlinux, found ? found : l->vmlinux_path, &e);
	if (err && l->vmlinux_path)
		warn("-vmlinux: %s", e.text);
	error_clear(&e);
	if (!err && !str_eq(l->vmlinux.banner, banner)) {
		if (l->vmlinux_path)
			warn("-vmlinux %s: another kernel runs in the guest: %s", l->vmlinux_path,
			     banner);
		err = -ENOENT;
	}
	if (!err) {
		free(l->vmlinux_from);
		l->vmlinux_from = xstrdup(found ? found : l->vmlinux_path);
	}
	free(found);
	text = err ? NULL : ksyms_by_name(&l->vmlinux.syms, "linux_banner");
	here = ksyms_by_name(&l->syms, "linux_banner");
	if (text && here)
		l->vmlinux_slide = here->addr - text->addr;
	else
		vmlinux_fini(&l->vmlinux);
	return text && here ? 0 : -ENOENT;
}

int linux_need_vmlinux(struct linux_os *l)
{
	if (!l->vmlinux_tried) {
		l->vmlinux_tried = true;
		if (load(l))
			vmlinux_fini(&l->vmlinux);
	}
	return l->vmlinux.syms.n ? 0 : -ENOENT;
}

int linux_find_by_vmlinux(struct linux_os *l, const u8 *image, u64 size, u64 va)
{
	enum { STEP = 1 << 21 }; /* of KASLR: CONFIG_PHYSICAL_ALIGN is at least this */
	struct vmlinux *v = &l->vmlinux;
	const struct ksym *banner;
	struct error e = { 0 };
	size_t n;

	if (!l->vmlinux_path)
		return -ENOENT;
	if (!v->syms.n && vmlinux_read(v, l->vmlinux_path, &e)) {
		warn("-vmlinux: %s", e.text);
		error_clear(&e);
		free(l->vmlinux_path);
		l->vmlinux_path = NULL;
		return -ENOENT;
	}
	banner = ksyms_by_name(&v->syms, "linux_banner");
	n = strlen(v->banner);
	for (u64 at = (banner->addr - va) & (STEP - 1); range_fits(at, n, size); at += STEP) {
		if (memcmp(image + at, v->banner, n))
			continue;
		l->vmlinux_slide = va + at - banner->addr;
		for (u32 i = 0; i < v->syms.n; i++) {
			const struct ksym *k = &v->syms.at[i];
			const char *name = ksym_name(&v->syms, k);

			ksyms_add(&l->syms, linux_vmlinux_addr(l, k), k->type, name, strlen(name));
		}
		ksyms_finish(&l->syms);
		l->no_kallsyms = l->vmlinux_tried = true;
		free(l->vmlinux_from);
		l->vmlinux_from = xstrdup(l->vmlinux_path);
		return 0;
	}
	return -ENOENT;
}
