/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ir_fuzz.c - random IR (ir_gen.c) through both tiers of the engine: a made-up instruction set with
 * a dozen registers and vectors, machines with a little RAM, and the comparison of all slots,
 * memory and faults. */
#include "ir_fuzz.h"
#include "rng.h"
#include "jit/engine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct fz_cpu {
	struct cpu cpu;
	u64 g[FZ_NG], ptr[FZ_NPTR], zero, taint;
	union {
		u8 b[16];
		u16 w[8];
		u32 d[4];
		u64 q[2];
	} v[FZ_NV] __attribute__((aligned(16)));
	/* the exception: kind 0 none, 1 memory, 2 misaligned, 3 division, 4 the end */
	int kind, pending;
	u64 va;
	u32 access, code;
	u64 seed;
	u64 lifted[16];
	unsigned nlifted;
};
#define FZ(c) ((struct fz_cpu *)(c))
enum { KIND_NONE, KIND_MEMORY, KIND_MISALIGNED, KIND_DIVIDE, KIND_STOP };
enum { PAGE = 4096, RAM = 1 << 20, CODE_PAGES = 8 };
#define CODE	0x400000ull

#define AT(m)	offsetof(struct fz_cpu, m)
#define G(i, p) [FZ_G + (i)] = { "g" #i, AT(g[i]), I64, p }
#define V(i) \
	[FZ_V + (i)] = { "v" #i, AT(v[i]), V128, (i) + 1 }, \
		[FZ_VQ + 2 * (i)] = { "v" #i ".l", AT(v[i].q[0]), I64, 0 }, \
		[FZ_VQ + 2 * (i) + 1] = { "v" #i ".h", AT(v[i].q[1]), I64, 0 }
static const struct ir_slot slots[FZ_SLOTS] = {
	G(0, 1),
	G(1, 2),
	G(2, 3),
	G(3, 4),
	G(4, 5),
	G(5, 6),
	G(6, 7),
	G(7, 8),
	G(8, 11),
	G(9, 12),
	G(10, 0),
	G(11, 0),
	G(12, 0),
	G(13, 0),
	[FZ_PTR] = { "ptr0", AT(ptr[0]), I64, 9 },
	[FZ_PTR + 1] = { "ptr1", AT(ptr[1]), I64, 10 },
	[FZ_PTR + 2] = { "ptr2", AT(ptr[2]), I64, 0 },
	[FZ_ZERO] = { "zero", AT(zero), I64, 0 },
	[FZ_TAINT] = { "taint", AT(taint), I64, 0 },
	[FZ_FLAGS] = { "flags", AT(cpu.hflags), I16, 0 },
	[FZ_PC] = { "pc", AT(cpu.pc), I64, 0 },
	V(0),
	V(1),
	V(2),
	V(3),
};

/* --- helpers */

#define HELP(name) static u64 name(struct cpu *cpu, u64 a, u64 b, u64 c, u64 imm)
#define VEC_(x)	   ((__typeof__(&FZ(cpu)->v[0]))(uintptr_t)(x))

HELP(fz_mix)
{
	struct rng r = { a ^ b * 3 ^ c * 5 ^ imm * 7 };

	return rnd(&r);
}

HELP(fz_state)
{
	struct fz_cpu *z = FZ(cpu);

	z->g[imm % FZ_NG] +=
		a ^ (cpu->hflags & HF_ALL); /* other bits of the word are not defined */
	z->g[b % FZ_NG] ^= z->g[imm % FZ_NG] + b;
	cpu->hflags = (u16)((a >> 3) & HF_ALL);
	return 0;
}

HELP(fz_read)
{
	u64 h = a;

	for (unsigned i = 0; i < FZ_NG; i++)
		h = h * 31 + FZ(cpu)->g[i];
	return h;
}

HELP(fz_stop)
{
	FZ(cpu)->kind = FZ(cpu)->pending = KIND_STOP;
	cpu_unwind(cpu);
}

HELP(fz_pxor)
{
	VEC_(a)->q[0] ^= VEC_(b)->q[0];
	VEC_(a)->q[1] ^= VEC_(b)->q[1];
	return 0;
}

HELP(fz_paddb)
{
	for (unsigned i = 0; i < 16; i++)
		VEC_(a)->b[i] = (u8)(VEC_(a)->b[i] + VEC_(b)->b[i]);
	return 0;
}

HELP(fz_pshufd)
{
	u32 d[4];

	for (unsigned i = 0; i < 4; i++)
		d[i] = VEC_(b)->d[imm >> 2 * i & 3];
	memcpy(VEC_(a), d, 16);
	return 0;
}

HELP(fz_pmovmskb)
{
	u64 m = 0;

	for (unsigned i = 0; i < 16; i++)
		m |= (u64)(VEC_(a)->b[i] >> 7) << i;
	return m;
}

HELP(fz_ptest)
{
	bool z = true, cf = true;

	for (unsigned i = 0; i < 2; i++) {
		z &= !(VEC_(a)->q[i] & VEC_(b)->q[i]);
		cf &= !(~VEC_(a)->q[i] & VEC_(b)->q[i]);
	}
	cpu->hflags = (z ? HF_Z : 0) | (cf ? HF_C : 0);
	return 0;
}

HELP(fz_psllw)
{
	for (unsigned i = 0; i < 8; i++)
		VEC_(a)->w[i] = imm > 15 ? 0 : (u16)(VEC_(a)->w[i] << imm);
	return 0;
}

static const struct ir_helper helpers[FZH_COUNT] = {
	[FZH_MIX] = { "mix", fz_mix, H_PURE },
	[FZH_STATE] = { "state", fz_state, H_STATE },
	[FZH_READ] = { "read", fz_read, H_READ },
	[FZH_STOP] = { "stop", fz_stop, H_FAULT | H_STATE },
	[FZH_PXOR] = { "pxor", fz_pxor, H_VEC, .x86 = { 0x66, 1, 0xef, 0, HOST_BASE } },
	[FZH_PADDB] = { "paddb", fz_paddb, H_VEC, .x86 = { 0x66, 1, 0xfc, 0, HOST_BASE } },
	[FZH_PSHUFD] = { "pshufd", fz_pshufd, H_VEC, .x86 = { 0x66, 1, 0x70, 1, HOST_BASE } },
	[FZH_PMOVMSKB] = { "pmovmskb", fz_pmovmskb, H_VEC,
			   .x86_alt = { X86_FORM_RV, 0x66, 1, 0xd7, 0, 0, HOST_BASE } },
	[FZH_PTEST] = { "ptest", fz_ptest, H_VEC | H_FLAGS_OUT,
			.x86_alt = { X86_FORM_FLAGS, 0x66, 2, 0x17, 0, 0, HOST_SSE41 } },
	[FZH_PSLLW] = { "psllw", fz_psllw, H_VEC,
			.x86_alt = { X86_FORM_SHIFT, 0x66, 1, 0x71, 0, 6, HOST_BASE } },
};

/* --- the instruction set */

static int lift(struct lift *l)
{
	l->lo = 0;
	l->hi = 4;
	if (l->pc == FZ_STOP) {
		ir_insn(l->ir, l->pc);
		ir_callv(l->ir, FZH_STOP, 0, 0, 0, 0);
		ir_exit(l->ir, IR_EXIT_NEXT);
		ir_insn_len(l->ir, 4);
	} else {
		struct fz_cpu *z = FZ(l->cpu);

		if (z->nlifted < ARRAY_SIZE(z->lifted))
			z->lifted[z->nlifted++] = l->pc;
		ir_generate(l->ir, z->seed, l->pc, l->max_insns);
	}
	return 0;
}

/* Data: three pages apart in physical memory, the last read-only in context 1. Code: 8 pages and
 * the one with FZ_STOP. */
static int walk(struct cpu *cpu, u64 va, enum access access, unsigned ctx, bool peek,
		struct mapping *m)
{
	u64 n = (va - FZ_DATA) / PAGE;

	*m = (struct mapping){ .page_bits = 12, .read = true, .write = true, .exec = true };
	if (va - FZ_DATA < FZ_WINDOW) {
		m->phys = 0x10000 + n * 0x3000 + va % PAGE;
		m->write = !(ctx == 1 && n == 2);
		m->exec = false;
	} else if (va - CODE < CODE_PAGES * PAGE) {
		m->phys = 0x40000 + (va - CODE);
	} else if (va / PAGE == FZ_STOP / PAGE) {
		m->phys = 0x80000 + va % PAGE;
	} else {
		return 1;
	}
	if (access == ACCESS_WRITE && !m->write)
		return 2;
	return access == ACCESS_EXEC && !m->exec ? 3 : 0;
}

static void fz_fault(struct cpu *cpu, int kind, u64 va, enum access access, u32 code)
{
	struct fz_cpu *z = FZ(cpu);

	z->kind = z->pending = kind;
	z->va = va;
	z->access = access;
	z->code = code;
}

static void mem_fault(struct cpu *cpu, u64 va, enum access access, unsigned ctx, int code)
{
	fz_fault(cpu, KIND_MEMORY, va, access, (u32)code);
}
static void misaligned(struct cpu *cpu, u64 va, enum access access, unsigned ctx, unsigned size)
{
	fz_fault(cpu, KIND_MISALIGNED, va, access, size);
}
static void divide_error(struct cpu *cpu) { fz_fault(cpu, KIND_DIVIDE, 0, 0, 0); }
static bool pending(const struct cpu *cpu) { return ((const struct fz_cpu *)cpu)->pending; }
static bool no(struct cpu *cpu) { return false; }
static u64 pc_mask(u32 mode) { return ~0ull; }
static unsigned zero(u32 mode) { return 0; }

static void deliver(struct cpu *cpu)
{
	FZ(cpu)->pending = 0;
	__atomic_fetch_or(&cpu->exit_request, CPU_EXIT_STOP, __ATOMIC_SEQ_CST);
}

static const struct isa fuzz_isa = {
	.name = "fuzz",
	.cpu_size = sizeof(struct fz_cpu),
	.slots = slots,
	.nslots = FZ_SLOTS,
	.flags_slot = FZ_FLAGS,
	.helpers = helpers,
	.nhelpers = FZH_COUNT,
	.page_bits = 12,
	.lift = lift,
	.pc_mask = pc_mask,
	.mode_class = zero,
	.fetch_context = zero,
	.walk = walk,
	.mem_fault = mem_fault,
	.misaligned = misaligned,
	.divide_error = divide_error,
	.exception_pending = pending,
	.deliver = deliver,
	.interrupt = no,
	.has_work = no,
};

/* --- machines */

struct fuzz {
	struct machine *m;
	struct fz_cpu *z;
	const char *name;
	bool strict;
};

static bool fuzz_new(struct fuzz *f, const char *name, u8 tier, bool strict)
{
	const struct engine_options o = { .tier = tier, .strict = strict, .cache_bytes = 16 << 20 };
	struct error e = { 0 };

	f->name = name;
	f->strict = strict;
	f->m = machine_new();
	f->m->isa = &fuzz_isa;
	if (region_init_ram(&f->m->ram, f->m, "ram", RAM, &e)) {
		error_print(&e);
		return false;
	}
	region_add(&f->m->memory_root, 0, &f->m->ram, 0);
	f->z = xcalloc(1, sizeof(*f->z));
	f->z->cpu.isa = &fuzz_isa;
	f->z->cpu.machine = f->m;
	f->m->cpu = xcalloc(1, sizeof(*f->m->cpu));
	f->m->cpu[0] = &f->z->cpu;
	f->m->ncpus = 1;
	f->m->engine = engine_new(f->m, &o, &e);
	if (!f->m->engine || engine_add_cpu(f->m->engine, &f->z->cpu)) {
		error_print(&e);
		return false;
	}
	cpu_tlb_switch(&f->z->cpu, 0, true);
	return true;
}

static u8 *data_page(const struct fuzz *f, unsigned n)
{
	return f->m->ram.ram->host + 0x10000 + n * 0x3000;
}

static u64 number(struct rng *r)
{
	return chance(r, 50) ? rnd(r) >> below(r, 64) :
	       chance(r, 50) ? (u64) - (s64)below(r, 200) :
			       below(r, 200);
}

static void run(struct fuzz *f, u64 seed)
{
	static const u8 other[CODE_PAGES * PAGE] = { 1 };
	struct rng r = { seed };
	struct fz_cpu *z = f->z;

	/* new code: the old translations go */
	space_write(&f->m->memory, 0x40000, other, sizeof(other), (struct mem_attrs){ 0 });
	for (unsigned i = 0; i < FZ_NG; i++)
		z->g[i] = number(&r);
	for (unsigned i = 0; i < FZ_NPTR; i++)
		z->ptr[i] = FZ_DATA + below(&r, FZ_WINDOW);
	for (unsigned i = 0; i < FZ_NV; i++) {
		z->v[i].q[0] = number(&r);
		z->v[i].q[1] = rnd(&r);
	}
	for (unsigned p = 0; p < 3; p++)
		for (unsigned i = 0; i < PAGE; i += 8)
			st64le(data_page(f, p) + i, number(&r));
	z->taint = HF_ALL;
	z->cpu.hflags = (u16)(rnd(&r) & HF_ALL);
	z->cpu.pc = CODE;
	z->seed = seed;
	z->kind = z->pending = KIND_NONE;
	z->nlifted = 0;
	z->cpu.exit_request = 0;
	if (below(&r, 50) == 0)
		cpu_tlb_flush_all(&z->cpu);
	engine_run(f->m->engine, &z->cpu);
}

/* --- comparing */

static unsigned slot_different(const struct fuzz *a, const struct fuzz *b, const char *name, u64 x,
			       u64 y)
{
	if (x == y)
		return 0;
	printf("    %-8s %s %016llx, %s %016llx\n", name, a->name, (unsigned long long)x, b->name,
	       (unsigned long long)y);
	return 1;
}

static unsigned compare(const struct fuzz *a, const struct fuzz *b)
{
	const struct fz_cpu *x = a->z, *y = b->z;
	u16 flags = (u16)(HF_ALL & ~x->taint);
	unsigned n = 0;

	n += slot_different(a, b, "kind", (u64)x->kind, (u64)y->kind);
	n += slot_different(a, b, "pc", x->cpu.pc, y->cpu.pc);
	if (x->kind != KIND_STOP && x->kind == y->kind) {
		n += slot_different(a, b, "address", x->va, y->va);
		n += slot_different(a, b, "code", x->code, y->code);
	}
	for (unsigned i = 0; i < FZ_FLAGS; i++)
		n += slot_different(a, b, slots[i].name, ld64le((const u8 *)x + slots[i].offset),
				    ld64le((const u8 *)y + slots[i].offset));
	for (unsigned i = 0; i < 2 * FZ_NV; i++)
		n += slot_different(a, b, slots[FZ_VQ + i].name, x->v[i / 2].q[i & 1],
				    y->v[i / 2].q[i & 1]);
	/* at a fault, flags that nothing reads may be old ones */
	if (x->kind == KIND_STOP || b->strict)
		n += slot_different(a, b, "flags", x->cpu.hflags & flags, y->cpu.hflags & flags);
	for (unsigned p = 0; p < 3; p++)
		for (unsigned i = 0; i < PAGE; i += 8)
			if (n < 20 && memcmp(data_page(a, p) + i, data_page(b, p) + i, 8))
				n += slot_different(a, b, "memory", ld64le(data_page(a, p) + i),
						    ld64le(data_page(b, p) + i));
	return n;
}

/* --- shrinking */

/* In a process of its own, without a word. */
static bool fails(struct fuzz *a, struct fuzz *b, u64 seed)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
			_exit(0);
		run(a, seed);
		run(b, seed);
		_exit(compare(a, b) ? 1 : 0);
	}
	return waitpid(pid, &status, 0) == pid && (!WIFEXITED(status) || WEXITSTATUS(status));
}

static void shrink_unit(struct fuzz *a, struct fuzz *b, u64 seed, u64 base)
{
	static struct ir ir;
	u64 pc = base;

	ir_start(&ir, slots, helpers, FZ_FLAGS);
	ir_generate(&ir, seed, base, 64);
	for (u32 i = 0, first = 0; i < ir.nops; i++) {
		const struct ir_op *o = &ir.op[i];
		bool flags = (o->flags & IR_F) || o->op == IR_PUTF ||
			     (o->op == IR_CALL && helpers[o->aux].flags & H_FLAGS_OUT);

		if (o->op == IR_INSN) {
			pc = ir.insn[o->imm].pc;
			first = i;
			continue;
		}
		/* what defines flags stays: something may read them */
		if (flags || o->op == IR_LABEL || o->op == IR_GOTO || o->op == IR_GOTOIND ||
		    o->op == IR_EXIT || (o->op == IR_MOV && !o->dst))
			continue;
		if (REF_KIND(o->dst) == REF_SLOT &&
		    (REF_INDEX(o->dst) == FZ_TAINT || REF_INDEX(o->dst) == FZ_PC))
			continue;
		if (ir_leave_out(pc, i - first) && !fails(a, b, seed))
			ir_take_back();
	}
}

static void shrink_ir(struct fuzz *a, struct fuzz *b, u64 seed)
{
	for (unsigned k = 0; k < 2; k++)
		for (unsigned g = 0; g < 8; g++)
			shrink_unit(a, b, seed, CODE + (g >> 1) * 0x80 + (g & 1) * 0x1000);
}

static void line(void *arg, const char *text) { printf("%s\n", text); }

/* The units that were executed. */
static void show(const struct fuzz *f, u64 seed)
{
	static struct ir ir;

	for (unsigned i = 0; i < f->z->nlifted; i++) {
		ir_start(&ir, slots, helpers, FZ_FLAGS);
		ir_generate(&ir, seed, f->z->lifted[i], 64);
		ir_print(&ir, line, NULL);
	}
}

static const char *verify(u64 seed)
{
	static struct ir ir;
	const char *bad = NULL;

	for (u64 pc = CODE; pc != FZ_STOP && !bad; pc = fz_next_pc(pc, 1)) {
		ir_start(&ir, slots, helpers, FZ_FLAGS);
		ir_generate(&ir, seed, pc, 64);
		bad = ir_verify(&ir);
	}
	return bad;
}

/* A single unit is shrunk first. */
static u64 fuzz_all(u64 seed, u64 n, volatile u64 *at)
{
	struct fuzz f[3];
	u64 bad = 0, ended = 0, shrink_at = n == 1 ? seed : ~0ull;

	if (!fuzz_new(&f[0], "T0", 0, true) || !fuzz_new(&f[1], "T1", 1, false) ||
	    !fuzz_new(&f[2], "T1 strict", 1, true))
		return 1;
	for (u64 i = 0; i < n && bad < 5; i++) {
		struct fuzz *b = &f[1 + ((seed + i) & 1)];
		const char *wrong = verify(seed + i);

		*at = seed + i;
		if (wrong) {
			printf("IR seed %llu: the generator broke a rule: %s\n",
			       (unsigned long long)(seed + i), wrong);
			return bad + 1;
		}
		if (shrink_at == seed + i) {
			shrink_ir(&f[0], b, seed + i);
			run(&f[0], seed + i);
			show(&f[0], seed + i);
			fflush(stdout);
		}
		run(&f[0], seed + i);
		run(b, seed + i);
		ended += f[0].z->kind == KIND_STOP;
		if (compare(&f[0], b)) {
			if (shrink_at != seed + i) {
				bad++;
				printf("  IR seed %llu differs between %s and %s: --seed %llu --ir "
				       "1 shrinks it\n",
				       (unsigned long long)(seed + i), f[0].name, b->name,
				       (unsigned long long)(seed + i));
				continue;
			}
			printf("  IR seed %llu differs between %s and %s\n",
			       (unsigned long long)(seed + i), f[0].name, b->name);
			bad++;
		}
	}
	printf("%llu runs of random IR, %llu to their end, %llu different\n", (unsigned long long)n,
	       (unsigned long long)ended, (unsigned long long)bad);
	return bad;
}

u64 ir_fuzz(u64 seed, u64 n)
{
	volatile u64 *shared =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	if (shared == MAP_FAILED)
		return 1;
	if (!backend_host()) {
		printf("random IR: this host has no code generator\n");
		return 0;
	}
	fflush(stdout);
	pid = fork();
	if (!pid) {
		u64 bad = fuzz_all(seed, n, shared);

		fflush(stdout);
		_exit(bad != 0);
	}
	if (waitpid(pid, &status, 0) != pid)
		return 1;
	if (WIFEXITED(status))
		return (u64)WEXITSTATUS(status);
	printf("random IR: the emulator crashed at seed %llu\n", (unsigned long long)*shared);
	return 1;
}
