/* SPDX-License-Identifier: GPL-2.0-or-later */
/* i2c-regfile - a target whose registers a text file describes (doc/sensor-without-c.md). */
#include "dev/i2c/regfile.h"
#include <errno.h>
#include <stdlib.h>

struct i2c_regfile {
	struct device dev;
	char *file;
	struct regfile *desc;
	u64 store[REGFILE_STORE / 8];
};

/* The registers that do something by themselves do it when somebody looks. */
static int regfile_start(void *dev, bool recv)
{
	struct i2c_regfile *d = dev;
	const struct regfile *f = d->desc;

	for (unsigned i = 0; i < f->nregs; i++) {
		u8 *at = (u8 *)d + f->regs[i].off;
		u64 v, random = 0;

		if (!f->script[i].period && !f->script[i].noise)
			continue;
		if (f->script[i].noise)
			device_random(d, &random, sizeof(random));
		v = regfile_value(f, i, clock_ns(d), random);
		if (f->regs[i].size == 1)
			*at = (u8)v;
		else if (f->regs[i].size == 2)
			*(u16 *)at = (u16)v;
		else
			*(u32 *)at = (u32)v;
	}
	return 0;
}

static int regfile_init(void *dev, struct error *e)
{
	struct i2c_regfile *d = dev;
	char *text;
	size_t n;
	int err;

	if (!d->file) {
		error_set(e, "device '%s' needs file=, a text that describes its registers",
			  d->dev.id);
		return -EINVAL;
	}
	err = device_file(d, d->file, 1 << 20, &text, &n, e);
	if (err)
		return err;
	d->desc = regfile_parse(d->file, text, n, offsetof(struct i2c_regfile, store), e);
	free(text);
	if (!d->desc)
		return -EINVAL;
	err = device_add_bank(d, &d->desc->bank, e);
	if (err)
		regfile_free(d->desc);
	i2c_set_pointer(d, &d->desc->pointer);
	return err;
}

static void regfile_fini(void *dev) { regfile_free(((struct i2c_regfile *)dev)->desc); }

static const struct prop regfile_props[] = {
	PROP(struct i2c_regfile, file, .kind = PROP_STR, .doc = "Describes the registers."), {}
};
static const struct state regfile_state[] = { DERIVED(struct i2c_regfile, desc),
					      DERIVED(struct i2c_regfile, store),
					      {} };
I2C_DEVICE(i2c_regfile,
	   .dev = { .api = QUERN_DEVICE_API,
		    .name = "i2c-regfile",
		    .doc = "I2C device that a text file describes",
		    .bus = "i2c-bus",
		    .size = sizeof(struct i2c_regfile),
		    .props = regfile_props,
		    .state = regfile_state,
		    .init = regfile_init,
		    .fini = regfile_fini },
	   .address = 0x48, .start = regfile_start);
