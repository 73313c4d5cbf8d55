/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slots.h - what firmware is told of drives on the buses of quern/slots.h. */
#pragma once
#include <quern/slots.h>

/* bootindex= of a device on such a bus, -1 = none or another kind of device; and firmware's path of
 * it, the caller's to free. */
s64 slots_bootindex(const struct device *d);
char *slots_boot_path(const struct device *d);
