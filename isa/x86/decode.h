/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decode.h - x86 instruction decoding by tables, and the emitter's view of one instruction. Follows
 *the Intel SDM vol. 2, chapter 2 and appendix A.
 *
 * The .insn files list encodings as the manual's opcode maps do, one line each; decode.c includes
 *them to build the table, this header to declare the emitters (void x86_emit_NAME(struct x86_tr
 **t)). Several rows may share an emitter.
 *
 *	OP(map, opcode, prefix, name, "operands", flags)		e.g. OP(0F, A3, ANY, bt, "Ev
 *Gv", 0)
 *	OP8(...), OP16(...)						the same for 8/16
 *consecutive
 *opcodes (PUSH r, Jcc) OPR(map, opcode, prefix, /reg, name, "operands", flags)		one digit in
 *ModRM.reg: OPR(PRI, F7, ANY, 4, mul, "Ev", 0) OPM(map, opcode, prefix, /reg, ...)  OPG(...)
 *only with a memory operand; only with a register (mod = 3). /reg -1 = any OP1(map, opcode, prefix,
 *modrm, ...)				one ModRM byte: OP1(0F, 01, NP, F8, swapgs, "", 0), OP1(PRI,
 *D9, ANY, E8, fld1, "", 0)
 *
 * The more specific row wins (OP1, OPM/OPG, OPR, OP); a row whose operands can be memory only (M)
 *or register only (R N U) takes just that form. map: PRI, 0F, 0F38, 0F3A and with VEX V0F, V0F38,
 *V0F3A. prefix: NP (none), 66, F3, F2: exactly that mandatory prefix (F3/F2 before 66); NP66: none
 *or 66; ANY: all (66 and F3/F2 have their usual meaning). A row with an exact prefix wins over ANY
 *and NP66.
 *
 * Operand codes, separated by blanks: letter + size. Up to 4 operands.
 *	E  ModRM.rm: general register or memory		G  ModRM.reg: general register	M memory
 *only		R  ModRM.rm: general register only W  ModRM.rm: XMM register or memory		V
 *ModRM.reg: XMM register	U  ModRM.rm: XMM register only Q  ModRM.rm: MMX register or memory
 *P  ModRM.reg: MMX register	N  ModRM.rm: MMX register only
 *	S  ModRM.reg: segment register			C  control register		D  debug
 *register	B  VEX.vvvv: general register Z  general register in the opcode's low 3 bits	I
 *immediate (I..s: a byte, sign-extended)		J  relative target O  moffs: absolute memory
 *operand		Ap far pointer (imm = offset, imm2 = selector) fixed: AL CL DX rAX (size v)
 *eAX (size z) 1, ES CS SS DS FS GS, st (ST0), sti (ST(i), i = ModRM.rm) size:	b 1, w 2, d 4, q 8,
 *x (or dq, ps, pd) 16, ss 4, sd 8, t 10, v 2/4/8 (operand size), z 2/4, y 4/8, p far pointer (2 +
 *operand size), nothing: no size (LEA, FXSAVE: the emitter knows). With a slash the memory form's
 *size differs: "Ed/b" is r32/m8, "Ev/w" r/m16. The size of an XMM or MMX operand is that of its
 *memory form (Wss: 4); emitters use the register whole. flags: the OPF_ bits below, | FEAT(name)
 *for a CPUID feature (X86F_name in cpuid.h) without which the row is #UD.
 */
#pragma once
#include "x86.h"
#include "cpuid.h"

enum x86_opk {
	OPK_NONE,
	OPK_REG,
	OPK_MEM,
	OPK_IMM,
	OPK_SREG,
	OPK_CREG,
	OPK_DREG,
	OPK_XMM,
	OPK_MMX,
	OPK_REL,
	OPK_FAR,
	OPK_ST
};
enum x86_map { MAP_PRI, MAP_0F, MAP_0F38, MAP_0F3A, MAP_V0F, MAP_V0F38, MAP_V0F3A, MAP_COUNT };
enum {
	OPF_I64 = BIT(0), /* invalid in 64-bit code */
	OPF_O64 = BIT(1), /* 64-bit code only */
	OPF_D64 = BIT(2), /* operand size defaults to 64 in 64-bit code (PUSH, POP) */
	/* operand size is 64 in 64-bit code, 66 is ignored (near branches, MOV CR) */
	OPF_F64 = BIT(3),
	OPF_LOCK = BIT(4), /* LOCK is allowed when operand 0 is memory */
	OPF_PE = BIT(5),   /* #UD in real and V86 mode */
	OPF_CPL0 = BIT(6), /* #GP(0) when CPL is not 0 */
	/* has a ModRM byte although no operand code says so (ModRM forms OPR, OPM, OPG, OP1 imply
	   it) */
	OPF_MODRM = BIT(7),
	OPF_L0 = BIT(8),      /* VEX.L must be 0 */
	OPF_V0 = BIT(9),      /* VEX.vvvv must be 1111 */
	OPF_NOMEMF = BIT(10), /* mod is ignored, always register (MOV CR/DR) */
	OPF_W1 = BIT(11),     /* only with REX.W/VEX.W */
	OPF_FW = BIT(12),     /* reads no arithmetic flag and writes all six */
	/* neither reads nor writes arithmetic flags, goes on to the next instruction */
	OPF_FN = BIT(13),
	OPF_FEAT_SHIFT = 16,
};

struct x86_operand {
	u8 kind; /* enum x86_opk */
	u8 size; /* bytes: 1, 2, 4, 8, 10, 16; of the access */
	/* register number 0..15; for byte registers, 16 + n means AH CH DH BH (n = 0..3) */
	u8 reg;
};
struct x86_insn {
	u8 len;
	u8 opcode, map; /* map: enum x86_map */
	/* rex: low 4 bits W R X B (of VEX too); 0x40 set when a REX prefix is present */
	u8 modrm, rex;
	u8 osize, asize; /* effective operand and address size in bytes: 2, 4, 8 */
	u8 seg;		 /* effective segment of the memory operand, enum x86_sreg */
	u8 rep;		 /* 0, 0xf2 or 0xf3: last repeat prefix */
	bool lock, opsize66, seg_override, has_modrm, vex;
	u8 vvvv, vex_l;
	u8 nops;
	struct x86_operand op[4];
	/* memory operand */
	s8 base, index; /* register numbers, -1 = none; base 16 = RIP */
	u8 scale;	/* log2 */
	s64 disp;	/* fits s32 except for moffs */
	/* immediate (sign-extended as the code says), or relative displacement, or far offset */
	u64 imm;
	u16 imm2; /* ENTER's second, far selector */
	const struct x86_enc *enc;
};
static inline bool x86_mod3(const struct x86_insn *in) { return in->modrm >= 0xc0; }

/* A linear address for ir_load/ir_store: base + (index << scale in mem) + disp. */
struct x86_addr {
	ref base, index;
	s32 disp;
	u16 mem;
};

/* What an emitter works with. */
struct x86_tr {
	struct ir *ir;
	struct x86_cpu *cpu; /* static facts only */
	struct lift *lift;
	u32 mode;
	/* of this instruction and the one after it (in 64-bit code full RIP; else truncated to 32
	 * bits) */
	u64 pc, next;
	const struct x86_insn *in;
	bool ended; /* the emitter has ended the unit (GOTO, EXIT...) */
	/* the trace may go on at follow_pc (direct jump taken inside the page) */
	bool follow;
	u64 follow_pc;
	/* lift.c's own */
	bool sti;  /* this instruction was an STI: the next one is in its shadow */
	bool poll; /* this instruction is in an STI's shadow: poll when it is done */
	/* M_TF: every way out of this instruction ends in the single-step trap */
	bool single;
	struct x86_addr rmw; /* of x86_get_rmw */
};
struct x86_opspec {
	u8 code, size, msize;
}; /* compiled operand code */
struct x86_enc {
	u8 map, opcode, prefix, span; /* span: consecutive opcodes */
	u8 form;		      /* OP, OPR, OPM, OPG, OP1 */
	s16 ext;		      /* /digit, or the ModRM byte of OP1; -1 = none */
	u32 flags;
	const char *name, *operands;
	void (*emit)(struct x86_tr *t);
};
static inline unsigned x86_enc_feature(const struct x86_enc *e)
{
	return (e->flags >> OPF_FEAT_SHIFT) - 1;
} /* ~0u = none */
extern const struct x86_enc x86_encodings[];
extern const unsigned x86_nencodings;

#define X86_DECLARE(name)	       void x86_emit_##name(struct x86_tr *t);
#define OP(m, o, p, name, ops, fl)     X86_DECLARE(name)
#define OP8(m, o, p, name, ops, fl)    X86_DECLARE(name)
#define OP16(m, o, p, name, ops, fl)   X86_DECLARE(name)
#define OPR(m, o, p, r, name, ops, fl) X86_DECLARE(name)
#define OPM(m, o, p, r, name, ops, fl) X86_DECLARE(name)
#define OPG(m, o, p, r, name, ops, fl) X86_DECLARE(name)
#define OP1(m, o, p, b, name, ops, fl) X86_DECLARE(name)
#include "insn.def"
#undef OP
#undef OP8
#undef OP16
#undef OPR
#undef OPM
#undef OPG
#undef OP1

/* For the definitions of emitters: EMIT(bt) { ... t ... } */
#define EMIT(name) void x86_emit_##name(struct x86_tr *t)

/* Bytes -> in. Returns the length, 0 when undecodable (#UD), or -1 when more than `avail` bytes are
 * needed. Over 15 bytes: in->len = 16, -> #GP. */
int x86_decode(const u8 *code, unsigned avail, u32 mode, struct x86_insn *in);
/* NULL, or a sentence about two rows that contradict each other or a malformed row. */
const char *x86_decode_check(void);

/* --- operand access for emitters (operand.c). Sizes 1, 2, 4, 8 map to I8..I64. */
static inline enum ir_type x86_type(unsigned size)
{
	return size == 1 ? I8 : size == 2 ? I16 : size == 4 ? I32 : size == 8 ? I64 : V128;
}
static inline ref x86_gpr(unsigned r)
{
	return SLOT(SL_GPR + r);
} /* the whole slot; use with the op's type */
/* read: loads memory, extracts AH...; a slot ref for whole registers */
ref x86_get(struct x86_tr *t, const struct x86_operand *o);
/* the same, in a temporary that stays valid when the register is written */
ref x86_get_copy(struct x86_tr *t, const struct x86_operand *o);
void x86_put(struct x86_tr *t, const struct x86_operand *o, ref v); /* write (memory: store) */
/* Read-modify-write: get with write intent, then x86_put_rmw stores to the same place without a
 * second translation. With LOCK use ir_rmw. */
ref x86_get_rmw(struct x86_tr *t, const struct x86_operand *o);
void x86_put_rmw(struct x86_tr *t, const struct x86_operand *o, ref v);
void x86_put_gpr(struct x86_tr *t, unsigned reg, unsigned size, ref v);
/* Effective address of the memory operand: the offset alone (LEA), truncated to the address size,
 * and the linear address with segment base and, where not flat, limit checks. n = bytes accessed.
 */
ref x86_ea(struct x86_tr *t);
ref x86_linear_ea(struct x86_tr *t, unsigned n, bool write);
/* Base, index, disp form of the linear address where no checks are needed (64-bit or flat): feed to
 * ir_load/ir_store. mem has the access context; add n > 1 under alignment checking has IR_ALIGNED
 * set already. */
struct x86_addr x86_addr(struct x86_tr *t, unsigned n, bool write);
/* Linear address of seg:off (off: any value of the address size) for n bytes at it, checked like
 * x86_addr. */
struct x86_addr x86_addr_at(struct x86_tr *t, unsigned sreg, ref off, unsigned n, bool write);
ref x86_load_at(struct x86_tr *t, const struct x86_addr *a, enum ir_type type, s32 plus, u16 more);
void x86_store_at(struct x86_tr *t, const struct x86_addr *a, enum ir_type type, s32 plus, u16 more,
		  ref v);
/* value into the stack; commits rSP last */
void x86_push(struct x86_tr *t, unsigned size, ref v);
/* loads; does not move rSP: x86_pop_commit does */
ref x86_pop(struct x86_tr *t, unsigned size);
void x86_pop_commit(struct x86_tr *t, unsigned size);
/* x86_ea of which only the low bytes are wanted */
ref x86_ea_sized(struct x86_tr *t, unsigned size);
/* make it base + disp (RMW, CAS) */
void x86_single_base(struct x86_tr *t, struct x86_addr *a);
/* dst = a op b with flags; memory: after x86_get_rmw */
void x86_alu(struct x86_tr *t, enum ir_opcode op, const struct x86_operand *dst, ref a, ref b);
void x86_put_zf(struct x86_tr *t, ref v);	  /* ZF = bit 0 of v */
unsigned x86_stack_width(const struct x86_tr *t); /* 2, 4, 8 */
/* SS:reg + disp */
struct x86_addr x86_stack_at(struct x86_tr *t, unsigned reg, s32 disp, unsigned n, bool write);
void x86_stack_set(struct x86_tr *t, unsigned reg, s32 plus); /* rSP = reg + plus */
/* Ends: store pc and leave. */
void x86_ud(struct x86_tr *t); /* raise #UD, ends */
/* error -1 = none; ends the unit */
void x86_raise_op(struct x86_tr *t, int vector, s32 error);
/* pc = next, EXIT why: after instructions that change mode */
void x86_end_next(struct x86_tr *t, enum ir_exit why);
/* a helper has set cpu->pc: EXIT why */
void x86_end_pc(struct x86_tr *t, enum ir_exit why);
/* to pc, through the machine loop only when `pending` is not 0 */
void x86_end_polled(struct x86_tr *t, ref pending, u64 pc);
/* direct jump; may go on inside the trace */
void x86_end_goto(struct x86_tr *t, u64 pc);
void x86_end_ind(struct x86_tr *t, ref pc, unsigned kind); /* IR_IND_* */
/* conditional direct jump */
void x86_branch_cc(struct x86_tr *t, enum ir_cond cc, u64 pc);
/* jump when (v != 0) == when; v valid in 64 bits */
void x86_branch_nz(struct x86_tr *t, ref v, bool when, u64 pc);
/* #GP(0) when pc is outside CS's limit */
void x86_check_ip(struct x86_tr *t, ref pc);
/* a jump target cut to the operand size */
u64 x86_pc_mask(u64 pc, u32 mode, unsigned osize);
