/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ir_fuzz.h - random units of IR through the interpreter and the host's back end. */
#pragma once
#include <quern/types.h>

/* n units; returns how many differed. */
u64 ir_fuzz(u64 seed, u64 n);
