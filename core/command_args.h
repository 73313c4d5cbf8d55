/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command_args.h - arguments of commands by their tables: from a human's line and from QMP. */
#pragma once
#include "core/command.h"

/* The rest of a line behind the command's name into c->args. */
int must_check command_parse_args(struct command_call *c, const char *text, struct error *e);
/* QMP's arguments (may be NULL) into c->args. */
int must_check command_check_args(struct command_call *c, json_t *given, struct error *e);
