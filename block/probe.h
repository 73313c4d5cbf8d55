/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe.h - the format of an image by its first bytes. */
#pragma once
#include <quern/types.h>

enum { PROBE_BYTES = 512 };
/* "qcow2"...; NULL = raw, as far as one can tell. */
const char *probe_format(const u8 *head, size_t n);
