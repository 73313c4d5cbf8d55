/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * migrate.h - a machine's state to and from another process or a file (migrate_place.h). The
 * machine stands still while it is copied; threads do the copying, so that monitors hear how far it
 * is and can call it off. Meanwhile the machine is frozen: nothing may change it.
 */
#pragma once
#include "core/snapshot.h"
#include <jansson.h>

struct machine;
struct error;

enum migrate_state {
	MIGRATE_NONE,
	MIGRATE_SETUP, /* being connected, or waiting for the other side */
	MIGRATE_ACTIVE,
	MIGRATE_CANCELLING,
	MIGRATE_CANCELLED,
	MIGRATE_COMPLETED,
	MIGRATE_FAILED
};
struct migrate_info {
	enum migrate_state state;
	bool incoming;
	const char *error; /* of a failure */
	u64 total_ns, setup_ns, down_ns;
	struct snapshot_progress progress;
};

/* Begins; what goes wrong later is in migrate_info. */
int must_check migrate_start(struct machine *m, const char *uri, struct error *e);
/* Until it is over. 0, or -errno with a sentence. */
int must_check migrate_wait(struct machine *m, struct error *e);
void migrate_cancel(struct machine *m); /* nothing, when there is none */
/* -incoming: the machine is one that waits; "defer": for migrate_incoming. Before machine_run. */
void migrate_expect(struct machine *m, bool run);
/* Of such a machine, once it has been reset. At the end it runs when the other one ran and nobody
 * has stopped it; when it fails the process ends, unless it was asked for by a monitor. */
int must_check migrate_incoming(struct machine *m, const char *uri, struct error *e);
/* Shall it run then? False when no state is waited for. */
bool migrate_run_then(struct machine *m, bool run);
void migrate_info(struct machine *m, struct migrate_info *info);
/* Events MIGRATION tell each state. */
void migrate_set_events(struct machine *m, bool on);
bool migrate_events(struct machine *m);
/* Parameters that were set, by name: the caller's to fill, borrowed. */
json_t *migrate_parameters(struct machine *m);
/* Is the machine being copied? */
bool migrate_frozen(const struct machine *m);
void migrate_fini(struct machine *m);

/* At once, and the machine goes on: savevm. Afterwards it runs again if it did. A file that could
 * not be written completely is removed. */
int must_check migrate_save(struct machine *m, const char *uri, struct error *e);
/* Resets the machine and loads. Afterwards it runs when `run`. When it fails the machine is reset
 * again and stays stopped. */
int must_check migrate_load(struct machine *m, const char *uri, bool run, struct error *e);
