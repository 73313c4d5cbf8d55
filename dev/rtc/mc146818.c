/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mc146818 - the PC's real-time clock and its CMOS memory. Follows the Motorola MC146818A data
 * sheet (1984); the century byte and the memory sizes are as PC firmware keeps them. The time is
 * the machine's wall clock plus what the guest set; nothing ticks unless an interrupt waits for it.
 */
#include <quern/device.h>
#include <stdio.h>

enum {
	SECONDS,
	SECONDS_ALARM,
	MINUTES,
	MINUTES_ALARM,
	HOURS,
	HOURS_ALARM,
	WEEKDAY,
	DAY,
	MONTH,
	YEAR,
	REG_A,
	REG_B,
	REG_C,
	REG_D,
	CENTURY = 0x32,
	TIME_REGS = 10
};
enum { A_RATE = 0x0f, A_DIVIDER = 0x70, A_UIP = 0x80, A_DIVIDER_32K = 0x20 };
enum {
	B_DSE = BIT(0),
	B_24H = BIT(1),
	B_BINARY = BIT(2),
	B_UIE = BIT(4),
	B_AIE = BIT(5),
	B_PIE = BIT(6),
	B_SET = BIT(7)
};
enum {
	C_UF = BIT(4),
	C_AF = BIT(5),
	C_PF = BIT(6),
	C_IRQ = BIT(7),
	C_SOURCES = C_UF | C_AF | C_PF
};
enum { D_VALID = BIT(7), ALARM_ANY = 0xc0 };
#define SECOND 1000000000ll
#define UPDATE_NS \
	2228000ll /* 244 us of warning and 1984 us of update: UIP is up, then the new second shows \
		   */

struct mc146818 {
	struct device dev;
	struct irq irq;
	struct timer second_timer, periodic_timer;
	u64 ram_low, ram_high; /* for the sizes in CMOS memory */
	s64 offset;	       /* guest's clock - wall clock, in ns */
	s64 seen;	       /* the last second for which flags were computed */
	u64 periodic_next;     /* virtual ns of the next periodic flag */
	u8 cmos[128];
	/* time registers while updates are inhibited; the last one is the century */
	u8 set_regs[TIME_REGS + 1];
	u8 index;
	u8 cpus;
	bool replaced; /* the HPET has taken the interrupt over */
	u8 pad[2];
};

/* month, day, weekday from 1 (Sunday) */
struct when {
	s64 year;
	u8 month, day, hour, minute, second, weekday;
};

/* Civil dates from days since 1970-01-01: the proleptic Gregorian calendar in 400-year eras that
 * begin on 1 March. */
static struct when split_time(s64 t)
{
	s64 days = t / 86400 - (t % 86400 < 0), rest = t - days * 86400, z = days + 719468;
	s64 era = (z >= 0 ? z : z - 146096) / 146097;
	u32 doe = z - era * 146097, yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365,
	    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	u32 m = (5 * doy + 2) / 153;

	return (struct when){ .year = yoe + era * 400 + (m >= 10),
			      .month = m < 10 ? m + 3 : m - 9,
			      .day = doy - (153 * m + 2) / 5 + 1,
			      .hour = rest / 3600,
			      .minute = rest / 60 % 60,
			      .second = rest % 60,
			      .weekday = (days % 7 + 11) % 7 + 1 };
}

static s64 join_time(const struct when *w)
{
	s64 y = w->year - (w->month <= 2), era = (y >= 0 ? y : y - 399) / 400;
	u32 yoe = y - era * 400, mp = (w->month + 9) % 12,
	    doy = (153 * mp + 2) / 5 + (w->day ? w->day : 1) - 1;
	u32 doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return (era * 146097 + (s64)doe - 719468) * 86400 + w->hour * 3600 + w->minute * 60 +
	       w->second;
}

static s64 now_ns(struct mc146818 *d) { return (s64)(clock_wall(d) + (u64)d->offset); }

/* Sets the clock on by so much. Years up to 9999 can be written; what lies 292 or more from 1970
 * wraps. */
static void move_clock(struct mc146818 *d, s64 seconds, s64 ns)
{
	d->offset = (s64)((u64)d->offset + (u64)seconds * SECOND + (u64)ns);
}

static s64 floor_seconds(s64 ns) { return ns / SECOND - (ns % SECOND < 0); }

static s64 now_seconds(struct mc146818 *d) { return floor_seconds(now_ns(d)); }

/* ---- encoding by register B */

static u8 encode(const struct mc146818 *d, unsigned v)
{
	return d->cmos[REG_B] & B_BINARY ? v : v / 10 << 4 | v % 10;
}

static unsigned decode(const struct mc146818 *d, u8 v)
{
	return d->cmos[REG_B] & B_BINARY ? v : (v >> 4) * 10 + (v & 15);
}

static u8 encode_hour(const struct mc146818 *d, unsigned h)
{
	if (d->cmos[REG_B] & B_24H)
		return encode(d, h);
	return encode(d, h % 12 ? h % 12 : 12) | (h >= 12 ? 0x80 : 0);
}

static unsigned decode_hour(const struct mc146818 *d, u8 v)
{
	if (d->cmos[REG_B] & B_24H)
		return decode(d, v);
	return decode(d, v & 0x7f) % 12 + (v & 0x80 ? 12 : 0);
}

static void fill_regs(struct mc146818 *d, s64 t, u8 *r)
{
	struct when w = split_time(t);

	r[SECONDS] = encode(d, w.second);
	r[MINUTES] = encode(d, w.minute);
	r[HOURS] = encode_hour(d, w.hour);
	r[WEEKDAY] = w.weekday;
	r[DAY] = encode(d, w.day);
	r[MONTH] = encode(d, w.month);
	r[YEAR] = encode(d, w.year % 100);
	r[TIME_REGS] = encode(d, w.year / 100 % 100);
}

static s64 read_regs(const struct mc146818 *d, const u8 *r)
{
	struct when w = { .year = decode(d, r[TIME_REGS]) * 100 + decode(d, r[YEAR]),
			  .month = decode(d, r[MONTH]),
			  .day = decode(d, r[DAY]),
			  .hour = decode_hour(d, r[HOURS]),
			  .minute = decode(d, r[MINUTES]),
			  .second = decode(d, r[SECONDS]) };

	if (w.month < 1 || w.month > 12)
		w.month = 1;
	return join_time(&w);
}

/* ---- flags and interrupts */

static bool updating(const struct mc146818 *d)
{
	/* divider values 0, 1 and 2 select a time base; others hold the chain in reset */
	return !(d->cmos[REG_B] & B_SET) && (d->cmos[REG_A] & A_DIVIDER) <= A_DIVIDER_32K;
}

static void update_irq(struct mc146818 *d)
{
	u8 *c = &d->cmos[REG_C];

	*c &= C_SOURCES;
	if (*c & d->cmos[REG_B] & C_SOURCES)
		*c |= C_IRQ;
	irq_set(&d->irq, (*c & C_IRQ) && !d->replaced);
}

static bool alarm_at(const struct mc146818 *d, s64 t)
{
	struct when w = split_time(t);
	const u8 *r = d->cmos;

	return ((r[SECONDS_ALARM] & ALARM_ANY) == ALARM_ANY ||
		decode(d, r[SECONDS_ALARM]) == w.second) &&
	       ((r[MINUTES_ALARM] & ALARM_ANY) == ALARM_ANY ||
		decode(d, r[MINUTES_ALARM]) == w.minute) &&
	       ((r[HOURS_ALARM] & ALARM_ANY) == ALARM_ANY ||
		decode_hour(d, r[HOURS_ALARM]) == w.hour);
}

/* Everything that happened since the last look: an alarm repeats daily, so a day of seconds tells
 * all. */
static void catch_up(struct mc146818 *d)
{
	s64 now = now_seconds(d), from = MAX(d->seen, now - 86400);

	if (!updating(d) || now <= d->seen) {
		d->seen = now;
		return;
	}
	d->cmos[REG_C] |= C_UF;
	for (s64 t = from + 1; t <= now && !(d->cmos[REG_C] & C_AF); t++)
		d->cmos[REG_C] |= alarm_at(d, t) ? C_AF : 0;
	d->seen = now;
	update_irq(d);
}

static void arm_second(struct mc146818 *d)
{
	s64 ns = now_ns(d);

	timer_stop(&d->second_timer);
	if (updating(d) && (d->cmos[REG_B] & (B_AIE | B_UIE)))
		timer_start(&d->second_timer, (floor_seconds(ns) + 1) * SECOND - ns);
}

static void second_fire(void *dev)
{
	struct mc146818 *d = dev;

	if (!fault(d, "second_lost"))
		catch_up(d);
	arm_second(d);
}

/* Table 5: rates of the 32768 Hz time base. */
static u64 periodic_ns(const struct mc146818 *d)
{
	unsigned rate = d->cmos[REG_A] & A_RATE;

	if (!rate || (d->cmos[REG_A] & A_DIVIDER) > A_DIVIDER_32K)
		return 0;
	return (1ull << ((rate < 3 ? rate + 7 : rate) - 1)) * 1000000000ull / 32768;
}

static void arm_periodic(struct mc146818 *d)
{
	u64 ns = periodic_ns(d);

	timer_stop(&d->periodic_timer);
	if (!ns)
		return;
	d->periodic_next = clock_ns(d) + ns;
	if (d->cmos[REG_B] & B_PIE)
		timer_at(&d->periodic_timer, d->periodic_next);
}

/* PF rises with or without its interrupt; without it, when somebody looks. */
static void catch_up_periodic(struct mc146818 *d)
{
	u64 ns = periodic_ns(d), now = clock_ns(d);

	if (!ns || now < d->periodic_next)
		return;
	d->cmos[REG_C] |= C_PF;
	d->periodic_next += ((now - d->periodic_next) / ns + 1) * ns;
}

static void periodic_fire(void *dev)
{
	struct mc146818 *d = dev;

	catch_up_periodic(d);
	update_irq(d);
	if (d->cmos[REG_B] & B_PIE)
		timer_at(&d->periodic_timer, d->periodic_next);
}

/* ---- registers */

/* The guest has set the clock. */
static void tell_change(struct mc146818 *d)
{
	char json[96];

	snprintf(json, sizeof(json), "{\"offset\": %lld, \"qom-path\": \"/machine/%s\"}",
		 (long long)floor_seconds(d->offset + SECOND / 2), d->dev.id);
	device_event(d, "RTC_CHANGE", json);
}

static u8 read_time(struct mc146818 *d, unsigned n)
{
	u8 r[TIME_REGS + 1];

	if (d->cmos[REG_B] & B_SET)
		return d->set_regs[n];
	fill_regs(d, now_seconds(d), r);
	return r[n];
}

static void write_time(struct mc146818 *d, unsigned n, u8 v)
{
	s64 ns = now_ns(d), second = floor_seconds(ns);
	u8 r[TIME_REGS + 1] = { 0 };

	if (d->cmos[REG_B] & B_SET) {
		d->set_regs[n] = v;
		return;
	}
	fill_regs(d, second, r);
	r[n] = v;
	move_clock(d, read_regs(d, r) - second, 0);
	tell_change(d);
	d->seen = now_seconds(d);
	arm_second(d);
}

static void write_b(struct mc146818 *d, u8 v)
{
	u8 old = d->cmos[REG_B];
	s64 ns = now_ns(d), second = floor_seconds(ns);

	catch_up(d);
	if (v & ~old & B_SET)
		fill_regs(d, second, d->set_regs);
	if (v & B_SET)
		v &= ~B_UIE;
	d->cmos[REG_B] = v;
	if (old & ~v & B_SET) {
		/* the second that begins now is the one that was written */
		move_clock(d, read_regs(d, d->set_regs), -ns);
		tell_change(d);
		d->seen = now_seconds(d);
	}
	if (v & B_DSE)
		unimplemented(d, "reg_b: daylight saving by the clock itself");
	update_irq(d);
	arm_second(d);
	if ((v ^ old) & B_PIE)
		arm_periodic(d);
}

static void write_a(struct mc146818 *d, u8 v)
{
	bool ran = updating(d);

	catch_up(d);
	d->cmos[REG_A] = v & ~A_UIP;
	/* 14.4: the first update comes half a second after the divider is released */
	if (!ran && updating(d)) {
		s64 ns = now_ns(d);

		move_clock(d, floor_seconds(ns), SECOND / 2 - ns);
	}
	arm_second(d);
	arm_periodic(d);
}

static u8 cmos_read(struct mc146818 *d)
{
	u8 v;

	switch (d->index) {
	case SECONDS:
	case MINUTES:
	case HOURS:
	case WEEKDAY ... YEAR:
		return read_time(d, d->index);
	case CENTURY:
		return read_time(d, TIME_REGS);
	case REG_A:
		return d->cmos[REG_A] |
		       (updating(d) && now_ns(d) - now_seconds(d) * SECOND >= SECOND - UPDATE_NS ?
				A_UIP :
				0);
	case REG_C:
		catch_up(d);
		catch_up_periodic(d);
		update_irq(d);
		v = d->cmos[REG_C];
		d->cmos[REG_C] = 0;
		update_irq(d);
		return v;
	}
	return d->cmos[d->index];
}

static void cmos_write(struct mc146818 *d, u8 v)
{
	switch (d->index) {
	case SECONDS:
	case MINUTES:
	case HOURS:
	case WEEKDAY ... YEAR:
		write_time(d, d->index, v);
		break;
	case CENTURY:
		write_time(d, TIME_REGS, v);
		break;
	case SECONDS_ALARM:
	case MINUTES_ALARM:
	case HOURS_ALARM:
		catch_up(d);
		d->cmos[d->index] = v;
		break;
	case REG_A:
		write_a(d, v);
		break;
	case REG_B:
		write_b(d, v);
		break;
	case REG_C:
	case REG_D:
		guest_error(d, "reg_%c is read-only", d->index == REG_C ? 'c' : 'd');
		break;
	default:
		d->cmos[d->index] = v;
	}
}

static u64 mc146818_read(void *dev, u64 off, unsigned size)
{
	struct mc146818 *d = dev;

	return off ? cmos_read(d) : 0xff; /* the index port is write-only */
}

static void mc146818_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct mc146818 *d = dev;

	if (off)
		cmos_write(d, val);
	else
		d->index = val & 0x7f; /* bit 7 masks NMI: of nobody here */
}

/* ---- life */

static void put16(struct mc146818 *d, unsigned at, u64 v)
{
	v = MIN(v, (u64)0xffff);
	d->cmos[at] = v;
	d->cmos[at + 1] = v >> 8;
}

/* What PC firmware and old boot loaders look for. */
static void fill_memory_sizes(struct mc146818 *d)
{
	u64 kib = d->ram_low / 1024,
	    above_16m = d->ram_low > 16 << 20 ? (d->ram_low - (16 << 20)) / 65536 : 0,
	    high = d->ram_high / 65536;

	put16(d, 0x15, MIN(kib, (u64)640));
	put16(d, 0x17, kib > 1024 ? MIN(kib - 1024, (u64)63 * 1024) : 0);
	d->cmos[0x30] = d->cmos[0x17];
	d->cmos[0x31] = d->cmos[0x18];
	put16(d, 0x34, above_16m);
	d->cmos[0x5b] = high;
	d->cmos[0x5c] = high >> 8;
	d->cmos[0x5d] = high >> 16;
	d->cmos[0x5f] = d->cpus ? d->cpus - 1 : 0;
	d->cmos[0x14] = 0x06; /* equipment: coprocessor, PS/2 mouse */
}

static int mc146818_init(void *dev, struct error *e)
{
	struct mc146818 *d = dev;

	d->cmos[REG_A] = 0x26; /* 32 kHz base, 1024 Hz */
	d->cmos[REG_B] = B_24H;
	d->cmos[REG_D] = D_VALID;
	fill_memory_sizes(d);
	return 0;
}

/* The battery keeps memory and time; RESET clears the interrupt enables and flags. */
static void mc146818_reset(void *dev)
{
	struct mc146818 *d = dev;

	d->cmos[REG_B] &= ~(B_PIE | B_AIE | B_UIE);
	d->cmos[REG_C] = 0;
	d->index = 0;
	d->seen = now_seconds(d);
	update_irq(d);
	arm_second(d);
	arm_periodic(d);
}

/* Input 0: legacy replacement by the HPET. */
static void mc146818_input(void *dev, unsigned n, int level)
{
	struct mc146818 *d = dev;

	d->replaced = level;
	update_irq(d);
}

static const struct bank mc146818_banks[] = { { .name = "rtc",
						.size = 2,
						.min = 1,
						.max = 1,
						.split = true,
						.read = mc146818_read,
						.write = mc146818_write },
					      {} };
static const struct prop mc146818_props[] = {
	PROP(struct mc146818, ram_low, .kind = PROP_SIZE,
	     .doc = "Memory below 4 GiB, for the sizes that firmware keeps in CMOS memory."),
	PROP(struct mc146818, ram_high, .kind = PROP_SIZE, .doc = "Memory above 4 GiB."),
	PROP(struct mc146818, cpus, .doc = "Number of CPUs, for firmware (byte 0x5f)."),
	{}
};
static const struct state mc146818_state[] = { IRQ_OUT(struct mc146818, irq),
					       TIMER(struct mc146818, second_timer, second_fire),
					       TIMER(struct mc146818, periodic_timer,
						     periodic_fire),
					       STATE(struct mc146818, offset),
					       STATE(struct mc146818, seen),
					       STATE(struct mc146818, periodic_next),
					       STATE(struct mc146818, cmos),
					       STATE(struct mc146818, set_regs),
					       STATE(struct mc146818, index),
					       STATE(struct mc146818, replaced),
					       DERIVED(struct mc146818, pad),
					       {} };
DEVICE(mc146818, .name = "mc146818rtc", .doc = "Real-time clock and CMOS memory",
       .banks = mc146818_banks, .props = mc146818_props, .state = mc146818_state, .inputs = 1,
       .input = mc146818_input, .init = mc146818_init, .reset = mc146818_reset);
