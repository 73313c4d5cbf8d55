/* SPDX-License-Identifier: GPL-2.0-or-later */
/* irq.h - lines between devices: wired-or inputs, and outputs that drive several inputs. */
#pragma once
#include "core/device.h"

/* One source of a device's input: the input is high while any of its sources is. */
struct irq_input {
	struct device *to;
	unsigned input;
	u8 level;
	bool external;		/* irq_drive_input's */
	u64 raised;		/* how often this source has raised the input */
	struct irq_input *next; /* in to->core->inputs */
};
/* An output that drives two further lines. */
struct irq_split {
	struct irq a, b;
	/* in the list that irq_connect was given: freed with the device */
	struct irq_split *next;
};

/* An output that a fault may concern: which one of whose. */
struct irq_broken {
	struct device *d;
	const char *name;
	unsigned i, n; /* element of the name; number among all outputs */
	bool many;
};
/* While on, rising edges of the device's outputs visit their fault points. */
void irq_break(struct device *d, bool on);
/* A delayed rising edge of output n arrives: as a pulse when the line is low again. */
void irq_late(struct device *d, unsigned n);
void irq_free_inputs(struct device *d);
/* Drives an input of a device from outside, as a source beside what is connected to it. */
void irq_drive_input(struct device *d, unsigned input, int level);
/* Also tells fn of every change of the device's inputs, before the device hears of it. */
void irq_watch_inputs(struct device *d, void (*fn)(void *arg, unsigned n, int level), void *arg);
/* How often an input of a device went up. */
u64 irq_raised(const struct device *d, unsigned input);
