/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prop_value.h - settings of a device as monitors show and change them. */
#pragma once
#include "core/device.h"
#include <jansson.h>

/* A new reference; NULL: it is a reference to something that has no name. */
json_t *prop_value(const struct device *d, const struct prop *p);
/* "int", "str", "bool"... */
const char *prop_value_type(const struct prop *p);
/* By JSON; text: the value may be any setting's text, as people type it. 0, or -errno with a
 * sentence. */
int must_check prop_value_set(struct device *d, const struct prop *p, const json_t *v, bool text,
			      struct error *e);
