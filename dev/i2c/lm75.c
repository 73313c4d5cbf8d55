/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lm75, tmp105 - digital thermometers with an alert output (National LM75 data sheet, 2003; TI
 * TMP105 data sheet SLOS648, 2011). The property temperature is what the chip feels. */
#include <quern/i2c.h>

enum {
	CONF_SHUTDOWN = BIT(0),
	CONF_INTERRUPT = BIT(1), /* else comparator */
	CONF_POLARITY = BIT(2),
	CONF_FAULTS = GENMASK(4, 3),
	CONF_RESOLUTION = GENMASK(6, 5),
	CONF_ONE_SHOT = BIT(7), /* read: the comparator, inverted by polarity */
	LM75_BITS = 9,
	TMP105_BITS = 12,
};

struct lm75 {
	struct device dev;
	struct irq alert;
	s32 temperature; /* 1/1000 degree Celsius */
	u16 temp, low, high;
	u8 conf;
	u8 over;   /* the comparator */
	u8 active; /* the alert, before polarity */
	u8 bits;
};

static unsigned bits(const struct lm75 *d)
{
	return d->bits == LM75_BITS ? LM75_BITS : LM75_BITS + FIELD_GET(CONF_RESOLUTION, d->conf);
}

static void drive(struct lm75 *d) { irq_set(&d->alert, d->active == !!(d->conf & CONF_POLARITY)); }

/* Each crossing counts at once, whatever the fault queue says: time between conversions is none. */
static void compare(struct lm75 *d)
{
	s16 t = (s16)d->temp;
	bool was = d->over;

	if (t >= (s16)d->high)
		d->over = true;
	else if (t < (s16)d->low)
		d->over = false;
	if (!(d->conf & CONF_INTERRUPT))
		d->active = d->over;
	else if (was != d->over)
		d->active = true; /* until something is read */
	drive(d);
}

static void convert(struct lm75 *d)
{
	s64 sixteenth = (s64)d->temperature * 16;

	/* towards minus infinity, as a converter that counts down does */
	sixteenth = sixteenth >= 0 ? sixteenth / 1000 : -((-sixteenth + 999) / 1000);
	d->temp = (u16)(sixteenth * 16) & (u16)(0xffff << (16 - bits(d)));
	trace(d, "convert", "%d millidegrees, temp=%#x", d->temperature, d->temp);
	compare(d);
}

static void temperature_changed(void *dev)
{
	struct lm75 *d = dev;

	if (!(d->conf & CONF_SHUTDOWN))
		convert(d);
}

static void conf_set(void *dev, unsigned i, u64 val)
{
	struct lm75 *d = dev;

	if (!(val & CONF_SHUTDOWN) || (val & CONF_ONE_SHOT))
		convert(d);
	else
		compare(d);
}

static u64 conf_get(void *dev, unsigned i, u64 val)
{
	struct lm75 *d = dev;

	if (d->bits == LM75_BITS || d->over == !!(d->conf & CONF_POLARITY))
		return d->bits == LM75_BITS ? val : val | CONF_ONE_SHOT;
	return val;
}

static void limit_set(void *dev, unsigned i, u64 val) { compare(dev); }

static int lm75_start(void *dev, bool recv)
{
	struct lm75 *d = dev;

	if (recv && (d->conf & CONF_INTERRUPT)) {
		d->active = false;
		drive(d);
	}
	return 0;
}

static int lm75_init(void *dev, struct error *e)
{
	((struct lm75 *)dev)->bits = LM75_BITS;
	return 0;
}

static int tmp105_init(void *dev, struct error *e)
{
	((struct lm75 *)dev)->bits = TMP105_BITS;
	return 0;
}

static void lm75_reset(void *dev)
{
	struct lm75 *d = dev;

	d->over = d->active = 0;
	convert(d);
}

static void lm75_loaded(void *dev) { drive(dev); }

#define TEMP_REG REG(0, struct lm75, temp, RO, .doc = "Temperature, 1/256 degree, signed.")
#define LIMIT_REGS(bits) \
	REG(2, struct lm75, low, .ro = (u16) ~(0xffff << (16 - (bits))), .reset = 0x4b00, \
	    .set = limit_set, .doc = "The alert ends below it."), \
		REG(3, struct lm75, high, .ro = (u16) ~(0xffff << (16 - (bits))), .reset = 0x5000, \
		    .set = limit_set, .doc = "The alert begins at it.")
static const struct reg lm75_regs[] = { TEMP_REG,
					REG(1, struct lm75, conf, .set = conf_set,
					    FIELDS(CONF_SHUTDOWN, CONF_INTERRUPT, CONF_POLARITY,
						   CONF_FAULTS),
					    .doc = "Mode; faults in a row count at once."),
					LIMIT_REGS(9),
					{} };
static const struct reg tmp105_regs[] = {
	TEMP_REG,
	REG(1, struct lm75, conf, .set = conf_set, .get = conf_get, .pulse = CONF_ONE_SHOT,
	    FIELDS(CONF_SHUTDOWN, CONF_INTERRUPT, CONF_POLARITY, CONF_FAULTS, CONF_RESOLUTION,
		   CONF_ONE_SHOT),
	    .doc = "Mode and resolution; faults in a row count at once."),
	LIMIT_REGS(12),
	{}
};
static const struct bank lm75_banks[] = {
	{ .name = "regs", .regs = lm75_regs, .size = 4, .numbered = true }, {}
};
static const struct bank tmp105_banks[] = {
	{ .name = "regs", .regs = tmp105_regs, .size = 4, .numbered = true }, {}
};
static const struct prop lm75_props[] = {
	PROP(struct lm75, temperature, .kind = PROP_INT, .min = (u64)-128000, .max = 127999,
	     .changed = temperature_changed,
	     .doc = "What it feels, in 1/1000 degree Celsius; qom-set changes it."),
	{}
};
static const struct state lm75_state[] = { IRQ_OUT(struct lm75, alert),
					   STATE(struct lm75, over),
					   STATE(struct lm75, active),
					   DERIVED(struct lm75, bits),
					   {} };
I2C_DEVICE(lm75,
	   .dev = { .api = QUERN_DEVICE_API,
		    .name = "lm75",
		    .doc = "LM75 thermometer, 9 bits",
		    .bus = "i2c-bus",
		    .size = sizeof(struct lm75),
		    .banks = lm75_banks,
		    .props = lm75_props,
		    .state = lm75_state,
		    .init = lm75_init,
		    .reset = lm75_reset,
		    .loaded = lm75_loaded },
	   .address = 0x48, .pointer = { .bytes = 1, .big_endian = true, .stays = true },
	   .start = lm75_start);
static const struct i2c_class tmp105_class = {
	.dev = { .api = QUERN_DEVICE_API,
		 .name = "tmp105",
		 .doc = "TMP105 thermometer, 9 to 12 bits",
		 .bus = "i2c-bus",
		 .size = sizeof(struct lm75),
		 .banks = tmp105_banks,
		 .props = lm75_props,
		 .state = lm75_state,
		 .init = tmp105_init,
		 .reset = lm75_reset,
		 .loaded = lm75_loaded },
	.address = 0x48,
	.pointer = { .bytes = 1, .big_endian = true, .stays = true },
	.start = lm75_start,
};
QUERN_REGISTER(tmp105_class);
