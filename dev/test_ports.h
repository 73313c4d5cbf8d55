/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ports.h - for tests of devices whose banks are read and written raw: one device on a test
 * machine, its banks by name. */
#pragma once
#include "core/space.h"
#include "core/tdev.h"
#include "lib/test.h"

static inline u64 bank_in(struct device *d, const char *bank, u64 off, unsigned size)
{
	u64 v = 0;

	CHECK(device_bank(d, bank));
	region_ld(device_bank(d, bank), off, size, &v, (struct mem_attrs){ 0 });
	return size == 8 ? v : v & ((1ull << size * 8) - 1);
}

static inline void bank_out(struct device *d, const char *bank, u64 off, unsigned size, u64 v)
{
	CHECK(device_bank(d, bank));
	region_st(device_bank(d, bank), off, size, v, (struct mem_attrs){ 0 });
}
#define in8(d, bank, off)      ((u8)bank_in(d, bank, off, 1))
#define out8(d, bank, off, v)  bank_out(d, bank, off, 1, v)
#define in32(d, bank, off)     ((u32)bank_in(d, bank, off, 4))
#define out32(d, bank, off, v) bank_out(d, bank, off, 4, v)
