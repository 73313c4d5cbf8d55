/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest.c - the emulator's side: a machine with a little RAM and one CPU, put directly into 64-bit
 * user mode over page tables for the windows. Its instruction set is the x86 one with the delivery
 * of exceptions replaced: they are kept, and the CPU stops. */
#include "diff.h"
#include "isa/x86/system.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <sys/auxv.h>
#include <stdio.h>
#include <stdlib.h>

const char *const guest_names[NGUESTS] = { "T0", "T1", "T1 strict", "T1 one-insn" };

enum { RAM_BYTES = 2 << 20, TABLES = 0x10000, FIRST_PAGE = 0x40 };

struct guest {
	enum guest_kind kind;
	struct machine *m;
	struct x86_cpu *c;
	struct isa isa;
	struct regs *out;
	unsigned ntables, runs;
};
static struct cpu *volatile current;
static volatile unsigned ticks;

static u64 page_phys(unsigned page)
{
	/* neighbours are not neighbours in physical memory */
	return (u64)(FIRST_PAGE + page * 5 % NPAGES * 3) * PAGE_BYTES;
}

/* --- the replaced hooks */

static void keep_exception(struct cpu *cpu)
{
	struct x86_cpu *c = X86(cpu);
	struct guest *g = container_of(cpu->isa, struct guest, isa);

	g->out->vector = c->exc_vector;
	g->out->error = c->exc_has_error ? c->exc_error : 0;
	g->out->cr2 = c->exc_vector == EXC_PF ? c->exc_cr2 : 0;
	g->out->rip = c->exc_soft ? c->exc_next : cpu->pc;
	c->exc_vector = -1;
	__atomic_fetch_or(&cpu->exit_request, CPU_EXIT_STOP, __ATOMIC_SEQ_CST);
}

static bool no_interrupt(struct cpu *cpu) { return false; }

/* --- page tables */

static u8 *phys(struct guest *g, u64 at) { return g->m->ram.ram->host + at; }

static u64 table_entry(struct guest *g, u64 table, unsigned index)
{
	u64 e = ld64le(phys(g, table + index * 8));

	if (!e) {
		e = (u64)(TABLES + PAGE_BYTES * ++g->ntables) | 7;
		st64le(phys(g, table + index * 8), e);
	}
	return e & ~0xfffull;
}

static void map_page(struct guest *g, u64 va, u64 pa, bool write, bool exec)
{
	u64 t = TABLES;

	for (int shift = 39; shift > 12; shift -= 9)
		t = table_entry(g, t, va >> shift & 511);
	st64le(phys(g, t + (va >> 12 & 511) * 8),
	       pa | 5 | (write ? 2 : 0) | (exec ? 0 : 1ull << 63));
}

/* --- life */

static void user_mode(struct x86_cpu *c)
{
	const u16 data = SEG_P | SEG_S | SEG_DPL | SEG_W | SEG_A | SEG_DB | SEG_G;

	c->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG;
	c->cr4 = CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE | CR4_UMIP;
	/* as the host's kernel has it */
	if (getauxval(AT_HWCAP2) & 2)
		c->cr4 |= CR4_FSGSBASE;
	c->efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
	c->cr3 = TABLES;
	c->xcr0 = 3;
	for (unsigned i = 0; i <= S_GS; i++)
		c->seg[i] = (struct x86_seg){ 0 };
	c->seg[S_CS] = (struct x86_seg){ .sel = 0x33,
					 .limit = 0xffffffff,
					 .attr = SEG_P | SEG_S | SEG_DPL | SEG_X | SEG_R | SEG_A |
						 SEG_L | SEG_G };
	c->seg[S_SS] = (struct x86_seg){ .sel = 0x2b, .limit = 0xffffffff, .attr = data };
	/* no I/O permission bit map */
	c->seg[S_TR] =
		(struct x86_seg){ .sel = 0x40, .limit = 0x60, .attr = SEG_P | SYS_TSS32_BUSY };
	x86_update_mode(c);
}

static _Noreturn void die(struct error *e)
{
	error_print(e);
	exit(2);
}

struct guest *guest_new(enum guest_kind kind)
{
	const struct engine_options o = { .tier = kind != GUEST_T0,
					  .cache_bytes = 16 << 20,
					  .one_insn = kind == GUEST_T1_ONE,
					  .strict = kind == GUEST_T0 || kind == GUEST_T1_STRICT };
	struct guest *g = NEW(struct guest);
	struct error e = { 0 };
	struct machine *m = machine_new();
	struct cpu *cpu;

	g->kind = kind;
	g->m = m;
	g->isa = *isa_find("x86_64");
	g->isa.deliver = keep_exception;
	g->isa.interrupt = no_interrupt;
	m->isa = &g->isa;
	m->ram_size = RAM_BYTES;
	if (region_init_ram(&m->ram, m, "ram", RAM_BYTES, &e))
		die(&e);
	region_add(&m->memory_root, 0, &m->ram, 0);
	for (unsigned p = 0; p < NPAGES; p++)
		map_page(g, page_places[p].va, page_phys(p), page_places[p].write,
			 page_places[p].exec);
	cpu = xcalloc(1, g->isa.cpu_size);
	g->c = X86(cpu);
	cpu->isa = &g->isa;
	cpu->machine = m;
	m->cpu = xcalloc(1, sizeof(*m->cpu));
	m->cpu[0] = cpu;
	m->ncpus = 1;
	if (g->isa.init(cpu, "max", &e))
		die(&e);
	m->engine = engine_new(m, &o, &e);
	if (!m->engine)
		die(&e);
	if (engine_add_cpu(m->engine, cpu))
		abort();
	g->isa.reset(cpu);
	user_mode(g->c);
	cpu_tlb_switch(cpu, 0, true);
	return g;
}

/* --- one snippet */

static void load_memory(struct guest *g, const struct memory *mem)
{
	for (unsigned p = 0; p < NPAGES; p++) {
		u8 *to = phys(g, page_phys(p));
		unsigned lo = 0, hi = PAGE_BYTES;

		if (!page_places[p].exec) {
			memcpy(to, mem->page[p], PAGE_BYTES);
			continue;
		}
		/* code goes through the front door: it ends the translations that it overwrites */
		if (!memcmp(to, mem->page[p], PAGE_BYTES))
			continue;
		while (to[lo] == mem->page[p][lo])
			lo++;
		while (to[hi - 1] == mem->page[p][hi - 1])
			hi--;
		space_write(&g->m->memory, page_phys(p) + lo, mem->page[p] + lo, hi - lo,
			    (struct mem_attrs){ 0 });
	}
}

static void load_state(struct x86_cpu *c, const struct regs *in)
{
	unsigned top = in->fx.sw >> 11 & 7;

	memcpy(c->gpr, in->gpr, sizeof(c->gpr));
	c->cpu.pc = in->rip;
	c->cpu.hflags = x86_hf_from_arith((u32)in->flags);
	c->eflags = (in->flags & ~(u64)EFL_ARITH) | EFL_1;
	c->seg[S_FS].base = in->fsbase;
	c->seg[S_GS].base = in->gsbase;
	memcpy(c->xmm, in->fx.xmm, sizeof(c->xmm));
	c->mxcsr = in->fx.mxcsr;
	c->fpu_cw = in->fx.cw | 0x40;
	c->fpu_sw = in->fx.sw;
	c->fpu_tag = in->fx.tag;
	c->fpu_op = 0;
	c->fpu_cs = c->fpu_ds = 0;
	c->fpu_ip = c->fpu_dp = 0;
	for (unsigned i = 0; i < 8; i++) {
		c->fpr[(top + i) & 7].m = in->fx.st[i].m;
		c->fpr[(top + i) & 7].se = in->fx.st[i].se;
	}
	x86_exc_reset(c);
	c->cpu.halted = c->cpu.stopped = false;
	c->cpu.exit_request = 0;
	x86_update_mode(c);
}

static void keep_state(const struct x86_cpu *c, struct regs *out)
{
	unsigned top = c->fpu_sw >> 11 & 7;

	memcpy(out->gpr, c->gpr, sizeof(out->gpr));
	out->flags = x86_eflags(c);
	out->fsbase = c->seg[S_FS].base;
	out->gsbase = c->seg[S_GS].base;
	memcpy(out->fx.xmm, c->xmm, sizeof(out->fx.xmm));
	out->fx.mxcsr = c->mxcsr;
	out->fx.cw = c->fpu_cw;
	out->fx.sw = c->fpu_sw;
	out->fx.tag = (u8)c->fpu_tag;
	out->fx.op = c->fpu_op;
	out->fx.ip = c->fpu_ip;
	out->fx.dp = c->fpu_dp;
	for (unsigned i = 0; i < 8; i++) {
		out->fx.st[i].m = c->fpr[(top + i) & 7].m;
		out->fx.st[i].se = c->fpr[(top + i) & 7].se;
	}
}

enum run_result guest_run(struct guest *g, const struct regs *in, const struct memory *mem,
			  struct regs *out)
{
	struct x86_cpu *c = g->c;

	load_memory(g, mem);
	load_state(c, in);
	memset(out, 0, sizeof(*out));
	out->vector = -1;
	g->out = out;
	/* page walks are part of the test */
	if (++g->runs % 64 == 0)
		cpu_tlb_flush_all(&c->cpu);
	ticks = 0;
	current = &c->cpu;
	engine_run(g->m->engine, &c->cpu);
	current = NULL;
	keep_state(c, out);
	if (out->vector < 0)
		out->rip = c->cpu.pc;
	return out->vector < 0 ? RUN_TIMEOUT : RUN_ENDED;
}

void guest_tick(void)
{
	if (current && ++ticks > 3)
		__atomic_fetch_or(&current->exit_request, CPU_EXIT_STOP, __ATOMIC_SEQ_CST);
}

const u8 *guest_page(struct guest *g, unsigned page) { return phys(g, page_phys(page)); }
