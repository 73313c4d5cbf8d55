/* SPDX-License-Identifier: GPL-2.0-or-later */
/* thunks.c - the fixed pieces of code that units share: entering and leaving, slow memory paths,
 * helper calls, indirect jumps. */
#include "emit.h"
#include <cpuid.h>
#include <errno.h>
#include <sys/auxv.h>

static u64 slow_load(struct cpu *cpu, u64 va, u64 desc, const u8 *ra)
{
	cpu->engine->ra = ra;
	u64 v = access_load(cpu, desc & 0xff, va, (u16)(desc >> 8), NULL);

	cpu->engine->ra = NULL;
	return v;
}

static void *slow_load128(struct cpu *cpu, u64 va, u64 desc, const u8 *ra, u8 *buf)
{
	cpu->engine->ra = ra;
	access_load(cpu, V128, va, (u16)(desc >> 8), buf);
	cpu->engine->ra = NULL;
	return buf;
}

static void slow_store(struct cpu *cpu, u64 va, u64 desc, const u8 *ra, const u64 *val)
{
	cpu->engine->ra = ra;
	access_store(cpu, desc & 0xff, va, (u16)(desc >> 8), *val, val);
	cpu->engine->ra = NULL;
}

/* A read-modify-write needs the host address itself; where there is none (devices, translated
 * pages, two pages) the instruction is executed by tier 0. */
static void *slow_fillw(struct cpu *cpu, u64 va, u64 desc, const u8 *ra)
{
	struct engine_cpu *ec = cpu->engine;
	unsigned ctx = desc >> 8 >> IR_CTX_SHIFT & 3, size = 1u << (desc & 0xff);
	size_t n = size;
	void *p;

	ec->ra = ra;
	if (desc >> 8 & IR_ALIGNED && va & (size - 1)) {
		access_load(cpu, desc & 0xff, va, (u16)(desc >> 8), NULL);
		cpu_unwind(cpu);
	}
	p = cpu_host(cpu, ctx, va, &n, ACCESS_WRITE);
	if (!p || n < size) {
		ec->single = true;
		cpu_unwind(cpu);
	}
	ec->ra = NULL;
	return p;
}

static void slow_probe(struct cpu *cpu, u64 va, u64 desc, const u8 *ra)
{
	cpu->engine->ra = ra;
	access_load(cpu, desc & 0xff, va, (u16)(desc >> 8), (void *)(uintptr_t)1);
	cpu->engine->ra = NULL;
}

static void slow_divide(struct cpu *cpu, u64 va, u64 desc, const u8 *ra, u64 *args)
{
	struct ir_eval v = { .a = args[0], .b = args[1], .c = args[2] };

	(void)va;
	if (!ir_evaluate(desc >> 8 & 1 ? IR_DIVS2 : IR_DIVU2, desc & 0xff, 0, &v)) {
		cpu->engine->ra = ra;
		engine_sync_pc(cpu->engine);
		cpu->isa->divide_error(cpu);
		cpu_unwind(cpu);
	}
	args[0] = v.lo;
	args[1] = v.hi;
}

static void detect(struct thunks *t)
{
	unsigned a, b, c, d;

	__cpuid(1, a, b, c, d);
	t->vec_need = BIT(HOST_BASE) | (c & BIT(0) ? BIT(HOST_SSE3) : 0) |
		      (c & BIT(9) ? BIT(HOST_SSSE3) : 0) | (c & BIT(19) ? BIT(HOST_SSE41) : 0) |
		      (c & BIT(20) ? BIT(HOST_SSE42) : 0) | (c & BIT(25) ? BIT(HOST_AES) : 0) |
		      (c & BIT(1) ? BIT(HOST_PCLMUL) : 0) | (c & BIT(23) ? BIT(HOST_POPCNT) : 0);
	t->popcnt = c & BIT(23);
	t->sse42 = c & BIT(20);
	if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
		t->bmi1 = b & BIT(3);
		t->bmi2 = b & BIT(8);
		t->vec_need |= b & BIT(29) ? BIT(HOST_SHA) : 0;
	}
	if (__get_cpuid(0x80000001, &a, &b, &c, &d))
		t->lzcnt = c & BIT(5);
#ifndef QUERN_HOSTILE
	t->fsgsbase = getauxval(AT_HWCAP2) & 2; /* FSGSBASE in user mode */
#endif
}

static const char *const host_names[16] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
	"r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"
};

/* Pinned slots: the best-ranked eleven; a slot named as a host register that is free for it gets
 * that one. */
static void choose_pins(struct thunks *t, const struct isa *isa)
{
	static const u8 pool[] = { RCX, RDX, RBX, RSI, RDI, R8, R9, R12, R13, R10, R11 };
	u16 chosen[ARRAY_SIZE(pool)];
	u32 taken = 0;
	unsigned n = 0;

	memset(t->pin, NOREG, sizeof(t->pin));
	for (unsigned rank = 1; rank < 256 && n < ARRAY_SIZE(pool); rank++)
		for (u16 s = 0; s < isa->nslots && n < ARRAY_SIZE(pool); s++)
			if (isa->slots[s].pin == rank && isa->slots[s].type == I64)
				chosen[n++] = s;
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < ARRAY_SIZE(pool); k++)
			if (!strcmp(isa->slots[chosen[i]].name, host_names[pool[k]])) {
				t->pin[chosen[i]] = pool[k];
				taken |= 1u << pool[k];
			}
	for (unsigned i = 0; i < n; i++) {
		for (unsigned k = 0; k < ARRAY_SIZE(pool) && t->pin[chosen[i]] == NOREG; k++)
			if (!(taken & 1u << pool[k])) {
				t->pin[chosen[i]] = pool[k];
				taken |= 1u << pool[k];
			}
		t->pinned_slot[t->npins] = (u8)chosen[i];
		t->pinned_reg[t->npins++] = t->pin[chosen[i]];
	}
}

static bool callee_saved(unsigned r) { return r == RBX || r >= R12; }

static void pins(struct code *c, const struct thunks *t, const struct isa *isa, bool store,
		 bool all)
{
	for (unsigned i = 0; i < t->npins; i++) {
		struct opnd m = o_mem(RBP, (s32)isa->slots[t->pinned_slot[i]].offset - BIAS);

		if (!all && callee_saved(t->pinned_reg[i]))
			continue;
		if (store)
			mov_store(c, 8, m, t->pinned_reg[i]);
		else
			mov_load(c, 8, t->pinned_reg[i], m);
	}
}

static void call_table(struct code *c, const struct thunks *t, unsigned index)
{
	e8(c, 0xff); /* call [rip + disp] */
	e8(c, 0x15);
	e32(c, (u32)((const u8 *)&t->table[index] - (c->p + 4)));
}

static void push(struct code *c, unsigned r)
{
	if (r & 8)
		e8(c, 0x41);
	e8(c, (u8)(0x50 | (r & 7)));
}

static void pop(struct code *c, unsigned r)
{
	if (r & 8)
		e8(c, 0x41);
	e8(c, (u8)(0x58 | (r & 7)));
}

static const u8 saved[] = { RBX, RBP, R12, R13, R14, R15 };

static void make_enter(struct code *c, struct thunks *t, const struct isa *isa)
{
	t->enter = c->p; /* (cpu, host, set, &left) */
	for (unsigned i = 0; i < ARRAY_SIZE(saved); i++)
		push(c, saved[i]);
	alu_imm(c, ALU_SUB, 8, o_reg(RSP), FRAME);
	mov_store(c, 8, o_mem(RSP, FRAME - 8), RCX);
	lea(c, 8, RBP, o_mem(RDI, BIAS));
	if (t->fsgsbase)
		ins(c, 0xf3, 8, 0x0fae, 3, o_reg(RDX), 0); /* wrgsbase */
	mov_rr(c, 8, RAX, RSI);
	pins(c, t, isa, false, true);
	e8(c, 0xff);
	e8(c, 0xe0); /* jmp rax */
}

static void make_leaves(struct code *c, struct thunks *t, const struct isa *isa)
{
	const u8 *common = c->p;

	pins(c, t, isa, true, true);
	alu_imm(c, ALU_ADD, 8, o_reg(RSP), FRAME);
	for (unsigned i = ARRAY_SIZE(saved); i-- > 0;)
		pop(c, saved[i]);
	e8(c, 0xc3);
	t->leave_slot = c->p;
	pop(c, RAX);
	mov_load(c, 8, R14, o_mem(RSP, FRAME - 8));
	mov_store(c, 8, o_mem(R14, 0), RAX);
	mov_imm(c, RAX, IR_LEAVE_GOTO);
	jmp_to(c, common);
	t->resolve = c->p;
	mov_load(c, 8, R15, o_mem(RSP, FRAME - 8));
	mov_load(c, 8, R14, o_mem(R14, offsetof(struct ret_site, slot)));
	mov_store(c, 8, o_mem(R15, 8), R14);
	t->leave_goto = c->p;
	mov_store(c, 8, o_cpu(offsetof(struct cpu, pc)), RAX);
	mov_imm(c, RAX, IR_LEAVE_GOTO);
	jmp_to(c, common);
	t->leave_next = c->p;
	mov_imm(c, RAX, IR_LEAVE_NEXT);
	jmp_to(c, common);
	t->leave_poll = c->p;
	mov_imm(c, RAX, IR_LEAVE_POLL);
	jmp_to(c, common);
}

static void make_slow(struct code *c, struct thunks *t, const struct isa *isa)
{
	for (unsigned f = 0; f < 2 * FN_COUNT; f++) {
		bool vectors = f >= FN_COUNT;
		s32 room = vectors ? 8 + 14 * 16 : 8;

		t->slow[vectors][f % FN_COUNT] = c->p;
		pins(c, t, isa, true, true);
		lea(c, 8, RDI, o_mem(RBP, -BIAS));
		mov_rr(c, 8, RSI, RAX);
		mov_rr(c, 4, RDX, R14);
		mov_load(c, 8, RCX, o_mem(RSP, 0));
		lea(c, 8, R8, o_mem(RSP, 8 + ARGS));
		alu_imm(c, ALU_SUB, 8, o_reg(RSP), room);
		for (unsigned x = 2; vectors && x < 16; x++)
			ins(c, 0, 4, 0x0f29, x, o_mem(RSP, 16 * (s32)(x - 2)), 0);
		call_table(c, t, isa->nhelpers + f % FN_COUNT);
		for (unsigned x = 2; vectors && x < 16; x++)
			ins(c, 0, 4, 0x0f28, x, o_mem(RSP, 16 * (s32)(x - 2)), 0);
		alu_imm(c, ALU_ADD, 8, o_reg(RSP), room);
		pins(c, t, isa, false, false);
		e8(c, 0xc3);
	}
}

static void make_calls(struct code *c, struct thunks *t, const struct isa *isa)
{
	for (unsigned v = 0; v < 4; v++) {
		t->call[v] = c->p;
		pins(c, t, isa, true, v & 1);
		lea(c, 8, RDI, o_mem(RBP, -BIAS));
		mov_load(c, 8, RSI, o_mem(RSP, 8 + ARGS));
		mov_load(c, 8, RDX, o_mem(RSP, 8 + ARGS + 8));
		mov_load(c, 8, RCX, o_mem(RSP, 8 + ARGS + 16));
		mov_load(c, 8, R8, o_mem(RSP, 8 + ARGS + 24));
		e8(c, 0x4c); /* lea r9, [rip + table] */
		e8(c, 0x8d);
		e8(c, 0x0d);
		e32(c, (u32)((const u8 *)t->table - (c->p + 4)));
		alu_imm(c, ALU_SUB, 8, o_reg(RSP), 8);
		ins(c, 0, 4, 0xff, 2, o_idx(R9, RAX, 3, 0), 0);
		alu_imm(c, ALU_ADD, 8, o_reg(RSP), 8);
		pins(c, t, isa, false, v & 2);
		e8(c, 0xc3);
	}
}

static void make_indirect(struct code *c, struct thunks *t)
{
	for (unsigned k = 0; k < ENGINE_CLASSES; k++) {
		s32 jc =
			(s32)(offsetof(struct tlb_set, jc) + k * sizeof(struct jc_entry) * JC_SIZE);

		t->indirect[k] = c->p;
		alu_imm(c, ALU_CMP, 4, o_cpu(offsetof(struct cpu, exit_request)), 0);
		jcc_to(c, CC_NE, t->leave_goto);
		mov_rr(c, 8, R14, RAX);
		shift_imm(c, 5, 8, o_reg(R14), 12);
		alu_rm(c, ALU_XOR, 4, R14, o_reg(RAX));
		alu_imm(c, ALU_AND, 4, o_reg(R14), JC_SIZE - 1);
		shift_imm(c, 4, 4, o_reg(R14), 4);
		alu_rm(c, ALU_CMP, 8, RAX, o_gs(R14, jc));
		jcc_to(c, CC_NE, t->leave_goto);
		ins(c, 0, 4, 0xff, 4, o_gs(R14, jc + (s32)offsetof(struct jc_entry, host)), 0);
	}
}

/* A return: to where the call on top of the return stack said, when it is there that it goes. */
static void make_returns(struct code *c, struct thunks *t)
{
	for (unsigned k = 0; k < ENGINE_CLASSES; k++) {
		t->ret[k] = c->p;
		alu_imm(c, ALU_CMP, 4, o_cpu(offsetof(struct cpu, exit_request)), 0);
		jcc_to(c, CC_NE, t->leave_goto);
		mov_load(c, 8, R15, o_cpu(offsetof(struct cpu, ret_top)));
		mov_load(c, 8, R14, o_mem(R15, 0));
		alu_imm(c, ALU_SUB, 1, o_reg(R15), 8);
		mov_store(c, 8, o_cpu(offsetof(struct cpu, ret_top)), R15);
		if (k) {
			mov_imm(c, R15, (u64)k << RET_CLASS_SHIFT);
			alu_rm(c, ALU_XOR, 8, R15, o_reg(RAX));
		}
		alu_rm(c, ALU_CMP, 8, k ? R15 : RAX, o_mem(R14, offsetof(struct ret_site, tag)));
		jcc_to(c, CC_NE, t->indirect[k]);
		ins(c, 0, 4, 0xff, 4, o_mem(R14, offsetof(struct ret_site, host)), 0);
	}
}

const u8 *thunks_door(struct thunks *t, unsigned fn, bool vectors, u32 desc)
{
	u8 key = (u8)(fn << 1 | vectors);
	u32 h = (desc ^ (u32)key << 24) * 0x9e3779b1u >> 16;

	for (unsigned k = 0; k < 16; k++) {
		struct slow_door *d = &t->door[(h + k) & (SLOW_DOORS - 1)];

		if (d->at && d->desc == desc && d->key == key)
			return d->at;
		if (d->at || t->more.full)
			continue;
		*d = (struct slow_door){ .at = t->more.p, .desc = desc, .key = key };
		mov_imm(&t->more, R14, desc);
		jmp_to(&t->more, t->slow[vectors][fn]);
		if (!t->more.full)
			return d->at;
		d->at = NULL;
	}
	return NULL;
}

int thunks_make(struct engine *e, u8 *at, size_t room)
{
	const void *const fn[FN_COUNT] = {
		[FN_LOAD] = (const void *)slow_load,   [FN_LOAD128] = (const void *)slow_load128,
		[FN_STORE] = (const void *)slow_store, [FN_STORE128] = (const void *)slow_store,
		[FN_FILLW] = (const void *)slow_fillw, [FN_PROBE] = (const void *)slow_probe,
		[FN_DIV] = (const void *)slow_divide,
	};
	const struct isa *isa = e->machine->isa;
	struct thunks *t = NEW(struct thunks);
	u64 *table = (u64 *)at;
	struct code c = { .p = at, .start = at, .end = at + room };

	e->backend_data = t;
	detect(t);
	for (unsigned i = 0; i < isa->nhelpers; i++)
		table[i] = (u64)(uintptr_t)isa->helpers[i].fn;
	for (unsigned i = 0; i < FN_COUNT; i++)
		table[isa->nhelpers + i] = (u64)(uintptr_t)fn[i];
	t->table = table;
	c.p += ALIGN_UP((isa->nhelpers + FN_COUNT) * sizeof(u64), 64);
	t->no_site = (struct ret_site *)c.p;
	t->no_site->tag = JC_NONE;
	c.p += 64;
	choose_pins(t, isa);
	make_leaves(&c, t, isa);
	make_enter(&c, t, isa);
	make_slow(&c, t, isa);
	make_calls(&c, t, isa);
	make_indirect(&c, t);
	make_returns(&c, t);
	if (c.full)
		return -ENOSPC;
	t->more = (struct code){ .p = c.p, .start = c.p, .end = c.end };
	return (int)(c.p - at);
}
