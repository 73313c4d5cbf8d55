/* SPDX-License-Identifier: GPL-2.0-or-later */
/* i2c.h - the inside of I2C buses and targets. The models' side is quern/i2c.h. */
#pragma once
#include <quern/i2c.h>
#include "core/device.h"

enum i2c_phase { I2C_IDLE, I2C_SEND, I2C_RECV };

/* What a bus keeps of a target. */
struct i2c_core {
	struct device *dev;
	const struct i2c_class *class;
	struct i2c_bus *bus;
	u8 address;
	struct i2c_pointer pointer;
	u8 phase; /* enum i2c_phase: addressed, and how */
	u8 pec;
	/* The pointer: bytes of it that came in this message, then of the register; a register that
	 * waits for the code behind it. */
	u8 got, n, late;
	u32 at;
	u64 value; /* the register under way */
};
struct i2c_bus {
	struct bus bus;
	char *name;
	struct device *owner;
	struct i2c_core *at[128];
	struct i2c_core *current; /* addressed */
};

/* i2c_pointer.c */
void i2c_pointer_start(struct i2c_core *t);
int i2c_pointer_send(struct i2c_core *t, u8 byte);
u8 i2c_pointer_recv(struct i2c_core *t);
void i2c_pointer_end(struct i2c_core *t); /* a stop, or another start */
