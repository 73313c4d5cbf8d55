/* SPDX-License-Identifier: GPL-2.0-or-later */
/* debug_access.c - guest memory and registers as a debugger sees them. */
#include "core/debug.h"
#include "core/cpu.h"
#include "core/machine.h"
#include <errno.h>

enum { PAGE = 4096 };
static const struct mem_attrs attrs_debug = { .debug = 1 };

u64 debug_pc(const struct cpu *cpu)
{
	return (cpu->pc + cpu->pc_base) & cpu->isa->pc_mask(cpu->mode);
}

int debug_translate(struct cpu *cpu, u64 va, u64 *pa)
{
	struct mapping m = { 0 };

	if (cpu->isa->walk(cpu, va, ACCESS_READ, 0, true, &m))
		return -EFAULT;
	*pa = m.phys;
	return 0;
}

int debug_translate_root(struct cpu *cpu, u64 root, u64 va, u64 *pa, u64 *entry)
{
	struct mapping m = { 0 };
	u64 last = 0;
	int r;

	if (!cpu->isa->walk_root)
		return -ENOTSUP;
	r = cpu->isa->walk_root(cpu, root, va, &m, &last);
	if (entry)
		*entry = last;
	if (r)
		return -EFAULT;
	*pa = m.phys;
	return 0;
}

int debug_read_phys(struct machine *m, u64 pa, void *buf, size_t n)
{
	return space_read(&m->memory, pa, buf, n, attrs_debug) == MEM_OK ? 0 : -EIO;
}

int debug_write_phys(struct machine *m, u64 pa, const void *buf, size_t n)
{
	for (size_t done = 0; done < n;) {
		size_t part = n - done;
		u8 *host = space_map(&m->memory, pa + done, &part, false);

		/* ROM too can be written from outside */
		if (host) {
			memcpy(host, (const u8 *)buf + done, part);
			space_dirty(&m->memory, pa + done, part);
		} else {
			part = MIN(n - done, (size_t)(PAGE - ((pa + done) & (PAGE - 1))));
			if (space_write(&m->memory, pa + done, (const u8 *)buf + done, part,
					attrs_debug) != MEM_OK)
				return -EIO;
		}
		done += part;
	}
	return 0;
}

/* Page by page; root NULL = the one in force. */
struct walker {
	struct cpu *cpu;
	const u64 *root;
};

static int translate(const struct walker *w, u64 va, u64 *pa)
{
	return w->root ? debug_translate_root(w->cpu, *w->root, va, pa, NULL) :
			 debug_translate(w->cpu, va, pa);
}

static int all_mapped(const struct walker *w, u64 va, size_t n)
{
	for (size_t done = 0; done < n; done += PAGE - ((va + done) & (PAGE - 1))) {
		u64 pa;
		int r = translate(w, va + done, &pa);

		if (r)
			return r;
	}
	return 0;
}

static int transfer(const struct walker *w, u64 va, void *in, const void *out, size_t n)
{
	int r = n > PAGE || (va & (PAGE - 1)) + n > PAGE ? all_mapped(w, va, n) : 0;

	for (size_t done = 0; !r && done < n;) {
		size_t part = MIN(n - done, (size_t)(PAGE - ((va + done) & (PAGE - 1))));
		u64 pa;

		r = translate(w, va + done, &pa);
		if (!r && in)
			r = debug_read_phys(w->cpu->machine, pa, (u8 *)in + done, part);
		else if (!r)
			r = debug_write_phys(w->cpu->machine, pa, (const u8 *)out + done, part);
		done += part;
	}
	return r;
}

int debug_read(struct cpu *cpu, u64 va, void *buf, size_t n)
{
	return transfer(&(struct walker){ cpu, NULL }, va, buf, NULL, n);
}

int debug_write(struct cpu *cpu, u64 va, const void *buf, size_t n)
{
	return transfer(&(struct walker){ cpu, NULL }, va, NULL, buf, n);
}

int debug_read_root(struct cpu *cpu, u64 root, u64 va, void *buf, size_t n)
{
	return transfer(&(struct walker){ cpu, &root }, va, buf, NULL, n);
}

int debug_write_root(struct cpu *cpu, u64 root, u64 va, const void *buf, size_t n)
{
	return transfer(&(struct walker){ cpu, &root }, va, NULL, buf, n);
}

int debug_read_text(struct cpu *cpu, u64 va, char *buf, size_t size)
{
	size_t n = 0;

	while (n + 1 < size) {
		size_t part = MIN(size - 1 - n, (size_t)(PAGE - ((va + n) & (PAGE - 1))));
		char *end;

		if (debug_read(cpu, va + n, buf + n, part))
			return -EFAULT;
		end = memchr(buf + n, 0, part);
		if (end)
			return 0;
		n += part;
	}
	if (size)
		buf[n] = 0;
	return 0;
}

/* --- registers */

const struct cpu_reg *cpu_reg_find(const struct cpu *cpu, const char *name)
{
	for (const struct cpu_reg *r = cpu->isa->regs; r && r->name; r++)
		if (!strcmp(r->name, name))
			return r;
	return NULL;
}

void cpu_reg_get(struct cpu *cpu, const struct cpu_reg *r, void *buf)
{
	if (r->get)
		r->get(cpu, buf);
	else
		memcpy(buf, (const u8 *)cpu + r->offset, (r->bits + 7) / 8);
}

void cpu_reg_set(struct cpu *cpu, const struct cpu_reg *r, const void *buf)
{
	if (r->set)
		r->set(cpu, buf);
	else if (!r->get)
		memcpy((u8 *)cpu + r->offset, buf, (r->bits + 7) / 8);
}

u64 cpu_reg_u64(struct cpu *cpu, const char *name)
{
	const struct cpu_reg *r = cpu_reg_find(cpu, name);
	u8 buf[64] = { 0 };

	if (!r || r->bits > 8 * sizeof(buf))
		return 0;
	cpu_reg_get(cpu, r, buf);
	return ld64le(buf);
}
