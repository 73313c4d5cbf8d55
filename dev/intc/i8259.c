/* SPDX-License-Identifier: GPL-2.0-or-later */
/* i8259 - the pair of interrupt controllers of a PC: master and slave, cascaded at IR2, with the
 * edge/level control registers of the PIIX and ICH bridges. Follows the Intel 8259A data sheet
 * (1988) and the PIIX3 data sheet 2.5.9 (ELCR). */
#include <quern/intc.h>
#include <stdio.h>

enum { ICW1_ICW4 = BIT(0), ICW1_SINGLE = BIT(1), ICW1_LEVEL = BIT(3), ICW1 = BIT(4) };
enum { ICW4_8086 = BIT(0), ICW4_AEOI = BIT(1), ICW4_NESTED = BIT(4) };
enum {
	OCW3 = BIT(3),
	OCW3_RIS = BIT(0),
	OCW3_RR = BIT(1),
	OCW3_POLL = BIT(2),
	OCW3_SMM = BIT(5),
	OCW3_ESMM = BIT(6)
};
enum { CASCADE = 2 };

struct pic {
	u8 irr, isr, imr;     /* requests latched by edges; in service; masked */
	u8 lines, elcr;	      /* pin levels; 1 = level-triggered */
	u8 base;	      /* vector of IR0 */
	u8 lowest;	      /* the input of lowest priority, 7 after initialisation */
	u8 step, icw4_wanted; /* next initialisation word (0 = initialised, 2, 3, 4) */
	bool aeoi, rotate_aeoi, nested, special_mask, poll, read_isr, single, out;
};
struct i8259 {
	struct device dev;
	struct irq intr;
	struct pic pic[2];
	u8 pad[6];
};

static u8 requests(const struct pic *p) { return p->irr | (p->lines & p->elcr); }

/* Inputs in order of priority, highest first: 0 is the one after the lowest. */
static int best(const struct pic *p, u8 bits)
{
	for (unsigned i = 1; i <= 8; i++) {
		unsigned n = (p->lowest + i) & 7;

		if (bits & BIT(n))
			return n;
	}
	return -1;
}

static unsigned rank(const struct pic *p, int n) { return n < 0 ? 8 : (n - p->lowest - 1) & 7; }

/* The input that may interrupt now, or -1. */
static int candidate(const struct i8259 *d, const struct pic *p)
{
	u8 blocking = p->isr;
	int n;

	if (p->step)
		return -1;
	n = best(p, requests(p) & ~p->imr);
	if (n < 0)
		return -1;
	if (p->special_mask) /* special mask mode: only requests that are in service themselves are
				held back */
		return best(p, requests(p) & ~p->imr & ~p->isr);
	/* special fully nested mode: a slave in service does not block its further requests */
	if (p->nested && p == &d->pic[0] && n == CASCADE)
		blocking &= ~BIT(CASCADE);
	return rank(p, n) < rank(p, best(p, blocking)) ? n : -1;
}

static void raise_input(struct pic *p, unsigned n, int level)
{
	u8 bit = BIT(n);

	if (level) {
		if (!(p->lines & bit) && !(p->elcr & bit))
			p->irr |= bit;
		p->lines |= bit;
	} else {
		p->lines &= ~bit;
		/* a request that goes away before its acknowledge is spurious */
		p->irr &= ~bit;
	}
}

static void update(struct i8259 *d)
{
	d->pic[1].out = candidate(d, &d->pic[1]) >= 0;
	raise_input(&d->pic[0], CASCADE, d->pic[1].out);
	d->pic[0].out = candidate(d, &d->pic[0]) >= 0;
	irq_set(&d->intr, d->pic[0].out);
}

static void i8259_input(void *dev, unsigned n, int level)
{
	struct i8259 *d = dev;

	trace(d, "input", "%u %d", n, level);
	raise_input(&d->pic[n >> 3], n & 7, level);
	update(d);
}

/* INTA: the input goes from request to service; without one, IR7 answers and nothing is in service.
 */
static unsigned acknowledge(struct i8259 *d, struct pic *p)
{
	int n = candidate(d, p);

	if (n < 0)
		return 7;
	if (!(p->elcr & BIT(n)))
		p->irr &= ~BIT(n);
	if (!p->aeoi)
		p->isr |= BIT(n);
	else if (p->rotate_aeoi)
		p->lowest = n;
	return n;
}

static int i8259_ack(void *dev)
{
	struct i8259 *d = dev;
	unsigned n = acknowledge(d, &d->pic[0]), vector = d->pic[0].base + n;

	if (n == CASCADE && !d->pic[0].single) {
		n = acknowledge(d, &d->pic[1]);
		vector = d->pic[1].base + n;
		/* the slave's output drops between two requests: the cascade input sees an edge for
		 * the next */
		raise_input(&d->pic[0], CASCADE, 0);
	}
	update(d);
	trace(d, "ack", "vector=%#x", vector);
	return vector;
}

static bool i8259_pending(void *dev) { return ((struct i8259 *)dev)->pic[0].out; }

static const struct cpu_intc i8259_intc = { .ack = i8259_ack, .pending = i8259_pending };

/* ---- command words */

static void icw1(struct i8259 *d, struct pic *p, u8 v)
{
	u8 lines = p->lines, elcr = p->elcr, base = p->base;

	*p = (struct pic){ .lines = lines,
			   .elcr = elcr,
			   .base = base,
			   .lowest = 7,
			   .step = 2,
			   .icw4_wanted = v & ICW1_ICW4,
			   .single = v & ICW1_SINGLE };
	if (v & ICW1_LEVEL)
		trace(d, "icw1",
		      "level mode asked for all inputs: the edge/level registers decide");
}

static void ocw2(struct i8259 *d, struct pic *p, u8 v)
{
	int n = v & 7;

	switch (v >> 5) {
	case 0:
	case 4: /* rotate in automatic EOI mode: clear, set */
		p->rotate_aeoi = v >> 5 == 4;
		break;
	case 1:
	case 5: /* non-specific EOI, with rotation */
		n = best(p, p->special_mask ? p->isr & ~p->imr : p->isr);
		if (n >= 0) {
			p->isr &= ~BIT(n);
			if (v >> 5 == 5)
				p->lowest = n;
		}
		break;
	case 3:
	case 7: /* specific EOI, with rotation */
		p->isr &= ~BIT(n);
		if (v >> 5 == 7)
			p->lowest = n;
		break;
	case 6:
		p->lowest = n;
		break;
	}
}

static void ocw3(struct pic *p, u8 v)
{
	if (v & OCW3_POLL)
		p->poll = true;
	if (v & OCW3_RR)
		p->read_isr = v & OCW3_RIS;
	if (v & OCW3_ESMM)
		p->special_mask = v & OCW3_SMM;
}

static void data_write(struct i8259 *d, struct pic *p, u8 v)
{
	switch (p->step) {
	case 0:
		p->imr = v;
		break;
	case 2:
		p->base = v & 0xf8;
		p->step = !p->single ? 3 : p->icw4_wanted ? 4 : 0;
		break;
	case 3:
		if (v != (p == &d->pic[0] ? BIT(CASCADE) : CASCADE))
			guest_error(d, "icw3 %#x: the slave is at IR2", v);
		p->step = p->icw4_wanted ? 4 : 0;
		break;
	case 4:
		if (!(v & ICW4_8086))
			unimplemented(d, "8080 mode (icw4 bit 0 is 0)");
		p->aeoi = v & ICW4_AEOI;
		p->nested = v & ICW4_NESTED;
		p->step = 0;
		break;
	}
}

static void pic_write(struct i8259 *d, struct pic *p, u64 off, u8 v)
{
	if (off)
		data_write(d, p, v);
	else if (v & ICW1)
		icw1(d, p, v);
	else if (v & OCW3)
		ocw3(p, v);
	else
		ocw2(d, p, v);
	update(d);
}

static u8 pic_read(struct i8259 *d, struct pic *p, u64 off)
{
	if (p->poll) {
		bool any = candidate(d, p) >= 0;
		u8 n = acknowledge(d, p);

		p->poll = false;
		update(d);
		return any ? 0x80 | n : 0;
	}
	return off ? p->imr : p->read_isr ? p->isr : requests(p);
}

static u64 master_read(void *dev, u64 off, unsigned size)
{
	struct i8259 *d = dev;
	return pic_read(d, &d->pic[0], off);
}
static u64 slave_read(void *dev, u64 off, unsigned size)
{
	struct i8259 *d = dev;
	return pic_read(d, &d->pic[1], off);
}
static void master_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct i8259 *d = dev;
	pic_write(d, &d->pic[0], off, val);
}
static void slave_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct i8259 *d = dev;
	pic_write(d, &d->pic[1], off, val);
}

static u64 elcr_read(void *dev, u64 off, unsigned size)
{
	return ((struct i8259 *)dev)->pic[off].elcr;
}

static void elcr_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct i8259 *d = dev;

	/* IRQ 0, 1, 2, 8 and 13 are always edge-triggered */
	d->pic[off].elcr = val & (off ? 0xde : 0xf8);
	d->pic[off].irr &= ~d->pic[off].elcr;
	update(d);
}

static void i8259_reset(void *dev)
{
	struct i8259 *d = dev;

	for (unsigned i = 0; i < 2; i++)
		d->pic[i] = (struct pic){
			.lines = d->pic[i].lines, .lowest = 7, .imr = 0xff, .base = i ? 0x70 : 0x08
		};
	update(d);
}

static const struct bank i8259_banks[] = { { .name = "master",
					     .size = 2,
					     .min = 1,
					     .max = 1,
					     .split = true,
					     .read = master_read,
					     .write = master_write },
					   { .name = "slave",
					     .size = 2,
					     .min = 1,
					     .max = 1,
					     .split = true,
					     .read = slave_read,
					     .write = slave_write },
					   { .name = "elcr",
					     .size = 2,
					     .min = 1,
					     .max = 1,
					     .split = true,
					     .read = elcr_read,
					     .write = elcr_write },
					   {} };
static void i8259_info(void *dev, void (*line)(void *arg, const char *text), void *arg)
{
	const struct i8259 *d = dev;

	for (int n = 1; n >= 0; n--) {
		const struct pic *p = &d->pic[n];
		char text[128];

		snprintf(text, sizeof(text),
			 "pic%d: irr=%02x imr=%02x isr=%02x hprio=%u irq_base=%02x rr_sel=%u "
			 "elcr=%02x fnm=%u",
			 n, requests(p), p->imr, p->isr, (p->lowest + 1) & 7, p->base, p->read_isr,
			 p->elcr, p->nested);
		line(arg, text);
	}
}

static const struct state i8259_state[] = {
	IRQ_OUT(struct i8259, intr), STATE(struct i8259, pic), DERIVED(struct i8259, pad), {}
};
DEVICE(i8259, .name = "i8259", .doc = "Pair of 8259A interrupt controllers", .banks = i8259_banks,
       .state = i8259_state, .inputs = 16, .input = i8259_input, .reset = i8259_reset,
       .iface = &i8259_intc, .reentrant = true, .info = i8259_info, .info_topic = "pic");
