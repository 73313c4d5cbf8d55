/* SPDX-License-Identifier: GPL-2.0-or-later */
/* groups.c - the rows of the encoding tables by subject; which ones user-mode snippets leave out,
 * and why. */
#include "diff.h"
#include <sys/auxv.h>

const char *const group_names[NGROUPS] = {
	[G_INT] = "int",       [G_STRING] = "string", [G_CONTROL] = "control",
	[G_X87] = "x87",       [G_MMX] = "mmx",	      [G_SSE] = "sse",
	[G_CRYPTO] = "crypto", [G_BMI] = "bmi",	      [G_SYS] = "sys",
};

static bool one_of(const char *name, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(name, *list))
			return true;
	return false;
}

static bool has_code(const char *operands, const char *codes)
{
	for (const char *s = operands; *s; s++)
		if ((s == operands || s[-1] == ' ') && strchr(codes, *s))
			return true;
	return false;
}

enum group row_group(unsigned row)
{
	static const char *const strings[] = { "movs", "cmps", "stos", "lods",
					       "scas", "ins",  "outs", NULL };
	static const char *const control[] = { "jcc",	  "loop", "loope", "loopne",
					       "jcxz",	  "call", "jmp",   "call_ind",
					       "jmp_ind", "ret",  NULL };
	static const char *const sys[] = { "push_sreg", "pop_sreg", "mov_from_sreg", "mov_to_sreg",
					   "rdfsbase",	"rdgsbase", "wrfsbase",	     "wrgsbase",
					   "in",	"out",	    "cli",	     "sti",
					   "ud",	"int1",	    "int3",	     "monitor",
					   "mwait",	"clac",	    "stac",	     "rsm",
					   NULL };
	const struct x86_enc *e = &x86_encodings[row];
	unsigned f = x86_enc_feature(e);

	if (f == X86F_AES || f == X86F_PCLMULQDQ || f == X86F_SHA)
		return G_CRYPTO;
	if (f == X86F_BMI1 || f == X86F_BMI2 || f == X86F_ADX)
		return G_BMI;
	if (e->map == MAP_PRI && e->opcode >= 0xd8 && e->opcode <= 0xdf)
		return G_X87;
	if (has_code(e->operands, "PQN") || !strcmp(e->name, "emms"))
		return G_MMX;
	if (has_code(e->operands, "VWU") || strstr(e->name, "mxcsr"))
		return G_SSE;
	if (one_of(e->name, strings))
		return G_STRING;
	if (one_of(e->name, control))
		return G_CONTROL;
	if (!strncmp(e->name, "fxsave", 6) || !strncmp(e->name, "fxrstor", 7) ||
	    !strncmp(e->name, "xsave", 5) || !strncmp(e->name, "xrstor", 6) ||
	    !strcmp(e->name, "fwait"))
		return G_X87;
	if ((e->flags & OPF_CPL0) || one_of(e->name, sys))
		return G_SYS;
	return G_INT;
}

const char *row_excluded(unsigned row)
{
	static const struct {
		const char *name, *why;
	} out[] = {
		{ "cpuid", "depends on the processor" },
		{ "rdtsc", "time" },
		{ "rdtscp", "time" },
		{ "rdpmc", "time" },
		{ "rdpid", "depends on the processor" },
		{ "rdrand", "random" },
		{ "rdseed", "random" },
		{ "xgetbv", "the host has more state" },
		{ "syscall", "leaves user mode" },
		{ "sysenter", "vendors differ" },
		{ "sysexit", "vendors differ" },
		{ "sysret", "vendors differ" },
		{ "int_n", "leaves user mode" },
		{ "sldt", "emulated by Linux" },
		{ "str", "emulated by Linux" },
		{ "smsw", "emulated by Linux" },
		{ "sgdt", "emulated by Linux" },
		{ "sidt", "emulated by Linux" },
		{ "lar", "reads the host's descriptors" },
		{ "lsl", "reads the host's descriptors" },
		{ "verr", "reads the host's descriptors" },
		{ "verw", "reads the host's descriptors" },
		{ "lss", "loads the host's descriptors" },
		{ "lfs", "loads the host's descriptors" },
		{ "lgs", "loads the host's descriptors" },
		{ "mov_to_sreg", "loads the host's descriptors" },
		{ "pop_sreg", "loads the host's descriptors" },
		{ "iret", "loads the host's descriptors" },
		{ "ret_far", "loads the host's descriptors" },
		{ "call_far_mem", "loads the host's descriptors" },
		{ "jmp_far_mem", "loads the host's descriptors" },
		{ "int1", "virtual machines differ" },
		{ "monitor", "depends on the processor" },
		{ "mwait", "depends on the processor" },
	};
	const struct x86_enc *e = &x86_encodings[row];

	if (!strcmp(e->name, "ud") && e->operands[0])
		return "vendors differ in its length";
	if (e->flags & OPF_I64)
		return "not in 64-bit code";
	if (x86_enc_feature(e) == X86F_CLWB || x86_enc_feature(e) == X86F_SERIALIZE)
		return "not advertised by every host";
	if (strstr(e->name, "sbase") && !(getauxval(AT_HWCAP2) & 2))
		return "hidden by the host";
	for (unsigned i = 0; i < ARRAY_SIZE(out); i++)
		if (!strcmp(e->name, out[i].name))
			return out[i].why;
	return NULL;
}

unsigned row_weight(unsigned row)
{
	static const char *const rare[] = { "ret",  "call_ind", "jmp_ind", "popf",  "int3",
					    "int1", "ud",	"in",	   "out",   "ins",
					    "outs", "hlt",	"cli",	   "sti",   "rsm",
					    "clac", "stac",	"enter",   "leave", NULL };
	/* with what must be taken out of their images, or put in: grammar.c */
	static const char *const saves[] = { "fxsave",	"xsave",  "xsaveopt", "xsavec",
					     "fnstenv", "fnsave", "ldmxcsr",  NULL };
	static const char *const seldom[] = { "fxrstor", "xrstor",   "fldenv",	   "frstor", "div",
					      "idiv",	 "maskmovq", "maskmovdqu", NULL };
	const struct x86_enc *e = &x86_encodings[row];

	if (one_of(e->name, saves))
		return 0;
	if ((e->flags & OPF_CPL0) || one_of(e->name, rare))
		return 6;
	return one_of(e->name, seldom) ? 25 : 100;
}

/* Rows that may be picked, by group. */
static u16 rows[NGROUPS][1400];
static unsigned nrows[NGROUPS];

static void __attribute__((constructor)) sort_rows(void)
{
	for (unsigned i = 1; i < x86_nencodings; i++) {
		enum group g = row_group(i);

		if (!row_excluded(i) && nrows[g] < ARRAY_SIZE(rows[0]))
			rows[g][nrows[g]++] = (u16)i;
	}
}

unsigned row_pick(struct gen *g)
{
	static const u8 share[NGROUPS] = {
		[G_INT] = 30, [G_STRING] = 4, [G_CONTROL] = 6, [G_X87] = 16, [G_MMX] = 10,
		[G_SSE] = 24, [G_CRYPTO] = 3, [G_BMI] = 5,     [G_SYS] = 1
	};
	unsigned total = 0, n;

	for (unsigned i = 0; i < NGROUPS; i++)
		if (g->groups >> i & 1 && nrows[i])
			total += share[i];
	if (!total)
		return 0;
	for (;;) {
		n = below(&g->r, total);
		for (unsigned i = 0; i < NGROUPS; i++) {
			if (!(g->groups >> i & 1) || !nrows[i])
				continue;
			if (n < share[i]) {
				unsigned row = rows[i][below(&g->r, nrows[i])];

				if (below(&g->r, 100) < row_weight(row))
					return row;
				break;
			}
			n -= share[i];
		}
	}
}
