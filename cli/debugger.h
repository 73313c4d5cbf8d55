/* SPDX-License-Identifier: GPL-2.0-or-later */
/* debugger.h - the debugger stub of the command line. */
#pragma once
#include "cli/settings.h"
#include "gdb/gdb.h"
#include "lib/error.h"

struct debugger {
	struct machine *m;
	struct gdb *gdb;
	unsigned opened; /* back ends made for it */
};

/* After the machine is complete. fini: before the machine is freed. */
int must_check debugger_make(struct debugger *d, struct machine *m, const struct settings *s,
			     struct error *e);
void debugger_fini(struct debugger *d);
