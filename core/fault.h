/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fault.h - breaking things on purpose. A fault point is `fault(d, "stuck")` in a model, or one of
 * those that every device has from its tables and from what it calls:
 *
 *   REGISTER.read    reads all ones; value=, mask=, flip= say what else (an element: NAME[3].read)
 *   REGISTER.write   is lost; value=, mask=, flip=: another value arrives. BANK.read and BANK.write
 *                    are accesses that code answers, config.read and config.write those of PCI
 *                    configuration space
 *   dma_read         fails; action=corrupt: one bit is wrong
 *   dma_write        fails; corrupt; drop: nothing arrives, and the device does not know;
 *                    delay=TIME: arrives late, after the interrupt perhaps
 *   irqN, intx, and the names of the outputs: a message or a rising edge is lost; action=double;
 *                    delay=TIME
 *   TIMER            never fires; delay=TIME: late
 *
 * Armed per machine: crc0.stuck,probability=10,interval=5,times=3  with the kernel's
 * fault-injection meaning: of every `interval` visits one is considered, which fires with
 * `probability` percent, `times` times at most; so interval=N,times=1 is the N-th visit. Whether a
 * visit fires, and what it then draws, depends on the machine's seed, the point and the number of
 * the visit alone: the same seed fails the same way.
 */
#pragma once
#include "core/device.h"

/* A set of these is device_core->faulted: which kinds of points of a device are armed. */
enum fault_kind {
	FAULT_CODE = BIT(0),
	FAULT_READ = BIT(1),
	FAULT_WRITE = BIT(2),
	FAULT_DMA_READ = BIT(3),
	FAULT_DMA_WRITE = BIT(4),
	FAULT_IRQ = BIT(5),
	FAULT_TIMER = BIT(6)
};
enum fault_action {
	FAULT_DEFAULT, /* of a spec: whatever is usual for the point */
	FAULT_FAIL,
	FAULT_DROP,
	FAULT_CORRUPT,
	FAULT_DOUBLE,
	FAULT_DELAY,
	FAULT_VALUE
};
struct fault_info {
	const char *name;     /* the pattern, ID.point */
	unsigned probability; /* percent */
	u64 interval, times;  /* times: left; ~0 = without end */
	u64 hits, fired;
	u8 action;
	u64 value, mask, flip; /* FAULT_VALUE: (val & ~mask | value & mask) ^ flip */
	struct latency delay;
	u64 draw; /* random, of the visit that fired last */
};

/* Arms what a pattern of ID.point (or CLASS.point) names; arming the same pattern again replaces
 * it. -EINVAL also when the machine has the device and that has no such point. */
int must_check fault_arm(struct machine *m, const char *spec, struct error *e);
/* The kinds of points of this machine's devices that a pattern names: enum fault_kind, 0 = none. */
unsigned fault_kinds(struct machine *m, const char *pattern);
/* -ENOENT when it was not armed. */
int must_check fault_disarm(struct machine *m, const char *name, struct error *e);
void fault_each(struct machine *m, void (*fn)(void *arg, const struct fault_info *f), void *arg);
void fault_disarm_all(struct machine *m);
/* Of an armed pattern, from a snapshot; one that is not armed is ignored. */
void fault_set_counts(struct machine *m, const char *name, u64 hits, u64 fired, u64 times);
/* "value=0x5,flip=0x80", "action=drop", "delay=50us"; "" for the point's usual effect. */
void fault_print_action(const struct fault_info *f, char *buf, size_t size);

/* ---- visits */

/* What happens at this visit to a point; NULL: nothing. alt: another name of the point, or NULL. */
const struct fault_info *fault_visit(struct device *d, enum fault_kind kind, const char *name,
				     const char *alt);
static inline bool fault_may(const struct device *d, unsigned kinds)
{
	return __builtin_expect(d->core->faulted & kinds, 0);
}
/* A point that fails or does not. */
bool fault_named(struct device *d, const char *name);
/* Does any armed pattern name a register's .read or .write? For whoever caches that; changes with
 * fault_generation. */
bool fault_armed(const struct device *d, const char *name);
extern u32 fault_generation;
/* val as the fault wants it. */
u64 fault_value(const struct fault_info *f, u64 val);
/* ns, of a FAULT_DELAY that has just fired. */
u64 fault_delay(struct device *d, const struct fault_info *f);
/* Flips one bit of n bytes. */
void fault_corrupt(const struct fault_info *f, void *buf, size_t n);
/* A timer of a device that is due: true when it does not fire now (core/clock.c). */
bool fault_timer(struct device *d, struct timer *t);

/* ---- points */

typedef void fault_point_fn(void *arg, const char *name, unsigned kind);
/* The points that a class has from its tables; those in code are listed by fault_list. */
void fault_class_points(const struct device_class *c, fault_point_fn *fn, void *arg);
/* For buses: the points of a table of registers and of the code of its bank. */
void fault_reg_points(const struct reg *regs, const char *code, fault_point_fn *fn, void *arg);
/* A shared object's points. They must stay. */
void fault_add_points(struct point *const *first, struct point *const *last);
/* All points that models have in code: "crc.stuck". */
void fault_list(void (*fn)(void *arg, const char *name), void *arg);
/* A new device: what is armed may name its points. */
void fault_device_realized(struct device *d);
