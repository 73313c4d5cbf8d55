/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sse_emit.h - what the emitters of SSE, MMX and x87 share. */
#pragma once
#include "decode.h"
#include "sse.h"

/* Is SSE usable in this mode? If not, the right exception is emitted and the unit ended. */
bool x86_sse_usable(struct x86_tr *t);
/* A vector operand: its register, or scratch vector 0 with the memory operand (its low part when it
 * is shorter than 16 bytes). */
ref x86_xmm_src(struct x86_tr *t, const struct x86_operand *o, bool aligned);
/* Linear address of DS:rDI for MASKMOV. */
ref x86_maskmov_address(struct x86_tr *t);
