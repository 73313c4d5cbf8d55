/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diff.h - the differential tester: random x86-64 user-mode snippets executed by the host CPU, by
 * the interpreter (T0) and by translated code (T1), whose outcomes must be equal. What its files
 * share. */
#pragma once
#include "isa/x86/decode.h"
#include "rng.h"

/* --- the world that a snippet sees: windows of pages at the same addresses everywhere */
#define WIN_DATA 0x10000000ull
#define WIN_CODE 0x20000000ull /* not writable */
#define WIN_SMC	 0x30000000ull /* writable code */
enum { PAGE_BYTES = 4096, DATA_SPAN = 6 * PAGE_BYTES, CODE_SPAN = 2 * PAGE_BYTES };
/* Pages that exist. Between and behind them nothing is mapped. */
enum { P_RW0, P_RW1, P_RO, P_RW2, P_CODE0, P_CODE1, P_SMC0, P_SMC1, NPAGES };
struct page_place {
	u64 va;
	bool write, exec;
};
extern const struct page_place page_places[NPAGES];
struct memory {
	u8 page[NPAGES][PAGE_BYTES];
};

/* --- processor state: general registers, and the rest in the layout of FXSAVE64 */
struct fx_area {
	u16 cw, sw;
	u8 tag, zero;
	u16 op;
	u64 ip, dp;
	u32 mxcsr, mxcsr_mask;
	struct {
		u64 m;
		u16 se;
		u16 pad[3];
	} st[8];
	u64 xmm[16][2];
	u8 rest[96];
} __attribute__((aligned(16)));
_Static_assert(sizeof(struct fx_area) == 512, "FXSAVE");

struct regs {
	u64 gpr[16];
	u64 rip, flags, fsbase, gsbase;
	struct fx_area fx;
	/* how it ended */
	int vector;
	u32 error;
	u64 cr2;
};

/* --- a snippet: code at an address, and the state it starts from, which follows from a seed */
enum { MAX_INSNS = 40, MAX_CODE = 512 };
struct snippet {
	u64 at; /* where the code lies */
	u64 seed;
	u64 simple; /* parts of the state that are simplified (SIMPLE_...; bit n: register n is
		       zero) */
	u16 len;
	u8 code[MAX_CODE];
};
enum {
	SIMPLE_FLAGS = BIT(16),
	SIMPLE_MXCSR = BIT(17),
	SIMPLE_X87 = BIT(18),
	SIMPLE_XMM = BIT(19),
	SIMPLE_BASES = BIT(20),
	SIMPLE_DATA = BIT(21),
	SIMPLE_BITS = 22
};

/* One instruction of a snippet, with what moves when the code is laid out anew. */
struct item {
	u8 b[16];
	u8 len;
	s8 target;  /* index of the item that a relative branch goes to, -1 = none */
	u8 rel;	    /* bytes of the branch displacement, at the end */
	u8 rip_at;  /* offset of a RIP-relative disp32, 0 = none */
	bool glued; /* to the item before: branches go there instead */
	u64 rip_to; /* its absolute target; 1..MAX_INSNS + 1: the address of item n - 1 */
	const struct x86_enc *enc;
};
struct items {
	struct item i[MAX_INSNS];
	unsigned n;
};
enum { MODE64 = M_CODE64 | M_PE | M_LMA | M_FLAT | M_CPL | M_FPU | M_SSE | M_XSAVE };

/* snippet.c */
/* Lays the items out at s->at. False when the code is too long. */
bool snippet_layout(struct snippet *s, struct items *l);
/* The inverse. Bytes that do not decode become an item by themselves. */
void snippet_items(const struct snippet *s, struct items *l);
void snippet_print(const struct snippet *s, const struct regs *start);
/* One line of a case file, and back. */
void snippet_write(const struct snippet *s, char *text, size_t size);
bool snippet_read(struct snippet *s, const char *text);

/* --- state.c: where a snippet starts */
/* What the generator relies on: registers that hold addresses in the data window, small numbers, or
 * anything. */
enum role { ROLE_ANY, ROLE_POINTER, ROLE_SMALL };
struct roles {
	u8 of[16];
};
void state_start(const struct snippet *s, struct regs *st, struct roles *roles);
void state_memory(const struct snippet *s, struct memory *m);
u64 state_value(struct rng *r); /* an interesting number */

/* --- encode.c: one random valid encoding of a table row */
struct gen {
	struct rng r;
	struct snippet *s;
	struct regs *start;
	struct roles roles;
	struct items *out;
	u16 written; /* general registers that no longer hold their start value */
	bool faults; /* memory operands may be steered to where they fault */
	u32 groups;
};
bool encode_row(struct gen *g, unsigned row, struct item *it);
/* Append, tracking registers written. False when full. */
bool gen_add(struct gen *g, const struct item *it);
/* An address for n bytes in the data window. */
u64 gen_address(struct gen *g, unsigned n, bool aligned);

/* --- groups.c: rows by subject, which ones are left out and why */
enum group { G_INT, G_STRING, G_CONTROL, G_X87, G_MMX, G_SSE, G_CRYPTO, G_BMI, G_SYS, NGROUPS };
extern const char *const group_names[NGROUPS];
enum group row_group(unsigned row);
const char *row_excluded(unsigned row); /* NULL, or the reason */
/* A row's share in percent: those that mostly end a snippet come less often. */
unsigned row_weight(unsigned row);
unsigned row_pick(struct gen *g);

/* --- grammar.c: sequences that table rows by themselves seldom make */
bool grammar_add(struct gen *g);
/* generate.c */
void generate(struct snippet *s, u64 seed, u32 groups, u32 *coverage);

/* --- flags.c: which arithmetic flags the manual leaves undefined */
struct flag_effect {
	u32 reads, sets, undef;
}; /* EFL_ bits; `sets`: surely written with defined values */
struct flag_effect flag_effect(const struct item *it);
/* Undefined flags in front of each item (and behind the last). Returns the index of an item that
 * reads one, or -1. */
int flags_taint(const struct items *l, u32 taint[MAX_INSNS + 1]);
/* Flags to compare when the snippet ended at rip. */
u32 flags_defined(const struct snippet *s, u64 rip);

/* --- executors */
enum run_result { RUN_ENDED, RUN_TIMEOUT };
/* native.c */
bool native_init(void); /* false: this host cannot */
enum run_result native_run(const struct regs *in, const struct memory *mem, struct regs *out);
const u8 *native_page(unsigned page);
/* Called from the tick: what runs for too long ends with RUN_TIMEOUT. */
extern void (*native_tick)(void);
/* guest.c */
struct guest;
enum guest_kind { GUEST_T0, GUEST_T1, GUEST_T1_STRICT, GUEST_T1_ONE, NGUESTS };
extern const char *const guest_names[NGUESTS];
struct guest *guest_new(enum guest_kind kind);
enum run_result guest_run(struct guest *g, const struct regs *in, const struct memory *mem,
			  struct regs *out);
const u8 *guest_page(struct guest *g, unsigned page);
void guest_tick(void);

/* --- compare.c */
struct outcome {
	const char *who;
	struct regs s;
	const u8 *page[NPAGES];
	bool exact_flags; /* flags at a fault are comparable */
};
/* Are they equal? text: what differs, or NULL. */
bool outcome_equal(const struct snippet *s, const struct outcome *want, const struct outcome *got,
		   char *text, size_t size);

/* --- trial.c: one snippet through all executors */
struct trial_options {
	bool t0, t1, native;
};
extern struct trial_options trial_options;
void trial_init(void);
enum trial_result { TRIAL_SAME, TRIAL_DIFFERENT, TRIAL_TIMEOUT };
enum trial_result trial(const struct snippet *s, char *text, size_t size);
/* The same in a process of its own: a crash of the emulator is a difference too. */
enum trial_result trial_apart(const struct snippet *s, char *text, size_t size);
/* Makes the failing snippet smaller while it still fails. */
void shrink(struct snippet *s);
