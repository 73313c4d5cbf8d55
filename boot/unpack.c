/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unpack.c - unpacks a bzImage's vmlinux right where it runs. The ELF file is written to guest
 * memory such that its first segment comes to lie at its address; the others move down to theirs.
 * That saves a copy of the kernel, and the host's memory for it, on the way to the first
 * instruction; at a reset it is done again. The room is the kernel's own: init_size covers what its
 * decompressor needs. */
#include "decompress.h"
#include "linux.h"

enum { UNPACKED_MAX = 1 << 30 };

struct unpacked {
	struct boot_plan *plan;
	struct elf_image elf;
	u64 base, size,
		end; /* the file is unpacked to [base, base + size); [base, end) is the kernel's */
	const u8 *payload;
	u64 payload_size;
	char *name;
};

/* Does every segment move down, or stay? They are in order and do not overlap, so none then moves
 * over another one. */
static bool fits_in_place(const struct unpacked *u)
{
	const struct elf_image *elf = &u->elf;

	for (unsigned i = 0; i < elf->nsegments; i++) {
		const struct elf_segment *g = &elf->segment[i];

		if (g->paddr > u->base + g->offset ||
		    (i && (g->paddr < g[-1].paddr || g->offset < g[-1].offset + g[-1].filesz)))
			return false;
	}
	return elf->lo >= u->base && elf->hi <= u->end && u->base + u->size <= u->end;
}

static void move_segments(const struct unpacked *u, u8 *host)
{
	const struct elf_image *elf = &u->elf;
	u64 clean = u->base;

	for (unsigned i = 0; i < elf->nsegments; i++) {
		const struct elf_segment *g = &elf->segment[i];

		memmove(host + (g->paddr - u->base), host + g->offset, g->filesz);
	}
	/* What is between and behind them: headers, padding, relocations. */
	for (unsigned i = 0; i < elf->nsegments; i++) {
		const struct elf_segment *g = &elf->segment[i];

		memset(host + (clean - u->base), 0, g->paddr - clean);
		clean = g->paddr + g->filesz;
	}
	if (clean < u->base + u->size)
		memset(host + (clean - u->base), 0, u->base + u->size - clean);
}

/* It worked once, with the same bytes. */
static void refill(void *arg)
{
	struct unpacked *u = arg;
	u8 *host = plan_ram(u->plan, u->base, u->end - u->base);
	struct error e = { 0 };

	memset(host + u->size, 0, u->end - u->base - u->size);
	if (payload_unpack_to(host, u->size, u->payload, u->payload_size, u->name, &e))
		error_print(&e);
	move_segments(u, host);
}

/* Where the first segment's bytes are in the file is not known before the file is unpacked: as the
 * linker's page size puts them, this far in. */
static u64 first_offset(const struct bzimage *b)
{
	return b->xloadflags & XLF_KERNEL_64 ? 0x200000 : 0x1000;
}

static int add_pieces(struct unpacked *u, struct error *e)
{
	u->plan->fill = refill;
	u->plan->fill_arg = u;
	return plan_add_filled(u->plan, "the kernel", u->base, u->end - u->base, e);
}

int linux_unpack_in_place(struct start *s, struct elf_image *elf, struct error *e)
{
	const struct kernel_image *k = s->kernel;
	const struct bzimage *b = &k->bz;
	struct unpacked *u = plan_own(s->plan, NEW(struct unpacked));
	u64 offset = first_offset(b);
	u8 *host;
	int err;

	*u = (struct unpacked){ .plan = s->plan,
				.payload = k->file.data + b->payload_at,
				.payload_size = b->payload_size,
				.name = plan_own(s->plan, xstrdup(k->path)) };
	err = payload_size(&u->size, u->payload, u->payload_size, UNPACKED_MAX, k->path, e);
	if (err)
		return err;
	if (b->pref_address < 0x100000 + offset ||
	    add_overflow(b->pref_address, b->init_size, &u->end))
		return 0;
	u->base = b->pref_address - offset;
	if (u->end > s->top || u->size > u->end - u->base)
		return 0;
	host = plan_ram(s->plan, u->base, u->end - u->base);
	if (!host)
		return 0;
	err = payload_unpack_to(host, u->size, u->payload, u->payload_size, k->path, e);
	if (!err)
		err = elf_parse(&u->elf, host, u->size, k->path, e);
	if (!err && !fits_in_place(u)) {
		memset(host, 0, u->size);
		return 0;
	}
	if (err)
		return err;
	move_segments(u, host);
	*elf = u->elf;
	err = add_pieces(u, e);
	return err ? err : 1;
}
