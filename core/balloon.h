/* SPDX-License-Identifier: GPL-2.0-or-later */
/* balloon.h - a machine's memory balloon, as monitors see it. */
#pragma once
#include <quern/balloon.h>

struct machine;

/* The balloon, and what it can do; NULL when the machine has none. */
void *balloon_of(struct machine *m, const struct balloon_iface **i);
/* Bytes of memory that the guest has. */
u64 balloon_actual(struct machine *m);
