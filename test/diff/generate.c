/* SPDX-License-Identifier: GPL-2.0-or-later */
/* generate.c - a whole snippet from a seed: where it lies, rows and sequences, and no reader of an
 * undefined flag. */
#include "diff.h"

static u64 place(struct rng *r)
{
	u64 base = chance(r, 92) ? WIN_CODE : WIN_SMC;

	switch (below(r, 10)) {
	case 0:
	case 1: /* across the page boundary */
		return base + PAGE_BYTES - 1 - below(r, 60);
	case 2: /* runs into the end of the window */
		return base + 2 * PAGE_BYTES - 1 - below(r, 40);
	case 3:
		return base + 64 * below(r, 60);
	default:
		return base + below(r, PAGE_BYTES - MAX_CODE);
	}
}

/* Something that defines all flags, in front of item k. */
static bool define_flags(struct gen *g, unsigned k)
{
	static const u8 ops[] = { 0x01, 0x29, 0x39, 0x01 };
	struct items *l = g->out;
	struct item it = { .len = 3, .target = -1 };
	struct x86_insn in;

	if (l->n >= MAX_INSNS - 1)
		return false;
	it.b[0] = 0x48;
	it.b[1] = ops[below(&g->r, 4)];
	it.b[2] = (u8)(0xc0 | R_DX << 3 | (it.b[1] == 0x39 ? R_SI : R_AX));
	x86_decode(it.b, 3, MODE64, &in);
	it.enc = in.enc;
	memmove(&l->i[k + 1], &l->i[k], (l->n - k) * sizeof(l->i[0]));
	l->i[k] = it;
	l->n++;
	for (unsigned i = 0; i < l->n; i++) {
		if (l->i[i].target > (int)k)
			l->i[i].target++;
		if (l->i[i].rip_at && l->i[i].rip_to > k + 1 && l->i[i].rip_to <= MAX_INSNS + 1)
			l->i[i].rip_to++;
	}
	return true;
}

/* Nothing branches into the middle of what belongs together. */
static void settle_glue(struct items *l)
{
	for (unsigned k = 0; k < l->n; k++)
		while (l->i[k].target > 0 && l->i[k].target < (int)l->n &&
		       l->i[l->i[k].target].glued)
			l->i[k].target--;
}

/* Loops are entered at the instruction in front of them, which sets their count. */
static void settle_loops(struct items *l)
{
	for (unsigned k = 0; k < l->n; k++) {
		int from = l->i[k].target;

		if (from < 1 || from > (int)k)
			continue;
		for (unsigned i = 0; i < l->n; i++)
			if ((int)i < from && l->i[i].target >= from && l->i[i].target <= (int)k)
				l->i[i].target = (s8)(from - 1);
	}
}

static bool settle_flags(struct gen *g)
{
	u32 taint[MAX_INSNS + 1];

	for (unsigned k = 0; k < 8; k++) {
		int bad = flags_taint(g->out, taint);

		if (bad < 0)
			return true;
		if (!define_flags(g, (unsigned)bad))
			return false;
	}
	return false;
}

static void count(const struct items *l, u32 *coverage)
{
	for (unsigned k = 0; k < l->n; k++)
		if (l->i[k].enc)
			coverage[l->i[k].enc - x86_encodings]++;
}

static bool attempt(struct gen *g, struct snippet *s)
{
	unsigned n = 1 + below(&g->r, chance(&g->r, 50) ? 5 : 20);
	struct items back;

	while (g->out->n < n) {
		struct item it;
		unsigned row;

		if (chance(&g->r, 25) && grammar_add(g))
			continue;
		row = row_pick(g);
		if (!row || (encode_row(g, row, &it) && !gen_add(g, &it)))
			break;
	}
	settle_glue(g->out);
	settle_loops(g->out);
	if (!settle_flags(g) || !g->out->n || !snippet_layout(s, g->out))
		return false;
	/* what the bytes say is what was meant: the comparison goes by them */
	snippet_items(s, &back);
	return back.n == g->out->n;
}

void generate(struct snippet *s, u64 seed, u32 groups, u32 *coverage)
{
	struct items l;
	struct gen g = { .r = { seed ^ 0x5bd1e995 }, .s = s, .out = &l, .groups = groups };
	struct regs start;

	do {
		*s = (struct snippet){ .seed = seed };
		s->at = place(&g.r);
		l.n = 0;
		g.written = 0;
		g.faults = chance(&g.r, 30);
		state_start(s, &start, &g.roles);
		g.start = &start;
	} while (!attempt(&g, s));
	if (coverage)
		count(&l, coverage);
}
