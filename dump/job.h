/* SPDX-License-Identifier: GPL-2.0-or-later */
/* job.h - the dump that a machine's monitors ask for and about; one at a time. */
#pragma once
#include "core/machine.h"
#include "dump/dump.h"
#include "lib/error.h"

enum dump_status { DUMP_NONE, DUMP_ACTIVE, DUMP_DONE, DUMP_FAILED };
struct dump_job {
	struct machine *m;
	struct dump *dump; /* while active */
	enum dump_status status;
	bool resume;	    /* the guest ran */
	struct error error; /* of a dump that failed */
	u64 completed, total;
	struct reset_hook fini;
};
/* The machine's; never NULL. */
struct dump_job *dump_job(struct machine *m);
const char *dump_job_status(const struct dump_job *j); /* as in query-dump */
/* Stops the guest, writes the dump to fd, which it closes, and lets the guest go on. detach: 0 as
 * soon as that has begun. On failure before that fd stays the caller's: -EINVAL, -EBUSY. */
int must_check dump_job_start(struct machine *m, const struct dump_options *o, int fd, bool detach,
			      struct error *e);
