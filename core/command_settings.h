/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command_settings.h - arguments of QMP as settings, like those of the command line: members of
 * members are joined by dots; elements of lists repeat their key, {"str": "x"} is x. */
#pragma once
#include "core/command.h"
#include "lib/keyval.h"

int must_check command_settings(const json_t *args, struct keyvals *kv, struct error *e);
