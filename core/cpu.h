/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu.h - a virtual CPU as every room sees it, the contract between an instruction set (struct isa)
 * and an engine that executes it, and the guest memory access that instruction-set helpers use. The
 * structure of a guest's CPU starts with struct cpu. */
#pragma once
#include <quern/types.h>
#include <quern/intc.h>
#include <setjmp.h>

struct cpu;
struct machine;
struct engine;
struct engine_cpu;
struct ir;
struct ir_slot;
struct ir_helper;
struct error;
struct boot_entry;
struct corefile_isa;

/* exit_request bits: set by anybody (atomically, cpu_kick), tested by translated code at polls,
 * cleared by the machine loop. */
enum {
	/* an interrupt line or event of this CPU changed: ask isa->interrupt */
	CPU_EXIT_IRQ = BIT(0),
	/* the machine wants its thread: timers, input, stop, reset */
	CPU_EXIT_STOP = BIT(1),
	CPU_EXIT_SLICE = BIT(2), /* another vCPU's turn */
	CPU_EXIT_DEBUG = BIT(3),
};

/* INTR is a level. NMI, SMI, INIT and SIPI are events: level 1, then 0; a SIPI's level is 0x100 |
 * vector. */
enum cpu_lines {
	CPU_LINE_INTR,
	CPU_LINE_NMI,
	CPU_LINE_SMI,
	CPU_LINE_INIT,
	CPU_LINE_SIPI,
	CPU_LINES
};

struct cpu {
	/* Known to code generators: keep in the first 128 bytes. */
	u32 exit_request;
	/* the isa's mode word: everything besides pc, pc_base and bytes that a translation depends
	 * on */
	u32 mode;
	/* in the isa's terms (RIP/EIP); in memory only when the engine has synchronised it */
	u64 pc;
	/* linear address = (pc + pc_base) & isa->pc_mask(mode); nonzero only with segmentation */
	u64 pc_base;
	s64 budget; /* instruction counting: instructions left before CPU_EXIT_STOP */
	struct engine_cpu *engine; /* soft TLB, jump cache: the engine's */
	void *ret_top;		   /* the engine's: top of its return stack */
	u16 hflags;		   /* the flags word slot (ir.h HF_*) */
	bool halted;		   /* waits for isa->has_work */
	bool stopped;		   /* not running at all (AP before SIPI, after a triple fault) */
	u64 icount;		   /* instructions executed, where the mode counts them */
	/* The rest. */
	const struct isa *isa;
	struct machine *machine;
	u32 index;		     /* 0.. in the machine */
	u32 topology_id;	     /* what the architecture calls it by: x86, the APIC ID */
	u32 lines;		     /* level of each CPU_LINE_* as a bit mask */
	const struct cpu_intc *intc; /* the interrupt controller in front of it, or NULL */
	void *intc_dev;
	jmp_buf *unwind; /* the machine loop's recovery point */

	/* Debugging (debug.h). */
	u8 resume;    /* enum debug_resume: what the next debug_resume does */
	bool step;    /* executes one instruction, then stops */
	bool held;    /* does not run */
	bool stepped; /* the engine's: that instruction is done */
	/* the point at this address has been told: it is passed once */
	bool pass_valid;
	/* the pending exception has been told */
	bool passed_exception;
	u64 pass;
};

/* Access kinds, for walks and faults. */
enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_EXEC };
enum { ENGINE_CONTEXTS = 3, ENGINE_CLASSES = 4, ENGINE_SETS = 8 };

/* What a page walk yields. */
struct mapping {
	u64 phys; /* of the byte asked for */
	/* log2 of the page's size, as far as the walk knows it is uniform; at least isa->page_bits
	 */
	u8 page_bits;
	/* allowed in this context. write only when the dirty bit is set already (the walk of a
	 * write sets it) */
	bool read, write, exec;
	bool global; /* survives address-space switches */
	bool io;     /* uncacheable by guest attributes: informational */
	/* the guest watches addresses in this 4 KiB page: isa->watched is asked for each access */
	bool watch;
};

struct lift;

/* An instruction set. */
struct isa {
	const char *name; /* "x86_64" */
	size_t cpu_size;
	const struct ir_slot *slots;
	u16 nslots;
	u16 flags_slot; /* the slot of cpu->hflags, or 0xffff */
	const struct ir_helper *helpers;
	u16 nhelpers;
	u8 page_bits;
	bool big_endian;

	/* Life: state after power-on reset. cpu->isa, machine, index are set. The model string is
	 * what -cpu gave. */
	int (*init)(struct cpu *cpu, const char *model, struct error *e);
	void (*reset)(struct cpu *cpu);
	void (*fini)(struct cpu *cpu);

	/* Translation: lift guest instructions at l->pc into l->ir. See struct lift. */
	int (*lift)(struct lift *l);
	/* Are all flags surely overwritten before they are read by the code at this place (short
	 * look-ahead; false when not sure)? */
	bool (*flags_dead)(const struct lift *l, const u8 *code, unsigned avail);
	u64 (*pc_mask)(u32 mode);
	/* Small class (< ENGINE_CLASSES) of a mode: modes that alternate often (kernel, user) get
	 * different ones. */
	unsigned (*mode_class)(u32 mode);
	/* The access context (< ENGINE_CONTEXTS) of instruction fetches in this mode. */
	unsigned (*fetch_context)(u32 mode);

	/* Memory: translate va. Sets accessed/dirty bits as hardware does. 0, or a positive fault
	 * code for mem_fault. `peek` (debugger): no side effect, permissions ignored. */
	int (*walk)(struct cpu *cpu, u64 va, enum access access, unsigned ctx, bool peek,
		    struct mapping *m);
	/* The same for a debugger (like peek) in the address space of another page-table root.
	 * *entry: the last table entry read, also when it is not present. May be NULL. */
	int (*walk_root)(struct cpu *cpu, u64 root, u64 va, struct mapping *m, u64 *entry);
	/* An access to a page whose mapping says `watch`, before it is made: does it meet a watched
	 * address? The engine then executes its instruction singly and asks again with commit =
	 * true: note it, and let `interrupt` raise what follows. May be NULL. */
	bool (*watched)(struct cpu *cpu, u64 va, unsigned size, enum access access, bool commit);
	/* Make the fault pending; the engine then unwinds and the machine loop calls deliver.
	 * cpu->pc is synchronised. */
	void (*mem_fault)(struct cpu *cpu, u64 va, enum access access, unsigned ctx, int code);
	/* size: of the access in bytes */
	void (*misaligned)(struct cpu *cpu, u64 va, enum access access, unsigned ctx,
			   unsigned size);
	void (*divide_error)(struct cpu *cpu);
	/* A data access that no device answers: x86 reads all-ones and ignores; others raise. True
	 * = a fault was made pending. */
	bool (*bus_error)(struct cpu *cpu, u64 phys, enum access access, unsigned size);

	/* Events. deliver: enter the handler of the pending exception (may itself fault: it then
	 * unwinds with another one pending). interrupt: at an instruction boundary with
	 * CPU_EXIT_IRQ: take at most one interrupt; false when nothing was taken. has_work: would a
	 * halted CPU wake? */
	bool (*exception_pending)(const struct cpu *cpu);
	/* its number for debug_catch_exceptions; ~0 = what is pending is no exception (INT n) */
	unsigned (*exception_number)(const struct cpu *cpu);
	void (*deliver)(struct cpu *cpu);
	bool (*interrupt)(struct cpu *cpu);
	bool (*has_work)(struct cpu *cpu);
	/* cpu->lines is updated by the caller */
	void (*set_line)(struct cpu *cpu, unsigned line, int level);
	/* The time-stamp counter now and its frequency, for deadline timers; NULL = none. */
	u64 (*timestamp)(struct cpu *cpu, u64 *hz);
	/* Around a stretch of guest execution: load/save host state such as MXCSR. */
	void (*enter)(struct cpu *cpu);
	void (*leave)(struct cpu *cpu);

	/* Snapshots: every member of the CPU's structure that is state, by name; ends with {}.
	 * loaded: afterwards, makes what derives from them; 0 or -errno with a sentence. */
	const struct cpu_state *state;
	int (*loaded)(struct cpu *cpu, struct error *e);
	/* Registers for the debugger and `info registers`. */
	const struct cpu_reg *regs; /* ends with {} */
	/* The value of a register by a name that the table does not have ("eax" beside rax); may
	 * be NULL. */
	bool (*reg_alias)(struct cpu *cpu, const char *name, u64 *val);
	const struct corefile_isa *corefile; /* corefile.h; NULL: there are no dumps of it */
	/* One instruction as text; returns its length or 0. */
	unsigned (*disasm)(struct cpu *cpu, u64 pc, const u8 *code, unsigned avail, char *text,
			   size_t size);
	void (*dump)(struct cpu *cpu, void (*line)(void *arg, const char *text), void *arg);

	/* Direct boot: after reset, puts the CPU into the state in which a boot loader hands over
	 * (core/boot_entry.h). NULL: cannot. */
	void (*boot_entry)(struct cpu *cpu, const struct boot_entry *e);
	/* can it start in that enum boot_mode? NULL: in any */
	bool (*boot_mode)(struct cpu *cpu, int mode);
	/* The text of `-cpu help`, line by line; NULL: there is nothing to choose. */
	void (*cpu_help)(void (*line)(void *arg, const char *text), void *arg);
};

struct cpu_state {
	const char *name;
	u32 offset, size;
	bool same; /* configuration: a snapshot whose value differs is refused */
};
#define CPU_STATE(T, m) \
	{ \
#m, offsetof(T, m), sizeof(((T *)0)->m) \
	}

/* One register for gdb and monitor. */
struct cpu_reg {
	const char *name;
	const char *feature;  /* gdb target feature, e.g. "org.gnu.gdb.i386.core" */
	const char *gdb_type; /* "int64", "code_ptr", "i386_eflags", "vec128", ... */
	u16 bits;
	u16 offset;				 /* in the cpu structure where get is NULL */
	void (*get)(struct cpu *cpu, void *val); /* little-endian bytes, bits/8 of them */
	void (*set)(struct cpu *cpu, const void *val);
};

/* A lifting job: filled by the engine, read and advanced by isa->lift. */
struct lift {
	struct ir *ir;
	/* for static facts (CPUID features); nothing that is not in mode/pc_base may be baked in */
	struct cpu *cpu;
	u64 pc, pc_base;
	u32 mode;
	const u8 *code; /* guest bytes at pc */
	unsigned avail; /* up to the page's end (or past it, when `crossing`) */
	/* the bytes of a first instruction that crosses into the next page are included */
	bool crossing;
	unsigned max_insns;
	/* May the trace run on into pc, or is there a translation (or a breakpoint) to end at? */
	bool (*stop_at)(struct lift *l, u64 pc);
	/* Page bounds for following forward jumps: bytes of this page before pc are at
	 * code[-pc_offset]. */
	unsigned page_offset; /* of pc in its page */
	/* Out: code bytes covered [lo, hi) relative to code[0] (for invalidation). */
	int lo, hi;
};
/* lift returns 0, or LIFT_SHORT when the first instruction needs bytes past avail (the engine
 * supplies the next page and calls again). It always ends the unit with an F_END op. An undecodable
 * instruction is lifted as a call that raises the isa's exception. Instructions at the end of the
 * page whose bytes are not all there end the unit before them. */
enum { LIFT_SHORT = 1 };

/* --- for isa helpers: guest memory access, implemented by the engine. Faults unwind and do not
 * return. cpu->pc must be synchronised (helpers with H_FAULT). ctx as in IR_CTX. Sizes 1, 2, 4, 8;
 * any alignment, page crossing included. */
u64 cpu_ld(struct cpu *cpu, unsigned ctx, u64 va, unsigned size);
void cpu_st(struct cpu *cpu, unsigned ctx, u64 va, unsigned size, u64 val);
/* faults before any byte is transferred */
void cpu_ld_bytes(struct cpu *cpu, unsigned ctx, u64 va, void *buf, size_t n);
void cpu_st_bytes(struct cpu *cpu, unsigned ctx, u64 va, const void *buf, size_t n);
/* Fault now if [va, va+n) is not accessible; no transfer. n may cross pages. */
void cpu_probe(struct cpu *cpu, unsigned ctx, u64 va, size_t n, enum access access);
/* Host address of [va, va + *n) for bulk access: at most up to the page's end (*n is cut), RAM
 * only, or NULL (device, watchpoint, or code page when writing): then the caller uses
 * cpu_ld/cpu_st. Faults unwind. */
void *cpu_host(struct cpu *cpu, unsigned ctx, u64 va, size_t *n, enum access access);
/* Physical access by the CPU itself (page tables): size 4 or 8, aligned. Never faults: all-ones
 * where nothing answers. */
u64 cpu_phys_ld(struct cpu *cpu, u64 pa, unsigned size);
void cpu_phys_st(struct cpu *cpu, u64 pa, unsigned size, u64 val);
/* Atomically compare and set a page-table entry (accessed/dirty bits): false when it changed
 * meanwhile. */
bool cpu_phys_cas(struct cpu *cpu, u64 pa, unsigned size, u64 expected, u64 val);
u64 cpu_io_read(struct cpu *cpu, u16 port, unsigned size);
void cpu_io_write(struct cpu *cpu, u16 port, unsigned size, u64 val);

/* TLB maintenance. A context set is chosen by address-space number (x86: PCID, with -1 for none);
 * switching is cheap. */
/* current set = asid's; flush = drop its non-global entries first */
void cpu_tlb_switch(struct cpu *cpu, u64 asid, bool flush);
/* everything, global too, in all sets */
void cpu_tlb_flush_all(struct cpu *cpu);
/* non-global entries of that set, if it is resident */
void cpu_tlb_flush_asid(struct cpu *cpu, u64 asid);
/* INVLPG: in the current set and global ones everywhere */
void cpu_tlb_flush_page(struct cpu *cpu, u64 va);
void cpu_tlb_flush_page_asid(struct cpu *cpu, u64 va, u64 asid);
void cpu_tlb_flush_nonglobal(struct cpu *cpu); /* in all sets */

/* Leave what runs now and return to the machine loop, with an exception pending or the state
 * changed. Never returns. cpu->pc is synchronised. */
_Noreturn void cpu_unwind(struct cpu *cpu);
/* Ask a vCPU to visit the machine loop; from any thread. */
void cpu_kick(struct cpu *cpu, u32 why);
/* Set one line's level: updates cpu->lines, tells the isa, kicks when raised. Machine thread only.
 */
void cpu_set_line(struct cpu *cpu, unsigned line, int level);
/* Guest time-stamp counter support: virtual nanoseconds now (core/clock.h), also from helpers. */
u64 cpu_clock_ns(struct cpu *cpu);
/* Registered instruction sets, by name; NULL when unknown. */
const struct isa *isa_find(const char *name);
#define ISA(var) \
	static const struct isa *const isa_##var##_p __attribute__((section("quern_isa"), used)) = \
		&var
