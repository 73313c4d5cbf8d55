/* SPDX-License-Identifier: GPL-2.0-or-later */
/* i8254 - the programmable interval timer and, at port 0x61, the PC's speaker and timer control.
 * Follows the Intel 8254 data sheet (1993) and the PIIX3 data sheet 2.5.4 (NMI status and control).
 * Nothing counts: what a counter holds is computed from when it was loaded. */
#include <quern/device.h>

#define PIT_HZ 1193182ull
enum {
	CONTROL_BCD = BIT(0),
	CONTROL_MODE = 7 << 1,
	CONTROL_ACCESS = 3 << 4,
	CONTROL_CHANNEL = 3 << 6
};
enum { ACCESS_LATCH, ACCESS_LOW, ACCESS_HIGH, ACCESS_BOTH };
enum { READBACK_NO_COUNT = BIT(5), READBACK_NO_STATUS = BIT(4) };
enum { STATUS_OUT = BIT(7), STATUS_NULL = BIT(6) };
enum {
	SPEAKER_GATE = BIT(0),
	SPEAKER_DATA = BIT(1),
	SPEAKER_WRITABLE = 0x0f,
	SPEAKER_REFRESH = BIT(4),
	SPEAKER_OUT2 = BIT(5)
};
#define REFRESH_NS 15085ull /* half period of the refresh request that bit 4 shows */
#define SHORTEST_PERIOD_TICKS \
	24ull /* 20 us: what a periodic interrupt may cost the host at most \
	       */

struct channel {
	u64 started; /* virtual ns when counting began from `count` */
	u32 count;   /* 1..65536 (10000 in BCD) */
	u16 latch;
	u8 mode, access;
	u8 status, write_low;
	u8 latched; /* bytes of the latched count still to be read */
	bool status_latched, read_high, write_high, bcd, gate;
	bool loaded;	/* a count was written since the mode was set */
	bool triggered; /* modes 1 and 5: the gate rose after that */
};
struct i8254 {
	struct device dev;
	struct irq out; /* of channel 0 */
	struct timer timer;
	struct channel ch[3];
	u8 speaker;
	bool replaced; /* the HPET has taken the interrupt over */
	u8 pad[6];
};

static u64 ticks_since(struct i8254 *d, const struct channel *c)
{
	return (u64)((u128)(clock_ns(d) - c->started) * PIT_HZ / 1000000000ull);
}

static u64 tick_time(const struct channel *c, u64 ticks)
{
	return c->started + (u64)(((u128)ticks * 1000000000ull + PIT_HZ - 1) / PIT_HZ);
}

static bool runs(const struct channel *c)
{
	if (!c->loaded)
		return false;
	return c->mode == 1 || c->mode == 5 ? c->triggered : c->gate;
}

static u32 range(const struct channel *c) { return c->bcd ? 10000 : 65536; }

/* OUT at a number of ticks after the start (data sheet, mode definitions). */
static bool out_at(const struct channel *c, u64 t)
{
	if (!c->loaded || ((c->mode == 1 || c->mode == 5) && !c->triggered))
		return c->mode != 0;
	switch (c->mode) {
	case 0:
	case 1:
		return t >= c->count;
	case 2:
		return !c->gate || t % c->count != c->count - 1;
	case 3:
		return !c->gate || t % c->count < (c->count + 1) / 2;
	default:
		return t != c->count; /* 4, 5: low for one tick */
	}
}

/* The next tick after t at which OUT rises; 0 = never. Nobody looks at when it falls. */
static u64 next_rise(const struct channel *c, u64 t)
{
	switch (c->mode) {
	case 0:
	case 1:
		return t < c->count ? c->count : 0;
	case 2:
	case 3:
		return t - t % c->count + c->count;
	default:
		return t <= c->count ? c->count + 1 : 0;
	}
}

static u16 to_bcd(u32 v)
{
	v %= 10000;
	return v / 1000 << 12 | v / 100 % 10 << 8 | v / 10 % 10 << 4 | v % 10;
}

static u32 from_bcd(u16 v)
{
	return (v >> 12) * 1000 + (v >> 8 & 15) * 100 + (v >> 4 & 15) * 10 + (v & 15);
}

/* What the counting element holds. */
static u16 current(struct i8254 *d, const struct channel *c)
{
	u64 t = runs(c) ? ticks_since(d, c) : 0;
	u32 v;

	if (!c->loaded)
		return 0;
	switch (c->mode) {
	case 2:
		v = c->count - t % c->count;
		break;
	case 3: /* counts by two, twice a period */
		v = c->count - (2 * (t % c->count)) % (c->count + (c->count & 1));
		v &= ~1u;
		break;
	default:
		v = (c->count + range(c) - t % range(c)) % range(c);
	}
	return c->bcd ? to_bcd(v) : v;
}

static bool out_now(struct i8254 *d, const struct channel *c)
{
	return out_at(c, runs(c) ? ticks_since(d, c) : 0);
}

/* Channel 0's interrupt: the line now, and the timer for its next rise. Between two, periodic modes
 * leave it high. */
static void update(struct i8254 *d)
{
	struct channel *c = &d->ch[0];
	bool periodic = c->mode == 2 || c->mode == 3;
	u64 t, next;

	timer_stop(&d->timer);
	if (d->replaced) {
		irq_set(&d->out, 0);
		return;
	}
	irq_set(&d->out, periodic || out_now(d, c));
	if (!runs(c))
		return;
	t = ticks_since(d, c);
	next = next_rise(c, t);
	/* a period of a few microseconds would keep the host from everything else: skip to a later
	 * one */
	if (periodic && c->count < SHORTEST_PERIOD_TICKS)
		next += SHORTEST_PERIOD_TICKS / c->count * c->count;
	if (next)
		timer_at(&d->timer, tick_time(c, next));
}

static void i8254_fire(void *dev)
{
	struct i8254 *d = dev;

	if (!fault(d, "tick_lost")) {
		irq_set(&d->out, 0);
		irq_set(&d->out, 1);
	}
	update(d);
}

static void start(struct i8254 *d, struct channel *c)
{
	c->started = clock_ns(d);
	if (c == &d->ch[0])
		update(d);
}

static void load(struct i8254 *d, struct channel *c, u16 v)
{
	u32 n = c->bcd ? from_bcd(v) : v;

	c->count = n ? n : range(c);
	if (c->count == 1 && (c->mode == 2 || c->mode == 3)) {
		guest_error(d, "count 1 is illegal in mode %u", c->mode);
		c->count = 2;
	}
	c->loaded = true;
	if (c->mode != 1 && c->mode != 5)
		start(d, c);
}

static void set_gate(struct i8254 *d, struct channel *c, bool on)
{
	bool rises = on && !c->gate;

	c->gate = on;
	if (rises) {
		/* modes 0 and 4 would go on with the rest of the count; channel 2 is the only gated
		 * one and starts over */
		c->triggered = true;
		start(d, c);
	}
}

static void latch_count(struct i8254 *d, struct channel *c)
{
	if (c->latched)
		return;
	c->latch = current(d, c);
	c->latched = c->access == ACCESS_BOTH ? 2 : 1;
	if (c->access == ACCESS_BOTH)
		c->read_high = false;
}

static void latch_status(struct i8254 *d, struct channel *c)
{
	if (c->status_latched)
		return;
	c->status = (out_now(d, c) ? STATUS_OUT : 0) | (c->loaded ? 0 : STATUS_NULL) |
		    c->access << 4 | c->mode << 1 | c->bcd;
	c->status_latched = true;
}

static void control(struct i8254 *d, u8 v)
{
	unsigned n = FIELD_GET(CONTROL_CHANNEL, v), mode = FIELD_GET(CONTROL_MODE, v);
	struct channel *c;

	if (n == 3) {
		for (unsigned i = 0; i < 3; i++) {
			if (!(v & 2u << i))
				continue;
			if (!(v & READBACK_NO_COUNT))
				latch_count(d, &d->ch[i]);
			if (!(v & READBACK_NO_STATUS))
				latch_status(d, &d->ch[i]);
		}
		return;
	}
	c = &d->ch[n];
	if (FIELD_GET(CONTROL_ACCESS, v) == ACCESS_LATCH) {
		latch_count(d, c);
		return;
	}
	c->access = FIELD_GET(CONTROL_ACCESS, v);
	c->mode = mode > 5 ? mode & 3 : mode;
	c->bcd = v & CONTROL_BCD;
	c->loaded = c->triggered = c->read_high = c->write_high = c->status_latched = false;
	c->latched = 0;
	if (n == 0)
		update(d);
}

static void count_write(struct i8254 *d, struct channel *c, u8 v)
{
	switch (c->access) {
	case ACCESS_LOW:
		load(d, c, v);
		break;
	case ACCESS_HIGH:
		load(d, c, v << 8);
		break;
	default:
		if (c->write_high)
			load(d, c, v << 8 | c->write_low);
		c->write_low = v;
		c->write_high = !c->write_high;
	}
}

static u8 count_read(struct i8254 *d, struct channel *c)
{
	u16 v;
	bool high;

	if (c->status_latched) {
		c->status_latched = false;
		return c->status;
	}
	v = c->latched ? c->latch : current(d, c);
	if (c->latched)
		c->latched--;
	high = c->access == ACCESS_HIGH || (c->access == ACCESS_BOTH && c->read_high);
	if (c->access == ACCESS_BOTH)
		c->read_high = !c->read_high;
	return high ? v >> 8 : v;
}

static u64 i8254_read(void *dev, u64 off, unsigned size)
{
	struct i8254 *d = dev;

	if (off < 3)
		return count_read(d, &d->ch[off]);
	guest_error(d, "the control word cannot be read");
	return 0xff;
}

static void i8254_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct i8254 *d = dev;

	if (off == 3)
		control(d, val);
	else
		count_write(d, &d->ch[off], val);
}

static u64 speaker_read(void *dev, u64 off, unsigned size)
{
	struct i8254 *d = dev;

	return d->speaker | (clock_ns(d) / REFRESH_NS & 1 ? SPEAKER_REFRESH : 0) |
	       (out_now(d, &d->ch[2]) ? SPEAKER_OUT2 : 0);
}

static void speaker_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct i8254 *d = dev;

	d->speaker = val & SPEAKER_WRITABLE;
	set_gate(d, &d->ch[2], val & SPEAKER_GATE);
}

/* Input 0: legacy replacement by the HPET. */
static void i8254_input(void *dev, unsigned n, int level)
{
	struct i8254 *d = dev;

	d->replaced = level;
	update(d);
}

static void i8254_reset(void *dev)
{
	struct i8254 *d = dev;

	memset(d->ch, 0, sizeof(d->ch));
	for (unsigned i = 0; i < 3; i++) {
		d->ch[i].mode = 3;
		d->ch[i].access = ACCESS_BOTH;
		d->ch[i].gate = i < 2;
	}
	d->speaker = 0;
	update(d);
}

static const struct bank i8254_banks[] = { { .name = "pit",
					     .size = 4,
					     .min = 1,
					     .max = 1,
					     .split = true,
					     .read = i8254_read,
					     .write = i8254_write },
					   { .name = "speaker",
					     .size = 1,
					     .min = 1,
					     .max = 1,
					     .read = speaker_read,
					     .write = speaker_write },
					   {} };
static const struct state i8254_state[] = { IRQ_OUT(struct i8254, out),
					    TIMER(struct i8254, timer, i8254_fire),
					    STATE(struct i8254, ch),
					    STATE(struct i8254, speaker),
					    STATE(struct i8254, replaced),
					    DERIVED(struct i8254, pad),
					    {} };
DEVICE(i8254, .name = "i8254", .doc = "8254 interval timer with speaker port", .banks = i8254_banks,
       .state = i8254_state, .inputs = 1, .input = i8254_input, .reset = i8254_reset);
