/* SPDX-License-Identifier: GPL-2.0-or-later */
/* start.c - what all ways of starting a kernel share: descriptor table, segments of an ELF file,
 * command line. */
#include "linux.h"
#include <errno.h>

int start_gdt(struct start *s, bool wide, struct error *e)
{
	/* SDM 3A 3.4.5: base 0, limit 4 GiB; execute/read with L or D, read/write, busy TSS with
	 * limit 0x67 */
	static const u64 code64 = 0x00af9b000000ffff, code32 = 0x00cf9b000000ffff,
			 data = 0x00cf93000000ffff, tss = 0x00008b0000000067;
	u8 gdt[5 * 8] = { 0 };
	u64 at;
	int err;

	st64le(gdt + 0x10, wide ? code64 : code32);
	st64le(gdt + 0x18, data);
	st64le(gdt + 0x20, tss);
	err = plan_put(s->plan, "the descriptor table", START_LOW, START_LOW_END, 4096, gdt,
		       sizeof(gdt), &at, e);
	s->plan->entry.gdt_base = at;
	s->plan->entry.gdt_limit = sizeof(gdt) - 1;
	s->plan->entry.cs = 0x10;
	s->plan->entry.ds = 0x18;
	return err;
}

/* The segments of an ELF file at their physical addresses + slide, and what follows them up to lo +
 * min_size. */
int start_elf_segments(struct start *s, const struct elf_image *elf, const u8 *data, u64 slide,
		       u64 min_size, struct error *e)
{
	u64 end = elf->lo + min_size;
	int err;

	for (unsigned i = 0; i < elf->nsegments; i++) {
		const struct elf_segment *g = &elf->segment[i];

		err = plan_add(s->plan, "the kernel", g->paddr + slide, g->memsz, data + g->offset,
			       g->filesz, e);
		if (err)
			return err;
	}
	if (elf->hi < end)
		return plan_add(s->plan, "the kernel", elf->hi + slide, end - elf->hi, NULL, 0, e);
	return 0;
}

int start_cmdline(struct start *s, u32 max, u64 *addr, struct error *e)
{
	size_t n = strlen(s->cmdline);

	if (n > max)
		return error_ret(e, -E2BIG,
				 "the -append text has %zu characters, but this kernel takes at "
				 "most %u",
				 n, max);
	return plan_put(s->plan, "the kernel command line", START_LOW, START_LOW_END, 16,
			s->cmdline, n + 1, addr, e);
}
