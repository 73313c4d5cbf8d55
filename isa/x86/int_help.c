/* SPDX-License-Identifier: GPL-2.0-or-later */
/* int_help.c - helpers of the general instructions (int.def): addresses in segments with limits,
 * decimal adjustment, multi-word stack instructions, and the atomic operations that the IR has no
 * form for. Intel SDM vol. 2. */
#include "helpers.h"

u64 x86_h_linear(struct cpu *c, u64 a, u64 b, u64 cc, u64 imm)
{
	return x86_linear(X86(c), imm & 7, a, (unsigned)imm >> 4, imm & 8);
}

u64 x86_h_check_ip(struct cpu *c, u64 a, u64 b, u64 cc, u64 imm)
{
	if (a > X86(c)->seg[S_CS].limit)
		x86_raise_err(X86(c), EXC_GP, 0);
	return 0;
}

u64 x86_h_poll(struct cpu *c, u64 a, u64 b, u64 cc, u64 imm)
{
	if (c->lines && (X86(c)->eflags & EFL_IF))
		cpu_kick(c, CPU_EXIT_IRQ);
	return __atomic_load_n(&c->exit_request, __ATOMIC_RELAXED);
}

u64 x86_h_shadow(struct cpu *c, u64 a, u64 b, u64 cc, u64 imm)
{
	X86(c)->inhibit = 1;
	X86(c)->inhibit_pc = a;
	if (c->lines)
		cpu_kick(c, CPU_EXIT_IRQ);
	return 0;
}

/* --- decimal adjustment */

static void put_ax(struct x86_cpu *c, u32 ax)
{
	c->gpr[R_AX] = (c->gpr[R_AX] & ~0xffffull) | (ax & 0xffff);
}

/* SF, ZF, PF of a byte; the rest from `more`. */
static void byte_flags(struct x86_cpu *c, u8 v, u16 more)
{
	c->cpu.hflags = (u16)(more | (v ? 0 : HF_Z) | (v & 0x80 ? HF_S : 0) |
			      (__builtin_parity(v) ? 0 : HF_P));
}

static void adjust(struct x86_cpu *c, bool subtract)
{
	u16 f = c->cpu.hflags, out = 0;
	u8 al = (u8)c->gpr[R_AX], r = al;

	if ((al & 15) > 9 || (f & HF_A)) {
		out |= HF_A;
		/* the borrow of this step alone; the later one sets carry anyway */
		if ((f & HF_C) || (subtract ? al < 6 : al > 0xf9))
			out |= HF_C;
		r = (u8)(subtract ? r - 6 : r + 6);
	}
	if (al > 0x99 || (f & HF_C)) {
		r = (u8)(subtract ? r - 0x60 : r + 0x60);
		out |= HF_C;
	}
	put_ax(c, ((u32)c->gpr[R_AX] & 0xff00) | r);
	byte_flags(c, r, out);
}

u64 x86_h_daa(struct cpu *c, u64 a, u64 b, u64 cc, u64 imm)
{
	adjust(X86(c), false);
	return 0;
}

u64 x86_h_das(struct cpu *c, u64 a, u64 b, u64 cc, u64 imm)
{
	adjust(X86(c), true);
	return 0;
}

static void ascii(struct x86_cpu *c, bool subtract)
{
	u32 ax = (u32)c->gpr[R_AX] & 0xffff;
	bool over = (ax & 15) > 9 || (c->cpu.hflags & HF_A);

	if (over)
		ax = subtract ? ax - 0x106 : ax + 0x106;
	ax &= 0xff0f;
	put_ax(c, ax);
	byte_flags(c, (u8)ax, over ? HF_A | HF_C : 0);
}

u64 x86_h_aaa(struct cpu *c, u64 a, u64 b, u64 cc, u64 imm)
{
	ascii(X86(c), false);
	return 0;
}

u64 x86_h_aas(struct cpu *c, u64 a, u64 b, u64 cc, u64 imm)
{
	ascii(X86(c), true);
	return 0;
}

u64 x86_h_aam(struct cpu *c, u64 a, u64 b, u64 cc, u64 imm)
{
	u8 al = (u8)X86(c)->gpr[R_AX], base = (u8)imm;

	put_ax(X86(c), (u32)(al / base) << 8 | al % base);
	byte_flags(X86(c), al % base, 0);
	return 0;
}

u64 x86_h_aad(struct cpu *c, u64 a, u64 b, u64 cc, u64 imm)
{
	u32 ax = (u32)X86(c)->gpr[R_AX];
	u8 v = (u8)((ax >> 8 & 0xff) * (u8)imm + (ax & 0xff));

	put_ax(X86(c), v);
	byte_flags(X86(c), v, 0);
	return 0;
}

/* --- atomic operations */

static u64 host_neg(void *p, unsigned size)
{
#define NEG(type) \
	{ \
		type old = __atomic_load_n((type *)p, __ATOMIC_RELAXED); \
		while (!__atomic_compare_exchange_n((type *)p, &old, (type)(0 - old), false, \
						    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) \
			; \
		return old; \
	}
	switch (size) {
	case 1:
		NEG(u8)
	case 2:
		NEG(u16)
	case 4:
		NEG(u32)
	default:
		NEG(u64)
	}
#undef NEG
}

/* Alignment checking for accesses of helpers; those of the engine have it. */
static void check_aligned(struct cpu *c, unsigned ctx, u64 va, unsigned size, enum access access)
{
	if (!(c->mode & M_ALIGN) || !(va & (size - 1)))
		return;
	c->isa->misaligned(c, va, access, ctx, size);
	cpu_unwind(c);
}

u64 x86_h_lock_neg(struct cpu *c, u64 a, u64 b, u64 cc, u64 imm)
{
	unsigned ctx = x86_data_ctx(c->mode), size = (unsigned)imm;
	size_t n = size;
	void *p = a & (size - 1) ? NULL : cpu_host(c, ctx, a, &n, ACCESS_WRITE);
	u64 old;

	if (p && n == size)
		return host_neg(p, size);
	check_aligned(c, ctx, a, size, ACCESS_WRITE);
	cpu_probe(c, ctx, a, size, ACCESS_WRITE);
	old = cpu_ld(c, ctx, a, size);
	cpu_st(c, ctx, a, size, 0 - old);
	return old;
}

/* True when memory was equal; otherwise expected receives what it holds. */
static bool host_cas16(void *p, u64 expected[2], const u64 desired[2])
{
#ifdef __x86_64__
	bool equal;

	__asm__ volatile("lock cmpxchg16b %1"
			 : "=@ccz"(equal), "+m"(*(u128 *)p), "+a"(expected[0]), "+d"(expected[1])
			 : "b"(desired[0]), "c"(desired[1])
			 : "memory");
	return equal;
#else
	u128 e = (u128)expected[1] << 64 | expected[0], d = (u128)desired[1] << 64 | desired[0];
	bool equal = __atomic_compare_exchange_n((u128 *)p, &e, d, false, __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST);

	expected[0] = (u64)e;
	expected[1] = (u64)(e >> 64);
	return equal;
#endif
}

u64 x86_h_cmpxchg16b(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	unsigned ctx = x86_data_ctx(cpu->mode);
	u64 e[2] = { c->gpr[R_AX], c->gpr[R_DX] }, d[2] = { c->gpr[R_BX], c->gpr[R_CX] }, was[2];
	size_t n = 16;
	bool equal;
	void *p;

	if (a & 15)
		x86_raise_err(c, EXC_GP, 0);
	p = cpu_host(cpu, ctx, a, &n, ACCESS_WRITE);
	if (p && n == 16) {
		equal = host_cas16(p, e, d);
	} else {
		cpu_probe(cpu, ctx, a, 16, ACCESS_WRITE);
		cpu_ld_bytes(cpu, ctx, a, was, 16);
		equal = was[0] == e[0] && was[1] == e[1];
		cpu_st_bytes(cpu, ctx, a, equal ? d : was, 16);
		memcpy(e, was, sizeof(e));
	}
	if (!equal) {
		c->gpr[R_AX] = e[0];
		c->gpr[R_DX] = e[1];
	}
	cpu->hflags = (u16)((cpu->hflags & ~HF_Z) | (equal ? HF_Z : 0));
	return 0;
}

/* --- the stack */

static u64 stack_mask(const struct x86_cpu *c)
{
	return (c->cpu.mode & M_CODE) == M_CODE64 ? ~0ull :
	       c->cpu.mode & M_SS32		  ? 0xffffffff :
						    0xffff;
}

static void set_sp(struct x86_cpu *c, u64 sp)
{
	u64 m = stack_mask(c);

	c->gpr[R_SP] = m == 0xffff ? (c->gpr[R_SP] & ~m) | (sp & m) : sp & m;
}

static u64 stack_linear(struct x86_cpu *c, u64 off, unsigned n, bool write)
{
	return x86_linear(c, S_SS, off & stack_mask(c), n, write);
}

/* All eight registers; the value of rSP is that before the first push. Probed at both ends first,
 * so that a fault leaves nothing half done. */
u64 x86_h_pusha(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	unsigned size = (unsigned)imm, ctx = x86_data_ctx(cpu->mode);
	u64 sp = c->gpr[R_SP];

	for (unsigned i = 1; i <= 8; i++)
		cpu_probe(cpu, ctx, stack_linear(c, sp - i * size, size, true), size, ACCESS_WRITE);
	for (unsigned i = 0; i < 8; i++)
		cpu_st(cpu, ctx, stack_linear(c, sp - (i + 1) * size, size, true), size, c->gpr[i]);
	set_sp(c, sp - 8 * size);
	return 0;
}

u64 x86_h_popa(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	unsigned size = (unsigned)imm, ctx = x86_data_ctx(cpu->mode);
	u64 sp = c->gpr[R_SP], v[8];

	for (unsigned i = 0; i < 8; i++)
		v[7 - i] = cpu_ld(cpu, ctx, stack_linear(c, sp + i * size, size, false), size);
	for (unsigned i = 0; i < 8; i++)
		if (i != R_SP)
			c->gpr[i] = size == 2 ? (c->gpr[i] & ~0xffffull) | v[i] : v[i];
	set_sp(c, sp + 8 * size);
	return 0;
}

static void enter_probe(struct x86_cpu *c, unsigned ctx, u64 off, unsigned size, enum access access)
{
	u64 at = stack_linear(c, off, size, access == ACCESS_WRITE);

	check_aligned(&c->cpu, ctx, at, size, access);
	cpu_probe(&c->cpu, ctx, at, size, access);
}

/* Copies level - 1 frame pointers of the callers, then its own. */
u64 x86_h_enter(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	unsigned size = imm & 0xff, level = imm >> 8 & 31, width = imm >> 16 & 0xff,
		 ctx = x86_data_ctx(cpu->mode);
	u64 sp = c->gpr[R_SP], bp = c->gpr[R_BP], frame = sp - size;
	u64 keep = width == 2 || size == 2 ? ~0xffffull : 0;

	/* the first push, what is copied, and the new top of the stack: nothing is stored there,
	 * but it must be possible */
	enter_probe(c, ctx, frame, size, ACCESS_WRITE);
	for (unsigned i = 1; i <= level; i++) {
		if (i < level)
			enter_probe(c, ctx, bp - i * size, size, ACCESS_READ);
		enter_probe(c, ctx, frame - i * size, size, ACCESS_WRITE);
	}
	enter_probe(c, ctx, frame - level * size - a, size, ACCESS_WRITE);
	/* in this order: what is read may have just been pushed */
	for (unsigned i = 0; i <= level; i++) {
		u64 v = i == 0 ?
				bp :
			i == level ?
				frame :
				cpu_ld(cpu, ctx, stack_linear(c, bp - i * size, size, false), size);

		cpu_st(cpu, ctx, stack_linear(c, frame - i * size, size, true), size, v);
	}
	set_sp(c, frame - level * size - a);
	c->gpr[R_BP] = (bp & keep) | (frame & ~keep & (size == 8 ? ~0ull : 0xffffffff));
	return 0;
}

u64 x86_h_bound(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	unsigned size = imm & 0xff, ctx = x86_data_ctx(cpu->mode);
	u64 at = x86_linear(c, imm >> 8 & 7, b, 2 * size, false);
	s64 i, lo, hi;

	lo = (s64)cpu_ld(cpu, ctx, at, size);
	hi = (s64)cpu_ld(cpu, ctx, at + size, size);
	i = (s64)a;
	if (size == 2) {
		i = (s16)i;
		lo = (s16)lo;
		hi = (s16)hi;
	} else {
		i = (s32)i;
		lo = (s32)lo;
		hi = (s32)hi;
	}
	if (i < lo || i > hi)
		x86_raise(c, EXC_BR);
	return 0;
}
