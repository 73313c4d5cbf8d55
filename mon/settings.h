/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings.h - what commands with KEY=VALUE arguments share. */
#pragma once
#include "lib/keyval.h"
#include <jansson.h>

/* JSON members as settings in text. */
int must_check settings_of_json(const json_t *args, struct keyvals *kv, struct error *e);
