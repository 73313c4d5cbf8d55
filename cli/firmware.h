/* SPDX-License-Identifier: GPL-2.0-or-later */
/* firmware.h - finds firmware images by name. */
#pragma once
#include "cli/settings.h"
#include "lib/bytes.h"
#include "lib/error.h"

/* What -bios names, or what a machine without a kernel starts with; empty when the kernel is
 * started without firmware. */
int firmware_load(struct bytes *b, const struct settings *s, struct error *e) must_check;
void firmware_list_dirs(const struct settings *s);
