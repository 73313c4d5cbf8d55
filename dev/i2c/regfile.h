/* SPDX-License-Identifier: GPL-2.0-or-later */
/* regfile.h - registers described by a text file (doc/sensor-without-c.md). */
#pragma once
#include <quern/i2c.h>

enum { REGFILE_REGS = 256, REGFILE_FIELDS = 1024, REGFILE_STORE = 4096 };

/* What a register does by itself: from -> to in `period` ns and again, and a random part. */
struct regfile_script {
	u64 from, to, period, noise;
};
struct regfile {
	struct reg regs[REGFILE_REGS + 1];
	struct regfile_script script[REGFILE_REGS];
	struct field fields[REGFILE_FIELDS];
	unsigned nregs, nfields;
	u32 store; /* bytes of values */
	struct bank bank;
	struct i2c_pointer pointer;
	char *text; /* names and sentences are in it */
};

/* The description in text (its bytes and a NUL), whose values will be at `base` of the device. NULL
 * with a sentence that begins with the file's name and the line. */
struct regfile *regfile_parse(const char *name, const char *text, size_t n, u32 base,
			      struct error *e);
void regfile_free(struct regfile *f);
/* What a script says at this time; random is any number. */
u64 regfile_value(const struct regfile *f, unsigned reg, u64 ns, u64 random);
