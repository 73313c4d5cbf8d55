/* SPDX-License-Identifier: GPL-2.0-or-later */
/* helpers.c - the table of helpers that the engine sees. */
#include "helpers.h"

const struct ir_helper x86_helpers[] = {
#define HELPER(n, fl) [XH_##n] = { .name = #n, .fn = x86_h_##n, .flags = (fl) },
#define VECTOR(n, p, m, op, im, nd) \
	[XH_##n] = { .name = #n, \
		     .fn = x86_h_##n, \
		     .flags = H_VEC, \
		     .x86 = { .prefix = (p), \
			      .map = (m), \
			      .opcode = (op), \
			      .has_imm = (im), \
			      .host_need = (nd) } },
#define ALT(n, fl, fo, p, m, op, w, d, nd) \
	[XH_##n] = { .name = #n, \
		     .fn = x86_h_##n, \
		     .flags = (fl), \
		     .x86_alt = { .form = (fo), \
				  .prefix = (p), \
				  .map = (m), \
				  .opcode = (op), \
				  .rexw = (w), \
				  .digit = (d), \
				  .host_need = (nd) } },
#include "helpers.def"
#undef HELPER
#undef VECTOR
#undef ALT
};
