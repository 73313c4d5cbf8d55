/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit.c - translated units: finding, translating, linking, killing, and the memory they live in.
 * Code memory is a ring of regions; when it is full the oldest region's units go. */
#include "engine.h"
#include "../core/debug.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

/* FLAGS_AHEAD: bytes that isa->flags_dead may look at */
enum {
	BUCKETS = 1 << 16,
	META_BLOCK = 256 << 10,
	META_LIMIT = 8 << 20,
	FLAGS_AHEAD = 256,
	/* left in a region: for the largest unit, and of that for its return sites */
	UNIT_ROOM = 128 << 10,
	SITES_ROOM = 4 << 10
};

/* The machine thread's own time: others of the host do not count. */
static u64 thread_ns(const struct engine *e)
{
	struct timespec t;

	if (!e->opt.stats)
		return 0;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

int units_init(struct engine *e)
{
#ifdef QUERN_HOSTILE
	u64 bytes = 3 * REGION_CODE;
#else
	u64 bytes = e->opt.cache_bytes ? e->opt.cache_bytes : 256ull << 20;
#endif

	e->nregions = (u32)MAX(2ull, bytes / REGION_CODE);
	e->nbuckets = BUCKETS;
	e->buckets = xcalloc(BUCKETS, sizeof(*e->buckets));
	e->regions = xcalloc(e->nregions, sizeof(*e->regions));
	if (!e->backend)
		return 0;
	e->code = mmap(NULL, (size_t)e->nregions * REGION_CODE, PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (e->code == MAP_FAILED) {
		e->code = NULL;
		return -errno;
	}
	madvise(e->code, (size_t)e->nregions * REGION_CODE, MADV_HUGEPAGE);
	for (u32 i = 0; i < e->nregions; i++)
		e->regions[i].code = e->code + (size_t)i * REGION_CODE;
	return 0;
}

static void region_empty(struct engine *e, struct code_region *r)
{
	e->evictions++;
	/* return stacks point at sites in there */
	for (u32 i = 0; i < e->ncpus; i++)
		for (unsigned k = 0; k < ENGINE_SETS; k++)
			tlb_ret_clear(e->cpus[i]->sets[k]);
	for (struct unit *u = r->units; u; u = u->region_next)
		if (!u->dead)
			unit_kill(e, u);
	r->units = NULL;
	while (r->blocks) {
		struct meta_block *b = r->blocks;
		r->blocks = b->next;
		free(b);
	}
	r->used = r->sites = r->meta_used = r->meta_left = 0;
	vec_free(&r->order);
	r->meta = NULL;
}

void units_fini(struct engine *e)
{
	for (u32 i = 0; i < e->nregions; i++)
		region_empty(e, &e->regions[i]);
	if (e->code)
		munmap(e->code, (size_t)e->nregions * REGION_CODE);
	if (e->pages)
		munmap(e->pages, e->npages * sizeof(*e->pages));
	free(e->regions);
	free(e->buckets);
}

void *unit_alloc(struct engine *e, size_t n)
{
	struct code_region *r = &e->regions[e->cur_region];
	void *p;

	n = ALIGN_UP(n, 8);
	if (n > r->meta_left) {
		size_t size = MAX((size_t)META_BLOCK, n + sizeof(struct meta_block));
		struct meta_block *b = xalloc(size);

		b->next = r->blocks;
		r->blocks = b;
		r->meta = (u8 *)(b + 1);
		r->meta_left = size - sizeof(*b);
	}
	p = r->meta;
	memset(p, 0, n);
	r->meta += n;
	r->meta_left -= n;
	r->meta_used += n;
	return p;
}

struct ret_site *unit_site(struct engine *e)
{
	struct code_region *r = &e->regions[e->cur_region];

	if (REGION_CODE - r->used - r->sites < SITES_ROOM / 2)
		return NULL;
	r->sites += ALIGN_UP(sizeof(struct ret_site), 32);
	return (struct ret_site *)(r->code + REGION_CODE - r->sites);
}

static void next_region(struct engine *e)
{
	u32 first = e->backend ? 1 : 0; /* region 0 holds the back end's thunks */

	e->cur_region = e->cur_region + 1 < e->nregions ? e->cur_region + 1 : first;
	region_empty(e, &e->regions[e->cur_region]);
}

static struct page_units *page_units(struct engine *e, u64 page)
{
	if (page >= e->npages) {
		u64 n = MAX(e->machine->ram_pages, page + 1);
		size_t old = e->npages * sizeof(*e->pages), size = n * sizeof(*e->pages);
		void *p = e->pages ? mremap(e->pages, old, size, MREMAP_MAYMOVE) :
				     mmap(NULL, size, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (p == MAP_FAILED) {
			fprintf(stderr, "quern: out of memory for %llu guest pages\n",
				(unsigned long long)n);
			abort();
		}
		e->pages = p;
		e->npages = n;
	}
	return &e->pages[page];
}

static u32 hash_of(u64 pc, u64 base, u32 mode, u64 page, bool nospan)
{
	u64 h = (pc ^ base * 31 ^ (u64)mode << 40 ^ (page + nospan) * 0x9e3779b97f4a7c15ull) *
		0xff51afd7ed558ccdull;

	return (u32)(h >> 32);
}

struct unit *unit_find(struct engine *e, u64 pc, u64 base, u32 mode, u64 page, bool nospan)
{
	u32 h = hash_of(pc, base, mode, page, nospan);

	for (struct unit *u = e->buckets[h & (e->nbuckets - 1)]; u; u = u->hash_next)
		if (u->hash == h && u->pc == pc && u->mode == mode && u->ram_page == page &&
		    u->pc_base == base && u->nospan == nospan)
			return u;
	return NULL;
}

static unsigned start_bit(unsigned off) { return (off ^ off >> 7) & 255; }

static void insert(struct engine *e, struct unit *u)
{
	struct unit **b = &e->buckets[u->hash & (e->nbuckets - 1)];
	struct page_units *p = page_units(e, u->ram_page);

	u->hash_next = *b;
	*b = u;
	u->page_next = p->first;
	p->first = u;
	unsigned s = start_bit((u->pc + u->pc_base) & (GUEST_PAGE - 1));

	p->starts[s >> 6] |= 1ull << (s & 63);
	for (unsigned g = u->lo >> 6; g <= (unsigned)(u->hi - 1) >> 6; g++)
		p->granules |= 1ull << g;
	if (u->ram_page2 != ~0ull) {
		p = page_units(e, u->ram_page2);
		u->page2_next = p->first;
		p->first = u;
		p->granules |= 1;
	}
	u->region = &e->regions[e->cur_region];
	u->region_next = u->region->units;
	u->region->units = u;
	e->nunits++;
}

static struct unit **page_link(struct unit *u, u64 page)
{
	return u->ram_page == page ? &u->page_next : &u->page2_next;
}

static void page_remove(struct engine *e, struct unit *u, u64 page)
{
	struct page_units *p = page_units(e, page);
	struct unit **at = &p->first;

	while (*at != u)
		at = page_link(*at, page);
	*at = *page_link(u, page);
	p->granules = 0;
	if (!p->first)
		memset(p->starts, 0, sizeof(p->starts));
	for (struct unit *o = p->first; o; o = *page_link(o, page))
		if (o->ram_page == page)
			for (unsigned g = o->lo >> 6; g <= (unsigned)(o->hi - 1) >> 6; g++)
				p->granules |= 1ull << g;
		else
			p->granules |= 1;
}

void unit_link(struct engine *e, struct exit_slot *s, struct unit *to)
{
	if (s->to)
		return;
	s->to = to;
	s->next_in = to->incoming;
	s->prev_in = &to->incoming;
	if (s->next_in)
		s->next_in->prev_in = &s->next_in;
	to->incoming = s;
	e->backend->link(e, s, to);
}

static void unlink_incoming(struct engine *e, struct unit *u)
{
	for (struct exit_slot *s = u->incoming, *next; s; s = next) {
		next = s->next_in;
		s->to = NULL;
		s->next_in = NULL;
		e->backend->link(e, s, NULL);
	}
	u->incoming = NULL;
}

static void unlink_outgoing(struct engine *e, struct unit *u)
{
	for (u32 i = 0; i < u->nexits; i++) {
		struct exit_slot *s = &u->exits[i];

		if (!s->to)
			continue;
		*s->prev_in = s->next_in;
		if (s->next_in)
			s->next_in->prev_in = s->prev_in;
		s->to = NULL;
		/* the unit may be running: it must not reach what dies after it */
		e->backend->link(e, s, NULL);
	}
}

void unit_kill(struct engine *e, struct unit *u)
{
	struct unit **at;

	for (at = &e->buckets[u->hash & (e->nbuckets - 1)]; *at != u; at = &(*at)->hash_next)
		;
	*at = u->hash_next;
	page_remove(e, u, u->ram_page);
	if (u->ram_page2 != ~0ull)
		page_remove(e, u, u->ram_page2);
	unlink_outgoing(e, u);
	unlink_incoming(e, u);
	if (u->host)
		tlb_jc_drop(e, u);
	u->dead = true;
	e->nunits--;
	e->stats.invalidated++;
}

static bool overlaps(const struct unit *u, u64 page, unsigned off, unsigned n)
{
	if (u->ram_page == page && off < u->hi && off + n > u->lo)
		return true;
	return u->ram_page2 == page && off < u->hi2;
}

/* May `u` be what this CPU executes now? */
static bool running(const struct unit *u, const struct cpu *cpu)
{
	u64 start = (u->pc + u->pc_base) & ~(u64)(GUEST_PAGE - 1), at = cpu->pc + cpu->pc_base;

	return cpu->mode == u->mode && at >= start + u->lo && at < start + u->hi;
}

bool units_written(struct engine *e, u64 page, unsigned off, unsigned n, struct cpu *cpu,
		   bool keep_current)
{
	struct page_units *p = page_units(e, page);
	u64 mask = 0;

	for (unsigned g = off >> 6; g <= (off + n - 1) >> 6; g++)
		mask |= 1ull << g;
	if (!(p->granules & mask))
		return false;
	if (keep_current)
		for (struct unit *u = p->first; u; u = *page_link(u, page))
			if (overlaps(u, page, off, n) && running(u, cpu))
				return true;
	for (struct unit *u = p->first, *next; u; u = next) {
		next = *page_link(u, page);
		if (overlaps(u, page, off, n))
			unit_kill(e, u);
	}
	return false;
}

void units_flush(struct engine *e)
{
	for (u32 i = 0; i < e->nregions; i++)
		for (struct unit *u = e->regions[i].units; u; u = u->region_next)
			if (!u->dead)
				unit_kill(e, u);
	e->stats.flushes++;
}

/* Does a unit run across a debugger's point, or leave for one without its flags made? */
static bool meets_point(const struct debug *d, const struct unit *u, const struct isa *isa)
{
	u64 lin = (u->pc + u->pc_base) & isa->pc_mask(u->mode), page = lin & ~(u64)(GUEST_PAGE - 1);

	if (debug_exec_in(d, page + u->lo, page + u->hi - 1) ||
	    (u->hi2 && debug_exec_in(d, page + GUEST_PAGE, page + GUEST_PAGE + u->hi2 - 1)))
		return true;
	for (u32 i = 0; i < u->nexits; i++) {
		u64 to = (u->exits[i].pc + u->pc_base) & isa->pc_mask(u->mode);

		if (debug_exec_in(d, to, to + FLAGS_AHEAD))
			return true;
	}
	return false;
}

void units_debug(struct engine *e)
{
	const struct debug *d = e->machine->debug;

	e->debug_generation = d->generation;
	for (u32 i = 0; d->nexec && i < e->nregions; i++)
		for (struct unit *u = e->regions[i].units; u; u = u->region_next)
			if (!u->dead && meets_point(d, u, e->machine->isa))
				unit_kill(e, u);
}

/* --- translation */

struct job {
	struct lift lift;
	struct engine *e;
	u64 ram_page;
	const u8 *page; /* host address of the page */
};

static bool stop_at(struct lift *l, u64 pc)
{
	struct job *j = container_of(l, struct job, lift);
	unsigned b = start_bit((pc + l->pc_base) & (GUEST_PAGE - 1));
	const struct debug *d = j->e->machine->debug;
	u64 lin = (pc + l->pc_base) & l->cpu->isa->pc_mask(l->mode);

	if (unlikely(d->nexec) && debug_exec_in(d, lin, lin))
		return true;
	if (!(page_units(j->e, j->ram_page)->starts[b >> 6] >> (b & 63) & 1))
		return false;
	return unit_find(j->e, pc, l->pc_base, l->mode, j->ram_page, false) != NULL;
}

static bool exit_flags_dead(void *arg, u64 pc)
{
	struct job *j = arg;
	const struct isa *isa = j->lift.cpu->isa;
	u64 lin = (pc + j->lift.pc_base) & isa->pc_mask(j->lift.mode);
	u64 start = (j->lift.pc + j->lift.pc_base) & isa->pc_mask(j->lift.mode);
	unsigned off = lin & (GUEST_PAGE - 1);

	if (!isa->flags_dead || !j->page || (lin ^ start) >> GUEST_PAGE_BITS)
		return false;
	/* a debugger looks at them there */
	if (unlikely(j->e->machine->debug->nexec) &&
	    debug_exec_in(j->e->machine->debug, lin, lin + FLAGS_AHEAD))
		return false;
	return isa->flags_dead(&j->lift, j->page + off, GUEST_PAGE - off);
}

static void lift_setup(struct job *j, struct engine *e, struct cpu *cpu, unsigned max)
{
	const struct isa *isa = cpu->isa;
	u64 lin = (cpu->pc + cpu->pc_base) & isa->pc_mask(cpu->mode);

	ir_start(&e->ir, isa->slots, isa->helpers, isa->flags_slot);
	*j = (struct job){ .e = e,
			   .lift = { .ir = &e->ir,
				     .cpu = cpu,
				     .pc = cpu->pc,
				     .pc_base = cpu->pc_base,
				     .mode = cpu->mode,
				     .max_insns = max,
				     .stop_at = stop_at,
				     .page_offset = lin & (GUEST_PAGE - 1) } };
}

/* Up to 16 code bytes at lin that may lie in two pages or in no memory at all; returns how many. */
static unsigned gather(struct engine_cpu *ec, u64 lin, u8 *buf, u64 *page2)
{
	struct cpu *cpu = ec->cpu;
	unsigned ctx = cpu->isa->fetch_context(cpu->mode),
		 first = GUEST_PAGE - (lin & (GUEST_PAGE - 1)), n = 0;

	for (unsigned part = 0; part < 2 && n < 16; part++) {
		u64 va = lin + n;
		struct tlb_info *t = tlb_get(ec, ctx, va, ACCESS_EXEC);
		unsigned want = part ? 16 - n : MIN(16u, first);

		if (part && page2)
			*page2 = t->host ? t->ram_page : ~0ull;
		if (t->host)
			memcpy(buf + n, t->host + (va & (GUEST_PAGE - 1)), want);
		else if (space_read(&cpu->machine->memory, t->phys + (va & (GUEST_PAGE - 1)),
				    buf + n, want, (struct mem_attrs){ 0 }) != MEM_OK)
			memset(buf + n, 0xff, want);
		n += want;
		if (!part && want == 16)
			break;
	}
	return n;
}

void unit_lift_single(struct engine *e, struct engine_cpu *ec)
{
	struct cpu *cpu = ec->cpu;
	u64 lin = (cpu->pc + cpu->pc_base) & cpu->isa->pc_mask(cpu->mode);
	unsigned off = lin & (GUEST_PAGE - 1);
	u8 buf[32];
	struct job j;
	struct tlb_info *t = tlb_get(ec, cpu->isa->fetch_context(cpu->mode), lin, ACCESS_EXEC);

	lift_setup(&j, e, cpu, 1);
	if (t->host) {
		memcpy(buf, t->host + off, MIN(16u, GUEST_PAGE - off));
	} else if (space_read(&cpu->machine->memory, t->phys + off, buf, MIN(16u, GUEST_PAGE - off),
			      (struct mem_attrs){ 0 }) != MEM_OK) {
		memset(buf, 0xff, 16);
	}
	j.lift.code = buf;
	j.lift.avail = MIN(16u, GUEST_PAGE - off);
	if (cpu->isa->lift(&j.lift) == LIFT_SHORT) {
		lift_setup(&j, e, cpu, 1);
		j.lift.code = buf;
		j.lift.avail = gather(ec, lin, buf, NULL);
		j.lift.crossing = true;
		cpu->isa->lift(&j.lift);
	}
	ir_liveness(&e->ir, true, NULL, NULL);
}

static void keep_body(struct engine *e, struct unit *u)
{
	struct ir_op *op = unit_alloc(e, e->ir.nops * sizeof(*op));
	u64 *k = unit_alloc(e, e->ir.nconsts * sizeof(*k) + 8);
	struct ir_insn *in = unit_alloc(e, e->ir.ninsns * sizeof(*in));

	memcpy(op, e->ir.op, e->ir.nops * sizeof(*op));
	memcpy(k, e->ir.konst, e->ir.nconsts * sizeof(*k));
	memcpy(in, e->ir.insn, e->ir.ninsns * sizeof(*in));
	u->body = (struct ir_body){
		.nops = e->ir.nops, .ntemps = e->ir.ntemps, .op = op, .konst = k, .insn = in
	};
}

static void emit(struct engine *e, struct unit *u)
{
	struct code_region *r = &e->regions[e->cur_region];
	size_t n;

	u->insn_pc = unit_alloc(e, e->ir.ninsns * sizeof(s32));
	for (u32 i = 0; i < e->ir.ninsns; i++)
		u->insn_pc[i] = (s32)(e->ir.insn[i].pc - u->pc);
	n = e->backend->emit(e, u, r->code + r->used,
			     REGION_CODE - r->used - r->sites - SITES_ROOM);
	assert(n); /* translate made room for the largest unit */
	for (size_t k = (r->used + ORDER_CHUNK - 1) / ORDER_CHUNK;
	     k * ORDER_CHUNK < r->used + ALIGN_UP(n, 16); k++)
		r->first[k] = (u32)r->order.n;
	r->used += ALIGN_UP(n, 16);
	vec_push(&r->order, u);
	e->stats.host_bytes += n;
}

struct unit *unit_at(struct engine *e, const u8 *host)
{
	struct code_region *r = &e->regions[(size_t)(host - e->code) / REGION_CODE];
	size_t i = r->first[(size_t)(host - r->code) / ORDER_CHUNK];

	while (i + 1 < r->order.n && r->order.at[i + 1]->host <= host)
		i++;
	return r->order.at[i];
}

static struct unit *translate(struct engine *e, struct engine_cpu *ec, struct tlb_info *t, u64 lin,
			      bool nospan)
{
	struct cpu *cpu = ec->cpu;
	unsigned off = lin & (GUEST_PAGE - 1);
	u64 page = t->ram_page, page2 = ~0ull, t0 = thread_ns(e);
	struct ram *ram = t->ram, *ram2 = NULL;
	const u8 *code = t->host;
	struct job j;
	struct unit *u;
	u8 buf[32];
	int hi2 = 0;

	/* room for the worst unit; makes everything below land in one region */
	struct code_region *r = &e->regions[e->cur_region];
	if (r->meta_used > META_LIMIT ||
	    (e->backend && REGION_CODE - r->used - r->sites < UNIT_ROOM))
		next_region(e);
	lift_setup(&j, e, cpu, e->opt.one_insn ? 1 : nospan ? MAX_NOSPAN_INSNS : MAX_UNIT_INSNS);
	j.ram_page = page;
	j.page = code;
	j.lift.code = code + off;
	j.lift.avail = GUEST_PAGE - off;
	if (cpu->isa->lift(&j.lift) == LIFT_SHORT) {
		unsigned n = gather(ec, lin, buf, &page2); /* may fault: nothing is held */
		if (page2 == ~0ull)
			return NULL;
		ram2 = tlb_get(ec, cpu->isa->fetch_context(cpu->mode), lin + n - 1, ACCESS_EXEC)
			       ->ram;
		lift_setup(&j, e, cpu, 1);
		j.ram_page = page;
		j.lift.code = buf;
		j.lift.avail = n;
		j.lift.crossing = true;
		cpu->isa->lift(&j.lift);
		hi2 = j.lift.hi - (int)(GUEST_PAGE - off);
		j.lift.hi = (int)(GUEST_PAGE - off);
	}
#ifdef QUERN_HOSTILE
	const char *bad = ir_verify(&e->ir);
	if (bad) {
		fprintf(stderr, "quern: the front-end made bad IR at %#llx: %s\n",
			(unsigned long long)cpu->pc, bad);
		abort();
	}
#endif
	ir_liveness(&e->ir, e->exact, e->exact ? NULL : exit_flags_dead, &j);
	if (e->backend && !nospan)
		ir_spans(&e->ir);
	u = unit_alloc(e, sizeof(*u));
	*u = (struct unit){ .pc = cpu->pc,
			    .pc_base = cpu->pc_base,
			    .mode = cpu->mode,
			    .ram_page = page,
			    .ram_page2 = hi2 > 0 ? page2 : ~0ull,
			    .lo = (u16)((int)off + j.lift.lo),
			    .hi = (u16)((int)off + j.lift.hi),
			    .hi2 = (u16)MAX(hi2, 0),
			    .ninsns = e->ir.ninsns,
			    .nospan = nospan };
	u->hash = hash_of(u->pc, u->pc_base, u->mode, page, nospan);
	if (e->backend)
		emit(e, u);
	else
		keep_body(e, u);
	tlb_code_page(e, page, ram);
	if (u->ram_page2 != ~0ull)
		tlb_code_page(e, page2, ram2);
	insert(e, u);
	e->stats.units++;
	e->stats.insns += u->ninsns;
	e->stats.guest_bytes += u->hi - u->lo + u->hi2;
	e->stats.translate_ns += thread_ns(e) - t0;
	return u;
}

struct unit *unit_get(struct engine *e, struct engine_cpu *ec, bool nospan)
{
	struct cpu *cpu = ec->cpu;
	u64 lin = (cpu->pc + cpu->pc_base) & cpu->isa->pc_mask(cpu->mode);
	struct tlb_info *t = tlb_get(ec, cpu->isa->fetch_context(cpu->mode), lin, ACCESS_EXEC);
	struct unit *u;

	if (!t->host)
		return NULL;
	e->stats.lookups++;
	u = unit_find(e, cpu->pc, cpu->pc_base, cpu->mode, t->ram_page, nospan);
	if (u && u->ram_page2 != ~0ull) {
		/* does the crossing instruction's second page still lie where it did? */
		struct tlb_info *t2 = tlb_get(ec, cpu->isa->fetch_context(cpu->mode),
					      (lin | (GUEST_PAGE - 1)) + 1, ACCESS_EXEC);
		if (t2->ram_page != u->ram_page2) {
			unit_kill(e, u);
			u = NULL;
		}
		t = tlb_get(ec, cpu->isa->fetch_context(cpu->mode), lin, ACCESS_EXEC);
	}
	return u ? u : translate(e, ec, t, lin, nospan);
}
