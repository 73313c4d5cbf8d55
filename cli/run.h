/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run.h - from settings to a running machine. */
#pragma once
#include "cli/settings.h"

/* Builds the machine, runs it to its end and releases it. The exit status of the process; 1 with a
 * sentence when it could not start. */
int run(struct settings *s);
