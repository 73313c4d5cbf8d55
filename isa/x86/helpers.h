/* SPDX-License-Identifier: GPL-2.0-or-later */
/* helpers.h - numbers and declarations of the helpers in helpers.def. */
#pragma once
#include "x86.h"

enum x86_helper_id {
#define HELPER(name, flags)				 XH_##name,
#define VECTOR(name, prefix, map, opcode, has_imm, need) XH_##name,
#include "helpers.def"
#undef HELPER
#undef VECTOR
	XH_COUNT
};
#define HELPER(name, flags) u64 x86_h_##name(struct cpu *c, u64 a, u64 b, u64 cc, u64 imm);
#define VECTOR(name, prefix, map, opcode, has_imm, need) \
	u64 x86_h_##name(struct cpu *c, u64 a, u64 b, u64 cc, u64 imm);
#include "helpers.def"
#undef HELPER
#undef VECTOR
extern const struct ir_helper x86_helpers[];
