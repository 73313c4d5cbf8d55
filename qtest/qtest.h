/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qtest.h - a machine driven from outside: a test reads and writes ports and memory, moves the
 * clock and watches interrupt lines, in the protocol of QEMU's qtest. Where no CPU runs
 * (machine->driven), the test is all that the devices meet. */
#pragma once
#include <quern/types.h>

struct qtest;
struct machine;
struct chardev;
struct error;

/* The test is at c. Requests and replies are written to the log as well; NULL: standard error,
 * "none": nowhere. NULL with a sentence. */
struct qtest *qtest_new(struct machine *m, struct chardev *c, const char *log, struct error *e);
void qtest_free(struct qtest *q); /* after the machine */
