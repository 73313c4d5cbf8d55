/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootindex.h - the order in which firmware tries the devices that bootindex= names. */
#pragma once
#include "core/machine.h"
#include "lib/error.h"

/* Firmware's paths of those devices, lowest index first; *paths and each of it are the caller's to
 * free. */
int bootindex_paths(struct machine *m, char ***paths, unsigned *n, struct error *e) must_check;
