/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify.c - checks the rules of ir.h on a finished unit, and prints units as text. */
#include "ir.h"
#include <stdarg.h>
#include <stdio.h>

static char message[160];

static const char *bad(u32 i, const struct ir_op *o, const char *what)
{
	snprintf(message, sizeof(message), "op %u (%s): %s", i,
		 o->op < IR_NOPS ? ir_opinfo[o->op].name : "?", what);
	return message;
}

struct check {
	u8 defined[1 << 14]; /* temporaries */
	s32 label_at[1 << 12];
};

static const char *operand(const struct check *k, const struct ir *ir, u32 i, const struct ir_op *o,
			   ref r)
{
	switch (REF_KIND(r)) {
	case REF_TEMP:
		if (REF_INDEX(r) >= ir->ntemps)
			return bad(i, o, "temporary out of range");
		return k->defined[REF_INDEX(r)] ?
			       NULL :
			       bad(i, o, "temporary used before it is defined, or across a label");
	case REF_CONST:
		return REF_INDEX(r) < ir->nconsts ? NULL : bad(i, o, "constant out of range");
	default:
		return NULL;
	}
}

static const char *result(struct check *k, const struct ir *ir, u32 i, const struct ir_op *o, ref r)
{
	bool narrow_ok = o->op == IR_LOAD || o->op == IR_CALL || o->op == IR_SETCC ||
			 o->op == IR_INS8 || o->op == IR_INS8H || o->op == IR_INS16 ||
			 o->op == IR_GETF;

	if (REF_KIND(r) == REF_CONST)
		return bad(i, o, "result is a constant");
	if (REF_KIND(r) == REF_TEMP) {
		if (REF_INDEX(r) >= ir->ntemps)
			return bad(i, o, "temporary out of range");
		if (k->defined[REF_INDEX(r)])
			return bad(i, o, "temporary assigned twice");
		k->defined[REF_INDEX(r)] = 1;
	} else if (r && o->type < I32 && ir->slots[REF_INDEX(r)].type > o->type && !narrow_ok) {
		return bad(i, o, "narrow result written to a slot: use INS");
	}
	return NULL;
}

static const char *check_op(struct check *k, const struct ir *ir, u32 i)
{
	const struct ir_op *o = &ir->op[i];
	const struct ir_opinfo *info;
	const ref args[3] = { o->a, o->b, o->c };
	const char *e;

	if (o->op >= IR_NOPS)
		return bad(i, o, "no such operation");
	info = &ir_opinfo[o->op];
	for (unsigned n = 0; n < 3; n++) {
		if (n >= info->args && args[n])
			return bad(i, o, "has more operands than it takes");
		e = operand(k, ir, i, o, args[n]);
		if (e)
			return e;
	}
	if (o->op == IR_MOV && !o->dst)
		return NULL;
	if (!info->results && o->dst)
		return bad(i, o, "has no result");
	e = o->dst ? result(k, ir, i, o, o->dst) : NULL;
	if (!e && info->results == 2 && o->aux)
		e = result(k, ir, i, o, (ref)o->aux);
	if (e)
		return e;
	if ((o->op == IR_GOTO || o->op == IR_EXITCC || o->op == IR_CALLHINT) && !ir_is_const(o->a))
		return bad(i, o, "target is not a constant");
	if ((info->props & F_END) && i + 1 != ir->nops)
		return bad(i, o, "ends the unit before its end");
	if (o->op == IR_LABEL)
		memset(k->defined, 0, ir->ntemps);
	return NULL;
}

static const char *check_labels(struct check *k, const struct ir *ir)
{
	if (ir->nlabels > ARRAY_SIZE(k->label_at))
		return "too many labels";
	for (u32 i = 0; i < ir->nlabels; i++)
		k->label_at[i] = -1;
	for (u32 i = 0; i < ir->nops; i++) {
		const struct ir_op *o = &ir->op[i];

		if (o->op != IR_LABEL && o->op != IR_BR && o->op != IR_BRCC && o->op != IR_BRNZ &&
		    o->op != IR_BRZ)
			continue;
		if (o->imm < 0 || (u32)o->imm >= ir->nlabels)
			return bad(i, o, "label out of range");
		if (k->label_at[o->imm] >= 0)
			return bad(i, o,
				   o->op == IR_LABEL ? "label placed twice" :
						       "branch is not forward");
		if (o->op == IR_LABEL)
			k->label_at[o->imm] = (s32)i;
	}
	for (u32 i = 0; i < ir->nops; i++) {
		const struct ir_op *o = &ir->op[i];

		if ((o->op == IR_BR || o->op == IR_BRCC || o->op == IR_BRNZ || o->op == IR_BRZ) &&
		    k->label_at[o->imm] < 0)
			return bad(i, o, "label is never placed");
	}
	return NULL;
}

const char *ir_verify(const struct ir *ir)
{
	static __thread struct check k;
	const char *e = check_labels(&k, ir);

	memset(k.defined, 0, sizeof(k.defined));
	for (u32 i = 0; !e && i < ir->nops; i++)
		e = check_op(&k, ir, i);
	if (!e && (!ir->nops || !(ir_opinfo[ir->op[ir->nops - 1].op].props & F_END)))
		e = "the unit does not end";
	return e;
}

static int print_ref(const struct ir *ir, char *at, size_t size, ref r)
{
	switch (REF_KIND(r)) {
	case REF_TEMP:
		return snprintf(at, size, "t%u", REF_INDEX(r));
	case REF_SLOT:
		return snprintf(at, size, "%s", ir->slots[REF_INDEX(r)].name);
	case REF_CONST:
		return snprintf(at, size, "%#llx", (unsigned long long)ir_const_value(ir, r));
	default:
		return snprintf(at, size, "-");
	}
}

static void print_op(const struct ir *ir, const struct ir_op *o, char *buf, size_t size)
{
	static const char *const types[] = { "i8", "i16", "i32", "i64", "v128" };
	const struct ir_opinfo *info = &ir_opinfo[o->op];
	const ref args[3] = { o->a, o->b, o->c };
	size_t n = 0;

#define OUT(...) \
	(n += (size_t)snprintf(buf + n, n < size ? size - n : 0, __VA_ARGS__), n = MIN(n, size - 1))
	OUT("  ");
	if (o->dst) {
		n += (size_t)print_ref(ir, buf + n, size - n, o->dst);
		if (info->results == 2 && o->aux) {
			OUT(", ");
			n += (size_t)print_ref(ir, buf + n, size - n, (ref)o->aux);
		}
		OUT(" = ");
	}
	OUT("%s.%s", info->name, types[o->type]);
	if (o->op == IR_CALL)
		OUT(" %s", ir->helpers[o->aux].name);
	for (unsigned i = 0; i < info->args; i++) {
		OUT(i ? ", " : " ");
		n += (size_t)print_ref(ir, buf + n, size - n, args[i]);
	}
	if (o->imm || o->op == IR_LABEL || o->op == IR_BR)
		OUT(" imm=%#x", (unsigned)o->imm);
	if (info->results != 2 && o->op != IR_CALL && o->aux)
		OUT(" aux=%#x", o->aux);
	if (o->op == IR_LEA && o->scale)
		OUT(" scale=%u", o->scale);
	if (o->flags & IR_F)
		OUT(o->flags & IR_FDEAD ? " (f)" : " F");
#undef OUT
}

void ir_print(const struct ir *ir, void (*line)(void *arg, const char *text), void *arg)
{
	char buf[256];

	for (u32 i = 0; i < ir->nops; i++) {
		const struct ir_op *o = &ir->op[i];

		if (o->op == IR_MOV && !o->dst)
			continue;
		if (o->op == IR_INSN)
			snprintf(buf, sizeof(buf),
				 "%#llx:", (unsigned long long)ir->insn[o->imm].pc);
		else
			print_op(ir, o, buf, sizeof(buf));
		line(arg, buf);
	}
}
