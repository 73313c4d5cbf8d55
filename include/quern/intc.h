/* SPDX-License-Identifier: MIT */
/* intc.h - between CPUs and the interrupt controllers in front of them. A controller's class gives
 * its struct cpu_intc as `iface`; the board sets cpu->intc and cpu->intc_dev from it, and connects
 * the controller's outputs to the CPU's lines. */
#pragma once
#include "device.h"

/* What an interrupt controller (x86: the local APIC, or the 8259 pair where there is none) offers
 * its CPU. Every member is optional. */
struct cpu_intc {
	/* take the highest pending vector: 0..255, or -1 when none is left (spurious) */
	int (*ack)(void *dev);
	bool (*pending)(void *dev); /* is there a deliverable vector? */
	u64 (*get_tpr)(void *dev);  /* x86 CR8 */
	void (*set_tpr)(void *dev, u64 v);
	/* x2APIC, APIC base, TSC deadline; false: not an MSR of it (#GP) */
	bool (*rdmsr)(void *dev, u32 msr, u64 *val);
	bool (*wrmsr)(void *dev, u32 msr, u64 val);
	/* the CPU's time-stamp counter was written: a deadline in its terms moves */
	void (*tsc_changed)(void *dev);
};

/* The vCPU whose instruction makes the access that is being served: its index, or -1 (DMA,
 * debugger, timers). */
int device_cpu(const void *dev);
/* A vCPU's time-stamp counter now; *hz is its frequency. CPUs without one count virtual
 * nanoseconds. */
u64 device_cpu_timestamp(const void *dev, unsigned cpu, u64 *hz);
