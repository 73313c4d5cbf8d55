/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon.h - going into the background, and the file with the process's number. */
#pragma once
#include "lib/error.h"

/* Forks; the calling process waits for daemon_ready, or exits with 1 when the new one ends before.
 * Before any thread. */
int daemon_start(struct error *e) must_check;
/* Everything is set up: standard streams go to /dev/null, the waiting process ends with 0. */
int daemon_ready(struct error *e) must_check;
/* The file is locked: a second emulator does not take it. Removed by pidfile_remove. */
int pidfile_write(const char *path, struct error *e) must_check;
void pidfile_remove(void);
