/* SPDX-License-Identifier: GPL-2.0-or-later */
/* error.h - the one sentence for the user, carried from where it is known to where it is printed.
 */
#pragma once
#include <quern/types.h>

/* Set at most once on a path; later calls on a set error keep the first text. `struct error e =
 * {0}` starts empty. */
struct error {
	char *text;
};

/* Formats the sentence: lower case, names the thing and the value, says what would be right. A NULL
 * e is allowed. */
void error_set(struct error *e, const char *fmt, ...) printf_like(2, 3);
/* Sets the sentence and returns err (a negative errno), for `return error_ret(e, -EINVAL, "...")`.
 */
int error_ret(struct error *e, int err, const char *fmt, ...) printf_like(3, 4);
/* Puts "prefix: " before a sentence already set. */
void error_prefix(struct error *e, const char *fmt, ...) printf_like(2, 3);
bool error_is_set(const struct error *e);
/* Prints "quern: text" (or the name set by error_program) to stderr and clears. */
void error_print(struct error *e);
void error_clear(struct error *e);
/* The name before messages: "quern" or "qemu-system-x86_64"; process-wide, set once by main. */
void error_program(const char *name);
/* A warning to stderr: "quern: warning: text". */
void warn(const char *fmt, ...) printf_like(1, 2);
