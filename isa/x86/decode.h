/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decode.h - x86 instruction decoding by tables, and the emitter's view of one instruction.
 *
 * The .insn files list encodings as the manual's opcode maps do, one line each, for example
 *     OP(0F, A3, ANY, bt,  "Ev Gv", 0)
 * map (PRI, 0F, 0F38, 0F3A), opcode byte (with /r digit in the extended form), mandatory prefix (ANY, NP, 66, F3, F2), emitter name, operand codes
 * of the Intel manual's appendix A.2, flags. Each file is included by decode.c (table) and by the emitters' header (declarations). */
#pragma once
#include "x86.h"

enum x86_opk { OPK_NONE, OPK_REG, OPK_MEM, OPK_IMM, OPK_SREG, OPK_CREG, OPK_DREG, OPK_XMM, OPK_MMX, OPK_REL, OPK_FAR };
struct x86_operand {
	u8 kind;		/* enum x86_opk */
	u8 size;		/* bytes: 1, 2, 4, 8, 10, 16; of the access */
	u8 reg;			/* register number 0..15; for byte registers, 16 + n means AH CH DH BH (n = 0..3) */
};
struct x86_insn {
	u8 len;
	u8 opcode, map;		/* map: 0 primary, 1 = 0F, 2 = 0F38, 3 = 0F3A */
	u8 modrm, rex;		/* rex: low 4 bits W R X B; 0x40 set when a REX prefix is present */
	u8 osize, asize;	/* effective operand and address size in bytes: 2, 4, 8 */
	u8 seg;			/* effective segment of the memory operand, enum x86_sreg */
	u8 rep;			/* 0, 0xf2 or 0xf3: last repeat prefix */
	bool lock, opsize66, seg_override;
	u8 nops;
	struct x86_operand op[4];
	/* memory operand */
	s8 base, index;		/* register numbers, -1 = none; base 16 = RIP */
	u8 scale;		/* log2 */
	s32 disp;
	u64 imm;		/* immediate (sign-extended as the code says), or relative displacement, or far offset */
	u16 imm2;		/* ENTER's second, far selector */
	const struct x86_enc *enc;
};

/* What an emitter works with. */
struct x86_tr {
	struct ir *ir;
	struct x86_cpu *cpu;	/* static facts only */
	struct lift *lift;
	u32 mode;
	u64 pc, next;		/* of this instruction and the one after it (in 64-bit code full RIP; else truncated to 32 or 16 bits) */
	const struct x86_insn *in;
	bool ended;		/* the emitter has ended the unit (GOTO, EXIT...) */
	bool follow;		/* the trace may go on at follow_pc (direct jump taken inside the page) */
	u64 follow_pc;
};
struct x86_enc {
	u8 map, opcode, prefix, flags;
	s8 ext;			/* /digit, -1 = none */
	const char *name, *operands;
	void (*emit)(struct x86_tr *t);
};

/* Bytes -> in. Returns the length, 0 when undecodable (#UD), or -1 when more than `avail` bytes are needed. Over 15 bytes: in->len = 16, -> #GP. */
int x86_decode(const u8 *code, unsigned avail, u32 mode, struct x86_insn *in);

/* --- operand access for emitters (lift.c). Sizes 1, 2, 4, 8 map to I8..I64. */
static inline enum ir_type x86_type(unsigned size) { return size == 1 ? I8 : size == 2 ? I16 : size == 4 ? I32 : size == 8 ? I64 : V128; }
static inline ref x86_gpr(unsigned r) { return SLOT(SL_GPR + r); }	/* the whole slot; use with the op's type */
ref x86_get(struct x86_tr *t, const struct x86_operand *o);		/* read: loads memory, extracts AH...; a slot ref for whole registers */
ref x86_get_copy(struct x86_tr *t, const struct x86_operand *o);	/* the same, in a temporary that stays valid when the register is written */
void x86_put(struct x86_tr *t, const struct x86_operand *o, ref v);	/* write (memory: store) */
/* Read-modify-write: get with write intent, then x86_put_rmw stores to the same place without a second translation. With LOCK use x86_rmw. */
ref x86_get_rmw(struct x86_tr *t, const struct x86_operand *o);
void x86_put_rmw(struct x86_tr *t, const struct x86_operand *o, ref v);
void x86_put_gpr(struct x86_tr *t, unsigned reg, unsigned size, ref v);
/* Effective address of the memory operand: the offset alone (LEA) and the linear address with segment base and, where not flat, limit checks. n =
 * bytes accessed. */
ref x86_ea(struct x86_tr *t);
ref x86_linear_ea(struct x86_tr *t, unsigned n, bool write);
/* Base, index, disp form of the linear address where no checks are needed (64-bit or flat): feed to ir_load/ir_store. */
struct x86_addr { ref base, index; s32 disp; u16 mem; };
struct x86_addr x86_addr(struct x86_tr *t, unsigned n, bool write);
void x86_push(struct x86_tr *t, unsigned size, ref v);			/* value into the stack; commits rSP last */
ref x86_pop(struct x86_tr *t, unsigned size);				/* loads; does not move rSP: x86_pop_commit does */
void x86_pop_commit(struct x86_tr *t, unsigned size);
/* Ends: store pc and leave. */
void x86_ud(struct x86_tr *t);						/* raise #UD, ends */
void x86_raise_op(struct x86_tr *t, int vector, s32 error);		/* error -1 = none; ends the unit */
void x86_end_next(struct x86_tr *t, enum ir_exit why);			/* pc = next, EXIT why: after instructions that change mode */
/* A helper call that may fault: numbers from enum x86_helper_id in helpers.def */
