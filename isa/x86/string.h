/* SPDX-License-Identifier: GPL-2.0-or-later */
/* string.h - how emitters tell the string helpers what to do: the bits of imm. */
#pragma once
#include "x86.h"

enum {
	STR_SIZE = 3,	     /* log2 of the element's bytes */
	STR_ASIZE_SHIFT = 2, /* 2 bits: log2 of the address size */
	STR_SEG_SHIFT = 4,   /* 3 bits: segment of the source */
	STR_NE = BIT(7),     /* F2: repeat while not equal (CMPS, SCAS) */
	STR_ONE = BIT(8),    /* single steps: one element per call */
	STR_NOREP = BIT(9),  /* no prefix: one element, rCX plays no part */
};
