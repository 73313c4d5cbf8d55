/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reg.h - a bank of registers at work: the table of a struct bank, decoded into an index by offset,
 * behind a region. */
#pragma once
#include "core/device.h"

struct regbank {
	struct device *dev;
	const struct bank *bank;
	struct region *region;
	char *name; /* "crc0.mmio": of the region */
	/* offset >> shift -> number of the register + 1, 0 = none */
	u16 *index;
	u32 nindex;
	u8 shift;
	u16 nregs;
	/* per register, and one for accesses that code answers: enum; valid for `generation` */
	u8 *watched;
	u8 any_watched;
	u32 generation;
	struct list link; /* device_core->regbanks */
};

/* Checks and decodes the table and makes the region an I/O region of that bank. bank and region
 * stay the caller's. */
int must_check regbank_init(struct regbank *b, struct device *d, const struct bank *bank,
			    struct region *region, struct error *e);
void regbank_fini(struct regbank *b);
void regbank_reset(struct regbank *b);
/* One access, as the region's callbacks do it. */
u64 regbank_read(struct regbank *b, u64 off, unsigned size);
void regbank_write(struct regbank *b, u64 off, unsigned size, u64 val);
/* The register at off, which element of it, and the byte in that; NULL = none is there. */
const struct reg *regbank_find(const struct regbank *b, u64 off, unsigned *i, unsigned *in);
/* "CTL_START LEN=0x5": the fields of val that are set; "" when the register has none. */
void reg_fields(const struct reg *r, u64 val, char *buf, size_t size);
/* Where element i is in the bank. */
u64 reg_place(const struct bank *b, const struct reg *r, unsigned i);
/* All bits of the register; the bits that no field names (0 when there are no fields). */
u64 reg_mask(const struct reg *r);
u64 reg_reserved(const struct reg *r);
/* The stored value, as info shows it: no side effect. */
u64 reg_peek(const struct device *d, const struct reg *r, unsigned i);
/* Stores it, also what guests cannot write, and nothing follows. */
void reg_poke(struct device *d, const struct reg *r, unsigned i, u64 val);
