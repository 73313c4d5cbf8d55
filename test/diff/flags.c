/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flags.c - which arithmetic flags are defined where: a snippet must not read an undefined one, and
 * they are not compared. SDM vol. 2, per instruction; vol. 1 appendix A. */
#include "diff.h"

enum { C = EFL_CF, P = EFL_PF, A = EFL_AF, Z = EFL_ZF, S = EFL_SF, O = EFL_OF, ALL = EFL_ARITH };

static const struct {
	const char *name;
	struct flag_effect f;
} effects[] = {
	{ "add", { 0, ALL, 0 } },
	{ "sub", { 0, ALL, 0 } },
	{ "cmp", { 0, ALL, 0 } },
	{ "neg", { 0, ALL, 0 } },
	{ "xadd", { 0, ALL, 0 } },
	{ "cmpxchg", { 0, ALL, 0 } },
	{ "adc", { C, ALL, 0 } },
	{ "sbb", { C, ALL, 0 } },
	{ "cmps", { 0, 0, 0 } },
	{ "scas", { 0, 0, 0 } },
	{ "and", { 0, ALL & ~A, A } },
	{ "or", { 0, ALL & ~A, A } },
	{ "xor", { 0, ALL & ~A, A } },
	{ "test", { 0, ALL & ~A, A } },
	{ "inc", { 0, ALL & ~C, 0 } },
	{ "dec", { 0, ALL & ~C, 0 } },
	{ "cmpxchg8b", { 0, Z, 0 } },
	{ "mul", { 0, C | O, S | Z | A | P } },
	{ "imul1", { 0, C | O, S | Z | A | P } },
	{ "imul", { 0, C | O, S | Z | A | P } },
	{ "div", { 0, 0, ALL } },
	{ "idiv", { 0, 0, ALL } },
	{ "bt", { 0, C, O | S | A | P } },
	{ "bts", { 0, C, O | S | A | P } },
	{ "btr", { 0, C, O | S | A | P } },
	{ "btc", { 0, C, O | S | A | P } },
	{ "bsf", { 0, Z, ALL & ~Z } },
	{ "bsr", { 0, Z, ALL & ~Z } },
	{ "tzcnt", { 0, C | Z, O | S | A | P } },
	{ "lzcnt", { 0, C | Z, O | S | A | P } },
	{ "popcnt", { 0, ALL, 0 } },
	{ "adcx", { C, C, 0 } },
	{ "adox", { O, O, 0 } },
	{ "andn", { 0, S | Z | O | C, A | P } },
	{ "blsr", { 0, S | Z | O | C, A | P } },
	{ "blsi", { 0, S | Z | O | C, A | P } },
	{ "blsmsk", { 0, S | Z | O | C, A | P } },
	{ "bextr", { 0, Z | O | C, S | A | P } },
	{ "bzhi", { 0, S | Z | O | C, A | P } },
	{ "setcc", { 0, 0, 0 } },
	{ "cmov", { 0, 0, 0 } },
	{ "jcc", { 0, 0, 0 } },
	{ "loope", { Z, 0, 0 } },
	{ "loopne", { Z, 0, 0 } },
	{ "sahf", { 0, ALL & ~O, 0 } },
	{ "lahf", { ALL & ~O, 0, 0 } },
	{ "pushf", { ALL, 0, 0 } },
	{ "popf", { 0, ALL, 0 } },
	{ "cmc", { C, C, 0 } },
	{ "clc", { 0, C, 0 } },
	{ "stc", { 0, C, 0 } },
	{ "ucomiss", { 0, ALL, 0 } },
	{ "ucomisd", { 0, ALL, 0 } },
	{ "comiss", { 0, ALL, 0 } },
	{ "comisd", { 0, ALL, 0 } },
	{ "ptest", { 0, ALL, 0 } },
	{ "iret", { 0, ALL, 0 } },
};

/* Conditions, by number / 2. */
static const u32 condition_reads[8] = { O, C, Z, C | Z, S, P, S | O, Z | S | O };

static bool named(const struct x86_enc *e, const char *prefix)
{
	return !strncmp(e->name, prefix, strlen(prefix));
}

/* Shifts and rotates: the count is an immediate, 1, or CL (unknown). */
static struct flag_effect shift_effect(const struct x86_insn *in)
{
	const char *n = in->enc->name;
	const struct x86_operand *last = &in->op[in->nops - 1];
	unsigned bits = in->op[0].size * 8, mask = in->op[0].size == 8 ? 63 : 31;
	bool rotate = n[0] == 'r', through = rotate && n[1] == 'c',
	     twice = n[2] == 'l' || n[2] == 'r' ? n[3] == 'd' : false;
	unsigned count = last->kind == OPK_IMM ? (unsigned)in->imm & mask : 0;
	struct flag_effect f = { .reads = through ? C : 0 };

	if (last->kind != OPK_IMM) {
		/* any count: what is defined only for some becomes undefined */
		f.undef = rotate ? O : O | A | (bits < 32 ? C : 0);
		return f;
	}
	if (!count)
		return f;
	f.sets = rotate ? C : ALL & ~(A | O);
	f.undef = rotate ? 0 : A;
	if (count == 1)
		f.sets |= O;
	else
		f.undef |= O;
	if (!rotate && !twice && count >= bits && n[1] != 'a') {
		f.sets &= ~(u32)C;
		f.undef |= C;
	}
	if (twice && count > bits) {
		f.sets = 0;
		f.undef = ALL;
	}
	return f;
}

struct flag_effect flag_effect(const struct item *it)
{
	struct x86_insn in;
	const char *n;

	if (!it->enc || x86_decode(it->b, it->len, MODE64, &in) <= 0)
		return (struct flag_effect){ 0 };
	n = in.enc->name;
	if (!strcmp(n, "rol") || !strcmp(n, "ror") || !strcmp(n, "rcl") || !strcmp(n, "rcr") ||
	    !strcmp(n, "shl") || !strcmp(n, "shr") || !strcmp(n, "sar") || !strcmp(n, "shld") ||
	    !strcmp(n, "shrd"))
		return shift_effect(&in);
	if (!strcmp(n, "setcc") || !strcmp(n, "cmov") || !strcmp(n, "jcc"))
		return (struct flag_effect){ .reads = condition_reads[in.opcode >> 1 & 7] };
	if (strstr(n, "fcmov"))
		return (struct flag_effect){ .reads = C | Z | P };
	if (strstr(n, "fcomi") || strstr(n, "fucomi"))
		return (struct flag_effect){ .sets = ALL };
	if (named(in.enc, "pcmpistr") || named(in.enc, "pcmpestr"))
		return (struct flag_effect){ .sets = ALL };
	if ((!strcmp(n, "cmps") || !strcmp(n, "scas")) && !in.rep)
		return (struct flag_effect){ .sets = ALL };
	for (unsigned i = 0; i < ARRAY_SIZE(effects); i++)
		if (!strcmp(n, effects[i].name))
			return effects[i].f;
	return (struct flag_effect){ 0 };
}

static bool is_any(const struct item *it, const char *const *names)
{
	for (; it->enc && *names; names++)
		if (!strcmp(it->enc->name, *names))
			return true;
	return false;
}

int flags_taint(const struct items *l, u32 taint[MAX_INSNS + 1])
{
	static const char *const ends[] = { "jmp", "jmp_ind", "ret", "ud", "hlt", NULL },
				 *const indirect[] = { "jmp_ind", "call_ind", "ret", "iret", NULL };
	struct flag_effect f[MAX_INSNS];
	bool changed = true;
	int bad = -1;

	memset(taint, 0, sizeof(u32) * (MAX_INSNS + 1));
	for (unsigned k = 0; k < l->n; k++)
		f[k] = flag_effect(&l->i[k]);
	while (changed) {
		changed = false;
		for (unsigned k = 0; k < l->n; k++) {
			u32 out = (taint[k] & ~f[k].sets) | f[k].undef;
			const struct item *it = &l->i[k];

#define FLOW(to) \
	do { \
		changed |= (out & ~taint[to]) != 0; \
		taint[to] |= out; \
	} while (0)
			if (!is_any(it, ends))
				FLOW(k + 1);
			if (it->target >= 0)
				FLOW((unsigned)it->target);
			if (is_any(it, indirect))
				for (unsigned i = 0; i <= l->n; i++)
					FLOW(i);
#undef FLOW
		}
	}
	for (unsigned k = 0; k < l->n && bad < 0; k++)
		if (f[k].reads & taint[k])
			bad = (int)k;
	return bad;
}

u32 flags_defined(const struct snippet *s, u64 rip)
{
	u32 taint[MAX_INSNS + 1], all = 0;
	u64 at = s->at;
	struct items l;

	snippet_items(s, &l);
	flags_taint(&l, taint);
	for (unsigned k = 0; k <= l.n; k++) {
		if (at == rip)
			return ALL & ~taint[k];
		all |= taint[k];
		at += k < l.n ? l.i[k].len : 0;
	}
	return ALL & ~all;
}
