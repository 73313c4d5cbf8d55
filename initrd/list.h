/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list.h - what the lines of a description do to an archive under construction. */
#pragma once
#include "initrd/closure.h"
#include "initrd/cpio.h"
#include "initrd/initrd.h"

struct build {
	const struct initrd_opts *o;
	struct cpio cpio;
	struct closure *closure;
	bool quote; /* fields of the kernel's own lines may be quoted */
};

/* Reads a whole description; text is NUL-terminated and gets changed. name is for messages. */
int list_read(struct build *b, char *text, const char *name, struct error *e) must_check;
/* Adds everything below a host directory under the guest's prefix. */
int tree_add(struct build *b, const char *dir, const char *prefix, struct error *e) must_check;
/*
 * Adds a regular file of the host under n names; mtime and data come from the host. closure: also
 * what it needs to run.
 */
int file_add(struct build *b, struct cpio_entry *en, const char *location, const char *const *names,
	     u32 n, bool closure, struct error *e) must_check;

/* Splits off the next field at *p, in place; NULL at the end. With quote, "a b", a\ b and \" \\ \n
 * \t \NNN are understood. */
char *list_field(char **p, bool quote, struct error *e);
/* Replaces every ${NAME} by the environment's value, or by nothing; -ELOOP when values name each
 * other endlessly. */
int list_expand(const char *s, char **out, struct error *e) must_check;
