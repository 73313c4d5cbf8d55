/* SPDX-License-Identifier: MIT */
/* chipset.h - what a PC board does for its bridges: the effects of their configuration registers
 * outside of themselves. A bridge has a link `board` to a device whose class offers this as iface.
 */
#pragma once
#include "device.h"

enum chipset_block { CHIPSET_PM, CHIPSET_ECAM, CHIPSET_RCBA, CHIPSET_SMBUS, CHIPSET_BLOCKS };
struct chipset {
	/* Memory from 0xc0000: segment 0 is 0xf0000, 64 KiB; 1..12 are 16 KiB each from 0xc0000.
	 * Which of reads and writes go to RAM. */
	void (*pam)(void *board, unsigned segment, bool read, bool write);
	/* Where a block of ports or memory appears; size 0 = nowhere. */
	void (*place)(void *board, enum chipset_block block, u64 base, u64 size);
};
static inline const struct chipset *chipset_of(const struct device *board)
{
	return board ? board->class->iface : NULL;
}
