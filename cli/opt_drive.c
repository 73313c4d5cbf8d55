/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opt_drive.c - options about disks: they become keys of -drive and -blockdev. */
#include "cli/options.h"
#include "core/block.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

OPTION_HANDLER(opt_drive)
{
	struct keyvals kv = { 0 };
	int err;

	if (str_eq(arg, "help") || str_eq(arg, "?") || str_eq(arg, "format=help") ||
	    str_eq(arg, "format=?")) {
		printf("Supported formats: raw\n");
		return OPTION_DONE;
	}
	err = keyvals_parse(&kv, arg, NULL, e);
	if (err) {
		keyvals_fini(&kv);
		return err;
	}
	vec_push(&s->drives, kv);
	return 0;
}

static void list_driver(void *arg, const struct block_driver *d)
{
	printf("%-12s %s%s%s%s\n", d->name, d->doc, d->keys ? " (" : "", d->keys ? d->keys : "",
	       d->keys ? ")" : "");
}

OPTION_HANDLER(opt_blockdev)
{
	struct keyvals kv = { 0 };
	int err;

	if (str_eq(arg, "help") || str_eq(arg, "?")) {
		block_driver_each(list_driver, NULL);
		return OPTION_DONE;
	}
	err = keyvals_parse(&kv, arg, "driver", e);
	if (err) {
		keyvals_fini(&kv);
		return err;
	}
	vec_push(&s->blockdevs, kv);
	return 0;
}

static void add_image(struct settings *s, unsigned index, bool cdrom, const char *path)
{
	struct keyvals kv = { 0 };
	char text[12];

	snprintf(text, sizeof(text), "%u", index);
	keyvals_add(&kv, "index", text);
	keyvals_add(&kv, "media", cdrom ? "cdrom" : "disk");
	keyvals_add(&kv, "file", path);
	vec_push(&s->drives, kv);
}

/* The last letter is the number. */
OPTION_HANDLER(opt_hd)
{
	add_image(s, o->name[2] - 'a', false, arg);
	return 0;
}

OPTION_HANDLER(opt_cdrom)
{
	add_image(s, 2, true, arg);
	return 0;
}
