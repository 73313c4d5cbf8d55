/* SPDX-License-Identifier: GPL-2.0-or-later */
/* access.c - guest memory access outside the inline fast path: misses, devices, code pages, page
 * crossings, and what helpers call. */
#include "engine.h"
#include "../core/debug.h"

static const struct mem_attrs attrs_cpu = { 0 };

static unsigned ctx_of(u16 mem) { return (mem & IR_CTX) >> IR_CTX_SHIFT; }

static u64 host_ld(const void *p, unsigned size)
{
	switch (size) {
	case 1:
		return ld8(p);
	case 2: {
		u16 v;
		memcpy(&v, p, 2);
		return v;
	}
	case 4: {
		u32 v;
		memcpy(&v, p, 4);
		return v;
	}
	default: {
		u64 v;
		memcpy(&v, p, 8);
		return v;
	}
	}
}

static void host_st(void *p, unsigned size, u64 val)
{
	switch (size) {
	case 1:
		st8(p, (u8)val);
		break;
	case 2: {
		u16 v = (u16)val;
		memcpy(p, &v, 2);
		break;
	}
	case 4: {
		u32 v = (u32)val;
		memcpy(p, &v, 4);
		break;
	}
	default:
		memcpy(p, &val, 8);
		break;
	}
}

static void bus_answer(struct cpu *cpu, enum mem_result r, u64 phys, enum access access,
		       unsigned size)
{
	if (unlikely(r != MEM_OK) && cpu->isa->bus_error &&
	    cpu->isa->bus_error(cpu, phys, access, size))
		cpu_unwind(cpu);
}

/* The guest or a debugger watches this page. Its instruction runs singly when a watched address is
 * met: what follows comes right behind it. */
static cold_path void watched(struct engine_cpu *ec, u64 va, unsigned size, enum access access)
{
	struct cpu *cpu = ec->cpu;
	const struct isa *isa = cpu->isa;
	bool met = isa->watched && isa->watched(cpu, va, size, access, ec->single),
	     debug = debug_watched(cpu->machine->debug, va, size, access == ACCESS_WRITE);

	if (ec->single) {
		/* a write is told rather than a read of the same instruction */
		if (debug && (!ec->met.size || access == ACCESS_WRITE)) {
			ec->met.va = va;
			ec->met.size = size;
			ec->met.write = access == ACCESS_WRITE;
		}
		return;
	}
	if (!met && !debug)
		return;
	engine_sync_pc(ec);
	ec->single = true;
	cpu_unwind(cpu);
}

/* Inside one page, entry at hand. */
static u64 page_ld(struct engine_cpu *ec, struct tlb_info *n, u64 va, unsigned size)
{
	unsigned off = va & (GUEST_PAGE - 1);
	enum mem_result r;
	u64 v = ~0ull;

	if (unlikely(n->watch))
		watched(ec, va, size, ACCESS_READ);
	if (n->host)
		return host_ld(n->host + off, size);
	engine_sync_pc(ec);
	if (n->io)
		r = region_ld(n->io, n->io_off + off, size, &v, attrs_cpu);
	else
		r = space_ld(&ec->cpu->machine->memory, n->phys + off, size, &v, attrs_cpu);
	bus_answer(ec->cpu, r, n->phys + off, ACCESS_READ, size);
	return size == 8 ? v : v & ((1ull << 8 * size) - 1);
}

/* A store to a page with translations: those it touches go; the running one is left by executing
 * this instruction singly. */
static void code_store(struct engine_cpu *ec, struct tlb_info *n, unsigned off, unsigned size)
{
	engine_sync_pc(ec);
	if (units_written(ec->engine, n->ram_page, off, size, ec->cpu, !ec->single)) {
		ec->single = true;
		cpu_unwind(ec->cpu);
	}
}

static void page_st(struct engine_cpu *ec, struct tlb_info *n, u64 va, unsigned size, u64 val)
{
	unsigned off = va & (GUEST_PAGE - 1);
	enum mem_result r;

	if (unlikely(n->watch))
		watched(ec, va, size, ACCESS_WRITE);
	if (n->host && !n->readonly) {
		if (n->ram->page_flags[n->ram_page - n->ram->first_page] & PAGE_CODE)
			code_store(ec, n, off, size);
		n->ram->page_flags[n->ram_page - n->ram->first_page] |= PAGE_DIRTY;
		host_st(n->host + off, size, val);
		return;
	}
	engine_sync_pc(ec);
	if (n->io)
		r = region_st(n->io, n->io_off + off, size, val, attrs_cpu);
	else
		r = space_st(&ec->cpu->machine->memory, n->phys + off, size, val, attrs_cpu);
	bus_answer(ec->cpu, r, n->phys + off, ACCESS_WRITE, size);
}

static bool crosses(u64 va, unsigned size) { return (va & (GUEST_PAGE - 1)) + size > GUEST_PAGE; }

/* Before anything of an instruction's store happens: may it be written, and do translations have to
 * go? After this the store neither faults nor starts the instruction again. */
static void will_write(struct engine_cpu *ec, unsigned ctx, u64 va, unsigned size)
{
	u64 end = va + size, second = (end - 1) & ~(u64)(GUEST_PAGE - 1);
	unsigned parts = crosses(va, size) ? 2 : 1;

	tlb_get(ec, ctx, va, ACCESS_WRITE);
	if (parts == 2)
		tlb_get(ec, ctx, second, ACCESS_WRITE);
	for (unsigned k = 0; k < parts; k++) {
		u64 at = k ? second : va, stop = k + 1 < parts ? second : end;
		struct tlb_info *n = tlb_get(ec, ctx, at, ACCESS_WRITE);

		if (n->host && !n->readonly &&
		    n->ram->page_flags[n->ram_page - n->ram->first_page] & PAGE_CODE)
			code_store(ec, n, at & (GUEST_PAGE - 1), (unsigned)(stop - at));
	}
}

u64 cpu_ld(struct cpu *cpu, unsigned ctx, u64 va, unsigned size)
{
	struct engine_cpu *ec = cpu->engine;
	const struct tlb_fast *f = &ec->set->fast[ctx][tlb_index(va)].r;
	u64 v = 0;

	if (likely(f->tag == (va + size - 1) >> GUEST_PAGE_BITS))
		return host_ld((const void *)(va + f->addend), size);
	if (!crosses(va, size))
		return page_ld(ec, tlb_get(ec, ctx, va, ACCESS_READ), va, size);
	tlb_get(ec, ctx, va, ACCESS_READ);
	tlb_get(ec, ctx, (va + size - 1) & ~(u64)(GUEST_PAGE - 1), ACCESS_READ);
	for (unsigned i = 0; i < size; i++)
		v |= page_ld(ec, tlb_get(ec, ctx, va + i, ACCESS_READ), va + i, 1) << (8 * i);
	return v;
}

void cpu_st(struct cpu *cpu, unsigned ctx, u64 va, unsigned size, u64 val)
{
	struct engine_cpu *ec = cpu->engine;
	const struct tlb_fast *f = &ec->set->fast[ctx][tlb_index(va)].w;

	if (likely(f->tag == (va + size - 1) >> GUEST_PAGE_BITS)) {
		host_st((void *)(va + f->addend), size, val);
		return;
	}
	if (!crosses(va, size)) {
		page_st(ec, tlb_get(ec, ctx, va, ACCESS_WRITE), va, size, val);
		return;
	}
	will_write(ec, ctx, va, size);
	for (unsigned i = 0; i < size; i++)
		page_st(ec, tlb_get(ec, ctx, va + i, ACCESS_WRITE), va + i, 1,
			val >> (8 * i) & 0xff);
}

void cpu_probe(struct cpu *cpu, unsigned ctx, u64 va, size_t n, enum access access)
{
	u64 last = va + (n ? n - 1 : 0);

	for (u64 p = va & ~(u64)(GUEST_PAGE - 1);; p += GUEST_PAGE) {
		tlb_get(cpu->engine, ctx, p < va ? va : p, access);
		if (p == (last & ~(u64)(GUEST_PAGE - 1)))
			break;
	}
}

void cpu_ld_bytes(struct cpu *cpu, unsigned ctx, u64 va, void *buf, size_t n)
{
	u8 *p = buf;

	cpu_probe(cpu, ctx, va, n, ACCESS_READ);
	for (size_t i = 0; i < n;) {
		unsigned k = n - i >= 8 && !((va + i) & 7) ? 8 : 1;
		host_st(p + i, k, cpu_ld(cpu, ctx, va + i, k));
		i += k;
	}
}

void cpu_st_bytes(struct cpu *cpu, unsigned ctx, u64 va, const void *buf, size_t n)
{
	const u8 *p = buf;

	cpu_probe(cpu, ctx, va, n, ACCESS_WRITE);
	for (size_t i = 0; i < n;) {
		unsigned k = n - i >= 8 && !((va + i) & 7) ? 8 : 1;
		cpu_st(cpu, ctx, va + i, k, host_ld(p + i, k));
		i += k;
	}
}

void *cpu_host(struct cpu *cpu, unsigned ctx, u64 va, size_t *n, enum access access)
{
	struct engine_cpu *ec = cpu->engine;
	struct tlb_info *t = tlb_get(ec, ctx, va, access);
	size_t room = GUEST_PAGE - (va & (GUEST_PAGE - 1));

	if (*n > room)
		*n = room;
	if (!t->host || t->watch)
		return NULL;
	if (access == ACCESS_WRITE) {
		u8 *flags = &t->ram->page_flags[t->ram_page - t->ram->first_page];

		if (t->readonly || (*flags & PAGE_CODE))
			return NULL;
		*flags |= PAGE_DIRTY;
	}
	return t->host + (va & (GUEST_PAGE - 1));
}

u64 cpu_phys_ld(struct cpu *cpu, u64 pa, unsigned size)
{
	u64 v = ~0ull;

	/* page tables are in main memory nearly always */
	const struct flat_range *f = space_lookup(&cpu->machine->memory, pa);
	if (likely(f && f->region->ram && f->region->kind != REGION_ROMD &&
		   f->last - pa >= size - 1))
		return host_ld(f->region->ram->host + f->offset + (pa - f->start), size);
	if (space_ld(&cpu->machine->memory, pa, size, &v, attrs_cpu) != MEM_OK)
		v = ~0ull;
	return size == 8 ? v : v & 0xffffffff;
}

void cpu_phys_st(struct cpu *cpu, u64 pa, unsigned size, u64 val)
{
	u8 buf[8];

	host_st(buf, size, val);
	if (space_write(&cpu->machine->memory, pa, buf, size, attrs_cpu) != MEM_OK)
		return; /* nothing is there: the write is lost, as on hardware */
}

bool cpu_phys_cas(struct cpu *cpu, u64 pa, unsigned size, u64 expected, u64 val)
{
	size_t n = size;
	void *p = space_map(&cpu->machine->memory, pa, &n, true);
	bool ok;

	if (!p || n < size)
		return true; /* not memory: nothing to keep */
	if (size == 8) {
		ok = __atomic_compare_exchange_n((u64 *)p, &expected, val, false, __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST);
	} else {
		u32 x = (u32)expected;
		ok = __atomic_compare_exchange_n((u32 *)p, &x, (u32)val, false, __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST);
	}
	if (ok)
		space_dirty(&cpu->machine->memory, pa, size);
	return ok;
}

u64 cpu_io_read(struct cpu *cpu, u16 port, unsigned size)
{
	u64 v = ~0ull;

	if (space_ld(&cpu->machine->io, port, size, &v, attrs_cpu) != MEM_OK)
		v = ~0ull;
	return size == 8 ? v : v & ((1ull << 8 * size) - 1);
}

void cpu_io_write(struct cpu *cpu, u16 port, unsigned size, u64 val)
{
	if (space_st(&cpu->machine->io, port, size, val, attrs_cpu) != MEM_OK)
		return; /* nobody listens: the write is lost, as on hardware (the space has traced
			   it) */
}

/* --- the interpreter's and translated code's accesses */

static void check_aligned(struct cpu *cpu, u16 mem, u64 va, unsigned size, enum access access)
{
	if (!(mem & IR_ALIGNED) || !(va & (size - 1)))
		return;
	engine_sync_pc(cpu->engine);
	cpu->isa->misaligned(cpu, va, access, ctx_of(mem), size);
	cpu_unwind(cpu);
}

u64 access_load(void *c, enum ir_type t, u64 va, u16 mem, void *buf)
{
	struct cpu *cpu = c;
	enum access a = mem & IR_WILLWRITE ? ACCESS_WRITE : ACCESS_READ;
	unsigned ctx = ctx_of(mem), size = 1u << t;

	check_aligned(cpu, mem, va, size, a);
	if (mem & IR_WILLWRITE)
		will_write(cpu->engine, ctx, va, size);
	if (buf == (void *)(uintptr_t)1) { /* a probe */
		if (!(mem & IR_WILLWRITE))
			cpu_probe(cpu, ctx, va, size, ACCESS_READ);
		return 0;
	}
	if (t != V128)
		return cpu_ld(cpu, ctx, va, size);
	cpu_ld_bytes(cpu, ctx, va, buf, 16);
	return 0;
}

void access_store(void *c, enum ir_type t, u64 va, u16 mem, u64 val, const void *buf)
{
	struct cpu *cpu = c;

	check_aligned(cpu, mem, va, 1u << t, ACCESS_WRITE);
	if (t == V128)
		cpu_st_bytes(cpu, ctx_of(mem), va, buf, 16);
	else
		cpu_st(cpu, ctx_of(mem), va, 1u << t, val);
}

static u64 combine(unsigned op, u64 old, u64 v)
{
	switch (op) {
	case IR_RMW_ADD:
		return old + v;
	case IR_RMW_AND:
		return old & v;
	case IR_RMW_OR:
		return old | v;
	case IR_RMW_XOR:
		return old ^ v;
	case IR_RMW_SUB:
		return old - v;
	default:
		return v;
	}
}

/* Host address for an atomic access, or NULL when it must be done as a load and a store (devices,
 * code pages, page crossings). */
static void *atomic_host(struct cpu *cpu, unsigned ctx, u64 va, unsigned size)
{
	size_t n = size;
	void *p;

	if (va & (size - 1)) {
		cpu_probe(cpu, ctx, va, size, ACCESS_WRITE);
		return NULL;
	}
	p = cpu_host(cpu, ctx, va, &n, ACCESS_WRITE);
	return p;
}

#define RMW_SIZE(n) \
	static u64 rmw_##n(u##n *p, unsigned op, u##n v) \
	{ \
		u##n old = __atomic_load_n(p, __ATOMIC_RELAXED); \
		while (!__atomic_compare_exchange_n(p, &old, (u##n)combine(op, old, v), true, \
						    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) \
			; \
		return old; \
	}
RMW_SIZE(8)
RMW_SIZE(16)
RMW_SIZE(32)
RMW_SIZE(64)

u64 access_rmw(void *c, enum ir_type t, u64 va, u16 mem, u64 val)
{
	struct cpu *cpu = c;
	unsigned ctx = ctx_of(mem), size = 1u << t, op = mem >> IR_RMW_SHIFT & 7;
	void *p;
	u64 old;

	check_aligned(cpu, mem, va, size, ACCESS_WRITE);
	p = atomic_host(cpu, ctx, va, size);
	if (!p) {
		old = cpu_ld(cpu, ctx, va, size);
		cpu_st(cpu, ctx, va, size, combine(op, old, val));
		return old;
	}
	switch (t) {
	case I8:
		return rmw_8(p, op, (u8)val);
	case I16:
		return rmw_16(p, op, (u16)val);
	case I32:
		return rmw_32(p, op, (u32)val);
	default:
		return rmw_64(p, op, val);
	}
}

u64 access_cas(void *c, enum ir_type t, u64 va, u16 mem, u64 expected, u64 val)
{
	struct cpu *cpu = c;
	unsigned ctx = ctx_of(mem), size = 1u << t;
	u64 mask = t == I64 ? ~0ull : (1ull << 8 * size) - 1, old;
	void *p;

	check_aligned(cpu, mem, va, size, ACCESS_WRITE);
	expected &= mask;
	p = atomic_host(cpu, ctx, va, size);
	if (!p) {
		old = cpu_ld(cpu, ctx, va, size);
		cpu_st(cpu, ctx, va, size, old == expected ? val : old);
		return old;
	}
	switch (t) {
	case I8: {
		u8 x = (u8)expected;
		__atomic_compare_exchange_n((u8 *)p, &x, (u8)val, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST);
		return x;
	}
	case I16: {
		u16 x = (u16)expected;
		__atomic_compare_exchange_n((u16 *)p, &x, (u16)val, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST);
		return x;
	}
	case I32: {
		u32 x = (u32)expected;
		__atomic_compare_exchange_n((u32 *)p, &x, (u32)val, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST);
		return x;
	}
	default:
		__atomic_compare_exchange_n((u64 *)p, &expected, val, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST);
		return expected;
	}
}
