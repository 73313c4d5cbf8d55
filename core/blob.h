/* SPDX-License-Identifier: GPL-2.0-or-later */
/* blob.h - a growing run of bytes that snapshots write and read back in order. `struct blob b =
 * {0}` starts empty. */
#pragma once
#include <quern/device.h>

struct blob {
	u8 *at;
	size_t n, cap, pos;
};
void blob_fini(struct blob *b);
