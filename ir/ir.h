/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ir.h - the intermediate representation: what a front-end says and every tier executes.
 *
 * A unit is one straight trace of guest instructions with one entry and side exits. Operations are
 * 16 bytes and name their operands by 16-bit references: a temporary (assigned once), a guest slot
 * (a register of the guest, read or written in place) or a constant. Operands that are slots are
 * read when the operation executes, so `ADD rax = rax, rbx` is one operation and one host
 * instruction. Rules:
 *  - Values: a temporary of type I8 or I16 has undefined bits above its type; I32 results are
 * zero-extended to 64 bits.
 *  - A write of type I32 to a 64-bit slot clears the upper half. I8/I16 results never go to a slot
 * directly: use INS8, INS8H, INS16.
 *  - Precise state: a guest instruction changes no slot and no memory before its last operation
 * that can fault. Hence whenever an operation faults, all slots are those of the instruction's
 * start, and the engine sets cpu->pc from the INSN before it.
 *  - Flags: one word, the slot isa->flags_slot, in the layout below. Operations with IR_F set it,
 * F_READF operations read it. The engine drops settings that nothing reads.
 *  - Temporaries live inside one guest instruction, never across a LABEL.
 *  - Vectors (V128) live in slots only: LOAD, STORE and MOV move them, everything else is a CALL.
 * With a narrower type those three move the low part: LOAD or MOV to a vector slot clears the rest
 * of it (MOVD, MOVQ, MOVSS, MOVSD from memory), STORE or MOV from one takes its low part.
 */
#pragma once
#include <quern/types.h>

struct cpu;

typedef u16 ref; /* a value; 0 = none. (The one typedef: it is a scalar.) */
#define REF_KIND(r) ((r) >> 14)
enum { REF_NONE, REF_TEMP, REF_SLOT, REF_CONST };
#define REF_INDEX(r) ((r)&0x3fff)
#define REF(kind, i) ((ref)((kind) << 14 | (i)))
#define SLOT(i)	     REF(REF_SLOT, i)

enum ir_type { I8, I16, I32, I64, V128 }; /* size in bytes = 1 << type */

enum ir_opcode {
#define IR_OP(name, results, args, props) IR_##name,
#include "ops.def"
#undef IR_OP
	IR_NOPS
};

/* The flags word: as LAHF and SETO leave AX, which every host can make cheaply. */
enum {
	HF_O = 1 << 0,
	HF_C = 1 << 8,
	HF_P = 1 << 10,
	HF_A = 1 << 12,
	HF_Z = 1 << 14,
	HF_S = 1 << 15,
	HF_ALL = HF_O | HF_C | HF_P | HF_A | HF_Z | HF_S,
};

/* The same in six bits, for ir_op.live. */
static inline u8 ir_flags_pack(u16 f)
{
	return (u8)((f & HF_O) | (f & HF_C ? 2 : 0) | (f & HF_P ? 4 : 0) | (f & HF_A ? 8 : 0) |
		    (f & HF_Z ? 16 : 0) | (f & HF_S ? 32 : 0));
}
static inline u16 ir_flags_unpack(u8 v)
{
	return (u16)((v & 1) | (v & 2 ? HF_C : 0) | (v & 4 ? HF_P : 0) | (v & 8 ? HF_A : 0) |
		     (v & 16 ? HF_Z : 0) | (v & 32 ? HF_S : 0));
}

/* Conditions: numbered as the x86 condition codes; an odd one negates the one before. */
enum ir_cond {
	CC_O,
	CC_NO,
	CC_B,
	CC_AE,
	CC_E,
	CC_NE,
	CC_BE,
	CC_A,
	CC_S,
	CC_NS,
	CC_P,
	CC_NP,
	CC_L,
	CC_GE,
	CC_LE,
	CC_G
};

/* ir_op.flags */
enum {
	IR_F = 1,     /* set the flags */
	IR_FDEAD = 2, /* set by the liveness pass: nothing reads these flags */
	/* set by the liveness pass: last use of that temporary */
	IR_LAST_A = 4,
	IR_LAST_B = 8,
	IR_LAST_C = 16,
};

/* aux of memory operations. LOAD: `type` is the memory type; the result is zero-extended to 64 bits
 * unless IR_SX32/IR_SX64. */
enum ir_mem {
	IR_SCALE = 3,	    /* log2 of the index scale */
	IR_ADDR32 = 1 << 2, /* the sum is truncated to 32 bits */
	/* the sum is truncated to 16 bits (before a segment base is added: give the base by LEA) */
	IR_ADDR16 = 1 << 3,
	IR_SX32 = 1 << 4, /* LOAD: sign-extend to 32 bits (upper half zero) */
	IR_SX64 = 1 << 5, /* LOAD: sign-extend to 64 bits */
	/* LOAD, PROBE: needs write permission; a following STORE of the same address cannot fault
	 */
	IR_WILLWRITE = 1 << 6,
	/* STORE: same address as the last LOAD with IR_WILLWRITE of this instruction */
	IR_SAME = 1 << 7,
	IR_ALIGNED = 1 << 8, /* a misaligned address raises isa->misaligned */
	/* bits 9..10: access context, the isa's own numbering below ENGINE_CONTEXTS */
	IR_CTX_SHIFT = 9,
	IR_CTX = 3 << IR_CTX_SHIFT,
	IR_RMW_SHIFT = 11, /* RMW: bits 11..13 */
};
enum { IR_RMW_ADD, IR_RMW_AND, IR_RMW_OR, IR_RMW_XOR, IR_RMW_XCHG, IR_RMW_SUB };
enum { IR_IND_JUMP, IR_IND_CALL, IR_IND_RET };
/* EXIT: IR_EXIT_NEXT looks up cpu->pc and goes on without a visit to the machine loop; IR_EXIT_POLL
 * visits it (interrupts are looked at). */
enum ir_exit { IR_EXIT_NEXT, IR_EXIT_POLL };

struct ir_op {
	u8 op;	      /* enum ir_opcode */
	u8 type : 4;  /* enum ir_type of the operation */
	u8 scale : 4; /* LEA: log2 of the index scale */
	u8 flags;     /* IR_F... */
	/* set by the liveness pass: which flags are wanted after this op, by ir_flags_pack */
	u8 live;
	ref dst; /* temporary or slot, 0 = result not wanted */
	/* the second result (a ref) where there are two; else condition, ir_mem bits, helper number
	 */
	u16 aux;
	ref a, b, c;
	/* exits, set by the liveness pass: flags are wanted at the target. LOAD, STORE, set by
	 * ir_spans: number + 1 */
	u16 pad;
	s32 imm;
} __attribute__((packed, aligned(4)));
_Static_assert(sizeof(struct ir_op) == 20, "ir_op");

/* A guest register as the engine sees it. */
struct ir_slot {
	const char *name;
	u16 offset; /* in the cpu structure, from struct cpu */
	u8 type;    /* enum ir_type: how wide it is stored */
	/* 0 = memory; 1.. = rank: the lower, the more it deserves a host register; IR_SCRATCH */
	u8 pin;
};

/* A slot for use inside one guest instruction: its value is dead at the next INSN. */
enum { IR_SCRATCH = 255 };

/* Helpers: C functions called from a unit. Integer arguments are passed as u64, V128 slot operands
 * as pointers into the cpu. */
enum {
	H_FAULT = 1,	  /* may raise a guest exception: cpu->pc is stored before the call */
	H_READ = 2,	  /* reads guest slots (other than its arguments) */
	H_WRITE = 4,	  /* writes guest slots (other than its result) */
	H_FLAGS_IN = 8,	  /* reads the flags slot */
	H_FLAGS_OUT = 16, /* writes the flags slot (all flags) */
	/* depends on its arguments only; may be dropped when the result is unused */
	H_PURE = 32,
	/* V128 slots among its operands are written (first operand) and read (all): nothing else is
	   touched */
	H_VEC = 64,
	H_STATE = H_READ | H_WRITE | H_FLAGS_IN | H_FLAGS_OUT,
};
struct ir_helper {
	const char *name;
	/* u64 fn(struct cpu *, u64 a, u64 b, u64 c, u64 imm); unused arguments are passed as 0 */
	u64 (*fn)(struct cpu *, u64, u64, u64, u64);
	u32 flags;
	/* For H_VEC helpers: the host instruction that does the same on two vector registers (dst
	 * op= src), or {0}: back ends may inline it. x86 encoding: mandatory prefix (0, 0x66, 0xf2,
	 * 0xf3), map (1 = 0F, 2 = 0F38, 3 = 0F3A), opcode, and whether `imm` follows as imm8.
	 * host_need: a bit of enum host_feature that the host CPU must have (0 = baseline SSE2). */
	struct {
		u8 prefix, map, opcode, has_imm, host_need;
	} x86;
	/* The same for operations that are not (dst op= src) on vectors; back ends may ignore it.
	 * form: enum ir_x86_form. */
	struct {
		u8 form, prefix, map, opcode, rexw, digit, host_need;
	} x86_alt;
};
enum ir_x86_form {
	X86_FORM_NONE,
	/* integer result = op(V128 a): ModRM.reg = GPR, rm = vector (PMOVMSKB, CVTTSD2SI) */
	X86_FORM_RV,
	/* V128 a op= integer b: ModRM.reg = vector, rm = GPR (CVTSI2SD); a's other elements stay */
	X86_FORM_VR,
	/* flags slot = op(V128 a, V128 b): ModRM.reg = a, rm = b, all six host flags are the
	   guest's (COMISD, PTEST) */
	X86_FORM_FLAGS,
	/* integer result in ECX and the flags = op(V128 a, V128 b, imm8) (PCMPISTRI) */
	X86_FORM_INDEX,
	/* V128 a shifted by imm: opcode /digit ib, rm = vector (PSRLDQ, PSLLW) */
	X86_FORM_SHIFT,
};
enum host_feature {
	HOST_BASE,
	HOST_SSE3,
	HOST_SSSE3,
	HOST_SSE41,
	HOST_SSE42,
	HOST_AES,
	HOST_PCLMUL,
	HOST_SHA,
	HOST_POPCNT
};

struct ir_insn {
	u64 pc; /* of the instruction, in the isa's own terms (RIP/EIP) */
	u32 op; /* index of its INSN op */
	u8 len;
};

enum { IR_SPAN_LEADER = 1 << 15, IR_MAX_SPANS = 16 };
enum { IR_MAX_OPS = 4096, IR_MAX_CONSTS = 1024, IR_MAX_INSNS = 128 };

/* One unit under construction; reused for all units of an engine, so it allocates nothing. */
struct ir {
	struct ir_op op[IR_MAX_OPS];
	u64 konst[IR_MAX_CONSTS];
	struct ir_insn insn[IR_MAX_INSNS];
	u32 nops, nconsts, ntemps, ninsns, nlabels;
	/* an array is exhausted: the front-end ends the unit before the instruction that did it */
	bool full;
	/* set by ir_spans */
	struct ir_span {
		/* bytes accessed, relative to the base register at the leader: [base + lo, base +
		 * hi) */
		s32 lo, hi;
		u16 members, ctx;
		bool write; /* some member stores */
	} span[IR_MAX_SPANS];
	u32 nspans;
	const struct ir_slot *slots;
	const struct ir_helper *helpers;
	u16 flags_slot; /* index of the flags word's slot */
};

void ir_start(struct ir *ir, const struct ir_slot *slots, const struct ir_helper *helpers,
	      u16 flags_slot);
/* Undo to a state saved before an instruction, when it does not fit. */
struct ir_mark {
	u32 nops, nconsts, ntemps, ninsns, nlabels;
};
struct ir_mark ir_mark(const struct ir *ir);
void ir_rewind(struct ir *ir, struct ir_mark m);

/* Making a value emits nothing. Constants are not truncated: give them sign- or zero-extended as
 * the type wants. */
ref ir_const(struct ir *ir, u64 v);
ref ir_temp(struct ir *ir);
static inline bool ir_is_const(ref r) { return REF_KIND(r) == REF_CONST; }
static inline u64 ir_const_value(const struct ir *ir, ref r) { return ir->konst[REF_INDEX(r)]; }

/* Emitters: at most one argument of a call may itself emit (C does not order them). `dst` versions
 * write a slot or a chosen temporary. */
struct ir_op *ir_emit(struct ir *ir, enum ir_opcode op, enum ir_type t, ref dst, ref a, ref b);
/* The usual form: a fresh temporary for the result. Folds constants where both are known and IR_F
 * is not asked for. */
ref ir_bin(struct ir *ir, enum ir_opcode op, enum ir_type t, ref a, ref b);
ref ir_un(struct ir *ir, enum ir_opcode op, enum ir_type t, ref a);
/* With flags set. dst may be 0 (CMP, TEST). */
void ir_binf(struct ir *ir, enum ir_opcode op, enum ir_type t, ref dst, ref a, ref b);
/* slot = value. When v is the temporary that the last emitted op defined, that op is redirected to
 * write the slot itself (types I32, I64). After that v must not be used again: when the emitter
 * needs it twice, it uses ir_copy. t is I32, I64 or V128. */
void ir_put(struct ir *ir, enum ir_type t, ref slot, ref v);
/* slot = value, never redirected; v stays usable. */
void ir_copy(struct ir *ir, enum ir_type t, ref dst, ref v);
ref ir_lea(struct ir *ir, enum ir_type t, ref base, ref index, unsigned scale, s32 disp);
ref ir_load(struct ir *ir, enum ir_type t, ref base, ref index, s32 disp, u16 mem);
void ir_load_to(struct ir *ir, enum ir_type t, ref dst, ref base, ref index, s32 disp, u16 mem);
void ir_store(struct ir *ir, enum ir_type t, ref base, ref index, s32 disp, u16 mem, ref v);
ref ir_rmw(struct ir *ir, enum ir_type t, unsigned rmw, ref base, s32 disp, u16 mem, ref v);
ref ir_cas(struct ir *ir, enum ir_type t, ref base, s32 disp, u16 mem, ref expected, ref v);
ref ir_setcc(struct ir *ir, enum ir_cond cc); /* I8-wide 0/1, upper bits zero */
ref ir_selcc(struct ir *ir, enum ir_type t, enum ir_cond cc, ref yes, ref no);
ref ir_setc(struct ir *ir, enum ir_type t, enum ir_cond cc, ref a, ref b);
/* result in a fresh temporary */
ref ir_call(struct ir *ir, unsigned helper, ref a, ref b, ref c, s32 imm);
void ir_callv(struct ir *ir, unsigned helper, ref a, ref b, ref c, s32 imm); /* no result */
u32 ir_label(struct ir *ir); /* a new label number */
void ir_place(struct ir *ir, u32 label);
void ir_br(struct ir *ir, u32 label);
void ir_brcc(struct ir *ir, enum ir_cond cc, u32 label);
void ir_brnz(struct ir *ir, enum ir_type t, ref a, u32 label);
void ir_brz(struct ir *ir, enum ir_type t, ref a, u32 label);
/* starts a guest instruction; its len is set by ir_insn_len */
void ir_insn(struct ir *ir, u64 pc);
void ir_insn_len(struct ir *ir, unsigned len);
void ir_exitcc(struct ir *ir, enum ir_cond cc, u64 pc);
void ir_exitnz(struct ir *ir, enum ir_type t, ref a, u64 pc);
void ir_exitz(struct ir *ir, enum ir_type t, ref a, u64 pc);
void ir_callhint(struct ir *ir, u64 retpc);
void ir_goto(struct ir *ir, u64 pc);
void ir_gotoind(struct ir *ir, ref pc, unsigned kind);
void ir_exit(struct ir *ir, enum ir_exit why);

/* One backward pass: marks dead flag settings and last uses, removes operations whose result nobody
 * wants (they become a NOP: op IR_MOV with dst 0). exit_dead(arg, pc): are the flags surely
 * overwritten by the code at pc? NULL: never. strict: flags also stay live at every operation that
 * can fault, so that a fault's flags are exact even where the guest could not tell. */
void ir_liveness(struct ir *ir, bool strict, bool (*exit_dead)(void *arg, u64 pc), void *arg);
/* Which flags (HF_*) an op with live flags reads and surely writes. */
void ir_flag_effect(const struct ir *ir, const struct ir_op *o, u16 *reads, u16 *writes);
extern const struct ir_opinfo {
	const char *name;
	u8 results, args;
	u16 props;
} ir_opinfo[];
enum { F_SETF = 1, F_READF = 2, F_MEM = 4, F_END = 8, F_EFFECT = 16 };
/* Groups memory operations with a common base (pad of LOAD and STORE): the leader may check the
 * whole span for all. */
void ir_spans(struct ir *ir);
/* Checks every rule above that can be checked; returns NULL or a sentence in a static buffer. For
 * tests and hostile builds. */
const char *ir_verify(const struct ir *ir);
void ir_print(const struct ir *ir, void (*line)(void *arg, const char *text), void *arg);

/* Evaluation of one integer op on plain values: the reference semantics, shared by the constant
 * folder and the interpreter. flags: in/out flags word. hi: the second result. Returns false for
 * division errors. */
struct ir_eval {
	u64 a, b, c;
	u64 lo, hi;
	u16 flags;
};
bool ir_evaluate(enum ir_opcode op, enum ir_type t, unsigned cond, struct ir_eval *e);
bool ir_cond_holds(enum ir_cond cc, u16 flags);

/* --- the interpreter: tier 0, the reference */
/* What it needs of the world: guest memory and where the CPU keeps its program counter and flags.
 * Faults unwind out of the callbacks. */
struct ir_env {
	void *cpu; /* slots' offsets count from here; passed to helpers */
	const struct ir_slot *slots;
	const struct ir_helper *helpers;
	/* kept at the executing instruction's pc; at the end the next one */
	u64 *pc;
	u16 *flags;
	/* mem: enum ir_mem bits; size of the access = 1 << type. The value is zero-extended. V128
	 * passes through buf. */
	u64 (*load)(void *cpu, enum ir_type t, u64 va, u16 mem, void *buf);
	void (*store)(void *cpu, enum ir_type t, u64 va, u16 mem, u64 val, const void *buf);
	u64 (*rmw)(void *cpu, enum ir_type t, u64 va, u16 mem, u64 val);
	u64 (*cas)(void *cpu, enum ir_type t, u64 va, u16 mem, u64 expected, u64 val);
	void (*divide_error)(void *cpu); /* does not return */
};
/* A unit's body as the interpreter keeps it: constants stay beside the ops. */
struct ir_body {
	u32 nops, ntemps;
	const struct ir_op *op;
	const u64 *konst;
	const struct ir_insn *insn;
};
enum ir_leave { IR_LEAVE_GOTO /* *pc is the next */, IR_LEAVE_NEXT, IR_LEAVE_POLL };
/* Runs the unit to its end; temps: scratch of ntemps. */
enum ir_leave ir_interpret(const struct ir_body *b, const struct ir_env *env, u64 *temps);
