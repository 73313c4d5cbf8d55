/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lapic - a local APIC, as xAPIC in memory and as x2APIC in MSRs. Follows the Intel SDM volume 3A
 * (2023) chapter 11; section numbers are its own. Its clock runs at `hz` (the crystal that CPUID
 * leaf 0x15 tells); the TSC-deadline mode asks the CPU for its time stamp. */
#include "lapic.h"

enum { ESR_SEND_VECTOR = BIT(5), ESR_RECEIVE_VECTOR = BIT(6), ESR_REGISTER = BIT(7) };
enum {
	ICR_VECTOR = 0xff,
	ICR_MODE = 0x700,
	ICR_LOGICAL = BIT(11),
	ICR_ASSERT = BIT(14),
	ICR_LEVEL = BIT(15),
	ICR_SHORTHAND = 3 << 18,
	ICR_BITS = ICR_VECTOR | ICR_MODE | ICR_LOGICAL | ICR_ASSERT | ICR_LEVEL | ICR_SHORTHAND
};
enum { SVR_ENABLE = BIT(8), SVR_BITS = 0x3ff };
enum { VERSION = 0x14 | (LVTS - 1) << 16 };

/* ---- priorities (11.8.3) */

static int highest(const u32 *bits)
{
	for (int i = 7; i >= 0; i--) {
		if (bits[i])
			return i * 32 + 31 - __builtin_clz(bits[i]);
	}
	return -1;
}

static bool test(const u32 *bits, unsigned n) { return bits[n / 32] >> n % 32 & 1; }
static void set(u32 *bits, unsigned n) { bits[n / 32] |= BIT(n % 32); }
static void clear(u32 *bits, unsigned n) { bits[n / 32] &= ~BIT(n % 32); }

unsigned lapic_ppr(const struct lapic *d)
{
	int isr = highest(d->isr);
	unsigned isrv = isr < 0 ? 0 : isr & 0xf0;

	return d->tpr >> 4 >= isrv >> 4 ? d->tpr : isrv;
}

static bool enabled(const struct lapic *d) { return d->base & BASE_ENABLE; }
static bool x2apic(const struct lapic *d)
{
	return (d->base & (BASE_ENABLE | BASE_X2)) == (BASE_ENABLE | BASE_X2);
}
bool lapic_xapic(const struct lapic *d)
{
	return (d->base & (BASE_ENABLE | BASE_X2)) == BASE_ENABLE;
}
bool lapic_takes_fixed(const struct lapic *d) { return enabled(d) && (d->svr & SVR_ENABLE); }

/* The highest vector that may interrupt now, or -1. */
static int deliverable(const struct lapic *d)
{
	int irr = lapic_takes_fixed(d) ? highest(d->irr) : -1;

	return irr >= 0 && (unsigned)irr >> 4 > lapic_ppr(d) >> 4 ? irr : -1;
}

/* An external interrupt gets through: virtual wire by LVT0, or the APIC is off. */
static bool extint(const struct lapic *d)
{
	u32 lvt = d->lvt[LVT_LINT0];

	if (!d->lint0)
		return false;
	return !enabled(d) ? d->bsp :
			     !(lvt & LVT_MASKED) && FIELD_GET(LVT_MODE, lvt) == APIC_EXTINT;
}

void lapic_update(struct lapic *d) { irq_set(&d->intr, deliverable(d) >= 0 || extint(d)); }

/* ---- errors (11.5.3) */

static void error(struct lapic *d, u32 bits)
{
	u32 lvt = d->lvt[LVT_ERROR];

	trace(d, "error", "esr=%#x", bits);
	if ((d->esr_next & bits) == bits)
		return;
	d->esr_next |= bits;
	if (lvt & LVT_MASKED)
		return;
	if ((lvt & LVT_VECTOR) >= 16)
		lapic_fixed(d, lvt & LVT_VECTOR, false);
}

/* ---- accepting (11.8) */

void lapic_fixed(struct lapic *d, u8 vector, bool level)
{
	if (!lapic_takes_fixed(d) || fault(d, "lost"))
		return;
	if (vector < 16) {
		error(d, ESR_RECEIVE_VECTOR);
		return;
	}
	set(d->irr, vector);
	if (level)
		set(d->tmr, vector);
	else
		clear(d->tmr, vector);
	lapic_update(d);
}

/* What an LVT entry does when its source fires. */
void lapic_local(struct lapic *d, unsigned entry)
{
	u32 lvt = d->lvt[entry];

	if (lvt & LVT_MASKED)
		return;
	switch (FIELD_GET(LVT_MODE, lvt)) {
	case APIC_FIXED:
		lapic_fixed(d, lvt & LVT_VECTOR, false);
		break;
	case APIC_SMI:
		irq_pulse(&d->smi);
		break;
	case APIC_NMI:
		irq_pulse(&d->nmi);
		break;
	case APIC_INIT:
		irq_pulse(&d->init);
		break;
	}
}

void lapic_wire(struct lapic *d, bool nmi, int level)
{
	if (!nmi) {
		bool rises = level && !d->lint0;

		d->lint0 = level;
		if (rises && enabled(d) && FIELD_GET(LVT_MODE, d->lvt[LVT_LINT0]) != APIC_EXTINT)
			lapic_local(d, LVT_LINT0);
		lapic_update(d);
		return;
	}
	if (!level)
		return;
	if (enabled(d))
		lapic_local(d, LVT_LINT1);
	else if (d->bsp)
		irq_pulse(&d->nmi);
}

bool lapic_matches(const struct lapic *d, const struct apic_message *m)
{
	u32 ldr = d->ldr >> 24;

	if (!enabled(d))
		return false;
	if (m->dest == APIC_ALL)
		return true;
	if (!m->logical)
		return m->dest == d->id;
	if (x2apic(d)) /* 11.12.10.2: cluster, and a bit per member */
		return m->dest >> 16 == d->id >> 4 && (m->dest & BIT(d->id & 15));
	if (m->dest > 0xff)
		return false;
	if (d->dfr >> 28 == 15)
		return m->dest & ldr;
	return (m->dest >> 4 == ldr >> 4) && (m->dest & ldr & 15);
}

void lapic_accept(struct lapic *d, const struct apic_message *m)
{
	switch (m->mode) {
	case APIC_FIXED:
	case APIC_LOWEST:
		lapic_fixed(d, m->vector, m->level);
		break;
	case APIC_SMI:
		irq_pulse(&d->smi);
		break;
	case APIC_NMI:
		irq_pulse(&d->nmi);
		break;
	case APIC_INIT:
		lapic_init_state(d);
		irq_pulse(&d->init);
		break;
	case APIC_SIPI:
		/* an event with a value: past irq_set, which knows two levels */
		if (d->sipi.set) {
			d->sipi.set(d->sipi.to, d->sipi.n, 0x100 | m->vector);
			d->sipi.set(d->sipi.to, d->sipi.n, 0);
		}
		break;
	case APIC_EXTINT:
		unimplemented(d,
			      "ExtINT messages (only the LINT0 wire brings external interrupts)");
		break;
	default:
		guest_error(d, "message with reserved delivery mode %u", m->mode);
	}
}

/* ---- sending (11.6) */

static void send(struct lapic *d)
{
	u32 lo = d->icr;
	struct apic_message m = {
		.dest = x2apic(d) ? d->icr >> 32 : d->icr >> 56,
		.logical = lo & ICR_LOGICAL,
		.vector = lo & ICR_VECTOR,
		.mode = FIELD_GET(ICR_MODE, lo),
		.level = (lo & ICR_LEVEL) && FIELD_GET(ICR_MODE, lo) == APIC_FIXED,
	};
	unsigned shorthand = FIELD_GET(ICR_SHORTHAND, lo);

	if (!x2apic(d) && m.dest == 0xff)
		m.dest = APIC_ALL;
	if (m.mode == APIC_INIT && !(lo & ICR_ASSERT) && (lo & ICR_LEVEL))
		return; /* INIT level de-assert: nothing on these processors (11.6.1) */
	if ((m.mode == APIC_FIXED || m.mode == APIC_LOWEST) && m.vector < 16) {
		error(d, ESR_SEND_VECTOR);
		return;
	}
	if (m.mode == APIC_RESERVED || m.mode == APIC_EXTINT) {
		guest_error(d, "icr: delivery mode %u is reserved", m.mode);
		return;
	}
	trace(d, "icr", "%#llx", (unsigned long long)d->icr);
	if (fault(d, "ipi_lost"))
		return;
	switch (shorthand) {
	case 0:
		apic_bus_send(d->bus, &m, NULL);
		break;
	case 1:
		lapic_accept(d, &m);
		break;
	default:
		m.dest = APIC_ALL;
		m.logical = false;
		apic_bus_send(d->bus, &m, shorthand == 3 ? d : NULL);
	}
}

static void eoi(struct lapic *d)
{
	int v = highest(d->isr);

	if (v < 0)
		return;
	clear(d->isr, v);
	if (test(d->tmr, v))
		apic_bus_eoi(d->bus, v);
	lapic_update(d);
}

/* ---- registers (11.4.1 table 11-1), by offset / 16 */

static void write_lvt(struct lapic *d, unsigned entry, u32 val)
{
	static const u32 bits[LVTS] = {
		[LVT_TIMER] = LVT_VECTOR | LVT_MASKED | LVT_TIMER_MODE,
		[LVT_THERMAL] = LVT_VECTOR | LVT_MODE | LVT_MASKED,
		[LVT_PERF] = LVT_VECTOR | LVT_MODE | LVT_MASKED,
		[LVT_ERROR] = LVT_VECTOR | LVT_MASKED,
		[LVT_LINT0] = LVT_VECTOR | LVT_MODE | LVT_POLARITY | LVT_TRIGGER | LVT_MASKED,
		[LVT_LINT1] = LVT_VECTOR | LVT_MODE | LVT_POLARITY | LVT_TRIGGER | LVT_MASKED,
	};
	u32 old = d->lvt[entry];

	val &= bits[entry];
	if (!(d->svr & SVR_ENABLE))
		val |= LVT_MASKED;
	d->lvt[entry] = val;
	if (entry == LVT_TIMER)
		lapic_timer_mode(d, old);
	lapic_update(d);
}

static void write_svr(struct lapic *d, u32 val)
{
	d->svr = val & SVR_BITS;
	if (!(val & SVR_ENABLE)) {
		for (unsigned i = 0; i < LVTS; i++)
			d->lvt[i] |= LVT_MASKED;
	}
	lapic_update(d);
}

static void unknown(struct lapic *d, u32 reg, const char *verb)
{
	guest_error(d, "%s at offset %#x, where no register is", verb, reg << 4);
	error(d, ESR_REGISTER);
}

static u32 read_reg(struct lapic *d, u32 reg)
{
	switch (reg) {
	case 0x02:
		return x2apic(d) ? d->id : d->id << 24;
	case 0x03:
		return VERSION;
	case 0x08:
		return d->tpr;
	case 0x09:
		return 0; /* APR: no arbitration bus */
	case 0x0a:
		return lapic_ppr(d);
	case 0x0d:
		return x2apic(d) ? d->id >> 4 << 16 | BIT(d->id & 15) : d->ldr;
	case 0x0e:
		return d->dfr;
	case 0x0f:
		return d->svr;
	case 0x10 ... 0x17:
		return d->isr[reg - 0x10];
	case 0x18 ... 0x1f:
		return d->tmr[reg - 0x18];
	case 0x20 ... 0x27:
		return d->irr[reg - 0x20];
	case 0x28:
		return d->esr;
	case 0x30:
		return d->icr;
	case 0x31:
		return d->icr >> 32;
	case 0x32 ... 0x37:
		return d->lvt[reg - 0x32];
	case 0x38:
		return d->initial;
	case 0x39:
		return lapic_timer_count(d);
	case 0x3e:
		return d->divide;
	}
	unknown(d, reg, "read");
	return 0;
}

static void write_reg(struct lapic *d, u32 reg, u32 val)
{
	switch (reg) {
	case 0x02:
	case 0x03:
	case 0x0a:
	case 0x10 ... 0x27:
	case 0x39:
		guest_error(d, "write to read-only register %#x", reg << 4);
		break;
	case 0x08:
		d->tpr = val & 0xff;
		lapic_update(d);
		break;
	case 0x0b:
		eoi(d);
		break;
	case 0x0d:
		d->ldr = val & 0xff000000;
		break;
	case 0x0e:
		d->dfr = val | 0x0fffffff;
		break;
	case 0x0f:
		write_svr(d, val);
		break;
	case 0x28:
		d->esr = d->esr_next;
		d->esr_next = 0;
		break;
	case 0x30:
		d->icr = (d->icr & ~0xffffffffull) | (val & ICR_BITS);
		send(d);
		break;
	case 0x31:
		d->icr = (u32)d->icr | (u64)(val & 0xff000000) << 32;
		break;
	case 0x32 ... 0x37:
		write_lvt(d, reg - 0x32, val);
		break;
	case 0x38:
		lapic_timer_initial(d, val);
		break;
	case 0x3e:
		lapic_timer_divide(d, val & 0xb);
		break;
	default:
		unknown(d, reg, "write");
	}
}

u32 lapic_mmio_read(struct lapic *d, u32 off)
{
	/* 11.4.1: registers are the first 4 of each 16 bytes */
	return off & 15 ? 0 : read_reg(d, off >> 4);
}

void lapic_mmio_write(struct lapic *d, u32 off, u32 val)
{
	if (off & 15)
		guest_error(d, "write at offset %#x, which is not a multiple of 16", off);
	else
		write_reg(d, off >> 4, val);
}

/* ---- MSRs (11.4.4, 11.12.1) */

static bool write_base(struct lapic *d, u64 val)
{
	u64 mode = val & (BASE_ENABLE | BASE_X2), old = d->base & (BASE_ENABLE | BASE_X2);

	if (val & ~(BASE_BSP | BASE_X2 | BASE_ENABLE | BASE_ADDRESS))
		return false;
	/* 11.12.5 figure 11-27: x2APIC is entered from xAPIC and left by disabling */
	if (mode == BASE_X2 ||
	    (mode != old && ((mode & BASE_X2 && old != BASE_ENABLE) || (old & BASE_X2 && mode))))
		return false;
	if (mode & BASE_X2 && !d->x2apic)
		return false;
	if ((val & BASE_ADDRESS) != (d->base & BASE_ADDRESS))
		unimplemented(d, "apic_base: moving the registers to %#llx",
			      (unsigned long long)(val & BASE_ADDRESS));
	d->base = (val & ~(u64)(BASE_ADDRESS | BASE_BSP)) | APIC_ADDRESS | (d->bsp ? BASE_BSP : 0);
	if (!mode && old)
		lapic_init_state(d);
	lapic_update(d);
	return true;
}

static bool rdmsr(void *dev, u32 msr, u64 *val)
{
	struct lapic *d = dev;
	u32 reg = msr - 0x800;

	if (msr == MSR_APIC_BASE) {
		*val = d->base;
		return true;
	}
	if (msr == MSR_TSC_DEADLINE) {
		*val = lapic_deadline(d);
		return true;
	}
	if (!x2apic(d) || reg > 0x3f)
		return false;
	if (reg == 0x30) {
		*val = d->icr;
		return true;
	}
	/* neither arbitration, EOI, DFR, ICR2 nor SELF IPI can be read (table 11-6) */
	if (reg < 2 || (reg > 3 && reg < 8) || reg == 0x09 || reg == 0x0b || reg == 0x0c ||
	    reg == 0x0e || (reg > 0x28 && reg < 0x30) || reg == 0x31 || (reg > 0x39 && reg != 0x3e))
		return false;
	*val = read_reg(d, reg);
	return true;
}

static bool write_x2(struct lapic *d, u32 reg, u64 val)
{
	switch (reg) {
	case 0x30:
		d->icr = val & (0xffffffff00000000ull | ICR_BITS);
		send(d);
		return true;
	case 0x0b:
	case 0x28:
		if (val)
			return false;
		break;
	case 0x08:
		if (val > 0xff)
			return false;
		break;
	case 0x0f:
	case 0x32 ... 0x38:
	case 0x3e:
		if (val >> 32)
			return false;
		break;
	case 0x3f:
		if (val > 0xff)
			return false;
		if (val < 16)
			error(d, ESR_SEND_VECTOR);
		else
			lapic_fixed(d, val, false);
		return true;
	default:
		return false;
	}
	write_reg(d, reg, val);
	return true;
}

static bool wrmsr(void *dev, u32 msr, u64 val)
{
	struct lapic *d = dev;

	if (msr == MSR_APIC_BASE)
		return write_base(d, val);
	if (msr == MSR_TSC_DEADLINE) {
		lapic_set_deadline(d, val);
		return true;
	}
	return x2apic(d) && msr - 0x800 <= 0x3f && write_x2(d, msr - 0x800, val);
}

/* ---- the CPU's side */

static bool pending(void *dev)
{
	struct lapic *d = dev;

	return deliverable(d) >= 0 || extint(d);
}

static int ack(void *dev)
{
	struct lapic *d = dev;
	int v = deliverable(d);

	if (v >= 0) {
		clear(d->irr, v);
		set(d->isr, v);
		lapic_update(d);
		return v;
	}
	return extint(d) ? apic_bus_extint(d->bus) : -1;
}

static u64 get_tpr(void *dev) { return ((struct lapic *)dev)->tpr >> 4; }

static void set_tpr(void *dev, u64 v)
{
	struct lapic *d = dev;

	d->tpr = (v & 15) << 4;
	lapic_update(d);
}

static void tsc_changed(void *dev)
{
	struct lapic *d = dev;

	if (d->deadline)
		lapic_set_deadline(d, d->deadline);
}

static const struct cpu_intc lapic_intc = { ack,   pending, get_tpr,	set_tpr,
					    rdmsr, wrmsr,   tsc_changed };

/* ---- life (11.4.7) */

/* After INIT: as after power-up, but the identifier and the base register stay. */
void lapic_init_state(struct lapic *d)
{
	memset(d->irr, 0, sizeof(d->irr));
	memset(d->isr, 0, sizeof(d->isr));
	memset(d->tmr, 0, sizeof(d->tmr));
	d->tpr = d->ldr = d->esr = d->esr_next = 0;
	d->icr = 0;
	d->dfr = 0xffffffff;
	d->svr = 0xff;
	for (unsigned i = 0; i < LVTS; i++)
		d->lvt[i] = LVT_MASKED;
	/* what firmware leaves on the bootstrap processor: external interrupts and NMI come through
	 * (MP specification 3.6.2.2) */
	if (d->bsp) {
		d->lvt[LVT_LINT0] = APIC_EXTINT << 8;
		d->lvt[LVT_LINT1] = APIC_NMI << 8;
	}
	lapic_timer_reset(d);
	lapic_update(d);
}

static void lapic_reset(void *dev)
{
	struct lapic *d = dev;

	d->base = APIC_ADDRESS | BASE_ENABLE | (d->bsp ? BASE_BSP : 0);
	d->lint0 = d->bus->extint;
	lapic_init_state(d);
}

static int lapic_init(void *dev, struct error *e)
{
	struct lapic *d = dev;
	struct apic_bus *b = d->bus;

	if (!b || b->nlapic >= APIC_MAX) {
		error_set(e, "local APIC '%s' needs an APIC bus with room for it: at most %u",
			  d->dev.id, APIC_MAX);
		return -1;
	}
	d->cpu = b->nlapic;
	d->bsp = !d->cpu;
	b->lapic[b->nlapic++] = d;
	return 0;
}

static const struct prop lapic_props[] = {
	PROP(struct lapic, bus, .kind = PROP_LINK,
	     .doc = "The APIC bus; CPUs are numbered in the order in which their APICs join it."),
	PROP(struct lapic, id, .doc = "Local APIC identifier."),
	PROP(struct lapic, hz, .def = 1000000000, .min = 1000000,
	     .doc = "Clock of the timer before its divider."),
	PROP(struct lapic, x2apic, .kind = PROP_BOOL, .def = 1,
	     .doc = "x2APIC mode can be entered."),
	{}
};
static const struct state lapic_state[] = { IRQ_OUT(struct lapic, intr),
					    IRQ_OUT(struct lapic, nmi),
					    IRQ_OUT(struct lapic, smi),
					    IRQ_OUT(struct lapic, init),
					    IRQ_OUT(struct lapic, sipi),
					    TIMER(struct lapic, timer, lapic_timer_fire),
					    STATE(struct lapic, base),
					    STATE(struct lapic, icr),
					    STATE(struct lapic, deadline),
					    STATE(struct lapic, started),
					    STATE(struct lapic, irr),
					    STATE(struct lapic, isr),
					    STATE(struct lapic, tmr),
					    STATE(struct lapic, lvt),
					    STATE(struct lapic, tpr),
					    STATE(struct lapic, ldr),
					    STATE(struct lapic, dfr),
					    STATE(struct lapic, svr),
					    STATE(struct lapic, esr),
					    STATE(struct lapic, esr_next),
					    STATE(struct lapic, initial),
					    STATE(struct lapic, divide),
					    STATE(struct lapic, lint0),
					    DERIVED(struct lapic, cpu),
					    DERIVED(struct lapic, bsp),
					    DERIVED(struct lapic, pad),
					    {} };
DEVICE(lapic, .name = "lapic", .doc = "Local APIC", .props = lapic_props, .state = lapic_state,
       .init = lapic_init, .reset = lapic_reset, .iface = &lapic_intc, .info = lapic_info,
       .info_topic = "lapic");
