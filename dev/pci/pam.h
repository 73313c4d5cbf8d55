/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pam.h - programmable attribute map registers, alike in the 82441FX (3.2.18) and the MCH of Q35
 * (5.1.17): seven bytes, a segment in each half. */
#pragma once
#include <quern/chipset.h>

/* regs: the seven bytes. Byte 0 has segment 0 in its upper half only. */
static inline void pam_apply(struct device *board, const u8 *regs)
{
	const struct chipset *c = chipset_of(board);

	for (unsigned s = 0; c && c->pam && s < 13; s++) {
		u8 half = s == 0 ? regs[0] >> 4 : regs[(s + 1) / 2] >> ((s + 1) % 2 * 4);

		c->pam(board, s, half & 1, half & 2);
	}
}
