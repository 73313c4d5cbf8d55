/* SPDX-License-Identifier: GPL-2.0-or-later */
/* emit.h - the x86-64 back end's inside: where guest state lives on the host, and the state of one
 * unit's emission.
 *
 * Registers: rbp = cpu + BIAS; GS base = the current TLB set; rax, r14, r15 are scratch
 * (temporaries, address checks, lahf); rsp = a frame of FRAME bytes. The other eleven hold pinned
 * guest slots across units. EFLAGS may hold the guest's flags inside a unit; between units they are
 * in cpu->hflags. */
#pragma once
#include "../engine.h"
#include "asm.h"
#include <stdio.h>
#include <stdlib.h>

enum {
	BIAS = 128,
	NSCRATCH = 3,
	/* rsp offsets: four argument words, then spilled temporaries */
	ARGS = 0,
	SPAN = 32, /* addends of spans */
	SPILL = SPAN + 8 * IR_MAX_SPANS,
	NSPILL = 58,
	FRAME = SPILL + NSPILL * 8 + 8, /* keeps rsp aligned to 16 in units */
	SLOW_DOORS = 512,		/* a power of two */
	MAX_COLD = 512,
	MAX_EXITS = 256,
	MAX_LABEL = 256,
	MAX_FIX = 512,
};
extern const u8 x86_scratch[NSCRATCH];

/* C functions that units reach through a table at the start of code memory, after the helpers. */
enum { FN_LOAD, FN_LOAD128, FN_STORE, FN_STORE128, FN_FILLW, FN_PROBE, FN_DIV, FN_COUNT };

struct thunks {
	/* leave_goto: rax = pc; leave_slot: called, and found by its return address */
	const u8 *enter, *leave_goto, *leave_slot, *leave_next, *leave_poll;
	const u8 *indirect[ENGINE_CLASSES]; /* rax = guest pc */
	const u8 *ret[ENGINE_CLASSES];	    /* the same, of a return */
	const u8 *resolve; /* where an unlinked return site leads: r14 = the site, rax = pc */
	struct ret_site *no_site;
	/* rax = address, r14d = description; pinned registers survive, in the second form xmm2 to
	 * xmm15 too */
	const u8 *slow[2][FN_COUNT];
	/* doors to `slow` that load a description first, made as they are wanted, in `more` */
	struct slow_door {
		const u8 *at;
		u32 desc;
		u8 key; /* fn, vectors */
	} door[SLOW_DOORS];
	struct code more;
	/* eax = helper number; bit 0: helper reads slots, bit 1: writes slots */
	const u8 *call[4];
	const u64 *table; /* function pointers: helpers, then FN_* */
	u8 pin[512];	  /* slot -> host register or NOREG */
	u8 npins, pinned_slot[16], pinned_reg[16];
	bool bmi2, lzcnt, bmi1, popcnt, sse42;
	bool fsgsbase; /* else the GS base is set by a system call, when it changes */
	/* bits of enum host_feature that the host has */
	u32 vec_need;
};

enum flag_place { FL_MEM, FL_HOST, FL_BOTH };

struct cold {	     /* an out-of-line continuation */
	u8 *from[2]; /* jumps to it */
	u8 *back;    /* where it returns to */
	u8 fn;	     /* FN_* */
	u8 addr;     /* register of the address */
	u8 dst;	     /* loads: register for the result */
	u8 type;
	u16 aux;
	ref value;	   /* stores */
	struct opnd vopnd; /* the value's place */
	u8 div_signed;
	bool vector;  /* the value is a vector slot's, in xmm register dst */
	bool vectors; /* vector registers are live across it */
};
struct exit_rec {
	u8 *from; /* jump to the stub, or NULL: it follows in line */
	u64 pc;
	bool save_flags, nospan;
	struct ret_site *site; /* not an exit, but where a call returns to */
};

struct em {
	struct code c;
	struct engine *e;
	struct thunks *th;
	struct unit *u;
	struct ir *ir;
	bool strict;
	unsigned class;
	const struct ir_op *o;
	/* temporaries */
	u8 treg[4096];	 /* register or NOREG */
	u8 tspill[4096]; /* spill index + 1, 0 = none */
	u16 uses[4096];
	s32 owner[NSCRATCH]; /* temporary in a scratch register, -1 = free */
	/* scratch registers in use by the op at hand (bit per index) */
	u8 lock;
	u64 spills; /* used spill places */
	int span;   /* r14 = addend of that span, -1 = no span's */
	/* r14 = host address between LOAD|WILLWRITE and STORE|SAME */
	bool held;
	enum flag_place fl;
	struct cold cold[MAX_COLD];
	u32 ncold;
	struct exit_rec exit[MAX_EXITS];
	u32 nexits;
	u8 *label[MAX_LABEL];
	struct {
		u8 *at;
		u32 label;
	} fix[MAX_FIX];
	u32 nfix;
	/* vec.c: slot + 1 in each xmm register, use stamps, scratch slots not yet stored */
	u16 vslot[16], vdirty;
	u32 vstamp[16], vclock;
	/* something the emitter cannot do: an internal error, named */
	const char *bug;
};

static inline struct thunks *thunks_of(struct engine *e) { return e->backend_data; }
static inline struct opnd o_slot_mem(const struct em *m, ref s)
{
	return o_mem(RBP, (s32)m->ir->slots[REF_INDEX(s)].offset - BIAS);
}
static inline struct opnd o_cpu(size_t offset) { return o_mem(RBP, (s32)offset - BIAS); }
static inline struct opnd o_spill(unsigned i) { return o_mem(RSP, SPILL + 8 * (s32)i); }

/* regs.c: temporaries, operands, flags */
void em_start(struct em *m);
int scratch_index(unsigned reg);
/* a free scratch register, locked for this op; spills if need be */
unsigned take(struct em *m);
unsigned take_reg(struct em *m, unsigned reg); /* that very one */
/* every temporary that is used after this op goes to memory; scratch registers stay readable */
void spill_all(struct em *m);
/* forget what scratch registers hold (after spill_all) */
void drop_scratch(struct em *m);
void bind_temp(struct em *m, ref temp, unsigned reg);
void release(struct em *m, ref r); /* one use less */
/* where a value can be read: register, memory or immediate */
struct opnd val(struct em *m, ref r, unsigned type);
/* the same, in a register (may take a scratch) */
unsigned val_reg(struct em *m, ref r, unsigned type);
void load_into(struct em *m, unsigned reg, ref r, unsigned type); /* mov; flags untouched */
unsigned dst_reg(struct em *m, ref dst); /* a register to compute a result in */
void dst_done(struct em *m, ref dst, unsigned reg, unsigned type);
void flags_save(struct em *m); /* EFLAGS -> memory, when only there */
void flags_load(struct em *m); /* memory -> EFLAGS, when only there */
/* about to destroy EFLAGS: save when somebody wants them */
void flags_clobber(struct em *m);
/* alu.c: what others build on, too */
/* The flags that the op leaves alone must be in EFLAGS when somebody wants them; those that it
 * destroys without being asked are saved. */
void flags_before(struct em *m, bool host_clobbers);
void flags_after(struct em *m);
/* a register holding operand a, in which the result can be made, given that b is read afterwards */
unsigned start_in_dst(struct em *m, ref dst, ref a, ref b);
bool memory_slot(struct em *m, ref r);
void emit_compare(struct em *m, enum alu op, unsigned size);
void emit_alu(struct em *m, enum alu op);
void emit_andn(struct em *m);
void emit_unary(struct em *m, unsigned ext, unsigned opcode);
void emit_shift(struct em *m, unsigned ext);
void emit_double_shift(struct em *m);
void emit_mul(struct em *m);
void emit_mul2(struct em *m);
void emit_extend(struct em *m);
void emit_ext8h(struct em *m);
void emit_insert(struct em *m);
void emit_mov(struct em *m);
void emit_lea(struct em *m);
void emit_setcc(struct em *m);
void emit_selcc(struct em *m);
void emit_sel(struct em *m);
void emit_setc(struct em *m);
void emit_getf(struct em *m);
void emit_putf(struct em *m);
void emit_bswap(struct em *m);
void emit_scan(struct em *m);
void emit_bit(struct em *m);
void emit_pdep(struct em *m);
void emit_crc32(struct em *m);
/* mem.c */
void emit_memory(struct em *m);
void emit_divide(struct em *m);
/* at[i] = return address of part i's slow call */
void emit_cold_parts(struct em *m, const u8 **at);
/* thunks.c */
int thunks_make(struct engine *e, u8 *at, size_t room);
/* slow[vectors][fn] behind a load of r14d; NULL = there are too many already */
const u8 *thunks_door(struct thunks *t, unsigned fn, bool vectors, u32 desc);
static inline bool fl_live(const struct em *m) { return m->o->live != 0; }

static inline unsigned size_of(const struct ir_op *o)
{
	return 1u << MIN((unsigned)o->type, (unsigned)I64);
}

/* Does register r hold the value of operand x now? */
static inline bool holds(struct em *m, unsigned r, ref x)
{
	u32 i = REF_INDEX(x);

	if (REF_KIND(x) == REF_TEMP)
		return m->treg[i] == r;
	return REF_KIND(x) == REF_SLOT && m->th->pin[i] == r;
}
static inline bool vector_slot(const struct em *m, ref r)
{
	return REF_KIND(r) == REF_SLOT && m->ir->slots[REF_INDEX(r)].type == V128;
}

/* vec.c */
/* forget all (before which scratch slots that are needed were flushed) */
void vec_drop(struct em *m);
void vec_flush(struct em *m); /* store scratch slots that wait */
void vec_insn(struct em *m);  /* a new instruction: scratch slots are dead */
bool vec_cached(const struct em *m);
void vec_written(struct em *m, ref slot);   /* part of a vector was written in memory */
void vec_read_part(struct em *m, ref slot); /* part of a vector will be read from memory */
unsigned vec_read(struct em *m, ref slot);  /* register that holds the slot */
/* register to put its new value in; then vec_done */
unsigned vec_write(struct em *m, ref slot);
void vec_done(struct em *m, ref slot);
void emit_vector_move(struct em *m);
bool inline_vector(struct em *m, const struct ir_helper *h);
bool inline_alt(struct em *m, const struct ir_helper *h);
/* call.c, exit.c */
void emit_call(struct em *m);
void emit_exitcc(struct em *m);
void emit_exitz(struct em *m);
void emit_gotoind(struct em *m);
void emit_exit(struct em *m);
void emit_callhint(struct em *m);
void emit_branch(struct em *m);
void emit_label(struct em *m);
void add_exit(struct em *m, u8 *from, u64 pc, bool flags_live);
const u8 *emit_guard(struct em *m); /* the unit's own way in through the jump cache */
void emit_stub(struct em *m, struct exit_rec *x, struct exit_slot *s);
