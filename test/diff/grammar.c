/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grammar.c - sequences of instructions as compilers and people write them: loops, calls, string
 * operations with counts, chains on flags, locked operations, x87 and MXCSR control, code that
 * writes code. */
#include "diff.h"

/* An item of literal bytes. */
static struct item *raw(struct gen *g, const u8 *b, unsigned n)
{
	struct item it = { .len = (u8)n, .target = -1 };
	struct x86_insn in;

	memcpy(it.b, b, n);
	if (x86_decode(it.b, n, MODE64, &in) == (int)n)
		it.enc = in.enc;
	return gen_add(g, &it) ? &g->out->i[g->out->n - 1] : NULL;
}
#define RAW(g, ...) raw(g, (const u8[]){ __VA_ARGS__ }, sizeof((const u8[]){ __VA_ARGS__ }))

static unsigned data_register(struct gen *g)
{
	unsigned k;

	do
		k = below(&g->r, 8);
	while (k == R_SP ||
	       (g->roles.of[k] == ROLE_POINTER && !(g->written >> k & 1) && chance(&g->r, 90)));
	return k;
}

/* A pointer among the low eight registers that needs no SIB byte, or RSI. */
static unsigned pointer_register(struct gen *g)
{
	for (unsigned k = 0; k < 16; k++) {
		unsigned i = below(&g->r, 8);

		if (i != R_SP && i != R_BP && g->roles.of[i] == ROLE_POINTER &&
		    !(g->written >> i & 1))
			return i;
	}
	return R_SI;
}

static void mov_imm(struct gen *g, unsigned reg, u32 v)
{
	RAW(g, 0xb8 + reg, v, v >> 8, v >> 16, v >> 24);
}

static void set_pointer(struct gen *g, unsigned reg)
{
	mov_imm(g, reg, (u32)gen_address(g, 64, false));
}

/* One or a few rows of the integer group, as filling. */
static void filling(struct gen *g, unsigned n)
{
	u32 groups = g->groups;

	for (unsigned k = 0; k < n; k++) {
		struct item it;
		unsigned row;

		g->groups = groups & BIT(G_INT) ? BIT(G_INT) : groups;
		row = row_pick(g);
		g->groups = groups;
		if (row && encode_row(g, row, &it) && !it.rel)
			gen_add(g, &it);
	}
}

static void string(struct gen *g)
{
	static const u8 op[] = { 0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf };
	unsigned size = below(&g->r, 4);
	u8 b[8];
	unsigned n = 0;

	if (chance(&g->r, 70))
		set_pointer(g, R_SI);
	if (chance(&g->r, 70))
		set_pointer(g, R_DI);
	else if (chance(&g->r, 40)) /* overlapping: lea rdi, [rsi + small] */
		RAW(g, 0x48, 0x8d, 0x7e, below(&g->r, 40) - 20);
	mov_imm(g, R_CX, chance(&g->r, 90) ? below(&g->r, 80) : 500 + below(&g->r, 1500));
	if (chance(&g->r, 15))
		RAW(g, 0xfd);
	else if (chance(&g->r, 70))
		RAW(g, 0xfc);
	if (chance(&g->r, 20))
		RAW(g, 0x31, 0xc0); /* xor eax, eax */
	if (size == 2)
		b[n++] = 0x66;
	if (chance(&g->r, 85))
		b[n++] = chance(&g->r, 60) ? 0xf3 : 0xf2;
	if (chance(&g->r, 4))
		b[n++] = 0x67;
	if (size == 3)
		b[n++] = 0x48;
	b[n++] = op[below(&g->r, ARRAY_SIZE(op))];
	if (!size)
		b[n - 1] &= 0xfe;
	raw(g, b, n);
}

static void compare_jump(struct gen *g)
{
	unsigned a = data_register(g), b = data_register(g), w = chance(&g->r, 50) ? 0x48 : 0x40,
		 cc = below(&g->r, 16);
	struct item *it;

	switch (below(&g->r, 4)) {
	case 0:
		RAW(g, w, 0x39, 0xc0 | a << 3 | b);
		break;
	case 1:
		RAW(g, w, 0x85, 0xc0 | a << 3 | b);
		break;
	case 2:
		RAW(g, w, 0x83, 0xf8 | b, below(&g->r, 4));
		break;
	default:
		RAW(g, w, 0x29, 0xc0 | a << 3 | b);
		break;
	}
	if (chance(&g->r, 60))
		it = RAW(g, 0x70 | cc, 0);
	else
		it = RAW(g, 0x0f, 0x80 | cc, 0, 0, 0, 0);
	if (it) {
		it->rel = it->len == 2 ? 1 : 4;
		it->target = (s8)(g->out->n + 1 + below(&g->r, 4));
	}
	filling(g, 1 + below(&g->r, 2));
}

/* mov ecx, n; body; loop or dec/jnz. */
static void counted_loop(struct gen *g)
{
	unsigned start, n = 1 + below(&g->r, 6);
	struct item *it;
	u16 written = g->written;

	mov_imm(g, R_CX, n);
	start = g->out->n;
	for (unsigned k = 0; k < 1 + below(&g->r, 3); k++) {
		unsigned a = data_register(g), b = data_register(g);

		if (a == R_CX)
			a = R_AX;
		switch (below(&g->r, 5)) {
		case 0:
			RAW(g, 0x48, 0x01, 0xc0 | b << 3 | a);
			break;
		case 1:
			RAW(g, 0x48, 0x11, 0xc0 | b << 3 | a);
			break;
		case 2:
			RAW(g, 0xd1, 0xd0 | a);
			break; /* rcl r32, 1 */
		case 3:
			RAW(g, 0x48, 0x8b, 0x40 | a << 3 | pointer_register(g),
			    8 * below(&g->r, 8));
			break;
		default:
			RAW(g, 0x48, 0x89, 0x40 | b << 3 | pointer_register(g),
			    8 * below(&g->r, 8));
			break;
		}
		if (g->out->i[g->out->n - 1].enc &&
		    !strcmp(g->out->i[g->out->n - 1].enc->name, "mov") && a == R_CX)
			return;
	}
	if (g->out->n == start)
		return;
	if (chance(&g->r, 50)) {
		it = RAW(g, 0xe2, 0);
	} else {
		RAW(g, 0xff, 0xc9);
		it = RAW(g, 0x75, 0);
	}
	if (it) {
		it->rel = 1;
		it->target = (s8)start;
	}
	g->written |= written;
}

/* call over a body with a ret; also through a register and with imm16. */
static void call_ret(struct gen *g)
{
	struct item *call, *jmp;

	if (chance(&g->r, 50)) {
		call = RAW(g, 0xe8, 0, 0, 0, 0);
	} else {
		/* lea rax, [rip + body]; call rax */
		call = RAW(g, 0x48, 0x8d, 0x05, 0, 0, 0, 0);
		RAW(g, 0xff, 0xd0);
	}
	filling(g, below(&g->r, 2));
	jmp = RAW(g, 0xeb, 0);
	if (!call || !jmp)
		return;
	if (call->len == 5) {
		call->rel = 4;
		call->target = (s8)g->out->n;
	} else {
		call->rip_at = 3;
		call->rip_to = g->out->n + 1;
	}
	filling(g, below(&g->r, 2));
	if (chance(&g->r, 80))
		RAW(g, 0xc3);
	else
		RAW(g, 0xc2, 8 * below(&g->r, 3), 0);
	jmp->rel = 1;
	jmp->target = (s8)g->out->n;
	g->written |= BIT(R_SP);
}

static void push_pop(struct gen *g)
{
	unsigned n = 1 + below(&g->r, 3);

	for (unsigned k = 0; k < n; k++)
		RAW(g, 0x50 + below(&g->r, 8));
	if (chance(&g->r, 20))
		RAW(g, 0x9c);
	filling(g, below(&g->r, 2));
	for (unsigned k = 0; k < n; k++)
		RAW(g, 0x58 + data_register(g));
}

/* ALU, then several consumers of its flags. */
static void flag_chain(struct gen *g)
{
	unsigned w = chance(&g->r, 60) ? 0x48 : 0x40;

	RAW(g, w, 0x01 | (8 * below(&g->r, 8)), 0xc0 | data_register(g) << 3 | data_register(g));
	for (unsigned k = 0; k < 1 + below(&g->r, 4); k++) {
		unsigned a = data_register(g), b = data_register(g), cc = below(&g->r, 16);

		if ((cc >> 1) == 5 && chance(&g->r, 50))
			cc ^= 8;
		switch (below(&g->r, 7)) {
		case 0:
			RAW(g, 0x40, 0x0f, 0x90 | cc, 0xc0 | a);
			break;
		case 1:
			RAW(g, w, 0x0f, 0x40 | cc, 0xc0 | a << 3 | b);
			break;
		case 2:
			RAW(g, w, 0x11, 0xc0 | a << 3 | b);
			break;
		case 3:
			RAW(g, w, 0x19, 0xc0 | a << 3 | b);
			break;
		case 4:
			RAW(g, w, 0xff, 0xc0 | (chance(&g->r, 50) ? 8 : 0) | a);
			break;
		case 5:
			RAW(g, w, 0x8d, 0x44 | a << 3, 0x24, 8);
			break;
		default:
			RAW(g, 0x9f);
			break;
		}
	}
}

static void subregisters(struct gen *g)
{
	unsigned a = below(&g->r, 4), b = below(&g->r, 4);

	for (unsigned k = 0; k < 2 + below(&g->r, 4); k++)
		switch (below(&g->r, 8)) {
		case 0:
			RAW(g, 0x88, 0xc0 | a << 3 | (b + 4));
			break; /* mov bh, al */
		case 1:
			RAW(g, 0x00, 0xc0 | (a + 4) << 3 | b);
			break; /* add bl, ah */
		case 2:
			RAW(g, 0x66, 0x89, 0xc0 | a << 3 | b);
			break;
		case 3:
			RAW(g, 0x0f, 0xb6, 0xc0 | a << 3 | (b + 4));
			break; /* movzx eax, bh */
		case 4:
			RAW(g, 0x0f, 0xbe, 0xc0 | a << 3 | (a + 4));
			break;
		case 5:
			RAW(g, 0x86, 0xc0 | (a + 4) << 3 | a);
			break; /* xchg al, ah */
		case 6:
			RAW(g, 0x66, 0x05 | a << 3, rnd(&g->r), rnd(&g->r));
			break;
		default:
			RAW(g, 0xb0 + below(&g->r, 8), rnd(&g->r));
			break;
		}
}

static void locked(struct gen *g)
{
	unsigned p = pointer_register(g), d = 4 * below(&g->r, 12), a = data_register(g);
	unsigned w = chance(&g->r, 50) ? 0x48 : 0x40;

	if (chance(&g->r, 30))
		d += below(&g->r, 4);
	switch (below(&g->r, 8)) {
	case 0:
		RAW(g, 0xf0, w, 0x0f, 0xc1, 0x40 | a << 3 | p, d);
		break;
	case 1: /* mov rax, [m]; lock cmpxchg */
		RAW(g, w, 0x8b, 0x40 | p, d);
		RAW(g, 0xf0, w, 0x0f, 0xb1, 0x40 | a << 3 | p, d);
		break;
	case 2:
		RAW(g, w, 0x87, 0x40 | a << 3 | p, d);
		break;
	case 3:
		RAW(g, 0xf0, w, 0x01 | 8 * below(&g->r, 7), 0x40 | a << 3 | p, d);
		break;
	case 4:
		RAW(g, 0xf0, w, 0x0f, 0xba, 0x68 | p, d, below(&g->r, 64));
		break;
	case 5:
		RAW(g, 0xf0, w, 0x0f, 0xab, 0x40 | a << 3 | p, d);
		break;
	case 6: /* cmpxchg16b/8b, equal half of the time */
		if (chance(&g->r, 50)) {
			RAW(g, w, 0x8b, 0x40 | R_DX << 3 | p, (d & ~15u) + (w == 0x48 ? 8 : 4));
			RAW(g, w, 0x8b, 0x40 | R_AX << 3 | p, d & ~15u);
		}
		RAW(g, 0xf0, w, 0x0f, 0xc7, 0x48 | p, d & ~15u);
		break;
	default:
		RAW(g, 0xf0, 0xf6 + below(&g->r, 2), 0x50 | (chance(&g->r, 50) ? 8 : 0) | p, d);
		break;
	}
}

/* mov dword [m], v; ldmxcsr [m]; ... stmxcsr [m] */
static void mxcsr(struct gen *g)
{
	unsigned p = pointer_register(g), d = 4 * below(&g->r, 12);
	u32 v = 0x1f80 | below(&g->r, 4) << 13 | (chance(&g->r, 30) ? BIT(15) : 0) |
		(chance(&g->r, 30) ? BIT(6) : 0) | (chance(&g->r, 30) ? below(&g->r, 64) : 0);

	if (chance(&g->r, 20))
		v &= ~((below(&g->r, 64) & below(&g->r, 64)) << 7);
	/* a reserved bit, but not the one that processors by AMD have */
	if (chance(&g->r, 5))
		v |= BIT(chance(&g->r, 30) ? 16 : 18 + below(&g->r, 14));
	if (chance(&g->r, 80)) {
		RAW(g, 0xc7, 0x40 | p, d, v, v >> 8, v >> 16, v >> 24);
		RAW(g, 0x0f, 0xae, 0x50 | p, d);
	} else {
		RAW(g, 0x0f, 0xae, 0x58 | p, d);
	}
}

/* fldcw with a sensible word; fnstcw, fnstsw */
static void control_word(struct gen *g)
{
	static const u16 pc[4] = { 0, 0x200, 0x300, 0x300 };
	unsigned p = pointer_register(g), d = 4 * below(&g->r, 12);
	u32 v = 0x7f | pc[below(&g->r, 4)] | below(&g->r, 4) << 10;

	if (chance(&g->r, 15))
		v &= ~(below(&g->r, 64) & below(&g->r, 64));
	switch (below(&g->r, 4)) {
	case 0:
		RAW(g, 0xd9, 0x78 | p, d);
		break;
	case 1:
		RAW(g, 0xdf, 0xe0);
		break;
	default:
		RAW(g, 0xc7, 0x40 | p, d, v, v >> 8, 0, 0);
		RAW(g, 0xd9, 0x68 | p, d);
		break;
	}
}

/* Loads, arithmetic and a store. */
static void x87_sequence(struct gen *g)
{
	unsigned n = 1 + below(&g->r, 3);

	if (chance(&g->r, 15))
		RAW(g, 0xdb, 0xe3);
	for (unsigned k = 0; k < n; k++)
		switch (below(&g->r, 5)) {
		case 0:
			RAW(g, 0xd9, 0x40 | pointer_register(g), 8 * below(&g->r, 8));
			break;
		case 1:
			RAW(g, 0xdd, 0x40 | pointer_register(g), 8 * below(&g->r, 8));
			break;
		case 2:
			RAW(g, 0xdb, 0x68 | pointer_register(g), 8 * below(&g->r, 8));
			break;
		case 3:
			RAW(g, 0xdf, 0x68 | pointer_register(g), 8 * below(&g->r, 8));
			break;
		default:
			RAW(g, 0xd9, 0xe8 + below(&g->r, 7));
			break;
		}
	for (unsigned k = 0; k < n; k++)
		switch (below(&g->r, 5)) {
		case 0:
			RAW(g, 0xde, 0xc1 + 8 * (u8[]){ 0, 1, 4, 5, 6, 7 }[below(&g->r, 6)]);
			break;
		case 1:
			RAW(g, 0xd9, 0xf0 + below(&g->r, 16));
			break;
		case 2:
			RAW(g, 0xdb, 0xe8 + below(&g->r, 8) + (chance(&g->r, 50) ? 8 : 0));
			break;
		case 3:
			RAW(g, 0xd8, 0xc0 + below(&g->r, 64));
			break;
		default:
			RAW(g, 0xd9, 0xe0 + below(&g->r, 2));
			break;
		}
	switch (below(&g->r, 4)) {
	case 0:
		RAW(g, 0xdb, 0x78 | pointer_register(g), 8 * below(&g->r, 8));
		break;
	case 1:
		RAW(g, 0xdd, 0x58 | pointer_register(g), 8 * below(&g->r, 8));
		break;
	case 2:
		RAW(g, 0xdf, 0x78 | pointer_register(g), 8 * below(&g->r, 8));
		break;
	default:
		RAW(g, 0xd9, 0x58 | pointer_register(g), 8 * below(&g->r, 8));
		break;
	}
}

/* Zeroes n bytes at [p + at] of a state image. */
static void scrub(struct gen *g, unsigned p, unsigned at, unsigned n)
{
	if (n == 8)
		RAW(g, 0x48, 0xc7, 0x40 | p, at, 0, 0, 0, 0);
	else if (n == 4)
		RAW(g, 0xc7, 0x40 | p, at, 0, 0, 0, 0);
	else
		RAW(g, 0x66, 0xc7, 0x40 | p, at, 0, 0);
}

/* The address of the last x87 instruction and its operand: processors by AMD keep them only with a
 * pending exception. MXCSR_MASK differs too. */
static void scrub_fxsave(struct gen *g, unsigned p)
{
	scrub(g, p, 6, 2);
	scrub(g, p, 8, 8);
	scrub(g, p, 16, 8);
	scrub(g, p, 28, 4);
}

static void scrub_env(struct gen *g, unsigned p, bool narrow)
{
	scrub(g, p, narrow ? 6 : 12, 8);
	if (!narrow)
		scrub(g, p, 20, 8);
}

static void glue(struct gen *g, unsigned from)
{
	for (unsigned k = from + 1; k < g->out->n; k++)
		g->out->i[k].glued = true;
}

/* Save, change something, restore: with FNSAVE/FRSTOR, FNSTENV/FLDENV, FXSAVE/FXRSTOR,
 * XSAVE.../XRSTOR of x87 and SSE. */
static void save_restore(struct gen *g)
{
	unsigned p = pointer_register(g), w = chance(&g->r, 50) ? 0x48 : 0x40,
		 kind = below(&g->r, 6), mask = 1 + below(&g->r, 3), from = g->out->n;
	bool narrow = chance(&g->r, 15);

	mov_imm(g, p,
		(u32)(WIN_DATA + (chance(&g->r, 50) ? 0 : 4 * PAGE_BYTES) + 64 * below(&g->r, 40) +
		      (kind < 2 && chance(&g->r, 30) ? below(&g->r, 64) : 0)));
	if (kind < 2 && narrow)
		RAW(g, 0x66, kind ? 0xd9 : 0xdd, 0x30 | p);
	else if (kind < 2)
		RAW(g, kind ? 0xd9 : 0xdd, 0x30 | p);
	if (kind < 2) {
		scrub_env(g, p, narrow);
		filling(g, below(&g->r, 2));
		if (narrow)
			RAW(g, 0x66, kind ? 0xd9 : 0xdd, 0x20 | p);
		else
			RAW(g, kind ? 0xd9 : 0xdd, 0x20 | p);
		glue(g, from);
		return;
	}
	if (p == R_AX || p == R_DX)
		return;
	/* an empty header: XSAVE keeps bits of state that it does not save, which the guest may not
	 * have */
	for (unsigned at = 0; at < 24; at += 8)
		RAW(g, 0x48, 0xc7, 0x80 | p, at, 2, 0, 0, 0, 0, 0, 0);
	RAW(g, 0xc7, 0x40 | p, 24, 0x80, 0x1f, 0, 0);
	mov_imm(g, R_AX, mask);
	RAW(g, 0x31, 0xd2); /* xor edx, edx */
	switch (kind) {
	case 2:
		RAW(g, w, 0x0f, 0xae, 0x20 | p);
		break;
	case 3:
		RAW(g, w, 0x0f, 0xae, 0x30 | p);
		break;
	case 4:
		RAW(g, w, 0x0f, 0xc7, 0x20 | p);
		break;
	default:
		RAW(g, w, 0x0f, 0xae, 0x00 | p);
		break;
	}
	scrub_fxsave(g, p);
	if (chance(&g->r, 50))
		x87_sequence(g);
	if (kind == 5) {
		RAW(g, w, 0x0f, 0xae, 0x08 | p);
	} else {
		mov_imm(g, R_AX, 1 + below(&g->r, 3));
		RAW(g, w, 0x0f, 0xae, 0x28 | p);
	}
	glue(g, from);
}

/* popf with harmless bits; TF and AC sometimes. */
static void flags_word(struct gen *g)
{
	u32 v = (u32)(rnd(&g->r) & EFL_ARITH) | EFL_1 | EFL_IF;

	if (chance(&g->r, 20))
		v |= EFL_DF;
	if (chance(&g->r, 8))
		v |= EFL_TF;
	if (chance(&g->r, 8))
		v |= EFL_AC;
	if (chance(&g->r, 10))
		v |= EFL_ID;
	RAW(g, 0x68, v, v >> 8, v >> 16, v >> 24);
	RAW(g, 0x9d);
}

/* Accesses around one base, as to a stack frame or a structure; often near the end of a page,
 * sometimes of the window. The base moves a little. */
static void frame(struct gen *g)
{
	static const u8 alu[] = { 0x01, 0x03, 0x11, 0x13, 0x29, 0x2b, 0x39, 0x3b, 0x31, 0x33 };
	unsigned p = pointer_register(g), n = 3 + below(&g->r, 7);
	u64 at = WIN_DATA + (chance(&g->r, 80) ? PAGE_BYTES - 64 + below(&g->r, 100) :
						 300 + below(&g->r, 300));

	if (g->faults && chance(&g->r, 40))
		at = WIN_DATA + 2 * PAGE_BYTES - 40 - below(&g->r, 120);
	mov_imm(g, p, (u32)at);
	for (unsigned k = 0; k < n; k++) {
		unsigned a = data_register(g), d = below(&g->r, 120) - 20,
			 w = chance(&g->r, 50) ? 0x48 : 0x40;

		if (chance(&g->r, 60))
			d &= ~7u;
		if (a == p)
			a = R_AX;
		d &= 0xff;
		switch (below(&g->r, 10)) {
		case 0:
		case 1:
			RAW(g, w, 0x8b, 0x40 | a << 3 | p, d);
			break;
		case 2:
		case 3:
			RAW(g, w, 0x89, 0x40 | a << 3 | p, d);
			break;
		case 4:
			RAW(g, w, alu[below(&g->r, ARRAY_SIZE(alu))], 0x40 | a << 3 | p, d);
			break;
		case 5:
			RAW(g, 0x0f, 0xb6 + below(&g->r, 2), 0x40 | a << 3 | p, d);
			break;
		case 6:
			RAW(g, 0xc7, 0x40 | p, d, rnd(&g->r), rnd(&g->r), 0, 0);
			break;
		case 7:
			RAW(g, 0x48, 0x83, 0xc0 | (chance(&g->r, 50) ? 0x28 : 0) | p,
			    8 * below(&g->r, 4));
			break; /* add/sub p, imm8 */
		case 8:
			RAW(g, 0x0f, 0x10 + below(&g->r, 2), 0x40 | below(&g->r, 8) << 3 | p, d);
			break; /* movups */
		default:
			RAW(g, 0x40, 0x0f, 0x90 | below(&g->r, 16), 0x40 | p, d);
			break; /* setcc [p + d] */
		}
	}
	g->written |= BIT(p);
}

/* The same with the stack pointer: prologue, body, epilogue across a page boundary. */
static void stack_frame(struct gen *g)
{
	unsigned n = 1 + below(&g->r, 4), room = 8 * below(&g->r, 16);
	u8 regs[4];

	if (chance(&g->r, 70))
		mov_imm(g, R_SP, (u32)(WIN_DATA + PAGE_BYTES + 8 * below(&g->r, 12)));
	for (unsigned k = 0; k < n; k++) {
		regs[k] = (u8)(below(&g->r, 8));
		RAW(g, 0x50 + regs[k]);
	}
	RAW(g, 0x48, 0x83, 0xec, room);
	for (unsigned k = below(&g->r, 4); k; k--) {
		unsigned a = data_register(g), d = 8 * below(&g->r, 16);

		RAW(g, chance(&g->r, 50) ? 0x48 : 0x40, chance(&g->r, 50) ? 0x89 : 0x8b,
		    0x44 | a << 3, 0x24, d);
	}
	RAW(g, 0x48, 0x83, 0xc4, room);
	while (n--)
		RAW(g, 0x58 + (regs[n] == R_SP ? R_AX : regs[n]));
	g->written |= BIT(R_SP);
}

/* A store over the opcode of an instruction that follows, at once or a little later: mov r8, imm8
 * becomes another of its length. */
static void write_code(struct gen *g)
{
	static const u8 op[] = { 0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb7, 0x04, 0x2c };
	unsigned victim = 0xb0 + below(&g->r, 4), to = op[below(&g->r, ARRAY_SIZE(op))];
	struct item *store;

	if (g->s->at < WIN_SMC)
		return;
	switch (below(&g->r, 6)) {
	case 0:
		store = RAW(g, 0x80, 0x35, 0, 0, 0, 0, victim ^ to);
		break; /* xor byte [victim], imm8 */
	case 1:
		store = RAW(g, 0x80, 0x15, 0, 0, 0, 0, below(&g->r, 4));
		break; /* adc */
	case 2:
		store = RAW(g, 0xf0, 0x80, 0x15, 0, 0, 0, 0, below(&g->r, 4));
		break;
	case 3:
		store = RAW(g, 0xf0, 0x80, 0x2d, 0, 0, 0, 0, victim - to);
		break;
	default:
		store = RAW(g, 0xc6, 0x05, 0, 0, 0, 0, to);
		break;
	}
	if (!store)
		return;
	store->rip_at = store->len - 5;
	filling(g, below(&g->r, 3));
	if (RAW(g, victim, 0x55))
		g->out->i[store - g->out->i].rip_to = g->out->n; /* item n - 1, which is the last */
	else
		store->rip_to = WIN_DATA;
}

bool grammar_add(struct gen *g)
{
	static const struct {
		void (*fn)(struct gen *g);
		u32 groups;
		u8 share;
	} rules[] = {
		{ string, BIT(G_STRING), 10 },
		{ compare_jump, BIT(G_CONTROL), 12 },
		{ counted_loop, BIT(G_CONTROL), 8 },
		{ call_ret, BIT(G_CONTROL), 8 },
		{ push_pop, BIT(G_INT), 8 },
		{ flag_chain, BIT(G_INT), 14 },
		{ subregisters, BIT(G_INT), 10 },
		{ locked, BIT(G_INT), 8 },
		{ mxcsr, BIT(G_SSE), 8 },
		{ control_word, BIT(G_X87), 8 },
		{ x87_sequence, BIT(G_X87), 14 },
		{ save_restore, BIT(G_X87), 6 },
		{ frame, BIT(G_INT), 10 },
		{ stack_frame, BIT(G_INT), 6 },
		{ flags_word, BIT(G_INT), 4 },
		{ write_code, BIT(G_INT) | BIT(G_CONTROL), 3 },
	};
	unsigned total = 0, n;

	for (unsigned i = 0; i < ARRAY_SIZE(rules); i++)
		total += rules[i].groups & g->groups ? rules[i].share : 0;
	if (!total)
		return false;
	n = below(&g->r, total);
	for (unsigned i = 0; i < ARRAY_SIZE(rules); i++) {
		unsigned share = rules[i].groups & g->groups ? rules[i].share : 0;

		if (n < share) {
			rules[i].fn(g);
			return true;
		}
		n -= share;
	}
	return false;
}
