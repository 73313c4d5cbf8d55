/* SPDX-License-Identifier: GPL-2.0-or-later */
/* signals.h - what the process does on signals: orderly ends, stops with the terminal restored,
 * crashes that leave the terminal usable. */
#pragma once
#include <quern/types.h>

struct machine;

/*
 * At the start of main, before any thread: SIGPIPE is ignored, the signals that end or stop us are
 * from now on taken by a thread of their own. Until signals_machine they act as usual, after
 * restoring the terminal.
 */
void signals_start(const char *program);
/*
 * From here on SIGINT, SIGTERM and SIGHUP shut this machine down and say so; a second one ends the
 * process at once. NULL: the machine has ended and only its last output is being written; a signal
 * then says that nobody waits for a slow reader.
 */
void signals_machine(struct machine *m);
/* Has a signal asked us to end? Then nobody should wait for a slow reader any more. */
bool signals_ending(void);
