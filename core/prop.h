/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prop.h - properties of devices: finding, defaults, releasing. Setting them is in device.h. */
#pragma once
#include "core/device.h"

void prop_defaults(struct device *d);
void prop_release(struct device *d);
const struct prop *prop_find(const struct prop *table, const char *name);
/* Stores text into a member of any struct described by such a table. */
int must_check prop_parse(struct machine *m, void *base, const struct prop *p, const char *value,
			  struct error *e);
