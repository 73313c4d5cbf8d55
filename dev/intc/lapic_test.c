/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lapic_test.c - local APICs, their bus and the I/O APIC against the SDM: three CPUs that only have
 * lines. */
#include "core/cpu.h"
#include "core/irq.h"
#include "dev/test_ports.h"
#include <quern/intc.h>
#include <stdio.h>

enum { CPUS = 3 };
enum {
	ID = 0x20,
	TPR = 0x80,
	PPR = 0xa0,
	EOI = 0xb0,
	LDR = 0xd0,
	DFR = 0xe0,
	SVR = 0xf0,
	ISR = 0x100,
	TMR = 0x180,
	IRR = 0x200,
	ESR = 0x280,
	ICR = 0x300,
	ICR2 = 0x310,
	LVT_TIMER = 0x320,
	LVT_LINT0 = 0x350,
	LVT_LINT1 = 0x360,
	LVT_ERROR = 0x370,
	INITIAL = 0x380,
	CURRENT = 0x390,
	DIVIDE = 0x3e0
};
enum { BASE = 0x1b, DEADLINE = 0x6e0 };

static struct tdev *t;
static struct device *bus, *apic[CPUS], *ioapic;
static struct cpu cpu[CPUS];
static unsigned events[CPUS][CPU_LINES];
static int sipi[CPUS];
static u64 tsc_offset;

static u64 timestamp(struct cpu *c, u64 *hz)
{
	*hz = 2000000000;
	return clock_now(&c->machine->clock) * 2 + tsc_offset;
}

static const struct isa test_isa = { .name = "test", .timestamp = timestamp };

static void line(void *to, unsigned n, int level)
{
	struct cpu *c = to;

	c->lines = level ? c->lines | BIT(n) : c->lines & ~BIT(n);
	events[c->index][n] += level != 0;
	if (n == CPU_LINE_SIPI && level)
		sipi[c->index] = level & 0xff;
}

static const struct cpu_intc *intc(unsigned n) { return apic[n]->class->iface; }
static int ack(unsigned n) { return intc(n)->ack(apic[n]); }
static bool wrmsr(unsigned n, u32 msr, u64 v) { return intc(n)->wrmsr(apic[n], msr, v); }
static u64 rdmsr(unsigned n, u32 msr)
{
	u64 v = 0;

	CHECK(intc(n)->rdmsr(apic[n], msr, &v));
	return v;
}
static bool intr(unsigned n) { return cpu[n].lines & BIT(CPU_LINE_INTR); }

static u32 rd(unsigned n, u32 reg)
{
	u32 v;

	tdev_machine(t)->current = &cpu[n];
	v = in32(bus, "window", reg);
	tdev_machine(t)->current = NULL;
	return v;
}

static void wr(unsigned n, u32 reg, u32 v)
{
	tdev_machine(t)->current = &cpu[n];
	out32(bus, "window", reg, v);
	tdev_machine(t)->current = NULL;
}

static void start(void)
{
	static const char *const outs[] = { "intr", "nmi", "smi", "init", "sipi" };
	static struct cpu *cpus[CPUS];
	struct machine *m;

	t = tdev_new("apic-bus");
	m = tdev_machine(t);
	bus = tdev_device(t);
	CHECK_EQ(device_make(m, "i8259", "pic", NULL, NULL) != NULL, true);
	for (unsigned i = 0; i < CPUS; i++) {
		char props[64];

		cpu[i] = (struct cpu){ .isa = &test_isa, .machine = m, .index = i };
		cpus[i] = &cpu[i];
		snprintf(props, sizeof(props), "bus=%s,id=%u", bus->id, i);
		apic[i] = device_make(m, "lapic", NULL, props, NULL);
		CHECK(apic[i]);
		for (unsigned l = 0; l < CPU_LINES; l++)
			irq_connect(apic[i], outs[l], 0, line, &cpu[i], l);
		wr(i, SVR, 0x1ff);
	}
	m->cpu = cpus;
	m->ncpus = CPUS;
	ioapic = device_make(m, "ioapic", NULL, "bus=apic-bus0", NULL);
	CHECK(ioapic);
}

static void finish(void)
{
	tdev_machine(t)->ncpus = 0; /* they are the test's */
	tdev_machine(t)->cpu = NULL;
	tdev_free(t);
	t = NULL;
}

static void ioapic_wr(u8 reg, u32 v)
{
	out32(ioapic, "mmio", 0, reg);
	out32(ioapic, "mmio", 0x10, v);
}

static u32 ioapic_rd(u8 reg)
{
	out32(ioapic, "mmio", 0, reg);
	return in32(ioapic, "mmio", 0x10);
}

static void route(unsigned pin, u32 lo, u8 dest)
{
	ioapic_wr(0x11 + 2 * pin, (u32)dest << 24);
	ioapic_wr(0x10 + 2 * pin, lo);
}

TEST(lapic_identity_and_reset_state)
{
	start();
	CHECK_EQ(rd(0, ID), 0);
	CHECK_EQ(rd(2, ID), 2u << 24);
	CHECK_EQ(rd(1, 0x30), 0x00050014);
	CHECK_EQ(rd(1, DFR), 0xffffffff);
	CHECK_EQ(rd(1, LVT_LINT0), 0x10000);
	CHECK_EQ(rdmsr(0, BASE), 0xfee00900);
	CHECK_EQ(rdmsr(1, BASE), 0xfee00800);
	finish();
}

TEST(lapic_priorities)
{
	start();
	wr(0, ICR, 0x44041); /* to itself */
	CHECK(intr(0));
	wr(0, ICR, 0x44052);
	CHECK_EQ(rd(0, IRR + 0x20), 0x00040002);
	CHECK_EQ(ack(0), 0x52);
	CHECK(!intr(0)); /* 0x41 is of a lower class than 0x52 in service */
	CHECK_EQ(rd(0, PPR), 0x50);
	CHECK_EQ(rd(0, ISR + 0x20), 0x00040000);
	wr(0, ICR, 0x44061);
	CHECK(intr(0));
	wr(0, TPR, 0x60);
	CHECK(!intr(0)); /* same class as the task priority */
	CHECK_EQ(intc(0)->get_tpr(apic[0]), 6);
	intc(0)->set_tpr(apic[0], 0);
	CHECK_EQ(ack(0), 0x61);
	wr(0, EOI, 0);
	wr(0, EOI, 0);
	CHECK_EQ(ack(0), 0x41);
	CHECK_EQ(ack(0), -1);
	finish();
}

TEST(lapic_interprocessor)
{
	start();
	wr(0, ICR2, 2u << 24);
	wr(0, ICR, 0x40a0);
	CHECK(intr(2) && !intr(1));
	CHECK_EQ(ack(2), 0xa0);
	wr(1, ICR, 0xc40a1); /* all but itself */
	CHECK(intr(0) && !intr(1) && !intr(2));
	wr(2, EOI, 0);
	CHECK(intr(2));
	wr(1, ICR, 0x840a2); /* all */
	CHECK_EQ(ack(1), 0xa2);
	wr(0, ICR2, 1u << 24);
	wr(0, ICR, 0x4400);
	CHECK_EQ(events[1][CPU_LINE_NMI], 1);
	wr(0, ICR, 0xc500);
	CHECK_EQ(events[1][CPU_LINE_INIT], 1);
	CHECK_EQ(rd(1, SVR), 0xff); /* INIT resets its APIC */
	wr(0, ICR, 0x8500);	    /* de-assert: nothing */
	CHECK_EQ(events[1][CPU_LINE_INIT], 1);
	wr(0, ICR, 0x469a);
	CHECK_EQ(sipi[1], 0x9a);
	CHECK_EQ(events[1][CPU_LINE_SIPI], 1);
	finish();
}

TEST(lapic_logical_destinations)
{
	start();
	for (unsigned i = 0; i < CPUS; i++)
		wr(i, LDR, BIT(24 + i));
	wr(0, ICR2, 6u << 24);
	wr(0, ICR, 0x4880);
	CHECK(!intr(0) && intr(1) && intr(2));
	CHECK_EQ(ack(1), 0x80);
	CHECK_EQ(ack(2), 0x80);
	wr(1, EOI, 0);
	wr(2, EOI, 0);
	for (unsigned i = 0; i < CPUS; i++) {
		wr(i, DFR, 0x0fffffff); /* clusters */
		wr(i, LDR, (i == 2 ? 0x20u : 0x10u) << 24 | BIT(24 + (i & 1)));
	}
	wr(0, ICR2, 0x13u << 24);
	wr(0, ICR, 0x4881);
	CHECK(intr(0) && intr(1) && !intr(2));
	finish();
}

TEST(lapic_lowest_priority)
{
	start();
	for (unsigned i = 0; i < CPUS; i++) {
		wr(i, LDR, BIT(24 + i));
		wr(i, TPR, i == 1 ? 0x10 : 0x30);
	}
	out32(bus, "window", 0x7000 | BIT(2), 0x4100 | 0x77); /* a message to 1, 2, 3 logical */
	CHECK(!intr(0) && intr(1) && !intr(2));
	finish();
}

TEST(lapic_message_window)
{
	start();
	out32(bus, "window", 2 << 12, 0x4055);
	CHECK_EQ(ack(2), 0x55);
	/* destination 0: the page that has a CPU's own registers */
	out32(bus, "window", 0, 0x4056);
	CHECK_EQ(ack(0), 0x56);
	out32(bus, "window", 0xff << 12, 0x4066);
	CHECK(intr(0) && intr(1) && intr(2));
	finish();
}

TEST(lapic_software_disable)
{
	start();
	wr(0, LVT_TIMER, 0x40);
	wr(0, SVR, 0xff);
	CHECK_EQ(rd(0, LVT_TIMER), 0x10040);
	wr(0, LVT_TIMER, 0x40);
	CHECK_EQ(rd(0, LVT_TIMER), 0x10040); /* masks cannot be cleared now */
	wr(1, ICR2, 0);
	wr(1, ICR, 0x4090);
	CHECK(!intr(0));
	finish();
}

TEST(lapic_errors)
{
	start();
	wr(0, LVT_ERROR, 0xfe);
	wr(0, ICR, 0x44005);
	CHECK_EQ(ack(0), 0xfe);
	CHECK_EQ(rd(0, ESR), 0);
	wr(0, ESR, 0);
	CHECK_EQ(rd(0, ESR), 0x20);
	wr(0, ESR, 0);
	CHECK_EQ(rd(0, ESR), 0);
	finish();
}

TEST(lapic_timer_one_shot_and_periodic)
{
	start();
	wr(0, DIVIDE, 0x3); /* 16: 62.5 MHz */
	wr(0, LVT_TIMER, 0x40);
	wr(0, INITIAL, 62500);
	tdev_run_us(t, 500);
	CHECK_EQ(rd(0, CURRENT), 31250);
	CHECK(!intr(0));
	tdev_run_us(t, 501);
	CHECK_EQ(ack(0), 0x40);
	wr(0, EOI, 0);
	CHECK_EQ(rd(0, CURRENT), 0);
	tdev_run_us(t, 5000);
	CHECK(!intr(0));
	wr(0, LVT_TIMER, 0x20041);
	wr(0, INITIAL, 62500);
	for (unsigned i = 0; i < 10; i++) {
		tdev_run_us(t, 1000);
		CHECK_EQ(ack(0), 0x41);
		wr(0, EOI, 0);
	}
	wr(0, INITIAL, 0);
	tdev_run_us(t, 5000);
	CHECK(!intr(0));
	finish();
}

TEST(lapic_timer_deadline)
{
	u64 hz;

	start();
	wr(0, LVT_TIMER, 0x40041);
	CHECK(wrmsr(0, DEADLINE, timestamp(&cpu[0], &hz) + 2000000)); /* 1 ms */
	CHECK(rdmsr(0, DEADLINE) != 0);
	tdev_run_us(t, 999);
	CHECK(!intr(0));
	tdev_run_us(t, 2);
	CHECK_EQ(ack(0), 0x41);
	wr(0, EOI, 0);
	CHECK_EQ(rdmsr(0, DEADLINE), 0);
	CHECK(wrmsr(0, DEADLINE, 1)); /* past: at once */
	CHECK_EQ(ack(0), 0x41);
	wr(0, EOI, 0);
	CHECK(wrmsr(0, DEADLINE, timestamp(&cpu[0], &hz) + 2000000));
	/* the counter jumps half way */
	tsc_offset = 1000000;
	intc(0)->tsc_changed(apic[0]);
	tdev_run_us(t, 501);
	CHECK_EQ(ack(0), 0x41);
	wr(0, EOI, 0);
	CHECK(wrmsr(0, DEADLINE, ~0ull));
	CHECK(wrmsr(0, DEADLINE, 0)); /* disarms */
	tdev_run_us(t, 10000);
	CHECK(!intr(0));
	finish();
}

TEST(lapic_x2apic)
{
	u64 v;

	start();
	CHECK(!wrmsr(0, 0x80b, 0));	    /* not in xAPIC mode */
	CHECK(!wrmsr(0, BASE, 0xfee00400)); /* x2APIC without enable */
	CHECK(!wrmsr(0, BASE, 0xfee00900 | 1));
	for (unsigned i = 0; i < CPUS; i++)
		CHECK(wrmsr(i, BASE, rdmsr(i, BASE) | 0x400));
	CHECK_EQ(rdmsr(2, 0x802), 2);
	CHECK_EQ(rdmsr(2, 0x80d), 0x4);
	CHECK(!intc(0)->rdmsr(apic[0], 0x80e, &v)); /* no DFR */
	CHECK(!intc(0)->rdmsr(apic[0], 0x831, &v));
	CHECK(!wrmsr(0, 0x80b, 1)); /* EOI takes 0 only */
	CHECK(!wrmsr(0, 0x808, 0x100));
	CHECK(wrmsr(0, 0x830, 2ull << 32 | 0x4070));
	CHECK_EQ(ack(2), 0x70);
	CHECK(wrmsr(0, 0x830, 0x3ull << 32 | 0x4871)); /* logical: cluster 0, members 0 and 1 */
	CHECK(intr(0) && intr(1) && !intr(2));
	CHECK(wrmsr(1, 0x83f, 0x90));
	CHECK_EQ(ack(1), 0x90);
	CHECK(!wrmsr(0, BASE, 0xfee00900)); /* back to xAPIC only through off */
	CHECK(wrmsr(0, BASE, 0xfee00100));
	CHECK(wrmsr(0, BASE, 0xfee00900));
	CHECK_EQ(rd(0, SVR), 0xff);
	finish();
}

TEST(lapic_virtual_wire)
{
	static const u8 words[] = { 0x11, 0x30, 0x04, 0x01 };
	struct device *pic;

	start();
	pic = device_find(tdev_machine(t), "pic");
	device_connect(pic, "intr", 0, bus, 0);
	*(struct device **)((u8 *)bus + bus->class->props[0].off) = pic;
	for (unsigned i = 0; i < 4; i++)
		out8(pic, "master", i > 0, words[i]);
	wr(0, LVT_LINT0, 0x10700);
	pic->class->input(pic, 4, 1);
	CHECK(!intr(0));
	wr(0, LVT_LINT0, 0x700);
	CHECK(intr(0) && !intr(1));
	CHECK_EQ(ack(0), 0x34);
	CHECK_EQ(ack(0), -1);
	wr(0, LVT_LINT1, 0x400);
	bus->class->input(bus, 1, 1);
	CHECK_EQ(events[0][CPU_LINE_NMI], 1);
	CHECK_EQ(events[1][CPU_LINE_NMI], 0);
	finish();
}

TEST(ioapic_edge)
{
	start();
	CHECK_EQ(ioapic_rd(1), 0x00170020);
	CHECK_EQ(ioapic_rd(0x10), 0x10000);
	route(4, 0x10034, 1);
	ioapic->class->input(ioapic, 4, 1); /* masked: the edge is lost */
	route(4, 0x34, 1);
	CHECK(!intr(1));
	ioapic->class->input(ioapic, 4, 0);
	ioapic->class->input(ioapic, 4, 1);
	CHECK_EQ(ack(1), 0x34);
	CHECK_EQ(rd(1, TMR + 0x10), 0);
	finish();
}

TEST(ioapic_level_and_eoi)
{
	start();
	route(9, 0x8039, 2);
	ioapic->class->input(ioapic, 9, 1);
	CHECK_EQ(ack(2), 0x39);
	CHECK_EQ(rd(2, TMR + 0x10), BIT(0x19));
	CHECK_EQ(ioapic_rd(0x22) & 0x4000, 0x4000); /* remote IRR */
	wr(2, EOI, 0);				    /* still up: comes again */
	CHECK_EQ(ack(2), 0x39);
	ioapic->class->input(ioapic, 9, 0);
	wr(2, EOI, 0);
	CHECK(!intr(2));
	CHECK_EQ(ioapic_rd(0x22) & 0x4000, 0);
	ioapic->class->input(ioapic, 9, 1);
	CHECK_EQ(ack(2), 0x39);
	ioapic->class->input(ioapic, 9, 0);
	out32(ioapic, "mmio", 0x40, 0x39); /* its own EOI register */
	CHECK_EQ(ioapic_rd(0x22) & 0x4000, 0);
	/* masked while up, then unmasked: level is seen */
	ioapic_wr(0x22, 0x18039);
	wr(2, EOI, 0);
	ioapic->class->input(ioapic, 9, 1);
	CHECK(!intr(2));
	ioapic_wr(0x22, 0x8039);
	CHECK_EQ(ack(2), 0x39);
	finish();
}
