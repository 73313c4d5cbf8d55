/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fds.h - descriptors that clients hand over and name, for what takes "fd:NAME" later. */
#pragma once
#include <quern/types.h>

struct machine;
struct error;

/* Takes fd under that name; one of the same name is closed. */
void fds_put(struct machine *m, const char *name, int fd);
/* It is the caller's now, and the name is free. -ENOENT with a sentence. */
int must_check fds_take(struct machine *m, const char *name, struct error *e);
void fds_init(struct machine *m);
void fds_fini(struct machine *m);
