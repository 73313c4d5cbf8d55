/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch.c - data and port breakpoints in DR0 to DR3. SDM volume 3 17.2. Pages with a watched
 * address have no fast TLB entry; the engine asks about each access to them and executes an
 * instruction that meets one singly, so that the trap comes right behind it. */
#include "system.h"

enum { RW_EXEC, RW_WRITE, RW_PORT, RW_ACCESS };

static bool armed(const struct x86_cpu *c, unsigned i) { return c->dr[7] >> i * 2 & 3; }

static unsigned kind(const struct x86_cpu *c, unsigned i) { return c->dr[7] >> (16 + i * 4) & 3; }

static unsigned length(const struct x86_cpu *c, unsigned i)
{
	static const u8 len[] = { 1, 2, 8, 4 };

	return len[c->dr[7] >> (18 + i * 4) & 3];
}

static bool overlaps(const struct x86_cpu *c, unsigned i, u64 at, unsigned size)
{
	unsigned len = length(c, i);
	u64 base = c->dr[i] & ~(u64)(len - 1);

	return at < base + len && base < at + size;
}

void x86_update_watch(struct x86_cpu *c)
{
	bool was = c->watching;

	c->watching = false;
	for (unsigned i = 0; i < 4; i++)
		c->watching |= armed(c, i) && (kind(c, i) == RW_WRITE || kind(c, i) == RW_ACCESS);
	/* entries of pages that are watched now, or are no longer */
	if (was || c->watching)
		cpu_tlb_flush_all(&c->cpu);
}

bool x86_watched_page(const struct x86_cpu *c, u64 va)
{
	for (unsigned i = 0; i < 4; i++)
		if (armed(c, i) && kind(c, i) != RW_EXEC &&
		    !((x86_lin(c, c->dr[i]) ^ x86_lin(c, va)) >> 12))
			return true;
	return false;
}

static void hit(struct x86_cpu *c, unsigned hits)
{
	c->watch_hits |= hits;
	__atomic_fetch_or(&c->cpu.exit_request, CPU_EXIT_IRQ, __ATOMIC_RELAXED);
}

bool x86_watched(struct cpu *cpu, u64 va, unsigned size, enum access access, bool commit)
{
	struct x86_cpu *c = X86(cpu);
	unsigned hits = 0;

	/* what an event's delivery pushes is not looked at */
	if (c->exc_delivering >= 0)
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (armed(c, i) &&
		    (kind(c, i) == RW_ACCESS ||
		     (kind(c, i) == RW_WRITE && access == ACCESS_WRITE)) &&
		    overlaps(c, i, va, size))
			hits |= BIT(i);
	if (hits && commit)
		hit(c, hits);
	return hits;
}

void x86_watch_port(struct x86_cpu *c, unsigned port, unsigned size)
{
	if (!(c->dr[7] & 0xff) || !(c->cr4 & CR4_DE))
		return;
	for (unsigned i = 0; i < 4; i++)
		if (armed(c, i) && kind(c, i) == RW_PORT && overlaps(c, i, port, size))
			hit(c, BIT(i));
}
