/* SPDX-License-Identifier: GPL-2.0-or-later */
/* savevm.c - snapshots that a user takes and returns to: savevm, loadvm, delvm. A snapshot's tag is
 * the name of its file; the temporary layers of disks are in it, images are not. */
#include "core/block.h"
#include "core/command.h"
#include "core/migrate.h"
#include "core/private.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* One that this machine has saved or loaded; it may be gone meanwhile. */
struct saved {
	char *tag;
	u64 clock_ns;
	struct list link;
};

static void forget(struct saved *s)
{
	list_del(&s->link);
	free(s->tag);
	free(s);
}

static void forget_tag(struct machine *m, const char *tag)
{
	struct saved *s, *tmp;

	list_for_each_safe (s, tmp, &m->priv->saved, link)
		if (str_eq(s->tag, tag))
			forget(s);
}

static void remember(struct machine *m, const char *tag)
{
	struct saved *s = NEW(struct saved);

	forget_tag(m, tag);
	s->tag = xstrdup(tag);
	s->clock_ns = clock_now(&m->clock);
	list_add_tail(&m->priv->saved, &s->link);
}

void savevm_fini(struct machine *m)
{
	struct saved *s, *tmp;

	list_for_each_safe (s, tmp, &m->priv->saved, link)
		forget(s);
}

/* Going back in time needs disks that go with it. */
static int disks_follow(struct machine *m, struct error *e)
{
	for (struct block *b = block_next(m, NULL); b; b = block_next(m, b))
		if (b->dev && b->node && !b->node->readonly && !b->node->driver->layer_next)
			return error_ret(e, -EBUSY,
					 "Device '%s' is writable but does not support snapshots: "
					 "with snapshot=on or readonly=on it does; or migrate to a "
					 "file and keep the image as it is then",
					 block_name(b));
	return 0;
}

static int savevm(struct command_call *c, struct error *e)
{
	const char *tag = call_str(c, "name");
	char made[32];
	time_t now = time(NULL);
	struct tm tm;
	int err = disks_follow(c->m, e);

	if (!tag) {
		strftime(made, sizeof(made), "vm-%Y%m%d%H%M%S", localtime_r(&now, &tm));
		tag = made;
	}
	if (!err)
		err = migrate_save(c->m, tag, e);
	if (!err)
		remember(c->m, tag);
	return err;
}
static const struct command_arg save_args[] = { { "name", ARG_STRING, true }, {} };
COMMAND(savevm, .hmp = "savevm", .run = savevm, .args = save_args,
	.doc = "write the machine to a file and go on");

static int loadvm(struct command_call *c, struct error *e)
{
	const char *tag = call_str(c, "name");
	int err = disks_follow(c->m, e);

	if (!err)
		err = migrate_load(c->m, tag, c->m->state == RUN_RUNNING, e);
	if (!err)
		remember(c->m, tag);
	return err;
}
static const struct command_arg name_args[] = { { "name", ARG_STRING }, {} };
COMMAND(loadvm, .hmp = "loadvm", .run = loadvm, .args = name_args,
	.doc = "load the machine from a file that savevm or migrate wrote");

/* Nothing else is removed. */
static int check_snapshot(const char *path, struct error *e)
{
	char magic[sizeof(SNAPSHOT_MAGIC)] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd >= 0 ? read(fd, magic, sizeof(magic)) : -1;

	if (fd >= 0)
		close(fd);
	else if (errno == ENOENT)
		return error_ret(e, -EINVAL, "Snapshot '%s' does not exist in one or more devices",
				 path);
	else
		return error_ret(e, -errno, "cannot open snapshot '%s': %s", path, strerror(errno));
	return n == sizeof(magic) && !memcmp(magic, SNAPSHOT_MAGIC, sizeof(magic)) ?
		       0 :
		       error_ret(e, -EINVAL, "'%s' is no snapshot of a machine", path);
}

static int delvm(struct command_call *c, struct error *e)
{
	const char *tag = call_str(c, "name");
	int err = check_snapshot(tag, e);

	if (!err && unlink(tag) < 0)
		err = error_ret(e, -errno, "cannot remove '%s': %s", tag, strerror(errno));
	if (!err)
		forget_tag(c->m, tag);
	return err;
}
COMMAND(delvm, .hmp = "delvm", .run = delvm, .args = name_args, .doc = "remove a snapshot's file");

static void show_saved(struct command_call *c, const struct saved *s, const struct stat *st)
{
	u64 ms = s->clock_ns / 1000000;
	char date[32], size[32], clock[32];
	struct tm tm;

	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", localtime_r(&st->st_mtime, &tm));
	snprintf(size, sizeof(size), "%.3g MiB", (double)st->st_size / (1 << 20));
	snprintf(clock, sizeof(clock), "%02u:%02u:%02u.%03u", (unsigned)(ms / 3600000),
		 (unsigned)(ms / 60000 % 60), (unsigned)(ms / 1000 % 60), (unsigned)(ms % 1000));
	command_print(c, "%-10s%-17s%8s%20s%13s%11s\n", "--", s->tag, size, date, clock, "");
}

static int snapshots(struct command_call *c, struct error *e)
{
	struct saved *s, *tmp;
	struct stat st;
	bool any = false;

	list_for_each_safe (s, tmp, &c->m->priv->saved, link) {
		if (stat(s->tag, &st)) {
			forget(s);
			continue;
		}
		if (!any)
			command_print(c,
				      "List of snapshots present on all disks:\n"
				      "%-10s%-17s%8s%20s%13s%11s\n",
				      "ID", "TAG", "VM SIZE", "DATE", "VM CLOCK", "ICOUNT");
		any = true;
		show_saved(c, s, &st);
	}
	if (!any)
		command_print(c, "There is no snapshot available.\n");
	return 0;
}
COMMAND(snapshots, .hmp = "info snapshots", .run = snapshots,
	.doc = "list the snapshots that this machine has saved or loaded");
