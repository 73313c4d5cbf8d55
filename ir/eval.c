/* SPDX-License-Identifier: GPL-2.0-or-later */
/* eval.c - what each integer operation computes: the reference semantics of values and flags. Flags
 * follow the x86 definitions (Intel SDM vol. 2); where those leave a flag undefined, the value here
 * is as good as any and nothing may depend on it. */
#include "ir.h"

static u64 mask_of(enum ir_type t) { return t >= I64 ? ~0ull : (1ull << (8u << t)) - 1; }

static unsigned bits_of(enum ir_type t) { return 8u << t; }

static s64 sext(u64 v, enum ir_type t)
{
	unsigned sh = 64 - bits_of(t);

	return (s64)(v << sh) >> sh;
}

static u16 szp(u64 r, enum ir_type t)
{
	r &= mask_of(t);
	return (u16)((r == 0 ? HF_Z : 0) | (r >> (bits_of(t) - 1) & 1 ? HF_S : 0) |
		     (__builtin_parity((u8)r) ? 0 : HF_P));
}

bool ir_cond_holds(enum ir_cond cc, u16 f)
{
	bool s = f & HF_S, o = f & HF_O, r;

	switch (cc >> 1) {
	case 0:
		r = o;
		break;
	case 1:
		r = f & HF_C;
		break;
	case 2:
		r = f & HF_Z;
		break;
	case 3:
		r = f & (HF_C | HF_Z);
		break;
	case 4:
		r = s;
		break;
	case 5:
		r = f & HF_P;
		break;
	case 6:
		r = s != o;
		break;
	default:
		r = (f & HF_Z) || s != o;
		break;
	}
	return r != (cc & 1);
}

/* a + b + carry */
static void add(enum ir_type t, struct ir_eval *e, u64 b, bool carry)
{
	u64 m = mask_of(t), top = 1ull << (bits_of(t) - 1), r = (e->a + b + carry) & m,
	    a = e->a & m;
	u64 carries = (a & b) | ((a | b) & ~r);

	e->flags = szp(r, t) | (carries & top ? HF_C : 0) | (carries & 8 ? HF_A : 0) |
		   ((a ^ r) & (b ^ r) & top ? HF_O : 0);
	e->lo = r;
}

static void sub(enum ir_type t, struct ir_eval *e, u64 a, u64 b, bool borrow)
{
	u64 m = mask_of(t), top = 1ull << (bits_of(t) - 1), r;
	u64 borrows;

	a &= m;
	b &= m;
	r = (a - b - borrow) & m;
	borrows = (~a & b) | (~(a ^ b) & r);
	e->flags = szp(r, t) | (borrows & top ? HF_C : 0) | (borrows & 8 ? HF_A : 0) |
		   ((a ^ b) & (a ^ r) & top ? HF_O : 0);
	e->lo = r;
}

static void logic(enum ir_type t, struct ir_eval *e, u64 r)
{
	e->lo = r & mask_of(t);
	e->flags = szp(r, t);
}

static void set_co(struct ir_eval *e, bool c, bool o)
{
	e->flags = (u16)((e->flags & ~(HF_C | HF_O)) | (c ? HF_C : 0) | (o ? HF_O : 0));
}

static void shift(enum ir_opcode op, enum ir_type t, struct ir_eval *e)
{
	unsigned n = e->b & (t == I64 ? 63 : 31), w = bits_of(t);
	u64 a = e->a & mask_of(t), r;
	bool c;

	if (!n) {
		e->lo = a;
		return;
	}
	if (op == IR_SHL) {
		r = n < w ? a << n & mask_of(t) : 0;
		c = n <= w && (a >> (w - n) & 1);
	} else if (op == IR_SHR) {
		r = n < w ? a >> n : 0;
		c = n <= w && (a >> (n - 1) & 1);
	} else {
		s64 s = sext(a, t);
		r = (u64)(s >> MIN(n, 63u)) & mask_of(t);
		c = s >> MIN(n - 1, 63u) & 1;
	}
	e->flags = szp(r, t);
	set_co(e, c, op == IR_SHL ? (r >> (w - 1) & 1) != c : op == IR_SHR ? a >> (w - 1) & 1 : 0);
	e->lo = r;
}

static void rotate(enum ir_opcode op, enum ir_type t, struct ir_eval *e)
{
	unsigned n = e->b & (t == I64 ? 63 : 31), w = bits_of(t), k = n % w;
	u64 a = e->a & mask_of(t), r;

	e->lo = a;
	if (!n)
		return;
	if (op == IR_ROR)
		k = (w - k) % w;
	r = k ? (a << k | a >> (w - k)) & mask_of(t) : a;
	if (op == IR_ROL)
		set_co(e, r & 1, (r & 1) != (r >> (w - 1) & 1));
	else
		set_co(e, r >> (w - 1) & 1, (r >> (w - 1) & 1) != (r >> (w - 2) & 1));
	e->lo = r;
}

static void rotate_carry(enum ir_opcode op, enum ir_type t, struct ir_eval *e)
{
	unsigned n = e->b & (t == I64 ? 63 : 31), w = bits_of(t), k = n % (w + 1);
	u64 a = e->a & mask_of(t);
	bool c = e->flags & HF_C, top;

	e->lo = a;
	if (!n)
		return;
	for (unsigned i = 0; i < k; i++) {
		if (op == IR_RCL) {
			top = a >> (w - 1) & 1;
			a = (a << 1 & mask_of(t)) | c;
			c = top;
		} else {
			top = a & 1;
			a = a >> 1 | (u64)c << (w - 1);
			c = top;
		}
	}
	if (op == IR_RCL)
		set_co(e, c, c != (a >> (w - 1) & 1));
	else
		set_co(e, c, (a >> (w - 1) & 1) != (a >> (w - 2) & 1));
	e->lo = a;
}

static void double_shift(enum ir_opcode op, enum ir_type t, struct ir_eval *e)
{
	unsigned n = e->c & (t == I64 ? 63 : 31), w = bits_of(t);
	u64 a = e->a & mask_of(t), b = e->b & mask_of(t), r;
	bool c;

	e->lo = a;
	if (!n)
		return;
	/* 16-bit counts above 16 are undefined; hardware rotates on through a:b:a */
	if (n > w) {
		u64 x = a;
		a = b;
		b = x;
		n -= w;
	}
	if (op == IR_SHLD) {
		r = (n < w ? a << n : 0) | b >> (w - n);
		c = a >> (w - n) & 1;
	} else {
		r = (n < w ? a >> n : 0) | (n == w ? b : b << (w - n));
		c = a >> (n - 1) & 1;
	}
	r &= mask_of(t);
	e->flags = szp(r, t);
	set_co(e, c, (r ^ a) >> (w - 1) & 1);
	e->lo = r;
}

static void multiply(enum ir_opcode op, enum ir_type t, struct ir_eval *e)
{
	unsigned w = bits_of(t);
	bool over;

	if (op == IR_MULU2) {
		u128 p = (u128)(e->a & mask_of(t)) * (e->b & mask_of(t));
		e->lo = (u64)p & mask_of(t);
		e->hi = (u64)(p >> w) & mask_of(t);
		over = e->hi != 0;
	} else {
		__int128 p = (__int128)sext(e->a, t) * sext(e->b, t);
		e->lo = (u64)p & mask_of(t);
		e->hi = (u64)((u128)p >> w) & mask_of(t);
		over = p != sext(e->lo, t);
	}
	e->flags = szp(e->lo, t);
	set_co(e, over, over);
}

static bool divide(enum ir_opcode op, enum ir_type t, struct ir_eval *e)
{
	unsigned w = bits_of(t);

	if (!(e->c & mask_of(t)))
		return false;
	if (op == IR_DIVU2) {
		u128 n = (u128)(e->b & mask_of(t)) << w | (e->a & mask_of(t)),
		     q = n / (e->c & mask_of(t));
		if (q > mask_of(t))
			return false;
		e->lo = (u64)q;
		e->hi = (u64)(n % (e->c & mask_of(t)));
	} else {
		u128 un = (u128)(e->b & mask_of(t)) << w | (e->a & mask_of(t));
		__int128 n = w == 64 ? (__int128)un : (__int128)sext((u64)un, t + 1),
			 d = sext(e->c, t), q;
		if (d == -1 && n == (__int128)((u128)1 << 127))
			return false;
		q = n / d;
		if (q != sext((u64)q & mask_of(t), t))
			return false;
		e->lo = (u64)q & mask_of(t);
		e->hi = (u64)(n % d) & mask_of(t);
	}
	return true;
}

static u64 bits_deposit(u64 a, u64 m)
{
	u64 r = 0;

	for (u64 k = 1; m; k <<= 1) {
		if (a & k)
			r |= m & -m;
		m &= m - 1;
	}
	return r;
}

static u64 bits_extract(u64 a, u64 m)
{
	u64 r = 0;

	for (u64 k = 1; m; k <<= 1) {
		if (a & m & -m)
			r |= k;
		m &= m - 1;
	}
	return r;
}

static u32 crc32c(u32 crc, u64 data, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++) {
		crc ^= (u8)(data >> (8 * i));
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return crc;
}

static void bit_scan(enum ir_opcode op, enum ir_type t, struct ir_eval *e)
{
	u64 a = e->a & mask_of(t);
	unsigned w = bits_of(t);

	switch (op) {
	case IR_CLZ:
		e->lo = a ? (unsigned)__builtin_clzll(a) - (64 - w) : w;
		break;
	case IR_CTZ:
		e->lo = a ? (unsigned)__builtin_ctzll(a) : w;
		break;
	case IR_BSF:
		e->lo = a ? (unsigned)__builtin_ctzll(a) : e->b & mask_of(t);
		e->flags = (u16)((e->flags & ~HF_Z) | (a ? 0 : HF_Z));
		return;
	case IR_BSR:
		e->lo = a ? 63u - (unsigned)__builtin_clzll(a) : e->b & mask_of(t);
		e->flags = (u16)((e->flags & ~HF_Z) | (a ? 0 : HF_Z));
		return;
	default:
		e->lo = (unsigned)__builtin_popcountll(a);
		e->flags = a ? 0 : HF_Z;
		return;
	}
	e->flags = (u16)((a ? 0 : HF_C) | (e->lo ? 0 : HF_Z));
}

static void bit_test(enum ir_opcode op, enum ir_type t, struct ir_eval *e)
{
	unsigned n = e->b & (bits_of(t) - 1);
	u64 a = e->a & mask_of(t), bit = 1ull << n;

	e->flags = (u16)((e->flags & ~HF_C) | (a & bit ? HF_C : 0));
	e->lo = op == IR_BTS ? a | bit : op == IR_BTR ? a & ~bit : op == IR_BTC ? a ^ bit : 0;
}

static void one_more(enum ir_type t, struct ir_eval *e, bool inc)
{
	u16 c = e->flags & HF_C;

	if (inc)
		add(t, e, 1, 0);
	else
		sub(t, e, e->a, 1, 0);
	e->flags = (u16)((e->flags & ~HF_C) | c);
}

bool ir_evaluate(enum ir_opcode op, enum ir_type t, unsigned cond, struct ir_eval *e)
{
	u64 m = mask_of(t), a = e->a, b = e->b;
	u16 saved;

	switch (op) {
	case IR_MOV:
		e->lo = a & m;
		return true;
	case IR_ZEXT8:
		e->lo = (u8)a;
		return true;
	case IR_ZEXT16:
		e->lo = (u16)a;
		return true;
	case IR_ZEXT32:
		e->lo = (u32)a;
		return true;
	case IR_SEXT8:
		e->lo = (u64)(s64)(s8)a & m;
		return true;
	case IR_SEXT16:
		e->lo = (u64)(s64)(s16)a & m;
		return true;
	case IR_SEXT32:
		e->lo = (u64)(s64)(s32)a & m;
		return true;
	case IR_EXT8H:
		e->lo = (u8)(a >> 8);
		return true;
	case IR_INS8:
		e->lo = (a & ~0xffull) | (u8)b;
		return true;
	case IR_INS8H:
		e->lo = (a & ~0xff00ull) | (u64)(u8)b << 8;
		return true;
	case IR_INS16:
		e->lo = (a & ~0xffffull) | (u16)b;
		return true;
	case IR_ADD:
		add(t, e, b & m, 0);
		return true;
	case IR_ADC:
		add(t, e, b & m, e->flags & HF_C);
		return true;
	case IR_SUB:
		sub(t, e, a, b, 0);
		return true;
	case IR_SBB:
		sub(t, e, a, b, e->flags & HF_C);
		return true;
	case IR_AND:
		logic(t, e, a & b);
		return true;
	case IR_OR:
		logic(t, e, a | b);
		return true;
	case IR_XOR:
		logic(t, e, a ^ b);
		return true;
	case IR_ANDN:
		logic(t, e, ~a & b);
		return true;
	case IR_NOT:
		e->lo = ~a & m;
		return true;
	case IR_NEG:
		sub(t, e, 0, a, 0);
		return true;
	case IR_INC:
	case IR_DEC:
		one_more(t, e, op == IR_INC);
		return true;
	case IR_SHL:
	case IR_SHR:
	case IR_SAR:
		shift(op, t, e);
		return true;
	case IR_ROL:
	case IR_ROR:
		rotate(op, t, e);
		return true;
	case IR_RCL:
	case IR_RCR:
		rotate_carry(op, t, e);
		return true;
	case IR_SHLD:
	case IR_SHRD:
		double_shift(op, t, e);
		return true;
	case IR_MUL:
	case IR_MULU2:
	case IR_MULS2:
		multiply(op, t, e);
		return true;
	case IR_DIVU2:
	case IR_DIVS2:
		return divide(op, t, e);
	case IR_BSWAP:
		e->lo = t == I64 ? __builtin_bswap64(a) :
			t == I32 ? __builtin_bswap32((u32)a) :
				   __builtin_bswap16((u16)a);
		return true;
	case IR_CLZ:
	case IR_CTZ:
	case IR_BSF:
	case IR_BSR:
	case IR_POPCNT:
		bit_scan(op, t, e);
		return true;
	case IR_BT:
	case IR_BTS:
	case IR_BTR:
	case IR_BTC:
		bit_test(op, t, e);
		return true;
	case IR_PDEP:
		e->lo = bits_deposit(a & m, b & m);
		return true;
	case IR_PEXT:
		e->lo = bits_extract(a & m, b & m);
		return true;
	case IR_CRC32:
		e->lo = crc32c((u32)a, b, 1u << t);
		return true;
	case IR_SETCC:
		e->lo = ir_cond_holds(cond, e->flags);
		return true;
	case IR_SELCC:
		e->lo = (ir_cond_holds(cond, e->flags) ? a : b) & m;
		return true;
	case IR_GETF:
		e->lo = e->flags;
		return true;
	case IR_PUTF:
		e->flags = (u16)(a & HF_ALL);
		return true;
	case IR_SETC:
		saved = e->flags;
		sub(t, e, a, b, 0);
		e->lo = ir_cond_holds(cond, e->flags);
		e->flags = saved;
		return true;
	case IR_SEL:
		e->lo = (e->c & m ? a : b) & m;
		return true;
	default:
		return false;
	}
}
