/* SPDX-License-Identifier: GPL-2.0-or-later */
/* irq.h - lines between devices: wired-or inputs, and outputs that drive several inputs. */
#pragma once
#include "core/device.h"

/* One source of a device's input: the input is high while any of its sources is. */
struct irq_input {
	struct device *to;
	unsigned input;
	u8 level;
	u64 raised;		/* how often this source has raised the input */
	struct irq_input *next; /* in to->core->inputs */
};
/* An output that drives two further lines. */
struct irq_split {
	struct irq a, b;
	/* in the list that irq_connect was given: freed with the device */
	struct irq_split *next;
};

void irq_free_inputs(struct device *d);
/* How often an input of a device went up. */
u64 irq_raised(const struct device *d, unsigned input);
