/* SPDX-License-Identifier: GPL-2.0-or-later */
/* job.c - a dump as a job of the machine's thread: at once, or in steps between which monitors are
 * heard. The guest stands still meanwhile. */
#include "dump/job.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <jansson.h>

static void job_free(void *arg)
{
	struct dump_job *j = arg;

	dump_free(j->dump);
	error_clear(&j->error);
	j->m->dump = NULL;
	free(j);
}

struct dump_job *dump_job(struct machine *m)
{
	struct dump_job *j = m->dump;

	if (j)
		return j;
	j = m->dump = NEW(struct dump_job);
	j->m = m;
	j->fini = (struct reset_hook){ .fn = job_free, .arg = j };
	machine_add_fini(m, &j->fini);
	return j;
}

const char *dump_job_status(const struct dump_job *j)
{
	static const char *const names[] = { "none", "active", "completed", "failed" };

	return names[j->status];
}

static void tell(struct dump_job *j)
{
	json_t *data =
		json_pack("{s:{s:s, s:I, s:I}}", "result", "status", dump_job_status(j),
			  "completed", (json_int_t)j->completed, "total", (json_int_t)j->total);
	char *text;

	if (j->status == DUMP_FAILED)
		json_object_set_new(data, "error", json_string(j->error.text));
	text = json_dumps(data, 0);
	if (j->m->event)
		j->m->event(j->m, "DUMP_COMPLETED", text);
	free(text);
	json_decref(data);
}

static void end(struct dump_job *j, enum dump_status status)
{
	j->status = status;
	dump_free(j->dump);
	j->dump = NULL;
	if (j->resume && j->m->state == RUN_PAUSED)
		machine_cont(j->m);
	tell(j);
}

/* One step. True when there are more. */
static bool advance(struct dump_job *j)
{
	int more;

	if (j->m->state == RUN_RUNNING)
		more = error_ret(&j->error, -ECANCELED,
				 "the guest went on before its dump was complete");
	else
		more = dump_step(j->dump, &j->error);
	dump_progress(j->dump, &j->completed, &j->total);
	if (more <= 0)
		end(j, more ? DUMP_FAILED : DUMP_DONE);
	return more > 0;
}

static void next_step(void *arg)
{
	struct dump_job *j = arg;

	if (j->status == DUMP_ACTIVE && advance(j))
		machine_post(j->m, next_step, j);
}

int dump_job_start(struct machine *m, const struct dump_options *o, int fd, bool detach,
		   struct error *e)
{
	struct dump_job *j = dump_job(m);

	if (j->status == DUMP_ACTIVE)
		return error_ret(e, -EBUSY, "there is a dump in process, please wait");
	error_clear(&j->error);
	j->completed = j->total = 0;
	j->resume = m->state == RUN_RUNNING;
	if (j->resume)
		machine_stop(m, RUN_PAUSED);
	j->dump = dump_new(m, o, fd, e);
	if (!j->dump) {
		if (j->resume)
			machine_cont(m);
		return -EINVAL;
	}
	j->status = DUMP_ACTIVE;
	dump_progress(j->dump, &j->completed, &j->total);
	if (detach) {
		machine_post(m, next_step, j);
		return 0;
	}
	while (advance(j))
		;
	if (j->status == DUMP_FAILED)
		return error_ret(e, -EIO, "%s", j->error.text);
	return 0;
}
