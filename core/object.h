/* SPDX-License-Identifier: GPL-2.0-or-later */
/* object.h - device classes of the binary and of shared objects. The functions are declared in
 * device.h. */
#pragma once
#include "core/device.h"
