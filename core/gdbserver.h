/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gdbserver.h - switching the debugger stub on and off while the machine runs, as -gdb does before
 * it starts: for monitors. */
#pragma once
#include <quern/types.h>
#include "../lib/error.h"

struct machine;

/* dev: as -gdb's argument ("tcp::1234", "unix:PATH,server=on,wait=off", "chardev:ID"...), "none"
 * for no stub, "" for the default, tcp::1234. Connections of before are closed. */
int must_check gdbserver_open(struct machine *m, const char *dev, struct error *e);
/* Who does it: knows both the stub and the host's character devices. */
void gdbserver_set(struct machine *m, int (*open)(void *arg, const char *dev, struct error *e),
		   void *arg);
