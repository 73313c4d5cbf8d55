/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lapic_info.c - a local APIC's registers for people (Intel SDM volume 3A, chapter 11). */
#include "lapic.h"
#include <stdio.h>

static const char *const modes[] = { "Fixed", "LowPri", "SMI",	"...",
				     "NMI",   "INIT",	"SIPI", "ExtINT" };

struct out {
	void (*line)(void *arg, const char *text);
	void *arg;
};

static void show_lvt(const struct lapic *d, const struct out *o, const char *name, unsigned n)
{
	static const char *const timer[] = { "one-shot", "periodic", "tsc-deadline", "" };
	u32 v = d->lvt[n];
	char text[128];

	snprintf(text, sizeof(text), "%s\t 0x%08x active-%s %s %-8s %-12s %-6s (vec %u)", name, v,
		 v & LVT_POLARITY ? "lo" : "hi", v & LVT_TRIGGER ? "level" : "edge ",
		 v & LVT_MASKED ? "masked" : "",
		 n == LVT_TIMER ? timer[FIELD_GET(LVT_TIMER_MODE, v)] : "",
		 modes[FIELD_GET(LVT_MODE, v)], v & LVT_VECTOR);
	o->line(o->arg, text);
}

static void show_bits(const struct lapic *d, const struct out *o, const char *name, const u32 *bits)
{
	char text[1280];
	int n = snprintf(text, sizeof(text), "%s\t", name), start = n;

	for (unsigned i = 0; i < 256; i++) {
		if (bits[i / 32] >> i % 32 & 1)
			n += snprintf(text + n, sizeof(text) - (size_t)n, " %u%s", i,
				      d->tmr[i / 32] >> i % 32 & 1 ? "(level)" : "");
		if (n > (int)sizeof(text) - 16)
			break;
	}
	if (n == start)
		snprintf(text + n, sizeof(text) - (size_t)n, " (none)");
	o->line(o->arg, text);
}

void lapic_info(void *dev, void (*line)(void *arg, const char *text), void *arg)
{
	struct lapic *d = dev;
	const struct out o = { line, arg };
	u32 divide = ((d->divide & 3) | (d->divide >> 1 & 4)) + 1;
	char text[160];

	snprintf(text, sizeof(text), "dumping local APIC state for CPU %u", d->cpu);
	line(arg, text);
	line(arg, "");
	show_lvt(d, &o, "LVT0", LVT_LINT0);
	show_lvt(d, &o, "LVT1", LVT_LINT1);
	show_lvt(d, &o, "LVTPC", LVT_PERF);
	show_lvt(d, &o, "LVTERR", LVT_ERROR);
	show_lvt(d, &o, "LVTTHMR", LVT_THERMAL);
	show_lvt(d, &o, "LVTT", LVT_TIMER);
	snprintf(text, sizeof(text),
		 "Timer\t DCR=0x%x (divide by %u) initial_count = %u current_count = %u", d->divide,
		 divide == 8 ? 1 : 1u << divide, d->initial, lapic_timer_count(d));
	line(arg, text);
	snprintf(text, sizeof(text), "SPIV\t 0x%08x APIC %s, focus=%s, spurious vec %u", d->svr,
		 d->svr & BIT(8) ? "enabled" : "disabled", d->svr & BIT(9) ? "on" : "off",
		 d->svr & 0xff);
	line(arg, text);
	snprintf(text, sizeof(text), "ICR\t 0x%08x %s %s", (u32)d->icr,
		 d->icr & BIT(11) ? "logical" : "physical", modes[d->icr >> 8 & 7]);
	line(arg, text);
	snprintf(text, sizeof(text), "ICR2\t 0x%08x", (u32)(d->icr >> 32));
	line(arg, text);
	snprintf(text, sizeof(text), "ESR\t 0x%08x", d->esr);
	line(arg, text);
	show_bits(d, &o, "ISR", d->isr);
	show_bits(d, &o, "IRR", d->irr);
	line(arg, "");
	snprintf(text, sizeof(text), "APR 0x00 TPR 0x%02x DFR 0x%02x LDR 0x%02x PPR 0x%02x", d->tpr,
		 d->dfr >> 28, d->ldr >> 24, lapic_ppr(d));
	line(arg, text);
}
