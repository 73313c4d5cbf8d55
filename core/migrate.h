/* SPDX-License-Identifier: GPL-2.0-or-later */
/* migrate.h - snapshots to and from places with a name: file:PATH, exec:COMMAND, fd:NUMBER, or a
 * plain path. All on the machine's thread; the machine stands still meanwhile. */
#pragma once
#include <quern/types.h>

struct machine;
struct error;

/* Stops the machine and writes it. Afterwards it runs again when `go_on`. 0, or -errno with a
 * sentence; a file that could not be written completely is removed. */
int must_check migrate_save(struct machine *m, const char *uri, bool go_on, struct error *e);
/* Resets the machine and loads. Afterwards it runs when `run`. When it fails the machine is reset
 * again and stays stopped. */
int must_check migrate_load(struct machine *m, const char *uri, bool run, struct error *e);
/* How the last migrate_save went: "completed", "failed", or NULL when there was none. */
const char *migrate_status(struct machine *m);
/* Is the URI of a kind that there is? -EINVAL with a sentence otherwise. */
int must_check migrate_check(const char *uri, struct error *e);
