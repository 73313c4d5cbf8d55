/* SPDX-License-Identifier: GPL-2.0-or-later */
/* private.h - a session with a test: what comes in and goes out (server.c), and what is asked
 * (requests.c). */
#pragma once
#include "qtest/qtest.h"
#include "core/device.h"
#include "core/machine.h"
#include "lib/str.h"
#include <stdio.h>

enum {
	LINES_MOST = 256,	 /* of a device that is listened to */
	LENGTH_MOST = 256 << 20, /* bytes that one request may move */
	LINE_MOST = 2 * LENGTH_MOST + 256,
	OUT_MOST = 1 << 20, /* with as much unread, the next request waits */
};

struct qtest {
	struct machine *m;
	struct chardev *c; /* NULL when the machine is gone */
	struct reset_hook fini;
	struct strbuf in, out;
	size_t out_at;
	unsigned session; /* counts the tests that went away */
	bool overlong;	  /* the rest of a line that was refused is skipped */
	bool posted;
	FILE *log;
	s64 began; /* host ns, of the log */
	/* the one device whose lines are listened to */
	char *listened;
	u8 level[LINES_MOST];
};

/* server.c: one line to the test, which lacks its end. */
void qtest_reply(struct qtest *q, const char *fmt, ...) printf_like(2, 3);
/* requests.c: answers one request. */
void qtest_request(struct qtest *q, char *line);
