/* SPDX-License-Identifier: GPL-2.0-or-later */
/* find.c - is there a Linux kernel in this guest? Its image lies in the top 2 GiB of every address
 * space (Documentation/arch/x86/x86_64/mm.rst) wherever KASLR has put it, and holds its own symbol
 * table. Nothing is looked for before somebody asks, and nothing is looked for again while nothing
 * changed. */
#include "guest/linux.h"
#include "core/cpu.h"
#include "core/debug.h"
#include "core/machine.h"
#include <errno.h>
#include <stdlib.h>

/* __START_KERNEL_map, and the modules' area above the kernel's (KASLR on; without it, the image
 * ends at half of this) */
#define IMAGE_LO 0xffffffff80000000ull
#define IMAGE_HI 0xffffffffc0000000ull
enum { IMAGE_MAX = 256 << 20 };

/* Per-CPU areas: where each possible CPU's lies from what the symbols say. */
static void find_percpu(struct linux_os *l)
{
	u64 table, n = 0;

	l->npercpu = 0;
	if (linux_sym(l, "__per_cpu_offset", &table))
		return;
	if (linux_sym_get(l, "nr_cpu_ids", 4, &n) || !n || n > LINUX_CPUS)
		n = LINUX_CPUS;
	for (unsigned i = 0; i < n; i++) {
		if (kmem_u64(&l->mem, table + 8 * i, &l->percpu[i]) < 0)
			break;
		l->npercpu = i + 1;
	}
}

/* From now on addresses are translated by the kernel's own page table: that of a process goes when
 * the process does. Early, it is not complete. */
static void take_root(struct linux_os *l)
{
	u64 table, pa, there;

	if (l->own_root ||
	    (linux_sym(l, "init_top_pgt", &table) && linux_sym(l, "swapper_pg_dir", &table)))
		return;
	if (kmem_translate(&l->mem, 0, table, &pa, NULL, NULL) ||
	    kmem_translate(&l->mem, pa, l->banner, &there, NULL, NULL) || there != l->banner_pa)
		return;
	l->mem.root = pa;
	l->own_root = true;
}

static int accept(struct linux_os *l, u64 lo, u64 hi)
{
	u64 text;

	if (linux_sym(l, "_text", &text) || text - lo >= hi - lo ||
	    linux_sym(l, "linux_banner", &l->banner)) {
		ksyms_fini(&l->syms);
		return -EAGAIN;
	}
	l->lo = text;
	if (linux_sym(l, "_end", &l->hi))
		l->hi = hi;
	return 0;
}

/* Its banner is where its symbols say, so it has moved its own pointers, if it had to. */
static bool has_banner(struct linux_os *l)
{
	char text[16];

	return !kmem_translate(&l->mem, 0, l->banner, &l->banner_pa, NULL, NULL) &&
	       !kmem_text(&l->mem, l->banner, text, sizeof(text)) &&
	       !strncmp(text, "Linux version ", 14);
}

int linux_find_in(struct linux_os *l)
{
	u64 lo = kmem_next_mapped(&l->mem, IMAGE_LO, IMAGE_HI), hi = lo;
	u8 *image;
	int err = -EAGAIN;

	if (lo == IMAGE_HI)
		return -EAGAIN;
	hi = MIN(lo + IMAGE_MAX, IMAGE_HI);
	l->searches++;
	image = kmem_image(&l->mem, lo, hi);
	if (!image)
		return -EAGAIN;
	if (!kallsyms_find(&l->syms, image, hi - lo, lo) ||
	    !linux_find_by_vmlinux(l, image, hi - lo, lo))
		err = accept(l, lo, hi);
	free(image);
	if (!err && !has_banner(l)) {
		ksyms_fini(&l->syms);
		err = -EAGAIN;
	}
	if (err)
		return err;
	find_percpu(l);
	take_root(l);
	l->found = true;
	return 0;
}

/* ---- from a machine */

static int machine_phys(void *arg, u64 pa, void *buf, size_t n)
{
	struct linux_os *l = arg;

	return debug_read_phys(l->m, pa, buf, n);
}

/* A page-table root of this CPU when it is in 64-bit mode with paging on, else 0. */
static u64 root_of(struct cpu *cpu, bool *level5)
{
	u64 cr0 = cpu_reg_u64(cpu, "cr0"), efer = cpu_reg_u64(cpu, "efer");

	if (!(cr0 >> 31 & 1) || !(efer >> 10 & 1))
		return 0;
	*level5 = cpu_reg_u64(cpu, "cr4") >> 12 & 1;
	return cpu_reg_u64(cpu, "cr3") & GENMASK64(51, 12);
}

/* With page-table isolation, user mode runs on the table next to the kernel's. */
static const u64 isolation[] = { 0, 0x1000 };

/* Tables of distances do not tell where the image is to run; a pointer in its data does. */
static bool place(struct linux_os *l, const u8 *image, u64 size)
{
	u64 pointer, target, value;

	if (!linux_sym(l, "prb", &pointer) && !linux_sym(l, "printk_rb_static", &target) &&
	    range_fits(pointer - IMAGE_LO, 8, size)) {
		value = ld64le(image + (pointer - IMAGE_LO));
		if (value >= IMAGE_LO && value < IMAGE_HI) {
			ksyms_move(&l->syms, value - target);
			return true;
		}
	}
	ksyms_fini(&l->syms);
	return false;
}

/* Where a boot loader put an image that has not run yet: around where the first CPU is to begin.
 * Its banner tells which address lies where. */
static int find_linear(struct linux_os *l)
{
	static const char text[] = "Linux version ";
	enum { LOW = 16 << 20, BEFORE = 64 << 20, SPAN = 160 << 20 };
	u64 pc = debug_pc(l->m->cpu[0]);
	u64 lo = ALIGN_DOWN(pc > LOW + BEFORE ? pc - BEFORE : LOW, 4096ull);
	size_t size = SPAN;
	const u8 *image = pc < LOW ? NULL : space_map(&l->m->memory, lo, &size, false);
	int err = -EAGAIN;

	if (image && !kallsyms_find(&l->syms, image, size, IMAGE_LO) &&
	    (!l->syms.from_place || place(l, image, size)))
		err = accept(l, IMAGE_LO, IMAGE_HI);
	for (u64 at = l->banner & 4095; !err && at + sizeof(text) <= size; at += 4096) {
		u64 back = l->banner - l->lo;

		if (memcmp(image + at, text, sizeof(text) - 1) || at < back)
			continue;
		l->mem.linear_va = l->lo;
		l->mem.linear_pa = lo + at - back;
		l->mem.linear_size = l->hi - l->lo;
		l->banner_pa = lo + at;
		l->found = true;
		break;
	}
	if (!err && !l->found) {
		ksyms_fini(&l->syms);
		err = -EAGAIN;
	}
	return err;
}

/* Is the kernel that was found still the one that runs? No CPU can say so while none has paging on;
 * when one has and it maps something else there, it is another one. */
static bool still_there(struct linux_os *l)
{
	bool contrary = false;

	for (u32 i = 0; i < l->m->ncpus; i++) {
		struct kmem k = l->mem;
		u64 root = root_of(l->m->cpu[i], &k.level5), pa;

		k.linear_size = 0;
		for (unsigned j = 0; root && j < ARRAY_SIZE(isolation); j++) {
			k.root = root & ~isolation[j];
			if (kmem_translate(&k, 0, l->banner, &pa, NULL, NULL)) {
				contrary |= kmem_next_mapped(&k, IMAGE_LO, IMAGE_HI) != IMAGE_HI;
				continue;
			}
			contrary = true;
			if (pa != l->banner_pa)
				continue;
			if (l->mem.linear_size || !l->own_root)
				l->mem = k;
			return true;
		}
	}
	return !contrary;
}

int linux_find(struct linux_os *l)
{
	u64 key = 1 + clock_now(&l->m->clock) / 1000000;

	l->budget = LINUX_BUDGET;
	if (l->found && still_there(l)) {
		if (!l->mem.linear_size) {
			find_percpu(l);
			take_root(l);
		}
		return 0;
	}
	if (l->found)
		linux_forget(l);
	for (u32 i = 0; i < l->m->ncpus; i++)
		key = hash_u64(key ^ cpu_reg_u64(l->m->cpu[i], "cr3"));
	if (key == l->tried)
		return -EAGAIN;
	l->tried = key;
	for (u32 i = 0; i < l->m->ncpus; i++) {
		bool level5 = false;
		u64 root = root_of(l->m->cpu[i], &level5);

		for (unsigned j = 0; root && j < ARRAY_SIZE(isolation); j++) {
			l->mem = (struct kmem){ .phys = machine_phys,
						.arg = l,
						.budget = &l->budget,
						.root = root & ~isolation[j],
						.level5 = level5 };
			if (!linux_find_in(l))
				return 0;
		}
	}
	l->mem = (struct kmem){ .phys = machine_phys, .arg = l, .budget = &l->budget };
	/* What lies in memory later, or where the kernel unpacks itself, may be an image that is
	 * still to be moved, or the one of before the reset. */
	if (!os_placed(l->m) || clock_now(&l->m->clock) - l->reset_at > 1000000)
		return -EAGAIN;
	return find_linear(l);
}

bool linux_is_32bit(struct linux_os *l)
{
	for (u32 i = 0; i < l->m->ncpus; i++)
		if (cpu_reg_u64(l->m->cpu[i], "cr0") >> 31 & 1 &&
		    !(cpu_reg_u64(l->m->cpu[i], "efer") >> 10 & 1))
			return true;
	return false;
}

const char *linux_absent(struct linux_os *l)
{
	return linux_is_32bit(l) ? "the guest runs a 32-bit kernel: only 64-bit ones are known "
				   "from their memory" :
				   "no Linux kernel was found in the guest's memory (yet)";
}

unsigned linux_cpu(struct linux_os *l, struct cpu *cpu)
{
	u64 gs = cpu_reg_u64(cpu, "gs_base"), other = cpu_reg_u64(cpu, "k_gs_base");

	for (unsigned i = 0; i < l->npercpu; i++)
		if (l->percpu[i] == gs || l->percpu[i] == other)
			return i;
	return cpu->index;
}

void linux_forget(struct linux_os *l)
{
	ksyms_fini(&l->syms);
	btf_fini(&l->btf);
	l->btf_state = 0;
	map_for_each (slot, &l->members)
		free(slot->value);
	map_fini(&l->members);
	l->members = (struct map){ 0 };
	l->npercpu = 0;
	vmlinux_fini(&l->vmlinux);
	l->vmlinux_tried = l->no_kallsyms = false;
	l->found = l->own_root = false;
	l->tried = 0;
}
