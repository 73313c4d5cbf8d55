/* SPDX-License-Identifier: GPL-2.0-or-later */
/* migrate_place.h - where snapshots go to and come from, by URI: file:PATH[,offset=N] or a plain
 * path, exec:COMMAND, fd:NAME or fd:NUMBER, unix:PATH, tcp:HOST:PORT. */
#pragma once
#include <quern/types.h>
#include <stdio.h>

struct machine;
struct error;

/* An open end of a stream. */
struct place {
	int fd;
	FILE *pipe; /* of exec: */
	char *path; /* of a file */
	u64 offset; /* where the stream begins in it */
	bool write;
};
/* Is the URI of a kind that there is? -ENOTSUP, -EINVAL with a sentence otherwise. */
int must_check place_check(const char *uri, struct error *e);
/* tcp:, unix: have a second side that may be slow: place_connect, place_listen. */
bool place_is_socket(const char *uri);
/* Everything else; on the machine's thread. */
int must_check place_open(struct place *p, struct machine *m, const char *uri, bool write,
			  struct error *e);
/* Any thread. *cancel ends it with -ECANCELED. */
int must_check place_connect(struct place *p, const char *uri, const bool *cancel, struct error *e);
/* A listening socket, or -errno with a sentence. */
int must_check place_listen(const char *uri, struct error *e);
/* err: how it went so far; what closing tells is added to it. A file that was not written
 * completely is removed. */
int place_close(struct place *p, int err, struct error *e);
