/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agent.c - the stack machine of agent expressions (GDB manual, appendix F.2, Bytecode
 * Descriptions). Values are 64 bits wide; operands in the code are big-endian. */
#include "agent.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

enum {
	STACK = 100,
	STEPS = 100000,
	OP_ADD = 0x02,
	OP_SUB,
	OP_MUL,
	OP_DIV_SIGNED,
	OP_DIV_UNSIGNED,
	OP_REM_SIGNED,
	OP_REM_UNSIGNED,
	OP_LSH,
	OP_RSH_SIGNED,
	OP_RSH_UNSIGNED,
	OP_TRACE,
	OP_TRACE_QUICK,
	OP_LOG_NOT,
	OP_AND,
	OP_OR,
	OP_XOR,
	OP_NOT,
	OP_EQUAL,
	OP_LESS_SIGNED,
	OP_LESS_UNSIGNED,
	OP_EXT,
	OP_REF8,
	OP_REF16,
	OP_REF32,
	OP_REF64,
	OP_IF_GOTO = 0x20,
	OP_GOTO,
	OP_CONST8,
	OP_CONST16,
	OP_CONST32,
	OP_CONST64,
	OP_REG,
	OP_END,
	OP_DUP,
	OP_POP,
	OP_ZERO_EXT,
	OP_SWAP,
	OP_PICK = 0x32,
	OP_ROT,
	OP_PRINTF
};

struct eval {
	const struct agent_guest *g;
	const u8 *code;
	size_t n, at;
	u64 stack[STACK];
	unsigned depth;
	int err;
};

static u64 fail(struct eval *e, int err)
{
	if (!e->err)
		e->err = err;
	return 0;
}

static void push(struct eval *e, u64 v)
{
	if (e->depth == STACK)
		fail(e, -EINVAL);
	else
		e->stack[e->depth++] = v;
}

static u64 pop(struct eval *e) { return e->depth ? e->stack[--e->depth] : fail(e, -EINVAL); }

/* A big-endian operand of the code. */
static u64 operand(struct eval *e, unsigned size)
{
	u64 v = 0;

	if (!range_fits(e->at, size, e->n))
		return fail(e, -EINVAL);
	while (size--)
		v = v << 8 | e->code[e->at++];
	return v;
}

static u64 divide(struct eval *e, u8 op, u64 a, u64 b)
{
	if (!b)
		return fail(e, -EINVAL);
	if ((s64)b == -1 && (op == OP_DIV_SIGNED || op == OP_REM_SIGNED))
		return op == OP_DIV_SIGNED ? -a : 0;
	switch (op) {
	case OP_DIV_SIGNED:
		return (s64)a / (s64)b;
	case OP_DIV_UNSIGNED:
		return a / b;
	case OP_REM_SIGNED:
		return (s64)a % (s64)b;
	default:
		return a % b;
	}
}

static u64 shift(u8 op, u64 a, u64 b)
{
	if (op == OP_RSH_SIGNED)
		return (s64)a >> MIN(b, (u64)63);
	if (b > 63)
		return 0;
	return op == OP_LSH ? a << b : a >> b;
}

static u64 two(struct eval *e, u8 op)
{
	u64 b = pop(e), a = pop(e);

	switch (op) {
	case OP_ADD:
		return a + b;
	case OP_SUB:
		return a - b;
	case OP_MUL:
		return a * b;
	case OP_LSH:
	case OP_RSH_SIGNED:
	case OP_RSH_UNSIGNED:
		return shift(op, a, b);
	case OP_AND:
		return a & b;
	case OP_OR:
		return a | b;
	case OP_XOR:
		return a ^ b;
	case OP_EQUAL:
		return a == b;
	case OP_LESS_SIGNED:
		return (s64)a < (s64)b;
	case OP_LESS_UNSIGNED:
		return a < b;
	default:
		return divide(e, op, a, b);
	}
}

static void extend(struct eval *e, bool is_signed)
{
	unsigned bits = operand(e, 1);
	u64 v = pop(e);

	if (!bits)
		fail(e, -EINVAL);
	else if (bits < 64 && is_signed)
		v = (u64)((s64)(v << (64 - bits)) >> (64 - bits));
	else if (bits < 64)
		v &= BIT64(bits) - 1;
	push(e, v);
}

static void load(struct eval *e, unsigned size)
{
	u8 buf[8] = { 0 };
	u64 v = 0, addr = pop(e);
	int err = e->err ? e->err : e->g->read(e->g->arg, addr, buf, size);

	if (err)
		fail(e, err);
	for (unsigned i = 0; i < size; i++)
		v |= (u64)buf[e->g->big_endian ? size - 1 - i : i] << 8 * i;
	push(e, v);
}

static void jump(struct eval *e, bool taken)
{
	u64 to = operand(e, 2);

	if (taken && to >= e->n)
		fail(e, -EINVAL);
	else if (taken)
		e->at = to;
}

static void push_reg(struct eval *e)
{
	unsigned number = operand(e, 2);
	u64 v = 0;
	int err = e->g->reg ? e->g->reg(e->g->arg, number, &v) : -EINVAL;

	if (err)
		fail(e, err);
	push(e, v);
}

static void rotate(struct eval *e)
{
	u64 c = pop(e), b = pop(e), a = pop(e);

	push(e, c);
	push(e, a);
	push(e, b);
}

static void pick(struct eval *e)
{
	unsigned n = operand(e, 1);

	push(e, n < e->depth ? e->stack[e->depth - 1 - n] : fail(e, -EINVAL));
}

/* ---- printf */

static void put_text(struct eval *e, struct strbuf *out, u64 addr)
{
	char c = 0;

	for (unsigned i = 0; i < 4096; i++) {
		if (e->g->read(e->g->arg, addr + i, &c, 1)) {
			strbuf_add(out, "<not mapped>");
			return;
		}
		if (!c)
			return;
		strbuf_addc(out, c);
	}
}

/* One conversion at p, which is behind its %; returns what follows it. */
static const char *convert(struct eval *e, struct strbuf *out, const char *p, u64 arg)
{
	size_t flags = strspn(p, "-+ #0123456789."), mods = strspn(p + flags, "hljzt");
	char form[40], kind = p[flags + mods];

	if (flags > 24)
		flags = 24;
	snprintf(form, sizeof(form), "%%%.*sll%c", (int)flags, p, kind);
	switch (kind) {
	case 's':
		put_text(e, out, arg);
		break;
	case 'c':
		strbuf_addc(out, (char)arg);
		break;
	case 'p':
		strbuf_printf(out, "%#llx", (unsigned long long)arg);
		break;
	case 'd':
	case 'i':
		/* without l it is 32 bits wide, whatever is above them */
		if (!mods || p[flags] == 'h')
			arg = (u64)(s64)(s32)arg;
		strbuf_printf(out, form, (long long)arg);
		break;
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		if (!mods || p[flags] == 'h')
			arg = (u32)arg;
		strbuf_printf(out, form, (unsigned long long)arg);
		break;
	default:
		fail(e, -EINVAL);
		return p + strlen(p);
	}
	return p + flags + mods + 1;
}

/* What follows a backslash: the format comes as it was typed. */
static const char *escape(struct strbuf *out, const char *p)
{
	static const char from[] = "abefnrtv", to[] = "\a\b\033\f\n\r\t\v";
	const char *known = strchr(from, *p);
	unsigned n = 0, v = 0;

	if (!*p)
		return p;
	while (n < 3 && p[n] >= '0' && p[n] <= '7')
		v = v << 3 | (p[n++] & 7);
	strbuf_addc(out, n ? (char)v : known ? to[known - from] : *p);
	return p + (n ? n : 1);
}

static void print(struct eval *e)
{
	unsigned nargs = operand(e, 1), size = operand(e, 2), used = 0;
	const char *p = (const char *)e->code + e->at;
	struct strbuf out = { 0 };
	u64 args[STACK] = { 0 };

	if (e->err || !range_fits(e->at, size, e->n) || !size || p[size - 1] || nargs >= STACK) {
		fail(e, -EINVAL);
		return;
	}
	e->at += size;
	pop(e); /* the function and the channel, which only native targets have */
	pop(e);
	for (unsigned i = 0; i < nargs; i++)
		args[i] = pop(e);
	while (!e->err && *p) {
		size_t plain = strcspn(p, "%\\");

		strbuf_addn(&out, p, plain);
		p += plain;
		if (*p == '\\') {
			p = escape(&out, p + 1);
		} else if (p[0] == '%' && p[1] == '%') {
			strbuf_addc(&out, '%');
			p += 2;
		} else if (*p) {
			p = convert(e, &out, p + 1, used < nargs ? args[used] : 0);
			used++;
		}
	}
	if (!e->err && e->g->print)
		e->g->print(e->g->arg, strbuf_str(&out), out.n);
	strbuf_fini(&out);
}

/* ---- the machine */

static void unary(struct eval *e, u8 op)
{
	u64 v = pop(e);

	push(e, op == OP_LOG_NOT ? !v : ~v);
}

static void stack_op(struct eval *e, u8 op)
{
	u64 a, b;

	switch (op) {
	case OP_DUP:
		a = pop(e);
		push(e, a);
		push(e, a);
		break;
	case OP_POP:
		pop(e);
		break;
	case OP_SWAP:
		b = pop(e);
		a = pop(e);
		push(e, b);
		push(e, a);
		break;
	case OP_PICK:
		pick(e);
		break;
	default:
		rotate(e);
	}
}

/* False: the end. */
static bool step(struct eval *e)
{
	u8 op = operand(e, 1);

	switch (op) {
	case OP_ADD ... OP_RSH_UNSIGNED:
	case OP_AND ... OP_XOR:
	case OP_EQUAL ... OP_LESS_UNSIGNED:
		push(e, two(e, op));
		break;
	case OP_LOG_NOT:
	case OP_NOT:
		unary(e, op);
		break;
	case OP_EXT:
	case OP_ZERO_EXT:
		extend(e, op == OP_EXT);
		break;
	case OP_REF8 ... OP_REF64:
		load(e, 1 << (op - OP_REF8));
		break;
	case OP_IF_GOTO:
		jump(e, pop(e) != 0);
		break;
	case OP_GOTO:
		jump(e, true);
		break;
	case OP_CONST8 ... OP_CONST64:
		push(e, operand(e, 1 << (op - OP_CONST8)));
		break;
	case OP_REG:
		push_reg(e);
		break;
	case OP_DUP:
	case OP_POP:
	case OP_SWAP:
	case OP_PICK:
	case OP_ROT:
		stack_op(e, op);
		break;
	case OP_PRINTF:
		print(e);
		break;
	case OP_END:
		return false;
	default:
		fail(e, -ENOTSUP);
	}
	return true;
}

int agent_eval(const struct agent_guest *g, const u8 *code, size_t n, u64 *val)
{
	struct eval e = { .g = g, .code = code, .n = n };
	unsigned steps = 0;

	*val = 0;
	while (!e.err && step(&e))
		if (++steps > STEPS)
			fail(&e, -ELOOP);
	if (!e.err && e.depth)
		*val = e.stack[e.depth - 1];
	return e.err;
}
