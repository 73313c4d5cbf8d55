/* SPDX-License-Identifier: GPL-2.0-or-later */
/* asm.h - writing x86-64 machine code (Intel SDM vol. 2): operands, prefixes, ModRM. Nothing here
 * knows of IR. */
#pragma once
#include <quern/types.h>

enum host_reg {
	RAX,
	RCX,
	RDX,
	RBX,
	RSP,
	RBP,
	RSI,
	RDI,
	R8,
	R9,
	R10,
	R11,
	R12,
	R13,
	R14,
	R15,
	NOREG = 0xff
};

struct code {
	u8 *p, *start, *end;
	bool full;
};

enum opnd_kind { O_NONE, O_REG, O_MEM, O_IMM };
struct opnd {
	u8 kind, reg;	 /* register, or base (NOREG: absolute disp32) */
	u8 index, scale; /* NOREG = none */
	bool gs;
	s32 disp;
	u64 imm;
};

static inline struct opnd o_reg(unsigned r)
{
	return (struct opnd){ .kind = O_REG, .reg = (u8)r, .index = NOREG };
}
static inline struct opnd o_imm(u64 v)
{
	return (struct opnd){ .kind = O_IMM, .imm = v, .index = NOREG };
}
static inline struct opnd o_mem(unsigned base, s32 disp)
{
	return (struct opnd){ .kind = O_MEM, .reg = (u8)base, .index = NOREG, .disp = disp };
}
static inline struct opnd o_idx(unsigned base, unsigned index, unsigned scale, s32 disp)
{
	return (struct opnd){
		.kind = O_MEM, .reg = (u8)base, .index = (u8)index, .scale = (u8)scale, .disp = disp
	};
}
static inline struct opnd o_gs(unsigned base, s32 disp)
{
	return (struct opnd){
		.kind = O_MEM, .reg = (u8)base, .index = NOREG, .gs = true, .disp = disp
	};
}

static inline void e8(struct code *c, u8 v)
{
	if (c->p < c->end)
		*c->p++ = v;
	else
		c->full = true;
}
static inline void e32(struct code *c, u32 v)
{
	if (c->end - c->p >= 4) {
		st32le(c->p, v);
		c->p += 4;
	} else {
		c->full = true;
	}
}
static inline void e64(struct code *c, u64 v)
{
	e32(c, (u32)v);
	e32(c, (u32)(v >> 32));
}

static inline bool fits8(s64 v) { return v == (s8)v; }
static inline bool fits32(u64 v) { return (s64)v == (s32)v; }

/* ModRM, SIB and displacement for `rm` with `reg` in the reg field. */
static inline void modrm(struct code *c, unsigned reg, const struct opnd *rm)
{
	unsigned r = (reg & 7) << 3, mod;

	if (rm->kind == O_REG) {
		e8(c, (u8)(0xc0 | r | (rm->reg & 7)));
		return;
	}
	if (rm->reg == NOREG) {
		e8(c, (u8)(r | 4));
		e8(c,
		   (u8)(rm->index == NOREG ? 0x25 : (rm->scale << 6 | (rm->index & 7) << 3 | 5)));
		e32(c, (u32)rm->disp);
		return;
	}
	mod = rm->disp == 0 && (rm->reg & 7) != 5 ? 0 : fits8(rm->disp) ? 1 : 2;
	if (rm->index == NOREG && (rm->reg & 7) != 4) {
		e8(c, (u8)(mod << 6 | r | (rm->reg & 7)));
	} else {
		e8(c, (u8)(mod << 6 | r | 4));
		e8(c, (u8)(rm->scale << 6 | (rm->index == NOREG ? 4 : rm->index & 7) << 3 |
			   (rm->reg & 7)));
	}
	if (mod == 1)
		e8(c, (u8)rm->disp);
	else if (mod == 2)
		e32(c, (u32)rm->disp);
}

/* One instruction. op: up to three opcode bytes, escape included (0x0faf, 0x0f38f0). size: 1, 2, 4,
 * 8 decides 66 and REX.W; byte: the reg field (bit 0) or a register rm (bit 1) is a byte register.
 * pfx: mandatory prefix or 0. */
enum { BYTE_REG = 1, BYTE_RM = 2 };
static inline void ins(struct code *c, u8 pfx, unsigned size, u32 op, unsigned reg, struct opnd rm,
		       unsigned byte)
{
	u8 rex = (u8)((size == 8 ? 8 : 0) | (reg & 8 ? 4 : 0));

	if (rm.index != NOREG && rm.index & 8)
		rex |= 2;
	if (rm.reg != NOREG && rm.reg & 8)
		rex |= 1;
	if (rm.gs)
		e8(c, 0x65);
	if (size == 2)
		e8(c, 0x66);
	if (pfx)
		e8(c, pfx);
	if (rex || (byte & BYTE_REG && reg >= 4) ||
	    (byte & BYTE_RM && rm.kind == O_REG && rm.reg >= 4))
		e8(c, 0x40 | rex);
	if (op > 0xffff)
		e8(c, (u8)(op >> 16));
	if (op > 0xff)
		e8(c, (u8)(op >> 8));
	e8(c, (u8)op);
	modrm(c, reg, &rm);
}

/* mov between registers and memory; mov of an immediate in its shortest form (flags untouched). */
static inline void mov_rr(struct code *c, unsigned size, unsigned d, unsigned s)
{
	if (d != s || size == 4)
		ins(c, 0, size < 4 ? 4 : size, 0x8b, d, o_reg(s), 0);
}
static inline void mov_load(struct code *c, unsigned size, unsigned d,
			    struct opnd m) /* zero-extends */
{
	if (size == 1)
		ins(c, 0, 4, 0x0fb6, d, m, 0);
	else if (size == 2)
		ins(c, 0, 4, 0x0fb7, d, m, 0);
	else
		ins(c, 0, size, 0x8b, d, m, 0);
}
static inline void mov_store(struct code *c, unsigned size, struct opnd m, unsigned s)
{
	ins(c, 0, size, size == 1 ? 0x88 : 0x89, s, m, size == 1 ? BYTE_REG : 0);
}
static inline void mov_imm(struct code *c, unsigned d, u64 v)
{
	if (v == (u32)v) {
		if (d & 8)
			e8(c, 0x41);
		e8(c, (u8)(0xb8 | (d & 7)));
		e32(c, (u32)v);
	} else if (fits32(v)) {
		ins(c, 0, 8, 0xc7, 0, o_reg(d), 0);
		e32(c, (u32)v);
	} else {
		e8(c, (u8)(0x48 | (d & 8 ? 1 : 0)));
		e8(c, (u8)(0xb8 | (d & 7)));
		e64(c, v);
	}
}
/* v must fit (sign-extended for size 8) */
static inline void mov_store_imm(struct code *c, unsigned size, struct opnd m, u64 v)
{
	ins(c, 0, size, size == 1 ? 0xc6 : 0xc7, 0, m, 0);
	if (size == 1) {
		e8(c, (u8)v);
	} else if (size == 2) {
		e8(c, (u8)v);
		e8(c, (u8)(v >> 8));
	} else {
		e32(c, (u32)v);
	}
}

enum alu { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
static inline void alu_imm(struct code *c, enum alu op, unsigned size, struct opnd d, s32 v)
{
	if (size == 1) {
		ins(c, 0, 1, 0x80, op, d, BYTE_RM);
		e8(c, (u8)v);
	} else if (fits8(v)) {
		ins(c, 0, size, 0x83, op, d, 0);
		e8(c, (u8)v);
	} else if (size == 2) {
		ins(c, 0, size, 0x81, op, d, 0);
		e8(c, (u8)v);
		e8(c, (u8)(v >> 8));
	} else {
		ins(c, 0, size, 0x81, op, d, 0);
		e32(c, (u32)v);
	}
}
/* d op= s, d a register */
static inline void alu_rm(struct code *c, enum alu op, unsigned size, unsigned d, struct opnd s)
{
	ins(c, 0, size, (u32)op << 3 | (size == 1 ? 2 : 3), d, s,
	    size == 1 ? BYTE_REG | BYTE_RM : 0);
}
/* d op= s, s a register */
static inline void alu_mr(struct code *c, enum alu op, unsigned size, struct opnd d, unsigned s)
{
	ins(c, 0, size, (u32)op << 3 | (size == 1 ? 0 : 1), s, d,
	    size == 1 ? BYTE_REG | BYTE_RM : 0);
}
static inline void lea(struct code *c, unsigned size, unsigned d, struct opnd m)
{
	ins(c, 0, size, 0x8d, d, m, 0);
}
/* group 2 by immediate: rol ror rcl rcr shl shr - sar */
static inline void shift_imm(struct code *c, unsigned ext, unsigned size, struct opnd d, unsigned n)
{
	ins(c, 0, size, size == 1 ? 0xc0 : 0xc1, ext, d, BYTE_RM);
	e8(c, (u8)n);
}

/* Jumps. The returned place is where the rel32 lies; patch_rel sets it. */
static inline u8 *jcc(struct code *c, unsigned cc)
{
	e8(c, 0x0f);
	e8(c, (u8)(0x80 | cc));
	e32(c, 0);
	return c->p - 4;
}
/* The same with a rel8, which patch_rel8 sets: for what lies within 127 bytes. */
static inline u8 *jcc8(struct code *c, unsigned cc)
{
	e8(c, (u8)(0x70 | cc));
	e8(c, 0);
	return c->p - 1;
}
static inline void patch_rel8(u8 *at, const u8 *to) { *at = (u8)(to - (at + 1)); }
static inline u8 *jmp(struct code *c)
{
	e8(c, 0xe9);
	e32(c, 0);
	return c->p - 4;
}
static inline void patch_rel(u8 *at, const u8 *to) { st32le(at, (u32)(to - (at + 4))); }
static inline void jmp_to(struct code *c, const u8 *to)
{
	u8 *at = jmp(c);

	if (!c->full)
		patch_rel(at, to);
}
static inline void jcc_to(struct code *c, unsigned cc, const u8 *to)
{
	u8 *at = jcc(c, cc);

	if (!c->full)
		patch_rel(at, to);
}
static inline void call_to(struct code *c, const u8 *to)
{
	e8(c, 0xe8);
	e32(c, 0);
	if (!c->full)
		patch_rel(c->p - 4, to);
}
