/* SPDX-License-Identifier: GPL-2.0-or-later */
/* system.c - where -device puts what the guest reaches by another device, and which so needs no
 * place: .bus = "system". */
#include "core/device.h"

static const struct bus_type system_type = { .name = "system" };
BUS_TYPE(system_type);
