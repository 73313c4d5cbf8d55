/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command.c - the monitor's commands about dumps. */
#include "core/command.h"
#include "core/fds.h"
#include "dump/job.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool flag(const struct command_call *c, const char *name)
{
	return json_is_true(json_object_get(c->args, name));
}

static const char *text_of(const struct command_call *c, const char *name)
{
	return json_string_value(json_object_get(c->args, name));
}

static int open_file(const char *path, struct error *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), err = errno;

	return fd < 0 ? error_ret(e, -err, "could not open '%s': %s", path, strerror(err)) : fd;
}

/* begin and length come together. */
static int part(struct command_call *c, struct dump_options *o, struct error *e)
{
	json_t *begin = json_object_get(c->args, "begin"),
	       *length = json_object_get(c->args, "length");

	if (!begin != !length)
		return error_ret(e, -EINVAL, "parameter '%s' is missing",
				 begin ? "length" : "begin");
	if (!begin)
		return 0;
	if (json_integer_value(length) <= 0)
		return error_ret(e, -EINVAL, "parameter 'length' must be at least 1");
	o->begin = json_integer_value(begin);
	o->length = json_integer_value(length);
	return 0;
}

/* to: a path, or the name of a descriptor */
static int start(struct command_call *c, const char *to, bool named, const struct dump_options *o,
		 struct error *e)
{
	bool busy = dump_job(c->m)->status == DUMP_ACTIVE;
	int fd, err;

	if (busy)
		return error_ret(e, -EBUSY, "there is a dump in process, please wait");
	fd = named ? fds_take(c->m, to, e) : open_file(to, e);
	if (fd < 0)
		return fd;
	err = dump_job_start(c->m, o, fd, flag(c, "detach"), e);
	if (err == -EINVAL)
		close(fd);
	return err;
}

/* ---- the human's */

static int dump_hmp(struct command_call *c, struct error *e)
{
	static const char *const codecs[] = { "zlib", "lzo", "snappy", "zstd" };
	struct dump_options o = { .paging = flag(c, "paging") };
	const char *codec = NULL;
	int err = part(c, &o, e);

	if (flag(c, "windmp"))
		return error_ret(e, -ENOTSUP, "dumps in the format of Windows are not built yet");
	for (size_t i = 0; i < ARRAY_SIZE(codecs); i++) {
		if (!flag(c, codecs[i]))
			continue;
		if (codec)
			return error_ret(e, -EINVAL, "only one of -z, -l, -s and -Z can be given");
		codec = codecs[i];
	}
	if (flag(c, "raw") && !codec)
		return error_ret(e, -EINVAL, "-R needs a compressed format: -z, -l, -s or -Z");
	if (codec) {
		AUTO_FREE char *name = xasprintf("kdump-%s%s", flag(c, "raw") ? "raw-" : "", codec);

		o.format = dump_format_find(name);
	}
	return err ? err : start(c, text_of(c, "filename"), false, &o, e);
}

static const struct command_arg hmp_args[] = {
	{ "paging", ARG_FLAG, true, 'p' },    { "detach", ARG_FLAG, true, 'd' },
	{ "windmp", ARG_FLAG, true, 'w' },    { "zlib", ARG_FLAG, true, 'z' },
	{ "lzo", ARG_FLAG, true, 'l' },	      { "snappy", ARG_FLAG, true, 's' },
	{ "zstd", ARG_FLAG, true, 'Z' },      { "raw", ARG_FLAG, true, 'R' },
	{ "filename", ARG_STRING, false, 0 }, { "begin", ARG_INT, true, 0 },
	{ "length", ARG_INT, true, 0 },	      {}
};
COMMAND(dump_hmp, .hmp = "dump-guest-memory", .args = hmp_args, .run = dump_hmp,
	.doc = "write the guest's memory to a file for crash and gdb: ELF, with -p by virtual "
	       "addresses; -z, -l, -s, -Z: compressed by zlib, LZO, Snappy, zstd, with -R not "
	       "flattened; -d: in the background");

/* ---- QMP's */

static int dump_qmp(struct command_call *c, struct error *e)
{
	const char *protocol = text_of(c, "protocol"), *format = text_of(c, "format"), *file;
	struct dump_options o = { .paging = flag(c, "paging") };
	int err = part(c, &o, e);

	if (err)
		return err;
	if (format && str_eq(format, "win-dmp"))
		return error_ret(e, -ENOTSUP, "dumps in the format of Windows are not built yet");
	if (format && !(o.format = dump_format_find(format)))
		return error_ret(e, -EINVAL,
				 "parameter 'format' cannot be '%s'; "
				 "query-dump-guest-memory-capability lists the formats",
				 format);
	if (str_prefix(protocol, "fd:", &file))
		return start(c, file, true, &o, e);
	if (!str_prefix(protocol, "file:", &file))
		return error_ret(e, -EINVAL,
				 "parameter 'protocol' is file:PATH or fd:NAME, not '%s'",
				 protocol);
	return start(c, file, false, &o, e);
}

static const struct command_arg qmp_args[] = { { "paging", ARG_BOOL, false, 0 },
					       { "protocol", ARG_STRING, false, 0 },
					       { "detach", ARG_BOOL, true, 0 },
					       { "begin", ARG_INT, true, 0 },
					       { "length", ARG_INT, true, 0 },
					       { "format", ARG_STRING, true, 0 },
					       {} };
COMMAND(dump_qmp, .qmp = "dump-guest-memory", .args = qmp_args, .run = dump_qmp,
	.doc = "write the guest's memory to a file for crash and gdb");

static int query_dump(struct command_call *c, struct error *e)
{
	struct dump_job *j = dump_job(c->m);

	c->result = json_pack("{s:s, s:I, s:I}", "status", dump_job_status(j), "completed",
			      (json_int_t)j->completed, "total", (json_int_t)j->total);
	return 0;
}

static void show_dump(struct command_call *c)
{
	struct dump_job *j = dump_job(c->m);

	command_print(c, "Status: %s\n", dump_job_status(j));
	if (j->status == DUMP_ACTIVE)
		command_print(c, "Finished: %.2f %%\n",
			      j->total ? 100.0 * (double)j->completed / (double)j->total : 0);
	if (j->status == DUMP_FAILED)
		command_print(c, "Reason: %s\n", j->error.text);
}

COMMAND(query_dump, .hmp = "info dump", .qmp = "query-dump", .run = query_dump, .show = show_dump,
	.doc = "show how far the last dump of guest memory is");

static int capability(struct command_call *c, struct error *e)
{
	json_t *formats = json_array();

	for (const struct dump_format *f = dump_formats; f->name; f++)
		json_array_append_new(formats, json_string(f->name));
	c->result = json_pack("{s:o}", "formats", formats);
	return 0;
}

COMMAND(dump_capability, .qmp = "query-dump-guest-memory-capability", .run = capability,
	.doc = "list the formats of dump-guest-memory");

/* ---- what the guest tells of itself */

static int get_vmcoreinfo(struct command_call *c, struct error *e)
{
	char *text;
	size_t n;
	int err = dump_vmcoreinfo(c->m, &text, &n, e);

	if (err)
		return err;
	c->result = json_pack("{s:o}", "vmcoreinfo", json_stringn(text, n));
	free(text);
	return c->result ? 0 : error_ret(e, -EINVAL, "the guest's VMCOREINFO is no text");
}

static void show_vmcoreinfo(struct command_call *c)
{
	command_print(c, "%s", json_string_value(json_object_get(c->result, "vmcoreinfo")));
}

COMMAND(vmcoreinfo_get, .hmp = "vmcoreinfo-get|info vmcoreinfo", .qmp = "vmcoreinfo-get",
	.run = get_vmcoreinfo, .show = show_vmcoreinfo,
	.doc = "show the guest kernel's VMCOREINFO: where it lies, how its structures look");
