/* SPDX-License-Identifier: GPL-2.0-or-later */
/* loader.h - the generic loader: values and files at addresses, program counters of CPUs. */
#pragma once
#include "boot.h"
#include "plan.h"

int loader_put(struct boot_plan *p, const struct boot_loader *l, unsigned n,
	       struct error *e) must_check;
