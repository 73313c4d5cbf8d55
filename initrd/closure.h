/* SPDX-License-Identifier: GPL-2.0-or-later */
/* closure.h - adds the interpreter and all shared libraries of programs that are in an archive. */
#pragma once
#include "initrd/cpio.h"

struct closure;

/* The archive stays the caller's. sysroot NULL or "" is the host's root. */
struct closure *closure_new(struct cpio *c, const char *sysroot);
void closure_free(struct closure *cl);
/* Notes a program that the archive holds as `guest`, from the host's file `host`. */
void closure_want(struct closure *cl, const char *guest, const char *host);
/* Adds what all noted programs need and the archive does not have yet. Files that are no ELF files
 * need nothing. */
int closure_run(struct closure *cl, struct error *e) must_check;
