/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace.h - what the files of core/ ask about the trace settings. */
#pragma once
#include "core/device.h"

/* Changes with every trace_enable: who caches verdicts compares it. */
extern u32 trace_generation;
/* Is ID.name (or CLASS.name) of this device selected? */
bool trace_selected(const struct device *d, const char *name);
/* A shared object's points: [first, last). They must stay. */
void trace_add_points(struct point *const *first, struct point *const *last);
