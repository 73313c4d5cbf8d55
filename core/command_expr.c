/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command_expr.c - integer expressions of the human monitor: 64 bits, with registers as $name.
 * Weakest first: & | ^, then + -, then * / %, then signs. */
#include "core/command.h"
#include "core/cpu.h"
#include "lib/error.h"
#include "lib/str.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEPTH = 64 };

struct expr {
	const char *at;
	struct cpu *cpu;
	unsigned depth;
	struct error *e;
};

static int sum_of_bits(struct expr *x, u64 *v);

static void blanks(struct expr *x)
{
	while (isspace((unsigned char)*x->at))
		x->at++;
}

static int number(struct expr *x, u64 *v)
{
	char *end;

	errno = 0;
	*v = strtoull(x->at, &end, 0);
	if (errno == ERANGE)
		return error_ret(x->e, -ERANGE, "number too large");
	if (end == x->at)
		return error_ret(x->e, -EINVAL, "invalid char '%c' in expression", *x->at);
	x->at = end;
	return 0;
}

static int character(struct expr *x, u64 *v)
{
	x->at++;
	if (!*x->at || *x->at == '\n')
		return error_ret(x->e, -EINVAL, "character constant expected");
	*v = (u8)*x->at++;
	if (*x->at != '\'')
		return error_ret(x->e, -EINVAL, "missing terminating ' character");
	x->at++;
	return 0;
}

static bool reg_value(struct cpu *cpu, const char *name, u64 *v)
{
	const struct cpu_reg *r = cpu->isa->regs;
	u8 buf[64] = { 0 };

	if (str_eq(name, "pc")) {
		*v = (cpu->pc + cpu->pc_base) & cpu->isa->pc_mask(cpu->mode);
		return true;
	}
	for (; r && r->name; r++) {
		if (!str_eq(r->name, name) || r->bits > 8 * sizeof(buf))
			continue;
		if (r->get)
			r->get(cpu, buf);
		else
			memcpy(buf, (u8 *)cpu + r->offset, r->bits / 8);
		*v = ld64le(buf);
		return true;
	}
	return cpu->isa->reg_alias && cpu->isa->reg_alias(cpu, name, v);
}

static int reg(struct expr *x, u64 *v)
{
	char name[32];
	unsigned n = 0;

	x->at++;
	while (isalnum((unsigned char)*x->at) || *x->at == '_' || *x->at == '.') {
		if (n < sizeof(name) - 1)
			name[n++] = *x->at;
		x->at++;
	}
	name[n] = 0;
	if (!x->cpu || !reg_value(x->cpu, name, v))
		return error_ret(x->e, -EINVAL, "unknown register");
	return 0;
}

static int unary(struct expr *x, u64 *v)
{
	char op;
	int err;

	blanks(x);
	op = *x->at;
	if (x->depth > DEPTH)
		return error_ret(x->e, -EINVAL, "expression too deep");
	switch (op) {
	case '+':
	case '-':
	case '~':
		x->at++;
		x->depth++;
		err = unary(x, v);
		x->depth--;
		*v = op == '-' ? -*v : op == '~' ? ~*v : *v;
		break;
	case '(':
		x->at++;
		x->depth++;
		err = sum_of_bits(x, v);
		x->depth--;
		if (!err && *x->at != ')')
			return error_ret(x->e, -EINVAL, "')' expected");
		x->at++;
		break;
	case '\'':
		err = character(x, v);
		break;
	case '$':
		err = reg(x, v);
		break;
	case 0:
		return error_ret(x->e, -EINVAL, "unexpected end of expression");
	default:
		err = number(x, v);
	}
	if (!err)
		blanks(x);
	return err;
}

static int product(struct expr *x, u64 *v)
{
	int err = unary(x, v);

	while (!err && *x->at && strchr("*/%", *x->at)) {
		char op = *x->at++;
		u64 w = 0;

		err = unary(x, &w);
		if (!err && op != '*' && !w)
			return error_ret(x->e, -EINVAL, "division by zero");
		if (!err)
			*v = op == '*' ? *v * w : op == '/' ? *v / w : *v % w;
	}
	return err;
}

static int sum(struct expr *x, u64 *v)
{
	int err = product(x, v);

	while (!err && (*x->at == '+' || *x->at == '-')) {
		char op = *x->at++;
		u64 w = 0;

		err = product(x, &w);
		*v = op == '+' ? *v + w : *v - w;
	}
	return err;
}

static int sum_of_bits(struct expr *x, u64 *v)
{
	int err = sum(x, v);

	while (!err && *x->at && strchr("&|^", *x->at)) {
		char op = *x->at++;
		u64 w = 0;

		err = sum(x, &w);
		*v = op == '&' ? *v & w : op == '|' ? *v | w : *v ^ w;
	}
	return err;
}

int command_expression(struct cpu *cpu, const char **text, u64 *val, struct error *e)
{
	struct expr x = { *text, cpu, 0, e };
	int err = sum_of_bits(&x, val);

	*text = x.at;
	return err;
}
