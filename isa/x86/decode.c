/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decode.c - x86 instruction bytes to struct x86_insn, by direct tables made once at start from the
 * rows of the .insn files. Follows the Intel SDM vol. 2, chapter 2 (formats, prefixes, ModRM, VEX)
 * and appendix A (operand codes).
 *
 * Index: code size (64 or not), map, opcode, mandatory prefix. The cell holds the number of a row,
 * or of a group: 256 rows by ModRM byte. */
#include "decode.h"
#include <stdio.h>

enum { PFX_NP, PFX_66, PFX_F3, PFX_F2, PFX_NP66, PFX_ANY };
enum { FORM_ANY, FORM_REG, FORM_MEM3, FORM_MOD3, FORM_BYTE };
/* Sizes that depend on the instruction; others are bytes. */
enum { SZ_V = 0x80, SZ_Z, SZ_Y, SZ_P, SZ_S };

const struct x86_enc x86_encodings[] = {
	{ .map = 0 },
#define FEAT(name) (((u32)X86F_##name + 1) << OPF_FEAT_SHIFT)
#define ROW(m, o, p, n, f, x, nm, ops, fl) \
	{ MAP_##m, 0x##o, PFX_##p, n, f, x, fl, #nm, ops, x86_emit_##nm },
#define OP(m, o, p, name, ops, fl)     ROW(m, o, p, 1, FORM_ANY, -1, name, ops, fl)
#define OP8(m, o, p, name, ops, fl)    ROW(m, o, p, 8, FORM_ANY, -1, name, ops, fl)
#define OP16(m, o, p, name, ops, fl)   ROW(m, o, p, 16, FORM_ANY, -1, name, ops, fl)
#define OPR(m, o, p, r, name, ops, fl) ROW(m, o, p, 1, FORM_REG, r, name, ops, fl)
#define OPM(m, o, p, r, name, ops, fl) ROW(m, o, p, 1, FORM_MEM3, r, name, ops, fl)
#define OPG(m, o, p, r, name, ops, fl) ROW(m, o, p, 1, FORM_MOD3, r, name, ops, fl)
#define OP1(m, o, p, b, name, ops, fl) ROW(m, o, p, 1, FORM_BYTE, 0x##b, name, ops, fl)
#include "insn.def"
#undef OP
#undef OP8
#undef OP16
#undef OPR
#undef OPM
#undef OPG
#undef OP1
#undef FEAT
};
const unsigned x86_nencodings = ARRAY_SIZE(x86_encodings);

/* A row's operand codes, compiled. */
struct compiled {
	u8 nops;
	bool modrm, mem_only, reg_only;
	struct x86_opspec op[4];
};

enum { MAX_GROUPS = 400, GROUP = 0x8000 };
static struct compiled compiled[ARRAY_SIZE(x86_encodings)];
static u16 cells[2][MAP_COUNT][256][4];
static u16 groups[MAX_GROUPS][256];
static unsigned ngroups;
static char complaint[160];

static void complain(const struct x86_enc *e, const char *what)
{
	if (!complaint[0])
		snprintf(complaint, sizeof(complaint), "row %s, map %u opcode %02x \"%s\": %s",
			 e->name, e->map, e->opcode, e->operands, what);
}

/* --- compiling operand codes */

static const struct {
	char text[4];
	struct x86_opspec spec;
} fixed[] = {
	{ "AL", { 'a', 1, 1 } },	{ "CL", { 'c', 1, 1 } },	{ "DX", { 'd', 2, 2 } },
	{ "rAX", { 'a', SZ_V, SZ_V } }, { "eAX", { 'a', SZ_Z, SZ_Z } }, { "1", { '1', 1, 1 } },
	{ "ES", { 's', S_ES, 0 } },	{ "CS", { 's', S_CS, 0 } },	{ "SS", { 's', S_SS, 0 } },
	{ "DS", { 's', S_DS, 0 } },	{ "FS", { 's', S_FS, 0 } },	{ "GS", { 's', S_GS, 0 } },
	{ "st", { 't', 10, 10 } },	{ "sti", { 'i', 10, 10 } },	{ "AX", { 'a', 2, 2 } },
	{ "EAX", { 'a', 4, 4 } },
};
static const struct {
	char text[4];
	u8 size;
} sizes[] = {
	{ "", 0 },     { "b", 1 },    { "w", 2 },    { "d", 4 },    { "q", 8 },	    { "t", 10 },
	{ "x", 16 },   { "dq", 16 },  { "ps", 16 },  { "pd", 16 },  { "ss", 4 },    { "sd", 8 },
	{ "v", SZ_V }, { "z", SZ_Z }, { "y", SZ_Y }, { "p", SZ_P }, { "bs", SZ_S },
};

static bool size_code(const char *s, size_t n, u8 *size)
{
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++)
		if (strlen(sizes[i].text) == n && !memcmp(sizes[i].text, s, n)) {
			*size = sizes[i].size;
			return true;
		}
	return false;
}

static bool compile_one(const char *s, size_t n, struct x86_opspec *o)
{
	const char *slash = memchr(s, '/', n);

	for (unsigned i = 0; i < ARRAY_SIZE(fixed); i++)
		if (strlen(fixed[i].text) == n && !memcmp(fixed[i].text, s, n)) {
			*o = fixed[i].spec;
			return true;
		}
	if (!n || !strchr("EGMRWVUQPNSCDBZIJOA", *s))
		return false;
	o->code = (u8)*s;
	if (!slash)
		return size_code(s + 1, n - 1, &o->size) && (o->msize = o->size, true);
	return size_code(s + 1, (size_t)(slash - s - 1), &o->size) &&
	       size_code(slash + 1, (size_t)(s + n - slash - 1), &o->msize);
}

static void compile(const struct x86_enc *e, struct compiled *c)
{
	const char *s = e->operands;

	c->modrm = e->form != FORM_ANY || (e->flags & OPF_MODRM);
	while (*s) {
		size_t n = strcspn(s, " ");
		struct x86_opspec *o = &c->op[c->nops];

		if (c->nops == 4 || !compile_one(s, n, o)) {
			complain(e, "bad operand code");
			return;
		}
		c->nops++;
		c->modrm |= strchr("EGMRWVUQPNSCDi", o->code) != NULL;
		c->mem_only |= o->code == 'M';
		c->reg_only |= !(e->flags & OPF_NOMEMF) && strchr("RUNi", o->code) != NULL;
		s += n + (s[n] == ' ');
	}
}

/* --- making the tables */

static bool takes(const struct x86_enc *e, const struct compiled *c, bool is64, unsigned prefix,
		  unsigned modrm)
{
	bool mod3 = modrm >= 0xc0;

	if ((e->flags & OPF_I64 && is64) || (e->flags & OPF_O64 && !is64))
		return false;
	if (e->prefix < 4 ? e->prefix != prefix : e->prefix == PFX_NP66 && prefix > PFX_66)
		return false;
	if ((c->mem_only && mod3) || (c->reg_only && !mod3))
		return false;
	if (e->form == FORM_BYTE)
		return (u8)e->ext == modrm;
	if ((e->form == FORM_MEM3 && mod3) || (e->form == FORM_MOD3 && !mod3))
		return false;
	return e->form == FORM_ANY || e->ext < 0 || e->ext == (int)(modrm >> 3 & 7);
}

static unsigned priority(const struct x86_enc *e)
{
	static const u8 form[] = {
		[FORM_ANY] = 0, [FORM_REG] = 1, [FORM_MEM3] = 2, [FORM_MOD3] = 2, [FORM_BYTE] = 3
	};

	return form[e->form] * 8 + (e->ext >= 0) * 4 +
	       (e->prefix == PFX_ANY  ? 0 :
		e->prefix == PFX_NP66 ? 1 :
					2);
}

static u16 best(const u16 *rows, unsigned n, bool is64, unsigned prefix, unsigned modrm)
{
	u16 found = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct x86_enc *e = &x86_encodings[rows[i]];

		if (!takes(e, &compiled[rows[i]], is64, prefix, modrm))
			continue;
		if (found && priority(e) == priority(&x86_encodings[found]))
			complain(e, "two rows take the same encoding");
		if (!found || priority(e) > priority(&x86_encodings[found]))
			found = rows[i];
	}
	return found;
}

static u16 make_cell(const u16 *rows, unsigned n, bool is64, unsigned prefix)
{
	u16 *g = groups[ngroups];
	bool same = true, single = false;

	for (unsigned i = 0; i < n; i++)
		single |= x86_encodings[rows[i]].form == FORM_BYTE;
	/* rows tell memory from registers and the eight values of reg; only OP1 rows look at rm */
	for (unsigned reg = 0; reg < 8; reg++) {
		u16 mem = best(rows, n, is64, prefix, reg << 3),
		    r = single ? 0 : best(rows, n, is64, prefix, 0xc0 | reg << 3);

		for (unsigned rm = 0; rm < 8; rm++) {
			g[reg << 3 | rm] = g[0x40 | reg << 3 | rm] = g[0x80 | reg << 3 | rm] = mem;
			g[0xc0 | reg << 3 | rm] =
				single ? best(rows, n, is64, prefix, 0xc0 | reg << 3 | rm) : r;
		}
	}
	for (unsigned m = 1; m < 256; m++)
		same &= g[m] == g[0];
	if (same)
		return g[0];
	for (unsigned i = ngroups; i-- > 0 && ngroups - i < 16;)
		if (!memcmp(groups[i], g, sizeof(groups[i])))
			return (u16)(GROUP | i);
	if (ngroups + 1 == MAX_GROUPS) {
		complain(&x86_encodings[rows[0]], "too many groups");
		return 0;
	}
	return (u16)(GROUP | ngroups++);
}

static void make_opcode(const u16 *rows, unsigned n, unsigned map, unsigned opcode)
{
	bool simple = n == 1 && x86_encodings[rows[0]].form == FORM_ANY &&
		      !compiled[rows[0]].mem_only && !compiled[rows[0]].reg_only;

	for (unsigned is64 = 0; is64 < 2; is64++)
		for (unsigned p = 0; p < 4; p++)
			cells[is64][map][opcode][p] =
				simple ? best(rows, n, is64, p, 0) : make_cell(rows, n, is64, p);
}

static void __attribute__((constructor)) make_tables(void)
{
	static u16 first[MAP_COUNT][256], next[ARRAY_SIZE(x86_encodings) * 2];
	static u16 row_of[ARRAY_SIZE(x86_encodings) * 2];
	unsigned links = 0;

	for (unsigned i = 1; i < x86_nencodings; i++) {
		const struct x86_enc *e = &x86_encodings[i];

		compile(e, &compiled[i]);
		for (unsigned k = 0; k < e->span; k++) {
			if (++links == ARRAY_SIZE(next)) {
				complain(e, "too many spans");
				return;
			}
			row_of[links] = (u16)i;
			next[links] = first[e->map][e->opcode + k];
			first[e->map][e->opcode + k] = (u16)links;
		}
	}
	for (unsigned m = 0; m < MAP_COUNT; m++)
		for (unsigned o = 0; o < 256; o++) {
			u16 rows[96];
			unsigned n = 0;

			for (unsigned l = first[m][o]; l && n < ARRAY_SIZE(rows); l = next[l])
				rows[n++] = row_of[l];
			if (n == ARRAY_SIZE(rows))
				complain(&x86_encodings[rows[0]], "too many rows for an opcode");
			if (n)
				make_opcode(rows, n, m, o);
		}
}

const char *x86_decode_check(void) { return complaint[0] ? complaint : NULL; }

/* --- decoding */

struct reader {
	const u8 *p, *end;
	bool is64, code16;
	u8 prefix; /* PFX_NP.. PFX_F2 */
	u8 rexw;
	bool vex_bad; /* a prefix that VEX does not allow */
};

enum { P_NONE, P_REX, P_SEG, P_66, P_67, P_LOCK, P_REP };
static const u8 prefix_kind[256] = {
	[0x26] = P_SEG, [0x2e] = P_SEG, [0x36] = P_SEG, [0x3e] = P_SEG,	 [0x64] = P_SEG,
	[0x65] = P_SEG, [0x66] = P_66,	[0x67] = P_67,	[0xf0] = P_LOCK, [0xf2] = P_REP,
	[0xf3] = P_REP, [0x40] = P_REX, P_REX,		P_REX,		 P_REX,
	P_REX,		P_REX,		P_REX,		P_REX,		 P_REX,
	P_REX,		P_REX,		P_REX,		P_REX,		 P_REX,
	P_REX,		P_REX,
};

static inline unsigned seg_of_prefix(u8 b)
{
	return b < 0x40 ? (b >> 3 & 3) : b == 0x64 ? S_FS : S_GS;
}

/* Returns false at the end of the bytes. */
static inline bool prefixes(struct reader *r, struct x86_insn *in)
{
	for (; r->p < r->end; r->p++) {
		u8 b = *r->p;

		switch (prefix_kind[b]) {
		case P_NONE:
			return true;
		case P_REX:
			if (!r->is64)
				return true;
			in->rex = b;
			continue;
		case P_SEG:
			if (!r->is64 || b >= 0x64) {
				in->seg = (u8)seg_of_prefix(b);
				in->seg_override = true;
			}
			break;
		case P_66:
			in->opsize66 = true;
			break;
		case P_67:
			in->asize = r->is64 ? 4 : r->code16 ? 4 : 2;
			break;
		case P_LOCK:
			in->lock = true;
			break;
		case P_REP:
			in->rep = b;
			break;
		}
		r->vex_bad |= b == 0x66 || b == 0xf0 || b == 0xf2 || b == 0xf3;
		in->rex = 0;
	}
	return false;
}

/* VEX: C5 RvvvvLpp, or C4 RXBmmmmm WvvvvLpp. Returns 0 when short, -1 when invalid, 1. */
static int vex(struct reader *r, struct x86_insn *in, u8 first, u32 mode)
{
	static const u8 pp[4] = { PFX_NP, PFX_66, PFX_F3, PFX_F2 };
	unsigned n = first == 0xc4 ? 2 : 1;
	u8 b;

	if (r->end - r->p < (int)n + 1)
		return 0;
	if (r->vex_bad || in->rex || !(mode & M_PE) || (mode & M_VM))
		return -1;
	b = r->p[n - 1];
	in->vex = 1;
	in->rex = (u8)(~r->p[0] >> 5 & 4);
	in->map = MAP_V0F;
	if (n == 2) {
		unsigned m = r->p[0] & 31;

		in->rex |= (~r->p[0] >> 5 & 3) | (b >> 4 & 8);
		if (m < 1 || m > 3)
			return -1;
		in->map = (u8)(MAP_V0F + m - 1);
	}
	if (!r->is64)
		in->rex &= 8;
	in->vvvv = ~b >> 3 & 15;
	if (!r->is64)
		in->vvvv &= 7;
	in->vex_l = b >> 2 & 1;
	r->prefix = pp[b & 3];
	in->opcode = r->p[n];
	r->p += n + 1;
	return 1;
}

/* Opcode and map. Returns 0 when short, -1 when invalid, 1. */
static inline int opcode(struct reader *r, struct x86_insn *in, u32 mode)
{
	u8 b = *r->p++;

	r->prefix = in->rep ? (in->rep == 0xf3 ? PFX_F3 : PFX_F2) : in->opsize66 ? PFX_66 : PFX_NP;
	in->map = MAP_PRI;
	if (b == 0x0f) {
		if (r->p >= r->end)
			return 0;
		b = *r->p++;
		in->map = MAP_0F;
		if (b == 0x38 || b == 0x3a) {
			in->map = b == 0x38 ? MAP_0F38 : MAP_0F3A;
			if (r->p >= r->end)
				return 0;
			b = *r->p++;
		}
	} else if (b == 0xc4 || b == 0xc5) {
		if (r->p >= r->end)
			return 0;
		if (r->is64 || *r->p >= 0xc0)
			return vex(r, in, b, mode);
	}
	in->opcode = b;
	return 1;
}

static bool bytes(struct reader *r, unsigned n, u64 *v)
{
	if (r->end - r->p < (int)n)
		return false;
	*v = n == 1 ? r->p[0] : n == 2 ? ld16le(r->p) : n == 4 ? ld32le(r->p) : ld64le(r->p);
	r->p += n;
	return true;
}

static bool address16(struct reader *r, struct x86_insn *in, unsigned mod, unsigned rm)
{
	static const s8 base[8] = { R_BX, R_BX, R_BP, R_BP, R_SI, R_DI, R_BP, R_BX },
			index[8] = { R_SI, R_DI, R_SI, R_DI, -1, -1, -1, -1 };
	u64 v = 0;

	in->base = mod == 0 && rm == 6 ? -1 : base[rm];
	in->index = index[rm];
	if (mod == 1) {
		if (!bytes(r, 1, &v))
			return false;
		in->disp = (s8)v;
	} else if (mod == 2 || in->base < 0) {
		if (!bytes(r, 2, &v))
			return false;
		in->disp = (s16)v;
	}
	if (!in->seg_override)
		in->seg = in->base == R_BP ? S_SS : S_DS;
	return true;
}

static bool address(struct reader *r, struct x86_insn *in)
{
	unsigned mod = in->modrm >> 6, rm = in->modrm & 7;
	u64 v = 0;

	if (in->asize == 2)
		return address16(r, in, mod, rm);
	if (rm == 4) {
		u8 sib;

		if (r->p >= r->end)
			return false;
		sib = *r->p++;
		in->scale = sib >> 6;
		in->index = (s8)((sib >> 3 & 7) | (in->rex & 2) << 2);
		if (in->index == 4)
			in->index = -1;
		rm = sib & 7;
		in->base = mod == 0 && rm == 5 ? -1 : (s8)(rm | (in->rex & 1) << 3);
	} else if (mod == 0 && rm == 5) {
		in->base = r->is64 ? 16 : -1;
	} else {
		in->base = (s8)(rm | (in->rex & 1) << 3);
	}
	if (mod == 1) {
		if (!bytes(r, 1, &v))
			return false;
		in->disp = (s8)v;
	} else if (mod == 2 || (mod == 0 && rm == 5)) {
		if (!bytes(r, 4, &v))
			return false;
		in->disp = (s32)v;
	}
	if (!in->seg_override)
		in->seg = in->base == R_SP || in->base == R_BP ? S_SS : S_DS;
	return true;
}

static inline u8 size_of(u8 code, const struct x86_insn *in)
{
	if (code < 0x80)
		return code;
	switch (code) {
	case SZ_Z:
		return in->osize == 2 ? 2 : 4;
	case SZ_Y:
		return in->osize == 8 ? 8 : 4;
	case SZ_P:
		return (u8)(in->osize + 2);
	default:
		return in->osize;
	}
}

static inline void general(struct x86_operand *o, unsigned reg, const struct x86_insn *in)
{
	o->kind = OPK_REG;
	o->reg = (u8)(o->size == 1 && reg >= 4 && reg < 8 && !(in->rex & 0x40) ? reg + 12 : reg);
}

/* Returns false when bytes are short. */
static bool immediate(struct reader *r, struct x86_insn *in, struct x86_operand *o,
		      const struct x86_opspec *s, bool second)
{
	unsigned n = s->code == 'J' || s->size == SZ_Z ? (s->size == 1	 ? 1 :
							  in->osize == 2 ? 2 :
									   4) :
		     s->size == SZ_S		       ? 1 :
							 size_of(s->size, in);
	u64 v = 0;

	if (!bytes(r, n, &v))
		return false;
	if (s->code == 'J' || s->size == SZ_Z || s->size == SZ_S)
		v = n == 1 ? (u64)(s64)(s8)v : n == 2 ? (u64)(s64)(s16)v : (u64)(s64)(s32)v;
	o->kind = s->code == 'J' ? OPK_REL : OPK_IMM;
	if (s->size == SZ_Z || s->size == SZ_S)
		o->size = in->osize;
	if (second)
		in->imm2 = (u16)v;
	else
		in->imm = v;
	return true;
}

static bool far_pointer(struct reader *r, struct x86_insn *in, struct x86_operand *o)
{
	u64 sel;

	o->kind = OPK_FAR;
	if (!bytes(r, in->osize == 2 ? 2 : 4, &in->imm) || !bytes(r, 2, &sel))
		return false;
	in->imm2 = (u16)sel;
	return true;
}

/* One operand. Returns 0 when short, -1 when invalid, 1. */
static int operand(struct reader *r, struct x86_insn *in, const struct x86_opspec *s,
		   struct x86_operand *o, bool *have_imm)
{
	bool mem = in->has_modrm && in->modrm < 0xc0;
	unsigned rm = (in->modrm & 7) | (in->rex & 1) << 3,
		 reg = (in->modrm >> 3 & 7) | (in->rex & 4) << 1;

	o->size = size_of(mem ? s->msize : s->size, in);
	switch (s->code) {
	case 'E':
	case 'M':
		if (mem)
			o->kind = OPK_MEM;
		else
			general(o, rm, in);
		return 1;
	case 'G':
		o->size = size_of(s->size, in);
		general(o, reg, in);
		return 1;
	case 'R':
		general(o, rm, in);
		return 1;
	case 'B':
		general(o, in->vvvv, in);
		return 1;
	case 'Z':
		general(o, (in->opcode & 7) | (in->rex & 1) << 3, in);
		return 1;
	case 'W':
		o->kind = mem ? OPK_MEM : OPK_XMM;
		o->reg = (u8)rm;
		return 1;
	case 'U':
		o->kind = OPK_XMM;
		o->reg = (u8)rm;
		return 1;
	case 'V':
		o->kind = OPK_XMM;
		o->reg = (u8)reg;
		return 1;
	case 'Q':
		o->kind = mem ? OPK_MEM : OPK_MMX;
		o->reg = rm & 7;
		return 1;
	case 'N':
		o->kind = OPK_MMX;
		o->reg = rm & 7;
		return 1;
	case 'P':
		o->kind = OPK_MMX;
		o->reg = reg & 7;
		return 1;
	case 'S':
		o->kind = OPK_SREG;
		o->reg = reg & 7;
		return (reg & 7) > 5 ? -1 : 1;
	case 'C':
		o->kind = OPK_CREG;
		o->reg = (u8)reg;
		return 0x11d >> reg & 1 ? 1 : -1; /* 0, 2, 3, 4, 8 */
	case 'D':
		o->kind = OPK_DREG;
		o->reg = (u8)reg;
		return reg > 7 ? -1 : 1;
	case 'a':
		o->kind = OPK_REG;
		o->reg = R_AX;
		return 1;
	case 'c':
		o->kind = OPK_REG;
		o->reg = R_CX;
		return 1;
	case 'd':
		o->kind = OPK_REG;
		o->reg = R_DX;
		return 1;
	case 's':
		o->kind = OPK_SREG;
		o->size = 2;
		o->reg = s->size;
		return 1;
	case 't':
		o->kind = OPK_ST;
		o->reg = 0;
		return 1;
	case 'i':
		o->kind = OPK_ST;
		o->reg = rm & 7;
		return 1;
	case '1':
		o->kind = OPK_IMM;
		in->imm = 1;
		return 1;
	case 'O': {
		u64 v;

		if (!bytes(r, in->asize, &v))
			return 0;
		o->kind = OPK_MEM;
		in->disp = (s64)v;
		if (!in->seg_override)
			in->seg = S_DS;
		return 1;
	}
	case 'A':
		return far_pointer(r, in, o);
	default: {
		bool second = *have_imm;

		*have_imm = true;
		return immediate(r, in, o, s, second);
	}
	}
}

static inline void operand_size(struct reader *r, struct x86_insn *in, u32 flags)
{
	if (!r->is64) {
		in->osize = r->code16 != in->opsize66 ? 2 : 4;
		return;
	}
	in->osize = in->rex & 8 ? 8 : in->opsize66 ? 2 : 4;
	if (flags & OPF_F64)
		in->osize = 8;
	else if ((flags & OPF_D64) && in->osize == 4)
		in->osize = 8;
}

static bool allowed(const struct x86_insn *in, u32 flags, u32 mode)
{
	if (in->lock && (!(flags & OPF_LOCK) || in->op[0].kind != OPK_MEM))
		return false;
	if ((flags & OPF_PE) && (!(mode & M_PE) || (mode & M_VM)))
		return false;
	if (((flags & OPF_L0) && in->vex_l) || ((flags & OPF_V0) && in->vvvv) ||
	    ((flags & OPF_W1) && !(in->rex & 8)))
		return false;
	return true;
}

int x86_decode(const u8 *code, unsigned avail, u32 mode, struct x86_insn *in)
{
	struct reader r = { .p = code,
			    .end = code + MIN(avail, 15u),
			    .is64 = (mode & M_CODE) == M_CODE64,
			    .code16 = (mode & M_CODE) == M_CODE16 };
	const struct compiled *c;
	bool have_imm = false;
	unsigned n;
	u16 cell;
	int rc;

	*in = (struct x86_insn){ .base = -1,
				 .index = -1,
				 .seg = S_DS,
				 .asize = r.is64   ? 8 :
					  r.code16 ? 2 :
						     4 };
	if (!prefixes(&r, in))
		goto short_of;
	rc = opcode(&r, in, mode);
	if (rc <= 0)
		goto stop;
	cell = cells[r.is64][in->map][in->opcode][r.prefix];
	if (cell & GROUP) {
		if (r.p >= r.end)
			goto short_of;
		cell = groups[cell & ~GROUP][*r.p];
	}
	if (!cell)
		return 0;
	in->enc = &x86_encodings[cell];
	c = &compiled[cell];
	operand_size(&r, in, in->enc->flags);
	if (c->modrm) {
		if (r.p >= r.end)
			goto short_of;
		in->modrm = *r.p++;
		in->has_modrm = true;
		if (in->enc->flags & OPF_NOMEMF)
			in->modrm |= 0xc0;
		if (in->modrm < 0xc0 && !address(&r, in))
			goto short_of;
	}
	in->nops = c->nops;
	for (n = 0; n < c->nops; n++) {
		rc = operand(&r, in, &c->op[n], &in->op[n], &have_imm);
		if (rc <= 0)
			goto stop;
	}
	if (!allowed(in, in->enc->flags, mode))
		return 0;
	in->len = (u8)(r.p - code);
	return in->len;
stop:
	if (rc < 0)
		return 0;
short_of:
	if (avail < 15)
		return -1;
	in->len = 16;
	return 16;
}
