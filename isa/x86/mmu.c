/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mmu.c - page walks: no paging, 32-bit (PSE, PSE-36), PAE, 4-level. SDM volume 3 chapter 4.
 * Permissions are computed for the access context as a whole, so that one walk fills a TLB entry
 * for reads, writes and fetches. */
#include "system.h"
#include "decode.h"
#include <quern/device.h>

enum {
	PTE_P = 1,
	PTE_RW = 2,
	PTE_US = 4,
	PTE_PCD = 16,
	PTE_A = 32,
	PTE_D = 64,
	PTE_PS = 128,
	PTE_G = 256
};
#define PTE_NX BIT64(63)

/* One step of a walk. */
struct level {
	u64 at, entry;
};
struct walk {
	struct x86_cpu *c;
	u64 va;
	enum access access;
	unsigned ctx;
	bool peek;
	unsigned n; /* levels read */
	struct level level[4];
	bool rw, us, nx; /* accumulated */
	u64 last;	 /* the entry read last */
	unsigned size;	 /* of an entry */
};
enum { STEP_FAULT = -1, STEP_TABLE, STEP_LEAF };

static u32 fault_code(const struct walk *w, u32 bits)
{
	const struct x86_cpu *c = w->c;

	if (w->access == ACCESS_WRITE)
		bits |= PF_W;
	if (w->ctx == CTX_USER)
		bits |= PF_U;
	if (w->access == ACCESS_EXEC &&
	    (((c->efer & EFER_NXE) && (c->cr4 & CR4_PAE)) || (c->cr4 & CR4_SMEP)))
		bits |= PF_I;
	return WALK_PF | bits;
}

/* Reads an entry and accumulates its rights. Returns 0 or a fault code. `reserved`: bits that must
 * be 0. */
static int read_entry(struct walk *w, u64 at, u64 reserved, u64 *entry)
{
	u64 e = cpu_phys_ld(&w->c->cpu, at, w->size);

	w->last = e;
	if (!(e & PTE_P))
		return fault_code(w, 0);
	if (e & reserved)
		return fault_code(w, PF_P | PF_RSVD);
	w->level[w->n++] = (struct level){ at, e };
	w->rw &= !!(e & PTE_RW);
	w->us &= !!(e & PTE_US);
	w->nx |= w->size == 8 && e & PTE_NX;
	*entry = e;
	return 0;
}

/* Accessed bits in all levels, dirty in the last; false when an entry changed meanwhile. */
static bool mark(struct walk *w, bool dirty)
{
	for (unsigned i = 0; i < w->n; i++) {
		struct level *l = &w->level[i];
		u64 want = l->entry | PTE_A | (dirty && i == w->n - 1 ? PTE_D : 0);

		if (want != l->entry && !cpu_phys_cas(&w->c->cpu, l->at, w->size, l->entry, want))
			return false;
		l->entry = want;
	}
	return true;
}

/* The leaf is found: rights, A and D bits, the mapping. -1: walk again. */
static int finish(struct walk *w, u64 frame, unsigned bits, struct mapping *m)
{
	struct x86_cpu *c = w->c;
	u64 leaf = w->level[w->n - 1].entry;
	bool user = w->ctx == CTX_USER, dirty;

	m->phys = (frame & ~(BIT64(bits) - 1)) | (w->va & (BIT64(bits) - 1));
	m->page_bits = bits;
	m->global = leaf & PTE_G && c->cr4 & CR4_PGE;
	m->io = leaf & PTE_PCD;
	m->watch = c->watching && x86_watched_page(c, w->va);
	if (w->peek) {
		m->read = m->write = m->exec = true;
		return 0;
	}
	if (user) {
		m->read = w->us;
		m->write = w->us && w->rw;
		m->exec = w->us && !w->nx;
	} else {
		bool closed = w->us && w->ctx == CTX_KERNEL && c->cr4 & CR4_SMAP;

		m->read = !closed;
		m->write = !closed && (w->rw || !(c->cr0 & CR0_WP));
		m->exec = !w->nx && !(w->us && c->cr4 & CR4_SMEP);
	}
	if (!(w->access == ACCESS_WRITE ? m->write : w->access == ACCESS_EXEC ? m->exec : m->read))
		return fault_code(w, PF_P);
	dirty = w->access == ACCESS_WRITE;
	if (!mark(w, dirty))
		return -1;
	if (!dirty && !(leaf & PTE_D))
		m->write = false;
	return 0;
}

static int walk32(struct walk *w, struct mapping *m)
{
	struct x86_cpu *c = w->c;
	u32 va = (u32)w->va;
	u64 e, high;
	int r;

	w->size = 4;
	r = read_entry(w, (c->cr3 & 0xfffff000) + (va >> 22) * 4, 0, &e);
	if (r)
		return r;
	if (e & PTE_PS && c->cr4 & CR4_PSE) {
		/* PSE-36: bits 20..13 are address bits 39..32, as far as there are any; bit 21 is
		 * reserved */
		high = (e >> 13 & 0xff) << 32;
		if (e & BIT(21) || high & ~c->phys_mask)
			return fault_code(w, PF_P | PF_RSVD);
		return finish(w, (e & 0xffc00000) | high, 22, m);
	}
	r = read_entry(w, (e & 0xfffff000) + (va >> 12 & 0x3ff) * 4, 0, &e);
	return r ? r : finish(w, e & 0xfffff000, 12, m);
}

/* The two lower levels, common to PAE and 4-level paging. */
static int walk_low(struct walk *w, u64 table, u64 reserved, struct mapping *m)
{
	const u64 addr = w->c->phys_mask & ~0xfffull;
	u64 e;
	int r = read_entry(w, (table & addr) + (w->va >> 21 & 0x1ff) * 8, reserved, &e);

	if (r)
		return r;
	if (e & PTE_PS) {
		if (e & GENMASK(20, 13))
			return fault_code(w, PF_P | PF_RSVD);
		return finish(w, e & addr, 21, m);
	}
	r = read_entry(w, (e & addr) + (w->va >> 12 & 0x1ff) * 8, reserved, &e);
	return r ? r : finish(w, e & addr, 12, m);
}

static u64 nx_reserved(const struct x86_cpu *c) { return c->efer & EFER_NXE ? 0 : PTE_NX; }

static int walk_pae(struct walk *w, struct mapping *m)
{
	struct x86_cpu *c = w->c;
	u64 e = c->pdpte[w->va >> 30 & 3];

	w->size = 8;
	if (!(e & PTE_P))
		return fault_code(w, 0);
	return walk_low(w, e, (GENMASK64(62, 0) & ~c->phys_mask) | nx_reserved(c), m);
}

/* Where the page table of the last level lies, remembered as processors do (SDM volume 3 4.10.3):
 * until any invalidation, or a fault. */
static struct x86_table *table_of(struct walk *w)
{
	struct x86_cpu *c = w->c;

	return &c->tables[(w->va >> 21 ^ c->cr3 >> 12) % ARRAY_SIZE(c->tables)];
}

void x86_forget_tables(struct x86_cpu *c)
{
	if (!++c->table_gen)
		memset(c->tables, 0, sizeof(c->tables));
}

static bool remembered(struct walk *w, struct x86_table *t)
{
	return t->gen == w->c->table_gen && t->area == w->va >> 21 && t->cr3 == w->c->cr3;
}

static int walk64_down(struct walk *w, u64 reserved, struct mapping *m)
{
	struct x86_cpu *c = w->c;
	const u64 addr = c->phys_mask & ~0xfffull;
	struct x86_table *t = table_of(w);
	u64 e;
	int r = read_entry(w, (c->cr3 & addr) + (w->va >> 39 & 0x1ff) * 8, reserved | PTE_PS, &e);

	if (r)
		return r;
	r = read_entry(w, (e & addr) + (w->va >> 30 & 0x1ff) * 8, reserved, &e);
	if (r)
		return r;
	if (e & PTE_PS) {
		if (!x86_has(c, X86F_PDPE1GB) || e & GENMASK(29, 13))
			return fault_code(w, PF_P | PF_RSVD);
		return finish(w, e & addr, 30, m);
	}
	r = walk_low(w, e, reserved, m);
	/* found by way of four entries, whose accessed bits are set now */
	if (!r && w->n == 4 && !w->peek) {
		const struct level *l = w->level;

		*t = (struct x86_table){ .area = w->va >> 21,
					 .cr3 = c->cr3,
					 .at = l[2].entry & addr,
					 .gen = c->table_gen,
					 .rw = l[0].entry & l[1].entry & l[2].entry & PTE_RW,
					 .us = l[0].entry & l[1].entry & l[2].entry & PTE_US,
					 .nx = (l[0].entry | l[1].entry | l[2].entry) & PTE_NX };
	}
	return r;
}

static int walk64(struct walk *w, struct mapping *m)
{
	struct x86_cpu *c = w->c;
	const u64 addr = c->phys_mask & ~0xfffull;
	u64 reserved = (GENMASK64(51, 0) & ~c->phys_mask) | nx_reserved(c), e;
	struct x86_table *t = table_of(w);

	w->size = 8;
	if (!w->peek && remembered(w, t)) {
		struct walk quick = *w;

		quick.rw = t->rw;
		quick.us = t->us;
		quick.nx = t->nx;
		if (!read_entry(&quick, t->at + (w->va >> 12 & 0x1ff) * 8, reserved, &e) &&
		    !finish(&quick, e & addr, 12, m))
			return 0;
		t->gen = c->table_gen - 1;
	}
	return walk64_down(w, reserved, m);
}

int x86_walk(struct cpu *cpu, u64 va, enum access access, unsigned ctx, bool peek,
	     struct mapping *m)
{
	struct x86_cpu *c = X86(cpu);
	int r;

	if (!(c->cr0 & CR0_PG)) {
		*m = (struct mapping){ .phys = va & 0xffffffff,
				       .page_bits = 12,
				       .read = true,
				       .write = true,
				       .exec = true,
				       .watch = c->watching && x86_watched_page(c, va) };
		return 0;
	}
	if (c->efer & EFER_LMA && !x86_canonical(va))
		return WALK_NONCANONICAL;
	do {
		struct walk w = { .c = c,
				  .va = va,
				  .access = access,
				  .ctx = ctx,
				  .peek = peek,
				  .rw = true,
				  .us = true };

		r = c->efer & EFER_LMA ? walk64(&w, m) :
		    c->cr4 & CR4_PAE   ? walk_pae(&w, m) :
					 walk32(&w, m);
	} while (r < 0);
	return r;
}

int x86_walk_root(struct cpu *cpu, u64 root, u64 va, struct mapping *m, u64 *entry)
{
	/* a CPU that differs in its page-table root alone; nothing is written to it */
	struct x86_cpu c = *X86(cpu);
	struct walk w = { .c = &c,
			  .va = va,
			  .access = ACCESS_READ,
			  .ctx = CTX_KERNEL_OPEN,
			  .peek = true,
			  .rw = true,
			  .us = true };
	int r;

	c.cr3 = root & ~0xfffull;
	if (!(c.cr0 & CR0_PG))
		return x86_walk(cpu, va, ACCESS_READ, CTX_KERNEL_OPEN, true, m);
	if (c.efer & EFER_LMA && !x86_canonical(va))
		return WALK_NONCANONICAL;
	if (!(c.efer & EFER_LMA) && c.cr4 & CR4_PAE) {
		c.cr3 = root & 0xffffffe0;
		if (!x86_load_pdptes(&c, c.cr3))
			return fault_code(&w, PF_P | PF_RSVD);
	}
	r = c.efer & EFER_LMA ? walk64(&w, m) : c.cr4 & CR4_PAE ? walk_pae(&w, m) : walk32(&w, m);
	if (entry)
		*entry = w.last;
	return r;
}

void x86_mem_fault(struct cpu *cpu, u64 va, enum access access, unsigned ctx, int code)
{
	struct x86_cpu *c = X86(cpu);

	trace(NULL, "x86-fault", "cpu %u %s of %#llx at %#llx: %s, error %#x", cpu->index,
	      access == ACCESS_WRITE ? "write" :
	      access == ACCESS_EXEC  ? "fetch" :
				       "read",
	      (unsigned long long)va, (unsigned long long)cpu->pc,
	      code & WALK_NONCANONICAL ? "not canonical" :
	      code & PF_RSVD	       ? "reserved bits" :
	      code & PF_P	       ? "protection" :
					 "not present",
	      code & 0xffff);
	c->exc_soft = c->exc_trap = false;
	c->exc_has_error = true;
	if (code & WALK_NONCANONICAL) {
		if (access == ACCESS_EXEC && x86_canonical(x86_branch_alias(cpu->pc)))
			cpu->pc = x86_branch_alias(cpu->pc);
		c->exc_vector = access != ACCESS_EXEC && x86_stack_access(c, va) ? EXC_SS : EXC_GP;
		c->exc_error = 0;
		return;
	}
	c->exc_vector = EXC_PF;
	c->exc_error = code & 0xffff;
	c->exc_cr2 = x86_lin(c, va);
}

/* PAE: the four page directory pointers are registers, loaded with CR3. False when a present one
 * has reserved bits. */
bool x86_load_pdptes(struct x86_cpu *c, u64 cr3)
{
	const u64 reserved = ~c->phys_mask | GENMASK(8, 5) | GENMASK(2, 1);
	u64 e[4];

	for (unsigned i = 0; i < 4; i++) {
		e[i] = cpu_phys_ld(&c->cpu, (cr3 & 0xffffffe0) + i * 8, 8);
		if (e[i] & PTE_P && e[i] & reserved)
			return false;
	}
	memcpy(c->pdpte, e, sizeof(e));
	return true;
}

/* PUSH, POP, CALL, RET, ENTER, LEAVE, PUSHF, POPF, IRET and the like. */
static bool uses_stack(const struct x86_insn *in)
{
	u8 o = in->opcode, digit = in->modrm >> 3 & 7;

	if (in->map == MAP_0F)
		return o == 0xa0 || o == 0xa1 || o == 0xa8 || o == 0xa9;
	if (in->map != MAP_PRI)
		return false;
	if (o == 0xff)
		return digit == 2 || digit == 3 || digit == 6;
	return (o >= 0x50 && o <= 0x61) || o == 0x68 || o == 0x6a || o == 0x8f || o == 0x9a ||
	       o == 0x9c || o == 0x9d || o == 0xc2 || o == 0xc3 || (o >= 0xc8 && o <= 0xcb) ||
	       o == 0xcf || o == 0xe8 || (o < 0x20 && ((o & 7) == 6 || (o & 7) == 7));
}

/* Bytes at a linear address as a debugger reads them: no faults, no side effects. Returns how many
 * there are. */
static unsigned peek_code(struct x86_cpu *c, u64 va, u8 *buf, unsigned n)
{
	unsigned done = 0;

	while (done < n) {
		struct mapping m;
		u64 word;
		unsigned in = (va + done) & 7;

		if (x86_walk(&c->cpu, x86_lin(c, va + done), ACCESS_READ, CTX_KERNEL_OPEN, true,
			     &m))
			break;
		word = cpu_phys_ld(&c->cpu, m.phys & ~7ull, 8);
		while (in < 8 && done < n)
			buf[done++] = word >> in++ * 8;
	}
	return done;
}

bool x86_stack_access(struct x86_cpu *c, u64 va)
{
	struct x86_insn in;
	u8 code[15];
	unsigned n = peek_code(c, c->cpu.pc + c->cpu.pc_base, code, sizeof(code));

	if (x86_decode(code, n, c->cpu.mode, &in) <= 0)
		return false;
	for (unsigned i = 0; i < in.nops; i++)
		if (in.op[i].kind == OPK_MEM && in.seg == S_SS)
			return true;
	/* what the stack pointer makes (and rBP for ENTER, LEAVE), when it is that address that
	 * failed */
	if (!uses_stack(&in))
		return false;
	return va - c->gpr[R_SP] + 64 < 128 ||
	       (in.map == MAP_PRI && (in.opcode == 0xc8 || in.opcode == 0xc9));
}
