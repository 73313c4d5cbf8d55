/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan.c - places what the guest finds in its memory when it starts. RAM is written directly,
 * whatever shadows it at that moment. */
#include "plan.h"
#include "board/x86.h"
#include "core/cpu.h"
#include <errno.h>

struct boot_plan *plan_new(struct machine *m)
{
	struct boot_plan *p = NEW(struct boot_plan);

	p->m = m;
	return p;
}

void plan_free(struct boot_plan *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->owned.n; i++)
		free(p->owned.at[i]);
	vec_free(&p->owned);
	vec_free(&p->pieces);
	vec_free(&p->cpus);
	free(p);
}

void *plan_own(struct boot_plan *p, void *block)
{
	vec_push(&p->owned, block);
	return block;
}

u64 plan_ram_low(const struct boot_plan *p)
{
	const struct x86_board_info *info = x86_info(p->m);

	return info ? info->ram_low : MIN(p->m->ram_size, BIT64(32));
}

/* Where in m->ram the guest-physical [addr, addr + size) lies; false when it is not all there. */
static bool ram_offset(const struct boot_plan *p, u64 addr, u64 size, u64 *off)
{
	const struct x86_board_info *info = x86_info(p->m);

	*off = addr;
	if (!info)
		return range_fits(addr, size, p->m->ram_size);
	if (range_fits(addr, size, info->ram_low))
		return true;
	*off = addr - BIT64(32) + info->ram_low;
	return addr >= BIT64(32) && range_fits(addr - BIT64(32), size, info->ram_high);
}

static const struct plan_piece *overlapping(const struct boot_plan *p, u64 addr, u64 size)
{
	for (size_t i = 0; i < p->pieces.n; i++) {
		const struct plan_piece *q = &p->pieces.at[i];

		if (!q->any && addr < q->addr + q->size && q->addr < addr + size)
			return q;
	}
	return NULL;
}

int plan_add(struct boot_plan *p, const char *what, u64 addr, u64 size, const void *data,
	     u64 data_size, struct error *e)
{
	const struct plan_piece *other;
	u64 off;

	if (!ram_offset(p, addr, size, &off))
		return error_ret(e, -ERANGE,
				 "%s needs memory at %#llx..%#llx, but the machine has %llu MiB: "
				 "use a larger -m",
				 what, (unsigned long long)addr,
				 (unsigned long long)(addr + size - 1),
				 (unsigned long long)(p->m->ram_size >> 20));
	other = overlapping(p, addr, size);
	if (other)
		return error_ret(e, -ERANGE,
				 "%s at %#llx..%#llx would overwrite %s at %#llx..%#llx", what,
				 (unsigned long long)addr, (unsigned long long)(addr + size - 1),
				 other->what, (unsigned long long)other->addr,
				 (unsigned long long)(other->addr + other->size - 1));
	vec_push(&p->pieces, ((struct plan_piece){ .what = what,
						   .addr = addr,
						   .size = size,
						   .data = data,
						   .data_size = data_size }));
	return 0;
}

int plan_add_filled(struct boot_plan *p, const char *what, u64 addr, u64 size, struct error *e)
{
	int err = plan_add(p, what, addr, size, NULL, 0, e);

	if (!err)
		p->pieces.at[p->pieces.n - 1].filled = true;
	return err;
}

u8 *plan_ram(struct boot_plan *p, u64 addr, u64 size)
{
	u64 off;

	return ram_offset(p, addr, size, &off) ? p->m->ram.ram->host + off : NULL;
}

void plan_add_any(struct boot_plan *p, const char *what, u64 addr, const void *data, u64 size)
{
	vec_push(&p->pieces, ((struct plan_piece){ .what = what,
						   .addr = addr,
						   .size = size,
						   .data = data,
						   .data_size = size,
						   .any = true }));
}

/* Each step jumps over a piece that is in the way, so there are at most as many steps as pieces. */
bool plan_find(const struct boot_plan *p, u64 lo, u64 hi, u64 size, u64 align, bool highest,
	       u64 *addr)
{
	const struct plan_piece *q;
	u64 at, off;

	if (size > hi || lo > hi - size)
		return false;
	at = highest ? ALIGN_DOWN(hi - size, align) : ALIGN_UP(lo, align);
	while (at >= lo && at <= hi - size) {
		q = overlapping(p, at, size);
		if (!q) {
			*addr = at;
			return ram_offset(p, at, size, &off);
		}
		if (highest && q->addr < size)
			return false;
		at = highest ? ALIGN_DOWN(q->addr - size, align) :
			       ALIGN_UP(q->addr + q->size, align);
	}
	return false;
}

int plan_put(struct boot_plan *p, const char *what, u64 lo, u64 hi, u64 align, const void *data,
	     u64 size, u64 *addr, struct error *e)
{
	void *copy;

	if (!plan_find(p, lo, MIN(hi, plan_ram_low(p)), size, align, false, addr))
		return error_ret(e, -ERANGE,
				 "there is no room for %s (%llu bytes) between %#llx and %#llx",
				 what, (unsigned long long)size, (unsigned long long)lo,
				 (unsigned long long)MIN(hi, plan_ram_low(p)));
	copy = plan_own(p, xmemdup(data, size));
	return plan_add(p, what, *addr, size, copy, size, e);
}

/* ---- placing */

static void ram_changed(struct machine *m, u64 off, u64 n)
{
	struct ram *ram = m->ram.ram;

	for (u64 page = off >> 12; n && page <= (off + n - 1) >> 12; page++) {
		if ((ram->page_flags[page] & PAGE_CODE) && m->code_written)
			m->code_written(m, ram->first_page + page, 0, 4096);
		ram->page_flags[page] |= PAGE_DIRTY;
	}
}

/* Into ROM or RAM that is not main memory, as a programmer would burn it; what is neither stays as
 * it is. */
static void place_elsewhere(struct machine *m, u64 addr, const u8 *data, u64 n)
{
	while (n) {
		size_t part = MIN(n, (u64)1 << 30);
		u8 *host = space_map(&m->memory, addr, &part, false);

		if (host) {
			memcpy(host, data, part);
			space_dirty(&m->memory, addr, part);
		} else {
			part = MIN(n, 4096 - addr % 4096);
		}
		addr += part;
		data += part;
		n -= part;
	}
}

static void place(struct boot_plan *p, const struct plan_piece *q)
{
	u64 off;

	if (ram_offset(p, q->addr, q->size, &off)) {
		u8 *host = p->m->ram.ram->host + off;

		if (q->data_size)
			memcpy(host, q->data, q->data_size);
		if ((p->placed || p->m->ram.ram->preset) && !q->filled)
			memset(host + q->data_size, 0, q->size - q->data_size);
		ram_changed(p->m, off, q->size);
		return;
	}
	place_elsewhere(p->m, q->addr, q->data, q->data_size);
}

void plan_place(struct boot_plan *p)
{
	struct machine *m = p->m;

	if (p->placed && p->fill)
		p->fill(p->fill_arg);
	for (size_t i = 0; i < p->pieces.n; i++)
		if (p->pieces.at[i].size)
			place(p, &p->pieces.at[i]);
	p->placed = true;
	for (u32 i = 0; i < m->ncpus; i++) {
		struct boot_entry other = { .mode = BOOT_X86_OTHER, .uncached = p->uncached };

		if (p->has_entry)
			m->isa->boot_entry(m->cpu[i], i ? &other : &p->entry);
	}
	for (size_t i = 0; i < p->cpus.n; i++) {
		struct boot_entry e = { .mode = BOOT_MODE_ISA, .pc = p->cpus.at[i].pc };

		m->isa->boot_entry(m->cpu[p->cpus.at[i].index], &e);
	}
}

static void on_reset(void *arg) { plan_place(arg); }

void plan_commit(struct boot_plan *p)
{
	p->entry.uncached = p->uncached;
	p->hook = (struct reset_hook){ .fn = on_reset, .arg = p };
	machine_add_reset(p->m, &p->hook);
}
