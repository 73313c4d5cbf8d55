/* SPDX-License-Identifier: GPL-2.0-or-later */
/* int_bit.c - emitters: shifts, rotates, bit tests, bit scans, BMI1, BMI2, ADX, MOVBE, CRC32. Intel
 * SDM vol. 2. */
#include "decode.h"
#include "helpers.h"
#include "cpuid.h"

#define OP0  (&t->in->op[0])
#define OP1_ (&t->in->op[1])
#define OP2_ (&t->in->op[2])

static void shift(struct x86_tr *t, enum ir_opcode op)
{
	ref n = x86_get(t, OP1_), v = x86_get_rmw(t, OP0);

	x86_alu(t, op, OP0, v, n);
}

EMIT(rol) { shift(t, IR_ROL); }
EMIT(ror) { shift(t, IR_ROR); }
EMIT(rcl) { shift(t, IR_RCL); }
EMIT(rcr) { shift(t, IR_RCR); }
EMIT(shl) { shift(t, IR_SHL); }
EMIT(shr) { shift(t, IR_SHR); }
EMIT(sar) { shift(t, IR_SAR); }

static void double_shift(struct x86_tr *t, enum ir_opcode op)
{
	enum ir_type type = x86_type(OP0->size);
	ref n = x86_get(t, OP2_), b = x86_get(t, OP1_), a = x86_get_rmw(t, OP0), r;
	bool whole = OP0->kind == OPK_REG && OP0->size >= 4;

	r = whole ? x86_gpr(OP0->reg) : ir_temp(t->ir);
	ir_binf(t->ir, op, type, r, a, b);
	t->ir->op[t->ir->nops - 1].c = n;
	if (!whole)
		x86_put_rmw(t, OP0, r);
}

EMIT(shld) { double_shift(t, IR_SHLD); }
EMIT(shrd) { double_shift(t, IR_SHRD); }

/* --- BT BTS BTR BTC. With a register as index and memory as operand, the index is signed and not
 * cut: it selects the word as well. */

static struct x86_addr bit_word(struct x86_tr *t, bool write)
{
	unsigned size = OP0->size, shift = size == 2 ? 4 : size == 4 ? 5 : 6;
	ref i, ea;

	if (OP1_->kind == OPK_IMM)
		return x86_addr(t, size, write);
	i = x86_gpr(OP1_->reg);
	if (size < 8)
		i = ir_un(t->ir, size == 2 ? IR_SEXT16 : IR_SEXT32, I64, i);
	i = ir_bin(t->ir, IR_SAR, I64, i, ir_const(t->ir, shift));
	ea = x86_ea(t);
	ea = ir_lea(t->ir, I64, ea, i, shift - 3, 0);
	return x86_addr_at(t, t->in->seg, ea, size, write);
}

static void bit_locked(struct x86_tr *t, enum ir_opcode op, const struct x86_addr *word, ref bit)
{
	static const u8 rmw[] = { [IR_BTS - IR_BT] = IR_RMW_OR,
				  [IR_BTR - IR_BT] = IR_RMW_AND,
				  [IR_BTC - IR_BT] = IR_RMW_XOR };
	enum ir_type type = x86_type(OP0->size);
	unsigned bits = 8u * OP0->size;
	struct x86_addr a = *word;
	ref m, old;

	m = ir_bin(t->ir, IR_AND, I32, bit, ir_const(t->ir, bits - 1));
	m = ir_bin(t->ir, IR_SHL, I64, ir_const(t->ir, 1), m);
	if (op == IR_BTR)
		m = ir_un(t->ir, IR_NOT, I64, m);
	x86_single_base(t, &a);
	old = ir_rmw(t->ir, type, rmw[op - IR_BT], a.base, a.disp, a.mem, m);
	ir_binf(t->ir, IR_BT, type, 0, old, bit);
}

static void bit_test(struct x86_tr *t, enum ir_opcode op)
{
	enum ir_type type = x86_type(OP0->size);
	bool write = op != IR_BT;
	ref bit = x86_get(t, OP1_), v;

	if (OP0->kind != OPK_MEM) {
		if (write)
			x86_alu(t, op, OP0, x86_get(t, OP0), bit);
		else
			ir_binf(t->ir, op, type, 0, x86_gpr(OP0->reg), bit);
		return;
	}
	t->rmw = bit_word(t, write);
	if (t->in->lock) {
		bit_locked(t, op, &t->rmw, bit);
		return;
	}
	v = x86_load_at(t, &t->rmw, type, 0, write ? IR_WILLWRITE : 0);
	if (write)
		x86_alu(t, op, OP0, v, bit);
	else
		ir_binf(t->ir, op, type, 0, v, bit);
}

EMIT(bt) { bit_test(t, IR_BT); }
EMIT(bts) { bit_test(t, IR_BTS); }
EMIT(btr) { bit_test(t, IR_BTR); }
EMIT(btc) { bit_test(t, IR_BTC); }

/* --- scans and counts */

/* Zero as source leaves the destination as it was, the upper half too: hence the scan of 32 bits is
 * one of 64. */
static void scan(struct x86_tr *t, enum ir_opcode op)
{
	ref src = x86_get(t, OP1_);

	if (OP0->size == 4) {
		if (OP1_->kind == OPK_REG)
			src = ir_un(t->ir, IR_ZEXT32, I64, src);
		ir_binf(t->ir, op, I64, x86_gpr(OP0->reg), src, x86_gpr(OP0->reg));
		return;
	}
	x86_alu(t, op, OP0, src, x86_gpr(OP0->reg));
}

static void count(struct x86_tr *t, enum ir_opcode op)
{
	ref src = x86_get(t, OP1_);

	x86_alu(t, op, OP0, src, 0);
}

EMIT(bsf) { scan(t, IR_BSF); }
EMIT(bsr) { scan(t, IR_BSR); }
EMIT(popcnt) { count(t, IR_POPCNT); }

/* CPUs without the feature ignore the prefix. */
EMIT(tzcnt)
{
	if (x86_has(t->cpu, X86F_BMI1))
		count(t, IR_CTZ);
	else
		scan(t, IR_BSF);
}

EMIT(lzcnt)
{
	if (x86_has(t->cpu, X86F_ABM))
		count(t, IR_CLZ);
	else
		scan(t, IR_BSR);
}

EMIT(bswap)
{
	ref r = x86_gpr(OP0->reg);

	/* 16 bits: undefined; processors clear them */
	if (OP0->size == 2)
		ir_emit(t->ir, IR_INS16, I64, r, r, ir_const(t->ir, 0));
	else
		ir_emit(t->ir, IR_BSWAP, x86_type(OP0->size), r, r, 0);
}

EMIT(movbe)
{
	ref v = x86_get(t, OP1_);

	v = ir_un(t->ir, IR_BSWAP, x86_type(OP0->size), v);
	x86_put(t, OP0, v);
}

EMIT(crc32)
{
	enum ir_type type = x86_type(OP1_->size);
	ref v = x86_get(t, OP1_), r = ir_temp(t->ir);

	ir_emit(t->ir, IR_CRC32, type, r, x86_gpr(OP0->reg), v);
	ir_copy(t->ir, I32, x86_gpr(OP0->reg), r);
}

/* --- ADX: one flag is carry in and out, the others stay. The sum with its carry is made from two
 * additions without flags. */

static void add_chain(struct x86_tr *t, enum ir_cond cc, u16 flag)
{
	enum ir_type type = x86_type(OP0->size);
	ref src = x86_get(t, OP1_), dst = x86_gpr(OP0->reg), c, s, r, c1, c2, f = ir_temp(t->ir);

	c = ir_setcc(t->ir, cc);
	s = ir_bin(t->ir, IR_ADD, type, dst, src);
	c1 = ir_setc(t->ir, type, CC_B, s, src);
	r = ir_bin(t->ir, IR_ADD, type, s, c);
	c2 = ir_setc(t->ir, type, CC_B, r, s);
	c1 = ir_bin(t->ir, IR_OR, I32, c1, c2);
	ir_emit(t->ir, IR_GETF, I16, f, 0, 0);
	f = ir_bin(t->ir, IR_AND, I32, f, ir_const(t->ir, (u16)~flag));
	if (flag == HF_C)
		c1 = ir_bin(t->ir, IR_SHL, I32, c1, ir_const(t->ir, 8));
	f = ir_bin(t->ir, IR_OR, I32, f, c1);
	ir_emit(t->ir, IR_PUTF, I16, 0, f, 0);
	ir_copy(t->ir, type, dst, r);
}

EMIT(adcx) { add_chain(t, CC_B, HF_C); }
EMIT(adox) { add_chain(t, CC_O, HF_O); }

/* --- BMI1, BMI2 (VEX): destination, then sources in the order of the operand codes */

EMIT(andn)
{
	ref b = x86_get(t, OP2_);

	x86_alu(t, IR_ANDN, OP0, x86_gpr(OP1_->reg), b);
}

/* Zero, sign from the result; carry as given by `carry` (a value whose bit 0 it is), overflow 0. */
static void result_carry(struct x86_tr *t, ref r, ref carry)
{
	enum ir_type type = x86_type(OP0->size);

	ir_binf(t->ir, IR_OR, type, x86_gpr(OP0->reg), r, r);
	ir_binf(t->ir, IR_BT, I32, 0, carry, ir_const(t->ir, 0));
}

EMIT(blsr)
{
	enum ir_type type = x86_type(OP0->size);
	ref v = x86_get_copy(t, OP1_), zero = ir_setc(t->ir, type, CC_E, v, ir_const(t->ir, 0)), r;

	r = ir_bin(t->ir, IR_SUB, type, v, ir_const(t->ir, 1));
	r = ir_bin(t->ir, IR_AND, type, r, v);
	result_carry(t, r, zero);
}

EMIT(blsmsk)
{
	enum ir_type type = x86_type(OP0->size);
	ref v = x86_get_copy(t, OP1_), zero = ir_setc(t->ir, type, CC_E, v, ir_const(t->ir, 0)), r;

	r = ir_bin(t->ir, IR_SUB, type, v, ir_const(t->ir, 1));
	r = ir_bin(t->ir, IR_XOR, type, r, v);
	result_carry(t, r, zero);
}

EMIT(blsi)
{
	enum ir_type type = x86_type(OP0->size);
	ref v = x86_get_copy(t, OP1_), some = ir_setc(t->ir, type, CC_NE, v, ir_const(t->ir, 0)), r;

	r = ir_un(t->ir, IR_NEG, type, v);
	r = ir_bin(t->ir, IR_AND, type, r, v);
	result_carry(t, r, some);
}

/* n zero-extended to 64 bits from its low byte; all ones in the low n bits, where n may be 64 and
 * more. */
static ref low_mask(struct x86_tr *t, ref n)
{
	ref one = ir_const(t->ir, 1), big, m, r = ir_temp(t->ir), ones = ir_const(t->ir, ~0ull);

	big = ir_setc(t->ir, I64, CC_A, n, ir_const(t->ir, 63));
	big = ir_un(t->ir, IR_ZEXT8, I64, big);
	m = ir_bin(t->ir, IR_SHL, I64, one, n);
	m = ir_bin(t->ir, IR_SUB, I64, m, one);
	ir_emit(t->ir, IR_SEL, I64, r, ones, m)->c = big;
	return r;
}

EMIT(bextr)
{
	enum ir_type type = x86_type(OP0->size);
	ref src = x86_get(t, OP1_), ctl = x86_gpr(OP2_->reg), start, len, far, v,
	    zero = ir_const(t->ir, 0), r = ir_temp(t->ir);

	if (type == I32)
		src = ir_un(t->ir, IR_ZEXT32, I64, src);
	start = ir_un(t->ir, IR_ZEXT8, I64, ctl);
	len = ir_un(t->ir, IR_EXT8H, I64, ctl);
	far = ir_setc(t->ir, I64, CC_A, start, ir_const(t->ir, 63));
	far = ir_un(t->ir, IR_ZEXT8, I64, far);
	v = ir_bin(t->ir, IR_SHR, I64, src, start);
	ir_emit(t->ir, IR_SEL, I64, r, zero, v)->c = far;
	v = low_mask(t, len);
	x86_alu(t, IR_AND, OP0, r, v);
}

EMIT(bzhi)
{
	enum ir_type type = x86_type(OP0->size);
	ref src = x86_get_copy(t, OP1_), n, over, m;

	n = ir_un(t->ir, IR_ZEXT8, I64, x86_gpr(OP2_->reg));
	over = ir_setc(t->ir, I64, CC_A, n, ir_const(t->ir, 8u * OP0->size - 1));
	m = low_mask(t, n);
	m = ir_bin(t->ir, IR_AND, type, src, m);
	result_carry(t, m, over);
}

static void three(struct x86_tr *t, enum ir_opcode op)
{
	ref b = x86_get(t, OP2_);

	ir_emit(t->ir, op, x86_type(OP0->size), x86_gpr(OP0->reg), x86_gpr(OP1_->reg), b);
}

EMIT(pext) { three(t, IR_PEXT); }
EMIT(pdep) { three(t, IR_PDEP); }

/* High half to operand 0, low half to operand 1; the same register gets the high one. */
EMIT(mulx)
{
	enum ir_type type = x86_type(OP0->size);
	ref b = x86_get(t, OP2_), lo = ir_temp(t->ir), hi = ir_temp(t->ir);

	ir_emit(t->ir, IR_MULU2, type, lo, x86_gpr(R_DX), b)->aux = hi;
	ir_copy(t->ir, type, x86_gpr(OP1_->reg), lo);
	ir_copy(t->ir, type, x86_gpr(OP0->reg), hi);
}

static void shift_plain(struct x86_tr *t, enum ir_opcode op)
{
	ref v = x86_get(t, OP1_), n = x86_get(t, OP2_);

	ir_emit(t->ir, op, x86_type(OP0->size), x86_gpr(OP0->reg), v, n);
}

EMIT(shlx) { shift_plain(t, IR_SHL); }
EMIT(shrx) { shift_plain(t, IR_SHR); }
EMIT(sarx) { shift_plain(t, IR_SAR); }
EMIT(rorx) { shift_plain(t, IR_ROR); }
