/* SPDX-License-Identifier: GPL-2.0-or-later */
/* json.h - one JSON value after another out of a stream of bytes that has no other marks. */
#pragma once
#include "lib/error.h"
#include "lib/str.h"
#include <jansson.h>

struct json_feed {
	struct strbuf text; /* of the value so far */
	unsigned depth;
	char quote; /* inside a string: what ends it */
	bool escaped;
	size_t number;	/* where the number that is being read began, + 1; 0 = none */
	bool swallowed; /* a mistake was told of: nothing until the next value */
};

/* One byte: 0 = more is needed, 1 = *value is complete (a new reference), -EINVAL = a mistake, once
 * for each; reading then goes on behind it. */
int must_check json_feed(struct json_feed *f, char byte, json_t **value, struct error *e);
void json_feed_fini(struct json_feed *f);
