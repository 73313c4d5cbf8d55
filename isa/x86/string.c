/* SPDX-License-Identifier: GPL-2.0-or-later */
/* string.c - helpers: repeated string instructions as bulk operations. Intel SDM vol. 1,
 * section 7.3.9.
 *
 * Work is cut into chunks that lie in one page of each operand, so that a fault happens at the
 * first element of a chunk, with rCX, rSI, rDI exactly where that element finds them. RAM is
 * reached through host pointers; whatever is not plain RAM, or crosses a page, or needs the
 * segment's checks, goes element by element. Between chunks a request to leave is honoured. */
#include "helpers.h"
#include "string.h"

enum { PAGE = 4096, SLOW_ELEMENTS = 256 };

struct run {
	struct x86_cpu *c;
	unsigned size, shift, ctx, seg;
	u64 amask, count;
	bool down, norep, one;
	unsigned done; /* elements moved in this call */
};

static struct run begin(struct cpu *cpu, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	unsigned asize = 1u << (imm >> STR_ASIZE_SHIFT & 3);
	struct run r = { .c = c,
			 .shift = imm & STR_SIZE,
			 .size = 1u << (imm & STR_SIZE),
			 .ctx = x86_data_ctx(cpu->mode),
			 .seg = imm >> STR_SEG_SHIFT & 7,
			 .amask = asize == 8 ? ~0ull :
				  asize == 4 ? 0xffffffff :
					       0xffff,
			 .down = c->eflags & EFL_DF,
			 .norep = imm & STR_NOREP,
			 .one = imm & STR_ONE };

	r.count = r.norep ? 1 : c->gpr[R_CX] & r.amask;
	return r;
}

/* A register of the address size: 32 bits clear the upper half, 16 bits leave the rest. */
static void set_reg(struct run *r, unsigned reg, u64 v)
{
	u64 *p = &r->c->gpr[reg];

	*p = r->amask == 0xffff ? (*p & ~0xffffull) | (v & 0xffff) : v & r->amask;
}

static void advance(struct run *r, unsigned reg, u64 elements)
{
	u64 bytes = elements << r->shift;

	set_reg(r, reg, r->down ? r->c->gpr[reg] - bytes : r->c->gpr[reg] + bytes);
}

static void count_down(struct run *r, u64 elements)
{
	r->count -= elements;
	r->done += (unsigned)elements;
	if (!r->norep)
		set_reg(r, R_CX, r->c->gpr[R_CX] - elements);
}

/* Is it time to leave with work left? */
static bool stop(const struct run *r)
{
	return r->one || __atomic_load_n(&r->c->cpu.exit_request, __ATOMIC_RELAXED);
}

static bool code64(const struct run *r) { return (r->c->cpu.mode & M_CODE) == M_CODE64; }

/* How many elements from offset `off` of the segment lie in one page, need no check and do not
 * wrap: and the linear address of the lowest of them. 0: go element by element. */
static u64 span(const struct run *r, unsigned sreg, u64 off, bool write, u64 *low)
{
	const struct x86_seg *s = &r->c->seg[sreg];
	u64 lin, n, lowoff, bytes;

	if (code64(r)) {
		lin = off + (sreg == S_FS || sreg == S_GS ? s->base : 0);
	} else {
		if (!(s->attr & SEG_P) || (s->attr & (SEG_S | 0xc)) != SEG_S ||
		    (write && !(s->attr & 2)))
			return 0;
		lin = (u32)(off + s->base);
	}
	/* the element at off itself must not cross the page, nor want an alignment check */
	if ((lin & (PAGE - 1)) + r->size > PAGE ||
	    (r->c->cpu.mode & M_ALIGN && lin & (r->size - 1)))
		return 0;
	n = r->down ? ((lin & (PAGE - 1)) >> r->shift) + 1 :
		      (PAGE - (lin & (PAGE - 1))) >> r->shift;
	n = MIN(n, r->count);
	if (r->one)
		n = 1;
	bytes = (n - 1) << r->shift;
	if (r->down) {
		if (bytes > off)
			return 0;
		lowoff = off - bytes;
		*low = lin - bytes;
	} else {
		lowoff = off;
		*low = lin;
	}
	if (lowoff + bytes + r->size - 1 < lowoff || lowoff + bytes + r->size - 1 > r->amask)
		return 0;
	if (!code64(r) && lowoff + bytes + r->size - 1 > s->limit)
		return 0;
	return n;
}

/* lin: of the lowest element. A fault is at the first one. */
static void *host(struct run *r, u64 lin, u64 elements, enum access access)
{
	size_t want = elements << r->shift, n = want;
	void *p;

	if (r->down && elements > 1)
		cpu_probe(&r->c->cpu, r->ctx, lin + want - r->size, r->size, access);
	p = cpu_host(&r->c->cpu, r->ctx, lin, &n, access);
	return n == want ? p : NULL;
}

static u64 load(const void *p, unsigned size)
{
	return size == 1 ? ld8(p) : size == 2 ? ld16le(p) : size == 4 ? ld32le(p) : ld64le(p);
}

static void store(void *p, unsigned size, u64 v)
{
	switch (size) {
	case 1:
		st8(p, (u8)v);
		break;
	case 2:
		st16le(p, (u16)v);
		break;
	case 4:
		st32le(p, (u32)v);
		break;
	default:
		st64le(p, v);
		break;
	}
}

/* The address of one element, checked for segment and alignment. */
static u64 linear(struct run *r, unsigned sreg, unsigned reg, bool write)
{
	struct cpu *cpu = &r->c->cpu;
	u64 lin = x86_linear(r->c, sreg, r->c->gpr[reg] & r->amask, r->size, write);

	if ((cpu->mode & M_ALIGN) && lin & (r->size - 1)) {
		cpu->isa->misaligned(cpu, lin, write ? ACCESS_WRITE : ACCESS_READ, r->ctx, r->size);
		cpu_unwind(cpu);
	}
	return lin;
}

/* May the slow way go on, or is it time for another try at the fast one? */
static bool slow_more(struct run *r, u64 *budget) { return r->count && --*budget && !stop(r); }

/* --- MOVS */

static void copy(u8 *d, const u8 *s, u64 bytes, unsigned size, bool down)
{
	/* moving onto bytes that are read later repeats a pattern: element by element */
	if (!down && d > s && d < s + bytes) {
		for (u64 i = 0; i < bytes; i += size)
			store(d + i, size, load(s + i, size));
	} else if (down && d < s && d + bytes > s) {
		for (u64 i = bytes; i; i -= size)
			store(d + i - size, size, load(s + i - size, size));
	} else {
		memmove(d, s, bytes);
	}
}

static u64 movs_fast(struct run *r)
{
	u64 from, to, n, m;
	void *s, *d;

	n = span(r, r->seg, r->c->gpr[R_SI] & r->amask, false, &from);
	m = span(r, S_ES, r->c->gpr[R_DI] & r->amask, true, &to);
	if (!n || !m)
		return 0;
	if (r->down) {
		from += (n - MIN(n, m)) << r->shift;
		to += (m - MIN(n, m)) << r->shift;
	}
	n = MIN(n, m);
	s = host(r, from, n, ACCESS_READ);
	d = host(r, to, n, ACCESS_WRITE);
	if (!s || !d)
		return 0;
	copy(d, s, n << r->shift, r->size, r->down);
	return n;
}

static void movs_slow(struct run *r)
{
	u64 budget = SLOW_ELEMENTS;

	do {
		u64 from = linear(r, r->seg, R_SI, false), to, v;

		/* a device is not read in vain; yet the source's faults come first */
		cpu_probe(&r->c->cpu, r->ctx, from, r->size, ACCESS_READ);
		to = linear(r, S_ES, R_DI, true);
		cpu_probe(&r->c->cpu, r->ctx, to, r->size, ACCESS_WRITE);
		v = cpu_ld(&r->c->cpu, r->ctx, from, r->size);
		cpu_st(&r->c->cpu, r->ctx, to, r->size, v);
		advance(r, R_SI, 1);
		advance(r, R_DI, 1);
		count_down(r, 1);
	} while (slow_more(r, &budget));
}

u64 x86_h_rep_movs(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct run r = begin(cpu, imm);

	while (r.count) {
		u64 n = movs_fast(&r);

		if (n) {
			advance(&r, R_SI, n);
			advance(&r, R_DI, n);
			count_down(&r, n);
		} else {
			movs_slow(&r);
		}
		if (r.count && stop(&r))
			return 1;
	}
	return 0;
}

/* --- STOS */

static void fill(u8 *d, u64 elements, unsigned size, u64 v)
{
	u64 same = (u8)v * 0x0101010101010101ull;

	if (size == 1 || !((same ^ v) << (64 - 8 * size))) {
		memset(d, (u8)v, elements * size);
		return;
	}
	for (u64 i = 0; i < elements; i++)
		store(d + i * size, size, v);
}

static void stos_slow(struct run *r)
{
	u64 budget = SLOW_ELEMENTS;

	do {
		cpu_st(&r->c->cpu, r->ctx, linear(r, S_ES, R_DI, true), r->size, r->c->gpr[R_AX]);
		advance(r, R_DI, 1);
		count_down(r, 1);
	} while (slow_more(r, &budget));
}

u64 x86_h_rep_stos(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct run r = begin(cpu, imm);

	while (r.count) {
		u64 to, n = span(&r, S_ES, r.c->gpr[R_DI] & r.amask, true, &to);
		void *d = n ? host(&r, to, n, ACCESS_WRITE) : NULL;

		if (d) {
			fill(d, n, r.size, r.c->gpr[R_AX]);
			advance(&r, R_DI, n);
			count_down(&r, n);
		} else {
			stos_slow(&r);
		}
		if (r.count && stop(&r))
			return 1;
	}
	return 0;
}

/* --- LODS: only the last element is left in the end, yet each access counts */

static void put_acc(struct run *r, u64 v)
{
	u64 *p = &r->c->gpr[R_AX];

	*p = r->size == 1 ? (*p & ~0xffull) | (u8)v : r->size == 2 ? (*p & ~0xffffull) | (u16)v : v;
}

u64 x86_h_rep_lods(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct run r = begin(cpu, imm);

	while (r.count) {
		u64 from, n = span(&r, r.seg, r.c->gpr[R_SI] & r.amask, false, &from);
		const u8 *s = n ? host(&r, from, n, ACCESS_READ) : NULL;

		if (s) {
			put_acc(&r, load(r.down ? s : s + ((n - 1) << r.shift), r.size));
		} else {
			put_acc(&r, cpu_ld(cpu, r.ctx, linear(&r, r.seg, R_SI, false), r.size));
			n = 1;
		}
		advance(&r, R_SI, n);
		count_down(&r, n);
		if (r.count && stop(&r))
			return 1;
	}
	return 0;
}

/* --- CMPS, SCAS */

static u64 cut(u64 v, unsigned size) { return size == 8 ? v : v & ((1ull << (8 * size)) - 1); }

/* Flags of v - w. */
static void compare(struct run *r, u64 v, u64 w)
{
	struct ir_eval e = { .a = v, .b = w, .flags = r->c->cpu.hflags };

	ir_evaluate(IR_SUB, (enum ir_type)r->shift, 0, &e);
	r->c->cpu.hflags = e.flags;
}

/* Elements of two arrays in the order of the walk until the repetition ends: how many were looked
 * at; *v, *w are the last pair. w fixed: step 0. */
static u64 walk(const struct run *r, const u8 *s, const u8 *d, u64 n, u64 acc, bool ne, u64 *v,
		u64 *w)
{
	u64 i;

	for (i = 0; i < n; i++) {
		u64 k = (r->down ? n - 1 - i : i) << r->shift;

		*v = s ? load(s + k, r->size) : acc;
		*w = load(d + k, r->size);
		if ((*v == *w) == ne)
			return i + 1;
	}
	return n;
}

/* Forward byte scans are what strlen and memcmp are made of. */
static u64 find(const struct run *r, const u8 *s, const u8 *d, u64 n, u64 acc, bool ne, u64 *v,
		u64 *w)
{
	if (!s && ne && !r->down && r->size == 1) {
		const u8 *hit = memchr(d, (int)acc, n);
		u64 k = hit ? (u64)(hit - d) + 1 : n;

		*v = acc;
		*w = d[k - 1];
		return k;
	}
	return walk(r, s, d, n, acc, ne, v, w);
}

static u64 search(struct cpu *cpu, u64 imm, bool with_source)
{
	struct run r = begin(cpu, imm);
	bool ne = imm & STR_NE;
	u64 acc = cut(r.c->gpr[R_AX], r.size);

	while (r.count) {
		u64 from = 0, to, v = acc, w,
		    n = with_source ? span(&r, r.seg, r.c->gpr[R_SI] & r.amask, false, &from) :
				      ~0ull;
		u64 m = n ? span(&r, S_ES, r.c->gpr[R_DI] & r.amask, false, &to) : 0, k = MIN(n, m);
		const u8 *s = NULL, *d = NULL;

		if (k && r.down) {
			from += (n - k) << r.shift;
			to += (m - k) << r.shift;
		}
		if (k && with_source)
			s = host(&r, from, k, ACCESS_READ);
		if (k && (s || !with_source))
			d = host(&r, to, k, ACCESS_READ);
		if (d) {
			k = find(&r, s, d, k, acc, ne, &v, &w);
		} else {
			k = 1;
			if (with_source)
				v = cpu_ld(cpu, r.ctx, linear(&r, r.seg, R_SI, false), r.size);
			w = cpu_ld(cpu, r.ctx, linear(&r, S_ES, R_DI, false), r.size);
		}
		if (with_source)
			advance(&r, R_SI, k);
		advance(&r, R_DI, k);
		count_down(&r, k);
		compare(&r, v, w);
		if ((v == w) == ne)
			return 0;
		if (r.count && stop(&r))
			return 1;
	}
	return 0;
}

u64 x86_h_rep_cmps(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	return search(cpu, imm, true);
}

u64 x86_h_rep_scas(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	return search(cpu, imm, false);
}

/* --- INS, OUTS */

u64 x86_h_rep_ins(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct run r = begin(cpu, imm);
	u16 port = (u16)r.c->gpr[R_DX];

	x86_h_io_check(cpu, port, 0, 0, r.size);
	while (r.count) {
		u64 to = linear(&r, S_ES, R_DI, true);

		/* what the device gives must have a place to go to */
		cpu_probe(cpu, r.ctx, to, r.size, ACCESS_WRITE);
		cpu_st(cpu, r.ctx, to, r.size, cpu_io_read(cpu, port, r.size));
		advance(&r, R_DI, 1);
		count_down(&r, 1);
		if (r.count && stop(&r))
			return 1;
	}
	return 0;
}

u64 x86_h_rep_outs(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct run r = begin(cpu, imm);
	u16 port = (u16)r.c->gpr[R_DX];

	x86_h_io_check(cpu, port, 0, 0, r.size);
	while (r.count) {
		cpu_io_write(cpu, port, r.size,
			     cpu_ld(cpu, r.ctx, linear(&r, r.seg, R_SI, false), r.size));
		advance(&r, R_SI, 1);
		count_down(&r, 1);
		if (r.count && stop(&r))
			return 1;
	}
	return 0;
}
