/* SPDX-License-Identifier: GPL-2.0-or-later */
/* int_test.c - general instructions: lifted and interpreted, against the processor that runs the
 * test (64-bit code, random instructions and operands), and by hand for what cannot run there:
 * other code sizes, the stack, control flow, the shape of the IR. */
#include "decode.h"
#include "helpers.h"
#include "../../lib/test.h"
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
	MODE16 = M_CODE16,
	MODE32 = M_CODE32 | M_SS32 | M_PE | M_FLAT,
	MODE64 = M_CODE64 | M_SS32 | M_PE | M_LMA | M_FLAT
};
enum { DATA = 16384, MIDDLE = 8192 };

/* What the native code finds at addresses of 31 bits. */
struct native {
	u64 gpr[16], flags, rsp;
	u8 code[512];
	u8 data[DATA];
};

struct bench {
	struct x86_cpu *c;
	struct ir *ir;
	struct native *n;
	u64 *temps;
	bool fault;
	jmp_buf back;
	enum ir_leave how;
};

static struct bench *now;

/* --- the interpreter's world: linear addresses are the test's own */

static u64 mem_load(void *cpu, enum ir_type t, u64 va, u16 mem, void *buf)
{
	u64 v = 0;

	memcpy(&v, (void *)(uintptr_t)va, t == V128 ? 8 : 1u << t);
	return v;
}

static void mem_store(void *cpu, enum ir_type t, u64 va, u16 mem, u64 val, const void *buf)
{
	memcpy((void *)(uintptr_t)va, &val, 1u << t);
}

static u64 mem_rmw(void *cpu, enum ir_type t, u64 va, u16 mem, u64 val)
{
	u64 old = mem_load(cpu, t, va, mem, NULL), v;

	switch (mem >> IR_RMW_SHIFT & 7) {
	case IR_RMW_ADD:
		v = old + val;
		break;
	case IR_RMW_AND:
		v = old & val;
		break;
	case IR_RMW_OR:
		v = old | val;
		break;
	case IR_RMW_XOR:
		v = old ^ val;
		break;
	case IR_RMW_SUB:
		v = old - val;
		break;
	default:
		v = val;
		break;
	}
	mem_store(cpu, t, va, mem, v, NULL);
	return old;
}

static u64 mem_cas(void *cpu, enum ir_type t, u64 va, u16 mem, u64 expected, u64 val)
{
	u64 old = mem_load(cpu, t, va, mem, NULL),
	    mask = t == I64 ? ~0ull : (1ull << (8u << t)) - 1;

	if (((old ^ expected) & mask) == 0)
		mem_store(cpu, t, va, mem, val, NULL);
	return old;
}

static void divided(void *cpu)
{
	now->fault = true;
	longjmp(now->back, 1);
}

static struct bench *bench(void)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->c = aligned_alloc(64, (sizeof(*b->c) + 63) & ~63ul);
	memset(b->c, 0, sizeof(*b->c));
	memset(b->c->feat, 0xff, sizeof(b->c->feat));
	b->c->eflags = EFL_1;
	b->ir = calloc(1, sizeof(*b->ir));
	b->temps = calloc(4096, 8);
	b->n = mmap(NULL, sizeof(*b->n), PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	CHECK(b->n != MAP_FAILED);
	now = b;
	return b;
}

static bool stop_never(struct lift *l, u64 pc) { return false; }

static struct lift lift_of(struct bench *b, u32 mode, u64 pc, const u8 *code, unsigned avail,
			   unsigned max)
{
	return (struct lift){ .ir = b->ir,
			      .cpu = &b->c->cpu,
			      .pc = pc,
			      .mode = mode,
			      .code = code,
			      .avail = avail,
			      .max_insns = max,
			      .page_offset = pc & 0xfff,
			      .stop_at = stop_never };
}

static int lift(struct bench *b, struct lift *l)
{
	int rc;

	ir_start(b->ir, x86_slots, x86_helpers, SL_HFLAGS);
	rc = x86_lift(l);
	if (!rc)
		CHECK_STR(ir_verify(b->ir), NULL);
	return rc;
}

static void run(struct bench *b, u32 mode, u64 pc, const u8 *code, unsigned avail, unsigned max)
{
	struct ir_env env = { .cpu = b->c,
			      .slots = x86_slots,
			      .helpers = x86_helpers,
			      .pc = &b->c->cpu.pc,
			      .flags = &b->c->cpu.hflags,
			      .load = mem_load,
			      .store = mem_store,
			      .rmw = mem_rmw,
			      .cas = mem_cas,
			      .divide_error = divided };
	struct lift l = lift_of(b, mode, pc, code, avail, max);
	struct ir_body body;

	b->c->cpu.pc = pc;
	b->c->cpu.mode = mode;
	CHECK_EQ(lift(b, &l), 0);
	ir_liveness(b->ir, true, NULL, NULL);
	body = (struct ir_body){ b->ir->nops, b->ir->ntemps, b->ir->op, b->ir->konst, b->ir->insn };
	b->fault = false;
	if (!setjmp(b->back))
		b->how = ir_interpret(&body, &env, b->temps);
}

#define RUN(b, mode, bytes, max) run(b, mode, 0x1000, (const u8 *)bytes, sizeof(bytes) - 1, max)

/* --- the shape of hot code */

static unsigned ops(struct bench *b, u32 mode, const char *code, unsigned n)
{
	struct lift l = lift_of(b, mode, 0x1000, (const u8 *)code, n, 1);

	CHECK_EQ(lift(b, &l), 0);
	/* without the INSN and the GOTO behind */
	return b->ir->nops - 2;
}
#define OPS(b, bytes) ops(b, MODE64, bytes, sizeof(bytes) - 1)

TEST(x86_lift_is_lean)
{
	struct bench *b = bench();

	CHECK_EQ(OPS(b, "\x48\x01\xd8"), 1);	 /* add rax, rbx */
	CHECK_EQ(OPS(b, "\x48\x03\x43\x08"), 2); /* add rax, [rbx + 8] */
	CHECK_EQ(OPS(b, "\x48\x01\x43\x08"), 3); /* add [rbx + 8], rax */
	CHECK_EQ(OPS(b, "\x48\x89\x43\x08"), 1); /* mov [rbx + 8], rax */
	CHECK_EQ(OPS(b, "\x48\x8b\x43\x08"), 1); /* mov rax, [rbx + 8] */
	CHECK_EQ(OPS(b, "\x8b\x44\x8b\x08"), 1); /* mov eax, [rbx + 4 * rcx + 8] */
	CHECK_EQ(OPS(b, "\x0f\xb6\x43\x08"), 1); /* movzx eax, byte [rbx + 8] */
	CHECK_EQ(OPS(b, "\x48\x63\x43\x08"), 1); /* movsxd rax, [rbx + 8] */
	CHECK_EQ(OPS(b, "\x65\x48\x8b\x04\x25\x28\x00\x00\x00"), 1); /* mov rax, gs:[0x28] */
	CHECK_EQ(OPS(b, "\x48\x8d\x44\x8b\x08"), 1); /* lea rax, [rbx + 4 * rcx + 8] */
	CHECK_EQ(OPS(b, "\x48\x39\xd8"), 1);	     /* cmp rax, rbx */
	CHECK_EQ(OPS(b, "\x74\x10"), 1);	     /* je */
	CHECK_EQ(OPS(b, "\x50"), 2);		     /* push rax */
	CHECK_EQ(OPS(b, "\x58"), 2);		     /* pop rax */
	CHECK_EQ(OPS(b, "\xe8\x00\x01\x00\x00"), 3); /* call */
	/* ret: four of them see that the target is canonical; its end counted above */
	CHECK_EQ(OPS(b, "\xc3"), 6);
	CHECK_EQ(OPS(b, "\x31\xc0"), 1);	 /* xor eax, eax */
	CHECK_EQ(OPS(b, "\x48\x0f\x44\xc3"), 1); /* cmove rax, rbx */
	CHECK_EQ(OPS(b, "\x90"), 0);
	CHECK_EQ(OPS(b, "\xfa"), 1); /* cli */
}

/* --- units */

static bool stop_here(struct lift *l, u64 pc) { return pc == 0x1003; }

static u64 end_pc(struct bench *b)
{
	const struct ir_op *o = &b->ir->op[b->ir->nops - 1];

	CHECK_EQ(o->op, IR_GOTO);
	return ir_const_value(b->ir, o->a);
}

TEST(x86_lift_units)
{
	static const u8 code[64] = "\x90\x90\x90\xeb\x10\x0f\x0b",
			odd[64] = "\x48\x01\xd8\x48\x8b\x84\x8b\x78\x56\x34\x12";
	struct bench *b = bench();
	struct lift l = lift_of(b, MODE64, 0x1000, code, 64, 5);

	/* three NOPs, a jump over undefined bytes, then ADDs of zeros */
	CHECK_EQ(lift(b, &l), 0);
	CHECK_EQ(b->ir->ninsns, 5);
	CHECK_EQ(b->ir->insn[4].pc, 0x1015);
	CHECK_EQ(l.lo, 0);
	CHECK_EQ(l.hi, 0x17);
	CHECK_EQ(end_pc(b), 0x1017);
	l = lift_of(b, MODE64, 0x1000, code, 64, 5);
	l.stop_at = stop_here;
	CHECK_EQ(lift(b, &l), 0);
	CHECK_EQ(b->ir->ninsns, 3);
	CHECK_EQ(l.hi, 3);
	CHECK_EQ(end_pc(b), 0x1003);
	/* the page ends inside the second instruction; then inside the first */
	l = lift_of(b, MODE64, 0x1ffa, odd, 6, 64);
	CHECK_EQ(lift(b, &l), 0);
	CHECK_EQ(b->ir->ninsns, 1);
	CHECK_EQ(end_pc(b), 0x1ffd);
	l = lift_of(b, MODE64, 0x1ffd, odd + 3, 3, 64);
	CHECK_EQ(lift(b, &l), LIFT_SHORT);
	l = lift_of(b, MODE64, 0x1ffd, odd + 3, 61, 64);
	l.crossing = true;
	CHECK_EQ(lift(b, &l), 0);
	CHECK_EQ(b->ir->ninsns, 1);
	CHECK_EQ(l.hi, 8);
	CHECK_EQ(end_pc(b), 0x2005);
	/* a jump out of the page ends the unit */
	l = lift_of(b, MODE64, 0x1ffc, (const u8 *)"\xeb\x10\x90\x90", 4, 64);
	CHECK_EQ(lift(b, &l), 0);
	CHECK_EQ(end_pc(b), 0x200e);
	/* so does a backward one */
	l = lift_of(b, MODE64, 0x1000, (const u8 *)"\x90\xeb\xfd\x90", 4, 64);
	CHECK_EQ(lift(b, &l), 0);
	CHECK_EQ(end_pc(b), 0x1000);
}

TEST(x86_lift_fills_up)
{
	struct bench *b = bench();
	u8 *code = malloc(4096);
	struct lift l;

	/* INSN and GOTO must fit whatever is lifted: many locked bit tests, each of them a dozen
	 * operations and constants */
	for (unsigned i = 0; i < 4096; i += 8)
		memcpy(code + i, "\xf0\x48\x0f\xab\x44\x8b\x08\x90", 8);
	l = lift_of(b, MODE64, 0x1000, code, 4096, 100000);
	CHECK_EQ(lift(b, &l), 0);
	CHECK(b->ir->ninsns > 32);
	CHECK_EQ(end_pc(b), b->ir->insn[b->ir->ninsns - 1].pc + b->ir->insn[b->ir->ninsns - 1].len);
}

TEST(x86_flags_look_ahead)
{
	struct bench *b = bench();
	struct lift l = lift_of(b, MODE64, 0x1000, NULL, 0, 1);

	CHECK(x86_flags_dead(&l, (const u8 *)"\x48\x89\xc3\x48\x01\xd8", 6));  /* mov; add */
	CHECK(!x86_flags_dead(&l, (const u8 *)"\x48\x89\xc3\x48\x11\xd8", 6)); /* mov; adc */
	CHECK(!x86_flags_dead(&l, (const u8 *)"\x48\x89\xc3\x74\x10", 5));
	CHECK(!x86_flags_dead(&l, (const u8 *)"\x48\x89\xc3\xc3", 4));
	CHECK(!x86_flags_dead(&l, (const u8 *)"\x48\x89", 2));
}

TEST(x86_disassembles)
{
	struct bench *b = bench();
	char text[64];

	b->c->cpu.mode = MODE64;
	CHECK_EQ(x86_disasm(&b->c->cpu, 0x1000, (const u8 *)"\x48\x01\xd8\x90", 4, text,
			    sizeof(text)),
		 3);
	CHECK_STR(text, "add %rbx, %rax");
	CHECK_EQ(x86_disasm(&b->c->cpu, 0x1000, (const u8 *)"\x0f\xff", 2, text, sizeof(text)), 0);
}

/* --- against the host */

#ifdef __x86_64__
static u64 seed = 0x9e3779b97f4a7c15ull;
static u64 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

/* Numbers of all sizes, with many near the edges. */
static u64 operand(void)
{
	u64 v = rnd();

	switch (rnd() % 6) {
	case 0:
		return v & 0xff;
	case 1:
		return (u64)(s64)(s8)v;
	case 2:
		return (u64)(s64)(s32)v;
	case 3:
		return 1ull << (v & 63);
	case 4:
		return (1ull << (v & 63)) - 1;
	default:
		return v;
	}
}

static u8 *put_abs(u8 *p, unsigned op, unsigned reg, bool wide, const void *at)
{
	if (wide)
		*p++ = reg >= 8 ? 0x4c : 0x48;
	*p++ = (u8)op;
	*p++ = (u8)(4 | (reg & 7) << 3);
	*p++ = 0x25;
	st32le(p, (u32)(uintptr_t)at);
	return p + 4;
}

/* Registers and flags in, the instruction, registers and flags out. */
static void native_code(struct native *n, const u8 *insn, unsigned len)
{
	static const u8 in[] = "\x53\x55\x41\x54\x41\x55\x41\x56\x41\x57",
			out[] = "\xfc\x41\x5f\x41\x5e\x41\x5d\x41\x5c\x5d\x5b\xc3";
	u8 *p = n->code;

	memcpy(p, in, sizeof(in) - 1);
	p = put_abs(p + sizeof(in) - 1, 0x89, R_SP, true, &n->rsp);
	p = put_abs(p, 0xff, 6, false, &n->flags);
	for (unsigned r = 0; r < 16; r++)
		if (r != R_SP)
			p = put_abs(p, 0x8b, r, true, &n->gpr[r]);
	*p++ = 0x9d;
	memcpy(p, insn, len);
	p += len;
	for (unsigned r = 0; r < 16; r++)
		if (r != R_SP)
			p = put_abs(p, 0x89, r, true, &n->gpr[r]);
	*p++ = 0x9c;
	p = put_abs(p, 0x8f, 0, false, &n->flags);
	memcpy(p, out, sizeof(out) - 1);
}

static sigjmp_buf native_back;
static void on_fpe(int sig) { siglongjmp(native_back, 1); }

/* True when it raised #DE. */
static bool native_run(struct native *n)
{
	if (sigsetjmp(native_back, 1))
		return true;
	((void (*)(void))(uintptr_t)n->code)();
	return false;
}

static bool in_list(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = list; (p = strstr(p, name)); p += n)
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
			return true;
	return false;
}

/* Rows of int.insn that can run inside the trampoline: they come first, up to the first control
 * transfer and stack row. */
static bool suitable(const struct x86_insn *in)
{
	static const char *const unfit = "push pop pusha popa pushf popf enter leave jcc loopne "
					 "loope loop jcxz call jmp call_ind jmp_ind ret bound ins"
					 " outs clflush pause salc daa das aaa aas aam aad";
	static unsigned end;

	if (!end)
		for (unsigned i = 1; i < x86_nencodings; i++)
			if (!strcmp(x86_encodings[i].name, "clflush"))
				end = i;
	if (in->enc - x86_encodings > end || in_list(unfit, in->enc->name))
		return false;
	/* these helpers need an engine */
	if (in->rep && in_list("movs cmps stos lods scas", in->enc->name))
		return false;
	if ((in->lock && !strcmp(in->enc->name, "neg")) ||
	    (!strcmp(in->enc->name, "cmpxchg8b") && in->rex & 8))
		return false;
	/* some hosts lack these */
	if (in_list("adcx adox rorx shlx sarx shrx mulx pdep pext bzhi", in->enc->name) &&
	    !__builtin_cpu_supports("bmi2"))
		return false;
	/* PREFETCH with a register: #UD on AMD processors, NOP on Intel's */
	if (in->map == MAP_0F && in->opcode == 0x0d)
		return false;
	if (in->seg == S_FS || in->seg == S_GS)
		return false;
	for (unsigned i = 0; i < in->nops; i++)
		if (in->op[i].kind == OPK_REG && in->op[i].reg == R_SP)
			return false;
	return in->base != R_SP && in->base != 16;
}

/* Makes the memory operand lie in the data; false when the registers do not allow it. */
static bool aim(struct native *n, const struct x86_insn *in, u8 *code)
{
	u64 at = (u64)(uintptr_t)n->data + MIDDLE - 64 + rnd() % 128, rest = (u64)in->disp;
	bool mem = in->has_modrm && in->modrm < 0xc0,
	     moffs = in->map == MAP_PRI && (in->opcode & 0xfc) == 0xa0;

	n->gpr[R_SI] = (u64)(uintptr_t)n->data + MIDDLE + rnd() % 256;
	n->gpr[R_DI] = (u64)(uintptr_t)n->data + MIDDLE + rnd() % 256;
	if (in->opcode == 0xd7 && in->map == MAP_PRI)
		n->gpr[R_BX] = (u64)(uintptr_t)n->data + 4096;
	if (moffs) {
		if (in->asize == 4)
			st32le(code + in->len - 4, (u32)at);
		else
			st64le(code + in->len - 8, at);
	}
	if (!mem)
		return true;
	if (in->base < 0 && (in->index < 0 || in->scale))
		return false;
	if (in->base >= 0 && in->base == in->index)
		return false;
	if (in->map == MAP_0F && in->op[1].kind == OPK_REG &&
	    in_list("bt bts btr btc", in->enc->name)) {
		if (in->op[1].reg == in->base || in->op[1].reg == in->index)
			return false;
		n->gpr[in->op[1].reg] = (u64)(s64)(s16)(rnd() & 0x7fff) - 0x4000;
		if (in->op[1].size == 4)
			n->gpr[in->op[1].reg] = (u32)n->gpr[in->op[1].reg];
	}
	if (in->base < 0) {
		n->gpr[in->index] = at - rest;
		return true;
	}
	if (in->index >= 0)
		rest += n->gpr[in->index] << in->scale;
	n->gpr[in->base] = at - rest;
	if (in->asize == 4)
		n->gpr[in->base] = (u32)n->gpr[in->base] | rnd() << 32;
	return true;
}

static u32 undefined_flags(const struct x86_insn *in, const u64 *gpr)
{
	const char *name = in->enc->name;
	unsigned size = in->op[0].size, count = 0;

	if (in_list("and or xor test andn", name))
		return EFL_AF | (in->vex ? EFL_PF : 0);
	if (in_list("mul imul imul1", name))
		return EFL_SF | EFL_ZF | EFL_AF | EFL_PF;
	if (in_list("div idiv", name))
		return EFL_ARITH;
	if (in_list("bt bts btr btc", name))
		return EFL_OF | EFL_SF | EFL_AF | EFL_PF;
	if (in_list("bsf bsr", name))
		return EFL_ARITH & ~EFL_ZF;
	if (in_list("tzcnt lzcnt", name))
		return EFL_OF | EFL_SF | EFL_AF | EFL_PF;
	if (in_list("blsr blsi blsmsk bzhi", name))
		return EFL_AF | EFL_PF;
	if (in_list("bextr", name))
		return EFL_AF | EFL_PF | EFL_SF;
	if (!in_list("rol ror rcl rcr shl shr sar shld shrd", name))
		return 0;
	count = in->op[in->nops - 1].kind == OPK_IMM ? (unsigned)in->imm : (unsigned)gpr[R_CX];
	count &= size == 8 ? 63 : 31;
	if (!count)
		return 0;
	if (in_list("shld shrd", name))
		return count > 8 * size ? EFL_ARITH : EFL_AF | (count > 1 ? EFL_OF : 0);
	if (in_list("rol ror rcl rcr", name))
		return count > 1 ? EFL_OF : 0;
	return EFL_AF | (count > 1 ? EFL_OF : 0) |
	       (count >= 8 * size && strcmp(name, "sar") ? EFL_CF : 0);
}

/* Destinations that the manual leaves undefined. */
static bool undefined_result(const struct x86_insn *in, const u64 *gpr)
{
	if (in_list("shld shrd", in->enc->name) && in->op[0].size == 2)
		return ((in->op[2].kind == OPK_IMM ? (unsigned)in->imm : (unsigned)gpr[R_CX]) &
			31) > 16;
	return !strcmp(in->enc->name, "bswap") && in->osize == 2;
}

static void random_insn(u8 *code)
{
	static const u8 prefix[] = { 0x66, 0x48, 0x41, 0x44, 0x4d, 0xf0,
				     0xf2, 0xf3, 0x67, 0x66, 0x48 };
	unsigned p = 0, kind = rnd() % 8;

	for (unsigned i = 0; i < 16; i += 8)
		st64le(code + i, rnd());
	while ((rnd() & 1) && p < 3)
		code[p++] = prefix[rnd() % sizeof(prefix)];
	if (kind < 3)
		code[p++] = 0x0f;
	if (kind == 0) {
		code[p++] = 0x38;
		code[p] = (u8)(0xf0 + rnd() % 8);
	}
	if (kind == 3) {
		/* BMI: C4, map 2 or 3, L = 0 */
		p = 0;
		code[p] = 0xc4;
		code[p + 1] = (u8)((code[p + 1] & 0xe0) | (rnd() & 7 ? 2 : 3));
		code[p + 2] &= (u8)~4;
		code[p + 3] = (u8)(0xf0 + rnd() % 8);
	}
}

static void report(struct bench *b, const struct x86_insn *in, const u8 *code,
		   const struct native *before)
{
	char hex[40] = "", text[1024];
	u64 flags = x86_arith_from_hf(b->c->cpu.hflags);
	int k;

	for (unsigned i = 0; i < in->len; i++)
		snprintf(hex + 2 * i, 3, "%02x", code[i]);
	k = snprintf(text, sizeof(text),
		     "%s (%s): flags before %#llx, host %#llx, ours %#llx (undefined %#x);",
		     in->enc->name, hex, (unsigned long long)before->flags,
		     (unsigned long long)b->n->flags, (unsigned long long)flags,
		     undefined_flags(in, before->gpr));
	for (unsigned r = 0; r < 16; r++)
		if (r != R_SP && (b->n->gpr[r] != b->c->gpr[r] || r < 4))
			k += snprintf(text + k, sizeof(text) - (size_t)k,
				      " r%u before %#llx host %#llx ours %#llx;", r,
				      (unsigned long long)before->gpr[r],
				      (unsigned long long)b->n->gpr[r],
				      (unsigned long long)b->c->gpr[r]);
	test_fail(__FILE__, __LINE__, "%s", text);
}

static void compare(struct bench *b, const struct x86_insn *in, u8 *code, struct native *before,
		    struct native *after)
{
	u32 skip = undefined_flags(in, before->gpr);
	bool fault;

	*after = *b->n;
	native_code(b->n, code, in->len);
	fault = native_run(b->n);
	/* the host's result aside, ours in its place */
	memcpy(after->data, b->n->data, DATA);
	memcpy(b->n->data, before->data, DATA);
	memcpy(b->c->gpr, before->gpr, sizeof(before->gpr));
	b->c->cpu.hflags = x86_hf_from_arith((u32)before->flags);
	b->c->eflags = EFL_1 | (before->flags & EFL_DF);
	run(b, MODE64, 0x1000, code, 16, 1);
	if (fault != b->fault)
		report(b, in, code, before);
	if (fault)
		return;
	CHECK_EQ(b->c->cpu.pc, 0x1000 + in->len);
	if (undefined_result(in, before->gpr))
		return;
	for (unsigned r = 0; r < 16; r++)
		if (r != R_SP && b->c->gpr[r] != b->n->gpr[r])
			report(b, in, code, before);
	if ((x86_arith_from_hf(b->c->cpu.hflags) ^ b->n->flags) & EFL_ARITH & ~skip)
		report(b, in, code, before);
	if ((b->c->eflags ^ b->n->flags) & EFL_DF)
		report(b, in, code, before);
	if (memcmp(b->n->data, after->data, DATA))
		report(b, in, code, before);
}

TEST(x86_int_like_host)
{
	struct bench *b = bench();
	struct native *before = calloc(1, sizeof(*before)), *after = calloc(1, sizeof(*after));
	unsigned done = 0;

	signal(SIGFPE, on_fpe);
	signal(SIGILL, on_fpe);
	signal(SIGSEGV, on_fpe);
	for (unsigned i = 0; i < DATA; i++)
		before->data[i] = (u8)rnd();
	for (unsigned i = 0; i < 1200000 && done < 100000; i++) {
		struct x86_insn in;
		u8 code[32];
		int n;

		random_insn(code);
		n = x86_decode(code, 16, MODE64, &in);
		if (n <= 0 || n > 15 || !suitable(&in))
			continue;
		for (unsigned r = 0; r < 16; r++)
			b->n->gpr[r] = operand();
		b->n->flags = (rnd() & (EFL_ARITH | EFL_DF)) | EFL_1 | EFL_IF;
		if (!aim(b->n, &in, code))
			continue;
		memcpy(before->gpr, b->n->gpr, sizeof(before->gpr));
		before->flags = b->n->flags;
		memcpy(b->n->data, before->data, DATA);
		compare(b, &in, code, before, after);
		done++;
	}
	CHECK(done > 20000);
}
#endif
