/* SPDX-License-Identifier: GPL-2.0-or-later */
/* engine.h - the translator's inside: soft TLB, translated units, code memory, and the interface to
 * host back ends. Knows guests only through struct isa, hosts only through struct backend. */
#pragma once
#include "../core/cpu.h"
#include "../core/machine.h"
#include "../ir/ir.h"
#include "../lib/alloc.h"

enum {
#ifdef QUERN_HOSTILE /* everything that is rare happens all the time */
	TLB_BITS = 3,
	JC_BITS = 3,
#else
	TLB_BITS = 10,
	JC_BITS = 12,
#endif
	TLB_SIZE = 1 << TLB_BITS,
	JC_SIZE = 1 << JC_BITS,
	TLB_LOG = 512,
	GUEST_PAGE_BITS = 12,
	GUEST_PAGE = 1 << GUEST_PAGE_BITS,
#ifdef QUERN_HOSTILE
	REGION_CODE = 192 << 10,
	MAX_UNIT_INSNS = 3,
#else
	REGION_CODE = 2 << 20,
	MAX_UNIT_INSNS = 64,
#endif
	MAX_NOSPAN_INSNS = 8,
	ORDER_CHUNK = 512,
	/* REGION_CODE: bytes of host code in one region of the code cache */
};

/* Fast entries, read by translated code: the tag is the page's number, or a value that no page has.
 */
struct tlb_fast {
	u64 tag, addend;
};
struct tlb_entry {
	struct tlb_fast r, w;
};
#define FAST_NONE ~0ull
_Static_assert(ENGINE_CLASSES << JC_BITS <= 1 << 16 && ENGINE_CONTEXTS << TLB_BITS <= 1 << 16,
	       "log entries are 16 bits");
/* Jump cache: guest pc -> host code. An empty entry's pc is an impossible one. */
struct jc_entry {
	u64 pc;
	const void *host;
};
#define TAG_NONE 1ull
#define JC_NONE	 0x8000000000000001ull /* odd, and not canonical: no guest's */

/* What the slow path knows of a page. */
struct tlb_info {
	u64 tag;  /* page address, TAG_NONE = empty */
	u64 phys; /* of the page */
	u8 *host; /* RAM, ROM: host address of the page; else NULL */
	u64 ram_page;
	struct ram *ram;
	/* device region, with io_off = offset of the page in it; NULL and host NULL: nothing there
	 */
	struct region *io;
	u64 io_off;
	u8 perm; /* TLB_R... */
	bool global, large, readonly, watch;
};
enum { TLB_R = 1, TLB_W = 2, TLB_X = 4 };

/* What a translated call leaves for its return, which compares the tag and jumps to host: the code
 * at the return address when it is linked, else where the dispatcher is asked. Lies near the code.
 */
struct exit_slot;
struct ret_site {
	u64 tag; /* pc ^ mode class << RET_CLASS_SHIFT */
	const void *host;
	struct exit_slot *slot;
};
enum { RET_SITES = 32, RET_CLASS_SHIFT = 60 };

/* All that belongs to one address space. Translated code reaches it by the GS base (x86 hosts), at
 * constant displacements. */
struct tlb_set {
	struct tlb_entry fast[ENGINE_CONTEXTS][TLB_SIZE];
	struct jc_entry jc[ENGINE_CLASSES][JC_SIZE];
	struct tlb_info info[ENGINE_CONTEXTS][TLB_SIZE];
	u64 asid;
	u64 stamp; /* of last use, for replacement */
	bool used;
	/* Non-global entries are logged, so that a flush clears only what was filled; nlog >
	 * TLB_LOG = too many. */
	u32 nlog, njlog;
	u16 log[TLB_LOG];  /* ctx << TLB_BITS | index */
	u16 jlog[TLB_LOG]; /* class << JC_BITS | index */
	/* Which 2 MiB areas may have entries cut from large pages; which pages may have jump cache
	 * entries (hashed). */
	u64 large_areas[16], code_pages[64];
	bool huge; /* some entry was cut from a page above 2 MiB */
	/* The mode that each class's jump cache entries are for. */
	u32 class_mode[ENGINE_CLASSES];
	u64 class_base[ENGINE_CLASSES];
	bool class_valid[ENGINE_CLASSES];
	/* The return stack: a ring in which the place wraps by its low byte. Emptied whenever a
	 * jump cache entry is removed for the translation of its address. */
	struct ret_site *ret[RET_SITES] __attribute__((aligned(256)));
	void *ret_top; /* while it is not the current set; else cpu->ret_top */
} __attribute__((aligned(256)));
_Static_assert(RET_SITES * sizeof(struct ret_site *) == 256, "the ring wraps by its low byte");

struct unit;
/* A place where a unit leaves for a known pc: a jump, or a call's return site. */
struct exit_slot {
	u64 pc;
	u8 *patch;	       /* back end: what to patch when linking; NULL = cannot be linked */
	const u8 *leave;       /* back end: the return address by which this exit is known */
	struct ret_site *site; /* of a return site; patch is NULL then */
	struct unit *from, *to;
	struct exit_slot *next_in, **prev_in; /* in to->incoming */
	bool nospan;			      /* to a unit without span checks */
};

/* A fault or call inside a unit: host offset -> guest instruction. */
struct unit_point {
	u32 host;
	u32 insn;
};

struct unit {
	u64 pc, pc_base;
	u32 mode;
	u32 hash;
	u64 ram_page, ram_page2; /* page2: of an instruction that crosses, else ~0 */
	u16 lo, hi;		 /* code bytes covered in the first page, [lo, hi) */
	u16 hi2;		 /* bytes covered at the start of the second page */
	bool dead;
	/* every access is checked by itself: entered where a span check failed */
	bool nospan;
	u32 ninsns;
	const u8 *host; /* tier 1 */
	/* a unit across two pages: the way in through the jump cache, for links */
	const u8 *guard;
	u32 host_size, npoints;
	struct unit_point *points;
	struct ir_body body; /* tier 0 (op = NULL in tier 1) */
	s32 *insn_pc;	     /* pc of each instruction, relative to pc */
	struct exit_slot *exits;
	u32 nexits;
	struct exit_slot *incoming;
	struct unit *hash_next, *page_next, *page2_next;
	struct code_region *region;
	struct unit *region_next;
};

struct code_region {
	u8 *code;     /* tier 1: REGION_CODE bytes */
	size_t used;  /* from the start: code */
	size_t sites; /* bytes from the end: return sites */
	size_t meta_used;
	struct meta_block {
		struct meta_block *next;
	} * blocks;
	u8 *meta;
	size_t meta_left;
	struct unit *units;
	VEC(struct unit *) order;	      /* tier 1: by ascending host address */
	u32 first[REGION_CODE / ORDER_CHUNK]; /* the unit in `order` that covers a chunk's start */
};

/* Per RAM page. */
struct page_units {
	/* linked by page_next (or page2_next where ram_page2 is this page) */
	struct unit *first;
	u64 granules; /* bit i: bytes [64i, 64i+64) are covered by some unit */
	/* hashed offsets at which units may begin; bits of dead ones stay until the page has none
	 * left */
	u64 starts[4];
};

struct engine_cpu {
	struct cpu *cpu;
	struct engine *engine;
	struct tlb_set *set; /* the current one */
	struct tlb_set *sets[ENGINE_SETS];
	u64 stamp;
	/* execute the next instruction by itself, uncached, in tier 0 */
	bool single;
	/* in a slow path of translated code: its return address, from which cpu->pc follows */
	const u8 *ra;
	/* a debugger's watched bytes that the instruction under way has met; size 0 = none */
	struct {
		u64 va;
		u32 size;
		bool write;
	} met;
};

struct engine {
	struct machine *machine;
	struct engine_options opt;
	const struct backend *backend; /* NULL: tier 0 only */
	struct engine_cpu **cpus;
	u32 ncpus;
	struct unit **buckets;
	u32 nbuckets, nunits;
	struct page_units *pages;
	u64 npages;
	u8 *code; /* all regions' code, contiguous */
	struct code_region *regions;
	u32 nregions, cur_region;
	/* counts: pointers into regions are good while it stands still */
	u64 evictions;
	struct ir ir; /* the unit under construction */
	u64 temps[4096];
	struct engine_stats stats;
	struct space_listener listener;
	/* of struct debug: what translations and TLBs know of its points */
	u64 debug_generation, watch_generation;
	bool exact; /* flags are made wherever an instruction may stop */
	void *backend_data;
};

/* A host back end. All code lives in [engine->code, + nregions * REGION_CODE); region 0 starts with
 * the thunks. */
struct backend {
	const char *name;
	/* Emit thunks; returns bytes used, or -errno. */
	int (*init)(struct engine *e, u8 *at, size_t room);
	/* Emit the unit from e->ir (liveness done) at `at`: fills u->host, host_size, points, exits
	 * (allocated by unit_alloc). Returns bytes used or 0 when room does not suffice. */
	size_t (*emit)(struct engine *e, struct unit *u, u8 *at, size_t room);
	/* Enter translated code for this CPU; returns when it leaves. *slot: the exit that was
	 * taken when it can be linked, else NULL. */
	enum ir_leave (*enter)(struct engine *e, struct cpu *cpu, const u8 *host,
			       struct exit_slot **slot);
	/* Let the exit jump straight to its target, or to its stub again (to = NULL). */
	void (*link)(struct engine *e, struct exit_slot *s, const struct unit *to);
};
const struct backend *backend_host(void); /* this host's, or NULL */

/* run.c */
/* cpu->pc from ec->ra, when that is set; then it is cleared */
void engine_sync_pc(struct engine_cpu *ec);

/* unit.c */
int units_init(struct engine *e);
void units_fini(struct engine *e);
struct unit *unit_find(struct engine *e, u64 pc, u64 pc_base, u32 mode, u64 ram_page, bool nospan);
/* Find or translate what cpu->pc, mode say; page faults unwind. NULL: this instruction can only be
 * executed singly. */
struct unit *unit_get(struct engine *e, struct engine_cpu *ec, bool nospan);
/* memory that lives as long as the current region */
void *unit_alloc(struct engine *e, size_t n);
/* a return site that lives as long, within reach of the region's code; NULL = no room */
struct ret_site *unit_site(struct engine *e);
void unit_kill(struct engine *e, struct unit *u);
/* The unit whose code contains a host address; dead ones too, as long as their memory lasts. */
struct unit *unit_at(struct engine *e, const u8 *host);
/* Translations overlapping [off, off+n) of a RAM page go. True when one of them covers `cpu`'s
 * current instruction and keep_current: nothing was killed then. */
bool units_written(struct engine *e, u64 ram_page, unsigned off, unsigned n, struct cpu *cpu,
		   bool keep_current);
void units_flush(struct engine *e);
void unit_link(struct engine *e, struct exit_slot *s, struct unit *to);
/* A debugger's points changed: translations that run across one go. */
void units_debug(struct engine *e);
/* Lift one instruction at cpu->pc into e->ir, from any memory (uncached); page faults unwind. */
void unit_lift_single(struct engine *e, struct engine_cpu *ec);

/* tlb.c */
int tlb_init(struct engine_cpu *ec);
void tlb_fini(struct engine_cpu *ec);
/* The page's entry, filled and permitted for this access, or unwinds with a fault. */
struct tlb_info *tlb_get(struct engine_cpu *ec, unsigned ctx, u64 va, enum access access);
/* drop fast write entries of a page that gets translations */
void tlb_code_page(struct engine *e, u64 ram_page, struct ram *ram);
void tlb_jc_put(struct engine_cpu *ec, unsigned class, const struct unit *u, bool global);
void tlb_jc_drop(struct engine *e, const struct unit *u);
void tlb_jc_clear(struct tlb_set *s, unsigned class);
void tlb_ret_clear(struct tlb_set *s);
void tlb_flush_set(struct tlb_set *s, bool global_too);
void tlb_flush_everything(struct engine *e);
static inline u32 tlb_index(u64 va) { return va >> GUEST_PAGE_BITS & (TLB_SIZE - 1); }
static inline u32 jc_index(u64 pc) { return (u32)(pc ^ pc >> 12) & (JC_SIZE - 1); }

/* access.c: what interpreted and translated code call; faults unwind. `mem`: enum ir_mem bits */
u64 access_load(void *cpu, enum ir_type t, u64 va, u16 mem, void *buf);
void access_store(void *cpu, enum ir_type t, u64 va, u16 mem, u64 val, const void *buf);
u64 access_rmw(void *cpu, enum ir_type t, u64 va, u16 mem, u64 val);
u64 access_cas(void *cpu, enum ir_type t, u64 va, u16 mem, u64 expected, u64 val);
