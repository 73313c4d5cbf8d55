/* SPDX-License-Identifier: GPL-2.0-or-later */
/* f80.c - x87 arithmetic by the host's own x87. Between f80_enter and f80_leave the host's control
 * word has the guest's rounding and precision with all exceptions masked, so that the usual case
 * costs nothing extra. With unmasked ones, the operation runs under the guest's true control word:
 * it then behaves natively, and FNCLEX disarms the exception before any waiting instruction could
 * deliver it to us. */
#include "f80.h"

#if !defined(__x86_64__) && !defined(__i386__)
#error "f80.c needs an x86 host: for others, implement the functions of f80.h in software"
#endif

static inline bool all_masked(const struct f80_ctx *x) { return (x->cw & F80_EXC) == F80_EXC; }

#define ST_CLOBBER \
	"st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "cc", "memory"

/* op: loads operands and operates; out: takes results off the stack. */
#define RUN(x, op, out, ...) \
	do { \
		u16 sw_, cw_ = (x)->cw, host_ = (x)->cw | F80_EXC; \
		if (all_masked(x)) \
			__asm__ volatile(op "\n\tfnstsw %%ax\n\t" out \
					 : "=&a"(sw_) \
					 : [cw] "m"(cw_), [host] "m"(host_), ##__VA_ARGS__ \
					 : ST_CLOBBER); \
		else \
			__asm__ volatile("fninit\n\tfldcw %[cw]\n\t" op \
					 "\n\tfnstsw %%ax\n\tfnclex\n\t" out \
					 "\n\tfninit\n\tfldcw %[host]" \
					 : "=&a"(sw_) \
					 : [cw] "m"(cw_), [host] "m"(host_), ##__VA_ARGS__ \
					 : ST_CLOBBER); \
		(x)->sw = sw_; \
	} while (0)

/* Operands are addressed through registers: with "memory" clobbered, gcc need not know their sizes.
 */
#define A    [a] "r"(a)
#define B    [b] "r"(operand)
#define DROP "\n\tfstp %%st(0)"

#define ARITH(n, name) \
	case n: \
		switch (kind) { \
		case F80_F32: \
			RUN(x, "fldt (%[a])\n\tf" name "s (%[b])", "fstpt (%[a])", A, B); \
			break; \
		case F80_F64: \
			RUN(x, "fldt (%[a])\n\tf" name "l (%[b])", "fstpt (%[a])", A, B); \
			break; \
		case F80_I16: \
			RUN(x, "fldt (%[a])\n\tfi" name "s (%[b])", "fstpt (%[a])", A, B); \
			break; \
		case F80_I32: \
			RUN(x, "fldt (%[a])\n\tfi" name "l (%[b])", "fstpt (%[a])", A, B); \
			break; \
		default: \
			RUN(x, "fldt (%[b])\n\tfldt (%[a])\n\tf" name " %%st(1), %%st", \
			    "fstpt (%[a])" DROP, A, B); \
			break; \
		} \
		break;

void f80_arith(struct f80_ctx *x, unsigned op, struct x86_f80 *a, enum f80_kind kind,
	       const void *operand)
{
	switch (op) {
		ARITH(0, "add")
		ARITH(1, "mul")
		ARITH(4, "sub")
		ARITH(5, "subr")
		ARITH(6, "div")
		ARITH(7, "divr")
	default:
		__builtin_unreachable();
	}
}

void f80_compare(struct f80_ctx *x, const struct x86_f80 *a, enum f80_kind kind,
		 const void *operand, bool quiet)
{
	switch (kind) {
	case F80_F32:
		RUN(x, "fldt (%[a])\n\tfcomps (%[b])", "", A, B);
		break;
	case F80_F64:
		RUN(x, "fldt (%[a])\n\tfcompl (%[b])", "", A, B);
		break;
	case F80_I16:
		RUN(x, "fldt (%[a])\n\tficomps (%[b])", "", A, B);
		break;
	case F80_I32:
		RUN(x, "fldt (%[a])\n\tficompl (%[b])", "", A, B);
		break;
	default:
		if (quiet)
			RUN(x, "fldt (%[b])\n\tfldt (%[a])\n\tfucompp", "", A, B);
		else
			RUN(x, "fldt (%[b])\n\tfldt (%[a])\n\tfcompp", "", A, B);
	}
}

bool f80_load(struct f80_ctx *x, struct x86_f80 *a, enum f80_kind kind, const void *operand)
{
	switch (kind) {
	case F80_F32:
		RUN(x, "flds (%[b])", "fstpt (%[a])", A, B);
		break;
	case F80_F64:
		RUN(x, "fldl (%[b])", "fstpt (%[a])", A, B);
		break;
	case F80_I16:
		RUN(x, "filds (%[b])", "fstpt (%[a])", A, B);
		break;
	case F80_I32:
		RUN(x, "fildl (%[b])", "fstpt (%[a])", A, B);
		break;
	case F80_I64:
		RUN(x, "fildll (%[b])", "fstpt (%[a])", A, B);
		break;
	case F80_BCD:
		RUN(x, "fbld (%[b])", "fstpt (%[a])", A, B);
		break;
	default:
		memcpy(a, operand, 10);
		x->sw = 0;
		return true;
	}
	return x->sw & F80_TOP; /* was it pushed? */
}

void f80_store(struct f80_ctx *x, const struct x86_f80 *a, enum f80_kind kind, bool truncate,
	       void *operand)
{
	switch (kind) {
	case F80_F32:
		RUN(x, "fldt (%[a])\n\tfstps (%[b])", "", A, B);
		break;
	case F80_F64:
		RUN(x, "fldt (%[a])\n\tfstpl (%[b])", "", A, B);
		break;
	case F80_I16:
		if (truncate)
			RUN(x, "fldt (%[a])\n\tfisttps (%[b])", "", A, B);
		else
			RUN(x, "fldt (%[a])\n\tfistps (%[b])", "", A, B);
		break;
	case F80_I32:
		if (truncate)
			RUN(x, "fldt (%[a])\n\tfisttpl (%[b])", "", A, B);
		else
			RUN(x, "fldt (%[a])\n\tfistpl (%[b])", "", A, B);
		break;
	case F80_I64:
		if (truncate)
			RUN(x, "fldt (%[a])\n\tfisttpll (%[b])", "", A, B);
		else
			RUN(x, "fldt (%[a])\n\tfistpll (%[b])", "", A, B);
		break;
	case F80_BCD:
		RUN(x, "fldt (%[a])\n\tfbstp (%[b])", "", A, B);
		break;
	default:
		memcpy(operand, a, 10);
		x->sw = 0;
	}
}

void f80_const(struct f80_ctx *x, unsigned n, struct x86_f80 *a)
{
	switch (n) {
	case 0:
		RUN(x, "fld1", "fstpt (%[a])", A);
		break;
	case 1:
		RUN(x, "fldl2t", "fstpt (%[a])", A);
		break;
	case 2:
		RUN(x, "fldl2e", "fstpt (%[a])", A);
		break;
	case 3:
		RUN(x, "fldpi", "fstpt (%[a])", A);
		break;
	case 4:
		RUN(x, "fldlg2", "fstpt (%[a])", A);
		break;
	case 5:
		RUN(x, "fldln2", "fstpt (%[a])", A);
		break;
	default:
		RUN(x, "fldz", "fstpt (%[a])", A);
	}
}

void f80_unary(struct f80_ctx *x, enum f80_unary fn, struct x86_f80 *a)
{
	switch (fn) {
	case F80_SQRT:
		RUN(x, "fldt (%[a])\n\tfsqrt", "fstpt (%[a])", A);
		break;
	case F80_RNDINT:
		RUN(x, "fldt (%[a])\n\tfrndint", "fstpt (%[a])", A);
		break;
	case F80_2XM1:
		RUN(x, "fldt (%[a])\n\tf2xm1", "fstpt (%[a])", A);
		break;
	case F80_SIN:
		RUN(x, "fldt (%[a])\n\tfsin", "fstpt (%[a])", A);
		break;
	case F80_COS:
		RUN(x, "fldt (%[a])\n\tfcos", "fstpt (%[a])", A);
		break;
	case F80_TST:
		RUN(x, "fldt (%[a])\n\tftst", "fstpt (%[a])", A);
		break;
	case F80_XAM:
		RUN(x, "fldt (%[a])\n\tfxam", "fstpt (%[a])", A);
		break;
	}
}

void f80_binary(struct f80_ctx *x, enum f80_binary fn, struct x86_f80 *a, struct x86_f80 *operand)
{
	switch (fn) {
	case F80_SCALE:
		RUN(x, "fldt (%[b])\n\tfldt (%[a])\n\tfscale", "fstpt (%[a])" DROP, A, B);
		break;
	case F80_PREM:
		RUN(x, "fldt (%[b])\n\tfldt (%[a])\n\tfprem", "fstpt (%[a])" DROP, A, B);
		break;
	case F80_PREM1:
		RUN(x, "fldt (%[b])\n\tfldt (%[a])\n\tfprem1", "fstpt (%[a])" DROP, A, B);
		break;
	case F80_YL2X:
		RUN(x, "fldt (%[b])\n\tfldt (%[a])\n\tfyl2x", "fstpt (%[b])", A, B);
		break;
	case F80_YL2XP1:
		RUN(x, "fldt (%[b])\n\tfldt (%[a])\n\tfyl2xp1", "fstpt (%[b])", A, B);
		break;
	case F80_PATAN:
		RUN(x, "fldt (%[b])\n\tfldt (%[a])\n\tfpatan", "fstpt (%[b])", A, B);
		break;
	}
}

void f80_split(struct f80_ctx *x, enum f80_split fn, struct x86_f80 *a, struct x86_f80 *operand)
{
	switch (fn) {
	case F80_TAN:
		RUN(x, "fldt (%[a])\n\tfptan",
		    "testl $0x400, %%eax\n\tjnz 1f\n\tfstpt (%[b])\n1:\tfstpt (%[a])", A, B);
		break;
	case F80_SINCOS:
		RUN(x, "fldt (%[a])\n\tfsincos",
		    "testl $0x400, %%eax\n\tjnz 1f\n\tfstpt (%[b])\n1:\tfstpt (%[a])", A, B);
		break;
	case F80_XTRACT:
		RUN(x, "fldt (%[a])\n\tfxtract", "fstpt (%[b])\n\tfstpt (%[a])", A, B);
		break;
	}
}

void f80_enter(u16 cw)
{
	cw |= F80_EXC;
	__asm__ volatile("fnclex\n\tfldcw %0" : : "m"(cw));
}

void f80_leave(void)
{
	static const u16 host = 0x37f;

	__asm__ volatile("fnclex\n\tfldcw %0" : : "m"(host));
}

void f80_clear(void) { __asm__ volatile("fnclex"); }
