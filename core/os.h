/* SPDX-License-Identifier: GPL-2.0-or-later */
/* os.h - what is known of the operating system in the guest, as debuggers and monitors ask it.
 * guest/ implements it from the running guest's memory; without such knowledge os_of gives NULL,
 * and its clients show CPUs and addresses as they are. Nothing here changes the guest. */
#pragma once
#include <quern/types.h>

struct machine;
struct cpu;
struct error;

/* One task (Linux: a task_struct; a process is the tasks of one tgid). */
struct os_task {
	u64 handle; /* its task_struct's address: names it until it exits */
	u32 pid, tgid, ppid;
	char comm[32];
	char state;   /* R S D T t Z X I as ps prints it */
	int cpu;      /* the vCPU that executes it now, or -1 */
	u32 last_cpu; /* where it ran last */
	u64 root;     /* its page-table root, for debug_read_root; 0 = a kernel thread's: any */
	u64 mm, stack;
};
struct os_symbol {
	u64 addr, size;		    /* size 0 = not known */
	char type;		    /* as nm prints it */
	char name[256], module[64]; /* module "" = the kernel itself */
};
/* A loaded module, or the kernel itself (name "vmlinux" or "kernel"). */
struct os_module {
	char name[64];
	u64 base, size; /* of its text */
	struct os_section {
		char name[40];
		u64 addr;
	} * sections;
	unsigned nsections;
	char build_id[41]; /* hex, or "" */
};

/* One row of the kernel's table for unwinding: how the frame above is found from addr on, until the
 * next row's. The frame's address is that of `base` + offset, or what lies there. */
struct os_unwind {
	u64 addr;
	enum {
		OS_UNWIND_END,	/* there is none */
		OS_UNWIND_CALL, /* the return address is in front of the frame's address */
		OS_UNWIND_REGS, /* struct pt_regs is at it */
		OS_UNWIND_TRAP	/* what an interrupt pushes is at it */
	} kind;
	enum {
		OS_BASE_SP,
		OS_BASE_BP,
		OS_BASE_AT_SP, /* [sp] + offset */
		OS_BASE_AT_BP, /* [bp + offset] */
		OS_BASE_R10,
		OS_BASE_R13,
		OS_BASE_DI,
		OS_BASE_DX
	} base;
	s32 offset;
	bool bp_saved; /* at the frame's address + bp_offset */
	s32 bp_offset;
};

struct os {
	const char *name; /* "linux" */
	/* Ready as soon as the guest's kernel was found in memory (it may take until its paging is
	 * on). All functions return -EAGAIN before, -ENOTSUP when the kernel lacks what they need.
	 */
	bool (*ready)(struct machine *m);
	/* From now on it is looked for as the guest goes, until it is there: `os_known` of the
	 * machine's debug_clients then tells so, once, before its first function is called. To be
	 * asked again after a reset. */
	void (*await)(struct machine *m);
	/* Why it is not, as a sentence. */
	const char *(*absent)(struct machine *m);
	int (*tasks)(struct machine *m, void (*fn)(void *arg, const struct os_task *t), void *arg);
	/* By pid; or what a vCPU executes (current). */
	int (*task_find)(struct machine *m, u32 pid, struct os_task *t);
	int (*task_current)(struct cpu *cpu, struct os_task *t);
	/* A register of a task that does not execute, by name ("rip", "rsp", "rbp"...), from where
	 * its context was saved; -ENODATA for one that is not saved. user: of its user mode
	 * instead. */
	int (*task_reg)(struct machine *m, const struct os_task *t, bool user, const char *reg,
			u64 *val);
	/* The frames of its kernel stack, innermost first, as /proc/PID/stack tells them. */
	int (*task_stack)(struct machine *m, const struct os_task *t, void (*fn)(void *arg, u64 pc),
			  void *arg);
	/* Symbols: by address (the one at or before it), by name. */
	int (*symbol_at)(struct machine *m, u64 addr, struct os_symbol *s);
	int (*symbol_find)(struct machine *m, const char *name, struct os_symbol *s);
	int (*symbols)(struct machine *m, bool (*fn)(void *arg, const struct os_symbol *s),
		       void *arg);
	int (*modules)(struct machine *m, void (*fn)(void *arg, const struct os_module *o),
		       void *arg);
	/* The open files of a task: number and path. */
	int (*files)(struct machine *m, const struct os_task *t,
		     void (*fn)(void *arg, unsigned fd, const char *path), void *arg);
	/* The rows of the kernel itself, by rising addresses; fn returns false to end. */
	int (*unwind_table)(struct machine *m, bool (*fn)(void *arg, const struct os_unwind *u),
			    void *arg);
	/* How far the kernel runs from the addresses it was linked for; 0 without KASLR. Known once
	 * ready, or earlier when the boot loader chose it. */
	int (*slide)(struct machine *m, u64 *slide);
	/* The kernel log, one record a call, oldest first. */
	int (*log)(struct machine *m,
		   void (*fn)(void *arg, u64 ns, unsigned level, const char *text, size_t n),
		   void *arg);
	int (*banner)(struct machine *m, char *buf, size_t size); /* "Linux version ..." */
	/* The host's ELF file of this very kernel, which the user named or which its build id
	 * leads to; NULL when there is none. */
	const char *(*vmlinux)(struct machine *m);
	/* The VMCOREINFO note's text; malloc'ed, *n bytes. */
	int (*vmcoreinfo)(struct machine *m, char **text, size_t *n);
	/* Why a byte of a task's memory is not there, as a sentence ("swapped out: type 1, offset
	 * 42"). */
	int (*why_unmapped)(struct machine *m, const struct os_task *t, u64 va, char *buf,
			    size_t size);
};
/* NULL when nothing is known of the guest (yet). */
const struct os *os_of(struct machine *m);
void os_set(struct machine *m, const struct os *os, void *state);
void *os_state(struct machine *m);
/* The boot loader has chosen where the kernel lies: its slide is known before it runs. */
void os_set_slide(struct machine *m, u64 slide);
/* Has it? Then the kernel lies in memory as it is to run, from reset on. */
bool os_placed(struct machine *m);
/* The slide, from the guest or from the boot loader. False: nobody knows yet. */
bool must_check os_slide(struct machine *m, u64 *slide);
/* Does this CPU execute a task of process `pid` (0: any) by the name `comm` (NULL: any)? For points
 * that are meant for one process only: ask in their `hit`. False when nothing is known. */
bool os_current_is(struct cpu *cpu, u32 pid, const char *comm);
