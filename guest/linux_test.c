/* SPDX-License-Identifier: GPL-2.0-or-later */
/* linux_test.c - every question asked of memory that is not a kernel's, or no longer one: none may
 * hang, crash, or take long. */
#include "guest/linux.h"
#include "lib/alloc.h"
#include "lib/test.h"
#include <errno.h>

enum { BUDGET = 20000 };

struct memory {
	u64 seed;
	u64 reads;
	bool tables; /* page tables that map every address, to random bytes */
};

/* Bytes that depend on their address alone. What looks like a page-table entry is present. */
static int phys(void *arg, u64 pa, void *buf, size_t n)
{
	struct memory *m = arg;
	u8 *to = buf;

	m->reads++;
	CHECK(m->reads < 200000000);
	for (size_t i = 0; i < n; i++) {
		u64 word = hash_u64((pa + i) / 8 ^ m->seed);

		/* lists that run in a small area meet themselves again */
		if (word % 3 == 0)
			word = 0xffff888000000000ull + word % 4096 * 8;
		if (m->tables && n == 8)
			word = (word | 1) & ~0x80ull & GENMASK64(30, 0);
		to[i] = word >> ((pa + i) % 8 * 8);
	}
	return hash_u64(pa ^ m->seed) % 1000 ? 0 : -EIO;
}

/* The types that all of it needs, with everything somewhere in 256 bytes. */
static const char *const members[] = {
	"task_struct.pid",
	"task_struct.tgid",
	"task_struct.comm",
	"task_struct.__state",
	"task_struct.exit_state",
	"task_struct.stack",
	"task_struct.mm",
	"task_struct.real_parent",
	"task_struct.signal",
	"task_struct.tasks",
	"task_struct.thread_node",
	"task_struct.on_cpu",
	"task_struct.files",
	"files_struct.fdt",
	"fdtable.max_fds",
	"fdtable.fd",
	"file.f_path.dentry",
	"file.f_path.mnt",
	"dentry.d_sb",
	"dentry.d_parent",
	"dentry.d_name.name",
	"super_block.s_type",
	"file_system_type.name",
	"vfsmount.mnt_root",
	"mount.mnt",
	"mount.mnt_parent",
	"mount.mnt_mountpoint",
	"task_struct.thread.sp",
	"task_struct.thread_info.cpu",
	"signal_struct.thread_head",
	"mm_struct.pgd",
	"rq.idle",
	"inactive_task_frame.ret_addr",
	"inactive_task_frame.bp",
	"pt_regs.ip",
	"pt_regs.sp",
	"pt_regs.bp",
	"pt_regs.cs",
	"orc_entry.sp_offset",
	"orc_entry.bp_offset",
	"orc_entry.sp_reg",
	"orc_entry.bp_reg",
	"orc_entry.type",
	"module.list",
	"module.state",
	"module.name",
	"module.mem",
	"module.kallsyms",
	"module.sect_attrs",
	"module.build_id",
	"module_memory.base",
	"module_memory.size",
	"module.arch.orc_unwind_ip",
	"module.arch.orc_unwind",
	"module.arch.num_orcs",
	"mod_kallsyms.symtab",
	"mod_kallsyms.num_symtab",
	"mod_kallsyms.strtab",
	"mod_kallsyms.typetab",
	"module_sect_attrs.grp.bin_attrs",
	"bin_attribute.attr.name",
	"bin_attribute.private",
	"printk_ringbuffer.desc_ring.count_bits",
	"printk_ringbuffer.desc_ring.descs",
	"printk_ringbuffer.desc_ring.infos",
	"printk_ringbuffer.desc_ring.head_id",
	"printk_ringbuffer.desc_ring.tail_id",
	"printk_ringbuffer.text_data_ring.size_bits",
	"printk_ringbuffer.text_data_ring.data",
	"prb_desc.state_var",
	"prb_desc.text_blk_lpos.begin",
	"prb_desc.text_blk_lpos.next",
	"printk_info.ts_nsec",
	"printk_info.text_len",
	"printk_info.level",
};
static const char *const symbols[] = {
	"init_task",
	"modules",
	"prb",
	"vmcoreinfo_data",
	"vmcoreinfo_size",
	"linux_banner",
	"__start_orc_unwind_ip",
	"__stop_orc_unwind_ip",
	"__start_orc_unwind",
	"runqueues",
	"current_task",
	"nr_swapfiles",
	"swap_info",
	"vmlinux_build_id",
	"_etext",
};

static bool one_task(void *arg, const struct os_task *t);
static bool frame(void *arg, u64 pc, u64 sp) { return true; }
static void module(void *arg, const struct os_module *o) {}
static void file(void *arg, unsigned fd, const char *path) {}
static bool symbol(void *arg, const struct os_symbol *s) { return true; }
static void record(void *arg, u64 ns, unsigned level, const char *text, size_t n) {}

static void ask_stack(struct linux_os *l, const struct os_task *t)
{
	struct linux_regs r;
	char buf[256];
	u64 v;

	if (!linux_task_context(l, t, &r) && linux_unwind(l, &r, false, frame, NULL))
		return;
	if (!linux_task_reg(l, t, true, "rip", &v) && linux_why_unmapped(l, t, v, buf, sizeof(buf)))
		return;
}

static bool one_task(void *arg, const struct os_task *t)
{
	struct linux_os *l = arg;
	unsigned *left = (unsigned *)(l + 1);

	if (*left % 16 == 0)
		ask_stack(l, t);
	return --*left > 0;
}

static void ask_all(struct linux_os *l)
{
	struct os_symbol s;
	struct os_task t = { .handle = 0xffff888000001000ull, .stack = 0xffff888000002000ull };
	char buf[512], *text = NULL;
	size_t n;
	u64 v;
	int err;

	l->budget = BUDGET;
	err = linux_tasks(l, one_task, l);
	l->budget = BUDGET;
	err |= linux_files(l, &t, file, NULL);
	l->budget = BUDGET;
	err |= linux_modules(l, module, NULL);
	l->budget = BUDGET;
	err |= linux_module_symbols(l, symbol, NULL);
	l->budget = BUDGET;
	err |= linux_log(l, record, NULL);
	l->budget = BUDGET;
	err |= linux_banner(l, buf, sizeof(buf));
	err |= linux_slide(l, &v);
	err |= linux_symbol_at(l, 0xffffffffc0001234ull, &s);
	err |= linux_symbol_at(l, l->lo + 77, &s);
	err |= linux_symbol_find(l, "no_such", &s);
	err |= linux_current(l, 0, &v);
	for (t.root = 0x1000, t.mm = 1, v = 0; v < 64; v++)
		err |= linux_why_unmapped(l, &t, hash_u64(v) >> 17, buf, sizeof(buf));
	ask_stack(l, &t);
	if (!linux_vmcoreinfo(l, &text, &n))
		free(text);
	(void)err;
}

TEST(linux_hostile_memory)
{
	for (u64 seed = 1; seed <= 24; seed++) {
		struct memory m = { .seed = hash_u64(seed), .tables = seed & 1 };
		struct {
			struct linux_os l;
			unsigned left;
		} *a = xalloc(sizeof(*a));
		struct linux_os *l = &a->l;

		a->left = 2000;
		l->mem = (struct kmem){
			.phys = phys, .arg = &m, .root = 0x5000, .budget = &l->budget
		};
		l->budget = BUDGET;
		/* page tables are random: a kernel is hardly found in them */
		if (seed <= 4)
			CHECK(linux_find_in(l) < 0);
		m.reads = 0;
		/* suppose it had been found, with types as random as the rest */
		if (seed & 2) {
			l->mem.linear_va = 0;
			l->mem.linear_size = ~0ull;
		}
		l->found = true;
		l->lo = 0xffffffff81000000ull;
		l->hi = l->lo + (32 << 20);
		l->npercpu = 4;
		l->btf_state = 1;
		for (size_t i = 0; i < ARRAY_SIZE(symbols); i++)
			ksyms_add(&l->syms, l->lo + hash_u64(seed * 100 + i) % (32 << 20), 't',
				  symbols[i], strlen(symbols[i]));
		ksyms_finish(&l->syms);
		for (size_t i = 0; i < ARRAY_SIZE(members); i++)
			linux_set_member(l, members[i],
					 (struct btf_member){ .bit = hash_u64(seed * 1000 + i) %
								     256 * 8,
							      .size = 1u << (i % 4),
							      .count = 1 + i % 7 });
		ask_all(l);
		linux_forget(l);
		free(a);
	}
}

/* ---- why a byte is not there */

static u8 pages[6 * 4096];

static int page_bytes(void *arg, u64 pa, void *buf, size_t n)
{
	if (!range_fits(pa, n, sizeof(pages)))
		return -EIO;
	memcpy(buf, pages + pa, n);
	return 0;
}

static void says(struct linux_os *l, u64 entry, const char *what)
{
	struct os_task t = { .root = 0x1000, .mm = 1, .pid = 7, .comm = "x" };
	char buf[256];

	st64le(pages + 0x4000 + 5 * 8, entry);
	CHECK_EQ(linux_why_unmapped(l, &t, 0x5678, buf, sizeof(buf)), 0);
	if (!strstr(buf, what))
		test_fail(__FILE__, __LINE__, "%#llx: '%s' lacks '%s'", (unsigned long long)entry,
			  buf, what);
}

TEST(linux_why_unmapped)
{
	struct linux_os *l = xalloc(sizeof(*l));
	struct os_task kernel = { .comm = "kthreadd", .pid = 2 };
	u64 offset = 42;
	char buf[256];

	l->mem = (struct kmem){ .phys = page_bytes,
				.linear_va = 0xffffffff81000000ull,
				.linear_pa = 0x5000,
				.linear_size = 4096 };
	l->found = true;
	ksyms_add(&l->syms, 0xffffffff81000010ull, 'b', "nr_swapfiles", 12);
	ksyms_finish(&l->syms);
	st32le(pages + 0x5010, 2);
	for (u64 table = 0x1000; table < 0x4000; table += 0x1000)
		st64le(pages + table, (table + 0x1000) | 7);
	says(l, 0, "nothing is mapped");
	says(l, 0x3007, "physical address 0x3678");
	/* type 1, offset 42: include/asm of x86-64, __swp_entry() */
	says(l, (~offset << 14 >> 5) | 1ull << 59, "swapped out: type 1, offset 42");
	says(l, (~offset << 14 >> 5) | 30ull << 59, "special entry 30");
	/* PROT_NONE: its frame number inverted */
	says(l, (~0x3000ull & GENMASK64(51, 12)) | BIT(8), "present at physical address 0x3678");
	/* a large page that is not there */
	st64le(pages + 0x3000, 0x80);
	says(l, 0, "for 2048 KiB is not present");
	CHECK_EQ(linux_why_unmapped(l, &kernel, 0, buf, sizeof(buf)), 0);
	CHECK(strstr(buf, "kernel thread"));
	linux_forget(l);
	free(l);
}
