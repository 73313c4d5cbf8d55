/* SPDX-License-Identifier: GPL-2.0-or-later */
/* linux.h - what the files of guest/ share: one running Linux kernel as it was found in memory. All
 * of it is made when somebody asks, kept for as long as that kernel lives, and dropped at reset. */
#pragma once
#include <quern/types.h>
#include "core/os.h"
#include "guest/btf.h"
#include "guest/kallsyms.h"
#include "guest/kmem.h"
#include "guest/vmlinux.h"
#include "lib/hash.h"

enum { LINUX_BUDGET = 1 << 24 /* seconds of reading */ };
enum { LINUX_CPUS = 1024, LINUX_TASKS = 1 << 22 /* most pids that a kernel allows */ };

struct linux_os {
	struct machine *m; /* NULL in tests */
	struct kmem mem;
	u64 budget; /* mem.budget */
	bool found;
	bool own_root;	   /* mem.root is the kernel's own table, which lives as long as it does */
	u64 tried;	   /* what there was when it was last looked for in vain */
	u64 reset_at;	   /* guest time */
	unsigned searches; /* through whole images: what takes time */
	u64 banner, banner_pa; /* by which it is known again */
	struct ksyms syms;
	u64 lo, hi; /* the kernel's image */
	struct btf btf;
	int btf_state;	    /* 0 not tried, 1 there, -errno */
	struct map members; /* by hash of the path: struct linux_member */
	u64 percpu[LINUX_CPUS];
	unsigned npercpu;
	/* the kernel's own file: -vmlinux, or found by its build id when something is missing */
	char *vmlinux_path;
	char *vmlinux_from; /* the file that was read */
	struct vmlinux vmlinux;
	bool vmlinux_tried, no_kallsyms;
	u64 vmlinux_slide;
	struct watch *watch; /* watch.c: what waits for events in the guest */
};

/* --- find.c: is there a kernel? 0, -EAGAIN. */
int must_check linux_find(struct linux_os *l);
/* The sentence for the user when there is none. */
const char *linux_absent(struct linux_os *l);
/* Does a CPU use paging outside of 64-bit mode? Then there is none that is known here. */
bool linux_is_32bit(struct linux_os *l);
/* Looks for one in the address space of mem.root. */
int must_check linux_find_in(struct linux_os *l);
/* Linux' number of a vCPU. */
unsigned linux_cpu(struct linux_os *l, struct cpu *cpu);
void linux_forget(struct linux_os *l);

/* --- elf.c. The file's symbols, with vmlinux_slide to be added. Read once, when first needed: 0,
 * or -ENOENT when there is no such file, or it is another kernel's. */
int must_check linux_need_vmlinux(struct linux_os *l);
/* A kernel without kallsyms, in a copy of its image: by its banner. Fills syms. */
int must_check linux_find_by_vmlinux(struct linux_os *l, const u8 *image, u64 size, u64 va);
/* Address of a symbol of the file's in the running kernel. */
u64 linux_vmlinux_addr(const struct linux_os *l, const struct ksym *k);

/* --- types.c. Paths as in btf.h, string literals. All but linux_has: -ENOTSUP when the kernel has
 * no such member or no BTF, -EFAULT when memory is not there. */
bool linux_has(struct linux_os *l, const char *path);
int must_check linux_offset(struct linux_os *l, const char *path, u64 *off);
int must_check linux_sizeof(struct linux_os *l, const char *name, u64 *size);
/* obj.path, an integer or a pointer (a bit field, too). */
int must_check linux_get(struct linux_os *l, u64 obj, const char *path, u64 *v);
/* obj.path, an array of characters; its size from its type. */
int must_check linux_get_text(struct linux_os *l, u64 obj, const char *path, char *buf,
			      size_t size);
int must_check linux_member(struct linux_os *l, const char *path, struct btf_member *m);
/* For tests, and kernels whose types are known from elsewhere. */
void linux_set_member(struct linux_os *l, const char *path, struct btf_member m);
/* Address of a symbol; -ENOTSUP when there is none. */
int must_check linux_sym(struct linux_os *l, const char *name, u64 *addr);
/* The integer at a symbol. */
int must_check linux_sym_get(struct linux_os *l, const char *name, unsigned size, u64 *v);
/* A per-CPU variable's address on a CPU (Linux' number). */
int must_check linux_percpu(struct linux_os *l, unsigned cpu, const char *name, u64 *addr);

/* --- tasks.c */
struct linux_regs { /* where a stack trace begins */
	u64 ip, sp, bp;
};
int must_check linux_task_fill(struct linux_os *l, u64 task, struct os_task *t);
/* Every thread, idle ones included (pid 0), each once. fn: false ends it. */
int must_check linux_tasks(struct linux_os *l, bool (*fn)(void *arg, const struct os_task *t),
			   void *arg);
int must_check linux_task_find(struct linux_os *l, u32 pid, struct os_task *t);
/* What Linux' CPU number `cpu` executes. */
int must_check linux_current(struct linux_os *l, unsigned cpu, u64 *task);
int must_check linux_task_reg(struct linux_os *l, const struct os_task *t, bool user,
			      const char *reg, u64 *val);
/* Its registers while it sleeps. */
int must_check linux_task_context(struct linux_os *l, const struct os_task *t,
				  struct linux_regs *r);

/* --- unwind.c: the frames from r on, innermost first. exact: r.ip is an instruction to be
 * executed, not a return address. fn: false ends it. */
int must_check linux_unwind(struct linux_os *l, const struct linux_regs *r, bool exact,
			    bool (*fn)(void *arg, u64 pc, u64 sp), void *arg);
/* The ORC table as os.h shows it. */
int must_check linux_unwind_table(struct linux_os *l,
				  bool (*fn)(void *arg, const struct os_unwind *u), void *arg);

/* --- modules.c */
/* Calls fn with each module's structure, newest first; false ends it. */
int must_check linux_each_module(struct linux_os *l, bool (*fn)(void *arg, u64 mod), void *arg);
int must_check linux_module_range(struct linux_os *l, u64 mod, u64 *base, u64 *size);
int must_check linux_modules(struct linux_os *l, void (*fn)(void *arg, const struct os_module *o),
			     void *arg);
/* The module with addr in one of its areas: its structure, or 0. */
u64 linux_module_at(struct linux_os *l, u64 addr);
int must_check linux_module_symbol_at(struct linux_os *l, u64 mod, u64 addr, struct os_symbol *s);
int must_check linux_module_symbol_find(struct linux_os *l, const char *name, struct os_symbol *s);
/* fn: false ends it */
int must_check linux_module_symbols(struct linux_os *l,
				    bool (*fn)(void *arg, const struct os_symbol *s), void *arg);

/* --- symbols.c: the kernel's and its modules' */
int must_check linux_symbol_at(struct linux_os *l, u64 addr, struct os_symbol *s);
int must_check linux_symbol_find(struct linux_os *l, const char *name, struct os_symbol *s);
int must_check linux_symbols(struct linux_os *l, bool (*fn)(void *arg, const struct os_symbol *s),
			     void *arg);
/* "do_wait+0x160/0x2f0 [module]" as %pS prints it; an address without a symbol as 0x... */
void linux_symbolise(struct linux_os *l, u64 addr, char *buf, size_t size);
/* The same for a return address, which may lie behind its function (%pB). */
void linux_symbolise_return(struct linux_os *l, u64 addr, char *buf, size_t size);

/* --- log.c */
int must_check linux_log(struct linux_os *l,
			 void (*fn)(void *arg, u64 ns, unsigned level, const char *text, size_t n),
			 void *arg);
/* The number of the last record. */
int must_check linux_log_last(struct linux_os *l, u64 *seq);
int must_check linux_banner(struct linux_os *l, char *buf, size_t size);
int must_check linux_vmcoreinfo(struct linux_os *l, char **text, size_t *n);
int must_check linux_slide(struct linux_os *l, u64 *slide);

/* --- files.c */
int must_check linux_files(struct linux_os *l, const struct os_task *t,
			   void (*fn)(void *arg, unsigned fd, const char *path), void *arg);

/* --- pages.c */
int must_check linux_why_unmapped(struct linux_os *l, const struct os_task *t, u64 va, char *buf,
				  size_t size);
