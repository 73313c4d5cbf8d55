/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hpet - the high precision event timers: a 64-bit counter and `timers` comparators, the first of
 * them periodic-capable as all are. Follows the IA-PC HPET Specification 1.0a (2004) chapter 2; no
 * front side bus delivery. */
#include <quern/device.h>

enum { MAX_TIMERS = 8, GSIS = 24 };
enum { CONF_ENABLE = BIT(0), CONF_LEGACY = BIT(1) };
enum {
	TN_LEVEL = BIT(1),
	TN_INT_ENABLE = BIT(2),
	TN_PERIODIC = BIT(3),
	TN_PER_CAP = BIT(4),
	TN_64BIT_CAP = BIT(5),
	TN_VAL_SET = BIT(6),
	TN_32MODE = BIT(8),
	TN_ROUTE = 31 << 9,
	TN_FSB_ENABLE = BIT(14),
	TN_FSB_CAP = BIT(15),
	TN_WRITABLE = TN_LEVEL | TN_INT_ENABLE | TN_PERIODIC | TN_VAL_SET | TN_32MODE | TN_ROUTE
};
#define PERIOD_FS	      10000000ull /* 100 MHz */
#define NS_PER_TICK	      (PERIOD_FS / 1000000)
/* Routes of comparators: any input of the I/O APIC that no legacy device has for itself alone. */
#define ROUTES		      0x00ff0000u
/* A guest that asks for a shorter period is served at this one: 20 us. */
#define SHORTEST_PERIOD_TICKS 2000ull

struct comparator {
	u64 config, compare, period; /* period: what periodic mode adds */
};
struct hpet {
	struct device dev;
	struct irq irq[GSIS], legacy;
	struct timer timer[MAX_TIMERS];
	struct comparator tn[MAX_TIMERS];
	u64 config, status, halted; /* halted: the counter while it stands */
	u64 base;		    /* virtual ns when the counter was zero, while it runs */
	u32 timers;
	u8 pad[4];
};

static bool running(const struct hpet *d) { return d->config & CONF_ENABLE; }

static u64 counter(struct hpet *d)
{
	return running(d) ? (clock_ns(d) - d->base) / NS_PER_TICK : d->halted;
}

static int route(const struct hpet *d, unsigned n)
{
	if ((d->config & CONF_LEGACY) && n < 2)
		return n ? 8 : 0;
	return FIELD_GET(TN_ROUTE, (u32)d->tn[n].config);
}

static bool legacy(const struct hpet *d, unsigned n) { return (d->config & CONF_LEGACY) && n < 2; }

static u64 mask(const struct comparator *c)
{
	return c->config & TN_32MODE ? 0xffffffffull : ~0ull;
}

/* The level of every route: the OR of the level-triggered comparators there whose status is set. */
static void update_levels(struct hpet *d)
{
	u32 up = 0;

	for (unsigned n = 0; n < d->timers; n++) {
		if ((d->tn[n].config & (TN_LEVEL | TN_INT_ENABLE)) == (TN_LEVEL | TN_INT_ENABLE) &&
		    (d->status & BIT(n)))
			up |= BIT(route(d, n));
	}
	for (unsigned g = 0; g < GSIS; g++) {
		if (!(d->config & CONF_LEGACY) || (g != 0 && g != 8) || (up >> g & 1))
			irq_set(&d->irq[g], up >> g & 1);
	}
}

static void interrupt(struct hpet *d, unsigned n)
{
	struct comparator *c = &d->tn[n];
	int g = route(d, n);

	trace(d, "match", "timer=%u", n);
	if (fault(d, "irq_lost"))
		return;
	if (c->config & TN_LEVEL) {
		d->status |= BIT(n);
		update_levels(d);
	} else if ((c->config & TN_INT_ENABLE) && g < GSIS && (legacy(d, n) || (ROUTES >> g & 1))) {
		/* the 8259 pair forgets an edge whose line drops before its acknowledge: leave it
		 * up until the next one */
		irq_set(&d->irq[g], 0);
		irq_set(&d->irq[g], 1);
		if (!legacy(d, n))
			irq_set(&d->irq[g], 0);
	}
}

/* Ticks from now to the next match, as the comparator's width has it. */
static u64 distance(struct hpet *d, const struct comparator *c, u64 now)
{
	u64 ticks = (c->compare - now) & mask(c);

	return ticks ? ticks : mask(c);
}

static void arm(struct hpet *d, unsigned n)
{
	struct comparator *c = &d->tn[n];
	u64 ticks;

	timer_stop(&d->timer[n]);
	if (!running(d))
		return;
	ticks = distance(d, c, counter(d));
	if (ticks < BIT64(56))
		timer_start(&d->timer[n], ticks * NS_PER_TICK);
}

static void match(struct hpet *d, unsigned n)
{
	struct comparator *c = &d->tn[n];

	if ((c->config & TN_PERIODIC) && c->period) {
		u64 now = counter(d), period = MAX(c->period, SHORTEST_PERIOD_TICKS),
		    behind = (now - c->compare) & mask(c);

		/* 2.3.9.2.1: the comparator moves on by the period; those that the host slept
		 * through are one interrupt */
		c->compare = (c->compare + (behind / period + 1) * period) & mask(c);
	}
	interrupt(d, n);
	arm(d, n);
}

#define FIRE(n) \
	static void fire##n(void *dev) { match(dev, n); }
FIRE(0)
FIRE(1)
FIRE(2)
FIRE(3)
FIRE(4)
FIRE(5)
FIRE(6)
FIRE(7)

/* ---- registers: 8 bytes each, 32-bit halves allowed */

static u64 read64(struct hpet *d, u64 off)
{
	struct comparator *c;
	unsigned n = (off - 0x100) / 0x20;

	switch (off) {
	case 0x00:
		return PERIOD_FS << 32 | 0x8086u << 16 | BIT(15) | BIT(13) | (d->timers - 1) << 8 |
		       0x01;
	case 0x10:
		return d->config;
	case 0x20:
		return d->status;
	case 0xf0:
		return counter(d);
	}
	if (off < 0x100 || n >= d->timers)
		return 0;
	c = &d->tn[n];
	switch (off & 0x18) {
	case 0x00:
		return c->config | TN_PER_CAP | TN_64BIT_CAP | (u64)ROUTES << 32;
	case 0x08:
		return c->compare & mask(c);
	}
	return 0;
}

static void write_config(struct hpet *d, u64 val)
{
	bool was = running(d);
	u64 now = counter(d);

	d->config = val & (CONF_ENABLE | CONF_LEGACY);
	if (running(d) && !was)
		d->base = clock_ns(d) - d->halted * NS_PER_TICK;
	else if (!running(d) && was)
		d->halted = now;
	for (unsigned n = 0; n < d->timers; n++)
		arm(d, n);
	irq_set(&d->legacy, !!(d->config & CONF_LEGACY));
	update_levels(d);
}

static void write_counter(struct hpet *d, u64 val)
{
	if (running(d))
		guest_error(d, "counter written while it runs");
	d->halted = val;
	d->base = clock_ns(d) - val * NS_PER_TICK;
	for (unsigned n = 0; n < d->timers; n++)
		arm(d, n);
}

static void write_tn_config(struct hpet *d, unsigned n, u64 val)
{
	struct comparator *c = &d->tn[n];

	if (val & TN_FSB_ENABLE)
		guest_error(d,
			    "timer %u: front side bus delivery is not there (its capability bit is "
			    "0)",
			    n);
	c->config = val & TN_WRITABLE;
	if (c->config & TN_32MODE) {
		c->compare = (u32)c->compare;
		c->period = (u32)c->period;
	}
	if (!(c->config & TN_LEVEL))
		d->status &= ~(u64)BIT(n);
	update_levels(d);
	arm(d, n);
}

/* 2.3.9.2.2: in periodic mode the first write after TN_VAL_SET goes to the comparator, others to
 * the period. */
static void write_compare(struct hpet *d, unsigned n, u64 val)
{
	struct comparator *c = &d->tn[n];

	val &= mask(c);
	if (!(c->config & TN_PERIODIC) || (c->config & TN_VAL_SET))
		c->compare = val;
	if (c->config & TN_PERIODIC)
		c->period = val;
	c->config &= ~(u64)TN_VAL_SET;
	arm(d, n);
}

static void write64(struct hpet *d, u64 off, u64 val)
{
	unsigned n = (off - 0x100) / 0x20;

	switch (off) {
	case 0x00:
		guest_error(d, "capabilities are read-only");
		return;
	case 0x10:
		write_config(d, val);
		return;
	case 0x20:
		d->status &= ~val;
		update_levels(d);
		return;
	case 0xf0:
		write_counter(d, val);
		return;
	}
	if (off < 0x100 || n >= d->timers || (off & 0x18) > 0x08)
		guest_error(d, "write at offset %#llx, where no register is",
			    (unsigned long long)off);
	else if ((off & 0x18) == 0)
		write_tn_config(d, n, val);
	else
		write_compare(d, n, val);
}

static u64 hpet_read(void *dev, u64 off, unsigned size)
{
	struct hpet *d = dev;

	return read64(d, off & ~7ull) >> (off & 7) * 8;
}

/* The other half of a register that is written by halves keeps its value; a comparator's is not
 * what its period would read as. */
static void hpet_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct hpet *d = dev;
	u64 at = off & ~7ull, keep = 0;

	if (size == 8) {
		write64(d, off, val);
		return;
	}
	if (at != 0x20)
		keep = at == 0xf0 || at < 0x100 ? read64(d, at) :
		       (at & 0x18) == 8		? 0 :
					  d->tn[MIN((at - 0x100) / 0x20, MAX_TIMERS - 1ull)].config;
	if (off & 4) {
		/* configurations have nothing to write there; 64-bit comparators are written low
		 * half first */
		if (at >= 0x100 && (at & 0x18) == 8) {
			struct comparator *c = &d->tn[MIN((at - 0x100) / 0x20, MAX_TIMERS - 1ull)];

			if (c->config & TN_32MODE)
				return;
			c->compare = (u32)c->compare | val << 32;
			c->period =
				c->config & TN_PERIODIC ? (u32)c->period | val << 32 : c->period;
			if (at - 0x100 < 0x20ull * d->timers)
				arm(d, (at - 0x100) / 0x20);
			return;
		}
		write64(d, at, (keep & 0xffffffff) | val << 32);
	} else {
		write64(d, at, (keep & ~0xffffffffull) | val);
	}
}

static void hpet_reset(void *dev)
{
	struct hpet *d = dev;

	memset(d->tn, 0, sizeof(d->tn));
	d->config = d->status = d->halted = d->base = 0;
	for (unsigned n = 0; n < d->timers; n++) {
		d->tn[n].compare = ~0ull;
		timer_stop(&d->timer[n]);
	}
	irq_set(&d->legacy, 0);
	update_levels(d);
}

static const struct bank hpet_banks[] = { { .name = "mmio",
					    .size = 0x400,
					    .min = 4,
					    .max = 8,
					    .read = hpet_read,
					    .write = hpet_write },
					  {} };
static const struct prop hpet_props[] = { PROP(struct hpet, timers, .def = 3, .min = 3,
					       .max = MAX_TIMERS, .doc = "Number of comparators."),
					  {} };
#define HPET_TIMER(n) \
	{ \
		"timer" #n, offsetof(struct hpet, timer[n]), sizeof(struct timer), STATE_TIMER, \
			fire##n \
	}
static const struct state hpet_state[] = { IRQ_OUT(struct hpet, irq),
					   IRQ_OUT(struct hpet, legacy),
					   HPET_TIMER(0),
					   HPET_TIMER(1),
					   HPET_TIMER(2),
					   HPET_TIMER(3),
					   HPET_TIMER(4),
					   HPET_TIMER(5),
					   HPET_TIMER(6),
					   HPET_TIMER(7),
					   STATE(struct hpet, tn),
					   STATE(struct hpet, config),
					   STATE(struct hpet, status),
					   STATE(struct hpet, halted),
					   STATE(struct hpet, base),
					   DERIVED(struct hpet, pad),
					   {} };
DEVICE(hpet, .name = "hpet", .doc = "High precision event timers", .banks = hpet_banks,
       .props = hpet_props, .state = hpet_state, .reset = hpet_reset);
