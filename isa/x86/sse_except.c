/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sse_except.c - SIMD floating-point exceptions where the guest has unmasked some (mode M_FPEXC).
 * The host runs with all masked, so what an operation would signal unmasked is worked out from its
 * masked flags. SDM vol. 1, 4.9.1 and 11.5. */
#include "f80.h"
#include "sse.h"

/* Invalid, denormal and zero-divide come before the computation and hide what it would signal. */
static void signal(struct x86_cpu *c, u32 flags)
{
	u32 unmasked = ~(c->mxcsr >> MX_MASK_SHIFT) & MX_FLAGS;

	if (flags & unmasked & (MX_IE | MX_DE | MX_ZE))
		flags &= MX_IE | MX_DE | MX_ZE;
	c->mxcsr |= flags;
	if (flags & unmasked)
		x86_raise(c, c->cr4 & CR4_OSXMMEXCPT ? EXC_XM : EXC_UD);
}

/* After operations that cannot underflow. */
u64 x86_h_sse_except(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	signal(X86(cpu), sse_take_flags(X86(cpu)));
	return 0;
}

/* --- Unmasked overflow and underflow: the result is inexact only when it would be with an
 * unbounded exponent, and underflow is signalled for exact tiny results too (4.9.1.4, 4.9.1.5). The
 * x87 computes that: its exponents are wide enough, and its precision can be that of float or
 * double. */

/* the x87's /digits, and one of our own */
enum op { OP_OTHER = -1, OP_ADD = 0, OP_MUL = 1, OP_SUB = 4, OP_DIV = 6, OP_NARROW = 2 };
enum shape { STRAIGHT, ACROSS, ALTERNATE };
struct lanes {
	enum op op;
	u16 scalar;
	enum shape shape;
};

static struct lanes lanes_of(unsigned helper)
{
	switch (helper) {
	case XH_mulps:
	case XH_mulss:
		return (struct lanes){ OP_MUL, XH_mulss, STRAIGHT };
	case XH_mulpd:
	case XH_mulsd:
		return (struct lanes){ OP_MUL, XH_mulsd, STRAIGHT };
	case XH_divps:
	case XH_divss:
		return (struct lanes){ OP_DIV, XH_divss, STRAIGHT };
	case XH_divpd:
	case XH_divsd:
		return (struct lanes){ OP_DIV, XH_divsd, STRAIGHT };
	case XH_addps:
	case XH_addss:
		return (struct lanes){ OP_ADD, XH_addss, STRAIGHT };
	case XH_addpd:
	case XH_addsd:
		return (struct lanes){ OP_ADD, XH_addsd, STRAIGHT };
	case XH_subps:
	case XH_subss:
		return (struct lanes){ OP_SUB, XH_subss, STRAIGHT };
	case XH_subpd:
	case XH_subsd:
		return (struct lanes){ OP_SUB, XH_subsd, STRAIGHT };
	case XH_haddps:
		return (struct lanes){ OP_ADD, XH_addss, ACROSS };
	case XH_haddpd:
		return (struct lanes){ OP_ADD, XH_addsd, ACROSS };
	case XH_hsubps:
		return (struct lanes){ OP_SUB, XH_subss, ACROSS };
	case XH_hsubpd:
		return (struct lanes){ OP_SUB, XH_subsd, ACROSS };
	case XH_addsubps:
		return (struct lanes){ OP_SUB, XH_subss, ALTERNATE };
	case XH_addsubpd:
		return (struct lanes){ OP_SUB, XH_subsd, ALTERNATE };
	case XH_cvtpd2ps:
	case XH_cvtsd2ss:
		return (struct lanes){ OP_NARROW, XH_cvtsd2ss, STRAIGHT };
	default:
		return (struct lanes){ OP_OTHER, 0, STRAIGHT };
	}
}

/* What element i of the result is made of. */
static void lane(struct lanes *l, unsigned n, bool wide, unsigned i, const union x86_xmm *x,
		 const union x86_xmm *y, union x86_xmm *a, union x86_xmm *b)
{
	const union x86_xmm *s = x, *t = y;
	unsigned k = i, m = i;

	if (l->shape == ACROSS) {
		s = t = i < n / 2 ? x : y;
		k = i % (n / 2) * 2;
		m = k + 1;
	} else if (l->shape == ALTERNATE) {
		l->op = i & 1 ? OP_ADD : OP_SUB;
		l->scalar = wide ? (i & 1 ? XH_addsd : XH_subsd) : (i & 1 ? XH_addss : XH_subss);
	}
	*a = (union x86_xmm){ .q = { wide ? s->q[k] : s->d[k], 0 } };
	*b = (union x86_xmm){ .q = { wide || l->op == OP_NARROW ? t->q[m] : t->d[m], 0 } };
}

static bool inexact(struct x86_cpu *c, enum op op, bool wide, const void *x, const void *y)
{
	static const float one = 1;
	struct f80_ctx t = { .cw = (u16)(F80_EXC | (wide ? 0x200 : 0)) };
	struct x86_f80 r;

	f80_enter(t.cw);
	if (op == OP_NARROW) {
		f80_load(&t, &r, F80_F64, y);
		f80_arith(&t, OP_MUL, &r, F80_F32, &one);
	} else {
		f80_load(&t, &r, wide ? F80_F64 : F80_F32, x);
		f80_arith(&t, op, &r, wide ? F80_F64 : F80_F32, y);
	}
	f80_enter(c->fpu_cw);
	return t.sw & F80_PE;
}

static bool tiny(const union x86_xmm *v, bool wide, unsigned i)
{
	return wide ? v->q[i] << 1 && !(v->q[i] & 0x7ff0000000000000ull) :
		      v->d[i] << 1 && !(v->d[i] & 0x7f800000);
}

/* The flags of an operation with overflow or underflow unmasked: x op y gave r and, masked,
 * `flags`. */
static u32 unbounded(struct x86_cpu *c, unsigned helper, unsigned kind, const union x86_xmm *x,
		     const union x86_xmm *y, const union x86_xmm *r, u32 flags)
{
	unsigned n = kind == FR_PS ? 4 : kind == FR_PD ? 2 : kind == FR_NONE ? 0 : 1;
	bool wide = kind == FR_PD || kind == FR_SD, under = !(c->mxcsr & MX_UE << MX_MASK_SHIFT),
	     over = !(c->mxcsr & MX_OE << MX_MASK_SHIFT);
	bool small = under && flags & MX_UE;
	struct lanes l = lanes_of(helper);

	if (l.op == OP_NARROW && n > 1)
		n = 2;
	for (unsigned i = 0; i < n && under; i++)
		small |= tiny(r, wide, i);
	if (l.op == OP_OTHER || !(small || (over && flags & MX_OE)))
		return small ? flags | MX_UE : flags;
	flags &= ~(u32)(MX_UE | MX_PE);
	for (unsigned i = 0; i < n; i++) {
		union x86_xmm a, b, t;
		u32 own;

		lane(&l, n, wide, i, x, y, &a, &b);
		t = a;
		x86_helpers[l.scalar].fn(&c->cpu, (uintptr_t)&t, (uintptr_t)&b, 0, 0);
		own = sse_take_flags(c);
		if (under && tiny(&t, wide, 0))
			own |= MX_UE;
		if (((under && own & MX_UE) || (over && own & MX_OE)) && own & MX_PE &&
		    !inexact(c, l.op, wide, &a, &b))
			own &= ~(u32)MX_PE;
		flags |= own & (MX_UE | MX_PE);
	}
	return flags;
}

/* A vector operation whose destination changes only when it signals nothing unmasked. */
u64 x86_h_sse_checked(struct cpu *cpu, u64 a, u64 b, u64 cc, u64 imm)
{
	struct x86_cpu *c = X86(cpu);
	union x86_xmm x = *VX(a), y = *VX(b), r = x;
	unsigned helper = imm & 0xffff, imm8 = imm >> 16 & 0xff, kind = imm >> 24 & 0xff;
	u32 flags;

	/* the products may signal before the sums */
	if (helper == XH_dpps || helper == XH_dppd) {
		union x86_xmm p = x, q = y;

		for (unsigned i = 0; i < 4; i++)
			if (!(imm8 >> (4 + (helper == XH_dpps ? i : i / 2)) & 1))
				p.d[i] = q.d[i] = 0;
		x86_h_sse_checked(cpu, (uintptr_t)&p, (uintptr_t)&q, 0,
				  helper == XH_dpps ? XH_mulps | FR_PS << 24 :
						      XH_mulpd | FR_PD << 24);
	}
	x86_helpers[helper].fn(cpu, (uintptr_t)&r, (uintptr_t)&y, 0, imm8);
	flags = sse_take_flags(c);
	if ((~c->mxcsr >> MX_MASK_SHIFT) & (MX_OE | MX_UE))
		flags = unbounded(c, helper, kind, &x, &y, &r, flags);
	signal(c, flags);
	*VX(a) = r;
	return 0;
}
