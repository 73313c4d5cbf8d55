/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sandbox.h - system calls that an emulator never needs are forbidden to it (-sandbox). */
#pragma once
#include <quern/types.h>
#include "lib/error.h"

/* What else is forbidden, besides calls that change the host: reboot, mount, swapon... */
struct sandbox {
	bool on;
	bool obsolete;	 /* calls that only old programs make */
	bool privileges; /* changing the user, the groups, capabilities' owners */
	bool children;	 /* programs that are started never have more privileges */
	bool spawn;	 /* processes and programs; threads are allowed */
	bool resources;	 /* priorities, scheduling, affinity */
};

/* From here on, for all threads; a forbidden call ends the process. */
int sandbox_enter(const struct sandbox *s, struct error *e) must_check;
