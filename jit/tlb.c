/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tlb.c - the soft TLB: context sets per address space, filling from page walks, flushing. A fast
 * entry exists only for plain RAM; write entries only where the guest's dirty bit is set and the
 * page holds no translation. */
#include "engine.h"
#include "../core/debug.h"
#include <errno.h>
#include <sys/mman.h>

static struct tlb_set *set_new(void)
{
	struct tlb_set *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return s == MAP_FAILED ? NULL : s;
}

static void clear_fast(struct tlb_fast *f)
{
	f->tag = FAST_NONE;
	f->addend = 0;
}

static struct ret_site no_site = { .tag = JC_NONE };

void tlb_ret_clear(struct tlb_set *s)
{
	for (unsigned i = 0; i < RET_SITES; i++)
		s->ret[i] = &no_site;
}

void tlb_jc_clear(struct tlb_set *s, unsigned class)
{
	tlb_ret_clear(s);
	for (unsigned i = 0; i < JC_SIZE; i++)
		s->jc[class][i].pc = JC_NONE;
}

static void drop_entry(struct tlb_set *s, unsigned ctx, u32 i)
{
	s->info[ctx][i].tag = TAG_NONE;
	clear_fast(&s->fast[ctx][i].r);
	clear_fast(&s->fast[ctx][i].w);
}

static void flush_all_of(struct tlb_set *s)
{
	for (unsigned c = 0; c < ENGINE_CONTEXTS; c++)
		for (u32 i = 0; i < TLB_SIZE; i++)
			drop_entry(s, c, i);
	for (unsigned c = 0; c < ENGINE_CLASSES; c++)
		tlb_jc_clear(s, c);
	memset(s->large_areas, 0, sizeof(s->large_areas));
	memset(s->code_pages, 0, sizeof(s->code_pages));
	s->huge = false;
	s->nlog = s->njlog = 0;
}

static void flush_nonglobal_of(struct tlb_set *s)
{
	if (s->nlog > TLB_LOG || s->njlog > TLB_LOG) {
		flush_all_of(s);
		return;
	}
	for (u32 k = 0; k < s->nlog; k++) {
		unsigned c = s->log[k] >> TLB_BITS, i = s->log[k] & (TLB_SIZE - 1);

		if (!s->info[c][i].global)
			drop_entry(s, c, i);
	}
	for (u32 k = 0; k < s->njlog; k++)
		s->jc[s->jlog[k] >> JC_BITS][s->jlog[k] & (JC_SIZE - 1)].pc = JC_NONE;
	tlb_ret_clear(s);
	s->nlog = s->njlog = 0;
}

void tlb_flush_set(struct tlb_set *s, bool global_too)
{
	if (global_too)
		flush_all_of(s);
	else
		flush_nonglobal_of(s);
}

int tlb_init(struct engine_cpu *ec)
{
	for (unsigned i = 0; i < ENGINE_SETS; i++) {
		ec->sets[i] = set_new();
		if (!ec->sets[i])
			return -ENOMEM;
	}
	/* the others are made ready when they are first used */
	ec->set = ec->sets[0];
	flush_all_of(ec->set);
	ec->cpu->ret_top = ec->set->ret;
	ec->set->used = true;
	ec->set->asid = ~0ull;
	return 0;
}

void tlb_fini(struct engine_cpu *ec)
{
	for (unsigned i = 0; i < ENGINE_SETS; i++)
		if (ec->sets[i])
			munmap(ec->sets[i], sizeof(*ec->sets[i]));
}

void cpu_tlb_switch(struct cpu *cpu, u64 asid, bool flush)
{
	struct engine_cpu *ec = cpu->engine;
	struct tlb_set *s = ec->set, *oldest = NULL;

	if (s->asid == asid) {
		if (flush)
			flush_nonglobal_of(s);
		return;
	}
	for (unsigned i = 0; i < ENGINE_SETS; i++) {
		s = ec->sets[i];
		if (s->used && s->asid == asid) {
			if (flush)
				flush_nonglobal_of(s);
			goto found;
		}
		if (!oldest || !s->used || (oldest->used && s->stamp < oldest->stamp))
			oldest = s;
	}
	s = oldest;
	if (!s->used) {
		flush_all_of(s);
		s->ret_top = s->ret;
	} else {
		flush_nonglobal_of(s);
	}
	s->used = true;
	s->asid = asid;
found:
	s->stamp = ++ec->stamp;
	ec->set->ret_top = cpu->ret_top;
	cpu->ret_top = s->ret_top;
	ec->set = s;
}

static void each_set(struct cpu *cpu, void (*fn)(struct tlb_set *))
{
	for (unsigned i = 0; i < ENGINE_SETS; i++)
		if (cpu->engine->sets[i]->used)
			fn(cpu->engine->sets[i]);
}

void cpu_tlb_flush_all(struct cpu *cpu) { each_set(cpu, flush_all_of); }

void cpu_tlb_flush_nonglobal(struct cpu *cpu) { each_set(cpu, flush_nonglobal_of); }

void cpu_tlb_flush_asid(struct cpu *cpu, u64 asid)
{
	for (unsigned i = 0; i < ENGINE_SETS; i++)
		if (cpu->engine->sets[i]->used && cpu->engine->sets[i]->asid == asid)
			flush_nonglobal_of(cpu->engine->sets[i]);
}

void tlb_flush_everything(struct engine *e)
{
	for (u32 i = 0; i < e->ncpus; i++)
		cpu_tlb_flush_all(e->cpus[i]->cpu);
	e->stats.flushes++;
}

static bool bit_of(const u64 *map, unsigned words, u64 key)
{
	u64 h = key * 0x9e3779b97f4a7c15ull >> 40;

	return map[h / 64 % words] >> (h & 63) & 1;
}

static void set_bit_of(u64 *map, unsigned words, u64 key)
{
	u64 h = key * 0x9e3779b97f4a7c15ull >> 40;

	map[h / 64 % words] |= 1ull << (h & 63);
}

/* Entries cut from a large page around va: any of its 4 KiB pieces may be resident. */
static void drop_large(struct tlb_set *s, u64 va)
{
	u64 area = s->huge ? ~0ull << 30 : ~0ull << 21;

	for (unsigned c = 0; c < ENGINE_CONTEXTS; c++)
		for (u32 i = 0; i < TLB_SIZE; i++)
			if (s->info[c][i].large && (s->info[c][i].tag & area) == (va & area))
				drop_entry(s, c, i);
	for (unsigned c = 0; c < ENGINE_CLASSES; c++)
		tlb_jc_clear(s, c);
}

/* Jump cache entries of a page, with those of instructions that reach into it from the page before.
 */
static void drop_jumps(struct tlb_set *s, unsigned class, u64 page)
{
	for (unsigned k = 0; k < JC_SIZE; k++)
		if (s->jc[class][k].pc - (page - 16) < GUEST_PAGE + 16 || s->class_base[class])
			s->jc[class][k].pc = JC_NONE;
}

static void drop_page(struct tlb_set *s, u64 va, bool global_only)
{
	u32 i = tlb_index(va);
	u64 page = va & ~(u64)(GUEST_PAGE - 1);

	for (unsigned c = 0; c < ENGINE_CONTEXTS; c++)
		if (s->info[c][i].tag == page && (!global_only || s->info[c][i].global))
			drop_entry(s, c, i);
	tlb_ret_clear(s);
	if (s->huge || bit_of(s->large_areas, ARRAY_SIZE(s->large_areas), va >> 21))
		drop_large(s, va);
	if (bit_of(s->code_pages, ARRAY_SIZE(s->code_pages), page))
		for (unsigned c = 0; c < ENGINE_CLASSES; c++)
			drop_jumps(s, c, page);
}

void cpu_tlb_flush_page(struct cpu *cpu, u64 va)
{
	struct engine_cpu *ec = cpu->engine;

	for (unsigned i = 0; i < ENGINE_SETS; i++)
		if (ec->sets[i]->used)
			drop_page(ec->sets[i], va, ec->sets[i] != ec->set);
}

void cpu_tlb_flush_page_asid(struct cpu *cpu, u64 va, u64 asid)
{
	for (unsigned i = 0; i < ENGINE_SETS; i++)
		if (cpu->engine->sets[i]->used && cpu->engine->sets[i]->asid == asid)
			drop_page(cpu->engine->sets[i], va, false);
}

/* What lies at the mapped physical page. */
static void resolve(struct engine_cpu *ec, struct tlb_info *n)
{
	const struct flat_range *f = space_lookup(&ec->cpu->machine->memory, n->phys);
	u64 off;

	n->host = NULL;
	n->ram = NULL;
	n->io = NULL;
	n->ram_page = ~0ull;
	n->readonly = false;
	if (!f)
		return;
	off = f->offset + (n->phys - f->start);
	/* a page that two regions share is accessed piece by piece */
	if (f->last - n->phys < GUEST_PAGE - 1 || f->region->kind == REGION_IO ||
	    f->region->kind == REGION_RESERVED || !f->region->ram) {
		n->io = f->region->kind == REGION_IO && f->last - n->phys >= GUEST_PAGE - 1 ?
				f->region :
				NULL;
		n->io_off = off;
		return;
	}
	n->ram = f->region->ram;
	n->host = n->ram->host + off;
	n->ram_page = n->ram->first_page + (off >> GUEST_PAGE_BITS);
	n->readonly = f->readonly || f->region->kind != REGION_RAM;
	if (f->region->kind == REGION_ROMD || (off & (GUEST_PAGE - 1))) {
		n->host = NULL;
		n->ram = NULL;
	}
}

static void log_fill(struct tlb_set *s, unsigned ctx, u32 i)
{
	if (s->nlog < TLB_LOG)
		s->log[s->nlog] = (u16)(ctx << TLB_BITS | i);
	if (s->nlog <= TLB_LOG)
		s->nlog++;
}

static void install(struct engine_cpu *ec, unsigned ctx, u64 va, const struct mapping *m)
{
	struct tlb_set *s = ec->set;
	u64 page = va & ~(u64)(GUEST_PAGE - 1);
	u32 i = tlb_index(va);
	struct tlb_info *n = &s->info[ctx][i];

	drop_entry(s, ctx, i);
	n->tag = page;
	n->phys = m->phys & ~(u64)(GUEST_PAGE - 1);
	n->perm = (m->read ? TLB_R : 0) | (m->write ? TLB_W : 0) | (m->exec ? TLB_X : 0);
	n->global = m->global;
	n->large = m->page_bits > GUEST_PAGE_BITS;
	n->watch = m->watch || (unlikely(ec->cpu->machine->debug->nwatch) &&
				debug_watched_page(ec->cpu->machine->debug, page));
	resolve(ec, n);
	if (!n->global)
		log_fill(s, ctx, i);
	if (n->large) {
		set_bit_of(s->large_areas, ARRAY_SIZE(s->large_areas), va >> 21);
		s->huge |= m->page_bits > 21;
	}
	if (!n->host || n->watch)
		return;
	if (m->read)
		s->fast[ctx][i].r =
			(struct tlb_fast){ page >> GUEST_PAGE_BITS, (u64)n->host - page };
	if (m->write && !n->readonly &&
	    !(n->ram->page_flags[n->ram_page - n->ram->first_page] & PAGE_CODE)) {
		n->ram->page_flags[n->ram_page - n->ram->first_page] |= PAGE_DIRTY | PAGE_WRITABLE;
		s->fast[ctx][i].w =
			(struct tlb_fast){ page >> GUEST_PAGE_BITS, (u64)n->host - page };
	}
}

struct tlb_info *tlb_get(struct engine_cpu *ec, unsigned ctx, u64 va, enum access access)
{
	static const u8 need[] = {
		[ACCESS_READ] = TLB_R, [ACCESS_WRITE] = TLB_W, [ACCESS_EXEC] = TLB_X
	};
	struct tlb_info *n = &ec->set->info[ctx][tlb_index(va)];
	struct cpu *cpu = ec->cpu;
	struct mapping m = { 0 };
	int code;

	if (n->tag == (va & ~(u64)(GUEST_PAGE - 1)) && (n->perm & need[access])) {
		/* a page may have lost its translations: give it its write entry back */
		if (access == ACCESS_WRITE && n->host && !n->readonly && !n->watch &&
		    ec->set->fast[ctx][tlb_index(va)].w.tag == FAST_NONE &&
		    !(n->ram->page_flags[n->ram_page - n->ram->first_page] & PAGE_CODE)) {
			n->ram->page_flags[n->ram_page - n->ram->first_page] |=
				PAGE_DIRTY | PAGE_WRITABLE;
			ec->set->fast[ctx][tlb_index(va)].w =
				(struct tlb_fast){ n->tag >> GUEST_PAGE_BITS,
						   (u64)n->host - n->tag };
		}
		return n;
	}
	code = cpu->isa->walk(cpu, va, access, ctx, false, &m);
	if (code) {
		engine_sync_pc(ec);
		cpu->isa->mem_fault(cpu, va, access, ctx, code);
		cpu_unwind(cpu);
	}
	install(ec, ctx, va, &m);
	return n;
}

void tlb_code_page(struct engine *e, u64 ram_page, struct ram *ram)
{
	u8 *flags = &ram->page_flags[ram_page - ram->first_page];

	*flags |= PAGE_CODE;
	if (!(*flags & PAGE_WRITABLE))
		return;
	*flags &= (u8)~PAGE_WRITABLE;
	for (u32 k = 0; k < e->ncpus; k++)
		for (unsigned j = 0; j < ENGINE_SETS; j++) {
			struct tlb_set *s = e->cpus[k]->sets[j];

			if (!s->used)
				continue;
			for (unsigned c = 0; c < ENGINE_CONTEXTS; c++)
				for (u32 i = 0; i < TLB_SIZE; i++)
					if (s->fast[c][i].w.tag != FAST_NONE &&
					    s->info[c][i].ram_page == ram_page)
						clear_fast(&s->fast[c][i].w);
		}
}

void tlb_jc_put(struct engine_cpu *ec, unsigned class, const struct unit *u, bool global)
{
	struct tlb_set *s = ec->set;
	u64 page = (u->pc + u->pc_base) & ~(u64)(GUEST_PAGE - 1);
	u32 i = jc_index(u->pc);

	s->jc[class][i] = (struct jc_entry){ u->pc, u->host };
	set_bit_of(s->code_pages, ARRAY_SIZE(s->code_pages), page);
	if (u->ram_page2 != ~0ull)
		set_bit_of(s->code_pages, ARRAY_SIZE(s->code_pages), page + GUEST_PAGE);
	if (global)
		return;
	if (s->njlog < TLB_LOG)
		s->jlog[s->njlog] = (u16)(class << JC_BITS | i);
	if (s->njlog <= TLB_LOG)
		s->njlog++;
}

void tlb_jc_drop(struct engine *e, const struct unit *u)
{
	u32 i = jc_index(u->pc);

	for (u32 k = 0; k < e->ncpus; k++)
		for (unsigned j = 0; j < ENGINE_SETS; j++)
			for (unsigned c = 0; c < ENGINE_CLASSES; c++)
				if (e->cpus[k]->sets[j]->used &&
				    e->cpus[k]->sets[j]->jc[c][i].host == u->host)
					e->cpus[k]->sets[j]->jc[c][i].pc = JC_NONE;
}
