/* SPDX-License-Identifier: GPL-2.0-or-later */
/* encode.c - one random valid encoding of a row of the tables: the decoder's inverse, with memory
 * operands steered into the windows. What comes out is decoded again; it must be that row and that
 * length. */
#include "diff.h"

/* What the operand codes of a row ask for. */
struct shape {
	bool modrm, mem_only, reg_only, vector, has_v, has_y, rel, vvvv, st;
	unsigned imm; /* bytes; 0x80 | ...: by operand size */
	char imm_size[3], imm2_size[3];
};

enum { IMM_Z = 0x80, IMM_V };

static unsigned imm_bytes(const char *size, unsigned n)
{
	if (!n)
		return 0;
	switch (size[0]) {
	case 'w':
		return 2;
	case 'z':
		return IMM_Z;
	case 'v':
		return IMM_V;
	default:
		return 1;
	}
}

static struct shape shape_of(const struct x86_enc *e, unsigned imm[2], unsigned *nimm, bool *moffs)
{
	struct shape s = { .modrm = e->form || (e->flags & OPF_MODRM) };

	*nimm = 0;
	*moffs = false;
	for (const char *p = e->operands; *p;) {
		size_t n = strcspn(p, " ");

		if (n == 2 && (!memcmp(p, "AL", 2) || !memcmp(p, "CL", 2) || !memcmp(p, "DX", 2) ||
			       p[1] == 'S' || !memcmp(p, "AX", 2))) {
			;
		} else if (*p == 'r' || *p == 'e' || *p == '1' ||
			   !memcmp(p, "EAX", MIN(n, (size_t)3))) {
			s.has_v |= *p == 'r' || *p == 'e';
		} else if (!memcmp(p, "st", 2)) {
			s.st |= n == 3;
			s.modrm |= n == 3;
		} else {
			s.modrm |= strchr("EGMRWVUQPNSCD", *p) != NULL;
			s.mem_only |= *p == 'M';
			s.reg_only |= !(e->flags & OPF_NOMEMF) && strchr("RUN", *p) != NULL;
			s.vvvv |= *p == 'B';
			s.has_v |= n > 1 && (p[1] == 'v' || p[1] == 'z');
			s.has_y |= n > 1 && p[1] == 'y';
			*moffs |= *p == 'O';
			if (*p == 'I' && *nimm < 2)
				imm[(*nimm)++] = imm_bytes(p + 1, (unsigned)n - 1);
			if (*p == 'J') {
				s.rel = true;
				imm[(*nimm)++] = p[1] == 'b' ? 1 : 4;
			}
		}
		p += n + (p[n] == ' ');
	}
	return s;
}

/* --- memory */

u64 gen_address(struct gen *g, unsigned n, bool aligned)
{
	struct rng *r = &g->r;
	u64 a;

	if (g->faults && chance(r, 25)) {
		switch (below(r, 6)) {
		case 0:
			return WIN_DATA + 2 * PAGE_BYTES - 1 - below(r, n > 1 ? n - 1 : 1);
		case 1:
			return WIN_DATA + 3 * PAGE_BYTES - 1 - below(r, n > 1 ? n - 1 : 1);
		case 2:
			return WIN_DATA + 3 * PAGE_BYTES + below(r, PAGE_BYTES);
		case 3:
			return WIN_DATA + 2 * PAGE_BYTES + below(r, PAGE_BYTES);
		case 4:
			return WIN_DATA + 5 * PAGE_BYTES - below(r, n + 1);
		default:
			return WIN_CODE + below(r, 2 * PAGE_BYTES);
		}
	}
	if (!aligned && n > 1 && chance(r, 12))
		return WIN_DATA + PAGE_BYTES - 1 - below(r, n - 1);
	a = WIN_DATA + (chance(r, 20) ? 4 * PAGE_BYTES + below(r, PAGE_BYTES - n) :
					below(r, 2 * PAGE_BYTES - n));
	/* few places, so that accesses meet */
	if (chance(r, 50))
		a = WIN_DATA + 256 + below(r, 128);
	return aligned ? a & ~(u64)(n - 1) & ~0ull : a;
}

/* A register whose value is known, for a base. */
static int base_register(struct gen *g)
{
	int found = -1;
	unsigned seen = 0;

	for (int i = 0; i < 16; i++)
		if (g->roles.of[i] == ROLE_POINTER && !(g->written >> i & 1) &&
		    !below(&g->r, ++seen))
			found = i;
	return found;
}

static int index_register(struct gen *g)
{
	int found = -1;
	unsigned seen = 0;

	for (int i = 0; i < 16; i++)
		if (i != R_SP && g->roles.of[i] == ROLE_SMALL && !(g->written >> i & 1) &&
		    !below(&g->r, ++seen))
			found = i;
	return found;
}

struct enc_out {
	u8 rex, modrm, sib, disp[8];
	unsigned ndisp;
	bool has_sib, rip;
	u64 rip_to;
};

static void disp(struct enc_out *o, s64 d, unsigned n)
{
	st64le(o->disp, (u64)d);
	o->ndisp = n;
}

/* A memory operand of n bytes. The base is left out of base_written registers. */
static void memory_operand(struct gen *g, struct enc_out *o, unsigned n)
{
	struct rng *r = &g->r;
	bool aligned = n == 16 ? chance(r, 85) : chance(r, 60);
	u64 to = gen_address(g, MAX(n, 1u), aligned);
	int base = base_register(g), index = chance(r, 25) ? index_register(g) : -1;
	unsigned kind = below(r, 20), scale = index >= 0 ? below(r, 4) : 0;
	s64 d;

	if (kind == 0 || base < 0) {
		o->rip = true;
		o->rip_to = to;
		o->modrm = 5;
		disp(o, 0, 4);
		return;
	}
	if (kind == 1) {
		o->modrm = 4;
		o->sib = 0x25;
		o->has_sib = true;
		disp(o, (s64)to, 4);
		return;
	}
	if (kind == 2 && chance(r, 15)) {
		/* anything */
		base = (int)below(r, 16);
		index = chance(r, 50) ? (int)below(r, 16) : -1;
		d = (s32)rnd(r) >> below(r, 32);
	} else {
		d = (s64)(to - g->start->gpr[base] -
			  (index >= 0 ? g->start->gpr[index] << scale : 0));
	}
	if (index == R_SP)
		index = -1;
	o->rex |= (u8)(base >> 3 & 1);
	if (index >= 0 || (base & 7) == 4 || chance(r, 3)) {
		o->has_sib = true;
		o->sib = (u8)(scale << 6 | (index >= 0 ? index & 7 : 4) << 3 | (base & 7));
		o->rex |= (u8)(index >= 8 ? 2 : 0);
		o->modrm = 4;
	} else {
		o->modrm = (u8)(base & 7);
	}
	if (d == 0 && (base & 7) != 5 && chance(r, 80)) {
		o->ndisp = 0;
	} else if (d == (s8)d && chance(r, 90)) {
		o->modrm |= 0x40;
		disp(o, d, 1);
	} else {
		o->modrm |= 0x80;
		disp(o, d, 4);
	}
}

/* --- registers */

/* A destination or source: rarely one that an address hangs on. */
static unsigned any_register(struct gen *g)
{
	for (unsigned k = 0; k < 4; k++) {
		unsigned i = below(&g->r, 16);

		if (g->roles.of[i] == ROLE_ANY || g->written >> i & 1)
			return i;
	}
	do {
		unsigned i = below(&g->r, 16);

		if (i != R_SP || chance(&g->r, 10))
			return i;
	} while (true);
}

/* --- the whole */

struct bytes {
	u8 *b;
	unsigned n;
};

static void byte(struct bytes *o, unsigned v)
{
	if (o->n < 16)
		o->b[o->n++] = (u8)v;
}

static void prefixes(struct gen *g, struct bytes *o, const struct x86_enc *e, bool op66, bool lock,
		     bool a67, unsigned rep)
{
	u8 p[8];
	unsigned n = 0;

	if (op66)
		p[n++] = 0x66;
	if (rep)
		p[n++] = (u8)rep;
	if (lock)
		p[n++] = 0xf0;
	if (a67)
		p[n++] = 0x67;
	if (chance(&g->r, 4))
		p[n++] = chance(&g->r, 70) ? 0x64 + below(&g->r, 2) :
					     (u8[]){ 0x26, 0x2e, 0x36, 0x3e }[below(&g->r, 4)];
	while (n) {
		unsigned k = below(&g->r, n);

		byte(o, p[k]);
		p[k] = p[--n];
	}
}

static void vex(struct bytes *o, const struct x86_enc *e, unsigned rex, unsigned vvvv, bool two)
{
	static const u8 pp[] = { 0, 1, 2, 3, 0, 0 };
	unsigned last = (~vvvv & 15) << 3 | pp[e->prefix];

	if (two && e->map == MAP_V0F && !(rex & 11)) {
		byte(o, 0xc5);
		byte(o, (~rex << 5 & 0x80) | last);
		return;
	}
	byte(o, 0xc4);
	byte(o, (~rex << 5 & 0xe0) | (unsigned)(e->map - MAP_V0F + 1));
	byte(o, (rex << 4 & 0x80) | last);
}

static void opcode_bytes(struct bytes *o, const struct x86_enc *e, unsigned opcode)
{
	if (e->map == MAP_0F || e->map == MAP_0F38 || e->map == MAP_0F3A)
		byte(o, 0x0f);
	if (e->map == MAP_0F38)
		byte(o, 0x38);
	if (e->map == MAP_0F3A)
		byte(o, 0x3a);
	byte(o, opcode);
}

static u64 immediate(struct gen *g, unsigned bytes)
{
	u64 v = chance(&g->r, 70) ? state_value(&g->r) : below(&g->r, 9);

	return bytes == 1 && chance(&g->r, 50) ? below(&g->r, 70) : v;
}

/* The size of the memory operand, asked of the decoder with a register-free trial. */
static unsigned memory_bytes(const u8 *b, unsigned n)
{
	struct x86_insn in;
	u8 code[15] = { 0 };

	memcpy(code, b, MIN(n, 15u));
	if (x86_decode(code, 15, MODE64, &in) <= 0)
		return 1;
	for (unsigned i = 0; i < in.nops; i++)
		if (in.op[i].kind == OPK_MEM)
			return in.op[i].size;
	return 16;
}

static bool string_op(const struct x86_enc *e)
{
	return e->map == MAP_PRI && ((e->opcode >= 0xa4 && e->opcode <= 0xaf && e->opcode != 0xa8 &&
				      e->opcode != 0xa9) ||
				     (e->opcode & 0xfc) == 0x6c);
}

static bool encode(struct gen *g, const struct x86_enc *e, struct item *it)
{
	enum { NP, P66, PF3, PF2, NP66, ANY };
	struct rng *r = &g->r;
	struct enc_out m = { 0 };
	struct bytes o = { it->b, 0 };
	unsigned imm[3], nimm, rep = 0, vvvv = 0, opcode = e->opcode + below(r, e->span), rex = 0,
			       modrm_at;
	bool moffs, op66, mem = false, lock = false, is_vex = e->map >= MAP_V0F, want_rex;
	struct shape s = shape_of(e, imm, &nimm, &moffs);

	*it = (struct item){ .target = -1, .enc = e };
	op66 = e->prefix == P66 || (e->prefix >= NP66 && chance(r, s.has_v || s.has_y ? 20 : 2)) ||
	       (e->prefix >= PF3 && e->prefix < NP66 && chance(r, 3));
	rep = e->prefix == PF3 ? 0xf3 : e->prefix == PF2 ? 0xf2 : 0;
	if (e->prefix == ANY && chance(r, string_op(e) ? 60 : 1))
		rep = chance(r, 60) ? 0xf3 : 0xf2;
	if (chance(r, s.has_v || s.has_y ? 35 : 4) || e->flags & OPF_W1)
		rex |= 8;
	if (s.modrm)
		mem = s.mem_only || (!s.reg_only && chance(r, 45));
	if (e->form == 2)
		mem = true;
	if (e->form == 3 || e->form == 4 || e->flags & OPF_NOMEMF || s.reg_only)
		mem = false;
	lock = mem && (e->flags & OPF_LOCK) && chance(r, 25);
	if (e->span == 8)
		rex |= chance(r, 40);
	if (s.vvvv)
		vvvv = any_register(g);
	/* ModRM: the register fields first */
	if (s.modrm && e->form != 4) {
		unsigned reg = any_register(g), rm = any_register(g);

		if (e->form && e->ext >= 0)
			reg = (unsigned)e->ext | (chance(r, 3) ? 8 : 0);
		m.modrm = (u8)((reg & 7) << 3);
		rex |= reg >> 1 & 4;
		if (!mem) {
			m.modrm |= (u8)(0xc0 | (rm & 7));
			rex |= rm >> 3 & 1;
		}
	} else if (e->form == 4) {
		m.modrm = (u8)e->ext;
	}
	if (mem) {
		u8 trial[16], reg = m.modrm & 0x38;
		struct bytes t = { trial, 0 };

		if (op66 && !is_vex)
			byte(&t, 0x66);
		if (rep && !is_vex)
			byte(&t, rep);
		if (is_vex)
			vex(&t, e, rex, vvvv, false);
		else if (rex)
			byte(&t, 0x40 | rex);
		opcode_bytes(&t, (is_vex ? &(struct x86_enc){ .map = MAP_PRI } : e), opcode);
		byte(&t, reg);
		memory_operand(g, &m, memory_bytes(trial, t.n));
		m.modrm |= reg;
		rex |= m.rex;
	}
	want_rex = rex || chance(r, 5);
	if (is_vex) {
		if (mem && chance(r, 3))
			byte(&o, 0x67);
		vex(&o, e, rex, vvvv, chance(r, 50));
	} else {
		prefixes(g, &o, e, op66, lock, (mem || moffs || string_op(e)) && chance(r, 4), rep);
		if (want_rex)
			byte(&o, 0x40 | rex);
	}
	opcode_bytes(&o, is_vex ? &(struct x86_enc){ .map = MAP_PRI } : e, opcode);
	modrm_at = o.n;
	if (s.modrm) {
		byte(&o, m.modrm);
		if (m.has_sib)
			byte(&o, m.sib);
		if (m.rip) {
			it->rip_at = (u8)o.n;
			it->rip_to = m.rip_to;
		}
		for (unsigned i = 0; i < m.ndisp; i++)
			byte(&o, m.disp[i]);
	}
	if (moffs) {
		u64 to = gen_address(g, 8, false);
		bool a67 = memchr(it->b, 0x67, modrm_at) != NULL;

		for (unsigned i = 0; i < (a67 ? 4 : 8); i++)
			byte(&o, (u8)(to >> 8 * i));
	}
	for (unsigned k = 0; k < nimm; k++) {
		unsigned size = rex & 8 ? 8 : op66 && !(e->flags & OPF_F64) ? 2 : 4, n = imm[k];
		u64 v;

		if (n == IMM_Z)
			n = MIN(size, 4u);
		else if (n == IMM_V)
			n = size;
		v = immediate(g, n);
		for (unsigned i = 0; i < n; i++)
			byte(&o, (u8)(v >> 8 * i));
		if (s.rel)
			it->rel = (u8)n;
	}
	it->len = (u8)o.n;
	return o.n <= 15;
}

/* Not what the manual defines: results that processors may choose. */
static bool undefined_result(const struct gen *g, const struct x86_insn *in)
{
	const char *n = in->enc->name;

	/* near branches of 16 bits: AMD's have them, Intel's ignore the prefix */
	if (in->opsize66 && in->enc->flags & OPF_F64)
		return true;
	/* AMD's take the prefix for the condition, as the 8086 did */
	if (!strncmp(n, "loop", 4) && in->rep)
		return true;
	/* with nesting levels, in which order things fault */
	if (!strcmp(n, "enter"))
		return (in->imm2 & 31) > 1 && (g->roles.of[R_BP] != ROLE_POINTER ||
					       g->written & BIT(R_BP) || (in->imm2 & 31) > 4);

	if (!strcmp(n, "bswap"))
		return in->osize == 2;
	if (!strcmp(n, "shld") || !strcmp(n, "shrd"))
		return in->osize == 2 && (in->op[2].kind != OPK_IMM || (in->imm & 31) > 16);
	/* MOVSXD into 16 bits: how much is read */
	if (in->map == MAP_PRI && in->opcode == 0x63 && in->osize == 2)
		return true;
	/* PREFETCH of a register: a NOP of Intel's, #UD of AMD's */
	return in->map == MAP_0F && in->opcode == 0x0d && x86_mod3(in);
}

bool encode_row(struct gen *g, unsigned row, struct item *it)
{
	const struct x86_enc *e = &x86_encodings[row];

	for (unsigned k = 0; k < 8; k++) {
		struct x86_insn in;
		u8 code[15] = { 0 };

		if (!encode(g, e, it))
			continue;
		memcpy(code, it->b, it->len);
		if (x86_decode(code, it->len, MODE64, &in) != it->len || in.enc != e ||
		    undefined_result(g, &in))
			continue;
		if (it->rel) {
			/* forward, inside the snippet or just behind it */
			it->target = (s8)(g->out->n + 1 + below(&g->r, 5));
		}
		return true;
	}
	return false;
}

/* Registers that an instruction writes, roughly: its first operand, and the fixed ones of some. */
static u16 writes(const struct item *it)
{
	struct x86_insn in;
	u16 w = 0;
	const char *n;

	if (x86_decode(it->b, it->len, MODE64, &in) <= 0)
		return 0;
	n = in.enc->name;
	if (in.nops && in.op[0].kind == OPK_REG && strcmp(n, "cmp") && strcmp(n, "test") &&
	    strcmp(n, "push"))
		w |= (u16)(1u << (in.op[0].reg >= 16 ? in.op[0].reg - 16 : in.op[0].reg));
	if (in.nops > 1 && in.op[1].kind == OPK_REG &&
	    (!strcmp(n, "xchg") || !strcmp(n, "xadd") || !strcmp(n, "mulx")))
		w |= (u16)(1u << (in.op[1].reg & 15));
	if (string_op(in.enc))
		w |= BIT(R_SI) | BIT(R_DI) | (in.rep ? BIT(R_CX) : 0);
	if (strstr(n, "mul") || strstr(n, "div") || !strncmp(n, "cmpxchg", 7))
		w |= BIT(R_AX) | BIT(R_DX);
	if (!strcmp(n, "push") || !strcmp(n, "pop") || !strcmp(n, "call") || !strcmp(n, "enter") ||
	    !strcmp(n, "leave") || !strcmp(n, "pushf"))
		w |= BIT(R_SP);
	if (!strcmp(n, "enter") || !strcmp(n, "leave"))
		w |= BIT(R_BP);
	if (!strncmp(n, "loop", 4) || !strncmp(n, "pcmp", 4))
		w |= BIT(R_CX);
	return w;
}

bool gen_add(struct gen *g, const struct item *it)
{
	if (g->out->n >= MAX_INSNS - 8)
		return false;
	g->out->i[g->out->n++] = *it;
	g->written |= writes(it);
	return true;
}
