/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agent.h - agent expressions (GDB manual, appendix F): the byte code in which a debugger states
 * conditions of breakpoints and prints, so that they are evaluated where the guest is. */
#pragma once
#include <quern/types.h>

/* How the expression sees the guest. All but read may be NULL. */
struct agent_guest {
	/* 0 or -errno */
	int (*read)(void *arg, u64 addr, void *buf, size_t n);
	/* the low 64 bits of a register by the debugger's number */
	int (*reg)(void *arg, unsigned number, u64 *val);
	/* output of a dynamic printf */
	void (*print)(void *arg, const char *text, size_t n);
	void *arg;
	bool big_endian;
};

/* Evaluates; *val is the top of the stack at the end (0 when it is empty). -EFAULT: memory that is
 * not there; -EINVAL: a wrong expression; -ELOOP: it does not end; -ENOTSUP: floating point. */
int must_check agent_eval(const struct agent_guest *g, const u8 *code, size_t n, u64 *val);
