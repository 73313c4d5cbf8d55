/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ds1338, ds1307 - real-time clocks with 56 bytes of memory (Maxim DS1338 data sheet 19-5831, 2015;
 * DS1307 19-5213, 2015). The time is the machine's wall clock, and what the guest has set it ahead
 * of that. */
#include <quern/i2c.h>

enum {
	SEC_HALT = BIT(7),
	HOUR_12 = BIT(6),
	HOUR_PM = BIT(5),
	CTL_RS = GENMASK(1, 0),
	CTL_SQWE = BIT(4),
	CTL_OSF = BIT(5), /* DS1338: the oscillator has stopped since it was cleared */
	CTL_OUT = BIT(7),
	TIME_REGS = 7,
};

struct ds1338 {
	struct device dev;
	s64 offset;	    /* seconds of its clock before the machine's */
	s64 halted_at;	    /* its time while the oscillator is off */
	u8 time[TIME_REGS]; /* seconds, minutes, hours, day, date, month, year */
	u8 control, ram[56];
	u8 wday_offset; /* the day of the week is a counter of its own */
	u8 written, has_osf;
	u8 pad[5];
};

static u8 bcd(unsigned v) { return (u8)(v / 10 << 4 | v % 10); }
static unsigned binary(u8 v) { return (v >> 4) * 10 + (v & 15); }

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar. */
static s64 days_of(unsigned year, unsigned month, unsigned day)
{
	u64 y = year - (month <= 2), era = y / 400, of_era = y % 400;
	u64 of_year = (153 * (month + (month > 2 ? -3u : 9)) + 2) / 5 + day - 1;

	return (s64)(era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year) - 719468;
}

static void date_of(s64 days, unsigned *year, unsigned *month, unsigned *day)
{
	u64 z = (u64)(days + 719468), era = z / 146097, d = z % 146097;
	u64 y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
	u64 of_year = d - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;

	*day = (unsigned)(of_year - (153 * m + 2) / 5 + 1);
	*month = (unsigned)(m < 10 ? m + 3 : m - 9);
	*year = (unsigned)(y + era * 400 + (*month <= 2));
}

static s64 now(const struct ds1338 *d)
{
	return d->time[0] & SEC_HALT ? d->halted_at : (s64)(clock_wall(d) / 1000000000) + d->offset;
}

static void latch(struct ds1338 *d)
{
	s64 t = now(d), days = t / 86400, s = t % 86400;
	unsigned year, month, day, hour = (unsigned)(s / 3600), h12;

	date_of(days, &year, &month, &day);
	d->time[0] = (d->time[0] & SEC_HALT) | bcd(s % 60);
	d->time[1] = bcd(s / 60 % 60);
	h12 = hour % 12 ? hour % 12 : 12;
	d->time[2] =
		d->time[2] & HOUR_12 ? HOUR_12 | (hour >= 12 ? HOUR_PM : 0) | bcd(h12) : bcd(hour);
	/* 1970 began on a Thursday, the fifth day of a week from Sunday */
	d->time[3] = (u8)((days + 4 + d->wday_offset) % 7 + 1);
	d->time[4] = bcd(day);
	d->time[5] = bcd(month);
	d->time[6] = bcd(year % 100);
}

/* The registers were written: from them follows how far the clock is from the machine's. */
static void set_clock(struct ds1338 *d)
{
	unsigned hour = binary(d->time[2] & 0x3f), month = binary(d->time[5]),
		 day = binary(d->time[4]);
	unsigned year = 2000 + binary(d->time[6]);
	s64 days, t;

	if (d->time[2] & HOUR_12)
		hour = binary(d->time[2] & 0x1f) % 12 + (d->time[2] & HOUR_PM ? 12 : 0);
	if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 ||
	    binary(d->time[1]) > 59 || binary(d->time[0] & ~SEC_HALT) > 59 || !d->time[3] ||
	    d->time[3] > 7 || binary(d->time[6]) > 99) {
		guest_error(d, "the time that is set does not exist");
		month = MAX(MIN(month, 12u), 1u);
	}
	days = days_of(year, month, day);
	t = days * 86400 + hour * 3600 + binary(d->time[1]) * 60 + binary(d->time[0] & ~SEC_HALT);
	if (t < 0 || t > 4294967295ll * 2)
		t = 0;
	d->offset = t - (s64)(clock_wall(d) / 1000000000);
	d->halted_at = t;
	d->wday_offset = (u8)((d->time[3] + 6 + 7 * 10 - (unsigned)((t / 86400 + 4) % 7)) % 7);
	if ((d->time[0] & SEC_HALT) && d->has_osf)
		d->control |= CTL_OSF;
}

static void finish(struct ds1338 *d)
{
	if (d->written)
		set_clock(d);
	d->written = 0;
}

/* The time is taken when a message begins, so that its bytes fit together. */
static int ds1338_start(void *dev, bool recv)
{
	finish(dev);
	latch(dev);
	return 0;
}

static void ds1338_stop(void *dev) { finish(dev); }

/* ---- registers, which a battery keeps through resets */

static u64 time_get(void *dev, unsigned i, u64 val) { return ((struct ds1338 *)dev)->time[i]; }

static void time_set(void *dev, unsigned i, u64 val)
{
	static const u8 exists[TIME_REGS] = { 0xff, 0x7f, 0x7f, 0x07, 0x3f, 0x1f, 0xff };
	struct ds1338 *d = dev;

	d->time[i] = (u8)val & exists[i];
	d->written = 1;
}

static u64 control_get(void *dev, unsigned i, u64 val) { return ((struct ds1338 *)dev)->control; }

static void control_set(void *dev, unsigned i, u64 val)
{
	struct ds1338 *d = dev;
	u8 osf = d->control & (u8)val & CTL_OSF; /* can only be cleared */

	d->control = ((u8)val & (CTL_OUT | CTL_SQWE | CTL_RS)) | osf;
	if (d->control & CTL_SQWE)
		unimplemented(d, "control: the square-wave output");
}

static u64 ram_get(void *dev, unsigned i, u64 val) { return ((struct ds1338 *)dev)->ram[i]; }
static void ram_set(void *dev, unsigned i, u64 val) { ((struct ds1338 *)dev)->ram[i] = (u8)val; }

static int ds1307_init(void *dev, struct error *e)
{
	struct ds1338 *d = dev;

	d->control = CTL_RS;
	latch(d);
	return 0;
}

static int ds1338_init(void *dev, struct error *e)
{
	struct ds1338 *d = dev;

	d->control = CTL_OUT | CTL_SQWE | CTL_RS;
	d->has_osf = 1;
	latch(d);
	return 0;
}

static const struct reg ds1338_regs[] = {
	{ .name = "time",
	  .at = 0,
	  .size = 1,
	  .count = TIME_REGS,
	  .stride = 1,
	  .novalue = true,
	  .get = time_get,
	  .set = time_set,
	  .doc = "Seconds with the halt bit, minutes, hours, day of the week, date, month, year." },
	{ .name = "control",
	  .at = 7,
	  .size = 1,
	  .novalue = true,
	  .get = control_get,
	  .set = control_set,
	  FIELDS(CTL_RS, CTL_SQWE, CTL_OSF, CTL_OUT),
	  .doc = "Square wave, and whether the oscillator has stopped." },
	{ .name = "ram",
	  .at = 8,
	  .size = 1,
	  .count = 56,
	  .stride = 1,
	  .novalue = true,
	  .get = ram_get,
	  .set = ram_set,
	  .doc = "Memory that the battery keeps." },
	{}
};
static const struct bank ds1338_banks[] = {
	{ .name = "regs", .regs = ds1338_regs, .size = 64, .narrow = true }, {}
};
static const struct state ds1338_state[] = {
	STATE(struct ds1338, offset),  STATE(struct ds1338, halted_at),
	STATE(struct ds1338, time),    STATE(struct ds1338, control),
	STATE(struct ds1338, ram),     STATE(struct ds1338, wday_offset),
	STATE(struct ds1338, written), DERIVED(struct ds1338, has_osf),
	DERIVED(struct ds1338, pad),   {}
};
#define CLOCK_CLASS(name_, doc_, init_) \
	{ \
		.dev = { .api = QUERN_DEVICE_API, \
			 .name = name_, \
			 .doc = doc_, \
			 .bus = "i2c-bus", \
			 .size = sizeof(struct ds1338), \
			 .banks = ds1338_banks, \
			 .state = ds1338_state, \
			 .init = init_ }, \
		.address = 0x68, .pointer = { .bytes = 1 }, .start = ds1338_start, \
		.stop = ds1338_stop, \
	}
static const struct i2c_class ds1338_class =
	CLOCK_CLASS("ds1338", "DS1338 real-time clock", ds1338_init);
static const struct i2c_class ds1307_class =
	CLOCK_CLASS("ds1307", "DS1307 real-time clock", ds1307_init);
QUERN_REGISTER(ds1338_class);
QUERN_REGISTER(ds1307_class);
