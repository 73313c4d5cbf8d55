/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lapic.h - inside of a local APIC: lapic.c has registers and messages, lapic_timer.c the timer. */
#pragma once
#include "apic.h"

enum { LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR, LVTS };
enum {
	LVT_VECTOR = 0xff,
	LVT_MODE = 0x700,
	LVT_POLARITY = BIT(13),
	LVT_TRIGGER = BIT(15),
	LVT_MASKED = BIT(16),
	LVT_TIMER_MODE = 3 << 17
};
enum { TIMER_ONE_SHOT, TIMER_PERIODIC, TIMER_DEADLINE };
enum { BASE_BSP = BIT(8), BASE_X2 = BIT(10), BASE_ENABLE = BIT(11) };
#define BASE_ADDRESS GENMASK64(51, 12)
#define APIC_ADDRESS 0xfee00000ull
enum { MSR_APIC_BASE = 0x1b, MSR_TSC_DEADLINE = 0x6e0 };

struct lapic {
	struct device dev;
	struct irq intr, nmi, smi, init, sipi;
	struct timer timer;
	struct apic_bus *bus;
	u64 hz;
	u64 base, icr, deadline; /* deadline: in TSC ticks, 0 = none */
	u64 started;		 /* virtual ns when the count began from `initial` */
	u32 irr[8], isr[8], tmr[8], lvt[LVTS];
	u32 id, tpr, ldr, dfr, svr, esr, esr_next, initial, divide;
	u32 cpu; /* index of its CPU */
	bool bsp, lint0, x2apic;
	u8 pad[5];
};

void lapic_update(struct lapic *d);
void lapic_fixed(struct lapic *d, u8 vector, bool level);
void lapic_local(struct lapic *d, unsigned entry);
void lapic_init_state(struct lapic *d);
/* --- lapic_timer.c */
void lapic_timer_fire(void *dev);
void lapic_timer_reset(struct lapic *d);
void lapic_timer_mode(struct lapic *d, u32 old_lvt); /* after a write of LVT timer */
void lapic_timer_initial(struct lapic *d, u32 val);
void lapic_timer_divide(struct lapic *d, u32 val);
u32 lapic_timer_count(struct lapic *d);
u64 lapic_deadline(struct lapic *d);
void lapic_set_deadline(struct lapic *d, u64 tsc);
/* --- lapic_info.c */
void lapic_info(void *dev, void (*line)(void *arg, const char *text), void *arg);
